#include "usage.h"

static bool number(const struct bz_json *obj, const char *name, uint64_t *ret) {
    int64_t n;
    if (bz_json_i64(bz_json_get(obj, bz_view_str(name)), &n) != BZ_OK || n < 0)
        return false;
    *ret = (uint64_t)n;
    return true;
}

static void set(struct bz_usage *u, uint64_t prompt, uint64_t completion) {
    u->prompt = prompt;
    u->completion = completion;
    u->known = true;
}

/* llama.cpp's own measurements: what was computed and what came from the prompt cache. */
static void timings(const struct bz_json *root, struct bz_usage *ret) {
    const struct bz_json *t = bz_json_get(root, BZ_V("timings"));
    uint64_t computed, cached = 0, predicted, sum;
    if (!number(t, "prompt_n", &computed) || !number(t, "predicted_n", &predicted))
        return;
    (void)number(t, "cache_n", &cached);
    if (!__builtin_add_overflow(computed, cached, &sum))
        set(ret, sum, predicted);
}

void bz_usage_openai(const struct bz_json *root, struct bz_usage *ret) {
    const struct bz_json *u = bz_json_get(root, BZ_V("usage"));
    uint64_t prompt, completion = 0;
    if (number(u, "prompt_tokens", &prompt)) {
        (void)number(u, "completion_tokens", &completion); /* embeddings have none */
        set(ret, prompt, completion);
        return;
    }
    timings(root, ret);
}

void bz_usage_responses(const struct bz_json *root, struct bz_usage *ret) {
    const struct bz_json *u = bz_json_get(root, BZ_V("usage"));
    uint64_t prompt, completion;
    if (number(u, "input_tokens", &prompt) && number(u, "output_tokens", &completion))
        set(ret, prompt, completion);
}

void bz_usage_anthropic(const struct bz_json *usage, bool partial, struct bz_usage *ret) {
    static const char *const inputs[] = {"input_tokens", "cache_creation_input_tokens",
                                         "cache_read_input_tokens"};
    uint64_t sum = 0, n;
    bool any = false;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        if (number(usage, inputs[i], &n) && !__builtin_add_overflow(sum, n, &sum))
            any = true;
    }
    /* message_delta repeats the input counts, or leaves them out: then those of message_start hold.
     */
    if (any && sum > ret->prompt)
        ret->prompt = sum;
    if (!partial && number(usage, "output_tokens", &n)) {
        ret->completion = n;
        ret->known = true;
    }
}

void bz_usage_ollama(const struct bz_json *root, struct bz_usage *ret) {
    uint64_t prompt = 0, completion;
    bool has_prompt = number(root, "prompt_eval_count", &prompt); /* left out when all was cached */
    if (number(root, "eval_count", &completion))
        set(ret, prompt, completion);
    else if (has_prompt)
        set(ret, prompt, 0);
}

void bz_usage_llamacpp(const struct bz_json *root, struct bz_usage *ret) {
    uint64_t prompt, completion;
    if (number(root, "tokens_evaluated", &prompt) && number(root, "tokens_predicted", &completion))
        set(ret, prompt, completion);
    else
        timings(root, ret);
}
