/* Containers: Docker's own files, what "inspect" prints, OCI runtime configurations (Podman, containerd,
 * CRI-O), compose files. One shape of facts for all. */
#include <stdio.h>
#include "posture_int.h"

static const struct bz_json *at(const struct bz_json *o, const char *key) {
    return bz_json_get(o, bz_view_str(key));
}

static struct bz_view str(const struct bz_json *o, const char *key) {
    return bz_json_str(at(o, key));
}

static bool yes(const struct bz_json *o, const char *key) {
    const struct bz_json *n = at(o, key);
    return bz_json_is(n, BZ_JSON_TRUE) || pt_true(bz_json_str(n));
}

static uint64_t number(const struct bz_json *o, const char *key) {
    int64_t v = 0;
    const struct bz_json *n = at(o, key);
    if (bz_json_is(n, BZ_JSON_NUMBER) && bz_json_i64(n, &v) == BZ_OK && v > 0)
        return (uint64_t)v;
    return 0;
}

static void strings(const struct bz_json *list, struct pt_views *out, struct bz_arena *ar) {
    if (bz_json_is(list, BZ_JSON_STRING)) {
        pt_shell_words(ar, list->val, out);
        return;
    }
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return;
    for (const struct bz_json *n = list->first; n != NULL && out->n < BZ_POSTURE_ARGS_MAX;
         n = n->next) {
        if (n->type == BZ_JSON_STRING)
            (void)pt_views_add(ar, out, n->val);
    }
}

static void add_mount(struct pt_facts *f, struct pt_ctr *c, struct bz_view src, struct bz_view dst,
                      bool rw) {
    struct pt_mount *m = src.n > 0 ? PT_ADD(f->ar, &c->mounts) : NULL;
    if (m != NULL)
        *m = (struct pt_mount){src, dst, rw};
}

/* "/src:/dst:ro" */
static void bind(struct pt_facts *f, struct pt_ctr *c, struct bz_view v) {
    struct bz_view src, rest, dst, mode = BZ_V("");
    if (!pt_split(v, ':', &src, &rest))
        return;
    dst = rest;
    (void)pt_split(rest, ':', &dst, &mode);
    add_mount(f, c, src, dst, !pt_has(mode, "ro"));
}

static void add_port(struct pt_facts *f, struct pt_ctr *c, struct bz_view ip, uint64_t host,
                     uint64_t port) {
    struct pt_port *p = host <= UINT16_MAX && port <= UINT16_MAX ? PT_ADD(f->ar, &c->ports) : NULL;
    if (p != NULL)
        *p = (struct pt_port){ip, (uint16_t)host, (uint16_t)port};
}

/* {"11434/tcp": [{"HostIp": "", "HostPort": "11434"}]} */
static void bindings(struct pt_facts *f, struct pt_ctr *c, const struct bz_json *o) {
    if (!bz_json_is(o, BZ_JSON_OBJECT))
        return;
    for (const struct bz_json *n = o->first; n != NULL; n = n->next) {
        struct bz_view port = n->key, proto;
        (void)pt_split(n->key, '/', &port, &proto);
        if (!bz_json_is(n, BZ_JSON_ARRAY))
            continue;
        for (const struct bz_json *b = n->first; b != NULL; b = b->next)
            add_port(f, c, str(b, "HostIp"), pt_num(str(b, "HostPort"), 0), pt_num(port, 0));
    }
}

static void devices(struct pt_facts *f, struct pt_ctr *c, const struct bz_json *list) {
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return;
    for (const struct bz_json *n = list->first; n != NULL; n = n->next) {
        struct bz_view v = n->type == BZ_JSON_STRING ? n->val : str(n, "PathOnHost");
        if (v.n == 0)
            v = str(n, "path");
        if (v.n > 0)
            (void)pt_views_add(f->ar, &c->devices, v);
    }
}

/* {"Driver": "nvidia", "Count": -1, "DeviceIDs": [...]} */
static void gpus(struct pt_facts *f, struct pt_ctr *c, const struct bz_json *list) {
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return;
    for (const struct bz_json *n = list->first; n != NULL; n = n->next) {
        int64_t count = 0;
        const struct bz_json *k = at(n, "Count");
        if (bz_json_is(k, BZ_JSON_NUMBER) && bz_json_i64(k, &count) == BZ_OK && count < 0)
            c->gpu_all = true;
        c->gpu_all = c->gpu_all || pt_is(str(n, "count"), "all");
        strings(at(n, "DeviceIDs"), &c->gpus, f->ar);
        strings(at(n, "device_ids"), &c->gpus, f->ar);
    }
}

static bool is_host(struct bz_view mode) {
    return pt_is(mode, "host");
}

static void host_config(struct pt_facts *f, struct pt_ctr *c, const struct bz_json *h) {
    c->privileged = c->privileged || yes(h, "Privileged");
    c->host_net = c->host_net || is_host(str(h, "NetworkMode"));
    c->net_none = pt_is(str(h, "NetworkMode"), "none");
    c->host_pid = c->host_pid || is_host(str(h, "PidMode"));
    c->host_ipc = c->host_ipc || is_host(str(h, "IpcMode"));
    struct bz_view userns = str(h, "UsernsMode");
    c->userns = c->userns || (userns.n > 0 && !is_host(userns));
    strings(at(h, "CapAdd"), &c->caps, f->ar);
    struct pt_views opts = {0}, binds = {0};
    strings(at(h, "SecurityOpt"), &opts, f->ar);
    for (size_t i = 0; i < opts.n; i++)
        c->unconfined =
            c->unconfined || (pt_has(opts.v[i], "seccomp") && pt_has(opts.v[i], "unconfined"));
    strings(at(h, "Binds"), &binds, f->ar);
    for (size_t i = 0; i < binds.n; i++)
        bind(f, c, binds.v[i]);
    bindings(f, c, at(h, "PortBindings"));
    devices(f, c, at(h, "Devices"));
    gpus(f, c, at(h, "DeviceRequests"));
    c->memory = number(h, "Memory");
    c->pids = number(h, "PidsLimit");
    c->have_limits = true;
}

/* A list of {Source, Destination, RW} or Docker's {dest: {Source, RW}}. */
static void mount_points(struct pt_facts *f, struct pt_ctr *c, const struct bz_json *list) {
    if (!bz_json_is(list, BZ_JSON_ARRAY) && !bz_json_is(list, BZ_JSON_OBJECT))
        return;
    for (const struct bz_json *n = list->first; n != NULL; n = n->next) {
        struct bz_view src = str(n, "Source"), dst = str(n, "Destination");
        struct pt_views opts = {0};
        if (src.n == 0)
            src = str(n, "source"); /* OCI */
        if (dst.n == 0)
            dst = str(n, "destination");
        strings(at(n, "options"), &opts, f->ar);
        bool ro = bz_json_is(at(n, "RW"), BZ_JSON_FALSE);
        for (size_t i = 0; i < opts.n; i++)
            ro = ro || pt_is(opts.v[i], "ro");
        if (src.n > 0 && src.p[0] == '/')
            add_mount(f, c, src, dst, !ro);
    }
}

static void from_inspect(struct pt_facts *f, struct pt_ctr *c, const struct bz_json *o,
                         const struct bz_json *host) {
    const struct bz_json *config = at(o, "Config"), *h = at(o, "HostConfig");
    c->name = str(o, "Name");
    if (c->name.n > 0 && c->name.p[0] == '/')
        c->name = bz_view_sub(c->name, 1, c->name.n);
    c->image = str(config, "Image");
    if (c->image.n == 0)
        c->image = str(o, "ImageName"); /* Podman */
    c->have_user = at(config, "User") != NULL;
    c->user = str(config, "User");
    const struct bz_json *state = at(o, "State");
    c->running = state == NULL || yes(state, "Running");
    strings(at(config, "Env"), &c->env, f->ar);
    struct bz_view path = str(o, "Path");
    if (path.n > 0)
        (void)pt_views_add(f->ar, &c->argv, path);
    if (path.n == 0)
        strings(at(config, "Entrypoint"), &c->argv, f->ar);
    if (at(o, "Args") != NULL)
        strings(at(o, "Args"), &c->argv, f->ar);
    else
        strings(at(config, "Cmd"), &c->argv, f->ar);
    if (h != NULL)
        host_config(f, c, h);
    if (host != NULL)
        host_config(f, c, host);
    mount_points(f, c, at(o, "Mounts") != NULL ? at(o, "Mounts") : at(o, "MountPoints"));
}

/* The OCI runtime's config.json. */
static void from_oci(struct pt_facts *f, struct pt_ctr *c, const struct bz_json *o) {
    const struct bz_json *process = at(o, "process"), *linux_ = at(o, "linux");
    const struct bz_json *notes = at(o, "annotations");
    strings(at(process, "args"), &c->argv, f->ar);
    strings(at(process, "env"), &c->env, f->ar);
    int64_t uid = 0;
    c->have_user = bz_json_i64(at(at(process, "user"), "uid"), &uid) == BZ_OK;
    c->user = pt_fmt(f->ar, "%lld", (long long)uid);
    strings(at(at(process, "capabilities"), "effective"), &c->caps, f->ar);
    bool net = false, pid = false, ipc = false;
    const struct bz_json *ns = at(linux_, "namespaces");
    for (const struct bz_json *n = bz_json_is(ns, BZ_JSON_ARRAY) ? ns->first : NULL; n != NULL;
         n = n->next) {
        struct bz_view type = str(n, "type");
        net = net || pt_is(type, "network");
        pid = pid || pt_is(type, "pid");
        ipc = ipc || pt_is(type, "ipc");
        c->userns = c->userns || pt_is(type, "user");
    }
    c->host_net = !net;
    c->host_pid = !pid;
    c->host_ipc = !ipc;
    c->unconfined = linux_ != NULL && at(linux_, "seccomp") == NULL;
    devices(f, c, at(linux_, "devices"));
    mount_points(f, c, at(o, "mounts"));
    const struct bz_json *res = at(linux_, "resources");
    c->memory = number(at(res, "memory"), "limit");
    c->pids = number(at(res, "pids"), "limit");
    c->have_limits = res != NULL;
    c->name = str(notes, "io.kubernetes.cri-o.Name");
    if (c->name.n == 0)
        c->name = str(o, "hostname");
    c->image = str(notes, "io.kubernetes.cri-o.ImageName");
    if (c->image.n == 0)
        c->image = str(notes, "io.container.image.name");
    c->running = true;
}

static void finish(struct pt_facts *f, struct pt_ctr *c, const char *origin) {
    c->origin = bz_view_str(origin);
    if (c->name.n == 0)
        c->name = c->image.n > 0 ? c->image : BZ_V("(unnamed)");
    c->rootless = pt_starts(c->origin, "home/") || pt_find(c->origin, "/home/") == 0;
    c->kind = pt_kind_of(bz_view(NULL, 0), bz_view(NULL, 0), &c->argv, c->image);
    if (c->kind == NULL && c->argv.n > 0)
        c->kind = pt_kind_of(c->argv.v[0], bz_view(NULL, 0), &c->argv, c->image);
    (void)f;
}

static void one_json(struct pt_facts *f, const struct bz_json *o, const struct bz_json *host,
                     const char *origin) {
    bool inspect = at(o, "Config") != NULL || at(o, "HostConfig") != NULL;
    bool oci = at(o, "process") != NULL && at(o, "linux") != NULL;
    if ((!inspect && !oci) || f->ctrs.n >= BZ_POSTURE_CONTAINERS_MAX)
        return;
    struct pt_ctr *c = PT_ADD(f->ar, &f->ctrs);
    if (c == NULL)
        return;
    if (inspect)
        from_inspect(f, c, o, host);
    else
        from_oci(f, c, o);
    finish(f, c, origin);
}

static struct bz_json *parse(struct pt_facts *f, struct bz_view text) {
    struct bz_json *o = NULL;
    struct bz_diag diag;
    text = pt_trim(text);
    if (text.n == 0 || bz_json_parse(text, NULL, f->ar, &o, &diag) != BZ_OK)
        return NULL;
    return o;
}

void pt_parse_ctr_json(struct bz_view text, struct bz_view host_json, struct pt_facts *f,
                       const char *origin) {
    const struct bz_json *o = parse(f, text), *host = parse(f, host_json);
    if (bz_json_is(o, BZ_JSON_ARRAY)) {
        for (const struct bz_json *n = o->first; n != NULL; n = n->next)
            one_json(f, n, NULL, origin);
    } else if (o != NULL) {
        one_json(f, o, host, origin);
    }
}

/* ---- compose ---- */

/* "127.0.0.1:11434:11434", "11434:11434", "11434", with "/tcp" */
static void short_port(struct pt_facts *f, struct pt_ctr *c, struct bz_view v) {
    struct bz_view a, b, ip = BZ_V(""), host, port, proto;
    (void)(pt_split(v, '/', &a, &proto) && (v = a, true));
    size_t last = v.n;
    while (last > 0 && v.p[last - 1] != ':')
        last--;
    port = bz_view_sub(v, last, v.n);
    if (last == 0) {
        add_port(f, c, ip, 0, pt_num(port, 0));
        return;
    }
    b = bz_view_sub(v, 0, last - 1);
    last = b.n;
    while (last > 0 && b.p[last - 1] != ':')
        last--;
    host = bz_view_sub(b, last, b.n);
    if (last > 0)
        ip = bz_view_sub(b, 0, last - 1);
    add_port(f, c, ip, pt_num(host, 0), pt_num(port, 0));
}

static void compose_env(struct pt_facts *f, struct pt_ctr *c, const struct bz_json *env) {
    strings(bz_json_is(env, BZ_JSON_ARRAY) ? env : NULL, &c->env, f->ar);
    if (!bz_json_is(env, BZ_JSON_OBJECT))
        return;
    for (const struct bz_json *n = env->first; n != NULL; n = n->next)
        (void)pt_views_add(f->ar, &c->env,
                           pt_fmt(f->ar, "%.*s=%.*s", PT_V(n->key), PT_V(bz_json_str(n))));
}

static void compose_ports(struct pt_facts *f, struct pt_ctr *c, const struct bz_json *list) {
    for (const struct bz_json *n = bz_json_is(list, BZ_JSON_ARRAY) ? list->first : NULL; n != NULL;
         n = n->next) {
        if (n->type == BZ_JSON_STRING)
            short_port(f, c, n->val);
        else
            add_port(f, c, str(n, "host_ip"), pt_num(str(n, "published"), 0),
                     pt_num(str(n, "target"), 0));
    }
}

static void compose_service(struct pt_facts *f, const struct bz_json *s, const char *origin) {
    struct pt_ctr *c = f->ctrs.n < BZ_POSTURE_CONTAINERS_MAX ? PT_ADD(f->ar, &f->ctrs) : NULL;
    if (c == NULL || !bz_json_is(s, BZ_JSON_OBJECT)) {
        f->ctrs.n -= c != NULL;
        return;
    }
    c->name = s->key;
    c->compose = true;
    c->image = str(s, "image");
    c->user = str(s, "user");
    c->privileged = yes(s, "privileged");
    c->host_net = is_host(str(s, "network_mode"));
    c->net_none = pt_is(str(s, "network_mode"), "none");
    c->host_pid = is_host(str(s, "pid"));
    c->host_ipc = is_host(str(s, "ipc"));
    c->userns = str(s, "userns_mode").n > 0 && !is_host(str(s, "userns_mode"));
    strings(at(s, "cap_add"), &c->caps, f->ar);
    strings(at(s, "command"), &c->argv, f->ar);
    compose_env(f, c, at(s, "environment"));
    compose_ports(f, c, at(s, "ports"));
    struct pt_views list = {0}, opts = {0};
    strings(at(s, "volumes"), &list, f->ar);
    for (size_t i = 0; i < list.n; i++)
        bind(f, c, list.v[i]);
    strings(at(s, "devices"), &c->devices, f->ar);
    strings(at(s, "security_opt"), &opts, f->ar);
    for (size_t i = 0; i < opts.n; i++)
        c->unconfined =
            c->unconfined || (pt_has(opts.v[i], "seccomp") && pt_has(opts.v[i], "unconfined"));
    const struct bz_json *res = at(at(s, "deploy"), "resources");
    gpus(f, c, at(at(res, "reservations"), "devices"));
    c->gpu_all = c->gpu_all || pt_is(str(s, "gpus"), "all");
    finish(f, c, origin);
}

void pt_parse_compose(struct bz_view text, struct pt_facts *f, const char *origin) {
    struct bz_diag diag;
    const struct bz_json *services = at(pt_yaml(f->ar, text, &diag), "services");
    for (const struct bz_json *n = bz_json_is(services, BZ_JSON_OBJECT) ? services->first : NULL;
         n != NULL; n = n->next)
        compose_service(f, n, origin);
}

/* ---- where they lie ---- */

static void json_file(struct pt_facts *f, const char *dir, struct bz_view name) {
    struct bz_view text, host = {NULL, 0};
    const char *path = pt_path(f->t, "%s/%.*s", dir, PT_V(name));
    enum bz_status st = pt_read(f->t, path, BZ_POSTURE_CONFIG_MAX, &text);
    f->ctr_denied = f->ctr_denied || st == BZ_EDENIED;
    if (st != BZ_OK)
        return;
    if (pt_is(name, "config.v2.json"))
        (void)pt_read(f->t, pt_path(f->t, "%s/hostconfig.json", dir), BZ_POSTURE_CONFIG_MAX, &host);
    pt_parse_ctr_json(text, host, f, path);
}

/* All *.json some levels below `dir`. */
static void below(struct pt_facts *f, const char *dir, unsigned depth) {
    struct pt_views names;
    struct stat s;
    enum bz_status st = pt_list(f->t, dir, BZ_POSTURE_CONTAINERS_MAX * 4, &names);
    f->ctr_denied = f->ctr_denied || st == BZ_EDENIED;
    for (size_t i = 0; i < names.n; i++) {
        if (pt_ends(names.v[i], ".json") && !pt_is(names.v[i], "hostconfig.json")) {
            json_file(f, dir, names.v[i]);
            continue;
        }
        const char *path = pt_path(f->t, "%s/%.*s", dir, PT_V(names.v[i]));
        if (depth > 0 && pt_stat(f->t, path, false, &s) && S_ISDIR(s.st_mode))
            below(f, path, depth - 1);
    }
}

void pt_collect_ctrs(struct pt_facts *f) {
    struct pt_views homes;
    below(f, "var/lib/docker/containers", 1);
    below(f, "var/lib/docker", 0);
    below(f, "var/lib/containers", 0);
    below(f, "var/lib/containers/storage/overlay-containers", 2);
    below(f, "var/lib/containers/storage/libpod", 2);
    below(f, "var/lib/containers/inspect", 1);
    below(f, "run/containerd/io.containerd.runtime.v2.task", 2);
    if (pt_list(f->t, "home", 4096, &homes) != BZ_OK)
        return;
    for (size_t i = 0; i < homes.n; i++) {
        static const char *const places[] = {".local/share/containers/storage/overlay-containers",
                                             ".local/share/containers/storage/libpod",
                                             ".local/share/docker/containers"};
        for (size_t j = 0; j < 3; j++)
            below(f, pt_path(f->t, "home/%.*s/%s", PT_V(homes.v[i]), places[j]), 2);
    }
}
