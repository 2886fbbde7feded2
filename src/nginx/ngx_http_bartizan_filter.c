/* Replies of the model server on their way to the client. proxy_buffering is off: nginx reads into
 * one buffer and passes
 * it here at once, in whatever cut the network made.
 *
 *   STREAM   feed -> what may leave goes out, flushed; a slow client leaves input standing in that
 *            buffer, and nginx stops reading from the backend until it is used up
 *   COLLECT  feed -> nothing leaves, not even the head, before the reply is whole and checked
 *   ENDED    the client has its last byte from us; everything else is dropped
 */
#include "ngx_http_bartizan.h"

enum {
    busy_max = 64 << 10,    /* bytes that may wait for a slow client before input is held */
    keep_max = 4096,        /* larger output buffers are given back after use */
    buf_min = 256,          /* most events fit; one is held for the life of a stream */
    scratch_max = 80 << 20, /* one event, held back whole, is below 2 MiB; this is only a bound */
    scratch_keep = 256 << 10,
    llama_requests = 90,
};

static ngx_http_output_header_filter_pt next_header_filter;
static ngx_http_output_body_filter_pt next_body_filter;

/* ---- the head of a reply ---- */

/* Looks at the raw list: nginx keeps only one of several headers of a name. */
static void read_head(const struct bz_ngx_req *q, struct bz_reply_head *h) {
    ngx_http_request_t *r = q->r;
    ngx_http_upstream_t *u = r->upstream;
    ngx_list_part_t *part = &u->headers_in.headers.part;

    h->status = (uint16_t)u->headers_in.status_n;
    h->content_length = u->headers_in.content_length_n;
    for (; part != NULL; part = part->next) {
        const ngx_table_elt_t *e = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            struct bz_view name = bz_ngx_view(e[i].key);
            struct bz_view value = bz_ngx_view(e[i].value);
            if (bz_view_eq_nocase(name, BZ_V("content-encoding"))) {
                if (h->content_encoding.n == 0 || !bz_view_eq_nocase(value, BZ_V("identity")))
                    h->content_encoding = value;
            } else if (h->content_type.n == 0 && bz_view_eq_nocase(name, BZ_V("content-type"))) {
                h->content_type = value;
            } else if (bz_view_eq_nocase(name, BZ_V("mcp-session-id"))) {
                bz_tx_reply_session(q->tx, value);
            }
        }
    }
}

/* The upstream connection is closed after what it sends now, and nothing more is read from it. What
 * a slow client still has to take of nginx's buffer is no reason to wait: the output chain has it,
 * and the buffer lives as long as the request. */
static void stop_upstream(ngx_http_request_t *r) {
    ngx_http_upstream_t *u = r->upstream;
    u->busy_bufs = NULL;
    u->headers_in.connection_close = 1;
    u->keepalive = 0;
    u->length = 0;
}

/* Sends the reply that stands in the transaction. */
static ngx_int_t send_collected(struct bz_ngx_req *q) {
    ngx_http_request_t *r = q->r;
    const struct bz_reply *rep = bz_tx_reply(q->tx);

    q->phase = BZ_NGX_ENDED;
    if (rep == NULL ||
        bz_ngx_set_head(q, rep->status, rep->content_type, (off_t)rep->body.n) != NGX_OK)
        return NGX_ERROR;
    for (size_t i = 0; i < rep->extra_n; i++) {
        if (bz_ngx_add_header(r, &rep->extra[i]) != NGX_OK)
            return NGX_ERROR;
    }
    ngx_int_t rc = next_header_filter(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only)
        return rc;
    ngx_buf_t *b = ngx_calloc_buf(r->pool);
    ngx_chain_t *out = ngx_alloc_chain_link(r->pool);
    if (b == NULL || out == NULL)
        return NGX_ERROR;
    ngx_str_t body = bz_ngx_str(rep->body);
    b->start = b->pos = body.data;
    b->end = b->last = body.data + body.len;
    b->memory = body.len > 0;
    b->flush = 1;
    b->last_buf = 1;
    out->buf = b;
    out->next = NULL;
    return next_body_filter(r, out);
}

/* May this connection serve another request? nginx decides by the reply's headers; this only takes
 * away. */
static void limit_reuse(struct bz_ngx_req *q, bool stream) {
    ngx_http_upstream_t *u = q->r->upstream;
    /* llama-server announces keep-alive and closes after every streamed reply, and after 100
     * requests. */
    bool counted =
        q->backend.type == BZ_SERVER_LLAMACPP && u->peer.connection->requests >= llama_requests;
    if (stream || counted || !q->backend.keep_alive) {
        u->headers_in.connection_close = 1;
        u->keepalive = 0;
    }
}

/* Lists begin with 20 headers, 1 KiB that stands apart from the small pool. */
static ngx_int_t list_free(ngx_http_request_t *r, ngx_list_t *list) {
    if (ngx_pfree(r->pool, list->part.elts) != NGX_OK)
        return NGX_OK; /* it lies in the pool */
    return ngx_list_init(list, r->pool, 1, sizeof(ngx_table_elt_t));
}

/* Both heads are done with: nothing that runs behind the header filters looks at a header, and the log
 * phase is ours. Their lists would be held for as long as the stream lasts. */
static ngx_int_t head_lists_free(ngx_http_request_t *r) {
    ngx_http_headers_in_t *in = &r->headers_in;
    if (in->headers.part.next == NULL) {
        /* pointers into the list */
        ngx_memzero(&in->host,
                    offsetof(ngx_http_headers_in_t, user) - offsetof(ngx_http_headers_in_t, host));
#if (nginx_version < 1023000)
        ngx_memzero(&in->cookies, sizeof in->cookies);
#endif
        if (list_free(r, &in->headers) != NGX_OK)
            return NGX_ERROR;
    }
    return list_free(r, &r->headers_out.headers);
}

static ngx_int_t header_filter(ngx_http_request_t *r) {
    struct bz_ngx_req *q = bz_ngx_req(r);
    struct bz_reply_head head = {.content_length = -1};

    if (q == NULL || r != r->main || q->phase != BZ_NGX_FORWARD)
        return next_header_filter(r);
    if (r->upstream == NULL || r->upstream->peer.connection == NULL)
        return NGX_ERROR; /* somebody else's reply to a request that only a backend may answer */
    q->head_seen = 1;
    q->now = bz_ngx_now();
    if (r->upstream->headers_in.status_n == 0) {
        /* No HTTP at all. nginx takes that for HTTP/0.9 and would answer the client in kind. */
        r->http_version = q->http_version;
        bz_tx_refuse(q->tx, 502, "upstream_malformed",
                     "The model server's reply could not be checked and was withheld.");
    }
    read_head(q, &head);
    enum bz_reply_mode mode =
        bz_tx_reply(q->tx) != NULL ? BZ_REPLY_COLLECT : bz_tx_reply_head(q->tx, &head, q->now);
    if (r->upstream->request_body_sent) {
        r->request_body->bufs = NULL;
        r->upstream->request_bufs = NULL;
        bz_tx_drop_body(q->tx);
    }
    limit_reuse(q, mode == BZ_REPLY_STREAM);
    if (mode != BZ_REPLY_STREAM) {
        q->phase = BZ_NGX_COLLECT;
        ngx_http_clean_header(r);
        return r->method == NGX_HTTP_HEAD ? send_collected(q) : NGX_OK;
    }
    q->phase = BZ_NGX_STREAM;
    q->may_hold = bz_tx_may_hold(q->tx);
    if (bz_ngx_set_head(q, NGX_HTTP_OK, bz_tx_stream_type(q->tx), -1) != NGX_OK)
        return NGX_ERROR;
    ngx_int_t rc = next_header_filter(r);
    return rc == NGX_ERROR || head_lists_free(r) != NGX_OK ? NGX_ERROR : rc;
}

/* ---- output ---- */

static struct bz_buf *scratch(void) {
    struct bz_buf *b = &bz_ngx_worker.out;
    if (b->max == 0 || b->cap > scratch_keep) {
        bz_buf_free(b);
        bz_buf_init(b, scratch_max);
    }
    bz_buf_reset(b);
    return b;
}

static off_t busy_bytes(const struct bz_ngx_req *q) {
    off_t n = 0;
    for (const ngx_chain_t *c = q->busy; c != NULL; c = c->next)
        n += c->buf->last - c->buf->pos;
    return n;
}

/* A buffer of ours with room for n bytes. */
static ngx_chain_t *take_buf(struct bz_ngx_req *q, size_t n) {
    ngx_pool_t *pool = q->r->pool;
    ngx_chain_t *c = ngx_chain_get_free_buf(pool, &q->free);
    if (c == NULL)
        return NULL;
    ngx_buf_t *b = c->buf;
    u_char *start = b->start, *end = b->end;
    if (n > (size_t)(end - start)) {
        size_t size = n < buf_min ? buf_min : n;
        if (start != NULL)
            (void)ngx_pfree(pool, start);
        start = ngx_pnalloc(pool, size);
        if (start == NULL)
            return NULL;
        end = start + size;
    }
    ngx_memzero(b, sizeof *b);
    b->start = b->pos = b->last = start;
    b->end = end;
    b->tag = (ngx_buf_tag_t)&ngx_http_bartizan_module;
    return c;
}

static void recycle(struct bz_ngx_req *q, ngx_chain_t **out) {
    ngx_pool_t *pool = q->r->pool;
    ngx_chain_update_chains(pool, &q->free, &q->busy, out,
                            (ngx_buf_tag_t)&ngx_http_bartizan_module);
    for (ngx_chain_t *c = q->free; c != NULL; c = c->next) {
        ngx_buf_t *b = c->buf;
        if (b->end - b->start > keep_max) {
            (void)ngx_pfree(pool, b->start);
            b->start = b->end = b->pos = b->last = NULL;
        }
    }
}

/* Nothing new: only helps along what a slow client still has to take. */
static ngx_int_t push(struct bz_ngx_req *q) {
    ngx_http_request_t *r = q->r;
    ngx_chain_t *none = NULL;
    if (q->busy == NULL && !r->buffered && !r->connection->buffered)
        return NGX_OK;
    ngx_int_t rc = next_body_filter(r, NULL);
    recycle(q, &none);
    return rc;
}

static ngx_int_t emit(struct bz_ngx_req *q, const struct bz_buf *data, bool last) {
    if (data->n == 0 && !last && q->flushed)
        return push(q);
    ngx_chain_t *out = take_buf(q, data->n);
    if (out == NULL)
        return NGX_ERROR;
    ngx_buf_t *b = out->buf;
    if (data->n > 0) {
        b->last = ngx_cpymem(b->pos, data->p, data->n);
        b->memory = 1;
        q->event = 1;
    }
    b->flush = 1;
    b->last_buf = last;
    q->flushed = 1;
    if (last)
        q->phase = BZ_NGX_ENDED;
    ngx_int_t rc = next_body_filter(q->r, out);
    recycle(q, &out);
    return rc;
}

/* ---- input ---- */

static ngx_int_t keep_input(struct bz_ngx_req *q, ngx_chain_t *in) {
    for (; in != NULL; in = in->next) {
        ngx_buf_t *b = in->buf;
        if (b->last_buf)
            q->ending = 1;
        /* nginx says "flush" and nothing else once it has given up the upstream
         * (ngx_http_upstream_finalize_request). */
        else if (b->flush && ngx_buf_size(b) == 0 && q->r->upstream->cleanup == NULL)
            q->ending = 2;
        if (ngx_buf_size(b) == 0)
            continue;
        ngx_chain_t *c = ngx_alloc_chain_link(q->r->pool);
        if (c == NULL)
            return NGX_ERROR;
        c->buf = b;
        c->next = NULL;
        *q->in_last = c;
        q->in_last = &c->next;
    }
    return NGX_OK;
}

static struct bz_view next_input(struct bz_ngx_req *q) {
    ngx_chain_t *c = q->in;
    ngx_buf_t *b = c->buf;
    struct bz_view v = bz_view(b->pos, (size_t)(b->last - b->pos));
    b->pos = b->last;
    q->in = c->next;
    if (q->in == NULL)
        q->in_last = &q->in;
    ngx_free_chain(q->r->pool, c);
    return v;
}

static void drop_input(struct bz_ngx_req *q) {
    while (q->in != NULL)
        (void)next_input(q);
}

/* The end of a stream from our side, or the upstream's. */
static ngx_int_t stream_last(struct bz_ngx_req *q, const struct bz_buf *out) {
    drop_input(q);
    stop_upstream(q->r);
    if (bz_buf_status(out) != BZ_OK)
        return NGX_ERROR; /* no memory even for the error event: the connection is dropped */
    return emit(q, out, true);
}

/* One piece of a stream while nothing waits and nothing ends: nearly always. */
static bool is_piece(const struct bz_ngx_req *q, const ngx_chain_t *in) {
    if (in == NULL || in->next != NULL || q->in != NULL || q->busy != NULL || q->ending != 0)
        return false;
    const ngx_buf_t *b = in->buf;
    return b->last > b->pos && b->memory && b->flush && !b->last_buf;
}

/* What may leave is mostly what came, byte for byte. Then nginx's own buffer goes on, as it would
 * without us: no buffer of this stream is written, which is most likely in no cache. nginx reads no
 * further than the end of that buffer until the client has taken all of it. */
static ngx_int_t stream_piece(struct bz_ngx_req *q, ngx_chain_t *in) {
    ngx_buf_t *b = in->buf;
    struct bz_buf *out = scratch();
    struct bz_view v = bz_view(b->pos, (size_t)(b->last - b->pos));
    enum bz_status st = bz_tx_reply_feed(q->tx, v, out, bz_ngx_round_now());

    if (st == BZ_OK && bz_view_eq(bz_buf_view(out), v)) {
        q->event = 1;
        q->flushed = 1;
        return next_body_filter(q->r, in);
    }
    b->pos = b->last;
    return st == BZ_OK ? emit(q, out, false) : stream_last(q, out);
}

static ngx_int_t stream_body(struct bz_ngx_req *q) {
    struct bz_buf *out = scratch();
    struct bz_now now = bz_ngx_now();
    enum bz_status st = BZ_OK;
    off_t waiting = q->busy == NULL ? 0 : busy_bytes(q);

    while (q->in != NULL && st == BZ_OK && (q->ending != 0 || waiting + (off_t)out->n < busy_max))
        st = bz_tx_reply_feed(q->tx, next_input(q), out, now);
    if (st != BZ_OK)
        return stream_last(q, out);
    if (q->in != NULL || q->ending == 0)
        return emit(q, out, false);
    st = bz_tx_reply_end(q->tx, q->ending == 1, out, now);
    (void)st; /* what it says is in `out` */
    return stream_last(q, out);
}

static ngx_int_t collect_body(struct bz_ngx_req *q) {
    struct bz_buf *out = scratch();
    struct bz_now now = bz_ngx_now();
    enum bz_status st =
        bz_tx_reply(q->tx) == NULL ? BZ_OK : BZ_EDENIED; /* the head alone may have settled it */

    while (q->in != NULL && st == BZ_OK)
        st = bz_tx_reply_feed(q->tx, next_input(q), out, now);
    if (st == BZ_OK && q->ending == 0)
        return NGX_OK;
    if (st == BZ_OK || bz_tx_reply(q->tx) == NULL)
        st = bz_tx_reply_end(q->tx, st == BZ_OK && q->ending == 1, out, now);
    drop_input(q);
    if (q->ending == 0)
        stop_upstream(q->r);
    return send_collected(q);
}

static ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in) {
    struct bz_ngx_req *q = bz_ngx_req(r);

    if (q == NULL || r != r->main)
        return next_body_filter(r, in);
    if (q->phase == BZ_NGX_STREAM && is_piece(q, in))
        return stream_piece(q, in);
    switch (q->phase) {
    case BZ_NGX_STREAM:
    case BZ_NGX_COLLECT:
        if (keep_input(q, in) != NGX_OK)
            return NGX_ERROR;
        if (q->phase == BZ_NGX_COLLECT)
            return collect_body(q);
        if (in == NULL && push(q) == NGX_ERROR)
            return NGX_ERROR;
        return in == NULL && q->in == NULL ? NGX_OK : stream_body(q);
    case BZ_NGX_ENDED:
        for (; in != NULL; in = in->next)
            in->buf->pos = in->buf->last;
        return push(q);
    case BZ_NGX_NEW:
    case BZ_NGX_READING:
    case BZ_NGX_PARKED:
    case BZ_NGX_FORWARD:
        return NGX_ERROR; /* bytes without a head */
    case BZ_NGX_OWN:
        break;
    }
    return next_body_filter(r, in);
}

/* ---- ends that do not come from the upstream ---- */

void bz_ngx_reply_broken(struct bz_ngx_req *q) {
    q->ending = 2;
    if (q->phase == BZ_NGX_STREAM)
        (void)stream_body(q);
    else if (q->phase == BZ_NGX_COLLECT)
        (void)collect_body(q);
}

/* Both halves of a stream are ended by the code that nginx has for it: the client's by a last
 * buffer, the upstream's by
 * telling it that no more is expected. */
static void cut_reply(struct bz_ngx_req *q, const struct bz_ngx_end *why) {
    ngx_http_request_t *r = q->r;
    ngx_int_t rc = NGX_OK;

    drop_input(q);
    if (q->phase == BZ_NGX_STREAM) {
        struct bz_buf *out = scratch();
        bz_tx_cut(q->tx, why->event, why->text, out);
        rc = emit(q, out, true);
    } else {
        bz_tx_refuse(q->tx, why->status, why->code, why->text);
        rc = send_collected(q);
    }
    stop_upstream(r);
    if (rc == NGX_ERROR)
        ngx_http_finalize_request(r, NGX_ERROR);
    else
        r->write_event_handler(r);
}

bool bz_ngx_stream_tick(struct bz_ngx_req *q) {
    ngx_http_request_t *r = q->r;
    struct bz_buf *out = scratch();
    enum bz_status st = bz_tx_tick(q->tx, out, bz_ngx_now());

    if (st == BZ_OK && out->n == 0)
        return false;
    if (st != BZ_OK)
        drop_input(q);
    ngx_int_t rc = emit(q, out, st != BZ_OK);
    if (st != BZ_OK)
        stop_upstream(r);
    if (rc == NGX_ERROR)
        ngx_http_finalize_request(r, NGX_ERROR);
    else
        r->write_event_handler(r);
    return true;
}

const struct bz_ngx_end bz_ngx_end_key = {401, "invalid_api_key", "key_revoked",
                                          "The API key is no longer valid."};
const struct bz_ngx_end bz_ngx_end_time = {504, "upstream_timeout", "upstream_timeout",
                                           "The model server took too long."};

bool bz_ngx_cut(struct bz_ngx_req *q, const struct bz_ngx_end *why) {
    ngx_http_request_t *r = q->r;
    ngx_connection_t *c = r->connection;
    ngx_http_upstream_t *u = r->upstream;

    if (q->cut)
        return false;
    switch (q->phase) {
    case BZ_NGX_PARKED:
        q->cut = 1;
        bz_ngx_audit_unpark(q);
        bz_tx_refuse(q->tx, why->status, why->code, why->text);
        bz_ngx_resume(q);
        return true;
    case BZ_NGX_FORWARD:
        if (u == NULL || u->peer.connection == NULL || u->read_event_handler == NULL)
            return false;
        q->cut = 1;
        bz_tx_refuse(q->tx, why->status, why->code, why->text);
        u->peer.connection->read->timedout = 1; /* ends in error_page, which sends the refusal */
        u->read_event_handler(r, u);
        break;
    case BZ_NGX_STREAM:
    case BZ_NGX_COLLECT:
        q->cut = 1;
        cut_reply(q, why);
        break;
    case BZ_NGX_NEW:
    case BZ_NGX_READING: /* decided when the body is there */
    case BZ_NGX_ENDED:
    case BZ_NGX_OWN:
        return false;
    }
    ngx_http_run_posted_requests(c);
    return true;
}

ngx_int_t bz_ngx_filter_init(ngx_conf_t *cf) {
    (void)cf;
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
    bz_ngx_next_request_body = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = bz_ngx_body_filter;
    return NGX_OK;
}
