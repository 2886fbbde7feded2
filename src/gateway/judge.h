/* Texts that steer, on their way to the model: control tokens, instructions where none belong, the
 * system prompt that is ours.
 *
 *   judge.c      one text: what was judged before, judgement, action, a sentence for people
 *   texts.c      the request's texts: groups, seams, control tokens, marks
 *   instruct.c   our system prompt in the form of each API; replies do not repeat it
 */
#ifndef BZ_GATEWAY_JUDGE_H
#define BZ_GATEWAY_JUDGE_H

#include <bartizan/fields.h>
#include <bartizan/injection.h>
#include <bartizan/prompts.h>

#include "tx_int.h"

enum { JUDGED_COUNTS_MAX = 8 };
struct judged_count {      /* for the audit record */
    struct bz_view family; /* lives as long as the worker's handle */
    const char *action;    /* static */
    uint32_t n;
};
/* One block of the transaction's allocator, made when there is something to keep. */
struct bz_tx_judged {
    struct bz_view prompt; /* "name@version:digest" of ours; lent from the image; may be empty */
    bool instructed;       /* text of ours stands in the request: replies do not repeat it */
    bool more_counts;
    uint8_t counts_n;
    bz_stream_event_fn *event; /* of a stream, behind what hides */
    void *event_ctx;
    struct judged_count counts[JUDGED_COUNTS_MAX];
};
/* NULL: no memory. */
struct bz_tx_judged *bz_tx_judged_get(struct bz_tx *tx);
/* family and action: see struct judged_count. false: no memory (refused). */
bool bz_tx_judged_count(struct bz_tx *tx, struct bz_view family, const char *action);

/* What those in charge are told at once: texts of tools and documents, and control tokens, that policy
 * blocked. Static; NULL: nothing. */
const char *bz_tx_judged_alert(const struct bz_tx *tx);

/* ---- judge.c ---- */

struct judge_ask { /* one text, of a request or from elsewhere (results of MCP tools) */
    const struct bz_gateway_env *env; /* its injection must not be NULL */
    const struct bz_judging *rules;
    struct bz_view owner; /* what was judged before is known per user */
    uint64_t salt;        /* bz_name_hash of it under the image's limit_seed; 0: not known yet */
    struct bz_view text;
    enum bz_channel channel; /* thresholds */
    struct bz_alloc mem;     /* for the readings; given back */
};
struct judge_found {
    enum bz_action action;       /* ALLOW: nothing to mind; the rest is empty then */
    unsigned score;              /* hundredths */
    struct bz_view family, what; /* live as long as env->injection */
    uint32_t start, end;         /* of the text */
    uint8_t how;                 /* enum bz_decoding: how it was hidden */
};
/* OK; ENOMEM; ETOOBIG. */
enum bz_status bz_judge_text(const struct judge_ask *a, struct judge_found *ret) BZ_MUST_USE;
/* "Found: override ("ignore ... instructions") in messages[2].content: <what>." Words between the first
 * and the last are left out. path: may be empty. */
void bz_judge_say(const struct judge_found *f, struct bz_view text, const char *path,
                  struct bz_buf *out);

/* ---- texts.c ---- */

/* After data protection, before the body is written. *ret_grown: bytes that the edits may have added
 * to the canonical text, added up. `ar` and `own` must live until then; texts of ours come from `own`.
 * false: refused. */
bool bz_tx_judge_request(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                         struct bz_arena *own, size_t *grown);

/* ---- instruct.c ---- */

/* Is this an API whose model goes on writing, so that its texts can steer? */
bool bz_instruct_api(enum bz_api api);
/* Does it have a place for a system prompt? */
bool bz_instruct_has_place(enum bz_api api);
bool bz_instruct_is_system(const struct bz_json *message); /* by its role, in any case */
struct instruct {
    struct bz_json *root;
    enum bz_api api;
    enum bz_client_system client;
    struct bz_view text; /* ours; may be empty */
    struct bz_arena *ar;
    size_t *grown;
};
/* OK; EINVAL: this body has no place for it; ENOMEM. Afterwards there is exactly one system prompt of
 * ours, first, if there is one; what is the client's own is treated as `client` says. */
enum bz_status bz_instruct(const struct instruct *in) BZ_MUST_USE;
/* Bytes of the text in canonical JSON, without quotes. */
size_t bz_json_len(struct bz_view text);

/* A whole reply that repeats what the model was given: our part of it goes. true: something did. */
bool bz_instruct_hide(struct bz_tx *tx, struct bz_json *root);
/* Does the same for a stream, before anybody else sees its events. Only after the stream was begun. */
void bz_instruct_hook(struct bz_tx *tx);

#endif
