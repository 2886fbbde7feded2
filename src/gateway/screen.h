/* Data protection of one transaction: what is found in its texts, what becomes of each finding.
 *
 *   screen.c   begin; one finding -> action -> replacement; counts for the record
 *   edit.c     a text and its findings -> the text that may leave
 *   request.c  the request's tree: find everywhere, decide once, rewrite
 *   answer.c   a whole reply: find, restore, rewrite
 *   stored.c   bodies that policy wants kept
 *   guard.c    a stream: channels, the queue of events that wait for undecided text
 */
#ifndef BZ_GATEWAY_SCREEN_H
#define BZ_GATEWAY_SCREEN_H

#include <bartizan/fields.h>
#include <bartizan/vault.h>

#include "tx_int.h"

enum { SCREEN_COUNTS_MAX = 16 };
struct screen_count { /* for the audit record */
    uint16_t type;
    uint8_t direction, action;
    uint32_t n;
};

/* stored.c */
void bz_tx_store_begin(struct bz_tx *tx);
void bz_tx_store_stream(struct bz_tx *tx, struct bz_view sent); /* to the client of a stream */

/* guard.c */

struct bz_tx_screen { /* one block of the transaction's allocator */
    struct bz_detect *detect;
    struct bz_vault *vault;       /* may be NULL: nothing can be restored */
    const struct bz_actions *act; /* of the direction that is being screened */
    struct bz_vault_scope scope;  /* once scope_known */
    bool scope_known, refuse_unknown;
    uint8_t direction; /* enum bz_direction */
    uint8_t level;     /* enum bz_level: highest so far */
    uint8_t clearance; /* of the role; replies above it are blocked */
    uint8_t offered;   /* lowest clearance of the tools that the request offers */
    uint8_t tool;      /* and of those that the reply has called so far; likewise */
    uint8_t counts_n;
    bool more_counts;
    uint32_t restore_s, hold_ms;
    const uint8_t *vault_key;
    uint64_t now_unix;
    struct screen_count counts[SCREEN_COUNTS_MAX];
};

/* What is to happen to one finding. */
struct screen_verdict {
    enum bz_action action;
    bool replaces;       /* `text` takes the finding's place */
    struct bz_view text; /* memory of the arena */
};

/* false: refused. A transaction whose image screens nothing has tx->screen NULL and goes on. */
bool bz_tx_screen_begin(struct bz_tx *tx, struct bz_now now);
/* The image's table; NULL: it screens nothing. Tables that say the same are one. */
const struct bz_actions *bz_tx_screen_table(const struct bz_tx *tx, enum bz_direction d,
                                            enum bz_level level);
/* Chooses the action table of a direction for the level so far. */
void bz_tx_screen_turn(struct bz_tx *tx, enum bz_direction d);
/* value: the finding's own text. OK or ENOMEM. */
enum bz_status bz_tx_screen_one(struct bz_tx *tx, const struct bz_finding *f, struct bz_view value,
                                enum bz_text_mode mode, struct bz_arena *ar,
                                struct screen_verdict *ret) BZ_MUST_USE;
void bz_tx_screen_count(struct bz_tx *tx, uint16_t type, enum bz_action a);
void bz_tx_screen_free(struct bz_tx *tx);

/* A text of the reply as it will leave. Is it the name of a tool that is called, its clearance: that
 * holds for the whole reply from here on, arguments and all. RESTRICTED: it is something else. */
enum bz_level bz_tx_screen_called(const struct bz_tx *tx, const struct bz_span *span,
                                  struct bz_view text);
/* Is the reply so far classified above what may see it? *ret_why: for whom it is too high. */
bool bz_tx_screen_above(const struct bz_tx_screen *s, enum bz_refusal *ret_why);

enum bz_text_mode bz_tx_mode_of(const struct bz_span *s);

/* edit.c: the text with its replacements; the same view when nothing changes. *ret_worst: the
 * strongest action among the findings, its finding in *ret_at. */
struct screen_edited {
    struct bz_view text;
    bool changed;
    enum bz_action worst;
    struct bz_finding at;
};
enum bz_status bz_tx_edit(struct bz_tx *tx, struct bz_view text, enum bz_text_mode mode,
                          const struct bz_findings *found, struct bz_arena *ar,
                          struct screen_edited *ret) BZ_MUST_USE;

/* request.c: after the parameters were checked. *ret_grown: bytes that the edits may have added to
 * the body's canonical text. false: refused. */
bool bz_tx_screen_request(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                          struct bz_now now, size_t *ret_grown);

/* answer.c: a whole reply. false: refused. */
bool bz_tx_screen_answer(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                         struct bz_now now, bool *ret_changed, size_t *ret_grown);
/* Refuses for what was found; `more` ends the sentence, may be empty. */
bool bz_tx_no_finding(struct bz_tx *tx, enum bz_refusal r, const struct bz_finding *f,
                      const char *path, struct bz_view more);

/* guard.c */
enum bz_status bz_tx_guard_begin(struct bz_tx *tx) BZ_MUST_USE;
/* The guard takes the events of tx->stream. They end with EDENIED: a match or a level that blocks;
 * ENOTFOUND: a member that no table knows. */
void bz_tx_guard_hook(struct bz_tx *tx);
/* Asks for the guard's memory ahead of its use. Only with tx->guard. */
void bz_tx_guard_fetch(const struct bz_tx *tx);
/* The stream ended: everything is decided. */
enum bz_status bz_tx_guard_end(struct bz_tx *tx, struct bz_buf *out) BZ_MUST_USE;
/* Decides what has waited longer than hold_ms for its next piece. */
enum bz_status bz_tx_guard_tick(struct bz_tx *tx, struct bz_buf *out,
                                struct bz_now now) BZ_MUST_USE;
void bz_tx_guard_free(struct bz_tx *tx);

#endif
