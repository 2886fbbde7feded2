/* OpenAI chat, completions and embeddings, with what llama.cpp, Ollama and vLLM add to them. */
#include "fields_rows.h"

/* ---- messages ---- */

static const struct field_row image_url_rows[] = {MEDIA("url"), DATA("detail")};
static const struct field_set image_url = FIELD_SET(image_url_rows);
static const struct field_row input_audio_rows[] = {MEDIA("data"), DATA("format")};
static const struct field_set input_audio = FIELD_SET(input_audio_rows);
static const struct field_row file_rows[] = {
    TEXT("filename", DOCUMENT),
    MEDIA("file_data"),
    TEXT("file_id", META),
    TEXT("file_url", META),
};
static const struct field_set file = FIELD_SET(file_rows);

static const struct field_row thought_rows[] = {
    /* Mistral */
    DATA("type"),
    DELTA("text", REASONING, CH_REASONING),
    DATA("reference_ids"),
};
static const struct field_set thought = FIELD_SET(thought_rows);

static const struct field_row part_rows[] = {
    DATA("type"),
    {FIELD("text", BZ_FIELD_TEXT, USER), .f.by_role = true, .f.channel = CH_CONTENT},
    {FIELD("refusal", BZ_FIELD_TEXT, ASSISTANT), .f.channel = CH_REFUSAL},
    {FIELD("image_url", BZ_FIELD_MEDIA, META), .below = &image_url},
    OBJ("input_audio", &input_audio),
    OBJ("file", &file),
    JSON("annotations", DOCUMENT),
    JSON("cache_control", META),
    JSON("prompt_cache_breakpoint", META),
    TEXT("uuid", META),
    {FIELD("thinking", BZ_FIELD_TEXT, REASONING), .f.channel = CH_REASONING, .below = &thought},
    DATA("closed"),
    DATA("reference_ids"),
};
const struct field_set bz_fields_chat_part = FIELD_SET_OF(part_rows, .name = "Chat content part");

static const struct field_row called_rows[] = {
    TOOL_CALLED("name"),
    DELTA_JSON("arguments", ASSISTANT, CH_ARGUMENTS),
    JSON("parsed_arguments", ASSISTANT),
};
static const struct field_set called = FIELD_SET(called_rows);
static const struct field_row called_custom_rows[] = {
    TOOL_CALLED("name"),
    DELTA("input", ASSISTANT, CH_INPUT),
};
static const struct field_set called_custom = FIELD_SET(called_custom_rows);
static const struct field_row call_rows[] = {
    DATA("index"),
    TEXT("id", META), /* some servers take it from what the model wrote */
    DATA("type"),
    OBJ("function", &called),
    OBJ("custom", &called_custom),
    JSON("extra_content", META),
};
static const struct field_set call = FIELD_SET_OF(call_rows, .index = INDEX_PART);
static const struct field_row function_call_rows[] = {
    TOOL_CALLED("name"),
    DELTA_JSON("arguments", ASSISTANT, CH_FUNCTION_CALL),
    JSON("parsed_arguments", ASSISTANT),
};
static const struct field_set function_call = FIELD_SET(function_call_rows);

static const struct field_row audio_rows[] = {
    DATA("id"),
    MEDIA("data"),
    DELTA("transcript", ASSISTANT, CH_TRANSCRIPT),
    DATA("expires_at"),
};
static const struct field_set audio = FIELD_SET(audio_rows);
static const struct field_row reasoning_rows[] = {
    DATA("type"),
    DELTA("text", REASONING, CH_REASONING_DETAILS),
    DELTA("summary", REASONING, CH_SUMMARY),
    DATA("data"),
    DATA("signature"),
    DATA("id"),
    DATA("format"),
    DATA("index"),
};
static const struct field_set reasoning = FIELD_SET_OF(reasoning_rows, .index = INDEX_PART);

static const struct field_row image_rows[] = {
    DATA("type"),
    DATA("index"),
    {FIELD("image_url", BZ_FIELD_MEDIA, META), .below = &image_url},
};
static const struct field_set image = FIELD_SET(image_rows);

static const struct field_row message_rows[] = {
    DATA("role"),
    {FIELD("content", BZ_FIELD_TEXT, USER), .f.by_role = true, .f.channel = CH_CONTENT,
     .below = &bz_fields_chat_part},
    DELTA("reasoning_content", REASONING, CH_REASONING_CONTENT),
    DELTA("reasoning", REASONING, CH_REASONING),
    LIST("tool_calls", &call),
    {FIELD("refusal", BZ_FIELD_TEXT, ASSISTANT), .f.channel = CH_REFUSAL},
    TEXT("tool_call_id", META),
    TEXT("name", META),
    OBJ("function_call", &function_call),
    JSON("annotations", DOCUMENT),
    OBJ("audio", &audio),
    JSON("parsed", ASSISTANT),
    LIST("reasoning_details", &reasoning),
    LIST("images", &image),
    JSON("cache_control", META),
};
const struct field_set bz_fields_chat_message =
    FIELD_SET_OF(message_rows, .role = true, .name = "Chat message");

/* ---- tools ---- */

static const struct field_row function_rows[] = {
    TEXT("type", SCHEMA), /* any word passes there */
    TOOL_OFFERED("name"),       TEXT("description", SCHEMA), DATA("strict"),
    JSON("parameters", SCHEMA), DATA("defer_loading"),
};
static const struct field_set function = FIELD_SET(function_rows);
static const struct field_row custom_rows[] = {
    TOOL_OFFERED("name"),
    TEXT("description", SCHEMA),
    JSON("format", SCHEMA),
};
static const struct field_set custom = FIELD_SET(custom_rows);
static const struct field_row tool_rows[] = {
    DATA("type"),   OBJ("function", &function), OBJ("custom", &custom),
    DATA("strict"), DATA("defer_loading"),      JSON("cache_control", META),
};
const struct field_set bz_fields_tools = FIELD_SET_OF(tool_rows, .name = "Tool");

/* ---- requests ---- */

static const struct field_row prediction_rows[] = {
    TEXT("type", META), /* any word passes there */
    PARTS("content", ASSISTANT, &bz_fields_chat_part),
};
static const struct field_set prediction = FIELD_SET(prediction_rows);

static const struct field_row chat_rows[] = {
    LIST("messages", &bz_fields_chat_message),
    SAMPLING_FIELDS,
    LIST("tools", &bz_fields_tools),
    JSON("tool_choice", SCHEMA),
    LIST("functions", &function),
    JSON("function_call", SCHEMA),
    OBJ("prediction", &prediction),
    JSON("documents", DOCUMENT),
    FACTS("reasoning"),
    CALLER_ROWS,
};
static const struct field_set chat = FIELD_SET(chat_rows);
const struct field_row bz_fields_chat_request = OBJ("", &chat);

static const struct field_row completions_rows[] = {
    TEXT_OR_IDS("prompt", USER),
    TEXT("suffix", USER),
    SAMPLING_FIELDS,
    CALLER_ROWS,
};
static const struct field_set completions = FIELD_SET(completions_rows);
const struct field_row bz_fields_completions_request = OBJ("", &completions);

static const struct field_row embeddings_rows[] = {
    TEXT_OR_IDS("input", USER),   TEXTS("texts", USER),
    TEXT_OR_IDS("content", USER), DATA("model"),
    TEXT("user", META),           TEXT("cache_salt", META),
    TEXT("input_type", META),
};
static const struct field_set embeddings = FIELD_SET(embeddings_rows);
const struct field_row bz_fields_embeddings_request = OBJ("", &embeddings);

/* ---- replies and events ---- */

static const struct field_row choice_rows[] = {
    DATA("index"),
    OBJ("delta", &bz_fields_chat_message),
    OBJ("message", &bz_fields_chat_message),
    DELTA("text", ASSISTANT, CH_CONTENT),
    REPEAT("logprobs"),
    DATA("finish_reason"),
    TEXT_OR_IDS("stop_reason", META), /* vLLM: the stop word, or a token id */
    TEXT_OR_IDS("matched_stop", META),
    REPEAT("token_ids"),
    REPEAT("prompt_logprobs"),
    REPEAT("prompt_token_ids"),
    REPEAT("routed_experts"),
    DATA("native_finish_reason"),
    FACTS("content_filter_results"),
    REPEAT("hidden_states"),
    DATA("seed"),
    JSON("error", META),
};
static const struct field_set choice = FIELD_SET_OF(choice_rows, .index = INDEX_CHOICE);

static const struct field_row reply_rows[] = {
    LIST("choices", &choice),
    DATA("created"),
    DATA("id"),
    DATA("model"),
    DATA("system_fingerprint"),
    DATA("object"),
    FACTS("usage"),
    FACTS("timings"),
    FACTS("prompt_progress"),
    DATA("service_tier"),
    DATA("obfuscation"), /* OpenAI pads events with it to hide their length */
    REPEAT("prompt_logprobs"),
    REPEAT("prompt_token_ids"),
    TEXT("prompt_text", USER),
    FACTS("kv_transfer_params"),
    FACTS("metrics"),
    JSON("moderation", META),
    JSON("metadata", META),
    JSON("citations", DOCUMENT),
    FACTS("prompt_filter_results"),
    JSON("_debug_info", USER),
    DATA("provider"),
    /* servers that a backend of type openai may be: LM Studio, SGLang, Groq, Perplexity ... */
    FACTS("stats"),
    FACTS("model_info"),
    FACTS("runtime"),
    FACTS("sglext"),
    FACTS("nvext"),
    FACTS("x_groq"),
    FACTS("usage_breakdown"),
    FACTS("time_info"),
    DATA("num_sources_used"),
    JSON("search_results", DOCUMENT),
    TEXTS("related_questions", ASSISTANT),
    JSON("prompt", USER),
    JSON("error", META),
};
static const struct field_set reply = FIELD_SET(reply_rows);
const struct field_row bz_fields_openai_reply = OBJ("", &reply);

static const struct field_row vectors_rows[] = {
    DATA("float"), DATA("int8"), DATA("uint8"), DATA("binary"), DATA("ubinary"), DATA("base64"),
};
static const struct field_set vectors = FIELD_SET(vectors_rows);
#define EMBEDDING_ROWS DATA("object"), DATA("index"), DATA("embedding"), DATA("encoding_format")
static const struct field_row vector_rows[] = {EMBEDDING_ROWS};
static const struct field_set vector = FIELD_SET(vector_rows);
static const struct field_row embedding_rows[] = {
    EMBEDDING_ROWS, /* llama.cpp's own route answers with a list of these alone */
    LIST("data", &vector),
    DATA("model"),
    FACTS("usage"),
    DATA("id"),
    DATA("created"),
    {FIELD("embeddings", BZ_FIELD_DATA, META), .below = &vectors}, /* Cohere's form */
    TEXTS("texts", USER),
    DATA("response_type"),
    FACTS("meta"),
    FACTS("timings"),
    FACTS("metadata"),
    DATA("truncated"),
    DATA("tokens_evaluated"),
    JSON("error", META),
};
static const struct field_set embedding = FIELD_SET(embedding_rows);
const struct field_row bz_fields_embeddings_reply = OBJ("", &embedding);

/* A finish_reason ends every channel of its choice. */
void bz_fields_ends_openai(struct field_walk *k, const struct bz_json *root) {
    const struct bz_json *choices = bz_json_get(root, BZ_V("choices"));
    if (!bz_json_is(choices, BZ_JSON_ARRAY))
        return;
    uint64_t position = 0;
    for (const struct bz_json *c = choices->first; c != NULL; c = c->next, position++) {
        const struct bz_json *reason = bz_json_get(c, BZ_V("finish_reason"));
        uint64_t number = 0, part = 0;
        if (reason == NULL || reason->type == BZ_JSON_NULL ||
            !bz_fields_index(INDEX_CHOICE, c, position, &number, &part))
            continue;
        bz_fields_end(k, number << CHANNEL_BITS, CHANNEL_CHOICE);
    }
}
