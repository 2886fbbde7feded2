/* Shared by the JSON reader and writer of this folder. */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <bartizan/json.h>

#include "simd.h"

#ifdef BASE_SSE2
#include <emmintrin.h>
#endif

/* True for the bytes that cannot stand in a string as they are: quote, backslash, controls. */
static inline bool bz_json_special(uint8_t c) {
    return c < 0x20 || c == '"' || c == '\\';
}

/* The first such byte from p on, or end; for runs that turned out to be long. */
const uint8_t *bz_json_plain_long(const uint8_t *p, const uint8_t *end);

#ifdef BASE_SSE2
/* A bit for every special byte among the 16 at p. */
static inline unsigned bz_json_special16(const uint8_t *p) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i hit =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
    return (unsigned)_mm_movemask_epi8(hit);
}
#endif

/* The same from the start of a string: keys and short values end in the first steps. */
static inline const uint8_t *bz_json_plain(const uint8_t *p, const uint8_t *end) {
#ifdef BASE_SSE2
    for (int i = 0; i < 2 && end - p >= 16; i++, p += 16) {
        unsigned mask = bz_json_special16(p);
        if (mask != 0)
            return p + __builtin_ctz(mask);
    }
#endif
    return bz_json_plain_long(p, end);
}

/* memcpy for the short runs JSON is made of, without the call. */
static inline void bz_json_copy(uint8_t *to, const uint8_t *from, size_t n) {
    if (n > 32) {
        memcpy(to, from, n);
    } else if (n >= 16) {
        memcpy(to, from, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
    }
}

/* Decodes the escape at *p (which is a backslash, another byte follows before end) to at most 4
 * bytes and moves *p behind it. ESYNTAX, EUTF8 (surrogates); *ret_why says what is wrong. */
enum bz_status bz_json_escape(const uint8_t **p, const uint8_t *end, uint8_t out[4], size_t *ret_n,
                              const char **ret_why);

/* Folds a key as a Go server does to match it with a field. `out` has room for n bytes; the folded
 * length. */
size_t bz_json_fold(const uint8_t *p, size_t n, uint8_t *out);
/* False when folding would change nothing for sure. */
bool bz_json_folds(const uint8_t *p, size_t n);

#endif
