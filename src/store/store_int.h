#ifndef BARTIZAN_STORE_STORE_INT_H
#define BARTIZAN_STORE_STORE_INT_H

#include <sqlite3.h>
#include <bartizan/store.h>

/* What a result code of SQLite (extended) means to our callers. */
enum bz_status store_status(int rc);
/* Checks whose file it is and brings the layout up to date. `fresh`: the file was made just now and
 * is empty. */
enum bz_status store_upgrade(sqlite3 *db, bool fresh);

#endif
