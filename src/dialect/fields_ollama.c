/* Ollama's own API. One line of a stream looks like a whole reply. */
#include "fields_rows.h"

static const struct field_row called_rows[] = {
    TOOL_CALLED("name"),
    JSON("arguments", ASSISTANT),
    DATA("index"),
    TEXT("description", SCHEMA),
};
static const struct field_set called = FIELD_SET(called_rows);
static const struct field_row call_rows[] = {
    TEXT("id", META),
    DATA("type"),
    OBJ("function", &called),
};
static const struct field_set call = FIELD_SET(call_rows);
static const struct field_row message_rows[] = {
    DATA("role"),
    {FIELD("content", BZ_FIELD_TEXT, USER), .f.by_role = true, .f.channel = CH_CONTENT},
    DELTA("thinking", REASONING, CH_REASONING),
    LIST("tool_calls", &call),
    {FIELD("images", BZ_FIELD_MEDIA, META), .list = true},
    TEXT("tool_name", META),
    TEXT("tool_call_id", META),
};
const struct field_set bz_fields_ollama_message =
    FIELD_SET_OF(message_rows, .role = true, .name = "Ollama message");

/* Chat, generate, embed, embeddings, show. */
static const struct field_row request_rows[] = {
    DATA("model"),          LIST("messages", &bz_fields_ollama_message),
    TEXT("prompt", USER),   TEXT("suffix", USER),
    TEXT("system", SYSTEM), TEXTS("input", USER),
    DATA("stream"),         LIST("tools", &bz_fields_tools),
    JSON("format", SCHEMA), FACTS("options"),
    DATA("keep_alive"),     DATA("think"),
    DATA("logprobs"),       {FIELD("images", BZ_FIELD_MEDIA, META), .list = true},
};
static const struct field_set request = FIELD_SET(request_rows);
const struct field_row bz_fields_ollama_request = OBJ("", &request);

static const struct field_row reply_rows[] = {
    DATA("model"),
    DATA("created_at"),
    OBJ("message", &bz_fields_ollama_message),
    DELTA("response", ASSISTANT, CH_CONTENT),
    DELTA("thinking", REASONING, CH_REASONING),
    DATA("done"),
    DATA("done_reason"),
    DATA("total_duration"),
    DATA("load_duration"),
    DATA("prompt_eval_count"),
    DATA("prompt_eval_duration"),
    DATA("eval_count"),
    DATA("eval_duration"),
    LIST("tool_calls", &call),
    REPEATS("context"),
    REPEATS("logprobs"),
    DATA("embeddings"),
    DATA("embedding"),
    DATA("remote_model"),
    DATA("remote_host"),
    DATA("peak_memory"),
    MEDIA("image"),
    DATA("completed"),
    DATA("total"),
    JSON("_debug_info", USER),
    JSON("error", META),
};
static const struct field_set reply = FIELD_SET(reply_rows);
const struct field_row bz_fields_ollama_reply = OBJ("", &reply);

static const struct field_row show_rows[] = {
    TEXTS("license", DOCUMENT),
    TEXT("modelfile", SYSTEM),
    TEXT("parameters", META),
    TEXT("template", SYSTEM),
    TEXT("system", SYSTEM),
    TEXT("renderer", META),
    TEXT("parser", META),
    FACTS("details"),
    LIST("messages", &bz_fields_ollama_message),
    DATA("remote_model"),
    DATA("remote_host"),
    FACTS("model_info"),
    FACTS("projector_info"),
    FACTS("tensors"),
    DATA("capabilities"),
    DATA("modified_at"),
    DATA("requires"),
    JSON("error", META),
};
static const struct field_set show = FIELD_SET(show_rows);
const struct field_row bz_fields_ollama_show_reply = OBJ("", &show);

void bz_fields_ends_ollama(struct field_walk *k, const struct bz_json *root) {
    if (bz_json_is(bz_json_get(root, BZ_V("done")), BZ_JSON_TRUE))
        bz_fields_end(k, 0, 0);
}
