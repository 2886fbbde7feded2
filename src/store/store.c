/* The store over SQLite. */
#include <stdlib.h>
#include "query.h"

#define KEY_COLUMNS                                                                                \
    "k.id, k.hash, u.name, k.role, k.routes, k.models, k.created, k.expires, k.revoked, "          \
    "u.disabled, k.l0, k.l1, k.l2, k.l3, k.l4, k.l5, k.l6, k.l7"

enum {
    USER_ADD = OWN_STATEMENTS,
    USER_SET_DISABLED,
    USER_ALL,
    USER_ONE,
    KEY_ADD,
    KEY_REVOKE,
    KEY_SET_EXPIRES,
    KEY_ALL,
    KEY_ONE,
    KEY_COUNT,
    META_SET,
    META_GET,
    APPROVAL_PUT,
    APPROVAL_REMOVE,
    APPROVAL_EXPIRE,
    APPROVAL_ALL,
    CHECK
};
static const char *const sql[STATEMENTS_MAX] = {
    TRANSACTION,
    [USER_ADD] = "INSERT INTO users (name, role, created, disabled) VALUES (?, ?, ?, ?)",
    [USER_SET_DISABLED] = "UPDATE users SET disabled = ? WHERE name = ?",
    [USER_ALL] = "SELECT name, role, created, disabled FROM users ORDER BY name",
    [USER_ONE] = "SELECT name, role, created, disabled FROM users WHERE name = ?",
    [KEY_ADD] =
        "INSERT INTO keys (user, id, hash, role, routes, models, created, expires, revoked,"
        " l0, l1, l2, l3, l4, l5, l6, l7)"
        " SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM users WHERE name = ?",
    [KEY_REVOKE] = "UPDATE keys SET revoked = 1 WHERE id = ?",
    [KEY_SET_EXPIRES] = "UPDATE keys SET expires = ? WHERE id = ?",
    [KEY_ALL] = "SELECT " KEY_COLUMNS " FROM keys k JOIN users u ON u.id = k.user ORDER BY k.seq",
    [KEY_ONE] = "SELECT " KEY_COLUMNS " FROM keys k JOIN users u ON u.id = k.user WHERE k.id = ?",
    [KEY_COUNT] = "SELECT count(*) FROM keys",
    [META_SET] = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)",
    [META_GET] = "SELECT value FROM meta WHERE name = ?",
    [APPROVAL_PUT] =
        "INSERT OR REPLACE INTO approvals (id, by, note, created, expires) VALUES (?, ?, ?, ?, ?)",
    [APPROVAL_REMOVE] = "DELETE FROM approvals WHERE id = ?",
    [APPROVAL_EXPIRE] = "DELETE FROM approvals WHERE expires <= ?",
    [APPROVAL_ALL] = "SELECT id, by, note, created, expires FROM approvals ORDER BY created, id",
    [CHECK] = "PRAGMA integrity_check(1)",
};

struct bz_store {
    struct statements all;
};

static enum bz_status open_file(const char *path, bool fresh, struct bz_store **ret) {
    struct bz_store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return BZ_ENOMEM;
    s->all.sql = sql;
    enum bz_status st = fresh ? store_db_create(path, &store_layout, &s->all.db)
                              : store_db_open(path, &store_layout, &s->all.db);
    if (st == BZ_OK)
        *ret = s;
    else
        free(s);
    return st;
}

enum bz_status bz_store_open(const char *path, struct bz_store **ret) {
    return open_file(path, false, ret);
}

enum bz_status bz_store_create(const char *path, struct bz_store **ret) {
    return open_file(path, true, ret);
}

void bz_store_close(struct bz_store *s) {
    if (s != NULL)
        statements_close(&s->all);
    free(s);
}

enum bz_status bz_store_check(struct bz_store *s) {
    return integrity_check(&s->all, CHECK);
}

enum bz_status bz_store_begin(struct bz_store *s) {
    return transaction_begin(&s->all);
}

enum bz_status bz_store_commit(struct bz_store *s) {
    return transaction_commit(&s->all);
}

void bz_store_rollback(struct bz_store *s) {
    transaction_rollback(&s->all);
}

/* ---- users ---- */

enum bz_status bz_store_user_add(struct bz_store *s, const struct bz_store_user *u) {
    struct query q = query_of(&s->all, USER_ADD);
    put_text(&q, u->name);
    put_text(&q, u->role);
    put_number(&q, u->created);
    put_number(&q, u->disabled);
    return run(&q);
}

enum bz_status bz_store_user_set_disabled(struct bz_store *s, const char *name, bool disabled) {
    struct query q = query_of(&s->all, USER_SET_DISABLED);
    put_number(&q, disabled);
    put_text(&q, name);
    return run_on_one(&s->all, &q);
}

enum bz_status bz_store_users(struct bz_store *s, const char *name, bz_store_user_fn *each,
                              void *ctx) {
    struct query q = query_of(&s->all, name == NULL ? USER_ALL : USER_ONE);
    bool any = false;
    if (name != NULL)
        put_text(&q, name);
    while (next_row(&q)) {
        struct bz_store_user u = {text_at(&q, 0), text_at(&q, 1), number_at(&q, 2),
                                  number_at(&q, 3) != 0};
        any = true;
        q.st = u.name == NULL || u.role == NULL ? BZ_ECORRUPT : each(ctx, &u);
    }
    BZ_TRY(end(&q));
    return any || name == NULL ? BZ_OK : BZ_ENOTFOUND;
}

/* ---- keys ---- */

enum bz_status bz_store_key_add(struct bz_store *s, const struct bz_store_key *k) {
    struct query q = query_of(&s->all, KEY_ADD);
    put_text(&q, k->id);
    put_blob(&q, bz_view(k->hash, sizeof k->hash));
    put_text(&q, k->role);
    put_text(&q, k->routes);
    put_text(&q, k->models);
    put_number(&q, k->created);
    put_number(&q, k->expires);
    put_number(&q, k->revoked);
    for (int i = 0; i < BZ_STORE_LIMITS; i++)
        put_number(&q, k->limits[i]);
    put_text(&q, k->owner);
    return run_on_one(&s->all, &q);
}

enum bz_status bz_store_key_revoke(struct bz_store *s, const char *id) {
    struct query q = query_of(&s->all, KEY_REVOKE);
    put_text(&q, id);
    return run_on_one(&s->all, &q);
}

enum bz_status bz_store_key_set_expires(struct bz_store *s, const char *id, uint64_t expires) {
    struct query q = query_of(&s->all, KEY_SET_EXPIRES);
    put_number(&q, expires);
    put_text(&q, id);
    return run_on_one(&s->all, &q);
}

/* A row as lent to the callback. The layout's own checks hold unless somebody edited the file. */
static enum bz_status key_at(const struct query *q, struct bz_store_key *ret) {
    *ret = (struct bz_store_key){
        .id = text_at(q, 0),
        .owner = text_at(q, 2),
        .role = text_at(q, 3),
        .routes = text_at(q, 4),
        .models = text_at(q, 5),
        .created = number_at(q, 6),
        .expires = number_at(q, 7),
        .revoked = number_at(q, 8) != 0,
        .owner_disabled = number_at(q, 9) != 0,
    };
    for (int i = 0; i < BZ_STORE_LIMITS; i++)
        ret->limits[i] = number_at(q, 10 + i);
    bool whole = ret->id != NULL && strlen(ret->id) == BZ_STORE_KEY_ID && ret->owner != NULL &&
                 ret->role != NULL && bytes_at(q, 1, ret->hash, sizeof ret->hash);
    return whole ? BZ_OK : BZ_ECORRUPT;
}

enum bz_status bz_store_keys(struct bz_store *s, const char *id, bz_store_key_fn *each, void *ctx) {
    struct query q = query_of(&s->all, id == NULL ? KEY_ALL : KEY_ONE);
    bool any = false;
    if (id != NULL)
        put_text(&q, id);
    while (next_row(&q)) {
        struct bz_store_key k;
        any = true;
        q.st = key_at(&q, &k);
        if (q.st == BZ_OK)
            q.st = each(ctx, &k);
    }
    BZ_TRY(end(&q));
    return any || id == NULL ? BZ_OK : BZ_ENOTFOUND;
}

enum bz_status bz_store_key_count(struct bz_store *s, uint64_t *ret) {
    struct query q = query_of(&s->all, KEY_COUNT);
    uint64_t n = 0;
    if (next_row(&q))
        n = number_at(&q, 0);
    BZ_TRY(end(&q));
    *ret = n;
    return BZ_OK;
}

/* ---- settings ---- */

enum bz_status bz_store_meta_set(struct bz_store *s, const char *name, struct bz_view value) {
    struct query q = query_of(&s->all, META_SET);
    put_text(&q, name);
    put_blob(&q, value);
    return run(&q);
}

enum bz_status bz_store_meta_get(struct bz_store *s, const char *name, struct bz_buf *out) {
    struct query q = query_of(&s->all, META_GET);
    put_text(&q, name);
    bool found = next_row(&q);
    if (found) {
        bz_buf_put(out, blob_at(&q, 0));
        q.st = bz_buf_status(out);
    }
    BZ_TRY(end(&q));
    return found ? BZ_OK : BZ_ENOTFOUND;
}

/* ---- approvals ---- */

enum bz_status bz_store_approval_put(struct bz_store *s, const struct bz_store_approval *a) {
    struct query q = query_of(&s->all, APPROVAL_PUT);
    put_blob(&q, bz_view(a->id, sizeof a->id));
    put_text(&q, a->by);
    put_text(&q, a->note);
    put_number(&q, a->created);
    put_number(&q, a->expires);
    return run(&q);
}

enum bz_status bz_store_approval_remove(struct bz_store *s,
                                        const uint8_t id[BZ_STORE_APPROVAL_ID]) {
    struct query q = query_of(&s->all, APPROVAL_REMOVE);
    put_blob(&q, bz_view(id, BZ_STORE_APPROVAL_ID));
    return run_on_one(&s->all, &q);
}

enum bz_status bz_store_approvals_expire(struct bz_store *s, uint64_t now) {
    struct query q = query_of(&s->all, APPROVAL_EXPIRE);
    put_number(&q, now);
    return run(&q);
}

enum bz_status bz_store_approvals(struct bz_store *s, bz_store_approval_fn *each, void *ctx) {
    struct query q = query_of(&s->all, APPROVAL_ALL);
    while (next_row(&q)) {
        struct bz_store_approval a = {
            .by = text_at(&q, 1),
            .note = text_at(&q, 2),
            .created = number_at(&q, 3),
            .expires = number_at(&q, 4),
        };
        bool whole = bytes_at(&q, 0, a.id, sizeof a.id) && a.by != NULL && a.note != NULL;
        q.st = whole ? each(ctx, &a) : BZ_ECORRUPT;
    }
    return end(&q);
}
