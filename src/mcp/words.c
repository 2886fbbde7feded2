/* Revisions, methods, names of tools. */
#include <bartizan/mcp.h>

static const char *const versions[BZ_MCP_VERSION_COUNT] = {
    [BZ_MCP_2025_03_26] = "2025-03-26",
    [BZ_MCP_2025_06_18] = "2025-06-18",
    [BZ_MCP_2025_11_25] = "2025-11-25",
};

const char *bz_mcp_version_name(enum bz_mcp_version v) {
    return (unsigned)v < BZ_MCP_VERSION_COUNT ? versions[v] : "unknown";
}

bool bz_mcp_version_from_name(struct bz_view name, enum bz_mcp_version *ret) {
    for (unsigned i = 0; i < BZ_MCP_VERSION_COUNT; i++) {
        if (bz_view_eq(name, bz_view_str(versions[i]))) {
            *ret = (enum bz_mcp_version)i;
            return true;
        }
    }
    return false;
}

#define CLIENT BZ_MCP_FROM_CLIENT
#define SERVER BZ_MCP_FROM_SERVER
/* name, who may send it, a notification, of the protocol itself, passes without being listed */
static const struct bz_mcp_method_info methods[BZ_MCP_METHOD_COUNT] = {
    [BZ_MCP_INITIALIZE] = {"initialize", CLIENT, false, true, true},
    [BZ_MCP_PING] = {"ping", CLIENT | SERVER, false, true, true},
    [BZ_MCP_TOOLS_LIST] = {"tools/list", CLIENT, false, false, true},
    [BZ_MCP_TOOLS_CALL] = {"tools/call", CLIENT, false, false, true},
    [BZ_MCP_RESOURCES_LIST] = {"resources/list", CLIENT, false, false, true},
    [BZ_MCP_RESOURCES_TEMPLATES] = {"resources/templates/list", CLIENT, false, false, true},
    [BZ_MCP_RESOURCES_READ] = {"resources/read", CLIENT, false, false, true},
    [BZ_MCP_RESOURCES_SUBSCRIBE] = {"resources/subscribe", CLIENT, false, false, false},
    [BZ_MCP_RESOURCES_UNSUBSCRIBE] = {"resources/unsubscribe", CLIENT, false, false, false},
    [BZ_MCP_PROMPTS_LIST] = {"prompts/list", CLIENT, false, false, true},
    [BZ_MCP_PROMPTS_GET] = {"prompts/get", CLIENT, false, false, true},
    [BZ_MCP_COMPLETE] = {"completion/complete", CLIENT, false, false, true},
    [BZ_MCP_SET_LEVEL] = {"logging/setLevel", CLIENT, false, false, true},
    [BZ_MCP_SAMPLING] = {"sampling/createMessage", SERVER, false, false, false},
    [BZ_MCP_ELICITATION] = {"elicitation/create", SERVER, false, false, false},
    [BZ_MCP_ROOTS] = {"roots/list", SERVER, false, false, false},
    [BZ_MCP_N_INITIALIZED] = {"notifications/initialized", CLIENT, true, true, true},
    [BZ_MCP_N_CANCELLED] = {"notifications/cancelled", CLIENT | SERVER, true, true, true},
    [BZ_MCP_N_PROGRESS] = {"notifications/progress", CLIENT | SERVER, true, true, true},
    [BZ_MCP_N_ROOTS] = {"notifications/roots/list_changed", CLIENT, true, false, false},
    [BZ_MCP_N_MESSAGE] = {"notifications/message", SERVER, true, false, true},
    [BZ_MCP_N_TOOLS] = {"notifications/tools/list_changed", SERVER, true, false, true},
    [BZ_MCP_N_RESOURCES] = {"notifications/resources/list_changed", SERVER, true, false, true},
    [BZ_MCP_N_RESOURCE] = {"notifications/resources/updated", SERVER, true, false, true},
    [BZ_MCP_N_PROMPTS] = {"notifications/prompts/list_changed", SERVER, true, false, true},
};

const struct bz_mcp_method_info *bz_mcp_method(enum bz_mcp_method m) {
    return (unsigned)m < BZ_MCP_METHOD_COUNT ? &methods[m] : NULL;
}

enum bz_mcp_method bz_mcp_method_from_name(struct bz_view name) {
    for (unsigned i = 0; i < BZ_MCP_METHOD_COUNT; i++)
        if (bz_view_eq(name, bz_view_str(methods[i].name)))
            return (enum bz_mcp_method)i;
    return BZ_MCP_METHOD_COUNT;
}

uint64_t bz_mcp_methods_default(void) {
    uint64_t set = 0;
    for (unsigned i = 0; i < BZ_MCP_METHOD_COUNT; i++)
        set |= (uint64_t)methods[i].passes << i;
    return set;
}

uint64_t bz_mcp_methods_base(void) {
    uint64_t set = 0;
    for (unsigned i = 0; i < BZ_MCP_METHOD_COUNT; i++)
        set |= (uint64_t)methods[i].base << i;
    return set;
}

bool bz_mcp_tool_name_ok(struct bz_view name) {
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-' || c == '.';
        if (!good)
            return false;
    }
    return name.n >= 1 && name.n <= 128;
}

/* The next letter as a hurried reader sees it; 0: the end. Two letters may look like one. */
static uint8_t look(struct bz_view v, size_t *at) {
    static const char alike[][2] = {{'0', 'o'}, {'1', 'l'}, {'i', 'l'}, {'3', 'e'},
                                    {'5', 's'}, {'7', 't'}, {'4', 'a'}, {'8', 'b'}};
    while (*at < v.n && (v.p[*at] == '_' || v.p[*at] == '-' || v.p[*at] == '.'))
        (*at)++;
    if (*at >= v.n)
        return 0;
    uint8_t c = v.p[(*at)++];
    uint8_t next = *at < v.n ? v.p[*at] : 0;
    c = (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    if ((c == 'r' && next == 'n') || (c == 'v' && next == 'v')) {
        (*at)++;
        return c == 'r' ? 'm' : 'w';
    }
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++)
        if (c == (uint8_t)alike[i][0])
            return (uint8_t)alike[i][1];
    return c;
}

bool bz_mcp_same_look(struct bz_view a, struct bz_view b) {
    size_t i = 0, j = 0;
    while (true) {
        uint8_t x = look(a, &i), y = look(b, &j);
        if (x != y)
            return false;
        if (x == 0)
            return true;
    }
}
