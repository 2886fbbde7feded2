/* Where the two readers find their directories, and what stands there. */
#include "zip.h"

#include <bartizan/limits.h>
#include <bartizan/rd.h>

enum { TAIL_MAX = 65535 + ZIP_END + ZIP64_END + ZIP64_LOCATOR };

static bool is_sig(const uint8_t *p, uint8_t a, uint8_t b) {
    return p[0] == 'P' && p[1] == 'K' && p[2] == a && p[3] == b;
}

/* ---- the end record ------------------------------------------------------------------------------ */

/* zipfile takes the ZIP64 record that lies right before its locator, miniz the one that the locator
 * names; both take it whenever a locator stands before the end record. */
static enum bz_status read_zip64(const struct bz_source *src, struct zip_end *e) {
    uint8_t loc[ZIP64_LOCATOR], rec[ZIP64_END];
    struct bz_rd r;
    if (e->at < ZIP64_LOCATOR)
        return BZ_OK;
    BZ_TRY(bz_source_exact(src, e->at - ZIP64_LOCATOR, loc, sizeof loc));
    if (!is_sig(loc, 6, 7))
        return BZ_OK;
    bz_rd_init(&r, bz_view(loc + 8, 8));
    uint64_t named = bz_rd_le64(&r);
    uint64_t near = e->at < ZIP64_LOCATOR + ZIP64_END ? 0 : e->at - ZIP64_LOCATOR - ZIP64_END;
    e->apart = named != near;
    if (bz_source_exact(src, near, rec, sizeof rec) != BZ_OK || !is_sig(rec, 6, 6)) {
        if (bz_source_exact(src, named, rec, sizeof rec) != BZ_OK || !is_sig(rec, 6, 6)) {
            e->apart = true;
            return BZ_OK;
        }
        e->apart = true;
        near = named;
    }
    bz_rd_init(&r, bz_view(rec + 24, 32));
    (void)bz_rd_le64(&r); /* entries on this disk */
    e->entries_64 = bz_rd_le64(&r);
    e->size_64 = bz_rd_le64(&r);
    e->offset_64 = bz_rd_le64(&r);
    e->dir_end = near;
    e->zip64 = true;
    return BZ_OK;
}

static void read_end(struct zip_end *e, uint64_t at, const uint8_t *p) {
    struct bz_rd r;
    bz_rd_init(&r, bz_view(p + 8, 14));
    (void)bz_rd_le16(&r); /* entries on this disk */
    *e = (struct zip_end){.found = true, .at = at, .dir_end = at};
    e->entries = e->entries_64 = bz_rd_le16(&r);
    e->size = e->size_64 = bz_rd_le32(&r);
    e->offset = e->offset_64 = bz_rd_le32(&r);
    e->end = at + ZIP_END + bz_rd_le16(&r);
}

enum bz_status zip_find_end(struct bz_scan *s, const struct bz_source *src, struct zip_end *ret) {
    uint64_t n = src->size < TAIL_MAX ? src->size : TAIL_MAX;
    *ret = (struct zip_end){.found = false};
    if (src->size == BZ_SOURCE_UNKNOWN || n < ZIP_END)
        return BZ_OK;
    uint8_t *tail = bz_arena_alloc(bz_scan_arena(s), (size_t)n);
    if (tail == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_source_exact(src, src->size - n, tail, (size_t)n));
    for (size_t i = (size_t)n - ZIP_END + 1; i-- > 0;) {
        if (tail[i] == 'P' && is_sig(tail + i, 5, 6)) {
            read_end(ret, src->size - n + i, tail + i);
            return read_zip64(src, ret);
        }
    }
    return BZ_OK;
}

/* ---- the directory ------------------------------------------------------------------------------- */

/* ZIP64 sizes and offset stand in an extra field, in this order, those that are all ones only. */
static void read_extra(struct bz_view extra, struct zip_entry *e, uint64_t *offset) {
    struct bz_rd r;
    bz_rd_init(&r, extra);
    while (r.n >= 4 && bz_rd_ok(&r)) {
        uint16_t id = bz_rd_le16(&r);
        struct bz_rd f = bz_rd_sub(&r, bz_rd_le16(&r));
        if (id != 1 || !bz_rd_ok(&r))
            continue;
        if (e->size == UINT32_MAX)
            e->size = bz_rd_le64(&f);
        if (e->packed == UINT32_MAX)
            e->packed = bz_rd_le64(&f);
        if (*offset == UINT32_MAX)
            *offset = bz_rd_le64(&f);
        return;
    }
}

static const char *read_entry(struct zip *z, const struct zip_dir *d, struct bz_rd *r,
                              struct zip_entry *e) {
    uint64_t at = d->start + r->off;
    int64_t local = 0;
    if (bz_rd_le32(r) != 0x02014b50)
        return "the directory has another entry's mark where one should begin";
    *e = (struct zip_entry){.at = at};
    e->system = (uint16_t)(bz_rd_le16(r) >> 8);
    (void)bz_rd_le16(r); /* version needed */
    e->flags = bz_rd_le16(r);
    e->method = bz_rd_le16(r);
    (void)bz_rd_le32(r); /* time and date */
    e->crc = bz_rd_le32(r);
    e->packed = bz_rd_le32(r);
    e->size = bz_rd_le32(r);
    uint16_t name_n = bz_rd_le16(r), extra_n = bz_rd_le16(r), comment_n = bz_rd_le16(r);
    (void)bz_rd_le32(r); /* disk, internal attributes */
    e->attributes = bz_rd_le32(r);
    uint64_t offset = bz_rd_le32(r);
    e->name = bz_rd_take(r, name_n);
    read_extra(bz_rd_take(r, extra_n), e, &offset);
    (void)bz_rd_take(r, comment_n);
    if (!bz_rd_ok(r))
        return "the directory ends in the middle of an entry";
    if (offset > INT64_MAX || __builtin_add_overflow((int64_t)offset, d->base, &local) ||
        local < 0 || (uint64_t)local >= z->o->src.size)
        return "an entry's offset lies outside the file";
    e->local = (uint64_t)local;
    return NULL;
}

enum bz_status zip_read_dir(struct zip *z, struct zip_dir *d) {
    const struct bz_source *src = &z->o->src;
    uint64_t most = (uint64_t)BZ_SCAN_MEMBERS_MAX * (ZIP_CENTRAL + 200);
    struct bz_rd r;
    if (d->start > src->size || d->size > src->size - d->start) {
        d->bad = "the directory lies outside the file";
        return BZ_OK;
    }
    if (d->size > most || d->size > SIZE_MAX) {
        d->bad = "the directory is too long";
        return bz_scan_left_out(z->s, z->o, d->start, "cap: members of archives");
    }
    uint8_t *mem = bz_arena_alloc(bz_scan_arena(z->s), (size_t)d->size + 1);
    size_t room = (size_t)d->size / ZIP_CENTRAL;
    d->e = bz_arena_alloc(bz_scan_arena(z->s), (room + 1) * sizeof *d->e);
    if (mem == NULL || d->e == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_source_exact(src, d->start, mem, (size_t)d->size));
    bz_rd_init(&r, bz_view(mem, (size_t)d->size));
    while (r.n > 0 && d->n < room && d->bad == NULL) {
        d->bad = read_entry(z, d, &r, &d->e[d->n]);
        d->n += d->bad == NULL;
    }
    if (d->bad == NULL && r.n > 0)
        d->bad = "bytes after the directory's last entry";
    if (d->bad == NULL && d->n != d->count)
        d->bad = "the directory has another number of entries than the end record says";
    return BZ_OK;
}

/* What a reader from the front sees: local headers whose sizes stand in them, one behind the other. */
enum bz_status zip_read_forward(struct zip *z, struct zip_dir *d) {
    enum { ROOM = 1024, NAME_BYTES_MAX = 1024 };
    uint8_t mem[ZIP_LOCAL];
    uint64_t at = 0;
    d->e = bz_arena_alloc(bz_scan_arena(z->s), ROOM * sizeof *d->e);
    if (d->e == NULL)
        return BZ_ENOMEM;
    while (d->n < ROOM && z->o->src.size - at >= ZIP_LOCAL) {
        struct bz_rd r;
        struct zip_entry *e = &d->e[d->n];
        BZ_TRY(bz_source_exact(&z->o->src, at, mem, sizeof mem));
        bz_rd_init(&r, bz_view(mem, sizeof mem));
        if (bz_rd_le32(&r) != 0x04034b50)
            break;
        *e = (struct zip_entry){.at = at, .local = at};
        (void)bz_rd_le16(&r);
        e->flags = bz_rd_le16(&r);
        e->method = bz_rd_le16(&r);
        (void)bz_rd_le32(&r);
        e->crc = bz_rd_le32(&r);
        e->packed = bz_rd_le32(&r);
        e->size = bz_rd_le32(&r);
        size_t name_n = bz_rd_le16(&r);
        e->data = at + ZIP_LOCAL + name_n + bz_rd_le16(&r);
        if (name_n > NAME_BYTES_MAX || e->data > z->o->src.size ||
            e->packed > z->o->src.size - e->data)
            break;
        uint8_t *name = bz_arena_alloc(bz_scan_arena(z->s), name_n);
        if (name == NULL)
            return BZ_ENOMEM;
        BZ_TRY(bz_source_exact(&z->o->src, at + ZIP_LOCAL, name, name_n));
        e->name = bz_view(name, name_n);
        e->data_end = at = e->data + e->packed;
        e->sound = true;
        d->n++;
    }
    return BZ_OK;
}
