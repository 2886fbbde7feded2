/* bartizan up: brings an instance up in the foreground (or --detach), keeps it up, takes it down in
 * order. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "memlock.h"
#include "opts.h"
#include "secret_input.h"
#include "up.h"

enum {
    READY_MS = 10000,
    ALIVE_WAIT_MS = 6000,
    TICK_MS = 1000,
    PORT_RETRY_NS = 20000000,
    LOG_MAX = 1 << 20,
    WHY_MAX = 64 * 1024,
};

/* ---- locks ---- */

/* fcntl lock: the kernel knows the holder's pid and drops it with the process. */
static bool take_up_lock(struct bz_up *u) {
    u->lock_fd = openat(u->in.fd, BZ_F_UP_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (u->lock_fd >= 0 && fcntl(u->lock_fd, F_SETLK, &l) == 0)
        return true;
    if (u->lock_fd >= 0 && (errno == EACCES || errno == EAGAIN))
        bz_say("%s is already up (pid %d); 'bartizan down' stops it", bz_safe(u->in.path),
               (int)bz_instance_running(&u->in));
    else
        bz_say("%s/%s: %s", bz_safe(u->in.path), BZ_F_UP_LOCK, strerror(errno));
    return false;
}

/* Every process of a run inherits this descriptor, so the lock is free only when the last of them
 * is gone: the shared files are never formatted under a worker that still lives. */
static bool take_alive_lock(struct bz_up *u) {
    u->alive_fd = openat(u->in.fd, BZ_F_ALIVE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (u->alive_fd < 0) {
        bz_say("%s/%s: %s", bz_safe(u->in.path), BZ_F_ALIVE_LOCK, strerror(errno));
        return false;
    }
    for (int waited = 0; flock(u->alive_fd, LOCK_EX | LOCK_NB) != 0; waited += 10) {
        if (waited >= ALIVE_WAIT_MS || errno != EWOULDBLOCK) {
            bz_say("processes of an earlier run of %s are still there; they hold %s",
                   bz_safe(u->in.path), BZ_F_ALIVE_LOCK);
            return false;
        }
        (void)poll(NULL, 0, 10);
    }
    return true;
}

/* ---- preparation ---- */

static bool find_programs(struct bz_up *u) {
    static const struct {
        const char *beside, *system;
    } parts[BZ_UP_COUNT] = {
        [BZ_UP_AUDITD] = {"bartizan-auditd", "/usr/sbin/bartizan-auditd"},
        [BZ_UP_BARTIZAND] = {"bartizand", "/usr/sbin/bartizand"},
        [BZ_UP_NGINX] = {"deps/root/usr/sbin/nginx", "/usr/sbin/nginx"},
    };
    for (int c = 0; c < BZ_UP_COUNT; c++) {
        bz_find_part(parts[c].beside, parts[c].system, u->exe[c]);
        if (u->exe[c][0] == '\0') {
            bz_say("%s is not installed (looked for %s beside this program and for %s)",
                   bz_up_name[c], parts[c].beside, parts[c].system);
            return false;
        }
    }
    bz_find_part("ngx_http_bartizan_module.so",
                 "/usr/lib/nginx/modules/ngx_http_bartizan_module.so", u->nginx_module);
    if (u->nginx_module[0] == '\0') {
        bz_say("ngx_http_bartizan_module.so is neither beside this program nor in "
               "/usr/lib/nginx/modules");
        return false;
    }
    return true;
}

static bool load_config(struct bz_up *u) {
    struct bz_buf text;
    struct bz_config_errors errs;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    enum bz_status st = bz_instance_config(&u->in, BZ_F_CONFIG, &text, &u->config, &errs);
    if (st != BZ_OK)
        bz_cli_config_errors(stderr, BZ_F_CONFIG, st, bz_buf_view(&text), &errs);
    bz_buf_free(&text);
    return st == BZ_OK;
}

static bool prepare(struct bz_up *u) {
    struct bz_buf why;
    bool kept = false;
    if (!load_config(u) || !bz_up_cert_ensure(&u->in, u->config) || !bz_up_port_check(u->config))
        return false;
    enum bz_status st = bz_instance_run_files(&u->in, &kept);
    if (st != BZ_OK) {
        bz_say("the files of the run cannot be made in %s/run: %s (%s)", bz_safe(u->in.path),
               bz_status_text(st), strerror(errno));
        return false;
    }
    (void)unlinkat(u->in.fd, BZ_F_STATUS, 0);
    (void)unlinkat(u->in.fd, BZ_F_CONFIG_GOOD,
                   0); /* of an earlier run: this one starts from the file */
    bz_buf_init(&why, WHY_MAX);
    bool ok = bz_up_nginx_conf(u, u->config, &why);
    if (!ok) {
        bz_say("nginx does not accept its configuration:");
        bz_print_safe(stderr, bz_buf_view(&why));
        (void)fputc('\n', stderr);
    }
    bz_buf_free(&why);
    bz_up_cert_remember(u);
    return ok && bz_up_cages_load(u);
}

static bool take_signals(struct bz_up *u) {
    sigset_t set;
    struct rlimit rl;
    const struct rlimit none = {0, 0};
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGCHLD);
    (void)signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = rl.rlim_max; /* workers hold two descriptors per open stream */
        (void)setrlimit(RLIMIT_NOFILE, &rl);
    }
    /* Nobody below dumps core: keys and prompts would be in it. */
    if (setrlimit(RLIMIT_CORE, &none) != 0 || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return false;
    u->sig_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    /* Workers of a killed nginx master come to us and not to init. */
    return u->sig_fd >= 0 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

/* ---- running ---- */

static bool start_all(struct bz_up *u) {
    bz_up_cages_turn(u); /* models take their time to load */
    for (int c = 0; c < BZ_UP_COUNT; c++) {
        if (bz_up_start(u, (enum bz_up_child)c) &&
            bz_up_wait_ready(u, (enum bz_up_child)c, READY_MS))
            continue;
        if (!u->stopping)
            bz_say("%s did not become ready; its messages are above or in %s", bz_up_name[c],
                   c == BZ_UP_NGINX ? "nginx/error.log" : "run/up.log");
        return false;
    }
    bz_up_status_write(u);
    return true;
}

static void start_due(struct bz_up *u) {
    for (int c = 0; c < BZ_UP_COUNT; c++) {
        struct bz_sup_child *k = &u->child[c];
        uint64_t now = bz_clock_mono();
        if (!bz_sup_due(k, now))
            continue;
        if (c == BZ_UP_NGINX && !bz_up_port_free(u->config))
            k->next_ns =
                now + PORT_RETRY_NS; /* workers of the old master are about to let the port go */
        else
            (void)!bz_up_start(u, (enum bz_up_child)c);
    }
}

static int wait_ms(const struct bz_up *u) {
    int t = bz_sup_timeout(u->child, BZ_UP_COUNT, bz_clock_mono());
    if (u->child[BZ_UP_NGINX].state == BZ_SUP_STARTING)
        return 20; /* asks the port again soon */
    int c = bz_up_cages_timeout(u, bz_clock_mono());
    t = c >= 0 && (t < 0 || c < t) ? c : t;
    return t < 0 || t > TICK_MS ? TICK_MS : t;
}

static void one_turn(struct bz_up *u) {
    struct pollfd p[1 + BZ_UP_COUNT];
    p[0] = (struct pollfd){.fd = u->sig_fd, .events = POLLIN};
    for (int c = 0; c < BZ_UP_COUNT; c++)
        p[1 + c] = (struct pollfd){.fd = u->ready_fd[c], .events = POLLIN};
    (void)poll(p, 1 + BZ_UP_COUNT, wait_ms(u));
    bz_up_read_signals(u);
    for (int c = 0; c < BZ_UP_COUNT; c++) {
        if (p[1 + c].revents != 0 && u->ready_fd[c] >= 0)
            bz_up_note_ready(u, (enum bz_up_child)c);
    }
    bz_up_reap(u);
    if (u->stopping)
        return;
    if (u->child[BZ_UP_NGINX].state == BZ_SUP_STARTING && bz_up_port_answers(u->config)) {
        bz_sup_ready(&u->child[BZ_UP_NGINX]);
        u->status_dirty = true;
    }
    start_due(u);
    bz_up_cages_turn(u);
    if (u->reload_wanted)
        bz_up_reload(u);
    bz_up_cert_tick(u, bz_clock_mono());
    if (u->status_dirty)
        bz_up_status_write(u);
}

/* ---- what people see ---- */

static void print_key(const char *file) {
    struct bz_buf b;
    struct bz_arena ar;
    struct bz_json *root = NULL;
    bz_buf_init(&b, 64 * 1024);
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    if (bz_file_read(AT_FDCWD, file, &b) == BZ_OK &&
        bz_json_parse(bz_buf_view(&b), NULL, &ar, &root, NULL) == BZ_OK) {
        struct bz_view key = bz_json_str(bz_json_get(root, BZ_V("key")));
        if (key.n > 0) {
            (void)printf("  export BARTIZAN_KEY=");
            bz_print_safe(stdout, key);
            (void)printf("\n");
        }
    }
    bz_arena_free(&ar);
    bz_buf_wipe_free(&b);
}

static void print_quoted(const char *path) {
    bool plain =
        strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@") ==
        strlen(path);
    if (!plain)
        (void)putchar('\'');
    bz_print_safe(stdout, bz_view_str(path));
    if (!plain)
        (void)putchar('\'');
}

static void print_banner(const struct bz_instance *in, const struct bz_config *c,
                         const char *key_file, bool detached) {
    struct bz_buf url;
    char ca[BZ_DIR_PATH_MAX];
    bz_buf_init(&url, 512);
    bz_instance_url(c, &url);
    bz_buf_putc(&url, 0);
    const char *u = bz_buf_status(&url) == BZ_OK ? (const char *)url.p : "?";
    bool tls = !c->plain_http && bz_instance_path(in, BZ_F_CA_CERT, ca);
    (void)printf("Bartizan is up.\n  url  %s\n", u);
    if (tls)
        (void)printf("  ca   %s\n", bz_safe(ca));
    if (key_file != NULL)
        print_key(key_file);
    (void)printf("  curl ");
    if (tls) {
        (void)printf("--cacert ");
        print_quoted(ca);
        (void)putchar(' ');
    }
    (void)printf("-H \"Authorization: Bearer $BARTIZAN_KEY\" %s/v1/models\n", u);
    (void)printf(detached ? "Stop it with: bartizan down %s\n"
                          : "Stop it with Ctrl-C or: bartizan down %s\n",
                 bz_safe(in->path));
    (void)fflush(stdout);
    bz_buf_free(&url);
}

/* ---- the command ---- */

static struct bz_up *up_new(void) {
    struct bz_up *u = calloc(1, sizeof *u);
    if (u == NULL)
        return NULL;
    u->in.fd = u->lock_fd = u->alive_fd = u->sig_fd = -1;
    for (int c = 0; c < BZ_UP_COUNT; c++)
        u->ready_fd[c] = -1;
    u->started_unix = bz_clock_unix();
    return u;
}

static void up_free(struct bz_up *u) {
    for (int c = 0; c < BZ_UP_COUNT; c++)
        bz_fd_done(&u->ready_fd[c]);
    bz_fd_done(&u->sig_fd);
    bz_up_cages_free(u);
    bz_config_free(u->config);
    bz_secret_free(&u->master);
    bz_fd_done(&u->alive_fd);
    bz_fd_done(&u->lock_fd);
    bz_instance_close(&u->in);
    free(u);
}

/* tell_fd: gets one byte when everything is ready (the parent of --detach waits for it); -1: the
 * banner is printed here. */
static int run(struct bz_up *u, const char *key_file, int tell_fd) {
    if (bz_instance_dirs(u->in.fd) != BZ_OK) {
        bz_say("%s: the directories of the instance cannot be made: %s", bz_safe(u->in.path),
               strerror(errno));
        return BZ_EXIT_FAILURE;
    }
    if (!take_up_lock(u) || !take_alive_lock(u) || !find_programs(u) || !take_signals(u) ||
        !prepare(u))
        return BZ_EXIT_FAILURE;
    int rc = BZ_EXIT_FAILURE;
    if (start_all(u)) {
        rc = BZ_EXIT_OK;
        if (tell_fd >= 0)
            (void)!write(tell_fd, "1", 1);
        else
            print_banner(&u->in, u->config, key_file, false);
        while (!u->stopping)
            one_turn(u);
    } else if (u->stopping) {
        rc = BZ_EXIT_OK; /* Ctrl-C while starting */
    }
    bz_up_status_write(u);
    bz_up_stop_all(u);
    (void)unlinkat(u->in.fd, BZ_F_STATUS, 0);
    return rc;
}

static int open_log(const struct bz_instance *in) {
    struct stat sb;
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    if (fstatat(in->fd, "run/up.log", &sb, 0) == 0 && sb.st_size > LOG_MAX)
        flags |= O_TRUNC;
    return openat(in->fd, "run/up.log", flags, 0600);
}

static void print_log_from(const struct bz_instance *in, off_t from) {
    struct bz_buf b;
    bz_buf_init(&b, 4 * LOG_MAX);
    if (bz_file_read(in->fd, "run/up.log", &b) == BZ_OK && (uint64_t)from <= b.n)
        (void)fwrite(b.p + from, 1, b.n - (size_t)from, stderr);
    bz_buf_free(&b);
}

static void detached_child(struct bz_up *u, int log, int tell_fd) {
    if (setsid() < 0)
        _exit(BZ_EXIT_FAILURE);
    pid_t pid = fork(); /* not a session leader any more: no terminal can become its own */
    if (pid != 0)
        _exit(pid < 0 ? BZ_EXIT_FAILURE : 0);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0)
        _exit(BZ_EXIT_FAILURE);
    int rc = run(u, NULL, tell_fd);
    up_free(u);
    _exit(rc);
}

static int detach(struct bz_up *u, const char *key_file) {
    int p[2], ws = 0;
    char b = 0;
    if (bz_instance_dirs(u->in.fd) != BZ_OK || pipe2(p, O_CLOEXEC) != 0)
        return BZ_EXIT_FAILURE;
    BZ_FD log = open_log(&u->in);
    off_t from = log < 0 ? 0 : lseek(log, 0, SEEK_END);
    (void)fflush(NULL);
    pid_t pid = log < 0 ? -1 : fork();
    if (pid < 0) {
        bz_say("cannot go into the background: %s", strerror(errno));
        return BZ_EXIT_FAILURE;
    }
    if (pid == 0) {
        (void)close(p[0]);
        detached_child(u, log, p[1]);
    }
    (void)close(p[1]);
    (void)waitpid(pid, &ws, 0);
    ssize_t n = read(p[0], &b, 1);
    (void)close(p[0]);
    if (n != 1) {
        print_log_from(&u->in, from);
        return BZ_EXIT_FAILURE;
    }
    if (!load_config(u))
        return BZ_EXIT_FAILURE;
    print_banner(&u->in, u->config, key_file, true);
    return BZ_EXIT_OK;
}

/* bartizand reads a plain master key by itself; anything else is opened here, once, for all its starts. */
static bool take_master(struct bz_up *u, const char *file) {
    enum bz_master_source s;
    const struct bz_secret_input from = {file, false};
    if (bz_master_source(u->in.fd, &s) == BZ_OK && s == BZ_MASTER_FILE)
        return true;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && bz_master_input(&u->in, &from, &u->master);
}

static void warn_of_swap(void) {
    struct bz_buf where;
    struct rlimit l;
    bz_buf_init(&where, 4096);
    bool locked = getrlimit(RLIMIT_MEMLOCK, &l) == 0 && l.rlim_cur == RLIM_INFINITY;
    if (!locked && bz_swap_open(&where))
        bz_say("warning: prompts in memory may be swapped out in the clear, to %.*s; encrypt it, "
               "or allow "
               "locked memory (LimitMEMLOCK=infinity), or forbid swap (MemorySwapMax=0)",
               (int)where.n, (const char *)where.p);
    bz_buf_free(&where);
}

int bz_cli_up(int argc, char **argv) {
    bool background = false, help = false;
    const char *key_file = NULL, *secret_file = NULL;
    const struct bz_opt list[] = {
        {"detach", BZ_OPT_FLAG, &background, NULL,
         "go into the background once everything is ready"},
        {"show-key-file", BZ_OPT_TEXT, &key_file, "FILE",
         "print the key that FILE (output of init --json) holds"},
        {"passphrase-file", BZ_OPT_TEXT, &secret_file, "FILE",
         "passphrase (or credential) of the master key, instead of asking"},
    };
    static const char *const names[] = {"DIR"};
    const struct bz_opts o = {"bartizan up DIR [--detach]",
                              "Starts the instance in DIR and keeps it running.",
                              list,
                              sizeof list / sizeof list[0],
                              names,
                              1,
                              1};
    const char *dir = NULL;
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, &dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    (void)umask(077);
    struct bz_up *u = up_new();
    if (u == NULL)
        return BZ_EXIT_FAILURE;
    int rc = BZ_EXIT_FAILURE;
    if (bz_cli_open(dir, &u->in) && bz_up_privileges(u->in.path) && take_master(u, secret_file)) {
        warn_of_swap();
        rc = background ? detach(u, key_file) : run(u, key_file, -1);
    }
    up_free(u);
    return rc;
}
