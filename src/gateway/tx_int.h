/* Inside of a transaction, shared by the files of this room only.
 *
 *   tx.c      life, the verdict machine, headers of every reply
 *   head.c    host, origin, hygiene, credential, query, path, route
 *   body.c    model, strict parse, parameters, canonical body, choice of backend
 *   limits.c  what the limiter holds for this transaction, and its settlement
 *   models.c  answers of the gateway's own: model lists, health
 *   refuse.c  every refusal once: code, status, sentence; error replies
 *   reply.c   what comes back from the model server
 *   record.c  audit records
 *   screen.h  data protection: its files and what they share
 *   mcp.h     tool servers: their requests and replies
 *
 * A step returns true to go on; false means that tx->verdict and tx->reply say why not. Nothing
 * sets FORWARD but forward() in tx.c, the last step of both ways (with and without a body). */
#ifndef BZ_GATEWAY_TX_INT_H
#define BZ_GATEWAY_TX_INT_H

#include <bartizan/gateway.h>

/* name, status, code, sentence. The code is stable and documented in docs/DECISIONS.md. */
#define BZ_REFUSAL_TABLE(X)                                                                        \
    X(UPGRADE, 400, "upgrade_not_allowed", "Protocol upgrades are not served here.")               \
    X(HEADER_REPEATED, 400, "header_repeated", "A header that may stand once was sent twice.")     \
    X(TRANSFER_ENCODING, 400, "transfer_encoding_not_supported",                                   \
      "Transfer-Encoding may only be chunked.")                                                    \
    X(LENGTH_AMBIGUOUS, 400, "length_ambiguous",                                                   \
      "Content-Length and Transfer-Encoding were both sent.")                                      \
    X(CREDENTIAL_QUERY, 400, "credential_in_query",                                                \
      "Send the API key in the Authorization header, never in the URL.")                           \
    X(CREDENTIAL_COOKIE, 400, "credential_in_cookie",                                              \
      "Cookies are not accepted. Send the API key in the Authorization header.")                   \
    X(CREDENTIAL_CONFLICT, 400, "credential_conflict", "Two different API keys were sent.")        \
    X(QUERY, 400, "query_not_allowed", "This route takes no query parameters.")                    \
    X(PATH, 400, "path_not_canonical",                                                             \
      "The path must be sent plainly: no escapes, dot segments or double slashes.")                \
    X(BODY_MISSING, 400, "body_missing", "This route needs a JSON body.")                          \
    X(BODY_NOT_ALLOWED, 400, "body_not_allowed", "This route takes no body.")                      \
    X(JSON_MALFORMED, 400, "json_malformed", "The body is not valid JSON")                         \
    X(JSON_UTF8, 400, "json_bad_utf8", "The body is not valid UTF-8")                              \
    X(JSON_DUPLICATE, 400, "json_duplicate_key", "The body names a key twice")                     \
    X(JSON_DEPTH, 400, "json_too_deep", "The body is nested too deeply")                           \
    X(JSON_TRAILING, 400, "json_trailing_bytes", "Bytes follow the end of the body's JSON value")  \
    X(JSON_TOO_LARGE, 400, "json_too_large", "The body goes beyond a cap of the JSON reader")      \
    X(JSON_MEMORY, 413, "json_too_complex", "The body holds too many tiny values for its size")    \
    X(PARAM, 400, "param_invalid", "A parameter is not valid.")                                    \
    X(PARAM_POLICY, 403, "param_not_allowed", "A parameter is not allowed.")                       \
    X(MODEL_REQUIRED, 400, "model_required",                                                       \
      "Name a model in the body; GET /v1/models lists those you may use.")                         \
    X(MODEL_INVALID, 400, "model_invalid", "The model's name must be a string, and not empty.")    \
    X(BACKEND_AMBIGUOUS, 400, "backend_ambiguous",                                                 \
      "More than one backend could answer this; name a model that only one of them serves.")       \
    X(KEY_MISSING, 401, "invalid_api_key",                                                         \
      "No API key was sent. Send one as: Authorization: Bearer bz_...")                            \
    X(KEY_INVALID, 401, "invalid_api_key", "The API key is not valid.")                            \
    X(KEY_EXPIRED, 401, "invalid_api_key", "The API key has expired.")                             \
    X(HEADER_VALUE, 400, "header_invalid",                                                         \
      "An x-bartizan- header has a value that it cannot have; see the manual.")                    \
    X(ORIGIN, 403, "origin_not_allowed", "Web pages of this origin may not call the gateway.")     \
    X(ROUTE_BLOCKED, 403, "route_blocked", "The gateway never passes this route.")                 \
    X(PATCHED, 403, "virtual_patch", "Refused until the model server is updated.")                 \
    X(ROUTE_DENIED, 403, "route_not_allowed", "The API key may not use this route.")               \
    X(DATA_BLOCKED, 403, "data_blocked", "Policy does not let this data go to the model.")         \
    X(DATA_APPROVAL, 403, "approval_required",                                                     \
      "An administrator must approve this request first.")                                         \
    X(DATA_COACH, 403, "justification_required",                                                   \
      "Please check whether the model needs this data. If it does, send the request again with "   \
      "the header x-bartizan-justification: and your reason.")                                     \
    X(CONTROL_TOKEN, 403, "control_token_blocked",                                                 \
      "Policy does not let control tokens of chat templates go to the model as text.")             \
    X(INJECTION, 403, "injection_blocked",                                                         \
      "Policy does not let this text go to the model: it reads like instructions to it.")          \
    X(INJECTION_COACH, 403, "justification_required",                                              \
      "A part of the request reads like an attempt to give the model other instructions.")         \
    X(SYSTEM, 403, "system_prompt_not_allowed",                                                    \
      "Policy gives the model its instructions: leave system and developer texts out.")            \
    X(PROMPT_PLACE, 403, "prompt_not_applicable",                                                  \
      "Policy wants its own instructions before every prompt, and this request has no place "      \
      "for them: use a chat route.")                                                               \
    X(DATA_TOO_MANY, 400, "data_too_much", "The body holds too many findings to be handled.")      \
    X(LABEL_ROLE, 403, "label_above_clearance",                                                    \
      "The request is classified higher than your role is cleared for.")                           \
    X(LABEL_MODEL, 403, "label_above_clearance",                                                   \
      "The request is classified higher than this model is cleared for.")                          \
    X(LABEL_TOOL, 403, "label_above_clearance",                                                    \
      "The request is classified higher than a tool that it offers is cleared for.")               \
    X(TOOL_DENIED, 403, "tool_denied", "Policy does not let a model call this tool.")              \
    X(TOOL_ARGUMENT, 403, "tool_argument",                                                         \
      "The arguments of a tool's call are not what policy allows.")                                \
    X(TOOL_TAINT, 403, "tool_taint",                                                               \
      "What the conversation holds does not let this tool be called.")                             \
    X(TOOL_LOOP, 403, "tool_loop", "Tools were called too often in this conversation.")            \
    X(TOOL_APPROVAL, 403, "tool_approval", "An administrator must approve this call first.")       \
    X(LINK, 403, "link_blocked", "The reply holds a link or image that policy does not allow.")    \
    X(LEAK, 403, "leak_blocked",                                                                   \
      "The reply held something that must not leave the gateway (a canary, a secret or text of "   \
      "a system prompt). It was stopped, and those in charge are told. Ask for something else.")   \
    X(REPLY_BLOCKED, 403, "reply_blocked", "Policy does not let this reply pass.")                 \
    X(REPLY_LABEL, 403, "label_above_clearance",                                                   \
      "The reply is classified higher than your role is cleared for.")                             \
    X(REPLY_TOOL, 403, "label_above_clearance",                                                    \
      "The reply is classified higher than a tool that it calls is cleared for.")                  \
    X(MCP_HOST, 403, "host_not_served", "The gateway does not serve this host name.")              \
    X(MCP_MESSAGE, 400, "mcp_message_invalid", "The body is no message of MCP.")                   \
    X(MCP_VERSION, 400, "mcp_version_not_supported",                                               \
      "MCP-Protocol-Version is not the version that this session agreed on.")                      \
    X(MCP_SESSION_MISSING, 400, "mcp_session_missing",                                             \
      "Send the Mcp-Session-Id that the reply to initialize had.")                                 \
    X(MCP_METHOD, 403, "mcp_method_not_allowed", "This MCP method is not allowed here.")           \
    X(MCP_TOOL, 403, "mcp_tool_unknown",                                                           \
      "This tool is not approved. An administrator sees it with: bartizan mcp list")               \
    X(MCP_RESOURCE, 403, "mcp_resource_unknown",                                                   \
      "This resource is not approved, and no approved template has it. An administrator sees "     \
      "them with: bartizan mcp list")                                                              \
    X(MCP_PROMPT, 403, "mcp_prompt_unknown",                                                       \
      "This prompt is not approved. An administrator sees it with: bartizan mcp list")             \
    X(MCP_TOOL_CHANGED, 403, "mcp_tool_changed",                                                   \
      "The server has changed this since it was approved. It is closed until an "                  \
      "administrator has approved it again.")                                                      \
    X(MCP_ARGUMENTS, 403, "mcp_arguments_invalid", "The arguments do not fit the schema.")         \
    X(MCP_REPLAY, 403, "mcp_replay",                                                               \
      "A call with this id was sent in this session less than a minute ago.")                      \
    X(MCP_RESULT, 502, "mcp_result_invalid",                                                       \
      "The server's result is not what its definition says, and was withheld.")                    \
    X(MCP_RESULT_LARGE, 502, "mcp_result_too_large",                                               \
      "The server's result is larger than the gateway passes, and was withheld.")                  \
    X(MCP_INJECTION, 403, "mcp_result_injection",                                                  \
      "The server's result tries to steer the model, and was withheld.")                           \
    X(MCP_SESSION, 404, "mcp_session_unknown", "There is no such session; initialize again.")      \
    X(MCP_NO_STREAM, 405, "mcp_not_offered", "The MCP server does not offer this.")                \
    X(MCP_ACCEPT, 406, "not_acceptable",                                                           \
      "Accept must name application/json and text/event-stream (GET: text/event-stream).")         \
    X(ROUTE_UNKNOWN, 404, "route_unknown", "There is no such route.")                              \
    X(MODEL_UNKNOWN, 404, "model_not_found",                                                       \
      "The model does not exist or you may not use it; GET /v1/models lists those you may use.")   \
    X(METHOD, 405, "method_not_allowed", "The route does not take this method.")                   \
    X(BODY_TOO_LARGE, 413, "body_too_large", "The body is larger than the gateway accepts.")       \
    X(CONTENT_ENCODING, 415, "content_encoding_not_supported",                                     \
      "Send the body without Content-Encoding.")                                                   \
    X(CONTENT_TYPE, 415, "content_type_not_supported",                                             \
      "Send the body as Content-Type: application/json.")                                          \
    X(HOST, 421, "host_not_served", "The gateway does not serve this host name.")                  \
    X(RATE, 429, "rate_limited", "Too much at once. Try again later.")                             \
    X(INTERNAL, 500, "internal_error", "The gateway could not decide this request.")               \
    X(UPSTREAM, 502, "upstream_error", "The model server failed.")                                 \
    X(UPSTREAM_MALFORMED, 502, "upstream_malformed",                                               \
      "The model server's reply could not be checked and was withheld.")                           \
    X(UPSTREAM_TRUNCATED, 502, "upstream_truncated", "The model server's reply broke off.")        \
    X(UPSTREAM_TOO_LARGE, 502, "upstream_too_large", "The model server's reply is too large.")     \
    X(UPSTREAM_UNKNOWN, 502, "upstream_unknown_field",                                             \
      "The model server's reply has a field that the gateway does not know.")                      \
    X(SCREENING, 503, "screening_unavailable", "The gateway cannot screen this request now.")      \
    X(NO_BACKEND, 503, "no_backend", "No model server is available for this model right now.")     \
    X(UNSAFE_BACKEND, 503, "backend_unsafe",                                                       \
      "The model server has not passed the checks of its isolation or of its model files; "        \
      "nothing is sent to it until it does.")                                                      \
    X(NO_MEMORY, 503, "no_memory", "The gateway is short of memory. Try again later.")

enum bz_refusal {
#define X(name, status, code, text) BZ_REFUSE_##name,
    BZ_REFUSAL_TABLE(X)
#undef X
        BZ_REFUSE_COUNT
};

enum bz_tx_phase {
    BZ_PHASE_NEW,
    BZ_PHASE_BODY,    /* waits for the body */
    BZ_PHASE_DECIDED, /* refused, answered or to be forwarded */
    BZ_PHASE_REPLY,   /* the upstream's head was seen */
    BZ_PHASE_ENDED
};

enum bz_tx_collect { /* what a collected reply must be */
                     BZ_COLLECT_NONE,
                     BZ_COLLECT_JSON,
                     BZ_COLLECT_TEXT,
                     BZ_COLLECT_ERROR, /* the upstream's own error, to be replaced */
                     BZ_COLLECT_EMPTY,
                     BZ_COLLECT_COUNT
};

enum bz_subject { BZ_SUBJECT_KEY, BZ_SUBJECT_USER, BZ_SUBJECT_MODEL, BZ_SUBJECT_COUNT };

struct bz_tx_ledger {                   /* what the limiter holds for this transaction */
    uint64_t subject[BZ_SUBJECT_COUNT]; /* 0: not limited so far */
    uint64_t prompt;                    /* prompt tokens charged */
    uint32_t requests, reserve;         /* requests and completion tokens charged */
    uint16_t taken;                     /* bit subject * BZ_METER_COUNT + meter */
    uint8_t entered;                    /* bit per subject */
    bool generates;                     /* the reply costs completion tokens */
};

struct bz_tx_blob { /* bytes from the transaction's allocator */
    uint8_t *p;
    size_t n, cap;
};

struct bz_tx_screen; /* screen.h */
struct bz_tx_judged; /* judge.h */
struct guard;        /* guard.c */
struct bz_tx_mcp;    /* mcp.h */
struct bz_tx_agent;  /* toolgate.h */
struct bz_tx_leaks;  /* leaks.c */
struct bz_tx_rates;  /* limits.c: the tightest limits, for the headers */

#define BZ_TX_PEER_MAX 46 /* INET6_ADDRSTRLEN */

/* For arena memory on the stack, which nobody reads before writing: hardening would clear it for
 * every event. */
#define BZ_TX_SCRATCH __attribute__((uninitialized))
#define BZ_TX_SCRATCH_MAX 2048

struct bz_tx {
    /* What each event of a stream looks at stands together: between two events it leaves every
     * cache. */
    struct bz_alloc a;
    struct guard *guard;   /* of a stream that is screened */
    struct bz_tx_mcp *mcp; /* NULL: no tool server is meant */
    uint64_t reply_bytes;
    uint8_t phase;  /* enum bz_tx_phase */
    bool drop;      /* the rest of the upstream's reply is thrown away */
    bool streaming; /* the reply goes out event by event */
    bool store_request, store_reply;
    struct bz_stream stream;

    const struct bz_image *image;
    struct bz_state *state;
    uint32_t lane;
    uint32_t backend_index;
    struct bz_now start;
    uint64_t body_max, id_lo;
    uint32_t backends_n, models_n;

    uint8_t verdict; /* enum bz_verdict */
    uint8_t dialect; /* enum bz_dialect */
    uint8_t server;  /* enum bz_server of the backends in `mask` */
    uint8_t types;   /* bit per server type that runs here */
    uint8_t may;     /* bit per server type whose route this principal may use */
    uint8_t peer_n;
    uint8_t limited;    /* bit per subject that has any limit */
    bool dialect_known; /* otherwise guessed from forward.path when it is needed */
    bool authed, tls, hsts, has_model, has_backend, outstanding, closed;
    bool cut;           /* an error event ended the stream */
    bool drop_error;    /* the upstream's error body is too long to look at */
    bool forwarded;     /* FORWARD was said */
    uint8_t collecting; /* enum bz_tx_collect */
    bool key_hashed;    /* `key` holds the hash */
    bool unserved;      /* the model server did no work that counts */
    bool strip_usage;
    bool justified;  /* the client gave a reason */
    bool canary;     /* the system prompt that the model got holds one */
    uint8_t label;   /* enum bz_level: the client's own classification */
    uint8_t taint;   /* BZ_TAINT_*, of the request's texts */
    uint8_t cut_why; /* enum bz_refusal: why an event must not leave; 0: reply_blocked */

    uint8_t id[BZ_REQUEST_ID_LEN];
    char id_text[BZ_REQUEST_ID_TEXT + 1];
    char peer[BZ_TX_PEER_MAX];
    /* The credential as sent, until bz_tx_still_allowed first needs its hash; wiped at close.
     * Hashing it there and not at the start spares every short request 250 ns; the server holds the
     * same bytes in its header memory anyway. */
    uint8_t key[BZ_KEY_TEXT];

    struct bz_principal who;
    const struct bz_route *route;                   /* of `server`, or the best known */
    const struct bz_route *routes[BZ_SERVER_COUNT]; /* per server type; NULL: unknown there */
    uint64_t mask, tried;                           /* backends */
    uint32_t model;                                 /* index in the image, if has_model */
    uint16_t reply_status, upstream_status;

    struct bz_forward forward;
    struct bz_tx_blob body;    /* canonical request body */
    uint8_t *path;             /* copy of a path with an id; NULL: static */
    struct bz_tx_blob collect; /* the upstream's reply, then its canonical form */
    int64_t collect_n;         /* announced length; -1 */
    const struct bz_reply *reply;
    void *made;            /* the block `reply` lies in; NULL: static */
    struct bz_usage usage; /* of a reply that is no stream: bz_tx_usage */
    struct bz_tx_ledger ledger;
    const struct bz_gateway_env *env; /* the worker's detectors and the like */
    struct bz_tx_screen *screen;      /* NULL: nothing is screened */
    struct bz_tx_judged *judged;      /* judge.h; NULL: no text of the request was remarkable */
    struct bz_view conversation;      /* own memory; of x-bartizan-conversation */
    union {                           /* never both: one ends before the other begins */
        struct bz_view raw_body;      /* as it came, while it is being looked at; then empty */
        struct bz_tx_blob kept;       /* of a stream that is to be stored */
    };
    struct bz_tx_agent *agent; /* NULL: no tools and links are looked at */
    struct bz_tx_leaks *leaks; /* NULL: nothing that must not leave, so far */
    struct bz_tx_rates *rates;

    const char *reason, *detail; /* static */
    uint64_t request_bytes;
    uint64_t collected; /* bytes of a reply that is no stream, as they came */
    uint64_t first_byte_ns, retry_ns;
    uint8_t request_digest[16], reply_digest[16];
};

/* Of the reply so far. */
static inline const struct bz_usage *bz_tx_usage(const struct bz_tx *tx) {
    return tx->streaming ? &tx->stream.usage : &tx->usage;
}

/* tx.c */
void *bz_tx_alloc(struct bz_tx *tx, size_t n);
void bz_tx_mem_free(struct bz_tx *tx, void *p);
bool bz_tx_blob_room(struct bz_tx *tx, struct bz_tx_blob *b,
                     size_t cap); /* at least cap bytes in all */
void bz_tx_blob_free(struct bz_tx *tx, struct bz_tx_blob *b);

/* refuse.c. All return false, so that a step can end with them. */
bool bz_tx_no(struct bz_tx *tx, enum bz_refusal r);
/* detail: static, for the record. message: any life; empty: the table's. param: empty or the
 * parameter's path. */
bool bz_tx_no_because(struct bz_tx *tx, enum bz_refusal r, struct bz_view message,
                      struct bz_view param, const char *detail);
/* None of `mask` can serve now. */
bool bz_tx_no_backend(struct bz_tx *tx, uint64_t mask);
bool bz_tx_no_code(struct bz_tx *tx, uint16_t status, const char *code, struct bz_view message,
                   struct bz_view param, const char *detail);
/* Adds a header to the refusal that stands; name and value static or living in the reply. */
void bz_tx_reply_allow(struct bz_tx *tx, struct bz_view allow);
/* A good reply; body lives in memory of the transaction. false: no memory (refused). */
bool bz_tx_reply_ok(struct bz_tx *tx, uint16_t status, struct bz_view type, struct bz_view body);
/* An error reply whose body is made already. */
bool bz_tx_reply_error(struct bz_tx *tx, uint16_t status, struct bz_view body);
void bz_tx_reply_free(struct bz_tx *tx);
/* For stream events and records. */
void bz_tx_error_of(const struct bz_tx *tx, enum bz_refusal r, struct bz_error *ret);

/* head.c */
/* All checks that need no body. ret_id: the {name} segment of the path, lent from h. */
bool bz_tx_head(struct bz_tx *tx, const struct bz_req_head *h, struct bz_view *ret_id);

/* body.c */
bool bz_tx_accept(struct bz_tx *tx, struct bz_view body, struct bz_now now);
bool bz_tx_accept_bodyless(struct bz_tx *tx, struct bz_view path);
bool bz_tx_keep_path(struct bz_tx *tx, struct bz_view path); /* for tx->forward */
/* Model by a client's spelling, if it exists and this principal may use it (both or neither: no
 * oracle). ollama: "name" and "name:latest" are the same. */
bool bz_tx_model_find(const struct bz_tx *tx, struct bz_view name, struct bz_model *ret);
uint64_t bz_tx_backends_of(const struct bz_tx *tx, uint64_t mask, uint8_t types);

/* patch.c */
/* Takes the backends out of *mask that a virtual patch keeps from this request; root: its body, NULL
 * if it has none. false: none is left (refused). */
bool bz_tx_patches(struct bz_tx *tx, const struct bz_json *root, uint64_t *mask);

/* models.c */
bool bz_tx_answer(struct bz_tx *tx, struct bz_view id);

/* limits.c */
/* Lowers tx->body_max to what the key and its user may send. */
void bz_tx_limits_size(struct bz_tx *tx);
bool bz_tx_limits_head(struct bz_tx *tx);
void bz_tx_limits_model(struct bz_tx *tx, const struct bz_limit_set *set); /* the chosen model's */
bool bz_tx_limits_body(struct bz_tx *tx, const struct bz_req_facts *facts, uint64_t mono_ns);
/* Completion tokens by the server's count, or else estimated. */
uint64_t bz_tx_completion(const struct bz_tx *tx);
void bz_tx_limits_settle(struct bz_tx *tx, uint64_t mono_ns);
size_t bz_tx_limits_headers(const struct bz_tx *tx, struct bz_header *out, size_t cap);

#endif
