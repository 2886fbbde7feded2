/* Attempts on files and by execution. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cage.h"
#include "cage_probe.h"

extern char **environ;
static char **targets;

const char *target(const char *name) {
    size_t n = strlen(name);
    for (char **t = targets; t != NULL && *t != NULL; t++) {
        if (strncmp(*t, name, n) == 0 && (*t)[n] == '=')
            return *t + n + 1;
    }
    return NULL;
}

uint64_t target_number(const char *name) {
    uint64_t v = 0;
    const char *t = target(name);
    return t != NULL && bz_view_u64(bz_view_str(t), &v) == BZ_OK ? v : 0;
}

const char *scratch(void) {
    const char *d = target("scratch");
    return d != NULL && access(d, W_OK) == 0 ? d : "/tmp";
}

static int open_ok(const char *path, int flags) {
    int fd = path == NULL ? -1 : open(path, flags | O_CLOEXEC | O_NOCTTY, 0600);
    int rc = outcome(fd >= 0);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static int list_ok(const char *path) {
    DIR *d = opendir(path);
    int rc = outcome(d != NULL && readdir(d) != NULL);
    if (d != NULL)
        (void)closedir(d);
    return rc;
}

static const char *below(char out[512], const char *dir, const char *name) {
    (void)snprintf(out, 512, "%s/.bartizan-%s-%d", dir == NULL ? "/nowhere" : dir, name,
                   (int)getpid());
    return out;
}

static int create_in(const char *dir) {
    char path[512];
    int rc = open_ok(below(path, dir, "file"), O_WRONLY | O_CREAT | O_EXCL);
    (void)unlink(path);
    return rc;
}

/* ---- files ---- */

static int read_shadow(void) {
    return open_ok("/etc/shadow", O_RDONLY);
}
static int read_secret(void) {
    return open_ok(target("secret"), O_RDONLY);
}
static int list_home(void) {
    return list_ok("/home");
}
static int list_root(void) {
    return list_ok("/");
}
static int list_var(void) {
    return list_ok("/var/lib");
}
static int read_other_model(void) {
    return open_ok(target("other"), O_RDONLY);
}
static int write_model(void) {
    return open_ok(target("model"), O_WRONLY);
}
static int create_beside_model(void) {
    return create_in(target("beside"));
}
static int replace_model(void) {
    char path[512];
    const char *model = target("model");
    int fd = open(below(path, target("beside"), "new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        fd = open(below(path, "/tmp", "new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    /* the same bytes: only whether it can be done matters */
    int rc = outcome(model != NULL && rename(path, model) == 0);
    (void)close(fd);
    (void)unlink(path);
    return rc;
}
static int write_root(void) {
    return create_in("/");
}
static int write_usr(void) {
    return create_in("/usr");
}
static int make_device(void) {
    char path[512];
    int rc = outcome(mknod(below(path, scratch(), "disk"), S_IFBLK | 0600, makedev(8, 0)) == 0);
    (void)unlink(path);
    return rc;
}
static int make_link(void) {
    char path[512];
    int rc = outcome(symlink("/run/other.sock", below(path, target("sockets"), "link")) == 0);
    (void)unlink(path);
    if (rc == 0) /* the directory as the cage knows it */
        return rc;
    rc = outcome(symlink("/run/other.sock", below(path, BZ_CAGE_SOCKET_DIR, "link")) == 0);
    (void)unlink(path);
    return rc;
}
static int file_handle(void) {
    union {
        struct file_handle h;
        char space[sizeof(struct file_handle) + 128];
    } u;
    int mount = 0;
    u.h.handle_bytes = 128;
    return outcome(syscall(SYS_name_to_handle_at, AT_FDCWD, scratch(), &u, &mount, 0) == 0);
}
static int open_devices(void) {
    static const char *const all[] = {"/dev/kvm",
                                      "/dev/fuse",
                                      "/dev/net/tun",
                                      "/dev/mem",
                                      "/dev/sda",
                                      "/dev/vda",
                                      "/dev/nvme0n1",
                                      "/dev/kfd",
                                      "/dev/dri/card0",
                                      "/dev/nvidia0",
                                      "/dev/tty0",
                                      "/dev/loop-control",
                                      "/dev/nvidia-modeset",
                                      "/dev/uinput",
                                      "/dev/ptmx"};
    int rc = ENOENT;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int one = open_ok(all[i], O_RDWR);
        if (one == 0)
            return 0;
        rc = one != ENOENT ? one : rc;
    }
    return rc;
}
static int read_kmsg(void) {
    return open_ok("/dev/kmsg", O_RDONLY | O_NONBLOCK);
}
static int read_sys(void) {
    return list_ok("/sys/class");
}
static int read_cgroups(void) {
    return list_ok("/sys/fs/cgroup");
}
static int read_kallsyms(void) {
    return open_ok("/proc/kallsyms", O_RDONLY);
}
static int write_sysctl(void) {
    return open_ok("/proc/sys/kernel/core_pattern", O_WRONLY);
}
static int write_sysrq(void) {
    return open_ok("/proc/sysrq-trigger", O_WRONLY);
}

/* ---- execution ---- */

static int run_it(const char *path) {
    static char name[] = "cage", word[] = "attempt", nothing[] = "nothing";
    char *argv[] = {name, word, nothing, NULL};
    (void)execve(path, argv, environ);
    return outcome(false);
}

/* Copies this program; a descriptor, or -1. */
static int copy_self(int to) {
    static char block[65536];
    ssize_t n = -1;
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    while (from >= 0 && to >= 0 && (n = read(from, block, sizeof block)) > 0) {
        if (write(to, block, (size_t)n) != n)
            return -1;
    }
    (void)close(from);
    return n == 0 ? to : -1;
}

static int exec_tmp(void) {
    char path[512];
    int fd = open(below(path, scratch(), "exec"), O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    if (copy_self(fd) < 0)
        return outcome(false);
    (void)close(fd);
    pid_t pid = getpid();
    int rc = run_it(path);
    if (pid == getpid())
        (void)unlink(path);
    return rc;
}
static int map_tmp(void) {
    char path[512];
    int fd = open(below(path, scratch(), "map"), O_RDWR | O_CREAT | O_CLOEXEC, 0700);
    bool written = fd >= 0 && write(fd, "\xc3", 1) == 1;
    void *p = written ? mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    int rc = outcome(p != MAP_FAILED);
    (void)unlink(path);
    return rc;
}
static int exec_memfd(void) {
    static char name[] = "cage", word[] = "attempt", nothing[] = "nothing";
    char *argv[] = {name, word, nothing, NULL};
    int fd = memfd_create("program", MFD_CLOEXEC);
    if (fd < 0 || copy_self(fd) < 0)
        return outcome(false);
    (void)syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
    return outcome(false);
}
static int exec_shell(void) {
    static char name[] = "sh", option[] = "-c", text[] = "exit 0";
    char *argv[] = {name, option, text, NULL};
    (void)execve("/bin/sh", argv, environ);
    return outcome(false);
}
static int exec_again(void) {
    return run_it("/proc/self/exe");
}
static int map_write_exec(void) {
    return outcome(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0) != MAP_FAILED);
}
static int protect_exec(void) {
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return outcome(p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0);
}
static int map_memfd_exec(void) {
    int fd = memfd_create("code", MFD_CLOEXEC);
    return outcome(fd >= 0 && ftruncate(fd, 4096) == 0 &&
                   mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0) != MAP_FAILED);
}
static int write_own_code(void) {
    const char *code = (const char *)(uintptr_t)&write_own_code;
    int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    return outcome(fd >= 0 && pwrite(fd, code, 1, (off_t)(uintptr_t)code) == 1);
}
static int turn_off_randomisation(void) {
    return outcome(personality(ADDR_NO_RANDOMIZE) != -1);
}
static int other_abi(void) {
#if defined __x86_64__
    long rc = 20; /* getpid of the 32-bit table */
    __asm__ volatile("int $0x80" : "+a"(rc) : : "memory", "r8", "r9", "r10", "r11");
    errno = (int)-rc;
    return outcome(rc > 0);
#else
    return ENOSYS;
#endif
}

const struct attempt probe_files[] = {
    {"read_shadow", read_shadow},
    {"read_secret", read_secret},
    {"list_home", list_home},
    {"list_root", list_root},
    {"list_var", list_var},
    {"read_other_model", read_other_model},
    {"write_model", write_model},
    {"create_beside_model", create_beside_model},
    {"replace_model", replace_model},
    {"write_root", write_root},
    {"write_usr", write_usr},
    {"make_device", make_device},
    {"make_link", make_link},
    {"file_handle", file_handle},
    {"open_devices", open_devices},
    {"read_kmsg", read_kmsg},
    {"read_sys", read_sys},
    {"read_cgroups", read_cgroups},
    {"read_kallsyms", read_kallsyms},
    {"write_sysctl", write_sysctl},
    {"write_sysrq", write_sysrq},
    {"exec_tmp", exec_tmp},
    {"map_tmp", map_tmp},
    {"exec_memfd", exec_memfd},
    {"exec_shell", exec_shell},
    {"exec_again", exec_again},
    {"map_write_exec", map_write_exec},
    {"protect_exec", protect_exec},
    {"map_memfd_exec", map_memfd_exec},
    {"write_own_code", write_own_code},
    {"personality", turn_off_randomisation},
    {"other_abi", other_abi},
    {NULL, NULL},
};

int cage_attempt(const char *name, char **list) {
    const struct attempt *const all[] = {probe_files, probe_net, probe_kernel, probe_self};
    enum { NO_SUCH = 126 };
    targets = list;
    if (strcmp(name, "nothing") == 0)
        return 0;
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        for (const struct attempt *a = all[k]; a->name != NULL; a++) {
            if (strcmp(a->name, name) != 0)
                continue;
            errno = 0;
            int rc = a->run();
            return rc >= 0 && rc < 125 ? rc : EPERM;
        }
    }
    return NO_SUCH;
}
