/* Bundles: one JSON document that carries the statement, its signature, and what tells who signed. */
#include <bartizan/text.h>

#include "sig_int.h"

#define MEDIA_TYPE "application/vnd.dev.sigstore.bundle.v0.3+json"

const char *bz_sig_flow_name(enum bz_sig_flow f) {
    static const char *const names[BZ_SIG_FLOW_COUNT] = {"key", "certificate", "sigstore"};
    return (unsigned)f < BZ_SIG_FLOW_COUNT ? names[f] : "key";
}

/* ---- helpers ---- */

enum bz_status sig_json(struct bz_view in, struct bz_arena *ar, const struct bz_json **ret,
                        struct bz_diag *diag) {
    const struct bz_json_opts o = {
        .max_depth = 32, .max_nodes = 8 * BZ_MODEL_FILES_MAX + 4096, .max_keys = 256};
    struct bz_json *root = NULL;
    if (in.n > BZ_SIGNATURE_MAX)
        return sig_no(diag, BZ_ETOOBIG, "above 64 MiB");
    enum bz_status st = bz_json_parse(in, &o, ar, &root, diag);
    if (st == BZ_OK && !bz_json_is(root, BZ_JSON_OBJECT))
        return sig_no(diag, BZ_ESYNTAX, "not a JSON object");
    *ret = root;
    return st;
}

enum bz_status sig_b64(const struct bz_json *n, struct bz_arena *ar, struct bz_view *ret) {
    struct bz_view text = bz_json_str(n);
    if (text.p == NULL)
        return BZ_ESYNTAX;
    size_t cap = text.n / 4 * 3 + 3, len = 0;
    uint8_t *mem = bz_arena_alloc(ar, cap);
    if (mem == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_b64_decode(text, mem, cap, &len));
    *ret = bz_view(mem, len);
    return BZ_OK;
}

bool sig_b64_exact(const struct bz_json *node, uint8_t *out, size_t n) {
    size_t len = 0;
    struct bz_view text = bz_json_str(node);
    return text.p != NULL && bz_b64_decode(text, out, n, &len) == BZ_OK && len == n;
}

bool sig_u64(const struct bz_json *n, uint64_t *ret) {
    struct bz_view v = bz_json_is(n, BZ_JSON_NUMBER) ? n->val : bz_json_str(n);
    return v.p != NULL && bz_view_u64(v, ret) == BZ_OK;
}

void sig_pae(struct bz_view payload, struct bz_buf *out) {
    bz_buf_puts(out, "DSSEv1 28 " SIG_PAYLOAD_TYPE " ");
    bz_buf_put_u64(out, payload.n);
    bz_buf_putc(out, ' ');
    bz_buf_put(out, payload);
}

void sig_warn(struct bz_sig_result *ret, const char *text) {
    if (ret->warnings_n < BZ_SIG_WARNINGS_MAX)
        ret->warnings[ret->warnings_n++] = text;
}

/* ---- the envelope ---- */

struct bundle {
    struct sig_envelope env;
    struct bz_arena *ar;
    struct bz_diag *diag;
    const struct bz_sig_trust *trust;
    struct bz_sig_result *ret;
};

static enum bz_status read_envelope(struct bundle *b, const struct bz_json *root) {
    const struct bz_json *d = bz_json_get(root, BZ_V("dsseEnvelope"));
    const struct bz_json *sigs = bz_json_get(d, BZ_V("signatures"));
    struct bz_view media = bz_json_str(bz_json_get(root, BZ_V("mediaType")));
    if (!bz_view_eq(media, BZ_V(MEDIA_TYPE)) &&
        !bz_view_eq(media, BZ_V("application/vnd.dev.sigstore.bundle+json;version=0.3")))
        return sig_no(b->diag, BZ_EVERSION, "mediaType is not that of a Sigstore bundle v0.3");
    if (!bz_view_eq(bz_json_str(bz_json_get(d, BZ_V("payloadType"))), BZ_V(SIG_PAYLOAD_TYPE)))
        return sig_no_at(b->diag, d, BZ_ESYNTAX, "payloadType is not " SIG_PAYLOAD_TYPE);
    if (!bz_json_is(sigs, BZ_JSON_ARRAY) || sigs->count != 1)
        return sig_no_at(b->diag, sigs, BZ_ESYNTAX, "there must be exactly one signature");
    if (sig_b64(bz_json_get(d, BZ_V("payload")), b->ar, &b->env.payload) != BZ_OK)
        return sig_no_at(b->diag, d, BZ_ESYNTAX, "payload is not base64");
    if (sig_b64(bz_json_get(sigs->first, BZ_V("sig")), b->ar, &b->env.sig) != BZ_OK ||
        b->env.sig.n == 0 || b->env.sig.n > 1024)
        return sig_no_at(b->diag, sigs, BZ_ESYNTAX, "the signature is not base64");
    b->env.material = bz_json_get(root, BZ_V("verificationMaterial"));
    if (!bz_json_is(b->env.material, BZ_JSON_OBJECT))
        return sig_no(b->diag, BZ_ESYNTAX, "verificationMaterial is missing");
    return BZ_OK;
}

/* The signature over the payload, by this key. */
static enum bz_status check_payload(struct bundle *b, const struct pki_key *k) {
    struct bz_buf pae;
    if (!pki_key_is_model_key(k))
        return sig_no(b->diag, BZ_EDENIED,
                      "the signer's key is not ECDSA over P-256, P-384 or P-521");
    BZ_TRY(pki_key_hint(k, b->ret->key_hint));
    bz_buf_init(&pae, b->env.payload.n + 128);
    sig_pae(b->env.payload, &pae);
    bool good = bz_buf_status(&pae) == BZ_OK && pki_verify(k, bz_buf_view(&pae), b->env.sig);
    bz_buf_free(&pae);
    if (good)
        return BZ_OK;
    /* Releases 0.2 encoded the payload in a way of their own; say that instead of "forged". */
    struct bz_statement old;
    struct bz_diag why = {0, NULL};
    if (bz_statement_parse(b->env.payload, b->ar, &old, &why) == BZ_EVERSION)
        return sig_no(b->diag, BZ_EVERSION, why.why);
    return sig_no(b->diag, BZ_EDENIED, "the signature does not fit the payload and the key");
}

/* ---- flows ---- */

/* Bundles of 1.0 and before carry the key itself, as the text of a PEM file, instead of its hint. */
static enum bz_status check_old_key(struct bundle *b, const struct bz_json *pub,
                                    const struct pki_key *k) {
    struct pki_key *own = NULL;
    struct bz_view pem;
    if (sig_b64(bz_json_get(pub, BZ_V("rawBytes")), b->ar, &pem) != BZ_OK ||
        pki_key_public_pem(pem, &own) != BZ_OK)
        return sig_no_at(b->diag, pub, BZ_ESYNTAX, "it does not say which key signed it");
    bool same = pki_key_same(own, k);
    pki_key_free(own);
    if (!same)
        return sig_no(b->diag, BZ_EDENIED, "it was signed with another key than the given one");
    sig_warn(b->ret, "an old bundle, which carries the key instead of naming it");
    return BZ_OK;
}

static enum bz_status verify_key(struct bundle *b, const struct bz_json *pub) {
    struct pki_key *k = NULL;
    uint8_t hint[BZ_HASH_LEN], said[BZ_HASH_LEN];
    size_t n = 0;
    struct bz_view text = bz_json_str(bz_json_get(pub, BZ_V("hint")));
    if (b->trust->key.n == 0)
        return sig_no(b->diag, BZ_EINVAL,
                      "it is signed with a key: give the signer's public key (--key)");
    if (pki_key_public_pem(b->trust->key, &k) != BZ_OK)
        return sig_no(b->diag, BZ_EINVAL, "the given key is no public key in PEM");
    enum bz_status st = pki_key_hint(k, hint);
    if (st == BZ_OK && text.p == NULL)
        st = check_old_key(b, pub, k);
    else if (st == BZ_OK &&
             (bz_hex_decode(text, said, sizeof said, &n) != BZ_OK || n != sizeof said ||
              !bz_ct_equal(bz_view(hint, sizeof hint), bz_view(said, sizeof said))))
        st = sig_no(b->diag, BZ_EDENIED, "it was signed with another key than the given one");
    if (st == BZ_OK)
        st = check_payload(b, k);
    pki_key_free(k);
    return st;
}

static enum bz_status read_chain(struct bundle *b, const struct bz_json *list,
                                 struct pki_certs *certs, struct pki_certs *between) {
    if (!bz_json_is(list, BZ_JSON_ARRAY) || list->count == 0 || list->count > 16)
        return sig_no_at(b->diag, list, BZ_ESYNTAX, "the certificate chain is empty or too long");
    for (const struct bz_json *n = list->first; n != NULL; n = n->next) {
        struct bz_view der;
        if (sig_b64(bz_json_get(n, BZ_V("rawBytes")), b->ar, &der) != BZ_OK ||
            pki_certs_add_der(n == list->first ? certs : between, der) != BZ_OK)
            return sig_no_at(b->diag, n, BZ_ESYNTAX, "a certificate of the bundle is malformed");
    }
    return BZ_OK;
}

static enum bz_status check_leaf(struct bundle *b, const struct pki_certs *certs) {
    struct pki_key *k = NULL;
    if (pki_cert_key(certs, 0, &k) != BZ_OK)
        return sig_no(b->diag, BZ_ESYNTAX, "the signer's certificate has no usable key");
    enum bz_status st = check_payload(b, k);
    pki_key_free(k);
    return st;
}

/* Time of verification is the leaf's beginning: nobody vouches for another. */
static enum bz_status trust_chain(struct bundle *b, const struct pki_certs *certs,
                                  const struct pki_certs *between, struct pki_certs *roots) {
    uint64_t from = 0, to = 0;
    const char *why = NULL;
    if (pki_certs_add_pem(roots, b->trust->roots) != BZ_OK)
        return sig_no(b->diag, BZ_EINVAL, "the given roots are no certificates in PEM");
    if (!pki_cert_times(certs, 0, &from, &to))
        return sig_no(b->diag, BZ_ESYNTAX, "the signer's certificate has no usable times");
    if (pki_chain(certs, 0, between, roots, from, NULL, &why) != BZ_OK)
        return sig_no(b->diag, BZ_EDENIED, why);
    if (!pki_cert_signs(certs, 0))
        return sig_no(b->diag, BZ_EDENIED, "the signer's certificate is not meant for signing");
    return sig_identity(certs, b->trust, b->ar, b->ret, b->diag);
}

static enum bz_status verify_chain(struct bundle *b, const struct bz_json *chain) {
    struct pki_certs *certs = pki_certs_new(), *between = pki_certs_new(), *roots = pki_certs_new();
    enum bz_status st = certs == NULL || between == NULL || roots == NULL ? BZ_ENOMEM : BZ_OK;
    if (st == BZ_OK && b->trust->roots.n == 0)
        st = sig_no(b->diag, BZ_EINVAL,
                    "it is signed with a certificate: give the roots to trust (--cert)");
    if (st == BZ_OK)
        st = read_chain(b, bz_json_get(chain, BZ_V("certificates")), certs, between);
    if (st == BZ_OK)
        st = check_leaf(b, certs);
    if (st == BZ_OK)
        st = trust_chain(b, certs, between, roots);
    pki_certs_free(certs);
    pki_certs_free(between);
    pki_certs_free(roots);
    return st;
}

static enum bz_status verify_keyless(struct bundle *b, const struct bz_json *leaf) {
    struct pki_certs *certs = pki_certs_new();
    struct bz_view der;
    enum bz_status st = certs == NULL ? BZ_ENOMEM : BZ_OK;
    if (st == BZ_OK && b->trust->trusted_root.n == 0)
        st = sig_no(b->diag, BZ_EINVAL,
                    "it is signed through Sigstore: give its trusted_root.json (--trusted-root)");
    if (st == BZ_OK && (b->trust->identity.n == 0 || b->trust->issuer.n == 0))
        st = sig_no(b->diag, BZ_EINVAL,
                    "it is signed through Sigstore, where anybody can: say who must have signed "
                    "(--identity) and who vouched for that (--issuer)");
    if (st == BZ_OK && (sig_b64(bz_json_get(leaf, BZ_V("rawBytes")), b->ar, &der) != BZ_OK ||
                        pki_certs_add_der(certs, der) != BZ_OK))
        st = sig_no_at(b->diag, leaf, BZ_ESYNTAX, "the signer's certificate is malformed");
    if (st == BZ_OK)
        st = check_leaf(b, certs);
    if (st == BZ_OK)
        st = sig_keyless(&b->env, certs, b->trust, b->ar, b->ret, b->diag);
    pki_certs_free(certs);
    return st;
}

static enum bz_status verify_flow(struct bundle *b) {
    const struct bz_json *pub = bz_json_get(b->env.material, BZ_V("publicKey"));
    const struct bz_json *chain = bz_json_get(b->env.material, BZ_V("x509CertificateChain"));
    const struct bz_json *leaf = bz_json_get(b->env.material, BZ_V("certificate"));
    if ((pub != NULL) + (chain != NULL) + (leaf != NULL) != 1)
        return sig_no_at(b->diag, b->env.material, BZ_ESYNTAX,
                         "there must be one of publicKey, x509CertificateChain, certificate");
    b->ret->flow = pub != NULL ? BZ_SIG_KEY : chain != NULL ? BZ_SIG_CERTIFICATE : BZ_SIG_SIGSTORE;
    return pub != NULL     ? verify_key(b, pub)
           : chain != NULL ? verify_chain(b, chain)
                           : verify_keyless(b, leaf);
}

enum bz_status bz_bundle_verify(struct bz_view bundle, const struct bz_sig_trust *trust,
                                struct bz_arena *ar, struct bz_sig_result *ret,
                                struct bz_diag *diag) {
    struct bz_diag own = {0, NULL};
    struct bz_sig_result out = {.flow = BZ_SIG_KEY};
    struct bundle b = {.ar = ar, .diag = diag == NULL ? &own : diag, .trust = trust, .ret = &out};
    const struct bz_json *root = NULL;
    bz_diag_set(b.diag, 0, NULL);
    enum bz_status st = sig_json(bundle, ar, &root, b.diag);
    if (st == BZ_OK)
        st = read_envelope(&b, root);
    if (st == BZ_OK)
        st = verify_flow(&b);
    if (st == BZ_OK)
        st = bz_statement_parse(b.env.payload, ar, &out.statement, b.diag);
    if (st == BZ_OK)
        *ret = out;
    else if (b.diag->why == NULL)
        b.diag->why = bz_status_text(st);
    return st;
}

/* ---- signing ---- */

struct bz_sig_key; /* is a struct pki_key */
static struct pki_key *key_of(const struct bz_sig_key *k) {
    return (struct pki_key *)(uintptr_t)k;
}

static enum bz_status key_for_models(struct pki_key *k, struct bz_sig_key **ret) {
    if (!pki_key_is_model_key(k)) {
        pki_key_free(k);
        return BZ_EINVAL;
    }
    *ret = (struct bz_sig_key *)(uintptr_t)k;
    return BZ_OK;
}

enum bz_status bz_sig_key_pem(struct bz_view pem, struct bz_view passphrase,
                              struct bz_sig_key **ret) {
    struct pki_key *k = NULL;
    BZ_TRY(pki_key_private_pem(pem, passphrase, &k));
    return key_for_models(k, ret);
}

enum bz_status bz_sig_key_uri(const char *uri, struct bz_sig_key **ret) {
    struct pki_key *k = NULL;
    BZ_TRY(pki_key_private_uri(uri, &k));
    return key_for_models(k, ret);
}

enum bz_status bz_sig_key_make(struct bz_sig_key **ret) {
    struct pki_key *k = NULL;
    BZ_TRY(pki_key_make(&k));
    return key_for_models(k, ret);
}

void bz_sig_key_free(struct bz_sig_key *k) {
    pki_key_free(key_of(k));
}

enum bz_status bz_sig_key_public(const struct bz_sig_key *k, struct bz_buf *out) {
    return pki_key_put_public(key_of(k), out);
}

enum bz_status bz_sig_key_private(const struct bz_sig_key *k, struct bz_buf *out) {
    return pki_key_put_private(key_of(k), out);
}

static void put_b64(struct bz_jw *w, const char *key, struct bz_view v) {
    struct bz_buf b;
    bz_buf_init(&b, v.n / 3 * 4 + 8);
    bz_buf_put_b64(&b, v);
    bz_jw_kstr(w, key, bz_buf_view(&b));
    if (bz_buf_status(&b) != BZ_OK && w->b->st == BZ_OK)
        w->b->st = bz_buf_status(&b);
    bz_buf_free(&b);
}

static enum bz_status put_hint(struct bz_jw *w, const struct pki_key *k) {
    uint8_t hint[BZ_HASH_LEN];
    char hex[2 * BZ_HASH_LEN];
    struct bz_buf h;
    BZ_TRY(pki_key_hint(k, hint));
    bz_buf_init_fixed(&h, hex, sizeof hex);
    bz_buf_put_hex(&h, bz_view(hint, sizeof hint));
    bz_jw_key(w, "publicKey");
    bz_jw_obj(w);
    bz_jw_kstr(w, "hint", bz_buf_view(&h));
    bz_jw_end(w);
    return BZ_OK;
}

static enum bz_status put_chain(struct bz_jw *w, const struct pki_certs *certs) {
    bz_jw_key(w, "x509CertificateChain");
    bz_jw_obj(w);
    bz_jw_key(w, "certificates");
    bz_jw_arr(w);
    for (size_t i = 0; i < pki_certs_n(certs); i++) {
        struct bz_buf der;
        bz_buf_init(&der, 1 << 20);
        enum bz_status st = pki_cert_put_der(certs, i, &der);
        bz_jw_obj(w);
        put_b64(w, "rawBytes", bz_buf_view(&der));
        bz_jw_end(w);
        bz_buf_free(&der);
        BZ_TRY(st);
    }
    bz_jw_end(w);
    bz_jw_end(w);
    return BZ_OK;
}

static enum bz_status put_bundle(struct bz_view payload, struct bz_view sig,
                                 const struct pki_key *k, const struct pki_certs *certs,
                                 struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "mediaType", BZ_V(MEDIA_TYPE));
    bz_jw_key(&w, "verificationMaterial");
    bz_jw_obj(&w);
    BZ_TRY(certs == NULL ? put_hint(&w, k) : put_chain(&w, certs));
    bz_jw_key(&w, "tlogEntries");
    bz_jw_arr(&w);
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_jw_key(&w, "dsseEnvelope");
    bz_jw_obj(&w);
    put_b64(&w, "payload", payload);
    bz_jw_kstr(&w, "payloadType", BZ_V(SIG_PAYLOAD_TYPE));
    bz_jw_key(&w, "signatures");
    bz_jw_arr(&w);
    bz_jw_obj(&w);
    put_b64(&w, "sig", sig);
    bz_jw_kstr(&w, "keyid", BZ_V(""));
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_jw_end(&w);
    return bz_buf_status(out);
}

static enum bz_status load_chain(struct bz_view chain, const struct pki_key *k,
                                 struct pki_certs *certs, struct bz_diag *diag) {
    struct pki_key *leaf = NULL;
    if (certs == NULL)
        return sig_no(diag, BZ_ENOMEM, "out of memory");
    if (pki_certs_add_pem(certs, chain) != BZ_OK)
        return sig_no(diag, BZ_EINVAL, "the chain is no certificates in PEM");
    if (pki_cert_key(certs, 0, &leaf) != BZ_OK)
        return sig_no(diag, BZ_EINVAL, "the first certificate has no usable key");
    bool same = pki_key_same(leaf, k);
    pki_key_free(leaf);
    if (!same)
        return sig_no(diag, BZ_EDENIED, "the key is not that of the first certificate");
    if (!pki_cert_signs(certs, 0))
        return sig_no(diag, BZ_EINVAL, "the first certificate is not meant for signing");
    return BZ_OK;
}

enum bz_status bz_bundle_sign(struct bz_view payload, const struct bz_sig_key *k,
                              struct bz_view chain, struct bz_buf *out, struct bz_diag *diag) {
    struct pki_certs *certs = chain.n == 0 ? NULL : pki_certs_new();
    struct bz_buf pae, sig;
    bz_buf_init(&pae, payload.n + 128);
    bz_buf_init(&sig, 1024);
    enum bz_status st = chain.n == 0 ? BZ_OK : load_chain(chain, key_of(k), certs, diag);
    if (st == BZ_OK) {
        sig_pae(payload, &pae);
        st = bz_buf_status(&pae);
    }
    if (st == BZ_OK) {
        st = pki_sign(key_of(k), bz_buf_view(&pae), &sig);
        if (st != BZ_OK)
            bz_diag_set(diag, 0, "the key refuses to sign");
    }
    if (st == BZ_OK)
        st = put_bundle(payload, bz_buf_view(&sig), key_of(k), certs, out);
    bz_buf_free(&pae);
    bz_buf_free(&sig);
    pki_certs_free(certs);
    return st;
}
