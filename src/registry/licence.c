/* SPDX licence expressions (SPDX 2.3, annex D): `A AND (B OR C WITH exception)`. */
#include <bartizan/registry.h>

enum { LICENCE_TEXT_MAX = 512, DEPTH_MAX = 16 };

struct expr {
    struct bz_view rest;
    char *const *list;
    size_t n;
    bool bad;
    int depth;
};

static void blanks(struct expr *e) {
    while (e->rest.n > 0 && e->rest.p[0] == ' ')
        e->rest = bz_view_sub(e->rest, 1, e->rest.n);
}

static bool id_byte(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':';
}

/* The next word; a '+' at its end belongs to it. Empty: there is none. */
static struct bz_view word(struct expr *e) {
    size_t n = 0;
    blanks(e);
    while (n < e->rest.n && id_byte(e->rest.p[n]))
        n++;
    if (n > 0 && n < e->rest.n && e->rest.p[n] == '+')
        n++;
    struct bz_view w = bz_view_sub(e->rest, 0, n);
    e->rest = bz_view_sub(e->rest, n, e->rest.n);
    return w;
}

static bool take(struct expr *e, struct bz_view operator) {
    struct expr ahead = *e;
    if (!bz_view_eq(word(&ahead), operator))
        return false;
    e->rest = ahead.rest;
    return true;
}

static bool is_operator(struct bz_view w) {
    return bz_view_eq(w, BZ_V("AND")) || bz_view_eq(w, BZ_V("OR")) || bz_view_eq(w, BZ_V("WITH"));
}

static bool listed(const struct expr *e, struct bz_view id) {
    for (size_t i = 0; i < e->n; i++) {
        if (bz_view_eq_nocase(id, bz_view_str(e->list[i])))
            return true;
    }
    return e->n == 0;
}

static bool either(struct expr *e);

/* A licence, perhaps with an exception (which only gives more rights), or a group. */
static bool simple(struct expr *e) {
    blanks(e);
    if (e->rest.n > 0 && e->rest.p[0] == '(' && e->depth < DEPTH_MAX) {
        e->rest = bz_view_sub(e->rest, 1, e->rest.n);
        e->depth++;
        bool ok = either(e);
        e->depth--;
        blanks(e);
        e->bad = e->bad || e->rest.n == 0 || e->rest.p[0] != ')';
        e->rest = bz_view_sub(e->rest, 1, e->rest.n);
        return ok;
    }
    struct bz_view id = word(e);
    e->bad = e->bad || id.n == 0 || is_operator(id);
    if (take(e, BZ_V("WITH"))) {
        struct bz_view exception = word(e);
        e->bad = e->bad || exception.n == 0 || is_operator(exception);
    }
    return listed(e, id);
}

static bool both(struct expr *e) {
    bool ok = simple(e);
    while (!e->bad && take(e, BZ_V("AND"))) {
        bool more = simple(e);
        ok = ok && more;
    }
    return ok;
}

static bool either(struct expr *e) {
    bool ok = both(e);
    while (!e->bad && take(e, BZ_V("OR"))) {
        bool more = both(e);
        ok = ok || more;
    }
    return ok;
}

enum bz_status bz_licence_check(struct bz_view text, char *const *list, size_t n) {
    struct expr e = {.rest = text, .list = list, .n = n};
    if (text.n == 0 || text.n > LICENCE_TEXT_MAX)
        return BZ_ESYNTAX;
    bool ok = either(&e);
    blanks(&e);
    if (e.bad || e.rest.n > 0)
        return BZ_ESYNTAX;
    return ok ? BZ_OK : BZ_EDENIED;
}
