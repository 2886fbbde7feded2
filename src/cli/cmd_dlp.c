/* bartizan dlp ...: scan and mask (dlp_scan.c, dlp_mask.c), and the bodies that an administrator lets
 * through although a rule says `approve` (calls of bartizand's admin API). */
#include <inttypes.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>

#include "admin_client.h"
#include "commands.h"
#include "dlp.h"

enum { BODY_MAX = 4096, CALL_MS = 60000, ID_TEXT = 2 * BZ_APPROVAL_LEN };

/* ---- a call and its answer ---- */

static int call(const char *dir, const char *method, const char *path, struct bz_view body,
                bool json, bz_show_fn *show) {
    return bz_admin_run(dir, method, path, body, CALL_MS, json, show);
}

static void print_date(const struct bz_json *n) {
    char text[32] = "-";
    struct tm tm;
    int64_t v = 0;
    time_t t = bz_json_i64(n, &v) == BZ_OK ? (time_t)v : 0;
    if (t > 0 && gmtime_r(&t, &tm) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    (void)printf("%s", text);
}

static void show_approved(const struct bz_answer_json *a) {
    (void)printf("approved: ");
    bz_print_safe(stdout, bz_json_str(bz_json_get(a->root, BZ_V("id"))));
    (void)printf(", until ");
    print_date(bz_json_get(a->root, BZ_V("expires")));
    (void)printf("\n");
}

static void show_revoked(const struct bz_answer_json *a) {
    (void)printf("revoked: ");
    bz_print_safe(stdout, bz_json_str(bz_json_get(a->root, BZ_V("id"))));
    (void)printf("\n");
}

static void show_list(const struct bz_answer_json *a) {
    const struct bz_json *l = bz_json_get(a->root, BZ_V("approvals"));
    (void)printf("%-32s  %-20s  %-20s  %s\n", "ID", "EXPIRES", "BY", "NOTE");
    for (const struct bz_json *m = l == NULL ? NULL : l->first; m != NULL; m = m->next) {
        struct bz_view by = bz_json_str(bz_json_get(m, BZ_V("by")));
        bz_print_safe(stdout, bz_json_str(bz_json_get(m, BZ_V("id"))));
        (void)printf("  ");
        print_date(bz_json_get(m, BZ_V("expires")));
        (void)printf("  ");
        bz_print_safe(stdout, by);
        (void)printf("%*s", by.n < 22 ? (int)(22 - by.n) : 1, "");
        bz_print_safe(stdout, bz_json_str(bz_json_get(m, BZ_V("note"))));
        (void)printf("\n");
    }
}

/* ---- commands ---- */

/* 32 hex digits, as the refusal of a request names it. */
static bool good_id(const char *id) {
    if (strlen(id) == ID_TEXT && strspn(id, "0123456789abcdefABCDEF") == ID_TEXT)
        return true;
    bz_say("'%s' is no id of a body: 32 digits and letters a to f, as the refused request got it",
           bz_safe(id));
    return false;
}

static int dlp_approvals(int argc, char **argv) {
    const char *dir = NULL;
    bool json = false, help = false;
    size_t n = 0;
    static const char *const names[] = {"DIR"};
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    const struct bz_opts o = {"bartizan dlp approvals DIR [--json]",
                              "Approvals that are in force.",
                              list,
                              1,
                              names,
                              1,
                              1};
    if (bz_opts_parse(&o, argc, argv, &dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    return help ? BZ_EXIT_OK : call(dir, "GET", "/v1/approvals", bz_view(NULL, 0), json, show_list);
}

static int dlp_revoke(int argc, char **argv) {
    const char *word[2] = {NULL, NULL};
    char path[64];
    bool json = false, help = false;
    size_t n = 0;
    static const char *const names[] = {"DIR", "ID"};
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    const struct bz_opts o = {
        "bartizan dlp revoke DIR ID [--json]", "Takes an approval back.", list, 1, names, 2, 2};
    if (bz_opts_parse(&o, argc, argv, word, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (!good_id(word[1]))
        return BZ_EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "/v1/approvals/%s/revoke", word[1]);
    return call(word[0], "POST", path, bz_view(NULL, 0), json, show_revoked);
}

static int approve(const char *dir, const char *id, const char *expires, const char *note,
                   bool json) {
    uint64_t when = 0;
    if (expires != NULL && bz_expiry_parse(expires, (uint64_t)time(NULL), &when) != BZ_OK) {
        bz_say("--expires '%s' is neither a duration (12h, 7d) nor a date that is to come",
               bz_safe(expires));
        return BZ_EXIT_FAILURE;
    }
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, BODY_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "id", bz_view_str(id));
    if (expires != NULL)
        bz_jw_ku64(&w, "expires", when);
    if (note != NULL)
        bz_jw_kstr(&w, "note", bz_view_str(note));
    bz_jw_end(&w);
    int rc = BZ_EXIT_FAILURE;
    if (bz_buf_status(&b) == BZ_OK)
        rc = call(dir, "POST", "/v1/approvals", bz_buf_view(&b), json, show_approved);
    else
        bz_say("--note is too long: 200 bytes at most");
    bz_buf_free(&b);
    return rc;
}

static int dlp_approve(int argc, char **argv) {
    const char *word[2] = {NULL, NULL}, *expires = NULL, *note = NULL;
    bool json = false, help = false;
    size_t n = 0;
    static const char *const names[] = {"DIR", "ID"};
    const struct bz_opt list[] = {
        {"expires", BZ_OPT_TEXT, &expires, "WHEN", "1d by default, 30d at most; or a date"},
        {"note", BZ_OPT_TEXT, &note, "TEXT", "why; stands in the audit log"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {
        "bartizan dlp approve DIR ID [--expires WHEN] [--note TEXT] [--json]",
        "Lets one body of one sender through although a rule says 'approve'. The id stands in the\n"
        "answer that the sender got.",
        list,
        3,
        names,
        2,
        2};
    if (bz_opts_parse(&o, argc, argv, word, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    return good_id(word[1]) ? approve(word[0], word[1], expires, note, json) : BZ_EXIT_FAILURE;
}

int bz_cli_dlp(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"scan", "look for secrets and personal data in files", bz_dlp_scan},
        {"mask", "copy a text with placeholders for what is found", bz_dlp_mask},
        {"approve", "let a refused body through", dlp_approve},
        {"approvals", "list what is approved", dlp_approvals},
        {"revoke", "take an approval back", dlp_revoke},
    };
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no core: what is scanned may stand in memory */
    return bz_cli_dispatch("bartizan dlp", list, sizeof list / sizeof list[0], argc, argv);
}
