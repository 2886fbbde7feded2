/* Starting, watching and stopping the three children. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opts.h"
#include "up.h"

const char *const bz_up_name[BZ_UP_COUNT] = {"bartizan-auditd", "bartizand", "nginx"};

enum {
    GRACE_NGINX_MS = 5000, /* open streams may end by themselves for so long */
    GRACE_TERM_MS = 3000,
    GRACE_KILL_MS = 2000,
    POLL_MS = 10,
    RUN_OUTPUT_MAX = 64 * 1024,
};

static void sleep_ms(unsigned ms) {
    (void)poll(NULL, 0, (int)ms);
}

/* ---- the child's side: only async-signal-safe calls between fork and exec ---- */

static void child_exec(const char *const *argv, int keep_fd, int in_fd, int out_fd, pid_t parent) {
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)setpgid(0, 0); /* Ctrl-C reaches the supervisor only: it stops the children in order */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(127);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0)
        (void)dup2(in_fd >= 0 ? in_fd : null, STDIN_FILENO);
    if (out_fd >= 0 && (dup2(out_fd, STDOUT_FILENO) < 0 || dup2(out_fd, STDERR_FILENO) < 0))
        _exit(127);
    if (keep_fd >= 0)
        (void)fcntl(keep_fd, F_SETFD, 0);
    /* execv takes char *const *; it does not write to the strings */
    union {
        const char *const *in;
        char *const *out;
    } u = {.in = argv};
    (void)execv(argv[0], u.out);
    _exit(127);
}

static pid_t spawn(const char *const *argv, int keep_fd, int in_fd, int out_fd) {
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid == 0)
        child_exec(argv, keep_fd, in_fd, out_fd, self);
    return pid;
}

pid_t bz_up_spawn(const char *const *argv) {
    return spawn(argv, -1, -1, -1);
}

int bz_up_run(const char *const *argv, struct bz_buf *out) {
    int p[2];
    if (pipe2(p, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = spawn(argv, -1, -1, p[1]);
    (void)close(p[1]);
    BZ_FD in = p[0];
    if (pid < 0)
        return -1;
    uint8_t block[1024];
    ssize_t n;
    while ((n = read(in, block, sizeof block)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0 && out->n < RUN_OUTPUT_MAX)
            bz_buf_put(out, bz_view(block, (size_t)n));
    }
    int ws = 0;
    while (waitpid(pid, &ws, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return WIFEXITED(ws) ? WEXITSTATUS(ws) : 128 + WTERMSIG(ws);
}

/* ---- start ---- */

/* The master key on its way to a bartizand; -1: it reads the file, or nothing can be handed over. */
static int master_pipe(const struct bz_up *u, enum bz_up_child c) {
    int p[2];
    if (c != BZ_UP_BARTIZAND || u->master.n == 0 || pipe2(p, O_CLOEXEC) != 0)
        return -1;
    ssize_t n = write(p[1], u->master.p, u->master.n); /* a pipe holds more */
    (void)close(p[1]);
    if (n == (ssize_t)u->master.n)
        return p[0];
    (void)close(p[0]);
    return -1;
}

static pid_t spawn_part(struct bz_up *u, enum bz_up_child c) {
    int p[2];
    char fd_text[16];
    if (pipe2(p, O_CLOEXEC) != 0)
        return -1;
    (void)snprintf(fd_text, sizeof fd_text, "%d", p[1]);
    BZ_FD master = master_pipe(u, c);
    const char *const argv[] = {
        u->exe[c], u->in.path, "--ready-fd", fd_text, master >= 0 ? "--master-stdin" : NULL, NULL};
    pid_t pid = spawn(argv, p[1], master, -1);
    (void)close(p[1]);
    if (pid < 0)
        (void)close(p[0]);
    else
        u->ready_fd[c] = p[0];
    return pid;
}

static pid_t spawn_nginx(struct bz_up *u) {
    char prefix[BZ_DIR_PATH_MAX], conf[BZ_DIR_PATH_MAX], log[BZ_DIR_PATH_MAX];
    if (!bz_instance_path(&u->in, "nginx/", prefix) ||
        !bz_instance_path(&u->in, "nginx/nginx.conf", conf) ||
        !bz_instance_path(&u->in, "nginx/error.log", log))
        return -1;
    const char *const argv[] = {u->exe[BZ_UP_NGINX], "-p", prefix, "-c", conf, "-e", log, NULL};
    return spawn(argv, -1, -1, -1);
}

bool bz_up_start(struct bz_up *u, enum bz_up_child c) {
    bz_fd_done(&u->ready_fd[c]);
    pid_t pid = c == BZ_UP_NGINX ? spawn_nginx(u) : spawn_part(u, c);
    uint64_t now = bz_clock_mono();
    u->status_dirty = true;
    if (pid < 0) {
        bz_say("%s could not be started: %s", bz_up_name[c], strerror(errno));
        bz_sup_died(&u->child[c], now);
        return false;
    }
    bz_sup_started(&u->child[c], pid, now);
    return true;
}

void bz_up_note_ready(struct bz_up *u, enum bz_up_child c) {
    char b = 0;
    ssize_t n = read(u->ready_fd[c], &b, 1);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n == 1 && b == '1') {
        bz_sup_ready(&u->child[c]);
        u->status_dirty = true;
    }
    bz_fd_done(&u->ready_fd[c]);
}

bool bz_up_wait_ready(struct bz_up *u, enum bz_up_child c, unsigned timeout_ms) {
    uint64_t end = bz_clock_mono() + timeout_ms * 1000000ull;
    while (bz_clock_mono() < end && !u->stopping) {
        struct pollfd p = {.fd = u->ready_fd[c], .events = POLLIN};
        if (poll(&p, 1, c == BZ_UP_NGINX ? 2 : POLL_MS) > 0)
            bz_up_note_ready(u, c);
        if (c == BZ_UP_NGINX && bz_up_port_answers(u->config))
            bz_sup_ready(&u->child[c]);
        bz_up_read_signals(u);
        bz_up_reap(u);
        if (u->child[c].state != BZ_SUP_STARTING)
            return u->child[c].state == BZ_SUP_READY;
    }
    return false;
}

/* ---- signals and deaths ---- */

void bz_up_read_signals(struct bz_up *u) {
    struct signalfd_siginfo s;
    while (read(u->sig_fd, &s, sizeof s) == (ssize_t)sizeof s) {
        if (s.ssi_signo == SIGHUP)
            u->reload_wanted = true;
        if (s.ssi_signo == SIGTERM || s.ssi_signo == SIGINT) {
            u->hurry = u->stopping;
            u->stopping = true;
        }
    }
}

/* Parent and state of a process; false: it is gone. */
static bool look_at(uint32_t pid, uint64_t *ret_parent, char *ret_state) {
    char path[64], text[512];
    (void)snprintf(path, sizeof path, "/proc/%u/stat", pid);
    BZ_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (len <= 0)
        return false;
    text[len] = '\0';
    const char *after =
        strrchr(text, ')'); /* the name may hold anything, blanks and brackets too */
    if (after == NULL || strlen(after) < 5)
        return false;
    *ret_state = after[2];
    after += 4;
    return bz_view_u64(bz_view(after, strspn(after, "0123456789")), ret_parent) == BZ_OK;
}

static bool is_stranger(const struct bz_up *u, uint32_t pid) {
    uint64_t parent = 0;
    char state = 0;
    for (int c = 0; c < BZ_UP_COUNT; c++) {
        if (u->child[c].pid == (int32_t)pid)
            return false;
    }
    if (bz_up_cages_are(u, (pid_t)pid))
        return false;
    return look_at(pid, &parent, &state) && parent == (uint64_t)getpid() && state != 'Z';
}

/* Signals every child process that is none of the three: those adopted from a dead nginx master.
 * Returns how many. */
static size_t signal_strangers(const struct bz_up *u, int sig) {
    size_t n = 0;
    DIR *d = opendir("/proc");
    const struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL) {
        uint64_t pid = 0;
        if (bz_view_u64(bz_view_str(e->d_name), &pid) != BZ_OK || pid > INT32_MAX ||
            !is_stranger(u, (uint32_t)pid))
            continue;
        (void)kill((pid_t)pid, sig);
        n++;
    }
    if (d != NULL)
        (void)closedir(d);
    return n;
}

static void say_death(enum bz_up_child c, pid_t pid, int ws) {
    if (WIFSIGNALED(ws))
        bz_say("%s (pid %d) was ended by signal %d (%s)", bz_up_name[c], (int)pid, WTERMSIG(ws),
               strsignal(WTERMSIG(ws)));
    else
        bz_say("%s (pid %d) ended with exit code %d", bz_up_name[c], (int)pid, WEXITSTATUS(ws));
}

static void child_gone(struct bz_up *u, enum bz_up_child c, int ws) {
    pid_t pid = u->child[c].pid;
    bz_fd_done(&u->ready_fd[c]);
    u->status_dirty = true;
    if (u->stopping) {
        bz_sup_stopped(&u->child[c]);
        return;
    }
    say_death(c, pid, ws);
    bz_sup_died(&u->child[c], bz_clock_mono());
    /* Workers of a dead master keep the listening socket; SIGQUIT lets it go at once and lets open
     * streams end. */
    if (c == BZ_UP_NGINX)
        (void)signal_strangers(u, SIGQUIT);
}

void bz_up_reap(struct bz_up *u) {
    int ws = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &ws, WNOHANG)) > 0) {
        for (int c = 0; c < BZ_UP_COUNT; c++) {
            if (u->child[c].pid == pid)
                child_gone(u, (enum bz_up_child)c, ws);
        }
        if (bz_up_cages_are(u, pid))
            bz_up_cages_gone(u, pid, WIFEXITED(ws) ? WEXITSTATUS(ws) : 128 + WTERMSIG(ws));
    }
}

/* ---- stop ---- */

static bool gone_within(struct bz_up *u, enum bz_up_child c, unsigned ms) {
    uint64_t end = bz_clock_mono() + ms * 1000000ull;
    bool hurried = u->hurry;
    for (;;) {
        bz_up_reap(u);
        if (u->child[c].pid == 0)
            return true;
        bz_up_read_signals(u);
        if (bz_clock_mono() >= end || (u->hurry && !hurried))
            return false;
        sleep_ms(POLL_MS);
    }
}

static void stop_one(struct bz_up *u, enum bz_up_child c) {
    static const struct {
        int sig;
        unsigned ms;
    } steps[] = {{SIGQUIT, GRACE_NGINX_MS}, {SIGTERM, GRACE_TERM_MS}, {SIGKILL, GRACE_KILL_MS}};
    size_t from =
        c == BZ_UP_NGINX && !u->hurry ? 0 : 1; /* SIGQUIT is a graceful end for nginx only */
    for (size_t i = from; i < sizeof steps / sizeof steps[0] && u->child[c].pid != 0; i++) {
        (void)kill(u->child[c].pid, steps[i].sig);
        if (gone_within(u, c, steps[i].ms))
            break;
    }
    bz_sup_stopped(&u->child[c]);
}

void bz_up_stop_all(struct bz_up *u) {
    u->stopping = true;
    stop_one(u, BZ_UP_NGINX);
    for (unsigned waited = 0;
         signal_strangers(u, waited == 0 ? SIGTERM : 0) > 0 && waited < GRACE_TERM_MS;
         waited += POLL_MS) {
        sleep_ms(POLL_MS);
        bz_up_reap(u);
    }
    (void)signal_strangers(u, SIGKILL);
    bz_up_cages_stop(u);
    stop_one(u, BZ_UP_BARTIZAND);
    stop_one(u, BZ_UP_AUDITD);
    bz_up_reap(u);
}
