/* JSON Schema: may a value be what it is? One validator for both who write schemas.
 *
 *   BZ_SCHEMA_OWN        the configuration (`tools: schema`). Closed: what a schema does not name is refused in
 *                        a value, a pattern is about the whole text, `format`, `hosts` and `roots` decide.
 *   BZ_SCHEMA_PUBLISHED  tool servers (inputSchema, outputSchema): JSON Schema 2020-12, and draft-07's lists in
 *                        `items`. Notes (`title`, `format`, "x-...") narrow nothing, as the standard has it.
 *
 * A keyword that is not known, or that cannot be decided here, is never taken as fitting: bz_schema_check
 * names it, and bz_schema_fits says no, also below `not`. Which are known: docs/TOOLS.md, docs/MCP.md.
 * Source: json-schema.org, draft 2020-12 (Core; Validation) and draft-07. Pure. */
#ifndef BARTIZAN_SCHEMA_H
#define BARTIZAN_SCHEMA_H

#include <bartizan/arena.h>
#include <bartizan/json.h>
#include <bartizan/limits.h>

enum bz_schema_kind { BZ_SCHEMA_OWN, BZ_SCHEMA_PUBLISHED, BZ_SCHEMA_KIND_COUNT };

#define BZ_SCHEMA_ERROR 256
/* Can each value be decided by it? OK; ESYNTAX (err: where in the schema, what is wrong, what belongs there);
 * ENOMEM. O(schema). */
enum bz_status bz_schema_check(const struct bz_json *schema, enum bz_schema_kind kind,
                               struct bz_arena *ar, char err[BZ_SCHEMA_ERROR]) BZ_MUST_USE;

struct bz_schema_misfit {
    const char *why; /* static; NULL: it fits */
    char path[96];   /* where, in the schema's own names (".to[]"): nothing of the value is in it */
};
/* Holds a value against a schema, checked or not. ENOMEM is the only failure. Bounded by BZ_SCHEMA_STEPS and
 * BZ_SCHEMA_DEPTH: beyond them it does not fit. */
enum bz_status bz_schema_fits(const struct bz_json *schema, enum bz_schema_kind kind,
                              const struct bz_json *value, struct bz_arena *ar,
                              struct bz_schema_misfit *ret) BZ_MUST_USE;

#endif
