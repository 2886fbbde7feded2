/* A result file from anywhere: read as strictly as a request. */
#include "red_int.h"

static bool number(const struct bz_json *o, const char *key, uint64_t *ret) {
    int64_t v = -1;
    if (bz_json_i64(bz_json_get(o, bz_view_str(key)), &v) != BZ_OK || v < 0 || v > INT64_C(1) << 52)
        return false;
    *ret = (uint64_t)v;
    return true;
}

static bool text(const struct bz_json *o, const char *key, struct bz_view *ret) {
    const struct bz_json *n = bz_json_get(o, bz_view_str(key));
    if (!bz_json_is(n, BZ_JSON_STRING) || n->val.n > BZ_RED_SEED_MAX)
        return false;
    *ret = n->val;
    return true;
}

static bool part(const struct bz_json *o, const char *key, double *ret) {
    return bz_json_f64(bz_json_get(o, bz_view_str(key)), ret) == BZ_OK && *ret >= 0 && *ret <= 1;
}

static bool digest(const struct bz_json *o, const char *key, uint8_t ret[32]) {
    struct bz_view v;
    size_t n = 0;
    return text(o, key, &v) && bz_hex_decode(v, ret, 32, &n) == BZ_OK && n == 32;
}

static bool levels(const struct bz_json *o, const char *key, uint64_t ret[BZ_RED_LEVEL_COUNT]) {
    const struct bz_json *n = bz_json_get(o, bz_view_str(key));
    for (int l = 0; l < BZ_RED_LEVEL_COUNT; l++)
        if (!number(n, bz_red_level_name((enum bz_red_level)l), &ret[l]))
            return false;
    return true;
}

static bool family(const struct bz_json *o, void *to) {
    struct bz_red_tally *f = to;
    return text(o, "family", &f->name) && text(o, "title", &f->title) &&
           text(o, "refs", &f->refs) && levels(o, "attacks", f->attacks) &&
           levels(o, "twins", f->twins) && number(o, "unchecked", &f->unchecked) &&
           number(o, "adaptive", &f->adaptive) && number(o, "adaptive_passed", &f->adaptive_passed);
}

static bool trial(const struct bz_json *o, void *to) {
    struct bz_red_trial *t = to;
    struct bz_view what;
    int found = -1;
    if (!text(o, "scenario", &t->id) || !text(o, "domain", &t->domain) ||
        !text(o, "forbids", &what) || !number(o, "rounds", &t->rounds) ||
        !number(o, "forbidden", &t->forbidden) || !number(o, "beyond", &t->beyond) ||
        !number(o, "unchecked", &t->unchecked) || !part(o, "nearest", &t->nearest))
        return false;
    for (int f = 0; f < BZ_RED_FORBID_COUNT; f++)
        if (bz_view_eq(what, bz_view_str(bz_red_forbid_name((enum bz_red_forbid)f))))
            found = f;
    t->forbid = found < 0 ? BZ_RED_FORBID_CALL : (enum bz_red_forbid)found;
    return found >= 0 && t->forbidden <= t->rounds;
}

static bool finding(const struct bz_json *o, void *to) {
    struct bz_red_finding *f = to;
    const struct bz_json *b = bz_json_get(o, BZ_V("forbidden"));
    f->forbidden = bz_json_is(b, BZ_JSON_TRUE);
    return text(o, "rule", &f->rule) && text(o, "gene", &f->gene) && text(o, "what", &f->what) &&
           (f->forbidden || bz_json_is(b, BZ_JSON_FALSE));
}

/* A list of objects into an array in the arena. */
static enum bz_status list(const struct bz_json *o, const char *key, size_t size, size_t most,
                           bool (*read)(const struct bz_json *, void *), struct bz_arena *ar,
                           void **ret, size_t *ret_n, struct bz_diag *diag) {
    const struct bz_json *n = bz_json_get(o, bz_view_str(key));
    if (!bz_json_is(n, BZ_JSON_ARRAY)) {
        bz_diag_set(diag, 0, "a list is missing");
        return BZ_ESYNTAX;
    }
    if (n->count > most)
        return BZ_ETOOBIG;
    uint8_t *v = bz_arena_zalloc(ar, size * (n->count + (size_t)1));
    if (v == NULL)
        return BZ_ENOMEM;
    *ret = v;
    *ret_n = 0;
    for (const struct bz_json *m = n->first; m != NULL; m = m->next) {
        if (!read(m, v + size * (*ret_n)++)) {
            bz_diag_set(diag, m->off, "not as this version writes it");
            return BZ_ESYNTAX;
        }
    }
    return BZ_OK;
}

enum bz_status bz_red_read(struct bz_view json, struct bz_arena *ar, struct bz_red_result *ret,
                           struct bz_diag *diag) {
    struct bz_json *o = NULL;
    struct bz_red_result r = {.time = 0};
    struct bz_view schema = {NULL, 0};
    void *v = NULL;
    if (json.n > BZ_RED_FILE_MAX)
        return BZ_ETOOBIG;
    BZ_TRY(bz_json_parse(json, NULL, ar, &o, diag));
    if (!text(o, "schema", &schema) || !bz_view_starts(schema, BZ_V("bartizan-redteam/"))) {
        bz_diag_set(diag, 0, "not a result of bartizan redteam run");
        return BZ_ESYNTAX;
    }
    if (!bz_view_eq(schema, BZ_V("bartizan-redteam/1")))
        return BZ_EVERSION;
    if (!text(o, "target", &r.target) || !text(o, "mode", &r.mode) || !number(o, "time", &r.time) ||
        !number(o, "rounds", &r.rounds) || !number(o, "requests", &r.requests) ||
        !number(o, "adaptive", &r.adaptive) ||
        !number(o, "adaptive_forbidden", &r.adaptive_forbidden) ||
        !number(o, "findings_more", &r.findings_more) || !digest(o, "corpus", r.corpus) ||
        !digest(o, "suite", r.suite) || !number(o, "seed", &r.seed)) {
        bz_diag_set(diag, 0, "a member is missing or has the wrong type");
        return BZ_ESYNTAX;
    }
    BZ_TRY(list(o, "families", sizeof *r.families, BZ_RED_FAMILIES_MAX, family, ar, &v,
                &r.families_n, diag));
    r.families = v;
    BZ_TRY(list(o, "scenarios", sizeof *r.trials, BZ_RED_SCENARIOS_MAX, trial, ar, &v, &r.trials_n,
                diag));
    r.trials = v;
    BZ_TRY(list(o, "findings", sizeof *r.findings, BZ_RED_FINDINGS_MAX, finding, ar, &v,
                &r.findings_n, diag));
    r.findings = v;
    *ret = r;
    return BZ_OK;
}
