/* Opening, key pairs of the spool, retention, export. */
#include "bodies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WRAP = 0,
    ERASED = BZ_KEY_LEN,
    PAIR = 2 * BZ_KEY_LEN,
    SECRETS = 3 * BZ_KEY_LEN,
    EXPIRE_BATCH = 1000,
    GONE_MAX = 256 << 20,
    BODY_MEM = BZ_STORED_BODY_MAX + 8192,
    UNUSED_EVERY_MS = 3600 * 1000,
};

const uint8_t *bz_keep_wrap(const struct bz_keep *k) {
    return k->keys.p + WRAP;
}

const uint8_t *bz_keep_erased_key(const struct bz_keep *k) {
    return k->keys.p + ERASED;
}

uint8_t *bz_keep_pair_secret(const struct bz_keep *k) {
    return k->keys.p + PAIR;
}

const uint8_t *bz_keep_public(const struct bz_keep *k) {
    return k->pub;
}

struct bz_keep_counts bz_keep_counts(const struct bz_keep *k) {
    return k->counts;
}

struct bz_bodystore *bz_keep_store(struct bz_keep *k) {
    return k->store;
}

/* ---- pairs ---- */

/* The id that a pair's wrapping is bound to is the beginning of its public key. */
static enum bz_status unwrap_pair(const struct bz_keep *k, const struct bz_body_pair *p,
                                  uint8_t sec[BZ_BOX_LEN]) {
    return bz_body_unwrap(bz_keep_wrap(k), BZ_WRAP_PAIR, p->pub, BZ_V("spool"),
                          bz_view(p->wrapped, sizeof p->wrapped), sec);
}

static enum bz_status newest_pair(void *ctx, const struct bz_body_pair *p) {
    struct bz_keep *k = ctx;
    BZ_TRY(unwrap_pair(k, p, bz_keep_pair_secret(k)));
    memcpy(k->pub, p->pub, sizeof k->pub);
    k->pair_ms = p->created;
    return BZ_OK;
}

static enum bz_status new_pair(struct bz_keep *k, uint64_t now_ms) {
    struct bz_body_pair p = {.created = now_ms};
    uint8_t sec[BZ_BOX_LEN];
    bz_box_keypair(p.pub, sec);
    enum bz_status st =
        bz_body_wrap(bz_keep_wrap(k), BZ_WRAP_PAIR, p.pub, BZ_V("spool"), sec, p.wrapped);
    if (st == BZ_OK)
        st = bz_bodystore_pair_add(k->store, &p);
    if (st == BZ_OK)
        st = newest_pair(k, &p);
    bz_wipe(sec, sizeof sec);
    return st;
}

struct old_pairs {
    int64_t before, done; /* seq of the pair before; the last one that nobody needs */
    uint64_t now_ms;
};

/* A pair was last sealed to when the one after it came, and by streams that began before. */
static enum bz_status look_for_old(void *ctx, const struct bz_body_pair *p) {
    struct old_pairs *o = ctx;
    if (o->before != 0 && p->created + BZ_PAIR_LATE_MS < o->now_ms)
        o->done = o->before;
    o->before = p->seq;
    return BZ_OK;
}

static enum bz_status drop_old_pairs(struct bz_keep *k, uint64_t now_ms) {
    struct old_pairs o = {.now_ms = now_ms};
    BZ_TRY(bz_bodystore_pairs(k->store, look_for_old, &o));
    if (o.done == 0)
        return BZ_OK;
    BZ_TRY(bz_bodystore_pair_destroy(k->store, o.done));
    return bz_bodystore_scrub(k->store, BZ_BODYSTORE_KEYS);
}

enum bz_status bz_keep_rotate(struct bz_keep *k, uint64_t now_ms, bool *ret_new) {
    bool fresh = k->pair_ms != 0 && now_ms < k->pair_ms + BZ_PAIR_LIFE_MS;
    *ret_new = false;
    if (!fresh) {
        BZ_TRY(new_pair(k, now_ms));
        *ret_new = true;
    }
    return drop_old_pairs(k, now_ms);
}

/* ---- opening ---- */

static enum bz_status open_dir(int at, const char *path, int *ret) {
    if (mkdirat(at, path, 0700) != 0 && errno != EEXIST)
        return BZ_EIO;
    *ret = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return *ret < 0 ? BZ_EIO : BZ_OK;
}

static enum bz_status open_store(const struct bz_instance *in, struct bz_keep *k) {
    char keys[BZ_DIR_PATH_MAX], rows[BZ_DIR_PATH_MAX];
    if (!bz_instance_path(in, BZ_F_BODY_KEYS, keys) || !bz_instance_path(in, BZ_F_BODY_ROWS, rows))
        return BZ_ETOOBIG;
    return bz_bodystore_open(keys, rows, &k->store);
}

static enum bz_status open_all(const struct bz_instance *in, struct bz_keep *k, uint64_t now_ms) {
    bool made = false;
    BZ_TRY(open_dir(in->fd, BZ_F_BODIES, &k->dir));
    BZ_TRY(open_dir(in->fd, BZ_F_BODY_SPOOL, &k->spool));
    BZ_TRY(open_store(in, k));
    BZ_TRY(bz_bodystore_pairs(k->store, newest_pair, k));
    BZ_TRY(bz_keep_erased_load(k));
    return bz_keep_rotate(k, now_ms, &made);
}

enum bz_status bz_keep_open(const struct bz_instance *in, const uint8_t wrap[BZ_KEY_LEN],
                            const uint8_t erased[BZ_KEY_LEN], uint64_t now_ms,
                            struct bz_keep **ret) {
    struct bz_keep *k = calloc(1, sizeof *k);
    if (k == NULL)
        return BZ_ENOMEM;
    k->dir = k->spool = -1;
    bz_buf_init(&k->gone, GONE_MAX);
    enum bz_status st = bz_secret_new(SECRETS, &k->keys);
    if (st == BZ_OK) {
        memcpy(k->keys.p + WRAP, wrap, BZ_KEY_LEN);
        memcpy(k->keys.p + ERASED, erased, BZ_KEY_LEN);
        st = open_all(in, k, now_ms);
    }
    if (st != BZ_OK) {
        bz_keep_close(k);
        return st;
    }
    *ret = k;
    return BZ_OK;
}

void bz_keep_close(struct bz_keep *k) {
    if (k == NULL)
        return;
    bz_bodystore_close(k->store);
    bz_fd_done(&k->spool);
    bz_fd_done(&k->dir);
    bz_buf_free(&k->gone);
    bz_secret_free(&k->keys);
    free(k);
}

/* ---- retention ---- */

struct key_walk {
    struct bz_keep *k;
    const char *conversation; /* of the hold that is looked at; NULL: all */
    struct bz_buf ids;        /* of keys */
    uint64_t now_ms;
};

static enum bz_status held_key(void *ctx, const struct bz_body_user *u,
                               const struct bz_body_conversation *c) {
    struct key_walk *w = ctx;
    (void)u;
    if (w->conversation == NULL || strcmp(w->conversation, c->name) == 0)
        bz_buf_put(&w->ids, bz_view(c->id, sizeof c->id));
    return bz_buf_status(&w->ids);
}

static enum bz_status one_hold(void *ctx, const struct bz_body_hold *h) {
    struct key_walk *w = ctx;
    w->conversation = h->conversation;
    return bz_bodystore_keys(w->k->store, h->user, held_key, w);
}

static enum bz_status unused_key(void *ctx, const struct bz_body_user *u,
                                 const struct bz_body_conversation *c) {
    struct key_walk *w = ctx;
    struct bz_body_sum sum;
    (void)u;
    if (c->created + UNUSED_EVERY_MS >= w->now_ms)
        return BZ_OK;
    BZ_TRY(bz_bodystore_sum(w->k->store, c->id, -1, &sum));
    if (sum.n == 0)
        bz_buf_put(&w->ids, bz_view(c->id, sizeof c->id));
    return bz_buf_status(&w->ids);
}

static enum bz_status expire_levels(struct bz_keep *k, const uint32_t seconds[BZ_BODY_LEVELS],
                                    uint64_t now_ms, struct bz_view held, uint64_t *removed,
                                    bool *more) {
    for (int level = 0; level < BZ_BODY_LEVELS; level++) {
        uint64_t n = 0, life = seconds[level] * 1000ull;
        if (life == 0 || life >= now_ms)
            continue;
        BZ_TRY(bz_bodystore_expire(k->store, level, now_ms - life, held, EXPIRE_BATCH, &n));
        *removed += n;
        *more = *more || n == EXPIRE_BATCH;
    }
    return BZ_OK;
}

static enum bz_status expire(struct bz_keep *k, const uint32_t seconds[BZ_BODY_LEVELS],
                             uint64_t now_ms, uint64_t *removed, bool *more) {
    struct key_walk w = {.k = k, .now_ms = now_ms};
    bz_buf_init(&w.ids, GONE_MAX);
    enum bz_status st = bz_bodystore_holds(k->store, one_hold, &w);
    if (st == BZ_OK)
        st = expire_levels(k, seconds, now_ms, bz_buf_view(&w.ids), removed, more);
    bz_buf_free(&w.ids);
    return st;
}

/* Once an hour: it looks at every key. */
static enum bz_status drop_unused_keys(struct bz_keep *k, uint64_t now_ms) {
    struct key_walk w = {.k = k, .now_ms = now_ms};
    uint64_t users = 0;
    if (now_ms < k->unused_ms + UNUSED_EVERY_MS)
        return BZ_OK;
    k->unused_ms = now_ms;
    bz_buf_init(&w.ids, GONE_MAX);
    enum bz_status st = bz_bodystore_keys(k->store, NULL, unused_key, &w);
    for (size_t i = 0; st == BZ_OK && i < w.ids.n; i += BZ_BODY_KEY_ID)
        st = bz_bodystore_key_destroy(k->store, w.ids.p + i);
    if (st == BZ_OK)
        st = bz_bodystore_users_prune(k->store, &users);
    if (st == BZ_OK && w.ids.n + users > 0)
        st = bz_bodystore_scrub(k->store, BZ_BODYSTORE_KEYS);
    bz_buf_free(&w.ids);
    return st;
}

enum bz_status bz_keep_expire(struct bz_keep *k, const uint32_t seconds[BZ_BODY_LEVELS],
                              uint64_t now_ms, uint64_t *ret_removed, bool *ret_more) {
    *ret_removed = 0;
    *ret_more = false;
    if (k->undone)
        BZ_TRY(bz_keep_erased_load(k));
    BZ_TRY(expire(k, seconds, now_ms, ret_removed, ret_more));
    return drop_unused_keys(k, now_ms);
}

/* ---- export ---- */

struct export {
    struct bz_keep *k;
    const char *conversation;
    struct bz_keep_cursor from, at;
    bz_keep_fn *each;
    void *ctx;
    uint64_t damaged;
    struct bz_buf mem;
    /* of the conversation that is being walked */
    struct bz_view user, name;
    uint8_t key[BZ_KEY_LEN];
};

static enum bz_status one_row(void *ctx, const struct bz_body_row *r) {
    struct export *x = ctx;
    struct bz_body_place at = {.part = r->part, .level = r->level, .time_ms = r->time_ms};
    struct bz_body b;
    memcpy(at.id, r->id, sizeof at.id);
    memcpy(at.key, r->key, sizeof at.key);
    if (bz_body_load(x->key, &at, r->sealed, &x->mem, &b) != BZ_OK) {
        x->damaged++;
        return BZ_OK;
    }
    b.user = x->user;
    b.conversation = x->name;
    x->at.row = r->seq;
    return x->each(x->ctx, &b, &x->at);
}

static enum bz_status one_key(void *ctx, const struct bz_body_user *u,
                              const struct bz_body_conversation *c) {
    struct export *x = ctx;
    uint8_t kek[BZ_KEY_LEN];
    if (c->seq < x->from.conversation ||
        (x->conversation != NULL && strcmp(x->conversation, c->name) != 0))
        return BZ_OK;
    x->user = bz_view_str(u->name);
    x->name = bz_view_str(c->name);
    x->at = (struct bz_keep_cursor){.conversation = c->seq};
    enum bz_status st = bz_body_unwrap(bz_keep_wrap(x->k), BZ_WRAP_USER, u->id, x->user,
                                       bz_view(u->wrapped, sizeof u->wrapped), kek);
    if (st == BZ_OK)
        st = bz_body_unwrap(kek, BZ_WRAP_CONVERSATION, c->id, x->name,
                            bz_view(c->wrapped, sizeof c->wrapped), x->key);
    bz_wipe(kek, sizeof kek);
    if (st != BZ_OK) {
        x->damaged++;
        return BZ_OK;
    }
    return bz_bodystore_rows(x->k->store, c->id, c->seq == x->from.conversation ? x->from.row : 0,
                             one_row, x);
}

enum bz_status bz_keep_export(struct bz_keep *k, const char *user, const char *conversation,
                              struct bz_keep_cursor from, bz_keep_fn *each, void *ctx,
                              uint64_t *ret_damaged) {
    struct export x = {
        .k = k, .conversation = conversation, .from = from, .each = each, .ctx = ctx};
    bz_buf_init(&x.mem, BODY_MEM);
    enum bz_status st = bz_bodystore_keys(k->store, user, one_key, &x);
    bz_wipe(x.key, sizeof x.key);
    bz_buf_wipe_free(&x.mem);
    *ret_damaged = x.damaged;
    return st;
}
