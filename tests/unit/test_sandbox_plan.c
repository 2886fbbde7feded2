/* From request to plan: what a cage holds, what is refused, and what bubblewrap is told. Fixtures only: nothing of this
 * host is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <bartizan/sandbox.h>

static struct bz_cage_plan plan;
static char why_text[1024];
static struct bz_buf why;

static struct bz_cage_request request(const char *profile) {
    struct bz_cage_request r = {.profile = bz_cage_profile(profile),
                                .argv = {"/usr/bin/llama-server", "-m", "/models/a.gguf"},
                                .argc = 3,
                                .cage = "/usr/libexec/bartizan-cage",
                                .loader = "/usr/lib64/ld-linux-x86-64.so.2",
                                .usr_merged = true,
                                .cpu_facts = true,
                                .loader_cache = true};
    r.models.v[r.models.n++] = "/models/a.gguf";
    return r;
}

static enum bz_status make(const struct bz_cage_request *r) {
    bz_buf_init_fixed(&why, why_text, sizeof why_text - 1);
    enum bz_status st = bz_cage_plan_make(r, &plan, &why);
    why_text[why.n] = '\0';
    return st;
}

static const struct bz_cage_mount *mount_at(const char *to) {
    for (size_t i = 0; i < plan.mounts_n; i++) {
        if (strcmp(plan.mount[i].to, to) == 0)
            return &plan.mount[i];
    }
    return NULL;
}

static void only_program_libraries_and_model(void **state) {
    static const char *const needs[] = {"/usr/lib/x86_64-linux-gnu/libc.so.6"};
    struct bz_cage_request r = request("llama-server");
    r.needs = needs;
    r.needs_n = 1;
    assert_int_equal(make(&r), BZ_OK);
    assert_null(mount_at("/usr"));
    assert_null(mount_at("/etc"));
    assert_null(mount_at("/home"));
    assert_null(mount_at("/sys"));
    assert_int_equal(mount_at("/models/a.gguf")->may, BZ_MAY_READ);
    assert_int_equal(mount_at("/models/a.gguf")->kind, BZ_MOUNT_BIND_RO);
    assert_int_equal(mount_at(needs[0])->may, BZ_MAY_READ);
    assert_int_equal(mount_at("/usr/bin/llama-server")->may, BZ_MAY_READ | BZ_MAY_EXEC);
    assert_int_equal(mount_at("/tmp")->may & BZ_MAY_EXEC, 0);
    assert_int_equal(mount_at("/proc")->may, 0);
    assert_int_equal(mount_at(BZ_CAGE_PROGRAM)->may, 0);
    assert_false(plan.exec);
    assert_false(plan.wx);
    assert_int_equal(plan.bind_port, 0);
    assert_int_equal(plan.argc, 3);
    bz_cage_plan_free(&plan);
}

/* Nothing may both be written and executed, in any profile. */
static void nothing_is_written_and_executed(void **state) {
    for (const struct bz_cage_profile *p = bz_cage_profiles; p->name != NULL; p++) {
        struct bz_cage_request r = request(p->name);
        r.writes.v[r.writes.n++] = "/srv/cache";
        assert_int_equal(make(&r), BZ_OK);
        for (size_t i = 0; i < plan.mounts_n; i++) {
            const unsigned may = plan.mount[i].may;
            assert_false((may & BZ_MAY_EXEC) != 0 &&
                         (may & (BZ_MAY_WRITE | BZ_MAY_PUT | BZ_MAY_SOCKET)) != 0);
            if (plan.mount[i].kind == BZ_MOUNT_BIND_RO)
                assert_int_equal(may & (BZ_MAY_WRITE | BZ_MAY_PUT | BZ_MAY_SOCKET), 0);
        }
        bz_cage_plan_free(&plan);
    }
}

static bool has_arg(const struct bz_buf *b, const char *arg) {
    for (size_t at = 0; at < b->n; at += strlen((const char *)b->p + at) + 1) {
        if (strcmp((const char *)b->p + at, arg) == 0)
            return true;
    }
    return false;
}

static void bubblewrap_unshares_everything(void **state) {
    static const char *const want[] = {
        "--unshare-user",   "--unshare-ipc",     "--unshare-pid", "--unshare-net", "--unshare-uts",
        "--unshare-cgroup", "--die-with-parent", "--new-session", "--clearenv",    "--remount-ro"};
    struct bz_cage_request r = request("llama-server");
    struct bz_buf b;
    assert_int_equal(make(&r), BZ_OK);
    bz_buf_init(&b, 1 << 20);
    bz_cage_bwrap_args(&plan, &b);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_true(has_arg(&b, want[i]));
    assert_false(has_arg(&b, "--share-net"));
    assert_false(has_arg(&b, "--bind"));
    bz_buf_free(&b);
    bz_cage_plan_free(&plan);
}

static void socket_has_its_directory(void **state) {
    struct bz_cage_request r = request("llama-server");
    r.socket = "/run/one/llm.sock";
    assert_int_equal(make(&r), BZ_OK);
    assert_string_equal(mount_at(BZ_CAGE_SOCKET_DIR)->from, "/run/one");
    assert_int_equal(mount_at(BZ_CAGE_SOCKET_DIR)->may & BZ_MAY_WRITE, 0);
    assert_string_equal(plan.socket_dir, "/run/one");
    assert_string_equal(plan.argv[plan.argc - 2], "--host");
    assert_string_equal(plan.argv[plan.argc - 1], "/run/llm/llm.sock");
    assert_int_equal(plan.forward_port, 0);
    bz_cage_plan_free(&plan);
    r = request("ollama");
    r.socket = "/run/one/llm.sock";
    assert_int_equal(make(&r), BZ_OK);
    assert_null(mount_at(BZ_CAGE_SOCKET_DIR)); /* its connections come through a descriptor */
    assert_int_equal(plan.forward_port, 11434);
    bz_cage_plan_free(&plan);
}

static void expect_refused(const struct bz_cage_request *r, const char *part) {
    assert_int_equal(make(r), BZ_EINVAL);
    if (strstr(why_text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, why_text);
    bz_cage_plan_free(&plan);
}

static void secrets_go_through_descriptors_only(void **state) {
    struct bz_cage_request r = request("llama-server");
    r.argv[r.argc++] = "--api-key";
    r.argv[r.argc++] = "abc";
    expect_refused(&r, "--secret");
    r = request("llama-server");
    r.argv[r.argc++] = "--api-key=abc";
    expect_refused(&r, "--secret");
    r = request("llama-server");
    r.env.v[r.env.n++] = "Hf_Token=abc";
    expect_refused(&r, "looks like a secret");
    assert_null(strstr(why_text, "abc"));
    r = request("llama-server");
    r.env.v[r.env.n++] = "LD_PRELOAD=/tmp/x.so";
    expect_refused(&r, "loader");
    r = request("llama-server");
    r.argv[r.argc++] = "--api-key-file";
    r.argv[r.argc++] = "{secret:KEY}";
    expect_refused(&r, "no --secret");
    r.secrets.v[r.secrets.n++] = "OTHER=/etc/other";
    r.secrets.v[r.secrets.n++] = "KEY=/etc/key";
    assert_int_equal(make(&r), BZ_OK);
    assert_string_equal(plan.argv[4], "/proc/self/fd/33");
    bz_cage_plan_free(&plan);
}

static void write_paths_stand_alone(void **state) {
    static const char *const bad[] = {"/", "/models", "/usr", "/tmp", "/home"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bz_cage_request r = request("ollama");
        r.writes.v[r.writes.n++] = bad[i];
        expect_refused(&r, bad[i]);
    }
    struct bz_cage_request r = request("ollama");
    r.writes.v[r.writes.n++] = "/models2"; /* a name that only begins alike */
    assert_int_equal(make(&r), BZ_OK);
    bz_cage_plan_free(&plan);
    r.reads.v[r.reads.n++] = "/models2/lib";
    expect_refused(&r, "alone");
}

static void no_whole_part_of_the_machine_is_read(void **state) {
    static const char *const bad[] = {"/", "/etc", "/home", "/proc", "/run", "/var"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bz_cage_request r = request("llama-server");
        r.reads.v[r.reads.n++] = bad[i];
        expect_refused(&r, "whole part of the machine");
    }
    struct bz_cage_request r = request("llama-server");
    r.reads.v[r.reads.n++] = "/opt/llama";
    assert_int_equal(make(&r), BZ_OK);
    bz_cage_plan_free(&plan);
}

static void environment_is_the_plan_s(void **state) {
    struct bz_cage_request r = request("llama-server");
    r.env.v[r.env.n++] = "HOME=/other";
    assert_int_equal(make(&r), BZ_OK);
    assert_int_equal(plan.env.n, 4); /* PATH, HOME, LANG, GGML_NO_BACKTRACE */
    for (size_t i = 0; i < plan.env.n; i++) {
        if (strncmp(plan.env.v[i], "HOME=", 5) == 0)
            assert_string_equal(plan.env.v[i], "HOME=/other");
    }
    bz_cage_plan_free(&plan);
}

static void only_the_card_that_was_named(void **state) {
    struct bz_cage_request r = request("llama-server");
    assert_true(bz_gpu_parse("nvidia:1", &r.gpu, &r.gpu_index));
    assert_int_equal(make(&r), BZ_OK);
    assert_non_null(mount_at("/dev/nvidia1"));
    assert_non_null(mount_at("/dev/nvidiactl"));
    assert_null(mount_at("/dev/nvidia0"));
    assert_null(mount_at("/dev/nvidia-modeset"));
    assert_true(plan.wx);
    assert_non_null(plan.why_wx);
    bz_cage_plan_free(&plan);
    assert_true(bz_gpu_parse("amd", &r.gpu, &r.gpu_index));
    assert_int_equal(make(&r), BZ_OK);
    assert_non_null(mount_at("/dev/kfd"));
    assert_non_null(mount_at("/dev/dri/renderD128"));
    assert_null(mount_at("/dev/dri/card0"));
    bz_cage_plan_free(&plan);
    assert_true(bz_gpu_parse("intel:63", &r.gpu, &r.gpu_index));
    assert_int_equal(r.gpu_index, 191);
    assert_false(bz_gpu_parse("intel:64", &r.gpu, &r.gpu_index));
    assert_false(bz_gpu_parse("intel:", &r.gpu, &r.gpu_index));
    assert_false(bz_gpu_parse("nvidi", &r.gpu, &r.gpu_index));
}

static void limits_of_lists(void **state) {
    static char names[BZ_CAGE_MOUNTS_MAX + 1][32];
    static const char *needs[BZ_CAGE_MOUNTS_MAX + 1];
    struct bz_cage_request r = request("llama-server");
    for (size_t i = 0; i <= BZ_CAGE_MOUNTS_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "/lib/l%zu.so", i);
        needs[i] = names[i];
    }
    r.needs = needs;
    r.needs_n = BZ_CAGE_MOUNTS_MAX - 64;
    assert_int_equal(make(&r), BZ_OK);
    bz_cage_plan_free(&plan);
    r.needs_n = BZ_CAGE_MOUNTS_MAX + 1;
    expect_refused(&r, "too many files");
}

static void judgement_of_probes(void **state) {
    assert_int_equal(bz_probe_judge(false, 1, 0), BZ_PROBE_DENIED);
    assert_int_equal(bz_probe_judge(false, 0, 0), BZ_PROBE_ALLOWED);
    assert_int_equal(bz_probe_judge(false, 0, 13), BZ_PROBE_ALLOWED); /* worse than outside */
    assert_int_equal(bz_probe_judge(true, 0, 0), BZ_PROBE_GRANTED);
    assert_int_equal(bz_probe_judge(false, 1, 13), BZ_PROBE_VACUOUS);
    assert_int_equal(bz_probe_judge(false, -1, 0), BZ_PROBE_UNCHECKED);
    assert_int_equal(bz_probe_judge(false, 1, -1), BZ_PROBE_UNCHECKED);
    assert_true(bz_probe_list_n >= 45);
    for (size_t i = 0; i < bz_probe_list_n; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(bz_probe_list[i].name, bz_probe_list[k].name);
    struct bz_cage_request r = request("llama-server"); /* grants nothing */
    assert_int_equal(make(&r), BZ_OK);
    for (size_t i = 0; i < bz_probe_list_n; i++)
        assert_false(bz_probe_granted(&bz_probe_list[i], &plan));
    bz_cage_plan_free(&plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_program_libraries_and_model),
        cmocka_unit_test(nothing_is_written_and_executed),
        cmocka_unit_test(bubblewrap_unshares_everything),
        cmocka_unit_test(socket_has_its_directory),
        cmocka_unit_test(secrets_go_through_descriptors_only),
        cmocka_unit_test(write_paths_stand_alone),
        cmocka_unit_test(no_whole_part_of_the_machine_is_read),
        cmocka_unit_test(environment_is_the_plan_s),
        cmocka_unit_test(only_the_card_that_was_named),
        cmocka_unit_test(limits_of_lists),
        cmocka_unit_test(judgement_of_probes),
    };
    return cmocka_run_group_tests_name("sandbox_plan", tests, NULL, NULL);
}
