/* bartizan scan: files and folders, by what is in them. */
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>

#include "opts.h"
#include "scan_command.h"
#include "scan_report.h"
#include "scan_template.h"
#include "term.h"

struct asked {
    const char *fail_on, *jobs;
    bool json, sarif, hash, verbose, quiet;
    bool template_diff, template_hash;
    const char **words;
    size_t words_n;
};

struct scan {
    struct bz_scan_list list;
    struct bz_scan_run run;
    struct bz_scan_report report;
    struct bz_progress progress;
};

/* ---- progress -------------------------------------------------------------------------------------- */

static void tick(void *ctx, size_t done, uint64_t bytes) {
    struct scan *s = ctx;
    if (bz_progress_due(&s->progress))
        bz_progress_show(&s->progress,
                         "%zu of %zu files, %" PRIu64 " MB, %" PRIu64 " with findings", done,
                         s->list.n, bytes / 1000000, s->report.bad);
}

static void outcome(void *ctx, const struct bz_scan_outcome *o) {
    struct scan *s = ctx;
    bz_progress_clear(&s->progress);
    bz_scan_report_file(&s->report, o);
}

/* ---- command ------------------------------------------------------------------------------------------ */

static unsigned processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : (unsigned)n;
}

static bool severity_of(const char *word, enum bz_severity *ret) {
    for (size_t i = BZ_SEVERITY_LOW; i < BZ_SEVERITY_COUNT; i++) {
        if (strcmp(word, bz_severity_name((enum bz_severity)i)) == 0) {
            *ret = (enum bz_severity)i;
            return true;
        }
    }
    bz_say("--fail-on %s: one of low, medium, high, critical", bz_safe(word));
    return false;
}

static bool settings(const struct asked *a, struct scan *s) {
    uint64_t jobs = processors();
    s->run.options.fail_on = BZ_SEVERITY_MEDIUM;
    if (a->fail_on != NULL && !severity_of(a->fail_on, &s->run.options.fail_on))
        return false;
    if (a->jobs != NULL && (bz_view_u64(bz_view_str(a->jobs), &jobs) != BZ_OK || jobs < 1 ||
                            jobs > BZ_SCAN_JOBS_MAX)) {
        bz_say("--jobs %s: a number from 1 to %d", bz_safe(a->jobs), BZ_SCAN_JOBS_MAX);
        return false;
    }
    s->run.jobs = (unsigned)jobs;
    s->run.hash = a->hash;
    s->report.form = a->sarif ? BZ_SCAN_SARIF : a->json ? BZ_SCAN_JSON : BZ_SCAN_TEXT;
    s->report.verbose = a->verbose;
    s->report.out = stdout;
    bz_progress_begin(&s->progress, !a->quiet);
    return true;
}

static bool rules(struct scan *s) {
    s->run.rules_n = bz_rule_all(NULL, 0);
    s->run.rules = calloc(s->run.rules_n + 1, sizeof *s->run.rules);
    if (s->run.rules != NULL)
        (void)bz_rule_all(s->run.rules, s->run.rules_n);
    return s->run.rules != NULL;
}

static int scan_all(const struct asked *a, struct scan *s) {
    enum bz_status st = bz_scan_list_make(&s->list, a->words, a->words_n, s->progress.on);
    if (st == BZ_EIO)
        st = BZ_OK; /* no path could be opened: said already, and counted */
    if (st == BZ_OK && !rules(s))
        st = BZ_ENOMEM;
    s->run.list = s->report.list = &s->list;
    s->report.run = &s->run;
    s->run.outcome = outcome;
    s->run.tick = tick;
    s->run.ctx = s;
    if (st == BZ_OK) {
        (void)fflush(stdout);
        bz_scan_report_begin(&s->report);
        st = bz_scan_run(&s->run);
        bz_progress_clear(&s->progress);
    }
    if (st != BZ_OK) {
        bz_say("the scan could not be finished: %s", bz_status_text(st));
        return BZ_EXIT_FAILURE;
    }
    return bz_scan_report_end(&s->report);
}

/* Not a scan: only what it tells about chat templates. */
static int templates(const struct asked *a) {
    if (a->template_diff == a->template_hash || a->sarif || (a->template_diff && a->words_n != 2)) {
        bz_say("use `bartizan scan --diff-templates [--json] FILE FILE` or `bartizan scan "
               "--template-hash [--json] FILE...`");
        return BZ_EXIT_FAILURE;
    }
    return a->template_diff ? bz_scan_template_diff(a->words[0], a->words[1], a->json)
                            : bz_scan_template_hash(a->words, a->words_n, a->json);
}

static int run(const struct asked *a) {
    if (a->template_diff || a->template_hash)
        return templates(a);
    struct scan *s = calloc(1, sizeof *s);
    int rc = BZ_EXIT_FAILURE;
    if (s == NULL)
        bz_say("out of memory");
    else if (settings(a, s))
        rc = scan_all(a, s);
    if (s != NULL) {
        bz_scan_list_done(&s->list);
        free(s->run.rules);
    }
    free(s);
    return rc;
}

static int parse(int argc, char **argv, struct asked *a) {
    static const char *const names[] = {"PATH"};
    const struct bz_opt list[] = {
        {"fail-on", BZ_OPT_TEXT, &a->fail_on, "SEVERITY",
         "exit 1 from here: low, medium (default), high, critical"},
        {"hash", BZ_OPT_FLAG, &a->hash, NULL, "print each file's SHA-256"},
        {"jobs", BZ_OPT_TEXT, &a->jobs, "N", "processes; one per processor by default"},
        {"json", BZ_OPT_FLAG, &a->json, NULL, "print one JSON object"},
        {"sarif", BZ_OPT_FLAG, &a->sarif, NULL, "print SARIF 2.1.0"},
        {"verbose", BZ_OPT_FLAG, &a->verbose, NULL, "name clean files and notes, too"},
        {"no-progress", BZ_OPT_FLAG, &a->quiet, NULL, "no line of progress on a terminal"},
        {"diff-templates", BZ_OPT_FLAG, &a->template_diff, NULL,
         "show how the chat templates of two files differ"},
        {"template-hash", BZ_OPT_FLAG, &a->template_hash, NULL,
         "print the digests of the files' chat templates"},
    };
    const struct bz_opts o = {
        "bartizan scan [OPTION]... PATH...",
        "Looks into model files and folders for what runs code, leads out, or is not what it "
        "seems.\n"
        "Formats are recognised by content. Nothing is loaded, run or sent anywhere.\n"
        "Exit code 0: clean, 1: findings, 2: usage or failure, 3: something could not be checked.",
        list,
        sizeof list / sizeof list[0],
        names,
        1,
        (size_t)argc};
    bool help = false;
    if (bz_opts_parse(&o, argc, argv, a->words, &a->words_n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (!a->json || !a->sarif)
        return -1;
    bz_say("--json and --sarif exclude each other");
    return BZ_EXIT_FAILURE;
}

int bz_cli_scan(int argc, char **argv) {
    struct asked a = {.fail_on = NULL};
    a.words = calloc((size_t)argc + 1, sizeof *a.words);
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
