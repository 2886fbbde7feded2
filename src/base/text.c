/* UTF-8 validation, hex and base64 decoding. */
#include <bartizan/text.h>

#include "simd.h"

static bool cont(uint8_t c) {
    return (c & 0xc0) == 0x80;
}

/* Length of the sequence at p (n bytes left, n > 0), or 0. RFC 3629, section 4: the first byte
 * limits the second. */
static size_t sequence(const uint8_t *p, size_t n) {
    uint8_t c = p[0];
    if (c < 0x80)
        return 1;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    if (c < 0xe0)
        return n >= 2 && cont(p[1]) ? 2 : 0;
    if (c < 0xf0) {
        uint8_t low = c == 0xe0 ? 0xa0 : 0x80;
        uint8_t high = c == 0xed ? 0x9f : 0xbf;
        return n >= 3 && p[1] >= low && p[1] <= high && cont(p[2]) ? 3 : 0;
    }
    uint8_t low = c == 0xf0 ? 0x90 : 0x80;
    uint8_t high = c == 0xf4 ? 0x8f : 0xbf;
    return n >= 4 && p[1] >= low && p[1] <= high && cont(p[2]) && cont(p[3]) ? 4 : 0;
}

#ifdef BASE_AVX2
#include <immintrin.h>

/* Validation by three table look-ups per byte: J. Keiser, D. Lemire, "Validating UTF-8 in less than
 * one instruction per byte" (2020). Each bit is one way in which a pair of neighbouring bytes can
 * be wrong; a pair is wrong where the tables of its first byte's halves and of its second byte's
 * upper half agree on a bit. TWO_CONTS is right, and demanded, where the lead byte stands two or
 * three places before. */
enum {
    TOO_SHORT = 1,   /* lead byte, then no continuation */
    TOO_LONG = 2,    /* ASCII, then a continuation */
    OVERLONG_3 = 4,  /* e0 80..9f */
    TOO_LARGE = 8,   /* f4 90.., f5.. */
    SURROGATE = 16,  /* ed a0..bf */
    OVERLONG_2 = 32, /* c0, c1 */
    EXTREME_4 = 64,  /* f0 80..8f (overlong), f5.. 80..8f (too large) */
    TWO_CONTS = 128,
    CARRY = TOO_SHORT | TOO_LONG | TWO_CONTS,
    SECOND = TOO_LONG | OVERLONG_2 | TWO_CONTS,
};

/* clang-format off */
#define TWICE(...) {__VA_ARGS__, __VA_ARGS__}
/* clang-format on */

static const uint8_t first_high[32] =
    TWICE(TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TWO_CONTS,
          TWO_CONTS, TWO_CONTS, TWO_CONTS, TOO_SHORT | OVERLONG_2, TOO_SHORT,
          TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | EXTREME_4);
static const uint8_t first_low[32] = TWICE(
    CARRY | OVERLONG_3 | OVERLONG_2 | EXTREME_4, CARRY | OVERLONG_2, CARRY, CARRY,
    CARRY | TOO_LARGE, CARRY | TOO_LARGE | EXTREME_4, CARRY | TOO_LARGE | EXTREME_4,
    CARRY | TOO_LARGE | EXTREME_4, CARRY | TOO_LARGE | EXTREME_4, CARRY | TOO_LARGE | EXTREME_4,
    CARRY | TOO_LARGE | EXTREME_4, CARRY | TOO_LARGE | EXTREME_4, CARRY | TOO_LARGE | EXTREME_4,
    CARRY | TOO_LARGE | EXTREME_4 | SURROGATE, CARRY | TOO_LARGE | EXTREME_4,
    CARRY | TOO_LARGE | EXTREME_4);
static const uint8_t second_high[32] =
    TWICE(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
          SECOND | OVERLONG_3 | EXTREME_4, SECOND | OVERLONG_3 | TOO_LARGE,
          SECOND | SURROGATE | TOO_LARGE, SECOND | SURROGATE | TOO_LARGE, TOO_SHORT, TOO_SHORT,
          TOO_SHORT, TOO_SHORT);

#define AVX2 __attribute__((target("avx2"), always_inline)) static inline

AVX2 __m256i load(const uint8_t *p) {
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* Non-zero bytes where `in`, which follows `before`, is wrong. */
AVX2 __m256i wrong(__m256i in, __m256i before) {
    const __m256i low4 = _mm256_set1_epi8(0x0f);
    __m256i middle = _mm256_permute2x128_si256(before, in, 0x21);
    __m256i back1 = _mm256_alignr_epi8(in, middle, 15);
    __m256i back2 = _mm256_alignr_epi8(in, middle, 14);
    __m256i back3 = _mm256_alignr_epi8(in, middle, 13);
    __m256i a =
        _mm256_shuffle_epi8(load(first_high), _mm256_and_si256(_mm256_srli_epi16(back1, 4), low4));
    __m256i b = _mm256_shuffle_epi8(load(first_low), _mm256_and_si256(back1, low4));
    __m256i c =
        _mm256_shuffle_epi8(load(second_high), _mm256_and_si256(_mm256_srli_epi16(in, 4), low4));
    __m256i pairs = _mm256_and_si256(_mm256_and_si256(a, b), c);
    __m256i third = _mm256_subs_epu8(back2, _mm256_set1_epi8(0xe0 - 0x80));
    __m256i fourth = _mm256_subs_epu8(back3, _mm256_set1_epi8(0xf0 - 0x80));
    __m256i due = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    return _mm256_xor_si256(pairs, due);
}

/* Length of a valid prefix that ends where a character ends: all but the last 63 bytes, or less if
 * something is wrong. */
__attribute__((target("avx2"))) static size_t skip_avx2(const uint8_t *p, size_t n) {
    __m256i before = _mm256_setzero_si256();
    size_t i = 0;
    for (; n - i >= 64; i += 64) {
        __m256i a = load(p + i);
        __m256i b = load(p + i + 32);
        /* ASCII after ASCII; a sequence left open by the step before shows in its last three
         * bytes. */
        if (_mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(a, b), before)) != 0) {
            __m256i bad = _mm256_or_si256(wrong(a, before), wrong(b, a));
            if (!_mm256_testz_si256(bad, bad))
                break;
        }
        before = b;
    }
    /* Back to the start of the last character: it may go on behind i. */
    for (int k = 0; k < 4 && i != 0 && (p[i - 1] & 0x80) != 0; k++) {
        i--;
        if ((p[i] & 0xc0) == 0xc0)
            break;
    }
    return i;
}
#endif

/* How many bytes of ASCII p starts with, counted in steps that are cheap. */
static size_t ascii_run(const uint8_t *p, size_t n) {
    size_t i = 0;
    while (n - i >= 8) {
        uint64_t w;
        memcpy(&w, p + i, sizeof w);
        if ((w & 0x8080808080808080u) != 0)
            break;
        i += 8;
    }
    return i;
}

size_t bz_utf8_valid(struct bz_view v) {
    size_t i = 0;
    if (v.n == 0)
        return 0;
#ifdef BASE_AVX2
    /* Asks a word that libgcc fills before main: no state of ours, no cost. */
    if (v.n >= 64 && __builtin_cpu_supports("avx2"))
        i = skip_avx2(v.p, v.n);
#endif
    for (;;) {
        i += ascii_run(v.p + i, v.n - i);
        /* Text that is not ASCII comes in runs: go back to the wide steps only after eight plain
         * bytes. */
        for (size_t plain = 0; plain < 8;) {
            if (i == v.n)
                return i;
            size_t n = sequence(v.p + i, v.n - i);
            if (n == 0)
                return i;
            plain = n == 1 ? plain + 1 : 0;
            i += n;
        }
    }
}

size_t bz_utf8_next(struct bz_view v, uint32_t *ret_cp) {
    if (v.n == 0)
        return 0;
    size_t n = sequence(v.p, v.n);
    if (n == 0)
        return 0;
    static const uint8_t mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t cp = v.p[0] & mask[n];
    for (size_t i = 1; i < n; i++)
        cp = cp << 6 | (v.p[i] & 0x3f);
    *ret_cp = cp;
    return n;
}

size_t bz_utf8_encode(uint32_t cp, uint8_t out[4]) {
    if (cp < 0x80) {
        out[0] = (uint8_t)cp;
        return 1;
    }
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; cp >>= 6)
        out[i] = (uint8_t)(0x80 | (cp & 0x3f));
    out[0] = (uint8_t)(lead[n] | cp);
    return n;
}

static int hex_value(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum bz_status bz_hex_decode(struct bz_view in, uint8_t *out, size_t cap, size_t *ret_n) {
    if (in.n % 2 != 0)
        return BZ_ESYNTAX;
    if (in.n / 2 > cap)
        return BZ_ETOOBIG;
    for (size_t i = 0; i < in.n; i += 2) {
        int high = hex_value(in.p[i]);
        int low = hex_value(in.p[i + 1]);
        if (high < 0 || low < 0)
            return BZ_ESYNTAX;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    *ret_n = in.n / 2;
    return BZ_OK;
}

static int b64_value(uint8_t c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

enum bz_status bz_b64_decode(struct bz_view in, uint8_t *out, size_t cap, size_t *ret_n) {
    size_t n = in.n;
    if (n % 4 == 0 && n != 0 && in.p[n - 1] == '=')
        n -= in.p[n - 2] == '=' ? 2 : 1;
    if (n % 4 == 1)
        return BZ_ESYNTAX;
    size_t want = n / 4 * 3 + (n % 4 * 3) / 4;
    if (want > cap)
        return BZ_ETOOBIG;
    uint32_t acc = 0;
    unsigned bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        int value = b64_value(in.p[i]);
        if (value < 0)
            return BZ_ESYNTAX;
        acc = acc << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[at++] = (uint8_t)(acc >> bits);
        }
    }
    /* One value, one spelling: bits that no byte holds must be zero (RFC 4648, 3.5). */
    if ((acc & ((1u << bits) - 1)) != 0)
        return BZ_ESYNTAX;
    *ret_n = at;
    return BZ_OK;
}
