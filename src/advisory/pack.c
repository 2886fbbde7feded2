/* Signed packs of advisories. */
#include <bartizan/text.h>
#include "advisory_int.h"

#define FIRST_LINE "bartizan-advisory-pack 1\n"
enum { KEY_ID_LEN = 8, NAME_MAX_LEN = 64, LINE_MAX_LEN = 256 };

/* ---- time ---- */

/* Days since 1970-01-01 of a date of the Gregorian calendar. Source: H. Hinnant, "chrono-compatible
 * low-level date algorithms". */
static int64_t days_of(int64_t y, int64_t m, int64_t d) {
    y -= m <= 2;
    int64_t era = y / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool digits(struct bz_view v, size_t at, size_t n, uint64_t least, uint64_t most,
                   uint64_t *ret) {
    struct bz_view part = bz_view_sub(v, at, n);
    return part.n == n && bz_view_u64(part, ret) == BZ_OK && *ret >= least && *ret <= most;
}

static bool is_at(struct bz_view v, size_t at, uint8_t c) {
    return at < v.n && v.p[at] == c;
}

static bool clock_of(struct bz_view v, uint64_t *ret) {
    uint64_t h, m, s;
    if (!digits(v, 0, 2, 0, 23, &h) || !is_at(v, 2, ':') || !digits(v, 3, 2, 0, 59, &m) ||
        !is_at(v, 5, ':') || !digits(v, 6, 2, 0, 60, &s))
        return false;
    v = bz_view_sub(v, 8, v.n);
    size_t at = 0;
    if (is_at(v, 0, '.') && bz_version_take_number(v = bz_view_sub(v, 1, v.n), &at).n == 0)
        return false;
    *ret = h * 3600 + m * 60 + s;
    return at + 1 == v.n && v.p[at] == 'Z';
}

enum bz_status bz_advisory_time(struct bz_view text, uint64_t *ret) {
    uint64_t y, m, d, clock = 0;
    if (!digits(text, 0, 4, 1970, 9999, &y) || !is_at(text, 4, '-') ||
        !digits(text, 5, 2, 1, 12, &m) || !is_at(text, 7, '-') || !digits(text, 8, 2, 1, 31, &d))
        return BZ_ESYNTAX;
    if (text.n > 10 && (text.p[10] != 'T' || !clock_of(bz_view_sub(text, 11, text.n), &clock)))
        return BZ_ESYNTAX;
    *ret = (uint64_t)days_of((int64_t)y, (int64_t)m, (int64_t)d) * 86400 + clock;
    return BZ_OK;
}

/* ---- keys ---- */

static void key_id(const struct bz_advisory_key *key, uint8_t out[KEY_ID_LEN]) {
    uint8_t hash[BZ_HASH_LEN];
    bz_sha256(bz_view(key->pub, sizeof key->pub), hash);
    memcpy(out, hash, KEY_ID_LEN);
}

enum bz_status bz_advisory_key_parse(struct bz_view text, struct bz_advisory_key *ret) {
    struct bz_view prefix = BZ_V("ed25519:");
    size_t n = 0;
    if (!bz_view_starts(text, prefix))
        return BZ_ESYNTAX;
    enum bz_status st =
        bz_hex_decode(bz_view_sub(text, prefix.n, text.n), ret->pub, sizeof ret->pub, &n);
    return st == BZ_OK && n == sizeof ret->pub ? BZ_OK : BZ_ESYNTAX;
}

void bz_advisory_key_text(const struct bz_advisory_key *key, struct bz_buf *out) {
    bz_buf_puts(out, "ed25519:");
    bz_buf_put_hex(out, bz_view(key->pub, sizeof key->pub));
}

/* ---- document ---- */

static enum bz_status bad(struct bz_diag *diag, uint64_t at, const char *why) {
    bz_diag_set(diag, at, why);
    return BZ_ESYNTAX;
}

static bool name_ok(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (!bz_version_digit(c) && !(c >= 'a' && c <= 'z') && c != '-')
            return false;
    }
    return v.n > 0 && v.n <= NAME_MAX_LEN && v.p[0] != '-';
}

static enum bz_status check_records(const struct bz_advisory_pack *p, struct bz_diag *diag) {
    size_t patches = 0;
    for (const struct bz_json *n = p->advisories->first; n != NULL; n = n->next) {
        struct bz_advisory a;
        struct bz_patch rule;
        struct bz_priority priority;
        enum bz_status st;
        BZ_TRY(bz_advisory_read(n, &a, diag));
        BZ_TRY(bz_advisory_priority(&a, &priority, diag));
        size_t i = 0;
        while ((st = bz_advisory_patch(&a, i, &rule, diag)) == BZ_OK)
            i++;
        if (st != BZ_ENOTFOUND)
            return st;
        patches += i;
    }
    if (patches > BZ_ADVISORY_PATCHES_MAX) {
        bz_diag_set(diag, p->advisories->off, "too many patches");
        return BZ_ETOOBIG;
    }
    return BZ_OK;
}

enum bz_status bz_advisory_pack_read(struct bz_view document, struct bz_arena *ar,
                                     struct bz_advisory_pack *ret, struct bz_diag *diag) {
    const struct bz_json_opts opts = {.max_nodes = 4u << 20};
    struct bz_json *root = NULL;
    struct bz_advisory_pack p = {0};
    int64_t version = 0;
    if (document.n > BZ_ADVISORY_PACK_MAX) {
        bz_diag_set(diag, 0, "the pack is too large");
        return BZ_ETOOBIG;
    }
    BZ_TRY(bz_json_parse(document, &opts, ar, &root, diag));
    p.name = bz_adv_text(root, BZ_V("name"));
    p.advisories = bz_json_get(root, BZ_V("advisories"));
    if (!name_ok(p.name))
        return bad(diag, root->off, "the pack's name is missing, or not of a-z, 0-9 and dashes");
    if (bz_json_i64(bz_json_get(root, BZ_V("version")), &version) != BZ_OK || version < 1)
        return bad(diag, root->off, "the pack's version is missing or below 1");
    if (bz_advisory_time(bz_adv_text(root, BZ_V("issued")), &p.issued) != BZ_OK ||
        bz_advisory_time(bz_adv_text(root, BZ_V("expires")), &p.expires) != BZ_OK)
        return bad(diag, root->off, "the pack does not say when it was issued and when it expires");
    if (!bz_json_is(p.advisories, BZ_JSON_ARRAY))
        return bad(diag, root->off, "the pack has no list of advisories");
    p.version = (uint64_t)version;
    p.count = p.advisories->count;
    BZ_TRY(check_records(&p, diag));
    bz_sha256(document, p.digest);
    *ret = p;
    return BZ_OK;
}

/* ---- file ---- */

/* "label: value" up to its line feed. */
static bool line_of(struct bz_view *v, struct bz_view label, struct bz_view *ret) {
    const uint8_t *nl =
        v->n == 0 ? NULL : memchr(v->p, '\n', v->n < LINE_MAX_LEN ? v->n : LINE_MAX_LEN);
    if (nl == NULL || !bz_view_starts(*v, label))
        return false;
    *ret = bz_view(v->p + label.n, (size_t)(nl - v->p) - label.n);
    *v = bz_view_sub(*v, (size_t)(nl - v->p) + 1, v->n);
    return true;
}

/* What is signed: the first line, so that no other kind of document can pass for a pack, and the
 * document. */
static void signed_hash(struct bz_view document, uint8_t out[BZ_HASH_LEN]) {
    struct bz_sha256 s;
    bz_sha256_init(&s);
    bz_sha256_add(&s, BZ_V(FIRST_LINE));
    bz_sha256_add(&s, document);
    bz_sha256_end(&s, out);
}

static bool find_key(struct bz_view id, const struct bz_advisory_key *keys, size_t n, size_t *ret) {
    for (size_t i = 0; i < n; i++) {
        uint8_t own[KEY_ID_LEN];
        key_id(&keys[i], own);
        if (bz_view_eq(id, bz_view(own, sizeof own))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

enum bz_status bz_advisory_pack_open(struct bz_view file, const struct bz_advisory_key *keys,
                                     size_t keys_n, struct bz_arena *ar,
                                     struct bz_advisory_pack *ret, struct bz_diag *diag) {
    struct bz_view rest = file, id_text, sig_text;
    uint8_t id[KEY_ID_LEN], sig[BZ_SIGN_LEN], hash[BZ_HASH_LEN];
    size_t id_n = 0, sig_n = 0, key = 0;
    bz_diag_set(diag, 0, "it is no advisory pack");
    if (!bz_view_starts(rest, BZ_V(FIRST_LINE)))
        return BZ_ESYNTAX;
    rest = bz_view_sub(rest, sizeof FIRST_LINE - 1, rest.n);
    if (!line_of(&rest, BZ_V("key: "), &id_text) ||
        !line_of(&rest, BZ_V("signature: "), &sig_text) ||
        bz_hex_decode(id_text, id, sizeof id, &id_n) != BZ_OK || id_n != sizeof id ||
        bz_b64_decode(sig_text, sig, sizeof sig, &sig_n) != BZ_OK || sig_n != sizeof sig)
        return bad(diag, sizeof FIRST_LINE - 1, "the lines before the document are not a pack's");
    if (!find_key(bz_view(id, sizeof id), keys, keys_n, &key)) {
        bz_diag_set(diag, sizeof FIRST_LINE - 1,
                    "it is signed with a key that is not trusted here");
        return BZ_EDENIED;
    }
    signed_hash(rest, hash);
    if (!bz_sign_check(keys[key].pub, bz_view(hash, sizeof hash), sig)) {
        bz_diag_set(diag, sizeof FIRST_LINE - 1,
                    "its signature is wrong: it was changed or is damaged");
        return BZ_EDENIED;
    }
    enum bz_status st = bz_advisory_pack_read(rest, ar, ret, diag);
    if (st == BZ_OK)
        ret->key = key;
    else if (diag != NULL)
        diag->offset += file.n - rest.n;
    return st;
}

void bz_advisory_pack_sign(struct bz_view document, const uint8_t secret[BZ_SIGN_SECRET_LEN],
                           const struct bz_advisory_key *key, struct bz_buf *out) {
    uint8_t id[KEY_ID_LEN], hash[BZ_HASH_LEN], sig[BZ_SIGN_LEN];
    key_id(key, id);
    signed_hash(document, hash);
    bz_sign(secret, bz_view(hash, sizeof hash), sig);
    bz_buf_puts(out, FIRST_LINE "key: ");
    bz_buf_put_hex(out, bz_view(id, sizeof id));
    bz_buf_puts(out, "\nsignature: ");
    bz_buf_put_b64(out, bz_view(sig, sizeof sig));
    bz_buf_putc(out, '\n');
    bz_buf_put(out, document);
}

enum bz_status bz_advisory_pack_accept(const struct bz_advisory_pack *got, uint64_t had_version,
                                       const uint8_t had_digest[BZ_HASH_LEN], uint64_t now) {
    if (now >= got->expires)
        return BZ_EEXPIRED;
    if (got->version < had_version)
        return BZ_ERANGE;
    if (got->version > had_version)
        return BZ_OK;
    bool equal = bz_ct_equal(bz_view(got->digest, BZ_HASH_LEN), bz_view(had_digest, BZ_HASH_LEN));
    return equal ? BZ_EEXISTS : BZ_ECORRUPT;
}
