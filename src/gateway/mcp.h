/* Tool servers (MCP) of one transaction: route /mcp/NAME, one message per request.
 *
 *   mcp.c        head: server, session, version; the message and what it may do
 *   mcp_calls.c  tools, resources, prompts that are asked for: approved, and fitting
 *   mcp_reply.c  what the server says: matched to the request, one answer, nothing it may not ask
 *   mcp_lists.c  results: lists held against the pins, contents, messages, values
 *   mcp_judge.c  results as texts that nobody vouches for
 *   mcp_policy.c calls under the rules over tools */
#ifndef BZ_GATEWAY_MCP_H
#define BZ_GATEWAY_MCP_H

#include <bartizan/mcp.h>
#include <bartizan/schema.h>

#include "tx_int.h"

enum { BZ_MCP_NAME_MAX = 4 + 64 + 1 + 128 }; /* "mcp:SERVER/TOOL", "mcp:SERVER/resources/read" */

struct bz_tx_mcp { /* one block of the transaction's allocator */
    struct bz_mcp_route server;
    struct bz_mcp_pin pin; /* of what is called, read or got */
    struct bz_mcp_session session;
    struct bz_now now; /* of the last piece of the reply */
    uint8_t method;    /* enum bz_mcp_method, of the request */
    uint8_t kind;      /* enum bz_mcp_kind; COUNT: GET or DELETE */
    bool has_session, has_pin;
    bool answered;         /* the request's one response has left, or an error in its place */
    bool long_session;     /* the server gave one that is too long */
    bool opening;          /* initialize, answered as a stream: the session's header comes first */
    uint64_t session_name; /* hash of what the client holds */
    uint32_t dropped;      /* messages and tools that were left out */
    struct bz_json id;     /* of the request; type NULL: it has none */
    uint8_t id_mem[BZ_MCP_ID_MAX];
    uint8_t upstream[BZ_MCP_SESSION_MAX];
    size_t grown;  /* bytes that edits of the message that is looked at may have added */
    size_t said_n; /* of a refusal's own sentence; 0: the table's */
    char said[384];
    size_t text_n; /* of the session that the client is given */
    char text[BZ_MCP_SESSION_TEXT];
    size_t uri_n; /* of the resource that is read */
    uint8_t uri[BZ_MCP_URI_MAX];
};

/* mcp.c */
/* server: the {server} of the path. */
bool bz_tx_mcp_head(struct bz_tx *tx, const struct bz_req_head *h, struct bz_view server);
bool bz_tx_mcp_accept(struct bz_tx *tx, struct bz_view body, struct bz_now now);
bool bz_tx_mcp_accept_bodyless(struct bz_tx *tx);
bool bz_tx_mcp_still_allowed(const struct bz_tx *tx, const struct bz_image *image,
                             const struct bz_principal *p);
void bz_tx_mcp_free(struct bz_tx *tx);
size_t bz_tx_mcp_headers(const struct bz_tx *tx, struct bz_header *out); /* 0 or 1 */
const struct bz_json *bz_tx_mcp_id(const struct bz_tx *tx);              /* NULL: none known */
/* What a refusal's status becomes: with an id it is a JSON-RPC error in a good reply, as SDKs want
 * it, unless HTTP itself has to know. */
uint16_t bz_tx_mcp_status(const struct bz_tx *tx, uint16_t status);
struct bz_view bz_tx_mcp_tool(const struct bz_tx *tx); /* approved tool or prompt, or empty */
/* The sentence of the table, and why; at: `what` and a place in a schema's own names. */
bool bz_tx_mcp_no(struct bz_tx *tx, enum bz_refusal r, const char *why);
bool bz_tx_mcp_no_at(struct bz_tx *tx, enum bz_refusal r, const char *why, const char *what,
                     const char *place);
enum bz_status bz_tx_mcp_seal(struct bz_tx *tx, enum bz_mcp_version v,
                              struct bz_now now) BZ_MUST_USE;
/* A tool whose definition was seen to differ from its pin: closed for all workers at once, for
 * minutes; bartizand's own look makes it last. */
void bz_tx_mcp_mark(struct bz_tx *tx, const struct bz_mcp_pin *pin, uint64_t mono_ns);

/* A name in the shared limiter: of this server unless `a` is empty, then of all. */
uint64_t bz_tx_mcp_subject(const struct bz_tx *tx, const char *kind, struct bz_view a,
                           struct bz_view b);

/* mcp_calls.c */
/* What the request is about must be approved, and what it brings must fit it. false: refused. */
bool bz_tx_mcp_approved(struct bz_tx *tx, const struct bz_mcp_message *msg, struct bz_arena *ar,
                        struct bz_now now);

/* mcp_policy.c */
/* What rules over tools call it: "mcp:SERVER/TOOL", "mcp:SERVER/resources/read", "mcp:SERVER/prompts/get". */
bool bz_tx_mcp_name(const struct bz_tx *tx, struct bz_buf *out);
/* A call as it will leave. false: refused. */
bool bz_tx_mcp_policy(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                      struct bz_now now);
/* What a server said goes to the client: its context is not what it was. */
void bz_tx_mcp_heard(struct bz_tx *tx);

/* mcp_lists.c */
/* A result that is what its request asked for: lists of approved definitions alone, contents, messages, values. OK;
 * EDENIED (*why); ENOMEM. */
enum bz_status bz_tx_mcp_result(struct bz_tx *tx, struct bz_json *result, struct bz_arena *ar,
                                enum bz_refusal *why) BZ_MUST_USE;
/* Was it a list of definitions? Their texts are those that a person approved. */
bool bz_tx_mcp_is_list(const struct bz_tx *tx);

/* mcp_reply.c */
bool bz_tx_mcp_reply_head(struct bz_tx *tx, const struct bz_reply_head *h, struct bz_view type);
/* MORE: nothing was done, collect as usual. */
enum bz_status bz_tx_mcp_feed(struct bz_tx *tx, struct bz_view in) BZ_MUST_USE;
void bz_tx_mcp_end(struct bz_tx *tx, struct bz_now now);
size_t bz_tx_mcp_result_max(const struct bz_tx *tx);
bool bz_tx_mcp_owes(const struct bz_tx *tx); /* the response that the client waits for */
void bz_tx_mcp_error_event(struct bz_tx *tx, const struct bz_error *e, struct bz_buf *out);

/* mcp_judge.c */
/* All texts of a message that a server wrote. OK; EDENIED: one of them must not reach a model (*ret,
 * and the sentence in tx->mcp->said); ENOMEM. */
enum bz_status bz_tx_mcp_judge(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                               enum bz_refusal *ret) BZ_MUST_USE;

#endif
