/* What a tool server says. One response per request, with its id; everything else is dropped or withheld. */
#include "mcp.h"
#include "screen.h"

#define WRITE_ROOM 256

static bool fail(struct bz_tx *tx, enum bz_refusal r, const char *detail) {
    tx->drop = true;
    bz_tx_blob_free(tx, &tx->collect);
    if (tx->mcp->said_n > 0) {
        struct bz_view said = bz_view(tx->mcp->said, tx->mcp->said_n);
        tx->mcp->said_n = 0;
        return bz_tx_no_because(tx, r, said, (struct bz_view){NULL, 0}, NULL);
    }
    return detail != NULL ? bz_tx_mcp_no(tx, r, detail) : bz_tx_no(tx, r);
}

size_t bz_tx_mcp_result_max(const struct bz_tx *tx) {
    return (size_t)tx->mcp->server.s.result_max;
}

bool bz_tx_mcp_owes(const struct bz_tx *tx) {
    return tx->mcp->kind == BZ_MCP_REQUEST && !tx->mcp->answered;
}

void bz_tx_mcp_error_event(struct bz_tx *tx, const struct bz_error *e, struct bz_buf *out) {
    struct bz_tx_mcp *m = tx->mcp;
    if (m->answered || m->id.type == BZ_JSON_NULL)
        return; /* nobody waits for an answer here: the stream just ends */
    m->answered = true;
    struct bz_error own = *e;
    if (m->said_n > 0)
        own.message = bz_view(m->said, m->said_n);
    bz_buf_puts(out, "data: ");
    bz_dialect_rpc_error(&m->id, &own, out);
    bz_buf_puts(out, "\n\n");
}

/* ---- head ---- */

static bool empty(struct bz_tx *tx, uint16_t status) {
    tx->drop = true;
    tx->phase = BZ_PHASE_ENDED;
    return bz_tx_reply_ok(tx, status, (struct bz_view){NULL, 0}, (struct bz_view){NULL, 0});
}

static bool no_good(struct bz_tx *tx, uint16_t status) {
    tx->unserved = true;
    if (status == 404 && tx->mcp->has_session)
        return fail(tx, BZ_REFUSE_MCP_SESSION, NULL); /* as the spec has it: clients begin anew */
    if (status == 405)
        return fail(tx, BZ_REFUSE_MCP_NO_STREAM, NULL);
    return fail(tx, BZ_REFUSE_UPSTREAM, "the MCP server answered with an error status");
}

static bz_stream_event_fn on_event, on_opening;

static bool stream(struct bz_tx *tx, bool opening) {
    bz_stream_init(&tx->stream, tx->route, false);
    tx->stream.event = opening ? on_opening : on_event;
    tx->stream.ctx = tx;
    tx->streaming = !opening;
    tx->mcp->opening = opening;
    tx->collecting = BZ_COLLECT_JSON;
    return true;
}

void bz_tx_reply_session(struct bz_tx *tx, struct bz_view session) {
    struct bz_tx_mcp *m = tx->mcp;
    if (m == NULL || m->method != BZ_MCP_INITIALIZE)
        return;
    m->long_session |= session.n > sizeof m->upstream;
    if (session.n == 0 || m->long_session)
        return;
    memcpy(m->upstream, session.p, session.n);
    m->session.upstream = bz_view(m->upstream, session.n);
}

bool bz_tx_mcp_reply_head(struct bz_tx *tx, const struct bz_reply_head *h, struct bz_view type) {
    const struct bz_tx_mcp *m = tx->mcp;
    bool request = m->kind == BZ_MCP_REQUEST, get = tx->forward.stream;
    bool opens = m->method == BZ_MCP_INITIALIZE;
    if (h->status >= 400)
        return no_good(tx, h->status);
    if (!request && !get)
        return h->status >= 200 && h->status < 300
                   ? empty(tx, m->kind == BZ_MCP_KIND_COUNT ? 204 : 202)
                   : no_good(tx, h->status);
    if (h->status != 200)
        return fail(tx, BZ_REFUSE_UPSTREAM, "the MCP server answered with another status");
    if (m->long_session)
        return fail(tx, BZ_REFUSE_MCP_RESULT, "the server's session id is too long");
    if (bz_view_eq_nocase(type, BZ_V("text/event-stream"))) {
        tx->collect_n = -1;
        return stream(tx, opens);
    }
    if (get || !bz_view_eq_nocase(type, BZ_V("application/json")))
        return fail(tx, BZ_REFUSE_UPSTREAM, "the MCP server answered with another type");
    if (h->content_length > (int64_t)m->server.s.result_max)
        return fail(tx, BZ_REFUSE_MCP_RESULT_LARGE, NULL);
    tx->collecting = BZ_COLLECT_JSON;
    return true;
}

/* ---- what it is ---- */

/* OK; EDENIED: *why. Instructions for the model are nobody's to approve yet: they do not pass. */
static enum bz_status initialized(struct bz_tx *tx, struct bz_json *result, enum bz_refusal *why) {
    enum bz_mcp_version v;
    struct bz_view name = bz_json_str(bz_json_get(result, BZ_V("protocolVersion")));
    *why = BZ_REFUSE_MCP_RESULT;
    if (!bz_mcp_version_from_name(name, &v) || (tx->mcp->server.s.versions >> v & 1) == 0)
        return BZ_EDENIED;
    struct bz_json *caps = bz_json_get_mut(result, BZ_V("capabilities"));
    (void)bz_json_remove(result, BZ_V("instructions"));
    if (bz_json_is(caps, BZ_JSON_OBJECT))
        (void)bz_json_remove(caps, BZ_V("tasks"));
    return bz_tx_mcp_seal(tx, v, tx->mcp->now) == BZ_OK ? BZ_OK : BZ_EDENIED;
}

/* OK; EDENIED (*why); ENOMEM. Screening is not in it. */
static enum bz_status check(struct bz_tx *tx, struct bz_json *root,
                            const struct bz_mcp_message *msg, struct bz_arena *ar,
                            enum bz_refusal *why) {
    enum bz_status st = BZ_OK;
    bool answers = msg->kind == BZ_MCP_RESULT;
    if (answers && tx->mcp->method == BZ_MCP_INITIALIZE)
        st = initialized(tx, msg->result, why);
    else if (answers)
        st = bz_tx_mcp_result(tx, msg->result, ar, why);
    if (st != BZ_OK)
        return st;
    return answers && bz_tx_mcp_is_list(tx) ? BZ_OK : bz_tx_mcp_judge(tx, root, ar, why);
}

/* The response to our request? */
static bool ours(const struct bz_tx *tx, const struct bz_mcp_message *msg) {
    return (msg->kind == BZ_MCP_RESULT || msg->kind == BZ_MCP_ERROR) && !tx->mcp->answered &&
           tx->mcp->kind == BZ_MCP_REQUEST && bz_mcp_id_equal(msg->id, &tx->mcp->id);
}

/* ---- whole replies ---- */

static void heard(struct bz_tx *tx) {
    enum bz_mcp_method m = (enum bz_mcp_method)tx->mcp->method;
    if (m == BZ_MCP_TOOLS_CALL || m == BZ_MCP_RESOURCES_READ || m == BZ_MCP_PROMPTS_GET ||
        m == BZ_MCP_COMPLETE)
        bz_tx_mcp_heard(tx);
}

static bool settle(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar, size_t n) {
    struct bz_tx_blob text = {NULL, 0, 0};
    struct bz_settings set;
    struct bz_buf b;
    size_t grown = 0;
    bool masked;
    if (!bz_tx_screen_answer(tx, root, ar, tx->mcp->now, &masked, &grown)) {
        tx->drop = true;
        return false;
    }
    grown += tx->mcp->grown;
    if (!bz_tx_blob_room(tx, &text, n + grown + WRITE_ROOM))
        return fail(tx, BZ_REFUSE_NO_MEMORY, NULL);
    bz_buf_init_fixed(&b, text.p, text.cap);
    bz_json_write(&b, root);
    bz_tx_blob_free(tx, &tx->collect);
    tx->collect = text;
    if (bz_buf_status(&b) != BZ_OK)
        return fail(tx, BZ_REFUSE_INTERNAL, NULL);
    tx->collect.n = b.n;
    tx->reply_bytes = b.n;
    tx->mcp->answered = true;
    heard(tx);
    bz_image_settings(tx->image, &set);
    bz_body_digest(set.digest_key, tx->id_lo, bz_buf_view(&b), tx->reply_digest);
    return bz_tx_reply_ok(tx, 200, BZ_V("application/json"), bz_buf_view(&b));
}

static bool whole(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar, size_t n) {
    struct bz_mcp_message msg;
    struct bz_diag diag = {0, NULL};
    enum bz_refusal why = BZ_REFUSE_MCP_RESULT;
    if (bz_mcp_message_read(root, &msg, &diag) != BZ_OK)
        return fail(tx, BZ_REFUSE_UPSTREAM_MALFORMED, diag.why);
    if (!ours(tx, &msg))
        return fail(tx, BZ_REFUSE_MCP_RESULT, "it answers another request");
    enum bz_status st = check(tx, root, &msg, ar, &why);
    if (st == BZ_EDENIED)
        return fail(tx, why, NULL);
    if (st != BZ_OK)
        return fail(tx, st == BZ_ENOMEM ? BZ_REFUSE_NO_MEMORY : BZ_REFUSE_INTERNAL, NULL);
    return settle(tx, root, ar, n);
}

static void arena_for(struct bz_tx *tx, struct bz_arena *ar, size_t n,
                      uint8_t first[BZ_TX_SCRATCH_MAX]) {
    bz_arena_init(ar, tx->a, 2 * BZ_ARENA_BASE + BZ_ARENA_FACTOR * (n + BZ_MCP_DEFINITION_MAX),
                  first, BZ_TX_SCRATCH_MAX);
}

void bz_tx_mcp_end(struct bz_tx *tx, struct bz_now now) {
    BZ_TX_SCRATCH uint8_t first[BZ_TX_SCRATCH_MAX];
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_json_opts opts = {.max_nodes = BZ_REPLY_NODES_MAX};
    struct bz_diag diag = {0, NULL};
    tx->mcp->now = now;
    if (tx->mcp->opening) {
        (void)fail(tx, BZ_REFUSE_UPSTREAM_TRUNCATED, NULL);
        return;
    }
    arena_for(tx, &ar, tx->collect.n, first);
    enum bz_status st =
        bz_json_parse(bz_view(tx->collect.p, tx->collect.n), &opts, &ar, &root, &diag);
    if (st == BZ_OK)
        (void)whole(tx, root, &ar, tx->collect.n);
    else
        (void)fail(tx, st == BZ_ENOMEM ? BZ_REFUSE_NO_MEMORY : BZ_REFUSE_UPSTREAM_MALFORMED,
                   diag.why);
    bz_arena_free(&ar);
}

/* initialize, answered as a stream: the first response is the reply, as one JSON document. */
static enum bz_status on_opening(void *ctx, struct bz_view name, struct bz_view data,
                                 struct bz_json *root, struct bz_arena *scratch,
                                 struct bz_buf *out) {
    struct bz_tx *tx = ctx;
    struct bz_mcp_message msg;
    (void)name;
    (void)out;
    if (tx->reply != NULL)
        return BZ_OK;
    if (bz_mcp_message_read(root, &msg, NULL) != BZ_OK)
        return BZ_ESYNTAX;
    if (ours(tx, &msg))
        (void)whole(tx, root, scratch, data.n);
    return BZ_OK;
}

enum bz_status bz_tx_mcp_feed(struct bz_tx *tx, struct bz_view in) {
    BZ_TX_SCRATCH uint8_t first[BZ_TX_SCRATCH_MAX];
    struct bz_arena scratch;
    struct bz_buf none;
    if (!tx->mcp->opening)
        return BZ_MORE;
    bz_buf_init(&none, BZ_EVENT_MAX);
    arena_for(tx, &scratch, BZ_EVENT_MAX, first);
    enum bz_status st = bz_stream_feed(&tx->stream, in, &scratch, &none);
    bz_arena_free(&scratch);
    bz_buf_free(&none);
    tx->collected += in.n;
    if (tx->reply != NULL) {
        tx->phase = BZ_PHASE_ENDED;
        return BZ_EEXISTS; /* what is asked for is there: nothing more is read */
    }
    if (st != BZ_OK)
        (void)fail(tx, BZ_REFUSE_UPSTREAM_MALFORMED, tx->stream.why);
    return st;
}

/* ---- streams ---- */

static enum bz_status put(struct bz_tx *tx, const struct bz_json *root, size_t n,
                          struct bz_arena *scratch, struct bz_buf *out) {
    size_t cap = n + WRITE_ROOM;
    uint8_t *p = bz_arena_alloc(scratch, cap);
    struct bz_buf b;
    if (p == NULL)
        return BZ_ENOMEM;
    bz_buf_init_fixed(&b, p, cap);
    bz_json_write(&b, root);
    BZ_TRY(bz_buf_status(&b));
    bz_stream_put(&tx->stream, (struct bz_view){NULL, 0}, bz_buf_view(&b), out);
    return BZ_OK;
}

/* What data protection says takes the place of the response, in its own words. */
static enum bz_status blocked(struct bz_tx *tx, struct bz_buf *out) {
    if (tx->reply != NULL && tx->mcp->kind == BZ_MCP_REQUEST && !tx->mcp->answered) {
        tx->mcp->answered = true;
        bz_stream_put(&tx->stream, (struct bz_view){NULL, 0}, tx->reply->body, out);
    }
    bz_tx_reply_free(tx);
    tx->verdict = BZ_VERDICT_FORWARD;
    return BZ_EDENIED;
}

/* May the server say this at all? */
static bool may(const struct bz_tx *tx, const struct bz_mcp_message *msg) {
    const struct bz_mcp_method_info *i = bz_mcp_method(msg->method);
    if (msg->kind == BZ_MCP_RESULT || msg->kind == BZ_MCP_ERROR)
        return ours(tx, msg);
    return i != NULL && (i->from & BZ_MCP_FROM_SERVER) != 0 &&
           (tx->mcp->server.s.methods >> msg->method & 1) != 0 && !tx->mcp->answered;
}

/* Dropped. What was a request is answered, too: the client gets a ping in its place, and its answer goes to the
 * server as the refusal. */
static enum bz_status refuse(struct bz_tx *tx, const struct bz_mcp_message *msg,
                             struct bz_arena *scratch, struct bz_buf *out) {
    struct bz_json *id = NULL;
    uint8_t mem[BZ_MCP_ID_MAX + 64];
    struct bz_buf b;
    tx->mcp->dropped++;
    tx->detail = "Messages that the server may not send were dropped.";
    if (msg->kind != BZ_MCP_REQUEST || tx->mcp->answered)
        return BZ_OK;
    tx->detail = "Requests of the server that are not allowed were refused.";
    enum bz_status st = bz_mcp_refused_id(msg->method, msg->id, scratch, &id);
    if (st != BZ_OK)
        return st == BZ_ENOMEM ? st : BZ_OK;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, "{\"jsonrpc\":\"2.0\",\"id\":");
    bz_json_write_str(&b, id->val);
    bz_buf_puts(&b, ",\"method\":\"ping\"}");
    if (bz_buf_status(&b) != BZ_OK)
        return BZ_OK; /* an id of escapes: nobody could answer it */
    bz_stream_put(&tx->stream, (struct bz_view){NULL, 0}, bz_buf_view(&b), out);
    return BZ_OK;
}

static enum bz_status on_event(void *ctx, struct bz_view name, struct bz_view data,
                               struct bz_json *root, struct bz_arena *scratch, struct bz_buf *out) {
    struct bz_tx *tx = ctx;
    struct bz_tx_mcp *m = tx->mcp;
    struct bz_mcp_message msg;
    enum bz_refusal why = BZ_REFUSE_MCP_RESULT;
    size_t grown = 0;
    bool masked;
    m->grown = m->said_n = 0;
    tx->stream.usage = (struct bz_usage){.known = false}; /* there are no tokens here */
    if ((name.n > 0 && !bz_view_eq(name, BZ_V("message"))) ||
        bz_mcp_message_read(root, &msg, NULL) != BZ_OK)
        return BZ_ESYNTAX;
    if (!may(tx, &msg))
        return refuse(tx, &msg, scratch, out);
    enum bz_status st =
        data.n > m->server.s.result_max ? BZ_EDENIED : check(tx, root, &msg, scratch, &why);
    if (data.n > m->server.s.result_max)
        why = BZ_REFUSE_MCP_RESULT_LARGE;
    if (st == BZ_EDENIED)
        tx->cut_why = (uint8_t)why;
    if (st != BZ_OK)
        return st;
    if (!bz_tx_screen_answer(tx, root, scratch, m->now, &masked, &grown))
        return blocked(tx, out);
    BZ_TRY(put(tx, root, data.n + grown + m->grown, scratch, out));
    m->answered |= msg.kind == BZ_MCP_RESULT || msg.kind == BZ_MCP_ERROR;
    if (m->answered)
        heard(tx);
    return BZ_OK;
}
