/* The scanner's reader of HDF5: starts bartizan-hdf5 with a read-only descriptor and nothing else. */
#ifndef BZ_HDF5_READER_H
#define BZ_HDF5_READER_H

#include <bartizan/artifact.h>

struct bz_hdf5_reader {
    int fd; /* the scanned file, for bz_hdf5.list without a source; -1: none */
    char program[4096];
};

/* `r` must outlive `ret`. EUNAVAIL: bartizan-hdf5 is not where bartizan is. */
enum bz_status bz_hdf5_reader_init(struct bz_hdf5_reader *r, struct bz_hdf5 *ret) BZ_MUST_USE;

#endif
