/* Persistence of stored bodies: two databases. One holds keys (wrapped) and legal holds; it is small, so
 * that what is erased can be scrubbed from it at once. The other holds sealed bodies, which name nobody.
 * The store knows neither how keys are wrapped nor how bodies are sealed (bodies.h).
 *
 * Failures as in store.h. Every change is durable when the call returns, or with the transaction around it.
 * The two databases have no transaction in common: keys are committed before bodies that need them. */
#ifndef BARTIZAN_BODYSTORE_H
#define BARTIZAN_BODYSTORE_H

#include <bartizan/store.h>

#define BZ_BODYSTORE_ID 16
#define BZ_BODYSTORE_WRAPPED 72

struct bz_bodystore;
/* Makes what is not there. EVERSION, ECORRUPT. */
enum bz_status bz_bodystore_open(const char *keys_path, const char *rows_path,
                                 struct bz_bodystore **ret) BZ_MUST_USE;
void bz_bodystore_close(struct bz_bodystore *s); /* NULL is fine */
enum bz_status bz_bodystore_check(struct bz_bodystore *s) BZ_MUST_USE;
/* Which of the two. */
enum bz_bodystore_part { BZ_BODYSTORE_KEYS, BZ_BODYSTORE_ROWS, BZ_BODYSTORE_PARTS };
enum bz_status bz_bodystore_begin(struct bz_bodystore *s, enum bz_bodystore_part p) BZ_MUST_USE;
enum bz_status bz_bodystore_commit(struct bz_bodystore *s, enum bz_bodystore_part p) BZ_MUST_USE;
void bz_bodystore_rollback(struct bz_bodystore *s, enum bz_bodystore_part p);
/* Nothing that was deleted stays in a file: the write-ahead log is taken in and cut to nothing, the file
 * is written anew. Cost O(size of that database). */
enum bz_status bz_bodystore_scrub(struct bz_bodystore *s, enum bz_bodystore_part p) BZ_MUST_USE;

/* ---- keys ---- */

struct bz_body_user {
    int64_t seq;
    uint8_t id[BZ_BODYSTORE_ID], wrapped[BZ_BODYSTORE_WRAPPED];
    const char *name; /* lent; compared without case */
    uint64_t created;
};
struct bz_body_conversation {
    int64_t seq;
    uint8_t id[BZ_BODYSTORE_ID], wrapped[BZ_BODYSTORE_WRAPPED];
    const char *name; /* lent; "": bodies without one */
    uint64_t created;
};
/* The name is not lent here: NULL. ENOTFOUND. */
enum bz_status bz_bodystore_user(struct bz_bodystore *s, const char *name,
                                 struct bz_body_user *ret) BZ_MUST_USE;
/* seq of `u` is ignored. EEXISTS. */
enum bz_status bz_bodystore_user_add(struct bz_bodystore *s, const struct bz_body_user *u,
                                     int64_t *ret_seq) BZ_MUST_USE;
enum bz_status bz_bodystore_conversation(struct bz_bodystore *s, int64_t user, const char *name,
                                         struct bz_body_conversation *ret) BZ_MUST_USE;
enum bz_status bz_bodystore_conversation_add(struct bz_bodystore *s, int64_t user,
                                             const struct bz_body_conversation *c) BZ_MUST_USE;
typedef enum bz_status bz_body_key_fn(void *ctx, const struct bz_body_user *u,
                                      const struct bz_body_conversation *c);
/* Every conversation of `name` (NULL: of everybody), in the order they were made. A user without one does
 * not appear. The callback must not change the store. */
enum bz_status bz_bodystore_keys(struct bz_bodystore *s, const char *name, bz_body_key_fn *each,
                                 void *ctx) BZ_MUST_USE;
/* Destroys the key with this id, of a user (with those of his conversations) or of a conversation.
 * Not there: OK. */
enum bz_status bz_bodystore_key_destroy(struct bz_bodystore *s,
                                        const uint8_t id[BZ_BODYSTORE_ID]) BZ_MUST_USE;

/* Destroys the keys of users who have no conversation any more. */
enum bz_status bz_bodystore_users_prune(struct bz_bodystore *s, uint64_t *ret_n) BZ_MUST_USE;

/* Key pairs of the spool: a new one now and then; old ones are destroyed, and with them what anybody kept
 * of the spool. */
struct bz_body_pair {
    int64_t seq;
    uint8_t pub[32], wrapped[BZ_BODYSTORE_WRAPPED];
    uint64_t created;
};
enum bz_status bz_bodystore_pair_add(struct bz_bodystore *s,
                                     const struct bz_body_pair *p) BZ_MUST_USE;
typedef enum bz_status bz_body_pair_fn(void *ctx, const struct bz_body_pair *p);
enum bz_status bz_bodystore_pairs(struct bz_bodystore *s, bz_body_pair_fn *each,
                                  void *ctx) BZ_MUST_USE; /* oldest first */
enum bz_status bz_bodystore_pair_destroy(struct bz_bodystore *s, int64_t seq) BZ_MUST_USE;

/* ---- legal holds ---- */

struct bz_body_hold {         /* texts lent */
    const char *name, *user;  /* compared without case */
    const char *conversation; /* NULL: everything of the user */
    const char *reason, *by;
    uint64_t created;
};
/* EEXISTS: that name is taken. */
enum bz_status bz_bodystore_hold_add(struct bz_bodystore *s,
                                     const struct bz_body_hold *h) BZ_MUST_USE;
enum bz_status bz_bodystore_hold_remove(struct bz_bodystore *s, const char *name) BZ_MUST_USE;
typedef enum bz_status bz_body_hold_fn(void *ctx, const struct bz_body_hold *h);
enum bz_status bz_bodystore_holds(struct bz_bodystore *s, bz_body_hold_fn *each,
                                  void *ctx) BZ_MUST_USE;
/* Does a hold cover anything of this? conversation NULL: of the whole user. */
enum bz_status bz_bodystore_held(struct bz_bodystore *s, const char *user, const char *conversation,
                                 bool *ret) BZ_MUST_USE;

/* ---- bodies ---- */

struct bz_body_row {
    int64_t seq;                  /* rising; given by the store */
    uint8_t id[BZ_BODYSTORE_ID];  /* of the request */
    uint8_t key[BZ_BODYSTORE_ID]; /* of the conversation's key */
    uint8_t part, level;
    uint64_t time_ms;
    struct bz_view sealed; /* lent */
};
/* EEXISTS: this part of this request is there. */
enum bz_status bz_bodystore_put(struct bz_bodystore *s, const struct bz_body_row *r) BZ_MUST_USE;
typedef enum bz_status bz_body_row_fn(void *ctx, const struct bz_body_row *r);
/* Bodies under a key with seq above `after`, in order. */
enum bz_status bz_bodystore_rows(struct bz_bodystore *s, const uint8_t key[BZ_BODYSTORE_ID],
                                 int64_t after, bz_body_row_fn *each, void *ctx) BZ_MUST_USE;
struct bz_body_sum {
    uint64_t n, bytes, oldest_ms; /* 0: there is none */
};
/* level < 0: all; key NULL: all. */
enum bz_status bz_bodystore_sum(struct bz_bodystore *s, const uint8_t key[BZ_BODYSTORE_ID],
                                int level, struct bz_body_sum *ret) BZ_MUST_USE;
/* Removes at most `limit` bodies under a key. */
enum bz_status bz_bodystore_remove(struct bz_bodystore *s, const uint8_t key[BZ_BODYSTORE_ID],
                                   uint32_t limit, uint64_t *ret_n) BZ_MUST_USE;
/* Removes at most `limit` bodies of a level that are older than before_ms, but none of `spared` (keys, one
 * after the other). */
enum bz_status bz_bodystore_expire(struct bz_bodystore *s, int level, uint64_t before_ms,
                                   struct bz_view spared, uint32_t limit,
                                   uint64_t *ret_n) BZ_MUST_USE;

#endif
