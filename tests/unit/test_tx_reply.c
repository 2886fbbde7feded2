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
#define ASK(model) "{\"model\":\"" model "\"," MSG "}"
#define ASK_STREAM(model) "{\"model\":\"" model "\",\"stream\":true," MSG "}"
#define JSON_HEAD                                                                                  \
    { 200, BZ_V("application/json"), {NULL, 0}, -1 }
#define SSE_HEAD                                                                                   \
    { 200, BZ_V("text/event-stream; charset=utf-8"), {NULL, 0}, -1 }

#define CHAT_REPLY                                                                                 \
    "{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"big.gguf\","          \
    "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"h\\u00e9 "        \
    "big.gguf\"},\"finish_reason\":\"stop\"}], "                                                   \
    "\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7,\"total_tokens\":18}}"
#define CHUNK(text)                                                                                \
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"tiny\","  \
    "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"},\"finish_reason\":null}]}\n\n"
#define CHUNK_END                                                                                  \
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"tiny\","  \
    "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE "data: [DONE]\n\n"

struct setup {
    struct gw g;
    struct gw_heap heap;
    struct bz_tx *tx;
    struct bz_buf out;
};

static struct gw instances[GW_SETUP_COUNT]; /* opened once: each has its own shared state */

static void begin_on(struct setup *s, enum gw_setup setup, enum gw_key key, const char *path,
                     const char *body) {
    struct gw_req r;
    enum bz_verdict v;
    struct bz_backend b;
    memset(s, 0, sizeof *s);
    if (instances[setup].state_mem == NULL)
        assert_true(gw_open(&instances[setup], setup));
    s->g = instances[setup];
    gw_req_init(&r, &s->g, key, body != NULL ? "POST" : "GET", path, body);
    s->tx = gw_send(&s->g, &r, gw_heap_alloc(&s->heap), &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    assert_true(bz_tx_backend(s->tx, gw_now(&s->g), &b));
    bz_tx_drop_body(s->tx);
    bz_buf_init(&s->out, 4u << 20);
}

static void begin(struct setup *s, const char *body) {
    begin_on(s, GW_LLAMA, GW_USER, CHAT, body);
}

static void end(struct setup *s) {
    bz_tx_free(s->tx);
    assert_int_equal(s->heap.live, 0);
    bz_buf_free(&s->out);
}

static struct bz_record closing(struct setup *s, uint8_t mem[BZ_RECORD_MAX]) {
    struct bz_record r;
    size_t n;
    assert_true(gw_record(&s->g, s->tx, BZ_RECORD_CLOSE, mem, &r, &n));
    assert_false(gw_contains(bz_view(mem, n), GW_CANARY));
    return r;
}

static void collected_replies_are_canonical(void **state) {
    for (size_t cut = 0; cut < sizeof CHAT_REPLY; cut++) {
        struct setup s;
        uint8_t mem[BZ_RECORD_MAX], none[16] = {0};
        begin(&s, ASK("big"));
        struct bz_reply_head h = JSON_HEAD;
        if (cut % 2 == 0)
            h.content_length = sizeof CHAT_REPLY - 1;
        assert_int_equal(gw_reply(&s.g, s.tx, &h, BZ_V(CHAT_REPLY), cut, true, &s.out), BZ_OK);
        const struct bz_reply *r = bz_tx_reply(s.tx);
        assert_int_equal(r->status, 200);
        assert_true(bz_view_eq(
            r->body,
            BZ_V("{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"big\","
                 "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                 "\"h\xc3\xa9 big.gguf\"},\"finish_reason\":\"stop\"}],"
                 "\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7,\"total_tokens\":18}}")));
        assert_true(bz_view_eq(r->content_type, BZ_V("application/json")));
        assert_int_equal(s.out.n, 0);
        assert_true(s.heap.bytes_peak < 32768); /* many small pieces do not make it grow */
        struct bz_record rec = closing(&s, mem);
        assert_int_equal(rec.status, 200);
        assert_int_equal(rec.upstream_status, 200);
        assert_true(rec.usage_known);
        assert_int_equal(rec.prompt_tokens, 11);
        assert_int_equal(rec.completion_tokens, 7);
        assert_int_equal(rec.reply_bytes, r->body.n);
        assert_memory_not_equal(rec.reply_digest, none, 16);
        assert_memory_not_equal(rec.request_digest, none, 16);
        assert_true(bz_view_eq(rec.decision, BZ_V("allow")));
        assert_true(bz_view_eq(rec.backend, BZ_V("local")));
        end(&s);
    }
}

struct head_case {
    const char *what, *ask;
    uint16_t status;
    const char *type, *encoding;
    int64_t length;
    bool fine;
};

static void heads_that_cannot_be_checked_are_errors(void **state) {
    static const struct head_case cases[] = {
        {"plain", ASK("tiny"), 200, "application/json", "", -1, true},
        {"charset", ASK("tiny"), 200, "Application/JSON ; charset=utf-8", "", -1, true},
        {"identity", ASK("tiny"), 200, "application/json", "Identity", -1, true},
        {"gzip", ASK("tiny"), 200, "application/json", "gzip", -1, false},
        {"two encodings", ASK("tiny"), 200, "application/json", "identity, gzip", -1, false},
        {"gzip stream", ASK_STREAM("tiny"), 200, "text/event-stream", "br", -1, false},
        {"gzip error", ASK("tiny"), 500, "application/json", "gzip", -1, false},
        {"no type", ASK("tiny"), 200, "", "", -1, false},
        {"html", ASK("tiny"), 200, "text/html", "", -1, false},
        {"text", ASK("tiny"), 200, "text/plain", "", -1, false},
        {"stream unasked", ASK("tiny"), 200, "text/event-stream", "", -1, false},
        {"lines unasked", ASK("tiny"), 200, "application/x-ndjson", "", -1, false},
        {"no stream though asked", ASK_STREAM("tiny"), 200, "application/json", "", -1, false},
        {"other stream", ASK_STREAM("tiny"), 200, "application/x-ndjson", "", -1, false},
        {"stream with another status", ASK_STREAM("tiny"), 201, "text/event-stream", "", -1, false},
        {"created", ASK("tiny"), 201, "application/json", "", -1, false},
        {"accepted", ASK("tiny"), 202, "application/json", "", -1, false},
        {"no content", ASK("tiny"), 204, "", "", -1, false},
        {"no content of a stream", ASK_STREAM("tiny"), 204, "", "", -1, false},
        {"continue", ASK("tiny"), 100, "application/json", "", -1, false},
        {"switching", ASK("tiny"), 101, "application/json", "", -1, false},
        {"redirect", ASK("tiny"), 302, "application/json", "", -1, false},
        {"not modified", ASK("tiny"), 304, "application/json", "", -1, false},
        {"partial", ASK("tiny"), 206, "application/json", "", -1, false},
        {"zero", ASK("tiny"), 0, "application/json", "", -1, false},
        {"huge status", ASK("tiny"), 999, "application/json", "", -1, false},
        {"announced too large", ASK("tiny"), 200, "application/json", "", (int64_t)BZ_REPLY_MAX + 1,
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct head_case *c = &cases[i];
        struct setup s;
        begin(&s, c->ask);
        struct bz_reply_head h = {c->status, bz_view_str(c->type), bz_view_str(c->encoding),
                                  c->length};
        enum bz_reply_mode mode = bz_tx_reply_head(s.tx, &h, gw_now(&s.g));
        assert_int_equal(mode, BZ_REPLY_COLLECT);
        if ((bz_tx_reply(s.tx) == NULL) != c->fine)
            print_message("%s\n", c->what);
        assert_int_equal(bz_tx_reply(s.tx) == NULL, c->fine);
        if (!c->fine) {
            uint8_t mem[BZ_RECORD_MAX];
            assert_int_equal(bz_tx_reply(s.tx)->status, 502);
            assert_int_equal(bz_tx_reply_feed(s.tx, BZ_V(GW_CANARY), &s.out, gw_now(&s.g)), BZ_OK);
            assert_int_equal(bz_tx_reply_end(s.tx, true, &s.out, gw_now(&s.g)), BZ_OK);
            assert_int_equal(bz_tx_reply(s.tx)->status, 502);
            assert_int_equal(s.out.n, 0);
            assert_false(gw_contains(bz_tx_reply(s.tx)->body, GW_CANARY));
            struct bz_record rec = closing(&s, mem);
            assert_int_equal(rec.upstream_status, c->status);
            assert_true(bz_view_eq(rec.reason, c->length > 0 ? BZ_V("upstream_too_large")
                                                             : BZ_V("upstream_error")));
        }
        end(&s);
    }
}

static void malformed_replies_are_withheld(void **state) {
    static const char *const bodies[] = {
        "",
        "{",
        "null",
        "[]",
        "{}",
        "\"" GW_CANARY "\"",
        "{\"" GW_CANARY "\":1}",
        CHAT_REPLY "x",
        CHAT_REPLY CHAT_REPLY,
        "{\"object\":\"chat.completion\",\"object\":\"" GW_CANARY "\",\"choices\":[]}",
        "{\"object\":\"chat.completion\",\"choices\":[],\"x\":\"\xff\"}",
        "{\"object\":\"chat.completion\",\"choices\":[],\"x\":NaN}",
        "<html>" GW_CANARY "</html>",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct setup s;
        uint8_t mem[BZ_RECORD_MAX];
        begin(&s, ASK("tiny"));
        struct bz_reply_head h = JSON_HEAD;
        (void)gw_reply(&s.g, s.tx, &h, bz_view_str(bodies[i]), 3, true, &s.out);
        if (bz_tx_reply(s.tx)->status != 502)
            print_message("%s\n", bodies[i]);
        assert_int_equal(bz_tx_reply(s.tx)->status, 502);
        assert_true(gw_contains(bz_tx_reply(s.tx)->body, "upstream_malformed"));
        assert_false(gw_contains(bz_tx_reply(s.tx)->body, GW_CANARY));
        assert_true(bz_view_eq(closing(&s, mem).reason, BZ_V("upstream_malformed")));
        end(&s);
    }
}

static void wrong_lengths_are_errors(void **state) {
    static const struct {
        int64_t off;
        bool clean;
        const char *code;
    } cases[] = {
        {1, true, "upstream_truncated"},      {1, false, "upstream_truncated"},
        {0, false, "upstream_truncated"},     {-1, true, "upstream_malformed"},
        {100000, true, "upstream_truncated"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct setup s;
        uint8_t mem[BZ_RECORD_MAX];
        begin(&s, ASK("big"));
        struct bz_reply_head h = JSON_HEAD;
        h.content_length = (int64_t)(sizeof CHAT_REPLY - 1) + cases[i].off;
        (void)gw_reply(&s.g, s.tx, &h, BZ_V(CHAT_REPLY), 7, cases[i].clean, &s.out);
        assert_int_equal(bz_tx_reply(s.tx)->status, 502);
        assert_true(bz_view_eq(closing(&s, mem).reason, bz_view_str(cases[i].code)));
        end(&s);
    }
}

#define UPSTREAM_ERROR                                                                             \
    "{\"error\":{\"code\":400,\"message\":\"bad prompt: " GW_CANARY                                \
    "\",\"type\":\"invalid_request_error\"}}"

static void upstream_errors_are_replaced(void **state) {
    static const struct {
        const char *path, *ask;
        enum gw_setup setup;
    } dialects[] = {
        {CHAT, ASK("tiny"), GW_LLAMA},
        {CHAT, ASK_STREAM("tiny"), GW_LLAMA},
        {"/v1/messages", "{\"model\":\"tiny\",\"max_tokens\":5," MSG "}", GW_LLAMA},
        {"/completion", "{\"model\":\"tiny\",\"prompt\":\"hi\"}", GW_LLAMA},
        {"/api/chat", ASK("llama3"), GW_OLLAMA},
    };
    static const uint16_t statuses[][2] = {{400, 400}, {401, 502}, {403, 502}, {404, 404},
                                           {418, 400}, {429, 429}, {500, 502}, {501, 501},
                                           {503, 503}, {599, 502}};
    for (size_t d = 0; d < sizeof dialects / sizeof dialects[0]; d++) {
        for (size_t i = 0; i < 2 * (sizeof statuses / sizeof statuses[0]); i++) {
            const uint16_t *st = statuses[i / 2];
            struct setup s;
            uint8_t mem[BZ_RECORD_MAX];
            begin_on(&s, dialects[d].setup, GW_USER, dialects[d].path, dialects[d].ask);
            struct bz_reply_head h = JSON_HEAD;
            h.status = st[0];
            h.content_length = 5; /* wrong, and of no interest */
            struct bz_view body = i % 2 == 0 ? BZ_V(UPSTREAM_ERROR) : BZ_V("<h1>" GW_CANARY);
            (void)gw_reply(&s.g, s.tx, &h, body, 9, i % 3 != 0, &s.out);
            const struct bz_reply *r = bz_tx_reply(s.tx);
            assert_non_null(r);
            if (r->status != st[1])
                print_message("%s: %u became %u\n", dialects[d].path, st[0], r->status);
            assert_int_equal(r->status, st[1]);
            assert_false(gw_contains(r->body, GW_CANARY));
            assert_true(r->body.n > 0 && r->body.p[0] == '{');
            if (st[1] == 429 || st[1] == 503)
                assert_true(bz_view_eq(r->extra[0].name, BZ_V("Retry-After")));
            struct bz_record rec = closing(&s, mem);
            assert_int_equal(rec.upstream_status, st[0]);
            assert_int_equal(rec.status, st[1]);
            assert_true(bz_view_eq(rec.reason, BZ_V("upstream_error")));
            end(&s);
        }
    }
}

static void huge_error_bodies_are_not_kept(void **state) {
    struct setup s;
    char block[4096];
    memset(block, 'a', sizeof block);
    begin(&s, ASK("tiny"));
    struct bz_reply_head h = JSON_HEAD;
    h.status = 500;
    (void)bz_tx_reply_head(s.tx, &h, gw_now(&s.g));
    for (int i = 0; i < 100; i++)
        assert_int_equal(bz_tx_reply_feed(s.tx, bz_view(block, sizeof block), &s.out, gw_now(&s.g)),
                         BZ_OK);
    assert_true(s.heap.bytes_peak < 3 * BZ_REPLY_ERROR_MAX);
    assert_int_equal(bz_tx_reply_end(s.tx, true, &s.out, gw_now(&s.g)), BZ_OK);
    assert_int_equal(bz_tx_reply(s.tx)->status, 502);
    end(&s);
}

#define STREAM CHUNK("a") CHUNK("b\\u00e9") ": ping\n\n" CHUNK("\xf0\x9f\x98\x80") CHUNK_END DONE

static void streams_pass_the_same_for_every_cut(void **state) {
    struct bz_view whole = {NULL, 0};
    uint8_t first[4096];
    for (size_t cut = 0; cut <= sizeof STREAM; cut++) {
        struct setup s;
        uint8_t mem[BZ_RECORD_MAX];
        begin(&s, ASK_STREAM("tiny"));
        assert_true(bz_view_eq(bz_tx_forward(s.tx)->accept, BZ_V("text/event-stream")));
        struct bz_reply_head h = SSE_HEAD;
        assert_int_equal(gw_reply(&s.g, s.tx, &h, BZ_V(STREAM), cut, true, &s.out), BZ_OK);
        assert_null(bz_tx_reply(s.tx));
        assert_true(bz_view_eq(bz_tx_stream_type(s.tx), BZ_V("text/event-stream")));
        if (cut == 0) {
            assert_true(s.out.n <= sizeof first);
            memcpy(first, s.out.p, s.out.n);
            whole = bz_view(first, s.out.n);
            assert_true(gw_contains(whole, "[DONE]"));
            assert_true(gw_contains(whole, "\"delta\":{\"content\":\"a\"}"));
        }
        assert_true(bz_view_eq(bz_buf_view(&s.out), whole));
        struct bz_record rec = closing(&s, mem);
        assert_true(rec.stream);
        assert_int_equal(rec.status, 200);
        assert_int_equal(rec.reply_bytes, whole.n);
        assert_true(rec.events >= 4);
        assert_int_equal(rec.reason.n, 0);
        end(&s);
    }
}

static void an_event_leaves_as_soon_as_it_is_whole(void **state) {
    struct setup s;
    begin(&s, ASK_STREAM("tiny"));
    struct bz_reply_head h = SSE_HEAD;
    assert_int_equal(bz_tx_reply_head(s.tx, &h, gw_now(&s.g)), BZ_REPLY_STREAM);
    assert_int_equal(bz_tx_reply_feed(s.tx, BZ_V(CHUNK("a")), &s.out, gw_now(&s.g)), BZ_OK);
    assert_true(s.out.n >= sizeof CHUNK("a") - 1);
    end(&s); /* the client went away: no end, no close */
}

struct stream_case {
    const char *what, *body;
    bool clean;
    const char *code;
};

static void broken_streams_end_in_an_error_event(void **state) {
    static const struct stream_case cases[] = {
        {"broke off", CHUNK("a"), false, "upstream_truncated"},
        {"broke off inside an event", CHUNK("a") "data: {\"id\":\"" GW_CANARY, false,
         "upstream_truncated"},
        {"ended without [DONE]", CHUNK("a") CHUNK_END, true, "upstream_truncated"},
        {"nothing at all", "", true, "upstream_truncated"},
        {"bad JSON", CHUNK("a") "data: " GW_CANARY "\n\n" CHUNK("b") DONE, true,
         "upstream_malformed"},
        {"duplicate key", CHUNK("a") "data: {\"choices\":[],\"choices\":[\"" GW_CANARY "\"]}\n\n",
         true, "upstream_malformed"},
        {"bad UTF-8", CHUNK("a") CHUNK("\xff" GW_CANARY) DONE, true, "upstream_malformed"},
        {"error event",
         CHUNK("a") "data: {\"error\":{\"message\":\"" GW_CANARY "\",\"code\":500}}\n\n" DONE, true,
         "upstream_error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t cut = 0; cut < 3; cut++) {
            const struct stream_case *c = &cases[i];
            struct setup s;
            uint8_t mem[BZ_RECORD_MAX];
            begin(&s, ASK_STREAM("tiny"));
            struct bz_reply_head h = SSE_HEAD;
            assert_int_not_equal(
                gw_reply(&s.g, s.tx, &h, bz_view_str(c->body), cut, c->clean, &s.out), BZ_OK);
            struct bz_view out = bz_buf_view(&s.out);
            struct bz_record rec = closing(&s, mem);
            if (!gw_contains(out, c->code) || gw_contains(out, GW_CANARY))
                print_message("%s: %.*s\n", c->what, (int)out.n, (const char *)out.p);
            assert_true(gw_contains(out, c->code));
            assert_true(bz_view_eq(rec.reason, bz_view_str(c->code)));
            assert_false(gw_contains(out, GW_CANARY));
            assert_false(gw_contains(out, "[DONE]")); /* no normal ending after an error */
            assert_true(out.n > 2 && memcmp(out.p + out.n - 2, "\n\n", 2) == 0);
            /* nothing follows */
            assert_int_not_equal(bz_tx_reply_feed(s.tx, BZ_V(CHUNK("z")), &s.out, gw_now(&s.g)),
                                 BZ_OK);
            assert_int_not_equal(bz_tx_reply_end(s.tx, true, &s.out, gw_now(&s.g)), BZ_OK);
            bz_tx_cut(s.tx, "key_revoked", "The key was revoked.", &s.out);
            assert_int_equal(s.out.n, out.n);
            end(&s);
        }
    }
}

static void a_connection_that_breaks_after_the_end_is_fine(void **state) {
    struct setup s;
    begin(&s, ASK_STREAM("tiny"));
    struct bz_reply_head h = SSE_HEAD;
    assert_int_equal(gw_reply(&s.g, s.tx, &h, BZ_V(STREAM), 0, false, &s.out), BZ_OK);
    end(&s);
}

static void revoked_keys_end_their_streams(void **state) {
    struct setup s;
    struct gw later, same;
    uint8_t mem[BZ_RECORD_MAX];
    begin(&s, ASK_STREAM("tiny"));
    assert_true(gw_next_generation(GW_LLAMA, GW_USER, GW_SAME, &same));
    assert_true(gw_next_generation(GW_LLAMA, GW_USER, GW_REVOKE, &later));
    struct bz_reply_head h = SSE_HEAD;
    (void)bz_tx_reply_head(s.tx, &h, gw_now(&s.g));
    assert_int_equal(bz_tx_reply_feed(s.tx, BZ_V(CHUNK("a")), &s.out, gw_now(&s.g)), BZ_OK);
    for (int i = 0; i < 3; i++) {
        assert_true(bz_tx_still_allowed(s.tx, &s.g.image, GW_NOW_S + 1));
        assert_true(bz_tx_still_allowed(s.tx, &same.image, GW_NOW_S + 1));
    }
    assert_false(bz_tx_still_allowed(s.tx, &later.image, GW_NOW_S + 1));
    bz_tx_cut(s.tx, "key_revoked", "The API key was revoked.", &s.out);
    assert_true(gw_contains(bz_buf_view(&s.out), "key_revoked"));
    size_t n = s.out.n;
    assert_int_not_equal(bz_tx_reply_feed(s.tx, BZ_V(CHUNK("z")), &s.out, gw_now(&s.g)), BZ_OK);
    assert_int_equal(s.out.n, n);
    struct bz_record rec = closing(&s, mem);
    assert_true(bz_view_eq(rec.reason, BZ_V("key_revoked")));
    assert_true(bz_view_eq(rec.principal, BZ_V("alice")));
    bz_tx_close(s.tx, gw_now(&s.g));
    assert_false(bz_tx_still_allowed(s.tx, &same.image, GW_NOW_S + 1));
    gw_close(&later);
    gw_close(&same);
    end(&s);
}

static void a_key_that_changed_hands_ends_them_too(void **state) {
    struct setup s;
    struct gw owner, role;
    begin(&s, ASK_STREAM("tiny"));
    assert_true(gw_next_generation(GW_LLAMA, GW_USER, GW_OTHER_OWNER, &owner));
    assert_true(gw_next_generation(GW_LLAMA, GW_USER, GW_OTHER_ROLE, &role));
    assert_false(bz_tx_still_allowed(s.tx, &owner.image, GW_NOW_S + 1));
    assert_false(bz_tx_still_allowed(s.tx, &role.image, GW_NOW_S + 1));
    assert_true(bz_tx_still_allowed(s.tx, &s.g.image, GW_NOW_S + 1));
    gw_close(&owner);
    gw_close(&role);
    end(&s);
}

static void another_setup_may_take_the_model_away(void **state) {
    struct setup s;
    struct gw other;
    begin_on(&s, GW_LLAMA, GW_NARROW, CHAT, ASK_STREAM("tiny"));
    assert_true(gw_next_generation(GW_MIXED, GW_KEYS, GW_SAME, &other));
    assert_true(bz_tx_still_allowed(s.tx, &other.image,
                                    GW_NOW_S + 1)); /* the right stands, not the model */
    gw_close(&other);
    end(&s);
}

#define LINE(text, done)                                                                           \
    "{\"model\":\"llama3:latest\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{\"role\":"  \
    "\"assistant\",\"content\":\"" text "\"},\"done\":" done "}\n"

static void ollama_lines(void **state) {
    struct setup s;
    begin_on(&s, GW_OLLAMA, GW_USER, "/api/chat",
             ASK("llama3")); /* streams unless told otherwise */
    assert_true(bz_tx_forward(s.tx)->stream);
    struct bz_reply_head h = {200, BZ_V("application/x-ndjson"), {NULL, 0}, -1};
    assert_int_equal(
        gw_reply(&s.g, s.tx, &h, BZ_V(LINE("a", "false") LINE("", "true")), 5, true, &s.out),
        BZ_OK);
    assert_true(bz_view_eq(bz_tx_stream_type(s.tx), BZ_V("application/x-ndjson")));
    assert_true(gw_contains(bz_buf_view(&s.out), "\"content\":\"a\""));
    end(&s);
    begin_on(&s, GW_OLLAMA, GW_USER, "/api/chat", ASK("llama3"));
    struct bz_reply_head json = JSON_HEAD;
    assert_int_equal(gw_reply(&s.g, s.tx, &json, BZ_V(LINE("", "true")), 0, true, &s.out), BZ_OK);
    assert_int_equal(bz_tx_reply(s.tx)->status, 200);
    assert_int_equal(s.out.n, 0);
    end(&s);
    begin_on(&s, GW_OLLAMA, GW_USER, "/api/chat", ASK("llama3"));
    (void)gw_reply(&s.g, s.tx, &h, BZ_V(LINE("a", "false") "{\"error\":\"" GW_CANARY "\"}\n"), 0,
                   true, &s.out);
    assert_false(gw_contains(bz_buf_view(&s.out), GW_CANARY));
    assert_true(gw_contains(bz_buf_view(&s.out), "\"error\""));
    end(&s);
}

static void anthropic_streams(void **state) {
    static const char events[] =
        "event: message_start\ndata: "
        "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":"
        "\"assistant\",\"content\":[],\"model\":\"tiny\",\"stop_reason\":null,\"usage\":{\"input_"
        "tokens\":3,\"output_tokens\":1}}}\n\n"
        "event: content_block_start\ndata: "
        "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","
        "\"text\":\"\"}}\n\n"
        "event: content_block_delta\ndata: "
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":"
        "\"hi\"}}\n\n"
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
        "event: message_delta\ndata: "
        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_"
        "tokens\":2}}\n\n"
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    struct setup s;
    begin_on(&s, GW_LLAMA, GW_USER, "/v1/messages",
             "{\"model\":\"tiny\",\"max_tokens\":5,\"stream\":true," MSG "}");
    struct bz_reply_head h = SSE_HEAD;
    assert_int_equal(gw_reply(&s.g, s.tx, &h, bz_view_str(events), 11, true, &s.out), BZ_OK);
    assert_true(gw_contains(bz_buf_view(&s.out), "text_delta"));
    end(&s);
    begin_on(&s, GW_LLAMA, GW_USER, "/v1/messages",
             "{\"model\":\"tiny\",\"max_tokens\":5,\"stream\":true," MSG "}");
    (void)gw_reply(&s.g, s.tx, &h, bz_view(events, 300), 11, false, &s.out);
    assert_true(gw_contains(bz_buf_view(&s.out), "event: error"));
    end(&s);
}

static void admin_replies(void **state) {
    struct setup s;
    begin_on(&s, GW_SINGLE, GW_ADMIN, "/slots", NULL);
    struct bz_reply_head h = JSON_HEAD;
    assert_int_equal(gw_reply(&s.g, s.tx, &h, BZ_V("[ {\"id\":0} ]"), 0, true, &s.out), BZ_OK);
    assert_true(bz_view_eq(bz_tx_reply(s.tx)->body, BZ_V("[{\"id\":0}]")));
    end(&s);
    begin_on(&s, GW_SINGLE, GW_ADMIN, "/metrics", NULL);
    struct bz_reply_head text = {200, BZ_V("text/plain; version=0.0.4"), {NULL, 0}, -1};
    assert_int_equal(gw_reply(&s.g, s.tx, &text, BZ_V("a 1\n"), 0, true, &s.out), BZ_OK);
    assert_true(bz_view_eq(bz_tx_reply(s.tx)->body, BZ_V("a 1\n")));
    end(&s);
    begin_on(&s, GW_SINGLE, GW_ADMIN, "/metrics", NULL);
    (void)gw_reply(&s.g, s.tx, &text, BZ_V("a \xff\n"), 0, true, &s.out);
    assert_int_equal(bz_tx_reply(s.tx)->status, 502);
    end(&s);
    begin_on(&s, GW_SINGLE, GW_ADMIN, "/slots", NULL);
    struct bz_reply_head none = {204, {NULL, 0}, {NULL, 0}, -1};
    assert_int_equal(gw_reply(&s.g, s.tx, &none, BZ_V(""), 0, true, &s.out), BZ_OK);
    assert_int_equal(bz_tx_reply(s.tx)->status, 204);
    assert_int_equal(bz_tx_reply(s.tx)->body.n, 0);
    end(&s);
    begin_on(&s, GW_SINGLE, GW_ADMIN, "/slots", NULL);
    (void)gw_reply(&s.g, s.tx, &none, BZ_V("[]"), 0, true, &s.out);
    assert_int_equal(bz_tx_reply(s.tx)->status, 502);
    end(&s);
}

static void refusals_after_forwarding(void **state) {
    struct setup s;
    uint8_t mem[BZ_RECORD_MAX];
    begin(&s, ASK("tiny"));
    bz_tx_refuse(s.tx, 503, "audit_unavailable", "The audit log cannot be written.");
    assert_int_equal(bz_tx_reply(s.tx)->status, 503);
    assert_true(gw_contains(bz_tx_reply(s.tx)->body, "audit_unavailable"));
    assert_null(bz_tx_forward(s.tx));
    struct bz_record rec = closing(&s, mem);
    assert_true(bz_view_eq(rec.reason, BZ_V("audit_unavailable")));
    assert_int_equal(rec.status, 503);
    struct bz_reply_head h = JSON_HEAD;
    (void)bz_tx_reply_head(s.tx, &h, gw_now(&s.g)); /* the decision stands */
    assert_int_equal(bz_tx_reply(s.tx)->status, 503);
    end(&s);
    begin(&s, ASK("tiny"));
    (void)bz_tx_reply_head(s.tx, &h, gw_now(&s.g));
    assert_int_equal(bz_tx_reply_feed(s.tx, BZ_V("{\"id\""), &s.out, gw_now(&s.g)), BZ_OK);
    bz_tx_refuse(s.tx, 504, "upstream_timeout", "The model server took too long.");
    assert_int_equal(bz_tx_reply_end(s.tx, true, &s.out, gw_now(&s.g)), BZ_OK);
    assert_int_equal(bz_tx_reply(s.tx)->status, 504);
    end(&s);
    begin(&s, ASK_STREAM("tiny"));
    struct bz_reply_head sse = SSE_HEAD;
    (void)bz_tx_reply_head(s.tx, &sse, gw_now(&s.g));
    bz_tx_refuse(s.tx, 504, "upstream_timeout", "too late for that");
    assert_null(bz_tx_reply(s.tx));
    bz_tx_cut(s.tx, "upstream_timeout", "The model server took too long.", &s.out);
    assert_true(gw_contains(bz_buf_view(&s.out), "upstream_timeout"));
    end(&s);
}

static void an_open_stream_is_small(void **state) {
    struct setup s;
    begin_on(&s, GW_LLAMA, GW_LIMITED, CHAT, ASK_STREAM("tiny"));
    struct bz_reply_head h = SSE_HEAD;
    (void)bz_tx_reply_head(s.tx, &h, gw_now(&s.g));
    assert_int_equal(bz_tx_reply_feed(s.tx, BZ_V(CHUNK("a")), &s.out, gw_now(&s.g)), BZ_OK);
    assert_true(s.heap.bytes_live <= 1536); /* the rest of 2 KiB is for a partial event */
    end(&s);
}

/* Allocation N and all later ones fail from the reply on: a good reply or an error, never half of
 * one. */
static void without_memory_no_half_reply(void **state) {
    for (int stream = 0; stream < 2; stream++) {
        bool through = false;
        for (uint64_t n = 1; !through && n < 60; n++) {
            struct setup s;
            begin(&s, stream ? ASK_STREAM("big") : ASK("big"));
            s.heap.fail_from = s.heap.allocs + n;
            struct bz_reply_head h = JSON_HEAD, sse = SSE_HEAD;
            enum bz_status st = gw_reply(
                &s.g, s.tx, stream ? &sse : &h,
                stream ? BZ_V(CHUNK("a") CHUNK_END DONE) : BZ_V(CHAT_REPLY), 13, true, &s.out);
            through = s.heap.allocs < s.heap.fail_from;
            if (stream) {
                assert_int_equal(st == BZ_OK, gw_contains(bz_buf_view(&s.out), "[DONE]"));
                assert_true(st == BZ_OK || gw_contains(bz_buf_view(&s.out), "no_memory"));
            } else {
                assert_non_null(bz_tx_reply(s.tx));
                uint16_t status = bz_tx_reply(s.tx)->status;
                assert_true(through ? status == 200 : status == 503);
                assert_true(through || gw_contains(bz_tx_reply(s.tx)->body, "no_memory"));
            }
            end(&s);
        }
        assert_true(through);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collected_replies_are_canonical),
        cmocka_unit_test(heads_that_cannot_be_checked_are_errors),
        cmocka_unit_test(malformed_replies_are_withheld),
        cmocka_unit_test(wrong_lengths_are_errors),
        cmocka_unit_test(upstream_errors_are_replaced),
        cmocka_unit_test(huge_error_bodies_are_not_kept),
        cmocka_unit_test(streams_pass_the_same_for_every_cut),
        cmocka_unit_test(an_event_leaves_as_soon_as_it_is_whole),
        cmocka_unit_test(broken_streams_end_in_an_error_event),
        cmocka_unit_test(a_connection_that_breaks_after_the_end_is_fine),
        cmocka_unit_test(revoked_keys_end_their_streams),
        cmocka_unit_test(a_key_that_changed_hands_ends_them_too),
        cmocka_unit_test(another_setup_may_take_the_model_away),
        cmocka_unit_test(ollama_lines),
        cmocka_unit_test(anthropic_streams),
        cmocka_unit_test(admin_replies),
        cmocka_unit_test(refusals_after_forwarding),
        cmocka_unit_test(an_open_stream_is_small),
        cmocka_unit_test(without_memory_no_half_reply),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (int i = 0; i < GW_SETUP_COUNT; i++)
        gw_close(&instances[i]);
    return failed;
}
