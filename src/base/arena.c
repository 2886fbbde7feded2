/* Bump allocation in a chain of blocks that double in size. */
#include <bartizan/arena.h>

#include <stdlib.h>

enum { ALIGN = 16, BLOCK_MIN = 2048, BLOCK_MAX = 1 << 18 };

struct bz_arena_block {
    struct bz_arena_block *next;
    size_t n; /* bytes after this header */
};

/* Memory starts this far behind a block, so that it is aligned as the block is. */
static const size_t head = (sizeof(struct bz_arena_block) + ALIGN - 1) / ALIGN * ALIGN;

static void *heap_alloc(void *ctx, size_t n) {
    (void)ctx;
    return malloc(n);
}

static void heap_free(void *ctx, void *p) {
    (void)ctx;
    free(p);
}

const struct bz_alloc bz_alloc_heap = {heap_alloc, heap_free, NULL};

void bz_arena_init(struct bz_arena *ar, struct bz_alloc a, size_t max, void *first,
                   size_t first_n) {
    *ar = (struct bz_arena){.a = a, .max = max};
    size_t skip = first == NULL ? 0 : (ALIGN - ((uintptr_t)first & (ALIGN - 1))) & (ALIGN - 1);
    if (first != NULL && first_n > skip) {
        ar->cur = (uint8_t *)first + skip;
        ar->end = ar->cur + (first_n - skip);
    }
}

/* A new block with room for at least n bytes becomes the current one. What is left of the old one
 * is given up: less than n bytes. Sizes double with what was used so far, so a big body takes few
 * blocks and a small one little. */
static bool grow(struct bz_arena *ar, size_t n) {
    if (ar->used >= ar->max || ar->max - ar->used < head || n > ar->max - ar->used - head)
        return false;
    size_t room = ar->used < BLOCK_MIN ? BLOCK_MIN : ar->used;
    if (room > BLOCK_MAX)
        room = BLOCK_MAX;
    if (room < n)
        room = n;
    if (room > ar->max - ar->used - head)
        room = ar->max - ar->used - head;
    struct bz_arena_block *b = ar->a.alloc(ar->a.ctx, head + room);
    if (b == NULL)
        return false;
    b->next = ar->head;
    b->n = room;
    ar->head = b;
    ar->used += head + room;
    ar->cur = (uint8_t *)b + head;
    ar->end = ar->cur + room;
    return true;
}

void *bz_arena_more(struct bz_arena *ar, size_t n) {
    size_t rounded = 0;
    if (__builtin_add_overflow(n, (size_t)(ALIGN - 1), &rounded))
        return NULL;
    rounded &= ~(size_t)(ALIGN - 1);
    if (rounded > (size_t)(ar->end - ar->cur) && !grow(ar, rounded))
        return NULL;
    uint8_t *p = ar->cur;
    ar->cur += rounded;
    return p;
}

void *bz_arena_zalloc(struct bz_arena *ar, size_t n) {
    void *p = bz_arena_alloc(ar, n);
    if (p != NULL)
        memset(p, 0, n);
    return p;
}

struct bz_view bz_arena_dup(struct bz_arena *ar, struct bz_view v) {
    uint8_t *p = v.n == SIZE_MAX ? NULL : bz_arena_alloc(ar, v.n + 1);
    if (p == NULL)
        return bz_view(NULL, 0);
    if (v.n != 0)
        memcpy(p, v.p, v.n);
    p[v.n] = 0;
    return bz_view(p, v.n);
}

void bz_arena_free(struct bz_arena *ar) {
    if (ar == NULL)
        return;
    struct bz_arena_block *b = ar->head;
    while (b != NULL) {
        struct bz_arena_block *next = b->next;
        if (ar->a.free != NULL)
            ar->a.free(ar->a.ctx, b);
        b = next;
    }
    *ar = (struct bz_arena){.a = ar->a, .max = ar->max};
}
