/* bartizan audit export */
#include "cmd_audit.h"

#include <stdio.h>
#include <time.h>

#include "opts.h"

struct export {
    const char *from_id; /* NULL: none */
    char id[BZ_REQUEST_ID_TEXT + 1];
    struct bz_view since; /* empty: none */
    uint64_t total, printed, odd;
};

static enum bz_status one(void *ctx, uint64_t index, struct bz_view entry) {
    struct export *x = ctx;
    bz_audit_progress("reading", index, x->total);
    if (x->from_id != NULL) {
        if (!bz_audit_has_id(entry, x->id))
            return BZ_OK;
        x->from_id = NULL; /* found: all from here on */
    }
    if (x->since.n != 0) {
        struct bz_view t = bz_audit_time(entry);
        size_t n = t.n < x->since.n ? t.n : x->since.n;
        if (n == 0 || memcmp(t.p, x->since.p, n) < 0)
            return BZ_OK;
    }
    if (bz_audit_print_raw(entry))
        x->printed++;
    else
        x->odd++;
    return ferror(stdout) ? BZ_EIO : BZ_OK;
}

/* "2026-11-22", "2026-11-22T10:11:12Z" or a duration back from now. All our times are UTC in one
 * fixed form, so they compare
 * as text. */
static bool parse_since(const char *arg, char out[32], struct bz_view *ret) {
    static const char form[] = "dddd-dd-ddTdd:dd:dd.ddd";
    uint64_t back;
    if (bz_duration_parse(arg, &back) == BZ_OK) {
        time_t t = time(NULL) - (time_t)back;
        struct tm tm;
        if (gmtime_r(&t, &tm) == NULL)
            return false;
        *ret = bz_view(out, strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm));
        return ret->n != 0;
    }
    size_t n = strlen(arg);
    if (n != 0 && arg[n - 1] == 'Z')
        n--;
    if (n < 10 || n >= sizeof form)
        return false;
    for (size_t i = 0; i < n; i++)
        if (form[i] == 'd' ? arg[i] < '0' || arg[i] > '9' : arg[i] != form[i])
            return false;
    memcpy(out, arg, n);
    *ret = bz_view(out, n);
    return true;
}

static int run(struct bz_alog *l, struct export *x) {
    uint64_t next = 0;
    enum bz_status st = bz_alog_refresh(l);
    x->total = l->durable;
    if (st == BZ_OK)
        st = bz_alog_each(l, 0, l->durable, one, x, &next);
    bz_audit_progress("reading", 1, 1);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        bz_say("the output could not be written");
        return BZ_EXIT_FAILURE;
    }
    if (st != BZ_OK) {
        bz_say("record %llu cannot be read: %s; 'bartizan audit verify' tells more",
               (unsigned long long)next, bz_status_text(st));
        return st == BZ_EIO ? BZ_EXIT_UNCHECKED : BZ_EXIT_FINDINGS;
    }
    if (x->from_id != NULL) {
        bz_say("%s is not in the log", bz_safe(x->id));
        return BZ_EXIT_FINDINGS;
    }
    if (x->odd != 0)
        bz_say("%llu records are not JSON: left out", (unsigned long long)x->odd);
    return x->odd != 0 ? BZ_EXIT_FINDINGS : BZ_EXIT_OK;
}

int bz_audit_export(int argc, char **argv) {
    struct export x = {0};
    const char *since = NULL;
    const char *format = "jsonl";
    bool json = false;
    bool help = false;
    const struct bz_opt list[] = {
        {"from", BZ_OPT_TEXT, &x.from_id, "ID", "begin with the first record of this request"},
        {"since", BZ_OPT_TEXT, &since, "TIME",
         "only records of this time (UTC) or later: 2026-11-22T10:00:00Z, or 2h ago"},
        {"format", BZ_OPT_TEXT, &format, "jsonl", "the only one so far"},
        {"json", BZ_OPT_FLAG, &json, NULL, "the same as --format jsonl"},
    };
    static const char *const words[] = {"DIR"};
    const struct bz_opts o = {
        "bartizan audit export DIR [--from ID] [--since TIME] [--format jsonl]",
        "Writes the records to standard output, oldest first, each as it stands in the log.",
        list,
        sizeof list / sizeof list[0],
        words,
        1,
        1};
    const char *dir[1];
    size_t n;
    char text[32];
    uint8_t id[BZ_REQUEST_ID_LEN];
    if (bz_opts_parse(&o, argc, argv, dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (strcmp(format, "jsonl") != 0 || (since != NULL && !parse_since(since, text, &x.since)) ||
        (x.from_id != NULL && !bz_request_id_parse(bz_view_str(x.from_id), id))) {
        bz_say("%s", strcmp(format, "jsonl") != 0 ? "--format: only jsonl"
                     : x.from_id != NULL
                         ? "--from needs a request id, --since a time"
                         : "--since needs a time such as 2026-11-22T10:00:00Z or 2h");
        return BZ_EXIT_FAILURE;
    }
    if (x.from_id != NULL)
        bz_request_id_text(id, x.id);
    struct bz_alog l;
    int rc = bz_alog_open(dir[0], NULL, &l);
    if (rc != 0)
        return rc;
    rc = run(&l, &x);
    bz_alog_close(&l);
    return rc;
}
