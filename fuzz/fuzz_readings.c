/* A text's readings: caps hold, every place lies within the text, the canonical form is in lower case
 * and settles. */
#include <bartizan/injection.h>
#include <bartizan/text.h>

#include <stdlib.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static void check(const struct bz_reading *r, size_t n, size_t size) {
    MUST(r->how_n <= BZ_READING_DEPTH && r->from <= r->to && r->to <= size);
    for (size_t i = 0; i < r->how_n; i++)
        MUST(r->how[i] != BZ_DECODING_NONE && r->how[i] < BZ_DECODING_COUNT);
    uint32_t before = 0;
    for (size_t i = 0; i < r->text.n; i += 1 + r->text.n / 512) {
        uint32_t from = 0;
        uint32_t to = 0;
        uint8_t c = r->text.p[i];
        MUST(!(c >= 'A' && c <= 'Z') && (c >= 0x20 || c == '\n') && c != 0x7f);
        bz_reading_place(r, i, i + 1, &from, &to);
        MUST(from < to && to <= size && from >= r->from && to <= r->to);
        MUST(n != 0 || from >= before);
        before = from;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_arena ar;
    struct bz_reading *r = NULL;
    size_t n = 0;
    size_t sum = 0;
    bz_arena_init(&ar, bz_alloc_heap, 4 * size + (24u << 20), NULL, 0);
    MUST(bz_readings(bz_view(data, size), &ar, &r, &n) == BZ_OK);
    MUST(n >= 1 && n <= BZ_READINGS_MAX && r[0].how_n == 0);
    for (size_t i = 0; i < n; i++) {
        check(&r[i], i, size);
        MUST(bz_utf8_valid(r[i].text) == r[i].text.n);
        sum += i == 0 ? 0 : r[i].text.n;
    }
    MUST(sum <= 3 * (size_t)BZ_READINGS_BYTES); /* folding may add to what was decoded */
    bz_arena_free(&ar);
    return 0;
}
