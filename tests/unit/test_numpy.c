/* .npy: headers that numpy writes, and headers that only look like them. */
#include "pickle_build.h"

static struct bz_buf npy(unsigned version, const char *header, size_t data) {
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    bz_buf_put(&b, bz_view("\x93NUMPY", 6));
    bz_buf_putc(&b, (uint8_t)version);
    bz_buf_putc(&b, 0);
    if (version == 1)
        bz_buf_put_le16(&b, (uint16_t)strlen(header));
    else
        bz_buf_put_le32(&b, (uint32_t)strlen(header));
    bz_buf_puts(&b, header);
    for (size_t i = 0; i < data; i++)
        bz_buf_putc(&b, (uint8_t)i);
    return b;
}

#define H(descr, shape)                                                                            \
    "{'descr': " descr ", 'fortran_order': False, 'shape': " shape ", }        \n"

static const struct {
    const char *header;
    size_t data;
} sound[] = {
    {H("'<f4'", "(3, 4)"), 48},
    {H("'|u1'", "()"), 1},
    {H("'|b1'", "(0, 5)"), 0},
    {H("'<U5'", "(2,)"), 40},
    {H("'|S0'", "(2,)"), 0},
    {H("'<M8[ns]'", "(2,)"), 16},
    {H("'<c16'", "(1,)"), 16},
    {H("[('a', '<i4'), ('b', '<f8')]", "(2,)"), 24},
    {H("[('a', '<i4', (2, 3)), ('b', [('c', '|u1'), ('d', '<i2')])]", "(2,)"), 54},
    {H("[(('title', 'a'), '<i4')]", "(2,)"), 8},
    {"{'descr': '<f4', 'fortran_order': True, 'shape': (2L,)}", 8},
    {"{\"shape\": (2,), \"descr\": \"<f4\", \"fortran_order\": False}", 8},
};

static void sound_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof sound / sizeof sound[0]; i++) {
        for (unsigned version = 1; version <= 3; version++) {
            struct bz_buf b = npy(version, sound[i].header, sound[i].data);
            pk_is_clean(bz_buf_view(&b), sound[i].header);
            if (sound[i].data > 0) {
                struct bz_view cut = bz_view(b.p, b.n - 1);
                pk_has(cut, "NPY-SIZE", sound[i].header);
            }
            bz_buf_puts(&b, "x");
            pk_has(bz_buf_view(&b), "NPY-TRAILING", sound[i].header);
            bz_buf_free(&b);
        }
    }
}

static const char *const wrong[] = {
    "",
    "{",
    "{}",
    "['descr']",
    "{'descr': '<f4', 'fortran_order': False}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
    "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': [1]}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} + exit()",
    "{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<f3', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<q8', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<f', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': 'f\\x34', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': [('a')], 'fortran_order': False, 'shape': (1,)}",
    "{'descr': [('a', '<f4'), 'fortran_order': False, 'shape': (1,)}",
    "{'descr': [[[[[[[[[[[[[[[[[[[[[[[[[[[[[['<f4']]]]]]]]]]]]]]]]]]]]]]]]]]]]]], 'shape': (1,)}",
};

static void wrong_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct bz_buf b = npy(1, wrong[i], 64);
        pk_has(bz_buf_view(&b), "NPY-HEADER", wrong[i]);
        bz_buf_free(&b);
    }
    for (unsigned version = 0; version < 6; version += version == 0 ? 4 : 1) {
        struct bz_buf b = npy(version, sound[0].header, 48);
        pk_has(bz_buf_view(&b), "NPY-HEADER", "version");
        bz_buf_free(&b);
    }
}

static void every_cut_is_refused(void **state) {
    (void)state;
    struct bz_buf b = npy(1, sound[0].header, sound[0].data);
    for (size_t n = 6; n < b.n; n++)
        pk_has(bz_view(b.p, n), NULL, "cut");
    bz_buf_free(&b);
}

/* numpy.save called again and again on one file. */
static void several_arrays(void **state) {
    (void)state;
    struct bz_buf b = npy(1, sound[0].header, sound[0].data);
    struct bz_buf c = npy(2, sound[3].header, sound[3].data);
    bz_buf_put(&b, bz_buf_view(&c));
    pk_is_clean(bz_buf_view(&b), "two arrays");
    pk_has(bz_view(b.p, b.n - 1), "NPY-SIZE", "the second one cut");
    bz_buf_free(&b);
    bz_buf_free(&c);
}

static void arrays_of_objects(void **state) {
    (void)state;
    static const char *const types[] = {"'|O'", "'|O8'", "[('a', '<i4'), ('b', 'O')]"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char header[160];
        (void)snprintf(header, sizeof header,
                       "{'descr': %s, 'fortran_order': False, 'shape': (1,), }", types[i]);
        struct bz_buf b = npy(1, header, 0);
        size_t n = b.n;
        bz_buf_puts(&b, "\x80\x04]N"
                        "a.");
        struct scanned s = scan_mem(bz_buf_view(&b));
        assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
        assert_non_null(scan_mem_has(&s, "NPY-OBJECT"));
        scan_mem_done(&s);
        b.n = n;
        bz_buf_puts(&b, "\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R.");
        pk_has(bz_buf_view(&b), "PKL-CALL-CODE", types[i]);
        bz_buf_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_headers),        cmocka_unit_test(wrong_headers),
        cmocka_unit_test(every_cut_is_refused), cmocka_unit_test(several_arrays),
        cmocka_unit_test(arrays_of_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
