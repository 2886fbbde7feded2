/* The parent of the workers: starts them, reads what they send, hands it on in order. */
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

#include "scan_ask.h"
#include "scan_worker.h"

enum { TICK_MS = 100, READ_STEP = 64 * 1024, DEATHS_MAX = 1000 };

struct child {
    pid_t pid;
    int fd;  /* its records; -1: none */
    int ask; /* its requests */
    struct bz_buf b;
};

struct run {
    struct bz_scan_run *r;
    struct bz_scan_shared *shared;
    struct child child[BZ_SCAN_JOBS_MAX];
    unsigned n;
    struct bz_view *waiting; /* records by item, until it is their turn */
    bool *done;
    size_t turn, done_n;
    struct bz_scan_helpers helpers;
    unsigned deaths;
    enum bz_status st;
};

/* ---- records in order ------------------------------------------------------------------------------ */

static void hand_on(struct run *u) {
    while (u->turn < u->r->list->n && u->done[u->turn]) {
        struct bz_arena ar;
        struct bz_scan_outcome o = {.item = u->turn, .st = BZ_EINTERNAL};
        struct bz_view *v = &u->waiting[u->turn];
        bz_arena_init(&ar, bz_alloc_heap, SIZE_MAX / 2, NULL, 0);
        if (bz_scan_record_get(*v, u->r, &ar, &o) != BZ_OK || o.item != u->turn)
            o = (struct bz_scan_outcome){.item = u->turn, .st = BZ_ECORRUPT};
        u->r->outcome(u->r->ctx, &o);
        bz_arena_free(&ar);
        free((void *)(uintptr_t)v->p);
        *v = bz_view(NULL, 0);
        u->turn++;
    }
}

/* Keeps a record; false: it is none that was asked for. */
static bool keep(struct run *u, struct bz_view rec) {
    size_t item =
        (size_t)rec.p[0] | (size_t)rec.p[1] << 8 | (size_t)rec.p[2] << 16 | (size_t)rec.p[3] << 24;
    if (item >= u->r->list->n || u->done[item])
        return false;
    uint8_t *copy = malloc(rec.n);
    if (copy == NULL) {
        u->st = BZ_ENOMEM;
        return false;
    }
    memcpy(copy, rec.p, rec.n);
    u->waiting[item] = bz_view(copy, rec.n);
    u->done[item] = true;
    u->done_n++;
    return true;
}

/* The records that have come whole. */
static bool take_records(struct run *u, struct child *c) {
    size_t at = 0;
    while (c->b.n - at >= 4) {
        const uint8_t *p = c->b.p + at;
        size_t n = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
        if (n < 4 || n > BZ_SCAN_RECORD_MAX)
            return false;
        if (c->b.n - at - 4 < n)
            break;
        if (!keep(u, bz_view(p + 4, n)))
            return false;
        at += 4 + n;
    }
    memmove(c->b.p, c->b.p + at, c->b.n - at);
    c->b.n -= at;
    hand_on(u);
    return true;
}

/* ---- processes --------------------------------------------------------------------------------------- */

static void close_child(struct child *c) {
    if (c->fd >= 0)
        (void)close(c->fd);
    if (c->ask >= 0)
        (void)close(c->ask);
    c->fd = c->ask = -1;
}

static void be_worker(struct run *u, unsigned i, int out, int ask, pid_t parent) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    for (unsigned k = 0; k < u->n; k++)
        close_child(&u->child[k]);
    _exit(bz_scan_work(u->r, u->shared, i, out, ask));
}

static bool start(struct run *u, unsigned i) {
    int fds[2], ask[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ask) != 0) {
        (void)close(fds[0]);
        (void)close(fds[1]);
        return false;
    }
    u->shared->current[i] = UINT32_MAX;
    u->child[i].fd = fds[0];
    u->child[i].ask = ask[0];
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        be_worker(u, i, fds[1], ask[1], parent);
    (void)close(fds[1]);
    (void)close(ask[1]);
    if (pid < 0)
        close_child(&u->child[i]);
    u->child[i].pid = pid;
    return pid > 0;
}

/* A worker is gone. What it was looking at, it was killed by: that file counts as not scanned. */
static void reap(struct run *u, unsigned i) {
    struct child *c = &u->child[i];
    int status = 0;
    close_child(c);
    c->b.n = 0;
    (void)kill(c->pid, SIGKILL); /* it may have sent nonsense and still run */
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    uint32_t item = u->shared->current[i];
    if (item >= u->r->list->n || u->done[item])
        return;
    int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    struct bz_scan_outcome o = {.item = item, .st = BZ_EINTERNAL, .error = -sig};
    struct bz_buf b;
    bz_buf_init(&b, BZ_SCAN_RECORD_MAX);
    bz_scan_record_put(&b, u->r, &o, NULL);
    if (bz_buf_status(&b) != BZ_OK || !keep(u, bz_view(b.p + 4, b.n - 4)))
        u->st = BZ_ENOMEM;
    bz_buf_free(&b);
    hand_on(u);
    if (++u->deaths < DEATHS_MAX && u->shared->next < u->r->list->n)
        (void)start(u, i);
}

static void receive(struct run *u, unsigned i) {
    struct child *c = &u->child[i];
    if (!bz_buf_reserve(&c->b, READ_STEP)) {
        reap(u, i);
        return;
    }
    ssize_t k = read(c->fd, c->b.p + c->b.n, READ_STEP);
    if (k < 0 && errno == EINTR)
        return;
    if (k > 0)
        c->b.n += (size_t)k;
    if (k <= 0 || !take_records(u, c))
        reap(u, i);
}

static void watch(struct run *u) {
    for (;;) {
        struct pollfd p[2 * BZ_SCAN_JOBS_MAX];
        unsigned at[BZ_SCAN_JOBS_MAX], n = 0;
        for (unsigned i = 0; i < u->n; i++) {
            if (u->child[i].fd >= 0) {
                p[2 * n] = (struct pollfd){.fd = u->child[i].fd, .events = POLLIN};
                p[2 * n + 1] = (struct pollfd){.fd = u->child[i].ask, .events = POLLIN};
                at[n++] = i;
            }
        }
        if (n == 0)
            return;
        int ready = poll(p, 2 * n, TICK_MS);
        for (unsigned k = 0; ready > 0 && k < n; k++) {
            struct child *c = &u->child[at[k]];
            if (p[2 * k + 1].revents != 0 && !bz_scan_ask_serve(&u->helpers, c->ask)) {
                (void)close(c->ask); /* no more requests of this one */
                c->ask = -1;
            }
            if (p[2 * k].revents != 0)
                receive(u, at[k]);
        }
        u->r->tick(u->r->ctx, u->done_n, u->shared->bytes);
    }
}

/* Whatever nobody took: the workers died too often, or could not be started. */
static void rest(struct run *u) {
    for (size_t i = u->turn; i < u->r->list->n; i++)
        u->done[i] = true;
    hand_on(u);
}

static void done(struct run *u) {
    bz_scan_ask_reap(&u->helpers, true);
    for (unsigned i = 0; i < u->n; i++)
        bz_buf_free(&u->child[i].b);
    for (size_t i = 0; u->waiting != NULL && i < u->r->list->n; i++)
        free((void *)(uintptr_t)u->waiting[i].p);
    free(u->waiting);
    free(u->done);
    if (u->shared != NULL)
        (void)munmap(u->shared, sizeof *u->shared);
}

enum bz_status bz_scan_run(struct bz_scan_run *r) {
    struct run *u = calloc(1, sizeof *u);
    if (u == NULL)
        return BZ_ENOMEM;
    u->r = r;
    u->n = r->jobs < 1 ? 1 : r->jobs > BZ_SCAN_JOBS_MAX ? BZ_SCAN_JOBS_MAX : r->jobs;
    if (u->n > r->list->n)
        u->n = (unsigned)r->list->n;
    void *mem =
        mmap(NULL, sizeof *u->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    u->shared = mem == MAP_FAILED ? NULL : mem;
    u->waiting = calloc(r->list->n + 1, sizeof *u->waiting);
    u->done = calloc(r->list->n + 1, sizeof *u->done);
    for (unsigned i = 0; i < u->n; i++) {
        u->child[i].fd = u->child[i].ask = -1;
        bz_buf_init(&u->child[i].b, 2 * BZ_SCAN_RECORD_MAX);
    }
    unsigned started = 0;
    if (u->shared != NULL && u->waiting != NULL && u->done != NULL) {
        for (unsigned i = 0; i < u->n; i++)
            started += start(u, i);
        watch(u);
        rest(u);
    } else {
        u->st = BZ_ENOMEM;
    }
    if (u->st == BZ_OK && started == 0 && r->list->n > 0)
        u->st = BZ_EIO;
    enum bz_status st = u->st;
    done(u);
    free(u);
    return st;
}
