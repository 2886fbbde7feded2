/* What the battery aims at, made outside of the cage for one run: files, ports, sockets, memory, a process. And the same
 * attempts made outside, where they must succeed. */
#include "sandbox_targets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "opts.h"

enum { CONTROL_MS = 4000, PLACES_MAX = 128 };

/* ---- making them ---- */

static void add(struct sb_targets *t, const char *name, const char *value) {
    if (t->n == SB_TARGETS_MAX || value == NULL)
        return;
    char *at = t->text[t->n];
    int n = snprintf(at, sizeof t->text[0], "%s=%s", name, value);
    if (n > 0 && (size_t)n < sizeof t->text[0])
        t->v[t->n++] = at;
}

static void add_number(struct sb_targets *t, const char *name, uint64_t v) {
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    add(t, name, text);
}

static bool write_file(const char *path, mode_t mode) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, "bartizan\n", 9) == 9 && fchmod(fd, mode) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool make_files(struct sb_targets *t) {
    char path[PLACES_MAX];
    (void)snprintf(t->dir, sizeof t->dir, "/var/tmp/bartizan-probe.XXXXXX");
    if (mkdtemp(t->dir) == NULL || chmod(t->dir, 0711) != 0)
        return false;
    static const struct {
        const char *name, *file;
        mode_t mode;
    } files[] = {
        {"secret", "secret", 0644}, {"model", "model.gguf", 0644}, {"other", "other.gguf", 0644}};
    bool ok = true;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", t->dir, files[i].file);
        ok = write_file(path, files[i].mode) && chown(path, t->uid, t->gid) == 0 && ok;
        add(t, files[i].name, path);
    }
    (void)snprintf(t->model, sizeof t->model, "%s/model.gguf", t->dir);
    (void)snprintf(path, sizeof path, "%s/scratch", t->dir);
    ok = mkdir(path, 0700) == 0 && chown(path, t->uid, t->gid) == 0 && ok;
    add(t, "scratch", path);
    add(t, "beside", t->dir);
    (void)snprintf(path, sizeof path, "%s/sockets", t->dir);
    ok = mkdir(path, 0700) == 0 && chown(path, t->uid, t->gid) == 0 && ok;
    add(t, "sockets", path);
    (void)snprintf(t->socket, sizeof t->socket, "%s/sockets/llm.sock", t->dir);
    return chown(t->dir, t->uid, t->gid) == 0 && ok;
}

static int listen_on(uint32_t address, int type, uint16_t *ret_port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = address};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) != 0 ||
        (type == SOCK_STREAM && listen(fd, 8) != 0) ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
        bz_fd_done(&fd);
        return -1;
    }
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static void make_ports(struct sb_targets *t) {
    struct ifaddrs *all = NULL;
    uint16_t port = 0;
    if ((t->fd[0] = listen_on(htonl(INADDR_LOOPBACK), SOCK_STREAM, &port)) >= 0)
        add_number(t, "tcp", port);
    if ((t->fd[1] = listen_on(htonl(INADDR_LOOPBACK), SOCK_DGRAM, &port)) >= 0)
        add_number(t, "udp", port);
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *i = all; i != NULL && t->fd[2] < 0; i = i->ifa_next) {
        char text[INET_ADDRSTRLEN];
        struct sockaddr_in a;
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
            continue;
        memcpy(&a, i->ifa_addr, sizeof a);
        if (ntohl(a.sin_addr.s_addr) >> 24 == 127 ||
            (t->fd[2] = listen_on(a.sin_addr.s_addr, SOCK_STREAM, &port)) < 0)
            continue;
        add(t, "host", inet_ntop(AF_INET, &a.sin_addr, text, sizeof text));
        add_number(t, "host_tcp", port);
    }
    freeifaddrs(all);
}

static void make_unix(struct sb_targets *t) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s/engine.sock", t->dir);
    t->fd[3] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (t->fd[3] >= 0 && bind(t->fd[3], (const struct sockaddr *)&a, sizeof a) == 0 &&
        listen(t->fd[3], 8) == 0 && chmod(a.sun_path, 0666) == 0)
        add(t, "unix", a.sun_path);
    memset(a.sun_path, 0, sizeof a.sun_path);
    int n = snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "bartizan-probe-%d", (int)getpid());
    t->fd[4] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (n > 0 && t->fd[4] >= 0 &&
        bind(t->fd[4], (const struct sockaddr *)&a,
             (socklen_t)(sizeof(sa_family_t) + 1 + (size_t)n)) == 0 &&
        listen(t->fd[4], 8) == 0)
        add(t, "abstract", a.sun_path + 1);
}

static void make_memory(struct sb_targets *t) {
    uint32_t key = 0x42000000u | ((uint32_t)getpid() & 0xffffffu);
    t->shm = shmget((key_t)key, 4096, IPC_CREAT | IPC_EXCL | 0666);
    if (t->shm >= 0)
        add_number(t, "shm", key);
    (void)snprintf(t->shm_file, sizeof t->shm_file, "/dev/shm/bartizan-probe-%d", (int)getpid());
    if (write_file(t->shm_file, 0644))
        add(t, "shm_file", t->shm_file);
    else
        t->shm_file[0] = '\0';
}

/* A process of the host with something in its environment; it answers by UDP. */
static void keep(const struct sb_targets *t) {
    char c;
    struct sockaddr_in from;
    socklen_t n = sizeof from;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (geteuid() == 0 &&
        (setresgid(t->gid, t->gid, t->gid) != 0 || setresuid(t->uid, t->uid, t->uid) != 0))
        _exit(1);
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* after a change of user nobody could look into it */
    for (;;) {
        n = sizeof from;
        if (t->fd[1] < 0 || recvfrom(t->fd[1], &c, 1, 0, (struct sockaddr *)&from, &n) < 0)
            (void)pause();
        (void)sendto(t->fd[1], "!", 1, 0, (const struct sockaddr *)&from, n);
    }
}

bool sb_targets_make(struct sb_targets *t, uid_t uid, gid_t gid) {
    memset(t, 0, sizeof *t);
    t->shm = -1;
    for (size_t i = 0; i < sizeof t->fd / sizeof t->fd[0]; i++)
        t->fd[i] = -1;
    t->uid = uid;
    t->gid = gid;
    if (!make_files(t)) {
        bz_say("the targets of the battery cannot be made in %s: %s", t->dir, strerror(errno));
        return false;
    }
    make_ports(t);
    make_unix(t);
    make_memory(t);
    t->keeper = fork();
    if (t->keeper == 0)
        keep(t);
    add_number(t, "pid", t->keeper > 0 ? (uint64_t)t->keeper : 0);
    return t->keeper > 0;
}

void sb_targets_limits(struct sb_targets *t, uint64_t memory, uint64_t tmp, uint32_t pids,
                       uint32_t files) {
    add_number(t, "memory", memory);
    add_number(t, "tmp", tmp);
    add_number(t, "pids", pids);
    add_number(t, "files", files);
}

void sb_targets_free(struct sb_targets *t) {
    if (t->keeper > 0) {
        (void)kill(t->keeper, SIGKILL);
        (void)waitpid(t->keeper, NULL, 0);
    }
    for (size_t i = 0; i < sizeof t->fd / sizeof t->fd[0]; i++)
        bz_fd_done(&t->fd[i]);
    if (t->shm >= 0)
        (void)shmctl(t->shm, IPC_RMID, NULL);
    if (t->shm_file[0] != '\0')
        (void)unlink(t->shm_file);
    if (t->dir[0] != '\0')
        bz_tree_remove(AT_FDCWD, t->dir);
}

/* ---- the same outside ---- */

static bool own_namespace(void) {
    char map[32];
    int n = snprintf(map, sizeof map, "0 %u 1\n", (unsigned)geteuid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) != 0)
        return false;
    BZ_FD fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, map, (size_t)n) == n;
}

static void control_child(const struct sb_targets *t, const char *cage, const char *name,
                          bool own) {
    static char word[] = "attempt", canary[] = "BARTIZAN_CANARY=1", path[] = "PATH=/usr/bin:/bin";
    char *argv[4 + SB_TARGETS_MAX] = {(char *)(uintptr_t)cage, word, (char *)(uintptr_t)name};
    char *env[] = {canary, path, NULL};
    int null = open("/dev/null", O_RDWR);
    for (size_t i = 0; i < t->n; i++)
        argv[3 + i] = (char *)(uintptr_t)t->v[i];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(null, 0);
    (void)dup2(null, 1);
    (void)dup2(null, 2);
    (void)dup2(null, 9); /* the inherited descriptor; not closed by execve */
    /* A namespace of its own has what an ordinary user lacks outside: the attempt as such can succeed. */
    if (own && !own_namespace())
        _exit(EPERM);
    (void)execve(cage, argv, env);
    _exit(126);
}

static int control_once(const struct sb_targets *t, const char *cage, const char *name, bool own) {
    int ws = 0;
    pid_t pid = fork();
    if (pid == 0)
        control_child(t, cage, name, own);
    for (int waited = 0; pid > 0 && waitpid(pid, &ws, WNOHANG) == 0; waited += 2) {
        if (waited >= CONTROL_MS) {
            (void)kill(pid, SIGKILL);
            (void)waitpid(pid, &ws, 0);
            return ETIMEDOUT;
        }
        (void)poll(NULL, 0, 2);
    }
    if (pid < 0)
        return EAGAIN;
    return WIFEXITED(ws) ? WEXITSTATUS(ws) : 128 + WTERMSIG(ws);
}

int sb_control(const struct sb_targets *t, const char *cage, const char *name) {
    int rc = control_once(t, cage, name, false);
    return rc == 0 ? 0 : control_once(t, cage, name, true) == 0 ? 0 : rc;
}
