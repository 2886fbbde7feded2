/* Versions of Python packages. Source: PEP 440, "Version scheme" and appendix B.
 *
 *   [N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local]
 *
 * with the spellings that its "Normalization" allows. The order within one release is
 *   dev of nothing < a < b < rc < (no suffix) < post; at each of these, dev before not dev, and a
 *   local label after none. */
#include "version.h"

enum phase { PHASE_DEV, PHASE_A, PHASE_B, PHASE_RC, PHASE_FINAL };

struct pep440 {
    struct bz_view epoch, release; /* release: numbers and dots */
    enum phase phase;
    struct bz_view pre, post, dev, local;
    bool has_post, has_dev;
};

static const struct {
    struct bz_view word;
    enum phase phase;
} pre_words[] = {
    {BZ_V("alpha"), PHASE_A}, {BZ_V("a"), PHASE_A},        {BZ_V("beta"), PHASE_B},
    {BZ_V("b"), PHASE_B},     {BZ_V("preview"), PHASE_RC}, {BZ_V("pre"), PHASE_RC},
    {BZ_V("c"), PHASE_RC},    {BZ_V("rc"), PHASE_RC},
};
static const struct bz_view post_words[] = {BZ_V("post"), BZ_V("rev"), BZ_V("r")};

static bool separator(uint8_t c) {
    return c == '-' || c == '_' || c == '.';
}

static bool blank(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* [sep] word [sep] [number]; *at moves behind it only if the word is there. */
static bool take(struct bz_view v, size_t *at, struct bz_view word, struct bz_view *ret_number) {
    size_t i = *at;
    if (i < v.n && separator(v.p[i]))
        i++;
    if (!bz_view_eq_nocase(bz_view_sub(v, i, word.n), word))
        return false;
    i += word.n;
    if (i < v.n && separator(v.p[i]))
        i++;
    *ret_number = bz_version_take_number(v, &i);
    *at = i;
    return true;
}

static void take_pre(struct bz_view v, size_t *at, struct pep440 *p) {
    for (size_t i = 0; i < sizeof pre_words / sizeof pre_words[0]; i++) {
        if (take(v, at, pre_words[i].word, &p->pre)) {
            p->phase = pre_words[i].phase;
            return;
        }
    }
}

static void take_post(struct bz_view v, size_t *at, struct pep440 *p) {
    if (*at + 1 < v.n && v.p[*at] == '-' && bz_version_digit(v.p[*at + 1])) { /* "1.0-1" */
        (*at)++;
        p->post = bz_version_take_number(v, at);
        p->has_post = true;
        return;
    }
    for (size_t i = 0; i < sizeof post_words / sizeof post_words[0] && !p->has_post; i++)
        p->has_post = take(v, at, post_words[i], &p->post);
}

static bool local_ok(struct bz_view v) {
    bool word = false;
    for (size_t i = 0; i < v.n; i++) {
        bool sep = separator(v.p[i]);
        if (sep ? !word : !bz_version_digit(v.p[i]) && !bz_version_letter(v.p[i]))
            return false;
        word = !sep;
    }
    return word;
}

static struct bz_view take_release(struct bz_view v, size_t *at) {
    size_t from = *at;
    if (bz_version_take_number(v, at).n == 0)
        return (struct bz_view){0};
    while (*at + 1 < v.n && v.p[*at] == '.' && bz_version_digit(v.p[*at + 1])) {
        (*at)++;
        (void)bz_version_take_number(v, at);
    }
    return bz_view_sub(v, from, *at - from);
}

static enum bz_status parse(struct bz_view v, struct pep440 *ret) {
    struct pep440 p = {.phase = PHASE_FINAL};
    size_t at = 0;
    while (v.n > 0 && blank(v.p[0]))
        v = bz_view_sub(v, 1, v.n);
    while (v.n > 0 && blank(v.p[v.n - 1]))
        v.n--;
    if (v.n > 0 && bz_version_lower(v.p[0]) == 'v')
        at = 1;
    p.release = take_release(v, &at);
    if (p.release.n == 0)
        return BZ_ESYNTAX;
    if (at < v.n && v.p[at] == '!' && memchr(p.release.p, '.', p.release.n) == NULL) {
        at++;
        p.epoch = p.release;
        p.release = take_release(v, &at);
    }
    if (p.release.n == 0)
        return BZ_ESYNTAX;
    take_pre(v, &at, &p);
    take_post(v, &at, &p);
    p.has_dev = take(v, &at, BZ_V("dev"), &p.dev);
    if (at < v.n && v.p[at] == '+') {
        p.local = bz_view_sub(v, at + 1, v.n);
        if (!local_ok(p.local))
            return BZ_ESYNTAX;
        at = v.n;
    }
    if (at != v.n)
        return BZ_ESYNTAX;
    if (p.phase == PHASE_FINAL && !p.has_post && p.has_dev)
        p.phase = PHASE_DEV;
    *ret = p;
    return BZ_OK;
}

static int cmp_release(struct bz_view a, struct bz_view b) {
    size_t i = 0, j = 0;
    while (i < a.n || j < b.n) {
        struct bz_view x = bz_version_take_number(a, &i), y = bz_version_take_number(b, &j);
        int c = bz_version_cmp_number(x, y);
        if (c != 0)
            return c;
        i += i < a.n;
        j += j < b.n;
    }
    return 0;
}

static struct bz_view next_label(struct bz_view *v) {
    size_t n = 0;
    while (n < v->n && !separator(v->p[n]))
        n++;
    struct bz_view label = bz_view_sub(*v, 0, n);
    *v = bz_view_sub(*v, n + 1, v->n);
    return label;
}

static int cmp_label(struct bz_view a, struct bz_view b) {
    size_t i = 0, j = 0;
    bool x = bz_version_take_number(a, &i).n == a.n, y = bz_version_take_number(b, &j).n == b.n;
    if (x && y)
        return bz_version_cmp_number(a, b);
    if (x != y) /* numbers after words */
        return x ? 1 : -1;
    for (i = 0; i < a.n && i < b.n; i++) {
        int c = bz_version_lower(a.p[i]) - bz_version_lower(b.p[i]);
        if (c != 0)
            return c;
    }
    return (a.n > b.n) - (a.n < b.n);
}

static int cmp_local(struct bz_view a, struct bz_view b) {
    while (a.n > 0 && b.n > 0) {
        struct bz_view x = next_label(&a), y = next_label(&b);
        int c = cmp_label(x, y);
        if (c != 0)
            return c;
    }
    return (a.n > 0) - (b.n > 0);
}

static int cmp_parsed(const struct pep440 *a, const struct pep440 *b) {
    int c = bz_version_cmp_number(a->epoch, b->epoch);
    if (c == 0)
        c = cmp_release(a->release, b->release);
    if (c == 0)
        c = (int)a->phase - (int)b->phase;
    if (c == 0)
        c = bz_version_cmp_number(a->pre, b->pre);
    if (c == 0)
        c = a->has_post - b->has_post;
    if (c == 0)
        c = bz_version_cmp_number(a->post, b->post);
    if (c == 0)
        c = b->has_dev - a->has_dev;
    if (c == 0)
        c = bz_version_cmp_number(a->dev, b->dev);
    return c != 0 ? c : cmp_local(a->local, b->local);
}

static enum bz_status check(struct bz_view v) {
    struct pep440 p;
    return parse(v, &p);
}

static int cmp(struct bz_view a, struct bz_view b) {
    struct pep440 x, y;
    if (parse(a, &x) != BZ_OK || parse(b, &y) != BZ_OK)
        return 0;
    return cmp_parsed(&x, &y);
}

const struct bz_version_ops bz_version_pep440_ops = {"pep440", check, cmp};
