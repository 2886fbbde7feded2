/* A whole text and its findings: what may leave. */
#include "screen.h"

struct piece { /* a replacement in its place */
    uint64_t start, end;
    struct bz_view text;
};

static enum bz_status join(struct bz_view text, const struct piece *v, size_t n,
                           struct bz_arena *ar, struct bz_view *ret) {
    size_t size = text.n, at = 0;
    for (size_t i = 0; i < n; i++)
        size += v[i].text.n; /* at most: what is replaced goes off again */
    uint8_t *p = bz_arena_alloc(ar, size);
    struct bz_buf b;
    if (p == NULL)
        return BZ_ENOMEM;
    bz_buf_init_fixed(&b, p, size);
    for (size_t i = 0; i < n; i++) {
        bz_buf_put(&b, bz_view_sub(text, at, (size_t)v[i].start - at));
        bz_buf_put(&b, v[i].text);
        at = (size_t)v[i].end;
    }
    bz_buf_put(&b, bz_view_sub(text, at, text.n));
    *ret = bz_buf_view(&b);
    return bz_buf_status(&b);
}

enum bz_status bz_tx_edit(struct bz_tx *tx, struct bz_view text, enum bz_text_mode mode,
                          const struct bz_findings *found, struct bz_arena *ar,
                          struct screen_edited *ret) {
    struct piece *v = NULL;
    size_t n = 0;
    *ret = (struct screen_edited){.text = text, .worst = BZ_ACTION_ALLOW};
    if (found->n == 0)
        return BZ_OK;
    v = bz_arena_alloc(ar, found->n * sizeof *v);
    if (v == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < found->n; i++) {
        const struct bz_finding *f = &found->v[i];
        struct bz_view value = bz_view_sub(text, (size_t)f->start, (size_t)(f->end - f->start));
        struct screen_verdict one;
        BZ_TRY(bz_tx_screen_one(tx, f, value, mode, ar, &one));
        bz_tx_screen_count(tx, f->type, one.action);
        if (one.action > ret->worst) {
            ret->worst = one.action;
            ret->at = *f;
        }
        if (one.replaces)
            v[n++] = (struct piece){f->start, f->end, one.text};
    }
    if (n == 0)
        return BZ_OK;
    ret->changed = true;
    return join(text, v, n, ar, &ret->text);
}
