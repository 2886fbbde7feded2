/* Scanning, escapes and key folding. */
#include "json_text.h"

#include <bartizan/text.h>

#ifdef BASE_AVX2
#include <immintrin.h>

/* 64 bytes a step; stops before the step that holds the special byte. */
__attribute__((target("avx2"))) static const uint8_t *skip_avx2(const uint8_t *p,
                                                                const uint8_t *end) {
    const __m256i quote = _mm256_set1_epi8('"');
    const __m256i slash = _mm256_set1_epi8('\\');
    const __m256i control = _mm256_set1_epi8(0x1f);
    for (; end - p >= 64; p += 64) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
        __m256i hit = _mm256_or_si256(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(b, quote));
        hit = _mm256_or_si256(hit, _mm256_cmpeq_epi8(a, slash));
        hit = _mm256_or_si256(hit, _mm256_cmpeq_epi8(b, slash));
        hit = _mm256_or_si256(hit, _mm256_cmpeq_epi8(_mm256_min_epu8(a, control), a));
        hit = _mm256_or_si256(hit, _mm256_cmpeq_epi8(_mm256_min_epu8(b, control), b));
        if (_mm256_movemask_epi8(hit) != 0)
            break;
    }
    return p;
}
#endif

#ifndef BASE_SSE2
/* Haszero and hasless of "Bit Twiddling Hacks"; a false alarm only ends the wide steps early. */
static const uint8_t *skip_words(const uint8_t *p, const uint8_t *end) {
    const uint64_t ones = 0x0101010101010101u;
    for (; end - p >= 8; p += 8) {
        uint64_t w;
        memcpy(&w, p, sizeof w);
        uint64_t q = w ^ ones * '"';
        uint64_t s = w ^ ones * '\\';
        uint64_t hit = ((q - ones) & ~q) | ((s - ones) & ~s) | ((w - ones * 0x20) & ~w);
        if ((hit & ones << 7) != 0)
            break;
    }
    return p;
}
#endif

const uint8_t *bz_json_plain_long(const uint8_t *p, const uint8_t *end) {
#ifdef BASE_AVX2
    /* Asks a word that libgcc fills before main: no state of ours, no cost. */
    if (end - p >= 64 && __builtin_cpu_supports("avx2"))
        p = skip_avx2(p, end);
#endif
#ifdef BASE_SSE2
    for (; end - p >= 16; p += 16) {
        unsigned mask = bz_json_special16(p);
        if (mask != 0)
            return p + __builtin_ctz(mask);
    }
#else
    p = skip_words(p, end);
#endif
    while (p < end && !bz_json_special(*p))
        p++;
    return p;
}

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits after \u, or -1. */
static int32_t hex4(const uint8_t *p, const uint8_t *end) {
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    int32_t v = 0;
    for (int i = 2; i < 6; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

static enum bz_status unicode(const uint8_t **p, const uint8_t *end, uint8_t out[4], size_t *ret_n,
                              const char **ret_why) {
    int32_t cp = hex4(*p, end);
    size_t used = 6;
    if (cp <= 0) {
        *ret_why = cp < 0 ? "\\u without four hex digits" : "\\u0000 is not allowed";
        return BZ_ESYNTAX;
    }
    if (cp >= 0xd800 && cp <= 0xdfff) {
        int32_t low = cp < 0xdc00 ? hex4(*p + 6, end) : -1;
        if (low < 0xdc00 || low > 0xdfff) {
            *ret_why = "lone surrogate";
            return BZ_EUTF8;
        }
        cp = 0x10000 + ((cp - 0xd800) << 10 | (low - 0xdc00));
        used = 12;
    }
    *ret_n = bz_utf8_encode((uint32_t)cp, out);
    *p += used;
    return BZ_OK;
}

enum bz_status bz_json_escape(const uint8_t **p, const uint8_t *end, uint8_t out[4], size_t *ret_n,
                              const char **ret_why) {
    static const uint8_t simple[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    uint8_t c = (*p)[1];
    if (c == 'u')
        return unicode(p, end, out, ret_n, ret_why);
    if (c >= sizeof simple || simple[c] == 0) {
        *ret_why = "unknown escape";
        return BZ_ESYNTAX;
    }
    out[0] = simple[c];
    *ret_n = 1;
    *p += 2;
    return BZ_OK;
}

bool bz_json_folds(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if ((p[i] >= 'A' && p[i] <= 'Z') || p[i] >= 0x80)
            return true;
    }
    return false;
}

/* Go's encoding/json matches a key to a field by simple case folding. Field names are ASCII, and
 * only two code points beyond ASCII fold into it: U+017F (long s) and U+212A (Kelvin sign). */
size_t bz_json_fold(const uint8_t *p, size_t n, uint8_t *out) {
    size_t at = 0;
    for (size_t i = 0; i < n;) {
        if (n - i >= 2 && p[i] == 0xc5 && p[i + 1] == 0xbf) {
            out[at++] = 's';
            i += 2;
        } else if (n - i >= 3 && p[i] == 0xe2 && p[i + 1] == 0x84 && p[i + 2] == 0xaa) {
            out[at++] = 'k';
            i += 3;
        } else {
            out[at++] = p[i] >= 'A' && p[i] <= 'Z' ? (uint8_t)(p[i] | 0x20) : p[i];
            i++;
        }
    }
    return at;
}
