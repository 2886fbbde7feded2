/* Control tokens of the models that are served, from the chat templates that their servers show: what
 * stands in a template of its own is a token for that model, whatever the lists of families say. */
#include <stdlib.h>

#include <bartizan/limits.h>
#include "templates.h"

enum { TREE_MAX = 64 << 20 };

void bz_templates_free(struct bz_backend_run *r) {
    free(r->tokens.text);
    r->tokens.text = NULL;
    r->tokens.n = 0;
}

/* Tokens of the template, and those that the server itself puts in. */
static size_t tokens_of(const struct bz_json *root, struct bz_view out[BZ_TEMPLATE_TOKENS_MAX]) {
    static const char *const ends[] = {"bos_token", "eos_token", "eot_token"};
    enum { SHORTEST = 3 }; /* "<s>" */
    size_t n = bz_tokens_of_template(bz_json_str(bz_json_get(root, BZ_V("chat_template"))), out,
                                     BZ_TEMPLATE_TOKENS_MAX - sizeof ends / sizeof ends[0]);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct bz_view v = bz_json_str(bz_json_get(root, bz_view_str(ends[i])));
        if (v.n >= SHORTEST && v.n <= BZ_TEMPLATE_TOKEN_MAX)
            out[n++] = v;
    }
    return n;
}

/* One after the other, each ended by a zero. */
static char *joined(const struct bz_view *v, size_t n, size_t *ret_n) {
    size_t size = 1, at = 0;
    for (size_t i = 0; i < n; i++)
        size += v[i].n + 1;
    char *text = malloc(size);
    for (size_t i = 0; text != NULL && i < n; i++) {
        memcpy(text + at, v[i].p, v[i].n);
        at += v[i].n;
        text[at++] = '\0';
    }
    *ret_n = at;
    return text;
}

bool bz_templates_take(struct bz_backend_run *r, struct bz_view props) {
    struct bz_view found[BZ_TEMPLATE_TOKENS_MAX];
    struct bz_json *root = NULL;
    struct bz_arena ar;
    size_t n = 0;
    bz_arena_init(&ar, bz_alloc_heap, TREE_MAX, NULL, 0);
    bool good = bz_json_parse(props, NULL, &ar, &root, NULL) == BZ_OK;
    char *text = good ? joined(found, tokens_of(root, found), &n) : NULL;
    bz_arena_free(&ar);
    if (text == NULL)
        return false; /* what was known stays */
    bool same = bz_view_eq(bz_view(text, n), bz_view(r->tokens.text, r->tokens.n));
    bz_templates_free(r);
    r->tokens.text = text;
    r->tokens.n = n;
    return !same;
}

/* ---- for the image ---- */

static size_t split(const struct bz_backend_run *r, struct bz_view *out, size_t n, size_t cap) {
    for (size_t at = 0; at < r->tokens.n && n < cap; n++) {
        out[n] = bz_view_str(r->tokens.text + at);
        at += out[n].n + 1;
    }
    return n;
}

static struct bz_view key_of(const struct bz_image_model_input *m) {
    return bz_model_key(bz_view_str(m->target[0] != '\0' ? m->target : m->name));
}

static bool listed(const struct bz_prompt_tokens *v, size_t n, struct bz_view key) {
    for (size_t i = 0; i < n; i++)
        if (bz_view_eq(v[i].model, key))
            return true;
    return false;
}

/* Of all backends that have the model under this name. */
static size_t of_model(const struct bz_daemon *d, const struct bz_image_model_input *m,
                       struct bz_view *out) {
    size_t n = 0;
    for (uint32_t i = 0; i < d->config->backends_n; i++)
        if ((m->backends >> i & 1) != 0)
            n = split(&d->backend[i], out, n, BZ_TEMPLATE_TOKENS_MAX);
    return n;
}

enum bz_status bz_templates_now(const struct bz_daemon *d,
                                const struct bz_image_model_input *models, size_t models_n,
                                struct bz_arena *ar, struct bz_prompt_tokens **ret, size_t *ret_n) {
    struct bz_prompt_tokens *v = bz_arena_alloc(ar, (models_n + 1) * sizeof *v);
    size_t n = 0;
    if (v == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < models_n; i++) {
        struct bz_view *out = NULL, first[BZ_TEMPLATE_TOKENS_MAX];
        if (listed(v, n, key_of(&models[i])))
            continue;
        size_t k = of_model(d, &models[i], first);
        if (k == 0)
            continue;
        if ((out = bz_arena_alloc(ar, k * sizeof *out)) == NULL)
            return BZ_ENOMEM;
        memcpy(out, first, k * sizeof *out);
        v[n++] = (struct bz_prompt_tokens){.model = key_of(&models[i]), .v = out, .n = k};
    }
    *ret = v;
    *ret_n = n;
    return BZ_OK;
}
