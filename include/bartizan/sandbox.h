/* Cages for model servers: what a profile allows, the plan made of it, and what runs the plan.
 *
 * A profile (const data) and a request (what the user wrote, paths resolved) make a plan: every mount, system call, limit
 * and descriptor of the cage. Making it is pure. bubblewrap builds the namespaces and the empty root from it; the program
 * bartizan-cage, pid 1 inside, takes the rest away (capabilities, Landlock, seccomp, limits), reads back what is gone, and
 * only then starts the server. docs/SANDBOX.md has the whole picture. */
#ifndef BARTIZAN_SANDBOX_H
#define BARTIZAN_SANDBOX_H

#include <bartizan/buf.h>
#include <bartizan/limits.h>

/* ---- profiles ------------------------------------------------------------------------------------------------ */

enum bz_cage_calls {                     /* groups of system calls, bits */
                     BZ_CALLS_BASE = 1,  /* every program: memory, files, threads, time */
                     BZ_CALLS_SERVE = 2, /* accept on sockets */
                     BZ_CALLS_FORK = 4,  /* new processes */
                     BZ_CALLS_RUNTIME =
                         8, /* what language runtimes and GPU libraries ask for besides */
};
struct bz_cage_profile {
    const char *name, *about;
    unsigned calls;
    bool exec; /* may execute programs again after its start; otherwise one execve, the first */
    bool wx;   /* memory may become executable (compilers at run time) */
    bool proc; /* reads all of its private /proc; otherwise processor and memory facts */
    bool
        inet; /* speaks TCP on its private loopback: a forwarder stands between it and the socket */
    bool usr; /* sees all of /usr; otherwise its program and the libraries that needs */
    bool shm; /* has a private /dev/shm */
    uint16_t port; /* where it listens, with inet */
    uint32_t pids, files;
    uint64_t memory, tmp;           /* bytes */
    const char *weaker;             /* what is weaker here than in llama-server, and why; NULL */
    const char *const *model_args;  /* options whose value is a model file: -m FILE */
    const char *const *secret_args; /* options whose value would be a secret in argv: refused */
    const char *const *socket_args; /* put behind the command; "{socket}" is replaced */
    const char *const *libraries;   /* directories of libraries that it loads by itself */
    const char *const *env;         /* NAME=VALUE, the whole environment besides PATH, HOME, LANG */
};
/* llama-server, ollama, vllm, generic, container; NULL-terminated by name NULL. */
extern const struct bz_cage_profile bz_cage_profiles[];
const struct bz_cage_profile *bz_cage_profile(const char *name); /* NULL: unknown */
struct bz_cage_call {
    const char *name;
    unsigned groups;
};
extern const struct bz_cage_call bz_cage_calls[]; /* ends with name NULL */

enum bz_gpu { BZ_GPU_NONE, BZ_GPU_NVIDIA, BZ_GPU_AMD, BZ_GPU_INTEL, BZ_GPU_COUNT };
struct bz_gpu_node {
    enum bz_gpu vendor;
    const char *path; /* %u: the index */
    const char *why;
};
extern const struct bz_gpu_node bz_gpu_nodes[]; /* ends with path NULL */
/* "nvidia", "amd:1", "intel". */
bool bz_gpu_parse(const char *text, enum bz_gpu *ret, unsigned *ret_index);

/* ---- request and plan ---------------------------------------------------------------------------------------- */

enum { /* lists of a request */
       BZ_CAGE_ARGS_MAX = 256,
       BZ_CAGE_LIST_MAX = 64,
       BZ_CAGE_MOUNTS_MAX = 512,
       BZ_CAGE_PORTS_MAX = 4,
};
struct bz_cage_list {
    const char *v[BZ_CAGE_LIST_MAX];
    size_t n;
};
/* What is wanted; every path absolute and resolved (bz_cage_resolve does). All texts are lent. */
struct bz_cage_request {
    const struct bz_cage_profile *profile;
    const char *argv[BZ_CAGE_ARGS_MAX]; /* argv[0]: the program */
    size_t argc;
    struct bz_cage_list models;  /* files, read-only */
    struct bz_cage_list reads;   /* more files and directories, read-only */
    struct bz_cage_list writes;  /* directories the server may write: never beside a model */
    struct bz_cage_list env;     /* NAME=VALUE */
    struct bz_cage_list secrets; /* NAME=FILE: argv may say {secret:NAME} */
    const char *const *needs;    /* the program's libraries and its loader */
    size_t needs_n;
    const char *loader;                /* of the program; NULL: none */
    const char *socket;                /* where the server is reached from outside; NULL: nowhere */
    const char *cage;                  /* bartizan-cage */
    uint64_t memory, tmp;              /* 0: the profile's */
    uint32_t pids, files, cpu_percent; /* cpu 0: not limited */
    enum bz_gpu gpu;
    unsigned gpu_index;
    bool weakened; /* start although something of the cage is missing */
    bool probe;    /* the program is the battery of escape attempts */
    bool egress;   /* a proxy is reached on BZ_CAGE_PROXY_PORT of the loopback */
    bool usr_merged,
        cpu_facts;     /* of this host: /lib is usr/lib; /sys/devices/system/cpu is there */
    bool loader_cache; /* /etc/ld.so.cache is there */
};
#define BZ_CAGE_PROXY_PORT 3128
#define BZ_CAGE_SOCKET_DIR "/run/llm"
#define BZ_CAGE_PROGRAM "/.bartizan/cage"
#define BZ_CAGE_UID 65534    /* inside */
#define BZ_CAGE_SECRET_FD 32 /* of the first secret */

enum bz_cage_mount_kind { /* how it gets there */
                          BZ_MOUNT_BIND_RO,
                          BZ_MOUNT_BIND,
                          BZ_MOUNT_DEV,
                          BZ_MOUNT_TMPFS,
                          BZ_MOUNT_PROC,
                          BZ_MOUNT_RULE,
                          BZ_MOUNT_LINK,
                          BZ_MOUNT_KIND_COUNT
};
enum { /* what may be done there: Landlock */
       BZ_MAY_READ = 1,
       BZ_MAY_LIST = 2,
       BZ_MAY_EXEC = 4,
       BZ_MAY_WRITE = 8,   /* make, change and remove files and directories */
       BZ_MAY_PUT = 16,    /* write to what is there: devices */
       BZ_MAY_SOCKET = 32, /* make and remove sockets */
       BZ_MAY_IOCTL = 64,
};
struct bz_cage_mount {
    enum bz_cage_mount_kind kind;
    char *from, *to; /* from: source or link target; NULL: none */
    uint64_t size;
    unsigned may; /* 0: no rule; whoever is not named may nothing */
};
struct bz_cage_plan {
    const struct bz_cage_profile *profile;
    struct bz_cage_mount mount[BZ_CAGE_MOUNTS_MAX];
    size_t mounts_n;
    char *argv[BZ_CAGE_ARGS_MAX + 8];
    size_t argc;
    struct bz_cage_list env; /* owned */
    struct bz_cage_list secrets;
    uint64_t memory, tmp;
    uint32_t pids, files, cpu_percent;
    uint16_t bind_port, connect_port[BZ_CAGE_PORTS_MAX]; /* 0: none */
    uint16_t forward_port;  /* the server's own; 0: it listens on the socket by itself */
    const char *socket_dir; /* outside, given to the server; NULL */
    bool exec, wx, weakened, probe, egress, gpu;
    const char *why_wx; /* what took W^X away; NULL: it holds */
};
/* OK; EINVAL (`why` says what and what to do); ETOOBIG; ENOMEM. The plan is freed either way with bz_cage_plan_free. */
enum bz_status bz_cage_plan_make(const struct bz_cage_request *r, struct bz_cage_plan *ret,
                                 struct bz_buf *why) BZ_MUST_USE;
void bz_cage_plan_free(struct bz_cage_plan *p);
/* Arguments for bwrap, each ended by NUL (its --args FD), the program left out. */
void bz_cage_bwrap_args(const struct bz_cage_plan *p, struct bz_buf *out);
/* The plan for people and tools. */
void bz_cage_plan_json(const struct bz_cage_plan *p, struct bz_buf *out);
/* Filters as the kernel takes them. The second one is for pid 1 of the cage. EUNAVAIL: libseccomp cannot make it. */
enum bz_status bz_cage_filter(const struct bz_cage_plan *p, struct bz_buf *out) BZ_MUST_USE;
enum bz_status bz_cage_filter_init(struct bz_buf *out) BZ_MUST_USE;

/* ---- this host ----------------------------------------------------------------------------------------------- */

/* The libraries of an ELF file, from its bytes. Names are views into `elf`. ESYNTAX: no ELF file of this machine's class.
 * ENOTFOUND: a script or another kind of file. */
struct bz_elf {
    struct bz_view loader; /* empty: static */
    struct bz_view runpath;
    struct bz_view needed[128];
    size_t needed_n;
};
enum bz_status bz_elf_read(struct bz_view elf, struct bz_elf *ret) BZ_MUST_USE;

/* Paths and libraries of a request looked up: program in PATH, models named in argv, everything absolute. Texts that it
 * makes live in `own` (freed by the caller, bz_cage_own_free). EINVAL: `why` says what and what to do. */
struct bz_cage_own {
    char **v;
    size_t n, cap;
    const char *needs[BZ_CAGE_MOUNTS_MAX / 2];
    size_t needs_n;
};
enum bz_status bz_cage_resolve(struct bz_cage_request *r, struct bz_cage_own *own,
                               struct bz_buf *why) BZ_MUST_USE;
void bz_cage_own_free(struct bz_cage_own *own);

/* ---- running ------------------------------------------------------------------------------------------------- */

struct bz_cage_report { /* what the cage read back, one line each: "ok landlock abi 7" */
    struct bz_buf lines;
    bool complete;    /* the server was started */
    unsigned missing; /* lines that are not ok */
};
struct bz_cage_run {
    const struct bz_cage_plan *plan;
    const char *name;  /* of its control group; a-z 0-9 . _ - */
    const char *bwrap; /* program of bubblewrap */
    uint32_t uid, gid; /* whom it runs as outside; its own when this process is not root */
    int out_fd;        /* stdout and stderr of the server; -1: ours */
    int listen_fd;     /* listening unix socket for the forwarder; -1: none */
    int egress_fd;     /* socket to the proxy: connections come through it; -1: none */
    const char *const *probes, *const *targets; /* of the battery */
    size_t probes_n, targets_n;
    /* The server runs, or the battery begins. */
    void (*started)(void *ctx, const struct bz_cage_report *r, int pid);
    void (*probed)(void *ctx, struct bz_view name, int code);
    void *ctx;
};
/* Runs to the end of the server; SIGTERM, SIGINT and SIGHUP end it gently. ret_code: its exit code (128 + signal). OK;
 * EUNAVAIL: the cage could not be made, nothing of the server has run (`why`). */
enum bz_status bz_cage_run(const struct bz_cage_run *r, int *ret_code,
                           struct bz_cage_report *ret_report, struct bz_buf *why) BZ_MUST_USE;
void bz_cage_report_free(struct bz_cage_report *r);

/* ---- the battery --------------------------------------------------------------------------------------------- */

enum bz_probe_result {
    BZ_PROBE_DENIED,
    BZ_PROBE_ALLOWED,
    BZ_PROBE_GRANTED,   /* the profile allows it on purpose */
    BZ_PROBE_VACUOUS,   /* denied, but it fails outside too: it proves nothing on this host */
    BZ_PROBE_UNCHECKED, /* did not run */
    BZ_PROBE_RESULT_COUNT
};
const char *bz_probe_result_name(enum bz_probe_result r);
struct bz_probe_info {
    const char *name, *class, *what;
    unsigned granted; /* bits below: profiles that allow it */
};
enum { /* why a profile may grant an attempt */
       BZ_GRANT_EXEC = 1,
       BZ_GRANT_WX = 2,
       BZ_GRANT_PROC = 4,
       BZ_GRANT_FORK = 8,
       BZ_GRANT_RUNTIME = 16,
    BZ_GRANT_INET = 32, /* in its own network namespace; newer kernels still narrow it to one port */
};
extern const struct bz_probe_info bz_probe_list[];
extern const size_t bz_probe_list_n;
struct bz_probe_outcome {
    enum bz_probe_result result;
    int inside;  /* errno, 128 + signal, or 0 when it succeeded */
    int outside; /* of the control, likewise */
};
bool bz_probe_granted(const struct bz_probe_info *p, const struct bz_cage_plan *plan);
/* Inside and outside together. -1: did not run. */
enum bz_probe_result bz_probe_judge(bool granted, int inside, int outside);

#endif
