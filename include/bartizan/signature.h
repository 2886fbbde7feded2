/* Signatures of models: OpenSSF Model Signing v1 bundles (key, certificate, sigstore) and minisign. Pure verification over
 * bytes and the trust that is given: no file, clock or network. What the files are is compared by bz_statement_compare.
 *
 *   bundle -> flow -> trust in the signer -> signature over the payload -> statement (names and digests)
 *
 * Sources: OpenSSF Model Signing 1.0; in-toto Statement v1; DSSE v1; Sigstore bundle v0.3 and trusted_root v0.1; RFC 5280,
 * 3161, 6962, 9162; minisign(1). */
#ifndef BARTIZAN_SIGNATURE_H
#define BARTIZAN_SIGNATURE_H

#include <bartizan/arena.h>
#include <bartizan/buf.h>
#include <bartizan/crypto.h>
#include <bartizan/limits.h>

/* ---- statement: which files a signature is about ------------------------------------------------- */

enum bz_model_hash { BZ_MODEL_SHA256, BZ_MODEL_BLAKE2B, BZ_MODEL_HASH_COUNT };
const char *bz_model_hash_name(enum bz_model_hash h); /* "sha256", "blake2b" */
#define BZ_MODEL_DIGEST_MAX 64

struct bz_model_item {   /* a file, or one shard of it */
    struct bz_view name; /* relative, '/' between components; "." for a model that is one file */
    uint64_t start, end; /* shards; otherwise 0, 0 */
    uint8_t digest[BZ_MODEL_DIGEST_MAX];
};
struct bz_statement {
    struct bz_view subject; /* name of the model when it was signed; informative */
    uint8_t root[BZ_HASH_LEN];
    enum bz_model_hash hash;
    uint64_t shard_size; /* 0: whole files */
    bool allow_symlinks;
    const struct bz_model_item *items;
    size_t items_n;
    const struct bz_view *ignore; /* paths that were left out when it was signed */
    size_t ignore_n;
};
size_t bz_model_digest_len(enum bz_model_hash h);
/* Parses and checks a payload: types, one subject, names, algorithms, shards that tile, root. Views point into `ar` or the
 * payload. EVERSION: a v0.x statement (diag->why: sign again). */
enum bz_status bz_statement_parse(struct bz_view payload, struct bz_arena *ar,
                                  struct bz_statement *ret, struct bz_diag *diag) BZ_MUST_USE;
/* Sorts the items as the format wants, fills in the root and writes the payload. EINVAL: names that are none, or twice. */
enum bz_status bz_statement_write(struct bz_statement *s, struct bz_model_item *items,
                                  struct bz_buf *out) BZ_MUST_USE;
/* May stand in a statement: relative, no empty component, ".", "..", backslash, control character; or "." alone. */
bool bz_model_name_in_ok(struct bz_view name);
/* Is `name`, or a folder above it, one of the paths? */
bool bz_model_ignored(struct bz_view name, const struct bz_view *ignore, size_t n);
/* The format's order of names: by components. */
int bz_model_name_cmp(struct bz_view a, struct bz_view b);

enum bz_model_change { BZ_MODEL_MISSING, BZ_MODEL_CHANGED, BZ_MODEL_EXTRA, BZ_MODEL_CHANGE_COUNT };
const char *bz_model_change_name(enum bz_model_change c); /* "missing", "changed", "extra" */
typedef void bz_model_change_fn(void *ctx, enum bz_model_change c, struct bz_view name);
/* Compares what is there (items in the format's order, made with the statement's hash and shard size) with what was signed.
 * Each name is reported once. Returns how many differ. */
size_t bz_statement_compare(const struct bz_statement *s, const struct bz_model_item *there,
                            size_t there_n, bz_model_change_fn *each, void *ctx);

/* ---- bundles ---------------------------------------------------------------------------------------- */

enum bz_sig_flow { BZ_SIG_KEY, BZ_SIG_CERTIFICATE, BZ_SIG_SIGSTORE, BZ_SIG_FLOW_COUNT };
const char *bz_sig_flow_name(enum bz_sig_flow f); /* "key", "certificate", "sigstore" */

struct bz_sig_trust {            /* exactly one of the first three; texts of files */
    struct bz_view key;          /* a public key, PEM */
    struct bz_view roots;        /* certificates, PEM: what a chain must lead to */
    struct bz_view trusted_root; /* Sigstore's trusted_root.json */
    struct bz_view identity;     /* who must have signed: e-mail or URI; sigstore: must be given */
    struct bz_view issuer;       /* who vouched for that; sigstore: must be given */
};
enum { BZ_SIG_WARNINGS_MAX = 8 };
struct bz_sig_result { /* views live as long as the arena */
    enum bz_sig_flow flow;
    struct bz_statement statement;
    struct bz_view identity, issuer; /* of the certificate; empty: none */
    uint8_t key_hint[BZ_HASH_LEN];   /* SHA-256 of the signer's public key as canonical PEM */
    uint64_t signed_at;              /* unix seconds; 0: nobody vouches for a time */
    uint64_t log_index;              /* sigstore */
    bool logged, timestamped,
        sct; /* what was checked: log entry, RFC 3161, certificate transparency */
    const char *warnings[BZ_SIG_WARNINGS_MAX];
    size_t warnings_n;
};
/* Everything but the files. OK; ESYNTAX and errors of the JSON parser (malformed); EVERSION (a format of before v1.0: sign
 * again); EDENIED (well-formed, and not trusted); EINVAL (the trust that was given is none: diag says which part); ENOMEM,
 * ETOOBIG. diag->why is a static sentence in every case. */
enum bz_status bz_bundle_verify(struct bz_view bundle, const struct bz_sig_trust *trust,
                                struct bz_arena *ar, struct bz_sig_result *ret,
                                struct bz_diag *diag) BZ_MUST_USE;

struct bz_sig_key; /* what one signs with */
/* A PEM text; passphrase may be empty. EINVAL (no private key, or not of P-256, P-384, P-521), EDENIED (passphrase). */
enum bz_status bz_sig_key_pem(struct bz_view pem, struct bz_view passphrase,
                              struct bz_sig_key **ret) BZ_MUST_USE;
/* RFC 7512. ENOTFOUND, EINVAL. */
enum bz_status bz_sig_key_uri(const char *uri, struct bz_sig_key **ret) BZ_MUST_USE;
enum bz_status bz_sig_key_make(struct bz_sig_key **ret) BZ_MUST_USE; /* P-256 */
void bz_sig_key_free(struct bz_sig_key *k);
enum bz_status bz_sig_key_public(const struct bz_sig_key *k, struct bz_buf *out) BZ_MUST_USE;
enum bz_status bz_sig_key_private(const struct bz_sig_key *k, struct bz_buf *out) BZ_MUST_USE;
/* chain: PEM, leaf first (the leaf may stand alone); empty: key flow. EDENIED: the key is not the leaf's, or the token
 * refuses; EINVAL: the leaf may not sign. */
enum bz_status bz_bundle_sign(struct bz_view payload, const struct bz_sig_key *k,
                              struct bz_view chain, struct bz_buf *out,
                              struct bz_diag *diag) BZ_MUST_USE;

/* ---- minisign ---------------------------------------------------------------------------------------- */

#define BZ_MINISIGN_TEXT_MAX 4096 /* of a key file or a signature file */
struct bz_minisign_public {
    uint8_t id[8];
    uint8_t key[BZ_SIGN_PUBLIC_LEN];
};
/* A key file of two lines, or the base64 text alone. ESYNTAX. */
enum bz_status bz_minisign_public(struct bz_view text, struct bz_minisign_public *ret) BZ_MUST_USE;
struct bz_minisign {
    bool hashed; /* over BLAKE2b-512 of the file ("ED"); otherwise over the file itself ("Ed") */
    uint8_t id[8];
    uint8_t sig[BZ_SIGN_LEN], global[BZ_SIGN_LEN];
    struct bz_view comment; /* trusted comment; lent from the text */
};
/* A signature file: four lines. ESYNTAX; diag->why. Nothing is verified yet: bz_minisign_check does. Source: minisign(1),
 * "Signature format". */
enum bz_status bz_minisign_parse(struct bz_view text, struct bz_minisign *ret,
                                 struct bz_diag *diag) BZ_MUST_USE;
/* message: the 64 bytes of the hash, or the file. EDENIED; diag->why. */
enum bz_status bz_minisign_check(const struct bz_minisign *m, const struct bz_minisign_public *k,
                                 struct bz_view message, struct bz_diag *diag) BZ_MUST_USE;
struct bz_minisign_secret {
    uint8_t id[8];
    uint8_t key[BZ_SIGN_SECRET_LEN];
};
/* A secret key file; passphrase empty: only keys without one. ESYNTAX, EDENIED, ENOMEM. The caller wipes it. */
enum bz_status bz_minisign_secret(struct bz_view text, struct bz_view passphrase,
                                  struct bz_minisign_secret *ret) BZ_MUST_USE;
/* Over the BLAKE2b-512 of a file. EINVAL: the comment has a line feed. */
enum bz_status bz_minisign_sign(const struct bz_minisign_secret *k, const uint8_t hash[64],
                                struct bz_view comment, struct bz_buf *out) BZ_MUST_USE;

#endif
