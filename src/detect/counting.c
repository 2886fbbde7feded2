/* The short cut for text that counts: lists, sums, records, one number behind the other. Nearly all of
 * these numbers are nothing, which their digits and the lack of words tell at once (detector.h, the
 * rule of numbers); whatever else there is goes the long way. */
#include "engine.h"
#include "groups.h"

enum {
    BEFORE = BZ_DETECT_CONTEXT + 4, /* context, and a byte that tells what a word is */
    DIGITS_MOST = 19,               /* longer numbers are none that is looked for */
};

enum { RARE, CAPITAL, LOWER, DIGIT, MARK, BLANK };
#define C CAPITAL
#define L LOWER
#define D DIGIT
#define M MARK
#define B BLANK
static const uint8_t plain_class[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, B, B, 0, 0, B, 0, 0, /* 00: tab, line ends */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 10 */
    B, B, M, 0, 0, 0, 0, M, M, M, M, 0, B, M, B, 0, /* 20: space ! " ' ( ) * , - . */
    D, D, D, D, D, D, D, D, D, D, 0, B, 0, M, 0, B, /* 30: ; = ? */
    0, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, /* 40 */
    C, C, C, C, C, C, C, C, C, C, C, 0, 0, 0, 0, 0, /* 50 */
    0, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* 60 */
    L, L, L, L, L, L, L, L, L, L, L, 0, 0, 0, 0, 0, /* 70 */
};
#undef C
#undef L
#undef D
#undef M
#undef B

static bool serves(const struct bz_detect *d, const struct bz_type_set *hold) {
    uint64_t not = 0;
    for (size_t i = 0; hold != NULL && i < BZ_TYPES_MAX / 64; i++)
        not |= hold->w[i] & d->uncounted.w[i];
    return hold != NULL && not == 0;
}

static struct scan view_of(const struct bz_detect *d, const struct bz_watch *w,
                           const struct detector *det, const struct bz_type_set *hold) {
    return (struct scan){.p = w->win.p,
                         .n = w->win.n,
                         .from = w->from,
                         .want = hold,
                         .first = group_first(det->group),
                         .own = d->own[det->group]};
}

/* ---- the context ------------------------------------------------------------------------------- */

static bool words_begin(const struct bz_detect *d, const struct bz_watch *w,
                        const struct bz_type_set *hold, size_t from) {
    const struct detector *const *all = NULL;
    size_t n = detectors(&all);
    for (size_t i = 0; i < n; i++) {
        if (all[i]->words == NULL)
            continue;
        struct scan s = view_of(d, w, all[i], hold);
        if (all[i]->words(&s, from, w->win.n))
            return true;
    }
    return false;
}

/* Where a word may begin that goes on at win[at], not before `least`. */
static size_t word_back(const struct bz_watch *w, size_t at, size_t least) {
    size_t i = at, run = 0;
    least = at > least + DETECT_WORD_MAX ? at - DETECT_WORD_MAX : least;
    while (i > least && run < 3) { /* three digits end a word */
        run = plain_class[w->win.p[i - 1]] == DIGIT ? run + 1 : 0;
        i--;
    }
    return i;
}

/* Are what waits and its context plain, and without words? What was so before win[before] is known;
 * only a word that the text ended in may have become one. */
static bool plain(const struct bz_detect *d, struct bz_watch *w, size_t before,
                  const struct bz_type_set *hold) {
    size_t need = w->from > BEFORE ? w->from - BEFORE : 0;
    size_t known = w->plain < before ? before - w->plain : 0;
    bool goes_on = w->plain != 0 && known <= need;
    size_t first = goes_on ? before : need;
    size_t words = goes_on ? word_back(w, before, need) : need;
    w->plain = 0;
    for (size_t i = w->win.n; i-- > first;) {
        if (plain_class[w->win.p[i]] == RARE)
            return false;
    }
    if (words_begin(d, w, hold, words))
        return false;
    w->plain = (uint16_t)(w->win.n - (goes_on ? known : need));
    return true;
}

/* ---- what waits -------------------------------------------------------------------------------- */

static enum detect_number number(const struct bz_detect *d, const struct bz_watch *w,
                                 const struct bz_type_set *hold, size_t i, size_t end) {
    const struct detector *const *all = NULL;
    size_t n = detectors(&all);
    enum detect_number most = NUMBER_NOTHING;
    for (size_t k = 0; k < n && most != NUMBER_FOUND; k++) {
        if (all[k]->number == NULL)
            continue;
        struct scan s = view_of(d, w, all[k], hold);
        enum detect_number one = all[k]->number(&s, i, end);
        most = one > most ? one : most;
    }
    return most;
}

/* The number at i; *ret_end: behind its digits. */
static enum detect_number digits(const struct bz_detect *d, const struct bz_watch *w,
                                 const struct bz_type_set *hold, size_t i, size_t *ret_end) {
    struct bz_view v = bz_buf_view(&w->win);
    size_t end = i;
    while (end < v.n && plain_class[v.p[end]] == DIGIT)
        end++;
    *ret_end = end;
    bool beside =
        (i > 0 && scan_is(v.p[i - 1], SC_ALNUM)) || (end < v.n && scan_is(v.p[end], SC_ALPHA));
    if (beside || end - i > DIGITS_MOST)
        return NUMBER_FOUND; /* not looked into */
    return end == v.n ? NUMBER_OPEN : number(d, w, hold, i, end);
}

/* May one of the starts begin at i? */
static enum detect_number start(const struct bz_detect *d, struct bz_view v, size_t i) {
    if ((i > 0 && scan_is(v.p[i - 1], SC_ALNUM)) || !starts_maybe(&d->starts, v.p + i, v.n - i))
        return NUMBER_NOTHING;
    bool tail = v.n - i < STARTS_KNOWN && starts_prefix(&d->starts, bz_view_sub(v, i, v.n));
    return tail ? NUMBER_OPEN : NUMBER_FOUND;
}

bool watch_counting(const struct bz_detect *d, struct bz_watch *w, size_t before, bool due,
                    const struct bz_type_set *hold) {
    struct bz_view v = bz_buf_view(&w->win);
    if (w->mode != BZ_TEXT_PLAIN || w->folded || w->chain != 0 || !serves(d, hold)) {
        w->plain = 0;
        return false;
    }
    if (!plain(d, w, before, hold) || due)
        return false;
    size_t i = w->from;
    while (i < v.n) {
        unsigned class = plain_class[v.p[i]];
        size_t next = i + 1;
        enum detect_number may = class == CAPITAL ? NUMBER_FOUND : NUMBER_NOTHING;
        if (class != BLANK && may == NUMBER_NOTHING)
            may = start(d, v, i);
        if (class == DIGIT && may == NUMBER_NOTHING)
            may = digits(d, w, hold, i, &next);
        if (may == NUMBER_FOUND)
            return false;
        if (may == NUMBER_OPEN)
            break;
        i = next;
    }
    w->from = i;
    w->late = true;
    return true;
}
