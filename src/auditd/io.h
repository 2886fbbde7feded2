/* Every write to the log goes through this table, so that a test can let the N-th one fail. After a
 * failure errno says why. */
#ifndef BZ_AUDITD_IO_H
#define BZ_AUDITD_IO_H

#include <sys/types.h>
#include <bartizan/audit.h>

enum bz_io_how {
    BZ_IO_NEW,     /* must not exist */
    BZ_IO_REPLACE, /* emptied if it exists */
    BZ_IO_REUSE,   /* must exist, stays as it is */
};
struct bz_io {
    /* for writing; mode 0600 */
    int (*open)(void *ctx, int dir, const char *path, enum bz_io_how how);
    ssize_t (*write)(void *ctx, int fd, const void *p, size_t n, off_t at);
    int (*sync)(void *ctx, int fd, bool data_only);
    int (*reserve)(void *ctx, int fd, off_t n);
    int (*rename)(void *ctx, int dir, const char *from, const char *to);
    int (*unlink)(void *ctx, int dir, const char *path, bool folder);
    int (*mkdir)(void *ctx, int dir, const char *path);
    void *ctx;
};
extern const struct bz_io bz_io_real;

/* All bytes or EIO. */
enum bz_status bz_io_write(const struct bz_io *io, int fd, struct bz_view v,
                           uint64_t at) BZ_MUST_USE;
/* Writes ".new", flushes it, renames it to path: readers see a whole file or none. The folder is
 * not flushed. */
enum bz_status bz_io_put(const struct bz_io *io, int dir, const char *path,
                         struct bz_view v) BZ_MUST_USE;
/* Flushes a folder, "." for dir itself. */
enum bz_status bz_io_sync_dir(const struct bz_io *io, int dir, const char *path) BZ_MUST_USE;

#endif
