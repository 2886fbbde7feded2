/* Which table a body has, the listing of a table, names. */
#include "fields_rows.h"

static const char *const speaker_names[BZ_SPEAKER_COUNT] = {
    [BZ_SPEAKER_SYSTEM] = "system",       [BZ_SPEAKER_USER] = "user",
    [BZ_SPEAKER_ASSISTANT] = "assistant", [BZ_SPEAKER_REASONING] = "reasoning",
    [BZ_SPEAKER_TOOL] = "tool",           [BZ_SPEAKER_DOCUMENT] = "document",
    [BZ_SPEAKER_SCHEMA] = "schema",       [BZ_SPEAKER_META] = "meta",
};
static const char *const kind_names[BZ_FIELD_KIND_COUNT] = {
    [BZ_FIELD_TEXT] = "text",     [BZ_FIELD_JSON_TEXT] = "json text", [BZ_FIELD_JSON] = "json",
    [BZ_FIELD_REPEAT] = "repeat", [BZ_FIELD_MEDIA] = "media",         [BZ_FIELD_DATA] = "data",
};

const char *bz_speaker_name(enum bz_speaker s) {
    return (unsigned)s < BZ_SPEAKER_COUNT ? speaker_names[s] : "unknown";
}

const char *bz_field_kind_name(enum bz_field_kind k) {
    return (unsigned)k < BZ_FIELD_KIND_COUNT ? kind_names[k] : "unknown";
}

struct api_tables {
    const struct field_row *request, *reply, *event;
    field_ends_fn *ends;
};

static const struct api_tables tables[BZ_API_COUNT] = {
    [BZ_API_NONE] = {NULL, &bz_fields_opaque, &bz_fields_opaque, NULL},
    [BZ_API_CHAT] = {&bz_fields_chat_request, &bz_fields_openai_reply, &bz_fields_openai_reply,
                     bz_fields_ends_openai},
    [BZ_API_COMPLETIONS] = {&bz_fields_completions_request, &bz_fields_openai_reply,
                            &bz_fields_openai_reply, bz_fields_ends_openai},
    [BZ_API_EMBEDDINGS] = {&bz_fields_embeddings_request, &bz_fields_embeddings_reply, NULL, NULL},
    [BZ_API_RESPONSES] = {&bz_fields_responses_request, &bz_fields_responses_reply,
                          &bz_fields_responses_event, bz_fields_ends_responses},
    [BZ_API_MESSAGES] = {&bz_fields_messages_request, &bz_fields_messages_reply,
                         &bz_fields_messages_event, bz_fields_ends_anthropic},
    [BZ_API_COUNT_TOKENS] = {&bz_fields_messages_request, &bz_fields_count_reply, NULL, NULL},
    [BZ_API_OLLAMA_CHAT] = {&bz_fields_ollama_request, &bz_fields_ollama_reply,
                            &bz_fields_ollama_reply, bz_fields_ends_ollama},
    [BZ_API_OLLAMA_GENERATE] = {&bz_fields_ollama_request, &bz_fields_ollama_reply,
                                &bz_fields_ollama_reply, bz_fields_ends_ollama},
    [BZ_API_OLLAMA_EMBED] = {&bz_fields_ollama_request, &bz_fields_ollama_reply, NULL, NULL},
    [BZ_API_OLLAMA_EMBEDDINGS] = {&bz_fields_ollama_request, &bz_fields_ollama_reply, NULL, NULL},
    [BZ_API_OLLAMA_SHOW] = {&bz_fields_ollama_request, &bz_fields_ollama_show_reply, NULL, NULL},
    [BZ_API_LLAMA_COMPLETION] = {&bz_fields_llama_request, &bz_fields_llama_reply,
                                 &bz_fields_llama_reply, bz_fields_ends_llamacpp},
    [BZ_API_LLAMA_INFILL] = {&bz_fields_llama_request, &bz_fields_llama_reply,
                             &bz_fields_llama_reply, bz_fields_ends_llamacpp},
    [BZ_API_LLAMA_EMBEDDING] = {&bz_fields_embeddings_request, &bz_fields_embeddings_reply, NULL,
                                NULL},
    [BZ_API_RERANK] = {&bz_fields_rank_request, &bz_fields_rank_reply, NULL, NULL},
    [BZ_API_SCORE] = {&bz_fields_rank_request, &bz_fields_rank_reply, NULL, NULL},
    [BZ_API_TOKENIZE] = {&bz_fields_tokens_request, &bz_fields_tokens_reply, NULL, NULL},
    [BZ_API_DETOKENIZE] = {&bz_fields_tokens_request, &bz_fields_tokens_reply, NULL, NULL},
    [BZ_API_MCP] = {&bz_fields_mcp_request, &bz_fields_mcp_reply, &bz_fields_mcp_reply, NULL},
    [BZ_API_OPAQUE] = {&bz_fields_opaque, &bz_fields_opaque, &bz_fields_opaque, NULL},
};

struct field_table bz_fields_table(const struct bz_route *route, enum bz_where where) {
    if ((unsigned)route->api >= BZ_API_COUNT)
        return (struct field_table){NULL, NULL};
    const struct api_tables *t = &tables[route->api];
    /* Routes that count the tokens of a chat take its request and answer with a number. */
    bool counts = route->api != BZ_API_TOKENIZE && route->api != BZ_API_DETOKENIZE &&
                  strcmp(route->scope, "tokenize") == 0;
    switch (where) {
    case BZ_WHERE_REQUEST:
        return (struct field_table){t->request, NULL};
    case BZ_WHERE_REPLY:
        return (struct field_table){counts ? &bz_fields_count_reply : t->reply, NULL};
    case BZ_WHERE_EVENT:
        return (struct field_table){t->event, t->ends};
    case BZ_WHERE_COUNT:
        break;
    }
    return (struct field_table){NULL, NULL};
}

/* ---- the listing ---- */

enum { PATH_MAX_BYTES = 240 };

struct listing {
    void (*row)(void *ctx, const char *path, const struct bz_field *f);
    void *ctx;
};
struct open_set { /* what the listing is in: a set within itself is listed once */
    const struct open_set *up;
    const struct field_set *set;
};

static bool is_open(const struct open_set *o, const struct field_set *set) {
    for (; o != NULL; o = o->up) {
        if (o->set == set)
            return true;
    }
    return false;
}

static void join(char out[PATH_MAX_BYTES], const char *prefix, const char *name, const char *end) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, PATH_MAX_BYTES - 1);
    bz_buf_printf(&b, "%s%s%s%s", prefix, *prefix == '\0' || *name == '\0' ? "" : ".", name, end);
    out[b.n] = '\0';
}

static void list_row(const struct listing *l, const struct open_set *up, const char *prefix,
                     const struct field_row *r) {
    char path[PATH_MAX_BYTES];
    if (r->f.kind != FIELD_ONLY_BELOW) {
        const char *end = r->list ? "[]" : "";
        if (r->f.kind == BZ_FIELD_JSON)
            end = *prefix == '\0' && *r->f.name == '\0' ? "*" : ".*";
        join(path, prefix, r->f.name, end);
        l->row(l->ctx, path, &r->f);
    }
    if (r->below == NULL || is_open(up, r->below))
        return;
    struct open_set here = {up, r->below};
    bool many = r->list || r->f.kind == BZ_FIELD_TEXT;
    join(path, prefix, r->f.name, many ? "[]" : "");
    for (size_t i = 0; i < r->below->n; i++)
        list_row(l, &here, path, &r->below->rows[i]);
}

void bz_fields_each(const struct bz_route *route, enum bz_server server, enum bz_where where,
                    void (*row)(void *ctx, const char *path, const struct bz_field *f), void *ctx) {
    (void)server; /* every server's additions stand in the one table of the API */
    struct field_table t = bz_fields_table(route, where);
    struct listing l = {row, ctx};
    if (t.root != NULL)
        list_row(&l, NULL, "", t.root);
}
