/* Spool files as a worker that was taken over might write them, and the list of erasures as an editor
 * might. What opens is written again and opens the same. */
#include <stdlib.h>

#include <bartizan/bodies.h>

static const uint8_t key[BZ_KEY_LEN] = {1};

static void fields(const uint8_t pub[BZ_BOX_LEN], struct bz_view in) {
    struct bz_buf file, mem, again;
    struct bz_body b, c;
    bz_buf_init(&file, 1 << 24);
    bz_buf_init(&mem, 1 << 24);
    bz_buf_init(&again, 1 << 24);
    bz_buf_puts(&file, "BZB1hinthint");
    uint8_t *room = bz_buf_room(&file, in.n + BZ_BOX_EXTRA);
    if (room == NULL || bz_box_seal(pub, in, room) != BZ_OK)
        abort();
    if (bz_body_open(key, bz_buf_view(&file), &mem, &b) == BZ_OK) {
        if (bz_body_seal(pub, &b, &again) != BZ_OK || again.n != file.n)
            abort();
        bz_buf_reset(&file);
        if (bz_body_open(key, bz_buf_view(&again), &file, &c) != BZ_OK ||
            !bz_view_eq(b.body, c.body))
            abort();
    }
    bz_buf_free(&file);
    bz_buf_free(&mem);
    bz_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    uint8_t pub[BZ_BOX_LEN];
    struct bz_view in = bz_view(p, n), rest = in;
    struct bz_buf mem;
    struct bz_body b;
    struct bz_erased e;
    if (bz_crypto_init() != BZ_OK || n > 1 << 20)
        return 0;
    bz_box_public(key, pub);
    bz_buf_init(&mem, 1 << 24);
    if (bz_body_open(key, in, &mem, &b) == BZ_OK && b.user.n == 0)
        abort();
    bz_buf_free(&mem);
    fields(pub, in);
    for (size_t before = rest.n; bz_erased_next(key, &rest, &e) != BZ_MORE; before = rest.n) {
        if (rest.n >= before)
            abort();
    }
    return 0;
}
