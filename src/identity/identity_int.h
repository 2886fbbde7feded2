#ifndef BARTIZAN_IDENTITY_IDENTITY_INT_H
#define BARTIZAN_IDENTITY_IDENTITY_INT_H

#include <bartizan/arena.h>
#include <bartizan/identity.h>
#include <bartizan/store.h>

enum { interned_n = 1024 }; /* a power of two */

struct bz_identity {
    struct bz_store *store;
    bool in_transaction;
    struct bz_arena ar;               /* what the last call lent out */
    const char *interned[interned_n]; /* names of the arena, by hash: owners and roles repeat */
};

/* Order of a key's limits in the store. */
enum { LIMIT_CONCURRENT = 2 * BZ_METER_COUNT, LIMIT_BODY };
_Static_assert(LIMIT_BODY + 1 == BZ_STORE_LIMITS, "limits of a key");

/* Ends what earlier calls lent out. */
void forget_lent(struct bz_identity *id);

#endif
