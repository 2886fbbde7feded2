/* What MCP servers offer, over SQLite. */
#include <stdlib.h>
#include <bartizan/mcpstore.h>
#include "query.h"

enum { ADD = OWN_STATEMENTS, SEEN, UNSEEN, FORGET, DECIDE, RETIRE, LIST };
static const char *const sql[STATEMENTS_MAX] = {
    TRANSACTION,
    [ADD] =
        "INSERT INTO mcp_definitions (server, kind, name, digest, definition, state, odd,"
        " current, first, last, by, note, decided) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SEEN] = "UPDATE mcp_definitions SET current = 1, last = ? WHERE server = ? AND kind = ?"
             " AND name = ? AND digest = ?",
    [UNSEEN] = "UPDATE mcp_definitions SET current = 0 WHERE server = ?",
    [FORGET] = "DELETE FROM mcp_definitions WHERE server = ? AND current = 0 AND decided = 0"
               " AND state IN ('new', 'changed', 'shadowing')",
    [DECIDE] = "UPDATE mcp_definitions SET state = ?, by = ?, note = ?, decided = ?"
               " WHERE server = ? AND kind = ? AND name = ? AND digest = ?",
    [RETIRE] = "UPDATE mcp_definitions SET state = 'retired' WHERE server = ? AND kind = ?"
               " AND name = ? AND digest <> ? AND state = 'approved'",
    [LIST] =
        "SELECT server, kind, name, digest, definition, state, odd, current, first, last, by, note,"
        " decided FROM mcp_definitions WHERE (?1 IS NULL OR server = ?1)"
        " AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR name = ?3)"
        " ORDER BY server, kind, name, current DESC, last DESC, first DESC",
};

struct bz_mcpstore {
    struct statements all;
};

enum bz_status bz_mcpstore_open(const char *path, struct bz_mcpstore **ret) {
    struct bz_mcpstore *s = calloc(1, sizeof *s);
    if (s == NULL)
        return BZ_ENOMEM;
    s->all.sql = sql;
    enum bz_status st = store_db_open(path, &store_layout, &s->all.db);
    if (st == BZ_OK)
        *ret = s;
    else
        free(s);
    return st;
}

void bz_mcpstore_close(struct bz_mcpstore *s) {
    if (s != NULL)
        statements_close(&s->all);
    free(s);
}

enum bz_status bz_mcpstore_begin(struct bz_mcpstore *s) {
    return transaction_begin(&s->all);
}

enum bz_status bz_mcpstore_end(struct bz_mcpstore *s, enum bz_status failed) {
    return transaction_end(&s->all, failed);
}

static void put_digest(struct query *q, const struct bz_mcpstore_row *t) {
    put_blob(q, bz_view(t->digest, sizeof t->digest));
}

enum bz_status bz_mcpstore_add(struct bz_mcpstore *s, const struct bz_mcpstore_row *t) {
    struct query q = query_of(&s->all, ADD);
    put_text(&q, t->server);
    put_text(&q, t->kind);
    put_text(&q, t->name);
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

enum bz_status bz_mcpstore_seen(struct bz_mcpstore *s, const struct bz_mcpstore_row *t) {
    struct query q = query_of(&s->all, SEEN);
    put_number(&q, t->last);
    put_text(&q, t->server);
    put_text(&q, t->kind);
    put_text(&q, t->name);
    put_digest(&q, t);
    return run_on_one(&s->all, &q);
}

enum bz_status bz_mcpstore_unseen(struct bz_mcpstore *s, const char *server) {
    struct query q = query_of(&s->all, UNSEEN);
    put_text(&q, server);
    return run(&q);
}

enum bz_status bz_mcpstore_forget(struct bz_mcpstore *s, const char *server) {
    struct query q = query_of(&s->all, FORGET);
    put_text(&q, server);
    return run(&q);
}

enum bz_status bz_mcpstore_decide(struct bz_mcpstore *s, const struct bz_mcpstore_row *t) {
    struct query q = query_of(&s->all, DECIDE);
    put_text(&q, t->state);
    put_text(&q, t->by);
    put_text(&q, t->note);
    put_number(&q, t->decided);
    put_text(&q, t->server);
    put_text(&q, t->kind);
    put_text(&q, t->name);
    put_digest(&q, t);
    return run_on_one(&s->all, &q);
}

enum bz_status bz_mcpstore_retire(struct bz_mcpstore *s, const struct bz_mcpstore_row *t) {
    struct query q = query_of(&s->all, RETIRE);
    put_text(&q, t->server);
    put_text(&q, t->kind);
    put_text(&q, t->name);
    put_digest(&q, t);
    return run(&q);
}

enum bz_status bz_mcpstore_list(struct bz_mcpstore *s, const char *server, const char *kind,
                                const char *name, bz_mcpstore_fn *each, void *ctx) {
    struct query q = query_of(&s->all, LIST);
    put_text(&q, server);
    put_text(&q, kind);
    put_text(&q, name);
    while (next_row(&q)) {
        struct bz_mcpstore_row t = {.server = text_at(&q, 0),
                                    .kind = text_at(&q, 1),
                                    .name = text_at(&q, 2),
                                    .definition = text_at(&q, 4),
                                    .state = text_at(&q, 5),
                                    .odd = (uint32_t)number_at(&q, 6),
                                    .current = number_at(&q, 7) != 0,
                                    .first = number_at(&q, 8),
                                    .last = number_at(&q, 9),
                                    .by = text_at(&q, 10),
                                    .note = text_at(&q, 11),
                                    .decided = number_at(&q, 12)};
        if (!bytes_at(&q, 3, t.digest, sizeof t.digest)) {
            q.st = BZ_ECORRUPT;
            break;
        }
        enum bz_status st = each(ctx, &t);
        if (st != BZ_OK && q.st == BZ_OK)
            q.st = st;
    }
    return end(&q);
}
