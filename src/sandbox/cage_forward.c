/* pid 1's loop: the server's end, the launcher's word, the one execve, and bytes between the socket outside and the
 * server's TCP port. Everything here is under pid 1's own small filter. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cage.h"

enum { PAIRS_MAX = 1024, BUFFER = 32768, GRACE_MS = 5000, EVENTS = 64 };

struct side {
    int fd;
    struct pair *pair;
    size_t from, to; /* bytes read here that wait to be written on the other side */
    bool eof, shut;  /* nothing more comes; the other side was told */
    uint8_t data[BUFFER];
};
struct pair {
    struct side side[2];
};
static struct {
    int epoll, signals, proxy, chld;
    size_t pairs;
    struct pair *dead; /* of this round: freed after its last event */
} g = {-1, -1, -1, -1, 0, NULL};

/* ---- relaying ---- */

static void watch(struct side *s) {
    struct side *o = s == &s->pair->side[0] ? &s->pair->side[1] : &s->pair->side[0];
    struct epoll_event ev = {.data.ptr = s};
    if (!s->eof && s->to < BUFFER)
        ev.events |= EPOLLIN;
    if (o->from < o->to || (o->eof && !o->shut))
        ev.events |= EPOLLOUT;
    (void)epoll_ctl(g.epoll, EPOLL_CTL_MOD, s->fd, &ev);
}

static bool add(struct side *s) {
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = s};
    return epoll_ctl(g.epoll, EPOLL_CTL_ADD, s->fd, &ev) == 0;
}

static void drop(struct pair *p) {
    if (p->side[0].fd < 0)
        return;
    (void)close(p->side[0].fd);
    (void)close(p->side[1].fd);
    p->side[0].fd = p->side[1].fd = -1;
    g.pairs--;
    p->side[0].pair = g.dead; /* chained; events of this round may still name it */
    g.dead = p;
}

static void bury(void) {
    while (g.dead != NULL) {
        struct pair *p = g.dead;
        g.dead = p->side[0].pair;
        free(p);
    }
}

static bool would_wait(void) {
    return errno == EAGAIN || errno == EINTR;
}

/* false: the connection is broken */
static bool pull(struct side *s) {
    if (s->eof || s->to == BUFFER)
        return true;
    ssize_t n = recv(s->fd, s->data + s->to, BUFFER - s->to, MSG_DONTWAIT);
    if (n > 0)
        s->to += (size_t)n;
    if (n == 0)
        s->eof = true;
    return n >= 0 || would_wait();
}

static bool push(struct side *s, struct side *o) {
    if (s->from < s->to) {
        ssize_t n = send(o->fd, s->data + s->from, s->to - s->from, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            s->from += (size_t)n;
        if (n < 0 && !would_wait())
            return false;
    }
    if (s->from == s->to)
        s->from = s->to = 0; /* room again, before watch() asks for it */
    if (s->from == s->to && s->eof && !s->shut) {
        s->shut = true;
        (void)shutdown(o->fd, SHUT_WR);
    }
    return true;
}

static void relay(struct side *s, uint32_t events) {
    struct pair *p = s->pair;
    struct side *o = s == &p->side[0] ? &p->side[1] : &p->side[0];
    if (s->fd < 0)
        return;
    bool ok = (events & EPOLLERR) == 0 && pull(s) && push(s, o) && push(o, s);
    if (!ok || (s->eof && o->eof && s->shut && o->shut)) {
        drop(p);
        return;
    }
    watch(s);
    watch(o);
}

static int connect_server(const struct wire *w) {
    int one = 1;
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons(w->forward_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 &&
        connect(fd, (const struct sockaddr *)&a, sizeof a) == 0) { /* loopback: at once */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        return fd;
    }
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static void new_pair(const struct wire *w) {
    int in = accept4(w->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (in < 0)
        return;
    int out = g.pairs < PAIRS_MAX ? connect_server(w) : -1;
    struct pair *p = out < 0 ? NULL : malloc(sizeof *p);
    if (p == NULL) { /* the gateway sees a closed connection: the server is not there */
        (void)close(in);
        if (out >= 0)
            (void)close(out);
        return;
    }
    for (int i = 0; i < 2; i++) {
        struct side *s = &p->side[i];
        s->fd = i == 0 ? in : out;
        s->pair = p;
        s->from = s->to = 0;
        s->eof = s->shut = false;
    }
    g.pairs++;
    if (!add(&p->side[0]) || !add(&p->side[1]))
        drop(p);
}

/* ---- the proxy: its connections are handed out as they are ---- */

bool cage_proxy_listen(const struct wire *w) {
    int one = 1;
    if (w->egress_fd < 0)
        return true;
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons(BZ_CAGE_PROXY_PORT),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    g.proxy = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(g.proxy, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    return g.proxy >= 0 && bind(g.proxy, (const struct sockaddr *)&a, sizeof a) == 0 &&
           listen(g.proxy, 64) == 0;
}

static void hand_out(const struct wire *w) {
    char c = 'c';
    struct iovec io = {&c, 1};
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } u = {.space = {0}};
    struct msghdr m = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = u.space, .msg_controllen = sizeof u.space};
    int fd = accept4(g.proxy, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &fd, sizeof fd);
    (void)sendmsg(w->egress_fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)close(fd);
}

/* ---- the one execve ---- */

/* The first is the start of the program. Later ones are refused, whatever their arguments say: nothing has to be read
 * from memory that could change meanwhile. */
static void answer_exec(struct cage_child *c) {
    union {
        struct seccomp_notif n;
        char space[512];
    } in;
    union {
        struct seccomp_notif_resp r;
        char space[512];
    } out;
    memset(&in, 0, sizeof in);
    memset(&out, 0, sizeof out);
    if (ioctl(c->notify_fd, SECCOMP_IOCTL_NOTIF_RECV, &in) != 0)
        return;
    out.r.id = in.n.id;
    if (c->execed)
        out.r.error = -EPERM;
    else
        out.r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    c->execed = true;
    (void)ioctl(c->notify_fd, SECCOMP_IOCTL_NOTIF_SEND, &out);
}

/* ---- the loop ---- */

static int64_t now_ms(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool cage_loop_begin(const struct wire *w, bool forward) {
    sigset_t set;
    if (g.epoll >= 0)
        return true;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    g.epoll = epoll_create1(EPOLL_CLOEXEC);
    g.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &g.signals};
    bool ok =
        g.epoll >= 0 && g.signals >= 0 && epoll_ctl(g.epoll, EPOLL_CTL_ADD, g.signals, &ev) == 0;
    ev.data.ptr = &g.chld; /* the launcher */
    ok = ok && epoll_ctl(g.epoll, EPOLL_CTL_ADD, w->control_fd, &ev) == 0;
    if (forward && w->listen_fd >= 0) {
        ev.data.ptr = &g.epoll;
        ok = ok && epoll_ctl(g.epoll, EPOLL_CTL_ADD, w->listen_fd, &ev) == 0;
    }
    if (forward && g.proxy >= 0) {
        ev.data.ptr = &g.proxy;
        ok = ok && epoll_ctl(g.epoll, EPOLL_CTL_ADD, g.proxy, &ev) == 0;
    }
    return ok;
}

static void end_exec(const struct wire *w, struct cage_child *c) {
    char line[64];
    struct bz_buf b;
    int err = 0;
    (void)close(c->exec_fd);
    c->exec_fd = -1;
    c->started = c->said_n == 1;
    bz_buf_init_fixed(&b, line, sizeof line);
    if (c->said_n == 1 + sizeof err) {
        memcpy(&err, c->said + 1, sizeof err);
        bz_buf_puts(&b, "failed exec: ");
        bz_buf_puts(&b, strerror(err));
        bz_buf_putc(&b, '\n');
    } else if ((w->flags & WIRE_PROBE) == 0 && c->started) {
        bz_buf_puts(&b, "started\n");
    }
    if (b.n > 0)
        (void)!write(w->status_fd, b.p, b.n);
}

static void note_exec(const struct wire *w, struct cage_child *c) {
    ssize_t n = read(c->exec_fd, c->said + c->said_n, sizeof c->said - c->said_n);
    if (n > 0)
        c->said_n += (size_t)n;
    else if (n == 0 || errno != EINTR)
        end_exec(w, c);
}

static bool reap(const struct cage_child *c, int *ret) {
    int status = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != c->pid)
            continue; /* an orphan of the server: it had no other parent left */
        *ret = status;
        return true;
    }
    return false;
}

/* T: end gently. End of file: the launcher is gone. */
static void told_to_stop(const struct wire *w, const struct cage_child *c, int64_t *end) {
    char b = 0;
    ssize_t n = read(w->control_fd, &b, 1);
    (void)kill(c->pid, n == 1 ? SIGTERM : SIGKILL);
    if (n == 1 && *end > now_ms() + GRACE_MS)
        *end = now_ms() + GRACE_MS;
    if (n <= 0)
        (void)epoll_ctl(g.epoll, EPOLL_CTL_DEL, w->control_fd, NULL);
}

static void one_event(const struct wire *w, struct cage_child *c, const struct epoll_event *ev,
                      int64_t *end) {
    struct signalfd_siginfo s;
    void *p = ev->data.ptr;
    if (p == &g.signals) {
        while (read(g.signals, &s, sizeof s) == (ssize_t)sizeof s) {
            if (s.ssi_signo != SIGCHLD)
                (void)kill(c->pid, SIGTERM);
        }
    } else if (p == &g.chld) {
        told_to_stop(w, c, end);
    } else if (p == &g.epoll) {
        new_pair(w);
    } else if (p == &g.proxy) {
        hand_out(w);
    } else if (p == &c->exec_fd) {
        note_exec(w, c);
    } else if (p == &c->notify_fd) {
        answer_exec(c);
    } else {
        relay(p, ev->events);
    }
}

int cage_loop(const struct wire *w, struct cage_child *c, int timeout_ms) {
    struct epoll_event ev[EVENTS];
    int status = -1;
    int64_t end = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
    struct epoll_event own = {.events = EPOLLIN, .data.ptr = &c->exec_fd};
    (void)epoll_ctl(g.epoll, EPOLL_CTL_ADD, c->exec_fd, &own);
    own.data.ptr = &c->notify_fd;
    if (c->notify_fd >= 0)
        (void)epoll_ctl(g.epoll, EPOLL_CTL_ADD, c->notify_fd, &own);
    while (!reap(c, &status)) {
        int64_t left = end == INT64_MAX ? 10000 : end - now_ms();
        if (left <= 0) {
            (void)kill(c->pid, SIGKILL);
            end = INT64_MAX;
            status = -1;
            if (timeout_ms >= 0) {
                (void)waitpid(c->pid, NULL, 0);
                break;
            }
            continue;
        }
        int n = epoll_wait(g.epoll, ev, EVENTS, (int)left);
        for (int i = 0; i < n; i++)
            one_event(w, c, &ev[i], &end);
        bury();
    }
    while (c->exec_fd >= 0)
        note_exec(w, c);
    if (c->notify_fd >= 0)
        (void)close(c->notify_fd);
    return status;
}
