/* Swap: what /proc/swaps may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "memlock.h"

#define HEAD "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

static bool only_dm_1(struct bz_view device) {
    return bz_view_eq(device, BZ_V("/dev/dm-1"));
}

static const char *listed(const char *text) {
    static char name[128];
    struct bz_view where = bz_view(NULL, 0);
    bool open = bz_swap_listed(bz_view_str(text), only_dm_1, &where);
    snprintf(name, sizeof name, "%s%.*s", open ? "open " : "none", (int)where.n,
             (const char *)where.p);
    return name;
}

static void places(void **state) {
    assert_string_equal(listed(""), "none");
    assert_string_equal(listed(HEAD), "none");
    assert_string_equal(listed(HEAD "/dev/zram0 partition 100 0 5\n"), "none");
    assert_string_equal(listed(HEAD "/dev/dm-1 partition 100 0 -2\n"), "none");
    assert_string_equal(listed(HEAD "/dev/dm-2 partition 100 0 -2\n"), "open /dev/dm-2");
    assert_string_equal(listed(HEAD "/dev/dm-1\tpartition\t100\n/swapfile\tfile\t100\t0\t-2\n"),
                        "open /swapfile");
    assert_string_equal(listed(HEAD "/my\\040swap file 1 0 -2"), "open /my\\040swap");
}

/* Whatever this machine has: locking says what is so, and nothing fails later. */
static void this_machine(void **state) {
    struct bz_buf where;
    bz_buf_init(&where, 4096);
    bool open = bz_swap_open(&where);
    assert_true(open == (where.n > 0));
    enum bz_swap s = bz_memory_lock();
    assert_true(open == (s != BZ_SWAP_NONE));
    void *p = malloc(64 << 20);
    assert_non_null(p);
    free(p);
    bz_buf_free(&where);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(places), cmocka_unit_test(this_machine)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
