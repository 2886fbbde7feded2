/* Secrets and prompts -> blob. What is written are tags: keyed hashes of windows of each form, and of
 * runs of words; the values themselves are nowhere in it. */
#include "leak_int.h"

#include <stdlib.h>

#include <bartizan/crypto.h>
#include <bartizan/text.h>

struct list {
    uint64_t *v;
    size_t n, cap, max;
};
struct making {
    struct leak_head head;
    struct list tags, wins, shorts, grams, vocabulary;
    struct leak_item *items;
    uint32_t index;
    uint64_t word_mul;
    enum bz_status st;
    struct leak_words words;
};

static bool add(struct making *m, struct list *l, uint64_t v) {
    if (l->n == l->cap) {
        size_t cap = l->cap * 2 + 1024;
        uint64_t *more =
            l->n < l->max ? bz_alloc_heap.alloc(bz_alloc_heap.ctx, cap * sizeof *more) : NULL;
        if (more == NULL) {
            m->st = l->n < l->max ? BZ_ENOMEM : BZ_ETOOBIG;
            return false;
        }
        if (l->n != 0)
            memcpy(more, l->v, l->n * sizeof *more);
        bz_alloc_heap.free(bz_alloc_heap.ctx, l->v);
        l->v = more;
        l->cap = cap;
    }
    l->v[l->n++] = v;
    return true;
}

uint64_t leak_tag(const uint8_t key[16], const uint8_t *diffs, size_t n) {
    return bz_name_hash(key, bz_view(diffs, n));
}

/* ---- windows of secrets ---- */

static uint64_t window(const uint8_t *diffs, size_t n) {
    uint64_t win = 0;
    for (size_t i = 0; i < n; i++)
        win = win << 6 | diffs[i];
    return win;
}

struct one_string {
    struct making *m;
    unsigned len, look; /* differences of a tag, and of what is looked up first */
};

static bool take_window(void *ctx, const struct leak_string *s, const uint8_t *sym, size_t end,
                        const uint8_t *diffs) {
    const struct one_string *o = ctx;
    struct making *m = o->m;
    (void)sym;
    (void)end;
    uint64_t tag = leak_tag(m->head.key, diffs, o->len);
    uint64_t low = (uint64_t)s->form << TAG_ITEM | m->index;
    return add(m, &m->tags, tag >> TAG_SHIFT << TAG_SHIFT | low) &&
           add(m, o->look == WIN_SHORT ? &m->shorts : &m->wins,
               window(diffs + o->len - o->look, o->look));
}

/* What stands before its first letter is not known: windows of a short secret with that letter are
 * there for each letter that it may be. */
static bool take_openings(struct one_string *o, const struct leak_string *s) {
    uint8_t diffs[WIN_LONG];
    size_t first = 0;
    while (first < s->n && s->sym[first] >= SYM_DIGIT)
        first++;
    for (size_t end = o->len; end <= s->n && first < s->n; end++) {
        if (first + o->len < end || first >= end)
            continue;
        for (uint8_t before = 0; before < 26; before++) {
            uint8_t prev = before;
            for (size_t i = end - o->len; i < end; i++) {
                diffs[i - (end - o->len)] = leak_diff(prev, s->sym[i]);
                prev = s->sym[i] < SYM_DIGIT ? s->sym[i] : prev;
            }
            if (!take_window(o, s, s->sym, end, diffs))
                return false;
        }
    }
    return true;
}

static bool mostly_digits(const struct leak_string *s) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->sym[i] >= SYM_DIGIT && s->sym[i] < SYM_FOREIGN;
    return 2 * n > s->n;
}

static bool take_string(void *ctx, const struct leak_string *s) {
    struct making *m = ctx;
    struct one_string o = {.m = m, .len = WIN_LONG, .look = WIN_LONG};
    bool plain = s->form <= FORM_LEET || s->form == FORM_KEYBOARD;
    if (plain && s->n <= WIN_LONG)
        o = (struct one_string){.m = m, .len = WIN_SHORT, .look = WIN_SHORT};
    else if ((!plain || s->n > 2 * WIN_DIGITS) && (leak_form_digits(s->form) || mostly_digits(s)))
        o.len = WIN_DIGITS;
    uint8_t *mem = bz_alloc_heap.alloc(bz_alloc_heap.ctx, 2 * s->n + 1);
    if (mem == NULL) {
        m->st = BZ_ENOMEM;
        return false;
    }
    const struct leak_windows w = {.mem = mem, .len = o.len, .take = take_window, .ctx = &o};
    bool more = leak_windows(&w, s) && (o.len != WIN_SHORT || take_openings(&o, s));
    bz_wipe(mem, 2 * s->n + 1);
    bz_alloc_heap.free(bz_alloc_heap.ctx, mem);
    return more;
}

/* Where it begins, and the end of its first window. */
static void take_starts(struct making *m, const uint8_t *sym, size_t n) {
    size_t end = n > WIN_LONG ? WIN_LONG + 1 : WIN_SHORT + 1;
    unsigned bit = m->index % 8;
    for (unsigned k = 0; k < 4; k++) {
        m->head.starts[sym[k]] |= UINT32_C(1) << (8 * k + bit);
        m->head.anchors[sym[end - 4 + k]] |= UINT32_C(1) << (8 * k + bit);
    }
}

static enum bz_status take_secret(struct making *m, struct bz_view value) {
    enum { STEP = 4 };
    uint8_t sym[BZ_LEAK_SECRET_MAX];
    if (value.n < BZ_LEAK_SECRET_MIN || value.n > BZ_LEAK_SECRET_MAX)
        return BZ_EINVAL;
    size_t n = leak_fold_text(value, sym, sizeof sym);
    if (n < BZ_LEAK_SECRET_MIN)
        return BZ_EINVAL;
    take_starts(m, sym, n);
    m->head.has_short |= n <= WIN_LONG;
    m->head.has_long = 1;
    bz_wipe(sym, sizeof sym);
    uint8_t *mem = bz_alloc_heap.alloc(bz_alloc_heap.ctx, LEAK_FORMS_MEM(value.n));
    if (mem == NULL)
        return BZ_ENOMEM;
    struct leak_forms f = {.value = value, .mem = mem, .step = STEP, .take = take_string, .ctx = m};
    leak_forms(&f);
    bz_wipe(mem, LEAK_FORMS_MEM(value.n));
    bz_alloc_heap.free(bz_alloc_heap.ctx, mem);
    return m->st;
}

/* ---- runs of words of prompts ---- */

static void take_word(void *ctx, const uint8_t *sym, size_t n) {
    struct making *m = ctx;
    uint64_t word = leak_word(m->word_mul, sym, n), gram;
    if (add(m, &m->vocabulary, word) && leak_words_add(&m->words, word, &gram))
        (void)add(m, &m->grams, gram >> TAG_ITEM << TAG_ITEM | m->index);
}

static enum bz_status take_prompt(struct making *m, struct bz_view v) {
    m->words = (struct leak_words){.n = 0};
    return leak_each_word(v, take_word, m) ? m->st : BZ_EINVAL;
}

/* ---- writing ---- */

static int by_number(const void *a, const void *b) {
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static void sort_out(struct list *l) {
    size_t k = 0;
    if (l->n == 0)
        return;
    qsort(l->v, l->n, sizeof l->v[0], by_number);
    for (size_t i = 0; i < l->n; i++)
        if (k == 0 || l->v[k - 1] != l->v[i])
            l->v[k++] = l->v[i];
    l->n = k;
}

/* 64 bits of filter for each entry, which sets two: one look-up in 32 asks for the second bit, one in a
 * thousand goes on in vain. */
static uint8_t log2_for(size_t n) {
    uint8_t k = 6;
    while (k < 24 && (UINT64_C(1) << k) < 64 * (uint64_t)n)
        k++;
    return k;
}

static void set_bit(uint8_t *filter, uint64_t at) {
    filter[at >> 3] |= (uint8_t)(1u << (at & 7));
}

static void set_bits(uint8_t *filter, const struct list *wins, uint64_t mul, unsigned log2) {
    for (size_t i = 0; i < wins->n; i++) {
        uint64_t h = wins->v[i] * mul;
        set_bit(filter, h >> (64 - log2));
        set_bit(filter, leak_second(h) >> (64 - log2));
    }
}

static void write_filters(const struct making *m, struct bz_buf *out) {
    size_t n = (size_t)1 << m->head.filter_log2 >> 3;
    uint8_t *f = bz_buf_room(out, n);
    if (f == NULL)
        return;
    memset(f, 0, n);
    set_bits(f, &m->wins, m->head.mul_long, m->head.filter_log2);
    set_bits(f, &m->shorts, m->head.mul_short, m->head.filter_log2);
    n = (size_t)1 << m->head.gram_log2 >> 3;
    f = bz_buf_room(out, n);
    if (f == NULL)
        return;
    memset(f, 0, n);
    for (size_t i = 0; i < m->grams.n; i++)
        set_bit(f, m->grams.v[i] >> (64 - m->head.gram_log2));
    n = (size_t)1 << m->head.word_log2 >> 3;
    f = bz_buf_room(out, n);
    if (f == NULL)
        return;
    memset(f, 0, n);
    for (size_t i = 0; i < m->vocabulary.n; i++)
        set_bit(f, m->vocabulary.v[i] >> (64 - m->head.word_log2));
}

static void write_all(struct making *m, const struct bz_leak_item *items, size_t n,
                      struct bz_buf *out) {
    uint32_t at = 0;
    sort_out(&m->tags);
    sort_out(&m->grams);
    sort_out(&m->vocabulary);
    m->head.tags = (uint32_t)m->tags.n;
    m->head.grams = (uint32_t)m->grams.n;
    m->head.items = (uint32_t)n;
    m->head.filter_log2 = log2_for(m->wins.n + m->shorts.n);
    m->head.gram_log2 = log2_for(m->grams.n);
    m->head.word_log2 = log2_for(m->vocabulary.n);
    for (size_t i = 0; i < n; i++) {
        m->items[i].name_at = at;
        m->items[i].name_n = (uint32_t)items[i].name.n;
        at += (uint32_t)items[i].name.n;
    }
    m->head.names_bytes = at;
    bz_buf_put(out, bz_view(&m->head, sizeof m->head));
    bz_buf_put(out, bz_view(m->tags.v, m->tags.n * sizeof m->tags.v[0]));
    bz_buf_put(out, bz_view(m->grams.v, m->grams.n * sizeof m->grams.v[0]));
    bz_buf_put(out, bz_view(m->items, n * sizeof m->items[0]));
    write_filters(m, out);
    for (size_t i = 0; i < n; i++)
        bz_buf_put(out, items[i].name);
}

static uint64_t number_of(const uint8_t key[32], const char *what) {
    uint8_t hash[BZ_HASH_LEN];
    uint64_t v;
    bz_keyed_hash(key, bz_view_str(what), hash);
    memcpy(&v, hash, sizeof v);
    return v | 1;
}

/* How many of a prompt's runs must show among GRAM_WINDOW: of a short prompt fewer. */
static uint8_t need_of(const struct making *m, size_t runs) {
    size_t most = runs * 6 / 10;
    if (most < 4)
        most = 4;
    return most < m->head.need ? (uint8_t)most : m->head.need;
}

static enum bz_status take_item(struct making *m, const struct bz_leak_item *item) {
    struct leak_item *to = &m->items[m->index];
    size_t had = m->grams.n;
    if (item->name.n == 0 || item->name.n > BZ_LEAK_NAME_MAX)
        return BZ_EINVAL;
    to->kind = (uint8_t)item->kind;
    if (item->kind == BZ_LEAK_SECRET)
        return take_secret(m, item->value);
    if (item->kind != BZ_LEAK_PROMPT)
        return BZ_EINVAL;
    BZ_TRY(take_prompt(m, item->value));
    to->need = need_of(m, m->grams.n - had);
    return BZ_OK;
}

static enum bz_status make(struct making *m, const struct bz_leak_item *items, size_t n,
                           struct bz_buf *out, size_t *ret_bad) {
    for (size_t i = 0; i < n; i++) {
        m->index = (uint32_t)i;
        enum bz_status st = take_item(m, &items[i]);
        if (st == BZ_EINVAL)
            *ret_bad = i;
        BZ_TRY(st);
    }
    write_all(m, items, n, out);
    return bz_buf_status(out);
}

enum bz_status bz_leak_compile(const struct bz_leak_item *items, size_t n,
                               const struct bz_leak_options *o, const uint8_t key[32],
                               struct bz_buf *out, size_t *ret_bad) {
    struct making m = {.st = BZ_OK};
    uint8_t hash[BZ_HASH_LEN];
    unsigned share = o->prompt_overlap != 0 ? o->prompt_overlap : 40;
    *ret_bad = n;
    if (n > BZ_LEAK_ITEMS_MAX || share > 100)
        return n > BZ_LEAK_ITEMS_MAX ? BZ_ETOOBIG : BZ_EINVAL;
    m.head.magic = LEAK_MAGIC;
    m.head.mul_short = number_of(key, "short windows");
    m.head.mul_long = number_of(key, "long windows");
    m.word_mul = m.head.mul_word = number_of(key, "words");
    m.head.record = o->record;
    m.head.need = (uint8_t)(GRAM_WINDOW * share / 100);
    bz_keyed_hash(key, BZ_V("tags"), hash);
    memcpy(m.head.key, hash, sizeof m.head.key);
    m.tags.max = m.wins.max = m.shorts.max = m.grams.max = m.vocabulary.max = BZ_LEAK_TAGS_MAX;
    m.items = bz_alloc_heap.alloc(bz_alloc_heap.ctx, (n + 1) * sizeof *m.items);
    if (m.items == NULL)
        return BZ_ENOMEM;
    memset(m.items, 0, (n + 1) * sizeof *m.items);
    enum bz_status st = make(&m, items, n, out, ret_bad);
    bz_alloc_heap.free(bz_alloc_heap.ctx, m.items);
    struct list *const lists[] = {&m.tags, &m.wins, &m.shorts, &m.grams, &m.vocabulary};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (lists[i]->v != NULL)
            bz_wipe(lists[i]->v, lists[i]->n * sizeof lists[i]->v[0]);
        bz_alloc_heap.free(bz_alloc_heap.ctx, lists[i]->v);
    }
    return st;
}
