/* Manifests of Ollama, and of the registry: what is parsed and written again is the same text in content. */
#include <stdlib.h>
#include <bartizan/registry.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum bz_status one_blob(void *ctx, struct bz_view hex) {
    (void)ctx;
    if (hex.n != 64)
        abort();
    return BZ_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_arena ar;
    struct bz_manifest m, again;
    struct bz_buf b;
    struct bz_diag d = {0, NULL};
    if (bz_crypto_init() != BZ_OK)
        abort();
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    bz_buf_init(&b, 16u << 20);
    (void)!bz_ollama_blobs(bz_view(data, size), &ar, one_blob, NULL);
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
