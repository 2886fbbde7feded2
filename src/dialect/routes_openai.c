/* Any other server that speaks the OpenAI API. What the API keeps on the server belongs to the one
 * key behind the gateway, so all callers would share it: stored objects never pass. */
#include "routes.h"

#define WHY_STATE "objects kept on the server are shared by everybody behind the gateway's one key"
#define WHY_REALTIME "WebSocket and WebRTC traffic cannot be screened yet"

static const struct bz_route rows[] = {
    USER("POST", "/v1/chat/completions", "chat", OPENAI, CHAT, WHY_CHAT),
    USER("POST", "/v1/completions", "completions", OPENAI, COMPLETIONS, WHY_CHAT),
    USER("POST", "/v1/embeddings", "embeddings", OPENAI, EMBEDDINGS, WHY_EMBED),
    USER("POST", "/v1/responses", "chat", RESPONSES, RESPONSES, WHY_CHAT),
    OWN("/v1/models", "models", OPENAI, MODELS, WHY_MODELS),
    OWN("/v1/models/{model}", "models", OPENAI, MODEL, WHY_MODELS),
    LIVENESS,
    USER("POST", "/v1/rerank", "rerank", OPENAI, RERANK, WHY_RERANK),
    USER("POST", "/v1/responses/input_tokens", "tokenize", RESPONSES, RESPONSES, WHY_COUNT),

    NEVER("GET", "/v1/chat/completions", OPENAI, WHY_STORED),
    NEVER("GET", "/v1/chat/completions/{id}", OPENAI, WHY_STORED),
    NEVER("POST", "/v1/chat/completions/{id}", OPENAI, WHY_STORED),
    NEVER("DELETE", "/v1/chat/completions/{id}", OPENAI, WHY_STORED),
    NEVER("GET", "/v1/responses/{id}", RESPONSES, WHY_STORED),
    NEVER("DELETE", "/v1/responses/{id}", RESPONSES, WHY_STORED),
    NEVER("POST", "/v1/responses/{id}/cancel", RESPONSES, WHY_STORED),
    NEVER("GET", "/v1/responses/{id}/input_items", RESPONSES, WHY_STORED),
    NEVER("POST", "/v1/responses/compact", RESPONSES, "hands back the history as opaque text"),
    NEVER("DELETE", "/v1/models/{model}", OPENAI, WHY_STATE),
    NEVER("POST", "/v1/conversations", OPENAI, WHY_STATE),
    NEVER("GET", "/v1/conversations/{id}", OPENAI, WHY_STATE),
    NEVER("POST", "/v1/files", OPENAI, WHY_FILES),
    NEVER("GET", "/v1/files", OPENAI, WHY_FILES),
    NEVER("GET", "/v1/files/{id}", OPENAI, WHY_FILES),
    NEVER("DELETE", "/v1/files/{id}", OPENAI, WHY_FILES),
    NEVER("GET", "/v1/files/{id}/content", OPENAI, WHY_FILES),
    NEVER("POST", "/v1/uploads", OPENAI, WHY_FILES),
    NEVER("POST", "/v1/vector_stores", OPENAI, WHY_FILES),
    NEVER("GET", "/v1/vector_stores", OPENAI, WHY_FILES),
    NEVER("POST", "/v1/batches", OPENAI,
          "takes its requests from a stored file: nothing to screen"),
    NEVER("GET", "/v1/batches", OPENAI, WHY_STATE),
    NEVER("POST", "/v1/fine_tuning/jobs", OPENAI, "trains on stored files"),
    NEVER("GET", "/v1/fine_tuning/jobs", OPENAI, WHY_STATE),
    NEVER("POST", "/v1/assistants", OPENAI, WHY_STATE),
    NEVER("POST", "/v1/threads", OPENAI, WHY_STATE),
    NEVER("POST", "/v1/threads/runs", OPENAI, WHY_STATE),
    NEVER("POST", "/v1/containers", OPENAI, "runs code on the server"),
    NEVER("POST", "/v1/evals", OPENAI, WHY_STATE),
    NEVER("POST", "/v1/moderations", OPENAI, "not screened yet"),
    NEVER("POST", "/v1/images/generations", OPENAI, WHY_IMAGES),
    NEVER("POST", "/v1/images/edits", OPENAI, WHY_IMAGES),
    NEVER("POST", "/v1/images/variations", OPENAI, WHY_IMAGES),
    NEVER("POST", "/v1/videos", OPENAI, WHY_IMAGES),
    NEVER("POST", "/v1/audio/transcriptions", OPENAI, WHY_AUDIO),
    NEVER("POST", "/v1/audio/translations", OPENAI, WHY_AUDIO),
    NEVER("POST", "/v1/audio/speech", OPENAI, WHY_AUDIO),
    NEVER("GET", "/v1/realtime", OPENAI, WHY_REALTIME),
    NEVER("POST", "/v1/realtime/sessions", OPENAI, WHY_REALTIME),
    NEVER("POST", "/v1/realtime/client_secrets", OPENAI, WHY_REALTIME),
    NEVER("POST", "/v1/realtime/calls", OPENAI, WHY_REALTIME),
};

const struct bz_route_list bz_routes_openai = {rows, sizeof rows / sizeof rows[0]};
