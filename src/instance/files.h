/* File helpers of the top floor: whole reads with a cap, atomic writes, shared maps. All paths are
 * relative to a directory descriptor (AT_FDCWD for the caller's own). After a failure errno still
 * says why. */
#ifndef BZ_FILES_H
#define BZ_FILES_H

#include <sys/types.h>
#include <bartizan/buf.h>

/* Appends the whole file to `out`, which must be initialised with the cap. ENOTFOUND, ETOOBIG, EIO.
 * A directory, device or FIFO is EINVAL. */
enum bz_status bz_file_read(int dir, const char *path, struct bz_buf *out) BZ_MUST_USE;

enum bz_file_sync { BZ_FILE_NO_SYNC, BZ_FILE_SYNC };
/* Writes path.tmp and renames it over path: readers see the old or the new file, never a mixture.
 * */
enum bz_status bz_file_write(int dir, const char *path, struct bz_view v, mode_t mode,
                             enum bz_file_sync sync) BZ_MUST_USE;
/* The same, but never replaces a file: EEXISTS. */
enum bz_status bz_file_create(int dir, const char *path, struct bz_view v, mode_t mode) BZ_MUST_USE;

/* A file mapped shared. */
struct bz_map {
    void *p;
    size_t n;
};
/* A new zeroed file of n bytes whose blocks are reserved (a full disk fails here and not as SIGBUS
 * later). */
enum bz_status bz_map_create(int dir, const char *path, size_t n, struct bz_map *ret) BZ_MUST_USE;
enum bz_status bz_map_open(int dir, const char *path, bool writable,
                           struct bz_map *ret) BZ_MUST_USE;
void bz_map_close(struct bz_map *m);

/* Removes a tree below dir without following links. For undoing a half-made instance only. */
void bz_tree_remove(int dir, const char *path);

/* For __attribute__((cleanup)): closes unless negative; keeps errno. */
void bz_fd_done(int *fd);
#define BZ_FD __attribute__((cleanup(bz_fd_done))) int

#endif
