/* bartizan.yaml: what is accepted, which defaults appear, and where errors are said to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <bartizan/policy.h>

#define BASE                                                                                       \
    "version: 1\nlisten: 127.0.0.1:8443\nbackends:\n"                                              \
    "  - {name: local, type: llama.cpp, url: \"http://127.0.0.1:8080\"}\n" /* lines 1 to 4 */

enum { cap = 8 };
static struct bz_config_error errs[cap];
static size_t errs_n;

static struct bz_config *parse(const char *yaml) {
    struct bz_config *c = NULL;
    memset(errs, 0, sizeof errs);
    enum bz_status st = bz_config_parse(bz_view_str(yaml), &c, errs, cap, &errs_n);
    if (st == BZ_OK) {
        assert_non_null(c);
        assert_int_equal(errs_n, 0);
        return c;
    }
    assert_int_equal(st, BZ_ESYNTAX);
    assert_null(c);
    assert_in_range(errs_n, 1, cap);
    for (size_t i = 0; i < errs_n; i++)
        assert_true(errs[i].text[0] != '\0' && errs[i].line > 0 && errs[i].column > 0);
    return NULL;
}

static void test_defaults(void **state) {
    struct bz_config *c = parse(BASE);
    assert_non_null(c);
    assert_string_equal(c->listen, "127.0.0.1:8443");
    assert_false(c->plain_http);
    assert_int_equal(c->names_n, 2);
    assert_string_equal(c->names[0], "localhost");
    assert_string_equal(c->names[1], "127.0.0.1");
    assert_int_equal(c->origins_n, 0);
    assert_string_equal(c->tls_certificate, "tls/server.pem");
    assert_string_equal(c->tls_key, "tls/server.key");
    assert_false(c->tls12);
    assert_true(c->hsts);
    assert_int_equal(c->workers, 0);
    assert_int_equal(c->audit, BZ_AUDIT_STRICT);
    assert_int_equal(c->audit_wait_ms, 2000);
    assert_int_equal(c->body_max, BZ_BODY_MAX_DEFAULT);
    assert_int_equal(c->connect_timeout_s, 5);
    assert_int_equal(c->read_timeout_s, 300);
    assert_int_equal(c->reply_timeout_s, 600);
    assert_int_equal(c->stream_timeout_s, 3600);
    assert_int_equal(c->client_timeout_s, 30);
    assert_int_equal(c->backends_n, 1);
    assert_true(c->backends[0].keep_alive);
    assert_null(c->backends[0].models);
    assert_null(c->backends[0].key_file);
    assert_int_equal(c->models_n, 0);
    assert_int_equal(c->roles_n, 2);
    assert_string_equal(c->roles[0].name, "user");
    assert_false(c->roles[0].admin);
    assert_string_equal(c->roles[1].name, "admin");
    assert_true(c->roles[1].admin);
    assert_string_equal(c->roles[0].routes[0], "*");
    assert_string_equal(c->roles[0].models[0], "*");
    assert_int_equal(c->roles[0].limits.concurrent, 0);
    assert_memory_equal(&c->roles[0].params.max_tokens, &bz_param_limits_default.max_tokens,
                        sizeof(uint32_t));
    bz_config_free(c);
    bz_config_free(NULL);
}

static const char everything[] =
    "version: 1\n"
    "listen: 192.168.1.5:443\n"
    "plain_http: false\n"
    "names: [gate.example, \"[::1]\", 10.0.0.1]\n"
    "origins: [\"https://app.example\", \"http://localhost:3000\"]\n"
    "tls: {certificate: /etc/ssl/a.pem, key: tls/a.key, min_version: \"1.2\", hsts: false}\n"
    "workers: 4\n"
    "audit: {mode: relaxed, wait_ms: 500}\n"
    "body_max: 1048576\n"
    "timeouts: {connect_s: 1, read_s: 2, client_s: 3, reply_s: 4, stream_s: 5}\n"
    "backends:\n"
    "  - {name: a, type: ollama, url: \"unix:/run/o.sock\", key_file: secrets/a.key, models: [x, "
    "y],"
    " keep_alive: false}\n"
    "  - {name: b, type: vllm, url: \"https://gpu.lan\"}\n"
    "models:\n"
    "  - {name: assistant, target: x, limits: {requests_per_minute: 61, concurrent: 2,"
    " body_max: 1048576}}\n"
    "roles:\n"
    "  - name: admin\n"
    "    routes: [manage]\n"
    "  - name: reader\n"
    "    routes: [chat, models]\n"
    "    models: [\"x*\"]\n"
    "    params: {max_tokens: 5, max_choices: 1, max_logprobs: 0, max_stop: 2, max_grammar: 3,"
    " max_tools: 4, max_messages: 6, max_inputs: 7, max_media_bytes: 8, allow_token_prompts: true,"
    " allow_echo: false, allow_grammar: true, allow_load_options: true}\n"
    "    limits: {requests_per_minute: 600, requests_burst: 7, prompt_tokens_per_minute: 1000,"
    " completion_tokens_per_minute: 2000, completion_tokens_burst: 5, concurrent: 3,"
    " body_max: 1024}\n"
    "    user_limits: {concurrent: 9, body_max: 65536}\n";

static void test_everything(void **state) {
    struct bz_config *c = parse(everything);
    assert_non_null(c);
    assert_int_equal(c->names_n, 3);
    assert_string_equal(c->names[1], "::1");
    assert_int_equal(c->origins_n, 2);
    assert_true(c->tls12);
    assert_false(c->hsts);
    assert_int_equal(c->workers, 4);
    assert_int_equal(c->audit, BZ_AUDIT_RELAXED);
    assert_int_equal(c->audit_wait_ms, 500);
    assert_int_equal(c->body_max, 1048576);
    assert_int_equal(c->read_timeout_s, 2);
    assert_int_equal(c->reply_timeout_s, 4);
    assert_int_equal(c->stream_timeout_s, 5);
    assert_int_equal(c->backends[0].type, BZ_SERVER_OLLAMA);
    assert_int_equal(c->backends[0].models_n, 2);
    assert_string_equal(c->backends[0].models[1], "y");
    assert_string_equal(c->backends[0].key_file, "secrets/a.key");
    assert_false(c->backends[0].keep_alive);
    assert_int_equal(c->models[0].limits.rate[BZ_METER_REQUESTS].burst,
                     11); /* 61 / 6, rounded up */
    assert_int_equal(c->roles_n, 3);
    assert_true(c->roles[0].admin);
    assert_string_equal(c->roles[0].routes[0], "manage");
    assert_true(c->roles[0].params.allow_grammar && c->roles[0].params.allow_load_options);
    const struct bz_role_config *r = &c->roles[1];
    assert_false(r->admin);
    assert_int_equal(r->params.max_media_bytes, 8);
    assert_int_equal(r->params.max_logprobs, 0);
    assert_true(r->params.allow_token_prompts);
    assert_true(r->params.allow_grammar && r->params.allow_load_options);
    assert_int_equal(r->limits.rate[BZ_METER_REQUESTS].burst, 7);
    assert_int_equal(r->limits.rate[BZ_METER_PROMPT_TOKENS].burst, 1000);
    assert_int_equal(r->limits.rate[BZ_METER_COMPLETION_TOKENS].burst, 5);
    assert_int_equal(r->user_limits.concurrent, 9);
    assert_int_equal(c->models[0].limits.body_max, 1048576); /* as much as the instance */
    assert_int_equal(r->limits.body_max, 1024);
    assert_int_equal(r->user_limits.body_max, 65536);
    assert_int_equal(c->roles[2].limits.body_max, 0);
    assert_string_equal(c->roles[2].name, "user");
    assert_false(c->roles[2].params.allow_grammar || c->roles[2].params.allow_load_options);
    bz_config_free(c);
}

static void test_default_names_follow_the_address(void **state) {
    struct bz_config *c =
        parse("version: 1\nlisten: \"[fd00::1]:8443\"\nbackends: [{name: a, type: vllm,"
              " url: \"http://127.0.0.1:1\"}]\n");
    assert_int_equal(c->names_n, 3);
    assert_string_equal(c->names[2], "fd00::1");
    bz_config_free(c);
    c = parse("version: 1\nlisten: 0.0.0.0:8443\nbackends: [{name: a, type: vllm,"
              " url: \"http://127.0.0.1:1\"}]\n");
    assert_int_equal(c->names_n, 2);
    bz_config_free(c);
}

static const struct {
    const char *yaml;
    uint32_t line, column;
    const char *path, *text;
} bad[] = {
    /* text and syntax */
    {"", 1, 1, "", "empty"},
    {"# nothing\n", 1, 1, "", "empty"},
    {"version: 1\n listen: [\n", 2, 8, "", "not valid YAML"},
    {"version: 1\nlisten: \"a\n", 3, 1, "", "not valid YAML"},
    {"version: \xff\n", 1, 10, "", "UTF-8"},
    {"\xff\xfev\0e\0", 1, 1, "", "UTF-8"},
    {"- a\n", 1, 1, "", "keys with values"},
    {BASE "---\nversion: 1\n", 5, 1, "", "one document"},
    /* anchors, aliases, tags, depth */
    {"a: &x [1]\nb: *x\n", 1, 4, "", "anchors"},
    {BASE "names: *x\n", 5, 8, "", "anchors"},
    {BASE "listen: !!str a\n", 5, 9, "", "tags"},
    {"a: [[[[[[[[[[[[1]]]]]]]]]]]]\n", 1, 11, "", "deeply"},
    /* keys */
    {BASE "lisen: x\n", 5, 1, "", "unknown key \"lisen\"; did you mean \"listen\""},
    {BASE "qqqqqqqqqq: x\n", 5, 1, "", "unknown key \"qqqqqqqqqq\""},
    {BASE "audit: {mod: strict}\n", 5, 9, "audit", "did you mean \"mode\""},
    {BASE "\"a\\e[31m\": 1\n", 5, 1, "", "a\\x1b"},
    {BASE "version: 1\n", 5, 1, "", "twice"},
    {BASE "? [a]\n: b\n", 5, 3, "", "must be a word"},
    /* types */
    {BASE "plain_http: maybe\n", 5, 13, "plain_http", "neither true nor false"},
    {BASE "plain_http: yes\n", 5, 13, "plain_http", "neither true nor false"},
    {BASE "workers: -1\n", 5, 10, "workers", "\"-1\" is not a whole number"},
    {BASE "workers: 010\n", 5, 10, "workers", "whole number"},
    {BASE "workers: 1.5\n", 5, 10, "workers", "whole number"},
    {BASE "workers: 99999999999999999999\n", 5, 10, "workers", "whole number"},
    {BASE "workers:\n", 5, 9, "workers", "whole number"},
    {BASE "names: localhost\n", 5, 8, "names", "list"},
    {BASE "names: [a, [b]]\n", 5, 12, "names[1]", "single value"},
    {BASE "tls: tls/a.pem\n", 5, 6, "tls", "keys with values"},
    {BASE "tls: {key: \"a\\0b\"}\n", 5, 12, "tls.key", "NUL"},
    {BASE "tls: {key: \"\"}\n", 5, 12, "tls.key", "empty"},
    /* globals */
    {"listen: 127.0.0.1:1\nbackends: [{name: a, type: vllm, url: \"http://127.0.0.1:1\"}]\n", 1, 1,
     "version", "missing"},
    {"version: 2\nlisten: 127.0.0.1:1\nbackends: [{name: a, type: vllm, url: "
     "\"http://127.0.0.1:1\"}]\n",
     1, 10, "version", "only version 1"},
    {"version: 1\nbackends: [{name: a, type: vllm, url: \"http://127.0.0.1:1\"}]\n", 1, 1, "listen",
     "missing"},
    {"version: 1\nlisten: localhost:1\nbackends: [{name: a, type: vllm, url: "
     "\"http://127.0.0.1:1\"}]\n",
     2, 9, "listen", "IP:PORT"},
    {"version: 1\nlisten: 0.0.0.0:80\nplain_http: true\nbackends: [{name: a, type: vllm, url:"
     " \"http://127.0.0.1:1\"}]\n",
     3, 13, "plain_http", "loopback"},
    {BASE "names: [\"*\"]\n", 5, 9, "names[0]", "no host name"},
    {BASE "names: [localhost, \"localhost:8443\"]\n", 5, 20, "names[1]", "no host name"},
    {BASE "names: [a, b, a]\n", 5, 15, "names[2]", "twice"},
    {BASE "names: []\n", 5, 8, "names", "list is empty"},
    {BASE "roles: [{name: user, routes: []}]\n", 5, 30, "roles[0].routes", "list is empty"},
    {BASE "roles: [{name: user, models: []}]\n", 5, 30, "roles[0].models", "list is empty"},
    {BASE "  - {name: b, type: vllm, url: \"http://h\", models: []}\n", 5, 52, "backends[1].models",
     "list is empty"},
    {BASE "origins: [\"*\"]\n", 5, 11, "origins[0]", "no origin"},
    {BASE "origins: [\"https://a/\"]\n", 5, 11, "origins[0]", "no origin"},
    {BASE "tls: {key: ../x}\n", 5, 12, "tls.key", "leaves"},
    {BASE "tls: {key: \"a;b\"}\n", 5, 12, "tls.key", "file name"},
    {BASE "tls: {min_version: \"1.1\"}\n", 5, 20, "tls.min_version", "1.3"},
    {BASE "workers: 32\n", 5, 10, "workers", "from 0 to 31"},
    {BASE "body_max: 67108865\n", 5, 11, "body_max", "67108864"},
    {BASE "body_max: 2048\nroles: [{name: user, limits: {body_max: 2049}}]\n", 6, 41,
     "roles[0].limits.body_max", "from 1024 to 2048"},
    {BASE "roles: [{name: user, user_limits: {body_max: 8388609}}]\n", 5, 46,
     "roles[0].user_limits.body_max", "from 1024 to 8388608"},
    {BASE "models: [{name: a, limits: {body_max: 1023}}]\n", 5, 39, "models[0].limits.body_max",
     "from 1024 to 8388608"},
    {BASE "audit: {mode: off}\n", 5, 15, "audit.mode", "strict or relaxed"},
    {BASE "audit: {wait_ms: 0}\n", 5, 18, "audit.wait_ms", "from 10"},
    {BASE "timeouts: {read_s: 0}\n", 5, 20, "timeouts.read_s", "from 1"},
    /* backends, models, roles */
    {"version: 1\nlisten: 127.0.0.1:1\nbackends: []\n", 3, 11, "backends", "no backend"},
    {BASE "  - {name: local, type: vllm, url: \"http://127.0.0.1:1\"}\n", 5, 12, "backends[1].name",
     "\"local\" already"},
    {BASE "  - {name: b, type: llamacpp, url: \"http://127.0.0.1:1\"}\n", 5, 21, "backends[1].type",
     "did you mean llama.cpp"},
    {BASE "  - {name: b, url: \"http://127.0.0.1:1\"}\n", 5, 5, "backends[1].type", "missing"},
    {BASE "  - {name: b, type: vllm, url: \"http://h/v1\"}\n", 5, 32, "backends[1].url", "paths"},
    {BASE "  - {name: b, type: vllm}\n", 5, 5, "backends[1].url", "missing"},
    {BASE "  - {name: B, type: vllm, url: \"http://h\"}\n", 5, 12, "backends[1].name", "no name"},
    {BASE "  - {type: vllm, url: \"http://h\"}\n", 5, 5, "backends[1].name", "missing"},
    {BASE "  - {name: b, type: vllm, url: \"http://h\", models: [\"a b\"]}\n", 5, 53,
     "backends[1].models[0]", "no model name"},
    {BASE "models: [{name: a}, {name: a}]\n", 5, 28, "models[1].name", "already"},
    {BASE "models: [{target: a}]\n", 5, 10, "models[0].name", "missing"},
    {BASE "models: [{name: \"a*\"}]\n", 5, 17, "models[0].name", "no model name"},
    {BASE "models: [{name: a, limits: {requests_burst: 5}}]\n", 5, 45,
     "models[0].limits.requests_burst", "limits nothing"},
    {BASE "models: [{name: a, limits: {requests_per_minute: 1000000001}}]\n", 5, 50,
     "models[0].limits.requests_per_minute", "1000000000"},
    {BASE "roles: [{name: r, routes: [chatt], models: [\"*\"]}]\n", 5, 28, "roles[0].routes[0]",
     "did you mean chat"},
    {BASE "roles: [{name: r, models: [\"*\"]}]\n", 5, 9, "roles[0].routes", "missing"},
    {BASE "roles: [{name: r, routes: [chat]}]\n", 5, 9, "roles[0].models", "missing"},
    {BASE "roles: [{name: r, routes: [chat], models: [\"a*b\"]}]\n", 5, 44, "roles[0].models[0]",
     "end"},
    {BASE "roles: [{name: user, admin: true}]\n", 5, 29, "roles[0].admin", "user"},
    {BASE "roles: [{name: admin, admin: false}]\n", 5, 30, "roles[0].admin", "always"},
    {BASE "roles: [{name: user}, {name: user}]\n", 5, 30, "roles[1].name", "already"},
    {BASE "roles: [{name: user, params: {max_choices: 1025}}]\n", 5, 44,
     "roles[0].params.max_choices", "from 0 to 1024"},
};

static void test_errors_and_their_places(void **state) {
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bz_config *c = parse(bad[i].yaml);
        bool as_told = c == NULL && errs_n == 1 && errs[0].line == bad[i].line &&
                       errs[0].column == bad[i].column && strcmp(errs[0].path, bad[i].path) == 0 &&
                       strstr(errs[0].text, bad[i].text) != NULL;
        if (!as_told)
            print_error("case %zu: %u:%u (wanted %u:%u) %s: %s (%zu errors)\n%s\n", i, errs[0].line,
                        errs[0].column, bad[i].line, bad[i].column, errs[0].path, errs[0].text,
                        errs_n, bad[i].yaml);
        assert_true(as_told);
    }
}

static void test_several_errors_at_once(void **state) {
    parse("version: 2\nlisten: here\nbackends: [{name: a, type: x, url: y}]\nworkers: 1000\n");
    assert_int_equal(errs_n, 5);
    parse(BASE "workers: x\nlissen: 1\nplain_http: 7\n");
    assert_int_equal(errs_n, 3);
    parse("a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\nj: 1\n");
    assert_int_equal(errs_n, cap);
    struct bz_config *c = NULL;
    size_t n = 99;
    assert_int_equal(bz_config_parse(BZ_V("a: 1\n"), &c, NULL, 0, &n), BZ_ESYNTAX);
    assert_int_equal(n, 0);
}

static void test_size_cap(void **state) {
    size_t n = BZ_CONFIG_MAX + 1;
    char *text = malloc(n);
    struct bz_config *c = NULL;
    memset(text, '#', n);
    memcpy(text, BASE, strlen(BASE));
    assert_int_equal(bz_config_parse(bz_view(text, n), &c, errs, cap, &errs_n), BZ_ESYNTAX);
    assert_non_null(strstr(errs[0].text, "1 MiB"));
    assert_int_equal(bz_config_parse(bz_view(text, n - 1), &c, errs, cap, &errs_n), BZ_OK);
    bz_config_free(c);
    free(text);
}

/* Whatever is cut off, the parser answers; most cuts are errors. */
static void test_every_cut(void **state) {
    size_t refused = 0;
    for (size_t n = 0; n < sizeof everything; n++) {
        struct bz_config *c = NULL;
        if (bz_config_parse(bz_view(everything, n), &c, errs, cap, &errs_n) == BZ_OK)
            bz_config_free(c);
        else
            refused++;
    }
    assert_true(refused > sizeof everything / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_default_names_follow_the_address),
        cmocka_unit_test(test_errors_and_their_places),
        cmocka_unit_test(test_several_errors_at_once),
        cmocka_unit_test(test_size_cap),
        cmocka_unit_test(test_every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
