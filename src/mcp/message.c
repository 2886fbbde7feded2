/* JSON-RPC 2.0 as the protocol narrows it. */
#include <bartizan/mcp.h>

enum { METHOD_NAME_MAX = 128 };

static bool all_known(const struct bz_json *root) {
    static const char *const known[] = {"jsonrpc", "id", "method", "params", "result", "error"};
    for (const struct bz_json *m = root->first; m != NULL; m = m->next) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0] && !found; i++)
            found = bz_view_eq(m->key, bz_view_str(known[i]));
        if (!found)
            return false;
    }
    return true;
}

bool bz_mcp_id_ok(const struct bz_json *id) {
    int64_t n;
    if (bz_json_is(id, BZ_JSON_NUMBER))
        return bz_json_i64(id, &n) == BZ_OK;
    struct bz_view v = bz_json_str(id);
    return bz_json_is(id, BZ_JSON_STRING) && v.n >= 1 && v.n <= BZ_MCP_ID_MAX;
}

bool bz_mcp_id_equal(const struct bz_json *a, const struct bz_json *b) {
    int64_t x, y;
    if (a == NULL || b == NULL || a->type != b->type)
        return false;
    if (a->type == BZ_JSON_STRING)
        return bz_view_eq(a->val, b->val);
    return bz_json_i64(a, &x) == BZ_OK && bz_json_i64(b, &y) == BZ_OK && x == y;
}

static const char *call(struct bz_mcp_message *m, const struct bz_json *method) {
    struct bz_view name = bz_json_str(method);
    if (!bz_json_is(method, BZ_JSON_STRING) || name.n == 0 || name.n > METHOD_NAME_MAX)
        return "method must be a short string";
    if (m->params != NULL && !bz_json_is(m->params, BZ_JSON_OBJECT))
        return "params must be an object";
    m->method = bz_mcp_method_from_name(name);
    m->kind = m->id != NULL ? BZ_MCP_REQUEST : BZ_MCP_NOTIFICATION;
    const struct bz_mcp_method_info *i = bz_mcp_method(m->method);
    if (i != NULL && i->notification != (m->kind == BZ_MCP_NOTIFICATION))
        return i->notification ? "a notification has no id" : "a request has an id";
    return NULL;
}

static const char *answer(struct bz_mcp_message *m) {
    int64_t code;
    if (m->id == NULL || m->params != NULL)
        return "a response has an id, and no params";
    if (m->result != NULL) {
        m->kind = BZ_MCP_RESULT;
        return bz_json_is(m->result, BZ_JSON_OBJECT) ? NULL : "result must be an object";
    }
    m->kind = BZ_MCP_ERROR;
    bool good = bz_json_i64(bz_json_get(m->error, BZ_V("code")), &code) == BZ_OK &&
                bz_json_is(bz_json_get(m->error, BZ_V("message")), BZ_JSON_STRING);
    return good ? NULL : "error must have a code and a message";
}

static const char *read(struct bz_json *root, struct bz_mcp_message *m) {
    const struct bz_json *method = bz_json_get(root, BZ_V("method"));
    if (bz_json_is(root, BZ_JSON_ARRAY))
        return "batches are not served: send one message per request";
    if (!bz_json_is(root, BZ_JSON_OBJECT))
        return "a message is an object";
    if (!bz_view_eq(bz_json_str(bz_json_get(root, BZ_V("jsonrpc"))), BZ_V("2.0")))
        return "jsonrpc must be \"2.0\"";
    if (!all_known(root))
        return "a message has no members but jsonrpc, id, method, params, result, error";
    m->id = bz_json_get_mut(root, BZ_V("id"));
    m->params = bz_json_get_mut(root, BZ_V("params"));
    m->result = bz_json_get_mut(root, BZ_V("result"));
    m->error = bz_json_get_mut(root, BZ_V("error"));
    if (m->id != NULL && !bz_mcp_id_ok(m->id))
        return "id must be an integer or a string of 1 to 128 bytes";
    if ((method != NULL) + (m->result != NULL) + (m->error != NULL) != 1)
        return "a message has exactly one of method, result, error";
    return method != NULL ? call(m, method) : answer(m);
}

enum bz_status bz_mcp_message_read(struct bz_json *root, struct bz_mcp_message *ret,
                                   struct bz_diag *diag) {
    struct bz_mcp_message m = {.kind = BZ_MCP_KIND_COUNT, .method = BZ_MCP_METHOD_COUNT};
    const char *why = root == NULL ? "a message is an object" : read(root, &m);
    if (why != NULL) {
        bz_diag_set(diag, root == NULL ? 0 : root->off, why);
        return BZ_ESYNTAX;
    }
    *ret = m;
    return BZ_OK;
}
