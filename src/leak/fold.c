/* Characters to symbols. What looks like a letter or a digit is that letter: other case, full width,
 * mathematical, circled, flags, tags, accents, the usual look-alikes of Cyrillic and Greek. */
#include "leak_int.h"

#include <bartizan/text.h>
#include <utf8proc.h>

#define SP FOLD_SPACE
#define LN FOLD_LINE
#define SG FOLD_SIGN
#define HI FOLD_HIDDEN
#define WD FOLD_WIDE
#define WIDE16 WD, WD, WD, WD, WD, WD, WD, WD, WD, WD, WD, WD, WD, WD, WD, WD
const uint8_t leak_fold[256] = {
    HI,     HI,     HI,     HI,     HI,     HI,     HI,     HI,
    HI,     SP,     LN,     SP,     LN,     SP,     HI,     HI, /* 00 */
    HI,     HI,     HI,     HI,     HI,     HI,     HI,     HI,
    HI,     HI,     HI,     HI,     HI,     HI,     HI,     HI, /* 10 */
    SP,     SG,     SG,     SG,     SG,     SG,     SG,     SG,
    SG,     SG,     SG,     SG,     SG,     SG,     SG,     SG, /* 20 */
    26,     27,     28,     29,     30,     31,     32,     33,
    34,     35,     SG,     SG,     SG,     SG,     SG,     SG, /* 30: digits */
    SG,     0,      1,      2,      3,      4,      5,      6,
    7,      8,      9,      10,     11,     12,     13,     14, /* 40: letters */
    15,     16,     17,     18,     19,     20,     21,     22,
    23,     24,     25,     SG,     SG,     SG,     SG,     SG, /* 50 */
    SG,     0,      1,      2,      3,      4,      5,      6,
    7,      8,      9,      10,     11,     12,     13,     14, /* 60 */
    15,     16,     17,     18,     19,     20,     21,     22,
    23,     24,     25,     SG,     SG,     SG,     SG,     HI, /* 70 */
    WIDE16, WIDE16, WIDE16, WIDE16, WIDE16, WIDE16, WIDE16, WIDE16};

#define L CH_LOWER
#define V CH_LOWER | CH_VOWEL
#define U CH_UPPER
#define W CH_UPPER | CH_VOWEL
#define B CH_BIT
#define D CH_DIGIT
const uint8_t leak_flags[256] = {
    ['0'] = B, ['1'] = B, ['2'] = D, ['3'] = D, ['4'] = D, ['5'] = D, ['6'] = D, ['7'] = D,
    ['8'] = D, ['9'] = D, ['A'] = W, ['B'] = U, ['C'] = U, ['D'] = U, ['E'] = W, ['F'] = U,
    ['G'] = U, ['H'] = U, ['I'] = W, ['J'] = U, ['K'] = U, ['L'] = U, ['M'] = U, ['N'] = U,
    ['O'] = W, ['P'] = U, ['Q'] = U, ['R'] = U, ['S'] = U, ['T'] = U, ['U'] = U, ['V'] = U,
    ['W'] = U, ['X'] = U, ['Y'] = U, ['Z'] = U, ['a'] = V, ['b'] = L, ['c'] = L, ['d'] = L,
    ['e'] = V, ['f'] = L, ['g'] = L, ['h'] = L, ['i'] = V, ['j'] = L, ['k'] = L, ['l'] = L,
    ['m'] = L, ['n'] = L, ['o'] = V, ['p'] = L, ['q'] = L, ['r'] = L, ['s'] = L, ['t'] = L,
    ['u'] = L, ['v'] = L, ['w'] = L, ['x'] = L, ['y'] = L, ['z'] = L};

/* 0=o 1=l(=i) 2=z 3=e 4=a 5=s 6=g 7=t 8=b 9=g */
const uint8_t leak_leet[SYM_END] = {0,  1,  2,  3,  4,  5,  6,  7,  11, 9,  10, 11,
                                    12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
                                    24, 25, 14, 11, 25, 4,  0,  18, 6,  19, 1,  6};

struct twin {
    uint16_t cp;
    char as;
};
/* Capitals and small letters that are drawn like a Latin one. Sorted. Source: confusables.txt of
 * Unicode TS 39, those of one stroke pattern. */
static const struct twin twins[] = {
    {0x131, 'i'},  {0x237, 'j'},  {0x251, 'a'},  {0x261, 'g'},  {0x269, 'i'},  {0x26a, 'i'},
    {0x274, 'n'},  {0x280, 'r'},  {0x28f, 'y'},  {0x299, 'b'},  {0x29c, 'h'},  {0x29f, 'l'},
    {0x391, 'a'},  {0x392, 'b'},  {0x395, 'e'},  {0x396, 'z'},  {0x397, 'h'},  {0x399, 'i'},
    {0x39a, 'k'},  {0x39c, 'm'},  {0x39d, 'n'},  {0x39f, 'o'},  {0x3a1, 'p'},  {0x3a4, 't'},
    {0x3a5, 'y'},  {0x3a7, 'x'},  {0x3b1, 'a'},  {0x3b9, 'i'},  {0x3ba, 'k'},  {0x3bd, 'v'},
    {0x3bf, 'o'},  {0x3c1, 'p'},  {0x3c4, 't'},  {0x3c5, 'u'},  {0x3c7, 'x'},  {0x3f2, 'c'},
    {0x3f3, 'j'},  {0x405, 's'},  {0x406, 'i'},  {0x408, 'j'},  {0x410, 'a'},  {0x412, 'b'},
    {0x415, 'e'},  {0x417, '3'},  {0x41a, 'k'},  {0x41c, 'm'},  {0x41d, 'h'},  {0x41e, 'o'},
    {0x420, 'p'},  {0x421, 'c'},  {0x422, 't'},  {0x423, 'y'},  {0x425, 'x'},  {0x430, 'a'},
    {0x432, 'b'},  {0x435, 'e'},  {0x43a, 'k'},  {0x43c, 'm'},  {0x43d, 'h'},  {0x43e, 'o'},
    {0x440, 'p'},  {0x441, 'c'},  {0x442, 't'},  {0x443, 'y'},  {0x445, 'x'},  {0x455, 's'},
    {0x456, 'i'},  {0x458, 'j'},  {0x501, 'd'},  {0x51b, 'q'},  {0x51d, 'w'},  {0x1d00, 'a'},
    {0x1d04, 'c'}, {0x1d05, 'd'}, {0x1d07, 'e'}, {0x1d0a, 'j'}, {0x1d0b, 'k'}, {0x1d0d, 'm'},
    {0x1d0f, 'o'}, {0x1d18, 'p'}, {0x1d1b, 't'}, {0x1d1c, 'u'}, {0x1d20, 'v'}, {0x1d21, 'w'},
    {0x1d22, 'z'}, {0x2c74, 'v'}, {0xa730, 'f'}, {0xa731, 's'},
};

static char twin_of(uint32_t cp) {
    size_t lo = 0, hi = sizeof twins / sizeof twins[0];
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (twins[mid].cp == cp)
            return twins[mid].as;
        if (twins[mid].cp < cp)
            lo = mid + 1;
        else
            hi = mid;
    }
    return '\0';
}

static bool within(uint32_t cp, uint32_t from, uint32_t to) {
    return cp >= from && cp <= to;
}

/* Letters that utf8proc does not give as ASCII, but people read so. */
static bool drawn(uint32_t cp, uint8_t *ret) {
    char c = twin_of(cp);
    if (within(cp, 0x1f1e6, 0x1f1ff)) /* regional indicators */
        c = (char)('a' + (cp - 0x1f1e6));
    else if (within(cp, 0xe0020, 0xe007e)) /* tags */
        c = (char)(cp - 0xe0000);
    else if (within(cp, 0x1f150, 0x1f169)) /* white on black circles */
        c = (char)('a' + (cp - 0x1f150));
    else if (within(cp, 0x1f170, 0x1f189)) /* and squares */
        c = (char)('a' + (cp - 0x1f170));
    else if (within(cp, 0x2776, 0x277e))
        c = (char)('1' + (cp - 0x2776));
    if (c == '\0')
        return false;
    *ret = leak_fold[(uint8_t)c];
    return true;
}

static uint8_t foreign(uint32_t cp) {
    return (uint8_t)(SYM_FOREIGN + cp * 2654435761u % (SYM_END - SYM_FOREIGN));
}

/* 1: a letter or a digit; 0: *ret_what tells. */
static size_t kind_of(utf8proc_int32_t cp, uint8_t *ret_what) {
    int k = (int)utf8proc_category(cp);
    if ((k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) || k == UTF8PROC_CATEGORY_ND)
        return 1;
    if (k == UTF8PROC_CATEGORY_ZS)
        *ret_what = FOLD_SPACE;
    else if (k == UTF8PROC_CATEGORY_ZL || k == UTF8PROC_CATEGORY_ZP)
        *ret_what = FOLD_LINE;
    else if ((k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME) ||
             k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CN)
        *ret_what = FOLD_HIDDEN;
    else
        *ret_what = FOLD_SIGN;
    return 0;
}

size_t leak_fold_wide(uint32_t cp, uint8_t out[4], uint8_t *ret_what, bool *ret_alone) {
    utf8proc_int32_t part[8];
    int boundary = 0;
    size_t n = 0;
    *ret_what = FOLD_SIGN;
    *ret_alone = within(cp, 0x2e80, 0xa4cf) || within(cp, 0x20000, 0x3ffff);
    if (within(cp, 0x3041, 0xa48c) || within(cp, 0xac00, 0xd7a3) || within(cp, 0x20000, 0x3ffff)) {
        out[0] = foreign(cp);
        return 1;
    }
    if (drawn(cp, out))
        return out[0] < SYM_END;
    utf8proc_ssize_t parts = utf8proc_decompose_char(
        (utf8proc_int32_t)cp, part, 8,
        UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK, &boundary);
    if (parts <= 0 || parts > 8) { /* a mark alone, or a long ligature */
        (void)kind_of((utf8proc_int32_t)cp, ret_what);
        return 0;
    }
    for (utf8proc_ssize_t i = 0; i < parts && n < 4; i++) {
        uint32_t c = (uint32_t)part[i];
        if (c < 0x80) {
            if (leak_fold[c] < SYM_END)
                out[n++] = leak_fold[c];
            else if (n == 0 && leak_fold[c] == FOLD_SPACE)
                *ret_what = FOLD_SPACE;
        } else if (drawn(c, &out[n]) && out[n] < SYM_END) {
            n++;
        } else if (kind_of(part[i], ret_what) == 1) {
            out[n++] = foreign(c);
        }
    }
    return n;
}

size_t leak_fold_text(struct bz_view v, uint8_t *out, size_t cap) {
    size_t n = 0;
    for (size_t i = 0; i < v.n;) {
        uint8_t c = leak_fold[v.p[i]], wide[4], what;
        uint32_t cp = 0;
        bool alone;
        if (c != FOLD_WIDE) {
            if (c < SYM_END && n < cap)
                out[n++] = c;
            i++;
            continue;
        }
        size_t used = bz_utf8_next(bz_view_sub(v, i, v.n), &cp);
        size_t got = used != 0 ? leak_fold_wide(cp, wide, &what, &alone) : 0;
        for (size_t k = 0; k < got && n < cap; k++)
            out[n++] = wide[k];
        i += used != 0 ? used : 1;
    }
    return n;
}
