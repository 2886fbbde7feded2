/* Files of the registry: a store by content, and a folder per approved model that is made of links into it. */
#include "registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bartizan/text.h>

enum { OBJECT_PATH = 2 + 1 + 64 + 1 };

/* "ab/abcd..." */
static void object_path(const uint8_t sha256[BZ_HASH_LEN], char out[OBJECT_PATH]) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, OBJECT_PATH - 1);
    bz_buf_put_hex(&b, bz_view(sha256, 1));
    bz_buf_putc(&b, '/');
    bz_buf_put_hex(&b, bz_view(sha256, BZ_HASH_LEN));
    out[b.n] = '\0';
}

static int open_dir(int at, const char *path) {
    return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static bool is_file(int dir, const char *path, uint64_t size) {
    struct stat s;
    return fstatat(dir, path, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode) &&
           (uint64_t)s.st_size == size;
}

/* ---- into the store ---- */

static enum bz_status take_one(int objects, int files, size_t i, const struct bz_manifest_file *f) {
    char number[24], path[OBJECT_PATH], sub[3];
    object_path(f->sha256, path);
    (void)snprintf(number, sizeof number, "%06zu", i);
    memcpy(sub, path, 2);
    sub[2] = '\0';
    if (!is_file(files, number, f->size))
        return BZ_EINVAL;
    if (mkdirat(objects, sub, 0711) != 0 && errno != EEXIST)
        return BZ_EIO;
    if (linkat(files, number, objects, path, 0) != 0 && errno != EEXIST)
        return BZ_EIO;
    BZ_FD dir = open_dir(objects, sub);
    return dir >= 0 && fsync(dir) == 0 && is_file(objects, path, f->size) ? BZ_OK : BZ_EIO;
}

enum bz_status bz_registry_take_files(const struct bz_daemon *d, int quarantine,
                                      const struct bz_manifest *m) {
    BZ_FD objects = open_dir(d->in.fd, BZ_F_MODEL_OBJECTS);
    BZ_FD files = open_dir(quarantine, "f");
    if (objects < 0 || files < 0)
        return BZ_EIO;
    for (size_t i = 0; i < m->files_n; i++)
        BZ_TRY(take_one(objects, files, i, &m->files[i]));
    return fsync(objects) == 0 ? BZ_OK : BZ_EIO;
}

/* ---- the folder to serve from ---- */

void bz_registry_serve_path(const char *name, const char *id, char out[BZ_SERVE_PATH]) {
    (void)snprintf(out, BZ_SERVE_PATH, BZ_F_MODEL_SERVE "/%.64s-%.12s", name, id);
}

/* Makes the folders above a file; the manifest's names are checked: no "..", no empty part. */
static bool make_parents(int dir, char *path) {
    for (char *p = path; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        bool ok = mkdirat(dir, path, 0755) == 0 || errno == EEXIST;
        *p = '/';
        if (!ok)
            return false;
    }
    return true;
}

static enum bz_status serve_one(int objects, int dir, const struct bz_manifest_file *f) {
    char from[OBJECT_PATH], to[BZ_MODEL_FILE_NAME_MAX + 1];
    if (f->name.n >= sizeof to)
        return BZ_ETOOBIG;
    memcpy(to, f->name.p, f->name.n);
    to[f->name.n] = '\0';
    object_path(f->sha256, from);
    if (!make_parents(dir, to) || linkat(objects, from, dir, to, 0) != 0)
        return BZ_EIO;
    return BZ_OK;
}

static enum bz_status serve_all(const struct bz_daemon *d, const char *tmp,
                                const struct bz_manifest *m, struct bz_view signature) {
    BZ_FD objects = open_dir(d->in.fd, BZ_F_MODEL_OBJECTS);
    if (mkdirat(d->in.fd, tmp, 0755) != 0)
        return BZ_EIO;
    BZ_FD dir = open_dir(d->in.fd, tmp);
    if (objects < 0 || dir < 0 || fchmod(dir, 0755) != 0)
        return BZ_EIO;
    for (size_t i = 0; i < m->files_n; i++)
        BZ_TRY(serve_one(objects, dir, &m->files[i]));
    /* so that anybody can check the folder with the instance's public key */
    enum bz_status st = bz_file_create(dir, "model.sig", signature, 0444);
    if (st != BZ_OK && st != BZ_EEXISTS)
        return st;
    if (fchmodat(dir, "model.sig", 0444, 0) != 0) /* the umask is 077 */
        return BZ_EIO;
    return fsync(dir) == 0 ? BZ_OK : BZ_EIO;
}

enum bz_status bz_registry_serve(const struct bz_daemon *d, const char *id,
                                 const struct bz_manifest *m, struct bz_view signature) {
    char path[BZ_SERVE_PATH], name[65], tmp[BZ_SERVE_PATH + 8];
    struct stat s;
    (void)snprintf(name, sizeof name, "%.*s", (int)m->name.n, (const char *)m->name.p);
    bz_registry_serve_path(name, id, path);
    (void)snprintf(tmp, sizeof tmp, "%s.tmp", path);
    if (fstatat(d->in.fd, path, &s, AT_SYMLINK_NOFOLLOW) == 0)
        return S_ISDIR(s.st_mode) ? BZ_OK : BZ_EEXISTS;
    bz_tree_remove(d->in.fd, tmp);
    enum bz_status st = serve_all(d, tmp, m, signature);
    if (st == BZ_OK && renameat(d->in.fd, tmp, d->in.fd, path) != 0)
        st = BZ_EIO;
    if (st != BZ_OK) {
        int saved = errno;
        bz_tree_remove(d->in.fd, tmp);
        errno = saved;
    }
    return st;
}

void bz_registry_unserve(const struct bz_daemon *d, const char *name, const char *id) {
    char path[BZ_SERVE_PATH];
    bz_registry_serve_path(name, id, path);
    bz_tree_remove(d->in.fd, path);
}

/* ---- sweeping ---- */

static void sweep_dir(int objects, const char *sub,
                      bool (*keep)(void *ctx, const uint8_t sha256[BZ_HASH_LEN]), void *ctx) {
    int fd = open_dir(objects, sub);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    if (d == NULL) {
        bz_fd_done(&fd);
        return;
    }
    while ((e = readdir(d)) != NULL) {
        uint8_t h[BZ_HASH_LEN];
        size_t n = 0;
        bool ours =
            bz_hex_decode(bz_view_str(e->d_name), h, sizeof h, &n) == BZ_OK && n == sizeof h;
        if (ours && !keep(ctx, h))
            (void)unlinkat(fd, e->d_name, 0);
    }
    (void)closedir(d);
}

void bz_registry_sweep(const struct bz_daemon *d,
                       bool (*keep)(void *ctx, const uint8_t sha256[BZ_HASH_LEN]), void *ctx) {
    int fd = open_dir(d->in.fd, BZ_F_MODEL_OBJECTS);
    DIR *all = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    if (all == NULL) {
        bz_fd_done(&fd);
        return;
    }
    while ((e = readdir(all)) != NULL) {
        if (e->d_name[0] != '.' && strlen(e->d_name) == 2)
            sweep_dir(fd, e->d_name, keep, ctx);
    }
    (void)closedir(all);
}
