/* Running prepared statements: binds left to right, reads columns, remembers the first failure. */
#ifndef BARTIZAN_STORE_QUERY_H
#define BARTIZAN_STORE_QUERY_H

#include "store_int.h"

struct query { /* binds left to right; the first failure stays */
    sqlite3_stmt *q;
    int next;
    enum bz_status st;
};

/* A database and its statements, each prepared on first use. */
enum { STATEMENTS_MAX = 40 };
struct statements {
    sqlite3 *db;
    const char *const *sql; /* by number; the first ones are those of TRANSACTION */
    sqlite3_stmt *prepared[STATEMENTS_MAX];
};
enum { BEGIN, COMMIT, ROLLBACK, OWN_STATEMENTS };
#define TRANSACTION [BEGIN] = "BEGIN IMMEDIATE", [COMMIT] = "COMMIT", [ROLLBACK] = "ROLLBACK"

static inline struct query query_of(struct statements *s, int which) {
    struct query q = {.next = 1, .st = BZ_OK};
    sqlite3_stmt **kept = &s->prepared[which];
    if (*kept == NULL)
        q.st = store_status(
            sqlite3_prepare_v3(s->db, s->sql[which], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL));
    q.q = *kept;
    return q;
}

/* Zeroed ones too. */
static inline void statements_close(struct statements *s) {
    for (int i = 0; i < STATEMENTS_MAX; i++)
        (void)sqlite3_finalize(s->prepared[i]);
    (void)sqlite3_close(s->db);
}

static inline void note(struct query *q, int rc) {
    if (q->st == BZ_OK)
        q->st = store_status(rc);
}

static inline void put_text(struct query *q, const char *text) {
    if (q->st == BZ_OK)
        note(q, text == NULL ? sqlite3_bind_null(q->q, q->next)
                             : sqlite3_bind_text(q->q, q->next, text, -1, SQLITE_STATIC));
    q->next++;
}

static inline void put_blob(struct query *q, struct bz_view v) {
    if (q->st == BZ_OK)
        note(q, v.n == 0 ? sqlite3_bind_zeroblob(q->q, q->next, 0)
                         : sqlite3_bind_blob64(q->q, q->next, v.p, v.n, SQLITE_STATIC));
    q->next++;
}

static inline void put_number(struct query *q, uint64_t v) {
    if (q->st == BZ_OK && v > INT64_MAX)
        q->st = BZ_ERANGE;
    if (q->st == BZ_OK)
        note(q, sqlite3_bind_int64(q->q, q->next, (int64_t)v));
    q->next++;
}

static inline bool next_row(struct query *q) {
    if (q->st != BZ_OK)
        return false;
    int rc = sqlite3_step(q->q);
    note(q, rc);
    return rc == SQLITE_ROW;
}

/* Ends a query; nothing of the caller stays bound. */
static inline enum bz_status end(struct query *q) {
    if (q->q != NULL) {
        (void)sqlite3_reset(q->q);
        (void)sqlite3_clear_bindings(q->q);
    }
    return q->st;
}

static inline enum bz_status run(struct query *q) {
    (void)next_row(q);
    return end(q);
}

/* For statements that must touch exactly the one row they name. */
static inline enum bz_status run_on_one(struct statements *s, struct query *q) {
    BZ_TRY(run(q));
    return sqlite3_changes(s->db) == 1 ? BZ_OK : BZ_ENOTFOUND;
}

/* EINVAL: a transaction is open already, or none is. */
static inline enum bz_status transaction_begin(struct statements *s) {
    if (sqlite3_get_autocommit(s->db) == 0)
        return BZ_EINVAL;
    struct query q = query_of(s, BEGIN);
    return run(&q);
}

static inline enum bz_status transaction_commit(struct statements *s) {
    if (sqlite3_get_autocommit(s->db) != 0)
        return BZ_EINVAL;
    struct query q = query_of(s, COMMIT);
    return run(&q);
}

static inline void transaction_rollback(struct statements *s) {
    if (sqlite3_get_autocommit(s->db) != 0)
        return;
    struct query q = query_of(s, ROLLBACK);
    (void)!run(&q); /* nothing better is left to do */
}

/* Commits what went well, takes the rest back. */
static inline enum bz_status transaction_end(struct statements *s, enum bz_status st) {
    if (st == BZ_OK)
        st = transaction_commit(s);
    if (st != BZ_OK)
        transaction_rollback(s);
    return st;
}

static inline const char *text_at(const struct query *q, int column) {
    return (const char *)sqlite3_column_text(q->q, column);
}

static inline uint64_t number_at(const struct query *q, int column) {
    int64_t v = sqlite3_column_int64(q->q, column);
    return v < 0 ? 0 : (uint64_t)v;
}

/* Exactly n bytes, or false. */
static inline bool bytes_at(const struct query *q, int column, uint8_t *out, size_t n) {
    const void *p = sqlite3_column_blob(q->q, column);
    if (p == NULL || sqlite3_column_bytes(q->q, column) != (int)n)
        return false;
    memcpy(out, p, n);
    return true;
}

/* Lives until the next row. */
static inline struct bz_view blob_at(const struct query *q, int column) {
    const void *p = sqlite3_column_blob(q->q, column);
    return bz_view(p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(q->q, column));
}

/* The database's own look at its pages. ECORRUPT: it found something. */
static inline enum bz_status integrity_check(struct statements *s, int which) {
    struct query q = query_of(s, which);
    const char *said = next_row(&q) ? text_at(&q, 0) : "ok";
    if (q.st == BZ_OK && (said == NULL || strcmp(said, "ok") != 0))
        q.st = BZ_ECORRUPT;
    return end(&q);
}

#endif
