/* Inside of the room.
 *
 *   agent.c    the blob: written, opened; rules looked up
 *   decide.c   one call against rules, context and history
 *   schema.c   JSON Schema, a subset: checked when it is compiled, then arguments against it
 *   format.c   hosts, addresses and paths in arguments
 *   pattern.c  regular expressions without a way to be slow
 *   number.c   numbers by value, whatever their spelling
 *   canon.c    canonical text of a value, and its digest
 *   links.c    links and images in text
 */
#ifndef BZ_AGENT_INT_H
#define BZ_AGENT_INT_H

#include <bartizan/agent.h>
#include <bartizan/rd.h>

/* ---- number.c ---- */

struct number { /* +-0.DDD... * 10^exp, no zeros at either end of the digits; 0: no digits */
    bool negative;
    uint8_t n;
    int64_t exp;
    char digits[BZ_JSON_NUMBER_MAX];
};
/* false: an exponent that nobody counts with. */
bool number_of(struct bz_view lexeme, struct number *ret);
int number_compare(const struct number *a, const struct number *b);
bool number_whole(const struct number *n);
void number_write(const struct number *n, struct bz_buf *out);

/* ---- canon.c ---- */

/* Failures are latched in `out`; ENOMEM: of the arena. */
enum bz_status canon_write(const struct bz_json *v, struct bz_arena *ar,
                           struct bz_buf *out) BZ_MUST_USE;
enum bz_status canon_equal(const struct bz_json *a, const struct bz_json *b, struct bz_arena *ar,
                           bool *ret) BZ_MUST_USE;

/* ---- pattern.c ---- */

/* OK; ESYNTAX, ETOOBIG (*ret_why: static sentence); ENOMEM. */
struct pattern;
enum bz_status pattern_compile(struct bz_view text, struct bz_arena *ar, struct pattern **ret,
                               const char **ret_why) BZ_MUST_USE;
/* The whole text, or nothing of it. O(text.n * BZ_AGENT_PATTERN_STEPS). */
enum bz_status pattern_match(const struct pattern *p, struct bz_view text, struct bz_arena *ar,
                             bool *ret) BZ_MUST_USE;

/* ---- format.c ---- */

enum format { FORMAT_HOST, FORMAT_URL, FORMAT_EMAIL, FORMAT_PATH, FORMAT_DATE, FORMAT_COUNT };
bool format_from_name(struct bz_view name, enum format *ret);
/* Does the text have the form, and is its host (or root) one of `listed` (strings; NULL: any)? NULL: yes;
 * otherwise what is wrong, static. */
const char *format_check(enum format f, struct bz_view text, const struct bz_json *listed);
/* "example.org" or "*.example.org" against a host; ASCII case does not count. ":port" of an entry has to
 * be there, an entry without one fits any. */
bool host_fits(struct bz_view entry, struct bz_view host, struct bz_view port);
/* Splits "host[:port]"; false: it is none that all programs read alike. */
bool host_split(struct bz_view text, struct bz_view *ret_host, struct bz_view *ret_port);

/* ---- schema.c ---- */

/* Is the text a schema of the subset? OK; ESYNTAX (*err); ENOMEM. */
enum bz_status schema_check(struct bz_view text, char err[256]) BZ_MUST_USE;
/* *ret_why: NULL, it fits; otherwise a static sentence, and where in `path`. */
enum bz_status schema_fits(const struct bz_json *schema, const struct bz_json *value,
                           struct bz_arena *ar, const char **ret_why, char path[96]) BZ_MUST_USE;

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
