/* Scores of CVSS vectors.
 *
 * Sources: FIRST, "CVSS v3.1 Specification Document", 7.1 (base equations; 3.0 differs only in how
 * it rounds) and "CVSS v4.0 Specification Document", 8 (MacroVectors, their scores, distances). Of
 * 3.x the base metrics count: temporal and environmental ones are an organisation's own and stand
 * in no advisory. */
#include "advisory_int.h"

enum { METRICS_MAX = 40 };

struct metric {
    struct bz_view name;
    uint8_t value;
};
struct vector {
    struct metric m[METRICS_MAX];
    size_t n;
};

static struct bz_view next_part(struct bz_view *v) {
    const uint8_t *slash = v->n == 0 ? NULL : memchr(v->p, '/', v->n);
    struct bz_view part = bz_view_sub(*v, 0, slash == NULL ? v->n : (size_t)(slash - v->p));
    *v = bz_view_sub(*v, part.n + 1, v->n);
    return part;
}

static uint8_t value_of(const struct vector *v, const char *name) {
    for (size_t i = 0; i < v->n; i++) {
        if (bz_view_eq(v->m[i].name, bz_view_str(name)))
            return v->m[i].value;
    }
    return 0;
}

/* "AV:N/AC:L/...": every metric once, its value one letter (supplemental ones may have words). */
static bool take_apart(struct bz_view text, struct vector *ret) {
    ret->n = 0;
    while (text.n > 0) {
        struct bz_view part = next_part(&text);
        const uint8_t *colon = part.n == 0 ? NULL : memchr(part.p, ':', part.n);
        if (colon == NULL || ret->n == METRICS_MAX || colon + 1 == part.p + part.n)
            return false;
        struct metric m = {bz_view(part.p, (size_t)(colon - part.p)), colon[1]};
        for (size_t i = 0; i < ret->n; i++) {
            if (bz_view_eq(ret->m[i].name, m.name))
                return false;
        }
        ret->m[ret->n++] = m;
    }
    return ret->n > 0;
}

/* Place of a metric's value in `values`, or -1. */
static int place(const struct vector *v, const char *name, const char *values) {
    uint8_t c = value_of(v, name);
    const char *at = c == 0 ? NULL : strchr(values, c);
    return at == NULL ? -1 : (int)(at - values);
}

/* ---- 3.0, 3.1 ---- */

/* "Roundup": the smallest number with one decimal that is not below; 3.1 counts in integers so that
 * every language gets the same. */
static int round_up(double x, bool v30) {
    if (v30) {
        int tenths = (int)(x * 10);
        return tenths + ((double)tenths / 10 < x);
    }
    long n = (long)(x * 100000 + 0.5);
    return (int)(n % 10000 == 0 ? n / 10000 : n / 10000 + 1);
}

static double power15(double x) {
    double p = 1;
    for (int i = 0; i < 15; i++)
        p *= x;
    return p;
}

static enum bz_status score3(const struct vector *v, bool v30, uint8_t *ret) {
    static const double av[] = {0.85, 0.62, 0.55, 0.2}, ac[] = {0.77, 0.44};
    static const double pr[2][3] = {{0.85, 0.62, 0.27}, {0.85, 0.68, 0.5}};
    static const double ui[] = {0.85, 0.62}, cia[] = {0.56, 0.22, 0};
    int m[] = {place(v, "AV", "NALP"), place(v, "AC", "LH"), place(v, "PR", "NLH"),
               place(v, "UI", "NR"),   place(v, "S", "UC"),  place(v, "C", "HLN"),
               place(v, "I", "HLN"),   place(v, "A", "HLN")};
    for (size_t i = 0; i < sizeof m / sizeof m[0]; i++) {
        if (m[i] < 0)
            return BZ_ESYNTAX;
    }
    bool changed = m[4] == 1;
    double iss = 1 - (1 - cia[m[5]]) * (1 - cia[m[6]]) * (1 - cia[m[7]]);
    double impact = changed ? 7.52 * (iss - 0.029) - 3.25 * power15(iss - 0.02) : 6.42 * iss;
    double exploit = 8.22 * av[m[0]] * ac[m[1]] * pr[changed][m[2]] * ui[m[3]];
    double sum = changed ? 1.08 * (impact + exploit) : impact + exploit;
    *ret = impact <= 0 ? 0 : (uint8_t)round_up(sum > 10 ? 10 : sum, v30);
    return BZ_OK;
}

/* ---- 4.0 ----
 *
 * Six equivalence classes (EQ1 to EQ6) make a MacroVector; each has a score. A vector lies somewhere
 * between the highest vector of its MacroVector and the next lower one: the score goes down by the
 * mean, over the classes, of the way covered. Scores in tenths; 0 where there is no such
 * MacroVector (EQ3 = 2 with EQ6 = 0). Rows: EQ1 EQ2 EQ3; columns: EQ4 EQ5 EQ6. */
static const uint8_t macro[18][18] = {
    {100, 99, 98, 95, 95, 92, 100, 96, 93, 87, 91, 81, 93, 90, 89, 80, 81, 68}, /* 000 */
    {98, 95, 95, 92, 90, 84, 93, 92, 89, 81, 81, 65, 88, 80, 78, 70, 69, 48},   /* 001 */
    {0, 92, 0, 82, 0, 72, 0, 79, 0, 69, 0, 50, 0, 69, 0, 55, 0, 27},            /* 002 */
    {99, 97, 95, 92, 92, 85, 95, 91, 90, 83, 84, 71, 92, 81, 82, 71, 72, 53},   /* 010 */
    {95, 93, 92, 85, 85, 73, 92, 82, 80, 72, 70, 59, 84, 70, 71, 52, 50, 30},   /* 011 */
    {0, 86, 0, 75, 0, 52, 0, 71, 0, 52, 0, 29, 0, 63, 0, 29, 0, 17},            /* 012 */
    {98, 95, 94, 87, 91, 81, 94, 89, 86, 74, 77, 64, 87, 75, 74, 63, 63, 49},   /* 100 */
    {94, 89, 88, 77, 76, 67, 86, 76, 74, 58, 59, 50, 72, 57, 57, 52, 52, 25},   /* 101 */
    {0, 83, 0, 70, 0, 54, 0, 65, 0, 58, 0, 26, 0, 53, 0, 21, 0, 13},            /* 102 */
    {95, 90, 88, 76, 76, 70, 90, 77, 75, 62, 61, 53, 77, 66, 68, 59, 52, 30},   /* 110 */
    {89, 78, 76, 67, 62, 58, 74, 59, 57, 57, 47, 23, 61, 52, 57, 29, 24, 16},   /* 111 */
    {0, 71, 0, 59, 0, 30, 0, 58, 0, 26, 0, 15, 0, 23, 0, 13, 0, 6},             /* 112 */
    {93, 87, 86, 72, 75, 58, 86, 74, 74, 61, 56, 34, 70, 54, 52, 40, 40, 22},   /* 200 */
    {85, 75, 74, 55, 62, 51, 72, 57, 55, 41, 46, 19, 53, 36, 34, 19, 19, 8},    /* 201 */
    {0, 64, 0, 51, 0, 20, 0, 47, 0, 21, 0, 11, 0, 24, 0, 9, 0, 4},              /* 202 */
    {88, 75, 73, 53, 60, 50, 73, 55, 59, 40, 41, 20, 54, 43, 45, 22, 20, 11},   /* 210 */
    {75, 55, 58, 45, 40, 21, 61, 51, 48, 18, 20, 9, 46, 18, 17, 7, 8, 2},       /* 211 */
    {0, 53, 0, 24, 0, 14, 0, 24, 0, 12, 0, 5, 0, 10, 0, 3, 0, 1},               /* 212 */
};

enum { EQ1, EQ2, EQ3, EQ4, EQ5, EQ6, EQ_COUNT };
enum metric4 { AV, PR, UI, AC, AT, VC, VI, VA, SC, SI, SA, CR, IR, AR, METRIC4_COUNT };

/* How far a value is from the worst one. */
struct levels {
    int8_t of[METRIC4_COUNT];
    int8_t e;
};

/* The environment's own value counts where it is given. */
static bool level(const struct vector *v, const char *name, const char *modified,
                  const char *values, int first, int8_t *ret) {
    int at = modified == NULL ? -1 : place(v, modified, values);
    if (at < 0)
        at = place(v, name, values);
    *ret = (int8_t)(at + first);
    return at >= 0;
}

static bool read_levels(const struct vector *v, struct levels *ret) {
    static const struct {
        const char *name, *modified, *values;
    } rows[] = {
        [AV] = {"AV", "MAV", "NALP"}, [PR] = {"PR", "MPR", "NLH"},  [UI] = {"UI", "MUI", "NPA"},
        [AC] = {"AC", "MAC", "LH"},   [AT] = {"AT", "MAT", "NP"},   [VC] = {"VC", "MVC", "HLN"},
        [VI] = {"VI", "MVI", "HLN"},  [VA] = {"VA", "MVA", "HLN"},  [SC] = {"SC", "MSC", "\1HLN"},
        [SI] = {"SI", "MSI", "SHLN"}, [SA] = {"SA", "MSA", "SHLN"}, [CR] = {"CR", NULL, "HML"},
        [IR] = {"IR", NULL, "HML"},   [AR] = {"AR", NULL, "HML"}};
    for (int i = 0; i < METRIC4_COUNT; i++) {
        bool there = level(v, rows[i].name, rows[i].modified, rows[i].values, 0, &ret->of[i]);
        if (!there && i >= CR &&
            (value_of(v, rows[i].name) == 0 || value_of(v, rows[i].name) == 'X'))
            ret->of[i] = 0; /* not defined: the worst is assumed */
        else if (!there)
            return false;
    }
    if (!level(v, "E", NULL, "APU", 0, &ret->e))
        ret->e = 0;
    return true;
}

static uint8_t class1(const int8_t *v) {
    if (v[AV] == 0 && v[PR] == 0 && v[UI] == 0)
        return 0;
    return v[AV] != 3 && (v[AV] == 0 || v[PR] == 0 || v[UI] == 0) ? 1 : 2;
}

static uint8_t class3(const int8_t *v) {
    if (v[VC] == 0 && v[VI] == 0)
        return 0;
    return v[VC] == 0 || v[VI] == 0 || v[VA] == 0 ? 1 : 2;
}

static uint8_t class4(const int8_t *v) {
    if (v[SI] == 0 || v[SA] == 0) /* safety */
        return 0;
    return v[SC] == 1 || v[SI] == 1 || v[SA] == 1 ? 1 : 2;
}

static uint8_t class6(const int8_t *v) {
    bool asked =
        (v[CR] == 0 && v[VC] == 0) || (v[IR] == 0 && v[VI] == 0) || (v[AR] == 0 && v[VA] == 0);
    return asked ? 0 : 1;
}

static void classes(const struct levels *l, uint8_t eq[EQ_COUNT]) {
    eq[EQ1] = class1(l->of);
    eq[EQ2] = l->of[AC] == 0 && l->of[AT] == 0 ? 0 : 1;
    eq[EQ3] = class3(l->of);
    eq[EQ4] = class4(l->of);
    eq[EQ5] = (uint8_t)l->e;
    eq[EQ6] = class6(l->of);
}

static int macro_score(const uint8_t eq[EQ_COUNT]) {
    if (eq[EQ1] > 2 || eq[EQ2] > 1 || eq[EQ3] > 2 || eq[EQ4] > 2 || eq[EQ5] > 2 || eq[EQ6] > 1)
        return 0;
    return macro[(eq[EQ1] * 2 + eq[EQ2]) * 3 + eq[EQ3]][(eq[EQ4] * 3 + eq[EQ5]) * 2 + eq[EQ6]];
}

static int macro_below(const uint8_t eq[EQ_COUNT], int which) {
    uint8_t next[EQ_COUNT];
    memcpy(next, eq, sizeof next);
    next[which]++;
    return macro_score(next);
}

/* Of EQ3 and EQ6, which depend on each other. */
static int macro_below_36(const uint8_t eq[EQ_COUNT]) {
    if (eq[EQ3] == 0 && eq[EQ6] == 0) {
        int left = macro_below(eq, EQ6), right = macro_below(eq, EQ3);
        return left > right ? left : right;
    }
    return macro_below(eq, eq[EQ6] == 0 ? EQ6 : EQ3);
}

/* The highest vectors of a class, as levels of its metrics in the order of enum metric4. */
struct top {
    uint8_t eq, of, of6; /* class, its value, EQ6 for EQ3 */
    int8_t level[6];
};
static const struct top tops[] = {
    {EQ1, 0, 0, {0, 0, 0}},
    {EQ1, 1, 0, {1, 0, 0}},
    {EQ1, 1, 0, {0, 1, 0}},
    {EQ1, 1, 0, {0, 0, 1}},
    {EQ1, 2, 0, {3, 0, 0}},
    {EQ1, 2, 0, {1, 1, 1}},
    {EQ2, 0, 0, {0, 0}},
    {EQ2, 1, 0, {1, 0}},
    {EQ2, 1, 0, {0, 1}},
    {EQ3, 0, 0, {0, 0, 0, 0, 0, 0}},
    {EQ3, 0, 1, {0, 0, 1, 1, 1, 0}},
    {EQ3, 0, 1, {0, 0, 0, 1, 1, 1}},
    {EQ3, 1, 0, {1, 0, 0, 0, 0, 0}},
    {EQ3, 1, 0, {0, 1, 0, 0, 0, 0}},
    {EQ3, 1, 1, {1, 0, 1, 0, 1, 0}},
    {EQ3, 1, 1, {1, 0, 0, 0, 1, 1}},
    {EQ3, 1, 1, {0, 1, 0, 1, 0, 1}},
    {EQ3, 1, 1, {0, 1, 1, 1, 0, 0}},
    {EQ3, 1, 1, {1, 1, 0, 0, 0, 1}},
    {EQ3, 2, 1, {1, 1, 1, 0, 0, 0}},
    {EQ4, 0, 0, {1, 0, 0}},
    {EQ4, 1, 0, {1, 1, 1}},
    {EQ4, 2, 0, {2, 2, 2}},
};

/* Way from the first top that is nowhere below the vector; -1: none. */
static int way(const struct levels *l, const uint8_t eq[EQ_COUNT], uint8_t which) {
    static const enum metric4 metrics[4][6] = {
        {AV, PR, UI}, {AC, AT}, {VC, VI, VA, CR, IR, AR}, {SC, SI, SA}};
    static const size_t count[4] = {3, 2, 6, 3};
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
        const struct top *t = &tops[i];
        int sum = 0;
        bool fits = t->eq == which && t->of == eq[which] && (which != EQ3 || t->of6 == eq[EQ6]);
        for (size_t k = 0; fits && k < count[which]; k++) {
            int d = l->of[metrics[which][k]] - t->level[k];
            fits = d >= 0;
            sum += d;
        }
        if (fits)
            return sum;
    }
    return -1;
}

static enum bz_status score4(const struct vector *v, uint8_t *ret) {
    static const uint8_t depth1[] = {1, 4, 5}, depth2[] = {1, 2}, depth4[] = {6, 5, 4};
    static const uint8_t depth36[3][2] = {{7, 6}, {8, 8}, {10, 10}};
    struct levels l;
    uint8_t eq[EQ_COUNT];
    if (!read_levels(v, &l))
        return BZ_ESYNTAX;
    if (l.of[VC] == 2 && l.of[VI] == 2 && l.of[VA] == 2 && l.of[SC] == 3 && l.of[SI] == 3 &&
        l.of[SA] == 3) {
        *ret = 0;
        return BZ_OK;
    }
    classes(&l, eq);
    int score = macro_score(eq), n = 0;
    const struct {
        uint8_t eq, depth;
        int below;
    } parts[] = {{EQ1, depth1[eq[EQ1]], macro_below(eq, EQ1)},
                 {EQ2, depth2[eq[EQ2]], macro_below(eq, EQ2)},
                 {EQ3, depth36[eq[EQ3]][eq[EQ6]], macro_below_36(eq)},
                 {EQ4, depth4[eq[EQ4]], macro_below(eq, EQ4)}};
    double down = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int covered = way(&l, eq, parts[i].eq);
        if (covered < 0)
            return BZ_EINTERNAL;
        if (parts[i].below == 0)
            continue;
        n++;
        down += (double)(score - parts[i].below) * covered / parts[i].depth;
    }
    if (macro_below(eq, EQ5) != 0)
        n++; /* one value per class: no way to cover */
    double exact = n == 0 ? score : score - down / n;
    *ret = exact <= 0 ? 0 : (uint8_t)(exact + 0.5 + 1e-6);
    return BZ_OK;
}

enum bz_status bz_cvss_score(struct bz_view text, uint8_t *ret_tenths) {
    struct vector v;
    struct bz_view rest = text, version = next_part(&rest);
    if (text.n > BZ_CVSS_MAX)
        return BZ_ETOOBIG;
    if (!take_apart(rest, &v))
        return BZ_ESYNTAX;
    if (bz_view_eq(version, BZ_V("CVSS:4.0")))
        return score4(&v, ret_tenths);
    bool v30 = bz_view_eq(version, BZ_V("CVSS:3.0"));
    return v30 || bz_view_eq(version, BZ_V("CVSS:3.1")) ? score3(&v, v30, ret_tenths) : BZ_EVERSION;
}
