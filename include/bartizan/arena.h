/* One arena per transaction with a hard byte cap. Nothing in it is freed singly. Blocks come from a
 * caller-given allocator (nginx: its pool; elsewhere: malloc), so the engine itself never calls
 * malloc on the request path. */
#ifndef BARTIZAN_ARENA_H
#define BARTIZAN_ARENA_H

#include <bartizan/view.h>

struct bz_alloc {
    void *(*alloc)(void *ctx, size_t n); /* NULL on failure; alignment of max_align_t */
    void (*free)(void *ctx, void *p);    /* may be NULL when the owner frees in bulk */
    void *ctx;
};
extern const struct bz_alloc bz_alloc_heap; /* malloc/free */

struct bz_arena_block;
struct bz_arena {
    struct bz_alloc a;
    struct bz_arena_block *head;
    uint8_t *cur, *end;
    size_t used, max; /* bytes taken from the allocator, and the cap */
};

/* `first`/`first_n`: optional caller memory used before the allocator is asked (may be NULL, 0). */
void bz_arena_init(struct bz_arena *ar, struct bz_alloc a, size_t max, void *first, size_t first_n);
/* Aligned to 16; NULL when the cap or the allocator says no. Contents are not zeroed. Cost O(1). */
static inline void *bz_arena_alloc(struct bz_arena *ar, size_t n);
void *bz_arena_zalloc(struct bz_arena *ar, size_t n);
/* Copy of v, NUL-terminated beyond its n bytes; .p == NULL on failure. */
struct bz_view bz_arena_dup(struct bz_arena *ar, struct bz_view v);
/* Gives every block back to the allocator; the arena is empty and usable again. */
void bz_arena_free(struct bz_arena *ar);

void *bz_arena_more(struct bz_arena *ar, size_t n); /* slow path of bz_arena_alloc */

static inline void *bz_arena_alloc(struct bz_arena *ar, size_t n) {
    size_t room = (size_t)(ar->end - ar->cur);
    size_t rounded = (n + 15) & ~(size_t)15;
    if (rounded > room || rounded < n || n == 0)
        return bz_arena_more(ar, n == 0 ? 1 : n);
    void *p = ar->cur;
    ar->cur += rounded;
    return p;
}

#endif
