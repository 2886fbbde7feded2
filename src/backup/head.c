/* The head of an archive:
 *   "BZBACKUP" | le32 version | le32 length of the head | id 16 | instance 8 | le64 created
 *   | signer 32 | le32 depth | base id 16 | base digest 32 | le32 recipients
 *   | per recipient: hint 8, sealed keys 112 */
#include "backup_int.h"

enum { VERSION = 1, FIXED = 136, RECIPIENT = 8 + BZ_BACKUP_SEALED };

_Static_assert(FIXED + BZ_BACKUP_RECIPIENTS_MAX * RECIPIENT <= BZ_BACKUP_HEAD_MAX, "a head fits");

static void hint_of(const uint8_t pub[BZ_BOX_LEN], uint8_t out[8]) {
    uint8_t h[BZ_HASH_LEN];
    bz_sha256(bz_view(pub, BZ_BOX_LEN), h);
    memcpy(out, h, 8);
}

static bool same_hint(const uint8_t a[8], const uint8_t b[8]) {
    return bz_view_eq(bz_view(a, 8), bz_view(b, 8));
}

bool bz_backup_head_has(const struct bz_backup_head *h, const uint8_t pub[BZ_BOX_LEN]) {
    uint8_t hint[8];
    hint_of(pub, hint);
    for (uint32_t i = 0; i < h->recipients_n; i++)
        if (same_hint(h->recipient[i].hint, hint))
            return true;
    return false;
}

enum bz_status bz_backup_head_add(struct bz_backup_head *h, const uint8_t pub[BZ_BOX_LEN],
                                  const struct bz_backup_secrets *s) {
    uint8_t plain[2 * BZ_KEY_LEN];
    if (h->recipients_n >= BZ_BACKUP_RECIPIENTS_MAX)
        return BZ_ETOOBIG;
    struct bz_backup_recipient *r = &h->recipient[h->recipients_n];
    if (bz_backup_head_has(h, pub))
        return BZ_EEXISTS;
    hint_of(pub, r->hint);
    memcpy(plain, s->file_key, BZ_KEY_LEN);
    memcpy(plain + BZ_KEY_LEN, s->name_key, BZ_KEY_LEN);
    enum bz_status st = bz_box_seal(pub, bz_view(plain, sizeof plain), r->sealed);
    bz_wipe(plain, sizeof plain);
    if (st != BZ_OK)
        return BZ_EINVAL;
    h->recipients_n++;
    return BZ_OK;
}

void bz_backup_head_encode(const struct bz_backup_head *h, struct bz_buf *out) {
    bz_buf_puts(out, "BZBACKUP");
    bz_buf_put_le32(out, VERSION);
    bz_buf_put_le32(out, FIXED + h->recipients_n * RECIPIENT);
    bz_buf_put(out, bz_view(h->id, sizeof h->id));
    bz_buf_put(out, bz_view(h->instance, sizeof h->instance));
    bz_buf_put_le64(out, h->created_ns);
    bz_buf_put(out, bz_view(h->signer, sizeof h->signer));
    bz_buf_put_le32(out, h->depth);
    bz_buf_put(out, bz_view(h->base_id, sizeof h->base_id));
    bz_buf_put(out, bz_view(h->base_digest, sizeof h->base_digest));
    bz_buf_put_le32(out, h->recipients_n);
    for (uint32_t i = 0; i < h->recipients_n; i++) {
        bz_buf_put(out, bz_view(h->recipient[i].hint, 8));
        bz_buf_put(out, bz_view(h->recipient[i].sealed, BZ_BACKUP_SEALED));
    }
}

static void take(struct bz_rd *r, void *to, size_t n) {
    struct bz_view v = bz_rd_take(r, n);
    if (v.n == n)
        memcpy(to, v.p, n);
}

/* Depth and base belong together: a whole archive names none. */
static bool base_ok(const struct bz_backup_head *h) {
    static const uint8_t zero[BZ_HASH_LEN];
    bool none = bz_view_eq(bz_view(h->base_id, BZ_BACKUP_ID), bz_view(zero, BZ_BACKUP_ID));
    bool no_hash = bz_ct_equal(bz_view(h->base_digest, BZ_HASH_LEN), bz_view(zero, BZ_HASH_LEN));
    return h->depth < BZ_BACKUP_CHAIN_MAX && none == (h->depth == 0) && no_hash == none;
}

static enum bz_status decode_rest(struct bz_rd *r, struct bz_backup_head *h) {
    take(r, h->id, sizeof h->id);
    take(r, h->instance, sizeof h->instance);
    h->created_ns = bz_rd_le64(r);
    take(r, h->signer, sizeof h->signer);
    h->depth = bz_rd_le32(r);
    take(r, h->base_id, sizeof h->base_id);
    take(r, h->base_digest, sizeof h->base_digest);
    h->recipients_n = bz_rd_count(r, RECIPIENT);
    if (!bz_rd_ok(r) || h->recipients_n == 0 || h->recipients_n > BZ_BACKUP_RECIPIENTS_MAX)
        return BZ_ECORRUPT;
    for (uint32_t i = 0; i < h->recipients_n; i++) {
        take(r, h->recipient[i].hint, 8);
        take(r, h->recipient[i].sealed, BZ_BACKUP_SEALED);
        for (uint32_t k = 0; k < i; k++)
            if (same_hint(h->recipient[i].hint, h->recipient[k].hint))
                return BZ_ECORRUPT;
    }
    return bz_rd_end(r) == BZ_OK && base_ok(h) ? BZ_OK : BZ_ECORRUPT;
}

enum bz_status bz_backup_head_decode(struct bz_view in, struct bz_backup_head *ret,
                                     size_t *ret_used) {
    struct bz_backup_head h = {0};
    struct bz_rd r;
    bz_rd_init(&r, in);
    struct bz_view magic = bz_rd_take(&r, 8);
    uint32_t version = bz_rd_le32(&r);
    uint32_t length = bz_rd_le32(&r);
    if (!bz_view_eq(magic, BZ_V("BZBACKUP")) || !bz_rd_ok(&r))
        return BZ_ESYNTAX;
    if (version != VERSION)
        return BZ_EVERSION;
    if (length < FIXED || length > in.n || length > BZ_BACKUP_HEAD_MAX)
        return BZ_ECORRUPT;
    struct bz_rd body = bz_rd_sub(&r, length - 16);
    BZ_TRY(decode_rest(&body, &h));
    *ret = h;
    *ret_used = length;
    return BZ_OK;
}

enum bz_status bz_backup_head_open(const struct bz_backup_head *h, const uint8_t sec[BZ_BOX_LEN],
                                   struct bz_backup_secrets *ret) {
    uint8_t pub[BZ_BOX_LEN], hint[8], plain[2 * BZ_KEY_LEN];
    bz_box_public(sec, pub);
    hint_of(pub, hint);
    for (uint32_t i = 0; i < h->recipients_n; i++) {
        const struct bz_backup_recipient *r = &h->recipient[i];
        if (!same_hint(r->hint, hint))
            continue;
        BZ_TRY(bz_box_open(sec, bz_view(r->sealed, sizeof r->sealed), plain));
        memcpy(ret->file_key, plain, BZ_KEY_LEN);
        memcpy(ret->name_key, plain + BZ_KEY_LEN, BZ_KEY_LEN);
        bz_wipe(plain, sizeof plain);
        return BZ_OK;
    }
    return BZ_ENOTFOUND;
}

void backup_head_digest(const struct bz_backup_head *h, uint8_t out[BZ_HASH_LEN]) {
    uint8_t mem[BZ_BACKUP_HEAD_MAX];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_backup_head_encode(h, &b);
    bz_sha256(bz_buf_view(&b), out);
}
