/* Checkpoints, verifier keys and entry bundles. No input can carry a good signature of the key
 * used here. */
#include <stdlib.h>
#include <bartizan/audit.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_view in = bz_view(data, size);
    static const uint8_t pub[BZ_SIGN_PUBLIC_LEN] = {0x1a, 0x5c, 0xd9};
    if (bz_crypto_init() != BZ_OK)
        abort();
    struct bz_checkpoint c;
    if (bz_checkpoint_open(in, BZ_V("bartizan.local/0011223344556677"), pub, &c) == BZ_OK)
        abort();
    struct bz_view origin;
    uint8_t key[BZ_SIGN_PUBLIC_LEN];
    if (bz_verifier_key_parse(in, &origin, key) == BZ_OK) {
        struct bz_buf b;
        bz_buf_init(&b, 1 << 20);
        bz_verifier_key(origin, key, &b);
        struct bz_view line = in.p[in.n - 1] == '\n' ? bz_view_sub(in, 0, in.n - 1) : in;
        if (b.n != line.n)
            abort();
        bz_buf_free(&b);
    }
    struct bz_view rest = in;
    struct bz_view entry;
    size_t sum = 0;
    while (bz_bundle_next(&rest, &entry) == BZ_OK)
        sum += entry.n + 2;
    if (sum + rest.n != in.n)
        abort();
    return 0;
}
