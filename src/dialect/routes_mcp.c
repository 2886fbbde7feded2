/* MCP servers, streamable HTTP: one path, three methods. */
#include "routes.h"

static const struct bz_route rows[] = {
    {"POST", "/mcp/{server}", "mcp", "one message; methods, tools, arguments, results are checked",
     BZ_ACCESS_USER, BZ_DIALECT_MCP, BZ_API_MCP, BZ_ANSWER_BACKEND, false},
    {"GET", "/mcp/{server}", "mcp", "messages of the server to the client's own session",
     BZ_ACCESS_USER, BZ_DIALECT_MCP, BZ_API_NONE, BZ_ANSWER_BACKEND, false},
    {"DELETE", "/mcp/{server}", "mcp", "ends the client's own session", BZ_ACCESS_USER,
     BZ_DIALECT_MCP, BZ_API_NONE, BZ_ANSWER_BACKEND, false},
};
const struct bz_route_list bz_routes_mcp = {rows, sizeof rows / sizeof rows[0]};
