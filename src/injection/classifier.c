#include "classifier.h"

#include <bartizan/rd.h>

#include "classifier_words.h"

/* Words of the runs; a ring of sums up to each of the last words gives them all. */
#define RING 32
static const unsigned run_words[] = {5, 10, 20};
#define RUNS (sizeof(run_words) / sizeof(run_words[0]))
#define SHORT 10 /* words of a short text */
#define TEXT_MAX UINT32_MAX
#define LOGIT 65536.0

/* ---- the weights file ---------------------------------------------------------------------------- */

uint64_t bz_classifier_sum(struct bz_view v) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < v.n; i++)
        h = (h ^ v.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

enum bz_status bz_classifier_open(struct bz_view weights, struct bz_classifier *ret) {
    struct bz_rd r;
    struct bz_classifier c = {0};
    bz_rd_init(&r, weights);
    struct bz_view magic = bz_rd_take(&r, sizeof(BZ_CLASSIFIER_MAGIC) - 1);
    if (!bz_rd_ok(&r))
        return BZ_ECORRUPT;
    if (!bz_view_eq(magic, BZ_V(BZ_CLASSIFIER_MAGIC)))
        return BZ_EVERSION;
    c.table_log2 = bz_rd_le32(&r);
    uint32_t features = bz_rd_le32(&r);
    if (!bz_rd_ok(&r) || c.table_log2 < BZ_CLASSIFIER_LOG2_MIN ||
        c.table_log2 > BZ_CLASSIFIER_LOG2_MAX || features != BZ_STAGE_COUNT)
        return BZ_ECORRUPT;
    c.bias = (int32_t)bz_rd_le32(&r);
    for (size_t i = 0; i < BZ_STAGE_COUNT; i++)
        c.stage[i] = (int32_t)bz_rd_le32(&r);
    for (size_t i = 0; i < BZ_CHANNEL_COUNT; i++) {
        c.scale[i].flag = (int32_t)bz_rd_le32(&r);
        c.scale[i].block = (int32_t)bz_rd_le32(&r);
        if (c.scale[i].block <= c.scale[i].flag)
            return BZ_ECORRUPT;
    }
    c.gate = (int32_t)bz_rd_le32(&r);
    bz_net_read(&r, &c.net);
    c.table = bz_rd_take(&r, (size_t)1 << c.table_log2).p;
    uint64_t sum = bz_classifier_sum(bz_view(weights.p, r.off));
    if (bz_rd_le64(&r) != sum || bz_rd_end(&r) != BZ_OK || c.table[0] != 0)
        return BZ_ECORRUPT;
    *ret = c;
    return BZ_OK;
}

/* ---- windows ------------------------------------------------------------------------------------- */

struct window {
    int32_t sum;
    uint32_t start, end;
};
struct sums {
    int64_t all;
    int32_t top, second, run[RUNS];
    size_t windows;
    size_t best_n;
    struct window best[BZ_CLASSIFIER_SPANS]; /* heaviest first, no two that overlap */
};

static int32_t sum_word(const uint8_t *table, const uint32_t place[BZ_WORDS_PLACES]) {
    int32_t sum = 0;
    for (size_t k = 0; k < BZ_WORDS_PLACES; k++)
        sum += (int8_t)table[place[k]];
    return sum;
}

static void take_window(struct sums *s, struct window w) {
    size_t at = 0, n;
    struct window keep[BZ_CLASSIFIER_SPANS];
    if (s->windows++ == 0) {
        s->top = s->second = w.sum;
    } else if (w.sum > s->top) {
        s->second = s->top;
        s->top = w.sum;
    } else if (w.sum > s->second || s->windows == 2) {
        s->second = w.sum;
    }
    for (; at < s->best_n && s->best[at].sum >= w.sum; at++)
        if (w.start < s->best[at].end)
            return;
    if (at == BZ_CLASSIFIER_SPANS)
        return;
    /* What it outweighs and overlaps goes, or the lightest. */
    memcpy(keep, s->best, at * sizeof(keep[0]));
    n = at;
    keep[n++] = w;
    for (size_t i = at; i < s->best_n && n < BZ_CLASSIFIER_SPANS; i++)
        if (w.start >= s->best[i].end)
            keep[n++] = s->best[i];
    memcpy(s->best, keep, n * sizeof(keep[0]));
    s->best_n = n;
}

/* Heaviest runs that end with this word; up_to: the sum of all words so far. */
static void take_word(struct sums *s, uint32_t ring[RING], size_t words, uint32_t up_to) {
    ring[words % RING] = up_to;
    for (size_t k = 0; k < RUNS; k++) {
        uint32_t before = words > run_words[k] ? ring[(words - run_words[k]) % RING] : 0;
        int32_t run = (int32_t)(up_to - before);
        s->run[k] = words == 1 || run > s->run[k] ? run : s->run[k];
    }
}

/* Sums of all windows. One block alone is a window; a text without words has none. */
static void sum_text(const struct bz_classifier *c, struct bz_words *r, struct sums *s) {
    uint32_t place[BZ_WORDS_BLOCK][BZ_WORDS_PLACES];
    uint32_t ring[RING];
    uint32_t up_to = 0; /* wraps in texts of millions of words; differences stay true */
    struct window before = {0};
    size_t words = 0;
    memset(s, 0, sizeof(*s));
    for (size_t n; (n = bz_words_block(r, c->table_log2, place)) > 0;) {
        struct window now = {.start = r->start[0], .end = r->stop[n - 1]};
        for (size_t i = 0; i < n; i++) {
            int32_t w = sum_word(c->table, place[i]);
            now.sum += w;
            up_to += (uint32_t)w;
            take_word(s, ring, ++words, up_to);
        }
        s->all += now.sum;
        if (words > BZ_WORDS_BLOCK)
            take_window(s, (struct window){before.sum + now.sum, before.start, now.end});
        else if (n < BZ_WORDS_BLOCK)
            take_window(s, now);
        before = now;
    }
    if (words == BZ_WORDS_BLOCK)
        take_window(s, before);
}

/* ---- second stage -------------------------------------------------------------------------------- */

static int32_t clip(int64_t v, int32_t most) {
    return v > most ? most : v < -most ? -most : (int32_t)v;
}

/* 16 times the binary logarithm, straight between powers of two. */
static int32_t log_of(uint32_t n) {
    if (n == 0)
        return 0;
    unsigned top = 31 - (unsigned)__builtin_clz(n);
    uint32_t rest = (uint32_t)(((uint64_t)n << 4 >> top) & 15);
    int32_t v = (int32_t)(top * 16 + rest);
    return v < 160 ? v : 160;
}

static int32_t net_of(const struct bz_classifier *c, struct bz_view window, bool plain) {
    struct bz_words r;
    uint32_t unused[BZ_WORDS_BLOCK][BZ_WORDS_PLACES];
    uint16_t place[BZ_NET_WORDS][BZ_NET_PARTS];
    size_t words = 0;
    bz_words_init(&r, window, plain);
    for (size_t n; words < BZ_NET_WORDS && (n = bz_words_block(&r, c->table_log2, unused)) > 0;)
        for (size_t i = 0; i < n; i++)
            bz_net_place(&r, i, place[words++]);
    return bz_net_sum(&c->net, place, words, plain);
}

/* The most of what the net says about the heaviest windows. */
static int32_t ask_net(const struct bz_classifier *c, struct bz_view text, const struct sums *s,
                       bool plain) {
    int32_t most = INT32_MIN;
    for (size_t i = 0; i < s->best_n && (i == 0 || s->best[i].sum > c->gate); i++) {
        const struct window *w = &s->best[i];
        int32_t sum = net_of(c, bz_view(text.p + w->start, w->end - w->start), plain);
        most = sum > most ? sum : most;
    }
    return most;
}

static void look_at(const struct bz_classifier *c, const struct bz_reading *r, struct bz_view text,
                    bool plain, const struct bz_words_look *look, const struct sums *s,
                    int32_t ret[BZ_STAGE_COUNT]) {
    uint32_t words = look->words == 0 ? 1 : look->words;
    ret[BZ_STAGE_TOP] = clip(s->top, BZ_STAGE_CLIP);
    ret[BZ_STAGE_SECOND] = clip(s->second, BZ_STAGE_CLIP);
    for (size_t k = 0; k < RUNS; k++)
        ret[BZ_STAGE_RUN_5 + k] = clip(s->run[k], BZ_STAGE_CLIP);
    ret[BZ_STAGE_SHORT] = look->words < SHORT ? clip(s->top, BZ_STAGE_CLIP) : 0;
    ret[BZ_STAGE_MEAN] = clip(s->all * 32 / words, BZ_STAGE_CLIP);
    ret[BZ_STAGE_LENGTH] = log_of(look->words);
    ret[BZ_STAGE_FEW] = look->words < SHORT ? SHORT - (int32_t)look->words : 0;
    ret[BZ_STAGE_NUMBERS] = (int32_t)((uint64_t)look->numbers * 1000 / words);
    ret[BZ_STAGE_LONGS] = (int32_t)((uint64_t)look->longs * 1000 / words);
    ret[BZ_STAGE_FOREIGN] = (int32_t)((uint64_t)look->foreign * 1000 / words);
    ret[BZ_STAGE_LINES] = (int32_t)((uint64_t)look->lines * 1000 / words);
    ret[BZ_STAGE_SIGNS] = (int32_t)((uint64_t)look->signs * 1000 / words);
    ret[BZ_STAGE_SIZE] = clip((int64_t)look->word_bytes * 16 / words, 1000);
    ret[BZ_STAGE_ASKED] = s->windows > 0 && s->top > c->gate;
    ret[BZ_STAGE_NET] = ret[BZ_STAGE_ASKED] ? clip(ask_net(c, text, s, plain), BZ_STAGE_CLIP) : 0;
    ret[BZ_STAGE_DECODED] = r->how_n > 0;
    ret[BZ_STAGE_HIDDEN] =
        (r->signs & (BZ_SIGN_INVISIBLE | BZ_SIGN_TAGS | BZ_SIGN_CONFUSABLE)) != 0;
}

static void read_text(const struct bz_classifier *c, const struct bz_reading *r, bool plain,
                      struct sums *s, int32_t look[BZ_STAGE_COUNT]) {
    struct bz_words words;
    struct bz_view text = r->text;
    if (text.n > TEXT_MAX)
        text.n = TEXT_MAX;
    bz_words_init(&words, text, plain);
    sum_text(c, &words, s);
    look_at(c, r, text, plain, &words.look, s, look);
}

void bz_classifier_look(const struct bz_classifier *c, const struct bz_reading *r, bool plain,
                        int32_t ret[BZ_STAGE_COUNT]) {
    struct sums s;
    read_text(c, r, plain, &s, ret);
}

/* Divisions only: IEEE rounds them alike everywhere. */
static float scale_of(int32_t flag, int32_t block, int32_t evidence) {
    double e = evidence;
    if (evidence >= block)
        return (float)(0.75 + 0.25 * ((e - block) / (e - block + 2 * LOGIT)));
    if (evidence >= flag)
        return (float)(0.5 + 0.25 * ((e - flag) / ((double)block - flag)));
    return (float)(0.5 * ((2 * LOGIT) / (flag - e + 2 * LOGIT)));
}

/* The heaviest words in a row of a window. */
static struct bz_classifier_span narrow(const struct bz_classifier *c, struct bz_view text,
                                        struct window w) {
    struct bz_words r;
    uint32_t place[BZ_WORDS_BLOCK][BZ_WORDS_PLACES];
    struct bz_classifier_span best = {w.start, w.end, INT32_MIN};
    int32_t run = 0;
    uint32_t from = 0;
    bz_words_init(&r, bz_view(text.p + w.start, w.end - w.start), false);
    for (size_t n; (n = bz_words_block(&r, c->table_log2, place)) > 0;)
        for (size_t i = 0; i < n; i++) {
            if (run <= 0) {
                run = 0;
                from = r.start[i];
            }
            run += sum_word(c->table, place[i]);
            if (run > best.weight)
                best = (struct bz_classifier_span){w.start + from, w.start + r.stop[i], run};
        }
    return best;
}

void bz_classifier_score(const struct bz_classifier *c, const struct bz_reading *r,
                         enum bz_channel channel, struct bz_classified *ret) {
    struct sums s;
    int32_t look[BZ_STAGE_COUNT];
    read_text(c, r, false, &s, look);
    int64_t evidence = c->bias;
    for (size_t i = 0; i < BZ_STAGE_COUNT; i++)
        evidence += (int64_t)c->stage[i] * look[i];
    memset(ret, 0, sizeof(*ret));
    if (s.windows == 0) /* no words: nothing to follow */
        return;
    ret->evidence = clip(evidence, INT32_MAX);
    ret->score = scale_of(c->scale[channel].flag, c->scale[channel].block, ret->evidence);
    if (ret->score < 0.25f)
        return;
    for (size_t i = 0; i < s.best_n && (i == 0 || s.best[i].sum * 2 > s.best[0].sum); i++)
        ret->spans[ret->spans_n++] = narrow(c, r->text, s.best[i]);
}
