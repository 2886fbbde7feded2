/* Tools of MCP servers over SQLite. */
#include <stdlib.h>
#include <bartizan/mcpstore.h>
#include "query.h"

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    ADD,
    SEEN,
    UNSEEN,
    DECIDE,
    RETIRE,
    LIST,
    STATEMENT_COUNT
};
static const char *const sql[STATEMENT_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [ADD] = "INSERT INTO mcp_tools (server, tool, digest, definition, state, odd, current, first,"
            " last, by, note, decided) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SEEN] = "UPDATE mcp_tools SET current = 1, last = ? WHERE server = ? AND tool = ?"
             " AND digest = ?",
    [UNSEEN] = "UPDATE mcp_tools SET current = 0 WHERE server = ?",
    [DECIDE] = "UPDATE mcp_tools SET state = ?, by = ?, note = ?, decided = ? WHERE server = ?"
               " AND tool = ? AND digest = ?",
    [RETIRE] = "UPDATE mcp_tools SET state = 'retired' WHERE server = ? AND tool = ?"
               " AND digest <> ? AND state = 'approved'",
    [LIST] =
        "SELECT server, tool, digest, definition, state, odd, current, first, last, by, note,"
        " decided FROM mcp_tools WHERE (?1 IS NULL OR server = ?1)"
        " AND (?2 IS NULL OR tool = ?2) ORDER BY server, tool, current DESC, last DESC, first DESC",
};

struct bz_mcpstore {
    sqlite3 *db;
    sqlite3_stmt *prepared[STATEMENT_COUNT];
};

enum bz_status bz_mcpstore_open(const char *path, struct bz_mcpstore **ret) {
    struct bz_mcpstore *s = calloc(1, sizeof *s);
    if (s == NULL)
        return BZ_ENOMEM;
    enum bz_status st = store_db_open(path, &store_layout, &s->db);
    if (st != BZ_OK) {
        free(s);
        return st;
    }
    *ret = s;
    return BZ_OK;
}

void bz_mcpstore_close(struct bz_mcpstore *s) {
    if (s == NULL)
        return;
    for (int i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(s->prepared[i]);
    (void)sqlite3_close(s->db);
    free(s);
}

static struct query query_of(struct bz_mcpstore *s, enum statement which) {
    return query_make(s->db, &s->prepared[which], sql[which]);
}

static enum bz_status plain(struct bz_mcpstore *s, enum statement which) {
    struct query q = query_of(s, which);
    return run(&q);
}

enum bz_status bz_mcpstore_begin(struct bz_mcpstore *s) {
    return plain(s, BEGIN);
}

enum bz_status bz_mcpstore_end(struct bz_mcpstore *s, enum bz_status failed) {
    if (failed == BZ_OK)
        failed = plain(s, COMMIT);
    if (failed != BZ_OK)
        (void)!plain(s, ROLLBACK);
    return failed;
}

static void put_digest(struct query *q, const struct bz_mcpstore_tool *t) {
    put_blob(q, bz_view(t->digest, sizeof t->digest));
}

enum bz_status bz_mcpstore_add(struct bz_mcpstore *s, const struct bz_mcpstore_tool *t) {
    struct query q = query_of(s, ADD);
    put_text(&q, t->server);
    put_text(&q, t->tool);
    put_digest(&q, t);
    put_text(&q, t->definition);
    put_text(&q, t->state);
    put_number(&q, t->odd);
    put_number(&q, t->current);
    put_number(&q, t->first);
    put_number(&q, t->last);
    put_text(&q, t->by);
    put_text(&q, t->note);
    put_number(&q, t->decided);
    return run(&q);
}

enum bz_status bz_mcpstore_seen(struct bz_mcpstore *s, const struct bz_mcpstore_tool *t) {
    struct query q = query_of(s, SEEN);
    put_number(&q, t->last);
    put_text(&q, t->server);
    put_text(&q, t->tool);
    put_digest(&q, t);
    return query_run_on_one(s->db, &q);
}

enum bz_status bz_mcpstore_unseen(struct bz_mcpstore *s, const char *server) {
    struct query q = query_of(s, UNSEEN);
    put_text(&q, server);
    return run(&q);
}

enum bz_status bz_mcpstore_decide(struct bz_mcpstore *s, const struct bz_mcpstore_tool *t) {
    struct query q = query_of(s, DECIDE);
    put_text(&q, t->state);
    put_text(&q, t->by);
    put_text(&q, t->note);
    put_number(&q, t->decided);
    put_text(&q, t->server);
    put_text(&q, t->tool);
    put_digest(&q, t);
    return query_run_on_one(s->db, &q);
}

enum bz_status bz_mcpstore_retire(struct bz_mcpstore *s, const struct bz_mcpstore_tool *t) {
    struct query q = query_of(s, RETIRE);
    put_text(&q, t->server);
    put_text(&q, t->tool);
    put_digest(&q, t);
    return run(&q);
}

enum bz_status bz_mcpstore_list(struct bz_mcpstore *s, const char *server, const char *tool,
                                bz_mcpstore_fn *each, void *ctx) {
    struct query q = query_of(s, LIST);
    put_text(&q, server);
    put_text(&q, tool);
    while (next_row(&q)) {
        struct bz_mcpstore_tool t = {.server = text_at(&q, 0),
                                     .tool = text_at(&q, 1),
                                     .definition = text_at(&q, 3),
                                     .state = text_at(&q, 4),
                                     .odd = (uint32_t)number_at(&q, 5),
                                     .current = number_at(&q, 6) != 0,
                                     .first = number_at(&q, 7),
                                     .last = number_at(&q, 8),
                                     .by = text_at(&q, 9),
                                     .note = text_at(&q, 10),
                                     .decided = number_at(&q, 11)};
        const void *digest = sqlite3_column_blob(q.q, 2);
        if (digest == NULL || sqlite3_column_bytes(q.q, 2) != (int)sizeof t.digest) {
            q.st = BZ_ECORRUPT;
            break;
        }
        memcpy(t.digest, digest, sizeof t.digest);
        enum bz_status st = each(ctx, &t);
        if (st != BZ_OK && q.st == BZ_OK)
            q.st = st;
    }
    return end(&q);
}
