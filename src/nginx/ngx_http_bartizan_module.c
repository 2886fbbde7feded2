/* Directives, variables and the start of the process. */
#include "ngx_http_bartizan.h"
#include "memlock.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

struct bz_view bz_ngx_view(ngx_str_t s) {
    return bz_view(s.data, s.len);
}

ngx_str_t bz_ngx_str(struct bz_view v) {
    /* nginx has no const strings; nobody writes through this one. */
    union {
        const uint8_t *in;
        u_char *out;
    } p = {v.p};
    return (ngx_str_t){v.n, p.out};
}

static uint64_t clock_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void bz_ngx_set_wall(void) {
    bz_ngx_worker.wall_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
}

struct bz_now bz_ngx_now(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    uint64_t mono = clock_ns(CLOCK_MONOTONIC);
    w->now = (struct bz_now){.unix_ns = mono + w->wall_offset_ns, .mono_ns = mono};
    w->now_round = ngx_current_msec;
    return w->now;
}

struct bz_now bz_ngx_round_now(void) {
    return bz_ngx_worker.now_round == ngx_current_msec ? bz_ngx_worker.now : bz_ngx_now();
}

/* ---- variables: what the generated configuration hands to proxy_set_header and proxy_ssl_name ---- */

enum var_id {
    VAR_CONNECTION,
    VAR_HOST,
    VAR_AUTHORIZATION,
    VAR_API_KEY,
    VAR_ANTHROPIC_VERSION,
    VAR_ACCEPT,
    VAR_CONTENT_TYPE,
    VAR_REQUEST_ID,
    VAR_SSL_NAME,
    VAR_SCHEME,
    VAR_MCP_SESSION,
    VAR_MCP_VERSION,
};

static struct bz_view without_port(struct bz_view host) {
    for (size_t i = host.n; i > 0; i--) {
        if (host.p[i - 1] == ']')
            break;
        if (host.p[i - 1] == ':')
            return bz_view_sub(host, 0, i - 1);
    }
    return host;
}

static struct bz_view variable(const struct bz_ngx_req *q, enum var_id id) {
    const struct bz_forward *f = bz_tx_forward(q->tx);
    struct bz_view none = {NULL, 0}, bearer = BZ_V("Bearer ");
    bool anthropic = q->backend.type == BZ_SERVER_ANTHROPIC;
    if (f == NULL)
        return none;
    switch (id) {
    case VAR_CONNECTION:
        /* Servers close after a streamed reply although they announce otherwise (llama-server): never keep that one. */
        return f->stream || !q->backend.keep_alive ? BZ_V("close") : none;
    case VAR_HOST:
        return q->backend.host;
    case VAR_AUTHORIZATION:
        return anthropic ? none : q->backend.authorization;
    case VAR_API_KEY:
        return anthropic && bz_view_starts(q->backend.authorization, bearer)
                   ? bz_view_sub(q->backend.authorization, bearer.n, q->backend.authorization.n)
                   : none;
    case VAR_ANTHROPIC_VERSION:
        return anthropic ? BZ_V("2023-06-01") : none;
    case VAR_ACCEPT:
        return f->accept;
    case VAR_CONTENT_TYPE:
        return f->content_type;
    case VAR_REQUEST_ID:
        return bz_tx_id(q->tx);
    case VAR_SSL_NAME:
        return without_port(q->backend.host);
    case VAR_SCHEME:
        return q->backend.tls ? BZ_V("https") : BZ_V("http");
    case VAR_MCP_SESSION:
        return bz_tx_forward_session(q->tx);
    case VAR_MCP_VERSION:
        return bz_tx_forward_version(q->tx);
    }
    return none;
}

static ngx_int_t get_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data) {
    struct bz_ngx_req *q = bz_ngx_req(r);
    struct bz_view value = {NULL, 0};
    if (q != NULL)
        value = variable(q, (enum var_id)data);
    v->len = value.n & 0x0fffffff;
    v->valid = 1;
    v->no_cacheable = 1; /* a retry may go to another backend */
    v->not_found = 0;
    v->data = bz_ngx_str(value).data;
    return NGX_OK;
}

static const struct {
    const char *name;
    enum var_id id;
} variables[] = {
    {"bartizan_connection", VAR_CONNECTION},
    {"bartizan_upstream_host", VAR_HOST},
    {"bartizan_upstream_authorization", VAR_AUTHORIZATION},
    {"bartizan_upstream_api_key", VAR_API_KEY},
    {"bartizan_anthropic_version", VAR_ANTHROPIC_VERSION},
    {"bartizan_accept", VAR_ACCEPT},
    {"bartizan_content_type", VAR_CONTENT_TYPE},
    {"bartizan_request_id", VAR_REQUEST_ID},
    {"bartizan_upstream_name", VAR_SSL_NAME},
    {"bartizan_scheme", VAR_SCHEME},
    {"bartizan_mcp_session", VAR_MCP_SESSION},
    {"bartizan_mcp_version", VAR_MCP_VERSION},
};

static ngx_int_t preconfiguration(ngx_conf_t *cf) {
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        ngx_str_t name = bz_ngx_str(bz_view_str(variables[i].name));
        ngx_http_variable_t *v = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
        if (v == NULL)
            return NGX_ERROR;
        v->get_handler = get_variable;
        v->data = variables[i].id;
    }
    return NGX_OK;
}

/* ---- configuration ---- */

static void *create_main_conf(ngx_conf_t *cf) {
    struct bz_ngx_main_conf *c = ngx_pcalloc(cf->pool, sizeof *c);
    if (c != NULL)
        c->reply_ms = c->stream_ms = NGX_CONF_UNSET_MSEC;
    return c;
}

static char *init_main_conf(ngx_conf_t *cf, void *conf) {
    struct bz_ngx_main_conf *c = conf;
    (void)cf;
    ngx_conf_init_msec_value(c->reply_ms, 600000);
    ngx_conf_init_msec_value(c->stream_ms, 3600000);
    return NGX_CONF_OK;
}

static void *create_loc_conf(ngx_conf_t *cf) {
    struct bz_ngx_loc_conf *c = ngx_pcalloc(cf->pool, sizeof *c);
    if (c != NULL)
        c->enable = NGX_CONF_UNSET;
    return c;
}

static char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child) {
    struct bz_ngx_loc_conf *prev = parent, *conf = child;
    (void)cf;
    ngx_conf_merge_value(conf->enable, prev->enable, 0);
    return NGX_CONF_OK;
}

static char *set_error_handler(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    ngx_http_core_loc_conf_t *core = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    (void)cmd;
    (void)conf;
    core->handler = bz_ngx_error_handler;
    return NGX_CONF_OK;
}

static ngx_int_t add_handler(ngx_http_core_main_conf_t *core, ngx_uint_t phase, ngx_http_handler_pt handler) {
    ngx_http_handler_pt *h = ngx_array_push(&core->phases[phase].handlers);
    if (h == NULL)
        return NGX_ERROR;
    *h = handler;
    return NGX_OK;
}

static ngx_int_t postconfiguration(ngx_conf_t *cf) {
    struct bz_ngx_main_conf *main_conf = ngx_http_conf_get_module_main_conf(cf, ngx_http_bartizan_module);
    ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    if (main_conf->dir.len == 0)
        return NGX_OK;
    if (add_handler(core, NGX_HTTP_PREACCESS_PHASE, bz_ngx_preaccess) != NGX_OK ||
        add_handler(core, NGX_HTTP_LOG_PHASE, bz_ngx_log) != NGX_OK)
        return NGX_ERROR;
    return bz_ngx_filter_init(cf);
}

/* Prompts, keys and backend credentials pass through a worker's memory: no core of it, and no look into it by other programs
 * of the same user. nginx itself allows both (ngx_worker_process_init). */
static bool seal_process(void) {
    const struct rlimit none = {0, 0};
    (void)bz_memory_lock(); /* 'bartizan up' warns where it cannot */
    /* A worker whose master was killed would go on serving, out of everybody's control, on the port
     * that the next master needs. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != ngx_parent)
        return false;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
}

static ngx_int_t init_process(ngx_cycle_t *cycle) {
    if (ngx_http_cycle_get_module_main_conf(cycle, ngx_http_core_module) == NULL)
        return NGX_OK;
    struct bz_ngx_main_conf *conf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_bartizan_module);
    if (conf == NULL || conf->dir.len == 0)
        return NGX_OK;
    /* Helper processes of the cache and a master without workers serve nothing: they take no lane. */
    if (ngx_process != NGX_PROCESS_WORKER)
        return NGX_OK;
    /* Bodies of usual size stay on the heap: given back and faulted in again they cost more than being parsed. Large
     * ones are mapped on their own and go back to the system at once. */
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_TOP_PAD, 1 << 20);
    if (!seal_process() || bz_crypto_init() != BZ_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "bartizan: a worker cannot be sealed, or cryptography not be initialised");
        return NGX_ERROR;
    }
    bz_ngx_worker.dir = conf->dir;
    bz_ngx_worker.reply_ms = conf->reply_ms;
    bz_ngx_worker.stream_ms = conf->stream_ms;
    return bz_ngx_state_init(cycle);
}

static void exit_process(ngx_cycle_t *cycle) {
    bz_ngx_state_exit(cycle);
}

static ngx_command_t commands[] = {
    {ngx_string("bartizan_instance"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_str_slot,
     NGX_HTTP_MAIN_CONF_OFFSET, offsetof(struct bz_ngx_main_conf, dir), NULL},
    {ngx_string("bartizan_reply_timeout"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_msec_slot,
     NGX_HTTP_MAIN_CONF_OFFSET, offsetof(struct bz_ngx_main_conf, reply_ms), NULL},
    {ngx_string("bartizan_stream_timeout"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_msec_slot,
     NGX_HTTP_MAIN_CONF_OFFSET, offsetof(struct bz_ngx_main_conf, stream_ms), NULL},
    {ngx_string("bartizan"), NGX_HTTP_LOC_CONF | NGX_CONF_FLAG, ngx_conf_set_flag_slot,
     NGX_HTTP_LOC_CONF_OFFSET, offsetof(struct bz_ngx_loc_conf, enable), NULL},
    {ngx_string("bartizan_error"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, set_error_handler,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("bartizan_balancer"), NGX_HTTP_UPS_CONF | NGX_CONF_NOARGS, bz_ngx_balancer, 0, 0, NULL},
    ngx_null_command,
};

static ngx_http_module_t module_context = {
    .preconfiguration = preconfiguration,
    .postconfiguration = postconfiguration,
    .create_main_conf = create_main_conf,
    .init_main_conf = init_main_conf,
    .create_loc_conf = create_loc_conf,
    .merge_loc_conf = merge_loc_conf,
};

ngx_module_t ngx_http_bartizan_module = {
    NGX_MODULE_V1,
    .ctx = &module_context,
    .commands = commands,
    .type = NGX_HTTP_MODULE,
    .init_process = init_process,
    .exit_process = exit_process,
    NGX_MODULE_V1_PADDING,
};
