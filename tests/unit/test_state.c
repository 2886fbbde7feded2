/* Shared state: rates against a naive reference, lanes that die, a hammer of processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "../../src/policy/state.c" /* its insides: the handshake is tested step by step */

#define SECOND UINT64_C(1000000000)
#define MINUTE (60 * SECOND)

static struct bz_state *st;

static int set_up(void **state) {
    size_t n = bz_state_size();
    void *map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || bz_state_format(map, n) != BZ_OK)
        return 1;
    return bz_state_open(map, n, &st) != BZ_OK;
}

static int tear_down(void **state) {
    return munmap(st, bz_state_size());
}

static uint64_t rng_state = 88172645463325252u;
static uint64_t rng(void) { /* xorshift64: repeatable */
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return rng_state;
}

static void test_open_checks(void **state) {
    struct bz_state *other;
    size_t n = bz_state_size();
    uint8_t *map = aligned_alloc(64, (n + 127) / 64 * 64);
    memset(map, 0xaa, n);
    assert_int_equal(bz_state_open(map, n, &other), BZ_ECORRUPT);
    assert_int_equal(bz_state_open(NULL, n, &other), BZ_EINVAL);
    assert_int_equal(bz_state_open(map + 8, n, &other), BZ_EINVAL);
    assert_int_equal(bz_state_format(map, n - 1), BZ_ETOOBIG);
    assert_int_equal(bz_state_format(map, n), BZ_OK);
    assert_int_equal(bz_state_open(map, n - 1, &other), BZ_ETOOBIG);
    assert_int_equal(bz_state_open(map, n, &other), BZ_OK);
    map[8] ^= 1; /* size of another build */
    assert_int_equal(bz_state_open(map, n, &other), BZ_EVERSION);
    free(map);
    assert_int_equal(bz_state_generation(st), 0);
    bz_state_publish(st, 7);
    assert_int_equal(bz_state_generation(st), 7);
}

/* ---- rates ---- */

/* The same law in exact numbers: a bucket in units of 1/60e9 that fills with time. */
struct naive {
    __int128 level, cap; /* what is left */
    uint64_t per_minute, last;
};
static bool naive_take(struct naive *b, uint64_t cost, uint64_t now, __int128 slack) {
    b->level += (__int128)(now - b->last) * b->per_minute;
    if (b->level > b->cap)
        b->level = b->cap;
    b->last = now;
    __int128 need = (__int128)cost * MINUTE;
    if (need > b->level + slack)
        return false;
    b->level -= need;
    return true;
}

static void compare_with_reference(uint64_t per_minute, uint64_t burst, uint64_t subject) {
    struct bz_rate r = {per_minute, burst};
    __int128 cap = (__int128)burst * MINUTE;
    struct naive exact = {.level = cap, .cap = cap, .per_minute = per_minute};
    uint64_t now = 5 * MINUTE, mean = MINUTE / per_minute + 1;
    int passed = 0, refused = 0;
    exact.last = now;
    for (int i = 0; i < 20000; i++) {
        struct bz_rate_result res;
        uint64_t cost = rng() % (i % 100 == 0 ? burst + 2 : 3);
        now += rng() % (burst + 8) == 0 ? rng() % (mean * burst + 1) : rng() % mean;
        struct naive before = exact;
        bool got = bz_state_take(st, subject, BZ_METER_REQUESTS, &r, cost, now, &res) == BZ_OK;
        bool want = naive_take(&exact, cost, now, 0);
        /* Only rounding may tell them apart: 1 ns a take, and none where a unit is whole
         * nanoseconds. */
        __int128 slack = MINUTE % per_minute == 0 ? 0 : (__int128)(i + 2) * 2 * per_minute;
        if (got != want) {
            exact = before;
            assert_int_equal(naive_take(&exact, cost, now, got ? slack : -slack), got);
        }
        passed += got;
        refused += !got;
        assert_int_equal(res.limit, burst);
        __int128 left = exact.level / MINUTE;
        assert_true((__int128)res.remaining >= left - 1 && (__int128)res.remaining <= left + 1);
        assert_true(got ? res.retry_ns == 0 : res.retry_ns > 0);
        if (!got && cost <= burst &&
            i % 7 == 0) { /* retry_ns is true: one ns earlier it still fails */
            uint64_t wait = res.retry_ns;
            if (wait > 1)
                assert_int_equal(
                    bz_state_take(st, subject, BZ_METER_REQUESTS, &r, cost, now + wait - 1, &res),
                    BZ_ELIMIT);
            now += wait;
            assert_int_equal(bz_state_take(st, subject, BZ_METER_REQUESTS, &r, cost, now, &res),
                             BZ_OK);
            assert_true(naive_take(&exact, cost, now, slack));
        }
    }
    assert_true(passed > 1000 && refused > 100);
}

static void test_rates_against_a_reference(void **state) {
    compare_with_reference(600, 100, 1);
    compare_with_reference(60, 1, 2);
    compare_with_reference(7, 7, 3);
    compare_with_reference(1, 3, 4);
    compare_with_reference(1000003, 5000, 5);
    compare_with_reference(1000000, 5000, 6);
}

static void test_burst_is_exact(void **state) {
    struct bz_rate r = {7, 11};
    struct bz_rate_result res;
    for (int i = 0; i < 11; i++) {
        assert_int_equal(bz_state_take(st, 9, BZ_METER_REQUESTS, &r, 1, MINUTE, &res), BZ_OK);
        assert_int_equal(res.remaining, 10 - i);
    }
    assert_int_equal(bz_state_take(st, 9, BZ_METER_REQUESTS, &r, 1, MINUTE, &res), BZ_ELIMIT);
    assert_int_equal(res.remaining, 0);
    assert_in_range(res.retry_ns, MINUTE / 7 - 12, MINUTE / 7);
    assert_in_range(res.reset_ns, 11 * (MINUTE / 7), MINUTE * 11 / 7);
    /* other meters and other subjects are not touched */
    assert_int_equal(bz_state_take(st, 9, BZ_METER_PROMPT_TOKENS, &r, 11, MINUTE, &res), BZ_OK);
    assert_int_equal(bz_state_take(st, 10, BZ_METER_REQUESTS, &r, 11, MINUTE, &res), BZ_OK);
    /* a burst of 0 is a minute's worth; more than a burst never fits */
    r.burst = 0;
    assert_int_equal(bz_state_take(st, 11, BZ_METER_REQUESTS, &r, 8, MINUTE, &res), BZ_ELIMIT);
    assert_true(res.retry_ns > 0);
    assert_int_equal(bz_state_take(st, 11, BZ_METER_REQUESTS, &r, 7, MINUTE, &res), BZ_OK);
}

static void test_unlimited_and_extremes(void **state) {
    struct bz_rate none = {0, 0}, huge = {UINT64_MAX, UINT64_MAX}, slow = {1, UINT64_MAX};
    struct bz_rate_result res;
    assert_int_equal(bz_state_take(st, 1, BZ_METER_REQUESTS, &none, UINT64_MAX, 1, &res), BZ_OK);
    assert_int_equal(res.limit, 0);
    assert_int_equal(res.remaining, UINT64_MAX);
    assert_int_equal(bz_state_take(st, 1, BZ_METER_REQUESTS, &huge, UINT64_MAX, 1, &res), BZ_OK);
    assert_int_equal(bz_state_take(st, 2, BZ_METER_REQUESTS, &slow, UINT64_MAX, 1, &res), BZ_OK);
    assert_int_equal(bz_state_take(st, 2, BZ_METER_REQUESTS, &slow, UINT64_MAX, 1, &res),
                     BZ_ELIMIT);
    bz_state_adjust(st, 2, BZ_METER_REQUESTS, &slow, INT64_MIN, 1);
    bz_state_adjust(st, 2, BZ_METER_REQUESTS, &slow, INT64_MAX, 1);
    assert_int_equal(bz_state_take(st, 3, BZ_METER_REQUESTS, &slow, 1, UINT64_MAX, &res),
                     BZ_EINVAL);
    assert_int_equal(bz_state_take(st, 3, BZ_METER_COUNT, &slow, 1, 1, &res), BZ_EINVAL);
}

static void test_adjust(void **state) {
    struct bz_rate r = {60, 10};
    struct bz_rate_result res;
    enum bz_meter m = BZ_METER_COMPLETION_TOKENS;
    uint64_t now = MINUTE;
    assert_int_equal(bz_state_take(st, 5, m, &r, 10, now, &res), BZ_OK);
    bz_state_adjust(st, 5, m, &r, 4, now);
    assert_int_equal(bz_state_take(st, 5, m, &r, 4, now, &res), BZ_OK);
    assert_int_equal(bz_state_take(st, 5, m, &r, 1, now, &res), BZ_ELIMIT);
    bz_state_adjust(st, 5, m, &r, 100, now); /* never more than a full bucket */
    assert_int_equal(bz_state_take(st, 5, m, &r, 11, now, &res), BZ_ELIMIT);
    assert_int_equal(res.remaining, 10);
    bz_state_adjust(st, 5, m, &r, -30, now); /* taken after the fact: a debt of 20 */
    assert_int_equal(bz_state_take(st, 5, m, &r, 1, now, &res), BZ_ELIMIT);
    assert_int_equal(res.remaining, 0);
    assert_int_equal(bz_state_take(st, 5, m, &r, 1, now + 20 * SECOND, &res), BZ_ELIMIT);
    assert_int_equal(bz_state_take(st, 5, m, &r, 1, now + 21 * SECOND, &res), BZ_OK);
    /* the first charge of a subject may be one after the fact */
    bz_state_adjust(st, 6, m, &r, -10, now);
    assert_int_equal(bz_state_take(st, 6, m, &r, 1, now, &res), BZ_ELIMIT);
}

static void test_clock_goes_backwards(void **state) {
    struct bz_rate r = {60, 10};
    struct bz_rate_result res;
    uint64_t later = 100 * 24 * 60 * MINUTE;
    assert_int_equal(bz_state_take(st, 5, BZ_METER_REQUESTS, &r, 10, later, &res), BZ_OK);
    /* a second back: simply not yet paid back */
    assert_int_equal(bz_state_take(st, 5, BZ_METER_REQUESTS, &r, 1, later - SECOND, &res),
                     BZ_ELIMIT);
    /* months back: an empty bucket, so nothing is free, but it fills again */
    assert_int_equal(bz_state_take(st, 5, BZ_METER_REQUESTS, &r, 1, MINUTE, &res), BZ_ELIMIT);
    assert_in_range(res.retry_ns, 1, 10 * SECOND);
    bz_state_adjust(st, 5, BZ_METER_REQUESTS, &r, -1, MINUTE); /* writes the new time */
    int got = 0;
    for (uint64_t t = MINUTE; t < 2 * MINUTE; t += SECOND / 10)
        got += bz_state_take(st, 5, BZ_METER_REQUESTS, &r, 1, t, &res) == BZ_OK;
    assert_in_range(got, 40, 60); /* not one burst on top */
}

static void test_table_full_fails_closed(void **state) {
    struct bz_rate r = {1, 1};
    struct bz_rate_result res;
    uint64_t refused = 0, now = MINUTE;
    for (uint64_t i = 1; i <= 200000; i++)
        refused += bz_state_take(st, i * UINT64_C(0x9e3779b97f4a7c15), BZ_METER_REQUESTS, &r, 1,
                                 now, &res) == BZ_ELIMIT;
    assert_in_range(refused, 200000 - 32768, 200000 - 16384);
    assert_int_equal(bz_state_enter(st, 0, 12345, 5, now), BZ_ELIMIT);
    bz_state_adjust(st, 12345, BZ_METER_REQUESTS, &r, -1,
                    now); /* no slot: nothing to do, no crash */
    /* those that are in keep their bucket */
    assert_int_equal(
        bz_state_take(st, UINT64_C(0x9e3779b97f4a7c15), BZ_METER_REQUESTS, &r, 1, now, &res),
        BZ_ELIMIT);
    /* a minute later all are idle and every slot is free for others */
    assert_int_equal(bz_state_enter(st, 0, 12345, 5, now + MINUTE + 1), BZ_OK);
}

/* ---- lanes and counts ---- */

static bool all_alive(uint32_t pid) {
    return true;
}
static bool none_alive(uint32_t pid) {
    return false;
}
static bool even_alive(uint32_t pid) {
    return pid % 2 == 0;
}

static void test_lanes(void **state) {
    uint32_t lane = 99, seen[BZ_LANES_MAX] = {0};
    assert_int_equal(bz_state_lane_take(st, 0, all_alive, &lane), BZ_EINVAL);
    for (uint32_t pid = 1; pid <= BZ_LANES_MAX; pid++) {
        assert_int_equal(bz_state_lane_take(st, pid, all_alive, &lane), BZ_OK);
        assert_in_range(lane, 0, BZ_LANES_MAX - 1);
        assert_int_equal(seen[lane]++, 0);
    }
    assert_int_equal(bz_state_lane_take(st, 1000, all_alive, &lane), BZ_ELIMIT);
    bz_state_lane_leave(st, 5);
    assert_int_equal(bz_state_lane_take(st, 1000, all_alive, &lane), BZ_OK);
    assert_int_equal(lane, 5);
    /* takes one dead lane and frees all the others */
    assert_int_equal(bz_state_lane_take(st, 2000, even_alive, &lane), BZ_OK);
    for (int i = 0; i < BZ_LANES_MAX / 2 - 1; i++)
        assert_int_equal(bz_state_lane_take(st, (uint32_t)(3000 + 2 * i), all_alive, &lane), BZ_OK);
    assert_int_equal(bz_state_lane_take(st, 9998, all_alive, &lane), BZ_ELIMIT);
    bz_state_lane_leave(st, BZ_LANES_MAX); /* no lane: nothing happens */
}

static void test_counts_of_a_dead_lane(void **state) {
    uint32_t a = 0, b = 0;
    assert_int_equal(bz_state_lane_take(st, 11, all_alive, &a), BZ_OK);
    assert_int_equal(bz_state_lane_take(st, 22, all_alive, &b), BZ_OK);
    bz_state_out_add(st, a, 3, 5);
    bz_state_out_add(st, b, 3, 2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bz_state_enter(st, a, 77, 4, 1), BZ_OK);
    assert_int_equal(bz_state_enter(st, b, 77, 4, 1), BZ_OK);
    assert_int_equal(bz_state_enter(st, b, 77, 4, 1), BZ_ELIMIT);
    assert_int_equal(bz_state_out(st, 3), 7);
    assert_int_equal(bz_state_lane_take(st, 22, none_alive, &b), BZ_OK); /* takes over both */
    assert_int_equal(bz_state_out(st, 3), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(bz_state_enter(st, b, 77, 4, 1), BZ_OK);
    assert_int_equal(bz_state_enter(st, b, 77, 4, 1), BZ_ELIMIT);
}

static void test_enter_and_exit(void **state) {
    uint32_t lane = 0;
    assert_int_equal(bz_state_lane_take(st, 1, all_alive, &lane), BZ_OK);
    assert_int_equal(bz_state_enter(st, lane, 5, 0, 1), BZ_OK); /* not limited: not counted */
    assert_int_equal(bz_state_enter(st, lane, 5, 2, 1), BZ_OK);
    assert_int_equal(bz_state_enter(st, lane, 5, 2, 1), BZ_OK);
    assert_int_equal(bz_state_enter(st, lane, 5, 2, 1), BZ_ELIMIT);
    assert_int_equal(bz_state_enter(st, lane, 6, 2, 1), BZ_OK);
    bz_state_exit(st, lane, 5);
    assert_int_equal(bz_state_enter(st, lane, 5, 2, 1), BZ_OK);
    for (int i = 0; i < 10; i++)
        bz_state_exit(st, lane, 5); /* never below zero */
    assert_int_equal(bz_state_enter(st, lane, 5, 1, 1), BZ_OK);
    assert_int_equal(bz_state_enter(st, lane, 5, 1, 1), BZ_ELIMIT);
    bz_state_exit(st, lane, 4711); /* never seen */
    bz_state_exit(st, BZ_LANES_MAX, 5);
    assert_int_equal(bz_state_enter(st, BZ_LANES_MAX, 5, 1, 1), BZ_EINVAL);
    for (uint32_t i = 0; i < UINT16_MAX; i++)
        assert_int_equal(bz_state_enter(st, lane, 8, UINT32_MAX, 1), BZ_OK);
    assert_int_equal(bz_state_enter(st, lane, 8, UINT32_MAX, 1), BZ_ELIMIT); /* does not wrap */
    bz_state_out_add(st, lane, 1, -5);
    assert_int_equal(bz_state_out(st, 1), 0);
}

/* ---- the handshake, one step at a time ---- */

static struct slot *marked_slot(uint64_t subject, uint64_t now) {
    struct slot *slot = get_slot(st, subject, now);
    assert_non_null(slot);
    assert_true(holds(slot->word, subject));
    slot->word = ((slot->word + version_one) & ~evict_bit) | evict_bit; /* an evictor died here */
    return slot;
}

static void test_mark_of_a_dead_evictor(void **state) {
    struct bz_rate r = {60, 10};
    struct bz_rate_result res;
    struct slot *slot = marked_slot(5, 1);
    assert_int_equal(bz_state_enter(st, 0, 5, 1, 1), BZ_OK);
    assert_int_equal(slot->word & evict_bit, 0);
    assert_int_equal(bz_state_enter(st, 0, 5, 1, 1), BZ_ELIMIT);
    slot = marked_slot(6, 1);
    assert_int_equal(bz_state_take(st, 6, BZ_METER_REQUESTS, &r, 10, 1, &res), BZ_OK);
    assert_int_equal(slot->word & evict_bit, 0);
    slot = marked_slot(6, 1);
    assert_int_equal(bz_state_take(st, 6, BZ_METER_REQUESTS, &r, 1, 1, &res), BZ_ELIMIT);
    assert_int_equal(slot->word & evict_bit, 0);
    slot = marked_slot(7, 1); /* idle: another evictor may finish the work */
    assert_true(hand_over(st, slot, tag_of(UINT64_C(0x80000)), 1));
    assert_true(holds(slot->word, UINT64_C(0x80000)));
}

static void test_busy_slots_are_not_handed_over(void **state) {
    struct bz_rate r = {60, 10};
    struct bz_rate_result res;
    assert_int_equal(bz_state_enter(st, 3, 5, 1, MINUTE), BZ_OK);
    struct slot *slot = find_slot(st, 5, NULL);
    uint64_t before = slot->word;
    assert_false(hand_over(st, slot, 0, MINUTE));
    assert_int_equal(slot->word, before);
    bz_state_exit(st, 3, 5);
    assert_int_equal(bz_state_take(st, 5, BZ_METER_REQUESTS, &r, 1, MINUTE, &res), BZ_OK);
    assert_false(hand_over(st, slot, 0, MINUTE + SECOND - 1));
    assert_true(hand_over(st, slot, 0, MINUTE + SECOND));
}

static void test_change_in_a_slot_that_went_away_is_taken_back(void **state) {
    struct bz_rate r = {60, 10};
    struct bz_rate_result res;
    struct slot *slot = get_slot(st, 5, MINUTE);
    slot->word = tag_of(UINT64_C(0x70000)); /* after we found it, before we charge it */
    assert_int_equal(take_from(slot, 5, BZ_METER_REQUESTS, &r, 3, MINUTE, &res), BZ_MORE);
    assert_in_range(slot->tat[BZ_METER_REQUESTS], 0, MINUTE); /* still full */
    assert_int_equal(take_from(slot, 5, BZ_METER_REQUESTS, &r, 11, MINUTE, &res), BZ_MORE);
    assert_false(charge(slot, 5, BZ_METER_REQUESTS, &r, SECOND, MINUTE));
    assert_in_range(slot->tat[BZ_METER_REQUESTS], 0, MINUTE);
    slot->tat[BZ_METER_REQUESTS] = 2 * MINUTE;
    give_back_to(slot, 5, BZ_METER_REQUESTS, SECOND);
    assert_int_equal(slot->tat[BZ_METER_REQUESTS], 2 * MINUTE);
}

/* ---- backends ---- */

static void test_passive_health(void **state) {
    uint64_t now = MINUTE, wait = 5 * SECOND;
    for (int i = 0; i < 3; i++) {
        assert_true(bz_state_backend_usable(st, 2, now));
        bz_state_backend_failed(st, 2, now);
    }
    static const uint64_t rests[] = {5, 10, 20, 40, 60, 60};
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
        wait = rests[i] * SECOND;
        bz_state_backend_failed(st, 2, now + 1); /* late news do not prolong it */
        assert_false(bz_state_backend_usable(st, 2, now + wait - SECOND / 100));
        assert_true(bz_state_backend_usable(st, 2, now + wait));
        now += wait;
        bz_state_backend_failed(st, 2, now); /* still failing */
    }
    bz_state_backend_ok(st, 2);
    assert_true(bz_state_backend_usable(st, 2, now));
    bz_state_backend_failed(st, 2, now);
    bz_state_backend_failed(st, 2, now);
    bz_state_backend_ok(st, 2);
    bz_state_backend_failed(st, 2, now); /* not three in a row */
    assert_true(bz_state_backend_usable(st, 2, now));
    assert_false(bz_state_backend_usable(st, BZ_BACKENDS_MAX, now));
}

static void test_active_health(void **state) {
    uint64_t now = 10 * MINUTE;
    assert_int_equal(bz_state_health(st, 1), BZ_HEALTH_UNKNOWN);
    assert_true(bz_state_backend_usable(st, 1, now));
    bz_state_health_set(st, 1, BZ_HEALTH_DOWN, now);
    assert_int_equal(bz_state_health(st, 1), BZ_HEALTH_DOWN);
    assert_false(bz_state_backend_usable(st, 1, now));
    assert_false(bz_state_backend_usable(st, 1, now + 59 * SECOND));
    assert_true(bz_state_backend_usable(st, 1, now + 60 * SECOND)); /* nobody repeated it */
    for (int i = 0; i < 3; i++)
        bz_state_backend_failed(st, 1, now);
    bz_state_health_set(st, 1, BZ_HEALTH_UP, now);
    assert_true(bz_state_backend_usable(st, 1, now)); /* it came back */
    for (int i = 0; i < 3; i++)
        bz_state_backend_failed(st, 1, now);
    bz_state_health_set(st, 1, BZ_HEALTH_UP, now);
    assert_false(bz_state_backend_usable(st, 1, now)); /* up, but it does not work */
}

static void test_pick(void **state) {
    uint32_t lane = 0;
    uint64_t now = MINUTE, mask = 0x8000000000000007;
    int hits[64] = {0};
    assert_int_equal(bz_state_lane_take(st, 1, all_alive, &lane), BZ_OK);
    assert_int_equal(bz_state_pick(st, 0, 0, now, 1), -1);
    assert_int_equal(bz_state_pick(st, mask, mask, now, 1), -1);
    for (uint64_t seed = 0; seed < 400; seed++)
        hits[bz_state_pick(st, mask, 0, now, seed)]++;
    assert_int_equal(hits[0], 100);
    assert_int_equal(hits[63], 100);
    bz_state_out_add(st, lane, 0, 2);
    bz_state_out_add(st, lane, 1, 1);
    bz_state_out_add(st, lane, 2, 2);
    bz_state_out_add(st, lane, 63, 3);
    assert_int_equal(bz_state_pick(st, mask, 0, now, 5), 1);
    assert_int_equal(bz_state_pick(st, mask, 1 | 2 | 4, now, 5), 63);
    bz_state_health_set(st, 1, BZ_HEALTH_DOWN, now);
    int got = bz_state_pick(st, mask, 0, now, 5);
    assert_true(got == 0 || got == 2);
}

/* ---- many processes ---- */

enum { hammer_n = 4, subjects_n = 40, hammer_max = 2 };

struct shared { /* what the processes tell each other, beside the state */
    _Atomic uint64_t rounds[hammer_n];
    _Atomic uint32_t inside[subjects_n];
    _Atomic uint32_t most;
    _Atomic uint64_t granted;
    _Atomic uint32_t lane[hammer_n];
    _Atomic bool stop;
};

static bool pid_alive(uint32_t pid) {
    return kill((pid_t)pid, 0) == 0;
}

/* All have the same home and are more than a window, so slots are handed over all the time. */
static uint64_t subject_of(uint64_t i) {
    return (i + 1) << 16 | 3;
}

static void hammer(struct shared *sh, int who) {
    uint32_t lane = 0;
    if (bz_state_lane_take(st, (uint32_t)getpid(), pid_alive, &lane) != BZ_OK)
        _exit(1);
    sh->lane[who] = lane;
    rng_state ^= (uint64_t)who << 32;
    struct bz_rate r = {600, 50};
    while (!sh->stop) {
        struct bz_rate_result res;
        uint64_t i = rng() % subjects_n, now = MINUTE + sh->rounds[who] * 1000;
        if (bz_state_enter(st, lane, subject_of(i), hammer_max, now) == BZ_OK) {
            bz_state_out_add(st, lane, 1, 1);
            uint32_t in = atomic_fetch_add(&sh->inside[i], 1) + 1, most = sh->most;
            while (in > most && !atomic_compare_exchange_weak(&sh->most, &most, in))
                ;
            atomic_fetch_sub(&sh->inside[i], 1);
            bz_state_out_add(st, lane, 1, -1);
            bz_state_exit(st, lane, subject_of(i));
        }
        if (bz_state_take(st, 99, BZ_METER_REQUESTS, &r, 1, MINUTE, &res) == BZ_OK)
            atomic_fetch_add(&sh->granted, 1);
        sh->rounds[who]++;
    }
    for (uint32_t i = 0; i < slots_n;
         i++) /* nothing entered: nothing may be counted, in any slot */
        if (st->slots[i].in[lane] != 0)
            _exit(3);
    bz_state_lane_leave(st, lane);
    _exit(0);
}

static void wait_for_rounds(struct shared *sh, int who, uint64_t n) {
    for (uint64_t from = sh->rounds[who]; sh->rounds[who] < from + n;)
        usleep(1000);
}

static void test_processes_one_of_them_killed(void **state) {
    struct shared *sh =
        mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid[hammer_n];
    assert_ptr_not_equal(sh, MAP_FAILED);
    for (int i = 0; i < hammer_n; i++) {
        pid[i] = fork();
        if (pid[i] == 0)
            hammer(sh, i);
    }
    wait_for_rounds(sh, 0, 2000);
    wait_for_rounds(sh, 1, 2000);
    for (int round = 0; round < 20; round++) { /* kill it anywhere, take over, start it again */
        kill(pid[0], SIGKILL);
        waitpid(pid[0], NULL, 0);
        for (int i = 0; i < subjects_n; i++)
            sh->inside[i] = 0; /* its own bookkeeping died with it */
        pid[0] = fork();
        if (pid[0] == 0)
            hammer(sh, 0);
        wait_for_rounds(sh, 0, 200 + rng() % 300);
    }
    sh->stop = true;
    for (int i = 0; i < hammer_n; i++) {
        int status = 0;
        waitpid(pid[i], &status, 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(bz_state_out(st, 1), 0);
    uint32_t lane = 0;
    assert_int_equal(bz_state_lane_take(st, (uint32_t)getpid(), pid_alive, &lane), BZ_OK);
    for (uint64_t i = 0; i < subjects_n; i++) { /* every count is back at zero */
        for (int n = 0; n < hammer_max; n++)
            assert_int_equal(bz_state_enter(st, lane, subject_of(i), hammer_max, MINUTE), BZ_OK);
        assert_int_equal(bz_state_enter(st, lane, subject_of(i), hammer_max, MINUTE), BZ_ELIMIT);
        for (int n = 0; n < hammer_max; n++)
            bz_state_exit(st, lane, subject_of(i));
    }
    /* at a standing clock exactly one burst was given out, whoever asked and whoever died (a killed
     * process may have taken one that it could not count) */
    assert_in_range(sh->granted, 50 - 20, 50);
    munmap(sh, sizeof *sh);
}

/* Without deaths nobody ever sees more than the maximum inside, although slots change hands
 * constantly. */
static void test_processes_never_exceed_the_maximum(void **state) {
    struct shared *sh =
        mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid[hammer_n];
    assert_ptr_not_equal(sh, MAP_FAILED);
    for (int i = 0; i < hammer_n; i++) {
        pid[i] = fork();
        if (pid[i] == 0)
            hammer(sh, i);
    }
    for (int i = 0; i < hammer_n; i++)
        wait_for_rounds(sh, i, 20000);
    sh->stop = true;
    for (int i = 0; i < hammer_n; i++) {
        int status = 0;
        waitpid(pid[i], &status, 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_in_range(sh->most, 1, hammer_max);
    assert_int_equal(sh->granted, 50);
    munmap(sh, sizeof *sh);
}

#define WITH_STATE(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_STATE(test_open_checks),
        WITH_STATE(test_rates_against_a_reference),
        WITH_STATE(test_burst_is_exact),
        WITH_STATE(test_unlimited_and_extremes),
        WITH_STATE(test_adjust),
        WITH_STATE(test_clock_goes_backwards),
        WITH_STATE(test_table_full_fails_closed),
        WITH_STATE(test_lanes),
        WITH_STATE(test_counts_of_a_dead_lane),
        WITH_STATE(test_enter_and_exit),
        WITH_STATE(test_mark_of_a_dead_evictor),
        WITH_STATE(test_busy_slots_are_not_handed_over),
        WITH_STATE(test_change_in_a_slot_that_went_away_is_taken_back),
        WITH_STATE(test_passive_health),
        WITH_STATE(test_active_health),
        WITH_STATE(test_pick),
        WITH_STATE(test_processes_one_of_them_killed),
        WITH_STATE(test_processes_never_exceed_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
