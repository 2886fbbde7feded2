/* load: keeps N TLS connections busy with one POST each and measures a proxy's CPU time for exactly the requests that were
 * answered between two moments, after the first handshakes are over.
 *
 *   load https://HOST:PORT CONNECTIONS SECONDS BODY_FILE PID [KEY [CA_FILE [RATE]]]
 *
 * RATE: requests per second over all connections; 0: each connection asks again at once. Two proxies are compared at the
 * same rate: a faster one would otherwise be woken for more requests at a time and look cheaper still.
 * PID is the proxy's worker; its time is read from /proc/PID/task/PID/schedstat. Prints one line:
 *   requests=N seconds=S rps=R cpu_us=U p50_us=X p99_us=Y errors=E */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNS_MAX = 4096,
    SAMPLES_MAX = 1 << 22,
    AT_ONCE = 256,
    REPLY_MAX = 1 << 16,
    WARM_UP_MS = 700
};

struct conn {
    SSL *tls;
    char reply[REPLY_MAX];
    size_t n, sent;
    uint64_t began;
};

static struct conn *conns;
static char *request;
enum { PLACE_N = 8 };
static char *place; /* of a number that changes */
static size_t request_n;
static uint32_t *samples;
static size_t samples_n;
static uint64_t answered, errors;
static uint64_t every_ns, next_ns; /* pace; 0: none */
static uint32_t idle[CONNS_MAX];   /* connections that wait for their turn */
static size_t idle_n;
static struct addrinfo *target;
static SSL_CTX *tls_ctx;
static int ep;

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, errno != 0 ? strerror(errno) : "failed");
    exit(2);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static uint64_t cpu_ns(const char *pid) {
    char path[128];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid, pid);
    FILE *f = fopen(path, "r");
    if (f == NULL || fscanf(f, "%llu", &ns) != 1)
        die(path);
    fclose(f);
    return ns;
}

static void make_request(const char *host, const char *key, const char *file) {
    FILE *f = fopen(file, "rb");
    char *body = malloc(1 << 20);
    if (f == NULL || body == NULL)
        die(file);
    size_t n = fread(body, 1, 1 << 20, f);
    fclose(f);
    request = malloc(n + 1024);
    if (request == NULL)
        die("memory");
    int head = snprintf(
        request, 1024,
        "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
        "%s%s%sContent-Length: %zu\r\n\r\n",
        host, key != NULL ? "Authorization: Bearer " : "", key != NULL ? key : "",
        key != NULL ? "\r\n" : "", n);
    memcpy(request + head, body, n);
    request_n = (size_t)head + n;
    place = memmem(request + head, n, "@@@@@@@@", PLACE_N);
    free(body);
}

/* Writes until all is out or the socket is full; the next event goes on from there. */
static void push(struct conn *c) {
    while (c->sent < request_n) {
        int n = SSL_write(c->tls, request + c->sent, (int)(request_n - c->sent));
        if (n <= 0) {
            if (SSL_get_error(c->tls, n) != SSL_ERROR_WANT_WRITE)
                die("write");
            return;
        }
        c->sent += (size_t)n;
    }
}

/* "@@@@@@@@" in the body is another number in each request: no text is the same twice. */
static void number(void) {
    static unsigned n;
    char text[PLACE_N + 1];
    if (place == NULL)
        return;
    snprintf(text, sizeof text, "%08u", n++ % 100000000U);
    memcpy(place, text, PLACE_N);
}

static void ask(struct conn *c) {
    c->n = c->sent = 0;
    number();
    c->began = now_ns();
    push(c);
}

/* A whole reply? Chunked ones end with an empty chunk; others tell their length. */
static bool whole(struct conn *c) {
    const char *end = memmem(c->reply, c->n, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    c->reply[c->n] = '\0';
    const char *length = strcasestr(c->reply, "\r\ncontent-length:");
    size_t head = (size_t)(end - c->reply) + 4;
    if (length != NULL && length < end)
        return c->n - head >= strtoul(length + 17, NULL, 10);
    return c->n >= 5 && memcmp(c->reply + c->n - 5, "0\r\n\r\n", 5) == 0;
}

/* One connection to the proxy, TLS included; used again when the proxy has closed it. */
static void open_one(size_t i) {
    int fd = socket(target->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, target->ai_addr, target->ai_addrlen) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    conns[i].tls = SSL_new(tls_ctx);
    if (conns[i].tls == NULL || SSL_set_fd(conns[i].tls, fd) != 1 || SSL_connect(conns[i].tls) != 1)
        die("TLS handshake");
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = (uint32_t)i};
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll");
}

/* Both proxies close a connection after so many requests, and say so. */
static bool told_to_close(const struct conn *c) {
    const char *close = strcasestr(c->reply, "\r\nconnection: close\r\n");
    const char *end = strstr(c->reply, "\r\n\r\n");
    return close != NULL && close < end;
}

static void reopen(struct conn *c) {
    int fd = SSL_get_fd(c->tls);
    SSL_free(c->tls);
    close(fd);
    open_one((size_t)(c - conns));
}

static void on_event(struct conn *c) {
    push(c);
    for (;;) {
        int n = SSL_read(c->tls, c->reply + c->n, (int)(REPLY_MAX - 1 - c->n));
        if (n <= 0) {
            if (SSL_get_error(c->tls, n) != SSL_ERROR_WANT_READ)
                die("the proxy closed a connection");
            return;
        }
        c->n += (size_t)n;
        if (!whole(c))
            continue;
        answered++;
        errors += strncmp(c->reply, "HTTP/1.1 200", 12) != 0;
        if (samples_n < SAMPLES_MAX)
            samples[samples_n++] = (uint32_t)((now_ns() - c->began) / 1000U);
        bool closing = told_to_close(c);
        if (closing)
            reopen(c);
        if (every_ns == 0)
            ask(c);
        else
            idle[idle_n++] = (uint32_t)(c - conns);
        if (closing)
            return; /* the new connection's own events go on */
    }
}

static void ask_due(uint64_t now) {
    for (; idle_n > 0 && next_ns <= now; next_ns += every_ns)
        ask(&conns[idle[--idle_n]]);
    if (idle_n > 0 || every_ns == 0)
        return;
    next_ns =
        next_ns < now ? now : next_ns; /* nobody is free: what was missed is not made up for */
}

static void run_until(uint64_t until) {
    for (uint64_t now = now_ns(); now < until; now = now_ns()) {
        static struct epoll_event e[AT_ONCE];
        ask_due(now);
        uint64_t wake = idle_n > 0 && next_ns < until ? next_ns : until;
        uint64_t left = wake > now ? wake - now : 0;
        struct timespec t = {(time_t)(left / 1000000000U), (long)(left % 1000000000U)};
        int n = epoll_pwait2(ep, e, AT_ONCE, &t, NULL);
        for (int i = 0; i < n; i++)
            on_event(&conns[e[i].data.u32]);
    }
}

static void open_all(size_t n) {
    for (size_t i = 0; i < n; i++)
        open_one(i);
    for (size_t i = 0; i < n; i++)
        ask(&conns[i]);
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void measure(double seconds, const char *pid) {
    run_until(now_ns() + WARM_UP_MS * 1000000ULL);
    answered = errors = samples_n = 0;
    uint64_t cpu = cpu_ns(pid), begin = now_ns();
    run_until(begin + (uint64_t)(seconds * 1e9));
    double took = (double)(now_ns() - begin) / 1e9;
    cpu = cpu_ns(pid) - cpu;
    qsort(samples, samples_n, sizeof *samples, by_value);
    printf("requests=%llu seconds=%.3f rps=%.1f cpu_us=%.3f p50_us=%u p99_us=%u errors=%llu\n",
           (unsigned long long)answered, took, (double)answered / took,
           answered > 0 ? (double)cpu / 1000.0 / (double)answered : 0.0,
           samples_n > 0 ? samples[samples_n / 2] : 0,
           samples_n > 0 ? samples[samples_n * 99 / 100] : 0, (unsigned long long)errors);
}

int main(int argc, char **argv) {
    if (argc < 6 || strncmp(argv[1], "https://", 8) != 0) {
        fputs("usage: load https://HOST:PORT CONNECTIONS SECONDS BODY_FILE PID [KEY [CA_FILE "
              "[RATE]]]\n",
              stderr);
        return 2;
    }
    char *host = argv[1] + 8, *port = strrchr(host, ':');
    size_t n = strtoul(argv[2], NULL, 10);
    struct addrinfo want = {.ai_socktype = SOCK_STREAM};
    if (port == NULL || n == 0 || n > CONNS_MAX)
        die("arguments");
    *port++ = '\0';
    tls_ctx = SSL_CTX_new(TLS_client_method());
    conns = calloc(n, sizeof *conns);
    samples = malloc(SAMPLES_MAX * sizeof *samples);
    ep = epoll_create1(EPOLL_CLOEXEC);
    if (getaddrinfo(host, port, &want, &target) != 0 || tls_ctx == NULL || conns == NULL ||
        samples == NULL || ep < 0)
        die("start");
    if (argc > 8 && strtoul(argv[8], NULL, 10) > 0)
        every_ns = 1000000000U / strtoul(argv[8], NULL, 10);
    next_ns = now_ns();
    SSL_CTX_set_mode(tls_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (argc > 7 && SSL_CTX_load_verify_locations(tls_ctx, argv[7], NULL) == 1)
        SSL_CTX_set_verify(tls_ctx, SSL_VERIFY_PEER, NULL);
    signal(SIGPIPE, SIG_IGN);
    make_request(host, argc > 6 && argv[6][0] != '\0' ? argv[6] : NULL, argv[4]);
    open_all(n);
    measure(strtod(argv[3], NULL), argv[5]);
    freeaddrinfo(target);
    return errors == 0 ? 0 : 1;
}
