/* Findings for programs: SARIF 2.1.0, one run of one tool. Written as it comes, in the order
 *     bz_sarif_begin, a rule each, bz_sarif_results, a result each, bz_sarif_end
 * with a bz_jw that is the caller's, so failures and misuse are latched in its buffer. All texts are UTF-8.
 * No allocation but in that buffer, and one for a path.
 * Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0". */
#ifndef BARTIZAN_SARIF_H
#define BARTIZAN_SARIF_H

#include <bartizan/json.h>

/* Opens the log, its run, and the list of rules. `tool`: such as "bartizan scan"; our version is added. */
void bz_sarif_begin(struct bz_jw *w, const char *tool);

struct bz_sarif_rule {
    struct bz_view id;
    struct bz_view title;     /* shortDescription */
    struct bz_view why, todo; /* fullDescription, help; left out where empty */
    const char *level;        /* "error", "warning", "note"; NULL: left out */
};
/* The rule stays open for "properties"; close it with bz_jw_end. */
void bz_sarif_rule(struct bz_jw *w, const struct bz_sarif_rule *r);

/* After the rules: opens the list of results. A result is an object of the caller's, of ruleId, level and
 * what stands below. */
void bz_sarif_results(struct bz_jw *w);
/* "KEY": {"text": TEXT}, for messages and descriptions. */
void bz_sarif_text(struct bz_jw *w, const char *key, struct bz_view text);

struct bz_sarif_place {
    struct bz_view path;   /* absolute or relative; empty: there is no file */
    uint64_t line, column; /* from 1, in code points; line 0: no region */
    uint64_t end_line, end_column;
    bool at_byte;            /* the region is the byte `byte` instead */
    uint64_t byte;           /* from 0 */
    struct bz_view inside;   /* the place in the file, or where there is no file; empty: none */
    const char *inside_kind; /* "member", "resource" */
};
/* "locations" with this one; nothing where there is neither path nor place. A path becomes a URI: file:// where it is absolute, and what is neither unreserved
 * (RFC 3986, 2.3) nor a slash as %XX. */
void bz_sarif_place(struct bz_jw *w, const struct bz_sarif_place *p);

/* Closes everything. `notes`: a JSON array of notifications (objects of level, message and locations) about the
 * run itself, of which `ok` says whether it could look at everything; empty: nothing is said of it. */
void bz_sarif_end(struct bz_jw *w, bool ok, struct bz_view notes);

#endif
