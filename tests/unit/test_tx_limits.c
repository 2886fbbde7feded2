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
#define MSG "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define SECOND UINT64_C(1000000000)

static struct gw g;
static struct gw_heap heap;

static int open_instance(void **state) {
    memset(&heap, 0, sizeof heap);
    return gw_open(&g, GW_LLAMA) ? 0 : -1;
}

static int close_instance(void **state) {
    gw_close(&g);
    return heap.live == 0 ? 0 : -1;
}

static struct bz_tx *ask(enum gw_key key, const char *model, const char *text,
                         uint16_t *ret_status) {
    struct gw_req r;
    enum bz_verdict v;
    char body[4096];
    struct bz_buf b;
    bz_buf_init_fixed(&b, body, sizeof body);
    bz_buf_puts(&b, "{\"model\":\"");
    bz_buf_puts(&b, model);
    bz_buf_puts(&b, "\",\"messages\":[{\"role\":\"user\",\"content\":\"");
    bz_buf_puts(&b, text);
    bz_buf_puts(&b, "\"}]}");
    bz_buf_putc(&b, 0);
    gw_req_init(&r, &g, key, "POST", CHAT, body);
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_non_null(tx);
    *ret_status = v == BZ_VERDICT_FORWARD ? 200 : bz_tx_reply(tx)->status;
    return tx;
}

static uint16_t once(enum gw_key key, const char *model) {
    uint16_t status;
    struct bz_tx *tx = ask(key, model, "hi", &status);
    bz_tx_close(tx, gw_now(&g));
    bz_tx_free(tx);
    return status;
}

/* Goes all the way to a reply with these token counts; 0, 0: the server fails. */
static uint16_t served(enum gw_key key, const char *text, uint64_t prompt, uint64_t completion) {
    struct bz_backend backend;
    struct bz_buf out;
    char body[512];
    uint16_t status;
    struct bz_tx *tx = ask(key, "tiny", text, &status);
    if (status == 200) {
        assert_true(bz_tx_backend(tx, gw_now(&g), &backend));
        struct bz_reply_head h = {200, BZ_V("application/json"), {NULL, 0}, -1};
        if (prompt == 0 && completion == 0)
            h.status = 500;
        int n = snprintf(
            body, sizeof body,
            "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"tiny\","
            "\"choices\":"
            "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"x\"},\"finish_"
            "reason\":\"stop\"}],"
            "\"usage\":{\"prompt_tokens\":%u,\"completion_tokens\":%u,\"total_tokens\":%u}}",
            (unsigned)prompt, (unsigned)completion, (unsigned)(prompt + completion));
        bz_buf_init(&out, 1024);
        assert_int_equal(gw_reply(&g, tx, &h, bz_view(body, (size_t)n), 0, true, &out), BZ_OK);
        bz_buf_free(&out);
    }
    bz_tx_close(tx, gw_now(&g));
    bz_tx_close(tx, gw_now(&g));
    bz_tx_free(tx);
    return status;
}

static struct bz_view header(const struct bz_header *h, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (bz_view_eq_nocase(h[i].name, bz_view_str(name)))
            return h[i].value;
    return (struct bz_view){NULL, 0};
}

static void requests_of_a_key(void **state) {
    uint16_t status;
    struct bz_header h[10];
    for (int i = 0; i < 3; i++)
        assert_int_equal(once(GW_LIMITED, "tiny"), 200);
    struct bz_tx *tx = ask(GW_LIMITED, "tiny", "hi", &status);
    assert_int_equal(status, 429);
    const struct bz_reply *r = bz_tx_reply(tx);
    assert_true(gw_contains(r->body, "rate_limited"));
    assert_true(gw_contains(r->body, "API key is over its limit of requests"));
    assert_true(bz_view_eq(header(r->extra, r->extra_n, "Retry-After"), BZ_V("20")));
    assert_true(bz_view_eq(header(r->extra, r->extra_n, "retry-after-ms"), BZ_V("20000")));
    size_t n = bz_tx_headers(tx, h, 10);
    assert_true(bz_view_eq(header(h, n, "x-ratelimit-limit-requests"), BZ_V("3")));
    assert_true(bz_view_eq(header(h, n, "x-ratelimit-remaining-requests"), BZ_V("0")));
    assert_true(bz_view_eq(header(h, n, "x-ratelimit-reset-requests"), BZ_V("1m0s")));
    bz_tx_free(tx);
    g.mono_ns += 19 * SECOND;
    assert_int_equal(once(GW_LIMITED, "tiny"), 429);
    g.mono_ns += 1 * SECOND;
    assert_int_equal(once(GW_LIMITED, "tiny"), 200);
    assert_int_equal(once(GW_LIMITED, "tiny"), 429);
    assert_int_equal(once(GW_USER, "tiny"), 200); /* nobody else pays */
}

static void headers_while_there_is_room(void **state) {
    uint16_t status;
    struct bz_header h[10];
    struct bz_tx *tx = ask(GW_LIMITED, "tiny", "hello there", &status);
    size_t n = bz_tx_headers(tx, h, 10);
    assert_int_equal(status, 200);
    assert_true(bz_view_eq(header(h, n, "x-ratelimit-limit-requests"), BZ_V("3")));
    assert_true(bz_view_eq(header(h, n, "x-ratelimit-remaining-requests"), BZ_V("2")));
    assert_true(bz_view_eq(header(h, n, "x-ratelimit-reset-requests"), BZ_V("20s")));
    assert_true(bz_view_eq(header(h, n, "x-ratelimit-limit-tokens"), BZ_V("50")));
    assert_true(bz_view_eq(header(h, n, "x-ratelimit-remaining-tokens"), BZ_V("49")));
    assert_true(bz_view_eq(header(h, n, "x-ratelimit-reset-tokens"), BZ_V("1.2s")));
    assert_int_equal(bz_tx_headers(tx, h, 4), 3); /* all of a group or nothing of it */
    bz_tx_free(tx);
    tx = ask(GW_USER, "tiny", "hello", &status);
    assert_int_equal(bz_tx_headers(tx, h, 10), 3);
    bz_tx_free(tx);
}

static void anthropic_headers(void **state) {
    struct gw_req r;
    enum bz_verdict v;
    struct bz_header h[10];
    gw_req_init(&r, &g, GW_LIMITED, "POST", "/v1/messages",
                "{\"model\":\"tiny\",\"max_tokens\":5," MSG "}");
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    size_t n = bz_tx_headers(tx, h, 10);
    assert_true(bz_view_eq(header(h, n, "anthropic-ratelimit-requests-remaining"), BZ_V("2")));
    assert_true(bz_view_eq(header(h, n, "anthropic-ratelimit-tokens-limit"), BZ_V("50")));
    struct bz_view reset = header(h, n, "anthropic-ratelimit-requests-reset");
    assert_true(reset.n >= 20 && reset.p[10] == 'T' && reset.p[reset.n - 1] == 'Z');
    assert_int_equal(header(h, n, "x-ratelimit-limit-requests").n, 0);
    bz_tx_free(tx);
}

static void requests_of_a_user_over_all_keys(void **state) {
    for (int i = 0; i < 4; i++)
        assert_int_equal(once(GW_LIMITED2, "tiny"), 200);
    assert_int_equal(once(GW_LIMITED2, "tiny"), 429);
    for (int i = 0; i < 5; i++)
        assert_int_equal(once(GW_LIMITED, "tiny"),
                         429); /* the key itself has room; nothing is taken from it */
    g.mono_ns += 45 * SECOND;
    for (int i = 0; i < 3; i++)
        assert_int_equal(once(GW_LIMITED, "tiny"), 200);
    assert_int_equal(once(GW_LIMITED, "tiny"), 429);
}

static void requests_of_a_model(void **state) {
    assert_int_equal(once(GW_USER, "metered"), 200);
    assert_int_equal(once(GW_USER, "metered"), 429);
    assert_int_equal(once(GW_ADMIN, "metered"), 429); /* over all users */
    assert_int_equal(once(GW_USER, "tiny"), 200);
    g.mono_ns += SECOND;
    assert_int_equal(once(GW_USER, "metered"), 200);
}

/* Counts that no sum can hold are a debt like any other: never a gift to the caller. */
static void absurd_counts(void **state) {
    static const char reply[] =
        "[{\"content\":\"a\",\"tokens_evaluated\":4611686018427387904,\"tokens_predicted\":"
        "4611686018427387904},{\"content\":\"b\",\"tokens_evaluated\":4611686018427387904,"
        "\"tokens_predicted\":4611686018427387904}]";
    struct gw_req r;
    enum bz_verdict v;
    struct bz_backend backend;
    struct bz_buf out;
    gw_req_init(&r, &g, GW_LIMITED, "POST", "/completion",
                "{\"model\":\"tiny\",\"prompt\":[\"a\",\"b\"]}");
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    assert_true(bz_tx_backend(tx, gw_now(&g), &backend));
    struct bz_reply_head h = {200, BZ_V("application/json"), {NULL, 0}, -1};
    bz_buf_init(&out, 1024);
    assert_int_equal(gw_reply(&g, tx, &h, bz_view_str(reply), 0, true, &out), BZ_OK);
    bz_buf_free(&out);
    assert_int_equal(bz_tx_reply(tx)->status, 200);
    bz_tx_free(tx);
    g.mono_ns += 3600 * SECOND;
    assert_int_equal(once(GW_LIMITED, "tiny"), 429);
}

static void concurrent_requests(void **state) {
    uint16_t status;
    struct bz_tx *tx = ask(GW_LIMITED, "tiny", "hi", &status);
    assert_int_equal(status, 200);
    struct bz_tx *second = ask(GW_LIMITED, "tiny", "hi", &status);
    assert_int_equal(status, 429);
    assert_true(gw_contains(bz_tx_reply(second)->body, "concurrent"));
    bz_tx_free(second);
    bz_tx_close(tx, gw_now(&g));
    bz_tx_close(tx, gw_now(&g)); /* once is enough */
    second = ask(GW_LIMITED, "tiny", "hi", &status);
    assert_int_equal(status, 200);
    struct bz_tx *third = ask(GW_LIMITED, "tiny", "hi", &status);
    assert_int_equal(status, 429);
    bz_tx_free(third);
    bz_tx_free(second); /* without a close */
    bz_tx_free(tx);
    second = ask(GW_LIMITED, "tiny", "hi", &status);
    assert_int_equal(status, 200);
    bz_tx_free(second);
}

static struct bz_tx *head_only(enum gw_key key, enum bz_verdict *ret) {
    struct gw_req r;
    struct bz_tx *tx;
    gw_req_init(&r, &g, key, "POST", CHAT, "{}");
    assert_int_equal(bz_tx_new(&g.env, gw_heap_alloc(&heap), gw_now(&g), 1, g.next_id++, &tx),
                     BZ_OK);
    *ret = bz_tx_begin(tx, &r.head);
    return tx;
}

/* A body on its way is a request that runs: half-sent ones hold memory, too. */
static void half_sent_bodies_are_concurrent(void **state) {
    enum bz_verdict v;
    uint16_t status;
    struct bz_tx *half = head_only(GW_LIMITED, &v);
    assert_int_equal(v, BZ_VERDICT_BODY);
    struct bz_tx *other = head_only(GW_LIMITED, &v);
    assert_int_equal(v, BZ_VERDICT_REFUSE);
    assert_int_equal(bz_tx_reply(other)->status, 429);
    assert_true(gw_contains(bz_tx_reply(other)->body, "concurrent"));
    bz_tx_free(other);
    bz_tx_close(half, gw_now(&g)); /* the client went away */
    other = head_only(GW_LIMITED, &v);
    assert_int_equal(v, BZ_VERDICT_BODY);
    bz_tx_free(half);
    bz_tx_free(other); /* without a close */
    bz_tx_free(ask(GW_LIMITED, "tiny", "hi", &status));
    assert_int_equal(status, 200);
}

/* Four generations cost four requests and four tokens at once, not one. */
static void every_answer_is_charged(void **state) {
    struct gw_req r;
    enum bz_verdict v;
    struct bz_header h[10];
    gw_req_init(&r, &g, GW_LIMITED, "POST", "/v1/completions",
                "{\"model\":\"tiny\",\"prompt\":[\"a\",\"b\"],\"n\":2}");
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    size_t n = bz_tx_headers(tx, h, 10);
    assert_true(bz_view_eq(header(h, n, "x-ratelimit-remaining-tokens"), BZ_V("46")));
    bz_tx_free(tx);
    assert_int_equal(once(GW_LIMITED, "tiny"), 429);
    g.mono_ns += 39 * SECOND; /* one above 3, and 20 s for the next */
    assert_int_equal(once(GW_LIMITED, "tiny"), 429);
    g.mono_ns += 2 * SECOND;
    assert_int_equal(once(GW_LIMITED, "tiny"), 200);
}

/* A request that forwarded and was left by the client, or whose counts nobody says. */
static void uncounted_replies_are_estimated(void **state) {
    static const char uncounted[] = "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,"
                                    "\"model\":\"tiny\",\"choices\":[{"
                                    "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                                    "\"0123456789012345678901234567890"
                                    "123456789\"},\"finish_reason\":\"stop\"}]}";
    struct bz_backend backend;
    struct bz_buf out;
    for (int whole = 0; whole < 2; whole++) {
        uint16_t status;
        struct bz_tx *tx = ask(GW_LIMITED, "tiny", "hi", &status);
        assert_int_equal(status, 200);
        assert_true(bz_tx_backend(tx, gw_now(&g), &backend));
        struct bz_reply_head h = {200, BZ_V("application/json"), {NULL, 0}, -1};
        bz_buf_init(&out, 1024);
        (void)bz_tx_reply_head(tx, &h, gw_now(&g));
        assert_int_equal(
            bz_tx_reply_feed(tx, bz_view(uncounted, sizeof uncounted - 3), &out, gw_now(&g)),
            BZ_OK);
        if (whole != 0) {
            assert_int_equal(bz_tx_reply_feed(tx, BZ_V("]}"), &out, gw_now(&g)), BZ_OK);
            assert_int_equal(bz_tx_reply_end(tx, true, &out, gw_now(&g)), BZ_OK);
            assert_int_equal(bz_tx_reply(tx)->status, 200);
        }
        bz_buf_free(&out);
        bz_tx_free(tx);
        tx = ask(GW_LIMITED, "tiny", "hi", &status); /* about 45 of 50 tokens are gone */
        assert_int_equal(status, 200);
        struct bz_header hs[10];
        size_t n = bz_tx_headers(tx, hs, 10);
        uint64_t left = 0;
        assert_int_equal(bz_view_u64(header(hs, n, "x-ratelimit-remaining-tokens"), &left), BZ_OK);
        assert_in_range(left, 0, 6);
        bz_tx_free(tx);
        g.mono_ns += 3600 * SECOND;
    }
}

static const char *text_of(size_t n) {
    static char text[2048];
    memset(text, 'a', sizeof text);
    text[n] = '\0';
    return text;
}

/* Refused after it was counted in: counted out at once, and not again when it is closed. */
static void a_refused_request_leaves_once(void **state) {
    uint16_t status;
    assert_int_equal(served(GW_LIMITED, text_of(320), 80, 1), 200); /* 20 tokens are left */
    struct bz_tx *refused = ask(GW_LIMITED, "tiny", text_of(404), &status);
    assert_int_equal(status, 429);
    assert_true(gw_contains(bz_tx_reply(refused)->body, "prompt tokens"));
    struct bz_tx *running = ask(GW_LIMITED, "tiny", "hi", &status);
    assert_int_equal(status, 200);
    bz_tx_free(refused);
    struct bz_tx *another = ask(GW_LIMITED, "tiny", "hi", &status);
    assert_int_equal(status, 429);
    assert_true(gw_contains(bz_tx_reply(another)->body, "concurrent"));
    bz_tx_free(another);
    bz_tx_free(running);
}

static void a_refused_body_leaves_nothing_behind(void **state) {
    struct gw_req r;
    enum bz_verdict v;
    gw_req_init(&r, &g, GW_LIMITED, "POST", CHAT, "{\"model\":\"tiny\",\"messages\":7}");
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_REFUSE);
    bz_tx_free(tx);
    assert_int_equal(once(GW_LIMITED, "tiny"), 200); /* nothing is counted as running */
    assert_int_equal(once(GW_LIMITED, "tiny"), 200);
    assert_int_equal(once(GW_LIMITED, "tiny"), 429); /* but it was a request */
}

static void prompt_tokens_are_estimated_then_corrected(void **state) {
    /* 320 bytes: 80 of 100 tokens; the server says 10 */
    assert_int_equal(served(GW_LIMITED, text_of(320), 10, 1), 200);
    assert_int_equal(served(GW_LIMITED, text_of(320), 10, 1), 200);
    uint16_t status;
    struct bz_tx *tx = ask(GW_LIMITED, "tiny", text_of(344), &status); /* 86 > 100 - 20 */
    assert_int_equal(status, 429);
    assert_true(gw_contains(bz_tx_reply(tx)->body, "prompt tokens"));
    bz_tx_free(tx);
}

static void the_estimate_stands_while_in_flight(void **state) {
    uint16_t status;
    struct bz_tx *tx = ask(GW_LIMITED, "tiny", text_of(320), &status);
    assert_int_equal(status, 200);
    struct bz_header h[10];
    size_t n = bz_tx_headers(tx, h, 10);
    assert_true(bz_view_eq(header(h, n, "x-ratelimit-remaining-tokens"), BZ_V("20")));
    bz_tx_close(tx, gw_now(&g)); /* never sent: all of it comes back */
    bz_tx_free(tx);
    tx = ask(GW_LIMITED, "tiny", text_of(320), &status);
    assert_int_equal(status, 200);
    bz_tx_free(tx);
}

static void failures_of_the_server_cost_no_tokens(void **state) {
    assert_int_equal(served(GW_LIMITED, text_of(320), 0, 0), 200);
    assert_int_equal(served(GW_LIMITED, text_of(320), 0, 0), 200);
    assert_int_equal(served(GW_LIMITED, text_of(320), 0, 0), 200);
}

/* A prompt above the whole burst needs a full bucket and leaves a debt; it is never impossible. */
static void long_prompts_pass_once(void **state) {
    assert_int_equal(served(GW_LIMITED, text_of(800), 200, 1), 200);
    assert_int_equal(served(GW_LIMITED, "hi", 1, 1), 429);
    g.mono_ns +=
        59 *
        SECOND; /* 200 tokens at 100 a minute: free again after two minutes, one token sooner */
    assert_int_equal(served(GW_LIMITED, "hi", 1, 1), 429);
    g.mono_ns += 3 * SECOND;
    assert_int_equal(served(GW_LIMITED, "hi", 1, 1), 200);
}

static void completion_tokens_are_charged_afterwards(void **state) {
    assert_int_equal(served(GW_LIMITED, "hi", 1, 30), 200);
    assert_int_equal(served(GW_LIMITED, "hi", 1, 45), 200); /* 25 over */
    uint16_t status;
    struct bz_tx *tx = ask(GW_LIMITED, "tiny", "hi", &status);
    assert_int_equal(status, 429);
    assert_true(gw_contains(bz_tx_reply(tx)->body, "completion tokens"));
    bz_tx_free(tx);
    g.mono_ns += 29 * SECOND; /* 50 a minute: 26 tokens in 31.2 s */
    assert_int_equal(served(GW_LIMITED, "hi", 1, 1), 429);
    g.mono_ns += 3 * SECOND;
    assert_int_equal(served(GW_LIMITED, "hi", 1, 1), 200);
}

static void answers_count_as_requests(void **state) {
    for (int i = 0; i < 4; i++) {
        struct gw_req r;
        enum bz_verdict v;
        gw_req_init(&r, &g, GW_LIMITED, "GET", "/v1/models", NULL);
        struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
        assert_int_equal(v, i < 3 ? BZ_VERDICT_ANSWER : BZ_VERDICT_REFUSE);
        bz_tx_free(tx);
    }
}

/* A body of exactly n bytes, fed to the end without a look at bz_tx_body_max. */
static uint16_t sized(enum gw_key key, const char *model, size_t n, bool chunked,
                      enum bz_verdict *ret_head) {
    struct gw_req r;
    char body[1024];
    int at = snprintf(body, sizeof body, "{\"model\":\"%s\"," MSG "}", model);
    assert_true(at > 0 && (size_t)at <= n && n < sizeof body);
    memset(body + at, ' ', n - (size_t)at);
    body[n] = '\0';
    gw_req_init(&r, &g, key, "POST", CHAT, body);
    if (chunked) {
        r.head.chunked = true;
        r.head.content_length = -1;
    }
    struct bz_tx *tx = NULL;
    assert_int_equal(bz_tx_new(&g.env, gw_heap_alloc(&heap), gw_now(&g), 1, ++g.next_id, &tx),
                     BZ_OK);
    enum bz_verdict v = *ret_head = bz_tx_begin(tx, &r.head);
    if (v == BZ_VERDICT_BODY)
        v = bz_tx_body(tx, r.body, gw_now(&g));
    uint16_t status = v == BZ_VERDICT_FORWARD ? 200 : bz_tx_reply(tx)->status;
    if (status != 200)
        assert_true(gw_contains(bz_tx_reply(tx)->body, "body_too_large"));
    bz_tx_free(tx);
    return status;
}

static void bodies_of_a_key_and_a_user(void **state) {
    static const struct {
        enum gw_key key;
        size_t most;
    } all[] = {{GW_SIZED, 400}, {GW_SIZED2, 450}}; /* the smallest of all that apply */
    enum bz_verdict head;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_int_equal(sized(all[i].key, "tiny", all[i].most, false, &head), 200);
        assert_int_equal(sized(all[i].key, "tiny", all[i].most + 1, false, &head), 413);
        assert_int_equal(head, BZ_VERDICT_REFUSE); /* before a byte of it is read */
        assert_int_equal(sized(all[i].key, "tiny", all[i].most, true, &head), 200);
        assert_int_equal(sized(all[i].key, "tiny", all[i].most + 1, true, &head), 413);
        assert_int_equal(head, BZ_VERDICT_BODY);
    }
    assert_int_equal(sized(GW_USER, "tiny", 1000, false, &head), 200);
}

static void the_server_is_told_how_much_to_read(void **state) {
    struct gw_req r;
    struct bz_tx *tx = NULL;
    gw_req_init(&r, &g, GW_SIZED2, "POST", CHAT, "{\"model\":\"tiny\"," MSG "}");
    assert_int_equal(bz_tx_new(&g.env, gw_heap_alloc(&heap), gw_now(&g), 1, 1, &tx), BZ_OK);
    assert_int_equal(bz_tx_body_max(tx), 1 << 20);
    assert_int_equal(bz_tx_begin(tx, &r.head), BZ_VERDICT_BODY);
    assert_int_equal(bz_tx_body_max(tx), 450);
    bz_tx_free(tx);
}

static void bodies_of_a_model(void **state) {
    enum bz_verdict head;
    assert_int_equal(sized(GW_USER, "metered", 351, false, &head), 413);
    assert_int_equal(head, BZ_VERDICT_BODY); /* the model stands in the body */
    assert_int_equal(sized(GW_USER, "metered", 350, false, &head), 200); /* of one a second */
    assert_int_equal(sized(GW_SIZED, "metered", 351, true, &head), 413);
    g.mono_ns += SECOND;
    assert_int_equal(sized(GW_SIZED, "metered", 350, true, &head), 200);
}

static void strangers_take_nothing(void **state) {
    for (int i = 0; i < 50; i++) {
        assert_int_equal(once(GW_STRANGER, "tiny"), 401);
        assert_int_equal(once(GW_KEYS, "tiny"), 401);
    }
    assert_int_equal(once(GW_LIMITED, "tiny"), 200);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_instance, close_instance)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(requests_of_a_key),
        TEST(headers_while_there_is_room),
        TEST(anthropic_headers),
        TEST(requests_of_a_user_over_all_keys),
        TEST(requests_of_a_model),
        TEST(absurd_counts),
        TEST(concurrent_requests),
        TEST(half_sent_bodies_are_concurrent),
        TEST(every_answer_is_charged),
        TEST(uncounted_replies_are_estimated),
        TEST(a_refused_request_leaves_once),
        TEST(a_refused_body_leaves_nothing_behind),
        TEST(prompt_tokens_are_estimated_then_corrected),
        TEST(the_estimate_stands_while_in_flight),
        TEST(failures_of_the_server_cost_no_tokens),
        TEST(long_prompts_pass_once),
        TEST(completion_tokens_are_charged_afterwards),
        TEST(answers_count_as_requests),
        TEST(bodies_of_a_key_and_a_user),
        TEST(the_server_is_told_how_much_to_read),
        TEST(bodies_of_a_model),
        TEST(strangers_take_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
