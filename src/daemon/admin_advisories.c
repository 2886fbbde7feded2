/* Calls about advisories: the packs that are trusted, the rules in force, reading them again. */
#include <stdlib.h>

#include "admin.h"

static void put_pack(struct bz_jw *w, const struct bz_advisory_pack *p, bool builtin,
                     uint64_t now) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", p->name);
    bz_jw_ku64(w, "version", p->version);
    bz_jw_ku64(w, "advisories", p->count);
    bz_jw_key(w, "issued");
    bz_jw_time(w, p->issued * 1000000000u);
    bz_jw_key(w, "expires");
    bz_jw_time(w, p->expires * 1000000000u);
    bz_jw_kbool(w, "expired", now >= p->expires);
    bz_jw_kbool(w, "built_in", builtin);
    bz_jw_end(w);
}

static void put_names(struct bz_jw *w, const struct bz_daemon *d, uint64_t mask) {
    bz_jw_key(w, "backends");
    bz_jw_arr(w);
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        if ((mask >> i & 1) != 0)
            bz_jw_str(w, bz_view_str(d->config->backends[i].name));
    }
    bz_jw_end(w);
}

static void put_patch(struct bz_jw *w, const struct bz_daemon *d, const struct bz_image_patch *p) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "advisory", p->id);
    if (p->path.n > 0) {
        bz_jw_kstr(w, "method", p->method.n > 0 ? p->method : BZ_V("any"));
        bz_jw_kstr(w, "path", p->path);
    } else {
        bz_jw_kstr(w, "param", p->param);
        bz_jw_kbool(w, "deny", p->deny);
    }
    if (p->has_min) {
        bz_jw_key(w, "min");
        bz_jw_i64(w, p->min);
    }
    if (p->has_max) {
        bz_jw_key(w, "max");
        bz_jw_i64(w, p->max);
    }
    put_names(w, d, p->backends);
    bz_jw_end(w);
}

static void put_patches(struct bz_jw *w, const struct bz_daemon *d) {
    struct bz_image_patch *list = calloc(BZ_ADVISORY_PATCHES_MAX, sizeof *list);
    size_t n = list == NULL ? 0 : bz_patches_now(d, list);
    bz_jw_key(w, "patches");
    bz_jw_arr(w);
    for (size_t i = 0; i < n; i++)
        put_patch(w, d, &list[i]);
    bz_jw_end(w);
    free(list);
}

unsigned bz_admin_advisories(struct bz_admin_call *c) {
    const struct bz_daemon *d = c->d;
    struct bz_jw w;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "packs");
    bz_jw_arr(&w);
    for (size_t i = 0; i < d->advisories.n; i++)
        put_pack(&w, &d->advisories.pack[i], d->advisories.builtin[i], c->now);
    bz_jw_end(&w);
    put_patches(&w, d);
    bz_jw_kbool(&w, "patches_on", d->config->advisories.patches);
    bz_jw_kstr(&w, "why", bz_view_str(d->advisories_why));
    bz_jw_end(&w);
    return 200;
}

unsigned bz_admin_advisories_reload(struct bz_admin_call *c) {
    struct bz_daemon *d = c->d;
    bool recorded = false;
    unsigned status = 0;
    if (bz_patches_load(d) != BZ_OK)
        return bz_admin_refuse(c, 422, "advisories_refused", "%s", d->advisories_why);
    /* A pack can tighten as well as loosen, like a policy: it is not held up by the log. */
    (void)bz_admin_record(c, "advisories.reload", BZ_V("advisories read again"),
                          BZ_ADMIN_ACT_ANYWAY, &recorded, &status);
    status = bz_admin_publish(c);
    if (status != 0)
        return status;
    bz_buf_reset(c->out);
    return bz_admin_advisories(c);
}
