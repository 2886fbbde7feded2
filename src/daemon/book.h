/* Users and their API keys: what bartizand and `bartizan init` do with the store. */
#ifndef BZ_BOOK_H
#define BZ_BOOK_H

#include <bartizan/policy.h>
#include "instance.h"

struct bz_book;

/* ENOTFOUND: there is no store. ECORRUPT, EIO. */
enum bz_status bz_book_open(const struct bz_instance *in, struct bz_book **ret) BZ_MUST_USE;
enum bz_status bz_book_create(const struct bz_instance *in, struct bz_book **ret) BZ_MUST_USE;
void bz_book_close(struct bz_book *b);

struct bz_book_user {
    const char *name, *role;
    bool disabled;
    uint64_t created;
};
/* EEXISTS; EINVAL: not a name ([A-Za-z0-9][A-Za-z0-9._@-]{0,63}). */
enum bz_status bz_book_user_add(struct bz_book *b, const char *name, const char *role, uint64_t now) BZ_MUST_USE;
/* ENOTFOUND. The keys of a disabled user do not authenticate. */
enum bz_status bz_book_user_set_disabled(struct bz_book *b, const char *name, bool disabled) BZ_MUST_USE;
enum bz_status bz_book_user_find(struct bz_book *b, const char *name, struct bz_book_user *ret) BZ_MUST_USE;
enum bz_status bz_book_users(struct bz_book *b, void (*each)(void *ctx, const struct bz_book_user *u), void *ctx) BZ_MUST_USE;

struct bz_book_want { /* a key to be made; NULL and 0: as the role says */
    const char *owner, *role;
    char **routes, **models;
    uint32_t routes_n, models_n;
    uint64_t expires;
    struct bz_limit_set limits;
};
/* A new key's text. */
void bz_book_key_text(char out[BZ_KEY_TEXT + 1]);
/* `key` comes from bz_book_key_text; its text is not stored. ENOTFOUND: no such user; EDENIED: the user is disabled. */
enum bz_status bz_book_key_create(struct bz_book *b, const uint8_t pepper[BZ_KEY_LEN], const struct bz_book_want *want,
                                  uint64_t now, const char *key) BZ_MUST_USE;
enum bz_status bz_book_key_find(struct bz_book *b, const char *id, struct bz_key_record *ret) BZ_MUST_USE; /* lent */
enum bz_status bz_book_key_revoke(struct bz_book *b, const char *id) BZ_MUST_USE;
/* `key`: a new one with the same rights; the old one ends at `old_ends` (unix seconds) or earlier. */
enum bz_status bz_book_key_rotate(struct bz_book *b, const uint8_t pepper[BZ_KEY_LEN], const char *id, uint64_t old_ends,
                                  uint64_t now, const char *key) BZ_MUST_USE;

/* Keys of enabled users that are not revoked, as the image takes them; and every key. Lent until the next change. */
enum bz_status bz_book_records(struct bz_book *b, const struct bz_key_record **ret, size_t *ret_n) BZ_MUST_USE;
enum bz_status bz_book_all_keys(struct bz_book *b, const struct bz_key_record **ret, size_t *ret_n) BZ_MUST_USE;

#endif
