/* Reading an archive from end to end. */
#include "backup_int.h"

struct pass {
    const struct bz_backup_source *src;
    struct bz_backup_scan *s;
    struct bz_diag *diag;
    uint8_t head_digest[BZ_HASH_LEN];
    struct bz_sha256 h;
    struct bz_buf sealed, plain;
    uint64_t off, frame;
    uint64_t manifest_bytes, index_bytes;
    uint8_t last; /* type of the frame before */
};

static enum bz_status bad(struct pass *p, const char *why) {
    bz_diag_set(p->diag, p->off, why);
    return BZ_ECORRUPT;
}

static enum bz_status read_head(struct pass *p) {
    uint8_t mem[BZ_BACKUP_HEAD_MAX];
    size_t n = p->src->size < sizeof mem ? (size_t)p->src->size : sizeof mem;
    size_t used = 0;
    if (n > 0)
        BZ_TRY(p->src->read(p->src->ctx, 0, mem, n));
    bz_diag_set(p->diag, 0, "the head is not that of an archive");
    BZ_TRY(bz_backup_head_decode(bz_view(mem, n), &p->s->head, &used));
    bz_sha256_add(&p->h, bz_view(mem, used));
    bz_sha256(bz_view(mem, used), p->head_digest);
    p->off = used;
    return BZ_OK;
}

/* Type and length; the types come in their order and each but CHUNK and INDEX at least once. */
static enum bz_status frame_head(const uint8_t mem[BZ_BACKUP_FRAME_HEAD], uint8_t last,
                                 uint8_t *ret_type, uint32_t *ret_n) {
    struct bz_rd r;
    bz_rd_init(&r, bz_view(mem, BZ_BACKUP_FRAME_HEAD));
    uint8_t type = bz_rd_u8(&r);
    bool zeros = bz_view_eq(bz_rd_take(&r, 3), BZ_V("\0\0\0"));
    uint32_t n = bz_rd_le32(&r);
    uint32_t most = type == BZ_BACKUP_END_FRAME ? BACKUP_END : BZ_BACKUP_CHUNK;
    uint32_t least = type == BZ_BACKUP_END_FRAME ? BACKUP_END : 1;
    bool known = type >= BZ_BACKUP_CHUNK_FRAME && type <= BZ_BACKUP_END_FRAME;
    bool order = type >= last && last != BZ_BACKUP_END_FRAME &&
                 (type <= BZ_BACKUP_MANIFEST_FRAME || last >= BZ_BACKUP_MANIFEST_FRAME);
    if (!known || !zeros || !order || n < least + BZ_SEAL_EXTRA || n > most + BZ_SEAL_EXTRA)
        return BZ_ECORRUPT;
    *ret_type = type;
    *ret_n = n;
    return BZ_OK;
}

static const uint8_t *key_for(const struct bz_backup_scan *s, uint8_t type) {
    if (type == BZ_BACKUP_INDEX_FRAME)
        return s->index_key;
    return s->secrets == NULL ? NULL : s->secrets->file_key;
}

static enum bz_status open_frame(const uint8_t key[BZ_KEY_LEN],
                                 const uint8_t head_digest[BZ_HASH_LEN], uint8_t type,
                                 uint64_t frame, struct bz_view sealed, struct bz_buf *out) {
    uint8_t ad[BACKUP_AD];
    uint8_t *room = bz_buf_room(out, sealed.n - BZ_SEAL_EXTRA);
    if (room == NULL)
        return bz_buf_status(out);
    backup_ad(head_digest, type, frame, ad);
    return bz_unseal(key, bz_view(ad, sizeof ad), sealed, room);
}

static enum bz_status take_chunk(struct pass *p, struct bz_view data, uint64_t off) {
    struct bz_backup_scan *s = p->s;
    const struct bz_backup_place at = {off, p->frame, (uint32_t)data.n, 0};
    uint8_t name[BZ_BACKUP_NAME];
    if (s->chunk == NULL)
        return BZ_OK;
    bz_keyed_hash(s->secrets->name_key, data, name);
    return s->chunk(s->ctx, name, &at);
}

static enum bz_status take_piece(struct bz_buf *to, struct bz_view piece, uint64_t *count) {
    *count += piece.n;
    if (to == NULL)
        return BZ_OK;
    bz_buf_put(to, piece);
    return bz_buf_status(to);
}

static enum bz_status take_end(struct pass *p, struct bz_view v) {
    struct bz_rd r;
    bz_rd_init(&r, v);
    bool ok = bz_rd_le64(&r) == p->frame;
    ok &= bz_rd_le64(&r) == p->s->chunks;
    ok &= bz_rd_le64(&r) == p->s->chunk_bytes;
    ok &= bz_rd_le64(&r) == p->manifest_bytes;
    ok &= bz_rd_le64(&r) == p->index_bytes;
    return ok && bz_rd_end(&r) == BZ_OK ? BZ_OK : bad(p, "frames are missing");
}

static enum bz_status take_frame(struct pass *p, uint8_t type, uint64_t off) {
    const uint8_t *key = key_for(p->s, type);
    size_t n = p->sealed.n - BZ_SEAL_EXTRA;
    if (type == BZ_BACKUP_CHUNK_FRAME) {
        p->s->chunks++;
        p->s->chunk_bytes += n;
    }
    if (key == NULL) {
        if (type == BZ_BACKUP_INDEX_FRAME)
            p->index_bytes += n;
        return BZ_OK;
    }
    bz_buf_reset(&p->plain);
    enum bz_status st =
        open_frame(key, p->head_digest, type, p->frame, bz_buf_view(&p->sealed), &p->plain);
    if (st == BZ_ECORRUPT)
        return bad(p, "a frame was changed, moved or belongs to another archive");
    BZ_TRY(st);
    struct bz_view plain = bz_buf_view(&p->plain);
    if (type == BZ_BACKUP_CHUNK_FRAME)
        return take_chunk(p, plain, off);
    if (type == BZ_BACKUP_MANIFEST_FRAME)
        return take_piece(p->s->manifest, plain, &p->manifest_bytes);
    if (type == BZ_BACKUP_INDEX_FRAME)
        return take_piece(p->s->index, plain, &p->index_bytes);
    return take_end(p, plain);
}

static enum bz_status read_frame(struct pass *p) {
    uint8_t mem[BZ_BACKUP_FRAME_HEAD], type = 0;
    uint32_t n = 0;
    uint64_t left = p->src->size - p->off;
    if (left < BZ_BACKUP_FRAME_HEAD + BZ_SIGN_LEN)
        return bad(p, "the archive is cut short");
    BZ_TRY(p->src->read(p->src->ctx, p->off, mem, sizeof mem));
    if (frame_head(mem, p->last, &type, &n) != BZ_OK)
        return bad(p, "a frame that cannot stand here");
    if (n > left - BZ_BACKUP_FRAME_HEAD - BZ_SIGN_LEN)
        return bad(p, "the archive is cut short");
    bz_buf_reset(&p->sealed);
    uint8_t *room = bz_buf_room(&p->sealed, n);
    if (room == NULL)
        return bz_buf_status(&p->sealed);
    BZ_TRY(p->src->read(p->src->ctx, p->off + sizeof mem, room, n));
    bz_sha256_add(&p->h, bz_view(mem, sizeof mem));
    bz_sha256_add(&p->h, bz_view(room, n));
    BZ_TRY(take_frame(p, type, p->off));
    p->off += sizeof mem + n;
    p->frame++;
    p->last = type;
    return BZ_OK;
}

static enum bz_status check_signature(struct pass *p) {
    uint8_t sig[BZ_SIGN_LEN], text[BACKUP_SIGNED];
    if (p->src->size - p->off != sizeof sig)
        return bad(p, p->src->size - p->off > sizeof sig ? "bytes behind the end"
                                                         : "the archive is cut short");
    BZ_TRY(p->src->read(p->src->ctx, p->off, sig, sizeof sig));
    backup_signed(&p->h, text);
    if (!bz_sign_check(p->s->head.signer, bz_view(text, sizeof text), sig))
        return bad(p, "the signature does not match");
    bz_sha256_add(&p->h, bz_view(sig, sizeof sig));
    bz_sha256_end(&p->h, p->s->digest);
    return BZ_OK;
}

static enum bz_status read_all(struct pass *p) {
    BZ_TRY(read_head(p));
    while (p->last != BZ_BACKUP_END_FRAME) {
        if (p->s->progress != NULL)
            p->s->progress(p->s->ctx, p->off, p->src->size);
        BZ_TRY(read_frame(p));
    }
    BZ_TRY(check_signature(p));
    if (p->s->progress != NULL)
        p->s->progress(p->s->ctx, p->src->size, p->src->size);
    return BZ_OK;
}

enum bz_status bz_backup_scan(const struct bz_backup_source *src, struct bz_backup_scan *s,
                              struct bz_diag *diag) {
    struct pass p = {.src = src, .s = s, .diag = diag};
    s->chunks = s->chunk_bytes = 0;
    bz_sha256_init(&p.h);
    bz_buf_init(&p.sealed, BZ_BACKUP_CHUNK + BZ_SEAL_EXTRA);
    bz_buf_init(&p.plain, BZ_BACKUP_CHUNK);
    enum bz_status st = read_all(&p);
    bz_buf_free(&p.sealed);
    bz_buf_wipe_free(&p.plain);
    return st;
}

enum bz_status bz_backup_chunk(const struct bz_backup_source *src, const struct bz_backup_head *h,
                               const struct bz_backup_secrets *s, const struct bz_backup_place *at,
                               struct bz_buf *out) {
    uint8_t digest[BZ_HASH_LEN];
    struct bz_buf sealed;
    size_t n = (size_t)at->n + BZ_SEAL_EXTRA;
    if (at->n == 0 || at->n > BZ_BACKUP_CHUNK || at->off > src->size ||
        src->size - at->off < BZ_BACKUP_FRAME_HEAD + n)
        return BZ_ECORRUPT;
    bz_buf_init(&sealed, n);
    uint8_t *room = bz_buf_room(&sealed, n);
    enum bz_status st = room == NULL ? bz_buf_status(&sealed)
                                     : src->read(src->ctx, at->off + BZ_BACKUP_FRAME_HEAD, room, n);
    backup_head_digest(h, digest);
    if (st == BZ_OK)
        st = open_frame(s->file_key, digest, BZ_BACKUP_CHUNK_FRAME, at->frame, bz_view(room, n),
                        out);
    bz_buf_free(&sealed);
    return st;
}
