/* Reads users and keys back. What is lent lives in the arena of the handle, until the next call. */
#include "identity_int.h"

void forget_lent(struct bz_identity *id) {
    bz_arena_free(&id->ar);
    memset(id->interned, 0, sizeof id->interned);
}

static const char *copy(struct bz_identity *id, const char *s) {
    return (const char *)bz_arena_dup(&id->ar, bz_view_str(s)).p;
}

/* A name that came up before is not copied again, if its place in the table was not taken
 * meanwhile. */
static char *intern(struct bz_identity *id, const char *s) {
    uint32_t h = 2166136261u; /* FNV-1a */
    for (const char *c = s; *c != '\0'; c++)
        h = (h ^ (uint8_t)*c) * 16777619u;
    const char **at = &id->interned[(h ^ h >> 16) & (interned_n - 1)];
    if (*at == NULL || strcmp(*at, s) != 0)
        *at = copy(id, s);
    return (char *)(uintptr_t)*at; /* bz_key_record has no const */
}

/* ---- users ---- */

struct users {
    struct bz_identity *id;
    struct bz_user *list;
    size_t n, cap;
};

static enum bz_status add_user(void *ctx, const struct bz_store_user *u) {
    struct users *all = ctx;
    if (all->n == all->cap) { /* the old copy stays in the arena: at most as much again */
        size_t cap = all->cap == 0 ? 16 : 2 * all->cap;
        struct bz_user *more = bz_arena_alloc(&all->id->ar, cap * sizeof *more);
        if (more == NULL)
            return BZ_ENOMEM;
        if (all->n > 0)
            memcpy(more, all->list, all->n * sizeof *more);
        all->list = more;
        all->cap = cap;
    }
    struct bz_user *out = &all->list[all->n];
    *out =
        (struct bz_user){copy(all->id, u->name), intern(all->id, u->role), u->created, u->disabled};
    if (out->name == NULL || out->role == NULL)
        return BZ_ENOMEM;
    all->n++;
    return BZ_OK;
}

enum bz_status bz_identity_users(struct bz_identity *id, const struct bz_user **ret,
                                 size_t *ret_n) {
    struct users all = {.id = id};
    forget_lent(id);
    BZ_TRY(bz_store_users(id->store, NULL, add_user, &all));
    *ret = all.list;
    *ret_n = all.n;
    return BZ_OK;
}

enum bz_status bz_identity_user_find(struct bz_identity *id, const char *name,
                                     struct bz_user *ret) {
    struct users one = {.id = id};
    if (name == NULL)
        return BZ_ENOTFOUND;
    forget_lent(id);
    BZ_TRY(bz_store_users(id->store, name, add_user, &one));
    if (one.n != 1)
        return BZ_ENOTFOUND;
    *ret = one.list[0];
    return BZ_OK;
}

/* ---- keys ---- */

static enum bz_status split_lines(struct bz_identity *id, const char *lines, char ***ret,
                                  uint32_t *ret_n) {
    *ret = NULL;
    *ret_n = 0;
    if (lines == NULL)
        return BZ_OK;
    struct bz_view text = bz_arena_dup(&id->ar, bz_view_str(lines));
    uint32_t n = 0;
    for (size_t i = 0; text.p != NULL && i < text.n; i++)
        n += text.p[i] == '\n';
    char **list = bz_arena_alloc(&id->ar, (n + 1u) * sizeof *list); /* also when empty: not NULL */
    if (text.p == NULL || list == NULL)
        return BZ_ENOMEM;
    char *at = (char *)(uintptr_t)text.p;
    for (uint32_t i = 0; i < n; i++) {
        char *end = strchr(at, '\n');
        list[i] = at;
        *end = '\0';
        at = end + 1;
    }
    *ret = list;
    *ret_n = n;
    return BZ_OK;
}

static void limits_out(const uint64_t in[BZ_STORE_LIMITS], struct bz_limit_set *ret) {
    for (int m = 0; m < BZ_METER_COUNT; m++)
        ret->rate[m] = (struct bz_rate){in[2 * m], in[2 * m + 1]};
    ret->concurrent =
        in[LIMIT_CONCURRENT] > UINT32_MAX ? UINT32_MAX : (uint32_t)in[LIMIT_CONCURRENT];
    ret->body_max = in[LIMIT_BODY];
}

static enum bz_status to_record(struct bz_identity *id, const struct bz_store_key *k,
                                struct bz_key_record *ret) {
    *ret = (struct bz_key_record){
        .owner = intern(id, k->owner),
        .role = intern(id, k->role),
        .expires = k->expires,
        .created = k->created,
        .revoked = k->revoked,
    };
    if (ret->owner == NULL || ret->role == NULL)
        return BZ_ENOMEM;
    memcpy(ret->id, k->id, BZ_KEY_ID_TEXT);
    memcpy(ret->hash, k->hash, sizeof ret->hash);
    limits_out(k->limits, &ret->limits);
    BZ_TRY(split_lines(id, k->routes, &ret->routes, &ret->routes_n));
    return split_lines(id, k->models, &ret->models, &ret->models_n);
}

struct keys {
    struct bz_identity *id;
    struct bz_key_record *list;
    size_t n, cap;
    bool usable;
};

static enum bz_status add_key(void *ctx, const struct bz_store_key *k) {
    struct keys *all = ctx;
    if (all->usable && (k->revoked || k->owner_disabled))
        return BZ_OK;
    if (all->n == all->cap) /* more than were counted: somebody else writes to our store */
        return BZ_EINTERNAL;
    BZ_TRY(to_record(all->id, k, &all->list[all->n]));
    all->n++;
    return BZ_OK;
}

static enum bz_status load_keys(struct bz_identity *id, const char *key_id, struct keys *all) {
    uint64_t n = 1;
    forget_lent(id);
    if (key_id == NULL)
        BZ_TRY(bz_store_key_count(id->store, &n));
    if (n > BZ_KEYS_MAX)
        return BZ_ETOOBIG;
    all->id = id;
    all->cap = n;
    all->list = bz_arena_alloc(&id->ar, (n + 1) * sizeof *all->list);
    if (all->list == NULL)
        return BZ_ENOMEM;
    return bz_store_keys(id->store, key_id, add_key, all);
}

enum bz_status bz_identity_key_find(struct bz_identity *id, const char *key_id,
                                    struct bz_key_record *ret) {
    struct keys one = {0};
    if (key_id == NULL)
        return BZ_ENOTFOUND;
    BZ_TRY(load_keys(id, key_id, &one));
    *ret = one.list[0];
    return BZ_OK;
}

enum bz_status bz_identity_keys(struct bz_identity *id, bool usable,
                                const struct bz_key_record **ret, size_t *ret_n) {
    struct keys all = {.usable = usable};
    BZ_TRY(load_keys(id, NULL, &all));
    *ret = all.list;
    *ret_n = all.n;
    return BZ_OK;
}
