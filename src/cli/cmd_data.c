/* bartizan data ...: stored requests and replies. Calls of bartizand's admin API; the export reads the
 * audit log besides. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cmd_data.h"
#include "opts.h"

enum { BODY_MAX = 256 * 1024, CALL_MS = 600000 };

/* ---- a call and its answer ---- */

static int call(const char *dir, const char *method, const char *path, struct bz_view body,
                bool json, bz_show_fn *show) {
    return bz_admin_run(dir, method, path, body, CALL_MS, json, show);
}

void bz_data_put_who(struct bz_jw *w, const char *user, const char *conversation) {
    bz_jw_kstr(w, "user", bz_view_str(user));
    if (conversation != NULL)
        bz_jw_kstr(w, "conversation", bz_view_str(conversation));
}

/* ---- showing ---- */

static uint64_t number(const struct bz_json *o, struct bz_view key) {
    int64_t v = 0;
    return bz_json_i64(bz_json_get(o, key), &v) == BZ_OK && v > 0 ? (uint64_t)v : 0;
}

static void print_text(const struct bz_json *o, struct bz_view key, size_t width) {
    struct bz_view v = bz_json_str(bz_json_get(o, key));
    bz_print_safe(stdout, v);
    for (size_t i = v.n; i < width; i++)
        (void)putchar(' ');
}

static void print_date(uint64_t t) {
    char text[32] = "-";
    struct tm tm;
    time_t tt = (time_t)t;
    if (t > 0 && gmtime_r(&tt, &tm) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    (void)printf("%-20s", text);
}

static void print_life(uint64_t s) {
    if (s == 0)
        (void)printf("%-10s", "no end");
    else if (s % 86400 == 0)
        (void)printf("%-4" PRIu64 "days  ", s / 86400);
    else
        (void)printf("%-8" PRIu64 "s ", s);
}

static void show_levels(const struct bz_answer_json *a) {
    const struct bz_json *l = bz_json_get(a->root, BZ_V("levels"));
    (void)printf("%-13s %-10s %10s %14s  %s\n", "LEVEL", "KEPT", "BODIES", "BYTES", "OLDEST");
    for (const struct bz_json *m = l == NULL ? NULL : l->first; m != NULL; m = m->next) {
        print_text(m, BZ_V("level"), 14);
        print_life(number(m, BZ_V("retention_s")));
        (void)printf(" %10" PRIu64 " %14" PRIu64 "  ", number(m, BZ_V("bodies")),
                     number(m, BZ_V("bytes")));
        print_date(number(m, BZ_V("oldest")));
        (void)printf("\n");
    }
}

static void show_status(const struct bz_answer_json *a) {
    show_levels(a);
    (void)printf("waiting in the spool: %" PRIu64 " (%" PRIu64 " bytes); refused: %" PRIu64
                 "; erasures: %" PRIu64 "\n",
                 number(a->root, BZ_V("waiting")), number(a->root, BZ_V("waiting_bytes")),
                 number(a->root, BZ_V("refused")), number(a->root, BZ_V("erasures")));
}

static void show_list(const struct bz_answer_json *a) {
    const struct bz_json *l = bz_json_get(a->root, BZ_V("conversations"));
    (void)printf("%-20s %-20s %8s %12s  %s\n", "USER", "CONVERSATION", "BODIES", "BYTES", "OLDEST");
    for (const struct bz_json *m = l == NULL ? NULL : l->first; m != NULL; m = m->next) {
        print_text(m, BZ_V("user"), 21);
        print_text(m, BZ_V("conversation"), 20);
        (void)printf(" %8" PRIu64 " %12" PRIu64 "  ", number(m, BZ_V("bodies")),
                     number(m, BZ_V("bytes")));
        print_date(number(m, BZ_V("oldest")));
        (void)printf("%s\n", bz_json_is(bz_json_get(m, BZ_V("held")), BZ_JSON_TRUE) ? " held" : "");
    }
}

static void show_erased(const struct bz_answer_json *a) {
    bool done = bz_json_is(bz_json_get(a->root, BZ_V("erased")), BZ_JSON_TRUE);
    (void)printf(done ? "erased: %" PRIu64 " keys, %" PRIu64
                        " bodies. They cannot be brought back.\n"
                      : "would erase: %" PRIu64 " keys, %" PRIu64 " bodies\n",
                 number(a->root, BZ_V("keys")), number(a->root, BZ_V("bodies")));
}

static void show_holds(const struct bz_answer_json *a) {
    const struct bz_json *l = bz_json_get(a->root, BZ_V("holds"));
    (void)printf("%-16s %-20s %-20s %-20s  %s\n", "NAME", "USER", "CONVERSATION", "SINCE",
                 "REASON");
    for (const struct bz_json *m = l == NULL ? NULL : l->first; m != NULL; m = m->next) {
        print_text(m, BZ_V("name"), 17);
        print_text(m, BZ_V("user"), 21);
        if (bz_json_get(m, BZ_V("conversation")) == NULL)
            (void)printf("%-21s", "(all)");
        else
            print_text(m, BZ_V("conversation"), 21);
        print_date(number(m, BZ_V("created")));
        (void)printf("  ");
        print_text(m, BZ_V("reason"), 0);
        (void)printf("\n");
    }
}

static void show_done(const struct bz_answer_json *a) {
    print_text(a->root, BZ_V("name"), 0);
    (void)printf(": done\n");
}

static void show_retention(const struct bz_answer_json *a) {
    (void)printf("removed: %" PRIu64 "\n", number(a->root, BZ_V("removed")));
    show_levels(a);
}

static void show_lines(const struct bz_answer_json *a) {
    struct bz_view v = bz_json_str(bz_json_get(a->root, BZ_V("lines")));
    (void)fwrite(v.p, 1, v.n, stdout); /* hex, words of ours and line feeds: bartizand made them */
}

static void show_applied(const struct bz_answer_json *a) {
    (void)printf("%" PRIu64 " erasures were new here and are done\n", number(a->root, BZ_V("new")));
}

/* ---- commands ---- */

/* -1: go on; otherwise the exit code. */
static int parse(int argc, char **argv, const struct bz_opts *o, const char **words) {
    size_t n = 0;
    bool help = false;
    if (bz_opts_parse(o, argc, argv, words, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    return help ? BZ_EXIT_OK : -1;
}

static int plain(int argc, char **argv, const char *usage, const char *about, const char *method,
                 const char *path, bz_show_fn *show) {
    const char *dir = NULL;
    bool json = false;
    static const char *const names[] = {"DIR"};
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    const struct bz_opts o = {usage, about, list, 1, names, 1, 1};
    int rc = parse(argc, argv, &o, &dir);
    return rc >= 0 ? rc : call(dir, method, path, bz_view(NULL, 0), json, show);
}

static int data_status(int argc, char **argv) {
    return plain(argc, argv, "bartizan data status DIR [--json]",
                 "How many requests and replies are stored, per level, and for how long.", "GET",
                 "/v1/data", show_status);
}

static int data_list(int argc, char **argv) {
    return plain(argc, argv, "bartizan data list DIR [--json]",
                 "Whose requests and replies are stored, per conversation.", "GET",
                 "/v1/data/conversations", show_list);
}

static int data_retention(int argc, char **argv) {
    return plain(argc, argv, "bartizan data retention DIR [--json]",
                 "Removes what is due now instead of within a minute, and shows what is kept.",
                 "POST", "/v1/data/retention", show_retention);
}

static int data_erase(int argc, char **argv) {
    const char *dir = NULL, *user = NULL, *conversation = NULL;
    bool json = false, dry = false;
    static const char *const names[] = {"DIR"};
    const struct bz_opt list[] = {
        {"user", BZ_OPT_TEXT, &user, "NAME", "whose stored requests and replies"},
        {"conversation", BZ_OPT_TEXT, &conversation, "NAME", "only of this conversation"},
        {"dry-run", BZ_OPT_FLAG, &dry, NULL, "only say what it would erase"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {
        "bartizan data erase DIR --user NAME [--conversation NAME] [--dry-run] [--json]",
        "Destroys the keys, and with them every copy of the stored bodies. Cannot be undone.",
        list,
        4,
        names,
        1,
        1};
    int rc = parse(argc, argv, &o, &dir);
    if (rc >= 0)
        return rc;
    if (user == NULL) {
        bz_say("--user is missing: whose data is to be erased");
        return BZ_EXIT_FAILURE;
    }
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, BODY_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_data_put_who(&w, user, conversation);
    bz_jw_kbool(&w, "dry_run", dry);
    bz_jw_end(&w);
    rc = call(dir, "POST", "/v1/data/erase", bz_buf_view(&b), json, show_erased);
    bz_buf_free(&b);
    return rc;
}

/* The list of erasures, as the file has it: to be kept beside backups, and done again after a restore. */
static int data_erased(int argc, char **argv) {
    const char *dir = NULL, *apply = NULL;
    bool json = false;
    static const char *const names[] = {"DIR"};
    const struct bz_opt list[] = {
        {"apply", BZ_OPT_TEXT, &apply, "FILE", "do the erasures of this list here too"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {
        "bartizan data erased DIR [--apply FILE] [--json]",
        "Prints what was erased (no names stand in it), or does the same on a restored copy.",
        list,
        2,
        names,
        1,
        1};
    int rc = parse(argc, argv, &o, &dir);
    if (rc >= 0)
        return rc;
    if (apply == NULL)
        return call(dir, "GET", "/v1/data/erased", bz_view(NULL, 0), json, show_lines);
    return bz_data_apply(dir, apply, json, show_applied);
}

int bz_data_apply(const char *dir, const char *file, bool json, bz_show_fn *show) {
    struct bz_buf lines, b;
    struct bz_jw w;
    bz_buf_init(&lines, BODY_MAX / 2);
    bz_buf_init(&b, BODY_MAX);
    int rc = BZ_EXIT_FAILURE;
    enum bz_status st = bz_file_read(AT_FDCWD, file, &lines);
    if (st != BZ_OK)
        bz_say("%s: %s", bz_safe(file),
               st == BZ_ETOOBIG ? "above 128 KiB: split it into several files of whole lines"
                                : strerror(errno));
    if (st == BZ_OK) {
        bz_jw_init(&w, &b);
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "lines", bz_buf_view(&lines));
        bz_jw_end(&w);
        rc = call(dir, "POST", "/v1/data/erased", bz_buf_view(&b), json, show);
    }
    bz_buf_free(&lines);
    bz_buf_free(&b);
    return rc;
}

/* ---- holds ---- */

static int hold_list(int argc, char **argv) {
    return plain(argc, argv, "bartizan data hold list DIR [--json]", NULL, "GET", "/v1/data/holds",
                 show_holds);
}

static int hold_add(int argc, char **argv) {
    const char *word[2] = {NULL, NULL}, *user = NULL, *conversation = NULL, *reason = NULL;
    bool json = false;
    static const char *const names[] = {"DIR", "NAME"};
    const struct bz_opt list[] = {
        {"user", BZ_OPT_TEXT, &user, "NAME", "whose stored requests and replies"},
        {"conversation", BZ_OPT_TEXT, &conversation, "NAME", "only of this conversation"},
        {"reason", BZ_OPT_TEXT, &reason, "TEXT", "why; shown by 'hold list'"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {"bartizan data hold add DIR NAME --user NAME [--conversation NAME] "
                              "[--reason TEXT] [--json]",
                              "What a hold covers is neither erased nor removed by retention.",
                              list,
                              4,
                              names,
                              2,
                              2};
    int rc = parse(argc, argv, &o, word);
    if (rc >= 0)
        return rc;
    if (user == NULL) {
        bz_say("--user is missing: whose data is to be held");
        return BZ_EXIT_FAILURE;
    }
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, BODY_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "name", bz_view_str(word[1]));
    bz_data_put_who(&w, user, conversation);
    if (reason != NULL)
        bz_jw_kstr(&w, "reason", bz_view_str(reason));
    bz_jw_end(&w);
    rc = call(word[0], "POST", "/v1/data/holds", bz_buf_view(&b), json, show_done);
    bz_buf_free(&b);
    return rc;
}

static int hold_release(int argc, char **argv) {
    const char *word[2] = {NULL, NULL};
    char path[160];
    bool json = false;
    static const char *const names[] = {"DIR", "NAME"};
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    const struct bz_opts o = {
        "bartizan data hold release DIR NAME [--json]", NULL, list, 1, names, 2, 2};
    int rc = parse(argc, argv, &o, word);
    if (rc >= 0)
        return rc;
    if (!bz_admin_name_ok(word[1])) {
        bz_say("'%s' is no NAME", bz_safe(word[1]));
        return BZ_EXIT_FAILURE;
    }
    (void)snprintf(path, sizeof path, "/v1/data/holds/%s/release", word[1]);
    return call(word[0], "POST", path, bz_view(NULL, 0), json, show_done);
}

static int data_hold(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"add", "keep what is stored of a user", hold_add},
        {"list", "list legal holds", hold_list},
        {"release", "end a hold", hold_release},
    };
    return bz_cli_dispatch("bartizan data hold", list, 3, argc, argv);
}

int bz_cli_data(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"status", "how much is stored, per level, and for how long", data_status},
        {"list", "whose requests and replies are stored", data_list},
        {"export", "write all that is stored about a user into files", bz_data_export},
        {"erase", "destroy what is stored about a user", data_erase},
        {"erased", "what was erased, for restored copies", data_erased},
        {"hold", "legal holds: add, list, release", data_hold},
        {"retention", "remove what is due now", data_retention},
    };
    return bz_cli_dispatch("bartizan data", list, 7, argc, argv);
}
