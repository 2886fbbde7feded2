/* A gateway at any URL: what is measured is what a client gets. The compromised model, if it stands
 * behind that gateway, is told over its own control channel what to answer. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <curl/curl.h>

#include <bartizan/limits.h>
#include <bartizan/policy.h>
#include "files.h"
#include "redteam.h"

enum { CONNECT_S = 10, ALL_S = 120, TRIES = 4, WAIT_MAX_S = 60, CONTROL_MAX = 1 << 20 };

struct live {
    struct red_target t;
    CURL *h, *control;
    struct curl_slist *head;
    char base[512], control_base[512], model[256];
    struct bz_buf key; /* "Authorization: Bearer ..." */
    const struct bz_red_suite *suite;
    long retry_s;
};

static size_t on_data(char *p, size_t size, size_t n, void *ctx) {
    struct bz_buf *b = ctx;
    bz_buf_put(b, bz_view(p, size * n));
    return bz_buf_status(b) == BZ_OK ? size * n : 0;
}

static void common(CURL *h, struct bz_buf *to) {
    (void)curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https,http");
    (void)curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    (void)curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)ALL_S);
    (void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(h, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(h, CURLOPT_USERAGENT, "bartizan-redteam/" BZ_VERSION);
    (void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_data);
    (void)curl_easy_setopt(h, CURLOPT_WRITEDATA, to);
}

static void post(CURL *h, const char *url, struct bz_view body) {
    (void)curl_easy_setopt(h, CURLOPT_URL, url);
    (void)curl_easy_setopt(h, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    (void)curl_easy_setopt(h, CURLOPT_POSTFIELDS, body.n == 0 ? "" : (const char *)body.p);
}

/* ---- the model's control channel ---- */

static bool tell(struct live *x, const struct red_ask *q) {
    struct bz_buf plan, answer;
    char url[600];
    long status = 0;
    bz_buf_init(&plan, CONTROL_MAX);
    bz_buf_init(&answer, CONTROL_MAX);
    bz_red_trick_write(q->trick, &plan);
    (void)snprintf(url, sizeof url, "%s/redteam/plan/%u", x->control_base, q->part);
    common(x->control, &answer);
    post(x->control, url, bz_buf_view(&plan));
    CURLcode rc = curl_easy_perform(x->control);
    (void)curl_easy_getinfo(x->control, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK)
        bz_say("%s: %s", bz_safe(x->control_base), curl_easy_strerror(rc));
    else if (status != 204)
        bz_say("%s: it is not 'bartizan redteam model' of this version (status %ld)",
               bz_safe(x->control_base), status);
    bz_buf_free(&plan);
    bz_buf_free(&answer);
    return rc == CURLE_OK && status == 204;
}

/* What it saw of the request that it answered. */
static bool ask_seen(struct live *x, struct red_got *g) {
    struct bz_buf answer;
    struct bz_json *root = NULL;
    char url[600];
    bz_buf_init(&answer, CONTROL_MAX);
    (void)snprintf(url, sizeof url, "%s/redteam/seen", x->control_base);
    common(x->control, &answer);
    (void)curl_easy_setopt(x->control, CURLOPT_HTTPGET, 1L);
    (void)curl_easy_setopt(x->control, CURLOPT_URL, url);
    bool ok = curl_easy_perform(x->control) == CURLE_OK;
    struct bz_view v = ok ? bz_arena_dup(&g->ar, bz_buf_view(&answer)) : bz_view(NULL, 0);
    ok = v.p != NULL && bz_json_parse(v, NULL, &g->ar, &root, NULL) == BZ_OK;
    if (ok) {
        g->seen.system = bz_json_str(bz_json_get(root, BZ_V("system")));
        g->seen.canary = bz_json_str(bz_json_get(root, BZ_V("canary")));
    } else {
        bz_say("%s: its control channel has failed", bz_safe(x->control_base));
    }
    bz_buf_free(&answer);
    return ok;
}

/* ---- a request ---- */

static size_t on_header(char *p, size_t size, size_t n, void *ctx) {
    struct live *x = ctx;
    struct bz_view v = bz_view(p, size * n);
    uint64_t s = 0;
    static const char name[] = "retry-after:";
    if (v.n > sizeof name &&
        bz_view_eq_nocase(bz_view_sub(v, 0, sizeof name - 1), bz_view_str(name))) {
        v = bz_view_sub(v, sizeof name - 1, v.n);
        while (v.n > 0 && v.p[0] == ' ')
            v = bz_view_sub(v, 1, v.n);
        while (v.n > 0 && v.p[v.n - 1] <= ' ')
            v.n--;
        if (bz_view_u64(v, &s) == BZ_OK)
            x->retry_s = s > WAIT_MAX_S ? WAIT_MAX_S : (long)s;
    }
    return size * n;
}

static CURLcode once(struct live *x, const struct red_ask *q, struct red_got *g, long *ret_status) {
    char url[600], talk[96];
    (void)snprintf(url, sizeof url, "%s%s", x->base, bz_red_dialect_path(q->dialect));
    (void)snprintf(talk, sizeof talk, "x-bartizan-conversation: %s", q->conversation);
    struct curl_slist *mine = curl_slist_append(NULL, talk);
    struct curl_slist *all = NULL;
    for (struct curl_slist *l = x->head; l != NULL; l = l->next)
        all = curl_slist_append(all, l->data);
    all = curl_slist_append(all, talk);
    curl_slist_free_all(mine);
    bz_buf_reset(&g->body);
    common(x->h, &g->body);
    x->retry_s = 1;
    (void)curl_easy_setopt(x->h, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(x->h, CURLOPT_HEADERDATA, x);
    (void)curl_easy_setopt(x->h, CURLOPT_HTTPHEADER, all);
    post(x->h, url, q->body);
    CURLcode rc = curl_easy_perform(x->h);
    *ret_status = 0;
    (void)curl_easy_getinfo(x->h, CURLINFO_RESPONSE_CODE, ret_status);
    (void)curl_easy_setopt(x->h, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(all);
    return rc;
}

static bool live_send(struct red_target *t, const struct red_ask *q, struct red_got *g) {
    struct live *x = (struct live *)(void *)t;
    char code[64];
    long status = 0;
    CURLcode rc = CURLE_OK;
    if (q->trick != NULL && !tell(x, q))
        return false;
    for (int i = 0; i < TRIES; i++) {
        rc = once(x, q, g, &status);
        if (rc != CURLE_OK || status != 429)
            break;
        const struct timespec wait = {x->retry_s, 0};
        (void)nanosleep(&wait, NULL);
    }
    /* A stream that the gateway broke off ends without its last chunk: that is an answer. */
    bool cut = rc == CURLE_PARTIAL_FILE || rc == CURLE_RECV_ERROR || rc == CURLE_HTTP2_STREAM;
    if (rc != CURLE_OK && !(cut && status == 200)) {
        (void)snprintf(g->why, sizeof g->why, "%s", curl_easy_strerror(rc));
        return true;
    }
    red_error_code(bz_buf_view(&g->body), code);
    g->checked = red_level_of(status, code, &g->level);
    (void)snprintf(g->why, sizeof g->why, "status %ld%s%s", status, code[0] != '\0' ? " " : "",
                   code);
    if (q->trick == NULL)
        return true;
    /* 502: a reply that the gateway would not pass on is as good as a refusal. */
    g->checked = g->checked || status == 502;
    if (g->checked && status != 200)
        g->level = BZ_RED_STOPPED;
    return !g->checked || ask_seen(x, g);
}

/* ---- opening ---- */

static void live_close(struct red_target *t) {
    struct live *x = (struct live *)(void *)t;
    curl_easy_cleanup(x->h);
    curl_easy_cleanup(x->control);
    curl_slist_free_all(x->head);
    bz_buf_wipe_free(&x->key);
    free(x);
    curl_global_cleanup();
}

static bool loopback(struct bz_view host) {
    return bz_view_eq_nocase(host, BZ_V("localhost")) || bz_view_eq(host, BZ_V("::1")) ||
           bz_view_starts(host, BZ_V("127."));
}

/* scheme://host[:port] without anything behind; plain HTTP only on this machine. */
static bool base_of(const char *what, const char *url, bool secret, char out[512]) {
    struct bz_url u;
    struct bz_diag diag = {.why = NULL};
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/')
        n--;
    if (n >= 512 || bz_url_parse(bz_view(url, n), &u, &diag) != BZ_OK || u.unix_socket) {
        bz_say("--%s '%s': %s", what, bz_safe(url),
               diag.why != NULL ? diag.why : "write it as https://host:port");
        return false;
    }
    if (!u.tls && !loopback(u.host)) {
        bz_say(secret ? "--%s '%s': the API key would cross the network in clear; use https"
                      : "--%s '%s': the compromised model is reached on this machine alone",
               what, bz_safe(url));
        return false;
    }
    memcpy(out, url, n);
    out[n] = '\0';
    return true;
}

static bool read_key(struct live *x, const char *file) {
    struct bz_buf text;
    const char *env = getenv("BARTIZAN_API_KEY");
    bz_buf_init(&text, BZ_CREDENTIAL_MAX + 2);
    bool ok = true;
    if (file != NULL)
        ok = bz_file_read(AT_FDCWD, file, &text) == BZ_OK;
    else if (env != NULL)
        bz_buf_puts(&text, env);
    if (!ok)
        bz_say("--key-file %s: %s", bz_safe(file), strerror(errno));
    while (text.n > 0 && text.p[text.n - 1] <= ' ')
        text.n--;
    for (size_t i = 0; ok && i < text.n; i++)
        ok = text.p[i] > ' ' && text.p[i] < 0x7f;
    if (ok && text.n > 0) {
        bz_buf_puts(&x->key, "Authorization: Bearer ");
        bz_buf_put(&x->key, bz_buf_view(&text));
        bz_buf_putc(&x->key, 0);
        x->head = curl_slist_append(x->head, (const char *)x->key.p);
    } else if (text.n > 0) {
        bz_say("the API key has characters that no key has");
        ok = false;
    }
    bz_buf_wipe_free(&text);
    return ok;
}

struct red_target *red_live_open(const struct red_live *o, int *ret_exit) {
    struct live *x = calloc(1, sizeof *x);
    *ret_exit = BZ_EXIT_FAILURE;
    if (x == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(x);
        return NULL;
    }
    bz_buf_init(&x->key, BZ_CREDENTIAL_MAX + 64);
    x->h = curl_easy_init();
    x->control = curl_easy_init();
    x->suite = o->suite;
    (void)snprintf(x->model, sizeof x->model, "%s", o->model);
    x->t = (struct red_target){.mode = "live",
                               .model = o->compromised != NULL,
                               .model_name = x->model,
                               .send = live_send,
                               .close = live_close};
    bool ok = x->h != NULL && x->control != NULL && base_of("url", o->url, true, x->base) &&
              (o->compromised == NULL ||
               base_of("compromised", o->compromised, false, x->control_base)) &&
              read_key(x, o->key_file);
    x->head = curl_slist_append(x->head, "Content-Type: application/json");
    x->head = curl_slist_append(x->head, "Expect:");
    if (ok && o->ca != NULL)
        ok = curl_easy_setopt(x->h, CURLOPT_CAINFO, o->ca) == CURLE_OK;
    (void)snprintf(x->t.name, sizeof x->t.name, "%s", bz_safe(x->base));
    if (ok)
        return &x->t;
    live_close(&x->t);
    return NULL;
}
