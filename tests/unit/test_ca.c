/* The private CA: what it issues, what it may vouch for, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <cmocka.h>

#include "../../src/instance/ca.h"

enum { PEM_MAX = 65536 };
static const time_t now = 1795000000; /* 2026-11-18 */

struct made {
    struct bz_buf ca, ca_key, cert, key;
};

static void make(struct made *m, const char *const *names, size_t n) {
    const struct bz_ca_names l = {names, n};
    bz_buf_init(&m->ca, PEM_MAX);
    bz_buf_init(&m->ca_key, PEM_MAX);
    bz_buf_init(&m->cert, PEM_MAX);
    bz_buf_init(&m->key, PEM_MAX);
    assert_int_equal(bz_ca_make("0011223344556677", &l, now, &m->ca, &m->ca_key), BZ_OK);
    assert_int_equal(
        bz_ca_issue(bz_buf_view(&m->ca), bz_buf_view(&m->ca_key), &l, now, &m->cert, &m->key),
        BZ_OK);
}

static void drop(struct made *m) {
    bz_buf_free(&m->ca);
    bz_buf_free(&m->ca_key);
    bz_buf_free(&m->cert);
    bz_buf_free(&m->key);
}

static X509 *read_one(const struct bz_buf *b) {
    BIO *bio = BIO_new_mem_buf(b->p, (int)b->n);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(x);
    return x;
}

/* What a TLS client does: chain, purpose, name. X509_V_OK or the error. */
static int verify(const struct bz_buf *ca, const struct bz_buf *cert, const char *host,
                  const char *ip, time_t at) {
    X509 *root = read_one(ca), *leaf = read_one(cert);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_add_cert(store, root);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_CTX_init(ctx, store, leaf, NULL);
    X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_time(p, at);
    X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_X509_STRICT);
    if (host != NULL)
        X509_VERIFY_PARAM_set1_host(p, host, 0);
    if (ip != NULL)
        X509_VERIFY_PARAM_set1_ip_asc(p, ip);
    X509_verify_cert(ctx);
    int err = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(root);
    X509_free(leaf);
    return err;
}

static const char *const usual[] = {"localhost", "127.0.0.1", "::1", "gateway.example.org"};

static void clients_accept_it(void **state) {
    struct made m;
    make(&m, usual, 4);
    assert_int_equal(verify(&m.ca, &m.cert, "localhost", NULL, now), X509_V_OK);
    assert_int_equal(verify(&m.ca, &m.cert, "gateway.example.org", NULL, now), X509_V_OK);
    assert_int_equal(verify(&m.ca, &m.cert, NULL, "127.0.0.1", now), X509_V_OK);
    assert_int_equal(verify(&m.ca, &m.cert, NULL, "::1", now), X509_V_OK);
    assert_int_equal(verify(&m.ca, &m.cert, "evil.example.org", NULL, now),
                     X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(verify(&m.ca, &m.cert, NULL, "127.0.0.2", now),
                     X509_V_ERR_IP_ADDRESS_MISMATCH);
    assert_int_equal(verify(&m.ca, &m.cert, "localhost", NULL, now + 397l * 86400),
                     X509_V_ERR_CERT_HAS_EXPIRED);
    assert_int_equal(verify(&m.ca, &m.cert, "localhost", NULL, now - 600),
                     X509_V_OK); /* a clock ten minutes behind */
    drop(&m);
}

/* A thief of ca.key makes a certificate for another host: clients must refuse it. */
static void ca_is_limited_to_its_names(void **state) {
    static const char *const own[] = {"localhost", "127.0.0.1"}, *const other[] = {"bank.example"},
                             *const addr[] = {"10.0.0.1"};
    struct made m;
    struct bz_buf cert, key;
    make(&m, own, 2);
    bz_buf_init(&cert, PEM_MAX);
    bz_buf_init(&key, PEM_MAX);
    assert_int_equal(bz_ca_issue(bz_buf_view(&m.ca), bz_buf_view(&m.ca_key),
                                 &(struct bz_ca_names){other, 1}, now, &cert, &key),
                     BZ_OK);
    assert_int_equal(verify(&m.ca, &cert, "bank.example", NULL, now),
                     X509_V_ERR_PERMITTED_VIOLATION);
    bz_buf_reset(&cert);
    bz_buf_reset(&key);
    assert_int_equal(bz_ca_issue(bz_buf_view(&m.ca), bz_buf_view(&m.ca_key),
                                 &(struct bz_ca_names){addr, 1}, now, &cert, &key),
                     BZ_OK);
    assert_int_equal(verify(&m.ca, &cert, NULL, "10.0.0.1", now), X509_V_ERR_PERMITTED_VIOLATION);
    assert_true(bz_ca_permits(bz_buf_view(&m.ca), "localhost"));
    assert_true(bz_ca_permits(bz_buf_view(&m.ca), "127.0.0.1"));
    assert_false(bz_ca_permits(bz_buf_view(&m.ca), "bank.example"));
    assert_false(bz_ca_permits(bz_buf_view(&m.ca), "10.0.0.1"));
    assert_false(bz_ca_permits(bz_buf_view(&m.ca), "bad name"));
    bz_buf_free(&cert);
    bz_buf_free(&key);
    drop(&m);
}

static void shape_of_the_certificates(void **state) {
    struct made m;
    make(&m, usual, 4);
    X509 *ca = read_one(&m.ca), *leaf = read_one(&m.cert);
    assert_true(X509_check_ca(ca) == 1);
    assert_true(X509_check_ca(leaf) == 0);
    assert_int_equal(X509_get_pathlen(ca), 0);
    assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_SERVER);
    int days = 0, secs = 0;
    assert_int_equal(
        ASN1_TIME_diff(&days, &secs, X509_get0_notBefore(leaf), X509_get0_notAfter(leaf)), 1);
    assert_true(days < 397);
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(ca), X509_get0_serialNumber(leaf)),
                         0);
    X509_free(ca);
    X509_free(leaf);
    drop(&m);
}

static void looking_at_a_certificate(void **state) {
    struct made m, n;
    struct bz_cert_facts f;
    static const char *const more[] = {"localhost", "new.example.org"};
    const struct bz_ca_names own = {usual, 4}, wider = {more, 2};
    make(&m, usual, 4);
    make(&n, usual, 4);
    assert_int_equal(bz_cert_look(bz_buf_view(&m.cert), bz_buf_view(&m.ca), &own, now, &f), BZ_OK);
    assert_int_equal(f.days_left, BZ_LEAF_DAYS);
    assert_true(f.by_ca);
    assert_true(f.has_names);
    assert_int_equal(
        bz_cert_look(bz_buf_view(&m.cert), bz_buf_view(&n.ca), &wider, now + 380l * 86400, &f),
        BZ_OK);
    assert_true(f.days_left < BZ_LEAF_RENEW_DAYS);
    assert_false(f.by_ca); /* another CA of the same name */
    assert_false(f.has_names);
    assert_int_equal(bz_cert_look(BZ_V("no pem"), bz_view(NULL, 0), &own, now, &f), BZ_ESYNTAX);
    assert_int_equal(bz_cert_look(bz_view(NULL, 0), bz_view(NULL, 0), &own, now, &f), BZ_ESYNTAX);
    drop(&m);
    drop(&n);
}

static void bad_names_and_keys(void **state) {
    static const char *const bad[] = {"",   "a b",  "a,DNS:evil",    "-x",   ".x",
                                      "x.", "a..b", "*.example.org", "a\nb", "1.2.3.4/8"};
    struct bz_buf c, k;
    struct made m;
    bz_buf_init(&c, PEM_MAX);
    bz_buf_init(&k, PEM_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(bz_ca_make("x", &(struct bz_ca_names){&bad[i], 1}, now, &c, &k),
                         BZ_EINVAL);
    assert_int_equal(bz_ca_make("x", &(struct bz_ca_names){NULL, 0}, now, &c, &k), BZ_EINVAL);
    make(&m, usual, 4);
    assert_int_equal(bz_ca_issue(bz_buf_view(&m.ca), bz_buf_view(&m.key),
                                 &(struct bz_ca_names){usual, 1}, now, &c, &k),
                     BZ_ESYNTAX);
    assert_int_equal(
        bz_ca_issue(bz_buf_view(&m.ca), BZ_V("junk"), &(struct bz_ca_names){usual, 1}, now, &c, &k),
        BZ_ESYNTAX);
    drop(&m);
    bz_buf_free(&c);
    bz_buf_free(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_accept_it),         cmocka_unit_test(ca_is_limited_to_its_names),
        cmocka_unit_test(shape_of_the_certificates), cmocka_unit_test(looking_at_a_certificate),
        cmocka_unit_test(bad_names_and_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
