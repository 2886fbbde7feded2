/* Section `mcp`: tool servers. Each also becomes a backend named "mcp:NAME", so that its address, its credential
 * and its health are what every backend's are. */
#include <stdio.h>
#include <bartizan/mcp.h>
#include "config_int.h"

static const char path_default[] = "/mcp";

/* Where the path of an http url begins, or its end. */
static size_t path_at(struct bz_view url) {
    size_t i = bz_view_starts(url, BZ_V("https://")) ? 8 : 7;
    if (bz_view_starts(url, BZ_V("unix:")))
        return url.n;
    while (i < url.n && url.p[i] != '/')
        i++;
    return i < url.n ? i : url.n;
}

static bool path_ok(struct bz_view path) {
    for (size_t i = 0; i < path.n; i++) {
        uint8_t c = path.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '/' || c == '-' || c == '_' || c == '.' || c == '~';
        if (!good || (c == '/' && i > 0 && path.p[i - 1] == '/') ||
            (c == '.' && i > 0 && path.p[i - 1] == '.'))
            return false;
    }
    return path.n <= 256;
}

static void check_url(struct cfg *c, const char *at, const char *s) {
    struct bz_url u;
    struct bz_diag diag = {0};
    struct bz_view url = bz_view_str(s);
    if (s == NULL) {
        cfg_fail(c, at, "url is missing; write for instance url: http://127.0.0.1:3000/mcp", "");
        return;
    }
    size_t n = path_at(url);
    if (bz_url_parse(bz_view_sub(url, 0, n), &u, &diag) != BZ_OK)
        cfg_fail(c, at, diag.why, "");
    else if (!path_ok(bz_view_sub(url, n, url.n)))
        cfg_fail(c, at, "\"%s\": the path may have letters, digits and /-_.~ only, no query", s);
}

static void check_words(struct cfg *c, const char *base, char *const *list, uint32_t n,
                        bool (*known)(const char *s), const char *text) {
    char at[192];
    for (uint32_t i = 0; i < n; i++) {
        (void)snprintf(at, sizeof at, "%s[%u]", base, i);
        if (list[i] == NULL || !known(list[i]))
            cfg_fail(c, at, text, list[i] == NULL ? "" : list[i]);
    }
}

static bool is_version(const char *s) {
    enum bz_mcp_version v;
    return bz_mcp_version_from_name(bz_view_str(s), &v);
}

static bool is_method(const char *s) {
    return bz_mcp_method_from_name(bz_view_str(s)) != BZ_MCP_METHOD_COUNT;
}

static bool has_role(const struct y_config *y, const char *s) {
    bool there = strcmp(s, "user") == 0 || strcmp(s, "admin") == 0;
    for (uint32_t i = 0; i < y->roles_count && !there; i++)
        there = y->roles[i].name != NULL && strcmp(y->roles[i].name, s) == 0;
    return there;
}

static void check_one(struct cfg *c, const struct y_config *y, uint32_t i) {
    const struct y_mcp *m = &y->mcp[i];
    char at[128];
    (void)snprintf(at, sizeof at, "mcp[%u].name", i);
    cfg_check_name(c, at, m->name);
    for (uint32_t j = 0; m->name != NULL && j < i; j++)
        if (y->mcp[j].name != NULL && strcmp(y->mcp[j].name, m->name) == 0)
            cfg_fail(c, at, "another MCP server is named \"%s\" already", m->name);
    (void)snprintf(at, sizeof at, "mcp[%u].url", i);
    check_url(c, at, m->url);
    (void)snprintf(at, sizeof at, "mcp[%u].key_file", i);
    cfg_check_file(c, at, m->key_file);
    (void)snprintf(at, sizeof at, "mcp[%u].versions", i);
    check_words(c, at, m->versions, m->versions_count, is_version,
                "\"%s\" is no revision of MCP that is known here; there are 2025-03-26,"
                " 2025-06-18, 2025-11-25");
    if (m->versions != NULL && m->versions_count == 0)
        cfg_fail(c, at, "no revision is listed; leave versions out for all that are known", "");
    (void)snprintf(at, sizeof at, "mcp[%u].allow", i);
    check_words(c, at, m->allow, m->allow_count, is_method,
                "\"%s\" is no method of MCP that could be allowed; docs/MCP.md lists them");
    for (uint32_t k = 0; k < m->roles_count; k++) {
        (void)snprintf(at, sizeof at, "mcp[%u].roles[%u]", i, k);
        if (m->roles[k] == NULL || !has_role(y, m->roles[k]))
            cfg_fail(c, at, "there is no role \"%s\"", m->roles[k] == NULL ? "" : m->roles[k]);
    }
    (void)snprintf(at, sizeof at, "mcp[%u].result_max", i);
    cfg_check_range(c, at, m->result_max, 1024, BZ_MCP_RESULT_MAX);
    (void)snprintf(at, sizeof at, "mcp[%u].check_s", i);
    cfg_check_range(c, at, m->check_s, 1, 3600);
}

void cfg_check_mcp(struct cfg *c, const struct y_config *y) {
    for (uint32_t i = 0; i < y->mcp_count; i++)
        check_one(c, y, i);
    if (y->backends_count + y->mcp_count > BZ_BACKENDS_MAX)
        cfg_fail(c, "mcp", "backends and MCP servers are more than 64 together", "");
}

/* ---- conversion ---- */

static uint64_t methods_of(const struct y_mcp *m) {
    uint64_t set = bz_mcp_methods_base();
    if (m->allow == NULL)
        return bz_mcp_methods_default();
    for (uint32_t i = 0; i < m->allow_count; i++)
        set |= UINT64_C(1) << bz_mcp_method_from_name(bz_view_str(m->allow[i]));
    return set;
}

static uint32_t versions_of(const struct y_mcp *m) {
    uint32_t set = 0;
    enum bz_mcp_version v;
    for (uint32_t i = 0; i < m->versions_count; i++)
        if (bz_mcp_version_from_name(bz_view_str(m->versions[i]), &v))
            set |= 1u << v;
    return m->versions == NULL ? (1u << BZ_MCP_VERSION_COUNT) - 1 : set;
}

static uint64_t roles_of(const struct bz_config *c, const struct y_mcp *m) {
    uint64_t set = 0;
    if (m->roles == NULL)
        return UINT64_MAX;
    for (uint32_t i = 0; i < m->roles_count; i++)
        for (uint32_t r = 0; r < c->roles_n && r < 64; r++)
            if (strcmp(c->roles[r].name, m->roles[i]) == 0)
                set |= UINT64_C(1) << r;
    return set;
}

static bool convert_backend(struct bz_backend_config *out, struct bz_arena *ar,
                            const struct y_mcp *m) {
    char name[80];
    int n = snprintf(name, sizeof name, "%s%s", BZ_MCP_BACKEND, m->name);
    if (n < 0 || (size_t)n >= sizeof name)
        return false;
    *out = (struct bz_backend_config){.type = BZ_SERVER_MCP, .keep_alive = true};
    out->name = cfg_dup(ar, name);
    out->url = cfg_dup(ar, m->url);
    if (out->url != NULL)
        out->url[path_at(bz_view_str(m->url))] = '\0';
    out->key_file = cfg_dup(ar, m->key_file);
    return out->name != NULL && out->url != NULL && (m->key_file == NULL || out->key_file != NULL);
}

static bool convert_one(struct bz_config *c, struct bz_mcp_config *out, struct bz_arena *ar,
                        const struct y_mcp *m) {
    const char *path = m->url + path_at(bz_view_str(m->url));
    out->name = cfg_dup(ar, m->name);
    out->path = cfg_dup(ar, *path == '\0' ? path_default : path);
    out->versions = versions_of(m);
    out->methods = methods_of(m);
    out->roles = roles_of(c, m);
    out->result_max = m->result_max == NULL ? BZ_MCP_RESULT_DEFAULT : *m->result_max;
    out->check_s = m->check_s == NULL ? 30 : (uint32_t)*m->check_s;
    return out->name != NULL && out->path != NULL;
}

bool cfg_convert_mcp(struct bz_config *c, struct bz_arena *ar, const struct y_config *y) {
    if (y->mcp_count == 0)
        return true;
    struct bz_backend_config *all =
        bz_arena_zalloc(ar, (c->backends_n + y->mcp_count + 1u) * sizeof *all);
    c->mcp = bz_arena_zalloc(ar, y->mcp_count * sizeof *c->mcp);
    if (all == NULL || c->mcp == NULL)
        return false;
    memcpy(all, c->backends, c->backends_n * sizeof *all);
    c->backends = all;
    for (uint32_t i = 0; i < y->mcp_count; i++)
        if (!convert_one(c, &c->mcp[c->mcp_n++], ar, &y->mcp[i]) ||
            !convert_backend(&c->backends[c->backends_n++], ar, &y->mcp[i]))
            return false;
    return true;
}
