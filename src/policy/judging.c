/* The settings of the section `injection` as workers get them.
 *
 *   magic 8 | mode 1 | detectors 1 | per channel: flag, block, flag_at, block_at | exceptions le32
 *   each: mode 1 | any role 1 | roles le32, texts | any model 1 | models le32, texts
 *   text: le32 length, bytes */
#include <bartizan/rd.h>
#include "image_format.h"

#define MAGIC "BZJUDGE1"
enum { magic_n = sizeof MAGIC - 1, text_least = 4, exception_least = 11 };

/* For Ollama NAME and NAME:latest are one model. */
struct bz_view bz_model_key(struct bz_view v) {
    const struct bz_view end = BZ_V(":latest");
    if (v.n > end.n && bz_view_eq(bz_view_sub(v, v.n - end.n, end.n), end))
        return bz_view_sub(v, 0, v.n - end.n);
    return v;
}

static struct bz_view key_of(const struct bz_image_model_input *m) {
    struct bz_view target = bz_view_str(m->target);
    return bz_model_key(target.n == 0 ? bz_view_str(m->name) : target);
}

bool bz_model_named(char *const *patterns, uint32_t n, const struct bz_image_model_input *m) {
    struct bz_view name = bz_view_str(m->name), key = key_of(m);
    for (uint32_t i = 0; patterns != NULL && i < n; i++) {
        struct bz_view p = bz_view_str(patterns[i]);
        if (img_pattern_match(p, name) || img_pattern_match(p, key) ||
            bz_view_eq(bz_model_key(p), bz_model_key(name)) || bz_view_eq(bz_model_key(p), key))
            return true;
    }
    return patterns == NULL;
}

/* ---- writing ---- */

static void put_text(struct bz_buf *out, struct bz_view v) {
    bz_buf_put_le32(out, (uint32_t)v.n);
    bz_buf_put(out, v);
}

static bool written(const struct bz_image_model_input *models, size_t i, char *const *patterns,
                    uint32_t n) {
    for (size_t k = 0; k < i; k++)
        if (bz_view_eq(key_of(&models[k]), key_of(&models[i])) &&
            bz_model_named(patterns, n, &models[k]))
            return true;
    return false;
}

/* The models that the patterns come to now; a list that changes brings another image. */
static void put_models(struct bz_buf *out, const struct bz_injection_exception *e,
                       const struct bz_image_model_input *models, size_t n) {
    uint32_t count = 0;
    bz_buf_putc(out, e->models == NULL);
    for (int write = 0; write < 2; write++) {
        if (write == 1)
            bz_buf_put_le32(out, count);
        for (size_t i = 0; e->models != NULL && i < n; i++) {
            if (!bz_model_named(e->models, e->models_n, &models[i]) ||
                written(models, i, e->models, e->models_n))
                continue;
            count += write == 0;
            if (write == 1)
                put_text(out, key_of(&models[i]));
        }
    }
}

enum bz_status bz_judging_compile(const struct bz_config *c,
                                  const struct bz_image_model_input *models, size_t models_n,
                                  struct bz_buf *out) {
    const struct bz_injection_config *in = &c->injection;
    bz_buf_put(out, bz_view(MAGIC, magic_n));
    bz_buf_putc(out, (uint8_t)in->mode);
    bz_buf_putc(out, in->detectors);
    for (int ch = 0; ch < BZ_CHANNEL_COUNT; ch++) {
        const struct bz_injection_channel *x = &in->channel[ch];
        bz_buf_putc(out, x->flag);
        bz_buf_putc(out, x->block);
        bz_buf_putc(out, x->flag_at);
        bz_buf_putc(out, x->block_at);
    }
    bz_buf_put_le32(out, in->exceptions_n);
    for (uint32_t i = 0; i < in->exceptions_n; i++) {
        const struct bz_injection_exception *e = &in->exceptions[i];
        bz_buf_putc(out, (uint8_t)e->mode);
        bz_buf_putc(out, e->roles == NULL);
        bz_buf_put_le32(out, e->roles_n);
        for (uint32_t k = 0; k < e->roles_n; k++)
            put_text(out, bz_view_str(e->roles[k]));
        put_models(out, e, models, models_n);
    }
    return bz_buf_status(out);
}

/* ---- reading ---- */

static bool listed(struct bz_rd *r, struct bz_view name) {
    bool all = bz_rd_u8(r) != 0, found = false;
    uint32_t n = bz_rd_count(r, text_least);
    for (uint32_t i = 0; i < n && bz_rd_ok(r); i++) {
        struct bz_view v = bz_rd_take(r, bz_rd_le32(r));
        found |= bz_view_eq(v, name);
    }
    return all || found;
}

static bool channel_ok(const struct bz_injection_channel *x) {
    return x->flag < BZ_ACTION_COUNT && x->block < BZ_ACTION_COUNT && x->flag_at <= x->block_at;
}

enum bz_status bz_judging_find(struct bz_view blob, struct bz_view role, struct bz_view model,
                               struct bz_judging *ret) {
    struct bz_rd r;
    struct bz_judging j;
    bool decided = false, ok;
    if (blob.n == 0)
        return BZ_ENOTFOUND;
    bz_rd_init(&r, blob);
    ok = bz_view_eq(bz_rd_take(&r, magic_n), bz_view(MAGIC, magic_n));
    uint8_t mode = bz_rd_u8(&r);
    j.detectors = bz_rd_u8(&r);
    for (int ch = 0; ch < BZ_CHANNEL_COUNT; ch++) {
        struct bz_injection_channel *x = &j.channel[ch];
        x->flag = bz_rd_u8(&r);
        x->block = bz_rd_u8(&r);
        x->flag_at = bz_rd_u8(&r);
        x->block_at = bz_rd_u8(&r);
        ok &= channel_ok(x);
    }
    uint32_t n = bz_rd_count(&r, exception_least);
    for (uint32_t i = 0; i < n && bz_rd_ok(&r); i++) {
        uint8_t own = bz_rd_u8(&r);
        bool fits_role = listed(&r, role), fits_model = listed(&r, model);
        if (!decided && fits_role && fits_model)
            mode = own;
        decided |= fits_role && fits_model;
    }
    if (!ok || mode > BZ_INJECTION_ON || bz_rd_end(&r) != BZ_OK)
        return BZ_ECORRUPT;
    j.mode = (enum bz_injection_mode)mode;
    *ret = j;
    return BZ_OK;
}

enum bz_action bz_judging_action(const struct bz_judging *j, enum bz_channel c, unsigned score) {
    const struct bz_injection_channel *x = &j->channel[c < BZ_CHANNEL_COUNT ? c : 0];
    enum bz_action a = score >= x->block_at  ? (enum bz_action)x->block
                       : score >= x->flag_at ? (enum bz_action)x->flag
                                             : BZ_ACTION_ALLOW;
    if (j->mode == BZ_INJECTION_OFF)
        return BZ_ACTION_ALLOW;
    return j->mode == BZ_INJECTION_RECORD && a > BZ_ACTION_RECORD ? BZ_ACTION_RECORD : a;
}
