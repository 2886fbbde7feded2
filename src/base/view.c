/* The parts of a view that are more than a line. */
#include <bartizan/view.h>

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool bz_view_eq_nocase(struct bz_view a, struct bz_view b) {
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
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
