/* A worker that writes anything it likes into its lane: the consumer reads inside the lane, and
 * ends.
 * Input: le64 head, le64 position, then bytes of the data area. */
#include <stdlib.h>
#include <bartizan/audit.h>
#include <bartizan/rd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *map;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t name[16] = "fuzz";
    size_t n = bz_ring_file_size(1);
    if (map == NULL) {
        map = aligned_alloc(4096, n);
        if (map == NULL)
            abort();
        memset(map, 0, n);
    }
    if (bz_ring_format(map, n, 1, name) != BZ_OK)
        abort();
    struct bz_rd rd;
    bz_rd_init(&rd, bz_view(data, size));
    uint64_t head = bz_rd_le64(&rd);
    uint64_t pos = bz_rd_le64(&rd);
    uint8_t *lane = (uint8_t *)bz_ring_lane(map, 0);
    size_t at = (size_t)(pos % BZ_RING_DATA);
    for (size_t i = 0; i < rd.n; i++)
        lane[4096 + (at + i) % BZ_RING_DATA] = rd.p[i];
    atomic_store(&bz_ring_lane(map, 0)->head, head);
    uint8_t buf[BZ_RECORD_MAX];
    for (int steps = 0;; steps++) {
        uint64_t before = pos;
        size_t got = 0;
        enum bz_status st = bz_ring_peek(map, 0, &pos, buf, &got);
        if (st != BZ_OK)
            break;
        if (got == 0 || got > BZ_RECORD_MAX || pos <= before || steps > (int)(BZ_RING_DATA / 16))
            abort();
    }
    /* and what is put there by a sound worker comes out again */
    uint64_t seq;
    uint64_t from = atomic_load(&bz_ring_lane(map, 0)->head) & ~(uint64_t)7;
    atomic_store(&bz_ring_lane(map, 0)->head, from);
    atomic_store(&bz_ring_lane(map, 0)->tail, from);
    size_t got = 0;
    if (bz_ring_put(map, 0, BZ_V("record"), &seq) != BZ_OK ||
        bz_ring_peek(map, 0, &from, buf, &got) != BZ_OK || got != 6)
        abort();
    return 0;
}
