/* Sparse members of tar: in each of the four ways to write them, and in none. */
#include "scan_mem.h"

#include <bartizan/limits.h>
#include <stdlib.h>

#define EVIL "\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."
#define BLOCK 512
#define REAL (3u << 20)

/* Marks that a file is seen as it was: a program 1 MiB behind its beginning of zeros. */
static const uint8_t evil[sizeof EVIL - 1] = EVIL;

static uint8_t *header(struct bz_buf *b, const char *name, char type, size_t n) {
    uint8_t *h = bz_buf_room(b, BLOCK);
    unsigned sum = 0;
    assert_non_null(h);
    memset(h, 0, BLOCK);
    (void)snprintf((char *)h, 100, "%s", name);
    (void)snprintf((char *)h + 124, 12, "%011o", (unsigned)n);
    h[156] = (uint8_t)type;
    (void)snprintf((char *)h + 257, 8, "ustar");
    memset(h + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += h[i];
    (void)snprintf((char *)h + 148, 8, "%06o", sum);
    return h;
}

static void sum_again(uint8_t *h) {
    unsigned sum = 0;
    memset(h + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += h[i];
    (void)snprintf((char *)h + 148, 8, "%06o", sum);
}

static void pad(struct bz_buf *b) {
    while (b->n % BLOCK != 0)
        bz_buf_putc(b, 0);
}

static void finish(struct bz_buf *b) {
    pad(b);
    uint8_t *end = bz_buf_room(b, 2 * BLOCK);
    assert_non_null(end);
    memset(end, 0, 2 * BLOCK);
}

static void expect(struct bz_buf *b, enum bz_scan_verdict want, const char *id, const char *place) {
    struct scanned s = scan_mem(bz_buf_view(b));
    assert_int_equal(s.st, BZ_OK);
    const struct bz_scan_finding *f = id == NULL ? NULL : scan_mem_has(&s, id);
    if (s.r.verdict != want || (id != NULL && f == NULL)) {
        scan_mem_print(&s);
        fail_msg("verdict %d, %d and %s wanted", (int)s.r.verdict, (int)want, id);
    }
    if (place != NULL)
        assert_true(bz_view_eq(f->place, bz_view_str(place)));
    scan_mem_done(&s);
    bz_buf_free(b);
}

static void record(struct bz_buf *b, const char *key, const char *value) {
    size_t n = strlen(key) + strlen(value) + 3, digits = n + 1 > 9 ? n + 2 > 99 ? 3 : 2 : 1;
    bz_buf_printf(b, "%zu %s=%s\n", n + digits, key, value);
}

/* A pax header of these records, and the member's. */
static void pax(struct bz_buf *b, const char *const *records, size_t packed) {
    struct bz_buf r;
    bz_buf_init(&r, 1u << 20);
    for (; records[0] != NULL; records += 2)
        record(&r, records[0], records[1]);
    (void)header(b, "PaxHeaders/x", 'x', r.n);
    bz_buf_put(b, bz_buf_view(&r));
    pad(b);
    (void)header(b, "GNUSparseFile.1/x", '0', packed);
    bz_buf_free(&r);
}

/* ---- as GNU tar writes them -------------------------------------------------------------------------- */

static void pax_0_0(void **state) {
    (void)state;
    static const char *const records[] = {"GNU.sparse.size",
                                          "3145728",
                                          "GNU.sparse.numblocks",
                                          "2",
                                          "GNU.sparse.offset",
                                          "0",
                                          "GNU.sparse.numbytes",
                                          "24",
                                          "GNU.sparse.offset",
                                          "1048576",
                                          "GNU.sparse.numbytes",
                                          "4",
                                          NULL};
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    pax(&b, records, sizeof evil + 4);
    bz_buf_put(&b, bz_view(evil, sizeof evil));
    bz_buf_puts(&b, "more");
    finish(&b);
    expect(&b, BZ_SCAN_FINDINGS, "PKL-CALL-CODE", "GNUSparseFile.1/x");
}

static void pax_0_1(void **state) {
    (void)state;
    static const char *const records[] = {"GNU.sparse.name",
                                          "model.pkl",
                                          "GNU.sparse.size",
                                          "3145728",
                                          "GNU.sparse.numblocks",
                                          "1",
                                          "GNU.sparse.map",
                                          "0,24,3145728,0",
                                          NULL};
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    pax(&b, records, sizeof evil);
    bz_buf_put(&b, bz_view(evil, sizeof evil));
    finish(&b);
    expect(&b, BZ_SCAN_FINDINGS, "PKL-CALL-CODE", "model.pkl");
}

static const char *const v1[] = {"GNU.sparse.major",
                                 "1",
                                 "GNU.sparse.minor",
                                 "0",
                                 "GNU.sparse.name",
                                 "model.pkl",
                                 "GNU.sparse.realsize",
                                 "3145728",
                                 NULL};

/* A member of version 1.0 with this map and these packed bytes. */
static void put_v1(struct bz_buf *b, const char *map, struct bz_view data) {
    struct bz_buf m;
    bz_buf_init(&m, 1u << 20);
    bz_buf_puts(&m, map);
    pad(&m);
    bz_buf_put(&m, data);
    pax(b, v1, m.n);
    bz_buf_put(b, bz_buf_view(&m));
    finish(b);
    bz_buf_free(&m);
}

static void pax_1_0(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    put_v1(&b, "2\n0\n24\n3145728\n0\n", bz_view(evil, sizeof evil));
    expect(&b, BZ_SCAN_FINDINGS, "PKL-CALL-CODE", "model.pkl");
}

/* Four extents in the header, more of them in two blocks behind it. */
static void gnu_old(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    uint8_t *h = header(&b, "model.pkl", 'S', sizeof evil);
    for (unsigned i = 0; i < 4; i++) {
        (void)snprintf((char *)h + 386 + 24 * i, 12, "%011o", i);
        (void)snprintf((char *)h + 398 + 24 * i, 12, "%011o", 1u);
    }
    h[482] = 1;
    (void)snprintf((char *)h + 483, 12, "%011o", REAL);
    sum_again(h);
    for (unsigned block = 0; block < 2; block++) {
        uint8_t *e = bz_buf_room(&b, BLOCK);
        assert_non_null(e);
        memset(e, 0, BLOCK);
        for (unsigned i = 0; i < (block == 0 ? 21 : 1); i++) {
            unsigned at = 4 + 21 * block + i;
            if (at > 23)
                at = REAL; /* as GNU tar ends a map */
            (void)snprintf((char *)e + 24 * i, 12, "%011o", at);
            (void)snprintf((char *)e + 24 * i + 12, 12, "%011o", at < REAL ? 1u : 0u);
        }
        e[504] = block == 0;
    }
    bz_buf_put(&b, bz_view(evil, sizeof evil));
    finish(&b);
    expect(&b, BZ_SCAN_FINDINGS, "PKL-CALL-CODE", "model.pkl");
}

/* ---- what the map changes ---------------------------------------------------------------------------- */

/* As it is packed, a string swallows the call; as it was, the string is a hole. */
static void seen_where_the_map_puts_it(void **state) {
    (void)state;
    static const char *const records[] = {"GNU.sparse.size", "52", "GNU.sparse.map", "0,7,29,23",
                                          NULL};
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    pax(&b, records, 7 + 23);
    bz_buf_put(&b, bz_view("\x80\x04"
                           "B\x16\0\0\0",
                           7));
    bz_buf_put(&b, bz_view(evil + 2, 22));
    bz_buf_puts(&b, ".");
    finish(&b);
    expect(&b, BZ_SCAN_FINDINGS, "PKL-CALL-CODE", NULL);
}

/* Whoever knows nothing of maps sees the packed bytes at the beginning. */
static void as_it_is_packed(void **state) {
    (void)state;
    static const char *const records[] = {"GNU.sparse.size", "3145728", "GNU.sparse.map",
                                          "1048576,24", NULL};
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    pax(&b, records, sizeof evil);
    bz_buf_put(&b, bz_view(evil, sizeof evil));
    finish(&b);
    expect(&b, BZ_SCAN_FINDINGS, "PKL-CALL-CODE", NULL);
}

static void maps_that_are_none(void **state) {
    (void)state;
    static const char *const maps[] = {
        "0,25",                   /* more than is packed */
        "0,23",                   /* less */
        "0,24,5,0",               /* overlapping */
        "3145727,24",             /* outside */
        "0,24,4000000,0",         /* outside */
        "0,18446744073709551615", /* that wraps around */
        "0,",
        "0",
        "0,x",
        "x,24",
        ",",
        "0,24,3145728",
    };
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        const char *records[] = {"GNU.sparse.size", "3145728", "GNU.sparse.map", maps[i], NULL};
        struct bz_buf b;
        bz_buf_init(&b, 1u << 20);
        pax(&b, records, sizeof evil);
        bz_buf_put(&b, bz_view(evil, sizeof evil));
        finish(&b);
        struct scanned s = scan_mem(bz_buf_view(&b));
        assert_non_null(scan_mem_has(&s, "TAR-BROKEN"));
        assert_non_null(scan_mem_has(&s, "PKL-CALL-CODE")); /* as it is packed */
        scan_mem_done(&s);
        bz_buf_free(&b);
    }
    static const char *const firsts[] = {
        "", "1\n", "1\n0\n", "x\n0\n24\n", "2\n0\n24\n", "1\n0\n123456789012445678901\n"};
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        struct bz_buf b;
        bz_buf_init(&b, 1u << 20);
        put_v1(&b, firsts[i], bz_view(evil, sizeof evil));
        expect(&b, BZ_SCAN_FINDINGS, "TAR-BROKEN", NULL);
    }
}

static void halves_of_pairs(void **state) {
    (void)state;
    static const char *const rows[][7] = {
        {"GNU.sparse.size", "3145728", "GNU.sparse.numbytes", "24", NULL},
        {"GNU.sparse.size", "3145728", "GNU.sparse.offset", "0", NULL},
        {"GNU.sparse.offset", "0", "GNU.sparse.offset", "0", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_buf b;
        bz_buf_init(&b, 1u << 20);
        pax(&b, rows[i], sizeof evil);
        bz_buf_put(&b, bz_view(evil, sizeof evil));
        finish(&b);
        expect(&b, BZ_SCAN_FINDINGS, "TAR-BROKEN", NULL);
    }
}

/* ---- caps -------------------------------------------------------------------------------------------- */

static void extents(size_t n, enum bz_scan_verdict want, const char *id) {
    struct bz_buf b, map;
    bz_buf_init(&b, 32u << 20);
    bz_buf_init(&map, 16u << 20);
    bz_buf_printf(&map, "%zu\n", n);
    for (size_t i = 0; i < n; i++)
        bz_buf_puts(&map, "0\n0\n");
    pad(&map);
    pax(&b, v1, map.n);
    bz_buf_put(&b, bz_buf_view(&map));
    finish(&b);
    bz_buf_free(&map);
    expect(&b, want, id, NULL);
}

static void many_extents(void **state) {
    (void)state;
    extents(BZ_TAR_EXTENTS_MAX, BZ_SCAN_UNCHECKED, "SCAN-UNKNOWN"); /* zeros */
    extents(BZ_TAR_EXTENTS_MAX + 1, BZ_SCAN_FINDINGS, "TAR-BROKEN");
}

/* A hole counts as what is decoded: a file of more than that is not looked at, and says so. */
static void a_hole_without_end(void **state) {
    (void)state;
    static const char *const records[] = {"GNU.sparse.size", "9224372036854775807",
                                          "GNU.sparse.map", "0,24", NULL};
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    pax(&b, records, sizeof evil);
    bz_buf_put(&b, bz_view(evil, sizeof evil));
    finish(&b);
    expect(&b, BZ_SCAN_UNCHECKED, "SCAN-LEFT-OUT", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pax_0_0),
        cmocka_unit_test(pax_0_1),
        cmocka_unit_test(pax_1_0),
        cmocka_unit_test(gnu_old),
        cmocka_unit_test(seen_where_the_map_puts_it),
        cmocka_unit_test(as_it_is_packed),
        cmocka_unit_test(maps_that_are_none),
        cmocka_unit_test(halves_of_pairs),
        cmocka_unit_test(many_extents),
        cmocka_unit_test(a_hole_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
