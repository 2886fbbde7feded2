/* Keeping of stored bodies: what workers left in the spool is taken in, held under keys of users and
 * conversations, given out, expired and erased. Independent of the daemon around it. */
#ifndef BZ_BODIES_KEEP_H
#define BZ_BODIES_KEEP_H

#include <bartizan/bodies.h>
#include <bartizan/bodystore.h>
#include "instance.h"

#define BZ_PAIR_LIFE_MS (24ull * 3600 * 1000) /* a new key pair for the spool once a day */
#define BZ_PAIR_LATE_MS (26ull * 3600 * 1000) /* the old one opens what long streams still bring */

struct bz_keep;
struct bz_keep_counts {               /* since the start */
    uint64_t taken, dropped, refused; /* dropped: erased in the meantime, or there already */
};

/* Makes what is missing below DIR/bodies and DIR/store, destroys keys that came back although they were
 * erased, and has a key pair for the spool. wrap, erased: keys derived from the master key. ECORRUPT: also
 * keys that another master key wrapped. */
enum bz_status bz_keep_open(const struct bz_instance *in, const uint8_t wrap[BZ_KEY_LEN],
                            const uint8_t erased[BZ_KEY_LEN], uint64_t now_ms,
                            struct bz_keep **ret) BZ_MUST_USE;
void bz_keep_close(struct bz_keep *k); /* NULL is fine */
/* What workers seal to; changes when bz_keep_rotate says so. */
const uint8_t *bz_keep_public(const struct bz_keep *k);
struct bz_keep_counts bz_keep_counts(const struct bz_keep *k);
struct bz_bodystore *bz_keep_store(struct bz_keep *k); /* for listings */

/* One batch out of the spool: keys are durable, then bodies, then the files are removed, so that whatever is
 * cut short is done again and nothing is there twice. *ret_more: there is more. */
enum bz_status bz_keep_take(struct bz_keep *k, uint64_t now_ms, bool *ret_more) BZ_MUST_USE;
struct bz_keep_spool {
    uint64_t files, bytes, refused;
};
enum bz_status bz_keep_spool(const struct bz_keep *k, struct bz_keep_spool *ret) BZ_MUST_USE;

/* A new pair when the newest is a day old; destroys those that nobody seals to any more. */
enum bz_status bz_keep_rotate(struct bz_keep *k, uint64_t now_ms, bool *ret_new) BZ_MUST_USE;

/* Removes what is older than its level's days, at most a batch. seconds 0: kept without end. Keys that seal
 * nothing any more go too. What a hold covers stays. */
enum bz_status bz_keep_expire(struct bz_keep *k, const uint32_t seconds[BZ_BODY_LEVELS],
                              uint64_t now_ms, uint64_t *ret_removed, bool *ret_more) BZ_MUST_USE;

struct bz_keep_erased {
    uint64_t keys, bodies;
};
/* Destroys the keys of a user, or of one conversation (NULL: of all), then their bodies. `dry` only counts.
 * EDENIED: a legal hold covers some of it. When OK comes back the keys are in no file any more. */
enum bz_status bz_keep_erase(struct bz_keep *k, const char *user, const char *conversation,
                             bool dry, uint64_t now_ms, struct bz_keep_erased *ret) BZ_MUST_USE;
/* Lines of erasures of another copy of this instance: takes them over and does what they say.
 * EDENIED: a line of another instance, or edited; nothing was done. */
enum bz_status bz_keep_erased_apply(struct bz_keep *k, struct bz_view lines,
                                    uint64_t *ret_new) BZ_MUST_USE;
/* All lines, as they stand in DIR/bodies/erased. */
enum bz_status bz_keep_erased_lines(const struct bz_keep *k, struct bz_buf *out) BZ_MUST_USE;
uint64_t bz_keep_erased_count(const struct bz_keep *k);

/* Where an export goes on. */
struct bz_keep_cursor {
    int64_t conversation, row; /* zeros: at the beginning */
};
/* Called per body, opened; `b` and its views live for the call. `at` goes on behind it. MORE ends the walk
 * before this body. */
typedef enum bz_status bz_keep_fn(void *ctx, const struct bz_body *b,
                                  const struct bz_keep_cursor *at);
/* Bodies of a user (of one conversation; NULL: all). OK: all were given; MORE: `each` had enough. Bodies that do
 * not open are counted in *ret_damaged and left out. */
enum bz_status bz_keep_export(struct bz_keep *k, const char *user, const char *conversation,
                              struct bz_keep_cursor from, bz_keep_fn *each, void *ctx,
                              uint64_t *ret_damaged) BZ_MUST_USE;

/* ---- between the files of this part ---- */

struct bz_keep_gone { /* an erasure, as far as late bodies need it */
    uint8_t name[BZ_HASH_LEN];
    uint64_t time_ms;
};
struct bz_keep {
    struct bz_bodystore *store;
    int dir, spool;        /* DIR/bodies, DIR/bodies/spool */
    struct bz_secret keys; /* wrap, erased, newest pair's secret */
    uint8_t pub[BZ_BOX_LEN];
    uint64_t pair_ms;   /* when the newest pair was made */
    struct bz_buf gone; /* array of struct bz_keep_gone */
    uint64_t unused_ms; /* when keys without bodies were last looked for */
    bool undone;        /* an erasure stands in the list but not in the database yet */
    struct bz_keep_counts counts;
};
const uint8_t *bz_keep_wrap(const struct bz_keep *k);
const uint8_t *bz_keep_erased_key(const struct bz_keep *k);
uint8_t *bz_keep_pair_secret(const struct bz_keep *k);
/* Reads DIR/bodies/erased and does again what it says. */
enum bz_status bz_keep_erased_load(struct bz_keep *k) BZ_MUST_USE;
bool bz_keep_is_gone(const struct bz_keep *k, const struct bz_body *b);

#endif
