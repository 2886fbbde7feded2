/* Certificates in front of AI services: when they end. */
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "posture_int.h"

enum { SOON_DAYS = 30 };

static void one(struct pt_ctx *c, struct bz_view path) {
    struct bz_view pem;
    enum bz_status st =
        pt_read(c->f->t, pt_path(c->f->t, "%.*s", PT_V(path)), BZ_POSTURE_CONFIG_MAX, &pem);
    if (st == BZ_EDENIED)
        pt_unknown(c, "%.*s cannot be read", PT_V(path));
    if (st != BZ_OK || pem.n > INT32_MAX)
        return;
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *x = b == NULL ? NULL : PEM_read_bio_X509(b, NULL, NULL, NULL);
    time_t soon = (time_t)c->f->o->now + SOON_DAYS * 86400, now = (time_t)c->f->o->now;
    if (x != NULL && X509_cmp_time(X509_get0_notAfter(x), &now) < 0)
        pt_bad(c, "%.*s: the certificate has expired", PT_V(path));
    else if (x != NULL && X509_cmp_time(X509_get0_notAfter(x), &soon) < 0)
        pt_bad(c, "%.*s: the certificate ends within %d days", PT_V(path), SOON_DAYS);
    else if (x != NULL)
        pt_good(c);
    X509_free(x);
    (void)BIO_free(b);
}

void pt_certificates(struct pt_ctx *c) {
    struct bz_view v;
    for (size_t i = 0; i < c->f->instances.n; i++)
        one(c, pt_fmt(c->f->ar, "%.*s/tls/server.pem", PT_V(c->f->instances.v[i].path)));
    PT_EACH_WORK(c, w) {
        if (pt_opt(w, "--ssl-certfile|--ssl-cert-file|--certfile|--tls-cert|--ssl-cert", &v))
            one(c, v);
    }
    for (size_t i = 0; i + 1 < c->f->fronts.n; i += 2) {
        struct bz_view text = c->f->fronts.v[i + 1], line, rest, key;
        while (pt_line(&text, &line)) {
            rest = pt_trim(line);
            if (!pt_word(&rest, &key) || !pt_is(key, "ssl_certificate") || !pt_word(&rest, &v))
                continue;
            while (v.n > 0 && v.p[v.n - 1] == ';')
                v.n--;
            one(c, v);
        }
    }
}
