/* Personal data that is no plain number: e-mail, coins, the network, telephones, dates of birth,
 * places. Each part is a file of its own; this one has the triggers, e-mail and coins. */
#include "pii_index.h"

enum { MAIL, COIN, NET, PHONE, DATE, PLACE };
#define RULE(part, own) ((uint32_t)(part) << 4 | (own))

static const struct pii_part *const parts[] = {
    [MAIL] = &pii_mail,   [COIN] = &pii_coin, [NET] = &pii_net,
    [PHONE] = &pii_phone, [DATE] = &pii_date, [PLACE] = &pii_place,
};

/* ---- e-mail -------------------------------------------------------------------------------- */

enum { LOCAL_MAX = 64, DOMAIN_MAX = 253, LABEL_MAX = 63 };

static bool local_byte(uint8_t c) {
    return scan_is(c, SC_ALNUM) || (c != 0 && strchr("._+'-", c) != NULL);
}

/* Where the name before the '@' at i begins; i if there is none. */
static size_t local_start(const struct scan *s, size_t at) {
    size_t i = at;
    while (i > 0 && at - i <= LOCAL_MAX && local_byte(s->p[i - 1]))
        i--;
    if (at - i > LOCAL_MAX)
        return at;
    while (i < at && !scan_is(s->p[i], SC_ALNUM) && s->p[i] != '_' && s->p[i] != '+')
        i++;
    return i;
}

/* Endings of names of files: "icon@2x.png". */
static bool file_ending(const struct scan *s, size_t from, size_t to) {
    static const char *const endings[] = {"png", "jpg",  "jpeg", "gif",  "svg", "webp", "ico",
                                          "css", "json", "html", "htm",  "pdf", "js",   "local",
                                          "jar", "xml",  "yaml", "conf", "so",  "dll"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (strlen(endings[i]) == to - from && scan_lit(s, from, endings[i], true))
            return true;
    }
    return false;
}

/* End of the label of a host's name that begins at i; i: none does. */
static size_t label_end(const struct scan *s, size_t i, bool *ret_top) {
    size_t label = i;
    *ret_top = true;
    while (i < s->n && i - label <= LABEL_MAX && (scan_is(s->p[i], SC_ALNUM) || s->p[i] == '-')) {
        *ret_top = *ret_top && scan_is(s->p[i], SC_ALPHA);
        i++;
    }
    if (i == label || i - label > LABEL_MAX || s->p[label] == '-' || s->p[i - 1] == '-')
        return label;
    *ret_top = (*ret_top || scan_lit(s, label, "xn--", true)) && i - label > 1;
    return i;
}

static void mail_hit(struct scan *s, unsigned rule, size_t end) {
    static const struct pii_worth w = {PII_EMAIL_ADDRESS, PII_FORM, PII_CONTEXT};
    (void)rule;
    size_t start = local_start(s, end - 1), i = end;
    if (start == end - 1 || start < s->from || !scan_tells(s, PII_EMAIL_ADDRESS) ||
        (end - 1 - start == 3 && scan_lit(s, start, "git", true)))
        return;
    /* Every end that the name of a host may have; the longest is told. */
    for (size_t labels = 0; i < s->n && i - end < DOMAIN_MAX; labels++) {
        bool top; /* it may be a top-level domain */
        size_t label = i;
        i = label_end(s, label, &top);
        if (i == label)
            return;
        uint8_t behind = scan_at(s, i);
        if (labels > 0 && top && behind != '_' && behind != '@' && !file_ending(s, label, i))
            pii_emit(s, &w, start, i);
        if (behind != '.')
            return;
        i++;
    }
}

static size_t mail_live(const struct scan *s, size_t from) {
    if (!scan_wants(s, PII_EMAIL_ADDRESS))
        return s->n;
    size_t i = s->n, at = s->n;
    while (i > from && s->n - i < LOCAL_MAX + DOMAIN_MAX + 2 &&
           (local_byte(s->p[i - 1]) || (s->p[i - 1] == '@' && at == s->n))) {
        i--;
        at = s->p[i] == '@' ? i : at;
    }
    if (at == s->n && s->n - i > LOCAL_MAX)
        return s->n; /* too long for a name, and no '@' yet */
    return i;
}

const struct pii_part pii_mail = {.hit = mail_hit, .live = mail_live};

/* ---- coins --------------------------------------------------------------------------------- */

enum { COIN_MAX = 74 };

enum { BASE58, BECH32, EIP55 };

/* The run of letters and digits that begins at start. */
static void coin(struct scan *s, unsigned rule, size_t start) {
    static const struct pii_worth sure = {PII_CRYPTO, PII_CHECKSUM, PII_CHECKSUM};
    static const struct pii_worth form = {PII_CRYPTO, PII_FORM, PII_CONTEXT};
    static bz_checksum_fn *const checks[] = {bz_checksum_base58, bz_checksum_bech32,
                                             bz_checksum_eip55};
    size_t end = scan_run(s, start, SC_ALNUM, COIN_MAX + 1);
    if (end - start > COIN_MAX || start < s->from || !pii_left(s, start) ||
        (rule == EIP55 && (scan_at(s, end) == '_' || scan_run(s, start + 2, SC_HEX, 40) != end)))
        return;
    if (checks[rule](s->p + start, end - start))
        pii_emit(s, &sure, start, end);
    else if (rule == EIP55 && end - start == 42) { /* one case: nothing to check */
        bool lower = false, upper = false;
        for (size_t i = start + 2; i < end; i++) {
            lower = lower || scan_is(s->p[i], SC_LOWER);
            upper = upper || scan_is(s->p[i], SC_UPPER);
        }
        if (!lower || !upper)
            pii_emit(s, &form, start, end);
    }
}

static void coin_digits(struct scan *s, size_t i, size_t end) {
    uint8_t c = s->p[i];
    if ((c != '0' && c != '1' && c != '3') || !scan_tells(s, PII_CRYPTO))
        return;
    if (c == '0' && end - i == 1 && scan_at(s, end) == 'x')
        coin(s, EIP55, i);
    else if (c == '1' && i > 1 && scan_is(s->p[i - 1], SC_ALPHA) && i - 2 >= s->from)
        coin(s, BECH32, i - 2);
    else if (c != '0')
        coin(s, BASE58, i);
}

/* The last word is the beginning of an address. */
static size_t coin_live(const struct scan *s, size_t from) {
    if (!scan_wants(s, PII_CRYPTO))
        return s->n;
    size_t i = scan_back(s, s->n, SC_ALNUM, COIN_MAX + 1), n = s->n - i;
    if (i < from || n == 0 || n > COIN_MAX || !pii_left(s, i))
        return s->n;
    uint8_t c = s->p[i];
    if ((c == '1' || c == '3') && n <= 35)
        return i;
    if (c == '0' && n <= 42 && (n == 1 || s->p[i + 1] == 'x'))
        return i;
    static const char small[] = "bc1", big[] = "BC1";
    size_t k = n < 3 ? n : 3;
    bool segwit = memcmp(s->p + i, small, k) == 0 || memcmp(s->p + i, big, k) == 0;
    return segwit ? i : s->n;
}

const struct pii_part pii_coin = {.live = coin_live, .digits = coin_digits};

/* ---- all of them --------------------------------------------------------------------------- */

static void hit(struct scan *s, const struct trigger *t, size_t end) {
    parts[t->rule >> 4]->hit(s, t->rule & 15, end);
}

static void sweep(struct scan *s, size_t from, size_t to) {
    size_t i = scan_back(s, from, SC_DIGIT, BZ_DETECT_CONTEXT);
    for (i = i < s->from ? s->from : i; i < to; i++) {
        if (!scan_is(s->p[i], SC_DIGIT))
            continue;
        size_t end = scan_run(s, i, SC_DIGIT, s->n);
        for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
            if (parts[k]->digits != NULL)
                parts[k]->digits(s, i, end);
        }
        i = end;
    }
}

static size_t live(const struct scan *s, size_t from) {
    size_t least = s->n;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t a = parts[i]->live(s, from);
        least = a < least ? a : least;
    }
    return least < from ? from : least;
}

#define HEX "[0-9a-fA-F]"
/* What has digits in any case is found by sweep(). Chosen for the speed of prose: patterns that lead
 * with a rare mark are run by one small automaton that skips letters. */
static const struct trigger triggers[] = {
    {"@", TRIGGER_LITERAL, RULE(MAIL, 0)},
    {":" HEX "{0,4}:", 0, RULE(NET, 1)},
    {"-" HEX "{2}-" HEX "{2}-" HEX, 0, RULE(NET, 2)},
    {"\\." HEX "{4}\\." HEX, 0, RULE(NET, 3)},
};

static const char *const starts[] = {
    "bc1",       "January", "February", "March",    "April", "May", "June", "July", "August",
    "September", "October", "November", "December", "Jan",   "Feb", "Mar",  "Apr",  "Jun",
    "Jul",       "Aug",     "Sep",      "Sept",     "Oct",   "Nov", "Dec",
};
/* Hexadecimal may begin with any letter, names of streets do. */
static const uint16_t wordy[] = {PII_EMAIL_ADDRESS, PII_IP_ADDRESS, PII_MAC_ADDRESS,
                                 PII_STREET_ADDRESS};

const struct detector detect_pii = {
    .name = "pii",
    .group = DETECT_GROUP_PII,
    .triggers = triggers,
    .triggers_n = sizeof triggers / sizeof triggers[0],
    .starts = starts,
    .starts_n = sizeof starts / sizeof starts[0],
    .wordy = wordy,
    .wordy_n = sizeof wordy / sizeof wordy[0],
    .hit = hit,
    .sweep = sweep,
    .live = live,
    .prepare = pii_prepare,
};
