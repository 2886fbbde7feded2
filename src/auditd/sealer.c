#include "sealer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum bz_status bz_sealer_init(struct bz_sealer *s, const struct bz_io *io, int dir) {
    s->io = io;
    s->dir = dir;
    s->segment = 0;
    s->fd = -1;
    s->off = 0;
    s->used = 0;
    s->durable = s->tree.f.size;
    s->last_segment = 0;
    s->stop = s->failed = s->idle = false;
    bz_buf_init(&s->chunk, BZ_SEALER_CHUNK);
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0)
        return BZ_ENOMEM;
    /* clock steps must not delay a checkpoint */
    bool ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
              pthread_mutex_init(&s->lock, NULL) == 0 && pthread_cond_init(&s->wake, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return ok ? BZ_OK : BZ_ENOMEM;
}

static void leave_segment(struct bz_sealer *s) {
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    bz_buf_reset(&s->chunk);
    s->used = 0;
}

void bz_sealer_done(struct bz_sealer *s) {
    leave_segment(s);
    bz_buf_free(&s->chunk);
    bz_tree_close(&s->tree);
}

/* ---- reading the journal ---- */

/* The chunk begins anew at the first byte not done yet. */
static enum bz_status refill(struct bz_sealer *s) {
    s->off += s->used;
    s->used = 0;
    bz_buf_reset(&s->chunk);
    uint8_t *p = bz_buf_room(&s->chunk, BZ_SEALER_CHUNK);
    s->chunk.n = 0;
    if (p == NULL)
        return BZ_ENOMEM;
    while (s->chunk.n < BZ_SEALER_CHUNK) {
        ssize_t n = pread(s->fd, p + s->chunk.n, BZ_SEALER_CHUNK - s->chunk.n,
                          (off_t)(s->off + s->chunk.n));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return BZ_EIO;
        if (n == 0)
            break;
        s->chunk.n += (size_t)n;
    }
    return BZ_OK;
}

/* Opens the next segment that has a sound head. */
static enum bz_status next_segment(struct bz_sealer *s, uint64_t last_segment) {
    for (;;) {
        leave_segment(s);
        uint64_t n = bz_segment_next(s->dir, s->segment);
        if (n == 0 || n > last_segment)
            return BZ_ECORRUPT;
        char name[BZ_SEGMENT_NAME];
        bz_segment_name(n, name);
        s->fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (s->fd < 0)
            return BZ_EIO;
        s->off = 0;
        enum bz_status st = refill(s);
        if (st != BZ_OK) {
            leave_segment(s);
            return st;
        }
        s->segment = n;
        struct bz_journal_head h;
        if (bz_journal_head_decode(bz_buf_view(&s->chunk), &h) == BZ_OK) {
            s->used = BZ_JOURNAL_HEAD;
            return BZ_OK;
        }
    }
}

static enum bz_status take_frame(struct bz_sealer *s, const struct bz_journal_frame *f,
                                 const struct bz_hash *leaf) {
    if (f->index < s->tree.f.size)
        return BZ_OK; /* in the tree already: from before a crash, or tried twice */
    if (f->index > s->tree.f.size)
        return BZ_ECORRUPT;
    enum bz_status st = bz_tree_add(&s->tree, f->entry, leaf);
    if (st != BZ_EUNAVAIL)
        return st;
    BZ_TRY(bz_tree_flush(&s->tree));
    return bz_tree_add(&s->tree, f->entry, leaf);
}

/* The next frame of the segment: from the chunk, else from what the file holds now. MORE or
 * ECORRUPT: the segment ends. */
static enum bz_status next_frame(struct bz_sealer *s, struct bz_journal_frame *ret,
                                 struct bz_hash *ret_leaf, size_t *ret_used) {
    struct bz_view rest = bz_view_sub(bz_buf_view(&s->chunk), s->used, s->chunk.n);
    if (bz_journal_frame_decode(rest, ret, ret_leaf, ret_used) == BZ_OK)
        return BZ_OK;
    BZ_TRY(refill(s));
    return bz_journal_frame_decode(bz_buf_view(&s->chunk), ret, ret_leaf, ret_used);
}

enum bz_status bz_sealer_step(struct bz_sealer *s, uint64_t durable, uint64_t last_segment) {
    /* What was read before may be of the segment's former life where there is a frame now. */
    if (s->fd >= 0)
        BZ_TRY(refill(s));
    while (s->tree.f.size < durable) {
        if (s->fd < 0)
            BZ_TRY(next_segment(s, last_segment));
        struct bz_journal_frame f;
        struct bz_hash leaf;
        size_t used;
        enum bz_status st = next_frame(s, &f, &leaf, &used);
        if (st == BZ_MORE || st == BZ_ECORRUPT) {
            leave_segment(s); /* a batch cut short ends here; the next segment takes over */
            continue;
        }
        if (st == BZ_OK)
            st = take_frame(s, &f, &leaf);
        if (st != BZ_OK)
            return st;
        s->used += used;
    }
    return BZ_OK;
}

enum bz_status bz_sealer_seal(struct bz_sealer *s) {
    BZ_TRY(bz_tree_checkpoint(&s->tree));
    char name[BZ_SEGMENT_NAME];
    for (uint64_t n = 0; (n = bz_segment_next(s->dir, n)) != 0 && n < s->segment;) {
        bz_segment_name(n, name); /* replaces a spare that is there already */
        if (s->io->rename(s->io->ctx, s->dir, name, BZ_SEGMENT_SPARE) != 0)
            return BZ_EIO;
    }
    return BZ_OK;
}

/* ---- the thread ---- */

enum { PACE_MS = 250, RETRY_MS = 200, SEAL_MS = 1000, GIVE_UP = 10 };

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Waits until `ms` have passed or stop; with the lock held. */
static void wait_ms(struct bz_sealer *s, uint64_t ms) {
    uint64_t end = now_ms() + ms;
    struct timespec t = {(time_t)(end / 1000), (long)(end % 1000) * 1000000};
    while (!s->stop && pthread_cond_timedwait(&s->wake, &s->lock, &t) == 0)
        ;
}

uint64_t bz_sealer_goal(const struct bz_sealer *s, uint64_t durable, uint64_t before) {
    uint64_t whole = durable - durable % BZ_TILE_WIDTH;
    return whole > s->tree.signed_size && before <= whole ? whole : durable;
}

/* What the thread remembers from round to round. */
struct rounds {
    uint64_t since; /* ms: the oldest leaf without a checkpoint was seen; 0: there is none */
    int failures;   /* in a row */
    bool said;      /* that it fails */
};

/* One round's orders, taken under the lock. */
struct order {
    uint64_t looked; /* ms */
    uint64_t durable, last_segment;
    uint64_t goal;
    bool stop;
};

/* since: when the oldest leaf that no checkpoint covers was seen. */
static enum bz_status work(struct bz_sealer *s, const struct order *o, uint64_t since) {
    BZ_TRY(bz_sealer_step(s, o->goal, o->last_segment));
    uint64_t open = s->tree.f.size - s->tree.signed_size;
    bool due = o->stop || open >= BZ_TILE_WIDTH || now_ms() - since >= SEAL_MS - PACE_MS;
    if ((open == 0 && s->tree.signed_once) || !due)
        return BZ_OK;
    return bz_sealer_seal(s);
}

static void complain(struct rounds *r, enum bz_status st) {
    if (!r->said)
        fprintf(stderr,
                "bartizan-auditd: tiles or checkpoint cannot be written: %s; the journal keeps all "
                "records\n",
                st == BZ_EIO ? strerror(errno) : bz_status_text(st));
    r->said = true;
}

/* Waits for leaves and a little longer, so that a burst makes one checkpoint. With the lock. */
static void take_order(struct bz_sealer *s, struct rounds *r, struct order *ret) {
    s->idle = true;
    while (!s->stop && s->durable == s->tree.signed_size)
        pthread_cond_wait(&s->wake, &s->lock);
    s->idle = false;
    uint64_t before = s->durable;
    ret->looked = now_ms();
    if (r->since == 0)
        r->since = ret->looked;
    wait_ms(s, r->failures == 0 ? PACE_MS : RETRY_MS);
    ret->stop = s->stop;
    ret->durable = s->durable;
    ret->last_segment = s->last_segment;
    ret->goal = ret->stop ? ret->durable : bz_sealer_goal(s, ret->durable, before);
}

/* Carries it out, without the lock: a flush may take long. */
static enum bz_status carry_out(struct bz_sealer *s, struct rounds *r, const struct order *o) {
    enum bz_status st = work(s, o, r->since);
    if (st == BZ_OK)
        return st;
    complain(r, st);
    if (o->stop && r->failures < GIVE_UP)
        usleep(RETRY_MS * 1000);
    return st;
}

/* True: that was the last round. With the lock. */
static bool settle(struct bz_sealer *s, struct rounds *r, const struct order *o,
                   enum bz_status st) {
    if (st != BZ_OK) {
        r->failures++;
        s->failed = st != BZ_EIO && st != BZ_ENOMEM;
        return s->failed || (o->stop && r->failures >= GIVE_UP);
    }
    *r = (struct rounds){.since = r->since};
    if (s->tree.signed_size == o->goal)
        r->since = o->goal == o->durable ? 0 : o->looked; /* what is left came after that look */
    return o->stop;
}

static void *run(void *arg) {
    struct bz_sealer *s = arg;
    struct rounds r = {0};
    struct order o;
    enum bz_status st;
    pthread_mutex_lock(&s->lock);
    do {
        take_order(s, &r, &o);
        pthread_mutex_unlock(&s->lock);
        st = carry_out(s, &r, &o);
        pthread_mutex_lock(&s->lock);
    } while (!settle(s, &r, &o, st));
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

enum bz_status bz_sealer_start(struct bz_sealer *s) {
    return pthread_create(&s->thread, NULL, run, s) == 0 ? BZ_OK : BZ_ENOMEM;
}

void bz_sealer_tell(struct bz_sealer *s, uint64_t durable, uint64_t last_segment) {
    pthread_mutex_lock(&s->lock);
    bool idle = s->idle;
    s->durable = durable;
    s->last_segment = last_segment;
    pthread_mutex_unlock(&s->lock);
    if (idle)
        pthread_cond_signal(&s->wake);
}

bool bz_sealer_failed(struct bz_sealer *s) {
    pthread_mutex_lock(&s->lock);
    bool failed = s->failed;
    pthread_mutex_unlock(&s->lock);
    return failed;
}

enum bz_status bz_sealer_stop(struct bz_sealer *s) {
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
    pthread_cond_signal(&s->wake);
    pthread_join(s->thread, NULL);
    return s->tree.signed_size == s->durable ? BZ_OK : BZ_EIO;
}
