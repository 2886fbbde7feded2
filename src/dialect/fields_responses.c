/* OpenAI Responses. The same text comes three or four times in one stream: as deltas, when a part
 * is done, when its item is done, and in the last event. All of them are fields. */
#include "fields_rows.h"

static const struct field_row part_rows[] = {
    DATA("type"),
    {FIELD("text", BZ_FIELD_TEXT, REASONING), .f.when = "reasoning_text|summary_text"},
    {FIELD("text", BZ_FIELD_TEXT, USER), .f.by_role = true},
    JSON("annotations", DOCUMENT),
    REPEATS("logprobs"),
    TEXT("refusal", ASSISTANT),
    MEDIA("image_url"),
    DATA("detail"),
    MEDIA("file_data"),
    TEXT("filename", DOCUMENT),
    TEXT("file_id", META),
    TEXT("file_url", META),
    JSON("parsed", ASSISTANT),
    JSON("prompt_cache_breakpoint", META),
    TEXT("transcript", ASSISTANT),
};
const struct field_set bz_fields_part = FIELD_SET_OF(part_rows, .name = "Content part");

/* Input and output alike. Calls of tools that the server runs are only met in replies. */
static const struct field_row item_rows[] = {
    DATA("type"),
    TEXT("id", META), /* in requests the client's own */
    DATA("status"),
    DATA("role"),
    SAID("content", USER, &bz_fields_part),
    DATA("phase"),
    TOOL_CALLED("name"),
    JSON_TEXT("arguments", ASSISTANT),
    TEXT("call_id", META),
    PARTS("output", TOOL, &bz_fields_part),
    PARTS("summary", REASONING, &bz_fields_part),
    TEXT("encrypted_content", REASONING),
    TEXT("input", ASSISTANT),
    JSON("parsed_arguments", ASSISTANT),
    TEXT("namespace", META),
    JSON("caller", META),
    DATA("created_by"),
    JSON("action", ASSISTANT),
    JSON("actions", ASSISTANT),
    JSON("operation", ASSISTANT),
    TEXTS("queries", ASSISTANT),
    TEXT("code", ASSISTANT),
    JSON("results", TOOL),
    JSON("outputs", TOOL),
    MEDIA("result"), /* a generated image; text of other tools is none and is looked at */
    TEXT("revised_prompt", ASSISTANT),
    TEXT("server_label", META),
    JSON("tools", SCHEMA),
    TEXT("reason", META),
    JSON("error", TOOL),
    JSON("environment", META),
    FACTS("pending_safety_checks"),
    TEXT("container_id", META),
    TEXT("approval_request_id", META),
    DATA("approve"),
    DATA("max_output_length"),
    DATA("background"),
    DATA("output_format"),
    DATA("quality"),
    DATA("size"),
    DATA("execution"),
};
const struct field_set bz_fields_item = FIELD_SET_OF(item_rows, .role = true, .name = "Item");

/* ---- requests ---- */

static const struct field_row tool_rows[] = {
    DATA("type"),
    TOOL_OFFERED("name"),
    TEXT("description", SCHEMA),
    JSON("parameters", SCHEMA),
    DATA("strict"),
    JSON("output_schema", SCHEMA),
    DATA("defer_loading"),
    DATA("allowed_callers"),
    JSON("format", SCHEMA),
};
static const struct field_set tool = FIELD_SET(tool_rows);

static const struct field_row request_rows[] = {
    PARTS("input", USER, &bz_fields_item),
    PARTS("instructions", SYSTEM, &bz_fields_item),
    DATA("max_output_tokens"),
    SAMPLING_FIELDS,
    LIST("tools", &tool),
    JSON("tool_choice", SCHEMA),
    JSON("text", SCHEMA),
    FACTS("reasoning"),
    TEXT("personality", META),
    CALLER_ROWS,
};
static const struct field_set request = FIELD_SET(request_rows);
const struct field_row bz_fields_responses_request = OBJ("", &request);

/* ---- replies ---- */

static const struct field_row reply_rows[] = {
    DATA("id"),
    DATA("object"),
    DATA("created_at"),
    DATA("completed_at"),
    DATA("status"),
    DATA("background"),
    FACTS("billing"),
    JSON("error", META),
    FACTS("incomplete_details"),
    PARTS("instructions", SYSTEM, &bz_fields_item),
    DATA("max_output_tokens"),
    DATA("max_tool_calls"),
    DATA("model"),
    LIST("output", &bz_fields_item),
    TEXT("output_text", ASSISTANT),
    DATA("parallel_tool_calls"),
    DATA("previous_response_id"),
    TEXT("prompt_cache_key", META),
    DATA("prompt_cache_retention"),
    JSON("prompt_cache_options", META),
    FACTS("reasoning"),
    TEXT("safety_identifier", META),
    DATA("service_tier"),
    DATA("store"),
    DATA("temperature"),
    JSON("text", SCHEMA),
    JSON("tool_choice", SCHEMA),
    JSON("tools", SCHEMA),
    DATA("top_logprobs"),
    DATA("top_p"),
    DATA("truncation"),
    FACTS("usage"),
    TEXT("user", META),
    JSON("metadata", META),
    FACTS("timings"),
    DATA("presence_penalty"),
    DATA("frequency_penalty"),
    DATA("top_k"),
    DATA("min_p"),
    DATA("seed"),
    JSON("prompt", META),
    JSON("conversation", META),
    JSON("moderation", META),
    JSON("input", USER),
    JSON("input_messages", USER),
    JSON("output_messages", ASSISTANT),
    FACTS("kv_transfer_params"),
};
const struct field_set bz_fields_response = FIELD_SET_OF(reply_rows, .name = "Response");
const struct field_row bz_fields_responses_reply = OBJ("", &bz_fields_response);

/* ---- events ---- */

static const struct field_row event_rows[] = {
    DATA("type"),
    DATA("sequence_number"),
    DATA("item_id"),
    DATA("output_index"),
    DATA("content_index"),
    DELTA_WHEN("delta", ASSISTANT, CH_CONTENT, "response.output_text.delta"),
    {FIELD("delta", BZ_FIELD_JSON_TEXT, ASSISTANT), .f.channel = CH_ARGUMENTS,
     .f.when = "response.function_call_arguments.delta|response.mcp_call_arguments.delta"},
    DELTA_WHEN("delta", REASONING, CH_REASONING,
               "response.reasoning_text.delta|response.reasoning.delta"),
    DELTA_WHEN("delta", REASONING, CH_SUMMARY,
               "response.reasoning_summary_text.delta|response.reasoning_summary.delta"),
    DELTA_WHEN("delta", ASSISTANT, CH_REFUSAL, "response.refusal.delta"),
    DELTA_WHEN("delta", ASSISTANT, CH_INPUT, "response.custom_tool_call_input.delta"),
    DELTA_WHEN(
        "delta", ASSISTANT, CH_CODE,
        "response.code_interpreter_call_code.delta|response.code_interpreter_call.code.delta"),
    DELTA_WHEN("delta", ASSISTANT, CH_TRANSCRIPT, "response.audio.transcript.delta"),
    {FIELD("delta", BZ_FIELD_MEDIA, META), .f.when = "response.audio.delta"},
    REPEATS("logprobs"),
    DATA("obfuscation"),
    {FIELD("text", BZ_FIELD_TEXT, REASONING),
     .f.when = "response.reasoning_text.done|response.reasoning_summary_text.done"},
    TEXT("text", ASSISTANT),
    OBJ("part", &bz_fields_part),
    OBJ("item", &bz_fields_item),
    OBJ("response", &bz_fields_response),
    JSON_TEXT("arguments", ASSISTANT),
    TOOL_CALLED("name"),
    TEXT("refusal", ASSISTANT),
    TEXT("input", ASSISTANT),
    TEXT("code", ASSISTANT),
    DATA("summary_index"),
    JSON("annotation", DOCUMENT),
    DATA("annotation_index"),
    FACTS("timings"),
    DATA("status"),
    MEDIA("partial_image_b64"),
    DATA("partial_image_index"),
    DATA("output_format"),
    DATA("quality"),
    DATA("size"),
    DATA("background"),
    TEXT("call_id", META),
    JSON("error", META),
    TEXT("message", META),
    TEXT("param", META),
};
static const struct field_set event = FIELD_SET_OF(event_rows, .index = INDEX_ITEM);
const struct field_row bz_fields_responses_event = OBJ("", &event);

static const struct {
    const char *type;
    enum channel ends; /* CH_NONE: every channel of the item */
} dones[] = {
    {"response.output_text.done", CH_CONTENT},
    {"response.content_part.done", CH_CONTENT},
    {"response.output_item.done", CH_NONE},
    {"response.function_call_arguments.done", CH_ARGUMENTS},
    {"response.mcp_call_arguments.done", CH_ARGUMENTS},
    {"response.reasoning_text.done", CH_REASONING},
    {"response.reasoning_summary_text.done", CH_SUMMARY},
    {"response.reasoning_summary_part.done", CH_SUMMARY},
    {"response.refusal.done", CH_REFUSAL},
    {"response.custom_tool_call_input.done", CH_INPUT},
    {"response.code_interpreter_call_code.done", CH_CODE},
    {"response.audio.transcript.done", CH_TRANSCRIPT},
};

/* The done event of a channel; of an item, for all of its channels; the last event, for all. */
void bz_fields_ends_responses(struct field_walk *k, const struct bz_json *root) {
    struct bz_view type = bz_json_str(bz_json_get(root, BZ_V("type")));
    if (bz_fields_word("response.completed|response.incomplete|response.failed|response.cancelled",
                       type)) {
        bz_fields_end(k, 0, 0);
        return;
    }
    if (type.n < 5 || memcmp(type.p + type.n - 5, ".done", 5) != 0)
        return;
    for (size_t i = 0; i < sizeof dones / sizeof dones[0]; i++) {
        uint64_t choice = 0, number = 0;
        if (!bz_view_eq(type, bz_view_str(dones[i].type)) ||
            !bz_fields_index(INDEX_ITEM, root, 0, &choice, &number))
            continue;
        choice <<= CHANNEL_BITS;
        if (dones[i].ends == CH_NONE)
            bz_fields_end(k, choice, CHANNEL_CHOICE);
        else
            bz_fields_end(k, (uint64_t)dones[i].ends << 56 | choice | number, UINT64_MAX);
        return;
    }
}
