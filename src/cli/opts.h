/* Command-line options: one table per command. Unknown options and words are errors that name the
 * nearest known one. */
#ifndef BZ_OPTS_H
#define BZ_OPTS_H

#include <bartizan/buf.h>

enum bz_exit { BZ_EXIT_OK, BZ_EXIT_FINDINGS, BZ_EXIT_FAILURE, BZ_EXIT_UNCHECKED };

enum { BZ_OPT_MANY_MAX = 64 };
struct bz_opt_many { /* an option that may be repeated */
    const char *v[BZ_OPT_MANY_MAX];
    size_t n;
};
enum bz_opt_kind { BZ_OPT_FLAG, BZ_OPT_TEXT, BZ_OPT_MANY };
struct bz_opt {
    const char *name; /* without "--" */
    enum bz_opt_kind kind;
    void *ret;       /* bool *, const char **, struct bz_opt_many * */
    const char *arg; /* name of the value in the help; NULL for flags */
    const char *help;
};
struct bz_opts {
    const char *usage; /* "bartizan up DIR [--detach]" */
    const char *about; /* a sentence or two; may be NULL */
    const struct bz_opt *list;
    size_t n;
    const char *const *words; /* names of the words expected; for messages */
    size_t words_min, words_max;
};
/* Fills the results; words go to `words` (room for words_max). "--help" prints the help: *ret_help
 * is set and BZ_OK returned. EINVAL: the error was printed to stderr. argv[0] is the command's own
 * name. */
enum bz_status bz_opts_parse(const struct bz_opts *o, int argc, char **argv, const char **words,
                             size_t *ret_words_n, bool *ret_help) BZ_MUST_USE;

/* Nearest of `list` to `s` by edit distance (insert, delete, replace, swap), or NULL when nothing
 * is near. */
const char *bz_nearest(const char *s, const char *const *list, size_t n);

/* "90d", "12h", "30m", "45s", "2w" -> seconds. ESYNTAX, ERANGE (above 100 years or zero). */
enum bz_status bz_duration_parse(const char *s, uint64_t *ret_s) BZ_MUST_USE;
/* Unix time of "2027-01-31", "2027-01-31T10:00:00Z" or of now + a duration. ESYNTAX; ERANGE (not in
 * the future). */
enum bz_status bz_expiry_parse(const char *s, uint64_t now, uint64_t *ret) BZ_MUST_USE;

/* ---- printing ---- */
/* fputs of text from outside, escaped (bz_put_safe). */
void bz_print_safe(void *file, struct bz_view v);
/* Prints a text of ours behind `left`, which is filled up to column `col`, and its further lines below. */
void bz_print_beside(const char *left, size_t col, const char *text);
/* "bartizan: " message to stderr. The format is ours; `%s` arguments must be ours or already
 * escaped. */
void bz_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Escaped copy in a small rotating set of buffers, for messages. */
const char *bz_safe(const char *text);

#endif
