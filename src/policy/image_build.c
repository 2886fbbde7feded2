/* Builds policy images: the sealed part in small buffers of its own, the key part in place. */
#include "data_int.h"
#include "image_format.h"

enum { part_max = 256 << 20 };

struct builder {
    const struct bz_image_input *in;
    struct bz_buf part[IMG_KEY_INDEX]; /* the sealed parts */
    const char *scopes[BZ_SCOPES_MAX];
    uint32_t scopes_n, patterns_n;
    uint64_t key_slots, keys_n, key_pool_n;
    uint32_t key_probes;
    struct img_data data;
    struct img_head head;
};

static const size_t item_size[IMG_PART_COUNT] = {
    [IMG_SCOPES] = sizeof(struct img_ref),
    [IMG_BACKENDS] = sizeof(struct img_backend),
    [IMG_MODELS] = sizeof(struct img_model),
    [IMG_MODEL_INDEX] = sizeof(uint32_t),
    [IMG_ROLES] = sizeof(struct img_role),
    [IMG_PATTERNS] = sizeof(struct img_ref),
    [IMG_NAMES] = sizeof(struct img_ref),
    [IMG_ORIGINS] = sizeof(struct img_ref),
    [IMG_POOL] = 1,
    [IMG_ACTIONS] = sizeof(struct bz_actions),
    [IMG_CELLS] = sizeof(uint32_t),
    [IMG_APPROVALS] = sizeof(struct img_approval),
    [IMG_TOOLS] = sizeof(struct img_tool),
    [IMG_PATCHES] = sizeof(struct img_patch),
    [IMG_BLOB... IMG_BLOB_LAST] = 1,
    [IMG_PACK] = 1,
    [IMG_KEY_INDEX] = sizeof(uint64_t),
    [IMG_KEYS] = sizeof(struct img_key),
    [IMG_KEY_POOL] = 1,
};

static void put_raw(struct bz_buf *out, const void *p, size_t n) {
    bz_buf_put(out, bz_view(p, n));
}

static struct img_ref put_text(struct builder *b, struct bz_view v) {
    struct bz_buf *pool = &b->part[IMG_POOL];
    struct img_ref ref = {(uint32_t)pool->n, (uint32_t)v.n}; /* part_max keeps both in range */
    bz_buf_put(pool, v);
    return ref;
}

static void put_ref(struct builder *b, enum img_part part, struct bz_view v) {
    struct img_ref ref = put_text(b, v);
    put_raw(&b->part[part], &ref, sizeof ref);
}

static void limits_in(const struct bz_limit_set *in, struct img_limits *ret) {
    *ret = (struct img_limits){.concurrent = in->concurrent, .body_max = in->body_max};
    for (int m = 0; m < BZ_METER_COUNT; m++) {
        ret->per_minute[m] = in->rate[m].per_minute;
        ret->burst[m] = in->rate[m].burst;
    }
}

/* ---- scopes: every scope that some route table names, a bit each ---- */

static int scope_bit(const struct builder *b, const char *name) {
    for (uint32_t i = 0; i < b->scopes_n; i++)
        if (strcmp(b->scopes[i], name) == 0)
            return (int)i;
    return -1;
}

static void build_scopes(struct builder *b) {
    b->scopes_n = (uint32_t)bz_scope_list(b->scopes);
    for (uint32_t i = 0; i < b->scopes_n; i++)
        put_ref(b, IMG_SCOPES, bz_view_str(b->scopes[i]));
}

/* A scope that no route has grants nothing, so that a key made for a later release fails closed
 * here. */
static uint64_t scope_mask(const struct builder *b, char *const *names, uint32_t n) {
    uint64_t mask = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(names[i], "*") == 0)
            return UINT64_MAX;
        int bit = scope_bit(b, names[i]);
        if (bit >= 0)
            mask |= UINT64_C(1) << bit;
    }
    return mask;
}

/* ---- backends ---- */

static bool header_value_ok(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= 0x20 || v.p[i] >= 0x7f)
            return false;
    return v.n > 0 && v.n <= 4096;
}

static void put_host_port(struct bz_buf *out, const struct bz_url *u, bool always_port) {
    bool v6 = memchr(u->host.p, ':', u->host.n) != NULL;
    bool local = bz_view_eq_nocase(u->host, BZ_V("localhost"));
    if (v6)
        bz_buf_putc(out, '[');
    bz_buf_put(out, always_port && local ? BZ_V("127.0.0.1") : u->host);
    if (v6)
        bz_buf_putc(out, ']');
    if (always_port || u->port != (u->tls ? 443 : 80)) {
        bz_buf_putc(out, ':');
        bz_buf_put_u64(out, u->port);
    }
}

/* What workers connect to. */
static enum bz_status put_address(struct builder *b, uint32_t i, const struct bz_url *u,
                                  struct img_ref *ret) {
    const char *given = b->in->backend_addresses == NULL ? NULL : b->in->backend_addresses[i];
    struct bz_view text = bz_view_str(given);
    if (given != NULL && text.n > 0 && !bz_address_valid(text))
        return BZ_EINVAL;
    if (given == NULL && !u->numeric)
        return BZ_EINVAL;
    if (given != NULL) {
        *ret = put_text(b, text);
        return BZ_OK;
    }
    char mem[128];
    struct bz_buf tmp;
    bz_buf_init_fixed(&tmp, mem, sizeof mem);
    if (u->unix_socket) {
        bz_buf_puts(&tmp, "unix:");
        bz_buf_put(&tmp, u->path);
    } else {
        put_host_port(&tmp, u, true);
    }
    BZ_TRY(bz_buf_status(&tmp));
    *ret = put_text(b, bz_buf_view(&tmp));
    return BZ_OK;
}

static enum bz_status put_authorization(struct builder *b, uint32_t i, struct img_ref *ret) {
    const char *secret = b->in->backend_credentials == NULL ? NULL : b->in->backend_credentials[i];
    *ret = put_text(b, (struct bz_view){0});
    if (secret == NULL)
        return BZ_OK;
    if (!header_value_ok(bz_view_str(secret)))
        return BZ_EINVAL;
    struct img_ref first = put_text(b, BZ_V("Bearer "));
    struct img_ref second = put_text(b, bz_view_str(secret));
    *ret = (struct img_ref){first.off, first.n + second.n};
    return BZ_OK;
}

static enum bz_status build_backend(struct builder *b, uint32_t i) {
    const struct bz_backend_config *c = &b->in->config->backends[i];
    struct bz_url u;
    BZ_TRY(bz_url_parse(bz_view_str(c->url), &u, NULL));
    for (uint32_t j = 0; j < i; j++)
        if (strcmp(b->in->config->backends[j].name, c->name) == 0)
            return BZ_EEXISTS;
    char mem[300];
    struct bz_buf host;
    bz_buf_init_fixed(&host, mem, sizeof mem);
    if (u.unix_socket)
        bz_buf_puts(&host, "localhost");
    else
        put_host_port(&host, &u, false);
    BZ_TRY(bz_buf_status(&host));
    struct img_backend out = {.type = (uint8_t)c->type, .tls = u.tls, .keep_alive = c->keep_alive};
    out.name = put_text(b, bz_view_str(c->name));
    out.host = put_text(b, bz_buf_view(&host));
    BZ_TRY(put_address(b, i, &u, &out.address));
    BZ_TRY(put_authorization(b, i, &out.authorization));
    put_raw(&b->part[IMG_BACKENDS], &out, sizeof out);
    return BZ_OK;
}

/* ---- models ---- */

static const struct bz_limit_set *model_limits(const struct bz_config *c, const char *name) {
    static const struct bz_limit_set none;
    for (uint32_t i = 0; i < c->models_n; i++)
        if (strcmp(c->models[i].name, name) == 0)
            return &c->models[i].limits;
    return &none;
}

static struct bz_view model_name_at(const struct builder *b, uint32_t i) {
    return bz_view_str(b->in->models[i].name);
}

static enum bz_status index_models(struct builder *b, uint32_t slots) {
    uint8_t *index = bz_buf_room(&b->part[IMG_MODEL_INDEX], slots * sizeof(uint32_t));
    if (index == NULL)
        return bz_buf_status(&b->part[IMG_MODEL_INDEX]);
    memset(index, 0, slots * sizeof(uint32_t));
    uint64_t seed = img_seed(b->in->limit_seed);
    for (uint32_t i = 0; i < b->in->models_n; i++) {
        uint64_t at = img_hash(seed, model_name_at(b, i)) & (slots - 1);
        uint32_t there = 0;
        while (memcpy(&there, index + at * sizeof there, sizeof there), there != 0) {
            if (bz_view_eq(model_name_at(b, there - 1), model_name_at(b, i)))
                return BZ_EEXISTS;
            at = (at + 1) & (slots - 1);
        }
        there = i + 1;
        memcpy(index + at * sizeof there, &there, sizeof there);
    }
    return BZ_OK;
}

static enum bz_status build_models(struct builder *b) {
    uint32_t slots = 2;
    for (uint32_t i = 0; i < b->in->models_n; i++) {
        const struct bz_image_model_input *m = &b->in->models[i];
        struct bz_view name = model_name_at(b, i), target = bz_view_str(m->target);
        if (name.n == 0 || name.n > BZ_MODEL_NAME_MAX || target.n > BZ_MODEL_NAME_MAX)
            return BZ_EINVAL;
        if (b->in->config->backends_n < 64 && m->backends >> b->in->config->backends_n != 0)
            return BZ_EINVAL;
        struct img_model out = {.backends = m->backends,
                                .group = b->data.models[i].group,
                                .clearance = b->data.models[i].clearance};
        out.name = put_text(b, name);
        out.target = put_text(b, target.n == 0 ? name : target);
        limits_in(model_limits(b->in->config, m->name), &out.limits);
        put_raw(&b->part[IMG_MODELS], &out, sizeof out);
        while (slots < 2 * (i + 1))
            slots *= 2;
    }
    return index_models(b, slots);
}

/* ---- roles ---- */

static struct img_params params_in(const struct bz_param_limits *p) {
    return (struct img_params){
        .max_tokens = p->max_tokens,
        .max_choices = p->max_choices,
        .max_logprobs = p->max_logprobs,
        .max_stop = p->max_stop,
        .max_grammar = p->max_grammar,
        .max_tools = p->max_tools,
        .max_messages = p->max_messages,
        .max_inputs = p->max_inputs,
        .max_media_bytes = p->max_media_bytes,
        .allow_token_prompts = p->allow_token_prompts,
        .allow_echo = p->allow_echo,
        .allow_grammar = p->allow_grammar,
        .allow_load_options = p->allow_load_options,
    };
}

static void build_role(struct builder *b, uint32_t i) {
    const struct bz_role_config *r = &b->in->config->roles[i];
    struct img_role out = {.admin = r->admin,
                           .pattern_first = b->patterns_n,
                           .pattern_n = r->models_n,
                           .params = params_in(&r->params),
                           .scopes = scope_mask(b, r->routes, r->routes_n),
                           .group = b->data.roles[i].group,
                           .clearance = b->data.roles[i].clearance};
    out.name = put_text(b, bz_view_str(r->name));
    limits_in(&r->limits, &out.limits);
    limits_in(&r->user_limits, &out.user_limits);
    for (uint32_t k = 0; k < r->models_n; k++)
        put_ref(b, IMG_PATTERNS, bz_view_str(r->models[k]));
    b->patterns_n += r->models_n;
    put_raw(&b->part[IMG_ROLES], &out, sizeof out);
}

/* ---- tools ---- */

static enum bz_status build_tools(struct builder *b) {
    const struct bz_config *c = b->in->config;
    if (c->tools_n > BZ_TOOLS_MAX)
        return BZ_ETOOBIG;
    for (uint32_t i = 0; i < c->tools_n; i++) {
        struct bz_view name = bz_view_str(c->tools[i].name);
        if (name.n == 0 || c->tools[i].clearance >= BZ_LEVEL_COUNT)
            return BZ_EINVAL;
        struct img_tool out = {.name = put_text(b, name), .clearance = c->tools[i].clearance};
        put_raw(&b->part[IMG_TOOLS], &out, sizeof out);
    }
    return BZ_OK;
}

/* ---- virtual patches ---- */

static enum bz_status build_patches(struct builder *b) {
    if (b->in->patches_n > BZ_ADVISORY_PATCHES_MAX)
        return BZ_ETOOBIG;
    for (size_t i = 0; i < b->in->patches_n; i++) {
        const struct bz_image_patch *p = &b->in->patches[i];
        struct img_patch out = {.min = p->min, .max = p->max, .backends = p->backends};
        out.flags = (p->deny ? IMG_PATCH_DENY : 0u) | (p->has_min ? IMG_PATCH_MIN : 0u) |
                    (p->has_max ? IMG_PATCH_MAX : 0u);
        if (p->id.n == 0 || (p->path.n == 0) == (p->param.n == 0))
            return BZ_EINVAL;
        out.id = put_text(b, p->id);
        out.method = put_text(b, p->method);
        out.path = put_text(b, p->path);
        out.param = put_text(b, p->param);
        put_raw(&b->part[IMG_PATCHES], &out, sizeof out);
    }
    return BZ_OK;
}

/* ---- the sealed part ---- */

static enum bz_status build_sealed(struct builder *b) {
    const struct bz_config *c = b->in->config;
    if (c->backends_n > BZ_BACKENDS_MAX || c->roles_n > BZ_ROLES_MAX || b->in->keys_n > BZ_KEYS_MAX)
        return BZ_ETOOBIG;
    if (b->in->models_n > BZ_MODELS_MAX || b->in->detect_pack.n > BZ_DETECT_PACK_MAX)
        return BZ_ETOOBIG;
    build_scopes(b);
    BZ_TRY(img_data_groups(b->in, &b->data));
    for (uint32_t i = 0; i < c->backends_n; i++)
        BZ_TRY(build_backend(b, i));
    BZ_TRY(build_models(b));
    for (uint32_t i = 0; i < c->roles_n; i++)
        build_role(b, i);
    BZ_TRY(build_tools(b));
    BZ_TRY(build_patches(b));
    for (uint32_t i = 0; i < c->names_n; i++)
        put_ref(b, IMG_NAMES, bz_view_str(c->names[i]));
    for (uint32_t i = 0; i < c->origins_n; i++)
        put_ref(b, IMG_ORIGINS, bz_view_str(c->origins[i]));
    if (b->in->detect_pack.n > 0)
        BZ_TRY(img_data_tables(b->in, &b->data, &b->part[IMG_ACTIONS], &b->part[IMG_CELLS]));
    BZ_TRY(img_data_approvals(b->in, &b->data, &b->part[IMG_APPROVALS]));
    for (int i = 0; i < IMG_KEY_INDEX; i++)
        BZ_TRY(bz_buf_status(&b->part[i]));
    return BZ_OK;
}

/* ---- keys ---- */

static uint32_t role_of(const struct builder *b, const char *name, uint32_t last) {
    const struct bz_config *c = b->in->config;
    if (last < c->roles_n && strcmp(c->roles[last].name, name) == 0)
        return last;
    for (uint32_t i = 0; i < c->roles_n; i++)
        if (strcmp(c->roles[i].name, name) == 0)
            return i;
    return img_dead_role;
}

/* `role`: that of the last key, which often is this one's too. */
static bool takes_part(const struct builder *b, const struct bz_key_record *k, uint32_t *role) {
    if (k->revoked)
        return false;
    *role = role_of(b, k->role, *role);
    return *role != img_dead_role;
}

static bool has_limits(const struct bz_limit_set *l) {
    uint64_t any = l->concurrent | l->body_max;
    for (int m = 0; m < BZ_METER_COUNT; m++)
        any |= l->rate[m].per_minute;
    return any != 0;
}

/* First pass over the keys: how many go in and how much text they bring. */
static enum bz_status measure_keys(struct builder *b) {
    uint32_t role = 0;
    for (size_t i = 0; i < b->in->keys_n; i++) {
        const struct bz_key_record *k = &b->in->keys[i];
        if (!takes_part(b, k, &role))
            continue;
        b->keys_n++;
        size_t owner_n = strlen(k->owner);
        if (owner_n > UINT16_MAX || k->models_n > UINT16_MAX)
            return BZ_ETOOBIG;
        b->key_pool_n += owner_n;
        for (uint32_t m = 0; m < k->models_n; m++) {
            size_t n = strlen(k->models[m]);
            if (n > BZ_MODEL_NAME_MAX)
                return BZ_ETOOBIG;
            b->key_pool_n += sizeof(uint16_t) + n;
        }
        if (has_limits(&k->limits))
            b->key_pool_n += sizeof(struct img_limits);
    }
    if (b->key_pool_n > UINT32_MAX)
        return BZ_ETOOBIG;
    for (b->key_slots = 2; b->key_slots < 2 * b->keys_n;)
        b->key_slots *= 2;
    return BZ_OK;
}

/* One key's variable part, appended to the key pool. */
static void put_key_extras(struct bz_buf *pool, const struct bz_key_record *k, struct img_key *e) {
    struct bz_view owner = bz_view_str(k->owner);
    e->owner_off = (uint32_t)pool->n;
    e->owner_n = (uint16_t)owner.n;
    bz_buf_put(pool, owner);
    e->models_off = (uint32_t)pool->n;
    e->models_n = (uint16_t)k->models_n;
    e->narrow_models = k->models != NULL;
    for (uint32_t m = 0; m < k->models_n; m++) {
        struct bz_view name = bz_view_str(k->models[m]);
        uint16_t n = (uint16_t)name.n;
        put_raw(pool, &n, sizeof n);
        bz_buf_put(pool, name);
    }
    e->limits_off = (uint32_t)pool->n;
    e->has_limits = has_limits(&k->limits);
    if (e->has_limits) {
        struct img_limits l;
        limits_in(&k->limits, &l);
        put_raw(pool, &l, sizeof l);
    }
}

static enum bz_status index_key(struct builder *b, uint8_t *index, const uint8_t *keys, uint32_t i,
                                const uint8_t id[BZ_KEY_ID_TEXT]) {
    uint64_t h = img_hash(0, bz_view(id, BZ_KEY_ID_TEXT)), mask = b->key_slots - 1, at = h & mask;
    uint64_t tag = h >> 32, there = 0;
    uint32_t probes = 1;
    while (memcpy(&there, index + at * sizeof there, sizeof there), there != 0) {
        uint64_t other = (there & UINT32_MAX) - 1;
        if (there >> 32 == tag &&
            memcmp(keys + other * sizeof(struct img_key) + offsetof(struct img_key, id), id,
                   BZ_KEY_ID_TEXT) == 0)
            return BZ_EEXISTS;
        at = (at + 1) & mask;
        if (++probes > img_probe_max)
            return BZ_ETOOBIG;
    }
    there = tag << 32 | (i + 1);
    memcpy(index + at * sizeof there, &there, sizeof there);
    if (probes > b->key_probes)
        b->key_probes = probes;
    return BZ_OK;
}

/* The index is much larger than the caches and its slots are random: ask for them early. */
static void prefetch_slot(const struct builder *b, const uint8_t *index,
                          const struct bz_key_record *k) {
    uint64_t h = img_hash(0, bz_view(k->id, BZ_KEY_ID_TEXT));
    __builtin_prefetch(index + (h & (b->key_slots - 1)) * sizeof(uint64_t), 1);
}

static enum bz_status build_keys(struct builder *b, uint8_t *index, uint8_t *keys,
                                 struct bz_buf *pool) {
    enum { ahead = 16 };
    uint32_t role = 0, n = 0;
    memset(index, 0, b->key_slots * sizeof(uint64_t));
    for (size_t i = 0; i < b->in->keys_n; i++) {
        const struct bz_key_record *k = &b->in->keys[i];
        if (!takes_part(b, k, &role))
            continue;
        if (strlen(k->id) != BZ_KEY_ID_TEXT)
            return BZ_EINVAL;
        if (b->in->keys_n - i > ahead)
            prefetch_slot(b, index, &b->in->keys[i + ahead]);
        struct img_key e = {.expires = k->expires, .role = (uint16_t)role};
        e.scopes = k->routes == NULL ? UINT64_MAX : scope_mask(b, k->routes, k->routes_n);
        memcpy(e.hash, k->hash, sizeof e.hash);
        memcpy(e.id, k->id, sizeof e.id);
        put_key_extras(pool, k, &e);
        BZ_TRY(index_key(b, index, keys, n, e.id));
        memcpy(keys + (size_t)n * sizeof e, &e, sizeof e);
        n++;
    }
    return bz_buf_status(pool);
}

/* ---- head and assembly ---- */

static uint64_t round_up(uint64_t n, uint64_t to) {
    return (n + to - 1) & ~(to - 1);
}

static bool is_blob(int part) {
    return part >= IMG_BLOB && part <= IMG_BLOB_LAST;
}

/* Where every part goes; sizes are far from overflow by the caps in limits.h. */
static void lay_out(struct builder *b) {
    uint64_t at = sizeof(struct img_head);
    for (int i = 0; i < IMG_PART_COUNT; i++) {
        struct img_sect *s = &b->head.part[i];
        if (i == IMG_ACTIONS || i == IMG_PACK || is_blob(i))
            at = round_up(at, img_lent_align);
        if (i == IMG_PACK)
            s->n = b->in->detect_pack.n;
        else if (is_blob(i))
            s->n = b->in->blob[i - IMG_BLOB].n;
        else if (i == IMG_KEY_INDEX)
            s->n = b->key_slots;
        else if (i == IMG_KEYS)
            s->n = b->keys_n;
        else if (i == IMG_KEY_POOL)
            s->n = b->key_pool_n;
        else
            s->n = b->part[i].n / item_size[i];
        s->off = at;
        at = round_up(at + s->n * item_size[i], 8);
        if (i == IMG_KEY_INDEX - 1)
            b->head.sealed_end = at;
    }
    b->head.total = at;
}

static void fill_head(struct builder *b) {
    const struct bz_image_input *in = b->in;
    struct img_head *h = &b->head;
    memcpy(h->magic, IMG_MAGIC, sizeof h->magic);
    h->version = img_version;
    h->mark = img_mark;
    h->generation = in->generation;
    h->built_unix = in->built_unix;
    memcpy(h->key_pepper, in->key_pepper, sizeof h->key_pepper);
    memcpy(h->digest_key, in->digest_key, sizeof h->digest_key);
    memcpy(h->limit_seed, in->limit_seed, sizeof h->limit_seed);
    h->body_max = in->config->body_max;
    h->audit_wait_ms = in->config->audit_wait_ms;
    h->flags = (in->config->hsts ? IMG_HSTS : 0u) |
               (in->config->audit == BZ_AUDIT_RELAXED ? IMG_RELAXED : 0u) |
               (in->config->data.unknown_as_text ? IMG_UNKNOWN_AS_TEXT : 0u);
    if (in->body_public != NULL) {
        h->flags |= (in->config->data.store_requests ? IMG_STORE_REQUESTS : 0u) |
                    (in->config->data.store_replies ? IMG_STORE_REPLIES : 0u);
        memcpy(h->body_public, in->body_public, sizeof h->body_public);
    }
    h->key_probes = b->key_probes;
    memcpy(h->vault_key, in->vault_key, sizeof h->vault_key);
    h->restore_s = in->config->data.restore_s != 0 ? in->config->data.restore_s : data_restore_s;
    h->hold_ms = in->config->data.hold_ms != 0 ? in->config->data.hold_ms : data_hold_ms;
    h->role_groups = in->detect_pack.n == 0 ? 0 : b->data.role_groups;
    h->model_groups = in->detect_pack.n == 0 ? 0 : b->data.model_groups;
}

static enum bz_status assemble(struct builder *b, struct bz_buf *out) {
    lay_out(b);
    uint8_t *p = bz_buf_room(out, b->head.total);
    if (p == NULL)
        return bz_buf_status(out);
    const struct img_sect *part = b->head.part;
    memset(p, 0, b->head.sealed_end);
    for (int i = 0; i < IMG_KEY_INDEX; i++)
        if (b->part[i].n > 0)
            memcpy(p + part[i].off, b->part[i].p, b->part[i].n);
    if (b->in->detect_pack.n > 0)
        memcpy(p + part[IMG_PACK].off, b->in->detect_pack.p, b->in->detect_pack.n);
    for (int i = 0; i < BZ_BLOB_COUNT; i++)
        if (b->in->blob[i].n > 0)
            memcpy(p + part[IMG_BLOB + i].off, b->in->blob[i].p, b->in->blob[i].n);
    struct bz_buf pool;
    bz_buf_init_fixed(&pool, p + part[IMG_KEY_POOL].off, b->key_pool_n);
    BZ_TRY(build_keys(b, p + part[IMG_KEY_INDEX].off, p + part[IMG_KEYS].off, &pool));
    memset(p + part[IMG_KEY_POOL].off + b->key_pool_n, 0,
           b->head.total - part[IMG_KEY_POOL].off - b->key_pool_n);
    fill_head(b);
    memcpy(p, &b->head, sizeof b->head);
    img_seal(bz_view(p + img_seal_from, b->head.sealed_end - img_seal_from), b->head.seal);
    memcpy(p + offsetof(struct img_head, seal), b->head.seal, sizeof b->head.seal);
    return BZ_OK;
}

enum bz_status bz_image_build(const struct bz_image_input *in, struct bz_buf *out) {
    struct builder b = {.in = in};
    if (out->n != 0)
        return BZ_EINVAL;
    for (int i = 0; i < BZ_BLOB_COUNT; i++)
        if (in->blob[i].n > BZ_BLOB_MAX)
            return BZ_ETOOBIG;
    bz_arena_init(&b.data.ar, bz_alloc_heap, part_max, NULL, 0);
    for (int i = 0; i < IMG_KEY_INDEX; i++)
        bz_buf_init(&b.part[i], part_max);
    enum bz_status st = build_sealed(&b);
    if (st == BZ_OK)
        st = measure_keys(&b);
    if (st == BZ_OK)
        st = assemble(&b, out);
    for (int i = 0; i < IMG_KEY_INDEX; i++)
        bz_buf_wipe_free(&b.part[i]);
    img_data_done(&b.data);
    bz_wipe(&b.head, sizeof b.head);
    if (st != BZ_OK)
        bz_buf_reset(out); /* half an image is none */
    return st;
}
