/* Packs of advisories as an instance has them: the one that is built in, and those that were
 * installed under DIR/advisories, verified again each time they are read. */
#ifndef BZ_ADVISORIES_H
#define BZ_ADVISORIES_H

#include <bartizan/advisory.h>
#include "instance.h"

#define BZ_F_ADVISORIES "advisories"
#define BZ_F_ADVISORY_VERSIONS "advisories/versions" /* of every pack that was ever taken */
#define BZ_F_ADVISORY_KEYS "advisories/keys"         /* that an owner added */
enum { BZ_ADVISORY_PACKS = 16, BZ_ADVISORY_KEYS = 24 };

/* ---- whose packs are taken (advisory_keys.c) ---- */

enum bz_advisory_trust_from {
    BZ_TRUST_BUILT_IN,
    BZ_TRUST_CONFIGURED, /* advisories.keys of the configuration */
    BZ_TRUST_ADDED,      /* by `bartizan advisory trust add` */
};
struct bz_advisory_trusted {
    struct bz_advisory_key key;
    enum bz_advisory_trust_from from;
    char note[64];
};
struct bz_advisory_trust {
    struct bz_advisory_trusted list[BZ_ADVISORY_KEYS];
    size_t n;
};
/* in, c: NULL where there is none. ESYNTAX: a line of the file is no key; ETOOBIG: more than BZ_ADVISORY_KEYS. */
enum bz_status bz_advisory_trust_read(const struct bz_instance *in, const struct bz_config *c,
                                      struct bz_advisory_trust *ret) BZ_MUST_USE;
size_t bz_advisory_trust_keys(const struct bz_advisory_trust *t,
                              struct bz_advisory_key out[BZ_ADVISORY_KEYS]);
/* ESYNTAX: no key; EINVAL: no note; EEXISTS: it is trusted already; ETOOBIG; EIO. */
enum bz_status bz_advisory_trust_add(const struct bz_instance *in, struct bz_advisory_trust *t,
                                     struct bz_view key, struct bz_view note) BZ_MUST_USE;
/* EDENIED: it is built in or of the configuration; ENOTFOUND; EIO. Its packs are the caller's to remove. */
enum bz_status bz_advisory_trust_remove(const struct bz_instance *in, struct bz_advisory_trust *t,
                                        const struct bz_advisory_key *key) BZ_MUST_USE;
bool bz_advisory_key_same(const struct bz_advisory_key *a, const struct bz_advisory_key *b);

/* ---- packs ---- */

struct bz_advisories {
    struct bz_arena ar;
    struct bz_buf file[BZ_ADVISORY_PACKS]; /* what the trees point into */
    struct bz_advisory_pack pack[BZ_ADVISORY_PACKS];
    bool builtin[BZ_ADVISORY_PACKS];
    size_t n;
};

/* in: NULL for the built-in pack alone. A file that is there and not good is an error, with a
 * sentence in `why`: what was trusted must not vanish quietly. *ret is to be freed when OK. */
enum bz_status bz_advisories_load(const struct bz_instance *in, const struct bz_config *c,
                                  struct bz_advisories *ret, struct bz_buf *why) BZ_MUST_USE;
void bz_advisories_free(struct bz_advisories *a);

/* Takes a pack into the instance. OK; EEXISTS: it was there already; else `why` says why not. */
enum bz_status bz_advisories_install(const struct bz_instance *in, const struct bz_config *c,
                                     struct bz_view file, uint64_t now, struct bz_buf *name,
                                     uint64_t *ret_version, struct bz_buf *why) BZ_MUST_USE;

/* Removes the packs that this key has signed; names them in `names`, joined by commas. What versions were taken stays
 * noted. EIO. */
enum bz_status bz_advisories_drop(const struct bz_instance *in, const struct bz_advisory_key *key,
                                  struct bz_buf *names) BZ_MUST_USE;

/* The document that is built in. */
struct bz_view bz_advisory_builtin(void);

#endif
