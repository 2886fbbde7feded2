/* Errors in the shape that each dialect's SDK turns into its own typed error: it looks at the HTTP
 * status, and in a stream at data.error (OpenAI), at the event's name (Anthropic) or at the member
 * "error" (Ollama). */
#include "error.h"

static const char *openai_type(uint16_t status) {
    switch (status) {
    case 401:
        return "authentication_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 429:
        return "rate_limit_error";
    default:
        return status >= 500 ? "api_error" : "invalid_request_error";
    }
}

static const char *anthropic_type(uint16_t status) {
    if (status == 413)
        return "request_too_large";
    if (status == 503 || status == 529)
        return "overloaded_error";
    return openai_type(status);
}

static void optional(struct bz_jw *w, const char *key, struct bz_view v) {
    if (v.n != 0)
        bz_jw_kstr(w, key, v);
}

static void param_or_null(struct bz_jw *w, struct bz_view v) {
    bz_jw_key(w, "param");
    if (v.n == 0)
        bz_jw_null(w);
    else
        bz_jw_str(w, v);
}

static void counts(struct bz_jw *w, const struct error_facts *e) {
    if (!e->has_counts)
        return;
    bz_jw_ku64(w, "n_prompt_tokens", e->n_prompt_tokens);
    bz_jw_ku64(w, "n_ctx", e->n_ctx);
}

static void openai(struct bz_jw *w, const struct error_facts *e, const char *type) {
    bz_jw_key(w, "error");
    bz_jw_obj(w);
    bz_jw_kstr(w, "message", e->message);
    bz_jw_kstr(w, "type", bz_view_str(type));
    param_or_null(w, e->param);
    bz_jw_kstr(w, "code", e->code);
    counts(w, e);
    optional(w, "request_id", e->request_id);
    bz_jw_end(w);
}

static void anthropic(struct bz_jw *w, const struct error_facts *e, const char *type) {
    bz_jw_kstr(w, "type", BZ_V("error"));
    bz_jw_key(w, "error");
    bz_jw_obj(w);
    bz_jw_kstr(w, "type", bz_view_str(type));
    bz_jw_kstr(w, "message", e->message);
    bz_jw_key(w, "details");
    bz_jw_obj(w);
    bz_jw_kstr(w, "error_code", e->code);
    optional(w, "param", e->param);
    counts(w, e);
    bz_jw_end(w);
    bz_jw_end(w);
    optional(w, "request_id", e->request_id);
}

static void llamacpp(struct bz_jw *w, const struct error_facts *e, const char *type) {
    bz_jw_key(w, "error");
    bz_jw_obj(w);
    bz_jw_ku64(w, "code", e->status);
    bz_jw_kstr(w, "message", e->message);
    bz_jw_kstr(w, "type", bz_view_str(type));
    bz_jw_kstr(w, "reason", e->code);
    optional(w, "param", e->param);
    counts(w, e);
    optional(w, "request_id", e->request_id);
    bz_jw_end(w);
}

static void ollama(struct bz_jw *w, const struct error_facts *e) {
    bz_jw_kstr(w, "error", e->message);
    bz_jw_kstr(w, "code", e->code);
    optional(w, "param", e->param);
    optional(w, "request_id", e->request_id);
}

/* JSON-RPC 2.0, 5.1; the codes below -32000 are ours to choose from -32099 up. */
static int64_t rpc_code(const struct error_facts *e) {
    static const struct {
        const char *code;
        int64_t rpc;
    } known[] = {{"json_", -32700},
                 {"mcp_message_invalid", -32600},
                 {"mcp_method", -32601},
                 {"mcp_tool_unknown", -32602},
                 {"mcp_prompt_unknown", -32602},
                 {"mcp_resource_unknown", -32002}, /* MCP, Resources: Error Handling */
                 {"mcp_arguments", -32602}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (bz_view_starts(e->code, bz_view_str(known[i].code)))
            return known[i].rpc;
    return e->status == 400 ? -32600 : e->status >= 500 ? -32603 : -32003;
}

static void rpc(struct bz_jw *w, const struct error_facts *e, const struct bz_json *id) {
    bz_jw_kstr(w, "jsonrpc", BZ_V("2.0"));
    bz_jw_key(w, "id");
    if (id != NULL && id->type == BZ_JSON_STRING)
        bz_jw_str(w, id->val);
    else if (id != NULL && id->type == BZ_JSON_NUMBER)
        bz_jw_raw(w, id->val);
    else
        bz_jw_null(w);
    bz_jw_key(w, "error");
    bz_jw_obj(w);
    bz_jw_key(w, "code");
    bz_jw_i64(w, rpc_code(e));
    bz_jw_kstr(w, "message", e->message);
    bz_jw_key(w, "data");
    bz_jw_obj(w);
    bz_jw_kstr(w, "code", e->code);
    bz_jw_ku64(w, "status", e->status);
    optional(w, "param", e->param);
    optional(w, "request_id", e->request_id);
    bz_jw_end(w);
    bz_jw_end(w);
}

void bz_error_write(enum bz_dialect d, const struct error_facts *e, bool event,
                    struct bz_buf *out) {
    const char *type = e->type != NULL             ? e->type
                       : d == BZ_DIALECT_ANTHROPIC ? anthropic_type(e->status)
                                                   : openai_type(e->status);
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    switch ((unsigned)d) {
    case BZ_DIALECT_RESPONSES:
        if (event) { /* the flat members are the documented ones; the SDK throws for `error` only */
            bz_jw_kstr(&w, "type", BZ_V("error"));
            bz_jw_kstr(&w, "code", e->code);
            bz_jw_kstr(&w, "message", e->message);
            param_or_null(&w, e->param);
        }
        openai(&w, e, type);
        break;
    case BZ_DIALECT_ANTHROPIC:
        anthropic(&w, e, type);
        break;
    case BZ_DIALECT_OLLAMA:
        ollama(&w, e);
        break;
    case BZ_DIALECT_LLAMACPP:
        llamacpp(&w, e, type);
        break;
    case BZ_DIALECT_MCP:
        rpc(&w, e, NULL);
        break;
    default:
        openai(&w, e, type);
        break;
    }
    bz_jw_end(&w);
}

static struct error_facts facts_of(const struct bz_error *e) {
    return (struct error_facts){.status = e->status,
                                .code = bz_view_str(e->code),
                                .message = e->message,
                                .param = e->param,
                                .request_id = e->request_id};
}

void bz_dialect_error(enum bz_dialect d, const struct bz_error *e, struct bz_buf *out) {
    struct error_facts f = facts_of(e);
    bz_error_write(d, &f, false, out);
}

void bz_dialect_rpc_error(const struct bz_json *id, const struct bz_error *e, struct bz_buf *out) {
    struct error_facts f = facts_of(e);
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    rpc(&w, &f, id);
    bz_jw_end(&w);
}

void bz_dialect_error_event(enum bz_dialect d, const struct bz_error *e, struct bz_buf *out) {
    struct error_facts f = facts_of(e);
    if (d == BZ_DIALECT_OLLAMA) {
        bz_error_write(d, &f, true, out);
        bz_buf_putc(out, '\n');
        return;
    }
    if (d == BZ_DIALECT_RESPONSES || d == BZ_DIALECT_ANTHROPIC)
        bz_buf_puts(out, "event: error\n");
    bz_buf_puts(out, "data: ");
    bz_error_write(d, &f, true, out);
    bz_buf_puts(out, "\n\n");
}
