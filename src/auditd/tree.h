/* The tile log as the writer holds it: the right edge in memory, everything else in files. Writes
 * bundles and tiles as they fill up, and partial ones with every checkpoint. */
#ifndef BZ_AUDITD_TREE_H
#define BZ_AUDITD_TREE_H

#include "io.h"

enum { BZ_TREE_LEVELS = 8, BZ_TREE_DIRS = 16 };

struct bz_tree_level {
    uint32_t n; /* hashes of its last tile; BZ_TILE_WIDTH until that is written */
    struct bz_hash h[BZ_TILE_WIDTH];
    bool partial;     /* there is a folder of partial tiles: */
    uint64_t tile;    /* of this tile, */
    uint32_t written; /* up to this width */
};

struct bz_tree {
    const struct bz_io *io;
    int dir;               /* lent; DIR/audit */
    struct bz_view origin; /* lent, as is the key */
    const uint8_t *sec;
    struct bz_frontier f;
    struct bz_tree_level level[BZ_TREE_LEVELS];
    struct bz_buf bundle; /* entries of the last bundle */
    bool signed_once;
    uint64_t signed_size;
    char dirs[BZ_TREE_DIRS][64]; /* folders with names not yet flushed */
    size_t dirs_n;
};

/* Opens the log as of its own checkpoint, which must carry our signature and match the tiles; a log
 * without checkpoint must be empty of tiles or `fresh_ok` (its journal begins at 0). EDENIED: not
 * our checkpoint; ECORRUPT: tiles do not fit. */
enum bz_status bz_tree_open(struct bz_tree *t, const struct bz_io *io, int dir,
                            struct bz_view origin, const uint8_t sec[BZ_SIGN_SECRET_LEN],
                            struct bz_diag *diag) BZ_MUST_USE;
void bz_tree_close(struct bz_tree *t);
/* Adds the next leaf. EUNAVAIL: the bundle is full, flush first (nothing was added). */
enum bz_status bz_tree_add(struct bz_tree *t, struct bz_view entry,
                           const struct bz_hash *leaf) BZ_MUST_USE;
/* Writes full bundles and tiles; may be repeated after EIO. */
enum bz_status bz_tree_flush(struct bz_tree *t) BZ_MUST_USE;
/* Everything that the present size needs, flushed; then the signed checkpoint. May be repeated
 * after EIO. */
enum bz_status bz_tree_checkpoint(struct bz_tree *t) BZ_MUST_USE;

#endif
