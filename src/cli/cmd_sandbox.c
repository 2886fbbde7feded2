/* bartizan sandbox: run a model server in a cage. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bartizan/json.h>
#include "admin_client.h"
#include "commands.h"
#include "sandbox.h"

enum {
    WHY_MAX = 4096,
    RECORD_MS = 5000,      /* longer than audit.wait_ms is by default */
    DYNAMIC_FIRST = 61184, /* uids that systemd gives to services without a user (systemd.exec) */
    DYNAMIC_N = 4336,
};

/* ---- options ---- */

int sb_split(int argc, char **argv, struct sb_args *a) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") != 0)
            continue;
        a->command = argv + i + 1;
        a->command_n = argc - i - 1;
        return i;
    }
    return argc;
}

const char *sb_bwrap(void) {
    static const char *const places[] = {"/usr/bin/bwrap", "/usr/local/bin/bwrap"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (access(places[i], X_OK) == 0)
            return places[i];
    }
    bz_say("bubblewrap is not installed, and cages are made with it: apt-get install bubblewrap");
    return NULL;
}

static bool size_of(const char *option, const char *text, uint64_t *ret) {
    static const char units[] = "KMGT";
    if (text == NULL)
        return true;
    size_t n = strspn(text, "0123456789");
    const char *u = text[n] == '\0' ? NULL : strchr(units, text[n]);
    uint64_t v = 0;
    unsigned shift = u == NULL ? 0 : 10 * (unsigned)(u - units + 1);
    if (bz_view_u64(bz_view(text, n), &v) != BZ_OK || v == 0 || v > UINT64_MAX >> shift ||
        (text[n] != '\0' && (u == NULL || text[n + 1] != '\0'))) {
        bz_say("--%s %s: write a number of bytes, or one with K, M, G or T: 512M", option,
               bz_safe(text));
        return false;
    }
    *ret = v << shift;
    return true;
}

static bool count_of(const char *option, const char *text, uint32_t most, uint32_t *ret) {
    uint64_t v = 0;
    if (text == NULL)
        return true;
    if (bz_view_u64(bz_view_str(text), &v) != BZ_OK || v == 0 || v > most) {
        bz_say("--%s %s: write a number from 1 to %u", option, bz_safe(text), most);
        return false;
    }
    *ret = (uint32_t)v;
    return true;
}

static void take_list(struct bz_cage_list *to, const struct bz_opt_many *from) {
    for (size_t i = 0; i < from->n && to->n < BZ_CAGE_LIST_MAX; i++)
        to->v[to->n++] = from->v[i];
}

static bool take_profile(const char *name, struct bz_cage_request *r) {
    const char *names[16];
    size_t n = 0;
    r->profile = bz_cage_profile(name);
    if (r->profile != NULL)
        return true;
    for (const struct bz_cage_profile *p = bz_cage_profiles; p->name != NULL; p++)
        names[n++] = p->name;
    if (name == NULL)
        bz_say("name a profile: --profile llama-server, ollama, vllm, generic or container");
    else {
        const char *near = bz_nearest(name, names, n);
        bz_say("there is no profile '%s'%s%s; 'bartizan sandbox profiles' lists them",
               bz_safe(name), near != NULL ? "; did you mean " : "", near != NULL ? near : "");
    }
    return false;
}

static bool take_egress(const struct sb_args *a, struct sb_cage *c) {
    for (size_t i = 0; i < a->egress.n; i++) {
        struct bz_diag d = {0, NULL};
        if (bz_egress_add(&c->egress, bz_view_str(a->egress.v[i]), &d) != BZ_OK) {
            bz_say("--egress %s: %s", bz_safe(a->egress.v[i]),
                   d.why != NULL ? d.why : "too many rules");
            return false;
        }
    }
    c->request.egress = c->egress.n > 0;
    return true;
}

bool sb_request(const struct sb_args *a, bool probe, struct sb_cage *c) {
    struct bz_cage_request *r = &c->request;
    if (!take_profile(a->profile, r) || !take_egress(a, c))
        return false;
    if (a->gpu != NULL && !bz_gpu_parse(a->gpu, &r->gpu, &r->gpu_index)) {
        bz_say("--gpu %s: write nvidia, amd or intel, with :N for the N-th card", bz_safe(a->gpu));
        return false;
    }
    take_list(&r->models, &a->models);
    take_list(&r->reads, &a->reads);
    take_list(&r->writes, &a->writes);
    take_list(&r->env, &a->env);
    take_list(&r->secrets, &a->secrets);
    r->socket = a->socket;
    r->weakened = a->weakened;
    r->probe = probe;
    if (!probe && a->command_n == 0) {
        bz_say("say what to start behind --: bartizan sandbox run --profile NAME -- PROGRAM ...");
        return false;
    }
    if (a->command_n > BZ_CAGE_ARGS_MAX) {
        bz_say("the command has more than %d words", BZ_CAGE_ARGS_MAX);
        return false;
    }
    for (int i = 0; !probe && i < a->command_n; i++)
        r->argv[r->argc++] = a->command[i];
    if (probe)
        r->argv[r->argc++] = c->cage;
    return size_of("memory", a->memory, &r->memory) && size_of("tmp", a->tmp, &r->tmp) &&
           count_of("pids", a->pids, 1000000, &r->pids) &&
           count_of("files", a->files, 1000000, &r->files) &&
           count_of("cpu", a->cpu, 100000, &r->cpu_percent);
}

/* Whom it runs as outside. Never root: what gets out of the cage would be root. */
bool sb_user(const struct sb_args *a, uid_t *ret_uid, gid_t *ret_gid) {
    const struct passwd *pw = NULL;
    uint64_t id = 0;
    *ret_uid = geteuid();
    *ret_gid = getegid();
    if (a->user == NULL && geteuid() != 0)
        return true;
    if (geteuid() != 0) {
        bz_say(
            "--user needs root; a cage started by you runs as you, in a user namespace of its own");
        return false;
    }
    if (a->user == NULL) {
        for (id = DYNAMIC_FIRST + (uint64_t)getpid() % DYNAMIC_N; getpwuid((uid_t)id) != NULL; id++)
            ;
        *ret_uid = (uid_t)id;
        *ret_gid = (gid_t)id;
        return true;
    }
    if (bz_view_u64(bz_view_str(a->user), &id) == BZ_OK && id < UINT32_MAX) {
        pw = getpwuid((uid_t)id);
        *ret_uid = (uid_t)id;
        *ret_gid = pw != NULL ? pw->pw_gid : (gid_t)id;
    } else if ((pw = getpwnam(a->user)) != NULL) {
        *ret_uid = pw->pw_uid;
        *ret_gid = pw->pw_gid;
    } else {
        bz_say("--user %s: there is no such user", bz_safe(a->user));
        return false;
    }
    if (*ret_uid == 0)
        bz_say("--user root: a model server does not run as root");
    return *ret_uid != 0;
}

bool sb_cage_make(const struct sb_args *a, bool probe, struct sb_cage *c) {
    struct bz_buf why;
    memset(c, 0, sizeof *c);
    bz_find_part("bartizan-cage", "/usr/libexec/bartizan-cage", c->cage);
    if (c->cage[0] == '\0') {
        bz_say("bartizan-cage is not installed (looked beside this program and in /usr/libexec)");
        return false;
    }
    c->request.cage = c->cage;
    if (!sb_request(a, probe, c) || !sb_user(a, &c->uid, &c->gid))
        return false;
    bz_buf_init(&why, WHY_MAX);
    enum bz_status st = bz_cage_resolve(&c->request, &c->own, &why);
    if (st == BZ_OK)
        st = bz_cage_plan_make(&c->request, &c->plan, &why);
    if (st != BZ_OK)
        bz_say("%.*s", why.n > 0 ? (int)why.n : (int)strlen(bz_status_text(st)),
               why.n > 0 ? (const char *)why.p : bz_status_text(st));
    bz_buf_free(&why);
    return st == BZ_OK;
}

void sb_cage_free(struct sb_cage *c) {
    bz_cage_plan_free(&c->plan);
    bz_cage_own_free(&c->own);
}

/* ---- sockets ---- */

static int listen_for(const struct sb_cage *c) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const char *path = c->request.socket;
    struct stat sb;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (lstat(path, &sb) == 0 && S_ISSOCK(sb.st_mode)) {
        if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0) {
            bz_say("%s: another server answers on this socket", bz_safe(path));
            (void)close(fd);
            return -1;
        }
        (void)unlink(path); /* of an earlier run */
    }
    (void)umask(0177);
    bool ok =
        fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 256) == 0;
    (void)umask(077);
    if (ok)
        return fd;
    bz_say("%s: %s", bz_safe(path), strerror(errno));
    (void)close(fd);
    return -1;
}

/* The directory for a server that makes its socket itself. */
static bool prepare_socket(const struct sb_cage *c) {
    struct stat sb;
    const char *path = c->request.socket;
    if (path == NULL || c->plan.socket_dir == NULL)
        return true;
    if (lstat(path, &sb) == 0 && S_ISSOCK(sb.st_mode))
        (void)unlink(path); /* of an earlier run: servers do not replace it */
    if (geteuid() == 0 && chown(c->plan.socket_dir, c->uid, c->gid) != 0) {
        bz_say("%s: %s", bz_safe(c->plan.socket_dir), strerror(errno));
        return false;
    }
    return true;
}

/* ---- run ---- */

struct running {
    const struct sb_cage *cage;
    const char *report;
    bool quiet;
};

static void write_report(const char *file, const struct bz_cage_report *r) {
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, 256 * 1024);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "missing", r->missing);
    bz_jw_key(&w, "checks");
    bz_jw_arr(&w);
    struct bz_view all = bz_buf_view(&r->lines);
    while (all.n > 0) {
        size_t n = 0;
        while (n < all.n && all.p[n] != '\n')
            n++;
        bz_jw_str(&w, bz_view_sub(all, 0, n));
        all = bz_view_sub(all, n + 1, all.n);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(&b, '\n');
    if (bz_buf_status(&b) != BZ_OK ||
        bz_file_write(AT_FDCWD, file, bz_buf_view(&b), 0600, BZ_FILE_NO_SYNC) != BZ_OK)
        bz_say("the report cannot be written to %s: %s", bz_safe(file), strerror(errno));
    bz_buf_free(&b);
}

static void say_missing(const struct bz_cage_report *r) {
    struct bz_view all = bz_buf_view(&r->lines), word = BZ_V("missing ");
    while (all.n > 0) {
        size_t n = 0;
        while (n < all.n && all.p[n] != '\n')
            n++;
        struct bz_view line = bz_view_sub(all, 0, n);
        if (bz_view_starts(line, word)) {
            (void)fputs("bartizan: WEAKENED: the cage lacks ", stderr);
            bz_print_safe(stderr, bz_view_sub(line, word.n, line.n));
            (void)fputc('\n', stderr);
        }
        all = bz_view_sub(all, n + 1, all.n);
    }
}

static void started(void *ctx, const struct bz_cage_report *r, int pid) {
    const struct running *u = ctx;
    say_missing(r);
    if (!u->quiet)
        bz_say("%s runs in its cage (pid %d)%s%s", u->cage->plan.profile->name, pid,
               u->cage->request.socket != NULL ? ", reached on " : "",
               u->cage->request.socket != NULL ? bz_safe(u->cage->request.socket) : "");
    if (u->report != NULL)
        write_report(u->report, r);
}

static void close_but(int a, int b) {
    for (int fd = 3; fd < 1024; fd++) {
        if (fd != a && fd != b)
            (void)close(fd);
    }
}

/* Into the instance's audit log, through bartizand. */
static bool record_egress(void *ctx, struct bz_view json) {
    struct bz_instance in = {.fd = -1};
    struct bz_answer_json a = {0};
    if (bz_instance_open(ctx, &in) != BZ_OK)
        return false;
    enum bz_status st = bz_admin_call(&in, "POST", "/v1/egress", json, RECORD_MS, &a);
    bool ok = st == BZ_OK && a.status == 200;
    bz_answer_done(&a);
    bz_instance_close(&in);
    return ok;
}

/* The proxy as a child with the same owner as the cage; ends with the socket between them. */
static int start_egress(const struct sb_cage *c, const char *name,
                        const struct sb_egress_out *out) {
    char dir[BZ_DIR_PATH_MAX];
    int pair[2];
    if (c->egress.n == 0)
        return -1;
    (void)snprintf(dir, sizeof dir, "%s", out->instance != NULL ? out->instance : "");
    int log_fd = out->log == NULL
                     ? dup(STDERR_FILENO)
                     : open(out->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        bz_say("the proxy cannot be started: %s", strerror(errno));
        return -2;
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        (void)close(pair[0]);
        close_but(pair[1], log_fd);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent) {
            const struct bz_egress_run r = {
                &c->egress, pair[1], log_fd, name, dir[0] != '\0' ? record_egress : NULL, dir};
            bz_egress_serve(&r);
        }
        _exit(0);
    }
    (void)close(pair[1]);
    (void)close(log_fd);
    return pid > 0 ? pair[0] : -2;
}

int sb_run_cage(const struct sb_args *a, const struct sb_cage *c, const char *report,
                const struct sb_egress_out *egress, bool quiet) {
    struct running u = {c, report, quiet};
    struct bz_cage_report rep;
    struct bz_buf why;
    char name[64];
    int code = BZ_EXIT_FAILURE, listen_fd = -1;
    const char *bwrap = sb_bwrap();
    if (bwrap == NULL || !prepare_socket(c))
        return BZ_EXIT_FAILURE;
    if (c->plan.forward_port != 0 && (listen_fd = listen_for(c)) < 0)
        return BZ_EXIT_FAILURE;
    (void)snprintf(name, sizeof name, "bartizan-%s-%d", a->name != NULL ? a->name : "cage",
                   (int)getpid());
    int egress_fd = start_egress(c, name, egress);
    if (egress_fd == -2)
        return BZ_EXIT_FAILURE;
    const struct bz_cage_run r = {.plan = &c->plan,
                                  .name = name,
                                  .bwrap = bwrap,
                                  .uid = c->uid,
                                  .gid = c->gid,
                                  .out_fd = -1,
                                  .listen_fd = listen_fd,
                                  .egress_fd = egress_fd,
                                  .started = started,
                                  .ctx = &u};
    bz_buf_init(&why, WHY_MAX);
    enum bz_status st = bz_cage_run(&r, &code, &rep, &why);
    if (st != BZ_OK) {
        say_missing(&rep);
        bz_say("refused to start: %.*s", (int)why.n, (const char *)why.p);
        code = BZ_EXIT_FAILURE;
    }
    if (listen_fd >= 0) {
        (void)close(listen_fd);
        (void)unlink(c->request.socket);
    }
    if (egress_fd >= 0)
        (void)close(egress_fd);
    bz_buf_free(&why);
    bz_cage_report_free(&rep);
    return code;
}

#define SB_OPTIONS(a)                                                                              \
    {"profile", BZ_OPT_TEXT, &(a).profile, "NAME",                                                 \
     "llama-server, ollama, vllm, generic, container"},                                            \
        {"model", BZ_OPT_MANY, &(a).models, "FILE",                                                \
         "a model file, read-only; those of the server's own options are found"},                  \
        {"read", BZ_OPT_MANY, &(a).reads, "PATH", "another file or directory, read-only"},         \
        {"write", BZ_OPT_MANY, &(a).writes, "DIR", "a directory that the server may write"},       \
        {"socket", BZ_OPT_TEXT, &(a).socket, "PATH",                                               \
         "where the server is reached; in a directory of its own"},                                \
        {"env", BZ_OPT_MANY, &(a).env, "NAME=VALUE", "a variable; nothing else is inherited"},     \
        {"secret", BZ_OPT_MANY, &(a).secrets, "NAME=FILE",                                         \
         "given through a descriptor: write {secret:NAME} in the command"},                        \
        {"egress", BZ_OPT_MANY, &(a).egress, "HOST:PORT", "may be reached through the proxy"},     \
        {"memory", BZ_OPT_TEXT, &(a).memory, "SIZE", "limit: 512M, 16G"},                          \
        {"tmp", BZ_OPT_TEXT, &(a).tmp, "SIZE", "of its private /tmp"},                             \
        {"pids", BZ_OPT_TEXT, &(a).pids, "N", "processes and threads"},                            \
        {"files", BZ_OPT_TEXT, &(a).files, "N", "open files"},                                     \
        {"cpu", BZ_OPT_TEXT, &(a).cpu, "PERCENT", "100 is one core"},                              \
        {"gpu", BZ_OPT_TEXT, &(a).gpu, "VENDOR[:N]", "nvidia, amd or intel; only that card"},      \
        {"user", BZ_OPT_TEXT, &(a).user, "NAME", "whom it runs as, when root starts it"}, {        \
        "weakened", BZ_OPT_FLAG, &(a).weakened, NULL,                                              \
            "start although the kernel lacks something; says what"                                 \
    }

struct run_args {
    struct sb_args a;
    struct sb_cage cage;
    const char *report, *log, *dir, *backend;
    bool quiet, plan, bwrap;
};

static int run_parsed(struct run_args *x) {
    const struct sb_egress_out egress = {x->log, NULL};
    int rc = BZ_EXIT_FAILURE;
    if (x->dir != NULL || x->backend != NULL)
        return sb_run_backend(x->dir, x->backend, x->report, x->quiet);
    if (sb_cage_make(&x->a, false, &x->cage))
        rc = x->plan || x->bwrap ? sb_show_plan(&x->cage, x->bwrap)
                                 : sb_run_cage(&x->a, &x->cage, x->report, &egress, x->quiet);
    sb_cage_free(&x->cage);
    return rc;
}

int sb_run(int argc, char **argv) {
    struct run_args *x = calloc(1, sizeof *x);
    bool help = false;
    if (x == NULL)
        return BZ_EXIT_FAILURE;
    const struct bz_opt list[] = {
        SB_OPTIONS(x->a),
        {"egress-log", BZ_OPT_TEXT, &x->log, "FILE", "requests to the outside; stderr by default"},
        {"report", BZ_OPT_TEXT, &x->report, "FILE", "what was read back from inside, as JSON"},
        {"instance", BZ_OPT_TEXT, &x->dir, "DIR", "take everything from its bartizan.yaml"},
        {"backend", BZ_OPT_TEXT, &x->backend, "NAME", "with --instance: which backend"},
        {"plan", BZ_OPT_FLAG, &x->plan, NULL, "print the plan as JSON and start nothing"},
        {"bwrap", BZ_OPT_FLAG, &x->bwrap, NULL, "print bubblewrap's arguments and start nothing"},
        {"quiet", BZ_OPT_FLAG, &x->quiet, NULL, "say nothing when all is well"},
    };
    const struct bz_opts o = {"bartizan sandbox run --profile NAME [options] -- PROGRAM ...",
                              "Starts a model server in a cage and stays with it.",
                              list,
                              sizeof list / sizeof list[0],
                              NULL,
                              0,
                              0};
    size_t n = 0;
    int rc = BZ_EXIT_FAILURE, before = sb_split(argc, argv, &x->a);
    (void)umask(077);
    if (bz_opts_parse(&o, before, argv, NULL, &n, &help) == BZ_OK)
        rc = help ? BZ_EXIT_OK : run_parsed(x);
    free(x);
    return rc;
}

int bz_cli_sandbox(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"run", "start a model server in a cage", sb_run},
        {"probe", "try to get out of a cage", sb_probe},
        {"export", "the same for podman, docker and systemd", sb_export},
        {"lint", "what leads out of a container's configuration", sb_lint},
        {"profiles", "list the kinds of cages", sb_profiles},
    };
    return bz_cli_dispatch("bartizan sandbox", list, sizeof list / sizeof list[0], argc, argv);
}
