#include <bartizan/audit.h>
#include <bartizan/rd.h>

/*
 *   head:  "BZJRNL01" | le64 segment | le64 first | ring[16] | le64 seen[64] | check[16] | zeros to
 * BZ_JOURNAL_HEAD frame: "BZJF" | le32 entry length | le64 index | le64 batch | le64 epoch | le64
 * seq | le32 lane | le32 0 | check[16] | entry | zeros to a multiple of 8
 *
 * The check of a frame is over its fixed part and the leaf hash, which covers the entry: one pass
 * over the entry serves both. It finds accidents. Who may write here may sign as well; what
 * protects the log from others are the file permissions.
 */
enum {
    CHECK = 16,
    FRAME_FIXED = BZ_JOURNAL_FRAME - CHECK,
    HEAD_FIXED = 8 + 8 + 8 + 16 + 8 * BZ_LANES_MAX
};
static const char head_magic[] = "BZJRNL01";
static const char frame_magic[] = "BZJF";

_Static_assert(HEAD_FIXED + CHECK <= BZ_JOURNAL_HEAD, "fits");

static void pad(struct bz_buf *b, size_t n) {
    uint8_t *p = n == 0 ? NULL : bz_buf_room(b, n);
    if (p != NULL)
        memset(p, 0, n);
}

void bz_journal_head_encode(const struct bz_journal_head *h, struct bz_buf *out) {
    size_t from = out->n;
    bz_buf_puts(out, head_magic);
    bz_buf_put_le64(out, h->segment);
    bz_buf_put_le64(out, h->first);
    bz_buf_put(out, bz_view(h->ring, sizeof h->ring));
    for (size_t i = 0; i < BZ_LANES_MAX; i++)
        bz_buf_put_le64(out, h->seen[i]);
    if (bz_buf_status(out) != BZ_OK)
        return;
    uint8_t sum[BZ_HASH_LEN];
    bz_sha256(bz_view(out->p + from, HEAD_FIXED), sum);
    bz_buf_put(out, bz_view(sum, CHECK));
    pad(out, BZ_JOURNAL_HEAD - HEAD_FIXED - CHECK);
}

enum bz_status bz_journal_head_decode(struct bz_view in, struct bz_journal_head *ret) {
    struct bz_rd rd;
    bz_rd_init(&rd, bz_view_sub(in, 0, BZ_JOURNAL_HEAD));
    struct bz_journal_head h = {0};
    struct bz_view magic = bz_rd_take(&rd, sizeof head_magic - 1);
    h.segment = bz_rd_le64(&rd);
    h.first = bz_rd_le64(&rd);
    struct bz_view ring = bz_rd_take(&rd, sizeof h.ring);
    for (size_t i = 0; i < BZ_LANES_MAX; i++)
        h.seen[i] = bz_rd_le64(&rd);
    struct bz_view check = bz_rd_take(&rd, CHECK);
    (void)bz_rd_take(&rd, BZ_JOURNAL_HEAD - HEAD_FIXED - CHECK);
    if (!bz_rd_ok(&rd) || !bz_view_eq(magic, BZ_V("BZJRNL01")))
        return BZ_ECORRUPT;
    uint8_t sum[BZ_HASH_LEN];
    bz_sha256(bz_view_sub(in, 0, HEAD_FIXED), sum);
    if (!bz_ct_equal(check, bz_view(sum, CHECK)))
        return BZ_ECORRUPT;
    memcpy(h.ring, ring.p, sizeof h.ring);
    *ret = h;
    return BZ_OK;
}

static void frame_check(struct bz_view fixed, const struct bz_hash *leaf, uint8_t out[CHECK]) {
    uint8_t both[FRAME_FIXED + BZ_HASH_LEN];
    uint8_t sum[BZ_HASH_LEN];
    memcpy(both, fixed.p, FRAME_FIXED);
    memcpy(both + FRAME_FIXED, leaf->b, BZ_HASH_LEN);
    bz_sha256(bz_view(both, sizeof both), sum);
    memcpy(out, sum, CHECK);
}

void bz_journal_frame_encode(const struct bz_journal_frame *f, struct bz_buf *out) {
    if (f->entry.n > BZ_ENTRY_MAX && out->st == BZ_OK)
        out->st = BZ_ETOOBIG;
    size_t from = out->n;
    bz_buf_puts(out, frame_magic);
    bz_buf_put_le32(out, (uint32_t)f->entry.n);
    bz_buf_put_le64(out, f->index);
    bz_buf_put_le64(out, f->batch);
    bz_buf_put_le64(out, f->epoch);
    bz_buf_put_le64(out, f->seq);
    bz_buf_put_le32(out, f->lane);
    bz_buf_put_le32(out, 0);
    if (bz_buf_status(out) != BZ_OK)
        return;
    struct bz_hash leaf;
    uint8_t check[CHECK];
    bz_leaf_hash(f->entry, &leaf);
    frame_check(bz_view(out->p + from, FRAME_FIXED), &leaf, check);
    bz_buf_put(out, bz_view(check, CHECK));
    bz_buf_put(out, f->entry);
    pad(out, (8 - (f->entry.n & 7)) & 7);
}

enum bz_status bz_journal_frame_decode(struct bz_view in, struct bz_journal_frame *ret,
                                       struct bz_hash *ret_leaf, size_t *ret_used) {
    if (in.n < BZ_JOURNAL_FRAME)
        return BZ_MORE;
    struct bz_rd rd;
    bz_rd_init(&rd, in);
    static const uint8_t nothing[8];
    struct bz_view magic = bz_rd_take(&rd, 4);
    uint32_t n = bz_rd_le32(&rd);
    if (memcmp(in.p, nothing, sizeof nothing) == 0)
        return BZ_MORE;
    if (!bz_view_eq(magic, BZ_V("BZJF")) || n > BZ_ENTRY_MAX)
        return BZ_ECORRUPT;
    struct bz_journal_frame f = {.index = bz_rd_le64(&rd)};
    f.batch = bz_rd_le64(&rd);
    f.epoch = bz_rd_le64(&rd);
    f.seq = bz_rd_le64(&rd);
    f.lane = bz_rd_le32(&rd);
    uint32_t zero = bz_rd_le32(&rd);
    struct bz_view check = bz_rd_take(&rd, CHECK);
    size_t filler = (8 - (n & 7)) & 7;
    if (in.n - BZ_JOURNAL_FRAME < n + filler)
        return BZ_MORE;
    f.entry = bz_rd_take(&rd, n);
    struct bz_view zeros = bz_rd_take(&rd, filler);
    struct bz_hash leaf;
    uint8_t want[CHECK];
    bz_leaf_hash(f.entry, &leaf);
    frame_check(bz_view_sub(in, 0, FRAME_FIXED), &leaf, want);
    if (!bz_rd_ok(&rd) || zero != 0 || !bz_view_eq(zeros, bz_view(nothing, filler)) ||
        !bz_ct_equal(check, bz_view(want, CHECK)))
        return BZ_ECORRUPT;
    *ret = f;
    *ret_leaf = leaf;
    *ret_used = BZ_JOURNAL_FRAME + n + filler;
    return BZ_OK;
}
