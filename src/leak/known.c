/* Runs of words of a prompt that the user's own text shows: the reply may repeat these.
 *
 * Hardly a text holds one, and each text of each request is asked, so what cannot hold one is passed
 * over: among any GRAM words in a row there is a sixth, twelfth, eighteenth ... word of the text, and a
 * run of a prompt's has none but words of prompts.
 *
 *      the quick brown fox jumps [over] the lazy dog and the [quick] brown fox jumps over the [lazy] ...
 *                                 no: nothing up to here       no: nothing up to here
 *
 * That holds of plain text, where the words are seen at a glance; any other is read word by word. */
#include "leak_int.h"

#if defined(__SSE2__) && !defined(BZ_NO_SIMD)
#include <emmintrin.h>
#endif

struct learner {
    struct bz_leak_reply *r;
    const struct leak_tables *t;
    struct leak_words words;
    enum bz_status st;
};

/* ---- what is known ---- */

bool leak_known_has(const struct bz_leak_reply *r, uint64_t gram) {
    size_t lo = 0, hi = r->known_n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (r->known[mid] == gram)
            return true;
        if (r->known[mid] < gram)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

static void learn(struct learner *l, uint64_t gram) {
    struct bz_leak_reply *r = l->r;
    if (r->known_n == BZ_LEAK_KNOWN_MAX)
        return; /* the rest stays a secret */
    if (r->known_n == r->known_cap) {
        size_t cap = r->known_cap * 2 + 64;
        uint64_t *more = r->a.alloc(r->a.ctx, cap * sizeof *more);
        if (more == NULL) {
            l->st = BZ_ENOMEM;
            return;
        }
        if (r->known_n != 0)
            memcpy(more, r->known, r->known_n * sizeof *more);
        if (r->known != NULL && r->a.free != NULL)
            r->a.free(r->a.ctx, r->known);
        r->known = more;
        r->known_cap = cap;
    }
    r->known[r->known_n++] = gram;
}

static void sort(uint64_t *v, size_t n) {
    for (size_t gap = n / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < n; i++) {
            uint64_t x = v[i];
            size_t k = i;
            for (; k >= gap && v[k - gap] > x; k -= gap)
                v[k] = v[k - gap];
            v[k] = x;
        }
}

/* The next word of the text. */
static void add(struct learner *l, uint64_t word) {
    uint64_t gram;
    if (!leak_word_maybe(l->t, word))
        l->words.n = 0;
    else if (leak_words_add(&l->words, word, &gram) && leak_gram_find(l->t, gram) >= 0)
        learn(l, gram);
}

static void take_word(void *ctx, const uint8_t *sym, size_t n) {
    struct learner *l = ctx;
    add(l, leak_word(l->t->head->mul_word, sym, n));
}

/* ---- plain text ---- */

static bool in_word(struct bz_view v, size_t at) {
    return at < v.n && leak_fold[v.p[at]] < SYM_END;
}

/* The word that begins at `at`: is it one of a prompt's? *ret_end: behind it. */
static bool look(const struct learner *l, struct bz_view v, size_t at, uint64_t *ret,
                 size_t *ret_end) {
    uint8_t sym[WORD_MAX];
    size_t n = 0;
    for (; n < WORD_MAX && in_word(v, at + n); n++)
        sym[n] = leak_fold[v.p[at + n]];
    *ret = leak_word(l->t->head->mul_word, sym, n);
    *ret_end = at + n;
    return n != 0 && leak_word_maybe(l->t, *ret);
}

/* Words of prompts around the one at `at`, as many as may be of one run with it. */
static void around(struct learner *l, struct bz_view v, size_t at) {
    uint64_t word[2 * GRAM - 1];
    size_t from = at, end, first = GRAM - 1, n = GRAM;
    if (!look(l, v, at, &word[first], &end))
        return;
    for (; n < 2 * GRAM - 1; n++) {
        while (end < v.n && !in_word(v, end))
            end++;
        if (!look(l, v, end, &word[n], &end))
            break;
    }
    for (; first > 0 && from > 0; first--) {
        size_t none;
        while (from > 0 && !in_word(v, from - 1))
            from--;
        while (from > 0 && in_word(v, from - 1))
            from--;
        if (!look(l, v, from, &word[first - 1], &none))
            break;
    }
    l->words.n = 0;
    for (size_t i = first; n - first >= GRAM && i < n; i++)
        add(l, word[i]);
}

/* 64 bytes: a bit for each that is a letter or a digit. false: they are not plain. */
static bool plain(const uint8_t *p, uint64_t *ret) {
    uint64_t bits = 0;
#if defined(__SSE2__) && !defined(BZ_NO_SIMD)
    __m128i other = _mm_setzero_si128();
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i low = _mm_or_si128(x, _mm_set1_epi8(0x20));
        __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(low, _mm_set1_epi8('a' - 1)),
                                       _mm_cmplt_epi8(low, _mm_set1_epi8('z' + 1)));
        __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('0' - 1)),
                                      _mm_cmplt_epi8(x, _mm_set1_epi8('9' + 1)));
        __m128i blank = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('\t' - 1)),
                                      _mm_cmplt_epi8(x, _mm_set1_epi8('\r' + 1)));
        /* compared with their sign: bytes beyond ASCII are below all others */
        __m128i unseen =
            _mm_or_si128(_mm_andnot_si128(blank, _mm_cmplt_epi8(x, _mm_set1_epi8(' '))),
                         _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f)));
        other = _mm_or_si128(other, unseen);
        bits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(letter, digit)) << i;
    }
    *ret = bits;
    return _mm_movemask_epi8(other) == 0;
#else
    bool good = true;
    for (unsigned i = 0; i < 64; i++) {
        uint8_t what = leak_fold[p[i]];
        bits |= (uint64_t)(what < SYM_END) << i;
        good &= what != FOLD_HIDDEN && what != FOLD_WIDE;
    }
    *ret = bits;
    return good;
#endif
}

/* May a word of more than WORD_MAX bytes end in these 64? Such a one counts as several. *run: bytes of a
 * word at the end of what came before, and of this. */
static bool long_word(uint64_t words, unsigned *run) {
    uint64_t x = words & words >> 1;
    x &= x >> 2;
    x &= x >> 4;
    x &= x >> 8;
    x &= x >> 16; /* 32 in a row */
    if (x != 0 || *run + (unsigned)__builtin_ctzll(~words) > WORD_MAX)
        return true;
    *run = words >> 63 != 0 ? (unsigned)__builtin_clzll(~words) : 0;
    return false;
}

/* false: it has to be read word by word. */
static bool sample(struct learner *l, struct bz_view v) {
    uint8_t rest[64];
    uint64_t words, before = 0;
    unsigned run = 0, pass = GRAM - 1; /* words that go by until the next is looked at */
    for (size_t at = 0; at < v.n; at += 64) {
        const uint8_t *p = v.p + at;
        if (v.n - at < 64) {
            memset(rest, ' ', sizeof rest);
            memcpy(rest, p, v.n - at);
            p = rest;
        }
        if (!plain(p, &words) || long_word(words, &run))
            return false;
        for (uint64_t first = words & ~(words << 1 | before); first != 0; first &= first - 1) {
            if (pass-- > 0)
                continue;
            around(l, v, at + (size_t)__builtin_ctzll(first));
            pass = GRAM - 1;
        }
        before = words >> 63;
    }
    return true;
}

enum bz_status bz_leak_known(struct bz_leak_reply *r, struct bz_view text) {
    struct learner l = {.r = r, .t = &r->look.tables, .st = BZ_OK};
    size_t had = r->known_n;
    if (!r->look.has_tables || r->look.tables.head->grams == 0)
        return BZ_OK;
    if (!sample(&l, text)) {
        r->known_n = had;
        l.words.n = 0;
        (void)leak_each_word(text, take_word, &l); /* what is not UTF-8 ends a word there as well */
    }
    if (r->known_n != had)
        sort(r->known, r->known_n);
    return l.st;
}
