/* mkinstance: the files an nginx worker maps, without any daemon. For tests of the nginx module
 * alone, where every moment
 * must be under control.
 *
 *   mkinstance make DIR [listen=A:P] [backend=TYPE,URL,MODEL]... [workers=N] [relaxed] [wait_ms=N]
 * [body_max=N] [module=SO]
 *              [read_s=N] [reply_s=N] [stream_s=N] [credential=SECRET] [tls] [ca=PEM] [nginx=1022001]             prints the API key
 *   mkinstance publish DIR GENERATION [revoked] ...same options as make...
 *   mkinstance drain DIR [delay_ms=N] [hold]    plays bartizan-auditd: records go to
 * DIR/audit.jsonl; hold: none gets durable
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bartizan/audit.h>
#include <bartizan/policy.h>
#include <bartizan/state.h>
#include "../../src/instance/nginx_conf.h"

enum { lanes = 8 };

static void die(const char *what) {
    (void)fprintf(stderr, "mkinstance: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void must(enum bz_status st, const char *what) {
    if (st == BZ_OK)
        return;
    (void)fprintf(stderr, "mkinstance: %s: %s\n", what, bz_status_text(st));
    exit(2);
}

static uint64_t now_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static const char *path_of(const char *dir, const char *name) {
    static char buf[8][1024];
    static int i;
    char *p = buf[i++ & 7];
    (void)snprintf(p, 1024, "%s/%s", dir, name);
    return p;
}

static void *map_new(const char *path, size_t n) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, (off_t)n) != 0)
        die(path);
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        die(path);
    close(fd);
    return p;
}

static void *map_old(const char *path, size_t n) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        die(path);
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        die(path);
    close(fd);
    return p;
}

static void write_file(const char *path, struct bz_view v) {
    char tmp[1100];
    (void)snprintf(tmp, sizeof tmp, "%s.tmp", path);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, v.p, v.n) != (ssize_t)v.n || close(fd) != 0 || rename(tmp, path) != 0)
        die(path);
}

/* ---- options ---- */

struct options {
    struct bz_config config;
    struct bz_backend_config backends[BZ_BACKENDS_MAX];
    struct bz_image_model_input models[BZ_BACKENDS_MAX];
    char *model_names[BZ_BACKENDS_MAX];
    const char *credentials[BZ_BACKENDS_MAX];
    const char *module, *ca;
    uint32_t nginx;
    bool revoked;
};

static char any[] = "*", user[] = "user", admin[] = "admin";
static char *names[] = {(char[]){"localhost"}, (char[]){"127.0.0.1"}};
static char *all[] = {any};
static struct bz_role_config roles[2];

static void add_backend(struct options *o, char *spec) {
    uint32_t i = o->config.backends_n++;
    struct bz_backend_config *b = &o->backends[i];
    char *type = strsep(&spec, ","), *url = strsep(&spec, ","), *model = strsep(&spec, ",");
    char *name = malloc(16);
    if (model == NULL || name == NULL || !bz_server_from_name(bz_view_str(type), &b->type))
        die("backend=TYPE,URL,MODEL");
    (void)snprintf(name, 16, "b%u", i);
    b->name = name;
    b->url = url;
    b->keep_alive = true;
    o->model_names[i] = model;
    for (uint32_t m = 0; m < o->config.models_n; m++) {
        if (strcmp(o->models[m].name, model) == 0) {
            o->models[m].backends |= 1ull << i;
            return;
        }
    }
    o->models[o->config.models_n++] = (struct bz_image_model_input){model, model, 1ull << i};
}

static void options(struct options *o, char **arg) {
    static char listen[] = "127.0.0.1:18443", cert[] = "tls/server.pem", key[] = "tls/server.key";
    memset(o, 0, sizeof *o);
    for (int i = 0; i < 2; i++) {
        roles[i] = (struct bz_role_config){.name = i == 0 ? user : admin,
                                           .admin = i == 1,
                                           .routes = all,
                                           .routes_n = 1,
                                           .models = all,
                                           .models_n = 1,
                                           .params = bz_param_limits_default};
    }
    o->config = (struct bz_config){.listen = listen,
                                   .plain_http = true,
                                   .names = names,
                                   .names_n = 2,
                                   .workers = 1,
                                   .tls_certificate = cert,
                                   .tls_key = key,
                                   .audit_wait_ms = 2000,
                                   .body_max = BZ_BODY_MAX_DEFAULT,
                                   .connect_timeout_s = 2,
                                   .read_timeout_s = 30,
                                   .client_timeout_s = 10,
                                   .roles = roles,
                                   .roles_n = 2,
                                   .hsts = true};
    o->config.backends = o->backends;
    for (; *arg != NULL; arg++) {
        char *v = strchr(*arg, '=');
        v = v == NULL ? *arg + strlen(*arg) : v + 1;
        if (strncmp(*arg, "listen=", 7) == 0)
            o->config.listen = v;
        else if (strncmp(*arg, "backend=", 8) == 0)
            add_backend(o, v);
        else if (strncmp(*arg, "workers=", 8) == 0)
            o->config.workers = (uint32_t)strtoul(v, NULL, 10);
        else if (strncmp(*arg, "wait_ms=", 8) == 0)
            o->config.audit_wait_ms = (uint32_t)strtoul(v, NULL, 10);
        else if (strncmp(*arg, "read_s=", 7) == 0)
            o->config.read_timeout_s = (uint32_t)strtoul(v, NULL, 10);
        else if (strncmp(*arg, "reply_s=", 8) == 0)
            o->config.reply_timeout_s = (uint32_t)strtoul(v, NULL, 10);
        else if (strncmp(*arg, "stream_s=", 9) == 0)
            o->config.stream_timeout_s = (uint32_t)strtoul(v, NULL, 10);
        else if (strncmp(*arg, "credential=", 11) == 0)
            o->credentials[0] = v;
        else if (strncmp(*arg, "body_max=", 9) == 0)
            o->config.body_max = strtoul(v, NULL, 10);
        else if (strncmp(*arg, "module=", 7) == 0)
            o->module = v;
        else if (strncmp(*arg, "ca=", 3) == 0)
            o->ca = v;
        else if (strncmp(*arg, "nginx=", 6) == 0)
            o->nginx = (uint32_t)strtoul(v, NULL, 10);
        else if (strcmp(*arg, "relaxed") == 0)
            o->config.audit = BZ_AUDIT_RELAXED;
        else if (strcmp(*arg, "tls") == 0)
            o->config.plain_http = false;
        else if (strcmp(*arg, "revoked") == 0)
            o->revoked = true;
        else
            die(*arg);
    }
}

static void make_key(char out[BZ_KEY_TEXT + 1]) {
    uint8_t rnd[48];
    for (size_t i = 0; i < sizeof rnd; i++)
        rnd[i] = (uint8_t)(i * 7);
    bz_key_make(rnd, out);
}

static void build_image(const char *dir, struct options *o, uint64_t generation) {
    char key[BZ_KEY_TEXT + 1];
    struct bz_view id;
    struct bz_buf out;
    struct bz_key_record k = {.owner = user, .role = user, .created = 1, .revoked = o->revoked};
    struct bz_image_input in = {.config = &o->config,
                                .backend_credentials = o->credentials,
                                .keys = &k,
                                .keys_n = 1,
                                .models = o->models,
                                .models_n = o->config.models_n,
                                .generation = generation,
                                .built_unix = 1};

    o->config.models_n = 0; /* they are inputs of the image, not of the configuration */
    memset(in.key_pepper, 1, sizeof in.key_pepper);
    memset(in.digest_key, 2, sizeof in.digest_key);
    memset(in.limit_seed, 3, sizeof in.limit_seed);
    make_key(key);
    must(bz_key_split(bz_view_str(key), &id), "key");
    memcpy(k.id, id.p, BZ_KEY_ID_TEXT);
    bz_key_hash(in.key_pepper, bz_view_str(key), k.hash);
    bz_buf_init(&out, 64u << 20);
    must(bz_image_build(&in, &out), "image");
    write_file(path_of(dir, "run/policy.img"), bz_buf_view(&out));
    bz_buf_free(&out);
}

static void publish(const char *dir, uint64_t generation) {
    struct bz_state *s = NULL;
    must(
        bz_state_open(map_old(path_of(dir, "run/state.shm"), bz_state_size()), bz_state_size(), &s),
        "state");
    bz_state_publish(s, generation);
}

static int make(const char *dir, char **arg) {
    static const char *const dirs[] = {"", "run", "nginx", "nginx/tmp", "tls", "secrets", "audit"};
    static struct options o;
    struct bz_buf conf;
    char key[BZ_KEY_TEXT + 1];
    uint8_t instance[16] = {1};
    size_t n = bz_ring_file_size(lanes);

    options(&o, arg);
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        if (mkdir(path_of(dir, dirs[i]), 0700) != 0 && errno != EEXIST)
            die(dir);
    }
    must(bz_state_format(map_new(path_of(dir, "run/state.shm"), bz_state_size()), bz_state_size()),
         "state");
    void *ring = map_new(path_of(dir, "run/audit.ring"), n);
    must(bz_ring_format(ring, n, lanes, instance), "ring");
    for (int i = 0; i < lanes; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "run/lane-%d.fifo", i);
        if (mkfifo(path_of(dir, name), 0600) != 0 && errno != EEXIST)
            die(name);
    }
    if (o.module != NULL) {
        struct bz_nginx_conf_input in = {.config = &o.config,
                                         .dir = dir,
                                         .module = o.module,
                                         .ca_bundle = o.ca,
                                         .nginx_version = o.nginx,
                                         .uid = (uint32_t)geteuid()};
        bz_buf_init(&conf, 1 << 20);
        must(bz_nginx_conf_write(&in, &conf), "nginx.conf");
        write_file(path_of(dir, "nginx/nginx.conf"), bz_buf_view(&conf));
        bz_buf_free(&conf);
    }
    uint8_t pub[BZ_SIGN_PUBLIC_LEN], sec[BZ_SIGN_SECRET_LEN]; /* for the real bartizan-auditd */
    bz_sign_keypair(pub, sec);
    write_file(path_of(dir, "secrets/audit.key"), bz_view(sec, sizeof sec));
    build_image(dir, &o, 1);
    publish(dir, 1);
    make_key(key);
    (void)puts(key);
    return 0;
}

/* ---- the writer's part ---- */

static void wake(const char *dir, uint32_t lane) {
    char name[32];
    (void)snprintf(name, sizeof name, "run/lane-%u.fifo", lane);
    int fd = open(path_of(dir, name), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        (void)!write(fd, "1", 1);
        close(fd);
    }
}

static bool drain_lane(const char *dir, void *ring, uint32_t i, FILE *log, bool hold) {
    struct bz_ring_lane *l = bz_ring_lane(ring, i);
    uint8_t rec[BZ_RECORD_MAX];
    uint64_t pos = atomic_load(&l->tail), seq = 0, last = 0;
    size_t n = 0;

    if (hold)
        return false;
    while (bz_ring_next(ring, i, &pos, rec, &n, &seq) == BZ_OK) {
        struct bz_record r;
        struct bz_buf line;
        last = seq;
        must(bz_record_decode(bz_view(rec, n), &r), "record");
        bz_buf_init(&line, 1 << 16);
        bz_record_json(&r, &line);
        bz_buf_putc(&line, '\n');
        (void)fwrite(line.p, 1, line.n, log);
        bz_buf_free(&line);
    }
    if (last == 0)
        return false;
    (void)fflush(log);
    atomic_store(&l->tail, pos);
    atomic_store(&l->tail_seq, last);
    atomic_store(&l->durable_seq, last);
    if (atomic_exchange(&l->waiting, 0) != 0)
        wake(dir, i);
    return true;
}

static int drain(const char *dir, char **arg) {
    struct bz_ring_head *h = map_old(path_of(dir, "run/audit.ring"), bz_ring_file_size(lanes));
    FILE *log = fopen(path_of(dir, "audit.jsonl"), "a");
    unsigned delay = 0;
    bool hold = false;
    if (log == NULL)
        die("audit.jsonl");
    for (; *arg != NULL; arg++) {
        if (strncmp(*arg, "delay_ms=", 9) == 0)
            delay = (unsigned)strtoul(*arg + 9, NULL, 10);
        hold = hold || strcmp(*arg, "hold") == 0;
    }
    atomic_store(&h->writer_state, 1);
    atomic_store(&h->writer_beat_ns, now_ns(CLOCK_MONOTONIC));
    (void)puts("ready");
    (void)fflush(stdout);
    while (getppid() > 1) {
        bool any_record = false;
        uint32_t bell = atomic_load(&h->doorbell);
        atomic_store(&h->writer_beat_ns, now_ns(CLOCK_MONOTONIC));
        atomic_store(&h->sleeping, 1);
        atomic_thread_fence(memory_order_seq_cst);
        if (delay > 0)
            usleep(delay * 1000);
        for (uint32_t i = 0; i < lanes; i++)
            any_record |= drain_lane(dir, h, i, log, hold);
        if (any_record)
            continue;
        struct timespec t = {0, 100000000};
        (void)syscall(SYS_futex, &h->doorbell, FUTEX_WAIT, bell, &t, NULL, 0);
    }
    return 0;
}

/* How many records were put into the ring, and how many of them are durable. */
static int ring(const char *dir) {
    void *map = map_old(path_of(dir, "run/audit.ring"), bz_ring_file_size(lanes));
    uint64_t head = 0, durable = 0;
    for (uint32_t i = 0; i < lanes; i++) {
        head += atomic_load(&bz_ring_lane(map, i)->head_seq);
        durable += atomic_load(&bz_ring_lane(map, i)->durable_seq);
    }
    (void)printf("%llu %llu\n", (unsigned long long)head, (unsigned long long)durable);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        (void)fprintf(stderr, "usage: mkinstance make|publish|drain|ring DIR ...\n");
        return 2;
    }
    must(bz_crypto_init(), "crypto");
    umask(077);
    if (strcmp(argv[1], "make") == 0)
        return make(argv[2], argv + 3);
    if (strcmp(argv[1], "drain") == 0)
        return drain(argv[2], argv + 3);
    if (strcmp(argv[1], "ring") == 0)
        return ring(argv[2]);
    if (strcmp(argv[1], "publish") == 0 && argc > 3) {
        static struct options o;
        options(&o, argv + 4);
        build_image(argv[2], &o, strtoull(argv[3], NULL, 10));
        publish(argv[2], strtoull(argv[3], NULL, 10));
        return 0;
    }
    return 2;
}
