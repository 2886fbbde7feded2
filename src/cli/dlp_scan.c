/* bartizan dlp scan: files, directories, standard input, staged changes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dlp.h"
#include "files.h"

enum { DEPTH_MAX = 128, WORDS_MAX = 4096, PATH_BYTES_MAX = 8192 };

/* ---- progress ---- */

static void progress(struct bz_dlp_scan *s) {
    const struct bz_dlp_report *r = &s->report;
    if (bz_progress_due(&s->progress))
        bz_progress_show(&s->progress,
                         "%" PRIu64 " files, %" PRIu64 ".%" PRIu64 " MB, %" PRIu64 " findings",
                         r->files, r->bytes / 1000000, r->bytes / 100000 % 10, r->findings);
}

/* ---- one file ---- */

static void on_found(void *ctx, const struct bz_dlp_found *f) {
    struct bz_dlp_scan *s = ctx;
    if (f->more)
        return;
    bz_progress_clear(&s->progress);
    bz_dlp_report_found(&s->report, s->path, f);
}

static void failed(struct bz_dlp_scan *s, const char *path, const char *why) {
    bz_progress_clear(&s->progress);
    bz_dlp_report_failed(&s->report, path, why);
}

/* As many bytes as there are, up to a piece: what is text is asked of the first BZ_DLP_HEAD. */
static ssize_t fill(int fd, uint8_t *p) {
    size_t n = 0;
    while (n < BZ_DLP_PIECE) {
        ssize_t k = read(fd, p + n, BZ_DLP_PIECE - n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -1;
        if (k == 0)
            break;
        n += (size_t)k;
    }
    return (ssize_t)n;
}

static void scan_pieces(struct bz_dlp_scan *s, int fd, size_t n) {
    struct bz_dlp_text t;
    bz_dlp_text_init(&t, s->rules);
    t.found = on_found;
    t.ctx = s;
    for (;;) {
        s->report.bytes += n;
        enum bz_status st = bz_dlp_text_feed(&t, bz_view(s->piece, n), n < BZ_DLP_PIECE);
        if (st != BZ_OK)
            failed(s, s->path,
                   st == BZ_ETOOBIG ? "not whole: too long a run that nobody sees or can decide"
                                    : bz_status_text(st));
        progress(s);
        if (st != BZ_OK || n < BZ_DLP_PIECE)
            break;
        ssize_t k = fill(fd, s->piece);
        if (k < 0) {
            failed(s, s->path, strerror(errno));
            break;
        }
        n = (size_t)k;
    }
    bz_dlp_text_done(&t);
}

void bz_dlp_scan_fd(struct bz_dlp_scan *s, int fd, const char *path) {
    uint64_t before = s->report.findings;
    s->path = path;
    ssize_t n = fill(fd, s->piece);
    if (n < 0) {
        failed(s, path, strerror(errno));
        return;
    }
    if (!s->binary && !bz_dlp_is_text(bz_view(s->piece, (size_t)n))) {
        s->report.binary++;
        return;
    }
    s->report.files++;
    scan_pieces(s, fd, (size_t)n);
    s->report.files_hit += s->report.findings > before;
    bz_wipe(s->piece, BZ_DLP_PIECE);
}

/* ---- directories ---- */

bool bz_dlp_excluded(const struct bz_dlp_scan *s, const char *path) {
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < s->exclude.n; i++) {
        if (fnmatch(s->exclude.v[i], path, 0) == 0 ||
            (slash != NULL && fnmatch(s->exclude.v[i], slash + 1, 0) == 0))
            return true;
    }
    return false;
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void scan_dir(struct bz_dlp_scan *s, int fd, struct bz_buf *path, unsigned depth);

/* One name in a directory; links are not followed. */
static void scan_name(struct bz_dlp_scan *s, int dir, const char *name, struct bz_buf *path,
                      unsigned depth) {
    const char *text = (const char *)path->p;
    struct stat sb;
    if (bz_dlp_excluded(s, text))
        return;
    BZ_FD fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && (errno == ELOOP || errno == ENXIO)) {
        s->report.special++;
        return;
    }
    if (fd < 0 || fstat(fd, &sb) != 0)
        failed(s, text, strerror(errno));
    else if (S_ISDIR(sb.st_mode))
        scan_dir(s, fd, path, depth + 1);
    else if (S_ISREG(sb.st_mode))
        bz_dlp_scan_fd(s, fd, text);
    else
        s->report.special++;
}

static bool join(struct bz_buf *path, size_t n, const char *name) {
    path->n = n;
    if (n > 0 && path->p[n - 1] != '/')
        bz_buf_putc(path, '/');
    bz_buf_puts(path, name);
    bz_buf_putc(path, '\0');
    bool ok = bz_buf_status(path) == BZ_OK;
    if (!ok)
        path->st = BZ_OK;
    else
        path->n--;
    return ok;
}

static void end_path(struct bz_buf *path, size_t n) {
    path->n = n;
    path->p[n] = '\0'; /* it was longer before */
}

static int keep(const struct dirent *e) {
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static void scan_dir(struct bz_dlp_scan *s, int fd, struct bz_buf *path, unsigned depth) {
    struct dirent **list = NULL;
    size_t base = path->n;
    if (depth > DEPTH_MAX) {
        failed(s, (const char *)path->p, "nested too deeply");
        return;
    }
    int n = scandirat(fd, ".", &list, keep, by_bytes);
    if (n < 0)
        failed(s, (const char *)path->p, strerror(errno));
    for (int i = 0; i < n; i++) {
        if (join(path, base, list[i]->d_name)) {
            scan_name(s, fd, list[i]->d_name, path, depth);
        } else {
            end_path(path, base);
            failed(s, (const char *)path->p, "a path below it is too long");
        }
        free(list[i]);
    }
    free(list);
    end_path(path, base);
}

/* What stands on the command line: links are followed, pipes are read. */
static void scan_word(struct bz_dlp_scan *s, const char *word) {
    struct stat sb;
    if (strcmp(word, "-") == 0) {
        bz_dlp_scan_fd(s, STDIN_FILENO, "stdin");
        return;
    }
    BZ_FD fd = open(word, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &sb) != 0) {
        failed(s, word, strerror(errno));
        return;
    }
    if (!S_ISDIR(sb.st_mode)) {
        bz_dlp_scan_fd(s, fd, word);
        return;
    }
    struct bz_buf path;
    bz_buf_init(&path, PATH_BYTES_MAX);
    bz_buf_puts(&path, word);
    bz_buf_putc(&path, '\0');
    if (bz_buf_status(&path) == BZ_OK) {
        path.n--;
        scan_dir(s, fd, &path, 0);
    } else {
        failed(s, word, "the path is too long");
    }
    bz_buf_free(&path);
}

/* ---- command ---- */

struct asked {
    struct bz_dlp_options o;
    struct bz_opt_many exclude;
    bool json, sarif, quiet, staged, binary;
    const char **words;
    size_t words_n;
};

static int scan_all(const struct asked *a, struct bz_dlp_scan *s) {
    enum bz_dlp_form form = a->sarif ? BZ_DLP_SARIF : a->json ? BZ_DLP_JSON : BZ_DLP_LINES;
    bz_dlp_report_begin(&s->report, form, s->rules->d);
    bool ok = !a->staged || bz_dlp_scan_staged(s);
    for (size_t i = 0; i < a->words_n; i++)
        scan_word(s, a->words[i]);
    bz_progress_clear(&s->progress);
    int rc = bz_dlp_report_end(&s->report);
    bz_dlp_report_done(&s->report);
    return ok ? rc : BZ_EXIT_FAILURE;
}

static int run(const struct asked *a) {
    struct bz_dlp_rules rules = {.d = NULL};
    struct bz_dlp_scan *s = calloc(1, sizeof *s);
    uint8_t *piece = malloc(BZ_DLP_PIECE);
    int rc = BZ_EXIT_FAILURE;
    if (s == NULL || piece == NULL) {
        bz_say("out of memory");
    } else if (bz_dlp_rules_open(&a->o, BZ_PROOF_CONTEXT, &rules)) {
        s->rules = &rules;
        s->exclude = a->exclude;
        s->binary = a->binary;
        bz_progress_begin(&s->progress, !a->quiet);
        s->piece = piece;
        rc = scan_all(a, s);
    }
    bz_dlp_rules_close(&rules);
    free(piece);
    free(s);
    return rc;
}

static int parse(int argc, char **argv, struct asked *a) {
    static const char *const names[] = {"PATH"};
    struct bz_opt list[BZ_DLP_OPTIONS + 6] = {0};
    const struct bz_opt own[] = {
        {"exclude", BZ_OPT_MANY, &a->exclude, "GLOB", "leave out paths or names like this"},
        {"binary", BZ_OPT_FLAG, &a->binary, NULL, "files that are no text, too"},
        {"staged", BZ_OPT_FLAG, &a->staged, NULL, "what git would commit"},
        {"json", BZ_OPT_FLAG, &a->json, NULL, "print one JSON object"},
        {"sarif", BZ_OPT_FLAG, &a->sarif, NULL, "print SARIF 2.1.0"},
        {"no-progress", BZ_OPT_FLAG, &a->quiet, NULL, "no line of progress on a terminal"},
    };
    bz_dlp_option_rows(&a->o, list);
    memcpy(list + BZ_DLP_OPTIONS, own, sizeof own);
    const struct bz_opts o = {
        "bartizan dlp scan [OPTION]... PATH...",
        "Looks for secrets and personal data in files, directories and standard input (-).\n"
        "By default: all types, where a word beside the value or a checksum proves it (context).\n"
        "Exit code 0: nothing, 1: findings, 2: usage or failure, 3: something could not be read.",
        list,
        sizeof list / sizeof list[0],
        names,
        0,
        WORDS_MAX};
    bool help = false;
    if (bz_opts_parse(&o, argc, argv, a->words, &a->words_n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (a->json && a->sarif)
        bz_say("--json and --sarif exclude each other");
    else if (a->words_n == 0 && !a->staged)
        bz_say("PATH is missing: files, directories, or - for standard input");
    else
        return -1;
    return BZ_EXIT_FAILURE;
}

int bz_dlp_scan(int argc, char **argv) {
    struct asked a = {0};
    a.words = calloc(WORDS_MAX, sizeof *a.words);
    if (a.words == NULL) {
        bz_say("out of memory");
        return BZ_EXIT_FAILURE;
    }
    int rc = parse(argc, argv, &a);
    if (rc < 0)
        rc = run(&a);
    free(a.words);
    return rc;
}
