/* What a principal may do: role first, then the key's own narrowing. Everything starts as
 * refused. */
#include "image_format.h"

static enum bz_status deny(struct bz_denial *ret, const char *code, const char *why) {
    *ret = (struct bz_denial){code, why};
    return BZ_EDENIED;
}

/* The key and role that a principal stands for. A principal of another image is not one of ours. */
static bool entries_of(const struct bz_image *img, const struct bz_principal *p,
                       struct img_key *ret_key, struct img_role *ret_role) {
    return img_key_at(img, p->entry, ret_key) && ret_key->role == p->role_index &&
           bz_view_eq(bz_view(ret_key->id, sizeof ret_key->id), p->key_id) &&
           img_item(img, IMG_ROLES, ret_key->role, sizeof *ret_role, ret_role);
}

static uint64_t scope_bit(const struct bz_image *img, const char *scope) {
    struct bz_view name = bz_view_str(scope);
    struct img_ref ref;
    for (uint64_t i = 0; name.n > 0 && img_item(img, IMG_SCOPES, i, sizeof ref, &ref); i++)
        if (bz_view_eq(img_text(img, IMG_POOL, ref), name))
            return UINT64_C(1) << i;
    return 0;
}

enum bz_status bz_authorise_route(const struct bz_image *img, const struct bz_principal *p,
                                  const struct bz_route *r, struct bz_denial *ret) {
    struct img_key key;
    struct img_role role;
    if (r->access == BZ_ACCESS_PUBLIC)
        return BZ_OK;
    if (r->access != BZ_ACCESS_USER && r->access != BZ_ACCESS_ADMIN)
        return deny(ret, "route_blocked", "This route is closed for everybody.");
    if (!entries_of(img, p, &key, &role))
        return deny(ret, "key_changed", "The key changed while the request was on its way.");
    if (r->access == BZ_ACCESS_ADMIN && role.admin == 0)
        return deny(ret, "admin_only", "This route is for administrators only.");
    uint64_t bit = scope_bit(img, r->scope);
    if ((role.scopes & bit) == 0)
        return deny(ret, "route_not_allowed", "The role of this key may not use this route.");
    if ((key.scopes & bit) == 0)
        return deny(ret, "route_not_allowed", "This key may not use this route.");
    return BZ_OK;
}

/* "*", "prefix*" or a whole name. */
bool img_pattern_match(struct bz_view pattern, struct bz_view name) {
    if (pattern.n > 0 && pattern.p[pattern.n - 1] == '*')
        return bz_view_starts(name, bz_view_sub(pattern, 0, pattern.n - 1));
    return bz_view_eq(pattern, name);
}

static bool role_has_model(const struct bz_image *img, const struct img_role *r,
                           struct bz_view model) {
    struct img_ref ref;
    for (uint32_t i = 0; i < r->pattern_n; i++)
        if (img_item(img, IMG_PATTERNS, (uint64_t)r->pattern_first + i, sizeof ref, &ref) &&
            img_pattern_match(img_text(img, IMG_POOL, ref), model))
            return true;
    return false;
}

/* Length-prefixed names in the key pool; not sealed, so every step is checked again. */
static bool key_has_model(const struct bz_image *img, const struct img_key *k,
                          struct bz_view model) {
    uint64_t at = k->models_off;
    if (k->narrow_models == 0)
        return true;
    for (uint32_t i = 0; i < k->models_n && at <= UINT32_MAX; i++) {
        struct img_ref ref = {(uint32_t)at, sizeof(uint16_t)};
        struct bz_view len = img_text(img, IMG_KEY_POOL, ref);
        uint16_t n = 0;
        if (len.n != sizeof n)
            return false;
        memcpy(&n, len.p, sizeof n);
        ref = (struct img_ref){(uint32_t)at + (uint32_t)sizeof n, n};
        if (at + sizeof n > UINT32_MAX)
            return false;
        struct bz_view pattern = img_text(img, IMG_KEY_POOL, ref);
        if (pattern.n == n && n > 0 && img_pattern_match(pattern, model))
            return true;
        at += sizeof n + n;
    }
    return false;
}

enum bz_status bz_authorise_model(const struct bz_image *img, const struct bz_principal *p,
                                  struct bz_view model, struct bz_denial *ret) {
    struct img_key key;
    struct img_role role;
    if (!entries_of(img, p, &key, &role))
        return deny(ret, "key_changed", "The key changed while the request was on its way.");
    if (!role_has_model(img, &role, model))
        return deny(ret, "model_not_allowed", "The role of this key may not use this model.");
    if (!key_has_model(img, &key, model))
        return deny(ret, "model_not_allowed", "This key may not use this model.");
    return BZ_OK;
}

void bz_image_params(const struct bz_image *img, const struct bz_principal *p,
                     struct bz_param_limits *ret) {
    struct img_role r = {0};
    if (!img_item(img, IMG_ROLES, p->role_index, sizeof r, &r))
        r = (struct img_role){0}; /* all zero: nothing is allowed */
    *ret = (struct bz_param_limits){
        .max_tokens = r.params.max_tokens,
        .max_choices = r.params.max_choices,
        .max_logprobs = r.params.max_logprobs,
        .max_stop = r.params.max_stop,
        .max_grammar = r.params.max_grammar,
        .max_tools = r.params.max_tools,
        .max_messages = r.params.max_messages,
        .max_inputs = r.params.max_inputs,
        .max_media_bytes = r.params.max_media_bytes,
        .allow_token_prompts = r.params.allow_token_prompts != 0,
        .allow_echo = r.params.allow_echo != 0,
        .allow_grammar = r.params.allow_grammar != 0,
        .allow_load_options = r.params.allow_load_options != 0,
    };
}

static void overlay(const struct bz_limit_set *own, struct bz_limit_set *ret) {
    for (int m = 0; m < BZ_METER_COUNT; m++)
        if (own->rate[m].per_minute != 0)
            ret->rate[m] = own->rate[m];
    if (own->concurrent != 0)
        ret->concurrent = own->concurrent;
    if (own->body_max != 0)
        ret->body_max = own->body_max;
}

/* A principal that does not belong here gets one request a minute: limits have no "nothing"
 * value. */
static const struct bz_limit_set tightest = {
    .rate = {{1, 1}, {1, 1}, {1, 1}},
    .concurrent = 1,
    .body_max = 1,
};

void bz_image_limits(const struct bz_image *img, const struct bz_principal *p,
                     struct bz_limit_set *ret_key, struct bz_limit_set *ret_user) {
    struct img_key key;
    struct img_role role;
    *ret_key = *ret_user = tightest;
    if (!entries_of(img, p, &key, &role))
        return;
    img_limits_out(&role.limits, ret_key);
    img_limits_out(&role.user_limits, ret_user);
    if (key.has_limits == 0)
        return;
    struct img_limits own;
    struct img_ref ref = {key.limits_off, sizeof own};
    struct bz_view v = img_text(img, IMG_KEY_POOL, ref);
    if (v.n != sizeof own)
        return;
    memcpy(&own, v.p, sizeof own);
    struct bz_limit_set set;
    img_limits_out(&own, &set);
    overlay(&set, ret_key);
}
