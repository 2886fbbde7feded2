/* audit-ring: the other end of bartizan-auditd's ring, for tests: what an nginx worker does,
 * without nginx.
 *
 *   audit-ring make DIR [LANES]
 *       DIR/{audit,run,secrets}, a signing key, a ring, FIFOs
 *   audit-ring put DIR LANE FROM COUNT [window=N] [relaxed] [backwards] [refused] [ms=N] [detail=T]
 *       puts COUNT records numbered from FROM; at most N (default 1) of them not yet durable.
 *       Prints "acked N" whenever all below N are durable. relaxed: waits for room only.
 *   audit-ring state DIR
 *       writer_state, age of the beat in ms, head_seq and durable_seq summed over the lanes
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bartizan/audit.h>

enum { PATIENCE_S = 60 };

static void die(const char *what) {
    (void)fprintf(stderr, "audit-ring: %s: %s\n", what, strerror(errno));
    exit(2);
}

static uint64_t now_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t number(const char *s) {
    uint64_t n = 0;
    if (s == NULL || bz_view_u64(bz_view_str(s), &n) != BZ_OK)
        die("not a number");
    return n;
}

/* ---- make ---- */

static void write_file(int dir, const char *path, const void *p, size_t n) {
    int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, p, n) != (ssize_t)n || close(fd) != 0)
        die(path);
}

static void make_ring(int dir, uint32_t lanes) {
    int fd = openat(dir, "run/audit.ring", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t n = bz_ring_file_size(lanes);
    if (fd < 0 || posix_fallocate(fd, 0, (off_t)n) != 0)
        die("run/audit.ring");
    void *map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint8_t instance[16];
    bz_random(instance, sizeof instance);
    if (map == MAP_FAILED || bz_ring_format(map, n, lanes, instance) != BZ_OK)
        die("ring");
    close(fd);
}

static int make(const char *path, uint32_t lanes) {
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        die(path);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        die(path);
    static const char *const names[] = {"audit", "run", "secrets"};
    for (size_t i = 0; i < 3; i++)
        if (mkdirat(dir, names[i], 0700) != 0 && errno != EEXIST)
            die(names[i]);
    uint8_t pub[BZ_SIGN_PUBLIC_LEN];
    uint8_t sec[BZ_SIGN_SECRET_LEN];
    bz_sign_keypair(pub, sec);
    write_file(dir, "secrets/audit.key", sec, sizeof sec);
    make_ring(dir, lanes);
    for (uint32_t i = 0; i < lanes; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "run/lane-%u.fifo", i);
        if (mkfifoat(dir, name, 0600) != 0 && errno != EEXIST)
            die(name);
    }
    return 0;
}

/* ---- put ---- */

struct put {
    void *map;
    int fifo;
    uint32_t lane;
    uint64_t from, window, ms;
    bool relaxed, backwards, refused;
    const char *detail;
    uint64_t acked;
    uint64_t *seq; /* of each record */
};

static void *open_ring(int dir, uint32_t *ret_lanes) {
    int fd = openat(dir, "run/audit.ring", O_RDWR | O_CLOEXEC);
    struct stat s;
    if (fd < 0 || fstat(fd, &s) != 0)
        die("run/audit.ring");
    void *map = mmap(NULL, (size_t)s.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED || bz_ring_check(map, (size_t)s.st_size) != BZ_OK)
        die("ring");
    close(fd);
    *ret_lanes = (uint32_t)((struct bz_ring_head *)map)->lanes;
    return map;
}

static void encode(const struct put *p, uint64_t i, struct bz_buf *b) {
    char detail[64];
    (void)snprintf(detail, sizeof detail, "n%llu", (unsigned long long)i);
    uint64_t ns = now_ns(CLOCK_REALTIME);
    if (p->backwards)
        ns -= i * 1000000000u;
    struct bz_record r = {
        .kind = p->refused ? BZ_RECORD_REFUSED : BZ_RECORD_CLOSE, .time_ns = ns, .generation = 3};
    bz_request_id_make(ns / 1000000, p->lane, (uint64_t)getpid(), i, r.id);
    r.principal = BZ_V("alice");
    r.key_id = BZ_V("4kD93hBz71Qa");
    r.role = BZ_V("user");
    r.method = BZ_V("POST");
    r.route = BZ_V("/v1/chat/completions");
    r.model = BZ_V("assistant");
    r.backend = BZ_V("local");
    r.peer = BZ_V("127.0.0.1");
    r.decision = p->refused ? BZ_V("refuse") : BZ_V("allow");
    r.reason = p->refused ? BZ_V("rate_limited") : BZ_V("done");
    r.detail = p->detail != NULL ? bz_view_str(p->detail) : bz_view_str(detail);
    r.status = p->refused ? 429 : 200;
    r.upstream_status = 200;
    r.usage_known = !p->refused;
    r.prompt_tokens = 12;
    r.completion_tokens = 345;
    r.request_bytes = 4096;
    r.reply_bytes = 2345;
    r.latency_us = 123456;
    memset(r.request_digest, 0x5a, sizeof r.request_digest);
    bz_record_encode(&r, b);
}

static void look(struct put *p, uint64_t put) {
    uint64_t durable = atomic_load(&bz_ring_lane(p->map, p->lane)->durable_seq);
    uint64_t before = p->acked;
    while (p->acked < put && p->seq[p->acked] <= durable)
        p->acked++;
    if (p->acked == before || p->relaxed)
        return;
    (void)printf("acked %llu\n", (unsigned long long)(p->from + p->acked));
    (void)fflush(stdout);
}

/* As the nginx module does it: flag, look again, sleep on the FIFO. */
static void wait_durable(struct put *p, uint64_t put) {
    uint64_t end = now_ns(CLOCK_MONOTONIC) + PATIENCE_S * 1000000000ull;
    uint64_t before = p->acked;
    for (look(p, put); p->acked == before; look(p, put)) {
        if (now_ns(CLOCK_MONOTONIC) > end) {
            errno = ETIMEDOUT;
            die("waiting for the writer");
        }
        atomic_store(&bz_ring_lane(p->map, p->lane)->waiting, 1);
        look(p, put);
        struct pollfd f = {.fd = p->fifo, .events = POLLIN};
        char scrap[64];
        if (p->acked == before && poll(&f, 1, 1000) > 0)
            (void)!read(p->fifo, scrap, sizeof scrap);
    }
}

static void put_one(struct put *p, uint64_t i) {
    uint8_t mem[BZ_RECORD_MAX];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    encode(p, p->from + i, &b);
    struct bz_ring_head *h = p->map;
    enum bz_status st;
    while ((st = bz_ring_put(p->map, p->lane, bz_buf_view(&b), &p->seq[i])) == BZ_ELIMIT) {
        struct timespec t = {0, 200000};
        nanosleep(&t, NULL);
    }
    if (st != BZ_OK)
        die(bz_status_text(st));
    if (bz_ring_bell(p->map, p->lane, !p->relaxed))
        (void)syscall(SYS_futex, &h->doorbell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int run_put(struct put *p, uint64_t count) {
    p->seq = calloc(count, sizeof *p->seq);
    if (p->seq == NULL)
        die("memory");
    for (uint64_t i = 0; i < count; i++) {
        put_one(p, i);
        look(p, i + 1);
        while (!p->relaxed && i + 1 - p->acked >= p->window)
            wait_durable(p, i + 1);
        if (p->ms != 0)
            usleep((useconds_t)p->ms * 1000);
    }
    while (p->acked < count)
        wait_durable(p, count);
    if (p->relaxed)
        (void)printf("acked %llu\n", (unsigned long long)(p->from + p->acked));
    return 0;
}

static int put(int argc, char **argv) {
    struct put p = {.window = 1};
    int dir = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint32_t lanes = 0;
    if (dir < 0)
        die(argv[0]);
    p.map = open_ring(dir, &lanes);
    p.lane = (uint32_t)number(argv[1]);
    p.from = number(argv[2]);
    uint64_t count = number(argv[3]);
    for (int i = 4; i < argc; i++) {
        p.relaxed |= strcmp(argv[i], "relaxed") == 0;
        p.backwards |= strcmp(argv[i], "backwards") == 0;
        p.refused |= strcmp(argv[i], "refused") == 0;
        if (strncmp(argv[i], "window=", 7) == 0)
            p.window = number(argv[i] + 7);
        if (strncmp(argv[i], "ms=", 3) == 0)
            p.ms = number(argv[i] + 3);
        if (strncmp(argv[i], "detail=", 7) == 0)
            p.detail = argv[i] + 7;
    }
    if (p.lane >= lanes)
        die("no such lane");
    char name[32];
    (void)snprintf(name, sizeof name, "run/lane-%u.fifo", p.lane);
    p.fifo = openat(dir, name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (p.fifo < 0)
        die(name);
    atomic_fetch_add(&bz_ring_lane(p.map, p.lane)->epoch, 1);
    return run_put(&p, count);
}

static int state(const char *path) {
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint32_t lanes = 0;
    void *map = open_ring(dir, &lanes);
    struct bz_ring_head *h = map;
    uint64_t head = 0;
    uint64_t durable = 0;
    for (uint32_t i = 0; i < lanes; i++) {
        head += atomic_load(&bz_ring_lane(map, i)->head_seq);
        durable += atomic_load(&bz_ring_lane(map, i)->durable_seq);
    }
    (void)printf(
        "%u %llu %llu %llu\n", atomic_load(&h->writer_state),
        (unsigned long long)((now_ns(CLOCK_MONOTONIC) - atomic_load(&h->writer_beat_ns)) / 1000000),
        (unsigned long long)head, (unsigned long long)durable);
    return 0;
}

int main(int argc, char **argv) {
    if (bz_crypto_init() != BZ_OK)
        die("cryptography");
    if (argc >= 3 && strcmp(argv[1], "make") == 0)
        return make(argv[2], argc > 3 ? (uint32_t)number(argv[3]) : 4);
    if (argc >= 6 && strcmp(argv[1], "put") == 0)
        return put(argc - 2, argv + 2);
    if (argc == 3 && strcmp(argv[1], "state") == 0)
        return state(argv[2]);
    (void)fputs("usage: audit-ring make|put|state DIR ...\n", stderr);
    return 2;
}
