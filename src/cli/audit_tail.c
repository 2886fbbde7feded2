/* bartizan audit tail */
#include "cmd_audit.h"

#include <stdio.h>
#include <unistd.h>

#include "opts.h"

enum { POLL_MS = 250, DEFAULT_LINES = 20 };

struct tail {
    struct bz_audit_printer p;
    bool json;
    bool odd; /* a record that is no clean line of JSON */
};

static enum bz_status show(void *ctx, uint64_t index, struct bz_view entry) {
    struct tail *t = ctx;
    if (!t->json) {
        bz_audit_print(&t->p, entry);
    } else if (!bz_audit_print_raw(entry)) {
        bz_say("record %llu is not JSON: left out", (unsigned long long)index);
        t->odd = true;
    }
    return ferror(stdout) ? BZ_EIO : BZ_OK;
}

static int trouble(const struct bz_alog *l, enum bz_status st, uint64_t at) {
    if (ferror(stdout))
        return BZ_EXIT_FAILURE;
    if (st == BZ_EDENIED || st == BZ_ESYNTAX)
        bz_say("the checkpoint is not signed by this log's key");
    else
        bz_say("record %llu cannot be read: %s%s%s; 'bartizan audit verify' tells more",
               (unsigned long long)at, bz_status_text(st), l->diag.why == NULL ? "" : ": ",
               l->diag.why == NULL ? "" : l->diag.why);
    return st == BZ_EIO ? BZ_EXIT_UNCHECKED : BZ_EXIT_FINDINGS;
}

static int follow(struct bz_alog *l, struct tail *t, uint64_t from, bool forever) {
    uint64_t next = from;
    do {
        enum bz_status st = bz_alog_each(l, next, l->durable, show, t, &next);
        if (st != BZ_OK)
            return trouble(l, st, next);
        (void)fflush(stdout);
        if (forever) {
            usleep(POLL_MS * 1000);
            st = bz_alog_refresh(l);
            if (st != BZ_OK)
                return trouble(l, st, next);
        }
    } while (forever);
    return t->odd ? BZ_EXIT_FINDINGS : BZ_EXIT_OK;
}

/* "-n 5" and "-f" for "--lines 5" and "--follow": what fingers know from tail(1). */
static void long_names(int argc, char **argv) {
    static char lines[] = "--lines";
    static char follow_name[] = "--follow";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-n") == 0)
            argv[i] = lines;
        else if (strcmp(argv[i], "-f") == 0)
            argv[i] = follow_name;
    }
}

int bz_audit_tail(int argc, char **argv) {
    struct tail t = {0};
    const char *lines = NULL;
    bool forever = false;
    bool help = false;
    const struct bz_opt list[] = {
        {"lines", BZ_OPT_TEXT, &lines, "N", "how many of the newest records (-n); default 20"},
        {"follow", BZ_OPT_FLAG, &forever, NULL, "keep on showing new ones (-f)"},
        {"json", BZ_OPT_FLAG, &t.json, NULL, "the records as they stand in the log, one per line"},
    };
    static const char *const words[] = {"DIR"};
    const struct bz_opts o = {
        "bartizan audit tail DIR [-n N] [-f] [--json]",
        "Shows the newest records, those included that no checkpoint covers yet.",
        list,
        sizeof list / sizeof list[0],
        words,
        1,
        1};
    const char *dir[1];
    size_t n;
    long_names(argc, argv);
    if (bz_opts_parse(&o, argc, argv, dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    uint64_t count = DEFAULT_LINES;
    if (lines != NULL && bz_view_u64(bz_view_str(lines), &count) != BZ_OK) {
        bz_say("-n %s: not a number", bz_safe(lines));
        return BZ_EXIT_FAILURE;
    }
    struct bz_alog l;
    int rc = bz_alog_open(dir[0], NULL, &l);
    if (rc != 0)
        return rc;
    bz_audit_printer_init(&t.p);
    enum bz_status st = bz_alog_refresh(&l);
    if (st != BZ_OK)
        rc = trouble(&l, st, l.diag.offset);
    else
        rc = follow(&l, &t, l.durable > count ? l.durable - count : 0, forever);
    bz_alog_close(&l);
    return rc;
}
