/* Which parts of a text are worth decoding. One pass over its words finds the evidence; what has none
 * costs nothing more. */
#include "readings.h"

#if defined(__SSE2__) && !defined(BZ_NO_SIMD)
#include <emmintrin.h>
#endif

/* ---- parts ------------------------------------------------------------------------------------- */

void parts_add(struct parts *p, size_t from, size_t to) {
    struct part *last = p->n == 0 ? NULL : &p->v[p->n - 1];
    if (last != NULL && (from <= last->to + PART_NEAR || p->n == PARTS_MAX)) {
        last->to = to > last->to ? to : last->to;
        return;
    }
    p->v[p->n++] = (struct part){from, to};
}

static size_t line_start(struct bz_view t, size_t at) {
    size_t low = at > PART_AROUND ? at - PART_AROUND : 0;
    size_t word = at;
    for (; at > low && t.p[at - 1] != '\n'; at--) {
        if (t.p[at - 1] == ' ')
            word = at;
    }
    return at > low || low == 0 ? at : word;
}

static size_t line_end(struct bz_view t, size_t at) {
    size_t high = t.n - at > PART_AROUND ? at + PART_AROUND : t.n;
    size_t word = at;
    for (; at < high && t.p[at] != '\n'; at++) {
        if (t.p[at] == ' ')
            word = at;
    }
    return at < high || high == t.n ? at : word;
}

void parts_widen(struct parts *p, struct bz_view text) {
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t from = line_start(text, p->v[i].from);
        size_t to = line_end(text, p->v[i].to);
        if (n != 0 && from <= p->v[n - 1].to)
            p->v[n - 1].to = to;
        else
            p->v[n++] = (struct part){from, to};
    }
    p->n = n;
}

void decode_parts(struct work *w, const struct layer *from, enum bz_decoding how, struct parts *p,
                  decoder *d) {
    if (p->n == 0 || w->failed)
        return;
    size_t room = work_room(w, from);
    if (room == 0)
        return;
    parts_widen(p, from->text);
    struct maker m;
    maker_init(&m, w, p->v[0].to - p->v[0].from + 16);
    for (size_t i = 0; i < p->n && m.n < room; i++) {
        size_t end = p->v[i].to;
        if (end - p->v[i].from > room - m.n) {
            end = p->v[i].from + (room - m.n);
            w->capped = true;
        }
        if (i != 0)
            maker_put(&m, (const uint8_t *)"\n", 1, p->v[i - 1].to, p->v[i].from - p->v[i - 1].to,
                      STRETCH_WHOLE);
        d(&m, from->text, p->v[i].from, end);
    }
    work_read(w, from, how, &m);
}

/* ---- words ------------------------------------------------------------------------------------- */

struct words {
    struct work *w;
    const struct layer *in;
    struct bz_view t;
    struct keys keys;
    struct parts rot13, reversed, leet, accents, spaced;
    size_t done;             /* what lies before was taken by a run */
    size_t single, single_n; /* letters one after the other: where they began */
    size_t single_end;
    struct bz_view single_gap;   /* the signs between them */
    size_t mixed_end, mixed_len; /* the last word with capitals within */
};

enum { RUN_MIN = 12, SINGLE_MIN = 4, PAIR_MIN = 6, CHUNK_MIN = 4, CHUNKS = 3 };

#define ONES UINT64_C(0x0101010101010101)
#define SIX UINT64_C(0xffffffffffff)

/* The first byte is the lowest; compilers make one load of it. */
static inline uint64_t load(const uint8_t *p) {
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* Eight bytes of which n are there. */
static uint64_t load_some(const uint8_t *p, size_t n) {
    uint8_t b[8] = {0};
    memcpy(b, p, n < 8 ? n : 8);
    return load(b);
}

static bool is_hex(uint8_t c) {
    return (uint8_t)(c - '0') < 10 || (uint8_t)((c | 0x20) - 'a') < 6;
}

static bool is_alnum(uint8_t c) {
    return (uint8_t)(c - '0') < 10 || (uint8_t)((c | 0x20) - 'a') < 26;
}

/* Signs that stand for letters. */
static inline bool leet_sign(uint8_t c) {
    return c == '@' || c == '$' || c == '!' || c == '|' || c == '+';
}

/* The word of letters, digits and signs around [from, to): evidence when it reads as a key. */
static void leet_word(struct words *s, size_t from, size_t to) {
    size_t low = s->leet.n == 0 ? 0 : s->leet.v[s->leet.n - 1].to;
    while (from > low && (leet_sign(s->t.p[from - 1]) || is_alnum(s->t.p[from - 1])))
        from--;
    while (to < s->t.n && to - from <= 40 && (leet_sign(s->t.p[to]) || is_alnum(s->t.p[to])))
        to++;
    if (to - from < 4 || to - from > 40)
        return;
    uint8_t out[48];
    struct stretch st[4];
    struct maker m = {.w = s->w, .p = out, .cap = sizeof out, .s = st, .s_cap = 4};
    decode_leet(&m, s->t, from, to);
    if (m.n >= 5 && !m.failed && keys_list(keys_of(m.p, m.n)))
        parts_add(&s->leet, from, to);
}

/* The word without the marks on its letters. */
static void accents_word(struct words *s, size_t from, size_t to) {
    uint8_t out[64];
    struct stretch st[64];
    if (to - from > 32 || to - from < 5)
        return;
    struct maker m = {.w = s->w, .p = out, .cap = sizeof out, .s = st, .s_cap = 64};
    size_t kept = s->w->stretches;
    decode_accents(&m, s->t, from, to);
    s->w->stretches = kept;
    if (m.n >= 5 && m.n < to - from && !m.failed && keys_list(keys_of(m.p, m.n)))
        parts_add(&s->accents, from, to);
}

/* A letter on its own: evidence when it is one of several with the same signs between. */
static void single(struct words *s, size_t from, size_t to) {
    size_t gap = from - s->single_end;
    bool goes_on = s->single_n != 0 && gap >= 1 && gap <= 3;
    if (goes_on && s->single_n > 1)
        goes_on = bz_view_eq(bz_view(s->t.p + s->single_end, gap), s->single_gap);
    if (goes_on) {
        s->single_n++;
        if (s->single_n >= SINGLE_MIN)
            parts_add(&s->spaced, s->single, to);
    } else {
        s->single = from;
        s->single_n = 1;
    }
    s->single_gap = goes_on ? bz_view(s->t.p + s->single_end, gap) : bz_view(NULL, 0);
    s->single_end = to;
}

/* A word with capitals within it: with two others of its length beside it, base64 in chunks. */
static void chunk(struct words *s, size_t from, size_t n) {
    bool near = s->mixed_len == n && from - s->mixed_end <= 2 * n + 4;
    s->mixed_len = n;
    s->mixed_end = from + n;
    if (!near)
        return;
    size_t first = from;
    size_t count = 1;
    for (size_t gap = 1; gap <= 2 && first >= s->done + n + gap;) {
        size_t before = first - n - gap;
        bool whole = before == 0 || !is_alnum(s->t.p[before - 1]);
        for (size_t i = 0; whole && i < n + gap; i++)
            whole = is_alnum(s->t.p[before + i]) == (i < n);
        if (!whole) {
            gap++;
            continue;
        }
        first = before;
        count++;
        gap = 1;
    }
    if (count >= CHUNKS)
        s->done = decode_run(s->w, s->in, first);
}

/* Two digits of hex, 0x before them or not. */
static bool is_pair(const uint8_t *p, size_t n) {
    bool prefix = n == 4 && p[0] == '0' && (p[1] | 0x20) == 'x';
    return (n == 2 || prefix) && is_hex(p[n - 2]) && is_hex(p[n - 1]);
}

/* A pair of digits: when there are more on both sides, they are bytes. */
static void pairs(struct words *s, size_t from, size_t n) {
    size_t first = from;
    for (;;) {
        size_t end = first;
        while (end > s->done && first - end < 4 && !is_alnum(s->t.p[end - 1]) &&
               s->t.p[end - 1] < 0x80)
            end--;
        size_t start = end;
        while (start > s->done && end - start < 5 && is_alnum(s->t.p[start - 1]))
            start--;
        if (start == end || end == first || !is_pair(s->t.p + start, end - start))
            break;
        first = start;
    }
    size_t end = decode_pairs(s->w, s->in, first);
    s->done = end > from + n ? end : from + n;
}

/* A word that is not like others. */
static void odd_word(struct words *s, size_t from, size_t n, uint64_t raw, bool mixed,
                     bool digits) {
    const uint8_t *p = s->t.p + from;
    if ((raw & ONES * 0x80) != 0) {
        bool lone = n <= 4 && (p[0] & 0xc0) == 0xc0;
        for (size_t i = 1; lone && i < n; i++)
            lone = (p[i] & 0xc0) == 0x80;
        if (lone)
            single(s, from, from + n);
        else if ((~raw & ONES * 0x80 & (n >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * n) - 1)) != 0)
            accents_word(s, from, from + n);
        return;
    }
    if (n == 1) {
        if (!digits)
            single(s, from, from + 1);
    } else if (digits || (from != 0 && leet_sign(p[-1]))) {
        leet_word(s, from, from + n);
    }
    if (from < s->done)
        return;
    if (n >= RUN_MIN)
        s->done = decode_run(s->w, s->in, from);
    else if (is_pair(p, n))
        pairs(s, from, n);
    else if (mixed && n >= CHUNK_MIN)
        chunk(s, from, n);
}

/* The first and the last six letters of a word of n bytes, of which v holds the first, or the last. */
static inline uint64_t first_six(uint64_t v, size_t n) {
    return (v | ONES * 0x20) & (n >= 6 ? SIX : SIX >> (48 - 8 * n));
}

static inline uint64_t last_six(uint64_t v, size_t n) {
    return (v | ONES * 0x20) & (n >= 6 ? SIX << 16 : UINT64_MAX << (64 - 8 * n));
}

static inline bool maybe_key(const struct words *s, uint64_t first, uint64_t last) {
    return ((int)keys_maybe(&s->keys, first, KEYS_ROT13) |
            (int)keys_maybe(&s->keys, last, KEYS_BACK)) != 0;
}

static void disguised(struct words *s, size_t from, size_t to, uint64_t first, uint64_t last) {
    uint64_t back = __builtin_bswap64(last);
    if (keys_list(back))
        parts_add(&s->reversed, from, to);
    if (keys_list(keys_rot13(first)) || keys_list(keys_rot13(back)))
        parts_add(&s->rot13, from, to);
}

/* Any word. */
static void word(struct words *s, size_t from, size_t to) {
    const uint8_t *p = s->t.p + from;
    size_t n = to - from;
    uint64_t mine = n >= 8 ? UINT64_MAX : ~(UINT64_MAX << (8 * n));
    uint64_t raw = (s->t.n - from >= 8 ? load(p) : load_some(p, s->t.n - from)) & mine;
    uint64_t tail = to >= 8 ? load(p + n - 8) : load_some(p, n) << 8 * (8 - n);
    uint64_t first = first_six(raw, n), last = last_six(tail, n);
    /* Digits lack the bit that all letters have; of these, capitals that of small ones. */
    uint64_t digits = ~raw & ONES * 0x40 & mine;
    uint64_t upper = ~raw & raw >> 1 & ONES * 0x20;
    bool mixed = (upper & ~UINT64_C(0xff)) != 0 && (raw & raw >> 1 & ONES * 0x20) != 0;
    uint64_t odd = (raw & ONES * 0x80) | digits | (uint64_t)mixed | (uint64_t)(n == 1) |
                   (uint64_t)(n >= RUN_MIN) | (uint64_t)(from != 0 && leet_sign(p[-(from != 0)]));
    if (maybe_key(s, first, last))
        disguised(s, from, to, first, last);
    if (odd != 0)
        odd_word(s, from, n, raw, mixed, digits != 0);
}

struct block {      /* of 64 bytes, a bit for each */
    uint64_t words; /* a letter, a digit or no ASCII */
    uint64_t other; /* of these, no letter */
    uint64_t upper;
    uint64_t leet; /* a sign that stands for a letter */
};

static void read_block(const uint8_t *p, struct block *ret) {
    *ret = (struct block){.words = 0};
#if defined(__SSE2__) && !defined(BZ_NO_SIMD)
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i l = _mm_or_si128(x, _mm_set1_epi8(0x20));
        __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(l, _mm_set1_epi8('a' - 1)),
                                       _mm_cmplt_epi8(l, _mm_set1_epi8('z' + 1)));
        __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('0' - 1)),
                                      _mm_cmplt_epi8(x, _mm_set1_epi8('9' + 1)));
        __m128i other = _mm_or_si128(digit, x); /* the top bit of x is that of no ASCII */
        __m128i small = _mm_cmpeq_epi8(x, l);
        __m128i leet = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('@')),
                                    _mm_cmpeq_epi8(x, _mm_set1_epi8('$')));
        leet = _mm_or_si128(leet, _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('!')),
                                               _mm_cmpeq_epi8(x, _mm_set1_epi8('|'))));
        leet = _mm_or_si128(leet, _mm_cmpeq_epi8(x, _mm_set1_epi8('+')));
        ret->words |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(letter, other)) << i;
        ret->other |= (uint64_t)(unsigned)_mm_movemask_epi8(other) << i;
        ret->upper |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_andnot_si128(small, letter)) << i;
        ret->leet |= (uint64_t)(unsigned)_mm_movemask_epi8(leet) << i;
    }
#else
    for (unsigned i = 0; i < 64; i++) {
        bool other = p[i] >= 0x80 || (uint8_t)(p[i] - '0') < 10;
        ret->words |= (uint64_t)(is_alnum(p[i]) || other) << i;
        ret->other |= (uint64_t)other << i;
        ret->upper |= (uint64_t)((uint8_t)(p[i] - 'A') < 26) << i;
        ret->leet |= (uint64_t)leet_sign(p[i]) << i;
    }
#endif
}

struct edge { /* of the block before: its last byte is part of a word, or a sign for a letter */
    uint64_t word, leet;
};

/* A bit within each word of the block that may be an odd one. */
static uint64_t odd_bits(const struct block *b, struct edge before) {
    uint64_t inner = b->words << 1 | before.word;
    uint64_t starts = b->words & ~inner;
    uint64_t run = b->words & b->words >> 1;
    run &= run >> 2;
    run &= run >> 4;
    run &= run >> 4; /* RUN_MIN in a row */
    return b->other | run | (b->upper & inner) | (starts & ~(b->words >> 1)) |
           (starts & (b->leet << 1 | before.leet));
}
_Static_assert(RUN_MIN == 12, "as odd_bits counts");

/* Words of prose need no closer look, and pass here without a branch that depends on the word. */
static inline void plain_word(struct words *s, size_t from, size_t n) {
    const uint8_t *p = s->t.p + from;
    uint64_t first = first_six(load(p), n), last = last_six(load(p + n - 8), n);
    if (__builtin_expect(maybe_key(s, first, last), 0))
        disguised(s, from, from + n, first, last);
}

/* Words that end in the block at `at`; *start: of the one that goes over its edge. */
static void words_of(struct words *s, size_t at, const struct block *b, struct edge before,
                     size_t *start) {
    uint64_t odd = odd_bits(b, before);
    uint64_t edges = b->words ^ (b->words << 1 | before.word);
    bool whole = before.word == 0 && at >= 8 && s->t.n - at >= 64 + 8;
    for (; edges != 0; edges &= edges - 1) {
        unsigned i = (unsigned)__builtin_ctzll(edges);
        if ((b->words >> i & 1) != 0) {
            *start = at + i;
            continue;
        }
        uint64_t span = (UINT64_C(1) << i) - (UINT64_C(1) << (*start & 63));
        if (whole && (odd & span) == 0)
            plain_word(s, *start, at + i - *start);
        else
            word(s, *start, at + i);
        whole = at >= 8 && s->t.n - at >= 64 + 8;
    }
}

static void each_word(struct words *s) {
    uint8_t rest[64];
    struct block b;
    struct edge before = {0, 0};
    size_t start = 0;
    for (size_t at = 0; at < s->t.n; at += 64) {
        const uint8_t *p = s->t.p + at;
        if (s->t.n - at < 64) {
            memset(rest, ' ', sizeof rest);
            memcpy(rest, p, s->t.n - at);
            p = rest;
        }
        read_block(p, &b);
        words_of(s, at, &b, before, &start);
        before = (struct edge){b.words >> 63, b.leet >> 63};
    }
    if (before.word != 0)
        word(s, start, s->t.n);
}

void decode_all(struct work *w, const struct layer *raw, const struct layer *folded,
                uint32_t signs) {
    struct words s = {.w = w, .in = folded, .t = folded->text};
    if ((signs & (BZ_SIGN_TAGS | SIGN_SELECTORS | SIGN_BITS)) != 0)
        decode_hidden(w, raw, signs);
    decode_inline(w, folded);
    keys_init(&s.keys);
    size_t alone = w->alone;
    w->alone = 0;
    each_word(&s);
    w->alone = alone;
    if ((signs & SIGN_RIGHT_TO_LEFT) != 0 && s.reversed.n == 0)
        parts_add(&s.reversed, 0, s.t.n);
    struct parts again = s.reversed;
    decode_parts(w, folded, BZ_DECODING_SPACED, &s.spaced, decode_spaced);
    decode_parts(w, folded, BZ_DECODING_LEET, &s.leet, decode_leet);
    decode_parts(w, folded, BZ_DECODING_ACCENTS, &s.accents, decode_accents);
    decode_parts(w, folded, BZ_DECODING_ROT13, &s.rot13, decode_rot13);
    decode_parts(w, folded, BZ_DECODING_REVERSED, &s.reversed, decode_reversed);
    decode_parts(w, folded, BZ_DECODING_REVERSED, &again, decode_words_reversed);
}
