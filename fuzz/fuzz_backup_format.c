/* Archives: heads and manifests that open must encode to themselves; a scan must not hand out more
 * than it counted. The first byte says what the rest is taken for. */
#include <stdlib.h>
#include <bartizan/backup.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum bz_status read_memory(void *ctx, uint64_t off, void *p, size_t n) {
    const struct bz_view *v = ctx;
    if (off > v->n || n > v->n - off)
        return BZ_EIO;
    memcpy(p, v->p + off, n);
    return BZ_OK;
}

static enum bz_status count(void *ctx, const uint8_t name[BZ_BACKUP_NAME],
                            const struct bz_backup_place *at) {
    uint64_t *bytes = ctx;
    *bytes += at->n;
    (void)name;
    return BZ_OK;
}

static void try_head(struct bz_view in) {
    struct bz_backup_head h;
    struct bz_buf b;
    size_t used = 0;
    if (bz_backup_head_decode(in, &h, &used) != BZ_OK)
        return;
    bz_buf_init(&b, BZ_BACKUP_HEAD_MAX);
    bz_backup_head_encode(&h, &b);
    if (used > in.n || !bz_view_eq(bz_buf_view(&b), bz_view_sub(in, 0, used)))
        abort();
    bz_buf_free(&b);
}

static void try_scan(struct bz_view in, bool contents) {
    static const uint8_t master[BZ_KEY_LEN] = {7};
    struct bz_backup_keys keys;
    struct bz_backup_secrets secrets = {.file_key = {1}};
    struct bz_buf manifest, index;
    uint64_t bytes = 0;
    struct bz_backup_scan s = {.ctx = &bytes};
    struct bz_diag diag;
    const struct bz_backup_source src = {read_memory, &in, in.n};
    bz_backup_keys(master, &keys);
    memcpy(secrets.name_key, keys.name_key, sizeof secrets.name_key);
    bz_buf_init(&manifest, 1 << 20);
    bz_buf_init(&index, 1 << 20);
    if (contents) {
        s.secrets = &secrets;
        s.index_key = keys.index_key;
        s.chunk = count;
        s.manifest = &manifest;
        s.index = &index;
    }
    if (bz_backup_scan(&src, &s, &diag) == BZ_OK && (s.chunk_bytes > in.n || bytes > s.chunk_bytes))
        abort();
    bz_buf_free(&manifest);
    bz_buf_free(&index);
}

static void try_manifest(struct bz_view in) {
    struct bz_backup_manifest m;
    struct bz_backup_entry e;
    struct bz_diag diag;
    struct bz_buf b;
    enum bz_status st;
    if (bz_backup_manifest_open(in, &m, &diag) != BZ_OK)
        return;
    bz_buf_init(&b, in.n);
    bz_backup_manifest_put(&b, &m);
    while ((st = bz_backup_manifest_next(&m, &e)) == BZ_OK) {
        if (!bz_backup_path_ok(e.path) || e.names.n / BZ_BACKUP_NAME != bz_backup_chunks_of(e.size))
            abort();
        bz_backup_entry_put(&b, &e);
    }
    if (st != BZ_MORE || !bz_view_eq(bz_buf_view(&b), in))
        abort();
    bz_buf_free(&b);
}

static void try_key(struct bz_view in, enum bz_backup_key_kind kind) {
    uint8_t key[BZ_KEY_LEN];
    char text[BZ_BACKUP_KEY_TEXT + 1];
    if (bz_backup_key_parse(in, kind, key) != BZ_OK)
        return;
    bz_backup_key_text(kind, key, text);
    if (!bz_view_eq(in, bz_view_str(text)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || bz_crypto_init() != BZ_OK)
        return 0;
    struct bz_view in = bz_view(data + 1, size - 1);
    switch (data[0]) {
    case 'h':
        try_head(in);
        break;
    case 's':
        try_scan(in, false);
        break;
    case 'c':
        try_scan(in, true);
        break;
    case 'm':
        try_manifest(in);
        break;
    default:
        try_key(in, (enum bz_backup_key_kind)(data[0] % BZ_BACKUP_KEY_KIND_COUNT));
    }
    return 0;
}
