/* From the spool into the store. */
#include "bodies.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BATCH = 256,
    BATCH_BYTES = 16 << 20,
    FILE_MAX_BYTES = BZ_STORED_BODY_MAX + 8192,
    STALE_S = 3600,
};
#define REFUSED "refused"

struct taken { /* one file of a batch */
    char name[BZ_BODY_NAME];
    struct bz_body_row row; /* its `sealed` is set when the batch is whole */
    size_t from, n;         /* in `sealed` of the batch; n 0: nothing to store */
};

struct batch {
    struct bz_keep *k;
    struct taken v[BATCH];
    size_t n;
    struct bz_buf file, mem, sealed;
    uint64_t now_ms;
    bool more;
};

/* ---- keys ---- */

static enum bz_status user_key(struct bz_keep *k, const char *name, uint64_t now_ms, int64_t *ret,
                               uint8_t key[BZ_KEY_LEN]) {
    struct bz_body_user u;
    struct bz_view v = bz_view_str(name);
    enum bz_status st = bz_bodystore_user(k->store, name, &u);
    if (st == BZ_OK) {
        *ret = u.seq;
        return bz_body_unwrap(bz_keep_wrap(k), BZ_WRAP_USER, u.id, v,
                              bz_view(u.wrapped, sizeof u.wrapped), key);
    }
    if (st != BZ_ENOTFOUND)
        return st;
    u = (struct bz_body_user){.name = name, .created = now_ms};
    bz_random(u.id, sizeof u.id);
    bz_random(key, BZ_KEY_LEN);
    BZ_TRY(bz_body_wrap(bz_keep_wrap(k), BZ_WRAP_USER, u.id, v, key, u.wrapped));
    return bz_bodystore_user_add(k->store, &u, ret);
}

static enum bz_status conversation_key(struct bz_keep *k, int64_t user,
                                       const uint8_t above[BZ_KEY_LEN], const char *name,
                                       uint64_t now_ms, uint8_t id[BZ_BODY_KEY_ID],
                                       uint8_t key[BZ_KEY_LEN]) {
    struct bz_body_conversation c;
    struct bz_view v = bz_view_str(name);
    enum bz_status st = bz_bodystore_conversation(k->store, user, name, &c);
    if (st == BZ_OK)
        st = bz_body_unwrap(above, BZ_WRAP_CONVERSATION, c.id, v,
                            bz_view(c.wrapped, sizeof c.wrapped), key);
    else if (st == BZ_ENOTFOUND) {
        c = (struct bz_body_conversation){.name = name, .created = now_ms};
        bz_random(c.id, sizeof c.id);
        bz_random(key, BZ_KEY_LEN);
        st = bz_body_wrap(above, BZ_WRAP_CONVERSATION, c.id, v, key, c.wrapped);
        if (st == BZ_OK)
            st = bz_bodystore_conversation_add(k->store, user, &c);
    }
    memcpy(id, c.id, sizeof c.id);
    return st;
}

/* C text of a name; false: it holds a NUL. */
static bool text_of(struct bz_view v, char out[BZ_STORED_NAME_MAX + 1]) {
    if (v.n > BZ_STORED_NAME_MAX || (v.n > 0 && memchr(v.p, 0, v.n) != NULL))
        return false;
    if (v.n > 0)
        memcpy(out, v.p, v.n);
    out[v.n] = '\0';
    return true;
}

/* Seals a body under its conversation's key, into the batch. */
static enum bz_status reseal(struct batch *b, const struct bz_body *body, struct taken *t) {
    char user[BZ_STORED_NAME_MAX + 1], conversation[BZ_STORED_NAME_MAX + 1];
    uint8_t above[BZ_KEY_LEN], key[BZ_KEY_LEN];
    int64_t seq = 0;
    if (!text_of(body->user, user) || !text_of(body->conversation, conversation))
        return BZ_ESYNTAX;
    enum bz_status st = user_key(b->k, user, b->now_ms, &seq, above);
    if (st == BZ_OK)
        st = conversation_key(b->k, seq, above, conversation, b->now_ms, t->row.key, key);
    const struct bz_body_place at = bz_body_place(body, t->row.key);
    t->from = b->sealed.n;
    if (st == BZ_OK)
        st = bz_body_store(key, &at, body, &b->sealed);
    t->n = b->sealed.n - t->from;
    memcpy(t->row.id, body->id, sizeof t->row.id);
    t->row.part = at.part;
    t->row.level = at.level;
    t->row.time_ms = at.time_ms;
    bz_wipe(above, sizeof above);
    bz_wipe(key, sizeof key);
    return st;
}

/* ---- files ---- */

struct pair_wanted {
    const struct bz_keep *k;
    uint8_t hint[BZ_BODY_HINT];
    uint8_t sec[BZ_BOX_LEN];
    bool found;
};

static enum bz_status find_pair(void *ctx, const struct bz_body_pair *p) {
    struct pair_wanted *w = ctx;
    if (memcmp(p->pub, w->hint, sizeof w->hint) != 0)
        return BZ_OK;
    w->found = true;
    return bz_body_unwrap(bz_keep_wrap(w->k), BZ_WRAP_PAIR, p->pub, BZ_V("spool"),
                          bz_view(p->wrapped, sizeof p->wrapped), w->sec);
}

static enum bz_status open_body(struct batch *b, struct bz_body *ret) {
    struct pair_wanted w = {.k = b->k};
    struct bz_view file = bz_buf_view(&b->file);
    if (!bz_body_hint(file, w.hint))
        return BZ_ECORRUPT;
    if (memcmp(w.hint, b->k->pub, sizeof w.hint) == 0)
        return bz_body_open(bz_keep_pair_secret(b->k), file, &b->mem, ret);
    enum bz_status st = bz_bodystore_pairs(b->k->store, find_pair, &w);
    if (st == BZ_OK)
        st = w.found ? bz_body_open(w.sec, file, &b->mem, ret) : BZ_EEXPIRED;
    bz_wipe(w.sec, sizeof w.sec);
    return st;
}

/* Not for us, or damaged: out of the way, so that it is not tried again each second. */
static void refuse(struct bz_keep *k, const char *name) {
    char to[sizeof REFUSED + BZ_BODY_NAME] = REFUSED "/";
    (void)mkdirat(k->dir, REFUSED, 0700);
    memcpy(to + sizeof REFUSED, name, BZ_BODY_NAME);
    if (renameat(k->spool, name, k->dir, to) != 0)
        (void)unlinkat(k->spool, name, 0);
    k->counts.refused++;
}

static bool hopeless(enum bz_status st) {
    return st == BZ_ECORRUPT || st == BZ_EVERSION || st == BZ_ESYNTAX || st == BZ_EEXPIRED ||
           st == BZ_ETOOBIG || st == BZ_EINVAL;
}

static bool name_fits(const char *name, const struct bz_body *body) {
    uint8_t id[BZ_BODY_ID];
    enum bz_body_part part;
    return bz_body_name_parse(name, id, &part) && part == body->part &&
           memcmp(id, body->id, sizeof id) == 0;
}

/* Reads one file into the batch. Failures of the store end the batch; those of the file do not. */
static enum bz_status take_file(struct batch *b, const char *name) {
    struct taken *t = &b->v[b->n];
    struct bz_body body;
    *t = (struct taken){.n = 0};
    bz_buf_reset(&b->file);
    enum bz_status st = bz_file_read(b->k->spool, name, &b->file);
    if (st == BZ_ENOTFOUND)
        return BZ_OK;
    if (st == BZ_OK)
        st = open_body(b, &body);
    if (st == BZ_OK && !name_fits(name, &body))
        st = BZ_ESYNTAX;
    bool gone = st == BZ_OK && bz_keep_is_gone(b->k, &body);
    if (st == BZ_OK && !gone)
        st = reseal(b, &body, t);
    if (b->mem.n > 0)
        bz_wipe(b->mem.p, b->mem.n);
    if (hopeless(st)) {
        refuse(b->k, name);
        return BZ_OK;
    }
    BZ_TRY(st);
    memcpy(t->name, name, sizeof t->name); /* bz_body_name_parse knows its length */
    b->n++;
    return BZ_OK;
}

/* A worker that was killed while it wrote leaves half a file behind, which nobody finishes. */
static void drop_stale(struct bz_keep *k, const char *name, uint64_t now_ms) {
    struct stat sb;
    if (fstatat(k->spool, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(sb.st_mode) &&
        (uint64_t)sb.st_mtime + STALE_S < now_ms / 1000)
        (void)unlinkat(k->spool, name, 0);
}

static DIR *open_spool(const struct bz_keep *k) {
    int fd = openat(k->spool, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL)
        bz_fd_done(&fd);
    return d;
}

static enum bz_status read_files(struct batch *b) {
    DIR *d = open_spool(b->k);
    const struct dirent *e;
    enum bz_status st = d == NULL ? BZ_EIO : BZ_OK;
    while (st == BZ_OK && (e = readdir(d)) != NULL) {
        uint8_t id[BZ_BODY_ID];
        enum bz_body_part part;
        if (e->d_name[0] == '.')
            continue;
        if (!bz_body_name_parse(e->d_name, id, &part)) {
            drop_stale(b->k, e->d_name, b->now_ms);
            continue;
        }
        if (b->n == BATCH || b->sealed.n >= BATCH_BYTES) {
            b->more = true;
            break;
        }
        st = take_file(b, e->d_name);
    }
    if (d != NULL)
        (void)closedir(d);
    return st;
}

/* ---- batch ---- */

static enum bz_status put_rows(struct batch *b) {
    struct bz_bodystore *s = b->k->store;
    BZ_TRY(bz_bodystore_begin(s, BZ_BODYSTORE_ROWS));
    enum bz_status st = BZ_OK;
    for (size_t i = 0; i < b->n && st == BZ_OK; i++) {
        struct taken *t = &b->v[i];
        t->row.sealed = bz_view_sub(bz_buf_view(&b->sealed), t->from, t->n);
        st = t->n == 0 ? BZ_EEXISTS : bz_bodystore_put(s, &t->row);
        if (st == BZ_OK)
            b->k->counts.taken++;
        else
            b->k->counts.dropped++;
        st = st == BZ_EEXISTS ? BZ_OK : st; /* taken in before a crash, or erased */
    }
    if (st == BZ_OK)
        st = bz_bodystore_commit(s, BZ_BODYSTORE_ROWS);
    if (st != BZ_OK)
        bz_bodystore_rollback(s, BZ_BODYSTORE_ROWS);
    return st;
}

static enum bz_status take_batch(struct batch *b) {
    struct bz_bodystore *s = b->k->store;
    BZ_TRY(bz_bodystore_begin(s, BZ_BODYSTORE_KEYS));
    enum bz_status st = read_files(b);
    if (st == BZ_OK)
        st = bz_bodystore_commit(s, BZ_BODYSTORE_KEYS);
    if (st != BZ_OK) {
        bz_bodystore_rollback(s, BZ_BODYSTORE_KEYS);
        return st;
    }
    if (b->n == 0)
        return BZ_OK;
    BZ_TRY(put_rows(b));
    for (size_t i = 0; i < b->n; i++)
        (void)unlinkat(b->k->spool, b->v[i].name, 0);
    return BZ_OK;
}

/* Most seconds nothing waits; that must not cost a transaction. */
static bool anything_waits(const struct bz_keep *k) {
    DIR *d = open_spool(k);
    const struct dirent *e;
    bool any = false;
    while (d != NULL && !any && (e = readdir(d)) != NULL)
        any = e->d_name[0] != '.';
    if (d != NULL)
        (void)closedir(d);
    return any;
}

enum bz_status bz_keep_take(struct bz_keep *k, uint64_t now_ms, bool *ret_more) {
    *ret_more = false;
    if (!anything_waits(k))
        return BZ_OK;
    struct batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return BZ_ENOMEM;
    b->k = k;
    b->now_ms = now_ms;
    bz_buf_init(&b->file, FILE_MAX_BYTES);
    bz_buf_init(&b->mem, FILE_MAX_BYTES);
    bz_buf_init(&b->sealed, (size_t)BATCH_BYTES + FILE_MAX_BYTES);
    enum bz_status st = take_batch(b);
    *ret_more = st == BZ_OK && b->more;
    bz_buf_wipe_free(&b->mem);
    bz_buf_free(&b->file);
    bz_buf_free(&b->sealed);
    free(b);
    return st;
}

static void count_files(int dir, struct bz_keep_spool *ret) {
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    struct stat sb;
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.' || fstatat(dir, e->d_name, &sb, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        ret->files++;
        ret->bytes += (uint64_t)sb.st_size;
    }
    if (d != NULL)
        (void)closedir(d);
    else
        bz_fd_done(&fd);
}

enum bz_status bz_keep_spool(const struct bz_keep *k, struct bz_keep_spool *ret) {
    struct bz_keep_spool s = {0, 0, 0}, bad = s;
    count_files(k->spool, &s);
    BZ_FD fd = openat(k->dir, REFUSED, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0)
        count_files(fd, &bad);
    s.refused = bad.files;
    *ret = s;
    return BZ_OK;
}
