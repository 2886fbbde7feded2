/* Rules for the gateway that a record brings: database_specific.patch. */
#include "advisory_int.h"

static enum bz_status bad(struct bz_diag *diag, const struct bz_json *at, const char *why) {
    bz_diag_set(diag, at->off, why);
    return BZ_ESYNTAX;
}

/* Sources in YAML have their numbers as text. */
static enum bz_status number(const struct bz_json *n, int64_t *ret) {
    struct bz_view v = bz_json_str(n);
    bool minus = v.n > 0 && v.p[0] == '-';
    uint64_t u = 0;
    if (bz_json_is(n, BZ_JSON_NUMBER))
        return bz_json_i64(n, ret);
    BZ_TRY(bz_view_u64(bz_view_sub(v, minus, v.n), &u));
    if (u > INT64_MAX)
        return BZ_ERANGE;
    *ret = minus ? -(int64_t)u : (int64_t)u;
    return BZ_OK;
}

static bool plain(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] <= ' ' || v.p[i] >= 0x7f)
            return false;
    }
    return v.n <= BZ_PATH_MAX;
}

static enum bz_status read_rule(const struct bz_json *n, struct bz_patch *ret,
                                struct bz_diag *diag) {
    const struct bz_json *min = bz_json_get(n, BZ_V("min")), *max = bz_json_get(n, BZ_V("max"));
    struct bz_patch p = {
        .server = bz_adv_text(n, BZ_V("server")),
        .method = bz_adv_text(n, BZ_V("method")),
        .path = bz_adv_text(n, BZ_V("path")),
        .param = bz_adv_text(n, BZ_V("param")),
        .deny = bz_json_is(bz_json_get(n, BZ_V("deny")), BZ_JSON_TRUE),
        .has_min = min != NULL,
        .has_max = max != NULL,
    };
    if (!bz_json_is(n, BZ_JSON_OBJECT) || p.server.n == 0)
        return bad(diag, n, "a patch names no server");
    if (!plain(p.server) || !plain(p.method) || !plain(p.path) || !plain(p.param))
        return bad(diag, n, "a patch has a name with blanks or other characters that none has");
    if ((p.path.n == 0) == (p.param.n == 0))
        return bad(diag, n, "a patch must be about a path or about a param");
    if (p.path.n > 0 && (p.path.p[0] != '/' || p.deny || p.has_min || p.has_max))
        return bad(diag, n, "a patch for a path has a path and perhaps a method, nothing else");
    if (p.param.n > 0 && (p.method.n > 0 || p.deny == (p.has_min || p.has_max)))
        return bad(diag, n, "a patch for a param has either deny: true or min and max");
    if ((p.has_min && number(min, &p.min) != BZ_OK) || (p.has_max && number(max, &p.max) != BZ_OK))
        return bad(diag, n, "min and max must be integers");
    *ret = p;
    return BZ_OK;
}

enum bz_status bz_advisory_patch(const struct bz_advisory *a, size_t i, struct bz_patch *ret,
                                 struct bz_diag *diag) {
    const struct bz_json *own = bz_json_get(a->json, BZ_V("database_specific"));
    const struct bz_json *list = bz_json_get(own, BZ_V("patch"));
    if (list == NULL)
        return BZ_ENOTFOUND;
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return bad(diag, list, "patch must be a list");
    const struct bz_json *n = list->first;
    for (; i > 0 && n != NULL; i--)
        n = n->next;
    return n == NULL ? BZ_ENOTFOUND : read_rule(n, ret, diag);
}
