/* Instances of one policy behind every server, and one request with its reply through them. */
#ifndef BARTIZAN_TESTS_TX_HOUSE_H
#define BARTIZAN_TESTS_TX_HOUSE_H

#include "gw_fixture.h"
#include "tx_agent.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define BAD "zzforbiddenzz" /* stands in the arguments of what must not pass */
#define BASE                                                                                       \
    "version: 1\nlisten: 127.0.0.1:8443\nbackends: [{name: a, type: openai, url: "                 \
    "\"http://127.0.0.1:1\"}]\n"

struct house {
    struct gw llama, ollama;
};

static bool open_house(struct house *h, const char *yaml, const struct bz_approval *v, size_t n) {
    struct bz_config *c = NULL;
    struct bz_config_error errs[4];
    size_t errs_n = 0;
    if (bz_config_parse(bz_view_str(yaml), &c, errs, 4, &errs_n) != BZ_OK) {
        print_error("%s: %s\n", errs[0].path, errs[0].text);
        return false;
    }
    bool ok = gw_open_policy(&h->llama, GW_LLAMA, c, v, n) &&
              gw_open_policy(&h->ollama, GW_OLLAMA, c, v, n);
    bz_config_free(c);
    return ok;
}

static void close_house(struct house *h) {
    gw_close(&h->llama);
    gw_close(&h->ollama);
}

static struct gw *gw_of(struct house *h, enum form f) {
    return f == F_OLLAMA ? &h->ollama : &h->llama;
}

/* ---- a run ---- */

struct run {
    struct gw *gw;
    struct gw_heap heap;
    struct bz_tx *tx;
    enum bz_verdict verdict;
    struct bz_buf out;
    enum bz_status st;
};

static void send_body(struct run *r, struct gw *gw, const char *path, struct bz_view body,
                      const char *label) {
    static char text[1 << 16];
    struct gw_req q;
    struct bz_backend b;
    *r = (struct run){.gw = gw};
    assert_true(body.n < sizeof text);
    memcpy(text, body.p, body.n);
    text[body.n] = '\0';
    gw_req_init(&q, gw, GW_USER, "POST", path, text);
    gw_req_header(&q, "x-bartizan-conversation", "one");
    if (label != NULL)
        gw_req_header(&q, "x-bartizan-label", label);
    r->tx = gw_send(gw, &q, gw_heap_alloc(&r->heap), &r->verdict);
    assert_non_null(r->tx);
    bz_buf_init(&r->out, 1u << 20);
    if (r->verdict != BZ_VERDICT_FORWARD)
        return;
    assert_true(bz_tx_backend(r->tx, gw_now(gw), &b));
}

static void ask(struct run *r, struct house *h, const struct asked *q) {
    struct bz_buf b;
    bz_buf_init(&b, 1 << 16);
    put_request(&b, q);
    send_body(r, gw_of(h, q->form), path_of(q->form), bz_buf_view(&b), q->label);
    bz_buf_free(&b);
}

static void answer(struct run *r, bool stream, enum form f, struct bz_view reply, size_t cut) {
    struct bz_reply_head h = {200, BZ_V("application/json"), {NULL, 0}, -1};
    if (stream)
        h.content_type = f == F_OLLAMA ? BZ_V("application/x-ndjson") : BZ_V("text/event-stream");
    r->st = gw_reply(r->gw, r->tx, &h, reply, cut, true, &r->out);
}

static struct bz_view got(const struct run *r) {
    return r->out.n > 0 || bz_tx_reply(r->tx) == NULL ? bz_buf_view(&r->out)
                                                      : bz_tx_reply(r->tx)->body;
}

static void done(struct run *r) {
    bz_tx_free(r->tx);
    assert_int_equal(r->heap.live, 0);
    bz_buf_free(&r->out);
}

#endif
