/* bartizan.yaml to struct bz_config: shape and positions (config_shape.c), typed loading
 * (libcyaml), meaning (config_check.c), defaults (here). */
#include <stdio.h>
#include "config_int.h"

enum { arena_max = 64 << 20 };

struct owned { /* what bz_config_free gets back from the pointer to `c` */
    struct bz_config c;
    struct bz_arena ar;
};

/* ---- defaults ---- */

char *cfg_dup(struct bz_arena *ar, const char *s) {
    return s == NULL ? NULL : (char *)(uintptr_t)bz_arena_dup(ar, bz_view_str(s)).p;
}

char **cfg_dup_list(struct bz_arena *ar, char *const *list, uint32_t n) {
    char **out =
        bz_arena_zalloc(ar, (n + 1u) * sizeof *out); /* never NULL: NULL means "not said" */
    for (uint32_t i = 0; out != NULL && i < n; i++)
        if ((out[i] = cfg_dup(ar, list[i])) == NULL)
            return NULL;
    return out;
}

static uint32_t or_default(const uint64_t *v, uint32_t otherwise) {
    return v == NULL ? otherwise : (uint32_t)*v;
}

static bool or_bool(const bool *v, bool otherwise) {
    return v == NULL ? otherwise : *v;
}

static const char *or_text(const char *v, const char *otherwise) {
    return v == NULL ? otherwise : v;
}

/* Requests: ten seconds' worth at once. Tokens: a minute's worth, since one prompt may be most of
 * it. */
static struct bz_rate rate_of(const uint64_t *per_minute, const uint64_t *burst, uint64_t part) {
    struct bz_rate r = {per_minute == NULL ? 0 : *per_minute, 0};
    if (r.per_minute != 0)
        r.burst = burst != NULL ? *burst : (r.per_minute + part - 1) / part;
    return r;
}

static struct bz_limit_set limits_of(const struct y_limits *l) {
    struct bz_limit_set out = {0};
    if (l == NULL)
        return out;
    out.rate[BZ_METER_REQUESTS] = rate_of(l->requests_per_minute, l->requests_burst, 6);
    out.rate[BZ_METER_PROMPT_TOKENS] =
        rate_of(l->prompt_tokens_per_minute, l->prompt_tokens_burst, 1);
    out.rate[BZ_METER_COMPLETION_TOKENS] =
        rate_of(l->completion_tokens_per_minute, l->completion_tokens_burst, 1);
    out.concurrent = or_default(l->concurrent, 0);
    out.body_max = or_default(l->body_max, 0);
    return out;
}

/* What can hold up the server for everybody is the operator's by default: an admin role has it. */
static struct bz_param_limits params_of(const struct y_params *p, bool admin) {
    struct bz_param_limits d = bz_param_limits_default;
    d.allow_grammar = d.allow_load_options = admin;
    if (p == NULL)
        return d;
    return (struct bz_param_limits){
        .max_tokens = or_default(p->max_tokens, d.max_tokens),
        .max_choices = or_default(p->max_choices, d.max_choices),
        .max_logprobs = or_default(p->max_logprobs, d.max_logprobs),
        .max_stop = or_default(p->max_stop, d.max_stop),
        .max_grammar = or_default(p->max_grammar, d.max_grammar),
        .max_tools = or_default(p->max_tools, d.max_tools),
        .max_messages = or_default(p->max_messages, d.max_messages),
        .max_inputs = or_default(p->max_inputs, d.max_inputs),
        .max_media_bytes = or_default(p->max_media_bytes, d.max_media_bytes),
        .allow_token_prompts = or_bool(p->allow_token_prompts, d.allow_token_prompts),
        .allow_echo = or_bool(p->allow_echo, d.allow_echo),
        .allow_grammar = or_bool(p->allow_grammar, d.allow_grammar),
        .allow_load_options = or_bool(p->allow_load_options, d.allow_load_options),
    };
}

/* ---- conversion; false: out of memory ---- */

/* Host values that are served when the file names none: this machine, and the address it listens
 * on. */
static bool default_names(struct bz_config *c, struct bz_arena *ar) {
    char host[64] = "";
    const char *end = strrchr(c->listen, ':');
    size_t v6 = c->listen[0] == '[';
    size_t n = (size_t)(end - c->listen) - 2 * v6;
    if (n < sizeof host)
        memcpy(host, c->listen + v6, n);
    char *list[3] = {cfg_dup(ar, "localhost"), cfg_dup(ar, "127.0.0.1"), host};
    bool extra = host[0] != '\0' && strcmp(host, "127.0.0.1") != 0 &&
                 strcmp(host, "0.0.0.0") != 0 && strcmp(host, "::") != 0;
    c->names_n = extra ? 3 : 2;
    c->names = cfg_dup_list(ar, list, c->names_n);
    return c->names != NULL;
}

static bool convert_globals(struct bz_config *c, struct bz_arena *ar, const struct y_config *y) {
    static const struct y_tls no_tls;
    static const struct y_audit no_audit;
    static const struct y_timeouts no_timeouts;
    const struct y_tls *tls = y->tls == NULL ? &no_tls : y->tls;
    const struct y_audit *audit = y->audit == NULL ? &no_audit : y->audit;
    const struct y_timeouts *t = y->timeouts == NULL ? &no_timeouts : y->timeouts;
    c->listen = cfg_dup(ar, y->listen);
    c->plain_http = or_bool(y->plain_http, false);
    c->tls_certificate = cfg_dup(ar, or_text(tls->certificate, "tls/server.pem"));
    c->tls_key = cfg_dup(ar, or_text(tls->key, "tls/server.key"));
    c->tls12 = strcmp(or_text(tls->min_version, "1.3"), "1.2") == 0;
    c->hsts = or_bool(tls->hsts, true);
    c->workers = or_default(y->workers, 0);
    c->audit =
        strcmp(or_text(audit->mode, "strict"), "relaxed") == 0 ? BZ_AUDIT_RELAXED : BZ_AUDIT_STRICT;
    c->audit_wait_ms = or_default(audit->wait_ms, 2000);
    c->body_max = or_default(y->body_max, BZ_BODY_MAX_DEFAULT);
    c->connect_timeout_s = or_default(t->connect_s, 5);
    c->read_timeout_s = or_default(t->read_s, 300);
    c->client_timeout_s = or_default(t->client_s, 30);
    c->reply_timeout_s = or_default(t->reply_s, 600);
    c->stream_timeout_s = or_default(t->stream_s, 3600);
    c->origins_n = y->origins_count;
    c->origins = cfg_dup_list(ar, y->origins, y->origins_count);
    c->names_n = y->names_count;
    if (c->listen == NULL || c->tls_certificate == NULL || c->tls_key == NULL || c->origins == NULL)
        return false;
    if (y->names == NULL)
        return default_names(c, ar);
    c->names = cfg_dup_list(ar, y->names, y->names_count);
    for (uint32_t i = 0; c->names != NULL && i < c->names_n; i++) {
        char *name = c->names[i];
        if (name[0] == '[') { /* hosts are compared without brackets */
            name[strlen(name) - 1] = '\0';
            c->names[i]++;
        }
    }
    return c->names != NULL;
}

/* Checked before, so the name is one. */
static uint8_t clearance_of(const char *name) {
    enum bz_level l;
    return name != NULL && bz_level_from_name(bz_view_str(name), &l) ? (uint8_t)(1 + l) : 0;
}

static bool convert_backends(struct bz_config *c, struct bz_arena *ar, const struct y_config *y) {
    c->backends_n = y->backends_count;
    c->backends = bz_arena_zalloc(ar, (c->backends_n + 1u) * sizeof *c->backends);
    for (uint32_t i = 0; c->backends != NULL && i < c->backends_n; i++) {
        const struct y_backend *in = &y->backends[i];
        struct bz_backend_config *out = &c->backends[i];
        if (!bz_server_from_name(bz_view_str(in->type), &out->type))
            return false;
        out->name = cfg_dup(ar, in->name);
        if (in->run == NULL)
            out->url = cfg_dup(ar, in->url);
        else if (!cfg_convert_run(out, ar, in))
            return false;
        out->key_file = cfg_dup(ar, in->key_file);
        out->keep_alive = or_bool(in->keep_alive, true);
        out->models_n = in->models_count;
        if (in->models_count > 0 &&
            (out->models = cfg_dup_list(ar, in->models, out->models_n)) == NULL)
            return false;
        if (out->name == NULL || out->url == NULL ||
            (in->key_file != NULL && out->key_file == NULL))
            return false;
    }
    return c->backends != NULL;
}

static bool convert_models(struct bz_config *c, struct bz_arena *ar, const struct y_config *y) {
    c->models_n = y->models_count;
    c->models = bz_arena_zalloc(ar, (c->models_n + 1u) * sizeof *c->models);
    for (uint32_t i = 0; c->models != NULL && i < c->models_n; i++) {
        c->models[i].name = cfg_dup(ar, y->models[i].name);
        c->models[i].target = cfg_dup(ar, y->models[i].target);
        c->models[i].limits = limits_of(y->models[i].limits);
        c->models[i].clearance = clearance_of(y->models[i].clearance);
        if (c->models[i].name == NULL ||
            (y->models[i].target != NULL && c->models[i].target == NULL))
            return false;
    }
    return c->models != NULL;
}

static bool convert_role(struct bz_role_config *out, struct bz_arena *ar, const struct y_role *in) {
    char star_text[] = "*", *star[] = {star_text};
    out->name = cfg_dup(ar, in->name);
    out->admin = or_bool(in->admin, strcmp(in->name, "admin") == 0);
    out->routes_n = in->routes == NULL ? 1 : in->routes_count;
    out->routes = cfg_dup_list(ar, in->routes == NULL ? star : in->routes, out->routes_n);
    out->models_n = in->models == NULL ? 1 : in->models_count;
    out->models = cfg_dup_list(ar, in->models == NULL ? star : in->models, out->models_n);
    out->params = params_of(in->params, out->admin);
    out->limits = limits_of(in->limits);
    out->user_limits = limits_of(in->user_limits);
    out->clearance = clearance_of(in->clearance);
    return out->name != NULL && out->routes != NULL && out->models != NULL;
}

static bool convert_roles(struct bz_config *c, struct bz_arena *ar, const struct y_config *y) {
    char user[] = "user", admin[] = "admin";
    const struct y_role builtin[] = {{.name = user}, {.name = admin}};
    c->roles = bz_arena_zalloc(ar, (y->roles_count + 2u) * sizeof *c->roles);
    for (uint32_t i = 0; c->roles != NULL && i < y->roles_count; i++)
        if (!convert_role(&c->roles[c->roles_n++], ar, &y->roles[i]))
            return false;
    for (uint32_t b = 0; c->roles != NULL && b < 2; b++) {
        bool there = false;
        for (uint32_t i = 0; i < y->roles_count; i++)
            there |= strcmp(y->roles[i].name, builtin[b].name) == 0;
        if (!there && !convert_role(&c->roles[c->roles_n++], ar, &builtin[b]))
            return false;
    }
    return c->roles != NULL;
}

static bool convert_registry(struct bz_config *c, struct bz_arena *ar, const struct y_config *y) {
    static const struct y_registry none;
    const struct y_registry *r = y->registry == NULL ? &none : y->registry;
    const char *mode = or_text(r->mode, "off");
    c->registry.mode = strcmp(mode, "enforce") == 0 ? BZ_REGISTRY_ENFORCE
                       : strcmp(mode, "watch") == 0 ? BZ_REGISTRY_WATCH
                                                    : BZ_REGISTRY_OFF;
    c->registry.two_persons = or_bool(r->two_persons, false);
    c->registry.check_s = or_default(r->check_s, 5);
    c->registry.licences_n = r->licences_count;
    c->registry.licences = cfg_dup_list(ar, r->licences, r->licences_count);
    c->registry.require_n = r->require_count;
    c->registry.require = cfg_dup_list(ar, r->require, r->require_count);
    return c->registry.licences != NULL && c->registry.require != NULL;
}

enum bz_status bz_config_place(struct bz_config *c, const char *dir) {
    struct owned *o = (struct owned *)(void *)c; /* its first member */
    struct bz_url u;
    for (uint32_t i = 0; i < c->backends_n; i++) {
        struct bz_backend_config *b = &c->backends[i];
        char text[256];
        if (b->run == NULL)
            continue;
        int n = snprintf(text, sizeof text, "unix:%s/run/cage/%s/llm.sock", dir, b->name);
        if (n < 0 || (size_t)n >= sizeof text || bz_url_parse(bz_view_str(text), &u, NULL) != BZ_OK)
            return BZ_ETOOBIG;
        if ((b->url = cfg_dup(&o->ar, text)) == NULL)
            return BZ_ENOMEM;
    }
    return BZ_OK;
}

static enum bz_status convert(const struct cfg *c, const struct y_config *y,
                              struct bz_config **ret) {
    struct owned *o = bz_alloc_heap.alloc(bz_alloc_heap.ctx, sizeof *o);
    if (o == NULL)
        return BZ_ENOMEM;
    memset(o, 0, sizeof *o);
    bz_arena_init(&o->ar, bz_alloc_heap, arena_max, NULL, 0);
    o->c.stage = cfg_stage(y->stage);
    cfg_convert_posture(&o->c, y);
    if (!convert_globals(&o->c, &o->ar, y) || !convert_backends(&o->c, &o->ar, y) ||
        !convert_models(&o->c, &o->ar, y) || !convert_roles(&o->c, &o->ar, y) ||
        !cfg_convert_tools(&o->c, &o->ar, y) || !convert_registry(&o->c, &o->ar, y) ||
        !cfg_convert_data(c, &o->c, &o->ar, y) || !cfg_convert_advisories(&o->c, &o->ar, y) ||
        !cfg_convert_mcp(&o->c, &o->ar, y) || !cfg_convert_injection(&o->c, &o->ar, y) ||
        !cfg_convert_prompts(c, &o->c, &o->ar, y) || !cfg_convert_leaks(&o->c, &o->ar, y)) {
        bz_config_free(&o->c);
        return BZ_ENOMEM;
    }
    *ret = &o->c;
    return BZ_OK;
}

void bz_config_free(struct bz_config *c) {
    if (c == NULL)
        return;
    struct owned *o = (struct owned *)(void *)c; /* its first member */
    bz_arena_free(&o->ar);
    bz_alloc_heap.free(bz_alloc_heap.ctx, o);
}

/* ---- libcyaml ---- */

struct cyaml_says { /* its first message, and the innermost line of its backtrace */
    char text[160];
    yaml_mark_t at;
    bool placed;
};

/* The digits that begin text, less one: libcyaml counts lines and columns from 1. */
static size_t counted_from_1(const char *text) {
    uint64_t n = 0;
    if (bz_view_u64(bz_view(text, strspn(text, "0123456789")), &n) != BZ_OK || n == 0)
        return 0;
    return (size_t)n - 1;
}

__attribute__((format(printf, 3, 0))) static void on_log(cyaml_log_t level, void *ctx,
                                                         const char *fmt, va_list args) {
    struct cyaml_says *says = ctx;
    char line[256];
    if (level < CYAML_LOG_ERROR)
        return;
    int n = vsnprintf(line, sizeof line, fmt, args);
    const char *place = strstr(line, "(line: ");
    if (n <= 0)
        return;
    if (place != NULL && !says->placed) {
        const char *column = strstr(place, "column: ");
        says->at.line = counted_from_1(place + 7);
        says->at.column = column == NULL ? 0 : counted_from_1(column + 8);
        says->placed = true;
    } else if (says->text[0] == '\0') {
        line[strcspn(line, "\n")] = '\0';
        size_t len = strlen(line);
        memcpy(says->text, line, len < sizeof says->text ? len : sizeof says->text - 1);
    }
}

/* After cfg_check_shape this hardly fails; whatever it still finds is reported in its own words. */
static enum bz_status load_typed(struct cfg *c, struct bz_view yaml, const cyaml_config_t *conf,
                                 struct cyaml_says *says, struct y_config **ret) {
    cyaml_err_t err =
        cyaml_load_data(yaml.p, yaml.n, conf, &config_schema, (cyaml_data_t **)ret, NULL);
    if (err == CYAML_OK && *ret != NULL)
        return BZ_OK;
    if (err == CYAML_ERR_OOM)
        return BZ_ENOMEM;
    cfg_fail_at(c, says->at, "", "%s", bz_view_str(says->text));
    return BZ_ESYNTAX;
}

static enum bz_status parse_document(struct cfg *c, struct bz_view yaml, struct bz_config **ret) {
    struct cyaml_says says = {0};
    cyaml_config_t conf = {.log_fn = on_log,
                           .log_ctx = &says,
                           .mem_fn = cyaml_mem,
                           .log_level = CYAML_LOG_ERROR,
                           .flags = CYAML_CFG_NO_ALIAS};
    struct y_config *y = NULL;
    cfg_check_shape(c, &config_schema);
    if (c->n > 0)
        return BZ_ESYNTAX;
    BZ_TRY(load_typed(c, yaml, &conf, &says, &y));
    cfg_check_meaning(c, y);
    enum bz_status st = c->n > 0 ? BZ_ESYNTAX : convert(c, y, ret);
    (void)cyaml_free(&conf, &config_schema, y, 0);
    return st;
}

enum bz_status bz_config_parse(struct bz_view yaml, struct bz_config **ret,
                               struct bz_config_error *errs, size_t cap, size_t *ret_n) {
    yaml_document_t doc;
    struct bz_config_error own;
    struct cfg c = {.doc = &doc, .errs = cap == 0 ? &own : errs, .cap = cap == 0 ? 1 : cap};
    *ret_n = 0;
    enum bz_status st = cfg_load_document(&c, yaml, &doc);
    if (st == BZ_OK) {
        st = parse_document(&c, yaml, ret);
        yaml_document_delete(&doc);
    }
    *ret_n = cap == 0 ? 0 : c.n;
    return st;
}
