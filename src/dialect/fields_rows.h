/* Rows of the field tables: nested like the bodies themselves, shared between requests, replies and
 * events. What each kind means stands in bartizan/fields.h. */
#ifndef BARTIZAN_DIALECT_FIELDS_ROWS_H
#define BARTIZAN_DIALECT_FIELDS_ROWS_H

#include <bartizan/fields.h>

/* Kinds of channels: the deltas of one choice that a client puts together. */
enum channel {
    CH_NONE,
    CH_CONTENT,
    CH_REASONING,
    CH_REASONING_CONTENT, /* vLLM sends it beside "reasoning", with the same text */
    CH_REASONING_DETAILS,
    CH_REFUSAL,
    CH_ARGUMENTS,
    CH_FUNCTION_CALL,
    CH_INPUT, /* of custom tools */
    CH_CODE,
    CH_SUMMARY,
    CH_TRANSCRIPT,
    CH_COUNT
};
/* A channel's number: its kind, the choice (content block, output item), the part of it (tool call,
 * content part). */
#define CHANNEL_BITS 28
#define CHANNEL_CHOICE (((UINT64_C(1) << CHANNEL_BITS) - 1) << CHANNEL_BITS)
#define CHANNEL_KIND (UINT64_C(0xff) << 56)

enum index_of { /* which members number an object, for the channels below it */
                INDEX_NONE,
                INDEX_CHOICE, /* "index": of a choice or block */
                INDEX_PART,   /* "index": of a tool call within its choice */
                INDEX_ITEM, /* Responses: output_index or item_id, content_index or summary_index */
};

enum { FIELD_ONLY_BELOW = BZ_FIELD_KIND_COUNT }; /* the value is an object with rows of its own */

struct field_set;
struct field_row {
    struct bz_field f;
    uint8_t name_n;
    bool list;                     /* documented with []: the walker takes one or many everywhere */
    bool numbers;                  /* TEXT: token ids may stand instead */
    bool json;                     /* JSON_TEXT: the JSON itself may stand instead */
    const struct field_set *below; /* rows of the object; TEXT: its speaker is handed down */
};
struct field_set {
    const struct field_row *rows; /* in the order in which servers write them: that is fast */
    size_t n;
    uint8_t index;    /* enum index_of */
    bool role;        /* its "role" names the speaker of what is below */
    const char *name; /* of a structure that several tables share; docs/FIELDS.md lists it once */
};

#define FIELD_SET(rows_)                                                                           \
    { .rows = rows_, .n = sizeof(rows_) / sizeof((rows_)[0]) }
#define FIELD_SET_OF(rows_, ...)                                                                   \
    { .rows = rows_, .n = sizeof(rows_) / sizeof((rows_)[0]), __VA_ARGS__ }
#define FIELD(s, kind_, who)                                                                       \
    .f.name = s, .name_n = sizeof(s) - 1, .f.kind = kind_, .f.speaker = BZ_SPEAKER_##who

#define DATA(s)                                                                                    \
    { FIELD(s, BZ_FIELD_DATA, META) }
#define MEDIA(s)                                                                                   \
    { FIELD(s, BZ_FIELD_MEDIA, META) }
#define TEXT(s, who)                                                                               \
    { FIELD(s, BZ_FIELD_TEXT, who) }
#define TEXTS(s, who)                                                                              \
    { FIELD(s, BZ_FIELD_TEXT, who), .list = true }
/* The name of a tool that a request offers, and of one that the model calls. */
#define TOOL_OFFERED(s)                                                                            \
    { FIELD(s, BZ_FIELD_TEXT, SCHEMA), .f.tool_name = true }
#define TOOL_CALLED(s)                                                                             \
    { FIELD(s, BZ_FIELD_TEXT, ASSISTANT), .f.tool_name = true }
/* Text, texts, or token ids. */
#define TEXT_OR_IDS(s, who)                                                                        \
    { FIELD(s, BZ_FIELD_TEXT, who), .numbers = true }
/* Text or parts; `who` says it unless the role says otherwise. */
#define SAID(s, who, below_)                                                                       \
    { FIELD(s, BZ_FIELD_TEXT, who), .f.by_role = true, .below = below_ }
/* Text or parts of one fixed speaker. */
#define PARTS(s, who, below_)                                                                      \
    { FIELD(s, BZ_FIELD_TEXT, who), .below = below_ }
#define DELTA(s, who, ch)                                                                          \
    { FIELD(s, BZ_FIELD_TEXT, who), .f.channel = ch }
#define DELTA_WHEN(s, who, ch, when_)                                                              \
    { FIELD(s, BZ_FIELD_TEXT, who), .f.channel = ch, .f.when = when_ }
#define DELTA_JSON(s, who, ch)                                                                     \
    { FIELD(s, BZ_FIELD_JSON_TEXT, who), .f.channel = ch, .json = true }
#define JSON_TEXT(s, who)                                                                          \
    { FIELD(s, BZ_FIELD_JSON_TEXT, who), .json = true }
#define JSON(s, who)                                                                               \
    { FIELD(s, BZ_FIELD_JSON, who) }
/* Numbers and flags of a server; a string among them is still looked at. */
#define FACTS(s)                                                                                   \
    { FIELD(s, BZ_FIELD_JSON, META), .f.facts = true }
#define REPEAT(s)                                                                                  \
    { FIELD(s, BZ_FIELD_REPEAT, META) }
#define REPEATS(s)                                                                                 \
    { FIELD(s, BZ_FIELD_REPEAT, META), .list = true }
#define OBJ(s, below_)                                                                             \
    { FIELD(s, FIELD_ONLY_BELOW, META), .below = below_ }
#define LIST(s, below_)                                                                            \
    { FIELD(s, FIELD_ONLY_BELOW, META), .below = below_, .list = true }

struct field_walk;
typedef void field_ends_fn(struct field_walk *k, const struct bz_json *root);
struct field_table {
    const struct field_row *root; /* of the whole body; its name is empty */
    field_ends_fn *ends;          /* EVENT: tells which channels end; may be NULL */
};
/* {NULL}: such bodies do not exist. */
struct field_table bz_fields_table(const struct bz_route *route, enum bz_where where);
/* Row of a request's member that the field tables do not name: numbers, flags and words of the
 * parameter tables. NULL: unknown. */
const struct field_row *bz_fields_setting(enum bz_api api, struct bz_view name);

struct field_walk {
    const struct field_table *table;
    enum bz_api api;
    enum bz_where where;
    struct bz_walk *w;
    int speaker;           /* handed down; -1: none */
    uint64_t choice, part; /* handed down: numbers of the channel */
};
void bz_fields_end(struct field_walk *k, uint64_t channel, uint64_t mask);
/* Number of an object; EDENIED is told by false: it stands there and is none. */
bool bz_fields_index(enum index_of how, const struct bz_json *obj, uint64_t position,
                     uint64_t *ret_choice, uint64_t *ret_part);
/* One of the words, separated by '|'. */
bool bz_fields_word(const char *words, struct bz_view v);

field_ends_fn bz_fields_ends_openai, bz_fields_ends_responses, bz_fields_ends_anthropic,
    bz_fields_ends_ollama, bz_fields_ends_llamacpp;

/* Roots, by API and direction. */
extern const struct field_row bz_fields_chat_request, bz_fields_completions_request,
    bz_fields_openai_reply, bz_fields_embeddings_request, bz_fields_embeddings_reply,
    bz_fields_responses_request, bz_fields_responses_reply, bz_fields_responses_event,
    bz_fields_messages_request, bz_fields_messages_reply, bz_fields_messages_event,
    bz_fields_ollama_request, bz_fields_ollama_reply, bz_fields_ollama_show_reply,
    bz_fields_llama_request, bz_fields_llama_reply, bz_fields_rank_request, bz_fields_rank_reply,
    bz_fields_tokens_request, bz_fields_tokens_reply, bz_fields_count_reply, bz_fields_opaque,
    bz_fields_mcp_request, bz_fields_mcp_reply;
/* Shared structures. */
extern const struct field_set bz_fields_tools, bz_fields_chat_message, bz_fields_chat_part,
    bz_fields_part, bz_fields_item, bz_fields_response, bz_fields_block, bz_fields_message,
    bz_fields_ollama_message;

/* What callers of OpenAI's APIs say about themselves, and what the model may be made to say. */
#define CALLER_ROWS                                                                                \
    TEXT("user", META), TEXT("safety_identifier", META), TEXT("prompt_cache_key", META),           \
        TEXT("cache_salt", META), JSON("metadata", META), JSON("prompt_cache_options", META)
#define SAMPLING_FIELDS                                                                            \
    DATA("model"), DATA("stream"), DATA("max_tokens"), DATA("max_completion_tokens"),              \
        DATA("n_predict"), TEXTS("stop", META), FACTS("stream_options"), FACTS("logit_bias"),      \
        DATA("logprobs"), TEXT("grammar", SCHEMA), JSON("json_schema", SCHEMA),                    \
        JSON("response_format", SCHEMA), TEXTS("dry_sequence_breakers", META),                     \
        TEXTS("bad_words", META), JSON("structured_outputs", SCHEMA), JSON("guided_json", SCHEMA), \
        TEXT("guided_regex", SCHEMA), TEXT("guided_grammar", SCHEMA),                              \
        TEXTS("guided_choice", SCHEMA), FACTS("chat_template_kwargs")

#endif
