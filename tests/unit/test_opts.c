/* Command-line options, nearest words, durations and dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "../../src/cli/opts.h"

static void nearest_word(void **state) {
    static const char *const words[] = {
        "status", "reload", "init", "up", "down", "audit", "requests-per-minute"};
    const size_t n = sizeof words / sizeof words[0];
    assert_string_equal(bz_nearest("stauts", words, n), "status");
    assert_string_equal(bz_nearest("relaod", words, n), "reload");
    assert_string_equal(bz_nearest("int", words, n), "init");
    assert_string_equal(bz_nearest("requests-per-minutes", words, n), "requests-per-minute");
    assert_string_equal(bz_nearest("req", words, n), "requests-per-minute");
    assert_null(bz_nearest("frobnicate", words, n));
    assert_null(bz_nearest("", words, 1));
    assert_null(bz_nearest("a-word-that-is-much-longer-than-forty-characters-is-near-to-nothing",
                           words, n));
}

static void durations(void **state) {
    static const struct {
        const char *text;
        enum bz_status st;
        uint64_t s;
    } cases[] = {
        {"45s", BZ_OK, 45},
        {"30m", BZ_OK, 1800},
        {"12h", BZ_OK, 43200},
        {"90d", BZ_OK, 7776000},
        {"2w", BZ_OK, 1209600},
        {"1y", BZ_OK, 31536000},
        {"0d", BZ_ERANGE, 0},
        {"101y", BZ_ERANGE, 0},
        {"d", BZ_ESYNTAX, 0},
        {"", BZ_ESYNTAX, 0},
        {"5", BZ_ESYNTAX, 0},
        {"-5d", BZ_ESYNTAX, 0},
        {"5 d", BZ_ESYNTAX, 0},
        {"5D", BZ_ESYNTAX, 0},
        {"1.5h", BZ_ESYNTAX, 0},
        {"99999999999999999999d", BZ_ERANGE, 0},
        {"18446744073709551615w", BZ_ERANGE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t s = 7;
        assert_int_equal(bz_duration_parse(cases[i].text, &s), cases[i].st);
        assert_int_equal(s, cases[i].st == BZ_OK ? cases[i].s : 7);
    }
}

static void expiries(void **state) {
    static const struct {
        const char *text;
        enum bz_status st;
        uint64_t t;
    } cases[] = {
        {"90d", BZ_OK, 1000 + 7776000},
        {"1970-01-02", BZ_OK, 86400},
        {"2027-01-31", BZ_OK, 1801353600},
        {"2027-01-31T10:00:00Z", BZ_OK, 1801389600},
        {"2028-02-29", BZ_OK, 1835395200},
        {"2027-02-29", BZ_ESYNTAX, 0},
        {"2100-02-29", BZ_ESYNTAX, 0},
        {"2000-03-01", BZ_OK, 951868800},
        {"1970-01-01", BZ_ERANGE, 0},
        {"2027-13-01", BZ_ESYNTAX, 0},
        {"2027-00-01", BZ_ESYNTAX, 0},
        {"2027-01-00", BZ_ESYNTAX, 0},
        {"2027-1-31", BZ_ESYNTAX, 0},
        {"2027-01-31T25:00:00Z", BZ_ESYNTAX, 0},
        {"2027-01-31T10:00:00", BZ_ESYNTAX, 0},
        {"tomorrow", BZ_ESYNTAX, 0},
        {"0d", BZ_ERANGE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t t = 7;
        assert_int_equal(bz_expiry_parse(cases[i].text, 1000, &t), cases[i].st);
        assert_int_equal(t, cases[i].st == BZ_OK ? cases[i].t : 7);
    }
}

#define S(lit) ((char[]){lit}) /* text that is not const */

struct parsed {
    bool flag;
    const char *text;
    struct bz_opt_many many;
    const char *words[2];
    size_t words_n;
    bool help;
};

static enum bz_status parse(struct parsed *p, char **argv) {
    const struct bz_opt list[] = {
        {"json", BZ_OPT_FLAG, &p->flag, NULL, "h"},
        {"listen", BZ_OPT_TEXT, &p->text, "A", "h"},
        {"name", BZ_OPT_MANY, &p->many, "N", "h"},
    };
    static const char *const names[] = {"DIR", "ID"};
    const struct bz_opts o = {"bartizan test DIR [ID]", NULL, list, 3, names, 1, 2};
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    *p = (struct parsed){.flag = false};
    return bz_opts_parse(&o, argc, argv, p->words, &p->words_n, &p->help);
}

static void options_good(void **state) {
    struct parsed p;
    char *argv[] = {S("test"),       S("--name"), S("a"),  S("dir"),  S("--listen=1:2"),
                    S("--name=b=c"), S("--json"), S("--"), S("--id"), NULL};
    assert_int_equal(parse(&p, argv), BZ_OK);
    assert_true(p.flag);
    assert_string_equal(p.text, "1:2");
    assert_int_equal(p.many.n, 2);
    assert_string_equal(p.many.v[1], "b=c");
    assert_int_equal(p.words_n, 2);
    assert_string_equal(p.words[0], "dir");
    assert_string_equal(p.words[1], "--id");
}

static char *bad[][8] = {
    {S("test"), NULL},                                       /* DIR missing */
    {S("test"), S("dir"), S("id"), S("more"), NULL},         /* a word too many */
    {S("test"), S("dir"), S("--jsn"), NULL},                 /* unknown */
    {S("test"), S("dir"), S("-x"), NULL},                    /* one dash */
    {S("test"), S("dir"), S("--json=1"), NULL},              /* a flag takes no value */
    {S("test"), S("dir"), S("--listen"), NULL},              /* value missing */
    {S("test"), S("dir"), S("--listen"), S("--json"), NULL}, /* another option is no value */
    {S("test"), S("dir"), S("--listen"), S("a"), S("--listen"), S("b"), NULL}, /* twice */
};

static void options_bad(void **state) {
    struct parsed p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(&p, bad[i]), BZ_EINVAL);
}

static void many_options_have_an_end(void **state) {
    struct parsed p;
    char *argv[2 * BZ_OPT_MANY_MAX + 8];
    char test[] = "test", dir[] = "dir", name[] = "--name=x";
    size_t n = 0;
    argv[n++] = test;
    argv[n++] = dir;
    for (size_t i = 0; i <= BZ_OPT_MANY_MAX; i++)
        argv[n++] = name;
    argv[n] = NULL;
    assert_int_equal(parse(&p, argv), BZ_EINVAL);
    argv[n - 1] = NULL;
    assert_int_equal(parse(&p, argv), BZ_OK);
    assert_int_equal(p.many.n, BZ_OPT_MANY_MAX);
}

static void messages_are_escaped(void **state) {
    assert_string_equal(bz_safe("a\x1b[31mb"), "a\\x1b[31mb");
    static char longer[5000];
    memset(longer, 'a', sizeof longer - 1);
    assert_true(strlen(bz_safe(longer)) < 1024);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_word),
        cmocka_unit_test(durations),
        cmocka_unit_test(expiries),
        cmocka_unit_test(options_good),
        cmocka_unit_test(options_bad),
        cmocka_unit_test(many_options_have_an_end),
        cmocka_unit_test(messages_are_escaped),
    };
    /* error messages go to stderr; they are not what is tested here */
    (void)!freopen("/dev/null", "w", stderr);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
