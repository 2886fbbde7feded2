/* One text per definition, whatever order a server writes its members in. */
#include <stdlib.h>

#include <bartizan/mcp.h>

static int by_key(const void *a, const void *b) {
    const struct bz_json *const *x = a, *const *y = b;
    struct bz_view p = (*x)->key, q = (*y)->key;
    size_t n = p.n < q.n ? p.n : q.n;
    int order = n == 0 ? 0 : memcmp(p.p, q.p, n);
    return order != 0 ? order : (p.n > q.n) - (p.n < q.n);
}

static enum bz_status put(const struct bz_json *v, bool top, struct bz_arena *ar,
                          struct bz_buf *out);

/* Depth is bounded by the reader's cap. */
static enum bz_status put_object(const struct bz_json *v, bool top, struct bz_arena *ar,
                                 struct bz_buf *out) {
    const struct bz_json **list = bz_arena_alloc(ar, (v->count + 1u) * sizeof *list);
    size_t n = 0;
    if (list == NULL)
        return BZ_ENOMEM;
    for (const struct bz_json *m = v->first; m != NULL && n < v->count; m = m->next)
        if (!top || !bz_view_eq(m->key, BZ_V("_meta")))
            list[n++] = m;
    qsort(list, n, sizeof *list, by_key);
    bz_buf_putc(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            bz_buf_putc(out, ',');
        bz_json_write_str(out, list[i]->key);
        bz_buf_putc(out, ':');
        BZ_TRY(put(list[i], false, ar, out));
    }
    bz_buf_putc(out, '}');
    return BZ_OK;
}

static enum bz_status put(const struct bz_json *v, bool top, struct bz_arena *ar,
                          struct bz_buf *out) {
    if (v->type == BZ_JSON_OBJECT)
        return put_object(v, top, ar, out);
    if (v->type != BZ_JSON_ARRAY) {
        bz_json_write(out, v);
        return bz_buf_status(out);
    }
    bz_buf_putc(out, '[');
    for (const struct bz_json *m = v->first; m != NULL; m = m->next) {
        if (m != v->first)
            bz_buf_putc(out, ',');
        BZ_TRY(put(m, false, ar, out));
    }
    bz_buf_putc(out, ']');
    return BZ_OK;
}

enum bz_status bz_mcp_definition_text(const struct bz_json *definition, struct bz_arena *ar,
                                      struct bz_buf *out) {
    BZ_TRY(put(definition, true, ar, out));
    return bz_buf_status(out);
}

enum bz_status bz_mcp_definition_digest(enum bz_mcp_what w, const struct bz_json *definition,
                                        struct bz_arena *ar, uint8_t out[BZ_HASH_LEN]) {
    struct bz_buf b;
    if (!bz_json_is(definition, BZ_JSON_OBJECT) ||
        !bz_mcp_name_ok(w, bz_mcp_definition_name(w, definition)))
        return BZ_ESYNTAX;
    bz_buf_init(&b, BZ_MCP_DEFINITION_MAX);
    enum bz_status st = bz_mcp_definition_text(definition, ar, &b);
    if (st == BZ_OK)
        bz_sha256(bz_buf_view(&b), out);
    bz_buf_free(&b);
    return st;
}
