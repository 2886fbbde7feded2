#include <bartizan/audit.h>
#include <bartizan/rd.h>

/* C2SP tlog-tiles: "<L>/<N>[.p/<W>]", N in groups of three digits, all but the last behind an x. */
void bz_tile_path(const struct bz_tile_id *t, bool entries, char out[80]) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, 79);
    bz_buf_puts(&b, "tile/");
    if (entries)
        bz_buf_puts(&b, "entries");
    else
        bz_buf_put_u64(&b, t->level);
    uint64_t top = 1;
    while (t->index / top >= 1000)
        top *= 1000;
    for (; top >= 1; top /= 1000) {
        bz_buf_puts(&b, top == 1 ? "/" : "/x");
        unsigned group = (unsigned)(t->index / top % 1000);
        bz_buf_putc(&b, (uint8_t)('0' + group / 100));
        bz_buf_putc(&b, (uint8_t)('0' + group / 10 % 10));
        bz_buf_putc(&b, (uint8_t)('0' + group % 10));
    }
    if (t->width < BZ_TILE_WIDTH) {
        bz_buf_puts(&b, ".p/");
        bz_buf_put_u64(&b, t->width);
    }
    out[b.n] = '\0';
}

bool bz_tile_of(uint32_t level, uint64_t index, uint64_t size, struct bz_tile_id *ret) {
    uint64_t count = level >= 8 ? 0 : size >> (8 * level); /* hashes of that level */
    if (index >= count)
        return false;
    uint64_t tile = index / BZ_TILE_WIDTH;
    uint64_t rest = count - tile * BZ_TILE_WIDTH;
    *ret = (struct bz_tile_id){level, tile, rest < BZ_TILE_WIDTH ? (uint32_t)rest : BZ_TILE_WIDTH};
    return true;
}

static enum bz_status read_run(const struct bz_tile_source *src, const struct bz_tile_id *t,
                               size_t from, size_t n, struct bz_hash *ret) {
    struct bz_buf b;
    bz_buf_init(&b, BZ_TILE_WIDTH * BZ_HASH_LEN);
    enum bz_status st = src->read(src->ctx, t, &b);
    if (st == BZ_OK)
        st = bz_buf_status(&b);
    if (st == BZ_OK && b.n != (size_t)t->width * BZ_HASH_LEN)
        st = BZ_ECORRUPT;
    if (st == BZ_OK) {
        /* one power of two at a time, so that the stack holds no whole tile */
        struct bz_frontier f = {0};
        struct bz_hash h;
        for (size_t i = from; i < from + n; i++) {
            memcpy(h.b, b.p + i * BZ_HASH_LEN, BZ_HASH_LEN);
            bz_frontier_add(&f, &h);
        }
        bz_frontier_root(&f, ret);
    }
    bz_buf_free(&b);
    return st;
}

enum bz_status bz_tile_hash(const struct bz_tile_source *src, uint32_t height, uint64_t index,
                            uint64_t size, struct bz_hash *ret) {
    uint32_t within = height % 8; /* the tile holds its 2^within parts */
    if (height >= 64 || index >= size >> height)
        return BZ_ERANGE;
    struct bz_tile_id t;
    uint64_t first = index << within;
    if (!bz_tile_of(height / 8, first, size, &t))
        return BZ_ERANGE;
    return read_run(src, &t, first % BZ_TILE_WIDTH, (size_t)1 << within, ret);
}

enum bz_status bz_frontier_load(const struct bz_tile_source *src, uint64_t size,
                                struct bz_frontier *ret) {
    struct bz_frontier f = {.size = size};
    for (uint32_t k = 0; k < 64; k++)
        if ((size >> k & 1) != 0)
            BZ_TRY(bz_tile_hash(src, k, (size >> k) - 1, size, &f.edge[k]));
    *ret = f;
    return BZ_OK;
}

void bz_bundle_add(struct bz_buf *bundle, struct bz_view entry) {
    if (entry.n > BZ_ENTRY_MAX && bundle->st == BZ_OK)
        bundle->st = BZ_ETOOBIG;
    bz_buf_put_be16(bundle, (uint16_t)entry.n);
    bz_buf_put(bundle, entry);
}

enum bz_status bz_bundle_next(struct bz_view *rest, struct bz_view *ret) {
    if (rest->n == 0)
        return BZ_MORE;
    struct bz_rd rd;
    bz_rd_init(&rd, *rest);
    struct bz_view entry = bz_rd_take(&rd, bz_rd_be16(&rd));
    if (!bz_rd_ok(&rd))
        return BZ_ECORRUPT;
    *rest = bz_view_sub(*rest, 2 + entry.n, rest->n);
    *ret = entry;
    return BZ_OK;
}
