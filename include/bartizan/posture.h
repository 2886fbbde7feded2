/* Posture: what a host and the local-AI stack on it look like to somebody who means harm.
 *
 *   tree (a root descriptor; nothing leads out of it)
 *     -> collectors: processes, sockets, units, containers, packages, files, kernel settings
 *     -> facts: plain structs
 *     -> checks: one const row and one pure function each
 *     -> results -> text, JSON, SARIF, HTML; score; summary for policy
 *
 * Read-only: nothing is written, no program is started. What could not be looked at is
 * BZ_POSTURE_UNKNOWN ("not assessable"), never a pass. Sources: docs/POSTURE.md. */
#ifndef BARTIZAN_POSTURE_H
#define BARTIZAN_POSTURE_H

#include <bartizan/arena.h>
#include <bartizan/buf.h>

enum bz_posture_severity {
    BZ_POSTURE_LOW,
    BZ_POSTURE_MEDIUM,
    BZ_POSTURE_HIGH,
    BZ_POSTURE_CRITICAL,
    BZ_POSTURE_SEVERITY_COUNT
};
enum bz_posture_status {
    BZ_POSTURE_NOT_APPLICABLE, /* nothing here that the check is about */
    BZ_POSTURE_PASS,
    BZ_POSTURE_UNKNOWN, /* not assessable: no permission, not recorded, no policy to compare with */
    BZ_POSTURE_FAIL,
    BZ_POSTURE_STATUS_COUNT
};
const char *bz_posture_severity_name(enum bz_posture_severity s); /* "low" ... "critical" */
const char *bz_posture_status_name(enum bz_posture_status s);     /* "not-assessable" ... */

/* A row of the catalogue. Ids are stable. */
struct bz_posture_check {
    const char *id; /* "A01" */
    const char *title, *why, *fix;
    const char *refs; /* comma separated: NIST 800-53r5 controls, L.. A.. CIS topics, CVEs */
    uint8_t severity; /* enum bz_posture_severity */
};
size_t bz_posture_check_count(void);
const struct bz_posture_check *bz_posture_check_at(size_t i); /* NULL beyond the last */
/* By id; NULL if there is none. */
const struct bz_posture_check *bz_posture_check_find(struct bz_view id);
/* docs/POSTURE.md's catalogue, from the table. */
void bz_posture_write_docs(struct bz_buf *out);

/* ---- a run ------------------------------------------------------------------------------------- */

/* What the caller joins in from other rooms; every member may be NULL. */
struct bz_posture_hooks {
    /* < 0, 0, > 0 in *ret; scheme: "pep440", "semver", "dpkg", "numbers", "llamacpp". */
    enum bz_status (*version_cmp)(const char *scheme, struct bz_view a, struct bz_view b, int *ret);
    /* Looks at a model file. OK: sound. ECORRUPT: `why` has a sentence. Others: could not be looked at.
     * `licence` gets what the file says about its licence, if anything. */
    enum bz_status (*model_check)(void *ctx, int fd, uint64_t size, struct bz_view name,
                                  struct bz_buf *why, struct bz_buf *licence);
    /* Is this digest approved by the instance's registry? EUNAVAIL: there is no registry. */
    enum bz_status (*model_approved)(void *ctx, const uint8_t sha256[32], bool *ret);
    /* State that only the instance's own programs can read; false: cannot say. */
    bool (*keys)(void *ctx, uint64_t *ret_n, uint64_t *ret_no_expiry, uint64_t *ret_oldest_s);
    /* Is the manifest of the instance (BZ_POSTURE_MANIFEST) signed by it? false: cannot say. */
    bool (*manifest)(void *ctx, const char *instance, bool *ret_sealed);
    void *ctx;
};
/* Below the instance: lines of "SHA256 path", and an Ed25519 signature of that file by the instance's
 * audit key beside it. Written by `bartizan posture --seal`. */
#define BZ_POSTURE_MANIFEST "posture/manifest"
#define BZ_POSTURE_SIGNATURE "posture/manifest.sig"

struct bz_posture_options {
    const char *root;     /* NULL: the running system */
    const char *instance; /* instance directory, as a path inside the tree; NULL: look for one */
    int64_t now;          /* seconds since the epoch */
    bool get;     /* GET requests to listeners of this host, on loopback and its own addresses */
    bool connect; /* opt-in: connection tests of A23 and G07 */
    bool deep;    /* hash every loaded model, whatever its size */
    struct bz_posture_hooks hooks;
};

struct bz_posture_evidence {
    struct bz_view text; /* from outside: escape before showing; secrets are already redacted */
};
enum bz_posture_change { BZ_POSTURE_SAME, BZ_POSTURE_NEW, BZ_POSTURE_FIXED };
struct bz_posture_result {
    const struct bz_posture_check *check;
    uint8_t status; /* enum bz_posture_status */
    uint8_t change; /* enum bz_posture_change, against the last run */
    struct bz_posture_evidence *evidence;
    size_t evidence_n, evidence_cap;
    size_t more; /* evidence beyond BZ_POSTURE_EVIDENCE_MAX */
    /* Suppression that holds, or one that has expired. */
    bool suppressed, expired;
    struct bz_view owner, reason, until;
};
struct bz_posture_note { /* what limited the run: no permission, a cap that was reached */
    struct bz_view text;
};
struct bz_posture {
    struct bz_posture_result *results; /* one per row of the catalogue, in its order */
    size_t results_n;
    struct bz_posture_note *notes;
    size_t notes_n, notes_cap;
    const char *root; /* as given; "/" */
    int64_t now;
    bool privileged;     /* the run could see all */
    bool compared;       /* there was a last run */
    unsigned last_score; /* its score */
    struct bz_view host; /* name of the machine, if the tree tells */
    struct bz_arena arena;
    struct pt_facts *facts; /* for fixes; lives in the arena */
};
/* OK; ENOTFOUND, EDENIED (the root), EUNAVAIL (the kernel cannot confine lookups to a root:
 * openat2), ENOMEM. Freed with bz_posture_free. */
enum bz_status bz_posture_run(const struct bz_posture_options *o,
                              struct bz_posture **ret) BZ_MUST_USE;
void bz_posture_free(struct bz_posture *p); /* NULL is fine */

struct bz_posture_counts {
    unsigned status[BZ_POSTURE_STATUS_COUNT]; /* a suppressed failure counts as none of them */
    unsigned failed[BZ_POSTURE_SEVERITY_COUNT];
    unsigned suppressed, expired;
    unsigned score; /* 0 to 100, see docs/POSTURE.md */
};
void bz_posture_count(const struct bz_posture *p, struct bz_posture_counts *ret);

/* Suppressions: YAML, see docs/POSTURE.md. ESYNTAX, EUTF8 ...: diag tells the line (offset) and why. */
enum bz_status bz_posture_suppress(struct bz_posture *p, struct bz_view yaml,
                                   struct bz_diag *diag) BZ_MUST_USE;
/* Marks what is new and what was fixed since the run whose JSON this is. */
enum bz_status bz_posture_compare(struct bz_posture *p, struct bz_view last_json) BZ_MUST_USE;

/* ---- output ------------------------------------------------------------------------------------ */

struct bz_posture_text_options {
    unsigned width; /* columns; 0: 80 */
    bool colour;
    bool all; /* also what passed or does not apply */
};
void bz_posture_write_text(const struct bz_posture *p, const struct bz_posture_text_options *o,
                           struct bz_buf *out);
void bz_posture_write_json(const struct bz_posture *p, struct bz_buf *out);
void bz_posture_write_sarif(const struct bz_posture *p, struct bz_buf *out);
void bz_posture_write_html(const struct bz_posture *p, struct bz_buf *out);

/* ---- for policy and the console ------------------------------------------------------------------
 * `bartizan posture --instance DIR` leaves its JSON in DIR/BZ_POSTURE_FILE. */

#define BZ_POSTURE_FILE "posture/last.json"
#define BZ_POSTURE_OPEN_MAX 32
struct bz_posture_summary {
    uint64_t time; /* seconds since the epoch */
    unsigned score;
    unsigned critical, high;           /* open, not suppressed */
    char open[BZ_POSTURE_OPEN_MAX][8]; /* ids of the open critical findings */
    size_t open_n;
};
/* Reads what bz_posture_write_json wrote. ESYNTAX, EVERSION (another schema), ENOMEM ...
 * Pure. */
enum bz_status bz_posture_summary_read(struct bz_view json,
                                       struct bz_posture_summary *ret) BZ_MUST_USE;

/* ---- fixes ------------------------------------------------------------------------------------- */

struct bz_posture_change_plan { /* one change; views live as long as the run */
    const char *check;          /* id of the check that it answers */
    struct bz_view path;        /* inside the tree */
    bool is_mode;               /* a mode, not a content */
    uint32_t mode_before, mode_after;
    struct bz_view before, after; /* contents; before.p == NULL: the file is new */
    const char *then;             /* what makes it count, for people: "systemctl daemon-reload" */
};
/* Plans what is safe to write for the failures of `p` that are not suppressed, below `root` (as in the
 * options of the run); `only`: ids, or none for all. */
enum bz_status bz_posture_plan(struct bz_posture *p, const char *root, const char *const *only,
                               size_t only_n, struct bz_posture_change_plan **ret,
                               size_t *ret_n) BZ_MUST_USE;
/* A unified diff of one change. */
void bz_posture_write_diff(const struct bz_posture_change_plan *c, struct bz_buf *out);
/* Writes the changes below `root` and appends what was there to the undo journal. EIO: `failed`
 * names the path; what was done before it is in the journal. */
enum bz_status bz_posture_apply(const char *root, const struct bz_posture_change_plan *c, size_t n,
                                int64_t now, struct bz_view *ret_failed) BZ_MUST_USE;
/* Takes the last run of bz_posture_apply back. A file that was changed since stays and is named in
 * `report`, as is all that was done. ENOTFOUND: nothing to undo. */
enum bz_status bz_posture_undo(const char *root, bool dry_run, struct bz_buf *report) BZ_MUST_USE;
#define BZ_POSTURE_JOURNAL "var/lib/bartizan/posture/undo.jsonl"

#endif
