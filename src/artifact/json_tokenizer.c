/* tokenizer.json: what is done to text on its way into the model and out of it. Steps that mend blanks and
 * signs are usual; one that replaces, inserts or drops words makes a model say or read something else.
 * Source: huggingface/tokenizers, normalizers, decoders, processors. */
#include <bartizan/text.h>

#include "json_int.h"

enum { DEPTH = 8, WORD = 3, SIGNS = 2, TOKEN_BYTES = 40, SPECIAL_IDS = 2 };

/* Of alphabets; and signs that are words by themselves. */
static bool is_letter(uint32_t c) {
    return ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= 0xc0 && c <= 0x24f) ||
           (c >= 0x370 && c <= 0x1fff);
}

static bool is_sign(uint32_t c) {
    return (c >= 0x3041 && c <= 0x30ff) || (c >= 0x4e00 && c <= 0x9fff) ||
           (c >= 0xac00 && c <= 0xd7a3);
}

/* "<unk>", "[SEP]", "</w>": the length of a special token's name at the front; 0: none. */
static size_t token(struct bz_view v) {
    uint8_t close = v.p[0] == '<' ? '>' : v.p[0] == '[' ? ']' : 0;
    for (size_t i = 1; close != 0 && i < v.n && i < TOKEN_BYTES && v.p[i] != ' '; i++) {
        if (v.p[i] == close)
            return i + 1;
    }
    return 0;
}

/* What a regular expression has besides text, at its front: escapes, classes, the beginnings of groups. */
static size_t syntax(struct bz_view v) {
    size_t n = 1;
    if (v.p[0] == '\\') {
        n = v.n > 2 && (v.p[1] | 32) == 'p' && v.p[2] == '{' ? 3 : 2;
        while (n > 2 && n < v.n && v.p[n - 1] != '}')
            n++;
    } else if (v.p[0] == '[') {
        while (n < v.n && v.p[n] != ']')
            n += v.p[n] == '\\' ? 2 : 1;
        n++;
    } else if (v.n > 1 && v.p[0] == '(' && v.p[1] == '?') {
        while (n < v.n && memchr(":=!>)", v.p[n], 5) == NULL)
            n++;
        n++;
    } else {
        return 0;
    }
    return n < v.n ? n : v.n;
}

/* Letters in a row that are no special token. */
static bool has_words(struct bz_view v, bool regex) {
    size_t letters = 0, signs = 0;
    while (v.n > 0) {
        uint32_t c = 0;
        size_t skip = regex ? syntax(v) : token(v), n = skip > 0 ? skip : bz_utf8_next(v, &c);
        letters = skip == 0 && is_letter(c) ? letters + 1 : 0;
        signs = skip == 0 && is_sign(c) ? signs + 1 : 0;
        if (letters >= WORD || signs >= SIGNS)
            return true;
        v = bz_view_sub(v, n > 0 ? n : 1, v.n);
    }
    return false;
}

static enum bz_status text_of(struct bz_json_scan *x, const struct bz_json *n, bool regex) {
    if (!bz_json_is(n, BZ_JSON_STRING) || !has_words(n->val, regex))
        return BZ_OK;
    return BZ_J_FOUND(x, BZ_J_REWRITE, n, n->val);
}

/* {"type": "Replace", "pattern": {"String": "a"}, "content": "b"}, {"type": "Prepend", ...} */
static enum bz_status step(struct bz_json_scan *x, const struct bz_json *s) {
    const struct bz_json *pattern = bz_json_get(s, BZ_V("pattern"));
    struct bz_view type = bz_json_text(s, BZ_V("type"));
    if (bz_view_eq(type, BZ_V("Prepend")))
        return text_of(x, bz_json_get(s, BZ_V("prepend")), false);
    if (!bz_view_eq(type, BZ_V("Replace")))
        return BZ_OK;
    BZ_TRY(text_of(x, bz_json_get(pattern, BZ_V("String")), false));
    BZ_TRY(text_of(x, bz_json_get(pattern, BZ_V("Regex")), true));
    return text_of(x, bz_json_get(s, BZ_V("content")), false);
}

/* A step, or a sequence of them. */
static enum bz_status steps(struct bz_json_scan *x, const struct bz_json *s, unsigned depth) {
    static const char *const lists[] = {"normalizers", "decoders", "pretokenizers", "processors"};
    if (!bz_json_is(s, BZ_JSON_OBJECT) || depth == 0)
        return BZ_OK;
    BZ_TRY(step(x, s));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const struct bz_json *list = bz_json_get(s, bz_view_str(lists[i]));
        if (!bz_json_is(list, BZ_JSON_ARRAY))
            continue;
        for (const struct bz_json *m = list->first; m != NULL; m = m->next)
            BZ_TRY(steps(x, m, depth - 1));
    }
    return BZ_OK;
}

/* {"type": "TemplateProcessing", "special_tokens": {"<s>": {"id": "<s>", "ids": [1], ...}}} */
static enum bz_status specials(struct bz_json_scan *x, const struct bz_json *processor) {
    const struct bz_json *all = bz_json_get(processor, BZ_V("special_tokens"));
    if (!bz_json_is(all, BZ_JSON_OBJECT))
        return BZ_OK;
    for (const struct bz_json *t = all->first; t != NULL; t = t->next) {
        const struct bz_json *ids = bz_json_get(t, BZ_V("ids"));
        if (bz_json_is(ids, BZ_JSON_ARRAY) && ids->count > SPECIAL_IDS)
            return BZ_J_FOUND(x, BZ_J_REWRITE, t, t->key);
    }
    return BZ_OK;
}

enum bz_status bz_json_tokenizer(struct bz_json_scan *x, const struct bz_json *root) {
    static const char *const ways[] = {"normalizer", "pre_tokenizer", "post_processor", "decoder"};
    if (!bz_json_is(bz_json_get(root, BZ_V("model")), BZ_JSON_OBJECT))
        return BZ_OK;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        BZ_TRY(steps(x, bz_json_get(root, bz_view_str(ways[i])), DEPTH));
    return specials(x, bz_json_get(root, BZ_V("post_processor")));
}
