/* What a server offers: tools, resources, templates of resources, prompts. */
#include <stdio.h>

#include <bartizan/mcp.h>
#include <bartizan/schema.h>

static const struct bz_mcp_what_info infos[BZ_MCP_WHAT_COUNT] = {
    [BZ_MCP_TOOL] = {"tool", "name", "tools", BZ_MCP_TOOLS_LIST},
    [BZ_MCP_RESOURCE] = {"resource", "uri", "resources", BZ_MCP_RESOURCES_LIST},
    [BZ_MCP_TEMPLATE] = {"template", "uriTemplate", "resourceTemplates",
                         BZ_MCP_RESOURCES_TEMPLATES},
    [BZ_MCP_PROMPT] = {"prompt", "name", "prompts", BZ_MCP_PROMPTS_LIST},
};

const struct bz_mcp_what_info *bz_mcp_what(enum bz_mcp_what w) {
    return (unsigned)w < BZ_MCP_WHAT_COUNT ? &infos[w] : NULL;
}

bool bz_mcp_what_from_name(struct bz_view name, enum bz_mcp_what *ret) {
    for (unsigned i = 0; i < BZ_MCP_WHAT_COUNT; i++) {
        if (bz_view_eq(name, bz_view_str(infos[i].name))) {
            *ret = (enum bz_mcp_what)i;
            return true;
        }
    }
    return false;
}

bool bz_mcp_name_ok(enum bz_mcp_what w, struct bz_view name) {
    switch (w) {
    case BZ_MCP_TOOL:
    case BZ_MCP_PROMPT:
        return bz_mcp_tool_name_ok(name);
    case BZ_MCP_RESOURCE:
        return bz_mcp_uri_ok(name);
    case BZ_MCP_TEMPLATE:
        return bz_mcp_template_ok(name);
    case BZ_MCP_WHAT_COUNT:
        break;
    }
    return false;
}

struct bz_view bz_mcp_definition_name(enum bz_mcp_what w, const struct bz_json *definition) {
    return (unsigned)w < BZ_MCP_WHAT_COUNT
               ? bz_json_str(bz_json_get(definition, bz_view_str(infos[w].id)))
               : (struct bz_view){NULL, 0};
}

/* ---- can it be held against what is sent? ---- */

static enum bz_status wrong(char err[BZ_SCHEMA_ERROR], const char *what, const char *why) {
    if (snprintf(err, BZ_SCHEMA_ERROR, "%s: %s", what, why) < 0)
        err[0] = '\0';
    return BZ_ESYNTAX;
}

static enum bz_status schema(const struct bz_json *s, const char *name, struct bz_arena *ar,
                             char err[BZ_SCHEMA_ERROR]) {
    char why[BZ_SCHEMA_ERROR];
    if (!bz_json_is(s, BZ_JSON_OBJECT))
        return wrong(err, name, "a schema is an object");
    enum bz_status st = bz_schema_check(s, BZ_SCHEMA_PUBLISHED, ar, why);
    return st == BZ_ESYNTAX ? wrong(err, name, why) : st;
}

static enum bz_status tool(const struct bz_json *t, struct bz_arena *ar,
                           char err[BZ_SCHEMA_ERROR]) {
    const struct bz_json *output = bz_json_get(t, BZ_V("outputSchema"));
    BZ_TRY(schema(bz_json_get(t, BZ_V("inputSchema")), "inputSchema", ar, err));
    return output == NULL ? BZ_OK : schema(output, "outputSchema", ar, err);
}

static bool is_flag(const struct bz_json *v) {
    return v == NULL || v->type == BZ_JSON_TRUE || v->type == BZ_JSON_FALSE;
}

static bool named_before(const struct bz_json *first, const struct bz_json *a) {
    struct bz_view name = bz_json_str(bz_json_get(a, BZ_V("name")));
    for (; first != a; first = first->next)
        if (bz_view_eq(bz_json_str(bz_json_get(first, BZ_V("name"))), name))
            return true;
    return false;
}

static enum bz_status prompt(const struct bz_json *p, char err[BZ_SCHEMA_ERROR]) {
    const struct bz_json *list = bz_json_get(p, BZ_V("arguments"));
    if (list == NULL)
        return BZ_OK;
    if (!bz_json_is(list, BZ_JSON_ARRAY) || list->count > BZ_MCP_PROMPT_ARGUMENTS_MAX)
        return wrong(err, "arguments", "a list of at most 64 arguments belongs here");
    for (const struct bz_json *a = list->first; a != NULL; a = a->next)
        if (bz_json_str(bz_json_get(a, BZ_V("name"))).n == 0 ||
            !is_flag(bz_json_get(a, BZ_V("required"))) || named_before(list->first, a))
            return wrong(err, "arguments", "each has a name of its own, and may be required");
    return BZ_OK;
}

enum bz_status bz_mcp_definition_check(enum bz_mcp_what w, const struct bz_json *definition,
                                       struct bz_arena *ar, char err[BZ_SCHEMA_ERROR]) {
    err[0] = '\0';
    if (!bz_mcp_name_ok(w, bz_mcp_definition_name(w, definition)))
        return wrong(err, "name", "it has none that can be told from others");
    if (w == BZ_MCP_TOOL)
        return tool(definition, ar, err);
    return w == BZ_MCP_PROMPT ? prompt(definition, err) : BZ_OK;
}

void bz_mcp_prompt_schema(const struct bz_json *definition, struct bz_buf *out) {
    const struct bz_json *list = bz_json_get(definition, BZ_V("arguments"));
    const struct bz_json *first = list == NULL ? NULL : list->first;
    bool any = false;
    bz_buf_puts(out, "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
    for (const struct bz_json *a = first; a != NULL; a = a->next) {
        bz_buf_puts(out, a == first ? "" : ",");
        bz_json_write_str(out, bz_json_str(bz_json_get(a, BZ_V("name"))));
        bz_buf_puts(out, ":{\"type\":\"string\"}");
    }
    bz_buf_puts(out, "},\"required\":[");
    for (const struct bz_json *a = first; a != NULL; a = a->next) {
        if (!bz_json_is(bz_json_get(a, BZ_V("required")), BZ_JSON_TRUE))
            continue;
        bz_buf_puts(out, any ? "," : "");
        bz_json_write_str(out, bz_json_str(bz_json_get(a, BZ_V("name"))));
        any = true;
    }
    bz_buf_puts(out, "]}");
}
