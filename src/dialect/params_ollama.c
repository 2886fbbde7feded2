/* Ollama's own API. The server matches keys and roles without regard to case (Go); the gateway
 * parses with folded keys and only the one spelling of the documentation passes. */
#include "params.h"

#define WHY_HOST "host resources are the operator's choice"
#define WHY_LOAD "makes the server load the model anew for everybody"
#define WHY_KEEP "says how long the model stays loaded for everybody; 0 unloads it"
#define FIX_LOAD "leave it out, or use a key whose role has allow_load_options"
#define LOAD_INT(s, lo_, hi_)                                                                      \
    {                                                                                              \
        PARAM_NAMED(s), .kind = K_INT, .on = ON_O, .lo = lo_, .hi = hi_, .cap = CAP_LOAD,          \
                        .why = WHY_LOAD, .fix = FIX_LOAD                                           \
    }
#define LOAD_BOOL(s)                                                                               \
    {                                                                                              \
        PARAM_NAMED(s), .kind = K_BOOL, .on = ON_O, .cap = CAP_LOAD, .why = WHY_LOAD,              \
                        .fix = FIX_LOAD                                                            \
    }

static enum bz_status check_duration(struct check *c, const struct at *at, const struct param *p,
                                     struct bz_json *v) {
    (void)p;
    double d;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (bz_json_is(v, BZ_JSON_NUMBER)) {
        if (bz_json_f64(v, &d) == BZ_OK && d >= 0 && d <= PARAM_SECONDS_MAX)
            return BZ_OK;
    } else if (bz_json_is(v, BZ_JSON_STRING) && v->val.n > 0 && v->val.n <= 8) {
        uint64_t n, unit = 1;
        struct bz_view t = v->val;
        uint8_t last = t.p[t.n - 1];
        if (last == 's' || last == 'm' || last == 'h') {
            unit = last == 's' ? 1 : last == 'm' ? 60 : 3600;
            t.n--;
        }
        if (bz_view_u64(t, &n) == BZ_OK && n * unit <= PARAM_SECONDS_MAX)
            return BZ_OK;
    }
    return bz_param_fail(c, at, v, 400, "must be a duration of at most one hour, such as 5m",
                         "how long a model stays loaded beyond that is the operator's choice");
}

/* "json", a JSON schema, or "" and null for none. */
static enum bz_status check_format(struct check *c, const struct at *at, const struct param *p,
                                   struct bz_json *v) {
    if (!bz_json_is(v, BZ_JSON_STRING))
        return bz_check_schema(c, at, p, v);
    if (v->val.n == 0 || bz_view_eq(v->val, BZ_V("json")))
        return BZ_OK;
    return bz_param_fail(c, at, v, 400, "must be json or a JSON schema", NULL);
}

static enum bz_status check_think(struct check *c, const struct at *at, const struct param *p,
                                  struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL || bz_json_is(v, BZ_JSON_TRUE) || bz_json_is(v, BZ_JSON_FALSE))
        return BZ_OK;
    if (bz_json_is(v, BZ_JSON_STRING) && bz_param_word("low|medium|high|max", v->val))
        return BZ_OK;
    return bz_param_fail(c, at, v, 400, "must be true, false, low, medium or high", NULL);
}

static const struct param option_rows[] = {
    INT("seed", ON_O, -9007199254740991.0, 9007199254740991.0),
    FN("num_predict", ON_O, bz_check_max_tokens),
    LOAD_INT("num_ctx", 1, 1 << 20),
    INT("num_keep", ON_O, -1, 1 << 20),
    INT("top_k", ON_O, 0, 1000000),
    NUM("top_p", ON_O, 0, 1),
    NUM("min_p", ON_O, 0, 1),
    NUM("tfs_z", ON_O, 0, 10),
    NUM("typical_p", ON_O, 0, 1),
    INT("repeat_last_n", ON_O, -1, 65536),
    NUM("temperature", ON_O, 0, 5),
    NUM("repeat_penalty", ON_O, 0, 10),
    NUM("presence_penalty", ON_O, -2, 2),
    NUM("frequency_penalty", ON_O, -2, 2),
    INT("mirostat", ON_O, 0, 2),
    NUM("mirostat_tau", ON_O, 0, 20),
    NUM("mirostat_eta", ON_O, 0, 1),
    BOOL("penalize_newline", ON_O),
    FN("stop", ON_O, bz_check_stop),
    LOAD_BOOL("numa"),
    LOAD_INT("num_batch", 1, 1 << 20),
    LOAD_INT("num_gpu", -1, 1024),
    LOAD_INT("main_gpu", 0, 1024),
    LOAD_BOOL("low_vram"),
    NO("f16_kv", ON_O, WHY_HOST),
    NO("logits_all", ON_O, WHY_HOST),
    NO("vocab_only", ON_O, WHY_HOST),
    LOAD_BOOL("use_mmap"),
    LOAD_BOOL("use_mlock"),
    NO("embedding_only", ON_O, WHY_HOST),
    LOAD_INT("num_thread", 0, 1024),
    NO("draft_num_predict", ON_O, WHY_HOST),
};
static const struct param_set option_set = PARAM_SET(option_rows);

static enum bz_status check_call_arguments(struct check *c, const struct at *at,
                                           const struct param *p, struct bz_json *v) {
    (void)p;
    if (v->type != BZ_JSON_NULL && !bz_json_is(v, BZ_JSON_OBJECT))
        return bz_param_fail(c, at, v, 400, "must be an object", NULL);
    c->facts->text_bytes += bz_param_weight(v);
    return BZ_OK;
}

static const struct param called_rows[] = {
    TEXT("name", ON_O),
    FN("arguments", ON_O, check_call_arguments),
    INT("index", ON_O, 0, PARAM_CALLS_MAX),
    TEXT("description", ON_O),
};
static const struct param_set called_set = PARAM_SET(called_rows);
static const struct param call_rows[] = {
    STR("id", ON_O, PARAM_ID_MAX),
    ENUM("type", ON_O, "function"),
    OBJ("function", ON_O, &called_set),
};
static const struct param_set call_set = PARAM_SET(call_rows);
static const struct param message_rows[] = {
    /* The server folds the case of roles, so "SYSTEM" would be a system message that a filter
       misses. */
    {PARAM_NAMED("role"), .kind = K_ENUM, .on = ON_O, .words = "system|user|assistant|tool",
     .flags = PARAM_REQUIRED},
    TEXT("content", ON_O),
    TEXT("thinking", ON_O),
    FN("images", ON_O, bz_check_images),
    {PARAM_NAMED("tool_calls"), .kind = K_LIST, .on = ON_O, .hi = PARAM_CALLS_MAX,
     .sub = &call_set},
    TEXT("tool_name", ON_O),
    STR("tool_call_id", ON_O, PARAM_ID_MAX),
};
static const struct param_set message_set = PARAM_SET(message_rows);

#define COMMON_ROWS                                                                                \
    FN("model", ON_O, bz_check_model),                                                             \
        {PARAM_NAMED("keep_alive"), .kind = K_FN,    .on = ON_O,     .cap = CAP_LOAD,              \
         .fn = check_duration,      .why = WHY_KEEP, .fix = FIX_LOAD},                             \
        OBJ("options", ON_O, &option_set)
#define GENERATE_ROWS                                                                              \
    COMMON_ROWS, FN("stream", ON_O, bz_check_stream), FN("format", ON_O, check_format),            \
        FN("think", ON_O, check_think), FN("logprobs", ON_O, bz_check_logprobs_flag),              \
        INT_CAP("top_logprobs", ON_O, 0, 1000, CAP_LOGPROBS), BOOL("truncate", ON_O),              \
        BOOL("shift", ON_O), ONLY_FALSE("_debug_render_only", ON_O, "returns the rendered prompt")

static const struct param chat_rows[] = {
    GENERATE_ROWS,
    {PARAM_NAMED("messages"), .kind = K_LIST, .on = ON_O, .hi = 1 << 20, .cap = CAP_MESSAGES,
     .sub = &message_set},
    FN("tools", ON_O, bz_check_tools),
};
const struct param_set bz_params_ollama_chat = PARAM_SET(chat_rows);

static const struct param generate_rows[] = {
    GENERATE_ROWS,
    TEXT("prompt", ON_O),
    TEXT("suffix", ON_O),
    {PARAM_NAMED("system"), .kind = K_TEXT, .on = ON_O, .hi = BZ_BODY_MAX,
     .why = "the same as a system message, which /api/chat takes, too"},
    FN("images", ON_O, bz_check_images),
    NO("template", ON_O, "a template from outside overrides the model's own"),
    ONLY_FALSE("raw", ON_O, "goes around the template and the system prompt"),
    NO_FIX("context", ON_O, "an earlier conversation as token ids cannot be screened",
           "use /api/chat and send the messages"),
    NO("width", ON_O, "generated images cannot be screened yet"),
    NO("height", ON_O, "generated images cannot be screened yet"),
    NO("steps", ON_O, "generated images cannot be screened yet"),
};
const struct param_set bz_params_ollama_generate = PARAM_SET(generate_rows);

static const struct param embed_rows[] = {
    COMMON_ROWS,
    FN("input", ON_O, bz_check_texts),
    BOOL("truncate", ON_O),
    INT("dimensions", ON_O, 0, 65536),
};
const struct param_set bz_params_ollama_embed = PARAM_SET(embed_rows);

static const struct param embeddings_rows[] = {COMMON_ROWS, TEXT("prompt", ON_O)};
const struct param_set bz_params_ollama_embeddings = PARAM_SET(embeddings_rows);

static const struct param show_rows[] = {
    FN("model", ON_O, bz_check_model),
    BOOL("verbose", ON_O),
    NO_FIX("name", ON_O, "the old name of model", "write model"),
    NO("system", ON_O, "shows what it would override"),
    NO("template", ON_O, "shows what it would override"),
    NO("options", ON_O, "shows what it would override"),
};
const struct param_set bz_params_ollama_show = PARAM_SET(show_rows);
