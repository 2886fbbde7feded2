/* The normal form: what is folded, what is removed, where each byte came from. */
#include "detect_kit.h"

#include <bartizan/text.h>
#include <utf8proc.h>

static struct bz_arena ar;

static int open_arena(void **state) {
    (void)state;
    bz_arena_init(&ar, bz_alloc_heap, 256u << 20, NULL, 0);
    return 0;
}

static int close_arena(void **state) {
    (void)state;
    bz_arena_free(&ar);
    return 0;
}

static struct bz_view normal(struct bz_view in, enum bz_text_mode mode, const uint32_t **map) {
    struct bz_view out = {0};
    assert_int_equal(bz_normalise(in, mode, &ar, &out, map), BZ_OK);
    return out;
}

static void expect(const char *in, enum bz_text_mode mode, const char *want) {
    const uint32_t *map = NULL;
    struct bz_view out = normal(bz_view_str(in), mode, &map);
    if (!bz_view_eq(out, bz_view_str(want)))
        fail_msg("%s became %.*s, not %s", in, (int)out.n, (const char *)out.p, want);
}

static void folds(void **state) {
    (void)state;
    static const char *const table[][2] = {
        {"", ""},
        {"plain text,\tASCII\r\n", "plain text,\tASCII\r\n"},
        {"\xef\xbc\xa1\xef\xbd\x82\xef\xbc\x91\xef\xbc\xa0", "Ab1@"}, /* full width */
        {"\xe2\x91\xa0\xc2\xb2\xf0\x9d\x9f\x97", "129"},              /* circled, raised, bold */
        {"\xd9\xa1\xdb\xb2\xe0\xa5\xa9\xe0\xb9\x94", "1234"},         /* Arabic, Hindi, Thai */
        {"a\xe2\x80\x90"
         "b\xe2\x88\x92"
         "c\xe2\x80\x94"
         "d",
         "a-b-c-d"},
        {"\xe2\x80\x9cx\xe2\x80\x9d \xe2\x80\x98y\xe2\x80\x99 \xc2\xabz\xc2\xbb",
         "\"x\" 'y' \"z\""},
        {"a\xc2\xa0"
         "b\xe2\x80\x83"
         "c\xe3\x80\x80"
         "d",
         "a b c d"},
        {"a\xe2\x80\xa8"
         "b\xc2\x85"
         "c\fd",
         "a\nb\nc\nd"},
        {"s\xe2\x80\x8bk\xc2\xad-\xe2\x81\xa0"
         "1\xef\xbb\xbf",
         "sk-1"}, /* nobody sees these */
        {"a\xe2\x80\xae"
         "b\xf3\xa0\x81\x81"
         "c\xef\xb8\x8f",
         "abc"}, /* bidi, tag, selector */
        {"4\xcc\xb6"
         "1",
         "41"}, /* struck out */
        {"a\x01"
         "b\x7f"
         "c\x1b[0m",
         "abc[0m"},
        {"\xef\xac\x81ne \xe2\x84\xaa \xe2\x84\xab", "fine K \xc3\x85"},
        {"M\xc3\xbcller \xe6\xbc\xa2\xe5\xad\x97 \xd0\xb6",
         "M\xc3\xbcller \xe6\xbc\xa2\xe5\xad\x97 \xd0\xb6"},
        {"bad \xff\xc3(", "bad \xef\xbf\xbd\xef\xbf\xbd("},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        expect(table[i][0], BZ_TEXT_PLAIN, table[i][1]);
}

static void json_escapes(void **state) {
    (void)state;
    static const char *const table[][2] = {
        {"{\"k\": \"\\u0041\\u006b\\\"\\\\\\/\\n\"}", "{\"k\": \"Ak\"\\/\n\"}"},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"\"\\ud83d\"", "\"\xef\xbf\xbd\""},
        {"\"\\ud83d\\u0041\"", "\"\xef\xbf\xbd"
                               "A\""},
        {"\"\\udc00x\"", "\"\xef\xbf\xbdx\""},
        {"\"\\uff11\\u200b2\"", "\"12\""},
        {"\"\\u12\"", "\"\\u12\""}, /* no escape: left alone */
        {"\"\\q\"", "\"\\q\""},
        {"{\\u0041}", "{\\u0041}"}, /* not in a string */
        {"\"a\\", "\"a\\"},
        {"\"\\u0000x\"", "\"x\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        expect(table[i][0], BZ_TEXT_JSON, table[i][1]);
    expect("\"\\u0041\"", BZ_TEXT_PLAIN, "\"\\u0041\"");
}

static void map_of_places(void **state) {
    (void)state;
    const uint32_t *map = NULL;
    struct bz_view out = normal(BZ_V("ascii"), BZ_TEXT_PLAIN, &map);
    assert_null(map);
    assert_int_equal(out.n, 5);
    out = normal(BZ_V("M\xc3\xbc"), BZ_TEXT_PLAIN, &map); /* its own normal form */
    assert_null(map);
    out = normal(BZ_V("a\xe2\x80\x8b\xef\xac\x81\xef\xbc\x91z\xc2\xad"), BZ_TEXT_PLAIN, &map);
    static const uint32_t places[] = {0, 4, 4, 7, 10, 13};
    assert_true(bz_view_eq(out, BZ_V("afi1z")));
    assert_memory_equal(map, places, sizeof places);
    out = normal(BZ_V("\"\\u0041b\""), BZ_TEXT_JSON, &map);
    static const uint32_t json[] = {0, 1, 7, 8, 9};
    assert_true(bz_view_eq(out, BZ_V("\"Ab\"")));
    assert_memory_equal(map, json, sizeof json);
}

/* A run of invisible characters cannot be of any length: beyond 16 it is a blank. */
static void gaps(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 4096);
    for (size_t n = 15; n <= 40; n++) {
        bz_buf_reset(&b);
        bz_buf_putc(&b, 'a');
        for (size_t i = 0; i < n; i++)
            bz_buf_puts(&b, "\xe2\x80\x8b");
        bz_buf_putc(&b, 'b');
        const uint32_t *map = NULL;
        struct bz_view out = normal(bz_buf_view(&b), BZ_TEXT_PLAIN, &map);
        assert_true(bz_view_eq(out, n <= 16 ? BZ_V("ab") : BZ_V("a b")));
    }
    bz_buf_free(&b);
}

/* Every code point: valid UTF-8 out, digits of all scripts, and twice folded is folded once. */
static void all_code_points(void **state) {
    (void)state;
    for (uint32_t cp = 1; cp < 0x110000; cp++) {
        uint8_t in[4];
        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        size_t n = bz_utf8_encode(cp, in);
        struct bz_arena one;
        uint8_t mem[1024];
        bz_arena_init(&one, bz_alloc_heap, 1 << 20, mem, sizeof mem);
        struct bz_view out = {0};
        struct bz_view again = {0};
        const uint32_t *map = NULL;
        assert_int_equal(bz_normalise(bz_view(in, n), BZ_TEXT_PLAIN, &one, &out, &map), BZ_OK);
        assert_true(out.n <= 32 && bz_utf8_valid(out) == out.n);
        assert_int_equal(bz_normalise(out, BZ_TEXT_PLAIN, &one, &again, &map), BZ_OK);
        if (!bz_view_eq(out, again))
            fail_msg("U+%04X is not folded for good", (unsigned)cp);
        if (utf8proc_category((utf8proc_int32_t)cp) == UTF8PROC_CATEGORY_ND &&
            !(out.n == 1 && out.p[0] >= '0' && out.p[0] <= '9'))
            fail_msg("U+%04X is a digit", (unsigned)cp);
        bz_arena_free(&one);
    }
}

/* Characters do not look at their neighbours: two texts side by side fold side by side. */
static void side_by_side(void **state) {
    (void)state;
    uint64_t x = 7;
    for (int round = 0; round < 3000; round++) {
        uint8_t text[64];
        size_t n = 0;
        size_t middle = 0;
        for (int i = 0; i < 8; i++) {
            uint32_t cp = (uint32_t)(kit_random(&x) % 0x3000) + 1;
            if (i == 4)
                middle = n;
            n += bz_utf8_encode(cp, text + n);
        }
        const uint32_t *map = NULL;
        struct bz_view a = normal(bz_view(text, middle), BZ_TEXT_PLAIN, &map);
        struct bz_view b = normal(bz_view(text + middle, n - middle), BZ_TEXT_PLAIN, &map);
        struct bz_view ab = normal(bz_view(text, n), BZ_TEXT_PLAIN, &map);
        assert_int_equal(ab.n, a.n + b.n);
        assert_memory_equal(ab.p, a.p, a.n);
        assert_memory_equal(ab.p + a.n, b.p, b.n);
        for (size_t i = 0; map != NULL && i < ab.n; i++)
            assert_true(map[i] < n && map[i] <= map[i + 1]);
    }
}

static void no_memory(void **state) {
    (void)state;
    struct bz_arena small;
    bz_arena_init(&small, bz_alloc_heap, 64, NULL, 0);
    struct bz_view out = {0};
    const uint32_t *map = NULL;
    assert_int_equal(bz_normalise(BZ_V("\xef\xbc\x91 one two three four five six"), BZ_TEXT_PLAIN,
                                  &small, &out, &map),
                     BZ_ENOMEM);
    bz_arena_free(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds),           cmocka_unit_test(json_escapes),
        cmocka_unit_test(map_of_places),   cmocka_unit_test(gaps),
        cmocka_unit_test(all_code_points), cmocka_unit_test(side_by_side),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
