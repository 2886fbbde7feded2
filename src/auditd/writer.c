#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    BEAT_MS = 400,   /* workers take us for dead after much more than this */
    NAP_MS = 2,      /* nobody waits: gather that long before a commit */
    RETRY_MS = 200,  /* while storage fails */
    DRAIN_MS = 5000, /* after a stop, while workers go on; what remains stays in the ring */
    SEQ_JUMP = 1 << 20,
};
#define MS 1000000u

static uint64_t clock_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct bz_ring_head *head(const struct bz_writer *w) {
    return w->map;
}

static void beat(struct bz_writer *w) {
    atomic_store_explicit(&head(w)->writer_beat_ns, clock_ns(CLOCK_MONOTONIC),
                          memory_order_relaxed);
}

/* ---- start ---- */

/* The log knows records that the ring has not published: the machine lost power and the file is of
 * an earlier time. Nobody can be using it (workers start after us), and its numbers must not be
 * given out again. */
static bool went_back(const struct bz_writer *w, const struct bz_journal_scan *scan) {
    for (uint32_t i = 0; i < w->lanes; i++)
        if (scan->seen[i] > atomic_load(&bz_ring_lane(w->map, i)->head_seq))
            return true;
    return false;
}

static void adopt_lanes(struct bz_writer *w, const struct bz_journal_scan *scan, bool known) {
    for (uint32_t i = 0; i < BZ_LANES_MAX; i++) {
        struct bz_writer_lane *l = &w->lane[i];
        *l = (struct bz_writer_lane){.fifo = -1};
        if (i >= w->lanes)
            continue;
        struct bz_ring_lane *r = bz_ring_lane(w->map, i);
        l->pos = atomic_load(&r->tail);
        l->seq = known ? scan->seen[i] : atomic_load(&r->durable_seq);
        w->seg.head.seen[i] = l->seq;
        atomic_store(&r->durable_seq, l->seq);
    }
}

enum bz_status bz_writer_init(struct bz_writer *w, const struct bz_io *io, int dir, int run_dir,
                              void *map, size_t n, const struct bz_journal_scan *scan,
                              uint64_t next, const uint8_t fresh[16]) {
    memset(w, 0, sizeof *w);
    BZ_TRY(bz_ring_check(map, n));
    w->map = map;
    w->lanes = (uint32_t)head(w)->lanes;
    w->run_dir = run_dir;
    w->first = w->next = next;
    bool known = scan->any && memcmp(scan->ring, head(w)->instance, sizeof scan->ring) == 0;
    if (known && went_back(w, scan)) {
        BZ_TRY(bz_ring_format(map, n, w->lanes, fresh));
        known = false;
        w->ring_replaced = true;
    }
    bz_segments_init(&w->seg, io, dir, scan->last_segment, head(w)->instance);
    adopt_lanes(w, scan, known);
    bz_buf_init(&w->batch, BZ_WRITER_ROOM);
    bz_buf_init(&w->entry, BZ_ENTRY_MAX);
    atomic_store(&head(w)->sleeping, 0);
    beat(w);
    return BZ_OK;
}

void bz_writer_done(struct bz_writer *w) {
    for (uint32_t i = 0; i < w->lanes; i++)
        if (w->lane[i].fifo >= 0)
            close(w->lane[i].fifo);
    bz_segments_done(&w->seg);
    bz_buf_free(&w->batch);
    bz_buf_free(&w->entry);
}

/* ---- records ---- */

static enum bz_status append(struct bz_writer *w, const struct bz_record *r, uint32_t lane,
                             uint64_t epoch, uint64_t seq) {
    bz_buf_reset(&w->entry);
    bz_record_json(r, &w->entry);
    BZ_TRY(bz_buf_status(&w->entry));
    struct bz_journal_frame f = {
        .index = w->next, .batch = w->first, .epoch = epoch, .seq = seq, .lane = lane};
    f.entry = bz_buf_view(&w->entry);
    size_t before = w->batch.n;
    bz_journal_frame_encode(&f, &w->batch);
    enum bz_status st = bz_buf_status(&w->batch);
    if (st != BZ_OK) {
        w->batch.n = before;
        w->batch.st = BZ_OK;
        return st;
    }
    w->next++;
    return BZ_OK;
}

static enum bz_status note(struct bz_writer *w, struct bz_view reason, struct bz_view detail) {
    struct bz_record r = {.kind = BZ_RECORD_SYSTEM, .principal = BZ_V("bartizan-auditd")};
    r.time_ns = clock_ns(CLOCK_REALTIME);
    r.reason = reason;
    r.detail = detail;
    bz_request_id_make(r.time_ns / MS, UINT8_MAX, (uint64_t)getpid(), ++w->own, r.id);
    return append(w, &r, BZ_JOURNAL_OWN, 0, 0);
}

void bz_writer_note(struct bz_writer *w, struct bz_view reason, struct bz_view detail) {
    if (note(w, reason, detail) != BZ_OK)
        fprintf(stderr, "bartizan-auditd: a record of the writer itself does not fit\n");
}

static enum bz_status note_lane(struct bz_writer *w, const char *reason, const char *what,
                                uint32_t lane, uint64_t n) {
    char text[160];
    snprintf(text, sizeof text, "lane %u: %s: %llu", lane, what, (unsigned long long)n);
    return note(w, bz_view_str(reason), bz_view_str(text));
}

/* One record of the ring. Repetitions of what the log has (we died between the flush and the
 * acknowledgement) are passed. */
static enum bz_status take(struct bz_writer *w, uint32_t lane, struct bz_view bin, uint64_t seq) {
    struct bz_writer_lane *l = &w->lane[lane];
    if (seq <= l->seq)
        return BZ_OK;
    struct bz_record r;
    uint64_t epoch = atomic_load_explicit(&bz_ring_lane(w->map, lane)->epoch, memory_order_relaxed);
    if (bz_record_decode(bin, &r) == BZ_OK)
        BZ_TRY(append(w, &r, lane, epoch, seq));
    else
        BZ_TRY(note_lane(w, "record_unreadable", "a record could not be decoded, sequence number",
                         lane, seq));
    l->seq = seq;
    return BZ_OK;
}

/* The lane's bytes make no sense: all of them are given up, and the log says so. */
static enum bz_status give_up(struct bz_writer *w, uint32_t lane) {
    struct bz_writer_lane *l = &w->lane[lane];
    uint64_t to = atomic_load_explicit(&bz_ring_lane(w->map, lane)->head, memory_order_acquire);
    BZ_TRY(
        note_lane(w, "ring_damaged", "bytes of the ring that are no records", lane, to - l->pos));
    l->pos = to;
    return BZ_OK;
}

static enum bz_status gather_lane(struct bz_writer *w, uint32_t lane) {
    struct bz_writer_lane *l = &w->lane[lane];
    uint8_t buf[BZ_RECORD_MAX];
    while (w->batch.n < BZ_WRITER_BATCH) {
        uint64_t pos = l->pos;
        uint64_t seq = 0;
        size_t n = 0;
        enum bz_status st = bz_ring_next(w->map, lane, &pos, buf, &n, &seq);
        if (st == BZ_MORE)
            return BZ_OK;
        if (st == BZ_OK && seq > l->seq && seq - l->seq > SEQ_JUMP)
            st = BZ_ECORRUPT; /* would make us take all that follow for repetitions */
        if (st != BZ_OK)
            return give_up(w, lane);
        BZ_TRY(take(w, lane, bz_view(buf, n), seq));
        l->pos = pos;
        l->count++;
    }
    return BZ_OK;
}

static enum bz_status gather_lost(struct bz_writer *w, uint32_t lane) {
    struct bz_writer_lane *l = &w->lane[lane];
    uint64_t lost = atomic_load_explicit(&bz_ring_lane(w->map, lane)->lost, memory_order_relaxed);
    if (lost == l->lost)
        return BZ_OK;
    BZ_TRY(note_lane(w, "records_lost", "refusals without a record because the ring was full", lane,
                     lost - l->lost));
    l->lost = lost;
    return BZ_OK;
}

bool bz_writer_gather(struct bz_writer *w) {
    bool parked = false;
    for (uint32_t i = 0; i < w->lanes; i++) {
        /* Out of memory or room: what was not taken stays in the ring for the next round. */
        if (gather_lane(w, i) == BZ_OK)
            (void)!gather_lost(w, i);
        parked |=
            atomic_load_explicit(&bz_ring_lane(w->map, i)->waiting, memory_order_relaxed) != 0;
    }
    return parked;
}

/* ---- commit ---- */

static void ring_fifo(struct bz_writer *w, uint32_t lane) {
    struct bz_writer_lane *l = &w->lane[lane];
    for (int tries = 0; tries < 2; tries++) {
        if (l->fifo < 0) {
            char name[32];
            snprintf(name, sizeof name, "lane-%u.fifo", lane);
            l->fifo = openat(w->run_dir, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        }
        /* EAGAIN: it is full of wake-ups already */
        if (l->fifo < 0 || write(l->fifo, "", 1) == 1 || errno != EPIPE)
            return;
        close(l->fifo); /* the reader is gone, maybe a new FIFO has the name */
        l->fifo = -1;
    }
}

static void tell_lane(struct bz_writer *w, uint32_t lane) {
    struct bz_writer_lane *l = &w->lane[lane];
    struct bz_ring_lane *r = bz_ring_lane(w->map, lane);
    /* durable before tail: the room of a record is given back only when its number is settled */
    atomic_store_explicit(&r->durable_seq, l->seq, memory_order_release);
    atomic_fetch_add_explicit(&r->tail_seq, l->count, memory_order_relaxed);
    atomic_store_explicit(&r->tail, l->pos, memory_order_release);
    if (l->lost != 0)
        atomic_fetch_sub_explicit(&r->lost, l->lost, memory_order_relaxed);
    l->lost = 0;
    l->count = 0;
    w->seg.head.seen[lane] = l->seq;
    atomic_thread_fence(memory_order_seq_cst); /* our durable_seq before the look at waiting; see
                                                  the drawing in audit.h */
    if (atomic_load_explicit(&r->waiting, memory_order_relaxed) == 0)
        return;
    /* More of this lane is under way: its worker may be waiting for that as well, so the flag stays
     * up. */
    if (atomic_load_explicit(&r->head, memory_order_acquire) == l->pos)
        atomic_store_explicit(&r->waiting, 0, memory_order_relaxed);
    ring_fifo(w, lane);
}

/* Something was taken from the lane that it has not been told about. */
static bool unsettled(const struct bz_writer *w, uint32_t lane) {
    const struct bz_writer_lane *l = &w->lane[lane];
    return l->count != 0 || l->lost != 0 ||
           l->pos != atomic_load_explicit(&bz_ring_lane(w->map, lane)->tail, memory_order_relaxed);
}

enum bz_status bz_writer_commit(struct bz_writer *w) {
    if (w->batch.n != 0) {
        enum bz_status st = bz_segments_commit(&w->seg, w->first, bz_buf_view(&w->batch));
        if (st != BZ_OK) {
            w->error = errno;
            return st;
        }
    }
    w->first = w->next;
    bz_buf_reset(&w->batch);
    for (uint32_t i = 0; i < w->lanes; i++)
        if (unsettled(w, i))
            tell_lane(w, i);
    return BZ_OK;
}

/* ---- sleeping ---- */

static void futex_wait(struct bz_writer *w, uint32_t seen, uint64_t ms) {
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * (long)MS};
    syscall(SYS_futex, &head(w)->doorbell, FUTEX_WAIT, seen, &t, NULL, 0);
}

static bool any_news(const struct bz_writer *w, bool only_parked) {
    for (uint32_t i = 0; i < w->lanes; i++) {
        struct bz_ring_lane *r = bz_ring_lane(w->map, i);
        bool more = atomic_load_explicit(&r->head, memory_order_relaxed) != w->lane[i].pos;
        bool parked = atomic_load_explicit(&r->waiting, memory_order_relaxed) != 0;
        /* a lane that waits for what is in the batch must not wait for our nap */
        if (only_parked ? parked : more)
            return true;
    }
    return false;
}

/* how: 1 any record wakes, 2 only a worker that waits does. */
static void sleep_ms(struct bz_writer *w, uint32_t how, uint64_t ms) {
    uint32_t seen = atomic_load_explicit(&head(w)->doorbell, memory_order_relaxed);
    atomic_store_explicit(&head(w)->sleeping, how, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* our flag before the look at the lanes; see the
                                                  drawing in audit.h */
    if (!any_news(w, how == 2))
        futex_wait(w, seen, ms);
    atomic_store_explicit(&head(w)->sleeping, 0, memory_order_relaxed);
}

/* ---- the loop ---- */

static void storage_failed(struct bz_writer *w) {
    if (w->failing_ns == 0) {
        w->failing_ns = clock_ns(CLOCK_MONOTONIC);
        fprintf(stderr, "bartizan-auditd: records cannot be stored: %s; trying on\n",
                strerror(w->error));
    }
    atomic_store(&head(w)->writer_state, 2);
}

static void storage_works(struct bz_writer *w) {
    atomic_store(&head(w)->writer_state, 1);
    if (w->failing_ns == 0)
        return;
    char text[128];
    snprintf(
        text, sizeof text,
        "storage failed for %llu ms (%s); no request was forwarded meanwhile without its record",
        (unsigned long long)((clock_ns(CLOCK_MONOTONIC) - w->failing_ns) / MS), strerror(w->error));
    w->failing_ns = 0;
    fprintf(stderr, "bartizan-auditd: records can be stored again\n");
    bz_writer_note(w, BZ_V("storage_recovered"), bz_view_str(text));
}

static void pause_ms(uint64_t ms) {
    struct timespec t = {0, (long)(ms * MS)};
    nanosleep(&t, NULL);
}

static enum bz_status commit_until(struct bz_writer *w, _Atomic bool *stop) {
    for (;;) {
        beat(w);
        enum bz_status st = bz_writer_commit(w);
        if (st == BZ_OK)
            return BZ_OK;
        storage_failed(w);
        if (atomic_load(stop))
            return st;
        pause_ms(RETRY_MS);
    }
}

/* Nobody waits and nobody did within the last second, or only the ends of requests are there: more
 * may come along. */
static bool may_nap(const struct bz_writer *w, bool parked, const _Atomic bool *stop) {
    return !parked && w->batch.n < BZ_WRITER_BATCH / 2 && !atomic_load(stop);
}

static bool all_settled(const struct bz_writer *w) {
    for (uint32_t i = 0; i < w->lanes; i++)
        if (unsettled(w, i))
            return false;
    return true;
}

/* A lane that waits although all of its records are durable: its worker died, or set the flag after
 * its last look. */
static void wake_leftovers(struct bz_writer *w) {
    for (uint32_t i = 0; i < w->lanes; i++) {
        struct bz_ring_lane *r = bz_ring_lane(w->map, i);
        if (atomic_load_explicit(&r->waiting, memory_order_relaxed) == 0)
            continue;
        atomic_store_explicit(&r->waiting, 0, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        if (atomic_load_explicit(&r->head, memory_order_relaxed) != w->lane[i].pos)
            atomic_store_explicit(&r->waiting, 1, memory_order_relaxed); /* a new one, right now */
        ring_fifo(w, i);
    }
}

/* Asked to stop, and nothing is left or enough was done for workers that do not stop. */
static bool finished(struct bz_writer *w, bool idle, const _Atomic bool *stop) {
    if (!atomic_load(stop))
        return false;
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    if (w->stop_ns == 0)
        w->stop_ns = now;
    return idle || (w->batch.n == 0 && now - w->stop_ns > DRAIN_MS * (uint64_t)MS);
}

enum bz_status bz_writer_run(struct bz_writer *w, struct bz_sealer *s, _Atomic bool *stop) {
    atomic_store(&head(w)->writer_state, 1);
    for (;;) {
        beat(w);
        /* asked before gathering: a full ring must not keep us */
        if (finished(w, false, stop))
            return BZ_OK;
        bool parked = bz_writer_gather(w);
        bool idle = w->batch.n == 0 && !any_news(w, false) && all_settled(w);
        if (finished(w, idle, stop))
            return BZ_OK;
        if (bz_sealer_failed(s))
            return BZ_ECORRUPT;
        if (idle) {
            wake_leftovers(w);
            sleep_ms(w, 1, BEAT_MS);
            continue;
        }
        if (may_nap(w, parked, stop)) {
            sleep_ms(w, 2, NAP_MS);
            (void)bz_writer_gather(w);
        }
        BZ_TRY(commit_until(w, stop));
        storage_works(w);
        bz_sealer_tell(s, w->first, w->seg.last);
    }
}
