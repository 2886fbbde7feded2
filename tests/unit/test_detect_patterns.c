/* Patterns of the customer in streams: whole and cut agree for all that the language can say, and
 * text that no match begins with does not wait. */
#include "detect_kit.h"

#define LIT(s)                                                                                     \
    { (const uint8_t *)(s), sizeof(s) - 1 }

static const struct {
    struct bz_view pattern;
    bool nocase, whole_word;
} rows[] = {
    {LIT("PN-[0-9]{3,5}"), false, false},
    {LIT("\\bPN-?[0-9]{3}\\b"), false, false},
    {LIT("(?:PN|QX)[-/]\\d{2,4}"), false, false},
    {LIT("PN-1|QX-22?|z"), false, false},
    {LIT("[A-Z]{2}-?\\d{1,3}[a-z]?"), false, true},
    {LIT("pn[^a-z\\n]{1,6}x"), true, false},
    {LIT("^qx.{1,4}$"), true, false},
    {LIT("q\\-\\d?x{0,2}\\."), false, false},
    {LIT("(q|p)(n|x)+?-"), false, false}, /* without a bound: refused */
    {LIT("[\\w-]{3}\\s{1,2}[[:digit:]]"), false, false},
    {LIT("\\x50N\\x2d"), false, false},
    {LIT("(?i)pn-q{1,3}"), false, false},
    {LIT("M\xc3\xbc{1,2}x"), true, false},
    {LIT("[\xc3\xa4-\xc3\xbc]x?"), false, false},
    {LIT("[]x-]{2,4}"), false, false},
    {LIT("[^]x]{1,2}q"), false, false},
    {LIT("ss\\D{2}k"), true, true},
    {LIT("P(N(-(1(2)?)?)?)?x"), false, false},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static bool open_row(struct kit *k, size_t i) {
    struct bz_custom c = {.name = LIT("PATTERN"),
                          .pattern = rows[i].pattern,
                          .nocase = rows[i].nocase,
                          .whole_word = rows[i].whole_word,
                          .cls = BZ_CLASS_CUSTOM};
    struct bz_custom_error err = {0};
    struct bz_buf out;
    bz_buf_init(&out, 64u << 20);
    enum bz_status st = bz_detect_compile(&c, 1, &out, &err);
    bz_buf_free(&out);
    if (st == BZ_ESYNTAX)
        return false;
    kit_open(k, &c, 1);
    return true;
}

static void put_part(struct bz_buf *b, uint64_t *x) {
    static const char *const parts[] = {
        "P",       "N",         "PN-",
        "-",       "1",         "12",
        "345",     "q",         "x",
        "qx",      "QX",        "/",
        " ",       "\n",        "z",
        "a",       "\xc3\xbc",  "\xc3\x9c",
        "M",       "m\xc3\xbc", ".",
        "]",       "s",         "k",
        "SS",      "_",         "\xe2\x84\xaa",
        " PN345 ", "PN-345",    "PN-12",
        "QX-22",   "QX/1234",   "q1xx.",
        "q-.",     " AB12c ",   "AB-1 ",
        "pn--x",   "\nqx12\n",  " ss12K ",
        "PNx",     "PN-12x",    "M\xc3\xbc\xc3\xbcx",
        "PN-qqq",  "abc  1",    "q-1x.",
    };
    bz_buf_puts(b, parts[kit_random(x) % (sizeof parts / sizeof parts[0])]);
}

static void whole_and_cut(void **state) {
    (void)state;
    uint64_t x = 31;
    struct bz_type_set hold = {0};
    struct bz_buf b;
    bz_buf_init(&b, 1 << 16);
    assert_true(bz_type_set_add_name(&hold, BZ_V("custom")));
    size_t opened = 0;
    size_t found = 0;
    for (size_t i = 0; i < ROWS; i++) {
        struct kit k;
        if (!open_row(&k, i))
            continue;
        opened++;
        for (int round = 0; round < 40; round++) {
            bz_buf_reset(&b);
            for (int n = 0; n < 30; n++)
                put_part(&b, &x);
            struct bz_findings f = kit_scan(&k, bz_buf_view(&b), BZ_TEXT_PLAIN, &hold, NULL);
            found += f.n;
            if (!kit_agree_everywhere(&k, bz_buf_view(&b), BZ_TEXT_PLAIN, NULL, &hold))
                fail_msg("%s", (const char *)rows[i].pattern.p);
            bz_arena_free(&k.ar);
        }
        kit_close(&k);
    }
    bz_buf_free(&b);
    assert_int_equal(opened, ROWS - 1);
    assert_true(found > 1000);
}

/* What cannot begin a match is not held. */
static void flows(void **state) {
    (void)state;
    struct kit k;
    struct bz_type_set hold = {0};
    struct bz_watch w;
    struct bz_findings f = {0};
    uint64_t settled = 0;
    assert_true(bz_type_set_add_name(&hold, BZ_V("custom")));
    assert_true(open_row(&k, 0));
    f.ar = &k.ar;
    bz_watch_init(&w, BZ_TEXT_PLAIN, NULL);
    static const struct {
        const char *piece;
        size_t waits;
    } steps[] = {
        {"the parts, ", 0}, {"as listed", 0}, {" P", 1},       {"laza ", 0}, {"see PN-12", 5},
        {"3", 6},           {"45", 8},        {"6 and so", 0}, {"PN", 2},    {"-x ", 0},
    };
    uint64_t fed = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct bz_view piece = bz_view_str(steps[i].piece);
        fed += piece.n;
        assert_int_equal(bz_watch_feed(k.d, &w, piece, false, &hold, &k.ar, &f, &settled), BZ_OK);
        if (fed - settled != steps[i].waits)
            fail_msg("%s: %zu wait", steps[i].piece, (size_t)(fed - settled));
    }
    assert_int_equal(f.n, 1);
    bz_watch_done(&w);
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_and_cut),
        cmocka_unit_test(flows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
