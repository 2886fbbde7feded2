/* Everything that leaves is watched for what must not: each channel of a stream, each text of a whole
 * reply, names and arguments of tools. One leak ends the reply (or, where policy only records, is
 * counted), and the record of the transaction tells it. */
#include "judge.h"
#include "leaks.h"

#include "guard.h"

struct bz_tx_leaks { /* of one transaction, made when there is something to watch for */
    struct bz_leaks blob;
    struct bz_leak_reply *reply;
    bool record, opened;
    bool seen; /* one was found; where policy records, no second one is looked for */
    struct bz_leak_hit hit;
    char alert[256];
};
struct leak_watcher {
    struct guard_watcher w;
    struct bz_leak_watch *watch;
};

void bz_tx_canary(const struct bz_tx *tx, char out[BZ_CANARY_TEXT + 1]) {
    static const char label[] = "canary of a conversation";
    struct bz_settings s;
    uint8_t key[BZ_KEY_LEN];
    bz_image_settings(tx->image, &s);
    bz_keyed_hash(s.digest_key, bz_view(label, sizeof label), key);
    bz_canary_make(key, tx->who.owner, tx->conversation.n > 0 ? tx->conversation : tx->who.key_id,
                   out);
    bz_wipe(key, sizeof key);
}

bool bz_tx_leaks_configured(const struct bz_tx *tx) {
    return bz_image_blob(tx->image, BZ_BLOB_LEAK).n != 0 ||
           bz_prompts_canaries(bz_image_blob(tx->image, BZ_BLOB_PROMPTS));
}

/* *ret: NULL: nothing to watch for. */
static enum bz_status leaks_of(struct bz_tx *tx, struct bz_tx_leaks **ret) {
    struct bz_view blob = bz_image_blob(tx->image, BZ_BLOB_LEAK);
    *ret = tx->leaks;
    if (tx->leaks != NULL || (blob.n == 0 && !tx->canary))
        return BZ_OK;
    struct bz_tx_leaks *l = bz_tx_alloc(tx, sizeof *l);
    if (l == NULL)
        return BZ_ENOMEM;
    *l = (struct bz_tx_leaks){.opened = false};
    tx->leaks = l;
    *ret = l;
    BZ_TRY(bz_leaks_open(blob, &l->blob));
    l->record = bz_leaks_record(&l->blob);
    return BZ_OK;
}

/* What the reply's channels share. Its canary is known once the request was written. */
static enum bz_status open_reply(struct bz_tx *tx, struct bz_tx_leaks *l) {
    char canary[BZ_CANARY_TEXT + 1];
    if (l->opened)
        return BZ_OK;
    if (l->reply == NULL)
        BZ_TRY(bz_leak_reply_new(&l->blob, (struct bz_view){NULL, 0}, tx->a, &l->reply));
    l->opened = true;
    if (!tx->canary)
        return BZ_OK;
    bz_tx_canary(tx, canary);
    enum bz_status st =
        bz_leak_reply_canary(l->reply, bz_view(canary, BZ_CANARY_TEXT), tx->env->canaries);
    bz_wipe(canary, sizeof canary);
    return st;
}

enum bz_status bz_tx_leaks_known(struct bz_tx *tx, struct bz_view text) {
    struct bz_tx_leaks *l = NULL;
    BZ_TRY(leaks_of(tx, &l));
    if (l == NULL || !bz_leaks_prompts(&l->blob))
        return BZ_OK;
    if (l->reply == NULL)
        BZ_TRY(bz_leak_reply_new(&l->blob, (struct bz_view){NULL, 0}, tx->a, &l->reply));
    return bz_leak_known(l->reply, text);
}

static const char *const details[BZ_LEAK_COUNT] = {
    [BZ_LEAK_CANARY] = "The reply held the canary of its conversation.",
    [BZ_LEAK_SECRET] = "The reply held a secret of the configuration.",
    [BZ_LEAK_PROMPT] = "The reply held text of a system prompt.",
};

static void write_alert(const struct bz_tx *tx, struct bz_tx_leaks *l) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, l->alert, sizeof l->alert - 1);
    bz_buf_puts(&b, "leak of a ");
    bz_buf_puts(&b, bz_leak_kind_name(l->hit.kind));
    if (l->hit.kind != BZ_LEAK_CANARY) {
        bz_buf_putc(&b, ' ');
        bz_buf_put(&b, l->hit.name);
    }
    bz_buf_printf(&b, l->record ? " recorded (%s; %s), key " : " stopped (%s; %s), key ",
                  l->hit.form, l->hit.row);
    bz_buf_put(&b, tx->who.key_id);
    bz_buf_puts(&b, ", request ");
    bz_buf_put(&b, bz_tx_id(tx));
    l->alert[b.n] = '\0';
}

/* EDENIED, or OK where policy only records. */
static enum bz_status found(struct bz_tx *tx, struct bz_tx_leaks *l,
                            const struct bz_leak_hit *hit) {
    l->seen = true;
    l->hit = *hit;
    write_alert(tx, l);
    if (l->record)
        return BZ_OK;
    tx->cut_why = BZ_REFUSE_LEAK;
    tx->stream.why = details[hit->kind];
    return BZ_EDENIED;
}

enum bz_status bz_tx_leaks_text(struct bz_tx *tx, const struct bz_span *span) {
    struct bz_tx_leaks *l = NULL;
    struct bz_leak_hit hit;
    BZ_TRY(leaks_of(tx, &l));
    if (l == NULL || (l->record && l->seen))
        return BZ_OK;
    BZ_TRY(open_reply(tx, l));
    enum bz_status st =
        bz_leak_scan(l->reply, span->text, bz_tx_mode_of(span) == BZ_TEXT_JSON, &hit);
    return st == BZ_EDENIED ? found(tx, l, &hit) : st;
}

/* ---- channels of a stream ---- */

static enum bz_status leaks_open(struct bz_tx *tx, const struct bz_span *span,
                                 struct guard_watcher **ret) {
    struct bz_tx_leaks *l = NULL;
    *ret = NULL;
    BZ_TRY(leaks_of(tx, &l));
    if (l == NULL || (l->record && l->seen))
        return BZ_OK;
    BZ_TRY(open_reply(tx, l));
    struct leak_watcher *w = bz_tx_alloc(tx, sizeof *w);
    if (w == NULL)
        return BZ_ENOMEM;
    *w = (struct leak_watcher){.w = {.kind = &bz_guard_leaks}};
    enum bz_status st = bz_leak_watch_new(l->reply, bz_tx_mode_of(span) == BZ_TEXT_JSON, &w->watch);
    if (st != BZ_OK) {
        bz_tx_mem_free(tx, w);
        return st;
    }
    *ret = &w->w;
    return BZ_OK;
}

static enum bz_status leaks_feed(struct bz_tx *tx, struct guard_watcher *gw, struct bz_view text,
                                 enum guard_when when, struct bz_arena *ar) {
    static const enum bz_leak_when whens[] = {
        [GUARD_PIECE] = BZ_LEAK_MORE, [GUARD_PAUSE] = BZ_LEAK_PAUSE, [GUARD_LAST] = BZ_LEAK_LAST};
    struct leak_watcher *w = (struct leak_watcher *)(void *)gw;
    struct bz_tx_leaks *l = tx->leaks;
    struct bz_leak_hit hit;
    (void)ar;
    if (l->record && l->seen) {
        gw->settled = UINT64_MAX;
        return BZ_OK;
    }
    enum bz_status st = bz_leak_watch_feed(w->watch, text, whens[when], &gw->settled, &hit);
    if (l->record)
        gw->settled = UINT64_MAX; /* nothing waits for what is only counted */
    return st == BZ_EDENIED ? found(tx, l, &hit) : st;
}

static enum bz_status leaks_whole(struct bz_tx *tx, const struct bz_span *span,
                                  struct bz_arena *ar) {
    (void)ar;
    return bz_tx_leaks_text(tx, span);
}

static void leaks_close(struct bz_tx *tx, struct guard_watcher *gw) {
    struct leak_watcher *w = (struct leak_watcher *)(void *)gw;
    bz_leak_watch_free(w->watch);
    bz_tx_mem_free(tx, w);
}

const struct guard_kind bz_guard_leaks = {
    .open = leaks_open, .feed = leaks_feed, .whole = leaks_whole, .free = leaks_close};

/* ---- what is told ---- */

void bz_tx_leaks_findings(const struct bz_tx *tx, struct bz_buf *out) {
    const struct bz_tx_leaks *l = tx->leaks;
    size_t before = out->n;
    if (l == NULL || !l->seen)
        return;
    bz_buf_puts(out, before > 0 ? " reply:" : "reply:");
    bz_buf_puts(out, bz_leak_kind_name(l->hit.kind));
    if (l->hit.kind != BZ_LEAK_CANARY) {
        bz_buf_putc(out, '.');
        bz_buf_put(out, l->hit.name);
    }
    bz_buf_puts(out, l->record ? ":record:1" : ":block:1");
    if (bz_buf_status(out) != BZ_OK)
        out->n = before; /* whole words only */
}

const char *bz_tx_alert(const struct bz_tx *tx) {
    return tx->leaks != NULL && tx->leaks->seen ? tx->leaks->alert : bz_tx_judged_alert(tx);
}

/* After the guard, whose watches are the reply's. */
void bz_tx_leaks_free(struct bz_tx *tx) {
    if (tx->leaks == NULL)
        return;
    bz_leak_reply_free(tx->leaks->reply);
    bz_tx_mem_free(tx, tx->leaks);
    tx->leaks = NULL;
}
