/* What policy lets a model call. A call is decided as a whole, before any of it leaves; what a client could
 * read in two ways has to be allowed in both. */
#include "toolgate.h"

struct verdict { /* the strictest so far */
    struct bz_tool_answer answer;
    struct bz_view name;
    uint8_t approval[BZ_APPROVAL_LEN];
};

static uint64_t now_unix(const struct bz_tx *tx) {
    return tx->screen != NULL ? tx->screen->now_unix : tx->start.unix_ns / 1000000000;
}

/* ---- records ---- */

static void count(struct bz_tx_agent *g, struct bz_view name, enum bz_tool_verdict v) {
    if (!bz_agent_name_plain(name))
        name = BZ_V("?");
    name = bz_view_sub(name, 0, AGENT_NAME_MAX - 1);
    for (size_t i = 0; i < g->counts_n; i++) {
        struct agent_count *c = &g->counts[i];
        if (c->verdict != (uint8_t)v || !bz_view_eq(bz_view_str(c->name), name))
            continue;
        c->n += c->n < UINT32_MAX;
        return;
    }
    if (g->counts_n == AGENT_COUNTS_MAX) {
        g->more_counts = true;
        return;
    }
    struct agent_count *c = &g->counts[g->counts_n++];
    *c = (struct agent_count){.verdict = (uint8_t)v, .n = 1};
    memcpy(c->name, name.p, name.n);
}

void bz_tx_agent_findings(const struct bz_tx *tx, struct bz_buf *out) {
    const struct bz_tx_agent *g = tx->agent;
    for (size_t i = 0; g != NULL && i < g->counts_n && bz_buf_status(out) == BZ_OK; i++) {
        size_t before = out->n;
        bz_buf_puts(out, out->n > 0 ? " tool:" : "tool:");
        bz_buf_puts(out, g->counts[i].name);
        bz_buf_putc(out, ':');
        enum bz_tool_verdict v = (enum bz_tool_verdict)g->counts[i].verdict;
        bz_buf_puts(out, v == BZ_TOOL_VERDICT_COUNT ? "approved" : bz_tool_verdict_name(v));
        bz_buf_putc(out, ':');
        bz_buf_put_u64(out, g->counts[i].n);
        if (bz_buf_status(out) != BZ_OK)
            out->n = before; /* whole words only */
    }
    if (g != NULL && g->more_counts)
        bz_buf_puts(out, " more");
}

/* ---- refusals ---- */

struct bz_view bz_tx_agent_message(const struct bz_tx *tx) {
    return tx->agent != NULL ? bz_view_str(tx->agent->message) : (struct bz_view){NULL, 0};
}

static enum bz_refusal refusal_of(const char *code) {
    static const struct {
        const char *code;
        enum bz_refusal r;
    } known[] = {
        {"tool_argument", BZ_REFUSE_TOOL_ARGUMENT},
        {"tool_taint", BZ_REFUSE_TOOL_TAINT},
        {"tool_loop", BZ_REFUSE_TOOL_LOOP},
        {"tool_approval", BZ_REFUSE_TOOL_APPROVAL},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].code, code) == 0)
            return known[i].r;
    return BZ_REFUSE_TOOL_DENIED;
}

static enum bz_status refuse(struct bz_tx *tx, const struct verdict *v) {
    struct bz_tx_agent *g = tx->agent;
    struct bz_buf b;
    bz_buf_init_fixed(&b, g->message, sizeof g->message - 1);
    bz_buf_puts(&b, "A call of ");
    bz_buf_put(&b, bz_agent_name_plain(v->name) ? v->name : BZ_V("a tool"));
    bz_buf_puts(&b, " was not passed on. ");
    bz_buf_puts(&b, v->answer.why);
    if (v->answer.argument)
        bz_buf_putc(&b, '.');
    if (v->answer.verdict == BZ_TOOL_APPROVE) {
        bz_buf_puts(&b, " An administrator can approve this very call as ");
        bz_buf_put_hex(&b, bz_view(v->approval, sizeof v->approval));
        bz_buf_puts(&b, "; then send the request again.");
    }
    g->message[b.n] = '\0';
    tx->cut_why = (uint8_t)refusal_of(v->answer.code);
    return BZ_EDENIED;
}

/* ---- approvals ---- */

/* One use of an approval is taken by being the first to write its name into the vault; whoever comes
 * later finds another request's mark there. The same request may ask again: parts of it repeat. */
static bool claim(struct bz_tx *tx, const uint8_t id[BZ_APPROVAL_LEN], uint32_t use, bool take) {
    enum { KEEP_S = 31 * 86400 }; /* longer than any approval holds */
    struct bz_vault_scope scope;
    uint8_t mem[BZ_REQUEST_ID_LEN + 8];
    char name[2 * BZ_APPROVAL_LEN + 24];
    struct bz_buf b, there;
    if (tx->screen == NULL || tx->screen->vault == NULL)
        return false;
    bz_buf_init_fixed(&b, name, sizeof name);
    bz_buf_puts(&b, "call:");
    bz_buf_put_hex(&b, bz_view(id, BZ_APPROVAL_LEN));
    bz_buf_putc(&b, ':');
    bz_buf_put_u64(&b, use);
    bz_buf_init_fixed(&there, mem, sizeof mem);
    bz_vault_scope(tx->screen->vault_key, tx->who.owner, tx->who.key_id, tx->conversation, &scope);
    struct bz_view mine = bz_view(tx->id, sizeof tx->id);
    uint64_t now = now_unix(tx);
    enum bz_status st = bz_vault_get(tx->screen->vault, &scope, bz_buf_view(&b), now, &there);
    bool free = st == BZ_ENOTFOUND || (st == BZ_OK && bz_view_eq(bz_buf_view(&there), mine));
    if (free && take)
        free = bz_vault_put(tx->screen->vault, &scope, bz_buf_view(&b), mine, now + KEEP_S, now) ==
               BZ_OK;
    bz_wipe(&scope, sizeof scope);
    return free;
}

static bool any_use(struct bz_tx *tx, const uint8_t id[BZ_APPROVAL_LEN], uint32_t uses, bool take) {
    for (uint32_t i = 0; i < uses; i++)
        if (claim(tx, id, i, take))
            return true;
    return false;
}

/* The call's first approval that has a use left: its number is part of its name, so that one that is used
 * up cannot be given again by mistake. */
static bool approved(struct bz_tx *tx, const uint8_t digest[BZ_CALL_ID], uint32_t uses,
                     uint8_t ret[BZ_APPROVAL_LEN]) {
    enum { TRIES = 64 };
    uint8_t text[BZ_CALL_ID + 1], hash[BZ_HASH_LEN];
    memcpy(text, digest, BZ_CALL_ID);
    for (uint8_t i = 0; i < TRIES; i++) {
        text[BZ_CALL_ID] = i;
        bz_keyed_hash(tx->agent->key, bz_view(text, sizeof text), hash);
        memcpy(ret, hash, BZ_APPROVAL_LEN);
        if (any_use(tx, ret, uses, false))
            return bz_image_approved(tx->image, ret, now_unix(tx)) && any_use(tx, ret, uses, true);
    }
    return false;
}

/* ---- one call ---- */

static bool same_call(const uint8_t a[BZ_CALL_ID], const uint8_t b[BZ_CALL_ID]) {
    return bz_ct_equal(bz_view(a, BZ_CALL_ID), bz_view(b, BZ_CALL_ID));
}

static uint32_t same_before(const struct bz_tx_agent *g, uint64_t key,
                            const uint8_t digest[BZ_CALL_ID], uint32_t *ret_calls) {
    uint32_t same = 0, calls = g->history_n;
    for (uint32_t i = 0; i < g->history_n; i++)
        same += same_call(g->history[i], digest);
    for (uint32_t i = 0; i < g->done_n; i++) {
        if (g->done[i].key == key || g->done[i].key >> 32 != key >> 32)
            continue;
        calls++;
        same += same_call(g->done[i].digest, digest);
    }
    *ret_calls = calls;
    return same;
}

static bool is_done(const struct bz_tx_agent *g, uint64_t key, const uint8_t digest[BZ_CALL_ID]) {
    for (uint32_t i = 0; i < g->done_n; i++)
        if (g->done[i].key == key && same_call(g->done[i].digest, digest))
            return true;
    return false;
}

/* What more is told of a call that was decided counts too, but not as another call. */
static enum bz_status note_done(struct bz_tx *tx, uint64_t key, const uint8_t digest[BZ_CALL_ID]) {
    struct bz_tx_agent *g = tx->agent;
    if (g->done_n == BZ_AGENT_REPLY_CALLS_MAX)
        return BZ_ELIMIT;
    if (g->done_n == g->done_cap) {
        uint32_t cap = g->done_cap == 0 ? 4 : 2 * g->done_cap;
        struct agent_done *more = bz_tx_alloc(tx, cap * sizeof *more);
        if (more == NULL)
            return BZ_ENOMEM;
        if (g->done_n > 0)
            memcpy(more, g->done, g->done_n * sizeof *more);
        bz_tx_mem_free(tx, g->done);
        g->done = more;
        g->done_cap = cap;
    }
    g->done[g->done_n].key = key;
    memcpy(g->done[g->done_n].digest, digest, BZ_CALL_ID);
    g->done_n++;
    return BZ_OK;
}

static uint32_t taint_of(const struct bz_tx *tx) {
    uint8_t level = tx->screen != NULL ? tx->screen->level : tx->label;
    return (tx->agent->taint & BZ_TAINT_UNTRUSTED) | (tx->taint & BZ_TAINT_INJECTED) |
           (level > BZ_LEVEL_INTERNAL ? BZ_TAINT_CONFIDENTIAL : 0);
}

static enum bz_status plain_no(struct bz_tx *tx, struct bz_view name, const char *code,
                               const char *why) {
    struct verdict v = {.answer = {.verdict = BZ_TOOL_DENY, .code = code}, .name = name};
    struct bz_buf b;
    bz_buf_init_fixed(&b, v.answer.why, sizeof v.answer.why - 1);
    bz_buf_puts(&b, why);
    count(tx->agent, name, BZ_TOOL_DENY);
    return refuse(tx, &v);
}

enum bz_status bz_agent_deny_odd(struct bz_tx *tx, struct bz_view name) {
    return plain_no(tx, name, "tool_argument", "It could be read in more than one way.");
}

static enum bz_status one_reading(struct bz_tx *tx, const struct agent_call *c, struct bz_view name,
                                  const struct bz_json *arguments, struct bz_view raw,
                                  struct bz_arena *ar) {
    struct bz_tx_agent *g = tx->agent;
    uint8_t digest[BZ_CALL_ID];
    struct verdict v = {.name = name};
    struct bz_tool_call call = {
        .name = name, .role = tx->who.role, .arguments = arguments, .taint = taint_of(tx)};
    BZ_TRY(bz_agent_digest(g->key, name, arguments, raw, ar, digest));
    if (is_done(g, c->key, digest))
        return BZ_OK;
    call.same_before = same_before(g, c->key, digest, &call.calls_before);
    BZ_TRY(bz_agent_decide(&g->a, &call, ar, &v.answer));
    bool given =
        v.answer.verdict == BZ_TOOL_APPROVE && approved(tx, digest, v.answer.uses, v.approval);
    count(g, name, given ? BZ_TOOL_VERDICT_COUNT : v.answer.verdict);
    if (given)
        v.answer.verdict = BZ_TOOL_ALLOW;
    if (v.answer.verdict != BZ_TOOL_ALLOW)
        return refuse(tx, &v);
    enum bz_status st = note_done(tx, c->key, digest);
    return st == BZ_ELIMIT ? plain_no(tx, name, "tool_loop", "Too many calls in one reply.") : st;
}

static enum bz_status every_name(struct bz_tx *tx, const struct agent_call *c,
                                 const struct bz_json *arguments, struct bz_view raw,
                                 struct bz_arena *ar) {
    for (size_t i = 0; i < c->names_n; i++)
        BZ_TRY(one_reading(tx, c, c->names[i], arguments, raw, ar));
    return BZ_OK;
}

/* The JSON in a text; *ret NULL: it is none. */
static enum bz_status read_text(struct bz_view text, struct bz_arena *ar,
                                const struct bz_json **ret) {
    struct bz_json *v = NULL;
    struct bz_view empty = BZ_V("{}");
    enum bz_status st = bz_json_parse(text.n == 0 ? empty : text, NULL, ar, &v, NULL);
    *ret = st == BZ_OK ? v : NULL;
    return st == BZ_ENOMEM ? st : BZ_OK;
}

enum bz_status bz_agent_judge(struct bz_tx *tx, const struct agent_call *c, struct bz_arena *ar) {
    struct bz_view none = {NULL, 0}, name = c->names_n > 0 ? c->names[0] : none;
    const struct bz_json *v = NULL;
    if (!tx->agent->a.listed) {
        count(tx->agent, name, BZ_TOOL_ALLOW);
        return BZ_OK;
    }
    if (c->names_n == 0)
        return plain_no(tx, name, "tool_denied", "It names no tool.");
    if (c->too_many)
        return bz_agent_deny_odd(tx, name);
    if (c->arguments_n == 0) {
        BZ_TRY(read_text(none, ar, &v));
        return every_name(tx, c, v, none, ar);
    }
    for (size_t i = 0; i < c->arguments_n; i++) {
        struct bz_view raw = none;
        v = c->arguments[i];
        if (bz_json_is(v, BZ_JSON_STRING) && !c->free) {
            raw = bz_json_str(v);
            BZ_TRY(read_text(raw, ar, &v));
        }
        BZ_TRY(every_name(tx, c, v, raw, ar));
    }
    return BZ_OK;
}

/* ---- a whole reply ---- */

struct answer {
    struct bz_tx *tx;
    struct bz_arena *ar;
};

static enum bz_status answer_call(void *ctx, const struct agent_call *c, struct bz_view id) {
    const struct answer *a = ctx;
    (void)id;
    return bz_agent_judge(a->tx, c, a->ar);
}

bool bz_tx_agent_answer(struct bz_tx *tx, const struct bz_json *root, struct bz_arena *ar) {
    struct answer a = {tx, ar};
    if (tx->agent == NULL)
        return true;
    enum bz_status st = bz_agent_calls(tx->route->api, AGENT_REPLY, root, ar, answer_call, &a);
    if (st == BZ_OK)
        return true;
    if (st != BZ_EDENIED)
        return bz_tx_no(tx, st == BZ_ENOMEM ? BZ_REFUSE_NO_MEMORY : BZ_REFUSE_INTERNAL);
    return bz_tx_no_because(tx, (enum bz_refusal)tx->cut_why, bz_tx_agent_message(tx),
                            (struct bz_view){NULL, 0}, NULL);
}

void bz_tx_agent_free(struct bz_tx *tx) {
    if (tx->agent == NULL)
        return;
    bz_agent_drop_open(tx);
    bz_tx_mem_free(tx, tx->agent->history);
    bz_tx_mem_free(tx, tx->agent->done);
    bz_wipe(tx->agent->key, sizeof tx->agent->key);
    bz_tx_mem_free(tx, tx->agent);
    tx->agent = NULL;
}
