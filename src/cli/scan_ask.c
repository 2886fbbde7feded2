#include "scan_ask.h"

#include <bartizan/limits.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confined_reader.h"

#define LONGER(a, b) ((a) > (b) ? (a) : (b))
enum {
    STEP = 64 * 1024,
    PATIENCE_MS = 3000 * LONGER(BZ_HDF5_SECONDS_MAX, BZ_UNPACK_SECONDS_MAX),
    FDS_MAX = 3
};
enum { IN, OUT, DATA };

/* The first byte of a request, which says how many descriptors come with it. */
static const struct kind {
    char byte;
    size_t fds;
} ask_hdf5 = {'h', 2}, ask_unpack = {'u', 3};

union control { /* aligned as the kernel wants it */
    struct cmsghdr head;
    char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
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

static bool seal(int fd) {
    return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
}

/* A member of an archive as a file without a name, which nobody can change any more. */
static enum bz_status copy(const struct bz_source *src, int *ret) {
    if (src->size > BZ_HDF5_COPY_MAX)
        return BZ_ELIMIT;
    int fd = memfd_create("member", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return BZ_EIO;
    enum bz_status st = fill(fd, src);
    if (st == BZ_OK && !seal(fd))
        st = BZ_EIO;
    if (st != BZ_OK)
        (void)close(fd);
    else
        *ret = fd;
    return st;
}

static bool send_request(int socket, const struct kind *kind, const int fds[FDS_MAX]) {
    char byte = kind->byte;
    union control c = {.bytes = {0}};
    struct iovec v = {&byte, 1};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = &c,
                       .msg_controllen = CMSG_SPACE(kind->fds * sizeof(int))};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(kind->fds * sizeof(int));
    memcpy(CMSG_DATA(h), fds, kind->fds * sizeof(int));
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

static enum bz_status ask(const struct bz_scan_asker *a, const struct kind *kind,
                          const struct bz_source *src, int data, struct bz_buf *out) {
    int fds[FDS_MAX] = {[IN] = a->fd, [DATA] = data}, pair[2];
    if (src != NULL)
        BZ_TRY(copy(src, &fds[IN]));
    enum bz_status st = BZ_EUNAVAIL;
    if (pipe2(pair, O_CLOEXEC) == 0) {
        fds[OUT] = pair[1];
        bool sent = send_request(a->socket, kind, fds);
        (void)close(pair[1]);
        if (sent)
            st = collect(pair[0], out);
        (void)close(pair[0]);
    }
    if (src != NULL)
        (void)close(fds[IN]);
    return st;
}

static enum bz_status list_hdf5(void *ctx, const struct bz_source *src, struct bz_buf *out) {
    return ask(ctx, &ask_hdf5, src, -1, out);
}

struct unpacked { /* bytes that nobody can change any more */
    int fd;
};

static enum bz_status unpacked_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    const struct unpacked *u = ctx;
    *ret_n = 0;
    while (*ret_n < n) {
        ssize_t k = pread(u->fd, (uint8_t *)buf + *ret_n, n - *ret_n, (off_t)(off + *ret_n));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return BZ_EIO;
        if (k == 0)
            break;
        *ret_n += (size_t)k;
    }
    return BZ_OK;
}

static void unpacked_done(void *ctx, struct bz_source *bytes) {
    struct unpacked *u = bytes->ctx;
    (void)ctx;
    if (u != NULL && u->fd >= 0)
        (void)close(u->fd);
    free(u);
    bytes->ctx = NULL;
}

static enum bz_status unpack(void *ctx, const struct bz_source *src, struct bz_buf *list,
                             struct bz_source *ret) {
    struct unpacked *u = calloc(1, sizeof *u);
    if (u == NULL)
        return BZ_ENOMEM;
    struct bz_source bytes = {.pread = unpacked_pread, .ctx = u};
    struct stat sb;
    u->fd = memfd_create("7z", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    enum bz_status st = u->fd < 0 ? BZ_EIO : ask(ctx, &ask_unpack, src, u->fd, list);
    if (st == BZ_OK && (!seal(u->fd) || fstat(u->fd, &sb) != 0 || sb.st_size < 0))
        st = BZ_EIO;
    if (st != BZ_OK) {
        unpacked_done(NULL, &bytes);
        return st;
    }
    bytes.size = (uint64_t)sb.st_size;
    *ret = bytes;
    return BZ_OK;
}

void bz_scan_asker_join(struct bz_scan_asker *a, struct bz_scan_options *opt) {
    a->hdf5 = (struct bz_hdf5){.list = list_hdf5, .ctx = a};
    a->unpacker = (struct bz_unpacker){.unpack = unpack, .done = unpacked_done, .ctx = a};
    opt->hdf5 = &a->hdf5;
    opt->unpacker = &a->unpacker;
}

/* ---- in the parent ----------------------------------------------------------------------------------- */

static void help(const struct kind *kind, const int fds[FDS_MAX]) {
    bool hdf5 = kind == &ask_hdf5;
    struct bz_confined_reader r = {
        .name = hdf5 ? "bartizan-hdf5" : "bartizan-7z",
        .in = fds[IN],
        .data = hdf5 ? -1 : fds[DATA],
        .seconds = hdf5 ? BZ_HDF5_SECONDS_MAX : BZ_UNPACK_SECONDS_MAX,
    };
    struct bz_buf b;
    bz_buf_init(&b, hdf5 ? BZ_HDF5_LIST_MAX : BZ_UNPACK_LIST_MAX);
    uint8_t status = (uint8_t)bz_confined_reader_run(&r, &b);
    if (put_all(fds[OUT], &status, 1))
        (void)put_all(fds[OUT], b.p, b.n);
}

static void close_all(const int fds[FDS_MAX]) {
    for (size_t i = 0; i < FDS_MAX; i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
}

/* NULL: nothing that is to be served; what came with it is closed. */
static const struct kind *receive_request(int socket, int fds[FDS_MAX]) {
    char byte = 0;
    union control c = {.bytes = {0}};
    struct iovec v = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
    if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1)
        return NULL;
    const struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    if (h == NULL || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
        return NULL;
    size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const struct kind *kind = byte == ask_hdf5.byte     ? &ask_hdf5
                              : byte == ask_unpack.byte ? &ask_unpack
                                                        : NULL;
    memcpy(fds, CMSG_DATA(h), (n < FDS_MAX ? n : FDS_MAX) * sizeof(int));
    if (kind != NULL && kind->fds == n)
        return kind;
    close_all(fds);
    return NULL;
}

bool bz_scan_ask_serve(struct bz_scan_helpers *h, int socket) {
    int fds[FDS_MAX] = {-1, -1, -1};
    const struct kind *kind = receive_request(socket, fds);
    if (kind == NULL)
        return false;
    bz_scan_ask_reap(h, false);
    pid_t parent = getpid(), pid = h->n < BZ_SCAN_HELPERS_MAX ? fork() : -1;
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGPIPE, SIG_IGN); /* the worker may have lost its patience */
        if (getppid() == parent)
            help(kind, fds);
        _exit(0);
    }
    if (pid > 0)
        h->pid[h->n++] = pid;
    close_all(fds);
    return true;
}

void bz_scan_ask_reap(struct bz_scan_helpers *h, bool wait) {
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (waitpid(h->pid[i], NULL, wait ? 0 : WNOHANG) == 0)
            h->pid[n++] = h->pid[i];
    }
    h->n = n;
}
