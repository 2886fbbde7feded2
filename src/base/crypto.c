/* The only file that calls libsodium and libcrypto. */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init and its kin: see bz_sha256 */
#include <bartizan/crypto.h>

#include <sodium.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct bz_sha256), "SHA-256 state fits");
_Static_assert(BZ_KEY_LEN == crypto_kdf_KEYBYTES && BZ_KEY_LEN == crypto_core_hchacha20_KEYBYTES &&
                   BZ_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
                   BZ_KEY_LEN == crypto_onetimeauth_KEYBYTES,
               "one key length");
_Static_assert(BZ_SIGN_LEN == crypto_sign_BYTES &&
                   BZ_SIGN_SECRET_LEN == crypto_sign_SECRETKEYBYTES &&
                   BZ_SIGN_PUBLIC_LEN == crypto_sign_PUBLICKEYBYTES,
               "Ed25519 lengths");
_Static_assert(crypto_shorthash_siphashx24_KEYBYTES == 16 &&
                   crypto_shorthash_siphashx24_BYTES == 16 &&
                   crypto_shorthash_siphash24_KEYBYTES == 16 &&
                   crypto_shorthash_siphash24_BYTES == 8,
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

enum bz_status bz_secret_new(size_t n, struct bz_secret *ret) {
    if (n == 0)
        return BZ_EINVAL;
    uint8_t *p = sodium_malloc(n);
    if (p == NULL)
        return BZ_ENOMEM;
    *ret = (struct bz_secret){p, n};
    return BZ_OK;
}

void bz_secret_free(struct bz_secret *s) {
    if (s == NULL)
        return;
    sodium_free(s->p); /* wipes */
    *s = (struct bz_secret){NULL, 0};
}

void bz_random(void *p, size_t n) {
    randombytes_buf(p, n);
}

void bz_wipe(void *p, size_t n) {
    if (n != 0)
        sodium_memzero(p, n);
}

bool bz_ct_equal(struct bz_view a, struct bz_view b) {
    if (a.n == b.n &&
        a.n == crypto_verify_32_BYTES) /* a hash: wide steps, on every request's way */
        return crypto_verify_32(a.p, b.p) == 0;
    return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}

/* libcrypto uses the SHA instructions, libsodium does not: 0.30 against 1.31 us for 512 bytes. Its
 * EVP interface costs an allocation per hash and needs a context on the heap; the plain one lives
 * in the caller's memory. */
void bz_sha256_init(struct bz_sha256 *s) {
    SHA256_CTX c;
    SHA256_Init(&c);
    memcpy(s->state, &c, sizeof c);
}

void bz_sha256_add(struct bz_sha256 *s, struct bz_view v) {
    SHA256_CTX c;
    memcpy(&c, s->state, sizeof c);
    if (v.n != 0)
        SHA256_Update(&c, v.p, v.n);
    memcpy(s->state, &c, sizeof c);
}

void bz_sha256_end(struct bz_sha256 *s, uint8_t out[BZ_HASH_LEN]) {
    SHA256_CTX c;
    memcpy(&c, s->state, sizeof c);
    SHA256_Final(out, &c);
    sodium_memzero(s, sizeof *s);
}

void bz_sha256(struct bz_view v, uint8_t out[BZ_HASH_LEN]) {
    SHA256_CTX c;
    SHA256_Init(&c);
    if (v.n != 0)
        SHA256_Update(&c, v.p, v.n);
    SHA256_Final(out, &c);
}

void bz_keyed_hash(const uint8_t key[BZ_KEY_LEN], struct bz_view v, uint8_t out[BZ_HASH_LEN]) {
    crypto_generichash(out, BZ_HASH_LEN, v.p, v.n, key, BZ_KEY_LEN);
}

void bz_subkey(const uint8_t master[BZ_KEY_LEN], const char purpose[8], uint64_t id,
               uint8_t out[BZ_KEY_LEN]) {
    crypto_kdf_derive_from_key(out, BZ_KEY_LEN, id, purpose, master);
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

uint64_t bz_name_hash(const uint8_t seed[16], struct bz_view v) {
    uint8_t out[8];
    uint64_t ret = 0;
    crypto_shorthash_siphash24(out, v.p, v.n, seed);
    for (size_t i = 0; i < 8; i++)
        ret |= (uint64_t)out[i] << (8 * i);
    return ret;
}

void bz_sign_keypair(uint8_t pub[BZ_SIGN_PUBLIC_LEN], uint8_t sec[BZ_SIGN_SECRET_LEN]) {
    crypto_sign_keypair(pub, sec);
}

void bz_sign_keypair_of(const uint8_t seed[BZ_KEY_LEN], uint8_t pub[BZ_SIGN_PUBLIC_LEN],
                        uint8_t sec[BZ_SIGN_SECRET_LEN]) {
    crypto_sign_seed_keypair(pub, sec, seed);
}

void bz_sign(const uint8_t sec[BZ_SIGN_SECRET_LEN], struct bz_view v, uint8_t sig[BZ_SIGN_LEN]) {
    crypto_sign_detached(sig, NULL, v.p, v.n, sec);
}

bool bz_sign_check(const uint8_t pub[BZ_SIGN_PUBLIC_LEN], struct bz_view v,
                   const uint8_t sig[BZ_SIGN_LEN]) {
    return crypto_sign_verify_detached(sig, v.p, v.n, pub) == 0;
}

enum {
    SEAL_NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    SEAL_TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES
};

enum bz_status bz_seal(const uint8_t key[BZ_KEY_LEN], struct bz_view ad, struct bz_view plain,
                       uint8_t *out) {
    if (plain.n > crypto_aead_xchacha20poly1305_ietf_MESSAGEBYTES_MAX)
        return BZ_ETOOBIG;
    randombytes_buf(out, SEAL_NONCE);
    if (crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEAL_NONCE, NULL, plain.p, plain.n, ad.p,
                                                   ad.n, NULL, out, key) != 0)
        return BZ_EINTERNAL;
    return BZ_OK;
}

enum bz_status bz_unseal(const uint8_t key[BZ_KEY_LEN], struct bz_view ad, struct bz_view sealed,
                         uint8_t *out) {
    if (sealed.n < SEAL_NONCE + SEAL_TAG)
        return BZ_ECORRUPT;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.p + SEAL_NONCE,
                                                   sealed.n - SEAL_NONCE, ad.p, ad.n, sealed.p,
                                                   key) != 0)
        return BZ_ECORRUPT;
    return BZ_OK;
}

_Static_assert(BZ_BOX_LEN == crypto_box_PUBLICKEYBYTES && BZ_BOX_LEN == crypto_box_SECRETKEYBYTES &&
                   BZ_BOX_EXTRA == crypto_box_SEALBYTES && BZ_KEY_LEN == crypto_sign_SEEDBYTES,
               "lengths of sealed boxes");

void bz_box_keypair(uint8_t pub[BZ_BOX_LEN], uint8_t sec[BZ_BOX_LEN]) {
    crypto_box_keypair(pub, sec);
}

void bz_box_public(const uint8_t sec[BZ_BOX_LEN], uint8_t pub[BZ_BOX_LEN]) {
    crypto_scalarmult_base(pub, sec);
}

enum bz_status bz_box_seal(const uint8_t pub[BZ_BOX_LEN], struct bz_view plain, uint8_t *out) {
    if (plain.n > crypto_box_MESSAGEBYTES_MAX - BZ_BOX_EXTRA)
        return BZ_ETOOBIG;
    return crypto_box_seal(out, plain.p, plain.n, pub) == 0 ? BZ_OK : BZ_EINTERNAL;
}

enum bz_status bz_box_open(const uint8_t sec[BZ_BOX_LEN], struct bz_view sealed, uint8_t *out) {
    uint8_t pub[BZ_BOX_LEN];
    if (sealed.n < BZ_BOX_EXTRA)
        return BZ_ECORRUPT;
    crypto_scalarmult_base(pub, sec);
    return crypto_box_seal_open(out, sealed.p, sealed.n, pub, sec) == 0 ? BZ_OK : BZ_ECORRUPT;
}

_Static_assert(BZ_SALT_LEN == crypto_pwhash_argon2id_SALTBYTES, "Argon2id salt");

enum bz_status bz_pass_key(struct bz_view passphrase, const uint8_t salt[BZ_SALT_LEN],
                           uint64_t passes, uint64_t memory, uint8_t out[BZ_KEY_LEN]) {
    if (passphrase.n > crypto_pwhash_argon2id_PASSWD_MAX ||
        passes < crypto_pwhash_argon2id_OPSLIMIT_MIN ||
        passes > crypto_pwhash_argon2id_OPSLIMIT_MAX ||
        memory < crypto_pwhash_argon2id_MEMLIMIT_MIN || memory > (4ull << 30))
        return BZ_EINVAL;
    if (crypto_pwhash_argon2id(out, BZ_KEY_LEN, passphrase.n == 0 ? "" : (const char *)passphrase.p,
                               passphrase.n, salt, passes, memory,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return BZ_ENOMEM;
    return BZ_OK;
}

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct bz_blake2b), "BLAKE2b state fits");

/* libsodium's state lives in the caller's memory; it is 64-byte aligned there too. */
static crypto_generichash_state *blake(struct bz_blake2b *s) {
    return (crypto_generichash_state *)(void *)s->state;
}

void bz_blake2b512_init(struct bz_blake2b *s) {
    (void)crypto_generichash_init(blake(s), NULL, 0, 64);
}

void bz_blake2b512_add(struct bz_blake2b *s, struct bz_view v) {
    (void)crypto_generichash_update(blake(s), v.p, v.n);
}

void bz_blake2b512_end(struct bz_blake2b *s, uint8_t out[64]) {
    (void)crypto_generichash_final(blake(s), out, 64);
}

void bz_blake2b256(struct bz_view v, uint8_t out[BZ_HASH_LEN]) {
    crypto_generichash(out, BZ_HASH_LEN, v.p, v.n, NULL, 0);
}

_Static_assert(crypto_pwhash_scryptsalsa208sha256_SALTBYTES == 32, "scrypt salt");

enum bz_status bz_scrypt_stream(struct bz_view passphrase, const uint8_t salt[32], uint64_t ops,
                                uint64_t memory, uint8_t *out, size_t n) {
    if (ops < crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN || ops > UINT32_MAX ||
        memory < crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MIN || memory > (1ull << 30))
        return BZ_EINVAL;
    if (crypto_pwhash_scryptsalsa208sha256(out, n, passphrase.n == 0 ? "" : (const char *)passphrase.p,
                                           passphrase.n, salt, ops, memory) != 0)
        return BZ_ENOMEM;
    return BZ_OK;
}
