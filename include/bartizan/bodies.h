/* Bodies of requests and replies at rest: formats and cryptography, no I/O.
 *
 *   worker ── sealed to the instance's public key ──▶ DIR/bodies/spool/<request id>.<q|a>
 *   bartizand ── opens it, and seals it anew under a key of its own ──▶ DIR/bodies/bodies.db
 *
 *   master key ──▶ wrapping key ──wraps──▶ key of a user ──wraps──▶ key of a conversation ──seals──▶ bodies
 *
 * A body is gone when its conversation's key is, a user's bodies are when the user's key is; copies of
 * the ciphertext, wherever they are, are then noise. Keys are random, so a new key of the same user opens
 * nothing of before. Names of what was erased are kept as keyed hashes only. */
#ifndef BARTIZAN_BODIES_H
#define BARTIZAN_BODIES_H

#include <bartizan/buf.h>
#include <bartizan/crypto.h>
#include <bartizan/limits.h>

#define BZ_BODY_ID 16 /* a request id: BZ_REQUEST_ID_LEN of audit.h */
#define BZ_BODY_KEY_ID 16
#define BZ_BODY_LEVELS 4 /* as enum bz_level of detect.h counts */

enum bz_body_part { BZ_BODY_REQUEST, BZ_BODY_REPLY, BZ_BODY_PART_COUNT };
const char *bz_body_part_name(enum bz_body_part p); /* "request", "reply" */

struct bz_body { /* views are lent */
    uint8_t id[BZ_BODY_ID];
    enum bz_body_part part;
    uint8_t level;                      /* of the text: below BZ_BODY_LEVELS */
    bool cut;                           /* `body` is the beginning of a longer one */
    uint64_t time_ms;                   /* when the request came; the same for its reply */
    struct bz_view user;                /* owner of the key; never empty */
    struct bz_view conversation;        /* empty: none was named */
    struct bz_view key_id, model, type; /* API key; model as the client named it; media type */
    struct bz_view body;
};

/* ---- spool: what a worker writes ---- */

/* Bytes of the spool file of `b`, appended to `out`. A body above BZ_STORED_BODY_MAX is cut and marked.
 * EINVAL: no user, a part or level that is none, a name above BZ_STORED_NAME_MAX; ETOOBIG: `out`; EINTERNAL: no such public key. */
enum bz_status bz_body_seal(const uint8_t pub[BZ_BOX_LEN], const struct bz_body *b,
                            struct bz_buf *out) BZ_MUST_USE;
/* Hostile input. What is opened lies in `mem` (initialised by the caller; wiped and freed by it too), views
 * of *ret point into it. ECORRUPT: not for us, or damaged; EVERSION; ESYNTAX: sealed by somebody else's rules. */
enum bz_status bz_body_open(const uint8_t sec[BZ_BOX_LEN], struct bz_view file, struct bz_buf *mem,
                            struct bz_body *ret) BZ_MUST_USE;
/* Name of a spool file: 32 hex digits of the id, ".q" or ".a". A writer makes NAME with ".tmp" behind it and
 * renames. */
/* Which of the instance's pairs a file is sealed to: the beginning of the public key. false: no such file. */
#define BZ_BODY_HINT 8
bool bz_body_hint(struct bz_view file, uint8_t out[BZ_BODY_HINT]);
#define BZ_BODY_NAME 35
void bz_body_name(const uint8_t id[BZ_BODY_ID], enum bz_body_part part, char out[BZ_BODY_NAME]);
/* false: no such name. */
bool bz_body_name_parse(const char *name, uint8_t id[BZ_BODY_ID], enum bz_body_part *ret);

/* ---- keys ---- */

/* A wrapped key: sealed under the key above it, bound to its own id and to whose it is. */
#define BZ_WRAPPED_LEN (BZ_KEY_LEN + BZ_SEAL_EXTRA)
enum bz_wrap_kind { BZ_WRAP_USER = 1, BZ_WRAP_CONVERSATION = 2, BZ_WRAP_PAIR = 3 };
/* `above`: the master's derived key for a user's or a pair's, the user's for a conversation's. EINVAL: a name too long. */
enum bz_status bz_body_wrap(const uint8_t above[BZ_KEY_LEN], enum bz_wrap_kind kind,
                            const uint8_t id[BZ_BODY_KEY_ID], struct bz_view name,
                            const uint8_t key[BZ_KEY_LEN], uint8_t out[BZ_WRAPPED_LEN]) BZ_MUST_USE;
/* ECORRUPT: another master key, another name, or damaged. */
enum bz_status bz_body_unwrap(const uint8_t above[BZ_KEY_LEN], enum bz_wrap_kind kind,
                              const uint8_t id[BZ_BODY_KEY_ID], struct bz_view name,
                              struct bz_view wrapped, uint8_t out[BZ_KEY_LEN]) BZ_MUST_USE;

/* ---- bodies at rest ---- */

/* Where a stored body stands; what it is sealed with besides its key, so that rows cannot be exchanged. */
struct bz_body_place {
    uint8_t id[BZ_BODY_ID];
    uint8_t part, level;
    uint64_t time_ms;
    uint8_t key[BZ_BODY_KEY_ID]; /* id of the conversation's key */
};
struct bz_body_place bz_body_place(const struct bz_body *b, const uint8_t key_id[BZ_BODY_KEY_ID]);
/* Seals all of `b` but its user and conversation, which its key names. EINVAL as bz_body_seal; ETOOBIG. */
enum bz_status bz_body_store(const uint8_t key[BZ_KEY_LEN], const struct bz_body_place *at,
                             const struct bz_body *b, struct bz_buf *out) BZ_MUST_USE;
/* user and conversation of *ret are left empty. Otherwise as bz_body_open. */
enum bz_status bz_body_load(const uint8_t key[BZ_KEY_LEN], const struct bz_body_place *at,
                            struct bz_view stored, struct bz_buf *mem,
                            struct bz_body *ret) BZ_MUST_USE;

/* ---- what was erased ---- */

/* One erasure. `key` must never come back; bodies of `name` that are not younger than time_ms are dropped
 * when they arrive late. Kept outside of the database, so that an older copy of that is brought up to date. */
struct bz_erased {
    enum bz_wrap_kind kind;
    uint8_t key[BZ_BODY_KEY_ID]; /* of the key that was destroyed; zeros: there was none */
    uint8_t name[BZ_HASH_LEN];   /* bz_erased_name */
    uint64_t time_ms;
};
/* Keyed hash of a user (without case), or of a user's conversation. conversation NULL: the whole user. */
void bz_erased_name(const uint8_t key[BZ_KEY_LEN], struct bz_view user,
                    const struct bz_view *conversation, uint8_t out[BZ_HASH_LEN]);
/* One line of text, with its line feed; the last field is a keyed checksum over the rest. */
void bz_erased_put(const uint8_t key[BZ_KEY_LEN], const struct bz_erased *e, struct bz_buf *out);
/* Takes the first line off `rest`. OK; MORE: nothing is left; EDENIED: of another instance, or edited;
 * ESYNTAX (also: a last line without its end, torn by a crash). The line is taken off in any case. */
enum bz_status bz_erased_next(const uint8_t key[BZ_KEY_LEN], struct bz_view *rest,
                              struct bz_erased *ret) BZ_MUST_USE;

#endif
