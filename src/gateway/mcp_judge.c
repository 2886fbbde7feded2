/* Results of tools, resources, prompts, descriptions: texts of whoever runs the server, or of whoever
 * wrote the page that it read. */
#include <bartizan/fields.h>
#include <bartizan/injection.h>

#include "mcp.h"

struct judging {
    struct bz_tx *tx;
    struct bz_arena *ar;
};

static enum bz_status one(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    struct judging *j = ctx;
    struct bz_judged judged;
    (void)w;
    if (span->field != NULL &&
        (span->field->kind == BZ_FIELD_DATA || span->field->kind == BZ_FIELD_MEDIA))
        return BZ_OK;
    BZ_TRY(bz_injection_judge(j->tx->env->injection, span->text, BZ_CHANNEL_TOOL, BZ_DETECT_ALL,
                              j->ar, &judged));
    return judged.verdict == BZ_JUDGE_BLOCK ? BZ_EDENIED : BZ_OK;
}

enum bz_status bz_tx_mcp_judge(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                               enum bz_refusal *ret) {
    struct judging j = {tx, ar};
    struct bz_walk w = {.unknown = BZ_UNKNOWN_TEXT, .span = one, .ctx = &j};
    if (bz_image_blob(tx->image, BZ_BLOB_INJECTION).n == 0)
        return BZ_OK; /* policy judges no texts */
    *ret = BZ_REFUSE_SCREENING;
    if (tx->env->injection == NULL)
        return BZ_EDENIED;
    *ret = BZ_REFUSE_MCP_INJECTION;
    return bz_fields_walk(tx->route, BZ_SERVER_MCP, BZ_WHERE_REPLY, root, &w);
}
