#include "ca.h"

#include <stdio.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define CLEANUP(type, fn)                                                                          \
    static void done_##type(type **p) {                                                            \
        fn(*p);                                                                                    \
    }
CLEANUP(BIO, BIO_free_all)
CLEANUP(X509, X509_free)
CLEANUP(EVP_PKEY, EVP_PKEY_free)
CLEANUP(X509_EXTENSION, X509_EXTENSION_free)
CLEANUP(NAME_CONSTRAINTS, NAME_CONSTRAINTS_free)
#define AUTO(type) __attribute__((cleanup(done_##type))) type

enum { CLOCK_SLACK_S = 3600, DAY_S = 86400, NAMES_MAX = 64, NAME_LEN_MAX = 253 };

/* ---- names ---- */

/* An address in network form, or NULL: then it is a DNS name. */
static ASN1_OCTET_STRING *name_as_ip(const char *name) {
    return a2i_IPADDRESS(name);
}

static bool dns_name_ok(const char *name) {
    size_t n = strlen(name);
    if (n == 0 || n > NAME_LEN_MAX || name[0] == '.' || name[0] == '-' || name[n - 1] == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.';
        if (!ok || (c == '.' && name[i + 1] == '.'))
            return false;
    }
    return true;
}

static bool name_is_ip(const char *name) {
    ASN1_OCTET_STRING *ip = name_as_ip(name);
    ASN1_OCTET_STRING_free(ip);
    return ip != NULL;
}

static bool names_ok(const struct bz_ca_names *names) {
    if (names->n == 0 || names->n > NAMES_MAX)
        return false;
    for (size_t i = 0; i < names->n; i++) {
        if (!name_is_ip(names->list[i]) && !dns_name_ok(names->list[i]))
            return false;
    }
    return true;
}

/* "DNS:localhost,IP:127.0.0.1" for subjectAltName; with masks for nameConstraints. Names were
 * checked by names_ok: no comma. */
static void put_names(struct bz_buf *b, const struct bz_ca_names *names, bool constraint) {
    for (size_t i = 0; i < names->n; i++) {
        const char *name = names->list[i];
        bool ip = name_is_ip(name);
        if (i > 0)
            bz_buf_putc(b, ',');
        if (constraint)
            bz_buf_puts(b, "permitted;");
        bz_buf_puts(b, ip ? "IP:" : "DNS:");
        bz_buf_puts(b, name);
        if (constraint && ip)
            bz_buf_puts(b, strchr(name, ':') != NULL ? "/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
                                                     : "/255.255.255.255");
    }
    bz_buf_putc(b, 0);
}

/* ---- building ---- */

static bool add_ext(X509 *cert, X509 *issuer, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    AUTO(X509_EXTENSION) *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    return ext != NULL && X509_add_ext(cert, ext, -1) == 1;
}

static bool set_serial(X509 *cert) {
    uint8_t rnd[16];
    if (RAND_bytes(rnd, sizeof rnd) != 1)
        return false;
    rnd[0] = (uint8_t)((rnd[0] & 0x7f) | 0x40); /* positive and of constant length */
    BIGNUM *bn = BN_bin2bn(rnd, sizeof rnd, NULL);
    bool ok = bn != NULL && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)) != NULL;
    BN_free(bn);
    return ok;
}

static bool set_subject(X509 *cert, const char *cn) {
    X509_NAME *n = X509_get_subject_name(cert);
    return X509_NAME_add_entry_by_txt(n, "O", MBSTRING_ASC, (const unsigned char *)"Bartizan", -1,
                                      -1, 0) == 1 &&
           X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1,
                                      0) == 1;
}

static bool set_times(X509 *cert, time_t now, int days) {
    time_t from = now - CLOCK_SLACK_S, to = now + (time_t)days * DAY_S;
    return ASN1_TIME_set(X509_getm_notBefore(cert), from) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), to) != NULL;
}

static X509 *new_cert(EVP_PKEY *pub, const char *cn, time_t now, int days) {
    X509 *cert = X509_new();
    if (cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
        set_subject(cert, cn) && set_times(cert, now, days) && X509_set_pubkey(cert, pub) == 1)
        return cert;
    X509_free(cert);
    return NULL;
}

static bool put_bio(BIO *bio, struct bz_buf *out) {
    const char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    if (n <= 0)
        return false;
    bz_buf_put(out, bz_view(p, (size_t)n));
    return bz_buf_status(out) == BZ_OK;
}

static bool put_cert(X509 *cert, struct bz_buf *out) {
    AUTO(BIO) *bio = BIO_new(BIO_s_mem());
    return bio != NULL && PEM_write_bio_X509(bio, cert) == 1 && put_bio(bio, out);
}

static bool put_key(EVP_PKEY *key, struct bz_buf *out) {
    AUTO(BIO) *bio = BIO_new(BIO_s_secmem());
    return bio != NULL && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
           put_bio(bio, out);
}

enum bz_status bz_ca_make(const char *id, const struct bz_ca_names *names, time_t now,
                          struct bz_buf *ret_cert, struct bz_buf *ret_key) {
    if (!names_ok(names))
        return BZ_EINVAL;
    char cn[96];
    (void)snprintf(cn, sizeof cn, "Bartizan instance CA %s", id);
    struct bz_buf nc;
    bz_buf_init(&nc, 64 * 1024);
    put_names(&nc, names, true);
    AUTO(EVP_PKEY) *key = EVP_EC_gen("P-256");
    AUTO(X509) *cert = key == NULL ? NULL : new_cert(key, cn, now, BZ_CA_DAYS);
    bool ok = cert != NULL && bz_buf_status(&nc) == BZ_OK &&
              X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
              add_ext(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              add_ext(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
              add_ext(cert, cert, NID_subject_key_identifier, "hash") &&
              add_ext(cert, cert, NID_name_constraints, (const char *)nc.p) &&
              X509_sign(cert, key, EVP_sha256()) > 0 && put_cert(cert, ret_cert) &&
              put_key(key, ret_key);
    bz_buf_free(&nc);
    return ok ? BZ_OK : BZ_EINTERNAL;
}

/* ---- reading ---- */

static X509 *read_cert(struct bz_view pem) {
    if (pem.n == 0 || pem.n > (1u << 20))
        return NULL;
    AUTO(BIO) *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    return bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
}

static int no_password(char *buf, int size, int rw, void *u) {
    (void)buf, (void)size, (void)rw, (void)u;
    return -1; /* never ask on the terminal */
}

static EVP_PKEY *read_key(struct bz_view pem) {
    if (pem.n == 0 || pem.n > (1u << 20))
        return NULL;
    AUTO(BIO) *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    return bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
}

enum bz_status bz_ca_issue(struct bz_view ca_cert, struct bz_view ca_key,
                           const struct bz_ca_names *names, time_t now, struct bz_buf *ret_cert,
                           struct bz_buf *ret_key) {
    if (!names_ok(names))
        return BZ_EINVAL;
    AUTO(X509) *ca = read_cert(ca_cert);
    AUTO(EVP_PKEY) *ck = read_key(ca_key);
    if (ca == NULL || ck == NULL || X509_check_private_key(ca, ck) != 1)
        return BZ_ESYNTAX;
    struct bz_buf san;
    bz_buf_init(&san, 64 * 1024);
    put_names(&san, names, false);
    AUTO(EVP_PKEY) *key = EVP_EC_gen("P-256");
    AUTO(X509) *cert = key == NULL ? NULL : new_cert(key, names->list[0], now, BZ_LEAF_DAYS);
    bool ok = cert != NULL && bz_buf_status(&san) == BZ_OK &&
              X509_set_issuer_name(cert, X509_get_subject_name(ca)) == 1 &&
              add_ext(cert, ca, NID_basic_constraints, "critical,CA:FALSE") &&
              add_ext(cert, ca, NID_key_usage, "critical,digitalSignature") &&
              add_ext(cert, ca, NID_ext_key_usage, "serverAuth") &&
              add_ext(cert, ca, NID_subject_key_identifier, "hash") &&
              add_ext(cert, ca, NID_authority_key_identifier, "keyid") &&
              add_ext(cert, ca, NID_subject_alt_name, (const char *)san.p) &&
              X509_sign(cert, ck, EVP_sha256()) > 0 && put_cert(cert, ret_cert) &&
              put_cert(ca, ret_cert) && put_key(key, ret_key);
    bz_buf_free(&san);
    return ok ? BZ_OK : BZ_EINTERNAL;
}

static bool cert_has_name(X509 *cert, const char *name) {
    if (name_is_ip(name))
        return X509_check_ip_asc(cert, name, 0) == 1;
    return X509_check_host(cert, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

enum bz_status bz_cert_look(struct bz_view cert_pem, struct bz_view ca_cert,
                            const struct bz_ca_names *names, time_t now,
                            struct bz_cert_facts *ret) {
    AUTO(X509) *cert = read_cert(cert_pem);
    if (cert == NULL)
        return BZ_ESYNTAX;
    struct bz_cert_facts f = {.has_names = true};
    int days = 0, secs = 0;
    ASN1_TIME *t = ASN1_TIME_set(NULL, now);
    bool ok = t != NULL && ASN1_TIME_diff(&days, &secs, t, X509_get0_notAfter(cert)) == 1;
    ASN1_TIME_free(t);
    if (!ok)
        return BZ_ESYNTAX;
    f.days_left = days;
    AUTO(X509) *ca = read_cert(ca_cert);
    f.by_ca = ca != NULL && X509_verify(cert, X509_get0_pubkey(ca)) == 1;
    for (size_t i = 0; i < names->n; i++)
        f.has_names = f.has_names && cert_has_name(cert, names->list[i]);
    *ret = f;
    return BZ_OK;
}

bool bz_ca_permits(struct bz_view ca_cert, const char *name) {
    AUTO(X509) *ca = read_cert(ca_cert);
    if (ca == NULL)
        return false;
    AUTO(NAME_CONSTRAINTS) *nc = X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);
    if (nc == NULL)
        return true;
    /* OpenSSL checks constraints against a certificate, so a throw-away one with this name is asked
     * about. */
    const char *const list[] = {name};
    struct bz_ca_names one = {list, 1};
    if (!names_ok(&one))
        return false;
    struct bz_buf san;
    bz_buf_init(&san, 1024);
    put_names(&san, &one, false);
    AUTO(X509) *probe = X509_new();
    bool ok = probe != NULL && bz_buf_status(&san) == BZ_OK &&
              add_ext(probe, probe, NID_subject_alt_name, (const char *)san.p) &&
              X509_check_purpose(probe, -1, 0) !=
                  0 && /* makes OpenSSL look at the extension just added */
              NAME_CONSTRAINTS_check(probe, nc) == X509_V_OK;
    bz_buf_free(&san);
    return ok;
}
