/* Each LLM API once: routes and who may reach them, parameters and their ranges, error shapes,
 * stream framing. Pure tables and functions; source of the facts: docs/ROUTES.md (generated) names
 * the reason of every decision. */
#ifndef BARTIZAN_DIALECT_H
#define BARTIZAN_DIALECT_H

#include <bartizan/json.h>

/* What runs behind the gateway. */
enum bz_server {
    BZ_SERVER_LLAMACPP,
    BZ_SERVER_OLLAMA,
    BZ_SERVER_VLLM,
    BZ_SERVER_OPENAI,    /* any other server that speaks the OpenAI API */
    BZ_SERVER_ANTHROPIC, /* any other server that speaks Anthropic Messages */
    BZ_SERVER_COUNT,     /* of model servers: what has models, parameters and a table of routes */
    BZ_SERVER_MCP = BZ_SERVER_COUNT /* a tool server (mcp.h): has a place among the backends alone */
};
const char *
bz_server_name(enum bz_server s); /* "llama.cpp", "ollama", "vllm", "openai", "anthropic" */
bool bz_server_from_name(struct bz_view name, enum bz_server *ret);

/* Shape of errors and streams. */
enum bz_dialect {
    BZ_DIALECT_OPENAI,    /* {"error":{message,type,param,code}}, SSE data: ... [DONE] */
    BZ_DIALECT_RESPONSES, /* as OpenAI; SSE with event: types, ends with response.completed */
    BZ_DIALECT_ANTHROPIC, /* {"type":"error","error":{type,message}}, SSE with event: types, ends
                             message_stop */
    BZ_DIALECT_OLLAMA,    /* {"error":"..."}, NDJSON, ends with "done":true */
    BZ_DIALECT_LLAMACPP,  /* native llama.cpp: error object with code; SSE without [DONE], ends with
                             "stop":true */
    BZ_DIALECT_MCP,       /* JSON-RPC error object; SSE of JSON-RPC messages, ends when it ends */
    BZ_DIALECT_COUNT
};

/* Grammar of a request body. */
enum bz_api {
    BZ_API_NONE, /* no body */
    BZ_API_CHAT,
    BZ_API_COMPLETIONS,
    BZ_API_EMBEDDINGS,
    BZ_API_RESPONSES,
    BZ_API_MESSAGES,
    BZ_API_COUNT_TOKENS,
    BZ_API_OLLAMA_CHAT,
    BZ_API_OLLAMA_GENERATE,
    BZ_API_OLLAMA_EMBED,
    BZ_API_OLLAMA_EMBEDDINGS,
    BZ_API_OLLAMA_SHOW,
    BZ_API_LLAMA_COMPLETION,
    BZ_API_LLAMA_INFILL,
    BZ_API_LLAMA_EMBEDDING,
    BZ_API_RERANK,
    BZ_API_SCORE,
    BZ_API_TOKENIZE,
    BZ_API_DETOKENIZE,
    BZ_API_OPAQUE, /* admin-only management bodies: strict JSON object, no parameter table */
    BZ_API_MCP,    /* one JSON-RPC message (mcp.h); what it may say is checked by the gateway */
    BZ_API_COUNT
};

enum bz_access {
    BZ_ACCESS_NEVER, /* 403 for everybody, reason given */
    BZ_ACCESS_ADMIN,
    BZ_ACCESS_USER,
    BZ_ACCESS_PUBLIC, /* liveness only; carries nothing of a tenant */
    BZ_ACCESS_COUNT
};

/* Who answers. */
enum bz_answer {
    BZ_ANSWER_BACKEND,
    BZ_ANSWER_MODELS,      /* OpenAI list, merged and filtered by the gateway */
    BZ_ANSWER_MODEL,       /* one model of it: /v1/models/{model} */
    BZ_ANSWER_OLLAMA_TAGS, /* the same for Ollama's /api/tags */
    BZ_ANSWER_OLLAMA_PS,
    BZ_ANSWER_OLLAMA_VERSION,
    BZ_ANSWER_HEALTH, /* the gateway's own */
    BZ_ANSWER_COUNT
};

struct bz_route {
    const char *method; /* "GET", "POST", ... */
    const char *path;   /* "/v1/responses/{id}": a {name} segment matches [A-Za-z0-9._:@-]+ once */
    const char *scope;  /* what a key's scope names: "chat", "completions", "embeddings", "models",
                           "rerank", "tokenize", "manage", ... */
    const char *reason; /* why it is decided so; for docs/ROUTES.md and `policy explain` */
    enum bz_access access;
    enum bz_dialect dialect;
    enum bz_api api;
    enum bz_answer answer;
    bool model_required; /* 400 without a model when more than one is served */
};

enum bz_route_match {
    BZ_ROUTE_UNKNOWN, /* no such path for this server: 404 */
    BZ_ROUTE_METHOD,  /* path known, method not: 405 */
    BZ_ROUTE_FOUND
};
/* `path` is the decoded, normalised path. ret_id: the bytes a {name} segment matched, lent from
 * path. */
enum bz_route_match bz_route_find(enum bz_server server, struct bz_view method, struct bz_view path,
                                  const struct bz_route **ret, struct bz_view *ret_id);
/* Whole table of a server; for the generated tests, docs and `policy explain`. Static. */
const struct bz_route *bz_route_table(enum bz_server server, size_t *ret_n);
/* The routes of MCP servers, "/mcp/{server}", which no model server has: as the two above. */
enum bz_route_match bz_route_find_mcp(struct bz_view method, struct bz_view path,
                                      const struct bz_route **ret, struct bz_view *ret_server);
const struct bz_route *bz_route_table_mcp(size_t *ret_n);
bool bz_route_is_mcp(struct bz_view path);
/* Best guess of the error shape before any route is known (unknown paths, nginx's own errors). */
enum bz_dialect bz_dialect_of_path(struct bz_view path);

/* docs/ROUTES.md: every route and parameter with its decision and reason. Failures are latched in
 * `out`. */
void bz_dialect_write_docs(struct bz_buf *out);

/* Ranges that policy may narrow per role. All inclusive; 0 for a maximum means "not allowed at
 * all". */
struct bz_param_limits {
    uint32_t max_tokens;   /* output tokens per choice; also written into requests that name none */
    uint32_t max_choices;  /* n, best_of, and prompts of a list times these */
    uint32_t max_logprobs; /* logprobs, top_logprobs, n_probs */
    uint32_t max_stop;     /* stop sequences */
    uint32_t max_grammar;  /* bytes of grammar, json schema, regex */
    uint32_t max_tools;
    uint32_t max_messages;
    uint32_t max_inputs;      /* array inputs of embeddings, rerank, prompt lists */
    uint32_t max_media_bytes; /* inline base64 of one part; remote URLs never pass */
    bool allow_token_prompts; /* token-id prompts: they cannot be screened as text */
    bool allow_echo;          /* echo, prefill (continue_final_message ...) */
    bool allow_grammar;       /* raw grammars and regular expressions; JSON schemas need no leave */
    bool allow_load_options;  /* what makes Ollama load or unload: num_ctx, keep_alive ... */
};
extern const struct bz_param_limits bz_param_limits_default;

/* What a checked body says. Views live as long as the tree. */
struct bz_req_facts {
    struct bz_view model;
    struct bz_json *model_node; /* NULL when the body names none */
    bool stream;                /* with the server's own default applied (Ollama: true) */
    bool strip_usage;    /* stream_options.include_usage was added by us: the extra usage event is
                            dropped */
    uint32_t max_tokens; /* per choice, after the cap was applied; 0 where the API has none */
    uint32_t choices;
    uint64_t text_bytes; /* bytes of prompt text, for the token estimate (bytes / 4, rounded up) */
    bool tools;
};
struct bz_param_error {
    char param[96];  /* path such as "messages[2].content[0].image_url.url", escaped, cut */
    const char *why; /* static */
    const char *fix; /* static; what to do; may be NULL */
    uint64_t offset;
    uint16_t status; /* 400, or 403 when it is policy that forbids */
};
/* Checks every member of `root` against the parameter table of route->api as `server` knows it;
 * unknown members are refused (default deny). Applies our own edits to the tree (token cap,
 * stream_options.include_usage). OK; EDENIED (err filled); ENOMEM. */
enum bz_status bz_dialect_check(const struct bz_route *route, enum bz_server server,
                                struct bz_json *root, const struct bz_param_limits *lim,
                                struct bz_arena *ar, struct bz_req_facts *ret,
                                struct bz_param_error *err) BZ_MUST_USE;

/* An error reply that the dialect's SDK turns into its own typed error for `status`.
 * code: our stable code, e.g. "invalid_api_key"; param may be empty; id: request id. */
struct bz_error {
    uint16_t status;
    const char *code;
    struct bz_view message;
    struct bz_view param;
    struct bz_view request_id;
};
void bz_dialect_error(enum bz_dialect d, const struct bz_error *e, struct bz_buf *out);
/* A JSON-RPC error response. id: of the request that it answers, as written; NULL: none is known. */
void bz_dialect_rpc_error(const struct bz_json *id, const struct bz_error *e, struct bz_buf *out);
/* The same as a stream event (SSE event or NDJSON line), complete with framing; never followed by a
 * normal ending. */
void bz_dialect_error_event(enum bz_dialect d, const struct bz_error *e, struct bz_buf *out);
/* The model server's own error reply (already parsed or NULL) turned into ours: known safe types
 * and numbers are kept, text is replaced. ret_status: what the client gets. */
void bz_dialect_upstream_error(enum bz_dialect d, uint16_t upstream_status,
                               const struct bz_json *body, struct bz_view request_id,
                               struct bz_buf *out, uint16_t *ret_status);

struct bz_usage {
    uint64_t prompt, completion;
    bool known; /* from the server; otherwise completion counts events (streams only) */
};
/* Checks a whole (non-streamed) reply and reads its token counts. OK; ESYNTAX when it is no reply
 * of that API. */
enum bz_status bz_reply_check(const struct bz_route *route, const struct bz_json *root,
                              struct bz_usage *ret) BZ_MUST_USE;

/* One stream of events. Bytes come in in any cut; only whole, checked events go out, their data
 * byte for byte as it came. Framing is normalised: LF, "data: ", comments as ":", no ids, retry or
 * unknown fields; event names only where the dialect has them. Same output for every cut of the
 * input. State is small (<= 144 bytes); a partial event is kept in a heap buffer only while there
 * is one. */
/* Takes an event that was checked and would leave now. data: its JSON text as it came, root its tree
 * (NULL for OpenAI's [DONE]). What may leave is appended with bz_stream_put. */
typedef enum bz_status bz_stream_event_fn(void *ctx, struct bz_view name, struct bz_view data,
                                          struct bz_json *root, struct bz_arena *scratch,
                                          struct bz_buf *out);
/* The same for a usual event (bz_shapes): no tree was made. `channel`: of the text (fields.h). MORE:
 * nothing was done, it has to come as an event. */
typedef enum bz_status bz_stream_delta_fn(void *ctx, struct bz_view name, struct bz_view data,
                                          struct bz_view text, uint64_t channel,
                                          struct bz_arena *scratch, struct bz_buf *out);

/* Forms of usual events: everything but one text and a few values that steer nothing (ids, times),
 * byte for byte as in an event that was parsed and walked. One set per worker, for all its streams;
 * zeroed before its first use. */
#define BZ_SHAPES 8
#define BZ_SHAPE_MAX 448
#define BZ_SHAPE_HOLES 4
struct bz_shape {
    const struct bz_route *route; /* NULL: none is kept here */
    uint64_t channel;             /* of its text */
    uint16_t n;                   /* bytes of `fixed` */
    uint16_t at[BZ_SHAPE_HOLES];  /* holes: places in `fixed`, rising */
    uint8_t holes, text, numbers; /* how many; which one is the text; bit per number */
    uint8_t name_n;               /* `fixed` begins with the event's name */
    uint8_t fixed[BZ_SHAPE_MAX];
};
struct bz_shapes {
    struct bz_shape v[BZ_SHAPES];
    uint8_t last, next; /* matched last; taken next for a new one */
};
/* Keeps the form of an event that passed; root: its tree as parsed. Nothing is kept of an event that
 * has more than one text, ends a channel or is too long. */
void bz_shapes_learn(struct bz_shapes *c, const struct bz_route *route, struct bz_view name,
                     struct bz_view data, struct bz_json *root);
/* The form that the event has, or NULL. Then it is strict JSON, and *ret_text its text. O(data.n). */
const struct bz_shape *bz_shapes_match(struct bz_shapes *c, const struct bz_route *route,
                                       struct bz_view name, struct bz_view data,
                                       struct bz_view *ret_text);

struct bz_stream {
    bz_stream_event_fn *event; /* NULL: every event leaves as it came, most without a tree */
    bz_stream_delta_fn *delta; /* with `event`; NULL: every event has a tree */
    struct bz_shapes *shapes;  /* NULL: none are kept */
    const struct bz_route *route;
    void *ctx;
    uint8_t dialect; /* enum bz_dialect */
    uint8_t unusual; /* events in a row that had no known form, up to a few */
    bool strip_usage;
    bool ndjson;
    bool done;   /* the terminal event was seen */
    bool failed; /* latched */
    uint8_t line_state;
    uint32_t events;
    struct bz_buf part;
    struct bz_usage usage;
    const char *why; /* static; after an error */
};
void bz_stream_init(struct bz_stream *s, const struct bz_route *route, bool strip_usage);
void bz_stream_done(struct bz_stream *s); /* frees the partial event */
/* Appends the events that became complete. OK; ESYNTAX, EUTF8, EDUPKEY, ETOOBIG ... (s->why; s
 * stays failed: send the error event). An error event of the server itself is replaced by ours and
 * ends the stream: EUNAVAIL. scratch: arena for one event at a time, emptied by this call. Cost
 * O(in.n). */
enum bz_status bz_stream_feed(struct bz_stream *s, struct bz_view in, struct bz_arena *scratch,
                              struct bz_buf *out) BZ_MUST_USE;
/* Appends one event, framed as the dialect does. */
void bz_stream_put(const struct bz_stream *s, struct bz_view name, struct bz_view data,
                   struct bz_buf *out);
/* Upstream's orderly end. OK if the terminal event was seen and nothing is left over; otherwise
 * ESYNTAX. */
enum bz_status bz_stream_end(struct bz_stream *s, struct bz_buf *out) BZ_MUST_USE;

#endif
