/* Parameter tables: one row per member that a body may have, and the walker that checks a tree
 * against them. A member without a row is refused. */
#ifndef BARTIZAN_DIALECT_PARAMS_H
#define BARTIZAN_DIALECT_PARAMS_H

#include <bartizan/dialect.h>
#include <bartizan/limits.h>

/* Caps of this room that no role may widen. */
enum {
    PARAM_ID_MAX = 256, /* ids and opaque names of clients are below 100 bytes */
    PARAM_NAME_MAX =
        128, /* function and schema names: OpenAI allows 64, MCP bridges prefix theirs */
    PARAM_STOP_BYTES = 256,      /* one stop sequence; servers compare it at every token */
    PARAM_LOGIT_BIAS_MAX = 1024, /* OpenAI allows 300 keys */
    PARAM_SMALL_JSON = 4096, /* free objects that clients attach (cache_control, annotations ...) */
    PARAM_PIXELS_MAX =
        64 << 20,           /* one image: 8192 x 8192; decoders allocate 4 bytes or more for each */
    PARAM_SIDE_MAX = 16384, /* one side of an image */
    PARAM_TOKEN_LIST_MAX = 131072, /* token ids in one list: the longest contexts in use */
    PARAM_CALLS_MAX = 128,         /* tool calls in one message */
    PARAM_PARTS_MAX = 1024,        /* parts of one message: texts, images, tool results */
    PARAM_GROUPS_MAX = 512,        /* '(' in one grammar; JSON's own grammar has 20 */
    PARAM_PATTERN_COST = 64,       /* of one "pattern"; see params.c */
    PARAM_SECONDS_MAX = 3600,      /* Ollama's keep_alive: longer is the operator's choice */
};

enum { /* bits of param.on: which servers know the member */
       ON_L = 1 << BZ_SERVER_LLAMACPP,
       ON_O = 1 << BZ_SERVER_OLLAMA,
       ON_V = 1 << BZ_SERVER_VLLM,
       ON_P = 1 << BZ_SERVER_OPENAI,
       ON_A = 1 << BZ_SERVER_ANTHROPIC,
       ON_ALL = ON_L | ON_O | ON_V | ON_P | ON_A,
};

enum param_kind {
    K_NO,    /* known and refused; null (and the empty value) means absent */
    K_FALSE, /* boolean that may only be false */
    K_TRUE,  /* boolean that may only be true */
    K_BOOL,
    K_INT,   /* lo..hi */
    K_NUM,   /* lo..hi */
    K_STR,   /* string of lo..hi bytes that no model reads */
    K_TEXT,  /* text that a model reads */
    K_ENUM,  /* one of `words`, separated by '|' */
    K_ENUMS, /* array of such */
    K_OBJ,   /* object with the rows of `sub` */
    K_LIST,  /* array of at most hi objects with the rows of `sub` */
    K_STRS,  /* array of at most hi strings that a model reads */
    K_INTS,  /* array of at most hi integers >= 0 */
    K_JSON,  /* free JSON, at most hi bytes when written; a model reads it */
    K_ONE,   /* object with the rows of the one of `of` that its "type" names */
    K_MANY,  /* array of at most PARAM_PARTS_MAX such objects */
    K_PARTS, /* text that a model reads, or such an array */
    K_FN,    /* `fn` decides, of null too */
    K_COUNT
};

enum param_cap { /* the role's limit that lowers hi */
                 CAP_NONE,
                 CAP_CHOICES,
                 CAP_LOGPROBS,
                 CAP_STOP,
                 CAP_GRAMMAR,
                 CAP_TOOLS,
                 CAP_MESSAGES,
                 CAP_INPUTS,
                 CAP_TOKENS,
                 CAP_RAW,  /* CAP_GRAMMAR, and nothing at all without the role's allow_grammar */
                 CAP_LOAD, /* nothing at all without the role's allow_load_options */
                 CAP_ECHO, /* K_FALSE and K_TRUE hold only while the role's allow_echo is off */
                 CAP_COUNT
};

enum {                     /* param.flags */
       PARAM_REQUIRED = 1, /* and not null */
};

struct check;
struct at;
struct param;
typedef enum bz_status check_fn(struct check *c, const struct at *at, const struct param *p,
                                struct bz_json *v);

struct param_set {
    const struct param *rows;
    size_t n;
    size_t required_n; /* required rows stand only among so many first ones */
};
struct param {
    const char *name;
    uint8_t name_n, kind, on, cap, flags;
    double lo, hi;
    const char *words;           /* K_ENUM */
    const struct param_set *sub; /* K_OBJ, K_LIST */
    const struct variants *of;   /* K_ONE, K_MANY, K_PARTS */
    check_fn *fn;                /* K_FN */
    const char *why;             /* of a refusal; for docs/ROUTES.md otherwise */
    const char *fix;
};
/* Objects that are told apart by their "type" member. */
struct variant {
    const char *type;
    const struct param_set *set; /* NULL: refused for `why` */
    const char *why;
};
struct variants {
    const struct variant *rows;
    size_t n;
    const char *fallback; /* type when the member is absent; NULL: it must be there */
};

/* Where in the body: a chain on the stack, written out only for an error. */
struct at {
    const struct at *up;
    struct bz_view key; /* p == NULL: array index */
    size_t index;
};
struct check {
    const struct bz_route *route;
    enum bz_server server;
    const struct bz_param_limits *lim;
    struct bz_arena *ar;
    struct bz_req_facts *facts;
    struct bz_param_error *err;
    bool counts_only;      /* the route counts tokens, nothing is generated */
    uint64_t asked_tokens; /* largest output limit the body names */
    struct bz_json *limit; /* the one that counts */
    bool usage_asked;      /* the body names stream_options.include_usage */
    uint32_t prompts;      /* prompts of a list; each yields `choices` answers */
};

#define PARAM_NAMED(s) .name = s, .name_n = sizeof(s) - 1
#define PARAM_SET(rows_)                                                                           \
    { rows_, sizeof(rows_) / sizeof((rows_)[0]), sizeof(rows_) / sizeof((rows_)[0]) }
#define VARIANTS(rows_)                                                                            \
    { rows_, sizeof(rows_) / sizeof((rows_)[0]), NULL }
#define VARIANTS_OR(rows_, fallback_)                                                              \
    { rows_, sizeof(rows_) / sizeof((rows_)[0]), fallback_ }
/* For the long tables of bz_param_table only: a test compares the number with the rows. */
#define PARAM_SET_REQUIRED_FIRST(rows_, n_)                                                        \
    { rows_, sizeof(rows_) / sizeof((rows_)[0]), n_ }
#define NO(s, on_, why_)                                                                           \
    { PARAM_NAMED(s), .kind = K_NO, .on = on_, .why = why_ }
#define NO_FIX(s, on_, why_, fix_)                                                                 \
    { PARAM_NAMED(s), .kind = K_NO, .on = on_, .why = why_, .fix = fix_ }
#define ONLY_FALSE(s, on_, why_)                                                                   \
    { PARAM_NAMED(s), .kind = K_FALSE, .on = on_, .why = why_ }
#define BOOL(s, on_)                                                                               \
    { PARAM_NAMED(s), .kind = K_BOOL, .on = on_ }
#define INT(s, on_, lo_, hi_)                                                                      \
    { PARAM_NAMED(s), .kind = K_INT, .on = on_, .lo = lo_, .hi = hi_ }
#define INT_CAP(s, on_, lo_, hi_, cap_)                                                            \
    { PARAM_NAMED(s), .kind = K_INT, .on = on_, .lo = lo_, .hi = hi_, .cap = cap_ }
#define NUM(s, on_, lo_, hi_)                                                                      \
    { PARAM_NAMED(s), .kind = K_NUM, .on = on_, .lo = lo_, .hi = hi_ }
#define STR(s, on_, hi_)                                                                           \
    { PARAM_NAMED(s), .kind = K_STR, .on = on_, .hi = hi_ }
#define TEXT(s, on_)                                                                               \
    { PARAM_NAMED(s), .kind = K_TEXT, .on = on_, .hi = BZ_BODY_MAX }
#define ENUM(s, on_, words_)                                                                       \
    { PARAM_NAMED(s), .kind = K_ENUM, .on = on_, .words = words_ }
#define OBJ(s, on_, sub_)                                                                          \
    { PARAM_NAMED(s), .kind = K_OBJ, .on = on_, .sub = sub_ }
#define ONE(s, on_, of_)                                                                           \
    { PARAM_NAMED(s), .kind = K_ONE, .on = on_, .of = of_ }
#define ONE_REQUIRED(s, on_, of_)                                                                  \
    { PARAM_NAMED(s), .kind = K_ONE, .on = on_, .of = of_, .flags = PARAM_REQUIRED }
#define MANY(s, on_, of_)                                                                          \
    { PARAM_NAMED(s), .kind = K_MANY, .on = on_, .of = of_ }
#define TEXT_PARTS(s, on_, of_)                                                                    \
    { PARAM_NAMED(s), .kind = K_PARTS, .on = on_, .of = of_ }
#define TEXT_PARTS_REQUIRED(s, on_, of_)                                                           \
    { PARAM_NAMED(s), .kind = K_PARTS, .on = on_, .of = of_, .flags = PARAM_REQUIRED }
#define JSON(s, on_, hi_)                                                                          \
    { PARAM_NAMED(s), .kind = K_JSON, .on = on_, .hi = hi_ }
#define FN(s, on_, fn_)                                                                            \
    { PARAM_NAMED(s), .kind = K_FN, .on = on_, .fn = fn_ }
#define WHY_RAW "a raw grammar can hold up the model server for minutes"
#define FIX_RAW "send a JSON schema, or use a key whose role has allow_grammar"
#define RAW_TEXT(s, on_)                                                                           \
    {                                                                                              \
        PARAM_NAMED(s), .kind = K_TEXT, .on = on_, .hi = 1 << 20, .cap = CAP_RAW, .why = WHY_RAW,  \
                        .fix = FIX_RAW                                                             \
    }
#define FN_WHY(s, on_, fn_, why_)                                                                  \
    { PARAM_NAMED(s), .kind = K_FN, .on = on_, .fn = fn_, .why = why_ }
#define TYPE                                                                                       \
    { PARAM_NAMED("type"), .kind = K_STR, .on = ON_ALL, .hi = 64 }

/* params_walk.c */
enum bz_status bz_param_fail(struct check *c, const struct at *at, const struct bz_json *v,
                             uint16_t status, const char *why, const char *fix);
enum bz_status bz_param_value(struct check *c, const struct at *at, const struct param *p,
                              struct bz_json *v);
/* v must be an object; every member needs a row of `set`, every required row a member. */
enum bz_status bz_param_object(struct check *c, const struct at *at, const struct param_set *set,
                               struct bz_json *v);
enum bz_status bz_param_variant(struct check *c, const struct at *at, const struct variants *vs,
                                struct bz_json *v);
/* null, or an array of at most `cap` objects of these variants; `many` is said of more, as not allowed
 * (403) where the role's cap is 0. */
enum bz_status bz_param_variants(struct check *c, const struct at *at, const struct variants *vs,
                                 uint32_t cap, const char *many, struct bz_json *v);
enum bz_status bz_param_text(struct check *c, const struct at *at, const struct bz_json *v);
/* Bytes of a tree as text that a model reads: keys, strings, numbers. */
uint64_t bz_param_weight(const struct bz_json *v);
double bz_param_cap(const struct check *c, enum param_cap cap, double hi);
bool bz_param_word(const char *words, struct bz_view v);

/* Checks that several tables use. */
check_fn bz_check_model, bz_check_stream, bz_check_max_tokens, bz_check_logit_bias, bz_check_stop,
    bz_check_metadata, bz_check_prompt, bz_check_input, bz_check_texts, bz_check_tools,
    bz_check_functions, bz_check_tool_choice, bz_check_function_call, bz_check_response_format,
    bz_check_chat_messages, bz_check_template_kwargs, bz_check_schema, bz_check_tool_name,
    bz_check_logprobs_flag, bz_check_documents, bz_check_rank_documents, bz_check_images,
    bz_check_data_url, bz_check_base64_image, bz_check_file_data, bz_check_usage_flag,
    bz_check_schema_or_text, bz_check_string_map, bz_check_tool_format;

/* media.c */
enum media_kind { MEDIA_IMAGE, MEDIA_AUDIO, MEDIA_PDF };
/* Static reason why the base64 text is refused, or NULL. */
const char *bz_media_why_not(struct bz_view b64, enum media_kind kind, uint64_t max_bytes);

/* The table of an API; {NULL, 0} where there is none. */
struct param_set bz_param_table(enum bz_api api);
extern const struct param_set bz_params_chat, bz_params_completions, bz_params_embeddings,
    bz_params_responses, bz_params_messages, bz_params_count_tokens, bz_params_ollama_chat,
    bz_params_ollama_generate, bz_params_ollama_embed, bz_params_ollama_embeddings,
    bz_params_ollama_show, bz_params_llama_completion, bz_params_llama_infill,
    bz_params_llama_embedding, bz_params_rerank, bz_params_score, bz_params_tokenize,
    bz_params_detokenize;

/* Rows that chat, completions and llama.cpp's native API share. */
#define SAMPLING_ROWS                                                                              \
    NUM("temperature", ON_ALL, 0, 5), NUM("top_p", ON_ALL, 0, 1),                                  \
        NUM("frequency_penalty", ON_ALL, -2, 2), NUM("presence_penalty", ON_ALL, -2, 2),           \
        INT("seed", ON_ALL, -9007199254740991.0, 9007199254740991.0),                              \
        FN("logit_bias", ON_ALL, bz_check_logit_bias), FN("stop", ON_ALL, bz_check_stop),          \
        FN("stream", ON_ALL, bz_check_stream), INT("top_k", ON_L | ON_V | ON_P, -1, 1000000),      \
        NUM("min_p", ON_L | ON_V | ON_P, 0, 1), BOOL("ignore_eos", ON_L | ON_V)

/* llama.cpp: tools/server/server-schema.cpp. */
#define LLAMA_ROWS                                                                                 \
    NUM("typical_p", ON_L, 0, 1), NUM("top_n_sigma", ON_L, -1, 100),                               \
        NUM("xtc_probability", ON_L, 0, 1), NUM("xtc_threshold", ON_L, 0, 1),                      \
        NUM("dynatemp_range", ON_L, 0, 5), NUM("dynatemp_exponent", ON_L, 0, 10),                  \
        INT("repeat_last_n", ON_L, -1, 65536), NUM("repeat_penalty", ON_L, 0, 10),                 \
        NUM("dry_multiplier", ON_L, 0, 10), NUM("dry_base", ON_L, 0, 10),                          \
        INT("dry_allowed_length", ON_L, 0, 65536), INT("dry_penalty_last_n", ON_L, -1, 65536),     \
        {PARAM_NAMED("dry_sequence_breakers"), .kind = K_STRS, .on = ON_L, .hi = 32},              \
        INT("mirostat", ON_L, 0, 2), NUM("mirostat_tau", ON_L, 0, 20),                             \
        NUM("mirostat_eta", ON_L, 0, 1), NUM("adaptive_target", ON_L, -1, 1),                      \
        NUM("adaptive_decay", ON_L, 0, 0.99), INT_CAP("n_probs", ON_L, 0, 1000, CAP_LOGPROBS),     \
        INT("min_keep", ON_L, 0, 1024),                                                            \
        {PARAM_NAMED("samplers"), .kind = K_ENUMS, .on = ON_L, .hi = 16,                           \
         .words = "penalties|dry|top_n_sigma|top_k|typ_p|typical_p|top_p|min_p|xtc|temperature|"   \
                  "infill|adaptive_p"},                                                            \
        INT("n_keep", ON_L, -1, 1000000), INT("n_indent", ON_L, 0, 1000),                          \
        INT("t_max_predict_ms", ON_L, 0, 3600000), BOOL("cache_prompt", ON_L),                     \
        BOOL("timings_per_token", ON_L), BOOL("return_progress", ON_L),                            \
        BOOL("post_sampling_probs", ON_L), RAW_TEXT("grammar", ON_L),                              \
        FN("json_schema", ON_L, bz_check_schema),                                                  \
        NO("n_discard", ON_L, "writes outside its buffer when negative (CVE-2026-21869)"),         \
        NO("n_cache_reuse", ON_L, "the prompt cache is the operator's"),                           \
        NO("response_fields", ON_L, "renames output fields past every check of the answer"),       \
        ONLY_FALSE("return_tokens", ON_L,                                                          \
                   "token ids repeat the text where it cannot be screened"),                       \
        ONLY_FALSE("verbose", ON_L, "shows the rendered prompt"),                                  \
        NO("id_slot", ON_L, "slots belong to all users"),                                          \
        NO("slot_id", ON_L, "slots belong to all users"),                                          \
        NO("lora", ON_L, "adapters belong to the operator"),                                       \
        NO("backend_sampling", ON_L, "the operator's choice"),                                     \
        ONLY_FALSE("reasoning_control", ON_L, "lets others steer this generation"),                \
        NO("sse_ping_interval", ON_L, "the gateway's timeouts rely on the pings"),                 \
        ONLY_FALSE("grammar_lazy", ON_L, "internal to the server"),                                \
        NO("grammar_triggers", ON_L, "internal to the server"),                                    \
        NO("grammar_type", ON_L, "internal to the server"),                                        \
        NO("preserved_tokens", ON_L, "internal to the server"),                                    \
        NO("chat_format", ON_L, "internal to the server"),                                         \
        NO("chat_parser", ON_L, "internal to the server"),                                         \
        NO("generation_prompt", ON_L, "overrides what the template puts before the answer"),       \
        NO("parse_tool_calls", ON_L, "would turn tool calls into plain text"),                     \
        NO("thinking_forced_open", ON_L, "internal to the server"),                                \
        NO("reasoning_budget_start_tag", ON_L, "internal to the server"),                          \
        NO("reasoning_budget_end_tag", ON_L, "internal to the server"),                            \
        NO("reasoning_budget_end_tags", ON_L, "internal to the server"),                           \
        NO("reasoning_budget_message", ON_L, "text put into the model's own reasoning"),           \
        ENUM("reasoning_format", ON_L, "none|auto|deepseek|deepseek-legacy"),                      \
        INT("reasoning_budget_tokens", ON_L, -1, 1000000)

/* vLLM: entrypoints/openai protocol.py, completions and chat. */
#define VLLM_ROWS                                                                                  \
    NUM("repetition_penalty", ON_V | ON_P, 0, 10), NUM("length_penalty", ON_V, 0, 10),             \
        ONLY_FALSE("use_beam_search", ON_V, "multiplies the work of one request"),                 \
        {PARAM_NAMED("stop_token_ids"), .kind = K_INTS, .on = ON_V, .hi = 64},                     \
        BOOL("include_stop_str_in_output", ON_V),                                                  \
        INT_CAP("min_tokens", ON_V, 0, 1000000, CAP_TOKENS), BOOL("skip_special_tokens", ON_V),    \
        BOOL("spaces_between_special_tokens", ON_V), BOOL("add_special_tokens", ON_V),             \
        NO("truncate_prompt_tokens", ON_V, "would cut the prompt that was screened"),              \
        NO("truncation_side", ON_V, "would cut the prompt that was screened"),                     \
        NO("prompt_logprobs", ON_V, "returns the prompt, token by token"),                         \
        NO("allowed_token_ids", ON_V, "forces any text, token by token"),                          \
        {PARAM_NAMED("bad_words"), .kind = K_STRS, .on = ON_V, .hi = 64},                          \
        INT("thinking_token_budget", ON_V, 0, 1000000),                                            \
        OBJ("structured_outputs", ON_V, &bz_params_structured),                                    \
        FN("guided_json", ON_V, bz_check_schema_or_text), RAW_TEXT("guided_regex", ON_V),          \
        RAW_TEXT("guided_grammar", ON_V),                                                          \
        {PARAM_NAMED("guided_choice"), .kind = K_STRS, .on = ON_V, .hi = 256},                     \
        NO("guided_decoding_backend", ON_V, "the operator's choice"), INT("priority", ON_V, 0, 0), \
        NO("request_id", ON_V, "ids are the gateway's"),                                           \
        NO("session_id", ON_V, "ids are the gateway's"), STR("cache_salt", ON_V, PARAM_ID_MAX),    \
        ONLY_FALSE("return_tokens_as_token_ids", ON_V, "hides the text in token ids"),             \
        ONLY_FALSE("return_token_ids", ON_V,                                                       \
                   "token ids repeat the text where it cannot be screened"),                       \
        ONLY_FALSE("return_token_offsets", ON_V, "for render routes only"),                        \
        ONLY_FALSE("return_prompt_text", ON_V, "returns the rendered prompt"),                     \
        NO("kv_transfer_params", ON_V, "reads and writes the cache of other requests"),            \
        NO("ec_transfer_params", ON_V, "reads and writes the cache of other requests"),            \
        NO("vllm_xargs", ON_V, "unchecked arguments"),                                             \
        NO("logits_processors", ON_V, "names code to run"),                                        \
        NO("repetition_detection", ON_V, "not needed by any client seen"),                         \
        NO("prompt_embeds", ON_V, "embeddings cannot be screened (CVE-2025-62164)"),               \
        NO("media_io_kwargs", ON_V, "steers media decoders"),                                      \
        NO("mm_processor_kwargs", ON_V, "steers media decoders")
extern const struct param_set bz_params_structured;

/* Members that only carry the identity or wishes of an OpenAI caller; no local server reads them.
 */
#define OPENAI_ROWS                                                                                \
    STR("user", ON_ALL, PARAM_ID_MAX), STR("safety_identifier", ON_ALL, PARAM_ID_MAX),             \
        STR("prompt_cache_key", ON_ALL, PARAM_ID_MAX),                                             \
        JSON("prompt_cache_options", ON_ALL, PARAM_SMALL_JSON),                                    \
        ENUM("prompt_cache_retention", ON_ALL, "in_memory|in-memory|24h"),                         \
        ENUM("service_tier", ON_ALL, "auto|default|flex|scale|priority"),                          \
        FN("metadata", ON_ALL, bz_check_metadata),                                                 \
        NO("moderation", ON_ALL, "the gateway screens; the server's own answer is not used")

#endif
