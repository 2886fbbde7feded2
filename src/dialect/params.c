/* The check of one body, our own edits to it, and the checks that several tables use. */
#include "params.h"

const struct bz_param_limits bz_param_limits_default = {
    .max_tokens = 32768,
    .max_choices = 4,
    .max_logprobs = 20,
    .max_stop = 16,
    .max_grammar = 64 << 10,
    .max_tools = 128,
    .max_messages = 2048,
    .max_inputs = 2048,
    .max_media_bytes = 4 << 20,
    .allow_token_prompts = false,
    .allow_echo = false,
    .allow_grammar = false,
    .allow_load_options = false,
};

static const struct param_set *const tables[BZ_API_COUNT] = {
    [BZ_API_CHAT] = &bz_params_chat,
    [BZ_API_COMPLETIONS] = &bz_params_completions,
    [BZ_API_EMBEDDINGS] = &bz_params_embeddings,
    [BZ_API_RESPONSES] = &bz_params_responses,
    [BZ_API_MESSAGES] = &bz_params_messages,
    [BZ_API_COUNT_TOKENS] = &bz_params_count_tokens,
    [BZ_API_OLLAMA_CHAT] = &bz_params_ollama_chat,
    [BZ_API_OLLAMA_GENERATE] = &bz_params_ollama_generate,
    [BZ_API_OLLAMA_EMBED] = &bz_params_ollama_embed,
    [BZ_API_OLLAMA_EMBEDDINGS] = &bz_params_ollama_embeddings,
    [BZ_API_OLLAMA_SHOW] = &bz_params_ollama_show,
    [BZ_API_LLAMA_COMPLETION] = &bz_params_llama_completion,
    [BZ_API_LLAMA_INFILL] = &bz_params_llama_infill,
    [BZ_API_LLAMA_EMBEDDING] = &bz_params_llama_embedding,
    [BZ_API_RERANK] = &bz_params_rerank,
    [BZ_API_SCORE] = &bz_params_score,
    [BZ_API_TOKENIZE] = &bz_params_tokenize,
    [BZ_API_DETOKENIZE] = &bz_params_detokenize,
};

struct param_set bz_param_table(enum bz_api api) {
    if ((unsigned)api >= BZ_API_COUNT || tables[api] == NULL)
        return (struct param_set){NULL, 0, 0};
    return *tables[api];
}

enum bz_status bz_check_model(struct check *c, const struct at *at, const struct param *p,
                              struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL || (v->type == BZ_JSON_STRING && v->val.n == 0))
        return BZ_OK; /* names none; taken out after the walk */
    if (!bz_json_is(v, BZ_JSON_STRING))
        return bz_param_fail(c, at, v, 400, "must be a string", NULL);
    if (v->val.n > BZ_MODEL_NAME_MAX)
        return bz_param_fail(c, at, v, 400, "too long for a model name", NULL);
    for (size_t i = 0; i < v->val.n; i++) {
        if (v->val.p[i] < 0x20 || v->val.p[i] == 0x7f)
            return bz_param_fail(c, at, v, 400, "control character in a model name", NULL);
    }
    c->facts->model = v->val;
    c->facts->model_node = v;
    return BZ_OK;
}

enum bz_status bz_check_stream(struct check *c, const struct at *at, const struct param *p,
                               struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_TRUE) && !bz_json_is(v, BZ_JSON_FALSE))
        return bz_param_fail(c, at, v, 400, "must be true or false", NULL);
    if (c->counts_only && bz_json_is(v, BZ_JSON_TRUE))
        return bz_param_fail(c, at, v, 400, "this route does not stream", "leave it out");
    c->facts->stream = bz_json_is(v, BZ_JSON_TRUE);
    return BZ_OK;
}

enum bz_status bz_check_usage_flag(struct check *c, const struct at *at, const struct param *p,
                                   struct bz_json *v) {
    (void)p;
    if (v->type != BZ_JSON_NULL && !bz_json_is(v, BZ_JSON_TRUE) && !bz_json_is(v, BZ_JSON_FALSE))
        return bz_param_fail(c, at, v, 400, "must be true or false", NULL);
    c->usage_asked = bz_json_is(v, BZ_JSON_TRUE);
    return BZ_OK;
}

static bool set_number(struct check *c, struct bz_json *v, uint64_t n) {
    struct bz_json *num = bz_json_new_num(c->ar, (int64_t)n);
    if (num == NULL)
        return false;
    v->type = BZ_JSON_NUMBER;
    v->val = num->val;
    v->flags = (uint8_t)((v->flags & BZ_JSON_KEY_CLEAN) | (num->flags & BZ_JSON_VAL_CLEAN));
    v->first = NULL;
    v->count = 0;
    return true;
}

/* max_tokens, max_completion_tokens, max_output_tokens, n_predict, num_predict. */
enum bz_status bz_check_max_tokens(struct check *c, const struct at *at, const struct param *p,
                                   struct bz_json *v) {
    (void)p;
    int64_t n;
    uint32_t cap = c->lim->max_tokens;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (bz_json_i64(v, &n) != BZ_OK)
        return bz_param_fail(c, at, v, 400, "must be an integer", NULL);
    if (cap == 0)
        return bz_param_fail(c, at, v, 403, "this role may not generate text", NULL);
    /* "No limit": llama.cpp says -1, Ollama 0, -1 or -2. Such a wish gets the cap. */
    bool endless = (c->server == BZ_SERVER_LLAMACPP && n == -1) ||
                   (c->server == BZ_SERVER_OLLAMA && n <= 0 && n >= -2);
    if (endless) {
        if (!set_number(c, v, cap))
            return BZ_ENOMEM;
        n = cap;
    }
    if (n < (c->server == BZ_SERVER_LLAMACPP ? 0 : 1))
        return bz_param_fail(c, at, v, 400, "out of range", NULL);
    if (n > cap)
        return bz_param_fail(c, at, v, 400, "above the limit of this role", "ask for fewer tokens");
    if (c->limit == NULL || (uint64_t)n > c->asked_tokens)
        c->asked_tokens = (uint64_t)n;
    c->limit = v;
    return BZ_OK;
}

static bool bias_key(struct bz_view k) {
    for (size_t i = 0; i < k.n; i++) {
        if (k.p[i] < '0' || k.p[i] > '9')
            return false;
    }
    return k.n > 0 && k.n <= 10;
}

static bool bias_value(const struct check *c, const struct bz_json *v) {
    double d;
    if (c->server == BZ_SERVER_LLAMACPP && bz_json_is(v, BZ_JSON_FALSE))
        return true;
    return bz_json_is(v, BZ_JSON_NUMBER) && bz_json_f64(v, &d) == BZ_OK && d >= -100 && d <= 100;
}

/* llama.cpp's other form: [[15043, 1.0], [29871, false]]. Text as a key would be a way in that
 * nobody screens. */
static bool bias_pair(const struct check *c, const struct bz_json *v) {
    int64_t id;
    return bz_json_is(v, BZ_JSON_ARRAY) && v->count == 2 && bz_json_i64(v->first, &id) == BZ_OK &&
           id >= 0 && id <= UINT32_MAX && bias_value(c, v->first->next);
}

enum bz_status bz_check_logit_bias(struct check *c, const struct at *at, const struct param *p,
                                   struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    bool pairs = c->server == BZ_SERVER_LLAMACPP && bz_json_is(v, BZ_JSON_ARRAY);
    if (!pairs && !bz_json_is(v, BZ_JSON_OBJECT))
        return bz_param_fail(c, at, v, 400, "must be an object", NULL);
    if (v->count > PARAM_LOGIT_BIAS_MAX)
        return bz_param_fail(c, at, v, 400, "too many items", NULL);
    for (const struct bz_json *k = v->first; k != NULL; k = k->next) {
        bool good = pairs ? bias_pair(c, k) : bias_key(k->key) && bias_value(c, k);
        if (!good)
            return bz_param_fail(c, at, k, 400, "must map token ids to numbers from -100 to 100",
                                 NULL);
    }
    return BZ_OK;
}

static enum bz_status stop_text(struct check *c, const struct at *at, const struct bz_json *v) {
    BZ_TRY(bz_param_text(c, at, v));
    if (v->val.n > PARAM_STOP_BYTES)
        return bz_param_fail(c, at, v, 400, "stop sequence too long", NULL);
    return BZ_OK;
}

enum bz_status bz_check_stop(struct check *c, const struct at *at, const struct param *p,
                             struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    uint32_t cap = c->lim->max_stop;
    uint32_t n = bz_json_is(v, BZ_JSON_ARRAY) ? v->count : 1;
    if (n > cap)
        return bz_param_fail(c, at, v, cap == 0 ? 403 : 400, "too many stop sequences", NULL);
    if (!bz_json_is(v, BZ_JSON_ARRAY))
        return stop_text(c, at, v);
    struct at here = {at, {NULL, 0}, 0};
    for (const struct bz_json *k = v->first; k != NULL; k = k->next, here.index++)
        BZ_TRY(stop_text(c, &here, k));
    return BZ_OK;
}

static enum bz_status string_map(struct check *c, const struct at *at, struct bz_json *v,
                                 uint32_t keys, size_t bytes) {
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_OBJECT))
        return bz_param_fail(c, at, v, 400, "must be an object", NULL);
    if (v->count > keys)
        return bz_param_fail(c, at, v, 400, "too many members", NULL);
    for (const struct bz_json *k = v->first; k != NULL; k = k->next) {
        struct at here = {at, k->key, 0};
        BZ_TRY(bz_param_text(c, &here, k));
        if (k->val.n > bytes)
            return bz_param_fail(c, &here, k, 400, "too long", NULL);
    }
    return BZ_OK;
}

enum bz_status bz_check_metadata(struct check *c, const struct at *at, const struct param *p,
                                 struct bz_json *v) {
    (void)p;
    return string_map(c, at, v, 16, 512);
}

/* Texts or null. */
enum bz_status bz_check_string_map(struct check *c, const struct at *at, const struct param *p,
                                   struct bz_json *v) {
    (void)p;
    return string_map(c, at, v, 16, BZ_BODY_MAX);
}

/* Servers turn a schema's regular expressions into grammars, whose cost grows with the number of
 * ways to read one text: 300 times [a-z]? holds up llama-server (b11669) for minutes. Counted are
 * the places that may repeat or be left out, times how often groups repeat. */
static uint64_t pattern_cost(struct bz_view v) {
    uint64_t places = 0, times = 1;
    for (size_t i = 0; i < v.n; i++) {
        bool group = i > 0 && v.p[i - 1] == ')';
        if (v.p[i] == '\\') {
            i++;
        } else if (v.p[i] == '?' || v.p[i] == '*' || v.p[i] == '+') {
            places++;
        } else if (v.p[i] == '{') {
            uint64_t n = 0, most = 1;
            bool range = false;
            for (i++; i < v.n && v.p[i] != '}' && n < PARAM_PATTERN_COST * 2; i++) {
                bool digit = v.p[i] >= '0' && v.p[i] <= '9';
                n = digit ? n * 10 + v.p[i] - '0' : 0;
                most = n > most ? n : most;
                range |= v.p[i] == ',';
            }
            places += range ? 4 : 1;
            times *= group ? most : 1;
        }
        if (places * times > PARAM_PATTERN_COST)
            return PARAM_PATTERN_COST + 1;
    }
    return places * times;
}

static bool costly_patterns(const struct bz_json *v, unsigned depth) {
    bool named = bz_view_eq(v->key, BZ_V("patternProperties"));
    if (bz_view_eq(v->key, BZ_V("pattern")) && v->type == BZ_JSON_STRING &&
        pattern_cost(v->val) > PARAM_PATTERN_COST)
        return true;
    for (const struct bz_json *k = v->first; depth > 0 && k != NULL; k = k->next) {
        if ((named && pattern_cost(k->key) > PARAM_PATTERN_COST) || costly_patterns(k, depth - 1))
            return true;
    }
    return false;
}

enum bz_status bz_check_schema(struct check *c, const struct at *at, const struct param *p,
                               struct bz_json *v) {
    (void)p;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_OBJECT) && !bz_json_is(v, BZ_JSON_TRUE))
        return bz_param_fail(c, at, v, 400, "must be a JSON schema", NULL);
    uint64_t n = bz_param_weight(v);
    if (n > c->lim->max_grammar)
        return bz_param_fail(c, at, v, c->lim->max_grammar == 0 ? 403 : 400, "schema too large",
                             NULL);
    if (!c->lim->allow_grammar && costly_patterns(v, BZ_JSON_DEPTH_MAX))
        return bz_param_fail(c, at, v, 403, "a pattern in it could hold up the model server",
                             "repeat and leave out less in it, or use a role with allow_grammar");
    c->facts->text_bytes += n;
    return BZ_OK;
}

/* A custom tool's format: {"type":"text"}, or a grammar. */
enum bz_status bz_check_tool_format(struct check *c, const struct at *at, const struct param *p,
                                    struct bz_json *v) {
    (void)p;
    bool text = bz_view_eq(bz_json_str(bz_json_get(v, BZ_V("type"))), BZ_V("text"));
    struct param row = {.kind = K_JSON, .hi = 1 << 20, .cap = CAP_GRAMMAR};
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_OBJECT))
        return bz_param_fail(c, at, v, 400, "must be an object", NULL);
    if (!text && !c->lim->allow_grammar)
        return bz_param_fail(c, at, v, 403, WHY_RAW, FIX_RAW);
    return bz_param_value(c, at, &row, v);
}

enum bz_status bz_check_schema_or_text(struct check *c, const struct at *at, const struct param *p,
                                       struct bz_json *v) {
    if (!bz_json_is(v, BZ_JSON_STRING))
        return bz_check_schema(c, at, p, v);
    if (v->val.n > c->lim->max_grammar)
        return bz_param_fail(c, at, v, c->lim->max_grammar == 0 ? 403 : 400, "schema too large",
                             NULL);
    if (!c->lim->allow_grammar && v->val.n > 0)
        return bz_param_fail(c, at, v, 403, "a schema as text is not looked into",
                             "send it as an object, or use a key whose role has allow_grammar");
    return bz_param_text(c, at, v);
}

/* ---- our own edits ---- */

static const char *limit_name(enum bz_api api) {
    switch ((unsigned)api) {
    case BZ_API_CHAT:
    case BZ_API_COMPLETIONS:
    case BZ_API_MESSAGES:
        return "max_tokens";
    case BZ_API_RESPONSES:
        return "max_output_tokens";
    case BZ_API_LLAMA_COMPLETION:
    case BZ_API_LLAMA_INFILL:
        return "n_predict";
    case BZ_API_OLLAMA_CHAT:
    case BZ_API_OLLAMA_GENERATE:
        return "num_predict";
    default:
        return NULL;
    }
}

static enum bz_status put_number(struct check *c, struct bz_json *obj, const char *name,
                                 uint64_t n) {
    struct bz_json *v = bz_json_get_mut(obj, bz_view_str(name));
    if (v != NULL)
        return set_number(c, v, n) ? BZ_OK : BZ_ENOMEM;
    v = bz_json_new_num(c->ar, (int64_t)n);
    if (v == NULL)
        return BZ_ENOMEM;
    bz_json_add(obj, bz_view_str(name), v);
    return BZ_OK;
}

/* The member as an object to write into: made when it is absent or null. */
static struct bz_json *object_of(struct check *c, struct bz_json *root, const char *name) {
    struct bz_json *v = bz_json_get_mut(root, bz_view_str(name));
    if (v == NULL) {
        v = bz_json_new_obj(c->ar);
        if (v != NULL)
            bz_json_add(root, bz_view_str(name), v);
    } else if (v->type == BZ_JSON_NULL) {
        v->type = BZ_JSON_OBJECT;
        v->count = 0;
        v->first = NULL;
    }
    return v;
}

/* vLLM and other servers refuse a limit that does not fit beside the prompt, and by themselves stop
 * at what is left of the context; the legacy completions API stops at 16. So there the cap is
 * written only where a role narrows it. */
static bool writes_cap(const struct check *c) {
    if (c->server == BZ_SERVER_LLAMACPP || c->server == BZ_SERVER_OLLAMA)
        return true;
    return c->route->api != BZ_API_COMPLETIONS &&
           c->lim->max_tokens < bz_param_limits_default.max_tokens;
}

static enum bz_status edit_limit(struct check *c, struct bz_json *root) {
    const char *name = limit_name(c->route->api);
    if (name == NULL || c->counts_only)
        return BZ_OK;
    if (c->lim->max_tokens == 0) {
        struct at here = {NULL, bz_view_str(name), 0};
        return bz_param_fail(c, &here, root, 403, "this role may not generate text", NULL);
    }
    bool native = c->route->api == BZ_API_OLLAMA_CHAT || c->route->api == BZ_API_OLLAMA_GENERATE;
    uint64_t n = c->limit != NULL ? c->asked_tokens : c->lim->max_tokens;
    c->facts->max_tokens = (uint32_t)n;
    /* Ollama's OpenAI route reads max_tokens only: max_completion_tokens alone would be no limit
     * there. */
    bool needs_name = c->server == BZ_SERVER_OLLAMA && c->route->api == BZ_API_CHAT &&
                      !bz_json_is(bz_json_get(root, bz_view_str(name)), BZ_JSON_NUMBER);
    if (c->limit != NULL && !needs_name)
        return BZ_OK;
    if (!writes_cap(c))
        return BZ_OK;
    struct bz_json *obj = native ? object_of(c, root, "options") : root;
    return obj == NULL ? BZ_ENOMEM : put_number(c, obj, name, n);
}

/* Token counts of streams come in an extra last event, which the client did not ask for: it is
 * dropped again. */
static enum bz_status edit_usage(struct check *c, struct bz_json *root) {
    bool openai = c->route->api == BZ_API_CHAT || c->route->api == BZ_API_COMPLETIONS;
    if (!openai || !c->facts->stream || c->usage_asked)
        return BZ_OK;
    struct bz_json *obj = object_of(c, root, "stream_options");
    if (obj == NULL)
        return BZ_ENOMEM;
    struct bz_json *flag = bz_json_get_mut(obj, BZ_V("include_usage"));
    if (flag != NULL) {
        flag->type = BZ_JSON_TRUE;
        flag->val = (struct bz_view){NULL, 0};
    } else {
        flag = bz_json_new_bool(c->ar, true);
        if (flag == NULL)
            return BZ_ENOMEM;
        bz_json_add(obj, BZ_V("include_usage"), flag);
    }
    c->facts->strip_usage = true;
    return BZ_OK;
}

/* A stored response is readable by whoever learns its id, so nothing is stored; these servers store
 * by default. */
static enum bz_status edit_store(struct check *c, struct bz_json *root) {
    bool stores = c->server == BZ_SERVER_VLLM || c->server == BZ_SERVER_OPENAI;
    if (c->route->api != BZ_API_RESPONSES || c->counts_only || !stores)
        return BZ_OK;
    struct bz_json *v = bz_json_get_mut(root, BZ_V("store"));
    if (v != NULL) {
        v->type = BZ_JSON_FALSE;
        return BZ_OK;
    }
    v = bz_json_new_bool(c->ar, false);
    if (v == NULL)
        return BZ_ENOMEM;
    bz_json_add(root, BZ_V("store"), v);
    return BZ_OK;
}

static uint32_t choices_of(const struct check *c, const struct bz_json *root) {
    static const char *const names[] = {"n", "best_of", "n_cmpl"};
    uint32_t most = 1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int64_t n;
        if (bz_json_i64(bz_json_get(root, bz_view_str(names[i])), &n) == BZ_OK && n > most)
            most = (uint32_t)n; /* the table keeps it below the role's limit */
    }
    uint32_t all;
    if (__builtin_mul_overflow(most, c->prompts == 0 ? 1 : c->prompts, &all))
        return UINT32_MAX;
    return all;
}

/* Every prompt of a list is a generation of its own, `n` times. */
static enum bz_status bound_choices(struct check *c, const struct bz_json *root) {
    struct at here = {NULL, BZ_V("prompt"), 0};
    c->facts->choices = choices_of(c, root);
    if (c->facts->choices <= c->lim->max_choices || c->prompts <= 1)
        return BZ_OK; /* the table bounds `n` alone */
    return bz_param_fail(c, &here, root, 400, "more answers than the role's max_choices",
                         "send fewer prompts in one request");
}

static bool offers_tools(const struct bz_json *root) {
    const struct bz_json *t = bz_json_get(root, BZ_V("tools"));
    const struct bz_json *f = bz_json_get(root, BZ_V("functions"));
    return (t != NULL && t->count > 0) || (f != NULL && f->count > 0);
}

/* The members that name models are read by the gateway, too: Go must not read others as these. */
static bool passes_for_another(struct bz_view key) {
    static const char *const names[] = {"model", "name", "source", "destination"};
    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] >= 0x80) /* U+017F and U+212A fold to s and k */
            return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct bz_view name = bz_view_str(names[i]);
        if (bz_view_eq_nocase(key, name) && !bz_view_eq(key, name))
            return true;
    }
    return false;
}

static enum bz_status opaque(struct check *c, struct bz_json *root) {
    if (!bz_json_is(root, BZ_JSON_OBJECT))
        return bz_param_fail(c, NULL, root, 400, "must be an object", NULL);
    for (const struct bz_json *k = root->first; k != NULL; k = k->next) {
        struct at at = {NULL, k->key, 0};
        if (passes_for_another(k->key))
            return bz_param_fail(c, &at, k, 400, "may be read as another parameter",
                                 "write it as the API does");
    }
    struct bz_json *model = bz_json_get_mut(root, BZ_V("model"));
    struct at here = {NULL, BZ_V("model"), 0};
    return model == NULL ? BZ_OK : bz_check_model(c, &here, NULL, model);
}

enum bz_status bz_dialect_check(const struct bz_route *route, enum bz_server server,
                                struct bz_json *root, const struct bz_param_limits *lim,
                                struct bz_arena *ar, struct bz_req_facts *ret,
                                struct bz_param_error *err) {
    struct bz_req_facts facts = {.choices = 1};
    struct check c = {
        .route = route, .server = server, .lim = lim, .ar = ar, .facts = &facts, .err = err};
    memset(err, 0, sizeof *err);
    c.counts_only = strcmp(route->scope, "tokenize") == 0;
    struct param_set set = bz_param_table(route->api);
    if (route->api == BZ_API_NONE) {
        *ret = facts;
        return BZ_OK;
    }
    if (root == NULL)
        return BZ_EINVAL;
    if (set.rows == NULL) {
        BZ_TRY(opaque(&c, root));
        *ret = facts;
        return BZ_OK;
    }
    facts.stream = route->api == BZ_API_OLLAMA_CHAT || route->api == BZ_API_OLLAMA_GENERATE;
    BZ_TRY(bz_param_object(&c, NULL, &set, root));
    if (facts.model_node == NULL)
        (void)bz_json_remove(root, BZ_V("model")); /* null or "": the gateway writes its own */
    BZ_TRY(edit_limit(&c, root));
    BZ_TRY(edit_usage(&c, root));
    BZ_TRY(edit_store(&c, root));
    BZ_TRY(bound_choices(&c, root));
    facts.tools = offers_tools(root);
    *ret = facts;
    return BZ_OK;
}
