/* Users and keys: what may be stored. Reading it back is in load.c. */
#include <stdlib.h>
#include "identity_int.h"

enum { name_max = 64, list_max = 64 << 10 };
static const size_t arena_max = (size_t)8 << 30; /* 4,000,000 keys, each with names of its own */

static enum bz_status wrap(struct bz_store *store, struct bz_identity **ret) {
    struct bz_identity *id = calloc(1, sizeof *id);
    if (id == NULL) {
        bz_store_close(store);
        return BZ_ENOMEM;
    }
    id->store = store;
    bz_arena_init(&id->ar, bz_alloc_heap, arena_max, NULL, 0);
    *ret = id;
    return BZ_OK;
}

enum bz_status bz_identity_open(const char *path, struct bz_identity **ret) {
    struct bz_store *store = NULL;
    BZ_TRY(bz_store_open(path, &store));
    return wrap(store, ret);
}

enum bz_status bz_identity_create(const char *path, struct bz_identity **ret) {
    struct bz_store *store = NULL;
    BZ_TRY(bz_store_create(path, &store));
    return wrap(store, ret);
}

void bz_identity_close(struct bz_identity *id) {
    if (id == NULL)
        return;
    bz_arena_free(&id->ar);
    bz_store_close(id->store);
    free(id);
}

enum bz_status bz_identity_begin(struct bz_identity *id) {
    BZ_TRY(bz_store_begin(id->store));
    id->in_transaction = true;
    return BZ_OK;
}

enum bz_status bz_identity_commit(struct bz_identity *id) {
    BZ_TRY(bz_store_commit(id->store));
    id->in_transaction = false;
    return BZ_OK;
}

void bz_identity_rollback(struct bz_identity *id) {
    bz_store_rollback(id->store);
    id->in_transaction = false;
}

/* ---- names ---- */

static bool is_alnum(uint8_t c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool name_ok(struct bz_view v, const char *more, bool upper) {
    if (v.n == 0 || v.n > name_max)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        bool extra = v.p[i] != '\0' && strchr(more, v.p[i]) != NULL;
        bool plain = is_alnum(v.p[i]) && (upper || v.p[i] < 'A' || v.p[i] > 'Z');
        if (!plain && (!extra || (i == 0 && v.p[i] != '_')))
            return false;
    }
    return true;
}

bool bz_user_name_valid(struct bz_view name) {
    return name_ok(name, "._@-", true) && name.p[0] != '_';
}

bool bz_role_name_valid(struct bz_view name) {
    return name_ok(name, "._-", false);
}

/* ---- users ---- */

enum bz_status bz_identity_user_add(struct bz_identity *id, const char *name, const char *role,
                                    uint64_t now) {
    struct bz_store_user u = {.name = name, .role = role, .created = now};
    forget_lent(id);
    if (!bz_user_name_valid(bz_view_str(name)) || !bz_role_name_valid(bz_view_str(role)))
        return BZ_EINVAL;
    return bz_store_user_add(id->store, &u);
}

enum bz_status bz_identity_user_set_disabled(struct bz_identity *id, const char *name,
                                             bool disabled) {
    forget_lent(id);
    return bz_store_user_set_disabled(id->store, name, disabled);
}

/* ---- keys ---- */

/* One name a line. Which scopes and models exist is not known here, only that a line is a line. */
static enum bz_status join(char *const *list, uint32_t n, struct bz_buf *out) {
    for (uint32_t i = 0; i < n; i++) {
        struct bz_view v = bz_view_str(list[i]);
        if (v.n == 0 || v.n > BZ_MODEL_NAME_MAX)
            return BZ_EINVAL;
        for (size_t j = 0; j < v.n; j++)
            if (v.p[j] <= 0x20 || v.p[j] >= 0x7f)
                return BZ_EINVAL;
        bz_buf_put(out, v);
        bz_buf_putc(out, '\n');
    }
    bz_buf_putc(out, '\0');
    return bz_buf_status(out);
}

static void limits_in(const struct bz_limit_set *l, uint64_t out[BZ_STORE_LIMITS]) {
    for (int m = 0; m < BZ_METER_COUNT; m++) {
        out[2 * m] = l->rate[m].per_minute;
        out[2 * m + 1] = l->rate[m].burst;
    }
    out[LIMIT_CONCURRENT] = l->concurrent;
    out[LIMIT_BODY] = l->body_max;
}

/* The text's id and hash go into `k`; the text itself goes nowhere. */
static enum bz_status name_key(const uint8_t pepper[BZ_KEY_LEN], struct bz_view text,
                               char id[BZ_KEY_ID_TEXT + 1], struct bz_store_key *k) {
    struct bz_view view;
    if (bz_key_split(text, &view) != BZ_OK)
        return BZ_EINVAL;
    memcpy(id, view.p, BZ_KEY_ID_TEXT);
    id[BZ_KEY_ID_TEXT] = '\0';
    k->id = id;
    bz_key_hash(pepper, text, k->hash);
    return BZ_OK;
}

static enum bz_status add_joined(struct bz_identity *id, struct bz_store_key *k,
                                 const struct bz_key_wish *wish) {
    struct bz_buf routes, models;
    bz_buf_init(&routes, list_max);
    bz_buf_init(&models, (size_t)BZ_MODELS_MAX * (BZ_MODEL_NAME_MAX + 1) + 1);
    enum bz_status st = join(wish->routes, wish->routes == NULL ? 0 : wish->routes_n, &routes);
    if (st == BZ_OK)
        st = join(wish->models, wish->models == NULL ? 0 : wish->models_n, &models);
    if (st == BZ_OK) {
        k->routes = wish->routes == NULL ? NULL : (const char *)routes.p;
        k->models = wish->models == NULL ? NULL : (const char *)models.p;
        st = bz_store_key_add(id->store, k);
    }
    bz_buf_free(&routes);
    bz_buf_free(&models);
    return st;
}

enum bz_status bz_identity_key_add(struct bz_identity *id, const uint8_t pepper[BZ_KEY_LEN],
                                   const struct bz_key_wish *wish, uint64_t now,
                                   struct bz_view text) {
    struct bz_user owner;
    struct bz_store_key k = {.created = now, .expires = wish->expires};
    char key_id[BZ_KEY_ID_TEXT + 1];
    BZ_TRY(bz_identity_user_find(id, wish->owner, &owner));
    if (owner.disabled)
        return BZ_EDENIED;
    k.owner = owner.name;
    k.role = wish->role == NULL ? owner.role : wish->role;
    if (!bz_role_name_valid(bz_view_str(k.role)) || (wish->expires != 0 && wish->expires <= now))
        return BZ_EINVAL;
    limits_in(&wish->limits, k.limits);
    BZ_TRY(name_key(pepper, text, key_id, &k));
    return add_joined(id, &k, wish);
}

enum bz_status bz_identity_key_revoke(struct bz_identity *id, const char *key_id) {
    forget_lent(id);
    return bz_store_key_revoke(id->store, key_id);
}

/* ---- rotation ---- */

struct rotation {
    const uint8_t *pepper;
    uint64_t old_ends, now;
    struct bz_view text;
};

/* Whether the key may be rotated at all. Its owner's name is copied, since looking the owner up
 * ends the loan. */
static enum bz_status may_rotate(struct bz_identity *id, const char *key_id, uint64_t now,
                                 char owner_name[name_max + 1]) {
    struct bz_key_record old;
    struct bz_user owner;
    BZ_TRY(bz_identity_key_find(id, key_id, &old));
    size_t n = strlen(old.owner);
    if (n > name_max)
        return BZ_ECORRUPT;
    if (old.revoked)
        return BZ_EDENIED;
    if (old.expires != 0 && old.expires <= now)
        return BZ_EEXPIRED;
    memcpy(owner_name, old.owner, n + 1);
    BZ_TRY(bz_identity_user_find(id, owner_name, &owner));
    return owner.disabled ? BZ_EDENIED : BZ_OK;
}

static enum bz_status rotate(struct bz_identity *id, const char *key_id, const struct rotation *r) {
    struct bz_key_record old;
    char owner_name[name_max + 1] = "", new_id[BZ_KEY_ID_TEXT + 1];
    BZ_TRY(may_rotate(id, key_id, r->now, owner_name));
    BZ_TRY(bz_identity_key_find(id, key_id, &old));
    uint64_t life = old.expires > old.created ? old.expires - old.created : 1;
    uint64_t ends = r->old_ends < r->now ? r->now : r->old_ends;
    struct bz_store_key k = {.created = r->now, .owner = owner_name, .role = old.role};
    struct bz_key_wish lists = {.routes = old.routes,
                                .routes_n = old.routes_n,
                                .models = old.models,
                                .models_n = old.models_n};
    if (old.expires != 0)
        k.expires = life > INT64_MAX - r->now ? INT64_MAX : r->now + life;
    limits_in(&old.limits, k.limits);
    BZ_TRY(name_key(r->pepper, r->text, new_id, &k));
    BZ_TRY(add_joined(id, &k, &lists)); /* first: it may be refused */
    if (old.expires != 0 && old.expires <= ends)
        return BZ_OK;
    return bz_store_key_set_expires(id->store, key_id, ends);
}

enum bz_status bz_identity_key_rotate(struct bz_identity *id, const uint8_t pepper[BZ_KEY_LEN],
                                      const char *key_id, uint64_t old_ends, uint64_t now,
                                      struct bz_view text) {
    struct rotation r = {.pepper = pepper, .old_ends = old_ends, .now = now, .text = text};
    bool own = !id->in_transaction;
    if (own)
        BZ_TRY(bz_identity_begin(id));
    enum bz_status st = rotate(id, key_id, &r);
    if (own && st == BZ_OK)
        st = bz_identity_commit(id);
    if (own && st != BZ_OK)
        bz_identity_rollback(id);
    return st;
}
