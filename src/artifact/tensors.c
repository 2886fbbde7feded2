/* Pairs of numbers, sorted. */
#include "tensors.h"

#include <bartizan/crypto.h>

static inline struct bz_pair *all(const struct bz_pairs *p) {
    return (struct bz_pair *)(void *)p->b.p; /* from realloc: aligned */
}

void bz_pairs_init(struct bz_pairs *p, size_t max) {
    bz_buf_init(&p->b, max * sizeof(struct bz_pair));
    p->sorted = true;
}

void bz_pairs_done(struct bz_pairs *p) {
    bz_buf_free(&p->b);
}

size_t bz_pairs_n(const struct bz_pairs *p) {
    return p->b.n / sizeof(struct bz_pair);
}

const struct bz_pair *bz_pairs_at(const struct bz_pairs *p, size_t i) {
    return &all(p)[i];
}

static inline bool less(const struct bz_pair *a, const struct bz_pair *b) {
    return a->key != b->key ? a->key < b->key : a->val < b->val;
}

enum bz_status bz_pairs_add(struct bz_pairs *p, uint64_t key, uint64_t val) {
    struct bz_pair one = {key, val};
    size_t n = bz_pairs_n(p);
    if (n > 0 && less(&one, &all(p)[n - 1]))
        p->sorted = false;
    bz_buf_put(&p->b, bz_view(&one, sizeof one));
    return bz_buf_status(&p->b);
}

static void sift(struct bz_pair *v, size_t at, size_t n) {
    struct bz_pair one = v[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && less(&v[child], &v[child + 1]))
            child++;
        if (!less(&one, &v[child]))
            break;
        v[at] = v[child];
        at = child;
    }
    v[at] = one;
}

void bz_pairs_sort(struct bz_pairs *p) {
    struct bz_pair *v = all(p);
    size_t n = bz_pairs_n(p);
    if (p->sorted)
        return;
    for (size_t i = n / 2; i-- > 0;)
        sift(v, i, n);
    for (size_t i = n; i-- > 1;) {
        struct bz_pair most = v[0];
        v[0] = v[i];
        v[i] = most;
        sift(v, 0, i);
    }
    p->sorted = true;
}

bool bz_pairs_twice(const struct bz_pairs *p, uint64_t *ret_val) {
    const struct bz_pair *v = all(p);
    bool found = false;
    for (size_t i = 1; i < bz_pairs_n(p); i++) {
        if (v[i].key == v[i - 1].key && (!found || v[i].val < *ret_val)) {
            *ret_val = v[i].val;
            found = true;
        }
    }
    return found;
}

uint64_t bz_pairs_name(struct bz_view name) {
    static const uint8_t seed[16] = "tensor names";
    return bz_name_hash(seed, name);
}
