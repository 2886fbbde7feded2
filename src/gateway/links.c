/* Links in what leaves. Whole texts are rewritten at once; a channel of a stream keeps a piece of text until
 * no link can begin or go on in it, and what it looks back on. */
#include "toolgate.h"

#include "guard.h"

enum { TEXT_MAX = 2 * BZ_EVENT_MAX };

struct watch {
    struct guard_watcher w;
    uint64_t base; /* place in the channel of the first byte kept */
    uint64_t from; /* where the search goes on */
    struct bz_buf kept;
};

/* What people read; not what programs are given, names and settings. */
static bool is_prose(const struct bz_span *s) {
    bool speaker = s->speaker == BZ_SPEAKER_ASSISTANT || s->speaker == BZ_SPEAKER_REASONING ||
                   s->speaker == BZ_SPEAKER_DOCUMENT || s->speaker == BZ_SPEAKER_USER;
    if (s->field == NULL || s->field->tool_name || s->is_key || s->is_number || !speaker)
        return false;
    return s->field->kind == BZ_FIELD_TEXT ||
           (s->field->kind == BZ_FIELD_JSON && s->speaker == BZ_SPEAKER_DOCUMENT);
}

static bool wanted(const struct bz_tx *tx, const struct bz_span *s) {
    return tx->agent != NULL && (tx->agent->links | tx->agent->images) != BZ_LINK_ALLOW &&
           is_prose(s);
}

static enum bz_link_action action_of(const struct bz_tx *tx, const struct bz_link *l) {
    return (enum bz_link_action)(l->image ? tx->agent->images : tx->agent->links);
}

static enum bz_status block(struct bz_tx *tx) {
    tx->cut_why = BZ_REFUSE_LINK;
    return BZ_EDENIED;
}

/* ---- whole texts ---- */

enum bz_status bz_agent_links(struct bz_tx *tx, const struct bz_span *span, struct bz_arena *ar,
                              struct screen_edited *e) {
    struct bz_link l;
    size_t from = 0, at = 0, settled = 0;
    struct bz_buf b;
    bool changed = false;
    if (!wanted(tx, span))
        return BZ_OK;
    bz_buf_init(&b, 4 * e->text.n + BZ_LINK_TEXT);
    while (bz_agent_link(&tx->agent->a, e->text, from, true, &l, &settled)) {
        enum bz_link_action a = action_of(tx, &l);
        from = settled;
        if (a == BZ_LINK_BLOCK) {
            bz_buf_free(&b);
            return block(tx);
        }
        if (a == BZ_LINK_ALLOW)
            continue;
        changed = true;
        bz_buf_put(&b, bz_view_sub(e->text, at, l.start - at));
        bz_agent_defang(bz_view_sub(e->text, l.start, l.end - l.start), &b);
        at = l.end;
    }
    if (!changed)
        return BZ_OK;
    bz_buf_put(&b, bz_view_sub(e->text, at, e->text.n));
    struct bz_view text =
        bz_buf_status(&b) == BZ_OK ? bz_arena_dup(ar, bz_buf_view(&b)) : (struct bz_view){NULL, 0};
    bz_buf_free(&b);
    if (text.p == NULL)
        return BZ_ENOMEM;
    e->text = text;
    e->changed = true;
    return BZ_OK;
}

/* ---- channels of a stream ---- */

static enum bz_status link_open(struct bz_tx *tx, const struct bz_span *span,
                                struct guard_watcher **ret) {
    *ret = NULL;
    if (!wanted(tx, span))
        return BZ_OK;
    struct watch *w = bz_tx_alloc(tx, sizeof *w);
    if (w == NULL)
        return BZ_ENOMEM;
    *w = (struct watch){0};
    bz_buf_init(&w->kept, TEXT_MAX);
    *ret = &w->w;
    return BZ_OK;
}

static enum bz_status defang(struct bz_tx *tx, struct watch *w, const struct bz_link *l) {
    uint8_t mem[BZ_LINK_TEXT];
    struct bz_buf b;
    struct bz_view text = bz_view(w->kept.p + l->start, l->end - l->start);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_agent_defang(text, &b);
    BZ_TRY(bz_buf_status(&b));
    const uint8_t *host =
        memchr(mem, ']', b.n); /* "hxxps[:]//" is what is left of it under a mask */
    size_t head = host == NULL ? 0 : (size_t)(host - mem) + 3;
    return bz_guard_replace(tx, &w->w, w->base + l->start, w->base + l->end, bz_buf_view(&b), head);
}

static void forget(struct watch *w) {
    uint64_t gone = w->from - w->base;
    size_t n = gone > BZ_LINK_BEFORE ? (size_t)gone - BZ_LINK_BEFORE : 0;
    if (n == 0)
        return;
    memmove(w->kept.p, w->kept.p + n, w->kept.n - n);
    w->kept.n -= n;
    w->base += n;
}

static enum bz_status link_feed(struct bz_tx *tx, struct guard_watcher *of, struct bz_view text,
                                enum guard_when when, struct bz_arena *ar) {
    struct watch *w = (struct watch *)of;
    struct bz_link l;
    bool more = true;
    (void)ar;
    bz_buf_put(&w->kept, text);
    BZ_TRY(bz_buf_status(&w->kept));
    while (more) {
        size_t settled = 0;
        more = bz_agent_link(&tx->agent->a, bz_buf_view(&w->kept), (size_t)(w->from - w->base),
                             when == GUARD_LAST, &l, &settled);
        enum bz_link_action a = more ? action_of(tx, &l) : BZ_LINK_ALLOW;
        if (a == BZ_LINK_BLOCK)
            return block(tx);
        if (a == BZ_LINK_DEFANG)
            BZ_TRY(defang(tx, w, &l));
        w->from = w->base + settled;
    }
    of->settled = w->from;
    forget(w);
    return BZ_OK;
}

static void link_free(struct bz_tx *tx, struct guard_watcher *of) {
    struct watch *w = (struct watch *)of;
    bz_buf_wipe_free(&w->kept);
    bz_tx_mem_free(tx, w);
}

const struct guard_kind bz_guard_links = {
    .open = link_open, .feed = link_feed, .whole = NULL, .free = link_free};
