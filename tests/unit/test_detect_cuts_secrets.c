/* The detectors keep the rule of live: samples of secrets, cut everywhere. */
#include "detect_cuts.h"
#include "samples_secrets.h"

static struct kit kit;

static int open_kit(void **state) {
    (void)state;
    kit_open(&kit, NULL, 0);
    return 0;
}

static int close_kit(void **state) {
    (void)state;
    kit_close(&kit);
    return 0;
}

static void each_sample(void **state) {
    (void)state;
    struct group g = group_of(BZ_CLASS_SECRET, secrets_sample);
    assert_true(g.n > 0);
    cuts_each(&kit, &g, 2);
}

static void mixed(void **state) {
    (void)state;
    struct group g = group_of(BZ_CLASS_SECRET, secrets_sample);
    cuts_mixed(&kit, &g, 4000, BZ_TEXT_PLAIN);
    cuts_mixed(&kit, &g, 1000, BZ_TEXT_JSON);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample),
        cmocka_unit_test(mixed),
    };
    return cmocka_run_group_tests(tests, open_kit, close_kit);
}
