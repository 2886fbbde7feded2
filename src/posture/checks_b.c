/* B: whom programs run as, and what they may do. */
#include <unistd.h>
#include <sys/syscall.h>

#include "posture_int.h"

static bool ai(const struct pt_work *w) {
    return w->kind->role != PT_ROLE_OURS;
}

static void b01(struct pt_ctx *c) {
    uint32_t uid;
    PT_EACH_WORK(c, w) {
        if (!ai(w) || (w->src == PT_CTR && (w->ctr->rootless || w->ctr->userns)))
            continue;
        if (w->src == PT_UNIT && w->unit->quadlet)
            continue;
        if (pt_work_uid(c->f, w, &uid)) {
            if (uid == 0)
                pt_bad(c, "%.*s runs as root", PT_V(w->label));
            else
                pt_good(c);
        } else if (w->src == PT_PROC) {
            pt_unknown(c, "%.*s: its status cannot be read", PT_V(w->label));
        } else if (w->src == PT_UNIT) {
            pt_good(c);
        }
    }
}

/* Roles that must not share an account: who takes one over has the others. */
static const char *role_name(const struct pt_proc *p, const struct pt_kind *k) {
    if (p != NULL && pt_is(p->comm, "nginx"))
        return "gateway";
    if (k == NULL)
        return NULL;
    unsigned r = k->role;
    return (r & PT_ROLE_OURS) != 0                   ? "gateway"
           : (r & PT_ROLE_SERVER) != 0               ? "model server"
           : (r & PT_ROLE_VECTOR) != 0               ? "vector store"
           : (r & (PT_ROLE_UI | PT_ROLE_PROXY)) != 0 ? "web interface"
                                                     : NULL;
}

static void b02_pair(struct pt_ctx *c, const struct pt_work *a, const struct pt_work *b) {
    uint32_t x, y;
    const char *ra = role_name(a->proc, a->kind), *rb = role_name(b->proc, b->kind);
    if (ra == NULL || rb == NULL || a->src != b->src || a->src == PT_CTR || strcmp(ra, rb) == 0)
        return;
    if (!pt_work_uid(c->f, a, &x) || !pt_work_uid(c->f, b, &y)) {
        if (a->src == PT_PROC)
            pt_unknown(c, "%.*s, %.*s: the account is not known", PT_V(a->label), PT_V(b->label));
        return;
    }
    if (x == y)
        pt_bad(c, "%.*s (%s) and %.*s (%s) both run as uid %u", PT_V(a->label), ra, PT_V(b->label),
               rb, x);
    else
        pt_good(c);
}

static void b02(struct pt_ctx *c) {
    PT_EACH_WORK(c, a) {
        for (const struct pt_work *b = a + 1; b < c->f->works.v + c->f->works.n; b++)
            b02_pair(c, a, b);
        if (role_name(a->proc, a->kind) != NULL)
            pt_good(c);
    }
}

static void b03(struct pt_ctx *c) {
    PT_EACH_WORK(c, w) {
        if (!ai(w) || w->src != PT_PROC)
            continue;
        const struct pt_proc *p = w->proc;
        if (p->no_new_privs < 0 && p->seccomp < 0 && !p->have_caps) {
            pt_unknown(c, "%.*s: its status cannot be read", PT_V(w->label));
            continue;
        }
        if (p->no_new_privs == 0)
            pt_bad(c, "%.*s: no_new_privs is off", PT_V(w->label));
        if (p->seccomp == 0)
            pt_bad(c, "%.*s: no seccomp filter", PT_V(w->label));
        if (p->have_caps && p->cap_eff != 0)
            pt_bad(c, "%.*s holds capabilities: %#llx", PT_V(w->label),
                   (unsigned long long)p->cap_eff);
        pt_good(c);
    }
}

/* ---- B04: exposure of a unit ---- */

enum value_kind { VALUE_TRUE, VALUE_SET, VALUE_STRICT, VALUE_EMPTY };
static const struct {
    const char *key;
    uint8_t weight; /* tenths; they sum up to 100 */
    uint8_t kind;
} directives[] = {
    {"NoNewPrivileges", 12, VALUE_TRUE},
    {"ProtectSystem", 12, VALUE_SET},
    {"ProtectHome", 8, VALUE_SET},
    {"PrivateTmp", 6, VALUE_TRUE},
    {"CapabilityBoundingSet", 10, VALUE_EMPTY},
    {"SystemCallFilter", 10, VALUE_SET},
    {"RestrictNamespaces", 6, VALUE_SET},
    {"RestrictAddressFamilies", 6, VALUE_SET},
    {"ProtectKernelTunables", 4, VALUE_TRUE},
    {"ProtectKernelModules", 4, VALUE_TRUE},
    {"ProtectKernelLogs", 3, VALUE_TRUE},
    {"ProtectControlGroups", 3, VALUE_TRUE},
    {"PrivateUsers", 3, VALUE_TRUE},
    {"RestrictSUIDSGID", 3, VALUE_TRUE},
    {"LockPersonality", 3, VALUE_TRUE},
    {"ProtectProc", 3, VALUE_SET},
    {"RestrictRealtime", 2, VALUE_TRUE},
    {"ProtectClock", 2, VALUE_TRUE},
};

static bool directive_set(const struct pt_unit *u, size_t i) {
    struct bz_view v = {NULL, 0};
    bool said = false;
    for (size_t j = 0; j < u->pairs.n; j++) {
        if (pt_is(u->pairs.v[j].section, "Service") &&
            pt_is(u->pairs.v[j].key, directives[i].key)) {
            v = u->pairs.v[j].value;
            said = true;
        }
    }
    if (directives[i].kind == VALUE_EMPTY) /* dropping all, or keeping few */
        return said && !pt_has(v, "SYS_ADMIN") && !pt_has(v, "CAP_SYS_PTRACE");
    if (directives[i].kind == VALUE_TRUE)
        return said && pt_true(v);
    return said && v.n > 0 && !pt_is(v, "no") && !pt_is(v, "false") && !pt_is(v, "default");
}

static void b04(struct pt_ctx *c) {
    PT_EACH_WORK(c, w) {
        if (!ai(w) || w->src != PT_UNIT || w->unit->quadlet)
            continue;
        unsigned missing = 0;
        for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++)
            missing += directive_set(w->unit, i) ? 0 : directives[i].weight;
        struct bz_view v;
        if (missing > 50 &&
            !(pt_unit_get(w->unit, "Service", "DynamicUser", &v) && pt_true(v) && missing <= 70))
            pt_bad(c, "%.*s: exposure %u.%u of 10: most sandboxing directives are missing",
                   PT_V(w->unit->path), missing / 10, missing % 10);
        else
            pt_good(c);
    }
}

/* ---- containers ---- */

static bool heavy_cap(struct bz_view v) {
    static const char *const list[] = {
        "ALL",       "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH",
        "NET_ADMIN", "BPF",       "SYS_BOOT",   NULL};
    if (pt_starts(v, "CAP_"))
        v = bz_view_sub(v, 4, v.n);
    return pt_is_any(v, list);
}

static void b05(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->ctrs.n; i++) {
        const struct pt_ctr *k = &c->f->ctrs.v[i];
        if (k->kind == NULL)
            continue;
        pt_good(c);
        if (k->privileged)
            pt_bad(c, "container %.*s is privileged", PT_V(k->name));
        for (size_t j = 0; j < k->caps.n; j++) {
            if (heavy_cap(k->caps.v[j]))
                pt_bad(c, "container %.*s has %.*s", PT_V(k->name), PT_V(k->caps.v[j]));
        }
        if (k->host_net || k->host_pid || k->host_ipc)
            pt_bad(c, "container %.*s shares the host's%s%s%s namespace", PT_V(k->name),
                   k->host_net ? " network" : "", k->host_pid ? " pid" : "",
                   k->host_ipc ? " ipc" : "");
        if (k->unconfined)
            pt_bad(c, "container %.*s has no seccomp filter", PT_V(k->name));
        bool root =
            k->have_user && (k->user.n == 0 || pt_is(k->user, "root") || pt_is(k->user, "0") ||
                             pt_starts(k->user, "0:") || pt_starts(k->user, "root:"));
        struct bz_view daemon;
        bool remap = pt_read(c->f->t, "etc/docker/daemon.json", 65536, &daemon) == BZ_OK &&
                     pt_has(daemon, "\"userns-remap\"");
        if (root && !k->userns && !k->rootless && !remap)
            pt_bad(c, "container %.*s: its root is the host's root (no user namespace)",
                   PT_V(k->name));
    }
    if (c->f->ctr_denied)
        pt_unknown(c, "the configuration of containers cannot be read");
}

static bool runtime_socket(struct bz_view path) {
    return pt_ends(path, "/docker.sock") || pt_ends(path, "/podman.sock") ||
           pt_ends(path, "/containerd.sock") || pt_ends(path, "/crio.sock") ||
           pt_is(path, "/var/run") || pt_is(path, "/run");
}

static void b06(struct pt_ctx *c) {
    static const char *const sockets[] = {"run/docker.sock", "var/run/docker.sock",
                                          "run/containerd/containerd.sock",
                                          "run/podman/podman.sock"};
    struct stat s;
    for (size_t i = 0; i < c->f->ctrs.n; i++) {
        const struct pt_ctr *k = &c->f->ctrs.v[i];
        for (size_t j = 0; j < k->mounts.n && k->kind != NULL; j++) {
            if (runtime_socket(k->mounts.v[j].source) || runtime_socket(k->mounts.v[j].target))
                pt_bad(c, "container %.*s mounts %.*s", PT_V(k->name), PT_V(k->mounts.v[j].source));
        }
        if (k->kind != NULL)
            pt_good(c);
    }
    for (size_t i = 0; i < 4; i++) {
        if (!pt_stat(c->f->t, sockets[i], true, &s))
            continue;
        if ((s.st_mode & 2) != 0)
            pt_bad(c, "/%s may be written by everybody (mode %04o)", sockets[i], s.st_mode & 07777);
        PT_EACH_WORK(c, w) {
            for (size_t j = 0; w->src == PT_PROC && ai(w) && j < w->proc->groups.n; j++) {
                if (w->proc->groups.v[j] == s.st_gid && s.st_gid != 0 && (s.st_mode & 020) != 0)
                    pt_bad(c, "%.*s is in the group (%u) of /%s", PT_V(w->label), s.st_gid,
                           sockets[i]);
            }
        }
        pt_good(c);
    }
    if (c->f->ctr_denied)
        pt_unknown(c, "the configuration of containers cannot be read");
}

/* ---- B07: groups and sudo ---- */

static bool service_account(const struct pt_user *u) {
    static const char *const names[] = {
        "ollama",     "vllm",     "llama",  "llama-server", "llamacpp", "litellm",   "openwebui",
        "open-webui", "qdrant",   "chroma", "milvus",       "weaviate", "sglang",    "localai",
        "triton",     "mlflow",   "ray",    "jupyter",      "langflow", "flowise",   "comfyui",
        "tgi",        "openclaw", "mcp",    "ai",           "llm",      "inference", NULL};
    return pt_is_any(u->name, names);
}

static bool ai_user(const struct pt_facts *f, const struct pt_user *u) {
    uint32_t uid;
    struct bz_view name;
    for (size_t i = 0; i < f->works.n; i++) {
        const struct pt_work *w = &f->works.v[i];
        if (!ai(w) || w->src == PT_CTR)
            continue;
        if (w->src == PT_UNIT && pt_unit_get(w->unit, "Service", "User", &name) &&
            bz_view_eq(name, u->name))
            return u->uid != 0;
        if (w->src == PT_PROC && pt_work_uid(f, w, &uid) && uid == u->uid)
            return u->uid != 0;
    }
    return service_account(u) && u->uid != 0;
}

static bool sudo_line_for(struct bz_view line, const struct pt_user *u) {
    struct bz_view who;
    if (!pt_has(line, "NOPASSWD") || !pt_word(&line, &who))
        return false;
    if (bz_view_eq(who, u->name) || pt_is(who, "ALL"))
        return true;
    for (size_t i = 0; i < u->groups.n && who.p[0] == '%'; i++) {
        if (bz_view_eq(bz_view_sub(who, 1, who.n), u->groups.v[i]))
            return true;
    }
    return false;
}

static void b07(struct pt_ctx *c) {
    static const char *const strong[] = {"sudo",   "wheel",       "admin", "docker",
                                         "lxd",    "incus-admin", "disk",  "libvirt",
                                         "shadow", "root",        "kmem",  NULL};
    bool any = false;
    for (size_t i = 0; i < c->f->users.n; i++) {
        const struct pt_user *u = &c->f->users.v[i];
        if (!ai_user(c->f, u))
            continue;
        any = true;
        pt_good(c);
        for (size_t j = 0; j < u->groups.n; j++) {
            if (pt_is_any(u->groups.v[j], strong))
                pt_bad(c, "account %.*s is in group %.*s", PT_V(u->name), PT_V(u->groups.v[j]));
        }
        for (size_t j = 0; j < c->f->sudoers.n; j++) {
            if (sudo_line_for(c->f->sudoers.v[j], u))
                pt_bad(c, "account %.*s: %.*s", PT_V(u->name), PT_V(c->f->sudoers.v[j]));
        }
    }
    if (any && c->f->sudoers_denied)
        pt_unknown(c, "sudo's rules cannot be read");
    if (!c->f->have_passwd)
        pt_unknown(c, "the accounts cannot be read");
}

/* ---- B08: what gets imported and executed ---- */

static bool writable_by(const struct stat *s, bool known, uint32_t uid) {
    if ((s->st_mode & 2) != 0 && (s->st_mode & 01000) == 0)
        return true;
    return known && uid != 0 && s->st_uid == uid && (s->st_mode & 0200) != 0;
}

static void path_dirs(struct pt_ctx *c, const struct pt_work *w, const char *name) {
    struct bz_view v, one, next;
    uint32_t uid = 0;
    struct stat s;
    bool known = pt_work_uid(c->f, w, &uid);
    if (!pt_env(w, name, &v))
        return;
    while (v.n > 0) {
        one = v;
        next = bz_view(NULL, 0);
        (void)pt_split(v, ':', &one, &next);
        v = next;
        if (one.n == 0 || one.p[0] != '/')
            continue;
        if (!pt_stat(c->f->t, pt_path(c->f->t, "%.*s", PT_V(one)), true, &s) || !S_ISDIR(s.st_mode))
            continue;
        if (writable_by(&s, known, uid))
            pt_bad(c, "%.*s: %s has %.*s, which %s may write (mode %04o)", PT_V(w->label), name,
                   PT_V(one), (s.st_mode & 2) != 0 ? "everybody" : "it", s.st_mode & 07777);
        else
            pt_good(c);
    }
}

static bool pth_runs_code(struct bz_view text) {
    static const char *const words[] = {
        "exec(",    "eval(",   "base64", "subprocess",       "urllib",   "socket", "os.system",
        "compile(", "marshal", "zlib",   "__import__('os')", "requests", "popen",  NULL};
    struct bz_view line;
    while (pt_line(&text, &line)) {
        if (!pt_starts(line, "import ") && !pt_starts(line, "import\t"))
            continue;
        for (size_t i = 0; words[i] != NULL; i++) {
            if (pt_has(line, words[i]))
                return true;
        }
    }
    return false;
}

/* The package whose name the .pth begins with; a file that came later than its package is no part of it. */
static bool pth_newer(const struct pt_facts *f, const struct pt_file *file) {
    struct bz_view base = pt_base(file->path);
    for (size_t i = 0; i < f->dists.n; i++) {
        const struct pt_dist *d = &f->dists.v[i];
        if (d->mtime > 0 && bz_view_starts(base, d->name) &&
            bz_view_eq(pt_dir(d->dir), pt_dir(file->path)))
            return file->mtime > d->mtime + 60 && pt_find(file->text, "import") != SIZE_MAX;
    }
    return false;
}

static void b08(struct pt_ctx *c) {
    PT_EACH_WORK(c, w) {
        if (!ai(w) || w->src == PT_CTR)
            continue;
        path_dirs(c, w, "PATH");
        path_dirs(c, w, "PYTHONPATH");
        path_dirs(c, w, "LD_LIBRARY_PATH");
        if (!w->env_known)
            pt_unknown(c, "%.*s: its environment cannot be read", PT_V(w->label));
    }
    for (size_t i = 0; i < c->f->files.n; i++) {
        const struct pt_file *file = &c->f->files.v[i];
        if (file->tag != PT_F_PTH)
            continue;
        static const char *const known[] = {"pytest-cov.pth", "pytest_cov.pth", "a1_coverage.pth",
                                            "distutils-precedence.pth", NULL};
        if (pt_is_any(pt_base(file->path), known) && file->size <= 300 && (file->mode & 2) == 0)
            pt_good(c);
        else if (pth_runs_code(file->text))
            pt_bad(c, "%.*s runs code when Python starts", PT_V(file->path));
        else if (pth_newer(c->f, file))
            pt_bad(c, "%.*s is newer than the package it pretends to belong to", PT_V(file->path));
        else if ((file->mode & 2) != 0)
            pt_bad(c, "%.*s may be written by everybody", PT_V(file->path));
        else
            pt_good(c);
    }
}

/* ---- B09 to B12 ---- */

/* "0::/system.slice/x.service" (v2) or the memory line of v1. 1: limited, 0: not, -1: unknown. */
static int cgroup_limit(struct pt_facts *f, const struct pt_proc *p, const char *v2,
                        const char *v1) {
    struct bz_view text = p->cgroup, line, v;
    while (pt_line(&text, &line)) {
        bool two = pt_starts(line, "0::");
        size_t at = two ? 3 : pt_find(line, v2[0] == 'm' ? ":memory:" : ":pids:");
        if (at == SIZE_MAX)
            continue;
        if (!two)
            at += v2[0] == 'm' ? 8 : 6;
        struct bz_view dir = bz_view_sub(line, at, line.n);
        const char *path = two ? pt_path(f->t, "sys/fs/cgroup%.*s/%s", PT_V(dir), v2)
                               : pt_path(f->t, "sys/fs/cgroup/%s%.*s/%s",
                                         v2[0] == 'm' ? "memory" : "pids", PT_V(dir), v1);
        if (pt_read(f->t, path, 64, &v) != BZ_OK)
            continue;
        v = pt_trim(v);
        return !pt_is(v, "max") && pt_num(v, 0) < (uint64_t)1 << 60;
    }
    return -1;
}

static void b09_unit(struct pt_ctx *c, const struct pt_work *w) {
    struct bz_view v;
    bool memory = pt_unit_get(w->unit, "Service", "MemoryMax", &v) ||
                  pt_unit_get(w->unit, "Service", "MemoryLimit", &v);
    memory = memory && !pt_is(v, "infinity");
    bool tasks = pt_unit_get(w->unit, "Service", "TasksMax", &v) && !pt_is(v, "infinity");
    bool files = pt_unit_get(w->unit, "Service", "LimitNOFILE", &v) && !pt_is(v, "infinity");
    if (memory && tasks && files)
        pt_good(c);
    else
        pt_bad(c, "%.*s has no%s%s%s", PT_V(w->unit->path), memory ? "" : " MemoryMax",
               tasks ? "" : " TasksMax", files ? "" : " LimitNOFILE");
}

static void b09(struct pt_ctx *c) {
    PT_EACH_WORK(c, w) {
        if (!ai(w))
            continue;
        if (w->src == PT_UNIT && !w->unit->quadlet) {
            b09_unit(c, w);
        } else if (w->src == PT_CTR && w->ctr->have_limits) {
            if (w->ctr->memory == 0 || w->ctr->pids == 0)
                pt_bad(c, "%.*s has no limit of%s%s", PT_V(w->label),
                       w->ctr->memory == 0 ? " memory" : "", w->ctr->pids == 0 ? " processes" : "");
            else
                pt_good(c);
        } else if (w->src == PT_PROC && w->unit == NULL) {
            int memory = cgroup_limit(c->f, w->proc, "memory.max", "memory.limit_in_bytes");
            int pids = cgroup_limit(c->f, w->proc, "pids.max", "pids.max");
            if (memory == 0 || pids == 0)
                pt_bad(c, "%.*s has no limit of%s%s", PT_V(w->label), memory == 0 ? " memory" : "",
                       pids == 0 ? " processes" : "");
            else if (w->proc->nofile_soft == UINT64_MAX)
                pt_bad(c, "%.*s: the number of its open files is unlimited", PT_V(w->label));
            else if (memory > 0 && pids > 0)
                pt_good(c);
            else
                pt_unknown(c, "%.*s: the limits of its cgroup are not seen", PT_V(w->label));
        }
    }
}

static void b10(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->users.n; i++) {
        const struct pt_user *u = &c->f->users.v[i];
        if (!ai_user(c->f, u))
            continue;
        bool locked = pt_ends(u->shell, "nologin") || pt_ends(u->shell, "/false");
        if (locked)
            pt_good(c);
        else
            pt_bad(c, "account %.*s has the shell '%.*s'", PT_V(u->name), PT_V(u->shell));
    }
    if (!c->f->have_passwd)
        pt_unknown(c, "the accounts cannot be read");
}

static void sysctl_at_least(struct pt_ctx *c, const char *name, uint64_t least) {
    struct bz_view v = pt_sysctl(c->f, name);
    uint64_t n = pt_num(v, UINT64_MAX);
    if (n == UINT64_MAX)
        return;
    if (n < least)
        pt_bad(c, "%s is %llu", name, (unsigned long long)n);
    else
        pt_good(c);
}

static bool userns_needed(struct pt_facts *f) {
    for (size_t i = 0; i < f->ctrs.n; i++) {
        if (f->ctrs.v[i].rootless)
            return true;
    }
    return f->instances.n > 0; /* the sandbox of an instance that is not root's */
}

static void b11(struct pt_ctx *c) {
    bool any = pt_exists(c->f->t, "proc/sys/kernel");
    sysctl_at_least(c, "kernel/yama/ptrace_scope", 1);
    if (any && pt_sysctl(c->f, "kernel/yama/ptrace_scope").n == 0)
        pt_bad(c, "kernel/yama/ptrace_scope is missing: Yama is not there");
    sysctl_at_least(c, "kernel/unprivileged_bpf_disabled", 1);
    sysctl_at_least(c, "kernel/kptr_restrict", 1);
    bool narrowed = pt_is(pt_sysctl(c->f, "kernel/apparmor_restrict_unprivileged_userns"), "1");
    if (pt_is(pt_sysctl(c->f, "kernel/unprivileged_userns_clone"), "1") && !narrowed &&
        !userns_needed(c->f))
        pt_bad(c, "kernel/unprivileged_userns_clone is 1 and nothing here needs it");
    if (!c->good && !c->bad)
        pt_unknown(c, "the kernel's settings are not recorded");
}

static void b12(struct pt_ctx *c) {
    struct bz_view v;
    if (pt_read(c->f->t, "sys/kernel/security/lsm", 4096, &v) == BZ_OK) {
        if (pt_has(v, "landlock"))
            pt_good(c);
        else
            pt_bad(c, "Landlock is not among the kernel's security modules: %.*s",
                   PT_V(pt_trim(v)));
    } else if (c->f->live) {
#ifdef SYS_landlock_create_ruleset
        if (syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1u) >=
            1) /* asks for the ABI's version */
            pt_good(c);
        else
            pt_bad(c, "this kernel has no Landlock");
#endif
    }
    v = pt_sysctl(c->f, "user/max_user_namespaces");
    if (pt_is(v, "0"))
        pt_bad(c, "user/max_user_namespaces is 0: no sandbox of an ordinary account");
    if (pt_exists(c->f->t, "proc/sys/kernel/seccomp/actions_avail"))
        pt_good(c);
    else if (c->f->live)
        pt_bad(c, "this kernel has no seccomp filters");
    if (!c->good && !c->bad)
        pt_unknown(c, "what the kernel offers is not recorded");
}

const struct pt_check pt_checks_b[] = {
    PT_ROW("B01", "An AI program runs as root", CRITICAL,
           "A flaw in a parser of models or prompts is then a flaw of the whole machine.",
           "Give it an account of its own: User= in the unit, USER in the image.", "AC-6", b01),
    PT_ROW("B02", "Gateway, model server, interface or store share an account", HIGH,
           "Who takes over one reads the keys and memory of the other.", "One account for each.",
           "AC-6, SC-39", b02),
    PT_ROW("B03", "An AI process may gain rights", HIGH,
           "Without no_new_privs, seccomp and an empty capability set a flaw reaches the whole "
           "kernel.",
           "Run it in 'bartizan sandbox run', or with NoNewPrivileges=, SystemCallFilter= and "
           "CapabilityBoundingSet=.",
           "CM-7, AISVS 4.1.1", b03),
    PT_ROW("B04", "A unit of an AI program has no sandbox", HIGH,
           "systemd can take most of the system away from it; the unit asks for little of that.",
           "Add a drop-in; 'bartizan posture --fix' writes one.", "SC-39, CIS systemd", b04),
    PT_ROW("B05", "A container is hardly one", CRITICAL,
           "Privileged, host namespaces, strong capabilities or no seccomp: out of it is one step.",
           "Drop the flag; run as a user of its own, with the default seccomp profile and a user "
           "namespace.",
           "CIS Docker, AISVS 4.1.1", b05),
    PT_ROW("B06", "An AI program reaches the container runtime", CRITICAL,
           "Who can talk to the runtime's socket is root on the host.",
           "Remove the mount and the group.", "CIS Docker", b06),
    PT_ROW("B07", "An AI account has administrators' rights", CRITICAL,
           "sudo, docker, lxd or disk make it root.",
           "Take it out of the group; remove the NOPASSWD rule.", "AC-6", b07),
    PT_ROW("B08", "Programs are loaded from places that others write", HIGH,
           "A file put into PATH, PYTHONPATH or site-packages runs with the next start; .pth files "
           "were the way of the "
           "LiteLLM attack.",
           "Make the folders root's and read-only; remove the .pth and look for its source.",
           "SI-7", b08),
    PT_ROW("B09", "No limits of memory, processes or files", MEDIUM,
           "One request can take the machine down.", "Set MemoryMax=, TasksMax= and LimitNOFILE=.",
           "SC-5, LLM10", b09),
    PT_ROW("B10", "A service account has a shell", MEDIUM, "It can be logged into.",
           "Set its shell to /usr/sbin/nologin.", "CIS accounts", b10),
    PT_ROW(
        "B11", "The kernel shows too much to ordinary accounts", MEDIUM,
        "Tracing, BPF, kernel addresses and user namespaces are what local exploits are made of.",
        "Set kernel.yama.ptrace_scope=1, kernel.unprivileged_bpf_disabled=1, "
        "kernel.kptr_restrict=1.",
        "CIS kernel parameters, SI-16", b11),
    PT_ROW("B12", "The kernel cannot give a sandbox", HIGH,
           "Landlock, seccomp and user namespaces are what the sandbox is made of.",
           "Boot with lsm=landlock,... and a kernel that has them.", "SC-39", b12),
};
const size_t pt_checks_b_n = sizeof pt_checks_b / sizeof pt_checks_b[0];
