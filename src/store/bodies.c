/* Keys, legal holds and sealed bodies over SQLite. */
#include <stdlib.h>
#include <bartizan/bodystore.h>
#include "query.h"

enum statement {
    CHECK = OWN_STATEMENTS,
    USER_GET,
    USER_ADD,
    CONVERSATION_GET,
    CONVERSATION_ADD,
    KEYS_ALL,
    KEYS_OF,
    USER_DESTROY,
    CONVERSATION_DESTROY,
    USERS_PRUNE,
    PAIR_ADD,
    PAIR_ALL,
    PAIR_DESTROY,
    HOLD_ADD,
    HOLD_REMOVE,
    HOLD_ALL,
    HELD,
    ROW_PUT,
    ROWS,
    SUM_ALL,
    SUM_KEY,
    SUM_LEVEL,
    ROWS_REMOVE,
    ROWS_EXPIRE,
    SPARE_NONE,
    SPARE
};

#define KEY_COLUMNS                                                                                \
    "SELECT u.seq, u.id, u.wrapped, u.name, u.created, c.seq, c.id, c.wrapped, c.name, c.created " \
    "FROM conversations c JOIN users u ON u.seq = c.user "
#define SUM_COLUMNS "SELECT count(*), total(length(sealed)), min(time) FROM bodies"

static const char *const sql[STATEMENTS_MAX] = {
    TRANSACTION,
    [CHECK] = "PRAGMA integrity_check(1)",
    [USER_GET] = "SELECT seq, id, wrapped, created FROM users WHERE name = ?",
    [USER_ADD] = "INSERT INTO users (id, wrapped, name, created) VALUES (?, ?, ?, ?)",
    [CONVERSATION_GET] =
        "SELECT seq, id, wrapped, created FROM conversations WHERE user = ? AND name = ?",
    [CONVERSATION_ADD] =
        "INSERT INTO conversations (user, id, wrapped, name, created) VALUES (?, ?, ?, ?, ?)",
    [KEYS_ALL] = KEY_COLUMNS "ORDER BY c.seq",
    [KEYS_OF] = KEY_COLUMNS "WHERE u.name = ? ORDER BY c.seq",
    [USER_DESTROY] = "DELETE FROM users WHERE id = ?",
    [CONVERSATION_DESTROY] = "DELETE FROM conversations WHERE id = ?",
    [USERS_PRUNE] = "DELETE FROM users WHERE seq NOT IN (SELECT user FROM conversations)",
    [PAIR_ADD] = "INSERT INTO pairs (pub, wrapped, created) VALUES (?, ?, ?)",
    [PAIR_ALL] = "SELECT seq, pub, wrapped, created FROM pairs ORDER BY seq",
    [PAIR_DESTROY] = "DELETE FROM pairs WHERE seq = ?",
    [HOLD_ADD] = "INSERT INTO holds (name, user, conversation, reason, by, created)"
                 " VALUES (?, ?, ?, ?, ?, ?)",
    [HOLD_REMOVE] = "DELETE FROM holds WHERE name = ?",
    [HOLD_ALL] = "SELECT name, user, conversation, reason, by, created FROM holds"
                 " ORDER BY created, name",
    [HELD] = "SELECT count(*) FROM holds WHERE user = ?1"
             " AND (conversation IS NULL OR ?2 IS NULL OR conversation = ?2)",
    [ROW_PUT] = "INSERT INTO bodies (request, part, key, level, time, sealed)"
                " VALUES (?, ?, ?, ?, ?, ?)",
    [ROWS] = "SELECT seq, request, key, part, level, time, sealed FROM bodies"
             " WHERE key = ? AND seq > ? ORDER BY seq",
    [SUM_ALL] = SUM_COLUMNS,
    [SUM_KEY] = SUM_COLUMNS " WHERE key = ?",
    [SUM_LEVEL] = SUM_COLUMNS " WHERE level = ?",
    [ROWS_REMOVE] = "DELETE FROM bodies WHERE seq IN"
                    " (SELECT seq FROM bodies WHERE key = ? LIMIT ?)",
    [ROWS_EXPIRE] = "DELETE FROM bodies WHERE seq IN"
                    " (SELECT seq FROM bodies WHERE level = ? AND time < ?"
                    " AND key NOT IN (SELECT key FROM temp.spared) LIMIT ?)",
    [SPARE_NONE] = "DELETE FROM temp.spared",
    [SPARE] = "INSERT OR IGNORE INTO temp.spared (key) VALUES (?)",
};

struct bz_bodystore {
    struct statements part[BZ_BODYSTORE_PARTS];
};

static struct query of_keys(struct bz_bodystore *s, enum statement which) {
    return query_of(&s->part[BZ_BODYSTORE_KEYS], which);
}

static struct query of_rows(struct bz_bodystore *s, enum statement which) {
    return query_of(&s->part[BZ_BODYSTORE_ROWS], which);
}

/* ---- opening ---- */

enum bz_status bz_bodystore_open(const char *keys_path, const char *rows_path,
                                 struct bz_bodystore **ret) {
    struct bz_bodystore *s = calloc(1, sizeof *s);
    if (s == NULL)
        return BZ_ENOMEM;
    struct statements *keys = &s->part[BZ_BODYSTORE_KEYS], *rows = &s->part[BZ_BODYSTORE_ROWS];
    keys->sql = rows->sql = sql;
    enum bz_status st = store_db_open_or_create(keys_path, &body_keys_layout, &keys->db);
    if (st == BZ_OK)
        st = store_db_open_or_create(rows_path, &body_rows_layout, &rows->db);
    if (st == BZ_OK)
        st = store_status(sqlite3_exec(rows->db, "CREATE TEMP TABLE spared (key BLOB PRIMARY KEY)",
                                       NULL, NULL, NULL));
    if (st != BZ_OK) {
        bz_bodystore_close(s);
        return st;
    }
    *ret = s;
    return BZ_OK;
}

void bz_bodystore_close(struct bz_bodystore *s) {
    for (int p = 0; s != NULL && p < BZ_BODYSTORE_PARTS; p++)
        statements_close(&s->part[p]);
    free(s);
}

enum bz_status bz_bodystore_check(struct bz_bodystore *s) {
    for (int p = 0; p < BZ_BODYSTORE_PARTS; p++)
        BZ_TRY(integrity_check(&s->part[p], CHECK));
    return BZ_OK;
}

enum bz_status bz_bodystore_begin(struct bz_bodystore *s, enum bz_bodystore_part p) {
    return transaction_begin(&s->part[p]);
}

enum bz_status bz_bodystore_commit(struct bz_bodystore *s, enum bz_bodystore_part p) {
    return transaction_commit(&s->part[p]);
}

void bz_bodystore_rollback(struct bz_bodystore *s, enum bz_bodystore_part p) {
    transaction_rollback(&s->part[p]);
}

/* secure_delete zeroes what is deleted; older copies of those pages are in the log until it is cut, and in
 * pages that SQLite no longer uses until the file is written anew. The second cut takes what that wrote. */
enum bz_status bz_bodystore_scrub(struct bz_bodystore *s, enum bz_bodystore_part p) {
    static const char steps[] = "PRAGMA wal_checkpoint(TRUNCATE);"
                                "VACUUM;"
                                "PRAGMA wal_checkpoint(TRUNCATE)";
    if (sqlite3_get_autocommit(s->part[p].db) == 0)
        return BZ_EINVAL;
    return store_status(sqlite3_exec(s->part[p].db, steps, NULL, NULL, NULL));
}

/* ---- reading columns ---- */

static enum bz_status user_at(const struct query *q, int from, struct bz_body_user *u) {
    u->seq = sqlite3_column_int64(q->q, from);
    return bytes_at(q, from + 1, u->id, sizeof u->id) &&
                   bytes_at(q, from + 2, u->wrapped, sizeof u->wrapped)
               ? BZ_OK
               : BZ_ECORRUPT;
}

static enum bz_status conversation_at(const struct query *q, int from,
                                      struct bz_body_conversation *c) {
    c->seq = sqlite3_column_int64(q->q, from);
    return bytes_at(q, from + 1, c->id, sizeof c->id) &&
                   bytes_at(q, from + 2, c->wrapped, sizeof c->wrapped)
               ? BZ_OK
               : BZ_ECORRUPT;
}

/* ---- keys ---- */

enum bz_status bz_bodystore_user(struct bz_bodystore *s, const char *name,
                                 struct bz_body_user *ret) {
    struct query q = of_keys(s, USER_GET);
    struct bz_body_user u = {.name = NULL};
    put_text(&q, name);
    bool found = next_row(&q);
    if (found) {
        q.st = user_at(&q, 0, &u);
        u.created = number_at(&q, 3);
    }
    BZ_TRY(end(&q));
    if (found)
        *ret = u;
    return found ? BZ_OK : BZ_ENOTFOUND;
}

enum bz_status bz_bodystore_user_add(struct bz_bodystore *s, const struct bz_body_user *u,
                                     int64_t *ret_seq) {
    struct query q = of_keys(s, USER_ADD);
    put_blob(&q, bz_view(u->id, sizeof u->id));
    put_blob(&q, bz_view(u->wrapped, sizeof u->wrapped));
    put_text(&q, u->name);
    put_number(&q, u->created);
    BZ_TRY(run(&q));
    *ret_seq = sqlite3_last_insert_rowid(s->part[BZ_BODYSTORE_KEYS].db);
    return BZ_OK;
}

enum bz_status bz_bodystore_conversation(struct bz_bodystore *s, int64_t user, const char *name,
                                         struct bz_body_conversation *ret) {
    struct query q = of_keys(s, CONVERSATION_GET);
    struct bz_body_conversation c = {.name = NULL};
    put_number(&q, (uint64_t)user);
    put_text(&q, name);
    bool found = next_row(&q);
    if (found) {
        q.st = conversation_at(&q, 0, &c);
        c.created = number_at(&q, 3);
    }
    BZ_TRY(end(&q));
    if (found)
        *ret = c;
    return found ? BZ_OK : BZ_ENOTFOUND;
}

enum bz_status bz_bodystore_conversation_add(struct bz_bodystore *s, int64_t user,
                                             const struct bz_body_conversation *c) {
    struct query q = of_keys(s, CONVERSATION_ADD);
    put_number(&q, (uint64_t)user);
    put_blob(&q, bz_view(c->id, sizeof c->id));
    put_blob(&q, bz_view(c->wrapped, sizeof c->wrapped));
    put_text(&q, c->name);
    put_number(&q, c->created);
    return run(&q);
}

enum bz_status bz_bodystore_keys(struct bz_bodystore *s, const char *name, bz_body_key_fn *each,
                                 void *ctx) {
    struct query q = of_keys(s, name == NULL ? KEYS_ALL : KEYS_OF);
    if (name != NULL)
        put_text(&q, name);
    while (next_row(&q)) {
        struct bz_body_user u = {.name = text_at(&q, 3), .created = number_at(&q, 4)};
        struct bz_body_conversation c = {.name = text_at(&q, 8), .created = number_at(&q, 9)};
        q.st = user_at(&q, 0, &u);
        if (q.st == BZ_OK)
            q.st = conversation_at(&q, 5, &c);
        if (q.st == BZ_OK)
            q.st = u.name == NULL || c.name == NULL ? BZ_ECORRUPT : each(ctx, &u, &c);
    }
    return end(&q);
}

enum bz_status bz_bodystore_key_destroy(struct bz_bodystore *s, const uint8_t id[BZ_BODYSTORE_ID]) {
    static const enum statement both[] = {USER_DESTROY, CONVERSATION_DESTROY};
    for (size_t i = 0; i < 2; i++) {
        struct query q = of_keys(s, both[i]);
        put_blob(&q, bz_view(id, BZ_BODYSTORE_ID));
        BZ_TRY(run(&q));
    }
    return BZ_OK;
}

enum bz_status bz_bodystore_users_prune(struct bz_bodystore *s, uint64_t *ret_n) {
    struct query q = of_keys(s, USERS_PRUNE);
    BZ_TRY(run(&q));
    *ret_n = (uint64_t)sqlite3_changes(s->part[BZ_BODYSTORE_KEYS].db);
    return BZ_OK;
}

enum bz_status bz_bodystore_pair_add(struct bz_bodystore *s, const struct bz_body_pair *p) {
    struct query q = of_keys(s, PAIR_ADD);
    put_blob(&q, bz_view(p->pub, sizeof p->pub));
    put_blob(&q, bz_view(p->wrapped, sizeof p->wrapped));
    put_number(&q, p->created);
    return run(&q);
}

enum bz_status bz_bodystore_pairs(struct bz_bodystore *s, bz_body_pair_fn *each, void *ctx) {
    struct query q = of_keys(s, PAIR_ALL);
    while (next_row(&q)) {
        struct bz_body_pair p = {.seq = sqlite3_column_int64(q.q, 0), .created = number_at(&q, 3)};
        q.st = bytes_at(&q, 1, p.pub, sizeof p.pub) && bytes_at(&q, 2, p.wrapped, sizeof p.wrapped)
                   ? each(ctx, &p)
                   : BZ_ECORRUPT;
    }
    return end(&q);
}

enum bz_status bz_bodystore_pair_destroy(struct bz_bodystore *s, int64_t seq) {
    struct query q = of_keys(s, PAIR_DESTROY);
    put_number(&q, (uint64_t)seq);
    return run(&q);
}

/* ---- legal holds ---- */

enum bz_status bz_bodystore_hold_add(struct bz_bodystore *s, const struct bz_body_hold *h) {
    struct query q = of_keys(s, HOLD_ADD);
    put_text(&q, h->name);
    put_text(&q, h->user);
    put_text(&q, h->conversation);
    put_text(&q, h->reason);
    put_text(&q, h->by);
    put_number(&q, h->created);
    return run(&q);
}

enum bz_status bz_bodystore_hold_remove(struct bz_bodystore *s, const char *name) {
    struct query q = of_keys(s, HOLD_REMOVE);
    put_text(&q, name);
    return run_on_one(&s->part[BZ_BODYSTORE_KEYS], &q);
}

enum bz_status bz_bodystore_holds(struct bz_bodystore *s, bz_body_hold_fn *each, void *ctx) {
    struct query q = of_keys(s, HOLD_ALL);
    while (next_row(&q)) {
        const struct bz_body_hold h = {.name = text_at(&q, 0),
                                       .user = text_at(&q, 1),
                                       .conversation = text_at(&q, 2),
                                       .reason = text_at(&q, 3),
                                       .by = text_at(&q, 4),
                                       .created = number_at(&q, 5)};
        q.st = h.name == NULL || h.user == NULL || h.reason == NULL || h.by == NULL ? BZ_ECORRUPT
                                                                                    : each(ctx, &h);
    }
    return end(&q);
}

enum bz_status bz_bodystore_held(struct bz_bodystore *s, const char *user, const char *conversation,
                                 bool *ret) {
    struct query q = of_keys(s, HELD);
    uint64_t n = 0;
    put_text(&q, user);
    put_text(&q, conversation);
    if (next_row(&q))
        n = number_at(&q, 0);
    BZ_TRY(end(&q));
    *ret = n > 0;
    return BZ_OK;
}

/* ---- bodies ---- */

enum bz_status bz_bodystore_put(struct bz_bodystore *s, const struct bz_body_row *r) {
    struct query q = of_rows(s, ROW_PUT);
    put_blob(&q, bz_view(r->id, sizeof r->id));
    put_number(&q, r->part);
    put_blob(&q, bz_view(r->key, sizeof r->key));
    put_number(&q, r->level);
    put_number(&q, r->time_ms);
    put_blob(&q, r->sealed);
    return run(&q);
}

enum bz_status bz_bodystore_rows(struct bz_bodystore *s, const uint8_t key[BZ_BODYSTORE_ID],
                                 int64_t after, bz_body_row_fn *each, void *ctx) {
    struct query q = of_rows(s, ROWS);
    put_blob(&q, bz_view(key, BZ_BODYSTORE_ID));
    put_number(&q, after < 0 ? 0 : (uint64_t)after);
    while (next_row(&q)) {
        struct bz_body_row r = {.seq = sqlite3_column_int64(q.q, 0),
                                .part = (uint8_t)number_at(&q, 3),
                                .level = (uint8_t)number_at(&q, 4),
                                .time_ms = number_at(&q, 5)};
        const void *sealed = sqlite3_column_blob(q.q, 6);
        r.sealed = bz_view(sealed, sealed == NULL ? 0 : (size_t)sqlite3_column_bytes(q.q, 6));
        q.st = bytes_at(&q, 1, r.id, sizeof r.id) && bytes_at(&q, 2, r.key, sizeof r.key)
                   ? each(ctx, &r)
                   : BZ_ECORRUPT;
    }
    return end(&q);
}

enum bz_status bz_bodystore_sum(struct bz_bodystore *s, const uint8_t key[BZ_BODYSTORE_ID],
                                int level, struct bz_body_sum *ret) {
    struct query q = of_rows(s, key != NULL ? SUM_KEY : level >= 0 ? SUM_LEVEL : SUM_ALL);
    struct bz_body_sum sum = {0, 0, 0};
    if (key != NULL)
        put_blob(&q, bz_view(key, BZ_BODYSTORE_ID));
    else if (level >= 0)
        put_number(&q, (uint64_t)level);
    if (next_row(&q))
        sum = (struct bz_body_sum){number_at(&q, 0), number_at(&q, 1), number_at(&q, 2)};
    BZ_TRY(end(&q));
    *ret = sum;
    return BZ_OK;
}

enum bz_status bz_bodystore_remove(struct bz_bodystore *s, const uint8_t key[BZ_BODYSTORE_ID],
                                   uint32_t limit, uint64_t *ret_n) {
    struct query q = of_rows(s, ROWS_REMOVE);
    put_blob(&q, bz_view(key, BZ_BODYSTORE_ID));
    put_number(&q, limit);
    BZ_TRY(run(&q));
    *ret_n = (uint64_t)sqlite3_changes(s->part[BZ_BODYSTORE_ROWS].db);
    return BZ_OK;
}

static enum bz_status spare(struct bz_bodystore *s, struct bz_view keys) {
    struct query none = of_rows(s, SPARE_NONE);
    BZ_TRY(run(&none));
    for (size_t i = 0; i + BZ_BODYSTORE_ID <= keys.n; i += BZ_BODYSTORE_ID) {
        struct query q = of_rows(s, SPARE);
        put_blob(&q, bz_view(keys.p + i, BZ_BODYSTORE_ID));
        BZ_TRY(run(&q));
    }
    return BZ_OK;
}

enum bz_status bz_bodystore_expire(struct bz_bodystore *s, int level, uint64_t before_ms,
                                   struct bz_view spared, uint32_t limit, uint64_t *ret_n) {
    BZ_TRY(spare(s, spared));
    struct query q = of_rows(s, ROWS_EXPIRE);
    put_number(&q, (uint64_t)level);
    put_number(&q, before_ms);
    put_number(&q, limit);
    BZ_TRY(run(&q));
    *ret_n = (uint64_t)sqlite3_changes(s->part[BZ_BODYSTORE_ROWS].db);
    return BZ_OK;
}
