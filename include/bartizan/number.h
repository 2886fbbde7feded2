/* Numbers of JSON by value: 1, 1.0 and 10e-1 are one number, however long. No floating point: what a rule
 * allows does not depend on rounding. */
#ifndef BARTIZAN_NUMBER_H
#define BARTIZAN_NUMBER_H

#include <bartizan/buf.h>
#include <bartizan/limits.h>

struct bz_number { /* +-0.DDD... * 10^exp, no zeros at either end of the digits; 0: no digits */
    bool negative;
    uint8_t n;
    int64_t exp;
    char digits[BZ_JSON_NUMBER_MAX];
};
/* lexeme: of a number node. false: an exponent that nobody counts with, or too many digits. O(lexeme.n). */
bool bz_number_of(struct bz_view lexeme, struct bz_number *ret);
int bz_number_compare(const struct bz_number *a, const struct bz_number *b); /* <0, 0, >0 */
bool bz_number_whole(const struct bz_number *n);
/* One spelling per value: "-123e-2". Failures are latched in `out`. */
void bz_number_write(const struct bz_number *n, struct bz_buf *out);

#endif
