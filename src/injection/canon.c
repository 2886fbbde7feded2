/* All readings of a text: its canonical form, then what it says once decoded. */
#include "readings.h"

size_t work_room(struct work *w, const struct layer *from) {
    if (from->how_n == BZ_READING_DEPTH || w->r_n == BZ_READINGS_MAX || w->left == 0) {
        w->capped = true;
        return 0;
    }
    return w->left;
}

/* Folds, lowers, takes down and decodes one text. */
static void work_layer(struct work *w, const struct layer *raw) {
    struct layer folded;
    struct layer low;
    uint32_t signs = 0;
    if (!canon_fold(w, raw, &folded, &signs) || !canon_lower(w, &folded, &low)) {
        w->failed = true;
        return;
    }
    struct bz_reading *r = &w->r[w->r_n++];
    *r = (struct bz_reading){
        .text = low.text, .map = low.map, .how_n = raw->how_n, .signs = signs & 0xffff};
    memcpy(r->how, raw->how, sizeof r->how);
    bz_reading_place(r, 0, r->text.n, &r->from, &r->to);
    decode_all(w, raw, &folded, signs);
}

void work_read(struct work *w, const struct layer *from, enum bz_decoding how, struct maker *m) {
    if (w->failed || m->failed) {
        w->failed = true;
        return;
    }
    if (m->n == 0 || work_room(w, from) == 0)
        return;
    struct layer raw = {.text = bz_view(m->p, m->n), .how_n = from->how_n};
    memcpy(raw.how, from->how, sizeof raw.how);
    raw.how[raw.how_n++] = (uint8_t)how;
    raw.map = maker_map(m, from->map);
    if (raw.map == NULL) {
        w->failed = true;
        return;
    }
    w->left -= m->n < w->left ? m->n : w->left;
    work_layer(w, &raw);
}

enum bz_status bz_readings(struct bz_view text, struct bz_arena *ar, struct bz_reading **ret,
                           size_t *ret_n) {
    if (text.n > INT32_MAX)
        return BZ_ETOOBIG;
    struct work w = {.ar = ar, .left = BZ_READINGS_BYTES, .stretches = STRETCHES_MAX};
    w.r = bz_arena_alloc(ar, BZ_READINGS_MAX * sizeof *w.r);
    if (w.r == NULL)
        return BZ_ENOMEM;
    struct layer raw = {.text = text};
    work_layer(&w, &raw);
    if (w.failed)
        return BZ_ENOMEM;
    if (w.capped)
        w.r[0].signs |= BZ_SIGN_CAPPED;
    *ret = w.r;
    *ret_n = w.r_n;
    return BZ_OK;
}
