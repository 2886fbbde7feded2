#include "supervisor.h"

const char *bz_sup_state_text(enum bz_sup_state s) {
    static const char *const text[BZ_SUP_STATE_COUNT] = {"stopped", "starting", "ready",
                                                         "restarting"};
    return (unsigned)s < BZ_SUP_STATE_COUNT ? text[s] : "unknown";
}

void bz_sup_started(struct bz_sup_child *c, int32_t pid, uint64_t now) {
    if (c->state == BZ_SUP_WAITING)
        c->restarts++;
    c->state = BZ_SUP_STARTING;
    c->pid = pid;
    c->started_ns = now;
}

void bz_sup_ready(struct bz_sup_child *c) {
    if (c->state == BZ_SUP_STARTING)
        c->state = BZ_SUP_READY;
}

static uint64_t backoff(uint32_t failures) {
    uint64_t d = BZ_SUP_FIRST_NS;
    for (uint32_t i = 1; i < failures && d < BZ_SUP_MAX_NS; i++)
        d *= 2;
    return d < BZ_SUP_MAX_NS ? d : BZ_SUP_MAX_NS;
}

void bz_sup_died(struct bz_sup_child *c, uint64_t now) {
    if (c->state == BZ_SUP_READY && now - c->started_ns >= BZ_SUP_GOOD_NS)
        c->failures = 0;
    if (c->failures < UINT32_MAX)
        c->failures++;
    c->state = BZ_SUP_WAITING;
    c->pid = 0;
    c->next_ns = now + backoff(c->failures);
}

void bz_sup_stopped(struct bz_sup_child *c) {
    c->state = BZ_SUP_STOPPED;
    c->pid = 0;
    c->failures = 0;
}

bool bz_sup_due(const struct bz_sup_child *c, uint64_t now) {
    return c->state == BZ_SUP_WAITING && now >= c->next_ns;
}

int bz_sup_timeout(const struct bz_sup_child *c, size_t n, uint64_t now) {
    uint64_t best = UINT64_MAX;
    for (size_t i = 0; i < n; i++) {
        if (c[i].state != BZ_SUP_WAITING)
            continue;
        uint64_t left = c[i].next_ns > now ? c[i].next_ns - now : 0;
        best = left < best ? left : best;
    }
    if (best == UINT64_MAX)
        return -1;
    return (int)((best + 999999) / 1000000);
}
