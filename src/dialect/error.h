/* One error, before it takes a dialect's shape. */
#ifndef BARTIZAN_DIALECT_ERROR_H
#define BARTIZAN_DIALECT_ERROR_H

#include <bartizan/dialect.h>

struct error_facts {
    uint16_t status;
    const char *type; /* NULL: the dialect's own for the status */
    struct bz_view code, message, param, request_id;
    bool has_counts; /* of a prompt that is too long */
    uint64_t n_prompt_tokens, n_ctx;
};
/* The JSON object alone, without a line end. */
void bz_error_write(enum bz_dialect d, const struct error_facts *e, bool event, struct bz_buf *out);

#endif
