/* Reads back, as the process that is about to become the server, what it can no longer do. Nothing here asks what was
 * set: it asks the kernel what holds. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage.h"

enum { TEXT_MAX = 65536 };
static char text[TEXT_MAX];
extern char **environ;

/* ---- eyes ---- */

static uint64_t ns_inode(const char *name) {
    char path[64];
    struct stat sb;
    (void)snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    return stat(path, &sb) == 0 ? sb.st_ino : 0;
}

bool cage_eyes_open(struct cage_eyes *e) {
    const int flags = O_RDONLY | O_CLOEXEC;
    e->status = open("/proc/self/status", flags);
    e->mounts = open("/proc/self/mountinfo", flags);
    e->fds = open("/proc/self/fd", flags | O_DIRECTORY);
    e->ids = open("/proc/self/uid_map", flags);
    for (unsigned i = 0; i < WIRE_NAMESPACES; i++)
        e->ns[i] = ns_inode(wire_namespaces[i]);
    return e->status >= 0 && e->mounts >= 0 && e->fds >= 0 && e->ids >= 0;
}

/* The whole file into `text`; empty when it does not fit. */
static const char *slurp(int fd) {
    size_t n = 0;
    ssize_t got;
    while (n < sizeof text - 1 && (got = pread(fd, text + n, sizeof text - 1 - n, (off_t)n)) > 0)
        n += (size_t)got;
    text[n == sizeof text - 1 ? 0 : n] = '\0';
    return text;
}

/* ---- the process ---- */

static bool status_is(const char *name, const char *value) {
    size_t n = strlen(name), v = strlen(value);
    for (const char *p = text; p != NULL && *p != '\0';) {
        if (strncmp(p, name, n) == 0 && p[n] == ':') {
            p += n + 1;
            p += strspn(p, " \t");
            return strncmp(p, value, v) == 0 && p[v] == '\n';
        }
        p = strchr(p, '\n');
        p = p == NULL ? NULL : p + 1;
    }
    return false;
}

static unsigned check_process(const struct wire *w, const struct cage_eyes *e) {
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    unsigned bad = 0;
    (void)slurp(e->status);
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        bad += !status_is(sets[i], "0000000000000000");
    bad = !cage_say(w, bad == 0, "capabilities", "%u of 5 sets not empty", bad);
    bad += !cage_say(w, status_is("NoNewPrivs", "1"), "no_new_privs", "-");
    bad += !cage_say(w, status_is("Seccomp", "2"), "seccomp", "%zu instructions", w->filter.n / 8);
    return bad;
}

/* "     65534      61184          1": whom the kernel sees outside. */
static unsigned check_user(const struct wire *w, const struct cage_eyes *e) {
    const char *p = slurp(e->ids);
    size_t n;
    p += strspn(p, " ");
    p += strcspn(p, " ");
    p += strspn(p, " ");
    n = strcspn(p, " ");
    bool good = getuid() == BZ_CAGE_UID && n > 0 && !(n == 1 && p[0] == '0');
    return !cage_say(w, good, "user", "uid %u inside, %.*s outside", (unsigned)getuid(), (int)n, p);
}

static unsigned check_namespaces(const struct wire *w, const struct cage_eyes *e) {
    unsigned bad = 0;
    for (unsigned i = 0; i < WIRE_NAMESPACES; i++) {
        char name[32];
        bool own = e->ns[i] != 0 && w->outside[i] != 0 && e->ns[i] != w->outside[i];
        (void)snprintf(name, sizeof name, "namespace_%s", wire_namespaces[i]);
        bad += !cage_say(w, own, name, "%llu", (unsigned long long)e->ns[i]);
    }
    return bad;
}

/* ---- mounts ---- */

static const struct wire_rule *rule_of(const struct wire *w, const char *path, size_t n) {
    for (uint32_t i = 0; i < w->rules_n; i++) {
        const struct wire_rule *r = &w->rule[i];
        if (r->kind != BZ_MOUNT_RULE && r->kind != BZ_MOUNT_LINK && strlen(r->path) == n &&
            strncmp(r->path, path, n) == 0)
            return r;
    }
    return NULL;
}

/* one of "rw,nosuid,nodev" */
static bool has_option(const char *list, size_t n, const char *option) {
    size_t o = strlen(option);
    for (size_t i = 0; i + o <= n; i++) {
        if ((i == 0 || list[i - 1] == ',') && strncmp(list + i, option, o) == 0 &&
            (i + o == n || list[i + o] == ','))
            return true;
    }
    return false;
}

static bool mount_fine(const struct wire *w, const char *path, size_t n, const char *opt,
                       size_t opt_n) {
    const struct wire_rule *r = rule_of(w, path, n);
    bool ro = has_option(opt, opt_n, "ro");
    bool tame = has_option(opt, opt_n, "nosuid") && has_option(opt, opt_n, "noexec");
    if (n == 1) /* the empty root */
        return ro;
    if (r == NULL) /* bubblewrap covers parts of /proc with read-only copies */
        return n > 6 && strncmp(path, "/proc/", 6) == 0 && ro;
    switch (r->kind) {
    case BZ_MOUNT_BIND_RO:
        return ro && has_option(opt, opt_n, "nosuid");
    case BZ_MOUNT_TMPFS:
    case BZ_MOUNT_BIND:
        return tame && has_option(opt, opt_n, "nodev");
    case BZ_MOUNT_PROC:
        return tame;
    default:
        return true;
    }
}

/* "36 35 98:0 /from /to rw,noatime shared:1 - ext4 ...". Spaces in names are written \040, so names with such are never
 * equal to ours and count as foreign: the launcher refuses them beforehand. */
static unsigned check_mounts(const struct wire *w, const struct cage_eyes *e) {
    unsigned n = 0, bad = 0;
    const char *line = slurp(e->mounts);
    char worst[128] = "";
    for (; line != NULL && *line != '\0';
         line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        const char *p = line;
        for (int skip = 0; skip < 4; skip++)
            p += strcspn(p, " \n") + (p[strcspn(p, " \n")] == ' ');
        size_t path_n = strcspn(p, " \n");
        const char *opt = p + path_n + (p[path_n] == ' ');
        n++;
        if (!mount_fine(w, p, path_n, opt, strcspn(opt, " \n"))) {
            bad++;
            (void)snprintf(worst, sizeof worst, "%.*s", (int)(path_n < 100 ? path_n : 100), p);
        }
    }
    return !cage_say(w, n > 0 && bad == 0, "mounts", "%u seen, %u foreign or too free %s", n, bad,
                     worst);
}

/* ---- descriptors, environment, limits, memory, files ---- */

static bool kept(const struct wire *w, unsigned fd) {
    for (uint32_t i = 0; i < w->keep_n; i++) {
        if (w->keep[i] == fd)
            return true;
    }
    return fd <= 2;
}

struct entry {
    uint64_t ino;
    int64_t off;
    uint16_t len;
    uint8_t type;
    char name[];
};

static unsigned check_descriptors(const struct wire *w, const struct cage_eyes *e) {
    unsigned leaked = 0, seen = 0;
    long n;
    while ((n = syscall(SYS_getdents64, e->fds, text, sizeof text)) > 0) {
        for (long at = 0; at < n;) {
            const struct entry *d = (const struct entry *)(const void *)(text + at);
            uint64_t fd = 0;
            at += d->len;
            if (bz_view_u64(bz_view_str(d->name), &fd) != BZ_OK)
                continue;
            seen++;
            /* those that close by themselves never reach the server */
            if (!kept(w, (unsigned)fd) && (fcntl((int)fd, F_GETFD) & FD_CLOEXEC) == 0)
                leaked++;
        }
    }
    return !cage_say(w, n == 0 && seen > 0 && leaked == 0, "descriptors", "%u kept, %u leaked",
                     3 + w->keep_n, leaked);
}

/* What this process would hand on besides the plan's variables: execve gets the plan's list alone, so a variable can only
 * come in by that list. */
static unsigned check_environment(const struct wire *w) {
    unsigned foreign = 0;
    for (char **v = environ; v != NULL && *v != NULL; v++) {
        if (strncmp(*v, "PWD=", 4) != 0) /* bubblewrap's, of this process; not in the list */
            foreign++;
    }
    return !cage_say(w, foreign == 0, "environment", "%u given, %u leaked", w->env_n, foreign);
}

static unsigned check_limits(const struct wire *w) {
    unsigned bad = 0;
    for (uint32_t i = 0; i < w->limits_n; i++) {
        struct rlimit l;
        bad += getrlimit((__rlimit_resource_t)w->limit[i].resource, &l) != 0 ||
               l.rlim_max > w->limit[i].hard;
    }
    return !cage_say(w, bad == 0, "limits", "%u set, %u too high", w->limits_n, bad);
}

static unsigned check_memory(const struct wire *w, const struct cage_eyes *e) {
    if ((w->flags & WIRE_WX) != 0) {
        (void)cage_say(w, true, "w_xor_x", "given up by the profile");
        return 0;
    }
    void *p =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p != MAP_FAILED)
        (void)munmap(p, 4096);
    return !cage_say(w, p == MAP_FAILED, "w_xor_x", "%s",
                     e->mdwe ? "seccomp and kernel" : "seccomp");
}

static unsigned check_landlock(const struct wire *w, const struct cage_eyes *e) {
    enum { ABI_NET = 4, ABI_SCOPES = 6 };
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool shut = fd < 0 && errno == EACCES;
    if (fd >= 0)
        (void)close(fd);
    unsigned bad = !cage_say(w, e->landlock > 0 && shut, "landlock", "abi %d", e->landlock);
    /* Older kernels have no such rights. What they would forbid is not there either: the network namespace has a loopback
     * of its own and no abstract socket but its own, the pid namespace nobody to signal. */
    bool net = e->ns[5] != 0 && e->ns[5] != w->outside[5],
         pid = e->ns[1] != 0 && e->ns[1] != w->outside[1];
    bad +=
        !cage_say(w, e->landlock >= ABI_NET || net, "landlock_network", "%s",
                  e->landlock >= ABI_NET ? "enforced"
                                         : "this kernel has none; the network namespace is empty");
    bad += !cage_say(w, e->landlock >= ABI_SCOPES || (net && pid), "landlock_scopes", "%s",
                     e->landlock >= ABI_SCOPES ? "enforced"
                                               : "this kernel has none; the namespaces are empty");
    return bad;
}

unsigned cage_check(const struct wire *w, const struct cage_eyes *e) {
    unsigned bad = check_user(w, e) + check_namespaces(w, e) + check_process(w, e) +
                   check_mounts(w, e) + check_descriptors(w, e) + check_environment(w) +
                   check_limits(w) + check_memory(w, e) + check_landlock(w, e);
    return bad;
}
