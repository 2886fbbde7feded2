/* Folding of text for matching: NFKC of each code point by itself (utf8proc), digits of all scripts,
 * punctuation that looks alike, characters that nobody sees. Context-free, so a text can be cut
 * anywhere between two code points. */
#include "normalise.h"

#include <bartizan/text.h>
#include <utf8proc.h>

/* ---- one code point ---------------------------------------------------------------------------- */

/* Where the digit zero of a script stands; one to nine follow it (Unicode: Nd comes in such tens). */
static const uint32_t zeros[] = {
    0x0660,  0x06f0,  0x07c0,  0x0966,  0x09e6,  0x0a66,  0x0ae6,  0x0b66,  0x0be6,  0x0c66,
    0x0ce6,  0x0d66,  0x0de6,  0x0e50,  0x0ed0,  0x0f20,  0x1040,  0x1090,  0x17e0,  0x1810,
    0x1946,  0x19d0,  0x1a80,  0x1a90,  0x1b50,  0x1bb0,  0x1c40,  0x1c50,  0xa620,  0xa8d0,
    0xa900,  0xa9d0,  0xa9f0,  0xaa50,  0xabf0,  0xff10,  0x104a0, 0x10d30, 0x11066, 0x110f0,
    0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950,
    0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec,
    0x1d7f6, 0x11f50, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e950, 0x1fbf0,
};

static uint32_t digit(uint32_t cp) {
    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++) {
        if (cp - zeros[i] < 10)
            return '0' + cp - zeros[i];
    }
    return cp;
}

/* Punctuation by its look. 0: not in the table. */
static uint32_t punctuation(uint32_t cp) {
    static const struct {
        uint16_t from, to;
        uint8_t is;
    } folds[] = {
        {0x00ab, 0x00ab, '"'},  {0x00b4, 0x00b4, '\''}, {0x00bb, 0x00bb, '"'},
        {0x02b9, 0x02bc, '\''}, {0x02c8, 0x02c8, '\''}, {0x02d0, 0x02d0, ':'},
        {0x2010, 0x2015, '-'},  {0x2018, 0x201b, '\''}, {0x201c, 0x201f, '"'},
        {0x2028, 0x2029, '\n'}, {0x2032, 0x2032, '\''}, {0x2033, 0x2033, '"'},
        {0x2035, 0x2035, '\''}, {0x2036, 0x2036, '"'},  {0x2039, 0x203a, '\''},
        {0x2043, 0x2043, '-'},  {0x2044, 0x2044, '/'},  {0x2212, 0x2212, '-'},
        {0x2215, 0x2215, '/'},  {0x2217, 0x2217, '*'},  {0x2219, 0x2219, '.'},
        {0x2236, 0x2236, ':'},  {0x223c, 0x223c, '~'},  {0x2800, 0x2800, ' '},
        {0xa789, 0xa789, ':'},  {0xfe58, 0xfe58, '-'},
    };
    if (cp > 0xffff)
        return 0;
    for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++) {
        if (cp >= folds[i].from && cp <= folds[i].to)
            return folds[i].is;
    }
    return 0;
}

static bool invisible(uint32_t cp, const utf8proc_property_t *p) {
    if (p->category == UTF8PROC_CATEGORY_CF || p->category == UTF8PROC_CATEGORY_CC)
        return true;
    if ((cp >= 0x334 && cp <= 0x338) || cp == 0x34f) /* struck out letters; the joiner */
        return true;
    if ((cp >= 0x115f && cp <= 0x1160) || cp == 0x3164 || cp == 0xffa0) /* Hangul fillers */
        return true;
    return (cp >= 0x180b && cp <= 0x180f) || (cp >= 0xfe00 && cp <= 0xfe0f) ||
           (cp >= 0xe0000 && cp <= 0xe0fff); /* variation selectors, tags and their plane */
}

/* Scripts of whole languages that are their own normal form: no look-up. */
static bool itself(uint32_t cp) {
    return (cp >= 0xc0 && cp <= 0x131) || (cp >= 0x391 && cp <= 0x3ce) ||
           (cp >= 0x400 && cp <= 0x52f) || (cp >= 0x5d0 && cp <= 0x5ea) ||
           (cp >= 0x3041 && cp <= 0x3096) || (cp >= 0x30a1 && cp <= 0x30fa) ||
           (cp >= 0x4e00 && cp <= 0x9fff) || (cp >= 0xac00 && cp <= 0xd7a3);
}

static size_t put(uint8_t *out, uint32_t cp) {
    return bz_utf8_encode(cp, out);
}

static size_t compatible(uint32_t cp, uint8_t *out) {
    utf8proc_int32_t cps[24];
    int boundary = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char((utf8proc_int32_t)cp, cps, 24,
                                UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STABLE, &boundary);
    if (n <= 0 || n > 24)
        return put(out, cp);
    n = utf8proc_normalize_utf32(cps, n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    size_t used = 0;
    for (utf8proc_ssize_t i = 0; i < n; i++) {
        if (used > NORM_MAX - 4) /* a phrase in one character: left as it is */
            return put(out, cp);
        uint32_t one = digit((uint32_t)cps[i]);
        if (invisible(one, utf8proc_get_property(cps[i])))
            continue;
        uint32_t fold = punctuation(one);
        used += put(out + used, fold != 0 ? fold : one);
    }
    return used == 0 ? put(out, cp) : used;
}

/* Normal form of one code point; 0 bytes: invisible. */
static size_t fold(uint32_t cp, uint8_t *out) {
    if (cp >= 0x20 && cp < 0x7f) {
        out[0] = (uint8_t)cp;
        return 1;
    }
    if (cp == '\t' || cp == '\n' || cp == '\r') {
        out[0] = (uint8_t)cp;
        return 1;
    }
    if (cp == '\v' || cp == '\f' || cp == 0x85) {
        out[0] = '\n';
        return 1;
    }
    if (itself(cp))
        return put(out, cp);
    const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)cp);
    if (invisible(cp, p))
        return 0;
    if (p->category == UTF8PROC_CATEGORY_ZS) {
        out[0] = ' ';
        return 1;
    }
    uint32_t one = punctuation(cp);
    if (one != 0) {
        out[0] = (uint8_t)one;
        return 1;
    }
    if (p->category == UTF8PROC_CATEGORY_ND)
        return put(out, digit(cp));
    if (p->decomp_seqindex == UINT16_MAX)
        return put(out, cp);
    return compatible(cp, out);
}

/* ---- escapes of JSON --------------------------------------------------------------------------- */

static int hex(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \uXXXX at v; 0: it is none; -1: cut. */
static int unicode(struct bz_view v, uint32_t *ret) {
    static const uint8_t lead[2] = {'\\', 'u'};
    uint32_t cp = 0;
    for (size_t i = 0; i < 6; i++) {
        if (i >= v.n)
            return -1;
        if (i < 2) {
            if (v.p[i] != lead[i])
                return 0;
        } else {
            int h = hex(v.p[i]);
            if (h < 0)
                return 0;
            cp = cp << 4 | (uint32_t)h;
        }
    }
    *ret = cp;
    return 1;
}

/* Escape at v (a backslash). Returns its length and code point; 0: cut; 1 with '\\': no escape. */
static size_t escape(struct bz_view v, bool last, uint32_t *ret) {
    static const char plain[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    *ret = '\\';
    if (v.n < 2)
        return last ? 1 : 0;
    for (size_t i = 0; i + 1 < sizeof plain; i += 2) {
        if (v.p[1] == (uint8_t)plain[i]) {
            *ret = (uint8_t)plain[i + 1];
            return 2;
        }
    }
    uint32_t hi = 0;
    int whole = unicode(v, &hi);
    if (whole <= 0)
        return whole < 0 && !last ? 0 : 1;
    *ret = hi;
    if (hi < 0xd800 || hi > 0xdfff)
        return 6;
    *ret = 0xfffd;
    uint32_t lo = 0;
    int pair = hi > 0xdbff ? 0 : unicode(bz_view_sub(v, 6, 6), &lo);
    if (pair < 0 && !last)
        return 0;
    if (pair <= 0 || lo < 0xdc00 || lo > 0xdfff)
        return 6;
    *ret = 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
    return 12;
}

/* ---- text -------------------------------------------------------------------------------------- */

typedef uint8_t lane16 __attribute__((vector_size(16), aligned(1)));
typedef uint64_t pair16 __attribute__((vector_size(16)));

/* In each lane: not 0 where the byte is no plain one. */
static inline lane16 odd(lane16 x, bool json) {
    lane16 bad = (lane16)(x - 0x20 > 0x7e - 0x20);
    bad &= (lane16)(x != '\t') & (lane16)(x != '\n') & (lane16)(x != '\r');
    if (json)
        bad |= (lane16)(x == '"') | (lane16)(x == '\\');
    return bad;
}

static inline bool odd_byte(uint8_t c, bool json) {
    if (c < 0x20 || c > 0x7e)
        return c != '\t' && c != '\n' && c != '\r';
    return json && (c == '"' || c == '\\');
}

size_t norm_plain(const struct norm *s, struct bz_view v) {
    bool json = s->json != 0;
    size_t i = 0;
    for (; v.n - i >= 64; i += 64) {
        lane16 x[4];
        memcpy(x, v.p + i, sizeof x);
        pair16 any =
            (pair16)(odd(x[0], json) | odd(x[1], json) | odd(x[2], json) | odd(x[3], json));
        if ((any[0] | any[1]) != 0)
            break;
    }
    while (i < v.n && !odd_byte(v.p[i], json))
        i++;
    return i;
}

/* Takes note of a character; the bytes it leaves. */
static size_t seen(struct norm *s, uint8_t *out, size_t n) {
    if (n != 0) {
        s->gap = 0;
        return n;
    }
    if (s->gap > NORM_GAP)
        return 0;
    s->gap++;
    if (s->gap <= NORM_GAP)
        return 0;
    out[0] = ' ';
    return 1;
}

size_t norm_step(struct norm *s, struct bz_view v, bool last, uint8_t *out, size_t *ret_n) {
    uint32_t cp = v.p[0];
    size_t used = 1;
    if (cp >= 0x80) {
        used = bz_utf8_next(v, &cp);
        if (used == 0) { /* not UTF-8 */
            cp = 0xfffd;
            used = 1;
        }
    } else if (s->json != 0 && s->in_string != 0 && cp == '\\') {
        used = escape(v, last, &cp);
        if (used == 0) {
            *ret_n = 0;
            return 0;
        }
    } else if (s->json != 0 && cp == '"') {
        s->in_string = s->in_string == 0;
    }
    *ret_n = seen(s, out, fold(cp, out));
    return used;
}

/* The first place whose normal form is not the text itself. */
static size_t same_until(struct norm *s, struct bz_view v) {
    uint8_t out[NORM_MAX];
    size_t at = 0;
    while (at < v.n) {
        size_t run = norm_plain(s, bz_view_sub(v, at, v.n));
        at += run;
        if (at == v.n)
            break;
        if (run != 0)
            s->gap = 0;
        struct norm before = *s;
        size_t n = 0;
        size_t used = norm_step(s, bz_view_sub(v, at, v.n), true, out, &n);
        if (n != used || memcmp(out, v.p + at, n) != 0) {
            *s = before;
            break;
        }
        at += used;
    }
    return at;
}

/* Normal form of v from state s on, whose place in the text is `base`; out and map may be NULL (to
 * count). Returns its length. */
static size_t transform(struct norm s, struct bz_view v, size_t base, uint8_t *out, uint32_t *map) {
    uint8_t one[NORM_MAX];
    size_t done = 0;
    for (size_t at = 0; at < v.n;) {
        size_t run = norm_plain(&s, bz_view_sub(v, at, v.n));
        if (run != 0)
            s.gap = 0;
        if (out != NULL && run != 0)
            memcpy(out + done, v.p + at, run);
        for (size_t i = 0; map != NULL && i < run; i++)
            map[done + i] = (uint32_t)(base + at + i);
        done += run;
        at += run;
        if (at == v.n)
            break;
        size_t n = 0;
        size_t used = norm_step(&s, bz_view_sub(v, at, v.n), true, one, &n);
        if (out != NULL)
            memcpy(out + done, one, n);
        for (size_t i = 0; map != NULL && i < n; i++)
            map[done + i] = (uint32_t)(base + at);
        done += n;
        at += used;
    }
    return done;
}

enum bz_status bz_normalise(struct bz_view text, enum bz_text_mode mode, struct bz_arena *ar,
                            struct bz_view *ret, const uint32_t **ret_map) {
    struct norm s = {.json = mode == BZ_TEXT_JSON};
    if (text.n > INT32_MAX)
        return BZ_ETOOBIG;
    size_t same = same_until(&s, text);
    if (same == text.n) {
        *ret = text;
        *ret_map = NULL;
        return BZ_OK;
    }
    struct bz_view rest = bz_view_sub(text, same, text.n);
    size_t more = transform(s, rest, same, NULL, NULL);
    if (more > INT32_MAX - same)
        return BZ_ETOOBIG;
    size_t n = same + more;
    uint8_t *out = bz_arena_alloc(ar, n);
    uint32_t *map = bz_arena_alloc(ar, (n + 1) * sizeof *map);
    if (out == NULL || map == NULL)
        return BZ_ENOMEM;
    memcpy(out, text.p, same);
    for (size_t i = 0; i < same; i++)
        map[i] = (uint32_t)i;
    transform(s, rest, same, out + same, map + same);
    map[n] = (uint32_t)text.n;
    *ret = bz_view(out, n);
    *ret_map = map;
    return BZ_OK;
}
