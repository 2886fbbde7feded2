/* bartizan-hdf5: reads the HDF5 file on descriptor 0 with libhdf5 and writes what it is made of to
 * descriptor 1, as JSON lines. Started by `bartizan scan`, of no use to anybody else.
 *
 * libhdf5 has a history of memory errors on hostile files. So before it sees the first byte the
 * process has no files but these two, no way to open any, no network, no children, no executable
 * memory to make, and limits on memory and time. What is not on the list kills it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bartizan/limits.h>

#include "hdf5_child.h"

/* The address sanitizer takes terabytes of address space, and a system call at the end. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

enum { FAILED = 2 };

static bool limit(int what, rlim_t value) {
    struct rlimit l = {.rlim_cur = value, .rlim_max = value};
    return setrlimit((__rlimit_resource_t)what, &l) == 0;
}

static bool limits(void) {
#ifndef SANITIZED
    if (!limit(RLIMIT_AS, (rlim_t)BZ_HDF5_MEMORY_MAX))
        return false;
#endif
    return limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NPROC, 0) &&
           limit(RLIMIT_CPU, BZ_HDF5_SECONDS_MAX) && limit(RLIMIT_NOFILE, 3);
}

static bool files(uint64_t *ret_size) {
    struct stat sb;
    int flags = fcntl(0, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) != O_RDONLY || fstat(0, &sb) != 0 ||
        !S_ISREG(sb.st_mode) || sb.st_size < 0)
        return false;
    *ret_size = (uint64_t)sb.st_size;
    return syscall(SYS_close_range, 3, ~0u, 0) == 0;
}

static bool allow(scmp_filter_ctx c, int call) {
    return seccomp_rule_add(c, SCMP_ACT_ALLOW, call, 0) == 0;
}

/* Memory that is not to be executed. */
static bool allow_memory(scmp_filter_ctx c, int call, unsigned prot) {
    struct scmp_arg_cmp no_exec = {.arg = prot, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC};
    return seccomp_rule_add_array(c, SCMP_ACT_ALLOW, call, 1, &no_exec) == 0;
}

static bool allow_on(scmp_filter_ctx c, int call, int fd) {
    struct scmp_arg_cmp is = {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)fd};
    return seccomp_rule_add_array(c, SCMP_ACT_ALLOW, call, 1, &is) == 0;
}

static bool calls(void) {
    static const int plain[] = {
#ifdef SANITIZED
        SCMP_SYS(sigaltstack),
#endif

        SCMP_SYS(exit_group),     SCMP_SYS(exit),          SCMP_SYS(brk),
        SCMP_SYS(munmap),         SCMP_SYS(mremap),        SCMP_SYS(madvise),
        SCMP_SYS(futex),          SCMP_SYS(rt_sigreturn),  SCMP_SYS(getpid),
        SCMP_SYS(rt_sigprocmask), SCMP_SYS(clock_gettime), SCMP_SYS(gettid),
        SCMP_SYS(gettimeofday),   SCMP_SYS(time),          SCMP_SYS(getrandom),
        SCMP_SYS(sched_yield)};
    /* libhdf5 asks for these and lives without: where it stands, files by name. */
    static const int denied[] = {SCMP_SYS(getcwd), SCMP_SYS(openat),   SCMP_SYS(open),
                                 SCMP_SYS(stat),   SCMP_SYS(readlink), SCMP_SYS(access)};
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (c == NULL)
        return false;
    bool good = allow_on(c, SCMP_SYS(pread64), 0) && allow_on(c, SCMP_SYS(fstat), 0) &&
                allow_on(c, SCMP_SYS(write), 1) && allow_on(c, SCMP_SYS(write), 2) &&
                allow_on(c, SCMP_SYS(fstat), 1) && allow_on(c, SCMP_SYS(newfstatat), 0) &&
                allow_memory(c, SCMP_SYS(mmap), 2) && allow_memory(c, SCMP_SYS(mprotect), 2);
    for (size_t i = 0; good && i < sizeof plain / sizeof plain[0]; i++)
        good = allow(c, plain[i]);
    for (size_t i = 0; good && i < sizeof denied / sizeof denied[0]; i++)
        good = seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), denied[i], 0) == 0;
    good = good && seccomp_load(c) == 0;
    seccomp_release(c);
    return good;
}

/* Everything that libhdf5 sets up once, before the doors close; plug-ins are not looked for. */
static hid_t library(void) {
    if (H5dont_atexit() < 0 || H5open() < 0 || H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0 ||
        H5PLset_loading_state(0) < 0)
        return -1;
    return bz_h5_access(0);
}

/* Read back what was asked for. */
static bool locked(void) {
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static bool put_all(struct bz_view v) {
    while (v.n > 0) {
        ssize_t k = write(1, v.p, v.n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        v = bz_view_sub(v, (size_t)k, v.n);
    }
    return true;
}

int main(int argc, char **argv) {
    uint64_t size = 0;
    struct bz_buf out;
    (void)argv;
    if (argc != 1 || !files(&size)) {
        static const char usage[] = "bartizan-hdf5 is a part of `bartizan scan`\n";
        (void)!write(2, usage, sizeof usage - 1);
        return FAILED;
    }
    hid_t access = library();
    if (access < 0 || !limits() || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !locked() || !calls())
        return FAILED;
    bz_buf_init(&out, BZ_HDF5_LIST_MAX);
    bz_h5_walk(access, size, &out);
    if (!put_all(bz_buf_view(&out)))
        return FAILED;
    _exit(out.st == BZ_OK ? 0 : FAILED);
}
