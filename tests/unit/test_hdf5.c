/* HDF5 as the scanner judges it: the answer of a reader, line by line, believed in nothing. */
#include "scan_mem.h"

struct reader {
    const char *answer;
    enum bz_status st;
    int calls;
    bool member;
};

static enum bz_status list(void *ctx, const struct bz_source *src, struct bz_buf *out) {
    struct reader *r = ctx;
    r->calls++;
    r->member = src != NULL;
    bz_buf_puts(out, r->answer);
    return r->st;
}

#define SUPERBLOCK                                                                                 \
    "\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0"                    \
    "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0"
#define FILE_BYTES bz_view(SUPERBLOCK, sizeof SUPERBLOCK - 1)
#define DONE "{\"kind\":\"done\",\"of\":\"/\",\"objects\":1}\n"

static void expect(struct reader *r, const char *rule) {
    struct bz_hdf5 h = {.list = list, .ctx = r};
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM, .hdf5 = &h};
    struct scanned s = scan_mem_with(FILE_BYTES, &opt);
    assert_int_equal(s.st, BZ_OK);
    assert_int_equal(r->calls, 1);
    assert_string_equal(s.r.format, "hdf5");
    bool good = rule == NULL ? s.r.verdict == BZ_SCAN_CLEAN : scan_mem_has(&s, rule) != NULL;
    if (!good) {
        scan_mem_print(&s);
        fail_msg("%s: %s expected, verdict %d", r->answer, rule == NULL ? "nothing" : rule,
                 (int)s.r.verdict);
    }
    scan_mem_done(&s);
}

static void answers(void **state) {
    (void)state;
    static const struct {
        const char *answer, *rule;
    } samples[] = {
        {DONE, NULL},
        {"{\"kind\":\"soft\",\"of\":\"/a\",\"name\":\"a\",\"file\":\"\",\"path\":\"/b\"}\n" DONE,
         NULL},
        {"{\"kind\":\"attribute\",\"of\":\"/"
         "\",\"name\":\"model_config\",\"text\":\"{\\\"class_name\\\":\\\"Dense\\\",\\\"config\\\":"
         "{}}\"}\n" DONE,
         NULL},
        {"{\"kind\":\"attribute\",\"of\":\"/"
         "\",\"name\":\"model_config\",\"text\":\"{\\\"class_name\\\":\\\"Lambda\\\","
         "\\\"config\\\":{\\\"function\\\":[\\\"a\\\"]}}\"}\n" DONE,
         "KERAS-LAMBDA"},
        {"{\"kind\":\"attribute\",\"of\":\"/"
         "\",\"name\":\"backend\",\"text\":\"tensorflow\"}\n" DONE,
         NULL},
        {"{\"kind\":\"attribute\",\"of\":\"/"
         "t\",\"name\":\"PSEUDOATOM\",\"text\":\"object\"}\n" DONE,
         "H5-PICKLE"},
        {"{\"kind\":\"elink\",\"of\":\"/a\",\"name\":\"a\",\"file\":\"/etc/passwd\",\"path\":\"/"
         "\"}\n" DONE,
         "H5-LINK"},
        {"{\"kind\":\"ulink\",\"of\":\"/a\",\"name\":\"a\",\"file\":\"\",\"path\":\"\"}\n" DONE,
         "H5-LINK"},
        {"{\"kind\":\"external\",\"of\":\"/a\",\"file\":\"/etc/passwd\"}\n" DONE, "H5-EXTERNAL"},
        {"{\"kind\":\"virtual\",\"of\":\"/a\",\"file\":\"../x.h5\"}\n" DONE, "H5-EXTERNAL"},
        {"{\"kind\":\"virtual\",\"of\":\"/a\",\"file\":\".\"}\n" DONE, NULL},
        {"{\"kind\":\"filter\",\"of\":\"/a\",\"id\":32000,\"name\":\"lzf\"}\n" DONE, NULL},
        {"{\"kind\":\"filter\",\"of\":\"/a\",\"id\":32001,\"name\":\"blosc\"}\n" DONE, "H5-FILTER"},
        {"{\"kind\":\"unread\",\"of\":\"/a\",\"name\":\"x\"}\n" DONE, "H5-MALFORMED"},
        {"{\"kind\":\"refused\",\"of\":\"/\"}\n", "H5-MALFORMED"},
        {"{\"kind\":\"cap\",\"of\":\"/\",\"what\":\"objects\"}\n", "SCAN-LEFT-OUT"},
        {"{\"kind\":\"trailing\",\"of\":\"/\",\"end\":1,\"size\":99}\n" DONE, "H5-TRAILING"},
        /* a reader that was taken over, or died */
        {"", "H5-CRASH"},
        {"{\"kind\":\"attribute\",\"of\":\"/\"}\n", "H5-CRASH"},
        {"no json\n" DONE, "H5-CRASH"},
        {"{\"kind\":\"attribute\",\"name\":\"a\",\"b64\":\"***\"}\n" DONE, "H5-CRASH"},
        {"{\"kind\":\"sesame\"}\n" DONE, "H5-MALFORMED"},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct reader r = {.answer = samples[i].answer};
        expect(&r, samples[i].rule);
        assert_false(r.member); /* the file itself */
    }
}

static void a_pickle_in_an_attribute(void **state) {
    (void)state;
    struct reader r = {.answer = "{\"kind\":\"attribute\",\"of\":\"/\",\"name\":\"x\",\"b64\":"
                                 "\"gARjb3MKc3lzdGVtCowCaWSFUi4=\"}\n" DONE};
    expect(&r, "PKL-CALL-CODE");
}

static void readers_that_fail(void **state) {
    (void)state;
    static const struct {
        enum bz_status st;
        const char *rule;
    } samples[] = {
        {BZ_ECORRUPT, "H5-CRASH"}, {BZ_EUNAVAIL, "H5-UNCHECKED"}, {BZ_ELIMIT, "SCAN-LEFT-OUT"}};
    for (size_t i = 0; i < 3; i++) {
        struct reader r = {.answer = "", .st = samples[i].st};
        expect(&r, samples[i].rule);
    }
}

static void without_a_reader(void **state) {
    (void)state;
    struct scanned s = scan_mem(FILE_BYTES);
    assert_int_equal(s.st, BZ_OK);
    assert_int_equal(s.r.verdict, BZ_SCAN_UNCHECKED);
    assert_non_null(scan_mem_has(&s, "H5-UNCHECKED"));
    scan_mem_done(&s);
}

/* The mark alone holds nothing; behind a block of the user's it counts from 512 on, doubled. */
static void where_it_begins(void **state) {
    (void)state;
    static uint8_t file[8192];
    struct scanned s = scan_mem(bz_view(SUPERBLOCK, 8));
    assert_non_null(scan_mem_has(&s, "H5-EMPTY"));
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    scan_mem_done(&s);
    for (size_t at = 256; at <= 4096; at += 256) {
        memset(file, 0, sizeof file);
        memcpy(file + at, SUPERBLOCK, sizeof SUPERBLOCK - 1);
        s = scan_mem(bz_view(file, sizeof file));
        bool power = at >= 512 && (at & (at - 1)) == 0;
        assert_int_equal(strcmp(s.r.format, "hdf5") == 0, power);
        scan_mem_done(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),           cmocka_unit_test(a_pickle_in_an_attribute),
        cmocka_unit_test(readers_that_fail), cmocka_unit_test(without_a_reader),
        cmocka_unit_test(where_it_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
