/* What may not leave, through a whole transaction: every dialect, whole and streamed, every channel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/leak.h>

#include "gw_fixture.h"

#define SECRET "Zx81KqPm93TrWbNc02LyHd"
#define SECRET_HEX                                                                                 \
    "5a7838314b71506d39335472"                                                                     \
    "57624e6330324c794864"
#define PROMPT                                                                                     \
    "never tell anybody that the third gate of the yard is open after nine at night on sundays "   \
    "since the guard goes home early and leaves the key below the stone beside the old pump"
static struct bz_buf blocks_blob, records_blob;
static struct gw llama, ollama, records, mixed;

static bool make_blob(struct bz_buf *b, bool record) {
    static const uint8_t key[32] = {3};
    const struct bz_leak_item items[] = {{BZ_LEAK_SECRET, BZ_V("payments"), BZ_V(SECRET)},
                                         {BZ_LEAK_PROMPT, BZ_V("yard"), BZ_V(PROMPT)}};
    const struct bz_leak_options o = {.record = record};
    size_t bad;
    bz_buf_init(b, BZ_BLOB_MAX);
    return bz_leak_compile(items, 2, &o, key, b, &bad) == BZ_OK;
}

static bool open_one(struct gw *g, enum gw_setup setup, const struct bz_buf *leak) {
    const struct bz_data_config data = {.restore_s = 600, .hold_ms = 2000};
    struct bz_view blobs[BZ_BLOB_COUNT] = {{NULL, 0}};
    blobs[BZ_BLOB_LEAK] = bz_buf_view(leak);
    return gw_open_blobs(g, setup, &data, blobs, NULL);
}

static int open_all(void **state) {
    (void)state;
    return make_blob(&blocks_blob, false) && make_blob(&records_blob, true) &&
                   open_one(&llama, GW_LLAMA, &blocks_blob) &&
                   open_one(&ollama, GW_OLLAMA, &blocks_blob) &&
                   open_one(&mixed, GW_MIXED, &blocks_blob) &&
                   open_one(&records, GW_LLAMA, &records_blob)
               ? 0
               : -1;
}

static int close_all(void **state) {
    (void)state;
    gw_close(&llama);
    gw_close(&ollama);
    gw_close(&mixed);
    gw_close(&records);
    bz_buf_free(&blocks_blob);
    bz_buf_free(&records_blob);
    return 0;
}

struct run {
    struct gw *gw;
    struct gw_heap heap;
    struct bz_tx *tx;
    enum bz_verdict verdict;
    struct bz_buf out;
};

static void ask(struct run *r, struct gw *gw, const char *path, const char *body) {
    struct gw_req q;
    struct bz_backend b;
    *r = (struct run){.gw = gw};
    gw_req_init(&q, gw, GW_USER, "POST", path, body);
    r->tx = gw_send(gw, &q, gw_heap_alloc(&r->heap), &r->verdict);
    assert_int_equal(r->verdict, BZ_VERDICT_FORWARD);
    assert_true(bz_tx_backend(r->tx, gw_now(gw), &b));
    bz_tx_drop_body(r->tx);
    bz_buf_init(&r->out, 4u << 20);
}

static void done(struct run *r) {
    bz_tx_free(r->tx);
    assert_int_equal(r->heap.live, 0);
    bz_buf_free(&r->out);
}

static enum bz_status answer(struct run *r, const char *type, const char *body, size_t cut) {
    const struct bz_reply_head h = {200, bz_view_str(type), {NULL, 0}, -1};
    return gw_reply(r->gw, r->tx, &h, bz_view_str(body), cut, true, &r->out);
}

#define MSG "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define CHUNK(delta)                                                                               \
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"tiny\","   \
    "\"choices\":[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":null}]}\n\n"
#define END                                                                                        \
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"tiny\","   \
    "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
#define OLLAMA(text)                                                                               \
    "{\"model\":\"llama3\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{\"role\":"         \
    "\"assistant\",\"content\":\"" text "\"},\"done\":false}\n"
#define OLLAMA_END                                                                                 \
    "{\"model\":\"llama3\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{\"role\":"         \
    "\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"}\n"
#define CHAT "/v1/chat/completions"
#define SSE "text/event-stream"

static const struct streamed {
    const char *name, *path, *body, *type, *reply;
    struct gw *gw;
} streams[] = {
    {"text in pieces", CHAT, "{\"model\":\"tiny\",\"stream\":true," MSG "}", SSE,
     CHUNK("\"content\":\"Sure: Zx81\"") CHUNK("\"content\":\"KqPm93\"")
         CHUNK("\"content\":\"TrWbNc\"") CHUNK("\"content\":\"02LyHd\"") END,
     &llama},
    {"hex in reasoning", CHAT, "{\"model\":\"tiny\",\"stream\":true," MSG "}", SSE,
     CHUNK("\"reasoning_content\":\"5a7838314b7150\"") CHUNK("\"reasoning_content\":\"6d39335472\"")
         CHUNK("\"reasoning_content\":\"57624e6330324c794864\"") END,
     &llama},
    {"arguments of a tool, with escapes", CHAT, "{\"model\":\"tiny\",\"stream\":true," MSG "}", SSE,
     CHUNK("\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"type\":\"function\",\"function\":{\"name\":"
           "\"f\",\"arguments\":\"{\\\"a\\\":\\\"Zx\\\\u0038\"}}]")
         CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1KqPm93Tr\"}}]")
             CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"WbNc\\\"}\"}}]") END,
     &llama},
    {"name of a tool", CHAT, "{\"model\":\"tiny\",\"stream\":true," MSG "}", SSE,
     CHUNK("\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"type\":\"function\",\"function\":{\"name\":"
           "\"Zx81KqPm93TrWbNc02LyHd\",\"arguments\":\"{}\"}}]") END,
     &llama},
    {"refusal", CHAT, "{\"model\":\"tiny\",\"stream\":true," MSG "}", SSE,
     CHUNK("\"refusal\":\"no Zx81KqPm93\"") CHUNK("\"refusal\":\"TrWbNc02LyHd\"") END, &llama},
    {"text of a prompt", CHAT, "{\"model\":\"tiny\",\"stream\":true," MSG "}", SSE,
     CHUNK("\"content\":\"I must never tell anybody that the third gate of the yard \"")
         CHUNK("\"content\":\"is open after nine at night on sundays since the guard \"")
             CHUNK("\"content\":\"goes home early and leaves\"") END,
     &llama},
    {"Ollama", "/api/chat", "{\"model\":\"llama3\"," MSG "}", "application/x-ndjson",
     OLLAMA("Zx81Kq") OLLAMA("Pm93Tr") OLLAMA("WbNc02LyHd") OLLAMA_END, &ollama},
    {"Anthropic", "/v1/messages", "{\"model\":\"claude\",\"max_tokens\":9,\"stream\":true," MSG "}",
     SSE,
     "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":"
     "\"message\",\"role\":\"assistant\",\"model\":\"claude\",\"content\":[],\"stop_reason\":null,"
     "\"stop_sequence\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n"
     "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
     "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
     "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{"
     "\"type\":\"text_delta\",\"text\":\"Zx81KqPm\"}}\n\n"
     "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{"
     "\"type\":\"text_delta\",\"text\":\"93TrWbNc02LyHd\"}}\n\n",
     &mixed},
    {"Responses", "/v1/responses", "{\"model\":\"tiny\",\"stream\":true,\"input\":\"hi\"}", SSE,
     "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\","
     "\"sequence_number\":1,\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"delta\":"
     "\"Zx81KqPm93Tr\",\"logprobs\":[]}\n\n"
     "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\","
     "\"sequence_number\":2,\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"delta\":"
     "\"WbNc02LyHd\",\"logprobs\":[]}\n\n",
     &llama},
};

static void a_stream_ends_before_it_has_left(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        const struct streamed *s = &streams[i];
        for (size_t cut = 0; cut < 60; cut = cut * 2 + 1) {
            struct run r;
            uint8_t mem[BZ_RECORD_MAX];
            struct bz_record rec;
            size_t n;
            ask(&r, s->gw, s->path, s->body);
            enum bz_status st = answer(&r, s->type, s->reply, cut);
            bz_buf_putc(&r.out, 0);
            const char *out = (const char *)r.out.p;
            if (st != BZ_EDENIED || strstr(out, "leak_blocked") == NULL)
                fail_msg("%s, cut %zu: status %d: %s", s->name, cut, st, out);
            if (strstr(out, "KqPm") != NULL || strstr(out, "6d3933") != NULL ||
                strstr(out, "leaves") != NULL)
                fail_msg("%s, cut %zu: it left: %s", s->name, cut, out);
            assert_non_null(bz_tx_alert(r.tx));
            assert_true(gw_record(r.gw, r.tx, BZ_RECORD_CLOSE, mem, &rec, &n));
            assert_true(bz_view_eq(rec.reason, BZ_V("leak_blocked")));
            assert_true(gw_contains(rec.findings, ":block:1"));
            done(&r);
        }
    }
}

#define REPLY(message)                                                                             \
    "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"tiny\",\"choices\":["  \
    "{\"index\":0,\"message\":{\"role\":\"assistant\"," message "},\"finish_reason\":\"stop\"}],"  \
    "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}"

static void a_whole_reply_is_refused(void **state) {
    static const struct {
        const char *message, *finding;
    } cases[] = {
        {"\"content\":\"it is " SECRET "\"", "reply:secret.payments:block:1"},
        {"\"content\":\"it is Z x 8 1 K q P m 9 3 T r W b\"", "reply:secret.payments:block:1"},
        {"\"content\":\"" SECRET_HEX "\"", "reply:secret.payments:block:1"},
        {"\"content\":\"" PROMPT "\"", "reply:prompt.yard:block:1"},
        {"\"content\":null,\"tool_calls\":[{\"id\":\"t\",\"type\":\"function\",\"function\":{"
         "\"name\":\"f\",\"arguments\":\"{\\\"u\\\":\\\"http://x/?q=Zx8\\\\u0031KqPm93TrWbNc\\\"}"
         "\"}}]",
         "reply:secret.payments:block:1"},
        {"\"content\":null,\"reasoning_content\":\"first Zx81Kq, then Pm93Tr, then WbNc02\"",
         "reply:secret.payments:block:1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run r;
        char body[2048];
        uint8_t mem[BZ_RECORD_MAX];
        struct bz_record rec;
        size_t n;
        (void)snprintf(body, sizeof body,
                       "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":"
                       "\"tiny\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",%s},"
                       "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,"
                       "\"completion_tokens\":1,\"total_tokens\":2}}",
                       cases[i].message);
        ask(&r, &llama, CHAT, "{\"model\":\"tiny\"," MSG "}");
        (void)answer(&r, "application/json", body, 7);
        const struct bz_reply *reply = bz_tx_reply(r.tx);
        if (reply->status != 403 || !gw_contains(reply->body, "leak_blocked"))
            fail_msg("%s: %u", cases[i].message, reply->status);
        assert_false(gw_contains(reply->body, "KqPm"));
        assert_true(gw_record(r.gw, r.tx, BZ_RECORD_CLOSE, mem, &rec, &n));
        if (!gw_contains(rec.findings, cases[i].finding))
            fail_msg("%.*s", (int)rec.findings.n, rec.findings.p);
        done(&r);
    }
}

static void other_replies_pass(void **state) {
    struct run r;
    (void)state;
    ask(&r, &llama, CHAT, "{\"model\":\"tiny\"," MSG "}");
    (void)answer(&r, "application/json",
                 REPLY("\"content\":\"The yard closes at nine, ask them.\""), 0);
    assert_int_equal(bz_tx_reply(r.tx)->status, 200);
    assert_null(bz_tx_alert(r.tx));
    done(&r);
    ask(&r, &llama, CHAT, "{\"model\":\"tiny\",\"stream\":true," MSG "}");
    assert_int_equal(answer(&r, SSE, CHUNK("\"content\":\"Zx81 is a number\"") END, 3), BZ_OK);
    assert_true(gw_contains(bz_buf_view(&r.out), "Zx81 is a number"));
    assert_true(gw_contains(bz_buf_view(&r.out), "[DONE]"));
    done(&r);
}

/* Whoever writes the prompt's text himself gets it back. */
static void what_the_user_wrote_is_his(void **state) {
    struct run r;
    (void)state;
    ask(&r, &llama, CHAT,
        "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"Say: " PROMPT "\"}]}");
    (void)answer(&r, "application/json", REPLY("\"content\":\"" PROMPT "\""), 0);
    assert_int_equal(bz_tx_reply(r.tx)->status, 200);
    done(&r);
}

static void what_is_only_recorded_passes(void **state) {
    struct run r;
    uint8_t mem[BZ_RECORD_MAX];
    struct bz_record rec;
    size_t n;
    (void)state;
    ask(&r, &records, CHAT, "{\"model\":\"tiny\"," MSG "}");
    (void)answer(&r, "application/json", REPLY("\"content\":\"" SECRET "\""), 0);
    assert_int_equal(bz_tx_reply(r.tx)->status, 200);
    assert_true(gw_record(r.gw, r.tx, BZ_RECORD_CLOSE, mem, &rec, &n));
    assert_true(gw_contains(rec.findings, "reply:secret.payments:record:1"));
    assert_non_null(bz_tx_alert(r.tx));
    done(&r);
    ask(&r, &records, CHAT, "{\"model\":\"tiny\",\"stream\":true," MSG "}");
    assert_int_equal(
        answer(&r, SSE,
               CHUNK("\"content\":\"Zx81KqPm93\"") CHUNK("\"content\":\"TrWbNc02LyHd\"") END, 0),
        BZ_OK);
    assert_true(gw_contains(bz_buf_view(&r.out), "TrWbNc02LyHd"));
    assert_true(gw_record(r.gw, r.tx, BZ_RECORD_CLOSE, mem, &rec, &n));
    assert_true(gw_contains(rec.findings, "reply:secret.payments:record:1"));
    done(&r);
}

/* A model that waits in the middle does not get the rest out. */
static void a_pause_does_not_help(void **state) {
    struct run r;
    struct gw *g = &llama;
    const struct bz_reply_head h = {200, BZ_V(SSE), {NULL, 0}, -1};
    (void)state;
    ask(&r, g, CHAT, "{\"model\":\"tiny\",\"stream\":true," MSG "}");
    (void)bz_tx_reply_head(r.tx, &h, gw_now(g));
    assert_int_equal(
        bz_tx_reply_feed(r.tx, BZ_V(CHUNK("\"content\":\"Zx81Kq\"")), &r.out, gw_now(g)), BZ_OK);
    assert_int_equal(bz_tx_tick(r.tx, &r.out, gw_now(g)), BZ_OK);
    struct bz_now later = gw_now(g);
    later.mono_ns += UINT64_C(3000000000);
    assert_int_equal(bz_tx_tick(r.tx, &r.out, later), BZ_OK);
    assert_true(gw_contains(bz_buf_view(&r.out), "Zx81Kq")); /* a few characters: no window */
    assert_int_equal(
        bz_tx_reply_feed(r.tx, BZ_V(CHUNK("\"content\":\"Pm93TrWbNc02LyHd\"")), &r.out, later),
        BZ_EDENIED);
    assert_false(gw_contains(bz_buf_view(&r.out), "Pm93"));
    done(&r);
}

static void without_memory_nothing_leaves(void **state) {
    struct gw_req q;
    (void)state;
    for (uint64_t n = 1; n < 400; n++) {
        struct gw_heap heap = {.fail_from = n};
        enum bz_verdict v;
        struct bz_buf out;
        struct bz_backend b;
        const struct bz_reply_head h = {200, BZ_V(SSE), {NULL, 0}, -1};
        gw_req_init(&q, &llama, GW_USER, "POST", CHAT,
                    "{\"model\":\"tiny\",\"stream\":true," MSG "}");
        struct bz_tx *tx = gw_send(&llama, &q, gw_heap_alloc(&heap), &v);
        bz_buf_init(&out, 1 << 20);
        bool over = false;
        if (tx != NULL && v == BZ_VERDICT_FORWARD && bz_tx_backend(tx, gw_now(&llama), &b)) {
            (void)gw_reply(
                &llama, tx, &h,
                BZ_V(CHUNK("\"content\":\"Zx81KqPm93\"") CHUNK("\"content\":\"TrWbNc02LyHd\"") END),
                0, true, &out);
            assert_false(gw_contains(bz_buf_view(&out), "TrWbNc"));
            over = heap.allocs < n;
        }
        if (tx != NULL)
            bz_tx_free(tx);
        assert_int_equal(heap.live, 0);
        bz_buf_free(&out);
        if (over)
            return;
    }
    fail();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_ends_before_it_has_left),
        cmocka_unit_test(a_whole_reply_is_refused),
        cmocka_unit_test(other_replies_pass),
        cmocka_unit_test(what_the_user_wrote_is_his),
        cmocka_unit_test(what_is_only_recorded_passes),
        cmocka_unit_test(a_pause_does_not_help),
        cmocka_unit_test(without_memory_nothing_leaves),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
