/* Which backend gets the request. Sits below nginx's own keepalive directive, which asks us for an
 * address first and then
 * looks for a kept connection to it. */
#include "ngx_http_bartizan.h"

/* ---- addresses ---- */

static ngx_int_t parse_port(struct bz_view text, in_port_t *ret) {
    uint64_t port = 0;
    if (bz_view_u64(text, &port) != BZ_OK || port == 0 || port > 65535)
        return NGX_ERROR;
    *ret = htons((uint16_t)port);
    return NGX_OK;
}

static bool parse_unix(struct bz_view path, struct bz_ngx_addr *ret) {
    if (path.n == 0 || path.n >= sizeof ret->u.un.sun_path)
        return false;
    ret->u.un.sun_family = AF_UNIX;
    memcpy(ret->u.un.sun_path, path.p, path.n);
    ret->len = (socklen_t)sizeof ret->u.un;
    return true;
}

static bool parse_inet(struct bz_view host, struct bz_view port, uint32_t index,
                       struct bz_ngx_addr *ret) {
    ret->u.in.sin_family = AF_INET;
    ret->u.in.sin_addr.s_addr = ngx_inet_addr(bz_ngx_str(host).data, host.n);
    if (ret->u.in.sin_addr.s_addr == INADDR_NONE || parse_port(port, &ret->u.in.sin_port) != NGX_OK)
        return false;
    /* The kernel ignores these bytes, nginx's keepalive compares them: two backends behind one
     * address (by name, under
     * TLS) never share a connection. */
    memcpy(ret->u.in.sin_zero, &index, sizeof index);
    ret->len = (socklen_t)sizeof ret->u.in;
    return true;
}

static bool parse_inet6(struct bz_view host, struct bz_view port, uint32_t index,
                        struct bz_ngx_addr *ret) {
    ret->u.in6.sin6_family = AF_INET6;
    if (ngx_inet6_addr(bz_ngx_str(host).data, host.n, ret->u.in6.sin6_addr.s6_addr) != NGX_OK ||
        parse_port(port, &ret->u.in6.sin6_port) != NGX_OK)
        return false;
    ret->u.in6.sin6_scope_id = IN6_IS_ADDR_LINKLOCAL(&ret->u.in6.sin6_addr) ? 0 : index;
    ret->len = (socklen_t)sizeof ret->u.in6;
    return true;
}

bool bz_ngx_addr_parse(struct bz_view text, uint32_t index, struct bz_ngx_addr *ret) {
    struct bz_view unix_prefix = BZ_V("unix:");
    size_t colon = text.n;
    bool ok = false;

    memset(ret, 0, sizeof *ret);
    if (bz_view_starts(text, unix_prefix)) {
        ok = parse_unix(bz_view_sub(text, unix_prefix.n, text.n), ret);
    } else {
        while (colon > 0 && text.p[colon - 1] != ':')
            colon--;
        struct bz_view port = bz_view_sub(text, colon, text.n);
        struct bz_view host = bz_view_sub(text, 0, colon == 0 ? 0 : colon - 1);
        if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
            ok = parse_inet6(bz_view_sub(host, 1, host.n - 2), port, index, ret);
        else
            ok = parse_inet(host, port, index, ret);
    }
    if (!ok)
        ret->len = 0;
    ret->text = bz_ngx_str(text);
    return ok;
}

/* ---- the balancer ---- */

/* The request was written for the backend that failed, with its credential. */
static ngx_int_t repick(struct bz_ngx_req *q) {
    ngx_http_request_t *r = q->r;
    ngx_http_upstream_t *u = r->upstream;
    q->repick = 0;
    if (!bz_tx_backend(q->tx, bz_ngx_now(), &q->backend))
        return NGX_BUSY; /* the transaction is refused with 503 */
    u->request_bufs = r->request_body->bufs;
    return u->create_request(r);
}

static ngx_int_t get_peer(ngx_peer_connection_t *pc, void *data) {
    struct bz_ngx_req *q = data;
    if (q->repick) {
        ngx_int_t rc = repick(q);
        if (rc != NGX_OK)
            return rc;
    }
    if (q->backend.index >= BZ_BACKENDS_MAX)
        return NGX_ERROR;
    struct bz_ngx_addr *a = &q->gen->addr[q->backend.index];
    if (a->len == 0)
        return NGX_ERROR;
    pc->sockaddr = &a->u.sa;
    pc->socklen = a->len;
    pc->name = &a->text;
    pc->cached = 0;
    pc->connection = NULL;
    q->r->upstream->ssl = q->backend.tls;
    return NGX_OK;
}

/* Only what surely did no work at a backend is tried again:
 *   - a kept connection that the server closed under us: nginx adds this try by itself, same
 * backend;
 *   - a connection that never came up: the next backend, while there is one.
 * A request that was sent on a fresh connection is never sent twice. */
static void free_peer(ngx_peer_connection_t *pc, void *data, ngx_uint_t state) {
    struct bz_ngx_req *q = data;
    ngx_http_upstream_t *u = q->r->upstream;

    pc->tries = 0;
    if (!(state & NGX_PEER_FAILED))
        return;
    if (q->cut) {
        pc->cached = 0;
        return;
    }
    if (pc->cached) {
        if (u->state != NULL && u->state->bytes_received > 0)
            pc->cached = 0; /* it had begun to answer */
        return;
    }
    bz_tx_backend_result(q->tx, false, bz_ngx_now());
    if (!u->request_sent) {
        q->repick = 1;
        pc->tries = 1;
    }
}

/* TLS sessions are not resumed towards backends; nginx calls these two without looking. */
static ngx_int_t set_session(ngx_peer_connection_t *pc, void *data) {
    (void)pc;
    (void)data;
    return NGX_OK;
}

static void save_session(ngx_peer_connection_t *pc, void *data) {
    (void)pc;
    (void)data;
}

/* The proxy module's last word on the upstream side, before its connection is closed. */
static void finalize(ngx_http_request_t *r, ngx_int_t rc) {
    struct bz_ngx_req *q = bz_ngx_req(r);
    if (q == NULL)
        return;
    if (q->head_seen && !q->cut) {
        if (rc == NGX_OK)
            bz_tx_backend_result(q->tx, true, bz_ngx_now());
        else if (rc == NGX_HTTP_BAD_GATEWAY || rc == NGX_HTTP_GATEWAY_TIME_OUT)
            bz_tx_backend_result(q->tx, false, bz_ngx_now());
    }
    /* After this nginx would just close the client's connection (a broken chunked coding, for
     * one). */
    if (rc == NGX_ERROR && !r->connection->error)
        bz_ngx_reply_broken(q);
    if (q->upstream_finalize != NULL)
        q->upstream_finalize(r, rc);
}

static ngx_int_t init_peer(ngx_http_request_t *r, ngx_http_upstream_srv_conf_t *us) {
    struct bz_ngx_req *q = bz_ngx_req(r);
    ngx_http_upstream_t *u = r->upstream;
    (void)us;
    if (q == NULL || q->phase != BZ_NGX_FORWARD)
        return NGX_ERROR; /* nothing goes out that was not decided here */
    u->peer.data = q;
    u->peer.get = get_peer;
    u->peer.free = free_peer;
    u->peer.set_session = set_session;
    u->peer.save_session = save_session;
    u->peer.tries = 1;
    q->upstream_finalize = u->finalize_request;
    u->finalize_request = finalize;
    return NGX_OK;
}

static ngx_int_t init_upstream(ngx_conf_t *cf, ngx_http_upstream_srv_conf_t *us) {
    (void)cf;
    us->peer.init = init_peer;
    return NGX_OK;
}

char *bz_ngx_balancer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    ngx_http_upstream_srv_conf_t *us =
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);
    static char late[] = "must stand before \"keepalive\" and other balancers";
    (void)cmd;
    (void)conf;
    if (us->peer.init_upstream != NULL)
        return late;
    us->peer.init_upstream = init_upstream;
    us->flags = NGX_HTTP_UPSTREAM_CREATE;
    return NGX_CONF_OK;
}
