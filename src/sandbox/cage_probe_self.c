/* Attempts on other processes and on limits, and what the process finds in itself. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cage_probe.h"

#ifndef PTRACE_SEIZE
#define PTRACE_SEIZE 0x4206
#endif
extern char **environ;

static pid_t host_pid(void) {
    return (pid_t)target_number("pid");
}

/* ---- processes ---- */

static int see_processes(void) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)host_pid());
    return outcome(host_pid() > 0 && access(path, F_OK) == 0);
}
static int read_environ(void) {
    char path[64], c = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/environ", (int)host_pid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return outcome(fd >= 0 && read(fd, &c, 1) == 1);
}
static int signal_host(void) {
    return outcome(host_pid() > 0 && kill(host_pid(), 0) == 0);
}
static int ptrace_host(void) {
    int rc =
        outcome(host_pid() > 0 && syscall(SYS_ptrace, PTRACE_SEIZE, host_pid(), NULL, NULL) == 0);
    if (rc == 0)
        (void)syscall(SYS_ptrace, PTRACE_DETACH, host_pid(), NULL, NULL);
    return rc;
}
static int ptrace_self(void) {
    return outcome(syscall(SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL) == 0);
}
static int read_memory(void) {
    char from = 'x', to = 0;
    struct iovec a = {&to, 1}, b = {&from, 1};
    return outcome(process_vm_readv(getpid(), &a, 1, &b, 1, 0) == 1);
}
static int steal_descriptor(void) {
    long pidfd = syscall(SYS_pidfd_open, getpid(), 0);
    return outcome(pidfd >= 0 && syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0);
}
static int compare_kernel(void) {
    return outcome(syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0) == 0);
}
static int make_process(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    int rc = outcome(pid > 0);
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
    return rc;
}

/* ---- limits ---- */

static int fork_bomb(void) {
    enum { MOST = 1024 };
    static pid_t all[MOST];
    uint64_t most = target_number("pids") + 8, n = 0;
    int rc = 0;
    for (; n < most && n < MOST && rc == 0; n++) {
        all[n] = fork();
        if (all[n] == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)pause();
            _exit(0);
        }
        rc = outcome(all[n] > 0);
    }
    for (uint64_t i = 0; i < n; i++) {
        if (all[i] > 0) {
            (void)kill(all[i], SIGKILL);
            (void)waitpid(all[i], NULL, 0);
        }
    }
    return rc;
}
static int memory_bomb(void) {
    enum { BLOCK = 1 << 20 };
    uint64_t most = target_number("memory") + 32 * BLOCK;
    for (uint64_t n = 0; n < most; n += BLOCK) {
        void *p = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            return outcome(false);
        memset(p, 1, BLOCK);
    }
    return 0;
}
static int fill_tmp(void) {
    char path[512];
    static char block[65536];
    int rc = 0;
    (void)snprintf(path, sizeof path, "%s/.bartizan-fill-%d", scratch(), (int)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return outcome(false);
    uint64_t most = target_number("tmp") + (1u << 20);
    for (uint64_t n = 0; n < most && rc == 0; n += sizeof block)
        rc = outcome(write(fd, block, sizeof block) == (ssize_t)sizeof block);
    (void)unlink(path);
    return rc;
}
static int open_many(void) {
    uint64_t most = target_number("files") + 16;
    int fd = 0;
    for (uint64_t n = 0; n < most; n++) {
        fd = dup(0);
        if (fd < 0)
            return outcome(false);
    }
    return 0;
}
/* Up and not only down: outside, a limit that was made lower by half can be raised to the hard one again. */
static int raise_limit(void) {
    struct rlimit l;
    if (getrlimit(RLIMIT_CORE, &l) != 0)
        return outcome(false);
    l.rlim_cur = l.rlim_max = l.rlim_max > 4096 ? l.rlim_max : 4096;
    return outcome(setrlimit(RLIMIT_CORE, &l) == 0);
}

/* ---- leaks ---- */

static int sysv_memory(void) {
    int id = shmget((key_t)target_number("shm"), 0, 0);
    return outcome(id >= 0 && shmat(id, NULL, SHM_RDONLY) != (const void *)-1);
}
static int posix_memory(void) {
    const char *path = target("shm_file");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    return outcome(fd >= 0);
}
static int descriptors(void) {
    for (int fd = 3; fd < 1024; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            return 0;
    }
    return EBADF;
}
static int environment(void) {
    static const char *const known[] = {"PATH=", "HOME=", "LANG="};
    for (char **e = environ; e != NULL && *e != NULL; e++) {
        if (strncmp(*e, "BARTIZAN_CANARY=", 16) == 0)
            return 0;
    }
    (void)known;
    return ENOENT;
}

/* ---- identity ---- */

static int capabilities(void) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2] = {{0, 0, 0}, {0, 0, 0}};
    if (syscall(SYS_capget, &h, d) != 0)
        return outcome(false);
    bool bounded = prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0;
    errno = EPERM;
    return outcome((d[0].permitted | d[1].permitted | d[0].effective | d[1].effective |
                    d[0].inheritable | d[1].inheritable) != 0 ||
                   !bounded);
}
static int become_root(void) {
    return outcome(syscall(SYS_setresuid, 0, 0, 0) == 0);
}
static int new_privileges(void) {
    int on = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    errno = EPERM;
    return outcome(on == 0);
}
static int no_filter(void) {
    int mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
    errno = EPERM;
    return outcome(mode == 0);
}
static int core_dump(void) {
    struct rlimit l;
    bool got = getrlimit(RLIMIT_CORE, &l) == 0;
    errno = EPERM;
    return outcome(got && l.rlim_max > 1);
}

const struct attempt probe_self[] = {
    {"see_processes", see_processes},
    {"read_environ", read_environ},
    {"signal_host", signal_host},
    {"ptrace_host", ptrace_host},
    {"ptrace_self", ptrace_self},
    {"read_memory", read_memory},
    {"steal_descriptor", steal_descriptor},
    {"compare_kernel", compare_kernel},
    {"fork", make_process},
    {"fork_bomb", fork_bomb},
    {"memory_bomb", memory_bomb},
    {"fill_tmp", fill_tmp},
    {"open_many", open_many},
    {"raise_limit", raise_limit},
    {"sysv_memory", sysv_memory},
    {"posix_memory", posix_memory},
    {"descriptors", descriptors},
    {"environment", environment},
    {"capabilities", capabilities},
    {"become_root", become_root},
    {"new_privileges", new_privileges},
    {"no_filter", no_filter},
    {"core_dump", core_dump},
    {NULL, NULL},
};
