/* Made once for a handle: which words stand for which types, so that a context is asked once for all
 * of them; and the context that was asked for last, which many rows ask for again.
 *
 * A word lies in the bucket of its first two bytes, or of the first alone if the second may be
 * missing in the text ("tax id" is also written "taxId"). Each has its first four bytes, as far as they
 * stand in the text as they are, to be compared at once. */
#include "pii_index.h"

#define PII_WORDS(name, region, what, proof, level, ...) __VA_ARGS__,
static const char *const type_words[] = {PII_TYPES(PII_WORDS)};

enum { BUCKETS = 512, HEAD = 4 };

struct entry {
    const char *word;
    uint32_t head, mask;
    uint16_t type;
    uint8_t n;
};
struct pii_words {
    struct entry *v;
    uint16_t first[BUCKETS + 1]; /* of each bucket */
    bool odd;                    /* one is none that words() may have */
};

static unsigned bucket_of(uint8_t a, uint8_t b) {
    return (a * 37u + b * 5u) % BUCKETS;
}

static bool may_be_missing(char c) {
    return c == ' ' || c == '-';
}

static unsigned bucket_of_word(const struct entry *e) {
    bool one = e->n < 2 || may_be_missing(e->word[1]);
    return bucket_of((uint8_t)e->word[0], one ? 0 : (uint8_t)e->word[1]);
}

static uint32_t head_of(const uint8_t p[HEAD]) {
    uint32_t v = 0;
    memcpy(&v, p, HEAD);
    return v;
}

static struct entry entry_of(const char *w, size_t n, size_t type) {
    uint8_t head[HEAD] = {0}, mask[HEAD] = {0};
    for (size_t i = 0; i < HEAD && i < n && !may_be_missing(w[i]); i++) {
        head[i] = (uint8_t)w[i];
        mask[i] = 0xff;
    }
    return (struct entry){w, head_of(head), head_of(mask), (uint16_t)type, (uint8_t)n};
}

/* Calls put for each word of each type. */
static void each_word(void (*put)(struct pii_words *to, const struct entry *e),
                      struct pii_words *to) {
    for (size_t t = 0; t < PII_TYPES_N; t++) {
        for (const char *w = type_words[t]; *w != '\0';) {
            size_t n = strcspn(w, "|");
            struct entry e = entry_of(w, n, t);
            put(to, &e);
            w += n + (w[n] == '|');
        }
    }
}

static void count(struct pii_words *to, const struct entry *e) {
    to->first[bucket_of_word(e) + 1]++;
    to->odd |= !detect_word_good(bz_view(e->word, e->n));
}

/* first[b + 1] is where the next of bucket b goes. */
static void place(struct pii_words *to, const struct entry *e) {
    to->v[to->first[bucket_of_word(e) + 1]++] = *e;
}

static enum bz_status make_words(struct bz_arena *ar, const struct pii_words **ret) {
    struct pii_words *to = bz_arena_zalloc(ar, sizeof *to);
    if (to == NULL)
        return BZ_ENOMEM;
    each_word(count, to);
    if (to->odd)
        return BZ_EINTERNAL;
    size_t n = 0;
    for (size_t b = 1; b <= BUCKETS; b++) {
        size_t here = to->first[b];
        to->first[b] = (uint16_t)n;
        n += here;
    }
    to->v = bz_arena_zalloc(ar, (n + 1) * sizeof *to->v);
    if (to->v == NULL)
        return BZ_ENOMEM;
    each_word(place, to);
    *ret = to;
    return BZ_OK;
}

enum bz_status pii_prepare(struct bz_arena *ar, void **own) {
    if (*own != NULL)
        return BZ_OK;
    struct pii_own *o = bz_arena_zalloc(ar, sizeof *o);
    if (o == NULL)
        return BZ_ENOMEM;
    BZ_TRY(make_words(ar, &o->words));
    *own = o;
    return BZ_OK;
}

/* The first four bytes of the word at i. */
static void read_head(const struct pii_context *c, size_t i, uint8_t ret[HEAD]) {
    for (size_t b = 0; b < HEAD; b++)
        ret[b] = i + b < c->to ? pii_lower(c->p[i + b]) : 0;
}

static void tell_from(const struct pii_words *words, unsigned bucket, uint32_t head, size_t i,
                      struct pii_context *c) {
    for (size_t k = words->first[bucket]; k < words->first[bucket + 1]; k++) {
        const struct entry *e = &words->v[k];
        if (((e->head ^ head) & e->mask) == 0 && !pii_set_has(&c->told, e->type) &&
            pii_word_at(c, i, e->word, e->n))
            pii_set_add(&c->told, e->type);
    }
}

/* All types that have a word in the context. */
static void tell_types(const struct pii_words *words, struct pii_context *c) {
    c->told = (struct pii_set){0};
    for (size_t k = 0; k < c->words_n; k++) {
        size_t i = c->words[k];
        uint8_t head[HEAD];
        read_head(c, i, head);
        tell_from(words, bucket_of(head[0], 0), head_of(head), i, c);
        tell_from(words, bucket_of(head[0], head[1]), head_of(head), i, c);
    }
}

static bool any_told(const struct pii_context *c) {
    uint64_t any = 0;
    for (size_t i = 0; i < PII_SET_WORDS; i++)
        any |= c->told.w[i];
    return any != 0;
}

bool pii_words_begin(const struct scan *s, size_t from, size_t to) {
    struct pii_own *o = s->own;
    struct pii_context *c = &o->context; /* what it is of is forgotten */
    o->round = 0;
    c->p = s->p;
    c->to = s->n;
    c->told = (struct pii_set){0};
    for (size_t i = from; i < to; i++) {
        uint8_t head[HEAD];
        if (!pii_word_begins(s->p, i))
            continue;
        read_head(c, i, head);
        tell_from(o->words, bucket_of(head[0], 0), head_of(head), i, c);
        tell_from(o->words, bucket_of(head[0], head[1]), head_of(head), i, c);
    }
    return any_told(c);
}

struct pii_context *pii_at(const struct scan *s, size_t start) {
    struct pii_own *o = s->own;
    struct pii_context *c = &o->context;
    if (o->round == s->round && c->to == start && c->p == s->p)
        return c;
    o->round = s->round;
    pii_context(s, start, c);
    if (c->words_n != 0)
        tell_types(o->words, c);
    else
        c->told = (struct pii_set){0};
    return c;
}

bool pii_told_near(const struct scan *s, size_t type, size_t start, size_t reach) {
    const struct pii_context *c = pii_at(s, start);
    return pii_set_has(&c->told, type) && pii_word(c, type_words[type], reach);
}

struct pii_set pii_wants(const struct scan *s) {
    struct pii_set set;
    size_t at = s->first / 64, low = s->first % 64;
    for (size_t i = 0; i < PII_SET_WORDS; i++, at++) {
        uint64_t more = low == 0 || s->want == NULL ? 0 : s->want->w[at + 1] << (64 - low);
        set.w[i] = s->want == NULL ? UINT64_MAX : s->want->w[at] >> low | more;
    }
    return set;
}
