/* Morse, and words that stand for letters and digits. */
#include "leak_int.h"

struct sign {
    uint8_t n, code, sym;
};
/* Dots are 0, dashes 1; the first sign is the highest bit. */
static const struct sign morse[] = {
    {2, 1, 0},   {4, 8, 1},   {4, 10, 2},  {3, 4, 3},   {1, 0, 4},   {4, 2, 5},
    {3, 6, 6},   {4, 0, 7},   {2, 0, 8},   {4, 7, 9},   {3, 5, 10},  {4, 4, 11},
    {2, 3, 12},  {2, 2, 13},  {3, 7, 14},  {4, 6, 15},  {4, 13, 16}, {3, 2, 17},
    {3, 0, 18},  {1, 1, 19},  {3, 1, 20},  {4, 1, 21},  {3, 3, 22},  {4, 9, 23},
    {4, 11, 24}, {4, 12, 25}, {5, 31, 26}, {5, 15, 27}, {5, 7, 28},  {5, 3, 29},
    {5, 1, 30},  {5, 0, 31},  {5, 16, 32}, {5, 24, 33}, {5, 28, 34}, {5, 30, 35},
};

uint8_t leak_morse(uint32_t code, unsigned n) {
    for (size_t i = 0; i < sizeof morse / sizeof morse[0]; i++)
        if (morse[i].n == n && morse[i].code == code)
            return morse[i].sym;
    return SYM_END;
}

/* Words that name a letter or a digit: alphabets of radio and telephone, names of letters, and of
 * digits in some languages. Sorted. */
static const struct {
    const char *word;
    char as;
} names[] = {
    {"alfa", 'a'},     {"alpha", 'a'},   {"apple", 'a'},   {"aytch", 'h'},  {"bee", 'b'},
    {"bravo", 'b'},    {"cee", 'c'},     {"charlie", 'c'}, {"cinco", '5'},  {"cinq", '5'},
    {"cuatro", '4'},   {"dee", 'd'},     {"delta", 'd'},   {"deux", '2'},   {"dos", '2'},
    {"doubleu", 'w'},  {"drei", '3'},    {"echo", 'e'},    {"ef", 'f'},     {"eff", 'f'},
    {"eight", '8'},    {"eins", '1'},    {"el", 'l'},      {"ell", 'l'},    {"em", 'm'},
    {"en", 'n'},       {"ess", 's'},     {"ex", 'x'},      {"fife", '5'},   {"five", '5'},
    {"four", '4'},     {"fower", '4'},   {"foxtrot", 'f'}, {"funf", '5'},   {"gee", 'g'},
    {"golf", 'g'},     {"hotel", 'h'},   {"huit", '8'},    {"india", 'i'},  {"jay", 'j'},
    {"juliet", 'j'},   {"juliett", 'j'}, {"kay", 'k'},     {"kilo", 'k'},   {"lima", 'l'},
    {"mike", 'm'},     {"neuf", '9'},    {"neun", '9'},    {"nine", '9'},   {"niner", '9'},
    {"november", 'n'}, {"nueve", '9'},   {"null", '0'},    {"ocho", '8'},   {"one", '1'},
    {"oscar", 'o'},    {"papa", 'p'},    {"pee", 'p'},     {"quatre", '4'}, {"quebec", 'q'},
    {"queue", 'q'},    {"romeo", 'r'},   {"sechs", '6'},   {"seis", '6'},   {"sept", '7'},
    {"seven", '7'},    {"sieben", '7'},  {"sierra", 's'},  {"siete", '7'},  {"six", '6'},
    {"tango", 't'},    {"tee", 't'},     {"three", '3'},   {"tree", '3'},   {"tres", '3'},
    {"trois", '3'},    {"two", '2'},     {"uniform", 'u'}, {"vee", 'v'},    {"victor", 'v'},
    {"vier", '4'},     {"whiskey", 'w'}, {"whisky", 'w'},  {"wye", 'y'},    {"xray", 'x'},
    {"yankee", 'y'},   {"zed", 'z'},     {"zee", 'z'},     {"zero", '0'},   {"zulu", 'z'},
    {"zwei", '2'},
};
enum { NAMES = sizeof names / sizeof names[0], NAME_MAX = 8 };

/* Of names with this first letter and this length, from two on: their last letters, a bit each. Most
 * words of a text have none and are not looked up; a test compares the two tables. */
static const uint32_t ends[26][NAME_MAX - 1] = {
    {0x0, 0x0, 0x1, 0x91, 0x0, 0x0, 0x0},                 /* a */
    {0x0, 0x10, 0x0, 0x4000, 0x0, 0x0, 0x0},              /* b */
    {0x0, 0x10, 0x10000, 0x4000, 0x4000, 0x10, 0x0},      /* c */
    {0x0, 0x40010, 0x800100, 0x1, 0x0, 0x100000, 0x0},    /* d */
    {0x803820, 0x40820, 0x44000, 0x80000, 0x0, 0x0, 0x0}, /* e */
    {0x0, 0x0, 0x20030, 0x20000, 0x0, 0x80000, 0x0},      /* f */
    {0x0, 0x10, 0x20, 0x0, 0x0, 0x0, 0x0},                /* g */
    {0x0, 0x0, 0x80000, 0x800, 0x0, 0x0, 0x0},            /* h */
    {0x0, 0x0, 0x0, 0x1, 0x0, 0x0, 0x0},                  /* i */
    {0x0, 0x1000000, 0x0, 0x0, 0x80000, 0x80000, 0x0},    /* j */
    {0x0, 0x1000000, 0x4000, 0x0, 0x0, 0x0, 0x0},         /* k */
    {0x0, 0x0, 0x1, 0x0, 0x0, 0x0, 0x0},                  /* l */
    {0x0, 0x0, 0x10, 0x0, 0x0, 0x0, 0x0},                 /* m */
    {0x0, 0x0, 0x2830, 0x20010, 0x0, 0x0, 0x20000},       /* n */
    {0x0, 0x10, 0x4000, 0x20000, 0x0, 0x0, 0x0},          /* o */
    {0x0, 0x10, 0x1, 0x0, 0x0, 0x0, 0x0},                 /* p */
    {0x0, 0x0, 0x0, 0x10, 0x14, 0x0, 0x0},                /* q */
    {0x0, 0x0, 0x0, 0x4000, 0x0, 0x0, 0x0},               /* r */
    {0x0, 0x800000, 0xc0000, 0x42010, 0x2001, 0x0, 0x0},  /* s */
    {0x0, 0x4010, 0x40010, 0x44010, 0x0, 0x0, 0x0},       /* t */
    {0x0, 0x0, 0x0, 0x0, 0x0, 0x1000, 0x0},               /* u */
    {0x0, 0x10, 0x20000, 0x0, 0x20000, 0x0, 0x0},         /* v */
    {0x0, 0x10, 0x0, 0x0, 0x1000000, 0x1000000, 0x0},     /* w */
    {0x0, 0x0, 0x1000000, 0x0, 0x0, 0x0, 0x0},            /* x */
    {0x0, 0x0, 0x0, 0x0, 0x10, 0x0, 0x0},                 /* y */
    {0x0, 0x18, 0x104100, 0x0, 0x0, 0x0, 0x0},            /* z */
};

/* Where the names with this first letter begin. */
static const uint8_t first[27] = {0,  4,  6,  11, 17, 28, 34, 36, 38, 39, 42, 44, 45, 46,
                                  53, 56, 58, 61, 62, 70, 77, 78, 81, 84, 85, 86, 91};

static bool same(const uint8_t *sym, size_t n, const char *word) {
    for (size_t i = 0; i < n; i++)
        if (sym[i] + 'a' != word[i]) /* its end is no letter */
            return false;
    return word[n] == '\0';
}

uint8_t leak_spelt(const uint8_t *sym, size_t n) {
    if (n < 2 || n > NAME_MAX || sym[0] >= SYM_DIGIT || sym[n - 1] >= SYM_DIGIT ||
        (ends[sym[0]][n - 2] >> sym[n - 1] & 1) == 0)
        return SYM_END;
    for (size_t k = first[sym[0]]; k < first[sym[0] + 1]; k++)
        if (same(sym, n, names[k].word))
            return leak_fold[(uint8_t)names[k].as];
    return SYM_END;
}
