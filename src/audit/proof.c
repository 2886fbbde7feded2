#include <bartizan/audit.h>

/* Largest power of two below n, n > 1 (RFC 9162, 2.1.1). */
static uint64_t split(uint64_t n) {
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* Hash of the leaves [lo, hi): the complete subtrees of its binary decomposition, joined from the
 * right. lo is a multiple of every power of two used, because the ranges come from split(). */
static enum bz_status range_hash(const struct bz_tile_source *src, uint64_t lo, uint64_t hi,
                                 uint64_t size, struct bz_hash *ret) {
    struct bz_hash right = {{0}};
    bool some = false;
    while (hi > lo) {
        unsigned k = (unsigned)__builtin_ctzll(hi - lo); /* the rightmost, smallest one */
        uint64_t n = (uint64_t)1 << k;
        struct bz_hash h;
        BZ_TRY(bz_tile_hash(src, k, (hi - n) >> k, size, &h));
        if (some)
            bz_node_hash(&h, &right, &right);
        else
            right = h;
        some = true;
        hi -= n;
    }
    if (!some)
        return BZ_EINVAL;
    *ret = right;
    return BZ_OK;
}

static void reverse(struct bz_hash *h, size_t n) {
    for (size_t i = 0; i < n / 2; i++) {
        struct bz_hash t = h[i];
        h[i] = h[n - 1 - i];
        h[n - 1 - i] = t;
    }
}

/* RFC 9162, 2.1.3.1, from the root down; the proof goes from the leaf up. */
enum bz_status bz_proof_inclusion(const struct bz_tile_source *src, uint64_t index, uint64_t size,
                                  struct bz_hash proof[64], size_t *ret_n) {
    if (index >= size)
        return BZ_ERANGE;
    uint64_t lo = 0;
    uint64_t hi = size;
    size_t n = 0;
    while (hi - lo > 1) {
        uint64_t mid = lo + split(hi - lo);
        bool left = index < mid;
        BZ_TRY(range_hash(src, left ? mid : lo, left ? hi : mid, size, &proof[n++]));
        if (left)
            hi = mid;
        else
            lo = mid;
    }
    reverse(proof, n);
    *ret_n = n;
    return BZ_OK;
}

/* RFC 9162, 2.1.4.1. */
enum bz_status bz_proof_consistency(const struct bz_tile_source *src, uint64_t old_size,
                                    uint64_t size, struct bz_hash proof[128], size_t *ret_n) {
    if (old_size > size)
        return BZ_ERANGE;
    *ret_n = 0;
    if (old_size == 0 || old_size == size)
        return BZ_OK;
    uint64_t lo = 0;
    uint64_t hi = size;
    size_t n = 0;
    while (hi != old_size) {
        uint64_t mid = lo + split(hi - lo);
        bool left = old_size <= mid;
        BZ_TRY(range_hash(src, left ? mid : lo, left ? hi : mid, size, &proof[n++]));
        if (left)
            hi = mid;
        else
            lo = mid;
    }
    if (lo != 0) /* else the old tree is one complete subtree, whose hash the verifier has */
        BZ_TRY(range_hash(src, lo, hi, size, &proof[n++]));
    reverse(proof, n);
    *ret_n = n;
    return BZ_OK;
}

static bool same(const struct bz_hash *a, const struct bz_hash *b) {
    return bz_ct_equal(bz_view(a->b, BZ_HASH_LEN), bz_view(b->b, BZ_HASH_LEN));
}

/* RFC 9162, 2.1.3.2. */
bool bz_proof_inclusion_check(uint64_t index, uint64_t size, const struct bz_hash *leaf,
                              const struct bz_hash *proof, size_t n, const struct bz_hash *root) {
    if (index >= size)
        return false;
    uint64_t fn = index;
    uint64_t sn = size - 1;
    struct bz_hash r = *leaf;
    for (size_t i = 0; i < n; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            bz_node_hash(&proof[i], &r, &r);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            bz_node_hash(&r, &proof[i], &r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && same(&r, root);
}

/* The walk of RFC 9162, 2.1.4.2, steps 3 to 6, once the first hash is known. */
static bool consistency_walk(uint64_t fn, uint64_t sn, const struct bz_hash *seed,
                             const struct bz_hash *proof, size_t n, struct bz_hash *ret_old,
                             struct bz_hash *ret_new) {
    struct bz_hash fr = *seed;
    struct bz_hash sr = *seed;
    for (size_t i = 0; i < n; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            bz_node_hash(&proof[i], &fr, &fr);
            bz_node_hash(&proof[i], &sr, &sr);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            bz_node_hash(&sr, &proof[i], &sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    *ret_old = fr;
    *ret_new = sr;
    return sn == 0;
}

bool bz_proof_consistency_check(uint64_t old_size, uint64_t size, const struct bz_hash *old_root,
                                const struct bz_hash *root, const struct bz_hash *proof, size_t n) {
    if (old_size > size)
        return false;
    if (old_size == size)
        return n == 0 && same(old_root, root);
    if (old_size == 0) { /* everything extends the empty tree, whose root is known */
        struct bz_frontier none = {0};
        struct bz_hash empty;
        bz_frontier_root(&none, &empty);
        return n == 0 && same(old_root, &empty);
    }
    uint64_t fn = old_size - 1;
    uint64_t sn = size - 1;
    while ((fn & 1) != 0) {
        fn >>= 1;
        sn >>= 1;
    }
    const struct bz_hash *seed = old_root;
    if ((old_size & (old_size - 1)) !=
        0) { /* not a power of two: the first hash comes with the proof */
        if (n == 0)
            return false;
        seed = proof++;
        n--;
    }
    struct bz_hash got_old;
    struct bz_hash got_new;
    return consistency_walk(fn, sn, seed, proof, n, &got_old, &got_new) &&
           same(&got_old, old_root) && same(&got_new, root);
}
