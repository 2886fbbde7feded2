/* Records, scores, rules, packs, times. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include <bartizan/advisory.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct bz_arena ar;

static struct bz_json *json(const char *text) {
    struct bz_json *root = NULL;
    struct bz_diag d = {0, NULL};
    if (bz_json_parse(bz_view_str(text), NULL, &ar, &root, &d) != BZ_OK)
        fail_msg("%s: %s", text, d.why);
    return root;
}

static int setup(void **state) {
    bz_arena_init(&ar, bz_alloc_heap, 64 << 20, NULL, 0);
    return bz_crypto_init() == BZ_OK ? 0 : -1;
}

static int teardown(void **state) {
    bz_arena_free(&ar);
    return 0;
}

#define ENTRY(eco, more)                                                                           \
    "{\"id\":\"T\",\"affected\":[{\"package\":{\"ecosystem\":\"" eco "\",\"name\":\"demo\"}," more \
    "}]}"
#define RANGE(type, events) "\"ranges\":[{\"type\":\"" type "\",\"events\":[" events "]}]"
#define E(k, v) "{\"" k "\":\"" v "\"}"

/* Facts of the specification: sorted or not, limits, last_affected, versions beside ranges. */
static void test_evaluation(void **state) {
    static const struct {
        const char *record, *ecosystem, *version;
        enum bz_affected want;
        const char *fixed;
    } rows[] = {
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0") "," E("fixed", "2"))), "PyPI", "1.9",
         BZ_AFFECTED_YES, "2"},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0") "," E("fixed", "2"))), "PyPI", "2.0",
         BZ_AFFECTED_NO, ""},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("fixed", "2") "," E("introduced", "0"))), "PyPI", "1.9",
         BZ_AFFECTED_YES, "2"},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "3") "," E("fixed", "4") "," E(
                                              "introduced", "0") "," E("fixed", "1"))),
         "PyPI", "2", BZ_AFFECTED_NO, ""},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "3") "," E("fixed", "4") "," E(
                                              "introduced", "0") "," E("fixed", "1"))),
         "PyPI", "3.5", BZ_AFFECTED_YES, "4"},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0") "," E("fixed", "1") "," E(
                                              "introduced", "1") "," E("fixed", "2"))),
         "PyPI", "1", BZ_AFFECTED_YES, "2"},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0") "," E("last_affected", "2"))),
         "PyPI", "2", BZ_AFFECTED_YES, ""},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0") "," E("last_affected", "2"))),
         "PyPI", "2+cu121", BZ_AFFECTED_YES, ""},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0") "," E("last_affected", "2"))),
         "PyPI", "2.post1", BZ_AFFECTED_NO, ""},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0") "," E("limit", "2"))), "PyPI", "1",
         BZ_AFFECTED_YES, ""},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0") "," E("limit", "2"))), "PyPI", "2",
         BZ_AFFECTED_NO, ""},
        {ENTRY("PyPI",
               RANGE("ECOSYSTEM", E("introduced", "0") "," E("limit", "2") "," E("limit", "5"))),
         "PyPI", "4", BZ_AFFECTED_YES, ""},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0") "," E("limit", "*"))), "PyPI", "9",
         BZ_AFFECTED_YES, ""},
        {ENTRY("PyPI", "\"versions\":[\"1.0\"]"), "PyPI", "1.0.0", BZ_AFFECTED_YES, ""},
        {ENTRY("PyPI", "\"versions\":[\"1.0\"]"), "PyPI", "1.1", BZ_AFFECTED_NO, ""},
        {ENTRY("PyPI", RANGE("GIT", E("introduced", "0")) ",\"versions\":[\"odd\"]"), "PyPI", "odd",
         BZ_AFFECTED_YES, ""},
        {ENTRY("PyPI", RANGE("GIT", E("introduced", "0"))), "PyPI", "1", BZ_AFFECTED_UNKNOWN, ""},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0") "," E("fixed", "2"))), "PyPI",
         "not a version", BZ_AFFECTED_UNKNOWN, ""},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0") "," E("fixed", "?"))), "PyPI", "1",
         BZ_AFFECTED_UNKNOWN, ""},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0"))), "PyPI", "", BZ_AFFECTED_UNKNOWN,
         ""},
        {ENTRY("PyPI", RANGE("ECOSYSTEM", E("introduced", "0"))), "npm", "1.0.0", BZ_AFFECTED_NO,
         ""},
        {ENTRY("Debian:12", RANGE("ECOSYSTEM", E("introduced", "0") "," E("fixed", "1:1-1"))),
         "Debian:12", "1:1-1~", BZ_AFFECTED_YES, "1:1-1"},
        {ENTRY("Debian", RANGE("ECOSYSTEM", E("introduced", "0"))), "Debian:12", "1",
         BZ_AFFECTED_YES, ""},
        {ENTRY("Debian:11", RANGE("ECOSYSTEM", E("introduced", "0"))), "Debian:12", "1",
         BZ_AFFECTED_NO, ""},
        {ENTRY("Alpine:v3.20", RANGE("ECOSYSTEM", E("introduced", "0"))), "Alpine:v3.20", "1",
         BZ_AFFECTED_UNKNOWN, ""},
        {ENTRY("npm", RANGE("SEMVER", E("introduced", "1.0.0-a") "," E("fixed", "1.0.0"))), "npm",
         "1.0.0-b", BZ_AFFECTED_YES, "1.0.0"},
        {ENTRY("Bartizan", "\"ecosystem_specific\":{\"scheme\":\"llamacpp\"}," RANGE(
                               "ECOSYSTEM", E("introduced", "0") "," E("fixed", "b8146"))),
         "Bartizan", "8145 (1a2b3c4)", BZ_AFFECTED_YES, "b8146"},
        {ENTRY("Bartizan", "\"ecosystem_specific\":{\"scheme\":\"llamacpp\"}," RANGE(
                               "ECOSYSTEM", E("introduced", "0") "," E("fixed", "b8146"))),
         "Bartizan", "1a2b3c4", BZ_AFFECTED_UNKNOWN, ""},
        {ENTRY("Bartizan", "\"ecosystem_specific\":{\"scheme\":\"rpm\"}," RANGE(
                               "ECOSYSTEM", E("introduced", "0"))),
         "Bartizan", "1", BZ_AFFECTED_UNKNOWN, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bz_advisory a;
        struct bz_view fixed;
        assert_int_equal(bz_advisory_read(json(rows[i].record), &a, NULL), BZ_OK);
        enum bz_affected got = bz_advisory_affects(&a, bz_view_str(rows[i].ecosystem), BZ_V("demo"),
                                                   bz_view_str(rows[i].version), &fixed);
        if (got != rows[i].want || !bz_view_eq(fixed, bz_view_str(rows[i].fixed)))
            fail_msg("row %zu: %s of %s: %d, '%.*s'", i, rows[i].version, rows[i].record, got,
                     (int)fixed.n, (const char *)fixed.p);
    }
}

static void test_read(void **state) {
    struct bz_advisory a;
    assert_int_equal(bz_advisory_read(json("{\"id\":\"A\",\"aliases\":[\"B\"],\"withdrawn\":\"2026-"
                                           "01-01T00:00:00Z\",\"details\":\"d\"}"),
                                      &a, NULL),
                     BZ_OK);
    assert_true(a.withdrawn && bz_advisory_named(&a, BZ_V("B")) &&
                !bz_advisory_named(&a, BZ_V("C")) && bz_view_eq(a.summary, BZ_V("d")));
    assert_int_equal(
        bz_advisory_read(json("{\"id\":\"A\",\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"CVSS:"
                              "3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"},"
                              "{\"type\":\"CVSS_V4\",\"score\":\"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/"
                              "VC:L/VI:L/VA:L/SC:N/SI:N/SA:N\"}]}"),
                         &a, NULL),
        BZ_OK);
    assert_int_equal(a.score, 69); /* the newer version of CVSS counts */
    assert_int_equal(a.severity, BZ_RATING_MEDIUM);
    assert_int_equal(
        bz_advisory_read(json("{\"id\":\"A\",\"database_specific\":{\"severity\":\"moderate\"}}"),
                         &a, NULL),
        BZ_OK);
    assert_int_equal(a.severity, BZ_RATING_MEDIUM);
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"id\":7}",
        "{\"id\":\"A\",\"affected\":{}}",
        "{\"id\":\"A\",\"aliases\":\"B\"}",
        "{\"id\":\"A\",\"affected\":[7]}",
        "{\"id\":\"A\",\"affected\":[{\"package\":{\"name\":\"x\"}}]}",
        "{\"id\":\"A\",\"affected\":[{\"ranges\":[{\"type\":\"GIT\"}]}]}"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(bz_advisory_read(json(bad[i]), &a, NULL), BZ_ESYNTAX);
}

static void test_scores(void **state) {
    static const struct {
        const char *vector;
        int want; /* -1: refused */
    } rows[] = {
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98},
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100},
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61},
        {"CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 78},
        {"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", 0},
        {"CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N", 81},
        {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 93},
        {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 100},
        {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N", 69},
        {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0},
        {"CVSS:4.0/AV:P/AC:H/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:L/SA:N/E:U/IR:H/MVC:H", 20},
        {"CVSS:2.0/AV:N/AC:L/Au:N/C:P/I:P/A:P", -1},
        {"AV:N/AC:L/Au:N/C:P/I:P/A:P", -1},
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", -1},
        {"CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", -1},
        {"CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", -1},
        {"CVSS:3.1", -1},
        {"", -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t t = 0;
        enum bz_status st = bz_cvss_score(bz_view_str(rows[i].vector), &t);
        if ((st == BZ_OK ? t : -1) != rows[i].want)
            fail_msg("%s: %d", rows[i].vector, st == BZ_OK ? t : -1);
    }
    char text[BZ_CVSS_MAX + 2];
    uint8_t t = 0;
    memset(text, 'A', sizeof text);
    assert_int_equal(bz_cvss_score(bz_view(text, BZ_CVSS_MAX + 1), &t), BZ_ETOOBIG);
    assert_int_not_equal(bz_cvss_score(bz_view(text, BZ_CVSS_MAX), &t), BZ_ETOOBIG);
    assert_int_equal(bz_rating_of_score(90), BZ_RATING_CRITICAL);
    assert_int_equal(bz_rating_of_score(89), BZ_RATING_HIGH);
    assert_int_equal(bz_rating_of_score(39), BZ_RATING_LOW);
}

#define PACK(name, version, more)                                                                  \
    "{\"name\":\"" name "\",\"version\":" version                                                  \
    ",\"issued\":\"2026-01-01\",\"expires\":\"2026-02-01\",\"advisories\":[" more "]}"

static void test_packs(void **state) {
    struct bz_advisory_key key, other;
    uint8_t secret[BZ_SIGN_SECRET_LEN], no[BZ_SIGN_SECRET_LEN];
    struct bz_advisory_pack p;
    struct bz_buf b;
    bz_sign_keypair(key.pub, secret);
    bz_sign_keypair(other.pub, no);
    bz_buf_init(&b, 1 << 20);
    bz_advisory_pack_sign(BZ_V(PACK("a-1", "7", "{\"id\":\"X\"}")), secret, &key, &b);
    const struct bz_advisory_key keys[] = {other, key};
    assert_int_equal(bz_advisory_pack_open(bz_buf_view(&b), keys, 2, &ar, &p, NULL), BZ_OK);
    assert_true(p.version == 7 && p.count == 1 && p.key == 1 && p.expires - p.issued == 31 * 86400);
    assert_int_equal(bz_advisory_pack_open(bz_buf_view(&b), keys, 1, &ar, &p, NULL), BZ_EDENIED);
    assert_int_equal(bz_advisory_pack_open(bz_buf_view(&b), NULL, 0, &ar, &p, NULL), BZ_EDENIED);
    /* Every bit of the file counts. */
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] ^= 1;
        assert_int_not_equal(bz_advisory_pack_open(bz_buf_view(&b), keys, 2, &ar, &p, NULL), BZ_OK);
        b.p[i] ^= 1;
        assert_int_not_equal(bz_advisory_pack_open(bz_view(b.p, i), keys, 2, &ar, &p, NULL), BZ_OK);
    }
    assert_int_equal(bz_advisory_pack_open(bz_buf_view(&b), keys, 2, &ar, &p, NULL), BZ_OK);
    uint8_t digest[BZ_HASH_LEN] = {0};
    assert_int_equal(bz_advisory_pack_accept(&p, 0, digest, p.expires - 1), BZ_OK);
    assert_int_equal(bz_advisory_pack_accept(&p, 0, digest, p.expires), BZ_EEXPIRED);
    assert_int_equal(bz_advisory_pack_accept(&p, 6, digest, 0), BZ_OK);
    assert_int_equal(bz_advisory_pack_accept(&p, 8, digest, 0), BZ_ERANGE);
    assert_int_equal(bz_advisory_pack_accept(&p, 7, digest, 0), BZ_ECORRUPT);
    assert_int_equal(bz_advisory_pack_accept(&p, 7, p.digest, 0), BZ_EEXISTS);
    bz_buf_free(&b);
    static const char *const bad[] = {
        "[]",
        "{}",
        PACK("A", "1", ""),
        PACK("", "1", ""),
        PACK("a", "0", ""),
        PACK("a", "\"1\"", ""),
        PACK("a", "1", "{}"),
        PACK("a", "1", "{\"id\":\"X\",\"database_specific\":{\"patch\":{}}}"),
        PACK("a", "1",
             "{\"id\":\"X\",\"database_specific\":{\"patch\":[{\"server\":\"o\",\"path\":\"/x "
             "y\"}]}}"),
        "{\"name\":\"a\",\"version\":1,\"issued\":\"2026-13-01\",\"expires\":\"2026-02-01\","
        "\"advisories\":[]}"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(bz_advisory_pack_read(bz_view_str(bad[i]), &ar, &p, NULL), BZ_ESYNTAX);
}

/* A pack may bring so many rules and no more. */
static void test_patch_limit(void **state) {
    for (size_t n = BZ_ADVISORY_PATCHES_MAX; n <= BZ_ADVISORY_PATCHES_MAX + 1; n++) {
        struct bz_buf b;
        struct bz_advisory_pack p;
        bz_buf_init(&b, 1 << 20);
        bz_buf_puts(&b, "{\"name\":\"a\",\"version\":1,\"issued\":\"2026-01-01\",\"expires\":"
                        "\"2026-02-01\",\"advisories\":[{\"id\":\"X\","
                        "\"database_specific\":{\"patch\":[");
        for (size_t i = 0; i < n; i++)
            bz_buf_puts(&b, i == 0 ? "{\"server\":\"o\",\"path\":\"/x\"}"
                                   : ",{\"server\":\"o\",\"path\":\"/x\"}");
        bz_buf_puts(&b, "]}}]}");
        assert_int_equal(bz_advisory_pack_read(bz_buf_view(&b), &ar, &p, NULL),
                         n > BZ_ADVISORY_PATCHES_MAX ? BZ_ETOOBIG : BZ_OK);
        bz_buf_free(&b);
    }
}

static void test_yaml(void **state) {
    static const struct {
        const char *yaml, *json; /* NULL: refused */
    } rows[] = {
        {"a: 1\nb: [x, \"true\", true, ~, '']\nc: {d: 1.10}\n",
         "{\"a\":\"1\",\"b\":[\"x\",\"true\",true,null,\"\"],\"c\":{\"d\":\"1.10\"}}"},
        {"- |\n  two\n  lines\n- >-\n  folded\n  text\n", "[\"two\\nlines\\n\",\"folded text\"]"},
        {"a: &x 1\nb: *x\n", NULL},
        {"a: !!str 1\n", NULL},
        {"a: 1\na: 2\n", NULL},
        {"a: 1\n---\nb: 2\n", NULL},
        {"[a: [\n", NULL},
        {"", NULL},
        {"{a: 1}: b\n", NULL},
        {"\"a\\0b\": 1\n", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bz_json *root = NULL;
        struct bz_buf b;
        enum bz_status st = bz_yaml_parse(bz_view_str(rows[i].yaml), &ar, &root, NULL);
        if ((st == BZ_OK) != (rows[i].json != NULL))
            fail_msg("%s: %s", rows[i].yaml, bz_status_text(st));
        if (st != BZ_OK)
            continue;
        bz_buf_init(&b, 4096);
        bz_json_write(&b, root);
        if (!bz_view_eq(bz_buf_view(&b), bz_view_str(rows[i].json)))
            fail_msg("%.*s", (int)b.n, (const char *)b.p);
        bz_buf_free(&b);
    }
    char deep[80];
    struct bz_json *root = NULL;
    memset(deep, '[', 33);
    memset(deep + 33, ']', 33);
    assert_int_equal(bz_yaml_parse(bz_view(deep + 1, 64), &ar, &root, NULL), BZ_OK);
    assert_int_equal(bz_yaml_parse(bz_view(deep, 66), &ar, &root, NULL), BZ_EDEPTH);
}

static void test_times(void **state) {
    static const struct {
        const char *text;
        uint64_t want; /* 0: refused */
    } rows[] = {{"2026-03-24", 1774310400},
                {"2026-03-24T10:11:12Z", 1774347072},
                {"2024-02-29T00:00:00.123456Z", 1709164800},
                {"2026-3-24", 0},
                {"2026-03-24T10:11:12", 0},
                {"2026-03-24T10:11:12.Z", 0},
                {"2026-00-24", 0},
                {"2026-03-24T25:00:00Z", 0},
                {"2026-03-24 10:11:12Z", 0},
                {"", 0},
                {"2026-03-24T10:11:12+01:00", 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t t = 0;
        enum bz_status st = bz_advisory_time(bz_view_str(rows[i].text), &t);
        if ((st == BZ_OK) != (rows[i].want != 0) || t != rows[i].want)
            fail_msg("%s: %llu", rows[i].text, (unsigned long long)t);
    }
}

static enum bz_status priority_of(const char *own, struct bz_priority *ret) {
    char text[512];
    struct bz_advisory a;
    struct bz_diag d = {0, NULL};
    (void)snprintf(text, sizeof text, "{\"id\":\"T\",\"database_specific\":%s}", own);
    assert_int_equal(bz_advisory_read(json(text), &a, &d), BZ_OK);
    return bz_advisory_priority(&a, ret, &d);
}

static void test_priority(void **state) {
    static const struct {
        const char *own;
        uint32_t epss;
    } good[] = {{"{\"epss\":{\"probability\":0.94321}}", 943210},
                {"{\"epss\":{\"probability\":\"0.94321\",\"percentile\":\"1\"}}", 943210},
                {"{\"epss\":{\"probability\":1}}", 1000000},
                {"{\"epss\":{\"probability\":\"1.000\"}}", 1000000},
                {"{\"epss\":{\"probability\":0.0000019}}", 1},
                {"{\"epss\":{\"probability\":0}}", 0}};
    static const char *const bad[] = {"{\"epss\":0.5}",
                                      "{\"epss\":{}}",
                                      "{\"epss\":{\"probability\":1.1}}",
                                      "{\"epss\":{\"probability\":-0.1}}",
                                      "{\"epss\":{\"probability\":\"0.\"}}",
                                      "{\"epss\":{\"probability\":\".5\"}}",
                                      "{\"epss\":{\"probability\":\"01\"}}",
                                      "{\"epss\":{\"probability\":1e-1}}",
                                      "{\"epss\":{\"probability\":0.5,\"percentile\":2}}",
                                      "{\"epss\":{\"probability\":\"0.1234567890123456789\"}}",
                                      "{\"ssvc\":\"act\"}",
                                      "{\"ssvc\":{\"decision\":\"ACT\"}}",
                                      "{\"ssvc\":{\"exploitation\":1}}",
                                      "{\"ssvc\":{\"automatable\":\"maybe\"}}"};
    struct bz_priority p;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(priority_of(good[i].own, &p), BZ_OK);
        assert_true(p.has_epss);
        assert_int_equal(p.epss, good[i].epss);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (priority_of(bad[i], &p) != BZ_ESYNTAX)
            fail_msg("taken: %s", bad[i]);
    }
    assert_int_equal(priority_of("{}", &p), BZ_OK);
    assert_true(!p.has_epss && p.urgency == 0 && !p.exploited);
    assert_int_equal(
        priority_of("{\"ssvc\":{\"exploitation\":\"active\",\"decision\":\"track*\"}}", &p), BZ_OK);
    assert_true(p.exploited && p.urgency == 2 && bz_view_eq(p.decision, BZ_V("track*")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_evaluation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read, setup, teardown),
        cmocka_unit_test(test_scores),
        cmocka_unit_test_setup_teardown(test_packs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patch_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_priority, setup, teardown),
        cmocka_unit_test_setup_teardown(test_yaml, setup, teardown),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
