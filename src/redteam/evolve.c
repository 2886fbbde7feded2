/* What came nearest is kept and varied. */
#include "red_int.h"

void bz_red_pool_init(struct bz_red_pool *p, size_t size) {
    *p = (struct bz_red_pool){.size = size <= sizeof p->gene[0] ? size : sizeof p->gene[0]};
}

const void *bz_red_pool_pick(const struct bz_red_pool *p, struct bz_red_rng *r) {
    if (p->n == 0)
        return NULL;
    uint32_t best = bz_red_below(r, (uint32_t)p->n);
    for (int i = 0; i < 2; i++) {
        uint32_t k = bz_red_below(r, (uint32_t)p->n);
        if (p->fit[k] > p->fit[best])
            best = k;
    }
    return p->gene[best];
}

void bz_red_pool_put(struct bz_red_pool *p, struct bz_red_rng *r, const void *gene, double fit) {
    size_t at = p->n;
    if (p->n < BZ_RED_POOL) {
        p->n++;
    } else { /* the worst leaves; of equals one by chance, so that the pool drifts */
        size_t from = bz_red_below(r, BZ_RED_POOL);
        at = from;
        for (size_t i = 0; i < BZ_RED_POOL; i++) {
            size_t k = (from + i) % BZ_RED_POOL;
            if (p->fit[k] < p->fit[at])
                at = k;
        }
        if (p->fit[at] > fit)
            return;
    }
    memcpy(p->gene[at], gene, p->size);
    p->fit[at] = fit;
}
