/* The normal form: each code point on its own becomes zero or more bytes. What is removed (invisible
 * characters, control codes) leaves nothing, except that a run of more than NORM_GAP of them becomes
 * one blank: nothing else lets a match grow without bound. */
#ifndef DETECT_NORMALISE_H
#define DETECT_NORMALISE_H

#include <bartizan/detect.h>

enum {
    NORM_GAP = 16,
    NORM_MAX = 32, /* bytes of the normal form of one step */
    NORM_ESC = 12, /* bytes of the longest escape: a surrogate pair */
};

struct norm {          /* between two bytes of the text; zeroed at its beginning */
    uint8_t json;      /* BZ_TEXT_JSON */
    uint8_t in_string; /* JSON */
    uint8_t gap;       /* invisible characters since the last visible one, up to NORM_GAP + 1 */
};

/* How many bytes at the beginning of v are their own normal form and change nothing in the state but
 * the gap: plain ASCII; in JSON no quotes and backslashes. */
size_t norm_plain(const struct norm *s, struct bz_view v);
/* One code point or escape; v is not empty. out: NORM_MAX bytes, *ret_n of them filled.
 * Returns the bytes of v it took; 0: an escape or code point is cut by the end of v and more may
 * come (`last` is false). */
size_t norm_step(struct norm *s, struct bz_view v, bool last, uint8_t *out, size_t *ret_n);

#endif
