/* Attempts on the kernel's own doors. Where success would change the machine, the call is made so that only the check
 * of rights is passed: a wrong argument behind it. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cage_probe.h"

static int user_namespace(void) {
    return outcome(unshare(CLONE_NEWUSER) == 0);
}
static int clone_namespace(void) {
    struct clone_args a = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &a, sizeof a);
    if (pid == 0)
        _exit(0);
    int rc = outcome(pid > 0);
    if (pid > 0)
        (void)waitpid((pid_t)pid, NULL, 0);
    return rc;
}
static int join_namespace(void) {
    int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    return outcome(fd >= 0 && setns(fd, CLONE_NEWUTS) == 0);
}
static int mount_something(void) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/.bartizan-mount-%d", scratch(), (int)getpid());
    if (mkdir(path, 0700) != 0)
        return outcome(false);
    int rc = outcome(mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=4k") == 0);
    if (rc == 0)
        (void)umount2(path, MNT_DETACH);
    (void)rmdir(path);
    return rc;
}
static int change_root(void) {
    return outcome(chroot(scratch()) == 0);
}
static int bpf_map(void) {
    union bpf_attr a;
    memset(&a, 0, sizeof a);
    a.map_type = BPF_MAP_TYPE_ARRAY;
    a.key_size = a.value_size = 4;
    a.max_entries = 1;
    return outcome(syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof a) >= 0);
}
static int io_uring(void) {
    char params[256];
    memset(params, 0, sizeof params);
    return outcome(syscall(SYS_io_uring_setup, 4, params) >= 0);
}
static int userfault(void) {
    return outcome(syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* user mode only */) >= 0);
}
static int perf(void) {
    struct perf_event_attr a;
    memset(&a, 0, sizeof a);
    a.type = PERF_TYPE_SOFTWARE;
    a.size = sizeof a;
    a.config = PERF_COUNT_SW_TASK_CLOCK;
    a.exclude_kernel = 1;
    return outcome(syscall(SYS_perf_event_open, &a, 0, -1, -1, 0) >= 0);
}
static int keyring(void) {
    return outcome(syscall(SYS_add_key, "user", "bartizan-probe", "x", 1, -1 /* thread's */) >= 0);
}
static int kernel_log(void) {
    enum { SIZE_BUFFER = 10, READ_ALL = 3 };
    char block[64];
    return outcome(syscall(SYS_syslog, READ_ALL, block, sizeof block) >= 0);
}
static int load_module(void) {
    long rc = syscall(SYS_init_module, "", 0, "");
    return outcome(rc == 0 || errno == ENOEXEC || errno == EFAULT || errno == EINVAL);
}
static int load_kernel(void) {
    long rc = syscall(SYS_kexec_load, 0, 0, NULL, ~0ul); /* no such flags */
    return outcome(rc == 0 || errno == EINVAL);
}
static int io_ports(void) {
#if defined __x86_64__
    return outcome(syscall(SYS_ioperm, 0x80, 1, 1) == 0);
#else
    return ENOSYS;
#endif
}
static int set_clock(void) {
    return outcome(syscall(SYS_settimeofday, NULL, NULL) == 0); /* sets nothing */
}
static int set_hostname(void) {
    struct utsname u;
    return outcome(uname(&u) == 0 && sethostname(u.nodename, strlen(u.nodename)) == 0);
}
static int swap_on(void) {
    long rc = syscall(SYS_swapon, "/nonexistent/swap", 0);
    return outcome(rc == 0 || errno == ENOENT);
}
/* A device that is no terminal: whoever may ask gets "not a terminal". */
static int push_terminal(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return outcome(ioctl(fd, TIOCSTI, "x") == 0 || errno == ENOTTY);
}

const struct attempt probe_kernel[] = {
    {"user_namespace", user_namespace},
    {"clone_namespace", clone_namespace},
    {"join_namespace", join_namespace},
    {"mount", mount_something},
    {"chroot", change_root},
    {"bpf", bpf_map},
    {"io_uring", io_uring},
    {"userfaultfd", userfault},
    {"perf", perf},
    {"keyring", keyring},
    {"kernel_log", kernel_log},
    {"load_module", load_module},
    {"load_kernel", load_kernel},
    {"io_ports", io_ports},
    {"set_clock", set_clock},
    {"set_hostname", set_hostname},
    {"swap", swap_on},
    {"push_terminal", push_terminal},
    {NULL, NULL},
};
