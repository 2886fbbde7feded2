/* Any other server that speaks Anthropic Messages. */
#include "routes.h"

#define WHY_BATCH "kept on the server and shared by everybody behind the gateway's one key"

static const struct bz_route rows[] = {
    USER("POST", "/v1/messages", "chat", ANTHROPIC, MESSAGES, WHY_CHAT),
    USER("POST", "/v1/messages/count_tokens", "tokenize", ANTHROPIC, COUNT_TOKENS, WHY_COUNT),
    OWN("/v1/models", "models", ANTHROPIC, MODELS, WHY_MODELS),
    OWN("/v1/models/{model}", "models", ANTHROPIC, MODEL, WHY_MODELS),
    LIVENESS,

    NEVER("POST", "/v1/messages/batches", ANTHROPIC, WHY_BATCH),
    NEVER("GET", "/v1/messages/batches", ANTHROPIC, WHY_BATCH),
    NEVER("GET", "/v1/messages/batches/{id}", ANTHROPIC, WHY_BATCH),
    NEVER("DELETE", "/v1/messages/batches/{id}", ANTHROPIC, WHY_BATCH),
    NEVER("POST", "/v1/messages/batches/{id}/cancel", ANTHROPIC, WHY_BATCH),
    NEVER("GET", "/v1/messages/batches/{id}/results", ANTHROPIC, WHY_BATCH),
    NEVER("POST", "/v1/files", ANTHROPIC, WHY_FILES),
    NEVER("GET", "/v1/files", ANTHROPIC, WHY_FILES),
    NEVER("GET", "/v1/files/{id}", ANTHROPIC, WHY_FILES),
    NEVER("DELETE", "/v1/files/{id}", ANTHROPIC, WHY_FILES),
    NEVER("GET", "/v1/files/{id}/content", ANTHROPIC, WHY_FILES),
    NEVER("POST", "/v1/skills", ANTHROPIC, "code that the server runs"),
    NEVER("GET", "/v1/skills", ANTHROPIC, WHY_BATCH),
    NEVER("POST", "/v1/complete", ANTHROPIC, "the old completion API; use /v1/messages"),
};

const struct bz_route_list bz_routes_anthropic = {rows, sizeof rows / sizeof rows[0]};
