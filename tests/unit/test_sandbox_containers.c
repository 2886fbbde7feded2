/* What leads out of a container's configuration (the eight runtime scenarios of SandboxEscapeBench and more), and cages as
 * other tools know them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <bartizan/containers.h>

static struct bz_lint l;

static bool found(const char *id) {
    for (size_t i = 0; i < l.n && i < BZ_LINT_FINDINGS_MAX; i++) {
        if (strcmp(l.list[i].id, id) == 0)
            return true;
    }
    return false;
}

static void command(const char *text) {
    static char copy[1024];
    const char *argv[64];
    size_t n = 0;
    (void)snprintf(copy, sizeof copy, "%s", text);
    for (char *p = copy; *p != '\0' && n < 64;) {
        argv[n++] = p;
        p += strcspn(p, " ");
        while (*p == ' ')
            *p++ = '\0';
    }
    memset(&l, 0, sizeof l);
    bz_lint_command(&l, argv, n);
}

static void json(const char *text) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    memset(&l, 0, sizeof l);
    bz_arena_init(&ar, bz_alloc_heap, 1 << 22, NULL, 0);
    assert_int_equal(bz_json_parse(bz_view_str(text), NULL, &ar, &root, NULL), BZ_OK);
    bz_lint_json(&l, root);
    bz_arena_free(&ar);
}

static void eight_scenarios_of_the_runtime(void **state) {
    static const struct {
        const char *command, *json, *id;
    } t[] = {
        {"docker run -v /var/run/docker.sock:/s i",
         "{\"HostConfig\":{\"Binds\":[\"/var/run/docker.sock:/s\"]}}", "engine-socket"},
        {"docker run --privileged i", "{\"HostConfig\":{\"Privileged\":true}}", "privileged"},
        {"docker run -v /:/host:ro i",
         "{\"Mounts\":[{\"Source\":\"/\",\"Destination\":\"/h\",\"RW\":false}]}", "host-root"},
        {"docker run --cap-add=SYS_ADMIN i", "{\"HostConfig\":{\"CapAdd\":[\"CAP_SYS_ADMIN\"]}}",
         "cap-sys-admin"},
        {"docker run --cap-add SYS_MODULE i", "{\"HostConfig\":{\"CapAdd\":[\"SYS_MODULE\"]}}",
         "cap-sys-module"},
        {"docker run --cap-add DAC_READ_SEARCH i",
         "{\"HostConfig\":{\"CapAdd\":[\"DAC_READ_SEARCH\"]}}", "cap-dac-read-search"},
        {"docker run --pid=host --cap-add SYS_PTRACE i", "{\"HostConfig\":{\"PidMode\":\"host\"}}",
         "host-pid"},
        {"docker run -v /proc:/host/proc i", "{\"HostConfig\":{\"Binds\":[\"/proc:/p:rw\"]}}",
         "host-path"},
        {"docker run --net host i", "{\"HostConfig\":{\"NetworkMode\":\"host\"}}", "host-network"},
        {"docker run --security-opt seccomp=unconfined i",
         "{\"HostConfig\":{\"SecurityOpt\":[\"seccomp=unconfined\"]}}", "no-seccomp"},
        {"docker run --device=/dev/sda:/dev/sda:rwm i",
         "{\"HostConfig\":{\"Devices\":[{\"PathOnHost\":\"/dev/sda\"}]}}", "host-device"},
        {"docker run --mount type=bind,source=/etc,target=/x i",
         "{\"Mounts\":[{\"Source\":\"/etc\",\"Destination\":\"/x\",\"RW\":true}]}",
         "host-path-writable"},
        {"docker run -e OPENAI_API_KEY=x i", "{\"Config\":{\"Env\":[\"OPENAI_API_KEY=x\"]}}",
         "secret-in-environment"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        command(t[i].command);
        if (!found(t[i].id))
            fail_msg("%s: no %s", t[i].command, t[i].id);
        json(t[i].json);
        if (!found(t[i].id))
            fail_msg("%s: no %s", t[i].json, t[i].id);
    }
}

static void compose_and_pods(void **state) {
    json("{\"services\":{\"m\":{\"privileged\":true,\"cap_add\":[\"ALL\"],\"pid\":\"host\","
         "\"network_mode\":\"host\","
         "\"volumes\":[{\"type\":\"bind\",\"source\":\"/root\",\"target\":\"/"
         "r\"}],\"environment\":{\"HF_TOKEN\":\"x\"}}}}");
    assert_true(found("privileged") && found("cap-all") && found("host-pid") &&
                found("host-network"));
    assert_true(found("host-path") && found("secret-in-environment"));
    json("{\"spec\":{\"hostPID\":true,\"hostNetwork\":true,\"hostIPC\":true,\"volumes\":[{"
         "\"hostPath\":{\"path\":\"/\"}}],"
         "\"containers\":[{\"securityContext\":{\"allowPrivilegeEscalation\":true,"
         "\"capabilities\":{\"add\":[\"NET_RAW\"]}}}]}}");
    assert_true(found("host-pid") && found("host-network") && found("host-ipc") &&
                found("host-root"));
    assert_true(found("new-privileges") && found("cap-net-raw"));
}

static void good_ones_are_clean(void **state) {
    command(
        "podman run --rm --read-only --network=none --ipc=none --cap-drop=ALL "
        "--security-opt=no-new-privileges "
        "--user=65534:65534 --volume /srv/m.gguf:/srv/m.gguf:ro --volume /run/llm/one:/run/llm:rw "
        "--device /dev/nvidia0 --device nvidia.com/gpu=0 --env HOME=/tmp --mount "
        "type=tmpfs,target=/x i");
    assert_int_equal(l.n, 0);
    json("{\"HostConfig\":{\"Privileged\":false,\"Binds\":[\"/srv/m:/m:ro\",\"volume:/"
         "data\"],\"CapAdd\":null,"
         "\"PidMode\":\"\",\"NetworkMode\":\"none\",\"SecurityOpt\":[\"no-new-privileges\"],"
         "\"Devices\":[]},"
         "\"Config\":{\"Env\":[\"PATH=/bin\",\"MONKEY=1\"]}}");
    assert_int_equal(l.n, 0);
}

static void more_than_fit(void **state) {
    memset(&l, 0, sizeof l);
    for (size_t i = 0; i < 2 * BZ_LINT_FINDINGS_MAX; i++)
        bz_lint_add(&l, BZ_LINT_CAP, BZ_V("SYS_ADMIN"), false);
    assert_int_equal(l.n, 2 * BZ_LINT_FINDINGS_MAX);
}

static void exports(void **state) {
    struct bz_cage_request r = {.profile = bz_cage_profile("llama-server"),
                                .argv = {"/usr/bin/llama-server", "a b", "it's"},
                                .argc = 3,
                                .cage = BZ_CAGE_PROGRAM};
    static struct bz_cage_plan p;
    struct bz_buf b, why;
    struct bz_arena ar;
    struct bz_json *root = NULL;
    bz_buf_init(&b, 1 << 20);
    bz_buf_init(&why, 1024);
    r.models.v[r.models.n++] = "/m/a.gguf";
    r.env.v[r.env.n++] = "X=50% \"q\"";
    assert_int_equal(bz_cage_plan_make(&r, &p, &why), BZ_OK);
    bz_cage_oci_seccomp(&p, &b);
    bz_arena_init(&ar, bz_alloc_heap, 1 << 22, NULL, 0);
    assert_int_equal(bz_json_parse(bz_buf_view(&b), NULL, &ar, &root, NULL), BZ_OK);
    assert_true(
        bz_view_eq(bz_json_str(bz_json_get(root, BZ_V("defaultAction"))), BZ_V("SCMP_ACT_ERRNO")));
    bz_buf_putc(&b, 0);
    assert_null(strstr((const char *)b.p, "\"unshare\""));
    assert_non_null(strstr((const char *)b.p, "\"epoll_wait\""));
    bz_buf_reset(&b);
    bz_cage_container_command(&p, "podman", "img", "/s.json", &b);
    bz_buf_putc(&b, 0);
    assert_non_null(strstr((const char *)b.p, "--volume /m/a.gguf:/m/a.gguf:ro"));
    assert_non_null(strstr((const char *)b.p, "img /usr/bin/llama-server 'a b' 'it'\\''s'"));
    command((const char *)b.p); /* our own passes our own lint */
    assert_int_equal(l.n, 0);
    bz_buf_reset(&b);
    bz_cage_systemd(&p, &b);
    bz_buf_putc(&b, 0);
    assert_non_null(strstr((const char *)b.p, "\nPrivateNetwork=yes\n"));
    assert_non_null(strstr((const char *)b.p, "\nMemoryDenyWriteExecute=yes\n"));
    assert_non_null(strstr((const char *)b.p, "Environment=\"X=50%% \\\"q\\\"\"\n"));
    assert_non_null(strstr((const char *)b.p, "BindReadOnlyPaths=\"/m/a.gguf\"\n"));
    bz_cage_plan_free(&p);
    bz_arena_free(&ar);
    bz_buf_free(&b);
    bz_buf_free(&why);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_scenarios_of_the_runtime),
        cmocka_unit_test(compose_and_pods),
        cmocka_unit_test(good_ones_are_clean),
        cmocka_unit_test(more_than_fit),
        cmocka_unit_test(exports),
    };
    return cmocka_run_group_tests_name("sandbox_containers", tests, NULL, NULL);
}
