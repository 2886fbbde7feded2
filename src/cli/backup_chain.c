/* Archives that build on each other, opened for reading. */
#include "cmd_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <bartizan/json.h>

/* ---- one archive ---- */

static enum bz_status read_at(void *ctx, uint64_t off, void *p, size_t n) {
    const int *fd = ctx;
    uint8_t *to = p;
    while (n > 0) {
        ssize_t got = pread(*fd, to, n, (off_t)off);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || bz_backup_stopped())
            return BZ_EIO;
        to += got;
        off += (uint64_t)got;
        n -= (size_t)got;
    }
    return BZ_OK;
}

bool bz_archive_open(const char *path, struct bz_archive *ret) {
    struct stat s;
    *ret = (struct bz_archive){.path = path};
    ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (ret->fd < 0 || fstat(ret->fd, &s) != 0) {
        bz_say("%s: %s", bz_safe(path), strerror(errno));
    } else if (!S_ISREG(s.st_mode)) {
        bz_say("%s: is no file", bz_safe(path));
    } else {
        (void)posix_fadvise(ret->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        ret->src = (struct bz_backup_source){read_at, &ret->fd, (uint64_t)s.st_size};
        return true;
    }
    bz_archive_close(ret);
    return false;
}

void bz_archive_close(struct bz_archive *a) {
    bz_fd_done(&a->fd);
    bz_wipe(&a->secrets, sizeof a->secrets);
}

/* ---- the order ---- */

static enum bz_status peek_head(struct bz_archive *a) {
    uint8_t mem[BZ_BACKUP_HEAD_MAX];
    size_t used, n = a->src.size < sizeof mem ? (size_t)a->src.size : sizeof mem;
    BZ_TRY(read_at(&a->fd, 0, mem, n));
    return bz_backup_head_decode(bz_view(mem, n), &a->scan.head, &used);
}

static int by_depth(const void *x, const void *y) {
    const struct bz_archive *a = x, *b = y;
    return (a->scan.head.depth > b->scan.head.depth) - (a->scan.head.depth < b->scan.head.depth);
}

static bool same(const uint8_t *a, const uint8_t *b, size_t n) {
    return bz_ct_equal(bz_view(a, n), bz_view(b, n));
}

static const char *date(uint64_t ns, char out[32]) {
    time_t t = (time_t)(ns / 1000000000u);
    struct tm tm;
    if (gmtime_r(&t, &tm) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        out[0] = '\0';
    return out;
}

/* The sources point into the array, which was sorted. */
static void settle(struct bz_chain *c) {
    qsort(c->a, c->n, sizeof c->a[0], by_depth);
    for (size_t i = 0; i < c->n; i++)
        c->a[i].src.ctx = &c->a[i].fd;
}

static void check_link(const struct bz_chain *c, size_t i, struct bz_found *found) {
    const struct bz_archive *a = &c->a[i];
    const struct bz_archive *base = i == 0 ? NULL : &c->a[i - 1];
    if (a->scan.head.depth != i) {
        bool twice = base != NULL && a->scan.head.depth == base->scan.head.depth;
        bz_found_add(found,
                     twice ? "%s: two archives are number %u of a chain; only one can be meant"
                           : "%s: is number %u of a chain, and one before it was not given",
                     bz_safe(a->path), a->scan.head.depth);
        return;
    }
    if (base == NULL)
        return;
    if (!same(a->scan.head.base_id, base->scan.head.id, BZ_BACKUP_ID))
        bz_found_add(found, "%s: builds on another archive than %s", bz_safe(a->path),
                     bz_safe(base->path));
    else if (base->good && !same(a->scan.head.base_digest, base->scan.digest, BZ_HASH_LEN))
        bz_found_add(found, "%s: is not as it was when %s was made from it", bz_safe(base->path),
                     bz_safe(a->path));
    if (!same(a->scan.head.instance, base->scan.head.instance, 8) ||
        !same(a->scan.head.signer, base->scan.head.signer, BZ_SIGN_PUBLIC_LEN))
        bz_found_add(found, "%s and %s are of different instances", bz_safe(a->path),
                     bz_safe(base->path));
}

/* ---- reading one from end to end ---- */

struct pass {
    struct bz_chain *c;
    size_t i;
};

static enum bz_status keep_place(void *ctx, const uint8_t name[BZ_BACKUP_NAME],
                                 const struct bz_backup_place *at) {
    struct pass *p = ctx;
    struct bz_backup_place place = *at;
    place.archive = (uint32_t)p->i;
    enum bz_status st = bz_backup_set_add(&p->c->places, name, &place);
    return st == BZ_EEXISTS ? BZ_OK : st;
}

static void show_progress(void *ctx, uint64_t done, uint64_t total) {
    (void)ctx;
    bz_backup_progress("reading", done, total);
}

/* Whose archive: one of those that were named, if any were. */
static bool signer_ok(const struct bz_archive *a, const struct bz_backup_trust *t,
                      struct bz_found *found) {
    char text[BZ_BACKUP_KEY_TEXT + 1];
    for (size_t i = 0; i < t->signers_n; i++)
        if (same(t->signer[i], a->scan.head.signer, BZ_SIGN_PUBLIC_LEN))
            return true;
    if (t->signers_n == 0)
        return true;
    bz_backup_key_text(BZ_BACKUP_SIGNER, a->scan.head.signer, text);
    bz_found_add(found, "%s: signed by %s, which is none of the signers you trust",
                 bz_safe(a->path), text);
    return false;
}

static int open_keys(struct bz_archive *a, const struct bz_backup_trust *t) {
    if (!t->has_secret)
        return BZ_EXIT_OK;
    enum bz_status st = bz_backup_head_open(&a->scan.head, t->secret, &a->secrets);
    a->open = st == BZ_OK;
    if (st == BZ_OK)
        return BZ_EXIT_OK;
    bz_say("%s: %s", bz_safe(a->path),
           st == BZ_ENOTFOUND ? "was not made for this key: nothing in it can be read"
                              : "its keys cannot be opened: the head was changed");
    return st == BZ_ENOTFOUND ? BZ_EXIT_UNCHECKED : BZ_EXIT_FINDINGS;
}

/* How a failed scan is told. */
static int scan_failed(const struct bz_archive *a, enum bz_status st, const struct bz_diag *d,
                       struct bz_found *found) {
    if (st == BZ_EIO || st == BZ_ENOMEM || st == BZ_ETIMEOUT) {
        bz_say("%s: %s", bz_safe(a->path), bz_backup_stopped() ? "stopped" : bz_status_text(st));
        return BZ_EXIT_UNCHECKED;
    }
    bz_found_add(found, "%s: at byte %llu: %s", bz_safe(a->path), (unsigned long long)d->offset,
                 d->why == NULL ? bz_status_text(st) : d->why);
    return BZ_EXIT_FINDINGS;
}

static enum bz_status check_names(struct bz_chain *c, const struct bz_archive *a,
                                  const struct bz_backup_entry *e, struct bz_found *found) {
    uint64_t left = e->size;
    for (size_t i = 0; i < e->names.n / BZ_BACKUP_NAME; i++) {
        uint64_t n = left < BZ_BACKUP_CHUNK ? left : BZ_BACKUP_CHUNK;
        struct bz_backup_place at;
        if (!bz_backup_set_get(&c->places, e->names.p + i * BZ_BACKUP_NAME, &at) || at.n != n) {
            char path[128];
            (void)snprintf(path, sizeof path, "%.*s", (int)(e->path.n < 120 ? e->path.n : 120),
                           (const char *)e->path.p);
            bz_found_add(found, "%s: %s: a part of it is in no archive that was given",
                         bz_safe(a->path), bz_safe(path));
            return BZ_ENOTFOUND;
        }
        left -= n;
    }
    return BZ_OK;
}

/* Everything the manifest names is in this archive or in one before. */
static int check_manifest(struct bz_chain *c, const struct bz_archive *a, struct bz_found *found) {
    struct bz_diag diag = {0};
    struct bz_backup_entry e;
    enum bz_status st = bz_backup_manifest_open(bz_buf_view(&c->manifest_mem), &c->manifest, &diag);
    if (st == BZ_OK && (!same(c->manifest.id, a->scan.head.id, BZ_BACKUP_ID) ||
                        !same(c->manifest.instance, a->scan.head.instance, 8)))
        st = BZ_ECORRUPT;
    if (st != BZ_OK) {
        bz_found_add(found, "%s: %s", bz_safe(a->path),
                     diag.why == NULL ? bz_status_text(st) : diag.why);
        return BZ_EXIT_FINDINGS;
    }
    struct bz_backup_manifest walk = c->manifest;
    size_t before = found->n;
    bool whole = a->scan.head.depth == (uint32_t)(a - c->a); /* else the missing one is told of */
    while (whole && bz_backup_manifest_next(&walk, &e) == BZ_OK)
        if (check_names(c, a, &e, found) != BZ_OK && found->n >= before + BZ_FOUND_MAX)
            break;
    c->bytes = c->manifest.bytes;
    return found->n == before ? BZ_EXIT_OK : BZ_EXIT_FINDINGS;
}

static int scan_one(struct bz_chain *c, size_t i, const struct bz_backup_trust *t,
                    struct bz_found *found) {
    struct bz_archive *a = &c->a[i];
    struct bz_diag diag = {0};
    struct pass p = {c, i};
    int rc = open_keys(a, t);
    if (rc != BZ_EXIT_OK)
        return rc;
    bz_buf_free(&c->manifest_mem);
    bz_buf_init(&c->manifest_mem, BZ_BACKUP_MANIFEST_MAX);
    a->scan.progress = show_progress;
    a->scan.ctx = &p;
    if (a->open) {
        a->scan.secrets = &a->secrets;
        a->scan.chunk = keep_place;
        a->scan.manifest = &c->manifest_mem;
    }
    enum bz_status st = bz_backup_scan(&a->src, &a->scan, &diag);
    bz_backup_progress("reading", 1, 1);
    if (st != BZ_OK)
        return scan_failed(a, st, &diag, found);
    a->good = true;
    if (!signer_ok(a, t, found))
        return BZ_EXIT_FINDINGS;
    return a->open ? check_manifest(c, a, found) : BZ_EXIT_OK;
}

/* ---- the chain ---- */

static int open_all(struct bz_chain *c, const char *const *paths, size_t n,
                    struct bz_found *found) {
    for (size_t i = 0; i < n; i++) {
        if (!bz_archive_open(paths[i], &c->a[c->n]))
            return BZ_EXIT_FAILURE;
        enum bz_status st = peek_head(&c->a[c->n++]);
        if (st == BZ_EIO)
            return BZ_EXIT_UNCHECKED;
        if (st == BZ_EVERSION) {
            bz_say("%s: was written by a newer release", bz_safe(paths[i]));
            return BZ_EXIT_UNCHECKED;
        }
        if (st != BZ_OK) {
            bz_found_add(found, "%s: %s", bz_safe(paths[i]),
                         st == BZ_ESYNTAX ? "is no archive of bartizan backup"
                                          : "its head is damaged or cut short");
            return BZ_EXIT_FINDINGS;
        }
    }
    settle(c);
    return BZ_EXIT_OK;
}

static int worse(int a, int b) {
    return a == BZ_EXIT_FINDINGS || b == BZ_EXIT_OK ? a : b;
}

int bz_chain_open(struct bz_chain *c, const char *const *paths, size_t n,
                  const struct bz_backup_trust *trust, struct bz_found *found) {
    memset(c, 0, sizeof *c);
    bz_buf_init(&c->manifest_mem, BZ_BACKUP_MANIFEST_MAX);
    c->pinned = trust->signers_n != 0;
    c->contents = trust->has_secret;
    int rc = open_all(c, paths, n, found);
    if (rc != BZ_EXIT_OK)
        return rc;
    for (size_t i = 0; i < c->n && rc != BZ_EXIT_UNCHECKED; i++) {
        rc = worse(rc, scan_one(c, i, trust, found));
        if (bz_backup_stopped())
            return BZ_EXIT_FAILURE;
        check_link(c, i, found);
    }
    return worse(rc, found->n == 0 ? BZ_EXIT_OK : BZ_EXIT_FINDINGS);
}

void bz_chain_close(struct bz_chain *c) {
    for (size_t i = 0; i < c->n; i++)
        bz_archive_close(&c->a[i]);
    bz_backup_set_free(&c->places);
    bz_buf_wipe_free(&c->manifest_mem);
    c->n = 0;
}

enum bz_status bz_chain_chunk(const struct bz_chain *c, const struct bz_backup_entry *e, size_t i,
                              struct bz_buf *out) {
    const uint8_t *name = e->names.p + i * BZ_BACKUP_NAME;
    uint8_t is[BZ_BACKUP_NAME];
    struct bz_backup_place at;
    size_t from = out->n;
    if (!bz_backup_set_get(&c->places, name, &at) || at.archive >= c->n)
        return BZ_ENOTFOUND;
    const struct bz_archive *a = &c->a[at.archive];
    BZ_TRY(bz_backup_chunk(&a->src, &a->scan.head, &a->secrets, &at, out));
    /* the file may have changed since it was scanned */
    bz_keyed_hash(a->secrets.name_key, bz_view(out->p + from, out->n - from), is);
    return same(is, name, BZ_BACKUP_NAME) ? BZ_OK : BZ_ECORRUPT;
}

/* ---- what is shown ---- */

void bz_chain_json(struct bz_jw *w, const struct bz_chain *c) {
    char text[BZ_BACKUP_KEY_TEXT + 1];
    bz_jw_kbool(w, "contents", c->contents);
    bz_jw_kbool(w, "pinned", c->pinned);
    bz_jw_key(w, "archives");
    bz_jw_arr(w);
    for (size_t i = 0; i < c->n; i++) {
        const struct bz_archive *a = &c->a[i];
        bz_backup_key_text(BZ_BACKUP_SIGNER, a->scan.head.signer, text);
        bz_jw_obj(w);
        bz_jw_kstr(w, "file", bz_view_str(a->path));
        bz_jw_kbool(w, "good", a->good);
        bz_jw_hex(w, "id", a->scan.head.id, BZ_BACKUP_ID);
        bz_jw_hex(w, "instance", a->scan.head.instance, 8);
        bz_jw_ku64(w, "number", a->scan.head.depth);
        bz_jw_key(w, "created");
        bz_jw_time(w, a->scan.head.created_ns);
        bz_jw_kstr(w, "signer", bz_view_str(text));
        if (a->good)
            bz_jw_hex(w, "sha256", a->scan.digest, BZ_HASH_LEN);
        bz_jw_ku64(w, "size", a->src.size);
        bz_jw_ku64(w, "chunks", a->scan.chunks);
        bz_jw_end(w);
    }
    bz_jw_end(w);
}

void bz_chain_print(const struct bz_chain *c) {
    char when[32], text[BZ_BACKUP_KEY_TEXT + 1];
    for (size_t i = 0; i < c->n; i++) {
        const struct bz_archive *a = &c->a[i];
        (void)printf("%-8s %s  %llu KiB  ", a->scan.head.depth == 0 ? "full" : "changes",
                     date(a->scan.head.created_ns, when), (unsigned long long)(a->src.size >> 10));
        bz_print_safe(stdout, bz_view_str(a->path));
        (void)printf("%s\n", a->good ? "" : "  (not good)");
    }
    if (c->n == 0)
        return;
    bz_backup_key_text(BZ_BACKUP_SIGNER, c->a[c->n - 1].scan.head.signer, text);
    (void)printf("signed by %s%s\n", text,
                 c->pinned ? "" : ", whoever that is: name the instance's own with --signer");
}
