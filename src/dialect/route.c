#include <stdint.h>

#include "routes.h"

static const struct bz_route_list *const tables[BZ_SERVER_COUNT] = {
    [BZ_SERVER_LLAMACPP] = &bz_routes_llamacpp,   [BZ_SERVER_OLLAMA] = &bz_routes_ollama,
    [BZ_SERVER_VLLM] = &bz_routes_vllm,           [BZ_SERVER_OPENAI] = &bz_routes_openai,
    [BZ_SERVER_ANTHROPIC] = &bz_routes_anthropic,
};

const struct bz_route *bz_route_table(enum bz_server server, size_t *ret_n) {
    if ((unsigned)server >= BZ_SERVER_COUNT) {
        *ret_n = 0;
        return NULL;
    }
    *ret_n = tables[server]->n;
    return tables[server]->rows;
}

/* The only bytes of an id: neither '/' nor '%' nor a control, so a segment cannot grow into a path.
 */
static bool id_byte(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == ':' || c == '@' || c == '-';
}

static size_t id_length(const uint8_t *p, size_t n) {
    size_t i = 0;
    while (i < n && id_byte(p[i]))
        i++;
    return i;
}

/* Does path match the pattern? The last {name} segment goes to ret_id. */
static bool path_matches(const char *pattern, struct bz_view path, struct bz_view *ret_id) {
    size_t i = 0;
    for (const char *s = pattern; *s != '\0';) {
        if (*s != '{') {
            if (i == path.n || path.p[i] != (uint8_t)*s)
                return false;
            i++;
            s++;
            continue;
        }
        size_t n = id_length(path.p + i, path.n - i);
        if (n == 0)
            return false;
        *ret_id = bz_view_sub(path, i, n);
        i += n;
        while (*s != '}')
            s++;
        s++;
    }
    return i == path.n;
}

static enum bz_route_match find_in(const struct bz_route *rows, size_t n, struct bz_view method,
                                   struct bz_view path, const struct bz_route **ret,
                                   struct bz_view *ret_id) {
    enum bz_route_match match = BZ_ROUTE_UNKNOWN;
    for (size_t i = 0; i < n; i++) {
        struct bz_view id = {NULL, 0};
        if (!path_matches(rows[i].path, path, &id))
            continue;
        if (bz_view_eq(method, bz_view_str(rows[i].method))) {
            *ret = &rows[i];
            *ret_id = id;
            return BZ_ROUTE_FOUND;
        }
        match = BZ_ROUTE_METHOD;
    }
    return match;
}

enum bz_route_match bz_route_find(enum bz_server server, struct bz_view method, struct bz_view path,
                                  const struct bz_route **ret, struct bz_view *ret_id) {
    size_t n;
    const struct bz_route *rows = bz_route_table(server, &n);
    return find_in(rows, n, method, path, ret, ret_id);
}

const struct bz_route *bz_route_table_mcp(size_t *ret_n) {
    *ret_n = bz_routes_mcp.n;
    return bz_routes_mcp.rows;
}

enum bz_route_match bz_route_find_mcp(struct bz_view method, struct bz_view path,
                                      const struct bz_route **ret, struct bz_view *ret_server) {
    return find_in(bz_routes_mcp.rows, bz_routes_mcp.n, method, path, ret, ret_server);
}

bool bz_route_is_mcp(struct bz_view path) {
    return bz_view_starts(path, BZ_V("/mcp/"));
}

static bool under(struct bz_view path, struct bz_view prefix) {
    return bz_view_starts(path, prefix) && (path.n == prefix.n || path.p[prefix.n] == '/');
}

enum bz_dialect bz_dialect_of_path(struct bz_view path) {
    static const char *const native[] = {
        "/completion",     "/completions", "/infill",    "/embedding", "/embeddings",
        "/tokenize",       "/detokenize",  "/slots",     "/props",     "/lora-adapters",
        "/apply-template", "/tools",       "/cors-proxy"};
    if (bz_route_is_mcp(path))
        return BZ_DIALECT_MCP;
    if (under(path, BZ_V("/api")))
        return BZ_DIALECT_OLLAMA;
    if (under(path, BZ_V("/v1/messages")) || under(path, BZ_V("/v1/complete")))
        return BZ_DIALECT_ANTHROPIC;
    if (under(path, BZ_V("/v1/responses")) || under(path, BZ_V("/responses")))
        return BZ_DIALECT_RESPONSES;
    for (size_t i = 0; i < sizeof native / sizeof native[0]; i++) {
        if (under(path, bz_view_str(native[i])))
            return BZ_DIALECT_LLAMACPP;
    }
    return BZ_DIALECT_OPENAI;
}
