/* Active checks: each backend is asked for its model list about every two seconds, all at once, by
 * libcurl. What comes back is hostile: its size, time, form and names are bounded before anything
 * of it is kept. */
#include <stdio.h>
#include <stdlib.h>

#include "daemon.h"
#include "templates.h"
#include "mcp.h"
#include "registry.h"

enum { CONNECT_MS = 1500, TOTAL_MS = 5000, URL_MAX = 1024 };

static void set_why(struct bz_backend_run *r, const char *text) {
    (void)snprintf(r->why, sizeof r->why, "%s", text);
}

static const char *barred_of(const struct bz_daemon *d, uint32_t i) {
    const char *why = bz_registry_barred(d, i);
    return why != NULL ? why : bz_posture_barred(d);
}

static void set_health(struct bz_daemon *d, uint32_t i, enum bz_health h, const char *why) {
    struct bz_backend_run *r = &d->backend[i];
    const char *barred = barred_of(d, i);
    if (barred != NULL) { /* "down" would pass with time, if nobody were left to say it again */
        why = h == BZ_HEALTH_DOWN ? why : barred;
        h = BZ_HEALTH_UNSAFE;
    }
    const char *unsafe = bz_cage_unsafe(r);
    if (unsafe != NULL) {
        h = BZ_HEALTH_UNSAFE;
        why = unsafe;
    }
    set_why(r, why);
    if (r->health != h)
        bz_log("backend %s is %s%s%s", r->name,
               h == BZ_HEALTH_UP     ? "up"
               : h == BZ_HEALTH_DOWN ? "down"
                                     : "kept from requests",
               why[0] == '\0' ? "" : ": ", why);
    r->health = h;
    bz_state_health_set(d->state, i, h, bz_clock_mono());
}

void bz_health_cage(struct bz_daemon *d, uint32_t i) {
    const char *unsafe = bz_cage_unsafe(&d->backend[i]);
    d->backend[i].next_ns = 0;
    if (unsafe != NULL)
        set_health(d, i, BZ_HEALTH_UNSAFE, unsafe);
}

void bz_health_recheck(struct bz_daemon *d, uint32_t i) {
    const char *barred = barred_of(d, i);
    d->backend[i].next_ns = 0; /* asked at once */
    if (barred != NULL)
        set_health(d, i, BZ_HEALTH_UNSAFE, barred);
}

/* ---- one probe ---- */

static size_t on_data(char *p, size_t size, size_t n, void *ctx) {
    struct bz_buf *b = ctx;
    bz_buf_put(b, bz_view(p, size * n));
    return bz_buf_status(b) == BZ_OK ? size * n : 0; /* too long: curl ends the transfer */
}

static struct curl_slist *headers(const struct bz_backend_run *r) {
    struct curl_slist *l = NULL;
    if (r->type != BZ_SERVER_MCP)
        l = curl_slist_append(l, "Accept: application/json");
    if (r->type == BZ_SERVER_ANTHROPIC)
        l = curl_slist_append(l, "anthropic-version: 2023-06-01");
    if (r->credential != NULL) {
        struct bz_buf b;
        bz_buf_init(&b, 8192);
        bz_buf_puts(&b, "Authorization: Bearer ");
        bz_buf_puts(&b, r->credential);
        bz_buf_putc(&b, 0);
        if (bz_buf_status(&b) == BZ_OK)
            l = curl_slist_append(l, (const char *)b.p);
        bz_buf_wipe_free(&b);
    }
    return l;
}

static bool put_url(const struct bz_backend_config *c, const char *path, char out[URL_MAX],
                    char sock[BZ_DIR_PATH_MAX]) {
    struct bz_url u;
    struct bz_view base = bz_view_str(c->url);
    if (bz_url_parse(base, &u, NULL) != BZ_OK)
        return false;
    sock[0] = '\0';
    if (u.unix_socket) {
        (void)snprintf(sock, BZ_DIR_PATH_MAX, "%.*s", (int)u.path.n, (const char *)u.path.p);
        base = BZ_V("http://localhost");
    }
    if (base.p[base.n - 1] == '/')
        base.n--;
    int n = snprintf(out, URL_MAX, "%.*s%s", (int)base.n, (const char *)base.p, path);
    return n > 0 && n < URL_MAX;
}

static void set_options(CURL *h, struct bz_backend_run *r, const char *url, const char *sock) {
    curl_easy_setopt(h, CURLOPT_URL, url);
    if (sock[0] != '\0')
        curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, sock);
    else if (r->numeric && strchr(url, '[') == NULL)
        /* workers connect to 127.0.0.1 for localhost, so the probe does */
        curl_easy_setopt(h, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h, CURLOPT_FORBID_REUSE,
                     1L); /* a kept connection would hold a slot of a small server */
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)TOTAL_MS);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, r->probe_head);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, &r->probe_body);
}

static void probe_done(struct bz_daemon *d, struct bz_backend_run *r) {
    if (r->probe == NULL)
        return;
    (void)curl_multi_remove_handle(d->multi, r->probe);
    curl_easy_cleanup(r->probe);
    curl_slist_free_all(r->probe_head);
    bz_buf_free(&r->probe_body);
    r->probe = NULL;
    r->probe_head = NULL;
}

/* The next model's template. */
static const char *ask_show(const struct bz_backend_run *r, CURL *h, struct curl_slist **head) {
    char mem[BZ_MODEL_NAME_MAX + 64];
    struct bz_jw w;
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem - 1);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "model", bz_view_str(r->models.v[r->show.at]));
    bz_jw_end(&w);
    mem[b.n] = '\0';
    if (bz_buf_status(&b) != BZ_OK)
        return NULL;
    *head = curl_slist_append(*head, "Content-Type: application/json");
    curl_easy_setopt(h, CURLOPT_COPYPOSTFIELDS, mem);
    return "/api/show";
}

static void probe_start(struct bz_daemon *d, uint32_t i, uint64_t now) {
    struct bz_backend_run *r = &d->backend[i];
    char url[URL_MAX], sock[BZ_DIR_PATH_MAX];
    r->next_ns = now + BZ_PROBE_PERIOD_NS;
    if (r->show.asks && r->show.at >= r->models.n)
        (void)bz_templates_show_end(r, false);
    CURL *h = curl_easy_init();
    struct curl_slist *head = h == NULL ? NULL : headers(r);
    const char *path = h == NULL                  ? NULL
                       : r->type == BZ_SERVER_MCP ? bz_mcp_ask(d, i, h, &head)
                       : r->asks_version          ? bz_server_version_path(r->type)
                       : r->show.asks             ? ask_show(r, h, &head)
                                                  : bz_model_list_path(r->type);
    if (path == NULL || !put_url(&d->config->backends[i], path, url, sock)) {
        curl_slist_free_all(head);
        curl_easy_cleanup(h);
        return;
    }
    r->probe = h;
    r->probe_head = head;
    bz_buf_init(&r->probe_body, r->type == BZ_SERVER_MCP ? BZ_MCP_LIST_MAX : BZ_MODEL_LIST_MAX);
    set_options(h, r, url, sock);
    if (curl_multi_add_handle(d->multi, h) != CURLM_OK)
        probe_done(d, r);
}

/* ---- results ---- */

static void take_address(struct bz_daemon *d, struct bz_backend_run *r,
                         const struct bz_backend_config *c) {
    char *ip = NULL, text[sizeof r->address];
    struct bz_url u;
    if (r->numeric || bz_url_parse(bz_view_str(c->url), &u, NULL) != BZ_OK ||
        curl_easy_getinfo(r->probe, CURLINFO_PRIMARY_IP, &ip) != CURLE_OK || ip == NULL ||
        ip[0] == '\0')
        return;
    bool v6 = strchr(ip, ':') != NULL;
    int n = snprintf(text, sizeof text, v6 ? "[%s]:%u" : "%s:%u", ip, u.port);
    if (n < 0 || (size_t)n >= sizeof text || !bz_address_valid(bz_view_str(text)) ||
        strcmp(text, r->address) == 0)
        return;
    memcpy(r->address, text, sizeof text);
    d->publish_wanted = true;
}

static bool vet(void *ctx, struct bz_view digest) {
    return bz_registry_vet(ctx, digest);
}

/* true: the list could be read. */
static bool take_models(struct bz_daemon *d, struct bz_backend_run *r) {
    struct bz_names l = {NULL, 0, 0};
    if (r->models_fixed)
        return true;
    if (bz_model_list_vetted(r->type, bz_buf_view(&r->probe_body), vet, d, &l) != BZ_OK)
        return false;
    if (bz_names_equal(&l, &r->models)) {
        r->models.dropped = l.dropped;
        bz_names_free(&l);
        return true;
    }
    bz_names_free(&r->models);
    r->models = l;
    d->publish_wanted = true;
    return true;
}

static void take_answer(struct bz_daemon *d, uint32_t i, long status) {
    struct bz_backend_run *r = &d->backend[i];
    char why[96];
    if (status == 401 || status == 403) {
        set_health(d, i, BZ_HEALTH_DOWN, "it refuses our credential: see key_file of the backend");
        return;
    }
    if (status >= 500 || status == 429) {
        (void)snprintf(why, sizeof why, "it answers with status %ld", status);
        set_health(d, i, BZ_HEALTH_DOWN, why);
        return;
    }
    take_address(d, r, &d->config->backends[i]);
    if (status == 200 && take_models(d, r))
        set_health(d, i, BZ_HEALTH_UP,
                   r->models.dropped > 0
                       ? "some of its model names cannot be used, or the registry "
                         "has not approved them"
                       : "");
    else if (r->models_fixed)
        set_health(d, i, BZ_HEALTH_UP, "");
    else
        set_health(d, i, r->models.n > 0 ? BZ_HEALTH_UP : BZ_HEALTH_DOWN,
                   "its model list cannot be read: name its models in the configuration");
}

/* A new version may be one with a fix, or one without: the image is made anew. */
static void set_version(struct bz_daemon *d, struct bz_backend_run *r, const char *version) {
    if (strcmp(r->version, version) == 0)
        return;
    if (version[0] != '\0')
        bz_log("backend %s has version %s", r->name, bz_log_safe(bz_view_str(version)));
    (void)snprintf(r->version, sizeof r->version, "%s", version);
    d->publish_wanted = true;
}

/* Whether it could be read decides over patches only, never over health. */
static void take_version(struct bz_daemon *d, uint32_t i, CURLcode rc, uint64_t now) {
    struct bz_backend_run *r = &d->backend[i];
    char version[BZ_VERSION_MAX + 1] = "";
    long status = 0;
    r->asks_version = false;
    r->version_ns = now + BZ_VERSION_PERIOD_NS;
    if (rc != CURLE_OK || curl_easy_getinfo(r->probe, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
        return; /* the next list tells whether it is still there */
    if (status == 200 && r->type == BZ_SERVER_LLAMACPP &&
        bz_templates_take(r, bz_buf_view(&r->probe_body)))
        d->publish_wanted = true;
    if (status == 200 &&
        bz_server_version_parse(r->type, bz_buf_view(&r->probe_body), version) != BZ_OK)
        version[0] = '\0';
    set_version(d, r, version);
}

static void take_show(struct bz_daemon *d, uint32_t i, CURLcode rc) {
    struct bz_backend_run *r = &d->backend[i];
    long status = 0;
    bool good = rc == CURLE_OK &&
                curl_easy_getinfo(r->probe, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
                status == 200;
    d->publish_wanted |= good ? bz_templates_show_take(r, bz_buf_view(&r->probe_body))
                              : bz_templates_show_end(r, false);
}

static void take_list(struct bz_daemon *d, uint32_t i, CURLcode rc, uint64_t now) {
    struct bz_backend_run *r = &d->backend[i];
    bool was_up = r->health == BZ_HEALTH_UP;
    long status = 0;
    if (rc == CURLE_OK && curl_easy_getinfo(r->probe, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
        take_answer(d, i, status);
    else
        set_health(d, i, BZ_HEALTH_DOWN, curl_easy_strerror(rc)); /* static texts of libcurl */
    if (r->health != BZ_HEALTH_UP) { /* what comes back may be another server */
        set_version(d, r, "");
        r->version_ns = 0;
    } else if (bz_server_version_path(r->type) != NULL && now >= r->version_ns) {
        r->asks_version = true;
    }
    if (r->health != BZ_HEALTH_UP)
        r->show.next_ns = 0;
    else if (!was_up)
        bz_templates_run(d, i);
    if (r->health == BZ_HEALTH_UP && r->type == BZ_SERVER_OLLAMA && now >= r->show.next_ns) {
        r->show.next_ns = now + BZ_SHOW_PERIOD_NS;
        bz_templates_show_begin(r);
    }
}

/* A tool server: up is one that could be asked for its tools. */
static void take_mcp(struct bz_daemon *d, uint32_t i, CURLcode rc, uint64_t now) {
    struct bz_backend_run *r = &d->backend[i];
    const struct bz_mcp_config *m = bz_mcp_of(d, i);
    const char *why = NULL;
    bool more = false;
    bz_mcp_take(d, i, r->probe, rc, bz_buf_view(&r->probe_body), &why, &more);
    take_address(d, r, &d->config->backends[i]);
    if (!more || why != NULL)
        set_health(d, i, why == NULL ? BZ_HEALTH_UP : BZ_HEALTH_DOWN,
                   why != NULL ? why : bz_mcp_why(d, i));
    uint64_t period = m == NULL || why != NULL ? BZ_PROBE_PERIOD_NS : m->check_s * 1000000000ull;
    r->next_ns = more ? now : now + period;
    probe_done(d, r);
}

static void take_result(struct bz_daemon *d, uint32_t i, CURLcode rc, uint64_t now) {
    struct bz_backend_run *r = &d->backend[i];
    if (r->type == BZ_SERVER_MCP) {
        take_mcp(d, i, rc, now);
        return;
    }
    if (r->asks_version)
        take_version(d, i, rc, now);
    else if (r->show.asks)
        take_show(d, i, rc);
    else
        take_list(d, i, rc, now);
    uint8_t rnd = 0;
    bz_random(&rnd, sizeof rnd);
    uint64_t period = r->health == BZ_HEALTH_UP ? BZ_PROBE_PERIOD_NS : BZ_PROBE_DOWN_NS;
    /* up to 10 % earlier, so that many gateways do not ask in step */
    r->next_ns = r->asks_version || r->show.asks ? now : now + period - period / 10 * rnd / 255;
    probe_done(d, r);
}

/* ---- all of them ---- */

enum bz_status bz_health_init(struct bz_daemon *d) {
    d->multi = curl_multi_init();
    return d->multi == NULL ? BZ_ENOMEM : BZ_OK;
}

void bz_health_done(struct bz_daemon *d) {
    for (uint32_t i = 0; i < BZ_BACKENDS_MAX; i++)
        probe_done(d, &d->backend[i]);
    if (d->multi != NULL)
        (void)curl_multi_cleanup(d->multi);
    d->multi = NULL;
}

void bz_health_reset(struct bz_daemon *d, uint32_t i) {
    struct bz_backend_run *r = &d->backend[i];
    probe_done(d, r);
    bz_names_free(&r->models);
    r->address[0] = '\0';
    r->health = BZ_HEALTH_UNKNOWN;
    r->why[0] = '\0';
    r->next_ns = 0;
    bz_cage_forget(r);
    bz_templates_free(r);
    (void)bz_templates_show_end(r, false);
    r->show.next_ns = 0;
    bz_mcp_forget(d, i);
    r->version[0] = '\0';
    r->asks_version = false;
    r->version_ns = 0;
    if (d->state != NULL)
        bz_state_health_set(d->state, i, BZ_HEALTH_UNKNOWN, bz_clock_mono());
}

static void collect(struct bz_daemon *d, uint64_t now) {
    const CURLMsg *m;
    int left = 0;
    while ((m = curl_multi_info_read(d->multi, &left)) != NULL) {
        if (m->msg != CURLMSG_DONE)
            continue;
        const CURL *h = m->easy_handle;
        const CURLcode rc = m->data.result;
        for (uint32_t i = 0; i < d->config->backends_n; i++) {
            if (d->backend[i].probe == h) {
                take_result(d, i, rc, now);
                break;
            }
        }
    }
}

void bz_health_turn(struct bz_daemon *d, uint64_t now) {
    int running = 0;
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        const struct bz_backend_run *r = &d->backend[i];
        if (!r->retired && r->probe == NULL && now >= r->next_ns)
            probe_start(d, i, now);
    }
    (void)curl_multi_perform(d->multi, &running);
    collect(d, now);
}

uint64_t bz_health_next(const struct bz_daemon *d) {
    uint64_t best = UINT64_MAX;
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        const struct bz_backend_run *r = &d->backend[i];
        if (!r->retired && r->probe == NULL && r->next_ns < best)
            best = r->next_ns;
    }
    return best;
}

bool bz_health_all_asked(const struct bz_daemon *d) {
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        if (!d->backend[i].retired && d->backend[i].health == BZ_HEALTH_UNKNOWN)
            return false;
    }
    return true;
}
