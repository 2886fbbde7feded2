/* From the request head to the decision, and replies of our own. */
#include "ngx_http_bartizan.h"

enum { headers_max = 256 }; /* more headers than this in one request serve no client */

/* ---- state of a request ---- */

static void req_done(void *data) {
    struct bz_ngx_req *q = data;
    if (q->tx == NULL)
        return;
    if (q->phase == BZ_NGX_PARKED)
        bz_ngx_audit_unpark(q);
    bz_ngx_audit_close(q, true); /* nothing to do unless the log phase was skipped */
    ngx_queue_remove(&q->open);
    bz_tx_free(q->tx);
    q->tx = NULL;
    bz_ngx_gen_release(q->gen);
}

struct bz_ngx_req *bz_ngx_req(ngx_http_request_t *r) {
    struct bz_ngx_req *q = ngx_http_get_module_ctx(r, ngx_http_bartizan_module);
    if (q != NULL || !(r->internal || r->filter_finalize))
        return q;
    for (ngx_pool_cleanup_t *c = r->pool->cleanup; c != NULL; c = c->next) {
        if (c->handler == req_done) {
            q = c->data;
            ngx_http_set_ctx(r, q, ngx_http_bartizan_module);
            return q;
        }
    }
    return NULL;
}

/* nginx would put the whole request line, query included, into each of its error messages. */
static u_char *log_request(ngx_http_request_t *r, ngx_http_request_t *sr, u_char *buf, size_t len) {
    struct bz_ngx_req *q = bz_ngx_req(r);
    (void)sr;
    if (q == NULL || q->tx == NULL)
        return buf;
    ngx_str_t id = bz_ngx_str(bz_tx_id(q->tx));
    return ngx_snprintf(buf, len, ", request: %V", &id);
}

static uint64_t be64(const uint8_t *p) {
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

struct bz_ngx_req *bz_ngx_req_new(ngx_http_request_t *r) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    struct bz_now now = bz_ngx_now();
    uint8_t id[BZ_REQUEST_ID_LEN];

    bz_ngx_state_refresh();
    if (w->gen == NULL)
        return NULL;
    ngx_pool_cleanup_t *c = ngx_pool_cleanup_add(r->pool, sizeof(struct bz_ngx_req));
    if (c == NULL)
        return NULL;
    struct bz_ngx_req *q = c->data;
    ngx_memzero(q, sizeof *q);
    c->handler = req_done;
    bz_request_id_make(now.unix_ns / 1000000, w->lane, w->epoch, w->counter++, id);
    if (bz_tx_new(&w->gen->env, bz_alloc_heap, now, be64(id), be64(id + 8), &q->tx) != BZ_OK) {
        q->tx = NULL;
        return NULL;
    }
    q->r = r;
    q->now = now;
    q->http_version = r->http_version;
    q->gen = w->gen;
    q->gen->refs++;
    q->in_last = &q->in;
    ngx_queue_insert_tail(&w->open, &q->open);
    ngx_http_set_ctx(r, q, ngx_http_bartizan_module);
    r->log_handler = log_request;
    return q;
}

/* ---- the request head ---- */

static bool collect_headers(ngx_http_request_t *r, struct bz_header *out, size_t cap,
                            size_t *ret_n) {
    size_t n = 0;
    ngx_list_part_t *part = &r->headers_in.headers.part;
    for (; part != NULL; part = part->next) {
        const ngx_table_elt_t *h = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (n == cap)
                return false;
            out[n].name = bz_ngx_view(h[i].key);
            out[n++].value = bz_ngx_view(h[i].value);
        }
    }
    *ret_n = n;
    return true;
}

/* Path and query as they came over the wire, without scheme and authority. */
static void split_target(ngx_str_t target, struct bz_req_head *h) {
    u_char *q = target.len == 0 ? NULL : ngx_strlchr(target.data, target.data + target.len, '?');
    h->raw_path = bz_ngx_view(target);
    if (q == NULL)
        return;
    h->raw_path.n = (size_t)(q - target.data);
    h->query = bz_view(q + 1, target.len - h->raw_path.n - 1);
}

enum bz_verdict bz_ngx_begin(struct bz_ngx_req *q) {
    static struct bz_header headers[headers_max];
    ngx_http_request_t *r = q->r;
    struct bz_req_head h = {
        .method = bz_ngx_view(r->method_name),
        .path = bz_ngx_view(r->uri),
        .host = bz_ngx_view(r->headers_in.server),
        .headers = headers,
        .peer = bz_ngx_view(r->connection->addr_text),
        .content_length = r->headers_in.content_length_n,
        .chunked = r->headers_in.chunked,
        .tls = r->connection->ssl != NULL,
    };
    q->begun = 1;
    split_target(r->unparsed_uri, &h);
    if (!collect_headers(r, headers, headers_max, &h.headers_n)) {
        bz_tx_refuse(q->tx, 431, "too_many_headers", "The request has too many header fields.");
        return BZ_VERDICT_REFUSE;
    }
    return bz_tx_begin(q->tx, &h);
}

/* ---- replies of ours ---- */

ngx_int_t bz_ngx_add_header(ngx_http_request_t *r, const struct bz_header *h) {
    ngx_table_elt_t *e = ngx_list_push(&r->headers_out.headers);
    if (e == NULL)
        return NGX_ERROR;
    ngx_memzero(e, sizeof *e);
    e->hash = 1;
    e->key = bz_ngx_str(h->name);
    e->value = bz_ngx_str(h->value);
    return NGX_OK;
}

ngx_int_t bz_ngx_set_head(struct bz_ngx_req *q, ngx_uint_t status, struct bz_view type,
                          off_t length) {
    static ngx_table_elt_t
        no_server; /* hash 0: nginx writes no Server header, neither its own nor this */
    struct bz_header h[16];
    ngx_http_request_t *r = q->r;

    ngx_http_clean_header(r);
    r->err_status = 0;
    r->allow_ranges = 0;
    r->disable_not_modified = 1;
    r->headers_out.status = status;
    r->headers_out.server = &no_server;
    r->headers_out.content_type = bz_ngx_str(type);
    r->headers_out.content_type_len = type.n;
    r->headers_out.content_length_n = length;
    size_t n = bz_tx_headers(q->tx, h, sizeof h / sizeof h[0]);
    for (size_t i = 0; i < n; i++) {
        if (bz_ngx_add_header(r, &h[i]) != NGX_OK)
            return NGX_ERROR;
    }
    return NGX_OK;
}

ngx_int_t bz_ngx_send(ngx_http_request_t *r, struct bz_ngx_req *q, const struct bz_reply *rep) {
    /* A client that asked with Expect is told the verdict instead of being invited to send its
     * body. */
    r->expect_tested = 1;
    if (ngx_http_discard_request_body(r) != NGX_OK)
        r->keepalive = 0;
    for (size_t i = 0; i < rep->extra_n; i++) {
        if (bz_ngx_add_header(r, &rep->extra[i]) != NGX_OK)
            return NGX_ERROR;
    }
    if (q != NULL)
        q->phase = BZ_NGX_OWN;
    ngx_int_t rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only)
        return rc;
    ngx_buf_t *b = ngx_calloc_buf(r->pool);
    if (b == NULL)
        return NGX_ERROR;
    ngx_str_t body = bz_ngx_str(rep->body);
    b->start = b->pos = body.data;
    b->end = b->last = body.data + body.len;
    b->memory = body.len > 0;
    b->last_buf = 1;
    b->last_in_chain = 1;
    ngx_chain_t out = {.buf = b, .next = NULL};
    return ngx_http_output_filter(r, &out);
}

ngx_int_t bz_ngx_send_reply(struct bz_ngx_req *q) {
    const struct bz_reply *rep = bz_tx_reply(q->tx);
    if (rep == NULL) { /* a verdict without a reply: an error of ours, and nothing was forwarded */
        bz_tx_refuse(q->tx, 500, "internal_error", "The gateway could not decide this request.");
        rep = bz_tx_reply(q->tx);
        if (rep == NULL)
            return NGX_ERROR;
    }
    if (bz_ngx_set_head(q, rep->status, rep->content_type, (off_t)rep->body.n) != NGX_OK)
        return NGX_ERROR;
    return bz_ngx_send(q->r, q, rep);
}

/* ---- the request body ---- */

/* The whole body as one run of bytes: the one buffer that holds it, or a copy that the caller
 * frees. */
static bool body_view(const ngx_http_request_body_t *rb, struct bz_view *ret, u_char **ret_copy) {
    const ngx_chain_t *bufs = rb == NULL ? NULL : rb->bufs;
    size_t n = 0, used = 0;

    for (const ngx_chain_t *c = bufs; c != NULL; c = c->next) {
        if (c->buf->in_file)
            return false;
        if (!ngx_buf_in_memory(c->buf) || c->buf->last == c->buf->pos)
            continue; /* a chunked body ends with a buffer that only says so */
        *ret = bz_view(c->buf->pos, (size_t)(c->buf->last - c->buf->pos));
        n += ret->n;
        used++;
    }
    if (used <= 1)
        return true;
    u_char *p = malloc(n);
    if (p == NULL)
        return false;
    *ret_copy = p;
    *ret = bz_view(p, n);
    for (const ngx_chain_t *c = bufs; c != NULL; c = c->next) {
        if (ngx_buf_in_memory(c->buf))
            p = ngx_cpymem(p, c->buf->pos, (size_t)(c->buf->last - c->buf->pos));
    }
    return true;
}

/* What the client sent is no longer needed: the canonical body is what goes on. */
static void body_free(ngx_http_request_t *r) {
    ngx_http_request_body_t *rb = r->request_body;
    if (rb == NULL)
        return;
    if (rb->buf != NULL && rb->buf->start != NULL)
        (void)ngx_pfree(
            r->pool,
            rb->buf->start); /* only large allocations go; anything else stays in the pool */
    rb->buf = NULL;
    rb->bufs = NULL;
    rb->free = NULL;
    rb->busy = NULL;
}

/* Puts the checked request in the place of what came in. */
static ngx_int_t set_forward(struct bz_ngx_req *q) {
    ngx_http_request_t *r = q->r;
    const struct bz_forward *f = bz_tx_forward(q->tx);
    if (f == NULL)
        return NGX_ERROR;
    body_free(r);
    if (r->request_body == NULL) {
        r->request_body = ngx_pcalloc(r->pool, sizeof *r->request_body);
        if (r->request_body == NULL)
            return NGX_ERROR;
    }
    if (f->body.n > 0) {
        ngx_chain_t *c = ngx_alloc_chain_link(r->pool);
        ngx_buf_t *b = ngx_calloc_buf(r->pool);
        if (c == NULL || b == NULL)
            return NGX_ERROR;
        ngx_str_t body = bz_ngx_str(f->body);
        b->start = b->pos = body.data;
        b->end = b->last = body.data + body.len;
        b->memory = 1;
        b->last_buf = 1;
        c->buf = b;
        c->next = NULL;
        r->request_body->bufs = c;
    }
    r->headers_in.content_length_n = f->body.n > 0 ? (off_t)f->body.n : -1;
    r->headers_in.content_length = NULL;
    r->headers_in.chunked = 0;
    r->method_name = bz_ngx_str(f->method);
    /* The proxy module sends unparsed_uri as it is while it is "valid", so no escaping rule gets
     * in between. */
    r->unparsed_uri = bz_ngx_str(f->path);
    r->uri = r->unparsed_uri;
    r->valid_unparsed_uri = 1;
    r->args.len = 0;
    return NGX_OK;
}

/* The record is durable, or need not be. */
static ngx_int_t go(struct bz_ngx_req *q) {
    if (set_forward(q) != NGX_OK) {
        bz_tx_refuse(q->tx, 503, "no_memory", "The gateway is short of memory. Try again later.");
        return bz_ngx_send_reply(q);
    }
    q->phase = BZ_NGX_FORWARD;
    q->forwarded = ngx_current_msec;
    return NGX_DECLINED;
}

/* NGX_DECLINED: the phases go on; NGX_AGAIN: parked; otherwise what to finalize with. */
static ngx_int_t act(struct bz_ngx_req *q, enum bz_verdict v) {
    if (v != BZ_VERDICT_FORWARD) {
        q->answered = v == BZ_VERDICT_ANSWER;
        return bz_ngx_send_reply(q);
    }
    if (!bz_tx_backend(q->tx, q->now, &q->backend))
        return bz_ngx_send_reply(q);
    if (!bz_ngx_spool(q, BZ_BODY_REQUEST)) {
        bz_tx_refuse(q->tx, 503, "storage_unavailable",
                     "The request could not be stored as the policy asks.");
        return bz_ngx_send_reply(q);
    }
    ngx_int_t rc = bz_ngx_audit_decision(q);
    if (rc == NGX_AGAIN)
        return rc;
    return rc == NGX_DECLINED ? go(q) : bz_ngx_send_reply(q);
}

static void carry_on(ngx_http_request_t *r, ngx_int_t rc) {
    if (rc == NGX_AGAIN)
        return;
    if (rc != NGX_DECLINED) {
        ngx_http_finalize_request(r, rc);
        return;
    }
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}

void bz_ngx_resume(struct bz_ngx_req *q) {
    ngx_http_request_t *r = q->r;
    ngx_connection_t *c = r->connection;
    carry_on(r, bz_tx_reply(q->tx) != NULL ? bz_ngx_send_reply(q) : go(q));
    ngx_http_run_posted_requests(c);
}

/* Deciding a body goes by the policy of its head, which may be minutes old by the time the last byte comes. */
static bool still_entitled(struct bz_ngx_req *q) {
    bz_ngx_state_refresh();
    const struct bz_ngx_gen *now = bz_ngx_worker.gen;
    return now != NULL && bz_tx_still_allowed(q->tx, &now->image, q->now.unix_ns / 1000000000u);
}

static void body_ready(ngx_http_request_t *r) {
    struct bz_ngx_req *q = bz_ngx_req(r);
    struct bz_view body = {NULL, 0};
    enum bz_verdict v = BZ_VERDICT_REFUSE;
    u_char *copy = NULL;

    if (q == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }
    if (q->late)
        q->now = bz_ngx_now();
    if (q->late && !still_entitled(q)) {
        bz_tx_refuse(q->tx, 401, "invalid_api_key", "The API key is no longer valid.");
    } else if (r->request_body != NULL && r->request_body->temp_file != NULL) {
        /* bz_ngx_body_filter sees to it that this does not happen. */
        bz_tx_refuse(q->tx, 413, "body_too_large", "The body is larger than the gateway accepts.");
    } else if (!body_view(r->request_body, &body, &copy)) {
        bz_tx_refuse(q->tx, 503, "no_memory", "The gateway is short of memory. Try again later.");
    } else if (body.n > bz_tx_body_max(q->tx)) {
        bz_tx_refuse(q->tx, 413, "body_too_large", "The body is larger than the gateway accepts.");
    } else {
        v = bz_tx_body(q->tx, body, q->now);
    }
    free(copy);
    carry_on(r, act(q, v));
}

ngx_http_request_body_filter_pt bz_ngx_next_request_body;

ngx_int_t bz_ngx_body_filter(ngx_http_request_t *r, ngx_chain_t *in) {
    const struct bz_ngx_req *q = r == r->main ? bz_ngx_req(r) : NULL;
    const ngx_http_request_body_t *rb = r->request_body;
    /* The condition under which ngx_http_request_body_save_filter opens a file. */
    if (q != NULL && q->phase == BZ_NGX_READING && rb->rest > 0 && rb->buf != NULL &&
        rb->buf->last == rb->buf->end)
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    return bz_ngx_next_request_body(r, in);
}

static ngx_int_t read_body(struct bz_ngx_req *q) {
    ngx_http_request_t *r = q->r;
    q->phase = BZ_NGX_READING;
    ngx_int_t rc = ngx_http_read_client_request_body(r, body_ready);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE)
        return rc;
    if (rc == NGX_AGAIN)
        q->late = 1;
    ngx_http_finalize_request(r, NGX_DONE);
    return NGX_DONE;
}

ngx_int_t bz_ngx_preaccess(ngx_http_request_t *r) {
    struct bz_ngx_loc_conf *conf = ngx_http_get_module_loc_conf(r, ngx_http_bartizan_module);
    if (!conf->enable || r != r->main)
        return NGX_DECLINED;
    struct bz_ngx_req *q = bz_ngx_req(r);
    if (q != NULL) /* again, after the body or the record; in any other phase nothing may pass */
        return q->phase == BZ_NGX_FORWARD ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
    q = bz_ngx_req_new(r);
    if (q == NULL) {
        ngx_http_finalize_request(r, bz_ngx_send_unready(r));
        return NGX_DONE;
    }
    enum bz_verdict v = bz_ngx_begin(q);
    if (v == BZ_VERDICT_BODY)
        return read_body(q);
    ngx_int_t rc = act(q, v);
    if (rc == NGX_DECLINED)
        return NGX_DECLINED;
    if (rc != NGX_AGAIN)
        ngx_http_finalize_request(r, rc);
    return NGX_DONE;
}
