/* Databases as files: a copy of one that is in use, and whether one is whole. */
#include <errno.h>
#include <unistd.h>
#include "store_int.h"

enum { BUSY_MS = 5000, PAGES = 4096 };

static enum bz_status open_db(const char *path, int flags, sqlite3 **ret) {
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, flags, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(db, BUSY_MS);
    if (rc != SQLITE_OK) {
        (void)sqlite3_close(db);
        return store_status(rc);
    }
    *ret = db;
    return BZ_OK;
}

/* All pages under one read transaction: a state that was committed as a whole. With a write-ahead log
 * that keeps no writer waiting. */
static enum bz_status copy_pages(sqlite3 *from, sqlite3 *to) {
    int rc = sqlite3_exec(from, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return store_status(rc);
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (b == NULL)
        return store_status(sqlite3_errcode(to));
    do {
        rc = sqlite3_backup_step(b, PAGES);
    } while (rc == SQLITE_OK);
    int done = sqlite3_backup_finish(b);
    return store_status(rc == SQLITE_DONE ? done : rc);
}

enum bz_status bz_store_copy(const char *from, const char *to) {
    sqlite3 *a = NULL, *b = NULL;
    if (access(from, F_OK) != 0 && errno == ENOENT)
        return BZ_ENOTFOUND;
    /* Not read-only: a write-ahead log that a dead writer left must be recovered to be read. */
    enum bz_status st = open_db(from, SQLITE_OPEN_READWRITE, &a);
    if (st == BZ_OK)
        st = open_db(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &b);
    if (st == BZ_OK)
        st = store_status(sqlite3_exec(b, "PRAGMA synchronous=OFF", NULL, NULL, NULL));
    if (st == BZ_OK)
        st = copy_pages(a, b);
    (void)sqlite3_close(b);
    (void)sqlite3_close(a);
    return st;
}

enum bz_status bz_store_whole(const char *path) {
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return BZ_ENOTFOUND;
    BZ_TRY(open_db(path, SQLITE_OPEN_READWRITE, &db));
    int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &q, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    enum bz_status st = store_status(rc);
    if (rc == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(q, 0);
        st = text != NULL && bz_view_eq(bz_view_str((const char *)text), BZ_V("ok")) ? BZ_OK
                                                                                     : BZ_ECORRUPT;
    }
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
    return st;
}
