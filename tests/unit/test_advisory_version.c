/* How versions compare: tables per scheme, and that each scheme is an order. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <bartizan/advisory.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int sign(int v) {
    return (v > 0) - (v < 0);
}

static int cmp(enum bz_version_scheme s, const char *a, const char *b) {
    int c = 99;
    enum bz_status st = bz_version_cmp(s, bz_view_str(a), bz_view_str(b), &c);
    if (st != BZ_OK)
        fail_msg("%s: %s, %s: %s", bz_version_scheme_name(s), a, b, bz_status_text(st));
    return sign(c);
}

/* Lists in ascending order; "=" begins an entry equal to the one before. */
static const char *const pep440[] = {"0",
                                     "=0.0",
                                     "=v0.0.0",
                                     "0.1.dev1",
                                     "0.1a1",
                                     "0.1",
                                     "1.dev0",
                                     "=1.0.dev",
                                     "=1-DEV0",
                                     "1.0.dev456",
                                     "1.0a1.dev1",
                                     "1.0a1",
                                     "=1.0-alpha.1",
                                     "=1.0ALPHA1",
                                     "1.0a2.dev456",
                                     "1.0a12.dev456",
                                     "1.0a12",
                                     "1.0b1.dev456",
                                     "=1.0.beta1-dev456",
                                     "1.0b2",
                                     "1.0b2.post345.dev456",
                                     "1.0b2.post345",
                                     "=1.0b2-345",
                                     "1.0rc1.dev456",
                                     "1.0rc1",
                                     "=1.0c1",
                                     "=1.0-pre1",
                                     "=1.0_preview_1",
                                     "1.0",
                                     "=1.0.0",
                                     "= 1.0 ",
                                     "=v1",
                                     "1.0+abc.5",
                                     "1.0+abc.7",
                                     "1.0+abc.7.x",
                                     "1.0+5",
                                     "=1.0+05",
                                     "1.0+5.1",
                                     "1.0.post456.dev34",
                                     "1.0.post456",
                                     "=1.0-456",
                                     "=1.0-r456",
                                     "=1.0rev456",
                                     "1.0.15",
                                     "1.1.dev1",
                                     "1.1",
                                     "1.10",
                                     "=1.010",
                                     "99999999999999999999999.0",
                                     "99999999999999999999999.1",
                                     "1!0.1",
                                     "=01!0.1.0",
                                     "2!0"};
static const char *const semver[] = {"0.0.0-0",
                                     "0.0.0",
                                     "=0",
                                     "=v0.0",
                                     "1.0.0-alpha",
                                     "1.0.0-alpha.1",
                                     "1.0.0-alpha.beta",
                                     "1.0.0-beta",
                                     "1.0.0-beta.2",
                                     "1.0.0-beta.11",
                                     "1.0.0-rc.1",
                                     "1.0.0",
                                     "=1.0.0+build.7",
                                     "=v1",
                                     "1.0.1--",
                                     "1.0.1-0a",
                                     "1.0.1",
                                     "1.2",
                                     "1.10.0",
                                     "999999999999999999999999.0.0"};
static const char *const dpkg[] = {"0~~",
                                   "0~~a",
                                   "0~",
                                   "0",
                                   "=0-0",
                                   "=0:0",
                                   "0a",
                                   "0+",
                                   "1.0~beta1~svc1245",
                                   "1.0~beta1",
                                   "1.0",
                                   "1.0-1~bpo12+1",
                                   "1.0-1",
                                   "=0:1.0-1",
                                   "=1.00-01",
                                   "1.0-1+deb12u1",
                                   "1.0-1.1",
                                   "1.0-10",
                                   "1.0a-1",
                                   "1.0+dfsg-1",
                                   "1.10",
                                   "2:0.1",
                                   "10:0"};
static const char *const npm[] = {
    "0.0.1", "=v0.0.1", "1.2.3-a", "1.2.3-a.b", "1.2.3", "=1.2.3+x", "9007199254740991.0.0"};
static const char *const llamacpp[] = {"b2",
                                       "b999",
                                       "b8145",
                                       "b8146",
                                       "=b8146-1a2b3c4",
                                       "=8146 (1a2b3c4)",
                                       "=b8146-unknown",
                                       "b8147",
                                       "b10000",
                                       "b99999999999999999999"};
static const char *const numbers[] = {"0",        "=0.0",       "1",       "1.0.1",
                                      "535.54.3", "=535.54.03", "535.104", "570.133.20"};

static const struct {
    enum bz_version_scheme scheme;
    const char *const *list;
    size_t n;
} lists[] = {
    {BZ_VERSION_PEP440, pep440, COUNT(pep440)},
    {BZ_VERSION_SEMVER, semver, COUNT(semver)},
    {BZ_VERSION_DPKG, dpkg, COUNT(dpkg)},
    {BZ_VERSION_NPM, npm, COUNT(npm)},
    {BZ_VERSION_LLAMACPP, llamacpp, COUNT(llamacpp)},
    {BZ_VERSION_NUMBERS, numbers, COUNT(numbers)},
};

/* Every pair of a list, both ways: reflexive, antisymmetric, transitive over the whole list. */
static void test_orders(void **state) {
    for (size_t l = 0; l < COUNT(lists); l++) {
        size_t rank[64] = {0};
        assert_true(lists[l].n <= COUNT(rank));
        for (size_t i = 1; i < lists[l].n; i++)
            rank[i] = rank[i - 1] + (lists[l].list[i][0] != '=');
        for (size_t i = 0; i < lists[l].n; i++) {
            for (size_t j = 0; j < lists[l].n; j++) {
                const char *a = lists[l].list[i], *b = lists[l].list[j];
                int want = (rank[i] > rank[j]) - (rank[i] < rank[j]);
                int got = cmp(lists[l].scheme, a + (a[0] == '='), b + (b[0] == '='));
                if (got != want)
                    fail_msg("%s: %s against %s: %d", bz_version_scheme_name(lists[l].scheme), a, b,
                             got);
            }
        }
    }
}

static void test_refused(void **state) {
    static const struct {
        enum bz_version_scheme scheme;
        const char *text;
        enum bz_status want;
    } rows[] = {
        {BZ_VERSION_PEP440, "", BZ_ESYNTAX},
        {BZ_VERSION_PEP440, "1.0.", BZ_ESYNTAX},
        {BZ_VERSION_PEP440, "1..0", BZ_ESYNTAX},
        {BZ_VERSION_PEP440, "1.0+", BZ_ESYNTAX},
        {BZ_VERSION_PEP440, "1.0+a..b", BZ_ESYNTAX},
        {BZ_VERSION_PEP440, "1.0+_a", BZ_ESYNTAX},
        {BZ_VERSION_PEP440, "1.0+a.", BZ_ESYNTAX},
        {BZ_VERSION_PEP440, "1.0 a1", BZ_ESYNTAX},
        {BZ_VERSION_PEP440, "1.0.gamma1", BZ_ESYNTAX},
        {BZ_VERSION_PEP440, "1.0!2", BZ_ESYNTAX},
        {BZ_VERSION_PEP440, "!1", BZ_ESYNTAX},
        {BZ_VERSION_PEP440, "french toast", BZ_ESYNTAX},
        {BZ_VERSION_SEMVER, "1.2.3.4", BZ_ESYNTAX},
        {BZ_VERSION_SEMVER, "1.02.3", BZ_ESYNTAX},
        {BZ_VERSION_SEMVER, "1.2.3-01", BZ_ESYNTAX},
        {BZ_VERSION_SEMVER, "1.2.3-", BZ_ESYNTAX},
        {BZ_VERSION_SEMVER, "1.2.3-a..b", BZ_ESYNTAX},
        {BZ_VERSION_SEMVER, "1.2.3+", BZ_ESYNTAX},
        {BZ_VERSION_SEMVER, "latest", BZ_ESYNTAX},
        {BZ_VERSION_SEMVER, "1.", BZ_ESYNTAX},
        {BZ_VERSION_NPM, "1.2", BZ_ESYNTAX},
        {BZ_VERSION_NPM, "9007199254740992.0.0", BZ_ESYNTAX},
        {BZ_VERSION_DPKG, ":1", BZ_ESYNTAX},
        {BZ_VERSION_DPKG, "a:1", BZ_ESYNTAX},
        {BZ_VERSION_DPKG, "1:", BZ_ESYNTAX},
        {BZ_VERSION_DPKG, "1.0-", BZ_ESYNTAX},
        {BZ_VERSION_DPKG, "1 0", BZ_ESYNTAX},
        {BZ_VERSION_DPKG, "1.0_1", BZ_ESYNTAX},
        {BZ_VERSION_DPKG, "2147483648:1", BZ_ESYNTAX},
        {BZ_VERSION_LLAMACPP, "1a2b3c4", BZ_EUNAVAIL},
        {BZ_VERSION_LLAMACPP, "1234567", BZ_EUNAVAIL},
        {BZ_VERSION_LLAMACPP, "unknown", BZ_EUNAVAIL},
        {BZ_VERSION_LLAMACPP, "b0-unknown", BZ_EUNAVAIL},
        {BZ_VERSION_LLAMACPP, "b1-1a2b3c4", BZ_EUNAVAIL},
        {BZ_VERSION_LLAMACPP, "8146", BZ_ESYNTAX},
        {BZ_VERSION_LLAMACPP, "b8146x", BZ_ESYNTAX},
        {BZ_VERSION_LLAMACPP, "B8146", BZ_ESYNTAX},
        {BZ_VERSION_LLAMACPP, "b8146-", BZ_ESYNTAX},
        {BZ_VERSION_NUMBERS, "1.", BZ_ESYNTAX},
        {BZ_VERSION_NUMBERS, "1a", BZ_ESYNTAX},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (bz_version_check(rows[i].scheme, bz_view_str(rows[i].text)) != rows[i].want)
            fail_msg("%s: %s", bz_version_scheme_name(rows[i].scheme), rows[i].text);
    }
}

static void test_length(void **state) {
    uint8_t text[BZ_VERSION_MAX + 1];
    memset(text, '7', sizeof text);
    for (unsigned s = 0; s < BZ_VERSION_SCHEME_COUNT; s++)
        assert_int_equal(bz_version_check((enum bz_version_scheme)s, bz_view(text, sizeof text)),
                         BZ_ETOOBIG);
    assert_int_equal(bz_version_check(BZ_VERSION_PEP440, bz_view(text, sizeof text - 1)), BZ_OK);
    assert_int_equal(bz_version_check(BZ_VERSION_SCHEME_COUNT, BZ_V("1")), BZ_EINVAL);
}

/* Below, at and above the fix. */
static void test_within(void **state) {
    static const struct {
        enum bz_version_scheme scheme;
        const char *introduced, *fixed, *version;
        bool want;
    } rows[] = {
        {BZ_VERSION_SEMVER, "0", "0.17.1", "0.17.0", true},
        {BZ_VERSION_SEMVER, "0", "0.17.1", "0.17.1-rc1", true},
        {BZ_VERSION_SEMVER, "0", "0.17.1", "0.17.1", false},
        {BZ_VERSION_SEMVER, "0", "0.17.1", "0.18.0", false},
        {BZ_VERSION_LLAMACPP, "", "b8146", "b8145", true},
        {BZ_VERSION_LLAMACPP, "", "b8146", "b8146", false},
        {BZ_VERSION_LLAMACPP, "", "b8146", "b8147-1a2b3c4", false},
        {BZ_VERSION_DPKG, "0", "1.17.8", "1.17.7-1", true},
        {BZ_VERSION_DPKG, "0", "1.17.8", "1.17.8~rc.1-1", true},
        {BZ_VERSION_DPKG, "0", "1.17.8", "1.17.8-1", false},
        {BZ_VERSION_DPKG, "0", "1:1.2", "1.17.8", true},
        {BZ_VERSION_DPKG, "0", "1:1.2", "1:1.2", false},
        {BZ_VERSION_PEP440, "1.82.7", "1.82.9", "1.82.6", false},
        {BZ_VERSION_PEP440, "1.82.7", "1.82.9", "1.82.7", true},
        {BZ_VERSION_PEP440, "1.82.7", "", "2!0", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool in = !rows[i].want;
        assert_int_equal(bz_version_within(rows[i].scheme, bz_view_str(rows[i].version),
                                           bz_view_str(rows[i].introduced),
                                           bz_view_str(rows[i].fixed), &in),
                         BZ_OK);
        if (in != rows[i].want)
            fail_msg("%s in [%s, %s)", rows[i].version, rows[i].introduced, rows[i].fixed);
    }
    bool in = true;
    assert_int_equal(
        bz_version_within(BZ_VERSION_LLAMACPP, BZ_V("1a2b3c4"), BZ_V("0"), BZ_V("b8146"), &in),
        BZ_EUNAVAIL);
}

static void test_npm_ranges(void **state) {
    static const struct {
        const char *range, *version;
        int want; /* -1: the range is refused */
    } rows[] = {
        {"^1.2.3", "1.2.2", 0},
        {"^1.2.3", "1.2.3", 1},
        {"^1.2.3", "1.99.0", 1},
        {"^1.2.3", "2.0.0", 0},
        {"^1.2.3", "2.0.0-a", 0},
        {"^1.2.3-b.2", "1.2.3-b.4", 1},
        {"^1.2.3-b.2", "1.2.4-b.4", 0},
        {"^0.2.3", "0.3.0", 0},
        {"^0.0.3", "0.0.4", 0},
        {"^0.0.3", "0.0.3", 1},
        {"^0.0", "0.0.9", 1},
        {"^0.0", "0.1.0", 0},
        {"^0.x", "0.9.0", 1},
        {"^1.x", "1.0.0", 1},
        {"~1.2.3", "1.2.9", 1},
        {"~1.2.3", "1.3.0", 0},
        {"~1", "1.9.0", 1},
        {"~>1.2", "1.2.8", 1},
        {"~ 1.2.3", "1.2.4", 1},
        {"1.2.x", "1.2.7", 1},
        {"1.*", "2.0.0", 0},
        {"*", "7.0.0", 1},
        {"*", "7.0.0-a", 0},
        {"", "1.0.0", 1},
        {"1.2 - 2.3.4", "2.3.4", 1},
        {"1.2 - 2.3.4", "2.3.5", 0},
        {"1.2.3 - 2.3", "2.3.99", 1},
        {"1.2.3 - 2.3", "2.4.0", 0},
        {"1.2.3 - 2", "2.99.0", 1},
        {">1.2", "1.2.9", 0},
        {">1.2", "1.3.0", 1},
        {"<=1.2", "1.2.9", 1},
        {"<1.2", "1.2.0-a", 0},
        {">=1.2.3 <2.0.0", "1.5.0", 1},
        {">= 1.2.3 < 2", "2.0.0", 0},
        {"<1.0.0 || >=2.3.1 <2.4.5", "2.4.0", 1},
        {"<1.0.0 || >=2.3.1", "1.5.0", 0},
        {"<0.0.0", "0.0.0", 0},
        {">*", "1.0.0", 0},
        {"=1.2.3", "1.2.3", 1},
        {"v1.2.3", "1.2.3", 1},
        {">=v1.2.3", "1.2.4", 1},
        {"==1.2.3", "1.2.3", -1},
        {"^", "1.0.0", -1},
        {"1.2.3 || wrong", "1.2.3", -1},
        {"1.2.3.4", "1.2.3", -1},
        {"01.2.3", "1.2.3", -1},
        {"1.2.3 -", "1.2.3", -1},
        {"^9007199254740991", "1.0.0", -1},
        {"latest", "1.0.0", -1},
        {"x.1", "1.0.0", -1},
        {"^x.1.2", "1.0.0", 1},
        {"x.1 - 2", "1.0.0", 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool has = false;
        enum bz_status st =
            bz_npm_range_has(bz_view_str(rows[i].range), bz_view_str(rows[i].version), &has);
        int got = st == BZ_OK ? has : -1;
        if (got != rows[i].want)
            fail_msg("'%s' and %s: %d", rows[i].range, rows[i].version, got);
    }
    char text[BZ_NPM_RANGE_MAX + 1];
    bool has = false;
    memset(text, ' ', sizeof text);
    assert_int_equal(bz_npm_range_has(bz_view(text, sizeof text), BZ_V("1.0.0"), &has), BZ_ETOOBIG);
    assert_int_equal(bz_npm_range_has(bz_view(text, sizeof text - 1), BZ_V("1.0.0"), &has), BZ_OK);
    assert_true(has);
}

static void test_names(void **state) {
    uint8_t out[32];
    size_t n = bz_pypi_name(BZ_V("Foo._-Bar_9."), out);
    assert_true(bz_view_eq(bz_view(out, n), BZ_V("foo-bar-9-")));
    enum bz_version_scheme s = BZ_VERSION_NPM;
    assert_int_equal(bz_version_scheme_find(BZ_V("dpkg"), &s), BZ_OK);
    assert_int_equal(s, BZ_VERSION_DPKG);
    assert_int_equal(bz_version_scheme_find(BZ_V("rpm"), &s), BZ_ENOTFOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_length),     cmocka_unit_test(test_within),
        cmocka_unit_test(test_npm_ranges), cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
