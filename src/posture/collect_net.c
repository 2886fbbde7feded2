/* Listening sockets, and who owns them. */
#include <stdio.h>
#include "posture_int.h"

static int nibble(uint8_t c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool hex_bytes(struct bz_view v, uint8_t *out, size_t n) {
    if (v.n != n * 2)
        return false;
    for (size_t i = 0; i < n; i++) {
        int a = nibble(v.p[2 * i]), b = nibble(v.p[2 * i + 1]);
        if (a < 0 || b < 0)
            return false;
        out[i] = (uint8_t)(a << 4 | b);
    }
    return true;
}

static bool all_zero(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0)
            return false;
    }
    return true;
}

/* The kernel prints 32-bit words in the order of the host: little-endian on all that we run on. */
static bool address(struct bz_view v, bool v6, struct pt_sock *s) {
    uint8_t raw[16];
    size_t n = v6 ? 16 : 4;
    if (!hex_bytes(v, raw, n))
        return false;
    for (size_t i = 0; i < n; i++)
        s->addr[i] = raw[(i & ~(size_t)3) + 3 - (i & 3)];
    s->v6 = v6;
    s->any = all_zero(s->addr, n);
    static const uint8_t one[16] = {[15] = 1};
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool in_four = v6 && memcmp(s->addr, mapped, 12) == 0;
    s->loopback =
        v6 ? memcmp(s->addr, one, 16) == 0 || (in_four && s->addr[12] == 127) : s->addr[0] == 127;
    return true;
}

/* "0: 0100007F:2CAA 00000000:0000 0A tx:rx tr:when retrnsmt uid timeout inode ..."
 * Source: Documentation/networking/proc_net_tcp.rst of the kernel. */
static bool tcp_line(struct bz_view line, bool v6, struct pt_sock *s) {
    struct bz_view w[10], addr, port;
    for (size_t i = 0; i < 10; i++) {
        if (!pt_word(&line, &w[i]))
            return false;
    }
    uint8_t p[2];
    if (!pt_is(w[3], "0A") || !pt_split(w[1], ':', &addr, &port) || !address(addr, v6, s) ||
        !hex_bytes(port, p, 2))
        return false;
    s->port = (uint16_t)(p[0] << 8 | p[1]);
    s->uid = (uint32_t)pt_num(w[7], UINT32_MAX);
    s->inode = pt_num(w[9], 0);
    return s->port != 0;
}

void pt_parse_tcp(struct bz_view text, bool v6, struct pt_facts *f, struct pt_proc *ns) {
    struct bz_view line;
    while (pt_line(&text, &line)) {
        struct pt_sock one = {.host = ns == NULL, .proc = ns};
        if (!tcp_line(line, v6, &one) || f->socks.n >= BZ_POSTURE_SOCKS_MAX)
            continue;
        one.kind = ns != NULL ? ns->kind : NULL;
        one.how = "in its own network namespace";
        struct pt_sock *s = PT_ADD(f->ar, &f->socks);
        if (s == NULL)
            return;
        *s = one;
    }
}

void pt_collect_socks(struct pt_facts *f) {
    static const char *const places[] = {"proc/net", "proc/self/net", "proc/1/net"};
    struct bz_view v;
    for (size_t i = 0; i < 3 && !f->have_socks; i++) {
        if (pt_peek(f->t, pt_path(f->t, "%s/tcp", places[i]), BZ_POSTURE_FILE_MAX, &v) == BZ_OK) {
            pt_parse_tcp(v, false, f, NULL);
            f->have_socks = true;
        }
        if (pt_peek(f->t, pt_path(f->t, "%s/tcp6", places[i]), BZ_POSTURE_FILE_MAX, &v) == BZ_OK) {
            pt_parse_tcp(v, true, f, NULL);
            f->have_socks = true;
        }
    }
}

/* ---- owners ---- */

/* Of several that share a listener, the one that is known. */
static struct pt_proc *by_inode(struct pt_facts *f, uint64_t inode) {
    struct pt_proc *first = NULL;
    for (size_t i = 0; i < f->procs.n; i++) {
        struct pt_proc *p = &f->procs.v[i];
        bool has = false;
        for (size_t j = 0; j < p->sockets.n && !has; j++)
            has = pt_num(p->sockets.v[j], 0) == inode;
        if (has && p->kind != NULL)
            return p;
        if (has && first == NULL)
            first = p;
    }
    return first;
}

static bool port_fits(const struct pt_work *w, uint16_t port) {
    struct bz_view v;
    if (pt_work_port(w) == port)
        return true;
    if (w->kind->port_opts[0] != '\0' && pt_opt(w, w->kind->port_opts, &v))
        return false;
    for (size_t i = 0; i < 4; i++) {
        if (w->kind->ports[i] == port)
            return true;
    }
    return false;
}

static bool may_own(const struct pt_work *w, const struct pt_sock *s, bool same_uid) {
    if (w->kind->role == PT_ROLE_OURS || !port_fits(w, s->port))
        return false;
    if (w->src == PT_CTR)
        return w->ctr->host_net; /* else its ports are published by another program */
    if (w->src != PT_PROC)
        return true;
    if (w->proc->own_netns || (w->proc->have_fd && w->proc->sockets.n > 0))
        return false; /* we know what it has open */
    bool differs = w->proc->have_status && s->uid != UINT32_MAX && s->uid != w->proc->euid;
    return !same_uid || !differs;
}

/* The account must fit on the running system; of a saved tree only at first. */
static bool by_declared(struct pt_facts *f, struct pt_sock *s) {
    for (unsigned round = 0; round < (f->live ? 1u : 2u); round++) {
        for (size_t i = 0; i < f->works.n; i++) {
            struct pt_work *w = &f->works.v[i];
            if (!may_own(w, s, round == 0))
                continue;
            s->kind = w->kind;
            s->proc = w->proc;
            s->how = w->src == PT_PROC
                         ? "owner inferred: its descriptors are not known, the port fits"
                         : "owner inferred: the port fits what is declared";
            return true;
        }
    }
    return false;
}

static bool web_server(struct bz_view comm) {
    static const char *const list[] = {"nginx",   "caddy", "haproxy", "apache2",      "httpd",
                                       "traefik", "envoy", "sshd",    "redis-server", NULL};
    return pt_is_any(comm, list);
}

static void own_one(struct pt_facts *f, struct pt_sock *s) {
    struct pt_proc *p = s->inode != 0 ? by_inode(f, s->inode) : NULL;
    if (p != NULL) {
        s->proc = p;
        s->kind = p->kind;
        s->how = NULL;
        s->published = pt_has(p->comm, "docker-pr") || pt_has(p->comm, "rootlessport") ||
                       pt_has(p->comm, "conmon") || pt_has(p->comm, "pasta") ||
                       pt_has(p->comm, "slirp4netns");
        if (p->kind == NULL && !s->published && !web_server(p->comm)) {
            s->kind = pt_kind_of_port(s->port, true);
            s->how = s->kind != NULL ? "the program is not known, its port is" : NULL;
        }
        if (p->kind != NULL || !s->published)
            return;
    }
    if (by_declared(f, s))
        return;
    s->kind = pt_kind_of_port(s->port, true);
    if (s->kind != NULL)
        s->how = "known by its port alone";
}

void pt_own_socks(struct pt_facts *f) {
    for (size_t i = 0; i < f->socks.n; i++) {
        if (f->socks.v[i].host)
            own_one(f, &f->socks.v[i]);
    }
}

struct bz_view pt_sock_text(struct pt_facts *f, const struct pt_sock *s) {
    char addr[64];
    if (s->v6) {
        size_t n = 0;
        for (size_t i = 0; i < 16; i += 2)
            n += (size_t)snprintf(addr + n, sizeof addr - n, "%s%x", i == 0 ? "[" : ":",
                                  (unsigned)(s->addr[i] << 8 | s->addr[i + 1]));
        (void)snprintf(addr + n, sizeof addr - n, "]");
        if (s->any)
            (void)snprintf(addr, sizeof addr, "[::]");
    } else {
        (void)snprintf(addr, sizeof addr, "%u.%u.%u.%u", s->addr[0], s->addr[1], s->addr[2],
                       s->addr[3]);
    }
    struct bz_view who = s->proc != NULL
                             ? pt_fmt(f->ar, "pid %u %.*s", s->proc->pid, PT_V(s->proc->comm))
                         : f->have_proc ? BZ_V("owner not assessable")
                                        : BZ_V("owner not recorded");
    return pt_fmt(f->ar, "%s:%u (%.*s%s%s)", addr, s->port, PT_V(who), s->how != NULL ? "; " : "",
                  s->how != NULL ? s->how : "");
}
