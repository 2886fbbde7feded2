/* Token counts wherever a server puts them. */
#ifndef BARTIZAN_DIALECT_USAGE_H
#define BARTIZAN_DIALECT_USAGE_H

#include <bartizan/dialect.h>

/* What a reply or a stream event says; `ret` keeps what it does not say. */
void bz_usage_openai(const struct bz_json *root, struct bz_usage *ret);
void bz_usage_responses(const struct bz_json *root, struct bz_usage *ret);
/* partial: message_start, whose output count is none yet. */
void bz_usage_anthropic(const struct bz_json *usage, bool partial, struct bz_usage *ret);
void bz_usage_ollama(const struct bz_json *root, struct bz_usage *ret);
void bz_usage_llamacpp(const struct bz_json *root, struct bz_usage *ret);

#endif
