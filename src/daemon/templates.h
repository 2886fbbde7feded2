/* Control tokens of the models that are served: from what their servers show, and from the model files themselves. */
#ifndef BZ_TEMPLATES_H
#define BZ_TEMPLATES_H

#include "daemon.h"

/* From the answer to /props of a llama.cpp server. true: they are others now. */
bool bz_templates_take(struct bz_backend_run *r, struct bz_view props);
/* Ollama shows its models one by one: r->show.asks, and models.v[r->show.at] is asked for next. true: all were shown, and
 * the tokens are others now. */
void bz_templates_show_begin(struct bz_backend_run *r);
bool bz_templates_show_take(struct bz_backend_run *r, struct bz_view answer);
bool bz_templates_show_end(struct bz_backend_run *r, bool whole);
/* A file that a process of the backend serves, and that the registry has approved; path as /proc says it, for the
 * tokenizer_config.json beside it, which must be approved, too. */
void bz_templates_file(struct bz_daemon *d, uint32_t i, int fd, const char *path);
void bz_templates_forget(struct bz_daemon *d, uint32_t i); /* another process serves */
/* The files that the backend's own `run` names: what starts it is the configuration's word. */
void bz_templates_run(struct bz_daemon *d, uint32_t i);
void bz_templates_free(struct bz_backend_run *r);
/* Tokens of each model that is served; views into the backends' sets and `models`. */
enum bz_status bz_templates_now(const struct bz_daemon *d,
                                const struct bz_image_model_input *models, size_t models_n,
                                struct bz_arena *ar, struct bz_prompt_tokens **ret,
                                size_t *ret_n) BZ_MUST_USE;

#endif
