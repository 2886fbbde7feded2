/* What one transaction costs, phase by phase: head, body, decision record, reply, closing record
 * and end. Median of rounds, ns; then the least, which a noisy machine disturbs less, and the calls
 * of the allocator. Usage: bench_tx [rounds [bytes]]; with `bytes` only that size, for a profiler.
 * The digest of the bodies is shown by itself: it grows with every byte and is part of `body` and
 * `reply`. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gw_fixture.h"

enum phase {
    PHASE_NEW,
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_RECORD,
    PHASE_REPLY,
    PHASE_CLOSE,
    PHASE_COUNT
};
static const char *const phase_names[PHASE_COUNT] = {"new",    "head",  "body",
                                                     "record", "reply", "close"};
enum { BATCH = 16, ROUNDS_MAX = 1000 };

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The heap, counted. */
static void *counted_alloc(void *ctx, size_t n) {
    size_t *calls = ctx;
    ++*calls;
    return malloc(n);
}

static void counted_free(void *ctx, void *p) {
    (void)ctx;
    free(p);
}

static double median(double *v, size_t n) {
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

/* A chat of about `n` bytes, in messages of at most 2,000. */
static char *chat_body(size_t n, bool stream) {
    struct bz_buf b;
    char *p = malloc(n + 4096);
    if (p == NULL)
        abort();
    bz_buf_init_fixed(&b, p, n + 4096);
    bz_buf_puts(&b, "{\"model\":\"tiny\",\"temperature\":0.7,\"max_tokens\":64,\"stream\":");
    bz_buf_puts(&b, stream ? "true,\"messages\":[" : "false,\"messages\":[");
    for (bool first = true; b.n < n || first; first = false) {
        size_t text = n > b.n + 40 ? n - b.n - 40 : 8;
        bz_buf_puts(&b, first ? "{\"role\":\"user\",\"content\":\""
                              : ",{\"role\":\"user\",\"content\":\"");
        for (size_t i = 0; i < text && i < 2000; i++)
            bz_buf_putc(&b, (uint8_t) "the quick brown fox jumps over a lazy dog "[i % 42]);
        bz_buf_puts(&b, "\"}");
    }
    bz_buf_puts(&b, "]}");
    bz_buf_putc(&b, 0);
    if (bz_buf_status(&b) != BZ_OK)
        abort();
    return p;
}

static const char reply_json[] =
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"tiny\","
    "\"choices\":[{\"index\":0,\"message\":"
    "{\"role\":\"assistant\",\"content\":\"hello, this is a short reply of the "
    "model\"},\"finish_reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":9,\"total_tokens\":21}}";

struct batch {
    struct bz_tx *tx[BATCH];
    struct bz_buf record, out;
    uint64_t ns[PHASE_COUNT];
    size_t allocs;
};

static void must(bool ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "bench_tx: %s\n", what);
        exit(1);
    }
}

static void one_reply(struct gw *g, struct bz_tx *tx, struct bz_buf *out) {
    static const struct bz_reply_head h = {
        200, {(const uint8_t *)"application/json", 16}, {NULL, 0}, sizeof reply_json - 1};
    (void)bz_tx_reply_head(tx, &h, gw_now(g));
    must(bz_tx_reply_feed(tx, bz_view(reply_json, sizeof reply_json - 1), out, gw_now(g)) == BZ_OK,
         "reply");
    must(bz_tx_reply_end(tx, true, out, gw_now(g)) == BZ_OK && bz_tx_reply(tx)->status == 200,
         "reply end");
}

/* Each phase over the whole batch, so that the clock costs nothing and the caches are as cold as in
 * a busy worker. */
static void run_batch(struct gw *g, const struct gw_req *r, struct batch *b) {
    struct bz_backend backend;
    struct bz_alloc heap = {counted_alloc, counted_free, &b->allocs};
    uint64_t t[PHASE_COUNT + 1];
    b->allocs = 0;
    t[0] = now_ns();
    for (int i = 0; i < BATCH; i++)
        must(bz_tx_new(&g->env, heap, gw_now(g), 1, g->next_id++, &b->tx[i]) == BZ_OK, "new");
    t[1] = now_ns();
    for (int i = 0; i < BATCH; i++)
        must(bz_tx_begin(b->tx[i], &r->head) == BZ_VERDICT_BODY, "head");
    t[2] = now_ns();
    for (int i = 0; i < BATCH; i++)
        must(bz_tx_body(b->tx[i], r->body, gw_now(g)) == BZ_VERDICT_FORWARD, "body");
    t[3] = now_ns();
    for (int i = 0; i < BATCH; i++) {
        bz_buf_reset(&b->record);
        bz_tx_record(b->tx[i], BZ_RECORD_DECISION, 0, false, gw_now(g), &b->record);
        must(bz_tx_backend(b->tx[i], gw_now(g), &backend), "backend");
    }
    t[4] = now_ns();
    for (int i = 0; i < BATCH; i++) {
        bz_tx_drop_body(b->tx[i]);
        one_reply(g, b->tx[i], &b->out);
    }
    t[5] = now_ns();
    for (int i = 0; i < BATCH; i++) {
        struct bz_header h[10];
        bz_buf_reset(&b->record);
        (void)bz_tx_headers(b->tx[i], h, 10);
        bz_tx_record(b->tx[i], BZ_RECORD_CLOSE, 0, false, gw_now(g), &b->record);
        bz_tx_close(b->tx[i], gw_now(g));
        bz_tx_free(b->tx[i]);
    }
    t[6] = now_ns();
    for (int p = 0; p < PHASE_COUNT; p++)
        b->ns[p] = t[p + 1] - t[p];
}

static double digest_ns(size_t n) {
    uint8_t key[BZ_KEY_LEN] = {1}, out[16], *p = calloc(1, n);
    must(p != NULL, "memory");
    uint64_t t = now_ns();
    for (uint64_t i = 0; i < 500; i++)
        bz_body_digest(key, i, bz_view(p, n), out);
    t = now_ns() - t;
    free(p);
    return (double)t / 500;
}

static void bench(struct gw *g, size_t n, size_t rounds) {
    static double ns[PHASE_COUNT][ROUNDS_MAX], sum[ROUNDS_MAX];
    struct gw_req r;
    struct batch b;
    char *body = chat_body(n, false);
    gw_req_init(&r, g, GW_USER, "POST", "/v1/chat/completions", body);
    bz_buf_init(&b.record, BZ_RECORD_MAX);
    bz_buf_init(&b.out, 1u << 20);
    for (size_t k = 0; k < rounds + 3; k++) {
        run_batch(g, &r, &b);
        if (k < 3)
            continue;
        sum[k - 3] = 0;
        for (int p = 0; p < PHASE_COUNT; p++) {
            ns[p][k - 3] = (double)b.ns[p] / BATCH;
            sum[k - 3] += ns[p][k - 3];
        }
    }
    printf("%7zu", r.body.n);
    for (int p = 0; p < PHASE_COUNT; p++)
        printf(" %9.0f", median(ns[p], rounds));
    printf(" %9.0f", median(sum, rounds)); /* sorted now: the least comes first */
    printf(" %9.0f %9.1f %9.0f\n", sum[0], (double)b.allocs / BATCH, digest_ns(r.body.n));
    bz_buf_free(&b.record);
    bz_buf_free(&b.out);
    free(body);
}

/* One SSE event after the other of streams that are open already, in turn: with many streams their
 * state has left the near caches when the next event comes. */
enum { STREAMS = 300, EVENT_MAX = 512, WORDS = 10 };

static struct bz_tx *open_stream(struct gw *g, const char *body) {
    struct gw_req r;
    struct bz_backend backend;
    struct bz_tx *tx = NULL;
    const struct bz_reply_head h = {200, BZ_V("text/event-stream"), {NULL, 0}, -1};
    gw_req_init(&r, g, GW_USER, "POST", "/v1/chat/completions", body);
    must(bz_tx_new(&g->env, bz_alloc_heap, gw_now(g), 1, g->next_id++, &tx) == BZ_OK &&
             bz_tx_begin(tx, &r.head) == BZ_VERDICT_BODY &&
             bz_tx_body(tx, r.body, gw_now(g)) == BZ_VERDICT_FORWARD &&
             bz_tx_backend(tx, gw_now(g), &backend) &&
             bz_tx_reply_head(tx, &h, gw_now(g)) == BZ_REPLY_STREAM,
         "stream");
    return tx;
}

static size_t write_event(char event[EVENT_MAX], const char *word) {
    int n = snprintf(event, EVENT_MAX,
                     "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,"
                     "\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},"
                     "\"finish_reason\":null}]}\n\n",
                     word);
    must(n > 0 && n < EVENT_MAX, "event");
    return (size_t)n;
}

static void bench_event(struct gw *g, const char *what, const char *const words[WORDS],
                        size_t streams, size_t rounds) {
    static double ns[ROUNDS_MAX];
    static char events[WORDS][EVENT_MAX];
    static size_t sizes[WORDS];
    static struct bz_tx *tx[STREAMS];
    struct bz_buf out;
    char *body = chat_body(500, true);
    for (size_t i = 0; i < WORDS; i++)
        sizes[i] = write_event(events[i], words[i]);
    for (size_t i = 0; i < streams; i++)
        tx[i] = open_stream(g, body);
    bz_buf_init(&out, 1u << 20);
    for (size_t k = 0; k < rounds; k++) {
        uint64_t t = now_ns();
        for (size_t i = 0; i < STREAMS * WORDS; i++) {
            size_t w = i / streams % WORDS;
            bz_buf_reset(&out);
            must(bz_tx_reply_feed(tx[i % streams], bz_view(events[w], sizes[w]), &out, gw_now(g)) ==
                     BZ_OK,
                 "event");
        }
        ns[k] = (double)(now_ns() - t) / (STREAMS * WORDS);
    }
    printf("one event, %-22s %3zu streams: %5.0f ns, least %5.0f\n", what, streams,
           median(ns, rounds), ns[0]);
    bz_buf_free(&out);
    for (size_t i = 0; i < streams; i++)
        bz_tx_free(tx[i]);
    free(body);
}

static void bench_events(struct gw *g, bool guarded, size_t rounds) {
    static const char *const prose[WORDS] = {" the",  " quick",  " brown", " fox",  " jumps",
                                             " over", " a lazy", " dog,",  " then", " rests."};
    static const char *const numbers[WORDS] = {" 1763",  "8862", "0041", "77",    " 4012",
                                               "888888", "88",   "1881", " 3141", "5926"};
    for (size_t n = 1; n <= STREAMS; n += STREAMS - 1) {
        bench_event(g, guarded ? "guard, prose," : "no screening,", prose, n, rounds);
        if (guarded)
            bench_event(g, "guard, numbers,", numbers, n, rounds);
    }
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {500, 4000, 64000};
    static const struct bz_data_config defaults = {.restore_s = 3600, .hold_ms = 2000};
    struct gw g;
    size_t rounds = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 101;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    (void)mallopt(M_TRIM_THRESHOLD,
                  256 << 20); /* as the worker does: freed memory is not given back at once */
    (void)mallopt(M_MMAP_THRESHOLD, 256 << 20);
    (void)mallopt(M_TOP_PAD, 16 << 20);
    must(gw_open(&g, GW_LLAMA), "instance");
    printf("%7s", "bytes");
    for (int p = 0; p < PHASE_COUNT; p++)
        printf(" %9s", phase_names[p]);
    printf(" %9s %9s %9s %9s\n", "all", "least", "allocs", "(digest)");
    if (argc > 2) {
        bench(&g, (size_t)strtoul(argv[2], NULL, 10), rounds);
    } else {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            bench(&g, sizes[i], rounds);
        bench_events(&g, false, rounds);
    }
    gw_close(&g);
    if (argc <= 2) {
        must(gw_open_data(&g, GW_LLAMA, &defaults), "instance with data protection");
        bench_events(&g, true, rounds);
        gw_close(&g);
    }
    return 0;
}
