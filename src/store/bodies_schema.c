/* Layout of the two databases of stored bodies. */
#include "store_int.h"

static const char *const keys_steps[] = {
    "CREATE TABLE users ("
    "  seq INTEGER PRIMARY KEY,"
    "  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
    "  name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    "  wrapped BLOB NOT NULL CHECK (length(wrapped) = 72),"
    "  created INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE conversations ("
    "  seq INTEGER PRIMARY KEY,"
    "  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
    "  user INTEGER NOT NULL REFERENCES users (seq) ON DELETE CASCADE,"
    "  name TEXT NOT NULL,"
    "  wrapped BLOB NOT NULL CHECK (length(wrapped) = 72),"
    "  created INTEGER NOT NULL,"
    "  UNIQUE (user, name)"
    ") STRICT;"
    "CREATE TABLE pairs ("
    "  seq INTEGER PRIMARY KEY,"
    "  pub BLOB NOT NULL CHECK (length(pub) = 32),"
    "  wrapped BLOB NOT NULL CHECK (length(wrapped) = 72),"
    "  created INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE holds ("
    "  name TEXT PRIMARY KEY COLLATE NOCASE,"
    "  user TEXT NOT NULL COLLATE NOCASE,"
    "  conversation TEXT,"
    "  reason TEXT NOT NULL,"
    "  by TEXT NOT NULL,"
    "  created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",
};

static const char *const rows_steps[] = {
    "CREATE TABLE bodies ("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT," /* never used twice: exports go on after one */
    "  request BLOB NOT NULL CHECK (length(request) = 16),"
    "  part INTEGER NOT NULL CHECK (part IN (0, 1)),"
    "  key BLOB NOT NULL CHECK (length(key) = 16),"
    "  level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 3),"
    "  time INTEGER NOT NULL,"
    "  sealed BLOB NOT NULL,"
    "  UNIQUE (request, part)"
    ") STRICT;"
    "CREATE INDEX bodies_key ON bodies (key, level, time);"
    "CREATE INDEX bodies_age ON bodies (level, time);",
};

const struct layout body_keys_layout = {0x42415254 + 1, keys_steps,
                                        sizeof keys_steps / sizeof *keys_steps, NULL};
/* Bodies have a few KB: seven of 2 KB fit a page of 16, one a page of 4. */
const struct layout body_rows_layout = {
    0x42415254 + 2, rows_steps, sizeof rows_steps / sizeof *rows_steps, "PRAGMA page_size=16384"};
