/* Calls that only look: status, models, explanation of what a key may do. */
#include "admin.h"
#include "registry.h"

/* ---- status ---- */

static const char *health_text(enum bz_health h) {
    static const char *const text[] = {"unknown", "up", "down", "unsafe"};
    return (unsigned)h < sizeof text / sizeof text[0] ? text[h] : "unknown";
}

static void put_backend(struct bz_jw *w, const struct bz_daemon *d, uint32_t i) {
    const struct bz_backend_run *r = &d->backend[i];
    const struct bz_backend_config *c = &d->config->backends[i];
    /* A worker may have rested a backend that answers the checks. */
    bool rested =
        r->health == BZ_HEALTH_UP && !bz_state_backend_usable(d->state, i, bz_clock_mono());
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", bz_view_str(c->name));
    bz_jw_kstr(w, "type", bz_view_str(bz_server_name(c->type)));
    bz_jw_kstr(w, "url", bz_view_str(c->url));
    bz_jw_kstr(w, "health", bz_view_str(rested ? "resting" : health_text(r->health)));
    bz_jw_ku64(w, "models", r->models.n);
    bz_jw_kstr(w, "version", bz_view_str(r->version));
    bz_jw_ku64(w, "outstanding", bz_state_out(d->state, i));
    bz_jw_kstr(w, "why",
               bz_view_str(rested ? "requests to it failed; it is tried again soon" : r->why));
    bz_registry_put_backend(w, d, i);
    bz_jw_end(w);
}

unsigned bz_admin_status(struct bz_admin_call *c) {
    const struct bz_daemon *d = c->d;
    struct bz_jw w;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "version", BZ_V(BZ_VERSION));
    bz_jw_ku64(&w, "generation", d->generation);
    bz_jw_ku64(&w, "keys", d->keys_live);
    bz_jw_ku64(&w, "models", d->models_served);
    bz_jw_kstr(&w, "audit_mode",
               bz_view_str(d->config->audit == BZ_AUDIT_STRICT ? "strict" : "relaxed"));
    bz_jw_kstr(&w, "audit", bz_view_str(bz_journal_state(d)));
    bz_posture_put(&w, d);
    bz_jw_key(&w, "backends");
    bz_jw_arr(&w);
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        if (!d->backend[i].retired)
            put_backend(&w, d, i);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    return 200;
}

/* ---- models ---- */

static void put_model(struct bz_jw *w, const struct bz_daemon *d,
                      const struct bz_image_model_input *m) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", bz_view_str(m->name));
    bz_jw_kstr(w, "target", bz_view_str(m->target));
    bz_jw_key(w, "backends");
    bz_jw_arr(w);
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        if ((m->backends >> i & 1) != 0)
            bz_jw_str(w, bz_view_str(d->config->backends[i].name));
    }
    bz_jw_end(w);
    bz_jw_end(w);
}

unsigned bz_admin_models(struct bz_admin_call *c) {
    struct bz_served s = {NULL, 0, 0};
    struct bz_names lists[BZ_BACKENDS_MAX];
    struct bz_jw w;
    for (uint32_t i = 0; i < BZ_BACKENDS_MAX; i++)
        lists[i] = c->d->backend[i].models; /* lent */
    enum bz_status st = bz_models_merge(c->d->config, lists, c->d->config->backends_n, &s);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the models");
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "models");
    bz_jw_arr(&w);
    for (uint32_t i = 0; i < s.n; i++)
        put_model(&w, c->d, &s.v[i]);
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_served_free(&s);
    return 200;
}

/* ---- explain ---- */

static const char *access_text(enum bz_access a) {
    static const char *const text[BZ_ACCESS_COUNT] = {"never", "admin", "user", "public"};
    return (unsigned)a < BZ_ACCESS_COUNT ? text[a] : "never";
}

static void put_route(struct bz_jw *w, const struct bz_image *img, const struct bz_principal *p,
                      enum bz_server s, const struct bz_route *r) {
    struct bz_denial why = {NULL, NULL};
    enum bz_status st = bz_authorise_route(img, p, r, &why);
    bz_jw_obj(w);
    bz_jw_kstr(w, "server", bz_view_str(bz_server_name(s)));
    bz_jw_kstr(w, "method", bz_view_str(r->method));
    bz_jw_kstr(w, "path", bz_view_str(r->path));
    bz_jw_kstr(w, "access", bz_view_str(access_text(r->access)));
    bz_jw_kstr(w, "scope", bz_view_str(r->scope));
    bz_jw_kstr(w, "reason", bz_view_str(r->reason));
    bz_jw_kbool(w, "allowed", st == BZ_OK);
    if (st != BZ_OK) {
        bz_jw_kstr(w, "code", bz_view_str(why.code));
        bz_jw_kstr(w, "why", bz_view_str(why.why));
    }
    bz_jw_end(w);
}

static bool server_in_use(const struct bz_daemon *d, enum bz_server s) {
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        if (!d->backend[i].retired && d->config->backends[i].type == s)
            return true;
    }
    return false;
}

static void put_mcp_routes(struct bz_jw *w, const struct bz_image *img,
                           const struct bz_principal *p, struct bz_view method,
                           struct bz_view path) {
    const struct bz_route *r = NULL;
    struct bz_view server;
    size_t n = 0;
    if (path.n > 0) {
        if (bz_route_find_mcp(method, path, &r, &server) == BZ_ROUTE_FOUND)
            put_route(w, img, p, BZ_SERVER_MCP, r);
        return;
    }
    r = bz_route_table_mcp(&n);
    for (size_t i = 0; i < n; i++)
        put_route(w, img, p, BZ_SERVER_MCP, &r[i]);
}

static void put_routes(struct bz_admin_call *c, struct bz_jw *w, const struct bz_image *img,
                       const struct bz_principal *p, struct bz_view method, struct bz_view path) {
    bz_jw_key(w, "routes");
    bz_jw_arr(w);
    for (int s = 0; s < BZ_SERVER_COUNT; s++) {
        const enum bz_server srv = (enum bz_server)s;
        const struct bz_route *r = NULL;
        struct bz_view id;
        size_t n = 0;
        if (!server_in_use(c->d, srv))
            continue;
        if (path.n > 0) {
            if (bz_route_find(srv, method, path, &r, &id) == BZ_ROUTE_FOUND)
                put_route(w, img, p, srv, r);
            continue;
        }
        const struct bz_route *t = bz_route_table(srv, &n);
        for (size_t i = 0; i < n; i++)
            put_route(w, img, p, srv, &t[i]);
    }
    if (c->d->config->mcp_n > 0)
        put_mcp_routes(w, img, p, method, path);
    bz_jw_end(w);
}

static void put_models_allowed(struct bz_jw *w, const struct bz_image *img,
                               const struct bz_principal *p) {
    struct bz_settings s;
    bz_image_settings(img, &s);
    bz_jw_key(w, "models");
    bz_jw_arr(w);
    for (uint32_t i = 0; i < s.models_n; i++) {
        struct bz_model m;
        struct bz_denial why;
        if (bz_image_model(img, i, &m) && bz_authorise_model(img, p, m.name, &why) == BZ_OK)
            bz_jw_str(w, m.name);
    }
    bz_jw_end(w);
}

static void explain(struct bz_admin_call *c, const struct bz_image *img,
                    const struct bz_principal *p, struct bz_view method, struct bz_view path) {
    struct bz_limit_set key, user;
    struct bz_jw w;
    bz_image_limits(img, p, &key, &user);
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "user", p->owner);
    bz_jw_kstr(&w, "role", p->role);
    bz_jw_kbool(&w, "admin", p->admin);
    bz_jw_ku64(&w, "expires", p->expires);
    bz_jw_key(&w, "limits");
    bz_admin_put_limits(&w, &key);
    bz_jw_key(&w, "user_limits");
    bz_admin_put_limits(&w, &user);
    bz_jw_kstr(&w, "clearance", bz_view_str(bz_level_name(bz_image_clearance_role(img, p))));
    put_models_allowed(&w, img, p);
    put_routes(c, &w, img, p, method, path);
    bz_jw_end(&w);
}

unsigned bz_admin_explain(struct bz_admin_call *c) {
    static const char *const known[] = {"key", "method", "path"};
    struct bz_key_record k;
    struct bz_map m = {NULL, 0};
    struct bz_image img;
    struct bz_principal p;
    bool ok = true;
    unsigned status = bz_admin_only(c, known, 3);
    const char *id = bz_admin_text(c, BZ_V("key"), &ok);
    const char *method = bz_admin_text(c, BZ_V("method"), &ok),
               *path = bz_admin_text(c, BZ_V("path"), &ok);
    if (status != 0)
        return status;
    if (!ok || id == NULL)
        return bz_admin_refuse(c, 400, "invalid", "'key' is missing: the id of a key");
    enum bz_status st = bz_identity_key_find(c->d->book, id, &k);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the key");
    st = bz_map_open(c->d->in.fd, BZ_F_IMAGE, false, &m);
    if (st == BZ_OK)
        st = bz_image_open(bz_view(m.p, m.n), &img);
    if (st != BZ_OK) {
        status = bz_admin_failed(c, st, "the policy image");
    } else if (!bz_image_still_valid(&img, bz_view_str(k.id), k.hash, c->now, &p)) {
        status = bz_admin_refuse(
            c, 409, "not_valid",
            "the key is revoked or expired, its user is disabled or its role is gone");
    } else {
        explain(c, &img, &p, bz_view_str(method == NULL ? "POST" : method), bz_view_str(path));
        status = 200;
    }
    bz_map_close(&m);
    return status;
}
