/* Calls of a stream. Their pieces are put together, and every event that is part of a call waits in the
 * guard's queue until no call is open: then each was decided with the name and the arguments that the
 * client will have put together, however it does that.
 *
 *   event -> pieces of calls -> open calls -> the call ends -> every reading is decided -> the queue goes
 *
 * Names in several pieces are read as each piece and as all of them; a call whose pieces contradict each
 * other (another id, text after its end) is denied, since clients differ in what they make of it. */
#include "toolgate.h"

#include <bartizan/limits.h>

enum { ID_MAX = 128 };

struct open_call {
    struct open_call *next;
    uint64_t key;
    uint64_t place;    /* output_index + 1; 0: not told */
    bool free, closed; /* free: text of a custom tool */
    bool pieces;       /* there are arguments in pieces, even if they are empty */
    bool odd;          /* it could be read in more than one way */
    uint8_t parts_n;
    uint16_t part_end[BZ_AGENT_NAME_PARTS_MAX]; /* of `names`, one behind the other */
    uint8_t id_n;
    uint8_t id[ID_MAX];
    struct bz_buf names, text, whole; /* arguments in pieces; a whole object of them, as JSON */
};
struct came { /* one event */
    struct bz_tx *tx;
    struct bz_arena *ar;
    bool call;
};

static struct open_call *find(const struct bz_tx_agent *g, uint64_t key) {
    struct open_call *c = g->open;
    while (c != NULL && c->key != key)
        c = c->next;
    return c;
}

static enum bz_status begin(struct came *e, uint64_t key, struct open_call **ret) {
    struct bz_tx_agent *g = e->tx->agent;
    uint32_t n = 0;
    e->call = true;
    *ret = find(g, key);
    if (*ret != NULL) /* what was decided does not begin again */
        return (*ret)->closed ? bz_agent_deny_odd(e->tx, bz_buf_view(&(*ret)->names)) : BZ_OK;
    for (const struct open_call *c = g->open; c != NULL; c = c->next)
        n++;
    if (n == BZ_AGENT_REPLY_CALLS_MAX)
        return BZ_ETOOBIG;
    struct open_call *c = bz_tx_alloc(e->tx, sizeof *c);
    if (c == NULL)
        return BZ_ENOMEM;
    *c = (struct open_call){.next = g->open, .key = key};
    bz_buf_init(&c->names, BZ_AGENT_NAME_PARTS_MAX * 256);
    bz_buf_init(&c->text, BZ_AGENT_ARGUMENTS_MAX);
    bz_buf_init(&c->whole, BZ_AGENT_ARGUMENTS_MAX);
    g->open = c;
    g->open_n++;
    *ret = c;
    return BZ_OK;
}

static enum bz_status add_name(struct open_call *c, struct bz_view name) {
    if (name.n == 0)
        return BZ_OK;
    c->odd |= c->parts_n == BZ_AGENT_NAME_PARTS_MAX || name.n > 256;
    if (c->odd)
        return BZ_OK;
    bz_buf_put(&c->names, name);
    c->part_end[c->parts_n++] = (uint16_t)c->names.n;
    return bz_buf_status(&c->names);
}

static void add_id(struct open_call *c, struct bz_view id) {
    if (id.n == 0)
        return;
    bool same = c->id_n == id.n && memcmp(c->id, id.p, id.n) == 0;
    c->odd |= id.n > ID_MAX || (c->id_n > 0 && !same);
    if (c->id_n > 0 || id.n > ID_MAX)
        return;
    memcpy(c->id, id.p, id.n);
    c->id_n = (uint8_t)id.n;
}

static enum bz_status room(struct came *e, size_t n) {
    e->tx->agent->held += n;
    return e->tx->agent->held > BZ_AGENT_ARGUMENTS_MAX ? BZ_ETOOBIG : BZ_OK;
}

/* A piece of text, or the whole as an object. */
static enum bz_status add_arguments(struct came *e, struct open_call *c, const struct bz_json *v) {
    if (v == NULL || v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (bz_json_is(v, BZ_JSON_STRING)) {
        BZ_TRY(room(e, v->val.n));
        c->pieces = true;
        bz_buf_put(&c->text, v->val);
        return bz_buf_status(&c->text);
    }
    if (c->whole.n > 0) {
        c->odd = true;
        return BZ_OK;
    }
    bz_json_write(&c->whole, v);
    BZ_TRY(bz_buf_status(&c->whole));
    return room(e, c->whole.n);
}

/* ---- a call ends ---- */

/* As the guard will let it leave: masked, restored. What is counted was counted already. */
static enum bz_status as_it_leaves(struct bz_tx *tx, struct bz_view text, bool free,
                                   struct bz_arena *ar, struct bz_view *ret) {
    struct bz_tx_screen *s = tx->screen;
    struct bz_findings found = {.ar = ar};
    struct screen_edited e;
    enum bz_text_mode mode = free ? BZ_TEXT_PLAIN : BZ_TEXT_JSON;
    *ret = text;
    if (s == NULL || text.n == 0)
        return BZ_OK;
    struct screen_count saved[SCREEN_COUNTS_MAX];
    uint8_t n = s->counts_n;
    memcpy(saved, s->counts, sizeof saved);
    BZ_TRY(bz_detect_scan(s->detect, text, mode, &s->act->find, &s->act->hold, ar, &found));
    enum bz_status st = found.more != 0 ? BZ_ETOOBIG : bz_tx_edit(tx, text, mode, &found, ar, &e);
    memcpy(s->counts, saved, sizeof saved);
    s->counts_n = n;
    if (st == BZ_OK)
        *ret = e.text;
    return st;
}

static void readings(const struct open_call *o, struct agent_call *c) {
    size_t from = 0;
    c->key = o->key;
    c->free = o->free;
    c->too_many = o->odd;
    bz_agent_add_name(c, bz_buf_view(&o->names));
    for (size_t i = 0; i < o->parts_n && o->parts_n > 1; i++) {
        bz_agent_add_name(c, bz_view(o->names.p + from, o->part_end[i] - from));
        from = o->part_end[i];
    }
}

static enum bz_status decide(struct bz_tx *tx, struct open_call *o, struct bz_arena *ar) {
    struct agent_call c = {0};
    struct bz_view text;
    struct bz_json *whole = NULL;
    readings(o, &c);
    if (o->pieces) {
        BZ_TRY(as_it_leaves(tx, bz_buf_view(&o->text), o->free, ar, &text));
        struct bz_json *v = bz_json_new_str(ar, text);
        if (v == NULL)
            return BZ_ENOMEM;
        bz_agent_add_arguments(&c, v);
    }
    if (o->whole.n > 0)
        BZ_TRY(bz_json_parse(bz_buf_view(&o->whole), NULL, ar, &whole, NULL));
    /* Anthropic begins with an empty object where pieces follow */
    if (whole != NULL && !(o->pieces && whole->type == BZ_JSON_OBJECT && whole->count == 0))
        bz_agent_add_arguments(&c, whole);
    return bz_agent_judge(tx, &c, ar);
}

static enum bz_status close_call(struct bz_tx *tx, struct open_call *o, struct bz_arena *ar) {
    if (o->closed)
        return BZ_OK;
    BZ_TRY(decide(tx, o, ar));
    o->closed = true;
    tx->agent->open_n--;
    bz_buf_free(&o->text);
    bz_buf_free(&o->whole);
    return BZ_OK;
}

static enum bz_status close_matching(struct bz_tx *tx, uint64_t key, uint64_t mask,
                                     struct bz_arena *ar) {
    for (struct open_call *o = tx->agent->open; o != NULL; o = o->next)
        if ((o->key & mask) == key)
            BZ_TRY(close_call(tx, o, ar));
    return BZ_OK;
}

enum bz_status bz_agent_close_all(struct bz_tx *tx, struct bz_arena *ar) {
    return tx->agent == NULL ? BZ_OK : close_matching(tx, 0, 0, ar);
}

void bz_agent_drop_open(struct bz_tx *tx) {
    struct bz_tx_agent *g = tx->agent;
    while (g->open != NULL) {
        struct open_call *o = g->open;
        g->open = o->next;
        bz_buf_wipe_free(&o->names);
        bz_buf_wipe_free(&o->text);
        bz_buf_wipe_free(&o->whole);
        bz_tx_mem_free(tx, o);
    }
    g->open_n = 0;
}

/* ---- chat ---- */

static uint64_t number_of(const struct bz_json *v, uint64_t position) {
    int64_t n = 0;
    return bz_json_i64(v, &n) == BZ_OK && n >= 0 && n < 1 << 28 ? (uint64_t)n : position;
}

static enum bz_status chat_piece(struct came *e, const struct bz_json *f, uint64_t key,
                                 struct bz_view id) {
    struct open_call *c = NULL;
    const struct bz_json *arguments = bz_json_get(f, BZ_V("arguments")),
                         *input = bz_json_get(f, BZ_V("input"));
    if (!bz_json_is(f, BZ_JSON_OBJECT))
        return BZ_OK;
    BZ_TRY(begin(e, key, &c));
    add_id(c, id);
    c->odd |= arguments != NULL && input != NULL;
    c->free |= input != NULL;
    c->odd |= bz_json_get(f, BZ_V("parsed_arguments")) != NULL;
    BZ_TRY(add_name(c, bz_json_str(bz_json_get(f, BZ_V("name")))));
    return add_arguments(e, c, input != NULL ? input : arguments);
}

static enum bz_status chat_message(struct came *e, const struct bz_json *m, uint64_t choice) {
    const struct bz_json *list = bz_json_get(m, BZ_V("tool_calls"));
    uint64_t position = 0;
    for (const struct bz_json *t = bz_agent_first(list); t != NULL;
         t = bz_agent_next(list, t), position++) {
        uint64_t key = choice << 32 | number_of(bz_json_get(t, BZ_V("index")), position);
        struct bz_view id = bz_json_str(bz_json_get(t, BZ_V("id")));
        BZ_TRY(chat_piece(e, bz_json_get(t, BZ_V("function")), key, id));
        BZ_TRY(chat_piece(e, bz_json_get(t, BZ_V("custom")), key | UINT64_C(1) << 30, id));
    }
    return chat_piece(e, bz_json_get(m, BZ_V("function_call")), choice << 32 | UINT64_C(1) << 31,
                      (struct bz_view){NULL, 0});
}

static enum bz_status chat(struct came *e, const struct bz_json *root) {
    const struct bz_json *list = bz_json_get(root, BZ_V("choices"));
    uint64_t position = 0;
    for (const struct bz_json *c = bz_agent_first(list); c != NULL;
         c = bz_agent_next(list, c), position++) {
        uint64_t choice = number_of(bz_json_get(c, BZ_V("index")), position);
        const struct bz_json *reason = bz_json_get(c, BZ_V("finish_reason"));
        BZ_TRY(chat_message(e, bz_json_get(c, BZ_V("delta")), choice));
        BZ_TRY(chat_message(e, bz_json_get(c, BZ_V("message")), choice));
        if (reason != NULL && reason->type != BZ_JSON_NULL)
            BZ_TRY(close_matching(e->tx, choice << 32, UINT64_MAX << 32, e->ar));
    }
    return BZ_OK;
}

/* ---- Responses ---- */

static uint64_t name_key(struct bz_view v) { /* FNV-1a */
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < v.n; i++)
        h = (h ^ v.p[i]) * UINT64_C(0x100000001b3);
    return UINT64_C(1) << 31 | ((h ^ h >> 31) & 0x7fffffff);
}

/* llama.cpp's items have no id of their own, its deltas name them by the call's. */
static struct bz_view item_id(const struct bz_json *item) {
    struct bz_view id = bz_json_str(bz_json_get(item, BZ_V("id")));
    return id.n > 0 ? id : bz_json_str(bz_json_get(item, BZ_V("call_id")));
}

/* By its id, or else by its place. *ret NULL: no call of this reply. */
static void item_of(const struct came *e, const struct bz_json *root, struct bz_view id,
                    struct open_call **ret, uint64_t *ret_key, uint64_t *ret_place) {
    const struct bz_json *index = bz_json_get(root, BZ_V("output_index"));
    struct bz_tx_agent *g = e->tx->agent;
    *ret_place = index == NULL ? 0 : number_of(index, (1u << 28) - 1) + 1;
    *ret_key = id.n > 0 ? name_key(id) : *ret_place;
    *ret = find(g, *ret_key);
    for (struct open_call *c = g->open; *ret == NULL && c != NULL && id.n == 0; c = c->next)
        if (*ret_place != 0 && c->place == *ret_place)
            *ret = c;
}

static enum bz_status open_item(struct came *e, const struct bz_json *root, struct bz_view id,
                                struct open_call **ret) {
    uint64_t key, place;
    item_of(e, root, id, ret, &key, &place);
    BZ_TRY(begin(e, *ret != NULL ? (*ret)->key : key, ret));
    struct open_call *c = *ret;
    c->odd |= place != 0 && c->place != 0 && c->place != place;
    c->place = place != 0 ? place : c->place;
    for (struct open_call *o = e->tx->agent->open; o != NULL; o = o->next)
        c->odd |= o != c && place != 0 && o->place == place; /* two at one place */
    add_id(c, id);
    return BZ_OK;
}

/* The same call once more and complete: all that is told of it is one call, so all of it has to be
 * allowed. */
static enum bz_status again(struct came *e, struct open_call *o, struct agent_call *c) {
    c->key = o->key;
    if (c->names_n > 0 && c->names[0].n == 0)
        c->names_n = 0;
    if (o->parts_n > 0) /* some clients keep the first that they were told */
        bz_agent_add_name(c, bz_buf_view(&o->names));
    c->too_many |= o->odd;
    e->call = true;
    return bz_agent_judge(e->tx, c, e->ar);
}

static enum bz_status item_event(struct came *e, const struct bz_json *root, bool done) {
    const struct bz_json *item = bz_json_get(root, BZ_V("item"));
    struct agent_call c = {0};
    struct open_call *o = NULL;
    if (!bz_json_is(item, BZ_JSON_OBJECT) || !bz_agent_item(item, &c, e->ar))
        return BZ_OK;
    BZ_TRY(open_item(e, root, item_id(item), &o));
    if (!done) {
        o->odd |= o->parts_n > 0; /* it began already */
        o->free = c.free;
        return add_name(o, c.names[0]);
    }
    BZ_TRY(again(e, o, &c));
    bool told = o->pieces || o->whole.n > 0;
    if (told)
        return close_call(e->tx, o, e->ar);
    if (!o->closed)
        e->tx->agent->open_n--;
    o->closed = true;
    return BZ_OK;
}

static bool is_delta(struct bz_view type) {
    static const char *const types[] = {"response.function_call_arguments.delta",
                                        "response.mcp_call_arguments.delta",
                                        "response.custom_tool_call_input.delta"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (bz_view_eq(type, bz_view_str(types[i])))
            return true;
    return false;
}

static enum bz_status done_event(struct came *e, const struct bz_json *root) {
    const struct bz_json *arguments = bz_json_get(root, BZ_V("arguments")),
                         *input = bz_json_get(root, BZ_V("input"));
    struct agent_call c = {.free = arguments == NULL};
    struct open_call *o = NULL;
    if (arguments == NULL && input == NULL)
        return BZ_OK;
    BZ_TRY(open_item(e, root, bz_json_str(bz_json_get(root, BZ_V("item_id"))), &o));
    bz_agent_add_name(&c, bz_json_str(bz_json_get(root, BZ_V("name"))));
    bz_agent_add_arguments(&c, arguments != NULL ? arguments : input);
    c.too_many = arguments != NULL && input != NULL;
    return again(e, o, &c);
}

struct last_look {
    struct came *e;
    const struct bz_json *output;
};

static enum bz_status repeated(void *ctx, const struct agent_call *told, struct bz_view id) {
    const struct last_look *l = ctx;
    struct agent_call c = *told;
    const struct bz_json *item = l->output->first;
    unsigned twice = 0;
    (void)id;
    for (uint64_t i = 0; i < told->key && item != NULL; i++)
        item = item->next;
    struct bz_view name = item_id(item);
    for (const struct bz_json *t = l->output->first; t != NULL && name.n > 0; t = t->next)
        twice += bz_view_eq(item_id(t), name);
    c.key = name.n > 0 ? name_key(name) : told->key + 1;
    c.too_many |= twice > 1;
    l->e->call = true;
    return bz_agent_judge(l->e->tx, &c, l->e->ar);
}

static enum bz_status responses(struct came *e, const struct bz_json *root) {
    struct bz_view type = bz_json_str(bz_json_get(root, BZ_V("type")));
    const struct bz_json *response = bz_json_get(root, BZ_V("response")),
                         *output = bz_json_get(response, BZ_V("output"));
    struct last_look l = {e, output};
    if (is_delta(type)) {
        struct open_call *o = NULL;
        BZ_TRY(open_item(e, root, bz_json_str(bz_json_get(root, BZ_V("item_id"))), &o));
        return add_arguments(e, o, bz_json_get(root, BZ_V("delta")));
    }
    BZ_TRY(item_event(e, root, !bz_view_eq(type, BZ_V("response.output_item.added"))));
    BZ_TRY(done_event(e, root));
    if (bz_json_is(output, BZ_JSON_ARRAY))
        BZ_TRY(bz_agent_calls(BZ_API_RESPONSES, AGENT_REPLY, response, e->ar, repeated, &l));
    else if (output != NULL && output->type != BZ_JSON_NULL)
        return BZ_ESYNTAX;
    return BZ_OK;
}

/* ---- Anthropic ---- */

static enum bz_status whole_call(void *ctx, const struct agent_call *c, struct bz_view id) {
    struct came *e = ctx;
    struct agent_call one = *c;
    (void)id;
    one.key |= (uint64_t)(e->tx->stream.events & 0xffff) << 12;
    e->call = true;
    return bz_agent_judge(e->tx, &one, e->ar);
}

static enum bz_status anthropic(struct came *e, const struct bz_json *root) {
    struct bz_view type = bz_json_str(bz_json_get(root, BZ_V("type")));
    const struct bz_json *block = bz_json_get(root, BZ_V("content_block")),
                         *piece =
                             bz_json_get(bz_json_get(root, BZ_V("delta")), BZ_V("partial_json")),
                         *message = bz_json_get(root, BZ_V("message"));
    uint64_t key = number_of(bz_json_get(root, BZ_V("index")), 0);
    struct agent_call c = {0};
    struct open_call *o = NULL;
    if (bz_json_is(block, BZ_JSON_OBJECT) && bz_agent_block(block, &c)) {
        BZ_TRY(begin(e, key, &o));
        o->odd |= o->parts_n > 0;
        BZ_TRY(add_name(o, c.names[0]));
        BZ_TRY(add_arguments(e, o, bz_json_get(block, BZ_V("input"))));
    }
    if (piece != NULL) {
        BZ_TRY(begin(e, key, &o));
        BZ_TRY(add_arguments(e, o, piece));
    }
    if (bz_json_is(message, BZ_JSON_OBJECT))
        BZ_TRY(bz_agent_calls(BZ_API_MESSAGES, AGENT_REPLY, message, e->ar, whole_call, e));
    if (!bz_view_eq(type, BZ_V("content_block_stop")) || find(e->tx->agent, key) == NULL)
        return BZ_OK;
    e->call = true;
    return close_call(e->tx, find(e->tx->agent, key), e->ar);
}

/* ---- the whole ---- */

static enum bz_status take(struct came *e, const struct bz_json *root) {
    switch ((unsigned)e->tx->route->api) {
    case BZ_API_CHAT:
        return chat(e, root);
    case BZ_API_RESPONSES:
        return responses(e, root);
    case BZ_API_MESSAGES:
        return anthropic(e, root);
    case BZ_API_OLLAMA_CHAT:
    case BZ_API_OLLAMA_GENERATE:
        return bz_agent_calls(e->tx->route->api, AGENT_REPLY, root, e->ar, whole_call, e);
    default:
        return BZ_OK;
    }
}

/* Nothing is listed: calls pass as they come, their names are counted. */
static void count_names(struct bz_tx *tx, const struct bz_json *root, struct bz_arena *ar) {
    struct came e = {.tx = tx, .ar = ar};
    const struct bz_json *block = bz_json_get(root, BZ_V("content_block")), *item = NULL;
    struct agent_call c = {0};
    if (bz_view_eq(bz_json_str(bz_json_get(root, BZ_V("type"))),
                   BZ_V("response.output_item.added")))
        item = bz_json_get(root, BZ_V("item"));
    bool named = bz_json_is(block, BZ_JSON_OBJECT)  ? bz_agent_block(block, &c)
                 : bz_json_is(item, BZ_JSON_OBJECT) ? bz_agent_item(item, &c, ar)
                                                    : false;
    if (named)
        (void)!bz_agent_judge(tx, &c, ar);
    if (tx->route->api == BZ_API_CHAT)
        (void)!chat(&e, root);
    else if (tx->route->api == BZ_API_OLLAMA_CHAT)
        (void)!bz_agent_calls(tx->route->api, AGENT_REPLY, root, ar, whole_call, &e);
}

enum bz_status bz_agent_event(struct bz_tx *tx, const struct bz_json *root, struct bz_arena *ar,
                              bool *ret_call) {
    struct came e = {.tx = tx, .ar = ar};
    *ret_call = false;
    if (tx->agent == NULL)
        return BZ_OK;
    if (!tx->agent->a.listed) {
        count_names(tx, root, ar);
        return BZ_OK;
    }
    enum bz_status st = take(&e, root);
    if (st == BZ_ETOOBIG)
        tx->stream.why = "the calls of tools in one reply are too many or too long";
    *ret_call = e.call;
    return st;
}
