/* Pairs of numbers for what several tensor formats ask of a million entries: is any name there
 * twice, do the ranges lie side by side. Sorted in place, so that no input costs more than
 * n log n. */
#ifndef BZ_ARTIFACT_TENSORS_H
#define BZ_ARTIFACT_TENSORS_H

#include <bartizan/buf.h>

struct bz_pair {
    uint64_t key, val;
};
struct bz_pairs {
    struct bz_buf b; /* struct bz_pair, one after the other */
    bool sorted;     /* they came in order */
};

void bz_pairs_init(struct bz_pairs *p, size_t max); /* max: pairs */
void bz_pairs_done(struct bz_pairs *p);
/* OK, ENOMEM, ETOOBIG. */
enum bz_status bz_pairs_add(struct bz_pairs *p, uint64_t key, uint64_t val) BZ_MUST_USE;
size_t bz_pairs_n(const struct bz_pairs *p);
const struct bz_pair *bz_pairs_at(const struct bz_pairs *p, size_t i);
void bz_pairs_sort(struct bz_pairs *p); /* by key, then value; in place, O(n log n) */
/* After sorting: the least value whose key was there before; false: every key is there once. */
bool bz_pairs_twice(const struct bz_pairs *p, uint64_t *ret_val);

/* A name as a key. Equal names have equal keys; two others share one by accident once in 2^63
 * pairs, and whoever arranges for it only has a file of his own refused. */
uint64_t bz_pairs_name(struct bz_view name);

#endif
