/* When a child that died is started again: pure, the clock comes in. One struct per child. */
#ifndef BZ_SUPERVISOR_H
#define BZ_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BZ_SUP_FIRST_NS 50000000ull  /* after a long good run: 50 ms */
#define BZ_SUP_MAX_NS 5000000000ull  /* doubles up to 5 s */
#define BZ_SUP_GOOD_NS 1000000000ull /* a second of good running forgets earlier failures */

enum bz_sup_state {
    BZ_SUP_STOPPED, /* not started yet, or stopped on purpose */
    BZ_SUP_STARTING,
    BZ_SUP_READY,
    BZ_SUP_WAITING, /* died; starts again at next_ns */
    BZ_SUP_STATE_COUNT
};
const char *bz_sup_state_text(enum bz_sup_state s);

struct bz_sup_child {
    enum bz_sup_state state;
    int32_t pid; /* 0: none */
    uint64_t started_ns;
    uint64_t next_ns;
    uint32_t failures; /* in a row */
    uint64_t restarts; /* since the beginning */
};

void bz_sup_started(struct bz_sup_child *c, int32_t pid, uint64_t now);
void bz_sup_ready(struct bz_sup_child *c);
/* It died by itself: plans the next start. */
void bz_sup_died(struct bz_sup_child *c, uint64_t now);
/* It was told to stop and did. */
void bz_sup_stopped(struct bz_sup_child *c);
bool bz_sup_due(const struct bz_sup_child *c, uint64_t now);
/* ms until the first child is due; -1 when none waits. */
int bz_sup_timeout(const struct bz_sup_child *c, size_t n, uint64_t now);

#endif
