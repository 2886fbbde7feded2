/* Ollama: server/routes.go. The server has no authentication of its own. */
#include "routes.h"

#define WHY_CLOUD "sends queries out of the building to a cloud service, signed with the host's key"
#define WHY_ACCOUNT "the host's own cloud account"

static const struct bz_route rows[] = {
    USER("POST", "/api/chat", "chat", OLLAMA, OLLAMA_CHAT, WHY_CHAT),
    USER("POST", "/v1/chat/completions", "chat", OPENAI, CHAT, WHY_CHAT),
    USER("POST", "/api/generate", "completions", OLLAMA, OLLAMA_GENERATE, WHY_CHAT),
    USER("POST", "/api/embed", "embeddings", OLLAMA, OLLAMA_EMBED, WHY_EMBED),
    USER("POST", "/api/embeddings", "embeddings", OLLAMA, OLLAMA_EMBEDDINGS, WHY_EMBED),
    USER("POST", "/v1/completions", "completions", OPENAI, COMPLETIONS, WHY_CHAT),
    USER("POST", "/v1/embeddings", "embeddings", OPENAI, EMBEDDINGS, WHY_EMBED),
    USER("POST", "/v1/responses", "chat", RESPONSES, RESPONSES, WHY_CHAT),
    USER("POST", "/v1/messages", "chat", ANTHROPIC, MESSAGES, WHY_CHAT),
    OWN("/v1/models", "models", OPENAI, MODELS, WHY_MODELS),
    OWN("/v1/models/{model}", "models", OPENAI, MODEL, WHY_MODELS),
    OWN("/api/tags", "models", OLLAMA, OLLAMA_TAGS, WHY_MODELS),
    OWN("/api/ps", "models", OLLAMA, OLLAMA_PS, WHY_MODELS),
    OWN("/api/version", "models", OLLAMA, OLLAMA_VERSION,
        "clients ask it first; the gateway answers"),
    LIVENESS,

    ADMIN("POST", "/api/show", OLLAMA, OLLAMA_SHOW,
          "shows system prompt, template and licence texts"),
    ADMIN("POST", "/api/copy", OLLAMA, OPAQUE, "model management: a new name for a model"),
    ADMIN("DELETE", "/api/delete", OLLAMA, OPAQUE, "model management"),
    ADMIN("GET", "/api/status", OLLAMA, NONE, "tells whether the server may reach the cloud"),

    NEVER("POST", "/api/pull", OLLAMA, WHY_UNVERIFIED),
    NEVER("POST", "/api/push", OLLAMA, "sends model files out of the building (CVE-2026-7482)"),
    NEVER("POST", "/api/create", OLLAMA, WHY_UNVERIFIED),
    NEVER("POST", "/api/blobs/{digest}", OLLAMA, WHY_UNVERIFIED),
    NEVER("HEAD", "/api/blobs/{digest}", OLLAMA, "tells which files the host has"),
    NEVER("POST", "/api/me", OLLAMA, WHY_ACCOUNT),
    NEVER("POST", "/api/signout", OLLAMA, WHY_ACCOUNT),
    NEVER("DELETE", "/api/user/keys/{key}", OLLAMA, WHY_ACCOUNT),
    NEVER("POST", "/api/experimental/web_search", OLLAMA, WHY_CLOUD),
    NEVER("POST", "/api/experimental/web_fetch", OLLAMA, WHY_CLOUD),
    NEVER("GET", "/api/experimental/model-recommendations", OLLAMA, WHY_CLOUD),
    NEVER("POST", "/api/web_search", OLLAMA, WHY_CLOUD),
    NEVER("POST", "/api/web_fetch", OLLAMA, WHY_CLOUD),
    NEVER("POST", "/v1/audio/transcriptions", OPENAI, WHY_AUDIO),
    NEVER("POST", "/v1/images/generations", OPENAI, WHY_IMAGES),
    NEVER("POST", "/v1/images/edits", OPENAI, WHY_IMAGES),
    NEVER("POST", "/v1/responses/compact", RESPONSES, "hands back the history as opaque text"),
    NEVER("GET", "/v1/responses/{id}", RESPONSES, WHY_STORED),
    NEVER("DELETE", "/v1/responses/{id}", RESPONSES, WHY_STORED),
    NEVER("POST", "/v1/systemone", OLLAMA, "a cloud decision model; not screened"),
};

const struct bz_route_list bz_routes_ollama = {rows, sizeof rows / sizeof rows[0]};
