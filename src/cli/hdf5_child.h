/* Inside of bartizan-hdf5, the program that reads one HDF5 file for the scanner (docs/SCANNER.md):
 * hdf5_child.c (its life), prison.c (where), hdf5_walk.c (what libhdf5 says), hdf5_file.c (how libhdf5 reads). */
#ifndef BZ_HDF5_CHILD_H
#define BZ_HDF5_CHILD_H

#include <hdf5.h>

#include <bartizan/buf.h>

/* A file access property list whose files are `fd`, whatever their name, read by pread and nothing
 * else: libhdf5 opens nothing. -1: no. */
hid_t bz_h5_access(int fd);
/* Offset behind the last byte that the file's structure knows of, of the last file opened. */
haddr_t bz_h5_end(void);

/* Writes what is in the file as JSON lines. Failures of `out` are latched there. */
void bz_h5_walk(hid_t access, uint64_t size, struct bz_buf *out);

#endif
