/* Is a whole reply one of its API? The text itself is screened elsewhere; here only the shape, and
 * the token counts. */
#include <bartizan/dialect.h>

#include "usage.h"

static bool has(const struct bz_json *root, const char *name, enum bz_json_type type) {
    return bz_json_is(bz_json_get(root, bz_view_str(name)), type);
}

/* An error object under status 200 is no reply. */
static bool is_error(const struct bz_json *root) {
    const struct bz_json *e = bz_json_get(root, BZ_V("error"));
    return (e != NULL && e->type != BZ_JSON_NULL) ||
           bz_view_eq(bz_json_str(bz_json_get(root, BZ_V("object"))), BZ_V("error")) ||
           bz_view_eq(bz_json_str(bz_json_get(root, BZ_V("type"))), BZ_V("error"));
}

static bool all_objects(const struct bz_json *list) {
    for (const struct bz_json *k = list->first; k != NULL; k = k->next) {
        if (!bz_json_is(k, BZ_JSON_OBJECT) || is_error(k))
            return false;
    }
    return true;
}

/* llama.cpp answers several prompts with an array of replies. */
static bool native_completion(const struct bz_json *root, struct bz_usage *ret) {
    if (bz_json_is(root, BZ_JSON_OBJECT)) {
        bz_usage_llamacpp(root, ret);
        return has(root, "content", BZ_JSON_STRING);
    }
    if (!bz_json_is(root, BZ_JSON_ARRAY) || !all_objects(root))
        return false;
    struct bz_usage sum = {0};
    for (const struct bz_json *k = root->first; k != NULL; k = k->next) {
        struct bz_usage one = {0};
        if (!native_completion(k, &one) || bz_json_is(k, BZ_JSON_ARRAY))
            return false;
        if (__builtin_add_overflow(sum.prompt, one.prompt, &sum.prompt) ||
            __builtin_add_overflow(sum.completion, one.completion, &sum.completion))
            return false; /* no server counted so far */
        sum.known = one.known;
    }
    *ret = sum;
    return true;
}

static bool embeddings(const struct bz_json *root, struct bz_usage *ret) {
    bz_usage_openai(root, ret);
    if (bz_json_is(root, BZ_JSON_ARRAY))
        return all_objects(root);
    const struct bz_json *e = bz_json_get(root, BZ_V("embeddings"));
    return has(root, "data", BZ_JSON_ARRAY) || has(root, "embedding", BZ_JSON_ARRAY) ||
           bz_json_is(e, BZ_JSON_ARRAY) || bz_json_is(e, BZ_JSON_OBJECT);
}

static bool ranking(const struct bz_json *root, struct bz_usage *ret) {
    bz_usage_openai(root, ret);
    if (bz_json_is(root, BZ_JSON_ARRAY))
        return all_objects(root);
    return has(root, "results", BZ_JSON_ARRAY) || has(root, "data", BZ_JSON_ARRAY);
}

static bool messages(const struct bz_json *root, struct bz_usage *ret) {
    bz_usage_anthropic(bz_json_get(root, BZ_V("usage")), false, ret);
    return has(root, "content", BZ_JSON_ARRAY);
}

static bool ollama(const struct bz_json *root, const char *name, enum bz_json_type type,
                   struct bz_usage *ret) {
    bz_usage_ollama(root, ret);
    return has(root, name, type);
}

static bool count_reply(const struct bz_json *root, struct bz_usage *ret) {
    int64_t n;
    if (bz_json_i64(bz_json_get(root, BZ_V("input_tokens")), &n) != BZ_OK || n < 0)
        return false;
    ret->prompt = 0; /* counted, not used */
    return true;
}

static bool well_formed(enum bz_api api, const struct bz_json *root, struct bz_usage *ret) {
    switch (api) {
    case BZ_API_CHAT:
    case BZ_API_COMPLETIONS:
        bz_usage_openai(root, ret);
        return has(root, "choices", BZ_JSON_ARRAY);
    case BZ_API_EMBEDDINGS:
    case BZ_API_LLAMA_EMBEDDING:
        return embeddings(root, ret);
    case BZ_API_RESPONSES:
        bz_usage_responses(root, ret);
        return has(root, "output", BZ_JSON_ARRAY);
    case BZ_API_MESSAGES:
        return messages(root, ret);
    case BZ_API_COUNT_TOKENS:
        return count_reply(root, ret);
    case BZ_API_OLLAMA_CHAT:
        return ollama(root, "message", BZ_JSON_OBJECT, ret);
    case BZ_API_OLLAMA_GENERATE:
        return ollama(root, "response", BZ_JSON_STRING, ret);
    case BZ_API_OLLAMA_EMBED:
        return ollama(root, "embeddings", BZ_JSON_ARRAY, ret);
    case BZ_API_OLLAMA_EMBEDDINGS:
        return ollama(root, "embedding", BZ_JSON_ARRAY, ret);
    case BZ_API_LLAMA_COMPLETION:
    case BZ_API_LLAMA_INFILL:
        return native_completion(root, ret);
    case BZ_API_RERANK:
    case BZ_API_SCORE:
        return ranking(root, ret);
    case BZ_API_TOKENIZE:
        return has(root, "tokens", BZ_JSON_ARRAY);
    case BZ_API_DETOKENIZE:
        return has(root, "content", BZ_JSON_STRING) || has(root, "prompt", BZ_JSON_STRING);
    case BZ_API_OLLAMA_SHOW:
        return bz_json_is(root, BZ_JSON_OBJECT);
    case BZ_API_NONE:
    case BZ_API_MCP:
    case BZ_API_OPAQUE:
        return bz_json_is(root, BZ_JSON_OBJECT) || bz_json_is(root, BZ_JSON_ARRAY);
    case BZ_API_COUNT:
        break;
    }
    return false;
}

enum bz_status bz_reply_check(const struct bz_route *route, const struct bz_json *root,
                              struct bz_usage *ret) {
    struct bz_usage usage = {0};
    bool counts = strcmp(route->scope, "tokenize") == 0 &&
                  (route->api == BZ_API_CHAT || route->api == BZ_API_RESPONSES);
    if (root == NULL || is_error(root))
        return BZ_ESYNTAX;
    if (!well_formed(counts ? BZ_API_COUNT_TOKENS : route->api, root, &usage))
        return BZ_ESYNTAX;
    *ret = usage;
    return BZ_OK;
}
