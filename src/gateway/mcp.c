/* Requests to a tool server: whose session, which method, which tool, with what. */
#include "mcp.h"
#include "screen.h"

#define WRITE_ROOM 512 /* what our own edits may add */
#define RPC_NO_METHOD (-32601)

/* ---- what others ask about it ---- */

void bz_tx_mcp_free(struct bz_tx *tx) {
    if (tx->mcp == NULL)
        return;
    if (tx->mcp->opening)
        bz_stream_done(&tx->stream);
    bz_tx_mem_free(tx, tx->mcp);
    tx->mcp = NULL;
}

size_t bz_tx_mcp_headers(const struct bz_tx *tx, struct bz_header *out) {
    const struct bz_tx_mcp *m = tx->mcp;
    if (m->text_n == 0)
        return 0;
    *out = (struct bz_header){BZ_V("Mcp-Session-Id"), bz_view(m->text, m->text_n)};
    return 1;
}

const struct bz_json *bz_tx_mcp_id(const struct bz_tx *tx) {
    return tx->mcp->id.type == BZ_JSON_NULL ? NULL : &tx->mcp->id;
}

uint16_t bz_tx_mcp_status(const struct bz_tx *tx, uint16_t status) {
    if (tx->mcp == NULL || tx->mcp->id.type == BZ_JSON_NULL)
        return status;
    bool http = status == 401 || status == 404 || status == 405 || status == 406 || status == 429 ||
                status == 500 || status == 503;
    return http ? status : 200;
}

struct bz_view bz_tx_mcp_tool(const struct bz_tx *tx) {
    const struct bz_tx_mcp *m = tx->mcp;
    bool named = m->has_pin && (m->pin.what == BZ_MCP_TOOL || m->pin.what == BZ_MCP_PROMPT);
    return named ? m->pin.name : (struct bz_view){NULL, 0};
}

struct bz_view bz_tx_forward_session(const struct bz_tx *tx) {
    return tx->mcp != NULL && tx->mcp->has_session ? tx->mcp->session.upstream
                                                   : (struct bz_view){NULL, 0};
}

struct bz_view bz_tx_forward_version(const struct bz_tx *tx) {
    return tx->mcp != NULL && tx->mcp->has_session
               ? bz_view_str(bz_mcp_version_name(tx->mcp->session.version))
               : (struct bz_view){NULL, 0};
}

/* place: in a schema's own names, or empty: no word of what was sent is repeated. */
bool bz_tx_mcp_no_at(struct bz_tx *tx, enum bz_refusal r, const char *why, const char *what,
                     const char *place) {
    char mem[384];
    struct bz_buf b;
    struct bz_error e;
    bz_tx_error_of(tx, r, &e);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put(&b, e.message);
    bz_buf_puts(&b, " Reason: ");
    bz_buf_puts(&b, why);
    if (place[0] != '\0') {
        bz_buf_puts(&b, ": ");
        bz_buf_puts(&b, what);
        bz_buf_puts(&b, place);
    }
    bz_buf_putc(&b, '.');
    struct bz_view text = bz_buf_status(&b) == BZ_OK ? bz_buf_view(&b) : e.message;
    return bz_tx_no_because(tx, r, text, (struct bz_view){NULL, 0}, why);
}

bool bz_tx_mcp_no(struct bz_tx *tx, enum bz_refusal r, const char *why) {
    return bz_tx_mcp_no_at(tx, r, why, "", "");
}

/* ---- sessions ---- */

struct whose { /* server, owner, key: a session of another is no session */
    char mem[320];
    struct bz_buf b;
    uint8_t key[BZ_KEY_LEN];
};

static enum bz_status whose_is(const struct bz_tx *tx, struct whose *w) {
    struct bz_settings set;
    bz_image_settings(tx->image, &set);
    bz_keyed_hash(set.digest_key, BZ_V("mcp session"), w->key);
    bz_buf_init_fixed(&w->b, w->mem, sizeof w->mem);
    bz_buf_put(&w->b, tx->mcp->server.s.name);
    bz_buf_putc(&w->b, 0);
    bz_buf_put(&w->b, tx->who.owner);
    bz_buf_putc(&w->b, 0);
    bz_buf_put(&w->b, tx->who.key_id);
    return bz_buf_status(&w->b);
}

enum bz_status bz_tx_mcp_seal(struct bz_tx *tx, enum bz_mcp_version v, struct bz_now now) {
    struct bz_tx_mcp *m = tx->mcp;
    struct whose w;
    struct bz_buf out;
    m->session.version = v;
    m->session.issued = now.unix_ns / 1000000000;
    BZ_TRY(whose_is(tx, &w));
    bz_buf_init_fixed(&out, m->text, sizeof m->text);
    enum bz_status st = bz_mcp_session_seal(w.key, bz_buf_view(&w.b), &m->session, &out);
    bz_wipe(w.key, sizeof w.key);
    m->text_n = st == BZ_OK ? out.n : 0;
    return st;
}

static bool session(struct bz_tx *tx, struct bz_view text) {
    struct bz_tx_mcp *m = tx->mcp;
    struct whose w;
    if (whose_is(tx, &w) != BZ_OK)
        return bz_tx_no(tx, BZ_REFUSE_INTERNAL);
    enum bz_status st = bz_mcp_session_open(
        w.key, bz_buf_view(&w.b), text, tx->start.unix_ns / 1000000000, m->upstream, &m->session);
    bz_wipe(w.key, sizeof w.key);
    if (st != BZ_OK || (m->server.s.versions >> m->session.version & 1) == 0)
        return bz_tx_no(tx, BZ_REFUSE_MCP_SESSION);
    struct bz_settings set;
    bz_image_settings(tx->image, &set);
    m->session_name = bz_name_hash(set.limit_seed, text);
    m->has_session = true;
    return true;
}

/* ---- head ---- */

struct seen {
    struct bz_view session, version;
    bool has_session, has_version, again;
    bool json, events; /* accepted */
};

static bool lists(struct bz_view list, const char *type) {
    struct bz_view want = bz_view_str(type);
    for (size_t i = 0; i + want.n <= list.n; i++)
        if (bz_view_eq_nocase(bz_view_sub(list, i, want.n), want))
            return true;
    return false;
}

static void look(const struct bz_req_head *h, struct seen *s) {
    for (size_t i = 0; i < h->headers_n; i++) {
        struct bz_view name = h->headers[i].name, v = h->headers[i].value;
        if (bz_view_eq_nocase(name, BZ_V("mcp-session-id"))) {
            s->again |= s->has_session;
            s->has_session = true;
            s->session = v;
        } else if (bz_view_eq_nocase(name, BZ_V("mcp-protocol-version"))) {
            s->again |= s->has_version;
            s->has_version = true;
            s->version = v;
        } else if (bz_view_eq_nocase(name, BZ_V("accept"))) {
            s->json |= lists(v, "application/json") || lists(v, "*/*") || lists(v, "application/*");
            s->events |= lists(v, "text/event-stream") || lists(v, "*/*") || lists(v, "text/*");
        }
    }
}

static bool version(struct bz_tx *tx, const struct seen *s) {
    const struct bz_tx_mcp *m = tx->mcp;
    enum bz_mcp_version v;
    if (!s->has_version)
        return true; /* clients of 2025-03-26 send none: what was agreed on holds */
    if (!bz_mcp_version_from_name(s->version, &v) || (m->server.s.versions >> v & 1) == 0 ||
        (m->has_session && v != m->session.version))
        return bz_tx_no(tx, BZ_REFUSE_MCP_VERSION);
    return true;
}

/* The server of this name, for whom this principal is; other names do not exist for anybody. */
static bool find(const struct bz_image *image, const struct bz_principal *p, struct bz_view name,
                 struct bz_mcp_route *ret) {
    struct bz_mcp mcp;
    struct bz_backend b;
    return bz_mcp_open(bz_image_blob(image, BZ_BLOB_MCP), &mcp) == BZ_OK &&
           bz_mcp_find(&mcp, name, ret) && p->role_index < 64 &&
           (ret->s.roles >> p->role_index & 1) != 0 &&
           bz_image_backend(image, ret->s.backend, &b) && b.type == BZ_SERVER_MCP;
}

bool bz_tx_mcp_still_allowed(const struct bz_tx *tx, const struct bz_image *image,
                             const struct bz_principal *p) {
    struct bz_mcp_route r;
    return find(image, p, tx->mcp->server.s.name, &r) && r.s.backend == tx->mcp->server.s.backend;
}

bool bz_tx_mcp_head(struct bz_tx *tx, const struct bz_req_head *h, struct bz_view server) {
    struct seen s = {.json = false};
    struct bz_mcp_route r;
    bool posts = tx->route->api == BZ_API_MCP;
    if (!find(tx->image, &tx->who, server, &r))
        return bz_tx_no(tx, BZ_REFUSE_ROUTE_UNKNOWN);
    tx->mcp = bz_tx_alloc(tx, sizeof *tx->mcp);
    if (tx->mcp == NULL)
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    memset(tx->mcp, 0, sizeof *tx->mcp);
    tx->mcp->server = r;
    tx->mcp->kind = BZ_MCP_KIND_COUNT;
    tx->mcp->method = BZ_MCP_METHOD_COUNT;
    tx->server = BZ_SERVER_MCP;
    tx->mask = UINT64_C(1) << r.s.backend;
    look(h, &s);
    if (s.again)
        return bz_tx_no(tx, BZ_REFUSE_HEADER_REPEATED);
    bool deletes = bz_view_eq(h->method, BZ_V("DELETE"));
    if (!deletes && (!s.events || (posts && !s.json)))
        return bz_tx_no(tx, BZ_REFUSE_MCP_ACCEPT);
    if (s.has_session && !session(tx, s.session))
        return false;
    if (!posts && !s.has_session)
        return bz_tx_no(tx, BZ_REFUSE_MCP_SESSION_MISSING);
    if (deletes && tx->mcp->session.upstream.n == 0)
        return bz_tx_no(tx, BZ_REFUSE_MCP_NO_STREAM); /* there is nothing at the server to end */
    return version(tx, &s);
}

/* ---- messages ---- */

static void fill_forward(struct bz_tx *tx) {
    const struct bz_tx_mcp *m = tx->mcp;
    bool posts = tx->route->api == BZ_API_MCP;
    tx->forward = (struct bz_forward){
        .method = bz_view_str(tx->route->method),
        .path = m->server.s.path,
        .body = bz_view(tx->body.p, tx->body.n),
        .content_type = posts ? BZ_V("application/json") : (struct bz_view){NULL, 0},
        .accept = posts ? BZ_V("application/json, text/event-stream") : BZ_V("text/event-stream"),
        .stream = bz_view_eq(bz_view_str(tx->route->method), BZ_V("GET")),
    };
}

bool bz_tx_mcp_accept_bodyless(struct bz_tx *tx) {
    struct bz_req_facts none = {.choices = 1};
    if (!bz_tx_limits_body(tx, &none, tx->start.mono_ns) || !bz_tx_screen_begin(tx, tx->start))
        return false;
    if (tx->screen != NULL)
        tx->screen->refuse_unknown = false;
    fill_forward(tx);
    return true;
}

static void keep_id(struct bz_tx_mcp *m, const struct bz_json *id) {
    if (id == NULL || id->val.n > sizeof m->id_mem)
        return;
    memcpy(m->id_mem, id->val.p, id->val.n);
    m->id = (struct bz_json){.type = id->type, .val = bz_view(m->id_mem, id->val.n)};
}

static bool passes(struct bz_tx *tx, const struct bz_mcp_message *msg) {
    const struct bz_tx_mcp *m = tx->mcp;
    const struct bz_mcp_method_info *i = bz_mcp_method(msg->method);
    bool opens = msg->method == BZ_MCP_INITIALIZE;
    if (msg->kind == BZ_MCP_REQUEST || msg->kind == BZ_MCP_NOTIFICATION) {
        if (i == NULL || (i->from & BZ_MCP_FROM_CLIENT) == 0 ||
            (m->server.s.methods >> msg->method & 1) == 0)
            return bz_tx_no(tx, BZ_REFUSE_MCP_METHOD);
    }
    if (opens && m->has_session)
        return bz_tx_mcp_no(tx, BZ_REFUSE_MCP_MESSAGE, "initialize begins a session of its own");
    return opens || m->has_session || bz_tx_no(tx, BZ_REFUSE_MCP_SESSION_MISSING);
}

/* A client that asks for a revision that is not allowed is offered the newest that is; what the
 * server is not allowed to ask of it is not offered to the server. */
static bool initialize(struct bz_tx *tx, struct bz_json *params) {
    static const struct {
        const char *capability;
        enum bz_mcp_method method;
    } asked[] = {{"sampling", BZ_MCP_SAMPLING},
                 {"elicitation", BZ_MCP_ELICITATION},
                 {"roots", BZ_MCP_ROOTS}};
    const struct bz_mcp_server *s = &tx->mcp->server.s;
    struct bz_json *v = bz_json_get_mut(params, BZ_V("protocolVersion"));
    struct bz_json *caps = bz_json_get_mut(params, BZ_V("capabilities"));
    enum bz_mcp_version want;
    if (!bz_json_is(v, BZ_JSON_STRING) || !bz_json_is(caps, BZ_JSON_OBJECT))
        return bz_tx_mcp_no(tx, BZ_REFUSE_MCP_MESSAGE,
                            "initialize names protocolVersion and capabilities");
    if (!bz_mcp_version_from_name(v->val, &want) || (s->versions >> want & 1) == 0) {
        unsigned newest = BZ_MCP_VERSION_COUNT;
        while (newest > 0 && (s->versions >> (newest - 1) & 1) == 0)
            newest--;
        if (newest == 0)
            return bz_tx_no(tx, BZ_REFUSE_MCP_VERSION);
        bz_json_set_str(v, bz_view_str(bz_mcp_version_name((enum bz_mcp_version)(newest - 1))));
    }
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        if ((s->methods >> asked[i].method & 1) == 0)
            (void)bz_json_remove(caps, bz_view_str(asked[i].capability));
    (void)bz_json_remove(caps, BZ_V("tasks"));
    return true;
}

/* ---- on its way ---- */

static bool cleared(struct bz_tx *tx) {
    char mem[BZ_MCP_NAME_MAX];
    struct bz_buf b;
    if (tx->screen == NULL || !tx->mcp->has_pin)
        return true;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    if (!bz_tx_mcp_name(tx, &b))
        return bz_tx_no(tx, BZ_REFUSE_INTERNAL);
    enum bz_level most = bz_image_clearance_tool(tx->image, bz_buf_view(&b));
    tx->screen->offered = (uint8_t)most;
    return tx->screen->level <= most || bz_tx_no(tx, BZ_REFUSE_LABEL_TOOL);
}

static bool write_canonical(struct bz_tx *tx, const struct bz_json *root, size_t body_n,
                            size_t grown) {
    struct bz_settings set;
    struct bz_buf b;
    if (!bz_tx_blob_room(tx, &tx->body, body_n + grown + WRITE_ROOM))
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    bz_buf_init_fixed(&b, tx->body.p, tx->body.cap);
    bz_json_write(&b, root);
    if (bz_buf_status(&b) != BZ_OK)
        return bz_tx_no(tx, BZ_REFUSE_INTERNAL);
    tx->body.n = b.n;
    bz_image_settings(tx->image, &set);
    bz_body_digest(set.digest_key, tx->id_lo, bz_view(tx->body.p, tx->body.n), tx->request_digest);
    return true;
}

static bool screened(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar, struct bz_now now,
                     size_t *ret_grown) {
    if (!bz_tx_screen_request(tx, root, ar, now, ret_grown))
        return false;
    if (tx->screen != NULL) /* whatever a server says is text: no member of it is unknown */
        tx->screen->refuse_unknown = false;
    return cleared(tx);
}

static bool no_json(struct bz_tx *tx, enum bz_status st, const struct bz_diag *d) {
    enum bz_refusal r = st == BZ_EUTF8       ? BZ_REFUSE_JSON_UTF8
                        : st == BZ_EDUPKEY   ? BZ_REFUSE_JSON_DUPLICATE
                        : st == BZ_EDEPTH    ? BZ_REFUSE_JSON_DEPTH
                        : st == BZ_ETRAILING ? BZ_REFUSE_JSON_TRAILING
                        : st == BZ_ETOOBIG   ? BZ_REFUSE_JSON_TOO_LARGE
                        : st == BZ_ENOMEM    ? BZ_REFUSE_JSON_MEMORY
                                             : BZ_REFUSE_JSON_MALFORMED;
    return bz_tx_mcp_no(tx, r, d->why != NULL ? d->why : bz_status_text(st));
}

/* The answer to a ping that stood in place of what the server may not ask: it becomes the refusal, whatever the
 * client said. false: out of memory. */
static bool refuse_server(struct bz_json *root, const struct bz_mcp_message *msg,
                          struct bz_arena *ar) {
    enum bz_mcp_method asked;
    struct bz_json *id = NULL, *error = NULL, *code = NULL, *text = NULL;
    if (!bz_mcp_refused(msg->id, ar, &asked, &id))
        return true;
    const struct bz_mcp_method_info *i = bz_mcp_method(asked);
    struct bz_buf b;
    char mem[160];
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, i == NULL ? "This method" : i->name);
    bz_buf_puts(&b, " is not allowed for this server by the gateway between it and the client, "
                    "who did not see the request.");
    struct bz_view why = bz_arena_dup(ar, bz_buf_view(&b));
    error = bz_json_new_obj(ar);
    code = bz_json_new_num(ar, RPC_NO_METHOD);
    text = bz_json_new_str(ar, why);
    if (why.p == NULL || error == NULL || code == NULL || text == NULL)
        return false;
    bz_json_add(error, BZ_V("code"), code);
    bz_json_add(error, BZ_V("message"), text);
    (void)bz_json_remove(root, BZ_V("result"));
    (void)bz_json_remove(root, BZ_V("error"));
    (void)bz_json_remove(root, BZ_V("id"));
    bz_json_add(root, BZ_V("id"), id);
    bz_json_add(root, BZ_V("error"), error);
    return true;
}

static bool take_in(struct bz_tx *tx, struct bz_view body, struct bz_arena *ar, struct bz_now now) {
    struct bz_tx_mcp *m = tx->mcp;
    struct bz_json *root = NULL;
    struct bz_diag diag = {0, NULL};
    struct bz_mcp_message msg;
    struct bz_req_facts none = {.choices = 1};
    size_t grown = 0;
    enum bz_status st = bz_json_parse(body, NULL, ar, &root, &diag);
    if (st != BZ_OK)
        return no_json(tx, st, &diag);
    if (bz_mcp_message_read(root, &msg, &diag) != BZ_OK)
        return bz_tx_mcp_no(tx, BZ_REFUSE_MCP_MESSAGE, diag.why);
    m->kind = (uint8_t)msg.kind;
    m->method = (uint8_t)msg.method;
    if (msg.kind == BZ_MCP_REQUEST)
        keep_id(m, msg.id);
    if (!passes(tx, &msg) || !bz_tx_limits_body(tx, &none, now.mono_ns))
        return false;
    if (msg.method == BZ_MCP_INITIALIZE && !initialize(tx, msg.params))
        return false;
    if (msg.kind == BZ_MCP_REQUEST && !bz_tx_mcp_approved(tx, &msg, ar, now))
        return false;
    if ((msg.kind == BZ_MCP_RESULT || msg.kind == BZ_MCP_ERROR) && !refuse_server(root, &msg, ar))
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    if (!screened(tx, root, ar, now, &grown) || !bz_tx_mcp_policy(tx, root, ar, now) ||
        !write_canonical(tx, root, body.n, grown))
        return false;
    if (msg.kind == BZ_MCP_REQUEST)
        keep_id(m, msg.id); /* as the server sees it */
    fill_forward(tx);
    bz_tx_store_begin(tx);
    return true;
}

bool bz_tx_mcp_accept(struct bz_tx *tx, struct bz_view body, struct bz_now now) {
    BZ_TX_SCRATCH uint8_t first[BZ_TX_SCRATCH_MAX];
    struct bz_arena ar;
    if (body.n == 0)
        return bz_tx_no(tx, BZ_REFUSE_BODY_MISSING);
    if (body.n > tx->body_max)
        return bz_tx_no(tx, BZ_REFUSE_BODY_TOO_LARGE);
    bz_arena_init(&ar, tx->a,
                  2 * BZ_ARENA_BASE + BZ_ARENA_FACTOR * (body.n + BZ_MCP_DEFINITION_MAX), first,
                  sizeof first);
    tx->raw_body = body;
    bool ok = take_in(tx, body, &ar, now);
    tx->raw_body = (struct bz_view){NULL, 0};
    bz_arena_free(&ar);
    if (!ok)
        bz_tx_drop_body(tx);
    return ok;
}
