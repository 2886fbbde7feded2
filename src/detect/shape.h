/* What the matches of a custom pattern can look like, coarsely: enough to say where at the end of a
 * text one of them may have begun. Never too narrow. */
#ifndef DETECT_SHAPE_H
#define DETECT_SHAPE_H

#include <bartizan/view.h>

#define SHAPE_LEAD 8

struct byte_set {
    uint64_t w[4];
};
struct shape {
    struct byte_set any;              /* bytes that a match may hold */
    struct byte_set lead[SHAPE_LEAD]; /* its first bytes, one after the other */
    size_t lead_n;
};

void shape_of(struct bz_view pattern, bool nocase, struct shape *ret);
/* May [p, p + n) be the beginning of a match, or a match? */
bool shape_fits(const struct shape *s, const uint8_t *p, size_t n);

#endif
