/* Cryptography by libsodium; crypto_sha.c and crypto_body.c have what libcrypto does better. */
#include <bartizan/crypto.h>

#include <sodium.h>

_Static_assert(BZ_KEY_LEN == crypto_kdf_KEYBYTES &&
                   BZ_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "one key length");
_Static_assert(BZ_SIGN_LEN == crypto_sign_BYTES &&
                   BZ_SIGN_SECRET_LEN == crypto_sign_SECRETKEYBYTES &&
                   BZ_SIGN_PUBLIC_LEN == crypto_sign_PUBLICKEYBYTES,
               "Ed25519 lengths");
_Static_assert(crypto_shorthash_siphash24_KEYBYTES == 16 && crypto_shorthash_siphash24_BYTES == 8,
               "SipHash lengths");

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

void bz_keyed_hash(const uint8_t key[BZ_KEY_LEN], struct bz_view v, uint8_t out[BZ_HASH_LEN]) {
    crypto_generichash(out, BZ_HASH_LEN, v.p, v.n, key, BZ_KEY_LEN);
}

void bz_subkey(const uint8_t master[BZ_KEY_LEN], const char purpose[8], uint64_t id,
               uint8_t out[BZ_KEY_LEN]) {
    crypto_kdf_derive_from_key(out, BZ_KEY_LEN, id, purpose, master);
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
    if (crypto_pwhash_scryptsalsa208sha256(out, n,
                                           passphrase.n == 0 ? "" : (const char *)passphrase.p,
                                           passphrase.n, salt, ops, memory) != 0)
        return BZ_ENOMEM;
    return BZ_OK;
}
