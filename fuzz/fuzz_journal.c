/* Journal heads and frames: what decodes must encode to itself. */
#include <stdlib.h>
#include <bartizan/audit.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_view in = bz_view(data, size);
    struct bz_buf b;
    struct bz_journal_head h;
    if (bz_journal_head_decode(in, &h) == BZ_OK) {
        bz_buf_init(&b, BZ_JOURNAL_HEAD);
        bz_journal_head_encode(&h, &b);
        if (b.n != BZ_JOURNAL_HEAD || memcmp(b.p, data, 500) != 0)
            abort();
        bz_buf_free(&b);
        in = bz_view_sub(in, BZ_JOURNAL_HEAD, in.n);
    }
    for (;;) {
        struct bz_journal_frame f;
        struct bz_hash leaf;
        size_t used = 0;
        if (bz_journal_frame_decode(in, &f, &leaf, &used) != BZ_OK)
            break;
        if (used < BZ_JOURNAL_FRAME || used > in.n || used % 8 != 0)
            abort();
        bz_buf_init(&b, used);
        bz_journal_frame_encode(&f, &b);
        if (!bz_view_eq(bz_buf_view(&b), bz_view_sub(in, 0, used)))
            abort();
        bz_buf_free(&b);
        in = bz_view_sub(in, used, in.n);
    }
    return 0;
}
