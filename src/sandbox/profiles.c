/* Profiles as data. What a server may do is here and nowhere else. */
#include <stdio.h>

#include <bartizan/sandbox.h>

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
static const char *const none[] = {NULL};
static const uint64_t mib = UINT64_C(1) << 20, gib = UINT64_C(1) << 30;

/* Options of llama-server that name model files, and those that would put a secret into argv. */
static const char *const llama_models[] = {"-m",
                                           "--model",
                                           "-md",
                                           "--model-draft",
                                           "-mm",
                                           "--mmproj",
                                           "--lora",
                                           "--control-vector",
                                           "--lora-init-without-apply",
                                           NULL};

const struct bz_cage_profile bz_cage_profiles[] = {
    {
        .name = "llama-server",
        .about = "llama.cpp's server: one program, one model file, a unix socket of its own",
        .calls = BZ_CALLS_BASE | BZ_CALLS_SERVE,
        .pids = 512, /* threads: two pools of one per core, and one per connection */
        .files = 4096,
        .memory = 64 * gib,
        .tmp = 64 * mib,
        .model_args = llama_models,
        .secret_args = LIST("--api-key", "--hf-token", "-hft"),
        .socket_args = LIST("--host", "{socket}"),
        .libraries = LIST("/usr/lib/x86_64-linux-gnu/ggml", "/usr/lib/x86_64-linux-gnu/llama",
                          "/usr/lib/aarch64-linux-gnu/ggml", "/usr/lib/aarch64-linux-gnu/llama"),
        /* on abort it would start a debugger and hang */
        .env = LIST("GGML_NO_BACKTRACE=1"),
    },
    {
        .name = "ollama",
        .about = "Ollama in serve mode: models read-only, no pulls, its runner as a child",
        .calls = BZ_CALLS_BASE | BZ_CALLS_SERVE | BZ_CALLS_FORK | BZ_CALLS_RUNTIME,
        .exec = true,
        .inet = true,
        .port = 11434,
        .pids = 1024,
        .files = 8192,
        .memory = 64 * gib,
        .tmp = 256 * mib,
        .weaker = "it starts its runner as a second program, so execve stays open for its own "
                  "files, and it speaks TCP on the private loopback",
        .model_args = none,
        .secret_args = none,
        .socket_args = none,
        .libraries = LIST("/usr/lib/ollama", "/usr/local/lib/ollama"),
        .env = LIST("OLLAMA_HOST=127.0.0.1:11434", "OLLAMA_NOPRUNE=1", "OLLAMA_NO_CLOUD=1"),
        .proc = true,
    },
    {
        .name = "vllm",
        .about = "vLLM: Python, worker processes, compilers at run time",
        .calls = BZ_CALLS_BASE | BZ_CALLS_SERVE | BZ_CALLS_FORK | BZ_CALLS_RUNTIME,
        .exec = true,
        .wx = true,
        .proc = true,
        .inet = true,
        .usr = true,
        .shm = true,
        .port = 8000,
        .pids = 4096,
        .files = 16384,
        .memory = 256 * gib,
        .tmp = 4 * gib,
        .weaker = "Python and Triton compile at run time: memory may become executable, programs "
                  "of /usr may run, workers fork and share memory",
        .model_args = LIST("--model", "--tokenizer"),
        .secret_args = LIST("--api-key", "--hf-token"),
        .socket_args = none,
        .libraries = none,
        .env = LIST("HF_HUB_OFFLINE=1", "TRANSFORMERS_OFFLINE=1", "VLLM_NO_USAGE_STATS=1",
                    "DO_NOT_TRACK=1"),
    },
    {
        .name = "generic",
        .about = "another server of models that speaks HTTP on TCP",
        .calls = BZ_CALLS_BASE | BZ_CALLS_SERVE | BZ_CALLS_FORK | BZ_CALLS_RUNTIME,
        .exec = true,
        .proc = true,
        .inet = true,
        .usr = true,
        .port = 8080,
        .pids = 1024,
        .files = 8192,
        .memory = 64 * gib,
        .tmp = 256 * mib,
        .weaker = "any program of /usr may run, and it may fork",
        .model_args = LIST("-m", "--model"),
        .secret_args = LIST("--api-key", "--token", "--password"),
        .socket_args = none,
        .libraries = none,
        .env = none,
    },
    {
        .name = "container",
        .about = "the same for an image: flags and files for podman and docker "
                 "(bartizan sandbox export)",
        .calls = BZ_CALLS_BASE | BZ_CALLS_SERVE | BZ_CALLS_FORK | BZ_CALLS_RUNTIME,
        .exec = true,
        .proc = true,
        .inet = true,
        .usr = true,
        .shm = true,
        .port = 8080,
        .pids = 1024,
        .files = 8192,
        .memory = 64 * gib,
        .tmp = 256 * mib,
        .weaker = "an image brings its own programs; the runtime's own calls at start are open",
        .model_args = LIST("-m", "--model"),
        .secret_args = LIST("--api-key", "--token", "--password"),
        .socket_args = none,
        .libraries = none,
        .env = none,
    },
    {.name = NULL},
};

const struct bz_cage_profile *bz_cage_profile(const char *name) {
    for (const struct bz_cage_profile *p = bz_cage_profiles; p->name != NULL; p++) {
        if (name != NULL && strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

#define B BZ_CALLS_BASE
#define S BZ_CALLS_SERVE
#define F BZ_CALLS_FORK
#define R BZ_CALLS_RUNTIME
/* What is not here is refused with EPERM. Not here on purpose, whatever a program says: unshare, setns, mount and its
 * family, ptrace, process_vm_*, bpf, perf_event_open, io_uring_*, userfaultfd, keyctl and its family, open_by_handle_at,
 * name_to_handle_at, kexec_*, *_module, personality, syslog, chown and its family, mknod, symlink, link, setuid and its
 * family, pidfd_getfd, kcmp, memfd_create where memory must not become code, iopl, ioperm, reboot, swapon, acct, quotactl, vmsplice, modify_ldt, clock_settime.
 * clone, clone3, execve, socket, mmap, mprotect, prctl and ioctl have rules of their own in filter.c. */
const struct bz_cage_call bz_cage_calls[] = {
    /* memory */
    {"brk", B},
    {"munmap", B},
    {"mremap", B},
    {"madvise", B},
    {"mlock", B},
    {"mlock2", B},
    {"munlock", B},
    {"msync", B},
    {"mincore", B},
    {"membarrier", B},
    {"get_mempolicy", R},
    {"set_mempolicy", R},
    {"mbind", R},
    /* files: which ones is decided by mounts and Landlock */
    {"read", B},
    {"write", B},
    {"readv", B},
    {"writev", B},
    {"pread64", B},
    {"pwrite64", B},
    {"preadv", B},
    {"pwritev", B},
    {"preadv2", B},
    {"pwritev2", B},
    {"open", B},
    {"openat", B},
    {"openat2", B},
    {"close", B},
    {"close_range", B},
    {"lseek", B},
    {"stat", B},
    {"fstat", B},
    {"lstat", B},
    {"newfstatat", B},
    {"statx", B},
    {"statfs", B},
    {"fstatfs", B},
    {"access", B},
    {"faccessat", B},
    {"faccessat2", B},
    {"readlink", B},
    {"readlinkat", B},
    {"getdents64", B},
    {"getcwd", B},
    {"chdir", B},
    {"fchdir", B},
    {"fcntl", B},
    {"flock", B},
    {"fsync", B},
    {"fdatasync", B},
    {"ftruncate", B},
    {"fallocate", B},
    {"fadvise64", B},
    {"readahead", B},
    {"unlink", B},
    {"unlinkat", B},
    {"mkdir", B},
    {"mkdirat", B},
    {"rmdir", B},
    {"rename", B},
    {"renameat", B},
    {"renameat2", B},
    {"chmod", B},
    {"fchmod", B},
    {"fchmodat", B},
    {"umask", B},
    {"utimensat", B},
    {"dup", B},
    {"dup2", B},
    {"dup3", B},
    {"pipe", B},
    {"pipe2", B},
    {"sendfile", B},
    {"copy_file_range", R},
    {"splice", R},
    {"inotify_init1", R},
    {"inotify_add_watch", R},
    {"inotify_rm_watch", R},
    /* waiting */
    {"poll", B},
    {"ppoll", B},
    {"select", B},
    {"pselect6", B},
    {"epoll_create", B},
    {"epoll_create1", B},
    {"epoll_ctl", B},
    {"epoll_wait", B},
    {"epoll_pwait", B},
    {"epoll_pwait2", B},
    {"eventfd2", B},
    {"timerfd_create", B},
    {"timerfd_settime", B},
    {"timerfd_gettime", B},
    {"signalfd4", R},
    /* threads, signals, time */
    {"futex", B},
    {"set_robust_list", B},
    {"get_robust_list", B},
    {"set_tid_address", B},
    {"rseq", B},
    {"gettid", B},
    {"getpid", B},
    {"getppid", B},
    {"getpgrp", B},
    {"getpgid", B},
    {"getsid", B},
    {"tgkill", B},
    {"tkill", B},
    {"exit", B},
    {"exit_group", B},
    {"rt_sigaction", B},
    {"rt_sigprocmask", B},
    {"rt_sigreturn", B},
    {"rt_sigtimedwait", B},
    {"rt_sigpending", B},
    {"rt_sigsuspend", B},
    {"sigaltstack", B},
    {"restart_syscall", B},
    {"pause", B},
    {"alarm", B},
    {"setitimer", B},
    {"getitimer", B},
    {"timer_create", R},
    {"timer_settime", R},
    {"timer_gettime", R},
    {"timer_delete", R},
    {"nanosleep", B},
    {"clock_nanosleep", B},
    {"clock_gettime", B},
    {"clock_getres", B},
    {"gettimeofday", B},
    {"time", B},
    {"times", B},
    {"getcpu", B},
    {"sched_yield", B},
    {"sched_getaffinity", B},
    {"sched_setaffinity", B},
    {"sched_getparam", B},
    {"sched_setparam", B},
    {"sched_getscheduler", B},
    {"sched_setscheduler", B},
    {"sched_get_priority_max", B},
    {"sched_get_priority_min", B},
    {"sched_getattr", B},
    {"getpriority", B},
    {"setpriority", B},
    /* what it is and what it may */
    {"uname", B},
    {"sysinfo", B},
    {"getrandom", B},
    {"getuid", B},
    {"geteuid", B},
    {"getgid", B},
    {"getegid", B},
    {"getgroups", B},
    {"getresuid", B},
    {"getresgid", B},
    {"capget", B},
    {"getrlimit", B},
    {"getrusage", B},
    {"prlimit64", B},
    {"setrlimit", B},
    {"arch_prctl", B},
    /* sockets */
    {"bind", S},
    {"listen", S},
    {"accept", S},
    {"accept4", S},
    {"connect", S},
    {"socketpair", S},
    {"getsockname", S},
    {"getpeername", S},
    {"getsockopt", S},
    {"setsockopt", S},
    {"sendto", S},
    {"sendmsg", S},
    {"sendmmsg", S},
    {"recvfrom", S},
    {"recvmsg", S},
    {"recvmmsg", S},
    {"shutdown", S},
    /* processes */
    {"fork", F},
    {"vfork", F},
    {"wait4", F},
    {"waitid", F},
    {"kill", F},
    {"setpgid", F},
    {"setsid", F},
    {"pidfd_open", F},
    {"pidfd_send_signal", F},
    {NULL, 0},
};
#undef B
#undef S
#undef F
#undef R

const struct bz_gpu_node bz_gpu_nodes[] = {
    {BZ_GPU_NVIDIA, "/dev/nvidiactl", "control: every CUDA program opens it"},
    {BZ_GPU_NVIDIA, "/dev/nvidia%u", "the card"},
    {BZ_GPU_NVIDIA, "/dev/nvidia-uvm", "unified memory: CUDA does not start without it"},
    {BZ_GPU_AMD, "/dev/kfd", "compute queues"},
    {BZ_GPU_AMD, "/dev/dri/renderD%u", "the card's render node, without display control"},
    {BZ_GPU_INTEL, "/dev/dri/renderD%u", "the card's render node, without display control"},
    {BZ_GPU_NONE, NULL, NULL},
};

bool bz_gpu_parse(const char *text, enum bz_gpu *ret, unsigned *ret_index) {
    static const char *const names[BZ_GPU_COUNT] = {NULL, "nvidia", "amd", "intel"};
    static const unsigned first[BZ_GPU_COUNT] = {0, 0, 128, 128}; /* render nodes begin at 128 */
    size_t n = strcspn(text, ":");
    uint64_t index = 0;
    if (text[n] == ':' && (bz_view_u64(bz_view_str(text + n + 1), &index) != BZ_OK || index > 63))
        return false;
    for (unsigned g = BZ_GPU_NVIDIA; g < BZ_GPU_COUNT; g++) {
        if (strlen(names[g]) == n && strncmp(names[g], text, n) == 0) {
            *ret = (enum bz_gpu)g;
            *ret_index = first[g] + (unsigned)index;
            return true;
        }
    }
    return false;
}
