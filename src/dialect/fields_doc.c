/* docs/FIELDS.md from the tables. */
#include "fields_rows.h"

static const char *const channel_names[CH_COUNT] = {
    [CH_CONTENT] = "content",
    [CH_REASONING] = "reasoning",
    [CH_REASONING_CONTENT] = "reasoning_content",
    [CH_REASONING_DETAILS] = "reasoning_details",
    [CH_REFUSAL] = "refusal",
    [CH_ARGUMENTS] = "arguments",
    [CH_FUNCTION_CALL] = "function_call",
    [CH_INPUT] = "input",
    [CH_CODE] = "code",
    [CH_SUMMARY] = "summary",
    [CH_TRANSCRIPT] = "transcript",
};

static void put_when(struct bz_buf *out, const char *when) {
    bz_buf_puts(out, when == NULL ? "" : "type is ");
    for (const char *c = when; c != NULL && *c != '\0'; c++) {
        if (*c == '|')
            bz_buf_puts(out, ", ");
        else
            bz_buf_putc(out, (uint8_t)*c);
    }
}

static void put_field(struct bz_buf *out, const char *path, const struct field_row *r) {
    const struct bz_field *f = &r->f;
    const char *channel = channel_names[f->channel];
    bool silent =
        f->kind == BZ_FIELD_DATA || f->kind == BZ_FIELD_REPEAT || f->kind == BZ_FIELD_MEDIA;
    bz_buf_printf(out, "| `%s` | ", path);
    if (f->kind != FIELD_ONLY_BELOW)
        bz_buf_printf(out, "%s%s%s", bz_field_kind_name(f->kind),
                      f->facts       ? ": strings"
                      : f->tool_name ? ": a tool's name"
                                     : "",
                      r->numbers ? " or token ids" : "");
    if (r->below != NULL && r->below->name != NULL)
        bz_buf_printf(out, "%s%s", f->kind == FIELD_ONLY_BELOW ? "" : " or ", r->below->name);
    bz_buf_puts(out, " | ");
    if (!silent && f->kind != FIELD_ONLY_BELOW)
        bz_buf_printf(out, "%s%s", f->by_role ? "role, else " : "", bz_speaker_name(f->speaker));
    bz_buf_printf(out, " | %s | ", channel == NULL ? "" : channel);
    put_when(out, f->when);
    bz_buf_puts(out, " |\n");
}

static void put_row(struct bz_buf *out, const char *prefix, const struct field_row *r) {
    char path[240];
    struct bz_buf b;
    bool many = r->list || (r->f.kind == BZ_FIELD_TEXT && r->below != NULL);
    bz_buf_init_fixed(&b, path, sizeof path - 1);
    bz_buf_printf(&b, "%s%s%s%s", prefix, *prefix == '\0' || *r->f.name == '\0' ? "" : ".",
                  r->f.name, many ? "[]" : "");
    if (r->f.kind == BZ_FIELD_JSON)
        bz_buf_puts(&b, *r->f.name == '\0' ? "*" : ".*");
    path[b.n] = '\0';
    bool named = r->below != NULL && r->below->name != NULL && *path != '\0';
    if (r->f.kind != FIELD_ONLY_BELOW || named)
        put_field(out, path, r);
    for (size_t i = 0; r->below != NULL && !named && i < r->below->n; i++)
        put_row(out, path, &r->below->rows[i]);
}

static void put_table(struct bz_buf *out) {
    bz_buf_puts(out,
                "\n| Field | Kind | Speaker | Channel | Only where |\n|---|---|---|---|---|\n");
}

static const char head[] =
    "# Where text is\n\n"
    "Generated from the tables in `src/dialect` by `gen-fields`; a test compares the two. What is "
    "not listed is refused or,\n"
    "where `bartizan.yaml` says so, screened as text. `null` is always fine.\n\n"
    "- **text** is a string or a list of strings; **json text** is JSON in a string; **json** is "
    "any JSON: every key, string\n"
    "  and number below is screened. **json: strings** holds a server's numbers: only strings "
    "below are screened.\n"
    "- **repeat** says other text again in pieces (logprobs, token ids) and is cleared when that "
    "text is changed.\n"
    "- **media** is base64; in answers, what is no base64 is screened as text. **data** is ids, "
    "words of a list, numbers and\n"
    "  flags.\n"
    "- Numbers, flags and words of a list in requests are data, too; [ROUTES.md](ROUTES.md) lists "
    "them.\n"
    "- The speaker is who says it. **role**: the message's role says so.\n"
    "- Texts of one channel and one index are pieces of one text: they are read together, however "
    "a stream cuts them.\n"
    "- `[]` stands for one or many. What is listed within itself (documents in documents) is "
    "listed once.\n";

static const struct {
    const char *title;
    enum bz_api api;
} apis[] = {
    {"OpenAI chat completions", BZ_API_CHAT},
    {"OpenAI completions", BZ_API_COMPLETIONS},
    {"OpenAI responses", BZ_API_RESPONSES},
    {"Embeddings, OpenAI's and llama.cpp's", BZ_API_EMBEDDINGS},
    {"Anthropic messages", BZ_API_MESSAGES},
    {"Token counts", BZ_API_COUNT_TOKENS},
    {"Ollama: chat, generate, embed", BZ_API_OLLAMA_CHAT},
    {"Ollama show", BZ_API_OLLAMA_SHOW},
    {"llama.cpp: completion, infill", BZ_API_LLAMA_COMPLETION},
    {"Rerank, score", BZ_API_RERANK},
    {"Tokenize, detokenize", BZ_API_TOKENIZE},
    {"MCP messages", BZ_API_MCP},
    {"Everything else", BZ_API_OPAQUE},
};

static const struct field_set *const shared[] = {
    &bz_fields_chat_message, &bz_fields_chat_part, &bz_fields_tools,
    &bz_fields_response,     &bz_fields_item,      &bz_fields_part,
    &bz_fields_block,        &bz_fields_message,   &bz_fields_ollama_message,
};

static void put_api(struct bz_buf *out, enum bz_api api) {
    static const char *const titles[BZ_WHERE_COUNT] = {"Request", "Reply", "Event of a stream"};
    struct bz_route route = {.scope = "", .api = api};
    const struct field_row *roots[BZ_WHERE_COUNT];
    for (unsigned w = 0; w < BZ_WHERE_COUNT; w++)
        roots[w] = bz_fields_table(&route, (enum bz_where)w).root;
    for (unsigned w = 0; w < BZ_WHERE_COUNT; w++) {
        if (roots[w] == NULL || (w > 0 && roots[w] == roots[w - 1]))
            continue; /* one table for both */
        bz_buf_printf(out, "\n### %s%s\n", titles[w],
                      w == BZ_WHERE_REPLY && roots[w] == roots[w + 1] ? ", or event of a stream"
                                                                      : "");
        put_table(out);
        put_row(out, "", roots[w]);
    }
}

void bz_fields_write_docs(struct bz_buf *out) {
    bz_buf_puts(out, head);
    for (size_t i = 0; i < sizeof apis / sizeof apis[0]; i++) {
        bz_buf_printf(out, "\n## %s\n", apis[i].title);
        put_api(out, apis[i].api);
    }
    bz_buf_puts(out, "\n# Structures\n");
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
        bz_buf_printf(out, "\n## %s\n", shared[i]->name);
        put_table(out);
        for (size_t k = 0; k < shared[i]->n; k++)
            put_row(out, "", &shared[i]->rows[k]);
    }
}
