#include <bartizan/audit.h>
#include <bartizan/rd.h>

enum { PAGE = 4096, FRAME = 16 };
#define MAGIC 0x31474e4952415a42u /* "BZARING1" */
#define VERSION 1u

_Static_assert(sizeof(struct bz_ring_head) <= PAGE, "head page");
_Static_assert(sizeof(struct bz_ring_lane) <= PAGE, "control page");
_Static_assert((BZ_RING_DATA & (BZ_RING_DATA - 1)) == 0, "a power of two");

size_t bz_ring_file_size(uint32_t lanes) {
    return PAGE + (size_t)lanes * (PAGE + BZ_RING_DATA);
}

struct bz_ring_lane *bz_ring_lane(void *map, uint32_t lane) {
    return (void *)((uint8_t *)map + PAGE + (size_t)lane * (PAGE + BZ_RING_DATA));
}

static uint8_t *data(void *map, uint32_t lane) {
    return (uint8_t *)bz_ring_lane(map, lane) + PAGE;
}

enum bz_status bz_ring_format(void *map, size_t n, uint32_t lanes, const uint8_t instance[16]) {
    if (lanes == 0 || lanes > BZ_LANES_MAX || n != bz_ring_file_size(lanes))
        return BZ_EINVAL;
    for (uint32_t i = 0; i < lanes; i++)
        memset(bz_ring_lane(map, i), 0, PAGE);
    struct bz_ring_head *h = map;
    memset(h, 0, PAGE);
    h->version = VERSION;
    h->lanes = lanes;
    h->data_bytes = BZ_RING_DATA;
    memcpy(h->instance, instance, sizeof h->instance);
    atomic_thread_fence(memory_order_release);
    h->magic = MAGIC;
    return BZ_OK;
}

enum bz_status bz_ring_check(const void *map, size_t n) {
    const struct bz_ring_head *h = map;
    if (n < PAGE || h->magic != MAGIC)
        return BZ_ECORRUPT;
    if (h->version != VERSION)
        return BZ_EVERSION;
    if (h->lanes == 0 || h->lanes > BZ_LANES_MAX || h->data_bytes != BZ_RING_DATA ||
        n != bz_ring_file_size((uint32_t)h->lanes))
        return BZ_ECORRUPT;
    return BZ_OK;
}

/* Copies that run on from the end of the data area to its start. */
static void put_bytes(uint8_t *d, uint64_t pos, const uint8_t *p, size_t n) {
    size_t at = (size_t)(pos & (BZ_RING_DATA - 1));
    size_t first = n < BZ_RING_DATA - at ? n : BZ_RING_DATA - at;
    memcpy(d + at, p, first);
    memcpy(d, p + first, n - first);
}

static void get_bytes(const uint8_t *d, uint64_t pos, uint8_t *p, size_t n) {
    size_t at = (size_t)(pos & (BZ_RING_DATA - 1));
    size_t first = n < BZ_RING_DATA - at ? n : BZ_RING_DATA - at;
    memcpy(p, d + at, first);
    memcpy(p + first, d, n - first);
}

/* Mixes so that every bit counts (the constants are those of splitmix64), with the name of the
 * ring, so that bytes of the file's former life do not fit. No secret: it finds accidents. */
static uint32_t tag(const struct bz_ring_head *h, uint64_t pos, uint32_t n, uint64_t seq) {
    uint64_t name;
    memcpy(&name, h->instance, sizeof name);
    uint64_t x = (pos ^ name) * 0x9e3779b97f4a7c15u + seq;
    x = (x ^ x >> 30 ^ (uint64_t)n << 32) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27 ^ n) * 0x94d049bb133111ebu;
    return (uint32_t)(x >> 32);
}

static uint64_t frame_size(size_t n) {
    return (FRAME + (uint64_t)n + 7) & ~(uint64_t)7;
}

enum bz_status bz_ring_put(void *map, uint32_t lane, struct bz_view rec, uint64_t *ret_seq) {
    if (rec.n == 0)
        return BZ_EINVAL;
    if (rec.n > BZ_RECORD_MAX)
        return BZ_ETOOBIG;
    struct bz_ring_lane *l = bz_ring_lane(map, lane);
    uint64_t head = atomic_load_explicit(&l->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&l->tail, memory_order_acquire);
    uint64_t need = frame_size(rec.n);
    if (head - tail > BZ_RING_DATA)
        return BZ_ECORRUPT;
    if (need > BZ_RING_DATA - (head - tail))
        return BZ_ELIMIT;
    uint64_t seq = atomic_load_explicit(&l->head_seq, memory_order_relaxed) + 1;
    uint8_t fixed[FRAME];
    struct bz_buf b;
    bz_buf_init_fixed(&b, fixed, sizeof fixed);
    bz_buf_put_le32(&b, (uint32_t)rec.n);
    bz_buf_put_le32(&b, tag(map, head, (uint32_t)rec.n, seq));
    bz_buf_put_le64(&b, seq);
    put_bytes(data(map, lane), head, fixed, sizeof fixed);
    put_bytes(data(map, lane), head + FRAME, rec.p, rec.n);
    /* The number before the record: dying between the two leaves a number out; the other way round
     * the next owner would use it twice and the writer would take the second record for a
     * repetition. */
    atomic_store_explicit(&l->head_seq, seq, memory_order_relaxed);
    atomic_store_explicit(&l->head, head + need, memory_order_release);
    *ret_seq = seq;
    return BZ_OK;
}

bool bz_ring_bell(void *map, uint32_t lane, bool parked) {
    struct bz_ring_head *h = map;
    if (parked)
        atomic_store_explicit(&bz_ring_lane(map, lane)->waiting, 1, memory_order_relaxed);
    /* Orders our head and waiting before the look at sleeping; the writer fences the other way
     * round. */
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t s = atomic_load_explicit(&h->sleeping, memory_order_relaxed);
    if (s == 0 || (s != 1 && !parked))
        return false;
    if (atomic_exchange_explicit(&h->sleeping, 0, memory_order_acq_rel) == 0)
        return false; /* another worker wakes it */
    atomic_fetch_add_explicit(&h->doorbell, 1, memory_order_release);
    return true;
}

enum bz_status bz_ring_next(void *map, uint32_t lane, uint64_t *pos, uint8_t buf[BZ_RECORD_MAX],
                            size_t *ret_n, uint64_t *ret_seq) {
    struct bz_ring_lane *l = bz_ring_lane(map, lane);
    uint64_t avail = atomic_load_explicit(&l->head, memory_order_acquire) - *pos;
    if (avail == 0)
        return BZ_MORE;
    if (avail > BZ_RING_DATA || avail < FRAME || (*pos & 7) != 0)
        return BZ_ECORRUPT;
    uint8_t fixed[FRAME]; /* copied before it is judged: the worker can still write there */
    get_bytes(data(map, lane), *pos, fixed, sizeof fixed);
    struct bz_rd rd;
    bz_rd_init(&rd, bz_view(fixed, sizeof fixed));
    uint32_t n = bz_rd_le32(&rd);
    uint32_t t = bz_rd_le32(&rd);
    uint64_t seq = bz_rd_le64(&rd);
    if (n == 0 || n > BZ_RECORD_MAX || t != tag(map, *pos, n, seq) || frame_size(n) > avail)
        return BZ_ECORRUPT;
    get_bytes(data(map, lane), *pos + FRAME, buf, n);
    *pos += frame_size(n);
    *ret_n = n;
    *ret_seq = seq;
    return BZ_OK;
}

enum bz_status bz_ring_peek(void *map, uint32_t lane, uint64_t *pos, uint8_t buf[BZ_RECORD_MAX],
                            size_t *ret_n) {
    uint64_t seq;
    return bz_ring_next(map, lane, pos, buf, ret_n, &seq);
}
