/* nginx as a child: its configuration, its port, changed certificates, reload. */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nginx_conf.h"
#include "admin_client.h"
#include "opts.h"
#include "up.h"

#define F_CONF "nginx/nginx.conf"
#define F_CONF_NEW "nginx/nginx.conf.new"
enum { CONF_MAX = 1 << 20, WHY_MAX = 64 * 1024, CERT_PERIOD_S = 3600, RELOAD_CALL_MS = 8000 };

/* ---- port ---- */

/* listen is numeric: the configuration parser saw to that. */
static struct addrinfo *listen_address(const struct bz_config *c) {
    char host[256];
    const char *colon = strrchr(c->listen, ':');
    if (colon == NULL || (size_t)(colon - c->listen) >= sizeof host)
        return NULL;
    struct bz_view v = bz_view(c->listen, (size_t)(colon - c->listen));
    if (v.n > 2 && v.p[0] == '[')
        v = bz_view_sub(v, 1, v.n - 2);
    (void)snprintf(host, sizeof host, "%.*s", (int)v.n, (const char *)v.p);
    struct addrinfo hint = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                            .ai_socktype = SOCK_STREAM};
    struct addrinfo *ai = NULL;
    return getaddrinfo(host, colon + 1, &hint, &ai) == 0 ? ai : NULL;
}

static int bind_errno(const struct bz_config *c) {
    struct addrinfo *ai = listen_address(c);
    if (ai == NULL)
        return EINVAL;
    int one = 1, err = 0;
    BZ_FD fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (ai->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) != 0)
        err = errno;
    freeaddrinfo(ai);
    return err;
}

bool bz_up_port_free(const struct bz_config *c) {
    return bind_errno(c) == 0;
}

bool bz_up_port_check(const struct bz_config *c) {
    int err = bind_errno(c);
    if (err == EADDRINUSE)
        bz_say("the listen address %s is in use by another program; stop that one or change "
               "'listen' in bartizan.yaml",
               bz_safe(c->listen));
    else if (err != 0)
        bz_say("the listen address %s cannot be used: %s", bz_safe(c->listen), strerror(err));
    return err == 0;
}

bool bz_up_port_answers(const struct bz_config *c) {
    struct addrinfo *ai = listen_address(c);
    if (ai == NULL)
        return false;
    BZ_FD fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0;
    freeaddrinfo(ai);
    return ok;
}

/* ---- configuration ---- */

/* "nginx version: nginx/1.22.1" -> 1022001; 0: unknown. */
static uint32_t nginx_version(struct bz_up *u) {
    const char *const argv[] = {u->exe[BZ_UP_NGINX], "-v", NULL};
    uint64_t part[3] = {0, 0, 0};
    struct bz_buf b;
    bz_buf_init(&b, WHY_MAX);
    int rc = bz_up_run(argv, &b);
    bz_buf_putc(&b, 0);
    const char *p = rc == 0 && b.p != NULL ? strstr((const char *)b.p, "nginx/") : NULL;
    p = p == NULL ? "" : p + strlen("nginx/");
    for (size_t i = 0; i < 3; i++) {
        size_t n = strspn(p, "0123456789");
        if (n == 0 || n > 3 || bz_view_u64(bz_view(p, n), &part[i]) != BZ_OK)
            break;
        p += n + (p[n] == '.');
    }
    bz_buf_free(&b);
    return (uint32_t)(part[0] * 1000000 + part[1] * 1000 + part[2]);
}

static bool write_conf(struct bz_up *u, const struct bz_config *c, struct bz_buf *why) {
    struct bz_buf b;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    bz_buf_init(&b, CONF_MAX);
    struct bz_nginx_conf_input in = {.config = c,
                                     .dir = u->in.path,
                                     .module = u->nginx_module,
                                     .cpus = cpus > 0 && cpus < INT32_MAX ? (uint32_t)cpus : 1,
                                     .nginx_version = nginx_version(u),
                                     .uid = geteuid()};
    enum bz_status st = bz_nginx_conf_write(&in, &b);
    if (st == BZ_OK)
        st = bz_file_write(u->in.fd, F_CONF_NEW, bz_buf_view(&b), 0600, BZ_FILE_NO_SYNC);
    if (st != BZ_OK) {
        bz_buf_puts(why, "nginx.conf cannot be written: ");
        bz_buf_puts(why, bz_status_text(st));
    }
    bz_buf_free(&b);
    return st == BZ_OK;
}

static int nginx_test(struct bz_up *u, const char *rel, struct bz_buf *why) {
    char prefix[BZ_DIR_PATH_MAX], conf[BZ_DIR_PATH_MAX], log[BZ_DIR_PATH_MAX];
    if (!bz_instance_path(&u->in, "nginx/", prefix) || !bz_instance_path(&u->in, rel, conf) ||
        !bz_instance_path(&u->in, "nginx/error.log", log))
        return -1;
    const char *const argv[] = {
        u->exe[BZ_UP_NGINX], "-t", "-q", "-p", prefix, "-c", conf, "-e", log, NULL};
    return bz_up_run(argv, why);
}

bool bz_up_nginx_conf(struct bz_up *u, const struct bz_config *c, struct bz_buf *why) {
    if (!write_conf(u, c, why))
        return false;
    int rc = nginx_test(u, F_CONF_NEW, why);
    if (rc == 0 && renameat(u->in.fd, F_CONF_NEW, u->in.fd, F_CONF) == 0)
        return true;
    if (rc >= 0)
        bz_buf_printf(why, "nginx refuses the configuration (exit code %d)", rc);
    return false;
}

/* ---- certificates ---- */

static struct timespec mtime(const struct bz_up *u, const char *rel) {
    struct stat sb;
    char path[BZ_DIR_PATH_MAX];
    if (rel == NULL || !bz_instance_path(&u->in, rel, path) || stat(path, &sb) != 0)
        return (struct timespec){0, 0};
    return sb.st_mtim;
}

static bool same_time(struct timespec a, struct timespec b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

void bz_up_cert_remember(struct bz_up *u) {
    u->cert_seen = mtime(u, u->config->tls_certificate);
    u->key_seen = mtime(u, u->config->tls_key);
    u->cert_checked_ns = bz_clock_mono();
}

static void cert_changed(struct bz_up *u) {
    struct bz_buf why;
    bz_buf_init(&why, WHY_MAX);
    if (nginx_test(u, F_CONF, &why) == 0) {
        bz_say("the certificate files changed: nginx reads them again");
        if (u->child[BZ_UP_NGINX].pid > 0)
            (void)kill(u->child[BZ_UP_NGINX].pid, SIGHUP);
    } else {
        /* Certificate and key are replaced one after the other: the next change is looked at again.
         * */
        bz_say("the new certificate files cannot be used; the old ones stay in use:");
        bz_print_safe(stderr, bz_buf_view(&why));
        (void)fputc('\n', stderr);
    }
    bz_buf_free(&why);
}

void bz_up_cert_tick(struct bz_up *u, uint64_t now) {
    if (u->config->plain_http)
        return;
    if (now - u->cert_checked_ns >= CERT_PERIOD_S * 1000000000ull) {
        u->cert_checked_ns = now;
        (void)!bz_up_cert_ensure(&u->in, u->config);
    }
    struct timespec c = mtime(u, u->config->tls_certificate), k = mtime(u, u->config->tls_key);
    if (same_time(c, u->cert_seen) && same_time(k, u->key_seen))
        return;
    u->cert_seen = c;
    u->key_seen = k;
    cert_changed(u);
}

/* ---- reload ---- */

static bool daemon_reload(struct bz_up *u, struct bz_buf *why) {
    struct bz_answer_json a;
    enum bz_status st =
        bz_admin_call(&u->in, "POST", "/v1/reload", bz_view(NULL, 0), RELOAD_CALL_MS, &a);
    bool ok = st == BZ_OK && a.status == 200;
    if (st != BZ_OK)
        bz_buf_printf(why, "bartizand does not answer: %s", bz_status_text(st));
    else if (!ok)
        bz_buf_puts(why, bz_answer_error(&a));
    bz_answer_done(&a);
    return ok;
}

static bool put_errors(const struct bz_config_errors *e, struct bz_buf *why) {
    for (size_t i = 0; i < e->n && i < sizeof e->list / sizeof e->list[0]; i++)
        bz_buf_printf(why, "%sline %u, column %u: %s: %s", i > 0 ? "\n" : "", e->list[i].line,
                      e->list[i].column, e->list[i].path, e->list[i].text);
    return false;
}

/* Not inlined: its errors and nginx's arguments would share one large frame. */
__attribute__((noinline)) static bool read_config(struct bz_up *u, struct bz_config **ret,
                                                  struct bz_buf *why) {
    struct bz_buf text;
    struct bz_config_errors errs;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    enum bz_status st = bz_instance_config(&u->in, BZ_F_CONFIG, &text, ret, &errs);
    bz_buf_free(&text);
    if (st != BZ_OK && errs.n > 0)
        return put_errors(&errs, why);
    if (st != BZ_OK)
        bz_buf_printf(why, "%s: %s", BZ_F_CONFIG, bz_status_text(st));
    return st == BZ_OK;
}

/* All or nothing: parse, let nginx check, let bartizand take it, then tell nginx. */
static bool reload(struct bz_up *u, struct bz_buf *why) {
    struct bz_config *c = NULL;
    if (!read_config(u, &c, why))
        return false;
    bool ok = bz_up_cert_ensure(&u->in, c) && write_conf(u, c, why) &&
              nginx_test(u, F_CONF_NEW, why) == 0 && daemon_reload(u, why) &&
              renameat(u->in.fd, F_CONF_NEW, u->in.fd, F_CONF) == 0;
    if (!ok) {
        bz_config_free(c);
        return false;
    }
    bz_config_free(u->config);
    u->config = c;
    bz_up_cert_remember(u);
    if (!bz_up_cages_load(u))
        bz_buf_puts(why, "the rest is in force, but backends with 'run' are not started");
    if (u->child[BZ_UP_NGINX].pid > 0)
        (void)kill(u->child[BZ_UP_NGINX].pid, SIGHUP);
    return true;
}

void bz_up_reload(struct bz_up *u) {
    struct bz_buf why;
    bz_buf_init_fixed(&why, u->reload_message, sizeof u->reload_message - 1);
    u->reload_wanted = false;
    u->reload_ok = reload(u, &why);
    u->reload_message[why.n] = '\0';
    u->reload_seq++;
    if (u->reload_ok) {
        bz_say("the configuration was loaded again");
    } else {
        bz_say("the new configuration is refused, the old one stays in force:");
        bz_print_safe(stderr, bz_view_str(u->reload_message));
        (void)fputc('\n', stderr);
    }
    u->status_dirty = true;
}
