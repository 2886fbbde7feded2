/* Which expressions need a rare byte, and where in a text these are. */
#include "engine.h"

/* ---- expressions ------------------------------------------------------------------------------- */

/* Behind the class that begins at e ("[..."); *digits: it holds nothing else. NULL: not understood. */
static const char *class_end(const char *e, bool *digits) {
    *digits = e[1] != '^' && e[1] != ']';
    for (e++; *e != ']'; e++) {
        if (*e == '\0' || *e == '[' || *e == '\\')
            return NULL;
        bool range = *e == '-' && e[-1] != '[' && e[1] != ']';
        *digits = *digits && (range || (*e >= '0' && *e <= '9'));
    }
    return e + 1;
}

/* Behind the group that begins at e ("(..."). */
static const char *group_end(const char *e) {
    size_t depth = 0;
    bool digits = false;
    do {
        if (*e == '(')
            depth++;
        else if (*e == ')')
            depth--;
        else if (*e == '\\')
            e++;
        if (*e == '\0')
            return NULL;
        e = *e == '[' ? class_end(e, &digits) : e + 1;
    } while (e != NULL && depth > 0);
    return e;
}

static bool optional(const char *e) {
    return *e == '?' || *e == '*' || (*e == '{' && (e[1] == '0' || e[1] == ','));
}

static const char *quantifier_end(const char *e) {
    if (*e == '{') {
        while (*e != '\0' && *e != '}')
            e++;
        e += *e != '\0';
    } else if (*e == '?' || *e == '*' || *e == '+') {
        e++;
    }
    return *e == '?' || *e == '+' ? e + 1 : e;
}

/* Must each match hold an ASCII digit? Looks at what stands one after the other, not into groups. */
static bool needs_digit(const char *e) {
    bool found = false;
    while (*e != '\0') {
        bool digit = *e >= '0' && *e <= '9';
        if (*e == '|')
            return false;
        if (*e == '[')
            e = class_end(e, &digit);
        else if (*e == '(')
            e = group_end(e);
        else if (*e == '\\' && (e[1] == '.' || e[1] == 'b' || e[1] == '|'))
            e += 2;
        else if (*e == '\\')
            return false; /* not looked into */
        else
            e++;
        if (e == NULL)
            return false;
        found = found || (digit && !optional(e));
        e = quantifier_end(e);
    }
    return found;
}

static bool needs_capitals(const char *e) {
    static const char run[] = "[A-Z]{";
    size_t n = sizeof run - 1;
    return strncmp(e, run, n) == 0 && e[n] >= '2' && e[n] <= '9' && strchr(e, '|') == NULL;
}

enum gate gate_of(const char *expr, unsigned flags) {
    if (needs_digit(expr))
        return GATE_DIGIT;
    if ((flags & HS_FLAG_CASELESS) == 0 && needs_capitals(expr))
        return GATE_CAPITALS;
    return GATE_NONE;
}

/* ---- texts ------------------------------------------------------------------------------------- */

typedef uint8_t lane16 __attribute__((vector_size(16), aligned(1)));
typedef uint64_t pair16 __attribute__((vector_size(16)));
enum { BLOCK = 64 };

static inline lane16 capital(const uint8_t *p) {
    lane16 x;
    memcpy(&x, p, sizeof x);
    return (lane16)(x - 'A' < 26);
}

static inline lane16 digit(const uint8_t *p) {
    lane16 x;
    memcpy(&x, p, sizeof x);
    return (lane16)(x - '0' < 10);
}

static bool byte_opens(enum gate g, struct bz_view v, size_t i) {
    if (g == GATE_DIGIT)
        return scan_is(v.p[i], SC_DIGIT);
    return i + 1 < v.n && scan_is(v.p[i], SC_UPPER) && scan_is(v.p[i + 1], SC_UPPER);
}

/* Does one of the BLOCK bytes from i on open the gate? (With capitals: together with the next.) */
static bool block_opens(enum gate g, struct bz_view v, size_t i) {
    if (v.n - i <= BLOCK) {
        for (; i < v.n; i++) {
            if (byte_opens(g, v, i))
                return true;
        }
        return false;
    }
    lane16 any = {0};
    for (size_t k = 0; k < BLOCK; k += sizeof any)
        any |=
            g == GATE_DIGIT ? digit(v.p + i + k) : capital(v.p + i + k) & capital(v.p + i + k + 1);
    pair16 two = (pair16)any;
    return (two[0] | two[1]) != 0;
}

bool gate_next(enum gate g, struct bz_view v, size_t width, size_t *at, size_t *lo, size_t *hi) {
    size_t i = *at;
    if (g == GATE_NONE) {
        *lo = 0;
        *hi = v.n;
        *at = v.n;
        return i == 0 && v.n != 0;
    }
    while (i < v.n && !block_opens(g, v, i))
        i += BLOCK;
    *at = i;
    if (i >= v.n)
        return false;
    /* A match reaches `width` bytes to both sides, and one byte more is asked what a word is. */
    size_t reach = width + 2;
    size_t last = i;
    *lo = i > reach ? i - reach : 0;
    for (i += BLOCK; i < v.n && i - last <= BLOCK + 2 * reach; i += BLOCK) {
        if (block_opens(g, v, i))
            last = i;
    }
    *hi = v.n - last > BLOCK + reach ? last + BLOCK + reach : v.n;
    while (*lo > 0 && (v.p[*lo] & 0xc0) == 0x80) /* whole code points */
        --*lo;
    while (*hi < v.n && (v.p[*hi] & 0xc0) == 0x80)
        ++*hi;
    *at = i;
    return true;
}
