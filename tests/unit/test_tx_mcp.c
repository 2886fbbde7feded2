/* Tool servers in the transaction: sessions, pins, replies in any cut, too little memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mcp_fixture.h"

#define RESULT_MAX 4096
#define CALL(id)                                                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                                              \
    ",\"method\":\"tools/call\",\"params\":{\"name\":\"add\",\"arguments\":{\"a\":1}}}"
#define GOOD                                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"3\"}],"  \
    "\"structuredContent\":{\"sum\":3}}}"

static struct gw g;
static char session[BZ_MCP_SESSION_TEXT + 1];
static const struct bz_reply_head json_head = {200, BZ_V("application/json"), {NULL, 0}, -1};
static const struct bz_reply_head sse_head = {200, BZ_V("text/event-stream"), {NULL, 0}, -1};

static int setup(void **state) {
    (void)state;
    assert_true(mcp_open(&g, RESULT_MAX));
    assert_true(mcp_session(&g, GW_USER, session));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    gw_close(&g);
    return 0;
}

static struct bz_tx *send(const char *method, const char *body, const char *with,
                          enum bz_verdict *ret) {
    struct gw_req r;
    mcp_request(&r, &g, GW_USER, method, body, with);
    return gw_send(&g, &r, bz_alloc_heap, ret);
}

/* A refusal's code and status. */
static void refuses(const char *method, const char *body, const char *with, uint16_t status,
                    const char *code) {
    enum bz_verdict v;
    char want[80];
    struct bz_tx *tx = send(method, body, with, &v);
    assert_int_equal(v, BZ_VERDICT_REFUSE);
    (void)snprintf(want, sizeof want, "\"code\":\"%s\"", code);
    if (!gw_contains(bz_tx_reply(tx)->body, want))
        print_message("%.*s lacks %s\n", (int)bz_tx_reply(tx)->body.n,
                      (const char *)bz_tx_reply(tx)->body.p, want);
    assert_true(gw_contains(bz_tx_reply(tx)->body, want));
    assert_int_equal(bz_tx_reply(tx)->status, status);
    bz_tx_free(tx);
}

static void sessions(void **state) {
    char other[BZ_MCP_SESSION_TEXT + 1];
    struct gw_req r;
    enum bz_verdict v;
    (void)state;
    assert_false(strstr(session, "upstream") != NULL);
    struct bz_tx *tx = send("POST", CALL("1"), session, &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    assert_true(bz_view_eq(bz_tx_forward_session(tx), BZ_V("upstream-session-1")));
    assert_true(bz_view_eq(bz_tx_forward_version(tx), BZ_V("2025-06-18")));
    assert_true(bz_view_eq(bz_tx_forward(tx)->path, BZ_V("/mcp")));
    bz_tx_free(tx);
    refuses("POST", CALL("2"), NULL, 200, "mcp_session_missing");
    refuses("GET", NULL, NULL, 400, "mcp_session_missing");
    refuses("POST", CALL("2"), "nonsense", 404, "mcp_session_unknown");
    mcp_request(&r, &g, GW_ADMIN, "POST", CALL("2"), session); /* another key of the same owner */
    tx = gw_send(&g, &r, bz_alloc_heap, &v);
    assert_int_equal(bz_tx_reply(tx)->status, 404);
    bz_tx_free(tx);
    assert_false(mcp_session(&g, GW_NARROW, other)); /* not a role of this server */
    assert_true(mcp_session(&g, GW_ADMIN, other));
    g.mono_ns += BZ_MCP_SESSION_S * UINT64_C(1000000000);
    tx = send("POST", CALL("3"), session, &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    bz_tx_free(tx);
    g.mono_ns += UINT64_C(2000000000);
    refuses("POST", CALL("4"), session, 404, "mcp_session_unknown");
}

static void requests(void **state) {
    static const struct {
        const char *body;
        uint16_t status;
        const char *code;
    } rows[] = {
        {"[]", 400, "mcp_message_invalid"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/kill\"}", 200, "mcp_method_not_allowed"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\"}", 400, "mcp_message_invalid"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"roots/list\"}", 200, "mcp_method_not_allowed"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"Add\"}}",
         200, "mcp_tool_unknown"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":1}}", 200,
         "mcp_tool_unknown"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\"}", 200, "mcp_message_invalid"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"add\"}}",
         200, "mcp_arguments_invalid"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/"
         "call\",\"params\":{\"name\":\"add\",\"arguments\":[1]}}",
         200, "mcp_arguments_invalid"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/"
         "call\",\"params\":{\"name\":\"add\",\"arguments\":{\"a\":1},\"task\":{}}}",
         200, "mcp_message_invalid"},
        {MCP_OPEN, 200, "mcp_message_invalid"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"id\":8,\"method\":\"ping\"}", 400, "json_duplicate_key"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuses("POST", rows[i].body, session, rows[i].status, rows[i].code);
    refuses("POST", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{}}", NULL,
            200, "mcp_message_invalid");
}

static void replays_for_a_minute(void **state) {
    enum bz_verdict v;
    char other[BZ_MCP_SESSION_TEXT + 1];
    (void)state;
    assert_true(mcp_session(&g, GW_USER, other)); /* at the same moment, of the same key */
    struct bz_tx *first = send("POST", CALL("\"x\""), other, &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    bz_tx_free(first);
    struct bz_tx *tx = send("POST", CALL("\"x\""), session, &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    bz_tx_free(tx);
    refuses("POST", CALL("\"x\""), session, 200, "mcp_replay");
    g.mono_ns += UINT64_C(59000000000);
    refuses("POST", CALL("\"x\""), session, 200, "mcp_replay");
    g.mono_ns += UINT64_C(1100000000);
    tx = send("POST", CALL("\"x\""), session, &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    bz_tx_free(tx);
}

/* What the client gets for what a server says to CALL("1"). */
static void reply(const struct bz_reply_head *h, const char *text, size_t cut, bool clean,
                  struct bz_buf *out) {
    enum bz_verdict v;
    struct bz_backend b;
    static unsigned id;
    char body[512];
    struct bz_buf fed;
    (void)snprintf(body, sizeof body,
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
                   "call\",\"params\":{\"name\":\"add\",\"arguments\":{\"a\":1},"
                   "\"_meta\":{\"n\":%u}}}",
                   id++);
    g.mono_ns += UINT64_C(61000000000);
    struct bz_tx *tx = send("POST", body, session, &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    assert_true(bz_tx_backend(tx, gw_now(&g), &b));
    assert_int_equal(b.index, 1);
    assert_true(bz_view_eq(b.authorization, BZ_V("Bearer server-secret")));
    bz_buf_init(&fed, 1 << 20);
    (void)!gw_reply(&g, tx, h, bz_view_str(text), cut, clean, &fed);
    bz_buf_reset(out);
    bz_buf_put(out, bz_tx_reply(tx) != NULL ? bz_tx_reply(tx)->body : bz_buf_view(&fed));
    bz_buf_free(&fed);
    bz_tx_free(tx);
}

static void replies(void **state) {
    static const struct {
        const char *text, *want; /* NULL: as it is */
    } rows[] = {
        {GOOD, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"x\"}}", NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"content\":[]}}", "mcp_result_invalid"},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"content\":[]}}", "mcp_result_invalid"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}",
         "mcp_result_invalid"}, /* the schema wants sum */
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[],\"isError\":true}}", NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"x\"}],"
         "\"structuredContent\":{\"sum\":1}}}",
         "mcp_result_invalid"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"structuredContent\":{\"sum\":1}}}",
         "mcp_result_invalid"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"task\":{\"taskId\":\"1\"}}}",
         "mcp_result_invalid"},
        {"[" GOOD "]", "upstream_malformed"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,", "upstream_malformed"},
        {"", "upstream_malformed"},
    };
    struct bz_buf out;
    (void)state;
    bz_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t cut = 0; cut < 3; cut++) {
            reply(&json_head, rows[i].text, cut, true, &out);
            if (rows[i].want == NULL)
                assert_true(bz_view_eq(bz_buf_view(&out), bz_view_str(rows[i].text)));
            else
                assert_true(gw_contains(bz_buf_view(&out), rows[i].want));
            assert_true(gw_contains(bz_buf_view(&out), "\"id\":1"));
        }
    }
    reply(&json_head, GOOD, 0, false, &out);
    assert_true(gw_contains(bz_buf_view(&out), "upstream_truncated"));
    bz_buf_free(&out);
}

/* Both sides of result_max, whole and as an event. */
static void result_cap(void **state) {
    static char text[RESULT_MAX + 64], event[RESULT_MAX + 96];
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"structuredContent\":{"
                               "\"sum\":1},\"content\":[{\"type\":\"text\",\"text\":\"";
    static const char tail[] = "\"}]}}";
    struct bz_buf out;
    (void)state;
    bz_buf_init(&out, 1 << 20);
    for (size_t more = 0; more < 2; more++) {
        size_t n = RESULT_MAX + more - (sizeof head - 1) - (sizeof tail - 1);
        memcpy(text, head, sizeof head - 1);
        memset(text + sizeof head - 1, 'x', n);
        memcpy(text + sizeof head - 1 + n, tail, sizeof tail);
        (void)snprintf(event, sizeof event, "data: %s\n\n", text);
        for (int sse = 0; sse < 2; sse++) {
            reply(sse ? &sse_head : &json_head, sse ? event : text, 0, true, &out);
            assert_int_equal(gw_contains(bz_buf_view(&out), "mcp_result_too_large"), more == 1);
            assert_int_equal(gw_contains(bz_buf_view(&out), "xxxx"), more == 0);
        }
    }
    static char huge[BZ_EVENT_MAX + 64]; /* no event that long is put together */
    memset(huge, 'x', sizeof huge - 1);
    memcpy(huge, "data: ", 6);
    reply(&sse_head, huge, 60000, true, &out);
    assert_true(gw_contains(bz_buf_view(&out), "mcp_result_too_large"));
    bz_buf_free(&out);
}

static void streams_in_any_cut(void **state) {
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"id: 1\ndata: \n\nevent: message\ndata: " GOOD "\n\n", "data: " GOOD "\n\n"},
        {"data: "
         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
         "progress\",\"params\":{\"progress\":1}}\r\n\r\ndata: " GOOD "\n\n",
         "data: "
         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
         "progress\",\"params\":{\"progress\":1}}\n\ndata: " GOOD "\n\n"},
        /* of others, asked for by nobody, twice */
        {"data: {\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}\n\n"
         "data: {\"jsonrpc\":\"2.0\",\"method\":\"x/y\"}\n\ndata: " GOOD "\n\ndata: " GOOD "\n\n",
         "data: " GOOD "\n\n"},
        /* what it may not ask: a ping in its place, none behind the answer */
        {"data: {\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"roots/list\"}\n\ndata: {\"jsonrpc\":"
         "\"2.0\",\"id\":\"a\\\"b\",\"method\":\"x/"
         "y\",\"params\":{\"a\":\"secret\"}}\n\ndata: " GOOD
         "\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"roots/list\"}\n\n",
         "data: "
         "{\"jsonrpc\":\"2.0\",\"id\":\"bartizan-refused:15:i3\",\"method\":\"ping\"}\n\ndata: "
         "{\"jsonrpc\":\"2.0\",\"id\":\"bartizan-refused:25:sa\\\"b\",\"method\":\"ping\"}\n\ndata:"
         " " GOOD "\n\n"},
    };
    static const char *const bad[] = {
        "data: {\"jsonrpc\":\"2.0\"}\n\n",
        "data: nonsense\n\n",
        "data: [DONE]\n\n",
        "event: error\ndata: " GOOD "\n\n",
        "event: other\ndata: " GOOD "\n\n",
        "data: [" GOOD "]\n\n",
    };
    struct bz_buf out;
    (void)state;
    bz_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t cut = 0; cut < strlen(rows[i].in); cut += cut < 12 ? 1 : 37) {
            reply(&sse_head, rows[i].in, cut, true, &out);
            assert_true(bz_view_eq(bz_buf_view(&out), bz_view_str(rows[i].out)));
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) { /* the one who waits is told */
        for (size_t cut = 0; cut < 4; cut++) {
            reply(&sse_head, bad[i], cut, true, &out);
            assert_true(gw_contains(bz_buf_view(&out), "\"id\":1,\"error\""));
        }
    }
    reply(&sse_head, "data: {\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}\n\n", 0, true,
          &out); /* never answered */
    assert_true(gw_contains(bz_buf_view(&out), "upstream_truncated"));
    reply(&sse_head, "data: " GOOD "\n\n", 0, false, &out); /* broke behind the answer */
    assert_true(gw_contains(bz_buf_view(&out), "structuredContent"));
    assert_false(gw_contains(bz_buf_view(&out), "\"error\""));
    bz_buf_free(&out);
}

/* initialize as a stream becomes one document, whatever the cut; what nobody approved is not in it. */
static void opening(void **state) {
    static const char event[] =
        "id: 7\ndata: \n\ndata: "
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\ndata: " MCP_OPENED "\n\n";
    enum bz_verdict v;
    struct bz_backend b;
    struct bz_header headers[16];
    struct bz_buf none;
    (void)state;
    bz_buf_init(&none, 1 << 20);
    for (size_t cut = 0; cut < 80; cut++) {
        struct bz_tx *tx = send("POST", MCP_OPEN, NULL, &v);
        assert_int_equal(v, BZ_VERDICT_FORWARD);
        assert_int_equal(bz_tx_forward_session(tx).n, 0);
        assert_true(bz_tx_backend(tx, gw_now(&g), &b));
        bz_tx_reply_session(tx, cut % 2 == 0 ? BZ_V("abc") : (struct bz_view){NULL, 0});
        (void)!gw_reply(&g, tx, &sse_head, bz_view_str(event), cut, true, &none);
        assert_non_null(bz_tx_reply(tx));
        assert_int_equal(bz_tx_reply(tx)->status, 200);
        assert_true(gw_contains(bz_tx_reply(tx)->body, "\"protocolVersion\":\"2025-06-18\""));
        assert_false(gw_contains(bz_tx_reply(tx)->body, "instructions"));
        size_t n = bz_tx_headers(tx, headers, 16), found = 0;
        for (size_t i = 0; i < n; i++)
            found += bz_view_eq(headers[i].name, BZ_V("Mcp-Session-Id"));
        assert_int_equal(found, 1);
        bz_tx_free(tx);
    }
    bz_buf_free(&none);
}

/* Lists are what was approved; a definition that differs closes its tool for everybody. */
static void lists(void **state) {
    static const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[" MCP_ECHO
                               ",{\"name\":\"add\",\"description\":\"Adds. Or more.\","
                               "\"inputSchema\":{\"type\":\"object\"}},{\"name\":\"new\","
                               "\"inputSchema\":{}}],\"nextCursor\":\"2\"}}";
    enum bz_verdict v;
    struct bz_backend b;
    struct bz_tx *tx =
        send("POST", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}", session, &v);
    (void)state;
    assert_true(bz_tx_backend(tx, gw_now(&g), &b));
    assert_int_equal(gw_reply(&g, tx, &json_head, bz_view_str(text), 0, true, NULL), BZ_OK);
    assert_true(
        bz_view_eq(bz_tx_reply(tx)->body,
                   bz_view_str("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[" MCP_ECHO
                               "],\"nextCursor\":\"2\"}}")));
    bz_tx_free(tx);
    refuses("POST", CALL("5"), session, 200, "mcp_tool_changed");
    g.mono_ns += UINT64_C(11) * 60 * 1000000000;
    tx = send("POST", CALL("5"), session, &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    bz_tx_free(tx);
}

#define ASK(method, params)                                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" method "\",\"params\":" params "}"

/* The server's own id comes back with the refusal, whatever the client said to the ping. */
static void refused_requests_are_answered(void **state) {
    static const struct {
        const char *said, *forwarded;
    } rows[] = {
        {"\"id\":\"bartizan-refused:13:i9\",\"result\":{}", "\"id\":9,"},
        {"\"id\":\"bartizan-refused:13:sx\",\"result\":{\"role\":\"user\"}", "\"id\":\"x\","},
        {"\"id\":\"bartizan-refused:13:i-9\",\"error\":{\"code\":1,\"message\":\"m\"}",
         "\"id\":-9,"},
    };
    enum bz_verdict v;
    char body[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",%s}", rows[i].said);
        struct bz_tx *tx = send("POST", body, session, &v);
        assert_int_equal(v, BZ_VERDICT_FORWARD);
        struct bz_view sent = bz_tx_forward(tx)->body;
        assert_true(gw_contains(sent, rows[i].forwarded));
        assert_true(gw_contains(
            sent, "\"error\":{\"code\":-32601,\"message\":\"sampling/createMessage is not"));
        assert_false(gw_contains(sent, "result"));
        assert_false(gw_contains(sent, "role"));
        bz_tx_free(tx);
    }
    /* What only looks like one is an answer as it is. */
    struct bz_tx *tx =
        send("POST", "{\"jsonrpc\":\"2.0\",\"id\":\"bartizan-refused:13:q9\",\"result\":{}}",
             session, &v);
    assert_true(gw_contains(bz_tx_forward(tx)->body, "\"result\":{}"));
    bz_tx_free(tx);
}

static void resources_and_prompts(void **state) {
    static const struct {
        const char *body, *code; /* NULL: it is forwarded */
    } rows[] = {
        {ASK("resources/read", "{\"uri\":\"file:///docs/page\"}"), NULL},
        {ASK("resources/read", "{\"uri\":\"file:///docs/page\",\"_meta\":{}}"), NULL},
        {ASK("resources/read", "{\"uri\":\"notes://a/b.md\"}"), NULL},
        {ASK("resources/read", "{\"uri\":\"notes://a/../b\"}"), "mcp_resource_unknown"},
        {ASK("resources/read", "{\"uri\":\"notes://a/%2e%2e/b\"}"), "mcp_resource_unknown"},
        {ASK("resources/read", "{\"uri\":\"notes://\"}"), "mcp_resource_unknown"},
        {ASK("resources/read", "{\"uri\":\"file:///docs/page2\"}"), "mcp_resource_unknown"},
        {ASK("resources/read", "{\"uri\":\"file:///etc/passwd\"}"), "mcp_resource_unknown"},
        {ASK("resources/read", "{\"uri\":\"file:///docs/page\",\"x\":1}"), "mcp_message_invalid"},
        {ASK("resources/read", "{\"uri\":7}"), "mcp_resource_unknown"},
        {ASK("prompts/get", "{\"name\":\"review\",\"arguments\":{\"code\":\"x\"}}"), NULL},
        {ASK("prompts/get", "{\"name\":\"review\"}"), "mcp_arguments_invalid"},
        {ASK("prompts/get", "{\"name\":\"review\",\"arguments\":{\"code\":1}}"),
         "mcp_arguments_invalid"},
        {ASK("prompts/get", "{\"name\":\"review\",\"arguments\":{\"code\":\"x\",\"y\":\"z\"}}"),
         "mcp_arguments_invalid"},
        {ASK("prompts/get", "{\"name\":\"add\"}"), "mcp_prompt_unknown"}, /* a tool */
        {ASK("tools/call", "{\"name\":\"review\"}"), "mcp_tool_unknown"}, /* a prompt */
        {ASK("prompts/get", "{\"name\":\"review\",\"x\":1}"), "mcp_message_invalid"},
        {ASK("completion/complete",
             "{\"ref\":{\"type\":\"ref/"
             "prompt\",\"name\":\"review\"},\"argument\":{\"name\":\"code\",\"value\":\"\"}}"),
         NULL},
        {ASK("completion/complete", "{\"ref\":{\"type\":\"ref/resource\",\"uri\":\"notes://"
                                    "{+path}\"},\"argument\":{\"name\":\"path\",\"value\":\"\"}}"),
         NULL},
        {ASK("completion/complete", "{\"ref\":{\"type\":\"ref/resource\",\"uri\":\"notes://"
                                    "a\"},\"argument\":{\"name\":\"path\",\"value\":\"\"}}"),
         "mcp_resource_unknown"},
        {ASK("completion/complete", "{\"ref\":{\"type\":\"ref/tool\",\"name\":\"add\"}}"),
         "mcp_message_invalid"},
        {ASK("resources/subscribe", "{\"uri\":\"file:///docs/page\"}"), "mcp_method_not_allowed"},
    };
    enum bz_verdict v;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code != NULL) {
            refuses("POST", rows[i].body, session, 200, rows[i].code);
            continue;
        }
        struct bz_tx *tx = send("POST", rows[i].body, session, &v);
        if (v != BZ_VERDICT_FORWARD)
            print_message("%s: refused\n", rows[i].body);
        assert_int_equal(v, BZ_VERDICT_FORWARD);
        bz_tx_free(tx);
    }
}

/* Both sides of the URI's cap. */
static void uri_cap(void **state) {
    static char uri[BZ_MCP_URI_MAX + 2], body[BZ_MCP_URI_MAX + 128];
    enum bz_verdict v;
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        memset(uri, 'a', sizeof uri);
        memcpy(uri, "notes://", 8);
        uri[BZ_MCP_URI_MAX + over] = '\0';
        (void)snprintf(body, sizeof body,
                       "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"resources/"
                       "read\",\"params\":{\"uri\":\"%s\"}}",
                       uri);
        struct bz_tx *tx = send("POST", body, session, &v);
        assert_int_equal(v, over ? BZ_VERDICT_REFUSE : BZ_VERDICT_FORWARD);
        bz_tx_free(tx);
    }
}

/* What the client gets for a result to a request. */
static void result_to(const char *body, const char *result, struct bz_buf *out) {
    enum bz_verdict v;
    struct bz_backend b;
    char text[2048];
    (void)snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":%s}", result);
    struct bz_tx *tx = send("POST", body, session, &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    assert_true(bz_tx_backend(tx, gw_now(&g), &b));
    (void)!gw_reply(&g, tx, &json_head, bz_view_str(text), 0, true, NULL);
    bz_buf_reset(out);
    bz_buf_put(out, bz_tx_reply(tx)->body);
    bz_tx_free(tx);
}

static void results_of_resources_and_prompts(void **state) {
    static const char read[] = ASK("resources/read", "{\"uri\":\"file:///docs/page\"}");
    static const char get[] =
        ASK("prompts/get", "{\"name\":\"review\",\"arguments\":{\"code\":\"x\"}}");
    static const char complete[] =
        ASK("completion/complete",
            "{\"ref\":{\"type\":\"ref/"
            "prompt\",\"name\":\"review\"},\"argument\":{\"name\":\"code\",\"value\":\"\"}}");
    static const struct {
        const char *ask, *result;
        bool good;
    } rows[] = {
        {read, "{\"contents\":[{\"uri\":\"file:///docs/page\",\"text\":\"t\"}]}", true},
        {read, "{\"contents\":[{\"uri\":\"file:///docs/page/1\",\"blob\":\"aGk=\"}]}", true},
        {read, "{\"contents\":[{\"uri\":\"notes://a\",\"text\":\"t\"}]}", true}, /* approved, too */
        {read, "{\"contents\":[]}", true},
        {read, "{\"contents\":[{\"uri\":\"file:///docs/page2\",\"text\":\"t\"}]}", false},
        {read, "{\"contents\":[{\"uri\":\"file:///docs/page\",\"text\":\"t\",\"blob\":\"\"}]}",
         false},
        {read, "{\"contents\":[{\"uri\":\"file:///docs/page\"}]}", false},
        {read, "{\"contents\":[{\"text\":\"t\"}]}", false},
        {read, "{\"text\":\"t\"}", false},
        {get, "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"t\"}}]}",
         true},
        {get,
         "{\"messages\":[{\"role\":\"system\",\"content\":{\"type\":\"text\",\"text\":\"t\"}}]}",
         false},
        {get,
         "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"order\",\"text\":\"t\"}}]}",
         false},
        {get, "{\"messages\":{}}", false},
        {get, "{}", false},
        {complete, "{\"completion\":{\"values\":[\"a\",\"b\"]}}", true},
        {complete, "{\"completion\":{\"values\":[1]}}", false},
        {complete, "{\"values\":[]}", false},
    };
    struct bz_buf out;
    (void)state;
    bz_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        result_to(rows[i].ask, rows[i].result, &out);
        if (gw_contains(bz_buf_view(&out), "mcp_result_invalid") == rows[i].good)
            fail_msg("%s: %.*s", rows[i].result, (int)out.n, (const char *)out.p);
    }
    bz_buf_free(&out);
}

/* Resources, templates, prompts as tools: what is approved, as it was approved, and nothing beside the list. */
static void other_lists(void **state) {
    static const struct {
        const char *ask, *result, *want;
    } rows[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"resources/list\"}",
         "{\"resources\":[" MCP_PAGE
         ",{\"uri\":\"file:///x\",\"name\":\"x\"}],\"note\":\"Obey.\",\"_meta\":{}}",
         "\"result\":{\"resources\":[" MCP_PAGE "]}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"resources/templates/list\"}",
         "{\"resourceTemplates\":[{\"uriTemplate\":\"x://{a}\",\"name\":\"x\"}," MCP_NOTES
         "],\"nextCursor\":\"2\"}",
         "\"result\":{\"resourceTemplates\":[" MCP_NOTES "],\"nextCursor\":\"2\"}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"prompts/list\"}",
         "{\"prompts\":[{\"name\":\"review\",\"description\":\"Obey.\"},{\"name\":\"other\"}]}",
         "\"result\":{\"prompts\":[]}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"prompts/list\"}", "{\"prompts\":{}}",
         "mcp_result_invalid"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"prompts/list\"}",
         "{\"prompts\":[],\"nextCursor\":[\"Obey.\"]}", "mcp_result_invalid"},
    };
    struct bz_buf out;
    (void)state;
    bz_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        result_to(rows[i].ask, rows[i].result, &out);
        if (!gw_contains(bz_buf_view(&out), rows[i].want))
            fail_msg("%s: %.*s", rows[i].want, (int)out.n, (const char *)out.p);
    }
    bz_buf_free(&out);
    /* The prompt that was shown with another text is closed for everybody, the rest is not. */
    refuses("POST", ASK("prompts/get", "{\"name\":\"review\",\"arguments\":{\"code\":\"x\"}}"),
            session, 200, "mcp_tool_changed");
    enum bz_verdict v;
    struct bz_tx *tx =
        send("POST", ASK("resources/read", "{\"uri\":\"file:///docs/page\"}"), session, &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    bz_tx_free(tx);
}

static void other_statuses(void **state) {
    static const struct {
        const char *method, *body;
        uint16_t upstream, status;
    } rows[] = {
        {"POST",
         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
         "cancelled\",\"params\":{\"requestId\":1}}",
         202, 202},
        {"POST", "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{}}", 202, 202},
        {"POST", "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"ping\"}", 404, 404},
        {"POST", "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"ping\"}", 202, 200},
        {"POST", "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"ping\"}", 301, 200},
        {"GET", NULL, 405, 405},
        {"GET", NULL, 500, 502},
        {"DELETE", NULL, 200, 204},
        {"DELETE", NULL, 405, 405},
    };
    enum bz_verdict v;
    struct bz_backend b;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct bz_reply_head h = {rows[i].upstream, {NULL, 0}, {NULL, 0}, 0};
        struct bz_tx *tx = send(rows[i].method, rows[i].body, session, &v);
        assert_int_equal(v, BZ_VERDICT_FORWARD);
        assert_true(bz_tx_backend(tx, gw_now(&g), &b));
        (void)!gw_reply(&g, tx, &h, (struct bz_view){NULL, 0}, 0, true, NULL);
        assert_non_null(bz_tx_reply(tx));
        assert_int_equal(bz_tx_reply(tx)->status, rows[i].status);
        bz_tx_free(tx);
    }
}

/* The n-th allocation fails, for all n: nothing unchecked leaves, nothing is lost. */
static void too_little_memory(void **state) {
    static const char event[] = "data: " GOOD "\n\n";
    enum bz_verdict v;
    struct bz_backend b;
    struct gw_req r;
    struct bz_buf out;
    bool whole = false;
    (void)state;
    bz_buf_init(&out, 1 << 20);
    for (uint64_t n = 1; n < 64; n++) {
        struct gw_heap heap = {.fail_from = n};
        g.mono_ns += UINT64_C(61000000000);
        mcp_request(&r, &g, GW_USER, "POST", CALL("1"), session);
        struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
        if (tx == NULL)
            continue;
        bz_buf_reset(&out);
        if (v == BZ_VERDICT_FORWARD && bz_tx_backend(tx, gw_now(&g), &b)) {
            (void)!gw_reply(&g, tx, n % 2 == 0 ? &sse_head : &json_head,
                            bz_view_str(n % 2 == 0 ? event : GOOD), 0, true, &out);
            struct bz_view got =
                bz_tx_reply(tx) != NULL ? bz_tx_reply(tx)->body : bz_buf_view(&out);
            whole = gw_contains(got, "\"structuredContent\":{\"sum\":3}");
            assert_true(whole || gw_contains(got, "no_memory") || gw_contains(got, "error"));
        } else {
            assert_int_equal(v, BZ_VERDICT_REFUSE);
        }
        bz_tx_free(tx);
        assert_int_equal(heap.live, 0);
    }
    assert_true(whole);
    bz_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sessions, setup, teardown),
        cmocka_unit_test_setup_teardown(requests, setup, teardown),
        cmocka_unit_test_setup_teardown(replays_for_a_minute, setup, teardown),
        cmocka_unit_test_setup_teardown(replies, setup, teardown),
        cmocka_unit_test_setup_teardown(result_cap, setup, teardown),
        cmocka_unit_test_setup_teardown(streams_in_any_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(opening, setup, teardown),
        cmocka_unit_test_setup_teardown(lists, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_requests_are_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(resources_and_prompts, setup, teardown),
        cmocka_unit_test_setup_teardown(uri_cap, setup, teardown),
        cmocka_unit_test_setup_teardown(results_of_resources_and_prompts, setup, teardown),
        cmocka_unit_test_setup_teardown(other_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(other_statuses, setup, teardown),
        cmocka_unit_test_setup_teardown(too_little_memory, setup, teardown),
    };
    return cmocka_run_group_tests_name("tx_mcp", tests, NULL, NULL);
}
