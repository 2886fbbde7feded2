/* A call of a tool server's tool, a resource that is read, a prompt that is got, under the rules over tools
 * (docs/TOOLS.md): which may be called with what, approvals, and what was read before. What must not leave does
 * not leave in arguments or addresses either. */
#include "leaks.h"
#include "mcp.h"
#include "toolgate.h"

#define TAINT_RATE ((struct bz_rate){1, 1})
#define TAINT_UNITS 60 /* minutes that a caller's context counts as holding what a tool said */

/* A caller's tools all speak into one context: the conversation that the client names, or its key. */
static uint64_t context(const struct bz_tx *tx) {
    return bz_tx_mcp_subject(tx, "mcp context", (struct bz_view){NULL, 0},
                             tx->conversation.n > 0 ? tx->conversation : tx->who.key_id);
}

bool bz_tx_mcp_name(const struct bz_tx *tx, struct bz_buf *out) {
    const struct bz_mcp_pin *pin = &tx->mcp->pin;
    bz_buf_puts(out, "mcp:");
    bz_buf_put(out, tx->mcp->server.s.name);
    bz_buf_putc(out, '/');
    if (pin->what == BZ_MCP_TOOL)
        bz_buf_put(out, pin->name);
    else
        bz_buf_puts(out, pin->what == BZ_MCP_PROMPT ? "prompts/get" : "resources/read");
    return bz_buf_status(out) == BZ_OK;
}

/* What rules over tools are asked about: a tool's arguments, a resource's uri, a prompt's name and arguments. */
static enum bz_status arguments_of(const struct bz_tx *tx, const struct bz_json *root,
                                   struct bz_arena *ar, const struct bz_json **ret) {
    static const char *const members[] = {"uri", "name", "ref", "arguments", "argument"};
    static const struct bz_json empty = {.type = BZ_JSON_OBJECT};
    const struct bz_json *params = bz_json_get(root, BZ_V("params"));
    const struct bz_json *arguments = bz_json_get(params, BZ_V("arguments"));
    *ret = arguments != NULL ? arguments : &empty;
    if (tx->mcp->pin.what == BZ_MCP_TOOL)
        return BZ_OK;
    struct bz_json *own = bz_json_new_obj(ar);
    for (size_t i = 0; own != NULL && i < sizeof members / sizeof members[0]; i++) {
        const struct bz_json *m = bz_json_get(params, bz_view_str(members[i]));
        struct bz_json *copy = m == NULL ? NULL : bz_arena_alloc(ar, sizeof *copy);
        if (m == NULL)
            continue;
        if (copy == NULL)
            return BZ_ENOMEM;
        *copy = *m;
        copy->next = NULL;
        bz_json_add(own, m->key, copy);
    }
    *ret = own;
    return own != NULL ? BZ_OK : BZ_ENOMEM;
}

void bz_tx_mcp_heard(struct bz_tx *tx) {
    struct bz_rate rate = TAINT_RATE;
    struct bz_rate_result r;
    char mem[BZ_MCP_NAME_MAX];
    struct bz_buf name;
    struct bz_agent a;
    uint64_t s = context(tx), now = tx->mcp->now.mono_ns;
    bz_buf_init_fixed(&name, mem, sizeof mem);
    if (bz_agent_open(bz_image_blob(tx->image, BZ_BLOB_AGENT), &a) != BZ_OK || !a.listed)
        return;
    if (tx->mcp->has_pin && bz_tx_mcp_name(tx, &name) &&
        !bz_agent_result_untrusted(&a, bz_buf_view(&name), tx->who.role))
        return;
    if (bz_state_take(tx->state, s, BZ_METER_REQUESTS, &rate, 1, now, &r) == BZ_OK)
        bz_state_adjust(tx->state, s, BZ_METER_REQUESTS, &rate, -TAINT_UNITS, now);
}

static bool has_heard(struct bz_tx *tx, uint64_t mono_ns) {
    struct bz_rate rate = TAINT_RATE;
    struct bz_rate_result r;
    uint64_t s = context(tx);
    if (bz_state_take(tx->state, s, BZ_METER_REQUESTS, &rate, 1, mono_ns, &r) != BZ_OK)
        return true;
    bz_state_adjust(tx->state, s, BZ_METER_REQUESTS, &rate, 1, mono_ns);
    return false;
}

static enum bz_status leaks(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    (void)w;
    return span->speaker == BZ_SPEAKER_ASSISTANT ? bz_tx_leaks_text(ctx, span) : BZ_OK;
}

static bool sealed(struct bz_tx *tx, struct bz_json *root) {
    static const char why[] = "The arguments of the call hold something that must not leave the "
                              "gateway. It was stopped, and those in charge are told.";
    struct bz_walk w = {.unknown = BZ_UNKNOWN_TEXT, .span = leaks, .ctx = tx};
    if (!bz_tx_leaks_configured(tx))
        return true;
    tx->canary = true; /* of this conversation, wherever it was put */
    enum bz_status st = bz_fields_walk(tx->route, BZ_SERVER_MCP, BZ_WHERE_REQUEST, root, &w);
    if (st == BZ_OK)
        return true;
    if (st == BZ_EDENIED)
        return bz_tx_no_because(tx, BZ_REFUSE_LEAK, bz_view_str(why), (struct bz_view){NULL, 0},
                                why);
    return bz_tx_no(tx, st == BZ_ENOMEM ? BZ_REFUSE_NO_MEMORY : BZ_REFUSE_SCREENING);
}

/* false: refused; NULL in *ret: there are no rules. */
static bool agent(struct bz_tx *tx, uint64_t mono_ns) {
    struct bz_view blob = bz_image_blob(tx->image, BZ_BLOB_AGENT);
    struct bz_settings set;
    struct bz_agent a;
    if (bz_agent_open(blob, &a) != BZ_OK)
        return bz_tx_no(tx, BZ_REFUSE_SCREENING);
    if (!a.listed)
        return true;
    tx->agent = bz_tx_alloc(tx, sizeof *tx->agent);
    if (tx->agent == NULL)
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    memset(tx->agent, 0, sizeof *tx->agent);
    tx->agent->a = a;
    tx->agent->taint = has_heard(tx, mono_ns) ? BZ_TAINT_UNTRUSTED : 0;
    bz_image_settings(tx->image, &set);
    uint8_t owner[BZ_KEY_LEN];
    bz_keyed_hash(set.digest_key, BZ_V("calls of tool servers"), owner);
    bz_keyed_hash(owner, tx->who.owner, tx->agent->key);
    bz_wipe(owner, sizeof owner);
    return true;
}

bool bz_tx_mcp_policy(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                      struct bz_now now) {
    char mem[BZ_MCP_NAME_MAX];
    struct agent_call c = {.key = 1, .names_n = 1, .arguments_n = 1};
    struct bz_buf name;
    if (!tx->mcp->has_pin)
        return true;
    if (!sealed(tx, root) || !agent(tx, now.mono_ns))
        return false;
    bz_buf_init_fixed(&name, mem, sizeof mem);
    if (!bz_tx_mcp_name(tx, &name))
        return bz_tx_no(tx, BZ_REFUSE_INTERNAL);
    if (tx->agent == NULL)
        return true;
    c.names[0] = bz_buf_view(&name);
    enum bz_status st = arguments_of(tx, root, ar, &c.arguments[0]);
    if (st == BZ_OK)
        st = bz_agent_judge(tx, &c, ar);
    if (st == BZ_EDENIED)
        return bz_tx_no_because(tx, (enum bz_refusal)tx->cut_why, bz_tx_agent_message(tx),
                                (struct bz_view){NULL, 0}, NULL);
    return st == BZ_OK || bz_tx_no(tx, st == BZ_ENOMEM ? BZ_REFUSE_NO_MEMORY : BZ_REFUSE_SCREENING);
}
