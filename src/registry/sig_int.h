/* What the files about signatures share. */
#ifndef BZ_REGISTRY_SIG_INT_H
#define BZ_REGISTRY_SIG_INT_H

#include <bartizan/json.h>
#include <bartizan/signature.h>
#include "pki.h"

/* Fails with a reason. */
static inline enum bz_status sig_no(struct bz_diag *d, enum bz_status st, const char *why) {
    bz_diag_set(d, 0, why);
    return st;
}
static inline enum bz_status sig_no_at(struct bz_diag *d, const struct bz_json *n,
                                       enum bz_status st, const char *why) {
    bz_diag_set(d, n == NULL ? 0 : n->off, why);
    return st;
}
/* Large documents of strangers: our caps, in one place. */
enum bz_status sig_json(struct bz_view in, struct bz_arena *ar, const struct bz_json **ret,
                        struct bz_diag *diag) BZ_MUST_USE;
/* Bytes of a string node in base64; ESYNTAX when it is none. */
enum bz_status sig_b64(const struct bz_json *n, struct bz_arena *ar,
                       struct bz_view *ret) BZ_MUST_USE;
/* The same, of exactly `n` bytes. */
bool sig_b64_exact(const struct bz_json *node, uint8_t *out, size_t n);
/* A 64-bit number, written as a decimal string or as a number. */
bool sig_u64(const struct bz_json *n, uint64_t *ret);
/* DSSE's pre-authentication encoding: what is signed. */
void sig_pae(struct bz_view payload, struct bz_buf *out);
#define SIG_PAYLOAD_TYPE "application/vnd.in-toto+json"

/* ---- sigstore ---- */

struct sig_envelope { /* of a bundle; views into the arena or the document */
    struct bz_view payload, sig;
    const struct bz_json *material;
};
/* Everything that the keyless flow wants beyond the signature over the payload: leaf is `certs` number 0. Fills in
 * signed_at, identity, issuer and what was checked. */
enum bz_status sig_keyless(const struct sig_envelope *e, const struct pki_certs *certs,
                           const struct bz_sig_trust *trust, struct bz_arena *ar,
                           struct bz_sig_result *ret, struct bz_diag *diag) BZ_MUST_USE;
/* The identity among the certificate's names, as trust wants it. Fills in ret->identity. */
enum bz_status sig_identity(const struct pki_certs *certs, const struct bz_sig_trust *trust,
                            struct bz_arena *ar, struct bz_sig_result *ret,
                            struct bz_diag *diag) BZ_MUST_USE;
void sig_warn(struct bz_sig_result *ret, const char *text);

/* ---- Sigstore's trusted_root.json ---- */

struct sig_span { /* unix seconds, both included */
    uint64_t from, to;
};
struct sig_log {
    uint8_t id[BZ_HASH_LEN];
    struct pki_key *key;
    struct sig_span span;
};
struct sig_authority { /* a CA or a timestamp authority */
    struct pki_certs *roots, *between;
    struct sig_span span;
};
enum { SIG_LOGS_MAX = 32, SIG_AUTHORITIES_MAX = 32 };
struct sig_root {
    struct sig_log tlog[SIG_LOGS_MAX], ctlog[SIG_LOGS_MAX];
    struct sig_authority ca[SIG_AUTHORITIES_MAX], tsa[SIG_AUTHORITIES_MAX];
    size_t tlog_n, ctlog_n, ca_n, tsa_n;
};
enum bz_status sig_root_parse(struct bz_view text, struct bz_arena *ar, struct sig_root *ret,
                              struct bz_diag *diag) BZ_MUST_USE;
void sig_root_free(struct sig_root *r); /* after a failure too */
const struct sig_log *sig_log_find(const struct sig_log *list, size_t n,
                                   const uint8_t id[BZ_HASH_LEN], uint64_t at);
static inline bool sig_within(const struct sig_span *s, uint64_t at) {
    return at >= s->from && at <= s->to;
}
/* RFC 3339 with 'Z', to seconds. */
bool sig_time(struct bz_view text, uint64_t *ret);

/* ---- Rekor ---- */

struct sig_stamps { /* times that authorities of the trusted root vouch for */
    const uint64_t *at;
    size_t n;
};
/* Checks one entry of the bundle against the trusted logs and binds it to the envelope and the leaf. *ret_time: 0 when the
 * log gave no signed time; then there must be a stamp. */
enum bz_status sig_entry(const struct bz_json *entry, const struct sig_envelope *e,
                         const struct pki_certs *certs, const struct sig_root *root,
                         const struct sig_stamps *stamps, struct bz_arena *ar, uint64_t *ret_time,
                         uint64_t *ret_index, struct bz_diag *diag) BZ_MUST_USE;

#endif
