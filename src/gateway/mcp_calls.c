/* What a client asks for: tools, resources, prompts. Nothing that no administrator approved, nothing that does not
 * fit what was approved. */
#include "mcp.h"

#define REPLAY_RATE ((struct bz_rate){1, 1})
#define MARK_UNITS 10 /* minutes that what changed stays closed by what a worker saw */

/* ---- the shared limiter ---- */

uint64_t bz_tx_mcp_subject(const struct bz_tx *tx, const char *kind, struct bz_view a,
                           struct bz_view b) {
    uint8_t mem[BZ_MCP_SESSION_MAX + BZ_MCP_ID_MAX + 192];
    struct bz_settings set;
    struct bz_buf out;
    bz_image_settings(tx->image, &set);
    bz_buf_init_fixed(&out, mem, sizeof mem);
    bz_buf_puts(&out, kind);
    if (a.n > 0)
        bz_buf_put(&out, tx->mcp->server.s.name);
    bz_buf_putc(&out, 0);
    bz_buf_put(&out, a);
    bz_buf_putc(&out, 0);
    bz_buf_put(&out, b);
    uint64_t v = bz_name_hash(set.limit_seed, bz_buf_view(&out));
    return v != 0 ? v : 1;
}

/* Approved anew, it is open again. */
static uint64_t changed_subject(const struct bz_tx *tx, const struct bz_mcp_pin *pin) {
    uint8_t what[BZ_HASH_LEN + sizeof pin->since + 1];
    memcpy(what, pin->digest, BZ_HASH_LEN);
    memcpy(what + BZ_HASH_LEN, &pin->since, sizeof pin->since);
    what[sizeof what - 1] = (uint8_t)pin->what;
    return bz_tx_mcp_subject(tx, "mcp changed", pin->name, bz_view(what, sizeof what));
}

void bz_tx_mcp_mark(struct bz_tx *tx, const struct bz_mcp_pin *pin, uint64_t mono_ns) {
    struct bz_rate rate = REPLAY_RATE;
    bz_state_adjust(tx->state, changed_subject(tx, pin), BZ_METER_REQUESTS, &rate, -MARK_UNITS,
                    mono_ns);
}

/* Only looks: what it takes it gives back. */
static bool marked(struct bz_tx *tx, const struct bz_mcp_pin *pin, uint64_t mono_ns) {
    struct bz_rate rate = REPLAY_RATE;
    struct bz_rate_result r;
    uint64_t s = changed_subject(tx, pin);
    if (bz_state_take(tx->state, s, BZ_METER_REQUESTS, &rate, 1, mono_ns, &r) != BZ_OK)
        return true;
    bz_state_adjust(tx->state, s, BZ_METER_REQUESTS, &rate, 1, mono_ns);
    return false;
}

/* "The request ID MUST NOT have been previously used by the requestor within the same session": held
 * for a minute where a second delivery would do something twice. */
static bool replayed(struct bz_tx *tx, uint64_t mono_ns) {
    struct bz_rate rate = REPLAY_RATE;
    struct bz_rate_result r;
    struct bz_view session = bz_view(&tx->mcp->session_name, sizeof tx->mcp->session_name);
    uint8_t id[BZ_MCP_ID_MAX + 1] = {tx->mcp->id.type}; /* 1 and "1" are two */
    memcpy(id + 1, tx->mcp->id.val.p, tx->mcp->id.val.n);
    return bz_state_take(
               tx->state,
               bz_tx_mcp_subject(tx, "mcp call", session, bz_view(id, tx->mcp->id.val.n + 1)),
               BZ_METER_REQUESTS, &rate, 1, mono_ns, &r) != BZ_OK;
}

/* ---- arguments ---- */

/* Members of params beside those that are listed: none. */
static bool only(const struct bz_json *params, const char *const *known, size_t n) {
    for (const struct bz_json *p = params->first; p != NULL; p = p->next) {
        bool found = bz_view_eq(p->key, BZ_V("_meta"));
        for (size_t i = 0; i < n && !found; i++)
            found = bz_view_eq(p->key, bz_view_str(known[i]));
        if (!found)
            return false;
    }
    return true;
}

static bool arguments_fit(struct bz_tx *tx, const struct bz_json *arguments, struct bz_arena *ar) {
    const struct bz_mcp_pin *pin = &tx->mcp->pin;
    const struct bz_json empty = {.type = BZ_JSON_OBJECT};
    struct bz_json *schema = NULL;
    struct bz_schema_misfit misfit;
    if (arguments != NULL && !bz_json_is(arguments, BZ_JSON_OBJECT))
        return bz_tx_mcp_no(tx, BZ_REFUSE_MCP_ARGUMENTS, "arguments must be an object");
    enum bz_status st = bz_json_parse(pin->input, NULL, ar, &schema, NULL);
    if (st == BZ_OK)
        st = bz_schema_fits(schema, BZ_SCHEMA_PUBLISHED, arguments != NULL ? arguments : &empty, ar,
                            &misfit);
    if (st != BZ_OK)
        return bz_tx_no(tx, st == BZ_ENOMEM ? BZ_REFUSE_NO_MEMORY : BZ_REFUSE_INTERNAL);
    return misfit.why == NULL ||
           bz_tx_mcp_no_at(tx, BZ_REFUSE_MCP_ARGUMENTS, misfit.why, "arguments", misfit.path);
}

/* ---- what is asked for ---- */

static bool opened(struct bz_tx *tx, struct bz_mcp *ret) {
    return bz_mcp_open(bz_image_blob(tx->image, BZ_BLOB_MCP), ret) == BZ_OK ||
           bz_tx_no(tx, BZ_REFUSE_INTERNAL);
}

/* Found in the pins; closed all the same once a worker has seen that the server shows another one. */
static bool pinned(struct bz_tx *tx, bool found, enum bz_refusal unknown, struct bz_now now) {
    if (!found)
        return bz_tx_no(tx, unknown);
    tx->mcp->has_pin = true;
    return !marked(tx, &tx->mcp->pin, now.mono_ns) || bz_tx_no(tx, BZ_REFUSE_MCP_TOOL_CHANGED);
}

static bool call(struct bz_tx *tx, const struct bz_json *params, struct bz_arena *ar,
                 struct bz_now now) {
    static const char *const known[] = {"name", "arguments"};
    struct bz_tx_mcp *m = tx->mcp;
    struct bz_mcp mcp;
    struct bz_view name = bz_json_str(bz_json_get(params, BZ_V("name")));
    if (params == NULL || !only(params, known, 2))
        return bz_tx_mcp_no(tx, BZ_REFUSE_MCP_MESSAGE,
                            "tools/call has name and arguments, and nothing else");
    return opened(tx, &mcp) &&
           pinned(tx, bz_mcp_pin_find(&mcp, &m->server, BZ_MCP_TOOL, name, &m->pin),
                  BZ_REFUSE_MCP_TOOL, now) &&
           arguments_fit(tx, bz_json_get(params, BZ_V("arguments")), ar) &&
           (!replayed(tx, now.mono_ns) || bz_tx_no(tx, BZ_REFUSE_MCP_REPLAY));
}

static bool get_prompt(struct bz_tx *tx, const struct bz_json *params, struct bz_arena *ar,
                       struct bz_now now) {
    static const char *const known[] = {"name", "arguments"};
    struct bz_tx_mcp *m = tx->mcp;
    struct bz_mcp mcp;
    struct bz_view name = bz_json_str(bz_json_get(params, BZ_V("name")));
    if (params == NULL || !only(params, known, 2))
        return bz_tx_mcp_no(tx, BZ_REFUSE_MCP_MESSAGE,
                            "prompts/get has name and arguments, and nothing else");
    return opened(tx, &mcp) &&
           pinned(tx, bz_mcp_pin_find(&mcp, &m->server, BZ_MCP_PROMPT, name, &m->pin),
                  BZ_REFUSE_MCP_PROMPT, now) &&
           arguments_fit(tx, bz_json_get(params, BZ_V("arguments")), ar);
}

/* read, subscribe, unsubscribe: a resource that is approved, or one of an approved template. */
static bool read_resource(struct bz_tx *tx, const struct bz_json *params, struct bz_now now) {
    static const char *const known[] = {"uri"};
    struct bz_tx_mcp *m = tx->mcp;
    struct bz_mcp mcp;
    struct bz_view uri = bz_json_str(bz_json_get(params, BZ_V("uri")));
    if (params == NULL || !only(params, known, 1) || uri.n > sizeof m->uri)
        return bz_tx_mcp_no(
            tx, BZ_REFUSE_MCP_MESSAGE,
            "a resource is asked for by its uri of at most 1 KiB, and nothing else");
    if (!opened(tx, &mcp) || !pinned(tx, bz_mcp_pin_find_uri(&mcp, &m->server, uri, &m->pin),
                                     BZ_REFUSE_MCP_RESOURCE, now))
        return false;
    memcpy(m->uri, uri.p, uri.n);
    m->uri_n = uri.n;
    return true;
}

/* Values for an argument of an approved prompt, or of an approved template. */
static bool complete(struct bz_tx *tx, const struct bz_json *params, struct bz_now now) {
    static const char *const known[] = {"ref", "argument", "context"};
    struct bz_tx_mcp *m = tx->mcp;
    struct bz_mcp mcp;
    const struct bz_json *ref = bz_json_get(params, BZ_V("ref"));
    struct bz_view type = bz_json_str(bz_json_get(ref, BZ_V("type")));
    bool prompt = bz_view_eq(type, BZ_V("ref/prompt"));
    if (params == NULL || !only(params, known, 3) ||
        (!prompt && !bz_view_eq(type, BZ_V("ref/resource"))))
        return bz_tx_mcp_no(tx, BZ_REFUSE_MCP_MESSAGE,
                            "completion/complete has ref (to a prompt or a resource) and argument");
    struct bz_view name = bz_json_str(bz_json_get(ref, prompt ? BZ_V("name") : BZ_V("uri")));
    return opened(tx, &mcp) &&
           pinned(tx,
                  bz_mcp_pin_find(&mcp, &m->server, prompt ? BZ_MCP_PROMPT : BZ_MCP_TEMPLATE, name,
                                  &m->pin),
                  prompt ? BZ_REFUSE_MCP_PROMPT : BZ_REFUSE_MCP_RESOURCE, now);
}

bool bz_tx_mcp_approved(struct bz_tx *tx, const struct bz_mcp_message *msg, struct bz_arena *ar,
                        struct bz_now now) {
    if (msg->method == BZ_MCP_TOOLS_CALL)
        return call(tx, msg->params, ar, now);
    if (msg->method == BZ_MCP_PROMPTS_GET)
        return get_prompt(tx, msg->params, ar, now);
    if (msg->method == BZ_MCP_RESOURCES_READ || msg->method == BZ_MCP_RESOURCES_SUBSCRIBE ||
        msg->method == BZ_MCP_RESOURCES_UNSUBSCRIBE)
        return read_resource(tx, msg->params, now);
    return msg->method != BZ_MCP_COMPLETE || complete(tx, msg->params, now);
}
