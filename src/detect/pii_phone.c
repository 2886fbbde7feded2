/* Telephone numbers: with a country's code, in the layout of North America, or any behind a word
 * that says so. */
#include "pii_int.h"

enum {
    DIGITS_MAX = 15, /* E.164 */
    LENGTH_MAX = 32,
    GROUPS_MAX = 7,
    NEAR = 32, /* words for numbers that are no more than some digits */
};

/* Digits behind a country's code (E.164 and the plans of the countries). */
static bool country_fits(const uint8_t *d, size_t n) {
    static const struct {
        uint16_t code;
        uint8_t min, max;
    } plans[] = {
        {1, 10, 10},  {7, 10, 10}, {20, 8, 10},  {27, 9, 9},   {30, 10, 10}, {31, 9, 9},
        {32, 8, 9},   {33, 9, 9},  {34, 9, 9},   {36, 8, 9},   {39, 6, 11},  {40, 9, 9},
        {41, 9, 9},   {43, 7, 12}, {44, 9, 10},  {45, 8, 8},   {46, 7, 10},  {47, 8, 8},
        {48, 9, 9},   {49, 7, 12}, {51, 8, 9},   {52, 10, 11}, {53, 6, 8},   {54, 10, 11},
        {55, 10, 11}, {56, 9, 9},  {57, 8, 10},  {58, 10, 10}, {60, 8, 10},  {61, 9, 9},
        {62, 8, 12},  {63, 8, 10}, {64, 8, 10},  {65, 8, 8},   {66, 8, 9},   {81, 9, 10},
        {82, 8, 10},  {84, 9, 10}, {86, 10, 11}, {90, 10, 10}, {91, 10, 10}, {92, 9, 10},
        {93, 9, 9},   {94, 9, 9},  {95, 8, 10},  {98, 10, 10}, {212, 9, 9},  {213, 8, 9},
        {216, 8, 8},  {233, 9, 9}, {234, 8, 10}, {251, 9, 9},  {254, 9, 9},  {255, 9, 9},
        {256, 9, 9},  {351, 9, 9}, {352, 6, 11}, {353, 7, 9},  {354, 7, 9},  {355, 8, 9},
        {356, 8, 8},  {357, 8, 8}, {358, 6, 11}, {359, 8, 9},  {370, 8, 8},  {371, 8, 8},
        {372, 7, 8},  {373, 8, 8}, {374, 8, 8},  {375, 9, 9},  {380, 9, 9},  {381, 8, 9},
        {385, 8, 9},  {386, 8, 8}, {387, 8, 9},  {389, 8, 8},  {420, 9, 9},  {421, 9, 9},
        {423, 7, 9},  {502, 8, 8}, {503, 8, 8},  {506, 8, 8},  {507, 7, 8},  {593, 8, 9},
        {595, 8, 9},  {598, 8, 8}, {852, 8, 8},  {853, 8, 8},  {855, 8, 9},  {880, 8, 10},
        {886, 8, 9},  {961, 7, 8}, {962, 8, 9},  {965, 8, 8},  {966, 8, 9},  {971, 8, 9},
        {972, 8, 9},  {974, 8, 8}, {977, 8, 10}, {994, 9, 9},  {995, 9, 9},  {998, 9, 9},
    };
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        size_t len = plans[i].code < 10 ? 1 : plans[i].code < 100 ? 2 : 3;
        if (n > len && bz_checksum_value(d, len) == plans[i].code)
            return n - len >= plans[i].min && n - len <= plans[i].max && d[len] != '0';
    }
    return false;
}

struct number {
    uint8_t digits[DIGITS_MAX + 1];
    size_t n;
    uint8_t groups[GROUPS_MAX + 1];
    size_t groups_n;
    bool plus, open; /* '+' in front; a bracket is open */
};

/* Three, three, four: an area and an exchange that exist; a 1 may stand in front. */
static bool north_american(const struct number *t) {
    size_t skip = t->groups_n == 4 && t->n == 11 && t->digits[0] == '1' && t->groups[0] == 1;
    const uint8_t *d = t->digits + skip, *g = t->groups + skip;
    return t->n - skip == 10 && t->groups_n - skip == 3 && g[0] == 3 && g[1] == 3 && d[0] >= '2' &&
           d[3] >= '2' && d[1] != '9' && !(d[4] == '1' && d[5] == '1');
}

/* What the number up to here is worth. */
static struct pii_worth worth(const struct number *t) {
    struct pii_worth w = {PII_PHONE_NUMBER, PII_NO, PII_NO};
    if (t->open)
        return w;
    if (t->plus) {
        if (country_fits(t->digits, t->n))
            w = (struct pii_worth){PII_PHONE_NUMBER, PII_FORM, PII_CONTEXT};
        return w;
    }
    if (north_american(t))
        return (struct pii_worth){PII_PHONE_NUMBER, PII_FORM, PII_CONTEXT};
    bool trunk = t->digits[0] == '0' && t->n >= 8;
    bool local = t->n >= 7 && t->n <= 11;
    if ((trunk || local) && t->n <= 14 && !bz_checksum_same(t->digits, t->n))
        w.told = PII_CONTEXT;
    return w;
}

/* Bytes between two groups at i: one mark, or a bracket with a blank; 0: there are none. */
static size_t between(const struct scan *s, size_t i, struct number *t) {
    uint8_t a = scan_at(s, i), b = scan_at(s, i + 1);
    if (t->plus && t->groups_n == 1 && !t->open) { /* +49 (0)171: the trunk's zero counts not */
        size_t zero = i + (a == ' ');
        if (scan_lit(s, zero, "(0)", false))
            return zero + 3 - i + (scan_at(s, zero + 3) == ' ');
    }
    if (a == ')' && t->open) {
        t->open = false;
        return b == ' ' || b == '-' ? 2 : 1;
    }
    if (a == ' ' && b == '(' && !t->open) {
        t->open = true;
        return 2;
    }
    if (a == '(' && !t->open && t->n != 0) {
        t->open = true;
        return 1;
    }
    return a != 0 && strchr(" -./", a) != NULL ? 1 : 0;
}

/* Every end that the number at start may have; the longest is told. */
static void number(struct scan *s, size_t start) {
    struct number t = {0};
    size_t i = start;
    t.plus = s->p[i] == '+';
    i += t.plus;
    if (scan_at(s, i) == '(') {
        t.open = true;
        i++;
    }
    while (i < s->n && i - start < LENGTH_MAX && t.groups_n < GROUPS_MAX) {
        size_t end = scan_run(s, i, SC_DIGIT, DIGITS_MAX + 1);
        if (end == i || t.n + (end - i) > DIGITS_MAX)
            return;
        memcpy(t.digits + t.n, s->p + i, end - i);
        t.n += end - i;
        t.groups[t.groups_n++] = (uint8_t)(end - i);
        struct pii_worth w = worth(&t);
        bool bracket = t.open && scan_at(s, end) == ')';
        bool near =
            w.alone != PII_NO || (w.told != PII_NO && pii_told_near(s, w.type, start, NEAR));
        if (near && !bracket && pii_right(s, end))
            pii_emit(s, &w, start, end);
        size_t gap = between(s, end, &t);
        if (gap == 0)
            return;
        i = end + gap;
    }
}

static bool begins(const struct scan *s, size_t i) {
    uint8_t c = scan_at(s, i), before = scan_before(s, i);
    if (c == '+' || c == '(')
        return !scan_is(before, SC_ALNUM) && before != '+' && before != '(' && before != '_' &&
               before != '/';
    return scan_is(c, SC_DIGIT) && pii_left(s, i);
}

/* In front of the first digit there may be two marks: "+(". */
static void phone_digits(struct scan *s, size_t i, size_t end) {
    (void)end;
    if (!scan_tells(s, PII_PHONE_NUMBER))
        return;
    if (pii_left(s, i))
        number(s, i);
    for (size_t k = 1; k <= 2 && i >= s->from + k; k++) {
        uint8_t c = s->p[i - k];
        if (c != '(' && c != '+')
            return;
        if (begins(s, i - k))
            number(s, i - k);
    }
}

static size_t phone_live(const struct scan *s, size_t from) {
    if (!scan_wants(s, PII_PHONE_NUMBER))
        return s->n;
    size_t i = s->n;
    while (i > from && s->n - i < LENGTH_MAX && s->p[i - 1] != 0 &&
           (scan_is(s->p[i - 1], SC_DIGIT) || strchr(" -./()+", s->p[i - 1]) != NULL))
        i--;
    while (i < s->n && !begins(s, i))
        i++;
    return i;
}

const struct pii_part pii_phone = {.live = phone_live, .digits = phone_digits};
