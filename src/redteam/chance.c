/* Chance that repeats, and what it takes to tell chance from change. */
#include <math.h>

#include "red_int.h"

uint64_t bz_red_next(struct bz_red_rng *r) {
    uint64_t z = r->s += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t bz_red_below(struct bz_red_rng *r, uint32_t n) {
    /* Multiply and shift: without a division, and as even as 32 bits can be. */
    return n == 0 ? 0 : (uint32_t)((bz_red_next(r) >> 32) * n >> 32);
}

/* Wilson (1927): the interval of a proportion that stays within 0 and 1 and holds for small n, too. */
struct bz_red_rate bz_red_rate(uint64_t k, uint64_t n) {
    struct bz_red_rate r = {.k = k, .n = n, .low = 0, .high = 1};
    if (n == 0 || k > n)
        return r;
    const double z = 1.959963984540054, z2 = z * z, nd = (double)n, p = (double)k / nd;
    double mid = (p + z2 / (2 * nd)) / (1 + z2 / nd);
    double half = z / (1 + z2 / nd) * sqrt(p * (1 - p) / nd + z2 / (4 * nd * nd));
    r.low = k == 0 ? 0 : fmax(0, mid - half);
    r.high = k == n ? 1 : fmin(1, mid + half);
    return r;
}

bool bz_red_fell(const struct bz_red_rate *before, const struct bz_red_rate *now) {
    if (before->n == 0 || now->n == 0)
        return false;
    double p = (double)before->k / (double)before->n, q = (double)now->k / (double)now->n;
    double a = p - before->low, b = now->high - q;
    return p - q - sqrt(a * a + b * b) > 0;
}
