/* 7z archives whose coders are read by another program: what it says is compared with our own header and
 * believed in nothing. */
#include "scan_mem.h"

#include <bartizan/limits.h>

/* 7z a -m0=PPMd: evil.pkl, a pickle of 85 bytes that calls os.system("true # xxx..."), and good.pkl. */
static const uint8_t archive[] = {
    0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0x00, 0x04, 0x9b, 0xba, 0x7f, 0xd0, 0xb9, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x21, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa4, 0x20, 0x7e, 0x0d,
    0x00, 0x7f, 0x84, 0xfc, 0x6e, 0xa4, 0xec, 0x26, 0x89, 0x94, 0x83, 0xa1, 0xc5, 0xb2, 0x43, 0x8c,
    0xb5, 0xb0, 0x69, 0x63, 0xd2, 0xba, 0x90, 0xe7, 0xb1, 0xce, 0xb4, 0x8b, 0xe9, 0xfa, 0xc0, 0xc6,
    0x10, 0x86, 0x54, 0xf0, 0x42, 0xa2, 0x1e, 0xd5, 0x33, 0x35, 0xf5, 0xbe, 0x86, 0x31, 0x28, 0x09,
    0xd6, 0x39, 0x44, 0xaf, 0x1a, 0x24, 0x05, 0x43, 0x44, 0x46, 0xad, 0xff, 0xf2, 0x01, 0xc6, 0xab,
    0x7e, 0xee, 0x51, 0x6f, 0xdd, 0x64, 0x17, 0xd4, 0x6e, 0xd5, 0x4c, 0x00, 0x00, 0x00, 0x81, 0x33,
    0x07, 0xae, 0x0f, 0xd2, 0x8d, 0xd2, 0xfd, 0x40, 0xc0, 0x90, 0xd3, 0x43, 0xc5, 0x2a, 0x2c, 0x6e,
    0xa0, 0x9f, 0x7b, 0x6a, 0xed, 0x28, 0xf0, 0x62, 0x36, 0x67, 0xdd, 0x1c, 0x97, 0x15, 0x09, 0xe0,
    0xc3, 0x51, 0x92, 0xad, 0x9e, 0x05, 0xb7, 0xc3, 0x45, 0x3c, 0x03, 0xff, 0x33, 0xfe, 0x21, 0x47,
    0xda, 0x44, 0x48, 0xda, 0x0b, 0x52, 0xe3, 0x48, 0x75, 0xed, 0x84, 0x90, 0xd2, 0xe9, 0xfb, 0x77,
    0x22, 0x6f, 0x0f, 0x07, 0x06, 0x7e, 0xc1, 0x56, 0x92, 0x86, 0x01, 0xcd, 0xe7, 0x9b, 0xb5, 0x38,
    0x8b, 0xb1, 0x22, 0x98, 0xc2, 0x02, 0xe4, 0x75, 0xbe, 0xe5, 0x4b, 0x45, 0xc9, 0x11, 0xed, 0x22,
    0xbb, 0xd7, 0x50, 0x12, 0x7a, 0x80, 0x00, 0x00, 0x00, 0x17, 0x06, 0x4c, 0x01, 0x09, 0x6d, 0x00,
    0x07, 0x0b, 0x01, 0x00, 0x01, 0x23, 0x03, 0x01, 0x01, 0x05, 0x5d, 0x00, 0x10, 0x00, 0x00, 0x0c,
    0x80, 0x86, 0x0a, 0x01, 0x5d, 0x59, 0x67, 0x1e, 0x00, 0x00};
static uint8_t bytes[] = {
    0x80, 0x04, 0x95, 0x4a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x8c, 0x05, 0x70, 0x6f, 0x73,
    0x69, 0x78, 0x94, 0x8c, 0x06, 0x73, 0x79, 0x73, 0x74, 0x65, 0x6d, 0x94, 0x93, 0x94, 0x8c, 0x2f,
    0x74, 0x72, 0x75, 0x65, 0x20, 0x23, 0x20, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78,
    0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78,
    0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x94,
    0x85, 0x94, 0x52, 0x94, 0x2e, 0x80, 0x04, 0x95, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x7d, 0x94, 0x8c, 0x01, 0x61, 0x94, 0x5d, 0x94, 0x28, 0x4b, 0x00, 0x4b, 0x01, 0x4b, 0x02, 0x4b,
    0x03, 0x4b, 0x04, 0x4b, 0x05, 0x4b, 0x06, 0x4b, 0x07, 0x4b, 0x08, 0x4b, 0x09, 0x65, 0x73, 0x2e};

struct reader {
    const char *list;
    struct bz_view bytes;
    enum bz_status st;
    unsigned calls, open;
    bool member;
};

static enum bz_status unpack(void *ctx, const struct bz_source *src, struct bz_buf *list,
                             struct bz_source *ret) {
    struct reader *r = ctx;
    r->calls++;
    r->member = src != NULL;
    bz_buf_puts(list, r->list);
    if (r->st != BZ_OK)
        return r->st;
    r->open++;
    bz_source_mem(ret, &r->bytes);
    return BZ_OK;
}

static void done(void *ctx, struct bz_source *src) {
    struct reader *r = ctx;
    assert_ptr_equal(src->ctx, &r->bytes);
    r->open--;
}

static struct scanned scan_by(struct reader *r) {
    struct bz_unpacker u = {.unpack = unpack, .done = done, .ctx = r};
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM, .unpacker = &u};
    struct scanned s = scan_mem_with(bz_view(archive, sizeof archive), &opt);
    assert_int_equal(s.st, BZ_OK);
    assert_string_equal(s.r.format, "7z");
    assert_int_equal(r->calls, 1);
    assert_int_equal(r->open, 0);
    assert_false(r->member);
    return s;
}

#define EVIL "{\"name\":\"evil.pkl\",\"bytes\":85,\"whole\":true}\n"
#define GOOD "{\"name\":\"good.pkl\",\"bytes\":43,\"whole\":true}\n"
#define END "{\"end\":\"done\"}\n"

static void both_agree(void **state) {
    (void)state;
    struct reader r = {.list = EVIL GOOD END, .bytes = {bytes, sizeof bytes}};
    struct scanned s = scan_by(&r);
    const struct bz_scan_finding *f = scan_mem_has(&s, "PKL-CALL-CODE");
    assert_non_null(f);
    assert_true(bz_view_eq(f->place, BZ_V("evil.pkl")));
    assert_null(scan_mem_has(&s, "7Z-TWO-VIEWS"));
    assert_null(scan_mem_has(&s, "7Z-CRC"));
    assert_null(scan_mem_has(&s, "ARC-METHOD"));
    scan_mem_done(&s);
}

static void answers(void **state) {
    (void)state;
    static const struct {
        const char *list;
        size_t n; /* of the bytes */
        const char *rule;
    } rows[] = {
        /* other members than ours: all of them are looked at */
        {"{\"name\":\"other.pkl\",\"bytes\":85,\"whole\":true}\n" GOOD END, 128, "7Z-TWO-VIEWS"},
        {"{\"name\":\"other.pkl\",\"bytes\":85,\"whole\":true}\n" GOOD END, 128, "PKL-CALL-CODE"},
        {EVIL END, 85, "7Z-TWO-VIEWS"},
        {EVIL GOOD "{\"name\":\"x\",\"bytes\":0,\"whole\":true}\n" END, 128, "7Z-TWO-VIEWS"},
        {END, 0, "7Z-TWO-VIEWS"},
        /* other bytes than our header's length and checksum say */
        {"{\"name\":\"evil.pkl\",\"bytes\":43,\"whole\":true}\n"
         "{\"name\":\"good.pkl\",\"bytes\":85,\"whole\":true}\n" END,
         128, "7Z-CRC"},
        /* a name that it could not tell */
        {"{\"bytes\":85,\"whole\":true}\n" GOOD END, 128, "PKL-CALL-CODE"},
        /* what it could not unpack is not checked */
        {"{\"name\":\"evil.pkl\",\"bytes\":0,\"whole\":false}\n" END, 0, "ARC-METHOD"},
        {"{\"name\":\"evil.pkl\",\"bytes\":0,\"whole\":false}\n{\"end\":\"damaged\"}\n", 0,
         "ARC-METHOD"},
        {EVIL "{\"name\":\"good.pkl\",\"bytes\":9,\"whole\":false}\n" END, 94, "ARC-METHOD"},
        /* a reader that was taken over, or died */
        {"", 0, "7Z-CRASH"},
        {EVIL GOOD, 128, "7Z-CRASH"},
        {EVIL GOOD "{\"end\":\"done\"}", 128, "7Z-CRASH"},
        {EVIL GOOD END END, 128, "7Z-CRASH"},
        {EVIL GOOD END, 127, "7Z-CRASH"}, /* more bytes than there are */
        {EVIL END, 128, "7Z-CRASH"},      /* fewer */
        {"{\"name\":\"evil.pkl\",\"bytes\":-1,\"whole\":true}\n" END, 0, "7Z-CRASH"},
        {"{\"name\":\"evil.pkl\",\"bytes\":\"85\",\"whole\":true}\n" END, 0, "7Z-CRASH"},
        {"[]\n" END, 0, "7Z-CRASH"},
        {"no json\n" END, 0, "7Z-CRASH"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reader r = {.list = rows[i].list, .bytes = {bytes, rows[i].n}};
        struct scanned s = scan_by(&r);
        if (scan_mem_has(&s, rows[i].rule) == NULL || s.r.verdict == BZ_SCAN_CLEAN) {
            scan_mem_print(&s);
            fail_msg("%s expected of %s", rows[i].rule, rows[i].list);
        }
        scan_mem_done(&s);
    }
}

/* An archive that only our reader makes sense of is not checked; nothing says that somebody else sees
 * another one. */
static void a_list_that_is_cut(void **state) {
    (void)state;
    static const char *const lists[] = {"{\"end\":\"damaged\"}\n", "{\"end\":\"cap\"}\n"};
    for (size_t i = 0; i < 2; i++) {
        struct reader r = {.list = lists[i], .bytes = {bytes, 0}};
        struct scanned s = scan_by(&r);
        assert_int_equal(s.r.verdict, BZ_SCAN_UNCHECKED);
        assert_non_null(scan_mem_has(&s, "ARC-METHOD"));
        assert_null(scan_mem_has(&s, "7Z-TWO-VIEWS"));
        scan_mem_done(&s);
    }
}

static void readers_that_fail(void **state) {
    (void)state;
    static const struct {
        enum bz_status st;
        const char *rule;
        enum bz_scan_verdict verdict;
    } rows[] = {{BZ_ECORRUPT, "7Z-CRASH", BZ_SCAN_FINDINGS},
                {BZ_EUNAVAIL, "ARC-METHOD", BZ_SCAN_UNCHECKED},
                {BZ_ELIMIT, "SCAN-LEFT-OUT", BZ_SCAN_UNCHECKED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reader r = {.list = "", .st = rows[i].st};
        struct scanned s = scan_by(&r);
        assert_int_equal(s.r.verdict, rows[i].verdict);
        assert_non_null(scan_mem_has(&s, rows[i].rule));
        scan_mem_done(&s);
    }
    struct scanned s = scan_mem(bz_view(archive, sizeof archive)); /* none at all */
    assert_int_equal(s.r.verdict, BZ_SCAN_UNCHECKED);
    assert_non_null(scan_mem_has(&s, "ARC-METHOD"));
    scan_mem_done(&s);
}

/* Bytes without end, of a source that makes them up. */
static enum bz_status zeros(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    (void)ctx, (void)off;
    memset(buf, 0, n);
    *ret_n = n;
    return BZ_OK;
}

static enum bz_status unpack_zeros(void *ctx, const struct bz_source *src, struct bz_buf *list,
                                   struct bz_source *ret) {
    (void)src;
    bz_buf_puts(list, ctx);
    *ret = (struct bz_source){.pread = zeros, .size = BZ_SCAN_RATIO_FROM + 43};
    return BZ_OK;
}

static void done_zeros(void *ctx, struct bz_source *src) {
    (void)ctx, (void)src;
}

static void a_bomb(void **state) {
    (void)state;
    char list[] = "{\"name\":\"evil.pkl\",\"bytes\":16777216,\"whole\":true}\n" GOOD END;
    struct bz_unpacker u = {.unpack = unpack_zeros, .done = done_zeros, .ctx = list};
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM, .unpacker = &u};
    struct scanned s = scan_mem_with(bz_view(archive, sizeof archive), &opt);
    assert_non_null(scan_mem_has(&s, "CODEC-BOMB"));
    assert_non_null(scan_mem_has(&s, "7Z-CRC"));
    scan_mem_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_agree),
        cmocka_unit_test(answers),
        cmocka_unit_test(a_list_that_is_cut),
        cmocka_unit_test(readers_that_fail),
        cmocka_unit_test(a_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
