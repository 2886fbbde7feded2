#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gw_fixture.h"

#define CHAT "/v1/chat/completions"
#define HI "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

#define BETA                                                                                       \
    "{\"model\":\"tiny\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

/* In values and queries "<key>" stands for the user's key, "<other>" for another one that is good,
 * "<flipped>" for the user's with one letter changed. */
struct head_case {
    const char *what;
    enum gw_key key;                  /* GW_USER if it is not said */
    const char *method, *path, *body; /* a good chat if no method is said */
    uint16_t status;                  /* 0: goes through */
    const char *code;
    const char *add[6]; /* name, value, ... */
    const char *drop, *raw_path, *query, *host;
};

#define TEXT (BZ_CREDENTIAL_MAX + 200)

static const char *filled(const struct gw *g, const char *in, char out[TEXT]) {
    static const struct {
        const char *mark;
        enum gw_key key;
    } marks[] = {{"<key>", GW_USER}, {"<other>", GW_ADMIN}, {"<flipped>", GW_USER}};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const char *at = strstr(in, marks[i].mark);
        if (at == NULL)
            continue;
        int n = (int)(at - in);
        (void)snprintf(out, TEXT, "%.*s%s%s", n, in, g->keys[marks[i].key],
                       at + strlen(marks[i].mark));
        if (strcmp(marks[i].mark, "<flipped>") == 0)
            out[n + 30] = out[n + 30] == 'a' ? 'b' : 'a';
        return out;
    }
    return in;
}

static void passes(const struct head_case *c, const struct bz_reply *reply, enum bz_verdict v) {
    if (v != BZ_VERDICT_FORWARD && v != BZ_VERDICT_ANSWER)
        fail_msg("%s: refused with %u", c->what, reply != NULL ? reply->status : 0u);
}

static void refused(struct gw *g, const struct head_case *c, struct bz_tx *tx, enum bz_verdict v) {
    const struct bz_reply *reply = bz_tx_reply(tx);
    uint8_t mem[BZ_RECORD_MAX];
    struct bz_record rec;
    size_t n;
    if (v != BZ_VERDICT_REFUSE || reply->status != c->status)
        fail_msg("%s: verdict %d, %u", c->what, (int)v, reply != NULL ? reply->status : 0u);
    assert_true(gw_record(g, tx, BZ_RECORD_REFUSED, mem, &rec, &n));
    if (!bz_view_eq(rec.reason, bz_view_str(c->code)))
        fail_msg("%s: %.*s", c->what, (int)rec.reason.n, (const char *)rec.reason.p);
    assert_true(bz_view_eq(rec.decision, BZ_V("refuse")));
    assert_int_equal(rec.status, c->status);
    assert_null(bz_tx_forward(tx));
    assert_true(reply->body.n > 0);
    assert_false(gw_contains(bz_view(mem, n), GW_CANARY));
    assert_false(gw_contains(bz_view(mem, n), g->keys[GW_USER] + 16));
}

static void expect(struct gw *g, const struct head_case *c) {
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    char text[4][TEXT];
    if (c->method == NULL)
        gw_req_init(&r, g, c->key, "POST", CHAT, HI);
    else
        gw_req_init(&r, g, c->key, c->method, c->path, c->body);
    if (c->drop != NULL)
        gw_req_drop(&r, c->drop);
    for (size_t i = 0; i + 1 < 6 && c->add[i] != NULL; i += 2)
        gw_req_header(&r, c->add[i], filled(g, c->add[i + 1], text[i / 2]));
    if (c->raw_path != NULL)
        r.head.raw_path = bz_view_str(c->raw_path);
    if (c->query != NULL)
        r.head.query = bz_view_str(filled(g, c->query, text[3]));
    if (c->host != NULL)
        r.head.host = bz_view_str(c->host);
    struct bz_tx *tx = gw_send(g, &r, gw_heap_alloc(&heap), &v);
    assert_non_null(tx);
    if (c->status == 0)
        passes(c, bz_tx_reply(tx), v);
    else
        refused(g, c, tx, v);
    bz_tx_free(tx);
    assert_int_equal(heap.live, 0);
}

static void expect_all(const struct head_case *cases, size_t n) {
    struct gw g;
    assert_true(gw_open(&g, GW_LLAMA));
    for (size_t i = 0; i < n; i++)
        expect(&g, &cases[i]);
    gw_close(&g);
}
#define EXPECT_ALL(cases) expect_all(cases, sizeof(cases) / sizeof(cases)[0])

static const struct head_case edge[] = {
    {"plain", .status = 0},
    {"host unknown", .key = GW_KEYS, .status = 421, .code = "host_not_served",
     .host = "evil.example"},
    {"host empty", .status = 421, .code = "host_not_served", .host = ""},
    {"host with path", .status = 421, .code = "host_not_served", .host = "localhost/x"},
    {"host in capitals", .status = 0, .host = "LOCALHOST"},
    {"two hosts", .status = 400, .code = "header_repeated", .add = {"host", "localhost"}},
    {"origin unknown", .key = GW_KEYS, .status = 403, .code = "origin_not_allowed",
     .add = {"Origin", "https://evil.example"}},
    {"origin null", .status = 403, .code = "origin_not_allowed", .add = {"Origin", "null"}},
    {"origin known", .status = 0, .add = {"Origin", "https://app.example"}},
    {"two origins", .status = 400, .code = "header_repeated",
     .add = {"Origin", "https://app.example", "origin", "https://evil.example"}},
    {"upgrade", .key = GW_KEYS, .method = "GET", .path = CHAT, .status = 400,
     .code = "upgrade_not_allowed", .add = {"Upgrade", "websocket"}},
    {"connection upgrade", .status = 400, .code = "upgrade_not_allowed",
     .add = {"Connection", "keep-alive , UPGRADE"}},
    {"connection twice", .status = 400, .code = "upgrade_not_allowed",
     .add = {"Connection", "keep-alive", "Connection", "upgrade"}},
    {"connection plain", .status = 0, .add = {"Connection", "keep-alive"}},
    {"connect", .method = "CONNECT", .path = CHAT, .status = 400, .code = "upgrade_not_allowed"},
};

static void edge_is_checked_before_the_key(void **state) {
    EXPECT_ALL(edge);
}

static const struct head_case smuggling[] = {
    {"te gzip, chunked", .status = 400, .code = "transfer_encoding_not_supported",
     .add = {"Transfer-Encoding", "gzip, chunked"}},
    {"te xchunked", .status = 400, .code = "transfer_encoding_not_supported",
     .add = {"Transfer-Encoding", "xchunked"}},
    {"te twice", .status = 400, .code = "header_repeated",
     .add = {"Transfer-Encoding", "chunked", "transfer-encoding", "identity"}},
    {"te and length", .status = 400, .code = "length_ambiguous",
     .add = {"Transfer-Encoding", "chunked", "Content-Length", "5"}},
    {"two lengths", .status = 400, .code = "header_repeated",
     .add = {"Content-Length", "5", "Content-Length", "6"}},
    {"te trailers is harmless", .status = 0, .add = {"TE", "trailers"}},
    {"gzip body", .status = 415, .code = "content_encoding_not_supported",
     .add = {"Content-Encoding", "gzip"}},
    {"gzip without key", .key = GW_KEYS, .status = 415, .code = "content_encoding_not_supported",
     .add = {"Content-Encoding", "br"}},
    {"identity body", .status = 0, .add = {"Content-Encoding", "identity"}},
    {"two types", .status = 400, .code = "header_repeated",
     .add = {"Content-Type", "application/json"}},
    {"no type", .status = 415, .code = "content_type_not_supported", .drop = "Content-Type"},
    {"text", .status = 415, .code = "content_type_not_supported",
     .add = {"Content-Type", "text/plain"}, .drop = "Content-Type"},
    {"form", .status = 415, .code = "content_type_not_supported",
     .add = {"Content-Type", "application/x-www-form-urlencoded"}, .drop = "Content-Type"},
    {"latin", .status = 415, .code = "content_type_not_supported",
     .add = {"Content-Type", "application/json; charset=iso-8859-1"}, .drop = "Content-Type"},
    {"utf-16", .status = 415, .code = "content_type_not_supported",
     .add = {"Content-Type", "application/json;charset=\"utf-16\""}, .drop = "Content-Type"},
    {"utf-8", .status = 0, .add = {"Content-Type", "Application/JSON ; Charset=\"UTF-8\""},
     .drop = "Content-Type"},
    {"nothing in it", .method = "POST", .path = CHAT, .body = "", .status = 400,
     .code = "body_missing"},
    {"body on GET", .method = "GET", .path = "/v1/models", .body = HI, .status = 400,
     .code = "body_not_allowed"},
};

static void smuggling_forms_are_refused(void **state) {
    EXPECT_ALL(smuggling);
}

static void announced_length_above_the_cap_is_refused_before_reading(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    assert_true(gw_open(&g, GW_LLAMA));
    gw_req_init(&r, &g, GW_USER, "POST", CHAT, HI);
    r.head.content_length = (1 << 20) + 1;
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_REFUSE);
    assert_int_equal(bz_tx_reply(tx)->status, 413);
    assert_true(gw_contains(bz_tx_reply(tx)->body, "body_too_large"));
    assert_int_equal(bz_tx_body_max(tx), 1 << 20);
    bz_tx_free(tx);
    gw_close(&g);
}

static void without_a_key_no_route_shows(void **state) {
    static const char *const paths[][2] = {
        {"POST", CHAT},      {"GET", CHAT},         {"GET", "/slots"},    {"POST", "/tools"},
        {"GET", "/nothing"}, {"GET", "/v1/models"}, {"GET", "/"},         {"POST", "/health"},
        {"OPTIONS", CHAT},   {"GET", "/v1/health"}, {"HEAD", "/metrics"}, {"GET", "*"},
        {"GET", "/health/"},
    };
    struct gw g;
    assert_true(gw_open(&g, GW_LLAMA));
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct head_case c = {paths[i][1],         .key = GW_KEYS, .method = paths[i][0],
                              .path = paths[i][1], .status = 401,  .code = "invalid_api_key"};
        expect(&g, &c);
        c.key = GW_STRANGER;
        expect(&g, &c);
        c.key = GW_REVOKED;
        expect(&g, &c);
        c.key = GW_EXPIRED;
        expect(&g, &c);
        c.raw_path = "/%2e%2e/slots";
        expect(&g, &c);
    }
    gw_close(&g);
}

static void unauthorised_replies_say_how(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    assert_true(gw_open(&g, GW_LLAMA));
    gw_req_init(&r, &g, GW_KEYS, "POST", CHAT, HI);
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    const struct bz_reply *reply = bz_tx_reply(tx);
    assert_int_equal(reply->status, 401);
    assert_int_equal(reply->extra_n, 1);
    assert_true(bz_view_eq(reply->extra[0].name, BZ_V("WWW-Authenticate")));
    assert_true(bz_view_eq(reply->extra[0].value, BZ_V("Bearer")));
    assert_true(gw_contains(reply->body, "invalid_api_key"));
    bz_tx_free(tx);
    gw_close(&g);
}

static void liveness_needs_no_key(void **state) {
    static const enum gw_key keys[] = {GW_KEYS, GW_USER, GW_REVOKED, GW_STRANGER};
    struct gw g;
    assert_true(gw_open(&g, GW_LLAMA));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct gw_heap heap = {0};
        struct gw_req r;
        enum bz_verdict v;
        gw_req_init(&r, &g, keys[i], "GET", "/health", NULL);
        struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
        assert_int_equal(v, BZ_VERDICT_ANSWER);
        assert_true(bz_view_eq(bz_tx_reply(tx)->body, BZ_V("{\"status\":\"ok\"}")));
        assert_null(bz_tx_forward(tx));
        bz_tx_free(tx);
    }
    const struct head_case bad_host = {
        "health on a foreign host", .key = GW_KEYS, .method = "GET",
        .path = "/health",          .status = 421,  .code = "host_not_served",
        .host = "evil.example"};
    const struct head_case query = {"health with a query", .key = GW_KEYS,
                                    .method = "GET",       .path = "/health",
                                    .status = 400,         .code = "query_not_allowed",
                                    .query = "x=1"};
    expect(&g, &bad_host);
    expect(&g, &query);
    gw_close(&g);
}

/* Every slot means the same: alone it works, two that differ are an error, the URL and cookies
 * never work. */
static const struct head_case slots[] = {
    {"none", .key = GW_KEYS, .status = 401, .code = "invalid_api_key"},
    {"bearer", .key = GW_KEYS, .add = {"Authorization", "Bearer <key>"}},
    {"bearer in small letters", .key = GW_KEYS, .add = {"authorization", "bearer  <key>"}},
    {"x-api-key", .key = GW_KEYS, .add = {"X-Api-Key", "<key>"}},
    {"api-key", .key = GW_KEYS, .add = {"api-key", "<key>"}},
    {"basic", .key = GW_KEYS, .status = 401, .code = "invalid_api_key",
     .add = {"Authorization", "Basic <key>"}},
    {"key without scheme", .key = GW_KEYS, .status = 401, .code = "invalid_api_key",
     .add = {"Authorization", "<key>"}},
    {"bearer alone", .key = GW_KEYS, .status = 401, .code = "invalid_api_key",
     .add = {"Authorization", "Bearer"}},
    {"bearerKEY", .key = GW_KEYS, .status = 401, .code = "invalid_api_key",
     .add = {"Authorization", "BearerX"}},
    {"one letter off", .key = GW_KEYS, .status = 401, .code = "invalid_api_key",
     .add = {"x-api-key", "<flipped>"}},
    {"empty", .key = GW_KEYS, .status = 401, .code = "invalid_api_key", .add = {"x-api-key", ""}},
    {"query", .key = GW_KEYS, .status = 400, .code = "credential_in_query",
     .query = "api_key=<key>"},
    {"query beside a good one", .status = 400, .code = "credential_in_query",
     .query = "api_key=<key>"},
    {"query, another name and case", .status = 400, .code = "credential_in_query",
     .query = "Token=<key>"},
    {"query, second", .status = 400, .code = "credential_in_query", .query = "a=1&access_token"},
    {"cookie", .key = GW_KEYS, .status = 400, .code = "credential_in_cookie",
     .add = {"Cookie", "session=<key>"}},
    {"any cookie beside a good key", .status = 400, .code = "credential_in_cookie",
     .add = {"cookie", "a=b"}},
    {"the same twice", .status = 0, .add = {"x-api-key", "<key>"}},
    {"the same in three", .status = 0, .add = {"x-api-key", "<key>", "api-key", "<key>"}},
    {"two different", .status = 400, .code = "credential_conflict",
     .add = {"x-api-key", "<other>"}},
    {"two different, third place", .status = 400, .code = "credential_conflict",
     .add = {"api-key", "<other>"}},
    {"good and rubbish", .status = 400, .code = "credential_conflict",
     .add = {"x-api-key", "sk-1"}},
    {"good and empty", .status = 400, .code = "credential_conflict", .add = {"x-api-key", ""}},
    {"good and basic", .key = GW_KEYS, .status = 400, .code = "credential_conflict",
     .add = {"Authorization", "Basic <key>", "x-api-key", "<key>"}},
    {"repeated header, same value", .status = 400, .code = "header_repeated",
     .add = {"Authorization", "Bearer <key>"}},
    {"repeated x-api-key", .key = GW_KEYS, .status = 400, .code = "header_repeated",
     .add = {"x-api-key", "<key>", "X-API-KEY", "<key>"}},
    {"list in one header", .key = GW_KEYS, .status = 401, .code = "invalid_api_key",
     .add = {"x-api-key", "sk-1, sk-2"}},
};

static void credential_slots(void **state) {
    char huge[BZ_CREDENTIAL_MAX + 200];
    memset(huge, 'b', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    const struct head_case too_long = {"huge", .key = GW_KEYS, .status = 401,
                                       .code = "invalid_api_key", .add = {"x-api-key", huge}};
    EXPECT_ALL(slots);
    expect_all(&too_long, 1);
}

static const struct head_case queries[] = {
    {"query", .status = 400, .code = "query_not_allowed", .query = "a=1"},
    {"beta elsewhere", .status = 400, .code = "query_not_allowed", .query = "beta=true"},
    {"beta", .method = "POST", .path = "/v1/messages", .body = BETA, .query = "beta=true"},
    {"beta and more", .method = "POST", .path = "/v1/messages", .body = BETA, .status = 400,
     .code = "query_not_allowed", .query = "beta=true&x=1"},
    {"beta, escaped", .method = "POST", .path = "/v1/messages", .body = BETA, .status = 400,
     .code = "query_not_allowed", .query = "%62eta=true"},
    {"ampersand", .method = "POST", .path = "/v1/messages", .body = BETA, .status = 400,
     .code = "query_not_allowed", .query = "&"},
    {"reload", .method = "GET", .path = "/v1/models", .status = 400, .code = "query_not_allowed",
     .query = "reload=1"},
    {"escaped", .status = 400, .code = "path_not_canonical", .raw_path = "/v1/%63hat/completions"},
    {"dots", .method = "GET", .path = "/slots", .status = 400, .code = "path_not_canonical",
     .raw_path = "/v1/../slots"},
    {"dots in both", .method = "GET", .path = "/v1/../slots", .status = 400,
     .code = "path_not_canonical"},
    {"dot at the end", .method = "GET", .path = "/v1/.", .status = 400,
     .code = "path_not_canonical"},
    {"slashes", .method = "GET", .path = "/v1//models", .status = 400,
     .code = "path_not_canonical"},
    {"backslash", .method = "GET", .path = "/v1\\models", .status = 400,
     .code = "path_not_canonical"},
    {"percent in both", .method = "GET", .path = "/v1/%models", .status = 400,
     .code = "path_not_canonical"},
    {"semicolon", .method = "GET", .path = "/v1/models;a", .status = 400,
     .code = "path_not_canonical"},
    {"star", .method = "OPTIONS", .path = "*", .status = 400, .code = "path_not_canonical"},
    {"empty", .method = "GET", .path = "", .status = 400, .code = "path_not_canonical"},
};

static void queries_and_paths(void **state) {
    EXPECT_ALL(queries);
}

static const struct head_case roles[] = {
    {"unknown", .method = "GET", .path = "/nothing", .status = 404, .code = "route_unknown"},
    {"slash at the end", .key = GW_ADMIN, .method = "GET", .path = "/v1/models/", .status = 404,
     .code = "route_unknown"},
    {"other capitals", .key = GW_ADMIN, .method = "GET", .path = "/V1/Models", .status = 404,
     .code = "route_unknown"},
    {"another server's", .method = "GET", .path = "/api/tags", .status = 404,
     .code = "route_unknown"},
    {"method", .method = "GET", .path = CHAT, .status = 405, .code = "method_not_allowed"},
    {"strange method", .method = "BREW", .path = CHAT, .status = 405, .code = "method_not_allowed"},
    {"never", .method = "POST", .path = "/tools", .status = 403, .code = "route_blocked"},
    {"never for admins too", .key = GW_ADMIN, .method = "POST", .path = "/tools", .status = 403,
     .code = "route_blocked"},
    {"admin's", .method = "GET", .path = "/slots", .status = 403, .code = "admin_only"},
    {"admin", .key = GW_ADMIN, .method = "GET", .path = "/slots"},
    {"narrow key, chat", .key = GW_NARROW},
    {"narrow key, embeddings", .key = GW_NARROW, .method = "POST", .path = "/v1/embeddings",
     .body = "{\"model\":\"tiny\",\"input\":\"a\"}", .status = 403, .code = "route_not_allowed"},
    {"narrow key, admin route", .key = GW_NARROW, .method = "GET", .path = "/slots", .status = 403,
     .code = "admin_only"},
};

static void routes_by_role(void **state) {
    EXPECT_ALL(roles);
}

static void wrong_method_names_the_right_ones(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    assert_true(gw_open(&g, GW_LLAMA));
    gw_req_init(&r, &g, GW_USER, "PUT", "/lora-adapters", NULL);
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    const struct bz_reply *reply = bz_tx_reply(tx);
    assert_int_equal(reply->status, 405);
    assert_int_equal(reply->extra_n, 1);
    assert_true(bz_view_eq(reply->extra[0].name, BZ_V("Allow")));
    assert_true(bz_view_eq(reply->extra[0].value, BZ_V("GET, POST")));
    bz_tx_free(tx);
    gw_close(&g);
}

static bool has(const struct bz_header *h, size_t n, const char *name, const char *value) {
    for (size_t i = 0; i < n; i++)
        if (bz_view_eq_nocase(h[i].name, bz_view_str(name)))
            return value == NULL || bz_view_eq(h[i].value, bz_view_str(value));
    return false;
}

static void every_reply_carries_the_house_headers(void **state) {
    struct gw g;
    assert_true(gw_open(&g, GW_LLAMA));
    for (int tls = 0; tls < 2; tls++) {
        struct gw_heap heap = {0};
        struct gw_req r;
        enum bz_verdict v;
        struct bz_header h[10];
        gw_req_init(&r, &g, GW_KEYS, "GET", "/nothing", NULL);
        r.head.tls = tls == 1;
        struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
        size_t n = bz_tx_headers(tx, h, 10);
        assert_true(has(h, n, "x-content-type-options", "nosniff"));
        assert_true(has(h, n, "cache-control", "no-store"));
        assert_int_equal(has(h, n, "strict-transport-security", NULL), tls);
        assert_int_equal(h[0].value.n, BZ_REQUEST_ID_TEXT);
        assert_true(bz_view_eq(h[0].value, bz_tx_id(tx)));
        assert_int_equal(bz_tx_headers(tx, h, 2), 2);
        bz_tx_free(tx);
    }
    gw_close(&g);
}

/* Calls out of order never end in FORWARD. */
static void wrong_order_is_refused(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct bz_tx *tx = NULL;
    struct gw_req r;
    struct bz_backend b;
    assert_true(gw_open(&g, GW_LLAMA));
    assert_int_equal(bz_tx_new(&g.env, gw_heap_alloc(&heap), gw_now(&g), 1, 2, &tx), BZ_OK);
    assert_null(bz_tx_reply(tx));
    assert_null(bz_tx_forward(tx));
    assert_false(bz_tx_backend(tx, gw_now(&g), &b));
    assert_int_equal(bz_tx_body(tx, BZ_V(HI), gw_now(&g)), BZ_VERDICT_REFUSE);
    assert_int_equal(bz_tx_reply(tx)->status, 500);
    assert_true(gw_contains(bz_tx_reply(tx)->body, "internal_error"));
    gw_req_init(&r, &g, GW_USER, "POST", CHAT, HI);
    assert_int_equal(bz_tx_begin(tx, &r.head), BZ_VERDICT_REFUSE);
    assert_null(bz_tx_forward(tx));
    bz_tx_free(tx);
    assert_int_equal(bz_tx_new(&g.env, gw_heap_alloc(&heap), gw_now(&g), 1, 3, &tx), BZ_OK);
    assert_int_equal(bz_tx_begin(tx, &r.head), BZ_VERDICT_BODY);
    assert_null(bz_tx_forward(tx));
    assert_false(bz_tx_backend(tx, gw_now(&g), &b));
    bz_tx_close(tx, gw_now(&g));
    assert_int_equal(bz_tx_body(tx, BZ_V(HI), gw_now(&g)), BZ_VERDICT_REFUSE);
    bz_tx_free(tx);
    assert_int_equal(heap.live, 0);
    gw_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edge_is_checked_before_the_key),
        cmocka_unit_test(smuggling_forms_are_refused),
        cmocka_unit_test(announced_length_above_the_cap_is_refused_before_reading),
        cmocka_unit_test(without_a_key_no_route_shows),
        cmocka_unit_test(unauthorised_replies_say_how),
        cmocka_unit_test(liveness_needs_no_key),
        cmocka_unit_test(credential_slots),
        cmocka_unit_test(queries_and_paths),
        cmocka_unit_test(routes_by_role),
        cmocka_unit_test(wrong_method_names_the_right_ones),
        cmocka_unit_test(every_reply_carries_the_house_headers),
        cmocka_unit_test(wrong_order_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
