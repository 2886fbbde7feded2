/* What a server may not ask, and who tells it so. Only the client can answer on the session's stream, and it must
 * not see what was asked: it gets a ping whose id carries the server's own, and its answer comes back as the
 * refusal.
 *
 *   "bartizan-refused:METHOD:i42"   METHOD: enum bz_mcp_method; i: the id is a number, s: a text */
#include <bartizan/mcp.h>

static const struct bz_view mark = {(const uint8_t *)"bartizan-refused:", 17};

enum bz_status bz_mcp_refused_id(enum bz_mcp_method asked, const struct bz_json *id,
                                 struct bz_arena *ar, struct bz_json **ret) {
    uint8_t mem[BZ_MCP_ID_MAX];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put(&b, mark);
    bz_buf_put_u64(&b, asked);
    bz_buf_putc(&b, ':');
    bz_buf_putc(&b, bz_json_is(id, BZ_JSON_NUMBER) ? 'i' : 's');
    bz_buf_put(&b, id->val);
    if (bz_buf_status(&b) != BZ_OK)
        return BZ_ETOOBIG;
    struct bz_view text = bz_arena_dup(ar, bz_buf_view(&b));
    *ret = text.p == NULL ? NULL : bz_json_new_str(ar, text);
    return *ret == NULL ? BZ_ENOMEM : BZ_OK;
}

bool bz_mcp_refused(const struct bz_json *id, struct bz_arena *ar, enum bz_mcp_method *ret_asked,
                    struct bz_json **ret_id) {
    struct bz_view v = bz_json_str(id);
    uint64_t asked = 0;
    size_t at = mark.n;
    if (!bz_view_starts(v, mark))
        return false;
    while (at < v.n && v.p[at] != ':')
        at++;
    if (at + 2 >= v.n || bz_view_u64(bz_view_sub(v, mark.n, at - mark.n), &asked) != BZ_OK ||
        asked > BZ_MCP_METHOD_COUNT || (v.p[at + 1] != 'i' && v.p[at + 1] != 's'))
        return false;
    struct bz_view own = bz_view_sub(v, at + 2, v.n);
    const struct bz_json number = {.type = BZ_JSON_NUMBER, .val = own};
    int64_t n = 0;
    bool is_number = v.p[at + 1] == 'i';
    if (is_number && bz_json_i64(&number, &n) != BZ_OK)
        return false;
    *ret_asked = (enum bz_mcp_method)asked;
    *ret_id = is_number ? bz_json_new_num(ar, n) : bz_json_new_str(ar, own);
    return *ret_id != NULL;
}
