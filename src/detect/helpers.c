/* What detectors look at text with. */
#include "detector.h"

#define D (SC_DIGIT | SC_HEX)
#define U SC_UPPER
#define UH (SC_UPPER | SC_HEX)
#define L SC_LOWER
#define LH (SC_LOWER | SC_HEX)
#define T SC_TOKEN
#define B SC_BLANK
#define E SC_EOL
#define H4 SC_HIGH, SC_HIGH, SC_HIGH, SC_HIGH
#define H16 H4, H4, H4, H4

const uint8_t scan_class[256] = {
    0,   0,   0,   0,   0,   0,   0,   0,   0, B, E, 0, 0, E, 0, 0, /* 00 */
    0,   0,   0,   0,   0,   0,   0,   0,   0, 0, 0, 0, 0, 0, 0, 0, /* 10 */
    B,   0,   0,   0,   0,   0,   0,   0,   0, 0, 0, T, 0, T, T, T, /* 20: + - . / */
    D,   D,   D,   D,   D,   D,   D,   D,   D, D, T, 0, 0, T, 0, 0, /* 30: : = */
    0,   UH,  UH,  UH,  UH,  UH,  UH,  U,   U, U, U, U, U, U, U, U, /* 40 */
    U,   U,   U,   U,   U,   U,   U,   U,   U, U, U, 0, 0, 0, 0, T, /* 50: _ */
    0,   LH,  LH,  LH,  LH,  LH,  LH,  L,   L, L, L, L, L, L, L, L, /* 60 */
    L,   L,   L,   L,   L,   L,   L,   L,   L, L, L, 0, 0, 0, T, 0, /* 70: ~ */
    H16, H16, H16, H16, H16, H16, H16, H16,                         /* 80 */
};

size_t scan_run(const struct scan *s, size_t i, unsigned classes, size_t max) {
    size_t end = i <= s->n && max < s->n - i ? i + max : s->n;
    while (i < end && scan_is(s->p[i], classes))
        i++;
    return i;
}

size_t scan_back(const struct scan *s, size_t i, unsigned classes, size_t max) {
    size_t least = i > max ? i - max : 0;
    while (i > least && scan_is(s->p[i - 1], classes))
        i--;
    return i;
}

static uint8_t lower(uint8_t c) {
    return scan_is(c, SC_UPPER) ? c | 0x20 : c;
}

bool scan_lit(const struct scan *s, size_t i, const char *lit, bool nocase) {
    for (; *lit != '\0'; lit++, i++) {
        if (i >= s->n || (nocase ? lower(s->p[i]) : s->p[i]) != (uint8_t)*lit)
            return false;
    }
    return true;
}

bool detect_word_good(struct bz_view w) {
    for (size_t i = 2; i < w.n; i++) {
        if (scan_is(w.p[i - 2], SC_DIGIT) && scan_is(w.p[i - 1], SC_DIGIT) &&
            scan_is(w.p[i], SC_DIGIT))
            return false;
    }
    return w.n <= DETECT_WORD_MAX;
}

/* The word w begins at i and ends at `end` at the latest. Blanks of any number stand for one. */
static bool word_at(const struct scan *s, size_t i, size_t end, const char *w) {
    for (; *w != '\0'; w++) {
        if (i >= end)
            return false;
        if (*w == ' ' && scan_is(s->p[i], SC_SPACE)) {
            i = scan_run(s, i, SC_SPACE, end - i);
            continue;
        }
        if (lower(s->p[i]) != (uint8_t)*w)
            return false;
        i++;
    }
    return i >= end || !scan_is(s->p[i], SC_ALPHA);
}

bool scan_word_before(const struct scan *s, size_t start, const char *const *words,
                      size_t words_n) {
    size_t from = scan_context(start);
    uint8_t before = from == 0 ? 0 : 'x'; /* what is left of the context is not known */
    for (size_t i = from; i < start; i++) {
        uint8_t c = lower(s->p[i]);
        if (!scan_is(before, SC_ALPHA)) {
            for (size_t w = 0; w < words_n; w++) {
                if (c == (uint8_t)words[w][0] && word_at(s, i, start, words[w]))
                    return true;
            }
        }
        before = c;
    }
    return false;
}
