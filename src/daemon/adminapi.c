/* Table of the admin API's calls and what they have in common. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin.h"

enum { ARENA_MAX = 16 << 20, ID_MAX = 80, WHY_MAX = 64 * 1024 };

/* ---- answers ---- */

unsigned bz_admin_refuse(struct bz_admin_call *c, unsigned status, const char *code,
                         const char *fmt, ...) {
    char text[1024];
    struct bz_jw w;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    bz_buf_reset(c->out);
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "error");
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "code", bz_view_str(code));
    bz_jw_kstr(&w, "message", bz_view(text, len));
    bz_jw_end(&w);
    bz_jw_end(&w);
    return status;
}

/* The list that has what was not found. */
static unsigned no_such(struct bz_admin_call *c, const char *what) {
    static const struct {
        const char *what, *list;
    } lists[] = {
        {"the user", "user list"},
        {"the key", "key list"},
        {"the model", "model list"},
        {"the approval", "dlp approvals"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (strcmp(what, lists[i].what) == 0)
            return bz_admin_refuse(c, 404, "not_found",
                                   "%s: not found; 'bartizan %s' shows what there is", what,
                                   lists[i].list);
    }
    return bz_admin_refuse(c, 404, "not_found", "%s: not found", what);
}

unsigned bz_admin_failed(struct bz_admin_call *c, enum bz_status st, const char *what) {
    if (st == BZ_ENOTFOUND)
        return no_such(c, what);
    if (st == BZ_EEXISTS)
        return bz_admin_refuse(c, 409, "exists", "%s: exists already", what);
    if (st == BZ_EINVAL || st == BZ_ERANGE || st == BZ_ETOOBIG)
        return bz_admin_refuse(c, 400, "invalid", "%s: %s", what, bz_status_text(st));
    return bz_admin_refuse(c, 500, "failed", "%s: %s", what, bz_status_text(st));
}

bool bz_admin_record(struct bz_admin_call *c, const char *what, struct bz_view detail,
                     enum bz_admin_safety safety, bool *ret_recorded, unsigned *ret_status) {
    enum bz_status st = bz_journal_admin(c->d, c->r->actor, what, detail, "allow");
    *ret_recorded = st == BZ_OK;
    if (st == BZ_OK)
        return true;
    bz_log("%s: the audit log cannot be written", what);
    if (safety == BZ_ADMIN_ACT_ANYWAY || c->d->config->audit == BZ_AUDIT_RELAXED)
        return true;
    *ret_status = bz_admin_refuse(
        c, 503, "audit_unavailable",
        "the audit log cannot be written now, so nothing was changed; see 'bartizan status'");
    return false;
}

unsigned bz_admin_publish(struct bz_admin_call *c) {
    enum bz_status st = bz_publish(c->d);
    if (st == BZ_OK)
        return 0;
    c->d->publish_wanted = true; /* tried again in the next turn */
    return bz_admin_refuse(c, 500, "not_published", "the change is stored but not in force yet: %s",
                           bz_status_text(st));
}

const char *bz_admin_text(struct bz_admin_call *c, struct bz_view key, bool *ok) {
    const struct bz_json *n = bz_json_get(c->body, key);
    if (n == NULL)
        return NULL;
    struct bz_view v = bz_json_str(n);
    struct bz_view copy = bz_arena_dup(c->arena, v);
    if (v.p == NULL || copy.p == NULL || (v.n > 0 && memchr(v.p, 0, v.n) != NULL)) {
        *ok = false;
        return NULL;
    }
    return (const char *)copy.p;
}

unsigned bz_admin_only(struct bz_admin_call *c, const char *const *known, size_t n) {
    if (c->body == NULL)
        return 0;
    for (const struct bz_json *m = c->body->first; m != NULL; m = m->next) {
        bool ok = false;
        for (size_t i = 0; i < n; i++)
            ok = ok || bz_view_eq(m->key, bz_view_str(known[i]));
        if (!ok)
            return bz_admin_refuse(c, 400, "unknown_member", "unknown member '%.*s'",
                                   (int)(m->key.n < 64 ? m->key.n : 64), (const char *)m->key.p);
    }
    return 0;
}

/* ---- reload ---- */

static unsigned admin_reload(struct bz_admin_call *c) {
    struct bz_buf why;
    struct bz_jw w;
    bool recorded = false;
    unsigned status = 0;
    bz_buf_init(&why, WHY_MAX);
    enum bz_status st = bz_daemon_load(c->d, &why);
    bz_buf_putc(&why, 0);
    if (st != BZ_OK) {
        status = bz_admin_refuse(c, 422, "config_refused", "%s",
                                 why.n > 1 ? (const char *)why.p : bz_status_text(st));
        (void)!bz_journal_admin(c->d, c->r->actor, "policy.reload", BZ_V("configuration refused"),
                                "refuse");
    }
    bz_buf_free(&why);
    if (status != 0)
        return status;
    /* A policy may tighten as well as grant, so it is not held up by the log. */
    (void)bz_admin_record(c, "policy.reload", BZ_V("configuration loaded"), BZ_ADMIN_ACT_ANYWAY,
                          &recorded, &status);
    status = bz_admin_publish(c);
    if (status != 0)
        return status;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "generation", c->d->generation);
    bz_jw_kbool(&w, "recorded", recorded);
    bz_jw_end(&w);
    return 200;
}

/* ---- dispatch ---- */

static const struct {
    const char *method, *path; /* {id} stands for one segment */
    unsigned (*run)(struct bz_admin_call *c);
} calls[] = {
    {"GET", "/v1/status", bz_admin_status},
    {"GET", "/v1/models", bz_admin_models},
    {"POST", "/v1/reload", admin_reload},
    {"GET", "/v1/advisories", bz_admin_advisories},
    {"POST", "/v1/advisories/reload", bz_admin_advisories_reload},
    {"POST", "/v1/explain", bz_admin_explain},
    {"POST", "/v1/egress", bz_admin_egress},
    {"GET", "/v1/keys", bz_admin_keys},
    {"POST", "/v1/keys", bz_admin_key_create},
    {"POST", "/v1/keys/{id}/revoke", bz_admin_key_revoke},
    {"POST", "/v1/keys/{id}/rotate", bz_admin_key_rotate},
    {"GET", "/v1/users", bz_admin_users},
    {"POST", "/v1/users", bz_admin_user_add},
    {"POST", "/v1/users/{id}/disable", bz_admin_user_disable},
    {"POST", "/v1/users/{id}/enable", bz_admin_user_enable},
    {"GET", "/v1/approvals", bz_admin_approvals},
    {"POST", "/v1/approvals", bz_admin_approval_add},
    {"POST", "/v1/approvals/{id}/revoke", bz_admin_approval_revoke},
    {"GET", "/v1/mcp", bz_admin_mcp},
    {"POST", "/v1/mcp/show", bz_admin_mcp_show},
    {"POST", "/v1/mcp/approve", bz_admin_mcp_approve},
    {"POST", "/v1/mcp/revoke", bz_admin_mcp_revoke},
    {"GET", "/v1/registry", bz_admin_registry},
    {"POST", "/v1/registry", bz_admin_registry_add},
    {"GET", "/v1/registry/{id}", bz_admin_registry_show},
    {"POST", "/v1/registry/{id}/approve", bz_admin_registry_approve},
    {"POST", "/v1/registry/{id}/reject", bz_admin_registry_reject},
    {"POST", "/v1/registry/{id}/retire", bz_admin_registry_retire},
    {"GET", "/v1/data", bz_admin_data},
    {"GET", "/v1/data/conversations", bz_admin_data_list},
    {"POST", "/v1/data/export", bz_admin_data_export},
    {"POST", "/v1/data/erase", bz_admin_data_erase},
    {"GET", "/v1/data/erased", bz_admin_erased},
    {"POST", "/v1/data/erased", bz_admin_erased_apply},
    {"GET", "/v1/data/holds", bz_admin_holds},
    {"POST", "/v1/data/holds", bz_admin_hold_add},
    {"POST", "/v1/data/holds/{id}/release", bz_admin_hold_release},
    {"POST", "/v1/data/retention", bz_admin_data_retention},
};

static bool path_matches(const char *pattern, struct bz_view path, char id[ID_MAX]) {
    const char *hole = strstr(pattern, "{id}");
    if (hole == NULL)
        return bz_view_eq(bz_view_str(pattern), path);
    struct bz_view before = bz_view(pattern, (size_t)(hole - pattern)),
                   after = bz_view_str(hole + 4);
    if (!bz_view_starts(path, before) || path.n <= before.n + after.n)
        return false;
    struct bz_view seg = bz_view_sub(path, before.n, path.n - before.n - after.n);
    if (!bz_view_eq(bz_view_sub(path, before.n + seg.n, path.n), after) || seg.n >= ID_MAX ||
        memchr(seg.p, '/', seg.n) != NULL)
        return false;
    memcpy(id, seg.p, seg.n);
    id[seg.n] = '\0';
    return true;
}

static unsigned dispatch(struct bz_admin_call *c) {
    char id[ID_MAX] = "";
    bool path_known = false;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (!path_matches(calls[i].path, c->r->path, id))
            continue;
        path_known = true;
        if (!bz_view_eq(bz_view_str(calls[i].method), c->r->method))
            continue;
        c->id = id;
        return calls[i].run(c);
    }
    if (path_known)
        return bz_admin_refuse(c, 405, "method_not_allowed", "this path has no such method");
    return bz_admin_refuse(c, 404, "unknown_path",
                           "there is no such call; docs/ADMIN-API.md lists them");
}

unsigned bz_admin_handle(struct bz_daemon *d, const struct bz_admin_request *r,
                         struct bz_buf *out) {
    struct bz_arena ar;
    struct bz_json *body = NULL;
    struct bz_diag diag = {0, NULL};
    bz_arena_init(&ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    struct bz_admin_call c = {
        .d = d, .r = r, .out = out, .arena = &ar, .id = "", .now = bz_clock_unix() / 1000000000u};
    unsigned status;
    if (r->body.n > 0 && bz_json_parse(r->body, NULL, &ar, &body, &diag) != BZ_OK)
        status = bz_admin_refuse(&c, 400, "bad_json", "the body is not JSON at byte %llu: %s",
                                 (unsigned long long)diag.offset,
                                 diag.why == NULL ? "malformed" : diag.why);
    else if (body != NULL && !bz_json_is(body, BZ_JSON_OBJECT))
        status = bz_admin_refuse(&c, 400, "bad_json", "the body must be a JSON object");
    else {
        c.body = body;
        status = dispatch(&c);
    }
    bz_arena_free(&ar);
    return status;
}
