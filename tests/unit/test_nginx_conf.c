/* The generated nginx.conf: what must stand in it, what must never, and what is refused. nginx itself reads it in the tests of
 * the module. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../src/instance/nginx_conf.h"

static char cert[] = "tls/server.pem", key[] = "/etc/other/server.key",
            listen4[] = "127.0.0.1:8443";
static char plain_url[] = "http://127.0.0.1:8080", tls_url[] = "https://models.example:8443",
            name[] = "b";

struct made {
    struct bz_backend_config backend;
    struct bz_config config;
    struct bz_nginx_conf_input in;
    char text[32768];
};

static void setup(struct made *m) {
    memset(m, 0, sizeof *m);
    m->backend = (struct bz_backend_config){.name = name, .url = plain_url, .keep_alive = true};
    m->config = (struct bz_config){.listen = listen4,
                                   .tls_certificate = cert,
                                   .tls_key = key,
                                   .hsts = true,
                                   .body_max = 1 << 20,
                                   .connect_timeout_s = 5,
                                   .read_timeout_s = 300,
                                   .client_timeout_s = 30,
                                   .reply_timeout_s = 600,
                                   .stream_timeout_s = 3600,
                                   .backends = &m->backend,
                                   .backends_n = 1};
    m->in = (struct bz_nginx_conf_input){
        .config = &m->config, .dir = "/srv/gate", .module = "/opt/b/m.so", .uid = 1000};
}

static enum bz_status render(struct made *m) {
    struct bz_buf out;
    memset(m->text, 0, sizeof m->text);
    bz_buf_init_fixed(&out, m->text, sizeof m->text - 1);
    return bz_nginx_conf_write(&m->in, &out);
}

static void has(const struct made *m, const char *line) {
    if (strstr(m->text, line) == NULL)
        fail_msg("missing: %s", line);
}
static void lacks(const struct made *m, const char *line) {
    if (strstr(m->text, line) != NULL)
        fail_msg("unwanted: %s", line);
}

static void test_default(void **state) {
    static struct made m;
    (void)state;
    setup(&m);
    assert_int_equal(render(&m), BZ_OK);
    has(&m, "load_module \"/opt/b/m.so\";\n");
    has(&m, "listen 127.0.0.1:8443 default_server ssl http2 reuseport backlog=4096;\n");
    has(&m, "ssl_certificate \"/srv/gate/tls/server.pem\";\n");
    has(&m, "ssl_certificate_key \"/etc/other/server.key\";\n"); /* an absolute path stays */
    has(&m, "ssl_protocols TLSv1.3;\n");
    has(&m, "ssl_session_tickets off;\n");
    has(&m, "bartizan_instance \"/srv/gate\";\n");
    has(&m, "client_max_body_size 1048576;\n");
    has(&m, "client_body_buffer_size 1048576;\n"); /* the same: nothing is written to disk */
    has(&m, "worker_processes auto;\n");
    has(&m, "worker_shutdown_timeout 10m;\n");
    has(&m, "    bartizan_reply_timeout 600s;\n    bartizan_stream_timeout 3600s;\n");
    has(&m, "http2_max_concurrent_streams 128;\n");
    has(&m, "    keepalive_requests 1000;\n");
    has(&m, "proxy_set_header x-api-key $bartizan_upstream_api_key;\n");
    has(&m, "access_log off;\n");
    has(&m, "error_log \"/srv/gate/nginx/error.log\" crit;\n");
    has(&m, "proxy_pass_request_headers off;\n");
    has(&m, "proxy_buffering off;\n");
    has(&m, "proxy_ignore_headers X-Accel-Redirect");
    has(&m, "merge_slashes off;\n");
    has(&m, "proxy_pass http://bartizan_backends;\n");
    lacks(&m, "proxy_ssl");
    lacks(&m, "user root");
    lacks(&m, "TLSv1.2");
}

static void test_choices(void **state) {
    static struct made m;
    (void)state;
    setup(&m);
    m.config.tls12 = true;
    m.config.workers = 1;
    m.in.nginx_version = 1026003;
    m.in.uid = 0;
    assert_int_equal(render(&m), BZ_OK);
    has(&m, "listen 127.0.0.1:8443 default_server ssl backlog=4096;\n        http2 on;\n");
    has(&m, "ssl_protocols TLSv1.2 TLSv1.3;\n");
    has(&m, "ECDHE-ECDSA-AES128-GCM-SHA256");
    has(&m, "worker_processes 1;\n");
    m.config.workers =
        0; /* of a large machine: a worker without a lane would answer 503 for ever */
    m.in.cpus = 96;
    assert_int_equal(render(&m), BZ_OK);
    has(&m, "worker_processes 31;\n");
    m.in.cpus = 2;
    assert_int_equal(render(&m), BZ_OK);
    has(&m, "worker_processes 2;\n");
    m.config.workers = 1;
    has(&m, "user root;\n");
    m.in.nginx_version = 1025000;
    assert_int_equal(render(&m), BZ_OK);
    has(&m, "ssl http2 backlog");
}

static void test_plain_http(void **state) {
    static struct made m;
    (void)state;
    setup(&m);
    m.config.plain_http = true;
    m.config.tls_certificate = m.config.tls_key = NULL;
    assert_int_equal(render(&m), BZ_OK);
    lacks(&m, "ssl");
    lacks(&m, "http2");
}

static void test_tls_backend(void **state) {
    static struct made m;
    (void)state;
    setup(&m);
    m.backend.url = tls_url;
    assert_int_equal(render(&m), BZ_OK);
    has(&m, "proxy_pass https://bartizan_backends;\n");
    has(&m, "proxy_ssl_verify on;\n");
    has(&m, "proxy_ssl_name $bartizan_upstream_name;\n");
    has(&m, "proxy_ssl_trusted_certificate \"/etc/ssl/certs/ca-certificates.crt\";\n");
    m.in.ca_bundle = "/srv/gate/tls/backends.pem";
    assert_int_equal(render(&m), BZ_OK);
    has(&m, "proxy_ssl_trusted_certificate \"/srv/gate/tls/backends.pem\";\n");
}

static void test_quoting(void **state) {
    static struct made m;
    (void)state;
    setup(&m);
    m.in.dir = "/srv/my \"gate\" \\ {;} #1";
    assert_int_equal(render(&m), BZ_OK);
    has(&m, "bartizan_instance \"/srv/my \\\"gate\\\" \\\\ {;} #1\";\n");
}

static void test_refused(void **state) {
    static const char *const dirs[] = {"", "relative", "/a$b", "/a\nb", "/a\x7f", NULL};
    static const char *const listens[] = {
        "", "127.0.0.1:1; evil on", "unix:/x", "localhost:1", "$a:1", "1 2:3"};
    static struct made m;
    (void)state;
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        setup(&m);
        m.in.dir = dirs[i];
        assert_int_equal(render(&m), BZ_EINVAL);
        setup(&m);
        m.in.module = dirs[i];
        assert_int_equal(render(&m), BZ_EINVAL);
    }
    for (size_t i = 0; i < sizeof listens / sizeof listens[0]; i++) {
        char text[32];
        setup(&m);
        (void)snprintf(text, sizeof text, "%s", listens[i]);
        m.config.listen = text;
        assert_int_equal(render(&m), BZ_EINVAL);
    }
    setup(&m);
    m.config.tls_key = NULL;
    assert_int_equal(render(&m), BZ_EINVAL);
    setup(&m);
    m.config.body_max = (uint64_t)BZ_BODY_MAX + 1;
    assert_int_equal(render(&m), BZ_EINVAL);
    setup(&m);
    m.in.ca_bundle = "ca.pem";
    assert_int_equal(render(&m), BZ_EINVAL);
}

static void test_no_room(void **state) {
    static struct made m;
    struct bz_buf out;
    char small[100];
    (void)state;
    setup(&m);
    bz_buf_init_fixed(&out, small, sizeof small);
    assert_int_equal(bz_nginx_conf_write(&m.in, &out), BZ_ETOOBIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),    cmocka_unit_test(test_choices),
        cmocka_unit_test(test_plain_http), cmocka_unit_test(test_tls_backend),
        cmocka_unit_test(test_quoting),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
