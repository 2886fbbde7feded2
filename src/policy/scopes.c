/* The scopes that exist: whatever the route tables name for routes that somebody may use. */
#include <bartizan/policy.h>

static bool has(const char *const *names, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool has_scope(const struct bz_route *r) {
    return (r->access == BZ_ACCESS_USER || r->access == BZ_ACCESS_ADMIN) && r->scope != NULL &&
           r->scope[0] != '\0';
}

static size_t add(const char *out[BZ_SCOPES_MAX], size_t found, const struct bz_route *routes,
                  size_t n) {
    for (size_t i = 0; i < n; i++)
        if (has_scope(&routes[i]) && !has(out, found, routes[i].scope) && found < BZ_SCOPES_MAX)
            out[found++] = routes[i].scope;
    return found;
}

size_t bz_scope_list(const char *out[BZ_SCOPES_MAX]) {
    size_t found = 0, n = 0;
    for (int server = 0; server < BZ_SERVER_COUNT; server++) {
        const struct bz_route *routes = bz_route_table((enum bz_server)server, &n);
        found = add(out, found, routes, n);
    }
    const struct bz_route *mcp = bz_route_table_mcp(&n);
    return add(out, found, mcp, n);
}
