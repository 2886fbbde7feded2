/* API keys and backend urls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <bartizan/policy.h>

static void make(uint8_t fill, char out[BZ_KEY_TEXT + 1]) {
    uint8_t rnd[48];
    memset(rnd, fill, sizeof rnd);
    bz_key_make(rnd, out);
}

static void test_make_has_the_promised_form(void **state) {
    char key[BZ_KEY_TEXT + 1];
    struct bz_view id;
    for (int fill = 0; fill < 256; fill++) {
        make((uint8_t)fill, key);
        assert_int_equal(strlen(key), BZ_KEY_TEXT);
        assert_memory_equal(key, "bz_", 3);
        assert_int_equal(bz_key_split(bz_view_str(key), &id), BZ_OK);
        assert_int_equal(id.n, BZ_KEY_ID_TEXT);
        assert_ptr_equal(id.p, (const uint8_t *)key + 3);
    }
}

/* Values computed by an independent program: python3 zlib.crc32 and divmod by 62. */
static void test_make_known_answers(void **state) {
    char key[BZ_KEY_TEXT + 1];
    make(0, key);
    assert_string_equal(key, "bz_000000000000_00000000000000000000000000000000000000000000bR44O");
    make(0xff, key);
    assert_string_equal(key, "bz_lk9n8mt7Fhc7_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp11beXnL");
}

static void test_every_changed_byte_is_found(void **state) {
    char key[BZ_KEY_TEXT + 1];
    struct bz_view id;
    make(0x5a, key);
    for (size_t i = 0; i < BZ_KEY_TEXT; i++) {
        for (int bit = 0; bit < 8; bit++) {
            key[i] = (char)(key[i] ^ 1 << bit);
            assert_int_equal(bz_key_split(bz_view(key, BZ_KEY_TEXT), &id), BZ_ESYNTAX);
            key[i] = (char)(key[i] ^ 1 << bit);
        }
    }
    assert_int_equal(bz_key_split(bz_view(key, BZ_KEY_TEXT), &id), BZ_OK);
}

static void test_every_wrong_length_is_refused(void **state) {
    char key[2 * BZ_KEY_TEXT];
    struct bz_view id;
    memset(key, 'a', sizeof key);
    make(7, key);
    for (size_t n = 0; n < sizeof key; n++) {
        /* a copy of exactly n bytes, so that a sanitizer sees a read beyond */
        char *copy = malloc(n + 1);
        memcpy(copy, key, n);
        enum bz_status st = bz_key_split(bz_view(copy, n), &id);
        free(copy);
        assert_int_equal(st, n == BZ_KEY_TEXT ? BZ_OK : BZ_ESYNTAX);
    }
    assert_int_equal(bz_key_split((struct bz_view){0}, &id), BZ_ESYNTAX);
}

static void test_random_bytes_all_count(void **state) {
    uint8_t rnd[48] = {0};
    char first[BZ_KEY_TEXT + 1], second[BZ_KEY_TEXT + 1];
    bz_key_make(rnd, first);
    for (size_t i = 0; i < sizeof rnd; i++) {
        rnd[i] = 1;
        bz_key_make(rnd, second);
        rnd[i] = 0;
        assert_string_not_equal(first, second);
    }
}

static void test_hash_depends_on_pepper_and_text(void **state) {
    uint8_t pepper[BZ_KEY_LEN] = {1}, a[BZ_HASH_LEN], b[BZ_HASH_LEN];
    bz_key_hash(pepper, BZ_V("one"), a);
    bz_key_hash(pepper, BZ_V("two"), b);
    assert_memory_not_equal(a, b, sizeof a);
    pepper[0] = 2;
    bz_key_hash(pepper, BZ_V("one"), b);
    assert_memory_not_equal(a, b, sizeof a);
}

static void test_urls(void **state) {
    static const struct {
        const char *text, *host;
        uint16_t port;
        bool tls, numeric;
    } good[] = {
        {"http://127.0.0.1:8080", "127.0.0.1", 8080, false, true},
        {"http://127.0.0.1", "127.0.0.1", 80, false, true},
        {"https://10.0.0.1/", "10.0.0.1", 443, true, true},
        {"http://[::1]:11434", "::1", 11434, false, true},
        {"http://localhost:1", "localhost", 1, false, true},
        {"http://gpu-1.lan:65535", "gpu-1.lan", 65535, false, false},
        {"http://my_box:80", "my_box", 80, false, false},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct bz_url u;
        assert_int_equal(bz_url_parse(bz_view_str(good[i].text), &u, NULL), BZ_OK);
        assert_true(bz_view_eq(u.host, bz_view_str(good[i].host)));
        assert_int_equal(u.port, good[i].port);
        assert_int_equal(u.tls, good[i].tls);
        assert_int_equal(u.numeric, good[i].numeric);
        assert_false(u.unix_socket);
    }
    static const char *const bad[] = {
        "",
        "http://",
        "http:///",
        "ftp://a",
        "http://a:0",
        "http://a:65536",
        "http://a:",
        "//a",
        "http://a:+1",
        "http://a:1x",
        "http://u:p@h",
        "http://h/v1",
        "http://h?x",
        "http://h#x",
        "http://[::1",
        "http://[::1]x",
        "http://[fe80::1%eth0]",
        "http://[]",
        "http://::1",
        "http://0x7f.1",
        "http://2130706433",
        "http://127.1",
        "http://a b",
        "http://a\r\nb",
        "http://1.2.3.4.5",
        "http://.a",
        "http://-a",
        "http://a.",
        "unix:",
        "unix:/",
        "unix:a",
        "unix:/a b",
        "HTTP://a",
        "http://a%00b",
        "http://a\\b",
        "http://256.1.1.1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bz_url u;
        struct bz_diag diag = {0};
        assert_int_equal(bz_url_parse(bz_view_str(bad[i]), &u, &diag), BZ_ESYNTAX);
        assert_non_null(diag.why);
    }
    struct bz_url u;
    assert_int_equal(bz_url_parse(BZ_V("unix:/run/x.sock"), &u, NULL), BZ_OK);
    assert_true(u.unix_socket && u.numeric && bz_view_eq(u.path, BZ_V("/run/x.sock")));
}

static void test_addresses(void **state) {
    assert_true(bz_address_valid(BZ_V("127.0.0.1:8080")));
    assert_true(bz_address_valid(BZ_V("[::1]:1")));
    assert_true(bz_address_valid(BZ_V("unix:/a")));
    assert_false(bz_address_valid(BZ_V("")));
    assert_false(bz_address_valid(BZ_V("127.0.0.1")));
    assert_false(bz_address_valid(BZ_V("localhost:80")));
    assert_false(bz_address_valid(BZ_V("::1:80")));
    assert_false(bz_address_valid(BZ_V("[127.0.0.1]:80")));
    assert_false(bz_address_valid(BZ_V("127.0.0.1:80\r\n")));
    assert_false(bz_address_valid(BZ_V("unix:a")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_has_the_promised_form),
        cmocka_unit_test(test_make_known_answers),
        cmocka_unit_test(test_every_changed_byte_is_found),
        cmocka_unit_test(test_every_wrong_length_is_refused),
        cmocka_unit_test(test_random_bytes_all_count),
        cmocka_unit_test(test_hash_depends_on_pepper_and_text),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_addresses),
    };
    return bz_crypto_init() == BZ_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
