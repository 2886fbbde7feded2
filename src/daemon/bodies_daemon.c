/* Stored bodies in the daemon's turns. */
#include <errno.h>

#include "daemon.h"

#define TAKE_PERIOD_NS 1000000000ull
#define EXPIRE_PERIOD_NS 60000000000ull
#define RETRY_NS 5000000000ull /* after a failure of the disk */

static uint64_t now_ms(void) {
    return bz_clock_unix() / 1000000;
}

void bz_bodies_start(struct bz_daemon *d) {
    enum bz_status st =
        bz_keep_open(&d->in, d->keys.bodies_key, d->keys.erased_key, now_ms(), &d->bodies);
    d->bodies_next_ns = st == BZ_OK ? 0 : bz_clock_mono() + RETRY_NS;
    if (st == BZ_ECORRUPT)
        bz_log("stored bodies are out of reach: %s or %s is damaged, or of another master key",
               BZ_F_BODY_KEYS, BZ_F_BODY_ROWS);
    else if (st != BZ_OK)
        bz_log("stored bodies are out of reach: %s (%s)", bz_status_text(st), strerror(errno));
}

uint64_t bz_bodies_next(const struct bz_daemon *d) {
    return d->bodies_next_ns;
}

void bz_bodies_retention(const struct bz_daemon *d, uint32_t out[BZ_BODY_LEVELS]) {
    for (size_t i = 0; i < BZ_BODY_LEVELS; i++)
        out[i] = d->config->data.keep_days[i] * 86400u;
}

static void record_expired(struct bz_daemon *d, uint64_t n) {
    char mem[64];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_u64(&b, n);
    bz_buf_puts(&b, " stored bodies were due");
    if (n > 0)
        (void)!bz_journal_admin(d, BZ_V("bartizand"), "data.retention", bz_buf_view(&b), "allow");
}

static enum bz_status expire(struct bz_daemon *d, bool all, uint64_t *total) {
    uint32_t seconds[BZ_BODY_LEVELS];
    bool more = true;
    *total = 0;
    bz_bodies_retention(d, seconds);
    while (more) {
        uint64_t n = 0;
        BZ_TRY(bz_keep_expire(d->bodies, seconds, now_ms(), &n, &more));
        *total += n;
        if (!all)
            break;
    }
    d->bodies_expire_ns = bz_clock_mono() + (more ? TAKE_PERIOD_NS : EXPIRE_PERIOD_NS);
    return BZ_OK;
}

enum bz_status bz_bodies_expire_all(struct bz_daemon *d, uint64_t *ret_removed) {
    enum bz_status st = expire(d, true, ret_removed);
    record_expired(d, *ret_removed);
    return st;
}

static enum bz_status turn(struct bz_daemon *d, uint64_t now) {
    bool more = false, made = false;
    uint64_t removed = 0;
    BZ_TRY(bz_keep_take(d->bodies, now_ms(), &more));
    d->bodies_next_ns = more ? now : now + TAKE_PERIOD_NS;
    if (now < d->bodies_expire_ns)
        return BZ_OK;
    enum bz_status st = expire(d, false, &removed);
    record_expired(d, removed);
    BZ_TRY(st);
    BZ_TRY(bz_keep_rotate(d->bodies, now_ms(), &made));
    d->publish_wanted = d->publish_wanted || made; /* workers learn of it by the image */
    return BZ_OK;
}

void bz_bodies_turn(struct bz_daemon *d, uint64_t now) {
    if (now < d->bodies_next_ns)
        return;
    if (d->bodies == NULL) {
        bz_bodies_start(d);
        d->publish_wanted = d->publish_wanted || d->bodies != NULL;
        return;
    }
    enum bz_status st = turn(d, now);
    if (st == BZ_OK)
        return;
    bz_log("stored bodies cannot be kept now: %s; what waits is in %s", bz_status_text(st),
           BZ_F_BODY_SPOOL);
    d->bodies_next_ns = now + RETRY_NS;
    d->bodies_expire_ns = now + RETRY_NS;
}
