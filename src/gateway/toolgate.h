/* Tools and links of one transaction: what policy lets a model call, and where its text may lead.
 *
 *   toolgate.c        one call: readings, context, approval, the sentence of a refusal
 *   toolgate_request.c  a request's offers and history
 *   toolgate_shape.c  where calls stand: requests, whole replies, events of each API
 *   toolgate_hold.c   calls of a stream, put together until they are decided
 *   links.c           links in what leaves
 */
#ifndef BZ_GATEWAY_TOOLGATE_H
#define BZ_GATEWAY_TOOLGATE_H

#include <bartizan/agent.h>

#include "screen.h"

enum { AGENT_COUNTS_MAX = 8, AGENT_NAME_MAX = 48, AGENT_MESSAGE_MAX = 512, AGENT_READINGS_MAX = 4 };

struct agent_count { /* for the audit record */
    char name[AGENT_NAME_MAX];
    uint8_t verdict; /* enum bz_tool_verdict; COUNT: an approval was given */
    uint32_t n;
};
struct agent_done { /* a call of this reply that was decided */
    uint64_t key;
    uint8_t digest[BZ_CALL_ID];
};
struct open_call;

struct bz_tx_agent { /* one block of the transaction's allocator */
    struct bz_agent a;
    uint8_t key[BZ_KEY_LEN]; /* of this owner's conversation, for digests */
    uint8_t taint;           /* BZ_TAINT_UNTRUSTED, of the request */
    uint8_t links, images;   /* enum bz_link_action, in this context */
    bool more_counts;
    uint8_t counts_n;
    uint32_t open_n;
    uint32_t history_n, done_n, done_cap;
    uint8_t (*history)[BZ_CALL_ID]; /* calls of the request */
    struct agent_done *done;
    struct open_call *open;
    size_t held; /* bytes of open calls */
    struct agent_count counts[AGENT_COUNTS_MAX];
    char message[AGENT_MESSAGE_MAX]; /* of a refusal; empty: none */
};

/* One call as it may be read: every name with every set of arguments has to be allowed. */
struct agent_call {
    uint64_t key; /* choice << 32 | number; the same call told again has the same */
    struct bz_view names[AGENT_READINGS_MAX];
    const struct bz_json *arguments[AGENT_READINGS_MAX]; /* strings hold JSON, unless `free` */
    size_t names_n, arguments_n;
    bool free;     /* text of a custom tool, not JSON */
    bool too_many; /* more readings than are kept: denied */
};

/* ---- toolgate_request.c ---- */

/* The request: tools that it offers and forces, calls and results of its history. Before data
 * protection. tx->agent stays NULL where there is nothing to do in the reply. false: refused. */
bool bz_tx_agent_request(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar, bool tools);
/* ---- toolgate.c ---- */

/* A whole reply as it will leave. false: refused. */
bool bz_tx_agent_answer(struct bz_tx *tx, const struct bz_json *root, struct bz_arena *ar);
/* OK; EDENIED: tx->cut_why and the message say why; ENOMEM. */
enum bz_status bz_agent_judge(struct bz_tx *tx, const struct agent_call *c,
                              struct bz_arena *ar) BZ_MUST_USE;
/* A call that contradicts itself: EDENIED. */
enum bz_status bz_agent_deny_odd(struct bz_tx *tx, struct bz_view name) BZ_MUST_USE;
void bz_tx_agent_free(struct bz_tx *tx);
/* The sentence of a refusal that was made here, if it was. */
struct bz_view bz_tx_agent_message(const struct bz_tx *tx);
/* Appends " tool:NAME:VERDICT:COUNT" for the record. */
void bz_tx_agent_findings(const struct bz_tx *tx, struct bz_buf *out);

/* ---- toolgate_shape.c ---- */

enum agent_where { AGENT_REQUEST, AGENT_REPLY };
/* Every complete call of a tree, in order. */
typedef enum bz_status agent_call_fn(void *ctx, const struct agent_call *c, struct bz_view id);
enum bz_status bz_agent_calls(enum bz_api api, enum agent_where where, const struct bz_json *root,
                              struct bz_arena *ar, agent_call_fn *fn, void *ctx) BZ_MUST_USE;
/* Ids of the calls whose results stand in a request. */
typedef enum bz_status agent_result_fn(void *ctx, struct bz_view id);
enum bz_status bz_agent_results(enum bz_api api, const struct bz_json *root, agent_result_fn *fn,
                                void *ctx) BZ_MUST_USE;
/* Elements of an array, or the value itself; NULL ends. */
const struct bz_json *bz_agent_first(const struct bz_json *v);
const struct bz_json *bz_agent_next(const struct bz_json *list, const struct bz_json *at);
/* A name or a set of arguments more. */
void bz_agent_add_name(struct agent_call *c, struct bz_view name);
void bz_agent_add_arguments(struct agent_call *c, const struct bz_json *v);
/* An item or block that is a call: its name, arguments. false: it is none. */
bool bz_agent_item(const struct bz_json *item, struct agent_call *c, struct bz_arena *ar);
bool bz_agent_block(const struct bz_json *block, struct agent_call *c);

/* ---- toolgate_hold.c ---- */

struct guard;
/* One event that came; *ret_call: it is part of a call, it waits until no call is open. OK; EDENIED,
 * ENOMEM, ETOOBIG. */
enum bz_status bz_agent_event(struct bz_tx *tx, const struct bz_json *root, struct bz_arena *ar,
                              bool *ret_call) BZ_MUST_USE;
/* Decides every call that is still open: nothing more can come. */
enum bz_status bz_agent_close_all(struct bz_tx *tx, struct bz_arena *ar) BZ_MUST_USE;
static inline bool bz_agent_holds(const struct bz_tx *tx) {
    return tx->agent != NULL && tx->agent->a.listed && tx->agent->open_n > 0;
}
void bz_agent_drop_open(struct bz_tx *tx);

/* ---- links.c ---- */

/* Rewrites links of a whole text that leaves. OK; EDENIED: one of them blocks; ENOMEM. */
enum bz_status bz_agent_links(struct bz_tx *tx, const struct bz_span *span, struct bz_arena *ar,
                              struct screen_edited *e) BZ_MUST_USE;

#endif
