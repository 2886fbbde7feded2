#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gw_fixture.h"

#define CHAT "/v1/chat/completions"
#define HI "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

struct head_case {
    const char *what;
    enum gw_key key;
    const char *method, *path, *body;
    uint16_t status; /* 0: goes through */
    const char *code;
    const char *add[6]; /* name, value, ... */
    const char *drop, *raw_path, *query, *host;
};

static void expect(struct gw *g, const struct head_case *c) {
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    gw_req_init(&r, g, c->key, c->method, c->path, c->body);
    if (c->drop != NULL)
        gw_req_drop(&r, c->drop);
    for (size_t i = 0; i + 1 < 6 && c->add[i] != NULL; i += 2)
        gw_req_header(&r, c->add[i], c->add[i + 1]);
    if (c->raw_path != NULL)
        r.head.raw_path = bz_view_str(c->raw_path);
    if (c->query != NULL)
        r.head.query = bz_view_str(c->query);
    if (c->host != NULL)
        r.head.host = bz_view_str(c->host);
    struct bz_tx *tx = gw_send(g, &r, gw_heap_alloc(&heap), &v);
    assert_non_null(tx);
    const struct bz_reply *reply = bz_tx_reply(tx);
    if (c->status == 0) {
        if (v == BZ_VERDICT_REFUSE || v == BZ_VERDICT_NONE)
            print_message("%s: refused with %u\n", c->what, reply != NULL ? reply->status : 0u);
        assert_true(v == BZ_VERDICT_FORWARD || v == BZ_VERDICT_ANSWER);
    } else {
        uint8_t mem[BZ_RECORD_MAX];
        struct bz_record rec;
        size_t n;
        if (v != BZ_VERDICT_REFUSE || reply->status != c->status)
            print_message("%s: verdict %d\n", c->what, (int)v);
        assert_int_equal(v, BZ_VERDICT_REFUSE);
        assert_int_equal(reply->status, c->status);
        assert_true(gw_record(g, tx, BZ_RECORD_REFUSED, mem, &rec, &n));
        if (!bz_view_eq(rec.reason, bz_view_str(c->code)))
            print_message("%s: %.*s\n", c->what, (int)rec.reason.n, (const char *)rec.reason.p);
        assert_true(bz_view_eq(rec.reason, bz_view_str(c->code)));
        assert_true(bz_view_eq(rec.decision, BZ_V("refuse")));
        assert_int_equal(rec.status, c->status);
        assert_null(bz_tx_forward(tx));
        assert_true(reply->body.n > 0);
        assert_false(gw_contains(bz_view(mem, n), GW_CANARY));
        assert_false(gw_contains(bz_view(mem, n), g->keys[GW_USER] + 16));
    }
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

static void edge_is_checked_before_the_key(void **state) {
    static const struct head_case cases[] = {
        {"plain", GW_USER, "POST", CHAT, HI, 0, NULL, {0}, 0, 0, 0, 0},
        {"host unknown",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         421,
         "host_not_served",
         {0},
         0,
         0,
         0,
         "evil.example"},
        {"host empty", GW_USER, "POST", CHAT, HI, 421, "host_not_served", {0}, 0, 0, 0, ""},
        {"host with path",
         GW_USER,
         "POST",
         CHAT,
         HI,
         421,
         "host_not_served",
         {0},
         0,
         0,
         0,
         "localhost/x"},
        {"host in capitals", GW_USER, "POST", CHAT, HI, 0, NULL, {0}, 0, 0, 0, "LOCALHOST"},
        {"two hosts",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "header_repeated",
         {"host", "localhost"},
         0,
         0,
         0,
         0},
        {"origin unknown",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         403,
         "origin_not_allowed",
         {"Origin", "https://evil.example"},
         0,
         0,
         0,
         0},
        {"origin null",
         GW_USER,
         "POST",
         CHAT,
         HI,
         403,
         "origin_not_allowed",
         {"Origin", "null"},
         0,
         0,
         0,
         0},
        {"origin known",
         GW_USER,
         "POST",
         CHAT,
         HI,
         0,
         NULL,
         {"Origin", "https://app.example"},
         0,
         0,
         0,
         0},
        {"two origins",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "header_repeated",
         {"Origin", "https://app.example", "origin", "https://evil.example"},
         0,
         0,
         0,
         0},
        {"upgrade",
         GW_KEYS,
         "GET",
         CHAT,
         NULL,
         400,
         "upgrade_not_allowed",
         {"Upgrade", "websocket"},
         0,
         0,
         0,
         0},
        {"connection upgrade",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "upgrade_not_allowed",
         {"Connection", "keep-alive , UPGRADE"},
         0,
         0,
         0,
         0},
        {"connection twice",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "upgrade_not_allowed",
         {"Connection", "keep-alive", "Connection", "upgrade"},
         0,
         0,
         0,
         0},
        {"connection plain",
         GW_USER,
         "POST",
         CHAT,
         HI,
         0,
         NULL,
         {"Connection", "keep-alive"},
         0,
         0,
         0,
         0},
        {"connect", GW_USER, "CONNECT", CHAT, NULL, 400, "upgrade_not_allowed", {0}, 0, 0, 0, 0},
    };
    EXPECT_ALL(cases);
}

static void smuggling_forms_are_refused(void **state) {
    static const struct head_case cases[] = {
        {"te gzip, chunked",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "transfer_encoding_not_supported",
         {"Transfer-Encoding", "gzip, chunked"},
         0,
         0,
         0,
         0},
        {"te xchunked",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "transfer_encoding_not_supported",
         {"Transfer-Encoding", "xchunked"},
         0,
         0,
         0,
         0},
        {"te twice",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "header_repeated",
         {"Transfer-Encoding", "chunked", "transfer-encoding", "identity"},
         0,
         0,
         0,
         0},
        {"te and length",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "length_ambiguous",
         {"Transfer-Encoding", "chunked", "Content-Length", "5"},
         0,
         0,
         0,
         0},
        {"two lengths",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "header_repeated",
         {"Content-Length", "5", "Content-Length", "6"},
         0,
         0,
         0,
         0},
        {"te trailers is harmless",
         GW_USER,
         "POST",
         CHAT,
         HI,
         0,
         NULL,
         {"TE", "trailers"},
         0,
         0,
         0,
         0},
        {"gzip body",
         GW_USER,
         "POST",
         CHAT,
         HI,
         415,
         "content_encoding_not_supported",
         {"Content-Encoding", "gzip"},
         0,
         0,
         0,
         0},
        {"gzip without key",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         415,
         "content_encoding_not_supported",
         {"Content-Encoding", "br"},
         0,
         0,
         0,
         0},
        {"identity body",
         GW_USER,
         "POST",
         CHAT,
         HI,
         0,
         NULL,
         {"Content-Encoding", "identity"},
         0,
         0,
         0,
         0},
        {"two types",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "header_repeated",
         {"Content-Type", "application/json"},
         0,
         0,
         0,
         0},
        {"no type",
         GW_USER,
         "POST",
         CHAT,
         HI,
         415,
         "content_type_not_supported",
         {0},
         "Content-Type",
         0,
         0,
         0},
        {"text",
         GW_USER,
         "POST",
         CHAT,
         HI,
         415,
         "content_type_not_supported",
         {"Content-Type", "text/plain"},
         "Content-Type",
         0,
         0,
         0},
        {"form",
         GW_USER,
         "POST",
         CHAT,
         HI,
         415,
         "content_type_not_supported",
         {"Content-Type", "application/x-www-form-urlencoded"},
         "Content-Type",
         0,
         0,
         0},
        {"latin",
         GW_USER,
         "POST",
         CHAT,
         HI,
         415,
         "content_type_not_supported",
         {"Content-Type", "application/json; charset=iso-8859-1"},
         "Content-Type",
         0,
         0,
         0},
        {"utf-16",
         GW_USER,
         "POST",
         CHAT,
         HI,
         415,
         "content_type_not_supported",
         {"Content-Type", "application/json;charset=\"utf-16\""},
         "Content-Type",
         0,
         0,
         0},
        {"utf-8",
         GW_USER,
         "POST",
         CHAT,
         HI,
         0,
         NULL,
         {"Content-Type", "Application/JSON ; Charset=\"UTF-8\""},
         "Content-Type",
         0,
         0,
         0},
        {"nothing in it", GW_USER, "POST", CHAT, "", 400, "body_missing", {0}, 0, 0, 0, 0},
        {"body on GET", GW_USER, "GET", "/v1/models", HI, 400, "body_not_allowed", {0}, 0, 0, 0, 0},
    };
    EXPECT_ALL(cases);
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
        struct head_case c = {paths[i][1],       GW_KEYS, paths[i][0], paths[i][1], NULL, 401,
                              "invalid_api_key", {0},     0,           0,           0,    0};
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
    struct head_case bad_host = {
        "health on a foreign host", GW_KEYS, "GET", "/health", NULL, 421,
        "host_not_served",          {0},     0,     0,         0,    "evil.example"};
    struct head_case query = {"health with a query", GW_KEYS, "GET", "/health", NULL,  400,
                              "query_not_allowed",   {0},     0,     0,         "x=1", 0};
    expect(&g, &bad_host);
    expect(&g, &query);
    gw_close(&g);
}

/* Every slot means the same: alone it works, two that differ are an error, the URL and cookies
 * never work. */
static void credential_slots(void **state) {
    struct gw g;
    assert_true(gw_open(&g, GW_LLAMA));
    char good[BZ_KEY_TEXT + 16] = "Bearer ", lower[BZ_KEY_TEXT + 16] = "bearer  ";
    char basic[BZ_KEY_TEXT + 16] = "Basic ", query[BZ_KEY_TEXT + 16] = "api_key=";
    char cookie[BZ_KEY_TEXT + 16] = "session=", flipped[BZ_KEY_TEXT + 1],
                              token[BZ_KEY_TEXT + 16] = "Token=";
    const char *k = g.keys[GW_USER], *other = g.keys[GW_ADMIN];
    memcpy(good + 7, k, BZ_KEY_TEXT);
    memcpy(lower + 8, k, BZ_KEY_TEXT);
    memcpy(basic + 6, k, BZ_KEY_TEXT);
    memcpy(query + 8, k, BZ_KEY_TEXT);
    memcpy(cookie + 8, k, BZ_KEY_TEXT);
    memcpy(token + 6, k, BZ_KEY_TEXT);
    memcpy(flipped, k, sizeof flipped);
    flipped[30] = flipped[30] == 'a' ? 'b' : 'a';
    const struct head_case cases[] = {
        {"none", GW_KEYS, "POST", CHAT, HI, 401, "invalid_api_key", {0}, 0, 0, 0, 0},
        {"bearer", GW_KEYS, "POST", CHAT, HI, 0, NULL, {"Authorization", good}, 0, 0, 0, 0},
        {"bearer in small letters",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         0,
         NULL,
         {"authorization", lower},
         0,
         0,
         0,
         0},
        {"x-api-key", GW_KEYS, "POST", CHAT, HI, 0, NULL, {"X-Api-Key", k}, 0, 0, 0, 0},
        {"api-key", GW_KEYS, "POST", CHAT, HI, 0, NULL, {"api-key", k}, 0, 0, 0, 0},
        {"basic",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         401,
         "invalid_api_key",
         {"Authorization", basic},
         0,
         0,
         0,
         0},
        {"key without scheme",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         401,
         "invalid_api_key",
         {"Authorization", k},
         0,
         0,
         0,
         0},
        {"bearer alone",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         401,
         "invalid_api_key",
         {"Authorization", "Bearer"},
         0,
         0,
         0,
         0},
        {"bearerKEY",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         401,
         "invalid_api_key",
         {"Authorization", "BearerX"},
         0,
         0,
         0,
         0},
        {"one letter off",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         401,
         "invalid_api_key",
         {"x-api-key", flipped},
         0,
         0,
         0,
         0},
        {"empty", GW_KEYS, "POST", CHAT, HI, 401, "invalid_api_key", {"x-api-key", ""}, 0, 0, 0, 0},
        {"query", GW_KEYS, "POST", CHAT, HI, 400, "credential_in_query", {0}, 0, 0, query, 0},
        {"query beside a good one",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "credential_in_query",
         {0},
         0,
         0,
         query,
         0},
        {"query, another name and case",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "credential_in_query",
         {0},
         0,
         0,
         token,
         0},
        {"query, second",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "credential_in_query",
         {0},
         0,
         0,
         "a=1&access_token",
         0},
        {"cookie",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         400,
         "credential_in_cookie",
         {"Cookie", cookie},
         0,
         0,
         0,
         0},
        {"any cookie beside a good key",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "credential_in_cookie",
         {"cookie", "a=b"},
         0,
         0,
         0,
         0},
        {"the same twice", GW_USER, "POST", CHAT, HI, 0, NULL, {"x-api-key", k}, 0, 0, 0, 0},
        {"the same in three",
         GW_USER,
         "POST",
         CHAT,
         HI,
         0,
         NULL,
         {"x-api-key", k, "api-key", k},
         0,
         0,
         0,
         0},
        {"two different",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "credential_conflict",
         {"x-api-key", other},
         0,
         0,
         0,
         0},
        {"two different, third place",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "credential_conflict",
         {"api-key", other},
         0,
         0,
         0,
         0},
        {"good and rubbish",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "credential_conflict",
         {"x-api-key", "sk-1"},
         0,
         0,
         0,
         0},
        {"good and empty",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "credential_conflict",
         {"x-api-key", ""},
         0,
         0,
         0,
         0},
        {"good and basic",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         400,
         "credential_conflict",
         {"Authorization", basic, "x-api-key", k},
         0,
         0,
         0,
         0},
        {"repeated header, same value",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "header_repeated",
         {"Authorization", good},
         0,
         0,
         0,
         0},
        {"repeated x-api-key",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         400,
         "header_repeated",
         {"x-api-key", k, "X-API-KEY", k},
         0,
         0,
         0,
         0},
        {"list in one header",
         GW_KEYS,
         "POST",
         CHAT,
         HI,
         401,
         "invalid_api_key",
         {"x-api-key", "sk-1, sk-2"},
         0,
         0,
         0,
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(&g, &cases[i]);
    char huge[BZ_CREDENTIAL_MAX + 200];
    memset(huge, 'b', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    const struct head_case too_long = {
        "huge", GW_KEYS, "POST", CHAT, HI, 401, "invalid_api_key", {"x-api-key", huge}, 0, 0, 0, 0};
    expect(&g, &too_long);
    gw_close(&g);
}

static void queries_and_paths(void **state) {
    static const char msg[] = "{\"model\":\"tiny\",\"max_tokens\":5,\"messages\":[{\"role\":"
                              "\"user\",\"content\":\"hi\"}]}";
    const struct head_case cases[] = {
        {"query", GW_USER, "POST", CHAT, HI, 400, "query_not_allowed", {0}, 0, 0, "a=1", 0},
        {"beta elsewhere",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "query_not_allowed",
         {0},
         0,
         0,
         "beta=true",
         0},
        {"beta", GW_USER, "POST", "/v1/messages", msg, 0, NULL, {0}, 0, 0, "beta=true", 0},
        {"beta and more",
         GW_USER,
         "POST",
         "/v1/messages",
         msg,
         400,
         "query_not_allowed",
         {0},
         0,
         0,
         "beta=true&x=1",
         0},
        {"beta, escaped",
         GW_USER,
         "POST",
         "/v1/messages",
         msg,
         400,
         "query_not_allowed",
         {0},
         0,
         0,
         "%62eta=true",
         0},
        {"ampersand",
         GW_USER,
         "POST",
         "/v1/messages",
         msg,
         400,
         "query_not_allowed",
         {0},
         0,
         0,
         "&",
         0},
        {"reload",
         GW_USER,
         "GET",
         "/v1/models",
         NULL,
         400,
         "query_not_allowed",
         {0},
         0,
         0,
         "reload=1",
         0},
        {"escaped",
         GW_USER,
         "POST",
         CHAT,
         HI,
         400,
         "path_not_canonical",
         {0},
         0,
         "/v1/%63hat/completions",
         0,
         0},
        {"dots",
         GW_USER,
         "GET",
         "/slots",
         NULL,
         400,
         "path_not_canonical",
         {0},
         0,
         "/v1/../slots",
         0,
         0},
        {"dots in both",
         GW_USER,
         "GET",
         "/v1/../slots",
         NULL,
         400,
         "path_not_canonical",
         {0},
         0,
         0,
         0,
         0},
        {"dot at the end",
         GW_USER,
         "GET",
         "/v1/.",
         NULL,
         400,
         "path_not_canonical",
         {0},
         0,
         0,
         0,
         0},
        {"slashes",
         GW_USER,
         "GET",
         "/v1//models",
         NULL,
         400,
         "path_not_canonical",
         {0},
         0,
         0,
         0,
         0},
        {"backslash",
         GW_USER,
         "GET",
         "/v1\\models",
         NULL,
         400,
         "path_not_canonical",
         {0},
         0,
         0,
         0,
         0},
        {"percent in both",
         GW_USER,
         "GET",
         "/v1/%models",
         NULL,
         400,
         "path_not_canonical",
         {0},
         0,
         0,
         0,
         0},
        {"semicolon",
         GW_USER,
         "GET",
         "/v1/models;a",
         NULL,
         400,
         "path_not_canonical",
         {0},
         0,
         0,
         0,
         0},
        {"star", GW_USER, "OPTIONS", "*", NULL, 400, "path_not_canonical", {0}, 0, 0, 0, 0},
        {"empty", GW_USER, "GET", "", NULL, 400, "path_not_canonical", {0}, 0, 0, 0, 0},
    };
    EXPECT_ALL(cases);
}

static void routes_by_role(void **state) {
    static const struct head_case cases[] = {
        {"unknown", GW_USER, "GET", "/nothing", NULL, 404, "route_unknown", {0}, 0, 0, 0, 0},
        {"slash at the end",
         GW_ADMIN,
         "GET",
         "/v1/models/",
         NULL,
         404,
         "route_unknown",
         {0},
         0,
         0,
         0,
         0},
        {"other capitals",
         GW_ADMIN,
         "GET",
         "/V1/Models",
         NULL,
         404,
         "route_unknown",
         {0},
         0,
         0,
         0,
         0},
        {"another server's",
         GW_USER,
         "GET",
         "/api/tags",
         NULL,
         404,
         "route_unknown",
         {0},
         0,
         0,
         0,
         0},
        {"method", GW_USER, "GET", CHAT, NULL, 405, "method_not_allowed", {0}, 0, 0, 0, 0},
        {"strange method", GW_USER, "BREW", CHAT, NULL, 405, "method_not_allowed", {0}, 0, 0, 0, 0},
        {"never", GW_USER, "POST", "/tools", NULL, 403, "route_blocked", {0}, 0, 0, 0, 0},
        {"never for admins too",
         GW_ADMIN,
         "POST",
         "/tools",
         NULL,
         403,
         "route_blocked",
         {0},
         0,
         0,
         0,
         0},
        {"admin's", GW_USER, "GET", "/slots", NULL, 403, "admin_only", {0}, 0, 0, 0, 0},
        {"admin", GW_ADMIN, "GET", "/slots", NULL, 0, NULL, {0}, 0, 0, 0, 0},
        {"narrow key, chat", GW_NARROW, "POST", CHAT, HI, 0, NULL, {0}, 0, 0, 0, 0},
        {"narrow key, embeddings",
         GW_NARROW,
         "POST",
         "/v1/embeddings",
         "{\"model\":\"tiny\",\"input\":\"a\"}",
         403,
         "route_not_allowed",
         {0},
         0,
         0,
         0,
         0},
        {"narrow key, admin route",
         GW_NARROW,
         "GET",
         "/slots",
         NULL,
         403,
         "admin_only",
         {0},
         0,
         0,
         0,
         0},
    };
    EXPECT_ALL(cases);
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
