/* The forms that a text may leave in: each is written out, as symbols. Rotations of the alphabet,
 * direction and signs in between need no form of their own (row.c). */
#include "leak_int.h"

static const struct {
    const char *name;
    bool digits;
} forms[FORM_COUNT] = {
    [FORM_PLAIN] = {"as it is", false},
    [FORM_DIGITS] = {"shifted digits", false},
    [FORM_LEET] = {"leet", false},
    [FORM_KEYBOARD] = {"keyboard shift", false},
    [FORM_BASE64] = {"base64", false},
    [FORM_BASE32] = {"base32", false},
    [FORM_HEX] = {"hex", true},
    [FORM_ESCAPES] = {"escapes", true},
    [FORM_DECIMAL] = {"decimal codes", true},
    [FORM_OCTAL] = {"octal codes", true},
    [FORM_PLACES] = {"places in the alphabet", true},
    [FORM_PIECES] = {"numbered pieces", false},
    [FORM_SUFFIXES] = {"suffixes", false},
    [FORM_TWICE] = {"encoded twice", true},
};

const char *leak_form_name(enum leak_form f) {
    return f < FORM_COUNT ? forms[f].name : "?";
}

bool leak_form_digits(enum leak_form f) {
    return f < FORM_COUNT && forms[f].digits;
}

struct work {
    struct leak_forms *f;
    uint8_t *base, *first, *second, *sym; /* parts of the memory */
    size_t part;
    bool enough;
};

/* ---- encoders: n bytes to text; how many ---- */

static size_t put_b64(const uint8_t *p, size_t n, unsigned align, uint8_t *out) {
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t acc = 0, bits = 0;
    size_t k = 0, skip = (align * 8 + 5) / 6; /* characters that hold bits of what is before */
    bits = align * 8 % 6 != 0 ? align * 8 - (uint32_t)(skip - 1) * 6 : 0;
    if (bits != 0) { /* the first bits of p end a character that is not known */
        unsigned gone = 6 - bits;
        acc = p[0] & (0xffu >> gone);
        bits = 8 - gone;
        p++;
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        acc = acc << 8 | p[i];
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            out[k++] = (uint8_t)abc[acc >> bits & 63];
        }
        acc &= 0xff;
    }
    return k; /* what is left depends on what follows */
}

static size_t put_b32(const uint8_t *p, size_t n, unsigned align, uint8_t *out) {
    static const char abc[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint32_t acc = 0, bits = 0;
    size_t k = 0;
    unsigned over = align * 8 % 5;
    if (over != 0) {
        acc = p[0] & (0xffu >> (5 - over));
        bits = 3 + over;
        p++;
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        acc = (acc & 0xff) << 8 | p[i];
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            out[k++] = (uint8_t)abc[acc >> bits & 31];
        }
    }
    return k;
}

static size_t put_codes(const uint8_t *p, size_t n, const char *prefix, unsigned base,
                        unsigned wide, uint8_t *out) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t digits[8];
        unsigned d = 0;
        for (uint32_t v = p[i]; v != 0 || d < wide; v /= base)
            digits[d++] = (uint8_t) "0123456789abcdef"[v % base];
        for (const char *s = prefix; *s != '\0'; s++)
            out[k++] = (uint8_t)*s;
        while (d > 0)
            out[k++] = digits[--d];
    }
    return k;
}

/* ---- telling ---- */

static void tell_step(struct work *w, enum leak_form form, const uint8_t *text, size_t n,
                      uint8_t step, bool forth_only) {
    if (w->enough || n < WIN_SHORT + 1)
        return;
    struct leak_string s = {.form = form,
                            .sym = w->sym,
                            .n = leak_fold_text(bz_view(text, n), w->sym, w->part),
                            .step = step,
                            .mirrored = form == FORM_PLAIN,
                            .forth_only = forth_only};
    w->enough = !w->f->take(w->f->ctx, &s);
}

/* Of an encoding whose characters take `wide` symbols each: a window every f->step characters. */
static void tell(struct work *w, enum leak_form form, const uint8_t *text, size_t n,
                 unsigned wide) {
    tell_step(w, form, text, n, (uint8_t)(w->f->step * wide), false);
}

static void b64s(struct work *w, enum leak_form form, const uint8_t *p, size_t n, unsigned wide) {
    for (unsigned align = 0; align < 3 && n > 2; align++)
        tell(w, form, w->second, put_b64(p, n, align, w->second), wide);
}

static void hexes(struct work *w, enum leak_form form, const uint8_t *p, size_t n, unsigned wide) {
    tell(w, form, w->second, put_codes(p, n, "", 16, 2, w->second), wide);
}

static void b32s(struct work *w, const uint8_t *p, size_t n) {
    for (unsigned align = 0; align < 5 && n > 2; align++)
        tell_step(w, FORM_BASE32, w->second, put_b32(p, n, align, w->second),
                  (uint8_t)(w->f->step + 2), false);
}

/* ---- the value in other letters, of the same length ---- */

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 32) : c;
}

static uint8_t upper(uint8_t c) {
    return c >= 'a' && c <= 'z' ? (uint8_t)(c & ~32) : c;
}

static uint8_t rot13(uint8_t c) {
    uint8_t l = (uint8_t)(c | 32);
    if (l < 'a' || l > 'z')
        return c;
    return (uint8_t)(l <= 'm' ? c + 13 : c - 13);
}

enum other { OTHER_UPPER, OTHER_LOWER, OTHER_BACKWARDS, OTHER_ROT13 };

/* false: the same as the value itself. */
static bool make_other(struct work *w, enum other how) {
    struct bz_view v = w->f->value;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        w->base[i] = how == OTHER_LOWER       ? lower(c)
                     : how == OTHER_UPPER     ? upper(c)
                     : how == OTHER_BACKWARDS ? v.p[v.n - 1 - i]
                                              : rot13(c);
    }
    return memcmp(w->base, v.p, v.n) != 0;
}

/* ---- families ---- */

static const struct {
    const char *prefix;
    uint8_t base, wide, form;
} codes[] = {
    {"", 10, 1, FORM_DECIMAL}, /* 107 55 120, &#107; */
    {"", 8, 3, FORM_OCTAL},    /* \153 */
    {"", 8, 1, FORM_OCTAL},    /* 153 67 */
    {"0", 8, 3, FORM_OCTAL},    {"x", 16, 2, FORM_ESCAPES}, {"0x", 16, 2, FORM_ESCAPES},
    {"u", 16, 4, FORM_ESCAPES}, {"u", 16, 2, FORM_ESCAPES},
};

static void encodings(struct work *w, const uint8_t *p, size_t n) {
    for (unsigned align = 0; align < 3; align++)
        tell_step(w, FORM_BASE64, w->second, put_b64(p, n, align, w->second),
                  (uint8_t)(w->f->step + 1), false);
    hexes(w, FORM_HEX, p, n, 2);
}

static void characters(struct work *w, const uint8_t *p, size_t n) {
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        tell(w, (enum leak_form)codes[i].form, w->second,
             put_codes(p, n, codes[i].prefix, codes[i].base, codes[i].wide, w->second),
             (unsigned)strlen(codes[i].prefix) + codes[i].wide + (codes[i].wide == 1));
}

/* One encoding within another. */
static void twice(struct work *w) {
    struct bz_view v = w->f->value;
    size_t n = put_b64(v.p, v.n, 0, w->first);
    b64s(w, FORM_TWICE, w->first, n, 2);
    hexes(w, FORM_TWICE, w->first, n, 3);
    n = put_codes(v.p, v.n, "", 16, 2, w->first);
    b64s(w, FORM_TWICE, w->first, n, 3);
    hexes(w, FORM_TWICE, w->first, n, 4);
    n = put_b32(v.p, v.n, 0, w->first);
    for (size_t i = 0; i < n; i++)
        w->first[i] = upper(w->first[i]);
    b64s(w, FORM_TWICE, w->first, n, 2);
    n = put_codes(v.p, v.n, "%", 16, 2, w->first);
    b64s(w, FORM_TWICE, w->first, n, 4);
    n = put_codes(v.p, v.n, " ", 10, 1, w->first);
    b64s(w, FORM_TWICE, w->first + 1, n - 1, 4);
}

/* The whole of it in digits and signs that are no rotation. */
static void ciphers(struct work *w) {
    static const char keys[] = "`qwertyuiop[asdfghjkl;zxcvbnm,";
    struct bz_view v = w->f->value;
    for (unsigned by = 1; by <= 10; by++) {
        for (size_t i = 0; i < v.n; i++) {
            uint8_t c = v.p[i];
            bool digit = c >= '0' && c <= '9';
            unsigned d = digit ? (unsigned)(c - '0') : 0;
            w->base[i] = !digit ? c : (uint8_t)('0' + (by == 10 ? 9 - d : (d + by) % 10));
        }
        tell_step(w, FORM_DIGITS, w->base, v.n, 1, by != 5 && by != 10);
    }
    for (int side = -1; side <= 1; side += 2) {
        for (size_t i = 0; i < v.n; i++) {
            uint8_t c = lower(v.p[i]);
            const char *at = c >= 'a' && c <= 'z' ? strchr(keys, c) : NULL;
            w->base[i] = at == NULL ? v.p[i] : (uint8_t)at[side];
        }
        tell_step(w, FORM_KEYBOARD, w->base, v.n, 1, true);
    }
    size_t k = 0;
    for (size_t i = 0; i < v.n; i++) { /* k7 -> 11 7 */
        uint8_t c = lower(v.p[i]);
        if (c >= 'a' && c <= 'z') {
            unsigned place = (unsigned)(c - 'a') + 1;
            if (place > 9)
                w->first[k++] = (uint8_t)('0' + place / 10);
            w->first[k++] = (uint8_t)('0' + place % 10);
        } else {
            w->first[k++] = c;
        }
    }
    tell(w, FORM_PLACES, w->first, k, 1);
}

static void leet(struct work *w) {
    struct leak_string s = {.form = FORM_LEET, .sym = w->sym, .step = 1};
    if (w->enough)
        return;
    s.n = leak_fold_text(w->f->value, w->sym, w->part);
    for (size_t i = 0; i < s.n; i++)
        w->sym[i] = leak_leet[w->sym[i]];
    w->enough = !w->f->take(w->f->ctx, &s);
    static const char full[] = "4bcd3f9h1jk1mn0pqr57uvwxy2";
    struct bz_view v = w->f->value;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = lower(v.p[i]);
        w->base[i] = c >= 'a' && c <= 'z' ? (uint8_t)full[c - 'a'] : c;
    }
    tell_step(w, FORM_LEET, w->base, v.n, 1, false);
}

static size_t put_number(unsigned v, uint8_t *out) {
    size_t k = 0;
    if (v >= 100)
        out[k++] = (uint8_t)('0' + v / 100 % 10);
    if (v >= 10)
        out[k++] = (uint8_t)('0' + v / 10 % 10);
    out[k++] = (uint8_t)('0' + v % 10);
    return k;
}

/* "1: ab 2: cd"; "abay cday". */
static void pieces(struct work *w) {
    struct bz_view v = w->f->value;
    for (size_t size = 1; size <= 8; size++) {
        for (unsigned from = 0; from < 3; from++) {
            size_t k = 0;
            unsigned number = from;
            for (size_t i = 0; i < v.n; i++) {
                if (i % size == 0 && from < 2)
                    k += put_number(number++, w->first + k);
                w->first[k++] = v.p[i];
                if (from == 2 && size > 1 && (i % size == size - 1 || i + 1 == v.n)) {
                    w->first[k++] = 'a';
                    w->first[k++] = 'y';
                }
            }
            tell_step(w, from < 2 ? FORM_PIECES : FORM_SUFFIXES, w->first, k, 2, true);
        }
    }
}

void leak_forms(struct leak_forms *f) {
    size_t part = LEAK_FORMS_PART(f->value.n);
    struct work w = {.f = f,
                     .base = f->mem,
                     .first = f->mem + part,
                     .second = f->mem + 2 * part,
                     .sym = f->mem + 3 * part,
                     .part = part};
    struct bz_view v = f->value;
    tell_step(&w, FORM_PLAIN, v.p, v.n, 1, false);
    leet(&w);
    ciphers(&w);
    pieces(&w);
    encodings(&w, v.p, v.n);
    characters(&w, v.p, v.n);
    b32s(&w, v.p, v.n);
    twice(&w);
    for (unsigned how = OTHER_UPPER; how <= OTHER_ROT13 && !w.enough; how++) {
        if (!make_other(&w, (enum other)how))
            continue;
        encodings(&w, w.base, v.n);
        if (how == OTHER_ROT13)
            break;
        b32s(&w, w.base, v.n);
        characters(&w, w.base, v.n);
    }
}
