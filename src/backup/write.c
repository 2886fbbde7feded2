/* Writing an archive, and what its frames are bound to. */
#include "backup_int.h"

void backup_ad(const uint8_t head_digest[BZ_HASH_LEN], uint8_t type, uint64_t frame,
               uint8_t out[BACKUP_AD]) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, BACKUP_AD);
    bz_buf_put(&b, BZ_V("bartizan backup1"));
    bz_buf_put(&b, bz_view(head_digest, BZ_HASH_LEN));
    bz_buf_putc(&b, type);
    bz_buf_put_le64(&b, frame);
}

void backup_signed(const struct bz_sha256 *h, uint8_t out[BACKUP_SIGNED]) {
    struct bz_sha256 copy = *h;
    memcpy(out, "bartizan backup sign", 20);
    bz_sha256_end(&copy, out + 20);
}

/* Counts what was appended since `from` into the hash of the file. */
static enum bz_status hashed(struct bz_backup_writer *w, const struct bz_buf *out, size_t from) {
    BZ_TRY(bz_buf_status(out));
    bz_sha256_add(&w->h, bz_view(out->p + from, out->n - from));
    return BZ_OK;
}

void bz_backup_start(struct bz_backup_writer *w, const struct bz_backup_head *h,
                     const struct bz_backup_secrets *s, const struct bz_backup_keys *k,
                     struct bz_buf *out) {
    size_t from = out->n;
    *w = (struct bz_backup_writer){0};
    memcpy(w->file_key, s->file_key, sizeof w->file_key);
    memcpy(w->index_key, k->index_key, sizeof w->index_key);
    bz_sha256_init(&w->h);
    bz_backup_head_encode(h, out);
    backup_head_digest(h, w->head_digest);
    (void)!hashed(w, out, from); /* latched in out */
}

static enum bz_status put_frame(struct bz_backup_writer *w, uint8_t type, struct bz_view plain,
                                struct bz_buf *out) {
    uint8_t ad[BACKUP_AD];
    size_t from = out->n;
    size_t n = plain.n + BZ_SEAL_EXTRA;
    bz_buf_putc(out, type);
    bz_buf_put(out, BZ_V("\0\0\0"));
    bz_buf_put_le32(out, (uint32_t)n);
    uint8_t *room = bz_buf_room(out, n);
    if (room == NULL)
        return bz_buf_status(out);
    backup_ad(w->head_digest, type, w->frame, ad);
    const uint8_t *key = type == BZ_BACKUP_INDEX_FRAME ? w->index_key : w->file_key;
    BZ_TRY(bz_seal(key, bz_view(ad, sizeof ad), plain, room));
    w->frame++;
    return hashed(w, out, from);
}

enum bz_status bz_backup_put_chunk(struct bz_backup_writer *w, struct bz_view data,
                                   struct bz_buf *out) {
    if (data.n == 0 || data.n > BZ_BACKUP_CHUNK)
        return BZ_EINVAL;
    BZ_TRY(put_frame(w, BZ_BACKUP_CHUNK_FRAME, data, out));
    w->chunks++;
    w->chunk_bytes += data.n;
    return BZ_OK;
}

enum bz_status bz_backup_put_piece(struct bz_backup_writer *w, enum bz_backup_frame type,
                                   struct bz_view piece, struct bz_buf *out) {
    bool index = type == BZ_BACKUP_INDEX_FRAME;
    if ((!index && type != BZ_BACKUP_MANIFEST_FRAME) || piece.n == 0 || piece.n > BZ_BACKUP_CHUNK)
        return BZ_EINVAL;
    BZ_TRY(put_frame(w, (uint8_t)type, piece, out));
    *(index ? &w->index_bytes : &w->manifest_bytes) += piece.n;
    return BZ_OK;
}

enum bz_status bz_backup_finish(struct bz_backup_writer *w, const struct bz_backup_keys *k,
                                struct bz_buf *out, uint8_t digest[BZ_HASH_LEN]) {
    uint8_t end[BACKUP_END], text[BACKUP_SIGNED], sig[BZ_SIGN_LEN];
    struct bz_buf b;
    bz_buf_init_fixed(&b, end, sizeof end);
    bz_buf_put_le64(&b, w->frame);
    bz_buf_put_le64(&b, w->chunks);
    bz_buf_put_le64(&b, w->chunk_bytes);
    bz_buf_put_le64(&b, w->manifest_bytes);
    bz_buf_put_le64(&b, w->index_bytes);
    BZ_TRY(put_frame(w, BZ_BACKUP_END_FRAME, bz_buf_view(&b), out));
    backup_signed(&w->h, text);
    bz_sign(k->sign_sec, bz_view(text, sizeof text), sig);
    size_t from = out->n;
    bz_buf_put(out, bz_view(sig, sizeof sig));
    BZ_TRY(hashed(w, out, from));
    bz_sha256_end(&w->h, digest);
    return BZ_OK;
}
