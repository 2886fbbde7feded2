/* The side that trusts nothing: a pipe with a cap, a deadline, and a child that is always reaped. */
#include "confined_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEP = 256 * 1024, FOLDER_BYTES = 1400, PATH_BYTES = 1500 };

static void close_fd(const int *fd) {
    if (*fd >= 0)
        (void)close(*fd);
}
#define CLOSING __attribute__((cleanup(close_fd)))

/* Beside this program, or where packages put it. */
static bool find(const char *name, char path[PATH_BYTES]) {
    static const char *const places[] = {"", "../libexec/bartizan/"};
    char self[FOLDER_BYTES];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n == sizeof self - 1)
        return false; /* cut short */
    while (n > 0 && self[n - 1] != '/')
        n--;
    if (n <= 0)
        return false;
    self[n] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        (void)snprintf(path, PATH_BYTES, "%s%s%s", self, places[i], name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static bool start(const struct bz_confined_reader *r, int in, int out, pid_t *ret) {
    char path[PATH_BYTES], name[64];
    char *argv[] = {name, NULL}, *envp[] = {NULL};
    posix_spawn_file_actions_t fa;
    (void)snprintf(name, sizeof name, "%s", r->name);
    if (!find(r->name, path) || posix_spawn_file_actions_init(&fa) != 0)
        return false;
    bool good =
        posix_spawn_file_actions_adddup2(&fa, in, 0) == 0 &&
        posix_spawn_file_actions_adddup2(&fa, out, 1) == 0 &&
        (r->data >= 0 ? posix_spawn_file_actions_adddup2(&fa, r->data, 2)
                      : posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0)) == 0 &&
        posix_spawn(ret, path, &fa, NULL, argv, envp) == 0;
    (void)posix_spawn_file_actions_destroy(&fa);
    return good;
}

static int64_t now_ms(void) {
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until the child closes its end. ELIMIT: too long, or too much. */
static enum bz_status collect(int fd, unsigned seconds, struct bz_buf *out) {
    int64_t end = now_ms() + 2000ll * seconds;
    for (;;) {
        int64_t left = end - now_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left <= 0)
            return BZ_ELIMIT;
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        if (!bz_buf_reserve(out, STEP))
            return out->st == BZ_ENOMEM ? BZ_ENOMEM : BZ_ELIMIT;
        ssize_t k = read(fd, out->p + out->n, STEP);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return BZ_EIO;
        if (k == 0)
            return BZ_OK;
        out->n += (size_t)k;
    }
}

static enum bz_status reap(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return BZ_EIO;
    }
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGXFSZ))
        return BZ_ELIMIT;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? BZ_OK : BZ_ECORRUPT;
}

static enum bz_status run(const struct bz_confined_reader *r, int in, struct bz_buf *out) {
    int pair[2];
    pid_t pid = 0;
    if (pipe2(pair, O_CLOEXEC) != 0)
        return BZ_EIO;
    int from CLOSING = pair[0];
    bool started = start(r, in, pair[1], &pid);
    (void)close(pair[1]);
    if (!started)
        return BZ_EUNAVAIL;
    enum bz_status st = collect(from, r->seconds, out);
    if (st != BZ_OK)
        (void)kill(pid, SIGKILL);
    enum bz_status end = reap(pid);
    return st != BZ_OK ? st : end;
}

/* The child takes nothing that can be written to. */
enum bz_status bz_confined_reader_run(const struct bz_confined_reader *r, struct bz_buf *out) {
    char path[64];
    int fd CLOSING = -1;
    if ((fcntl(r->in, F_GETFL) & O_ACCMODE) == O_RDONLY)
        return run(r, r->in, out);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", r->in);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? BZ_EIO : run(r, fd, out);
}
