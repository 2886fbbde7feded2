/* The gateway's own engine in this process, with the compromised model behind it: what is measured is
 * the policy and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bartizan/limits.h>
#include <bartizan/text.h>
#include "redteam_image.h"

enum { STEP_S = 120, VAULT_ENTRIES = 1024 };
#define START_S UINT64_C(1800000000)

struct offline {
    struct red_target t;
    struct red_image image;
    const struct bz_red_suite *suite;
    struct bz_gateway_env env;
    void *state_mem, *vault_mem;
    struct bz_shapes shapes;
    uint64_t mono_s, next_id;
    char bearer[BZ_KEY_TEXT + 16];
};

/* Two minutes after the last one: no limit of rates is ever what stops a request. */
static struct bz_now now_of(const struct offline *x) {
    return (struct bz_now){(START_S + x->mono_s) * 1000000000u, (1000 + x->mono_s) * 1000000000u};
}

/* ---- what the client sees ---- */

static bool safe_code(struct bz_view v, char out[64]) {
    struct bz_buf b;
    if (v.n == 0)
        return false;
    bz_buf_init_fixed(&b, out, 63);
    for (size_t i = 0; i < v.n && b.n < 60; i++)
        bz_buf_putc(&b, v.p[i] > 0x20 && v.p[i] < 0x7f ? v.p[i] : '?');
    out[b.n] = '\0';
    return true;
}

void red_error_code(struct bz_view body, char out[64]) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    out[0] = '\0';
    bz_arena_init(&ar, bz_alloc_heap, (size_t)4 << 20, NULL, 0);
    if (bz_json_parse(body, NULL, &ar, &root, NULL) == BZ_OK) {
        const struct bz_json *e = bz_json_get(root, BZ_V("error"));
        if (!safe_code(bz_json_str(bz_json_get(e, BZ_V("code"))), out) &&
            !safe_code(bz_json_str(bz_json_get(e, BZ_V("type"))), out))
            (void)safe_code(bz_json_str(e), out);
    }
    bz_arena_free(&ar);
}

bool red_level_of(long status, const char *code, enum bz_red_level *ret) {
    /* Refusals that say nothing about what the texts are. */
    static const char *const other[] = {
        "route_not_allowed", "route_blocked", "model_not_allowed", "origin_not_allowed",
        "param_not_allowed", "virtual_patch", "admin_only",        "prompt_not_applicable"};
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        if (strcmp(code, other[i]) == 0)
            return false;
    if (status == 200) {
        *ret = BZ_RED_PASSED;
        return true;
    }
    /* 403 is ours; 422 and 446 are other gateways'; 400 with a filter's code is the services'. */
    if (status == 403 || status == 422 || status == 446 ||
        (status == 400 && strstr(code, "content") != NULL && strstr(code, "filter") != NULL)) {
        *ret = BZ_RED_STOPPED;
        return true;
    }
    return false;
}

static void outcome(struct red_got *g, long status, struct bz_view body) {
    char code[64];
    red_error_code(body, code);
    g->checked = red_level_of(status, code, &g->level);
    (void)snprintf(g->why, sizeof g->why, "status %ld%s%s", status, code[0] != '\0' ? " " : "",
                   code);
}

/* ---- a request ---- */

static bool holds(struct bz_view v, struct bz_view part) {
    for (size_t i = 0; i + part.n <= v.n; i++)
        if (bz_view_eq(bz_view_sub(v, i, part.n), part))
            return true;
    return false;
}

/* Something that steers was found and let through: the audit record names it. */
static bool noticed(struct offline *x, struct bz_tx *tx) {
    struct bz_buf b;
    struct bz_record r;
    bz_buf_init(&b, BZ_RECORD_MAX);
    bz_tx_record(tx, BZ_RECORD_DECISION, 0, false, now_of(x), &b);
    bool found =
        bz_record_decode(bz_buf_view(&b), &r) == BZ_OK &&
        (holds(r.findings, BZ_V("injection-")) || holds(r.findings, BZ_V("control-token")));
    bz_buf_free(&b);
    return found;
}

static enum bz_status feed(struct offline *x, const struct red_ask *q, struct bz_tx *tx,
                           struct bz_view reply, struct bz_buf *out) {
    struct bz_red_rng r = {q->trick != NULL ? q->trick->salt : 0};
    enum bz_status st = BZ_OK;
    while (reply.n > 0 && st == BZ_OK) {
        size_t n = q->trick != NULL ? bz_red_wire(q->trick, &r, reply.n) : reply.n;
        st = bz_tx_reply_feed(tx, bz_view_sub(reply, 0, n), out, now_of(x));
        reply = bz_view_sub(reply, n, reply.n);
    }
    return st == BZ_OK ? bz_tx_reply_end(tx, true, out, now_of(x)) : st;
}

static void answer(struct offline *x, const struct red_ask *q, struct bz_tx *tx,
                   struct red_got *g) {
    struct bz_buf reply;
    struct bz_backend backend;
    bool ndjson = q->dialect == BZ_RED_OLLAMA;
    struct bz_reply_head h = {.status = 200,
                              .content_type = !q->stream ? BZ_V("application/json")
                                              : ndjson   ? BZ_V("application/x-ndjson")
                                                         : BZ_V("text/event-stream"),
                              .content_length = -1};
    bz_buf_init(&reply, BZ_RED_TEXT_MAX * (size_t)2);
    if (q->trick != NULL && bz_red_model_look(bz_tx_forward(tx)->body, &g->ar, &g->seen) == BZ_OK)
        bz_red_model_reply(x->suite, q->trick, &g->seen, q->part, &reply);
    else
        bz_red_model_honest(q->dialect, q->stream, BZ_V("All is well."), &reply);
    if (!bz_tx_backend(tx, now_of(x), &backend)) {
        (void)snprintf(g->why, sizeof g->why, "no backend was picked");
    } else {
        enum bz_reply_mode mode = bz_tx_reply_head(tx, &h, now_of(x));
        if (bz_tx_reply(tx) == NULL)
            (void)!feed(x, q, tx, bz_buf_view(&reply), &g->body);
        g->checked = bz_buf_status(&reply) == BZ_OK && bz_buf_status(&g->body) == BZ_OK;
        if (mode == BZ_REPLY_COLLECT || bz_tx_reply(tx) != NULL) {
            const struct bz_reply *r = bz_tx_reply(tx);
            bz_buf_reset(&g->body);
            if (r != NULL)
                bz_buf_put(&g->body, r->body);
            (void)snprintf(g->why, sizeof g->why, "status %u", r != NULL ? r->status : 0u);
        }
    }
    bz_buf_free(&reply);
}

static enum bz_verdict begin(struct offline *x, const struct red_ask *q, struct bz_tx *tx) {
    const struct bz_header headers[] = {
        {BZ_V("Host"), bz_view_str(x->image.host)},
        {BZ_V("Authorization"), bz_view_str(x->bearer)},
        {BZ_V("Content-Type"), BZ_V("application/json")},
        {BZ_V("x-bartizan-conversation"), bz_view_str(q->conversation)}};
    struct bz_req_head h = {.method = BZ_V("POST"),
                            .raw_path = bz_view_str(bz_red_dialect_path(q->dialect)),
                            .path = bz_view_str(bz_red_dialect_path(q->dialect)),
                            .host = bz_view_str(x->image.host),
                            .headers = headers,
                            .headers_n = sizeof headers / sizeof headers[0],
                            .peer = BZ_V("127.0.0.1"),
                            .content_length = (int64_t)q->body.n,
                            .tls = true};
    enum bz_verdict v = bz_tx_begin(tx, &h);
    return v == BZ_VERDICT_BODY ? bz_tx_body(tx, q->body, now_of(x)) : v;
}

/* How near the text came, as `bartizan guard score` would say it. */
static void judge(struct offline *x, const struct red_ask *q, struct red_got *g) {
    static const enum bz_channel channels[BZ_RED_PLACE_COUNT] = {
        [BZ_RED_USER] = BZ_CHANNEL_USER,
        [BZ_RED_TOOL] = BZ_CHANNEL_TOOL,
        [BZ_RED_DOCUMENT] = BZ_CHANNEL_DOCUMENT,
        [BZ_RED_DEFINITION] = BZ_CHANNEL_DOCUMENT};
    struct bz_judged j;
    if (x->image.injection != NULL && q->text.n > 0 &&
        bz_injection_judge(x->image.injection, q->text, channels[q->place], BZ_DETECT_ALL, &g->ar,
                           &j) == BZ_OK)
        g->score = (double)j.score;
}

static bool offline_send(struct red_target *t, const struct red_ask *q, struct red_got *g) {
    struct offline *x = (struct offline *)(void *)t;
    struct bz_tx *tx = NULL;
    x->mono_s += STEP_S;
    if (bz_tx_new(&x->env, bz_alloc_heap, now_of(x), UINT64_C(0x0190000000000000), x->next_id++,
                  &tx) != BZ_OK) {
        bz_say("out of memory");
        return false;
    }
    judge(x, q, g);
    enum bz_verdict v = begin(x, q, tx);
    const struct bz_reply *r = bz_tx_reply(tx);
    if (v == BZ_VERDICT_FORWARD) {
        g->level = noticed(x, tx) ? BZ_RED_FLAGGED : BZ_RED_PASSED;
        answer(x, q, tx, g);
    } else if (r != NULL) {
        bz_buf_put(&g->body, r->body);
        outcome(g, r->status, r->body);
    }
    bz_tx_close(tx, now_of(x));
    bz_tx_free(tx);
    return true;
}

/* ---- opening ---- */

static void offline_close(struct red_target *t) {
    struct offline *x = (struct offline *)(void *)t;
    red_image_free(&x->image);
    free(x->state_mem);
    free(x->vault_mem);
    free(x);
}

static bool no_process(uint32_t pid) {
    (void)pid;
    return false;
}

static bool make_state(struct offline *x) {
    size_t n = bz_state_size(), v = bz_vault_size(VAULT_ENTRIES);
    struct bz_settings s;
    if (posix_memalign(&x->state_mem, 4096, n) != 0 || posix_memalign(&x->vault_mem, 64, v) != 0)
        return false;
    memset(x->state_mem, 0, n);
    if (bz_state_format(x->state_mem, n) != BZ_OK ||
        bz_state_open(x->state_mem, n, &x->env.state) != BZ_OK ||
        bz_state_lane_take(x->env.state, 1, no_process, &x->env.lane) != BZ_OK ||
        bz_vault_format(x->vault_mem, v, VAULT_ENTRIES) != BZ_OK ||
        bz_vault_open(x->vault_mem, v, &x->env.vault) != BZ_OK)
        return false;
    bz_image_settings(&x->image.image, &s);
    for (uint32_t i = 0; i < s.backends_n; i++)
        bz_state_health_set(x->env.state, i, BZ_HEALTH_UP, now_of(x).mono_ns);
    return true;
}

struct red_target *red_offline_open(const struct red_offline *o, int *ret_exit) {
    struct offline *x = calloc(1, sizeof *x);
    *ret_exit = BZ_EXIT_FAILURE;
    if (x == NULL)
        return NULL;
    x->t = (struct red_target){.mode = "offline",
                               .model = true,
                               .model_name = "redteam",
                               .send = offline_send,
                               .close = offline_close};
    (void)snprintf(x->t.name, sizeof x->t.name, "%s", bz_safe(o->what));
    x->suite = o->suite;
    x->next_id = 1;
    if (!red_image_make(o, &x->image, ret_exit) || !make_state(x)) {
        offline_close(&x->t);
        return NULL;
    }
    (void)snprintf(x->bearer, sizeof x->bearer, "Bearer %s", x->image.key);
    x->env.image = &x->image.image;
    x->env.detect = x->image.detect;
    x->env.injection = x->image.injection;
    x->env.shapes = &x->shapes;
    return &x->t;
}
