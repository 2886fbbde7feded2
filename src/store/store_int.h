#ifndef BARTIZAN_STORE_STORE_INT_H
#define BARTIZAN_STORE_STORE_INT_H

#include <sqlite3.h>
#include <bartizan/store.h>

/* steps[i] leads from version i to i + 1. Entries that were released never change. */
struct layout {
    uint32_t id; /* application_id: whose file it is */
    const char *const *steps;
    int version;       /* of this program */
    const char *first; /* statement before all others in a new file; NULL: none */
};
extern const struct layout store_layout;
extern const struct layout body_keys_layout, body_rows_layout; /* bodies_schema.c */

/* What a result code of SQLite (extended) means to our callers. */
enum bz_status store_status(int rc);
/* As bz_store_open and bz_store_create. */
enum bz_status store_db_open(const char *path, const struct layout *l, sqlite3 **ret) BZ_MUST_USE;
enum bz_status store_db_create(const char *path, const struct layout *l, sqlite3 **ret) BZ_MUST_USE;
/* Opens what is there, and makes what is not. */
enum bz_status store_db_open_or_create(const char *path, const struct layout *l,
                                       sqlite3 **ret) BZ_MUST_USE;
/* Checks whose file it is and brings the layout up to date. `fresh`: the file was made just now and
 * is empty. */
enum bz_status store_upgrade(sqlite3 *db, const struct layout *l, bool fresh) BZ_MUST_USE;

#endif
