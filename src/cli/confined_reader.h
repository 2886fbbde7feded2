/* Starts a program that reads what has a history of memory errors, with a descriptor to read from, places
 * to write to, and nothing else: bartizan-hdf5 and bartizan-7z. */
#ifndef BZ_CONFINED_READER_H
#define BZ_CONFINED_READER_H

#include <bartizan/buf.h>

struct bz_confined_reader {
    const char *name; /* "bartizan-hdf5" */
    int in;           /* a regular file; opened again where it could be written to */
    int data;         /* the program's descriptor 2; -1: none */
    unsigned seconds; /* of processor time that it takes at most; twice that by the clock */
};

/* What it writes to descriptor 1. EUNAVAIL: it is not where bartizan is; ELIMIT: too long, or more than
 * `out` holds; ECORRUPT: it did not survive the file. It is gone when this returns. */
enum bz_status bz_confined_reader_run(const struct bz_confined_reader *r,
                                      struct bz_buf *out) BZ_MUST_USE;

#endif
