/* Packs of an instance: reading, verifying, installing. */
#include "advisories.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bartizan/text.h>

enum { ARENA_MAX = 1 << 30, VERSIONS_MAX = 64 << 10, NAME_LEN_MAX = 64 };

struct had { /* what was taken under a name */
    uint64_t version;
    uint8_t digest[BZ_HASH_LEN];
};

/* ---- versions that were taken ----
 *
 * One line per name: "NAME VERSION DIGEST". It outlives the packs, so that removing one does not
 * open the way for an older one. */

static struct bz_view next_field(struct bz_view *line, uint8_t sep) {
    const uint8_t *at = line->n == 0 ? NULL : memchr(line->p, sep, line->n);
    struct bz_view field = bz_view_sub(*line, 0, at == NULL ? line->n : (size_t)(at - line->p));
    *line = bz_view_sub(*line, field.n + 1, line->n);
    return field;
}

static enum bz_status read_versions(const struct bz_instance *in, struct bz_buf *out) {
    enum bz_status st = bz_file_read(in->fd, BZ_F_ADVISORY_VERSIONS, out);
    return st == BZ_ENOTFOUND ? BZ_OK : st;
}

static enum bz_status find_version(struct bz_view text, struct bz_view name, struct had *ret) {
    *ret = (struct had){0};
    while (text.n > 0) {
        struct bz_view line = next_field(&text, '\n');
        struct bz_view own = next_field(&line, ' '), version = next_field(&line, ' ');
        struct had h;
        size_t n = 0;
        if (bz_view_u64(version, &h.version) != BZ_OK ||
            bz_hex_decode(line, h.digest, sizeof h.digest, &n) != BZ_OK || n != sizeof h.digest)
            return BZ_ECORRUPT;
        if (bz_view_eq(own, name))
            *ret = h;
    }
    return BZ_OK;
}

static enum bz_status write_versions(const struct bz_instance *in, struct bz_view text,
                                     const struct bz_advisory_pack *p) {
    struct bz_buf out;
    bz_buf_init(&out, VERSIONS_MAX);
    while (text.n > 0) {
        struct bz_view line = next_field(&text, '\n'), rest = line;
        if (bz_view_eq(next_field(&rest, ' '), p->name))
            continue;
        bz_buf_put(&out, line);
        bz_buf_putc(&out, '\n');
    }
    bz_buf_put(&out, p->name);
    bz_buf_putc(&out, ' ');
    bz_buf_put_u64(&out, p->version);
    bz_buf_putc(&out, ' ');
    bz_buf_put_hex(&out, bz_view(p->digest, sizeof p->digest));
    bz_buf_putc(&out, '\n');
    enum bz_status st = bz_buf_status(&out);
    if (st == BZ_OK)
        st = bz_file_write(in->fd, BZ_F_ADVISORY_VERSIONS, bz_buf_view(&out), 0600, BZ_FILE_SYNC);
    bz_buf_free(&out);
    return st;
}

/* ---- loading ---- */

static enum bz_status say(struct bz_buf *why, enum bz_status st, const char *file,
                          const char *text) {
    bz_put_safe(why, bz_view_str(file));
    bz_buf_puts(why, ": ");
    bz_buf_puts(why, text == NULL ? bz_status_text(st) : text);
    return st;
}

/* The newer one of two packs with one name stays: what is built in may be newer than what was
 * installed before an upgrade. */
static void keep(struct bz_advisories *a, const struct bz_advisory_pack *p, bool builtin) {
    for (size_t i = 0; i < a->n; i++) {
        if (!bz_view_eq(a->pack[i].name, p->name))
            continue;
        if (p->version > a->pack[i].version) {
            a->pack[i] = *p;
            a->builtin[i] = builtin;
        }
        return;
    }
    a->pack[a->n] = *p;
    a->builtin[a->n++] = builtin;
}

struct folder {
    const struct bz_instance *in;
    const struct bz_advisory_key *keys;
    size_t keys_n, files;
    struct bz_view versions;
};

static enum bz_status load_file(const struct folder *f, const char *name, struct bz_advisories *a,
                                struct bz_buf *why) {
    char path[NAME_LEN_MAX + 32];
    struct bz_buf *b = &a->file[f->files];
    struct bz_diag diag = {0, NULL};
    struct bz_advisory_pack p;
    struct had h;
    int n = snprintf(path, sizeof path, BZ_F_ADVISORIES "/%s", name);
    if (n < 0 || (size_t)n >= sizeof path)
        return say(why, BZ_EINVAL, name, "its name is too long");
    bz_buf_init(b, BZ_ADVISORY_PACK_MAX + 4096);
    enum bz_status st = bz_file_read(f->in->fd, path, b);
    if (st == BZ_OK)
        st = bz_advisory_pack_open(bz_buf_view(b), f->keys, f->keys_n, &a->ar, &p, &diag);
    if (st != BZ_OK)
        return say(why, st, path, diag.why);
    if (find_version(f->versions, p.name, &h) != BZ_OK)
        return say(why, BZ_ECORRUPT, BZ_F_ADVISORY_VERSIONS, "it is damaged");
    st = bz_advisory_pack_accept(&p, h.version, h.digest, 0);
    if (st != BZ_EEXISTS && st != BZ_OK) /* an older one was put back by hand */
        return say(why, BZ_EDENIED, path,
                   "it is not the pack that was installed; take it in with "
                   "'bartizan advisory update'");
    keep(a, &p, false);
    return BZ_OK;
}

static enum bz_status read_keys(const struct bz_instance *in, const struct bz_config *c,
                                struct bz_advisory_key out[BZ_ADVISORY_KEYS], size_t *ret_n,
                                struct bz_buf *why) {
    struct bz_advisory_trust t;
    enum bz_status st = bz_advisory_trust_read(in, c, &t);
    if (st != BZ_OK)
        return say(why, st, BZ_F_ADVISORY_KEYS,
                   st == BZ_ESYNTAX   ? "a line of it is no key"
                   : st == BZ_ETOOBIG ? "more than 24 keys are trusted"
                                      : NULL);
    *ret_n = bz_advisory_trust_keys(&t, out);
    return BZ_OK;
}

static bool is_pack(const char *name) {
    size_t n = strlen(name);
    return n > 5 && strcmp(name + n - 5, ".pack") == 0;
}

static enum bz_status load_folder(struct folder *f, struct bz_advisories *a, struct bz_buf *why) {
    int fd = openat(f->in->fd, BZ_F_ADVISORIES, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    enum bz_status st = BZ_OK;
    if (d == NULL) {
        bool none = errno == ENOENT;
        if (fd >= 0)
            (void)close(fd);
        return none ? BZ_OK : say(why, BZ_EIO, BZ_F_ADVISORIES, strerror(errno));
    }
    for (struct dirent *e; st == BZ_OK && (e = readdir(d)) != NULL;) {
        if (!is_pack(e->d_name))
            continue;
        if (f->files == BZ_ADVISORY_PACKS - 1) /* one place is the built-in pack's */
            st = say(why, BZ_ETOOBIG, BZ_F_ADVISORIES, "there are more than 15 packs");
        else
            st = load_file(f, e->d_name, a, why);
        f->files++;
    }
    (void)closedir(d);
    return st;
}

enum bz_status bz_advisories_load(const struct bz_instance *in, const struct bz_config *c,
                                  struct bz_advisories *ret, struct bz_buf *why) {
    struct bz_advisory_key keys[BZ_ADVISORY_KEYS];
    struct bz_diag diag = {0, NULL};
    struct bz_buf versions;
    memset(ret, 0, sizeof *ret);
    bz_arena_init(&ret->ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    bz_buf_init(&versions, VERSIONS_MAX);
    struct bz_advisory_pack own;
    enum bz_status st = bz_advisory_pack_read(bz_advisory_builtin(), &ret->ar, &own, &diag);
    if (st == BZ_OK)
        keep(ret, &own, true);
    else
        (void)say(why, st, "built-in advisories", diag.why);
    struct folder f = {.in = in, .keys = keys};
    if (st == BZ_OK)
        st = read_keys(in, c, keys, &f.keys_n, why);
    if (st == BZ_OK && in != NULL) {
        st = read_versions(in, &versions);
        f.versions = bz_buf_view(&versions);
        st = st == BZ_OK ? load_folder(&f, ret, why) : say(why, st, BZ_F_ADVISORY_VERSIONS, NULL);
    }
    bz_buf_free(&versions);
    if (st != BZ_OK)
        bz_advisories_free(ret);
    return st;
}

void bz_advisories_free(struct bz_advisories *a) {
    for (size_t i = 0; i < BZ_ADVISORY_PACKS; i++)
        bz_buf_free(&a->file[i]);
    bz_arena_free(&a->ar);
    memset(a, 0, sizeof *a);
}

/* ---- dropping ---- */

static enum bz_status drop_if_of(const struct bz_instance *in, const char *name,
                                 const struct bz_advisory_key *key, struct bz_buf *names) {
    char path[NAME_LEN_MAX + 32];
    struct bz_arena ar;
    struct bz_buf b;
    struct bz_advisory_pack p;
    int n = snprintf(path, sizeof path, BZ_F_ADVISORIES "/%s", name);
    if (n < 0 || (size_t)n >= sizeof path)
        return BZ_OK; /* loading says so */
    bz_arena_init(&ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    bz_buf_init(&b, BZ_ADVISORY_PACK_MAX + 4096);
    enum bz_status st = bz_file_read(in->fd, path, &b);
    if (st == BZ_OK && bz_advisory_pack_open(bz_buf_view(&b), key, 1, &ar, &p, NULL) == BZ_OK) {
        bz_buf_puts(names, names->n > 0 ? ", " : "");
        bz_buf_put(names, p.name);
        st = unlinkat(in->fd, path, 0) == 0 ? BZ_OK : BZ_EIO;
    }
    bz_buf_free(&b);
    bz_arena_free(&ar);
    return st;
}

enum bz_status bz_advisories_drop(const struct bz_instance *in, const struct bz_advisory_key *key,
                                  struct bz_buf *names) {
    int fd = openat(in->fd, BZ_F_ADVISORIES, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    enum bz_status st = BZ_OK;
    if (d == NULL) {
        bool none = errno == ENOENT;
        if (fd >= 0)
            (void)close(fd);
        return none ? BZ_OK : BZ_EIO;
    }
    for (const struct dirent *e; st == BZ_OK && (e = readdir(d)) != NULL;) {
        if (is_pack(e->d_name))
            st = drop_if_of(in, e->d_name, key, names);
    }
    (void)closedir(d);
    return st;
}

/* ---- installing ---- */

static const char *refusal(enum bz_status st) {
    switch ((int)st) {
    case BZ_EEXPIRED:
        return "its time is over: ask its publisher for the current one";
    case BZ_ERANGE:
        return "it is older than the one that was installed before";
    case BZ_ECORRUPT:
        return "it has the version of the one that was installed before, and other contents";
    default:
        return bz_status_text(st);
    }
}

static enum bz_status store(const struct bz_instance *in, struct bz_view file,
                            struct bz_view versions, const struct bz_advisory_pack *p) {
    char path[NAME_LEN_MAX + 32];
    (void)snprintf(path, sizeof path, BZ_F_ADVISORIES "/%.*s.pack", (int)p->name.n,
                   (const char *)p->name.p);
    if (mkdirat(in->fd, BZ_F_ADVISORIES, 0700) != 0 && errno != EEXIST)
        return BZ_EIO;
    /* After a crash in between the new pack is there, and newer than what is noted: it is taken. */
    BZ_TRY(bz_file_write(in->fd, path, file, 0600, BZ_FILE_SYNC));
    return write_versions(in, versions, p);
}

static enum bz_status install(const struct bz_instance *in, struct bz_view file,
                              struct bz_view versions, const struct bz_advisory_pack *p,
                              uint64_t now, struct bz_buf *why) {
    struct had h;
    struct bz_arena ar;
    struct bz_diag diag;
    struct bz_advisory_pack own;
    char path[NAME_LEN_MAX + 32];
    if (find_version(versions, p->name, &h) != BZ_OK)
        return say(why, BZ_ECORRUPT, BZ_F_ADVISORY_VERSIONS, "it is damaged");
    bz_arena_init(&ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    /* What is built in counts as installed. */
    if (bz_advisory_pack_read(bz_advisory_builtin(), &ar, &own, &diag) == BZ_OK &&
        bz_view_eq(own.name, p->name) && own.version > h.version) {
        h.version = own.version;
        memcpy(h.digest, own.digest, sizeof h.digest);
    }
    bz_arena_free(&ar);
    enum bz_status st = bz_advisory_pack_accept(p, h.version, h.digest, now);
    (void)snprintf(path, sizeof path, BZ_F_ADVISORIES "/%.*s.pack", (int)p->name.n,
                   (const char *)p->name.p);
    if (st == BZ_EEXISTS && faccessat(in->fd, path, F_OK, 0) != 0)
        st = BZ_OK; /* it was removed: put it back */
    if (st == BZ_EEXISTS)
        return st;
    if (st != BZ_OK)
        return say(why, st, "the pack is refused", refusal(st));
    st = store(in, file, versions, p);
    return st == BZ_OK ? BZ_OK : say(why, st, BZ_F_ADVISORIES, strerror(errno));
}

enum bz_status bz_advisories_install(const struct bz_instance *in, const struct bz_config *c,
                                     struct bz_view file, uint64_t now, struct bz_buf *name,
                                     uint64_t *ret_version, struct bz_buf *why) {
    struct bz_advisory_key keys[BZ_ADVISORY_KEYS];
    size_t keys_n = 0;
    struct bz_diag diag = {0, NULL};
    struct bz_arena ar;
    struct bz_buf versions;
    struct bz_advisory_pack p;
    BZ_TRY(read_keys(in, c, keys, &keys_n, why));
    bz_arena_init(&ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    bz_buf_init(&versions, VERSIONS_MAX);
    enum bz_status st = bz_advisory_pack_open(file, keys, keys_n, &ar, &p, &diag);
    if (st != BZ_OK)
        (void)say(why, st, "the pack is refused", diag.why);
    if (st == BZ_OK && (st = read_versions(in, &versions)) != BZ_OK)
        (void)say(why, st, BZ_F_ADVISORY_VERSIONS, NULL);
    if (st == BZ_OK)
        st = install(in, file, bz_buf_view(&versions), &p, now, why);
    if (st == BZ_OK || st == BZ_EEXISTS) {
        bz_buf_put(name, p.name);
        *ret_version = p.version;
    }
    bz_buf_free(&versions);
    bz_arena_free(&ar);
    return st;
}
