/* What bartizan-cage is told: written and read again, cut and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../src/sandbox/wire.h"

static struct wire in, out;

static void fill(void) {
    static const uint8_t code[16] = {6, 0, 0, 0, 0, 0, 0xff, 0x7f};
    memset(&in, 0, sizeof in);
    in.flags = WIRE_EXEC | WIRE_PROBE;
    in.limit[in.limits_n++] = (struct wire_limit){1, 2, 7};
    in.rule[in.rules_n++] = (struct wire_rule){"/usr", BZ_MAY_READ, BZ_MOUNT_BIND_RO};
    in.rule[in.rules_n++] = (struct wire_rule){"/tmp", BZ_MAY_WRITE, BZ_MOUNT_TMPFS};
    in.argv[in.argc++] = "/bin/server";
    in.argv[in.argc++] = "";
    in.env[in.env_n++] = "A=b";
    in.keep[in.keep_n++] = 32;
    for (uint32_t i = 0; i < WIRE_NAMESPACES; i++)
        in.outside[i] = 4026531835u + i;
    in.bind_port = 11434;
    in.connect_port = 3128;
    in.forward_port = 8080;
    in.status_fd = 12;
    in.control_fd = 13;
    in.listen_fd = -1;
    in.egress_fd = 15;
    in.filter = bz_view(code, 16);
    in.filter_init = bz_view(code, 8);
    in.probe[in.probes_n++] = "mount";
    in.target[in.targets_n++] = "tcp=1";
}

static void written_is_read(void **state) {
    struct bz_buf b;
    fill();
    bz_buf_init(&b, WIRE_MAX);
    wire_write(&in, &b);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    assert_int_equal(wire_read(bz_buf_view(&b), &out), BZ_OK);
    assert_int_equal(out.flags, in.flags);
    assert_int_equal(out.rules_n, 2);
    assert_string_equal(out.rule[1].path, "/tmp");
    assert_int_equal(out.rule[1].kind, BZ_MOUNT_TMPFS);
    assert_int_equal(out.argc, 2);
    assert_string_equal(out.argv[0], "/bin/server");
    assert_null(out.argv[2]);
    assert_string_equal(out.env[0], "A=b");
    assert_int_equal(out.keep[0], 32);
    assert_memory_equal(out.outside, in.outside, sizeof in.outside);
    assert_int_equal(out.listen_fd, -1);
    assert_int_equal(out.forward_port, 8080);
    assert_int_equal(out.filter.n, 16);
    assert_string_equal(out.target[0], "tcp=1");
    bz_buf_free(&b);
}

static void every_cut_is_refused(void **state) {
    struct bz_buf b;
    fill();
    bz_buf_init(&b, WIRE_MAX);
    wire_write(&in, &b);
    for (size_t n = 0; n < b.n; n++)
        assert_int_not_equal(wire_read(bz_view(b.p, n), &out), BZ_OK);
    bz_buf_putc(&b, 0);
    assert_int_equal(wire_read(bz_buf_view(&b), &out), BZ_ETRAILING);
    bz_buf_free(&b);
}

/* Whatever a flipped byte makes of it: refused, or read within bounds. */
static void damage_stays_within(void **state) {
    struct bz_buf b;
    fill();
    bz_buf_init(&b, WIRE_MAX);
    wire_write(&in, &b);
    for (size_t i = 0; i < b.n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            b.p[i] ^= (uint8_t)(1u << bit);
            if (wire_read(bz_buf_view(&b), &out) == BZ_OK) {
                assert_in_range(out.argc, 1, BZ_CAGE_ARGS_MAX + 8);
                assert_true(out.rules_n <= BZ_CAGE_MOUNTS_MAX);
            }
            b.p[i] ^= (uint8_t)(1u << bit);
        }
    }
    bz_buf_free(&b);
}

static void nonsense_is_refused(void **state) {
    struct bz_buf b;
    fill();
    in.argc = 0;
    bz_buf_init(&b, WIRE_MAX);
    wire_write(&in, &b);
    assert_int_equal(wire_read(bz_buf_view(&b), &out), BZ_ESYNTAX);
    bz_buf_reset(&b);
    fill();
    in.rule[0].path = "usr"; /* not absolute */
    wire_write(&in, &b);
    assert_int_equal(wire_read(bz_buf_view(&b), &out), BZ_ESYNTAX);
    bz_buf_reset(&b);
    fill();
    in.filter.n = 12; /* no whole instructions */
    wire_write(&in, &b);
    assert_int_not_equal(wire_read(bz_buf_view(&b), &out), BZ_OK);
    bz_buf_reset(&b);
    fill();
    in.flags = WIRE_ALL + 1;
    wire_write(&in, &b);
    assert_int_equal(wire_read(bz_buf_view(&b), &out), BZ_ESYNTAX);
    bz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_read),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(damage_stays_within),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests_name("sandbox_wire", tests, NULL, NULL);
}
