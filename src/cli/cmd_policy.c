/* bartizan policy check|explain and bartizan model list. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_client.h"
#include "commands.h"
#include "opts.h"
#include "policy_data.h"
#include "policy_steer.h"
#include "steering.h"

enum { CALL_MS = 10000, JSON_MAX = 4 << 20 };

/* ---- check ---- */

static void check_json(enum bz_status st, const struct bz_config_errors *errs) {
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, JSON_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kbool(&w, "ok", st == BZ_OK);
    bz_jw_ku64(&w, "errors_total", errs->n);
    bz_jw_key(&w, "errors");
    bz_jw_arr(&w);
    for (size_t i = 0; i < errs->n && i < sizeof errs->list / sizeof errs->list[0]; i++) {
        bz_jw_obj(&w);
        bz_jw_ku64(&w, "line", errs->list[i].line);
        bz_jw_ku64(&w, "column", errs->list[i].column);
        bz_jw_kstr(&w, "path", bz_view_str(errs->list[i].path));
        bz_jw_kstr(&w, "text", bz_view_str(errs->list[i].text));
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    (void)printf("%.*s\n", (int)b.n, (const char *)b.p);
    bz_buf_free(&b);
}

static bool find_file(const char *what, char path[BZ_DIR_PATH_MAX]) {
    struct stat sb;
    bool dir = stat(what, &sb) == 0 && S_ISDIR(sb.st_mode);
    int n = snprintf(path, BZ_DIR_PATH_MAX, dir ? "%s/" BZ_F_CONFIG : "%s", what);
    return n > 0 && n < BZ_DIR_PATH_MAX;
}

/* Words and patterns of the file's own are only known to be good once they were compiled. */
static enum bz_status check_patterns(const struct bz_config *c, struct bz_config_errors *errs) {
    struct bz_buf pack;
    if (c->data.custom_n == 0)
        return BZ_OK;
    bz_buf_init(&pack, BZ_DETECT_PACK_MAX);
    enum bz_status st = bz_config_compile(c, &pack, &errs->list[0]);
    errs->n = st == BZ_ESYNTAX;
    bz_buf_free(&pack);
    return st;
}

/* Rule files and prompts lie beside the configuration. */
static enum bz_status check_files(const char *path, const struct bz_config *c,
                                  struct bz_config_errors *errs) {
    char dir[BZ_DIR_PATH_MAX];
    struct bz_steering *s = NULL;
    struct bz_buf why;
    const char *slash = strrchr(path, '/');
    if (c->injection.rules_n == 0 && c->prompts.rules_n == 0)
        return BZ_OK;
    (void)snprintf(dir, sizeof dir, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
                   slash == NULL ? "." : path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return BZ_EIO;
    bz_buf_init(&why, sizeof errs->list[0].text - 1);
    enum bz_status st = bz_steering_load(fd, c, NULL, false, &s, &why);
    close(fd);
    if (st != BZ_OK && why.n > 0) {
        errs->list[0] = (struct bz_config_error){.line = 1, .column = 1};
        memcpy(errs->list[0].text, why.p, why.n);
        errs->n = 1;
        st = BZ_ESYNTAX;
    }
    bz_steering_free(s);
    bz_buf_free(&why);
    return st;
}

static int check(const char *what, bool json) {
    char path[BZ_DIR_PATH_MAX];
    struct bz_buf text;
    struct bz_config *c = NULL;
    struct bz_config_errors errs = {.n = 0};
    if (!find_file(what, path))
        return BZ_EXIT_FAILURE;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    enum bz_status st = bz_file_read(AT_FDCWD, path, &text);
    if (st != BZ_OK) {
        bz_say("%s: %s", bz_safe(path), strerror(errno));
        bz_buf_free(&text);
        return BZ_EXIT_UNCHECKED;
    }
    st = bz_config_parse(bz_buf_view(&text), &c, errs.list, sizeof errs.list / sizeof errs.list[0],
                         &errs.n);
    if (st == BZ_OK)
        st = check_patterns(c, &errs);
    if (st == BZ_OK)
        st = check_files(path, c, &errs);
    if (json)
        check_json(st, &errs);
    else if (st == BZ_OK)
        (void)printf("%s is good: %u backends, %u roles, %u rules of data protection\n",
                     bz_safe(path), c->backends_n, c->roles_n, c->data.rules_n);
    else
        bz_cli_config_errors(stderr, path, st, bz_buf_view(&text), &errs);
    bz_config_free(c);
    bz_buf_free(&text);
    return st == BZ_OK ? BZ_EXIT_OK : st == BZ_ENOMEM ? BZ_EXIT_UNCHECKED : BZ_EXIT_FINDINGS;
}

static int policy_check(int argc, char **argv) {
    bool json = false, help = false;
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    static const char *const names[] = {"FILE_OR_DIR"};
    const struct bz_opts o = {"bartizan policy check FILE_OR_DIR [--json]",
                              "Explains what is wrong in a bartizan.yaml by line and column. Exit "
                              "code 0: nothing, 1: errors.",
                              list,
                              1,
                              names,
                              1,
                              1};
    const char *what = NULL;
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, &what, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    return help ? BZ_EXIT_OK : check(what, json);
}

/* ---- explain ---- */

struct question {
    const char *dir, *config, *route, *key, *type_name;
    struct bz_view method, path; /* of --route */
    size_t type;                 /* SIZE_MAX: all */
    bool data, json;
};

static const char *access_text(enum bz_access a) {
    static const char *const text[BZ_ACCESS_COUNT] = {"never", "admin", "user", "public"};
    return (unsigned)a < BZ_ACCESS_COUNT ? text[a] : "never";
}

static void put_route(struct bz_jw *w, enum bz_server s, const struct bz_route *r) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "server", bz_view_str(bz_server_name(s)));
    bz_jw_kstr(w, "method", bz_view_str(r->method));
    bz_jw_kstr(w, "path", bz_view_str(r->path));
    bz_jw_kstr(w, "access", bz_view_str(access_text(r->access)));
    bz_jw_kstr(w, "scope", bz_view_str(r->scope));
    bz_jw_kstr(w, "reason", bz_view_str(r->reason));
    bz_jw_end(w);
}

static void put_server(struct bz_jw *w, const struct question *q, enum bz_server s) {
    const struct bz_route *r = NULL;
    struct bz_view id;
    size_t n = 0;
    if (q->route != NULL) {
        if (bz_route_find(s, q->method, q->path, &r, &id) == BZ_ROUTE_FOUND)
            put_route(w, s, r);
        return;
    }
    const struct bz_route *t = bz_route_table(s, &n);
    for (size_t i = 0; i < n; i++)
        put_route(w, s, &t[i]);
}

static bool server_in_use(const struct bz_config *c, enum bz_server s) {
    for (uint32_t i = 0; i < c->backends_n; i++) {
        if (c->backends[i].type == s)
            return true;
    }
    return false;
}

static void print_routes(const struct bz_json *root) {
    const struct bz_json *l = bz_json_get(root, BZ_V("routes"));
    if (l == NULL || l->first == NULL)
        (void)printf("no backend of this instance has that route: 404 route_unknown\n");
    for (const struct bz_json *r = l == NULL ? NULL : l->first; r != NULL; r = r->next) {
        const struct bz_json *allowed = bz_json_get(r, BZ_V("allowed"));
        if (allowed != NULL)
            (void)printf("%-6s", bz_json_is(allowed, BZ_JSON_TRUE) ? "allow" : "deny");
        struct bz_view access = bz_json_str(bz_json_get(r, BZ_V("access")));
        (void)printf("%-6.*s ", (int)access.n, (const char *)access.p);
        struct bz_view m = bz_json_str(bz_json_get(r, BZ_V("method"))),
                       p = bz_json_str(bz_json_get(r, BZ_V("path")));
        (void)printf("%-6.*s %-34.*s ", (int)m.n, (const char *)m.p, (int)p.n, (const char *)p.p);
        struct bz_view s = bz_json_str(bz_json_get(r, BZ_V("server"))),
                       scope = bz_json_str(bz_json_get(r, BZ_V("scope")));
        (void)printf("%-9.*s %-11.*s ", (int)s.n, (const char *)s.p, (int)scope.n,
                     (const char *)scope.p);
        bz_print_safe(stdout, bz_json_str(bz_json_get(r, BZ_V("reason"))));
        struct bz_view why = bz_json_str(bz_json_get(r, BZ_V("why")));
        if (why.n > 0) {
            (void)printf(" [");
            bz_print_safe(stdout, why);
            (void)printf("]");
        }
        (void)printf("\n");
    }
}

static void put_mcp(struct bz_jw *w, const struct question *q) {
    const struct bz_route *r = NULL;
    struct bz_view server;
    size_t n = 0;
    if (q->route != NULL) {
        if (bz_route_find_mcp(q->method, q->path, &r, &server) == BZ_ROUTE_FOUND)
            put_route(w, BZ_SERVER_MCP, r);
        return;
    }
    r = bz_route_table_mcp(&n);
    for (size_t i = 0; i < n; i++)
        put_route(w, BZ_SERVER_MCP, &r[i]);
}

static void put_routes(struct bz_jw *w, const struct bz_config *c, const struct question *q) {
    bz_jw_key(w, "routes");
    bz_jw_arr(w);
    for (int s = 0; s < BZ_SERVER_COUNT; s++) {
        if (server_in_use(c, (enum bz_server)s))
            put_server(w, q, (enum bz_server)s);
    }
    if (c->mcp_n > 0)
        put_mcp(w, q);
    bz_jw_end(w);
}

static bool find_type(const struct bz_config *c, struct question *q) {
    q->type = SIZE_MAX;
    if (q->type_name == NULL || bz_data_type_find(c, q->type_name, &q->type))
        return true;
    bz_say("there is no type '%s'; 'bartizan policy explain --data' lists them",
           bz_safe(q->type_name));
    return false;
}

static int explain_parts(const struct bz_config *c, struct question *q) {
    struct bz_buf b;
    struct bz_jw w;
    struct bz_arena ar;
    struct bz_json *root = NULL;
    const bool routes = !q->data, data = q->route == NULL;
    bool ok = true;
    if (!find_type(c, q))
        return BZ_EXIT_FAILURE;
    bz_buf_init(&b, JSON_MAX);
    bz_arena_init(&ar, bz_alloc_heap, (size_t)16 << 20, NULL, 0);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    if (routes)
        put_routes(&w, c, q);
    if (data && q->json) {
        bz_jw_key(&w, "data");
        ok = bz_data_json(&w, c, q->type);
        if (!q->data)
            bz_steer_json(&w, c);
    }
    bz_jw_end(&w);
    if (q->json && ok)
        (void)printf("%.*s\n", (int)b.n, (const char *)b.p);
    else if (!q->json && routes && bz_json_parse(bz_buf_view(&b), NULL, &ar, &root, NULL) == BZ_OK)
        print_routes(root);
    if (!q->json && data) {
        (void)printf(routes ? "\n" : "");
        ok = bz_data_print(c, q->type);
        if (!q->data) {
            (void)printf("\n");
            bz_steer_print(c);
        }
    }
    bz_arena_free(&ar);
    bz_buf_free(&b);
    return ok ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
}

/* From the configuration alone: the instance need not run. */
static int explain_config(struct question *q) {
    char path[BZ_DIR_PATH_MAX];
    struct bz_buf text;
    struct bz_config *c = NULL;
    struct bz_config_errors errs = {.n = 0};
    if (!find_file(q->config != NULL ? q->config : q->dir, path))
        return BZ_EXIT_FAILURE;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    enum bz_status st = bz_file_read(AT_FDCWD, path, &text);
    if (st != BZ_OK) {
        bz_say("%s: %s", bz_safe(path), strerror(errno));
        bz_buf_free(&text);
        return BZ_EXIT_FAILURE;
    }
    st = bz_config_parse(bz_buf_view(&text), &c, errs.list, sizeof errs.list / sizeof errs.list[0],
                         &errs.n);
    int rc = BZ_EXIT_FINDINGS;
    if (st == BZ_OK)
        rc = explain_parts(c, q);
    else
        bz_cli_config_errors(stderr, path, st, bz_buf_view(&text), &errs);
    bz_config_free(c);
    bz_buf_free(&text);
    return rc;
}

static void print_who(const struct bz_json *root) {
    const struct bz_json *l = bz_json_get(root, BZ_V("models"));
    (void)printf("user ");
    bz_print_safe(stdout, bz_json_str(bz_json_get(root, BZ_V("user"))));
    (void)printf(", role ");
    bz_print_safe(stdout, bz_json_str(bz_json_get(root, BZ_V("role"))));
    (void)printf("\nmodels:");
    for (const struct bz_json *m = l == NULL ? NULL : l->first; m != NULL; m = m->next) {
        (void)printf(" ");
        bz_print_safe(stdout, bz_json_str(m));
    }
    (void)printf("\n");
}

/* What the policy in force gives to one key: bartizand knows. */
static int explain_key(const struct bz_instance *in, const struct question *q) {
    struct bz_buf b;
    struct bz_jw w;
    struct bz_answer_json a;
    bz_buf_init(&b, JSON_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "key", bz_view_str(q->key));
    if (q->route != NULL) {
        bz_jw_kstr(&w, "method", q->method);
        bz_jw_kstr(&w, "path", q->path);
    }
    bz_jw_end(&w);
    int rc = BZ_EXIT_FAILURE;
    enum bz_status st = bz_admin_call(in, "POST", "/v1/explain", bz_buf_view(&b), CALL_MS, &a);
    if (st != BZ_OK) {
        bz_say("--key needs the running instance; start it with 'bartizan up %s'",
               bz_safe(in->path));
    } else if (a.status != 200) {
        bz_say("%s", bz_answer_error(&a));
    } else {
        rc = BZ_EXIT_OK;
        if (q->json) {
            (void)printf("%.*s\n", (int)a.body.n, (const char *)a.body.p);
        } else {
            print_who(a.root);
            print_routes(a.root);
        }
    }
    bz_answer_done(&a);
    bz_buf_free(&b);
    return rc;
}

static bool split_route(struct question *q) {
    const char *blank = strchr(q->route, ' ');
    if (blank == NULL || blank[1] != '/') {
        bz_say("--route '%s': write the method and the path, e.g. 'POST /v1/chat/completions'",
               bz_safe(q->route));
        return false;
    }
    q->method = bz_view(q->route, (size_t)(blank - q->route));
    q->path = bz_view_str(blank + 1);
    return true;
}

static bool question_ok(struct question *q) {
    const bool about_data = q->data || q->type_name != NULL;
    if ((q->dir == NULL) == (q->config == NULL)) {
        bz_say("name an instance or --config FILE");
        return false;
    }
    if (q->key != NULL && q->config != NULL) {
        bz_say("--key asks the running instance; name its directory instead of --config");
        return false;
    }
    if (about_data && (q->key != NULL || q->route != NULL)) {
        bz_say("--data and --type do not go with --key and --route");
        return false;
    }
    q->data = about_data;
    return q->route == NULL || split_route(q);
}

static int policy_explain(int argc, char **argv) {
    struct question q = {.dir = NULL};
    const struct bz_opt list[] = {
        {"config", BZ_OPT_TEXT, &q.config, "FILE", "this configuration instead of an instance's"},
        {"route", BZ_OPT_TEXT, &q.route, "'METHOD PATH'", "only this route"},
        {"key", BZ_OPT_TEXT, &q.key, "ID", "what this key may do under the policy in force"},
        {"data", BZ_OPT_FLAG, &q.data, NULL, "only data protection, not the routes"},
        {"type", BZ_OPT_TEXT, &q.type_name, "NAME", "only this type of data"},
        {"json", BZ_OPT_FLAG, &q.json, NULL, "print one JSON object"},
    };
    static const char *const names[] = {"DIR"};
    const struct bz_opts o = {
        "bartizan policy explain DIR|--config FILE [--route 'POST /v1/chat/completions'] [--key "
        "ID] "
        "[--data] [--type NAME] [--json]",
        "Shows every route of the instance's backends, who may use it and why; and what happens to "
        "each type of data, by which rule or default, and how to change it.",
        list,
        sizeof list / sizeof list[0],
        names,
        0,
        1};
    size_t n = 0;
    bool help = false;
    if (bz_opts_parse(&o, argc, argv, &q.dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    struct bz_instance in;
    if (help)
        return BZ_EXIT_OK;
    if (!question_ok(&q))
        return BZ_EXIT_FAILURE;
    if (q.config != NULL)
        return explain_config(&q);
    if (!bz_cli_open(q.dir, &in))
        return BZ_EXIT_FAILURE;
    int rc = q.key != NULL ? explain_key(&in, &q) : explain_config(&q);
    bz_instance_close(&in);
    return rc;
}

int bz_cli_policy(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"check", "explain what is wrong in a configuration", policy_check},
        {"explain", "show routes and types of data, what happens to them and why", policy_explain},
    };
    return bz_cli_dispatch("bartizan policy", list, 2, argc, argv);
}
