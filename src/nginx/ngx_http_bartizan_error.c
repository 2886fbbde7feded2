/* Errors of nginx's own, in the shape of the dialect that was asked: the target of error_page. */
#include "ngx_http_bartizan.h"

static const struct bz_ngx_error errors[] = {
    {400, 400, "bad_request", "The request is not valid HTTP."},
    {403, 403, "forbidden", "The request is not allowed."},
    {404, 404, "route_unknown", "There is no such route."},
    {405, 405, "method_not_allowed", "The method is not allowed."},
    {408, 408, "request_timeout", "The request took too long to arrive."},
    {411, 411, "length_required", "The request needs a Content-Length."},
    {413, 413, "body_too_large", "The body is larger than the gateway accepts."},
    {414, 414, "uri_too_long", "The request line is too long."},
    {421, 421, "host_not_served", "The gateway does not serve this host name."},
    {431, 431, "headers_too_large", "The request's header is too large."},
    {494, 431, "headers_too_large", "The request's header is too large."},
    {495, 400, "client_certificate", "The client certificate is not valid."},
    {496, 400, "client_certificate", "A client certificate is needed."},
    {497, 400, "plain_http", "Plain HTTP was sent to the TLS port; use https://."},
    {499, 499, "client_closed", "The client closed the connection."},
    {501, 400, "transfer_encoding_not_supported", "Transfer-Encoding may only be chunked."},
    {502, 502, "upstream_error", "The model server failed."},
    {503, 503, "no_backend", "No model server is available for this model right now."},
    {504, 504, "upstream_timeout", "The model server took too long."},
    {505, 400, "http_version_not_supported", "The HTTP version is not supported."},
    {500, 500, "internal_error", "The gateway failed."}, /* the last one stands for all others */
};

const struct bz_ngx_error *bz_ngx_error_of(ngx_uint_t status) {
    size_t last = sizeof errors / sizeof errors[0] - 1;
    for (size_t i = 0; i < last; i++) {
        if (errors[i].from == status)
            return &errors[i];
    }
    return &errors[last];
}

/* An error reply whose shape is guessed from the path; body in the request's pool. */
static ngx_int_t make_body(ngx_http_request_t *r, uint16_t status, const char *code,
                           struct bz_view text, struct bz_view id, struct bz_view *ret) {
    struct bz_view path = bz_ngx_view(r->unparsed_uri);
    struct bz_error e = {.status = status, .code = code, .message = text, .request_id = id};
    struct bz_buf buf;

    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '?')
            path.n = i;
    }
    bz_buf_init(&buf, 4096);
    bz_dialect_error(bz_dialect_of_path(path), &e, &buf);
    u_char *p = bz_buf_status(&buf) == BZ_OK ? ngx_pnalloc(r->pool, buf.n) : NULL;
    if (p != NULL) {
        memcpy(p, buf.p, buf.n);
        *ret = bz_view(p, buf.n);
    }
    bz_buf_free(&buf);
    return p == NULL ? NGX_ERROR : NGX_OK;
}

ngx_int_t bz_ngx_send_unready(ngx_http_request_t *r) {
    struct bz_reply rep = {
        .status = 503,
        .content_type = BZ_V("application/json"),
        .extra = {{BZ_V("Retry-After"), BZ_V("1")}, {BZ_V("Cache-Control"), BZ_V("no-store")}},
        .extra_n = 2,
    };
    struct bz_view none = {NULL, 0};
    if (make_body(r, 503, "not_ready", BZ_V("The gateway is not ready. Try again."), none,
                  &rep.body) != NGX_OK)
        return NGX_ERROR;
    ngx_http_clean_header(r);
    r->err_status = 0;
    r->headers_out.status = rep.status;
    r->headers_out.content_type = bz_ngx_str(rep.content_type);
    r->headers_out.content_type_len = rep.content_type.n;
    r->headers_out.content_length_n = (off_t)rep.body.n;
    return bz_ngx_send(r, NULL, &rep);
}

static ngx_int_t send_guessed(struct bz_ngx_req *q, const struct bz_ngx_error *e) {
    struct bz_reply rep = {.status = e->status, .content_type = BZ_V("application/json")};
    if (make_body(q->r, e->status, e->code, bz_view_str(e->text), bz_tx_id(q->tx), &rep.body) !=
            NGX_OK ||
        bz_ngx_set_head(q, e->status, rep.content_type, (off_t)rep.body.n) != NGX_OK)
        return NGX_ERROR;
    return bz_ngx_send(q->r, q, &rep);
}

ngx_int_t bz_ngx_error_handler(ngx_http_request_t *r) {
    struct bz_ngx_req *q = bz_ngx_req(r);
    const struct bz_ngx_error *e = bz_ngx_error_of(r->err_status);

    if (q == NULL)
        q = bz_ngx_req_new(r);
    if (q == NULL)
        return bz_ngx_send_unready(r);
    if (r->err_status == 0) { /* somebody asked for our own path: as for any unknown one */
        e = bz_ngx_error_of(NGX_HTTP_NOT_FOUND);
        (void)bz_ngx_begin(q);
    }
    if (bz_tx_reply(q->tx) == NULL)
        bz_tx_refuse(q->tx, e->status, e->code, e->text);
    return q->begun ? bz_ngx_send_reply(q) : send_guessed(q, e);
}
