#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int real_open(void *ctx, int dir, const char *path, enum bz_io_how how) {
    (void)ctx;
    static const int flags[] = {
        [BZ_IO_NEW] = O_CREAT | O_EXCL, [BZ_IO_REPLACE] = O_CREAT | O_TRUNC, [BZ_IO_REUSE] = 0};
    return openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags[how], 0600);
}

static ssize_t real_write(void *ctx, int fd, const void *p, size_t n, off_t at) {
    (void)ctx;
    return pwrite(fd, p, n, at);
}

static int real_sync(void *ctx, int fd, bool data_only) {
    (void)ctx;
    return data_only ? fdatasync(fd) : fsync(fd);
}

static int real_reserve(void *ctx, int fd, off_t n) {
    (void)ctx;
    int e = posix_fallocate(fd, 0, n);
    errno = e;
    return e == 0 ? 0 : -1;
}

static int real_rename(void *ctx, int dir, const char *from, const char *to) {
    (void)ctx;
    return renameat(dir, from, dir, to);
}

static int real_unlink(void *ctx, int dir, const char *path, bool folder) {
    (void)ctx;
    return unlinkat(dir, path, folder ? AT_REMOVEDIR : 0);
}

static int real_mkdir(void *ctx, int dir, const char *path) {
    (void)ctx;
    return mkdirat(dir, path, 0700);
}

const struct bz_io bz_io_real = {real_open,   real_write,  real_sync,  real_reserve,
                                 real_rename, real_unlink, real_mkdir, NULL};

enum bz_status bz_io_write(const struct bz_io *io, int fd, struct bz_view v, uint64_t at) {
    size_t done = 0;
    while (done < v.n) {
        ssize_t n = io->write(io->ctx, fd, v.p + done, v.n - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return BZ_EIO;
        done += (size_t)n;
    }
    return BZ_OK;
}

static const char fresh[] = ".new";

enum bz_status bz_io_put(const struct bz_io *io, int dir, const char *path, struct bz_view v) {
    int fd = io->open(io->ctx, dir, fresh, BZ_IO_REPLACE);
    if (fd < 0)
        return BZ_EIO;
    enum bz_status st = bz_io_write(io, fd, v, 0);
    if (st == BZ_OK && io->sync(io->ctx, fd, false) != 0)
        st = BZ_EIO;
    int e = errno;
    close(fd);
    if (st == BZ_OK && io->rename(io->ctx, dir, fresh, path) == 0)
        return BZ_OK;
    if (st == BZ_OK)
        e = errno;
    (void)io->unlink(io->ctx, dir, fresh, false);
    errno = e;
    return BZ_EIO;
}

enum bz_status bz_io_sync_dir(const struct bz_io *io, int dir, const char *path) {
    int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return BZ_EIO;
    int r = io->sync(io->ctx, fd, false);
    int e = errno;
    close(fd);
    errno = e;
    return r == 0 ? BZ_OK : BZ_EIO;
}
