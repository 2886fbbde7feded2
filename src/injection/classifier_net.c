#include "classifier_net.h"

#if defined(__x86_64__) && defined(__SSE2__)
#include <emmintrin.h>
#define HAVE_SSE2 1
#else
#define HAVE_SSE2 0
#endif

static uint16_t row_of(uint32_t hash, uint32_t kind) {
    uint32_t h = (hash ^ kind) * 0x9e3779b1u;
    h = (h ^ (h >> 15)) * 0x2c1b3c6du;
    return (uint16_t)((h ^ (h >> 13)) >> (32 - BZ_NET_LOG2));
}

void bz_net_place(const struct bz_words *r, size_t i, uint16_t ret[BZ_NET_PARTS]) {
    size_t k = BZ_WORDS_KEEP + i;
    ret[0] = row_of(r->w[k], 0x3c6ef372);
    ret[1] = row_of(r->w[k], 0xa54ff53a);
    ret[2] = row_of(r->s[k], 0x510e527f);
    ret[3] = row_of(r->g[k], 0x9b05688c);
}

void bz_net_read(struct bz_rd *r, struct bz_net *ret) {
    ret->rows = bz_rd_take(r, BZ_NET_ROWS * BZ_NET_SIZE).p;
    for (size_t i = 0; i < BZ_NET_INPUTS; i++)
        for (size_t f = 0; f < BZ_NET_FILTERS; f++)
            ret->filter[i / 2][f][i % 2] = (int8_t)bz_rd_u8(r);
    for (size_t f = 0; f < BZ_NET_FILTERS; f++)
        ret->bias[f] = (int32_t)bz_rd_le32(r);
    for (size_t f = 0; f < BZ_NET_FILTERS; f++)
        ret->out[f] = (int32_t)bz_rd_le32(r);
    ret->out_bias = (int32_t)bz_rd_le32(r);
}

/* Words as numbers, with one of zeros before the first and behind the last. */
struct words {
    int16_t x[(BZ_NET_WORDS + 2) * BZ_NET_SIZE];
};

static void add_up(const struct bz_net *net, const uint16_t (*place)[BZ_NET_PARTS], size_t n,
                   struct words *ret) {
    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; i < n; i++)
        for (size_t part = 0; part < BZ_NET_PARTS; part++) {
            const uint8_t *row = net->rows + place[i][part] * (size_t)BZ_NET_SIZE;
            int16_t *x = ret->x + (i + 1) * BZ_NET_SIZE;
            for (size_t k = 0; k < BZ_NET_SIZE; k++)
                x[k] = (int16_t)(x[k] + (int8_t)row[k]);
        }
}

static void most_plain(const struct bz_net *net, const struct words *w, size_t n,
                       int32_t most[BZ_NET_FILTERS]) {
    for (size_t at = 0; at < n; at++) {
        const int16_t *x = w->x + at * BZ_NET_SIZE;
        for (size_t f = 0; f < BZ_NET_FILTERS; f++) {
            int32_t sum = 0;
            for (size_t i = 0; i < BZ_NET_INPUTS; i++)
                sum += x[i] * net->filter[i / 2][f][i % 2];
            most[f] = at == 0 || sum > most[f] ? sum : most[f];
        }
    }
}

#if HAVE_SSE2
static __m128i larger(__m128i a, __m128i b) {
    __m128i more = _mm_cmpgt_epi32(a, b);
    return _mm_or_si128(_mm_and_si128(more, a), _mm_andnot_si128(more, b));
}

/* Eight filters over all words: four of them in a register, two of these. */
static void most_of_eight(const struct bz_net *net, const struct words *w, size_t n, size_t first,
                          int32_t *most) {
    __m128i high0 = _mm_set1_epi32(INT32_MIN), high1 = high0;
    for (size_t at = 0; at < n; at++) {
        __m128i sum0 = _mm_setzero_si128(), sum1 = sum0;
        for (size_t i = 0; i < BZ_NET_INPUTS / 2; i++) {
            int32_t two;
            memcpy(&two, w->x + at * BZ_NET_SIZE + 2 * i, sizeof(two));
            __m128i x = _mm_set1_epi32(two);
            const __m128i *k = (const __m128i *)(const void *)net->filter[i][first];
            sum0 = _mm_add_epi32(sum0, _mm_madd_epi16(x, _mm_loadu_si128(k)));
            sum1 = _mm_add_epi32(sum1, _mm_madd_epi16(x, _mm_loadu_si128(k + 1)));
        }
        high0 = larger(sum0, high0);
        high1 = larger(sum1, high1);
    }
    _mm_storeu_si128((__m128i *)(void *)(most + first), high0);
    _mm_storeu_si128((__m128i *)(void *)(most + first + 4), high1);
}
#endif

int32_t bz_net_sum(const struct bz_net *net, const uint16_t (*place)[BZ_NET_PARTS], size_t n,
                   bool plain) {
    struct words w;
    int32_t most[BZ_NET_FILTERS] = {0};
    int64_t sum = 0;
    if (n == 0)
        return 0;
    add_up(net, place, n, &w);
#if HAVE_SSE2
    for (size_t f = 0; f < BZ_NET_FILTERS && !plain; f += 8)
        most_of_eight(net, &w, n, f, most);
    if (plain)
#endif
        most_plain(net, &w, n, most);
    for (size_t f = 0; f < BZ_NET_FILTERS; f++) {
        int64_t a = (int64_t)most[f] + net->bias[f];
        if (a > 0)
            sum += (a >> BZ_NET_SHIFT) * net->out[f];
    }
    sum = sum / 65536 + net->out_bias;
    return sum > 1 << 20 ? 1 << 20 : sum < -(1 << 20) ? -(1 << 20) : (int32_t)sum;
}
