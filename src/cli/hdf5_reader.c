/* The scanner's reader of HDF5, the side that trusts nothing: a copy in memory for members of
 * archives, a pipe with a cap, a deadline, and a child that is always reaped. */
#include "hdf5_reader.h"

#include <bartizan/limits.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEP = 256 * 1024 };

static void close_fd(const int *fd) {
    if (*fd >= 0)
        (void)close(*fd);
}
#define CLOSING __attribute__((cleanup(close_fd)))

static bool put_all(int fd, const uint8_t *p, size_t n) {
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

static enum bz_status fill(int fd, const struct bz_source *src) {
    uint8_t *step = malloc(STEP);
    enum bz_status st = step == NULL ? BZ_ENOMEM : BZ_OK;
    for (uint64_t off = 0; st == BZ_OK && off < src->size;) {
        size_t want = src->size - off < STEP ? (size_t)(src->size - off) : STEP, have = 0;
        st = src->pread(src->ctx, off, step, want, &have);
        if (st == BZ_OK && have == 0)
            break; /* shorter than it said: what there is, is looked at */
        if (st == BZ_OK && !put_all(fd, step, have))
            st = BZ_EIO;
        off += have;
    }
    free(step);
    return st;
}

/* The child takes nothing that can be written to. */
static enum bz_status read_only(int fd, int *ret) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    *ret = open(path, O_RDONLY | O_CLOEXEC);
    return *ret < 0 ? BZ_EIO : BZ_OK;
}

/* A member of an archive as a file that has no name. */
static enum bz_status copy(const struct bz_source *src, int *ret) {
    if (src->size > BZ_HDF5_COPY_MAX)
        return BZ_ELIMIT;
    int fd CLOSING = memfd_create("hdf5", MFD_CLOEXEC);
    if (fd < 0)
        return BZ_EIO;
    BZ_TRY(fill(fd, src));
    return read_only(fd, ret);
}

static bool start(const char *program, int in, int out, pid_t *ret) {
    char name[] = "bartizan-hdf5";
    char *argv[] = {name, NULL}, *envp[] = {NULL};
    posix_spawn_file_actions_t fa;
    if (posix_spawn_file_actions_init(&fa) != 0)
        return false;
    bool good = posix_spawn_file_actions_adddup2(&fa, in, 0) == 0 &&
                posix_spawn_file_actions_adddup2(&fa, out, 1) == 0 &&
                posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0) == 0 &&
                posix_spawn(ret, program, &fa, NULL, argv, envp) == 0;
    (void)posix_spawn_file_actions_destroy(&fa);
    return good;
}

static int64_t now_ms(void) {
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until the child closes its end. ELIMIT: too long, or too much. */
static enum bz_status collect(int fd, struct bz_buf *out) {
    int64_t end = now_ms() + 2000ll * BZ_HDF5_SECONDS_MAX;
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
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return BZ_ELIMIT;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? BZ_OK : BZ_ECORRUPT;
}

static enum bz_status run(const char *program, int in, struct bz_buf *out) {
    int pair[2];
    pid_t pid = 0;
    if (pipe2(pair, O_CLOEXEC) != 0)
        return BZ_EIO;
    int from CLOSING = pair[0];
    bool started = start(program, in, pair[1], &pid);
    (void)close(pair[1]);
    if (!started)
        return BZ_EUNAVAIL;
    enum bz_status st = collect(from, out);
    if (st != BZ_OK)
        (void)kill(pid, SIGKILL);
    enum bz_status end = reap(pid);
    return st != BZ_OK ? st : end;
}

static enum bz_status list(void *ctx, const struct bz_source *src, struct bz_buf *out) {
    const struct bz_hdf5_reader *r = ctx;
    int fd CLOSING = -1;
    if (src == NULL && r->fd < 0)
        return BZ_EUNAVAIL;
    if (src == NULL && (fcntl(r->fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
        return run(r->program, r->fd, out);
    BZ_TRY(src == NULL ? read_only(r->fd, &fd) : copy(src, &fd));
    return run(r->program, fd, out);
}

enum bz_status bz_hdf5_reader_init(struct bz_hdf5_reader *r, struct bz_hdf5 *ret) {
    static const char *const places[] = {"bartizan-hdf5", "../libexec/bartizan/bartizan-hdf5"};
    char self[2048];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    r->fd = -1;
    while (n > 0 && self[n - 1] != '/')
        n--;
    if (n <= 0)
        return BZ_EUNAVAIL;
    self[n] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        (void)snprintf(r->program, sizeof r->program, "%s%s", self, places[i]);
        if (access(r->program, X_OK) == 0) {
            *ret = (struct bz_hdf5){.list = list, .ctx = r};
            return BZ_OK;
        }
    }
    return BZ_EUNAVAIL;
}
