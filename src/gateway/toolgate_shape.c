/* Where calls of tools stand in the bodies of each API. What a client could take for a call is one here,
 * whatever else it is. */
#include "toolgate.h"

const struct bz_json *bz_agent_first(const struct bz_json *v) {
    if (bz_json_is(v, BZ_JSON_ARRAY))
        return v->first;
    return bz_json_is(v, BZ_JSON_OBJECT) ? v : NULL;
}

const struct bz_json *bz_agent_next(const struct bz_json *list, const struct bz_json *at) {
    return bz_json_is(list, BZ_JSON_ARRAY) ? at->next : NULL;
}

void bz_agent_add_name(struct agent_call *c, struct bz_view name) {
    for (size_t i = 0; i < c->names_n; i++)
        if (bz_view_eq(c->names[i], name))
            return;
    if (c->names_n == AGENT_READINGS_MAX)
        c->too_many = true;
    else
        c->names[c->names_n++] = name;
}

static bool says_nothing(const struct bz_json *v) {
    return v == NULL || v->type == BZ_JSON_NULL;
}

void bz_agent_add_arguments(struct agent_call *c, const struct bz_json *v) {
    if (says_nothing(v))
        return;
    if (c->arguments_n == AGENT_READINGS_MAX)
        c->too_many = true;
    else
        c->arguments[c->arguments_n++] = v;
}

static uint64_t number_of(const struct bz_json *v, uint64_t position) {
    int64_t n = 0;
    return bz_json_i64(v, &n) == BZ_OK && n >= 0 && n < INT32_MAX ? (uint64_t)n : position;
}

static bool ends(struct bz_view v, const char *with) {
    size_t n = strlen(with);
    return v.n >= n && memcmp(v.p + v.n - n, with, n) == 0;
}

struct each {
    struct bz_arena *ar;
    agent_call_fn *fn;
    void *ctx;
};

/* ---- chat ---- */

/* {name, arguments} or {name, input} */
static enum bz_status function(const struct each *e, const struct bz_json *f, uint64_t key,
                               struct bz_view id) {
    struct agent_call c = {.key = key};
    if (!bz_json_is(f, BZ_JSON_OBJECT))
        return BZ_OK;
    const struct bz_json *input = bz_json_get(f, BZ_V("input"));
    bz_agent_add_name(&c, bz_json_str(bz_json_get(f, BZ_V("name"))));
    c.free = input != NULL && bz_json_get(f, BZ_V("arguments")) == NULL;
    bz_agent_add_arguments(&c, c.free ? input : bz_json_get(f, BZ_V("arguments")));
    bz_agent_add_arguments(&c, bz_json_get(f, BZ_V("parsed_arguments")));
    c.too_many |= input != NULL && !c.free; /* both kinds in one */
    return e->fn(e->ctx, &c, id);
}

static enum bz_status message(const struct each *e, const struct bz_json *m, uint64_t choice) {
    const struct bz_json *calls = bz_json_get(m, BZ_V("tool_calls"));
    uint64_t position = 0;
    for (const struct bz_json *t = bz_agent_first(calls); t != NULL;
         t = bz_agent_next(calls, t), position++) {
        uint64_t key = choice << 32 | position;
        struct bz_view id = bz_json_str(bz_json_get(t, BZ_V("id")));
        BZ_TRY(function(e, bz_json_get(t, BZ_V("function")), key, id));
        BZ_TRY(function(e, bz_json_get(t, BZ_V("custom")), key | UINT64_C(1) << 30, id));
    }
    return function(e, bz_json_get(m, BZ_V("function_call")), choice << 32 | UINT64_C(1) << 31,
                    (struct bz_view){NULL, 0});
}

static enum bz_status chat(const struct each *e, enum agent_where where,
                           const struct bz_json *root) {
    const struct bz_json *list =
        bz_json_get(root, where == AGENT_REQUEST ? BZ_V("messages") : BZ_V("choices"));
    uint64_t position = 0;
    for (const struct bz_json *m = bz_agent_first(list); m != NULL;
         m = bz_agent_next(list, m), position++) {
        if (where == AGENT_REQUEST) {
            BZ_TRY(message(e, m, position));
            continue;
        }
        uint64_t choice = number_of(bz_json_get(m, BZ_V("index")), position);
        BZ_TRY(message(e, bz_json_get(m, BZ_V("message")), choice));
        BZ_TRY(message(e, bz_json_get(m, BZ_V("delta")), choice));
    }
    return BZ_OK;
}

static enum bz_status ollama(const struct each *e, enum agent_where where,
                             const struct bz_json *root) {
    if (where == AGENT_REQUEST)
        return chat(e, where, root);
    BZ_TRY(message(e, bz_json_get(root, BZ_V("message")), 0));
    return message(e, root, 1);
}

/* ---- Responses ---- */

/* What is called, where the item says no name: local_shell_call -> local_shell. */
static struct bz_view kind_of(const struct bz_json *item) {
    struct bz_view type = bz_json_str(bz_json_get(item, BZ_V("type")));
    return ends(type, "_call") ? bz_view_sub(type, 0, type.n - 5) : type;
}

/* Arguments of tools that have members of their own for them. */
static const struct bz_json *own_members(const struct bz_json *item, struct bz_arena *ar) {
    static const char *const members[] = {"action",  "actions", "operation",
                                          "queries", "code",    "input"};
    struct bz_json *o = bz_json_new_obj(ar);
    for (size_t i = 0; o != NULL && i < sizeof members / sizeof members[0]; i++) {
        const struct bz_json *v = bz_json_get(item, bz_view_str(members[i]));
        struct bz_json *copy = NULL;
        if (v == NULL)
            continue;
        copy = bz_arena_alloc(ar, sizeof *copy);
        if (copy == NULL)
            return NULL;
        *copy = *v;
        copy->next = NULL;
        bz_json_add(o, bz_view_str(members[i]), copy);
    }
    return o;
}

bool bz_agent_item(const struct bz_json *item, struct agent_call *c, struct bz_arena *ar) {
    struct bz_view type = bz_json_str(bz_json_get(item, BZ_V("type"))),
                   name = bz_json_str(bz_json_get(item, BZ_V("name")));
    bool custom = bz_view_eq(type, BZ_V("custom_tool_call"));
    const struct bz_json *arguments = bz_json_get(item, BZ_V("arguments"));
    bool call = ends(type, "_call") || bz_view_eq(type, BZ_V("mcp_approval_request")) ||
                (name.n > 0 && arguments != NULL);
    if (!call)
        return false;
    bz_agent_add_name(c, name.n > 0 ? name : kind_of(item));
    if (custom) {
        c->free = true;
        c->too_many |= arguments != NULL;
        bz_agent_add_arguments(c, bz_json_get(item, BZ_V("input")));
    } else if (arguments != NULL || name.n > 0) {
        bz_agent_add_arguments(c, arguments);
        bz_agent_add_arguments(c, bz_json_get(item, BZ_V("parsed_arguments")));
    } else {
        const struct bz_json *own = own_members(item, ar);
        c->too_many |= own == NULL;
        bz_agent_add_arguments(c, own);
    }
    return true;
}

static enum bz_status items(const struct each *e, const struct bz_json *list) {
    uint64_t position = 0;
    for (const struct bz_json *t = bz_agent_first(list); t != NULL;
         t = bz_agent_next(list, t), position++) {
        struct agent_call c = {.key = position};
        if (bz_agent_item(t, &c, e->ar))
            BZ_TRY(e->fn(e->ctx, &c, bz_json_str(bz_json_get(t, BZ_V("call_id")))));
    }
    return BZ_OK;
}

/* ---- Anthropic ---- */

bool bz_agent_block(const struct bz_json *block, struct agent_call *c) {
    if (!ends(bz_json_str(bz_json_get(block, BZ_V("type"))), "tool_use"))
        return false;
    bz_agent_add_name(c, bz_json_str(bz_json_get(block, BZ_V("name"))));
    bz_agent_add_arguments(c, bz_json_get(block, BZ_V("input")));
    return true;
}

static enum bz_status blocks(const struct each *e, const struct bz_json *list, uint64_t choice) {
    uint64_t position = 0;
    for (const struct bz_json *b = bz_agent_first(list); b != NULL;
         b = bz_agent_next(list, b), position++) {
        struct agent_call c = {.key = choice << 32 | position};
        if (bz_agent_block(b, &c))
            BZ_TRY(e->fn(e->ctx, &c, bz_json_str(bz_json_get(b, BZ_V("id")))));
    }
    return BZ_OK;
}

static enum bz_status messages(const struct each *e, enum agent_where where,
                               const struct bz_json *root) {
    const struct bz_json *list = bz_json_get(root, BZ_V("messages"));
    uint64_t position = 0;
    if (where == AGENT_REPLY)
        return blocks(e, bz_json_get(root, BZ_V("content")), 0);
    for (const struct bz_json *m = bz_agent_first(list); m != NULL;
         m = bz_agent_next(list, m), position++)
        BZ_TRY(blocks(e, bz_json_get(m, BZ_V("content")), position));
    return BZ_OK;
}

enum bz_status bz_agent_calls(enum bz_api api, enum agent_where where, const struct bz_json *root,
                              struct bz_arena *ar, agent_call_fn *fn, void *ctx) {
    const struct each e = {.ar = ar, .fn = fn, .ctx = ctx};
    switch ((unsigned)api) {
    case BZ_API_CHAT:
        return chat(&e, where, root);
    case BZ_API_RESPONSES:
        return items(&e,
                     bz_json_get(root, where == AGENT_REQUEST ? BZ_V("input") : BZ_V("output")));
    case BZ_API_MESSAGES:
    case BZ_API_COUNT_TOKENS:
        return messages(&e, where, root);
    case BZ_API_OLLAMA_CHAT:
    case BZ_API_OLLAMA_GENERATE:
        return ollama(&e, where, root);
    default:
        return BZ_OK;
    }
}

/* ---- results ---- */

static enum bz_status result(const struct bz_json *m, const char *type, const char *id,
                             agent_result_fn *fn, void *ctx) {
    struct bz_view t = bz_json_str(bz_json_get(m, BZ_V("type")));
    return ends(t, type) ? fn(ctx, bz_json_str(bz_json_get(m, bz_view_str(id)))) : BZ_OK;
}

static enum bz_status results_of_message(enum bz_api api, const struct bz_json *m,
                                         agent_result_fn *fn, void *ctx) {
    struct bz_view role = bz_json_str(bz_json_get(m, BZ_V("role")));
    const struct bz_json *content = bz_json_get(m, BZ_V("content"));
    if (api != BZ_API_MESSAGES && api != BZ_API_COUNT_TOKENS)
        return bz_view_eq_nocase(role, BZ_V("tool")) || bz_view_eq_nocase(role, BZ_V("function"))
                   ? fn(ctx, bz_json_str(bz_json_get(m, BZ_V("tool_call_id"))))
                   : BZ_OK;
    for (const struct bz_json *b = bz_agent_first(content); b != NULL;
         b = bz_agent_next(content, b))
        BZ_TRY(result(b, "_result", "tool_use_id", fn, ctx));
    return BZ_OK;
}

enum bz_status bz_agent_results(enum bz_api api, const struct bz_json *root, agent_result_fn *fn,
                                void *ctx) {
    const struct bz_json *list =
        bz_json_get(root, api == BZ_API_RESPONSES ? BZ_V("input") : BZ_V("messages"));
    for (const struct bz_json *m = bz_agent_first(list); m != NULL; m = bz_agent_next(list, m)) {
        if (api == BZ_API_RESPONSES)
            BZ_TRY(result(m, "_output", "call_id", fn, ctx));
        else
            BZ_TRY(results_of_message(api, m, fn, ctx));
    }
    return BZ_OK;
}
