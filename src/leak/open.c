/* A blob's tables, checked. */
#include "leak_int.h"

_Static_assert(sizeof(struct leak_head) % 8 == 0, "tags follow it");
_Static_assert(sizeof(struct leak_item) == 12, "as it is written");

static bool head_good(const struct leak_head *h) {
    return h->items <= BZ_LEAK_ITEMS_MAX && h->tags <= BZ_LEAK_TAGS_MAX &&
           h->grams <= BZ_LEAK_TAGS_MAX && h->filter_log2 >= 6 && h->filter_log2 <= 24 &&
           h->gram_log2 >= 6 && h->gram_log2 <= 24 && h->word_log2 >= 6 && h->word_log2 <= 24 &&
           h->need <= GRAM_WINDOW && h->zero == 0 && h->zero_byte == 0;
}

/* true: everything has its place in the blob. */
static bool lay_out(struct bz_view blob, struct leak_tables *t) {
    const uint8_t *p = blob.p;
    t->head = (const struct leak_head *)(const void *)p;
    const struct leak_head *h = t->head;
    if (!head_good(h))
        return false;
    size_t at = sizeof *h;
    t->tags = (const uint64_t *)(const void *)(p + at);
    at += (size_t)h->tags * sizeof(uint64_t);
    t->grams = (const uint64_t *)(const void *)(p + at);
    at += (size_t)h->grams * sizeof(uint64_t);
    t->items = (const struct leak_item *)(const void *)(p + at);
    at += (size_t)h->items * sizeof(struct leak_item);
    t->filter = p + at;
    at += (size_t)1 << h->filter_log2 >> 3;
    t->gram_filter = p + at;
    at += (size_t)1 << h->gram_log2 >> 3;
    t->word_filter = p + at;
    at += (size_t)1 << h->word_log2 >> 3;
    t->names = p + at;
    return at + h->names_bytes == blob.n; /* all of it together is below 4 GiB */
}

static bool items_good(const struct leak_tables *t) {
    for (uint32_t i = 0; i < t->head->items; i++) {
        const struct leak_item *item = &t->items[i];
        if (item->kind >= BZ_LEAK_COUNT || item->name_at > t->head->names_bytes ||
            item->name_n > t->head->names_bytes - item->name_at || item->need > GRAM_WINDOW)
            return false;
    }
    return true;
}

enum bz_status bz_leaks_open(struct bz_view blob, struct bz_leaks *ret) {
    struct leak_tables t;
    uint64_t magic;
    if (blob.n == 0) {
        *ret = (struct bz_leaks){.bytes = {NULL, 0}};
        return BZ_OK;
    }
    if (blob.n < sizeof(struct leak_head) || ((uintptr_t)blob.p & 7) != 0)
        return BZ_ECORRUPT;
    memcpy(&magic, blob.p, sizeof magic);
    if (magic != LEAK_MAGIC)
        return BZ_EVERSION;
    if (!lay_out(blob, &t) || !items_good(&t))
        return BZ_ECORRUPT;
    ret->bytes = blob;
    return BZ_OK;
}

bool leak_tables(const struct bz_leaks *l, struct leak_tables *ret) {
    return l != NULL && l->bytes.n != 0 && lay_out(l->bytes, ret);
}

bool bz_leaks_record(const struct bz_leaks *l) {
    struct leak_tables t;
    return leak_tables(l, &t) && t.head->record != 0;
}

bool bz_leaks_prompts(const struct bz_leaks *l) {
    struct leak_tables t;
    return leak_tables(l, &t) && t.head->grams != 0;
}
