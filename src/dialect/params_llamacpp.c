/* llama.cpp's own API, and the small text routes that it shares with vLLM: rerank, score, tokenize.
 */
#include "params.h"

static const struct param extra_rows[] = {TEXT("filename", ON_L), TEXT("text", ON_L)};
static const struct param_set extra_set = PARAM_SET(extra_rows);

#define NATIVE_ROWS                                                                                \
    FN("prompt", ON_L, bz_check_prompt), FN("model", ON_L, bz_check_model), SAMPLING_ROWS,         \
        FN("n_predict", ON_L, bz_check_max_tokens), FN("max_tokens", ON_L, bz_check_max_tokens),   \
        FN("max_completion_tokens", ON_L, bz_check_max_tokens),                                    \
        INT_CAP("n", ON_L, 1, 16384, CAP_CHOICES), INT_CAP("n_cmpl", ON_L, 1, 16384, CAP_CHOICES), \
        INT_CAP("logprobs", ON_L, 0, 1000, CAP_LOGPROBS), LLAMA_ROWS

static const struct param completion_rows[] = {NATIVE_ROWS};
const struct param_set bz_params_llama_completion = PARAM_SET(completion_rows);

static const struct param infill_rows[] = {
    NATIVE_ROWS,
    TEXT("input_prefix", ON_L),
    TEXT("input_suffix", ON_L),
    {PARAM_NAMED("input_extra"), .kind = K_LIST, .on = ON_L, .hi = 1 << 20, .cap = CAP_INPUTS,
     .sub = &extra_set},
};
const struct param_set bz_params_llama_infill = PARAM_SET(infill_rows);

static const struct param embedding_rows[] = {
    FN("content", ON_L, bz_check_input),   FN("input", ON_L, bz_check_input),
    FN("model", ON_L, bz_check_model),     ENUM("encoding_format", ON_L, "float|base64"),
    INT("embd_normalize", ON_L, -1, 1000), INT("dimensions", ON_L, 1, 65536),
    STR("user", ON_L, PARAM_ID_MAX),
};
const struct param_set bz_params_llama_embedding = PARAM_SET(embedding_rows);

/* A string or a list of strings. */
enum bz_status bz_check_texts(struct check *c, const struct at *at, const struct param *p,
                              struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (bz_json_is(v, BZ_JSON_STRING))
        return bz_param_text(c, at, v);
    struct param row = {.kind = K_STRS, .on = ON_ALL, .hi = 1 << 20, .cap = CAP_INPUTS};
    return bz_param_value(c, at, &row, v);
}

static const struct param document_rows[] = {TEXT("text", ON_ALL), TEXT("title", ON_ALL)};
static const struct param_set document_set = PARAM_SET(document_rows);

/* Strings or {"text": ...}. */
enum bz_status bz_check_rank_documents(struct check *c, const struct at *at, const struct param *p,
                                       struct bz_json *v) {
    (void)p;
    if (!bz_json_is(v, BZ_JSON_ARRAY))
        return bz_param_fail(c, at, v, 400, "must be an array", NULL);
    uint32_t cap = c->lim->max_inputs;
    if (v->count > cap)
        return bz_param_fail(c, at, v, cap == 0 ? 403 : 400, "too many documents", NULL);
    struct at here = {at, {NULL, 0}, 0};
    for (struct bz_json *k = v->first; k != NULL; k = k->next, here.index++) {
        if (bz_json_is(k, BZ_JSON_OBJECT))
            BZ_TRY(bz_param_object(c, &here, &document_set, k));
        else
            BZ_TRY(bz_param_text(c, &here, k));
    }
    return BZ_OK;
}

#define RANK_ROWS                                                                                  \
    FN("model", ON_ALL, bz_check_model), STR("user", ON_ALL, PARAM_ID_MAX),                        \
        INT("truncate_prompt_tokens", ON_V, -1, 1000000), INT("priority", ON_V, 0, 0),             \
        NO("request_id", ON_V, "ids are the gateway's"),                                           \
        NO("mm_processor_kwargs", ON_V, "steers media decoders"),                                  \
        NO("chat_template", ON_V, "a template from outside runs in the server"),                   \
        BOOL("use_activation", ON_V), BOOL("add_special_tokens", ON_V)

static const struct param rerank_rows[] = {
    RANK_ROWS,
    {PARAM_NAMED("query"), .kind = K_TEXT, .on = ON_ALL, .hi = BZ_BODY_MAX,
     .flags = PARAM_REQUIRED},
    FN("documents", ON_ALL, bz_check_rank_documents),
    FN("texts", ON_L, bz_check_rank_documents),
    INT("top_n", ON_ALL, 0, 1000000),
    BOOL("return_documents", ON_ALL),
    BOOL("return_text", ON_L),
    INT("max_tokens_per_doc", ON_V, 0, 1000000),
};
const struct param_set bz_params_rerank = PARAM_SET(rerank_rows);

static const struct param score_rows[] = {
    RANK_ROWS,
    FN("text_1", ON_V, bz_check_texts),
    FN("text_2", ON_V, bz_check_texts),
    FN("queries", ON_V, bz_check_texts),
    FN("items", ON_V, bz_check_texts),
    FN("documents", ON_V, bz_check_texts),
    FN("data_1", ON_V, bz_check_texts),
    FN("data_2", ON_V, bz_check_texts),
};
const struct param_set bz_params_score = PARAM_SET(score_rows);

static const struct param tokenize_rows[] = {
    FN("model", ON_ALL, bz_check_model),
    FN("content", ON_L, bz_check_input),
    BOOL("add_special", ON_L),
    BOOL("parse_special", ON_L),
    BOOL("with_pieces", ON_L),
    TEXT("prompt", ON_V),
    FN("messages", ON_V, bz_check_chat_messages),
    FN("tools", ON_V, bz_check_tools),
    BOOL("add_special_tokens", ON_V),
    BOOL("return_token_strs", ON_V),
    BOOL("add_generation_prompt", ON_V),
    {PARAM_NAMED("continue_final_message"), .kind = K_FALSE, .on = ON_V, .cap = CAP_ECHO,
     .why = "assistant prefill is not allowed for this role"},
    NO("chat_template", ON_V, "a template from outside runs in the server"),
    FN_WHY("chat_template_kwargs", ON_V, bz_check_template_kwargs,
           "arguments reach the template: only enable_thinking, thinking, reasoning_effort pass"),
    NO("mm_processor_kwargs", ON_V, "steers media decoders"),
    NO("media_io_kwargs", ON_V, "steers media decoders"),
};
const struct param_set bz_params_tokenize = PARAM_SET(tokenize_rows);

static const struct param detokenize_rows[] = {
    FN("model", ON_ALL, bz_check_model),
    {PARAM_NAMED("tokens"), .kind = K_INTS, .on = ON_L | ON_V, .hi = PARAM_TOKEN_LIST_MAX,
     .flags = PARAM_REQUIRED},
};
const struct param_set bz_params_detokenize = PARAM_SET(detokenize_rows);
