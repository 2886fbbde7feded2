/* llama-server: facts of tools/server/server.cpp and of the observed build (docs/ROUTES.md). */
#include "routes.h"

#define WHY_NATIVE "llama.cpp's own form of inference; every parameter is checked"
#define WHY_GCP "Vertex AI alias: reaches any handler by a name in the body"
#define WHY_CONV                                                                                   \
    "the conversation id is the only identity: any user can read or stop another's stream"
#define WHY_EXEC "built-in tools run commands and write files on the server"
#define WHY_SSRF "fetches any URL from inside the network"

static const struct bz_route rows[] = {
    USER("POST", "/v1/chat/completions", "chat", OPENAI, CHAT, WHY_CHAT),
    USER("POST", "/v1/completions", "completions", OPENAI, COMPLETIONS, WHY_CHAT),
    USER("POST", "/v1/embeddings", "embeddings", OPENAI, EMBEDDINGS, WHY_EMBED),
    USER("POST", "/v1/responses", "chat", RESPONSES, RESPONSES, WHY_CHAT),
    USER("POST", "/v1/messages", "chat", ANTHROPIC, MESSAGES, WHY_CHAT),
    OWN("/v1/models", "models", OPENAI, MODELS, WHY_MODELS),
    OWN("/v1/models/{model}", "models", OPENAI, MODEL, WHY_MODELS),
    LIVENESS,
    USER("POST", "/chat/completions", "chat", OPENAI, CHAT, "alias of /v1/chat/completions"),
    USER("POST", "/responses", "chat", RESPONSES, RESPONSES, "alias of /v1/responses"),
    USER("POST", "/completion", "completions", LLAMACPP, LLAMA_COMPLETION, WHY_NATIVE),
    USER("POST", "/completions", "completions", LLAMACPP, LLAMA_COMPLETION,
         "alias of /completion, not of /v1/completions"),
    USER("POST", "/infill", "completions", LLAMACPP, LLAMA_INFILL, WHY_NATIVE),
    USER("POST", "/embedding", "embeddings", LLAMACPP, LLAMA_EMBEDDING, WHY_EMBED),
    USER("POST", "/embeddings", "embeddings", LLAMACPP, LLAMA_EMBEDDING, WHY_EMBED),
    USER("POST", "/rerank", "rerank", OPENAI, RERANK, WHY_RERANK),
    USER("POST", "/reranking", "rerank", OPENAI, RERANK, WHY_RERANK),
    USER("POST", "/v1/rerank", "rerank", OPENAI, RERANK, WHY_RERANK),
    USER("POST", "/v1/reranking", "rerank", OPENAI, RERANK, WHY_RERANK),
    USER("POST", "/tokenize", "tokenize", LLAMACPP, TOKENIZE, WHY_COUNT),
    USER("POST", "/detokenize", "tokenize", LLAMACPP, DETOKENIZE, WHY_COUNT),
    USER("POST", "/v1/messages/count_tokens", "tokenize", ANTHROPIC, COUNT_TOKENS, WHY_COUNT),
    USER("POST", "/v1/chat/completions/input_tokens", "tokenize", OPENAI, CHAT, WHY_COUNT),
    USER("POST", "/chat/completions/input_tokens", "tokenize", OPENAI, CHAT, WHY_COUNT),
    USER("POST", "/v1/responses/input_tokens", "tokenize", RESPONSES, RESPONSES, WHY_COUNT),
    USER("POST", "/responses/input_tokens", "tokenize", RESPONSES, RESPONSES, WHY_COUNT),
    OWN("/models", "models", OPENAI, MODELS, WHY_MODELS),
    OWN("/v1/health", "health", OPENAI, HEALTH, "alias of /health, for callers with a key"),

    ADMIN("GET", "/slots", LLAMACPP, NONE, "shows the prompts of all users in work"),
    ADMIN("GET", "/props", LLAMACPP, NONE, "shows the model's path and template"),
    ADMIN("GET", "/metrics", LLAMACPP, NONE, "load and token counts of all users together"),
    ADMIN("GET", "/lora-adapters", LLAMACPP, NONE, "shows adapter paths"),
    ADMIN("POST", "/lora-adapters", LLAMACPP, OPAQUE, "changes adapter scales for everybody"),
    ADMIN("POST", "/models/load", LLAMACPP, OPAQUE, "router mode: model management"),
    ADMIN("POST", "/models/unload", LLAMACPP, OPAQUE, "router mode: model management"),
    ADMIN("DELETE", "/models", LLAMACPP, OPAQUE, "router mode: model management"),

    NEVER("POST", "/models", LLAMACPP, WHY_UNVERIFIED),
    NEVER("GET", "/models/sse", LLAMACPP, "endless stream about everybody's model loads"),
    NEVER("POST", "/slots/{id}", LLAMACPP,
          "saves, restores or erases another user's prompt, to files on the server"),
    NEVER("POST", "/props", LLAMACPP, "changes the defaults of all users; set them when starting"),
    NEVER("POST", "/apply-template", LLAMACPP, WHY_RENDER),
    NEVER("GET", "/tools", LLAMACPP, WHY_EXEC),
    NEVER("POST", "/tools", LLAMACPP, WHY_EXEC),
    NEVER("GET", "/cors-proxy", LLAMACPP, WHY_SSRF),
    NEVER("POST", "/cors-proxy", LLAMACPP, WHY_SSRF),
    NEVER("GET", "/v1/stream/{id}", LLAMACPP, WHY_CONV),
    NEVER("DELETE", "/v1/stream/{id}", LLAMACPP, WHY_CONV),
    NEVER("GET", "/v1/streams", LLAMACPP, WHY_CONV),
    NEVER("POST", "/v1/streams", LLAMACPP, WHY_CONV),
    NEVER("POST", "/v1/chat/completions/control", LLAMACPP, "acts on any generation in work"),
    NEVER("GET", "/v1/responses/{id}", RESPONSES, WHY_STORED),
    NEVER("DELETE", "/v1/responses/{id}", RESPONSES, WHY_STORED),
    NEVER("POST", "/v1/audio/transcriptions", OPENAI, WHY_AUDIO),
    NEVER("POST", "/audio/transcriptions", OPENAI, WHY_AUDIO),
    NEVER("POST", "/v1/systemone", LLAMACPP, "purpose unclear, seen in the manual only"),
    NEVER("POST", "/predict", LLAMACPP, WHY_GCP),
    NEVER("POST", "/v1/endpoints/{endpoint}/deployedModels/{model}", LLAMACPP, WHY_GCP),
};

const struct bz_route_list bz_routes_llamacpp = {rows, sizeof rows / sizeof rows[0]};
