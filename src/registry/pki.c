#include "pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ct.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define CLEANUP(type, fn)                                                                          \
    static void done_##type(type **p) {                                                            \
        fn(*p);                                                                                    \
    }
CLEANUP(BIO, BIO_free_all)
CLEANUP(X509, X509_free)
CLEANUP(X509_STORE, X509_STORE_free)
CLEANUP(X509_STORE_CTX, X509_STORE_CTX_free)
CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free)
CLEANUP(TS_RESP, TS_RESP_free)
CLEANUP(TS_VERIFY_CTX, TS_VERIFY_CTX_free)
CLEANUP(OSSL_STORE_CTX, OSSL_STORE_close)
#define AUTO(type) __attribute__((cleanup(done_##type))) type

enum { DER_MAX = 1 << 20, CERTS_MAX = 64 };

/* struct pki_key is an EVP_PKEY under a name that tells nothing of OpenSSL. */
static EVP_PKEY *pkey(const struct pki_key *k) {
    return (EVP_PKEY *)(uintptr_t)k;
}
static struct pki_key *of_pkey(EVP_PKEY *p) {
    return (struct pki_key *)p;
}

static enum bz_status failed(enum bz_status st) {
    ERR_clear_error();
    return st;
}

static BIO *bio_of(struct bz_view v) {
    return v.n == 0 || v.n > DER_MAX ? NULL : BIO_new_mem_buf(v.p, (int)v.n);
}

static enum bz_status put_bio(BIO *b, struct bz_buf *out) {
    char *p = NULL;
    long n = BIO_get_mem_data(b, &p);
    if (n <= 0)
        return failed(BZ_EINTERNAL);
    bz_buf_put(out, bz_view(p, (size_t)n));
    return bz_buf_status(out);
}

/* ---- keys ---- */

enum bz_status pki_key_public_pem(struct bz_view pem, struct pki_key **ret) {
    AUTO(BIO) *b = bio_of(pem);
    EVP_PKEY *k = b == NULL ? NULL : PEM_read_bio_PUBKEY(b, NULL, NULL, NULL);
    if (k == NULL)
        return failed(BZ_EINVAL);
    *ret = of_pkey(k);
    return BZ_OK;
}

enum bz_status pki_key_public_der(struct bz_view spki, struct pki_key **ret) {
    const uint8_t *p = spki.p;
    EVP_PKEY *k = spki.n == 0 || spki.n > DER_MAX ? NULL : d2i_PUBKEY(NULL, &p, (long)spki.n);
    if (k == NULL || p != spki.p + spki.n) {
        EVP_PKEY_free(k);
        return failed(BZ_ESYNTAX);
    }
    *ret = of_pkey(k);
    return BZ_OK;
}

static int give_passphrase(char *out, int size, int writing, void *ctx) {
    const struct bz_view *v = ctx;
    (void)writing;
    if (v->n == 0 || v->n > (size_t)size)
        return -1;
    memcpy(out, v->p, v->n);
    return (int)v->n;
}

enum bz_status pki_key_private_pem(struct bz_view pem, struct bz_view passphrase,
                                   struct pki_key **ret) {
    AUTO(BIO) *b = bio_of(pem);
    EVP_PKEY *k = b == NULL ? NULL : PEM_read_bio_PrivateKey(b, NULL, give_passphrase, &passphrase);
    if (k == NULL) {
        unsigned long e = ERR_peek_last_error();
        bool none = ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
        return failed(none || b == NULL ? BZ_EINVAL : BZ_EDENIED);
    }
    *ret = of_pkey(k);
    return BZ_OK;
}

enum bz_status pki_key_private_uri(const char *uri, struct pki_key **ret) {
    AUTO(OSSL_STORE_CTX) *s = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    EVP_PKEY *k = NULL;
    while (s != NULL && k == NULL && OSSL_STORE_eof(s) == 0) {
        OSSL_STORE_INFO *i = OSSL_STORE_load(s);
        if (i != NULL && OSSL_STORE_INFO_get_type(i) == OSSL_STORE_INFO_PKEY)
            k = OSSL_STORE_INFO_get1_PKEY(i);
        OSSL_STORE_INFO_free(i);
        if (i == NULL && OSSL_STORE_error(s) != 0)
            break;
    }
    if (k == NULL)
        return failed(BZ_ENOTFOUND);
    *ret = of_pkey(k);
    return BZ_OK;
}

enum bz_status pki_key_make(struct pki_key **ret) {
    EVP_PKEY *k = EVP_EC_gen("P-256");
    if (k == NULL)
        return failed(BZ_EINTERNAL);
    *ret = of_pkey(k);
    return BZ_OK;
}

void pki_key_free(struct pki_key *k) {
    EVP_PKEY_free(pkey(k));
}

bool pki_key_same(const struct pki_key *a, const struct pki_key *b) {
    bool same = EVP_PKEY_eq(pkey(a), pkey(b)) == 1;
    ERR_clear_error();
    return same;
}

enum bz_status pki_key_put_public(const struct pki_key *k, struct bz_buf *out) {
    AUTO(BIO) *b = BIO_new(BIO_s_mem());
    if (b == NULL || PEM_write_bio_PUBKEY(b, pkey(k)) != 1)
        return failed(BZ_EINTERNAL);
    return put_bio(b, out);
}

enum bz_status pki_key_put_private(const struct pki_key *k, struct bz_buf *out) {
    AUTO(BIO) *b = BIO_new(BIO_s_secmem());
    if (b == NULL || PEM_write_bio_PKCS8PrivateKey(b, pkey(k), NULL, NULL, 0, NULL, NULL) != 1)
        return failed(BZ_EINTERNAL);
    return put_bio(b, out);
}

enum bz_status pki_key_hint(const struct pki_key *k, uint8_t out[BZ_HASH_LEN]) {
    struct bz_buf b;
    bz_buf_init(&b, DER_MAX);
    enum bz_status st = pki_key_put_public(k, &b);
    if (st == BZ_OK)
        bz_sha256(bz_buf_view(&b), out);
    bz_buf_free(&b);
    return st;
}

enum bz_status pki_key_id(const struct pki_key *k, uint8_t out[BZ_HASH_LEN]) {
    uint8_t *der = NULL;
    int n = i2d_PUBKEY(pkey(k), &der);
    if (n <= 0)
        return failed(BZ_EINTERNAL);
    bz_sha256(bz_view(der, (size_t)n), out);
    OPENSSL_free(der);
    return BZ_OK;
}

enum bz_status pki_key_note_id(const struct pki_key *k, struct bz_view name,
                               uint8_t out[BZ_HASH_LEN]) {
    uint8_t raw[32];
    size_t n = sizeof raw;
    struct bz_sha256 h;
    if (EVP_PKEY_get_base_id(pkey(k)) != EVP_PKEY_ED25519)
        return pki_key_id(k, out);
    if (EVP_PKEY_get_raw_public_key(pkey(k), raw, &n) != 1 || n != sizeof raw)
        return failed(BZ_EINTERNAL);
    bz_sha256_init(&h);
    bz_sha256_add(&h, name);
    bz_sha256_add(&h, BZ_V("\n\001"));
    bz_sha256_add(&h, bz_view(raw, sizeof raw));
    bz_sha256_end(&h, out);
    return BZ_OK;
}

/* ECDSA only, and the hash is the curve's: the format leaves no choice to whoever made the bundle. */
static const EVP_MD *model_hash(const struct pki_key *k) {
    char group[32] = "";
    if (EVP_PKEY_get_base_id(pkey(k)) != EVP_PKEY_EC ||
        EVP_PKEY_get_utf8_string_param(pkey(k), OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                       NULL) != 1) {
        ERR_clear_error();
        return NULL;
    }
    if (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0)
        return EVP_sha256();
    if (strcmp(group, "secp384r1") == 0 || strcmp(group, "P-384") == 0)
        return EVP_sha384();
    if (strcmp(group, "secp521r1") == 0 || strcmp(group, "P-521") == 0)
        return EVP_sha512();
    return NULL;
}

bool pki_key_is_model_key(const struct pki_key *k) {
    return model_hash(k) != NULL;
}

static bool verify(const struct pki_key *k, const EVP_MD *md, struct bz_view data,
                   struct bz_view sig) {
    AUTO(EVP_MD_CTX) *c = EVP_MD_CTX_new();
    bool good = c != NULL && sig.n > 0 && EVP_DigestVerifyInit(c, NULL, md, NULL, pkey(k)) == 1 &&
                EVP_DigestVerify(c, sig.p, sig.n, data.p, data.n) == 1;
    ERR_clear_error();
    return good;
}

bool pki_verify(const struct pki_key *k, struct bz_view data, struct bz_view sig) {
    const EVP_MD *md = model_hash(k);
    return md != NULL && verify(k, md, data, sig);
}

bool pki_verify_log(const struct pki_key *k, struct bz_view data, struct bz_view sig) {
    int id = EVP_PKEY_get_base_id(pkey(k));
    if (id == EVP_PKEY_ED25519)
        return verify(k, NULL, data, sig);
    return (id == EVP_PKEY_EC || id == EVP_PKEY_RSA) && verify(k, EVP_sha256(), data, sig);
}

enum bz_status pki_sign(const struct pki_key *k, struct bz_view data, struct bz_buf *ret_sig) {
    const EVP_MD *md = model_hash(k);
    AUTO(EVP_MD_CTX) *c = EVP_MD_CTX_new();
    size_t n = 0;
    if (md == NULL)
        return BZ_EINVAL;
    if (c == NULL || EVP_DigestSignInit(c, NULL, md, NULL, pkey(k)) != 1 ||
        EVP_DigestSign(c, NULL, &n, data.p, data.n) != 1)
        return failed(BZ_EDENIED);
    uint8_t *room = bz_buf_room(ret_sig, n);
    const size_t had = n;
    if (room == NULL)
        return bz_buf_status(ret_sig);
    if (EVP_DigestSign(c, room, &n, data.p, data.n) != 1 || n > had)
        return failed(BZ_EDENIED);
    ret_sig->n -= had - n; /* DER is shorter now and then */
    return BZ_OK;
}

/* ---- certificates ---- */

struct pki_certs {
    STACK_OF(X509) * list;
};

struct pki_certs *pki_certs_new(void) {
    struct pki_certs *l = calloc(1, sizeof *l);
    if (l != NULL)
        l->list = sk_X509_new_null();
    if (l != NULL && l->list == NULL) {
        free(l);
        return NULL;
    }
    return l;
}

void pki_certs_free(struct pki_certs *l) {
    if (l == NULL)
        return;
    sk_X509_pop_free(l->list, X509_free);
    free(l);
}

size_t pki_certs_n(const struct pki_certs *l) {
    return (size_t)sk_X509_num(l->list);
}

static X509 *cert(const struct pki_certs *l, size_t i) {
    return sk_X509_value(l->list, (int)i);
}

static enum bz_status push(struct pki_certs *l, X509 *x) { /* takes */
    if (pki_certs_n(l) >= CERTS_MAX || sk_X509_push(l->list, x) <= 0) {
        X509_free(x);
        return failed(BZ_ETOOBIG);
    }
    return BZ_OK;
}

enum bz_status pki_certs_add_der(struct pki_certs *l, struct bz_view der) {
    const uint8_t *p = der.p;
    X509 *x = der.n == 0 || der.n > DER_MAX ? NULL : d2i_X509(NULL, &p, (long)der.n);
    if (x == NULL || p != der.p + der.n) {
        X509_free(x);
        return failed(BZ_ESYNTAX);
    }
    return push(l, x);
}

enum bz_status pki_certs_add_pem(struct pki_certs *l, struct bz_view pem) {
    AUTO(BIO) *b = bio_of(pem);
    bool any = false;
    for (;;) {
        X509 *x = b == NULL ? NULL : PEM_read_bio_X509(b, NULL, NULL, NULL);
        if (x == NULL)
            break;
        any = true;
        BZ_TRY(push(l, x));
    }
    unsigned long e = ERR_peek_last_error();
    bool ended = ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
    return any && ended ? failed(BZ_OK) : failed(BZ_ESYNTAX);
}

bool pki_der_self_signed(struct bz_view der) {
    const uint8_t *p = der.p;
    AUTO(X509) *x = der.n == 0 || der.n > DER_MAX ? NULL : d2i_X509(NULL, &p, (long)der.n);
    bool own = x != NULL && X509_self_signed(x, 1) == 1;
    ERR_clear_error();
    return own;
}

enum bz_status pki_cert_put_der(const struct pki_certs *l, size_t i, struct bz_buf *out) {
    uint8_t *der = NULL;
    int n = i2d_X509(cert(l, i), &der);
    if (n <= 0)
        return failed(BZ_EINTERNAL);
    bz_buf_put(out, bz_view(der, (size_t)n));
    OPENSSL_free(der);
    return bz_buf_status(out);
}

enum bz_status pki_cert_put_pem(const struct pki_certs *l, size_t i, struct bz_buf *out) {
    AUTO(BIO) *b = BIO_new(BIO_s_mem());
    if (b == NULL || PEM_write_bio_X509(b, cert(l, i)) != 1)
        return failed(BZ_EINTERNAL);
    return put_bio(b, out);
}

enum bz_status pki_cert_key(const struct pki_certs *l, size_t i, struct pki_key **ret) {
    EVP_PKEY *k = X509_get_pubkey(cert(l, i));
    if (k == NULL)
        return failed(BZ_EINVAL);
    *ret = of_pkey(k);
    return BZ_OK;
}

static bool unix_of(const ASN1_TIME *t, uint64_t *ret) {
    int days = 0, seconds = 0;
    ASN1_TIME *zero = ASN1_TIME_set(NULL, 0);
    bool ok = zero != NULL && ASN1_TIME_diff(&days, &seconds, zero, t) == 1;
    int64_t v = (int64_t)days * 86400 + seconds;
    ASN1_TIME_free(zero);
    ERR_clear_error();
    if (!ok || v < 0)
        return false;
    *ret = (uint64_t)v;
    return true;
}

bool pki_cert_times(const struct pki_certs *l, size_t i, uint64_t *ret_from, uint64_t *ret_to) {
    const X509 *x = cert(l, i);
    return unix_of(X509_get0_notBefore(x), ret_from) && unix_of(X509_get0_notAfter(x), ret_to);
}

bool pki_cert_signs(const struct pki_certs *l, size_t i) {
    X509 *x = cert(l, i);
    uint32_t flags = X509_get_extension_flags(x);
    if ((flags & EXFLAG_INVALID) != 0)
        return false;
    if ((flags & EXFLAG_KUSAGE) != 0)
        return (X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE) != 0;
    return pki_cert_code_signing(l, i);
}

bool pki_cert_code_signing(const struct pki_certs *l, size_t i) {
    X509 *x = cert(l, i);
    return (X509_get_extension_flags(x) & EXFLAG_XKUSAGE) != 0 &&
           (X509_get_extended_key_usage(x) & XKU_CODE_SIGN) != 0;
}

/* Fulcio's otherName for user names: 1.3.6.1.4.1.57264.1.7, a UTF8String. */
static bool is_oid(const ASN1_OBJECT *o, const char *text) {
    char mem[80];
    return OBJ_obj2txt(mem, sizeof mem, o, 1) > 0 && strcmp(mem, text) == 0;
}

static struct bz_view name_text(const GENERAL_NAME *g) {
    const ASN1_STRING *s = NULL;
    if (g->type == GEN_EMAIL || g->type == GEN_URI || g->type == GEN_DNS)
        s = g->d.ia5;
    else if (g->type == GEN_OTHERNAME && is_oid(g->d.otherName->type_id, "1.3.6.1.4.1.57264.1.7") &&
             g->d.otherName->value->type == V_ASN1_UTF8STRING)
        s = g->d.otherName->value->value.utf8string;
    if (s == NULL || ASN1_STRING_length(s) <= 0)
        return bz_view(NULL, 0);
    struct bz_view v = bz_view(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
    return memchr(v.p, 0, v.n) != NULL ? bz_view(NULL, 0) : v; /* "a@b\0.evil" */
}

bool pki_cert_names(const struct pki_certs *l, size_t i,
                    bool (*each)(void *ctx, struct bz_view name), void *ctx) {
    GENERAL_NAMES *g = X509_get_ext_d2i(cert(l, i), NID_subject_alt_name, NULL, NULL);
    bool said = false;
    for (int k = 0; k < sk_GENERAL_NAME_num(g) && !said; k++) {
        struct bz_view v = name_text(sk_GENERAL_NAME_value(g, k));
        said = v.n > 0 && each(ctx, v);
    }
    GENERAL_NAMES_free(g);
    const X509_NAME *subject = X509_get_subject_name(cert(l, i));
    int at = said ? -1 : X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) {
        uint8_t *text = NULL;
        int n =
            ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
        if (n > 0 && memchr(text, 0, (size_t)n) == NULL)
            said = each(ctx, bz_view(text, (size_t)n));
        OPENSSL_free(text);
    }
    ERR_clear_error();
    return said;
}

static const ASN1_OCTET_STRING *ext_of(const X509 *x, const char *oid) {
    ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
    int at = o == NULL ? -1 : X509_get_ext_by_OBJ(x, o, -1);
    ASN1_OBJECT_free(o);
    return at < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(x, at));
}

enum bz_status pki_cert_issuer(const struct pki_certs *l, size_t i, struct bz_buf *out) {
    const ASN1_OCTET_STRING *e = ext_of(cert(l, i), "1.3.6.1.4.1.57264.1.8");
    if (e != NULL) {
        const uint8_t *p = ASN1_STRING_get0_data(e);
        ASN1_UTF8STRING *s = d2i_ASN1_UTF8STRING(NULL, &p, ASN1_STRING_length(e));
        if (s != NULL)
            bz_buf_put(out, bz_view(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)));
        ASN1_UTF8STRING_free(s);
        return s == NULL ? failed(BZ_ESYNTAX) : bz_buf_status(out);
    }
    e = ext_of(cert(l, i), "1.3.6.1.4.1.57264.1.1"); /* the older form: the text itself */
    ERR_clear_error();
    if (e == NULL)
        return BZ_ENOTFOUND;
    bz_buf_put(out, bz_view(ASN1_STRING_get0_data(e), (size_t)ASN1_STRING_length(e)));
    return bz_buf_status(out);
}

static X509_STORE *store_of(const struct pki_certs *roots, uint64_t at, int purpose) {
    X509_STORE *s = X509_STORE_new();
    X509_VERIFY_PARAM *p = s == NULL ? NULL : X509_STORE_get0_param(s);
    if (p == NULL) {
        X509_STORE_free(s);
        return NULL;
    }
    bool ok = true;
    for (int i = 0; i < sk_X509_num(roots->list) && ok; i++)
        ok = X509_STORE_add_cert(s, sk_X509_value(roots->list, i)) == 1;
    X509_VERIFY_PARAM_set_time(p, (time_t)at);
    ok = ok && X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN) == 1;
    if (purpose != 0)
        ok = ok && X509_VERIFY_PARAM_set_purpose(p, purpose) == 1;
    if (!ok) {
        X509_STORE_free(s);
        return NULL;
    }
    return s;
}

static const char *chain_why(int error) {
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "a certificate of the chain is not valid at the time of signing";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "the certificate's chain does not lead to a root that was given";
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
        return "a certificate of the chain may not issue others";
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
        return "a certificate of the chain has a critical extension that is not known";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return "a certificate of the chain has too weak a key or hash";
    default:
        return "the certificate's chain is not valid";
    }
}

enum bz_status pki_chain(const struct pki_certs *leaf, size_t i, const struct pki_certs *between,
                         const struct pki_certs *roots, uint64_t at, struct pki_key **ret_issuer,
                         const char **ret_why) {
    AUTO(X509_STORE) *s = store_of(roots, at, 0);
    AUTO(X509_STORE_CTX) *c = X509_STORE_CTX_new();
    *ret_why = "the certificate's chain cannot be checked";
    if (s == NULL || c == NULL ||
        X509_STORE_CTX_init(c, s, cert(leaf, i), between == NULL ? NULL : between->list) != 1)
        return failed(BZ_ENOMEM);
    /* The leaf's own usage is the caller's business; issuers must be CAs whatever it is. */
    if (X509_verify_cert(c) != 1) {
        *ret_why = chain_why(X509_STORE_CTX_get_error(c));
        return failed(BZ_EDENIED);
    }
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(c);
    if (ret_issuer != NULL) {
        X509 *up = sk_X509_num(chain) > 1 ? sk_X509_value(chain, 1) : NULL;
        EVP_PKEY *k = up == NULL ? NULL : X509_get_pubkey(up);
        if (k == NULL)
            return failed(BZ_EDENIED);
        *ret_issuer = of_pkey(k);
    }
    ERR_clear_error();
    return BZ_OK;
}

/* ---- certificate transparency ---- */

/* RFC 6962, 3.2: digitally-signed struct for a precertificate. The TBS is the leaf's without the list of timestamps. */
static enum bz_status sct_data(const X509 *leaf, const struct pki_key *issuer, SCT *s,
                               struct bz_buf *out) {
    AUTO(X509) *copy = X509_dup(leaf);
    uint8_t id[BZ_HASH_LEN], *tbs = NULL, *ext = NULL;
    int at = copy == NULL ? -1 : X509_get_ext_by_NID(copy, NID_ct_precert_scts, -1);
    if (at < 0)
        return failed(BZ_EINTERNAL);
    X509_EXTENSION_free(X509_delete_ext(copy, at));
    int n = i2d_re_X509_tbs(copy, &tbs);
    size_t ext_n = SCT_get0_extensions(s, &ext);
    enum bz_status st =
        n <= 0 || n >= 1 << 24 || ext_n > UINT16_MAX ? BZ_EINTERNAL : pki_key_id(issuer, id);
    if (st == BZ_OK) {
        bz_buf_put(out, BZ_V("\0\0")); /* v1, certificate_timestamp */
        bz_buf_put_be64(out, SCT_get_timestamp(s));
        bz_buf_put_be16(out, 1); /* precert_entry */
        bz_buf_put(out, bz_view(id, sizeof id));
        bz_buf_putc(out, (uint8_t)(n >> 16));
        bz_buf_put_be16(out, (uint16_t)n);
        bz_buf_put(out, bz_view(tbs, (size_t)n));
        bz_buf_put_be16(out, (uint16_t)ext_n);
        bz_buf_put(out, bz_view(ext, ext_n));
        st = bz_buf_status(out);
    }
    OPENSSL_free(tbs);
    return st == BZ_OK ? BZ_OK : failed(st);
}

static bool try_sct(const X509 *leaf, const struct pki_key *issuer, SCT *s,
                    bool (*each)(void *ctx, const struct pki_sct *s), void *ctx) {
    uint8_t *log = NULL, *sig = NULL;
    struct bz_buf data;
    struct pki_sct out = {.time_ms = SCT_get_timestamp(s)};
    size_t log_n = SCT_get0_log_id(s, &log), sig_n = SCT_get0_signature(s, &sig);
    if (SCT_get_version(s) != SCT_VERSION_V1 || log_n != sizeof out.log)
        return false;
    memcpy(out.log, log, sizeof out.log);
    bz_buf_init(&data, DER_MAX);
    bool said = sct_data(leaf, issuer, s, &data) == BZ_OK;
    out.sig = bz_view(sig, sig_n);
    out.data = bz_buf_view(&data);
    said = said && each(ctx, &out);
    bz_buf_free(&data);
    return said;
}

enum bz_status pki_scts(const struct pki_certs *l, size_t i, const struct pki_key *issuer,
                        bool (*each)(void *ctx, const struct pki_sct *s), void *ctx) {
    STACK_OF(SCT) *list = X509_get_ext_d2i(cert(l, i), NID_ct_precert_scts, NULL, NULL);
    bool good = false;
    if (list == NULL)
        return failed(BZ_ENOTFOUND);
    for (int k = 0; k < sk_SCT_num(list) && !good; k++)
        good = try_sct(cert(l, i), issuer, sk_SCT_value(list, k), each, ctx);
    SCT_LIST_free(list);
    ERR_clear_error();
    return good ? BZ_OK : BZ_EDENIED;
}

/* ---- RFC 3161 ---- */

static TS_RESP *read_token(struct bz_view token, uint64_t *ret_time) {
    const uint8_t *p = token.p;
    TS_RESP *r = token.n == 0 || token.n > DER_MAX ? NULL : d2i_TS_RESP(NULL, &p, (long)token.n);
    TS_TST_INFO *info = r == NULL ? NULL : TS_RESP_get_tst_info(r);
    if (p != token.p + token.n || info == NULL || !unix_of(TS_TST_INFO_get_time(info), ret_time)) {
        TS_RESP_free(r);
        return NULL;
    }
    return r;
}

/* Hands the three over; OpenSSL 3.4 has names for that which say so. */
static void ts_takes(TS_VERIFY_CTX *c, X509_STORE *roots, BIO *data, STACK_OF(X509) *extra) {
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
    (void)TS_VERIFY_CTX_set0_store(c, roots);
    (void)TS_VERIFY_CTX_set0_data(c, data);
    (void)TS_VERIFY_CTX_set0_certs(c, extra);
#else
    (void)TS_VERIFY_CTX_set_store(c, roots);
    (void)TS_VERIFY_CTX_set_data(c, data);
    (void)TS_VERIFY_CTX_set_certs(c, extra);
#endif
}

enum bz_status pki_timestamp(struct bz_view token, struct bz_view data,
                             const struct pki_certs *certs, const struct pki_certs *roots,
                             uint64_t *ret_time) {
    uint64_t at = 0;
    AUTO(TS_RESP) *r = read_token(token, &at);
    if (r == NULL)
        return failed(BZ_ESYNTAX);
    AUTO(TS_VERIFY_CTX) *c = TS_VERIFY_CTX_new();
    X509_STORE *s = store_of(roots, at, X509_PURPOSE_TIMESTAMP_SIGN);
    BIO *b = bio_of(data);
    STACK_OF(X509) *extra = X509_chain_up_ref(certs->list);
    if (c == NULL || s == NULL || b == NULL || extra == NULL) {
        X509_STORE_free(s);
        BIO_free(b);
        sk_X509_pop_free(extra, X509_free);
        return failed(BZ_ENOMEM);
    }
    (void)TS_VERIFY_CTX_set_flags(c, TS_VFY_VERSION | TS_VFY_SIGNATURE | TS_VFY_DATA);
    ts_takes(c, s, b, extra);
    bool good = TS_RESP_verify_response(c, r) == 1;
    ERR_clear_error();
    if (!good)
        return BZ_EDENIED;
    *ret_time = at;
    return BZ_OK;
}
