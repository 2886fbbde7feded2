#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bartizan/status.h>
#include <bartizan/view.h>

static void every_status_has_its_own_text(void **state) {
    for (int i = 0; i < BZ_STATUS_COUNT; i++) {
        const char *text = bz_status_text((enum bz_status)i);
        assert_non_null(text);
        assert_true(text[0] != 0);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(text, bz_status_text((enum bz_status)k));
    }
    assert_string_equal(bz_status_text(BZ_OK), "ok");
    assert_string_equal(bz_status_text((enum bz_status)BZ_STATUS_COUNT), "unknown status");
    assert_string_equal(bz_status_text((enum bz_status) - 1), "unknown status");
}

static enum bz_status tries(enum bz_status st) {
    BZ_TRY(st);
    return BZ_MORE;
}

static void try_returns_what_failed(void **state) {
    assert_int_equal(tries(BZ_OK), BZ_MORE);
    assert_int_equal(tries(BZ_ENOMEM), BZ_ENOMEM);
}

static void diag_may_be_absent(void **state) {
    bz_diag_set(NULL, 1, "x");
    struct bz_diag d = {0};
    bz_diag_set(&d, 7, "why");
    assert_int_equal(d.offset, 7);
    assert_string_equal(d.why, "why");
}

static void views_compare(void **state) {
    struct bz_view null = bz_view(NULL, 0);
    assert_true(bz_view_eq(null, BZ_V("")));
    assert_true(bz_view_eq(BZ_V("ab"), bz_view_str("ab")));
    assert_false(bz_view_eq(BZ_V("ab"), BZ_V("aB")));
    assert_false(bz_view_eq(BZ_V("ab"), BZ_V("abc")));
    assert_true(bz_view_starts(BZ_V("abc"), BZ_V("ab")));
    assert_true(bz_view_starts(null, null));
    assert_false(bz_view_starts(BZ_V("a"), BZ_V("ab")));
    assert_true(bz_view_eq_nocase(BZ_V("Content-Type"), BZ_V("content-tYPE")));
    assert_false(bz_view_eq_nocase(BZ_V("a@"), BZ_V("a`"))); /* differ by 0x20, no letters */
    assert_false(bz_view_eq_nocase(BZ_V("["), BZ_V("{")));
    assert_false(bz_view_eq_nocase(BZ_V("a"), BZ_V("ab")));
    assert_int_equal(bz_view_str(NULL).n, 0);
}

static void sub_views_clamp(void **state) {
    struct bz_view v = BZ_V("abcdef");
    assert_true(bz_view_eq(bz_view_sub(v, 2, 3), BZ_V("cde")));
    assert_true(bz_view_eq(bz_view_sub(v, 4, SIZE_MAX), BZ_V("ef")));
    assert_int_equal(bz_view_sub(v, 6, 1).n, 0);
    assert_int_equal(bz_view_sub(v, SIZE_MAX, SIZE_MAX).n, 0);
    assert_int_equal(bz_view_sub(bz_view(NULL, 0), 3, 3).n, 0);
}

static void decimal_numbers(void **state) {
    static const struct {
        const char *text;
        enum bz_status st;
        uint64_t v;
    } table[] = {
        {"0", BZ_OK, 0},
        {"00012", BZ_OK, 12},
        {"18446744073709551615", BZ_OK, UINT64_MAX},
        {"18446744073709551616", BZ_ERANGE, 0},
        {"99999999999999999999999", BZ_ERANGE, 0},
        {"", BZ_ESYNTAX, 0},
        {"-1", BZ_ESYNTAX, 0},
        {"+1", BZ_ESYNTAX, 0},
        {" 1", BZ_ESYNTAX, 0},
        {"1 ", BZ_ESYNTAX, 0},
        {"1.0", BZ_ESYNTAX, 0},
        {"0x1", BZ_ESYNTAX, 0},
        {"99999999999999999999999x", BZ_ESYNTAX, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint64_t v = 4711;
        assert_int_equal(bz_view_u64(bz_view_str(table[i].text), &v), table[i].st);
        assert_true(v == (table[i].st == BZ_OK ? table[i].v : 4711));
    }
}

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Every pair of bytes, in texts around the width of a step. */
static void nocase_agrees_with_the_definition(void **state) {
    for (size_t n = 1; n <= 18; n++) {
        for (size_t at = 0; at<n; at += n> 9 ? 3 : 1) {
            uint8_t a[18], b[18];
            memset(a, 'x', sizeof a);
            memset(b, 'X', sizeof b);
            for (unsigned pair = 0; pair < 65536; pair++) {
                a[at] = (uint8_t)pair;
                b[at] = (uint8_t)(pair >> 8);
                if (bz_view_eq_nocase(bz_view(a, n), bz_view(b, n)) !=
                    (lower(a[at]) == lower(b[at])))
                    fail_msg("%u at %zu of %zu", pair, at, n);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nocase_agrees_with_the_definition),
        cmocka_unit_test(every_status_has_its_own_text),
        cmocka_unit_test(try_returns_what_failed),
        cmocka_unit_test(diag_may_be_absent),
        cmocka_unit_test(views_compare),
        cmocka_unit_test(sub_views_clamp),
        cmocka_unit_test(decimal_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
