/* Running prepared statements: binds left to right, reads columns, remembers the first failure. */
#ifndef BARTIZAN_STORE_QUERY_H
#define BARTIZAN_STORE_QUERY_H

#include "store_int.h"

struct query { /* binds left to right; the first failure stays */
    sqlite3_stmt *q;
    int next;
    enum bz_status st;
};

static inline struct query query_make(sqlite3 *db, sqlite3_stmt **kept, const char *sql) {
    struct query q = {.next = 1, .st = BZ_OK};
    if (*kept == NULL)
        q.st = store_status(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, kept, NULL));
    q.q = *kept;
    return q;
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
static inline enum bz_status query_run_on_one(sqlite3 *db, struct query *q) {
    BZ_TRY(run(q));
    return sqlite3_changes(db) == 1 ? BZ_OK : BZ_ENOTFOUND;
}

static inline const char *text_at(const struct query *q, int column) {
    return (const char *)sqlite3_column_text(q->q, column);
}

static inline uint64_t number_at(const struct query *q, int column) {
    int64_t v = sqlite3_column_int64(q->q, column);
    return v < 0 ? 0 : (uint64_t)v;
}

#endif
