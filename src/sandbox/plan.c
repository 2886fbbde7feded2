/* From profile and request to the plan: pure. The order of mounts is the order in which bubblewrap makes them. */
#include <stdio.h>
#include <stdlib.h>

#include <bartizan/sandbox.h>

#define MAY_LOOK (BZ_MAY_READ | BZ_MAY_LIST)

struct making {
    const struct bz_cage_request *r;
    struct bz_cage_plan *p;
    struct bz_buf *why;
    enum bz_status st;
};

/* ---- small parts ---- */

static char *copy(struct making *m, const char *s) {
    if (s == NULL)
        return NULL;
    char *d = strdup(s);
    if (d == NULL)
        m->st = BZ_ENOMEM;
    return d;
}

static void refuse(struct making *m, const char *what, const char *arg) {
    if (m->st != BZ_OK)
        return;
    m->st = BZ_EINVAL;
    bz_put_safe(m->why, bz_view_str(arg));
    bz_buf_puts(m->why, what);
}

static struct bz_cage_mount *mount(struct making *m, enum bz_cage_mount_kind kind, const char *from,
                                   const char *to, unsigned may) {
    struct bz_cage_plan *p = m->p;
    for (size_t i = 0; i < p->mounts_n; i++) {
        if (strcmp(p->mount[i].to, to) == 0) { /* named twice: it may what either says */
            p->mount[i].may |= may;
            return &p->mount[i];
        }
    }
    if (p->mounts_n == BZ_CAGE_MOUNTS_MAX) {
        refuse(m, ": too many files for one cage", to);
        return NULL;
    }
    struct bz_cage_mount *x = &p->mount[p->mounts_n];
    *x = (struct bz_cage_mount){.kind = kind, .from = copy(m, from), .to = copy(m, to), .may = may};
    if (x->to == NULL)
        return NULL;
    p->mounts_n++;
    return x;
}

/* a is b or a directory above it */
static bool holds(const char *a, const char *b) {
    size_t n = strlen(a);
    while (n > 1 && a[n - 1] == '/')
        n--;
    return strncmp(a, b, n) == 0 && (b[n] == '\0' || b[n] == '/' || n == 1);
}

static void read_only(struct making *m, const char *path, unsigned may) {
    /* there already, with all of /usr */
    if (m->r->profile->usr && strcmp(path, "/usr") != 0 && holds("/usr", path))
        return;
    (void)mount(m, BZ_MOUNT_BIND_RO, path, path, may);
}

/* ---- what is refused ---- */

static bool looks_secret(const char *env) {
    static const char *const words[] = {"KEY",      "TOKEN",  "SECRET",
                                        "PASSWORD", "PASSWD", "CREDENTIAL"};
    char name[128];
    size_t n = strcspn(env, "=");
    if (n >= sizeof name)
        return true;
    for (size_t i = 0; i < n; i++)
        name[i] = (char)(env[i] >= 'a' && env[i] <= 'z' ? env[i] - 32 : env[i]);
    name[n] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(name, words[i]) != NULL)
            return true;
    }
    return false;
}

static void check_env(struct making *m) {
    for (size_t i = 0; i < m->r->env.n; i++) {
        const char *e = m->r->env.v[i];
        if (strchr(e, '=') == NULL || e[0] == '=')
            refuse(m, ": write --env NAME=VALUE", e);
        else if (strncmp(e, "LD_", 3) == 0)
            refuse(m, ": the loader's variables are not given to a cage", e);
        else if (looks_secret(e))
            refuse(
                m,
                ": this looks like a secret, and an environment is readable for every process of "
                "the same user; write --secret NAME=FILE and {secret:NAME} in the command",
                "--env");
    }
}

static void check_args(struct making *m) {
    for (size_t i = 1; i < m->r->argc; i++) {
        const char *a = m->r->argv[i];
        for (const char *const *s = m->r->profile->secret_args; *s != NULL; s++) {
            size_t n = strlen(*s);
            if (strncmp(a, *s, n) == 0 && (a[n] == '\0' || a[n] == '='))
                refuse(m,
                       " would show its value to everybody who lists processes; use the server's "
                       "option for a file, with --secret NAME=FILE and {secret:NAME}",
                       *s);
        }
    }
}

/* No write path may hold a model, or lie where programs and models are read from. */
static void check_writes(struct making *m) {
    static const char *const never[] = {"/",     "/usr", "/etc", "/home", "/root", "/var",
                                        "/proc", "/sys", "/dev", "/boot", "/run",  "/tmp"};
    for (size_t i = 0; i < m->r->writes.n; i++) {
        const char *w = m->r->writes.v[i];
        for (size_t k = 0; k < sizeof never / sizeof never[0]; k++) {
            if (strcmp(w, never[k]) == 0)
                refuse(m,
                       ": this directory belongs to the whole machine; give the server one of its "
                       "own",
                       w);
        }
        for (size_t k = 0; k < m->r->models.n; k++) {
            if (holds(w, m->r->models.v[k]))
                refuse(m,
                       ": a model lies in this directory; a server that could write there could "
                       "replace it",
                       w);
        }
        for (size_t k = 0; k < m->r->reads.n; k++) {
            if (holds(w, m->r->reads.v[k]) || holds(m->r->reads.v[k], w))
                refuse(m,
                       ": this directory is given for reading as well; a write path stands alone",
                       w);
        }
    }
}

/* Whole parts of the machine are no program's library. */
static void check_reads(struct making *m) {
    static const char *const never[] = {"/",     "/etc", "/home", "/root", "/var",
                                        "/proc", "/sys", "/dev",  "/boot", "/run",
                                        "/tmp",  "/srv", "/mnt",  "/opt",  "/media"};
    for (size_t i = 0; i < m->r->reads.n; i++) {
        for (size_t k = 0; k < sizeof never / sizeof never[0]; k++) {
            if (strcmp(m->r->reads.v[i], never[k]) == 0)
                refuse(m,
                       ": this is a whole part of the machine; name the directory that the server "
                       "needs of it",
                       never[k]);
        }
    }
}

/* ---- mounts ---- */

static void put_system(struct making *m) {
    const struct bz_cage_request *r = m->r;
    const struct bz_cage_profile *f = r->profile;
    if (r->usr_merged) {
        (void)mount(m, BZ_MOUNT_LINK, "usr/lib", "/lib", 0);
        (void)mount(m, BZ_MOUNT_LINK, "usr/lib64", "/lib64", 0);
        if (f->usr) {
            (void)mount(m, BZ_MOUNT_LINK, "usr/bin", "/bin", 0);
            (void)mount(m, BZ_MOUNT_LINK, "usr/sbin", "/sbin", 0);
        }
    }
    if (f->usr)
        read_only(m, "/usr", MAY_LOOK | (f->exec ? BZ_MAY_EXEC : 0u));
    if (r->loader_cache)
        read_only(m, "/etc/ld.so.cache", BZ_MAY_READ);
    for (size_t i = 0; i < r->needs_n; i++) {
        read_only(m, r->needs[i], BZ_MAY_READ);
    }
    for (const char *const *l = f->libraries; !r->probe && *l != NULL; l++) {
        for (size_t i = 0; i < r->reads.n; i++) { /* resolve put those there that exist */
            if (strcmp(*l, r->reads.v[i]) == 0 && f->exec)
                read_only(m, *l, MAY_LOOK | BZ_MAY_EXEC);
        }
    }
    if (r->loader != NULL) /* execve opens it as well, with the right to execute */
        read_only(m, r->loader, BZ_MAY_READ | BZ_MAY_EXEC);
    if (r->cpu_facts) /* how many real cores there are: servers choose their threads by it */
        read_only(m, "/sys/devices/system/cpu", MAY_LOOK);
}

static void put_private(struct making *m) {
    static const struct {
        const char *path;
        unsigned may;
    } dev[] = {{"/dev/null", BZ_MAY_READ | BZ_MAY_PUT},
               {"/dev/zero", BZ_MAY_READ},
               {"/dev/random", BZ_MAY_READ},
               {"/dev/urandom", BZ_MAY_READ}};
    static const char *const facts[] = {"/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
                                        "/proc/sys/vm/overcommit_memory"};
    const struct bz_cage_profile *f = m->r->profile;
    for (size_t i = 0; i < sizeof dev / sizeof dev[0]; i++)
        (void)mount(m, BZ_MOUNT_DEV, dev[i].path, dev[i].path, dev[i].may);
    (void)mount(m, BZ_MOUNT_PROC, NULL, "/proc", f->proc ? MAY_LOOK : 0u);
    /* of a private /proc, but the same for everybody */
    for (size_t i = 0; !f->proc && i < sizeof facts / sizeof facts[0]; i++)
        (void)mount(m, BZ_MOUNT_RULE, NULL, facts[i], BZ_MAY_READ);
    struct bz_cage_mount *t = mount(m, BZ_MOUNT_TMPFS, NULL, "/tmp", MAY_LOOK | BZ_MAY_WRITE);
    if (t != NULL)
        t->size = m->p->tmp;
    if (f->shm) {
        t = mount(m, BZ_MOUNT_TMPFS, NULL, "/dev/shm", MAY_LOOK | BZ_MAY_WRITE);
        if (t != NULL)
            t->size = m->p->tmp;
    }
}

static void put_gpu(struct making *m) {
    char path[64];
    if (m->r->gpu == BZ_GPU_NONE)
        return;
    m->p->gpu = true;
    for (const struct bz_gpu_node *g = bz_gpu_nodes; g->path != NULL; g++) {
        if (g->vendor != m->r->gpu)
            continue;
        const char *u = strstr(g->path, "%u");
        int n = u == NULL ? snprintf(path, sizeof path, "%s", g->path)
                          : snprintf(path, sizeof path, "%.*s%u", (int)(u - g->path), g->path,
                                     m->r->gpu_index);
        if (n > 0 && (size_t)n < sizeof path)
            (void)mount(m, BZ_MOUNT_DEV, path, path, BZ_MAY_READ | BZ_MAY_PUT | BZ_MAY_IOCTL);
    }
    read_only(m, "/sys/bus/pci/devices", MAY_LOOK);
    read_only(m, "/sys/devices", MAY_LOOK);
    if (m->r->gpu == BZ_GPU_NVIDIA)
        (void)mount(m, BZ_MOUNT_RULE, NULL, "/proc/driver/nvidia", MAY_LOOK);
    if (!m->p->wx) {
        m->p->wx = true;
        m->p->why_wx = "GPU libraries compile kernels at run time";
    }
}

static void put_own(struct making *m) {
    const struct bz_cage_request *r = m->r;
    const char *program = r->argv[0];
    for (size_t i = 0; i < r->models.n; i++)
        read_only(m, r->models.v[i], BZ_MAY_READ);
    for (size_t i = 0; i < r->reads.n; i++)
        read_only(m, r->reads.v[i], MAY_LOOK);
    for (size_t i = 0; i < r->writes.n; i++)
        (void)mount(m, BZ_MOUNT_BIND, r->writes.v[i], r->writes.v[i], MAY_LOOK | BZ_MAY_WRITE);
    (void)mount(m, BZ_MOUNT_BIND_RO, r->cage, BZ_CAGE_PROGRAM,
                r->probe ? BZ_MAY_READ | BZ_MAY_EXEC : 0u);
    if (!r->probe)
        read_only(m, program, BZ_MAY_READ | BZ_MAY_EXEC);
}

/* ---- socket, arguments, environment ---- */

static void put_socket(struct making *m) {
    const struct bz_cage_request *r = m->r;
    struct bz_cage_plan *p = m->p;
    if (r->profile->inet) {
        p->bind_port = r->profile->port;
        if (r->socket != NULL)
            p->forward_port = r->profile->port;
    } else if (r->socket != NULL) {
        const char *slash = strrchr(r->socket, '/');
        char *dir = copy(m, r->socket);
        if (dir == NULL)
            return;
        dir[slash - r->socket] = '\0';
        /* The directory holds the socket and nothing else; the server can make sockets there and no
         * links that would lead the gateway elsewhere. */
        (void)mount(m, BZ_MOUNT_BIND, dir, BZ_CAGE_SOCKET_DIR, MAY_LOOK | BZ_MAY_SOCKET);
        free(dir);
    }
    if (r->egress) {
        p->egress = true;
        p->connect_port[0] = BZ_CAGE_PROXY_PORT;
    }
}

static void put_arg(struct making *m, const char *a) {
    struct bz_cage_plan *p = m->p;
    if (p->argc + 1 >= sizeof p->argv / sizeof p->argv[0]) {
        refuse(m, ": too many arguments", a);
        return;
    }
    char *d = copy(m, a);
    if (d != NULL)
        p->argv[p->argc++] = d;
}

/* "{secret:NAME}" becomes the descriptor's path. */
static void put_arg_filled(struct making *m, const char *a) {
    struct bz_buf b;
    const char *at = strstr(a, "{secret:");
    if (at == NULL) {
        put_arg(m, a);
        return;
    }
    const char *name = at + strlen("{secret:"), *end = strchr(name, '}');
    for (size_t i = 0; end != NULL && i < m->r->secrets.n; i++) {
        const char *s = m->r->secrets.v[i];
        size_t n = strcspn(s, "=");
        if (n != (size_t)(end - name) || strncmp(s, name, n) != 0)
            continue;
        bz_buf_init(&b, 8192);
        bz_buf_put(&b, bz_view(a, (size_t)(at - a)));
        bz_buf_printf(&b, "/proc/self/fd/%u", BZ_CAGE_SECRET_FD + (unsigned)i);
        bz_buf_puts(&b, end + 1);
        bz_buf_putc(&b, 0);
        if (bz_buf_status(&b) == BZ_OK)
            put_arg(m, (const char *)b.p);
        else
            m->st = BZ_ENOMEM;
        bz_buf_free(&b);
        return;
    }
    refuse(m, ": no --secret of this name was given", a);
}

static void put_socket_args(struct making *m) {
    char socket[256];
    if (m->r->socket == NULL || m->r->probe)
        return;
    const char *slash = strrchr(m->r->socket, '/');
    int n = snprintf(socket, sizeof socket, "%s%s", BZ_CAGE_SOCKET_DIR, slash);
    if (n < 0 || (size_t)n >= sizeof socket) {
        refuse(m, ": the name of the socket is too long", m->r->socket);
        return;
    }
    for (const char *const *a = m->r->profile->socket_args; *a != NULL; a++)
        put_arg(m, strcmp(*a, "{socket}") == 0 ? socket : *a);
}

static void put_env(struct making *m, const char *e) {
    struct bz_cage_list *l = &m->p->env;
    size_t n = strcspn(e, "=") + 1;
    char *d = copy(m, e);
    if (d == NULL)
        return;
    for (size_t i = 0; i < l->n; i++) {
        if (strncmp(l->v[i], e, n) == 0) { /* the last one counts */
            free((char *)(uintptr_t)l->v[i]);
            l->v[i] = d;
            return;
        }
    }
    if (l->n == BZ_CAGE_LIST_MAX) {
        free(d);
        refuse(m, ": too many variables", e);
        return;
    }
    l->v[l->n++] = d;
}

static void put_environment(struct making *m) {
    static const char *const base[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp",
                                       "LANG=C.UTF-8"};
    static const char *const proxy[] = {
        "HTTP_PROXY=http://127.0.0.1:3128", "HTTPS_PROXY=http://127.0.0.1:3128",
        "http_proxy=http://127.0.0.1:3128", "https_proxy=http://127.0.0.1:3128",
        "NO_PROXY=127.0.0.1,localhost",     "no_proxy=127.0.0.1,localhost"};
    for (size_t i = 0; i < sizeof base / sizeof base[0]; i++)
        put_env(m, base[i]);
    for (const char *const *e = m->r->profile->env; *e != NULL; e++)
        put_env(m, *e);
    for (size_t i = 0; m->r->egress && i < sizeof proxy / sizeof proxy[0]; i++)
        put_env(m, proxy[i]);
    for (size_t i = 0; i < m->r->env.n; i++)
        put_env(m, m->r->env.v[i]);
}

/* ---- all of it ---- */

static void make(struct making *m) {
    const struct bz_cage_request *r = m->r;
    check_env(m);
    check_args(m);
    check_writes(m);
    check_reads(m);
    put_system(m);
    put_private(m);
    put_gpu(m);
    put_own(m);
    put_socket(m);
    for (size_t i = 0; i < r->argc; i++)
        put_arg_filled(m, r->argv[i]);
    put_socket_args(m);
    put_environment(m);
    for (size_t i = 0; i < r->secrets.n && m->st == BZ_OK; i++) {
        m->p->secrets.v[i] = copy(m, r->secrets.v[i]);
        m->p->secrets.n = i + 1;
    }
    if (m->p->mounts_n > 0 && r->socket != NULL && !r->profile->inet && m->st == BZ_OK) {
        for (size_t i = 0; i < m->p->mounts_n; i++) {
            if (strcmp(m->p->mount[i].to, BZ_CAGE_SOCKET_DIR) == 0)
                m->p->socket_dir = m->p->mount[i].from;
        }
    }
}

enum bz_status bz_cage_plan_make(const struct bz_cage_request *r, struct bz_cage_plan *ret,
                                 struct bz_buf *why) {
    struct making m = {.r = r, .p = ret, .why = why, .st = BZ_OK};
    memset(ret, 0, sizeof *ret);
    if (r->profile == NULL || r->argc == 0 || r->argv[0] == NULL || r->cage == NULL)
        return BZ_EINVAL;
    const struct bz_cage_profile *f = r->profile;
    ret->profile = f;
    ret->memory = r->memory != 0 ? r->memory : f->memory;
    ret->tmp = r->tmp != 0 ? r->tmp : f->tmp;
    ret->pids = r->pids != 0 ? r->pids : f->pids;
    ret->files = r->files != 0 ? r->files : f->files;
    ret->cpu_percent = r->cpu_percent;
    ret->exec = f->exec;
    ret->wx = f->wx;
    ret->why_wx = f->wx ? f->weaker : NULL;
    ret->weakened = r->weakened;
    ret->probe = r->probe;
    make(&m);
    return m.st;
}

void bz_cage_plan_free(struct bz_cage_plan *p) {
    for (size_t i = 0; i < p->mounts_n; i++) {
        free(p->mount[i].from);
        free(p->mount[i].to);
    }
    for (size_t i = 0; i < p->argc; i++)
        free(p->argv[i]);
    for (size_t i = 0; i < p->env.n; i++)
        free((char *)(uintptr_t)p->env.v[i]);
    for (size_t i = 0; i < p->secrets.n; i++)
        free((char *)(uintptr_t)p->secrets.v[i]);
    memset(p, 0, sizeof *p);
}
