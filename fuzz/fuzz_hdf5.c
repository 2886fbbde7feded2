/* The answer of the HDF5 reader, as if the process that writes it were the attacker's. */
#include "scan_once.h"

struct answer {
    const uint8_t *data;
    size_t size;
};

static enum bz_status list(void *ctx, const struct bz_source *src, struct bz_buf *out) {
    const struct answer *a = ctx;
    (void)src;
    bz_buf_put(out, bz_view(a->data, a->size));
    return bz_buf_status(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t file[64] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    struct answer a = {data, size};
    struct bz_hdf5 hdf5 = {.list = list, .ctx = &a};
    scan_once_with(file, sizeof file, "file", &hdf5);
    return 0;
}
