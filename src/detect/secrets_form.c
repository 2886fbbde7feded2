/* Forms of tokens, entropy, encodings. */
#include "secrets.h"

struct byte_class {
    char name;
    uint8_t kinds;     /* SC_... */
    const char *marks; /* and these */
};

static const struct byte_class *class_of(char name) {
    static const struct byte_class classes[] = {
        {'d', SC_DIGIT, ""},
        {'x', SC_DIGIT, "abcdef"},
        {'h', SC_HEX, ""},
        {'a', SC_DIGIT | SC_LOWER, ""},
        {'A', SC_DIGIT | SC_UPPER, ""},
        {'w', SC_ALNUM, ""},
        {'s', SC_ALNUM, "_"}, /* word of a programming language */
        {'m', SC_ALNUM, "-"},
        {'k', SC_ALNUM, "_-"},    /* base64url */
        {'z', SC_ALNUM, "_-="},   /* the same, padded */
        {'b', SC_ALNUM, "+/"},    /* base64 */
        {'e', SC_ALNUM, "+/=_-"}, /* both, padded */
        {'S', SC_ALNUM, "+/=%"},  /* padded or percent-encoded */
        {'Q', SC_ALNUM, "%"},
        {'t', SC_ALNUM, "._-"},
        {'T', SC_ALNUM, "._-="},
        {'y', SC_ALNUM, "_~.-"},                       /* secrets of Entra ID */
        {'r', 0, "023456789ACDEFGHJKLMNPQRSTUVWXYZ"},  /* bech32 */
        {'P', SC_ALNUM, "!#$%&()*+,-./:;=?@[]^_{|}~"}, /* what prints and quotes nothing */
    };
    static const struct byte_class none = {0, 0, ""};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (classes[i].name == name)
            return &classes[i];
    }
    return &none;
}

static bool in_class(const struct byte_class *k, uint8_t c) {
    return scan_is(c, k->kinds) || (c != 0 && strchr(k->marks, c) != NULL);
}

bool form_class(char cls, uint8_t c) {
    return in_class(class_of(cls), c);
}

static unsigned number(const char **f) {
    unsigned n = 0;
    while (**f >= '0' && **f <= '9')
        n = n * 10 + (unsigned)(*(*f)++ - '0');
    return n;
}

/* 'literal' from *f on; *f behind it. */
static enum answer literal(const struct scan *s, size_t *at, const char **f) {
    const char *p = *f + 1;
    enum answer a = ANSWER_YES;
    for (; *p != '\''; p++) {
        if (a != ANSWER_YES)
            continue;
        if (*at == s->n)
            a = s->final ? ANSWER_NO : ANSWER_MORE;
        else if (s->p[*at] != (uint8_t)*p)
            a = ANSWER_NO;
        else
            ++*at;
    }
    *f = p + 1;
    return a;
}

static enum answer uuid(const struct scan *s, size_t *at) {
    for (unsigned i = 0; i < 36; i++) {
        if (*at == s->n)
            return s->final ? ANSWER_NO : ANSWER_MORE;
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s->p[*at] != '-' : !scan_is(s->p[*at], SC_HEX))
            return ANSWER_NO;
        ++*at;
    }
    return ANSWER_YES;
}

static enum answer run_of(const struct scan *s, size_t *at, char cls, unsigned min, unsigned max) {
    const struct byte_class *k = class_of(cls);
    unsigned n = 0;
    while (n < max && *at < s->n && in_class(k, s->p[*at])) {
        ++*at;
        n++;
    }
    if (n < max && *at == s->n && !s->final)
        return ANSWER_MORE;
    return n >= min ? ANSWER_YES : ANSWER_NO;
}

enum answer form_match(const struct scan *s, size_t at, const char *form, struct form_end *ret) {
    struct form_end e = {0};
    const char *f = form;
    while (*f != '\0') {
        enum answer a;
        e.last = 0;
        if (*f == '\'') {
            a = literal(s, &at, &f);
        } else if (*f == 'U') {
            f++;
            e.last = 'h';
            a = uuid(s, &at);
        } else {
            char cls = *f++;
            unsigned min = *f >= '0' && *f <= '9' ? number(&f) : 1, max = min;
            if (*f == '-') {
                f++;
                max = number(&f);
            }
            e.last = cls;
            a = run_of(s, &at, cls, min, max);
        }
        if (a != ANSWER_YES)
            return a;
    }
    if (at == s->n && !s->final)
        return ANSWER_MORE; /* what follows may belong to it */
    e.end = at;
    e.cut = e.last != 0 && at < s->n && form_class(e.last, s->p[at]);
    *ret = e;
    return ANSWER_YES;
}

/* Base 2 logarithm times 1024: digits of the fraction by squaring. */
static uint32_t log2_1024(uint32_t n) {
    uint32_t whole = 31 - (uint32_t)__builtin_clz(n);
    uint64_t x = ((uint64_t)n << 30) >> whole; /* 1 <= x < 2, times 2^30 */
    uint32_t r = whole << 10;
    for (uint32_t bit = 512; bit != 0; bit >>= 1) {
        x = x * x >> 30;
        if (x >> 31 != 0) {
            x >>= 1;
            r |= bit;
        }
    }
    return r;
}

unsigned form_entropy(struct bz_view v) {
    uint16_t count[256] = {0};
    size_t n = v.n < 4096 ? v.n : 4096;
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        count[v.p[i]]++;
    uint64_t sum = 0; /* of c * log2(c) */
    for (unsigned i = 0; i < 256; i++) {
        if (count[i] > 1)
            sum += (uint64_t)count[i] * log2_1024(count[i]);
    }
    uint64_t h = log2_1024((uint32_t)n) - sum / n;
    return (unsigned)(h * 10 >> 10);
}

static int sextet(uint8_t c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

size_t form_base64(struct bz_view v, uint8_t *out, size_t cap) {
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;
    for (size_t i = 0; i < v.n && n < cap; i++) {
        int six = sextet(v.p[i]);
        if (six < 0)
            break;
        bits = bits << 6 | (uint32_t)six;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    return n;
}

/* CRC-32 of zlib and PNG (reflected 0xEDB88320), four bits at a time. */
void form_crc62(struct bz_view v, char out[6]) {
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const uint32_t t[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < v.n; i++) {
        c ^= v.p[i];
        c = t[c & 15] ^ c >> 4;
        c = t[c & 15] ^ c >> 4;
    }
    c = ~c;
    for (unsigned i = 6; i-- > 0; c /= 62)
        out[i] = digits[c % 62];
}
