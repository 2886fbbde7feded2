/* Sigstore's trusted_root.json: whose keys and certificates count, and when they did. */
#include "sig_int.h"

/* ---- times ---- */

static bool digits(struct bz_view v, size_t at, size_t n, uint64_t *ret) {
    return bz_view_u64(bz_view_sub(v, at, n), ret) == BZ_OK && v.n >= at + n;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static uint64_t days_of(uint64_t y, uint64_t m, uint64_t d) {
    static const uint16_t before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    uint64_t past = y - 1;
    return past * 365 + past / 4 - past / 100 + past / 400 - 719162 + before[m - 1] +
           (leap && m > 2) + d - 1;
}

/* "2021-01-12T11:53:27.000Z": digits, and these marks between them. */
static bool form_ok(struct bz_view v) {
    static const char form[] = "0000-00-00T00:00:00";
    for (size_t i = 0; i < sizeof form - 1; i++) {
        if (form[i] != '0' && v.p[i] != form[i])
            return false;
    }
    uint64_t fraction = 0;
    return v.p[v.n - 1] == 'Z' &&
           (v.n == 20 || (v.p[19] == '.' && v.n <= 30 && digits(v, 20, v.n - 21, &fraction)));
}

bool sig_time(struct bz_view v, uint64_t *ret) {
    static const uint8_t at[6] = {0, 5, 8, 11, 14, 17};
    static const uint16_t least[6] = {1970, 1, 1, 0, 0, 0}, most[6] = {9999, 12, 31, 23, 59, 60};
    uint64_t f[6];
    if (v.n < 20 || !form_ok(v))
        return false;
    for (size_t i = 0; i < 6; i++) {
        if (!digits(v, at[i], i == 0 ? 4 : 2, &f[i]) || f[i] < least[i] || f[i] > most[i])
            return false;
    }
    *ret = ((days_of(f[0], f[1], f[2]) * 24 + f[3]) * 60 + f[4]) * 60 + f[5];
    return true;
}

/* validFor may be left out, and so may its ends: then it is not limited. */
static bool read_span(const struct bz_json *n, struct sig_span *ret) {
    const struct bz_json *from = bz_json_get(n, BZ_V("start"));
    const struct bz_json *to = bz_json_get(n, BZ_V("end"));
    *ret = (struct sig_span){0, UINT64_MAX};
    return (from == NULL || sig_time(bz_json_str(from), &ret->from)) &&
           (to == NULL || sig_time(bz_json_str(to), &ret->to));
}

/* ---- logs ---- */

static enum bz_status read_log(const struct bz_json *n, struct bz_arena *ar, struct sig_log *ret,
                               struct bz_diag *diag) {
    const struct bz_json *key = bz_json_get(n, BZ_V("publicKey"));
    uint8_t id[BZ_HASH_LEN];
    struct bz_view spki;
    if (sig_b64(bz_json_get(key, BZ_V("rawBytes")), ar, &spki) != BZ_OK ||
        pki_key_public_der(spki, &ret->key) != BZ_OK)
        return sig_no_at(diag, n, BZ_EINVAL, "trusted root: a log's key cannot be read");
    if (!sig_b64_exact(bz_json_get(bz_json_get(n, BZ_V("logId")), BZ_V("keyId")), ret->id,
                       sizeof ret->id))
        return sig_no_at(diag, n, BZ_EINVAL, "trusted root: a log has no id");
    /* The id is the key's hash; Ed25519 logs may have ids of another make. */
    if (pki_key_id(ret->key, id) != BZ_OK ||
        !read_span(bz_json_get(key, BZ_V("validFor")), &ret->span))
        return sig_no_at(diag, n, BZ_EINVAL, "trusted root: a log's time of validity is malformed");
    return BZ_OK;
}

static enum bz_status read_logs(const struct bz_json *list, struct bz_arena *ar,
                                struct sig_log *out, size_t *ret_n, struct bz_diag *diag) {
    if (list == NULL)
        return BZ_OK;
    if (!bz_json_is(list, BZ_JSON_ARRAY) || list->count > SIG_LOGS_MAX)
        return sig_no_at(diag, list, BZ_EINVAL, "trusted root: more than 32 logs, or no list");
    for (const struct bz_json *n = list->first; n != NULL; n = n->next)
        BZ_TRY(read_log(n, ar, &out[(*ret_n)++], diag));
    return BZ_OK;
}

const struct sig_log *sig_log_find(const struct sig_log *list, size_t n,
                                   const uint8_t id[BZ_HASH_LEN], uint64_t at) {
    for (size_t i = 0; i < n; i++) {
        if (bz_view_eq(bz_view(list[i].id, BZ_HASH_LEN), bz_view(id, BZ_HASH_LEN)) &&
            sig_within(&list[i].span, at))
            return &list[i];
    }
    return NULL;
}

/* ---- authorities ---- */

/* Some files list the root first, some last: a certificate that its own key signed is a root, and when there is none the
 * last one is. */
static enum bz_status read_authority(const struct bz_json *n, struct bz_arena *ar,
                                     struct sig_authority *ret, struct bz_diag *diag) {
    const struct bz_json *list =
        bz_json_get(bz_json_get(n, BZ_V("certChain")), BZ_V("certificates"));
    ret->roots = pki_certs_new();
    ret->between = pki_certs_new();
    if (ret->roots == NULL || ret->between == NULL)
        return sig_no(diag, BZ_ENOMEM, "out of memory");
    if (!bz_json_is(list, BZ_JSON_ARRAY) || list->count == 0 || list->count > 16 ||
        !read_span(bz_json_get(n, BZ_V("validFor")), &ret->span))
        return sig_no_at(diag, n, BZ_EINVAL, "trusted root: an authority is malformed");
    struct bz_view last = bz_view(NULL, 0);
    for (const struct bz_json *c = list->first; c != NULL; c = c->next) {
        struct bz_view der;
        if (sig_b64(bz_json_get(c, BZ_V("rawBytes")), ar, &der) != BZ_OK)
            return sig_no_at(diag, c, BZ_EINVAL, "trusted root: a certificate is malformed");
        bool own = pki_der_self_signed(der);
        if (pki_certs_add_der(own ? ret->roots : ret->between, der) != BZ_OK)
            return sig_no_at(diag, c, BZ_EINVAL, "trusted root: a certificate is malformed");
        last = der;
    }
    if (pki_certs_n(ret->roots) == 0)
        return pki_certs_add_der(ret->roots, last);
    return BZ_OK;
}

static enum bz_status read_authorities(const struct bz_json *list, struct bz_arena *ar,
                                       struct sig_authority *out, size_t *ret_n,
                                       struct bz_diag *diag) {
    if (list == NULL)
        return BZ_OK;
    if (!bz_json_is(list, BZ_JSON_ARRAY) || list->count > SIG_AUTHORITIES_MAX)
        return sig_no_at(diag, list, BZ_EINVAL,
                         "trusted root: more than 32 authorities, or no list");
    for (const struct bz_json *n = list->first; n != NULL; n = n->next)
        BZ_TRY(read_authority(n, ar, &out[(*ret_n)++], diag));
    return BZ_OK;
}

enum bz_status sig_root_parse(struct bz_view text, struct bz_arena *ar, struct sig_root *ret,
                              struct bz_diag *diag) {
    const struct bz_json *root = NULL;
    *ret = (struct sig_root){.tlog_n = 0};
    enum bz_status st = sig_json(text, ar, &root, diag);
    if (st != BZ_OK)
        return sig_no(diag, BZ_EINVAL, "trusted root: not a JSON object");
    BZ_TRY(read_logs(bz_json_get(root, BZ_V("tlogs")), ar, ret->tlog, &ret->tlog_n, diag));
    BZ_TRY(read_logs(bz_json_get(root, BZ_V("ctlogs")), ar, ret->ctlog, &ret->ctlog_n, diag));
    BZ_TRY(read_authorities(bz_json_get(root, BZ_V("certificateAuthorities")), ar, ret->ca,
                            &ret->ca_n, diag));
    BZ_TRY(read_authorities(bz_json_get(root, BZ_V("timestampAuthorities")), ar, ret->tsa,
                            &ret->tsa_n, diag));
    if (ret->ca_n == 0)
        return sig_no(diag, BZ_EINVAL, "trusted root: it names no certificate authority");
    return BZ_OK;
}

static void free_authorities(struct sig_authority *a, size_t n) {
    for (size_t i = 0; i < n; i++) {
        pki_certs_free(a[i].roots);
        pki_certs_free(a[i].between);
    }
}

void sig_root_free(struct sig_root *r) {
    for (size_t i = 0; i < r->tlog_n; i++)
        pki_key_free(r->tlog[i].key);
    for (size_t i = 0; i < r->ctlog_n; i++)
        pki_key_free(r->ctlog[i].key);
    free_authorities(r->ca, r->ca_n);
    free_authorities(r->tsa, r->tsa_n);
    *r = (struct sig_root){.tlog_n = 0};
}
