/* Readings, rules and classifier to one score.
 *
 *   rules: of each family the heaviest match; families together as independent evidence
 *   signs: what had to be decoded or taken away makes a match weigh more, and little alone
 *   score: the larger of rules and classifier; more than either when both are half sure
 *
 * Everything is a number from 0 to 1 on one scale: 0.5 is where `flag` begins, 0.75 where `block`. */
#include <bartizan/crypto.h>

#include "classifier.h"
#include "rules_int.h"

enum { PACK_HEAD = 12, FAMILIES_MAX = 64 };
#define PACK_MAGIC "BZINJECT"
/* Below this a score is nobody's business: it neither adds to others nor is told as a reason. */
#define SCORE_LEAST 0.25f

struct bz_injection {
    struct rules rules;
    struct bz_classifier classifier;
    bool classifies;
};

/* ---- the pack: magic:8 version:4 rules_n:4 rules weights_n:4 weights sha256:32 ---- */

static enum bz_status check_parts(struct bz_view rules, struct bz_view weights) {
    if (rules.n > 0) {
        struct rules r;
        BZ_TRY(rules_open(rules, &r));
        rules_close(&r);
    }
    struct bz_classifier c;
    return weights.n > 0 ? bz_classifier_open(weights, &c) : BZ_OK;
}

enum bz_status bz_injection_pack(struct bz_view rules, struct bz_view weights, struct bz_buf *out) {
    uint8_t hash[BZ_HASH_LEN];
    size_t begin = out->n;
    BZ_TRY(check_parts(rules, weights));
    bz_buf_put(out, BZ_V(PACK_MAGIC));
    bz_buf_put_le32(out, PACK_VERSION);
    bz_buf_put_le32(out, (uint32_t)rules.n);
    bz_buf_put(out, rules);
    while (bz_buf_status(out) == BZ_OK && (out->n + 4 - begin) % 64 != 0)
        bz_buf_putc(out, 0); /* weights lie where a cache line begins, if the pack does */
    bz_buf_put_le32(out, (uint32_t)weights.n);
    bz_buf_put(out, weights);
    BZ_TRY(bz_buf_status(out));
    bz_sha256(bz_view(out->p + begin, out->n - begin), hash);
    bz_buf_put(out, bz_view(hash, sizeof hash));
    return bz_buf_status(out);
}

static enum bz_status read_pack(struct bz_view pack, struct bz_view *ret_rules,
                                struct bz_view *ret_weights) {
    uint8_t hash[BZ_HASH_LEN];
    struct bz_rd r;
    if (pack.n < PACK_HEAD + BZ_HASH_LEN || !bz_view_starts(pack, BZ_V(PACK_MAGIC)))
        return BZ_ECORRUPT;
    struct bz_view sealed = bz_view_sub(pack, 0, pack.n - BZ_HASH_LEN);
    bz_sha256(sealed, hash);
    if (!bz_ct_equal(bz_view(hash, sizeof hash), bz_view_sub(pack, sealed.n, BZ_HASH_LEN)))
        return BZ_ECORRUPT;
    bz_rd_init(&r, bz_view_sub(sealed, sizeof PACK_MAGIC - 1, sealed.n));
    if (bz_rd_le32(&r) != PACK_VERSION)
        return BZ_EVERSION;
    *ret_rules = bz_rd_take(&r, bz_rd_count(&r, 1));
    while (bz_rd_ok(&r) && (sealed.n - r.n + 4) % 64 != 0)
        (void)bz_rd_u8(&r);
    *ret_weights = bz_rd_take(&r, bz_rd_count(&r, 1));
    return bz_rd_end(&r) == BZ_OK ? BZ_OK : BZ_ECORRUPT;
}

static enum bz_status open_parts(struct bz_view pack, struct bz_injection *j) {
    struct bz_view rules, weights;
    BZ_TRY(read_pack(pack, &rules, &weights));
    if (rules.n > 0)
        BZ_TRY(rules_open(rules, &j->rules));
    if (weights.n == 0)
        weights = bz_classifier_builtin();
    if (weights.n == 0)
        return BZ_OK;
    j->classifies = true;
    return bz_classifier_open(weights, &j->classifier);
}

enum bz_status bz_injection_open(struct bz_view pack, struct bz_injection **ret) {
    struct bz_injection *j = bz_alloc_heap.alloc(NULL, sizeof *j);
    if (j == NULL)
        return BZ_ENOMEM;
    *j = (struct bz_injection){.classifies = false};
    bz_arena_init(&j->rules.ar, bz_alloc_heap, 0, NULL, 0);
    enum bz_status st = open_parts(pack, j);
    if (st != BZ_OK) {
        bz_injection_close(j);
        return st;
    }
    *ret = j;
    return BZ_OK;
}

void bz_injection_close(struct bz_injection *j) {
    if (j == NULL)
        return;
    rules_close(&j->rules);
    bz_alloc_heap.free(NULL, j);
}

size_t bz_injection_rules(const struct bz_injection *j, const struct bz_injection_rule **ret) {
    *ret = j->rules.rules;
    return j->rules.n[PK_RULES];
}

/* ---- reasons ---- */

struct verdict { /* in the making */
    struct bz_judged *out;
    enum bz_channel channel;
    struct {
        struct bz_view name;
        float score;
    } family[FAMILIES_MAX];
    size_t families;
    float classified; /* of the classifier */
};

static bool same_reason(const struct bz_reason *a, const struct bz_reason *b) {
    return bz_view_eq(a->id, b->id) && bz_view_eq(a->source, b->source);
}

/* Keeps the heaviest, each rule and sign once. Of two that weigh the same the earlier one stays. */
static void add_reason(struct bz_judged *out, const struct bz_reason *r) {
    size_t i = 0;
    for (; i < out->reasons_n && !same_reason(&out->reasons[i], r); i++)
        ;
    if (i < out->reasons_n && out->reasons[i].score >= r->score)
        return;
    if (i == out->reasons_n) {
        if (i == BZ_REASONS_MAX) {
            i--;
            if (out->reasons[i].score >= r->score)
                return;
        } else {
            out->reasons_n++;
        }
    }
    for (; i > 0 && out->reasons[i - 1].score < r->score; i--)
        out->reasons[i] = out->reasons[i - 1];
    out->reasons[i] = *r;
}

static void add_family(struct verdict *v, struct bz_view name, float score) {
    size_t i = 0;
    while (i < v->families && !bz_view_eq(v->family[i].name, name))
        i++;
    if (i == FAMILIES_MAX) /* the last one takes what is beyond */
        i--;
    else if (i == v->families)
        v->family[v->families++].name = name;
    v->family[i].score = score > v->family[i].score ? score : v->family[i].score;
}

static void add(struct verdict *v, const struct bz_reason *r) {
    if (r->score < SCORE_LEAST)
        return;
    add_reason(v->out, r);
    if (bz_view_eq(r->source, BZ_V("classifier")))
        v->classified = r->score > v->classified ? r->score : v->classified;
    else
        add_family(v, r->family, r->score);
}

/* ---- signs ---- */

struct sign {
    uint32_t bit;
    const char *name, *what;
    float score[BZ_CHANNEL_COUNT]; /* alone */
};
/* Honest text has all of these: flags of countries are tag characters, Persian has joiners within
 * words, Hebrew and Arabic marks of direction. So none weighs much, but what is made invisible and
 * says something is a reading of its own, and there rules and classifier see it. */
static const struct sign signs[] = {
    {BZ_SIGN_TAGS, "tags", "characters that nobody sees spell a text", {0.4f, 0.6f, 0.6f}},
    {BZ_SIGN_BIDI, "bidi", "marks that turn the direction of text around", {0.2f, 0.3f, 0.3f}},
    {BZ_SIGN_INVISIBLE, "invisible", "characters without width within words", {0.2f, 0.3f, 0.3f}},
    {BZ_SIGN_CONFUSABLE,
     "confusable",
     "letters of other scripts that look alike",
     {0.2f, 0.3f, 0.3f}},
    {BZ_SIGN_CAPPED,
     "capped",
     "more is encoded within this text than is decoded",
     {0.4f, 0.5f, 0.5f}},
};
static const struct sign costly = {
    0,
    "costly",
    "made so that searching it takes long; it was not searched to its end",
    {0.5f, 0.75f, 0.75f}};

static void add_sign(struct verdict *v, const struct bz_reading *r, const struct sign *s) {
    struct bz_reason one = {.source = BZ_V("sign"),
                            .id = bz_view_str(s->name),
                            .family = BZ_V("hiding"),
                            .what = bz_view_str(s->what),
                            .refs = BZ_V("AML.T0068 LLM01:2025"),
                            .start = r->from,
                            .end = r->to,
                            .how_n = r->how_n,
                            .score = s->score[v->channel]};
    memcpy(one.how, r->how, sizeof one.how);
    add(v, &one);
}

static void add_signs(struct verdict *v, const struct bz_reading *r) {
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if ((r->signs & signs[i].bit) != 0)
            add_sign(v, r, &signs[i]);
    }
}

/* How much surer a match is for what had to be undone to see it: nobody writes an instruction in
 * base64 or with letters that nobody sees, but whoever hides it. Share of the way to 1. */
static float weight_of(const struct bz_reading *r) {
    static const float by_how[BZ_DECODING_COUNT] = {
        [BZ_DECODING_BASE64] = 0.5f, [BZ_DECODING_HEX] = 0.5f,      [BZ_DECODING_ROT13] = 0.5f,
        [BZ_DECODING_GZIP] = 0.5f,   [BZ_DECODING_TAGS] = 0.7f,     [BZ_DECODING_LEET] = 0.4f,
        [BZ_DECODING_SPACED] = 0.4f, [BZ_DECODING_REVERSED] = 0.5f, [BZ_DECODING_ESCAPE] = 0.2f,
        [BZ_DECODING_URL] = 0.1f,    [BZ_DECODING_HTML] = 0.1f,
    };
    float most = 0;
    for (size_t i = 0; i < r->how_n && i < BZ_READING_DEPTH; i++) {
        if (r->how[i] < BZ_DECODING_COUNT && by_how[r->how[i]] > most)
            most = by_how[r->how[i]];
    }
    if ((r->signs & (BZ_SIGN_TAGS | BZ_SIGN_BIDI | BZ_SIGN_INVISIBLE | BZ_SIGN_CONFUSABLE)) != 0 &&
        most < 0.3f)
        most = 0.3f;
    return most;
}

/* ---- one reading ---- */

static void add_rule(struct verdict *v, const struct rules *rules, const struct bz_reading *r,
                     uint32_t rule, float weight) {
    const struct bz_injection_rule *k = &rules->rules[rule];
    const struct rule_hit *hit = &rules->hits[rule];
    struct bz_reason one = {.source = BZ_V("rule"),
                            .id = k->id,
                            .family = k->family,
                            .what = k->what,
                            .refs = k->refs,
                            .how_n = r->how_n,
                            .score = k->score[v->channel]};
    if (hit->soft && v->channel == BZ_CHANNEL_USER)
        one.score *= 0.5f;
    else
        one.score += (1 - one.score) * weight;
    memcpy(one.how, r->how, sizeof one.how);
    bz_reading_place(r, hit->from, hit->to, &one.start, &one.end);
    add(v, &one);
}

static enum bz_status by_rules(struct bz_injection *j, const struct bz_reading *r,
                               struct verdict *v) {
    bool long_search = false;
    float weight = weight_of(r);
    BZ_TRY(rules_scan(&j->rules, r->text, 1u << v->channel, &long_search));
    for (uint32_t i = 0; i < j->rules.order_n; i++)
        add_rule(v, &j->rules, r, j->rules.order[i], weight);
    if (long_search)
        add_sign(v, r, &costly);
    return BZ_OK;
}

#define CLASSIFIER_FLAGS 0.74f                        /* flagged, not blocked */
enum { WORDS_ENOUGH = 12, FIRST_OF_ONE_SIGN = 0xe2 }; /* UTF-8: from U+2000 on, a word by itself */

/* Fewer than twelve different words: statistics know little of such a text ("Say hello", one word a
 * hundred times), so they alone stop none; rules may. O(text) for texts that repeat themselves. */
static bool says_little(struct bz_view t) {
    uint32_t seen[WORDS_ENOUGH];
    size_t n = 0;
    for (size_t i = 0; i < t.n && n < WORDS_ENOUGH;) {
        uint32_t word = 0;
        size_t from = i, k = 0;
        while (i < t.n && t.p[i] > ' ' && (i == from || t.p[i] < FIRST_OF_ONE_SIGN)) {
            word = (word ^ t.p[i++]) * 16777619u;
            while (t.p[from] >= FIRST_OF_ONE_SIGN && i < t.n && (t.p[i] & 0xc0) == 0x80)
                word = (word ^ t.p[i++]) * 16777619u;
            if (t.p[from] >= FIRST_OF_ONE_SIGN)
                break;
        }
        if (i == from) {
            i++; /* a blank */
            continue;
        }
        while (k < n && seen[k] != word)
            k++;
        if (k == n)
            seen[n++] = word;
    }
    return n < WORDS_ENOUGH;
}

static void by_classifier(const struct bz_injection *j, const struct bz_reading *r,
                          struct verdict *v) {
    struct bz_classified c = {.score = 0};
    bz_classifier_score(&j->classifier, r, v->channel, &c);
    struct bz_reason one = {.source = BZ_V("classifier"),
                            .id = BZ_V("classifier"),
                            .family = BZ_V("classifier"),
                            .what = BZ_V("reads like texts that steer a model"),
                            .refs = BZ_V("AML.T0051 LLM01:2025"),
                            .start = r->from,
                            .end = r->to,
                            .how_n = r->how_n,
                            .score = c.score};
    if (one.score > CLASSIFIER_FLAGS && says_little(r->text))
        one.score = CLASSIFIER_FLAGS;
    memcpy(one.how, r->how, sizeof one.how);
    if (c.spans_n > 0)
        bz_reading_place(r, c.spans[0].start, c.spans[0].end, &one.start, &one.end);
    add(v, &one);
}

/* ---- all of it ---- */

static float together(float a, float b) {
    return 1 - (1 - a) * (1 - b);
}

/* The classifier's score keeps its meaning where it is alone: below a third it says nothing. */
static float score_of(const struct verdict *v) {
    float rules = 0;
    for (size_t i = 0; i < v->families; i++)
        rules = together(rules, v->family[i].score);
    float most = rules > v->classified ? rules : v->classified;
    float least = rules > v->classified ? v->classified : rules;
    return least < 0.35f ? most : together(most, least * 0.5f);
}

static enum bz_status read_text(struct bz_injection *j, struct bz_view text, unsigned detectors,
                                struct bz_arena *scratch, struct verdict *v) {
    struct bz_reading *r = NULL;
    size_t n = 0;
    BZ_TRY(bz_readings(text, scratch, &r, &n));
    for (size_t i = 0; i < n; i++) {
        if ((detectors & BZ_DETECT_RULES) != 0) {
            add_signs(v, &r[i]);
            BZ_TRY(by_rules(j, &r[i], v));
        }
        if ((detectors & BZ_DETECT_CLASSIFIER) != 0)
            by_classifier(j, &r[i], v);
    }
    return BZ_OK;
}

enum bz_status bz_injection_judge(struct bz_injection *j, struct bz_view text, enum bz_channel c,
                                  unsigned detectors, struct bz_arena *scratch,
                                  struct bz_judged *ret) {
    struct bz_judged out = {.score = 0};
    struct verdict v = {.out = &out, .channel = c};
    if ((unsigned)c >= BZ_CHANNEL_COUNT || (detectors & BZ_DETECT_ALL) == 0 ||
        (detectors & ~BZ_DETECT_ALL) != 0)
        return BZ_EINVAL;
    if ((detectors & BZ_DETECT_CLASSIFIER) != 0 && !j->classifies)
        return BZ_EUNAVAIL;
    BZ_TRY(read_text(j, text, detectors, scratch, &v));
    out.score = score_of(&v);
    out.verdict = out.score >= BZ_SCORE_BLOCK  ? BZ_JUDGE_BLOCK
                  : out.score >= BZ_SCORE_FLAG ? BZ_JUDGE_FLAG
                                               : BZ_JUDGE_ALLOW;
    *ret = out;
    return BZ_OK;
}
