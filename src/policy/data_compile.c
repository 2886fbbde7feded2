/* From the configuration's own words and patterns to a detect pack. */
#include <bartizan/arena.h>
#include "data_int.h"

enum { arena_max = 16 << 20 };

static struct bz_view *views_of(struct bz_arena *ar, char *const *list, uint32_t n) {
    struct bz_view *out = bz_arena_zalloc(ar, (n + 1u) * sizeof *out);
    for (uint32_t i = 0; out != NULL && i < n; i++)
        out[i] = bz_view_str(list[i]);
    return out;
}

static enum bz_status customs_of(const struct bz_config *c, struct bz_arena *ar,
                                 struct bz_custom **ret) {
    struct bz_custom *out = bz_arena_zalloc(ar, (c->data.custom_n + 1u) * sizeof *out);
    for (uint32_t i = 0; out != NULL && i < c->data.custom_n; i++) {
        const struct bz_custom_config *in = &c->data.custom[i];
        out[i] = (struct bz_custom){
            .name = bz_view_str(in->name),
            .words = views_of(ar, in->words, in->words_n),
            .words_n = in->words_n,
            .pattern = bz_view_str(in->pattern),
            .nocase = in->ignore_case,
            .whole_word = in->whole_word,
            .level = (uint8_t)in->level,
            .cls = in->label ? BZ_CLASS_LABEL : BZ_CLASS_CUSTOM,
        };
        if (out[i].words == NULL)
            return BZ_ENOMEM;
    }
    *ret = out;
    return out == NULL ? BZ_ENOMEM : BZ_OK;
}

static void put_error(const struct bz_config *c, const struct bz_custom_error *in,
                      struct bz_config_error *ret) {
    const struct bz_custom_config *own =
        in->index < c->data.custom_n ? &c->data.custom[in->index] : NULL;
    struct bz_buf out;
    *ret = (struct bz_config_error){.line = own == NULL ? 0 : own->line,
                                    .column = own == NULL ? 0 : own->column};
    bz_buf_init_fixed(&out, ret->path, sizeof ret->path - 1);
    bz_buf_puts(&out, "data.custom[");
    bz_buf_put_u64(&out, in->index);
    bz_buf_puts(&out, own != NULL && own->words == NULL ? "].pattern" : "].words");
    size_t n = strnlen(in->text, sizeof in->text);
    memcpy(ret->text, in->text, n < sizeof ret->text ? n : sizeof ret->text - 1);
}

enum bz_status bz_config_compile(const struct bz_config *c, struct bz_buf *out,
                                 struct bz_config_error *err) {
    struct bz_arena ar;
    struct bz_custom *customs = NULL;
    struct bz_custom_error why = {.index = SIZE_MAX};
    bz_arena_init(&ar, bz_alloc_heap, arena_max, NULL, 0);
    enum bz_status st = customs_of(c, &ar, &customs);
    if (st == BZ_OK)
        st = bz_detect_compile(customs, c->data.custom_n, out, &why);
    if (st == BZ_OK)
        st = bz_buf_status(out);
    if (why.text[0] != '\0' && (st == BZ_ESYNTAX || st == BZ_EEXISTS || st == BZ_ETOOBIG)) {
        put_error(c, &why, err);
        st = BZ_ESYNTAX;
    }
    bz_arena_free(&ar);
    return st;
}

static void put_field(struct bz_buf *out, const char *text) {
    struct bz_view v = bz_view_str(text);
    bz_buf_put_le32(out, (uint32_t)v.n);
    bz_buf_put(out, v);
}

enum bz_status bz_config_compile_key(const struct bz_config *c, uint8_t out[BZ_HASH_LEN]) {
    static const uint8_t label[BZ_KEY_LEN] = "bartizan detect pack";
    struct bz_buf b;
    bz_buf_init(&b, 4 * (size_t)BZ_CONFIG_MAX + BZ_CUSTOM_MAX * 64u);
    put_field(&b, BZ_VERSION);
    for (uint32_t i = 0; i < c->data.custom_n; i++) {
        const struct bz_custom_config *own = &c->data.custom[i];
        put_field(&b, own->name);
        bz_buf_putc(&b, own->ignore_case);
        bz_buf_putc(&b, own->whole_word);
        bz_buf_putc(&b, own->label);
        bz_buf_putc(&b, (uint8_t)own->level);
        put_field(&b, own->pattern);
        bz_buf_put_le32(&b, own->words_n);
        for (uint32_t w = 0; w < own->words_n; w++)
            put_field(&b, own->words[w]);
    }
    enum bz_status st = bz_buf_status(&b);
    if (st == BZ_OK)
        bz_keyed_hash(label, bz_buf_view(&b), out);
    bz_buf_free(&b);
    return st;
}
