/* A request's own part: tools that it offers or forces, the calls and results of its history. */
#include "toolgate.h"

struct told { /* a call of the history */
    struct bz_view name, id;
};
struct look {
    struct bz_tx *tx;
    struct bz_arena *ar;
    struct bz_tx_agent *g;
    struct told *told;
    uint32_t n, cap;
    bool results, all_trusted;
};

static bool no_memory(struct bz_tx *tx, enum bz_status st) {
    return bz_tx_no(tx, st == BZ_ENOMEM ? BZ_REFUSE_NO_MEMORY : BZ_REFUSE_INTERNAL);
}

/* ---- offers ---- */

static struct bz_view offered_name(const struct bz_json *tool) {
    static const char *const of[] = {"function", "custom"};
    for (size_t i = 0; i < 2; i++) {
        const struct bz_json *f = bz_json_get(tool, bz_view_str(of[i]));
        if (f != NULL)
            return bz_json_str(bz_json_get(f, BZ_V("name")));
    }
    const struct bz_json *name = bz_json_get(tool, BZ_V("name"));
    return bz_json_str(name != NULL ? name : bz_json_get(tool, BZ_V("type")));
}

static bool no_offer(struct bz_tx *tx, struct bz_view name, const char *what, const char *list,
                     size_t i, const char *why) {
    char mem[400], path[48];
    struct bz_buf b, at;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_init_fixed(&at, path, sizeof path);
    bz_buf_puts(&at, list);
    if (i != SIZE_MAX) {
        bz_buf_putc(&at, '[');
        bz_buf_put_u64(&at, i);
        bz_buf_putc(&at, ']');
    }
    bz_buf_puts(&b, "The request ");
    bz_buf_puts(&b, what);
    bz_buf_puts(&b, " the tool ");
    bz_buf_put(&b, bz_agent_name_plain(name) ? name : BZ_V("that stands there"));
    bz_buf_puts(&b, ", which no model may call here. ");
    bz_buf_puts(&b, why);
    bz_buf_puts(&b, " Take it out of the request, or have it listed under tools in bartizan.yaml.");
    return bz_tx_no_because(tx, BZ_REFUSE_TOOL_DENIED, bz_buf_view(&b), bz_buf_view(&at), NULL);
}

/* Denied ones are refused, or taken out. */
static bool offers_of(struct bz_tx *tx, struct bz_json *root, const char *member, bool *ret_left) {
    const struct bz_agent *a = &tx->agent->a;
    struct bz_json *list = bz_json_get_mut(root, bz_view_str(member));
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return true;
    size_t i = 0;
    for (struct bz_json **at = &list->first; *at != NULL; i++) {
        struct bz_view name = offered_name(*at);
        const char *why = bz_agent_offer(a, name, tx->who.role);
        if (why == NULL) {
            at = &(*at)->next;
            continue;
        }
        if (!a->remove_offers)
            return no_offer(tx, name, "offers", member, i, why);
        *at = (*at)->next;
        list->count--;
    }
    if (list->count > 0)
        *ret_left = true;
    else
        (void)bz_json_remove(root, bz_view_str(member));
    return true;
}

/* Names anywhere in a choice: {"function":{"name":...}}, {"name":...}, lists of allowed tools. */
static const struct bz_json *forced(const struct bz_tx *tx, const struct bz_json *v, unsigned depth,
                                    const char **ret_why) {
    const struct bz_json *found = NULL;
    if (depth > 8)
        return NULL;
    for (const struct bz_json *m = v->first; m != NULL && found == NULL; m = m->next) {
        if (v->type == BZ_JSON_OBJECT && bz_view_eq(m->key, BZ_V("name")) &&
            bz_json_is(m, BZ_JSON_STRING)) {
            *ret_why = bz_agent_offer(&tx->agent->a, m->val, tx->who.role);
            if (*ret_why != NULL)
                return m;
        }
        if (m->type == BZ_JSON_OBJECT || m->type == BZ_JSON_ARRAY)
            found = forced(tx, m, depth + 1, ret_why);
    }
    return found;
}

static bool choices(struct bz_tx *tx, struct bz_json *root, bool left) {
    static const char *const members[] = {"tool_choice", "function_call"};
    for (size_t i = 0; i < 2; i++) {
        const struct bz_json *c = bz_json_get(root, bz_view_str(members[i]));
        const char *why = NULL;
        const struct bz_json *bad = c == NULL ? NULL : forced(tx, c, 0, &why);
        if (bad != NULL)
            return no_offer(tx, bad->val, "forces", members[i], SIZE_MAX, why);
        if (c != NULL && !left && tx->agent->a.remove_offers)
            (void)bz_json_remove(root, bz_view_str(members[i])); /* servers want tools with it */
    }
    return true;
}

static bool offers(struct bz_tx *tx, struct bz_json *root) {
    bool left = false;
    return offers_of(tx, root, "tools", &left) && offers_of(tx, root, "functions", &left) &&
           choices(tx, root, left);
}

/* ---- history ---- */

static enum bz_status grow(struct look *l) {
    uint32_t cap = l->cap == 0 ? 16 : 2 * l->cap;
    struct told *told = bz_arena_alloc(l->ar, cap * sizeof *told);
    uint8_t(*digests)[BZ_CALL_ID] = bz_tx_alloc(l->tx, cap * sizeof *digests);
    if (told == NULL || digests == NULL) {
        bz_tx_mem_free(l->tx, digests);
        return BZ_ENOMEM;
    }
    if (l->n > 0) {
        memcpy(told, l->told, l->n * sizeof *told);
        memcpy(digests, l->g->history, l->n * sizeof *digests);
    }
    bz_tx_mem_free(l->tx, l->g->history);
    l->g->history = digests;
    l->told = told;
    l->cap = cap;
    return BZ_OK;
}

static enum bz_status history_call(void *ctx, const struct agent_call *c, struct bz_view id) {
    struct look *l = ctx;
    struct bz_view name = c->names_n > 0 ? c->names[0] : (struct bz_view){NULL, 0}, raw = {NULL, 0};
    const struct bz_json *v = c->arguments_n > 0 ? c->arguments[0] : NULL;
    struct bz_json *parsed = NULL;
    if (l->n == BZ_AGENT_HISTORY_MAX)
        return BZ_ELIMIT;
    if (l->n == l->cap)
        BZ_TRY(grow(l));
    if (v == NULL || (bz_json_is(v, BZ_JSON_STRING) && !c->free)) {
        raw = bz_json_str(v);
        enum bz_status st =
            bz_json_parse(raw.n == 0 ? BZ_V("{}") : raw, NULL, l->ar, &parsed, NULL);
        if (st == BZ_ENOMEM)
            return st;
        v = st == BZ_OK ? parsed : NULL;
    }
    BZ_TRY(bz_agent_digest(l->g->key, name, v, raw, l->ar, l->g->history[l->n]));
    l->told[l->n++] = (struct told){name, id};
    l->g->history_n = l->n;
    return BZ_OK;
}

/* Ids are the model's own words: one that two tools have names neither. */
static enum bz_status history_result(void *ctx, struct bz_view id) {
    struct look *l = ctx;
    bool found = false;
    l->results = true;
    for (uint32_t i = 0; i < l->n && l->all_trusted; i++) {
        if (id.n == 0 || !bz_view_eq(l->told[i].id, id))
            continue;
        found = true;
        l->all_trusted = !bz_agent_result_untrusted(&l->g->a, l->told[i].name, l->tx->who.role);
    }
    l->all_trusted &= found;
    return BZ_OK;
}

static enum bz_status find_untrusted(void *ctx, const struct bz_walk *w,
                                     const struct bz_span *span) {
    const struct look *l = ctx;
    (void)w;
    if (span->text.n == 0)
        return BZ_OK;
    bool untrusted = span->speaker == BZ_SPEAKER_DOCUMENT ||
                     (span->speaker == BZ_SPEAKER_TOOL && !(l->results && l->all_trusted));
    return untrusted ? BZ_EEXISTS : BZ_OK; /* one is enough */
}

static enum bz_status find_taint(struct look *l, struct bz_json *root, bool *ret) {
    struct bz_tx *tx = l->tx;
    struct bz_walk w = {.unknown = BZ_UNKNOWN_TEXT, .span = find_untrusted, .ctx = l};
    enum bz_status st =
        bz_fields_walk(tx->route, (enum bz_server)tx->server, BZ_WHERE_REQUEST, root, &w);
    *ret = st == BZ_EEXISTS;
    return *ret ? BZ_OK : st;
}

static enum bz_status look(struct look *l, struct bz_json *root) {
    enum { TRUSTED_MAX = 512 }; /* calls; each result is compared with all of them */
    enum bz_api api = l->tx->route->api;
    bool tainted = false;
    if (l->g->a.listed)
        BZ_TRY(bz_agent_calls(api, AGENT_REQUEST, root, l->ar, history_call, l));
    l->all_trusted = l->g->a.trusts && l->n <= TRUSTED_MAX;
    if (l->all_trusted)
        BZ_TRY(bz_agent_results(api, root, history_result, l));
    BZ_TRY(find_taint(l, root, &tainted));
    l->g->taint |= tainted ? BZ_TAINT_UNTRUSTED : 0;
    return BZ_OK;
}

/* ---- the whole ---- */

static void conversation_key(const struct bz_tx *tx, uint8_t ret[BZ_KEY_LEN]) {
    struct bz_settings set;
    uint8_t owner[BZ_KEY_LEN];
    bz_image_settings(tx->image, &set);
    bz_keyed_hash(set.digest_key, tx->who.owner, owner);
    bz_keyed_hash(owner, tx->conversation.n > 0 ? tx->conversation : tx->who.key_id, ret);
    bz_wipe(owner, sizeof owner);
}

static uint8_t higher(uint8_t a, uint8_t b) {
    return a > b ? a : b;
}

/* Most requests need nothing in their replies: then nothing is kept of this. */
static bool settle(struct bz_tx *tx, bool tools) {
    struct bz_tx_agent *g = tx->agent;
    bool tainted = (g->taint & BZ_TAINT_UNTRUSTED) != 0;
    g->links = tainted ? higher(g->a.links, g->a.tainted_links) : g->a.links;
    g->images = tainted ? higher(g->a.images, g->a.tainted_images) : g->a.images;
    if (!tools && !g->a.listed && g->links == BZ_LINK_ALLOW && g->images == BZ_LINK_ALLOW)
        bz_tx_agent_free(tx);
    return true;
}

static bool has_models(enum bz_api api) { /* somebody who speaks */
    return api != BZ_API_NONE && api != BZ_API_OPAQUE && api != BZ_API_EMBEDDINGS &&
           api != BZ_API_OLLAMA_EMBED && api != BZ_API_OLLAMA_EMBEDDINGS &&
           api != BZ_API_LLAMA_EMBEDDING && api != BZ_API_RERANK && api != BZ_API_SCORE &&
           api != BZ_API_OLLAMA_SHOW && api != BZ_API_TOKENIZE && api != BZ_API_DETOKENIZE &&
           api != BZ_API_COUNT_TOKENS;
}

static bool begin(struct bz_tx *tx, const struct bz_agent *a) {
    tx->agent = bz_tx_alloc(tx, sizeof *tx->agent);
    if (tx->agent == NULL)
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    memset(tx->agent, 0, sizeof *tx->agent);
    tx->agent->a = *a;
    if (a->listed)
        conversation_key(tx, tx->agent->key);
    return true;
}

bool bz_tx_agent_request(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar, bool tools) {
    struct bz_view blob = bz_image_blob(tx->image, BZ_BLOB_AGENT);
    struct look l = {.tx = tx, .ar = ar};
    struct bz_agent a;
    bool tainted = true;
    if (blob.n == 0 || !has_models(tx->route->api))
        return true;
    if (bz_agent_open(blob, &a) != BZ_OK)
        return bz_tx_no(tx, BZ_REFUSE_SCREENING);
    enum bz_status st = BZ_OK;
    if (!tools && !a.listed && a.links == BZ_LINK_ALLOW && a.images == BZ_LINK_ALLOW)
        st = find_taint(&l, root, &tainted);
    if (st == BZ_OK && !tainted)
        return true; /* most requests: nothing is kept of this */
    if (st == BZ_OK && !begin(tx, &a))
        return false;
    l.g = tx->agent;
    if (st == BZ_OK)
        st = look(&l, root);
    if (st == BZ_ELIMIT)
        return bz_tx_no_because(
            tx, BZ_REFUSE_TOOL_LOOP,
            BZ_V("The conversation holds more calls of tools than are told apart. "
                 "Begin a new one."),
            (struct bz_view){NULL, 0}, NULL);
    if (st != BZ_OK)
        return no_memory(tx, st);
    return (!a.listed || offers(tx, root)) && settle(tx, tools);
}
