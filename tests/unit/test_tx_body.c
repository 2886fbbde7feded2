#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gw_fixture.h"

#define CHAT "/v1/chat/completions"
#define MSG "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

struct body_case {
    const char *what;
    enum gw_key key;
    const char *path, *body;
    uint16_t status;   /* 0: FORWARD */
    const char *want;  /* the record's reason, or what the forwarded body contains */
    const char *model; /* in the record; NULL: not looked at */
};

static void expect(struct gw *g, const struct body_case *c) {
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    uint8_t mem[BZ_RECORD_MAX];
    struct bz_record rec;
    size_t n;
    gw_req_init(&r, g, c->key, "POST", c->path, c->body);
    struct bz_tx *tx = gw_send(g, &r, gw_heap_alloc(&heap), &v);
    assert_non_null(tx);
    assert_true(gw_record(g, tx, v == BZ_VERDICT_FORWARD ? BZ_RECORD_DECISION : BZ_RECORD_REFUSED,
                          mem, &rec, &n));
    if ((c->status == 0) != (v == BZ_VERDICT_FORWARD) ||
        (c->status != 0 && !bz_view_eq(rec.reason, bz_view_str(c->want))))
        print_message("%s: verdict %d, reason %.*s\n", c->what, (int)v, (int)rec.reason.n,
                      (const char *)rec.reason.p);
    if (c->status == 0) {
        assert_int_equal(v, BZ_VERDICT_FORWARD);
        const struct bz_forward *f = bz_tx_forward(tx);
        if (c->want != NULL && !gw_contains(f->body, c->want))
            print_message("%s: %.*s\n", c->what, (int)f->body.n, (const char *)f->body.p);
        assert_true(c->want == NULL || gw_contains(f->body, c->want));
        assert_true(bz_view_eq(f->path, bz_view_str(c->path)));
        assert_true(bz_view_eq(f->method, BZ_V("POST")));
        assert_true(bz_view_eq(f->content_type, BZ_V("application/json")));
        assert_true(bz_view_eq(rec.decision, BZ_V("allow")));
    } else {
        assert_int_equal(v, BZ_VERDICT_REFUSE);
        assert_int_equal(bz_tx_reply(tx)->status, c->status);
        assert_true(bz_view_eq(rec.reason, bz_view_str(c->want)));
        assert_null(bz_tx_forward(tx));
    }
    if (c->model != NULL)
        assert_true(bz_view_eq(rec.model, bz_view_str(c->model)));
    assert_false(gw_contains(bz_view(mem, n), GW_CANARY));
    bz_tx_free(tx);
    assert_int_equal(heap.live, 0);
}

static void expect_all(enum gw_setup setup, const struct body_case *cases, size_t n) {
    struct gw g;
    assert_true(gw_open(&g, setup));
    for (size_t i = 0; i < n; i++)
        expect(&g, &cases[i]);
    gw_close(&g);
}
#define EXPECT_ALL(setup, cases) expect_all(setup, cases, sizeof(cases) / sizeof(cases)[0])

static void strict_json_only(void **state) {
    static const struct body_case cases[] = {
        {"duplicate", GW_USER, CHAT, "{\"model\":\"tiny\",\"model\":\"big\"," MSG "}", 400,
         "json_duplicate_key", ""},
        {"duplicate by escape", GW_USER, CHAT,
         "{\"model\":\"tiny\",\"mod\\u0065l\":\"big\"," MSG "}", 400, "json_duplicate_key", ""},
        {"bad utf-8", GW_USER, CHAT,
         "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}", 400,
         "json_bad_utf8", ""},
        {"trailing", GW_USER, CHAT, "{\"model\":\"tiny\"," MSG "}{}", 400, "json_trailing_bytes",
         ""},
        {"nan", GW_USER, CHAT, "{\"model\":\"tiny\",\"temperature\":NaN," MSG "}", 400,
         "json_malformed", ""},
        {"cut", GW_USER, CHAT, "{\"model\":\"tiny\"", 400, "json_malformed", ""},
        {"array", GW_USER, CHAT, "[1]", 400, "json_malformed", ""},
        {"text", GW_USER, CHAT, "\"" GW_CANARY "\"", 400, "json_malformed", ""},
        {"blank", GW_USER, CHAT, " ", 400, "json_malformed", ""},
    };
    EXPECT_ALL(GW_LLAMA, cases);
}

static void json_refusals_name_the_offset(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    assert_true(gw_open(&g, GW_LLAMA));
    gw_req_init(&r, &g, GW_USER, "POST", CHAT, "{\"model\":\"tiny\",\"model\":\"x\"}");
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_true(gw_contains(bz_tx_reply(tx)->body, "at byte 16"));
    bz_tx_free(tx);
    char deep[400] = "{\"model\":\"tiny\",\"a\":";
    memset(deep + strlen(deep), '[', 200);
    gw_req_init(&r, &g, GW_USER, "POST", CHAT, deep);
    tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_true(gw_contains(bz_tx_reply(tx)->body, "nested too deeply"));
    assert_true(gw_contains(bz_tx_reply(tx)->body, "json_too_deep"));
    bz_tx_free(tx);
    gw_close(&g);
}

static void size_caps(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    assert_true(gw_open(&g, GW_LLAMA));
    size_t n = (1u << 20) + 1;
    char *big = malloc(n + 1);
    assert_non_null(big);
    memset(big, ' ', n);
    big[n] = '\0';
    gw_req_init(&r, &g, GW_USER, "POST", CHAT, big);
    r.head.content_length = -1; /* chunked: nobody announced it */
    r.head.chunked = true;
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_REFUSE);
    assert_int_equal(bz_tx_reply(tx)->status, 413);
    bz_tx_free(tx);
    for (size_t i = 1; i < n; i += 2)
        memcpy(big + i, "1,", 2);
    big[0] = '[';
    static const struct {
        size_t n;
        uint16_t status;
        const char *code;
    } many[] = {{1u << 20, 400, "json_too_large"}, {150001, 413, "json_too_complex"}};
    for (size_t i = 0; i < 2; i++) { /* the node cap says no, or the arena's */
        gw_req_init(&r, &g, GW_USER, "POST", CHAT, big);
        r.body.n = many[i].n;
        r.head.content_length = (int64_t)r.body.n;
        tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
        assert_int_equal(bz_tx_reply(tx)->status, many[i].status);
        assert_true(gw_contains(bz_tx_reply(tx)->body, many[i].code));
        bz_tx_free(tx);
    }
    assert_int_equal(heap.live, 0);
    free(big);
    gw_close(&g);
}

static void models_are_resolved_before_anything_is_allowed(void **state) {
    static const struct body_case cases[] = {
        {"plain", GW_USER, CHAT, "{\"model\":\"tiny\"," MSG "}", 0, "\"model\":\"tiny\"", "tiny"},
        {"alias", GW_USER, CHAT, "{\"model\":\"assistant\"," MSG "}", 0, "\"model\":\"tiny\"",
         "assistant"},
        {"target is no name", GW_USER, CHAT, "{\"model\":\"big.gguf\"," MSG "}", 404,
         "model_not_found", ""},
        {"target written", GW_USER, CHAT, "{\"model\":\"big\"," MSG "}", 0,
         "\"model\":\"big.gguf\"", "big"},
        {"unknown", GW_USER, CHAT, "{\"model\":\"" GW_CANARY "\"," MSG "}", 404, "model_not_found",
         ""},
        {"not allowed", GW_NARROW, CHAT, "{\"model\":\"big\"," MSG "}", 404, "model_not_found", ""},
        {"alias of an allowed one", GW_NARROW, CHAT, "{\"model\":\"assistant\"," MSG "}", 404,
         "model_not_found", ""},
        {"allowed", GW_NARROW, CHAT, "{\"model\":\"tiny\"," MSG "}", 0, "\"model\":\"tiny\"",
         "tiny"},
        {"none, many", GW_USER, CHAT, "{" MSG "}", 400, "model_required", ""},
        {"none, one allowed", GW_NARROW, CHAT, "{" MSG "}", 0, ",\"model\":\"tiny\"", "tiny"},
        {"no string", GW_USER, CHAT, "{\"model\":1," MSG "}", 400, "model_invalid", ""},
        {"empty", GW_USER, CHAT, "{\"model\":\"\"," MSG "}", 400, "model_invalid", ""},
        {"null", GW_USER, CHAT, "{\"model\":null," MSG "}", 400, "model_invalid", ""},
        {"latest is Ollama's", GW_USER, CHAT, "{\"model\":\"tiny:latest\"," MSG "}", 404,
         "model_not_found", ""},
        {"escaped name", GW_USER, CHAT, "{\"model\":\"t\\u0069ny\"," MSG "}", 0,
         "\"model\":\"tiny\"", "tiny"},
    };
    EXPECT_ALL(GW_LLAMA, cases);
}

static void unknown_and_forbidden_models_look_the_same(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req a, b;
    enum bz_verdict v;
    assert_true(gw_open(&g, GW_LLAMA));
    gw_req_init(&a, &g, GW_NARROW, "POST", CHAT, "{\"model\":\"big\"," MSG "}");
    gw_req_init(&b, &g, GW_NARROW, "POST", CHAT, "{\"model\":\"nil\"," MSG "}");
    g.next_id = 77;
    struct bz_tx *x = gw_send(&g, &a, gw_heap_alloc(&heap), &v);
    g.next_id = 77; /* the same id: the bodies may differ in nothing */
    struct bz_tx *y = gw_send(&g, &b, gw_heap_alloc(&heap), &v);
    assert_true(bz_view_eq(bz_tx_reply(x)->body, bz_tx_reply(y)->body));
    assert_int_equal(bz_tx_reply(x)->status, bz_tx_reply(y)->status);
    bz_tx_free(x);
    bz_tx_free(y);
    gw_close(&g);
}

static void a_single_model_needs_no_name(void **state) {
    static const struct body_case cases[] = {
        {"chat", GW_USER, CHAT, "{" MSG "}", 0, "\"model\":\"tiny\"", "tiny"},
        {"tokenize", GW_USER, "/tokenize", "{\"content\":\"hi\"}", 0, "\"model\":\"tiny\"", "tiny"},
        {"native", GW_USER, "/completion", "{\"prompt\":\"hi\"}", 0, "\"model\":\"tiny\"", "tiny"},
    };
    EXPECT_ALL(GW_SINGLE, cases);
}

static void names_of_one_model_need_no_choice(void **state) {
    static const struct body_case cases[] = {
        {"several models", GW_USER, "/tokenize", "{\"content\":\"hi\"}", 400, "model_required",
         NULL},
        {"narrow key has no such route", GW_NARROW, "/tokenize", "{\"content\":\"hi\"}", 403,
         "route_not_allowed", NULL},
    };
    static const struct body_case mixed[] = {
        {"one of the kind", GW_USER, "/api/embed", "{\"model\":\"llama3\",\"input\":\"a\"}", 0,
         "\"model\":\"llama3:latest\"", "llama3:latest"},
        {"two of a kind", GW_USER, "/infill", "{\"input_prefix\":\"a\",\"input_suffix\":\"b\"}",
         400, "model_required", NULL},
        {"named", GW_USER, "/infill",
         "{\"model\":\"tiny\",\"input_prefix\":\"a\",\"input_suffix\":\"b\"}", 0,
         "\"model\":\"tiny.gguf\"", "tiny"},
    };
    static const struct body_case aliases[] = {
        {"the plain name is taken", GW_USER, "/completion", "{\"prompt\":\"hi\"}", 0,
         "\"model\":\"tiny\"", "tiny"},
        {"an alias works too", GW_USER, CHAT, "{\"model\":\"assistant\"," MSG "}", 0,
         "\"model\":\"tiny\"", "assistant"},
    };
    EXPECT_ALL(GW_LLAMA, cases);
    EXPECT_ALL(GW_MIXED, mixed);
    EXPECT_ALL(GW_ALIAS, aliases);
}

static void ollama_names(void **state) {
    static const struct body_case cases[] = {
        {"exact", GW_USER, "/api/chat", "{\"model\":\"llama3:latest\"," MSG "}", 0,
         "\"model\":\"llama3:latest\"", "llama3:latest"},
        {"without tag", GW_USER, "/api/chat", "{\"model\":\"llama3\"," MSG "}", 0,
         "\"model\":\"llama3:latest\"", "llama3:latest"},
        {"openai route", GW_USER, CHAT, "{\"model\":\"llama3\"," MSG "}", 0,
         "\"model\":\"llama3:latest\"", "llama3:latest"},
        {"other tag", GW_USER, "/api/chat", "{\"model\":\"qwen\"," MSG "}", 404, "model_not_found",
         ""},
        {"half a tag", GW_USER, "/api/chat", "{\"model\":\"llama3:\"," MSG "}", 404,
         "model_not_found", ""},
        {"folded duplicate", GW_USER, "/api/chat",
         "{\"model\":\"llama3\",\"Model\":\"qwen:7b\"," MSG "}", 400, "json_duplicate_key", ""},
    };
    EXPECT_ALL(GW_OLLAMA, cases);
}

static void model_decides_the_backend(void **state) {
    static const struct {
        const char *path, *body;
        uint64_t may; /* backends */
    } cases[] = {
        {CHAT, "{\"model\":\"tiny\"," MSG "}", 1 | 16},
        {CHAT, "{\"model\":\"mistral\"," MSG "}", 4},
        {CHAT, "{\"model\":\"llama3\"," MSG "}", 2},
        {CHAT, "{\"model\":\"everywhere\"," MSG "}", 1 | 2 | 4},
        {"/v1/messages", "{\"model\":\"claude\",\"max_tokens\":9," MSG "}", 8},
        {"/api/chat", "{\"model\":\"everywhere\"," MSG "}", 2},
    };
    struct gw g;
    assert_true(gw_open(&g, GW_MIXED));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t seen = 0;
        for (int round = 0; round < 24; round++) {
            struct gw_heap heap = {0};
            struct gw_req r;
            enum bz_verdict v;
            struct bz_backend b;
            gw_req_init(&r, &g, GW_USER, "POST", cases[i].path, cases[i].body);
            struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
            assert_int_equal(v, BZ_VERDICT_FORWARD);
            assert_true(bz_tx_backend(tx, gw_now(&g), &b));
            seen |= UINT64_C(1) << b.index;
            bz_tx_free(tx);
        }
        assert_int_equal(seen, cases[i].may);
    }
    gw_close(&g);
}

static void routes_of_several_servers(void **state) {
    static const struct body_case cases[] = {
        {"model's server has no such route", GW_USER, "/api/chat",
         "{\"model\":\"mistral\"," MSG "}", 404, "route_unknown", NULL},
        {"claude has no chat", GW_USER, "/infill",
         "{\"model\":\"claude\",\"input_prefix\":\"a\",\"input_suffix\":\"b\"}", 404,
         "route_unknown", NULL},
    };
    EXPECT_ALL(GW_MIXED, cases);
}

static void replicas_share_and_failures_move_on(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    struct bz_backend first, second, third;
    assert_true(gw_open(&g, GW_MIXED));
    gw_req_init(&r, &g, GW_USER, "POST", CHAT, "{\"model\":\"tiny\"," MSG "}");
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_true(bz_tx_backend(tx, gw_now(&g), &first));
    assert_int_equal(bz_state_out(g.env.state, first.index), 1);
    struct bz_tx *tx2 = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_true(bz_tx_backend(tx2, gw_now(&g), &second));
    assert_int_not_equal(first.index, second.index); /* least outstanding */
    bz_tx_free(tx2);
    assert_int_equal(bz_state_out(g.env.state, second.index), 0);
    bz_tx_backend_result(tx, false, gw_now(&g));
    assert_true(bz_tx_backend(tx, gw_now(&g), &third));
    assert_int_equal(third.index, second.index);
    assert_int_equal(bz_state_out(g.env.state, first.index), 0);
    assert_int_equal(bz_state_out(g.env.state, third.index), 1);
    assert_false(bz_tx_backend(tx, gw_now(&g), &third)); /* both were tried */
    assert_int_equal(bz_tx_reply(tx)->status, 503);
    assert_true(gw_contains(bz_tx_reply(tx)->body, "no_backend"));
    bz_tx_free(tx);
    assert_int_equal(bz_state_out(g.env.state, 0) + bz_state_out(g.env.state, 4), 0);
    bz_state_health_set(g.env.state, 0, BZ_HEALTH_DOWN, g.mono_ns);
    bz_state_health_set(g.env.state, 4, BZ_HEALTH_DOWN, g.mono_ns);
    tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    assert_false(bz_tx_backend(tx, gw_now(&g), &first));
    assert_int_equal(bz_tx_reply(tx)->status, 503);
    assert_true(bz_view_eq(bz_tx_reply(tx)->extra[0].name, BZ_V("Retry-After")));
    bz_tx_free(tx);
    assert_int_equal(heap.live, 0);
    gw_close(&g);
}

/* What nobody serves is told apart from what nobody can be asked for, in no other way. */
static void no_model_is_unknown_while_no_server_is_there(void **state) {
    static const enum bz_health all[] = {BZ_HEALTH_UP, BZ_HEALTH_DOWN, BZ_HEALTH_UNSAFE};
    static const char *const code[] = {"model_not_found", "no_backend", "backend_unsafe"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct gw g;
        struct gw_heap heap = {0};
        struct gw_req r;
        enum bz_verdict v;
        assert_true(gw_open(&g, GW_MIXED));
        for (uint32_t b = 0; b < BZ_BACKENDS_MAX; b++)
            bz_state_health_set(g.env.state, b, all[i], g.mono_ns);
        gw_req_init(&r, &g, GW_USER, "POST", CHAT, "{\"model\":\"nobody\"," MSG "}");
        struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
        assert_int_equal(v, BZ_VERDICT_REFUSE);
        assert_int_equal(bz_tx_reply(tx)->status, i == 0 ? 404 : 503);
        assert_true(gw_contains(bz_tx_reply(tx)->body, code[i]));
        bz_tx_free(tx);
        assert_int_equal(heap.live, 0);
        gw_close(&g);
    }
}

static void admin_routes_need_one_backend(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    assert_true(gw_open(&g, GW_MIXED));
    gw_req_init(&r, &g, GW_ADMIN, "GET", "/slots", NULL); /* two llama.cpp */
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_REFUSE);
    assert_true(gw_contains(bz_tx_reply(tx)->body, "backend_ambiguous") ||
                bz_tx_reply(tx)->status == 400);
    bz_tx_free(tx);
    gw_req_init(&r, &g, GW_ADMIN, "DELETE", "/api/delete", "{\"model\":\"old:1b\"}");
    tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    assert_true(bz_view_eq(bz_tx_forward(tx)->body, BZ_V("{\"model\":\"old:1b\"}")));
    bz_tx_free(tx);
    gw_close(&g);
}

/* Every model that a management body names is one that the key may use, however it is spelled. */
static void models_of_management_bodies(void **state) {
    static const struct {
        enum gw_key key;
        const char *method, *path, *body;
        uint16_t status; /* 0: forwarded */
    } cases[] = {
        {GW_JANITOR, "POST", "/api/copy", "{\"source\":\"qwen:7b\",\"destination\":\"new1\"}", 0},
        {GW_JANITOR, "POST", "/api/copy", "{\"source\":\"llama3\",\"destination\":\"new1\"}", 404},
        {GW_JANITOR, "POST", "/api/copy", "{\"source\":\"hidden\",\"destination\":\"new1\"}", 404},
        {GW_JANITOR, "POST", "/api/copy", "{\"source\":\"qwen:7b\",\"destination\":\"llama3\"}",
         404},
        {GW_JANITOR, "POST", "/api/copy", "{\"Source\":\"llama3\",\"destination\":\"new1\"}", 400},
        {GW_JANITOR, "POST", "/api/copy", "{\"\u017fource\":\"llama3\",\"destination\":\"new1\"}",
         400},
        {GW_JANITOR, "POST", "/api/copy", "{\"source\":7,\"destination\":\"new1\"}", 400},
        {GW_JANITOR, "DELETE", "/api/delete", "{\"model\":\"qwen:7b\"}", 0},
        {GW_JANITOR, "DELETE", "/api/delete", "{\"model\":\"llama3\"}", 404},
        {GW_JANITOR, "DELETE", "/api/delete", "{\"Model\":\"llama3\"}", 400},
        {GW_JANITOR, "DELETE", "/api/delete",
         "{\"model\":\"registry.ollama.ai/library/llama3:latest\"}", 404},
        {GW_JANITOR, "DELETE", "/api/delete", "{\"model\":\"qwen:7b\",\"name\":\"llama3\"}", 404},
        {GW_ADMIN, "POST", "/api/copy", "{\"source\":\"llama3\",\"destination\":\"x\"}", 0},
        {GW_ADMIN, "DELETE", "/api/delete", "{\"model\":\"old:1b\"}", 0},
    };
    struct gw g;
    struct gw_heap heap = {0};
    assert_true(gw_open(&g, GW_OLLAMA));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gw_req r;
        enum bz_verdict v;
        gw_req_init(&r, &g, cases[i].key, cases[i].method, cases[i].path, cases[i].body);
        struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
        uint16_t got = v == BZ_VERDICT_FORWARD ? 0 : bz_tx_reply(tx)->status;
        if (got != cases[i].status)
            fail_msg("%s: %u, expected %u", cases[i].body, got, cases[i].status);
        bz_tx_free(tx);
    }
    assert_int_equal(heap.live, 0);
    gw_close(&g);
}

static void forwarded_bytes_are_canonical(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    assert_true(gw_open(&g, GW_SINGLE));
    gw_req_init(&r, &g, GW_USER, "POST", CHAT,
                " { \"model\" : \"tiny\" , \"temperature\" : 1.10 ,\n \"messages\" : [ { "
                "\"role\":\"user\" ,"
                " \"content\" : \"\\u0068\\u00e9\\/\" } ] } ");
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    struct bz_view body = bz_tx_forward(tx)->body;
    assert_true(bz_view_starts(body, BZ_V("{\"model\":\"tiny\",\"temperature\":1.10,\"messages\":[{"
                                          "\"role\":\"user\",\"content\":\"h\xc3\xa9/\"}]")));
    assert_true(bz_view_eq(bz_tx_forward(tx)->accept, BZ_V("application/json")));
    bz_tx_drop_body(tx);
    assert_int_equal(bz_tx_forward(tx)->body.n, 0);
    assert_int_equal(heap.live, 1); /* the transaction itself */
    assert_true(heap.bytes_live <= 1024);
    bz_tx_free(tx);
    gw_close(&g);
}

static void parameters_out_of_range_and_against_policy(void **state) {
    static const struct body_case cases[] = {
        {"wrong type", GW_USER, CHAT, "{\"model\":\"tiny\",\"temperature\":\"x\"," MSG "}", 400,
         "param_invalid", "tiny"},
        {"token ids", GW_USER, "/v1/completions", "{\"model\":\"tiny\",\"prompt\":[1,2]}", 403,
         "param_not_allowed", "tiny"},
    };
    EXPECT_ALL(GW_LLAMA, cases);
}

static void parameters_are_refused_by_name(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    uint8_t mem[BZ_RECORD_MAX];
    struct bz_record rec;
    size_t n;
    assert_true(gw_open(&g, GW_LLAMA));
    gw_req_init(&r, &g, GW_USER, "POST", "/completion",
                "{\"model\":\"tiny\",\"prompt\":\"hi\",\"n_discard\":-5}");
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_REFUSE);
    assert_true(gw_contains(bz_tx_reply(tx)->body, "n_discard"));
    assert_true(bz_tx_reply(tx)->status == 400 || bz_tx_reply(tx)->status == 403);
    bz_tx_free(tx);
    gw_req_init(&r, &g, GW_USER, "POST", CHAT, "{\"model\":\"tiny\"," MSG ",\"" GW_CANARY "\":1}");
    tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_REFUSE);
    assert_true(gw_record(&g, tx, BZ_RECORD_REFUSED, mem, &rec, &n));
    assert_false(gw_contains(bz_view(mem, n), GW_CANARY)); /* not even as a parameter's name */
    bz_tx_free(tx);
    gw_close(&g);
}

/* For every N: allocation N and all later ones fail. Nothing is forwarded that should not be,
 * nothing leaks. */
static void without_memory_nothing_is_forwarded(void **state) {
    struct gw g;
    assert_true(gw_open(&g, GW_LLAMA));
    static const struct {
        enum gw_key key;
        const char *method, *path, *body;
    } cases[] = {
        {GW_USER, "POST", CHAT, "{\"model\":\"assistant\"," MSG "}"},
        {GW_NARROW, "POST", CHAT, "{" MSG "}"},
        {GW_LIMITED, "POST", CHAT, "{\"model\":\"tiny\"," MSG "}"},
        {GW_USER, "GET", "/v1/models", NULL},
        {GW_USER, "GET", "/v1/models/tiny", NULL},
        {GW_ADMIN, "GET", "/slots", NULL},
        {GW_USER, "GET", "/nothing", NULL},
        {GW_KEYS, "GET", "/health", NULL},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        bool through = false;
        for (uint64_t n = 1; !through && n < 100; n++) {
            struct gw_heap heap = {.fail_from = n};
            struct gw_req r;
            enum bz_verdict v;
            gw_req_init(&r, &g, cases[c].key, cases[c].method, cases[c].path, cases[c].body);
            g.mono_ns += UINT64_C(120000000000); /* buckets are full again */
            struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
            if (tx == NULL) {
                assert_int_equal(n, 1);
                continue;
            }
            through = heap.allocs < n;
            if (!through) {
                assert_int_equal(v, BZ_VERDICT_REFUSE);
                assert_null(bz_tx_forward(tx));
                assert_non_null(bz_tx_reply(tx));
                assert_int_equal(bz_tx_reply(tx)->status, 503);
                assert_true(gw_contains(bz_tx_reply(tx)->body, "no_memory"));
            }
            bz_tx_free(tx);
            assert_int_equal(heap.live, 0);
        }
        assert_true(through);
    }
    gw_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_json_only),
        cmocka_unit_test(json_refusals_name_the_offset),
        cmocka_unit_test(size_caps),
        cmocka_unit_test(models_are_resolved_before_anything_is_allowed),
        cmocka_unit_test(unknown_and_forbidden_models_look_the_same),
        cmocka_unit_test(a_single_model_needs_no_name),
        cmocka_unit_test(names_of_one_model_need_no_choice),
        cmocka_unit_test(ollama_names),
        cmocka_unit_test(model_decides_the_backend),
        cmocka_unit_test(routes_of_several_servers),
        cmocka_unit_test(replicas_share_and_failures_move_on),
        cmocka_unit_test(no_model_is_unknown_while_no_server_is_there),
        cmocka_unit_test(admin_routes_need_one_backend),
        cmocka_unit_test(models_of_management_bodies),
        cmocka_unit_test(forwarded_bytes_are_canonical),
        cmocka_unit_test(parameters_out_of_range_and_against_policy),
        cmocka_unit_test(parameters_are_refused_by_name),
        cmocka_unit_test(without_memory_nothing_is_forwarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
