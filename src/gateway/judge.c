/* One text: was it judged before, what is it, what follows. */
#include "judge.h"

#include <bartizan/crypto.h>
#include <bartizan/text.h>

#include "seen.h"

/* What was judged before is known for one user, one channel and one choice of detectors. */
static void name_of(const struct judge_ask *a, struct seen_name *ret) {
    struct bz_settings keys;
    bz_image_settings(a->env->image, &keys);
    uint64_t scope = a->salt != 0 ? a->salt : bz_name_hash(keys.limit_seed, a->owner);
    scope += ((uint64_t)a->channel * 16 + a->rules->detectors) * UINT64_C(0x9e3779b97f4a7c15);
    bz_seen_name(a->env->judged, &keys, scope, a->text, ret);
}

/* ---- judgement ---- */

static unsigned hundredths(float score) {
    return score >= 1.0F ? 100 : score > 0 ? (unsigned)(score * 100.0F + 0.001F) : 0;
}

static void fill(const struct bz_judged *j, struct judge_found *ret) {
    const struct bz_reason *r = &j->reasons[0];
    if (j->reasons_n == 0)
        return;
    ret->family = r->family.n > 0 ? r->family : r->source;
    ret->what = r->what;
    ret->start = r->start;
    ret->end = r->end;
    ret->how = r->how_n > 0 ? r->how[0] : BZ_DECODING_NONE;
}

enum bz_status bz_judge_text(const struct judge_ask *a, struct judge_found *ret) {
    struct seen_name name;
    struct bz_judged j;
    struct bz_arena scratch;
    BZ_TX_SCRATCH uint8_t first[BZ_TX_SCRATCH_MAX];
    uint8_t score = 0;
    *ret = (struct judge_found){.action = BZ_ACTION_ALLOW};
    name_of(a, &name);
    bool again = bz_seen_get(&name, &score);
    if (again && bz_judging_action(a->rules, a->channel, score) == BZ_ACTION_ALLOW)
        return BZ_OK;
    bz_arena_init(&scratch, a->mem, BZ_JUDGE_ARENA_BASE + BZ_JUDGE_ARENA_FACTOR * a->text.n, first,
                  sizeof first);
    enum bz_status st = bz_injection_judge(a->env->injection, a->text, a->channel,
                                           a->rules->detectors, &scratch, &j);
    bz_arena_free(&scratch);
    BZ_TRY(st);
    ret->score = hundredths(j.score);
    if (!again)
        bz_seen_keep(&name, (uint8_t)ret->score);
    ret->action = bz_judging_action(a->rules, a->channel, ret->score);
    if (ret->action != BZ_ACTION_ALLOW)
        fill(&j, ret);
    return BZ_OK;
}

/* ---- a sentence for people ---- */

enum { WORD_MAX = 24 };

static bool is_blank(uint8_t b) {
    return b == ' ' || b == '\n' || b == '\t' || b == '\r';
}

/* Whole code points, at most WORD_MAX bytes. */
static struct bz_view cut(struct bz_view v) {
    size_t n = v.n < WORD_MAX ? v.n : WORD_MAX;
    while (n > 0 && n < v.n && (v.p[n] & 0xc0) == 0x80)
        n--;
    return bz_view_sub(v, 0, n);
}

static void put_quote(struct bz_view v, struct bz_buf *out) {
    while (v.n > 0 && is_blank(v.p[0]))
        v = bz_view_sub(v, 1, v.n);
    while (v.n > 0 && is_blank(v.p[v.n - 1]))
        v.n--;
    size_t a = 0, z = v.n;
    while (a < v.n && !is_blank(v.p[a]))
        a++;
    while (z > a && !is_blank(v.p[z - 1]))
        z--;
    if (v.n == 0)
        return;
    struct bz_view last = z > a ? bz_view_sub(v, z, v.n) : (struct bz_view){NULL, 0};
    bz_buf_puts(out, " (\"");
    bz_put_safe(out, cut(bz_view_sub(v, 0, a)));
    if (last.n > 0 || a > WORD_MAX)
        bz_buf_puts(out, " ... ");
    bz_put_safe(out, cut(last));
    bz_buf_puts(out, "\")");
}

void bz_judge_say(const struct judge_found *f, struct bz_view text, const char *path,
                  struct bz_buf *out) {
    bz_buf_puts(out, " Found: ");
    bz_put_safe(out, f->family.n > 0 ? f->family : BZ_V("classifier"));
    if (f->end > f->start && f->end <= text.n)
        put_quote(bz_view_sub(text, f->start, f->end - f->start), out);
    if (f->how != BZ_DECODING_NONE) {
        bz_buf_puts(out, ", hidden as ");
        bz_buf_puts(out, bz_decoding_name((enum bz_decoding)f->how));
    }
    if (path[0] != '\0') {
        bz_buf_puts(out, ", in ");
        bz_buf_puts(out, path);
    }
    if (f->what.n > 0) {
        bz_buf_puts(out, ": ");
        bz_put_safe(out, f->what);
    }
    if (f->what.n == 0 || f->what.p[f->what.n - 1] != '.')
        bz_buf_puts(out, ".");
}

/* ---- what the record tells ---- */

struct bz_tx_judged *bz_tx_judged_get(struct bz_tx *tx) {
    if (tx->judged != NULL)
        return tx->judged;
    tx->judged = bz_tx_alloc(tx, sizeof *tx->judged);
    if (tx->judged != NULL)
        *tx->judged = (struct bz_tx_judged){.prompt = {NULL, 0}};
    return tx->judged;
}

bool bz_tx_judged_count(struct bz_tx *tx, struct bz_view family, const char *action) {
    struct bz_tx_judged *j = bz_tx_judged_get(tx);
    if (j == NULL)
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    for (size_t i = 0; i < j->counts_n; i++) {
        struct judged_count *c = &j->counts[i];
        if (strcmp(c->action, action) == 0 && bz_view_eq(c->family, family)) {
            c->n += c->n < UINT32_MAX;
            return true;
        }
    }
    if (j->counts_n == JUDGED_COUNTS_MAX)
        j->more_counts = true;
    else
        j->counts[j->counts_n++] = (struct judged_count){family, action, 1};
    return true;
}

const char *bz_tx_judged_alert(const struct bz_tx *tx) {
    const struct bz_tx_judged *j = tx->judged;
    for (size_t i = 0; j != NULL && i < j->counts_n; i++)
        if (strcmp(j->counts[i].action, bz_action_name(BZ_ACTION_BLOCK)) == 0)
            return bz_view_eq(j->counts[i].family, BZ_V("control-token"))
                       ? "a control token of a chat template was blocked in a request"
                       : "instructions to the model were blocked in a request";
    return NULL;
}
