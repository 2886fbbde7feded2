/* Records of workers: what is written is read again; cut anywhere or changed, it is refused or harmless. */
#include "../../src/cli/scan_worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/crypto.h>

static const struct bz_rule one = {.id = "A-ONE", .title = "", .would = "", .todo = "", .ref = ""};
static const struct bz_rule two = {.id = "A-TWO", .title = "", .would = "", .todo = "", .ref = ""};
static const struct bz_rule *rules[] = {&one, &two};
static const struct bz_scan_list list = {.n = 10};
static const struct bz_scan_run run = {.list = &list, .rules = rules, .rules_n = 2};

static void record(struct bz_buf *b, const char *save) {
    struct bz_scan_finding f[2] = {{&two, BZ_V("a!b"), 77, BZ_V("evidence\0here")},
                                   {&one, BZ_V(""), 5, BZ_V("")}};
    struct bz_scan_result res = {
        .format = "zip", .verdict = BZ_SCAN_FINDINGS, .severity = BZ_SEVERITY_HIGH, .findings = f};
    struct bz_scan_outcome o = {.item = 7, .st = BZ_OK, .size = 1ull << 40, .hashed = true};
    memset(o.hash, 0xab, sizeof o.hash);
    res.findings_n = 2;
    res.findings_more = 3;
    res.members = 4;
    bz_buf_init(b, 4096);
    bz_scan_record_put(b, &run, &o, &res);
    assert_int_equal(bz_buf_status(b), BZ_OK);
    if (save != NULL) { /* a seed of fuzz/corpus/scan_record */
        FILE *out = fopen(save, "wb");
        assert_non_null(out);
        assert_int_equal(fwrite(b->p + 4, 1, b->n - 4, out), b->n - 4);
        assert_int_equal(fclose(out), 0);
    }
}

static enum bz_status read_it(struct bz_view v, struct bz_arena *ar, struct bz_scan_outcome *o) {
    bz_arena_init(ar, bz_alloc_heap, 1u << 20, NULL, 0);
    return bz_scan_record_get(v, &run, ar, o);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    struct bz_buf b;
    struct bz_arena ar;
    struct bz_scan_outcome o;
    record(&b, getenv("BZ_SEED"));
    size_t n = (size_t)b.p[0] | (size_t)b.p[1] << 8;
    assert_int_equal(n, b.n - 4);
    assert_int_equal(read_it(bz_view(b.p + 4, n), &ar, &o), BZ_OK);
    assert_int_equal(o.item, 7);
    assert_int_equal(o.verdict, BZ_SCAN_FINDINGS);
    assert_int_equal(o.severity, BZ_SEVERITY_HIGH);
    assert_true(o.hashed && o.hash[31] == 0xab);
    assert_true(o.size == 1ull << 40 && o.more == 3 && o.members == 4);
    assert_true(bz_view_eq(o.format, BZ_V("zip")));
    assert_int_equal(o.found_n, 2);
    assert_ptr_equal(o.found[0].rule, &two);
    assert_int_equal(o.found[0].offset, 77);
    assert_true(bz_view_eq(o.found[0].place, BZ_V("a!b")));
    assert_true(bz_view_eq(o.found[0].evidence, BZ_V("evidence\0here")));
    assert_ptr_equal(o.found[1].rule, &one);
    bz_arena_free(&ar);
    bz_buf_free(&b);
}

static void every_cut_is_refused(void **state) {
    (void)state;
    struct bz_buf b;
    struct bz_arena ar;
    struct bz_scan_outcome o;
    record(&b, NULL);
    for (size_t n = 0; n < b.n - 4; n++) {
        assert_int_equal(read_it(bz_view(b.p + 4, n), &ar, &o), BZ_ECORRUPT);
        bz_arena_free(&ar);
    }
    bz_buf_putc(&b, 0); /* and one byte more */
    assert_int_equal(read_it(bz_view(b.p + 4, b.n - 4), &ar, &o), BZ_ECORRUPT);
    bz_arena_free(&ar);
    bz_buf_free(&b);
}

static void numbers_out_of_range(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = {{0, 10}, {4, 200}, {12, BZ_SCAN_VERDICT_COUNT}, {13, BZ_SEVERITY_COUNT}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_buf b;
        struct bz_arena ar;
        struct bz_scan_outcome o;
        record(&b, NULL);
        b.p[4 + rows[i].at] = rows[i].value;
        assert_int_equal(read_it(bz_view(b.p + 4, b.n - 4), &ar, &o), BZ_ECORRUPT);
        bz_arena_free(&ar);
        bz_buf_free(&b);
    }
}

static void hashes_with_and_without_a_reader(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 131072, (4u << 20), (4u << 20) + 1, (9u << 20) + 77};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        FILE *f = tmpfile();
        uint8_t want[32], have[32];
        uint8_t *data = malloc(sizes[i] + 1);
        assert_non_null(f);
        assert_non_null(data);
        for (size_t k = 0; k < sizes[i]; k++)
            data[k] = (uint8_t)(k * 2654435761u >> 13);
        assert_int_equal(fwrite(data, 1, sizes[i], f), sizes[i]);
        assert_int_equal(fflush(f), 0);
        bz_sha256(bz_view(data, sizes[i]), want);
        assert_int_equal(bz_scan_hash(fileno(f), sizes[i], NULL, have), BZ_OK);
        assert_memory_equal(want, have, 32);
        /* Shorter than it was: a failure, at once. */
        assert_int_equal(bz_scan_hash(fileno(f), sizes[i] + 1, NULL, have), BZ_EIO);
        assert_int_equal(bz_scan_hash(fileno(f), sizes[i] + (20u << 20), NULL, have), BZ_EIO);
        free(data);
        (void)fclose(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(numbers_out_of_range),
        cmocka_unit_test(hashes_with_and_without_a_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
