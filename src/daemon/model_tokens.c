/* Control tokens of models, from templates, lists of special tokens, and vocabularies. */
#include <stdlib.h>

#include <bartizan/json.h>
#include <bartizan/prompts.h>
#include <bartizan/text.h>
#include "model_tokens.h"

enum { SHORTEST = 3 /* "<s>" */, TREE_MAX = 64 << 20, SCAN_MAX = 128 << 20 };

/* ---- sets ---- */

void bz_token_set_free(struct bz_token_set *s) {
    free(s->text);
    *s = (struct bz_token_set){.text = NULL};
}

bool bz_token_set_equal(const struct bz_token_set *a, const struct bz_token_set *b) {
    return bz_view_eq(bz_view(a->text, a->size), bz_view(b->text, b->size));
}

static bool shaped(struct bz_view v) {
    bool letter = false;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i], low = (uint8_t)(c | 0x20);
        bool alnum = (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9');
        if (c <= ' ' || c == 0x7f || (i == 0 && alnum))
            return false;
        letter |= alnum || c >= 0x80;
    }
    return letter && v.n >= SHORTEST && v.n <= BZ_TEMPLATE_TOKEN_MAX && bz_utf8_valid(v) == v.n;
}

static bool has(const struct bz_token_set *s, struct bz_view token) {
    for (size_t at = 0; at < s->size; at += strlen(s->text + at) + 1)
        if (bz_view_eq(bz_view_str(s->text + at), token))
            return true;
    return false;
}

enum bz_status bz_token_set_add(struct bz_token_set *s, struct bz_view token) {
    if (s->n == BZ_TEMPLATE_TOKENS_MAX || !shaped(token) || has(s, token))
        return BZ_OK;
    char *more = realloc(s->text, s->size + token.n + 1);
    if (more == NULL)
        return BZ_ENOMEM;
    memcpy(more + s->size, token.p, token.n);
    more[s->size + token.n] = '\0';
    s->text = more;
    s->size += token.n + 1;
    s->n++;
    return BZ_OK;
}

/* ---- texts ---- */

static enum bz_status of_template(struct bz_view text, struct bz_token_set *s) {
    struct bz_view found[BZ_TEMPLATE_TOKENS_MAX];
    size_t n = bz_tokens_of_template(text, found, BZ_TEMPLATE_TOKENS_MAX);
    for (size_t i = 0; i < n; i++)
        BZ_TRY(bz_token_set_add(s, found[i]));
    return BZ_OK;
}

/* A token as JSON of many hands has it: a text, or an object with its `content`. */
static enum bz_status of_token(const struct bz_json *v, struct bz_token_set *s) {
    if (bz_json_is(v, BZ_JSON_OBJECT))
        v = bz_json_get(v, BZ_V("content"));
    return bz_json_is(v, BZ_JSON_STRING) ? bz_token_set_add(s, v->val) : BZ_OK;
}

static bool ends(struct bz_view v, struct bz_view with) {
    return v.n >= with.n && bz_view_eq(bz_view_sub(v, v.n - with.n, with.n), with);
}

/* Members named ..._token. */
static enum bz_status of_token_members(const struct bz_json *root, struct bz_token_set *s) {
    for (const struct bz_json *m = root == NULL ? NULL : root->first; m != NULL; m = m->next)
        if (ends(m->key, BZ_V("_token")))
            BZ_TRY(of_token(m, s));
    return BZ_OK;
}

typedef enum bz_status tree_fn(const struct bz_json *root, struct bz_token_set *s);

static enum bz_status of_json(struct bz_view json, tree_fn *f, struct bz_token_set *s) {
    struct bz_json *root = NULL;
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, TREE_MAX, NULL, 0);
    enum bz_status st = bz_json_parse(json, NULL, &ar, &root, NULL);
    st = st == BZ_ENOMEM ? st : st == BZ_OK ? f(root, s) : BZ_OK;
    bz_arena_free(&ar);
    return st;
}

/* ---- what servers say ---- */

static enum bz_status props(const struct bz_json *root, struct bz_token_set *s) {
    BZ_TRY(of_token_members(root, s));
    return of_template(bz_json_str(bz_json_get(root, BZ_V("chat_template"))), s);
}

enum bz_status bz_tokens_of_props(struct bz_view json, struct bz_token_set *s) {
    return of_json(json, props, s);
}

static enum bz_status show(const struct bz_json *root, struct bz_token_set *s) {
    const struct bz_json *info = bz_json_get(root, BZ_V("model_info"));
    BZ_TRY(of_template(bz_json_str(bz_json_get(root, BZ_V("template"))), s));
    return of_template(bz_json_str(bz_json_get(info, BZ_V("tokenizer.chat_template"))), s);
}

enum bz_status bz_tokens_of_show(struct bz_view json, struct bz_token_set *s) {
    return of_json(json, show, s);
}

/* ---- files ---- */

/* One text, or a list of {"name", "template"}. */
static enum bz_status of_templates(const struct bz_json *v, struct bz_token_set *s) {
    if (bz_json_is(v, BZ_JSON_STRING))
        return of_template(v->val, s);
    for (const struct bz_json *t = bz_json_is(v, BZ_JSON_ARRAY) ? v->first : NULL; t != NULL;
         t = t->next)
        BZ_TRY(of_template(bz_json_str(bz_json_get(t, BZ_V("template"))), s));
    return BZ_OK;
}

static enum bz_status config(const struct bz_json *root, struct bz_token_set *s) {
    const struct bz_json *added = bz_json_get(root, BZ_V("added_tokens_decoder"));
    const struct bz_json *more = bz_json_get(root, BZ_V("additional_special_tokens"));
    BZ_TRY(of_token_members(root, s));
    BZ_TRY(of_templates(bz_json_get(root, BZ_V("chat_template")), s));
    for (const struct bz_json *t = more == NULL ? NULL : more->first; t != NULL; t = t->next)
        BZ_TRY(of_token(t, s));
    for (const struct bz_json *t = added == NULL ? NULL : added->first; t != NULL; t = t->next)
        if (bz_json_is(bz_json_get(t, BZ_V("special")), BZ_JSON_TRUE))
            BZ_TRY(of_token(t, s));
    return BZ_OK;
}

enum bz_status bz_tokens_of_config(struct bz_view json, struct bz_token_set *s) {
    return of_json(json, config, s);
}

struct gguf_tokens {
    struct bz_token_set *s, *late; /* late: control tokens, behind what templates write */
    enum bz_status st;
};

static void on_template(void *ctx, struct bz_view name, struct bz_view text,
                        const uint8_t digest[32]) {
    struct gguf_tokens *t = ctx;
    (void)name, (void)digest;
    if (t->st == BZ_OK)
        t->st = of_template(text, t->s);
}

static void on_token(void *ctx, struct bz_view text, bool control) {
    struct gguf_tokens *t = ctx;
    if (t->st == BZ_OK)
        t->st = control ? bz_token_set_add(t->late, text) : of_template(text, t->late);
}

enum bz_status bz_tokens_of_gguf(const struct bz_source *src, struct bz_token_set *s) {
    struct bz_token_set late = {.text = NULL};
    struct gguf_tokens t = {s, &late, BZ_OK};
    const struct bz_facts facts = {
        .ctx = &t, .chat_template = on_template, .special_token = on_token};
    const struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_CRITICAL, .facts = &facts};
    struct bz_scan_result found;
    uint8_t magic[4];
    struct bz_arena ar;
    if (bz_source_exact(src, 0, magic, sizeof magic) != BZ_OK ||
        !bz_view_eq(bz_view(magic, sizeof magic), BZ_V("GGUF")))
        return BZ_OK;
    bz_arena_init(&ar, bz_alloc_heap, SCAN_MAX, NULL, 0);
    enum bz_status st = bz_scan(&ar, src, BZ_V("model.gguf"), &opt, &found);
    bz_arena_free(&ar);
    for (size_t at = 0; at < late.size && t.st == BZ_OK; at += strlen(late.text + at) + 1)
        t.st = bz_token_set_add(s, bz_view_str(late.text + at));
    bz_token_set_free(&late);
    return st == BZ_ENOMEM || t.st == BZ_ENOMEM ? BZ_ENOMEM : BZ_OK;
}
