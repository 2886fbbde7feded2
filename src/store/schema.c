/* Layout of the store, and how one version becomes the next. */
#include "store_int.h"

static const char *const migrations[] = {
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE users ("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),"
    "  role TEXT NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1))"
    ") STRICT;"
    "CREATE TABLE keys ("
    "  seq INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE CHECK (length(id) = 12),"
    "  hash BLOB NOT NULL CHECK (length(hash) = 32),"
    "  user INTEGER NOT NULL REFERENCES users (id),"
    "  role TEXT NOT NULL,"
    "  routes TEXT,"
    "  models TEXT,"
    "  created INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL,"
    "  revoked INTEGER NOT NULL CHECK (revoked IN (0, 1)),"
    "  l0 INTEGER NOT NULL, l1 INTEGER NOT NULL, l2 INTEGER NOT NULL, l3 INTEGER NOT NULL,"
    "  l4 INTEGER NOT NULL, l5 INTEGER NOT NULL, l6 INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX keys_user ON keys (user);",
    "ALTER TABLE keys ADD COLUMN l7 INTEGER NOT NULL DEFAULT 0;",
    "CREATE TABLE approvals ("
    "  id BLOB PRIMARY KEY CHECK (length(id) = 16),"
    "  by TEXT NOT NULL,"
    "  note TEXT NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",
    "CREATE TABLE mcp_tools ("
    "  server TEXT NOT NULL,"
    "  tool TEXT NOT NULL,"
    "  digest BLOB NOT NULL CHECK (length(digest) = 32),"
    "  definition TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK"
    "    (state IN ('new', 'approved', 'changed', 'shadowing', 'retired', 'revoked')),"
    "  odd INTEGER NOT NULL,"
    "  current INTEGER NOT NULL CHECK (current IN (0, 1)),"
    "  first INTEGER NOT NULL,"
    "  last INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  note TEXT NOT NULL,"
    "  decided INTEGER NOT NULL,"
    "  PRIMARY KEY (server, tool, digest)"
    ") STRICT, WITHOUT ROWID;",
    "CREATE TABLE mcp_definitions ("
    "  server TEXT NOT NULL,"
    "  kind TEXT NOT NULL CHECK (kind IN ('tool', 'resource', 'template', 'prompt')),"
    "  name TEXT NOT NULL,"
    "  digest BLOB NOT NULL CHECK (length(digest) = 32),"
    "  definition TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK"
    "    (state IN ('new', 'approved', 'changed', 'shadowing', 'retired', 'revoked')),"
    "  odd INTEGER NOT NULL,"
    "  current INTEGER NOT NULL CHECK (current IN (0, 1)),"
    "  first INTEGER NOT NULL,"
    "  last INTEGER NOT NULL,"
    "  by TEXT NOT NULL,"
    "  note TEXT NOT NULL,"
    "  decided INTEGER NOT NULL,"
    "  PRIMARY KEY (server, kind, name, digest)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO mcp_definitions SELECT server, 'tool', tool, digest, definition, state, odd,"
    "  current, first, last, by, note, decided FROM mcp_tools;"
    "DROP TABLE mcp_tools;",
};
const struct layout store_layout = {0x42415254 /* "BART" */, migrations,
                                    sizeof migrations / sizeof *migrations, NULL};

static enum bz_status run(sqlite3 *db, const char *sql) {
    return store_status(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static enum bz_status pragma_number(sqlite3 *db, const char *sql, int64_t *ret) {
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_int64(q, 0);
    (void)sqlite3_finalize(q);
    return rc == SQLITE_ROW ? BZ_OK : rc == SQLITE_DONE ? BZ_ECORRUPT : store_status(rc);
}

/* SQL has no parameters in PRAGMA; both numbers are our own constants. */
static enum bz_status stamp(sqlite3 *db, const struct layout *l) {
    char sql[96];
    struct bz_buf b;
    memset(sql, 0, sizeof sql);
    bz_buf_init_fixed(&b, sql, sizeof sql - 1);
    bz_buf_puts(&b, "PRAGMA application_id=");
    bz_buf_put_u64(&b, l->id);
    bz_buf_puts(&b, ";PRAGMA user_version=");
    bz_buf_put_u64(&b, (uint64_t)l->version);
    BZ_TRY(bz_buf_status(&b));
    return run(db, sql);
}

static enum bz_status migrate(sqlite3 *db, const struct layout *l, int64_t from) {
    BZ_TRY(run(db, "BEGIN IMMEDIATE"));
    enum bz_status st = BZ_OK;
    for (int64_t v = from; v < l->version && st == BZ_OK; v++)
        st = run(db, l->steps[v]);
    if (st == BZ_OK)
        st = stamp(db, l);
    if (st == BZ_OK)
        st = run(db, "COMMIT");
    if (st != BZ_OK)
        (void)run(db, "ROLLBACK");
    return st;
}

enum bz_status store_upgrade(sqlite3 *db, const struct layout *l, bool fresh) {
    int64_t id = 0, version = 0;
    BZ_TRY(pragma_number(db, "PRAGMA application_id", &id));
    BZ_TRY(pragma_number(db, "PRAGMA user_version", &version));
    if (id != (fresh ? 0 : (int64_t)l->id) || version < (fresh ? 0 : 1))
        return BZ_ECORRUPT;
    if (version > l->version)
        return BZ_EVERSION;
    return version == l->version ? BZ_OK : migrate(db, l, version);
}
