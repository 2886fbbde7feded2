#include <bartizan/dialect.h>

static const char *const server_names[BZ_SERVER_COUNT] = {
    [BZ_SERVER_LLAMACPP] = "llama.cpp",  [BZ_SERVER_OLLAMA] = "ollama",
    [BZ_SERVER_VLLM] = "vllm",           [BZ_SERVER_OPENAI] = "openai",
    [BZ_SERVER_ANTHROPIC] = "anthropic",
};

const char *bz_server_name(enum bz_server s) {
    if (s == BZ_SERVER_MCP)
        return "mcp";
    return (unsigned)s < BZ_SERVER_COUNT ? server_names[s] : "unknown";
}

bool bz_server_from_name(struct bz_view name, enum bz_server *ret) {
    for (unsigned i = 0; i < BZ_SERVER_COUNT; i++) {
        if (bz_view_eq(name, bz_view_str(server_names[i]))) {
            *ret = (enum bz_server)i;
            return true;
        }
    }
    return false;
}
