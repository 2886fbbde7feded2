/* Rules, context and history against one call; the blob. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/agent.h>

#define V(s) BZ_V(s)
static const struct bz_view staff[] = {{(const uint8_t *)"staff", 5},
                                       {(const uint8_t *)"admin", 5}};
static const struct bz_tool_rule rules[] = {
    {.name = {(const uint8_t *)"look", 4}, .effect = BZ_EFFECT_READ, .trusted_result = true},
    {.name = {(const uint8_t *)"fetch", 5}, .effect = BZ_EFFECT_READ, .egress = true},
    {.name = {(const uint8_t *)"note", 4}, .effect = BZ_EFFECT_WRITE},
    {.name = {(const uint8_t *)"mail", 4},
     .effect = BZ_EFFECT_IRREVERSIBLE,
     .egress = true,
     .schema =
         {(const uint8_t *)"{\"type\":\"object\",\"properties\":{\"to\":{\"type\":\"string\"}}}",
          55}},
    {.name = {(const uint8_t *)"pay", 3}, .verdict = BZ_TOOL_APPROVE, .uses = 3},
    {.name = {(const uint8_t *)"twice", 5}, .repeats = 2},
    {.name = {(const uint8_t *)"db_drop", 7}, .verdict = BZ_TOOL_DENY},
    {.name = {(const uint8_t *)"db_*", 4}, .roles = staff, .roles_n = 2},
};
enum { RULES = sizeof rules / sizeof rules[0] };

static void compile(const struct bz_tool_rule *v, size_t n, bool deny, struct bz_buf *b,
                    struct bz_agent *a) {
    struct bz_agent_settings s;
    struct bz_agent_error err;
    bz_agent_settings_default(&s);
    s.default_deny = deny;
    s.calls_max = 20;
    s.repeats = 5;
    bz_buf_init(b, 1 << 20);
    assert_int_equal(bz_agent_compile(v, n, &s, b, &err), BZ_OK);
    assert_int_equal(bz_agent_open(bz_buf_view(b), a), BZ_OK);
}

struct asked {
    const char *name, *role, *arguments;
    uint32_t taint, same, calls;
    enum bz_tool_verdict verdict;
    const char *code, *why;
};

static void ask(const struct bz_agent *a, const struct asked *q) {
    struct bz_arena ar;
    struct bz_json *args = NULL;
    struct bz_tool_answer r;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    if (bz_json_parse(bz_view_str(q->arguments), NULL, &ar, &args, NULL) != BZ_OK)
        args = NULL;
    struct bz_tool_call c = {.name = bz_view_str(q->name),
                             .role = bz_view_str(q->role == NULL ? "user" : q->role),
                             .arguments = args,
                             .taint = q->taint,
                             .same_before = q->same,
                             .calls_before = q->calls};
    assert_int_equal(bz_agent_decide(a, &c, &ar, &r), BZ_OK);
    bz_arena_free(&ar);
    if (r.verdict != q->verdict || strcmp(r.code, q->code) != 0 ||
        (q->why != NULL && strstr(r.why, q->why) == NULL))
        fail_msg("%s %s: %s %s %s", q->name, q->arguments, bz_tool_verdict_name(r.verdict), r.code,
                 r.why);
}

#define U BZ_TAINT_UNTRUSTED
#define C BZ_TAINT_CONFIDENTIAL
#define I BZ_TAINT_INJECTED
static const struct asked listed[] = {
    {"look", NULL, "{}", 0, 0, 0, BZ_TOOL_ALLOW, "", NULL},
    {"look", NULL, "{\"any\":[1]}", U | C | I, 0, 0, BZ_TOOL_ALLOW, "", NULL},
    {"Look", NULL, "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied", "not listed"},
    {"look ", NULL, "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied", "letters"},
    {"loo", NULL, "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied", "not listed"},
    {"lookx", NULL, "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied", "not listed"},
    {"", NULL, "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied", "letters"},
    {"l\xd0\xbeok", NULL, "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied", "letters"}, /* Cyrillic o */
    {"look\xe2\x80\x8b", NULL, "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied",
     "letters"}, /* no width */
    {"\xef\xbd\x8cook", NULL, "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied",
     "letters"}, /* fullwidth */
    {"look\n", NULL, "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied", "letters"},
    {"look", NULL, "{", 0, 0, 0, BZ_TOOL_DENY, "tool_argument", "no JSON"},
    {"look", NULL, "{\"a\":1,\"a\":2}", 0, 0, 0, BZ_TOOL_DENY, "tool_argument", "no JSON"},
    {"fetch", NULL, "{}", U, 0, 0, BZ_TOOL_ALLOW, "", NULL},
    {"fetch", NULL, "{}", C, 0, 0, BZ_TOOL_ALLOW, "", NULL},
    {"fetch", NULL, "{}", U | C, 0, 0, BZ_TOOL_DENY, "tool_taint", "leave the house"},
    {"fetch", NULL, "{}", I, 0, 0, BZ_TOOL_APPROVE, "tool_approval", "injected"},
    {"note", NULL, "{}", U | C, 0, 0, BZ_TOOL_ALLOW, "", NULL},
    {"note", NULL, "{}", I, 0, 0, BZ_TOOL_APPROVE, "tool_approval", "injected"},
    {"mail", NULL, "{\"to\":\"x\"}", 0, 0, 0, BZ_TOOL_ALLOW, "", NULL},
    {"mail", NULL, "{\"to\":\"x\"}", U, 0, 0, BZ_TOOL_APPROVE, "tool_approval", "more care"},
    {"mail", NULL, "{\"to\":\"x\"}", U | C, 0, 0, BZ_TOOL_DENY, "tool_taint", "leave"},
    {"mail", NULL, "{\"to\":1}", 0, 0, 0, BZ_TOOL_DENY, "tool_argument", "at arguments.to"},
    {"mail", NULL, "{\"bcc\":\"x\"}", 0, 0, 0, BZ_TOOL_DENY, "tool_argument", "does not know"},
    {"mail", NULL, "\"text\"", 0, 0, 0, BZ_TOOL_DENY, "tool_argument", "another type"},
    {"pay", NULL, "{}", 0, 0, 0, BZ_TOOL_APPROVE, "tool_approval", "person"},
    {"twice", NULL, "{}", 0, 1, 1, BZ_TOOL_ALLOW, "", NULL},
    {"twice", NULL, "{}", 0, 2, 2, BZ_TOOL_DENY, "tool_loop", "same call"},
    {"look", NULL, "{}", 0, 4, 4, BZ_TOOL_ALLOW, "", NULL},
    {"look", NULL, "{}", 0, 5, 5, BZ_TOOL_DENY, "tool_loop", "same call"},
    {"look", NULL, "{}", 0, 0, 19, BZ_TOOL_ALLOW, "", NULL},
    {"look", NULL, "{}", 0, 0, 20, BZ_TOOL_DENY, "tool_loop", "Too many"},
    {"db_drop", "staff", "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied", "denies"},
    {"db_read", "staff", "{}", 0, 0, 0, BZ_TOOL_ALLOW, "", NULL},
    {"db_read", "admin", "{}", 0, 0, 0, BZ_TOOL_ALLOW, "", NULL},
    {"db_read", "user", "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied", "not listed"},
};

static void test_listed(void **state) {
    (void)state;
    struct bz_buf b;
    struct bz_agent a;
    compile(rules, RULES, true, &b, &a);
    assert_true(a.listed);
    for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++)
        ask(&a, &listed[i]);
    assert_null(bz_agent_offer(&a, V("look"), V("user")));
    assert_null(bz_agent_offer(&a, V("pay"), V("user")));
    assert_non_null(bz_agent_offer(&a, V("db_drop"), V("staff")));
    assert_non_null(bz_agent_offer(&a, V("other"), V("user")));
    assert_false(bz_agent_result_untrusted(&a, V("look"), V("user")));
    assert_true(bz_agent_result_untrusted(&a, V("note"), V("user")));
    assert_true(bz_agent_result_untrusted(&a, V("other"), V("user")));
    bz_buf_free(&b);
}

/* Where unlisted tools pass they are taken for writing and for a way out. */
static void test_unlisted_pass(void **state) {
    static const struct asked q[] = {
        {"other", NULL, "{}", 0, 0, 0, BZ_TOOL_ALLOW, "", NULL},
        {"other", NULL, "no json", 0, 0, 0, BZ_TOOL_ALLOW, "", NULL},
        {"other", NULL, "{}", U | C, 0, 0, BZ_TOOL_DENY, "tool_taint", NULL},
        {"other", NULL, "{}", 0, 5, 5, BZ_TOOL_DENY, "tool_loop", NULL},
        {"db_drop", NULL, "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied", NULL},
        {"db_drop\xe2\x80\x8b", NULL, "{}", 0, 0, 0, BZ_TOOL_DENY, "tool_denied", "letters"},
    };
    (void)state;
    struct bz_buf b;
    struct bz_agent a;
    compile(rules, RULES, false, &b, &a);
    for (size_t i = 0; i < sizeof q / sizeof q[0]; i++)
        ask(&a, &q[i]);
    bz_buf_free(&b);
}

static void test_nothing_listed(void **state) {
    (void)state;
    struct bz_agent a;
    assert_int_equal(bz_agent_open((struct bz_view){NULL, 0}, &a), BZ_OK);
    assert_false(a.listed);
    assert_null(bz_agent_offer(&a, V("any\xe2\x80\x8b"), V("user")));
    assert_int_equal(a.links, BZ_LINK_ALLOW);
    assert_int_equal(a.tainted_links, BZ_LINK_DEFANG);
}

static void test_compile_refuses(void **state) {
    static const struct bz_tool_rule bad[] = {
        {.name = {NULL, 0}},
        {.name = {(const uint8_t *)"a b", 3}},
        {.name = {(const uint8_t *)"a*b", 3}},
        {.name = {(const uint8_t *)"a", 1}, .schema = {(const uint8_t *)"{}", 2}},
        {.name = {(const uint8_t *)"a", 1}, .verdict = BZ_TOOL_VERDICT_COUNT},
    };
    static const char *const hosts[] = {
        "*", "a/b", "http://a", "*.*.a", "a b", "\xc3\xa4.example", "a:0", ""};
    (void)state;
    struct bz_agent_settings s;
    struct bz_agent_error err;
    struct bz_buf b;
    bz_agent_settings_default(&s);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct bz_tool_rule two[] = {rules[0], bad[i]};
        bz_buf_init(&b, 1 << 20);
        assert_int_equal(bz_agent_compile(two, 2, &s, &b, &err), BZ_ESYNTAX);
        assert_int_equal(err.rule, 1);
        assert_true(strlen(err.text) > 10);
        bz_buf_free(&b);
    }
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct bz_view host = bz_view_str(hosts[i]);
        s.hosts = &host;
        s.hosts_n = 1;
        bz_buf_init(&b, 1 << 20);
        assert_int_equal(bz_agent_compile(NULL, 0, &s, &b, &err), BZ_ESYNTAX);
        assert_true(err.rule == BZ_AGENT_NO_RULE);
        bz_buf_free(&b);
    }
    s.hosts_n = BZ_AGENT_HOSTS_MAX + 1;
    bz_buf_init(&b, 1 << 20);
    assert_int_equal(bz_agent_compile(NULL, 0, &s, &b, &err), BZ_ETOOBIG);
    assert_int_equal(bz_agent_compile(rules, BZ_TOOLS_MAX + 1, &s, &b, &err), BZ_ETOOBIG);
    bz_buf_free(&b);
}

/* A blob that was cut or changed opens as nothing, or as something sound. */
static void test_damage(void **state) {
    (void)state;
    struct bz_buf b;
    struct bz_agent a;
    compile(rules, RULES, true, &b, &a);
    for (size_t n = 1; n < b.n; n++)
        assert_int_not_equal(bz_agent_open(bz_view(b.p, n), &a), BZ_OK);
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] ^= 0xff;
        if (bz_agent_open(bz_buf_view(&b), &a) == BZ_OK) {
            (void)bz_agent_offer(&a, V("db_read"), V("user"));
            (void)bz_agent_result_untrusted(&a, V("look"), V("user"));
        }
        b.p[i] ^= 0xff;
    }
    b.p[7] = 9;
    assert_int_equal(bz_agent_open(bz_buf_view(&b), &a), BZ_EVERSION);
    bz_buf_free(&b);
}

/* Schemas of arguments as the configuration has them; what JSON Schema is, is the schema room's test. */
static void test_schemas(void **state) {
    static char text[BZ_AGENT_SCHEMA_MAX + 64];
    static const struct {
        const char *schema, *err; /* NULL: fine */
    } rows[] = {
        {"{\"type\":\"object\"}", NULL},
        {"{\"type\":[\"null\",\"string\"]}", NULL},
        {"{", "schema: "},
        {"{\"type\":\"object\",\"type\":\"string\"}", "schema: "},
        {"{\"type\":\"integer\"}", "arguments are an object"},
        {"{\"type\":\"object\",\"anyOf\":[{}]}", "schema.anyOf: this keyword is not known"},
    };
    struct bz_agent_error err;
    struct bz_agent_settings s;
    struct bz_buf b;
    (void)state;
    bz_agent_settings_default(&s);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct bz_tool_rule rule = {.name = V("t"), .schema = bz_view_str(rows[i].schema)};
        bz_buf_init(&b, 1 << 20);
        enum bz_status st = bz_agent_compile(&rule, 1, &s, &b, &err);
        bz_buf_free(&b);
        assert_int_equal(st, rows[i].err == NULL ? BZ_OK : BZ_ESYNTAX);
        assert_true(rows[i].err == NULL || strstr(err.text, rows[i].err) != NULL);
    }
    size_t n = (size_t)snprintf(text, sizeof text, "{\"type\":\"object\",\"title\":\"");
    memset(text + n, 'x', sizeof text - n);
    for (size_t over = 0; over < 2; over++) {
        memcpy(text + BZ_AGENT_SCHEMA_MAX - 2, over ? "x\"}" : "\"}", over ? 4 : 3);
        const struct bz_tool_rule rule = {.name = V("t"), .schema = bz_view_str(text)};
        bz_buf_init(&b, 1 << 20);
        assert_int_equal(bz_agent_compile(&rule, 1, &s, &b, &err), over ? BZ_ESYNTAX : BZ_OK);
        bz_buf_free(&b);
    }
}

/* ---- digests ---- */

static struct bz_json *parse(const char *text, struct bz_arena *ar) {
    struct bz_json *v = NULL;
    if (bz_json_parse(bz_view_str(text), NULL, ar, &v, NULL) != BZ_OK)
        fail_msg("no JSON: %s", text);
    return v;
}

static void digest(const char *name, const char *arguments, uint8_t out[BZ_CALL_ID]) {
    static const uint8_t key[32] = {7};
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    const struct bz_view none = {NULL, 0};
    assert_int_equal(bz_agent_digest(key, bz_view_str(name), parse(arguments, &ar), none, &ar, out),
                     BZ_OK);
    bz_arena_free(&ar);
}

static void test_digest(void **state) {
    (void)state;
    static const char *const same[][2] = {
        {"{\"a\":1,\"b\":2}", "{ \"b\" : 2.0 , \"a\" : 10e-1 }"},
        {"{\"a\":{\"y\":1,\"x\":[{\"d\":1,\"c\":2}]}}",
         "{\"a\":{\"x\":[{\"c\":2,\"d\":1}],\"y\":1}}"},
        {"[0,-0,0.0,-0e5]", "[0,0,0,0]"},
        {"[100,1e2,0.1e3]", "[100,100,100]"},
        {"[0.001,123.450]", "[1e-3,1234.5e-1]"},
        {"\"\\u0061\\/\"", "\"a/\""},
    };
    static const char *const other[][2] = {
        {"{\"a\":1}", "{\"a\":2}"},
        {"{\"a\":1}", "{\"a\":\"1\"}"},
        {"[1,2]", "[2,1]"},
        {"{\"a\":1}", "{\"A\":1}"},
        {"{}", "[]"},
        {"null", "\"null\""},
        {"[1,2]", "[12]"},
        {"[10]", "[1]"},
        {"[-1]", "[1]"},
        {"{\"a\":{}}", "{\"a\":null}"},
        {"[9007199254740993]", "[9007199254740992]"},
        {"[\"a\",\"b\"]", "[\"a,b\"]"},
        {"[0.1]", "[0.01]"},
        {"[\"a \"]", "[\"a\"]"},
    };
    uint8_t x[BZ_CALL_ID], y[BZ_CALL_ID];
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        digest("t", same[i][0], x);
        digest("t", same[i][1], y);
        assert_memory_equal(x, y, sizeof x);
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        digest("t", other[i][0], x);
        digest("t", other[i][1], y);
        assert_memory_not_equal(x, y, sizeof x);
    }
    digest("t", "{}", x);
    digest("u", "{}", y);
    assert_memory_not_equal(x, y, sizeof x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listed),         cmocka_unit_test(test_unlisted_pass),
        cmocka_unit_test(test_nothing_listed), cmocka_unit_test(test_compile_refuses),
        cmocka_unit_test(test_damage),         cmocka_unit_test(test_schemas),
        cmocka_unit_test(test_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
