/* Deflate64 against streams that are written bit by bit, and against a whole archive of 7-Zip's. */
#include "../../src/artifact/inflate64.h"

#include "scan_mem.h"

#include <stdlib.h>
#include <zlib.h>

/* ---- a writer of one block of fixed codes, and what it must come out as --------------------------- */

struct writer {
    struct bz_buf packed, plain;
    uint32_t bits, n;
};

static void writer_init(struct writer *w) {
    *w = (struct writer){.n = 0};
    bz_buf_init(&w->packed, 1u << 20);
    bz_buf_init(&w->plain, 4u << 20);
}

static void writer_done(struct writer *w) {
    bz_buf_free(&w->packed);
    bz_buf_free(&w->plain);
}

static void put_bits(struct writer *w, uint32_t v, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        w->bits |= (v >> i & 1) << w->n;
        if (++w->n == 8) {
            bz_buf_putc(&w->packed, (uint8_t)w->bits);
            w->bits = w->n = 0;
        }
    }
}

static void put_code(struct writer *w, uint32_t code, unsigned n) { /* codes: highest bit first */
    for (unsigned i = n; i-- > 0;)
        put_bits(w, code >> i & 1, 1);
}

static void put_symbol(struct writer *w, unsigned s) {
    if (s < 144)
        put_code(w, 0x30 + s, 8);
    else if (s < 256)
        put_code(w, 0x190 + s - 144, 9);
    else if (s < 280)
        put_code(w, s - 256, 7);
    else
        put_code(w, 0xc0 + s - 280, 8);
}

static void literal(struct writer *w, uint8_t c) {
    put_symbol(w, c);
    bz_buf_putc(&w->plain, c);
}

/* A length of 3 to 65538 by the last code, a distance of 1 to 65536 by whatever code has it. */
static void match(struct writer *w, uint32_t length, uint32_t distance) {
    unsigned code = distance - 1, bits = 0;
    put_symbol(w, 285);
    put_bits(w, length - 3, 16);
    while (distance - 1 >= 4u << bits)
        bits++;
    if (distance > 4)
        code = 2 * (bits + 1) + ((distance - 1) >> bits & 1);
    put_code(w, code, 5);
    put_bits(w, (distance - 1) & ((1u << bits) - 1), bits);
    for (uint32_t i = 0; i < length; i++)
        bz_buf_putc(&w->plain, w->plain.p[w->plain.n - distance]);
}

static void begin(struct writer *w, bool last) {
    put_bits(w, last, 1);
    put_bits(w, 1, 2);
}

static void finish(struct writer *w) {
    put_symbol(w, 256);
    while (w->n != 0)
        put_bits(w, 0, 1);
}

/* ---- reading --------------------------------------------------------------------------------------- */

static int next(void *ctx) {
    struct bz_view *v = ctx;
    int c = v->n == 0 ? -1 : v->p[0];
    *v = bz_view_sub(*v, 1, v->n);
    return c;
}

static enum bz_status unpack(struct bz_view in, size_t step, struct bz_buf *out, size_t *ret_left) {
    struct bz_inflate64 *z = malloc(sizeof *z);
    enum bz_status st = BZ_OK;
    bool end = false;
    assert_non_null(z);
    bz_inflate64_init(z, next, &in);
    while (st == BZ_OK && !end) {
        size_t n = 0;
        assert_true(bz_buf_reserve(out, step));
        st = bz_inflate64_read(z, out->p + out->n, step, &n, &end);
        assert_true(n <= step && (n == step || end || st != BZ_OK));
        out->n += n;
    }
    *ret_left = in.n;
    free(z);
    return st;
}

static void expect(struct writer *w) {
    static const size_t steps[] = {1, 3, 1000, 1u << 20};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct bz_buf out;
        size_t left = 0;
        bz_buf_init(&out, 8u << 20);
        assert_int_equal(unpack(bz_buf_view(&w->packed), steps[i], &out, &left), BZ_OK);
        assert_int_equal(left, 0);
        assert_true(bz_view_eq(bz_buf_view(&out), bz_buf_view(&w->plain)));
        bz_buf_free(&out);
    }
}

static void lengths_and_distances(void **state) {
    (void)state;
    static const uint32_t rows[][2] = {{3, 1},         {65538, 1},     {258, 2},       {3, 4},
                                       {4, 5},         {70, 8},        {300, 32768},   {300, 32769},
                                       {10000, 49152}, {10000, 49153}, {65538, 65536}, {3, 65535}};
    struct writer w;
    writer_init(&w);
    begin(&w, false);
    for (unsigned i = 0; i < 70000; i++)
        literal(&w, (uint8_t)(i * i / 7 + i / 251));
    finish(&w);
    w.packed.n = 0; /* the same in stored blocks, which leave no bits over */
    for (size_t at = 0; at < 70000; at += 35000) {
        bz_buf_putc(&w.packed, 0);
        bz_buf_put_le16(&w.packed, 35000);
        bz_buf_put_le16(&w.packed, (uint16_t)~35000u);
        bz_buf_put(&w.packed, bz_view(w.plain.p + at, 35000));
    }
    begin(&w, true);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        match(&w, rows[i][0], rows[i][1]);
        literal(&w, 'x');
        literal(&w, 0xff);
    }
    finish(&w);
    expect(&w);
    writer_done(&w);
}

static void damaged(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {
        {"", 0},
        {"\x07", 1},                       /* a block of no kind */
        {"\x01\x05\x00\xfb\xff", 5},       /* stored, but nothing there */
        {"\x01\x05\x00\xfa\xfehello", 10}, /* a length that is not its own complement */
        {"\x05\xe0\x81\x08\0\0\0\0", 8},   /* own codes, all of length 0 */
        {"\xfd\xff\xff\xff\xff", 5},       /* own codes, too many */
        {"\x03\x02", 2},                   /* a match before any byte */
    };
    struct bz_buf out;
    size_t left = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bz_buf_init(&out, 1u << 20);
        assert_int_equal(unpack(bz_view(rows[i].bytes, rows[i].n), 100, &out, &left), BZ_ECORRUPT);
        bz_buf_free(&out);
    }
    struct writer w;
    writer_init(&w);
    begin(&w, true);
    for (unsigned i = 0; i < 300; i++)
        literal(&w, (uint8_t)i);
    match(&w, 1000, 300);
    finish(&w);
    for (size_t n = 0; n < w.packed.n; n++) { /* cut short anywhere */
        bz_buf_init(&out, 1u << 20);
        assert_int_equal(unpack(bz_view(w.packed.p, n), 100, &out, &left), BZ_ECORRUPT);
        assert_true(bz_view_starts(bz_buf_view(&w.plain), bz_buf_view(&out)));
        bz_buf_free(&out);
    }
    writer_done(&w);
}

/* What deflate writes without its longest length is the same in both; zlib says what it holds. */
static void as_zlib(void **state) {
    (void)state;
    static uint8_t plain[60000], packed[80000];
    uint32_t r = 1;
    for (size_t i = 0; i < sizeof plain; i++) {
        r = r * 1103515245 + 12345;
        plain[i] = (uint8_t)((r >> 16) % (i % 900 < 450 ? 5 : 90));
    }
    for (int level = 0; level <= 9; level++) {
        z_stream s = {.next_in = plain, .avail_in = sizeof plain, .next_out = packed};
        struct bz_buf out;
        size_t left = 0;
        s.avail_out = sizeof packed;
        assert_int_equal(deflateInit2(&s, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
        bz_buf_init(&out, 1u << 20);
        assert_int_equal(unpack(bz_view(packed, s.total_out), 4096, &out, &left), BZ_OK);
        assert_true(bz_view_eq(bz_buf_view(&out), bz_view(plain, sizeof plain)));
        assert_int_equal(left, 0);
        (void)deflateEnd(&s);
        bz_buf_free(&out);
    }
}

/* 7z a -m0=Deflate64: a pickle that calls os.system("true # xxx..."). */
static void in_7z(void **state) {
    (void)state;
    static const uint8_t archive[] = {
        0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0x00, 0x04, 0x76, 0x93, 0x2e, 0xcb, 0x3c, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x5a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0xe9, 0xf8, 0xa9, 0xf6, 0x8d, 0xc1, 0x31, 0x0e, 0xc0, 0x10, 0x14, 0x06, 0xe0, 0x0e,
        0x6d, 0xcf, 0x21, 0xe9, 0x5e, 0xf7, 0x30, 0xba, 0x83, 0xc1, 0x20, 0xc4, 0x23, 0x61,
        0xb3, 0xd8, 0xde, 0xe6, 0x77, 0x5f, 0x83, 0x0b, 0xf8, 0xbe, 0x76, 0x4f, 0x75, 0x6d,
        0xfc, 0x04, 0x4f, 0xb6, 0x80, 0x5f, 0xaa, 0x94, 0x8c, 0xc3, 0x00, 0xcb, 0x14, 0xb3,
        0x11, 0x9f, 0x28, 0x87, 0xd0, 0xa1, 0xf1, 0x2f, 0x01, 0x04, 0x06, 0x00, 0x01, 0x09,
        0x3c, 0x00, 0x07, 0x0b, 0x01, 0x00, 0x01, 0x03, 0x04, 0x01, 0x09, 0x0c, 0x55, 0x00,
        0x08, 0x0a, 0x01, 0xc8, 0x0c, 0x2d, 0xcb, 0x00, 0x00, 0x05, 0x01, 0x19, 0x0c, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x11, 0x13, 0x00,
        0x65, 0x00, 0x76, 0x00, 0x69, 0x00, 0x6c, 0x00, 0x2e, 0x00, 0x70, 0x00, 0x6b, 0x00,
        0x6c, 0x00, 0x00, 0x00, 0x19, 0x00, 0x14, 0x0a, 0x01, 0x00, 0x63, 0x9b, 0x0f, 0xaa,
        0x58, 0x7b, 0xdd, 0x01, 0x15, 0x06, 0x01, 0x00, 0x20, 0x80, 0xa4, 0x81, 0x00, 0x00};
    struct scanned s = scan_mem(bz_view(archive, sizeof archive));
    assert_int_equal(s.st, BZ_OK);
    assert_non_null(scan_mem_has(&s, "PKL-CALL-CODE"));
    assert_null(scan_mem_has(&s, "7Z-CRC"));
    assert_null(scan_mem_has(&s, "ARC-METHOD"));
    scan_mem_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_and_distances),
        cmocka_unit_test(damaged),
        cmocka_unit_test(as_zlib),
        cmocka_unit_test(in_7z),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
