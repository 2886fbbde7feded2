/* Arrays between opcodes, as joblib writes them, and torch files of five pickles. */
#include "pickle_build.h"

static const char payload[] = "\x8c\x02os\x8c\x06system\x93\x8c\x04mark\x85R";

struct array {
    const char *dtype; /* "f8" */
    uint32_t shape[2];
    unsigned dims;
    bool aligned, void_type;
    uint32_t elsize, flags; /* of void_type */
};

/* The wrapper and the BUILD of its state; the bytes of the array follow. */
static void wrapper(struct bz_buf *b, const struct array *a) {
    pk_short(b, "joblib.numpy_pickle");
    pk_short(b, "NumpyArrayWrapper");
    bz_buf_puts(b, "\x93)\x81}(");
    pk_short(b, "subclass");
    pk_short(b, "numpy");
    pk_short(b, "ndarray");
    bz_buf_puts(b, "\x93");
    pk_short(b, "shape");
    bz_buf_puts(b, "(");
    for (unsigned i = 0; i < a->dims; i++)
        pk_int4(b, 'J', a->shape[i]);
    bz_buf_puts(b, "t");
    pk_short(b, "order");
    pk_short(b, "C");
    pk_short(b, "dtype");
    pk_short(b, "numpy");
    pk_short(b, "dtype");
    bz_buf_puts(b, "\x93");
    pk_short(b, a->dtype);
    bz_buf_puts(b, "\x89\x88\x87R(K\x03");
    pk_short(b, "<");
    bz_buf_puts(b, "NNN");
    pk_int4(b, 'J', a->void_type ? a->elsize : UINT32_MAX);
    pk_int4(b, 'J', UINT32_MAX);
    pk_int4(b, 'J', a->dtype[0] == 'O' ? 63 : a->flags);
    bz_buf_puts(b, "tb");
    pk_short(b, "allow_mmap");
    bz_buf_puts(b, "\x88");
    pk_short(b, "numpy_array_alignment_bytes");
    if (a->aligned)
        bz_buf_put(b, bz_view("K\x10", 2));
    else
        bz_buf_puts(b, "N");
    bz_buf_puts(b, "ub");
}

static struct bz_buf begin(void) {
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    bz_buf_puts(&b, "\x80\x04]");
    return b;
}

static void fill(struct bz_buf *b, size_t n, uint8_t c) {
    for (size_t i = 0; i < n; i++)
        bz_buf_putc(b, c);
}

static const struct array plain[] = {
    {"f8", {3, 0}, 1, true, false, 0, 0},   {"f8", {3, 0}, 1, false, false, 0, 0},
    {"i4", {3, 2}, 2, true, false, 0, 0},   {"U4", {3, 0}, 1, true, true, 16, 8},
    {"V24", {2, 1}, 2, true, true, 24, 16}, {"b1", {0, 5}, 2, true, false, 0, 0},
    {"f8", {0, 0}, 0, true, false, 0, 0},
};
static const size_t plain_bytes[] = {24, 24, 24, 48, 48, 0, 8};

static void arrays_are_skipped(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        for (int harm = 0; harm < 2; harm++) {
            for (int shift = -2; shift < 2; shift += shift < 0 ? 2 : 1) {
                struct bz_buf b = begin();
                wrapper(&b, &plain[i]);
                if (plain[i].aligned) {
                    bz_buf_putc(&b, 5);
                    fill(&b, 5, 0xff);
                }
                if (shift < 0 && plain_bytes[i] == 0)
                    shift = 0;
                fill(&b, plain_bytes[i] + (size_t)(shift + 2) - 2, 0xfe); /* no opcode */
                if (harm)
                    bz_buf_put(&b, bz_view(payload, sizeof payload - 1));
                bz_buf_puts(&b, harm ? "0a." : "a.");
                if (shift != 0)
                    pk_has(bz_buf_view(&b), NULL, "an array of another length");
                else if (harm)
                    pk_has(bz_buf_view(&b), "PKL-CALL-CODE", plain[i].dtype);
                else
                    pk_is_clean(bz_buf_view(&b), plain[i].dtype);
                bz_buf_free(&b);
            }
        }
    }
}

/* The same bytes read as opcodes, by a program that does not use joblib. */
static void what_a_plain_reader_would_run(void **state) {
    (void)state;
    static const struct array a = {"u1", {64, 0}, 1, false, false, 0, 0};
    struct bz_buf b = begin();
    wrapper(&b, &a);
    size_t from = b.n;
    bz_buf_put(&b, bz_view(payload, sizeof payload - 1));
    bz_buf_puts(&b, "0.");
    fill(&b, 64 - (b.n - from), 0);
    bz_buf_puts(&b, "a.");
    pk_has(bz_buf_view(&b), "PKL-CALL-CODE", "the array is code");
    bz_buf_free(&b);
}

static void arrays_of_objects(void **state) {
    (void)state;
    static const struct array rows[] = {{"O8", {1, 0}, 1, true, false, 0, 0},
                                        {"V8", {1, 0}, 1, true, true, 8, 63}};
    for (size_t i = 0; i < 2; i++) {
        for (int where = 0; where < 3; where++) {
            struct bz_buf b = begin();
            wrapper(&b, &rows[i]);
            bz_buf_puts(&b, "\x80\x04]");
            if (where == 1)
                bz_buf_put(&b, bz_view(payload, sizeof payload - 1));
            bz_buf_puts(&b, where == 1 ? "a." : ".");
            if (where == 2) {
                bz_buf_put(&b, bz_view(payload, sizeof payload - 1));
                bz_buf_puts(&b, "0");
            }
            bz_buf_puts(&b, "a.");
            if (where == 0)
                pk_is_clean(bz_buf_view(&b), "objects");
            else
                pk_has(bz_buf_view(&b), "PKL-CALL-CODE", where == 1 ? "in them" : "behind them");
            bz_buf_free(&b);
        }
    }
}

static void arrays_that_cannot_be_followed(void **state) {
    (void)state;
    static const struct array rows[] = {{"f8", {1000, 0}, 1, true, false, 0, 0},
                                        {"x9", {1, 0}, 1, true, false, 0, 0},
                                        {"f8", {0x7fffffff, 0x7fffffff}, 2, true, false, 0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_buf b = begin();
        wrapper(&b, &rows[i]);
        fill(&b, 1, 0);
        fill(&b, 100, 0xfe);
        pk_has(bz_buf_view(&b), "PKL-ARRAY", rows[i].dtype);
        bz_buf_puts(&b, "\x80\x04");
        bz_buf_put(&b, bz_view(payload, sizeof payload - 1));
        bz_buf_puts(&b, ".");
        pk_has(bz_buf_view(&b), "PKL-CALL-CODE", "a payload behind it");
        bz_buf_free(&b);
    }
}

static void files_beside(void **state) {
    (void)state;
    struct bz_buf b = begin();
    pk_short(&b, "joblib.numpy_pickle");
    pk_short(&b, "NDArrayWrapper");
    bz_buf_puts(&b, "\x93)\x81}b");
    bz_buf_puts(&b, "a.");
    struct scanned s = scan_mem(bz_buf_view(&b));
    assert_int_equal(s.st, BZ_OK);
    assert_non_null(scan_mem_has(&s, "PKL-EXTERNAL"));
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    scan_mem_done(&s);
    bz_buf_free(&b);
}

static void old_streams(void **state) {
    (void)state;
    static const uint8_t deflated[] = {0x78, 0x9c, 0x6b, 0x60, 0xf1, 0xd3,
                                       0x03, 0x00, 0x02, 0xda, 0x01, 0x01};
    struct bz_buf b;
    bz_buf_init(&b, 4096);
    bz_buf_puts(&b, "ZF0x4                ");
    assert_int_equal(b.n, 21);
    bz_buf_put(&b, bz_view(deflated, sizeof deflated));
    struct scanned s = scan_mem(bz_buf_view(&b));
    assert_int_equal(s.st, BZ_OK);
    assert_string_equal(s.r.format, "joblib (old, compressed)");
    assert_int_equal(s.r.members, 1);
    scan_mem_done(&s);
    b.p[6] = 'z';
    pk_has(bz_buf_view(&b), "JOB-LENGTH", "a length that is none");
    bz_buf_free(&b);
}

/* ---- torch before 1.6 ----------------------------------------------------------------------- */

static const char magic[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

static struct bz_buf torch(uint64_t numel, size_t bytes, bool harm) {
    struct bz_buf b;
    bz_buf_init(&b, 4096);
    bz_buf_put(&b, bz_view(magic, sizeof magic - 1));
    bz_buf_puts(&b, "\x80\x02M\xe9\x03.\x80\x02}.");
    bz_buf_puts(&b, "\x80\x02");
    if (harm) {
        bz_buf_put(&b, bz_view(payload, sizeof payload - 1));
        bz_buf_puts(&b, "0");
    }
    pk_global(&b, "torch._utils", "_rebuild_tensor_v2");
    bz_buf_puts(&b, "((");
    pk_short(&b, "storage");
    pk_global(&b, "torch", "FloatStorage");
    pk_short(&b, "94512345");
    pk_short(&b, "cpu");
    bz_buf_put(&b, bz_view("K\x03NtQK\x00K\x03\x85K\x01\x85\x89", 14));
    pk_global(&b, "collections", "OrderedDict");
    bz_buf_puts(&b, ")RtR.");
    bz_buf_puts(&b, "\x80\x02]");
    pk_short(&b, "94512345");
    bz_buf_puts(&b, "a.");
    bz_buf_put_le64(&b, numel);
    fill(&b, bytes, 0x80);
    return b;
}

static void legacy_torch(void **state) {
    (void)state;
    struct bz_buf b = torch(3, 12, false);
    struct scanned s = scan_mem(bz_buf_view(&b));
    assert_int_equal(s.st, BZ_OK);
    if (s.r.verdict != BZ_SCAN_CLEAN)
        scan_mem_print(&s);
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    assert_string_equal(s.r.format, "torch (before 1.6)");
    scan_mem_done(&s);
    bz_buf_puts(&b, "\x80\x04");
    bz_buf_put(&b, bz_view(payload, sizeof payload - 1));
    bz_buf_puts(&b, ".");
    pk_has(bz_buf_view(&b), "PKL-CALL-CODE", "behind the storages");
    bz_buf_free(&b);
    b = torch(3, 11, false);
    pk_has(bz_buf_view(&b), "PKL-TORCH", "too short");
    bz_buf_free(&b);
    b = torch(2, 12, false);
    pk_has(bz_buf_view(&b), "PKL-TORCH", "fewer elements than the tensor has");
    bz_buf_free(&b);
    b = torch(UINT64_MAX / 2, 12, false);
    pk_has(bz_buf_view(&b), "PKL-TORCH", "more than all files have");
    bz_buf_free(&b);
    b = torch(3, 12, true);
    pk_has(bz_buf_view(&b), "PKL-CALL-CODE", "in the fourth pickle");
    bz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_skipped), cmocka_unit_test(what_a_plain_reader_would_run),
        cmocka_unit_test(arrays_of_objects),  cmocka_unit_test(arrays_that_cannot_be_followed),
        cmocka_unit_test(files_beside),       cmocka_unit_test(old_streams),
        cmocka_unit_test(legacy_torch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
