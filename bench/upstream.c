/* upstream: the model server of the benches. One thread, epoll, HTTP/1.1 with keep-alive; answers
 * at once.
 *
 *   upstream ADDRESS [REPLY_BYTES [EVENTS [INTERVAL_MS [numbers]]]]
 *   ADDRESS: port on 127.0.0.1, or unix:PATH
 *
 * A POST whose body holds "stream":true gets EVENTS chat chunks, one every INTERVAL_MS: a word of
 * prose each, and in the id the time it was written ("t=NANOSECONDS") for the client to measure
 * with; with `numbers` the time is the text. Any other POST gets a chat completion of
 * REPLY_BYTES. A GET gets a list of one model, "bench". Bodies need a Content-Length, which both
 * nginx and the gateway send. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 8192, CONNS = 32768, EVENTS_AT_ONCE = 256 };

struct conn {
    char head[HEAD_MAX];
    size_t head_n;
    size_t body_left; /* of the request being read */
    bool in_body, stream, get;
    uint32_t left;    /* events still to send; 0: no stream */
    uint32_t phase;   /* which millisecond of the interval is ours */
    uint8_t tail[16]; /* end of the last piece of a body, for "stream":true over a cut */
    size_t tail_n;
};

static struct conn *conns[CONNS];
static int top; /* one above the highest descriptor seen */
static char *json_reply, *models_reply;
static size_t json_reply_n, models_reply_n;
static uint32_t events = 100, interval_ms = 20;
static bool numbers;

static void die(const char *what) {
    fprintf(stderr, "upstream: %s: %s\n", what, strerror(errno));
    exit(2);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void drop(int fd) {
    free(conns[fd]);
    conns[fd] = NULL;
    close(fd);
}

/* Replies fit the socket's buffer: a peer that reads too slowly for that is dropped. */
static bool say(int fd, const char *p, size_t n) {
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

static bool begin_stream(int fd, struct conn *c) {
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    c->left = events;
    c->phase = (uint32_t)fd % interval_ms;
    return say(fd, head, sizeof head - 1);
}

static bool send_event(int fd, struct conn *c) {
    static const char *const words[] = {" the", " quick",  " brown", " fox",  " jumps",
                                        " over", " a lazy", " dog,",  " then", " rests."};
    char data[512], out[640], time[32];
    bool last = --c->left == 0;
    snprintf(time, sizeof time, "t=%019llu ", (unsigned long long)now_ns());
    int n = snprintf(
        data, sizeof data,
        "data: {\"id\":\"chatcmpl-%s\",\"object\":\"chat.completion.chunk\",\"created\":1,"
        "\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},"
        "\"finish_reason\":%s}]}\n\n%s",
        numbers ? "bench" : time, numbers ? time : words[c->left % 10], last ? "\"stop\"" : "null", last ? "data: [DONE]\n\n" : "");
    int m = snprintf(out, sizeof out, "%x\r\n%s\r\n%s", (unsigned)n, data, last ? "0\r\n\r\n" : "");
    return say(fd, out, (size_t)m);
}

static bool answer(int fd, struct conn *c) {
    if (c->get)
        return say(fd, models_reply, models_reply_n);
    if (c->stream)
        return begin_stream(fd, c);
    return say(fd, json_reply, json_reply_n);
}

static bool find(const char *p, size_t n, const char *what) {
    return memmem(p, n, what, strlen(what)) != NULL;
}

static void look_for_stream(struct conn *c, const char *p, size_t n) {
    char seam[sizeof c->tail * 2];
    size_t k = n < sizeof c->tail ? n : sizeof c->tail;
    memcpy(seam, c->tail, c->tail_n);
    memcpy(seam + c->tail_n, p, k);
    if (find(seam, c->tail_n + k, "\"stream\":true") || find(p, n, "\"stream\":true"))
        c->stream = true;
    c->tail_n = k;
    memcpy(c->tail, p + n - k, k);
}

/* Reads the head's Content-Length. False: no request of ours. */
static bool read_head(struct conn *c) {
    c->head[c->head_n] = '\0';
    c->get = strncmp(c->head, "GET ", 4) == 0;
    c->stream = false;
    c->tail_n = 0;
    c->body_left = 0;
    const char *h = strcasestr(c->head, "\r\ncontent-length:");
    if (h != NULL)
        c->body_left = strtoul(h + 17, NULL, 10);
    c->in_body = true;
    return c->get || h != NULL;
}

/* One piece of a connection's bytes. Returns false when it is to be closed. */
static bool feed(int fd, struct conn *c, const char *p, size_t n) {
    while (n > 0 || (c->in_body && c->body_left == 0)) {
        if (c->in_body) {
            size_t k = n < c->body_left ? n : c->body_left;
            look_for_stream(c, p, k);
            c->body_left -= k;
            p += k;
            n -= k;
            if (c->body_left > 0)
                return true;
            c->in_body = false;
            if (!answer(fd, c))
                return false;
            continue;
        }
        size_t old = c->head_n;
        size_t k = n < HEAD_MAX - 1 - old ? n : HEAD_MAX - 1 - old;
        memcpy(c->head + old, p, k);
        const char *end = memmem(c->head, old + k, "\r\n\r\n", 4);
        if (end == NULL) {
            c->head_n = old + k;
            return c->head_n < HEAD_MAX - 1;
        }
        size_t used = (size_t)(end - c->head) + 4 - old;
        c->head_n = old + used;
        p += used;
        n -= used;
        if (!read_head(c))
            return false;
        c->head_n = 0;
    }
    return true;
}

static void on_readable(int fd) {
    static char buf[1 << 18];
    struct conn *c = conns[fd];
    ssize_t n = read(fd, buf, sizeof buf);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || !feed(fd, c, buf, (size_t)n))
        drop(fd);
}

static void on_accept(int ep, int ls) {
    for (;;) {
        int fd = accept4(ls, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (fd >= CONNS || (conns[fd] = calloc(1, sizeof *conns[fd])) == NULL) {
            close(fd);
            continue;
        }
        top = fd >= top ? fd + 1 : top;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0)
            drop(fd);
    }
}

/* Each millisecond the streams of that phase get their next event. */
static void on_tick(int timer) {
    static uint64_t tick;
    uint64_t n = 0;
    if (read(timer, &n, sizeof n) != sizeof n)
        return;
    for (; n > 0; n--, tick++)
        for (int fd = 0; fd < top; fd++)
            if (conns[fd] != NULL && conns[fd]->left > 0 &&
                conns[fd]->phase == tick % interval_ms && !send_event(fd, conns[fd]))
                drop(fd);
}

static int listen_on(const char *where) {
    int fd;
    if (strncmp(where, "unix:", 5) == 0) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        snprintf(a.sun_path, sizeof a.sun_path, "%s", where + 5);
        unlink(a.sun_path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0)
            die(where);
    } else {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)strtoul(where, NULL, 10))};
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
        if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0)
            die(where);
    }
    if (listen(fd, 4096) != 0)
        die("listen");
    return fd;
}

static char *http_reply(const char *body, size_t *ret_n) {
    char *out = NULL;
    int n = asprintf(
        &out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
        strlen(body), body);
    if (n < 0)
        die("memory");
    *ret_n = (size_t)n;
    return out;
}

static void make_replies(size_t size) {
    static const char form[] =
        "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1,\"model\":"
        "\"bench\",\"choices\":[{"
        "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%.*s\"},\"finish_reason\":"
        "\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":10,\"total_tokens\":20}}";
    size_t text_n = size > sizeof form ? size - sizeof form : 1;
    char *text = malloc(text_n), *body = NULL;
    if (text == NULL)
        die("memory");
    for (size_t i = 0; i < text_n; i++)
        text[i] = "lorem ipsum dolor "[i % 18];
    if (asprintf(&body, form, (int)text_n, text) < 0)
        die("memory");
    json_reply = http_reply(body, &json_reply_n);
    models_reply = http_reply(
        "{\"object\":\"list\",\"data\":[{\"id\":\"bench\",\"object\":\"model\",\"created\":1,"
        "\"owned_by\":\"bench\"}]}",
        &models_reply_n);
    free(text);
    free(body);
}

static int start_ticks(void) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec t = {.it_interval.tv_nsec = 1000000, .it_value.tv_nsec = 1000000};
    if (fd < 0 || timerfd_settime(fd, 0, &t, NULL) != 0)
        die("timer");
    return fd;
}

static void watch(int ep, int fd) {
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll");
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fputs("usage: upstream PORT|unix:PATH [REPLY_BYTES [EVENTS [INTERVAL_MS]]]\n", stderr);
        return 2;
    }
    make_replies(argc > 2 ? strtoul(argv[2], NULL, 10) : 400);
    if (argc > 3)
        events = (uint32_t)strtoul(argv[3], NULL, 10);
    if (argc > 4)
        interval_ms = (uint32_t)strtoul(argv[4], NULL, 10);
    numbers = argc > 5 && strcmp(argv[5], "numbers") == 0;
    if (events == 0 || interval_ms == 0)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    struct rlimit rl;
    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = rl.rlim_max;
        setrlimit(RLIMIT_NOFILE, &rl);
    }
    int ep = epoll_create1(EPOLL_CLOEXEC), ls = listen_on(argv[1]), timer = start_ticks();
    if (ep < 0)
        die("epoll");
    watch(ep, ls);
    watch(ep, timer);
    puts("ready");
    fflush(stdout);
    for (;;) {
        static struct epoll_event e[EVENTS_AT_ONCE];
        int n = epoll_wait(ep, e, EVENTS_AT_ONCE, -1);
        for (int i = 0; i < n; i++) {
            if (e[i].data.fd == ls)
                on_accept(ep, ls);
            else if (e[i].data.fd == timer)
                on_tick(timer);
            else if (conns[e[i].data.fd] != NULL)
                on_readable(e[i].data.fd);
        }
    }
}
