/* Runs of base64 and hex: found by their length and letters, believed when what they decode to is text
 * or a compressed stream. A run may be wrapped, cut into chunks, reversed, in ROT13, or have other
 * letters stuck to it. */
#include "readings.h"

#include <bartizan/text.h>
#include <zlib.h>

enum {
    RUN_SHORT = 12,   /* characters that are worth a try */
    SAMPLE = 16,      /* of them decide */
    GAP_MAX = 8,      /* bytes between two lines of one run */
    LINES_MAX = 4096, /* of one run; more are read as the next one */
};

/* A line of a run: characters [at, at + n) of it stand at `from`. */
struct line {
    size_t from, n, at;
};
struct run {
    struct bz_view t;
    struct line first; /* most runs have one line */
    struct line *lines;
    size_t lines_n, lines_cap;
    uint8_t *c; /* the characters, joined */
    size_t n;
    size_t end; /* in the text */
};

static int value64(uint8_t c) {
    if ((uint8_t)(c - 'A') < 26)
        return c - 'A';
    if ((uint8_t)(c - 'a') < 26)
        return c - 'a' + 26;
    if ((uint8_t)(c - '0') < 10)
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

static int value16(uint8_t c) {
    if ((uint8_t)(c - '0') < 10)
        return c - '0';
    c |= 0x20;
    return (uint8_t)(c - 'a') < 6 ? c - 'a' + 10 : -1;
}

/* ---- what bytes are ---------------------------------------------------------------------------- */

static bool is_control(uint8_t c) {
    return c == 0x7f || (c < 0x20 && c != '\n' && c != '\r' && c != '\t');
}

/* Text, as far as it goes: a character may be cut at either end. */
static bool is_text(const uint8_t *p, size_t n) {
    size_t i = 0;
    while (i < n && i < 3 && (p[i] & 0xc0) == 0x80)
        i++;
    if (n - i < 4)
        return false;
    for (size_t k = i; k < n; k++) {
        if (is_control(p[k]))
            return false;
    }
    return n - i - bz_utf8_valid(bz_view(p + i, n - i)) < 4;
}

static bool is_packed(const uint8_t *p, size_t n) {
    if (n < 8)
        return false;
    if (p[0] == 0x1f && p[1] == 0x8b && p[2] == 8)
        return true;
    return (p[0] & 0x0f) == 8 && p[0] >> 4 <= 7 && (p[0] << 8 | p[1]) % 31 == 0 &&
           (p[1] & 0x20) == 0;
}

/* UTF-16 of mostly Latin letters: 1 little endian, 2 big, 0 none. */
static int is_wide(const uint8_t *p, size_t n) {
    size_t zeros[2] = {0, 0};
    if (n < 8)
        return 0;
    n = n > 64 ? 64 : n & ~(size_t)1;
    for (size_t i = 0; i < n; i++)
        zeros[i & 1] += p[i] == 0;
    if (zeros[1] * 4 >= n && zeros[0] == 0)
        return 1;
    return zeros[0] * 4 >= n && zeros[1] == 0 ? 2 : 0;
}

/* ---- from bytes to readings -------------------------------------------------------------------- */

static void *take(void *arena, unsigned n, unsigned size) {
    return bz_arena_alloc(arena, (size_t)n * size);
}

static void give(void *arena, void *p) {
    (void)arena; /* the arena's memory goes with it */
    (void)p;
}

/* What a stream holds, up to the cap. Damaged ones count as far as they are whole. */
static void inflate_into(struct work *w, struct bz_view packed, size_t room, struct maker *m) {
    size_t cap = room < BZ_READING_INFLATE_MAX ? room : BZ_READING_INFLATE_MAX;
    size_t first = packed.n > cap / 4 ? cap : packed.n * 4 + 512;
    uint8_t *out = NULL;
    size_t n = 0;
    /* What zlib takes counts as well: texts can hold thousands of heads without a body. */
    enum { TRY_COST = 8192 };
    w->left -= w->left < TRY_COST ? w->left : TRY_COST;
    z_stream z = {.zalloc = take, .zfree = give, .opaque = w->ar};
    if (inflateInit2(&z, 15 + 32) != Z_OK) {
        w->failed = true;
        return;
    }
    union {
        const uint8_t *c;
        uint8_t *p;
    } in = {.c = packed.p}; /* zlib's next_in lacks the const that it keeps */
    z.next_in = in.p;
    z.avail_in = (unsigned)packed.n;
    for (size_t size = first < cap ? first : cap;; size = size * 4 < cap ? size * 4 : cap) {
        uint8_t *more = bz_arena_alloc(w->ar, size);
        if (more == NULL) {
            w->failed = true;
            break;
        }
        if (n != 0)
            memcpy(more, out, n);
        out = more;
        z.next_out = out + n;
        z.avail_out = (unsigned)(size - n);
        int rc = inflate(&z, Z_SYNC_FLUSH);
        n = size - z.avail_out;
        if (z.avail_out != 0 || rc == Z_STREAM_END || (rc != Z_OK && rc != Z_BUF_ERROR))
            break;
        if (size == cap) {
            w->capped = true;
            break;
        }
    }
    inflateEnd(&z);
    if (n != 0 && !w->failed)
        maker_put(m, out, n, 0, packed.n, STRETCH_WHOLE);
}

static void narrow(struct maker *m, struct bz_view v, int wide) {
    for (size_t i = 0; i + 1 < v.n; i += 2) {
        uint32_t cp =
            wide == 1 ? (uint32_t)(v.p[i] | v.p[i + 1] << 8) : (uint32_t)(v.p[i] << 8 | v.p[i + 1]);
        uint8_t out[4];
        if ((cp & 0xf800) == 0xd800)
            cp = 0xfffd;
        maker_put(m, out, bz_utf8_encode(cp, out), i, 2, STRETCH_WHOLE);
    }
}

/* Reads decoded bytes: packed, wide, or text as they are. */
static void read_bytes(struct work *w, const struct layer *from, enum bz_decoding how,
                       struct maker *m) {
    if (w->failed || m->failed) {
        w->failed = true;
        return;
    }
    int wide = is_wide(m->p, m->n);
    bool packed = wide == 0 && is_packed(m->p, m->n);
    if (wide == 0 && !packed) {
        work_read(w, from, how, m);
        return;
    }
    struct layer mid = {.text = bz_view(m->p, m->n), .how_n = from->how_n};
    memcpy(mid.how, from->how, sizeof mid.how);
    mid.map = maker_map(m, from->map);
    struct maker out;
    maker_init(&out, w, 64);
    if (mid.map == NULL || out.failed) {
        w->failed = true;
        return;
    }
    if (wide != 0) { /* UTF-16 is no decoding of its own */
        narrow(&out, mid.text, wide);
        work_read(w, &mid, how, &out);
        return;
    }
    mid.how[mid.how_n++] = (uint8_t)how;
    size_t room = work_room(w, &mid);
    if (room == 0)
        return;
    inflate_into(w, mid.text, room, &out);
    if (!w->failed && out.n != 0)
        read_bytes(w, &mid, BZ_DECODING_GZIP, &out);
}

/* ---- runs -------------------------------------------------------------------------------------- */

static size_t run_end(struct bz_view t, size_t at) {
    while (at < t.n && value64(t.p[at]) >= 0)
        at++;
    return at;
}

static size_t padding(struct bz_view t, size_t at) {
    size_t n = 0;
    while (n < 2 && at + n < t.n && t.p[at + n] == '=')
        n++;
    return n;
}

/* Bytes that may stand between the lines of one run. */
static size_t gap_after(struct bz_view t, size_t at, bool *ret_line) {
    size_t n = 0;
    *ret_line = false;
    while (n < GAP_MAX && at + n < t.n) {
        uint8_t c = t.p[at + n];
        if (memchr(" \t\r\n\"'>|,\\", c, 10) == NULL && (c != '+' || n == 0))
            break;
        *ret_line |= t.p[at + n] == '\n';
        n++;
    }
    return n;
}

static bool add_line(struct work *w, struct run *r, size_t from, size_t n) {
    if (r->lines_n == r->lines_cap) {
        size_t cap = r->lines_cap * 4;
        struct line *l = bz_arena_alloc(w->ar, cap * sizeof *l);
        if (l == NULL) {
            w->failed = true;
            return false;
        }
        if (r->lines_n != 0)
            memcpy(l, r->lines, r->lines_n * sizeof *l);
        r->lines = l;
        r->lines_cap = cap;
    }
    r->lines[r->lines_n++] = (struct line){from, n, r->n};
    r->n += n;
    return true;
}

static bool all_hex(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (value16(p[i]) < 0)
            return false;
    }
    return true;
}

/* Another line [next, stop) belongs to a run when it is as long as the first, or long, or the rest of the
 * last. line: a line end stands before it; pad: padding behind it. */
static bool belongs(struct bz_view t, size_t first, size_t next, size_t stop, bool line,
                    size_t pad) {
    size_t n = stop - next;
    bool rest = pad != 0 || stop == t.n || (line && t.p[stop] == '\n');
    return n >= 2 && (n == first || (n >= RUN_SHORT && line) || (n < first && rest));
}

/* The lines of a run that begins at `from`. */
static bool gather(struct work *w, struct bz_view t, size_t from, bool hex, struct run *r) {
    *r = (struct run){.t = t, .lines_cap = 1};
    r->lines = &r->first;
    size_t end = run_end(t, from);
    size_t first = end - from;
    size_t pad = padding(t, end);
    if (!add_line(w, r, from, first))
        return false;
    r->end = end + pad;
    while (pad == 0 && r->lines_n < LINES_MAX && from >= w->alone) {
        bool line = false;
        size_t gap = gap_after(t, end, &line);
        size_t next = end + gap;
        size_t stop = run_end(t, next);
        size_t n = stop - next;
        pad = padding(t, stop);
        if (gap == 0 || !belongs(t, first, next, stop, line, pad) ||
            (hex && !all_hex(t.p + next, n)))
            break;
        if (!add_line(w, r, next, n))
            return false;
        end = stop;
        r->end = end + pad;
    }
    if (r->lines_n == 1) { /* as it stands */
        r->c = NULL;
        return true;
    }
    r->c = bz_arena_alloc(w->ar, r->n);
    if (r->c == NULL) {
        w->failed = true;
        return false;
    }
    for (size_t i = 0; i < r->lines_n; i++)
        memcpy(r->c + r->lines[i].at, t.p + r->lines[i].from, r->lines[i].n);
    return true;
}

static const uint8_t *chars(const struct run *r) {
    return r->c != NULL ? r->c : r->t.p + r->lines[0].from;
}

/* n characters of base64 into out; the bytes. */
static size_t bytes64(const uint8_t *c, size_t n, uint8_t *out) {
    uint32_t acc = 0;
    unsigned bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        acc = acc << 6 | (uint32_t)value64(c[i]);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[at++] = (uint8_t)(acc >> bits);
        }
    }
    return at;
}

static size_t bytes16(const uint8_t *c, size_t n, uint8_t *out) {
    for (size_t i = 0; i + 1 < n; i += 2)
        out[i / 2] = (uint8_t)(value16(c[i]) << 4 | value16(c[i + 1]));
    return n / 2;
}

typedef size_t bytes_of(const uint8_t *c, size_t n, uint8_t *out);

/* Where quanta of `step` characters begin so that the middle decodes to text, or the start to a packed
 * stream or wide text. SIZE_MAX: nowhere. */
static size_t aligned(const uint8_t *c, size_t n, size_t step, bytes_of *decode) {
    uint8_t out[SAMPLE * 2];
    size_t head = decode(c, n < SAMPLE * 2 ? n : SAMPLE * 2, out);
    if (is_packed(out, head) || is_wide(out, head) != 0)
        return 0;
    for (size_t off = 0; off < step && n - off >= 8; off++) {
        size_t left = n - off;
        size_t mid = left <= SAMPLE * 2 ? 0 : left / 2 / step * step;
        size_t want = left - mid < SAMPLE * 2 ? left - mid : SAMPLE * 2;
        if (left <= SAMPLE * 2 && off != 0 && left < SAMPLE)
            break; /* too little to find a start in */
        if (is_text(out, decode(c + off + mid, want, out)))
            return off;
    }
    return SIZE_MAX;
}

/* The part of bytes around the middle that is text: what is stuck to the run goes. */
static struct bz_view text_part(struct bz_view v) {
    if (is_packed(v.p, v.n) || is_wide(v.p, v.n) != 0)
        return v;
    size_t mid = v.n / 2;
    size_t from = mid;
    size_t to = mid;
    while (from > 0 && !is_control(v.p[from - 1]) && v.p[from - 1] < 0xf8)
        from--;
    while (to < v.n && !is_control(v.p[to]) && v.p[to] < 0xf8)
        to++;
    return bz_view(v.p + from, to - from);
}

/* Decodes the run from its character `off` on, `num` bytes of `den` characters. */
static void read_run(struct work *w, const struct layer *from, const struct run *r, size_t off,
                     enum bz_decoding how) {
    size_t num = how == BZ_DECODING_HEX ? 1 : 3;
    size_t den = how == BZ_DECODING_HEX ? 2 : 4;
    size_t room = work_room(w, from);
    size_t n = r->n - off;
    if (room == 0)
        return;
    if (n / den > room / num) {
        n = room / num * den;
        w->capped = true;
    }
    uint8_t *out = bz_arena_alloc(w->ar, n / den * num + 4);
    if (out == NULL) {
        w->failed = true;
        return;
    }
    size_t got =
        how == BZ_DECODING_HEX ? bytes16(chars(r) + off, n, out) : bytes64(chars(r) + off, n, out);
    struct bz_view part = text_part(bz_view(out, got));
    size_t a = (size_t)(part.p - out);
    struct maker m;
    maker_init(&m, w, part.n);
    for (size_t i = 0; i < r->lines_n && part.n != 0; i++) {
        const struct line *l = &r->lines[i];
        /* bytes that this line's characters make, within the part */
        size_t skip = off > l->at ? off - l->at : 0;
        if (skip >= l->n)
            continue;
        size_t lo = (l->at + skip - off) * num / den;
        size_t hi = i + 1 < r->lines_n ? (l->at + l->n - off) * num / den : got;
        lo = lo < a ? a : lo;
        hi = hi > a + part.n ? a + part.n : hi;
        if (lo >= hi)
            continue;
        size_t first = lo * den / num + off - l->at;
        size_t last = (hi * den + num - 1) / num + off - l->at;
        first = lo * den / num + off < l->at + skip ? skip : first;
        last = last > l->n ? l->n : last;
        maker_put(&m, out + lo, hi - lo, l->from + first, last - first, STRETCH_EVEN);
    }
    read_bytes(w, from, how, &m);
}

/* The run as it reads after ROT13 or backwards. */
static bool read_turned(struct work *w, const struct layer *from, const struct run *r) {
    if (r->n < SAMPLE || r->n > 64u << 10)
        return false;
    uint8_t *turned = bz_arena_alloc(w->ar, r->n);
    if (turned == NULL) {
        w->failed = true;
        return false;
    }
    for (int back = 0; back < 2; back++) {
        for (size_t i = 0; i < r->n; i++) {
            uint8_t c = chars(r)[back ? r->n - 1 - i : i];
            bool letter = (uint8_t)((c | 0x20) - 'a') < 26;
            if (!back && letter)
                c = (uint8_t)((c | 0x20) < 'n' ? c + 13 : c - 13);
            turned[i] = c;
        }
        if (aligned(turned, r->n, 4, bytes64) == SIZE_MAX)
            continue;
        if (work_room(w, from) == 0)
            return true;
        struct maker m;
        maker_init(&m, w, r->n);
        size_t start = r->lines[0].from;
        maker_put(&m, turned, r->n, start, r->end - start, back ? STRETCH_BACK : STRETCH_EVEN);
        struct layer mid = {.text = bz_view(m.p, m.n), .map = maker_map(&m, from->map)};
        if (mid.map == NULL) {
            w->failed = true;
            return true;
        }
        mid.how_n = from->how_n;
        memcpy(mid.how, from->how, sizeof mid.how);
        mid.how[mid.how_n++] = back ? BZ_DECODING_REVERSED : BZ_DECODING_ROT13;
        (void)decode_run(w, &mid, 0);
        return true;
    }
    return false;
}

/* Upper and lower case within each other: no word, no number. */
static bool is_mixed(const uint8_t *p, size_t n) {
    size_t upper = 0;
    size_t lower = 0;
    for (size_t i = 0; i < n && i < 64; i++) {
        upper += (uint8_t)(p[i] - 'A') < 26;
        lower += (uint8_t)(p[i] - 'a') < 26;
    }
    return upper >= 2 && lower >= 1;
}

size_t decode_run(struct work *w, const struct layer *folded, size_t at) {
    struct bz_view t = folded->text;
    size_t from = at;
    while (from > 0 && value64(t.p[from - 1]) >= 0)
        from--;
    size_t end = run_end(t, from);
    if (w->failed || end - from < 4)
        return end;
    size_t hex = from;
    if (end - from > 2 && t.p[from] == '0' && (t.p[from + 1] | 0x20) == 'x')
        hex += 2;
    bool digits = all_hex(t.p + hex, end - hex);
    if (!digits && !is_mixed(t.p + from, end - from))
        return end;
    struct run r;
    if (!gather(w, t, digits ? hex : from, digits, &r))
        return end;
    if (digits && r.n >= SAMPLE && aligned(chars(&r), r.n, 2, bytes16) != SIZE_MAX) {
        read_run(w, folded, &r, aligned(chars(&r), r.n, 2, bytes16), BZ_DECODING_HEX);
        return r.end;
    }
    if (!is_mixed(chars(&r), r.n) || r.n < RUN_SHORT)
        return end;
    size_t off = aligned(chars(&r), r.n, 4, bytes64);
    if (off != SIZE_MAX) {
        read_run(w, folded, &r, off, BZ_DECODING_BASE64);
        return r.end;
    }
    if (read_turned(w, folded, &r))
        return r.end;
    if (r.lines_n == 1)
        return end;
    /* Together they are nothing; each may be something, and none is joined again. */
    w->alone = r.end;
    return decode_run(w, folded, at);
}

/* ---- digits with signs between ----------------------------------------------------------------- */

static bool is_alnum(uint8_t c) {
    return (uint8_t)(c - '0') < 10 || (uint8_t)((c | 0x20) - 'a') < 26;
}

/* The byte written at `at`, with or without 0x before it; -1: none. */
static int pair(struct bz_view t, size_t at, size_t *ret_end) {
    size_t skip = t.n - at > 3 && t.p[at] == '0' && (t.p[at + 1] | 0x20) == 'x' ? 2 : 0;
    if (t.n - at < skip + 2)
        return -1;
    int high = value16(t.p[at + skip]);
    int low = value16(t.p[at + skip + 1]);
    *ret_end = at + skip + 2;
    if (high < 0 || low < 0 || (*ret_end < t.n && is_alnum(t.p[*ret_end])))
        return -1;
    return high << 4 | low;
}

/* Where the next letter or digit stands, at most four signs behind `at`; t.n: nowhere. */
static size_t beyond_signs(struct bz_view t, size_t at) {
    for (size_t gap = 0; gap < 5 && at < t.n && t.p[at] < 0x80; gap++, at++) {
        if (is_alnum(t.p[at]))
            return at;
    }
    return t.n;
}

size_t decode_pairs(struct work *w, const struct layer *folded, size_t at) {
    size_t room = work_room(w, folded);
    struct maker m;
    maker_init(&m, w, 64);
    size_t end = at;
    while (at < folded->text.n && m.n < room && !m.failed) {
        size_t next = 0;
        int value = pair(folded->text, at, &next);
        if (value < 0)
            break;
        uint8_t byte = (uint8_t)value;
        maker_put(&m, &byte, 1, at, next - at, STRETCH_WHOLE);
        end = next;
        at = beyond_signs(folded->text, next);
    }
    if (m.failed)
        w->failed = true;
    if (w->failed || room == 0)
        return end;
    size_t n = m.n < SAMPLE * 2 ? m.n : SAMPLE * 2;
    if (n >= 6 && (is_text(m.p, n) || is_packed(m.p, n) || is_wide(m.p, n) != 0))
        read_bytes(w, folded, BZ_DECODING_HEX, &m);
    return end;
}
