#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void bz_fd_done(int *fd) {
    int saved = errno;
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    errno = saved;
}

static enum bz_status from_errno(void) {
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return BZ_ENOTFOUND;
    case EEXIST:
        return BZ_EEXISTS;
    case EACCES:
    case EPERM:
        return BZ_EDENIED;
    case ENOMEM:
        return BZ_ENOMEM;
    default:
        return BZ_EIO;
    }
}

enum bz_status bz_file_read(int dir, const char *path, struct bz_buf *out) {
    /* O_NONBLOCK: opening a FIFO put in place of a file must not hang. */
    BZ_FD fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return from_errno();
    struct stat sb;
    if (fstat(fd, &sb) != 0)
        return BZ_EIO;
    if (!S_ISREG(sb.st_mode)) {
        errno = EINVAL;
        return BZ_EINVAL;
    }
    uint8_t block[2048];
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return BZ_EIO;
        if (n == 0)
            break;
        bz_buf_put(out, bz_view(block, (size_t)n));
        if (bz_buf_status(out) != BZ_OK)
            break;
    }
    explicit_bzero(block, sizeof block); /* the file may have been a key */
    if (bz_buf_status(out) == BZ_ETOOBIG)
        errno = EFBIG;
    return bz_buf_status(out);
}

static enum bz_status write_all(int fd, struct bz_view v) {
    while (v.n > 0) {
        ssize_t n = write(fd, v.p, v.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return BZ_EIO;
        v = bz_view_sub(v, (size_t)n, v.n);
    }
    return BZ_OK;
}

static enum bz_status write_new(int dir, const char *path, struct bz_view v, mode_t mode,
                                enum bz_file_sync sync) {
    BZ_FD fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return from_errno();
    enum bz_status st = write_all(fd, v);
    if (st == BZ_OK && sync == BZ_FILE_SYNC && fsync(fd) != 0)
        st = BZ_EIO;
    if (st != BZ_OK) {
        int saved = errno;
        (void)unlinkat(dir, path, 0);
        errno = saved;
    }
    return st;
}

enum bz_status bz_file_create(int dir, const char *path, struct bz_view v, mode_t mode) {
    return write_new(dir, path, v, mode, BZ_FILE_SYNC);
}

enum bz_status bz_file_write(int dir, const char *path, struct bz_view v, mode_t mode,
                             enum bz_file_sync sync) {
    char tmp[512];
    int n = snprintf(tmp, sizeof tmp, "%s.tmp", path);
    if (n < 0 || (size_t)n >= sizeof tmp)
        return BZ_ETOOBIG;
    (void)unlinkat(dir, tmp, 0); /* left by a writer that was killed */
    BZ_TRY(write_new(dir, tmp, v, mode, sync));
    if (renameat(dir, tmp, dir, path) != 0) {
        int saved = errno;
        (void)unlinkat(dir, tmp, 0);
        errno = saved;
        return BZ_EIO;
    }
    return BZ_OK;
}

static enum bz_status map_fd(int fd, size_t n, bool writable, struct bz_map *ret) {
    int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *p = mmap(NULL, n, prot, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return BZ_ENOMEM;
    *ret = (struct bz_map){p, n};
    return BZ_OK;
}

enum bz_status bz_map_create(int dir, const char *path, size_t n, struct bz_map *ret) {
    (void)unlinkat(dir, path, 0);
    BZ_FD fd = openat(dir, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return from_errno();
    int err = posix_fallocate(fd, 0, (off_t)n);
    enum bz_status st = BZ_EIO;
    if (err == 0)
        st = map_fd(fd, n, true, ret);
    else
        errno = err;
    if (st != BZ_OK) {
        int saved = errno;
        (void)unlinkat(dir, path, 0);
        errno = saved;
    }
    return st;
}

enum bz_status bz_map_open(int dir, const char *path, bool writable, struct bz_map *ret) {
    BZ_FD fd = openat(dir, path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return from_errno();
    struct stat sb;
    if (fstat(fd, &sb) != 0)
        return BZ_EIO;
    if (!S_ISREG(sb.st_mode) || sb.st_size <= 0)
        return BZ_ECORRUPT;
    return map_fd(fd, (size_t)sb.st_size, writable, ret);
}

void bz_map_close(struct bz_map *m) {
    if (m->p != NULL)
        (void)munmap(m->p, m->n);
    *m = (struct bz_map){NULL, 0};
}

enum { TREE_DEPTH_MAX = 8 }; /* an instance is 4 deep */

static void tree_remove(int dir, const char *path, int depth) {
    int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        (void)unlinkat(dir, path, 0);
        return;
    }
    DIR *d = fdopendir(fd);
    if (d == NULL) {
        (void)close(fd);
        return;
    }
    struct dirent *e;
    while (depth < TREE_DEPTH_MAX && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            tree_remove(fd, e->d_name, depth + 1);
    }
    (void)closedir(d);
    (void)unlinkat(dir, path, AT_REMOVEDIR);
}

void bz_tree_remove(int dir, const char *path) {
    tree_remove(dir, path, 0);
}
