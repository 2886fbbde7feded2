/* streams: holds N chat streams open at once and tells how many events came and how late.
 *
 *   streams https://HOST:PORT|http://HOST:PORT N SECONDS [KEY [CA_FILE]]
 *
 * Opens the streams first (says "open N"), then reads for SECONDS, then prints one line:
 *   streams=N opened=N events=N seconds=S p50_us=X p99_us=Y closed=N
 * Latency is from "t=" in an event (upstream's clock, the same machine) to its arrival here.
 * Streams that end are reopened by nobody: choose the upstream's number of events so that they
 * last. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STREAMS_MAX = 16384, SAMPLES_MAX = 1 << 22, AT_ONCE = 256 };

struct stream {
    int fd;
    SSL *tls;
    bool open, saw_event;
    char last; /* byte before this piece: an event ends with an empty line */
};

static struct stream streams[STREAMS_MAX];
static uint32_t *samples;
static size_t samples_n;
static uint64_t events_n, closed_n;
static SSL_CTX *tls_ctx;

static void die(const char *what) {
    fprintf(stderr, "streams: %s: %s\n", what, errno != 0 ? strerror(errno) : "failed");
    exit(2);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void send_request(struct stream *s, const char *host, const char *key) {
    static const char body[] =
        "{\"model\":\"bench\",\"stream\":true,\"messages\":[{\"role\":\"user\","
        "\"content\":\"hold the line\"}]}";
    char req[1024];
    int n = snprintf(
        req, sizeof req,
        "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
        "%s%s%sContent-Length: %zu\r\n\r\n%s",
        host, key != NULL ? "Authorization: Bearer " : "", key != NULL ? key : "",
        key != NULL ? "\r\n" : "", sizeof body - 1, body);
    bool ok = s->tls != NULL ? SSL_write(s->tls, req, n) == n : write(s->fd, req, (size_t)n) == n;
    if (!ok)
        die("request");
}

static void open_stream(struct stream *s, const struct addrinfo *to, const char *host,
                        const char *key) {
    s->fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || connect(s->fd, to->ai_addr, to->ai_addrlen) != 0)
        die("connect");
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (tls_ctx != NULL) {
        s->tls = SSL_new(tls_ctx);
        if (s->tls == NULL || SSL_set_fd(s->tls, s->fd) != 1 || SSL_connect(s->tls) != 1) {
            ERR_print_errors_fp(stderr);
            die("TLS handshake");
        }
    }
    send_request(s, host, key);
    if (fcntl(s->fd, F_SETFL, O_NONBLOCK) != 0)
        die("fcntl");
    s->open = true;
}

static void note_times(const char *p, size_t n) {
    uint64_t now = now_ns();
    const char *end = p + n;
    while ((p = memmem(p, (size_t)(end - p), "t=", 2)) != NULL) {
        uint64_t t = 0;
        const char *q = p + 2;
        for (; q < end && *q >= '0' && *q <= '9'; q++)
            t = t * 10 + (uint64_t)(*q - '0');
        if (q < end && *q == ' ' && t < now && samples_n < SAMPLES_MAX)
            samples[samples_n++] = (uint32_t)((now - t) / 1000U);
        p = q;
    }
}

static void take(struct stream *s, const char *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bool whole = p[i] == '\n' && s->last == '\n';
        events_n += whole;
        /* the CRLF behind a chunk is no second empty line */
        s->last = whole ? '\0' : p[i] == '\r' ? s->last : p[i];
    }
    s->saw_event = s->saw_event || memmem(p, n, "data:", 5) != NULL;
    note_times(p, n);
}

static void end(struct stream *s) {
    closed_n++;
    s->open = false;
    SSL_free(s->tls);
    close(s->fd);
}

static void on_readable(struct stream *s) {
    static char buf[1 << 16];
    for (;;) {
        ssize_t n =
            s->tls != NULL ? SSL_read(s->tls, buf, sizeof buf) : read(s->fd, buf, sizeof buf);
        if (n > 0) {
            take(s, buf, (size_t)n);
            continue;
        }
        bool again = s->tls != NULL ? SSL_get_error(s->tls, (int)n) == SSL_ERROR_WANT_READ
                                    : n < 0 && (errno == EAGAIN || errno == EINTR);
        if (!again)
            end(s);
        return;
    }
}

static void read_until(int ep, uint64_t until) {
    for (uint64_t now = now_ns(); now < until; now = now_ns()) {
        struct epoll_event e[AT_ONCE];
        int n = epoll_wait(ep, e, AT_ONCE, (int)((until - now) / 1000000U) + 1);
        for (int i = 0; i < n; i++)
            if (streams[e[i].data.u32].open)
                on_readable(&streams[e[i].data.u32]);
    }
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static const char *split_url(char *url, char **ret_port) {
    char *host = strstr(url, "://");
    char *port = host != NULL ? strrchr(host + 3, ':') : NULL;
    if (port == NULL)
        die("URL");
    *port = '\0';
    *ret_port = port + 1;
    return host + 3;
}

static void set_up_tls(const char *ca) {
    tls_ctx = SSL_CTX_new(TLS_client_method());
    if (tls_ctx == NULL)
        die("TLS");
    if (ca != NULL && SSL_CTX_load_verify_locations(tls_ctx, ca, NULL) != 1)
        die(ca);
    SSL_CTX_set_verify(tls_ctx, ca != NULL ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
}

static void open_all(size_t n, const struct addrinfo *to, const char *host, const char *key,
                     int ep) {
    for (size_t i = 0; i < n; i++) {
        open_stream(&streams[i], to, host, key);
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        if (epoll_ctl(ep, EPOLL_CTL_ADD, streams[i].fd, &e) != 0)
            die("epoll");
        if (i % 32 == 31) /* early streams must not pile up while late ones connect */
            read_until(ep, now_ns() + 1);
    }
}

int main(int argc, char **argv) {
    char *port = NULL;
    if (argc < 4) {
        fputs("usage: streams URL N SECONDS [KEY [CA_FILE]]\n", stderr);
        return 2;
    }
    bool tls = strncmp(argv[1], "https:", 6) == 0;
    const char *host = split_url(argv[1], &port);
    size_t n = strtoul(argv[2], NULL, 10), seen = 0;
    double seconds = strtod(argv[3], NULL);
    struct addrinfo want = {.ai_socktype = SOCK_STREAM}, *to = NULL;
    struct rlimit rl;
    if (n == 0 || n > STREAMS_MAX || getaddrinfo(host, port, &want, &to) != 0)
        die("arguments");
    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = rl.rlim_max;
        setrlimit(RLIMIT_NOFILE, &rl);
    }
    signal(SIGPIPE, SIG_IGN);
    samples = malloc(SAMPLES_MAX * sizeof *samples);
    int ep = epoll_create1(EPOLL_CLOEXEC);
    if (samples == NULL || ep < 0)
        die("memory");
    if (tls)
        set_up_tls(argc > 5 ? argv[5] : NULL);
    open_all(n, to, host, argc > 4 && argv[4][0] != '\0' ? argv[4] : NULL, ep);
    read_until(ep, now_ns() + 1000000000U); /* settle */
    printf("open %zu\n", n);
    fflush(stdout);
    events_n = samples_n = 0;
    read_until(ep, now_ns() + (uint64_t)(seconds * 1e9));
    qsort(samples, samples_n, sizeof *samples, by_value);
    for (size_t i = 0; i < n; i++)
        seen += streams[i].saw_event;
    printf("streams=%zu opened=%zu events=%llu seconds=%.1f p50_us=%u p99_us=%u closed=%llu\n", n,
           seen, (unsigned long long)events_n, seconds, samples_n > 0 ? samples[samples_n / 2] : 0,
           samples_n > 0 ? samples[samples_n * 99 / 100] : 0, (unsigned long long)closed_n);
    freeaddrinfo(to);
    return seen == n ? 0 : 1;
}
