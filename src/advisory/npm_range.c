/* Ranges of npm. Source: github.com/npm/node-semver, README "Ranges" and its grammar.
 *
 * Every set between "||" becomes a list of plain comparators, tested one after the other while they
 * are made, so nothing is stored: a version is in the range if one set takes it. As a whole the
 * range must be valid, so all of it is read even when the answer is known. */
#include "version.h"

enum op { OP_LT, OP_LE, OP_GT, OP_GE, OP_EQ };

struct bound { /* a version of numbers */
    uint64_t n[3];
    struct bz_view pre;
};

struct partial { /* "1", "1.x", "1.2.3-beta" */
    uint64_t n[3];
    size_t known; /* numbers before the first x or missing one */
    struct bz_view pre;
    bool mixed;   /* a number behind a placeholder: only "^", "~" and hyphens take that */
    bool doubled; /* more than one "v" or "=" in front: only placeholders may have them */
};

struct test {
    struct bound version;
    bool in;       /* no comparator refused it so far */
    bool same_pre; /* one with a pre-release had the same three numbers */
    bool bad;      /* a number above what npm can count */
};

static int cmp_bound(const struct bound *a, const struct bound *b) {
    static const struct bz_semver zero = {{{0}, {0}, {0}}, {0}};
    for (size_t i = 0; i < 3; i++) {
        if (a->n[i] != b->n[i])
            return a->n[i] < b->n[i] ? -1 : 1;
    }
    struct bz_semver x = zero, y = zero;
    x.pre = a->pre;
    y.pre = b->pre;
    return bz_semver_cmp(&x, &y);
}

static void compare(struct test *t, enum op op, const struct bound *b) {
    int c = cmp_bound(&t->version, b);
    const bool holds[] = {
        [OP_LT] = c<0, [OP_LE] = c <= 0, [OP_GT] = c> 0, [OP_GE] = c >= 0, [OP_EQ] = c == 0};
    t->in = t->in && holds[op];
    if (b->pre.n > 0 && memcmp(b->n, t->version.n, sizeof b->n) == 0)
        t->same_pre = true;
    for (size_t i = 0; i < 3; i++)
        t->bad = t->bad || b->n[i] >= 1ull << 53;
}

/* The numbers of p with number `at` one higher and zeros behind it. */
static struct bound above(const struct partial *p, size_t at, struct bz_view pre) {
    struct bound b = {.pre = pre};
    for (size_t i = 0; i < at; i++)
        b.n[i] = p->n[i];
    b.n[at] = p->n[at] + 1;
    return b;
}

static void between(struct test *t, const struct partial *p, size_t up) {
    struct bound from = {{p->n[0], p->n[1], p->n[2]}, p->pre}, to = above(p, up, BZ_V("0"));
    compare(t, OP_GE, &from);
    compare(t, OP_LT, &to);
}

static void caret(struct test *t, const struct partial *p) {
    size_t up = 0; /* the first number that is not 0 may not change */
    if (p->known == 0)
        return;
    while (up + 1 < p->known && p->n[up] == 0)
        up++;
    between(t, p, up);
}

static void tilde(struct test *t, const struct partial *p) {
    if (p->known > 0)
        between(t, p, p->known == 1 ? 0 : 1);
}

static void nothing(struct test *t) {
    const struct bound zero = {.pre = BZ_V("0")};
    compare(t, OP_LT, &zero);
}

/* Comparator with a placeholder: ">1.2" is ">=1.3.0", "<=1" is "<2.0.0-0". */
static void placeholder(struct test *t, enum op op, const struct partial *p) {
    struct bound b = {{p->n[0], p->n[1], p->n[2]}, {0}};
    if (p->known == 0) {
        if (op == OP_GT || op == OP_LT)
            nothing(t);
        return;
    }
    switch (op) {
    case OP_EQ:
        between(t, p, p->known - 1);
        return;
    case OP_GT:
        b = above(p, p->known - 1, (struct bz_view){0});
        compare(t, OP_GE, &b);
        return;
    case OP_LE:
        b = above(p, p->known - 1, BZ_V("0"));
        compare(t, OP_LT, &b);
        return;
    case OP_LT:
        b.pre = BZ_V("0");
        compare(t, OP_LT, &b);
        return;
    case OP_GE:
        compare(t, OP_GE, &b);
        return;
    }
}

/* ---- reading ---- */

static bool placeholder_char(uint8_t c) {
    return c == 'x' || c == 'X' || c == '*';
}

/* [v=]* number-or-x up to three times, then pre-release and build only behind the third. */
static bool read_partial(struct bz_view v, struct partial *ret) {
    struct partial p = {0};
    size_t at = 0, count = 0;
    bool open = true; /* no placeholder yet */
    while (at < v.n && (v.p[at] == 'v' || v.p[at] == '='))
        at++;
    p.doubled = at > 1 || (at == 1 && v.p[0] == '=');
    for (;;) {
        if (at < v.n && placeholder_char(v.p[at])) {
            at++;
            open = false;
        } else {
            uint64_t n;
            struct bz_view digits = bz_version_take_number(v, &at);
            if (digits.n == 0 || (digits.n > 1 && digits.p[0] == '0'))
                return false;
            if (open && !bz_semver_npm_number(digits, &n))
                return false;
            if (open)
                p.n[p.known++] = n;
            p.mixed = p.mixed || !open;
        }
        count++;
        if (count == 3 || at == v.n || v.p[at] != '.')
            break;
        at++;
    }
    if (at < v.n && (count < 3 || bz_semver_tail(v, at, &p.pre) != BZ_OK))
        return false;
    if (p.known < 3)
        p.pre = (struct bz_view){0};
    *ret = p;
    return true;
}

static bool is_blank(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct bz_view next_word(struct bz_view *v) {
    size_t n = 0;
    while (v->n > 0 && is_blank(v->p[0]))
        *v = bz_view_sub(*v, 1, v->n);
    while (n < v->n && !is_blank(v->p[n]))
        n++;
    struct bz_view word = bz_view_sub(*v, 0, n);
    *v = bz_view_sub(*v, n, v->n);
    return word;
}

enum how { HOW_SIMPLE, HOW_CARET, HOW_TILDE };

/* Takes the operator off the front of a word; none means "=". */
static enum how take_op(struct bz_view *v, enum op *ret) {
    static const struct {
        struct bz_view text;
        enum how how;
        enum op op;
    } ops[] = {{BZ_V("<="), HOW_SIMPLE, OP_LE}, {BZ_V(">="), HOW_SIMPLE, OP_GE},
               {BZ_V("<"), HOW_SIMPLE, OP_LT},  {BZ_V(">"), HOW_SIMPLE, OP_GT},
               {BZ_V("="), HOW_SIMPLE, OP_EQ},  {BZ_V("^"), HOW_CARET, OP_EQ},
               {BZ_V("~>"), HOW_TILDE, OP_EQ},  {BZ_V("~"), HOW_TILDE, OP_EQ}};
    *ret = OP_EQ;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (bz_view_starts(*v, ops[i].text)) {
            *v = bz_view_sub(*v, ops[i].text.n, v->n);
            *ret = ops[i].op;
            return ops[i].how;
        }
    }
    return HOW_SIMPLE;
}

static bool plain(struct test *t, enum op op, const struct partial *p) {
    if (p->known < 3) {
        placeholder(t, op, p);
        return !p->mixed;
    }
    const struct bound b = {{p->n[0], p->n[1], p->n[2]}, p->pre};
    compare(t, op, &b);
    return !p->doubled;
}

/* "a - b": both ends included, a missing number in b means all of them. */
static bool hyphen(struct test *t, struct bz_view from, struct bz_view to) {
    struct partial p;
    if (!read_partial(from, &p) || (p.known == 3 && p.doubled))
        return false;
    const struct bound low = {{p.n[0], p.n[1], p.n[2]}, p.pre};
    compare(t, OP_GE, &low);
    if (!read_partial(to, &p))
        return false;
    p.doubled = p.doubled && p.pre.n == 0;
    p.mixed = false;
    return plain(t, OP_LE, &p);
}

/* The next comparator of a set; its operator may stand apart. */
static bool comparator(struct test *t, struct bz_view word, struct bz_view *set) {
    struct partial p;
    enum op op;
    enum how how = take_op(&word, &op);
    if (word.n == 0)
        word = next_word(set);
    if (!read_partial(word, &p))
        return false;
    if (how == HOW_SIMPLE)
        return plain(t, op, &p);
    (how == HOW_CARET ? caret : tilde)(t, &p);
    return true;
}

static bool one_set(struct test *t, struct bz_view set) {
    struct bz_view rest = set, from = next_word(&rest), dash = next_word(&rest);
    if (bz_view_eq(dash, BZ_V("-"))) {
        struct bz_view to = next_word(&rest);
        return next_word(&rest).n == 0 && hyphen(t, from, to);
    }
    for (;;) {
        struct bz_view word = next_word(&set);
        if (word.n == 0)
            return true;
        if (!comparator(t, word, &set))
            return false;
    }
}

static struct bz_view next_set(struct bz_view *v, bool *ret_last) {
    const uint8_t *bar = v->n == 0 ? NULL : memmem(v->p, v->n, "||", 2);
    struct bz_view set = bz_view_sub(*v, 0, bar == NULL ? v->n : (size_t)(bar - v->p));
    *ret_last = bar == NULL;
    *v = bz_view_sub(*v, set.n + 2, v->n);
    return set;
}

enum bz_status bz_npm_range_has(struct bz_view range, struct bz_view version, bool *ret_has) {
    struct bz_semver s;
    struct bound b = {{0}, {0}};
    bool has = false, last = false;
    if (range.n > BZ_NPM_RANGE_MAX || version.n > BZ_VERSION_MAX)
        return BZ_ETOOBIG;
    BZ_TRY(bz_semver_parse(version, BZ_SEMVER_NPM, &s));
    for (size_t i = 0; i < 3; i++) {
        if (!bz_semver_npm_number(s.number[i], &b.n[i]))
            return BZ_ESYNTAX;
    }
    b.pre = s.pre;
    while (!last) {
        struct test t = {.version = b, .in = true};
        if (!one_set(&t, next_set(&range, &last)) || t.bad)
            return BZ_ESYNTAX;
        has = has || (t.in && (b.pre.n == 0 || t.same_pre));
    }
    *ret_has = has;
    return BZ_OK;
}
