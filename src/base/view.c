/* The parts of a view that are more than a line. */
#include <bartizan/view.h>

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* The same for eight bytes: bit 7 of `upper` marks those from A to Z. Sums stay within a byte
 * because the top bits are masked off before. */
static uint64_t lower8(const uint8_t *p) {
    const uint64_t ones = 0x0101010101010101u;
    uint64_t w;
    memcpy(&w, p, sizeof w);
    uint64_t low7 = w & ones * 0x7f;
    uint64_t upper =
        (low7 + ones * (0x80 - 'A')) & ~(low7 + ones * (0x7f - 'Z')) & ~w & ones * 0x80;
    return w | upper >> 2;
}

bool bz_view_eq_nocase(struct bz_view a, struct bz_view b) {
    size_t i = 0;
    if (a.n != b.n)
        return false;
    for (; a.n - i >= 8; i += 8) {
        if (lower8(a.p + i) != lower8(b.p + i))
            return false;
    }
    if (i != 0 && i < a.n) /* the last eight bytes, some of them again */
        return lower8(a.p + a.n - 8) == lower8(b.p + b.n - 8);
    for (; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

enum bz_status bz_view_u64(struct bz_view v, uint64_t *ret) {
    if (v.n == 0)
        return BZ_ESYNTAX;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return BZ_ESYNTAX;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (__builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(v.p[i] - '0'), &sum))
            return BZ_ERANGE;
    }
    *ret = sum;
    return BZ_OK;
}
