#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bartizan/buf.h>
#include <bartizan/rd.h>

static void reads_what_the_writer_wrote(void **state) {
    struct bz_buf b;
    bz_buf_init(&b, 64);
    bz_buf_putc(&b, 0xfe);
    bz_buf_put_le16(&b, 0xf1f2);
    bz_buf_put_le32(&b, 0xf1f2f3f4);
    bz_buf_put_le64(&b, 0xf1f2f3f4f5f6f7f8);
    bz_buf_put_be16(&b, 0xf1f2);
    bz_buf_put_be64(&b, 0xf1f2f3f4f5f6f7f8);
    bz_buf_puts(&b, "end");
    struct bz_rd r;
    bz_rd_init(&r, bz_buf_view(&b));
    assert_int_equal(bz_rd_u8(&r), 0xfe);
    assert_int_equal(bz_rd_le16(&r), 0xf1f2);
    assert_int_equal(bz_rd_le32(&r), 0xf1f2f3f4);
    assert_true(bz_rd_le64(&r) == 0xf1f2f3f4f5f6f7f8);
    assert_int_equal(bz_rd_be16(&r), 0xf1f2);
    assert_true(bz_rd_be64(&r) == 0xf1f2f3f4f5f6f7f8);
    assert_int_equal(bz_rd_end(&r), BZ_ETRAILING);
    assert_int_equal(r.off, 25);
    assert_true(bz_view_eq(bz_rd_take(&r, 3), BZ_V("end")));
    assert_true(bz_rd_ok(&r));
    assert_int_equal(bz_rd_end(&r), BZ_OK);
    bz_buf_free(&b);
}

static void the_first_failure_stays_and_nothing_moves(void **state) {
    struct bz_rd r;
    bz_rd_init(&r, BZ_V("\x01\x02\x03"));
    assert_int_equal(bz_rd_u8(&r), 1);
    assert_int_equal(bz_rd_le32(&r), 0);
    assert_false(bz_rd_ok(&r));
    assert_int_equal(r.off, 1);
    assert_int_equal(bz_rd_u8(&r), 0);
    struct bz_view v = bz_rd_take(&r, 1);
    assert_null(v.p);
    assert_int_equal(v.n, 0);
    bz_rd_fail(&r, BZ_ECORRUPT);
    assert_int_equal(bz_rd_end(&r), BZ_ESYNTAX);
    assert_int_equal(r.off, 1);
}

static void own_failures_latch(void **state) {
    struct bz_rd r;
    bz_rd_init(&r, BZ_V("ab"));
    bz_rd_fail(&r, BZ_EVERSION);
    assert_int_equal(bz_rd_u8(&r), 0);
    assert_int_equal(bz_rd_end(&r), BZ_EVERSION);
    bz_rd_init(&r, BZ_V("ab"));
    bz_rd_fail(&r, BZ_OK); /* a failure is never OK */
    assert_false(bz_rd_ok(&r));
}

static void children_are_confined(void **state) {
    struct bz_rd r;
    bz_rd_init(&r, BZ_V("abcdef"));
    bz_rd_u8(&r);
    struct bz_rd sub = bz_rd_sub(&r, 3);
    assert_int_equal(sub.off, 1);
    assert_true(bz_view_eq(bz_rd_take(&sub, 3), BZ_V("bcd")));
    assert_int_equal(bz_rd_u8(&sub), 0);
    assert_false(bz_rd_ok(&sub));
    assert_int_equal(bz_rd_u8(&r), 'e');
    sub = bz_rd_sub(&r, 2);
    assert_false(bz_rd_ok(&sub));
    assert_false(bz_rd_ok(&r));
}

static void counts_must_fit(void **state) {
    static const struct {
        uint32_t count;
        size_t min_item, rest;
        bool fits;
    } table[] = {
        {0, 8, 0, true},   {2, 8, 16, true},   {2, 8, 15, false},        {UINT32_MAX, 8, 64, false},
        {64, 0, 64, true}, {65, 0, 64, false}, {1, SIZE_MAX, 64, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bz_buf b;
        bz_buf_init(&b, 128);
        bz_buf_put_le32(&b, table[i].count);
        for (size_t k = 0; k < table[i].rest; k++)
            bz_buf_putc(&b, 'x');
        struct bz_rd r;
        bz_rd_init(&r, bz_buf_view(&b));
        uint32_t n = bz_rd_count(&r, table[i].min_item);
        assert_int_equal(n, table[i].fits ? table[i].count : 0);
        assert_int_equal(r.st, table[i].fits ? BZ_OK : BZ_ERANGE);
        bz_buf_free(&b);
    }
}

static void an_empty_input_has_nothing(void **state) {
    struct bz_rd r;
    bz_rd_init(&r, bz_view(NULL, 0));
    assert_int_equal(bz_rd_end(&r), BZ_OK);
    bz_rd_take(&r, 0);
    assert_true(bz_rd_ok(&r));
    bz_rd_take(&r, SIZE_MAX);
    assert_false(bz_rd_ok(&r));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_the_writer_wrote),
        cmocka_unit_test(the_first_failure_stays_and_nothing_moves),
        cmocka_unit_test(own_failures_latch),
        cmocka_unit_test(children_are_confined),
        cmocka_unit_test(counts_must_fit),
        cmocka_unit_test(an_empty_input_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
