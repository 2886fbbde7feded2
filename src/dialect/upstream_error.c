/* The model server's error replies. Their texts can echo the prompt, addresses, paths (vLLM
 * CVE-2026-22778), so not a byte of text passes: a known kind and the two numbers that help are
 * kept, the sentence is ours. */
#include "error.h"

struct kind {
    const char *type;
    const char *keep; /* the type that the client sees; NULL: by status */
    const char *code;
    const char *message;
};

static const struct kind kinds[] = {
    {"exceed_context_size_error", "exceed_context_size_error", "context_length_exceeded",
     "the prompt does not fit the model's context"},
    {"context_length_exceeded", NULL, "context_length_exceeded",
     "the prompt does not fit the model's context"},
    {"not_supported_error", "not_supported_error", "not_supported",
     "the model server was not started with what this request needs"},
    {"unavailable_error", NULL, "model_loading", "the model is still loading; try again"},
    {"overloaded_error", NULL, "upstream_overloaded", "the model server is overloaded; try again"},
    {"rate_limit_error", "rate_limit_error", "upstream_overloaded",
     "the model server is at its limit; try again"},
    {"not_found_error", "not_found_error", "upstream_not_found",
     "the model server does not know this model or route"},
    {"NotFoundError", NULL, "upstream_not_found",
     "the model server does not know this model or route"},
    {"model_not_found", NULL, "upstream_not_found",
     "the model server does not know this model or route"},
    {"invalid_request_error", "invalid_request_error", "upstream_refused",
     "the model server refused the request"},
    {"BadRequestError", NULL, "upstream_refused", "the model server refused the request"},
};

static const struct kind *known(const struct bz_json *text) {
    struct bz_view v = bz_json_str(text);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (v.n != 0 && bz_view_eq(v, bz_view_str(kinds[i].type)))
            return &kinds[i];
    }
    return NULL;
}

static uint16_t status_of(uint16_t upstream) {
    switch (upstream) {
    case 400:
    case 404:
    case 413:
    case 415:
    case 422:
    case 429:
    case 501:
    case 503:
        return upstream;
    case 401: /* our credentials at the backend are wrong: not the client's business */
    case 403:
        return 502;
    default:
        return upstream >= 400 && upstream < 500 ? 400 : 502;
    }
}

static struct kind by_status(uint16_t status) {
    switch (status) {
    case 404:
        return (struct kind){NULL, NULL, "upstream_not_found",
                             "the model server does not know this model or route"};
    case 413:
        return (struct kind){NULL, NULL, "upstream_refused",
                             "the request is too large for the model server"};
    case 429:
        return (struct kind){NULL, NULL, "upstream_overloaded",
                             "the model server is at its limit; try again"};
    case 501:
        return (struct kind){NULL, NULL, "not_supported",
                             "the model server was not started with what this request needs"};
    case 503:
        return (struct kind){NULL, NULL, "upstream_unavailable",
                             "the model server is not ready; try again"};
    case 502:
        return (struct kind){NULL, NULL, "upstream_error", "the model server failed"};
    default:
        return (struct kind){NULL, NULL, "upstream_refused",
                             "the model server refused the request"};
    }
}

static bool count(const struct bz_json *err, struct bz_view name, uint64_t *ret) {
    int64_t n;
    if (bz_json_i64(bz_json_get(err, name), &n) != BZ_OK || n < 0)
        return false;
    *ret = (uint64_t)n;
    return true;
}

void bz_dialect_upstream_error(enum bz_dialect d, uint16_t upstream_status,
                               const struct bz_json *body, struct bz_view request_id,
                               struct bz_buf *out, uint16_t *ret_status) {
    uint16_t status = status_of(upstream_status);
    const struct bz_json *err = bz_json_get(body, BZ_V("error"));
    if (!bz_json_is(err, BZ_JSON_OBJECT))
        err = body; /* vLLM's older form has the members at the top */
    struct kind kind = by_status(status);
    const struct kind *k = known(bz_json_get(err, BZ_V("type")));
    if (k == NULL)
        k = known(bz_json_get(err, BZ_V("code")));
    /* A refusal's type says nothing about a failure: a server's 500 stays one whatever it calls
     * itself. */
    if (k != NULL && status != 502)
        kind = *k;
    struct error_facts e = {
        .status = status,
        /* Anthropic's SDK and the tools around it know their own types only. */
        .type = d == BZ_DIALECT_ANTHROPIC ? NULL : kind.keep,
        .code = bz_view_str(kind.code),
        .message = bz_view_str(kind.message),
        .request_id = request_id,
    };
    e.has_counts = status == 400 && count(err, BZ_V("n_prompt_tokens"), &e.n_prompt_tokens) &&
                   count(err, BZ_V("n_ctx"), &e.n_ctx);
    *ret_status = status;
    bz_error_write(d, &e, false, out);
}
