/* bartizan posture: audits this host, or a tree, and everything of a local-AI stack on it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd_posture.h"
#include "term.h"
#include "commands.h"

enum { OUT_MAX = 32 << 20, STATE_MAX = 16 << 20, SUPPRESS_MAX = 1 << 20 };

struct wish {
    const char *root, *instance, *suppress, *state;
    bool json, sarif, html, all, fix, dry_run, undo, yes, no_get, connect, deep, seal, no_record;
    struct bz_opt_many only;
    struct bz_instance in;
    bool have_in;
};

static bool read_file(const char *path, struct bz_buf *out, bool *ret_there) {
    enum bz_status st = bz_file_read(AT_FDCWD, path, out);
    *ret_there = st == BZ_OK;
    if (st == BZ_OK || st == BZ_ENOTFOUND)
        return true;
    bz_say("%s: %s", bz_safe(path),
           st == BZ_ETOOBIG ? "larger than such a file is" : strerror(errno));
    return false;
}

/* ---- suppressions, the last run ---- */

static bool suppress_from(struct bz_posture *p, const char *path, bool must) {
    struct bz_buf text;
    struct bz_diag diag = {0, NULL};
    bool there = false;
    bz_buf_init(&text, SUPPRESS_MAX);
    bool good = read_file(path, &text, &there);
    if (good && !there && must) {
        bz_say("%s: there is no such file", bz_safe(path));
        good = false;
    }
    if (good && there && bz_posture_suppress(p, bz_buf_view(&text), &diag) != BZ_OK) {
        bz_say("%s: entry or line %llu: %s", bz_safe(path), (unsigned long long)diag.offset,
               diag.why != NULL ? diag.why : "not understood");
        good = false;
    }
    bz_buf_free(&text);
    return good;
}

static bool suppress(const struct wish *w, struct bz_posture *p) {
    char path[BZ_DIR_PATH_MAX];
    if (w->suppress != NULL)
        return suppress_from(p, w->suppress, true);
    if (w->have_in && bz_instance_path(&w->in, "posture/suppress.yaml", path))
        return suppress_from(p, path, false);
    return true;
}

static bool compare_with(struct bz_posture *p, const char *path) {
    struct bz_buf text;
    bool there = false;
    bz_buf_init(&text, STATE_MAX);
    bool good = read_file(path, &text, &there);
    if (good && there && bz_posture_compare(p, bz_buf_view(&text)) != BZ_OK) {
        bz_say("%s: this is no result of 'bartizan posture' that can be compared with; remove it",
               bz_safe(path));
        good = false;
    }
    bz_buf_free(&text);
    return good;
}

static bool state_path(const struct wish *w, char out[BZ_DIR_PATH_MAX]) {
    if (w->state != NULL)
        return snprintf(out, BZ_DIR_PATH_MAX, "%s", w->state) < BZ_DIR_PATH_MAX;
    return w->have_in && !w->no_record && bz_instance_path(&w->in, BZ_POSTURE_FILE, out);
}

static bool record(const struct wish *w, const struct bz_posture *p) {
    char path[BZ_DIR_PATH_MAX];
    struct bz_buf b;
    if (!state_path(w, path))
        return true;
    if (w->state == NULL && mkdirat(w->in.fd, "posture", 0700) != 0 && errno != EEXIST) {
        bz_say("%s/posture: %s", bz_safe(w->in.path), strerror(errno));
        return false;
    }
    bz_buf_init(&b, OUT_MAX);
    bz_posture_write_json(p, &b);
    bool good = bz_buf_status(&b) == BZ_OK &&
                bz_file_write(AT_FDCWD, path, bz_buf_view(&b), 0600, BZ_FILE_SYNC) == BZ_OK;
    if (!good)
        bz_say("%s cannot be written: %s", bz_safe(path), strerror(errno));
    bz_buf_free(&b);
    return good;
}

/* ---- output ---- */

static bool print(const struct wish *w, const struct bz_posture *p) {
    struct bz_buf b;
    bool tty = isatty(STDOUT_FILENO) == 1;
    const struct bz_posture_text_options o = {.width = (unsigned)bz_term_text_columns(stdout),
                                              .colour = tty && getenv("NO_COLOR") == NULL,
                                              .all = w->all};
    bz_buf_init(&b, OUT_MAX);
    if (w->json)
        bz_posture_write_json(p, &b);
    else if (w->sarif)
        bz_posture_write_sarif(p, &b);
    else if (w->html)
        bz_posture_write_html(p, &b);
    else
        bz_posture_write_text(p, &o, &b);
    bool good =
        bz_buf_status(&b) == BZ_OK && fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0;
    if (!good)
        bz_say("the report could not be written");
    bz_buf_free(&b);
    return good;
}

/* ---- fixes ---- */

static bool agreed(const struct wish *w) {
    char answer[8];
    if (w->yes || isatty(STDIN_FILENO) != 1)
        return true;
    (void)fputs("write this? [y/N] ", stderr);
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static int fix(const struct wish *w, struct bz_posture *p) {
    struct bz_posture_change_plan *list = NULL;
    size_t n = 0;
    struct bz_buf b;
    struct bz_view failed = {NULL, 0};
    enum bz_status st = bz_posture_plan(p, w->root, w->only.v, w->only.n, &list, &n);
    if (st != BZ_OK) {
        bz_say("the changes cannot be planned: %s", bz_status_text(st));
        return BZ_EXIT_FAILURE;
    }
    bz_buf_init(&b, OUT_MAX);
    for (size_t i = 0; i < n; i++)
        bz_posture_write_diff(&list[i], &b);
    if (b.n > 0)
        (void)fwrite(b.p, 1, b.n, stdout);
    (void)fflush(stdout);
    bz_buf_free(&b);
    if (n == 0) {
        bz_say("nothing to write: what is open is not for this command to change");
        return BZ_EXIT_OK;
    }
    if (w->dry_run) {
        bz_say("%zu changes would be written", n);
        return BZ_EXIT_FINDINGS;
    }
    if (!agreed(w)) {
        bz_say("nothing was written");
        return BZ_EXIT_FINDINGS;
    }
    st = bz_posture_apply(w->root, list, n, (int64_t)time(NULL), &failed);
    if (st != BZ_OK) {
        char path[512];
        (void)snprintf(path, sizeof path, "%.*s", (int)(failed.n < 500 ? failed.n : 500),
                       (const char *)failed.p);
        bz_say("%s could not be changed (%s); what was written before can be undone with --undo",
               bz_safe(path), strerror(errno));
        return BZ_EXIT_FAILURE;
    }
    bz_say("%zu changes written; 'bartizan posture --undo' takes them back", n);
    return BZ_EXIT_OK;
}

static int undo(const struct wish *w) {
    struct bz_buf b;
    bz_buf_init(&b, OUT_MAX);
    enum bz_status st = bz_posture_undo(w->root, w->dry_run, &b);
    if (b.n > 0)
        (void)fwrite(b.p, 1, b.n, stdout);
    bz_buf_free(&b);
    if (st == BZ_ENOTFOUND)
        bz_say("nothing to undo: there is no journal (%s)", BZ_POSTURE_JOURNAL);
    else if (st != BZ_OK)
        bz_say("the journal %s: %s", BZ_POSTURE_JOURNAL, bz_status_text(st));
    return st == BZ_OK ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
}

/* ---- a run ---- */

static int outcome(const struct bz_posture *p) {
    struct bz_posture_counts n;
    bz_posture_count(p, &n);
    if (n.status[BZ_POSTURE_FAIL] > 0)
        return BZ_EXIT_FINDINGS;
    /* Nothing failed because nothing could be seen: that is no clean result. */
    return n.status[BZ_POSTURE_PASS] == 0 ? BZ_EXIT_UNCHECKED : BZ_EXIT_OK;
}

static int report(const struct wish *w, struct bz_posture *p) {
    char path[BZ_DIR_PATH_MAX];
    if (!suppress(w, p) || (state_path(w, path) && !compare_with(p, path)))
        return BZ_EXIT_FAILURE;
    if (w->fix)
        return fix(w, p);
    if (!print(w, p) || !record(w, p))
        return BZ_EXIT_FAILURE;
    return outcome(p);
}

static int run(struct wish *w) {
    struct bz_posture *p = NULL;
    struct bz_posture_options o = {.root = w->root,
                                   .instance = w->have_in ? w->in.path : w->instance,
                                   .now = (int64_t)time(NULL),
                                   .get = !w->no_get,
                                   .connect = w->connect,
                                   .deep = w->deep};
    bz_posture_join(&o.hooks, w->have_in ? &w->in : NULL);
    enum bz_status st = bz_posture_run(&o, &p);
    if (st != BZ_OK) {
        const char *root = w->root == NULL ? "/" : w->root;
        if (st == BZ_EUNAVAIL)
            bz_say(
                "%s: this kernel cannot confine lookups to a tree (openat2): nothing was looked at",
                bz_safe(root));
        else
            bz_say("%s: %s", bz_safe(root),
                   st == BZ_ENOTFOUND ? "no such directory" : bz_status_text(st));
        return st == BZ_ENOMEM ? BZ_EXIT_UNCHECKED : BZ_EXIT_FAILURE;
    }
    int rc = report(w, p);
    bz_posture_free(p);
    return rc;
}

static bool sensible(const struct wish *w) {
    const char *why =
        w->json + w->sarif + w->html > 1    ? "--json, --sarif and --html exclude each other"
        : w->fix && w->undo                 ? "--fix and --undo exclude each other"
        : w->dry_run && !w->fix && !w->undo ? "--dry-run is for --fix and --undo"
        : w->only.n > 0 && !w->fix          ? "--only is for --fix"
        : w->seal && w->instance == NULL    ? "--seal needs --instance DIR"
        : w->seal && (w->fix || w->undo)    ? "--seal stands alone"
        : w->root != NULL && w->connect     ? "--connect is for the running system, not for --root"
        : w->fix && (w->json || w->sarif || w->html)
            ? "--fix prints changes; run it without --json, --sarif, --html"
            : NULL;
    if (why != NULL)
        bz_say("%s", why);
    for (size_t i = 0; why == NULL && i < w->only.n; i++) {
        if (bz_posture_check_find(bz_view_str(w->only.v[i])) == NULL) {
            bz_say("--only '%s': no check has this id; docs/POSTURE.md lists them",
                   bz_safe(w->only.v[i]));
            return false;
        }
    }
    return why == NULL;
}

int bz_cli_posture(int argc, char **argv) {
    static struct wish w; /* too large for a stack frame; a process has one */
    bool help = false;
    size_t n = 0;
    w.in.fd = -1;
    const struct bz_opt list[] = {
        {"root", BZ_OPT_TEXT, &w.root, "DIR",
         "audit this tree or image offline; DIR/proc is read as a saved /proc"},
        {"instance", BZ_OPT_TEXT, &w.instance, "DIR",
         "compare with this instance; leaves DIR/" BZ_POSTURE_FILE},
        {"no-record", BZ_OPT_FLAG, &w.no_record, NULL, "with --instance: leave nothing there"},
        {"json", BZ_OPT_FLAG, &w.json, NULL, "print one JSON object (docs/POSTURE.md)"},
        {"sarif", BZ_OPT_FLAG, &w.sarif, NULL, "print SARIF 2.1.0"},
        {"html", BZ_OPT_FLAG, &w.html, NULL, "print one self-contained HTML page"},
        {"all", BZ_OPT_FLAG, &w.all, NULL, "also what passed and why something is not assessable"},
        {"suppress", BZ_OPT_TEXT, &w.suppress, "FILE", "YAML with id, owner, reason, expires"},
        {"state", BZ_OPT_TEXT, &w.state, "FILE",
         "compare with the last run kept there, and keep this one"},
        {"fix", BZ_OPT_FLAG, &w.fix, NULL, "show and write what is safe to write"},
        {"only", BZ_OPT_MANY, &w.only, "ID", "with --fix: this check alone; may be repeated"},
        {"dry-run", BZ_OPT_FLAG, &w.dry_run, NULL, "with --fix or --undo: only show"},
        {"yes", BZ_OPT_FLAG, &w.yes, NULL, "with --fix: do not ask on a terminal"},
        {"undo", BZ_OPT_FLAG, &w.undo, NULL, "take the last --fix back"},
        {"seal", BZ_OPT_FLAG, &w.seal, NULL, "sign what --instance consists of now, for G05"},
        {"no-get", BZ_OPT_FLAG, &w.no_get, NULL, "send no GET to listeners of this host"},
        {"connect", BZ_OPT_FLAG, &w.connect, NULL,
         "also try to reach backends around the gateway (G07)"},
        {"deep", BZ_OPT_FLAG, &w.deep, NULL, "hash every loaded model, however large (D02)"},
    };
    const struct bz_opts o = {"bartizan posture [--root DIR] [--instance DIR] "
                              "[--json|--sarif|--html] [--fix [--dry-run]]",
                              "Audits this host and the local-AI stack on it. Read-only but for "
                              "--fix, --undo, --state,\n--instance and --seal.",
                              list,
                              sizeof list / sizeof list[0],
                              NULL,
                              0,
                              0};
    if (bz_opts_parse(&o, argc, argv, NULL, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (!sensible(&w))
        return BZ_EXIT_FAILURE;
    if (w.undo)
        return undo(&w);
    if (w.instance != NULL && w.root == NULL) {
        if (!bz_cli_open(w.instance, &w.in))
            return BZ_EXIT_FAILURE;
        w.have_in = true;
    }
    int rc = w.seal && w.have_in ? bz_posture_seal(&w.in) : run(&w);
    if (w.have_in)
        bz_instance_close(&w.in);
    return rc;
}
