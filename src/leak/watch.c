/* A channel's text, in any pieces: chunks of it become rows (tokens.c), rows are looked up (row.c),
 * and its end tells from where on text has to wait. */
#include "leak_int.h"

static const char *const kinds[BZ_LEAK_COUNT] = {"canary", "secret", "prompt"};

const char *bz_leak_kind_name(enum bz_leak_kind k) {
    return k < BZ_LEAK_COUNT ? kinds[k] : "?";
}

static const char *const row_names[ROW_COUNT] = {
    [ROW_TEXT] = "text",
    [ROW_UNESCAPED] = "text with escapes",
    [ROW_FIRST] = "first letters of words",
    [ROW_LAST] = "last letters of words",
    [ROW_LINES] = "first letters of lines",
    [ROW_SENTENCES] = "first letters of sentences",
    [ROW_CAPITALS] = "capitals and digits",
    [ROW_SPELT] = "spelt out",
    [ROW_MORSE] = "Morse",
    [ROW_BITS] = "binary",
    [ROW_BASE64] = "decoded base64",
    [ROW_HEX] = "decoded hex",
    [ROW_ODD] = "odd words",
    [ROW_LEET] = "odd words as leet",
    [ROW_PIECES] = "numbered pieces",
};

const char *leak_row_name(enum row_name r) {
    return r < ROW_COUNT ? row_names[r] : "?";
}

struct leak_row *leak_row_of(struct bz_leak_watch *w, enum row_name row) {
    return row < ROW_OWN ? &w->rows[row] : &w->r->shared[row - ROW_OWN];
}

void leak_found(struct bz_leak_watch *w, enum row_name row, const struct leak_found *f) {
    if (w->found)
        return; /* the first is enough */
    w->found = true;
    w->hit = (struct bz_leak_hit){.kind = BZ_LEAK_CANARY,
                                  .name = BZ_V("canary"),
                                  .form = leak_form_name(f->form),
                                  .row = leak_row_name(row)};
    if (f->item < 0)
        return;
    const struct leak_tables *t = &w->r->look.tables;
    const struct leak_item *item = &t->items[f->item];
    w->hit.kind = (enum bz_leak_kind)item->kind;
    w->hit.name = bz_view(t->names + item->name_at, item->name_n);
}

/* ---- a reply ---- */

static void give(struct bz_leak_reply *r, void *p) {
    if (p != NULL && r->a.free != NULL)
        r->a.free(r->a.ctx, p);
}

enum bz_status bz_leak_reply_canary(struct bz_leak_reply *r, struct bz_view canary,
                                    struct bz_canary_tables *kept) {
    if (canary.n != BZ_CANARY_TEXT || r->look.canary != NULL)
        return BZ_OK;
    r->look.canary = r->a.alloc(r->a.ctx, sizeof *r->look.canary);
    if (r->look.canary == NULL)
        return BZ_ENOMEM;
    r->canaries = kept;
    leak_canary_init(r->look.canary, canary);
    leak_canary_anchors(r->look.canary, r->look.anchors);
    r->look.has_anchors = true;
    return BZ_OK;
}

enum bz_status bz_leak_reply_new(const struct bz_leaks *l, struct bz_view canary, struct bz_alloc a,
                                 struct bz_leak_reply **ret) {
    struct bz_leak_reply *r = a.alloc(a.ctx, sizeof *r);
    if (r == NULL)
        return BZ_ENOMEM;
    *r = (struct bz_leak_reply){.a = a};
    r->look.has_tables = leak_tables(l, &r->look.tables);
    if (r->look.has_tables) {
        const struct leak_head *h = r->look.tables.head;
        memcpy(r->look.anchors, h->anchors, sizeof r->look.anchors);
        r->look.has_anchors = h->has_long != 0 || h->has_short != 0;
    }
    enum bz_status st = bz_leak_reply_canary(r, canary, NULL);
    if (st != BZ_OK)
        give(r, r);
    else
        *ret = r;
    return st;
}

void bz_leak_reply_free(struct bz_leak_reply *r) {
    if (r == NULL)
        return;
    give(r, r->look.canary);
    give(r, r->known);
    give(r, r);
}

/* ---- a channel ---- */

enum bz_status bz_leak_watch_new(struct bz_leak_reply *r, bool json, struct bz_leak_watch **ret) {
    struct bz_leak_watch *w = r->a.alloc(r->a.ctx, sizeof *w);
    if (w == NULL)
        return BZ_ENOMEM;
    *w =
        (struct bz_leak_watch){.r = r, .json = json, .blank = true, .line = true, .sentence = true};
    *ret = w;
    return BZ_OK;
}

void bz_leak_watch_free(struct bz_leak_watch *w) {
    if (w != NULL)
        give(w->r, w);
}

static bool may_escape(struct bz_view v) {
    enum { SHORT = 24 };
    for (size_t i = 0; v.n <= SHORT && i < v.n; i++)
        if (v.p[i] == '\\' || v.p[i] == '%' || v.p[i] == '&')
            return true;
    if (v.n <= SHORT)
        return false;
    return memchr(v.p, '\\', v.n) != NULL || memchr(v.p, '%', v.n) != NULL ||
           memchr(v.p, '&', v.n) != NULL;
}

void leak_text_scan(struct bz_leak_watch *w, uint8_t *mem, size_t n) {
    struct leak_found found;
    struct leak_row *r = &w->rows[ROW_TEXT];
    size_t before = r->n;
    if (leak_row_scan(r, &w->r->look, mem, n, &found) ||
        leak_strides(&w->r->look, mem, before, n, &found))
        leak_found(w, ROW_TEXT, &found);
}

static __attribute__((noinline)) void unescaped(struct bz_leak_watch *w, struct bz_view v,
                                                bool last) {
    LEAK_SCRATCH uint8_t mem[HIST + ROW_CAP];
    if (!w->unescapes) { /* up to here both rows are one */
        w->unescapes = true;
        w->rows[ROW_UNESCAPED] = w->rows[ROW_TEXT];
    }
    size_t n = leak_unescape(w, v, last, mem + HIST, ROW_CAP);
    struct leak_found found;
    if (leak_row_scan(&w->rows[ROW_UNESCAPED], &w->r->look, mem, n, &found))
        leak_found(w, ROW_UNESCAPED, &found);
}

/* At most CHUNK bytes. */
static void chunk(struct bz_leak_watch *w, struct bz_view v, bool last) {
    LEAK_SCRATCH struct leak_pass p;
    p.w = w;
    p.n = 0;
    p.used = 0;
    memcpy(p.text, w->rows[ROW_TEXT].hist, HIST);
    if (w->unescapes || (v.n != 0 && may_escape(v)))
        unescaped(w, v, last);
    leak_tokens(&p, v);
    if (last)
        leak_tokens_end(&p);
    w->syms += p.n;
    leak_batches_flush(&p);
    leak_text_scan(w, p.text, p.n);
    if (w->unescapes && w->esc_n == 0 &&
        memcmp(&w->rows[ROW_TEXT], &w->rows[ROW_UNESCAPED], sizeof w->rows[0]) == 0)
        w->unescapes = false; /* long ago: both rows are one again */
}

/* Whole code points, at most `most` bytes. */
static size_t slice(struct bz_view v, size_t most) {
    if (v.n <= most)
        return v.n;
    size_t n = most;
    while (n > most - 4 && (v.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void text(struct bz_leak_watch *w, struct bz_view v, bool last) {
    do {
        size_t n = slice(v, CHUNK);
        chunk(w, bz_view_sub(v, 0, n), last && n == v.n);
        v = bz_view_sub(v, n, v.n);
    } while (v.n != 0);
}

static void json_text(struct bz_leak_watch *w, struct bz_view v, bool last) {
    LEAK_SCRATCH uint8_t out[CHUNK + ESC_MAX];
    do {
        size_t n = slice(v, CHUNK - ESC_MAX);
        bool end = last && n == v.n;
        size_t got = leak_unjson(w, bz_view_sub(v, 0, n), end, out);
        chunk(w, bz_view(out, got), end);
        v = bz_view_sub(v, n, v.n);
    } while (v.n != 0);
}

static void mark(struct bz_leak_watch *w) {
    w->marks[w->marks_n++ % FEEDS] = (struct feed_mark){.byte = w->fed, .sym = w->syms};
}

/* Where the call began whose text holds this symbol. */
static uint64_t place(const struct bz_leak_watch *w, uint64_t sym) {
    uint32_t n = w->marks_n < FEEDS ? w->marks_n : FEEDS;
    for (uint32_t i = 1; i <= n; i++) {
        const struct feed_mark *m = &w->marks[(w->marks_n - i) % FEEDS];
        if (m->sym <= sym)
            return m->byte;
    }
    return n == 0 ? w->fed : w->marks[(w->marks_n - n) % FEEDS].byte;
}

enum bz_status bz_leak_watch_feed(struct bz_leak_watch *w, struct bz_view v, enum bz_leak_when when,
                                  uint64_t *ret_settled, struct bz_leak_hit *ret_hit) {
    bool last = when == BZ_LEAK_LAST;
    uint64_t had = w->syms, from = w->fed;
    if (v.n != 0 || last) {
        if (w->json)
            json_text(w, v, last);
        else
            text(w, v, last);
    }
    if (w->syms != had) {
        uint64_t now = w->syms;
        w->syms = had;
        w->fed = from;
        mark(w);
        w->syms = now;
    }
    w->fed = from + v.n;
    size_t tail = when == BZ_LEAK_MORE ? leak_row_tail(&w->rows[ROW_TEXT], &w->r->look) : 0;
    uint64_t settled = tail == 0 ? w->fed : place(w, w->syms - tail);
    w->settled =
        settled > w->settled ? settled : w->settled; /* the first character may have left */
    *ret_settled = w->settled;
    if (!w->found)
        return BZ_OK;
    *ret_hit = w->hit;
    w->found = false;
    return BZ_EDENIED;
}

enum bz_status bz_leak_scan(struct bz_leak_reply *r, struct bz_view v, bool json,
                            struct bz_leak_hit *ret_hit) {
    struct bz_leak_watch *w = NULL;
    uint64_t settled;
    BZ_TRY(bz_leak_watch_new(r, json, &w));
    enum bz_status st = bz_leak_watch_feed(w, v, BZ_LEAK_LAST, &settled, ret_hit);
    bz_leak_watch_free(w);
    return st;
}
