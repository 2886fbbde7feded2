#include "classifier_words.h"

#include <bartizan/text.h>

#if defined(__x86_64__) && defined(__SSE2__)
#include <emmintrin.h>
#define HAVE_SSE2 1
#else
#define HAVE_SSE2 0
#endif

#define STEM_ASCII 5 /* "ignor-ing", "instr-uctions" */
#define STEM_OTHER 8 /* bytes: four letters of two bytes */
#define LONG_WORD 32 /* bytes: encoded text, keys, paths without signs */
#define HIGH UINT64_C(0x8080808080808080)

static const uint32_t first_word = 0x51ed270b, long_word = 0x2545f491, number_word = 0x6c8e9cf5;

static bool is_word_byte(uint8_t b) {
    return (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || b >= 0x80;
}

static uint64_t mask_plain(const uint8_t *p, size_t n) {
    uint64_t m = 0;
    for (size_t i = 0; i < n; i++)
        m |= (uint64_t)is_word_byte(p[i]) << i;
    return m;
}

#if HAVE_SSE2
static uint64_t mask_sse2(const uint8_t *p) {
    uint64_t m = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i low = _mm_or_si128(x, _mm_set1_epi8(0x20));
        /* Signed comparisons: bytes above 0x7f are below everything, and words by their sign. */
        __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(low, _mm_set1_epi8('a' - 1)),
                                       _mm_cmplt_epi8(low, _mm_set1_epi8('z' + 1)));
        __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('0' - 1)),
                                      _mm_cmplt_epi8(x, _mm_set1_epi8('9' + 1)));
        __m128i any = _mm_or_si128(_mm_or_si128(letter, digit), x);
        m |= (uint64_t)(uint32_t)_mm_movemask_epi8(any) << i;
    }
    return m;
}
#endif

static uint64_t mask_at(const struct bz_words *r, size_t base) {
    if (base >= r->n)
        return 0;
    size_t n = r->n - base;
#if HAVE_SSE2
    if (n >= 64 && !r->plain)
        return mask_sse2(r->p + base);
#endif
    return mask_plain(r->p + base, n < 64 ? n : 64);
}

/* Eight bytes in little-endian order; zeros beyond the end of the text. */
static uint64_t load8(const struct bz_words *r, size_t at) {
    uint64_t x = 0;
    if (at + 8 <= r->n) {
        memcpy(&x, r->p + at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        x = __builtin_bswap64(x);
#endif
        return x;
    }
    for (size_t i = 0; at + i < r->n; i++)
        x |= (uint64_t)r->p[at + i] << (8 * i);
    return x;
}

static uint64_t low_bytes(uint64_t x, size_t n) {
    return n >= 8 ? x : x & ((UINT64_C(1) << (8 * n)) - 1);
}

static uint64_t stir(uint64_t h, uint64_t x) {
    h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ (h >> 29);
}

static uint32_t hash_bytes(const struct bz_words *r, size_t at, size_t n) {
    uint64_t h = n;
    for (; n > 8; at += 8, n -= 8)
        h = stir(h, load8(r, at));
    return (uint32_t)(stir(h, low_bytes(load8(r, at), n)) >> 16);
}

/* The gap [from, to): 0 for one blank; else its first and last two bytes and how long it is. */
static uint32_t hash_gap(struct bz_words *r, size_t from, size_t to) {
    size_t n = to - from;
    if (n == 0 || (n == 1 && r->p[from] == ' '))
        return 0;
    bool line = false, sign = false;
    for (size_t i = from; i < to && i < from + 64; i++) {
        uint8_t b = r->p[i];
        line |= b == '\n';
        sign |= b > ' ' && b != ',' && b != '.' && b != '\'' && b != '-';
    }
    r->look.lines += line;
    r->look.signs += sign;
    uint64_t x = r->p[from] | (uint64_t)r->p[to - 1] << 8;
    if (n > 2)
        x |= (uint64_t)r->p[from + 1] << 16 | (uint64_t)r->p[to - 2] << 24;
    x |= (uint64_t)(n < 4 ? n : 4) << 32 | (uint64_t)line << 40;
    return (uint32_t)(stir(7, x) >> 16) | 1;
}

/* ---- runs with bytes above 0x7f ------------------------------------------------------------------ */

enum kind { KIND_LETTER, KIND_GAP, KIND_ALONE };

struct range {
    uint32_t from, to;
    enum kind kind;
};
/* Sorted; what is not in here is a letter. */
static const struct range kinds[] = {
    {0x80, 0xa9, KIND_GAP},       {0xab, 0xb4, KIND_GAP},       {0xb6, 0xb9, KIND_GAP},
    {0xbb, 0xbf, KIND_GAP},       {0xd7, 0xd7, KIND_GAP},       {0xf7, 0xf7, KIND_GAP},
    {0x55d, 0x55d, KIND_GAP},     {0x589, 0x589, KIND_GAP},     {0x60c, 0x60c, KIND_GAP},
    {0x61b, 0x61b, KIND_GAP},     {0x61f, 0x61f, KIND_GAP},     {0x6d4, 0x6d4, KIND_GAP},
    {0x964, 0x965, KIND_GAP},     {0xe00, 0xeff, KIND_ALONE},   {0x1000, 0x109f, KIND_ALONE},
    {0x1780, 0x17ff, KIND_ALONE}, {0x2000, 0x206f, KIND_GAP},   {0x20a0, 0x20cf, KIND_GAP},
    {0x2190, 0x2bff, KIND_GAP},   {0x3000, 0x303f, KIND_GAP},   {0x3040, 0x30ff, KIND_ALONE},
    {0x3400, 0x9fff, KIND_ALONE}, {0xf900, 0xfaff, KIND_ALONE}, {0xfe10, 0xfe6f, KIND_GAP},
    {0xff00, 0xff0f, KIND_GAP},   {0xff1a, 0xff20, KIND_GAP},   {0x1f000, 0x10ffff, KIND_ALONE},
};

static enum kind kind_of(uint32_t c) {
    size_t low = 0, high = sizeof(kinds) / sizeof(kinds[0]);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (c > kinds[mid].to)
            low = mid + 1;
        else
            high = mid;
    }
    return low < sizeof(kinds) / sizeof(kinds[0]) && c >= kinds[low].from ? kinds[low].kind
                                                                          : KIND_LETTER;
}

/* The next word of the run [r->run, r->run_end). False: none is left. */
static bool next_of_run(struct bz_words *r, size_t *from, size_t *to) {
    size_t at = r->run, start = at;
    bool open = false;
    while (at < r->run_end) {
        uint32_t c;
        size_t n = bz_utf8_next(bz_view(r->p + at, r->run_end - at), &c);
        if (n == 0) { /* not UTF-8: canonical text never is; take the byte as a letter */
            n = 1;
            c = r->p[at];
        }
        enum kind k = kind_of(c);
        if (k != KIND_LETTER && open)
            break;
        at += n;
        if (k == KIND_GAP) {
            start = at;
            continue;
        }
        open = true;
        if (k == KIND_ALONE)
            break;
    }
    r->run = at;
    *from = start;
    *to = at;
    return open;
}

/* ---- words --------------------------------------------------------------------------------------- */

static bool next_span(struct bz_words *r, size_t *from, size_t *to) {
    while (r->mask == 0) {
        r->base += 64;
        if (r->base >= r->n)
            return false;
        r->mask = mask_at(r, r->base);
    }
    unsigned first = (unsigned)__builtin_ctzll(r->mask);
    *from = r->base + first;
    uint64_t rest = ~r->mask & (~UINT64_C(0) << first);
    while (rest == 0) {
        r->base += 64;
        r->mask = mask_at(r, r->base);
        rest = ~r->mask;
    }
    unsigned stop = (unsigned)__builtin_ctzll(rest);
    *to = r->base + stop;
    r->mask &= ~UINT64_C(0) << stop;
    return true;
}

static bool has_high(const struct bz_words *r, size_t from, size_t to) {
    for (; to - from > 8; from += 8)
        if ((load8(r, from) & HIGH) != 0)
            return true;
    return (low_bytes(load8(r, from), to - from) & HIGH) != 0;
}

static bool next_word(struct bz_words *r, size_t *from, size_t *to, bool *foreign) {
    for (;;) {
        if (r->run < r->run_end) {
            *foreign = true;
            if (next_of_run(r, from, to))
                return true;
            r->run = r->run_end = 0;
        }
        if (!next_span(r, from, to))
            return false;
        *foreign = has_high(r, *from, *to);
        if (!*foreign)
            return true;
        r->run = *from;
        r->run_end = *to;
    }
}

static void put_word(struct bz_words *r, size_t i, size_t from, size_t to, bool foreign) {
    size_t n = to - from, k = BZ_WORDS_KEEP + i;
    uint64_t x = low_bytes(load8(r, from), n);
    r->start[i] = (uint32_t)from;
    r->stop[i] = (uint32_t)to;
    r->g[k] = hash_gap(r, r->end, from);
    r->end = to;
    r->look.words++;
    r->look.word_bytes += (uint32_t)n;
    r->look.foreign += foreign;
    if (n <= 8 &&
        (x & UINT64_C(0xf0f0f0f0f0f0f0f0)) == low_bytes(UINT64_C(0x3030303030303030), n)) {
        r->w[k] = r->s[k] = number_word + (uint32_t)(n < 5 ? n : 5);
        r->look.numbers++;
        return;
    }
    if (n > LONG_WORD && !foreign) {
        r->w[k] = r->s[k] = long_word;
        r->look.longs++;
        return;
    }
    r->w[k] = n <= 8 ? (uint32_t)(stir(n, x) >> 16) : hash_bytes(r, from, n);
    size_t stem = foreign ? STEM_OTHER : STEM_ASCII;
    r->s[k] = n <= stem ? r->w[k] : (uint32_t)(stir(0x73, low_bytes(x, stem)) >> 16);
}

/* Two rounds of a 32-bit mixer: cheap, and the compiler makes vector code of it. */
static uint32_t place_of(uint32_t a, uint32_t b, uint32_t c, uint32_t kind, unsigned log2) {
    uint32_t h = a * 0x9e3779b1u + b * 0x85ebca77u + c * 0xc2b2ae3du + kind * 0x27d4eb2fu;
    h = (h ^ (h >> 15)) * 0x2c1b3c6du;
    return (h ^ (h >> 12)) * 0x297a2d39u >> (32 - log2);
}

static void put_places(const struct bz_words *r, size_t i, unsigned log2,
                       uint32_t place[BZ_WORDS_PLACES]) {
    size_t k = BZ_WORDS_KEEP + i;
    uint32_t w0 = r->w[k], w1 = r->w[k - 1], w2 = r->w[k - 2];
    uint32_t s0 = r->s[k], s1 = r->s[k - 1], s3 = r->s[k - 3];
    place[0] = place_of(w0, 0, 0, 1, log2);
    place[1] = place_of(w0, w1, 0, 2, log2);
    place[2] = place_of(w0, w1, w2, 3, log2);
    place[3] = place_of(w0, 0, w2, 4, log2);
    place[4] = s0 == w0 ? 0 : place_of(s0, 0, 0, 5, log2);
    place[5] = s0 == w0 && s1 == w1 ? 0 : place_of(s0, s1, 0, 6, log2);
    place[6] = place_of(s0, 0, s3, 7, log2);
    place[7] = r->g[k] == 0 ? 0 : place_of(w0, r->g[k], 0, 8, log2);
}

void bz_words_init(struct bz_words *r, struct bz_view text, bool plain) {
    memset(r, 0, sizeof(*r));
    r->p = text.p;
    r->n = text.n;
    r->plain = plain;
    r->mask = mask_at(r, 0);
    for (size_t k = 0; k < BZ_WORDS_KEEP; k++)
        r->w[k] = r->s[k] = first_word;
}

size_t bz_words_block(struct bz_words *r, unsigned log2,
                      uint32_t place[BZ_WORDS_BLOCK][BZ_WORDS_PLACES]) {
    if (r->last == BZ_WORDS_BLOCK)
        for (size_t k = 0; k < BZ_WORDS_KEEP; k++) {
            r->w[k] = r->w[BZ_WORDS_BLOCK + k];
            r->s[k] = r->s[BZ_WORDS_BLOCK + k];
        }
    size_t n = 0, from = 0, to = 0;
    bool foreign = false;
    while (n < BZ_WORDS_BLOCK && next_word(r, &from, &to, &foreign))
        put_word(r, n++, from, to, foreign);
    for (size_t i = 0; i < n; i++)
        put_places(r, i, log2, place[i]);
    r->last = (uint32_t)n;
    return n;
}
