/* The request's texts: everything is found first, because what is found decides the level, and the
 * level may decide the actions; then one answer for the whole request; then the tree is rewritten. */
#include <bartizan/crypto.h>

#include "leaks.h"
#include "screen.h"
#include "seen.h"

struct seen { /* a text with findings */
    struct seen *next;
    struct bz_span span;
    struct bz_findings found;
    char path[96];
};
struct offered {       /* the tool of lowest clearance; the first of these */
    uint8_t clearance; /* enum bz_level */
    struct bz_view name;
    char path[96];
};
struct look {
    struct bz_tx *tx;
    struct bz_arena *ar;
    struct seen *first, **last;
    bool overflow;
    struct offered tool;
    struct bz_settings keys;
    uint64_t scope; /* of texts that were clean before */
};

static void note_tool(struct look *l, const struct bz_walk *w, const struct bz_span *span) {
    if (span->field == NULL || !span->field->tool_name || span->speaker != BZ_SPEAKER_SCHEMA)
        return;
    enum bz_level most = bz_image_clearance_tool(l->tx->image, span->text);
    if (most >= l->tool.clearance)
        return;
    l->tool.clearance = (uint8_t)most;
    l->tool.name = span->text;
    bz_span_path(w, l->tool.path);
}

/* Texts in which nothing was found are known for one user and one choice of types; the patterns are
 * those of the table. */
static uint64_t scope_of(const struct look *l, const struct bz_actions *act) {
    const uint8_t *seed = l->keys.limit_seed;
    uint64_t find = bz_name_hash(seed, bz_view(&act->find, sizeof act->find));
    uint64_t hold = bz_name_hash(seed, bz_view(&act->hold, sizeof act->hold));
    return bz_name_hash(seed, l->tx->who.owner) + find * 3 + hold * 5;
}

/* OK with found.n 0 and nothing more: clean. */
static enum bz_status search(struct look *l, const struct bz_span *span, struct bz_findings *ret) {
    const struct bz_actions *act = l->tx->screen->act;
    enum bz_text_mode mode = bz_tx_mode_of(span);
    struct seen_name name;
    uint8_t clean;
    bz_seen_name(l->tx->env->clean, &l->keys, l->scope + (uint64_t)mode, span->text, &name);
    if (bz_seen_get(&name, &clean))
        return BZ_OK;
    BZ_TRY(bz_detect_scan(l->tx->screen->detect, span->text, mode, &act->find, &act->hold, l->ar,
                          ret));
    if (ret->n == 0 && ret->more == 0)
        bz_seen_keep(&name, 1);
    return BZ_OK;
}

static enum bz_status look_at(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    struct look *l = ctx;
    struct bz_tx_screen *s = l->tx->screen;
    struct bz_findings found = {.ar = l->ar};
    if (span->field != NULL &&
        (span->field->kind == BZ_FIELD_DATA || span->field->kind == BZ_FIELD_MEDIA))
        return BZ_OK;
    note_tool(l, w, span);
    BZ_TRY(bz_tx_leaks_known(l->tx, span->text));
    BZ_TRY(search(l, span, &found));
    l->overflow |= found.more != 0;
    if (found.n == 0)
        return BZ_OK;
    struct seen *seen = bz_arena_alloc(l->ar, sizeof *seen);
    if (seen == NULL)
        return BZ_ENOMEM;
    seen->next = NULL;
    seen->span = *span;
    seen->found = found;
    bz_span_path(w, seen->path);
    *l->last = seen;
    l->last = &seen->next;
    for (size_t i = 0; i < found.n; i++)
        if (found.v[i].level > s->level)
            s->level = found.v[i].level;
    return BZ_OK;
}

static bool find_all(struct bz_tx *tx, struct bz_json *root, struct look *l) {
    struct bz_param_error err = {.status = 400};
    struct bz_walk w = {
        .unknown = BZ_UNKNOWN_TEXT, /* the parameter tables have refused what they do not know */
        .span = look_at,
        .ctx = l,
        .err = &err,
    };
    enum bz_status st =
        bz_fields_walk(tx->route, (enum bz_server)tx->server, BZ_WHERE_REQUEST, root, &w);
    if (st == BZ_ENOMEM)
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    if (st != BZ_OK)
        return bz_tx_no(tx, BZ_REFUSE_INTERNAL);
    return !l->overflow || bz_tx_no(tx, BZ_REFUSE_DATA_TOO_MANY);
}

/* What is found decides the level, the level decides what is looked for: again, until both agree.
 * The level only rises, and without rules for a level there is one table for all. */
static bool find_at_level(struct bz_tx *tx, struct bz_json *root, struct look *l) {
    const struct bz_actions *act;
    bz_image_settings(tx->image, &l->keys);
    do {
        act = tx->screen->act;
        l->scope = tx->env->clean != NULL ? scope_of(l, act) : 0;
        l->first = NULL;
        l->last = &l->first;
        l->tool = (struct offered){.clearance = BZ_LEVEL_RESTRICTED};
        if (!find_all(tx, root, l))
            return false;
        bz_tx_screen_turn(tx, BZ_DIRECTION_REQUEST);
    } while (tx->screen->act != act);
    return true;
}

/* Names come from the client: only a plain one is repeated. */
static bool is_plain(struct bz_view name) {
    for (size_t i = 0; i < name.n; i++) {
        uint8_t b = name.p[i];
        bool good = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
                    memchr("_-.:/", b, 5) != NULL;
        if (!good)
            return false;
    }
    return name.n <= 128;
}

static bool no_tool(struct bz_tx *tx, const struct offered *tool) {
    char mem[640];
    struct bz_buf b;
    struct bz_error e;
    bz_tx_error_of(tx, BZ_REFUSE_LABEL_TOOL, &e);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put(&b, e.message);
    bz_buf_puts(&b, " The tool ");
    if (is_plain(tool->name))
        bz_buf_put(&b, tool->name);
    bz_buf_printf(&b,
                  " is cleared for %s, the request is %s. Take the tool out of the request, or ",
                  bz_level_name((enum bz_level)tool->clearance),
                  bz_level_name((enum bz_level)tx->screen->level));
    bz_buf_puts(&b, "send the request without what raises its level (its texts, or another "
                    "x-bartizan-label).");
    struct bz_view text = bz_buf_status(&b) == BZ_OK ? bz_buf_view(&b) : e.message;
    struct bz_view path = bz_view_str(tool->path);
    const uint8_t *end = memchr(path.p, ']', path.n);
    if (end != NULL) /* the tool itself, not its name */
        path.n = (size_t)(end - path.p) + 1;
    return bz_tx_no_because(tx, BZ_REFUSE_LABEL_TOOL, text, path, (const char *)e.message.p);
}

static bool cleared(struct bz_tx *tx, const struct offered *tool) {
    struct bz_tx_screen *s = tx->screen;
    uint8_t model = tx->has_model ? (uint8_t)bz_image_clearance_model(tx->image, tx->model)
                                  : (uint8_t)BZ_LEVEL_RESTRICTED;
    if (s->level > s->clearance)
        return bz_tx_no(tx, BZ_REFUSE_LABEL_ROLE);
    if (s->level > model)
        return bz_tx_no(tx, BZ_REFUSE_LABEL_MODEL);
    return s->level <= tool->clearance || no_tool(tx, tool);
}

bool bz_tx_no_finding(struct bz_tx *tx, enum bz_refusal r, const struct bz_finding *f,
                      const char *path, struct bz_view more) {
    char mem[512];
    struct bz_buf b;
    struct bz_error e;
    const struct bz_type *type = bz_detect_type(tx->screen->detect, f->type);
    bz_tx_error_of(tx, r, &e);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put(&b, e.message);
    bz_buf_puts(&b, " Found: ");
    bz_buf_puts(&b, type != NULL ? type->name : "data");
    if (path[0] != '\0') {
        bz_buf_puts(&b, " in ");
        bz_buf_puts(&b, path);
    }
    bz_buf_put(&b, more);
    bz_buf_puts(&b, ".");
    struct bz_view text = bz_buf_status(&b) == BZ_OK ? bz_buf_view(&b) : e.message;
    return bz_tx_no_because(tx, r, text, bz_view_str(path), NULL);
}

/* Names this very body of this owner: what an administrator approves. */
static void approval_id(const struct bz_tx *tx, uint8_t id[BZ_APPROVAL_LEN]) {
    struct bz_settings set;
    uint8_t key[BZ_KEY_LEN], hash[BZ_HASH_LEN];
    bz_image_settings(tx->image, &set);
    bz_keyed_hash(set.digest_key, tx->who.owner, key);
    bz_keyed_hash(key, tx->raw_body, hash);
    memcpy(id, hash, BZ_APPROVAL_LEN);
    bz_wipe(key, sizeof key);
}

static bool approved(struct bz_tx *tx, const struct screen_edited *e, const char *path) {
    uint8_t id[BZ_APPROVAL_LEN];
    char mem[BZ_APPROVAL_LEN * 2 + 32];
    struct bz_buf b;
    approval_id(tx, id);
    if (bz_image_approved(tx->image, id, tx->screen->now_unix))
        return true;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, ", to be approved as ");
    bz_buf_put_hex(&b, bz_view(id, sizeof id));
    return bz_tx_no_finding(tx, BZ_REFUSE_DATA_APPROVAL, &e->at, path, bz_buf_view(&b));
}

static bool refused(struct bz_tx *tx, const struct screen_edited *e, const char *path) {
    const struct bz_view none = {NULL, 0};
    switch (e->worst) {
    case BZ_ACTION_BLOCK:
        return !bz_tx_no_finding(tx, BZ_REFUSE_DATA_BLOCKED, &e->at, path, none);
    case BZ_ACTION_APPROVE:
        return !approved(tx, e, path);
    case BZ_ACTION_COACH:
        return !tx->justified && !bz_tx_no_finding(tx, BZ_REFUSE_DATA_COACH, &e->at, path, none);
    case BZ_ACTION_ALLOW:
    case BZ_ACTION_RECORD:
    case BZ_ACTION_MASK:
    case BZ_ACTION_RESTORE:
    case BZ_ACTION_COUNT:
        break;
    }
    return false;
}

static bool rewrite(struct bz_tx *tx, const struct seen *seen, struct bz_arena *ar,
                    size_t *ret_grown) {
    struct screen_edited e;
    enum bz_status st =
        bz_tx_edit(tx, seen->span.text, bz_tx_mode_of(&seen->span), &seen->found, ar, &e);
    if (st != BZ_OK)
        return bz_tx_no(tx, st == BZ_ENOMEM ? BZ_REFUSE_NO_MEMORY : BZ_REFUSE_INTERNAL);
    if (refused(tx, &e, seen->path))
        return false;
    if (!e.changed)
        return true;
    bz_span_set(&seen->span, e.text);
    /* the text may have been written in short escapes: six bytes for one at most */
    *ret_grown += 6 * e.text.n + 2;
    return true;
}

bool bz_tx_screen_request(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                          struct bz_now now, size_t *ret_grown) {
    struct look l = {.tx = tx, .ar = ar};
    *ret_grown = 0;
    if (!bz_tx_screen_begin(tx, now))
        return false;
    if (tx->screen == NULL)
        return true;
    if (!find_at_level(tx, root, &l) || !cleared(tx, &l.tool))
        return false;
    tx->screen->offered = l.tool.clearance;
    for (const struct seen *seen = l.first; seen != NULL; seen = seen->next)
        if (!rewrite(tx, seen, ar, ret_grown))
            return false;
    return true;
}
