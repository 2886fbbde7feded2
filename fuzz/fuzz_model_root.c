/* Sigstore's trusted_root.json, with the keys and certificates in it. */
#include <stdlib.h>
#include "sig_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_arena ar;
    struct sig_root *r = malloc(sizeof *r);
    struct bz_diag d = {0, NULL};
    uint64_t t = 0;
    if (r == NULL || bz_crypto_init() != BZ_OK)
        abort();
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    if (sig_root_parse(bz_view(data, size), &ar, r, &d) == BZ_OK && r->ca_n == 0)
        abort();
    (void)sig_time(bz_view(data, size), &t);
    sig_root_free(r);
    bz_arena_free(&ar);
    free(r);
    return 0;
}
