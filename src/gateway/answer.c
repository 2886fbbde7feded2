/* A whole reply: findings are masked or blocked, the caller's own placeholders become values again. */
#include "leaks.h"
#include "toolgate.h"

struct pass {
    struct bz_tx *tx;
    struct bz_arena *ar;
    bool changed, blocked;
    size_t grown;
};

/* f: what was found here; NULL: nothing, it is the name of a tool. */
static enum bz_status block(struct pass *p, const struct bz_walk *w, enum bz_refusal why,
                            const struct bz_finding *f) {
    const struct bz_view table = {NULL, 0}; /* the sentence is the table's, nothing more */
    char path[96];
    bz_span_path(w, path);
    p->blocked = true;
    if (f != NULL)
        (void)bz_tx_no_finding(p->tx, why, f, path, table);
    else
        (void)bz_tx_no_because(p->tx, why, table, bz_view_str(path), NULL);
    return BZ_EDENIED;
}

static enum bz_status pass_one(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    struct pass *p = ctx;
    struct bz_tx_screen *s = p->tx->screen;
    struct bz_findings found = {.ar = p->ar};
    struct screen_edited e;
    enum bz_refusal why;
    if (span->field != NULL &&
        (span->field->kind == BZ_FIELD_DATA || span->field->kind == BZ_FIELD_MEDIA))
        return BZ_OK;
    enum bz_status leak = bz_tx_leaks_text(p->tx, span);
    if (leak != BZ_OK)
        return leak == BZ_EDENIED ? block(p, w, BZ_REFUSE_LEAK, NULL) : leak;
    BZ_TRY(bz_detect_scan(s->detect, span->text, bz_tx_mode_of(span), &s->act->find, &s->act->hold,
                          p->ar, &found));
    if (found.more != 0)
        return BZ_ETOOBIG;
    BZ_TRY(bz_tx_edit(p->tx, span->text, bz_tx_mode_of(span), &found, p->ar, &e));
    enum bz_status links = bz_agent_links(p->tx, span, p->ar, &e);
    if (links != BZ_OK)
        return links == BZ_EDENIED ? block(p, w, BZ_REFUSE_LINK, NULL) : links;
    enum bz_level most = bz_tx_screen_called(p->tx, span, e.text);
    if (most < s->tool)
        s->tool = (uint8_t)most;
    if (bz_tx_screen_above(s, &why))
        return block(p, w, why, found.n > 0 ? &found.v[0] : NULL);
    if (e.worst >= BZ_ACTION_APPROVE)
        return block(p, w, BZ_REFUSE_REPLY_BLOCKED, &e.at);
    if (!e.changed)
        return BZ_OK;
    bz_span_set(span, e.text);
    p->changed = true;
    p->grown += 6 * e.text.n + 2;
    return BZ_OK;
}

static enum bz_status raise_level(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    struct pass *p = ctx;
    struct bz_tx_screen *s = p->tx->screen;
    struct bz_findings found = {.ar = p->ar};
    (void)w;
    BZ_TRY(bz_detect_scan(s->detect, span->text, bz_tx_mode_of(span), &s->act->find, &s->act->hold,
                          p->ar, &found));
    for (size_t i = 0; i < found.n; i++)
        if (found.v[i].level > s->level)
            s->level = found.v[i].level;
    return found.more != 0 ? BZ_ETOOBIG : BZ_OK;
}

/* Where rules ask for a level, the whole reply's level counts, not that of the texts before. */
static enum bz_status find_level(struct pass *p, struct bz_json *root, struct bz_walk w) {
    struct bz_tx_screen *s = p->tx->screen;
    const struct bz_actions *act = s->act;
    bool one_table = act == bz_tx_screen_table(p->tx, BZ_DIRECTION_REPLY, BZ_LEVEL_RESTRICTED);
    w.span = raise_level;
    while (!one_table) {
        BZ_TRY(
            bz_fields_walk(p->tx->route, (enum bz_server)p->tx->server, BZ_WHERE_REPLY, root, &w));
        bz_tx_screen_turn(p->tx, BZ_DIRECTION_REPLY);
        one_table = s->act == act;
        act = s->act;
    }
    return BZ_OK;
}

bool bz_tx_screen_answer(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                         struct bz_now now, bool *ret_changed, size_t *ret_grown) {
    struct pass p = {.tx = tx, .ar = ar};
    struct bz_param_error err = {.status = 502,
                                 .why = "The reply has a member of no known meaning."};
    *ret_changed = false;
    *ret_grown = 0;
    if (tx->screen == NULL)
        return true;
    tx->screen->now_unix = now.unix_ns / 1000000000;
    struct bz_walk w = {
        .unknown = tx->screen->refuse_unknown ? BZ_UNKNOWN_REFUSE : BZ_UNKNOWN_TEXT,
        .span = pass_one,
        .ctx = &p,
        .err = &err,
    };
    bz_tx_screen_turn(tx, BZ_DIRECTION_REPLY);
    if (tx->screen->act == NULL)
        return bz_tx_no(tx, BZ_REFUSE_SCREENING);
    enum bz_status st = find_level(&p, root, w);
    if (st == BZ_OK)
        st = bz_fields_walk(tx->route, (enum bz_server)tx->server, BZ_WHERE_REPLY, root, &w);
    *ret_changed = p.changed;
    *ret_grown = p.grown;
    if (p.blocked)
        return false;
    if (st == BZ_ENOMEM)
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    if (st == BZ_EDENIED) /* names only what the model server wrote: not for the client */
        return bz_tx_no_because(tx, BZ_REFUSE_UPSTREAM_UNKNOWN, (struct bz_view){NULL, 0},
                                (struct bz_view){NULL, 0}, err.why);
    if (st != BZ_OK)
        return bz_tx_no(tx, BZ_REFUSE_UPSTREAM_MALFORMED);
    if (p.changed)
        bz_fields_clear_repeats(tx->route, (enum bz_server)tx->server, BZ_WHERE_REPLY, root, 0);
    return true;
}
