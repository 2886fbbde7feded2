#include "instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

uint64_t bz_clock_mono(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bz_clock_unix(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

enum bz_status bz_instance_open(const char *dir, struct bz_instance *ret) {
    ret->fd = -1;
    char *real = realpath(dir, NULL);
    if (real == NULL)
        return errno == EACCES ? BZ_EDENIED : BZ_ENOTFOUND;
    int n = snprintf(ret->path, sizeof ret->path, "%s", real);
    free(real);
    if (n < 0 || (size_t)n >= sizeof ret->path) {
        errno = ENAMETOOLONG;
        return BZ_ETOOBIG;
    }
    BZ_FD fd = open(ret->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? BZ_EDENIED : BZ_ENOTFOUND;
    struct stat sb;
    if (fstatat(fd, BZ_F_CONFIG, &sb, 0) != 0)
        return errno == EACCES ? BZ_EDENIED : BZ_EINVAL;
    ret->fd = fd;
    fd = -1;
    return BZ_OK;
}

void bz_instance_close(struct bz_instance *in) {
    bz_fd_done(&in->fd);
}

bool bz_instance_path(const struct bz_instance *in, const char *rel, char out[BZ_DIR_PATH_MAX]) {
    int n;
    if (rel[0] == '/')
        n = snprintf(out, BZ_DIR_PATH_MAX, "%s", rel);
    else
        n = snprintf(out, BZ_DIR_PATH_MAX, "%s/%s", in->path, rel);
    return n >= 0 && n < BZ_DIR_PATH_MAX;
}

enum bz_status bz_instance_dirs(int fd) {
    static const char *const dirs[] = {"tls",
                                       "secrets",
                                       "store",
                                       "audit",
                                       "run",
                                       "nginx",
                                       "nginx/tmp",
                                       BZ_F_MODELS,
                                       BZ_F_MODEL_QUARANTINE,
                                       BZ_F_MODEL_OBJECTS,
                                       BZ_F_MODEL_SERVE};
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        if (mkdirat(fd, dirs[i], 0700) != 0 && errno != EEXIST)
            return BZ_EIO;
    }
    return BZ_OK;
}

enum bz_status bz_exe_dir(char out[BZ_DIR_PATH_MAX]) {
    ssize_t n = readlink("/proc/self/exe", out, BZ_DIR_PATH_MAX - 1);
    if (n <= 0)
        return BZ_EIO;
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL)
        return BZ_EIO;
    *slash = '\0';
    return BZ_OK;
}

void bz_find_part(const char *beside, const char *system, char out[BZ_DIR_PATH_MAX]) {
    char dir[BZ_DIR_PATH_MAX];
    if (bz_exe_dir(dir) == BZ_OK) {
        int n = snprintf(out, BZ_DIR_PATH_MAX, "%s/%s", dir, beside);
        if (n > 0 && n < BZ_DIR_PATH_MAX && access(out, R_OK) == 0)
            return;
    }
    out[0] = '\0';
    if (system != NULL && access(system, R_OK) == 0)
        (void)snprintf(out, BZ_DIR_PATH_MAX, "%s", system);
}

/* ---- keys ---- */

void bz_instance_derive(const uint8_t master[BZ_KEY_LEN], struct bz_instance_keys *ret) {
    uint8_t sub[BZ_KEY_LEN], h[BZ_HASH_LEN];
    bz_subkey(master, "keyhash_", 1, ret->key_pepper);
    bz_subkey(master, "digest__", 1, ret->digest_key);
    bz_subkey(master, "limits__", 1, sub);
    memcpy(ret->limit_seed, sub, sizeof ret->limit_seed);
    bz_subkey(master, "vault___", 1, ret->vault_key);
    bz_subkey(master, "bodywrap", 1, ret->bodies_key);
    bz_subkey(master, "bodygone", 1, ret->erased_key);
    bz_subkey(master, "instance", 1, sub);
    bz_keyed_hash(sub, BZ_V("instance"), h);
    memcpy(ret->instance_id, h, sizeof ret->instance_id);
    bz_wipe(sub, sizeof sub);
}

enum bz_status bz_instance_keys(const struct bz_instance *in, struct bz_instance_keys *ret) {
    uint8_t mem[BZ_KEY_LEN + 1];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    enum bz_status st = bz_file_read(in->fd, BZ_F_MASTER_KEY, &b);
    if (st == BZ_ETOOBIG || (st == BZ_OK && b.n != BZ_KEY_LEN))
        st = BZ_ECORRUPT;
    if (st == BZ_OK)
        bz_instance_derive(mem, ret);
    bz_wipe(mem, sizeof mem);
    return st;
}

void bz_instance_new_key(char out[BZ_KEY_TEXT + 1]) {
    uint8_t rnd[48];
    bz_random(rnd, sizeof rnd);
    bz_key_make(rnd, out);
    bz_wipe(rnd, sizeof rnd);
}

void bz_instance_origin(const uint8_t id[8], char out[BZ_ORIGIN_MAX]) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, BZ_ORIGIN_MAX);
    bz_buf_puts(&b, "bartizan.local/");
    bz_buf_put_hex(&b, bz_view(id, 8));
    bz_buf_putc(&b, 0);
}

/* ---- configuration ---- */

enum bz_status bz_instance_config(const struct bz_instance *in, const char *file,
                                  struct bz_buf *text, struct bz_config **ret,
                                  struct bz_config_errors *errs) {
    *errs = (struct bz_config_errors){.n = 0};
    BZ_TRY(bz_file_read(in->fd, file, text));
    BZ_TRY(bz_config_parse(bz_buf_view(text), ret, errs->list,
                           sizeof errs->list / sizeof errs->list[0], &errs->n));
    enum bz_status st = bz_config_place(*ret, in->path);
    if (st == BZ_OK)
        return st;
    bz_config_free(*ret);
    *ret = NULL;
    (void)snprintf(errs->list[0].path, sizeof errs->list[0].path, "backends");
    (void)snprintf(errs->list[0].text, sizeof errs->list[0].text,
                   "the socket of a backend with 'run' would have more than 107 bytes: use a shorter "
                   "name, or a shorter path of the instance directory");
    errs->n = 1;
    return st == BZ_ETOOBIG ? BZ_ESYNTAX : st;
}

void bz_instance_url(const struct bz_config *c, struct bz_buf *out) {
    bz_buf_puts(out, c->plain_http ? "http://" : "https://");
    struct bz_view l = bz_view_str(c->listen);
    if (bz_view_starts(l, BZ_V("0.0.0.0:"))) {
        bz_buf_puts(out, "127.0.0.1");
        l = bz_view_sub(l, 7, l.n);
    } else if (bz_view_starts(l, BZ_V("[::]:"))) {
        bz_buf_puts(out, "[::1]");
        l = bz_view_sub(l, 4, l.n);
    }
    bz_buf_put(out, l);
}

/* ---- files of a run ---- */

static enum bz_status make_state(const struct bz_instance *in) {
    struct bz_map m = {NULL, 0};
    BZ_TRY(bz_map_create(in->fd, BZ_F_STATE, bz_state_size(), &m));
    enum bz_status st = bz_state_format(m.p, m.n);
    bz_map_close(&m);
    return st;
}

/* Records that the log has not taken yet survive a restart of everything; only their owners are
 * gone. */
static bool ring_kept(const struct bz_instance *in) {
    struct bz_map m = {NULL, 0};
    if (bz_map_open(in->fd, BZ_F_RING, true, &m) != BZ_OK)
        return false;
    bool ok = m.n == bz_ring_file_size(BZ_LANES_MAX) && bz_ring_check(m.p, m.n) == BZ_OK;
    for (uint32_t i = 0; ok && i < BZ_LANES_MAX; i++) {
        struct bz_ring_lane *l = bz_ring_lane(m.p, i);
        atomic_store(&l->owner_pid, 0);
        atomic_store(&l->waiting, 0);
    }
    bz_map_close(&m);
    return ok;
}

static enum bz_status make_ring(const struct bz_instance *in) {
    struct bz_map m = {NULL, 0};
    uint8_t id[16];
    bz_random(id, sizeof id);
    BZ_TRY(bz_map_create(in->fd, BZ_F_RING, bz_ring_file_size(BZ_LANES_MAX), &m));
    enum bz_status st = bz_ring_format(m.p, m.n, BZ_LANES_MAX, id);
    bz_map_close(&m);
    return st;
}

/* Placeholders of conversations outlive a restart; their values are sealed. */
static enum bz_status make_vault(const struct bz_instance *in) {
    struct bz_map m = {NULL, 0};
    struct bz_vault *v;
    size_t n = bz_vault_size(BZ_VAULT_ENTRIES_DEFAULT);
    if (bz_map_open(in->fd, BZ_F_VAULT, true, &m) == BZ_OK) {
        bool sound = m.n == n && bz_vault_open(m.p, m.n, &v) == BZ_OK;
        bz_map_close(&m);
        if (sound)
            return BZ_OK;
    }
    BZ_TRY(bz_map_create(in->fd, BZ_F_VAULT, n, &m));
    enum bz_status st = bz_vault_format(m.p, m.n, BZ_VAULT_ENTRIES_DEFAULT);
    bz_map_close(&m);
    return st;
}

static enum bz_status make_fifos(const struct bz_instance *in) {
    for (unsigned i = 0; i < BZ_LANES_MAX; i++) {
        char name[32];
        struct stat sb;
        (void)snprintf(name, sizeof name, "run/lane-%u.fifo", i);
        if (fstatat(in->fd, name, &sb, AT_SYMLINK_NOFOLLOW) == 0) {
            if (S_ISFIFO(sb.st_mode))
                continue;
            (void)unlinkat(in->fd, name, 0);
        }
        if (mkfifoat(in->fd, name, 0600) != 0)
            return BZ_EIO;
    }
    return BZ_OK;
}

enum bz_status bz_instance_run_files(const struct bz_instance *in, bool *ret_ring_kept) {
    BZ_TRY(bz_instance_dirs(in->fd));
    BZ_TRY(make_state(in));
    BZ_TRY(make_vault(in));
    bool kept = ring_kept(in);
    if (!kept)
        BZ_TRY(make_ring(in));
    BZ_TRY(make_fifos(in));
    *ret_ring_kept = kept;
    return BZ_OK;
}

/* sun_path holds 107 bytes, an instance path may be longer: the socket is named through a
 * descriptor of its directory. */
static bool sock_addr(const struct bz_instance *in, const char *rel, int *ret_dir,
                      struct sockaddr_un *ret) {
    const char *base = strrchr(rel, '/');
    int n = openat(in->fd, "run", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (n < 0 || base == NULL)
        return false;
    *ret_dir = n;
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    int len = snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d%s", n, base);
    return len > 0 && (size_t)len < sizeof ret->sun_path;
}

int bz_instance_listen(const struct bz_instance *in, const char *rel) {
    struct sockaddr_un sa;
    BZ_FD dir = -1;
    if (!sock_addr(in, rel, &dir, &sa))
        return -1;
    BZ_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)unlinkat(in->fd, rel, 0);
    /* umask 077 makes it 0600; bartizand asks for the peer's user besides */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&sa, sizeof sa) != 0 || listen(fd, 64) != 0)
        return -1;
    int ret = fd;
    fd = -1;
    return ret;
}

int bz_instance_connect(const struct bz_instance *in, const char *rel) {
    struct sockaddr_un sa;
    BZ_FD dir = -1;
    if (!sock_addr(in, rel, &dir, &sa))
        return -1;
    BZ_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&sa, sizeof sa) != 0)
        return -1;
    int ret = fd;
    fd = -1;
    return ret;
}

pid_t bz_instance_running(const struct bz_instance *in) {
    BZ_FD fd = openat(in->fd, BZ_F_UP_LOCK, O_RDWR | O_CLOEXEC);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fd < 0 || fcntl(fd, F_GETLK, &l) != 0 || l.l_type == F_UNLCK)
        return 0;
    return l.l_pid;
}
