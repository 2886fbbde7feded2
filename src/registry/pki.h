/* Public-key cryptography of signatures: keys, certificates, chains, timestamps. The only file of this room that calls
 * OpenSSL is pki.c. Nothing here reads a clock or a file: times and bytes come in. */
#ifndef BZ_REGISTRY_PKI_H
#define BZ_REGISTRY_PKI_H

#include <bartizan/buf.h>
#include <bartizan/crypto.h>

/* ---- keys ---- */

struct pki_key;
/* EINVAL: not a PEM of that kind (EDENIED: encrypted, and the passphrase does not open it). */
enum bz_status pki_key_public_pem(struct bz_view pem, struct pki_key **ret) BZ_MUST_USE;
enum bz_status pki_key_public_der(struct bz_view spki, struct pki_key **ret) BZ_MUST_USE;
enum bz_status pki_key_private_pem(struct bz_view pem, struct bz_view passphrase,
                                   struct pki_key **ret) BZ_MUST_USE;
/* "pkcs11:...": by whatever provider of OpenSSL serves it. ENOTFOUND. */
enum bz_status pki_key_private_uri(const char *uri, struct pki_key **ret) BZ_MUST_USE;
/* A new P-256 key. */
enum bz_status pki_key_make(struct pki_key **ret) BZ_MUST_USE;
void pki_key_free(struct pki_key *k);                                /* NULL is fine */
bool pki_key_same(const struct pki_key *a, const struct pki_key *b); /* public halves */
/* PEM texts; the private one unencrypted. */
enum bz_status pki_key_put_public(const struct pki_key *k, struct bz_buf *out) BZ_MUST_USE;
enum bz_status pki_key_put_private(const struct pki_key *k, struct bz_buf *out) BZ_MUST_USE;
/* SHA-256 of the canonical PEM: what a bundle's hint says. */
enum bz_status pki_key_hint(const struct pki_key *k, uint8_t out[BZ_HASH_LEN]) BZ_MUST_USE;
/* SHA-256 of the DER SubjectPublicKeyInfo: what logs are named by. */
enum bz_status pki_key_id(const struct pki_key *k, uint8_t out[BZ_HASH_LEN]) BZ_MUST_USE;
/* The id of a key that signs notes under a name: for Ed25519 SHA-256 of name, line feed, 1 and the key; for others that of
 * the SubjectPublicKeyInfo. Source: C2SP, "signed-note", "Signatures". */
enum bz_status pki_key_note_id(const struct pki_key *k, struct bz_view name,
                               uint8_t out[BZ_HASH_LEN]) BZ_MUST_USE;
/* An EC key of P-256, P-384 or P-521: what models are signed with. */
bool pki_key_is_model_key(const struct pki_key *k);
/* ECDSA with the hash of the curve; keys that are none of those never verify. */
bool pki_verify(const struct pki_key *k, struct bz_view data, struct bz_view sig);
/* What logs do: ECDSA or RSA with SHA-256, or Ed25519. */
bool pki_verify_log(const struct pki_key *k, struct bz_view data, struct bz_view sig);
enum bz_status pki_sign(const struct pki_key *k, struct bz_view data,
                        struct bz_buf *ret_sig) BZ_MUST_USE;

/* ---- certificates ---- */

struct pki_certs; /* a list, in the order it was filled */
struct pki_certs *pki_certs_new(void);
void pki_certs_free(struct pki_certs *l); /* NULL is fine */
size_t pki_certs_n(const struct pki_certs *l);
/* One DER certificate and nothing behind it. ESYNTAX. */
enum bz_status pki_certs_add_der(struct pki_certs *l, struct bz_view der) BZ_MUST_USE;
/* All certificates of a PEM text; at least one. ESYNTAX. */
enum bz_status pki_certs_add_pem(struct pki_certs *l, struct bz_view pem) BZ_MUST_USE;
/* Its own key signed it. */
bool pki_der_self_signed(struct bz_view der);
enum bz_status pki_cert_put_der(const struct pki_certs *l, size_t i,
                                struct bz_buf *out) BZ_MUST_USE;
enum bz_status pki_cert_put_pem(const struct pki_certs *l, size_t i,
                                struct bz_buf *out) BZ_MUST_USE;
enum bz_status pki_cert_key(const struct pki_certs *l, size_t i, struct pki_key **ret) BZ_MUST_USE;
bool pki_cert_times(const struct pki_certs *l, size_t i, uint64_t *ret_from, uint64_t *ret_to);
/* May sign what is no certificate: key usage digitalSignature, or else extended usage codeSigning. */
bool pki_cert_signs(const struct pki_certs *l, size_t i);
bool pki_cert_code_signing(const struct pki_certs *l, size_t i);
/* Names of its subjectAltName (e-mail, URI, DNS, Fulcio's user name), a text each; then its common name. Stops when `each`
 * says true; returns what it said last. */
bool pki_cert_names(const struct pki_certs *l, size_t i,
                    bool (*each)(void *ctx, struct bz_view name), void *ctx);
/* Fulcio's extension that names who vouched for the identity. ENOTFOUND, ESYNTAX. */
enum bz_status pki_cert_issuer(const struct pki_certs *l, size_t i, struct bz_buf *out) BZ_MUST_USE;

/* A chain from `leaf` over `between` to one of `roots`, all valid at `at` (unix seconds). roots may hold certificates that
 * are not self-signed. ret_issuer (may be NULL): the key of whoever issued the leaf. EDENIED; *ret_why says why, static. */
enum bz_status pki_chain(const struct pki_certs *leaf, size_t i, const struct pki_certs *between,
                         const struct pki_certs *roots, uint64_t at, struct pki_key **ret_issuer,
                         const char **ret_why) BZ_MUST_USE;

/* ---- certificate transparency ---- */

struct pki_sct { /* what one embedded timestamp says, and the bytes it signs */
    uint8_t log[BZ_HASH_LEN];
    uint64_t time_ms;
    struct bz_view sig; /* lent to the callback */
    struct bz_view data;
};
/* Calls `each` for every embedded timestamp until it says true. issuer: key of whoever issued the leaf. EDENIED when none
 * was good; ENOTFOUND: there is none. */
enum bz_status pki_scts(const struct pki_certs *l, size_t i, const struct pki_key *issuer,
                        bool (*each)(void *ctx, const struct pki_sct *s), void *ctx) BZ_MUST_USE;

/* ---- RFC 3161 ---- */

/* A timestamp over `data`, by an authority whose certificate leads to `roots` (certs: certificates that the token may
 * leave out). ret_time: unix seconds. EDENIED, ESYNTAX. */
enum bz_status pki_timestamp(struct bz_view token, struct bz_view data,
                             const struct pki_certs *certs, const struct pki_certs *roots,
                             uint64_t *ret_time) BZ_MUST_USE;

#endif
