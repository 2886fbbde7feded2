/* Statistics, comparison with a baseline on both sides of chance, and the forms of a result. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bartizan/limits.h>
#include <bartizan/redteam.h>

static bool near(double a, double b) {
    return fabs(a - b) < 0.0005;
}

/* Against values of Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3. */
static void wilson(void **state) {
    struct bz_red_rate r = bz_red_rate(81, 263);
    assert_true(near(r.low, 0.2553) && near(r.high, 0.3662));
    r = bz_red_rate(15, 148);
    assert_true(near(r.low, 0.0624) && near(r.high, 0.1605));
    r = bz_red_rate(0, 20);
    assert_true(r.low == 0 && near(r.high, 0.1611));
    r = bz_red_rate(1, 29);
    assert_true(near(r.low, 0.0061) && near(r.high, 0.1718));
    r = bz_red_rate(29, 29);
    assert_true(r.high == 1 && r.low > 0.88);
    r = bz_red_rate(0, 0);
    assert_true(r.low == 0 && r.high == 1);
}

/* Newcombe 1998 (17:873), table II, method 10: 56/70 - 48/80 = 0.0524 to 0.3339; 9/10 - 3/10 =
 * 0.1705 to 0.8090; 5/56 - 0/29 = -0.0381 to 0.1926. */
static void a_fall_beyond_chance(void **state) {
    static const struct {
        uint64_t k, n, now_k, now_n;
        bool fell;
    } v[] = {{56, 70, 48, 80, true},     {9, 10, 3, 10, true},      {5, 56, 0, 29, false},
             {100, 100, 98, 100, false}, {100, 100, 90, 100, true}, {90, 100, 100, 100, false},
             {10, 10, 10, 10, false},    {0, 0, 0, 10, false},      {10, 10, 0, 0, false}};
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        struct bz_red_rate a = bz_red_rate(v[i].k, v[i].n), b = bz_red_rate(v[i].now_k, v[i].now_n);
        if (bz_red_fell(&a, &b) != v[i].fell)
            fail_msg("%zu", i);
    }
}

static struct bz_red_tally families[2];
static struct bz_red_trial trials[2];
static struct bz_red_finding findings[1];

static struct bz_red_result sample(void) {
    families[0] = (struct bz_red_tally){.name = BZ_V("override"),
                                        .title = BZ_V("Sets <rules> & \"orders\" aside"),
                                        .refs = BZ_V("AML.T0051.000"),
                                        .attacks = {90, 5, 5},
                                        .twins = {1, 2, 97},
                                        .adaptive = 50,
                                        .adaptive_passed = 3};
    families[1] = (struct bz_red_tally){.name = BZ_V("mcp"),
                                        .title = BZ_V("Poisons definitions"),
                                        .refs = BZ_V(""),
                                        .unchecked = 4};
    trials[0] = (struct bz_red_trial){
        .id = BZ_V("mail-01"), .domain = BZ_V("mail"), .forbid = BZ_RED_FORBID_CALL, .rounds = 16};
    trials[1] = (struct bz_red_trial){.id = BZ_V("mail-07"),
                                      .domain = BZ_V("mail"),
                                      .forbid = BZ_RED_FORBID_CANARY,
                                      .rounds = 30,
                                      .forbidden = 1,
                                      .nearest = 1};
    findings[0] = (struct bz_red_finding){.rule = BZ_V("mail-07"),
                                          .gene = BZ_V("mail-07 openai stream text base64 <x>"),
                                          .what = BZ_V("100 % can be recovered, read base64"),
                                          .forbidden = true};
    struct bz_red_result r = {.target = BZ_V("https://gate.example:8443"),
                              .mode = BZ_V("live"),
                              .time = 1800000000,
                              .seed = 7,
                              .rounds = 500,
                              .requests = 1234,
                              .families = families,
                              .families_n = 2,
                              .trials = trials,
                              .trials_n = 2,
                              .findings = findings,
                              .findings_n = 1,
                              .findings_more = 2,
                              .adaptive = 500,
                              .adaptive_forbidden = 1};
    memset(r.corpus, 0xab, sizeof r.corpus);
    memset(r.suite, 0xcd, sizeof r.suite);
    return r;
}

static void written_and_read(void **state) {
    struct bz_red_result r = sample(), back;
    struct bz_buf a, b;
    struct bz_arena ar;
    struct bz_diag diag;
    bz_buf_init(&a, 1 << 20);
    bz_buf_init(&b, 1 << 20);
    bz_arena_init(&ar, bz_alloc_heap, (size_t)16 << 20, NULL, 0);
    bz_red_write_json(&r, NULL, &a);
    assert_int_equal(bz_red_read(bz_buf_view(&a), &ar, &back, &diag), BZ_OK);
    bz_red_write_json(&back, NULL, &b);
    assert_true(bz_view_eq(bz_buf_view(&a), bz_buf_view(&b)));
    /* Every cut of it is refused. */
    for (size_t i = 0; i + 1 < a.n; i++)
        assert_int_not_equal(bz_red_read(bz_view(a.p, i), &ar, &back, &diag), BZ_OK);
    assert_int_equal(bz_red_read(BZ_V("{\"schema\":\"bartizan-redteam/2\"}"), &ar, &back, &diag),
                     BZ_EVERSION);
    assert_int_equal(bz_red_read(BZ_V("{\"schema\":\"other/1\"}"), &ar, &back, &diag), BZ_ESYNTAX);
    bz_arena_free(&ar);
    bz_buf_free(&a);
    bz_buf_free(&b);
}

static void compared(void **state) {
    struct bz_red_result was = sample();
    struct bz_red_tally now_families[2];
    struct bz_red_trial now_trials[2];
    struct bz_red_comparison c;
    was.families[0] = families[0];
    memcpy(now_families, families, sizeof families);
    memcpy(now_trials, trials, sizeof trials);
    struct bz_red_result now = was;
    now.families = now_families;
    now.trials = now_trials;
    bz_red_compare(&was, &now, &c);
    assert_int_equal(c.n, 0);
    now_families[0].attacks[BZ_RED_STOPPED] = 88; /* within chance */
    now_families[0].attacks[BZ_RED_PASSED] = 7;
    bz_red_compare(&was, &now, &c);
    assert_int_equal(c.n, 0);
    now_families[0].attacks[BZ_RED_STOPPED] = 60;
    now_families[0].attacks[BZ_RED_PASSED] = 35;
    bz_red_compare(&was, &now, &c);
    assert_int_equal(c.n, 2); /* stopped, and noticed */
    now_families[0] = families[0];
    now_families[0].twins[BZ_RED_STOPPED] = 20;
    now_families[0].twins[BZ_RED_PASSED] = 78;
    bz_red_compare(&was, &now, &c);
    assert_int_equal(c.n, 1);
    assert_string_equal(c.v[0].why, "more benign texts are stopped");
    now_families[0] = families[0];
    now_trials[0].forbidden = 1;
    bz_red_compare(&was, &now, &c);
    assert_int_equal(c.n, 1);
    now.corpus[0] ^= 1; /* of another corpus: rates say nothing, forbidden outcomes do */
    now_families[0].attacks[BZ_RED_STOPPED] = 1;
    bz_red_compare(&was, &now, &c);
    assert_true(c.other_corpus && c.n == 1);
}

static void holds(const struct bz_buf *b, const char *part) {
    size_t n = strlen(part);
    for (size_t i = 0; i + n <= b->n; i++)
        if (memcmp(b->p + i, part, n) == 0)
            return;
    fail_msg("no %s in\n%.*s", part, (int)b->n, (const char *)b->p);
}

static void lacks(const struct bz_buf *b, const char *part) {
    size_t n = strlen(part);
    for (size_t i = 0; i + n <= b->n; i++)
        if (memcmp(b->p + i, part, n) == 0)
            fail_msg("%s in\n%.*s", part, (int)b->n, (const char *)b->p);
}

static const char junit_golden[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<testsuites tests=\"4\" failures=\"1\" errors=\"0\">\n"
    "  <testsuite name=\"bartizan redteam\" tests=\"4\" failures=\"1\" errors=\"0\" "
    "skipped=\"1\">\n"
    "    <testcase classname=\"redteam.family\" name=\"override\"/>\n"
    "    <testcase classname=\"redteam.family\" name=\"mcp\"><skipped message=\"could not be "
    "checked\"/></testcase>\n"
    "    <testcase classname=\"redteam.scenario\" name=\"mail-01\"/>\n"
    "    <testcase classname=\"redteam.scenario\" name=\"mail-07\"><failure message=\"the "
    "forbidden outcome reached the "
    "client\">mail-07 openai stream text base64 &lt;x&gt;</failure></testcase>\n"
    "  </testsuite>\n</testsuites>\n";

static void golden_reports(void **state) {
    struct bz_red_result r = sample();
    struct bz_red_comparison c = {.n = 1};
    struct bz_buf b;
    c.v[0] = (struct bz_red_worse){BZ_V("override"), "fewer attacks are stopped",
                                   bz_red_rate(95, 100), bz_red_rate(60, 100)};
    bz_buf_init(&b, 1 << 20);
    bz_red_write_junit(&r, NULL, &b);
    if (!bz_view_eq(bz_buf_view(&b), bz_view_str(junit_golden)))
        fail_msg("%.*s", (int)b.n, (const char *)b.p);
    bz_buf_reset(&b);
    bz_red_write_junit(&r, &c, &b);
    holds(&b, "failures=\"2\"");
    bz_buf_reset(&b);
    bz_red_write_sarif(&r, &c, &b);
    holds(&b, "\"version\":\"2.1.0\"");
    holds(&b, "\"ruleId\":\"mail-07\",\"level\":\"error\"");
    holds(&b, "fewer attacks are stopped (baseline)");
    bz_buf_reset(&b);
    bz_red_write_html(&r, &c, &b);
    holds(&b, "Sets &lt;rules&gt; &amp; &quot;orders&quot; aside");
    holds(&b, "default-src 'none'");
    lacks(&b, "<x>");
    lacks(&b, "<script");
    lacks(&b, "<rules>");
    bz_buf_reset(&b);
    bz_red_write_text(&r, &c, &b);
    holds(&b, "override              100    90.0 % ( 82.6- 94.5)");
    holds(&b, "FORBIDDEN mail-07 openai stream text base64 <x>: 100 % can be recovered");
    holds(&b, "worse: override: fewer attacks are stopped");
    bz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wilson),           cmocka_unit_test(a_fall_beyond_chance),
        cmocka_unit_test(written_and_read), cmocka_unit_test(compared),
        cmocka_unit_test(golden_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
