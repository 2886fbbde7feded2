/* What must not leave: canaries, secrets, text of prompts, in everything that a model says. */
#ifndef BZ_GATEWAY_LEAKS_H
#define BZ_GATEWAY_LEAKS_H

#include <bartizan/fields.h>
#include <bartizan/leak.h>

#include "tx_int.h"

/* The canary of this conversation (x-bartizan-conversation, otherwise the key). */
void bz_tx_canary(const struct bz_tx *tx, char out[BZ_CANARY_TEXT + 1]);
/* Is there anything to watch this image's replies for? */
bool bz_tx_leaks_configured(const struct bz_tx *tx);
/* A text that the client sent: of the prompts' words it knows these already. OK; ENOMEM; ECORRUPT. */
enum bz_status bz_tx_leaks_known(struct bz_tx *tx, struct bz_view text) BZ_MUST_USE;
/* A whole text of a reply. OK; EDENIED: it must not leave; otherwise it cannot be looked at. */
enum bz_status bz_tx_leaks_text(struct bz_tx *tx, const struct bz_span *span) BZ_MUST_USE;
/* " reply:canary:block:1" for the audit record. Failures are latched. */
void bz_tx_leaks_findings(const struct bz_tx *tx, struct bz_buf *out);
void bz_tx_leaks_free(struct bz_tx *tx);

struct guard_kind;
extern const struct guard_kind bz_guard_leaks;

#endif
