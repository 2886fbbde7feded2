/* Encodings of single characters within a text: entities of HTML, %XX of URLs, escapes of strings. The
 * lines around them are read with all of them decoded. */
#include "readings.h"

#include <bartizan/text.h>

static int value16(uint8_t c) {
    if ((uint8_t)(c - '0') < 10)
        return c - '0';
    c |= 0x20;
    return (uint8_t)(c - 'a') < 6 ? c - 'a' + 10 : -1;
}

/* Digits of `base` at v, at most max; how many there are. */
static size_t number(struct bz_view v, unsigned base, size_t max, uint32_t *ret) {
    size_t n = 0;
    *ret = 0;
    while (n < v.n && n < max) {
        int d = value16(v.p[n]);
        if (d < 0 || (unsigned)d >= base)
            break;
        *ret = *ret * base + (unsigned)d;
        n++;
    }
    return n;
}

static uint32_t scalar(uint32_t cp) {
    return cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000) || cp == 0 ? 0xfffd : cp;
}

/* ---- HTML -------------------------------------------------------------------------------------- */

static uint32_t named(struct bz_view name) {
    static const struct {
        char name[10];
        uint16_t cp;
    } list[] = {
        {"lt", '<'},       {"gt", '>'},      {"amp", '&'},     {"quot", '"'},    {"apos", '\''},
        {"nbsp", ' '},     {"lbrack", '['},  {"lsqb", '['},    {"rbrack", ']'},  {"rsqb", ']'},
        {"lbrace", '{'},   {"lcub", '{'},    {"rbrace", '}'},  {"rcub", '}'},    {"vert", '|'},
        {"verbar", '|'},   {"VerticalL", 0}, {"sol", '/'},     {"bsol", '\\'},   {"colon", ':'},
        {"semi", ';'},     {"comma", ','},   {"period", '.'},  {"excl", '!'},    {"quest", '?'},
        {"num", '#'},      {"dollar", '$'},  {"percnt", '%'},  {"lpar", '('},    {"rpar", ')'},
        {"ast", '*'},      {"midast", '*'},  {"plus", '+'},    {"equals", '='},  {"lowbar", '_'},
        {"UnderBar", '_'}, {"commat", '@'},  {"grave", '`'},   {"Hat", '^'},     {"Tab", '\t'},
        {"NewLine", '\n'}, {"hyphen", '-'},  {"dash", '-'},    {"ndash", '-'},   {"mdash", '-'},
        {"lsquo", '\''},   {"rsquo", '\''},  {"ldquo", '"'},   {"rdquo", '"'},   {"shy", 0xad},
        {"zwj", 0x200d},   {"zwnj", 0x200c}, {"ensp", ' '},    {"emsp", ' '},    {"thinsp", ' '},
        {"auml", 0xe4},    {"ouml", 0xf6},   {"uuml", 0xfc},   {"szlig", 0xdf},  {"eacute", 0xe9},
        {"egrave", 0xe8},  {"agrave", 0xe0}, {"ccedil", 0xe7}, {"ntilde", 0xf1}, {"oacute", 0xf3},
        {"iacute", 0xed},  {"aacute", 0xe1}, {"uacute", 0xfa}, {"ecirc", 0xea},  {"atilde", 0xe3},
        {"otilde", 0xf5},  {"LT", '<'},      {"GT", '>'},      {"AMP", '&'},     {"QUOT", '"'},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (strnlen(list[i].name, 10) == name.n && memcmp(list[i].name, name.p, name.n) == 0)
            return list[i].cp;
    }
    return 0;
}

/* The entity at v (an ampersand): its length, or 0. */
static size_t entity(struct bz_view v, uint32_t *ret) {
    if (v.n >= 4 && v.p[1] == '#') {
        bool hex = (v.p[2] | 0x20) == 'x';
        size_t skip = hex ? 3 : 2;
        size_t n = number(bz_view_sub(v, skip, v.n), hex ? 16 : 10, 9, ret);
        *ret = scalar(*ret);
        if (n == 0)
            return 0;
        n += skip;
        return n < v.n && v.p[n] == ';' ? n + 1 : n;
    }
    size_t n = 1;
    while (n < v.n && n < 11 && (uint8_t)((v.p[n] | 0x20) - 'a') < 26)
        n++;
    if (n == 1 || n >= v.n || v.p[n] != ';')
        return 0;
    *ret = named(bz_view(v.p + 1, n - 1));
    return *ret == 0 ? 0 : n + 1;
}

/* ---- strings ----------------------------------------------------------------------------------- */

/* \uXXXX at v, or %uXXXX. */
static size_t unit(struct bz_view v, uint32_t *ret) {
    if (v.n < 6 || (v.p[0] != '\\' && v.p[0] != '%') || v.p[1] != 'u')
        return 0;
    return number(bz_view_sub(v, 2, 4), 16, 4, ret) == 4 ? 6 : 0;
}

/* The escape at v: its length, or 0. A byte, not a character: *ret_byte. */
static size_t escape(struct bz_view v, uint32_t *ret, bool *ret_byte) {
    *ret_byte = false;
    size_t n = unit(v, ret);
    if (n != 0) {
        uint32_t low = 0;
        if (*ret >= 0xd800 && *ret < 0xdc00 && unit(bz_view_sub(v, 6, 6), &low) != 0 &&
            low >= 0xdc00 && low < 0xe000) {
            *ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
            return 12;
        }
        *ret = scalar(*ret);
        return n;
    }
    if (v.n < 3 || v.p[0] != '\\')
        return 0;
    struct bz_view rest = bz_view_sub(v, 2, v.n);
    if (v.p[1] == 'x' && number(rest, 16, 2, ret) == 2) {
        *ret_byte = true;
        return 4;
    }
    if (v.p[1] == 'U' && number(rest, 16, 8, ret) == 8) {
        *ret = scalar(*ret);
        return 10;
    }
    if ((v.p[1] == 'u' || v.p[1] == 'x') && rest.n > 2 && rest.p[0] == '{') {
        n = number(bz_view_sub(rest, 1, rest.n), 16, 6, ret);
        *ret = scalar(*ret);
        return n != 0 && n + 1 < rest.n && rest.p[n + 1] == '}' ? n + 4 : 0;
    }
    n = number(bz_view_sub(v, 1, 3), 8, 3, ret);
    *ret_byte = true;
    return n == 3 && *ret < 256 ? 4 : 0;
}

/* Line ends and the like, once it is clear that there are escapes. */
static uint8_t short_escape(struct bz_view v) {
    static const char plain[] = "n\nt\tr\r\"\"''//\\\\";
    if (v.n < 2)
        return 0;
    for (size_t i = 0; i + 1 < sizeof plain; i += 2) {
        if (v.p[1] == (uint8_t)plain[i])
            return (uint8_t)plain[i + 1];
    }
    return 0;
}

/* ---- the decoders ------------------------------------------------------------------------------ */

static void put_char(struct maker *m, uint32_t cp, bool byte, size_t at, size_t used) {
    uint8_t out[4] = {(uint8_t)cp};
    size_t n = byte ? 1 : bz_utf8_encode(cp, out);
    maker_put(m, out, n, at, used, STRETCH_WHOLE);
}

/* Everything of the three kinds at once: a second layer is another reading. */
static void decode_mixed(struct maker *m, struct bz_view text, size_t from, size_t to,
                         bool strings) {
    for (size_t at = from; at < to && !m->failed;) {
        size_t next = at;
        while (next < to && text.p[next] != '&' && text.p[next] != '%' && text.p[next] != '\\')
            next++;
        maker_same(m, text.p + at, next - at, at);
        at = next;
        if (at == to)
            break;
        struct bz_view rest = bz_view_sub(text, at, to - at);
        uint32_t cp = 0;
        bool byte = false;
        size_t used = 0;
        if (rest.p[0] == '&')
            used = entity(rest, &cp);
        else
            used = escape(rest, &cp, &byte);
        if (used == 0 && rest.p[0] == '%' && number(bz_view_sub(rest, 1, 2), 16, 2, &cp) == 2) {
            byte = true;
            used = 3;
        }
        uint8_t small = used == 0 && strings && rest.p[0] == '\\' ? short_escape(rest) : 0;
        if (used != 0)
            put_char(m, cp, byte, at, used);
        else if (small != 0)
            put_char(m, small, true, at, used = 2);
        else
            maker_same(m, rest.p, used = 1, at);
        at += used;
    }
}

static void decode_texts(struct maker *m, struct bz_view text, size_t from, size_t to) {
    decode_mixed(m, text, from, to, false);
}

static void decode_strings(struct maker *m, struct bz_view text, size_t from, size_t to) {
    decode_mixed(m, text, from, to, true);
}

/* ---- evidence ---------------------------------------------------------------------------------- */

typedef size_t finder(struct bz_view v);

static size_t find_entity(struct bz_view v) {
    uint32_t cp = 0;
    return entity(v, &cp);
}

static size_t find_percent(struct bz_view v) {
    uint32_t byte = 0;
    return number(bz_view_sub(v, 1, 2), 16, 2, &byte) == 2 && byte != 0 ? 3 : 0;
}

static size_t find_escape(struct bz_view v) {
    uint32_t cp = 0;
    bool byte = false;
    return escape(v, &cp, &byte);
}

/* Where a kind stands next; counts what it passes. */
struct search {
    uint8_t sign;
    finder *find;
    enum bz_decoding how;
    size_t at, used, hits; /* used: 0 when there is no more */
};

static void advance(struct search *s, struct bz_view t) {
    for (size_t at = s->at + s->used; at < t.n; at++) {
        const uint8_t *hit = memchr(t.p + at, s->sign, t.n - at);
        if (hit == NULL)
            break;
        at = (size_t)(hit - t.p);
        s->used = s->find(bz_view_sub(t, at, t.n));
        if (s->used != 0) {
            s->at = at;
            s->hits++;
            return;
        }
    }
    s->at = SIZE_MAX;
    s->used = 0;
}

void decode_inline(struct work *w, const struct layer *folded) {
    struct search kinds[] = {
        {.sign = '&', .find = find_entity, .how = BZ_DECODING_HTML},
        {.sign = '%', .find = find_percent, .how = BZ_DECODING_URL},
        {.sign = '\\', .find = find_escape, .how = BZ_DECODING_ESCAPE},
        {.sign = '%', .find = find_escape, .how = BZ_DECODING_ESCAPE},
    };
    enum { KINDS = sizeof kinds / sizeof kinds[0] };
    struct parts p = {.n = 0};
    for (size_t i = 0; i < KINDS; i++)
        advance(&kinds[i], folded->text);
    for (;;) { /* in the order of the text */
        struct search *first = &kinds[0];
        for (size_t i = 1; i < KINDS; i++)
            first = kinds[i].at < first->at ? &kinds[i] : first;
        if (first->at == SIZE_MAX)
            break;
        parts_add(&p, first->at, first->at + first->used);
        advance(first, folded->text);
    }
    const struct search *most = &kinds[0];
    for (size_t i = 1; i < KINDS; i++)
        most = kinds[i].hits > most->hits ? &kinds[i] : most;
    bool strings = kinds[2].hits + kinds[3].hits != 0;
    decode_parts(w, folded, most->how, &p, strings ? decode_strings : decode_texts);
}
