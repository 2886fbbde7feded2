#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/text.h>

/* The table of RFC 3629, written down once more and slowly. */
static size_t slow_utf8(const uint8_t *p, size_t n) {
    size_t i = 0;
    while (i < n) {
        uint32_t cp = p[i];
        size_t len = cp < 0x80 ? 1 : cp >> 5 == 6 ? 2 : cp >> 4 == 14 ? 3 : cp >> 3 == 30 ? 4 : 0;
        if (len == 0 || len > n - i)
            return i;
        cp &= len == 1 ? 0x7f : 0xffu >> (len + 1);
        for (size_t k = 1; k < len; k++) {
            if (p[i + k] >> 6 != 2)
                return i;
            cp = cp << 6 | (p[i + k] & 0x3f);
        }
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
            return i;
        i += len;
    }
    return i;
}

static void check(const uint8_t *p, size_t n) {
    uint8_t *copy = malloc(n + 1); /* exact size: a sanitizer sees reads beyond */
    assert_non_null(copy);
    memcpy(copy, p, n);
    uint8_t *exact = realloc(copy, n == 0 ? 1 : n);
    assert_non_null(exact);
    assert_int_equal(bz_utf8_valid(bz_view(exact, n)), slow_utf8(exact, n));
    free(exact);
}

static void every_sequence_of_four_bytes_that_matters(void **state) {
    static const uint8_t second[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    static const uint8_t later[] = {0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xe1};
    for (unsigned a = 0; a < 256; a++) {
        for (size_t b = 0; b < sizeof second; b++) {
            for (size_t c = 0; c < sizeof later; c++) {
                for (size_t d = 0; d < sizeof later; d++) {
                    uint8_t text[4] = {(uint8_t)a, second[b], later[c], later[d]};
                    for (size_t n = 1; n <= 4; n++)
                        check(text, n);
                    /* Again where the wide steps are, across the seams of their halves. */
                    static const size_t places[] = {10, 29, 30, 31, 61, 62, 63};
                    for (size_t k = 0; k < sizeof places / sizeof places[0]; k++) {
                        uint8_t wide[128];
                        memset(wide, 'x', sizeof wide);
                        memcpy(wide + places[k], text, 4);
                        check(wide, sizeof wide);
                    }
                }
            }
        }
    }
}

static void every_place_in_a_long_text(void **state) {
    static const char *const pieces[] = {
        "a",    "\xc3\xa9",     "\xe4\xbd\xa0", "\xf0\x9f\x98\x80",
        "\xff", "\xed\xa0\x80", "\xe4\xbd",     "\xf4\x90\x80\x80",
        "\x80", "\xc1\xbf",     "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf"};
    for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
        size_t n = strlen(pieces[k]);
        for (size_t size = n; size < 300; size += size < 140 ? 1 : 13) {
            for (size_t at = 0; at + n <= size; at += size < 80 ? 1 : 7) {
                uint8_t text[300];
                memset(text, 'x', size);
                memcpy(text + at, pieces[k], n);
                check(text, size);
            }
        }
    }
}

static void random_mixes(void **state) {
    static const char *const pieces[] = {"a",
                                         "plain ascii text of some length ",
                                         "\xc3\xa9",
                                         "\xd0\x96\xd1\x8f",
                                         "\xe4\xbd\xa0\xe5\xa5\xbd",
                                         "\xef\xbf\xbf",
                                         "\xf0\x9f\x98\x80",
                                         "\xf4\x8f\xbf\xbf",
                                         "\xed\x9f\xbf",
                                         "\xee\x80\x80",
                                         "\xf0\x90\x80\x80"};
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t text[400];
        size_t n = 0;
        for (;;) {
            seed = seed * 1664525 + 1013904223;
            const char *piece = pieces[(seed >> 16) % (sizeof pieces / sizeof pieces[0])];
            if (n + strlen(piece) > sizeof text)
                break;
            memcpy(text + n, piece, strlen(piece));
            n += strlen(piece);
        }
        n -= (seed >> 8) % 60;
        if (round % 2 != 0) {
            seed = seed * 1664525 + 1013904223;
            text[(seed >> 8) % n] ^= (uint8_t)(1u << (seed >> 29));
        }
        check(text, n);
    }
}

static void code_points_go_there_and_back(void **state) {
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        uint8_t text[4];
        size_t n = bz_utf8_encode(cp, text);
        uint32_t back = 0;
        assert_int_equal(bz_utf8_next(bz_view(text, n), &back), n);
        assert_int_equal(back, cp);
        assert_int_equal(bz_utf8_next(bz_view(text, n - 1), &back), 0);
    }
}

static void hex(void **state) {
    uint8_t out[8];
    size_t n = 99;
    assert_int_equal(bz_hex_decode(BZ_V("00fFa1"), out, sizeof out, &n), BZ_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(out, "\x00\xff\xa1", 3);
    assert_int_equal(bz_hex_decode(BZ_V(""), out, 0, &n), BZ_OK);
    assert_int_equal(n, 0);
    assert_int_equal(bz_hex_decode(BZ_V("0"), out, sizeof out, &n), BZ_ESYNTAX);
    assert_int_equal(bz_hex_decode(BZ_V("0g"), out, sizeof out, &n), BZ_ESYNTAX);
    assert_int_equal(bz_hex_decode(BZ_V("g0"), out, sizeof out, &n), BZ_ESYNTAX);
    assert_int_equal(bz_hex_decode(BZ_V("0x"), out, sizeof out, &n), BZ_ESYNTAX);
    assert_int_equal(bz_hex_decode(BZ_V("00112233"), out, 3, &n), BZ_ETOOBIG);
}

static void base64(void **state) {
    static const struct {
        const char *in, *out;
        enum bz_status st;
    } table[] = {
        {"", "", BZ_OK},
        {"Zg==", "f", BZ_OK},
        {"Zg", "f", BZ_OK},
        {"Zm8=", "fo", BZ_OK},
        {"Zm9vYmFy", "foobar", BZ_OK},
        {"-_-_", "\xfb\xff\xbf", BZ_OK},
        {"+/+/", "\xfb\xff\xbf", BZ_OK},
        {"Zh==", "", BZ_ESYNTAX}, /* stray bits */
        {"Zm9", "", BZ_ESYNTAX},
        {"Z", "", BZ_ESYNTAX},
        {"Zg=", "", BZ_ESYNTAX},
        {"=", "", BZ_ESYNTAX},
        {"====", "", BZ_ESYNTAX},
        {"Z===", "", BZ_ESYNTAX},
        {"Zg==Zg==", "", BZ_ESYNTAX},
        {"Zg ==", "", BZ_ESYNTAX},
        {"Zm9v\nYmFy", "", BZ_ESYNTAX},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint8_t out[16];
        size_t n = 0;
        assert_int_equal(bz_b64_decode(bz_view_str(table[i].in), out, sizeof out, &n), table[i].st);
        assert_int_equal(n, strlen(table[i].out));
        assert_memory_equal(out, table[i].out, n);
    }
    uint8_t out[16];
    size_t n = 0;
    assert_int_equal(bz_b64_decode(BZ_V("Zm9v"), out, 2, &n), BZ_ETOOBIG);
    for (size_t size = 0; size < 70; size++) {
        uint8_t bytes[70], back[70];
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)(i * 37 + size);
        struct bz_buf b;
        bz_buf_init(&b, 200);
        bz_buf_put_b64(&b, bz_view(bytes, size));
        assert_int_equal(bz_b64_decode(bz_buf_view(&b), back, size, &n), BZ_OK);
        assert_int_equal(n, size);
        assert_memory_equal(back, bytes, size);
        bz_buf_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_of_four_bytes_that_matters),
        cmocka_unit_test(every_place_in_a_long_text),
        cmocka_unit_test(random_mixes),
        cmocka_unit_test(code_points_go_there_and_back),
        cmocka_unit_test(hex),
        cmocka_unit_test(base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
