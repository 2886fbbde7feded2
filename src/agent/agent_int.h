/* Inside of the room.
 *
 *   agent.c    the blob: written, opened; rules looked up
 *   decide.c   one call against rules, context and history
 *   canon.c    canonical text of a value, and its digest
 *   links.c    links and images in text
 */
#ifndef BZ_AGENT_INT_H
#define BZ_AGENT_INT_H

#include <bartizan/agent.h>
#include <bartizan/host.h>
#include <bartizan/number.h>
#include <bartizan/rd.h>
#include <bartizan/schema.h>

/* ---- canon.c ---- */

/* Failures are latched in `out`; ENOMEM: of the arena. */
enum bz_status canon_write(const struct bz_json *v, struct bz_arena *ar,
                           struct bz_buf *out) BZ_MUST_USE;
/* ---- agent.c ---- */

struct rule { /* one of a blob */
    struct bz_view name, roles, schema;
    uint8_t verdict, effect;
    bool egress, trusted_result;
    uint32_t roles_n, repeats, uses;
};
bool rule_find(const struct bz_agent *a, struct bz_view name, struct bz_view role,
               struct rule *ret);

#endif
