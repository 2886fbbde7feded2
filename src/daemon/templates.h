/* Control tokens of the models that are served, from the chat templates that their servers show. */
#ifndef BZ_TEMPLATES_H
#define BZ_TEMPLATES_H

#include "daemon.h"

/* From the answer to /props of a llama.cpp server. true: they are others now. */
bool bz_templates_take(struct bz_backend_run *r, struct bz_view props);
void bz_templates_free(struct bz_backend_run *r);
/* Tokens of each model that is served; views into the backends' lists and `models`. */
enum bz_status bz_templates_now(const struct bz_daemon *d,
                                const struct bz_image_model_input *models, size_t models_n,
                                struct bz_arena *ar, struct bz_prompt_tokens **ret,
                                size_t *ret_n) BZ_MUST_USE;

#endif
