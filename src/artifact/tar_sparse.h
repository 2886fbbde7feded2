/* Sparse members of tar: what is packed are the parts that are no zeros, and a map says where they
 * belong. Four ways to write that map: GNU's old header (type S), pax 0.0, 0.1 and 1.0.
 * Source: GNU tar manual, "Storing Sparse Files". */
#ifndef BZ_ARTIFACT_TAR_SPARSE_H
#define BZ_ARTIFACT_TAR_SPARSE_H

#include "scan_int.h"

enum { TAR_BLOCK = 512 };

struct tar_extent {
    uint64_t at, n; /* in the unpacked file */
    uint64_t from;  /* in the packed bytes */
};

struct tar_sparse {
    bool is;             /* the member is sparse */
    bool in_data;        /* its map stands before its data (pax 1.0) */
    uint64_t size;       /* unpacked */
    struct bz_view name; /* "": the usual one */
    const char *bad;     /* why its map is none */
    struct tar_extent *list;
    size_t n, cap;
    bool half; /* an offset was read whose length is to come (pax 0.0) */
};

/* A pax record whose key begins with GNU.sparse. Views are kept. OK (see ->bad), ENOMEM. */
enum bz_status tar_sparse_pax(struct tar_sparse *t, struct bz_scan *s, struct bz_view key,
                              struct bz_view value) BZ_MUST_USE;
/* GNU's old header, and its continuations from *data on, which is moved behind them. */
enum bz_status tar_sparse_old(struct tar_sparse *t, struct bz_scan *s, const struct bz_source *src,
                              const uint8_t header[TAR_BLOCK], uint64_t *data) BZ_MUST_USE;
/* What the packed bytes unpack to; lives as long as `packed` and the arena. NULL in *ret: ->bad says
 * why not. */
enum bz_status tar_sparse_source(struct tar_sparse *t, struct bz_scan *s,
                                 const struct bz_source *packed,
                                 const struct bz_source **ret) BZ_MUST_USE;
/* Does a reader that knows nothing of maps see another file there? With pax 1.0 it sees digits and a
 * line's end, which is the beginning of nothing. */
bool tar_sparse_moved(const struct tar_sparse *t);

/* A number of a tar header: octal digits between blanks and NULs, or base 256 behind a bit. */
bool tar_number(const uint8_t *p, size_t n, uint64_t *ret);

#endif
