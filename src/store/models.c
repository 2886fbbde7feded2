/* The registry's database over SQLite. */
#include <stdlib.h>
#include <bartizan/modelstore.h>
#include "query.h"

/* History is protected by the database itself: a statement of ours that changed it would fail. */
static const char *const steps[] = {
    "CREATE TABLE models ("
    "  seq INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE CHECK (length(id) = 64),"
    "  name TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK"
    "    (state IN ('quarantined', 'pending', 'approved', 'rejected', 'retired')),"
    "  added_by TEXT NOT NULL,"
    "  added INTEGER NOT NULL,"
    "  manifest BLOB NOT NULL,"
    "  signature BLOB NOT NULL"
    ") STRICT;"
    "CREATE TABLE history ("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id TEXT NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  what TEXT NOT NULL,"
    "  note TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX history_id ON history (id, seq);"
    "CREATE TRIGGER history_update BEFORE UPDATE ON history"
    "  BEGIN SELECT RAISE(ABORT, 'history only grows'); END;"
    "CREATE TRIGGER history_delete BEFORE DELETE ON history"
    "  BEGIN SELECT RAISE(ABORT, 'history only grows'); END;"
    "CREATE TRIGGER models_keep BEFORE DELETE ON models"
    "  BEGIN SELECT RAISE(ABORT, 'models are retired, not removed'); END;"
    "CREATE TRIGGER models_fixed BEFORE UPDATE OF id, name, added_by, added, manifest, signature"
    "  ON models BEGIN SELECT RAISE(ABORT, 'only the state changes'); END;",
};
static const struct layout models_layout = {0x425a4d44 /* "BZMD" */, steps,
                                            sizeof steps / sizeof *steps, NULL};

enum { ADD = OWN_STATEMENTS, MOVE, EVENT, LIST, GET, HISTORY };
static const char *const sql[STATEMENTS_MAX] = {
    TRANSACTION,
    [ADD] = "INSERT INTO models (id, name, state, added_by, added, manifest, signature)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
    [MOVE] = "UPDATE models SET state = ? WHERE id = ? AND state = ?",
    [EVENT] = "INSERT INTO history (id, at, by, what, note) VALUES (?, ?, ?, ?, ?)",
    [LIST] = "SELECT id, name, state, added_by, added FROM models ORDER BY seq",
    [GET] = "SELECT id, name, state, added_by, added, manifest, signature FROM models"
            " WHERE substr(id, 1, length(?1)) = ?1 LIMIT 2",
    [HISTORY] = "SELECT seq, at, id, by, what, note FROM history WHERE id = ? ORDER BY seq",
};

struct bz_modelstore {
    struct statements all;
};

enum bz_status bz_modelstore_open(const char *path, struct bz_modelstore **ret) {
    struct bz_modelstore *s = calloc(1, sizeof *s);
    if (s == NULL)
        return BZ_ENOMEM;
    s->all.sql = sql;
    enum bz_status st = store_db_open_or_create(path, &models_layout, &s->all.db);
    if (st == BZ_OK)
        *ret = s;
    else
        free(s);
    return st;
}

void bz_modelstore_close(struct bz_modelstore *s) {
    if (s != NULL)
        statements_close(&s->all);
    free(s);
}

static enum bz_status put_event(struct bz_modelstore *s, const struct bz_modelstore_event *e) {
    struct query q = query_of(&s->all, EVENT);
    put_text(&q, e->id);
    put_number(&q, e->at);
    put_text(&q, e->by);
    put_text(&q, e->what);
    put_text(&q, e->note);
    return run(&q);
}

static enum bz_status put_model(struct bz_modelstore *s, const struct bz_modelstore_model *m) {
    struct query q = query_of(&s->all, ADD);
    put_text(&q, m->id);
    put_text(&q, m->name);
    put_text(&q, m->state);
    put_text(&q, m->added_by);
    put_number(&q, m->added);
    put_blob(&q, m->manifest);
    put_blob(&q, m->signature);
    return run(&q);
}

enum bz_status bz_modelstore_add(struct bz_modelstore *s, const struct bz_modelstore_model *m,
                                 const char *note) {
    const struct bz_modelstore_event e = {
        .at = m->added, .id = m->id, .by = m->added_by, .what = "add", .note = note};
    BZ_TRY(transaction_begin(&s->all));
    enum bz_status st = put_model(s, m);
    if (st == BZ_OK)
        st = put_event(s, &e);
    return transaction_end(&s->all, st);
}

static enum bz_status move(struct bz_modelstore *s, const char *id, const char *from,
                           const char *to) {
    struct query q = query_of(&s->all, MOVE);
    put_text(&q, to);
    put_text(&q, id);
    put_text(&q, from);
    return run_on_one(&s->all, &q);
}

enum bz_status bz_modelstore_move(struct bz_modelstore *s, const char *from, const char *to,
                                  const struct bz_modelstore_event *e) {
    BZ_TRY(transaction_begin(&s->all));
    enum bz_status st = move(s, e->id, from, to);
    if (st == BZ_OK)
        st = put_event(s, e);
    return transaction_end(&s->all, st);
}

static struct bz_modelstore_model row(const struct query *q) {
    return (struct bz_modelstore_model){.id = text_at(q, 0),
                                        .name = text_at(q, 1),
                                        .state = text_at(q, 2),
                                        .added_by = text_at(q, 3),
                                        .added = number_at(q, 4)};
}

enum bz_status bz_modelstore_list(struct bz_modelstore *s, bz_modelstore_fn *each, void *ctx) {
    struct query q = query_of(&s->all, LIST);
    while (next_row(&q)) {
        struct bz_modelstore_model m = row(&q);
        enum bz_status st = each(ctx, &m);
        if (st != BZ_OK && q.st == BZ_OK)
            q.st = st;
    }
    return end(&q);
}

static enum bz_status count_rows(struct bz_modelstore *s, const char *prefix) {
    struct query q = query_of(&s->all, GET);
    int n = 0;
    put_text(&q, prefix);
    while (next_row(&q))
        n++;
    BZ_TRY(end(&q));
    return n == 1 ? BZ_OK : n == 0 ? BZ_ENOTFOUND : BZ_EINVAL;
}

enum bz_status bz_modelstore_get(struct bz_modelstore *s, const char *prefix,
                                 bz_modelstore_fn *each, void *ctx) {
    BZ_TRY(count_rows(s, prefix));
    struct query q = query_of(&s->all, GET);
    put_text(&q, prefix);
    enum bz_status st = BZ_ENOTFOUND;
    if (next_row(&q)) {
        struct bz_modelstore_model m = row(&q);
        m.manifest = blob_at(&q, 5);
        m.signature = blob_at(&q, 6);
        st = each(ctx, &m);
    }
    BZ_TRY(end(&q));
    return st;
}

enum bz_status bz_modelstore_history(struct bz_modelstore *s, const char *id,
                                     bz_modelstore_event_fn *each, void *ctx) {
    struct query q = query_of(&s->all, HISTORY);
    put_text(&q, id);
    while (next_row(&q)) {
        const struct bz_modelstore_event e = {number_at(&q, 0), number_at(&q, 1), text_at(&q, 2),
                                              text_at(&q, 3),   text_at(&q, 4),   text_at(&q, 5)};
        enum bz_status st = each(ctx, &e);
        if (st != BZ_OK && q.st == BZ_OK)
            q.st = st;
    }
    return end(&q);
}
