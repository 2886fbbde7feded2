/* Dates of birth: a date behind words that say so. */
#include "pii_int.h"

enum { LENGTH_MAX = 40, WORD_MAX = 24 };

static const char *const months[] = {
    "January",   "February", "March",    "April",    "May", "June", "July", "August",
    "September", "October",  "November", "December", "Jan", "Feb",  "Mar",  "Apr",
    "Jun",       "Jul",      "Aug",      "Sept",     "Sep", "Oct",  "Nov",  "Dec",
};

/* A reader of the text that knows when the text ends within what it reads. */
struct reader {
    const struct scan *s;
    size_t at;
    bool part; /* the text ended */
};

static uint8_t peek(struct reader *r) {
    if (r->at >= r->s->n) {
        r->part = true;
        return 0;
    }
    return r->s->p[r->at];
}

/* min to max digits that no further digit follows; -1: there are none. */
static int number(struct reader *r, size_t min, size_t max) {
    int v = 0;
    size_t n = 0;
    for (; n <= max && scan_is(peek(r), SC_DIGIT); n++)
        v = v * 10 + (r->s->p[r->at++] - '0');
    return n >= min && n <= max ? v : -1;
}

static bool skip(struct reader *r, const char *any) {
    uint8_t c = peek(r);
    if (c == 0 || strchr(any, c) == NULL)
        return false;
    r->at++;
    return true;
}

static bool literal(struct reader *r, const char *lit) {
    for (; *lit != '\0'; lit++) {
        if (peek(r) != (uint8_t)*lit)
            return false;
        r->at++;
    }
    return true;
}

/* A word of letters of any script; its length. */
static size_t word(struct reader *r) {
    size_t n = 0;
    while (n < WORD_MAX && (scan_is(peek(r), SC_ALPHA) || peek(r) >= 0x80)) {
        r->at++;
        n++;
    }
    return n;
}

static bool year_ok(int y) {
    return y >= 1900 && y <= 2035;
}

/* 1985-03-12, 1985/3/12, 1985.03.12, and with the signs of Chinese and Japanese. */
static bool year_first(struct reader *r) {
    int y = number(r, 4, 4);
    uint8_t sep = peek(r);
    if (!year_ok(y))
        return false;
    if (sep == 0xe5) {
        if (!literal(r, "\xe5\xb9\xb4"))
            return false;
        int m = number(r, 1, 2);
        if (!literal(r, "\xe6\x9c\x88"))
            return false;
        int d = number(r, 1, 2);
        return m > 0 && d > 0 && literal(r, "\xe6\x97\xa5") &&
               bz_checksum_date((unsigned)y, (unsigned)m, (unsigned)d);
    }
    if (!skip(r, "-/."))
        return false;
    int m = number(r, 1, 2);
    if (m < 0 || peek(r) != sep || !skip(r, "-/."))
        return false;
    int d = number(r, 1, 2);
    return d > 0 && bz_checksum_date((unsigned)y, (unsigned)m, (unsigned)d);
}

/* The rest of 12.03.1985, 3/12/85 behind its first separator. */
static bool day_month_year(struct reader *r, int d, uint8_t sep) {
    int m = number(r, 1, 2);
    if (m < 0 || peek(r) != sep || !skip(r, "-/."))
        return false;
    int y = number(r, 2, 4);
    unsigned day = (unsigned)d, month = (unsigned)m, year = y < 100 ? 0 : (unsigned)y;
    if (!year_ok(y) && (y < 0 || y >= 100))
        return false;
    return bz_checksum_date(year, month, day) || (sep != '.' && bz_checksum_date(year, day, month));
}

/* The rest of 12 March 1985, 12. MÃ¤rz 1985, 12 de marzo de 1985, 12th of March, 1985 behind the day. */
static bool words_year(struct reader *r) {
    for (size_t words = 0; words < 3 && skip(r, " "); words++) {
        if (scan_is(peek(r), SC_DIGIT))
            return words > 0 && year_ok(number(r, 4, 4));
        if (word(r) < 2)
            return false;
        skip(r, ".");
        skip(r, ",");
    }
    return skip(r, " ") && year_ok(number(r, 4, 4));
}

static bool day_first(struct reader *r) {
    int d = number(r, 1, 2);
    if (d < 1 || d > 31)
        return false;
    uint8_t sep = peek(r);
    if (sep == '.' || sep == '/' || sep == '-') {
        r->at++;
        if (peek(r) != ' ' || sep != '.')
            return day_month_year(r, d, sep);
    } else if (scan_is(sep, SC_LOWER) && word(r) != 2) {
        return false;
    }
    return words_year(r);
}

/* March 12, 1985; Mar. 12th 1985. */
static bool month_first(struct reader *r) {
    size_t from = r->at, n = word(r);
    bool known = false;
    for (size_t i = 0; i < sizeof months / sizeof months[0]; i++) {
        size_t have = strlen(months[i]);
        bool whole = n == have, part = r->part && n < have;
        known = known || ((whole || part) && memcmp(r->s->p + from, months[i], n) == 0);
    }
    if (!known)
        return false;
    skip(r, ".");
    if (!skip(r, " "))
        return false;
    int d = number(r, 1, 2);
    if (d < 1 || d > 31)
        return false;
    if (scan_is(peek(r), SC_LOWER) && word(r) != 2)
        return false;
    skip(r, ",");
    return skip(r, " ") && year_ok(number(r, 4, 4));
}

static enum pii_fit fit(const struct scan *s, size_t i, size_t *ret_end) {
    bool (*const forms[])(struct reader *) = {year_first, day_first, month_first};
    enum pii_fit best = PII_NONE;
    for (size_t k = 0; k < 3; k++) {
        struct reader r = {.s = s, .at = i};
        if ((k == 2) != scan_is(s->p[i], SC_UPPER))
            continue;
        bool whole = forms[k](&r) && r.at - i <= LENGTH_MAX;
        if (whole) {
            *ret_end = r.at;
            return PII_WHOLE;
        }
        if (r.part)
            best = PII_PART;
    }
    return best;
}

static bool begins(const struct scan *s, size_t i) {
    return scan_is(s->p[i], SC_DIGIT | SC_UPPER) && pii_left(s, i);
}

static void try_at(struct scan *s, size_t i) {
    static const struct pii_worth w = {PII_DATE_OF_BIRTH, PII_NO, PII_CONTEXT};
    size_t to = 0;
    if (i >= s->from && begins(s, i) && fit(s, i, &to) == PII_WHOLE && pii_right(s, to))
        pii_emit(s, &w, i, to);
}

/* A year, a day, a month; or a day with a month's name in front. */
static void date_digits(struct scan *s, size_t i, size_t end) {
    if (end - i > 4 || end - i == 3 || !scan_tells(s, PII_DATE_OF_BIRTH))
        return;
    try_at(s, i);
    if (end - i > 2 || scan_before(s, i) != ' ')
        return;
    size_t word = i - 1;
    if (scan_before(s, word) == '.')
        word--;
    size_t start = scan_back(s, word, SC_ALPHA, WORD_MAX);
    if (start < word && scan_is(s->p[start], SC_UPPER))
        try_at(s, start);
}

static size_t date_live(const struct scan *s, size_t from) {
    static const struct pii_worth w = {PII_DATE_OF_BIRTH, PII_NO, PII_CONTEXT};
    if (!scan_wants(s, PII_DATE_OF_BIRTH))
        return s->n;
    size_t i = s->n > LENGTH_MAX ? s->n - LENGTH_MAX : 0;
    for (i = i < from ? from : i; i < s->n; i++) {
        size_t end = 0;
        if (!begins(s, i))
            continue;
        enum pii_fit f = fit(s, i, &end);
        if ((f == PII_PART || (f == PII_WHOLE && end == s->n)) && pii_may(s, &w, i))
            return i;
    }
    return s->n;
}

const struct pii_part pii_date = {.live = date_live, .digits = date_digits};
