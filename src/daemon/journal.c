/* Changes by administrators as records in the audit log. bartizand is a producer like a worker: it
 * takes a lane of the ring. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon.h"

enum { WAIT_SLICE_MS = 50 };
#define WRITER_STALE_NS 5000000000ull

static bool alive(uint32_t pid) {
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

static enum bz_status take_lane(struct bz_daemon *d) {
    char name[32];
    if (d->has_lane)
        return BZ_OK;
    BZ_TRY(bz_state_lane_take(d->state, (uint32_t)getpid(), alive, &d->lane));
    (void)snprintf(name, sizeof name, "run/lane-%u.fifo", (unsigned)d->lane);
    d->fifo = openat(d->in.fd, name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (d->fifo < 0) {
        bz_state_lane_leave(d->state, d->lane);
        return BZ_EIO;
    }
    struct bz_ring_lane *l = bz_ring_lane(d->ring_map.p, d->lane);
    atomic_store(&l->waiting, 0);
    atomic_store(&l->owner_pid, (uint32_t)getpid());
    (void)atomic_fetch_add(&l->epoch, 1);
    d->has_lane = true;
    return BZ_OK;
}

enum bz_status bz_journal_init(struct bz_daemon *d) {
    d->fifo = -1;
    BZ_TRY(bz_map_open(d->in.fd, BZ_F_STATE, true, &d->state_map));
    BZ_TRY(bz_state_open(d->state_map.p, d->state_map.n, &d->state));
    BZ_TRY(bz_map_open(d->in.fd, BZ_F_RING, true, &d->ring_map));
    BZ_TRY(bz_ring_check(d->ring_map.p, d->ring_map.n));
    return take_lane(d);
}

void bz_journal_done(struct bz_daemon *d) {
    if (d->has_lane) {
        atomic_store(&bz_ring_lane(d->ring_map.p, d->lane)->owner_pid, 0);
        bz_state_lane_leave(d->state, d->lane);
    }
    d->has_lane = false;
    bz_fd_done(&d->fifo);
    bz_map_close(&d->ring_map);
    bz_map_close(&d->state_map);
    d->state = NULL;
}

static void fill(struct bz_daemon *d, struct bz_record *r) {
    const uint64_t now = bz_clock_unix();
    uint64_t epoch = atomic_load(&bz_ring_lane(d->ring_map.p, d->lane)->epoch);
    bz_request_id_make(now / 1000000, d->lane, epoch, d->record_counter++, r->id);
    r->time_ns = now;
    r->generation = d->generation;
}

static void wake_writer(struct bz_daemon *d) {
    struct bz_ring_head *h = d->ring_map.p;
    if (bz_ring_bell(d->ring_map.p, d->lane, true))
        (void)syscall(SYS_futex, &h->doorbell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static enum bz_status wait_durable(const struct bz_daemon *d, uint64_t seq) {
    struct bz_ring_lane *l = bz_ring_lane(d->ring_map.p, d->lane);
    uint64_t end = bz_clock_mono() + d->config->audit_wait_ms * 1000000ull;
    while (atomic_load(&l->durable_seq) < seq) {
        uint8_t scrap[64];
        struct pollfd p = {.fd = d->fifo, .events = POLLIN};
        if (bz_clock_mono() >= end)
            return BZ_EUNAVAIL;
        atomic_store(&l->waiting, 1);
        if (atomic_load(&l->durable_seq) >= seq)
            break;
        if (poll(&p, 1, WAIT_SLICE_MS) > 0)
            (void)!read(d->fifo, scrap, sizeof scrap);
    }
    return BZ_OK;
}

enum bz_status bz_journal_put(struct bz_daemon *d, struct bz_record *r) {
    uint8_t mem[BZ_RECORD_MAX];
    uint64_t seq = 0;
    struct bz_buf b;
    BZ_TRY(take_lane(d));
    fill(d, r);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_record_encode(r, &b);
    BZ_TRY(bz_buf_status(&b));
    enum bz_status st = bz_ring_put(d->ring_map.p, d->lane, bz_buf_view(&b), &seq);
    if (st != BZ_OK) {
        (void)atomic_fetch_add(&bz_ring_lane(d->ring_map.p, d->lane)->lost, 1);
        return BZ_EUNAVAIL;
    }
    wake_writer(d);
    return d->config->audit == BZ_AUDIT_STRICT ? wait_durable(d, seq) : BZ_OK;
}

enum bz_status bz_journal_admin(struct bz_daemon *d, struct bz_view actor, const char *what,
                                struct bz_view detail, const char *decision) {
    struct bz_record r = {.kind = BZ_RECORD_ADMIN,
                          .principal = actor,
                          .decision = bz_view_str(decision),
                          .reason = bz_view_str(what),
                          .detail = detail,
                          .role = BZ_V("admin")};
    return bz_journal_put(d, &r);
}

const char *bz_journal_state(const struct bz_daemon *d) {
    struct bz_ring_head *h = d->ring_map.p;
    uint64_t beat = atomic_load(&h->writer_beat_ns), now = bz_clock_mono();
    if (beat == 0 || (now > beat && now - beat > WRITER_STALE_NS))
        return "gone";
    switch (atomic_load(&h->writer_state)) {
    case 0:
        return "starting";
    case 1:
        return "running";
    default:
        return "storage fails";
    }
}
