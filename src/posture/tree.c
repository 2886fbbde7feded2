/* The only way to the disk: every lookup starts at the root descriptor and cannot leave it
 * (openat2 with RESOLVE_IN_ROOT: absolute links and ".." mean the root, magic links are refused), and
 * nothing but regular files is ever opened for reading: FIFOs block, devices have effects. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "posture_int.h"

static int open_in(const struct pt_tree *t, const char *path, uint64_t flags) {
    while (*path == '/')
        path++;
    if (*path == '\0')
        path = ".";
    flags |= O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NOCTTY); /* O_PATH takes few others */
    if (t->plain)
        return openat(t->fd, path, (int)flags);
    struct open_how how = {.flags = flags, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    for (int i = 0; i < 3; i++) { /* EAGAIN: a rename raced with ".." */
        int fd = (int)syscall(SYS_openat2, t->fd, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN)
            return fd;
    }
    return -1;
}

static enum bz_status status_of(struct pt_tree *t) {
    if (errno == EACCES || errno == EPERM) {
        t->denied++;
        return BZ_EDENIED;
    }
    bool none = errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ESRCH ||
                errno == ENAMETOOLONG || errno == EXDEV;
    return none ? BZ_ENOTFOUND : BZ_EIO;
}

enum bz_status pt_tree_open(struct pt_tree *t, const char *root, struct bz_arena *ar) {
    *t = (struct pt_tree){.fd = -1, .live = root == NULL, .ar = ar};
    bz_buf_init(&t->scratch, BZ_POSTURE_FILE_MAX + 1);
    t->fd = open(root == NULL ? "/" : root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (t->fd < 0)
        return status_of(t);
    int fd = open_in(t, "/", O_PATH | O_DIRECTORY);
    /* Of the running system nothing can lead out, so an old kernel or a filter is no reason to stop. */
    t->plain = fd < 0 && t->live && (errno == ENOSYS || errno == EPERM);
    if (fd < 0 && !t->plain)
        return BZ_EUNAVAIL;
    if (fd >= 0)
        (void)close(fd);
    return BZ_OK;
}

void pt_tree_close(struct pt_tree *t) {
    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
    bz_buf_free(&t->scratch);
}

int pt_open_file(struct pt_tree *t, const char *path) {
    struct stat s;
    int probe = open_in(t, path, O_PATH);
    if (probe < 0)
        return -1;
    bool regular = fstat(probe, &s) == 0 && S_ISREG(s.st_mode);
    (void)close(probe);
    if (!regular) {
        t->special++;
        errno = EINVAL;
        return -1;
    }
    int fd = open_in(t, path, O_RDONLY | O_NONBLOCK | O_NOATIME);
    if (fd < 0 && errno == EPERM) /* not ours: the time of access changes */
        fd = open_in(t, path, O_RDONLY | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))) {
        (void)close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

enum bz_status pt_peek(struct pt_tree *t, const char *path, size_t max, struct bz_view *ret) {
    enum { STEP = 1 << 16 };
    *ret = bz_view(NULL, 0);
    int fd = pt_open_file(t, path);
    if (fd < 0)
        return errno == EINVAL ? BZ_EINVAL : status_of(t);
    if (max > BZ_POSTURE_FILE_MAX)
        max = BZ_POSTURE_FILE_MAX;
    enum bz_status st = BZ_OK;
    bz_buf_reset(&t->scratch);
    for (;;) {
        size_t want = max + 1 - t->scratch.n < STEP ? max + 1 - t->scratch.n : STEP;
        if (want == 0 || !bz_buf_reserve(&t->scratch, want))
            break;
        ssize_t n = read(fd, t->scratch.p + t->scratch.n, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            st = status_of(t);
        if (n <= 0)
            break;
        t->scratch.n += (size_t)n;
    }
    (void)close(fd);
    if (st == BZ_OK)
        st = bz_buf_status(&t->scratch);
    if (st != BZ_OK)
        return st;
    bool cut = t->scratch.n > max;
    *ret = bz_view_sub(bz_buf_view(&t->scratch), 0, max);
    return cut ? BZ_ETOOBIG : BZ_OK;
}

enum bz_status pt_read(struct pt_tree *t, const char *path, size_t max, struct bz_view *ret) {
    enum bz_status st = pt_peek(t, path, max, ret);
    if (st != BZ_OK && st != BZ_ETOOBIG)
        return st;
    struct bz_view v = bz_arena_dup(t->ar, *ret);
    if (v.p == NULL) {
        *ret = bz_view(NULL, 0);
        return BZ_ENOMEM;
    }
    *ret = v;
    return st;
}

bool pt_stat(struct pt_tree *t, const char *path, bool follow, struct stat *ret) {
    int fd = open_in(t, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0) {
        (void)status_of(t);
        return false;
    }
    bool good = fstat(fd, ret) == 0;
    (void)close(fd);
    return good;
}

bool pt_exists(struct pt_tree *t, const char *path) {
    struct stat s;
    return pt_stat(t, path, true, &s);
}

enum bz_status pt_link(struct pt_tree *t, const char *path, struct bz_view *ret) {
    char mem[2048]; /* a longer target is cut */
    *ret = bz_view(NULL, 0);
    int fd = open_in(t, path, O_PATH | O_NOFOLLOW);
    if (fd < 0)
        return status_of(t);
    ssize_t n = readlinkat(fd, "", mem, sizeof mem);
    enum bz_status st =
        n < 0 ? (errno == EINVAL || errno == ENOENT ? BZ_EINVAL : status_of(t)) : BZ_OK;
    (void)close(fd);
    if (st != BZ_OK)
        return st;
    *ret = bz_arena_dup(t->ar, bz_view(mem, (size_t)n));
    return ret->p == NULL ? BZ_ENOMEM : BZ_OK;
}

static int by_bytes(const void *a, const void *b) {
    const struct pt_entry *x = a, *y = b;
    int d = memcmp(x->name.p, y->name.p, x->name.n < y->name.n ? x->name.n : y->name.n);
    return d != 0 ? d : x->name.n < y->name.n ? -1 : x->name.n > y->name.n;
}

static enum bz_status read_entries(struct pt_tree *t, DIR *d, size_t max, struct pt_entries *ret) {
    const struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (ret->n >= max)
            return BZ_ETOOBIG;
        struct pt_entry *one = PT_ADD(t->ar, ret);
        if (one == NULL)
            return BZ_ENOMEM;
        *one = (struct pt_entry){bz_arena_dup(t->ar, bz_view_str(e->d_name)), e->d_type};
        if (one->name.p == NULL) {
            ret->n--;
            return BZ_ENOMEM;
        }
    }
    return BZ_OK;
}

enum bz_status pt_scan(struct pt_tree *t, const char *path, size_t max, struct pt_entries *ret) {
    *ret = (struct pt_entries){0};
    int fd = open_in(t, path, O_RDONLY | O_DIRECTORY | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = open_in(t, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return status_of(t);
    DIR *d = fdopendir(fd);
    if (d == NULL) {
        (void)close(fd);
        return BZ_ENOMEM;
    }
    enum bz_status st = read_entries(t, d, max, ret);
    (void)closedir(d);
    if (ret->n > 1)
        qsort(ret->v, ret->n, sizeof *ret->v, by_bytes);
    return st;
}

enum bz_status pt_list(struct pt_tree *t, const char *path, size_t max, struct pt_views *ret) {
    struct pt_entries all;
    *ret = (struct pt_views){0};
    enum bz_status st = pt_scan(t, path, max, &all);
    for (size_t i = 0; i < all.n; i++) {
        if (!pt_views_add(t->ar, ret, all.v[i].name))
            return BZ_ENOMEM;
    }
    return st;
}

const char *pt_path(struct pt_tree *t, const char *fmt, ...) {
    char mem[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(mem, sizeof mem, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof mem)
        return "";
    struct bz_view v = bz_arena_dup(t->ar, bz_view(mem, (size_t)n));
    return v.p == NULL ? "" : (const char *)v.p;
}

/* system.posix_acl_access: version 2 (le32), then tag (le16), permissions (le16), id (le32) each.
 * Source: linux/posix_acl_xattr.h. */
bool pt_acl_write(struct pt_tree *t, const char *path, uint32_t uid, bool *ret_any) {
    enum { ACL_USER_TAG = 2, ACL_GROUP_TAG = 8, ACL_WRITE = 2 };
    uint8_t mem[1024];
    bool hit = false;
    *ret_any = false;
    int fd = open_in(t, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return false;
    ssize_t n = fgetxattr(fd, "system.posix_acl_access", mem, sizeof mem);
    (void)close(fd);
    for (size_t i = 4; n > 0 && i + 8 <= (size_t)n; i += 8) {
        unsigned tag = mem[i] | (unsigned)mem[i + 1] << 8;
        unsigned perm = mem[i + 2] | (unsigned)mem[i + 3] << 8;
        uint32_t id = mem[i + 4] | (uint32_t)mem[i + 5] << 8 | (uint32_t)mem[i + 6] << 16 |
                      (uint32_t)mem[i + 7] << 24;
        if ((perm & ACL_WRITE) == 0 || (tag != ACL_USER_TAG && tag != ACL_GROUP_TAG))
            continue;
        *ret_any = true;
        hit = hit || (tag == ACL_USER_TAG && id == uid);
    }
    return hit;
}
