/* Opening a database of ours, and what its result codes mean. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <errno.h>
#include "store_int.h"

enum { busy_ms = 5000 };

enum bz_status store_status(int rc) {
    if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
        return BZ_EEXISTS;
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return BZ_OK;
    case SQLITE_NOMEM:
        return BZ_ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return BZ_ETIMEOUT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR: /* our own statements are right: it is the layout that is not ours */
        return BZ_ECORRUPT;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return BZ_EINVAL;
    default:
        return BZ_EIO;
    }
}

static enum bz_status set_up(sqlite3 *db) {
    static const char pragmas[] = "PRAGMA journal_mode=WAL;"
                                  "PRAGMA synchronous=FULL;"
                                  "PRAGMA foreign_keys=ON;"
                                  "PRAGMA secure_delete=ON;"
                                  "PRAGMA cell_size_check=ON;"
                                  "PRAGMA trusted_schema=OFF;"
                                  "PRAGMA temp_store=MEMORY";
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, busy_ms);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    return store_status(sqlite3_exec(db, pragmas, NULL, NULL, NULL));
}

static enum bz_status open_file(const char *path, const struct layout *l, bool fresh,
                                sqlite3 **ret) {
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(
        path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
    enum bz_status st = store_status(rc);
    if (st == BZ_OK && fresh && l->first != NULL)
        st = store_status(sqlite3_exec(db, l->first, NULL, NULL, NULL));
    if (st == BZ_OK)
        st = set_up(db);
    if (st == BZ_OK)
        st = store_upgrade(db, l, fresh);
    if (st != BZ_OK) {
        (void)sqlite3_close(db);
        return st;
    }
    *ret = db;
    return BZ_OK;
}

enum bz_status store_db_open(const char *path, const struct layout *l, sqlite3 **ret) {
    struct stat info;
    if (lstat(path, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR ? BZ_ENOTFOUND : BZ_EIO;
    if (!S_ISREG(info.st_mode))
        return BZ_EIO;
    return open_file(path, l, false, ret);
}

enum bz_status store_db_create(const char *path, const struct layout *l, sqlite3 **ret) {
    /* SQLite gives its side files the mode of this one. */
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno == EEXIST ? BZ_EEXISTS : BZ_EIO;
    (void)close(fd);
    enum bz_status st = open_file(path, l, true, ret);
    if (st != BZ_OK)
        (void)unlink(path); /* nothing but what we made */
    return st;
}

enum bz_status store_db_open_or_create(const char *path, const struct layout *l, sqlite3 **ret) {
    enum bz_status st = store_db_open(path, l, ret);
    return st == BZ_ENOTFOUND ? store_db_create(path, l, ret) : st;
}
