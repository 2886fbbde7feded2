/* Audit records. Every view is from the image, the route table, our own sentences, or the peer's
 * address. */
#include "leaks.h"
#include "judge.h"
#include "mcp.h"
#include "toolgate.h"

enum { FINDINGS_TEXT = 640 };

static uint64_t micros(uint64_t from_ns, uint64_t to_ns) {
    return to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
}

static uint16_t status_of(const struct bz_tx *tx, enum bz_record_kind kind, uint16_t given) {
    if (kind == BZ_RECORD_DECISION)
        return 0;
    if (given != 0)
        return given;
    if (tx->reply != NULL)
        return tx->reply->status;
    return tx->streaming ? 200 : 0;
}

static struct bz_view decision(const struct bz_tx *tx, enum bz_record_kind kind) {
    /* what failed after FORWARD was allowed all the same; the reason says how it ended */
    bool allowed = tx->forwarded || tx->verdict == BZ_VERDICT_ANSWER;
    if (kind == BZ_RECORD_REFUSED || !allowed)
        return BZ_V("refuse");
    return BZ_V("allow");
}

static void fill_names(const struct bz_tx *tx, struct bz_record *r) {
    struct bz_model m;
    r->method = BZ_V("?");
    if (tx->route != NULL) {
        r->method = bz_view_str(tx->route->method);
        r->route = bz_view_str(tx->route->path);
    }
    if (tx->has_model && bz_image_model(tx->image, tx->model, &m))
        r->model = m.name;
    if (tx->mcp != NULL)
        r->model = bz_tx_mcp_tool(tx); /* as approved: from the image, never the client's text */
}

static void fill_end(const struct bz_tx *tx, bool client_gone, uint64_t now_ns,
                     struct bz_record *r) {
    const struct bz_usage *u = bz_tx_usage(tx);
    bool served = tx->has_backend && !tx->unserved;
    r->upstream_status = tx->upstream_status;
    r->usage_known = u->known;
    r->prompt_tokens = served ? u->known ? u->prompt : tx->ledger.prompt : 0;
    r->completion_tokens = served ? bz_tx_completion(tx) : 0;
    r->reply_bytes = tx->reply_bytes;
    r->events = tx->streaming ? tx->stream.events : 0;
    r->latency_us = micros(tx->start.mono_ns, now_ns);
    r->first_byte_us = tx->first_byte_ns != 0 ? micros(tx->start.mono_ns, tx->first_byte_ns) : 0;
    memcpy(r->reply_digest, tx->reply_digest, sizeof r->reply_digest);
    if (client_gone && tx->reason == NULL)
        r->reason = BZ_V("client_gone");
}

static void put_judged(const struct bz_tx_judged *j, struct bz_buf *b) {
    size_t before = b->n;
    if (j->prompt.n > 0) {
        bz_buf_puts(b, b->n > 0 ? " request:prompt:" : "request:prompt:");
        bz_buf_put(b, j->prompt);
        bz_buf_puts(b, ":1");
    }
    for (size_t i = 0; i < j->counts_n && bz_buf_status(b) == BZ_OK; i++) {
        const struct judged_count *c = &j->counts[i];
        before = b->n;
        bz_buf_puts(b, b->n > 0 ? " request:" : "request:");
        bz_buf_puts(b, bz_view_eq(c->family, BZ_V("control-token")) ? "" : "injection-");
        bz_buf_put(b, c->family);
        bz_buf_putc(b, ':');
        bz_buf_puts(b, c->action);
        bz_buf_putc(b, ':');
        bz_buf_put_u64(b, c->n);
    }
    if (bz_buf_status(b) != BZ_OK)
        b->n = before; /* whole words only */
}

/* The DECISION record tells what the request held, the last one what either did. */
static struct bz_view findings(const struct bz_tx *tx, uint8_t mem[FINDINGS_TEXT]) {
    const struct bz_tx_screen *s = tx->screen;
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, FINDINGS_TEXT);
    for (size_t i = 0; s != NULL && i < s->counts_n; i++) {
        const struct screen_count *c = &s->counts[i];
        const struct bz_type *type = bz_detect_type(s->detect, c->type);
        size_t before = b.n;
        if (b.n > 0)
            bz_buf_putc(&b, ' ');
        bz_buf_puts(&b, c->direction == BZ_DIRECTION_REQUEST ? "request:" : "reply:");
        bz_buf_puts(&b, type != NULL ? type->name : "?");
        bz_buf_putc(&b, ':');
        bz_buf_puts(&b, bz_action_name((enum bz_action)c->action));
        bz_buf_putc(&b, ':');
        bz_buf_put_u64(&b, c->n);
        if (bz_buf_status(&b) != BZ_OK)
            return bz_view(mem, before); /* whole words only */
    }
    if (tx->judged != NULL)
        put_judged(tx->judged, &b);
    if ((s != NULL && s->more_counts) || (tx->judged != NULL && tx->judged->more_counts))
        bz_buf_puts(&b, " more");
    bz_tx_agent_findings(tx, &b);
    bz_tx_leaks_findings(tx, &b);
    return bz_view(mem, b.n);
}

void bz_tx_record(struct bz_tx *tx, enum bz_record_kind kind, uint16_t client_status,
                  bool client_gone, struct bz_now now, struct bz_buf *out) {
    struct bz_record r = {
        .kind = kind,
        .time_ns = now.unix_ns,
        .generation = bz_image_generation(tx->image),
        .principal = tx->who.owner,
        .key_id = tx->who.key_id,
        .role = tx->who.role,
        .peer = bz_view(tx->peer, tx->peer_n),
        .decision = decision(tx, kind),
        .reason = bz_view_str(tx->reason),
        .detail = bz_view_str(tx->detail),
        .status = status_of(tx, kind, client_status),
        .stream = tx->streaming || tx->forward.stream,
        .request_bytes = tx->request_bytes,
    };
    struct bz_backend b;
    uint8_t found[FINDINGS_TEXT];
    r.findings = findings(tx, found);
    r.label = bz_view_str(
        bz_level_name((enum bz_level)(tx->screen != NULL ? tx->screen->level : tx->label)));
    memcpy(r.id, tx->id, sizeof r.id);
    memcpy(r.request_digest, tx->request_digest, sizeof r.request_digest);
    fill_names(tx, &r);
    if (tx->has_backend && bz_image_backend(tx->image, tx->backend_index, &b))
        r.backend = b.name;
    if (kind == BZ_RECORD_CLOSE || kind == BZ_RECORD_REFUSED)
        fill_end(tx, client_gone, now.mono_ns, &r);
    bz_record_encode(&r, out);
}
