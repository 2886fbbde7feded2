/* `run` of a backend in bartizan.yaml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/policy.h>
#include <bartizan/sandbox.h>

#define HEAD "version: 1\nlisten: 127.0.0.1:8443\nbackends:\n  - {name: local, type: llama.cpp"
static struct bz_config_error errs[8];

static struct bz_config *parse(const char *rest) {
    char yaml[2048];
    struct bz_config *c = NULL;
    size_t n = 0;
    (void)snprintf(yaml, sizeof yaml, HEAD "%s", rest);
    return bz_config_parse(bz_view_str(yaml), &c, errs, 8, &n) == BZ_OK ? c : NULL;
}

static void refused(const char *rest, const char *path, const char *part) {
    assert_null(parse(rest));
    if (strcmp(errs[0].path, path) != 0 || strstr(errs[0].text, part) == NULL)
        fail_msg("%s: %s", errs[0].path, errs[0].text);
}

static void everything(void **state) {
    struct bz_config *c = parse(
        ", run: {profile: llama-server, command: [llama-server, -m, /m.gguf], models: [/n.gguf], "
        "read: [/a], write: [/b], env: [A=b], secrets: [K=/k], egress: ['h:443'], memory: 16G, "
        "tmp: 1M, "
        "gpu: nvidia, pids: 100, files: 200, cpu: 300, weakened: allow, posture: warn}}\n"
        "stage: production\n");
    assert_non_null(c);
    const struct bz_run_config *r = c->backends[0].run;
    assert_string_equal(c->backends[0].url, "unix:/run/cage/local/llm.sock");
    assert_int_equal(c->stage, BZ_STAGE_PRODUCTION);
    assert_string_equal(r->profile, "llama-server");
    assert_int_equal(r->command_n, 3);
    assert_string_equal(r->command[2], "/m.gguf");
    assert_string_equal(r->writes[0], "/b");
    assert_string_equal(r->memory, "16G");
    assert_int_equal(r->cpu, 300);
    assert_true(r->weakened && r->posture_warn);
    assert_int_equal(bz_config_place(c, "/srv/one"), BZ_OK);
    assert_string_equal(c->backends[0].url, "unix:/srv/one/run/cage/local/llm.sock");
    char dir[108];
    memset(dir, 'a', sizeof dir);
    dir[0] = '/';
    dir[107 - strlen("/run/cage/local/llm.sock")] = '\0';
    assert_int_equal(bz_config_place(c, dir), BZ_OK); /* 107 bytes: the longest */
    dir[107 - strlen("/run/cage/local/llm.sock")] = 'a';
    dir[108 - strlen("/run/cage/local/llm.sock")] = '\0';
    assert_int_equal(bz_config_place(c, dir), BZ_ETOOBIG);
    bz_config_free(c);
}

static void defaults_are_strict(void **state) {
    struct bz_config *c = parse(", run: {profile: ollama, command: [ollama, serve]}}\n");
    assert_non_null(c);
    assert_false(c->backends[0].run->weakened);
    assert_false(c->backends[0].run->posture_warn);
    assert_null(c->backends[0].run->memory);
    assert_int_equal(c->stage, BZ_STAGE_NONE);
    bz_config_free(c);
}

static void what_is_refused(void **state) {
    refused(", url: 'http://127.0.0.1:1', run: {profile: ollama, command: [x]}}\n",
            "backends[0].url", "leave url out");
    refused(", run: {command: [x]}}\n", "backends[0].run.profile", "missing");
    refused(", run: {profile: llama, command: [x]}}\n", "backends[0].run.profile", "llama-server");
    refused(", run: {profile: ollama}}\n", "backends[0].run.command", "missing");
    refused(", run: {profile: ollama, command: ['']}}\n", "backends[0].run.command[0]", "empty");
    refused(", run: {profile: ollama, command: [x], write: [rel]}}\n", "backends[0].run.write[0]",
            "absolute");
    refused(", run: {profile: ollama, command: [x], memory: 0G}}\n", "backends[0].run.memory",
            "size");
    refused(", run: {profile: ollama, command: [x], memory: 5X}}\n", "backends[0].run.memory",
            "size");
    refused(", run: {profile: ollama, command: [x], pids: 0}}\n", "backends[0].run.pids", "from 1");
    refused(", run: {profile: ollama, command: [x], posture: ignore}}\n", "backends[0].run.posture",
            "refuse, warn");
    refused(", run: {profile: ollama, command: [x]}}\nstage: test\n", "stage", "development");
    refused(", run: {profile: ollama, command: [x], typo: 1}}\n", "backends[0].run", "unknown key");
}

/* The parser has its own copy of the profiles' names. */
static void profiles_are_known(void **state) {
    for (const struct bz_cage_profile *p = bz_cage_profiles; p->name != NULL; p++) {
        char rest[128];
        (void)snprintf(rest, sizeof rest, ", run: {profile: %s, command: [x]}}\n", p->name);
        struct bz_config *c = parse(rest);
        assert_int_equal(c != NULL, strcmp(p->name, "container") != 0);
        bz_config_free(c);
    }
}

/* Unlike "down", which is forgotten when whoever said it may be gone. */
static void an_unsafe_backend_is_never_picked(void **state) {
    const uint64_t day_ns = UINT64_C(86400) * 1000000000u;
    struct bz_state *s = NULL;
    void *map = aligned_alloc(4096, (bz_state_size() + 4095) / 4096 * 4096);
    assert_non_null(map);
    assert_int_equal(bz_state_format(map, bz_state_size()), BZ_OK);
    assert_int_equal(bz_state_open(map, bz_state_size(), &s), BZ_OK);
    bz_state_health_set(s, 3, BZ_HEALTH_UNSAFE, 1000);
    assert_false(bz_state_backend_usable(s, 3, 2000));
    assert_false(bz_state_backend_usable(s, 3, day_ns));
    assert_int_equal(bz_state_pick(s, UINT64_C(1) << 3, 0, day_ns, 0), -1);
    assert_int_equal(bz_state_pick(s, UINT64_C(3) << 3, 0, day_ns, 0), 4);
    assert_true(bz_state_any_unsafe(s, UINT64_C(3) << 3));
    assert_false(bz_state_any_unsafe(s, UINT64_C(1) << 4));
    bz_state_health_set(s, 3, BZ_HEALTH_UP, day_ns);
    assert_true(bz_state_backend_usable(s, 3, day_ns));
    free(map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything),
        cmocka_unit_test(defaults_are_strict),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(profiles_are_known),
        cmocka_unit_test(an_unsafe_backend_is_never_picked),
    };
    return cmocka_run_group_tests_name("sandbox_config", tests, NULL, NULL);
}
