/* Runs of words of prompts. */
#include "leak_int.h"

#include <bartizan/text.h>

uint64_t leak_word(uint64_t mul, const uint8_t *sym, size_t n) {
    uint64_t h = n;
    while (n > 0) {
        uint64_t part = 0;
        size_t k = n < 8 ? n : 8;
        memcpy(&part, sym, k);
        h = (h ^ part) * mul;
        h ^= h >> 29;
        sym += k;
        n -= k;
    }
    return h;
}

bool leak_words_add(struct leak_words *w, uint64_t word, uint64_t *ret) {
    uint64_t h = 0;
    for (size_t i = 0; i + 1 < GRAM; i++)
        w->last[i] = w->last[i + 1];
    w->last[GRAM - 1] = word;
    w->n += w->n < GRAM;
    if (w->n < GRAM)
        return false;
    for (size_t i = 0; i < GRAM; i++)
        h = (h << 7 | h >> 57) + w->last[i] * (2 * i + 3);
    *ret = h ^ h >> 31;
    return true;
}

int leak_gram_find(const struct leak_tables *t, uint64_t gram) {
    uint64_t at = gram >> (64 - t->head->gram_log2);
    if ((t->gram_filter[at >> 3] >> (at & 7) & 1) == 0)
        return -1;
    size_t lo = 0, hi = t->head->grams;
    uint64_t tag = gram >> TAG_ITEM;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        uint64_t v = t->grams[mid];
        if (v >> TAG_ITEM == tag) {
            uint32_t item = (uint32_t)(v & ((1u << TAG_ITEM) - 1));
            return item < t->head->items ? (int)item : -1;
        }
        if (v >> TAG_ITEM < tag)
            lo = mid + 1;
        else
            hi = mid;
    }
    return -1;
}

bool leak_word_maybe(const struct leak_tables *t, uint64_t word) {
    uint64_t at = word >> (64 - t->head->word_log2);
    return (t->word_filter[at >> 3] >> (at & 7) & 1) != 0;
}

/* ---- a text's words ---- */

struct reading {
    leak_take_word *take;
    void *ctx;
    size_t n;
    uint8_t sym[WORD_MAX];
};

static void end_word(struct reading *r) {
    if (r->n != 0)
        r->take(r->ctx, r->sym, r->n);
    r->n = 0;
}

static void put(struct reading *r, const uint8_t *sym, size_t n, bool alone) {
    for (size_t i = 0; i < n; i++) {
        if (r->n == WORD_MAX || alone)
            end_word(r);
        r->sym[r->n++] = sym[i];
    }
    if (alone)
        end_word(r);
}

bool leak_each_word(struct bz_view text, leak_take_word *take, void *ctx) {
    struct reading r = {.take = take, .ctx = ctx};
    bool good = true;
    for (size_t at = 0, used = 1; at < text.n; at += used) {
        uint8_t what = leak_fold[text.p[at]], sym[4] = {what};
        size_t n = what < SYM_END;
        bool alone = false;
        used = 1;
        if (what == FOLD_WIDE) {
            uint32_t cp = 0;
            used = bz_utf8_next(bz_view_sub(text, at, text.n), &cp);
            good &= used != 0;
            n = used != 0 ? leak_fold_wide(cp, sym, &what, &alone) : 0;
            used += used == 0;
        }
        if (n != 0)
            put(&r, sym, n, alone);
        else if (what != FOLD_HIDDEN)
            end_word(&r);
    }
    end_word(&r);
    return good;
}
