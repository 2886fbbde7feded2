/* bartizan-cage: pid 1 of a cage. bubblewrap has made the namespaces and the root; this gives up what is left, reads back
 * that it is gone, and starts the server, once. Then it relays connections, and ends everything when either side ends.
 *
 *   bartizan-cage FD                       told by the launcher what to do (wire.h)
 *   bartizan-cage attempt NAME TARGET...   one attempt of the battery (sandbox probe) */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cage.h"

enum { EXIT_BROKEN = 125, EXIT_NO_EXEC = 127, PROBE_MS = 4000 };

static struct wire told; /* too large for a stack */

bool cage_say(const struct wire *w, bool good, const char *name, const char *detail, ...) {
    char line[512];
    int n = snprintf(line, sizeof line, "%s %s ", good ? "ok" : "missing", name);
    va_list ap;
    va_start(ap, detail);
    n += vsnprintf(line + n, sizeof line - (size_t)n - 1, detail, ap);
    va_end(ap);
    if (n > (int)sizeof line - 2)
        n = (int)sizeof line - 2;
    line[n++] = '\n';
    (void)!write(w->status_fd, line, (size_t)n);
    return good;
}

static _Noreturn void fail(const struct wire *w, const char *what) {
    char line[128];
    int n = snprintf(line, sizeof line, "failed %s: %s\n", what, strerror(errno));
    (void)!write(w->status_fd, line, n > 0 ? (size_t)n : 0);
    _exit(EXIT_BROKEN);
}

/* ---- being told ---- */

static bool read_told(const char *fd_text) {
    uint64_t fd = 0;
    struct stat sb;
    if (bz_view_u64(bz_view_str(fd_text), &fd) != BZ_OK || fd > 1023 || fstat((int)fd, &sb) != 0 ||
        sb.st_size <= 0 || sb.st_size > (off_t)WIRE_MAX)
        return false;
    void *p = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_PRIVATE, (int)fd, 0);
    return p != MAP_FAILED && wire_read(bz_view(p, (size_t)sb.st_size), &told) == BZ_OK;
}

/* ---- the process that becomes the server ---- */

static bool send_fd(int sock, int fd) {
    char c = 'n';
    struct iovec io = {&c, 1};
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } u = {.space = {0}};
    struct msghdr m = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = u.space, .msg_controllen = sizeof u.space};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &fd, sizeof fd);
    return sendmsg(sock, &m, MSG_NOSIGNAL) == 1;
}

static int take_fd(int sock) {
    char c = 0;
    int fd = -1;
    struct iovec io = {&c, 1};
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } u = {.space = {0}};
    struct msghdr m = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = u.space, .msg_controllen = sizeof u.space};
    if (recvmsg(sock, &m, MSG_CMSG_CLOEXEC) != 1)
        return -1;
    const struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    if (h != NULL && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS &&
        h->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(h), sizeof fd);
    return fd;
}

static void reset_signals(void) {
    sigset_t none;
    for (int s = 1; s < 32; s++)
        (void)signal(s, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Confined, and read back. Says nothing when `quiet`: later attempts of a battery are made of the same plan. */
static void confine(const struct wire *w, int sock, bool quiet) {
    struct cage_eyes e = {.status = -1};
    if (!cage_eyes_open(&e))
        fail(w, "proc");
    e.landlock = cage_landlock(w);
    if (e.landlock < 0)
        fail(w, "landlock");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fail(w, "no_new_privs");
    if ((w->flags & WIRE_WX) == 0)
        e.mdwe = prctl(65 /* PR_SET_MDWE */, 1, 0, 0, 0) == 0;
    int notify = cage_seccomp(w->filter, (w->flags & WIRE_EXEC) == 0);
    if (notify < 0)
        fail(w, "seccomp");
    if (!send_fd(sock, notify))
        fail(w, "notify");
    if (notify > 0)
        (void)close(notify);
    if (quiet)
        return;
    unsigned bad = cage_check(w, &e);
    if (bad > 0 && (w->flags & WIRE_WEAKENED) == 0) {
        errno = EPERM;
        fail(w, "the cage is not complete");
    }
}

static _Noreturn void become(const struct wire *w, char **argv, int sock, int exec_fd, bool quiet) {
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    reset_signals();
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        fail(w, "/dev/null");
    (void)umask(077);
    if (!cage_set_limits(w)) /* last: pid 1 shares none of them */
        fail(w, "limits");
    confine(w, sock, quiet);
    /* execve takes char *const *; it does not write to the strings */
    union {
        const char *const *in;
        char *const *out;
    } env = {.in = w->env};
    (void)!write(exec_fd, "r", 1);
    (void)execve(argv[0], argv, env.out);
    int err = errno;
    (void)!write(exec_fd, &err, sizeof err);
    _exit(EXIT_NO_EXEC);
}

static bool start(const struct wire *w, char **argv, bool quiet, struct cage_child *ret) {
    int sock[2], exec_pipe[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) != 0 ||
        pipe2(exec_pipe, O_CLOEXEC) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(sock[0]);
        (void)close(exec_pipe[0]);
        become(w, argv, sock[1], exec_pipe[1], quiet);
    }
    (void)close(sock[1]);
    (void)close(exec_pipe[1]);
    *ret = (struct cage_child){.pid = pid, .exec_fd = exec_pipe[0], .notify_fd = -1};
    if (pid > 0) {
        int fd = take_fd(sock[0]); /* end of file when it failed: the loop sees it die */
        if (fd > 2 && (w->flags & WIRE_EXEC) == 0)
            ret->notify_fd = fd;
        else if (fd >= 0)
            (void)close(fd);
    }
    (void)close(sock[0]);
    return pid > 0;
}

/* ---- the battery: one process per attempt ---- */

static int code_of(int status) {
    if (status < 0)
        return ETIMEDOUT;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int battery(const struct wire *w) {
    static char program[] = BZ_CAGE_PROGRAM, word[] = "attempt";
    char *argv[4 + WIRE_TARGETS_MAX] = {program, word};
    char line[128];
    if (!cage_loop_begin(w, false))
        fail(w, "loop");
    for (uint32_t t = 0; t < w->targets_n; t++)
        argv[3 + t] = (char *)(uintptr_t)w->target[t];
    for (uint32_t i = 0; i < w->probes_n; i++) {
        struct cage_child c;
        argv[2] = (char *)(uintptr_t)w->probe[i];
        if (!start(w, argv, i > 0, &c))
            return EXIT_BROKEN;
        int status = cage_loop(w, &c, PROBE_MS);
        (void)kill(-1, SIGKILL); /* what it left behind */
        while (waitpid(-1, NULL, 0) > 0)
            ;
        if (!c.started)
            return EXIT_BROKEN;
        int n = snprintf(line, sizeof line, "probe %s %d\n", w->probe[i], code_of(status));
        if (write(w->status_fd, line, (size_t)n) != n)
            return EXIT_BROKEN;
    }
    return 0;
}

static int serve(const struct wire *w) {
    struct cage_child c;
    union {
        const char *const *in;
        char **out;
    } argv = {.in = w->argv};
    if (!start(w, argv.out, false, &c))
        fail(w, "fork");
    if (!cage_proxy_listen(w) || !cage_loop_begin(w, true))
        fail(w, "proxy");
    if (cage_landlock_init(w) < 0 || cage_seccomp(w->filter_init, false) < 0)
        fail(w, "init");
    return code_of(cage_loop(w, &c, -1));
}

int main(int argc, char **argv) {
    if (argc >= 3 && strcmp(argv[1], "attempt") == 0)
        return cage_attempt(argv[2], argv + 3);
    if (argc != 2 || !read_told(argv[1])) {
        (void)fputs("bartizan-cage is started by 'bartizan sandbox run', inside of a cage\n",
                    stderr);
        return 2;
    }
    const struct wire *w = &told;
    sigset_t all;
    (void)sigemptyset(&all);
    (void)sigaddset(&all, SIGCHLD);
    (void)sigaddset(&all, SIGTERM);
    (void)sigaddset(&all, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    if (!cage_close_others(w))
        fail(w, "descriptors");
    (void)fcntl(w->status_fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(w->control_fd, F_SETFD, FD_CLOEXEC);
    if (w->listen_fd >= 0)
        (void)fcntl(w->listen_fd, F_SETFD, FD_CLOEXEC);
    if (w->egress_fd >= 0)
        (void)fcntl(w->egress_fd, F_SETFD, FD_CLOEXEC);
    if (!cage_noexec(w))
        fail(w, "noexec");
    if (!cage_drop_capabilities())
        fail(w, "capabilities");
    if (!cage_no_core())
        fail(w, "dumpable");
    return (w->flags & WIRE_PROBE) != 0 ? battery(w) : serve(w);
}
