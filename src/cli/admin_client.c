#include "admin_client.h"

#include <fcntl.h>
#include <stdio.h>
#include <curl/curl.h>

#include "commands.h"
#include "opts.h"

enum { ANSWER_MAX = 256 << 20 }; /* a listing of a million keys is 200 MB */

static size_t on_data(char *p, size_t size, size_t n, void *ctx) {
    struct bz_buf *b = ctx;
    bz_buf_put(b, bz_view(p, size * n));
    return bz_buf_status(b) == BZ_OK ? size * n : 0;
}

static CURLcode perform(CURL *h, const char *sock, const char *method, const char *path,
                        struct bz_view body, long timeout_ms, struct bz_answer_json *ret) {
    char url[1024];
    (void)snprintf(url, sizeof url, "http://bartizand%s", path);
    struct curl_slist *head = curl_slist_append(NULL, "Content-Type: application/json");
    head = curl_slist_append(head, "Expect:");
    curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, sock);
    curl_easy_setopt(h, CURLOPT_URL, url);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, head);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, &ret->body);
    if (strcmp(method, "POST") == 0) {
        curl_easy_setopt(h, CURLOPT_POST, 1L);
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)body.n);
        curl_easy_setopt(h, CURLOPT_COPYPOSTFIELDS, body.n == 0 ? "" : (const char *)body.p);
    }
    CURLcode rc = curl_easy_perform(h);
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &ret->status);
    curl_slist_free_all(head);
    return rc;
}

enum bz_status bz_admin_call(const struct bz_instance *in, const char *method, const char *path,
                             struct bz_view body, long timeout_ms, struct bz_answer_json *ret) {
    ret->status = 0;
    ret->root = NULL;
    bz_buf_init(&ret->body, ANSWER_MAX);
    bz_arena_init(&ret->arena, bz_alloc_heap, (size_t)ANSWER_MAX * 8, NULL, 0);
    char sock[64];
    BZ_FD dir = openat(in->fd, "run", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CURL *h = dir < 0 ? NULL : curl_easy_init();
    if (h == NULL)
        return BZ_EUNAVAIL;
    (void)snprintf(sock, sizeof sock, "/proc/self/fd/%d/admin.sock", dir);
    CURLcode rc = perform(h, sock, method, path, body, timeout_ms, ret);
    curl_easy_cleanup(h);
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return BZ_ETIMEOUT;
    if (rc != CURLE_OK)
        return BZ_EUNAVAIL;
    const struct bz_json_opts o = {.max_nodes = 64u << 20, .max_keys = 4096};
    struct bz_diag diag = {0, NULL};
    if (bz_json_parse(bz_buf_view(&ret->body), &o, &ret->arena, &ret->root, &diag) != BZ_OK ||
        !bz_json_is(ret->root, BZ_JSON_OBJECT))
        return BZ_ESYNTAX;
    return BZ_OK;
}

void bz_answer_done(struct bz_answer_json *a) {
    bz_arena_free(&a->arena);
    bz_buf_wipe_free(&a->body); /* may hold a new key */
}

const char *bz_answer_error(const struct bz_answer_json *a) {
    static char text[2048];
    const struct bz_json *e = bz_json_get(a->root, BZ_V("error"));
    struct bz_view m = bz_json_str(bz_json_get(e, BZ_V("message")));
    if (m.p == NULL)
        m = BZ_V("no reason was given");
    struct bz_buf b;
    bz_buf_init_fixed(&b, text, sizeof text - 1);
    bz_put_safe(&b, m);
    text[b.n] = '\0';
    return text;
}

/* ---- for commands ---- */

int bz_admin_outcome(enum bz_status st, const struct bz_instance *in,
                     const struct bz_answer_json *a) {
    if (st == BZ_EUNAVAIL)
        bz_say("%s is not up; start it with 'bartizan up %s'", bz_safe(in->path),
               bz_safe(in->path));
    else if (st != BZ_OK)
        bz_say("bartizand's answer cannot be used: %s", bz_status_text(st));
    else if (a->status >= 300)
        bz_say("%s", bz_answer_error(a));
    else
        return BZ_EXIT_OK;
    return BZ_EXIT_FAILURE;
}

int bz_admin_run(const char *dir, const char *method, const char *path, struct bz_view body,
                 long timeout_ms, bool json, bz_show_fn *show) {
    struct bz_instance in;
    struct bz_answer_json a;
    if (!bz_cli_open(dir, &in))
        return BZ_EXIT_FAILURE;
    enum bz_status st = bz_admin_call(&in, method, path, body, timeout_ms, &a);
    int rc = bz_admin_outcome(st, &in, &a);
    if (rc == BZ_EXIT_OK && json)
        (void)printf("%.*s\n", (int)a.body.n, (const char *)a.body.p);
    else if (rc == BZ_EXIT_OK)
        show(&a);
    if (rc == BZ_EXIT_OK && bz_json_is(bz_json_get(a.root, BZ_V("recorded")), BZ_JSON_FALSE))
        bz_say("warning: this is done, but the audit log could not confirm its record; see "
               "'bartizan status'");
    bz_answer_done(&a);
    bz_instance_close(&in);
    return rc;
}

bool bz_admin_name_ok(const char *s) {
    size_t n = strlen(s);
    return n > 0 && n <= 64 &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-") == n;
}
