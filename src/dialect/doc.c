/* docs/ROUTES.md from the tables. */
#include "params.h"

struct fn_text {
    check_fn *fn;
    const char *text;
};

static const struct fn_text fn_texts[] = {
    {bz_check_model, "name of at most 200 bytes; absent, null or empty means the only model"},
    {bz_check_stream, "boolean"},
    {bz_check_usage_flag,
     "boolean; the gateway adds it to streams and drops the extra event again"},
    {bz_check_max_tokens, "integer up to the role's max_tokens"},
    {bz_check_logit_bias, "token ids to numbers from -100 to 100, at most 1024"},
    {bz_check_stop, "string or list, at most the role's max_stop, 256 bytes each"},
    {bz_check_metadata, "at most 16 strings of 512 bytes"},
    {bz_check_prompt, "text, or texts (times n: at most the role's max_choices); token ids only "
                      "with allow_token_prompts"},
    {bz_check_input, "text or a list of texts; token ids only with allow_token_prompts"},
    {bz_check_texts, "text or a list of texts, at most the role's max_inputs"},
    {bz_check_tools, "at most the role's max_tools, function or custom"},
    {bz_check_functions, "at most the role's max_tools"},
    {bz_check_tool_choice, "none, auto, required, or one tool by name"},
    {bz_check_function_call, "none, auto, or {name}"},
    {bz_check_response_format, "text, json_object or json_schema (up to max_grammar bytes)"},
    {bz_check_chat_messages, "1 to the role's max_messages; see Structures"},
    {bz_check_template_kwargs, "enable_thinking, thinking (boolean), reasoning_effort"},
    {bz_check_schema, "JSON schema of at most the role's max_grammar bytes; see Structures"},
    {bz_check_schema_or_text,
     "JSON schema of at most the role's max_grammar bytes; as text only with allow_grammar"},
    {bz_check_logprobs_flag, "boolean, if the role's max_logprobs is not 0"},
    {bz_check_documents, "objects of strings, at most the role's max_inputs"},
    {bz_check_rank_documents, "texts or {text, title}, at most the role's max_inputs"},
    {bz_check_images, "at most 64 base64 images; see Structures"},
    {bz_check_data_url, "data: URL of an image; see Structures"},
    {bz_check_tool_format, "{type: text}; a grammar of at most the role's max_grammar bytes"},
    {bz_check_tool_name, "1 to 128 of letters, digits and _-.:/"},
};

static void put_number(struct bz_buf *b, double v) {
    if (v >= -9007199254740992.0 && v <= 9007199254740992.0 && v == (double)(int64_t)v)
        bz_buf_put_i64(b, (int64_t)v);
    else
        bz_buf_printf(b, "%.2f", v);
}

static const char *cap_name(enum param_cap cap) {
    static const char *const names[CAP_COUNT] = {
        [CAP_CHOICES] = "max_choices", [CAP_LOGPROBS] = "max_logprobs",
        [CAP_STOP] = "max_stop",       [CAP_GRAMMAR] = "max_grammar",
        [CAP_TOOLS] = "max_tools",     [CAP_MESSAGES] = "max_messages",
        [CAP_INPUTS] = "max_inputs",   [CAP_TOKENS] = "max_tokens",
        [CAP_RAW] = "max_grammar",     [CAP_ECHO] = "allow_echo",
    };
    return names[cap];
}

static void put_range(struct bz_buf *b, const struct param *p, const char *what) {
    bz_buf_puts(b, what);
    bz_buf_puts(b, " ");
    put_number(b, p->lo);
    bz_buf_puts(b, " to ");
    if (p->cap != CAP_NONE && p->cap != CAP_LOAD)
        bz_buf_printf(b, "the role's %s", cap_name(p->cap));
    else
        put_number(b, p->hi);
}

static void put_up_to(struct bz_buf *b, const struct param *p, const char *before,
                      const char *after) {
    bz_buf_puts(b, before);
    if (p->cap != CAP_NONE)
        bz_buf_printf(b, "the role's %s", cap_name(p->cap));
    else
        put_number(b, p->hi);
    bz_buf_puts(b, after);
}

static void put_words(struct bz_buf *b, const char *words) {
    for (const char *w = words; *w != '\0'; w++) {
        if (*w == '|')
            bz_buf_puts(b, ", ");
        else
            bz_buf_putc(b, (uint8_t)*w);
    }
}

static void put_fn(struct bz_buf *b, const struct param *p) {
    for (size_t i = 0; i < sizeof fn_texts / sizeof fn_texts[0]; i++) {
        if (fn_texts[i].fn == p->fn) {
            bz_buf_puts(b, fn_texts[i].text);
            return;
        }
    }
    bz_buf_puts(b, "see Structures");
}

/* The types that pass. */
static void put_types(struct bz_buf *b, const char *before, const struct variants *of) {
    const char *comma = "";
    bz_buf_puts(b, before);
    for (size_t i = 0; i < of->n; i++) {
        if (of->rows[i].set == NULL)
            continue;
        bz_buf_printf(b, "%s%s", comma, of->rows[i].type);
        comma = ", ";
    }
    bz_buf_puts(b, "; see Structures");
}

static void put_rule(struct bz_buf *b, const struct param *p) {
    switch ((enum param_kind)p->kind) {
    case K_NO:
        bz_buf_puts(b, "**refused**");
        break;
    case K_FALSE:
    case K_TRUE:
        bz_buf_puts(b, p->kind == K_FALSE ? "only false" : "only true");
        if (p->cap == CAP_ECHO)
            bz_buf_puts(b, ", unless the role has allow_echo");
        break;
    case K_BOOL:
        bz_buf_puts(b, "boolean");
        break;
    case K_INT:
        put_range(b, p, "integer");
        break;
    case K_NUM:
        put_range(b, p, "number");
        break;
    case K_STR:
        put_up_to(b, p, "string of at most ", " bytes");
        break;
    case K_TEXT:
        bz_buf_puts(b, "text");
        if (p->cap != CAP_NONE)
            put_up_to(b, p, " of at most ", " bytes");
        break;
    case K_ENUM:
        put_words(b, p->words);
        break;
    case K_ENUMS:
        bz_buf_puts(b, "list of: ");
        put_words(b, p->words);
        break;
    case K_OBJ:
        bz_buf_puts(b, "object:");
        break;
    case K_LIST:
        put_up_to(b, p, "list of at most ", " objects:");
        break;
    case K_STRS:
        put_up_to(b, p, "list of at most ", " texts");
        break;
    case K_INTS:
        put_up_to(b, p, "list of at most ", " integers");
        break;
    case K_JSON:
        put_up_to(b, p, "JSON of at most ", " bytes");
        break;
    case K_ONE:
        put_types(b, "object of one of the types ", p->of);
        break;
    case K_MANY:
        put_types(b, "list of objects of the types ", p->of);
        break;
    case K_PARTS:
        put_types(b, "text, or a list of objects of the types ", p->of);
        break;
    case K_FN:
        put_fn(b, p);
        break;
    case K_COUNT:
        break;
    }
    if (p->cap == CAP_RAW)
        bz_buf_puts(b, "; **only with the role's allow_grammar**");
    if (p->cap == CAP_LOAD)
        bz_buf_puts(b, "; **only with the role's allow_load_options**");
    if ((p->flags & PARAM_REQUIRED) != 0)
        bz_buf_puts(b, "; required");
}

static void put_servers(struct bz_buf *b, unsigned on) {
    if (on == ON_ALL) {
        bz_buf_puts(b, "all");
        return;
    }
    bool first = true;
    for (unsigned s = 0; s < BZ_SERVER_COUNT; s++) {
        if ((on >> s & 1) == 0)
            continue;
        bz_buf_puts(b, first ? "" : ", ");
        bz_buf_puts(b, bz_server_name((enum bz_server)s));
        first = false;
    }
}

static void put_rows(struct bz_buf *b, const struct param_set *set, const char *prefix,
                     unsigned depth) {
    for (size_t i = 0; i < set->n; i++) {
        const struct param *p = &set->rows[i];
        bz_buf_printf(b, "| `%s%s` | ", prefix, p->name);
        put_servers(b, p->on);
        bz_buf_puts(b, " | ");
        put_rule(b, p);
        bz_buf_printf(b, " | %s |\n", p->why == NULL ? "" : p->why);
        bool nested = p->kind == K_OBJ || p->kind == K_LIST;
        if (!nested || depth == 0 || p->sub == NULL)
            continue;
        char name[128];
        struct bz_buf nb;
        bz_buf_init_fixed(&nb, name, sizeof name - 1);
        bz_buf_printf(&nb, "%s%s%s.", prefix, p->name, p->kind == K_LIST ? "[]" : "");
        name[nb.n] = '\0';
        put_rows(b, p->sub, name, depth - 1);
    }
}

static const struct {
    enum bz_api api;
    const char *title;
} apis[] = {
    {BZ_API_CHAT, "OpenAI chat completions"},
    {BZ_API_COMPLETIONS, "OpenAI completions"},
    {BZ_API_RESPONSES, "OpenAI responses"},
    {BZ_API_EMBEDDINGS, "Embeddings"},
    {BZ_API_MESSAGES, "Anthropic messages"},
    {BZ_API_COUNT_TOKENS, "Anthropic count_tokens"},
    {BZ_API_OLLAMA_CHAT, "Ollama chat"},
    {BZ_API_OLLAMA_GENERATE, "Ollama generate"},
    {BZ_API_OLLAMA_EMBED, "Ollama embed"},
    {BZ_API_OLLAMA_EMBEDDINGS, "Ollama embeddings"},
    {BZ_API_OLLAMA_SHOW, "Ollama show"},
    {BZ_API_LLAMA_COMPLETION, "llama.cpp completion"},
    {BZ_API_LLAMA_INFILL, "llama.cpp infill"},
    {BZ_API_LLAMA_EMBEDDING, "llama.cpp embedding"},
    {BZ_API_RERANK, "Rerank"},
    {BZ_API_SCORE, "Score"},
    {BZ_API_TOKENIZE, "Tokenize"},
    {BZ_API_DETOKENIZE, "Detokenize"},
};

static const char head[] = "# Routes and parameters\n\n"
                           "Generated from the tables in `src/dialect` by `gen-routes`; a test "
                           "compares the two. What is not listed is\n"
                           "refused: an unknown path with 404, an unknown parameter with 400.\n\n"
                           "Who: **public** needs no key; **user** needs a key whose scope names "
                           "the route; **admin** needs an admin's;\n"
                           "**never** is refused for everybody.\n";

static const char middle[] =
    "\n# Parameters\n\n"
    "`null` means absent, unless a parameter is required. A refused parameter may be present with "
    "null, false or an\n"
    "empty value. Ranges that say \"the role's\" are set in `bartizan.yaml` under `roles: "
    "params:`.\n\n"
    "What the gateway writes into a request by itself:\n\n"
    "- the output limit (`max_tokens`, `max_output_tokens`, `n_predict`, `options.num_predict`) "
    "where the body names\n"
    "  none, or asks for no limit at all: the role's max_tokens. vLLM and other OpenAI servers "
    "refuse a limit that does\n"
    "  not fit beside the prompt and have their own default, so there it is written only for roles "
    "below 32768;\n"
    "- `stream_options.include_usage` in streams of chat and completions, for the token counts; "
    "the extra event is\n"
    "  taken out of the stream again;\n"
    "- `store: false` for the Responses API of vLLM and other OpenAI servers, which store by "
    "default.\n\n"
    "## Structures\n\n"
    "- **Content** is text or a list of parts. OpenAI chat: text, image_url, input_audio, file, "
    "refusal. Responses:\n"
    "  input_text, output_text, summary_text, reasoning_text, refusal, input_image, input_file. "
    "Anthropic: text, image,\n"
    "  document, search_result, tool_use, tool_result, thinking, redacted_thinking. Every other "
    "type is refused.\n"
    "- **Images** are inline base64: PNG, JPEG, GIF or WebP by their first bytes, at most the "
    "role's max_media_bytes,\n"
    "  16384 pixels a side and 67108864 in all. Addresses (http:, file:, file_id, file_url) never "
    "pass: the server\n"
    "  would fetch them. Documents are inline PDF or plain text, audio is WAV or MP3.\n"
    "- **Tools** are functions and custom tools that the client runs. What the server would run "
    "(mcp, web_search,\n"
    "  code_interpreter, computer, shell ...) is refused. Schemas have at most the role's "
    "max_grammar bytes.\n"
    "- **Schemas**: in each `pattern`, the places that may repeat or be left out (`?`, `*`, `+` "
    "and "
    "`{n}` count 1,\n"
    "  `{n,m}` 4), times the repetitions of its groups, are at most 64 unless the role has "
    "allow_grammar: servers turn\n"
    "  them into grammars.\n"
    "- **Responses input** is text or a list of message, function_call, function_call_output, "
    "reasoning,\n"
    "  custom_tool_call and custom_tool_call_output. References by id are refused.\n"
    "- **Roles** are written in lower case; Ollama would fold them.\n";

static const char *who(enum bz_access a) {
    switch (a) {
    case BZ_ACCESS_PUBLIC:
        return "public";
    case BZ_ACCESS_USER:
        return "user";
    case BZ_ACCESS_ADMIN:
        return "admin";
    case BZ_ACCESS_NEVER:
    case BZ_ACCESS_COUNT:
        break;
    }
    return "**never**";
}

static void put_routes(struct bz_buf *b, const char *name, const struct bz_route *r, size_t n) {
    bz_buf_printf(b, "\n## %s\n\n", name);
    bz_buf_puts(b,
                "| Method | Path | Who | Scope | Answered by | Why |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++, r++) {
        bool own = r->answer != BZ_ANSWER_BACKEND;
        bool never = r->access == BZ_ACCESS_NEVER;
        bz_buf_printf(b, "| %s | `%s` | %s | %s | %s | %s |\n", r->method, r->path, who(r->access),
                      never ? "" : r->scope,
                      never ? ""
                      : own ? "gateway"
                            : "server",
                      r->reason);
    }
}

void bz_dialect_write_docs(struct bz_buf *b) {
    size_t n;
    bz_buf_puts(b, head);
    for (unsigned s = 0; s < BZ_SERVER_COUNT; s++) {
        const struct bz_route *r = bz_route_table((enum bz_server)s, &n);
        put_routes(b, bz_server_name((enum bz_server)s), r, n);
    }
    const struct bz_route *mcp = bz_route_table_mcp(&n);
    put_routes(b, "MCP servers", mcp, n);
    bz_buf_puts(b, middle);
    for (size_t i = 0; i < sizeof apis / sizeof apis[0]; i++) {
        struct param_set set = bz_param_table(apis[i].api);
        bz_buf_printf(b, "\n## %s\n\n| Parameter | Server | Rule | Why |\n|---|---|---|---|\n",
                      apis[i].title);
        put_rows(b, &set, "", 3);
    }
}
