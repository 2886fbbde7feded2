/* bartizan down, reload, status: they talk to a running instance. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "admin_client.h"
#include "commands.h"
#include "opts.h"

enum { DOWN_MS = 30000, RELOAD_MS = 20000, CALL_MS = 5000, STATUS_MAX = 64 * 1024 };

/* One word DIR and options; false: *ret_rc says how to end. */
static bool open_dir(const struct bz_opts *o, int argc, char **argv, struct bz_instance *ret,
                     int *ret_rc) {
    const char *dir = NULL;
    size_t n = 0;
    bool help = false;
    *ret_rc = BZ_EXIT_FAILURE;
    if (bz_opts_parse(o, argc, argv, &dir, &n, &help) != BZ_OK)
        return false;
    if (help)
        *ret_rc = BZ_EXIT_OK;
    return !help && bz_cli_open(dir, ret);
}

static const char *const dir_word[] = {"DIR"};

/* ---- down ---- */

static void say_down(const struct bz_instance *in, bool was_up, bool json) {
    if (json)
        (void)printf("{\"was_up\":%s,\"up\":false}\n", was_up ? "true" : "false");
    else
        (void)printf("%s is %s\n", bz_safe(in->path), was_up ? "down" : "not up");
}

static int down(struct bz_instance *in, bool json) {
    pid_t pid = bz_instance_running(in);
    if (pid == 0) {
        say_down(in, false, json);
        return BZ_EXIT_OK;
    }
    if (kill(pid, SIGTERM) != 0) {
        bz_say("process %d cannot be told to stop: %s", (int)pid, strerror(errno));
        return BZ_EXIT_FAILURE;
    }
    for (int waited = 0; waited < DOWN_MS; waited += 20) {
        if (bz_instance_running(in) != pid) {
            say_down(in, true, json);
            return BZ_EXIT_OK;
        }
        (void)poll(NULL, 0, 20);
    }
    bz_say("process %d did not stop within %d seconds", (int)pid, DOWN_MS / 1000);
    return BZ_EXIT_FAILURE;
}

int bz_cli_down(int argc, char **argv) {
    bool json = false;
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    const struct bz_opts o = {"bartizan down DIR [--json]",
                              "Stops a running instance in order.",
                              list,
                              1,
                              dir_word,
                              1,
                              1};
    struct bz_instance in;
    int rc;
    if (!open_dir(&o, argc, argv, &in, &rc))
        return rc;
    rc = down(&in, json);
    bz_instance_close(&in);
    return rc;
}

/* ---- status.json ---- */

struct status_file {
    struct bz_buf text;
    struct bz_arena arena;
    struct bz_json *root;
};

static bool status_read(const struct bz_instance *in, struct status_file *ret) {
    ret->root = NULL;
    bz_buf_init(&ret->text, STATUS_MAX);
    bz_arena_init(&ret->arena, bz_alloc_heap, 4 << 20, NULL, 0);
    return bz_file_read(in->fd, BZ_F_STATUS, &ret->text) == BZ_OK &&
           bz_json_parse(bz_buf_view(&ret->text), NULL, &ret->arena, &ret->root, NULL) == BZ_OK;
}

static void status_done(struct status_file *s) {
    bz_arena_free(&s->arena);
    bz_buf_free(&s->text);
}

static int64_t int_of(const struct bz_json *obj, struct bz_view key) {
    int64_t v = 0;
    return bz_json_i64(bz_json_get(obj, key), &v) == BZ_OK ? v : -1;
}

/* ---- reload ---- */

static int64_t reload_seq(const struct bz_instance *in) {
    struct status_file s;
    int64_t seq =
        status_read(in, &s) ? int_of(bz_json_get(s.root, BZ_V("reload")), BZ_V("seq")) : -1;
    status_done(&s);
    return seq;
}

/* Same explanation as `policy check`, before anything is asked of the running instance. */
static bool config_good(const struct bz_instance *in) {
    struct bz_buf text;
    struct bz_config *c = NULL;
    struct bz_config_errors errs;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    enum bz_status st = bz_instance_config(in, BZ_F_CONFIG, &text, &c, &errs);
    if (st != BZ_OK)
        bz_cli_config_errors(stderr, BZ_F_CONFIG, st, bz_buf_view(&text), &errs);
    bz_buf_free(&text);
    bz_config_free(c);
    return st == BZ_OK;
}

static void print_reload_json(bool ok, struct bz_view message) {
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, STATUS_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kbool(&w, "ok", ok);
    bz_jw_kstr(&w, "message", message);
    bz_jw_end(&w);
    (void)printf("%.*s\n", (int)b.n, (const char *)b.p);
    bz_buf_free(&b);
}

static int reload_result(const struct bz_instance *in, bool json) {
    struct status_file s;
    int rc = BZ_EXIT_FAILURE;
    if (status_read(in, &s)) {
        const struct bz_json *r = bz_json_get(s.root, BZ_V("reload"));
        struct bz_view why = bz_json_str(bz_json_get(r, BZ_V("message")));
        bool ok = bz_json_is(bz_json_get(r, BZ_V("ok")), BZ_JSON_TRUE);
        rc = ok ? BZ_EXIT_OK : BZ_EXIT_FINDINGS;
        if (json) {
            print_reload_json(ok, why);
        } else if (ok) {
            (void)printf("the new configuration is in force\n");
        } else {
            bz_say("the new configuration is refused, the old one stays in force:");
            bz_print_safe(stderr, why);
            (void)fputc('\n', stderr);
        }
    }
    status_done(&s);
    return rc;
}

static int reload(const struct bz_instance *in, bool json) {
    if (!config_good(in)) {
        bz_say("the new configuration is refused, the old one stays in force");
        if (json)
            print_reload_json(false, BZ_V("the configuration has errors; they are on stderr"));
        return BZ_EXIT_FINDINGS;
    }
    pid_t pid = bz_instance_running(in);
    if (pid == 0) {
        bz_say("%s is not up; the configuration will be loaded by 'bartizan up'",
               bz_safe(in->path));
        return BZ_EXIT_FAILURE;
    }
    int64_t before = reload_seq(in);
    if (before < 0 || kill(pid, SIGHUP) != 0) {
        bz_say("the instance cannot be told to reload now (starting or stopping?)");
        return BZ_EXIT_FAILURE;
    }
    for (int waited = 0; waited < RELOAD_MS; waited += 10) {
        if (reload_seq(in) > before)
            return reload_result(in, json);
        (void)poll(NULL, 0, 10);
    }
    bz_say("no answer within %d seconds", RELOAD_MS / 1000);
    return BZ_EXIT_FAILURE;
}

int bz_cli_reload(int argc, char **argv) {
    bool json = false;
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    const struct bz_opts o = {
        "bartizan reload DIR [--json]",
        "Loads bartizan.yaml again. A bad file changes nothing: it is explained, exit code 1.",
        list,
        1,
        dir_word,
        1,
        1};
    struct bz_instance in;
    int rc;
    if (!open_dir(&o, argc, argv, &in, &rc))
        return rc;
    rc = reload(&in, json);
    bz_instance_close(&in);
    return rc;
}

/* ---- status ---- */

static void print_children(const struct bz_json *sup) {
    const struct bz_json *list = bz_json_get(sup, BZ_V("children"));
    for (const struct bz_json *c = list == NULL ? NULL : list->first; c != NULL; c = c->next) {
        (void)printf("  ");
        bz_print_safe(stdout, bz_json_str(bz_json_get(c, BZ_V("name"))));
        (void)printf(" ");
        bz_print_safe(stdout, bz_json_str(bz_json_get(c, BZ_V("state"))));
        (void)printf(", pid %lld, restarted %lld times\n", (long long)int_of(c, BZ_V("pid")),
                     (long long)int_of(c, BZ_V("restarts")));
    }
}

static void print_backends(const struct bz_json *d) {
    const struct bz_json *list = bz_json_get(d, BZ_V("backends"));
    for (const struct bz_json *b = list == NULL ? NULL : list->first; b != NULL; b = b->next) {
        (void)printf("  backend ");
        bz_print_safe(stdout, bz_json_str(bz_json_get(b, BZ_V("name"))));
        (void)printf(" (");
        bz_print_safe(stdout, bz_json_str(bz_json_get(b, BZ_V("type"))));
        (void)printf("): ");
        bz_print_safe(stdout, bz_json_str(bz_json_get(b, BZ_V("health"))));
        (void)printf(", %lld models, %lld requests under way", (long long)int_of(b, BZ_V("models")),
                     (long long)int_of(b, BZ_V("outstanding")));
        struct bz_view why = bz_json_str(bz_json_get(b, BZ_V("why")));
        if (why.n > 0) {
            (void)printf(": ");
            bz_print_safe(stdout, why);
        }
        (void)printf("\n");
    }
}

static bool all_well(const struct bz_json *sup, const struct bz_json *d) {
    const struct bz_json *kids = bz_json_get(sup, BZ_V("children"));
    for (const struct bz_json *c = kids == NULL ? NULL : kids->first; c != NULL; c = c->next) {
        if (!bz_view_eq(bz_json_str(bz_json_get(c, BZ_V("state"))), BZ_V("ready")))
            return false;
    }
    const struct bz_json *list = bz_json_get(d, BZ_V("backends"));
    for (const struct bz_json *b = list == NULL ? NULL : list->first; b != NULL; b = b->next) {
        if (!bz_view_eq(bz_json_str(bz_json_get(b, BZ_V("health"))), BZ_V("up")))
            return false;
    }
    if (bz_json_str(bz_json_get(bz_json_get(d, BZ_V("posture")), BZ_V("why"))).n > 0)
        return false;
    return d != NULL && bz_view_eq(bz_json_str(bz_json_get(d, BZ_V("audit"))), BZ_V("running"));
}

/* The last audit of the host, where policy asks for one. */
static void print_posture(const struct bz_json *d) {
    const struct bz_json *p = bz_json_get(d, BZ_V("posture"));
    struct bz_view verdict = bz_json_str(bz_json_get(p, BZ_V("verdict")));
    struct bz_view why = bz_json_str(bz_json_get(p, BZ_V("why")));
    if (verdict.n == 0)
        return;
    (void)printf("  host: ");
    bz_print_safe(stdout, why.n > 0 ? why : verdict);
    (void)printf("\n");
}

static void print_text(const struct bz_json *sup, const struct bz_json *d, bool well) {
    (void)printf("%s\n  url ", well ? "up" : "up, with findings");
    bz_print_safe(stdout, bz_json_str(bz_json_get(sup, BZ_V("url"))));
    (void)printf("\n");
    print_children(sup);
    if (d == NULL) {
        (void)printf("  bartizand does not answer\n");
        return;
    }
    (void)printf("  policy generation %lld, %lld keys, %lld models\n  audit log: ",
                 (long long)int_of(d, BZ_V("generation")), (long long)int_of(d, BZ_V("keys")),
                 (long long)int_of(d, BZ_V("models")));
    bz_print_safe(stdout, bz_json_str(bz_json_get(d, BZ_V("audit"))));
    (void)printf("\n");
    print_posture(d);
    print_backends(d);
}

static void print_json(const struct bz_json *sup, const struct bz_json *d, bool well) {
    struct bz_buf b, part;
    struct bz_jw w;
    bz_buf_init(&b, 8 << 20);
    bz_buf_init(&part, 4 << 20);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kbool(&w, "up", sup != NULL);
    bz_jw_kbool(&w, "well", well);
    if (sup != NULL) {
        bz_json_write(&part, sup);
        bz_jw_key(&w, "supervisor");
        bz_jw_raw(&w, bz_buf_view(&part));
    }
    if (d != NULL) {
        bz_buf_reset(&part);
        bz_json_write(&part, d);
        bz_jw_key(&w, "daemon");
        bz_jw_raw(&w, bz_buf_view(&part));
    }
    bz_jw_end(&w);
    (void)printf("%.*s\n", (int)b.n, (const char *)b.p);
    bz_buf_free(&b);
    bz_buf_free(&part);
}

static int status(const struct bz_instance *in, bool json) {
    if (bz_instance_running(in) == 0) {
        if (json)
            print_json(NULL, NULL, false);
        else
            (void)printf("%s is not up\n", bz_safe(in->path));
        return BZ_EXIT_FINDINGS;
    }
    struct status_file s;
    struct bz_answer_json a;
    bool have = status_read(in, &s);
    enum bz_status st = bz_admin_call(in, "GET", "/v1/status", bz_view(NULL, 0), CALL_MS, &a);
    const struct bz_json *d = st == BZ_OK && a.status == 200 ? a.root : NULL;
    bool well = have && all_well(s.root, d);
    if (json)
        print_json(have ? s.root : NULL, d, well);
    else if (have)
        print_text(s.root, d, well);
    else
        (void)printf("%s is starting or stopping\n", bz_safe(in->path));
    bz_answer_done(&a);
    status_done(&s);
    return well ? BZ_EXIT_OK : BZ_EXIT_FINDINGS;
}

int bz_cli_status(int argc, char **argv) {
    bool json = false;
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    const struct bz_opts o = {"bartizan status DIR [--json]",
                              "Exit code 0: everything is up and well; 1: something is not.",
                              list,
                              1,
                              dir_word,
                              1,
                              1};
    struct bz_instance in;
    int rc;
    if (!open_dir(&o, argc, argv, &in, &rc))
        return rc;
    rc = status(&in, json);
    bz_instance_close(&in);
    return rc;
}
