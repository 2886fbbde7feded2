/* Keyless signatures: a certificate that lives ten minutes, and witnesses of the time when it was used. */
#include "sig_int.h"

enum { TIMES_MAX = 32 };

struct keyless {
    const struct sig_envelope *env;
    const struct pki_certs *certs;
    struct bz_arena *ar;
    struct bz_sig_result *ret;
    struct bz_diag *diag;
    struct sig_root root;
    uint64_t times[TIMES_MAX]; /* each of them must fit: first of the stamps, then of the log */
    size_t times_n;
    uint64_t logged_at; /* 0: the log signs no times */
};

/* ---- identity ---- */

struct wanted {
    const struct bz_sig_trust *trust;
    struct bz_arena *ar;
    struct bz_view found, first;
};

static bool try_name(void *ctx, struct bz_view name) {
    struct wanted *w = ctx;
    if (w->first.p == NULL)
        w->first = bz_arena_dup(w->ar, name);
    if (w->trust->identity.n == 0 || !bz_view_eq(name, w->trust->identity))
        return false;
    w->found = bz_arena_dup(w->ar, name);
    return w->found.p != NULL;
}

enum bz_status sig_identity(const struct pki_certs *certs, const struct bz_sig_trust *trust,
                            struct bz_arena *ar, struct bz_sig_result *ret, struct bz_diag *diag) {
    struct wanted w = {.trust = trust, .ar = ar};
    bool found = pki_cert_names(certs, 0, try_name, &w);
    if (trust->identity.n > 0 && !found)
        return sig_no(diag, BZ_EDENIED, "it was signed by somebody else than the given identity");
    ret->identity = found ? w.found : w.first;
    if (trust->identity.n == 0)
        sig_warn(ret, "no --identity was given: whoever has a certificate of these roots may sign");
    return BZ_OK;
}

static enum bz_status check_issuer(struct keyless *k, const struct bz_sig_trust *trust) {
    struct bz_buf b;
    bz_buf_init(&b, 4096);
    enum bz_status st = pki_cert_issuer(k->certs, 0, &b);
    if (st != BZ_OK)
        st = sig_no(k->diag, BZ_EDENIED, "the certificate does not say who vouched for its owner");
    else if (!bz_view_eq(bz_buf_view(&b), trust->issuer))
        st = sig_no(k->diag, BZ_EDENIED,
                    "somebody else than the given issuer vouched for the signer");
    else
        k->ret->issuer = bz_arena_dup(k->ar, bz_buf_view(&b));
    bz_buf_free(&b);
    return st;
}

/* ---- times ---- */

static enum bz_status add_time(struct keyless *k, uint64_t t) {
    if (k->times_n == TIMES_MAX)
        return sig_no(k->diag, BZ_ETOOBIG, "more than 32 log entries and timestamps");
    k->times[k->times_n++] = t;
    return BZ_OK;
}

static enum bz_status read_entries(struct keyless *k) {
    const struct bz_json *list = bz_json_get(k->env->material, BZ_V("tlogEntries"));
    if (!bz_json_is(list, BZ_JSON_ARRAY) || list->count == 0)
        return sig_no_at(k->diag, k->env->material, BZ_EDENIED,
                         "there is no entry of a transparency log");
    const struct sig_stamps stamps = {k->times, k->times_n};
    for (const struct bz_json *n = list->first; n != NULL; n = n->next) {
        uint64_t t = 0;
        BZ_TRY(sig_entry(n, k->env, k->certs, &k->root, &stamps, k->ar, &t, &k->ret->log_index,
                         k->diag));
        if (t == 0)
            continue;
        if (k->logged_at == 0)
            k->logged_at = t;
        BZ_TRY(add_time(k, t));
    }
    k->ret->logged = true;
    return BZ_OK;
}

static enum bz_status one_stamp(struct keyless *k, struct bz_view token, uint64_t *ret) {
    enum bz_status st = BZ_EDENIED;
    for (size_t i = 0; i < k->root.tsa_n && st != BZ_OK; i++) {
        const struct sig_authority *a = &k->root.tsa[i];
        uint64_t t = 0;
        st = pki_timestamp(token, k->env->sig, a->between, a->roots, &t);
        if (st == BZ_OK && !sig_within(&a->span, t))
            st = BZ_EDENIED;
        if (st == BZ_OK)
            *ret = t;
    }
    return st;
}

static enum bz_status read_stamps(struct keyless *k) {
    const struct bz_json *list =
        bz_json_get(bz_json_get(k->env->material, BZ_V("timestampVerificationData")),
                    BZ_V("rfc3161Timestamps"));
    if (list == NULL)
        return BZ_OK;
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return sig_no_at(k->diag, list, BZ_ESYNTAX, "the list of timestamps is malformed");
    if (list->count > 0 && k->root.tsa_n == 0) {
        sig_warn(k->ret, "its RFC 3161 timestamp was not checked: the trusted root names no "
                         "timestamp authority; the log's time counts");
        return BZ_OK;
    }
    for (const struct bz_json *n = list->first; n != NULL; n = n->next) {
        struct bz_view token;
        uint64_t t = 0;
        if (sig_b64(bz_json_get(n, BZ_V("signedTimestamp")), k->ar, &token) != BZ_OK)
            return sig_no_at(k->diag, n, BZ_ESYNTAX, "a timestamp is not base64");
        if (one_stamp(k, token, &t) != BZ_OK)
            return sig_no_at(k->diag, n, BZ_EDENIED,
                             "a timestamp is not by an authority of the trusted root, or is about "
                             "another signature");
        BZ_TRY(add_time(k, t));
        k->ret->timestamped = true;
    }
    return BZ_OK;
}

/* ---- certificate ---- */

/* The first authority that vouches for the leaf at all these times. */
static enum bz_status check_chain(struct keyless *k, struct pki_key **ret_issuer) {
    const char *why = "the signer's certificate was issued by no authority of the trusted root";
    for (size_t i = 0; i < k->root.ca_n; i++) {
        const struct sig_authority *a = &k->root.ca[i];
        struct pki_key *issuer = NULL;
        bool good = k->times_n > 0;
        for (size_t t = 0; t < k->times_n && good; t++) {
            pki_key_free(issuer);
            issuer = NULL;
            good =
                sig_within(&a->span, k->times[t]) &&
                pki_chain(k->certs, 0, a->between, a->roots, k->times[t], &issuer, &why) == BZ_OK;
        }
        if (good) {
            *ret_issuer = issuer;
            return BZ_OK;
        }
        pki_key_free(issuer);
    }
    return sig_no(k->diag, BZ_EDENIED, why);
}

static bool sct_good(void *ctx, const struct pki_sct *s) {
    const struct keyless *k = ctx;
    const struct sig_log *l =
        sig_log_find(k->root.ctlog, k->root.ctlog_n, s->log, s->time_ms / 1000);
    return l != NULL && pki_verify_log(l->key, s->data, s->sig);
}

static enum bz_status check_sct(struct keyless *k, const struct pki_key *issuer) {
    if (k->root.ctlog_n == 0) {
        sig_warn(k->ret, "certificate transparency was not checked: the trusted root names no "
                         "such log");
        return BZ_OK;
    }
    enum bz_status st = pki_scts(k->certs, 0, issuer, sct_good, k);
    if (st == BZ_ENOTFOUND)
        return sig_no(k->diag, BZ_EDENIED,
                      "the signer's certificate stands in no certificate transparency log");
    if (st != BZ_OK)
        return sig_no(k->diag, BZ_EDENIED,
                      "no log of the trusted root vouches for the signer's certificate");
    k->ret->sct = true;
    return BZ_OK;
}

static enum bz_status check(struct keyless *k, const struct bz_sig_trust *trust) {
    struct pki_key *issuer = NULL;
    BZ_TRY(sig_root_parse(trust->trusted_root, k->ar, &k->root, k->diag));
    BZ_TRY(read_stamps(k));
    BZ_TRY(read_entries(k));
    BZ_TRY(check_chain(k, &issuer));
    enum bz_status st = check_sct(k, issuer);
    pki_key_free(issuer);
    BZ_TRY(st);
    if (!pki_cert_code_signing(k->certs, 0))
        return sig_no(k->diag, BZ_EDENIED,
                      "the signer's certificate is not meant for code signing");
    BZ_TRY(sig_identity(k->certs, trust, k->ar, k->ret, k->diag));
    BZ_TRY(check_issuer(k, trust));
    k->ret->signed_at = k->logged_at != 0 ? k->logged_at : k->times[0];
    return BZ_OK;
}

enum bz_status sig_keyless(const struct sig_envelope *e, const struct pki_certs *certs,
                           const struct bz_sig_trust *trust, struct bz_arena *ar,
                           struct bz_sig_result *ret, struct bz_diag *diag) {
    /* 5 KiB: not for the stack */
    struct keyless *k = bz_arena_zalloc(ar, sizeof *k);
    if (k == NULL)
        return sig_no(diag, BZ_ENOMEM, "out of memory");
    *k = (struct keyless){.env = e, .certs = certs, .ar = ar, .ret = ret, .diag = diag};
    enum bz_status st = check(k, trust);
    sig_root_free(&k->root);
    return st;
}
