/* minisign's three kinds of files, and licences. */
#include <stdlib.h>
#include <bartizan/registry.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_view in = bz_view(data, size);
    struct bz_minisign m;
    struct bz_minisign_public p = {.id = {0}};
    struct bz_minisign_secret s;
    struct bz_diag d = {0, NULL};
    if (bz_crypto_init() != BZ_OK)
        abort();
    enum bz_status st = bz_minisign_public(in, &p);
    if (bz_minisign_parse(in, &m, &d) == BZ_OK && bz_minisign_check(&m, &p, BZ_V("x"), &d) == BZ_OK)
        abort();
    /* scrypt is slow on purpose: only keys without a passphrase are opened here */
    if (size < 300 && memmem(data, size, "U2M", 3) == NULL && memmem(data, size, "Sc", 2) == NULL &&
        memmem(data, size, "RWRT", 4) == NULL)
        st = bz_minisign_secret(in, bz_view(NULL, 0), &s);
    (void)st;
    return 0;
}
