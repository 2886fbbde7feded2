/* A borrowed run of bytes, passed by value, never assumed NUL-terminated. */
#ifndef BARTIZAN_VIEW_H
#define BARTIZAN_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bartizan/status.h>

struct bz_view {
    const uint8_t *p; /* may be NULL when n == 0 */
    size_t n;
};

/* View of a string literal. */
#define BZ_V(lit) ((struct bz_view){(const uint8_t *)("" lit), sizeof(lit) - 1})

static inline struct bz_view bz_view(const void *p, size_t n) {
    return (struct bz_view){(const uint8_t *)p, n};
}
static inline struct bz_view bz_view_str(const char *s) {
    return (struct bz_view){(const uint8_t *)s, s == NULL ? 0 : strlen(s)};
}
static inline bool bz_view_eq(struct bz_view a, struct bz_view b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool bz_view_starts(struct bz_view a, struct bz_view prefix) {
    return a.n >= prefix.n && (prefix.n == 0 || memcmp(a.p, prefix.p, prefix.n) == 0);
}
/* ASCII case-insensitive equality, for header names and schemes only. */
bool bz_view_eq_nocase(struct bz_view a, struct bz_view b);
/* Sub-view; clamps instead of reading outside. */
static inline struct bz_view bz_view_sub(struct bz_view v, size_t from, size_t n) {
    if (from > v.n)
        from = v.n;
    if (n > v.n - from)
        n = v.n - from;
    return (struct bz_view){v.n == 0 ? v.p : v.p + from, n};
}
/* Decimal number without sign, blanks or leading '+'; the whole view must be digits.
 * OK, ESYNTAX (empty or other bytes), ERANGE (above UINT64_MAX). */
enum bz_status bz_view_u64(struct bz_view v, uint64_t *ret);

#endif
