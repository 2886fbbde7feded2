/* GET requests to listeners of this host: loopback and its own addresses only, never another method, no
 * credentials, short deadlines. Only for the running system. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "posture_int.h"

enum { CONNECT_MS = 100, ANSWER_MS = 150, TOTAL_MS = 700 };

static int64_t now_ms(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* "HTTP/1.1 200 OK" and the body behind the empty line. */
bool pt_parse_http(struct bz_view text, struct pt_get *g) {
    struct bz_view line, w;
    struct bz_view rest = text;
    if (!pt_line(&rest, &line) || !pt_starts(line, "HTTP/1.") || !pt_word(&line, &w) ||
        !pt_word(&line, &w))
        return false;
    uint64_t status = pt_num(w, 0);
    if (status < 100 || status > 599)
        return false;
    g->status = (unsigned)status;
    size_t at = pt_find(text, "\r\n\r\n");
    g->body = at == SIZE_MAX ? bz_view(NULL, 0) : bz_view_sub(text, at + 4, text.n);
    return true;
}

static int dial(const struct pt_sock *s, int64_t until) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(s->port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(s->port)};
    int fd = socket(s->v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    six.sin6_addr = in6addr_loopback;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!s->any) { /* its own address: a listener of this host is bound to it */
        memcpy(&six.sin6_addr, s->addr, 16);
        memcpy(&four.sin_addr, s->addr, 4);
    }
    const struct sockaddr *to =
        s->v6 ? (const struct sockaddr *)&six : (const struct sockaddr *)&four;
    int rc = connect(fd, to, s->v6 ? sizeof six : sizeof four);
    struct pollfd p = {fd, POLLOUT, 0};
    int64_t left = until - now_ms();
    int wait = left < CONNECT_MS ? (int)left : CONNECT_MS, err = 0;
    socklen_t n = sizeof err;
    if (rc != 0 && (errno != EINPROGRESS || wait <= 0 || poll(&p, 1, wait) != 1 ||
                    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0 || err != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void ask(struct pt_facts *f, struct pt_get *g, int64_t until) {
    enum { MAX = 16384 };
    size_t have = 0;
    char *mem = bz_arena_alloc(f->ar, MAX);
    int fd = mem == NULL ? -1 : dial(g->sock, until);
    if (fd < 0)
        return;
    int n = snprintf(
        mem, MAX,
        "GET %.*s HTTP/1.0\r\nHost: %.*s\r\nUser-Agent: bartizan-posture\r\nAccept: */*\r\n"
        "Connection: close\r\n\r\n",
        PT_V(g->path), PT_V(g->host));
    if (n > 0 && send(fd, mem, (size_t)n, MSG_NOSIGNAL) == n) {
        int64_t end = now_ms() + ANSWER_MS;
        while (have < MAX) {
            struct pollfd p = {fd, POLLIN, 0};
            int64_t left = (end < until ? end : until) - now_ms();
            if (left <= 0 || poll(&p, 1, (int)left) != 1)
                break;
            ssize_t got = recv(fd, mem + have, MAX - have, 0);
            if (got <= 0)
                break;
            have += (size_t)got;
        }
    }
    (void)close(fd);
    (void)pt_parse_http(bz_view(mem, have), g);
}

static void get(struct pt_facts *f, struct pt_sock *s, const char *path, const char *host,
                int64_t until) {
    if (f->gets.n >= BZ_POSTURE_GETS_MAX || now_ms() >= until)
        return;
    struct pt_get *g = PT_ADD(f->ar, &f->gets);
    if (g == NULL)
        return;
    *g = (struct pt_get){.sock = s, .path = bz_view_str(path), .host = bz_view_str(host)};
    ask(f, g, until);
}

static bool front(const struct pt_sock *s) {
    static const uint16_t ports[] = {80, 3000, 8080, 8888, 5000};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        if (s->port == ports[i])
            return true;
    }
    return false;
}

void pt_collect_gets(struct pt_facts *f) {
    static const struct {
        const char *kind;
        const char *paths[3];
    } asks[] = {
        {"ollama", {"/api/version"}},      {"llama-server", {"/slots", "/props", "/metrics"}},
        {"vllm", {"/version", "/load"}},   {"jupyter", {"/api/contents", "/api"}},
        {"qdrant", {"/collections", "/"}}, {"weaviate", {"/v1/schema"}},
        {"mlflow", {"/version"}},          {"ray", {"/api/version"}}};
    if (!f->live || !f->o->get)
        return;
    int64_t until = now_ms() + TOTAL_MS;
    for (size_t i = 0; i < f->socks.n; i++) {
        struct pt_sock *s = &f->socks.v[i];
        if (!s->host)
            continue;
        for (size_t j = 0; j < sizeof asks / sizeof asks[0]; j++) {
            for (size_t k = 0;
                 k < 3 && asks[j].paths[k] != NULL && pt_kind_is(s->kind, asks[j].kind); k++)
                get(f, s, asks[j].paths[k], "localhost", until);
        }
        if (s->kind != NULL && (s->kind->role & PT_ROLE_AGENT) != 0)
            get(f, s, "/", "posture-check.invalid", until);
        else if (s->kind == NULL && front(s) && s->proc != NULL)
            get(f, s, "/api/version", "localhost", until);
    }
}
