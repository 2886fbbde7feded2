/* The manifest:
 *   le32 version | archive id 16 | instance 8 | le64 taken, log size, unsealed, newest, bytes
 *   | le16 n, release | le32 entries
 *   | per entry: u8 1 folder, 2 file | le16 mode | le64 mtime | le16 n, path
 *                | of a file: le64 size, 32 bytes per chunk */
#include <bartizan/backup.h>
#include <bartizan/text.h>

enum {
    VERSION = 1,
    DIR_ENTRY = 1,
    FILE_ENTRY = 2,
    ENTRY_MIN = 14,
    PART_MAX = 255,
    MADE_BY_MAX = 64
};

uint64_t bz_backup_chunks_of(uint64_t size) {
    return size / BZ_BACKUP_CHUNK + (size % BZ_BACKUP_CHUNK != 0);
}

bool bz_backup_left_out(struct bz_view first_part) {
    static const char *const names[] = {"run", "nginx", "demo", "backup", "deps", "models"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (bz_view_eq(first_part, bz_view_str(names[i])))
            return true;
    return false;
}

static bool part_ok(struct bz_view part) {
    return part.n > 0 && part.n <= PART_MAX && !bz_view_eq(part, BZ_V(".")) &&
           !bz_view_eq(part, BZ_V(".."));
}

static bool text_ok(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x20 || v.p[i] == 0x7f)
            return false;
    return bz_utf8_valid(v) == v.n;
}

bool bz_backup_path_ok(struct bz_view path) {
    if (path.n == 0 || path.n > BZ_BACKUP_PATH_MAX || !text_ok(path))
        return false;
    size_t from = 0;
    for (size_t i = 0; i <= path.n; i++) {
        if (i < path.n && path.p[i] != '/')
            continue;
        struct bz_view part = bz_view_sub(path, from, i - from);
        if (!part_ok(part) || (from == 0 && bz_backup_left_out(part)))
            return false;
        from = i + 1;
    }
    return true;
}

int bz_backup_path_cmp(struct bz_view a, struct bz_view b) {
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        uint8_t x = a.p[i] == '/' ? 0 : a.p[i], y = b.p[i] == '/' ? 0 : b.p[i];
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

void bz_backup_manifest_put(struct bz_buf *out, const struct bz_backup_manifest *m) {
    bz_buf_put_le32(out, VERSION);
    bz_buf_put(out, bz_view(m->id, sizeof m->id));
    bz_buf_put(out, bz_view(m->instance, sizeof m->instance));
    bz_buf_put_le64(out, m->taken_ns);
    bz_buf_put_le64(out, m->log_size);
    bz_buf_put_le64(out, m->unsealed);
    bz_buf_put_le64(out, m->newest_ns);
    bz_buf_put_le64(out, m->bytes);
    bz_buf_put_le16(out, (uint16_t)m->made_by.n);
    bz_buf_put(out, m->made_by);
    bz_buf_put_le32(out, m->entries);
}

void bz_backup_entry_put(struct bz_buf *out, const struct bz_backup_entry *e) {
    bz_buf_putc(out, e->dir ? DIR_ENTRY : FILE_ENTRY);
    bz_buf_put_le16(out, e->mode);
    bz_buf_put_le64(out, e->mtime_ns);
    bz_buf_put_le16(out, (uint16_t)e->path.n);
    bz_buf_put(out, e->path);
    if (e->dir)
        return;
    bz_buf_put_le64(out, e->size);
    bz_buf_put(out, e->names);
}

static enum bz_status read_entry(struct bz_rd *r, struct bz_backup_entry *e) {
    uint8_t type = bz_rd_u8(r);
    *e = (struct bz_backup_entry){.dir = type == DIR_ENTRY};
    e->mode = bz_rd_le16(r);
    e->mtime_ns = bz_rd_le64(r);
    e->path = bz_rd_take(r, bz_rd_le16(r));
    if (type == FILE_ENTRY) {
        e->size = bz_rd_le64(r);
        uint64_t chunks = bz_backup_chunks_of(e->size);
        if (chunks > r->n / BZ_BACKUP_NAME)
            return BZ_ECORRUPT;
        e->names = bz_rd_take(r, (size_t)chunks * BZ_BACKUP_NAME);
    }
    bool known = type == DIR_ENTRY || type == FILE_ENTRY;
    return bz_rd_ok(r) && known && e->mode <= 0777 && bz_backup_path_ok(e->path) ? BZ_OK
                                                                                 : BZ_ECORRUPT;
}

/* The folder above `path` is there: it is the entry before, or stands above that one. */
static bool parent_known(const struct bz_backup_entry *before, struct bz_view path) {
    size_t n = path.n;
    while (n > 0 && path.p[n - 1] != '/')
        n--;
    if (n == 0)
        return true;
    struct bz_view up = bz_view_sub(path, 0, n - 1);
    if (bz_view_eq(before->path, up))
        return before->dir;
    return before->path.n > n && bz_view_starts(before->path, bz_view_sub(path, 0, n));
}

static enum bz_status check_entries(struct bz_backup_manifest m, struct bz_diag *diag) {
    struct bz_backup_entry e, before = {0};
    uint64_t bytes = 0;
    enum bz_status st;
    while ((st = bz_backup_manifest_next(&m, &e)) == BZ_OK) {
        bz_diag_set(diag, m.rest.off, "an entry of the manifest cannot stand here");
        if (before.path.n != 0 && bz_backup_path_cmp(before.path, e.path) >= 0)
            return BZ_ECORRUPT;
        if (!parent_known(&before, e.path) || __builtin_add_overflow(bytes, e.size, &bytes))
            return BZ_ECORRUPT;
        before = e;
    }
    bz_diag_set(diag, m.rest.off, "the manifest is damaged");
    if (st != BZ_MORE)
        return st;
    return bytes == m.bytes ? bz_rd_end(&m.rest) : BZ_ECORRUPT;
}

enum bz_status bz_backup_manifest_open(struct bz_view in, struct bz_backup_manifest *ret,
                                       struct bz_diag *diag) {
    struct bz_backup_manifest m = {0};
    struct bz_rd *r = &m.rest;
    bz_rd_init(r, in);
    bz_diag_set(diag, 0, "the manifest is damaged");
    uint32_t version = bz_rd_le32(r);
    struct bz_view id = bz_rd_take(r, sizeof m.id);
    struct bz_view instance = bz_rd_take(r, sizeof m.instance);
    m.taken_ns = bz_rd_le64(r);
    m.log_size = bz_rd_le64(r);
    m.unsealed = bz_rd_le64(r);
    m.newest_ns = bz_rd_le64(r);
    m.bytes = bz_rd_le64(r);
    m.made_by = bz_rd_take(r, bz_rd_le16(r));
    m.entries = bz_rd_count(r, ENTRY_MIN);
    if (!bz_rd_ok(r))
        return BZ_ECORRUPT;
    if (version != VERSION)
        return BZ_EVERSION;
    if (m.entries > BZ_BACKUP_FILES_MAX)
        return BZ_ETOOBIG;
    if (m.made_by.n > MADE_BY_MAX || !text_ok(m.made_by))
        return BZ_ECORRUPT;
    memcpy(m.id, id.p, sizeof m.id);
    memcpy(m.instance, instance.p, sizeof m.instance);
    BZ_TRY(check_entries(m, diag));
    *ret = m;
    return BZ_OK;
}

enum bz_status bz_backup_manifest_next(struct bz_backup_manifest *m, struct bz_backup_entry *ret) {
    if (m->entries == 0)
        return BZ_MORE;
    struct bz_backup_entry e;
    BZ_TRY(read_entry(&m->rest, &e));
    m->entries--;
    *ret = e;
    return BZ_OK;
}
