#include "scan_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NAME_BYTES_MAX = 1024 };

static enum bz_status read_at(int fd, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    size_t done = 0;
    while (done < n) {
        ssize_t k = pread(fd, (uint8_t *)buf + done, n - done, (off_t)(off + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return BZ_EIO;
        if (k == 0)
            break;
        done += (size_t)k;
    }
    *ret_n = done;
    return BZ_OK;
}

static enum bz_status file_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    const struct bz_scan_file *f = ctx;
    *ret_n = 0;
    return off > INT64_MAX - n ? BZ_OK : read_at(f->fd, off, buf, n, ret_n);
}

static enum bz_status sibling_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    const int *fd = ctx;
    *ret_n = 0;
    return off > INT64_MAX - n ? BZ_OK : read_at(*fd, off, buf, n, ret_n);
}

void bz_scan_file_init(struct bz_scan_file *f, int fd, int root, const char *path, uint64_t size) {
    *f = (struct bz_scan_file){.fd = fd, .root = root, .path = path, .dir = -1, .size = size};
}

void bz_scan_file_done(struct bz_scan_file *f) {
    for (size_t i = 0; i < f->siblings_n; i++)
        (void)close(f->siblings[i]);
    free(f->siblings);
    if (f->fd >= 0)
        (void)close(f->fd);
    if (f->dir >= 0)
        (void)close(f->dir);
    *f = (struct bz_scan_file){.fd = -1, .root = -1, .dir = -1};
}

struct bz_source bz_scan_file_source(struct bz_scan_file *f) {
    return (struct bz_source){.pread = file_pread, .ctx = f, .size = f->size};
}

static enum bz_status open_beneath(int dir, struct bz_view name, uint64_t flags, int *ret) {
    char path[NAME_BYTES_MAX];
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    if (name.n == 0 || name.n >= sizeof path || memchr(name.p, 0, name.n) != NULL)
        return BZ_EDENIED;
    memcpy(path, name.p, name.n);
    path[name.n] = '\0';
    long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? BZ_ENOTFOUND : BZ_EDENIED;
    *ret = (int)fd;
    return BZ_OK;
}

static enum bz_status open_dir(struct bz_scan_file *f) {
    const char *slash = strrchr(f->path, '/');
    struct bz_view name = slash == NULL ? BZ_V(".") : bz_view(f->path, (size_t)(slash - f->path));
    return f->dir >= 0 ? BZ_OK : open_beneath(f->root, name, O_PATH | O_DIRECTORY, &f->dir);
}

enum bz_status bz_scan_file_sibling(void *ctx, struct bz_view name, struct bz_source *ret) {
    struct bz_scan_file *f = ctx;
    struct stat sb;
    int fd = -1;
    if (f->root < 0 || f->siblings_n >= BZ_SCAN_SIBLINGS_MAX)
        return BZ_EUNAVAIL;
    BZ_TRY(open_dir(f));
    if (f->siblings == NULL) /* sources point into it: it does not move */
        f->siblings = calloc(BZ_SCAN_SIBLINGS_MAX, sizeof *f->siblings);
    if (f->siblings == NULL)
        return BZ_ENOMEM;
    BZ_TRY(open_beneath(f->dir, name, O_RDONLY | O_NOCTTY | O_NONBLOCK, &fd));
    if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) || sb.st_nlink != 1) {
        (void)close(fd);
        return BZ_EDENIED;
    }
    int *kept = &f->siblings[f->siblings_n++];
    *kept = fd;
    *ret = (struct bz_source){sibling_pread, kept, (uint64_t)sb.st_size};
    return BZ_OK;
}
