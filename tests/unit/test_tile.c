/* Merkle tree, tiles, proofs: against a naive recursive implementation of RFC 6962, 2.1, and its
 * known roots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <bartizan/audit.h>

/* ---- the naive tree: straight from the text of RFC 6962 ---- */

enum { LEAVES = 70000 };
static struct bz_hash *leaves;

static void naive_root(uint64_t lo, uint64_t n, struct bz_hash *ret) {
    if (n == 0) {
        bz_sha256(BZ_V(""), ret->b);
        return;
    }
    if (n == 1) {
        *ret = leaves[lo];
        return;
    }
    uint64_t k = 1;
    while (k * 2 < n)
        k *= 2;
    struct bz_hash l;
    struct bz_hash r;
    naive_root(lo, k, &l);
    naive_root(lo + k, n - k, &r);
    uint8_t b[65] = {1};
    memcpy(b + 1, l.b, 32);
    memcpy(b + 33, r.b, 32);
    bz_sha256(bz_view(b, 65), ret->b);
}

/* PATH(m, D[n]) */
static size_t naive_path(uint64_t m, uint64_t lo, uint64_t n, struct bz_hash *out) {
    if (n == 1)
        return 0;
    uint64_t k = 1;
    while (k * 2 < n)
        k *= 2;
    size_t at = m < k ? naive_path(m, lo, k, out) : naive_path(m - k, lo + k, n - k, out);
    if (m < k)
        naive_root(lo + k, n - k, &out[at]);
    else
        naive_root(lo, k, &out[at]);
    return at + 1;
}

/* SUBPROOF(m, D[n], b) */
static size_t naive_sub(uint64_t m, uint64_t lo, uint64_t n, bool whole, struct bz_hash *out) {
    if (m == n) {
        if (whole)
            return 0;
        naive_root(lo, n, &out[0]);
        return 1;
    }
    uint64_t k = 1;
    while (k * 2 < n)
        k *= 2;
    size_t at =
        m <= k ? naive_sub(m, lo, k, whole, out) : naive_sub(m - k, lo + k, n - k, false, out);
    if (m <= k)
        naive_root(lo + k, n - k, &out[at]);
    else
        naive_root(lo, k, &out[at]);
    return at + 1;
}

/* Tiles straight from the definition: MTH(D[(n*256+i) * 256^l : (n*256+i+1) * 256^l]). */
static struct bz_hash *level1; /* cache of the complete level 1 hashes */
static enum bz_status naive_tile(void *ctx, const struct bz_tile_id *t, struct bz_buf *out) {
    const uint64_t *size = ctx;
    uint64_t span = 1;
    for (uint32_t l = 0; l < t->level; l++)
        span *= 256;
    for (uint64_t i = 0; i < t->width; i++) {
        uint64_t at = t->index * 256 + i;
        struct bz_hash h;
        if ((at + 1) * span > *size)
            return BZ_ENOTFOUND;
        if (t->level == 0)
            h = leaves[at];
        else if (t->level == 1)
            h = level1[at];
        else
            naive_root(at * span, span, &h);
        bz_buf_put(out, bz_view(h.b, 32));
    }
    return BZ_OK;
}

static int make_leaves(void **state) {
    leaves = malloc(LEAVES * sizeof *leaves);
    level1 = malloc((LEAVES / 256 + 1) * sizeof *level1);
    for (uint64_t i = 0; i < LEAVES; i++) {
        uint8_t entry[8];
        memcpy(entry, &i, 8);
        bz_leaf_hash(bz_view(entry, 8), &leaves[i]);
    }
    for (uint64_t i = 0; i < LEAVES / 256; i++)
        naive_root(i * 256, 256, &level1[i]);
    return 0;
}

static int free_leaves(void **state) {
    free(leaves);
    free(level1);
    return 0;
}

/* ---- known answers: the eight leaves of the certificate-transparency test data ---- */

static void known_roots(void **state) {
    static const struct {
        const char *leaf;
        size_t n;
        const char *root;
    } rows[] = {
        {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    struct bz_frontier f = {0};
    struct bz_hash root;
    char hex[65];
    bz_frontier_root(&f, &root);
    struct bz_hash empty;
    bz_sha256(BZ_V(""), empty.b);
    assert_memory_equal(root.b, empty.b, 32);
    for (size_t i = 0; i < 8; i++) {
        struct bz_hash leaf;
        bz_leaf_hash(bz_view(rows[i].leaf, rows[i].n), &leaf);
        bz_frontier_add(&f, &leaf);
        bz_frontier_root(&f, &root);
        for (size_t k = 0; k < 32; k++)
            snprintf(hex + 2 * k, 3, "%02x", root.b[k]);
        assert_string_equal(hex, rows[i].root);
    }
}

static void leaf_sizes(void **state) { /* the short and the long way give the same */
    static uint8_t entry[5000];
    for (size_t n = 2040; n < 2060; n++) {
        struct bz_hash got;
        struct bz_hash want;
        static uint8_t b[5001];
        memset(entry, (int)n, n);
        memcpy(b + 1, entry, n);
        bz_leaf_hash(bz_view(entry, n), &got);
        bz_sha256(bz_view(b, n + 1), want.b);
        assert_memory_equal(got.b, want.b, 32);
    }
}

static void frontier(void **state) {
    struct bz_frontier f = {0};
    for (uint64_t n = 0; n <= 1100; n++) {
        struct bz_hash got;
        struct bz_hash want;
        bz_frontier_root(&f, &got);
        naive_root(0, n, &want);
        assert_memory_equal(got.b, want.b, 32);
        struct bz_tile_source src = {naive_tile, &n};
        static struct bz_frontier loaded;
        assert_int_equal(bz_frontier_load(&src, n, &loaded), BZ_OK);
        bz_frontier_root(&loaded, &got);
        assert_memory_equal(got.b, want.b, 32);
        bz_frontier_add(&f, &leaves[n]);
    }
    static struct bz_hash sub[256];
    struct bz_hash got;
    memcpy(sub, leaves, sizeof sub);
    bz_subtree_hash(sub, 256, &got);
    assert_memory_equal(got.b, level1[0].b, 32);
}

static void paths(void **state) {
    static const struct {
        struct bz_tile_id t;
        bool entries;
        const char *path;
    } rows[] = {
        {{0, 0, 256}, false, "tile/0/000"},
        {{0, 1234067, 256}, false, "tile/0/x001/x234/067"},
        {{2, 67, 12}, false, "tile/2/067.p/12"},
        {{0, 999, 1}, true, "tile/entries/999.p/1"},
        {{0, 1000, 256}, true, "tile/entries/x001/000"},
        {{0, 1000000, 255}, true, "tile/entries/x001/x000/000.p/255"},
        {{63, UINT64_MAX, 255}, false, "tile/63/x018/x446/x744/x073/x709/x551/615.p/255"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[80];
        bz_tile_path(&rows[i].t, rows[i].entries, out);
        assert_string_equal(out, rows[i].path);
    }
    /* "a tree of size 70,000": 273 full level 0 tiles, one of width 112, a full level 1 tile, one
     * of 17, level 2 of 1 */
    static const struct {
        uint32_t level;
        uint64_t index, tile;
        uint32_t width;
    } spec[] = {{0, 69887, 272, 256}, {0, 69888, 273, 112}, {0, 69999, 273, 112}, {1, 255, 0, 256},
                {1, 256, 1, 17},      {1, 272, 1, 17},      {2, 0, 0, 1}};
    struct bz_tile_id t;
    for (size_t i = 0; i < sizeof spec / sizeof spec[0]; i++) {
        assert_true(bz_tile_of(spec[i].level, spec[i].index, 70000, &t));
        assert_int_equal(t.index, spec[i].tile);
        assert_int_equal(t.width, spec[i].width);
    }
    assert_false(bz_tile_of(0, 70000, 70000, &t));
    assert_false(bz_tile_of(1, 273, 70000, &t));
    assert_false(bz_tile_of(2, 1, 70000, &t));
    assert_false(bz_tile_of(3, 0, 70000, &t));
    assert_true(bz_tile_of(1, 0, 256, &t) && t.width == 1);
    assert_false(bz_tile_of(8, 0, UINT64_MAX, &t));
}

/* ---- proofs ---- */

static void flip_all(uint64_t index, uint64_t size, const struct bz_hash *leaf,
                     struct bz_hash *proof, size_t n, struct bz_hash *root) {
    for (size_t i = 0; i < n * 256; i += 1 + n * 3) {
        proof[i / 256].b[i / 8 % 32] ^= (uint8_t)(1u << (i % 8));
        assert_false(bz_proof_inclusion_check(index, size, leaf, proof, n, root));
        proof[i / 256].b[i / 8 % 32] ^= (uint8_t)(1u << (i % 8));
    }
    struct bz_hash other = *leaf;
    other.b[index % 32] ^= 1;
    assert_false(bz_proof_inclusion_check(index, size, &other, proof, n, root));
    root->b[index % 32] ^= 128;
    assert_false(bz_proof_inclusion_check(index, size, leaf, proof, n, root));
    root->b[index % 32] ^= 128;
    if (n > 0)
        assert_false(bz_proof_inclusion_check(index, size, leaf, proof, n - 1, root));
    assert_false(bz_proof_inclusion_check(index, size, leaf, proof, n + 1, root));
    assert_false(bz_proof_inclusion_check(index + size, size, leaf, proof, n, root));
    if (size > 1)
        assert_false(bz_proof_inclusion_check((index + 1) % size, size, leaf, proof, n, root));
}

static void check_inclusion(uint64_t index, uint64_t size, bool flips) {
    struct bz_tile_source src = {naive_tile, &size};
    static struct bz_hash proof[65] = {{{0}}};
    static struct bz_hash want[64];
    struct bz_hash root;
    size_t n = 0;
    assert_int_equal(bz_proof_inclusion(&src, index, size, proof, &n), BZ_OK);
    assert_int_equal(n, naive_path(index, 0, size, want));
    assert_memory_equal(proof, want, n * sizeof want[0]);
    naive_root(0, size, &root);
    assert_true(bz_proof_inclusion_check(index, size, &leaves[index], proof, n, &root));
    if (flips)
        flip_all(index, size, &leaves[index], proof, n, &root);
}

static void inclusion(void **state) {
    for (uint64_t size = 1; size <= 130; size++)
        for (uint64_t index = 0; index < size; index++)
            check_inclusion(index, size, size <= 64);
    for (uint64_t size = 131; size <= 300; size += 1 + size % 3)
        for (uint64_t index = 0; index < size; index += 1 + index % 2)
            check_inclusion(index, size, false);
    static const uint64_t sizes[] = {255, 256,   257,   511,   512,   513,   767,
                                     769, 65535, 65536, 65537, 65792, 65793, 69999};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t s = sizes[i];
        const uint64_t at[] = {
            0, 1, 254, s / 2, s - 2, s - 1, s > 256 ? 255 : 0, s > 256 ? 256 : 0};
        for (size_t k = 0; k < sizeof at / sizeof at[0]; k++)
            check_inclusion(at[k], s, false);
    }
    uint64_t size = 5;
    struct bz_tile_source src = {naive_tile, &size};
    struct bz_hash proof[64];
    size_t n;
    assert_int_equal(bz_proof_inclusion(&src, 5, 5, proof, &n), BZ_ERANGE);
    assert_int_equal(bz_proof_inclusion(&src, 0, 0, proof, &n), BZ_ERANGE);
}

static void check_consistency(uint64_t m, uint64_t size, bool flips) {
    struct bz_tile_source src = {naive_tile, &size};
    static struct bz_hash proof[129] = {{{0}}};
    static struct bz_hash want[128];
    struct bz_hash old_root;
    struct bz_hash root;
    size_t n = 0;
    assert_int_equal(bz_proof_consistency(&src, m, size, proof, &n), BZ_OK);
    assert_int_equal(n, m == 0 || m == size ? 0 : naive_sub(m, 0, size, true, want));
    assert_memory_equal(proof, want, n * sizeof want[0]);
    naive_root(0, m, &old_root);
    naive_root(0, size, &root);
    assert_true(bz_proof_consistency_check(m, size, &old_root, &root, proof, n));
    assert_false(bz_proof_consistency_check(m, size, &old_root, &root, proof, n + 1));
    struct bz_hash bad = old_root;
    bad.b[m % 32] ^= 4;
    assert_false(bz_proof_consistency_check(m, size, &bad, &root, proof, n));
    bad = root;
    bad.b[m % 32] ^= 4;
    if (m != 0) /* the empty tree says nothing about the new root */
        assert_false(bz_proof_consistency_check(m, size, &old_root, &bad, proof, n));
    for (size_t i = 0; flips && i < n * 256; i += 1 + n) {
        proof[i / 256].b[i / 8 % 32] ^= (uint8_t)(1u << (i % 8));
        assert_false(bz_proof_consistency_check(m, size, &old_root, &root, proof, n));
        proof[i / 256].b[i / 8 % 32] ^= (uint8_t)(1u << (i % 8));
    }
    if (n > 0)
        assert_false(bz_proof_consistency_check(m, size, &old_root, &root, proof, n - 1));
}

static void consistency(void **state) {
    for (uint64_t size = 0; size <= 130; size++)
        for (uint64_t m = 0; m <= size; m++)
            check_consistency(m, size, size <= 48);
    for (uint64_t size = 131; size <= 300; size += 1 + size % 5)
        for (uint64_t m = 0; m <= size; m += 1 + m % 3)
            check_consistency(m, size, false);
    static const uint64_t sizes[] = {512, 513, 65535, 65536, 65537, 65793};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        static const uint64_t at[] = {1, 128, 255, 256, 257, 300, 384, 511};
        for (size_t k = 0; k < sizeof at / sizeof at[0]; k++)
            check_consistency(at[k], sizes[i], false);
        check_consistency(sizes[i] - 1, sizes[i], false);
        check_consistency(sizes[i] / 2 + 1, sizes[i], false);
    }
    struct bz_hash h = {{0}};
    assert_false(bz_proof_consistency_check(3, 2, &h, &h, &h, 0));
}

/* A source that fails or lies about lengths never becomes a proof. */
static int reads_left;
static enum bz_status failing(void *ctx, const struct bz_tile_id *t, struct bz_buf *out) {
    if (reads_left-- == 0)
        return BZ_EIO;
    return naive_tile(ctx, t, out);
}
static enum bz_status short_tile(void *ctx, const struct bz_tile_id *t, struct bz_buf *out) {
    struct bz_tile_id less = *t;
    less.width--;
    return naive_tile(ctx, &less, out);
}

static void bad_sources(void **state) {
    uint64_t size = 300;
    struct bz_tile_source src = {failing, &size};
    static struct bz_hash proof[128];
    size_t n;
    int fails = 0;
    for (int i = 0;; i++) {
        reads_left = i;
        if (bz_proof_inclusion(&src, 77, size, proof, &n) == BZ_OK)
            break;
        fails++;
    }
    assert_true(fails > 5);
    reads_left = 2;
    assert_int_equal(bz_proof_consistency(&src, 77, size, proof, &n), BZ_EIO);
    src.read = short_tile;
    struct bz_frontier f;
    assert_int_equal(bz_proof_inclusion(&src, 77, size, proof, &n), BZ_ECORRUPT);
    assert_int_equal(bz_frontier_load(&src, size, &f), BZ_ECORRUPT);
}

static void bundles(void **state) {
    static uint8_t big[BZ_ENTRY_MAX + 1];
    static const size_t sizes[] = {0, 1, 255, 256, BZ_ENTRY_MAX};
    struct bz_buf b;
    bz_buf_init(&b, BZ_BUNDLE_MAX);
    for (size_t i = 0; i < 5; i++)
        bz_bundle_add(&b, bz_view(big, sizes[i]));
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    struct bz_view rest = bz_buf_view(&b);
    struct bz_view e;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(bz_bundle_next(&rest, &e), BZ_OK);
        assert_int_equal(e.n, sizes[i]);
    }
    assert_int_equal(bz_bundle_next(&rest, &e), BZ_MORE);
    for (size_t cut = 1; cut < 600; cut++) {
        rest = bz_view_sub(bz_buf_view(&b), 0, b.n - cut);
        enum bz_status st;
        while ((st = bz_bundle_next(&rest, &e)) == BZ_OK)
            ;
        assert_int_equal(st, BZ_ECORRUPT);
    }
    bz_bundle_add(&b, bz_view(big, sizeof big));
    assert_int_equal(bz_buf_status(&b), BZ_ETOOBIG);
    bz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_roots), cmocka_unit_test(leaf_sizes), cmocka_unit_test(frontier),
        cmocka_unit_test(paths),       cmocka_unit_test(inclusion),  cmocka_unit_test(consistency),
        cmocka_unit_test(bad_sources), cmocka_unit_test(bundles),
    };
    return cmocka_run_group_tests_name("tile", tests, make_leaves, free_leaves);
}
