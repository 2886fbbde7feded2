/* What a process of the cage gives up. Each step is one function, and none has a way back. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage.h"

/* Numbers of newer kernels than Debian 12's headers know. */
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule 445
#define __NR_landlock_restrict_self 446
#endif
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SOCK = 1 << 9,
    FS_REFER = 1 << 13,
    FS_TRUNCATE = 1 << 14,
    FS_IOCTL_DEV = 1 << 15,
    FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
    NET_BIND = 1,
    NET_CONNECT = 2,
    SCOPE_SIGNAL = 2,
};
struct ruleset {
    uint64_t fs, net, scoped;
};
struct path_rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));
struct port_rule {
    uint64_t allowed, port;
};

/* ---- descriptors, mounts, capabilities, limits ---- */

static bool is_kept(const struct wire *w, int fd) {
    if (fd <= 2 || fd == w->status_fd || fd == w->control_fd || fd == w->listen_fd ||
        fd == w->egress_fd)
        return true;
    for (uint32_t i = 0; i < w->keep_n; i++) {
        if ((int)w->keep[i] == fd)
            return true;
    }
    return false;
}

bool cage_close_others(const struct wire *w) {
    enum { NAMED_MAX = 128 };
    for (int fd = 3; fd < NAMED_MAX; fd++) {
        if (!is_kept(w, fd))
            (void)close(fd);
    }
    return syscall(SYS_close_range, NAMED_MAX, ~0u, 0) == 0;
}

/* Flags that came with a mount must stay: the kernel locks them in a new user namespace. */
static unsigned long mount_flags(const char *path) {
    static const struct {
        unsigned long st, ms;
    } map[] = {{ST_RDONLY, MS_RDONLY},    {ST_NOSUID, MS_NOSUID},   {ST_NODEV, MS_NODEV},
               {ST_NOEXEC, MS_NOEXEC},    {ST_NOATIME, MS_NOATIME}, {ST_NODIRATIME, MS_NODIRATIME},
               {ST_RELATIME, MS_RELATIME}};
    struct statvfs v;
    unsigned long flags = 0;
    if (statvfs(path, &v) != 0)
        return 0;
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        flags |= (v.f_flag & map[i].st) != 0 ? map[i].ms : 0;
    return flags;
}

bool cage_noexec(const struct wire *w) {
    bool ok = true;
    for (uint32_t i = 0; i < w->rules_n; i++) {
        const struct wire_rule *r = &w->rule[i];
        if (r->kind != BZ_MOUNT_TMPFS && r->kind != BZ_MOUNT_BIND)
            continue;
        unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC;
        ok = mount(NULL, r->path, NULL, flags | mount_flags(r->path), NULL) == 0 && ok;
    }
    return ok;
}

bool cage_drop_capabilities(void) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct zero[2] = {{0, 0, 0}, {0, 0, 0}};
    for (unsigned long cap = 0; cap <= 63; cap++) {
        if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
            (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &h, zero) == 0;
}

bool cage_set_limits(const struct wire *w) {
    bool ok = true;
    for (uint32_t i = 0; i < w->limits_n; i++) {
        const __rlimit_resource_t what = (__rlimit_resource_t)w->limit[i].resource;
        struct rlimit l, have;
        ok = getrlimit(what, &have) == 0 && ok;
        l.rlim_max =
            w->limit[i].hard < have.rlim_max ? w->limit[i].hard : have.rlim_max; /* never up */
        l.rlim_cur = w->limit[i].soft < l.rlim_max ? w->limit[i].soft : l.rlim_max;
        ok = setrlimit(what, &l) == 0 && ok;
    }
    return ok;
}

bool cage_no_core(void) {
    int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
    if (fd >=
        0) { /* should a core be written all the same, it is empty: kept over fork and execve */
        (void)!write(fd, "0", 1);
        (void)close(fd);
    }
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/* ---- Landlock ---- */

/* Whatever the kernel can forbid is forbidden, rights that are newer than this program included: the first bit that it
 * does not know ends the list. */
static uint64_t known_bits(unsigned member) {
    uint64_t all = 0;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct ruleset r = {0, 0, 0};
        *(member == 0 ? &r.fs : member == 1 ? &r.net : &r.scoped) = UINT64_C(1) << bit;
        long fd = syscall(__NR_landlock_create_ruleset, &r, sizeof r, 0);
        if (fd < 0)
            break;
        (void)close((int)fd);
        all |= UINT64_C(1) << bit;
    }
    return all;
}

static uint64_t rights(unsigned may) {
    uint64_t r = 0;
    r |= (may & BZ_MAY_READ) != 0 ? FS_READ_FILE : 0u;
    r |= (may & BZ_MAY_LIST) != 0 ? FS_READ_DIR : 0u;
    r |= (may & BZ_MAY_EXEC) != 0 ? FS_EXECUTE : 0u;
    r |= (may & BZ_MAY_WRITE) != 0 ? FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
                                         FS_MAKE_REG | FS_REFER | FS_TRUNCATE
                                   : 0u;
    r |= (may & BZ_MAY_PUT) != 0 ? FS_WRITE_FILE : 0u;
    r |= (may & BZ_MAY_SOCKET) != 0 ? FS_MAKE_SOCK | FS_REMOVE_FILE : 0u;
    r |= (may & BZ_MAY_IOCTL) != 0 ? FS_IOCTL_DEV : 0u;
    return r;
}

static bool add_path(int set, const struct wire_rule *rule, uint64_t handled) {
    struct stat sb;
    int fd = open(rule->path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT && rule->kind == BZ_MOUNT_RULE; /* nothing there to allow */
    struct path_rule r = {rights(rule->may) & handled, fd};
    if (fstat(fd, &sb) == 0 && !S_ISDIR(sb.st_mode))
        r.allowed &= FS_OF_FILES;
    bool ok =
        r.allowed == 0 || syscall(__NR_landlock_add_rule, set, 1 /* path beneath */, &r, 0) == 0;
    (void)close(fd);
    return ok;
}

static bool add_port(int set, uint16_t port, uint64_t what) {
    const struct port_rule r = {what, port};
    return port == 0 || syscall(__NR_landlock_add_rule, set, 2 /* port */, &r, 0) == 0;
}

static int restrict_self(int set, bool ok) {
    if (ok)
        ok = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
             syscall(__NR_landlock_restrict_self, set, 0) == 0;
    int err = errno;
    (void)close(set);
    errno = err;
    return ok ? 1 : -1;
}

int cage_landlock(const struct wire *w) {
    struct ruleset r = {known_bits(0), known_bits(1), known_bits(2)};
    if (r.fs == 0)
        return 0;
    int set = (int)syscall(__NR_landlock_create_ruleset, &r, sizeof r, 0);
    if (set < 0)
        return -1;
    bool ok = true;
    for (uint32_t i = 0; ok && i < w->rules_n; i++)
        ok = w->rule[i].may == 0 || add_path(set, &w->rule[i], r.fs);
    if (ok && (r.net & NET_CONNECT) != 0)
        ok = add_port(set, w->bind_port, NET_BIND) && add_port(set, w->connect_port, NET_CONNECT) &&
             /* its own runners and workers listen on ports that they choose themselves */
             (w->bind_port == 0 || add_port(set, w->bind_port, NET_CONNECT));
    int rc = restrict_self(set, ok);
    long abi = syscall(__NR_landlock_create_ruleset, NULL, 0, 1 /* version */);
    return rc < 0 ? rc : abi > 0 ? (int)abi : 1;
}

int cage_landlock_init(const struct wire *w) {
    struct ruleset r = {known_bits(0), known_bits(1), known_bits(2) & ~(uint64_t)SCOPE_SIGNAL};
    if (r.fs == 0)
        return 0; /* it must still be able to end the server, which lives in another domain */
    int set = (int)syscall(__NR_landlock_create_ruleset, &r, sizeof r, 0);
    if (set < 0)
        return -1;
    return restrict_self(set,
                         (r.net & NET_CONNECT) == 0 || add_port(set, w->forward_port, NET_CONNECT));
}

/* ---- seccomp ---- */

int cage_seccomp(struct bz_view filter, bool notify) {
    struct sock_fprog p = {.len = (unsigned short)(filter.n / sizeof(struct sock_filter))};
    /* the kernel only reads it */
    p.filter = (struct sock_filter *)(uintptr_t)filter.p;
    if (filter.n == 0 || filter.n / sizeof(struct sock_filter) > UINT16_MAX) {
        errno = EINVAL;
        return -1;
    }
    unsigned flags = notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}
