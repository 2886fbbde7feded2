/* What is read from the host: programs' libraries, control groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

#include <bartizan/sandbox.h>
#include "../../src/sandbox/cgroup.h"

static void own_program(struct bz_buf *b) {
    uint8_t block[65536];
    ssize_t n;
    int fd = open("/proc/self/exe", O_RDONLY);
    assert_true(fd >= 0);
    bz_buf_init(b, 256u << 20);
    while ((n = read(fd, block, sizeof block)) > 0)
        bz_buf_put(b, bz_view(block, (size_t)n));
    (void)close(fd);
}

static void libraries_of_this_program(void **state) {
    struct bz_buf b;
    struct bz_elf e;
    bool libc = false, cmocka = false;
    own_program(&b);
    assert_int_equal(bz_elf_read(bz_buf_view(&b), &e), BZ_OK);
    assert_true(e.loader.n > 0 && e.loader.p[0] == '/');
    for (size_t i = 0; i < e.needed_n; i++) {
        libc = libc || bz_view_eq(e.needed[i], BZ_V("libc.so.6"));
        cmocka = cmocka || bz_view_starts(e.needed[i], BZ_V("libcmocka.so"));
    }
    assert_true(libc && cmocka);
    bz_buf_free(&b);
}

static void damaged_programs(void **state) {
    struct bz_buf b;
    struct bz_elf e;
    own_program(&b);
    for (size_t n = 0; n < 4096; n++) /* cuts within the headers */
        assert_int_not_equal(bz_elf_read(bz_view(b.p, n), &e), BZ_OK);
    for (size_t i = 4; i < 1024; i++) {
        b.p[i] ^= 0xff;
        if (bz_elf_read(bz_buf_view(&b), &e) == BZ_OK) {
            for (size_t k = 0; k < e.needed_n; k++)
                assert_true(e.needed[k].p >= b.p && e.needed[k].p + e.needed[k].n <= b.p + b.n);
        }
        b.p[i] ^= 0xff;
    }
    assert_int_equal(bz_elf_read(BZ_V("#!/bin/sh\n"), &e), BZ_ENOTFOUND);
    b.p[4] = 1; /* of a 32-bit machine */
    assert_int_equal(bz_elf_read(bz_buf_view(&b), &e), BZ_ESYNTAX);
    bz_buf_free(&b);
}

static void control_groups(void **state) {
    const struct bz_view v1 = BZ_V("9:name=systemd:/\n5:cpu,cpuacct:/a\n4:memory:/b/c\n0::/d\n");
    struct bz_view p;
    assert_true(bz_cgroup_path(v1, BZ_V("memory"), &p) && bz_view_eq(p, BZ_V("/b/c")));
    assert_true(bz_cgroup_path(v1, BZ_V("cpu"), &p) && bz_view_eq(p, BZ_V("/a")));
    assert_true(bz_cgroup_path(v1, BZ_V("cpuacct"), &p) && bz_view_eq(p, BZ_V("/a")));
    assert_true(bz_cgroup_path(v1, bz_view(NULL, 0), &p) && bz_view_eq(p, BZ_V("/d")));
    assert_false(bz_cgroup_path(v1, BZ_V("pids"), &p));
    assert_false(bz_cgroup_path(v1, BZ_V("cpua"), &p));
    assert_false(bz_cgroup_path(BZ_V("garbage"), BZ_V("memory"), &p));
    assert_false(bz_cgroup_path(BZ_V("4:memory:relative\n"), BZ_V("memory"), &p));
    assert_false(bz_cgroup_path(BZ_V("::"), bz_view(NULL, 0), &p));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libraries_of_this_program),
        cmocka_unit_test(damaged_programs),
        cmocka_unit_test(control_groups),
    };
    return cmocka_run_group_tests_name("sandbox_host", tests, NULL, NULL);
}
