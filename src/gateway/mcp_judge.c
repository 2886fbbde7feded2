/* Results of tools, resources, prompts, descriptions: texts of whoever runs the server, or of whoever
 * wrote the page that it read. Judged as results of tools are; control tokens of chat templates have no
 * business in them. */
#include "judge.h"
#include "mcp.h"

enum { OWN_TOKENS_MAX = 64 };

struct judging {
    struct bz_tx *tx;
    struct bz_arena *ar;
    struct bz_judging rules;
    bool judges;
    enum bz_token_action tokens;
    enum bz_refusal why;
};

static enum bz_status no(struct judging *j, const struct bz_walk *w, enum bz_refusal why,
                         const struct judge_found *f, struct bz_view text) {
    struct bz_tx_mcp *m = j->tx->mcp;
    char path[96];
    struct bz_buf b;
    struct bz_error e;
    bz_span_path(w, path);
    bz_tx_error_of(j->tx, why, &e);
    bz_buf_init_fixed(&b, m->said, sizeof m->said);
    bz_buf_put(&b, e.message);
    bz_buf_putc(&b, ' ');
    bz_judge_say(f, text, path, &b);
    m->said_n = bz_buf_status(&b) == BZ_OK ? b.n : 0;
    j->why = why;
    return bz_tx_judged_count(j->tx, f->family, bz_action_name(BZ_ACTION_BLOCK)) ? BZ_EDENIED
                                                                                 : BZ_ENOMEM;
}

/* Made literal where policy says so, or where the token is a word elsewhere (<s> in HTML). */
static enum bz_status tokens(struct judging *j, const struct bz_walk *w,
                             const struct bz_span *span) {
    struct bz_token_hit hit;
    struct bz_view text = span->text;
    bool any = false;
    for (size_t from = 0; bz_token_find(text, from, NULL, 0, &hit); from = hit.end) {
        any = true;
        if (hit.ordinary || j->tokens == BZ_TOKENS_LITERAL)
            continue;
        const struct judge_found f = {.family = hit.family,
                                      .what =
                                          BZ_V("chat templates write it to begin or end a turn"),
                                      .start = (uint32_t)hit.start,
                                      .end = (uint32_t)hit.end};
        return no(j, w, BZ_REFUSE_CONTROL_TOKEN, &f, text);
    }
    if (!any)
        return BZ_OK;
    BZ_TRY(bz_tokens_literal(text, NULL, 0, j->ar, &text));
    bz_span_set(span, text);
    j->tx->mcp->grown += 6 * text.n + 2;
    return BZ_OK;
}

static enum bz_status judge(struct judging *j, const struct bz_walk *w,
                            const struct bz_span *span) {
    const struct judge_ask ask = {.env = j->tx->env,
                                  .rules = &j->rules,
                                  .owner = j->tx->who.owner,
                                  .text = span->text,
                                  .channel = BZ_CHANNEL_TOOL,
                                  .mem = j->tx->a};
    struct judge_found f;
    if (!j->judges || span->is_number)
        return BZ_OK;
    BZ_TRY(bz_judge_text(&ask, &f));
    if (f.action == BZ_ACTION_ALLOW)
        return BZ_OK;
    if (f.action != BZ_ACTION_RECORD) /* nobody is there who could be coached */
        return no(j, w, BZ_REFUSE_MCP_INJECTION, &f, span->text);
    j->tx->taint |= BZ_TAINT_INJECTED;
    return bz_tx_judged_count(j->tx, f.family, bz_action_name(BZ_ACTION_RECORD)) ? BZ_OK
                                                                                 : BZ_ENOMEM;
}

static enum bz_status one(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    struct judging *j = ctx;
    if (span->field != NULL &&
        (span->field->kind == BZ_FIELD_DATA || span->field->kind == BZ_FIELD_MEDIA))
        return BZ_OK;
    if (!span->is_key && !span->is_number)
        BZ_TRY(tokens(j, w, span)); /* named as what they are, before the rules find them */
    return judge(j, w, span);
}

enum bz_status bz_tx_mcp_judge(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                               enum bz_refusal *ret) {
    struct judging j = {.tx = tx, .ar = ar, .tokens = BZ_TOKENS_BLOCK};
    struct bz_walk w = {.unknown = BZ_UNKNOWN_TEXT, .span = one, .ctx = &j};
    struct bz_view judging = bz_image_blob(tx->image, BZ_BLOB_JUDGING);
    struct bz_view prompts = bz_image_blob(tx->image, BZ_BLOB_PROMPTS), none = {NULL, 0};
    struct bz_prompts p;
    struct bz_prompt_rule rule;
    if (judging.n == 0 && prompts.n == 0)
        return BZ_OK; /* policy looks at no texts */
    *ret = BZ_REFUSE_SCREENING;
    enum bz_status st = bz_judging_find(judging, tx->who.role, none, &j.rules);
    j.judges = st == BZ_OK && j.rules.mode != BZ_INJECTION_OFF;
    if ((st != BZ_OK && st != BZ_ENOTFOUND) || (j.judges && tx->env->injection == NULL) ||
        bz_prompts_open(prompts, &p) != BZ_OK)
        return BZ_EDENIED;
    if (bz_prompts_find(&p, tx->who.role, none, bz_view_str(tx->route->scope), &rule))
        j.tokens = rule.tokens;
    st = bz_fields_walk(tx->route, BZ_SERVER_MCP, BZ_WHERE_REPLY, root, &w);
    *ret = j.why;
    return st;
}
