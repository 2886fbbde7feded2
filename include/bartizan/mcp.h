/* Model Context Protocol, streamable HTTP: messages, tool definitions and their pins. Pure; the gateway
 * stands between client and server with it. Source: modelcontextprotocol.io, revision 2025-06-18
 * (2025-03-26 and 2024-11-05 are negotiated too); threats: docs/MCP.md. */
#ifndef BARTIZAN_MCP_H
#define BARTIZAN_MCP_H

#include <bartizan/arena.h>
#include <bartizan/crypto.h>
#include <bartizan/json.h>

/* Digest of a tool's definition: SHA-256 over its canonical JSON (sorted keys; name, title,
 * description, inputSchema, outputSchema, annotations, and whatever else it has but _meta). */
enum bz_status bz_mcp_tool_digest(const struct bz_json *tool, struct bz_arena *ar,
                                  uint8_t out[BZ_HASH_LEN]) BZ_MUST_USE;

struct bz_mcp_pin {
    struct bz_view tool;
    uint8_t digest[BZ_HASH_LEN];
};
struct bz_mcp_server {
    struct bz_view name;           /* route: /mcp/NAME */
    uint32_t backend;              /* index in the image */
    const struct bz_mcp_pin *pins; /* approved */
    size_t pins_n;
};
enum bz_status bz_mcp_compile(const struct bz_mcp_server *s, size_t n,
                              struct bz_buf *out) BZ_MUST_USE;
struct bz_mcp { /* a checked view of a blob */
    struct bz_view bytes;
};
enum bz_status bz_mcp_open(struct bz_view blob, struct bz_mcp *ret) BZ_MUST_USE;
bool bz_mcp_approved(const struct bz_mcp *m, struct bz_view server, struct bz_view tool,
                     const uint8_t digest[BZ_HASH_LEN]);

#endif
