/* Shared by the JSON reader and writer of this folder. */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <bartizan/json.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* True for the bytes that cannot stand in a string as they are: quote, backslash, controls. */
static inline bool bz_json_special(uint8_t c) {
    return c < 0x20 || c == '"' || c == '\\';
}

/* The first such byte from p on, or end. The hot loop of the product: most of a prompt passes here and nowhere else.
 * SSE2 is part of every amd64; 16 bytes a step already run at memory speed, so there is no run-time dispatch. */
static inline const uint8_t *bz_json_plain(const uint8_t *p, const uint8_t *end) {
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i slash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);
    while (end - p >= 16) {
        __m128i v;
        memcpy(&v, p, sizeof v);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_min_epu8(v, control), v));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask != 0)
            return p + __builtin_ctz(mask);
        p += 16;
    }
#else
    while (end - p >= 8) {
        uint64_t ones = 0x0101010101010101u;
        uint64_t w;
        memcpy(&w, p, sizeof w);
        uint64_t q = w ^ ones * '"';
        uint64_t s = w ^ ones * '\\';
        /* Haszero and hasless of "Bit Twiddling Hacks"; a false alarm only ends the wide steps early. */
        uint64_t hit = ((q - ones) & ~q) | ((s - ones) & ~s) | ((w - ones * 0x20) & ~w);
        if ((hit & ones << 7) != 0)
            break;
        p += 8;
    }
#endif
    while (p < end && !bz_json_special(*p))
        p++;
    return p;
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

/* Decodes the escape at *p (which is a backslash, another byte follows before end) to at most 4 bytes and moves *p
 * behind it. ESYNTAX, EUTF8 (surrogates); *ret_why says what is wrong. */
enum bz_status bz_json_escape(const uint8_t **p, const uint8_t *end, uint8_t out[4], size_t *ret_n,
                              const char **ret_why);

/* Folds a key as a Go server does to match it with a field. `out` has room for n bytes; the folded length. */
size_t bz_json_fold(const uint8_t *p, size_t n, uint8_t *out);
/* False when folding would change nothing for sure. */
bool bz_json_folds(const uint8_t *p, size_t n);

#endif
