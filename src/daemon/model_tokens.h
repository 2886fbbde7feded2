/* Control tokens of models, from what their servers and their own files say: hostile bytes all. A library of its own, for
 * its test and its harness. */
#ifndef BZ_MODEL_TOKENS_H
#define BZ_MODEL_TOKENS_H

#include <bartizan/arena.h>
#include <bartizan/artifact.h>
#include <bartizan/limits.h>

struct bz_token_set { /* each ended by a zero; at most BZ_TEMPLATE_TOKENS_MAX */
    char *text;
    size_t size, n; /* bytes, tokens */
};
void bz_token_set_free(struct bz_token_set *s);
bool bz_token_set_equal(const struct bz_token_set *a, const struct bz_token_set *b);
/* Taken once, if it has the shape of a control token: 3 to BZ_TEMPLATE_TOKEN_MAX bytes without blanks and controls, a sign
 * first, a letter in it. A word of prose is none, whatever a file says: it would be refused in every request. ENOMEM is the
 * only failure. */
enum bz_status bz_token_set_add(struct bz_token_set *s, struct bz_view token) BZ_MUST_USE;

/* What can be read is added. OK also when it is none of that; ENOMEM. */
/* llama.cpp's GET /props: chat_template, bos_token, eos_token, eot_token. */
enum bz_status bz_tokens_of_props(struct bz_view json, struct bz_token_set *s) BZ_MUST_USE;
/* Ollama's POST /api/show: template, and special tokens of model_info. */
enum bz_status bz_tokens_of_show(struct bz_view json, struct bz_token_set *s) BZ_MUST_USE;
/* tokenizer_config.json of Hugging Face: chat_template, added_tokens_decoder, ..._token. */
enum bz_status bz_tokens_of_config(struct bz_view json, struct bz_token_set *s) BZ_MUST_USE;
/* A GGUF file: its chat templates, the tokens that an id names, control tokens; those that whoever made it defined as far
 * as they have the shape of a template's. Anything else adds nothing. */
enum bz_status bz_tokens_of_gguf(const struct bz_source *src, struct bz_token_set *s) BZ_MUST_USE;

#endif
