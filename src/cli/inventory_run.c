/* Asking a server's program for its version. */
#include "inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ASK_MS = 5000 };

static void child(int program, int out) {
    char name[] = "version", option[] = "--version", locale[] = "LC_ALL=C";
    char home[] = "HOME=/nonexistent", path[] = "PATH=/usr/bin:/bin";
    char *const argv[] = {name, option, NULL};
    char *const env[] = {locale, home, path, NULL};
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    (void)fcntl(program, F_SETFD, 0); /* a script's interpreter opens it again */
    (void)fexecve(program, argv, env);
    _exit(127);
}

static void collect(int fd, struct bz_buf *out) {
    const uint64_t end = bz_clock_mono() + (uint64_t)ASK_MS * 1000000;
    uint8_t part[4096];
    for (;;) {
        uint64_t now = bz_clock_mono();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (now >= end || poll(&p, 1, (int)((end - now) / 1000000) + 1) <= 0)
            return;
        ssize_t n = read(fd, part, sizeof part);
        if (n <= 0)
            return;
        bz_buf_put(out, bz_view(part, (size_t)n));
        if (bz_buf_status(out) != BZ_OK)
            return;
    }
}

bool bz_collect_ask(const struct bz_collect *c, const char *path, struct bz_buf *out) {
    int pipes[2], status = 0;
    BZ_FD program = bz_collect_open(c, path, O_RDONLY);
    if (program < 0 || pipe2(pipes, O_CLOEXEC) != 0)
        return false;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)setpgid(0, 0);
        child(program, pipes[1]);
    }
    (void)close(pipes[1]);
    if (pid > 0)
        collect(pipes[0], out);
    (void)close(pipes[0]);
    if (pid < 0)
        return false;
    /* Whatever it started ends with it; one that ended already cannot be hurt. */
    (void)kill(-pid, SIGKILL);
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return out->n > 0;
}
