/* The plan as bubblewrap's arguments, and as JSON. */
#include <stdio.h>

#include <bartizan/json.h>
#include <bartizan/sandbox.h>

static void arg(struct bz_buf *out, const char *a) {
    bz_buf_puts(out, a);
    bz_buf_putc(out, 0);
}

static void put_mount(const struct bz_cage_mount *m, struct bz_buf *out) {
    char size[24];
    switch (m->kind) {
    case BZ_MOUNT_BIND_RO:
        arg(out, "--ro-bind");
        arg(out, m->from);
        break;
    case BZ_MOUNT_BIND:
        arg(out, "--bind");
        arg(out, m->from);
        break;
    case BZ_MOUNT_DEV:
        arg(out, "--dev-bind");
        arg(out, m->from);
        break;
    case BZ_MOUNT_TMPFS:
        (void)snprintf(size, sizeof size, "%llu", (unsigned long long)m->size);
        arg(out, "--perms");
        arg(out, "0700");
        arg(out, "--size");
        arg(out, size);
        arg(out, "--tmpfs");
        break;
    case BZ_MOUNT_PROC:
        arg(out, "--proc");
        break;
    case BZ_MOUNT_LINK:
        arg(out, "--symlink");
        arg(out, m->from);
        break;
    case BZ_MOUNT_RULE: /* nothing is mounted, it is only allowed */
    case BZ_MOUNT_KIND_COUNT:
    default:
        return;
    }
    arg(out, m->to);
}

void bz_cage_bwrap_args(const struct bz_cage_plan *p, struct bz_buf *out) {
    static const char *const fixed[] = {
        "--unshare-user",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup",
        "--die-with-parent",
        "--new-session", /* no terminal to push input into */
        "--as-pid-1",    /* bartizan-cage is init: it ends, everything ends */
        "--clearenv",
        "--hostname",
        "cage",
        "--uid",
        "65534",
        "--gid",
        "65534",
        /* for bartizan-cage alone, which gives them up before it starts anything: noexec on what is
         * writable, and an empty bounding set */
        "--cap-drop",
        "ALL",
        "--cap-add",
        "CAP_SYS_ADMIN",
        "--cap-add",
        "CAP_SETPCAP",
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        arg(out, fixed[i]);
    for (size_t i = 0; i < p->mounts_n; i++)
        put_mount(&p->mount[i], out);
    arg(out, "--remount-ro");
    arg(out, "/");
    arg(out, "--chdir");
    arg(out, "/tmp");
}

/* ---- JSON ---- */

static void put_may(struct bz_jw *w, unsigned may) {
    static const char *const names[] = {"read", "list",   "execute", "write",
                                        "put",  "socket", "ioctl"};
    bz_jw_key(w, "may");
    bz_jw_arr(w);
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((may >> i & 1u) != 0)
            bz_jw_str(w, bz_view_str(names[i]));
    }
    bz_jw_end(w);
}

static void put_mounts(struct bz_jw *w, const struct bz_cage_plan *p) {
    static const char *const kinds[BZ_MOUNT_KIND_COUNT] = {
        "read-only", "bind", "device", "tmpfs", "proc", "allowed", "link"};
    bz_jw_key(w, "mounts");
    bz_jw_arr(w);
    for (size_t i = 0; i < p->mounts_n; i++) {
        const struct bz_cage_mount *m = &p->mount[i];
        bz_jw_obj(w);
        bz_jw_kstr(w, "kind", bz_view_str(kinds[m->kind]));
        if (m->from != NULL)
            bz_jw_kstr(w, "from", bz_view_str(m->from));
        bz_jw_kstr(w, "to", bz_view_str(m->to));
        if (m->size != 0)
            bz_jw_ku64(w, "size", m->size);
        put_may(w, m->may);
        bz_jw_end(w);
    }
    bz_jw_end(w);
}

static void put_list(struct bz_jw *w, const char *key, const char *const *v, size_t n) {
    bz_jw_key(w, key);
    bz_jw_arr(w);
    for (size_t i = 0; i < n; i++)
        bz_jw_str(w, bz_view_str(v[i]));
    bz_jw_end(w);
}

void bz_cage_plan_json(const struct bz_cage_plan *p, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "profile", bz_view_str(p->profile->name));
    put_list(&w, "command", (const char *const *)(const void *)p->argv, p->argc);
    put_list(&w, "environment", p->env.v, p->env.n);
    put_mounts(&w, p);
    bz_jw_key(&w, "limits");
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "memory", p->memory);
    bz_jw_ku64(&w, "tmp", p->tmp);
    bz_jw_ku64(&w, "pids", p->pids);
    bz_jw_ku64(&w, "files", p->files);
    bz_jw_ku64(&w, "cpu_percent", p->cpu_percent);
    bz_jw_end(&w);
    bz_jw_kbool(&w, "execute_again", p->exec);
    bz_jw_kbool(&w, "executable_memory", p->wx);
    if (p->why_wx != NULL)
        bz_jw_kstr(&w, "executable_memory_why", bz_view_str(p->why_wx));
    if (p->profile->weaker != NULL)
        bz_jw_kstr(&w, "weaker", bz_view_str(p->profile->weaker));
    bz_jw_kbool(&w, "egress", p->egress);
    bz_jw_kbool(&w, "weakened_allowed", p->weakened);
    bz_jw_end(&w);
}
