/* What comes back from the model server. Its bytes are as hostile as a client's: a stream passes
 * event by event after each was checked; everything else is collected, parsed strictly, checked and
 * written anew. What cannot be checked is an error. */
#include <bartizan/text.h>

#include "mcp.h"
#include "toolgate.h"
#include "judge.h"
#include "screen.h"

#define EDIT_ROOM 64
#define COLLECT_FIRST 4096
#define COLLECT_AT_ONCE (1u << 20)

static struct bz_view media_type(struct bz_view v) {
    const uint8_t *semi = v.n > 0 ? memchr(v.p, ';', v.n) : NULL;
    if (semi != NULL)
        v.n = (size_t)(semi - v.p);
    while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    return v;
}

/* An error reply in place of the upstream's: nothing more of it is wanted. */
static bool fail(struct bz_tx *tx, enum bz_refusal r, const char *detail) {
    tx->drop = true;
    bz_tx_blob_free(tx, &tx->collect);
    return bz_tx_no_because(tx, r, (struct bz_view){NULL, 0}, (struct bz_view){NULL, 0}, detail);
}

/* ---- head ---- */

static bool is_json(struct bz_view type) {
    return bz_view_eq_nocase(type, BZ_V("application/json"));
}

static bool is_sse(struct bz_view type) {
    return bz_view_eq_nocase(type, BZ_V("text/event-stream"));
}

static bool is_ndjson(struct bz_view type) {
    return bz_view_eq_nocase(type, BZ_V("application/x-ndjson")) ||
           bz_view_eq_nocase(type, BZ_V("application/ndjson"));
}

static bool is_admin(const struct bz_tx *tx) {
    return tx->route->access == BZ_ACCESS_ADMIN;
}

/* Inference has one good answer; another "success" would be a client's without a checked body. */
static bool status_passes(const struct bz_tx *tx, uint16_t status) {
    return status == 200 || (is_admin(tx) && (status == 201 || status == 202 || status == 204));
}

static bool expect_stream(struct bz_tx *tx, const struct bz_reply_head *h, struct bz_view type) {
    bool ollama = tx->dialect == BZ_DIALECT_OLLAMA;
    if (h->status == 200 && (ollama ? is_ndjson(type) : is_sse(type))) {
        if (bz_tx_guard_begin(tx) != BZ_OK)
            return fail(tx, BZ_REFUSE_NO_MEMORY, NULL);
        bz_stream_init(&tx->stream, tx->route, tx->strip_usage);
        tx->stream.shapes = tx->env->shapes;
        if (tx->screen != NULL)
            bz_tx_guard_hook(tx);
        bz_instruct_hook(tx);
        tx->streaming = true;
        return true;
    }
    /* Ollama answers {"done":true,"done_reason":"load"} as one object whatever was asked */
    if (ollama && h->status == 200 && is_json(type)) {
        tx->collecting = BZ_COLLECT_JSON;
        return true;
    }
    return fail(tx, BZ_REFUSE_UPSTREAM, "The model server answered without the stream.");
}

static bool expect_whole(struct bz_tx *tx, const struct bz_reply_head *h, struct bz_view type) {
    if (h->status == 204 || bz_view_eq(tx->forward.method, BZ_V("HEAD")))
        tx->collecting = BZ_COLLECT_EMPTY;
    else if (is_json(type))
        tx->collecting = BZ_COLLECT_JSON;
    else if (is_admin(tx) && h->content_length == 0)
        tx->collecting = BZ_COLLECT_EMPTY; /* Ollama's management routes */
    else if (is_admin(tx) && tx->route->api == BZ_API_NONE &&
             bz_view_eq_nocase(type, BZ_V("text/plain")))
        tx->collecting = BZ_COLLECT_TEXT; /* /metrics */
    else
        return fail(tx, BZ_REFUSE_UPSTREAM, "The model server answered with another type.");
    return true;
}

static bool head(struct bz_tx *tx, const struct bz_reply_head *h) {
    struct bz_view type = media_type(h->content_type);
    if (h->content_encoding.n > 0 && !bz_view_eq_nocase(h->content_encoding, BZ_V("identity")))
        return fail(tx, BZ_REFUSE_UPSTREAM, "The model server encoded its reply.");
    if (tx->mcp != NULL)
        return bz_tx_mcp_reply_head(tx, h, type);
    if (h->status >= 400 && h->status < 600) {
        tx->collecting = BZ_COLLECT_ERROR;
        tx->collect_n = -1; /* its body is replaced: its length is of no interest */
        tx->unserved = true;
        return true;
    }
    if (!status_passes(tx, h->status))
        return fail(tx, BZ_REFUSE_UPSTREAM, "The model server answered with another status.");
    if (tx->forward.stream)
        return expect_stream(tx, h, type);
    if (h->content_length > (int64_t)BZ_REPLY_MAX)
        return fail(tx, BZ_REFUSE_UPSTREAM_TOO_LARGE, "The announced length is above the cap.");
    return expect_whole(tx, h, type);
}

enum bz_reply_mode bz_tx_reply_head(struct bz_tx *tx, const struct bz_reply_head *h,
                                    struct bz_now now) {
    if (tx->phase != BZ_PHASE_DECIDED || tx->verdict != BZ_VERDICT_FORWARD || tx->closed) {
        if (tx->reply == NULL)
            (void)fail(tx, BZ_REFUSE_INTERNAL, NULL);
        return BZ_REPLY_COLLECT;
    }
    tx->phase = BZ_PHASE_REPLY;
    tx->upstream_status = h->status;
    tx->first_byte_ns = now.mono_ns;
    tx->collect_n = h->content_length;
    tx->reply_status = h->status;
    (void)head(tx, h);
    return tx->streaming ? BZ_REPLY_STREAM : BZ_REPLY_COLLECT;
}

struct bz_view bz_tx_stream_type(const struct bz_tx *tx) {
    return tx->dialect == BZ_DIALECT_OLLAMA ? BZ_V("application/x-ndjson")
                                            : BZ_V("text/event-stream");
}

/* ---- stream ---- */

static void end_stream(struct bz_tx *tx, const struct bz_error *e, const char *detail,
                       struct bz_buf *out) {
    size_t before = out->n;
    tx->cut = true;
    tx->phase = BZ_PHASE_ENDED;
    tx->reason = e->code;
    tx->detail = detail;
    if (tx->mcp != NULL)
        bz_tx_mcp_error_event(tx, e, out);
    else
        bz_dialect_error_event((enum bz_dialect)tx->dialect, e, out);
    tx->reply_bytes += out->n - before;
    bz_tx_store_stream(tx, bz_view_sub(bz_buf_view(out), before, out->n));
}

static enum bz_status stream_fails(struct bz_tx *tx, enum bz_status st, struct bz_buf *out) {
    struct bz_error e;
    enum bz_refusal blocked = BZ_REFUSE_REPLY_BLOCKED, why;
    if (tx->cut_why != 0)
        blocked = (enum bz_refusal)tx->cut_why;
    else if (tx->screen != NULL && bz_tx_screen_above(tx->screen, &why))
        blocked = why;
    enum bz_refusal r = st == BZ_EUNAVAIL                     ? BZ_REFUSE_UPSTREAM
                        : st == BZ_ENOMEM                     ? BZ_REFUSE_NO_MEMORY
                        : st == BZ_ENOTFOUND                  ? BZ_REFUSE_UPSTREAM_UNKNOWN
                        : st == BZ_ETOOBIG && tx->mcp != NULL ? BZ_REFUSE_MCP_RESULT_LARGE
                        : st != BZ_EDENIED                    ? BZ_REFUSE_UPSTREAM_MALFORMED
                                                              : blocked;
    bz_tx_error_of(tx, r, &e);
    if (st == BZ_EDENIED && bz_tx_agent_message(tx).n > 0)
        e.message = bz_tx_agent_message(tx);
    end_stream(tx, &e, tx->stream.why, out);
    return st;
}

static enum bz_status stream_feed(struct bz_tx *tx, struct bz_view in, struct bz_buf *out) {
    struct bz_arena scratch;
    BZ_TX_SCRATCH uint8_t first[BZ_TX_SCRATCH_MAX];
    size_t before = out->n;
    if (tx->phase != BZ_PHASE_REPLY)
        return BZ_EDENIED; /* nothing may follow an end */
    bz_arena_init(&scratch, tx->a, BZ_ARENA_BASE + BZ_ARENA_FACTOR * (size_t)BZ_EVENT_MAX, first,
                  sizeof first);
    enum bz_status st = bz_stream_feed(&tx->stream, in, &scratch, out);
    bz_arena_free(&scratch);
    tx->reply_bytes += out->n - before;
    bz_tx_store_stream(tx, bz_view_sub(bz_buf_view(out), before, out->n));
    if (st != BZ_OK)
        return stream_fails(tx, st, out);
    return bz_buf_status(out);
}

static enum bz_status stream_end(struct bz_tx *tx, bool clean, struct bz_buf *out) {
    struct bz_error e;
    size_t before = out->n;
    if (tx->phase != BZ_PHASE_REPLY)
        return BZ_EDENIED;
    if ((!clean && !tx->stream.done) || (tx->mcp != NULL && bz_tx_mcp_owes(tx))) {
        bz_tx_error_of(tx, BZ_REFUSE_UPSTREAM_TRUNCATED, &e);
        end_stream(tx, &e, "The connection to the model server broke.", out);
        return BZ_EIO;
    }
    enum bz_status st = bz_tx_guard_end(tx, out);
    if (st != BZ_OK)
        return stream_fails(tx, st, out);
    st = bz_stream_end(&tx->stream, out);
    tx->reply_bytes += out->n - before;
    bz_tx_store_stream(tx, bz_view_sub(bz_buf_view(out), before, out->n));
    if (st != BZ_OK) {
        bz_tx_error_of(tx, BZ_REFUSE_UPSTREAM_TRUNCATED, &e);
        end_stream(tx, &e, tx->stream.why, out);
        return st;
    }
    tx->phase = BZ_PHASE_ENDED;
    return bz_buf_status(out);
}

bool bz_tx_may_hold(const struct bz_tx *tx) {
    return tx->screen != NULL; /* the guard is made when the first text comes */
}

enum bz_status bz_tx_tick(struct bz_tx *tx, struct bz_buf *out, struct bz_now now) {
    size_t before = out->n;
    if (!tx->streaming || tx->phase != BZ_PHASE_REPLY)
        return BZ_OK;
    enum bz_status st = bz_tx_guard_tick(tx, out, now);
    tx->reply_bytes += out->n - before;
    bz_tx_store_stream(tx, bz_view_sub(bz_buf_view(out), before, out->n));
    return st == BZ_OK ? bz_buf_status(out) : stream_fails(tx, st, out);
}

void bz_tx_cut(struct bz_tx *tx, const char *code, const char *message, struct bz_buf *out) {
    static const struct {
        const char *code;
        uint16_t status;
    } known[] = {{"key_revoked", 401}, {"upstream_timeout", 504}, {"upstream_truncated", 502}};
    struct bz_error e = {
        .status = 500,
        .code = code,
        .message = bz_view_str(message),
        .request_id = bz_tx_id(tx),
    };
    if (!tx->streaming || tx->phase != BZ_PHASE_REPLY)
        return;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].code, code) == 0)
            e.status = known[i].status;
    end_stream(tx, &e, message, out);
}

/* ---- collected ---- */

static size_t collect_cap(const struct bz_tx *tx) {
    if (tx->mcp != NULL && tx->collecting == BZ_COLLECT_JSON)
        return bz_tx_mcp_result_max(tx);
    static const size_t caps[] = {
        [BZ_COLLECT_JSON] = BZ_REPLY_MAX,
        [BZ_COLLECT_TEXT] = BZ_REPLY_TEXT_MAX,
        [BZ_COLLECT_ERROR] = BZ_REPLY_ERROR_MAX,
        [BZ_COLLECT_EMPTY] = 0,
    };
    return tx->collecting < BZ_COLLECT_COUNT ? caps[tx->collecting] : 0;
}

/* The announced length at once if it is moderate: an announcement alone costs no memory. Otherwise
 * doubled. */
static bool collect_room(struct bz_tx *tx, size_t need, size_t cap) {
    size_t want = tx->collect.cap < COLLECT_FIRST ? COLLECT_FIRST : tx->collect.cap * 2;
    if (need <= tx->collect.cap)
        return true;
    if (tx->collect_n >= 0 && (uint64_t)tx->collect_n <= COLLECT_AT_ONCE)
        want = (size_t)tx->collect_n;
    if (want < need)
        want = need;
    return bz_tx_blob_room(tx, &tx->collect, want < cap ? want : cap);
}

static enum bz_status collect_feed(struct bz_tx *tx, struct bz_view in) {
    size_t cap = collect_cap(tx);
    struct bz_tx_blob *c = &tx->collect;
    tx->collected += in.n;
    if (tx->drop || tx->phase != BZ_PHASE_REPLY || in.n == 0)
        return BZ_OK;
    if (in.n > cap - c->n) {
        if (tx->collecting == BZ_COLLECT_ERROR) { /* replaced anyway: status alone decides */
            tx->drop_error = true;
            return BZ_OK;
        }
        (void)fail(tx,
                   cap == 0          ? BZ_REFUSE_UPSTREAM_MALFORMED
                   : tx->mcp != NULL ? BZ_REFUSE_MCP_RESULT_LARGE
                                     : BZ_REFUSE_UPSTREAM_TOO_LARGE,
                   "The reply is above its cap.");
        return BZ_ETOOBIG;
    }
    if (tx->collect_n >= 0 && in.n > (uint64_t)tx->collect_n - c->n) {
        (void)fail(tx, BZ_REFUSE_UPSTREAM_MALFORMED, "The reply is longer than announced.");
        return BZ_ETOOBIG;
    }
    if (!collect_room(tx, c->n + in.n, cap)) {
        (void)fail(tx, BZ_REFUSE_NO_MEMORY, NULL);
        return BZ_ENOMEM;
    }
    memcpy(c->p + c->n, in.p, in.n);
    c->n += in.n;
    return BZ_OK;
}

static void arena_for(struct bz_tx *tx, struct bz_arena *ar, uint8_t first[BZ_TX_SCRATCH_MAX]) {
    bz_arena_init(ar, tx->a, BZ_ARENA_BASE + BZ_ARENA_FACTOR * tx->collect.n, first,
                  BZ_TX_SCRATCH_MAX);
}

static void end_error(struct bz_tx *tx) {
    BZ_TX_SCRATCH uint8_t first[BZ_TX_SCRATCH_MAX];
    uint8_t mem[1024];
    struct bz_arena ar;
    struct bz_buf b;
    struct bz_json *root = NULL;
    struct bz_json_opts opts = {0};
    uint16_t status = 502;
    arena_for(tx, &ar, first);
    if (tx->drop_error || tx->collect.n == 0 ||
        bz_json_parse(bz_view(tx->collect.p, tx->collect.n), &opts, &ar, &root, NULL) != BZ_OK)
        root = NULL;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_dialect_upstream_error((enum bz_dialect)tx->dialect, tx->upstream_status, root, bz_tx_id(tx),
                              &b, &status);
    bz_arena_free(&ar);
    if (bz_buf_status(&b) != BZ_OK) {
        (void)fail(tx, BZ_REFUSE_UPSTREAM, NULL);
        return;
    }
    struct bz_error e;
    bz_tx_error_of(tx, BZ_REFUSE_UPSTREAM, &e);
    tx->reason = e.code;
    tx->detail = "The model server answered with an error.";
    (void)bz_tx_reply_error(tx, status, bz_buf_view(&b));
    bz_tx_blob_free(tx, &tx->collect);
}

/* The client asked for one name and gets that name back, not the backend's own. True: the tree is
 * another one now. */
static bool restore_name(const struct bz_tx *tx, struct bz_json *root) {
    struct bz_model m;
    struct bz_json *n = bz_json_get_mut(root, BZ_V("model"));
    if (n == NULL || !tx->has_model || !bz_image_model(tx->image, tx->model, &m) ||
        !bz_json_is(n, BZ_JSON_STRING) || !bz_view_eq(bz_json_str(n), m.target) ||
        bz_view_eq(m.name, m.target))
        return false;
    bz_json_set_str(n, m.name);
    return true;
}

/* The canonical form of `root` takes the place of what was collected. */
static bool rewrite(struct bz_tx *tx, const struct bz_json *root, size_t grown) {
    struct bz_tx_blob canonical = {NULL, 0, 0};
    struct bz_buf b;
    if (!bz_tx_blob_room(tx, &canonical, tx->collect.n + grown + EDIT_ROOM + 6 * BZ_MODEL_NAME_MAX))
        return fail(tx, BZ_REFUSE_NO_MEMORY, NULL);
    bz_buf_init_fixed(&b, canonical.p, canonical.cap);
    bz_json_write(&b, root);
    bz_tx_blob_free(tx, &tx->collect);
    tx->collect = canonical;
    if (bz_buf_status(&b) != BZ_OK)
        return fail(tx, BZ_REFUSE_INTERNAL, NULL);
    tx->collect.n = b.n;
    return true;
}

static void reply_json(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                       struct bz_now now) {
    struct bz_settings set;
    size_t grown;
    bool masked, renamed = restore_name(tx, root);
    renamed |= bz_instruct_hide(tx, root);
    if (!bz_tx_screen_answer(tx, root, ar, now, &masked, &grown) ||
        !bz_tx_agent_answer(tx, root, ar)) {
        tx->drop = true;
        bz_tx_blob_free(tx, &tx->collect);
        return;
    }
    bool as_it_came = !renamed && !masked && (root->flags & BZ_JSON_CANONICAL) != 0;
    if (!as_it_came && !rewrite(tx, root, grown))
        return;
    struct bz_view body = bz_view(tx->collect.p, tx->collect.n);
    tx->reply_bytes = body.n;
    bz_image_settings(tx->image, &set);
    bz_body_digest(set.digest_key, tx->id_lo, body, tx->reply_digest);
    (void)bz_tx_reply_ok(tx, tx->reply_status, BZ_V("application/json"), body);
}

static void end_json(struct bz_tx *tx, struct bz_now now) {
    BZ_TX_SCRATCH uint8_t first[BZ_TX_SCRATCH_MAX];
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_json_opts opts = {.max_nodes = BZ_REPLY_NODES_MAX};
    struct bz_diag diag = {0, NULL};
    arena_for(tx, &ar, first);
    enum bz_status st =
        bz_json_parse(bz_view(tx->collect.p, tx->collect.n), &opts, &ar, &root, &diag);
    if (st == BZ_OK)
        st = bz_reply_check(tx->route, root, &tx->usage);
    if (st == BZ_OK) {
        reply_json(tx, root, &ar, now);
    } else if (st == BZ_ENOMEM) {
        (void)fail(tx, BZ_REFUSE_NO_MEMORY, NULL);
    } else {
        tx->usage = (struct bz_usage){0};
        (void)fail(tx,
                   st == BZ_ETOOBIG ? BZ_REFUSE_UPSTREAM_TOO_LARGE : BZ_REFUSE_UPSTREAM_MALFORMED,
                   diag.why != NULL ? diag.why : "The reply is none of this API.");
    }
    bz_arena_free(&ar);
}

static void end_text(struct bz_tx *tx) {
    struct bz_view v = bz_view(tx->collect.p, tx->collect.n);
    tx->reply_bytes = v.n;
    if (bz_utf8_valid(v) != v.n)
        (void)fail(tx, BZ_REFUSE_UPSTREAM_MALFORMED, "The reply is not valid UTF-8.");
    else
        (void)bz_tx_reply_ok(tx, tx->reply_status, BZ_V("text/plain; charset=utf-8"), v);
}

static void collect_end(struct bz_tx *tx, bool clean, struct bz_now now) {
    if (tx->drop || tx->phase != BZ_PHASE_REPLY)
        return;
    bool whole = clean && (tx->collecting == BZ_COLLECT_EMPTY || tx->collect_n < 0 ||
                           (uint64_t)tx->collect_n == tx->collect.n);
    if (tx->collecting == BZ_COLLECT_ERROR)
        end_error(tx);
    else if (!whole)
        (void)fail(tx, BZ_REFUSE_UPSTREAM_TRUNCATED, "The model server's reply broke off.");
    else if (tx->collecting == BZ_COLLECT_JSON && tx->mcp != NULL)
        bz_tx_mcp_end(tx, now);
    else if (tx->collecting == BZ_COLLECT_JSON)
        end_json(tx, now);
    else if (tx->collecting == BZ_COLLECT_TEXT)
        end_text(tx);
    else
        (void)bz_tx_reply_ok(tx, tx->reply_status, (struct bz_view){NULL, 0},
                             (struct bz_view){NULL, 0});
    tx->phase = BZ_PHASE_ENDED;
}

/* Streams are many and each is fed seldom; meanwhile its state left every cache. Asked for together,
 * the lines of it come in the time of one. */
static void fetch(const struct bz_tx *tx) {
    const uint8_t *first = (const uint8_t *)tx;
    for (size_t at = 0; at < offsetof(struct bz_tx, stream) + sizeof tx->stream; at += 64)
        __builtin_prefetch(first + at, 1);
    if (tx->guard != NULL)
        bz_tx_guard_fetch(tx);
}

enum bz_status bz_tx_reply_feed(struct bz_tx *tx, struct bz_view in, struct bz_buf *out,
                                struct bz_now now) {
    fetch(tx);
    if (tx->mcp != NULL)
        tx->mcp->now = now;
    if (tx->mcp != NULL && !tx->streaming && tx->phase == BZ_PHASE_REPLY && !tx->drop) {
        enum bz_status st = bz_tx_mcp_feed(tx, in);
        if (st != BZ_MORE)
            return st;
    }
    return tx->streaming ? stream_feed(tx, in, out) : collect_feed(tx, in);
}

enum bz_status bz_tx_reply_end(struct bz_tx *tx, bool clean, struct bz_buf *out,
                               struct bz_now now) {
    if (tx->streaming)
        return stream_end(tx, clean, out);
    collect_end(tx, clean, now);
    return BZ_OK;
}
