#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../src/gateway/tx_int.h"
#include "gw_fixture.h"

#define CHAT "/v1/chat/completions"
#define MSG "\"messages\":[{\"role\":\"user\",\"content\":\"" GW_CANARY "\"}]"

struct record {
    uint8_t mem[BZ_RECORD_MAX];
    size_t n;
    struct bz_record r;
};

static void take(struct gw *g, struct bz_tx *tx, enum bz_record_kind kind, struct record *ret) {
    assert_true(gw_record(g, tx, kind, ret->mem, &ret->r, &ret->n));
    struct bz_buf json;
    bz_buf_init(&json, 1u << 16);
    bz_record_json(&ret->r, &json);
    for (int k = 0; k < GW_KEYS; k++) { /* the secret part of any key */
        assert_false(gw_contains(bz_view(ret->mem, ret->n), g->keys[k] + 3 + BZ_KEY_ID_TEXT + 1));
        assert_false(gw_contains(bz_buf_view(&json), g->keys[k] + 3 + BZ_KEY_ID_TEXT + 1));
    }
    assert_false(gw_contains(bz_view(ret->mem, ret->n), GW_CANARY));
    assert_false(gw_contains(bz_buf_view(&json), GW_CANARY));
    bz_buf_free(&json);
}

static void a_forwarded_request_has_two_records(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req q;
    enum bz_verdict v;
    struct bz_backend b;
    struct record rec;
    char id[BZ_REQUEST_ID_TEXT + 1];
    assert_true(gw_open(&g, GW_LLAMA));
    gw_req_init(&q, &g, GW_USER, "POST", CHAT, "{\"model\":\"assistant\"," MSG "}");
    struct bz_tx *tx = gw_send(&g, &q, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    take(&g, tx, BZ_RECORD_DECISION, &rec);
    assert_int_equal(rec.r.kind, BZ_RECORD_DECISION);
    assert_true(bz_view_eq(rec.r.decision, BZ_V("allow")));
    assert_true(bz_view_eq(rec.r.principal, BZ_V("alice")));
    assert_true(bz_view_eq(rec.r.role, BZ_V("user")));
    assert_true(bz_view_eq(rec.r.key_id, bz_view(g.keys[GW_USER] + 3, BZ_KEY_ID_TEXT)));
    assert_true(bz_view_eq(rec.r.method, BZ_V("POST")));
    assert_true(bz_view_eq(rec.r.route, BZ_V(CHAT)));
    assert_true(bz_view_eq(rec.r.model, BZ_V("assistant")));
    assert_true(bz_view_eq(rec.r.peer, BZ_V("127.0.0.1")));
    assert_int_equal(rec.r.status, 0);
    assert_int_equal(rec.r.generation, 1);
    assert_int_equal(rec.r.request_bytes, q.body.n);
    bz_request_id_text(rec.r.id, id);
    assert_true(bz_view_eq(bz_tx_id(tx), bz_view_str(id)));
    uint8_t digest[16], key[BZ_KEY_LEN];
    memset(key, 2, sizeof key); /* the fixture's digest key; nonce: the id's low half */
    bz_body_digest(key, g.next_id - 1, bz_tx_forward(tx)->body, digest);
    assert_memory_equal(rec.r.request_digest, digest, 16);
    assert_true(bz_tx_backend(tx, gw_now(&g), &b));
    g.mono_ns += 5000000;
    struct bz_reply_head h = {503, BZ_V("text/html"), {NULL, 0}, -1};
    struct bz_buf out;
    bz_buf_init(&out, 1000);
    (void)bz_tx_reply_head(tx, &h, gw_now(&g));
    g.mono_ns += 2000000;
    assert_int_equal(bz_tx_reply_end(tx, true, &out, gw_now(&g)), BZ_OK);
    take(&g, tx, BZ_RECORD_CLOSE, &rec);
    assert_true(bz_view_eq(rec.r.decision, BZ_V("allow")));
    assert_true(bz_view_eq(rec.r.reason, BZ_V("upstream_error")));
    assert_true(bz_view_eq(rec.r.backend, BZ_V("local")));
    assert_int_equal(rec.r.status, 503);
    assert_int_equal(rec.r.upstream_status, 503);
    assert_int_equal(rec.r.first_byte_us, 5000);
    assert_int_equal(rec.r.latency_us, 7000);
    bz_buf_free(&out);
    bz_tx_free(tx);
    gw_close(&g);
}

static void a_client_that_left_is_recorded(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req q;
    enum bz_verdict v;
    struct bz_buf b;
    uint8_t mem[BZ_RECORD_MAX];
    struct bz_record r;
    assert_true(gw_open(&g, GW_LLAMA));
    gw_req_init(&q, &g, GW_USER, "POST", CHAT, "{\"model\":\"tiny\"," MSG "}");
    struct bz_tx *tx = gw_send(&g, &q, gw_heap_alloc(&heap), &v);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_tx_record(tx, BZ_RECORD_CLOSE, 499, true, gw_now(&g), &b);
    assert_int_equal(bz_record_decode(bz_buf_view(&b), &r), BZ_OK);
    assert_true(bz_view_eq(r.reason, BZ_V("client_gone")));
    assert_int_equal(r.status, 499);
    bz_tx_free(tx);
    gw_close(&g);
}

static void answers_and_refusals(void **state) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req q;
    enum bz_verdict v;
    struct record rec;
    assert_true(gw_open(&g, GW_LLAMA));
    gw_req_init(&q, &g, GW_USER, "GET", "/v1/models", NULL);
    struct bz_tx *tx = gw_send(&g, &q, gw_heap_alloc(&heap), &v);
    take(&g, tx, BZ_RECORD_CLOSE, &rec);
    assert_true(bz_view_eq(rec.r.decision, BZ_V("allow")));
    assert_int_equal(rec.r.status, 200);
    bz_tx_free(tx);
    gw_req_init(&q, &g, GW_KEYS, "GET", "/v1/models/" GW_CANARY, NULL);
    tx = gw_send(&g, &q, gw_heap_alloc(&heap), &v);
    take(&g, tx, BZ_RECORD_REFUSED, &rec);
    assert_true(bz_view_eq(rec.r.decision, BZ_V("refuse")));
    assert_true(bz_view_eq(rec.r.reason, BZ_V("invalid_api_key")));
    assert_true(
        bz_view_eq(rec.r.route, BZ_V("/v1/models/{model}"))); /* the pattern, not the path */
    assert_int_equal(rec.r.principal.n, 0);
    assert_int_equal(rec.r.status, 401);
    bz_tx_free(tx);
    assert_int_equal(bz_tx_new(&g.env, gw_heap_alloc(&heap), gw_now(&g), 1, 5, &tx), BZ_OK);
    bz_tx_refuse(tx, 431, "header_too_large", "The headers are too large.");
    take(&g, tx, BZ_RECORD_REFUSED, &rec);
    assert_true(bz_view_eq(rec.r.method, BZ_V("?")));
    assert_true(bz_view_eq(rec.r.reason, BZ_V("header_too_large")));
    assert_int_equal(rec.r.status, 431);
    assert_int_equal(bz_tx_reply(tx)->status, 431);
    bz_tx_free(tx);
    assert_int_equal(heap.live, 0);
    gw_close(&g);
}

/* A marker in every place that a client fills: none of them reaches a record. */
static void nothing_a_client_wrote_is_recorded(void **state) {
    static const struct {
        const char *method, *path, *query, *host, *header, *value, *body;
    } cases[] = {
        {"POST", CHAT, "", "localhost", "X-" GW_CANARY, GW_CANARY, "{\"model\":\"tiny\"," MSG "}"},
        {"POST", CHAT, "", "localhost", "X-A", "b", "{\"model\":\"" GW_CANARY "\"," MSG "}"},
        {"POST", CHAT, "", "localhost", "X-A", "b",
         "{\"model\":\"tiny\",\"" GW_CANARY "\":1," MSG "}"},
        {"POST", CHAT, "", "localhost", "X-A", "b",
         "{\"model\":\"tiny\",\"stop\":[{\"" GW_CANARY "\":1}]," MSG "}"},
        {"POST", CHAT, "", "localhost", "X-A", "b",
         "{\"model\":\"tiny\",\"temperature\":\"" GW_CANARY "\"," MSG "}"},
        {"POST", CHAT, "", "localhost", "X-A", "b", "{\"model\":\"tiny\", " GW_CANARY "}"},
        {"POST", CHAT, "", "localhost", "X-A", "b",
         "{\"model\":\"tiny\",\"" GW_CANARY "\":1,\"" GW_CANARY "\":2}"},
        {"POST", CHAT, "a=" GW_CANARY, "localhost", "X-A", "b", "{}"},
        {"POST", CHAT, "token=" GW_CANARY, "localhost", "X-A", "b", "{}"},
        {"POST", CHAT, "", GW_CANARY, "X-A", "b", "{}"},
        {"POST", CHAT, "", "localhost", "Origin", GW_CANARY, "{}"},
        {"POST", CHAT, "", "localhost", "Cookie", GW_CANARY, "{}"},
        {"POST", CHAT, "", "localhost", "x-api-key", GW_CANARY, "{}"},
        {"POST", CHAT, "", "localhost", "Content-Encoding", GW_CANARY, "{}"},
        {"POST", CHAT, "", "localhost", "Transfer-Encoding", GW_CANARY, "{}"},
        {"POST", "/" GW_CANARY, "", "localhost", "X-A", "b", "{}"},
        {GW_CANARY, CHAT, "", "localhost", "X-A", "b", "{}"},
        {"GET", "/v1/models/" GW_CANARY, "", "localhost", "X-A", "b", NULL},
    };
    struct gw g;
    assert_true(gw_open(&g, GW_LLAMA));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gw_heap heap = {0};
        struct gw_req q;
        enum bz_verdict v;
        struct record rec;
        gw_req_init(&q, &g, GW_USER, cases[i].method, cases[i].path, cases[i].body);
        q.head.query = bz_view_str(cases[i].query);
        q.head.host = bz_view_str(cases[i].host);
        gw_req_header(&q, cases[i].header, cases[i].value);
        struct bz_tx *tx = gw_send(&g, &q, gw_heap_alloc(&heap), &v);
        assert_int_equal(v == BZ_VERDICT_FORWARD, i == 0);
        take(&g, tx, v == BZ_VERDICT_FORWARD ? BZ_RECORD_DECISION : BZ_RECORD_REFUSED, &rec);
        take(&g, tx, BZ_RECORD_CLOSE, &rec);
        bz_tx_free(tx);
    }
    gw_close(&g);
}

static void every_code_is_documented(void **state) {
    static const char *const codes[] = {
#define X(name, status, code, text) code,
        BZ_REFUSAL_TABLE(X)
#undef X
    };
    const char *root = getenv("BZ_SOURCE_ROOT");
    char path[1024], want[80];
    struct bz_buf doc;
    if (root == NULL)
        root = ".";
    assert_true(snprintf(path, sizeof path, "%s/docs/DECISIONS.md", root) < (int)sizeof path);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    bz_buf_init(&doc, 1u << 20);
    for (int c; (c = fgetc(f)) != EOF;)
        bz_buf_putc(&doc, (uint8_t)c);
    assert_int_equal(fclose(f), 0);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        (void)snprintf(want, sizeof want, "`%s`", codes[i]);
        if (!gw_contains(bz_buf_view(&doc), want))
            print_message("docs/DECISIONS.md lacks %s\n", want);
        assert_true(gw_contains(bz_buf_view(&doc), want));
    }
    bz_buf_free(&doc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forwarded_request_has_two_records),
        cmocka_unit_test(a_client_that_left_is_recorded),
        cmocka_unit_test(answers_and_refusals),
        cmocka_unit_test(nothing_a_client_wrote_is_recorded),
        cmocka_unit_test(every_code_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
