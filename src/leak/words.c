/* Runs of words of prompts. */
#include "leak_int.h"

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
