/* What bartizan-cage is told: never outside of its bounds. */
#include <stdlib.h>
#include "../src/sandbox/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct wire w;
    if (wire_read(bz_view(data, size), &w) != BZ_OK)
        return 0;
    for (uint32_t i = 0; i < w.argc; i++) {
        if ((const uint8_t *)w.argv[i] + strlen(w.argv[i]) >= data + size)
            abort();
    }
    struct bz_buf b; /* what was read is written as it was */
    bz_buf_init(&b, size);
    wire_write(&w, &b);
    if (!bz_view_eq(bz_buf_view(&b), bz_view(data, size)))
        abort();
    bz_buf_free(&b);
    return 0;
}
