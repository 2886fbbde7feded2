/* Signature bundles and statements, with every kind of trust: nothing here can be signed by these keys. */
#include <stdlib.h>
#include <bartizan/signature.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key[] = "-----BEGIN PUBLIC KEY-----\n"
                          "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwr\n"
                          "kBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==\n"
                          "-----END PUBLIC KEY-----\n";

static void try(struct bz_view in, const struct bz_sig_trust *t) {
    struct bz_arena ar;
    struct bz_sig_result r;
    struct bz_diag d = {0, NULL};
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    if (bz_bundle_verify(in, t, &ar, &r, &d) == BZ_OK || d.why == NULL)
        abort();
    bz_arena_free(&ar);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_view in = bz_view(data, size);
    struct bz_arena ar;
    struct bz_statement s;
    if (bz_crypto_init() != BZ_OK)
        abort();
    try(in, &(struct bz_sig_trust){.key = bz_view_str(key)});
    try(in, &(struct bz_sig_trust){.roots = in});
    try(in, &(struct bz_sig_trust){.trusted_root = in, .identity = BZ_V("a"), .issuer = BZ_V("b")});
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    if (bz_statement_parse(in, &ar, &s, NULL) == BZ_OK) {
        for (size_t i = 0; i < s.items_n; i++)
            if (!bz_model_name_in_ok(s.items[i].name))
                abort();
    }
    bz_arena_free(&ar);
    return 0;
}
