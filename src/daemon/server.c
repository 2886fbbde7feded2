/* run/admin.sock: HTTP/1.1 by libmicrohttpd, driven from the daemon's own loop. Only the instance's
 * user and root may speak. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <microhttpd.h>

#include "daemon.h"

enum {
    BODY_MAX = 256 * 1024,
    ANSWER_MAX = 512 << 20, /* a listing of a few million keys */
    CONNECTIONS_MAX = 160, /* a proxy of a cage may have 64 at once */
    TIMEOUT_S = 30,
};

struct bz_server_run {
    struct bz_daemon *d;
    struct MHD_Daemon *http;
    int epoll_fd;
};

struct call { /* one request while its body comes in */
    struct bz_buf body;
};

/* ---- who ---- */

static bool peer_uid(struct MHD_Connection *c, uid_t *ret) {
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred cred;
    socklen_t n = sizeof cred;
    if (i == NULL || getsockopt(i->connect_fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 ||
        n != sizeof cred)
        return false;
    *ret = cred.uid;
    return cred.uid == 0 || cred.uid == geteuid();
}

/* ---- answers ---- */

static enum MHD_Result send_answer(struct MHD_Connection *c, unsigned status, struct bz_buf *b) {
    struct MHD_Response *r = MHD_create_response_from_buffer(b->n, b->p, MHD_RESPMEM_MUST_COPY);
    bz_buf_wipe_free(b); /* may hold a new key */
    if (r == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(r, "Content-Type", "application/json");
    (void)MHD_add_response_header(r, "Cache-Control", "no-store");
    enum MHD_Result ok = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, const char *code,
                              const char *message) {
    struct bz_buf b;
    bz_buf_init(&b, 4096);
    bz_buf_printf(&b, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code, message);
    return send_answer(c, status, &b);
}

static enum MHD_Result answer(struct bz_server_run *s, struct MHD_Connection *c, const char *path,
                              const char *method, const struct call *call, uid_t uid) {
    char actor[32];
    struct bz_buf out;
    (void)snprintf(actor, sizeof actor, "uid %u", (unsigned)uid);
    const struct bz_admin_request r = {bz_view_str(method), bz_view_str(path),
                                       bz_buf_view(&call->body), bz_view_str(actor)};
    bz_buf_init(&out, ANSWER_MAX);
    unsigned status = bz_admin_handle(s->d, &r, &out);
    if (bz_buf_status(&out) != BZ_OK) {
        bz_buf_wipe_free(&out);
        return refuse(c, 500, "too_big", "the answer is too big");
    }
    return send_answer(c, status, &out);
}

/* Query strings have no place here; libmicrohttpd parsed them away, so their presence is asked for.
 * */
static bool has_query(struct MHD_Connection *c) {
    return MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, NULL, NULL) > 0;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_n, void **state) {
    (void)version;
    struct call *call = *state;
    uid_t uid = 0;
    if (call == NULL) {
        call = calloc(1, sizeof *call);
        if (call == NULL)
            return MHD_NO;
        bz_buf_init(&call->body, BODY_MAX);
        *state = call;
        return MHD_YES;
    }
    if (*data_n > 0) {
        bz_buf_put(&call->body, bz_view(data, *data_n));
        *data_n = 0;
        return MHD_YES;
    }
    if (!peer_uid(c, &uid))
        return refuse(c, 403, "not_yours",
                      "only the user of the instance and root may use this socket");
    if (bz_buf_status(&call->body) != BZ_OK)
        return refuse(c, 413, "too_big", "the body is too big");
    if (has_query(c))
        return refuse(c, 400, "query_not_allowed", "this API takes no query string");
    return answer(ctx, c, path, method, call, uid);
}

static void on_done(void *ctx, struct MHD_Connection *c, void **state,
                    enum MHD_RequestTerminationCode how) {
    (void)ctx, (void)c, (void)how;
    struct call *call = *state;
    if (call != NULL)
        bz_buf_wipe_free(&call->body);
    free(call);
    *state = NULL;
}

/* ---- life ---- */

enum bz_status bz_server_start(struct bz_daemon *d, struct bz_server_run **ret) {
    int fd = bz_instance_listen(&d->in, BZ_F_ADMIN_SOCK);
    struct bz_server_run *s = calloc(1, sizeof *s);
    if (s == NULL || fd < 0) {
        free(s);
        bz_fd_done(&fd);
        return BZ_EIO;
    }
    s->d = d;
    s->http = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, s,
                               MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_done,
                               NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                               MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_END);
    const union MHD_DaemonInfo *i =
        s->http == NULL ? NULL : MHD_get_daemon_info(s->http, MHD_DAEMON_INFO_EPOLL_FD);
    if (i == NULL) {
        if (s->http == NULL)
            bz_fd_done(&fd);
        else
            MHD_stop_daemon(s->http);
        free(s);
        return BZ_EINTERNAL;
    }
    s->epoll_fd = i->epoll_fd;
    *ret = s;
    return BZ_OK;
}

void bz_server_stop(struct bz_server_run *s) {
    if (s == NULL)
        return;
    MHD_stop_daemon(s->http);
    (void)unlinkat(s->d->in.fd, BZ_F_ADMIN_SOCK, 0);
    free(s);
}

int bz_server_fd(const struct bz_server_run *s) {
    return s->epoll_fd;
}

void bz_server_turn(struct bz_server_run *s) {
    (void)MHD_run(s->http);
}

int bz_server_timeout_ms(struct bz_server_run *s) {
    MHD_UNSIGNED_LONG_LONG t = 0;
    if (MHD_get_timeout(s->http, &t) != MHD_YES)
        return -1;
    return t > 60000 ? 60000 : (int)t;
}
