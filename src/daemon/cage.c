/* Backends that `bartizan up` starts in cages: each is probed when it comes, and each hour after. The battery runs in a
 * cage of the same profile beside the server. Until the first one was passed, and after one that was not, the backend
 * gets no requests (unless its `run.posture` says warn). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"

#define PERIOD_NS 3600000000000ull
#define AGAIN_NS 60000000000ull   /* after a result that was not good */
#define LONGEST_NS 60000000000ull /* a battery takes two seconds */
enum { PROBE_NONE = -1, PROBE_GOOD = 0, PROBE_ESCAPED = 1, END_MS = 2500 };

const char *bz_cage_unsafe(const struct bz_backend_run *r) {
    if (!r->cage.caged || r->cage.warn || r->cage.verdict == PROBE_GOOD)
        return NULL;
    if (r->cage.verdict == PROBE_ESCAPED)
        return "an attempt to get out of its cage succeeded: bartizan sandbox probe tells which";
    if (r->cage.verdict == PROBE_NONE)
        return "its cage has not been probed yet";
    return "its cage could not be probed: bartizan sandbox probe tells why";
}

/* It removes what it made for its attempts, and is given the time for that. */
static void end(pid_t pid) {
    (void)kill(pid, SIGTERM);
    for (int waited = 0; waited < END_MS; waited += 10) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        (void)usleep(10000);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

void bz_cage_forget(struct bz_backend_run *r) {
    if (r->cage.pid > 0)
        end(r->cage.pid);
    r->cage.pid = 0;
    r->cage.next_ns = 0;
    r->cage.verdict = PROBE_NONE;
}

static void in_child(const char *program, const struct bz_daemon *d, const char *backend,
                     pid_t parent) {
    sigset_t none;
    const char *const argv[] = {"bartizan", "sandbox",   "probe", "--instance",
                                d->in.path, "--backend", backend, NULL};
    union {
        const char *const *in;
        char *const *out;
    } u = {.in = argv};
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(127);
    (void)execv(program, u.out);
    _exit(127);
}

static void start(struct bz_daemon *d, uint32_t i, uint64_t now) {
    struct bz_backend_run *r = &d->backend[i];
    char program[BZ_DIR_PATH_MAX];
    bz_find_part("bartizan-cli", "/usr/bin/bartizan-cli", program);
    pid_t self = getpid(), pid = program[0] == '\0' ? -1 : fork();
    if (pid == 0)
        in_child(program, d, r->name, self);
    if (pid < 0) {
        bz_log("the cage of backend %s cannot be probed: %s", r->name,
               program[0] == '\0' ? "bartizan-cli is not installed" : strerror(errno));
        r->cage.verdict = 3;
        r->cage.next_ns = now + AGAIN_NS;
        return;
    }
    r->cage.pid = pid;
    r->cage.kill_ns = now + LONGEST_NS;
}

static void take(struct bz_daemon *d, uint32_t i, int ws, uint64_t now) {
    struct bz_backend_run *r = &d->backend[i];
    int verdict = WIFEXITED(ws) ? WEXITSTATUS(ws) : 3;
    r->cage.pid = 0;
    r->cage.next_ns = now + (verdict == PROBE_GOOD ? PERIOD_NS : AGAIN_NS);
    if (verdict != r->cage.verdict)
        bz_log("the cage of backend %s %s", r->name,
               verdict == PROBE_GOOD      ? "holds: no attempt to get out succeeded"
               : verdict == PROBE_ESCAPED ? "leaks: run/cage has the result"
                                          : "could not be probed");
    r->cage.verdict = verdict;
    bz_health_cage(d, i);
}

void bz_cage_turn(struct bz_daemon *d, uint64_t now) {
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        struct bz_backend_run *r = &d->backend[i];
        int ws = 0;
        if (!r->cage.caged)
            continue;
        if (r->cage.pid == 0 && now >= r->cage.next_ns)
            start(d, i, now);
        else if (r->cage.pid > 0 && waitpid(r->cage.pid, &ws, WNOHANG) == r->cage.pid)
            take(d, i, ws, now);
        else if (r->cage.pid > 0 && now >= r->cage.kill_ns)
            (void)kill(r->cage.pid, SIGKILL);
    }
}

/* While one runs its end is looked for ten times a second. */
uint64_t bz_cage_next(const struct bz_daemon *d) {
    uint64_t best = UINT64_MAX;
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        const struct bz_backend_run *r = &d->backend[i];
        uint64_t next = r->cage.pid > 0 ? bz_clock_mono() + 100000000u : r->cage.next_ns;
        if (r->cage.caged && next < best)
            best = next;
    }
    return best;
}

void bz_cage_done(struct bz_daemon *d) {
    for (uint32_t i = 0; i < BZ_BACKENDS_MAX; i++)
        bz_cage_forget(&d->backend[i]);
}
