/* What the coverage matrix of the whole transaction is made of: every route with a body, documents
 * built from the paths of the field tables, requests and replies. */
#ifndef BARTIZAN_TESTS_TX_MATRIX_H
#define BARTIZAN_TESTS_TX_MATRIX_H

#include "gw_fixture.h"

#include <bartizan/fields.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MX_MARK "Falcon"
#define MX_NUMBER "424242" /* a marker that JSON may hold as a number */
#define MX_PLACE "<W_MASK_"

/* ---- the instances ---- */

static struct gw mx_strict, mx_open; /* unknown members: refused; screened as text */

static inline int mx_open_all(void **state) {
    static char name[] = "W_MASK", mark[] = MX_MARK, number[] = MX_NUMBER;
    static char *words[] = {mark, number};
    static struct bz_custom_config custom = {
        .name = name, .words = words, .words_n = 2, .whole_word = true};
    static struct bz_data_rule rule = {.directions =
                                           1 << BZ_DIRECTION_REQUEST | 1 << BZ_DIRECTION_REPLY,
                                       .action = BZ_ACTION_MASK};
    struct bz_data_config data = {.restore_s = 600,
                                  .hold_ms = 2000,
                                  .custom = &custom,
                                  .custom_n = 1,
                                  .rules = &rule,
                                  .rules_n = 1};
    const struct bz_type *list;
    (void)state;
    bz_type_set_add(&rule.types, bz_type_list(&list));
    if (!gw_open_data(&mx_strict, GW_MIXED, &data))
        return -1;
    data.unknown_as_text = true;
    return gw_open_data(&mx_open, GW_MIXED, &data) ? 0 : -1;
}

static inline int mx_close_all(void **state) {
    (void)state;
    gw_close(&mx_strict);
    gw_close(&mx_open);
    return 0;
}

/* ---- routes ---- */

struct mx_route {
    const struct bz_route *route;
    enum bz_server server;
    const char *model;
};
enum { MX_ROUTES = 64 };

static inline bool mx_has_text(const struct bz_route *r) {
    bool may = r->access == BZ_ACCESS_USER || r->api == BZ_API_OLLAMA_SHOW;
    return may && r->answer == BZ_ANSWER_BACKEND && strcmp(r->method, "POST") == 0 &&
           r->api != BZ_API_NONE && r->api != BZ_API_OPAQUE;
}

/* Every route of every kind of server that is behind the instance, without aliases. */
static inline size_t mx_routes(struct mx_route out[MX_ROUTES]) {
    static const char *const models[BZ_SERVER_COUNT] = {
        [BZ_SERVER_LLAMACPP] = "tiny",
        [BZ_SERVER_OLLAMA] = "llama3:latest",
        [BZ_SERVER_VLLM] = "mistral",
        [BZ_SERVER_ANTHROPIC] = "claude",
    };
    size_t n = 0;
    for (unsigned s = 0; s < BZ_SERVER_COUNT; s++) {
        size_t rows, first = n;
        const struct bz_route *r = bz_route_table((enum bz_server)s, &rows);
        for (size_t i = 0; models[s] != NULL && i < rows; i++) {
            bool seen = !mx_has_text(&r[i]);
            for (size_t k = first; k < n; k++)
                seen |=
                    out[k].route->api == r[i].api && strcmp(out[k].route->scope, r[i].scope) == 0;
            if (!seen && n < MX_ROUTES)
                out[n++] = (struct mx_route){&r[i], (enum bz_server)s, models[s]};
        }
    }
    return n;
}

static inline bool mx_streams(enum bz_api api) {
    return api == BZ_API_CHAT || api == BZ_API_COMPLETIONS || api == BZ_API_RESPONSES ||
           api == BZ_API_MESSAGES || api == BZ_API_OLLAMA_CHAT || api == BZ_API_OLLAMA_GENERATE ||
           api == BZ_API_LLAMA_COMPLETION || api == BZ_API_LLAMA_INFILL;
}

/* ---- documents ---- */

/* "a.b[].c" in pieces; a last "*" is left out. */
enum { MX_LEVELS = 12, MX_DOC = 1 << 16 };
struct mx_path {
    char mem[300];
    struct {
        const char *name;
        bool list;
    } at[MX_LEVELS];
    unsigned n;
};

static inline void mx_parse(struct mx_path *p, const char *path) {
    char *rest = p->mem, *name;
    p->n = 0;
    (void)snprintf(p->mem, sizeof p->mem, "%s", path);
    while ((name = strsep(&rest, ".")) != NULL && strcmp(name, "*") != 0 && p->n < MX_LEVELS) {
        char *list = strstr(name, "[]");
        if (list != NULL)
            *list = '\0';
        p->at[p->n].name = name;
        p->at[p->n++].list = list != NULL;
    }
}

/* Members "a='x';b=1" for the object at hand, without the one that is called `but`. */
static inline bool mx_members(struct bz_buf *out, const char *kit, const char *but) {
    bool any = false;
    for (const char *m = kit; m != NULL && *m != '\0';) {
        size_t n = strcspn(m, ";"), key = strcspn(m, "=");
        if (but == NULL || strlen(but) != key || strncmp(m, but, key) != 0) {
            bz_buf_puts(out, any ? ",\"" : "\"");
            bz_buf_put(out, bz_view(m, key));
            bz_buf_puts(out, "\":");
            for (size_t i = key + 1; i < n; i++)
                bz_buf_putc(out, (uint8_t)(m[i] == '\'' ? '"' : m[i]));
            any = true;
        }
        m += n + (m[n] == ';');
    }
    return any;
}

/* The first n members of the path, each object with its kit; the last one has the value. */
static inline void mx_build(struct bz_buf *out, const struct mx_path *p, unsigned i, unsigned n,
                            const char *const kits[MX_LEVELS], const char *value) {
    bz_buf_putc(out, '{');
    bool any = mx_members(out, kits[i], i < n ? p->at[i].name : NULL);
    if (i < n) {
        bool last = i + 1 == p->n, list = p->at[i].list && !last;
        bz_buf_puts(out, any ? ",\"" : "\"");
        bz_buf_puts(out, p->at[i].name);
        bz_buf_puts(out, list ? "\":[" : "\":");
        if (last)
            bz_buf_puts(out, value);
        else
            mx_build(out, p, i + 1, n, kits, value);
        if (list)
            bz_buf_putc(out, ']');
    }
    bz_buf_putc(out, '}');
}

static inline char *mx_doc(const struct mx_path *p, unsigned n, const char *const kits[MX_LEVELS],
                           const char *value) {
    static char mem[4][MX_DOC];
    static unsigned turn;
    char *doc = mem[turn++ % 4];
    struct bz_buf b;
    bz_buf_init_fixed(&b, doc, MX_DOC - 1);
    mx_build(&b, p, 0, n, kits, value);
    doc[b.n] = '\0';
    return doc;
}

/* What a valid request of the API has at least. */
static inline const char *mx_request_kit(const struct mx_route *r, bool stream) {
    static char kit[256];
    static const char *const of[BZ_API_COUNT] = {
        [BZ_API_CHAT] = "messages=[{'role':'user','content':'x'}]",
        [BZ_API_COMPLETIONS] = "prompt='x'",
        [BZ_API_EMBEDDINGS] = "input='x'",
        [BZ_API_RESPONSES] = "input='x'",
        [BZ_API_MESSAGES] = "messages=[{'role':'user','content':'x'}];max_tokens=5",
        [BZ_API_COUNT_TOKENS] = "messages=[{'role':'user','content':'x'}]",
        [BZ_API_OLLAMA_CHAT] = "messages=[{'role':'user','content':'x'}]",
        [BZ_API_OLLAMA_GENERATE] = "prompt='x'",
        [BZ_API_OLLAMA_EMBED] = "input='x'",
        [BZ_API_OLLAMA_EMBEDDINGS] = "prompt='x'",
        [BZ_API_LLAMA_COMPLETION] = "prompt='x'",
        [BZ_API_LLAMA_INFILL] = "input_prefix='x'",
        [BZ_API_LLAMA_EMBEDDING] = "content='x'",
        [BZ_API_RERANK] = "query='x';documents=['y']",
        [BZ_API_SCORE] = "text_1='x';text_2='y'",
        [BZ_API_DETOKENIZE] = "tokens=[1]",
    };
    const char *own = of[r->route->api] != NULL ? of[r->route->api] : "";
    if (r->route->api == BZ_API_TOKENIZE)
        own = r->server == BZ_SERVER_VLLM ? "prompt='x'" : "content='x'";
    (void)snprintf(kit, sizeof kit, "model='%s'%s%s%s", r->model,
                   !mx_streams(r->route->api) || strcmp(r->route->scope, "tokenize") == 0 ? ""
                   : stream ? ";stream=true"
                            : ";stream=false",
                   *own == '\0' ? "" : ";", own);
    return kit;
}

/* ---- transactions ---- */

struct mx_tx {
    struct gw *gw;
    struct bz_tx *tx;
    enum bz_verdict verdict;
};

static inline void mx_send(struct mx_tx *t, struct gw *g, const struct mx_route *r,
                           const char *body) {
    struct gw_req q;
    struct bz_backend b;
    t->gw = g;
    gw_req_init(&q, g, GW_ADMIN, "POST", r->route->path, body);
    t->tx = gw_send(g, &q, bz_alloc_heap, &t->verdict);
    if (t->tx != NULL && t->verdict == BZ_VERDICT_FORWARD)
        (void)bz_tx_backend(t->tx, gw_now(g), &b);
}

/* A minimal request was sent and its answer is expected. */
static inline void mx_ask(struct mx_tx *t, struct gw *g, const struct mx_route *r, bool stream) {
    const struct mx_path none = {.n = 0};
    const char *kits[MX_LEVELS] = {mx_request_kit(r, stream)};
    mx_send(t, g, r, mx_doc(&none, 0, kits, ""));
    if (t->verdict != BZ_VERDICT_FORWARD)
        fail_msg("%s %s: a minimal request is refused", bz_server_name(r->server), r->route->path);
}

static inline void mx_done(struct mx_tx *t) {
    bz_tx_free(t->tx);
    t->tx = NULL;
}

static inline bool mx_tree_has(const struct bz_json *n, const char *needle) {
    if (gw_contains(n->key, needle) || gw_contains(n->val, needle))
        return true;
    for (const struct bz_json *k = n->first; k != NULL; k = k->next)
        if (mx_tree_has(k, needle))
            return true;
    return false;
}

/* In a key, string or number of the document, however it is escaped. */
static inline bool mx_holds(struct bz_view doc, const char *needle) {
    struct bz_arena ar;
    struct bz_json *root;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 24, NULL, 0);
    if (bz_json_parse(doc, NULL, &ar, &root, NULL) != BZ_OK)
        fail_msg("no JSON: %.*s", (int)doc.n, (const char *)doc.p);
    bool has = mx_tree_has(root, needle);
    bz_arena_free(&ar);
    return has;
}

static inline bool mx_leaks(struct bz_view doc) {
    return mx_holds(doc, MX_MARK) || mx_holds(doc, MX_NUMBER);
}

/* The text as a JSON string. */
static inline char *mx_quoted(struct bz_view text) {
    static char mem[4][512];
    static unsigned turn;
    char *out = mem[turn++ % 4];
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, sizeof mem[0] - 1);
    bz_json_write_str(&b, text);
    out[b.n] = '\0';
    return out;
}

static inline bool mx_is_text(const struct bz_field *f) {
    return f->kind == BZ_FIELD_TEXT || f->kind == BZ_FIELD_JSON_TEXT || f->kind == BZ_FIELD_JSON;
}

/* "type" beside the last member, where the row asks for one. */
static inline const char *mx_type_kit(const struct bz_field *f) {
    static char kit[200];
    if (f->when == NULL)
        return "";
    (void)snprintf(kit, sizeof kit, "type='%.*s'", (int)strcspn(f->when, "|"), f->when);
    return kit;
}

/* A text that stands in the same object as `path`: of a stream rather one that comes in pieces. */
struct mx_sibling {
    const char *path, *but; /* not the one that this kit has, or NULL */
    char found[240];
    struct bz_field field;
};

static inline void mx_sibling_row(void *ctx, const char *path, const struct bz_field *f) {
    struct mx_sibling *s = ctx;
    const char *dot = strrchr(s->path, '.');
    size_t n = dot == NULL ? 0 : (size_t)(dot - s->path) + 1;
    bool beside = f->kind == BZ_FIELD_TEXT && strncmp(path, s->path, n) == 0 &&
                  strpbrk(path + n, ".[*") == NULL;
    if (beside && s->but != NULL && strcspn(s->but, "=") == strlen(path + n) &&
        strncmp(s->but, path + n, strlen(path + n)) == 0)
        return;
    if (!beside || (s->found[0] != '\0' && (s->field.channel != 0 || f->channel == 0)))
        return;
    (void)snprintf(s->found, sizeof s->found, "%s", path + n);
    s->field = *f;
}

/* Paths of the objects that the rows of a table stand in, each once. */
enum { MX_OBJECTS = 256 };
struct mx_objects {
    char path[MX_OBJECTS][240];
    size_t n;
};

static inline void mx_object_of(void *ctx, const char *path, const struct bz_field *f) {
    struct mx_objects *o = ctx;
    char up[240];
    (void)f;
    (void)snprintf(up, sizeof up, "%s", path);
    size_t n = strlen(up);
    if (n > 2 && strcmp(up + n - 2, ".*") == 0)
        up[n - 2] = '\0';
    char *dot = strrchr(up, '.');
    *(dot != NULL ? dot : up) = '\0';
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->path[i], up) == 0)
            return;
    if (o->n < MX_OBJECTS)
        (void)snprintf(o->path[o->n++], sizeof up, "%s", up);
}

/* The path of an unknown member of each of them. */
static inline const char *mx_stranger(const struct mx_objects *o, size_t i, const char *name) {
    static char path[300];
    (void)snprintf(path, sizeof path, "%s%s%s", o->path[i], o->path[i][0] == '\0' ? "" : ".", name);
    return path;
}

#endif
