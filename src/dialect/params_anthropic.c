/* Anthropic Messages, as its own servers, llama.cpp, Ollama and vLLM speak it. */
#include "params.h"

#define WHY_HOSTED "the server would act by itself: search, run code, call other machines"
#define WHY_FILES "stored files are shared by everybody behind the gateway"
#define WHY_FETCH "the server would fetch it; send the data inline"

#define CACHE_ROW JSON("cache_control", ON_ALL, PARAM_SMALL_JSON)

static const struct variants result_blocks; /* search results hold blocks themselves */

/* ---- sources ---- */

static enum bz_status check_pdf(struct check *c, const struct at *at, const struct param *p,
                                struct bz_json *v) {
    (void)p;
    const char *why = "must be a string";
    if (bz_json_is(v, BZ_JSON_STRING))
        why = bz_media_why_not(v->val, MEDIA_PDF, c->lim->max_media_bytes);
    return why == NULL ? BZ_OK : bz_param_fail(c, at, v, 400, why, NULL);
}

static const struct param image_base64_rows[] = {
    TYPE,
    ENUM("media_type", ON_ALL, "image/jpeg|image/png|image/gif|image/webp"),
    {PARAM_NAMED("data"), .kind = K_FN, .on = ON_ALL, .fn = bz_check_base64_image,
     .flags = PARAM_REQUIRED},
};
static const struct param_set image_base64_set = PARAM_SET(image_base64_rows);
static const struct variant image_types[] = {
    {"base64", &image_base64_set, NULL},
    {"url", NULL, WHY_FETCH},
    {"file", NULL, WHY_FILES},
};
static const struct variants image_sources = VARIANTS(image_types);

static const struct param pdf_rows[] = {
    TYPE,
    ENUM("media_type", ON_ALL, "application/pdf"),
    {PARAM_NAMED("data"), .kind = K_FN, .on = ON_ALL, .fn = check_pdf, .flags = PARAM_REQUIRED},
};
static const struct param_set pdf_set = PARAM_SET(pdf_rows);
static const struct param plain_rows[] = {
    TYPE,
    ENUM("media_type", ON_ALL, "text/plain"),
    TEXT("data", ON_ALL),
};
static const struct param_set plain_set = PARAM_SET(plain_rows);
static const struct param content_source_rows[] = {TYPE,
                                                   TEXT_PARTS("content", ON_ALL, &result_blocks)};
static const struct param_set content_source_set = PARAM_SET(content_source_rows);
static const struct variant document_types[] = {
    {"base64", &pdf_set, NULL}, {"text", &plain_set, NULL}, {"content", &content_source_set, NULL},
    {"url", NULL, WHY_FETCH},   {"file", NULL, WHY_FILES},
};
static const struct variants document_sources = VARIANTS(document_types);

/* ---- blocks ---- */

static const struct param text_rows[] = {
    TYPE,
    {PARAM_NAMED("text"), .kind = K_TEXT, .on = ON_ALL, .hi = BZ_BODY_MAX, .flags = PARAM_REQUIRED},
    CACHE_ROW,
    JSON("citations", ON_ALL, 256 << 10),
};
static const struct param_set text_set = PARAM_SET(text_rows);
static const struct param image_rows[] = {
    TYPE,
    ONE_REQUIRED("source", ON_ALL, &image_sources),
    CACHE_ROW,
};
static const struct param_set image_set = PARAM_SET(image_rows);
static const struct param document_rows[] = {
    TYPE,
    ONE_REQUIRED("source", ON_ALL, &document_sources),
    TEXT("title", ON_ALL),
    TEXT("context", ON_ALL),
    CACHE_ROW,
    JSON("citations", ON_ALL, PARAM_SMALL_JSON),
};
static const struct param_set document_set = PARAM_SET(document_rows);
static const struct param tool_use_rows[] = {
    TYPE,
    STR("id", ON_ALL, PARAM_ID_MAX),
    TEXT("name", ON_ALL),
    JSON("input", ON_ALL, BZ_BODY_MAX),
    CACHE_ROW,
    JSON("caller", ON_ALL, PARAM_SMALL_JSON),
    STR("toolset_name", ON_ALL, PARAM_ID_MAX),
};
static const struct param_set tool_use_set = PARAM_SET(tool_use_rows);
static const struct param tool_result_rows[] = {
    TYPE,
    STR("tool_use_id", ON_ALL, PARAM_ID_MAX),
    TEXT_PARTS("content", ON_ALL, &result_blocks),
    BOOL("is_error", ON_ALL),
    CACHE_ROW,
    STR("toolset_name", ON_ALL, PARAM_ID_MAX),
};
static const struct param_set tool_result_set = PARAM_SET(tool_result_rows);
static const struct param thinking_rows[] = {
    TYPE,
    TEXT("thinking", ON_ALL),
    STR("signature", ON_ALL, BZ_BODY_MAX),
};
static const struct param_set thinking_set = PARAM_SET(thinking_rows);
static const struct param redacted_rows[] = {TYPE, STR("data", ON_ALL, BZ_BODY_MAX)};
static const struct param_set redacted_set = PARAM_SET(redacted_rows);
static const struct param search_rows[] = {
    TYPE,
    TEXT_PARTS("content", ON_ALL, &result_blocks),
    TEXT("source", ON_ALL),
    TEXT("title", ON_ALL),
    CACHE_ROW,
    JSON("citations", ON_ALL, PARAM_SMALL_JSON),
};
static const struct param_set search_set = PARAM_SET(search_rows);

#define TEXT_TYPE                                                                                  \
    { "text", &text_set, NULL }
#define RESULT_TYPES                                                                               \
    TEXT_TYPE, {"image", &image_set, NULL}, {"document", &document_set, NULL}, {                   \
        "search_result", &search_set, NULL                                                         \
    }

static const struct variant system_types[] = {TEXT_TYPE};
static const struct variants system_blocks = VARIANTS(system_types);
static const struct variant result_types[] = {RESULT_TYPES};
static const struct variants result_blocks = VARIANTS(result_types);
static const struct variant block_types[] = {
    RESULT_TYPES,
    {"tool_use", &tool_use_set, NULL},
    {"tool_result", &tool_result_set, NULL},
    {"thinking", &thinking_set, NULL},
    {"redacted_thinking", &redacted_set, NULL},
    {"server_tool_use", NULL, WHY_HOSTED},
    {"web_search_tool_result", NULL, WHY_HOSTED},
    {"web_fetch_tool_result", NULL, WHY_HOSTED},
    {"code_execution_tool_result", NULL, WHY_HOSTED},
    {"bash_code_execution_tool_result", NULL, WHY_HOSTED},
    {"text_editor_code_execution_tool_result", NULL, WHY_HOSTED},
    {"tool_search_tool_result", NULL, WHY_HOSTED},
    {"mcp_tool_use", NULL, WHY_HOSTED},
    {"mcp_tool_result", NULL, WHY_HOSTED},
    {"container_upload", NULL, WHY_FILES},
};
static const struct variants blocks = VARIANTS(block_types);

static const struct param message_rows[] = {
    {PARAM_NAMED("role"), .kind = K_ENUM, .on = ON_ALL, .words = "user|assistant|system",
     .flags = PARAM_REQUIRED},
    TEXT_PARTS_REQUIRED("content", ON_ALL, &blocks),
};
static const struct param_set message_set = PARAM_SET(message_rows);

/* ---- tools ---- */

static const struct param tool_rows[] = {
    TYPE,
    {PARAM_NAMED("name"), .kind = K_FN, .on = ON_ALL, .fn = bz_check_tool_name,
     .flags = PARAM_REQUIRED},
    TEXT("description", ON_ALL),
    FN("input_schema", ON_ALL, bz_check_schema),
    BOOL("strict", ON_ALL),
    BOOL("defer_loading", ON_ALL),
    BOOL("eager_input_streaming", ON_ALL),
    JSON("input_examples", ON_ALL, 64 << 10),
    CACHE_ROW,
    {PARAM_NAMED("allowed_callers"), .kind = K_ENUMS, .on = ON_ALL, .hi = 2, .words = "direct"},
};
static const struct param_set tool_set = PARAM_SET(tool_rows);
static const struct variant tool_types[] = {{"custom", &tool_set, NULL}};
static const struct variants tools = VARIANTS_OR(tool_types, "custom");

static enum bz_status check_tools(struct check *c, const struct at *at, const struct param *p,
                                  struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    uint32_t cap = c->lim->max_tools;
    if (!bz_json_is(v, BZ_JSON_ARRAY))
        return bz_param_fail(c, at, v, 400, "must be an array", NULL);
    if (v->count > cap)
        return bz_param_fail(c, at, v, cap == 0 ? 403 : 400, "too many tools", NULL);
    struct at here = {at, {NULL, 0}, 0};
    for (struct bz_json *k = v->first; k != NULL; k = k->next, here.index++) {
        /* Every other type is run by the server: bash, computer, web_search_20250305 ... */
        struct bz_view type = bz_json_str(bz_json_get(k, BZ_V("type")));
        if (type.n != 0 && !bz_view_eq(type, BZ_V("custom")))
            return bz_param_fail(c, &here, k, 403, WHY_HOSTED, "offer custom tools only");
        BZ_TRY(bz_param_variant(c, &here, &tools, k));
    }
    return BZ_OK;
}

static const struct param choice_rows[] = {TYPE, BOOL("disable_parallel_tool_use", ON_ALL)};
static const struct param_set choice_set = PARAM_SET(choice_rows);
static const struct param choice_tool_rows[] = {
    TYPE,
    BOOL("disable_parallel_tool_use", ON_ALL),
    {PARAM_NAMED("name"), .kind = K_FN, .on = ON_ALL, .fn = bz_check_tool_name,
     .flags = PARAM_REQUIRED},
};
static const struct param_set choice_tool_set = PARAM_SET(choice_tool_rows);
static const struct variant choice_types[] = {
    {"auto", &choice_set, NULL},
    {"any", &choice_set, NULL},
    {"none", &choice_set, NULL},
    {"tool", &choice_tool_set, NULL},
};
static const struct variants choices = VARIANTS(choice_types);

/* ---- the whole ---- */

static const struct param thinking_config_rows[] = {
    ENUM("type", ON_ALL, "enabled|disabled|adaptive|between_tools"),
    INT_CAP("budget_tokens", ON_ALL, 0, 1000000, CAP_TOKENS),
    ENUM("display", ON_ALL, "summarized|omitted"),
};
static const struct param_set thinking_config_set = PARAM_SET(thinking_config_rows);
static const struct param metadata_rows[] = {STR("user_id", ON_ALL, 512)};
static const struct param_set metadata_set = PARAM_SET(metadata_rows);
static const struct param format_rows[] = {
    ENUM("type", ON_ALL, "json_schema"),
    FN("schema", ON_ALL, bz_check_schema),
};
static const struct param_set format_set = PARAM_SET(format_rows);
static const struct param output_rows[] = {
    ENUM("effort", ON_ALL, "low|medium|high|xhigh|max"),
    OBJ("format", ON_ALL, &format_set),
};
static const struct param_set output_set = PARAM_SET(output_rows);

#define SHARED_ROWS                                                                                \
    {PARAM_NAMED("messages"), .kind = K_LIST,      .on = ON_ALL,           .hi = 1 << 20,          \
     .cap = CAP_MESSAGES,     .sub = &message_set, .flags = PARAM_REQUIRED},                       \
        FN("model", ON_ALL, bz_check_model), TEXT_PARTS("system", ON_ALL, &system_blocks),         \
        FN("tools", ON_ALL, check_tools), ONE("tool_choice", ON_ALL, &choices),                    \
        OBJ("thinking", ON_ALL, &thinking_config_set), CACHE_ROW,                                  \
        OBJ("output_config", ON_ALL, &output_set), OBJ("output_format", ON_ALL, &format_set),      \
        ENUM("speed", ON_ALL,                                                                      \
             "standard|fast"), /* takes parts of the screened text away, never adds any */         \
        JSON("context_management", ON_ALL, PARAM_SMALL_JSON),                                      \
        NO("mcp_servers", ON_ALL, WHY_HOSTED), NO("container", ON_ALL, WHY_HOSTED),                \
        NO("user_profile_id", ON_ALL, "the account behind the gateway's one key"),                 \
        NO("workspace_id", ON_ALL, "the account behind the gateway's one key")

static const struct param rows[] = {
    SHARED_ROWS,
    {PARAM_NAMED("max_tokens"), .kind = K_FN, .on = ON_ALL, .fn = bz_check_max_tokens,
     .flags = PARAM_REQUIRED},
    FN("stream", ON_ALL, bz_check_stream),
    FN("stop_sequences", ON_ALL, bz_check_stop),
    NUM("temperature", ON_ALL, 0, 2),
    INT("top_k", ON_ALL, 0, 1000000),
    NUM("top_p", ON_ALL, 0, 1),
    OBJ("metadata", ON_ALL, &metadata_set),
    ENUM("service_tier", ON_ALL, "auto|standard_only"),
    NO("inference_geo", ON_ALL, "the operator's choice"),
    NO("compaction", ON_ALL, "opaque history cannot be screened"),
    NO("diagnostics", ON_ALL, "the operator's choice"),
};
const struct param_set bz_params_messages = PARAM_SET(rows);

static const struct param count_rows[] = {SHARED_ROWS};
const struct param_set bz_params_count_tokens = PARAM_SET(count_rows);
