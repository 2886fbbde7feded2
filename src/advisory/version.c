/* Schemes of versions: the table, and the two that need no file of their own. */
#include "version.h"

int bz_version_cmp_number(struct bz_view a, struct bz_view b) {
    while (a.n > 0 && a.p[0] == '0')
        a = bz_view_sub(a, 1, a.n);
    while (b.n > 0 && b.p[0] == '0')
        b = bz_view_sub(b, 1, b.n);
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

struct bz_view bz_version_take_number(struct bz_view v, size_t *at) {
    size_t from = *at;
    while (*at < v.n && bz_version_digit(v.p[*at]))
        (*at)++;
    return bz_view_sub(v, from, *at - from);
}

/* ---- llama.cpp ----
 *
 * Releases are tagged b1, b2, ...: the number of commits when the tag was made. llama-server calls
 * itself "b8146-1a2b3c4" (build_info) or "8146 (1a2b3c4)" (--version). A build from a source tree
 * without history has number 0 ("b0-unknown") or, from a clone of depth one, 1: these say nothing. */

static bool is_hash(struct bz_view v) {
    bool hex = v.n >= 7;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = bz_version_lower(v.p[i]);
        hex = hex && (bz_version_digit(c) || (c >= 'a' && c <= 'f'));
    }
    return hex;
}

static bool is_commit(struct bz_view v) {
    return is_hash(v) || bz_view_eq(v, BZ_V("unknown"));
}

/* What may stand behind the number. */
static bool llamacpp_tail(struct bz_view v, bool tag) {
    if (v.n == 0)
        return tag;
    if (tag)
        return v.p[0] == '-' && is_commit(bz_view_sub(v, 1, v.n));
    return v.n > 3 && v.p[0] == ' ' && v.p[1] == '(' && v.p[v.n - 1] == ')' &&
           is_commit(bz_view_sub(v, 2, v.n - 3));
}

static enum bz_status llamacpp_number(struct bz_view v, struct bz_view *ret) {
    size_t at = 0;
    bool tag = v.n > 1 && v.p[0] == 'b' && bz_version_digit(v.p[1]);
    if (tag)
        at = 1;
    struct bz_view number = bz_version_take_number(v, &at);
    if (number.n == 0 || !llamacpp_tail(bz_view_sub(v, at, v.n), tag))
        return is_commit(v) ? BZ_EUNAVAIL : BZ_ESYNTAX;
    if (bz_version_cmp_number(number, BZ_V("1")) <= 0)
        return BZ_EUNAVAIL;
    *ret = number;
    return BZ_OK;
}

static enum bz_status llamacpp_check(struct bz_view v) {
    struct bz_view number;
    return llamacpp_number(v, &number);
}

static int llamacpp_cmp(struct bz_view a, struct bz_view b) {
    struct bz_view x = {0}, y = {0};
    if (llamacpp_number(a, &x) != BZ_OK || llamacpp_number(b, &y) != BZ_OK)
        return 0;
    return bz_version_cmp_number(x, y);
}

/* ---- dotted numbers ---- */

static enum bz_status numbers_check(struct bz_view v) {
    size_t at = 0;
    for (;;) {
        if (bz_version_take_number(v, &at).n == 0)
            return BZ_ESYNTAX;
        if (at == v.n)
            return BZ_OK;
        if (v.p[at++] != '.')
            return BZ_ESYNTAX;
    }
}

static int numbers_cmp(struct bz_view a, struct bz_view b) {
    size_t i = 0, j = 0;
    while (i < a.n || j < b.n) {
        struct bz_view x = bz_version_take_number(a, &i), y = bz_version_take_number(b, &j);
        int cmp = bz_version_cmp_number(x, y);
        if (cmp != 0)
            return cmp;
        i += i < a.n; /* the dot */
        j += j < b.n;
    }
    return 0;
}

/* ---- all of them ---- */

static const struct bz_version_ops llamacpp_ops = {"llamacpp", llamacpp_check, llamacpp_cmp};
static const struct bz_version_ops numbers_ops = {"numbers", numbers_check, numbers_cmp};

static const struct bz_version_ops *const schemes[BZ_VERSION_SCHEME_COUNT] = {
    [BZ_VERSION_PEP440] = &bz_version_pep440_ops, [BZ_VERSION_SEMVER] = &bz_version_semver_ops,
    [BZ_VERSION_DPKG] = &bz_version_dpkg_ops,     [BZ_VERSION_NPM] = &bz_version_npm_ops,
    [BZ_VERSION_LLAMACPP] = &llamacpp_ops,        [BZ_VERSION_NUMBERS] = &numbers_ops,
};

const char *bz_version_scheme_name(enum bz_version_scheme s) {
    return (unsigned)s < BZ_VERSION_SCHEME_COUNT ? schemes[s]->name : "unknown";
}

enum bz_status bz_version_scheme_find(struct bz_view name, enum bz_version_scheme *ret) {
    for (unsigned s = 0; s < BZ_VERSION_SCHEME_COUNT; s++) {
        if (bz_view_eq(name, bz_view_str(schemes[s]->name))) {
            *ret = (enum bz_version_scheme)s;
            return BZ_OK;
        }
    }
    return BZ_ENOTFOUND;
}

enum bz_status bz_version_check(enum bz_version_scheme s, struct bz_view v) {
    if ((unsigned)s >= BZ_VERSION_SCHEME_COUNT)
        return BZ_EINVAL;
    if (v.n > BZ_VERSION_MAX)
        return BZ_ETOOBIG;
    return v.n == 0 ? BZ_ESYNTAX : schemes[s]->check(v);
}

enum bz_status bz_version_cmp(enum bz_version_scheme s, struct bz_view a, struct bz_view b,
                              int *ret_cmp) {
    BZ_TRY(bz_version_check(s, a));
    BZ_TRY(bz_version_check(s, b));
    *ret_cmp = schemes[s]->cmp(a, b);
    return BZ_OK;
}

enum bz_status bz_version_within(enum bz_version_scheme s, struct bz_view v,
                                 struct bz_view introduced, struct bz_view fixed,
                                 bool *ret_within) {
    int from = 0, to = -1;
    BZ_TRY(bz_version_check(s, v));
    if (introduced.n > 0 && !bz_view_eq(introduced, BZ_V("0")))
        BZ_TRY(bz_version_cmp(s, v, introduced, &from));
    if (fixed.n > 0)
        BZ_TRY(bz_version_cmp(s, v, fixed, &to));
    *ret_within = from >= 0 && to < 0;
    return BZ_OK;
}

size_t bz_pypi_name(struct bz_view name, uint8_t *out) {
    size_t n = 0;
    bool run = false;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = bz_version_lower(name.p[i]);
        bool dash = c == '-' || c == '_' || c == '.';
        if (dash && run)
            continue;
        out[n++] = dash ? '-' : c;
        run = dash;
    }
    return n;
}
