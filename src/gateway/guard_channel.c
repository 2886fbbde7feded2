/* Channels of the stream guard: text comes in, everybody who watches says up to where it is decided,
 * findings become edits. */
#include "guard.h"
#include "leaks.h"

#include <bartizan/limits.h>

/* Who watches channels beside the detectors. An entry here, and nothing else, adds one. */
static const struct guard_kind *const kinds[] = {&bz_guard_leaks, &bz_guard_links};

/* ---- further watchers ---- */

static enum bz_status open_watchers(struct bz_tx *tx, struct channel *c,
                                    const struct bz_span *span) {
    struct guard_watcher **at = &c->watchers;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i] == NULL)
            continue;
        BZ_TRY(kinds[i]->open(tx, span, at));
        if (*at == NULL)
            continue;
        (*at)->kind = kinds[i];
        at = &(*at)->next;
    }
    return BZ_OK;
}

/* ---- edits are kept ---- */

static struct edit *new_edit(struct bz_tx *tx, uint64_t start, uint64_t end, struct bz_view a,
                             struct bz_view b) {
    struct edit *e = bz_tx_alloc(tx, sizeof *e + a.n + b.n);
    if (e == NULL)
        return NULL;
    *e = (struct edit){.start = start, .end = end, .text_n = a.n + b.n};
    if (a.n != 0)
        memcpy(e->text, a.p, a.n);
    if (b.n != 0)
        memcpy(e->text + a.n, b.p, b.n);
    return e;
}

static struct bz_view head_of(const struct edit *e) {
    return bz_view(e->text, e->head_n != 0 ? e->head_n : e->text_n);
}

/* Two that meet become one. */
static struct edit *join(struct bz_tx *tx, const struct edit *a, const struct edit *b) {
    const struct edit *first = b->start < a->start ? b : a, *then = first == a ? b : a;
    uint64_t end = first->end > then->end ? first->end : then->end;
    return new_edit(tx, first->start, end, head_of(first), head_of(then));
}

/* Takes e. */
static enum bz_status add_edit(struct bz_tx *tx, struct channel *c, struct edit *e) {
    struct edit **at = &c->edits;
    while (*at != NULL && !e->blocks) {
        struct edit *x = *at;
        if (x->blocks || x->start >= e->end || e->start >= x->end) {
            at = &x->next;
            continue;
        }
        struct edit *both = join(tx, x, e);
        *at = x->next;
        bz_tx_mem_free(tx, x);
        bz_tx_mem_free(tx, e);
        if (both == NULL)
            return BZ_ENOMEM;
        e = both;
        at = &c->edits;
    }
    at = &c->edits;
    while (*at != NULL && ((*at)->start < e->start || ((*at)->start == e->start && !e->blocks)))
        at = &(*at)->next;
    e->next = *at;
    *at = e;
    return BZ_OK;
}

enum bz_status bz_guard_replace(struct bz_tx *tx, struct guard_watcher *w, uint64_t start,
                                uint64_t end, struct bz_view text, size_t head_n) {
    struct edit *e = new_edit(tx, start, end, text, (struct bz_view){NULL, 0}), **at = &w->edits;
    if (e == NULL)
        return BZ_ENOMEM;
    e->head_n = (uint16_t)head_n;
    while (*at != NULL)
        at = &(*at)->next;
    *at = e;
    return BZ_OK;
}

static enum bz_status take_edits(struct bz_tx *tx, struct channel *c, struct guard_watcher *w) {
    while (w->edits != NULL) {
        struct edit *e = w->edits;
        w->edits = e->next;
        BZ_TRY(add_edit(tx, c, e));
    }
    return BZ_OK;
}

static enum bz_status feed_watchers(struct visit *v, struct channel *c, struct bz_view text,
                                    enum guard_when when) {
    for (struct guard_watcher *w = c->watchers; w != NULL; w = w->next) {
        BZ_TRY(w->kind->feed(v->tx, w, text, when, v->ar));
        BZ_TRY(take_edits(v->tx, c, w));
        if (when != GUARD_LAST && w->settled < c->settled)
            c->settled = w->settled;
    }
    return BZ_OK;
}

enum bz_status bz_guard_whole(struct visit *v, const struct bz_span *span) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i] != NULL && kinds[i]->whole != NULL)
            BZ_TRY(kinds[i]->whole(v->tx, span, v->ar));
    return BZ_OK;
}

/* ---- channels ---- */

enum bz_status bz_guard_channel(struct visit *v, const struct bz_span *span, struct channel **ret) {
    struct bz_tx_screen *s = v->tx->screen;
    enum bz_text_mode mode = bz_tx_mode_of(span);
    for (struct channel *c = v->g->channels; c != NULL; c = c->next) {
        if (c->id != span->channel)
            continue;
        *ret = c;
        return BZ_OK;
    }
    if (v->g->channels_n == BZ_GUARD_CHANNELS_MAX)
        return BZ_ELIMIT;
    bool first = !v->g->first_used;
    struct channel *c = first ? &v->g->first : bz_tx_alloc(v->tx, sizeof *c);
    if (c == NULL)
        return BZ_ENOMEM;
    v->g->first_used = true;
    *c =
        (struct channel){.next = v->g->channels, .id = span->channel, .json = mode == BZ_TEXT_JSON};
    bz_watch_init(&c->watch, mode, &s->act->find);
    bz_watch_init(&c->level_watch, mode, &v->g->raises);
    bz_buf_init(&c->raw, 2 * BZ_WATCH_MAX);
    v->g->channels = c;
    v->g->channels_n++;
    *ret = c;
    return open_watchers(v->tx, c, span);
}

static enum bz_status keep_edit(struct bz_tx *tx, struct channel *c, const struct bz_finding *f,
                                const struct screen_verdict *one, bool blocks) {
    struct edit *e = new_edit(tx, f->start, f->end, one->text, (struct bz_view){NULL, 0});
    if (e == NULL)
        return BZ_ENOMEM;
    e->blocks = blocks;
    return add_edit(tx, c, e);
}

static enum bz_status take_finding(struct visit *v, struct channel *c, const struct bz_finding *f,
                                   struct bz_view value) {
    struct bz_tx_screen *s = v->tx->screen;
    struct screen_verdict one;
    enum bz_refusal why;
    BZ_TRY(bz_tx_screen_one(v->tx, f, value, c->json ? BZ_TEXT_JSON : BZ_TEXT_PLAIN, v->ar, &one));
    bz_tx_screen_count(v->tx, f->type, one.action);
    bool blocks = one.action >= BZ_ACTION_APPROVE || bz_tx_screen_above(s, &why);
    if (!one.replaces && !blocks)
        return BZ_OK;
    return keep_edit(v->tx, c, f, &one, blocks);
}

static enum bz_status feed_level(struct visit *v, struct channel *c, struct bz_view text,
                                 bool last) {
    static const struct screen_verdict nothing = {.action = BZ_ACTION_RECORD};
    struct bz_tx_screen *s = v->tx->screen;
    struct bz_findings found = {.ar = v->ar};
    enum bz_refusal why;
    uint64_t leveled = 0;
    if (!v->g->levels)
        return BZ_OK;
    BZ_TRY(bz_watch_feed(s->detect, &c->level_watch, text, last, &v->g->raises, v->ar, &found,
                         &leveled));
    if (leveled < c->settled) /* from here on the level is not known */
        c->settled = leveled;
    if (found.more != 0)
        return BZ_ETOOBIG;
    for (size_t i = 0; i < found.n; i++) {
        const struct bz_finding *f = &found.v[i];
        if (f->level > s->level)
            s->level = f->level;
        if (bz_tx_screen_above(s, &why))
            BZ_TRY(keep_edit(v->tx, c, f, &nothing, true));
    }
    return BZ_OK;
}

/* Keeps what the detectors have not decided of `text`, which begins at `from` of the channel. */
static enum bz_status keep_raw(struct channel *c, struct bz_view text, uint64_t from) {
    uint64_t settled = c->watch.settled;
    size_t gone = settled > from ? (size_t)(settled - from) : 0;
    struct bz_view rest = bz_view_sub(text, gone, text.n);
    if (rest.n == 0) {
        bz_buf_free(&c->raw);
        return BZ_OK;
    }
    if (c->raw.n == 0) {
        bz_buf_put(&c->raw, rest);
        return bz_buf_status(&c->raw);
    }
    memmove(c->raw.p, rest.p, rest.n);
    c->raw.n = rest.n;
    return BZ_OK;
}

enum bz_status bz_guard_feed(struct visit *v, struct channel *c, struct bz_view text,
                             enum guard_when when) {
    bool last = when != GUARD_PIECE;
    struct bz_tx_screen *s = v->tx->screen;
    struct bz_findings found = {.ar = v->ar};
    uint64_t from = c->fed - c->raw.n;
    BZ_TRY(
        bz_watch_feed(s->detect, &c->watch, text, last, &s->act->hold, v->ar, &found, &c->settled));
    if (found.more != 0)
        return BZ_ETOOBIG;
    BZ_TRY(feed_level(v, c, text, last));
    BZ_TRY(feed_watchers(v, c, text, when));
    c->fed += text.n;
    if (c->raw.n != 0) {
        bz_buf_put(&c->raw, text);
        BZ_TRY(bz_buf_status(&c->raw));
        text = bz_buf_view(&c->raw);
    }
    for (size_t i = 0; i < found.n; i++) {
        const struct bz_finding *f = &found.v[i];
        if (!bz_type_set_has(&s->act->hold, f->type)) { /* told late, without its text */
            BZ_TRY(take_finding(v, c, f, (struct bz_view){NULL, 0}));
            continue;
        }
        if (f->start < from || f->end > c->fed)
            return BZ_EINTERNAL;
        struct bz_view value =
            bz_view_sub(text, (size_t)(f->start - from), (size_t)(f->end - f->start));
        BZ_TRY(take_finding(v, c, f, value));
    }
    return keep_raw(c, text, from);
}

/* ---- edits ---- */

bool bz_guard_settled(const struct piece *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (p[i].end > p[i].c->settled)
            return false;
    return true;
}

static const struct edit *edit_in(const struct piece *p) {
    for (const struct edit *e = p->c->edits; e != NULL; e = e->next)
        if (e->start < p->end && e->end > p->start)
            return e;
    return NULL;
}

bool bz_guard_edited(const struct piece *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (edit_in(&p[i]) != NULL)
            return true;
    return false;
}

void bz_guard_drop_edits(struct bz_tx *tx, const struct piece *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct channel *c = p[i].c;
        while (c->edits != NULL && c->edits->end <= p[i].end) {
            struct edit *e = c->edits;
            c->edits = e->next;
            bz_tx_mem_free(tx, e);
        }
    }
}

enum bz_status bz_guard_piece_text(struct bz_arena *ar, const struct piece *p, struct bz_view text,
                                   struct bz_view *ret, bool *ret_block) {
    size_t size = text.n;
    uint64_t at = p->start;
    struct bz_buf b;
    for (const struct edit *e = p->c->edits; e != NULL; e = e->next)
        size += e->text_n;
    uint8_t *mem = bz_arena_alloc(ar, size);
    if (mem == NULL)
        return BZ_ENOMEM;
    bz_buf_init_fixed(&b, mem, size);
    for (const struct edit *e = p->c->edits; e != NULL && e->start < p->end; e = e->next) {
        if (e->end <= p->start)
            continue;
        if (e->start > at)
            bz_buf_put(&b, bz_view_sub(text, (size_t)(at - p->start), (size_t)(e->start - at)));
        if (e->blocks) {
            *ret_block = true;
            *ret = bz_buf_view(&b);
            return bz_buf_status(&b);
        }
        if (e->start >= p->start)
            bz_buf_put(&b, bz_view(e->text, e->text_n));
        at = e->end;
    }
    if (at < p->end)
        bz_buf_put(&b, bz_view_sub(text, (size_t)(at - p->start), (size_t)(p->end - at)));
    *ret = bz_buf_view(&b);
    return bz_buf_status(&b);
}

void bz_guard_channel_free(struct bz_tx *tx, struct channel *c) {
    while (c->watchers != NULL) {
        struct guard_watcher *w = c->watchers;
        c->watchers = w->next;
        while (w->edits != NULL) {
            struct edit *e = w->edits;
            w->edits = e->next;
            bz_tx_mem_free(tx, e);
        }
        w->kind->free(tx, w);
    }
    while (c->edits != NULL) {
        struct edit *e = c->edits;
        c->edits = e->next;
        bz_tx_mem_free(tx, e);
    }
    bz_watch_done(&c->watch);
    bz_watch_done(&c->level_watch);
    bz_buf_wipe_free(&c->raw);
    if (c == &tx->guard->first)
        tx->guard->first_used = false;
    else
        bz_tx_mem_free(tx, c);
}

enum bz_status bz_guard_settle(struct visit *v, struct channel *c, bool end) {
    if (c->ended)
        return BZ_OK;
    c->ended = end;
    return bz_guard_feed(v, c, (struct bz_view){NULL, 0}, end ? GUARD_LAST : GUARD_PAUSE);
}
