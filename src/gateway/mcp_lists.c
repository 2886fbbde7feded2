/* Results of a tool server: lists are what was approved, results what their definition says, contents those of the
 * resource that was asked for. */
#include "mcp.h"

/* ---- lists of definitions ---- */

static bool what_of(const struct bz_tx *tx, enum bz_mcp_what *ret) {
    for (unsigned w = 0; w < BZ_MCP_WHAT_COUNT; w++) {
        if (bz_mcp_what((enum bz_mcp_what)w)->method != (enum bz_mcp_method)tx->mcp->method)
            continue;
        *ret = (enum bz_mcp_what)w;
        return true;
    }
    return false;
}

bool bz_tx_mcp_is_list(const struct bz_tx *tx) {
    enum bz_mcp_what w;
    return what_of(tx, &w);
}

static bool as_pinned(struct bz_tx *tx, const struct bz_mcp *mcp, enum bz_mcp_what w,
                      const struct bz_json *definition, struct bz_arena *ar) {
    struct bz_mcp_pin pin;
    uint8_t digest[BZ_HASH_LEN];
    struct bz_view name = bz_mcp_definition_name(w, definition);
    if (!bz_mcp_pin_find(mcp, &tx->mcp->server, w, name, &pin))
        return false;
    if (bz_mcp_definition_digest(w, definition, ar, digest) == BZ_OK &&
        bz_ct_equal(bz_view(digest, sizeof digest), bz_view(pin.digest, sizeof pin.digest)))
        return true;
    bz_tx_mcp_mark(tx, &pin, tx->mcp->now.mono_ns);
    tx->reason = "mcp_tool_changed";
    return false;
}

/* What nobody approved and nobody judged does not stand beside the list. */
static void keep_only(struct bz_json *result, struct bz_view list) {
    for (struct bz_json **link = &result->first; *link != NULL;) {
        if (bz_view_eq((*link)->key, list) || bz_view_eq((*link)->key, BZ_V("nextCursor"))) {
            link = &(*link)->next;
            continue;
        }
        *link = (*link)->next;
        result->count--;
    }
}

static enum bz_status listed(struct bz_tx *tx, enum bz_mcp_what w, struct bz_json *result,
                             struct bz_arena *ar) {
    struct bz_view name = bz_view_str(bz_mcp_what(w)->list);
    struct bz_json *list = bz_json_get_mut(result, name);
    const struct bz_json *cursor = bz_json_get(result, BZ_V("nextCursor"));
    struct bz_mcp mcp;
    keep_only(result, name);
    if (!bz_json_is(list, BZ_JSON_ARRAY) ||
        (cursor != NULL && !bz_json_is(cursor, BZ_JSON_STRING)) ||
        bz_mcp_open(bz_image_blob(tx->image, BZ_BLOB_MCP), &mcp) != BZ_OK)
        return BZ_EDENIED;
    for (struct bz_json **link = &list->first; *link != NULL;) {
        if (as_pinned(tx, &mcp, w, *link, ar)) {
            (void)bz_json_remove(*link, BZ_V("_meta")); /* no part of what was approved */
            link = &(*link)->next;
            continue;
        }
        *link = (*link)->next;
        list->count--;
        tx->mcp->dropped++;
        tx->detail = "What is not approved was left out of the list.";
    }
    return BZ_OK;
}

/* ---- results ---- */

static bool content(const struct bz_json *c) {
    static const char *const types[] = {"text", "image", "audio", "resource", "resource_link"};
    struct bz_view type = bz_json_str(bz_json_get(c, BZ_V("type")));
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (bz_view_eq(type, bz_view_str(types[i])))
            return true;
    return false;
}

static bool contents(const struct bz_json *list) {
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return false;
    for (const struct bz_json *c = list->first; c != NULL; c = c->next)
        if (!content(c))
            return false;
    return true;
}

/* "Servers MUST provide structured results that conform to" the output schema. */
static enum bz_status called(struct bz_tx *tx, const struct bz_json *result, struct bz_arena *ar) {
    const struct bz_json *structured = bz_json_get(result, BZ_V("structuredContent"));
    const struct bz_json *error = bz_json_get(result, BZ_V("isError"));
    const struct bz_mcp_pin *pin = &tx->mcp->pin;
    struct bz_json *schema = NULL;
    struct bz_schema_misfit misfit;
    if (!contents(bz_json_get(result, BZ_V("content"))) ||
        (structured != NULL && !bz_json_is(structured, BZ_JSON_OBJECT)))
        return BZ_EDENIED;
    if (pin->output.n == 0 || (bz_json_is(error, BZ_JSON_TRUE) && structured == NULL))
        return BZ_OK;
    BZ_TRY(bz_json_parse(pin->output, NULL, ar, &schema, NULL));
    BZ_TRY(bz_schema_fits(schema, BZ_SCHEMA_PUBLISHED, structured, ar, &misfit));
    return misfit.why == NULL ? BZ_OK : BZ_EDENIED;
}

/* Of the resource that was asked for, of what lies below it, or of others that are approved: no content speaks in
 * the name of another. */
static bool resource_known(const struct bz_tx *tx, const struct bz_mcp *mcp, struct bz_view uri) {
    struct bz_view asked = bz_view(tx->mcp->uri, tx->mcp->uri_n);
    struct bz_mcp_pin pin;
    bool slash = asked.n > 0 && asked.p[asked.n - 1] == '/';
    bool below = bz_view_starts(uri, asked) && uri.n > asked.n &&
                 (slash || uri.p[asked.n] == '/' || uri.p[asked.n] == '#');
    return bz_view_eq(uri, asked) || (below && bz_mcp_uri_ok(uri)) ||
           bz_mcp_pin_find_uri(mcp, &tx->mcp->server, uri, &pin);
}

static enum bz_status was_read(struct bz_tx *tx, const struct bz_json *result) {
    const struct bz_json *list = bz_json_get(result, BZ_V("contents"));
    struct bz_mcp mcp;
    if (!bz_json_is(list, BZ_JSON_ARRAY) ||
        bz_mcp_open(bz_image_blob(tx->image, BZ_BLOB_MCP), &mcp) != BZ_OK)
        return BZ_EDENIED;
    for (const struct bz_json *c = list->first; c != NULL; c = c->next) {
        bool text = bz_json_is(bz_json_get(c, BZ_V("text")), BZ_JSON_STRING);
        bool blob = bz_json_is(bz_json_get(c, BZ_V("blob")), BZ_JSON_STRING);
        if (text == blob || !resource_known(tx, &mcp, bz_json_str(bz_json_get(c, BZ_V("uri")))))
            return BZ_EDENIED;
    }
    return BZ_OK;
}

static enum bz_status prompted(const struct bz_json *result) {
    const struct bz_json *list = bz_json_get(result, BZ_V("messages"));
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return BZ_EDENIED;
    for (const struct bz_json *m = list->first; m != NULL; m = m->next) {
        struct bz_view role = bz_json_str(bz_json_get(m, BZ_V("role")));
        if ((!bz_view_eq(role, BZ_V("user")) && !bz_view_eq(role, BZ_V("assistant"))) ||
            !content(bz_json_get(m, BZ_V("content"))))
            return BZ_EDENIED;
    }
    return BZ_OK;
}

/* "values: MUST NOT exceed 100 items" */
static enum bz_status completed(const struct bz_json *result) {
    const struct bz_json *list =
        bz_json_get(bz_json_get(result, BZ_V("completion")), BZ_V("values"));
    if (!bz_json_is(list, BZ_JSON_ARRAY) || list->count > 100)
        return BZ_EDENIED;
    for (const struct bz_json *v = list->first; v != NULL; v = v->next)
        if (!bz_json_is(v, BZ_JSON_STRING))
            return BZ_EDENIED;
    return BZ_OK;
}

enum bz_status bz_tx_mcp_result(struct bz_tx *tx, struct bz_json *result, struct bz_arena *ar,
                                enum bz_refusal *why) {
    enum bz_mcp_method method = (enum bz_mcp_method)tx->mcp->method;
    enum bz_mcp_what w;
    *why = BZ_REFUSE_MCP_RESULT;
    if (what_of(tx, &w))
        return listed(tx, w, result, ar);
    if (method == BZ_MCP_TOOLS_CALL)
        return called(tx, result, ar);
    if (method == BZ_MCP_RESOURCES_READ)
        return was_read(tx, result);
    if (method == BZ_MCP_PROMPTS_GET)
        return prompted(result);
    return method == BZ_MCP_COMPLETE ? completed(result) : BZ_OK;
}
