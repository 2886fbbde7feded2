/* SemVer 2.0.0 (semver.org), and how npm narrows it. */
#include "version.h"

bool bz_semver_npm_number(struct bz_view digits, uint64_t *ret) {
    const uint64_t max_safe = (1ull << 53) - 1; /* Number.MAX_SAFE_INTEGER */
    if (digits.n > 1 && digits.p[0] == '0')
        return false;
    return bz_view_u64(digits, ret) == BZ_OK && *ret <= max_safe;
}

/* Identifiers of letters, digits and "-", joined by dots; numbers without leading zeros if asked. */
static bool identifiers(struct bz_view v, bool no_zeros) {
    for (size_t at = 0;;) {
        size_t from = at, digits = 0;
        while (at < v.n && v.p[at] != '.') {
            uint8_t c = v.p[at++];
            if (!bz_version_digit(c) && !bz_version_letter(c) && c != '-')
                return false;
            digits += bz_version_digit(c);
        }
        size_t n = at - from;
        if (n == 0 || (no_zeros && digits == n && n > 1 && v.p[from] == '0'))
            return false;
        if (at == v.n)
            return true;
        at++;
    }
}

enum bz_status bz_semver_tail(struct bz_view v, size_t at, struct bz_view *ret_pre) {
    struct bz_view rest = bz_view_sub(v, at, v.n), pre = {0};
    if (rest.n > 0 && rest.p[0] == '-') {
        const uint8_t *plus = memchr(rest.p, '+', rest.n);
        pre = bz_view(rest.p + 1, (plus == NULL ? rest.n : (size_t)(plus - rest.p)) - 1);
        rest = bz_view_sub(rest, pre.n + 1, rest.n);
        if (!identifiers(pre, true))
            return BZ_ESYNTAX;
    }
    if (rest.n > 0 && (rest.p[0] != '+' || !identifiers(bz_view_sub(rest, 1, rest.n), false)))
        return BZ_ESYNTAX;
    *ret_pre = pre;
    return BZ_OK;
}

static struct bz_view npm_start(struct bz_view v) { /* node-semver trims, and drops "v" and "=" */
    while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
        v = bz_view_sub(v, 1, v.n);
    while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    return v;
}

enum bz_status bz_semver_parse(struct bz_view v, enum bz_semver_how how, struct bz_semver *ret) {
    struct bz_semver s = {{BZ_V("0"), BZ_V("0"), BZ_V("0")}, {0}};
    uint64_t ignored;
    size_t at = 0, n = 0;
    if (how == BZ_SEMVER_NPM)
        v = npm_start(v);
    if (v.n > 0 && v.p[0] == 'v')
        v = bz_view_sub(v, 1, v.n);
    for (;;) {
        struct bz_view digits = bz_version_take_number(v, &at);
        if (digits.n == 0 || (digits.n > 1 && digits.p[0] == '0') ||
            (how == BZ_SEMVER_NPM && !bz_semver_npm_number(digits, &ignored)))
            return BZ_ESYNTAX;
        s.number[n++] = digits;
        if (n == 3 || at == v.n || v.p[at] != '.')
            break;
        at++;
    }
    if (n < 3 && how == BZ_SEMVER_NPM)
        return BZ_ESYNTAX;
    BZ_TRY(bz_semver_tail(v, at, &s.pre));
    *ret = s;
    return BZ_OK;
}

static struct bz_view next_identifier(struct bz_view *v) {
    const uint8_t *dot = memchr(v->p, '.', v->n);
    struct bz_view id = bz_view_sub(*v, 0, dot == NULL ? v->n : (size_t)(dot - v->p));
    *v = bz_view_sub(*v, id.n + 1, v->n);
    return id;
}

static bool numeric(struct bz_view v) {
    size_t at = 0;
    return bz_version_take_number(v, &at).n == v.n;
}

static int cmp_bytes(struct bz_view a, struct bz_view b) {
    int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int cmp_identifier(struct bz_view a, struct bz_view b) {
    bool x = numeric(a), y = numeric(b);
    if (x && y)
        return bz_version_cmp_number(a, b);
    return x != y ? (x ? -1 : 1) : cmp_bytes(a, b);
}

static int cmp_pre(struct bz_view a, struct bz_view b) {
    if (a.n == 0 || b.n == 0) /* a version comes after its pre-releases */
        return (a.n == 0) - (b.n == 0);
    while (a.n > 0 && b.n > 0) {
        struct bz_view x = next_identifier(&a), y = next_identifier(&b);
        int c = cmp_identifier(x, y);
        if (c != 0)
            return c;
    }
    return (a.n > 0) - (b.n > 0);
}

int bz_semver_cmp(const struct bz_semver *a, const struct bz_semver *b) {
    for (size_t i = 0; i < 3; i++) {
        int c = bz_version_cmp_number(a->number[i], b->number[i]);
        if (c != 0)
            return c;
    }
    return cmp_pre(a->pre, b->pre);
}

static int cmp_as(struct bz_view a, struct bz_view b, enum bz_semver_how how) {
    struct bz_semver x, y;
    if (bz_semver_parse(a, how, &x) != BZ_OK || bz_semver_parse(b, how, &y) != BZ_OK)
        return 0;
    return bz_semver_cmp(&x, &y);
}

static enum bz_status lenient_check(struct bz_view v) {
    struct bz_semver s;
    return bz_semver_parse(v, BZ_SEMVER_LENIENT, &s);
}

static int lenient_cmp(struct bz_view a, struct bz_view b) {
    return cmp_as(a, b, BZ_SEMVER_LENIENT);
}

static enum bz_status npm_check(struct bz_view v) {
    struct bz_semver s;
    return bz_semver_parse(v, BZ_SEMVER_NPM, &s);
}

static int npm_cmp(struct bz_view a, struct bz_view b) {
    return cmp_as(a, b, BZ_SEMVER_NPM);
}

const struct bz_version_ops bz_version_semver_ops = {"semver", lenient_check, lenient_cmp};
const struct bz_version_ops bz_version_npm_ops = {"npm", npm_check, npm_cmp};
