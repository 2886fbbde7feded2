/* The detector of secrets: API keys, tokens, private keys, passwords. See secrets.h. */
#include "secrets.h"

#include <hs/hs_common.h>
#include <hs/hs_compile.h>

#include "secrets_prefix.h"
#include "secrets_words.h"

#define PREFIX_TRIGGER(lead, ...) {lead, TRIGGER_LITERAL | TRIGGER_START, 0},
#define WORD_TRIGGER(text, ...) {text, TRIGGER_LITERAL | HS_FLAG_CASELESS, 0},
enum { LITERAL = TRIGGER_LITERAL, STARTS = TRIGGER_LITERAL | TRIGGER_START };

/* In this order, see hit(). */
static const struct trigger triggers[] = {
    SECRETS_PREFIXES(PREFIX_TRIGGER) SECRETS_WORDS(WORD_TRIGGER) /* each with its comma */
    {"eyJ", STARTS, SPECIAL_JWT},
    {"eyA", STARTS, SPECIAL_JWT},
    {"ZXlK", STARTS, SPECIAL_JWT64},
    {"-----BEGIN ", STARTS, SPECIAL_PEM},
    {"://", LITERAL, SPECIAL_URL},
    {" -u", LITERAL, SPECIAL_CURL},
    {"--user", LITERAL, SPECIAL_CURL},
    {"Q~", LITERAL, SPECIAL_AZURE},
    {":AA", LITERAL, SPECIAL_TELEGRAM},
    {"%7C", LITERAL, SPECIAL_FACEBOOK},
    {"0|", LITERAL, SPECIAL_FACEBOOK},
    {"1|", LITERAL, SPECIAL_FACEBOOK},
    {"2|", LITERAL, SPECIAL_FACEBOOK},
    {"3|", LITERAL, SPECIAL_FACEBOOK},
    {"4|", LITERAL, SPECIAL_FACEBOOK},
    {"5|", LITERAL, SPECIAL_FACEBOOK},
    {"6|", LITERAL, SPECIAL_FACEBOOK},
    {"7|", LITERAL, SPECIAL_FACEBOOK},
    {"8|", LITERAL, SPECIAL_FACEBOOK},
    {"9|", LITERAL, SPECIAL_FACEBOOK},
    {"data:", LITERAL | HS_FLAG_CASELESS, SPECIAL_KUBERNETES_0},
    {"data:", LITERAL | HS_FLAG_CASELESS, SPECIAL_KUBERNETES_1},
    {"data:", LITERAL | HS_FLAG_CASELESS, SPECIAL_KUBERNETES_2},
};

static void emit(struct scan *s, enum answer a, const struct match *m) {
    if (a == ANSWER_YES)
        scan_emit(s, m->type, m->proof, m->start, m->end);
}

static void hit(struct scan *s, const struct trigger *t, size_t end) {
    size_t k = (size_t)(t - triggers), len = strlen(t->expr);
    struct match m;
    if (k < secrets_prefix_n) {
        if (scan_wants(s, secrets_prefix[k].type))
            emit(s, secrets_try_prefix(s, &secrets_prefix[k], end - len, &m), &m);
        return;
    }
    k -= secrets_prefix_n;
    if (k >= secrets_words_n) {
        emit(s, secrets_try_special(s, (enum special)t->rule, end, &m), &m);
        return;
    }
    const struct secret_word *w = &secrets_words[k];
    size_t value, first;
    if (!secrets_value(s, w, end - len, end, &value))
        return;
    size_t n = secrets_group(w->group, &first);
    for (size_t i = first; i < first + n; i++) {
        if (scan_wants(s, secrets_keyed[i].type))
            emit(s, secrets_try_keyed(s, &secrets_keyed[i], end - len, value, &m), &m);
    }
}

/* ---- words alone ---- */

static uint8_t fold(uint8_t c) {
    return scan_is(c, SC_UPPER) ? c | 0x20 : c;
}

struct pairs { /* the first two bytes of all words, a bit each; no word begins with a digit */
    uint8_t bits[128];
};

static unsigned pair_of(uint8_t a, uint8_t b) {
    return ((a | 0x20u) * 61u + (b | 0x20u)) & 1023;
}

static enum bz_status prepare(struct bz_arena *ar, void **own) {
    struct pairs *x = bz_arena_zalloc(ar, sizeof *x);
    if (x == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < secrets_words_n; i++) {
        const char *w = secrets_words[i].text;
        if (!detect_word_good(bz_view_str(w)))
            return BZ_EINTERNAL;
        unsigned pair = pair_of((uint8_t)w[0], (uint8_t)w[1]);
        x->bits[pair >> 3] |= (uint8_t)(1u << (pair & 7));
    }
    *own = x;
    return BZ_OK;
}

/* The first row of secrets_words that begins with c. */
static size_t words_of(uint8_t c) {
    size_t lo = 0, hi = secrets_words_n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if ((uint8_t)secrets_words[mid].text[0] < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool words_begin(const struct scan *s, size_t from, size_t to) {
    const struct pairs *x = s->own;
    for (size_t i = from; i < to; i++) {
        if (scan_is(s->p[i], SC_DIGIT))
            continue;
        unsigned pair = pair_of(s->p[i], scan_at(s, i + 1));
        if ((x->bits[pair >> 3] >> (pair & 7) & 1) == 0)
            continue;
        uint8_t c = fold(s->p[i]);
        for (size_t k = words_of(c); k < secrets_words_n; k++) {
            if ((uint8_t)secrets_words[k].text[0] != c)
                break;
            if (secrets_word_at(s, &secrets_words[k], i))
                return true;
        }
    }
    return false;
}

/* ---- the undecided rest ---- */

struct rest {
    size_t from;  /* what begins before it is decided */
    size_t least; /* so far the least place from which text must wait */
};

static void hold_at(struct rest *r, size_t at) {
    if (at >= r->from && at < r->least)
        r->least = at;
}

static void hold(const struct scan *s, enum answer a, const struct match *m, struct rest *r) {
    if (a == ANSWER_MORE || (a == ANSWER_YES && m->end >= s->n))
        hold_at(r, m->start);
}

/* Rows whose literal stands at i. */
static void live_prefixes(const struct scan *s, size_t i, struct rest *rest) {
    size_t lo = 0, hi = secrets_prefix_n;
    uint8_t second = scan_at(s, i + 1);
    struct match m;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if ((uint8_t)secrets_prefix[mid].lead[0] < s->p[i])
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < secrets_prefix_n && (uint8_t)secrets_prefix[lo].lead[0] == s->p[i]; lo++) {
        const struct secret_row *row = &secrets_prefix[lo];
        if ((uint8_t)row->lead[1] == second && scan_lit(s, i, row->lead, false) &&
            scan_wants(s, row->type))
            hold(s, secrets_try_prefix(s, row, i, &m), &m, rest);
    }
}

static void live_special(const struct scan *s, enum special kind, size_t end, struct rest *rest) {
    struct match m;
    enum answer a = secrets_try_special(s, kind, end, &m);
    if (kind == SPECIAL_URL && a == ANSWER_MORE && m.start < rest->from)
        m.start = rest->from; /* the user is decided, the password is not */
    hold(s, a, &m, rest);
}

/* Words at i whose value may reach the end. */
static void live_words(const struct scan *s, size_t i, struct rest *rest) {
    uint8_t c = fold(s->p[i]), second = fold(scan_at(s, i + 1));
    size_t lo = words_of(c), value, first;
    struct match m;
    for (; lo < secrets_words_n && (uint8_t)secrets_words[lo].text[0] == c; lo++) {
        const struct secret_word *w = &secrets_words[lo];
        if ((uint8_t)w->text[1] != second || !scan_lit(s, i, w->text, true) ||
            !secrets_value(s, w, i, i + strlen(w->text), &value))
            continue;
        size_t n = secrets_group(w->group, &first);
        for (size_t r = first; r < first + n; r++) {
            if (scan_wants(s, secrets_keyed[r].type))
                hold(s, secrets_try_keyed(s, &secrets_keyed[r], i, value, &m), &m, rest);
        }
    }
    for (unsigned k = 0; c == 'd' && k < 3 && scan_lit(s, i, "data:", true); k++)
        live_special(s, (enum special)(SPECIAL_KUBERNETES_0 + k), i + 5, rest);
}

/* A number's digits at i: a bot of Telegram, a secret of Entra ID. */
static void live_digit(const struct scan *s, size_t i, struct rest *rest) {
    size_t left = s->n - i;
    if (left == 1 || (s->p[i + 1] == 'Q' && (left == 2 || s->p[i + 2] == '~'))) {
        if (left <= 3)
            hold_at(rest, i);
        else
            live_special(s, SPECIAL_AZURE, i + 3, rest);
    }
    if (!secrets_bot_edge(s, i))
        return;
    size_t end = scan_run(s, i, SC_DIGIT, 11);
    left = s->n - end;
    if (end - i > 10)
        return;
    if (left == 0 || (left <= 2 && s->p[end] == ':' && (left == 1 || s->p[end + 1] == 'A')))
        hold_at(rest, i);
    else if (scan_lit(s, end, ":AA", false))
        live_special(s, SPECIAL_TELEGRAM, end + 3, rest);
}

/* Marks within the last token that begin something. */
static void live_mark(const struct scan *s, size_t i, struct rest *rest) {
    uint8_t c = s->p[i];
    if (scan_is(c, SC_DIGIT))
        live_digit(s, i, rest);
    else if (c == ':' && scan_lit(s, i, "://", false))
        live_special(s, SPECIAL_URL, i + 3, rest);
    else if (c == '|' || (c == '%' && scan_lit(s, i, "%7C", false)))
        live_special(s, SPECIAL_FACEBOOK, i + (c == '|' ? 1 : 3), rest);
}

/* What begins at the left edge of a word at i. */
static void live_start(const struct scan *s, size_t i, struct rest *rest) {
    live_prefixes(s, i, rest);
    if (s->p[i] == 'e' && (scan_lit(s, i, "eyJ", false) || scan_lit(s, i, "eyA", false)))
        live_special(s, SPECIAL_JWT, i + 3, rest);
    if (s->p[i] == 'Z' && scan_lit(s, i, "ZXlK", false))
        live_special(s, SPECIAL_JWT64, i + 4, rest);
}

/* No match but a private key's goes over these bytes. */
static bool ends_token(uint8_t c) {
    return c <= ' ' || c == 0x7f || strchr("\"'`", c) != NULL;
}

static size_t back(size_t at, size_t n, size_t least) {
    return at - least > n ? at - n : least;
}

static void live_keys(const struct scan *s, struct rest *rest) {
    static const char begin[] = "-----BEGIN ";
    for (size_t i = back(s->n, BZ_DETECT_MATCH_MAX, rest->from); i + sizeof begin <= s->n + 1;
         i++) {
        const uint8_t *at = memchr(s->p + i, '-', s->n - i);
        if (at == NULL)
            return;
        i = (size_t)(at - s->p);
        if (scan_lit(s, i, begin, false))
            live_special(s, SPECIAL_PEM, i + sizeof begin - 1, rest);
    }
}

/* curl -u user:pa */
static void live_curl(const struct scan *s, size_t token, struct rest *rest) {
    for (size_t i = back(token, 80, 0); i < s->n; i++) {
        if (s->p[i] == ' ' && scan_lit(s, i, " -u", false))
            live_special(s, SPECIAL_CURL, i + 3, rest);
        if (s->p[i] == '-' && scan_lit(s, i, "--user", false))
            live_special(s, SPECIAL_CURL, i + 6, rest);
    }
}

static size_t live(const struct scan *s, size_t from) {
    struct rest rest = {from, s->n};
    size_t token = s->n;
    size_t limit = back(s->n, BZ_DETECT_MATCH_MAX, 0);
    bool loud = false, operator= false, colon = false;
    while (token > limit && !ends_token(s->p[token - 1])) {
        uint8_t c = s->p[--token];
        if (scan_is(c, SC_ALPHA))
            continue;
        loud = true;
        operator|= strchr("=:>|?,(.", c) != NULL;
        colon |= c == ':';
    }
    live_keys(s, &rest);
    if (token == s->n)
        return rest.least;
    for (size_t i = token; i < s->n && i < rest.least; i++) {
        if (!scan_is(scan_before(s, i), SC_ALNUM))
            live_start(s, i, &rest);
        if (!scan_is(s->p[i], SC_ALPHA))
            live_mark(s, i, &rest);
    }
    if (!loud && !secrets_loud(s, token))
        return rest.least;
    size_t stop = operator? s->n : token; /* of words: their values come later */
    for (size_t i = back(token, BZ_DETECT_CONTEXT, 0); i < stop && i < rest.least; i++) {
        if (scan_is(s->p[i], SC_ALPHA | SC_HIGH) || memchr("_-\"", s->p[i], 3) != NULL)
            live_words(s, i, &rest);
    }
    if (colon)
        live_curl(s, token, &rest);
    return rest.least;
}

const struct detector detect_secrets = {
    .name = "secrets",
    .group = DETECT_GROUP_SECRETS,
    .triggers = triggers,
    .triggers_n = sizeof triggers / sizeof triggers[0],
    .words = words_begin,
    .hit = hit,
    .live = live,
    .prepare = prepare,
#ifdef SCAN_UNKNOWN
    .more = secrets_more,
#endif
};
