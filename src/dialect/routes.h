/* Rows of the route tables. The first rows of a table are the hot ones: bz_route_find stops at the
 * first match. */
#ifndef BARTIZAN_DIALECT_ROUTES_H
#define BARTIZAN_DIALECT_ROUTES_H

#include <bartizan/dialect.h>

/* Anybody with a key whose scope names it. */
#define USER(method, path, scope, dialect, api, why)                                               \
    {                                                                                              \
        method, path, scope, why, BZ_ACCESS_USER, BZ_DIALECT_##dialect, BZ_API_##api,              \
            BZ_ANSWER_BACKEND, true                                                                \
    }
/* Answered by the gateway itself: filtered by what the caller may use, never the server's own list.
 */
#define OWN(path, scope, dialect, answer, why)                                                     \
    {                                                                                              \
        "GET", path, scope, why, BZ_ACCESS_USER, BZ_DIALECT_##dialect, BZ_API_NONE,                \
            BZ_ANSWER_##answer, false                                                              \
    }
#define ADMIN(method, path, dialect, api, why)                                                     \
    {                                                                                              \
        method, path, "manage", why, BZ_ACCESS_ADMIN, BZ_DIALECT_##dialect, BZ_API_##api,          \
            BZ_ANSWER_BACKEND, false                                                               \
    }
#define NEVER(method, path, dialect, why)                                                          \
    {                                                                                              \
        method, path, "never", why, BZ_ACCESS_NEVER, BZ_DIALECT_##dialect, BZ_API_NONE,            \
            BZ_ANSWER_BACKEND, false                                                               \
    }
#define LIVENESS                                                                                   \
    {                                                                                              \
        "GET", "/health", "health",                                                                \
            "liveness of the gateway; says nothing about a backend or tenant", BZ_ACCESS_PUBLIC,   \
            BZ_DIALECT_OPENAI, BZ_API_NONE, BZ_ANSWER_HEALTH, false                                \
    }

/* Reasons that several servers share. */
#define WHY_CHAT "inference on the caller's own text; every parameter is checked"
#define WHY_EMBED "embeds the caller's own text; every parameter is checked"
#define WHY_RERANK "ranks the caller's own texts; every parameter is checked"
#define WHY_COUNT "counts the caller's own tokens; nothing is generated"
#define WHY_MODELS "the gateway's own list: only models the caller may use"
#define WHY_AUDIO "multipart and audio bodies cannot be screened yet"
#define WHY_STORED "a stored response's id is the only identity: whoever knows it reads or stops it"
#define WHY_RENDER "returns the rendered prompt, system prompt and template included"
#define WHY_FILES "stored files are shared by everybody who uses the server's one key"
#define WHY_IMAGES "generated images cannot be screened yet"
#define WHY_UNVERIFIED                                                                             \
    "model files come through the registry or not at all: until it vouches for them, never"

struct bz_route_list {
    const struct bz_route *rows;
    size_t n;
};
extern const struct bz_route_list bz_routes_llamacpp, bz_routes_ollama, bz_routes_vllm,
    bz_routes_openai, bz_routes_anthropic, bz_routes_mcp;

#endif
