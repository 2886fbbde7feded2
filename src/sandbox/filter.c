/* The seccomp filter of a plan: an allow-list, compiled by libseccomp. What is not named gets EPERM; a call of another
 * architecture's table ends the process. */
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <bartizan/sandbox.h>

/* Debian 12's headers are those of Linux 6.1. */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#define NEW_NAMESPACES                                                                             \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

static bool allow_if(scmp_filter_ctx c, const char *call, unsigned n,
                     const struct scmp_arg_cmp *a) {
    int nr = seccomp_syscall_resolve_name(call);
    if (nr < 0) /* not on this architecture */
        return true;
    return seccomp_rule_add_array(c, SCMP_ACT_ALLOW, nr, n, a) == 0;
}

static bool allow(scmp_filter_ctx c, const char *call) {
    return allow_if(c, call, 0, NULL);
}

static bool allow_values(scmp_filter_ctx c, const char *call, unsigned arg, const uint64_t *v,
                         size_t n) {
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        const struct scmp_arg_cmp a = {arg, SCMP_CMP_EQ, v[i], 0};
        ok = allow_if(c, call, 1, &a) && ok;
    }
    return ok;
}

/* clone3's flags are in memory, where a filter cannot look: glibc falls back to clone. */
static bool add_clone(scmp_filter_ctx c, const struct bz_cage_plan *p) {
    bool fork = (p->profile->calls & BZ_CALLS_FORK) != 0;
    const struct scmp_arg_cmp threads = {0, SCMP_CMP_MASKED_EQ, NEW_NAMESPACES | CLONE_THREAD,
                                         CLONE_THREAD};
    const struct scmp_arg_cmp any = {0, SCMP_CMP_MASKED_EQ, NEW_NAMESPACES, 0};
    return seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           allow_if(c, "clone", 1, fork ? &any : &threads);
}

/* No page is writable and executable, and none becomes executable that was not mapped so from a file. */
static bool add_memory(scmp_filter_ctx c, const struct bz_cage_plan *p) {
    if (p->wx)
        return allow(c, "mmap") && allow(c, "mprotect") && allow(c, "pkey_mprotect") &&
               allow(c, "memfd_create") && allow(c, "pkey_alloc") && allow(c, "pkey_free");
    const struct scmp_arg_cmp not_x = {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    const struct scmp_arg_cmp x_only = {2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC};
    /* executable and anonymous has no use but code made at run time */
    const struct scmp_arg_cmp file_x[2] = {x_only, {3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0}};
    return allow_if(c, "mmap", 1, &not_x) && allow_if(c, "mmap", 2, file_x) &&
           allow_if(c, "mprotect", 1, &not_x);
}

static bool add_sockets(scmp_filter_ctx c, const struct bz_cage_plan *p) {
    static const uint64_t families[] = {AF_UNIX, AF_INET, AF_INET6};
    if ((p->profile->calls & BZ_CALLS_SERVE) == 0)
        return true;
    bool inet = p->profile->inet || p->egress;
    bool ok = true;
    for (size_t i = 0; i < (inet ? 3u : 1u); i++) { /* streams and datagrams, never raw */
        const struct scmp_arg_cmp stream[2] = {{0, SCMP_CMP_EQ, families[i], 0},
                                               {1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM}};
        const struct scmp_arg_cmp dgram[2] = {{0, SCMP_CMP_EQ, families[i], 0},
                                              {1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM}};
        ok = allow_if(c, "socket", 2, stream) && allow_if(c, "socket", 2, dgram) && ok;
    }
    return ok;
}

static bool add_control(scmp_filter_ctx c, const struct bz_cage_plan *p) {
    static const uint64_t prctls[] = {
        PR_SET_NAME,         PR_GET_NAME,         PR_GET_DUMPABLE,   PR_SET_DUMPABLE,
        PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS, PR_GET_SECCOMP,    PR_SET_PDEATHSIG,
        PR_GET_PDEATHSIG,    PR_CAPBSET_READ,     PR_SET_TIMERSLACK, PR_SET_VMA,
        PR_SET_THP_DISABLE,  PR_GET_THP_DISABLE,  PR_SET_MDWE,       PR_GET_KEEPCAPS};
    static const uint64_t ioctls[] = {FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TCGETS, TIOCGWINSZ};
    static const uint64_t pushes[] = {TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS, TIOCSCTTY};
    if (!allow_values(c, "prctl", 0, prctls, sizeof prctls / sizeof prctls[0]))
        return false;
    if (!p->gpu)
        return allow_values(c, "ioctl", 1, ioctls, sizeof ioctls / sizeof ioctls[0]);
    /* Drivers have hundreds of requests: devices are chosen by Landlock, terminals are left out. */
    bool ok = true;
    for (size_t i = 0; i < sizeof pushes / sizeof pushes[0]; i++) {
        const struct scmp_arg_cmp a = {1, SCMP_CMP_MASKED_EQ, UINT32_MAX, pushes[i]};
        ok = seccomp_rule_add_array(c, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(ioctl), 1, &a) == 0 && ok;
    }
    const struct scmp_arg_cmp rest = {1, SCMP_CMP_MASKED_EQ, 0xffffff00, 0x4600}; /* 'F': NVIDIA */
    const struct scmp_arg_cmp drm = {1, SCMP_CMP_MASKED_EQ, 0xff00, 0x6400};      /* 'd': DRM */
    const struct scmp_arg_cmp kfd = {1, SCMP_CMP_MASKED_EQ, 0xff00, 0x4b00};      /* 'K': KFD */
    const struct scmp_arg_cmp nv = {1, SCMP_CMP_MASKED_EQ, 0xff00, 0x4600};
    const struct scmp_arg_cmp uvm = {1, SCMP_CMP_MASKED_EQ, 0xffffff00,
                                     0}; /* small plain numbers */
    const struct scmp_arg_cmp uvm_init = {1, SCMP_CMP_EQ, 0x30000001, 0};
    const struct scmp_arg_cmp uvm_done = {1, SCMP_CMP_EQ, 0x30000002, 0};
    return ok && allow_if(c, "ioctl", 1, &rest) && allow_if(c, "ioctl", 1, &drm) &&
           allow_if(c, "ioctl", 1, &kfd) && allow_if(c, "ioctl", 1, &nv) &&
           allow_if(c, "ioctl", 1, &uvm) && allow_if(c, "ioctl", 1, &uvm_init) &&
           allow_if(c, "ioctl", 1, &uvm_done) &&
           allow_values(c, "ioctl", 1, ioctls, sizeof ioctls / sizeof ioctls[0]);
}

__attribute__((noinline)) static bool add_all(scmp_filter_ctx c, const struct bz_cage_plan *p) {
    bool ok = true;
    for (const struct bz_cage_call *k = bz_cage_calls; k->name != NULL; k++) {
        if ((k->groups & p->profile->calls) != 0)
            ok = allow(c, k->name) && ok;
    }
    /* bartizan-cage, which is asked, lets the first one through when there may be but one. */
    uint32_t exec = p->exec ? SCMP_ACT_ALLOW : SCMP_ACT_NOTIFY;
    ok = ok && seccomp_rule_add(c, exec, SCMP_SYS(execve), 0) == 0;
    return ok && add_clone(c, p) && add_memory(c, p) && add_sockets(c, p) && add_control(c, p);
}

static enum bz_status export_bpf(scmp_filter_ctx c, struct bz_buf *out) {
    uint8_t block[1024];
    ssize_t n;
    int fd = memfd_create("filter", MFD_CLOEXEC);
    bool ok = fd >= 0 && seccomp_export_bpf(c, fd) == 0 && lseek(fd, 0, SEEK_SET) == 0;
    while (ok && (n = read(fd, block, sizeof block)) > 0)
        bz_buf_put(out, bz_view(block, (size_t)n));
    if (fd >= 0)
        (void)close(fd);
    if (!ok || out->n == 0)
        return BZ_EUNAVAIL;
    return bz_buf_status(out);
}

static scmp_filter_ctx begin(void) {
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (c == NULL)
        return NULL;
    (void)seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    (void)seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree: some ten steps a call */
    return c;
}

enum bz_status bz_cage_filter(const struct bz_cage_plan *p, struct bz_buf *out) {
    scmp_filter_ctx c = begin();
    if (c == NULL)
        return BZ_EUNAVAIL;
    enum bz_status st = add_all(c, p) ? export_bpf(c, out) : BZ_EUNAVAIL;
    seccomp_release(c);
    return st;
}

enum bz_status bz_cage_filter_init(struct bz_buf *out) {
    static const char *const calls[] = {"read",
                                        "write",
                                        "readv",
                                        "writev",
                                        "close",
                                        "poll",
                                        "ppoll",
                                        "epoll_wait",
                                        "epoll_pwait",
                                        "epoll_ctl",
                                        "accept4",
                                        "socket",
                                        "connect",
                                        "getsockopt",
                                        "setsockopt",
                                        "recvfrom",
                                        "sendto",
                                        "sendmsg",
                                        "recvmsg",
                                        "shutdown",
                                        "wait4",
                                        "kill",
                                        "exit",
                                        "exit_group",
                                        "brk",
                                        "munmap",
                                        "mmap",
                                        "mremap",
                                        "madvise",
                                        "rt_sigprocmask",
                                        "rt_sigaction",
                                        "rt_sigreturn",
                                        "clock_gettime",
                                        "clock_nanosleep",
                                        "fcntl",
                                        "getpid",
                                        "restart_syscall",
                                        "futex"};
    scmp_filter_ctx c = begin();
    if (c == NULL)
        return BZ_EUNAVAIL;
    bool ok = true;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        ok = allow(c, calls[i]) && ok;
    static const uint64_t notify[] = {SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND,
                                      SECCOMP_IOCTL_NOTIF_ID_VALID};
    ok = ok && allow_values(c, "ioctl", 1, notify, sizeof notify / sizeof notify[0]);
    enum bz_status st = ok ? export_bpf(c, out) : BZ_EUNAVAIL;
    seccomp_release(c);
    return st;
}
