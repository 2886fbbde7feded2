/* Users, their API keys, and approvals of administrators: the rules over the store. Key texts are never kept: a key's text is made by bz_key_make, shown
 * once by the caller, and only its keyed hash is stored. Times are unix seconds.
 *
 * Failures of every function are those of the store (store.h); others are named below. One thread. */
#ifndef BARTIZAN_IDENTITY_H
#define BARTIZAN_IDENTITY_H

#include <bartizan/policy.h>

struct bz_identity;

/* ENOTFOUND: there is no store. EVERSION. */
enum bz_status bz_identity_open(const char *path, struct bz_identity **ret) BZ_MUST_USE;
/* EEXISTS: there is one. */
enum bz_status bz_identity_create(const char *path, struct bz_identity **ret) BZ_MUST_USE;
void bz_identity_close(struct bz_identity *id); /* NULL is fine */
/* Several changes together or not at all. */
enum bz_status bz_identity_begin(struct bz_identity *id) BZ_MUST_USE;
enum bz_status bz_identity_commit(struct bz_identity *id) BZ_MUST_USE;
void bz_identity_rollback(struct bz_identity *id);

/* [A-Za-z0-9][A-Za-z0-9._@-]{0,63} */
bool bz_user_name_valid(struct bz_view name);
/* [a-z0-9_][a-z0-9._-]{0,63}, as the configuration has it */
bool bz_role_name_valid(struct bz_view name);

struct bz_user {
    const char *name, *role; /* lent until the next call */
    uint64_t created;
    bool disabled;
};
/* EINVAL (a name that is none), EEXISTS (also in another case: "Ann" and "ann" are one). */
enum bz_status bz_identity_user_add(struct bz_identity *id, const char *name, const char *role, uint64_t now) BZ_MUST_USE;
/* The keys of a disabled user do not authenticate. ENOTFOUND. */
enum bz_status bz_identity_user_set_disabled(struct bz_identity *id, const char *name, bool disabled) BZ_MUST_USE;
enum bz_status bz_identity_user_find(struct bz_identity *id, const char *name, struct bz_user *ret) BZ_MUST_USE;
/* All, by name; lent until the next call. */
enum bz_status bz_identity_users(struct bz_identity *id, const struct bz_user **ret, size_t *ret_n) BZ_MUST_USE;

struct bz_key_wish { /* NULL and 0: as the role says; a list that is given but empty allows nothing */
    const char *owner;
    const char *role; /* NULL: the owner's */
    char *const *routes, *const *models;
    uint32_t routes_n, models_n;
    uint64_t expires; /* 0: never */
    struct bz_limit_set limits;
};
/* text: from bz_key_make. ENOTFOUND (no such user), EDENIED (the user is disabled), EINVAL (text, role or a list entry is none;
 * expires is not after now), EEXISTS (that id is taken: make another text). */
enum bz_status bz_identity_key_add(struct bz_identity *id, const uint8_t pepper[BZ_KEY_LEN], const struct bz_key_wish *wish,
                                   uint64_t now, struct bz_view text) BZ_MUST_USE;
enum bz_status bz_identity_key_revoke(struct bz_identity *id, const char *key_id) BZ_MUST_USE; /* ENOTFOUND */
/* text becomes a key with the rights of key_id and as long a life, counted from now; key_id itself ends at old_ends, or when it
 * would have ended anyway if that is earlier (old_ends <= now: at once). ENOTFOUND; EDENIED (revoked, or the user is disabled);
 * EEXPIRED; EINVAL, EEXISTS as above. Both or nothing. */
enum bz_status bz_identity_key_rotate(struct bz_identity *id, const uint8_t pepper[BZ_KEY_LEN], const char *key_id,
                                      uint64_t old_ends, uint64_t now, struct bz_view text) BZ_MUST_USE;
enum bz_status bz_identity_key_find(struct bz_identity *id, const char *key_id, struct bz_key_record *ret) BZ_MUST_USE; /* lent */
/* As bz_image_input takes them; lent until the next call. usable: without revoked keys and those of disabled users. */
enum bz_status bz_identity_keys(struct bz_identity *id, bool usable, const struct bz_key_record **ret, size_t *ret_n) BZ_MUST_USE;

struct bz_approval_record { /* an administrator lets one body of one owner through, see bz_image_approved */
    struct bz_approval what;
    uint64_t created;
    const char *by, *note; /* lent until the next call */
};
/* One of that id that is there is replaced; expired ones go. EINVAL (expires is not after now), ETOOBIG (BZ_APPROVALS_MAX are in
 * force). */
enum bz_status bz_identity_approve(struct bz_identity *id, const struct bz_approval_record *a, uint64_t now) BZ_MUST_USE;
enum bz_status bz_identity_approval_revoke(struct bz_identity *id, const uint8_t what[BZ_APPROVAL_LEN]) BZ_MUST_USE; /* ENOTFOUND */
/* Those in force, oldest first; lent until the next call. */
enum bz_status bz_identity_approvals(struct bz_identity *id, uint64_t now, const struct bz_approval_record **ret,
                                     size_t *ret_n) BZ_MUST_USE;

#endif
