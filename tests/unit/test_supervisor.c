/* When a dead child is started again: a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/instance/supervisor.h"

#define MS 1000000ull

static void first_restart_comes_at_once(void **state) {
    struct bz_sup_child c = {BZ_SUP_STOPPED, 0, 0, 0, 0, 0};
    bz_sup_started(&c, 42, 0);
    assert_int_equal(c.state, BZ_SUP_STARTING);
    bz_sup_ready(&c);
    assert_int_equal(c.state, BZ_SUP_READY);
    bz_sup_died(&c, 5000 * MS);
    assert_int_equal(c.state, BZ_SUP_WAITING);
    assert_int_equal(c.pid, 0);
    assert_false(bz_sup_due(&c, 5000 * MS));
    assert_false(bz_sup_due(&c, 5049 * MS));
    assert_true(bz_sup_due(&c, 5050 * MS));
    bz_sup_started(&c, 43, 5050 * MS);
    assert_int_equal(c.restarts, 1);
}

static void waiting_doubles_to_five_seconds(void **state) {
    static const uint64_t want[] = {50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000};
    struct bz_sup_child c = {BZ_SUP_STOPPED, 0, 0, 0, 0, 0};
    uint64_t now = 0;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        bz_sup_started(&c, 1, now);
        bz_sup_died(&c, now);
        assert_int_equal(c.next_ns - now, want[i] * MS);
        now = c.next_ns;
    }
    c.failures = UINT32_MAX; /* no overflow after years of failing */
    bz_sup_died(&c, now);
    assert_int_equal(c.next_ns - now, 5000 * MS);
}

static void good_second_forgets_failures(void **state) {
    struct bz_sup_child c = {BZ_SUP_STOPPED, 0, 0, 0, 0, 0};
    for (int i = 0; i < 6; i++) {
        bz_sup_started(&c, 1, 0);
        bz_sup_died(&c, 0);
    }
    bz_sup_started(&c, 1, 0);
    bz_sup_ready(&c);
    bz_sup_died(&c, 1000 * MS);
    assert_int_equal(c.next_ns, 1050 * MS);
    /* long, but never ready: that is no good run */
    for (int i = 0; i < 4; i++) {
        bz_sup_started(&c, 1, 2000 * MS);
        bz_sup_died(&c, 9000 * MS);
    }
    assert_int_equal(c.next_ns - 9000 * MS, 800 * MS);
}

static void timeout_is_that_of_the_first(void **state) {
    struct bz_sup_child c[3] = {{BZ_SUP_READY, 1, 0, 0, 0, 0},
                                {BZ_SUP_WAITING, 0, 0, 90 * MS, 1, 0},
                                {BZ_SUP_WAITING, 0, 0, 30 * MS + 1, 1, 0}};
    assert_int_equal(bz_sup_timeout(c, 1, 0), -1);
    assert_int_equal(bz_sup_timeout(c, 3, 0), 31); /* rounded up: never a busy loop just before */
    assert_int_equal(bz_sup_timeout(c, 3, 30 * MS), 1);
    assert_int_equal(bz_sup_timeout(c, 3, 100 * MS), 0);
}

static void stopped_child_is_never_due(void **state) {
    struct bz_sup_child c = {BZ_SUP_STOPPED, 0, 0, 0, 0, 0};
    bz_sup_started(&c, 9, 0);
    bz_sup_stopped(&c);
    assert_false(bz_sup_due(&c, UINT64_MAX));
    assert_string_equal(bz_sup_state_text(c.state), "stopped");
    assert_string_equal(bz_sup_state_text((enum bz_sup_state)99), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_restart_comes_at_once),
        cmocka_unit_test(waiting_doubles_to_five_seconds),
        cmocka_unit_test(good_second_forgets_failures),
        cmocka_unit_test(timeout_is_that_of_the_first),
        cmocka_unit_test(stopped_child_is_never_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
