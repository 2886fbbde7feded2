/* One finding: which action, and what takes its place. */
#include "screen.h"
#include "leaks.h"

#include <bartizan/text.h>

/* Nothing is looked for in either direction, and nothing is classified that a clearance could be too
 * low for: without findings the level stays. */
static bool idle(const struct bz_tx *tx) {
    if (bz_tx_leaks_configured(tx))
        return false;
    for (int d = 0; d < BZ_DIRECTION_COUNT; d++) {
        const struct bz_actions *act =
            bz_tx_screen_table(tx, (enum bz_direction)d, BZ_LEVEL_PUBLIC);
        if (act == NULL || !bz_type_set_empty(&act->find))
            return false;
    }
    return tx->label == BZ_LEVEL_PUBLIC;
}

bool bz_tx_screen_begin(struct bz_tx *tx, struct bz_now now) {
    struct bz_data_settings set;
    struct bz_tx_screen *s;
    bz_image_data(tx->image, &set);
    if (tx->agent == NULL && (set.detect_pack.n == 0 || idle(tx)))
        return true; /* nothing is screened */
    if (tx->env->detect == NULL)
        return bz_tx_no(tx, BZ_REFUSE_SCREENING);
    s = bz_tx_alloc(tx, sizeof *s);
    if (s == NULL)
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    *s = (struct bz_tx_screen){
        .detect = tx->env->detect,
        .vault = tx->env->vault,
        .refuse_unknown = set.refuse_unknown,
        .level = tx->label,
        .clearance = (uint8_t)bz_image_clearance_role(tx->image, &tx->who),
        .offered = BZ_LEVEL_RESTRICTED,
        .tool = BZ_LEVEL_RESTRICTED,
        .restore_s = set.restore_s,
        .hold_ms = set.hold_ms,
        .vault_key = set.vault_key,
        .now_unix = now.unix_ns / 1000000000,
    };
    tx->screen = s;
    bz_tx_screen_turn(tx, BZ_DIRECTION_REQUEST);
    return s->act != NULL || bz_tx_no(tx, BZ_REFUSE_SCREENING);
}

const struct bz_actions *bz_tx_screen_table(const struct bz_tx *tx, enum bz_direction d,
                                            enum bz_level level) {
    return bz_image_actions(tx->image, &tx->who, tx->has_model ? tx->model : UINT32_MAX, d, level);
}

void bz_tx_screen_turn(struct bz_tx *tx, enum bz_direction d) {
    struct bz_tx_screen *s = tx->screen;
    s->direction = (uint8_t)d;
    s->act = bz_tx_screen_table(tx, d, (enum bz_level)s->level);
}

void bz_tx_screen_free(struct bz_tx *tx) {
    if (tx->screen == NULL)
        return;
    bz_tx_guard_free(tx);
    bz_wipe(&tx->screen->scope, sizeof tx->screen->scope);
    bz_tx_mem_free(tx, tx->screen);
    tx->screen = NULL;
}

void bz_tx_screen_count(struct bz_tx *tx, uint16_t type, enum bz_action a) {
    struct bz_tx_screen *s = tx->screen;
    if (a == BZ_ACTION_ALLOW)
        return;
    for (size_t i = 0; i < s->counts_n; i++) {
        struct screen_count *c = &s->counts[i];
        if (c->type == type && c->direction == s->direction && c->action == (uint8_t)a) {
            c->n += c->n < UINT32_MAX;
            return;
        }
    }
    if (s->counts_n == SCREEN_COUNTS_MAX) {
        s->more_counts = true;
        return;
    }
    s->counts[s->counts_n++] = (struct screen_count){
        .type = type, .direction = s->direction, .action = (uint8_t)a, .n = 1};
}

enum bz_level bz_tx_screen_called(const struct bz_tx *tx, const struct bz_span *span,
                                  struct bz_view text) {
    if (span->field == NULL || !span->field->tool_name || span->speaker != BZ_SPEAKER_ASSISTANT)
        return BZ_LEVEL_RESTRICTED;
    return bz_image_clearance_tool(tx->image, text);
}

bool bz_tx_screen_above(const struct bz_tx_screen *s, enum bz_refusal *ret_why) {
    *ret_why = s->level > s->clearance ? BZ_REFUSE_REPLY_LABEL : BZ_REFUSE_REPLY_TOOL;
    return s->level > s->clearance || s->level > s->tool;
}

enum bz_text_mode bz_tx_mode_of(const struct bz_span *s) {
    return s->field != NULL && s->field->kind == BZ_FIELD_JSON_TEXT ? BZ_TEXT_JSON : BZ_TEXT_PLAIN;
}

static const struct bz_vault_scope *scope(struct bz_tx *tx) {
    struct bz_tx_screen *s = tx->screen;
    if (!s->scope_known)
        bz_vault_scope(s->vault_key, tx->who.owner, tx->who.key_id, tx->conversation, &s->scope);
    s->scope_known = true;
    return &s->scope;
}

/* Text that goes into JSON text (tool arguments): escaped inside a string there, quoted where a
 * bare number stood. Inner text of a literal only: its quotes are there already. */
static enum bz_status fit(struct bz_view text, enum bz_text_mode mode, bool quoted, bool bare_ok,
                          struct bz_arena *ar, struct bz_view *ret) {
    *ret = text;
    if (mode != BZ_TEXT_JSON || (!quoted && bare_ok))
        return BZ_OK;
    size_t cap = 6 * text.n + 2;
    uint8_t *p = bz_arena_alloc(ar, cap);
    struct bz_buf b;
    if (p == NULL)
        return BZ_ENOMEM;
    bz_buf_init_fixed(&b, p, cap);
    bz_json_write_str(&b, text);
    BZ_TRY(bz_buf_status(&b));
    *ret = quoted ? bz_view(p + 1, b.n - 2) : bz_buf_view(&b);
    return BZ_OK;
}

static bool is_number(struct bz_view v) {
    if (v.n == 0 || v.p[0] == '0')
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
    return true;
}

/* A placeholder or surrogate of this scope in a reply: the value goes back to whom it belongs. */
static enum bz_status restored(struct bz_tx *tx, const struct bz_finding *f, struct bz_view text,
                               enum bz_text_mode mode, struct bz_arena *ar,
                               struct screen_verdict *ret) {
    uint8_t mem[BZ_VAULT_VALUE_MAX];
    struct bz_tx_screen *s = tx->screen;
    struct bz_buf b;
    if (s->vault == NULL)
        return BZ_ENOTFOUND;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    BZ_TRY(bz_vault_get(s->vault, scope(tx), text, s->now_unix, &b));
    struct bz_view value = bz_arena_dup(ar, bz_buf_view(&b));
    bz_wipe(mem, sizeof mem);
    if (value.p == NULL)
        return BZ_ENOMEM;
    ret->action = BZ_ACTION_RESTORE;
    ret->replaces = true;
    return fit(value, mode, f->quoted != 0, is_number(value), ar, &ret->text);
}

/* Would a reply's screening find it, wherever it stands by itself? Otherwise it would never become the
 * value again. */
static bool would_be_found(struct bz_tx *tx, uint16_t type, struct bz_view text,
                           struct bz_arena *ar) {
    struct bz_tx_screen *s = tx->screen;
    struct bz_findings found = {.ar = ar};
    return bz_detect_scan(s->detect, text, BZ_TEXT_PLAIN, &s->act->find, &s->act->hold, ar,
                          &found) == BZ_OK &&
           found.n == 1 && found.v[0].type == type && found.v[0].start == 0 &&
           found.v[0].end == text.n;
}

/* A stand-in of the value's own form that is found again and that no other value has; false: there
 * is none. */
static bool in_form(struct bz_tx *tx, uint16_t type, struct bz_view value, bool keep,
                    struct bz_arena *ar, struct bz_buf *b) {
    struct bz_tx_screen *s = tx->screen;
    uint64_t expires = s->now_unix + s->restore_s;
    for (unsigned i = 0; i < BZ_SURROGATE_ATTEMPTS; i++) {
        bz_buf_reset(b);
        if (!bz_surrogate(scope(tx), value, i, b) || bz_buf_status(b) != BZ_OK)
            break;
        if (bz_view_eq(bz_buf_view(b), value) || !would_be_found(tx, type, bz_buf_view(b), ar))
            continue;
        if (!keep ||
            bz_vault_put(s->vault, scope(tx), bz_buf_view(b), value, expires, s->now_unix) == BZ_OK)
            return true;
    }
    bz_buf_reset(b);
    return false;
}

/* What stands for the value from now on. Two values with one placeholder (1 in 2^40), and values
 * too long for the vault, are masked without restore. */
static enum bz_status stand_in(struct bz_tx *tx, const struct bz_finding *f, struct bz_view value,
                               bool keep, struct bz_arena *ar, struct bz_view *ret) {
    struct bz_tx_screen *s = tx->screen;
    const struct bz_type *type = bz_detect_type(s->detect, f->type);
    size_t cap = value.n > BZ_PLACEHOLDER_MAX ? value.n : BZ_PLACEHOLDER_MAX;
    uint8_t *p = bz_arena_alloc(ar, cap);
    struct bz_buf b;
    if (p == NULL)
        return BZ_ENOMEM;
    bz_buf_init_fixed(&b, p, cap);
    keep = keep && s->vault != NULL && s->restore_s != 0;
    if (!bz_type_set_has(&s->act->form, f->type) || !in_form(tx, f->type, value, keep, ar, &b)) {
        bz_placeholder(scope(tx), bz_view_str(type != NULL ? type->name : "DATA"), value, &b);
        if (keep && bz_vault_put(s->vault, scope(tx), bz_buf_view(&b), value,
                                 s->now_unix + s->restore_s, s->now_unix) == BZ_EINTERNAL)
            return BZ_EINTERNAL;
    }
    *ret = bz_buf_view(&b);
    return bz_buf_status(&b);
}

/* The value as it was meant: what a client is given back is escaped anew for where it stands. */
static enum bz_status plain_of(struct bz_view value, enum bz_text_mode mode, struct bz_arena *ar,
                               struct bz_view *ret) {
    struct bz_json *n = NULL;
    *ret = value;
    if (mode != BZ_TEXT_JSON || memchr(value.p, '\\', value.n) == NULL)
        return BZ_OK;
    uint8_t *p = bz_arena_alloc(ar, value.n + 2);
    if (p == NULL)
        return BZ_ENOMEM;
    p[0] = '"';
    memcpy(p + 1, value.p, value.n);
    p[value.n + 1] = '"';
    enum bz_status st = bz_json_parse(bz_view(p, value.n + 2), NULL, ar, &n, NULL);
    if (st == BZ_ENOMEM)
        return st;
    if (st == BZ_OK)
        *ret = bz_json_str(n);
    return BZ_OK;
}

enum bz_status bz_tx_screen_one(struct bz_tx *tx, const struct bz_finding *f, struct bz_view value,
                                enum bz_text_mode mode, struct bz_arena *ar,
                                struct screen_verdict *ret) {
    struct bz_tx_screen *s = tx->screen;
    bool reply = s->direction == BZ_DIRECTION_REPLY;
    *ret = (struct screen_verdict){.action = bz_actions_get(s->act, f->type, f->proof)};
    if (reply && (f->cls == BZ_CLASS_PLACEHOLDER || bz_type_set_has(&s->act->form, f->type))) {
        enum bz_status st = restored(tx, f, value, mode, ar, ret);
        if (st != BZ_ENOTFOUND)
            return st;
    }
    if (f->cls == BZ_CLASS_PLACEHOLDER) {
        ret->action = BZ_ACTION_ALLOW; /* of nobody, or of somebody else: it stays what it is */
        return BZ_OK;
    }
    if (f->level > s->level)
        s->level = f->level;
    if (ret->action != BZ_ACTION_MASK && ret->action != BZ_ACTION_RESTORE)
        return BZ_OK;
    struct bz_view plain, made;
    BZ_TRY(plain_of(value, mode, ar, &plain));
    BZ_TRY(stand_in(tx, f, plain, !reply && ret->action == BZ_ACTION_RESTORE, ar, &made));
    ret->replaces = true;
    return fit(made, mode, f->quoted != 0, is_number(made), ar, &ret->text);
}
