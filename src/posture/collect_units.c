/* systemd units with their drop-ins, quadlets, and what is enabled. */
#include <stdio.h>
#include "posture_int.h"

/* Sections of "key=value" lines; a backslash at the end of a line goes on. */
void pt_parse_ini(struct bz_view text, struct pt_unit *u, struct bz_arena *ar) {
    struct bz_view line, section = BZ_V(""), key, v;
    while (pt_line(&text, &line)) {
        line = pt_trim(line);
        if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
            continue;
        if (line.p[0] == '[' && line.p[line.n - 1] == ']') {
            section = bz_view_sub(line, 1, line.n - 2);
            continue;
        }
        if (!pt_split(line, '=', &key, &v))
            continue;
        v = pt_trim(v);
        while (v.n > 0 && v.p[v.n - 1] == '\\' && pt_line(&text, &line)) {
            struct bz_view more = pt_trim(line);
            v = pt_fmt(ar, "%.*s %.*s", PT_V(bz_view_sub(v, 0, v.n - 1)), PT_V(more));
        }
        struct pt_pair *p = u->pairs.n < BZ_POSTURE_ARGS_MAX ? PT_ADD(ar, &u->pairs) : NULL;
        if (p == NULL)
            return;
        *p = (struct pt_pair){section, pt_trim(key), v};
    }
}

bool pt_unit_get(const struct pt_unit *u, const char *section, const char *key,
                 struct bz_view *ret) {
    bool found = false;
    for (size_t i = 0; i < u->pairs.n; i++) {
        if (pt_is(u->pairs.v[i].section, section) && pt_is(u->pairs.v[i].key, key)) {
            *ret = u->pairs.v[i].value;
            found = true;
        }
    }
    return found && ret->n > 0;
}

static void env_file(struct pt_unit *u, struct pt_facts *f, struct bz_view path) {
    struct bz_view text, line;
    bool optional = path.n > 0 && path.p[0] == '-';
    if (optional)
        path = bz_view_sub(path, 1, path.n);
    enum bz_status st =
        pt_read(f->t, pt_path(f->t, "%.*s", PT_V(path)), BZ_POSTURE_CONFIG_MAX, &text);
    u->env_file_denied = u->env_file_denied || st == BZ_EDENIED;
    if (st != BZ_OK)
        return;
    while (pt_line(&text, &line) && u->env.n < BZ_POSTURE_ARGS_MAX) {
        struct bz_view key, v;
        line = pt_trim(line);
        if (line.n == 0 || line.p[0] == '#' || !pt_split(line, '=', &key, &v))
            continue;
        v = pt_trim(v);
        if (v.n >= 2 && (v.p[0] == '"' || v.p[0] == '\'') && v.p[v.n - 1] == v.p[0])
            v = bz_view_sub(v, 1, v.n - 2);
        (void)pt_views_add(f->ar, &u->env, pt_fmt(f->ar, "%.*s=%.*s", PT_V(pt_trim(key)), PT_V(v)));
    }
}

/* A later assignment of a variable replaces the earlier one; an empty line takes all back. */
static void environment(struct pt_unit *u, struct pt_facts *f) {
    for (size_t i = 0; i < u->pairs.n; i++) {
        struct pt_pair *p = &u->pairs.v[i];
        bool service = pt_is(p->section, "Service") || pt_is(p->section, "Container");
        if (service && pt_is(p->key, "Environment")) {
            if (p->value.n == 0)
                u->env.n = 0;
            pt_shell_words(f->ar, p->value, &u->env);
        } else if (service && pt_is(p->key, "EnvironmentFile") && f->t != NULL) {
            env_file(u, f, p->value);
        }
    }
}

static void exec_start(struct pt_unit *u, struct pt_facts *f) {
    struct pt_views none = {0};
    for (size_t i = 0; i < u->pairs.n; i++) {
        struct pt_pair *p = &u->pairs.v[i];
        if (!pt_is(p->section, "Service") || !pt_is(p->key, "ExecStart"))
            continue;
        struct bz_view v = p->value;
        if (v.n == 0) {
            u->exec = none;
            continue;
        }
        while (v.n > 0 && strchr("@-:+!", v.p[0]) != NULL)
            v = bz_view_sub(v, 1, v.n);
        if (u->exec.n == 0)
            pt_shell_words(f->ar, v, &u->exec);
    }
}

void pt_unit_finish(struct pt_unit *u, struct pt_facts *f) {
    struct bz_view image = {NULL, 0}, v;
    environment(u, f);
    exec_start(u, f);
    u->quadlet = pt_ends(u->name, ".container");
    if (u->quadlet)
        (void)pt_unit_get(u, "Container", "Image", &image);
    if (u->quadlet && u->exec.n == 0 && pt_unit_get(u, "Container", "Exec", &v))
        pt_shell_words(f->ar, v, &u->exec);
    /* docker run ... image: the image says what it is */
    struct bz_view exe = u->exec.n > 0 ? u->exec.v[0] : bz_view(NULL, 0);
    bool runs = pt_is(pt_base(exe), "docker") || pt_is(pt_base(exe), "podman");
    for (size_t i = 1; runs && i < u->exec.n && image.n == 0; i++) {
        if (pt_kind_of(bz_view(NULL, 0), bz_view(NULL, 0), &(struct pt_views){0}, u->exec.v[i]) !=
                NULL &&
            pt_find(u->exec.v[i], "/") != SIZE_MAX && u->exec.v[i].p[0] != '-')
            image = u->exec.v[i];
    }
    u->kind = pt_kind_of(exe, bz_view(NULL, 0), &u->exec, image);
}

static bool have_unit(const struct pt_facts *f, struct bz_view name) {
    for (size_t i = 0; i < f->units.n; i++) {
        if (bz_view_eq(f->units.v[i].name, name))
            return true;
    }
    return false;
}

static void drop_ins(struct pt_facts *f, struct pt_unit *u) {
    static const char *const dirs[] = {"usr/lib/systemd/system", "lib/systemd/system",
                                       "run/systemd/system", "etc/systemd/system"};
    struct pt_views names;
    struct bz_view text;
    for (size_t i = 0; i < 4; i++) {
        const char *dir = pt_path(f->t, "%s/%.*s.d", dirs[i], PT_V(u->name));
        if (pt_list(f->t, dir, 256, &names) != BZ_OK)
            continue;
        for (size_t j = 0; j < names.n; j++) {
            if (pt_ends(names.v[j], ".conf") &&
                pt_read(f->t, pt_path(f->t, "%s/%.*s", dir, PT_V(names.v[j])),
                        BZ_POSTURE_CONFIG_MAX, &text) == BZ_OK)
                pt_parse_ini(text, u, f->ar);
        }
    }
}

static void one_unit(struct pt_facts *f, const char *dir, struct bz_view name) {
    struct bz_view text;
    const char *path = pt_path(f->t, "%s/%.*s", dir, PT_V(name));
    if (have_unit(f, name) || f->units.n >= BZ_POSTURE_UNITS_MAX ||
        pt_read(f->t, path, BZ_POSTURE_CONFIG_MAX, &text) != BZ_OK)
        return;
    struct pt_unit *u = PT_ADD(f->ar, &f->units);
    if (u == NULL)
        return;
    u->name = name;
    u->path = bz_view_str(path);
    pt_parse_ini(text, u, f->ar);
    drop_ins(f, u);
    pt_unit_finish(u, f);
}

static void wants(struct pt_facts *f, const char *dir, struct bz_view name) {
    struct pt_views links;
    if (!pt_ends(name, ".wants") && !pt_ends(name, ".requires"))
        return;
    if (pt_list(f->t, pt_path(f->t, "%s/%.*s", dir, PT_V(name)), 1024, &links) != BZ_OK)
        return;
    for (size_t i = 0; i < links.n; i++)
        (void)pt_views_add(f->ar, &f->enabled, links.v[i]);
}

static void unit_dir(struct pt_facts *f, const char *dir) {
    struct pt_views names;
    if (pt_list(f->t, dir, BZ_POSTURE_UNITS_MAX, &names) != BZ_OK)
        return;
    for (size_t i = 0; i < names.n; i++) {
        wants(f, dir, names.v[i]);
        if (pt_ends(names.v[i], ".service") || pt_ends(names.v[i], ".container"))
            one_unit(f, dir, names.v[i]);
    }
}

void pt_collect_units(struct pt_facts *f) {
    static const char *const dirs[] = {"etc/systemd/system",           "run/systemd/system",
                                       "usr/local/lib/systemd/system", "usr/lib/systemd/system",
                                       "lib/systemd/system",           "etc/containers/systemd",
                                       "usr/share/containers/systemd", "etc/systemd/user"};
    struct pt_views homes;
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
        unit_dir(f, dirs[i]);
    if (pt_list(f->t, "home", 4096, &homes) == BZ_OK) {
        for (size_t i = 0; i < homes.n; i++) {
            unit_dir(f, pt_path(f->t, "home/%.*s/.config/systemd/user", PT_V(homes.v[i])));
            unit_dir(f, pt_path(f->t, "home/%.*s/.config/containers/systemd", PT_V(homes.v[i])));
        }
    }
    unit_dir(f, "root/.config/systemd/user");
    for (size_t i = 0; i < f->units.n; i++)
        f->units.v[i].enabled = pt_enabled(f, (const char *)f->units.v[i].name.p);
}
