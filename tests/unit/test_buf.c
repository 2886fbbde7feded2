#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <bartizan/buf.h>

static void assert_text(const struct bz_buf *b, const char *want) {
    assert_int_equal(b->st, BZ_OK);
    assert_int_equal(b->n, strlen(want));
    assert_memory_equal(b->p, want, b->n);
}

static void every_writer(void **state) {
    struct bz_buf b;
    bz_buf_init(&b, 4096);
    bz_buf_put(&b, BZ_V("ab"));
    bz_buf_put(&b, bz_view(NULL, 0));
    bz_buf_putc(&b, 'c');
    bz_buf_puts(&b, "de ");
    bz_buf_put_u64(&b, 0);
    bz_buf_putc(&b, ' ');
    bz_buf_put_u64(&b, UINT64_MAX);
    bz_buf_putc(&b, ' ');
    bz_buf_put_i64(&b, INT64_MIN);
    bz_buf_putc(&b, ' ');
    bz_buf_put_i64(&b, 42);
    bz_buf_putc(&b, ' ');
    bz_buf_put_hex(&b, BZ_V("\x00\xff\x1a"));
    bz_buf_printf(&b, " %s-%d", "x", -3);
    assert_text(&b, "abcde 0 18446744073709551615 -9223372036854775808 42 00ff1a x--3");
    bz_buf_reset(&b);
    bz_buf_put_le16(&b, 0x0102);
    bz_buf_put_le32(&b, 0x01020304);
    bz_buf_put_le64(&b, 0x0102030405060708);
    bz_buf_put_be16(&b, 0x0102);
    bz_buf_put_be64(&b, 0x0102030405060708);
    static const uint8_t want[] = {2, 1, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3,
                                   2, 1, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8};
    assert_int_equal(b.n, sizeof want);
    assert_memory_equal(b.p, want, sizeof want);
    bz_buf_free(&b);
    assert_null(b.p);
}

static void base64(void **state) {
    static const char *const table[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bz_buf b;
        bz_buf_init(&b, 64);
        bz_buf_put_b64(&b, bz_view_str(table[i][0]));
        assert_text(&b, table[i][1]);
        bz_buf_free(&b);
    }
}

static void times_agree_with_gmtime(void **state) {
    static const uint64_t seconds[] = {0,           951782399,  951782400,
                                       951868800,   1709164800, 1709251199,
                                       4107542400,  1795342272, 253402300799u % 18446744073u,
                                       18446744073u};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        time_t t = (time_t)seconds[i];
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        char want[64];
        size_t n = strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S.007Z", &tm);
        assert_true(n > 0);
        struct bz_buf b;
        bz_buf_init(&b, 64);
        bz_buf_put_time(&b, seconds[i] * 1000000000u + 7999999u);
        assert_text(&b, want);
        bz_buf_free(&b);
    }
}

static void maximum_latches(void **state) {
    struct bz_buf b;
    bz_buf_init(&b, 10);
    bz_buf_puts(&b, "12345");
    bz_buf_puts(&b, "67890");
    assert_text(&b, "1234567890");
    bz_buf_putc(&b, 'x');
    assert_int_equal(bz_buf_status(&b), BZ_ETOOBIG);
    assert_int_equal(b.n, 10);
    bz_buf_put(&b, bz_view(NULL, 0));
    bz_buf_puts(&b, "");
    assert_null(bz_buf_room(&b, 1));
    assert_int_equal(bz_buf_status(&b), BZ_ETOOBIG);
    bz_buf_reset(&b);
    bz_buf_puts(&b, "again");
    assert_text(&b, "again");
    assert_null(bz_buf_room(&b, SIZE_MAX));
    assert_int_equal(b.st, BZ_ETOOBIG);
    bz_buf_wipe_free(&b);
    bz_buf_wipe_free(NULL);
    bz_buf_free(NULL);
}

static void fixed_memory_is_filled_to_the_last_byte(void **state) {
    uint8_t mem[6] = "......";
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, 5);
    bz_buf_printf(&b, "%d", 12345);
    assert_text(&b, "12345");
    assert_int_equal(mem[5], '.');
    bz_buf_putc(&b, 'x');
    assert_int_equal(b.st, BZ_ETOOBIG);
    assert_int_equal(mem[5], '.');
    bz_buf_free(&b); /* does not free caller memory */
}

static void long_formats(void **state) {
    char text[2000];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = 0;
    struct bz_buf b;
    bz_buf_init(&b, 4000);
    bz_buf_printf(&b, "%s", text);
    assert_text(&b, text);
    bz_buf_printf(&b, "%s", text);
    assert_int_equal(b.n, 3998);
    bz_buf_printf(&b, "%s", text);
    assert_int_equal(b.st, BZ_ETOOBIG);
    bz_buf_free(&b);
}

static void grows_by_any_step(void **state) {
    for (size_t step = 1; step < 700; step += 37) {
        struct bz_buf b;
        bz_buf_init(&b, 100000);
        size_t n = 0;
        while (n + step <= 100000) {
            uint8_t *p = bz_buf_room(&b, step);
            assert_non_null(p);
            for (size_t i = 0; i < step; i++)
                p[i] = (uint8_t)((n + i) * 7);
            n += step;
        }
        assert_int_equal(b.n, n);
        for (size_t i = 0; i < n; i++)
            assert_true(b.p[i] == (uint8_t)(i * 7));
        assert_true(b.cap <= b.max);
        bz_buf_free(&b);
    }
}

static void text_from_outside_is_made_harmless(void **state) {
    static const char *const table[][2] = {
        {"plain text, ok", "plain text, ok"},
        {"back\\slash", "back\\\\slash"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
        {"\x7f", "\\x7f"},
        {"\xc2\x85", "\\u{0085}"}, /* C1: next line */
        {"\xc2\x9b"
         "31m",
         "\\u{009b}31m"}, /* C1: CSI */
        {"Gr\xc3\xbc\xc3\x9f", "Gr\xc3\xbc\xc3\x9f"},
        {"\xe4\xbd\xa0\xf0\x9f\x98\x80", "\xe4\xbd\xa0\xf0\x9f\x98\x80"},
        {"\xe2\x80\xae"
         "evil",
         "\\u{202e}evil"}, /* right-to-left override */
        {"\xe2\x81\xa6", "\\u{2066}"},
        {"\xe2\x80\x8b", "\\u{200b}"}, /* zero width space */
        {"\xef\xbb\xbf", "\\u{feff}"},
        {"\xf3\xa0\x81\x81", "\\u{e0041}"}, /* tag letter A */
        {"\xf0\x9f\xbf\xbf", "\\u{1ffff}"}, /* noncharacter */
        {"\xc2\xad", "\\u{00ad}"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* surrogate */
        {"cut \xe4\xbd", "cut \\xe4\\xbd"},
        {"\xc0\xaf", "\\xc0\\xaf"}, /* overlong */
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bz_buf b;
        bz_buf_init(&b, 256);
        bz_put_safe(&b, bz_view_str(table[i][0]));
        assert_text(&b, table[i][1]);
        bz_buf_free(&b);
    }
    struct bz_buf b;
    bz_buf_init(&b, 64);
    bz_put_safe(&b, bz_view("a\0b", 3));
    assert_text(&b, "a\\x00b");
    bz_buf_reset(&b);
    uint8_t all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    bz_put_safe(&b, bz_view(all, sizeof all));
    assert_int_equal(b.st, BZ_ETOOBIG);
    for (size_t i = 0; i < b.n; i++)
        assert_true(b.p[i] >= 0x20 && b.p[i] < 0x7f);
    bz_buf_free(&b);
}

/* What stands on a line, and where the next one begins. */
static void words_are_wrapped(void **state) {
    static const struct {
        const char *text;
        size_t col, indent, width;
        const char *want;
    } rows[] = {
        {"", 0, 2, 10, ""},
        {"   ", 0, 2, 10, ""},
        {"one two", 0, 2, 7, "one two"},
        {"one two", 0, 2, 6, "one\n  two"},
        {"one two", 1, 2, 7, "one\n  two"},
        {" one   two ", 0, 0, 80, "one two"},
        {"far-too-long a b", 0, 1, 4, "far-too-long\n a b"},
        {"a far-too-long b", 3, 1, 4, "a\n far-too-long\n b"},
        {"\xc3\xa9\xc3\xa9 \xc3\xa9", 0, 0, 4, "\xc3\xa9\xc3\xa9 \xc3\xa9"},
        {"a b", 0, 0, 0, "a\nb"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_buf b;
        bz_buf_init(&b, 200);
        bz_buf_put_wrapped(&b, rows[i].col, rows[i].indent, rows[i].width,
                           bz_view_str(rows[i].text));
        assert_text(&b, rows[i].want);
        bz_buf_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_writer),
        cmocka_unit_test(base64),
        cmocka_unit_test(times_agree_with_gmtime),
        cmocka_unit_test(maximum_latches),
        cmocka_unit_test(fixed_memory_is_filled_to_the_last_byte),
        cmocka_unit_test(long_formats),
        cmocka_unit_test(grows_by_any_step),
        cmocka_unit_test(text_from_outside_is_made_harmless),
        cmocka_unit_test(words_are_wrapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
