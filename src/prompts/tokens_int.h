/* What finds a token in the list. */
#ifndef PROMPTS_TOKENS_INT_H
#define PROMPTS_TOKENS_INT_H

#include <bartizan/prompts.h>

struct token_normal {
    const char *text; /* normal form, lower case */
    uint16_t index;   /* in bz_token_list */
};
size_t token_normals(const struct token_normal **ret);

#endif
