/* What the files of `bartizan dlp` share. */
#ifndef BZ_DLP_H
#define BZ_DLP_H

#include <stdio.h>

#include <bartizan/detect.h>
#include <bartizan/json.h>
#include <bartizan/policy.h>
#include <bartizan/vault.h>
#include "opts.h"
#include "term.h"

/* ---- what to look for (dlp_rules.c) ---- */

struct bz_dlp_options { /* as they stand on the command line; NULL: not given */
    const char *config, *dir, *min_proof, *text;
    struct bz_opt_many types, except;
};
/* The options' rows of a table; a command's own rows come behind them. */
enum { BZ_DLP_OPTIONS = 6 };
void bz_dlp_option_rows(struct bz_dlp_options *o, struct bz_opt out[BZ_DLP_OPTIONS]);

struct bz_dlp_rules {
    struct bz_detect *d;
    struct bz_type_set want;
    enum bz_proof min;
    enum bz_text_mode mode;
};
/* Compiles the detectors. `usual`: what is sure enough without --min-proof. A failure was printed;
 * *ret may be given to bz_dlp_rules_close in any case. */
bool bz_dlp_rules_open(const struct bz_dlp_options *o, enum bz_proof usual,
                       struct bz_dlp_rules *ret);
void bz_dlp_rules_close(struct bz_dlp_rules *r);

/* ---- one text in pieces (dlp_text.c) ---- */

struct bz_dlp_place {
    uint64_t line, column; /* from 1; columns count characters */
};
struct bz_dlp_found {
    const struct bz_type *type;
    size_t number; /* of the type */
    enum bz_proof proof;
    enum bz_level level;
    bool quoted; /* see struct bz_finding */
    bool more;   /* goes on with the finding before: a long secret comes in parts */
    uint64_t offset;
    struct bz_dlp_place from, to; /* to: behind the last character */
    struct bz_view value;         /* until the callback returns */
};
struct bz_dlp_text {
    const struct bz_dlp_rules *rules;
    void (*found)(void *ctx, const struct bz_dlp_found *f);
    void (*between)(void *ctx, struct bz_view v); /* text that is none; NULL: of no interest */
    void *ctx;
    struct bz_watch watch;
    struct bz_arena ar;
    struct bz_buf raw; /* the text from `base` on: what is not decided yet */
    uint64_t base, fed;
    struct bz_dlp_place at; /* of base */
    uint64_t last_end;      /* of the last finding that may go on */
    size_t last_type;
};
void bz_dlp_text_init(struct bz_dlp_text *t, const struct bz_dlp_rules *r);
/* The next piece of any bytes, cut anywhere. OK; ENOMEM; ETOOBIG (too much that cannot be decided). */
enum bz_status bz_dlp_text_feed(struct bz_dlp_text *t, struct bz_view piece, bool last) BZ_MUST_USE;
void bz_dlp_text_done(struct bz_dlp_text *t); /* wipes */

/* Is this the beginning of a text? No NUL in it, or a mark of UTF-16 or UTF-32 in front. */
bool bz_dlp_is_text(struct bz_view head);
/* Has the text a mark of UTF-16 or UTF-32 in front? */
bool bz_dlp_is_wide(struct bz_view head);
enum { BZ_DLP_HEAD = 8192, BZ_DLP_PIECE = 65536 };

/* ---- telling (dlp_report.c) ---- */

enum bz_dlp_form { BZ_DLP_LINES, BZ_DLP_JSON, BZ_DLP_SARIF };
struct bz_dlp_report {
    enum bz_dlp_form form;
    FILE *out;
    const struct bz_detect *d;
    struct bz_buf b;         /* what is written next */
    struct bz_buf unchecked; /* JSON: what could not be checked, as items of a list */
    struct bz_jw w, uw;
    uint64_t findings, files, files_hit, bytes, binary, special, failed;
    uint64_t types[BZ_TYPES_MAX];
};
void bz_dlp_report_begin(struct bz_dlp_report *r, enum bz_dlp_form form, const struct bz_detect *d);
void bz_dlp_report_found(struct bz_dlp_report *r, const char *path, const struct bz_dlp_found *f);
/* path could not be checked, or not whole; why: ours. */
void bz_dlp_report_failed(struct bz_dlp_report *r, const char *path, const char *why);
/* Exit code of the whole. */
int bz_dlp_report_end(struct bz_dlp_report *r);
void bz_dlp_report_done(struct bz_dlp_report *r);
/* At most two characters of the value, and how many there are: never enough to guess it. */
void bz_dlp_preview(struct bz_view value, struct bz_buf *out);

/* ---- walking (dlp_scan.c, dlp_git.c) ---- */

struct bz_dlp_scan {
    const struct bz_dlp_rules *rules;
    struct bz_dlp_report report;
    struct bz_opt_many exclude;
    bool binary; /* files that are no text are scanned, too */
    struct bz_progress progress;
    const char *path;
    uint8_t *piece; /* BZ_DLP_PIECE bytes */
};
void bz_dlp_scan_fd(struct bz_dlp_scan *s, int fd, const char *path);
bool bz_dlp_excluded(const struct bz_dlp_scan *s, const char *path);
/* What stands in git's index but not in its last commit. */
bool bz_dlp_scan_staged(struct bz_dlp_scan *s);

int bz_dlp_scan(int argc, char **argv);
int bz_dlp_mask(int argc, char **argv);

#endif
