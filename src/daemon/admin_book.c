/* Calls about users and keys. */
#include <stdio.h>
#include <stdlib.h>

#include "admin.h"

enum { DETAIL_MAX = 512, SCOPES_MAX = 64, OVERLAP_MAX_S = 90 * 86400 };

/* ---- writing ---- */

static void put_list(struct bz_jw *w, const char *key, char *const *v, uint32_t n) {
    if (v == NULL)
        return;
    bz_jw_key(w, key);
    bz_jw_arr(w);
    for (uint32_t i = 0; i < n; i++)
        bz_jw_str(w, bz_view_str(v[i]));
    bz_jw_end(w);
}

static void put_key(struct bz_jw *w, const struct bz_key_record *k) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "id", bz_view_str(k->id));
    bz_jw_kstr(w, "user", bz_view_str(k->owner));
    bz_jw_kstr(w, "role", bz_view_str(k->role));
    put_list(w, "routes", k->routes, k->routes_n);
    put_list(w, "models", k->models, k->models_n);
    bz_jw_ku64(w, "created", k->created);
    bz_jw_ku64(w, "expires", k->expires);
    bz_jw_kbool(w, "revoked", k->revoked);
    bz_jw_key(w, "limits");
    bz_admin_put_limits(w, &k->limits);
    bz_jw_end(w);
}

unsigned bz_admin_keys(struct bz_admin_call *c) {
    const struct bz_key_record *v = NULL;
    size_t n = 0;
    struct bz_jw w;
    enum bz_status st = bz_identity_keys(c->d->book, false, &v, &n);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the keys");
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "keys");
    bz_jw_arr(&w);
    for (size_t i = 0; i < n; i++)
        put_key(&w, &v[i]);
    bz_jw_end(&w);
    bz_jw_end(&w);
    return 200;
}

/* ---- reading a wish ---- */

static unsigned bad(struct bz_admin_call *c, const char *member, const char *why) {
    return bz_admin_refuse(c, 400, "invalid", "'%s' %s", member, why);
}

static bool scope_known(struct bz_view name) {
    if (bz_view_eq(name, BZ_V("*")))
        return true;
    const char *scopes[BZ_SCOPES_MAX];
    size_t n = bz_scope_list(scopes);
    for (size_t i = 0; i < n; i++) {
        if (bz_view_eq(bz_view_str(scopes[i]), name))
            return true;
    }
    return false;
}

/* A name, "prefix*" or "*". */
static bool pattern_ok(struct bz_view v) {
    bool star = v.n > 0 && v.p[v.n - 1] == '*';
    struct bz_view stem = bz_view_sub(v, 0, v.n - star);
    return (star && stem.n == 0) || bz_model_name_ok(stem);
}

/* List of strings; false: bad, the answer is written. NULL list when the member is absent. */
static bool take_list(struct bz_admin_call *c, const char *member, bool (*ok)(struct bz_view),
                      char *const **ret, uint32_t *ret_n, unsigned *status) {
    const struct bz_json *a = bz_json_get(c->body, bz_view_str(member));
    if (a == NULL)
        return true;
    char **v =
        bz_json_is(a, BZ_JSON_ARRAY) ? bz_arena_zalloc(c->arena, (a->count + 1) * sizeof *v) : NULL;
    uint32_t n = 0;
    if (v == NULL) {
        *status = bad(c, member, "must be a list of names");
        return false;
    }
    for (const struct bz_json *m = a->first; m != NULL; m = m->next) {
        struct bz_view s = bz_json_str(m), copy = bz_arena_dup(c->arena, s);
        if (s.p == NULL || copy.p == NULL || !ok(s)) {
            *status = bad(c, member, "holds a name that does not exist or cannot be");
            return false;
        }
        union {
            const uint8_t *in;
            char *out;
        } u = {.in = copy.p}; /* arena memory of ours */
        v[n++] = u.out;
    }
    *ret = v;
    *ret_n = n;
    return true;
}

static const struct {
    const char *name;
    size_t meter;
    bool burst;
} limit_members[] = {
    {"requests_per_minute", BZ_METER_REQUESTS, false},
    {"requests_burst", BZ_METER_REQUESTS, true},
    {"prompt_tokens_per_minute", BZ_METER_PROMPT_TOKENS, false},
    {"prompt_tokens_burst", BZ_METER_PROMPT_TOKENS, true},
    {"completion_tokens_per_minute", BZ_METER_COMPLETION_TOKENS, false},
    {"completion_tokens_burst", BZ_METER_COMPLETION_TOKENS, true},
};
enum { LIMIT_MEMBERS = sizeof limit_members / sizeof limit_members[0] };

void bz_admin_put_limits(struct bz_jw *w, const struct bz_limit_set *l) {
    bz_jw_obj(w);
    for (size_t i = 0; i < LIMIT_MEMBERS; i++) {
        const struct bz_rate *r = &l->rate[limit_members[i].meter];
        uint64_t v = limit_members[i].burst ? r->burst : r->per_minute;
        if (v > 0)
            bz_jw_ku64(w, limit_members[i].name, v);
    }
    if (l->concurrent > 0)
        bz_jw_ku64(w, "concurrent", l->concurrent);
    if (l->body_max > 0)
        bz_jw_ku64(w, "body_max", l->body_max);
    bz_jw_end(w);
}

static bool take_limit(struct bz_limit_set *l, const struct bz_json *m) {
    int64_t v = 0;
    if (bz_json_i64(m, &v) != BZ_OK || v < 0 || v > INT32_MAX)
        return false;
    if (bz_view_eq(m->key, BZ_V("concurrent"))) {
        l->concurrent = (uint32_t)v;
        return true;
    }
    if (bz_view_eq(m->key, BZ_V("body_max"))) { /* the instance's own holds whatever stands here */
        l->body_max = (uint64_t)v;
        return v == 0 || (v >= BZ_BODY_MIN && v <= BZ_BODY_MAX);
    }
    for (size_t i = 0; i < LIMIT_MEMBERS; i++) {
        if (!bz_view_eq(m->key, bz_view_str(limit_members[i].name)))
            continue;
        struct bz_rate *r = &l->rate[limit_members[i].meter];
        *(limit_members[i].burst ? &r->burst : &r->per_minute) = (uint64_t)v;
        return true;
    }
    return false;
}

static bool take_limits(struct bz_admin_call *c, struct bz_limit_set *l, unsigned *status) {
    const struct bz_json *o = bz_json_get(c->body, BZ_V("limits"));
    bool ok = o == NULL || bz_json_is(o, BZ_JSON_OBJECT);
    for (const struct bz_json *m = o == NULL || !ok ? NULL : o->first; m != NULL; m = m->next)
        ok = ok && take_limit(l, m);
    for (int i = 0; i < BZ_METER_COUNT; i++) {
        /* as in bartizan.yaml: ten seconds' worth of requests, a minute's worth of tokens */
        const uint64_t part = i == BZ_METER_REQUESTS ? 6 : 1;
        struct bz_rate *r = &l->rate[i];
        if (r->per_minute > 0 && r->burst == 0)
            r->burst = (r->per_minute + part - 1) / part;
    }
    if (!ok)
        *status = bad(c, "limits", "has an unknown member or a number that cannot be");
    return ok;
}

static bool take_expiry(struct bz_admin_call *c, uint64_t *ret, unsigned *status) {
    const struct bz_json *m = bz_json_get(c->body, BZ_V("expires"));
    int64_t v = 0;
    if (m == NULL)
        return true;
    if (bz_json_i64(m, &v) != BZ_OK || v < 0 || (v > 0 && (uint64_t)v <= c->now)) {
        *status = bad(c, "expires", "must be unix seconds in the future, or 0 for never");
        return false;
    }
    *ret = (uint64_t)v;
    return true;
}

static bool role_known(const struct bz_config *c, const char *role) {
    for (uint32_t i = 0; i < c->roles_n; i++) {
        if (strcmp(c->roles[i].name, role) == 0)
            return true;
    }
    return false;
}

static bool role_admin(const struct bz_config *c, const char *role) {
    for (uint32_t i = 0; i < c->roles_n; i++) {
        if (strcmp(c->roles[i].name, role) == 0)
            return c->roles[i].admin;
    }
    return false;
}

/* 0, or the status of a refusal. A key never has more than its owner: a role of administrators
 * needs an owner who is one. */
static unsigned take_who(struct bz_admin_call *c, struct bz_key_wish *k) {
    bool ok = true;
    struct bz_user u;
    k->owner = bz_admin_text(c, BZ_V("user"), &ok);
    k->role = bz_admin_text(c, BZ_V("role"), &ok);
    if (!ok || k->owner == NULL)
        return bad(c, "user", "is missing or no text");
    enum bz_status st = bz_identity_user_find(c->d->book, k->owner, &u);
    if (st == BZ_ENOTFOUND)
        return bz_admin_refuse(c, 404, "no_such_user",
                               "there is no user '%s'; 'bartizan user add' makes one", k->owner);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the user");
    if (u.disabled)
        return bz_admin_refuse(c, 409, "user_disabled", "the user '%s' is disabled", k->owner);
    if (k->role == NULL) {
        struct bz_view own = bz_arena_dup(c->arena, bz_view_str(u.role));
        if (own.p == NULL)
            return bz_admin_failed(c, BZ_ENOMEM, "the role");
        k->role = (const char *)own.p;
    }
    if (!role_known(c->d->config, k->role))
        return bz_admin_refuse(c, 400, "no_such_role", "there is no role '%s' in bartizan.yaml",
                               k->role);
    if (role_admin(c->d->config, k->role) && !role_admin(c->d->config, u.role))
        return bz_admin_refuse(c, 403, "role_too_high", "the user '%s' is no administrator",
                               k->owner);
    return 0;
}

/* ---- changes to keys ---- */

static unsigned answer_key(struct bz_admin_call *c, unsigned status, const char *id,
                           const char *key, const char *role, uint64_t expires, bool recorded) {
    struct bz_jw w;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "id", bz_view_str(id));
    if (key != NULL)
        bz_jw_kstr(&w, "key", bz_view_str(key));
    if (role != NULL)
        bz_jw_kstr(&w, "role", bz_view_str(role));
    if (key != NULL)
        bz_jw_ku64(&w, "expires", expires);
    bz_jw_ku64(&w, "generation", c->d->generation);
    bz_jw_kbool(&w, "recorded", recorded);
    bz_jw_end(&w);
    return status;
}

static struct bz_view detail(char mem[DETAIL_MAX], const char *fmt, const char *a, const char *b,
                             const char *c) {
    /* fmt is one of ours with up to three %s */
    struct bz_buf out;
    bz_buf_init_fixed(&out, mem, DETAIL_MAX);
    const char *arg[] = {a, b, c};
    size_t k = 0;
    for (const char *p = fmt; *p != '\0'; p++) {
        if (*p == '%')
            bz_put_safe(&out, bz_view_str(arg[k++]));
        else
            bz_buf_putc(&out, (uint8_t)*p);
    }
    return bz_buf_view(&out);
}

static void key_id(const char *key, char id[BZ_KEY_ID_TEXT + 1]) {
    struct bz_view v;
    id[0] = '\0';
    if (bz_key_split(bz_view_str(key), &v) != BZ_OK || v.n != BZ_KEY_ID_TEXT)
        return;
    memcpy(id, v.p, v.n);
    id[v.n] = '\0';
}

static unsigned make_key(struct bz_admin_call *c, const struct bz_key_wish *want,
                         char key[BZ_KEY_TEXT + 1]) {
    char mem[DETAIL_MAX], id[BZ_KEY_ID_TEXT + 1];
    unsigned status = 0;
    bool recorded = false;
    bz_instance_new_key(key);
    key_id(key, id);
    if (!bz_admin_record(c, "key.create",
                         detail(mem, "key %, user %, role %", id, want->owner, want->role),
                         BZ_ADMIN_RECORD_FIRST, &recorded, &status))
        return status;
    enum bz_status st =
        bz_identity_key_add(c->d->book, c->d->keys.key_pepper, want, c->now, bz_view_str(key));
    if (st != BZ_OK) {
        (void)!bz_journal_admin(c->d, c->r->actor, "key.create",
                                detail(mem, "key %: failed, not made", id, "", ""), "refuse");
        return bz_admin_failed(c, st, "the key");
    }
    status = bz_admin_publish(c);
    return status != 0 ? status : answer_key(c, 201, id, key, want->role, want->expires, recorded);
}

unsigned bz_admin_key_create(struct bz_admin_call *c) {
    static const char *const known[] = {"user", "role", "routes", "models", "expires", "limits"};
    struct bz_key_wish want = {.owner = NULL};
    char key[BZ_KEY_TEXT + 1];
    unsigned status = bz_admin_only(c, known, sizeof known / sizeof known[0]);
    if (status == 0)
        status = take_who(c, &want);
    if (status != 0 ||
        !take_list(c, "routes", scope_known, &want.routes, &want.routes_n, &status) ||
        !take_list(c, "models", pattern_ok, &want.models, &want.models_n, &status) ||
        !take_expiry(c, &want.expires, &status) || !take_limits(c, &want.limits, &status))
        return status;
    status = make_key(c, &want, key);
    bz_wipe(key, sizeof key);
    return status;
}

unsigned bz_admin_key_revoke(struct bz_admin_call *c) {
    struct bz_key_record k;
    char mem[DETAIL_MAX];
    bool recorded = false;
    unsigned status = 0;
    enum bz_status st = bz_identity_key_find(c->d->book, c->id, &k);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the key");
    struct bz_view what = detail(mem, "key %, user %", k.id, k.owner, "");
    st = bz_identity_key_revoke(c->d->book, c->id);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the key");
    status = bz_admin_publish(c);
    unsigned ignored = 0;
    (void)bz_admin_record(c, "key.revoke", what, BZ_ADMIN_ACT_ANYWAY, &recorded, &ignored);
    return status != 0 ? status : answer_key(c, 200, c->id, NULL, NULL, 0, recorded);
}

static bool take_overlap(struct bz_admin_call *c, uint64_t *ret, unsigned *status) {
    const struct bz_json *m = bz_json_get(c->body, BZ_V("overlap"));
    int64_t v = 86400; /* a day to bring the new key to where the old one is used */
    if (m != NULL && (bz_json_i64(m, &v) != BZ_OK || v < 0 || v > OVERLAP_MAX_S)) {
        *status = bad(c, "overlap", "must be seconds, at most 90 days");
        return false;
    }
    *ret = c->now + (uint64_t)v;
    return true;
}

static unsigned rotate(struct bz_admin_call *c, const struct bz_key_record *k, uint64_t old_ends,
                       char key[BZ_KEY_TEXT + 1]) {
    char mem[DETAIL_MAX], id[BZ_KEY_ID_TEXT + 1];
    bool recorded = false;
    unsigned status = 0;
    bz_instance_new_key(key);
    key_id(key, id);
    if (!bz_admin_record(c, "key.rotate",
                         detail(mem, "key %, user %, new key %", k->id, k->owner, id),
                         BZ_ADMIN_RECORD_FIRST, &recorded, &status))
        return status;
    enum bz_status st = bz_identity_key_rotate(c->d->book, c->d->keys.key_pepper, c->id, old_ends,
                                               c->now, bz_view_str(key));
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the key");
    status = bz_admin_publish(c);
    if (status != 0)
        return status;
    struct bz_key_record made;
    st = bz_identity_key_find(c->d->book, id, &made);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the key");
    return answer_key(c, 201, id, key, made.role, made.expires, recorded);
}

unsigned bz_admin_key_rotate(struct bz_admin_call *c) {
    static const char *const known[] = {"overlap"};
    struct bz_key_record k;
    char key[BZ_KEY_TEXT + 1];
    uint64_t old_ends = 0;
    unsigned status = bz_admin_only(c, known, 1);
    if (status != 0 || !take_overlap(c, &old_ends, &status))
        return status;
    enum bz_status st = bz_identity_key_find(c->d->book, c->id, &k);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the key");
    if (k.revoked)
        return bz_admin_refuse(c, 409, "revoked", "the key was revoked; make a new one");
    status = rotate(c, &k, old_ends, key);
    bz_wipe(key, sizeof key);
    return status;
}

/* ---- users ---- */

static void put_user(struct bz_jw *w, const struct bz_user *u) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", bz_view_str(u->name));
    bz_jw_kstr(w, "role", bz_view_str(u->role));
    bz_jw_kbool(w, "disabled", u->disabled);
    bz_jw_ku64(w, "created", u->created);
    bz_jw_end(w);
}

unsigned bz_admin_users(struct bz_admin_call *c) {
    const struct bz_user *v = NULL;
    size_t n = 0;
    struct bz_jw w;
    enum bz_status st = bz_identity_users(c->d->book, &v, &n);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the users");
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "users");
    bz_jw_arr(&w);
    for (size_t i = 0; i < n; i++)
        put_user(&w, &v[i]);
    bz_jw_end(&w);
    bz_jw_end(&w);
    return 200;
}

static unsigned answer_user(struct bz_admin_call *c, unsigned status, const char *name,
                            bool recorded) {
    struct bz_jw w;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "name", bz_view_str(name));
    bz_jw_ku64(&w, "generation", c->d->generation);
    bz_jw_kbool(&w, "recorded", recorded);
    bz_jw_end(&w);
    return status;
}

unsigned bz_admin_user_add(struct bz_admin_call *c) {
    static const char *const known[] = {"name", "role"};
    char mem[DETAIL_MAX];
    struct bz_user u;
    bool ok = true, recorded = false;
    unsigned status = bz_admin_only(c, known, 2);
    if (status != 0)
        return status;
    const char *name = bz_admin_text(c, BZ_V("name"), &ok),
               *role = bz_admin_text(c, BZ_V("role"), &ok);
    if (!ok || name == NULL || !bz_user_name_valid(bz_view_str(name)))
        return bad(c, "name",
                   "is missing or no name: letters, digits, '.', '_', '@', '-', at most 64");
    role = role == NULL ? "user" : role;
    if (!role_known(c->d->config, role))
        return bz_admin_refuse(c, 400, "no_such_role", "there is no role '%s' in bartizan.yaml",
                               role);
    if (bz_identity_user_find(c->d->book, name, &u) == BZ_OK)
        return bz_admin_failed(c, BZ_EEXISTS, "the user");
    if (!bz_admin_record(c, "user.add", detail(mem, "user %, role %", name, role, ""),
                         BZ_ADMIN_RECORD_FIRST, &recorded, &status))
        return status;
    enum bz_status st = bz_identity_user_add(c->d->book, name, role, c->now);
    if (st != BZ_OK) {
        (void)!bz_journal_admin(c->d, c->r->actor, "user.add",
                                detail(mem, "user %: failed, not made", name, "", ""), "refuse");
        return bz_admin_failed(c, st, "the user");
    }
    return answer_user(c, 201, name, recorded);
}

static unsigned set_disabled(struct bz_admin_call *c, bool disabled) {
    char mem[DETAIL_MAX];
    struct bz_user u;
    bool recorded = false;
    unsigned status = 0, ignored = 0;
    struct bz_view what = detail(mem, "user %", c->id, "", "");
    enum bz_status st = bz_identity_user_find(c->d->book, c->id, &u);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the user");
    if (!disabled &&
        !bz_admin_record(c, "user.enable", what, BZ_ADMIN_RECORD_FIRST, &recorded, &status))
        return status;
    st = bz_identity_user_set_disabled(c->d->book, c->id, disabled);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the user");
    status = bz_admin_publish(c);
    if (disabled)
        (void)bz_admin_record(c, "user.disable", what, BZ_ADMIN_ACT_ANYWAY, &recorded, &ignored);
    return status != 0 ? status : answer_user(c, 200, c->id, recorded);
}

unsigned bz_admin_user_disable(struct bz_admin_call *c) {
    return set_disabled(c, true);
}

unsigned bz_admin_user_enable(struct bz_admin_call *c) {
    return set_disabled(c, false);
}
