/* vLLM: docs/usage/security.md. Its own key protects some routes only (vllm #58144), so everything
 * else is decided here. */
#include "routes.h"

#define WHY_KEYLESS "serves without the server's key; use the /v1 route, which is screened"
#define WHY_WEIGHTS "replaces the model's weights in the running server"
#define WHY_SCHEDULER "stops or steers the requests of all users"
#define WHY_PROFILE "writes traces of everybody's requests to the server's disk"
#define WHY_CACHE "drops a cache that all users share"

static const struct bz_route rows[] = {
    USER("POST", "/v1/chat/completions", "chat", OPENAI, CHAT, WHY_CHAT),
    USER("POST", "/v1/completions", "completions", OPENAI, COMPLETIONS, WHY_CHAT),
    USER("POST", "/v1/embeddings", "embeddings", OPENAI, EMBEDDINGS, WHY_EMBED),
    USER("POST", "/v1/responses", "chat", RESPONSES, RESPONSES, WHY_CHAT),
    USER("POST", "/v1/messages", "chat", ANTHROPIC, MESSAGES, WHY_CHAT),
    OWN("/v1/models", "models", OPENAI, MODELS, WHY_MODELS),
    OWN("/v1/models/{model}", "models", OPENAI, MODEL, WHY_MODELS),
    LIVENESS,
    USER("POST", "/v1/messages/count_tokens", "tokenize", ANTHROPIC, COUNT_TOKENS, WHY_COUNT),
    USER("POST", "/v1/score", "rerank", OPENAI, SCORE, WHY_RERANK),
    USER("POST", "/v1/rerank", "rerank", OPENAI, RERANK, WHY_RERANK),
    USER("POST", "/v2/rerank", "rerank", OPENAI, RERANK, WHY_RERANK),
    USER("POST", "/v2/embed", "embeddings", OPENAI, EMBEDDINGS, WHY_EMBED),
    USER("POST", "/tokenize", "tokenize", OPENAI, TOKENIZE, WHY_COUNT),
    USER("POST", "/detokenize", "tokenize", OPENAI, DETOKENIZE, WHY_COUNT),

    ADMIN("GET", "/metrics", OPENAI, NONE, "load and token counts of all users together"),
    ADMIN("GET", "/load", OPENAI, NONE, "load of all users together"),
    ADMIN("GET", "/version", OPENAI, NONE, "tells an attacker which holes are open"),
    ADMIN("GET", "/server_info", OPENAI, NONE, "the whole configuration"),
    ADMIN("GET", "/tokenizer_info", OPENAI, NONE, "shows the chat template"),
    ADMIN("POST", "/sleep", OPENAI, NONE, "frees the accelerator; stops everybody"),
    ADMIN("POST", "/wake_up", OPENAI, NONE, "model management"),
    ADMIN("GET", "/is_sleeping", OPENAI, NONE, "model management"),
    ADMIN("POST", "/reset_prefix_cache", OPENAI, NONE, WHY_CACHE),
    ADMIN("POST", "/reset_mm_cache", OPENAI, NONE, WHY_CACHE),
    ADMIN("POST", "/reset_encoder_cache", OPENAI, NONE, WHY_CACHE),
    ADMIN("POST", "/v1/load_lora_adapter", OPENAI, OPAQUE, "model management"),
    ADMIN("POST", "/v1/unload_lora_adapter", OPENAI, OPAQUE, "model management"),

    NEVER("POST", "/v1/chat/completions/batch", OPENAI,
          "several conversations in one body; screening and limits work per conversation"),
    NEVER("POST", "/v1/chat/completions/render", OPENAI, WHY_RENDER),
    NEVER("POST", "/v1/completions/render", OPENAI, WHY_RENDER),
    NEVER("GET", "/v1/responses/{id}", RESPONSES, WHY_STORED),
    NEVER("POST", "/v1/responses/{id}/cancel", RESPONSES, WHY_STORED),
    NEVER("POST", "/v1/audio/transcriptions", OPENAI, WHY_AUDIO),
    NEVER("POST", "/v1/audio/translations", OPENAI, WHY_AUDIO),
    NEVER("POST", "/v1/audio/speech", OPENAI, WHY_AUDIO),
    NEVER("GET", "/v1/realtime", OPENAI, "WebSocket traffic cannot be screened yet"),
    NEVER("POST", "/invocations", OPENAI, "full completion without the server's key (vllm #58144)"),
    NEVER("POST", "/inference/v1/generate", OPENAI, "token-id prompts around the chat template"),
    NEVER("POST", "/pooling", OPENAI, WHY_KEYLESS),
    NEVER("POST", "/classify", OPENAI, WHY_KEYLESS),
    NEVER("POST", "/score", OPENAI, WHY_KEYLESS),
    NEVER("POST", "/rerank", OPENAI, WHY_KEYLESS),
    NEVER("POST", "/generative_scoring", OPENAI, WHY_KEYLESS),
    NEVER("GET", "/ping", OPENAI, "the gateway's own GET /health answers liveness"),
    NEVER("POST", "/ping", OPENAI, "the gateway's own GET /health answers liveness"),
    NEVER("POST", "/pause", OPENAI, WHY_SCHEDULER),
    NEVER("POST", "/resume", OPENAI, WHY_SCHEDULER),
    NEVER("GET", "/is_paused", OPENAI, WHY_SCHEDULER),
    NEVER("POST", "/abort_requests", OPENAI, WHY_SCHEDULER),
    NEVER("POST", "/scale_elastic_ep", OPENAI, WHY_SCHEDULER),
    NEVER("POST", "/is_scaling_elastic_ep", OPENAI, WHY_SCHEDULER),
    NEVER("POST", "/init_weight_transfer_engine", OPENAI, WHY_WEIGHTS),
    NEVER("POST", "/update_weights", OPENAI, WHY_WEIGHTS),
    NEVER("POST", "/collective_rpc", OPENAI, "calls any method of the workers"),
    NEVER("POST", "/start_profile", OPENAI, WHY_PROFILE),
    NEVER("POST", "/stop_profile", OPENAI, WHY_PROFILE),
};

const struct bz_route_list bz_routes_vllm = {rows, sizeof rows / sizeof rows[0]};
