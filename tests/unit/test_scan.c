/* The engine: what is a finding, what is not checked, what is never clean; caps on both sides. */
#include "scan_mem.h"
#include "zip_build.h"

#include <stdlib.h>

static const char text[] = "plain text\n";
static const char elf[60] = "\x7f"
                            "ELF\2\1\1";

static const struct bz_scan_options usual = {.fail_on = BZ_SEVERITY_MEDIUM};

static struct scanned capped(struct bz_view v, struct bz_scan_caps caps) {
    struct bz_scan_options opt = usual;
    opt.caps = caps;
    return scan_mem_with(v, &opt);
}

static struct bz_view zip_of(struct zip_build *z, size_t members) {
    zip_build_init(z);
    for (size_t i = 0; i < members; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%zu.txt", i);
        zip_text(z, name, text);
    }
    return zip_finish(z, NULL);
}

/* Text in `layers` archives. */
static struct bz_view nested(struct zip_build *z, size_t layers) {
    struct bz_view v = bz_view(text, sizeof text - 1);
    for (size_t i = 0; i < layers; i++) {
        struct zip_build outer;
        zip_build_init(&outer);
        zip_put(&outer, &(struct zip_add){.name = "in", .data = v.p, .n = v.n});
        v = zip_finish(&outer, NULL);
        if (i > 0)
            zip_build_done(z);
        *z = outer;
    }
    return v;
}

static void unknown_is_not_clean(void **state) {
    (void)state;
    struct scanned s = scan_mem(bz_view("\1\2\3\4\5\6\7\10\0", 9));
    assert_int_equal(s.st, BZ_OK);
    assert_int_equal(s.r.verdict, BZ_SCAN_UNCHECKED);
    assert_string_equal(s.r.format, "unknown");
    assert_non_null(scan_mem_has(&s, "SCAN-UNKNOWN"));
    scan_mem_done(&s);
}

static void caps_of_members(void **state) {
    (void)state;
    struct zip_build z;
    struct bz_view v = zip_of(&z, 5);
    struct scanned s = capped(v, (struct bz_scan_caps){.members = 5});
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    assert_int_equal(s.r.members, 5);
    scan_mem_done(&s);
    s = capped(v, (struct bz_scan_caps){.members = 4});
    assert_int_equal(s.r.verdict, BZ_SCAN_UNCHECKED);
    assert_non_null(scan_mem_has(&s, "SCAN-LEFT-OUT"));
    scan_mem_done(&s);
    zip_build_done(&z);
}

static void caps_of_depth(void **state) {
    (void)state;
    struct zip_build z;
    struct bz_view v = nested(&z, 3);
    struct scanned s = capped(v, (struct bz_scan_caps){.depth = 3});
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    scan_mem_done(&s);
    s = capped(v, (struct bz_scan_caps){.depth = 2});
    assert_int_equal(s.r.verdict, BZ_SCAN_UNCHECKED);
    scan_mem_done(&s);
    zip_build_done(&z);
}

static void caps_of_bytes(void **state) {
    (void)state;
    char lines[2000];
    memset(lines, 'a', sizeof lines);
    struct zip_build z;
    zip_build_init(&z);
    zip_put(&z, &(struct zip_add){.name = "a", .data = lines, .n = sizeof lines, .deflate = true});
    struct bz_view v = zip_finish(&z, NULL);
    struct scanned s = capped(v, (struct bz_scan_caps){.bytes_out = 2000});
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    assert_int_equal(s.r.bytes_out, 2000);
    scan_mem_done(&s);
    s = capped(v, (struct bz_scan_caps){.bytes_out = 1999});
    assert_int_not_equal(s.r.verdict, BZ_SCAN_CLEAN);
    assert_non_null(scan_mem_has(&s, "SCAN-LEFT-OUT"));
    scan_mem_done(&s);
    zip_build_done(&z);
}

static void caps_of_steps(void **state) {
    (void)state;
    uint8_t tar[1536] = {'a'};
    unsigned sum = 8 * ' ' + 'a' + '0';
    tar[156] = '0';
    (void)snprintf((char *)tar + 148, 8, "%06o", sum);
    struct scanned s = capped(bz_view(tar, sizeof tar), (struct bz_scan_caps){.steps = 100});
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    uint64_t used = s.r.steps;
    scan_mem_done(&s);
    s = capped(bz_view(tar, sizeof tar), (struct bz_scan_caps){.steps = used});
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    scan_mem_done(&s);
    memcpy(tar + 512, tar, 512); /* one member more than steps */
    s = capped(bz_view(tar, sizeof tar), (struct bz_scan_caps){.steps = used});
    assert_int_equal(s.r.verdict, BZ_SCAN_UNCHECKED);
    scan_mem_done(&s);
}

static void caps_of_memory(void **state) {
    (void)state;
    struct zip_build z;
    struct bz_view v = zip_of(&z, 500);
    struct scanned s = capped(v, (struct bz_scan_caps){.memory = 16u << 20});
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    scan_mem_done(&s);
    s = capped(v, (struct bz_scan_caps){.memory = 32u << 10});
    assert_int_equal(s.r.verdict, BZ_SCAN_UNCHECKED);
    scan_mem_done(&s);
    zip_build_done(&z);
}

/* The worst ones are kept, the rest is counted, and the verdict knows of all. */
static void findings_are_capped(void **state) {
    (void)state;
    struct zip_build z;
    zip_build_init(&z);
    for (size_t i = 0; i < 20; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "a\\%zu.txt", i);
        zip_text(&z, name, text); /* low */
    }
    zip_put(&z, &(struct zip_add){.name = "z", .data = elf, .n = sizeof elf}); /* high, and last */
    struct bz_view v = zip_finish(&z, NULL);
    struct scanned s = capped(v, (struct bz_scan_caps){.findings = 5});
    assert_int_equal(s.r.verdict, BZ_SCAN_FINDINGS);
    assert_int_equal(s.r.findings_n, 5);
    assert_int_equal(s.r.findings_more, 16);
    assert_string_equal(s.r.findings[0].rule->id, "EXE-NATIVE");
    assert_int_equal(s.r.severity, BZ_SEVERITY_HIGH);
    scan_mem_done(&s);
    s = scan_mem(v);
    assert_int_equal(s.r.findings_n, 21);
    assert_int_equal(s.r.findings_more, 0);
    for (size_t i = 1; i < s.r.findings_n; i++) {
        const struct bz_scan_finding *a = &s.r.findings[i - 1], *b = &s.r.findings[i];
        assert_true(a->rule->severity >= b->rule->severity);
        if (a->rule->severity == b->rule->severity && bz_view_eq(a->place, b->place))
            assert_true(a->offset <= b->offset);
    }
    scan_mem_done(&s);
    zip_build_done(&z);
}

static void fail_on_decides_the_verdict(void **state) {
    (void)state;
    struct bz_view v = bz_view(elf, sizeof elf);
    for (size_t i = BZ_SEVERITY_LOW; i < BZ_SEVERITY_COUNT; i++) {
        struct bz_scan_options opt = {.fail_on = (enum bz_severity)i};
        struct scanned s = scan_mem_with(v, &opt);
        assert_int_equal(s.r.verdict, i <= BZ_SEVERITY_HIGH ? BZ_SCAN_FINDINGS : BZ_SCAN_CLEAN);
        scan_mem_done(&s);
    }
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_CRITICAL}; /* malformed always counts */
    struct scanned s = scan_mem_with(bz_view("PK\3\4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 34), &opt);
    assert_int_equal(s.r.verdict, BZ_SCAN_FINDINGS);
    scan_mem_done(&s);
}

static void two_formats_are_a_finding(void **state) {
    (void)state;
    struct zip_build z;
    zip_build_init(&z);
    bz_buf_put(&z.file, bz_view(elf, sizeof elf));
    z.base = 0;
    zip_text(&z, "a.txt", text);
    struct scanned s = scan_mem(zip_finish(&z, NULL));
    assert_non_null(scan_mem_has(&s, "SCAN-POLYGLOT"));
    assert_non_null(scan_mem_has(&s, "EXE-NATIVE"));
    assert_non_null(scan_mem_has(&s, "ZIP-PREFIX"));
    scan_mem_done(&s);
    zip_build_done(&z);
}

static void places_name_the_way(void **state) {
    (void)state;
    struct zip_build in, out;
    zip_build_init(&in);
    zip_put(&in, &(struct zip_add){.name = "b/elf", .data = elf, .n = sizeof elf});
    struct bz_view v = zip_finish(&in, NULL);
    zip_build_init(&out);
    zip_put(&out, &(struct zip_add){.name = "a.zip", .data = v.p, .n = v.n, .deflate = true});
    struct scanned s = scan_mem(zip_finish(&out, NULL));
    const struct bz_scan_finding *f = scan_mem_has(&s, "EXE-NATIVE");
    assert_non_null(f);
    assert_true(bz_view_eq(f->place, BZ_V("a.zip!b/elf")));
    scan_mem_done(&s);
    zip_build_done(&in);
    zip_build_done(&out);
}

/* ---- sources that fail ---------------------------------------------------------------------------------- */

struct failing {
    struct bz_view v;
    size_t reads, fail_at;
    bool stop;
};

static enum bz_status failing_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    struct failing *f = ctx;
    *ret_n = 0;
    if (f->reads++ == f->fail_at)
        return BZ_EIO;
    if (off >= f->v.n)
        return BZ_OK;
    *ret_n = n < f->v.n - off ? n : (size_t)(f->v.n - off);
    memcpy(buf, f->v.p + off, *ret_n);
    return BZ_OK;
}

/* Every read may be the one that fails: that is a failure, not a finding and not clean. */
static void every_read_may_fail(void **state) {
    (void)state;
    struct zip_build z;
    struct bz_view v = nested(&z, 2);
    size_t n = 0;
    for (;; n++) {
        struct failing f = {.v = v, .fail_at = n};
        struct bz_source src = {failing_pread, &f, v.n};
        struct bz_arena ar;
        struct bz_scan_result r;
        bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
        enum bz_status st = bz_scan(&ar, &src, BZ_V("f"), &usual, &r);
        bz_arena_free(&ar);
        if (f.reads <= n)
            break;
        assert_int_equal(st, BZ_EIO);
    }
    assert_true(n > 5);
    zip_build_done(&z);
}

struct rationed {
    size_t left;
};

static void *ration_alloc(void *ctx, size_t n) {
    struct rationed *r = ctx;
    return r->left == 0 ? NULL : (r->left--, malloc(n));
}

static void ration_free(void *ctx, void *p) {
    (void)ctx;
    free(p);
}

/* Every allocation may be the one that fails: out of memory, or something left out; never clean. */
static void every_allocation_may_fail(void **state) {
    (void)state;
    struct zip_build z;
    struct bz_view v = nested(&z, 2);
    for (size_t n = 0; n < 1000; n++) {
        struct rationed ration = {n};
        struct bz_alloc a = {ration_alloc, ration_free, &ration};
        struct bz_source src;
        struct bz_arena ar;
        struct bz_scan_result r;
        bz_source_mem(&src, &v);
        bz_arena_init(&ar, a, 1u << 20, NULL, 0);
        enum bz_status st = bz_scan(&ar, &src, BZ_V("f"), &usual, &r);
        bool whole = st == BZ_OK && r.verdict == BZ_SCAN_CLEAN;
        assert_true(st == BZ_OK || st == BZ_ENOMEM);
        bz_arena_free(&ar);
        if (whole) {
            assert_true(n > 3);
            zip_build_done(&z);
            return;
        }
    }
    fail_msg("never enough memory");
}

static bool stop_now(void *ctx, uint64_t done) {
    uint64_t *told = ctx;
    *told = done;
    return false;
}

static void progress_can_stop_it(void **state) {
    (void)state;
    const size_t n = 40u << 20;
    uint8_t *spaces = malloc(n);
    assert_non_null(spaces);
    memset(spaces, ' ', n);
    uint64_t told = 0;
    struct bz_scan_options opt = usual;
    opt.progress = stop_now;
    opt.progress_ctx = &told;
    struct scanned s = scan_mem_with(bz_view(spaces, n), &opt);
    assert_int_equal(s.st, BZ_ELIMIT);
    assert_in_range(told, 1, n);
    scan_mem_done(&s);
    free(spaces);
}

static void a_stream_is_no_file(void **state) {
    (void)state;
    struct failing f = {.v = BZ_V("abc"), .fail_at = SIZE_MAX};
    struct bz_source src = {failing_pread, &f, BZ_SOURCE_UNKNOWN};
    struct bz_arena ar;
    struct bz_scan_result r;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    assert_int_equal(bz_scan(&ar, &src, BZ_V("f"), &usual, &r), BZ_EINVAL);
    bz_arena_free(&ar);
}

/* A member longer than what is held in memory is decoded again where it must be. */
static void long_members(void **state) {
    (void)state;
    const size_t n = 20u << 20;
    uint8_t *noise = malloc(n), *packed = malloc(n + 65536);
    assert_non_null(noise);
    assert_non_null(packed);
    uint64_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        noise[i] = (uint8_t)('a' + (x >> 60)); /* shrinks to a half */
    }
    z_stream z = {.next_in = noise, .avail_in = (uInt)n, .next_out = packed, .avail_out = (uInt)n};
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t m = n - z.avail_out;
    (void)deflateEnd(&z);
    struct scanned s = scan_mem(bz_view(packed, m));
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    assert_string_equal(s.r.format, "gzip");
    assert_true(s.r.bytes_out >= n);
    scan_mem_done(&s);
    noise[n - 5] = 0; /* near the end of what is not held */
    z = (z_stream){.next_in = noise, .avail_in = (uInt)n, .next_out = packed, .avail_out = (uInt)n};
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    m = n - z.avail_out;
    (void)deflateEnd(&z);
    s = scan_mem(bz_view(packed, m));
    assert_int_equal(s.r.verdict, BZ_SCAN_UNCHECKED);
    scan_mem_done(&s);
    free(noise);
    free(packed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_is_not_clean),
        cmocka_unit_test(caps_of_members),
        cmocka_unit_test(caps_of_depth),
        cmocka_unit_test(caps_of_bytes),
        cmocka_unit_test(caps_of_steps),
        cmocka_unit_test(caps_of_memory),
        cmocka_unit_test(findings_are_capped),
        cmocka_unit_test(fail_on_decides_the_verdict),
        cmocka_unit_test(two_formats_are_a_finding),
        cmocka_unit_test(places_name_the_way),
        cmocka_unit_test(every_read_may_fail),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(progress_can_stop_it),
        cmocka_unit_test(a_stream_is_no_file),
        cmocka_unit_test(long_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
