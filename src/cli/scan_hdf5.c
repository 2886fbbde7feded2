#include "scan_hdf5.h"

#include <bartizan/limits.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hdf5_reader.h"

enum { STEP = 64 * 1024, PATIENCE_MS = 3000 * BZ_HDF5_SECONDS_MAX };

union control { /* aligned as the kernel wants it */
    struct cmsghdr head;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
};

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

/* ---- in a worker ----------------------------------------------------------------------------------- */

static enum bz_status fill(int fd, const struct bz_source *src) {
    uint8_t *step = malloc(STEP);
    enum bz_status st = step == NULL ? BZ_ENOMEM : BZ_OK;
    for (uint64_t off = 0; st == BZ_OK && off < src->size;) {
        size_t want = src->size - off < STEP ? (size_t)(src->size - off) : STEP, have = 0;
        st = src->pread(src->ctx, off, step, want, &have);
        if (st != BZ_OK || have == 0)
            break; /* shorter than it said: what there is, is looked at */
        st = put_all(fd, step, have) ? BZ_OK : BZ_EIO;
        off += have;
    }
    free(step);
    return st;
}

/* A member of an archive as a file without a name, which nobody can change any more. */
static enum bz_status copy(const struct bz_source *src, int *ret) {
    if (src->size > BZ_HDF5_COPY_MAX)
        return BZ_ELIMIT;
    int fd = memfd_create("hdf5", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return BZ_EIO;
    enum bz_status st = fill(fd, src);
    if (st == BZ_OK &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        st = BZ_EIO;
    if (st != BZ_OK)
        (void)close(fd);
    else
        *ret = fd;
    return st;
}

static bool send_two(int socket, int in, int out) {
    char byte = 'h';
    union control c = {.bytes = {0}};
    struct iovec v = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    int fds[2] = {in, out};
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(h), fds, sizeof fds);
    return sendmsg(socket, &m, MSG_NOSIGNAL) == 1;
}

/* A byte of status, then the answer, until the other end is closed. */
static enum bz_status collect(int fd, struct bz_buf *out) {
    uint8_t status = BZ_EUNAVAIL;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    bool begun = false;
    for (;;) {
        if (poll(&p, 1, PATIENCE_MS) <= 0)
            return BZ_ELIMIT;
        if (!bz_buf_reserve(out, STEP))
            return BZ_ELIMIT;
        uint8_t *to = begun ? out->p + out->n : &status;
        ssize_t k = read(fd, to, begun ? STEP : 1);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return status < BZ_STATUS_COUNT ? (enum bz_status)status : BZ_ECORRUPT;
        out->n += begun ? (size_t)k : 0;
        begun = true;
    }
}

enum bz_status bz_scan_hdf5_ask(void *ctx, const struct bz_source *src, struct bz_buf *out) {
    const struct bz_scan_asker *a = ctx;
    int in = a->fd, pair[2];
    if (src != NULL)
        BZ_TRY(copy(src, &in));
    enum bz_status st = BZ_EUNAVAIL;
    if (pipe2(pair, O_CLOEXEC) == 0) {
        bool sent = send_two(a->socket, in, pair[1]);
        (void)close(pair[1]);
        if (sent)
            st = collect(pair[0], out);
        (void)close(pair[0]);
    }
    if (src != NULL)
        (void)close(in);
    return st;
}

/* ---- in the parent ----------------------------------------------------------------------------------- */

static void help(int in, int out) {
    struct bz_hdf5_reader *r = calloc(1, sizeof *r);
    struct bz_hdf5 hdf5 = {.list = NULL};
    struct bz_buf b;
    bz_buf_init(&b, BZ_HDF5_LIST_MAX);
    enum bz_status st = r == NULL ? BZ_ENOMEM : bz_hdf5_reader_init(r, &hdf5);
    if (st == BZ_OK) {
        r->fd = in;
        st = hdf5.list(hdf5.ctx, NULL, &b);
    }
    uint8_t status = (uint8_t)st;
    if (put_all(out, &status, 1))
        (void)put_all(out, b.p, b.n);
}

static bool receive_two(int socket, int fds[2]) {
    char byte = 0;
    union control c = {.bytes = {0}};
    struct iovec v = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
    if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1)
        return false;
    const struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    if (h == NULL || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
        return false;
    size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < n; i++) {
        int fd = -1;
        memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
        if (n == 2)
            fds[i] = fd;
        else
            (void)close(fd);
    }
    return n == 2;
}

bool bz_scan_hdf5_serve(struct bz_scan_helpers *h, int socket) {
    int fds[2] = {-1, -1};
    if (!receive_two(socket, fds))
        return false;
    bz_scan_hdf5_reap(h, false);
    pid_t parent = getpid(), pid = h->n < BZ_SCAN_HELPERS_MAX ? fork() : -1;
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGPIPE, SIG_IGN); /* the worker may have lost its patience */
        if (getppid() == parent)
            help(fds[0], fds[1]);
        _exit(0);
    }
    if (pid > 0)
        h->pid[h->n++] = pid;
    (void)close(fds[0]);
    (void)close(fds[1]);
    return true;
}

void bz_scan_hdf5_reap(struct bz_scan_helpers *h, bool wait) {
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (waitpid(h->pid[i], NULL, wait ? 0 : WNOHANG) == 0)
            h->pid[n++] = h->pid[i];
    }
    h->n = n;
}
