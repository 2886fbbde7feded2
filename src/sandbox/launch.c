/* The outer half of a cage: bubblewrap as a child, bartizan-cage told through descriptors, its report read, its end
 * awaited. When this process dies, the kernel ends bubblewrap and with it everything inside. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bartizan/sandbox.h>
#include "cgroup.h"
#include "wire.h"

enum { /* descriptors as the cage knows them */
       FD_ARGS = 10,
       FD_TOLD,
       FD_STATUS,
       FD_CONTROL,
       FD_LISTEN,
       FD_EGRESS,
       FD_HIGH = 128, /* ours are above, so that putting them in their places overwrites none */
       LINES_MAX = 64 * 1024,
       SECRET_MAX = 64 * 1024,
       KILL_MS = 10000,
};
struct run {
    const struct bz_cage_run *in;
    struct bz_buf *why;
    struct bz_cgroup cgroup;
    int args, told, status[2], control[2], signals;
    int secret[BZ_CAGE_LIST_MAX];
    sigset_t before;
    pid_t pid;
    struct bz_cage_report report;
    char line[1024];
    size_t line_n;
    bool ended, announced;
};

static void fd_done(int *fd) {
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static int high(int fd) {
    int h = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FD_HIGH);
    fd_done(&fd);
    return h;
}

/* Bytes in a descriptor that nobody can change any more. */
static int sealed(struct bz_view v) {
    int fd = high(memfd_create("bartizan", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (fd >= 0 &&
        (write(fd, v.p, v.n) != (ssize_t)v.n || lseek(fd, 0, SEEK_SET) != 0 ||
         fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0))
        fd_done(&fd);
    return fd;
}

/* ---- the message ---- */

static void add_limit(struct wire *w, int resource, uint64_t v) {
    w->limit[w->limits_n++] = (struct wire_limit){v, v, (uint32_t)resource};
}

static void put_limits(struct wire *w, const struct run *r) {
    const struct bz_cage_plan *p = r->in->plan;
    add_limit(w, RLIMIT_NOFILE, p->files);
    add_limit(w, RLIMIT_NPROC, p->pids); /* counted in its own user namespace */
    /* 0 does not stop a core_pattern that is a pipe, 1 does (fs/coredump.c), and no core fits into a byte */
    add_limit(w, RLIMIT_CORE, 1);
    add_limit(w, RLIMIT_MSGQUEUE, 0);
    add_limit(w, RLIMIT_RTPRIO, 0);
    add_limit(w, RLIMIT_MEMLOCK, p->memory);
    if (!r->cgroup.memory)
        add_limit(w, RLIMIT_DATA, p->memory);
}

static void put_outside(struct wire *w) {
    for (unsigned i = 0; i < WIRE_NAMESPACES; i++) {
        char path[64];
        struct stat sb;
        (void)snprintf(path, sizeof path, "/proc/self/ns/%s", wire_namespaces[i]);
        w->outside[i] = stat(path, &sb) == 0 ? sb.st_ino : 0;
    }
}

static enum bz_status fill(struct wire *w, const struct run *r) {
    const struct bz_cage_plan *p = r->in->plan;
    w->flags = (p->exec ? WIRE_EXEC : 0u) | (p->wx ? WIRE_WX : 0u) |
               (p->weakened ? WIRE_WEAKENED : 0u) | (p->probe ? WIRE_PROBE : 0u);
    put_limits(w, r);
    for (size_t i = 0; i < p->mounts_n; i++)
        w->rule[w->rules_n++] =
            (struct wire_rule){p->mount[i].to, p->mount[i].may, p->mount[i].kind};
    for (size_t i = 0; i < p->argc; i++)
        w->argv[w->argc++] = p->argv[i];
    for (size_t i = 0; i < p->env.n; i++)
        w->env[w->env_n++] = p->env.v[i];
    for (size_t i = 0; i < p->secrets.n; i++)
        w->keep[w->keep_n++] = BZ_CAGE_SECRET_FD + (uint32_t)i;
    put_outside(w);
    w->bind_port = p->bind_port;
    w->connect_port = p->connect_port[0];
    w->forward_port = p->forward_port;
    w->status_fd = FD_STATUS;
    w->control_fd = FD_CONTROL;
    w->listen_fd = r->in->listen_fd >= 0 ? FD_LISTEN : -1;
    w->egress_fd = r->in->egress_fd >= 0 ? FD_EGRESS : -1;
    if (r->in->probes_n > WIRE_PROBES_MAX || r->in->targets_n > WIRE_TARGETS_MAX)
        return BZ_ETOOBIG;
    for (size_t i = 0; i < r->in->probes_n; i++)
        w->probe[w->probes_n++] = r->in->probes[i];
    for (size_t i = 0; i < r->in->targets_n; i++)
        w->target[w->targets_n++] = r->in->targets[i];
    return BZ_OK;
}

static enum bz_status make_told(struct run *r) {
    struct wire *w = calloc(1, sizeof *w);
    struct bz_buf out, filter, init;
    bz_buf_init(&out, WIRE_MAX);
    bz_buf_init(&filter, WIRE_MAX / 2);
    bz_buf_init(&init, WIRE_MAX / 4);
    enum bz_status st = w == NULL ? BZ_ENOMEM : fill(w, r);
    if (st == BZ_OK)
        st = bz_cage_filter(r->in->plan, &filter);
    if (st == BZ_OK)
        st = bz_cage_filter_init(&init);
    if (st == BZ_OK) {
        w->filter = bz_buf_view(&filter);
        w->filter_init = bz_buf_view(&init);
        wire_write(w, &out);
        st = bz_buf_status(&out);
    }
    if (st == BZ_OK && (r->told = sealed(bz_buf_view(&out))) < 0)
        st = BZ_EUNAVAIL;
    bz_buf_free(&out);
    bz_buf_free(&filter);
    bz_buf_free(&init);
    free(w);
    return st;
}

/* ---- secrets ---- */

static enum bz_status open_secret(struct run *r, size_t i) {
    const char *s = r->in->plan->secrets.v[i];
    const char *file = strchr(s, '=');
    uint8_t block[1024];
    struct bz_buf b;
    ssize_t n = -1;
    bz_buf_init(&b, SECRET_MAX);
    int fd = file == NULL ? -1 : open(file + 1, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (n = read(fd, block, sizeof block)) > 0)
        bz_buf_put(&b, bz_view(block, (size_t)n));
    fd_done(&fd);
    if (n == 0 && bz_buf_status(&b) == BZ_OK)
        r->secret[i] = sealed(bz_buf_view(&b));
    explicit_bzero(block, sizeof block);
    bz_buf_wipe_free(&b);
    if (r->secret[i] >= 0)
        return BZ_OK;
    bz_buf_puts(r->why, "the secret ");
    bz_put_safe(r->why, bz_view_str(s));
    bz_buf_printf(r->why, " cannot be read: %s", strerror(errno));
    return BZ_EINVAL;
}

/* ---- the child's side, up to bubblewrap ---- */

static void place(int fd, int number) {
    if (fd >= 0 && dup2(fd, number) != number)
        _exit(126);
}

static void child(struct run *r) {
    static char name[] = "bwrap", args[] = "--args", args_fd[] = "10", dashes[] = "--",
                program[] = BZ_CAGE_PROGRAM, told_fd[] = "11";
    char *argv[] = {name, args, args_fd, dashes, program, told_fd, NULL};
    char *env[] = {NULL};
    const struct bz_cage_run *in = r->in;
    (void)sigprocmask(SIG_SETMASK, &r->before, NULL);
    (void)setpgid(0, 0); /* Ctrl-C comes to us, who end the server gently */
    if (!bz_cgroup_enter(&r->cgroup))
        _exit(126);
    place(r->args, FD_ARGS);
    place(r->told, FD_TOLD);
    place(r->status[1], FD_STATUS);
    place(r->control[0], FD_CONTROL);
    place(in->listen_fd, FD_LISTEN);
    place(in->egress_fd, FD_EGRESS);
    for (size_t i = 0; i < in->plan->secrets.n; i++)
        place(r->secret[i], BZ_CAGE_SECRET_FD + (int)i);
    if (in->out_fd >= 0 && (dup2(in->out_fd, 1) != 1 || dup2(in->out_fd, 2) != 2))
        _exit(126);
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(in->gid, in->gid, in->gid) != 0 ||
                           setresuid(in->uid, in->uid, in->uid) != 0 || setuid(0) == 0))
        _exit(126);
    (void)execve(in->bwrap, argv, env);
    _exit(127);
}

/* ---- what the cage says ---- */

static void take_line(struct run *r, struct bz_view v) {
    struct bz_view ok = BZ_V("ok "), missing = BZ_V("missing "), probe = BZ_V("probe ");
    if (bz_view_starts(v, probe)) {
        struct bz_view rest = bz_view_sub(v, probe.n, v.n);
        size_t n = 0;
        uint64_t code = 0;
        while (n < rest.n && rest.p[n] != ' ')
            n++;
        if (bz_view_u64(bz_view_sub(rest, n + 1, rest.n), &code) == BZ_OK && code < 1024 &&
            r->in->probed != NULL)
            r->in->probed(r->in->ctx, bz_view_sub(rest, 0, n), (int)code);
        r->report.complete = true;
        return;
    }
    if (bz_view_eq(v, BZ_V("started"))) {
        r->report.complete = true;
    } else {
        r->report.missing += bz_view_starts(v, missing);
        if (!bz_view_starts(v, ok) && !bz_view_starts(v, missing)) {
            bz_put_safe(r->why, v);
            bz_buf_puts(r->why, "; ");
        }
        bz_buf_put(&r->report.lines, v);
        bz_buf_putc(&r->report.lines, '\n');
    }
}

/* false: nothing more will come */
static bool read_status(struct run *r) {
    uint8_t block[512];
    ssize_t n = read(r->status[0], block, sizeof block);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    for (ssize_t i = 0; i < n; i++) {
        if (block[i] != '\n') {
            if (r->line_n < sizeof r->line)
                r->line[r->line_n++] = (char)block[i];
            continue;
        }
        take_line(r, bz_view(r->line, r->line_n));
        r->line_n = 0;
    }
    if (r->report.complete && !r->announced && r->in->started != NULL) {
        r->announced = true;
        r->in->started(r->in->ctx, &r->report, r->pid);
    }
    return n > 0;
}

static void read_signals(struct run *r) {
    struct signalfd_siginfo s;
    while (read(r->signals, &s, sizeof s) == (ssize_t)sizeof s) {
        if (s.ssi_signo == SIGCHLD)
            continue;
        if (r->ended) /* a second time: at once */
            (void)kill(r->pid, SIGKILL);
        r->ended = true;
        (void)!write(r->control[1], "T", 1);
    }
}

static int wait_for(struct run *r) {
    int ws = 0;
    bool talking = true;
    for (;;) {
        struct pollfd p[2] = {{.fd = r->signals, .events = POLLIN},
                              {.fd = talking ? r->status[0] : -1, .events = POLLIN}};
        int n = poll(p, 2, 1000);
        if (n > 0 && p[0].revents != 0)
            read_signals(r);
        if (n > 0 && p[1].revents != 0)
            talking = read_status(r);
        if (waitpid(r->pid, &ws, WNOHANG) == r->pid)
            break;
    }
    while (talking) /* what was said before the end */
        talking = read_status(r);
    return WIFEXITED(ws) ? WEXITSTATUS(ws) : 128 + WTERMSIG(ws);
}

/* ---- from begin to end ---- */

static bool open_all(struct run *r) {
    struct bz_buf args;
    sigset_t set;
    int p[2];
    bz_buf_init(&args, WIRE_MAX);
    bz_cage_bwrap_args(r->in->plan, &args);
    r->args = bz_buf_status(&args) == BZ_OK ? sealed(bz_buf_view(&args)) : -1;
    bz_buf_free(&args);
    if (r->args < 0 || pipe2(p, O_CLOEXEC) != 0)
        return false;
    r->status[0] = high(p[0]);
    r->status[1] = high(p[1]);
    if (pipe2(p, O_CLOEXEC) != 0)
        return false;
    r->control[0] = high(p[0]);
    r->control[1] = high(p[1]);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, &r->before) != 0)
        return false;
    r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return r->status[0] >= 0 && r->status[1] >= 0 && r->control[0] >= 0 && r->control[1] >= 0 &&
           r->signals >= 0;
}

static void note_limits(struct run *r) {
    const struct bz_cgroup *g = &r->cgroup;
    const char *kind = g->v2 ? "cgroup version 2" : "cgroup version 1";
    bz_buf_printf(&r->report.lines, "ok memory %llu bytes by %s\n",
                  (unsigned long long)r->in->plan->memory, g->memory ? kind : "rlimit");
    bz_buf_printf(&r->report.lines, "ok pids %u by %s\n", r->in->plan->pids,
                  g->pids ? kind : "rlimit");
    if (r->in->plan->cpu_percent != 0 && !g->cpu) {
        bz_buf_puts(&r->report.lines, "missing cpu this user may not write control groups\n");
        r->report.missing++;
    }
}

static enum bz_status prepare(struct run *r) {
    const struct bz_cage_plan *p = r->in->plan;
    const struct bz_cgroup_limits l = {p->memory, p->pids + 2, p->cpu_percent};
    for (size_t i = 0; i < p->secrets.n; i++)
        BZ_TRY(open_secret(r, i));
    bz_cgroup_make(&r->cgroup, r->in->name, &l);
    note_limits(r);
    if (r->report.missing > 0 && !p->weakened) {
        bz_buf_puts(r->why, "the CPU limit cannot be set: this user may not write control groups");
        return BZ_EUNAVAIL;
    }
    enum bz_status st = make_told(r);
    if (st == BZ_OK && !open_all(r))
        st = BZ_EUNAVAIL;
    if (st != BZ_OK)
        bz_buf_printf(r->why, "the cage cannot be prepared: %s (%s)", bz_status_text(st),
                      strerror(errno));
    return st;
}

static enum bz_status go(struct run *r, int *ret_code) {
    BZ_TRY(prepare(r));
    (void)fflush(NULL);
    r->pid = fork();
    if (r->pid == 0)
        child(r);
    if (r->pid < 0) {
        bz_buf_printf(r->why, "fork: %s", strerror(errno));
        return BZ_EUNAVAIL;
    }
    fd_done(&r->status[1]);
    fd_done(&r->control[0]);
    int code = wait_for(r);
    if (!r->report.complete && !r->ended) {
        bz_buf_printf(r->why,
                      "nothing was started (exit code %d of bubblewrap; what it says stands above)",
                      code);
        return BZ_EUNAVAIL;
    }
    *ret_code = code;
    return BZ_OK;
}

static void run_free(struct run *r) {
    bz_cgroup_done(&r->cgroup);
    fd_done(&r->args);
    fd_done(&r->told);
    fd_done(&r->signals);
    for (size_t i = 0; i < BZ_CAGE_LIST_MAX; i++)
        fd_done(&r->secret[i]);
    for (int i = 0; i < 2; i++) {
        fd_done(&r->status[i]);
        fd_done(&r->control[i]);
    }
    (void)sigprocmask(SIG_SETMASK, &r->before, NULL);
    free(r);
}

enum bz_status bz_cage_run(const struct bz_cage_run *in, int *ret_code,
                           struct bz_cage_report *ret_report, struct bz_buf *why) {
    struct run *r = calloc(1, sizeof *r);
    if (r == NULL)
        return BZ_ENOMEM;
    r->in = in;
    r->why = why;
    r->args = r->told = r->signals = r->pid = -1;
    r->status[0] = r->status[1] = r->control[0] = r->control[1] = -1;
    for (size_t i = 0; i < BZ_CAGE_LIST_MAX; i++)
        r->secret[i] = -1;
    (void)sigprocmask(SIG_BLOCK, NULL, &r->before);
    bz_buf_init(&r->report.lines, LINES_MAX);
    enum bz_status st = go(r, ret_code);
    *ret_report = r->report;
    run_free(r);
    return st;
}

void bz_cage_report_free(struct bz_cage_report *r) {
    bz_buf_free(&r->lines);
}
