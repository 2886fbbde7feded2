/* Control groups of both kinds, where this user may write them. */
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { CGROUP2_MAGIC = 0x63677270, TEXT_MAX = 2048 };

static bool write_to(const char *dir, const char *file, const char *text) {
    char path[512];
    int n = snprintf(path, sizeof path, "%s/%s", dir, file);
    if (n < 0 || (size_t)n >= sizeof path)
        return false;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t len = strlen(text);
    bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool write_u64(const char *dir, const char *file, uint64_t v) {
    char text[32];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    return write_to(dir, file, text);
}

static bool read_file(const char *path, char *out, size_t cap) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, cap - 1);
    if (fd >= 0)
        (void)close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

bool bz_cgroup_path(struct bz_view list, struct bz_view controller, struct bz_view *ret) {
    while (list.n > 0) {
        size_t n = 0, a = 0, b = 0;
        while (n < list.n && list.p[n] != '\n')
            n++;
        struct bz_view line = bz_view_sub(list, 0, n);
        list = bz_view_sub(list, n < list.n ? n + 1 : n, list.n);
        while (a < line.n && line.p[a] != ':')
            a++;
        b = a + 1;
        while (b < line.n && line.p[b] != ':')
            b++;
        if (b >= line.n)
            continue;
        struct bz_view names = bz_view_sub(line, a + 1, b - a - 1);
        struct bz_view path = bz_view_sub(line, b + 1, line.n);
        bool hit = names.n == 0 && controller.n == 0;
        for (size_t i = 0; !hit && controller.n > 0 && i < names.n;) {
            size_t e = i;
            while (e < names.n && names.p[e] != ',')
                e++;
            hit = bz_view_eq(bz_view_sub(names, i, e - i), controller);
            i = e + 1;
        }
        if (hit && path.n > 0 && path.p[0] == '/') {
            *ret = path;
            return true;
        }
    }
    return false;
}

/* Those of launchers that were killed: named after a process that is gone, and empty, or rmdir fails. */
static void sweep(const char *parent) {
    DIR *d = opendir(parent);
    const struct dirent *e;
    char path[768];
    while (d != NULL && (e = readdir(d)) != NULL) {
        const char *pid = strrchr(e->d_name, '-');
        uint64_t number = 0;
        if (strncmp(e->d_name, "bartizan-", 9) != 0 || pid == NULL ||
            bz_view_u64(bz_view_str(pid + 1), &number) != BZ_OK)
            continue;
        (void)snprintf(path, sizeof path, "/proc/%llu", (unsigned long long)number);
        if (access(path, F_OK) == 0)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", parent, e->d_name) < (int)sizeof path)
            (void)rmdir(path);
    }
    if (d != NULL)
        (void)closedir(d);
}

/* A directory of our own below where we are; "" when that cannot be. */
static void make_below(const char *mount, struct bz_view own, const char *name, char out[512]) {
    int n = snprintf(out, 512, "%s%.*s", mount, own.n == 1 ? 0 : (int)own.n, (const char *)own.p);
    if (n > 0 && n < 512)
        sweep(out);
    n = snprintf(out, 512, "%s%.*s/%s", mount, own.n == 1 ? 0 : (int)own.n, (const char *)own.p,
                 name);
    if (n < 0 || n >= 512 || mkdir(out, 0755) != 0)
        out[0] = '\0';
}

/* ---- v2 ---- */

static bool all_v2(const char *dir, const struct bz_cgroup_limits *l) {
    char cpu[48];
    (void)snprintf(cpu, sizeof cpu, "%u 100000", l->cpu_percent * 1000u);
    return write_u64(dir, "memory.max", l->memory) && write_u64(dir, "pids.max", l->pids) &&
           (write_to(dir, "memory.swap.max", "0") || errno == ENOENT) &&
           (l->cpu_percent == 0 || write_to(dir, "cpu.max", cpu));
}

static bool try_v2(struct bz_cgroup *g, struct bz_view list, const char *name,
                   const struct bz_cgroup_limits *l) {
    struct statfs fs;
    struct bz_view own;
    if (statfs("/sys/fs/cgroup", &fs) != 0 || fs.f_type != CGROUP2_MAGIC ||
        !bz_cgroup_path(list, bz_view(NULL, 0), &own))
        return false;
    make_below("/sys/fs/cgroup", own, name, g->dir[0]);
    if (g->dir[0][0] == '\0')
        return false;
    g->n = 1;
    g->memory = g->pids = all_v2(g->dir[0], l);
    if (!g->memory)
        bz_cgroup_done(g);
    return g->memory;
}

/* ---- v1: a hierarchy each ---- */

static bool one_v1(struct bz_cgroup *g, struct bz_view list, const char *controller,
                   const char *name) {
    char mount[64];
    struct bz_view own;
    (void)snprintf(mount, sizeof mount, "/sys/fs/cgroup/%s", controller);
    if (!bz_cgroup_path(list, bz_view_str(controller), &own))
        return false;
    make_below(mount, own, name, g->dir[g->n]);
    if (g->dir[g->n][0] == '\0')
        return false;
    g->n++;
    return true;
}

static void try_v1(struct bz_cgroup *g, struct bz_view list, const char *name,
                   const struct bz_cgroup_limits *l) {
    if (one_v1(g, list, "memory", name)) {
        const char *dir = g->dir[g->n - 1];
        g->memory = write_u64(dir, "memory.limit_in_bytes", l->memory);
        (void)write_u64(dir, "memory.memsw.limit_in_bytes", l->memory); /* where swap is counted */
        (void)write_to(dir, "memory.swappiness", "0");
    }
    if (one_v1(g, list, "pids", name))
        g->pids = write_u64(g->dir[g->n - 1], "pids.max", l->pids);
    if (l->cpu_percent != 0 && one_v1(g, list, "cpu", name)) {
        const char *dir = g->dir[g->n - 1];
        g->cpu = write_u64(dir, "cpu.cfs_period_us", 100000) &&
                 write_u64(dir, "cpu.cfs_quota_us", l->cpu_percent * 1000u);
    }
}

void bz_cgroup_make(struct bz_cgroup *g, const char *name, const struct bz_cgroup_limits *l) {
    char text[TEXT_MAX];
    memset(g, 0, sizeof *g);
    if (!read_file("/proc/self/cgroup", text, sizeof text))
        return;
    struct bz_view list = bz_view_str(text);
    if (try_v2(g, list, name, l)) {
        g->v2 = true;
        g->cpu = l->cpu_percent != 0;
        return;
    }
    try_v1(g, list, name, l);
}

bool bz_cgroup_enter(const struct bz_cgroup *g) {
    bool ok = true;
    for (size_t i = 0; i < g->n; i++)
        ok = write_to(g->dir[i], "cgroup.procs", "0") && ok;
    return ok;
}

void bz_cgroup_done(struct bz_cgroup *g) {
    for (size_t i = 0; i < g->n; i++) {
        (void)write_to(g->dir[i], "cgroup.kill", "1"); /* v2 of Linux 5.14 */
        for (int tries = 0; rmdir(g->dir[i]) != 0 && errno == EBUSY && tries < 50; tries++)
            (void)usleep(2000); /* the last process is about to be gone */
    }
    memset(g, 0, sizeof *g);
}
