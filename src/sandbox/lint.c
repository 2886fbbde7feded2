/* Container configurations that let their content out. The ids follow the runtime scenarios of SandboxEscapeBench
 * (arXiv 2603.02277) where there is one. */
#include <stdio.h>

#include <bartizan/containers.h>

enum { DEPTH = 32 };

static void find(struct bz_lint *l, const char *id, struct bz_view what, const char *why,
                 const char *fix) {
    if (l->n < BZ_LINT_FINDINGS_MAX) {
        struct bz_lint_finding *f = &l->list[l->n];
        f->id = id;
        f->why = why;
        f->fix = fix;
        (void)snprintf(f->what, sizeof f->what, "%.*s", (int)(what.n < 150 ? what.n : 150),
                       what.n == 0 ? "" : (const char *)what.p);
    }
    l->n++;
}

static bool ends(struct bz_view v, const char *end) {
    struct bz_view e = bz_view_str(end);
    return v.n >= e.n && bz_view_eq(bz_view_sub(v, v.n - e.n, e.n), e);
}

static struct bz_view trimmed(struct bz_view v) {
    while (v.n > 1 && v.p[v.n - 1] == '/')
        v.n--;
    return v;
}

/* path is dir or lies below it */
static bool below(struct bz_view path, const char *dir) {
    struct bz_view d = bz_view_str(dir);
    return bz_view_starts(path, d) && (path.n == d.n || path.p[d.n] == '/');
}

/* ---- rules ---- */

static void look_at_mount(struct bz_lint *l, struct bz_view path, bool writable) {
    static const char *const sockets[] = {"docker.sock", "podman.sock",      "containerd.sock",
                                          "crio.sock",   "cri-dockerd.sock", "buildkitd.sock"};
    static const char *const never[] = {"/proc",
                                        "/sys",
                                        "/dev",
                                        "/boot",
                                        "/root",
                                        "/var/run",
                                        "/run",
                                        "/var/lib/docker",
                                        "/var/lib/containers",
                                        "/var/lib/kubelet",
                                        "/etc/kubernetes"};
    static const char *const not_writable[] = {"/etc", "/usr", "/home", "/var", "/opt",
                                               "/lib", "/bin", "/sbin", "/srv"};
    path = trimmed(path);
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
        if (ends(path, sockets[i])) {
            find(l, "engine-socket", path, "who talks to the container engine is root on the host",
                 "take the socket away");
            return;
        }
    }
    if (bz_view_eq(path, BZ_V("/"))) {
        find(l, "host-root", path, "the whole file system of the host is in the container",
             "mount only the model file, read-only");
        return;
    }
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        if (below(path, never[i]) && !below(path, "/run/llm") && !below(path, "/dev/shm")) {
            find(l, "host-path", path,
                 "this part of the host leads out: kernel settings, devices, other containers, "
                 "root's "
                 "files",
                 "mount only the model file, read-only");
            return;
        }
    }
    for (size_t i = 0; writable && i < sizeof not_writable / sizeof not_writable[0]; i++) {
        if (bz_view_eq(path, bz_view_str(not_writable[i])) ||
            (i < 2 && below(path, not_writable[i]))) {
            find(l, "host-path-writable", path,
                 "the container can change programs or settings of the host",
                 "mount it read-only, or only what is needed of it");
            return;
        }
    }
}

static void look_at_cap(struct bz_lint *l, struct bz_view cap) {
    static const struct {
        const char *name, *id, *why;
    } bad[] = {
        {"ALL", "cap-all", "every capability: as root on the host"},
        {"SYS_ADMIN", "cap-sys-admin", "it can mount, also control groups with a release agent"},
        {"SYS_MODULE", "cap-sys-module", "it can load code into the kernel"},
        {"SYS_PTRACE", "cap-sys-ptrace", "it can take over other processes"},
        {"DAC_READ_SEARCH", "cap-dac-read-search",
         "it can open any file of the host by its handle"},
        {"DAC_OVERRIDE", "cap-dac-override", "permissions of files do not hold for it"},
        {"SYS_RAWIO", "cap-sys-rawio", "it reaches memory and ports of the hardware"},
        {"NET_ADMIN", "cap-net-admin", "it can change the network"},
        {"NET_RAW", "cap-net-raw", "it can forge packets"},
        {"BPF", "cap-bpf", "it can load programs into the kernel"},
        {"SYS_BOOT", "cap-sys-boot", "it can start another kernel"},
        {"SYSLOG", "cap-syslog", "it reads addresses of the kernel"},
        {"MKNOD", "cap-mknod", "it can make device nodes"},
        {"PERFMON", "cap-perfmon", "it can watch other processes"},
        {"CHECKPOINT_RESTORE", "cap-checkpoint", "it can rewrite processes"},
    };
    struct bz_view name = cap;
    if (name.n > 4 && bz_view_eq_nocase(bz_view_sub(name, 0, 4), BZ_V("CAP_")))
        name = bz_view_sub(name, 4, name.n);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (bz_view_eq_nocase(name, bz_view_str(bad[i].name)))
            find(l, bad[i].id, cap, bad[i].why,
                 "drop all capabilities and add none: --cap-drop ALL");
    }
}

static void look_at_option(struct bz_lint *l, struct bz_view v) {
    static const struct {
        const char *text, *id, *why;
    } bad[] = {
        {"seccomp=unconfined", "no-seccomp", "every system call of the kernel is open"},
        {"seccomp:unconfined", "no-seccomp", "every system call of the kernel is open"},
        {"apparmor=unconfined", "no-apparmor", "the container's own AppArmor profile is off"},
        {"apparmor:unconfined", "no-apparmor", "the container's own AppArmor profile is off"},
        {"label=disable", "no-selinux", "SELinux does not separate it from the host"},
        {"label:disable", "no-selinux", "SELinux does not separate it from the host"},
        {"unmask=all", "unmasked-proc", "hidden parts of /proc and /sys are visible"},
        {"systempaths=unconfined", "unmasked-proc", "hidden parts of /proc and /sys are visible"},
        {"no-new-privileges=false", "new-privileges", "setuid programs give rights back"},
        {"no-new-privileges:false", "new-privileges", "setuid programs give rights back"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (bz_view_eq_nocase(v, bz_view_str(bad[i].text)))
            find(l, bad[i].id, v, bad[i].why, "leave the option out; see bartizan sandbox export");
    }
}

static void look_at_device(struct bz_lint *l, struct bz_view v) {
    static const char *const fine[] = {"/dev/nvidia", "/dev/kfd",  "/dev/dri/renderD",
                                       "/dev/null",   "/dev/zero", "/dev/random",
                                       "/dev/urandom"};
    for (size_t n = 0; n < v.n; n++) { /* "/dev/x:/dev/x:rwm" */
        if (v.p[n] == ':')
            v.n = n;
    }
    if (v.n == 0 || v.p[0] != '/') /* "nvidia.com/gpu=0": by CDI */
        return;
    bool modeset = bz_view_starts(v, BZ_V("/dev/nvidia-modeset")) ||
                   bz_view_starts(v, BZ_V("/dev/nvidia-uvm-tools"));
    for (size_t i = 0; !modeset && i < sizeof fine / sizeof fine[0]; i++) {
        if (bz_view_starts(v, bz_view_str(fine[i])))
            return;
    }
    find(l, "host-device", v, "a device of the host that no model server needs",
         "give it the compute nodes of its card only");
}

static bool looks_secret(struct bz_view v) {
    static const char *const words[] = {"_KEY=", "TOKEN=", "SECRET=", "PASSWORD=", "PASSWD="};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct bz_view w = bz_view_str(words[i]);
        for (size_t at = 0; at + w.n < v.n; at++) {
            if (bz_view_eq_nocase(bz_view_sub(v, at, w.n), w))
                return true;
        }
    }
    return false;
}

static void look_at_env(struct bz_lint *l, struct bz_view v) {
    size_t n = 0;
    if (!looks_secret(v))
        return;
    while (n < v.n && v.p[n] != '=')
        n++;
    find(l, "secret-in-environment", bz_view_sub(v, 0, n), /* the name alone */
         "everybody who may inspect the container reads it, and every child process has it",
         "give it as a file: --secret of the engine");
}

static void look_at_namespace(struct bz_lint *l, const char *id, struct bz_view v,
                              const char *why) {
    if (bz_view_eq_nocase(v, BZ_V("host")) || bz_view_eq_nocase(v, BZ_V("true")))
        find(l, id, v, why, "leave the option out: a namespace of its own is the default");
}

void bz_lint_add(struct bz_lint *l, enum bz_lint_fact fact, struct bz_view v, bool writable) {
    switch (fact) {
    case BZ_LINT_PRIVILEGED:
        if (bz_view_eq_nocase(v, BZ_V("true")))
            find(l, "privileged", v, "nothing separates it from the host but a directory",
                 "leave --privileged out");
        break;
    case BZ_LINT_MOUNT:
        look_at_mount(l, v, writable);
        break;
    case BZ_LINT_CAP:
        look_at_cap(l, v);
        break;
    case BZ_LINT_PID:
        look_at_namespace(l, "host-pid", v,
                          "it sees, and with a capability enters, processes of the host");
        break;
    case BZ_LINT_NETWORK:
        look_at_namespace(l, "host-network", v,
                          "it reaches everything that listens on the host's loopback");
        break;
    case BZ_LINT_IPC:
        look_at_namespace(l, "host-ipc", v, "it shares memory with processes of the host");
        break;
    case BZ_LINT_USERNS:
        look_at_namespace(l, "host-users", v, "root inside is root outside");
        break;
    case BZ_LINT_SECURITY_OPT:
        look_at_option(l, v);
        break;
    case BZ_LINT_DEVICE:
        look_at_device(l, v);
        break;
    case BZ_LINT_ESCALATION:
        if (bz_view_eq_nocase(v, BZ_V("true")))
            find(l, "new-privileges", v, "setuid programs give rights back",
                 "set allowPrivilegeEscalation: false");
        break;
    case BZ_LINT_ENV:
        look_at_env(l, v);
        break;
    case BZ_LINT_FACT_COUNT:
    default:
        break;
    }
}

/* ---- words ---- */

/* "source:target[:options]"; a name without '/' is a volume of the engine */
static void add_volume(struct bz_lint *l, struct bz_view v) {
    size_t n = 0;
    bool writable = !ends(v, ":ro") && !ends(v, ",ro");
    while (n < v.n && v.p[n] != ':')
        n++;
    if (n > 0 && n < v.n && v.p[0] == '/')
        bz_lint_add(l, BZ_LINT_MOUNT, bz_view_sub(v, 0, n), writable);
}

/* "type=bind,source=/x,target=/y,readonly" */
static void add_mount_option(struct bz_lint *l, struct bz_view v) {
    struct bz_view source = bz_view(NULL, 0);
    bool writable = true;
    while (v.n > 0) {
        size_t n = 0;
        while (n < v.n && v.p[n] != ',')
            n++;
        struct bz_view one = bz_view_sub(v, 0, n);
        if (bz_view_starts(one, BZ_V("source=")))
            source = bz_view_sub(one, 7, one.n);
        if (bz_view_starts(one, BZ_V("src=")))
            source = bz_view_sub(one, 4, one.n);
        if (bz_view_starts(one, BZ_V("readonly")) || bz_view_eq(one, BZ_V("ro")) ||
            bz_view_eq(one, BZ_V("ro=true")))
            writable = false;
        v = bz_view_sub(v, n + 1, v.n);
    }
    if (source.n > 0 && source.p[0] == '/')
        bz_lint_add(l, BZ_LINT_MOUNT, source, writable);
}

static const struct {
    const char *name;
    enum bz_lint_fact fact;
    int kind; /* 0: value; 1: flag; 2: volume; 3: --mount */
} options[] = {{"--privileged", BZ_LINT_PRIVILEGED, 1},
               {"-v", BZ_LINT_MOUNT, 2},
               {"--volume", BZ_LINT_MOUNT, 2},
               {"--mount", BZ_LINT_MOUNT, 3},
               {"--cap-add", BZ_LINT_CAP, 0},
               {"--pid", BZ_LINT_PID, 0},
               {"--network", BZ_LINT_NETWORK, 0},
               {"--net", BZ_LINT_NETWORK, 0},
               {"--ipc", BZ_LINT_IPC, 0},
               {"--userns", BZ_LINT_USERNS, 0},
               {"--security-opt", BZ_LINT_SECURITY_OPT, 0},
               {"--device", BZ_LINT_DEVICE, 0},
               {"-e", BZ_LINT_ENV, 0},
               {"--env", BZ_LINT_ENV, 0}};

void bz_lint_command(struct bz_lint *l, const char *const *argv, size_t n) {
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
            size_t len = strlen(options[k].name);
            if (strncmp(argv[i], options[k].name, len) != 0)
                continue;
            bool flag = options[k].kind == 1;
            const char *v = argv[i][len] == '='    ? argv[i] + len + 1
                            : argv[i][len] != '\0' ? NULL
                            : flag                 ? "true"
                            : i + 1 < n            ? argv[i + 1]
                                                   : NULL;
            if (v == NULL)
                continue;
            if (options[k].kind == 2)
                add_volume(l, bz_view_str(v));
            else if (options[k].kind == 3)
                add_mount_option(l, bz_view_str(v));
            else
                bz_lint_add(l, options[k].fact, bz_view_str(v), false);
        }
    }
}

/* ---- JSON ---- */

/* Letters only, lower case: "CapAdd", "cap_add" and "capAdd" are one name. */
static void plain_name(struct bz_view key, char out[32]) {
    size_t n = 0;
    for (size_t i = 0; i < key.n && n < 31; i++) {
        uint8_t c = key.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c + 32);
        if (c >= 'a' && c <= 'z')
            out[n++] = (char)c;
    }
    out[n] = '\0';
}

static struct bz_view text_of(const struct bz_json *n) {
    if (bz_json_is(n, BZ_JSON_TRUE))
        return BZ_V("true");
    return bz_json_str(n);
}

static const struct {
    const char *name;
    enum bz_lint_fact fact;
} members[] = {{"privileged", BZ_LINT_PRIVILEGED},
               {"capadd", BZ_LINT_CAP},
               {"pidmode", BZ_LINT_PID},
               {"pid", BZ_LINT_PID},
               {"hostpid", BZ_LINT_PID},
               {"networkmode", BZ_LINT_NETWORK},
               {"hostnetwork", BZ_LINT_NETWORK},
               {"ipcmode", BZ_LINT_IPC},
               {"ipc", BZ_LINT_IPC},
               {"hostipc", BZ_LINT_IPC},
               {"usernsmode", BZ_LINT_USERNS},
               {"securityopt", BZ_LINT_SECURITY_OPT},
               {"allowprivilegeescalation", BZ_LINT_ESCALATION},
               {"env", BZ_LINT_ENV},
               {"environment", BZ_LINT_ENV}};

static void add_values(struct bz_lint *l, enum bz_lint_fact fact, const struct bz_json *n) {
    if (bz_json_is(n, BZ_JSON_ARRAY)) {
        for (const struct bz_json *c = n->first; c != NULL; c = c->next)
            bz_lint_add(l, fact, text_of(c), false);
    } else {
        bz_lint_add(l, fact, text_of(n), false);
    }
}

/* Compose writes a map of variables. */
static void add_env_map(struct bz_lint *l, const struct bz_json *n) {
    for (const struct bz_json *c = n->first; c != NULL; c = c->next) {
        char text[256];
        int k = snprintf(text, sizeof text, "%.*s=%.*s", (int)(c->key.n < 120 ? c->key.n : 120),
                         (const char *)c->key.p, (int)(bz_json_str(c).n < 8 ? bz_json_str(c).n : 8),
                         bz_json_str(c).n == 0 ? "" : (const char *)bz_json_str(c).p);
        if (k > 0 && (size_t)k < sizeof text)
            bz_lint_add(l, BZ_LINT_ENV, bz_view(text, (size_t)k), false);
    }
}

/* A mount as an object: source and whether it is writable, under the names of docker, compose, Kubernetes. */
static void add_mount_object(struct bz_lint *l, const struct bz_json *n) {
    const struct bz_json *s = bz_json_get(n, BZ_V("Source"));
    const struct bz_json *rw = bz_json_get(n, BZ_V("RW")), *ro = bz_json_get(n, BZ_V("read_only"));
    const struct bz_json *path = bz_json_get(n, BZ_V("path"));
    s = s != NULL ? s : bz_json_get(n, BZ_V("source"));
    s = s != NULL ? s : path;
    struct bz_view v = bz_json_str(s);
    bool writable = !bz_json_is(rw, BZ_JSON_FALSE) && !bz_json_is(ro, BZ_JSON_TRUE);
    if (v.n > 0 && v.p[0] == '/')
        bz_lint_add(l, BZ_LINT_MOUNT, v, writable);
}

static void add_mounts(struct bz_lint *l, const struct bz_json *n) {
    for (const struct bz_json *c = bz_json_is(n, BZ_JSON_ARRAY) ? n->first : NULL; c != NULL;
         c = c->next) {
        if (bz_json_is(c, BZ_JSON_STRING))
            add_volume(l, bz_json_str(c));
        else
            add_mount_object(l, c);
    }
}

static void add_devices(struct bz_lint *l, const struct bz_json *n) {
    for (const struct bz_json *c = bz_json_is(n, BZ_JSON_ARRAY) ? n->first : NULL; c != NULL;
         c = c->next) {
        const struct bz_json *p = bz_json_get(c, BZ_V("PathOnHost"));
        p = p != NULL ? p : bz_json_get(c, BZ_V("source"));
        bz_lint_add(l, BZ_LINT_DEVICE,
                    bz_json_is(c, BZ_JSON_STRING) ? bz_json_str(c) : bz_json_str(p), false);
    }
}

static void member(struct bz_lint *l, const struct bz_json *n) {
    char name[32];
    plain_name(n->key, name);
    if (strcmp(name, "binds") == 0 || strcmp(name, "mounts") == 0 || strcmp(name, "volumes") == 0)
        add_mounts(l, n);
    else if (strcmp(name, "hostpath") == 0)
        add_mount_object(l, n);
    else if (strcmp(name, "devices") == 0)
        add_devices(l, n);
    else if (strcmp(name, "capabilities") == 0 && bz_json_is(n, BZ_JSON_OBJECT))
        add_values(l, BZ_LINT_CAP, bz_json_get(n, BZ_V("add")));
    else if (strcmp(name, "environment") == 0 && bz_json_is(n, BZ_JSON_OBJECT))
        add_env_map(l, n);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (strcmp(name, members[i].name) == 0)
            add_values(l, members[i].fact, n);
    }
}

static void walk(struct bz_lint *l, const struct bz_json *n, unsigned depth) {
    if (n == NULL || depth > DEPTH || (n->type != BZ_JSON_OBJECT && n->type != BZ_JSON_ARRAY))
        return;
    for (const struct bz_json *c = n->first; c != NULL; c = c->next) {
        if (n->type == BZ_JSON_OBJECT)
            member(l, c);
        walk(l, c, depth + 1);
    }
}

void bz_lint_json(struct bz_lint *l, const struct bz_json *root) {
    walk(l, root, 0);
}
