/* First byte: server and method. A match has a row of that method whose pattern is as long, and an
 * id of plain bytes; the same text with a slash more is never the same route. Error documents hold
 * for any text. */
#include <stdlib.h>

#include <bartizan/dialect.h>

static bool inside(struct bz_view id, struct bz_view path) {
    return id.n == 0 || (id.p >= path.p && id.p + id.n <= path.p + path.n);
}

static void documents(struct bz_view text) {
    for (unsigned d = 0; d < BZ_DIALECT_COUNT; d++) {
        struct bz_error e = {400, "code", text, text, text};
        struct bz_buf b;
        struct bz_arena ar;
        bz_buf_init(&b, 16u << 20);
        bz_arena_init(&ar, bz_alloc_heap, 16u << 20, NULL, 0);
        bz_dialect_error((enum bz_dialect)d, &e, &b);
        if (bz_buf_status(&b) == BZ_OK && bz_json_check(bz_buf_view(&b), NULL, &ar, NULL) != BZ_OK)
            abort();
        bz_arena_free(&ar);
        bz_buf_free(&b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const methods[] = {"GET", "POST", "DELETE", "HEAD", "PUT", "get", ""};
    if (size < 1)
        return 0;
    enum bz_server s = (enum bz_server)(data[0] % BZ_SERVER_COUNT);
    struct bz_view method = bz_view_str(methods[data[0] / 8 % 7]);
    struct bz_view path = bz_view(data + 1, size - 1);
    const struct bz_route *r = NULL;
    struct bz_view id = {NULL, 0};
    if (bz_route_find(s, method, path, &r, &id) == BZ_ROUTE_FOUND) {
        if (!bz_view_eq(method, bz_view_str(r->method)) || !inside(id, path) ||
            (id.n != 0) != (strchr(r->path, '{') != NULL) ||
            memchr(id.n == 0 ? path.p : id.p, '%', id.n == 0 ? path.n : id.n) != NULL)
            abort();
        const char *brace = strchr(r->path, '{');
        size_t fixed = brace == NULL ? strlen(r->path) : (size_t)(brace - r->path);
        if (path.n < fixed || memcmp(path.p, r->path, fixed) != 0)
            abort();
    }
    if ((unsigned)bz_dialect_of_path(path) >= BZ_DIALECT_COUNT)
        abort();
    if (memchr(path.p, 0, path.n) ==
        NULL) /* our own strict reader refuses \u0000, which the writer would have to write */
        documents(path);
    return 0;
}
