/* The instance's own server certificate: made again when it runs out, or when a served name is
 * missing in it. A certificate that the operator put in place himself is never touched. */
#include <stdio.h>
#include <time.h>

#include "ca.h"
#include "opts.h"
#include "up.h"

enum { PEM_MAX = 256 * 1024, NAMES_MAX = 64 };

struct names {
    char text[NAMES_MAX][256];
    const char *list[NAMES_MAX];
    size_t n;
};

/* The served names that the CA may vouch for, without IPv6 brackets. */
static void collect(const struct bz_config *c, struct bz_view ca, bool say, struct names *ret) {
    ret->n = 0;
    for (uint32_t i = 0; i < c->names_n && ret->n < NAMES_MAX; i++) {
        struct bz_view v = bz_view_str(c->names[i]);
        if (v.n > 2 && v.p[0] == '[' && v.p[v.n - 1] == ']')
            v = bz_view_sub(v, 1, v.n - 2);
        char *text = ret->text[ret->n];
        (void)snprintf(text, sizeof ret->text[0], "%.*s", (int)v.n, (const char *)v.p);
        if (bz_ca_permits(ca, text)) {
            ret->list[ret->n++] = text;
        } else if (say) {
            bz_say("warning: the instance's CA was not made for the name '%s', so the certificate "
                   "leaves it out; "
                   "use a certificate of your own (tls.certificate) or a new instance made with "
                   "--name",
                   bz_safe(text));
        }
    }
}

static bool issue(const struct bz_instance *in, struct bz_view ca,
                  const struct bz_ca_names *names) {
    struct bz_buf ca_key, cert, key;
    bz_buf_init(&ca_key, PEM_MAX);
    bz_buf_init(&cert, PEM_MAX);
    bz_buf_init(&key, PEM_MAX);
    enum bz_status st = bz_file_read(in->fd, BZ_F_CA_KEY, &ca_key);
    if (st == BZ_OK)
        st = bz_ca_issue(ca, bz_buf_view(&ca_key), names, time(NULL), &cert, &key);
    /* Key first: nginx reads the pair only when told, and is told after both are there. */
    if (st == BZ_OK)
        st = bz_file_write(in->fd, BZ_F_SERVER_KEY, bz_buf_view(&key), 0600, BZ_FILE_SYNC);
    if (st == BZ_OK)
        st = bz_file_write(in->fd, BZ_F_SERVER_CERT, bz_buf_view(&cert), 0600, BZ_FILE_SYNC);
    bz_buf_wipe_free(&ca_key);
    bz_buf_wipe_free(&key);
    bz_buf_free(&cert);
    return st == BZ_OK;
}

static bool ensure(const struct bz_instance *in, const struct bz_config *c, struct bz_view cert,
                   struct bz_view ca) {
    static struct names names; /* 16 KiB: not for the stack */
    struct bz_cert_facts f;
    collect(c, ca, false, &names);
    struct bz_ca_names wanted = {names.list, names.n};
    if (cert.n > 0 && bz_cert_look(cert, ca, &wanted, time(NULL), &f) == BZ_OK) {
        if (!f.by_ca || (f.days_left >= BZ_LEAF_RENEW_DAYS && f.has_names))
            return true;
    }
    collect(c, ca, true, &names);
    wanted.n = names.n;
    if (issue(in, ca, &wanted)) {
        bz_say("a new server certificate was made (valid for %d days)", BZ_LEAF_DAYS);
        return true;
    }
    bz_say("%s could not be renewed with the instance's CA", BZ_F_SERVER_CERT);
    return cert.n > 0;
}

bool bz_up_cert_ensure(const struct bz_instance *in, const struct bz_config *c) {
    if (c->plain_http || strcmp(c->tls_certificate, BZ_F_SERVER_CERT) != 0)
        return true;
    struct bz_buf cert, ca;
    bz_buf_init(&cert, PEM_MAX);
    bz_buf_init(&ca, PEM_MAX);
    bool ok;
    enum bz_status st = bz_file_read(in->fd, BZ_F_SERVER_CERT, &cert);
    if (bz_file_read(in->fd, BZ_F_CA_CERT, &ca) != BZ_OK)
        ok = st == BZ_OK; /* no CA here: the operator's own certificate */
    else
        ok = ensure(in, c, bz_buf_view(&cert), bz_buf_view(&ca));
    bz_buf_free(&cert);
    bz_buf_free(&ca);
    return ok;
}
