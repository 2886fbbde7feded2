/* Erasure. The list DIR/bodies/erased is written first and is what counts: whatever a crash cut short, or an
 * older copy of the database brought back, is done again at the next start. */
#include "bodies.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { ERASED_MAX = 64 << 20, REMOVE_BATCH = 10000 };
#define ERASED_FILE "erased" /* in DIR/bodies */

/* ---- the list ---- */

static enum bz_status remember(struct bz_keep *k, const struct bz_erased *e) {
    struct bz_keep_gone g = {.time_ms = e->time_ms};
    memcpy(g.name, e->name, sizeof g.name);
    bz_buf_put(&k->gone, bz_view(&g, sizeof g));
    return bz_buf_status(&k->gone);
}

uint64_t bz_keep_erased_count(const struct bz_keep *k) {
    return k->gone.n / sizeof(struct bz_keep_gone);
}

static bool gone_since(const struct bz_keep *k, const uint8_t name[BZ_HASH_LEN], uint64_t time_ms) {
    for (size_t i = 0; i < k->gone.n; i += sizeof(struct bz_keep_gone)) {
        struct bz_keep_gone g;
        memcpy(&g, k->gone.p + i, sizeof g);
        if (time_ms <= g.time_ms &&
            bz_view_eq(bz_view(g.name, sizeof g.name), bz_view(name, BZ_HASH_LEN)))
            return true;
    }
    return false;
}

bool bz_keep_is_gone(const struct bz_keep *k, const struct bz_body *b) {
    uint8_t name[BZ_HASH_LEN];
    if (k->gone.n == 0)
        return false;
    bz_erased_name(bz_keep_erased_key(k), b->user, NULL, name);
    if (gone_since(k, name, b->time_ms))
        return true;
    bz_erased_name(bz_keep_erased_key(k), b->user, &b->conversation, name);
    return gone_since(k, name, b->time_ms);
}

enum bz_status bz_keep_erased_lines(const struct bz_keep *k, struct bz_buf *out) {
    enum bz_status st = bz_file_read(k->dir, ERASED_FILE, out);
    return st == BZ_ENOTFOUND ? BZ_OK : st;
}

static enum bz_status write_durably(int fd, struct bz_view v) {
    while (v.n > 0) {
        ssize_t n = write(fd, v.p, v.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return BZ_EIO;
        v = bz_view_sub(v, (size_t)n, v.n);
    }
    return fsync(fd) == 0 ? BZ_OK : BZ_EIO;
}

/* Behind a line that a crash tore, a line feed comes first: then only that one is lost, and it was never
 * acted upon. */
static enum bz_status append(const struct bz_keep *k, struct bz_view lines) {
    uint8_t last = '\n';
    BZ_FD fd =
        openat(k->dir, ERASED_FILE, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    if (size < 0 || (size > 0 && pread(fd, &last, 1, size - 1) != 1))
        return BZ_EIO;
    if (last != '\n')
        BZ_TRY(write_durably(fd, BZ_V("\n")));
    BZ_TRY(write_durably(fd, lines));
    return fsync(k->dir) == 0 ? BZ_OK : BZ_EIO;
}

/* ---- destroying ---- */

static bool no_key(const uint8_t id[BZ_BODY_KEY_ID]) {
    static const uint8_t zeros[BZ_BODY_KEY_ID];
    return memcmp(id, zeros, sizeof zeros) == 0;
}

static enum bz_status remove_rows(struct bz_keep *k, const uint8_t id[BZ_BODY_KEY_ID],
                                  uint64_t *total) {
    uint64_t n = REMOVE_BATCH;
    while (n == REMOVE_BATCH) {
        BZ_TRY(bz_bodystore_remove(k->store, id, REMOVE_BATCH, &n));
        *total += n;
    }
    return BZ_OK;
}

/* Keys first and together, then what they sealed. */
static enum bz_status destroy(struct bz_keep *k, struct bz_view lines, uint64_t *ret_bodies) {
    struct bz_erased e;
    struct bz_view rest = lines;
    enum bz_status st;
    *ret_bodies = 0;
    BZ_TRY(bz_bodystore_begin(k->store, BZ_BODYSTORE_KEYS));
    while ((st = bz_erased_next(bz_keep_erased_key(k), &rest, &e)) != BZ_MORE) {
        if (st != BZ_OK || no_key(e.key))
            continue;
        st = bz_bodystore_key_destroy(k->store, e.key);
        if (st != BZ_OK)
            break;
    }
    if (st == BZ_MORE)
        st = bz_bodystore_commit(k->store, BZ_BODYSTORE_KEYS);
    if (st != BZ_OK) {
        bz_bodystore_rollback(k->store, BZ_BODYSTORE_KEYS);
        return st;
    }
    BZ_TRY(bz_bodystore_scrub(k->store, BZ_BODYSTORE_KEYS));
    for (rest = lines; (st = bz_erased_next(bz_keep_erased_key(k), &rest, &e)) != BZ_MORE;) {
        if (st == BZ_OK && e.kind == BZ_WRAP_CONVERSATION && !no_key(e.key))
            BZ_TRY(remove_rows(k, e.key, ret_bodies));
    }
    return BZ_OK;
}

enum bz_status bz_keep_erased_load(struct bz_keep *k) {
    struct bz_buf file;
    struct bz_erased e;
    uint64_t bodies = 0;
    bz_buf_init(&file, ERASED_MAX);
    bz_buf_reset(&k->gone);
    enum bz_status st = bz_keep_erased_lines(k, &file), line;
    struct bz_view rest = bz_buf_view(&file);
    while (st == BZ_OK && (line = bz_erased_next(bz_keep_erased_key(k), &rest, &e)) != BZ_MORE)
        st = line == BZ_OK ? remember(k, &e) : BZ_OK;
    if (st == BZ_OK && file.n > 0)
        st = destroy(k, bz_buf_view(&file), &bodies);
    k->undone = st != BZ_OK;
    bz_buf_free(&file);
    return st;
}

/* ---- erase ---- */

struct erase {
    struct bz_keep *k;
    struct bz_view user;
    const char *conversation;
    uint64_t now_ms;
    struct bz_buf lines;
    struct bz_keep_erased found;
    bool user_line;
};

static void put_line(struct erase *x, enum bz_wrap_kind kind, const uint8_t id[BZ_BODY_KEY_ID],
                     const struct bz_view *conversation) {
    struct bz_erased e = {.kind = kind, .time_ms = x->now_ms};
    if (id != NULL)
        memcpy(e.key, id, sizeof e.key);
    bz_erased_name(bz_keep_erased_key(x->k), x->user, conversation, e.name);
    bz_erased_put(bz_keep_erased_key(x->k), &e, &x->lines);
}

static enum bz_status mark_key(void *ctx, const struct bz_body_user *u,
                               const struct bz_body_conversation *c) {
    struct erase *x = ctx;
    struct bz_view name = bz_view_str(c->name);
    struct bz_body_sum sum;
    if (x->conversation != NULL && strcmp(x->conversation, c->name) != 0)
        return BZ_OK;
    BZ_TRY(bz_bodystore_sum(x->k->store, c->id, -1, &sum));
    x->found.keys++;
    x->found.bodies += sum.n;
    if (x->conversation == NULL && !x->user_line)
        put_line(x, BZ_WRAP_USER, u->id, NULL);
    x->user_line = true;
    put_line(x, BZ_WRAP_CONVERSATION, c->id, &name);
    return bz_buf_status(&x->lines);
}

/* Also where nothing is stored: what is on its way comes later, and must not stay. */
static void mark_name(struct erase *x) {
    struct bz_view name = x->conversation == NULL ? bz_view(NULL, 0) : bz_view_str(x->conversation);
    if (x->user_line)
        return;
    if (x->conversation == NULL)
        put_line(x, BZ_WRAP_USER, NULL, NULL);
    else
        put_line(x, BZ_WRAP_CONVERSATION, NULL, &name);
}

static enum bz_status remember_all(struct bz_keep *k, struct bz_view lines) {
    struct bz_erased e;
    while (bz_erased_next(bz_keep_erased_key(k), &lines, &e) == BZ_OK)
        BZ_TRY(remember(k, &e));
    return BZ_OK;
}

static enum bz_status carry_out(struct bz_keep *k, struct bz_view lines, uint64_t *ret_bodies) {
    BZ_TRY(append(k, lines));
    k->undone = true; /* until the database follows, each sweep tries again */
    BZ_TRY(remember_all(k, lines));
    BZ_TRY(destroy(k, lines, ret_bodies));
    k->undone = false;
    return BZ_OK;
}

static enum bz_status drain(struct bz_keep *k, uint64_t now_ms) {
    bool more = true;
    while (more)
        BZ_TRY(bz_keep_take(k, now_ms, &more));
    return BZ_OK;
}

enum bz_status bz_keep_erase(struct bz_keep *k, const char *user, const char *conversation,
                             bool dry, uint64_t now_ms, struct bz_keep_erased *ret) {
    struct erase x = {
        .k = k, .user = bz_view_str(user), .conversation = conversation, .now_ms = now_ms};
    bool held = false;
    BZ_TRY(drain(k, now_ms));
    BZ_TRY(bz_bodystore_held(k->store, user, conversation, &held));
    if (held)
        return BZ_EDENIED;
    bz_buf_init(&x.lines, ERASED_MAX);
    enum bz_status st = bz_bodystore_keys(k->store, user, mark_key, &x);
    mark_name(&x);
    if (st == BZ_OK)
        st = bz_buf_status(&x.lines);
    if (st == BZ_OK && !dry)
        st = carry_out(k, bz_buf_view(&x.lines), &x.found.bodies);
    bz_buf_free(&x.lines);
    if (st == BZ_OK)
        *ret = x.found;
    return st;
}

/* ---- lists of other copies ---- */

static bool has_line(struct bz_view all, struct bz_view line) {
    return all.n >= line.n && memmem(all.p, all.n, line.p, line.n) != NULL;
}

static enum bz_status pick_new(struct bz_keep *k, struct bz_view lines, struct bz_view all,
                               struct bz_buf *out, uint64_t *n) {
    struct bz_erased e;
    struct bz_view rest = lines;
    enum bz_status st;
    for (struct bz_view at = rest;
         (st = bz_erased_next(bz_keep_erased_key(k), &rest, &e)) != BZ_MORE; at = rest) {
        struct bz_view line = bz_view_sub(at, 0, at.n - rest.n);
        if (st != BZ_OK)
            return BZ_EDENIED;
        if (has_line(all, line))
            continue;
        bz_buf_put(out, line);
        (*n)++;
    }
    return bz_buf_status(out);
}

enum bz_status bz_keep_erased_apply(struct bz_keep *k, struct bz_view lines, uint64_t *ret_new) {
    struct bz_buf have, fresh;
    uint64_t n = 0, bodies = 0;
    bz_buf_init(&have, ERASED_MAX);
    bz_buf_init(&fresh, ERASED_MAX);
    enum bz_status st = bz_keep_erased_lines(k, &have);
    if (st == BZ_OK)
        st = pick_new(k, lines, bz_buf_view(&have), &fresh, &n);
    if (st == BZ_OK && n > 0)
        st = carry_out(k, bz_buf_view(&fresh), &bodies);
    bz_buf_free(&have);
    bz_buf_free(&fresh);
    if (st == BZ_OK)
        *ret_new = n;
    return st;
}
