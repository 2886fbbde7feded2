/* OpenAI Responses. What the API would keep on the server (previous_response_id, conversation,
 * stored prompts and files) is named by an id alone, and an id is no identity: such members never
 * pass. */
#include "params.h"

#define WHY_ID "an id is the only identity of what is stored: it could be another user's"
#define WHY_HOSTED "the server would act by itself: search, run code, call other machines"

/* ---- content parts ---- */

/* Clients send an answer back with the tokens that came with it. They say the text again, in pieces
 * that cannot be screened, and no server reads them: they are left out. */
static enum bz_status drop_logprobs(struct check *c, const struct at *at, const struct param *p,
                                    struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_ARRAY))
        return bz_param_fail(c, at, v, 400, "must be an array", NULL);
    v->first = NULL;
    v->count = 0;
    return BZ_OK;
}

static const struct param text_rows[] = {
    TYPE,
    {PARAM_NAMED("text"), .kind = K_TEXT, .on = ON_ALL, .hi = BZ_BODY_MAX, .flags = PARAM_REQUIRED},
    JSON("annotations", ON_ALL, 256 << 10),
    FN_WHY("logprobs", ON_ALL, drop_logprobs,
           "left out: they repeat the text and nobody reads them"),
    JSON("prompt_cache_breakpoint", ON_ALL, PARAM_SMALL_JSON),
    JSON("parsed", ON_ALL, BZ_BODY_MAX),
};
static const struct param_set text_set = PARAM_SET(text_rows);
static const struct param refusal_rows[] = {TYPE, TEXT("refusal", ON_ALL)};
static const struct param_set refusal_set = PARAM_SET(refusal_rows);
static const struct param image_rows[] = {
    TYPE,
    ENUM("detail", ON_ALL, "low|high|auto|original"),
    FN("image_url", ON_ALL, bz_check_data_url),
    NO("file_id", ON_ALL, WHY_ID),
    JSON("prompt_cache_breakpoint", ON_ALL, PARAM_SMALL_JSON),
};
static const struct param_set image_set = PARAM_SET(image_rows);
static const struct param file_rows[] = {
    TYPE,
    TEXT("filename", ON_ALL),
    FN("file_data", ON_ALL, bz_check_file_data),
    ENUM("detail", ON_ALL, "auto|low|high"),
    NO("file_id", ON_ALL, WHY_ID),
    NO_FIX("file_url", ON_ALL, "the server would fetch it", "send the data inline"),
    JSON("prompt_cache_breakpoint", ON_ALL, PARAM_SMALL_JSON),
};
static const struct param_set file_set = PARAM_SET(file_rows);

static const struct variant part_types[] = {
    {"input_text", &text_set, NULL},
    {"output_text", &text_set, NULL},
    {"text", &text_set, NULL},
    {"summary_text", &text_set, NULL},
    {"reasoning_text", &text_set, NULL},
    {"refusal", &refusal_set, NULL},
    {"input_image", &image_set, NULL},
    {"input_file", &file_set, NULL},
    {"input_audio", NULL, "spoken input cannot be screened here"},
};
static const struct variants parts = VARIANTS(part_types);

/* ---- input items ---- */

#define ITEM_ROWS                                                                                  \
    TYPE, STR("id", ON_ALL, PARAM_ID_MAX),                                                         \
        ENUM("status", ON_ALL, "in_progress|completed|incomplete"),                                \
        JSON("caller", ON_ALL, PARAM_SMALL_JSON), STR("namespace", ON_ALL, PARAM_ID_MAX)

static const struct param message_rows[] = {
    ITEM_ROWS,
    {PARAM_NAMED("role"), .kind = K_ENUM, .on = ON_ALL, .flags = PARAM_REQUIRED,
     .words = "user|assistant|system|developer"},
    TEXT_PARTS_REQUIRED("content", ON_ALL, &parts),
    ENUM("phase", ON_ALL, "commentary|final_answer"),
};
static const struct param_set message_set = PARAM_SET(message_rows);
static const struct param call_rows[] = {
    ITEM_ROWS,
    STR("call_id", ON_ALL, PARAM_ID_MAX),
    TEXT("name", ON_ALL),
    TEXT("arguments", ON_ALL),
    JSON("parsed_arguments", ON_ALL, BZ_BODY_MAX),
};
static const struct param_set call_set = PARAM_SET(call_rows);
static const struct param output_rows[] = {
    ITEM_ROWS,
    STR("call_id", ON_ALL, PARAM_ID_MAX),
    TEXT_PARTS_REQUIRED("output", ON_ALL, &parts),
};
static const struct param_set output_set = PARAM_SET(output_rows);
static const struct param custom_call_rows[] = {
    ITEM_ROWS,
    STR("call_id", ON_ALL, PARAM_ID_MAX),
    TEXT("name", ON_ALL),
    TEXT("input", ON_ALL),
};
static const struct param_set custom_call_set = PARAM_SET(custom_call_rows);
static const struct param reasoning_item_rows[] = {
    ITEM_ROWS,
    MANY("summary", ON_ALL, &parts),
    MANY("content", ON_ALL, &parts),
    /* Opaque to us as it is to the client: the server that made it checks its seal. */
    TEXT("encrypted_content", ON_ALL),
};
static const struct param_set reasoning_item_set = PARAM_SET(reasoning_item_rows);

static const struct variant item_types[] = {
    {"message", &message_set, NULL},
    {"function_call", &call_set, NULL},
    {"function_call_output", &output_set, NULL},
    {"reasoning", &reasoning_item_set, NULL},
    {"custom_tool_call", &custom_call_set, NULL},
    {"custom_tool_call_output", &output_set, NULL},
    {"item_reference", NULL, WHY_ID},
    {"web_search_call", NULL, WHY_HOSTED},
    {"file_search_call", NULL, WHY_HOSTED},
    {"computer_call", NULL, WHY_HOSTED},
    {"computer_call_output", NULL, WHY_HOSTED},
    {"image_generation_call", NULL, WHY_HOSTED},
    {"code_interpreter_call", NULL, WHY_HOSTED},
    {"local_shell_call", NULL, WHY_HOSTED},
    {"local_shell_call_output", NULL, WHY_HOSTED},
    {"shell_call", NULL, WHY_HOSTED},
    {"shell_call_output", NULL, WHY_HOSTED},
    {"apply_patch_call", NULL, WHY_HOSTED},
    {"apply_patch_call_output", NULL, WHY_HOSTED},
    {"mcp_list_tools", NULL, WHY_HOSTED},
    {"mcp_approval_request", NULL, WHY_HOSTED},
    {"mcp_approval_response", NULL, WHY_HOSTED},
    {"mcp_call", NULL, WHY_HOSTED},
    {"compaction", NULL, "opaque history cannot be screened"},
};
/* {"role","content"} without a type is a message: every server reads it so. */
static const struct variants items = VARIANTS_OR(item_types, "message");

static enum bz_status check_items(struct check *c, const struct at *at, const struct param *p,
                                  struct bz_json *v) {
    (void)p;
    if (bz_json_is(v, BZ_JSON_STRING))
        return bz_param_text(c, at, v);
    return bz_param_variants(c, at, &items, c->lim->max_messages, "too many items", v);
}

/* ---- tools ---- */

#define NAME_ROW                                                                                   \
    {                                                                                              \
        PARAM_NAMED("name"), .kind = K_FN, .on = ON_ALL, .fn = bz_check_tool_name,                 \
                             .flags = PARAM_REQUIRED                                               \
    }

static const struct param function_rows[] = {
    TYPE,
    NAME_ROW,
    TEXT("description", ON_ALL),
    FN("parameters", ON_ALL, bz_check_schema),
    FN("output_schema", ON_ALL, bz_check_schema),
    BOOL("strict", ON_ALL),
    BOOL("defer_loading", ON_ALL),
    {PARAM_NAMED("allowed_callers"), .kind = K_ENUMS, .on = ON_ALL, .hi = 2, .words = "direct"},
};
static const struct param_set function_set = PARAM_SET(function_rows);
static const struct param custom_rows[] = {
    TYPE,
    NAME_ROW,
    TEXT("description", ON_ALL),
    BOOL("defer_loading", ON_ALL),
    FN_WHY("format", ON_ALL, bz_check_tool_format, "grammars only with the role's allow_grammar"),
};
static const struct param_set custom_set = PARAM_SET(custom_rows);
static const struct variant tool_types[] = {
    {"function", &function_set, NULL},
    {"custom", &custom_set, NULL},
    {"mcp", NULL, WHY_HOSTED},
    {"web_search", NULL, WHY_HOSTED},
    {"web_search_preview", NULL, WHY_HOSTED},
    {"file_search", NULL, WHY_HOSTED},
    {"code_interpreter", NULL, WHY_HOSTED},
    {"image_generation", NULL, WHY_HOSTED},
    {"computer", NULL, WHY_HOSTED},
    {"computer_use_preview", NULL, WHY_HOSTED},
    {"local_shell", NULL, WHY_HOSTED},
    {"shell", NULL, WHY_HOSTED},
    {"apply_patch", NULL, WHY_HOSTED},
    {"tool_search", NULL, WHY_HOSTED},
    {"namespace", NULL, WHY_HOSTED},
};
static const struct variants tools = VARIANTS(tool_types);

static enum bz_status check_tools(struct check *c, const struct at *at, const struct param *p,
                                  struct bz_json *v) {
    (void)p;
    return bz_param_variants(c, at, &tools, c->lim->max_tools, "too many tools", v);
}

static const struct param choice_rows[] = {TYPE, NAME_ROW};
static const struct param_set choice_set = PARAM_SET(choice_rows);
static const struct param allowed_rows[] = {
    TYPE,
    ENUM("mode", ON_ALL, "auto|required"),
    JSON("tools", ON_ALL, 64 << 10),
};
static const struct param_set allowed_set = PARAM_SET(allowed_rows);
static const struct variant choice_types[] = {
    {"function", &choice_set, NULL},
    {"custom", &choice_set, NULL},
    {"allowed_tools", &allowed_set, NULL},
};
static const struct variants choices = VARIANTS(choice_types);

static enum bz_status check_choice(struct check *c, const struct at *at, const struct param *p,
                                   struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL ||
        (bz_json_is(v, BZ_JSON_STRING) && bz_param_word("none|auto|required", v->val)))
        return BZ_OK;
    return bz_param_variant(c, at, &choices, v);
}

/* ---- text.format, reasoning, the whole ---- */

static const struct param format_rows[] = {TYPE};
static const struct param_set format_set = PARAM_SET(format_rows);
static const struct param format_schema_rows[] = {
    TYPE,
    STR("name", ON_ALL, PARAM_NAME_MAX),
    TEXT("description", ON_ALL),
    FN("schema", ON_ALL, bz_check_schema),
    BOOL("strict", ON_ALL),
};
static const struct param_set format_schema_set = PARAM_SET(format_schema_rows);
static const struct variant format_types[] = {
    {"text", &format_set, NULL},
    {"json_object", &format_set, NULL},
    {"json_schema", &format_schema_set, NULL},
};
static const struct variants formats = VARIANTS(format_types);

static const struct param output_text_rows[] = {
    ONE("format", ON_ALL, &formats),
    ENUM("verbosity", ON_ALL, "low|medium|high"),
};
static const struct param_set output_text_set = PARAM_SET(output_text_rows);
static const struct param reasoning_rows[] = {
    ENUM("effort", ON_ALL, "none|minimal|low|medium|high|xhigh|max"),
    ENUM("summary", ON_ALL, "auto|concise|detailed"),
    ENUM("generate_summary", ON_ALL, "auto|concise|detailed"),
    ENUM("context", ON_ALL, "auto|current_turn|all_turns"),
    ENUM("mode", ON_ALL, "standard|pro"),
};
static const struct param_set reasoning_set = PARAM_SET(reasoning_rows);
static const struct param stream_rows[] = {BOOL("include_obfuscation", ON_ALL)};
static const struct param_set stream_set = PARAM_SET(stream_rows);

static const struct param rows[] = {
    FN("input", ON_ALL, check_items),
    FN("model", ON_ALL, bz_check_model),
    FN("stream", ON_ALL, bz_check_stream),
    TEXT("instructions", ON_ALL),
    FN("max_output_tokens", ON_ALL, bz_check_max_tokens),
    INT("max_tool_calls", ON_ALL, 0, 1000),
    NUM("temperature", ON_ALL, 0, 5),
    NUM("top_p", ON_ALL, 0, 1),
    INT_CAP("top_logprobs", ON_ALL, 0, 1000, CAP_LOGPROBS),
    FN("tools", ON_ALL, check_tools),
    FN("tool_choice", ON_ALL, check_choice),
    BOOL("parallel_tool_calls", ON_ALL),
    OBJ("text", ON_ALL, &output_text_set),
    OBJ("reasoning", ON_ALL, &reasoning_set),
    {PARAM_NAMED("include"), .kind = K_ENUMS, .on = ON_ALL, .hi = 8,
     .words = "reasoning.encrypted_content|message.output_text.logprobs|"
              "message.input_image.image_url"},
    ENUM("truncation", ON_ALL, "auto|disabled"),
    OBJ("stream_options", ON_ALL, &stream_set),
    OPENAI_ROWS,
    ONLY_FALSE("store", ON_ALL, "whoever learns the id of a stored response can read it"),
    ONLY_FALSE("background", ON_ALL, "a background response is stored and fetched by its id"),
    NO_FIX("previous_response_id", ON_ALL, WHY_ID, "send the history as input items"),
    NO_FIX("conversation", ON_ALL, WHY_ID, "send the history as input items"),
    NO_FIX("prompt", ON_ALL, WHY_ID, "send the prompt itself"),
    NO("context_management", ON_ALL, "opaque history cannot be screened"),
    STR("personality", ON_ALL, 64),
    /* vLLM: entrypoints/openai/responses */
    INT("top_k", ON_V | ON_P, -1, 1000000),
    NUM("min_p", ON_V | ON_P, 0, 1),
    NUM("repetition_penalty", ON_V, 0, 10),
    NUM("presence_penalty", ON_V, -2, 2),
    NUM("frequency_penalty", ON_V, -2, 2),
    FN("stop", ON_V, bz_check_stop),
    INT("seed", ON_V, -9007199254740991.0, 9007199254740991.0),
    BOOL("ignore_eos", ON_V),
    BOOL("include_stop_str_in_output", ON_V),
    BOOL("skip_special_tokens", ON_V),
    FN("logit_bias", ON_V, bz_check_logit_bias),
    INT("priority", ON_V, 0, 0),
    STR("cache_salt", ON_V, PARAM_ID_MAX),
    OBJ("structured_outputs", ON_V, &bz_params_structured),
    NO("request_id", ON_V, "ids are the gateway's"),
    NO("mm_processor_kwargs", ON_V, "steers media decoders"),
    NO("media_io_kwargs", ON_V, "steers media decoders"),
    NO("kv_transfer_params", ON_V, "reads and writes the cache of other requests"),
    NO("vllm_xargs", ON_V, "unchecked arguments"),
    NO("previous_input_messages", ON_V, "history around the screened input"),
    ONLY_FALSE("enable_response_messages", ON_V, "returns the rendered prompt"),
    NO("chat_template", ON_L | ON_V, "a template from outside runs in the server"),
    FN_WHY("chat_template_kwargs", ON_L | ON_V, bz_check_template_kwargs,
           "arguments reach the template: only enable_thinking, thinking, reasoning_effort pass"),
};
const struct param_set bz_params_responses = PARAM_SET(rows);
