/* The detect pack: compiling takes up to half a second, so it is done when the configuration's own
 * words and patterns changed, and kept in a file for the next start.
 *
 *   magic 8 | key 32 | hash 32 | pack
 *
 * The hash finds damage; whether the pack fits this build and processor the detectors know. */
#include "daemon.h"

#define MAGIC "BZPACK1"
enum { HEAD = sizeof MAGIC + 2 * BZ_HASH_LEN };

static void hash_of(struct bz_view pack, uint8_t out[BZ_HASH_LEN]) {
    static const uint8_t label[BZ_KEY_LEN] = "bartizan detect pack file";
    bz_keyed_hash(label, pack, out);
}

static bool opens(struct bz_view pack) {
    struct bz_detect *probe = NULL;
    enum bz_status st = bz_detect_open(pack, &probe);
    bz_detect_close(probe);
    return st == BZ_OK;
}

static bool file_fits(struct bz_view file, const uint8_t key[BZ_HASH_LEN]) {
    uint8_t sum[BZ_HASH_LEN];
    if (file.n <= HEAD || !bz_view_starts(file, bz_view(MAGIC, sizeof MAGIC)))
        return false;
    struct bz_view pack = bz_view_sub(file, HEAD, file.n);
    hash_of(pack, sum);
    return bz_ct_equal(bz_view_sub(file, sizeof MAGIC, BZ_HASH_LEN), bz_view(key, BZ_HASH_LEN)) &&
           bz_ct_equal(bz_view_sub(file, sizeof MAGIC + BZ_HASH_LEN, BZ_HASH_LEN),
                       bz_view(sum, sizeof sum)) &&
           opens(pack);
}

static bool read_file(const struct bz_daemon *d, struct bz_pack *ret) {
    struct bz_buf f;
    bz_buf_init(&f, HEAD + BZ_DETECT_PACK_MAX);
    bool ok =
        bz_file_read(d->in.fd, BZ_F_PACK, &f) == BZ_OK && file_fits(bz_buf_view(&f), ret->key);
    if (ok)
        bz_buf_put(&ret->bytes, bz_view_sub(bz_buf_view(&f), HEAD, f.n));
    bz_buf_free(&f);
    return ok && bz_buf_status(&ret->bytes) == BZ_OK;
}

/* Only the next start would be slower without it. */
static void write_file(const struct bz_daemon *d, const struct bz_pack *p) {
    struct bz_buf f;
    uint8_t sum[BZ_HASH_LEN];
    hash_of(bz_buf_view(&p->bytes), sum);
    bz_buf_init(&f, HEAD + BZ_DETECT_PACK_MAX);
    bz_buf_put(&f, bz_view(MAGIC, sizeof MAGIC));
    bz_buf_put(&f, bz_view(p->key, sizeof p->key));
    bz_buf_put(&f, bz_view(sum, sizeof sum));
    bz_buf_put(&f, bz_buf_view(&p->bytes));
    if (bz_buf_status(&f) != BZ_OK ||
        bz_file_write(d->in.fd, BZ_F_PACK, bz_buf_view(&f), 0600, BZ_FILE_NO_SYNC) != BZ_OK)
        bz_log("%s cannot be written", BZ_F_PACK);
    bz_buf_free(&f);
}

static enum bz_status compile(const struct bz_config *c, struct bz_pack *ret, struct bz_buf *why) {
    struct bz_config_error e = {.line = 0};
    enum bz_status st = bz_config_compile(c, &ret->bytes, &e);
    if (st == BZ_OK && !opens(bz_buf_view(&ret->bytes)))
        st = BZ_EINTERNAL;
    if (st == BZ_ESYNTAX)
        bz_buf_printf(why, "line %u, column %u: %s: %s", e.line, e.column, e.path, e.text);
    else if (st != BZ_OK)
        bz_buf_printf(why, "the detectors cannot be compiled: %s", bz_status_text(st));
    return st;
}

enum bz_status bz_pack_make(const struct bz_daemon *d, const struct bz_config *c,
                            const struct bz_pack *old, struct bz_pack *ret, struct bz_buf *why) {
    BZ_TRY(bz_config_compile_key(c, ret->key));
    if (old->bytes.n > 0 &&
        bz_ct_equal(bz_view(old->key, sizeof old->key), bz_view(ret->key, sizeof ret->key)))
        return BZ_EEXISTS;
    bz_buf_init(&ret->bytes, BZ_DETECT_PACK_MAX);
    if (read_file(d, ret))
        return BZ_OK;
    bz_buf_reset(&ret->bytes);
    BZ_TRY(compile(c, ret, why));
    write_file(d, ret);
    return BZ_OK;
}

void bz_pack_free(struct bz_pack *p) {
    bz_buf_free(&p->bytes);
    bz_buf_init(&p->bytes, BZ_DETECT_PACK_MAX);
}
