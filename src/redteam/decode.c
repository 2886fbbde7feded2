/* Readings: whatever a person with a pencil could make of a text. Decoders of our own, written from the
 * encodings' definitions and not from the gateway's matcher: what both have wrong is then chance. */
#include "red_int.h"

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(uint8_t c) {
    return is_letter(c) || is_digit(c);
}

static int hex_digit(uint8_t c) {
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* ---- look-alikes to ASCII; what cannot be seen goes ---- */

static uint32_t plain(uint32_t cp) {
    static const struct {
        uint16_t from;
        uint8_t to;
    } like[] = {{0x430, 'a'}, {0x441, 'c'}, {0x435, 'e'}, {0x43e, 'o'}, {0x440, 'p'}, {0x445, 'x'},
                {0x443, 'y'}, {0x456, 'i'}, {0x455, 's'}, {0x458, 'j'}, {0x410, 'A'}, {0x412, 'B'},
                {0x415, 'E'}, {0x41d, 'H'}, {0x406, 'I'}, {0x41a, 'K'}, {0x41c, 'M'}, {0x41e, 'O'},
                {0x420, 'P'}, {0x422, 'T'}, {0x425, 'X'}, {0x3bf, 'o'}, {0x3b1, 'a'}, {0x131, 'i'}};
    if (cp < 0x80)
        return cp;
    if (cp >= 0xff01 && cp <= 0xff5e)
        return cp - 0xff01 + 0x21;
    if (cp >= 0xe0020 && cp <= 0xe007e)
        return cp - 0xe0000;
    if (cp >= 0x1d7ce && cp <= 0x1d7ff)
        return '0' + (cp - 0x1d7ce) % 10;
    if (cp >= 0x1d400 && cp < 0x1d6a4) {
        uint32_t k = (cp - 0x1d400) % 52;
        return k < 26 ? 'A' + k : 'a' + k - 26;
    }
    if (cp >= 0x24b6 && cp <= 0x24e9)
        return 'a' + (cp - 0x24b6) % 26;
    for (size_t i = 0; i < sizeof like / sizeof like[0]; i++)
        if (like[i].from == cp)
            return like[i].to;
    return 0;
}

static void fold(struct bz_view in, struct bz_buf *out) {
    while (in.n > 0) {
        uint32_t cp = 0;
        size_t n = bz_utf8_next(in, &cp);
        uint32_t c = n == 0 ? 0 : plain(cp);
        if (c != 0)
            bz_buf_putc(out, (uint8_t)c);
        in = bz_view_sub(in, n == 0 ? 1 : n, in.n);
    }
}

/* ---- bits: digits of 2^width, from digit `skip` on ---- */

struct digits {
    uint8_t width;
    bool url; /* '-' and '_' are digits */
};

static int digit_of(const struct digits *d, uint8_t c) {
    switch (d->width) {
    case 1:
        return c == '0' || c == '1' ? c - '0' : -1;
    case 4:
        return hex_digit(c);
    case 5:
        return is_letter(c) ? (c | 0x20) - 'a' : c >= '2' && c <= '7' ? c - '2' + 26 : -1;
    default:
        return c >= 'A' && c <= 'Z'        ? c - 'A'
               : c >= 'a' && c <= 'z'      ? c - 'a' + 26
               : is_digit(c)               ? c - '0' + 52
               : c == (d->url ? '-' : '+') ? 62
               : c == (d->url ? '_' : '/') ? 63
                                           : -1;
    }
}

static void from_bits(struct bz_view in, const struct digits *d, unsigned skip,
                      struct bz_buf *out) {
    uint32_t have = 0, bits = 0;
    for (size_t i = 0; i < in.n; i++) {
        int v = digit_of(d, in.p[i]);
        if (v < 0)
            continue;
        if (skip > 0) {
            skip--;
            continue;
        }
        have = (have << d->width | (uint32_t)v) & 0xffff;
        bits += d->width;
        if (bits >= 8) {
            bits -= 8;
            bz_buf_putc(out, (uint8_t)(have >> bits));
        }
    }
}

/* ---- numbers and escapes ---- */

static void char_codes(struct bz_view in, unsigned base, struct bz_buf *out) {
    for (size_t i = 0; i < in.n;) {
        unsigned v = 0, n = 0;
        for (; i < in.n && in.p[i] >= '0' && in.p[i] < '0' + base && n < 4; i++, n++)
            v = v * base + (in.p[i] - '0');
        if (n > 1 && v >= 0x20 && v < 0x7f)
            bz_buf_putc(out, (uint8_t)v);
        i += n == 0;
    }
}

static size_t hex_run(struct bz_view in, size_t at, size_t most, uint32_t *ret) {
    size_t n = 0;
    *ret = 0;
    while (n < most && at + n < in.n && hex_digit(in.p[at + n]) >= 0)
        *ret = *ret << 4 | (uint32_t)hex_digit(in.p[at + n++]);
    return n;
}

/* An escape at `i`: how many bytes it takes; 0: none. */
static size_t escape_at(struct bz_view in, size_t i, uint32_t *ret) {
    uint8_t c = in.p[i], d = i + 1 < in.n ? in.p[i + 1] : 0;
    if (c == '%' && hex_run(in, i + 1, 2, ret) == 2)
        return 3;
    if (c == '\\' && d == 'u' && hex_run(in, i + 2, 4, ret) == 4)
        return 6;
    if (c == '\\' && d == 'x' && hex_run(in, i + 2, 2, ret) == 2)
        return 4;
    if (c == '&' && d == '#') {
        bool hex = i + 2 < in.n && (in.p[i + 2] | 0x20) == 'x';
        size_t at = i + 2 + hex, n = hex ? hex_run(in, at, 6, ret) : 0;
        for (*ret = hex ? *ret : 0; !hex && at + n < in.n && is_digit(in.p[at + n]) && n < 7; n++)
            *ret = *ret * 10 + (in.p[at + n] - '0');
        if (n > 0)
            return at + n - i + (at + n < in.n && in.p[at + n] == ';');
    }
    return 0;
}

static void unescape(struct bz_view in, struct bz_buf *out) {
    for (size_t i = 0; i < in.n;) {
        uint32_t v = 0;
        size_t n = escape_at(in, i, &v);
        if (n == 0) {
            bz_buf_putc(out, in.p[i++]);
            continue;
        }
        bz_buf_putc(out, v < 0x80 ? (uint8_t)v : '?');
        i += n;
    }
}

/* ---- ciphers ---- */

static void rotate(struct bz_view in, unsigned k, struct bz_buf *out) {
    for (size_t i = 0; i < in.n; i++) {
        uint8_t c = in.p[i], base = c >= 'a' ? 'a' : 'A';
        bz_buf_putc(out, is_letter(c) ? (uint8_t)(base + (unsigned)(c - base + (int)k) % 26) : c);
    }
}

static void mirror(struct bz_view in, struct bz_buf *out) {
    for (size_t i = 0; i < in.n; i++) {
        uint8_t c = in.p[i];
        bz_buf_putc(out, !is_letter(c) ? c : (uint8_t)((c >= 'a' ? 'a' + 'z' : 'A' + 'Z') - c));
    }
}

static void backwards(struct bz_view in, struct bz_buf *out) {
    for (size_t i = in.n; i > 0; i--)
        bz_buf_putc(out, in.p[i - 1]);
}

static uint8_t morse_of(struct bz_view v) {
    /* Dots and dashes as bits behind a leading one. */
    static const uint8_t table[64] = {
        [2] = 'e',  [3] = 't',  [4] = 'i',  [5] = 'a',  [6] = 'n',  [7] = 'm',
        [8] = 's',  [9] = 'u',  [10] = 'r', [11] = 'w', [12] = 'd', [13] = 'k',
        [14] = 'g', [15] = 'o', [16] = 'h', [17] = 'v', [18] = 'f', [20] = 'l',
        [22] = 'p', [23] = 'j', [24] = 'b', [25] = 'x', [26] = 'c', [27] = 'y',
        [28] = 'z', [29] = 'q', [32] = '5', [33] = '4', [35] = '3', [39] = '2',
        [47] = '1', [48] = '6', [56] = '7', [60] = '8', [62] = '9', [63] = '0'};
    unsigned k = 1;
    if (v.n == 0 || v.n > 5)
        return 0;
    for (size_t i = 0; i < v.n; i++)
        k = k << 1 | (v.p[i] == '-');
    return table[k];
}

static void from_morse(struct bz_view in, struct bz_buf *out) {
    for (size_t i = 0; i < in.n;) {
        size_t n = 0;
        while (i + n < in.n && (in.p[i + n] == '.' || in.p[i + n] == '-'))
            n++;
        uint8_t c = morse_of(bz_view_sub(in, i, n));
        if (c != 0)
            bz_buf_putc(out, c);
        i += n == 0 ? 1 : n;
    }
}

/* ---- layouts ---- */

static bool word_at(struct bz_view in, size_t *at, struct bz_view *ret) {
    while (*at < in.n && !is_alnum(in.p[*at]))
        ++*at;
    size_t from = *at;
    while (*at < in.n && (is_alnum(in.p[*at]) || in.p[*at] == '-'))
        ++*at;
    *ret = bz_view_sub(in, from, *at - from);
    return ret->n > 0;
}

static void from_names(struct bz_view in, struct bz_buf *out) {
    static const char *const numbers[] = {"zero", "one", "two",   "three", "four",
                                          "five", "six", "seven", "eight", "nine"};
    struct bz_view w;
    for (size_t at = 0; word_at(in, &at, &w);) {
        uint8_t c = w.p[0];
        for (uint8_t k = 0; k < 10; k++)
            if (bz_view_eq_nocase(w, bz_view_str(numbers[k])))
                c = '0' + k;
        bz_buf_putc(out, c);
    }
}

static void first_letters(struct bz_view in, bool of_lines, struct bz_buf *out) {
    bool fresh = true;
    for (size_t i = 0; i < in.n; i++) {
        uint8_t c = in.p[i];
        if (fresh && is_alnum(c))
            bz_buf_putc(out, c);
        if (is_alnum(c))
            fresh = false;
        else if (of_lines ? c == '\n' : c != '-' && c != '\'')
            fresh = true;
    }
}

static void last_letters(struct bz_view in, struct bz_buf *out) {
    struct bz_view w;
    for (size_t at = 0; word_at(in, &at, &w);)
        bz_buf_putc(out, w.p[w.n - 1]);
}

static void every(struct bz_view in, unsigned n, unsigned from, struct bz_buf *out) {
    for (size_t i = from; i < in.n; i += n)
        bz_buf_putc(out, in.p[i]);
}

/* "part 3: xyz, part 1: abc" in the order of its numbers. */
static void in_order(struct bz_view in, struct bz_buf *out) {
    struct {
        struct bz_view text;
        unsigned number;
    } v[96];
    size_t n = 0;
    for (size_t i = 0; i < in.n && n < sizeof v / sizeof v[0];) {
        unsigned number = 0, digits = 0;
        for (; i < in.n && is_digit(in.p[i]) && digits < 4; i++, digits++)
            number = number * 10 + (in.p[i] - '0');
        size_t at = i;
        while (digits > 0 && at < in.n && strchr(":=.)]>-# ", in.p[at]) != NULL && in.p[at] != 0)
            at++;
        size_t from = at;
        while (digits > 0 && at > i && at < in.n && is_alnum(in.p[at]))
            at++;
        if (at > from) {
            v[n].text = bz_view_sub(in, from, at - from);
            v[n++].number = number;
            i = at;
        }
        i += digits == 0;
    }
    for (unsigned k = 0; k <= 96; k++)
        for (size_t i = 0; i < n; i++)
            if (v[i].number == k)
                bz_buf_put(out, v[i].text);
}

/* ---- all of them ---- */

struct reading {
    red_reading_fn *fn;
    void *ctx;
    unsigned depth;
    struct bz_buf how;
    bool ended;
    enum bz_status st;
};

static void descend(struct reading *r, struct bz_view text);

static void give(struct reading *r, struct bz_buf *b, const char *name) {
    size_t was = r->how.n;
    if (bz_buf_status(b) == BZ_ENOMEM)
        r->st = BZ_ENOMEM;
    if (!r->ended && r->st == BZ_OK && b->n >= BZ_RED_READING_MIN) {
        bz_buf_puts(&r->how, was > 0 ? "<" : "");
        bz_buf_puts(&r->how, name);
        bz_buf_putc(&r->how, 0);
        r->how.n -= r->how.st == BZ_OK;
        r->ended = !r->fn(r->ctx, bz_buf_view(b), (const char *)r->how.p);
        if (r->depth > 0)
            descend(r, bz_buf_view(b));
        r->how.n = was;
        r->how.st = BZ_OK;
    }
    bz_buf_reset(b);
}

static void bits(struct reading *r, struct bz_view text, struct bz_buf *b) {
    static const struct {
        struct digits d;
        uint8_t places;
        const char *name;
    } v[] = {{{6, false}, 4, "base64"},
             {{6, true}, 4, "base64url"},
             {{5, false}, 8, "base32"},
             {{4, false}, 2, "hex"},
             {{1, false}, 8, "binary"}};
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        for (unsigned skip = 0; skip < v[i].places; skip++) {
            from_bits(text, &v[i].d, skip, b);
            give(r, b, v[i].name);
        }
    }
}

static void ciphers(struct reading *r, struct bz_view text, struct bz_buf *b) {
    static void (*const fns[])(struct bz_view, struct bz_buf *) = {
        unescape, mirror, backwards, from_morse, from_names, last_letters, in_order};
    static const char *const names[] = {"escapes", "atbash",       "reversed", "morse",
                                        "spelled", "last letters", "pieces"};
    for (unsigned k = 1; k < 26; k++) {
        rotate(text, k, b);
        give(r, b, "rot");
    }
    for (size_t i = 0; i < sizeof fns / sizeof fns[0]; i++) {
        fns[i](text, b);
        give(r, b, names[i]);
    }
    char_codes(text, 10, b);
    give(r, b, "decimal");
    char_codes(text, 8, b);
    give(r, b, "octal");
}

static void descend(struct reading *r, struct bz_view text) {
    struct bz_buf b;
    red_text_init(&b);
    r->depth--;
    bits(r, text, &b);
    ciphers(r, text, &b);
    first_letters(text, false, &b);
    give(r, &b, "first letters");
    first_letters(text, true, &b);
    give(r, &b, "lines");
    for (unsigned n = 2; n <= 6; n++) {
        for (unsigned from = 0; from < n; from++) {
            every(text, n, from, &b);
            give(r, &b, "every n-th");
        }
    }
    r->depth++;
    bz_buf_free(&b);
}

enum bz_status red_readings(struct bz_view text, unsigned depth, red_reading_fn *fn, void *ctx) {
    uint8_t how[64];
    struct reading r = {.fn = fn, .ctx = ctx, .depth = depth, .st = BZ_OK};
    struct bz_buf b;
    bz_buf_init_fixed(&r.how, how, sizeof how);
    red_text_init(&b);
    fold(text, &b);
    if (bz_buf_status(&b) == BZ_ENOMEM)
        r.st = BZ_ENOMEM;
    if (b.n >= BZ_RED_READING_MIN && fn(ctx, bz_buf_view(&b), "as it is") && depth > 0)
        descend(&r, bz_buf_view(&b));
    bz_buf_free(&b);
    return r.st;
}
