/* The host: accounts, packages, kernel settings, volumes, sshd. */
#include <stdio.h>
#include <stdlib.h>
#include "posture_int.h"

/* ---- accounts ---- */

static size_t colons(struct bz_view line, struct bz_view *out, size_t max) {
    size_t n = 0;
    struct bz_view left;
    while (n + 1 < max && pt_split(line, ':', &left, &line))
        out[n++] = left;
    out[n++] = line;
    return n;
}

static bool login_shell(struct bz_view shell) {
    return shell.n > 0 && !pt_ends(shell, "nologin") && !pt_ends(shell, "/false") &&
           !pt_ends(shell, "/sync") && !pt_ends(shell, "/shutdown") && !pt_ends(shell, "/halt") &&
           !pt_ends(shell, "git-shell");
}

void pt_parse_passwd(struct bz_view text, struct pt_facts *f) {
    struct bz_view line, c[7];
    while (pt_line(&text, &line)) {
        line = pt_trim(line);
        if (line.n == 0 || line.p[0] == '#' || colons(line, c, 7) != 7 || f->users.n >= 65536)
            continue;
        uint64_t uid = pt_num(c[2], UINT64_MAX), gid = pt_num(c[3], UINT64_MAX);
        struct pt_user *u =
            uid <= UINT32_MAX && gid <= UINT32_MAX ? PT_ADD(f->ar, &f->users) : NULL;
        if (u == NULL)
            continue;
        *u = (struct pt_user){
            .name = c[0], .home = c[5], .shell = c[6], .uid = (uint32_t)uid, .gid = (uint32_t)gid};
        u->human = uid >= 1000 && uid < 60000 && login_shell(c[6]);
        f->have_passwd = true;
    }
}

void pt_parse_group(struct bz_view text, struct pt_facts *f) {
    struct bz_view line, c[4], name;
    while (pt_line(&text, &line)) {
        line = pt_trim(line);
        if (line.n == 0 || line.p[0] == '#' || colons(line, c, 4) != 4 || f->groups.n >= 65536)
            continue;
        struct pt_group *g = PT_ADD(f->ar, &f->groups);
        if (g == NULL)
            return;
        g->name = c[0];
        g->gid = (uint32_t)pt_num(c[2], UINT32_MAX);
        while (c[3].n > 0) {
            struct bz_view rest = {NULL, 0};
            name = c[3];
            (void)pt_split(c[3], ',', &name, &rest);
            c[3] = rest;
            (void)pt_views_add(f->ar, &g->members, pt_trim(name));
        }
    }
}

static void sudoers(struct pt_facts *f, const char *path) {
    struct bz_view text, line;
    enum bz_status st = pt_read(f->t, path, BZ_POSTURE_CONFIG_MAX, &text);
    f->sudoers_denied = f->sudoers_denied || st == BZ_EDENIED;
    while (pt_line(&text, &line)) {
        line = pt_trim(line);
        if (line.n > 0 && line.p[0] != '#')
            (void)pt_views_add(f->ar, &f->sudoers, line);
    }
}

void pt_collect_users(struct pt_facts *f) {
    struct bz_view text;
    struct pt_views names;
    if (pt_read(f->t, "etc/passwd", BZ_POSTURE_CONFIG_MAX, &text) == BZ_OK)
        pt_parse_passwd(text, f);
    if (pt_read(f->t, "etc/group", BZ_POSTURE_CONFIG_MAX, &text) == BZ_OK)
        pt_parse_group(text, f);
    for (size_t i = 0; i < f->groups.n; i++) {
        struct pt_group *g = &f->groups.v[i];
        for (size_t j = 0; j < f->users.n; j++) {
            struct pt_user *u = &f->users.v[j];
            bool in = u->gid == g->gid;
            for (size_t k = 0; k < g->members.n && !in; k++)
                in = bz_view_eq(g->members.v[k], u->name);
            if (in)
                (void)pt_views_add(f->ar, &u->groups, g->name);
        }
    }
    sudoers(f, "etc/sudoers");
    enum bz_status st = pt_list(f->t, "etc/sudoers.d", 256, &names);
    f->sudoers_denied = f->sudoers_denied || st == BZ_EDENIED;
    for (size_t i = 0; i < names.n; i++)
        sudoers(f, pt_path(f->t, "etc/sudoers.d/%.*s", PT_V(names.v[i])));
}

/* ---- packages ---- */

/* Stanzas of "Key: value"; calls back with Package, Version and Status of each. */
static void stanzas(struct bz_view text, struct pt_facts *f,
                    void (*each)(struct pt_facts *, struct bz_view, struct bz_view,
                                 struct bz_view)) {
    struct bz_view line, key, v, none = {NULL, 0}, name = none, version = none, status = none;
    for (;;) {
        bool more = pt_line(&text, &line);
        if (!more || pt_trim(line).n == 0) {
            if (name.n > 0 && version.n > 0)
                each(f, name, version, status);
            name = version = status = none;
            if (!more)
                return;
            continue;
        }
        if (line.p[0] == ' ' || !pt_split(line, ':', &key, &v))
            continue;
        if (pt_is(key, "Package"))
            name = pt_trim(v);
        else if (pt_is(key, "Version"))
            version = pt_trim(v);
        else if (pt_is(key, "Status"))
            status = pt_trim(v);
    }
}

static void add_package(struct pt_facts *f, struct bz_view name, struct bz_view version,
                        struct bz_view status) {
    if (status.n > 0 && !pt_ends(status, " installed"))
        return;
    struct pt_pkg *p = f->pkgs.n < 65536 ? PT_ADD(f->ar, &f->pkgs) : NULL;
    if (p != NULL)
        *p = (struct pt_pkg){bz_arena_dup(f->ar, name), bz_arena_dup(f->ar, version)};
}

static int by_name(const void *a, const void *b) {
    const struct pt_pkg *x = a, *y = b;
    int d = memcmp(x->name.p, y->name.p, x->name.n < y->name.n ? x->name.n : y->name.n);
    return d != 0 ? d : x->name.n < y->name.n ? -1 : x->name.n > y->name.n;
}

static void sort_packages(struct pt_facts *f) {
    size_t n = 0;
    for (size_t i = 0; i < f->pkgs.n; i++) {
        if (f->pkgs.v[i].name.p != NULL && f->pkgs.v[i].version.p != NULL)
            f->pkgs.v[n++] = f->pkgs.v[i];
    }
    f->pkgs.n = n;
    if (n > 1)
        qsort(f->pkgs.v, n, sizeof *f->pkgs.v, by_name);
}

void pt_parse_dpkg(struct bz_view text, struct pt_facts *f) {
    stanzas(text, f, add_package);
    sort_packages(f);
}

static void newer(struct pt_facts *f, struct bz_view name, struct bz_view version,
                  struct bz_view status) {
    struct pt_pkg key = {name, version};
    const struct pt_pkg *have =
        f->pkgs.n == 0 ? NULL : bsearch(&key, f->pkgs.v, f->pkgs.n, sizeof key, by_name);
    int cmp = 0;
    (void)status;
    if (have == NULL || f->o->hooks.version_cmp == NULL ||
        f->o->hooks.version_cmp("dpkg", have->version, version, &cmp) != BZ_OK || cmp >= 0)
        return;
    struct pt_update *u = f->updates.n < 4096 ? PT_ADD(f->ar, &f->updates) : NULL;
    if (u != NULL)
        *u = (struct pt_update){have->name, have->version, bz_arena_dup(f->ar, version)};
}

void pt_parse_apt_list(struct bz_view text, struct pt_facts *f) {
    f->have_lists = true;
    stanzas(text, f, newer);
}

bool pt_parse_metadata(struct bz_view text, struct pt_dist *ret) {
    struct bz_view line, key, v;
    while (pt_line(&text, &line) && pt_trim(line).n > 0) {
        if (line.p[0] == ' ' || !pt_split(line, ':', &key, &v))
            continue;
        if (pt_is(key, "Name"))
            ret->name = pt_trim(v);
        else if (pt_is(key, "Version"))
            ret->version = pt_trim(v);
    }
    return ret->name.n > 0 && ret->version.n > 0;
}

static void security_lists(struct pt_facts *f) {
    struct pt_views names;
    struct bz_view text;
    if (pt_list(f->t, "var/lib/apt/lists", 1024, &names) != BZ_OK)
        return;
    for (size_t i = 0; i < names.n; i++) {
        if (pt_has(names.v[i], "security") && pt_ends(names.v[i], "_Packages") &&
            pt_peek(f->t, pt_path(f->t, "var/lib/apt/lists/%.*s", PT_V(names.v[i])),
                    BZ_POSTURE_FILE_MAX, &text) == BZ_OK)
            pt_parse_apt_list(text, f);
    }
}

void pt_collect_packages(struct pt_facts *f) {
    struct bz_view text;
    struct pt_views names;
    if (pt_peek(f->t, "var/lib/dpkg/status", BZ_POSTURE_FILE_MAX, &text) == BZ_OK) {
        f->have_dpkg = true;
        pt_parse_dpkg(text, f);
    }
    if (pt_list(f->t, "var/lib/dpkg/status.d", 4096, &names) == BZ_OK) { /* distroless images */
        for (size_t i = 0; i < names.n; i++) {
            if (!pt_ends(names.v[i], ".md5sums") &&
                pt_peek(f->t, pt_path(f->t, "var/lib/dpkg/status.d/%.*s", PT_V(names.v[i])),
                        BZ_POSTURE_CONFIG_MAX, &text) == BZ_OK) {
                f->have_dpkg = true;
                stanzas(text, f, add_package);
            }
        }
        sort_packages(f);
    }
    security_lists(f);
}

/* ---- the rest of the host ---- */

void pt_parse_os_release(struct bz_view text, struct pt_facts *f) {
    struct bz_view line, key, v;
    while (pt_line(&text, &line)) {
        if (!pt_split(line, '=', &key, &v))
            continue;
        v = pt_trim(v);
        if (v.n >= 2 && (v.p[0] == '"' || v.p[0] == '\''))
            v = bz_view_sub(v, 1, v.n - 2);
        if (pt_is(key, "ID"))
            f->os_id = v;
        else if (pt_is(key, "VERSION_ID"))
            f->os_version = v;
        else if (pt_is(key, "PRETTY_NAME"))
            f->os_name = v;
    }
}

void pt_parse_mounts(struct bz_view text, struct pt_facts *f) {
    struct bz_view line, w[4];
    while (pt_line(&text, &line)) {
        size_t n = 0;
        while (n < 4 && pt_word(&line, &w[n]))
            n++;
        if (n < 4 || w[0].p[0] == '#' || f->volumes.n >= 4096)
            continue;
        struct pt_volume *v = PT_ADD(f->ar, &f->volumes);
        if (v == NULL)
            return;
        *v = (struct pt_volume){w[0], w[1], w[2], w[3]};
        f->have_volumes = true;
    }
}

void pt_parse_swaps(struct bz_view text, struct pt_facts *f) {
    struct bz_view line, w;
    bool first = true;
    f->have_swaps = true;
    while (pt_line(&text, &line)) {
        bool head = first && pt_starts(line, "Filename");
        first = false;
        if (head || !pt_word(&line, &w))
            continue;
        struct pt_volume *v = f->swaps.n < 256 ? PT_ADD(f->ar, &f->swaps) : NULL;
        if (v != NULL)
            v->source = w;
    }
}

void pt_parse_sysctl_conf(struct bz_view text, struct pt_facts *f) {
    struct bz_view line, key, v;
    while (pt_line(&text, &line)) {
        line = pt_trim(line);
        if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';' || !pt_split(line, '=', &key, &v))
            continue;
        key = pt_trim(key);
        if (key.n > 0 && key.p[0] == '-')
            key = bz_view_sub(key, 1, key.n);
        key = bz_arena_dup(f->ar, key);
        struct pt_pair *p =
            key.p != NULL && f->sysctl_conf.n < 4096 ? PT_ADD(f->ar, &f->sysctl_conf) : NULL;
        if (p == NULL)
            return;
        *p = (struct pt_pair){.key = key, .value = pt_trim(v)};
    }
}

static void sysctl_files(struct pt_facts *f) {
    static const char *const dirs[] = {"usr/lib/sysctl.d", "lib/sysctl.d", "run/sysctl.d",
                                       "etc/sysctl.d"};
    struct pt_views names;
    struct bz_view text;
    for (size_t i = 0; i < 4; i++) {
        if (pt_list(f->t, dirs[i], 256, &names) != BZ_OK)
            continue;
        for (size_t j = 0; j < names.n; j++) {
            if (pt_ends(names.v[j], ".conf") &&
                pt_read(f->t, pt_path(f->t, "%s/%.*s", dirs[i], PT_V(names.v[j])),
                        BZ_POSTURE_CONFIG_MAX, &text) == BZ_OK)
                pt_parse_sysctl_conf(text, f);
        }
    }
    if (pt_read(f->t, "etc/sysctl.conf", BZ_POSTURE_CONFIG_MAX, &text) == BZ_OK)
        pt_parse_sysctl_conf(text, f);
}

/* In sshd_config the first value of a keyword counts; Match blocks say nothing about the rest. */
void pt_parse_sshd(struct bz_view text, struct pt_ssh *s) {
    struct bz_view line, key, v;
    s->seen = true;
    while (pt_line(&text, &line)) {
        line = pt_trim(line);
        if (line.n == 0 || line.p[0] == '#' || !pt_word(&line, &key))
            continue;
        if (key.p[key.n - 1] == '=')
            key.n--;
        v = pt_trim(line);
        if (bz_view_eq_nocase(key, BZ_V("Match")))
            return;
        struct bz_view *to = bz_view_eq_nocase(key, BZ_V("PermitRootLogin")) ? &s->root_login
                             : bz_view_eq_nocase(key, BZ_V("PasswordAuthentication")) ? &s->password
                             : bz_view_eq_nocase(key, BZ_V("PermitEmptyPasswords"))   ? &s->empty
                             : bz_view_eq_nocase(key, BZ_V("X11Forwarding"))          ? &s->x11
                                                                                      : NULL;
        if (to != NULL && to->n == 0)
            *to = v;
    }
}

static void sshd(struct pt_facts *f) {
    struct pt_views names;
    struct bz_view text;
    /* Debian's sshd_config includes the folder on its first line. */
    if (pt_list(f->t, "etc/ssh/sshd_config.d", 256, &names) == BZ_OK) {
        for (size_t i = 0; i < names.n; i++) {
            enum bz_status st =
                pt_read(f->t, pt_path(f->t, "etc/ssh/sshd_config.d/%.*s", PT_V(names.v[i])),
                        BZ_POSTURE_CONFIG_MAX, &text);
            f->ssh.denied = f->ssh.denied || st == BZ_EDENIED;
            if (pt_ends(names.v[i], ".conf") && st == BZ_OK)
                pt_parse_sshd(text, &f->ssh);
        }
    }
    enum bz_status st = pt_read(f->t, "etc/ssh/sshd_config", BZ_POSTURE_CONFIG_MAX, &text);
    f->ssh.denied = f->ssh.denied || st == BZ_EDENIED;
    if (st == BZ_OK)
        pt_parse_sshd(text, &f->ssh);
}

static void fronts(struct pt_facts *f, const char *dir, unsigned depth) {
    struct pt_entries all;
    struct bz_view text;
    if (pt_scan(f->t, dir, 512, &all) != BZ_OK)
        return;
    for (size_t i = 0; i < all.n && f->fronts.n < 512; i++) {
        struct stat s;
        const char *path = pt_path(f->t, "%s/%.*s", dir, PT_V(all.v[i].name));
        if (!pt_stat(f->t, path, true, &s))
            continue;
        if (S_ISDIR(s.st_mode) && depth > 0)
            fronts(f, path, depth - 1);
        else if (S_ISREG(s.st_mode) && pt_read(f->t, path, BZ_POSTURE_CONFIG_MAX, &text) == BZ_OK) {
            (void)pt_views_add(f->ar, &f->fronts, bz_view_str(path));
            (void)pt_views_add(f->ar, &f->fronts, text);
        }
    }
}

static void volumes(struct pt_facts *f) {
    static const char *const mounts[] = {"proc/self/mounts", "proc/mounts", "proc/1/mounts",
                                         "etc/mtab", "etc/fstab"};
    struct bz_view text, line, w;
    for (size_t i = 0; i < 5 && !f->have_volumes; i++) {
        if (pt_read(f->t, mounts[i], BZ_POSTURE_CONFIG_MAX, &text) == BZ_OK)
            pt_parse_mounts(text, f);
    }
    if (pt_read(f->t, "proc/swaps", 65536, &text) == BZ_OK)
        pt_parse_swaps(text, f);
    if (pt_read(f->t, "etc/crypttab", BZ_POSTURE_CONFIG_MAX, &text) == BZ_OK) {
        while (pt_line(&text, &line)) {
            if (pt_word(&line, &w) && w.p[0] != '#')
                (void)pt_views_add(f->ar, &f->crypttab, w);
        }
    }
}

void pt_collect_host(struct pt_facts *f) {
    static const char *const servers[] = {"etc/nginx", "etc/caddy", "etc/apache2", "etc/traefik",
                                          "etc/haproxy"};
    struct bz_view text;
    if (pt_read(f->t, "etc/os-release", 65536, &text) == BZ_OK ||
        pt_read(f->t, "usr/lib/os-release", 65536, &text) == BZ_OK)
        pt_parse_os_release(text, f);
    if (pt_read(f->t, "etc/hostname", 1024, &text) == BZ_OK)
        f->host = pt_trim(text);
    sysctl_files(f);
    sshd(f);
    volumes(f);
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++)
        fronts(f, servers[i], 3);
}
