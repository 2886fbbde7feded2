/* Latched reader. Integers are put together byte by byte: no alignment, no host byte order. */
#include <bartizan/rd.h>

void bz_rd_init(struct bz_rd *r, struct bz_view v) {
    *r = (struct bz_rd){.p = v.p, .n = v.n, .off = 0, .st = BZ_OK};
}

void bz_rd_fail(struct bz_rd *r, enum bz_status st) {
    if (r->st == BZ_OK)
        r->st = st == BZ_OK ? BZ_EINTERNAL : st;
}

bool bz_rd_ok(const struct bz_rd *r) {
    return r->st == BZ_OK;
}

/* The next n bytes, or NULL with the failure latched. */
static const uint8_t *step(struct bz_rd *r, size_t n) {
    if (r->st != BZ_OK)
        return NULL;
    if (n > r->n) {
        r->st = BZ_ESYNTAX;
        return NULL;
    }
    const uint8_t *p = r->p;
    if (n != 0)
        r->p += n;
    r->n -= n;
    r->off += n;
    return p;
}

static uint64_t le(struct bz_rd *r, size_t bytes) {
    const uint8_t *p = step(r, bytes);
    uint64_t v = 0;
    for (size_t i = bytes; p != NULL && i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static uint64_t be(struct bz_rd *r, size_t bytes) {
    const uint8_t *p = step(r, bytes);
    uint64_t v = 0;
    for (size_t i = 0; p != NULL && i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

uint8_t bz_rd_u8(struct bz_rd *r) {
    return (uint8_t)le(r, 1);
}

uint16_t bz_rd_le16(struct bz_rd *r) {
    return (uint16_t)le(r, 2);
}

uint32_t bz_rd_le32(struct bz_rd *r) {
    return (uint32_t)le(r, 4);
}

uint64_t bz_rd_le64(struct bz_rd *r) {
    return le(r, 8);
}

uint16_t bz_rd_be16(struct bz_rd *r) {
    return (uint16_t)be(r, 2);
}

uint64_t bz_rd_be64(struct bz_rd *r) {
    return be(r, 8);
}

struct bz_view bz_rd_take(struct bz_rd *r, size_t n) {
    const uint8_t *p = step(r, n);
    return r->st == BZ_OK ? bz_view(p, n) : bz_view(NULL, 0);
}

struct bz_rd bz_rd_sub(struct bz_rd *r, size_t n) {
    size_t off = r->off;
    struct bz_view v = bz_rd_take(r, n);
    return (struct bz_rd){.p = v.p, .n = v.n, .off = off, .st = r->st};
}

uint32_t bz_rd_count(struct bz_rd *r, size_t min_item) {
    uint32_t n = bz_rd_le32(r);
    if (r->st != BZ_OK)
        return 0;
    /* min_item 0 would let any count through: every item takes at least a byte. */
    if (n > r->n / (min_item == 0 ? 1 : min_item)) {
        r->st = BZ_ERANGE;
        return 0;
    }
    return n;
}

enum bz_status bz_rd_end(const struct bz_rd *r) {
    if (r->st != BZ_OK)
        return r->st;
    return r->n == 0 ? BZ_OK : BZ_ETRAILING;
}
