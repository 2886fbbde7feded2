#include "scan_confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* The address sanitizer makes a system call at the end of a process. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* ---- files: Landlock ---------------------------------------------------------------------------- */

static bool confine_files(const int *dirs, size_t n) {
    const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    /* Every right of the first version of the interface; younger kernels know more. */
    struct landlock_ruleset_attr all = {.handled_access_fs =
                                            (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (rules < 0)
        return false;
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        struct landlock_path_beneath_attr below = {.allowed_access = reading, .parent_fd = dirs[i]};
        ok =
            ok && syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0) == 0;
    }
    ok = ok && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    (void)close(rules);
    return ok;
}

/* ---- calls: seccomp ------------------------------------------------------------------------------- */

#ifdef ARCH
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOW(i) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (i))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define ALLOW(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##nr, 0, 1), RETURN(SECCOMP_RET_ALLOW)
#define REFUSE(nr, err)                                                                            \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##nr, 0, 1), RETURN(SECCOMP_RET_ERRNO | (err))
/* Allowed where none of `bits` is set in argument i. */
#define ALLOW_WITHOUT(nr, i, bits)                                                                 \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##nr, 0, 4), LOW(i),                                   \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0), RETURN(SECCOMP_RET_ALLOW),               \
        RETURN(SECCOMP_RET_ERRNO | EPERM)
/* Allowed where all of `bit` is set in argument i. */
#define ALLOW_WITH(nr, i, bit)                                                                     \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##nr, 0, 4), LOW(i),                                   \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bit, 0, 1), RETURN(SECCOMP_RET_ALLOW),                \
        RETURN(SECCOMP_RET_ERRNO | EPERM)

static bool confine_calls(void) {
    struct sock_filter code[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        ALLOW(pread64),
        ALLOW(read),
        ALLOW(write),
        ALLOW(openat2),
        ALLOW(close),
        ALLOW(fstat),
        ALLOW(newfstatat),
        ALLOW(lseek),
        ALLOW_WITHOUT(mmap, 2, PROT_EXEC),
        ALLOW_WITHOUT(mprotect, 2, PROT_EXEC),
        ALLOW(munmap),
        ALLOW(mremap),
        ALLOW(madvise),
        ALLOW(brk),
        ALLOW(futex),
        ALLOW(memfd_create), /* what scan_ask.h sends, and what goes with it */
        ALLOW(fcntl),
        ALLOW(pipe2),
        ALLOW(sendmsg), /* to the parent: there is no other socket */
        ALLOW(ppoll),
#ifdef SYS_poll
        ALLOW(poll),
#endif
        ALLOW_WITH(clone, 0, CLONE_THREAD), /* the reader of --hash */
        REFUSE(clone3, ENOSYS), /* its flags cannot be seen: the C library takes clone */
        ALLOW(set_robust_list),
        ALLOW(rseq),
        ALLOW(rt_sigprocmask),
        ALLOW(rt_sigreturn),
        ALLOW(sched_yield),
        ALLOW(gettid),
        ALLOW(getpid),
        ALLOW(tgkill),
        ALLOW(clock_gettime),
        ALLOW(clock_nanosleep),
        ALLOW(getrandom),
        ALLOW(sysinfo),
        ALLOW(exit),
        ALLOW(exit_group),
        ALLOW(restart_syscall),
#ifdef SANITIZED
        ALLOW(sigaltstack),
#endif
        RETURN(SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog prog = {.len = sizeof code / sizeof code[0], .filter = code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0;
}
#else
static bool confine_calls(void) {
    return false;
}
#endif

struct bz_scan_confined bz_scan_confine(const int *dirs, size_t n) {
    struct bz_scan_confined c = {false, false, false};
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    c.privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    if (!c.privileges)
        return c;
    c.files = confine_files(dirs, n);
    c.calls = confine_calls();
    return c;
}
