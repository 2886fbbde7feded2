/* The fit: table by AdaGrad over windows with features dropped at random, second stage by gradient
 * descent over scores that two half models gave to rows they had not seen, thresholds on the
 * validation rows, every source with the same say. Deterministic: one seed, one thread. */
#include "train-classifier.h"

#include <math.h>
#include <stdlib.h>

#define EPOCHS 14
#define RATE 0.1f
#define L2 5e-5f
#define DROP 0.25f  /* of the features of a window, anew each time */
#define HARD_FROM 4 /* epochs: until then everything is taken for anything */
#define STAGE_STEPS 400

struct model {
    float bias;
    float *w, *g,
        *mean; /* TABLE each: weights, sums of squares, mean of the last epochs' weights */
};

uint64_t random_next(struct random *r) {
    uint64_t z = r->s += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static float sigmoid(float z) {
    return 1.0f / (1.0f + expf(-z));
}

/* ---- table --------------------------------------------------------------------------------------- */

static float window_z(const struct model *m, const struct row *row, size_t from, size_t to) {
    float z = m->bias;
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < BZ_WORDS_PLACES; k++)
            z += m->w[row->place[i][k]];
    return z;
}

static void learn_window(struct model *m, const struct row *row, size_t from, size_t to,
                         float weight, struct random *rnd) {
    uint32_t used[2 * BZ_WORDS_BLOCK * BZ_WORDS_PLACES];
    size_t n = 0;
    float z = m->bias, keep = 1.0f / (1.0f - DROP);
    for (size_t i = from; i < to; i++) {
        uint64_t bits = random_next(rnd);
        for (size_t k = 0; k < BZ_WORDS_PLACES; k++, bits >>= 8)
            if (row->place[i][k] != 0 && (float)(bits & 255) >= DROP * 256.0f) {
                used[n++] = row->place[i][k];
                z += m->w[row->place[i][k]] * keep;
            }
    }
    float g = (sigmoid(z) - (float)row->attack) * weight;
    m->bias -= 0.002f * g;
    if (fabsf(g) < 1e-4f)
        return;
    for (size_t i = 0; i < n; i++) {
        float *w = &m->w[used[i]], d = g * keep + L2 * *w;
        m->g[used[i]] += d * d;
        *w -= RATE * d / sqrtf(1e-3f + m->g[used[i]]);
    }
}

/* Windows of 32 words, half overlapping, as the classifier's. Of an attack the one that looks most
 * like one: the rest of a poisoned document is no attack. */
static void learn_row(struct model *m, const struct row *row, size_t epoch, struct random *rnd) {
    size_t best = 0, n = 0, half = BZ_WORDS_BLOCK, from = 0;
    float most = -INFINITY;
    for (;; from += half, n++) {
        size_t to = from + 2 * half < row->words ? from + 2 * half : row->words;
        float z = window_z(m, row, from, to);
        if (z > most) {
            most = z;
            best = from;
        }
        if (to == row->words)
            break;
    }
    n++;
    if (row->attack) {
        size_t to = best + 2 * half < row->words ? best + 2 * half : row->words;
        learn_window(m, row, best, to, row->weight, rnd);
        if (epoch > 0 || n == 1)
            return;
    }
    float each = row->weight * (n > 3 ? 3.0f / (float)n : 1.0f) * (row->attack ? 0.5f : 1.0f);
    if (!row->attack && most > 0 && epoch > HARD_FROM) /* taken for an attack: learnt twice */
        each *= 2;
    for (size_t i = 0; i < n; i++) {
        size_t at = i * half, to = at + 2 * half < row->words ? at + 2 * half : row->words;
        learn_window(m, row, at, to, each, rnd);
    }
}

void shuffle(struct random *r, uint32_t *v, size_t n) {
    for (size_t i = n; i > 1; i--) {
        size_t j = random_next(r) % i;
        uint32_t t = v[i - 1];
        v[i - 1] = v[j];
        v[j] = t;
    }
}

bool in_fold(size_t i, unsigned fold) {
    return fold == 2 || ((i * 2654435761u >> 7) & 1) == fold;
}

static void fit_table(struct model *m, const struct rows *rs, unsigned fold) {
    struct random rnd = {.s = 20 + fold};
    uint32_t *order = malloc(rs->n * sizeof(*order));
    size_t n = 0;
    for (size_t i = 0; i < rs->n; i++)
        if (!rs->row[i].valid && in_fold(i, fold))
            order[n++] = (uint32_t)i;
    memset(m->w, 0, TABLE * sizeof(float));
    memset(m->g, 0, TABLE * sizeof(float));
    memset(m->mean, 0, TABLE * sizeof(float));
    m->bias = -1.0f;
    for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
        shuffle(&rnd, order, n);
        for (size_t i = 0; i < n; i++)
            learn_row(m, &rs->row[order[i]], epoch, &rnd);
        for (size_t i = 0; epoch >= EPOCHS / 2 && i < TABLE; i++)
            m->mean[i] += m->w[i] / (EPOCHS - EPOCHS / 2);
    }
    memcpy(m->w, m->mean, TABLE * sizeof(float));
    free(order);
}

static int by_float(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* Bytes of the table: the unit is such that one weight in two thousand is cut off. */
static float quantise(const struct model *m, uint8_t *table) {
    float *size = malloc(TABLE * sizeof(float));
    size_t n = 0;
    for (size_t i = 1; i < TABLE; i++)
        if (fabsf(m->w[i]) > 0.005f)
            size[n++] = fabsf(m->w[i]);
    qsort(size, n, sizeof(float), by_float);
    float most = n == 0 ? 1.0f : size[n - 1 - n / 2000], unit = most / 127.0f;
    free(size);
    table[0] = 0;
    for (size_t i = 1; i < TABLE; i++) {
        long v = lrintf(m->w[i] / unit);
        table[i] = (uint8_t)(int8_t)(v > 127 ? 127 : v < -127 ? -127 : v);
    }
    return unit;
}

/* ---- second stage -------------------------------------------------------------------------------- */

struct look {
    int32_t raw[BZ_STAGE_COUNT];
    float f[BZ_STAGE_COUNT]; /* brought to like sizes */
};

static void look_at(const struct bz_classifier *c, const struct row *row, float unit,
                    struct look *ret) {
    struct bz_reading r = {.text = row->text, .signs = row->signs};
    bz_classifier_look(c, &r, false, ret->raw);
    for (size_t k = 0; k < BZ_STAGE_COUNT; k++) {
        float by = k <= BZ_STAGE_MEAN     ? unit
                   : k == BZ_STAGE_LENGTH ? 1 / 32.0f
                   : k == BZ_STAGE_FEW    ? 1 / 8.0f
                   : k == BZ_STAGE_SIZE   ? 1 / 64.0f
                   : k == BZ_STAGE_NET    ? 1.0f / BZ_NET_UNIT
                   : k >= BZ_STAGE_ASKED  ? 1.0f
                                          : 1 / 300.0f;
        ret->f[k] = (float)ret->raw[k] * by;
    }
}

static void fit_stage(const struct rows *rs, const struct look *look, float w[BZ_STAGE_COUNT + 1]) {
    float g2[BZ_STAGE_COUNT + 1] = {0};
    memset(w, 0, (BZ_STAGE_COUNT + 1) * sizeof(*w));
    w[BZ_STAGE_TOP] = 1.0f;
    for (size_t step = 0; step < STAGE_STEPS; step++) {
        double g[BZ_STAGE_COUNT + 1] = {0}, total = 0;
        for (size_t i = 0; i < rs->n; i++) {
            const struct row *row = &rs->row[i];
            if (row->valid)
                continue;
            float z = w[BZ_STAGE_COUNT];
            for (size_t k = 0; k < BZ_STAGE_COUNT; k++)
                z += w[k] * look[i].f[k];
            double d = (double)(sigmoid(z) - (float)row->attack) * (double)row->weight;
            for (size_t k = 0; k < BZ_STAGE_COUNT; k++)
                g[k] += d * (double)look[i].f[k];
            g[BZ_STAGE_COUNT] += d;
            total += (double)row->weight;
        }
        for (size_t k = 0; k <= BZ_STAGE_COUNT; k++) {
            if (k == BZ_STAGE_FOREIGN) /* a script says nothing about what its readers want */
                continue;
            float d = (float)(g[k] / total) + (k < BZ_STAGE_COUNT ? 1e-4f * w[k] : 0);
            g2[k] += d * d;
            w[k] -= 0.1f * d / sqrtf(1e-12f + g2[k]);
        }
    }
}

/* ---- thresholds ---------------------------------------------------------------------------------- */

struct scored {
    int32_t evidence;
    float weight;
};

static int by_evidence(const void *a, const void *b) {
    int32_t x = ((const struct scored *)a)->evidence, y = ((const struct scored *)b)->evidence;
    return x > y ? -1 : x < y;
}

/* Text of our own grammars is too easy to set a threshold by. */
static bool is_real(const char *source) {
    return strncmp(source, "syn-", 4) != 0 && strncmp(source, "lang-", 5) != 0;
}

/* The evidence that `share` of the benign validation text lies above, every source counting alike;
 * over rows of these kinds. */
static int32_t threshold(const struct rows *rs, const int32_t *evidence, unsigned kinds,
                         double share) {
    struct scored *s = malloc(rs->n * sizeof(*s));
    size_t n = 0, *of = calloc(rs->sources_n, sizeof(*of));
    double total = 0, above = 0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < rs->n; i++) {
            const struct row *row = &rs->row[i];
            if (!row->valid || row->attack || !is_real(rs->source[row->source]) ||
                (kinds >> row->kind & 1) == 0)
                continue;
            if (pass == 0) {
                of[row->source]++;
                continue;
            }
            /* A source of few rows says little about a share of one in a hundred. */
            double few = (double)(of[row->source] < 40 ? of[row->source] : 40) / 40;
            s[n] = (struct scored){evidence[i], (float)(few / (double)of[row->source])};
            total += (double)s[n++].weight;
        }
    qsort(s, n, sizeof(*s), by_evidence);
    int32_t at = n == 0 ? 0 : s[0].evidence + 1; /* above all of them, if none may lie above */
    for (size_t i = 0; i < n && above + (double)s[i].weight <= share * total; i++) {
        above += (double)s[i].weight;
        at = s[i].evidence;
    }
    free(s);
    free(of);
    return at;
}

/* Which harmless rows a channel is calibrated on, and the share of them that is flagged and blocked. A
 * user's turn is coached and passes; of documents and of what tools give, `block` takes away something
 * that somebody needs. */
static const struct {
    unsigned kinds;
    double flag, block;
} calibration[BZ_CHANNEL_COUNT] = {
    [BZ_CHANNEL_USER] = {1u << ROW_TEXT, 0.01, 0.003},
    [BZ_CHANNEL_TOOL] = {1u << ROW_DOCUMENT | 1u << ROW_OUTPUT, 0.01, 0.002},
    [BZ_CHANNEL_DOCUMENT] = {1u << ROW_DOCUMENT, 0.01, 0.002},
};

static void set_scale(const struct rows *rs, const int32_t *evidence, struct bz_classifier *c) {
    for (size_t k = 0; k < BZ_CHANNEL_COUNT; k++) {
        int32_t flag = threshold(rs, evidence, calibration[k].kinds, calibration[k].flag);
        int32_t block = threshold(rs, evidence, calibration[k].kinds, calibration[k].block);
        c->scale[k].flag = flag;
        c->scale[k].block = block > flag ? block : flag + 1;
    }
}

static void report(const struct rows *rs, const int32_t *evidence, const struct bz_classifier *c) {
    for (unsigned k = 0; k < BZ_CHANNEL_COUNT; k++)
        printf("%-8s flag %.3f block %.3f\n", bz_channel_name((enum bz_channel)k),
               c->scale[k].flag / 65536.0, c->scale[k].block / 65536.0);
    int32_t at = c->scale[BZ_CHANNEL_USER].flag;
    for (uint32_t source = 0; source < rs->sources_n; source++)
        for (int attack = 0; attack < 2; attack++) {
            size_t n[2] = {0}, hit[2] = {0};
            for (size_t i = 0; i < rs->n; i++)
                if (rs->row[i].source == source && rs->row[i].attack == attack) {
                    n[rs->row[i].valid]++;
                    hit[rs->row[i].valid] += evidence[i] >= at;
                }
            if (n[0] + n[1] > 0)
                printf("%-34s %s train %6zu %.4f  valid %5zu %.4f\n", rs->source[source],
                       attack ? "attack" : "benign", n[0],
                       n[0] == 0 ? 0.0 : (double)hit[0] / (double)n[0], n[1],
                       n[1] == 0 ? 0.0 : (double)hit[1] / (double)n[1]);
        }
}

/* ---- the file ------------------------------------------------------------------------------------ */

static bool write_file(const char *name, const struct bz_classifier *c, struct bz_view net) {
    struct bz_buf b;
    bz_buf_init(&b, TABLE + ((size_t)1 << 20));
    bz_buf_puts(&b, BZ_CLASSIFIER_MAGIC);
    bz_buf_put_le32(&b, c->table_log2);
    bz_buf_put_le32(&b, BZ_STAGE_COUNT);
    bz_buf_put_le32(&b, (uint32_t)c->bias);
    for (size_t k = 0; k < BZ_STAGE_COUNT; k++)
        bz_buf_put_le32(&b, (uint32_t)c->stage[k]);
    for (size_t k = 0; k < BZ_CHANNEL_COUNT; k++) {
        bz_buf_put_le32(&b, (uint32_t)c->scale[k].flag);
        bz_buf_put_le32(&b, (uint32_t)c->scale[k].block);
    }
    bz_buf_put_le32(&b, (uint32_t)c->gate);
    bz_buf_put(&b, net);
    bz_buf_put(&b, bz_view(c->table, TABLE));
    bz_buf_put_le64(&b, bz_classifier_sum(bz_buf_view(&b)));
    FILE *f = fopen(name, "wb");
    bool good = f != NULL && bz_buf_status(&b) == BZ_OK && fwrite(b.p, 1, b.n, f) == b.n;
    if (f != NULL && fclose(f) != 0)
        good = false;
    if (!good)
        perror(name);
    bz_buf_free(&b);
    return good;
}

static void set_stage(struct bz_classifier *c, const float w[BZ_STAGE_COUNT + 1], float unit) {
    c->bias = (int32_t)lrintf(w[BZ_STAGE_COUNT] * 65536.0f);
    for (size_t k = 0; k < BZ_STAGE_COUNT; k++) {
        float by = k <= BZ_STAGE_MEAN     ? unit
                   : k == BZ_STAGE_LENGTH ? 1 / 32.0f
                   : k == BZ_STAGE_FEW    ? 1 / 8.0f
                   : k == BZ_STAGE_SIZE   ? 1 / 64.0f
                   : k == BZ_STAGE_NET    ? 1.0f / BZ_NET_UNIT
                   : k >= BZ_STAGE_ASKED  ? 1.0f
                                          : 1 / 300.0f;
        c->stage[k] = (int32_t)lrintf(w[k] * by * 65536.0f);
    }
}

/* The net is asked about one harmless text in ASKED and about nearly every attack. */
#define ASKED 6

static int by_int(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x < y ? -1 : x > y;
}

static int32_t gate_of(const struct rows *rs, const struct bz_classifier *c) {
    int32_t *top = malloc(rs->n * sizeof(*top));
    size_t n = 0;
    for (size_t i = 0; i < rs->n; i++)
        if (!rs->row[i].valid && !rs->row[i].attack) {
            struct net_window w[NET_WINDOWS];
            (void)net_windows(c, &rs->row[i], w);
            top[n++] = w[0].sum;
        }
    qsort(top, n, sizeof(*top), by_int);
    int32_t gate = n == 0 ? 0 : top[n - 1 - n / ASKED];
    free(top);
    return gate;
}

/* Table and net of a fold; the net's bytes are in `net`. */
static bool fit_fold(struct model *m, const struct rows *rs, unsigned fold, struct bz_classifier *c,
                     uint8_t *table, float *unit, struct bz_buf *net) {
    struct bz_rd r;
    fit_table(m, rs, fold);
    *unit = quantise(m, table);
    c->gate = gate_of(rs, c);
    bz_buf_reset(net);
    if (!fit_net(rs, c, fold, net))
        return false;
    bz_rd_init(&r, bz_buf_view(net));
    bz_net_read(&r, &c->net);
    return bz_rd_end(&r) == BZ_OK;
}

bool train(struct rows *rs, const char *out) {
    struct model m = {.w = malloc(TABLE * sizeof(float)),
                      .g = malloc(TABLE * sizeof(float)),
                      .mean = malloc(TABLE * sizeof(float))};
    uint8_t *table = malloc(TABLE);
    struct look *look = calloc(rs->n, sizeof(*look));
    int32_t *evidence = calloc(rs->n, sizeof(*evidence));
    struct bz_classifier c = {.table = table, .table_log2 = TABLE_LOG2};
    float w[BZ_STAGE_COUNT + 1], unit;
    struct bz_buf net;
    bz_buf_init(&net, (size_t)1 << 20);
    if (m.w == NULL || m.g == NULL || m.mean == NULL || table == NULL || look == NULL ||
        evidence == NULL)
        return false;
    for (unsigned fold = 0; fold < 2; fold++) { /* each half is looked at by the other's model */
        if (!fit_fold(&m, rs, fold, &c, table, &unit, &net))
            return false;
        for (size_t i = 0; i < rs->n; i++)
            if (!in_fold(i, fold))
                look_at(&c, &rs->row[i], unit, &look[i]);
    }
    fit_stage(rs, look, w);
    if (!fit_fold(&m, rs, 2, &c, table, &unit, &net))
        return false;
    set_stage(&c, w, unit);
    for (size_t k = 0; k <= BZ_STAGE_COUNT; k++)
        printf("stage %2zu %8.4f\n", k, (double)w[k]);
    for (size_t i = 0; i < rs->n; i++) {
        look_at(&c, &rs->row[i], unit, &look[i]);
        int64_t e = c.bias;
        for (size_t k = 0; k < BZ_STAGE_COUNT; k++)
            e += (int64_t)c.stage[k] * look[i].raw[k];
        evidence[i] = (int32_t)e;
    }
    set_scale(rs, evidence, &c);
    printf("unit %.5f bias %.3f gate %d\n", (double)unit, (double)m.bias, c.gate);
    report(rs, evidence, &c);
    return write_file(out, &c, bz_buf_view(&net));
}
