/* bartizan audit: tail, verify, prove, export. Reads files only; works on a live log and on a
 * copy. */
#ifndef BZ_CMD_AUDIT_H
#define BZ_CMD_AUDIT_H

#include <bartizan/audit.h>

int bz_cli_audit(int argc, char **argv);

int bz_audit_tail(int argc, char **argv);
int bz_audit_verify(int argc, char **argv);
int bz_audit_prove(int argc, char **argv);
int bz_audit_export(int argc, char **argv);

/* ---- a log opened for reading (audit_log.c) ---- */

struct bz_alog {
    int dir;            /* of the log; -1 when closed */
    struct bz_buf line; /* verifier key; origin points into it */
    struct bz_view origin;
    uint8_t pub[BZ_SIGN_PUBLIC_LEN];
    struct bz_buf note;        /* the checkpoint as it stands in the file */
    struct bz_checkpoint head; /* size 0 when there is none */
    bool has_head;
    uint64_t durable;       /* records, those of the journal included */
    enum bz_status journal; /* of its scan; diag tells more */
    struct bz_diag diag;
};

/* Opens DIR/audit, or DIR itself if that is a log. `verifier`: a key line or a file with one; NULL:
 * the log's own. On failure the reason was printed and an exit code is returned; 0 otherwise. */
int bz_alog_open(const char *dir, const char *verifier, struct bz_alog *ret);
void bz_alog_close(struct bz_alog *l);
/* Reads checkpoint and journal anew. OK; EDENIED and ESYNTAX: the checkpoint; ECORRUPT: its journal
 * does not connect. */
enum bz_status bz_alog_refresh(struct bz_alog *l) BZ_MUST_USE;

/* Calls fn for the records [from, to), from bundles and then from the journal. Anything but OK from
 * fn stops. The first index not visited is stored in *ret_next even then. */
typedef enum bz_status bz_alog_fn(void *ctx, uint64_t index, struct bz_view entry);
enum bz_status bz_alog_each(struct bz_alog *l, uint64_t from, uint64_t to, bz_alog_fn *fn,
                            void *ctx, uint64_t *ret_next) BZ_MUST_USE;

/* ---- for people (audit_print.c) ---- */

struct bz_audit_printer {
    size_t width; /* columns; SIZE_MAX: no cut */
    char day[11]; /* of the last line */
};
void bz_audit_printer_init(struct bz_audit_printer *p);
/* One line, and a line with the date when it changes. */
void bz_audit_print(struct bz_audit_printer *p, struct bz_view entry);
/* The entry as it stands in the log, if it is one line of clean text; false: nothing was
 * printed. */
bool bz_audit_print_raw(struct bz_view entry);
/* "time" of an entry, empty when it has none. Lives as long as the entry. */
struct bz_view bz_audit_time(struct bz_view entry);
bool bz_audit_has_id(struct bz_view entry, const char id[BZ_REQUEST_ID_TEXT + 1]);
/* Counts on a terminal, nothing elsewhere. what: "verifying". done == total clears the line. */
void bz_audit_progress(const char *what, uint64_t done, uint64_t total);

#endif
