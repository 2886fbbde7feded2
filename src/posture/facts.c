/* Questions that checks ask of the facts. */
#include <stdio.h>
#include <fcntl.h>
#include "posture_int.h"

/* ---- works ---- */

static struct pt_work *add_work(struct pt_facts *f, enum pt_src src, const struct pt_kind *kind) {
    struct pt_work *w = PT_ADD(f->ar, &f->works);
    if (w != NULL) {
        w->src = src;
        w->kind = kind;
    }
    return w;
}

/* A unit's process runs its command; the unit is judged for what it says, the process for what it is. */
static void link_unit(struct pt_facts *f, struct pt_proc *p) {
    for (size_t i = 0; i < f->units.n && p->unit == NULL; i++) {
        struct pt_unit *u = &f->units.v[i];
        size_t at = pt_find(p->cgroup, (const char *)u->name.p);
        if (at != SIZE_MAX && at > 0 && p->cgroup.p[at - 1] == '/')
            p->unit = u;
    }
}

void pt_build_works(struct pt_facts *f) {
    f->works.n = 0;
    for (size_t i = 0; i < f->procs.n; i++) {
        struct pt_proc *p = &f->procs.v[i];
        link_unit(f, p);
        struct pt_work *w = p->kind == NULL ? NULL : add_work(f, PT_PROC, p->kind);
        if (w == NULL)
            continue;
        w->proc = p;
        w->unit = p->unit;
        w->argv = &p->argv;
        w->env = &p->env;
        w->argv_known = p->have_cmdline;
        w->env_known = p->have_env;
        w->label = pt_fmt(f->ar, "process %u (%.*s)", p->pid,
                          PT_V(p->comm.n > 0 ? p->comm : bz_view_str(p->kind->id)));
    }
    for (size_t i = 0; i < f->units.n; i++) {
        struct pt_unit *u = &f->units.v[i];
        struct pt_work *w = u->kind == NULL ? NULL : add_work(f, PT_UNIT, u->kind);
        if (w == NULL)
            continue;
        w->unit = u;
        w->argv = &u->exec;
        w->env = &u->env;
        w->argv_known = true;
        w->env_known = !u->env_file_denied;
        w->label = pt_fmt(f->ar, "unit %.*s", PT_V(u->name));
    }
    for (size_t i = 0; i < f->ctrs.n; i++) {
        struct pt_ctr *c = &f->ctrs.v[i];
        struct pt_work *w = c->kind == NULL ? NULL : add_work(f, PT_CTR, c->kind);
        if (w == NULL)
            continue;
        w->ctr = c;
        w->argv = &c->argv;
        w->env = &c->env;
        w->argv_known = w->env_known = true;
        w->label =
            pt_fmt(f->ar, "%s %.*s", c->compose ? "compose service" : "container", PT_V(c->name));
    }
}

/* ---- arguments ---- */

bool pt_flag(const struct pt_work *w, const char *names) {
    struct bz_view rest = bz_view_str(names), one;
    while (rest.n > 0) {
        struct bz_view next = {NULL, 0};
        one = rest;
        (void)pt_split(rest, '|', &one, &next);
        rest = next;
        for (size_t i = 0; i < w->argv->n; i++) {
            struct bz_view a = w->argv->v[i];
            if (bz_view_eq(a, one))
                return true;
            /* "--flag=true" */
            if (bz_view_starts(a, one) && a.n > one.n && a.p[one.n] == '=')
                return !pt_is(bz_view_sub(a, one.n + 1, a.n), "false") &&
                       !pt_is(bz_view_sub(a, one.n + 1, a.n), "False");
        }
    }
    return false;
}

bool pt_opt(const struct pt_work *w, const char *names, struct bz_view *ret) {
    bool found = false;
    for (size_t i = 0; i < w->argv->n; i++) { /* the last one counts */
        struct bz_view a = w->argv->v[i], rest = bz_view_str(names), one;
        while (rest.n > 0) {
            struct bz_view next = {NULL, 0};
            one = rest;
            (void)pt_split(rest, '|', &one, &next);
            rest = next;
            if (bz_view_eq(a, one) && i + 1 < w->argv->n)
                *ret = w->argv->v[i + 1];
            else if (bz_view_starts(a, one) && a.n > one.n && a.p[one.n] == '=')
                *ret = bz_view_sub(a, one.n + 1, a.n);
            else
                continue;
            found = true;
        }
    }
    return found;
}

bool pt_env(const struct pt_work *w, const char *names, struct bz_view *ret) {
    struct bz_view rest = bz_view_str(names), one, key, v;
    bool found = false;
    while (rest.n > 0 && !found) {
        struct bz_view next = {NULL, 0};
        one = rest;
        (void)pt_split(rest, '|', &one, &next);
        rest = next;
        for (size_t i = 0; i < w->env->n; i++) { /* the last one counts */
            if (pt_split(w->env->v[i], '=', &key, &v) && bz_view_eq(key, one)) {
                *ret = v;
                found = true;
            }
        }
    }
    return found;
}

/* ---- where a work listens ---- */

/* "host", "host:port", "http://host:port", "[::]:port" */
static struct bz_view host_part(struct bz_view v) {
    size_t at = pt_find(v, "://");
    if (at != SIZE_MAX)
        v = bz_view_sub(v, at + 3, v.n);
    if (v.n > 0 && v.p[0] == '[') {
        const uint8_t *end = memchr(v.p, ']', v.n);
        return end == NULL ? v : bz_view_sub(v, 1, (size_t)(end - v.p) - 1);
    }
    struct bz_view left, right, more;
    if (pt_split(v, ':', &left, &right) && !pt_split(right, ':', &more, &more))
        return left;
    return v;
}

bool pt_host_is_loopback(struct bz_view host, bool *ret_socket) {
    *ret_socket =
        (host.n > 0 && host.p[0] == '/') || pt_ends(host, ".sock") || pt_starts(host, "unix:");
    return pt_loopback_name(host_part(host));
}

enum pt_listen pt_work_listen(const struct pt_work *w, struct bz_view *ret_host) {
    bool sock = false;
    struct bz_view uds;
    *ret_host = BZ_V("");
    if (pt_opt(w, "--uds|--unix-socket", &uds)) {
        *ret_host = uds;
        return PT_LISTEN_SOCKET;
    }
    bool said = w->kind->host_opts[0] != '\0' && pt_opt(w, w->kind->host_opts, ret_host);
    if (!said && w->kind->host_env[0] != '\0')
        said = pt_env(w, w->kind->host_env, ret_host);
    if (!said && pt_kind_is(w->kind, "comfyui") && pt_flag(w, "--listen")) {
        *ret_host = BZ_V("0.0.0.0");
        said = true;
    }
    if (said && pt_kind_is(w->kind, "comfyui") && ret_host->n > 0 && ret_host->p[0] == '-')
        *ret_host = BZ_V("0.0.0.0");
    if (said && (pt_is(*ret_host, "loopback")))
        return PT_LISTEN_LOOPBACK;
    if (!said)
        return PT_LISTEN_UNSAID;
    if (pt_host_is_loopback(*ret_host, &sock))
        return PT_LISTEN_LOOPBACK;
    return sock                                                    ? PT_LISTEN_SOCKET
           : ret_host->n == 0 && w->kind->bind == PT_BIND_LOOPBACK ? PT_LISTEN_UNSAID
                                                                   : PT_LISTEN_OPEN;
}

uint16_t pt_work_port(const struct pt_work *w) {
    struct bz_view v, host, port;
    if (w->kind->port_opts[0] != '\0' && pt_opt(w, w->kind->port_opts, &v))
        return (uint16_t)(pt_num(v, 0) & 0xffff);
    if (w->kind->host_env[0] != '\0' && pt_env(w, w->kind->host_env, &v) &&
        pt_split(v, ':', &host, &port)) {
        while (pt_split(port, ':', &host, &v))
            port = v;
        uint64_t n = pt_num(port, 0);
        if (n > 0 && n <= UINT16_MAX)
            return (uint16_t)n;
    }
    return w->kind->ports[0];
}

bool pt_work_private_net(const struct pt_work *w) {
    struct bz_view v;
    if (w->proc != NULL && w->proc->own_netns)
        return true;
    if (w->unit != NULL && pt_unit_get(w->unit, "Service", "PrivateNetwork", &v) && pt_true(v))
        return true;
    return w->ctr != NULL && !w->ctr->host_net;
}

/* ---- accounts ---- */

const struct pt_user *pt_user_of(const struct pt_facts *f, uint32_t uid) {
    for (size_t i = 0; i < f->users.n; i++) {
        if (f->users.v[i].uid == uid)
            return &f->users.v[i];
    }
    return NULL;
}

const struct pt_user *pt_user_named(const struct pt_facts *f, struct bz_view name) {
    for (size_t i = 0; i < f->users.n; i++) {
        if (bz_view_eq(f->users.v[i].name, name))
            return &f->users.v[i];
    }
    return NULL;
}

bool pt_work_uid(const struct pt_facts *f, const struct pt_work *w, uint32_t *ret) {
    struct bz_view v = {NULL, 0}, name, group;
    if (w->src == PT_PROC) {
        *ret = w->proc->euid;
        return w->proc->have_status && w->proc->euid != UINT32_MAX;
    }
    if (w->src == PT_UNIT) {
        bool user_unit = pt_find(w->unit->path, "/systemd/user") != SIZE_MAX || w->unit->quadlet;
        if (pt_unit_get(w->unit, "Service", "DynamicUser", &v) && pt_true(v))
            return false;
        if (user_unit || !pt_unit_get(w->unit, "Service", "User", &v)) {
            *ret = 0;
            return !user_unit;
        }
    } else {
        v = w->ctr->user;
        if (!w->ctr->have_user)
            return false;
    }
    name = v;
    (void)pt_split(v, ':', &name, &group);
    uint64_t n = pt_num(name, UINT64_MAX);
    if (name.n == 0 || pt_is(name, "root"))
        n = 0;
    const struct pt_user *u = n == UINT64_MAX && w->src == PT_UNIT ? pt_user_named(f, name) : NULL;
    if (u != NULL)
        n = u->uid;
    *ret = (uint32_t)n;
    return n < UINT32_MAX;
}

/* ---- packages, services ---- */

const struct pt_pkg *pt_package(const struct pt_facts *f, const char *name) {
    for (size_t i = 0; i < f->pkgs.n; i++) {
        if (pt_is(f->pkgs.v[i].name, name))
            return &f->pkgs.v[i];
    }
    return NULL;
}

/* PEP 503: runs of "-_." are one, case does not count. */
static bool same_dist(struct bz_view a, const char *b) {
    size_t n = strlen(b);
    if (a.n != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t x = a.p[i], y = (uint8_t)b[i];
        x = x >= 'A' && x <= 'Z' ? (uint8_t)(x + 32) : x == '_' || x == '.' ? '-' : x;
        if (x != y)
            return false;
    }
    return true;
}

const struct pt_dist *pt_python(const struct pt_facts *f, const char *name) {
    for (size_t i = 0; i < f->dists.n; i++) {
        if (same_dist(f->dists.v[i].name, name))
            return &f->dists.v[i];
    }
    return NULL;
}

bool pt_enabled(const struct pt_facts *f, const char *name) {
    for (size_t i = 0; i < f->enabled.n; i++) {
        if (pt_is(f->enabled.v[i], name))
            return true;
    }
    return false;
}

bool pt_running(const struct pt_facts *f, const char *comm) {
    for (size_t i = 0; i < f->procs.n; i++) {
        if (pt_is(f->procs.v[i].comm, comm) || pt_is(pt_base(f->procs.v[i].exe), comm) ||
            (f->procs.v[i].argv.n > 0 && pt_is(pt_base(f->procs.v[i].argv.v[0]), comm)))
            return true;
    }
    return false;
}

int pt_older(const struct pt_facts *f, const char *scheme, struct bz_view v, const char *fixed) {
    int cmp = 0;
    if (f->o->hooks.version_cmp == NULL ||
        f->o->hooks.version_cmp(scheme, v, bz_view_str(fixed), &cmp) != BZ_OK)
        return -1;
    return cmp < 0;
}

/* ---- kernel settings ---- */

struct bz_view pt_sysctl(struct pt_facts *f, const char *name) {
    struct bz_view v, out = {NULL, 0};
    if (pt_read(f->t, pt_path(f->t, "proc/sys/%s", name), 4096, &v) == BZ_OK)
        return pt_trim(v);
    if (f->live)
        return out;
    for (size_t i = 0; i < f->sysctl_conf.n;
         i++) { /* what the image would set; the last one counts */
        struct bz_view key = f->sysctl_conf.v[i].key;
        bool same = key.n == strlen(name);
        for (size_t j = 0; same && j < key.n; j++)
            same = key.p[j] == (uint8_t)name[j] || (key.p[j] == '.' && name[j] == '/');
        if (same)
            out = f->sysctl_conf.v[i].value;
    }
    return out;
}

/* ---- volumes ---- */

static bool uuid_crypt(struct pt_facts *f, const char *dir) {
    struct bz_view v;
    return pt_read(f->t, pt_path(f->t, "%s/uuid", dir), 256, &v) == BZ_OK && pt_starts(v, "CRYPT-");
}

/* A device mapper's device is encrypted itself, or lies on one that is (LVM on LUKS). */
static bool dm_crypt(struct pt_facts *f, struct bz_view dm) {
    struct pt_views slaves;
    if (uuid_crypt(f, pt_path(f->t, "sys/block/%.*s/dm", PT_V(dm))))
        return true;
    (void)pt_list(f->t, pt_path(f->t, "sys/block/%.*s/slaves", PT_V(dm)), 64, &slaves);
    for (size_t i = 0; i < slaves.n; i++) {
        if (uuid_crypt(f, pt_path(f->t, "sys/block/%.*s/dm", PT_V(slaves.v[i]))))
            return true;
    }
    return false;
}

int pt_device_encrypted(struct pt_facts *f, struct bz_view device) {
    struct bz_view link, base = pt_base(device);
    struct pt_views dms;
    bool mapped = pt_starts(device, "/dev/mapper/") || pt_starts(device, "/dev/dm-");
    for (size_t i = 0; i < f->crypttab.n; i++) {
        if (bz_view_eq(f->crypttab.v[i], base))
            return 1;
    }
    if (pt_starts(base, "zram"))
        return 1; /* memory */
    if (pt_starts(device, "UUID=") || pt_starts(device, "LABEL="))
        return -1;
    if (pt_list(f->t, "sys/block", 1024, &dms) != BZ_OK)
        return mapped ? -1 : 0;
    if (mapped && pt_link(f->t, pt_path(f->t, "%.*s", PT_V(device)), &link) == BZ_OK)
        base = pt_base(link);
    for (size_t i = 0; i < dms.n; i++) {
        struct bz_view name = {NULL, 0};
        (void)pt_read(f->t, pt_path(f->t, "sys/block/%.*s/dm/name", PT_V(dms.v[i])), 256, &name);
        name = pt_trim(name);
        bool crypt = dm_crypt(f, dms.v[i]);
        /* a saved tree may have uuids without names */
        bool this = bz_view_eq(dms.v[i], base) || bz_view_eq(name, base) ||
                    (name.n == 0 && mapped && crypt);
        if (this)
            return crypt;
    }
    return mapped ? -1 : 0;
}

int pt_encrypted(struct pt_facts *f, struct bz_view path, struct bz_view *ret_dev) {
    const struct pt_volume *best = NULL;
    for (size_t i = 0; i < f->volumes.n; i++) {
        const struct pt_volume *v = &f->volumes.v[i];
        bool below = bz_view_starts(path, v->target) &&
                     (v->target.n == 1 || path.n == v->target.n || path.p[v->target.n] == '/');
        if (below && (best == NULL || v->target.n >= best->target.n))
            best = v;
    }
    *ret_dev = best == NULL ? BZ_V("") : best->source;
    if (best == NULL)
        return -1;
    if (pt_is(best->type, "tmpfs") || pt_is(best->type, "ramfs") || pt_is(best->type, "ecryptfs") ||
        pt_is(best->type, "fuse.gocryptfs"))
        return 1;
    if (pt_starts(best->source, "/dev/") || pt_starts(best->source, "UUID="))
        return pt_device_encrypted(f, best->source);
    if (pt_is(best->type, "zfs"))
        return -1;
    return -1; /* overlay, network file systems: what lies below is not seen */
}
