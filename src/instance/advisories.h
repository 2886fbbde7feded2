/* Packs of advisories as an instance has them: the one that is built in, and those that were
 * installed under DIR/advisories, verified again each time they are read. */
#ifndef BZ_ADVISORIES_H
#define BZ_ADVISORIES_H

#include <bartizan/advisory.h>
#include "instance.h"

#define BZ_F_ADVISORIES "advisories"
#define BZ_F_ADVISORY_VERSIONS "advisories/versions" /* of every pack that was ever taken */
enum { BZ_ADVISORY_PACKS = 16, BZ_ADVISORY_KEYS = 24 };

struct bz_advisories {
    struct bz_arena ar;
    struct bz_buf file[BZ_ADVISORY_PACKS]; /* what the trees point into */
    struct bz_advisory_pack pack[BZ_ADVISORY_PACKS];
    bool builtin[BZ_ADVISORY_PACKS];
    size_t n;
};

/* Keys whose packs are taken: built in, then the configuration's (NULL: none). */
size_t bz_advisory_keys(const struct bz_config *c, struct bz_advisory_key out[BZ_ADVISORY_KEYS]);

/* in: NULL for the built-in pack alone. A file that is there and not good is an error, with a
 * sentence in `why`: what was trusted must not vanish quietly. *ret is to be freed when OK. */
enum bz_status bz_advisories_load(const struct bz_instance *in, const struct bz_config *c,
                                  struct bz_advisories *ret, struct bz_buf *why) BZ_MUST_USE;
void bz_advisories_free(struct bz_advisories *a);

/* Takes a pack into the instance. OK; EEXISTS: it was there already; else `why` says why not. */
enum bz_status bz_advisories_install(const struct bz_instance *in, const struct bz_config *c,
                                     struct bz_view file, uint64_t now, struct bz_buf *name,
                                     uint64_t *ret_version, struct bz_buf *why) BZ_MUST_USE;

/* The document that is built in. */
struct bz_view bz_advisory_builtin(void);

#endif
