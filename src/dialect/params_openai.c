/* OpenAI chat, legacy completions and embeddings, with what llama.cpp, vLLM and Ollama add to them.
 */
#include "params.h"

/* ---- tools ---- */

enum bz_status bz_check_tool_name(struct check *c, const struct at *at, const struct param *p,
                                  struct bz_json *v) {
    (void)p;
    if (!bz_json_is(v, BZ_JSON_STRING) || v->val.n == 0 || v->val.n > PARAM_NAME_MAX)
        return bz_param_fail(c, at, v, 400, "must be a name of 1 to 128 characters", NULL);
    for (size_t i = 0; i < v->val.n; i++) {
        uint8_t b = v->val.p[i];
        bool good = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
                    b == '_' || b == '-' || b == '.' || b == ':' || b == '/';
        if (!good)
            return bz_param_fail(c, at, v, 400, "names consist of letters, digits and _-.:/", NULL);
    }
    c->facts->text_bytes += v->val.n;
    return BZ_OK;
}

#define NAME_ROW                                                                                   \
    {                                                                                              \
        PARAM_NAMED("name"), .kind = K_FN, .on = ON_ALL, .fn = bz_check_tool_name,                 \
                             .flags = PARAM_REQUIRED                                               \
    }

static const struct param function_rows[] = {
    NAME_ROW,
    TEXT("description", ON_ALL),
    FN("parameters", ON_ALL, bz_check_schema),
    BOOL("strict", ON_ALL),
    STR("type", ON_O, 32),
    BOOL("defer_loading", ON_V),
};
static const struct param_set function_set = PARAM_SET(function_rows);
static const struct param custom_rows[] = {
    NAME_ROW,
    TEXT("description", ON_ALL),
    FN_WHY("format", ON_ALL, bz_check_tool_format, "grammars only with the role's allow_grammar"),
};
static const struct param_set custom_set = PARAM_SET(custom_rows);
static const struct param tool_function_rows[] = {
    TYPE,
    {PARAM_NAMED("function"), .kind = K_OBJ, .on = ON_ALL, .sub = &function_set,
     .flags = PARAM_REQUIRED},
    BOOL("strict", ON_ALL),
    BOOL("defer_loading", ON_V),
    JSON("cache_control", ON_ALL, PARAM_SMALL_JSON),
};
static const struct param_set tool_function_set = PARAM_SET(tool_function_rows);
static const struct param tool_custom_rows[] = {
    TYPE,
    {PARAM_NAMED("custom"), .kind = K_OBJ, .on = ON_ALL, .sub = &custom_set,
     .flags = PARAM_REQUIRED},
};
static const struct param_set tool_custom_set = PARAM_SET(tool_custom_rows);
static const struct variant tool_types[] = {
    {"function", &tool_function_set, NULL},
    {"custom", &tool_custom_set, NULL},
    {"mcp", NULL, "the server would call out to another machine"},
    {"web_search", NULL, "the server would call out to another machine"},
    {"code_interpreter", NULL, "the server would run code"},
};
static const struct variants tools = VARIANTS_OR(tool_types, "function");

enum bz_status bz_check_tools(struct check *c, const struct at *at, const struct param *p,
                              struct bz_json *v) {
    (void)p;
    return bz_param_variants(c, at, &tools, c->lim->max_tools, "too many tools", v);
}

static const struct param named_rows[] = {NAME_ROW};
static const struct param_set named_set = PARAM_SET(named_rows);
static const struct param allowed_rows[] = {
    ENUM("mode", ON_ALL, "auto|required"),
    JSON("tools", ON_ALL, 64 << 10),
};
static const struct param_set allowed_set = PARAM_SET(allowed_rows);
static const struct param choice_function_rows[] = {TYPE, OBJ("function", ON_ALL, &named_set)};
static const struct param_set choice_function_set = PARAM_SET(choice_function_rows);
static const struct param choice_custom_rows[] = {TYPE, OBJ("custom", ON_ALL, &named_set)};
static const struct param_set choice_custom_set = PARAM_SET(choice_custom_rows);
static const struct param choice_allowed_rows[] = {TYPE,
                                                   OBJ("allowed_tools", ON_ALL, &allowed_set)};
static const struct param_set choice_allowed_set = PARAM_SET(choice_allowed_rows);
static const struct variant choice_types[] = {
    {"function", &choice_function_set, NULL},
    {"custom", &choice_custom_set, NULL},
    {"allowed_tools", &choice_allowed_set, NULL},
};
static const struct variants choices = VARIANTS(choice_types);

enum bz_status bz_check_tool_choice(struct check *c, const struct at *at, const struct param *p,
                                    struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_STRING))
        return bz_param_variant(c, at, &choices, v);
    if (bz_param_word("none|auto|required|any", v->val))
        return BZ_OK;
    return bz_param_fail(c, at, v, 400, "must be none, auto, required or an object", NULL);
}

enum bz_status bz_check_function_call(struct check *c, const struct at *at, const struct param *p,
                                      struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL ||
        (bz_json_is(v, BZ_JSON_STRING) && bz_param_word("none|auto", v->val)))
        return BZ_OK;
    return bz_param_object(c, at, &named_set, v);
}

enum bz_status bz_check_functions(struct check *c, const struct at *at, const struct param *p,
                                  struct bz_json *v) {
    (void)p;
    struct param row = {
        .kind = K_LIST, .on = ON_ALL, .hi = 1024, .cap = CAP_TOOLS, .sub = &function_set};
    return bz_param_value(c, at, &row, v);
}

/* ---- output format ---- */

static const struct param schema_rows[] = {
    STR("name", ON_ALL, PARAM_NAME_MAX),
    TEXT("description", ON_ALL),
    FN("schema", ON_ALL, bz_check_schema),
    BOOL("strict", ON_ALL),
};
static const struct param_set schema_set = PARAM_SET(schema_rows);
static const struct param format_rows[] = {TYPE};
static const struct param_set format_set = PARAM_SET(format_rows);
static const struct param format_object_rows[] = {TYPE, FN("schema", ON_L, bz_check_schema)};
static const struct param_set format_object_set = PARAM_SET(format_object_rows);
static const struct param format_schema_rows[] = {
    TYPE,
    OBJ("json_schema", ON_ALL, &schema_set),
    FN("schema", ON_L, bz_check_schema),
};
static const struct param_set format_schema_set = PARAM_SET(format_schema_rows);
static const struct variant format_types[] = {
    {"text", &format_set, NULL},
    {"json_object", &format_object_set, NULL},
    {"json_schema", &format_schema_set, NULL},
    {"structural_tag", NULL, "only json_schema and json_object pass"},
};
static const struct variants formats = VARIANTS(format_types);

enum bz_status bz_check_response_format(struct check *c, const struct at *at, const struct param *p,
                                        struct bz_json *v) {
    (void)p;
    return v->type == BZ_JSON_NULL ? BZ_OK : bz_param_variant(c, at, &formats, v);
}

static const struct param structured_rows[] = {
    FN("json", ON_V, bz_check_schema_or_text),
    RAW_TEXT("regex", ON_V),
    RAW_TEXT("grammar", ON_V),
    {PARAM_NAMED("choice"), .kind = K_STRS, .on = ON_V, .hi = 256},
    BOOL("json_object", ON_V),
    BOOL("disable_any_whitespace", ON_V),
    BOOL("disable_additional_properties", ON_V),
    {PARAM_NAMED("whitespace_pattern"), .kind = K_STR, .on = ON_V, .hi = 64, .cap = CAP_RAW,
     .why = WHY_RAW, .fix = FIX_RAW},
    NO("structural_tag", ON_V, "only json, regex, grammar and choice pass"),
};
const struct param_set bz_params_structured = PARAM_SET(structured_rows);

/* ---- messages ---- */

static const struct param part_text_rows[] = {
    TYPE,
    {PARAM_NAMED("text"), .kind = K_TEXT, .on = ON_ALL, .hi = BZ_BODY_MAX, .flags = PARAM_REQUIRED},
    JSON("prompt_cache_breakpoint", ON_ALL, PARAM_SMALL_JSON),
    JSON("cache_control", ON_ALL, PARAM_SMALL_JSON),
    JSON("annotations", ON_ALL, 64 << 10),
};
static const struct param_set part_text_set = PARAM_SET(part_text_rows);
static const struct param image_url_rows[] = {
    {PARAM_NAMED("url"), .kind = K_FN, .on = ON_ALL, .fn = bz_check_data_url,
     .flags = PARAM_REQUIRED},
    ENUM("detail", ON_ALL, "auto|low|high|original"),
};
static const struct param_set image_url_set = PARAM_SET(image_url_rows);

static enum bz_status check_image_url(struct check *c, const struct at *at, const struct param *p,
                                      struct bz_json *v) {
    if (bz_json_is(v, BZ_JSON_STRING))
        return bz_check_data_url(c, at, p, v);
    return bz_param_object(c, at, &image_url_set, v);
}

static enum bz_status check_audio_data(struct check *c, const struct at *at, const struct param *p,
                                       struct bz_json *v) {
    (void)p;
    const char *why = "must be a string";
    if (bz_json_is(v, BZ_JSON_STRING))
        why = bz_media_why_not(v->val, MEDIA_AUDIO, c->lim->max_media_bytes);
    return why == NULL ? BZ_OK : bz_param_fail(c, at, v, 400, why, NULL);
}

static const struct param part_image_rows[] = {
    TYPE,
    {PARAM_NAMED("image_url"), .kind = K_FN, .on = ON_ALL, .fn = check_image_url,
     .flags = PARAM_REQUIRED},
    JSON("prompt_cache_breakpoint", ON_ALL, PARAM_SMALL_JSON),
    JSON("cache_control", ON_ALL, PARAM_SMALL_JSON),
    NO("uuid", ON_V, "names another user's cached image"),
};
static const struct param_set part_image_set = PARAM_SET(part_image_rows);
static const struct param audio_rows[] = {
    {PARAM_NAMED("data"), .kind = K_FN, .on = ON_ALL, .fn = check_audio_data,
     .flags = PARAM_REQUIRED},
    ENUM("format", ON_ALL, "wav|mp3"),
};
static const struct param_set audio_set = PARAM_SET(audio_rows);
static const struct param part_audio_rows[] = {
    TYPE,
    OBJ("input_audio", ON_ALL, &audio_set),
    JSON("prompt_cache_breakpoint", ON_ALL, PARAM_SMALL_JSON),
};
static const struct param_set part_audio_set = PARAM_SET(part_audio_rows);
static const struct param file_rows[] = {
    TEXT("filename", ON_ALL),
    FN("file_data", ON_ALL, bz_check_file_data),
    NO("file_id", ON_ALL, "stored files are shared by everybody behind the gateway"),
    NO("file_url", ON_ALL, "the server would fetch it; send the data inline"),
};
static const struct param_set file_set = PARAM_SET(file_rows);
static const struct param part_file_rows[] = {
    TYPE,
    OBJ("file", ON_ALL, &file_set),
    JSON("prompt_cache_breakpoint", ON_ALL, PARAM_SMALL_JSON),
};
static const struct param_set part_file_set = PARAM_SET(part_file_rows);
static const struct param part_refusal_rows[] = {TYPE, TEXT("refusal", ON_ALL)};
static const struct param_set part_refusal_set = PARAM_SET(part_refusal_rows);

#define WHY_FETCH "the server would fetch or decode hostile media; send images as data: URLs"
static const struct variant part_types[] = {
    {"text", &part_text_set, NULL},
    {"image_url", &part_image_set, NULL},
    {"input_audio", &part_audio_set, NULL},
    {"file", &part_file_set, NULL},
    {"refusal", &part_refusal_set, NULL},
    {"video_url", NULL, WHY_FETCH},
    {"audio_url", NULL, WHY_FETCH},
    {"input_video", NULL, WHY_FETCH},
    {"image_embeds", NULL, "embeddings cannot be screened"},
    {"audio_embeds", NULL, "embeddings cannot be screened"},
    {"prompt_embeds", NULL, "embeddings cannot be screened"},
};
static const struct variants parts = VARIANTS(part_types);

static enum bz_status check_arguments(struct check *c, const struct at *at, const struct param *p,
                                      struct bz_json *v) {
    (void)p;
    if (bz_json_is(v, BZ_JSON_STRING))
        return bz_param_text(c, at, v);
    if (v->type != BZ_JSON_NULL && !bz_json_is(v, BZ_JSON_OBJECT))
        return bz_param_fail(c, at, v, 400, "must be JSON text", NULL);
    c->facts->text_bytes += bz_param_weight(v);
    return BZ_OK;
}

static const struct param called_rows[] = {
    TEXT("name", ON_ALL),
    FN("arguments", ON_ALL, check_arguments),
    /* the SDK's parse helpers leave it in the message that is sent back */
    JSON("parsed_arguments", ON_ALL, BZ_BODY_MAX),
};
static const struct param_set called_set = PARAM_SET(called_rows);
static const struct param called_custom_rows[] = {TEXT("name", ON_ALL), TEXT("input", ON_ALL)};
static const struct param_set called_custom_set = PARAM_SET(called_custom_rows);
static const struct param call_rows[] = {
    STR("id", ON_ALL, PARAM_ID_MAX),           ENUM("type", ON_ALL, "function|custom"),
    INT("index", ON_ALL, 0, PARAM_CALLS_MAX),  OBJ("function", ON_ALL, &called_set),
    OBJ("custom", ON_ALL, &called_custom_set), JSON("extra_content", ON_P, 64 << 10),
};
static const struct param_set call_set = PARAM_SET(call_rows);

static const struct param message_rows[] = {
    {PARAM_NAMED("role"), .kind = K_ENUM, .on = ON_ALL, .flags = PARAM_REQUIRED,
     .words = "system|developer|user|assistant|tool|function"},
    TEXT_PARTS("content", ON_ALL, &parts),
    TEXT("name", ON_ALL),
    TEXT("refusal", ON_ALL),
    TEXT("reasoning_content", ON_ALL),
    TEXT("reasoning", ON_ALL),
    STR("tool_call_id", ON_ALL, PARAM_ID_MAX),
    {PARAM_NAMED("tool_calls"), .kind = K_LIST, .on = ON_ALL, .hi = PARAM_CALLS_MAX,
     .sub = &call_set},
    OBJ("function_call", ON_ALL, &called_set),
    JSON("annotations", ON_ALL, 64 << 10),
    JSON("parsed", ON_ALL, BZ_BODY_MAX),
    JSON("cache_control", ON_ALL, PARAM_SMALL_JSON),
    NO("audio", ON_ALL, "stored audio is named by id only"),
};
static const struct param_set message_set = PARAM_SET(message_rows);

enum bz_status bz_check_chat_messages(struct check *c, const struct at *at, const struct param *p,
                                      struct bz_json *v) {
    (void)p;
    if (!bz_json_is(v, BZ_JSON_ARRAY) || v->count == 0)
        return bz_param_fail(c, at, v, 400, "must be an array with at least one message", NULL);
    struct param row = {
        .kind = K_LIST, .on = ON_ALL, .hi = 1 << 20, .cap = CAP_MESSAGES, .sub = &message_set};
    return bz_param_value(c, at, &row, v);
}

/* ---- other members of chat ---- */

enum bz_status bz_check_template_kwargs(struct check *c, const struct at *at, const struct param *p,
                                        struct bz_json *v) {
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_OBJECT))
        return bz_param_fail(c, at, v, 400, "must be an object", NULL);
    for (const struct bz_json *k = v->first; k != NULL; k = k->next) {
        struct at here = {at, k->key, 0};
        bool flag = bz_param_word("enable_thinking|thinking", k->key) &&
                    (bz_json_is(k, BZ_JSON_TRUE) || bz_json_is(k, BZ_JSON_FALSE));
        bool effort = bz_param_word("reasoning_effort", k->key) && bz_json_is(k, BZ_JSON_STRING) &&
                      bz_param_word("none|minimal|low|medium|high|xhigh|max", k->val);
        if (!flag && !effort)
            return bz_param_fail(c, &here, k, 403, p->why, p->fix);
    }
    return BZ_OK;
}

enum bz_status bz_check_documents(struct check *c, const struct at *at, const struct param *p,
                                  struct bz_json *v) {
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_ARRAY))
        return bz_param_fail(c, at, v, 400, "must be an array", NULL);
    if (v->count > c->lim->max_inputs)
        return bz_param_fail(c, at, v, 400, "too many items", NULL);
    struct at here = {at, {NULL, 0}, 0};
    for (struct bz_json *k = v->first; k != NULL; k = k->next, here.index++)
        BZ_TRY(bz_check_string_map(c, &here, p, k));
    return BZ_OK;
}

enum bz_status bz_check_logprobs_flag(struct check *c, const struct at *at, const struct param *p,
                                      struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL || bz_json_is(v, BZ_JSON_FALSE))
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_TRUE))
        return bz_param_fail(c, at, v, 400, "must be true or false", NULL);
    if (c->lim->max_logprobs == 0)
        return bz_param_fail(c, at, v, 403, "not allowed for this role", NULL);
    return BZ_OK;
}

static const struct param prediction_rows[] = {TYPE, TEXT_PARTS("content", ON_ALL, &parts)};
static const struct param_set prediction_set = PARAM_SET(prediction_rows);
static const struct param stream_rows[] = {
    FN("include_usage", ON_ALL, bz_check_usage_flag),
    BOOL("include_obfuscation", ON_ALL),
    BOOL("continuous_usage_stats", ON_V),
};
static const struct param_set stream_set = PARAM_SET(stream_rows);
static const struct param reasoning_rows[] = {
    ENUM("effort", ON_ALL, "none|minimal|low|medium|high|xhigh|max"),
};
static const struct param_set reasoning_set = PARAM_SET(reasoning_rows);

#define WHY_TEMPLATE "a template from outside runs in the server (CVE-2025-62426 and its kin)"
#define TEMPLATE_ROWS                                                                              \
    NO("chat_template", ON_L | ON_V | ON_P | ON_O, WHY_TEMPLATE),                                  \
        FN_WHY("chat_template_kwargs", ON_L | ON_V | ON_P, bz_check_template_kwargs,               \
               "arguments reach the template: only enable_thinking, thinking, reasoning_effort "   \
               "pass"),                                                                            \
        {PARAM_NAMED("add_generation_prompt"), .kind = K_TRUE, .on = ON_L | ON_V, .cap = CAP_ECHO, \
         .why = "assistant prefill is not allowed for this role"},                                 \
    {                                                                                              \
        PARAM_NAMED("continue_final_message"),                                                     \
            .kind = K_FALSE, .on = ON_L | ON_V, .cap = CAP_ECHO,                                   \
            .why = "assistant prefill is not allowed for this role"                                \
    }
#define ECHO_ROW                                                                                   \
    {                                                                                              \
        PARAM_NAMED("echo"), .kind = K_FALSE, .on = ON_ALL, .cap = CAP_ECHO,                       \
                             .why = "returning the prompt is not allowed for this role"            \
    }

static const struct param chat_rows[] = {
    {PARAM_NAMED("messages"), .kind = K_FN, .on = ON_ALL, .fn = bz_check_chat_messages,
     .flags = PARAM_REQUIRED},
    FN("model", ON_ALL, bz_check_model),
    SAMPLING_ROWS,
    FN("max_tokens", ON_ALL, bz_check_max_tokens),
    FN("max_completion_tokens", ON_ALL, bz_check_max_tokens),
    FN("n_predict", ON_L, bz_check_max_tokens),
    INT_CAP("n", ON_ALL, 1, 16384, CAP_CHOICES),
    INT_CAP("n_cmpl", ON_L, 1, 16384, CAP_CHOICES),
    OBJ("stream_options", ON_ALL, &stream_set),
    FN("tools", ON_ALL, bz_check_tools),
    FN("tool_choice", ON_ALL, bz_check_tool_choice),
    BOOL("parallel_tool_calls", ON_ALL),
    FN("functions", ON_ALL, bz_check_functions),
    FN("function_call", ON_ALL, bz_check_function_call),
    FN("response_format", ON_ALL, bz_check_response_format),
    FN("logprobs", ON_ALL, bz_check_logprobs_flag),
    INT_CAP("top_logprobs", ON_ALL, 0, 1000, CAP_LOGPROBS),
    ENUM("reasoning_effort", ON_ALL, "none|minimal|low|medium|high|xhigh|max"),
    OBJ("reasoning", ON_O | ON_P, &reasoning_set),
    BOOL("include_reasoning", ON_V),
    ENUM("verbosity", ON_ALL, "low|medium|high"),
    {PARAM_NAMED("modalities"), .kind = K_ENUMS, .on = ON_ALL, .hi = 4, .words = "text"},
    OBJ("prediction", ON_ALL, &prediction_set),
    OPENAI_ROWS,
    ONLY_FALSE("store", ON_ALL, "stored conversations are shared by everybody behind the gateway"),
    NO("audio", ON_ALL, "spoken answers cannot be screened"),
    NO("web_search_options", ON_ALL, "the server would call out to another machine"),
    TEMPLATE_ROWS,
    ECHO_ROW,
    FN("documents", ON_V, bz_check_documents),
    ONLY_FALSE("return_assistant_tokens_mask", ON_V, "for render routes only"),
    ONLY_FALSE("_debug_render_only", ON_O, "returns the rendered prompt"),
    LLAMA_ROWS,
    VLLM_ROWS,
};
const struct param_set bz_params_chat = PARAM_SET_REQUIRED_FIRST(chat_rows, 1);

/* ---- completions ---- */

static enum bz_status token_prompt(struct check *c, const struct at *at, const struct bz_json *v) {
    int64_t id;
    for (const struct bz_json *k = v->first; k != NULL; k = k->next) {
        if (bz_json_i64(k, &id) != BZ_OK || id < 0 || id > UINT32_MAX)
            return bz_param_fail(c, at, k, 400, "must be text or token ids", NULL);
    }
    if (v->count > PARAM_TOKEN_LIST_MAX)
        return bz_param_fail(c, at, v, 400, "too many token ids", NULL);
    if (!c->lim->allow_token_prompts)
        return bz_param_fail(c, at, v, 403, "token ids cannot be screened as text",
                             "send the text itself");
    c->facts->text_bytes += (uint64_t)v->count * 4;
    return BZ_OK;
}

static enum bz_status one_prompt(struct check *c, const struct at *at, const struct bz_json *v) {
    if (bz_json_is(v, BZ_JSON_ARRAY))
        return token_prompt(c, at, v);
    if (bz_json_is(v, BZ_JSON_OBJECT))
        return bz_param_fail(c, at, v, 403, "only plain text can be screened here",
                             "send a string");
    return bz_param_text(c, at, v);
}

/* A string, a list of strings, token ids, or a list of token-id lists. */
enum bz_status bz_check_input(struct check *c, const struct at *at, const struct param *p,
                              struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_ARRAY))
        return one_prompt(c, at, v);
    if (bz_json_is(v->first, BZ_JSON_NUMBER))
        return token_prompt(c, at, v);
    uint32_t cap = c->lim->max_inputs;
    if (v->count > cap)
        return bz_param_fail(c, at, v, cap == 0 ? 403 : 400, "too many inputs", NULL);
    struct at here = {at, {NULL, 0}, 0};
    for (const struct bz_json *k = v->first; k != NULL; k = k->next, here.index++)
        BZ_TRY(one_prompt(c, &here, k));
    return BZ_OK;
}

enum bz_status bz_check_prompt(struct check *c, const struct at *at, const struct param *p,
                               struct bz_json *v) {
    BZ_TRY(bz_check_input(c, at, p, v));
    bool list = bz_json_is(v, BZ_JSON_ARRAY) && !bz_json_is(v->first, BZ_JSON_NUMBER);
    c->prompts = list ? v->count : 1;
    return BZ_OK;
}

static const struct param completions_rows[] = {
    FN("prompt", ON_ALL, bz_check_prompt),
    FN("model", ON_ALL, bz_check_model),
    SAMPLING_ROWS,
    FN("max_tokens", ON_ALL, bz_check_max_tokens),
    FN("n_predict", ON_L, bz_check_max_tokens),
    FN("max_completion_tokens", ON_L, bz_check_max_tokens),
    INT_CAP("n", ON_ALL, 1, 16384, CAP_CHOICES),
    INT_CAP("n_cmpl", ON_L, 1, 16384, CAP_CHOICES),
    INT_CAP("best_of", ON_ALL, 1, 16384, CAP_CHOICES),
    INT_CAP("logprobs", ON_ALL, 0, 1000, CAP_LOGPROBS),
    TEXT("suffix", ON_ALL),
    ECHO_ROW,
    OBJ("stream_options", ON_ALL, &stream_set),
    OPENAI_ROWS,
    FN("response_format", ON_V, bz_check_response_format),
    ONLY_FALSE("store", ON_ALL, "stored texts are shared by everybody behind the gateway"),
    ONLY_FALSE("_debug_render_only", ON_O, "returns the rendered prompt"),
    LLAMA_ROWS,
    VLLM_ROWS,
};
const struct param_set bz_params_completions = PARAM_SET_REQUIRED_FIRST(completions_rows, 0);

/* ---- embeddings ---- */

static const struct param embeddings_rows[] = {
    FN("input", ON_ALL, bz_check_input),
    FN("model", ON_ALL, bz_check_model),
    INT("dimensions", ON_ALL, 1, 65536),
    ENUM("encoding_format", ON_ALL, "float|base64"),
    STR("user", ON_ALL, PARAM_ID_MAX),
    INT("embd_normalize", ON_L, -1, 1000),
    INT("truncate_prompt_tokens", ON_V, -1, 1000000),
    BOOL("add_special_tokens", ON_V),
    BOOL("normalize", ON_V),
    ENUM("embed_dtype", ON_V, "float32|float16|bfloat16"),
    ENUM("endianness", ON_V, "native|big|little"),
    INT("priority", ON_V, 0, 0),
    STR("cache_salt", ON_V, PARAM_ID_MAX),
    NO("request_id", ON_V, "ids are the gateway's"),
    NO_FIX("messages", ON_V, "chat messages are not screened here", "send the text as input"),
    NO("chat_template", ON_V, WHY_TEMPLATE),
    NO("chat_template_kwargs", ON_V, WHY_TEMPLATE),
    NO("mm_processor_kwargs", ON_V, "steers media decoders"),
    NO("media_io_kwargs", ON_V, "steers media decoders"),
    /* Cohere's form, /v2/embed */
    FN("texts", ON_V, bz_check_texts),
    STR("input_type", ON_V, 64),
    {PARAM_NAMED("embedding_types"), .kind = K_ENUMS, .on = ON_V, .hi = 8,
     .words = "float|int8|uint8|binary|ubinary|base64"},
    ENUM("truncate", ON_V, "NONE|START|END"),
    INT("output_dimension", ON_V, 1, 65536),
    INT("max_tokens", ON_V, 1, 1000000),
    NO("images", ON_V, "send the text only"),
    NO("inputs", ON_V, "send the text only"),
};
const struct param_set bz_params_embeddings = PARAM_SET(embeddings_rows);
