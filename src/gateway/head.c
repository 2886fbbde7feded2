/* What the head alone decides, in the order host, origin, upgrade, hygiene, credential, query,
 * path, route, access, body announcement. Nothing before the credential tells which routes exist.
 */
#include "mcp.h"

enum name {
    HEAD_HOST,
    HEAD_ORIGIN,
    HEAD_UPGRADE,
    HEAD_CONNECTION,
    HEAD_AUTHORIZATION,
    HEAD_X_API_KEY,
    HEAD_API_KEY,
    HEAD_COOKIE,
    HEAD_CONTENT_TYPE,
    HEAD_CONTENT_LENGTH,
    HEAD_CONTENT_ENCODING,
    HEAD_TRANSFER_ENCODING,
    HEAD_CONVERSATION,
    HEAD_LABEL,
    HEAD_JUSTIFICATION,
    HEAD_COUNT /* a header that means nothing to us: it goes nowhere */
};

struct seen { /* the first value of each, and whether another one came */
    struct bz_view value[HEAD_COUNT];
    bool there[HEAD_COUNT], again[HEAD_COUNT];
    bool upgrade;
};

static enum name is(struct bz_view name, struct bz_view want, enum name h) {
    return bz_view_eq_nocase(name, want) ? h : HEAD_COUNT;
}

/* By length first: a browser sends a dozen headers that mean nothing here. */
static enum name head_of(struct bz_view n) {
    switch (n.n) {
    case 4:
        return is(n, BZ_V("host"), HEAD_HOST);
    case 6:
        return is(n, BZ_V("origin"), HEAD_ORIGIN) != HEAD_COUNT
                   ? HEAD_ORIGIN
                   : is(n, BZ_V("cookie"), HEAD_COOKIE);
    case 7:
        return is(n, BZ_V("upgrade"), HEAD_UPGRADE) != HEAD_COUNT
                   ? HEAD_UPGRADE
                   : is(n, BZ_V("api-key"), HEAD_API_KEY);
    case 9:
        return is(n, BZ_V("x-api-key"), HEAD_X_API_KEY);
    case 10:
        return is(n, BZ_V("connection"), HEAD_CONNECTION);
    case 12:
        return is(n, BZ_V("content-type"), HEAD_CONTENT_TYPE);
    case 13:
        return is(n, BZ_V("authorization"), HEAD_AUTHORIZATION);
    case 14:
        return is(n, BZ_V("content-length"), HEAD_CONTENT_LENGTH);
    case 16:
        return is(n, BZ_V("content-encoding"), HEAD_CONTENT_ENCODING) != HEAD_COUNT
                   ? HEAD_CONTENT_ENCODING
                   : is(n, BZ_V("x-bartizan-label"), HEAD_LABEL);
    case 17:
        return is(n, BZ_V("transfer-encoding"), HEAD_TRANSFER_ENCODING);
    case 23:
        return is(n, BZ_V("x-bartizan-conversation"), HEAD_CONVERSATION);
    case 24:
        return is(n, BZ_V("x-bartizan-justification"), HEAD_JUSTIFICATION);
    default:
        return HEAD_COUNT;
    }
}

static struct bz_view trim(struct bz_view v) {
    while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
        v = bz_view_sub(v, 1, v.n);
    while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    return v;
}

/* The next element of a list; `v` is cut off behind it. */
static struct bz_view next_of(struct bz_view *v, uint8_t sep) {
    const uint8_t *at = v->n > 0 ? memchr(v->p, sep, v->n) : NULL;
    size_t n = at != NULL ? (size_t)(at - v->p) : v->n;
    struct bz_view item = bz_view_sub(*v, 0, n);
    *v = bz_view_sub(*v, n + (at != NULL), v->n);
    return item;
}

static bool has_token(struct bz_view list, struct bz_view token) {
    while (list.n > 0)
        if (bz_view_eq_nocase(trim(next_of(&list, ',')), token))
            return true;
    return false;
}

static void look(const struct bz_req_head *h, struct seen *s) {
    for (size_t i = 0; i < h->headers_n; i++) {
        enum name k = head_of(h->headers[i].name);
        if (k == HEAD_COUNT)
            continue;
        if (k == HEAD_CONNECTION) /* a list: may stand in several lines, RFC 9110 5.3 */
            s->upgrade |= has_token(h->headers[i].value, BZ_V("upgrade"));
        else
            s->again[k] |= s->there[k];
        if (!s->there[k])
            s->value[k] = trim(h->headers[i].value);
        s->there[k] = true;
    }
    s->upgrade |= s->there[HEAD_UPGRADE];
}

static bool edge(struct bz_tx *tx, const struct bz_req_head *h, const struct seen *s) {
    if (!bz_image_host_known(tx->image,
                             h->host)) /* tool servers: DNS rebinding gets what the spec says */
        return bz_tx_no(tx, bz_route_is_mcp(h->path) ? BZ_REFUSE_MCP_HOST : BZ_REFUSE_HOST);
    if (s->there[HEAD_ORIGIN] && !bz_image_origin_known(tx->image, s->value[HEAD_ORIGIN]))
        return bz_tx_no(tx, BZ_REFUSE_ORIGIN);
    if (s->upgrade || bz_view_eq(h->method, BZ_V("CONNECT")))
        return bz_tx_no(tx, BZ_REFUSE_UPGRADE);
    return true;
}

static bool hygiene(struct bz_tx *tx, const struct bz_req_head *h, const struct seen *s) {
    for (int k = 0; k < HEAD_COUNT; k++)
        if (s->again[k] && k != HEAD_COOKIE)
            return bz_tx_no(tx, BZ_REFUSE_HEADER_REPEATED);
    if (s->there[HEAD_TRANSFER_ENCODING] &&
        !bz_view_eq_nocase(s->value[HEAD_TRANSFER_ENCODING], BZ_V("chunked")))
        return bz_tx_no(tx, BZ_REFUSE_TRANSFER_ENCODING);
    bool chunked = h->chunked || s->there[HEAD_TRANSFER_ENCODING];
    if (chunked && (s->there[HEAD_CONTENT_LENGTH] || h->content_length >= 0))
        return bz_tx_no(tx, BZ_REFUSE_LENGTH_AMBIGUOUS); /* RFC 9112 6.1: smuggling */
    if (s->there[HEAD_CONTENT_ENCODING] &&
        !bz_view_eq_nocase(s->value[HEAD_CONTENT_ENCODING], BZ_V("identity")))
        return bz_tx_no(tx, BZ_REFUSE_CONTENT_ENCODING);
    return true;
}

/* ---- credential ---- */

static bool is_credential_name(struct bz_view name) {
    static const char *const names[] = {"key",    "api_key", "api-key",
                                        "apikey", "token",   "access_token"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (bz_view_eq_nocase(name, bz_view_str(names[i])))
            return true;
    return false;
}

static bool query_has_credential(struct bz_view query) {
    while (query.n > 0) {
        struct bz_view pair = next_of(&query, '&');
        if (is_credential_name(next_of(&pair, '=')))
            return true;
    }
    return false;
}

/* "Bearer K"; any other scheme is a credential that cannot be right. */
static struct bz_view bearer(struct bz_view v) {
    struct bz_view scheme = bz_view_sub(v, 0, 6);
    if (!bz_view_eq_nocase(scheme, BZ_V("bearer")) || (v.n > 6 && v.p[6] != ' '))
        return (struct bz_view){NULL, 0};
    return trim(bz_view_sub(v, 6, v.n));
}

/* Every slot means the same; two that differ are an error, or a check in one place could be passed
 * in the other. */
static bool one_credential(struct bz_tx *tx, const struct seen *s, bool *ret_there,
                           struct bz_view *ret) {
    static const enum name slots[] = {HEAD_AUTHORIZATION, HEAD_X_API_KEY, HEAD_API_KEY};
    *ret_there = false;
    *ret = (struct bz_view){NULL, 0};
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        enum name k = slots[i];
        if (!s->there[k])
            continue;
        struct bz_view v = k == HEAD_AUTHORIZATION ? bearer(s->value[k]) : s->value[k];
        if (*ret_there && !bz_ct_equal(v, *ret))
            return bz_tx_no(tx, BZ_REFUSE_CREDENTIAL_CONFLICT);
        *ret = v;
        *ret_there = true;
    }
    return true;
}

/* Liveness needs no key; the answer is a constant of the gateway's own. */
static bool is_public(const struct bz_route *r) {
    return r->access == BZ_ACCESS_PUBLIC && r->answer == BZ_ANSWER_HEALTH;
}

static uint8_t server_types(const struct bz_tx *tx) {
    struct bz_backend b;
    uint8_t types = 0;
    for (uint32_t i = 0; i < tx->backends_n; i++)
        if (bz_image_backend(tx->image, i, &b) && b.type < BZ_SERVER_COUNT)
            types |= (uint8_t)(1u << b.type);
    return types;
}

/* Looks the path up in the tables of all types that run here. */
static enum bz_route_match look_up(struct bz_tx *tx, struct bz_view method, struct bz_view path,
                                   struct bz_view *ret_id) {
    enum bz_route_match best = BZ_ROUTE_UNKNOWN;
    if (bz_route_is_mcp(path))
        return bz_image_blob(tx->image, BZ_BLOB_MCP).n == 0
                   ? BZ_ROUTE_UNKNOWN
                   : bz_route_find_mcp(method, path, &tx->route, ret_id);
    for (unsigned t = 0; t < BZ_SERVER_COUNT; t++) {
        const struct bz_route *r = NULL;
        struct bz_view id = {NULL, 0};
        if ((tx->types >> t & 1) == 0)
            continue;
        enum bz_route_match m = bz_route_find((enum bz_server)t, method, path, &r, &id);
        if (m == BZ_ROUTE_FOUND && r != NULL) {
            tx->routes[t] = r;
            if (tx->route == NULL) {
                tx->route = r;
                *ret_id = id;
            }
        }
        if (m > best)
            best = m;
    }
    return best;
}

static bool authenticate(struct bz_tx *tx, struct bz_view key) {
    if (key.n > BZ_CREDENTIAL_MAX)
        return bz_tx_no(tx, BZ_REFUSE_KEY_INVALID);
    enum bz_status st =
        bz_image_authenticate(tx->image, key, tx->start.unix_ns / 1000000000, &tx->who);
    if (st != BZ_OK || key.n != sizeof tx->key) {
        tx->who = (struct bz_principal){0};
        return bz_tx_no(tx, st == BZ_EEXPIRED ? BZ_REFUSE_KEY_EXPIRED : BZ_REFUSE_KEY_INVALID);
    }
    memcpy(tx->key, key.p, sizeof tx->key);
    tx->authed = true;
    return true;
}

static bool credential(struct bz_tx *tx, const struct bz_req_head *h, const struct seen *s,
                       bool is_open) {
    struct bz_view key;
    bool there;
    if (s->there[HEAD_COOKIE])
        return bz_tx_no(tx, BZ_REFUSE_CREDENTIAL_COOKIE);
    if (query_has_credential(h->query))
        return bz_tx_no(tx, BZ_REFUSE_CREDENTIAL_QUERY);
    if (!one_credential(tx, s, &there, &key))
        return false;
    if (is_open)
        return true;
    if (!there)
        return bz_tx_no(tx, BZ_REFUSE_KEY_MISSING);
    return authenticate(tx, key);
}

/* ---- what the client says about its data ---- */

static bool is_conversation(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || c == '.';
        if (!good)
            return false;
    }
    return v.n >= 1 && v.n <= BZ_CONVERSATION_MAX;
}

static bool own_headers(struct bz_tx *tx, const struct seen *s) {
    struct bz_view conversation = s->value[HEAD_CONVERSATION], why = s->value[HEAD_JUSTIFICATION];
    enum bz_level level = BZ_LEVEL_PUBLIC;
    if (s->there[HEAD_LABEL] && !bz_level_from_name(s->value[HEAD_LABEL], &level))
        return bz_tx_no(tx, BZ_REFUSE_HEADER_VALUE);
    if (s->there[HEAD_JUSTIFICATION] && (why.n == 0 || why.n > BZ_JUSTIFICATION_MAX))
        return bz_tx_no(tx, BZ_REFUSE_HEADER_VALUE);
    tx->label = (uint8_t)level;
    tx->justified = s->there[HEAD_JUSTIFICATION];
    if (!s->there[HEAD_CONVERSATION])
        return true;
    if (!is_conversation(conversation))
        return bz_tx_no(tx, BZ_REFUSE_HEADER_VALUE);
    uint8_t *p = bz_tx_alloc(tx, conversation.n);
    if (p == NULL)
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    memcpy(p, conversation.p, conversation.n);
    tx->conversation = bz_view(p, conversation.n);
    return true;
}

/* ---- query, path ---- */

/* Anthropic's SDKs append ?beta=true to beta calls. It is not forwarded. */
static bool query(struct bz_tx *tx, const struct bz_req_head *h) {
    struct bz_view q = h->query;
    bool messages = bz_view_starts(h->path, BZ_V("/v1/messages"));
    if (q.n > BZ_QUERY_MAX)
        return bz_tx_no(tx, BZ_REFUSE_QUERY);
    while (q.n > 0) {
        struct bz_view pair = next_of(&q, '&');
        if (!messages || !bz_view_eq(next_of(&pair, '='), BZ_V("beta")))
            return bz_tx_no(tx, BZ_REFUSE_QUERY);
    }
    return true;
}

static bool is_plain(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '-' || c == '_' || c == '.' || c == ':' || c == '@' || c == '~';
}

/* One spelling per path: what was authorised is what the server sees. */
static bool path_canonical(const struct bz_req_head *h) {
    struct bz_view p = h->path;
    size_t from = 0; /* of the current segment */
    if (p.n == 0 || p.p[0] != '/' || !bz_view_eq(p, h->raw_path))
        return false;
    for (size_t i = 0; i <= p.n; i++) {
        if (i < p.n && !is_plain(p.p[i]))
            return false;
        if (i < p.n && p.p[i] != '/')
            continue;
        struct bz_view seg = bz_view_sub(p, from, i - from);
        if (bz_view_eq(seg, BZ_V(".")) || bz_view_eq(seg, BZ_V("..")))
            return false;
        if (seg.n == 0 && i > 0 && i < p.n)
            return false; /* "//"; a slash at the end is another route, and unknown */
        from = i + 1;
    }
    return true;
}

/* ---- route ---- */

static bool no_method_mcp(struct bz_tx *tx) {
    (void)bz_tx_no(tx, BZ_REFUSE_METHOD);
    bz_tx_reply_allow(tx, BZ_V("POST, GET, DELETE"));
    return false;
}

static bool no_method(struct bz_tx *tx, const struct bz_req_head *h) {
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    char mem[64];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const struct bz_route *r = NULL;
        struct bz_view id;
        bool found = false;
        for (unsigned t = 0; t < BZ_SERVER_COUNT && !found; t++)
            found = (tx->types >> t & 1) != 0 &&
                    bz_route_find((enum bz_server)t, bz_view_str(methods[i]), h->path, &r, &id) ==
                        BZ_ROUTE_FOUND;
        if (!found)
            continue;
        bz_buf_puts(&b, b.n > 0 ? ", " : "");
        bz_buf_puts(&b, methods[i]);
    }
    (void)bz_tx_no(tx, BZ_REFUSE_METHOD);
    bz_tx_reply_allow(tx, bz_buf_view(&b));
    return false;
}

static bool blocked(struct bz_tx *tx, const struct bz_route *r) {
    char mem[384];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, "The gateway never passes this route");
    if (r->reason != NULL) {
        bz_buf_puts(&b, ": ");
        bz_buf_puts(&b, r->reason);
    }
    bz_buf_puts(&b, ".");
    struct bz_view why = bz_buf_status(&b) == BZ_OK ? bz_buf_view(&b) : (struct bz_view){NULL, 0};
    return bz_tx_no_because(tx, BZ_REFUSE_ROUTE_BLOCKED, why, (struct bz_view){NULL, 0}, r->reason);
}

static bool may_use(const struct bz_tx *tx, const struct bz_route *r, struct bz_denial *ret) {
    if (!tx->authed)
        return is_public(r);
    if (r->access == BZ_ACCESS_PUBLIC)
        return r->answer != BZ_ANSWER_BACKEND;
    return (r->access == BZ_ACCESS_USER || r->access == BZ_ACCESS_ADMIN) &&
           bz_authorise_route(tx->image, &tx->who, r, ret) == BZ_OK;
}

/* Which of the server types that know the route let this principal use it. The kept ones agree on
 * who answers and whether there is a body; the tables do today, and a difference is decided for the
 * first. */
static bool access_of(struct bz_tx *tx, struct bz_denial *why) {
    const struct bz_route *first = NULL;
    for (unsigned t = 0; t < BZ_SERVER_COUNT; t++) {
        const struct bz_route *r = tx->routes[t];
        struct bz_denial no = {NULL, NULL};
        if (r == NULL)
            continue;
        if (!may_use(tx, r, &no)) {
            if (no.code != NULL)
                *why = no;
            continue;
        }
        if (first == NULL)
            first = r;
        if (first->answer == r->answer && (first->api == BZ_API_NONE) == (r->api == BZ_API_NONE))
            tx->may |= (uint8_t)(1u << t);
    }
    if (first != NULL)
        tx->route = first;
    return first != NULL;
}

static bool route(struct bz_tx *tx, const struct bz_req_head *h, enum bz_route_match match) {
    struct bz_denial why = {NULL, NULL};
    if (match == BZ_ROUTE_METHOD)
        return bz_route_is_mcp(h->path) ? no_method_mcp(tx) : no_method(tx, h);
    if (match != BZ_ROUTE_FOUND || tx->route == NULL)
        return bz_tx_no(tx, BZ_REFUSE_ROUTE_UNKNOWN);
    tx->dialect = (uint8_t)tx->route->dialect;
    tx->dialect_known = true;
    if (tx->route->dialect == BZ_DIALECT_MCP ? may_use(tx, tx->route, &why) : access_of(tx, &why)) {
        tx->dialect = (uint8_t)tx->route->dialect;
        return true;
    }
    if (why.code != NULL)
        return bz_tx_no_code(tx, 403, why.code, bz_view_str(why.why), (struct bz_view){NULL, 0},
                             why.why);
    return blocked(tx, tx->route);
}

/* ---- announced body ---- */

static bool content_type_json(struct bz_view v) {
    struct bz_view type = trim(next_of(&v, ';'));
    if (!bz_view_eq_nocase(type, BZ_V("application/json")))
        return false;
    while (v.n > 0) {
        struct bz_view value = trim(next_of(&v, ';'));
        struct bz_view name = trim(next_of(&value, '='));
        value = trim(value);
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = bz_view_sub(value, 1, value.n - 2);
        if (bz_view_eq_nocase(name, BZ_V("charset")) && !bz_view_eq_nocase(value, BZ_V("utf-8")) &&
            !bz_view_eq_nocase(value, BZ_V("utf8")))
            return false;
    }
    return true;
}

static bool announced(struct bz_tx *tx, const struct bz_req_head *h, const struct seen *s) {
    if (tx->route->answer != BZ_ANSWER_BACKEND || tx->route->api == BZ_API_NONE) {
        if (h->chunked || h->content_length > 0)
            return bz_tx_no(tx, BZ_REFUSE_BODY_NOT_ALLOWED);
        return true;
    }
    if (!s->there[HEAD_CONTENT_TYPE] || !content_type_json(s->value[HEAD_CONTENT_TYPE]))
        return bz_tx_no(tx, BZ_REFUSE_CONTENT_TYPE);
    if (h->content_length == 0)
        return bz_tx_no(tx, BZ_REFUSE_BODY_MISSING);
    bz_tx_limits_size(tx);
    if (h->content_length > 0 && (uint64_t)h->content_length > tx->body_max)
        return bz_tx_no(tx, BZ_REFUSE_BODY_TOO_LARGE);
    return true;
}

static bool head(struct bz_tx *tx, const struct bz_req_head *h, struct bz_view *ret_id) {
    struct seen s = {0};
    tx->tls = h->tls;
    tx->forward.path = h->path; /* lent: to guess the dialect of a refusal before the route */
    tx->peer_n = (uint8_t)(h->peer.n < sizeof tx->peer ? h->peer.n : sizeof tx->peer);
    if (tx->peer_n > 0)
        memcpy(tx->peer, h->peer.p, tx->peer_n);
    look(h, &s);
    if (!edge(tx, h, &s) || !hygiene(tx, h, &s))
        return false;
    tx->types = server_types(tx);
    bool canonical = path_canonical(h);
    struct bz_view id = {NULL, 0};
    enum bz_route_match match = canonical && h->path.n <= BZ_PATH_MAX
                                    ? look_up(tx, h->method, h->path, &id)
                                    : BZ_ROUTE_UNKNOWN;
    bool is_open = match == BZ_ROUTE_FOUND && tx->route != NULL && is_public(tx->route);
    if (!credential(tx, h, &s, is_open) || !own_headers(tx, &s) || !query(tx, h))
        return false;
    if (!canonical)
        return bz_tx_no(tx, BZ_REFUSE_PATH);
    *ret_id = id;
    if (!route(tx, h, match) || !announced(tx, h, &s))
        return false;
    return tx->route->dialect != BZ_DIALECT_MCP || bz_tx_mcp_head(tx, h, id);
}

bool bz_tx_head(struct bz_tx *tx, const struct bz_req_head *h, struct bz_view *ret_id) {
    bool ok = head(tx, h, ret_id);
    tx->forward.path = (struct bz_view){NULL, 0};
    return ok;
}
