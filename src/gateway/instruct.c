/* Our system prompt in the form of each API. What is the client's own is taken out first, then ours is
 * put in front, so that there is one of ours whatever the body looked like.
 *
 *   messages       a message of the role system, the first; developer counts as system
 *   instructions   Responses, with messages among its items
 *   system         Anthropic (text or blocks), Ollama's generate
 *   prompt         APIs without roles: our text, a blank line, the prompt
 *
 * What a client called its system prompt and policy makes user text stands at the beginning of the next
 * user message: many templates refuse two messages of one role in a row. */
#include "judge.h"

#include <bartizan/limits.h>

static const struct bz_view none = {NULL, 0};

size_t bz_json_len(struct bz_view text) {
    size_t n = text.n;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t b = text.p[i];
        if (b == '"' || b == '\\' || b == '\n' || b == '\t' || b == '\r' || b == '\b' || b == '\f')
            n += 1;
        else if (b < 0x20)
            n += 5;
    }
    return n;
}

bool bz_instruct_api(enum bz_api api) {
    switch (api) {
    case BZ_API_CHAT:
    case BZ_API_COMPLETIONS:
    case BZ_API_RESPONSES:
    case BZ_API_MESSAGES:
    case BZ_API_COUNT_TOKENS:
    case BZ_API_OLLAMA_CHAT:
    case BZ_API_OLLAMA_GENERATE:
    case BZ_API_LLAMA_COMPLETION:
    case BZ_API_LLAMA_INFILL:
        return true;
    case BZ_API_NONE:
    case BZ_API_EMBEDDINGS:
    case BZ_API_OLLAMA_EMBED:
    case BZ_API_OLLAMA_EMBEDDINGS:
    case BZ_API_OLLAMA_SHOW:
    case BZ_API_LLAMA_EMBEDDING:
    case BZ_API_RERANK:
    case BZ_API_SCORE:
    case BZ_API_TOKENIZE:
    case BZ_API_DETOKENIZE:
    case BZ_API_OPAQUE:
    case BZ_API_MCP:
    case BZ_API_COUNT:
        break;
    }
    return false;
}

bool bz_instruct_has_place(enum bz_api api) {
    return bz_instruct_api(api) && api != BZ_API_LLAMA_INFILL;
}

bool bz_instruct_is_system(const struct bz_json *message) {
    struct bz_view role = bz_json_str(bz_json_get(message, BZ_V("role")));
    return bz_view_eq_nocase(role, BZ_V("system")) || bz_view_eq_nocase(role, BZ_V("developer"));
}

/* ---- pieces of trees ---- */

static void count_text(const struct instruct *in, struct bz_view text) {
    *in->grown += bz_json_len(text) + 64; /* with names, brackets and the like */
}

static void set_text(const struct instruct *in, struct bz_json *n, struct bz_view text) {
    count_text(in, text);
    bz_json_set_str(n, text);
}

/* a, a blank line, b; b alone where a is empty. false: no memory. */
static bool join(const struct instruct *in, struct bz_view a, struct bz_view b,
                 struct bz_view *ret) {
    *ret = a.n == 0 ? b : a;
    if (a.n == 0 || b.n == 0)
        return true;
    uint8_t *p = bz_arena_alloc(in->ar, a.n + 2 + b.n);
    if (p == NULL)
        return false;
    memcpy(p, a.p, a.n);
    memcpy(p + a.n, "\n\n", 2);
    memcpy(p + a.n + 2, b.p, b.n);
    *ret = bz_view(p, a.n + 2 + b.n);
    return true;
}

static void push_front(struct bz_json *list, struct bz_json *n) {
    n->key = none;
    n->depth = (uint16_t)(list->depth + 1);
    for (struct bz_json *k = n->first; k != NULL; k = k->next)
        k->depth = (uint16_t)(n->depth + 1);
    n->next = list->first;
    list->first = n;
    list->count++;
}

/* {"type": type, "text": text} or {"role": role, "content": text}. NULL: no memory. */
static struct bz_json *pair(const struct instruct *in, const char *key, const char *word,
                            const char *text_key, struct bz_view text) {
    struct bz_json *obj = bz_json_new_obj(in->ar);
    struct bz_json *a = bz_json_new_str(in->ar, bz_view_str(word));
    struct bz_json *b = bz_json_new_str(in->ar, text);
    if (obj == NULL || a == NULL || b == NULL)
        return NULL;
    bz_json_add(obj, bz_view_str(key), a);
    bz_json_add(obj, bz_view_str(text_key), b);
    count_text(in, text);
    return obj;
}

static const char *part_type(const struct instruct *in) {
    return in->api == BZ_API_RESPONSES ? "input_text" : "text";
}

static bool has_text_parts(const struct instruct *in) {
    return in->api != BZ_API_OLLAMA_CHAT && in->api != BZ_API_OLLAMA_GENERATE;
}

/* ---- a content: text, or a list of parts ---- */

/* All of its texts, a line each; *ret_rest: something in it is no text. false: no memory. */
static bool text_of(const struct instruct *in, const struct bz_json *content, struct bz_view *ret,
                    bool *ret_rest) {
    size_t n = 0;
    *ret = none;
    *ret_rest = false;
    if (!bz_json_is(content, BZ_JSON_ARRAY)) {
        *ret = bz_json_str(content);
        *ret_rest = content != NULL && content->type != BZ_JSON_NULL && ret->p == NULL;
        return true;
    }
    for (const struct bz_json *k = content->first; k != NULL; k = k->next) {
        struct bz_view t = bz_json_str(bz_json_get(k, BZ_V("text")));
        *ret_rest |= t.p == NULL;
        n += t.n + 1;
    }
    if (n == 0)
        return true;
    uint8_t *p = bz_arena_alloc(in->ar, n), *at = p;
    if (p == NULL)
        return false;
    for (const struct bz_json *k = content->first; k != NULL; k = k->next) {
        struct bz_view t = bz_json_str(bz_json_get(k, BZ_V("text")));
        if (t.n == 0)
            continue;
        if (at > p)
            *at++ = '\n';
        memcpy(at, t.p, t.n);
        at += t.n;
    }
    *ret = bz_view(p, (size_t)(at - p));
    return true;
}

/* In front of what is there. false: no memory. */
static bool prepend(const struct instruct *in, struct bz_json *content, struct bz_view text) {
    struct bz_view whole;
    if (bz_json_is(content, BZ_JSON_ARRAY) && has_text_parts(in)) {
        struct bz_json *part = pair(in, "type", part_type(in), "text", text);
        if (part == NULL)
            return false;
        push_front(content, part);
        return true;
    }
    if (!join(in, text, bz_json_str(content), &whole))
        return false;
    set_text(in, content, whole);
    return true;
}

/* ---- messages ---- */

static bool is_user(const struct bz_json *message) {
    return bz_view_eq_nocase(bz_json_str(bz_json_get(message, BZ_V("role"))), BZ_V("user"));
}

/* The texts of a message that is about to go become the beginning of the user message behind it, or a
 * user message of their own. *at: where the message was. */
static enum bz_status demote(const struct instruct *in, struct bz_json *list, struct bz_json **at,
                             const struct bz_json *gone) {
    struct bz_view text;
    bool rest;
    if (!text_of(in, bz_json_get(gone, BZ_V("content")), &text, &rest))
        return BZ_ENOMEM;
    if (text.n == 0)
        return BZ_OK;
    struct bz_json *next = *at, *content = NULL;
    if (is_user(next) || bz_instruct_is_system(next)) /* the latter goes the same way in its turn */
        content = bz_json_get_mut(next, BZ_V("content"));
    if (content != NULL)
        return prepend(in, content, text) ? BZ_OK : BZ_ENOMEM;
    struct bz_json *own = pair(in, "role", "user", "content", text);
    if (own == NULL)
        return BZ_ENOMEM;
    push_front(list, own); /* numbers the new node; then to its place */
    list->first = own->next;
    own->next = *at;
    *at = own;
    return BZ_OK;
}

/* Takes system messages out of a list, or keeps them. Those at its beginning that are text alone are
 * gathered in *lead where ours will stand before them: many templates know one system message, the
 * first. */
static enum bz_status treat_messages(const struct instruct *in, struct bz_json *list, bool gather,
                                     struct bz_view *lead) {
    bool leading = true;
    for (struct bz_json **at = &list->first; *at != NULL;) {
        struct bz_json *m = *at;
        struct bz_view text, both;
        bool rest = false;
        if (!bz_instruct_is_system(m)) {
            leading = false;
            at = &m->next;
            continue;
        }
        if (in->client == BZ_CLIENT_SYSTEM_KEEP) {
            if (!gather || !leading) {
                at = &m->next;
                continue;
            }
            if (!text_of(in, bz_json_get(m, BZ_V("content")), &text, &rest) ||
                !join(in, *lead, text, &both))
                return BZ_ENOMEM;
            if (rest) {
                leading = false;
                at = &m->next;
                continue;
            }
            *lead = both;
        }
        *at = m->next;
        list->count--;
        if (in->client == BZ_CLIENT_SYSTEM_DEMOTE)
            BZ_TRY(demote(in, list, at, m));
    }
    return BZ_OK;
}

static enum bz_status chat(const struct instruct *in) {
    struct bz_json *list = bz_json_get_mut(in->root, BZ_V("messages"));
    struct bz_view lead = none, text;
    if (!bz_json_is(list, BZ_JSON_ARRAY)) /* Ollama loads a model so */
        return in->text.n == 0 || list == NULL ? BZ_OK : BZ_EINVAL;
    BZ_TRY(treat_messages(in, list, in->text.n > 0, &lead));
    if (in->text.n > 0) {
        if (!join(in, in->text, lead, &text))
            return BZ_ENOMEM;
        struct bz_json *ours = pair(in, "role", "system", "content", text);
        if (ours == NULL)
            return BZ_ENOMEM;
        push_front(list, ours);
    }
    return list->count > 0 ? BZ_OK : BZ_EINVAL;
}

/* ---- one member that is the system prompt ---- */

/* Ours, and the client's behind it if it is kept. */
static enum bz_status put_member(const struct instruct *in, const char *key,
                                 struct bz_view theirs) {
    struct bz_json *n = bz_json_get_mut(in->root, bz_view_str(key));
    struct bz_view text;
    if (in->client != BZ_CLIENT_SYSTEM_KEEP)
        theirs = none;
    if (!join(in, in->text, theirs, &text))
        return BZ_ENOMEM;
    if (text.n == 0) {
        (void)bz_json_remove(in->root, bz_view_str(key));
        return BZ_OK;
    }
    if (n != NULL) {
        set_text(in, n, text);
        return BZ_OK;
    }
    if ((n = bz_json_new_str(in->ar, text)) == NULL)
        return BZ_ENOMEM;
    count_text(in, text);
    bz_json_add(in->root, bz_view_str(key), n);
    return BZ_OK;
}

/* What was a system prompt becomes the beginning of the first user message of a list. */
static enum bz_status demote_first(const struct instruct *in, struct bz_json *list,
                                   struct bz_view text) {
    struct bz_json fake = {.type = BZ_JSON_OBJECT}, content = {.type = BZ_JSON_STRING, .val = text};
    bz_json_add(&fake, BZ_V("content"), &content);
    return demote(in, list, &list->first, &fake);
}

static enum bz_status responses(const struct instruct *in) {
    struct bz_json *input = bz_json_get_mut(in->root, BZ_V("input"));
    struct bz_view theirs = bz_json_str(bz_json_get(in->root, BZ_V("instructions"))), lead = none;
    bool down = in->client == BZ_CLIENT_SYSTEM_DEMOTE && theirs.n > 0;
    if (bz_json_is(input, BZ_JSON_ARRAY)) {
        BZ_TRY(treat_messages(in, input, false, &lead));
        if (down)
            BZ_TRY(demote_first(in, input, theirs));
        if (input->count == 0)
            return BZ_EINVAL;
    } else if (down) {
        struct bz_json *n = input != NULL ? input : bz_json_new_str(in->ar, none);
        if (n == NULL || !prepend(in, n, theirs))
            return BZ_ENOMEM;
        if (input == NULL)
            bz_json_add(in->root, BZ_V("input"), n);
    }
    return put_member(in, "instructions", theirs);
}

static enum bz_status anthropic(const struct instruct *in) {
    struct bz_json *list = bz_json_get_mut(in->root, BZ_V("messages"));
    struct bz_json *system = bz_json_get_mut(in->root, BZ_V("system"));
    struct bz_view theirs, lead = none;
    bool rest = false;
    if (!text_of(in, system, &theirs, &rest))
        return BZ_ENOMEM;
    if (bz_json_is(list, BZ_JSON_ARRAY)) {
        BZ_TRY(treat_messages(in, list, false, &lead));
        if (in->client == BZ_CLIENT_SYSTEM_DEMOTE && theirs.n > 0)
            BZ_TRY(demote_first(in, list, theirs));
        if (list->count == 0)
            return BZ_EINVAL;
    } else if (in->client == BZ_CLIENT_SYSTEM_DEMOTE && theirs.n > 0) {
        if (list == NULL || !prepend(in, list, theirs)) /* llama.cpp takes a text */
            return BZ_ENOMEM;
    }
    if (in->client != BZ_CLIENT_SYSTEM_KEEP || !bz_json_is(system, BZ_JSON_ARRAY))
        return put_member(in, "system", theirs);
    if (in->text.n == 0)
        return BZ_OK;
    return prepend(in, system, in->text) ? BZ_OK : BZ_ENOMEM; /* blocks, with their cache marks */
}

/* ---- APIs without roles ---- */

/* One prompt. EINVAL: token ids. */
static enum bz_status before_prompt(const struct instruct *in, struct bz_json *n,
                                    struct bz_view text) {
    if (!bz_json_is(n, BZ_JSON_STRING))
        return BZ_EINVAL;
    return prepend(in, n, text) ? BZ_OK : BZ_ENOMEM;
}

static enum bz_status completions(const struct instruct *in) {
    struct bz_json *prompt = bz_json_get_mut(in->root, BZ_V("prompt"));
    if (in->text.n == 0)
        return BZ_OK;
    if (prompt == NULL || prompt->type == BZ_JSON_NULL)
        return BZ_EINVAL;
    if (!bz_json_is(prompt, BZ_JSON_ARRAY))
        return before_prompt(in, prompt, in->text);
    for (struct bz_json *k = prompt->first; k != NULL; k = k->next)
        BZ_TRY(before_prompt(in, k, in->text));
    return prompt->count > 0 ? BZ_OK : BZ_EINVAL;
}

static enum bz_status generate(const struct instruct *in) {
    struct bz_json *prompt = bz_json_get_mut(in->root, BZ_V("prompt"));
    struct bz_view theirs = bz_json_str(bz_json_get(in->root, BZ_V("system")));
    if (in->client == BZ_CLIENT_SYSTEM_DEMOTE && theirs.n > 0) {
        struct bz_json *n = prompt != NULL ? prompt : bz_json_new_str(in->ar, none);
        if (n == NULL || !prepend(in, n, theirs))
            return BZ_ENOMEM;
        if (prompt == NULL)
            bz_json_add(in->root, BZ_V("prompt"), n);
    }
    return put_member(in, "system", theirs);
}

enum bz_status bz_instruct(const struct instruct *in) {
    switch (in->api) {
    case BZ_API_CHAT:
    case BZ_API_OLLAMA_CHAT:
        return chat(in);
    case BZ_API_RESPONSES:
        return responses(in);
    case BZ_API_MESSAGES:
    case BZ_API_COUNT_TOKENS:
        return anthropic(in);
    case BZ_API_OLLAMA_GENERATE:
        return generate(in);
    case BZ_API_COMPLETIONS:
    case BZ_API_LLAMA_COMPLETION:
        return completions(in);
    case BZ_API_LLAMA_INFILL:
        return in->text.n == 0 ? BZ_OK : BZ_EINVAL;
    case BZ_API_NONE:
    case BZ_API_EMBEDDINGS:
    case BZ_API_OLLAMA_EMBED:
    case BZ_API_OLLAMA_EMBEDDINGS:
    case BZ_API_OLLAMA_SHOW:
    case BZ_API_LLAMA_EMBEDDING:
    case BZ_API_RERANK:
    case BZ_API_SCORE:
    case BZ_API_TOKENIZE:
    case BZ_API_DETOKENIZE:
    case BZ_API_OPAQUE:
    case BZ_API_MCP:
    case BZ_API_COUNT:
        break;
    }
    return BZ_EINVAL;
}

/* ---- replies ---- */

struct hiding {
    bool look; /* is there anything? */
    bool found;
};

/* What a reply says in the request's own voice (Responses' instructions, llama.cpp's prompt, vLLM's
 * prompt_text) repeats our text. Nobody needs it: the client knows what it sent. */
static enum bz_status hide_one(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    struct hiding *h = ctx;
    (void)w;
    if ((span->speaker != BZ_SPEAKER_SYSTEM && span->speaker != BZ_SPEAKER_USER) || span->is_key ||
        span->is_number || span->channel != 0)
        return BZ_OK;
    h->found = true;
    if (h->look)
        return BZ_EDENIED; /* no need to go on */
    bz_span_set(span, none);
    return BZ_OK;
}

/* Token ids of the prompt say the same. */
static void hide_tokens(struct bz_json *v, unsigned depth, struct hiding *h) {
    static const char *const names[] = {"context", "prompt_token_ids", "prompt_logprobs", "prompt"};
    enum { DEEP = 4 }; /* choices and the like */
    for (struct bz_json *k = v->first; k != NULL && depth < DEEP; k = k->next) {
        bool repeats = false;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            repeats |= bz_view_eq(k->key, bz_view_str(names[i]));
        if (!repeats || k->type != BZ_JSON_ARRAY || k->first == NULL) {
            hide_tokens(k, depth + 1, h);
            continue;
        }
        h->found = true;
        if (!h->look) {
            k->first = NULL;
            k->count = 0;
        }
    }
}

static bool hide(struct bz_tx *tx, enum bz_where where, struct bz_json *root, bool look) {
    struct hiding h = {.look = look};
    struct bz_walk w = {.unknown = BZ_UNKNOWN_TEXT, .span = hide_one, .ctx = &h};
    (void)!bz_fields_walk(tx->route, (enum bz_server)tx->server, where, root, &w);
    hide_tokens(root, 0, &h);
    return h.found;
}

bool bz_instruct_hide(struct bz_tx *tx, struct bz_json *root) {
    if (tx->judged == NULL || !tx->judged->instructed)
        return false;
    return hide(tx, BZ_WHERE_REPLY, root, false);
}

static enum bz_status pass_event(const struct bz_tx_judged *j, struct bz_tx *tx,
                                 struct bz_view name, struct bz_view data, struct bz_json *root,
                                 struct bz_arena *scratch, struct bz_buf *out) {
    if (j->event != NULL)
        return j->event(j->event_ctx, name, data, root, scratch, out);
    bz_stream_put(&tx->stream, name, data, out);
    return BZ_OK;
}

static enum bz_status hide_event(void *ctx, struct bz_view name, struct bz_view data,
                                 struct bz_json *root, struct bz_arena *scratch,
                                 struct bz_buf *out) {
    struct bz_tx *tx = ctx;
    const struct bz_tx_judged *j = tx->judged;
    struct bz_json *own = NULL, *again = NULL;
    struct bz_buf b;
    if (root == NULL || !hide(tx, BZ_WHERE_EVENT, root, true))
        return pass_event(j, tx, name, data, root, scratch, out);
    /* In a tree of its own: whoever learns the forms of usual events must see this one as it came. */
    BZ_TRY(bz_json_parse(data, NULL, scratch, &own, NULL));
    (void)hide(tx, BZ_WHERE_EVENT, own, false);
    bz_buf_init(&b, 2 * (size_t)BZ_EVENT_MAX);
    bz_json_write(&b, own);
    enum bz_status st = bz_buf_status(&b);
    if (st == BZ_OK)
        st = bz_json_parse(bz_buf_view(&b), NULL, scratch, &again, NULL);
    if (st == BZ_OK)
        st = pass_event(j, tx, name, bz_buf_view(&b), again, scratch, out);
    bz_buf_free(&b);
    return st;
}

/* A usual event has one text, of the model's: nothing to hide. */
static enum bz_status pass_delta(void *ctx, struct bz_view name, struct bz_view data,
                                 struct bz_view text, uint64_t channel, struct bz_arena *scratch,
                                 struct bz_buf *out) {
    struct bz_tx *tx = ctx;
    (void)text;
    (void)channel;
    (void)scratch;
    bz_stream_put(&tx->stream, name, data, out);
    return BZ_OK;
}

void bz_instruct_hook(struct bz_tx *tx) {
    struct bz_tx_judged *j = tx->judged;
    if (j == NULL || !j->instructed)
        return;
    j->event = tx->stream.event;
    j->event_ctx = tx->stream.ctx;
    if (j->event == NULL)
        tx->stream.delta = pass_delta;
    tx->stream.event = hide_event;
    tx->stream.ctx = tx;
}
