/* Anthropic Messages, and its token count. */
#include "fields_rows.h"

static const struct field_row source_rows[] = {
    DATA("type"),
    DATA("media_type"),
    {FIELD("data", BZ_FIELD_TEXT, DOCUMENT), .f.when = "text"},
    MEDIA("data"),
    PARTS("content", DOCUMENT, &bz_fields_block),
    TEXT("url", META),
    TEXT("file_id", META),
};
static const struct field_set source = FIELD_SET(source_rows);

/* Of every type but what streams piece by piece: text, thinking and their kin. What a server sealed
 * (signature, data) a client sends back, and nobody here can tell whether it is the same: it is
 * text. */
#define BLOCK_ROWS                                                                                 \
    DATA("type"), TEXT("id", META), TOOL_CALLED("name"), JSON("input", ASSISTANT),                 \
        JSON("citations", DOCUMENT), TEXT("signature", REASONING), TEXT("tool_use_id", META),      \
        PARTS("source", DOCUMENT, &source),                                                        \
        {FIELD("content", BZ_FIELD_TEXT, DOCUMENT), .below = &bz_fields_block,                     \
         .f.when = "search_result|web_search_tool_result|web_fetch_tool_result"},                  \
        PARTS("content", TOOL, &bz_fields_block), DATA("is_error"), JSON("cache_control", META),   \
        TEXT("title", DOCUMENT), TEXT("context", DOCUMENT), TEXT("data", REASONING),               \
        JSON("caller", META), TEXT("toolset_name", META), TEXT("url", DOCUMENT),                   \
        TEXT("page_age", DOCUMENT), TEXT("retrieved_at", DOCUMENT),                                \
        TEXT("encrypted_content", DOCUMENT), DATA("error_code"), TEXT("stdout", TOOL),             \
        TEXT("stderr", TOOL), DATA("return_code"), TEXT("file_id", META),                          \
        TEXT("server_name", META)

static const struct field_row block_rows[] = {
    {FIELD("text", BZ_FIELD_TEXT, USER), .f.by_role = true},
    TEXT("thinking", REASONING),
    BLOCK_ROWS,
};
const struct field_set bz_fields_block = FIELD_SET_OF(block_rows, .name = "Block");

static const struct field_row message_rows[] = {DATA("role"),
                                                SAID("content", USER, &bz_fields_block)};
static const struct field_set message = FIELD_SET_OF(message_rows, .role = true);

/* ---- requests ---- */

static const struct field_row tool_rows[] = {
    DATA("type"),
    TOOL_OFFERED("name"),
    TEXT("description", SCHEMA),
    JSON("input_schema", SCHEMA),
    JSON("input_examples", SCHEMA),
    DATA("strict"),
    DATA("defer_loading"),
    DATA("eager_input_streaming"),
    JSON("cache_control", META),
    DATA("allowed_callers"),
};
static const struct field_set tool = FIELD_SET(tool_rows);

static const struct field_row request_rows[] = {
    DATA("model"),
    LIST("messages", &message),
    PARTS("system", SYSTEM, &bz_fields_block),
    LIST("tools", &tool),
    JSON("tool_choice", SCHEMA),
    DATA("max_tokens"),
    DATA("stream"),
    TEXTS("stop_sequences", META),
    JSON("metadata", META),
    FACTS("thinking"),
    JSON("output_config", SCHEMA),
    JSON("output_format", SCHEMA),
    JSON("cache_control", META),
    JSON("context_management", META),
};
static const struct field_set request = FIELD_SET(request_rows);
const struct field_row bz_fields_messages_request = OBJ("", &request);

/* ---- replies ---- */

#define STOP_ROWS                                                                                  \
    DATA("stop_reason"), TEXT("stop_sequence", META), JSON("stop_details", META), FACTS("container")

static const struct field_row reply_rows[] = {
    DATA("id"),           DATA("type"),
    DATA("role"),         PARTS("content", ASSISTANT, &bz_fields_block),
    DATA("model"),        STOP_ROWS,
    FACTS("usage"),       JSON("context_management", META),
    FACTS("diagnostics"), FACTS("timings"),
    JSON("error", META),  REPEATS("token_ids"),
};
const struct field_set bz_fields_message = FIELD_SET_OF(reply_rows, .name = "Message");
const struct field_row bz_fields_messages_reply = OBJ("", &bz_fields_message);

/* ---- events ---- */

static const struct field_row block_start_rows[] = {
    DELTA("text", ASSISTANT, CH_CONTENT),
    DELTA("thinking", REASONING, CH_REASONING),
    BLOCK_ROWS,
};
static const struct field_set block_start = FIELD_SET(block_start_rows);
static const struct field_row delta_rows[] = {
    DATA("type"),
    DELTA("text", ASSISTANT, CH_CONTENT),
    DELTA_JSON("partial_json", ASSISTANT, CH_ARGUMENTS),
    DELTA("thinking", REASONING, CH_REASONING),
    DATA("signature"),
    JSON("citation", DOCUMENT),
    STOP_ROWS,
};
static const struct field_set delta = FIELD_SET(delta_rows);
static const struct field_row event_rows[] = {
    DATA("type"),
    DATA("index"),
    OBJ("delta", &delta),
    OBJ("content_block", &block_start),
    OBJ("message", &bz_fields_message),
    FACTS("usage"),
    JSON("context_management", META),
    FACTS("timings"),
    JSON("error", META),
};
static const struct field_set event = FIELD_SET_OF(event_rows, .index = INDEX_CHOICE);
const struct field_row bz_fields_messages_event = OBJ("", &event);

void bz_fields_ends_anthropic(struct field_walk *k, const struct bz_json *root) {
    struct bz_view type = bz_json_str(bz_json_get(root, BZ_V("type")));
    uint64_t block = 0, part = 0;
    if (bz_view_eq(type, BZ_V("message_stop")))
        bz_fields_end(k, 0, 0);
    else if (bz_view_eq(type, BZ_V("content_block_stop")) &&
             bz_fields_index(INDEX_CHOICE, root, 0, &block, &part))
        bz_fields_end(k, block << CHANNEL_BITS, CHANNEL_CHOICE);
}

static const struct field_row count_rows[] = {
    DATA("input_tokens"),
    DATA("object"),
    FACTS("context_management"),
};
static const struct field_set count = FIELD_SET(count_rows);
const struct field_row bz_fields_count_reply = OBJ("", &count);
