/* Section `mcp` of bartizan.yaml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <bartizan/mcp.h>
#include <bartizan/policy.h>

#define HEAD                                                                                       \
    "version: 1\nlisten: 127.0.0.1:8443\nbackends:\n  - {name: local, type: openai, url: "         \
    "http://127.0.0.1:1}\nroles:\n  - {name: dev, routes: [mcp], models: [none]}\n"

static struct bz_config *parse(const char *mcp, struct bz_config_error *err) {
    static char text[65536];
    struct bz_config *c = NULL;
    struct bz_config_error errs[4];
    size_t n = 0;
    (void)snprintf(text, sizeof text, "%s%s", HEAD, mcp);
    enum bz_status st = bz_config_parse(bz_view_str(text), &c, errs, 4, &n);
    if (st == BZ_OK)
        return c;
    assert_int_equal(st, BZ_ESYNTAX);
    assert_int_equal(n, 1);
    *err = errs[0];
    return NULL;
}

static void defaults_and_all(void **state) {
    struct bz_config_error err;
    struct bz_config *c = parse("mcp:\n"
                                "  - {name: files, url: 'http://127.0.0.1:3000/mcp/x'}\n"
                                "  - name: web\n"
                                "    url: https://tools.example\n"
                                "    key_file: keys/web\n"
                                "    roles: [dev, admin]\n"
                                "    versions: ['2025-06-18']\n"
                                "    allow: [tools/list, tools/call, sampling/createMessage]\n"
                                "    result_max: 4096\n"
                                "    check_s: 5\n",
                                &err);
    (void)state;
    assert_non_null(c);
    assert_int_equal(c->mcp_n, 2);
    assert_int_equal(c->backends_n, 3);
    assert_string_equal(c->backends[1].name, "mcp:files");
    assert_string_equal(c->backends[1].url, "http://127.0.0.1:3000");
    assert_int_equal(c->backends[1].type, BZ_SERVER_MCP);
    assert_string_equal(c->mcp[0].path, "/mcp/x");
    assert_int_equal(c->mcp[0].methods, bz_mcp_methods_default());
    assert_int_equal(c->mcp[0].versions, 7);
    assert_true(c->mcp[0].roles == UINT64_MAX);
    assert_int_equal(c->mcp[0].result_max, BZ_MCP_RESULT_DEFAULT);
    assert_int_equal(c->mcp[0].check_s, 30);
    assert_string_equal(c->backends[2].key_file, "keys/web");
    assert_string_equal(c->mcp[1].path, "/mcp");
    assert_int_equal(c->mcp[1].versions, 1u << BZ_MCP_2025_06_18);
    assert_int_equal(c->mcp[1].methods, bz_mcp_methods_base() | 1u << BZ_MCP_TOOLS_LIST |
                                            1u << BZ_MCP_TOOLS_CALL | 1u << BZ_MCP_SAMPLING);
    for (uint32_t r = 0; r < c->roles_n; r++)
        assert_int_equal(c->mcp[1].roles >> r & 1, strcmp(c->roles[r].name, "user") != 0);
    assert_int_equal(c->mcp[1].result_max, 4096);
    bz_config_free(c);
    c = parse("", &err);
    assert_int_equal(c->mcp_n, 0);
    assert_int_equal(c->backends_n, 1);
    bz_config_free(c);
}

static void refused(void **state) {
    static const struct {
        const char *text, *path;
    } rows[] = {
        {"mcp: [{url: 'http://a'}]", "mcp[0].name"},
        {"mcp: [{name: A, url: 'http://a'}]", "mcp[0].name"},
        {"mcp: [{name: a, url: 'http://a'}, {name: a, url: 'http://b'}]", "mcp[1].name"},
        {"mcp: [{name: a}]", "mcp[0].url"},
        {"mcp: [{name: a, url: 'ftp://a'}]", "mcp[0].url"},
        {"mcp: [{name: a, url: 'http://u@a/mcp'}]", "mcp[0].url"},
        {"mcp: [{name: a, url: 'http://a/mcp?x=1'}]", "mcp[0].url"},
        {"mcp: [{name: a, url: 'http://a/../x'}]", "mcp[0].url"},
        {"mcp: [{name: a, url: 'http://a//x'}]", "mcp[0].url"},
        {"mcp: [{name: a, url: 'http://a', key_file: 'x y'}]", "mcp[0].key_file"},
        {"mcp: [{name: a, url: 'http://a', versions: ['2024-11-05']}]", "mcp[0].versions[0]"},
        {"mcp: [{name: a, url: 'http://a', versions: []}]", "mcp[0].versions"},
        {"mcp: [{name: a, url: 'http://a', allow: [tools/kill]}]", "mcp[0].allow[0]"},
        {"mcp: [{name: a, url: 'http://a', roles: [nobody]}]", "mcp[0].roles[0]"},
        {"mcp: [{name: a, url: 'http://a', result_max: 1023}]", "mcp[0].result_max"},
        {"mcp: [{name: a, url: 'http://a', result_max: 16777217}]", "mcp[0].result_max"},
        {"mcp: [{name: a, url: 'http://a', check_s: 0}]", "mcp[0].check_s"},
        {"mcp: [{name: a, url: 'http://a', check_s: 3601}]", "mcp[0].check_s"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_config_error err = {.line = 0};
        assert_null(parse(rows[i].text, &err));
        assert_string_equal(err.path, rows[i].path);
        assert_int_equal(err.line, 7);
    }
}

static void caps(void **state) {
    char text[4096];
    struct bz_config_error err;
    (void)state;
    for (int n = BZ_MCP_SERVERS_MAX; n <= BZ_MCP_SERVERS_MAX + 1; n++) {
        size_t at = (size_t)snprintf(text, sizeof text, "mcp:\n");
        for (int i = 0; i < n; i++)
            at += (size_t)snprintf(text + at, sizeof text - at,
                                   "  - {name: a%d, url: 'http://a'}\n", i);
        struct bz_config *c = parse(text, &err);
        assert_int_equal(c != NULL, n == BZ_MCP_SERVERS_MAX);
        bz_config_free(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_and_all),
        cmocka_unit_test(refused),
        cmocka_unit_test(caps),
    };
    return cmocka_run_group_tests_name("config_mcp", tests, NULL, NULL);
}
