/* One request's whole life from hostile bytes, client's and server's. Input: four bytes (setup and whether texts are judged,
 * key, flags, cut), then fields that end in NUL: method, path, query, host, header lines, body,
 * reply head (status, type, encoding, length: one per line), and the reply's bytes to the end. */
#include <stdlib.h>
#include <string.h>

#include "gw_fixture.h"

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

enum { FLAG_CHUNKED = 1, FLAG_OTHER_RAW = 2, FLAG_LENGTH = 4, FLAG_BROKEN = 8, FLAG_NO_TYPE = 16 };
enum { OUT_MAX = 1 << 20 };

struct input {
    struct gw *g;
    enum gw_key key;
    bool steered;
    uint8_t flags, cut;
    struct bz_view method, path, query, host, headers, body, head, reply;
};

struct outcome {
    enum bz_verdict verdict;
    enum bz_reply_mode mode;
    uint16_t status;
    bool fine;
    struct bz_buf bytes; /* what the client gets: a stream's events or the reply's body */
};

static struct bz_view next(struct bz_view *rest, uint8_t end) {
    const uint8_t *at = rest->n > 0 ? memchr(rest->p, end, rest->n) : NULL;
    struct bz_view ret = bz_view_sub(*rest, 0, at != NULL ? (size_t)(at - rest->p) : rest->n);
    *rest = bz_view_sub(*rest, ret.n + (at != NULL), rest->n);
    return ret;
}

#define OURS "Text-of-ours"

static const char rules[] = "version: 1\nfamily: turnip\nabout: Words of the harness.\nrules:\n"
                            "  - id: turnip-order\n    languages: [en]\n"
                            "    patterns: ['obey the turnip']\n"
                            "    score: {user: 0.6, tool: 0.9, document: 0.9}\n"
                            "    refs: [LLM01:2025]\n    what: tells to obey a turnip\n"
                            "    match: [Please obey the turnip.]\n    pass: [A turnip.]\n";

static struct bz_injection *judge(void) {
    static struct bz_injection *handle;
    static struct bz_buf pack;
    struct bz_rule_file file = {BZ_V("turnip.yaml"), bz_view(rules, sizeof rules - 1)};
    struct bz_rule_error err;
    struct bz_buf compiled;
    if (handle != NULL)
        return handle;
    bz_buf_init(&compiled, 32u << 20);
    bz_buf_init(&pack, 32u << 20);
    MUST(bz_rules_compile(&file, 1, &compiled, &err) == BZ_OK &&
         bz_injection_pack(bz_buf_view(&compiled), (struct bz_view){NULL, 0}, &pack) == BZ_OK &&
         bz_injection_open(bz_buf_view(&pack), &handle) == BZ_OK);
    bz_buf_free(&compiled);
    return handle;
}

/* With texts judged, a prompt of ours, marks: a treatment of the client's own per setup. */
static void open_steered(struct gw *g, unsigned setup) {
    const struct bz_config c = {
        .injection = {.mode = BZ_INJECTION_ON,
                      .detectors = BZ_DETECT_RULES,
                      .channel = {{BZ_ACTION_RECORD, BZ_ACTION_COACH, 50, 75},
                                  {BZ_ACTION_RECORD, BZ_ACTION_BLOCK, 50, 75},
                                  {BZ_ACTION_RECORD, BZ_ACTION_BLOCK, 50, 75}}}};
    const struct bz_prompt_rule rule = {.id = BZ_V("ours@1:00"),
                                        .text = BZ_V(OURS),
                                        .client =
                                            (enum bz_client_system)(setup % BZ_CLIENT_SYSTEM_COUNT),
                                        .marking = (enum bz_marking)(setup % BZ_MARKING_COUNT),
                                        .tokens = (enum bz_token_action)(setup % BZ_TOKENS_COUNT),
                                        .canary = true};
    struct bz_view blobs[BZ_BLOB_COUNT] = {{NULL, 0}};
    struct bz_buf judging, prompts;
    bz_buf_init(&judging, 1u << 20);
    bz_buf_init(&prompts, 1u << 20);
    MUST(bz_judging_compile(&c, NULL, 0, &judging) == BZ_OK);
    MUST(bz_prompts_compile(&rule, 1, NULL, 0, &prompts) == BZ_OK);
    blobs[BZ_BLOB_JUDGING] = bz_buf_view(&judging);
    blobs[BZ_BLOB_PROMPTS] = bz_buf_view(&prompts);
    MUST(gw_open_blobs(g, (enum gw_setup)setup, NULL, blobs, judge()));
    bz_buf_free(&judging);
    bz_buf_free(&prompts);
}

static struct gw *instance(unsigned setup, bool steered) {
    static struct gw all[2][GW_SETUP_COUNT];
    static bool open[2][GW_SETUP_COUNT];
    struct gw *g = &all[steered][setup];
    if (!open[steered][setup] && steered)
        open_steered(g, setup);
    else if (!open[steered][setup])
        MUST(gw_open(g, (enum gw_setup)setup));
    open[steered][setup] = true;
    return g;
}

static void add_headers(struct gw_req *r, struct bz_view lines) {
    while (lines.n > 0 && r->head.headers_n < GW_HEADERS) {
        struct bz_view line = next(&lines, '\n');
        struct bz_view name = next(&line, ':');
        r->headers[r->head.headers_n++] = (struct bz_header){name, line};
    }
}

static void fill(const struct input *in, struct gw_req *r) {
    gw_req_init(r, in->g, in->key, "POST", "/", NULL);
    r->head.method = in->method;
    r->head.path = in->path;
    r->head.raw_path = (in->flags & FLAG_OTHER_RAW) != 0 ? BZ_V("/other") : in->path;
    r->head.query = in->query;
    if (in->host.n > 0)
        r->head.host = in->host;
    r->head.chunked = (in->flags & FLAG_CHUNKED) != 0;
    r->head.content_length = (in->flags & FLAG_LENGTH) != 0 ? (int64_t)in->body.n : -1;
    r->body = in->body;
    if ((in->flags & FLAG_NO_TYPE) == 0)
        gw_req_header(r, "Content-Type", "application/json");
    add_headers(r, in->headers);
}

static void check_record(const struct input *in, struct bz_tx *tx, enum bz_verdict v) {
    uint8_t mem[BZ_RECORD_MAX];
    struct bz_record rec;
    size_t n;
    enum bz_record_kind kind = v == BZ_VERDICT_FORWARD ? BZ_RECORD_DECISION : BZ_RECORD_REFUSED;
    MUST(gw_record(in->g, tx, kind, mem, &rec, &n));
    MUST(!gw_contains(bz_view(mem, n), GW_CANARY));
    if (in->key != GW_KEYS)
        MUST(!gw_contains(bz_view(mem, n), in->g->keys[in->key] + 3 + BZ_KEY_ID_TEXT));
    if (v == BZ_VERDICT_FORWARD)
        MUST(rec.principal.n > 0 && rec.key_id.n == BZ_KEY_ID_TEXT && rec.route.n > 0);
    else if (v == BZ_VERDICT_REFUSE)
        MUST(rec.reason.n > 0 && rec.status >= 400);
}

/* What goes to the server must read back as itself. */
static void check_forward(const struct bz_forward *f) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_json_opts opts = {0};
    struct bz_diag diag;
    struct bz_buf again;
    if (f->body.n == 0)
        return;
    bz_arena_init(&ar, bz_alloc_heap, BZ_ARENA_BASE + 2 * BZ_ARENA_FACTOR * f->body.n, NULL, 0);
    MUST(bz_json_parse(f->body, &opts, &ar, &root, &diag) == BZ_OK);
    bz_buf_init(&again, f->body.n + 1);
    bz_json_write(&again, root);
    MUST(bz_view_eq(bz_buf_view(&again), f->body));
    bz_buf_free(&again);
    bz_arena_free(&ar);
}

static void parse_head(struct bz_view text, struct bz_reply_head *h) {
    uint64_t status = 0, length = 0;
    if (bz_view_u64(next(&text, '\n'), &status) != BZ_OK || status > 999)
        status = 200;
    h->status = (uint16_t)status;
    h->content_type = next(&text, '\n');
    h->content_encoding = next(&text, '\n');
    h->content_length =
        bz_view_u64(text, &length) == BZ_OK && length < INT64_MAX ? (int64_t)length : -1;
}

static void answer(const struct input *in, struct bz_tx *tx, size_t cut, struct outcome *o) {
    struct bz_reply_head h;
    struct bz_backend b;
    parse_head(in->head, &h);
    MUST(bz_tx_backend(tx, gw_now(in->g), &b));
    bz_tx_drop_body(tx);
    enum bz_status st =
        gw_reply(in->g, tx, &h, in->reply, cut, (in->flags & FLAG_BROKEN) == 0, &o->bytes);
    const struct bz_reply *r = bz_tx_reply(tx);
    o->mode = r == NULL ? BZ_REPLY_STREAM : BZ_REPLY_COLLECT;
    o->fine = st == BZ_OK;
    if (r == NULL)
        return;
    MUST(o->bytes.n == 0);
    o->status = r->status;
    bz_buf_put(&o->bytes, r->body);
    if (r->status >= 400 || (in->flags & FLAG_BROKEN) != 0)
        MUST(r->status >= 400 && !gw_contains(r->body, GW_CANARY));
}

static void run(const struct input *in, size_t cut, struct outcome *o) {
    struct gw_heap heap = {0};
    struct gw_req r;
    in->g->mono_ns += UINT64_C(600000000000); /* no limit of an earlier run */
    in->g->next_id = 7;
    memset(o, 0, sizeof *o);
    bz_buf_init(&o->bytes, OUT_MAX);
    fill(in, &r);
    struct bz_tx *tx = gw_send(in->g, &r, gw_heap_alloc(&heap), &o->verdict);
    MUST(tx != NULL && o->verdict != BZ_VERDICT_NONE && o->verdict != BZ_VERDICT_BODY);
    MUST((bz_tx_forward(tx) != NULL) == (o->verdict == BZ_VERDICT_FORWARD));
    MUST((bz_tx_reply(tx) != NULL) == (o->verdict != BZ_VERDICT_FORWARD));
    check_record(in, tx, o->verdict);
    if (o->verdict == BZ_VERDICT_FORWARD) {
        check_forward(bz_tx_forward(tx));
        bool generates = gw_contains(bz_tx_forward(tx)->path, "chat") ||
                         gw_contains(bz_tx_forward(tx)->path, "completion") ||
                         gw_contains(bz_tx_forward(tx)->path, "generate") ||
                         gw_contains(bz_tx_forward(tx)->path, "messages") ||
                         gw_contains(bz_tx_forward(tx)->path, "responses");
        bool speaks = gw_contains(bz_tx_forward(tx)->body, "\"messages\"") ||
                      gw_contains(bz_tx_forward(tx)->body, "\"prompt\"") ||
                      gw_contains(bz_tx_forward(tx)->body, "\"input\"");
        if (in->steered && generates && speaks) /* whatever the body looked like */
            MUST(gw_contains(bz_tx_forward(tx)->body, OURS));
        answer(in, tx, cut, o);
    }
    bz_tx_free(tx);
    MUST(heap.live == 0);
    for (uint32_t i = 0; i < 5; i++)
        MUST(bz_state_out(in->g->env.state, i) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input in;
    struct outcome whole, pieces;
    struct bz_view rest = bz_view(data, size);
    if (size < 4 || size > 1u << 16)
        return 0;
    in.steered = data[0] / GW_SETUP_COUNT % 2 == 1;
    in.g = instance(data[0] % GW_SETUP_COUNT, in.steered);
    in.key = (enum gw_key)(data[1] % (GW_KEYS + 1));
    in.flags = data[2];
    in.cut = data[3];
    rest = bz_view_sub(rest, 4, rest.n);
    in.method = next(&rest, 0);
    in.path = next(&rest, 0);
    in.query = next(&rest, 0);
    in.host = next(&rest, 0);
    in.headers = next(&rest, 0);
    in.body = next(&rest, 0);
    in.head = next(&rest, 0);
    in.reply = rest;
    run(&in, 0, &whole);
    run(&in, (size_t)in.cut + 1, &pieces);
    MUST(whole.verdict == pieces.verdict && whole.mode == pieces.mode &&
         whole.status == pieces.status);
    MUST(bz_view_eq(bz_buf_view(&whole.bytes), bz_buf_view(&pieces.bytes)));
    bz_buf_free(&whole.bytes);
    bz_buf_free(&pieces.bytes);
    return 0;
}
