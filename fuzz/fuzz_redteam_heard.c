/* The oracle over any bytes: it ends, stays within its bounds, and finds a secret that stands there. The first
 * byte chooses the dialect. */
#include <stdlib.h>
#include <bartizan/json.h>
#include <bartizan/redteam.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static void look(enum bz_red_dialect d, bool stream, struct bz_view bytes, bool there) {
    struct bz_arena ar;
    struct bz_red_heard h;
    struct bz_red_found f;
    bz_arena_init(&ar, bz_alloc_heap, (size_t)256 << 20, NULL, 0);
    MUST(bz_red_hear(d, stream, bytes, &ar, &h) == BZ_OK);
    MUST(bz_red_recover(&h, BZ_V("k7r2mq9tx4bw8zcd"), 0, 1, &f) == BZ_OK);
    MUST(f.part >= 0 && f.part <= 1 && (!there || f.part >= 1));
    bz_arena_free(&ar);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > 20000)
        return 0;
    enum bz_red_dialect d = (enum bz_red_dialect)(data[0] % BZ_RED_DIALECT_COUNT);
    struct bz_view rest = bz_view(data + 1, size - 1);
    look(d, (data[0] & 16) != 0, rest, false);
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    bz_buf_puts(&b, "{\"k7r2mq9tx4bw8zcd\":");
    bz_json_write_str(&b, rest);
    bz_buf_putc(&b, '}');
    look(d, false, bz_buf_view(&b), true);
    bz_buf_free(&b);
    return 0;
}
