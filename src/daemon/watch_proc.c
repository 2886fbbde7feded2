/* Which processes are behind a backend, and which files they hold. Reading only: nothing is attached to, stopped or asked.
 *
 * /proc/PID/maps and /proc/PID/fd of another process open only for its own user with no more capabilities than we have
 * (ptrace(2), PTRACE_MODE_READ). bartizand has none, so a model server that runs as another user, or with capabilities,
 * cannot be assessed; that is said, and under `enforce` it counts as not approved. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "watch_int.h"

enum { INODES_MAX = 16, PROCESSES_MAX = 65536, HEAD = 16, PATH_TEXT = 4200, TEXT_MAX = 32 << 20 };

static void say(char why[WATCH_WHY], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(char why[WATCH_WHY], const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(why, WATCH_WHY, fmt, ap);
    va_end(ap);
}

/* Files of /proc say nothing about their size. */
static enum bz_status read_proc(const char *path, struct bz_buf *out) {
    BZ_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT || errno == ESRCH ? BZ_ENOTFOUND : BZ_EDENIED;
    for (;;) {
        if (!bz_buf_reserve(out, 65536))
            return bz_buf_status(out);
        ssize_t n = read(fd, out->p + out->n, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == ESRCH ? BZ_ENOTFOUND : BZ_EDENIED;
        if (n == 0)
            return BZ_OK;
        out->n += (size_t)n;
    }
}

/* ---- processes ---- */

struct process {
    pid_t pid;
    uint32_t parent;
    uint64_t begun;
};
struct processes {
    struct process *v;
    size_t n;
};

static bool pid_of(const char *name, pid_t *ret) {
    uint64_t n = 0;
    if (bz_view_u64(bz_view_str(name), &n) != BZ_OK || n == 0 || n > INT32_MAX)
        return false;
    *ret = (pid_t)n;
    return true;
}

static bool read_stat(pid_t pid, struct process *ret) {
    char path[40];
    struct bz_buf b;
    bz_buf_init(&b, 128 << 10);
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    ret->pid = pid;
    bool ok = read_proc(path, &b) == BZ_OK &&
              bz_proc_stat(bz_buf_view(&b), &ret->parent, &ret->begun) == BZ_OK;
    bz_buf_free(&b);
    return ok;
}

static enum bz_status list_processes(struct processes *ret) {
    DIR *d = opendir("/proc");
    size_t cap = 0;
    const struct dirent *e;
    *ret = (struct processes){NULL, 0};
    if (d == NULL)
        return BZ_EIO;
    while ((e = readdir(d)) != NULL && ret->n < PROCESSES_MAX) {
        struct process p;
        if (!pid_of(e->d_name, &p.pid) || !read_stat(p.pid, &p))
            continue; /* gone meanwhile */
        if (ret->n == cap) {
            cap = cap == 0 ? 256 : 2 * cap;
            struct process *more = reallocarray(ret->v, cap, sizeof *more);
            if (more == NULL)
                break;
            ret->v = more;
        }
        ret->v[ret->n++] = p;
    }
    bool whole = e == NULL;
    (void)closedir(d);
    return whole ? BZ_OK : BZ_ETOOBIG;
}

static bool has_pid(const struct watch_pids *l, pid_t pid) {
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i] == pid)
            return true;
    return false;
}

/* Children of children too: each round finds one generation more. */
static bool add_children(const struct processes *all, struct watch_pids *l) {
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < all->n; i++) {
            if (has_pid(l, all->v[i].pid) || !has_pid(l, (pid_t)all->v[i].parent))
                continue;
            if (l->n == WATCH_PIDS_MAX)
                return false;
            l->v[l->n++] = all->v[i].pid;
            more = true;
        }
    }
    return true;
}

/* ---- the listener ---- */

static enum bz_status unix_listener(struct bz_view path, struct watch_pids *ret,
                                    char why[WATCH_WHY]) {
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct ucred cred;
    socklen_t n = sizeof cred;
    BZ_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (path.n >= sizeof sa.sun_path || fd < 0) {
        say(why, "its socket cannot be asked");
        return BZ_EIO;
    }
    memcpy(sa.sun_path, path.p, path.n);
    if (connect(fd, (const struct sockaddr *)&sa, sizeof sa) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0) {
        say(why, "nobody listens at its socket: %s", strerror(errno));
        return BZ_ENOTFOUND;
    }
    if (cred.pid <= 0) {
        say(why, "its process is not visible from here (another PID namespace)");
        return BZ_EDENIED;
    }
    ret->v[ret->n++] = cred.pid;
    return BZ_OK;
}

struct wanted {
    uint64_t inode[INODES_MAX];
    size_t n;
    uint32_t uid;
};

static enum bz_status listeners_of(const char *file, bool v6_file, const uint8_t address[16],
                                   bool v6, uint16_t port, struct wanted *w) {
    struct bz_proc_listener l;
    struct bz_buf b;
    bz_buf_init(&b, TEXT_MAX);
    enum bz_status st = read_proc(file, &b);
    struct bz_view rest = bz_buf_view(&b);
    while (st == BZ_OK && (st = bz_proc_listener_next(&rest, v6_file, &l)) == BZ_OK) {
        if (bz_proc_listens(&l, address, v6, port) && w->n < INODES_MAX) {
            w->inode[w->n++] = l.inode;
            w->uid = l.uid;
        }
    }
    bz_buf_free(&b);
    return st == BZ_MORE || st == BZ_ENOTFOUND ? BZ_OK : st;
}

/* What the url says itself. */
static void numeric_address(const struct bz_url *u, char out[80]) {
    struct bz_view host = bz_view_eq(u->host, BZ_V("localhost")) ? BZ_V("127.0.0.1") : u->host;
    bool v6 = memchr(host.p, ':', host.n) != NULL;
    (void)snprintf(out, 80, "%s%.*s%s:%u", v6 ? "[" : "", (int)host.n, (const char *)host.p,
                   v6 ? "]" : "", u->port);
}

/* "127.0.0.1:8080" or "[::1]:8080", as the health check resolved it. */
static bool split_address(const char *text, uint8_t address[16], bool *v6, uint16_t *port) {
    char host[64];
    uint64_t n = 0;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || bz_view_u64(bz_view_str(colon + 1), &n) != BZ_OK || n > 65535)
        return false;
    *v6 = text[0] == '[';
    size_t from = *v6 ? 1 : 0, len = (size_t)(colon - text) - 2 * from;
    if (len == 0 || len >= sizeof host)
        return false;
    memcpy(host, text + from, len);
    host[len] = '\0';
    *port = (uint16_t)n;
    memset(address, 0, 16);
    return inet_pton(*v6 ? AF_INET6 : AF_INET, host, address) == 1;
}

static bool is_wanted(const struct wanted *w, const char *link) {
    char text[48];
    for (size_t i = 0; i < w->n; i++) {
        (void)snprintf(text, sizeof text, "socket:[%llu]", (unsigned long long)w->inode[i]);
        if (strcmp(text, link) == 0)
            return true;
    }
    return false;
}

static bool holds(pid_t pid, const struct wanted *w) {
    char path[40], link[64];
    const struct dirent *e;
    bool found = false;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *d = opendir(path);
    while (d != NULL && !found && (e = readdir(d)) != NULL) {
        ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
        if (n <= 0)
            continue;
        link[n] = '\0';
        found = is_wanted(w, link);
    }
    if (d != NULL)
        (void)closedir(d);
    return found;
}

static enum bz_status tcp_listener(const char *address, const struct processes *all,
                                   struct watch_pids *ret, char why[WATCH_WHY]) {
    uint8_t a[16];
    bool v6 = false;
    uint16_t port = 0;
    struct wanted w = {.n = 0};
    if (!split_address(address, a, &v6, &port)) {
        say(why, "its address is not known yet");
        return BZ_ENOTFOUND;
    }
    enum bz_status st = v6 ? BZ_OK : listeners_of("/proc/net/tcp", false, a, v6, port, &w);
    if (st == BZ_OK)
        st = listeners_of("/proc/net/tcp6", true, a, v6, port, &w);
    if (st != BZ_OK || w.n == 0) {
        say(why,
            "nobody on this machine listens at %s: a model server elsewhere, or in a network "
            "namespace of its own, cannot be looked into",
            address);
        return BZ_ENOTFOUND;
    }
    for (size_t i = 0; i < all->n && ret->n < WATCH_PIDS_MAX; i++) {
        if (holds(all->v[i].pid, &w))
            ret->v[ret->n++] = all->v[i].pid;
    }
    if (ret->n > 0)
        return BZ_OK;
    say(why,
        "its process cannot be looked into: the listener at %s belongs to user %u, bartizand "
        "runs as user %u without capabilities; run the model server as that user and without "
        "capabilities",
        address, (unsigned)w.uid, (unsigned)geteuid());
    return BZ_EDENIED;
}

enum bz_status watch_find(const struct bz_backend_config *c, const char *address,
                          struct watch_pids *ret, char why[WATCH_WHY]) {
    struct bz_url u;
    struct processes all;
    char own[80] = "";
    *ret = (struct watch_pids){.n = 0};
    enum bz_status st = bz_url_parse(bz_view_str(c->url), &u, NULL);
    if (st == BZ_OK)
        st = list_processes(&all);
    if (st != BZ_OK) {
        say(why, "/proc cannot be read");
        return st;
    }
    if (!u.unix_socket && u.numeric) {
        numeric_address(&u, own);
        address = own;
    }
    st = u.unix_socket ? unix_listener(u.path, ret, why) : tcp_listener(address, &all, ret, why);
    if (st == BZ_OK && !add_children(&all, ret)) {
        say(why, "it has more than %d processes", WATCH_PIDS_MAX);
        st = BZ_ETOOBIG;
    }
    for (size_t i = 0; i < all.n && st == BZ_OK; i++) {
        if (all.v[i].pid == ret->v[0])
            ret->begun = all.v[i].begun;
    }
    free(all.v);
    return st;
}

/* ---- files ---- */

bool watch_verity(int fd, uint8_t digest[64]) {
    struct {
        struct fsverity_digest head;
        uint8_t room[64];
    } d = {.head = {.digest_size = 64}};
    if (ioctl(fd, FS_IOC_MEASURE_VERITY, &d) != 0)
        return false;
    memset(digest, 0, 64);
    memcpy(digest, d.head.digest, d.head.digest_size < 64 ? d.head.digest_size : 64);
    return true;
}

static void id_of(const struct stat *s, struct watch_id *ret) {
    *ret = (struct watch_id){
        .dev = s->st_dev,
        .ino = s->st_ino,
        .size = (uint64_t)s->st_size,
        .ctime_ns = (uint64_t)s->st_ctim.tv_sec * 1000000000u + (uint64_t)s->st_ctim.tv_nsec,
        .mtime_ns = (uint64_t)s->st_mtim.tv_sec * 1000000000u + (uint64_t)s->st_mtim.tv_nsec,
    };
}

/* Some file systems show another device in maps than in stat. */
static bool other_device_is_fine(int fd) {
    struct statfs f;
    return fstatfs(fd, &f) == 0 &&
           (f.f_type == BTRFS_SUPER_MAGIC || f.f_type == OVERLAYFS_SUPER_MAGIC);
}

struct walk {
    pid_t pid;
    const struct watch_visit *v;
    char *why;
    uint64_t (*seen)[2]; /* device, inode */
    size_t seen_n, seen_cap;
    char path[PATH_TEXT], shown[1024];
};

static bool first_time(struct walk *w, uint64_t dev, uint64_t ino) {
    for (size_t i = 0; i < w->seen_n; i++)
        if (w->seen[i][0] == dev && w->seen[i][1] == ino)
            return false;
    if (w->seen_n == w->seen_cap) {
        size_t cap = w->seen_cap == 0 ? 128 : 2 * w->seen_cap;
        void *more = reallocarray(w->seen, cap, sizeof *w->seen);
        if (more == NULL)
            return true; /* looked at twice */
        w->seen = more;
        w->seen_cap = cap;
    }
    w->seen[w->seen_n][0] = dev;
    w->seen[w->seen_n++][1] = ino;
    return true;
}

static const char *shown(struct walk *w, struct bz_view path) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, w->shown, sizeof w->shown - 1);
    bz_put_safe(&b, bz_view_sub(path, path.n > 200 ? path.n - 200 : 0, 200));
    w->shown[b.n] = '\0';
    return w->shown;
}

/* Takes fd. */
static enum bz_status visit_fd(struct walk *w, int fd, const struct stat *s, struct bz_view path) {
    struct watch_found f = {.pid = w->pid, .path = shown(w, path), .fd = fd};
    uint8_t head[HEAD];
    id_of(s, &f.id);
    ssize_t n = pread(fd, head, sizeof head, 0);
    enum bz_status st = BZ_OK;
    if (n < 0)
        st = BZ_EDENIED;
    else if (bz_model_file_like(bz_view(head, (size_t)n), path, f.id.size))
        st = w->v->file(w->v->ctx, &f);
    else
        w->v->plain(w->v->ctx, &f.id);
    (void)close(fd);
    return st;
}

static enum bz_status visit_replaced(struct walk *w, struct bz_view path) {
    const struct watch_found f = {
        .pid = w->pid, .path = shown(w, path), .fd = -1, .replaced = true};
    return w->v->file(w->v->ctx, &f);
}

/* Memory that only looks like a file, and files of the kernel. */
static bool no_file(struct bz_view path) {
    static const char *const list[] = {"/dev/", "/memfd:", "/SYSV", "/proc/",
                                       "/sys/", "/[",      "/anon"};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (bz_view_starts(path, bz_view_str(list[i])))
            return true;
    return false;
}

/* A name that is gone tells nothing about the bytes; what is small and has no telling name is a temporary file. */
static bool matters(const struct bz_proc_map *m) {
    return bz_model_file_like(bz_view(NULL, 0), m->path, m->end - m->start);
}

static enum bz_status visit_map(struct walk *w, const struct bz_proc_map *m) {
    struct stat s;
    struct watch_id id;
    int len = snprintf(w->path, sizeof w->path, "/proc/%d/root%.*s", (int)w->pid, (int)m->path.n,
                       (const char *)m->path.p);
    if (len < 0 || (size_t)len >= sizeof w->path)
        return BZ_ETOOBIG;
    if (m->deleted || fstatat(AT_FDCWD, w->path, &s, AT_SYMLINK_NOFOLLOW) != 0 ||
        s.st_ino != m->inode)
        return matters(m) ? visit_replaced(w, m->path) : BZ_OK;
    if (!S_ISREG(s.st_mode))
        return BZ_OK;
    id_of(&s, &id);
    if (w->v->known_plain(w->v->ctx, &id))
        return BZ_OK;
    int fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        say(w->why, "%s, which process %d has mapped, cannot be read: %s", shown(w, m->path),
            (int)w->pid, strerror(errno));
        return matters(m) ? BZ_EDENIED : BZ_OK;
    }
    bool same = fstat(fd, &s) == 0 && s.st_ino == m->inode &&
                (s.st_dev == makedev(m->major, m->minor) || other_device_is_fine(fd));
    if (!same) {
        (void)close(fd);
        return matters(m) ? visit_replaced(w, m->path) : BZ_OK;
    }
    return visit_fd(w, fd, &s, m->path);
}

static bool is_code(struct bz_view all, const struct bz_proc_map *m) {
    struct bz_proc_map o;
    while (bz_proc_map_next(&all, &o) == BZ_OK) {
        if (o.exec && o.inode == m->inode && o.major == m->major && o.minor == m->minor)
            return true;
    }
    return false;
}

static enum bz_status walk_maps(struct walk *w) {
    struct bz_proc_map m;
    struct bz_buf b;
    char path[40];
    bz_buf_init(&b, TEXT_MAX);
    (void)snprintf(path, sizeof path, "/proc/%d/maps", (int)w->pid);
    enum bz_status st = read_proc(path, &b);
    struct bz_view rest = bz_buf_view(&b);
    if (st == BZ_EDENIED)
        say(w->why,
            "process %d cannot be looked into: run the model server as user %u and without "
            "capabilities",
            (int)w->pid, (unsigned)geteuid());
    while (st == BZ_OK && (st = bz_proc_map_next(&rest, &m)) == BZ_OK) {
        uint64_t dev = (uint64_t)m.major << 32 | m.minor;
        if (no_file(m.path) || !first_time(w, dev, m.inode))
            continue;
        if (m.deleted && is_code(bz_buf_view(&b), &m))
            continue; /* a library that was updated */
        st = visit_map(w, &m);
        if (st != BZ_OK)
            break;
    }
    bz_buf_free(&b);
    return st == BZ_MORE || st == BZ_ENOTFOUND ? BZ_OK : st;
}

static enum bz_status visit_open(struct walk *w, int dir, const char *name) {
    struct stat s;
    struct watch_id id;
    ssize_t n = readlinkat(dir, name, w->path, sizeof w->path - 1);
    if (n <= 0 || w->path[0] != '/' || no_file(bz_view(w->path, (size_t)n)))
        return BZ_OK;
    if (fstatat(dir, name, &s, 0) != 0 || !S_ISREG(s.st_mode))
        return BZ_OK;
    id_of(&s, &id);
    if (w->v->known_plain(w->v->ctx, &id))
        return BZ_OK;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return BZ_OK; /* a file that it only writes: no weights come from there */
    return visit_fd(w, fd, &s, bz_view(w->path, (size_t)n));
}

static enum bz_status walk_fds(struct walk *w) {
    char path[40];
    const struct dirent *e;
    enum bz_status st = BZ_OK;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)w->pid);
    DIR *d = opendir(path);
    if (d == NULL && (errno == ENOENT || errno == ESRCH))
        return BZ_OK;
    if (d == NULL) {
        say(w->why, "the open files of process %d cannot be listed: %s", (int)w->pid,
            strerror(errno));
        return BZ_EDENIED;
    }
    while (st == BZ_OK && (e = readdir(d)) != NULL)
        st = visit_open(w, dirfd(d), e->d_name);
    (void)closedir(d);
    return st;
}

enum bz_status watch_files(pid_t pid, const struct watch_visit *v, char why[WATCH_WHY]) {
    struct walk *w = calloc(1, sizeof *w);
    if (w == NULL)
        return BZ_ENOMEM;
    *w = (struct walk){.pid = pid, .v = v, .why = why};
    enum bz_status st = walk_maps(w);
    if (st == BZ_OK)
        st = walk_fds(w);
    if (st != BZ_OK && why[0] == '\0')
        say(why, "process %d: %s", (int)pid, bz_status_text(st));
    free(w->seen);
    free(w);
    return st;
}
