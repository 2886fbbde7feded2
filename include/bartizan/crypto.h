/* All cryptography of the engine; one file implements it (libsodium; SHA-256 from libcrypto where
 * it is faster). Call bz_crypto_init once per process. */
#ifndef BARTIZAN_CRYPTO_H
#define BARTIZAN_CRYPTO_H

#include <bartizan/view.h>

#define BZ_HASH_LEN 32
#define BZ_KEY_LEN 32
#define BZ_SIGN_PUBLIC_LEN 32
#define BZ_SIGN_SECRET_LEN 64
#define BZ_SIGN_LEN 64

/* Memory for a secret: wiped and freed by bz_secret_free, never written to a log, an error text,
 * argv or a core. */
struct bz_secret {
    uint8_t *p;
    size_t n;
};
/* Guarded, locked memory. EINVAL (n == 0), ENOMEM. */
enum bz_status bz_secret_new(size_t n, struct bz_secret *ret) BZ_MUST_USE;
void bz_secret_free(struct bz_secret *s); /* wipes; NULL and empty are fine */

/* Before anything else here; again is harmless. EUNAVAIL: a library does not start. */
enum bz_status bz_crypto_init(void) BZ_MUST_USE;
/* Kernel randomness; not for engine rooms: they take randomness as an argument. */
void bz_random(void *p, size_t n);
void bz_wipe(void *p, size_t n);
bool bz_ct_equal(struct bz_view a, struct bz_view b); /* constant time for equal lengths */

void bz_sha256(struct bz_view v, uint8_t out[BZ_HASH_LEN]);
struct bz_sha256 {
    _Alignas(16) uint8_t state[256];
};
void bz_sha256_init(struct bz_sha256 *s);
void bz_sha256_add(struct bz_sha256 *s, struct bz_view v);
void bz_sha256_end(struct bz_sha256 *s, uint8_t out[BZ_HASH_LEN]);

/* BLAKE2b without a key: 64 bytes in parts, 32 bytes at once. */
struct bz_blake2b {
    _Alignas(64) uint8_t state[384];
};
void bz_blake2b512_init(struct bz_blake2b *s);
void bz_blake2b512_add(struct bz_blake2b *s, struct bz_view v);
void bz_blake2b512_end(struct bz_blake2b *s, uint8_t out[64]);
void bz_blake2b256(struct bz_view v, uint8_t out[BZ_HASH_LEN]);

/* BLAKE2b-256, keyed. `key` BZ_KEY_LEN bytes. Used for API-key hashes and derivation. */
void bz_keyed_hash(const uint8_t key[BZ_KEY_LEN], struct bz_view v, uint8_t out[BZ_HASH_LEN]);
/* Subkey number `id` of a master key for a purpose of exactly 8 characters (libsodium KDF). */
void bz_subkey(const uint8_t master[BZ_KEY_LEN], const char purpose[8], uint64_t id,
               uint8_t out[BZ_KEY_LEN]);
/* Keyed digest of a request or reply body as it stands in audit records. `nonce` is unique per
 * record; where one serves two bodies, only whether they are equal can be seen. About 0.2 us for
 * 500 bytes, 14 GB/s for long ones. */
void bz_body_digest(const uint8_t key[BZ_KEY_LEN], uint64_t nonce, struct bz_view v,
                    uint8_t out[16]);
/* SipHash-2-4: a 64-bit name for tables that strangers can fill. 30 ns for short texts. */
uint64_t bz_name_hash(const uint8_t seed[16], struct bz_view v);

void bz_sign_keypair(uint8_t pub[BZ_SIGN_PUBLIC_LEN], uint8_t sec[BZ_SIGN_SECRET_LEN]);
/* The pair that belongs to a seed. */
void bz_sign_keypair_of(const uint8_t seed[BZ_KEY_LEN], uint8_t pub[BZ_SIGN_PUBLIC_LEN],
                        uint8_t sec[BZ_SIGN_SECRET_LEN]);
void bz_sign(const uint8_t sec[BZ_SIGN_SECRET_LEN], struct bz_view v, uint8_t sig[BZ_SIGN_LEN]);
bool bz_sign_check(const uint8_t pub[BZ_SIGN_PUBLIC_LEN], struct bz_view v,
                   const uint8_t sig[BZ_SIGN_LEN]);

/* XChaCha20-Poly1305 with a random nonce; out needs plain.n + BZ_SEAL_EXTRA bytes (24
 * nonce, 16 tag). EINTERNAL, ETOOBIG. */
#define BZ_SEAL_EXTRA 40
enum bz_status bz_seal(const uint8_t key[BZ_KEY_LEN], struct bz_view ad, struct bz_view plain,
                       uint8_t *out) BZ_MUST_USE;
/* out needs sealed.n - BZ_SEAL_EXTRA bytes. ECORRUPT when it does not open. */
enum bz_status bz_unseal(const uint8_t key[BZ_KEY_LEN], struct bz_view ad, struct bz_view sealed,
                         uint8_t *out) BZ_MUST_USE;

/* Sealed to a public key (X25519, an ephemeral pair per call; libsodium's sealed box): who seals
 * cannot open it again, and is not named by it. out needs plain.n + BZ_BOX_EXTRA bytes. EINTERNAL (no
 * usable public key), ETOOBIG. */
#define BZ_BOX_LEN 32 /* of a public and of a secret key */
#define BZ_BOX_EXTRA 48
void bz_box_keypair(uint8_t pub[BZ_BOX_LEN], uint8_t sec[BZ_BOX_LEN]);
void bz_box_public(const uint8_t sec[BZ_BOX_LEN], uint8_t pub[BZ_BOX_LEN]);
enum bz_status bz_box_seal(const uint8_t pub[BZ_BOX_LEN], struct bz_view plain,
                           uint8_t *out) BZ_MUST_USE;
/* out needs sealed.n - BZ_BOX_EXTRA bytes. ECORRUPT: damaged, or sealed to another key. */
enum bz_status bz_box_open(const uint8_t sec[BZ_BOX_LEN], struct bz_view sealed,
                           uint8_t *out) BZ_MUST_USE;

/* Key from a passphrase: Argon2id version 1.3. memory: bytes, a multiple of 1024. EINVAL: numbers that
 * cannot be; ENOMEM. */
#define BZ_SALT_LEN 16
#define BZ_PASS_PASSES 3u             /* RFC 9106, 4.: second recommended choice with more memory */
#define BZ_PASS_MEMORY (256ull << 20) /* 0.3 to 1 s on one core */
enum bz_status bz_pass_key(struct bz_view passphrase, const uint8_t salt[BZ_SALT_LEN],
                           uint64_t passes, uint64_t memory, uint8_t out[BZ_KEY_LEN]) BZ_MUST_USE;

/* scrypt with libsodium's choice of parameters from operations and memory (bytes), as minisign protects keys. EINVAL:
 * numbers that cannot be, or above 1 GiB; ENOMEM. */
enum bz_status bz_scrypt_stream(struct bz_view passphrase, const uint8_t salt[32], uint64_t ops,
                                uint64_t memory, uint8_t *out, size_t n) BZ_MUST_USE;

#endif
