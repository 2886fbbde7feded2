/* Fits the net (src/injection/classifier_net.h) by AdaGrad to the windows that the table finds
 * heaviest: of attacks the one, of harmless texts the first few, which are its hard negatives.
 * Deterministic: one seed, one thread, no more than SSE2. */
#include "train-classifier.h"

#include <math.h>
#include <stdlib.h>

#define EPOCHS 8
#define RATE 0.03f
#define WORDS_LOST 0.15f /* words that are not shown, anew each time */
#define TAKEN 2          /* windows of a harmless text */
#define MEAN_FROM 4      /* epochs before those whose weights are averaged */
#define L2 1e-6f

typedef float four __attribute__((vector_size(16)));
#define GROUPS (BZ_NET_FILTERS / 4)

struct weights {
    float rows[BZ_NET_ROWS][BZ_NET_SIZE];
    four filter[BZ_NET_INPUTS][GROUPS];
    float bias[BZ_NET_FILTERS], out[BZ_NET_FILTERS], out_bias;
};
struct fit {
    struct weights w, g, mean; /* g: sums of squares */
    float dx[(BZ_NET_WORDS + 2) * BZ_NET_SIZE];
    struct random rnd;
};
struct pass { /* of one window */
    float x[(BZ_NET_WORDS + 2) * BZ_NET_SIZE];
    float most[BZ_NET_FILTERS];
    uint8_t at[BZ_NET_FILTERS]; /* the word where a filter is largest */
    bool lost[BZ_NET_WORDS];
};

static void step(float *w, float *g, float d) {
    *g += d * d;
    *w -= RATE * d / sqrtf(1e-4f + *g);
}

static void show(const struct weights *w, const struct row *row, size_t from, size_t n,
                 struct pass *p) {
    memset(p->x, 0, sizeof(p->x));
    for (size_t i = 0; i < n; i++)
        for (size_t part = 0; part < BZ_NET_PARTS && !p->lost[i]; part++)
            for (size_t k = 0; k < BZ_NET_SIZE; k++)
                p->x[(i + 1) * BZ_NET_SIZE + k] += w->rows[row->net[from + i][part]][k];
}

static float forward(const struct weights *w, const struct row *row, size_t from, size_t n,
                     struct pass *p) {
    show(w, row, from, n, p);
    for (size_t at = 0; at < n; at++) {
        four sum[GROUPS] = {0};
        for (size_t i = 0; i < BZ_NET_INPUTS; i++) {
            float v = p->x[at * BZ_NET_SIZE + i];
            four x = {v, v, v, v};
            for (size_t g = 0; g < GROUPS; g++)
                sum[g] += x * w->filter[i][g];
        }
        for (size_t f = 0; f < BZ_NET_FILTERS; f++)
            if (at == 0 || sum[f / 4][f % 4] > p->most[f]) {
                p->most[f] = sum[f / 4][f % 4];
                p->at[f] = (uint8_t)at;
            }
    }
    float z = w->out_bias;
    for (size_t f = 0; f < BZ_NET_FILTERS; f++) {
        float a = p->most[f] + w->bias[f];
        z += a > 0 ? a * w->out[f] : 0;
    }
    return z;
}

/* What a filter learns where it was largest, and what its words should have been. */
static void learn_filter(struct fit *m, const struct pass *p, size_t f, float d) {
    float a = p->most[f] + m->w.bias[f], da = d * m->w.out[f];
    size_t at = p->at[f] * (size_t)BZ_NET_SIZE;
    if (a <= 0)
        return;
    step(&m->w.out[f], &m->g.out[f], d * a);
    step(&m->w.bias[f], &m->g.bias[f], da);
    for (size_t i = 0; i < BZ_NET_INPUTS; i++) {
        float *w = &((float *)m->w.filter[i])[f], *g = &((float *)m->g.filter[i])[f];
        m->dx[at + i] += da * *w;
        step(w, g, da * p->x[at + i] + L2 * *w);
    }
}

static void learn(struct fit *m, const struct row *row, size_t from, size_t n, float weight) {
    struct pass p = {.lost = {false}};
    for (size_t i = 0; i < n; i++)
        p.lost[i] = (float)(random_next(&m->rnd) & 1023) < WORDS_LOST * 1024.0f;
    float z = forward(&m->w, row, from, n, &p);
    float d = (1.0f / (1.0f + expf(-z)) - (float)row->attack) * weight;
    if (fabsf(d) < 1e-3f)
        return;
    memset(m->dx, 0, sizeof(m->dx));
    step(&m->w.out_bias, &m->g.out_bias, d);
    for (size_t f = 0; f < BZ_NET_FILTERS; f++)
        learn_filter(m, &p, f, d);
    for (size_t i = 0; i < n; i++)
        for (size_t part = 0; part < BZ_NET_PARTS && !p.lost[i]; part++)
            for (size_t k = 0; k < BZ_NET_SIZE; k++) {
                size_t at = row->net[from + i][part];
                float *w = &m->w.rows[at][k], x = m->dx[(i + 1) * BZ_NET_SIZE + k];
                step(w, &m->g.rows[at][k], x + L2 * *w);
            }
}

static float uniform(struct random *rnd, float most) {
    return ((float)(random_next(rnd) >> 40) / 8388608.0f - 1.0f) * most;
}

static void begin(struct fit *m, uint64_t seed) {
    memset(m, 0, sizeof(*m));
    m->rnd.s = seed;
    for (size_t i = 0; i < BZ_NET_ROWS; i++)
        for (size_t k = 0; k < BZ_NET_SIZE; k++)
            m->w.rows[i][k] = uniform(&m->rnd, 0.15f);
    for (size_t i = 0; i < BZ_NET_INPUTS; i++)
        for (size_t f = 0; f < BZ_NET_FILTERS; f++)
            m->w.filter[i][f / 4][f % 4] = uniform(&m->rnd, 0.25f);
    for (size_t f = 0; f < BZ_NET_FILTERS; f++)
        m->w.out[f] = uniform(&m->rnd, 0.3f);
}

size_t net_windows(const struct bz_classifier *c, const struct row *row,
                   struct net_window ret[NET_WINDOWS]) {
    size_t n = 0, half = BZ_WORDS_BLOCK;
    for (size_t from = 0; from == 0 || from + half < row->words; from += half) {
        struct net_window w = {.from = from};
        w.n = row->words - from < 2 * half ? row->words - from : 2 * half;
        for (size_t i = from; i < from + w.n; i++)
            for (size_t k = 0; k < BZ_WORDS_PLACES; k++)
                w.sum += (int8_t)c->table[row->place[i][k]];
        size_t at = n;
        while (at > 0 && ret[at - 1].sum < w.sum)
            at--;
        if (at == NET_WINDOWS)
            continue;
        n = n < NET_WINDOWS ? n + 1 : n;
        memmove(ret + at + 1, ret + at, (n - 1 - at) * sizeof(w));
        ret[at] = w;
    }
    return n;
}

static void learn_row(struct fit *m, const struct bz_classifier *c, const struct row *row) {
    struct net_window w[NET_WINDOWS];
    size_t n = net_windows(c, row, w);
    size_t most = row->attack ? 1 : TAKEN;
    for (size_t i = 0; i < n && i < most; i++)
        if (i == 0 || w[i].sum > c->gate)
            learn(m, row, w[i].from, w[i].n, row->weight);
}

static void add_mean(struct fit *m, float share) {
    const float *from = (const float *)&m->w;
    float *to = (float *)&m->mean;
    for (size_t i = 0; i < sizeof(m->w) / sizeof(float); i++)
        to[i] += from[i] * share;
}

static int by_float(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* The unit of a byte: one number in two thousand is cut off. */
static float unit_of(const float *v, size_t n) {
    float *size = malloc(n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        size[i] = fabsf(v[i]);
    qsort(size, n, sizeof(float), by_float);
    float most = size[n - 1 - n / 2000];
    free(size);
    return (most > 0 ? most : 1.0f) / 127.0f;
}

static int8_t byte_of(float v, float unit) {
    long n = lrintf(v / unit);
    return (int8_t)(n > 127 ? 127 : n < -127 ? -127 : n);
}

static void put(const struct weights *w, struct bz_buf *out) {
    float rows = unit_of(&w->rows[0][0], BZ_NET_ROWS * BZ_NET_SIZE);
    float filter = unit_of((const float *)w->filter, BZ_NET_INPUTS * BZ_NET_FILTERS);
    float both = rows * filter;
    for (size_t i = 0; i < BZ_NET_ROWS; i++)
        for (size_t k = 0; k < BZ_NET_SIZE; k++)
            bz_buf_putc(out, (uint8_t)byte_of(w->rows[i][k], rows));
    for (size_t i = 0; i < BZ_NET_INPUTS; i++)
        for (size_t f = 0; f < BZ_NET_FILTERS; f++)
            bz_buf_putc(out, (uint8_t)byte_of(w->filter[i][f / 4][f % 4], filter));
    for (size_t f = 0; f < BZ_NET_FILTERS; f++)
        bz_buf_put_le32(out, (uint32_t)(int32_t)lrintf(w->bias[f] / both));
    for (size_t f = 0; f < BZ_NET_FILTERS; f++)
        bz_buf_put_le32(out, (uint32_t)(int32_t)lrintf(w->out[f] * both * (1 << BZ_NET_SHIFT) *
                                                       BZ_NET_UNIT * 65536.0f));
    bz_buf_put_le32(out, (uint32_t)(int32_t)lrintf(w->out_bias * BZ_NET_UNIT));
}

bool fit_net(const struct rows *rs, const struct bz_classifier *c, unsigned fold,
             struct bz_buf *out) {
    struct fit *m = malloc(sizeof(*m));
    uint32_t *order = malloc(rs->n * sizeof(*order));
    size_t n = 0;
    if (m == NULL || order == NULL)
        return false;
    begin(m, 40 + fold);
    for (size_t i = 0; i < rs->n; i++)
        if (!rs->row[i].valid && in_fold(i, fold))
            order[n++] = (uint32_t)i;
    for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
        shuffle(&m->rnd, order, n);
        for (size_t i = 0; i < n; i++)
            learn_row(m, c, &rs->row[order[i]]);
        if (epoch >= MEAN_FROM)
            add_mean(m, 1.0f / (EPOCHS - MEAN_FROM));
    }
    put(&m->mean, out);
    free(order);
    free(m);
    return true;
}
