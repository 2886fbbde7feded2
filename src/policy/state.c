/* Shared state: atomics in one mapping, no locks.
 *
 * Rate and concurrency entries live in a fixed table. A subject may stand in any of the `window`
 * slots that follow its home slot. Each slot has one control word
 *
 *     63            16 15          1    0
 *     [ subject 48 bits | version 15 | evict ]        0: never used
 *
 * A slot is idle when every rate is full again (its TAT has passed) and no lane counts a request in
 * it. An idle slot holds no information, so it may go to another subject without being cleared.
 * Taking it away is a handshake, because somebody may be about to use it:
 *
 *     evictor                                      user of the old subject
 *     1 sets evict with a new version              1 changes a TAT or a count
 *     2 looks whether the slot is (still) idle     2 looks at the control word
 *     3 swaps the subject, or clears evict           - evict set: clears it; step 3 then fails
 *                                                    - other subject: takes the change back
 *
 * All steps are sequentially consistent: either the evictor sees the change, or the user sees the
 * mark. A process that dies in between leaves the mark, which anybody may clear or renew, and
 * nothing else. */
#include <bartizan/state.h>

#define STATE_MAGIC UINT64_C(0x3145544154535a42) /* "BZSTATE1" */

enum {
    slots_n = 32768,
    window = 32,
    tries_max = 64,
    lane_count_max = UINT16_MAX,
    fails_before_rest = 3,
    rest_first_ms = 5000,
    rest_most_ms = 60000,
    stale_down_ms = 60000,
};
static const uint64_t minute_ns = UINT64_C(60000000000);
static const uint64_t debt_max_ns = 24 * 60 * UINT64_C(60000000000);
static const uint64_t span_max_ns = UINT64_C(1) << 61;
static const uint64_t evict_bit = 1, version_one = 2, version_mask = 0xfffe;

struct lane {
    _Alignas(64) _Atomic uint32_t pid; /* 0: free */
    _Atomic uint32_t out[BZ_BACKENDS_MAX];
};
struct backend {
    _Alignas(64) _Atomic uint64_t active; /* enum bz_health | set_at_ms << 2 */
    _Atomic uint64_t passive;             /* failures in a row | rests << 8 | until_ms << 16 */
};
struct slot {
    _Alignas(64) _Atomic uint64_t word;
    _Atomic uint64_t tat[BZ_METER_COUNT]; /* GCRA: when everything taken so far will be paid back */
    _Atomic uint16_t in[BZ_LANES_MAX];
};
struct bz_state {
    _Atomic uint64_t magic;
    uint64_t size;
    _Alignas(64) _Atomic uint64_t generation;
    _Alignas(64) _Atomic uint32_t lanes_used; /* lanes at and above were never taken */
    struct lane lanes[BZ_LANES_MAX];
    struct backend backends[BZ_BACKENDS_MAX];
    struct slot slots[slots_n];
};
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_SHORT_LOCK_FREE == 2, "between processes");
_Static_assert(sizeof(_Atomic uint64_t) == 8 && sizeof(_Atomic uint16_t) == 2, "shared layout");

size_t bz_state_size(void) {
    return sizeof(struct bz_state);
}

static enum bz_status check_map(const void *map, size_t n) {
    if (map == NULL || (uintptr_t)map % _Alignof(struct bz_state) != 0)
        return BZ_EINVAL;
    return n < sizeof(struct bz_state) ? BZ_ETOOBIG : BZ_OK;
}

enum bz_status bz_state_format(void *map, size_t n) {
    BZ_TRY(check_map(map, n));
    struct bz_state *s = map;
    atomic_store(&s->magic, 0); /* nobody may open a half-cleared one */
    memset((uint8_t *)map + sizeof s->magic, 0, sizeof *s - sizeof s->magic);
    s->size = sizeof *s;
    atomic_store(&s->magic, STATE_MAGIC);
    return BZ_OK;
}

enum bz_status bz_state_open(void *map, size_t n, struct bz_state **ret) {
    BZ_TRY(check_map(map, n));
    struct bz_state *s = map;
    if (atomic_load(&s->magic) != STATE_MAGIC)
        return BZ_ECORRUPT;
    if (s->size != sizeof *s)
        return BZ_EVERSION;
    *ret = s;
    return BZ_OK;
}

uint64_t bz_state_generation(const struct bz_state *s) {
    return atomic_load_explicit(&s->generation, memory_order_acquire);
}

void bz_state_publish(struct bz_state *s, uint64_t generation) {
    atomic_store_explicit(&s->generation, generation, memory_order_release);
}

/* ---- lanes ---- */

static void clear_lane(struct bz_state *s, uint32_t lane) {
    for (uint32_t i = 0; i < BZ_BACKENDS_MAX; i++)
        atomic_store(&s->lanes[lane].out[i], 0);
    for (uint32_t i = 0; i < slots_n; i++) /* look first: most pages were never touched */
        if (atomic_load(&s->slots[i].in[lane]) != 0)
            atomic_store(&s->slots[i].in[lane], 0);
}

/* Also on every use: a count in a lane that nobody took must not be overlooked. */
static void note_lane_used(struct bz_state *s, uint32_t lane) {
    uint32_t seen = atomic_load(&s->lanes_used);
    while (seen <= lane && !atomic_compare_exchange_weak(&s->lanes_used, &seen, lane + 1))
        ;
}

/* True when the lane is ours now, with its counts at zero. */
static bool take_lane(struct bz_state *s, uint32_t lane, uint32_t seen, uint32_t pid) {
    if (!atomic_compare_exchange_strong(&s->lanes[lane].pid, &seen, pid))
        return false;
    note_lane_used(s, lane);
    clear_lane(s, lane);
    return true;
}

enum bz_status bz_state_lane_take(struct bz_state *s, uint32_t pid, bool (*alive)(uint32_t pid),
                                  uint32_t *ret_lane) {
    uint32_t mine = BZ_LANES_MAX;
    if (pid == 0)
        return BZ_EINVAL;
    /* The dead first, and all of them: what they counted blocks others. */
    for (uint32_t i = 0; i < BZ_LANES_MAX; i++) {
        uint32_t owner = atomic_load(&s->lanes[i].pid);
        if (owner == 0 || (owner != pid && alive(owner)))
            continue;
        if (!take_lane(s, i, owner, pid))
            continue;
        if (mine == BZ_LANES_MAX)
            mine = i;
        else
            atomic_store(&s->lanes[i].pid, 0);
    }
    for (uint32_t i = 0; i < BZ_LANES_MAX && mine == BZ_LANES_MAX; i++)
        if (atomic_load(&s->lanes[i].pid) == 0 && take_lane(s, i, 0, pid))
            mine = i;
    if (mine == BZ_LANES_MAX)
        return BZ_ELIMIT;
    *ret_lane = mine;
    return BZ_OK;
}

void bz_state_lane_leave(struct bz_state *s, uint32_t lane) {
    if (lane >= BZ_LANES_MAX)
        return;
    clear_lane(s, lane);
    atomic_store(&s->lanes[lane].pid, 0);
}

/* ---- backends ---- */

static uint64_t ms_of(uint64_t ns) {
    return ns / 1000000;
}

void bz_state_health_set(struct bz_state *s, uint32_t backend, enum bz_health h, uint64_t now_ns) {
    if (backend >= BZ_BACKENDS_MAX)
        return;
    struct backend *b = &s->backends[backend];
    uint64_t before = atomic_exchange(&b->active, (uint64_t)h | ms_of(now_ns) << 2);
    if (h == BZ_HEALTH_UP && (before & 3) == BZ_HEALTH_DOWN)
        atomic_store(&b->passive, 0); /* it came back: no reason to rest any longer */
}

void bz_state_backend_failed(struct bz_state *s, uint32_t backend, uint64_t now_ns) {
    if (backend >= BZ_BACKENDS_MAX)
        return;
    _Atomic uint64_t *word = &s->backends[backend].passive;
    uint64_t seen = atomic_load(word), next = 0, now = ms_of(now_ns);
    do {
        uint64_t fails = seen & 0xff, rests = seen >> 8 & 0xff, until = seen >> 16;
        if (now < until)
            return; /* a request of before the rest */
        fails += fails < 0xff;
        if (fails >= fails_before_rest) {
            uint64_t rest = (uint64_t)rest_first_ms << (rests < 8 ? rests : 8);
            until = now + (rest < rest_most_ms ? rest : rest_most_ms);
            rests += rests < 0xff;
        }
        next = fails | rests << 8 | until << 16;
    } while (!atomic_compare_exchange_weak(word, &seen, next));
}

void bz_state_backend_ok(struct bz_state *s, uint32_t backend) {
    /* Only read as a rule: this line is shared by all workers. */
    if (backend < BZ_BACKENDS_MAX && atomic_load(&s->backends[backend].passive) != 0)
        atomic_store(&s->backends[backend].passive, 0);
}

bool bz_state_backend_usable(const struct bz_state *s, uint32_t backend, uint64_t now_ns) {
    if (backend >= BZ_BACKENDS_MAX)
        return false;
    const struct backend *b = &s->backends[backend];
    uint64_t active = atomic_load(&b->active), now = ms_of(now_ns), set_at = active >> 2;
    if ((active & 3) == BZ_HEALTH_UNSAFE)
        return false;
    /* Who said "down" may be dead itself: after a while it counts as unknown. */
    if ((active & 3) == BZ_HEALTH_DOWN && (now < set_at || now - set_at < stale_down_ms))
        return false;
    uint64_t until = atomic_load(&b->passive) >> 16;
    return now >= until || until - now > rest_most_ms; /* farther away: the clock was set back */
}

bool bz_state_any_unsafe(const struct bz_state *s, uint64_t mask) {
    for (uint32_t i = 0; i < BZ_BACKENDS_MAX; i++) {
        if ((mask >> i & 1) != 0 && bz_state_health(s, i) == BZ_HEALTH_UNSAFE)
            return true;
    }
    return false;
}

enum bz_health bz_state_health(const struct bz_state *s, uint32_t backend) {
    if (backend >= BZ_BACKENDS_MAX)
        return BZ_HEALTH_UNKNOWN;
    return (enum bz_health)(atomic_load(&s->backends[backend].active) & 3);
}

void bz_state_out_add(struct bz_state *s, uint32_t lane, uint32_t backend, int delta) {
    if (lane >= BZ_LANES_MAX || backend >= BZ_BACKENDS_MAX)
        return;
    note_lane_used(s, lane);
    _Atomic uint32_t *word = &s->lanes[lane].out[backend];
    uint32_t seen = atomic_load(word);
    int64_t next = 0;
    do {
        next = (int64_t)seen + delta;
        next = next < 0 ? 0 : next;
    } while (!atomic_compare_exchange_weak(word, &seen, (uint32_t)next));
}

uint32_t bz_state_out(const struct bz_state *s, uint32_t backend) {
    uint32_t sum = 0, lanes = atomic_load(&s->lanes_used);
    for (uint32_t i = 0; backend < BZ_BACKENDS_MAX && i < lanes; i++)
        sum += atomic_load_explicit(&s->lanes[i].out[backend], memory_order_relaxed);
    return sum;
}

int bz_state_pick(const struct bz_state *s, uint64_t mask, uint64_t tried, uint64_t now_ns,
                  uint64_t seed) {
    uint8_t best[BZ_BACKENDS_MAX];
    uint32_t best_n = 0, least = UINT32_MAX;
    for (uint64_t left = mask & ~tried; left != 0; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(left);
        if (!bz_state_backend_usable(s, i, now_ns))
            continue;
        uint32_t out = bz_state_out(s, i);
        if (out < least)
            best_n = 0;
        if (out <= least)
            best[best_n++] = (uint8_t)i;
        least = out < least ? out : least;
    }
    return best_n == 0 ? -1 : best[seed % best_n];
}

/* ---- slots ---- */

static uint64_t tag_of(uint64_t subject) {
    uint64_t tag = subject & ~UINT64_C(0xffff);
    return tag == 0 ? UINT64_C(0x10000) : tag;
}

static struct slot *slot_at(struct bz_state *s, uint64_t subject, uint32_t step) {
    /* The low bits that the word does not keep pick the home slot: together they are all of it but
     * one bit. */
    uint64_t home = (subject ^ subject >> 37) & (slots_n - 1);
    return &s->slots[(home + step) & (slots_n - 1)];
}

static bool holds(uint64_t word, uint64_t subject) {
    return (word & ~UINT64_C(0xffff)) == tag_of(subject);
}

static struct slot *find_slot(struct bz_state *s, uint64_t subject, const struct slot *other) {
    for (uint32_t i = 0; i < window; i++) {
        struct slot *slot = slot_at(s, subject, i);
        if (slot != other && holds(atomic_load(&slot->word), subject))
            return slot;
    }
    return NULL;
}

static uint32_t count_in(const struct bz_state *s, const struct slot *slot) {
    uint32_t sum = 0, lanes = atomic_load(&s->lanes_used);
    for (uint32_t i = 0; i < lanes; i++)
        sum += atomic_load(&slot->in[i]);
    return sum;
}

static bool is_idle(const struct bz_state *s, const struct slot *slot, uint64_t now) {
    for (int m = 0; m < BZ_METER_COUNT; m++)
        if (atomic_load(&slot->tat[m]) > now)
            return false;
    return count_in(s, slot) == 0;
}

/* Gives the slot to `tag` (0: to nobody) if it is idle: the evictor's side of the handshake. */
static bool hand_over(const struct bz_state *s, struct slot *slot, uint64_t tag, uint64_t now) {
    uint64_t seen = atomic_load(&slot->word);
    if (!is_idle(s, slot, now))
        return false;
    uint64_t version = (seen + version_one) & version_mask;
    uint64_t marked = (seen & ~UINT64_C(0xffff)) | version | evict_bit;
    if (!atomic_compare_exchange_strong(&slot->word, &seen, marked))
        return false;
    if (is_idle(s, slot, now))
        return atomic_compare_exchange_strong(&slot->word, &marked, tag | version);
    uint64_t unmarked = marked & ~evict_bit;
    atomic_compare_exchange_strong(&slot->word, &marked, unmarked);
    return false;
}

/* The user's side: true when the slot was and stays the subject's, so that a change made before
 * this call counts. */
static bool confirm(struct slot *slot, uint64_t subject) {
    uint64_t seen = atomic_load(&slot->word);
    while (holds(seen, subject)) {
        if ((seen & evict_bit) == 0)
            return true;
        if (atomic_compare_exchange_weak(&slot->word, &seen, seen & ~evict_bit))
            return true;
    }
    return false;
}

/* The subject's slot, a fresh one if need be; NULL when the whole window is busy. Two processes may
 * make one each at the same moment: whoever sees the other's gives its own up, unless that is in
 * use already; then the subject has two for as long as it stays busy, which the callers bear. */
static struct slot *get_slot(struct bz_state *s, uint64_t subject, uint64_t now) {
    struct slot *slot = find_slot(s, subject, NULL);
    for (uint32_t i = 0; slot == NULL && i < window; i++) {
        struct slot *fresh = slot_at(s, subject, i);
        if (holds(atomic_load(&fresh->word), subject))
            return fresh;
        if (!hand_over(s, fresh, tag_of(subject), now))
            continue;
        slot = find_slot(s, subject, fresh);
        if (slot == NULL || !hand_over(s, fresh, 0, now))
            slot = fresh;
    }
    return slot;
}

/* ---- rates: GCRA ---- */

/* units * 60 s / per_minute, saturated. Rounded down, so that `burst` single takes fit into one
 * burst. */
static uint64_t span_of(uint64_t units, const struct bz_rate *r) {
    unsigned __int128 ns = (unsigned __int128)units * minute_ns / r->per_minute;
    return ns > span_max_ns ? span_max_ns : (uint64_t)ns;
}

static uint64_t units_of(uint64_t span, const struct bz_rate *r) {
    return (uint64_t)((unsigned __int128)span * r->per_minute / minute_ns);
}

static uint64_t burst_of(const struct bz_rate *r) {
    return r->burst != 0 ? r->burst : r->per_minute;
}

/* A TAT in the past is a full bucket. One farther ahead than any debt was written by another clock:
 * an empty bucket. */
static uint64_t tat_at(uint64_t tat, uint64_t now, uint64_t burst_span) {
    if (tat < now)
        return now;
    return tat - now > burst_span + debt_max_ns ? now + burst_span : tat;
}

static void fill_result(const struct bz_rate *r, uint64_t used, uint64_t burst_span,
                        struct bz_rate_result *ret) {
    uint64_t burst = burst_of(r), left = 0;
    if (used < burst_span) /* + 1: the span was rounded down */
        left = units_of(burst_span - used + 1, r);
    *ret = (struct bz_rate_result){burst, left < burst ? left : burst, used, 0};
}

/* One attempt on one slot. OK, ELIMIT, or MORE: the slot went to somebody else meanwhile. */
static enum bz_status take_from(struct slot *slot, uint64_t subject, enum bz_meter m,
                                const struct bz_rate *r, uint64_t cost, uint64_t now,
                                struct bz_rate_result *ret) {
    uint64_t burst_span = span_of(burst_of(r), r), need = span_of(cost, r);
    uint64_t seen = atomic_load(&slot->tat[m]), used = 0, next = 0;
    do {
        used = tat_at(seen, now, burst_span) - now;
        if (cost > burst_of(r) || used > burst_span || need > burst_span - used) {
            if (!confirm(slot, subject))
                return BZ_MORE;
            fill_result(r, used, burst_span, ret);
            ret->retry_ns = cost > burst_of(r) ? used : used - (burst_span - need);
            ret->retry_ns += ret->retry_ns == 0; /* 0 would say that it fitted */
            return BZ_ELIMIT;
        }
        next = now + used + need;
    } while (!atomic_compare_exchange_weak(&slot->tat[m], &seen, next));
    if (!confirm(slot, subject)) {
        atomic_fetch_sub(&slot->tat[m], need);
        return BZ_MORE;
    }
    fill_result(r, used + need, burst_span, ret);
    return BZ_OK;
}

enum bz_status bz_state_take(struct bz_state *s, uint64_t subject, enum bz_meter m,
                             const struct bz_rate *r, uint64_t cost, uint64_t now_ns,
                             struct bz_rate_result *ret) {
    *ret = (struct bz_rate_result){.remaining = UINT64_MAX};
    if ((unsigned)m >= BZ_METER_COUNT || now_ns > span_max_ns)
        return BZ_EINVAL;
    if (r->per_minute == 0)
        return BZ_OK;
    for (int i = 0; i < tries_max; i++) {
        struct slot *slot = get_slot(s, subject, now_ns);
        enum bz_status st = BZ_MORE;
        if (slot != NULL)
            st = take_from(slot, subject, m, r, cost, now_ns, ret);
        else
            break;
        if (st != BZ_MORE)
            return st;
    }
    *ret = (struct bz_rate_result){burst_of(r), 0, minute_ns, UINT64_C(1000000000)};
    return BZ_ELIMIT;
}

static void give_back_to(struct slot *slot, uint64_t subject, enum bz_meter m, uint64_t span) {
    uint64_t seen = atomic_load(&slot->tat[m]);
    while (!atomic_compare_exchange_weak(&slot->tat[m], &seen, seen > span ? seen - span : 0))
        ;
    if (!confirm(slot, subject))
        atomic_fetch_add(&slot->tat[m], seen > span ? span : seen);
}

/* Debt beyond the burst is kept, up to a day. */
static bool charge(struct slot *slot, uint64_t subject, enum bz_meter m, const struct bz_rate *r,
                   uint64_t span, uint64_t now) {
    uint64_t burst_span = span_of(burst_of(r), r), seen = atomic_load(&slot->tat[m]);
    uint64_t from = 0, most = now + burst_span + debt_max_ns, next = 0;
    do {
        from = tat_at(seen, now, burst_span);
        next = span > most - from ? most : from + span;
    } while (!atomic_compare_exchange_weak(&slot->tat[m], &seen, next));
    if (confirm(slot, subject))
        return true;
    atomic_fetch_sub(&slot->tat[m], next - from);
    return false;
}

void bz_state_adjust(struct bz_state *s, uint64_t subject, enum bz_meter m, const struct bz_rate *r,
                     int64_t give_back, uint64_t now_ns) {
    if (r->per_minute == 0 || give_back == 0 || (unsigned)m >= BZ_METER_COUNT ||
        now_ns > span_max_ns)
        return;
    if (give_back > 0) { /* without a slot the bucket is full anyway */
        struct slot *slot = find_slot(s, subject, NULL);
        if (slot != NULL)
            give_back_to(slot, subject, m, span_of((uint64_t)give_back, r));
        return;
    }
    uint64_t span = span_of(-(uint64_t)give_back, r);
    for (int i = 0; i < tries_max; i++) {
        struct slot *slot = get_slot(s, subject, now_ns);
        if (slot == NULL || charge(slot, subject, m, r, span, now_ns))
            return;
    }
}

/* ---- concurrency ---- */

enum bz_status bz_state_enter(struct bz_state *s, uint32_t lane, uint64_t subject, uint32_t max,
                              uint64_t now_ns) {
    if (lane >= BZ_LANES_MAX)
        return BZ_EINVAL;
    if (max == 0)
        return BZ_OK;
    note_lane_used(s, lane);
    for (int i = 0; i < tries_max; i++) {
        struct slot *slot = get_slot(s, subject, now_ns);
        if (slot == NULL)
            return BZ_ELIMIT;
        if (atomic_load(&slot->in[lane]) == lane_count_max) /* only this lane's owner raises it */
            return BZ_ELIMIT;
        atomic_fetch_add(&slot->in[lane], 1);
        /* Counted first, compared after: two may refuse each other at the limit, but never pass
         * together. */
        bool ours = confirm(slot, subject), fits = ours && count_in(s, slot) <= max;
        if (fits)
            return BZ_OK;
        atomic_fetch_sub(&slot->in[lane], 1);
        if (ours)
            return BZ_ELIMIT;
    }
    return BZ_ELIMIT;
}

void bz_state_exit(struct bz_state *s, uint32_t lane, uint64_t subject) {
    for (uint32_t i = 0; lane < BZ_LANES_MAX && i < window; i++) {
        struct slot *slot = slot_at(s, subject, i);
        if (!holds(atomic_load(&slot->word), subject))
            continue;
        uint16_t seen = atomic_load(&slot->in[lane]);
        while (seen > 0)
            if (atomic_compare_exchange_weak(&slot->in[lane], &seen, (uint16_t)(seen - 1)))
                return;
    }
}
