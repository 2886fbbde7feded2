/* The digest of bodies, and the start of both libraries. Apart from crypto.c, since programs that do
 * neither (`bartizan scan`) then do not load libcrypto. */
#include <bartizan/crypto.h>

#include <sodium.h>
#include <openssl/evp.h>

_Static_assert(BZ_KEY_LEN == crypto_core_hchacha20_KEYBYTES &&
                   BZ_KEY_LEN == crypto_onetimeauth_KEYBYTES,
               "one key length");
_Static_assert(crypto_shorthash_siphashx24_KEYBYTES == 16 &&
                   crypto_shorthash_siphashx24_BYTES == 16,
               "SipHash lengths");

enum { DIGEST_SHORT = 640 }; /* bytes; part of the definition of bz_body_digest */

/* The algorithm object, fetched once by bz_crypto_init and never changed or freed. It holds no key.
 * NULL only means that bz_body_digest computes the same value with libsodium. */
static EVP_MAC *poly1305;

enum bz_status bz_crypto_init(void) {
    if (sodium_init() < 0)
        return BZ_EUNAVAIL;
    if (poly1305 == NULL)
        poly1305 = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    return BZ_OK;
}

/* Poly1305 of v under a one-time key; by libcrypto, or by libsodium when that has no memory. */
static void poly(const uint8_t once[32], struct bz_view v, uint8_t tag[16]) {
    EVP_MAC_CTX *ctx = poly1305 == NULL ? NULL : EVP_MAC_CTX_new(poly1305);
    size_t n = 0;
    bool done = ctx != NULL && EVP_MAC_init(ctx, once, 32, NULL) == 1 &&
                EVP_MAC_update(ctx, v.p, v.n) == 1 && EVP_MAC_final(ctx, tag, &n, 16) == 1;
    EVP_MAC_CTX_free(ctx);
    if (!done || n != 16)
        crypto_onetimeauth(tag, v.p, v.n, once);
}

/* Long bodies: a fast universal hash, then a pseudo-random function of its result.
 *
 *   once   = HChaCha20(key, nonce, "bartizan body 01")      a Poly1305 key for this nonce
 *   tag    = Poly1305(once, body)
 *   digest = HChaCha20(key, tag, "bartizan body 02")        first half
 *
 * Short ones, where setting that up would cost more than the bytes: a pseudo-random function.
 *
 *   once   = HChaCha20(key, nonce, "bartizan body 03")      first half: a SipHash key
 *   digest = SipHash-2-4-128(once, body)
 *
 * Who has no key cannot tell from the log which of a few likely prompts a body was. That stays true
 * when a nonce serves two bodies (the request and the reply of one record, a counter set back by a
 * crash), because a pseudo-random function comes last: then only equality of the bodies shows,
 * while bare Poly1305 would give its key away. Two bodies collide with less than n / 2^102.
 *
 * Why these; ns per body, key setup included, on an AMD EPYC (Zen 5) with OpenSSL 3.0.22 and
 * libsodium 1.0.18:
 *                                   64 B    512 B     4 KB     64 KB
 *   BLAKE2b-128 keyed, libsodium     397      924     5908     91798   (0.7 GB/s)
 *   SHA-256, libcrypto                69      295     2106     33258   (2.0 GB/s)
 *   Poly1305, libsodium              136      244      952     13689   (4.8 GB/s)
 *   SipHash-2-4-128, libsodium        30      160     1210     18708   (3.4 GB/s)
 *   AES-256-GMAC, libcrypto          354      396      767      7021   (9.3 GB/s)
 *   Poly1305, libcrypto              152      192      448      4486  (14.6 GB/s)
 *   bz_body_digest                    96      226      539      4711  (13.9 GB/s)
 */
static void digest_short(const uint8_t key[BZ_KEY_LEN], const uint8_t block[16], struct bz_view v,
                         uint8_t out[16]) {
    static const uint8_t label[17] = "bartizan body 03";
    uint8_t once[32];
    crypto_core_hchacha20(once, block, key, label);
    crypto_shorthash_siphashx24(out, v.p, v.n, once);
    sodium_memzero(once, sizeof once);
}

static void digest_long(const uint8_t key[BZ_KEY_LEN], const uint8_t block[16], struct bz_view v,
                        uint8_t out[16]) {
    static const uint8_t label1[17] = "bartizan body 01";
    static const uint8_t label2[17] = "bartizan body 02";
    uint8_t once[32];
    uint8_t tag[16];
    crypto_core_hchacha20(once, block, key, label1);
    poly(once, v, tag);
    crypto_core_hchacha20(once, tag, key, label2);
    memcpy(out, once, 16);
    sodium_memzero(once, sizeof once);
}

void bz_body_digest(const uint8_t key[BZ_KEY_LEN], uint64_t nonce, struct bz_view v,
                    uint8_t out[16]) {
    uint8_t block[16] = {0};
    for (size_t i = 0; i < 8; i++)
        block[i] = (uint8_t)(nonce >> (8 * i));
    if (v.n <= DIGEST_SHORT)
        digest_short(key, block, v, out);
    else
        digest_long(key, block, v, out);
}
