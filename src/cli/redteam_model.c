/* bartizan redteam model: the always-compromised model as a server on loopback. It answers the four
 * chat APIs as it was last told to, and serves for nothing else. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <microhttpd.h>

#include <bartizan/json.h>
#include <bartizan/limits.h>
#include "redteam.h"

enum { BODY_MAX = 16 << 20, PIECE_MAX = 64 << 10 };

struct server {
    const struct bz_red_suite *suite;
    const char *model;
    struct bz_red_trick trick;
    bool told;
    unsigned part;
    struct bz_arena ar; /* of what it saw last */
    struct bz_red_seen seen;
    uint64_t reached;
};
struct exchange { /* one request */
    struct bz_buf body;
};

/* A reply in pieces of the trick's size. */
struct pieces {
    struct bz_buf bytes;
    struct bz_red_trick trick;
    struct bz_red_rng rng;
    bool cut;
};

static ssize_t next_piece(void *ctx, uint64_t pos, char *out, size_t max) {
    struct pieces *p = ctx;
    if (pos >= p->bytes.n)
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t left = p->bytes.n - (size_t)pos,
           n = p->cut ? bz_red_wire(&p->trick, &p->rng, left) : left;
    n = n < max ? n : max;
    memcpy(out, p->bytes.p + pos, n);
    return (ssize_t)n;
}

static void pieces_free(void *ctx) {
    struct pieces *p = ctx;
    bz_buf_free(&p->bytes);
    free(p);
}

/* Takes the bytes. */
static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, const char *type,
                             struct bz_buf *bytes, const struct bz_red_trick *cut) {
    struct pieces *p = calloc(1, sizeof *p);
    if (p == NULL || bz_buf_status(bytes) != BZ_OK) {
        free(p);
        bz_buf_free(bytes);
        return MHD_NO;
    }
    p->bytes = *bytes;
    p->cut = cut != NULL;
    if (cut != NULL) {
        p->trick = *cut;
        p->rng.s = cut->salt;
    }
    uint64_t size = cut != NULL && cut->stream ? MHD_SIZE_UNKNOWN : bytes->n;
    struct MHD_Response *r =
        MHD_create_response_from_callback(size, PIECE_MAX, next_piece, p, pieces_free);
    if (r == NULL) {
        pieces_free(p);
        return MHD_NO;
    }
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    enum MHD_Result ok = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result say(struct MHD_Connection *c, unsigned status, const char *text) {
    struct bz_buf b;
    bz_buf_init(&b, 4096);
    bz_buf_puts(&b, text);
    return reply(c, status, "application/json", &b, NULL);
}

/* ---- what a backend is asked by a gateway ---- */

static enum MHD_Result lists(struct server *s, struct MHD_Connection *c, const char *url) {
    struct bz_buf b;
    struct bz_jw w;
    bool ollama = strcmp(url, "/api/tags") == 0;
    bz_buf_init(&b, 4096);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    if (!ollama)
        bz_jw_kstr(&w, "object", BZ_V("list"));
    bz_jw_key(&w, ollama ? "models" : "data");
    bz_jw_arr(&w);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, ollama ? "name" : "id", bz_view_str(s->model));
    bz_jw_kstr(&w, ollama ? "model" : "object", ollama ? bz_view_str(s->model) : BZ_V("model"));
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_jw_end(&w);
    return reply(c, MHD_HTTP_OK, "application/json", &b, NULL);
}

static enum MHD_Result seen(struct server *s, struct MHD_Connection *c) {
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, BZ_RED_TEXT_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "requests", s->reached);
    bz_jw_kstr(&w, "system", s->seen.system);
    bz_jw_kstr(&w, "canary", s->seen.canary);
    bz_jw_end(&w);
    return reply(c, MHD_HTTP_OK, "application/json", &b, NULL);
}

static enum MHD_Result get(struct server *s, struct MHD_Connection *c, const char *url) {
    if (strcmp(url, "/health") == 0)
        return say(c, MHD_HTTP_OK, "{\"status\":\"ok\"}");
    if (strcmp(url, "/v1/models") == 0 || strcmp(url, "/api/tags") == 0)
        return lists(s, c, url);
    if (strcmp(url, "/api/version") == 0)
        return say(c, MHD_HTTP_OK, "{\"version\":\"0.33.0\"}");
    return strcmp(url, "/redteam/seen") == 0
               ? seen(s, c)
               : say(c, MHD_HTTP_NOT_FOUND, "{\"error\":\"no route\"}");
}

/* ---- what it is told, and what it answers ---- */

static enum MHD_Result plan(struct server *s, struct MHD_Connection *c, const char *url,
                            struct bz_view body) {
    struct bz_red_trick t;
    if (bz_red_trick_read(s->suite, body, &t) != BZ_OK)
        return say(c, MHD_HTTP_BAD_REQUEST, "{\"error\":\"no plan of this version\"}");
    s->trick = t;
    s->told = true;
    s->part = strcmp(url, "/redteam/plan/1") == 0;
    bz_arena_free(&s->ar);
    s->seen = (struct bz_red_seen){.system = {NULL, 0}};
    struct bz_buf none;
    bz_buf_init(&none, 1);
    return reply(c, MHD_HTTP_NO_CONTENT, "application/json", &none, NULL);
}

static bool dialect_of(const char *url, enum bz_red_dialect *ret) {
    for (int d = 0; d < BZ_RED_DIALECT_COUNT; d++) {
        if (strcmp(url, bz_red_dialect_path((enum bz_red_dialect)d)) == 0) {
            *ret = (enum bz_red_dialect)d;
            return true;
        }
    }
    return false;
}

/* Ollama streams unless it is told not to. */
static bool wants_stream(struct bz_view body, enum bz_red_dialect d) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    bool stream = false;
    bz_arena_init(&ar, bz_alloc_heap, (size_t)BODY_MAX * 8, NULL, 0);
    if (bz_json_parse(body, NULL, &ar, &root, NULL) == BZ_OK) {
        const struct bz_json *n = bz_json_get(root, BZ_V("stream"));
        stream = n == NULL ? d == BZ_RED_OLLAMA : bz_json_is(n, BZ_JSON_TRUE);
    }
    bz_arena_free(&ar);
    return stream;
}

static enum MHD_Result chat(struct server *s, struct MHD_Connection *c, enum bz_red_dialect d,
                            struct bz_view body) {
    struct bz_red_trick t = s->trick;
    struct bz_buf b;
    t.stream = wants_stream(body, d);
    bz_buf_init(&b, BZ_RED_TEXT_MAX * (size_t)2);
    s->reached++;
    bz_arena_free(&s->ar);
    if (bz_red_model_look(body, &s->ar, &s->seen) != BZ_OK) {
        bz_buf_free(&b);
        return say(c, MHD_HTTP_BAD_REQUEST, "{\"error\":\"no JSON\"}");
    }
    if (s->told && t.dialect == d)
        bz_red_model_reply(s->suite, &t, &s->seen, s->part, &b);
    else
        bz_red_model_honest(d, t.stream, BZ_V("All is well."), &b);
    const char *type = !t.stream            ? "application/json"
                       : d == BZ_RED_OLLAMA ? "application/x-ndjson"
                                            : "text/event-stream";
    return reply(c, MHD_HTTP_OK, type, &b, &t);
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *data, size_t *n,
                              void **state) {
    struct server *s = ctx;
    struct exchange *e = *state;
    enum bz_red_dialect d = BZ_RED_OPENAI;
    (void)version;
    if (e == NULL) {
        *state = e = calloc(1, sizeof *e);
        if (e != NULL)
            bz_buf_init(&e->body, BODY_MAX);
        return e != NULL ? MHD_YES : MHD_NO;
    }
    if (*n > 0) {
        bz_buf_put(&e->body, bz_view(data, *n));
        *n = 0;
        return MHD_YES;
    }
    if (bz_buf_status(&e->body) != BZ_OK)
        return say(c, MHD_HTTP_CONTENT_TOO_LARGE, "{\"error\":\"too long\"}");
    if (strcmp(method, "GET") == 0)
        return get(s, c, url);
    if (strcmp(method, "POST") == 0 && strncmp(url, "/redteam/plan/", 14) == 0)
        return plan(s, c, url, bz_buf_view(&e->body));
    if (strcmp(method, "POST") == 0 && dialect_of(url, &d))
        return chat(s, c, d, bz_buf_view(&e->body));
    return say(c, MHD_HTTP_NOT_FOUND, "{\"error\":\"no route\"}");
}

static void ended(void *ctx, struct MHD_Connection *c, void **state,
                  enum MHD_RequestTerminationCode why) {
    struct exchange *e = *state;
    (void)ctx;
    (void)c;
    (void)why;
    if (e != NULL)
        bz_buf_free(&e->body);
    free(e);
    *state = NULL;
}

/* ---- life ---- */

/* "127.0.0.1:PORT": nowhere else, since whoever reaches it tells it what to say. */
static bool address(const char *listen, struct sockaddr_in *ret) {
    char host[64];
    uint64_t port = 0;
    const char *colon = strrchr(listen, ':');
    size_t n = colon == NULL ? 0 : (size_t)(colon - listen);
    *ret = (struct sockaddr_in){.sin_family = AF_INET};
    if (n > 0 && n < sizeof host) {
        memcpy(host, listen, n);
        host[n] = '\0';
        if (inet_pton(AF_INET, host, &ret->sin_addr) == 1 &&
            ntohl(ret->sin_addr.s_addr) >> 24 == 127 &&
            bz_view_u64(bz_view_str(colon + 1), &port) == BZ_OK && port < 65536) {
            ret->sin_port = htons((uint16_t)port);
            return true;
        }
    }
    bz_say("--listen '%s': an address of loopback and a port, such as 127.0.0.1:9400",
           bz_safe(listen));
    return false;
}

static int serve(struct MHD_Daemon *d, const sigset_t *set) {
    const union MHD_DaemonInfo *port = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
    int got = 0;
    (void)printf("the compromised model answers on http://127.0.0.1:%u\n",
                 port == NULL ? 0u : (unsigned)port->port);
    (void)fflush(stdout);
    while (sigwait(set, &got) != 0)
        ;
    return BZ_EXIT_OK;
}

int red_model_serve(const char *listen, const struct bz_red_suite *suite, const char *model) {
    struct sockaddr_in at;
    sigset_t set;
    struct server s = {.suite = suite, .model = model};
    if (!address(listen, &at))
        return BZ_EXIT_FAILURE;
    bz_arena_init(&s.ar, bz_alloc_heap, (size_t)BODY_MAX * 8, NULL, 0);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL); /* before the server's thread, which inherits it */
    struct MHD_Daemon *d =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, handle, &s,
                         MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_NOTIFY_COMPLETED, ended, NULL,
                         MHD_OPTION_CONNECTION_TIMEOUT, 120u, MHD_OPTION_END);
    if (d == NULL) {
        bz_say("--listen '%s': %s", bz_safe(listen), strerror(errno));
        bz_arena_free(&s.ar);
        return BZ_EXIT_FAILURE;
    }
    int rc = serve(d, &set);
    MHD_stop_daemon(d);
    bz_arena_free(&s.ar);
    return rc;
}
