/* The proxy of a cage: one process outside, one child for each connection. A child reads one request, decides, connects,
 * relays, and says what it did in one line. Connections come as descriptors from pid 1 of the cage, so nobody else can
 * reach the proxy. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bartizan/egress.h>
#include <bartizan/json.h>

enum { CHILDREN_MAX = 64, HEAD_MS = 10000, CONNECT_MS = 10000, IDLE_MS = 300000, BLOCK = 32768 };

struct deal { /* one connection */
    const struct bz_egress_run *run;
    int client, server;
    uint8_t in[BZ_EGRESS_HEAD_MAX + BZ_EGRESS_HELLO_MAX + 16];
    size_t in_n;
    struct bz_egress_request request;
    const struct bz_egress_rule *rule;
    size_t head;
    struct bz_view sni;
    char address[INET6_ADDRSTRLEN];
    const char *why; /* NULL: allowed */
    uint64_t up, down;
    struct bz_diag diag;
};

static uint64_t now_ns(clockid_t clock) {
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- the log ---- */

enum phase { BEGIN, END };

/* To the log and the recorder; false: it is not recorded. The log has a line for each request, at its end. */
static bool put_line(const struct deal *d, const char *decision, enum phase phase) {
    char mem[2048];
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_key(&w, "time");
    bz_jw_time(&w, now_ns(CLOCK_REALTIME));
    bz_jw_kstr(&w, "event", BZ_V("egress"));
    bz_jw_kstr(&w, "cage", bz_view_str(d->run->name));
    bz_jw_kstr(&w, "decision", bz_view_str(decision));
    if (d->why != NULL)
        bz_jw_kstr(&w, "reason", bz_view_str(d->why));
    if (d->request.method != 0) {
        bz_jw_kstr(&w, "method", d->request.method_text);
        bz_jw_kstr(&w, "host", d->request.host);
        bz_jw_ku64(&w, "port", d->request.port);
    }
    if (d->sni.n > 0)
        bz_jw_kstr(&w, "server_name", d->sni);
    if (d->address[0] != '\0')
        bz_jw_kstr(&w, "address", bz_view_str(d->address));
    bz_jw_ku64(&w, "bytes_out", d->up);
    bz_jw_ku64(&w, "bytes_in", d->down);
    bz_jw_kstr(&w, "phase", phase == BEGIN ? BZ_V("begin") : BZ_V("end"));
    bz_jw_end(&w);
    if (bz_buf_status(&b) != BZ_OK)
        return false;
    bool ok = d->run->record == NULL || d->run->record(d->run->ctx, bz_buf_view(&b));
    bz_buf_putc(&b, '\n');
    if (phase == END && bz_buf_status(&b) == BZ_OK)
        (void)!write(d->run->log_fd, b.p, b.n);
    return ok;
}

/* ---- bytes ---- */

static bool send_all(int fd, const uint8_t *p, size_t n) {
    while (n > 0) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

static bool say(const struct deal *d, const char *text) {
    return send_all(d->client, (const uint8_t *)text, strlen(text));
}

/* More of the client's bytes; false at the end, after an error or when time is up. */
static bool more(struct deal *d, int ms) {
    struct pollfd p = {.fd = d->client, .events = POLLIN};
    if (d->in_n == sizeof d->in || poll(&p, 1, ms) != 1)
        return false;
    ssize_t n = recv(d->client, d->in + d->in_n, sizeof d->in - d->in_n, 0);
    if (n <= 0)
        return false;
    d->in_n += (size_t)n;
    return true;
}

/* ---- deciding ---- */

static bool read_request(struct deal *d) {
    for (;;) {
        enum bz_status st =
            bz_egress_parse(bz_view(d->in, d->in_n), &d->request, &d->head, &d->diag);
        if (st == BZ_OK)
            return true;
        if (st != BZ_MORE || !more(d, HEAD_MS)) {
            d->why = st == BZ_MORE      ? "no whole request came"
                     : st == BZ_ETOOBIG ? "the request's head is too long"
                                        : d->diag.why;
            return false;
        }
    }
}

static int connect_to(const struct addrinfo *a) {
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;
    socklen_t n = sizeof err;
    if (fd < 0)
        return -1;
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS) {
        (void)close(fd);
        return -1;
    }
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    if (poll(&p, 1, CONNECT_MS) != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0 ||
        err != 0 || fcntl(fd, F_SETFL, 0) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static const char *look_at(struct deal *d, const struct addrinfo *a) {
    const void *bytes =
        a->ai_family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)(const void *)a->ai_addr)->sin_addr
            : (const void *)&((const struct sockaddr_in6 *)(const void *)a->ai_addr)->sin6_addr;
    (void)inet_ntop(a->ai_family, bytes, d->address, sizeof d->address);
    return bz_egress_address(bytes, a->ai_family == AF_INET ? 4 : 16, d->rule->private_ok);
}

/* Every address of the name is looked at before any is used, and what was looked at is what is connected to: a name that
 * changes its answer between the two gains nothing. */
static bool connect_host(struct deal *d) {
    const struct addrinfo hint = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *all = NULL;
    char host[256], port[8];
    (void)snprintf(host, sizeof host, "%.*s", (int)d->request.host.n,
                   (const char *)d->request.host.p);
    (void)snprintf(port, sizeof port, "%u", d->request.port);
    if (getaddrinfo(host, port, &hint, &all) != 0) {
        d->why = "the name cannot be resolved";
        return false;
    }
    for (const struct addrinfo *a = all; a != NULL && d->why == NULL; a = a->ai_next) {
        if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
            d->why = look_at(d, a);
    }
    for (const struct addrinfo *a = all; a != NULL && d->why == NULL && d->server < 0;
         a = a->ai_next) {
        if (a->ai_family == AF_INET || a->ai_family == AF_INET6) {
            (void)look_at(d, a);
            d->server = connect_to(a);
        }
    }
    freeaddrinfo(all);
    if (d->why == NULL && d->server < 0)
        d->why = "the host does not answer";
    return d->why == NULL;
}

/* Inside of a tunnel the first thing is a ClientHello, for the host that was asked for: a rule for one name is no way to
 * another behind the same address. */
static bool check_name(struct deal *d) {
    for (;;) {
        struct bz_view rest = bz_view(d->in + d->head, d->in_n - d->head);
        enum bz_status st = bz_egress_sni(rest, &d->sni);
        if (st == BZ_OK) {
            struct bz_view host = d->request.host;
            if (host.n > 0 && host.p[host.n - 1] == '.')
                host.n--;
            if (bz_view_eq_nocase(d->sni, host))
                return true;
            d->why = "the TLS server name is another than the host of the request";
            return false;
        }
        if (st != BZ_MORE || !more(d, HEAD_MS)) {
            d->why = st == BZ_ENOTFOUND ? "TLS without a server name"
                     : st == BZ_MORE    ? "no TLS greeting came"
                                        : "a tunnel is for TLS only";
            return false;
        }
    }
}

/* ---- passing on ---- */

static bool is_field(struct bz_view line, const char *name) {
    struct bz_view n = bz_view_str(name);
    return line.n > n.n && line.p[n.n] == ':' && bz_view_eq_nocase(bz_view_sub(line, 0, n.n), n);
}

/* A plain request in origin form. Fields between hops stay here; the connection ends with the reply. */
static bool send_request(struct deal *d) {
    static const char *const drop[] = {"connection", "proxy-connection", "proxy-authorization",
                                       "keep-alive", "upgrade",          "te",
                                       "host"};
    const struct bz_egress_request *r = &d->request;
    struct bz_view f = r->fields;
    struct bz_buf b;
    bz_buf_init(&b, (size_t)2 * BZ_EGRESS_HEAD_MAX);
    bz_buf_put(&b, r->method_text);
    bz_buf_putc(&b, ' ');
    bz_buf_put(&b, r->path);
    bz_buf_puts(&b, " HTTP/1.1\r\nHost: ");
    bz_buf_put(&b, r->host);
    if (r->port != 80) {
        bz_buf_putc(&b, ':');
        bz_buf_put_u64(&b, r->port);
    }
    bz_buf_puts(&b, "\r\nConnection: close\r\n");
    while (f.n > 0) {
        const uint8_t *end = memchr(f.p, '\n', f.n);
        size_t n = end == NULL ? f.n : (size_t)(end - f.p) + 1;
        bool skip = false;
        for (size_t i = 0; i < sizeof drop / sizeof drop[0]; i++)
            skip = skip || is_field(bz_view_sub(f, 0, n), drop[i]);
        if (!skip)
            bz_buf_put(&b, bz_view_sub(f, 0, n));
        f = bz_view_sub(f, n, f.n);
    }
    bz_buf_puts(&b, "\r\n");
    bool ok = bz_buf_status(&b) == BZ_OK && send_all(d->server, b.p, b.n);
    d->up += b.n;
    bz_buf_free(&b);
    return ok;
}

/* One direction's next bytes; false at its end. */
static bool pass(int from, int to, uint64_t *count) {
    static uint8_t block[BLOCK];
    ssize_t n = recv(from, block, sizeof block, 0);
    if (n <= 0 || !send_all(to, block, (size_t)n))
        return false;
    *count += (uint64_t)n;
    return true;
}

static void relay(struct deal *d) {
    bool up = true, down = true;
    while (up || down) {
        struct pollfd p[2] = {{.fd = up ? d->client : -1, .events = POLLIN},
                              {.fd = down ? d->server : -1, .events = POLLIN}};
        if (poll(p, 2, IDLE_MS) <= 0)
            return;
        if (p[0].revents != 0 && !pass(d->client, d->server, &d->up)) {
            up = false;
            (void)shutdown(d->server, SHUT_WR);
        }
        if (p[1].revents != 0 && !pass(d->server, d->client, &d->down)) {
            down = false;
            (void)shutdown(d->client, SHUT_WR);
            if (d->request.method != BZ_EGRESS_CONNECT)
                return;
        }
    }
}

static void refuse(struct deal *d, const char *status) {
    char text[512];
    struct bz_buf b;
    bz_buf_init_fixed(&b, text, sizeof text - 1);
    bz_buf_printf(&b, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n%s\n",
                  status, d->why);
    text[b.n] = '\0';
    (void)say(d, text);
    (void)put_line(d, "deny", END);
}

static void serve_one(struct deal *d) {
    if (!read_request(d)) {
        refuse(d, "400 Bad Request");
        return;
    }
    d->rule = bz_egress_match(d->run->rules, &d->request, &d->why);
    if (d->rule == NULL) {
        refuse(d, "403 Forbidden");
        return;
    }
    d->why = NULL;
    if (d->run->record != NULL && !put_line(d, "allow", BEGIN)) {
        d->why = "the request cannot be recorded";
        refuse(d, "503 Service Unavailable");
        return;
    }
    if (!connect_host(d)) {
        refuse(d, "403 Forbidden");
        return;
    }
    bool tunnel = d->request.method == BZ_EGRESS_CONNECT;
    if (tunnel && (!say(d, "HTTP/1.1 200 Connection established\r\n\r\n") || !check_name(d))) {
        d->why = d->why != NULL ? d->why : "the client went away";
        (void)put_line(d, "deny", END);
        return;
    }
    size_t rest = d->in_n - d->head;
    if ((tunnel || send_request(d)) && send_all(d->server, d->in + d->head, rest)) {
        d->up += rest;
        relay(d);
    }
    (void)put_line(d, "allow", END);
}

/* ---- the process ---- */

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
    ssize_t n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR)
        return -2;
    if (n != 1)
        return -1;
    const struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    if (h == NULL || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS ||
        h->cmsg_len != CMSG_LEN(sizeof(int)))
        return -2;
    memcpy(&fd, CMSG_DATA(h), sizeof fd);
    return fd;
}

/* Not whatever comes: a TCP connection. */
static bool is_stream(int fd) {
    int type = 0, domain = 0;
    socklen_t n = sizeof type, m = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &m) == 0 && domain == AF_INET;
}

static void in_child(const struct bz_egress_run *r, int fd) {
    struct deal *d = calloc(1, sizeof *d);
    if (d != NULL) {
        d->run = r;
        d->client = fd;
        d->server = -1;
        serve_one(d);
    }
    _exit(0);
}

void bz_egress_serve(const struct bz_egress_run *r) {
    unsigned children = 0;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int fd = take_fd(r->fd);
        if (fd == -1)
            return;
        while (waitpid(-1, NULL, children >= CHILDREN_MAX ? 0 : WNOHANG) > 0)
            children--;
        if (fd < 0 || !is_stream(fd)) {
            if (fd >= 0)
                (void)close(fd);
            continue;
        }
        pid_t self = getpid(), pid = fork();
        if (pid == 0) {
            if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != self)
                _exit(1);
            in_child(r, fd);
        }
        children += pid > 0;
        (void)close(fd);
    }
}
