#include <bartizan/audit.h>

/* RFC 6962, 2.1: the first byte keeps leaves and nodes apart. */
enum { LEAF = 0x00, NODE = 0x01, SHORT = 2048 };

void bz_leaf_hash(struct bz_view entry, struct bz_hash *ret) {
    if (entry.n <=
        SHORT) { /* one call is half the price of three for our usual entry of 500 bytes */
        uint8_t b[1 + SHORT];
        b[0] = LEAF;
        if (entry.n != 0)
            memcpy(b + 1, entry.p, entry.n);
        bz_sha256(bz_view(b, 1 + entry.n), ret->b);
        return;
    }
    static const uint8_t prefix[1] = {LEAF};
    struct bz_sha256 s;
    bz_sha256_init(&s);
    bz_sha256_add(&s, bz_view(prefix, 1));
    bz_sha256_add(&s, entry);
    bz_sha256_end(&s, ret->b);
}

void bz_node_hash(const struct bz_hash *l, const struct bz_hash *r, struct bz_hash *ret) {
    uint8_t b[1 + 2 * BZ_HASH_LEN];
    b[0] = NODE;
    memcpy(b + 1, l->b, BZ_HASH_LEN);
    memcpy(b + 1 + BZ_HASH_LEN, r->b, BZ_HASH_LEN);
    bz_sha256(bz_view(b, sizeof b), ret->b);
}

void bz_subtree_hash(struct bz_hash *h, size_t n, struct bz_hash *ret) {
    for (; n > 1; n /= 2)
        for (size_t i = 0; i < n / 2; i++)
            bz_node_hash(&h[2 * i], &h[2 * i + 1], &h[i]);
    *ret = h[0];
}

/* edge[k] is the complete subtree of 2^k leaves that bit k of the size stands for: adding a leaf is
 * adding one in binary. */
void bz_frontier_add(struct bz_frontier *f, const struct bz_hash *leaf) {
    struct bz_hash h = *leaf;
    unsigned k = 0;
    for (; k < 63 && (f->size >> k & 1) != 0; k++)
        bz_node_hash(&f->edge[k], &h, &h);
    f->edge[k] = h;
    f->size++;
}

void bz_frontier_root(const struct bz_frontier *f, struct bz_hash *ret) {
    if (f->size == 0) {
        bz_sha256(bz_view(NULL, 0), ret->b);
        return;
    }
    unsigned k = (unsigned)__builtin_ctzll(f->size);
    struct bz_hash h = f->edge[k];
    for (k++; k < 64; k++)
        if ((f->size >> k & 1) != 0)
            bz_node_hash(&f->edge[k], &h, &h);
    *ret = h;
}
