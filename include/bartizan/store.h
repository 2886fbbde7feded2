/* Persistence of users, keys, approvals and settings: SQLite behind a small interface. One store is used by one thread of one process.
 * Every change is durable when the call returns (WAL, synchronous=FULL), or when the transaction around it is committed.
 *
 * Failures of every function: ECORRUPT (not a store, or damaged), EIO (cannot be read or written, disk full), ETIMEOUT (another
 * process holds it for 5 s), ENOMEM. Others are named below. Texts are bound, never put into SQL. */
#ifndef BARTIZAN_STORE_H
#define BARTIZAN_STORE_H

#include <bartizan/buf.h>

struct bz_store;

/* ENOTFOUND: no such file. EVERSION: written by a newer release. Older layouts are brought up to date, in one transaction. */
enum bz_status bz_store_open(const char *path, struct bz_store **ret) BZ_MUST_USE;
/* A new store, mode 0600. EEXISTS: there is a file; it is left alone. */
enum bz_status bz_store_create(const char *path, struct bz_store **ret) BZ_MUST_USE;
void bz_store_close(struct bz_store *s); /* NULL is fine; rolls an open transaction back */
/* Reads everything once. Cost O(size). */
enum bz_status bz_store_check(struct bz_store *s) BZ_MUST_USE;

/* Changes between begin and commit happen together or not at all. One at a time. */
enum bz_status bz_store_begin(struct bz_store *s) BZ_MUST_USE;
enum bz_status bz_store_commit(struct bz_store *s) BZ_MUST_USE;
void bz_store_rollback(struct bz_store *s); /* nothing open: nothing happens */

struct bz_store_user { /* texts are lent for the call, or for the callback */
    const char *name; /* compared without case */
    const char *role;
    uint64_t created; /* unix seconds */
    bool disabled;
};
/* EEXISTS. */
enum bz_status bz_store_user_add(struct bz_store *s, const struct bz_store_user *u) BZ_MUST_USE;
/* ENOTFOUND. */
enum bz_status bz_store_user_set_disabled(struct bz_store *s, const char *name, bool disabled) BZ_MUST_USE;

/* Called per row; anything but OK ends the walk and is returned. It must not change the store. */
typedef enum bz_status bz_store_user_fn(void *ctx, const struct bz_store_user *u);
/* In the order of names. name NULL: all; otherwise that one (ENOTFOUND). */
enum bz_status bz_store_users(struct bz_store *s, const char *name, bz_store_user_fn *each, void *ctx) BZ_MUST_USE;

#define BZ_STORE_KEY_ID 12
#define BZ_STORE_HASH 32
enum { BZ_STORE_LIMITS = 8 }; /* numbers that belong to a key; the store does not know what they mean */
struct bz_store_key {
    const char *id;                    /* BZ_STORE_KEY_ID characters */
    uint8_t hash[BZ_STORE_HASH];
    const char *owner;                 /* name of a user */
    const char *role;
    const char *routes, *models;       /* names, one a line; NULL: none given */
    uint64_t created, expires;
    bool revoked;
    bool owner_disabled;               /* read only */
    uint64_t limits[BZ_STORE_LIMITS];
};
/* EEXISTS (id), ENOTFOUND (owner), EINVAL, ERANGE (a number above INT64_MAX). */
enum bz_status bz_store_key_add(struct bz_store *s, const struct bz_store_key *k) BZ_MUST_USE;
/* ENOTFOUND. Revoking twice is fine. */
enum bz_status bz_store_key_revoke(struct bz_store *s, const char *id) BZ_MUST_USE;
enum bz_status bz_store_key_set_expires(struct bz_store *s, const char *id, uint64_t expires) BZ_MUST_USE;

typedef enum bz_status bz_store_key_fn(void *ctx, const struct bz_store_key *k);
/* In the order they were made. id NULL: all; otherwise that one (ENOTFOUND). */
enum bz_status bz_store_keys(struct bz_store *s, const char *id, bz_store_key_fn *each, void *ctx) BZ_MUST_USE;
enum bz_status bz_store_key_count(struct bz_store *s, uint64_t *ret) BZ_MUST_USE;

#define BZ_STORE_APPROVAL_ID 16
struct bz_store_approval { /* somebody let one body through; texts as above */
    uint8_t id[BZ_STORE_APPROVAL_ID];
    const char *by, *note;
    uint64_t created, expires; /* unix seconds */
};
/* One of that id that is there is replaced. */
enum bz_status bz_store_approval_put(struct bz_store *s, const struct bz_store_approval *a) BZ_MUST_USE;
/* ENOTFOUND. */
enum bz_status bz_store_approval_remove(struct bz_store *s, const uint8_t id[BZ_STORE_APPROVAL_ID]) BZ_MUST_USE;
/* Removes those that end at `now` or ended before. */
enum bz_status bz_store_approvals_expire(struct bz_store *s, uint64_t now) BZ_MUST_USE;
typedef enum bz_status bz_store_approval_fn(void *ctx, const struct bz_store_approval *a);
/* All, oldest first. */
enum bz_status bz_store_approvals(struct bz_store *s, bz_store_approval_fn *each, void *ctx) BZ_MUST_USE;

/* Small named values of the instance. get: appends to `out`; ENOTFOUND. */
enum bz_status bz_store_meta_set(struct bz_store *s, const char *name, struct bz_view value) BZ_MUST_USE;
enum bz_status bz_store_meta_get(struct bz_store *s, const char *name, struct bz_buf *out) BZ_MUST_USE;

/* ---- databases as files, whatever is in them ---- */

/* Copies a database that others may be using, in a state that was committed as a whole. `to` must not exist, or is a copy made
 * before. ENOTFOUND: there is no `from`. */
enum bz_status bz_store_copy(const char *from, const char *to) BZ_MUST_USE;
/* Reads all of it. ECORRUPT: it is damaged; ENOTFOUND. */
enum bz_status bz_store_whole(const char *path) BZ_MUST_USE;

#endif
