/* Bartizan's own instances: the one that was named, those of running processes, the usual places. */
#include <stdio.h>
#include "posture_int.h"

const char *const pt_instance_secrets[] = {"secrets",
                                           "secrets/master.key",
                                           "secrets/master.json",
                                           "secrets/audit.key",
                                           "tls/server.key",
                                           "tls/ca.key",
                                           "store",
                                           "store/bartizan.db",
                                           "bodies",
                                           NULL};

static void backends(struct pt_facts *f, struct pt_instance *in) {
    const struct bz_json *list = bz_json_get(in->config, BZ_V("backends"));
    for (const struct bz_json *n = bz_json_is(list, BZ_JSON_ARRAY) ? list->first : NULL; n != NULL;
         n = n->next) {
        struct bz_view url = bz_json_str(bz_json_get(n, BZ_V("url")));
        struct bz_view *v = url.n > 0 ? PT_ADD(f->ar, &in->backends) : NULL;
        if (v != NULL)
            *v = url;
    }
}

static void add(struct pt_facts *f, struct bz_view path) {
    struct bz_diag diag;
    struct bz_view text;
    for (size_t i = 0; i < f->instances.n; i++) {
        if (bz_view_eq(f->instances.v[i].path, path))
            return;
    }
    enum bz_status st = pt_read(f->t, pt_path(f->t, "%.*s/bartizan.yaml", PT_V(path)),
                                BZ_POSTURE_CONFIG_MAX, &text);
    if (st != BZ_OK && st != BZ_EDENIED)
        return;
    struct pt_instance *in = f->instances.n < 32 ? PT_ADD(f->ar, &f->instances) : NULL;
    if (in == NULL)
        return;
    in->path = path;
    in->denied = st == BZ_EDENIED;
    in->config_text = text;
    in->config = pt_yaml(f->ar, text, &diag);
    st = pt_read(f->t, pt_path(f->t, "%.*s/run/bartizan.yaml.good", PT_V(path)),
                 BZ_POSTURE_CONFIG_MAX, &in->good_text);
    in->have_good = st == BZ_OK;
    in->denied = in->denied || st == BZ_EDENIED;
    backends(f, in);
}

void pt_collect_instances(struct pt_facts *f) {
    static const char *const places[] = {"/etc/bartizan", "/var/lib/bartizan", "/srv/bartizan",
                                         "/opt/bartizan"};
    struct pt_views names;
    if (f->o->instance != NULL) { /* the one that was asked for, and no other */
        add(f, bz_view_str(f->o->instance));
        return;
    }
    for (size_t i = 0; i < f->procs.n; i++) {
        const struct pt_proc *p = &f->procs.v[i];
        if (pt_kind_is(p->kind, "bartizan") && p->argv.n > 1 && p->argv.v[p->argv.n - 1].n > 0 &&
            p->argv.v[p->argv.n - 1].p[0] == '/')
            add(f, p->argv.v[p->argv.n - 1]);
    }
    for (size_t i = 0; i < 4; i++) {
        add(f, bz_view_str(places[i]));
        if (pt_list(f->t, places[i], 64, &names) != BZ_OK)
            continue;
        for (size_t j = 0; j < names.n; j++)
            add(f, pt_fmt(f->ar, "%s/%.*s", places[i], PT_V(names.v[j])));
    }
}
