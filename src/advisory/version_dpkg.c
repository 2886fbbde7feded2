/* Debian versions: [epoch:]upstream[-revision]. Source: deb-version(7). */
#include "version.h"

struct parts {
    struct bz_view epoch, upstream, revision;
};

static bool plain(struct bz_view v, const char *also) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (!bz_version_digit(c) && !bz_version_letter(c) && (c == 0 || strchr(also, c) == NULL))
            return false;
    }
    return true;
}

static struct bz_view trim(struct bz_view v) {
    while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
        v = bz_view_sub(v, 1, v.n);
    while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    return v;
}

static enum bz_status split(struct bz_view v, struct parts *ret) {
    struct parts p = {0};
    v = trim(v);
    const uint8_t *colon = v.n == 0 ? NULL : memchr(v.p, ':', v.n);
    if (colon != NULL) {
        p.epoch = bz_view(v.p, (size_t)(colon - v.p));
        v = bz_view_sub(v, p.epoch.n + 1, v.n);
        size_t at = 0;
        /* dpkg keeps the epoch in an int. */
        if (p.epoch.n == 0 || bz_version_take_number(p.epoch, &at).n != p.epoch.n ||
            bz_version_cmp_number(p.epoch, BZ_V("2147483647")) > 0)
            return BZ_ESYNTAX;
    }
    const uint8_t *dash = v.n == 0 ? NULL : memrchr(v.p, '-', v.n);
    p.upstream = v;
    if (dash != NULL) {
        p.upstream.n = (size_t)(dash - v.p);
        p.revision = bz_view_sub(v, p.upstream.n + 1, v.n);
        if (p.revision.n == 0)
            return BZ_ESYNTAX;
    }
    if (p.upstream.n == 0 || !plain(p.upstream, ".-+~:") || !plain(p.revision, ".+~"))
        return BZ_ESYNTAX;
    *ret = p;
    return BZ_OK;
}

/* "~" before the end, the end before letters, letters before everything else. */
static int order(struct bz_view v, size_t at) {
    if (at >= v.n || bz_version_digit(v.p[at]))
        return 0;
    if (v.p[at] == '~')
        return -1;
    return bz_version_letter(v.p[at]) ? v.p[at] : v.p[at] + 256;
}

static int cmp_part(struct bz_view a, struct bz_view b) {
    size_t i = 0, j = 0;
    while (i < a.n || j < b.n) {
        while ((i < a.n && !bz_version_digit(a.p[i])) || (j < b.n && !bz_version_digit(b.p[j]))) {
            int diff = order(a, i) - order(b, j);
            if (diff != 0)
                return diff;
            i++;
            j++;
        }
        struct bz_view x = bz_version_take_number(a, &i), y = bz_version_take_number(b, &j);
        int cmp = bz_version_cmp_number(x, y);
        if (cmp != 0)
            return cmp;
    }
    return 0;
}

static enum bz_status check(struct bz_view v) {
    struct parts p;
    return split(v, &p);
}

static int cmp(struct bz_view a, struct bz_view b) {
    struct parts x = {0}, y = {0};
    if (split(a, &x) != BZ_OK || split(b, &y) != BZ_OK)
        return 0;
    int c = bz_version_cmp_number(x.epoch, y.epoch);
    if (c == 0)
        c = cmp_part(x.upstream, y.upstream);
    return c != 0 ? c : cmp_part(x.revision, y.revision);
}

const struct bz_version_ops bz_version_dpkg_ops = {"dpkg", check, cmp};
