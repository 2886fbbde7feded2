/* Shared state of one instance in one file that every process maps: generation counter, worker lanes, backend health,
 * outstanding requests, rate limits. Pure memory operations on atomics; nothing is locked, so a process killed at any
 * instruction leaves at most one count off, and that is repaired when its lane is taken over. */
#ifndef BARTIZAN_STATE_H
#define BARTIZAN_STATE_H

#include <stdatomic.h>
#include <bartizan/limits.h>
#include <bartizan/view.h>

struct bz_state; /* opaque: the mapped file */

size_t bz_state_size(void);
/* Both take memory that is mapped shared, n bytes of it. EINVAL: NULL, or not aligned to a cache line; ETOOBIG: less than
 * bz_state_size. format: an empty state. open: ECORRUPT: no such state; EVERSION: another program's; what it gives is the
 * map itself, which must outlive it. O(1). */
enum bz_status bz_state_format(void *map, size_t n) BZ_MUST_USE;
enum bz_status bz_state_open(void *map, size_t n, struct bz_state **ret) BZ_MUST_USE;

/* Generation of the newest published policy image (bartizand stores, workers compare per request and per tick). */
uint64_t bz_state_generation(const struct bz_state *s);
void bz_state_publish(struct bz_state *s, uint64_t generation);

/* Lanes. `alive` tells whether a pid still runs (the caller asks the kernel). Takes over a dead owner's lane and
 * returns its counts to zero. ELIMIT when all lanes are taken. A process has one lane: asking again gives up
 * the first. pid 0 is EINVAL. */
enum bz_status bz_state_lane_take(struct bz_state *s, uint32_t pid, bool (*alive)(uint32_t pid), uint32_t *ret_lane) BZ_MUST_USE;
void bz_state_lane_leave(struct bz_state *s, uint32_t lane);

/* Backends, by index in the policy image (indices are stable per name while the instance runs). */
enum bz_health {
    BZ_HEALTH_UNKNOWN,
    BZ_HEALTH_UP,
    BZ_HEALTH_DOWN,
    BZ_HEALTH_UNSAFE /* its cage or its model files failed a check: not used until that is mended, and never by passing of time */
};
void bz_state_health_set(struct bz_state *s, uint32_t backend, enum bz_health h, uint64_t now_ns); /* active check */
/* Passive: a failed or good exchange seen by a worker. Three failures in a row rest the backend for 5 s (doubling to 60 s). */
void bz_state_backend_failed(struct bz_state *s, uint32_t backend, uint64_t now_ns);
void bz_state_backend_ok(struct bz_state *s, uint32_t backend);
bool bz_state_backend_usable(const struct bz_state *s, uint32_t backend, uint64_t now_ns);
enum bz_health bz_state_health(const struct bz_state *s, uint32_t backend);
void bz_state_out_add(struct bz_state *s, uint32_t lane, uint32_t backend, int delta); /* outstanding requests */
uint32_t bz_state_out(const struct bz_state *s, uint32_t backend);                     /* over all lanes */
/* Is one of `mask` kept from requests because it is unsafe? For the reason that a client is told. */
bool bz_state_any_unsafe(const struct bz_state *s, uint64_t mask);
/* Least outstanding usable backend of `mask` (bit per index), ties by `seed`; -1 when none. `tried` is left out. */
int bz_state_pick(const struct bz_state *s, uint64_t mask, uint64_t tried, uint64_t now_ns, uint64_t seed);

/* Limits. A subject is a 64-bit name (hash of kind and identity); entries are made on first use in a fixed table and an
 * idle one is reused; a table full of busy entries is ELIMIT (fail closed). now_ns is monotonic. */
struct bz_rate {        /* GCRA: `per_minute` units a minute with a burst; 0: unlimited */
    uint64_t per_minute;
    uint64_t burst;
};
struct bz_rate_result {     /* not limited: 0 and UINT64_MAX */
    uint64_t limit, remaining; /* units: the burst, and what is left of it */
    uint64_t reset_ns;  /* until full again */
    uint64_t retry_ns;  /* until this cost fits; 0 when it did */
};
enum bz_meter { BZ_METER_REQUESTS, BZ_METER_PROMPT_TOKENS, BZ_METER_COMPLETION_TOKENS, BZ_METER_COUNT };
/* Takes `cost` units if they fit; more than a whole burst never fits. OK or ELIMIT. A burst of 0 is one minute's worth. */
enum bz_status bz_state_take(struct bz_state *s, uint64_t subject, enum bz_meter m, const struct bz_rate *r, uint64_t cost,
                             uint64_t now_ns, struct bz_rate_result *ret) BZ_MUST_USE;
/* Gives units back (a refused later check, an estimate above the truth) or takes more after the fact (negative: never refused). */
void bz_state_adjust(struct bz_state *s, uint64_t subject, enum bz_meter m, const struct bz_rate *r, int64_t give_back, uint64_t now_ns);
/* Concurrent requests of a subject, counted per lane. max 0: not limited, nothing is counted and nothing is to be left.
 * At the limit two simultaneous callers may refuse each other; more than max never pass. */
enum bz_status bz_state_enter(struct bz_state *s, uint32_t lane, uint64_t subject, uint32_t max, uint64_t now_ns) BZ_MUST_USE;
void bz_state_exit(struct bz_state *s, uint32_t lane, uint64_t subject);

#endif
