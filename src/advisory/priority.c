/* How urgent others find a flaw: EPSS and SSVC, as a record carries them in database_specific.
 * Sources: first.org/epss, "The EPSS model"; CISA, "Stakeholder-Specific Vulnerability
 * Categorization Guide" (decision points and outcomes). */
#include "advisory_int.h"

enum { MILLION = 1000000, DIGITS_MAX = 20 };

static enum bz_status bad(struct bz_diag *diag, const struct bz_json *at, const char *why) {
    bz_diag_set(diag, at->off, why);
    return BZ_ESYNTAX;
}

/* "0.94321" as millionths; further digits are dropped. 0 to 1, without an exponent. */
static bool millionths(const struct bz_json *n, uint32_t *ret) {
    struct bz_view v = bz_json_is(n, BZ_JSON_NUMBER) ? n->val : bz_json_str(n);
    uint32_t whole = 0, part = 0, unit = MILLION / 10;
    if (v.n == 0 || v.n > DIGITS_MAX || (v.p[0] != '0' && v.p[0] != '1') ||
        (v.n > 1 && (v.p[1] != '.' || v.n == 2)))
        return false;
    whole = v.p[0] == '1' ? MILLION : 0;
    for (size_t i = 2; i < v.n; i++, unit /= 10) {
        if (!bz_version_digit(v.p[i]))
            return false;
        part += (uint32_t)(v.p[i] - '0') * unit;
        if (whole > 0 && v.p[i] != '0')
            return false;
    }
    *ret = whole + part;
    return true;
}

/* One of the words that a decision point has; empty where the record says nothing. */
static bool word(const struct bz_json *ssvc, struct bz_view key, const char *const *words, size_t n,
                 struct bz_view *ret, size_t *ret_rank) {
    const struct bz_json *m = bz_json_get(ssvc, key);
    *ret = bz_json_str(m);
    *ret_rank = 0;
    for (size_t i = 0; i < n; i++) {
        if (bz_view_eq(*ret, bz_view_str(words[i]))) {
            *ret_rank = i + 1;
            return true;
        }
    }
    return m == NULL;
}

static enum bz_status read_epss(const struct bz_json *e, struct bz_priority *p,
                                struct bz_diag *diag) {
    const struct bz_json *percentile = bz_json_get(e, BZ_V("percentile"));
    if (!bz_json_is(e, BZ_JSON_OBJECT) ||
        !millionths(bz_json_get(e, BZ_V("probability")), &p->epss) ||
        (percentile != NULL && !millionths(percentile, &p->percentile)))
        return bad(diag, e, "epss has a probability and perhaps a percentile, each from 0 to 1");
    p->has_epss = true;
    return BZ_OK;
}

static enum bz_status read_ssvc(const struct bz_json *s, struct bz_priority *p,
                                struct bz_diag *diag) {
    static const char *const exploitation[] = {"none", "poc", "active"},
                             *const automatable[] = {"no", "yes"},
                             *const impact[] = {"partial", "total"},
                             *const decision[] = {"track", "track*", "attend", "act"};
    size_t exploited = 0, rank = 0;
    if (!bz_json_is(s, BZ_JSON_OBJECT) ||
        !word(s, BZ_V("exploitation"), exploitation, 3, &p->exploitation, &exploited) ||
        !word(s, BZ_V("automatable"), automatable, 2, &p->automatable, &rank) ||
        !word(s, BZ_V("technical_impact"), impact, 2, &p->impact, &rank) ||
        !word(s, BZ_V("decision"), decision, 4, &p->decision, &rank))
        return bad(diag, s,
                   "ssvc has exploitation (none, poc, active), automatable (no, yes), "
                   "technical_impact (partial, total) or decision (track, track*, attend, act)");
    p->urgency = (uint8_t)rank;
    p->exploited = exploited == 3;
    return BZ_OK;
}

enum bz_status bz_advisory_priority(const struct bz_advisory *a, struct bz_priority *ret,
                                    struct bz_diag *diag) {
    const struct bz_json *own = bz_json_get(a->json, BZ_V("database_specific"));
    const struct bz_json *epss = bz_json_get(own, BZ_V("epss"));
    const struct bz_json *ssvc = bz_json_get(own, BZ_V("ssvc"));
    struct bz_priority p = {.has_epss = false};
    if (epss != NULL)
        BZ_TRY(read_epss(epss, &p, diag));
    if (ssvc != NULL)
        BZ_TRY(read_ssvc(ssvc, &p, diag));
    *ret = p;
    return BZ_OK;
}
