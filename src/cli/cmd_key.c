/* bartizan key ... and bartizan user ...: calls of bartizand's admin API. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "admin_client.h"
#include "commands.h"
#include "opts.h"

enum { CALL_MS = 30000, BODY_MAX = 256 * 1024, PATH_TEXT = 256 };

/* ---- a call and its answer ---- */

static int call(const char *dir, const char *method, const char *path, struct bz_view body,
                bool json, bz_show_fn *show) {
    return bz_admin_run(dir, method, path, body, CALL_MS, json, show);
}

/* ---- showing ---- */

static void print_member(const struct bz_json *o, struct bz_view key, int width) {
    struct bz_view v = bz_json_str(bz_json_get(o, key));
    bz_print_safe(stdout, v);
    for (size_t i = v.n; i < (size_t)width; i++)
        (void)putchar(' ');
}

static void print_time(const struct bz_json *o, struct bz_view key, const char *zero) {
    int64_t t = 0;
    char text[32];
    struct tm tm;
    if (bz_json_i64(bz_json_get(o, key), &t) != BZ_OK || t <= 0) {
        (void)printf("%-20s", zero);
        return;
    }
    time_t tt = (time_t)t;
    if (gmtime_r(&tt, &tm) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return;
    (void)printf("%-20s", text);
}

static void print_list(const struct bz_json *o, struct bz_view key, const char *label) {
    const struct bz_json *l = bz_json_get(o, key);
    if (l == NULL)
        return;
    (void)printf(" %s=", label);
    for (const struct bz_json *m = l->first; m != NULL; m = m->next) {
        bz_print_safe(stdout, bz_json_str(m));
        (void)printf("%s", m->next != NULL ? "," : "");
    }
}

static void show_keys(const struct bz_answer_json *a) {
    const struct bz_json *l = bz_json_get(a->root, BZ_V("keys"));
    (void)printf("%-12s  %-16s %-8s %-20s %-20s\n", "ID", "USER", "ROLE", "CREATED", "EXPIRES");
    for (const struct bz_json *k = l == NULL ? NULL : l->first; k != NULL; k = k->next) {
        print_member(k, BZ_V("id"), 12);
        (void)printf("  ");
        print_member(k, BZ_V("user"), 16);
        (void)putchar(' ');
        print_member(k, BZ_V("role"), 8);
        (void)putchar(' ');
        print_time(k, BZ_V("created"), "-");
        (void)putchar(' ');
        print_time(k, BZ_V("expires"), "never");
        print_list(k, BZ_V("routes"), "routes");
        print_list(k, BZ_V("models"), "models");
        (void)printf("%s\n",
                     bz_json_is(bz_json_get(k, BZ_V("revoked")), BZ_JSON_TRUE) ? " revoked" : "");
    }
}

static void show_new_key(const struct bz_answer_json *a) {
    (void)printf("key ");
    print_member(a->root, BZ_V("key"), 0);
    (void)printf("\nid  ");
    print_member(a->root, BZ_V("id"), 0);
    (void)printf("\nThe key is shown this once only.\n");
}

static void show_revoked(const struct bz_answer_json *a) {
    print_member(a->root, BZ_V("id"), 0);
    (void)printf(" is revoked\n");
}

static void show_users(const struct bz_answer_json *a) {
    const struct bz_json *l = bz_json_get(a->root, BZ_V("users"));
    (void)printf("%-24s %-12s %-20s\n", "NAME", "ROLE", "CREATED");
    for (const struct bz_json *u = l == NULL ? NULL : l->first; u != NULL; u = u->next) {
        print_member(u, BZ_V("name"), 24);
        (void)putchar(' ');
        print_member(u, BZ_V("role"), 12);
        (void)putchar(' ');
        print_time(u, BZ_V("created"), "-");
        (void)printf("%s\n",
                     bz_json_is(bz_json_get(u, BZ_V("disabled")), BZ_JSON_TRUE) ? " disabled" : "");
    }
}

static void show_user_done(const struct bz_answer_json *a) {
    print_member(a->root, BZ_V("name"), 0);
    (void)printf(": done\n");
}

/* ---- key create ---- */

enum { LIMIT_NAMES = 8 };
struct wish {
    const char *user, *role, *routes, *models, *expires;
    const char *limit[LIMIT_NAMES];
    bool json;
};
static const char *const limit_names[LIMIT_NAMES] = {
    "requests-per-minute",
    "requests-burst",
    "prompt-tokens-per-minute",
    "prompt-tokens-burst",
    "completion-tokens-per-minute",
    "completion-tokens-burst",
    "concurrent",
    "body-max",
};

static void put_names(struct bz_jw *w, const char *key, const char *list) {
    if (list == NULL)
        return;
    bz_jw_key(w, key);
    bz_jw_arr(w);
    while (*list != '\0') {
        size_t n = strcspn(list, ",");
        bz_jw_str(w, bz_view(list, n));
        list += n + (list[n] == ',');
    }
    bz_jw_end(w);
}

static bool put_limits(struct bz_jw *w, const struct wish *k) {
    bz_jw_key(w, "limits");
    bz_jw_obj(w);
    for (size_t i = 0; i < LIMIT_NAMES; i++) {
        uint64_t v = 0;
        char member[40];
        if (k->limit[i] == NULL)
            continue;
        if (bz_view_u64(bz_view_str(k->limit[i]), &v) != BZ_OK) {
            bz_say("--%s '%s' is no number", limit_names[i], bz_safe(k->limit[i]));
            return false;
        }
        (void)snprintf(member, sizeof member, "%s", limit_names[i]);
        for (char *p = member; *p != '\0'; p++)
            *p = *p == '-' ? '_' : *p;
        bz_jw_ku64(w, member, v);
    }
    bz_jw_end(w);
    return true;
}

static bool put_wish(struct bz_buf *b, const struct wish *k) {
    struct bz_jw w;
    uint64_t expires = 0;
    bz_jw_init(&w, b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "user", bz_view_str(k->user));
    if (k->role != NULL)
        bz_jw_kstr(&w, "role", bz_view_str(k->role));
    put_names(&w, "routes", k->routes);
    put_names(&w, "models", k->models);
    if (k->expires != NULL) {
        enum bz_status st = bz_expiry_parse(k->expires, bz_clock_unix() / 1000000000u, &expires);
        if (st != BZ_OK) {
            bz_say("--expires '%s' %s", bz_safe(k->expires),
                   st == BZ_ERANGE
                       ? "is not in the future"
                       : "is neither a duration such as 90d nor a date such as 2027-01-31");
            return false;
        }
        bz_jw_ku64(&w, "expires", expires);
    }
    if (!put_limits(&w, k))
        return false;
    bz_jw_end(&w);
    return bz_buf_status(b) == BZ_OK;
}

static int key_create(int argc, char **argv) {
    struct wish k = {.user = NULL};
    const struct bz_opt list[] = {
        {"user", BZ_OPT_TEXT, &k.user, "NAME", "owner of the key"},
        {"role", BZ_OPT_TEXT, &k.role, "ROLE", "role (that of the user)"},
        {"routes", BZ_OPT_TEXT, &k.routes, "A,B",
         "scopes the key is limited to, e.g. chat,embeddings"},
        {"models", BZ_OPT_TEXT, &k.models, "A,B", "models the key is limited to; 'prefix*' works"},
        {"expires", BZ_OPT_TEXT, &k.expires, "90d|DATE", "when it ends (never)"},
        {limit_names[0], BZ_OPT_TEXT, &k.limit[0], "N",
         "limits of this key; without them, those of the role"},
        {limit_names[1], BZ_OPT_TEXT, &k.limit[1], "N", ""},
        {limit_names[2], BZ_OPT_TEXT, &k.limit[2], "N", ""},
        {limit_names[3], BZ_OPT_TEXT, &k.limit[3], "N", ""},
        {limit_names[4], BZ_OPT_TEXT, &k.limit[4], "N", ""},
        {limit_names[5], BZ_OPT_TEXT, &k.limit[5], "N", ""},
        {limit_names[6], BZ_OPT_TEXT, &k.limit[6], "N", "requests at the same time"},
        {limit_names[7], BZ_OPT_TEXT, &k.limit[7], "BYTES", "largest body of a request"},
        {"json", BZ_OPT_FLAG, &k.json, NULL, "print one JSON object"},
    };
    static const char *const names[] = {"DIR"};
    const struct bz_opts o = {"bartizan key create DIR --user NAME [--role ROLE] [--expires 90d]",
                              "Makes an API key and shows it once.",
                              list,
                              sizeof list / sizeof list[0],
                              names,
                              1,
                              1};
    const char *dir = NULL;
    size_t n = 0;
    bool help = false;
    if (bz_opts_parse(&o, argc, argv, &dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (k.user == NULL) {
        bz_say("--user is missing: who owns the key");
        return BZ_EXIT_FAILURE;
    }
    struct bz_buf b;
    bz_buf_init(&b, BODY_MAX);
    int rc = put_wish(&b, &k) ? call(dir, "POST", "/v1/keys", bz_buf_view(&b), k.json, show_new_key)
                              : BZ_EXIT_FAILURE;
    bz_buf_free(&b);
    return rc;
}

/* ---- the others ---- */

/* DIR [WORD] and --json. -1: go on; otherwise the exit code. */
static int simple(int argc, char **argv, const char *usage, const char *about, const char *word,
                  const char *words[2], bool *json) {
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, json, NULL, "print one JSON object"}};
    const char *const names[] = {"DIR", word};
    const size_t want = word == NULL ? 1 : 2;
    const struct bz_opts o = {usage, about, list, 1, names, want, want};
    size_t n = 0;
    bool help = false;
    if (bz_opts_parse(&o, argc, argv, words, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (word != NULL && !bz_admin_name_ok(words[1])) {
        bz_say("'%s' is no %s", bz_safe(words[1]), word);
        return BZ_EXIT_FAILURE;
    }
    return -1;
}

static int key_list(int argc, char **argv) {
    const char *w[2] = {NULL, NULL};
    bool json = false;
    int rc = simple(argc, argv, "bartizan key list DIR [--json]",
                    "Lists keys; never their secret part.", NULL, w, &json);
    return rc >= 0 ? rc : call(w[0], "GET", "/v1/keys", bz_view(NULL, 0), json, show_keys);
}

static int key_revoke(int argc, char **argv) {
    const char *w[2] = {NULL, NULL};
    char path[PATH_TEXT];
    bool json = false;
    int rc = simple(argc, argv, "bartizan key revoke DIR ID [--json]",
                    "Ends a key for good, its open streams within a second.", "ID", w, &json);
    if (rc >= 0)
        return rc;
    (void)snprintf(path, sizeof path, "/v1/keys/%s/revoke", w[1]);
    return call(w[0], "POST", path, bz_view(NULL, 0), json, show_revoked);
}

static int key_rotate(int argc, char **argv) {
    bool json = false, help = false;
    const char *overlap = NULL, *w[2] = {NULL, NULL};
    const struct bz_opt list[] = {
        {"overlap", BZ_OPT_TEXT, &overlap, "24h",
         "how long the old key still works (24h); 0 ends it now"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    static const char *const names[] = {"DIR", "ID"};
    const struct bz_opts o = {
        "bartizan key rotate DIR ID [--overlap 24h] [--json]",
        "Makes a new key with the same rights; the old one ends after the overlap.",
        list,
        2,
        names,
        2,
        2};
    char path[PATH_TEXT], body[64];
    uint64_t s = 86400;
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (!bz_admin_name_ok(w[1])) {
        bz_say("'%s' is no ID", bz_safe(w[1]));
        return BZ_EXIT_FAILURE;
    }
    if (overlap != NULL && strcmp(overlap, "0") == 0) {
        s = 0;
    } else if (overlap != NULL && bz_duration_parse(overlap, &s) != BZ_OK) {
        bz_say("--overlap '%s' is no duration such as 24h", bz_safe(overlap));
        return BZ_EXIT_FAILURE;
    }
    (void)snprintf(path, sizeof path, "/v1/keys/%s/rotate", w[1]);
    int len = snprintf(body, sizeof body, "{\"overlap\":%" PRIu64 "}", s);
    return call(w[0], "POST", path, bz_view(body, (size_t)len), json, show_new_key);
}

static int user_list(int argc, char **argv) {
    const char *w[2] = {NULL, NULL};
    bool json = false;
    int rc = simple(argc, argv, "bartizan user list DIR [--json]", NULL, NULL, w, &json);
    return rc >= 0 ? rc : call(w[0], "GET", "/v1/users", bz_view(NULL, 0), json, show_users);
}

static int user_add(int argc, char **argv) {
    bool json = false, help = false;
    const char *role = NULL, *w[2] = {NULL, NULL};
    const struct bz_opt list[] = {
        {"role", BZ_OPT_TEXT, &role, "ROLE", "role of bartizan.yaml (user)"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    static const char *const names[] = {"DIR", "NAME"};
    const struct bz_opts o = {
        "bartizan user add DIR NAME [--role ROLE] [--json]", NULL, list, 2, names, 2, 2};
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    struct bz_buf b;
    struct bz_jw jw;
    bz_buf_init(&b, BODY_MAX);
    bz_jw_init(&jw, &b);
    bz_jw_obj(&jw);
    bz_jw_kstr(&jw, "name", bz_view_str(w[1]));
    bz_jw_kstr(&jw, "role", bz_view_str(role == NULL ? "user" : role));
    bz_jw_end(&jw);
    int rc = call(w[0], "POST", "/v1/users", bz_buf_view(&b), json, show_user_done);
    bz_buf_free(&b);
    return rc;
}

static int user_switch(int argc, char **argv, const char *verb, const char *usage,
                       const char *about) {
    const char *w[2] = {NULL, NULL};
    char path[PATH_TEXT];
    bool json = false;
    int rc = simple(argc, argv, usage, about, "NAME", w, &json);
    if (rc >= 0)
        return rc;
    (void)snprintf(path, sizeof path, "/v1/users/%s/%s", w[1], verb);
    return call(w[0], "POST", path, bz_view(NULL, 0), json, show_user_done);
}

static int user_disable(int argc, char **argv) {
    return user_switch(argc, argv, "disable", "bartizan user disable DIR NAME [--json]",
                       "No key of the user works any more; open streams end within a second.");
}

static int user_enable(int argc, char **argv) {
    return user_switch(argc, argv, "enable", "bartizan user enable DIR NAME [--json]", NULL);
}

int bz_cli_key(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"create", "make a key and show it once", key_create},
        {"list", "list keys", key_list},
        {"revoke", "end a key for good", key_revoke},
        {"rotate", "make a new key with the same rights, end the old one later", key_rotate},
    };
    return bz_cli_dispatch("bartizan key", list, 4, argc, argv);
}

int bz_cli_user(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"add", "add a user", user_add},
        {"list", "list users", user_list},
        {"disable", "shut a user out", user_disable},
        {"enable", "let a user in again", user_enable},
    };
    return bz_cli_dispatch("bartizan user", list, 4, argc, argv);
}
