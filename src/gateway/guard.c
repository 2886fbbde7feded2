/* The stream guard. The decoded text of every channel (choice, tool call, reasoning ...) is watched
 * across events. An event leaves when all of its text is decided: with the bytes it came with if
 * nothing in it is replaced, otherwise with its text edited. Until then it waits, and everything
 * that came later waits behind it; nothing is made up and the order is kept.
 *
 *   event -> pieces (channel, from, to) -> watch -> findings -> edits of the channel
 *         -> queue -> the head's pieces all settled? -> apply edits -> out
 *
 * Most events differ from the one before in their text alone: those need no tree (bz_shapes).
 *
 * A replacement stands in the event where its match begins; what the match covers of later events is
 * cut out of them. Text repeated in other fields (logprobs, token ids) goes where the text changed. */
#include "guard.h"
#include "toolgate.h"

#include <bartizan/limits.h>

enum { CHANNELS_KEPT = 32 }; /* ended ones; text after the end of one of them is noticed */

/* Text waits for these types too, whatever becomes of what is found: otherwise the level would be
 * known when the text has left. They are watched for by themselves, so that what is only recorded
 * hides nothing that is masked. */
static void find_raising(const struct bz_tx_screen *s, struct guard *g) {
    uint8_t most = s->clearance < s->offered ? s->clearance : s->offered;
    for (size_t i = 0; i < BZ_TYPES_MAX && most < BZ_LEVEL_RESTRICTED; i++) {
        const struct bz_type *t = bz_detect_type(s->detect, i);
        if (t == NULL || (t->level <= most && t->cls != BZ_CLASS_LABEL) ||
            !bz_type_set_has(&s->act->find, i))
            continue;
        bz_type_set_add(&g->raises, i);
        g->levels = true;
    }
}

enum bz_status bz_tx_guard_begin(struct bz_tx *tx) {
    if (tx->screen == NULL)
        return BZ_OK;
    bz_tx_screen_turn(tx, BZ_DIRECTION_REPLY);
    struct guard *g = bz_tx_alloc(tx, sizeof *g);
    if (g == NULL || tx->screen->act == NULL) {
        bz_tx_mem_free(tx, g);
        return BZ_ENOMEM;
    }
    *g = (struct guard){0};
    find_raising(tx->screen, g);
    g->queue_last = &g->queue;
    tx->guard = g;
    return BZ_OK;
}

/* ---- one event comes in ---- */

static enum bz_status whole_text(struct visit *v, const struct bz_span *span,
                                 struct screen_edited *ret) {
    struct bz_tx_screen *s = v->tx->screen;
    struct bz_findings found = {.ar = v->ar};
    enum bz_text_mode mode = bz_tx_mode_of(span);
    BZ_TRY(
        bz_detect_scan(s->detect, span->text, mode, &s->act->find, &s->act->hold, v->ar, &found));
    if (found.more != 0)
        return BZ_ETOOBIG;
    BZ_TRY(bz_tx_edit(v->tx, span->text, mode, &found, v->ar, ret));
    return bz_agent_links(v->tx, span, v->ar, ret);
}

static bool carries_text(const struct bz_span *span) {
    return span->field == NULL ||
           (span->field->kind != BZ_FIELD_DATA && span->field->kind != BZ_FIELD_MEDIA &&
            span->field->kind != BZ_FIELD_REPEAT);
}

static enum bz_status add_piece(struct visit *v, struct channel *c, size_t n) {
    if (v->n == v->cap) {
        size_t cap = v->cap * 2 + 8;
        struct piece *p = bz_arena_alloc(v->ar, cap * sizeof *p);
        if (p == NULL)
            return BZ_ENOMEM;
        if (v->n != 0)
            memcpy(p, v->pieces, v->n * sizeof *p);
        v->pieces = p;
        v->cap = cap;
    }
    v->pieces[v->n++] = (struct piece){c, c->fed, c->fed + n};
    return BZ_OK;
}

static enum bz_status arrive(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    struct visit *v = ctx;
    struct screen_edited e;
    enum bz_refusal why;
    (void)w;
    if (!carries_text(span) || span->text.n == 0)
        return BZ_OK;
    if (span->channel != 0) {
        struct channel *c = NULL;
        BZ_TRY(bz_guard_channel(v, span, &c));
        if (c->ended)
            return BZ_ESYNTAX; /* text after the end of its channel */
        BZ_TRY(add_piece(v, c, span->text.n));
        return bz_guard_feed(v, c, span->text, GUARD_PIECE);
    }
    BZ_TRY(bz_guard_whole(v, span));
    BZ_TRY(whole_text(v, span, &e));
    v->whole_edited |= e.changed;
    enum bz_level most = bz_tx_screen_called(v->tx, span, e.text);
    if (most < v->tool)
        v->tool = (uint8_t)most;
    if (e.worst >= BZ_ACTION_APPROVE || bz_tx_screen_above(v->tx->screen, &why))
        v->whole_blocked = true;
    return BZ_OK;
}

static enum bz_status end_channels(struct visit *v, uint64_t id, uint64_t mask) {
    for (struct channel *c = v->g->channels; c != NULL; c = c->next) {
        if ((c->id & mask) != id || c->ended)
            continue;
        BZ_TRY(bz_guard_settle(v, c, true));
    }
    return BZ_OK;
}

struct ends { /* what the walker said; channel_end cannot fail by itself */
    struct visit v;
    enum bz_status st;
};

static void on_end(void *ctx, uint64_t channel, uint64_t mask) {
    struct ends *e = ctx;
    if (e->st == BZ_OK)
        e->st = end_channels(&e->v, channel, mask);
}

/* ---- events go out ---- */

static enum bz_status leave(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    struct visit *v = ctx;
    struct screen_edited e;
    struct bz_view text;
    bool block = false;
    (void)w;
    if (!carries_text(span) || span->text.n == 0)
        return BZ_OK;
    if (span->channel == 0) {
        uint8_t counts = v->tx->screen->counts_n; /* counted when it arrived */
        struct screen_count saved[SCREEN_COUNTS_MAX];
        memcpy(saved, v->tx->screen->counts, sizeof saved);
        BZ_TRY(whole_text(v, span, &e));
        memcpy(v->tx->screen->counts, saved, sizeof saved);
        v->tx->screen->counts_n = counts;
        if (e.changed)
            bz_span_set(span, e.text);
        return BZ_OK;
    }
    if (v->next == v->n || v->pieces[v->next].c->id != span->channel)
        return BZ_EINTERNAL;
    const struct piece *p = &v->pieces[v->next++];
    if (v->done)
        text = (struct bz_view){NULL, 0};
    else
        BZ_TRY(bz_guard_piece_text(v->ar, p, span->text, &text, &block));
    v->done |= block;
    if (!bz_view_eq(text, span->text))
        bz_span_set(span, text);
    return BZ_OK;
}

static enum bz_status put_edited(struct visit *v, struct bz_view name, struct bz_view data,
                                 struct bz_buf *out) {
    struct bz_tx *tx = v->tx;
    struct bz_json *root = NULL;
    struct bz_buf b;
    enum bz_server server = (enum bz_server)tx->server;
    struct bz_walk w = {.unknown = BZ_UNKNOWN_TEXT, .span = leave, .ctx = v};
    BZ_TRY(bz_json_parse(data, NULL, v->ar, &root, NULL));
    BZ_TRY(bz_fields_walk(tx->route, server, BZ_WHERE_EVENT, root, &w));
    bz_fields_clear_repeats(tx->route, server, BZ_WHERE_EVENT, root, 0);
    bz_buf_init(&b, 2 * (size_t)BZ_EVENT_MAX);
    bz_json_write(&b, root);
    enum bz_status st = bz_buf_status(&b);
    if (st == BZ_OK)
        bz_stream_put(&tx->stream, name, bz_buf_view(&b), out);
    bz_buf_free(&b);
    return st != BZ_OK ? st : v->done ? BZ_EDENIED : BZ_OK;
}

/* The last event of a stream may repeat all of its text (Ollama's context): after an edit it does
 * not. */
static enum bz_status put_unrepeated(struct visit *v, struct bz_view name, struct bz_view data,
                                     struct bz_buf *out) {
    struct bz_tx *tx = v->tx;
    struct bz_json *root = NULL;
    struct bz_buf before, after;
    BZ_TRY(bz_json_parse(data, NULL, v->ar, &root, NULL));
    bz_buf_init(&before, 2 * (size_t)BZ_EVENT_MAX);
    bz_buf_init(&after, 2 * (size_t)BZ_EVENT_MAX);
    bz_json_write(&before, root);
    bz_fields_clear_repeats(tx->route, (enum bz_server)tx->server, BZ_WHERE_EVENT, root, 0);
    bz_json_write(&after, root);
    bool same = bz_view_eq(bz_buf_view(&before), bz_buf_view(&after));
    enum bz_status st = bz_buf_status(&before) != BZ_OK ? BZ_ENOMEM : bz_buf_status(&after);
    if (st == BZ_OK)
        bz_stream_put(&tx->stream, name, same ? data : bz_buf_view(&after), out);
    bz_buf_free(&before);
    bz_buf_free(&after);
    return st;
}

static enum bz_status put_event(struct visit *v, struct bz_view name, struct bz_view data,
                                struct bz_buf *out) {
    struct bz_tx_screen *s = v->tx->screen;
    if (v->tool < s->tool) /* all text before the call is decided now */
        s->tool = v->tool;
    if (s->level > v->tool)
        return BZ_EDENIED;
    if (v->whole_edited || bz_guard_edited(v->pieces, v->n)) {
        enum bz_status st = put_edited(v, name, data, out);
        v->g->edited = true;
        bz_guard_drop_edits(v->tx, v->pieces, v->n);
        return st;
    }
    if (v->g->edited && (v->n == 0 || v->tx->stream.done))
        return put_unrepeated(v, name, data, out);
    bz_stream_put(&v->tx->stream, name, data, out);
    return BZ_OK;
}

/* A tool that nobody offered is waited for by nobody: what raises the level above its clearance may be
 * told when its text has left, at the end of its channel at the latest. Then nothing leaves any more,
 * least of all the end of the call. */
static enum bz_status put_if_below(struct visit *v, struct bz_view name, struct bz_view data,
                                   struct bz_buf *out) {
    enum bz_refusal why;
    if (!bz_tx_screen_above(v->tx->screen, &why))
        return put_event(v, name, data, out);
    if (v->whole_edited || bz_guard_edited(v->pieces, v->n))
        BZ_TRY(put_event(v, name, data, out));
    return BZ_EDENIED;
}

static struct event *pop(struct guard *g) {
    struct event *e = g->queue;
    g->queue = e->next;
    if (g->queue == NULL)
        g->queue_last = &g->queue;
    g->queued -= e->data.n + e->name.n;
    return e;
}

static enum bz_status flush(struct bz_tx *tx, struct bz_arena *ar, struct bz_buf *out) {
    struct guard *g = tx->guard;
    enum bz_status st = BZ_OK;
    while (st == BZ_OK && g->queue != NULL && !(g->queue->call && bz_agent_holds(tx)) &&
           bz_guard_settled(g->queue->pieces, g->queue->pieces_n)) {
        struct event *e = pop(g);
        struct visit v = {.tx = tx,
                          .g = g,
                          .ar = ar,
                          .pieces = e->pieces,
                          .n = e->pieces_n,
                          .whole_edited = e->whole_edited,
                          .tool = e->tool};
        st = put_event(&v, e->name, e->data, out);
        bz_tx_mem_free(tx, e);
    }
    return st;
}

static enum bz_status push(struct bz_tx *tx, const struct visit *v, struct bz_view name,
                           struct bz_view data) {
    struct guard *g = v->g;
    size_t pieces = v->n * sizeof v->pieces[0];
    struct event *e = bz_tx_alloc(tx, sizeof *e + pieces + name.n + data.n);
    if (e == NULL)
        return BZ_ENOMEM;
    *e = (struct event){
        .whole_edited = v->whole_edited, .tool = v->tool, .call = v->call, .pieces_n = v->n};
    uint8_t *mem = (uint8_t *)e->pieces + pieces;
    if (pieces != 0)
        memcpy(e->pieces, v->pieces, pieces);
    memcpy(mem, data.p, data.n);
    if (name.n != 0)
        memcpy(mem + data.n, name.p, name.n);
    e->data = bz_view(mem, data.n);
    e->name = bz_view(mem + data.n, name.n);
    *g->queue_last = e;
    g->queue_last = &e->next;
    g->queued += data.n + name.n;
    return BZ_OK;
}

/* An agent's stream may have any number of tool calls, one after the other. */
static void drop_ended(struct bz_tx *tx) {
    struct guard *g = tx->guard;
    struct channel **at = &g->channels;
    while (*at != NULL) {
        struct channel *c = *at;
        if (!c->ended) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        g->channels_n--;
        bz_guard_channel_free(tx, c);
    }
}

static enum bz_status settle_all(struct bz_tx *tx, struct bz_arena *ar, bool end,
                                 struct bz_buf *out) {
    struct guard *g = tx->guard;
    struct visit v = {.tx = tx, .g = g, .ar = ar, .tool = BZ_LEVEL_RESTRICTED};
    for (struct channel *c = g->channels; c != NULL; c = c->next)
        BZ_TRY(bz_guard_settle(&v, c, end));
    if (end)
        BZ_TRY(bz_agent_close_all(tx, ar));
    return flush(tx, ar, out);
}

static enum bz_status visit_event(struct ends *e, struct bz_json *root, const char **ret_why) {
    struct bz_tx *tx = e->v.tx;
    struct bz_param_error err = {.why = "The stream has a member of no known meaning."};
    struct bz_walk w = {
        .unknown = tx->screen->refuse_unknown ? BZ_UNKNOWN_REFUSE : BZ_UNKNOWN_TEXT,
        .span = arrive,
        .channel_end = on_end,
        .ctx = e,
        .err = &err,
    };
    enum bz_status st =
        bz_fields_walk(tx->route, (enum bz_server)tx->server, BZ_WHERE_EVENT, root, &w);
    if (st == BZ_EDENIED && tx->cut_why == 0)
        *ret_why = err.why;
    return st != BZ_OK ? st : e->st;
}

/* Let through, or put behind what waits. */
static enum bz_status pass_on(struct visit *v, struct bz_view name, struct bz_view data,
                              struct bz_buf *out) {
    struct bz_tx *tx = v->tx;
    struct guard *g = v->g;
    enum bz_status st = flush(tx, v->ar, out);
    if (v->whole_blocked)
        return st == BZ_OK ? BZ_EDENIED : st;
    bool waits = v->call && bz_agent_holds(tx);
    if (st == BZ_OK && !waits && g->queue == NULL && bz_guard_settled(v->pieces, v->n))
        st = put_if_below(v, name, data, out);
    else if (st == BZ_OK)
        st = push(tx, v, name, data);
    bool over = tx->stream.done && tx->dialect != BZ_DIALECT_LLAMACPP; /* nothing can follow */
    if (st == BZ_OK && over)
        st = settle_all(tx, v->ar, true, out);
    if (st == BZ_OK && g->queued > (bz_agent_holds(tx) ? BZ_AGENT_QUEUE_MAX : BZ_GUARD_QUEUE_MAX)) {
        tx->stream.why = "too many events wait for undecided text"; /* what is undecided stays */
        st = BZ_ETOOBIG;
    }
    if (g->queue == NULL && g->channels_n > CHANNELS_KEPT)
        drop_ended(tx);
    return st;
}

static enum bz_status guard_event(void *ctx, struct bz_view name, struct bz_view data,
                                  struct bz_json *root, struct bz_arena *scratch,
                                  struct bz_buf *out) {
    struct bz_tx *tx = ctx;
    struct ends e = {.v = {.tx = tx, .g = tx->guard, .ar = scratch, .tool = BZ_LEVEL_RESTRICTED},
                     .st = BZ_OK};
    enum bz_refusal why;
    if (root == NULL) { /* [DONE] */
        BZ_TRY(settle_all(tx, scratch, true, out));
        if (bz_tx_screen_above(tx->screen, &why))
            return BZ_EDENIED;
        bz_stream_put(&tx->stream, name, data, out);
        return BZ_OK;
    }
    enum bz_status st = visit_event(&e, root, &tx->stream.why);
    if (st == BZ_EDENIED && tx->cut_why == 0)
        return BZ_ENOTFOUND; /* a member that no table knows */
    BZ_TRY(st == BZ_ELIMIT ? BZ_ESYNTAX : st);
    BZ_TRY(bz_agent_event(tx, root, scratch, &e.v.call));
    return pass_on(&e.v, name, data, out);
}

static enum bz_status guard_delta(void *ctx, struct bz_view name, struct bz_view data,
                                  struct bz_view text, uint64_t channel, struct bz_arena *scratch,
                                  struct bz_buf *out) {
    struct bz_tx *tx = ctx;
    struct guard *g = tx->guard;
    struct channel *c = g->channels;
    struct piece piece;
    struct visit v = {.tx = tx, .g = g, .ar = scratch, .tool = BZ_LEVEL_RESTRICTED};
    while (c != NULL && c->id != channel)
        c = c->next;
    if (c == NULL || c->ended || bz_agent_holds(tx))
        return BZ_MORE;
    if (text.n > 0) {
        piece = (struct piece){c, c->fed, c->fed + text.n};
        v.pieces = &piece;
        v.n = 1;
        BZ_TRY(bz_guard_feed(&v, c, text, GUARD_PIECE));
    }
    return pass_on(&v, name, data, out);
}

void bz_tx_guard_fetch(const struct bz_tx *tx) {
    enum { LINE = 64, LINES = 7 };
    _Static_assert(offsetof(struct guard, first) + sizeof(struct channel) >= LINE * LINES, "lines");
    for (size_t i = 0; i < LINES; i++)
        __builtin_prefetch((const uint8_t *)tx->guard + i * LINE, 1);
    __builtin_prefetch(tx->screen);
}

void bz_tx_guard_hook(struct bz_tx *tx) {
    tx->stream.event = guard_event;
    tx->stream.delta = guard_delta;
    tx->stream.ctx = tx;
}

static void begin_arena(struct bz_tx *tx, struct bz_arena *ar) {
    bz_arena_init(ar, tx->a, BZ_ARENA_BASE + BZ_ARENA_FACTOR * (size_t)BZ_EVENT_MAX, NULL, 0);
}

enum bz_status bz_tx_guard_end(struct bz_tx *tx, struct bz_buf *out) {
    struct bz_arena ar;
    if (tx->guard == NULL)
        return BZ_OK;
    begin_arena(tx, &ar);
    enum bz_status st = settle_all(tx, &ar, true, out);
    bz_arena_free(&ar);
    return st;
}

/* Has the undecided text of a channel waited too long for its next piece? A slow model's next piece
 * begins the time anew: half of a secret that is still coming is no decided text. */
static bool stands_still(struct channel *c, uint64_t now_ns, uint64_t most_ns) {
    if (c->ended || (c->settled >= c->fed))
        return false;
    if (c->seen != c->fed) {
        c->seen = c->fed;
        c->since_ns = now_ns;
    }
    return now_ns - c->since_ns > most_ns;
}

enum bz_status bz_tx_guard_tick(struct bz_tx *tx, struct bz_buf *out, struct bz_now now) {
    struct guard *g = tx->guard;
    struct bz_arena ar;
    enum bz_status st = BZ_OK;
    if (g == NULL || g->queue == NULL)
        return BZ_OK;
    begin_arena(tx, &ar);
    struct visit v = {.tx = tx, .g = g, .ar = &ar, .tool = BZ_LEVEL_RESTRICTED};
    uint64_t most_ns = (uint64_t)tx->screen->hold_ms * 1000000;
    for (struct channel *c = g->channels; c != NULL && st == BZ_OK; c = c->next)
        if (stands_still(c, now.mono_ns, most_ns))
            st = bz_guard_settle(&v, c, false);
    if (st == BZ_OK)
        st = flush(tx, &ar, out);
    bz_arena_free(&ar);
    return st;
}

void bz_tx_guard_free(struct bz_tx *tx) {
    struct guard *g = tx->guard;
    if (g == NULL)
        return;
    while (g->queue != NULL)
        bz_tx_mem_free(tx, pop(g));
    while (g->channels != NULL) {
        struct channel *c = g->channels;
        g->channels = c->next;
        bz_guard_channel_free(tx, c);
    }
    bz_tx_mem_free(tx, g);
    tx->guard = NULL;
}
