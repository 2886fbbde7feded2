/* A row of symbols and its windows. Every window is looked up in a filter, by one multiplication;
 * what the filter knows is looked at closely. */
#include "leak_int.h"

#define MASK(n) ((UINT64_C(1) << (6 * (n))) - 1)

/* Differences of the last symbols before `end`; false: too few. */
static bool last_diffs(const uint8_t *end, size_t have, size_t n, uint8_t *out) {
    if (have <= n)
        return false;
    uint8_t prev = 0;
    for (size_t i = have; i-- > n;) /* the last letter before the window */
        if (end[-1 - (ptrdiff_t)i] < SYM_DIGIT)
            prev = end[-1 - (ptrdiff_t)i];
    for (size_t i = 0; i < n; i++) {
        uint8_t c = end[(ptrdiff_t)i - (ptrdiff_t)n];
        out[i] = leak_diff(prev, c);
        prev = c < SYM_DIGIT ? c : prev;
    }
    return true;
}

static bool tag_find(const struct leak_tables *t, uint64_t tag, struct leak_found *ret) {
    size_t lo = 0, hi = t->head->tags;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        uint64_t at = t->tags[mid];
        if (at >> TAG_SHIFT == tag >> TAG_SHIFT) {
            ret->item = (int)(at & ((1u << TAG_ITEM) - 1));
            ret->form = (enum leak_form)(at >> TAG_ITEM & 63);
            return (uint32_t)ret->item < t->head->items;
        }
        if (at < tag)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

static bool secret_at(const struct leak_look *l, const uint8_t *end, size_t have, size_t n,
                      struct leak_found *ret) {
    uint8_t diffs[WIN_DIGITS];
    return last_diffs(end, have, n, diffs) &&
           tag_find(&l->tables, leak_tag(l->tables.head->key, diffs, n), ret);
}

static bool bit_of(const struct leak_tables *t, uint64_t h) {
    uint64_t at = h >> (64 - t->head->filter_log2);
    return (t->filter[at >> 3] >> (at & 7) & 1) != 0;
}

static bool in_filter(const struct leak_tables *t, uint64_t h) {
    return bit_of(t, h) && bit_of(t, leak_second(h));
}

/* The windows that end before `end`; have: symbols at hand there. */
static __attribute__((noinline)) bool look_closely(const struct leak_look *l, uint64_t win,
                                                   const uint8_t *end, size_t have,
                                                   struct leak_found *ret) {
    if (l->canary != NULL && leak_canary_surely(l->canary, win & MASK(WIN_SHORT)) &&
        leak_canary_check(l->canary, end, have, &ret->form)) {
        ret->item = -1;
        return true;
    }
    if (!l->has_tables)
        return false;
    const struct leak_head *head = l->tables.head;
    if (head->has_short != 0 && in_filter(&l->tables, (win & MASK(WIN_SHORT)) * head->mul_short) &&
        secret_at(l, end, have, WIN_SHORT, ret))
        return true;
    return head->has_long != 0 && in_filter(&l->tables, (win & MASK(WIN_LONG)) * head->mul_long) &&
           (secret_at(l, end, have, WIN_LONG, ret) || secret_at(l, end, have, WIN_DIGITS, ret));
}

/* ---- differences ---- */

enum { LANES = 16 };
typedef uint8_t lanes __attribute__((vector_size(LANES)));

static inline lanes load(const uint8_t *p) {
    lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline bool any(lanes v) {
    uint64_t w[2];
    memcpy(w, &v, sizeof w);
    return (w[0] | w[1]) != 0;
}

/* Of the symbols p[0..n), which others stand before; *prev: the last letter. Text is letters nearly
 * throughout: sixteen at once, unless one of them or the one before is none. */
static void differ(const uint8_t *p, size_t n, uint8_t *prev, uint8_t *out) {
    size_t i = 0;
    while (i < n) {
        if (n - i >= LANES && p[(ptrdiff_t)i - 1] == *prev) {
            lanes c = load(p + i), before = load(p + i - 1);
            if (!any((lanes)((c >= SYM_DIGIT) | (before >= SYM_DIGIT)))) {
                lanes d = c - before;
                d += (lanes)(c < before) & 26;
                memcpy(out + i, &d, sizeof d);
                i += LANES;
                *prev = p[i - 1];
                continue;
            }
        }
        uint8_t c = p[i], letter = (uint8_t)(((int32_t)c - SYM_DIGIT) >> 31);
        out[i++] = leak_diff(*prev, c);
        *prev = (uint8_t)((c & letter) | (*prev & (uint8_t)~letter));
    }
}

/* ---- windows ---- */

struct filters { /* what the loop needs, at hand */
    const uint64_t *bloom;
    const uint8_t *filter;
    uint64_t mul_short, mul_long;
    unsigned shift;
    bool brief, lengthy;
};

static struct filters filters_of(const struct leak_look *l) {
    static const uint64_t nothing[BLOOM_BYTES / 8];
    struct filters f = {.bloom = l->canary != NULL ? l->canary->perhaps : nothing};
    if (!l->has_tables || l->tables.head->filter_log2 == 0)
        return f;
    f.filter = l->tables.filter;
    f.mul_short = l->tables.head->mul_short;
    f.mul_long = l->tables.head->mul_long;
    f.shift = 64u - l->tables.head->filter_log2;
    f.brief = l->tables.head->has_short != 0;
    f.lengthy = l->tables.head->has_long != 0;
    return f;
}

static inline uint64_t filter_bit(const struct filters *f, uint64_t h) {
    uint64_t at = h >> f->shift;
    return (uint64_t)(f->filter[at >> 3] >> (at & 7));
}

/* brief, lengthy: known where this is compiled in. The lowest bit tells. */
static inline __attribute__((always_inline)) uint64_t perhaps(const struct filters *f, uint64_t win,
                                                              bool brief, bool lengthy) {
    uint64_t h = leak_bloom_hash(win & MASK(WIN_SHORT));
    uint64_t any = f->bloom[h >> 55] >> (h >> 49 & 63);
    if (lengthy)
        any |= filter_bit(f, (win & MASK(WIN_LONG)) * f->mul_long);
    if (brief)
        any |= filter_bit(f, (win & MASK(WIN_SHORT)) * f->mul_short);
    return any;
}

struct scan {
    const struct leak_look *l;
    struct leak_row *r;
    const uint8_t *p;
    size_t n;
    struct leak_found *found;
};

/* Windows are tried four by four: hardly one is there. */
static inline __attribute__((always_inline)) bool
scan(const struct scan *s, const struct filters *f, bool brief, bool lengthy) {
    enum { STEP = 4 };
    LEAK_SCRATCH uint8_t diff[ROW_CAP];
    bool found = false;
    uint64_t win = s->r->win;
    uint8_t prev = (uint8_t)s->r->prev;
    differ(s->p, s->n, &prev, diff);
    for (size_t i = 0; i < s->n;) {
        if (s->n - i >= STEP) {
            uint64_t a = win << 6 | diff[i], b = a << 6 | diff[i + 1];
            uint64_t c = b << 6 | diff[i + 2], d = c << 6 | diff[i + 3];
            uint64_t hit = perhaps(f, a, brief, lengthy) | perhaps(f, b, brief, lengthy) |
                           perhaps(f, c, brief, lengthy) | perhaps(f, d, brief, lengthy);
            if (__builtin_expect((hit & 1) == 0, 1) || found) {
                win = d;
                i += STEP;
                continue;
            }
        }
        for (size_t stop = s->n - i < STEP ? s->n : i + STEP; i < stop; i++) {
            win = win << 6 | diff[i];
            if ((perhaps(f, win, brief, lengthy) & 1) == 0 || found)
                continue;
            size_t have = s->r->n + i + 1;
            found = look_closely(s->l, win, s->p + i + 1, have < HIST ? have : HIST, s->found);
        }
    }
    s->r->win = win;
    s->r->prev = prev;
    return found;
}

bool leak_row_scan(struct leak_row *r, const struct leak_look *l, uint8_t *mem, size_t n,
                   struct leak_found *ret) {
    const struct filters f = filters_of(l);
    const struct scan s = {.l = l, .r = r, .p = mem + HIST, .n = n, .found = ret};
    memcpy(mem, r->hist, HIST);
    bool found = f.brief     ? scan(&s, &f, true, true)
                 : f.lengthy ? scan(&s, &f, false, true)
                             : scan(&s, &f, false, false);
    r->n = r->n + n < HIST ? (uint32_t)(r->n + n) : HIST;
    memcpy(r->hist, mem + n, HIST);
    return found;
}

bool leak_row_push(struct leak_row *r, const struct leak_look *l, uint8_t c,
                   struct leak_found *ret) {
    uint8_t mem[HIST + 1];
    mem[HIST] = c;
    return leak_row_scan(r, l, mem, 1, ret);
}

/* ---- every n-th symbol ---- */

enum { STRIDE_MOST = 9 };

/* The symbols at this distance, the last one before `end`, as a row of their own. */
static bool stride_at(const struct leak_look *l, const uint8_t *end, size_t have, size_t stride,
                      struct leak_found *ret) {
    LEAK_SCRATCH uint8_t mem[HIST + HIST];
    size_t n = (have + stride - 1) / stride;
    struct leak_row row = {.n = 0};
    for (size_t i = 0; i < n; i++)
        mem[HIST + i] = end[-1 - (ptrdiff_t)((n - 1 - i) * stride)];
    return leak_row_scan(&row, l, mem, n, ret);
}

/* An anchor (leak_look.anchors) whose last symbol is p[0]: at which distances? */
static bool stride_slow(const struct leak_look *l, const uint8_t *p, size_t have,
                        struct leak_found *ret) {
    const uint32_t *a = l->anchors;
    uint32_t last = a[p[0]] >> 24;
    for (ptrdiff_t s = 2; last != 0 && s <= STRIDE_MOST && (size_t)(3 * s) < have; s++) {
        uint32_t hit = last & a[p[-s]] >> 16 & a[p[-2 * s]] >> 8 & a[p[-3 * s]] & 0xff;
        if (hit != 0 && stride_at(l, p + 1, have, (size_t)s, ret))
            return true;
    }
    return false;
}

/* Is an anchor's last symbol among these sixteen, at any distance? part[k]: the k-th byte of the
 * anchors of each symbol of the row. */
static inline bool stride_any(uint8_t *const part[4], size_t at) {
    lanes last = load(part[3] + at), hit = last & 0;
    for (size_t s = 2; s <= STRIDE_MOST; s++)
        hit |= load(part[2] + at - s) & load(part[1] + at - 2 * s) & load(part[0] + at - 3 * s);
    return any(hit & last);
}

bool leak_strides(const struct leak_look *l, const uint8_t *mem, size_t before, size_t n,
                  struct leak_found *ret) {
    LEAK_SCRATCH uint8_t m[4][HIST + ROW_CAP + LANES];
    uint8_t *const part[4] = {m[0], m[1], m[2], m[3]};
    size_t i = 0;
    if (!l->has_anchors)
        return false;
    if (n >= LANES) {
        for (size_t k = HIST - 3 * STRIDE_MOST; k < HIST + n; k++) {
            uint32_t a = l->anchors[mem[k]];
            m[0][k] = (uint8_t)a;
            m[1][k] = (uint8_t)(a >> 8);
            m[2][k] = (uint8_t)(a >> 16);
            m[3][k] = (uint8_t)(a >> 24);
        }
    }
    for (; i < n; i++) {
        while (i + LANES <= n && !stride_any(part, HIST + i))
            i += LANES;
        size_t stop = i + LANES < n ? i + LANES : n;
        for (; i < stop; i++) {
            size_t have = before + i + 1;
            if (stride_slow(l, mem + HIST + i, have < HIST ? have : HIST, ret))
                return true;
        }
        i--;
    }
    return false;
}

/* ---- the end of the row: may it be a beginning? ---- */

static size_t canary_tail(const struct leak_canary *c, const uint8_t *end, size_t have) {
    size_t most = 0;
    if (have < 2)
        return 0;
    for (size_t at = 2; at <= BZ_CANARY_TEXT; at++) {
        size_t k = 2;
        if (c->sym[at - 1] != end[-1] || c->sym[at - 2] != end[-2])
            continue;
        while (k < at && k < have && c->sym[at - 1 - k] == end[-1 - (ptrdiff_t)k])
            k++;
        most = k > most ? k : most;
    }
    return most;
}

/* The first four symbols of a secret, with fewer than a window behind them. */
static size_t secret_tail(const struct leak_head *h, const uint8_t *end, size_t have) {
    for (size_t back = have < WIN_LONG ? have : WIN_LONG; back >= 4; back--) {
        const uint8_t *p = end - back;
        if ((h->starts[p[0]] & h->starts[p[1]] >> 8 & h->starts[p[2]] >> 16 &
             h->starts[p[3]] >> 24 & 0xff) != 0)
            return back;
    }
    return 0;
}

size_t leak_row_tail(const struct leak_row *r, const struct leak_look *l) {
    const uint8_t *end = r->hist + HIST;
    size_t a = l->canary != NULL ? canary_tail(l->canary, end, r->n) : 0;
    size_t b = l->has_tables ? secret_tail(l->tables.head, end, r->n) : 0;
    return a > b ? a : b;
}
