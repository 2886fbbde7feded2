/* What a client understands of the bytes that it got: the texts of all channels, put together as an
 * SDK or a person would, and the calls of tools. A reader of its own: the gateway's tables of fields
 * are not asked. */
#include "red_int.h"

struct channel {
    uint8_t path[256];
    size_t path_n;
    struct bz_buf text;
};

struct hearing {
    struct bz_arena *ar;
    struct channel **v;
    size_t n, cap;
    struct bz_buf all;
    uint8_t path[256];
    size_t path_n;
    unsigned event;
    bool per_event; /* each event says whole things: paths of different ones are not the same */
    enum bz_status st;
};

static struct channel *channel_at(struct hearing *h) {
    for (size_t i = 0; i < h->n; i++)
        if (h->v[i]->path_n == h->path_n && memcmp(h->v[i]->path, h->path, h->path_n) == 0)
            return h->v[i];
    void *grown = red_grow(h->ar, h->v, h->n, &h->cap, sizeof *h->v, BZ_RED_CHANNELS_MAX);
    struct channel *c = bz_arena_zalloc(h->ar, sizeof *c);
    if (grown == NULL || c == NULL) {
        h->st = BZ_ENOMEM;
        return NULL;
    }
    h->v = grown;
    memcpy(c->path, h->path, h->path_n);
    c->path_n = h->path_n;
    red_text_init(&c->text);
    h->v[h->n++] = c;
    return c;
}

static void take(struct hearing *h, struct bz_view text) {
    struct channel *c = channel_at(h);
    if (c != NULL)
        bz_buf_put(&c->text, text);
    bz_buf_put(&h->all, text);
    bz_buf_putc(&h->all, '\n');
}

static void push(struct hearing *h, struct bz_view name) {
    size_t room = sizeof h->path - h->path_n;
    if (room == 0)
        return;
    h->path[h->path_n++] = '.';
    size_t n = name.n < room - 1 ? name.n : room - 1;
    if (n > 0)
        memcpy(h->path + h->path_n, name.p, n);
    h->path_n += n;
}

static void push_number(struct hearing *h, uint64_t v) {
    uint8_t mem[24];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_u64(&b, v);
    push(h, bz_buf_view(&b));
}

/* "index" names the one that a delta belongs to, wherever it stands. */
static bool named(const struct bz_json *o, struct bz_view *ret) {
    static const char *const names[] = {"index", "output_index"};
    for (size_t i = 0; i < 2 && bz_json_is(o, BZ_JSON_OBJECT); i++) {
        const struct bz_json *n = bz_json_get(o, bz_view_str(names[i]));
        if (bz_json_is(n, BZ_JSON_NUMBER)) {
            *ret = n->val;
            return true;
        }
    }
    return false;
}

static bool is_arguments(struct bz_view key) {
    return bz_view_eq(key, BZ_V("arguments")) || bz_view_eq(key, BZ_V("input"));
}

static void walk(struct hearing *h, const struct bz_json *n, unsigned depth) {
    struct bz_view index;
    size_t was = h->path_n;
    if (depth > BZ_JSON_DEPTH_MAX)
        return;
    if (n->type == BZ_JSON_STRING) {
        take(h, n->val);
    } else if (n->type == BZ_JSON_OBJECT) {
        if (named(n, &index))
            push(h, index);
        size_t inner = h->path_n;
        for (const struct bz_json *m = n->first; m != NULL; m = m->next) {
            push(h, m->key);
            bz_buf_put(&h->all, m->key); /* keys carry text, too */
            bz_buf_putc(&h->all, '\n');
            if (is_arguments(m->key) && m->type == BZ_JSON_OBJECT) {
                struct bz_buf b;
                red_text_init(&b);
                bz_json_write(&b, m);
                take(h, bz_buf_view(&b));
                bz_buf_free(&b);
                push(h, BZ_V("in"));
            }
            walk(h, m, depth + 1);
            h->path_n = inner;
        }
    } else if (n->type == BZ_JSON_ARRAY) {
        uint64_t i = 0;
        for (const struct bz_json *m = n->first; m != NULL; m = m->next, i++) {
            if (!named(m, &index))
                push_number(h, i);
            walk(h, m, depth + 1);
            h->path_n = was;
        }
    }
    h->path_n = was;
}

/* One object, of a stream or the whole reply. */
static void hear_json(struct hearing *h, struct bz_view text) {
    struct bz_json *root = NULL;
    if (bz_view_eq(text, BZ_V("[DONE]")))
        return;
    h->path_n = 0;
    if (h->per_event)
        push_number(h, h->event++);
    enum bz_status st = bz_json_parse(text, NULL, h->ar, &root, NULL);
    if (st == BZ_OK) {
        walk(h, root, 0);
    } else if (st == BZ_ENOMEM) {
        h->st = st;
    } else {
        push(h, BZ_V("raw"));
        take(h, text);
    }
}

static void hear_lines(struct hearing *h, struct bz_view bytes, bool sse) {
    struct bz_view rest = bytes;
    while (rest.n > 0) {
        const uint8_t *nl = memchr(rest.p, '\n', rest.n);
        size_t n = nl == NULL ? rest.n : (size_t)(nl - rest.p);
        struct bz_view line = bz_view_sub(rest, 0, n);
        rest = bz_view_sub(rest, n + 1, rest.n);
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n == 0)
            continue;
        if (!sse) {
            hear_json(h, line);
        } else if (bz_view_starts(line, BZ_V("data:"))) {
            line = bz_view_sub(line, 5, line.n);
            hear_json(h, line.n > 0 && line.p[0] == ' ' ? bz_view_sub(line, 1, line.n) : line);
        } else { /* comments, names and ids reach the client, too */
            bz_buf_put(&h->all, line);
            bz_buf_putc(&h->all, '\n');
        }
    }
}

/* ---- calls: a name and the arguments beside it ---- */

static bool ends_with(const struct channel *c, const char *tail) {
    size_t n = strlen(tail);
    return c->path_n >= n && memcmp(c->path + c->path_n - n, tail, n) == 0;
}

/* The channel whose path is that of `name` with another last member. */
static const struct channel *beside(const struct hearing *h, const struct channel *name,
                                    size_t stem, const char *tail) {
    size_t n = strlen(tail);
    for (size_t i = 0; i < h->n; i++) {
        const struct channel *c = h->v[i];
        if (c->path_n == stem + n && memcmp(c->path, name->path, stem) == 0 &&
            memcmp(c->path + stem, tail, n) == 0 && c->text.n > 2)
            return c;
    }
    return NULL;
}

static struct bz_view kept(struct hearing *h, const struct bz_buf *b) {
    struct bz_view v = bz_arena_dup(h->ar, bz_buf_view(b));
    if (v.p == NULL)
        h->st = BZ_ENOMEM;
    return v;
}

static void add_call(struct hearing *h, struct bz_red_heard *ret, const struct channel *name,
                     const struct channel *args) {
    void *grown = red_grow(h->ar, ret->calls, ret->calls_n, &ret->calls_cap, sizeof *ret->calls,
                           BZ_RED_CHANNELS_MAX);
    if (grown == NULL) {
        h->st = BZ_ENOMEM;
        return;
    }
    ret->calls = grown;
    ret->calls[ret->calls_n++] = (struct bz_red_call){
        kept(h, &name->text), args == NULL ? BZ_V("{}") : kept(h, &args->text)};
}

static void find_calls(struct hearing *h, struct bz_red_heard *ret) {
    static const char *const tails[] = {".arguments", ".input"};
    for (size_t i = 0; i < h->n; i++) {
        const struct channel *c = h->v[i], *args = NULL;
        if (!ends_with(c, ".name"))
            continue;
        size_t stem = c->path_n - 5;
        for (size_t k = 0; k < 2 && args == NULL; k++)
            args = beside(h, c, stem, tails[k]);
        if (args == NULL && stem >= 14 && memcmp(c->path + stem - 14, ".content_block", 14) == 0)
            args = beside(h, c, stem - 14, ".delta.partial_json");
        if (args == NULL && stem >= 5 && memcmp(c->path + stem - 5, ".item", 5) == 0)
            args = beside(h, c, stem - 5, ".delta");
        add_call(h, ret, c, args);
    }
}

/* Responses repeats items whole, in events of other types: a type is part of the path there, and a
 * name that was told twice is one name. */
static void hear_responses(struct hearing *h, struct bz_view bytes) {
    struct bz_view rest = bytes;
    h->per_event = true;
    hear_lines(h, rest, true);
    h->per_event = false;
    while (rest.n > 0) {
        const uint8_t *nl = memchr(rest.p, '\n', rest.n);
        size_t n = nl == NULL ? rest.n : (size_t)(nl - rest.p);
        struct bz_view line = bz_view_sub(rest, 0, n);
        struct bz_json *root = NULL;
        rest = bz_view_sub(rest, n + 1, rest.n);
        if (!bz_view_starts(line, BZ_V("data: ")) ||
            bz_json_parse(bz_view_sub(line, 6, line.n), NULL, h->ar, &root, NULL) != BZ_OK)
            continue;
        struct bz_view type = bz_json_str(bz_json_get(root, BZ_V("type")));
        if (type.n > 6 && bz_view_eq(bz_view_sub(type, type.n - 6, 6), BZ_V(".delta"))) {
            h->path_n = 0;
            push(h, type);
            walk(h, root, 0);
        } else if (bz_view_eq(type, BZ_V("response.output_item.added"))) {
            h->path_n = 0;
            push(h, BZ_V("response.function_call_arguments.delta"));
            walk(h, root, 0);
        }
    }
}

static void finish(struct hearing *h, struct bz_red_heard *ret) {
    find_calls(h, ret);
    for (size_t i = 0; i <= h->n; i++) {
        const struct bz_buf *b = i < h->n ? &h->v[i]->text : &h->all;
        void *grown = red_grow(h->ar, ret->texts, ret->texts_n, &ret->texts_cap, sizeof *ret->texts,
                               BZ_RED_CHANNELS_MAX + 1);
        if (grown == NULL || bz_buf_status(b) == BZ_ENOMEM) {
            h->st = BZ_ENOMEM;
            return;
        }
        ret->texts = grown;
        if (b->n > 0)
            ret->texts[ret->texts_n++] = kept(h, b);
    }
}

enum bz_status bz_red_hear(enum bz_red_dialect d, bool stream, struct bz_view bytes,
                           struct bz_arena *ar, struct bz_red_heard *ret) {
    struct hearing h = {.ar = ar};
    *ret = (struct bz_red_heard){.texts = NULL};
    red_text_init(&h.all);
    if (!stream) {
        hear_json(&h, bytes);
    } else if (d == BZ_RED_RESPONSES) {
        hear_responses(&h, bytes);
    } else if (d == BZ_RED_OLLAMA) { /* texts go on from line to line, calls do not */
        h.per_event = true;
        hear_lines(&h, bytes, false);
        h.per_event = false;
        hear_lines(&h, bytes, false);
    } else {
        hear_lines(&h, bytes, true);
    }
    finish(&h, ret);
    for (size_t i = 0; i < h.n; i++)
        bz_buf_free(&h.v[i]->text);
    bz_buf_free(&h.all);
    return h.st;
}
