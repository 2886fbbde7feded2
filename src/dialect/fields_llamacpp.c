/* llama.cpp's own API, the small text routes that it shares with vLLM, and bodies without an API.
 */
#include "fields_rows.h"

static const struct field_row extra_rows[] = {TEXT("filename", DOCUMENT), TEXT("text", DOCUMENT)};
static const struct field_set extra = FIELD_SET(extra_rows);

static const struct field_row request_rows[] = {
    TEXT_OR_IDS("prompt", USER),
    TEXT("input_prefix", USER),
    TEXT("input_suffix", USER),
    LIST("input_extra", &extra),
    SAMPLING_FIELDS,
};
static const struct field_set request = FIELD_SET(request_rows);
const struct field_row bz_fields_llama_request = OBJ("", &request);

/* A reply, one of several in an array, or an event. */
static const struct field_row reply_rows[] = {
    DATA("index"),
    DELTA("content", ASSISTANT, CH_CONTENT),
    REPEATS("tokens"),
    DATA("stop"),
    DATA("id_slot"),
    DATA("tokens_predicted"),
    DATA("tokens_evaluated"),
    FACTS("timings"),
    REPEATS("completion_probabilities"),
    FACTS("prompt_progress"),
    DATA("model"),
    FACTS("generation_settings"), /* says the stop words and the grammar again */
    TEXT_OR_IDS("prompt", USER),
    DATA("has_new_line"),
    DATA("truncated"),
    DATA("stop_type"),
    TEXT("stopping_word", META),
    DATA("tokens_cached"),
    REPEATS("probs"),
    DATA("stopped_eos"),
    DATA("stopped_word"),
    DATA("stopped_limit"),
    DATA("slot_id"),
    JSON("error", META),
};
static const struct field_set reply = FIELD_SET_OF(reply_rows, .index = INDEX_CHOICE);
const struct field_row bz_fields_llama_reply = OBJ("", &reply);

void bz_fields_ends_llamacpp(struct field_walk *k, const struct bz_json *root) {
    uint64_t prompt = 0, part = 0;
    if (bz_json_is(bz_json_get(root, BZ_V("stop")), BZ_JSON_TRUE) &&
        bz_fields_index(INDEX_CHOICE, root, 0, &prompt, &part))
        bz_fields_end(k, prompt << CHANNEL_BITS, CHANNEL_CHOICE);
}

/* ---- rerank and score ---- */

static const struct field_row document_rows[] = {TEXT("text", DOCUMENT), TEXT("title", DOCUMENT)};
static const struct field_set document = FIELD_SET(document_rows);

static const struct field_row rank_request_rows[] = {
    DATA("model"),
    TEXT("query", USER),
    PARTS("documents", DOCUMENT, &document),
    PARTS("texts", DOCUMENT, &document),
    TEXTS("text_1", USER),
    TEXTS("text_2", DOCUMENT),
    TEXTS("queries", USER),
    TEXTS("items", DOCUMENT),
    TEXTS("data_1", USER),
    TEXTS("data_2", DOCUMENT),
    TEXT("user", META),
};
static const struct field_set rank_request = FIELD_SET(rank_request_rows);
const struct field_row bz_fields_rank_request = OBJ("", &rank_request);

static const struct field_row found_rows[] = {TEXT("text", DOCUMENT), TEXT("title", DOCUMENT),
                                              MEDIA("multi_modal")};
static const struct field_set found = FIELD_SET(found_rows);
#define RANKED_ROWS                                                                                \
    DATA("index"), DATA("relevance_score"), DATA("score"), TEXT("text", DOCUMENT),                 \
        PARTS("document", DOCUMENT, &found), DATA("object")
static const struct field_row ranked_rows[] = {RANKED_ROWS};
static const struct field_set ranked = FIELD_SET(ranked_rows);
static const struct field_row rank_reply_rows[] = {
    RANKED_ROWS, /* llama.cpp, asked with "texts", answers with a list of these alone */
    DATA("model"),   FACTS("usage"), LIST("results", &ranked), LIST("data", &ranked), DATA("id"),
    DATA("created"), FACTS("meta"),  JSON("error", META),
};
static const struct field_set rank_reply = FIELD_SET(rank_reply_rows);
const struct field_row bz_fields_rank_reply = OBJ("", &rank_reply);

/* ---- tokenize and detokenize ---- */

static const struct field_row tokens_request_rows[] = {
    DATA("model"),
    TEXT_OR_IDS("content", USER),
    TEXT("prompt", USER),
    LIST("messages", &bz_fields_chat_message),
    LIST("tools", &bz_fields_tools),
    FACTS("chat_template_kwargs"),
    DATA("tokens"),
};
static const struct field_set tokens_request = FIELD_SET(tokens_request_rows);
const struct field_row bz_fields_tokens_request = OBJ("", &tokens_request);

static const struct field_row tokens_reply_rows[] = {
    REPEATS("tokens"), REPEATS("token_strs"), DATA("count"),        DATA("max_model_len"),
    DATA("model"),     TEXT("content", USER), TEXT("prompt", USER), JSON("error", META),
};
static const struct field_set tokens_reply = FIELD_SET(tokens_reply_rows);
const struct field_row bz_fields_tokens_reply = OBJ("", &tokens_reply);

/* ---- bodies without an API ---- */

const struct field_row bz_fields_opaque = JSON("", META);
