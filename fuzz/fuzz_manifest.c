/* Manifests of the registry: what is parsed and written again is the same text in content. */
#include <stdlib.h>
#include <bartizan/registry.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_arena ar;
    struct bz_manifest m, again;
    struct bz_buf b;
    struct bz_diag d = {0, NULL};
    if (bz_crypto_init() != BZ_OK)
        abort();
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    bz_buf_init(&b, 16u << 20);
    if (bz_manifest_parse(bz_view(data, size), &ar, &m, &d) == BZ_OK) {
        if (bz_manifest_write(&m, &b) != BZ_OK ||
            bz_manifest_parse(bz_buf_view(&b), &ar, &again, &d) != BZ_OK ||
            again.files_n != m.files_n || again.tensors_n != m.tensors_n)
            abort();
    } else if (d.why == NULL) {
        abort();
    }
    bz_buf_free(&b);
    bz_arena_free(&ar);
    return 0;
}
