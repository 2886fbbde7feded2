/* Deflate64: any bytes come to an end, and one byte at a time comes out as all at once. */
#include "../src/artifact/inflate64.h"

#include <bartizan/buf.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 20 };

static int next(void *ctx) {
    struct bz_view *v = ctx;
    int c = v->n == 0 ? -1 : v->p[0];
    *v = bz_view_sub(*v, 1, v->n);
    return c;
}

static enum bz_status unpack(struct bz_view in, size_t step, uint8_t *out, size_t *ret_n) {
    struct bz_inflate64 *z = malloc(sizeof *z);
    enum bz_status st = BZ_OK;
    bool end = false;
    if (z == NULL)
        abort();
    bz_inflate64_init(z, next, &in);
    *ret_n = 0;
    while (st == BZ_OK && !end && OUT_MAX - *ret_n >= step) {
        size_t n = 0;
        st = bz_inflate64_read(z, out + *ret_n, step, &n, &end);
        if (n > step || (st == BZ_OK && !end && n != step))
            abort();
        *ret_n += n;
    }
    free(z);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t a[OUT_MAX], b[OUT_MAX];
    size_t a_n = 0, b_n = 0;
    enum bz_status st = unpack(bz_view(data, size), 1, a, &a_n);
    if (unpack(bz_view(data, size), 4096, b, &b_n) != st || a_n != b_n ||
        (a_n > 0 && memcmp(a, b, a_n) != 0))
        abort();
    return 0;
}
