#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/json.h>
#include <bartizan/limits.h>

/* The root says whether the input was canonical already. Without a backslash that is certain. */
static void assert_canonical_flag(struct bz_view in, const struct bz_json *root) {
    struct bz_buf b;
    bz_buf_init(&b, 64u << 20);
    bz_json_write(&b, root);
    assert_int_equal(b.st, BZ_OK);
    bool same = bz_view_eq(bz_buf_view(&b), in);
    bool said = (root->flags & BZ_JSON_CANONICAL) != 0;
    assert_true(!said || same);
    assert_true(said || !same || memchr(in.p, '\\', in.n) != NULL);
    bz_buf_free(&b);
}

static void arena(struct bz_arena *ar) {
    bz_arena_init(ar, bz_alloc_heap, 64u << 20, NULL, 0);
}

/* Parses a copy of exact size (a sanitizer sees reads beyond) and checks that bz_json_check
 * agrees. */
static enum bz_status parse(struct bz_view in, const struct bz_json_opts *opts, struct bz_arena *ar,
                            struct bz_json **ret, struct bz_diag *diag) {
    uint8_t *copy = malloc(in.n == 0 ? 1 : in.n);
    assert_non_null(copy);
    if (in.n != 0)
        memcpy(copy, in.p, in.n);
    struct bz_json *root = NULL;
    struct bz_diag d2 = {0};
    enum bz_status st = bz_json_parse(bz_view(copy, in.n), opts, ar, &root, diag);
    assert_int_equal(bz_json_check(bz_view(copy, in.n), opts, ar, &d2), st);
    assert_int_equal(d2.offset, diag->offset);
    free(copy);
    /* Once more for a tree whose views outlive this function. */
    if (st == BZ_OK) {
        assert_int_equal(bz_json_parse(in, opts, ar, ret, diag), BZ_OK);
        assert_canonical_flag(in, *ret);
    } else {
        assert_non_null(diag->why);
    }
    return st;
}

static void assert_written(const struct bz_json *n, const char *want) {
    struct bz_buf b;
    bz_buf_init(&b, 32u << 20);
    bz_json_write(&b, n);
    assert_int_equal(b.st, BZ_OK);
    assert_int_equal(b.n, strlen(want));
    assert_memory_equal(b.p, want, b.n);
    bz_buf_free(&b);
}

static void accepted_and_written(void **state) {
    static const char *const table[][2] = {
        {"null", "null"},
        {" \t\r\n true \n", "true"},
        {"false", "false"},
        {"0", "0"},
        {"-0", "-0"},
        {"1e999", "1e999"},
        {"-12.500E+07", "-12.500E+07"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"\"\"", "\"\""},
        {"\"a\\/b\"", "\"a/b\""},
        {"\"\\u0041\\u00e9\\u4F60\\ud83d\\uDE00\"", "\"A\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80\""},
        {"\"\\b\\f\\n\\r\\t\\\"\\\\\"", "\"\\b\\f\\n\\r\\t\\\"\\\\\""},
        {"\"\\u0008\\u000C\\u000a\\u001F\\u0001\"", "\"\\b\\f\\n\\u001f\\u0001\""},
        {"\"\x7f\xc2\x80\xe2\x80\xa8\"", "\"\x7f\xc2\x80\xe2\x80\xa8\""},
        {"\"\xef\xbf\xbf\"", "\"\xef\xbf\xbf\""},
        {"[]", "[]"},
        {"[ ]", "[]"},
        {"{ }", "{}"},
        {"[1,[2,[3,{}],{\"a\":[]}],4]", "[1,[2,[3,{}],{\"a\":[]}],4]"},
        {"{ \"b\" : 1 ,\n\"a\":{\"b\":2}, \"\":3 }", "{\"b\":1,\"a\":{\"b\":2},\"\":3}"},
        {"{\"\\u0061\\n\":\"x\"}", "{\"a\\n\":\"x\"}"},
        {"{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}"},
        {"{\"a\":{\"b\":{\"c\":1}},\"b\":2,\"c\":[{\"a\":3},{\"a\":4}]}",
         "{\"a\":{\"b\":{\"c\":1}},\"b\":2,\"c\":[{\"a\":3},{\"a\":4}]}"},
        {"\"0123456789abcde\\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
         "\"0123456789abcde\\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bz_arena ar;
        arena(&ar);
        struct bz_diag diag = {0};
        struct bz_json *root = NULL;
        assert_int_equal(parse(bz_view_str(table[i][0]), NULL, &ar, &root, &diag), BZ_OK);
        assert_written(root, table[i][1]);
        bz_arena_free(&ar);
    }
}

static const struct {
    const char *in;
    enum bz_status st;
    uint64_t off;
} refusals[] = {
    {"", BZ_ESYNTAX, 0},
    {"  ", BZ_ESYNTAX, 2},
    {"\xef\xbb\xbf{}", BZ_ESYNTAX, 0},
    {"nul", BZ_ESYNTAX, 0},
    {"nulL", BZ_ESYNTAX, 0},
    {"True", BZ_ESYNTAX, 0},
    {"NaN", BZ_ESYNTAX, 0},
    {"Infinity", BZ_ESYNTAX, 0},
    {"-Infinity", BZ_ESYNTAX, 0},
    {"-", BZ_ESYNTAX, 0},
    {"+1", BZ_ESYNTAX, 0},
    {".5", BZ_ESYNTAX, 0},
    {"01", BZ_ESYNTAX, 0},
    {"-01", BZ_ESYNTAX, 0},
    {"1.", BZ_ESYNTAX, 0},
    {"1.e3", BZ_ESYNTAX, 0},
    {"1e", BZ_ESYNTAX, 0},
    {"1e+", BZ_ESYNTAX, 0},
    {"0x10", BZ_ETRAILING, 1},
    {"1 2", BZ_ETRAILING, 2},
    {"{}}", BZ_ETRAILING, 2},
    {"{} //", BZ_ETRAILING, 3},
    {"[1,]", BZ_ESYNTAX, 3},
    {"[,1]", BZ_ESYNTAX, 1},
    {"[1 2]", BZ_ESYNTAX, 3},
    {"[1}", BZ_ESYNTAX, 2},
    {"{\"a\":1]", BZ_ESYNTAX, 6},
    {"{\"a\":1,}", BZ_ESYNTAX, 7},
    {"{,\"a\":1}", BZ_ESYNTAX, 1},
    {"{a:1}", BZ_ESYNTAX, 1},
    {"{'a':1}", BZ_ESYNTAX, 1},
    {"{\"a\" 1}", BZ_ESYNTAX, 5},
    {"{\"a\"}", BZ_ESYNTAX, 4},
    {"{1:2}", BZ_ESYNTAX, 1},
    {"[", BZ_ESYNTAX, 1},
    {"\"abc", BZ_ESYNTAX, 0},
    {"\"abc\\", BZ_ESYNTAX, 0},
    {"\"abc\\\"", BZ_ESYNTAX, 0},
    {"\"a\nb\"", BZ_ESYNTAX, 2},
    {"\"a\\n\x01\"", BZ_ESYNTAX, 4},
    {"\"a\\x41\"", BZ_ESYNTAX, 2},
    {"\"\\'\"", BZ_ESYNTAX, 1},
    {"\"\\\xc3\xa9\"", BZ_ESYNTAX, 1},
    {"\"\\u12\"", BZ_ESYNTAX, 1},
    {"\"\\u12g4\"", BZ_ESYNTAX, 1},
    {"\"\\u0000\"", BZ_ESYNTAX, 1},
    {"{\"\\u0000\":1}", BZ_ESYNTAX, 2},
    {"\"x\\ud800\"", BZ_EUTF8, 2},
    {"\"\\ud800x\"", BZ_EUTF8, 1},
    {"\"\\ud800\\n\"", BZ_EUTF8, 1},
    {"\"\\ud800\\ud800\"", BZ_EUTF8, 1},
    {"\"\\udc00\\ud800\"", BZ_EUTF8, 1},
    {"\"\xed\xa0\x80\"", BZ_EUTF8, 1},
    {"\"ab\xff\"", BZ_EUTF8, 3},
    {"\"\xc0\xaf\"", BZ_EUTF8, 1},
    {"{\"\xc3\":1}", BZ_EUTF8, 2},
    {"\xc2\xa0{}", BZ_ESYNTAX, 0},
    {"{\"a\":1,\"a\":1}", BZ_EDUPKEY, 7},
    {"{\"a\":1,\"b\":{\"a\":1},\"\\u0061\":2}", BZ_EDUPKEY, 19},
    {"{\"\":1,\"\":2}", BZ_EDUPKEY, 6},
    {"{\"abcdefgh1\":1,\"abcdefgh2\":1,\"abcdefgh1\":2}", BZ_EDUPKEY, 29},
    {"[{\"x\":{\"k\":1,\"k\":2}}]", BZ_EDUPKEY, 13},
};

static void refused_with_offset(void **state) {
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct bz_arena ar;
        arena(&ar);
        struct bz_diag diag = {0};
        struct bz_json *root = NULL;
        assert_int_equal(parse(bz_view_str(refusals[i].in), NULL, &ar, &root, &diag),
                         refusals[i].st);
        assert_int_equal(diag.offset, refusals[i].off);
        assert_null(root);
        bz_arena_free(&ar);
    }
    struct bz_arena ar;
    arena(&ar);
    struct bz_json *root = NULL;
    assert_int_equal(bz_json_parse(bz_view("\"a\0b\"", 5), NULL, &ar, &root, NULL), BZ_ESYNTAX);
    assert_int_equal(bz_json_parse(bz_view(NULL, 0), NULL, &ar, &root, NULL), BZ_ESYNTAX);
    bz_arena_free(&ar);
}

/* An object with n members; the key of member `twin` is that of member 0 again (0: none is). */
static void many_members(struct bz_buf *b, size_t n, size_t twin, const char *prefix) {
    bz_buf_init(b, 8u << 20);
    bz_buf_putc(b, '{');
    for (size_t i = 0; i < n; i++)
        bz_buf_printf(b, "%s\"%s%zu\":%zu", i == 0 ? "" : ",", prefix, i == twin ? 0 : i * 7919, i);
    bz_buf_putc(b, '}');
}

static void duplicates_in_objects_of_any_size(void **state) {
    static const char *const prefixes[] = {"", "k", "long prefix that is the same in all "};
    static const size_t sizes[] = {2, 3, 15, 16, 17, 18, 31, 33, 64, 200, BZ_JSON_KEYS_MAX};
    for (size_t p = 0; p < 3; p++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            for (size_t twin = 0; twin < sizes[i]; twin += twin < 40 ? 1 : 97) {
                struct bz_arena ar;
                arena(&ar);
                struct bz_buf b;
                many_members(&b, sizes[i], twin, prefixes[p]);
                struct bz_diag diag = {0};
                struct bz_json *root = NULL;
                enum bz_status st = parse(bz_buf_view(&b), NULL, &ar, &root, &diag);
                assert_int_equal(st, twin == 0 ? BZ_OK : BZ_EDUPKEY);
                if (twin != 0) { /* the offset is that of the second one */
                    struct bz_buf want;
                    bz_buf_init(&want, 100);
                    bz_buf_printf(&want, "\"%s0\":%zu", prefixes[p], twin);
                    assert_memory_equal(b.p + diag.offset, want.p, want.n);
                    bz_buf_free(&want);
                } else {
                    assert_int_equal(root->count, sizes[i]);
                }
                bz_buf_free(&b);
                bz_arena_free(&ar);
            }
        }
    }
}

static void folded_duplicates(void **state) {
    static const struct {
        const char *in;
        bool dup;
    } table[] = {
        {"{\"model\":1,\"Model\":2}", true},
        {"{\"model\":1,\"MODEL \":2}", false},
        {"{\"messages\":1,\"me\xc5\xbfsages\":2}", true}, /* long s */
        {"{\"token\":1,\"to\xe2\x84\xaa"
         "en\":2}",
         true}, /* Kelvin sign */
        {"{\"token\":1,\"to\\u212aen\":2}", true},
        {"{\"k\":1,\"\xe2\x84\xab\":2}", false},    /* Angstrom sign */
        {"{\"\xc3\xa9\":1,\"\xc3\x89\":2}", false}, /* no field has a letter like this */
        {"{\"a[\":1,\"a{\":2}", false},
    };
    const struct bz_json_opts fold = {.fold_keys = true};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bz_arena ar;
        arena(&ar);
        struct bz_diag diag = {0};
        struct bz_json *root = NULL;
        struct bz_view in = bz_view_str(table[i].in);
        assert_int_equal(parse(in, &fold, &ar, &root, &diag), table[i].dup ? BZ_EDUPKEY : BZ_OK);
        assert_int_equal(parse(in, NULL, &ar, &root, &diag), BZ_OK);
        bz_arena_free(&ar);
    }
}

static enum bz_status with_caps(struct bz_view in, struct bz_json_opts opts) {
    struct bz_arena ar;
    arena(&ar);
    struct bz_diag diag = {0};
    struct bz_json *root = NULL;
    enum bz_status st = parse(in, &opts, &ar, &root, &diag);
    bz_arena_free(&ar);
    return st;
}

static void caps_hold_at_the_edge(void **state) {
    struct bz_buf b;
    bz_buf_init(&b, 8u << 20);
    for (uint32_t depth = 1; depth <= 70; depth++) {
        bz_buf_reset(&b);
        for (uint32_t i = 0; i < depth; i++)
            bz_buf_puts(&b, i % 2 == 0 ? "[" : "{\"a\":");
        bz_buf_puts(&b, "1");
        for (uint32_t i = depth; i-- > 0;)
            bz_buf_puts(&b, i % 2 == 0 ? "]" : "}");
        struct bz_view in = bz_buf_view(&b);
        enum bz_status want = depth <= BZ_JSON_DEPTH_MAX ? BZ_OK : BZ_EDEPTH;
        assert_int_equal(with_caps(in, (struct bz_json_opts){0}), want);
        assert_int_equal(with_caps(in, (struct bz_json_opts){.max_depth = depth}), want);
        assert_int_equal(with_caps(in, (struct bz_json_opts){.max_depth = UINT32_MAX}), want);
        if (depth > 1)
            assert_int_equal(with_caps(in, (struct bz_json_opts){.max_depth = depth - 1}),
                             BZ_EDEPTH);
    }
    struct bz_view nodes = BZ_V("[1,2,{\"a\":3}]");
    assert_int_equal(with_caps(nodes, (struct bz_json_opts){.max_nodes = 5}), BZ_OK);
    assert_int_equal(with_caps(nodes, (struct bz_json_opts){.max_nodes = 4}), BZ_ETOOBIG);
    struct bz_view keys = BZ_V("[{\"a\":1,\"b\":1},{\"a\":1,\"b\":1}]");
    assert_int_equal(with_caps(keys, (struct bz_json_opts){.max_keys = 2}), BZ_OK);
    assert_int_equal(with_caps(keys, (struct bz_json_opts){.max_keys = 1}), BZ_ETOOBIG);
    struct bz_view num = BZ_V("[-1234.5e6]");
    assert_int_equal(with_caps(num, (struct bz_json_opts){.max_number = 9}), BZ_OK);
    assert_int_equal(with_caps(num, (struct bz_json_opts){.max_number = 8}), BZ_ETOOBIG);
    bz_buf_free(&b);
    many_members(&b, BZ_JSON_KEYS_MAX + 1, 0, "");
    assert_int_equal(with_caps(bz_buf_view(&b), (struct bz_json_opts){0}), BZ_ETOOBIG);
    bz_buf_reset(&b);
    bz_buf_puts(&b, "[0");
    for (int i = 2; i < BZ_JSON_NODES_MAX; i++)
        bz_buf_puts(&b, ",0");
    bz_buf_puts(&b, "]");
    assert_int_equal(with_caps(bz_buf_view(&b), (struct bz_json_opts){0}), BZ_OK);
    b.n--;
    bz_buf_puts(&b, ",0]");
    assert_int_equal(with_caps(bz_buf_view(&b), (struct bz_json_opts){0}), BZ_ETOOBIG);
    bz_buf_free(&b);
}

static const char sample[] =
    "{\"model\":\"assistant\",\"messages\":[{\"role\":\"user\",\"content\":\"Gr\xc3\xbc\xc3\x9f "
    "\\u00e9\\n"
    "\\ud83d\\ude00 a longer text without anything special in it, over sixteen bytes\"},{\"role\":"
    "\"tool\",\"content\":[{\"type\":\"text\",\"text\":\"\"}]}],\"temperature\":-0.5e-1,\"stop\":["
    "null,true,"
    "false],\"logit_bias\":{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":"
    "1,\"10\":1,"
    "\"11\":1,\"12\":1,\"13\":1,\"14\":1,\"15\":1,\"16\":1,\"17\":1,\"\\u0041\":1}}";

static void every_prefix_fails_and_every_change_is_survived(void **state) {
    struct bz_view in = bz_view_str(sample);
    for (size_t n = 0; n < in.n; n++)
        assert_true(with_caps(bz_view(in.p, n), (struct bz_json_opts){0}) != BZ_OK);
    assert_int_equal(with_caps(in, (struct bz_json_opts){0}), BZ_OK);
    uint8_t text[sizeof sample];
    for (size_t i = 0; i < in.n; i++) {
        for (unsigned c = 0; c < 256; c += 3) {
            memcpy(text, in.p, in.n);
            text[i] = (uint8_t)c;
            struct bz_arena ar;
            arena(&ar);
            struct bz_json *root = NULL;
            if (bz_json_parse(bz_view(text, in.n), NULL, &ar, &root, NULL) == BZ_OK) {
                struct bz_buf once, twice;
                bz_buf_init(&once, 1u << 20);
                bz_buf_init(&twice, 1u << 20);
                bz_json_write(&once, root);
                assert_int_equal(bz_json_parse(bz_buf_view(&once), NULL, &ar, &root, NULL), BZ_OK);
                bz_json_write(&twice, root);
                assert_true(bz_view_eq(bz_buf_view(&once), bz_buf_view(&twice)));
                bz_buf_free(&once);
                bz_buf_free(&twice);
            }
            bz_arena_free(&ar);
        }
    }
}

struct failing {
    int left;
};

static void *failing_alloc(void *ctx, size_t n) {
    struct failing *f = ctx;
    return f->left-- > 0 ? malloc(n) : NULL;
}

static void failing_free(void *ctx, void *p) {
    (void)ctx;
    free(p);
}

static void every_allocation_may_fail(void **state) {
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    bz_buf_puts(&b, "[");
    for (int i = 0; i < 30; i++) {
        bz_buf_puts(&b, sample);
        bz_buf_puts(&b, ",");
    }
    bz_buf_puts(&b, "1]");
    const struct bz_json_opts fold = {.fold_keys = true};
    for (int tree = 0; tree < 2; tree++) {
        enum bz_status st = BZ_EINTERNAL;
        int n = 0;
        for (; st != BZ_OK; n++) {
            struct failing f = {.left = n};
            struct bz_arena ar;
            bz_arena_init(&ar, (struct bz_alloc){failing_alloc, failing_free, &f}, 64u << 20, NULL,
                          0);
            struct bz_diag diag = {0};
            struct bz_json *root = NULL;
            st = tree ? bz_json_parse(bz_buf_view(&b), &fold, &ar, &root, &diag)
                      : bz_json_check(bz_buf_view(&b), &fold, &ar, &diag);
            assert_true(st == BZ_OK || st == BZ_ENOMEM);
            assert_true((root != NULL) == (tree && st == BZ_OK));
            bz_arena_free(&ar);
        }
        assert_true(n > 1);
    }
    /* The same with the arena's cap in place of the allocator. */
    for (size_t max = 0; max < 40000; max += 64) {
        struct bz_arena ar;
        bz_arena_init(&ar, bz_alloc_heap, max, NULL, 0);
        struct bz_json *root = NULL;
        enum bz_status st = bz_json_parse(bz_view_str(sample), &fold, &ar, &root, NULL);
        assert_true(st == BZ_ENOMEM || (st == BZ_OK && max > 2000));
        assert_true(ar.used <= max);
        bz_arena_free(&ar);
    }
    bz_buf_free(&b);
}

static void output_that_does_not_fit_latches(void **state) {
    struct bz_arena ar;
    arena(&ar);
    struct bz_json *root = NULL;
    assert_int_equal(bz_json_parse(bz_view_str(sample), NULL, &ar, &root, NULL), BZ_OK);
    uint8_t mem[1024];
    struct bz_buf whole;
    bz_buf_init(&whole, 1024);
    bz_json_write(&whole, root);
    for (size_t n = 0; n <= whole.n; n++) {
        struct bz_buf b;
        memset(mem, '.', sizeof mem);
        bz_buf_init_fixed(&b, mem, n);
        bz_json_write(&b, root);
        assert_int_equal(b.st, n == whole.n ? BZ_OK : BZ_ETOOBIG);
        assert_true(b.n <= n);
        assert_memory_equal(mem, whole.p, b.n);
        assert_int_equal(mem[n], '.');
    }
    bz_buf_free(&whole);
    bz_arena_free(&ar);
}

static void members_and_types(void **state) {
    struct bz_arena ar;
    arena(&ar);
    struct bz_json *root = NULL;
    assert_int_equal(
        bz_json_parse(BZ_V(" {\"a\":\"x\",\"ab\":\"\",\"c\":[1]}"), NULL, &ar, &root, NULL), BZ_OK);
    assert_int_equal(root->off, 1);
    assert_int_equal(root->count, 3);
    assert_int_equal(root->depth, 0);
    assert_true(bz_view_eq(bz_json_str(bz_json_get(root, BZ_V("a"))), BZ_V("x")));
    assert_non_null(bz_json_str(bz_json_get(root, BZ_V("ab"))).p);
    assert_int_equal(bz_json_str(bz_json_get(root, BZ_V("ab"))).n, 0);
    const struct bz_json *c = bz_json_get(root, BZ_V("c"));
    assert_true(bz_json_is(c, BZ_JSON_ARRAY));
    assert_int_equal(c->first->depth, 2);
    assert_int_equal(c->off, 22);
    assert_null(bz_json_str(c).p);
    assert_null(bz_json_str(NULL).p);
    assert_null(bz_json_get(root, BZ_V("A")));
    assert_null(bz_json_get(c, BZ_V("a")));
    assert_null(bz_json_get(NULL, BZ_V("a")));
    assert_null(bz_json_get_mut(NULL, BZ_V("a")));
    bz_arena_free(&ar);
}

static void numbers(void **state) {
    static const struct {
        const char *text;
        enum bz_status ist;
        int64_t i;
        enum bz_status fst;
        double f;
    } table[] = {
        {"0", BZ_OK, 0, BZ_OK, 0},
        {"-0", BZ_OK, 0, BZ_OK, 0},
        {"42", BZ_OK, 42, BZ_OK, 42},
        {"9223372036854775807", BZ_OK, INT64_MAX, BZ_OK, 9223372036854775807.0},
        {"9223372036854775808", BZ_ERANGE, 0, BZ_OK, 9223372036854775808.0},
        {"-9223372036854775808", BZ_OK, INT64_MIN, BZ_OK, -9223372036854775808.0},
        {"-9223372036854775809", BZ_ERANGE, 0, BZ_OK, -9223372036854775808.0},
        {"18446744073709551616", BZ_ERANGE, 0, BZ_OK, 18446744073709551616.0},
        {"1.0", BZ_ESYNTAX, 0, BZ_OK, 1},
        {"1e2", BZ_ESYNTAX, 0, BZ_OK, 100},
        {"0.7", BZ_ESYNTAX, 0, BZ_OK, 0.7},
        {"-1.5E-3", BZ_ESYNTAX, 0, BZ_OK, -0.0015},
        {"1e999", BZ_ESYNTAX, 0, BZ_ERANGE, 0},
        {"-1e99999999999999999999", BZ_ESYNTAX, 0, BZ_ERANGE, 0},
        {"1e-99999999999999999999", BZ_ESYNTAX, 0, BZ_OK, 0},
        {"0e99999", BZ_ESYNTAX, 0, BZ_OK, 0},
        {"1e308", BZ_ESYNTAX, 0, BZ_OK, 1e308},
        {"1e600", BZ_ESYNTAX, 0, BZ_ERANGE, 0},
        {"0.0000000000000000000000000000000000001e30", BZ_ESYNTAX, 0, BZ_OK, 1e-7},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bz_arena ar;
        arena(&ar);
        struct bz_json *n = NULL;
        assert_int_equal(bz_json_parse(bz_view_str(table[i].text), NULL, &ar, &n, NULL), BZ_OK);
        int64_t v = 0;
        double f = 0;
        assert_int_equal(bz_json_i64(n, &v), table[i].ist);
        assert_true(v == table[i].i);
        assert_int_equal(bz_json_f64(n, &f), table[i].fst);
        double gap = f - table[i].f;
        double most = (f < 0 ? -f : f) * 1e-13;
        assert_true(gap <= most && -gap <= most);
        bz_arena_free(&ar);
    }
    int64_t v;
    double f;
    assert_int_equal(bz_json_i64(NULL, &v), BZ_EINVAL);
    assert_int_equal(bz_json_f64(NULL, &f), BZ_EINVAL);
}

static void trees_are_edited(void **state) {
    struct bz_arena ar;
    arena(&ar);
    struct bz_json *root = NULL;
    assert_int_equal(
        bz_json_parse(BZ_V("{\"a\":{\"x\":[1,2]},\"b\":2,\"c\":3}"), NULL, &ar, &root, NULL),
        BZ_OK);
    bz_json_set_str(bz_json_get_mut(root, BZ_V("a")), BZ_V("q\"\n"));
    assert_true(bz_json_remove(root, BZ_V("b")));
    assert_false(bz_json_remove(root, BZ_V("b")));
    assert_false(bz_json_remove(bz_json_get_mut(root, BZ_V("c")), BZ_V("b")));
    bz_json_add(root, BZ_V("d\t"), bz_json_new_num(&ar, INT64_MIN));
    struct bz_json *obj = bz_json_new_obj(&ar);
    bz_json_add(obj, BZ_V("t"), bz_json_new_bool(&ar, true));
    bz_json_add(obj, BZ_V("f"), bz_json_new_bool(&ar, false));
    bz_json_add(obj, BZ_V("s"), bz_json_new_str(&ar, BZ_V("a\\b")));
    bz_json_add(root, BZ_V("o"), obj);
    assert_int_equal(root->count, 4);
    assert_written(root, "{\"a\":\"q\\\"\\n\",\"c\":3,\"d\\t\":-9223372036854775808,"
                         "\"o\":{\"t\":true,\"f\":false,\"s\":\"a\\\\b\"}}");
    assert_true(bz_json_remove(root, BZ_V("a")));
    assert_true(bz_json_remove(root, BZ_V("o")));
    assert_true(bz_json_remove(root, BZ_V("c")));
    assert_true(bz_json_remove(root, BZ_V("d\t")));
    assert_written(root, "{}");
    struct bz_arena none;
    bz_arena_init(&none, bz_alloc_heap, 0, NULL, 0);
    assert_null(bz_json_new_obj(&none));
    assert_null(bz_json_new_num(&none, 1));
    assert_null(bz_json_new_str(&none, BZ_V("x")));
    assert_null(bz_json_new_bool(&none, true));
    bz_arena_free(&ar);
}

static void trees_made_too_deep_are_not_written(void **state) {
    struct bz_arena ar;
    arena(&ar);
    struct bz_json *n = bz_json_new_obj(&ar);
    for (int i = 0; i < BZ_JSON_DEPTH_MAX; i++) {
        struct bz_json *outer = bz_json_new_obj(&ar);
        bz_json_add(outer, BZ_V("k"), n);
        n = outer;
    }
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    bz_json_write(&b, n);
    assert_int_equal(b.st, BZ_EDEPTH);
    bz_buf_reset(&b);
    bz_json_write(&b, n->first);
    assert_int_equal(b.st, BZ_OK);
    bz_buf_reset(&b);
    bz_json_write(&b, NULL);
    assert_int_equal(b.st, BZ_EINVAL);
    bz_buf_free(&b);
    bz_arena_free(&ar);
}

static void string_literals(void **state) {
    static const char *const table[][2] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c/\x01\x1f\x7f", "\"a\\\"b\\\\c/\\u0001\\u001f\x7f\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"a\xed\xa0\x80z", "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""},
        {"\xe4\xbd", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bz_buf b;
        bz_buf_init(&b, 256);
        bz_json_write_str(&b, bz_view_str(table[i][0]));
        assert_int_equal(b.st, BZ_OK);
        assert_true(bz_view_eq(bz_buf_view(&b), bz_view_str(table[i][1])));
        struct bz_arena ar;
        arena(&ar);
        assert_int_equal(bz_json_check(bz_buf_view(&b), NULL, &ar, NULL), BZ_OK);
        bz_arena_free(&ar);
        bz_buf_free(&b);
    }
    struct bz_buf b;
    bz_buf_init(&b, 16);
    bz_json_write_str(&b, bz_view(NULL, 0));
    assert_true(bz_view_eq(bz_buf_view(&b), BZ_V("\"\"")));
    bz_buf_free(&b);
}

static void special_bytes_are_seen_at_every_place(void **state) {
    static const char *const bad[] = {"\"", "\\", "\x1f", "\n"};
    for (size_t k = 0; k < 4; k++) {
        for (size_t size = 1; size < 200; size++) {
            for (size_t at = 0; at<size; at += size> 100 ? 3 : 1) {
                uint8_t text[202];
                memset(text, 0x20 + (int)(at % 2) * 0x5d, sizeof text);
                text[0] = '"';
                text[1 + at] = (uint8_t)bad[k][0];
                text[size + 1] = '"';
                enum bz_status st = with_caps(bz_view(text, size + 2), (struct bz_json_opts){0});
                assert_int_not_equal(st, BZ_OK);
                text[1 + at] = 0x7e;
                st = with_caps(bz_view(text, size + 2), (struct bz_json_opts){0});
                assert_int_equal(st, BZ_OK);
            }
        }
    }
}

static void event_writer(void **state) {
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, 4096);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "s", BZ_V("x\n"));
    bz_jw_ku64(&w, "u", 7);
    bz_jw_kbool(&w, "b", true);
    bz_jw_key(&w, "a");
    bz_jw_arr(&w);
    bz_jw_i64(&w, -1);
    bz_jw_null(&w);
    bz_jw_arr(&w);
    bz_jw_end(&w);
    bz_jw_obj(&w);
    bz_jw_end(&w);
    bz_jw_raw(&w, BZ_V("{\"r\":1}"));
    bz_jw_time(&w, 0);
    bz_jw_bool(&w, false);
    bz_jw_end(&w);
    bz_jw_key(&w, "e");
    bz_jw_obj(&w);
    bz_jw_end(&w);
    bz_jw_end(&w);
    assert_int_equal(b.st, BZ_OK);
    assert_true(bz_view_eq(bz_buf_view(&b),
                           BZ_V("{\"s\":\"x\\n\",\"u\":7,\"b\":true,\"a\":[-1,null,[],{},{\"r\":1},"
                                "\"1970-01-01T00:00:00.000Z\",false],\"e\":{}}")));
    bz_buf_free(&b);
}

enum op { OBJ, ARR, END, KEY, VAL };

static void misuse_of_the_event_writer_latches(void **state) {
    static const enum op table[][4] = {
        {END, END, END, END}, {KEY, VAL, END, END}, {OBJ, VAL, END, END}, {OBJ, KEY, END, END},
        {OBJ, KEY, KEY, VAL}, {ARR, KEY, VAL, END}, {ARR, END, END, END}, {VAL, VAL, VAL, VAL},
        {ARR, END, ARR, END}, {OBJ, ARR, END, END},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bz_buf b;
        struct bz_jw w;
        bz_buf_init(&b, 4096);
        bz_jw_init(&w, &b);
        for (size_t k = 0; k < 4; k++) {
            if (table[i][k] == OBJ)
                bz_jw_obj(&w);
            else if (table[i][k] == ARR)
                bz_jw_arr(&w);
            else if (table[i][k] == END)
                bz_jw_end(&w);
            else if (table[i][k] == KEY)
                bz_jw_key(&w, "k");
            else
                bz_jw_u64(&w, 1);
        }
        assert_int_equal(b.st, BZ_EINVAL);
        bz_buf_free(&b);
    }
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, 4096);
    bz_jw_init(&w, &b);
    for (int i = 0; i < 70; i++)
        bz_jw_arr(&w);
    assert_int_equal(b.st, BZ_EDEPTH);
    bz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_and_written),
        cmocka_unit_test(refused_with_offset),
        cmocka_unit_test(duplicates_in_objects_of_any_size),
        cmocka_unit_test(folded_duplicates),
        cmocka_unit_test(caps_hold_at_the_edge),
        cmocka_unit_test(every_prefix_fails_and_every_change_is_survived),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(output_that_does_not_fit_latches),
        cmocka_unit_test(members_and_types),
        cmocka_unit_test(numbers),
        cmocka_unit_test(trees_are_edited),
        cmocka_unit_test(trees_made_too_deep_are_not_written),
        cmocka_unit_test(string_literals),
        cmocka_unit_test(special_bytes_are_seen_at_every_place),
        cmocka_unit_test(event_writer),
        cmocka_unit_test(misuse_of_the_event_writer_latches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
