/* What the schema cannot say: ranges, names, references, addresses, and what would be unsafe
 * together. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include "config_int.h"

enum {
    name_max = 64,
    file_name_max = 1024,
    workers_max = BZ_LANES_MAX / 2 - 1, /* twice during a reload, and bartizand has a lane too */
};
static const uint64_t rate_max = 1000000000; /* units a minute: counted in whole nanoseconds */

/* ---- building blocks ---- */

static void path_of(char out[128], const char *list, size_t i, const char *member) {
    int n = snprintf(out, 128, "%s[%zu].%s", list, i, member);
    if (n < 0)
        out[0] = '\0';
}

void cfg_check_range(struct cfg *c, const char *path, const uint64_t *v, uint64_t least,
                     uint64_t most) {
    char text[128];
    if (v == NULL || (*v >= least && *v <= most))
        return;
    if (snprintf(text, sizeof text, "must be from %llu to %llu", (unsigned long long)least,
                 (unsigned long long)most) > 0)
        cfg_fail(c, path, text, "");
}

static bool only(const char *s, const char *allowed, size_t most) {
    size_t n = strlen(s);
    return n > 0 && n <= most && strspn(s, allowed) == n;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

void cfg_check_name(struct cfg *c, const char *path, const char *s) {
    if (s == NULL)
        cfg_fail(c, path, "a name is missing", "");
    else if (!only(s, LOWER DIGITS "._-", name_max) || s[0] == '.' || s[0] == '-')
        cfg_fail(c, path, "\"%s\" is no name: use a-z, 0-9, '.', '_' and '-', at most 64", s);
}

/* File names go into the generated nginx configuration too: nothing there that could be more than a
 * name. */
void cfg_check_file(struct cfg *c, const char *path, const char *s) {
    if (s == NULL)
        return;
    if (!only(s, LOWER UPPER DIGITS "/._+@-", file_name_max))
        cfg_fail(c, path, "\"%s\" is no file name that is accepted here (a-z A-Z 0-9 / . _ + @ -)",
                 s);
    else if (strstr(s, "..") != NULL)
        cfg_fail(c, path, "\"%s\" leaves the instance directory; write the path without \"..\"", s);
}

bool cfg_model_name_ok(struct bz_view name) {
    if (name.n == 0 || name.n > BZ_MODEL_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= 0x20 || name.p[i] >= 0x7f || name.p[i] == '"' || name.p[i] == '\\')
            return false;
    return true;
}

static void check_model_name(struct cfg *c, const char *path, const char *s) {
    if (s != NULL && (!cfg_model_name_ok(bz_view_str(s)) || strchr(s, '*') != NULL))
        cfg_fail(c, path, "\"%s\" is no model name: printable ASCII without blanks, \", \\ and *",
                 s);
}

void cfg_check_pattern(struct cfg *c, const char *path, const char *s) {
    const char *star = strchr(s, '*');
    if (!cfg_model_name_ok(bz_view_str(s)))
        cfg_fail(c, path, "\"%s\" is no model name", s);
    else if (star != NULL && star[1] != '\0')
        cfg_fail(c, path, "\"%s\": a * may only stand at the end", s);
}

static void check_list(struct cfg *c, const char *path, char *const *list, uint32_t n,
                       void (*check)(struct cfg *, const char *, const char *)) {
    for (uint32_t i = 0; i < n && c->n < c->cap; i++) {
        char at[192];
        if (snprintf(at, sizeof at, "%s[%u]", path, i) < 0)
            return;
        check(c, at, list[i]);
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(list[i], list[j]) == 0) {
                cfg_fail(c, at, "\"%s\" stands in the list twice", list[i]);
                break;
            }
        }
    }
}

static void check_required(struct cfg *c, const char *path, const char *s, const char *text) {
    if (s == NULL)
        cfg_fail(c, path, text, "");
}

/* ---- the listening side ---- */

static bool is_loopback(struct bz_view listen) {
    return bz_view_starts(listen, BZ_V("127.")) || bz_view_starts(listen, BZ_V("[::1]:"));
}

static void check_listen(struct cfg *c, const struct y_config *y) {
    struct bz_view listen = bz_view_str(y->listen);
    if (y->listen == NULL) {
        cfg_fail(c, "listen", "listen is missing; write for instance listen: 127.0.0.1:8443", "");
        return;
    }
    if (bz_view_starts(listen, BZ_V("unix:")) || !bz_address_valid(listen)) {
        cfg_fail(c, "listen", "\"%s\" is no address; write IP:PORT, for instance 127.0.0.1:8443",
                 y->listen);
        return;
    }
    if (y->plain_http != NULL && *y->plain_http && !is_loopback(listen))
        cfg_fail(c, "plain_http",
                 "plain HTTP is only possible on a loopback address, not on %s; keys"
                 " and prompts would cross the network unprotected",
                 y->listen);
}

static void check_host(struct cfg *c, const char *path, const char *s) {
    struct bz_url u;
    char text[300];
    bool bare_v6 = s[0] != '[' && strchr(s, ':') != NULL;
    int n = snprintf(text, sizeof text, bare_v6 ? "http://[%s]" : "http://%s", s);
    bool known = n > 0 && (size_t)n < sizeof text && s[0] != '\0' && s[strlen(s) - 1] != '/' &&
                 bz_url_parse(bz_view_str(text), &u, NULL) == BZ_OK &&
                 (s[0] == '[' || bare_v6 || u.host.n == strlen(s)) &&
                 (s[0] != '[' || s[strlen(s) - 1] == ']');
    if (!known)
        cfg_fail(c, path, "\"%s\" is no host name or IP address (without scheme and port)", s);
}

static void check_origin(struct cfg *c, const char *path, const char *s) {
    struct bz_url u;
    bool ok = bz_url_parse(bz_view_str(s), &u, NULL) == BZ_OK && !u.unix_socket &&
              s[strlen(s) - 1] != '/';
    if (!ok)
        cfg_fail(c, path, "\"%s\" is no origin; write scheme://host[:port], each one by itself", s);
}

static void check_tls(struct cfg *c, const struct y_tls *t) {
    if (t == NULL)
        return;
    cfg_check_file(c, "tls.certificate", t->certificate);
    cfg_check_file(c, "tls.key", t->key);
    if (t->min_version != NULL && strcmp(t->min_version, "1.2") != 0 &&
        strcmp(t->min_version, "1.3") != 0)
        cfg_fail(c, "tls.min_version", "\"%s\" is not served; write \"1.2\" or \"1.3\"",
                 t->min_version);
}

static void check_globals(struct cfg *c, const struct y_config *y) {
    if (y->version == NULL)
        cfg_fail(c, "version", "version is missing; write version: 1", "");
    else if (*y->version != 1)
        cfg_fail(c, "version", "only version 1 is known", "");
    check_listen(c, y);
    check_list(c, "names", y->names, y->names_count, check_host);
    check_list(c, "origins", y->origins, y->origins_count, check_origin);
    check_tls(c, y->tls);
    cfg_check_range(c, "workers", y->workers, 0, workers_max);
    cfg_check_range(c, "body_max", y->body_max, BZ_BODY_MIN, BZ_BODY_MAX);
    if (y->audit != NULL) {
        cfg_check_range(c, "audit.wait_ms", y->audit->wait_ms, 10, 60000);
        if (y->audit->mode != NULL && strcmp(y->audit->mode, "strict") != 0 &&
            strcmp(y->audit->mode, "relaxed") != 0)
            cfg_fail(c, "audit.mode", "\"%s\" is no mode; write strict or relaxed", y->audit->mode);
    }
    if (y->timeouts != NULL) {
        cfg_check_range(c, "timeouts.connect_s", y->timeouts->connect_s, 1, 300);
        cfg_check_range(c, "timeouts.read_s", y->timeouts->read_s, 1, 86400);
        cfg_check_range(c, "timeouts.client_s", y->timeouts->client_s, 1, 3600);
        cfg_check_range(c, "timeouts.reply_s", y->timeouts->reply_s, 1, 86400);
        cfg_check_range(c, "timeouts.stream_s", y->timeouts->stream_s, 1, 86400);
    }
}

/* ---- limits and parameters ---- */

static void check_rate(struct cfg *c, const char *path, const char *meter,
                       const uint64_t *per_minute, const uint64_t *burst) {
    char at[192];
    if (snprintf(at, sizeof at, "%s.%s_per_minute", path, meter) > 0)
        cfg_check_range(c, at, per_minute, 0, rate_max);
    if (snprintf(at, sizeof at, "%s.%s_burst", path, meter) < 0)
        return;
    cfg_check_range(c, at, burst, 1, rate_max);
    if (burst != NULL && (per_minute == NULL || *per_minute == 0))
        cfg_fail(c, at, "a burst without %s_per_minute limits nothing; set both or neither", meter);
}

/* most: what the instance takes at all; 0 in the limit says the same. */
static void check_limits(struct cfg *c, const char *path, const struct y_limits *l,
                         const uint64_t *most) {
    char at[192];
    if (l == NULL)
        return;
    check_rate(c, path, "requests", l->requests_per_minute, l->requests_burst);
    check_rate(c, path, "prompt_tokens", l->prompt_tokens_per_minute, l->prompt_tokens_burst);
    check_rate(c, path, "completion_tokens", l->completion_tokens_per_minute,
               l->completion_tokens_burst);
    if (snprintf(at, sizeof at, "%s.concurrent", path) > 0)
        cfg_check_range(c, at, l->concurrent, 0, 1000000);
    if (l->body_max == NULL || *l->body_max == 0)
        return;
    uint64_t whole = most == NULL ? BZ_BODY_MAX_DEFAULT : *most;
    char text[160];
    if (snprintf(at, sizeof at, "%s.body_max", path) > 0 &&
        (*l->body_max < BZ_BODY_MIN || *l->body_max > whole) &&
        snprintf(text, sizeof text,
                 "must be 0 or from %d to %llu, the body_max of the whole instance", BZ_BODY_MIN,
                 (unsigned long long)whole) > 0)
        cfg_fail(c, at, text, "");
}

static void check_params(struct cfg *c, const char *path, const struct y_params *p) {
    if (p == NULL)
        return;
    const struct {
        const char *name;
        const uint64_t *v;
        uint64_t most;
    } all[] = {
        {"max_tokens", p->max_tokens, 100000000},
        {"max_choices", p->max_choices, 1024},
        {"max_logprobs", p->max_logprobs, 1000},
        {"max_stop", p->max_stop, 1024},
        {"max_grammar", p->max_grammar, BZ_BODY_MAX},
        {"max_tools", p->max_tools, 10000},
        {"max_messages", p->max_messages, 100000},
        {"max_inputs", p->max_inputs, 100000},
        {"max_media_bytes", p->max_media_bytes, BZ_BODY_MAX},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char at[192];
        if (snprintf(at, sizeof at, "%s.%s", path, all[i].name) > 0)
            cfg_check_range(c, at, all[i].v, 0, all[i].most);
    }
}

/* ---- backends, models, roles ---- */

static void check_type(struct cfg *c, const char *path, const char *s) {
    const char *names[BZ_SERVER_COUNT];
    enum bz_server type;
    char text[200];
    if (s == NULL || bz_server_from_name(bz_view_str(s), &type)) {
        check_required(c, path, s,
                       "type is missing; write llama.cpp, ollama, vllm, openai or"
                       " anthropic");
        return;
    }
    for (int i = 0; i < BZ_SERVER_COUNT; i++)
        names[i] = bz_server_name((enum bz_server)i);
    const char *near = cfg_nearest(bz_view_str(s), names, BZ_SERVER_COUNT);
    if (snprintf(text, sizeof text,
                 "\"%%s\" is no known type%s%s; there are llama.cpp, ollama, vllm,"
                 " openai, anthropic",
                 near == NULL ? "" : "; did you mean ", near == NULL ? "" : near) > 0)
        cfg_fail(c, path, text, s);
}

static void check_url(struct cfg *c, const char *path, const char *s) {
    struct bz_url u;
    struct bz_diag diag = {0};
    if (s == NULL)
        cfg_fail(c, path, "url is missing; write for instance url: http://127.0.0.1:8080", "");
    else if (bz_url_parse(bz_view_str(s), &u, &diag) != BZ_OK)
        cfg_fail(c, path, diag.why, "");
}

static void check_backends(struct cfg *c, const struct y_config *y) {
    char at[128];
    if (y->backends_count == 0)
        cfg_fail(c, "backends", "no backend is named; a model server is needed to forward to", "");
    for (uint32_t i = 0; i < y->backends_count; i++) {
        const struct y_backend *b = &y->backends[i];
        path_of(at, "backends", i, "name");
        cfg_check_name(c, at, b->name);
        for (uint32_t j = 0; b->name != NULL && j < i; j++)
            if (y->backends[j].name != NULL && strcmp(y->backends[j].name, b->name) == 0)
                cfg_fail(c, at, "another backend is named \"%s\" already", b->name);
        path_of(at, "backends", i, "type");
        check_type(c, at, b->type);
        path_of(at, "backends", i, "url");
        if (b->run == NULL)
            check_url(c, at, b->url);
        else
            cfg_check_run(c, i, b);
        path_of(at, "backends", i, "key_file");
        cfg_check_file(c, at, b->key_file);
        path_of(at, "backends", i, "models");
        check_list(c, at, b->models, b->models_count, check_model_name);
    }
}

static void check_models(struct cfg *c, const struct y_config *y) {
    char at[128];
    for (uint32_t i = 0; i < y->models_count && c->n < c->cap; i++) {
        const struct y_model *m = &y->models[i];
        path_of(at, "models", i, "name");
        check_required(c, at, m->name, "the name that clients use is missing");
        check_model_name(c, at, m->name);
        for (uint32_t j = 0; m->name != NULL && j < i; j++) {
            if (y->models[j].name != NULL && strcmp(y->models[j].name, m->name) == 0) {
                cfg_fail(c, at, "another model is named \"%s\" already", m->name);
                break;
            }
        }
        path_of(at, "models", i, "target");
        check_model_name(c, at, m->target);
        path_of(at, "models", i, "limits");
        check_limits(c, at, m->limits, y->body_max);
        path_of(at, "models", i, "clearance");
        cfg_check_level(c, at, m->clearance);
    }
}

static void check_scope(struct cfg *c, const char *path, const char *s) {
    const char *names[BZ_SCOPES_MAX];
    size_t n = bz_scope_list(names);
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], s) == 0)
            return;
    if (strcmp(s, "*") == 0)
        return;
    const char *near = cfg_nearest(bz_view_str(s), names, n);
    char text[128];
    if (snprintf(text, sizeof text, "\"%%s\" is no known scope%s%s",
                 near == NULL ? "" : "; did you mean ", near == NULL ? "" : near) > 0)
        cfg_fail(c, path, text, s);
}

static bool is_builtin(const char *name) {
    return name != NULL && (strcmp(name, "user") == 0 || strcmp(name, "admin") == 0);
}

static void check_role_rights(struct cfg *c, uint32_t i, const struct y_role *r) {
    char at[128];
    path_of(at, "roles", i, "admin");
    if (r->name != NULL && r->admin != NULL) {
        if (strcmp(r->name, "user") == 0 && *r->admin)
            cfg_fail(c, at, "the role user cannot be an administrator; make another role", "");
        if (strcmp(r->name, "admin") == 0 && !*r->admin)
            cfg_fail(c, at, "the role admin is always an administrator", "");
    }
    path_of(at, "roles", i, "routes");
    if (r->routes == NULL && !is_builtin(r->name))
        cfg_fail(c, at, "routes is missing; list scopes, or [\"*\"] for all user scopes", "");
    check_list(c, at, r->routes, r->routes_count, check_scope);
    path_of(at, "roles", i, "models");
    if (r->models == NULL && !is_builtin(r->name))
        cfg_fail(c, at, "models is missing; list model names, or [\"*\"] for all", "");
    check_list(c, at, r->models, r->models_count, cfg_check_pattern);
}

static void check_roles(struct cfg *c, const struct y_config *y) {
    char at[128];
    for (uint32_t i = 0; i < y->roles_count; i++) {
        const struct y_role *r = &y->roles[i];
        path_of(at, "roles", i, "name");
        cfg_check_name(c, at, r->name);
        for (uint32_t j = 0; r->name != NULL && j < i; j++)
            if (y->roles[j].name != NULL && strcmp(y->roles[j].name, r->name) == 0)
                cfg_fail(c, at, "another role is named \"%s\" already", r->name);
        check_role_rights(c, i, r);
        path_of(at, "roles", i, "params");
        check_params(c, at, r->params);
        path_of(at, "roles", i, "limits");
        check_limits(c, at, r->limits, y->body_max);
        path_of(at, "roles", i, "user_limits");
        check_limits(c, at, r->user_limits, y->body_max);
        path_of(at, "roles", i, "clearance");
        cfg_check_level(c, at, r->clearance);
    }
}

/* Ids of licences are compared word by word; an expression would never be found in the list. */
static void check_licence(struct cfg *c, const char *path, const char *s) {
    if (s == NULL || !only(s, LOWER UPPER DIGITS ".-+:", 64))
        cfg_fail(c, path, "\"%s\" is no SPDX licence id such as Apache-2.0", s == NULL ? "" : s);
}

/* As enum bz_sbom_field has them, less those that every registered model has. */
static void check_field(struct cfg *c, const char *path, const char *s) {
    static const char *const fields[] = {"version", "supplier", "source", "released"};
    for (size_t i = 0; s != NULL && i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(s, fields[i]) == 0)
            return;
    }
    cfg_fail(c, path,
             "\"%s\" is no field; write version, supplier, source or released "
             "(name, licence and hash are always required)",
             s == NULL ? "" : s);
}

static void check_registry(struct cfg *c, const struct y_registry *r) {
    if (r == NULL)
        return;
    if (r->mode != NULL && strcmp(r->mode, "off") != 0 && strcmp(r->mode, "watch") != 0 &&
        strcmp(r->mode, "enforce") != 0)
        cfg_fail(c, "registry.mode", "\"%s\" is no mode; write off, watch or enforce", r->mode);
    cfg_check_range(c, "registry.check_s", r->check_s, 1, 3600);
    check_list(c, "registry.licences", r->licences, r->licences_count, check_licence);
    check_list(c, "registry.require", r->require, r->require_count, check_field);
}

void cfg_check_meaning(struct cfg *c, const struct y_config *y) {
    check_globals(c, y);
    check_backends(c, y);
    cfg_check_stage(c, y->stage);
    check_models(c, y);
    check_roles(c, y);
    cfg_check_tools(c, y);
    check_registry(c, y->registry);
    cfg_check_data(c, y);
    cfg_check_posture(c, y);
    cfg_check_advisories(c, y);
    cfg_check_mcp(c, y);
    cfg_check_injection(c, y);
    cfg_check_prompts(c, y);
    cfg_check_leaks(c, y);
}
