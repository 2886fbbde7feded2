/* Processes: /proc, or a saved one. A process may vanish between two reads: what is missing then is
 * missing, nothing fails. */
#include <stdio.h>
#include "posture_int.h"

void pt_parse_nul_list(struct bz_view text, struct pt_views *out, struct bz_arena *ar) {
    /* Saved copies may have been written with newlines, or as one line of words. */
    bool nul = text.n > 0 && memchr(text.p, 0, text.n) != NULL;
    bool lines = !nul && text.n > 0 && memchr(text.p, '\n', text.n) != NULL &&
                 pt_find(pt_trim(text), "\n") != SIZE_MAX;
    if (!nul && !lines) {
        text = pt_trim(text);
        if (text.n > 0)
            pt_shell_words(ar, text, out);
        return;
    }
    while (text.n > 0 && out->n < BZ_POSTURE_ARGS_MAX) {
        const uint8_t *end = memchr(text.p, nul ? 0 : '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        struct bz_view v = bz_view_sub(text, 0, n);
        if (nul && end == NULL)
            v = pt_trim(v); /* the newline of an editor */
        if (!((end == NULL || !nul) && v.n == 0) && !pt_views_add(ar, out, v))
            return;
        text = bz_view_sub(text, n + 1, text.n);
    }
}

static uint64_t hex(struct bz_view v) {
    uint64_t n = 0;
    for (size_t i = 0; i < v.n && i < 16; i++) {
        uint8_t c = v.p[i];
        unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                            : 16;
        if (d == 16)
            break;
        n = n << 4 | d;
    }
    return n;
}

void pt_parse_status(struct bz_view text, struct pt_proc *p, struct bz_arena *ar) {
    struct bz_view line, key, v, w;
    p->no_new_privs = p->seccomp = -1;
    while (pt_line(&text, &line)) {
        if (!pt_split(line, ':', &key, &v))
            continue;
        v = pt_trim(v);
        if (pt_is(key, "Name")) {
            p->comm = v;
        } else if (pt_is(key, "Uid")) {
            if (pt_word(&v, &w))
                p->uid = p->euid = (uint32_t)pt_num(w, UINT32_MAX);
            if (pt_word(&v, &w))
                p->euid = (uint32_t)pt_num(w, UINT32_MAX);
            p->have_status = true;
        } else if (pt_is(key, "Gid")) {
            if (pt_word(&v, &w) && pt_word(&v, &w))
                p->egid = (uint32_t)pt_num(w, UINT32_MAX);
        } else if (pt_is(key, "Groups")) {
            while (pt_word(&v, &w) && p->groups.n < 256) {
                uint32_t *g = PT_ADD(ar, &p->groups);
                if (g == NULL)
                    return;
                *g = (uint32_t)pt_num(w, UINT32_MAX);
            }
        } else if (pt_is(key, "NoNewPrivs")) {
            p->no_new_privs = (int)pt_num(v, 0);
        } else if (pt_is(key, "Seccomp")) {
            p->seccomp = (int)pt_num(v, 0);
        } else if (pt_is(key, "CapEff")) {
            p->cap_eff = hex(v);
            p->have_caps = true;
        }
    }
}

static uint64_t limit(struct bz_view w) {
    return pt_is(w, "unlimited") ? UINT64_MAX : pt_num(w, 0);
}

void pt_parse_limits(struct bz_view text, struct pt_proc *p) {
    struct bz_view line, soft, hard;
    while (pt_line(&text, &line)) {
        bool core = pt_starts(line, "Max core file size");
        bool files = pt_starts(line, "Max open files");
        if (!core && !files)
            continue;
        struct bz_view rest = bz_view_sub(line, core ? 18 : 14, line.n);
        if (!pt_word(&rest, &soft) || !pt_word(&rest, &hard))
            continue;
        if (core) {
            p->core_soft = limit(soft);
            p->core_hard = limit(hard);
            p->have_limits = true;
        } else {
            p->nofile_soft = limit(soft);
        }
    }
}

static bool model_name(struct bz_view path) {
    static const char *const ends[] = {".gguf", ".ggml", ".safetensors", ".bin",       ".pt",
                                       ".pth",  ".ckpt", ".onnx",        ".llamafile", NULL};
    for (size_t i = 0; ends[i] != NULL; i++) {
        if (pt_ends(path, ends[i]))
            return true;
    }
    return pt_find(path, "/blobs/sha256-") != SIZE_MAX ||
           pt_find(path, "/blobs/sha256:") != SIZE_MAX;
}

void pt_note_open_file(struct pt_proc *p, struct bz_view target, struct bz_arena *ar) {
    target = pt_trim(target);
    if (pt_starts(target, "socket:[")) {
        if (p->sockets.n < BZ_POSTURE_FDS_MAX)
            (void)pt_views_add(ar, &p->sockets, bz_view_sub(target, 8, target.n - 9));
        return;
    }
    if (pt_starts(target, "/dev/nvidia") || pt_starts(target, "/dev/kfd") ||
        pt_starts(target, "/dev/dri/renderD")) {
        p->gpu = true;
    } else if (target.n == 0 || target.p[0] != '/' || !model_name(target)) {
        return;
    }
    for (size_t i = 0; i < p->files.n; i++) {
        if (bz_view_eq(p->files.v[i], target))
            return;
    }
    if (p->files.n < 256)
        (void)pt_views_add(ar, &p->files, target);
}

/* "lrwx------ 1 root root 64 Nov 23 08:00 3 -> socket:[123]", or "3 socket:[123]", or the target. */
void pt_parse_fd_listing(struct bz_view text, struct pt_proc *p, struct bz_arena *ar) {
    struct bz_view line;
    while (pt_line(&text, &line)) {
        size_t at = pt_find(line, "-> ");
        if (at != SIZE_MAX) {
            pt_note_open_file(p, bz_view_sub(line, at + 3, line.n), ar);
            continue;
        }
        size_t sock = pt_find(line, "socket:["), slash = pt_find(line, "/");
        if (sock != SIZE_MAX) {
            struct bz_view v = bz_view_sub(line, sock, line.n);
            const uint8_t *end = memchr(v.p, ']', v.n);
            if (end != NULL)
                pt_note_open_file(p, bz_view_sub(v, 0, (size_t)(end - v.p) + 1), ar);
        } else if (slash != SIZE_MAX) {
            pt_note_open_file(p, bz_view_sub(line, slash, line.n), ar);
        }
    }
}

void pt_parse_maps(struct bz_view text, struct pt_proc *p, struct bz_arena *ar) {
    struct bz_view line;
    while (pt_line(&text, &line)) {
        size_t at = pt_find(line, "/");
        if (at != SIZE_MAX)
            pt_note_open_file(p, bz_view_sub(line, at, line.n), ar);
    }
}

bool pt_parse_route_default(struct bz_view text) {
    struct bz_view line, iface, dest;
    bool first = true;
    while (pt_line(&text, &line)) {
        if (!first && pt_word(&line, &iface) && pt_word(&line, &dest) && pt_is(dest, "00000000"))
            return true;
        first = false;
    }
    return false;
}

/* A link, or a file that holds what the link said. */
static struct bz_view link_or_text(struct pt_facts *f, const char *path) {
    struct bz_view v = {NULL, 0};
    enum bz_status st = pt_link(f->t, path, &v);
    if (st == BZ_EINVAL && pt_read(f->t, path, 4096, &v) == BZ_OK)
        v = pt_trim(v);
    return v;
}

static void read_fds(struct pt_facts *f, struct pt_proc *p) {
    struct pt_views names;
    struct stat s;
    struct bz_view text;
    const char *dir = pt_path(f->t, "proc/%u/fd", p->pid);
    if (!pt_stat(f->t, dir, true, &s))
        return;
    if (S_ISREG(s.st_mode)) {
        if (pt_read(f->t, dir, BZ_POSTURE_CONFIG_MAX, &text) == BZ_OK)
            pt_parse_fd_listing(text, p, f->ar);
        p->have_fd = true;
        return;
    }
    enum bz_status st = pt_list(f->t, dir, BZ_POSTURE_FDS_MAX, &names);
    p->fd_denied = st == BZ_EDENIED;
    p->have_fd = st == BZ_OK || st == BZ_ETOOBIG;
    for (size_t i = 0; i < names.n; i++) {
        const char *path = pt_path(f->t, "proc/%u/fd/%.*s", p->pid, PT_V(names.v[i]));
        struct bz_view v = {NULL, 0};
        st = pt_link(f->t, path, &v);
        if (st == BZ_EINVAL && pt_read(f->t, path, 8192, &v) == BZ_OK)
            pt_parse_fd_listing(v, p, f->ar);
        else if (v.n > 0)
            pt_note_open_file(p, v, f->ar);
    }
}

static void read_links(struct pt_facts *f, struct pt_proc *p) {
    p->exe = link_or_text(f, pt_path(f->t, "proc/%u/exe", p->pid));
    p->cwd = link_or_text(f, pt_path(f->t, "proc/%u/cwd", p->pid));
    p->netns = link_or_text(f, pt_path(f->t, "proc/%u/ns/net", p->pid));
}

static void read_rest(struct pt_facts *f, struct pt_proc *p) {
    struct bz_view v;
    enum bz_status st =
        pt_read(f->t, pt_path(f->t, "proc/%u/environ", p->pid), BZ_POSTURE_CONFIG_MAX, &v);
    p->env_denied = st == BZ_EDENIED;
    p->have_env = st == BZ_OK || st == BZ_ETOOBIG;
    if (p->have_env)
        pt_parse_nul_list(v, &p->env, f->ar);
    if (pt_peek(f->t, pt_path(f->t, "proc/%u/limits", p->pid), 8192, &v) == BZ_OK)
        pt_parse_limits(v, p);
    if (pt_read(f->t, pt_path(f->t, "proc/%u/cgroup", p->pid), 8192, &v) == BZ_OK)
        p->cgroup = v;
    st = pt_read(f->t, pt_path(f->t, "proc/%u/maps", p->pid), BZ_POSTURE_CONFIG_MAX, &v);
    p->maps_denied = st == BZ_EDENIED;
    p->have_maps = st == BZ_OK || st == BZ_ETOOBIG;
    pt_parse_maps(v, p, f->ar);
}

static void own_namespace(struct pt_facts *f, struct pt_proc *p, struct bz_view host) {
    struct bz_view v;
    if (p->netns.n == 0 || host.n == 0 || bz_view_eq(p->netns, host))
        return;
    p->own_netns = true;
    if (pt_read(f->t, pt_path(f->t, "proc/%u/net/route", p->pid), 65536, &v) == BZ_OK)
        p->default_route = pt_parse_route_default(v);
    if (pt_peek(f->t, pt_path(f->t, "proc/%u/net/tcp", p->pid), BZ_POSTURE_FILE_MAX, &v) == BZ_OK)
        pt_parse_tcp(v, false, f, p);
    if (pt_peek(f->t, pt_path(f->t, "proc/%u/net/tcp6", p->pid), BZ_POSTURE_FILE_MAX, &v) == BZ_OK)
        pt_parse_tcp(v, true, f, p);
}

static void read_one(struct pt_facts *f, uint32_t pid) {
    struct pt_proc *p = PT_ADD(f->ar, &f->procs);
    struct bz_view v;
    if (p == NULL)
        return;
    p->pid = pid;
    p->no_new_privs = p->seccomp = -1;
    if (pt_read(f->t, pt_path(f->t, "proc/%u/status", pid), 16384, &v) == BZ_OK)
        pt_parse_status(v, p, f->ar);
    if (pt_read(f->t, pt_path(f->t, "proc/%u/cmdline", pid), BZ_POSTURE_CONFIG_MAX, &v) == BZ_OK) {
        p->have_cmdline = true;
        pt_parse_nul_list(v, &p->argv, f->ar);
    }
    if (p->comm.n == 0 && pt_read(f->t, pt_path(f->t, "proc/%u/comm", pid), 256, &v) == BZ_OK)
        p->comm = pt_trim(v);
    read_links(f, p);
    p->kernel = p->argv.n == 0 && p->exe.n == 0;
    if (p->kernel && f->live)
        return;
    p->kind = pt_kind_of(p->exe, p->comm, &p->argv, bz_view(NULL, 0));
    read_fds(f, p);
    read_rest(f, p);
}

void pt_collect_procs(struct pt_facts *f) {
    struct pt_views names;
    uint64_t pid;
    if (pt_list(f->t, "proc", BZ_POSTURE_PROCS_MAX * 2, &names) != BZ_OK)
        return;
    for (size_t i = 0; i < names.n && f->procs.n < BZ_POSTURE_PROCS_MAX; i++) {
        if (bz_view_u64(names.v[i], &pid) == BZ_OK && pid > 0 && pid < UINT32_MAX)
            read_one(f, (uint32_t)pid);
    }
    f->have_proc = f->procs.n > 0;
    struct bz_view host = link_or_text(f, f->live ? "proc/self/ns/net" : "proc/1/ns/net");
    /* A container's /proc/1 is not the host's: the auditor's own namespace counts. */
    if (f->live)
        (void)pt_link(f->t, "proc/thread-self/ns/net", &host);
    for (size_t i = 0; i < f->procs.n; i++)
        own_namespace(f, &f->procs.v[i], host);
}
