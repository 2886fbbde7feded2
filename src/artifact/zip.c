/* ZIP: both readings, and every member of either. */
#include "zip.h"

#include <bartizan/limits.h>
#include <bartizan/rd.h>

enum { STORED = 0, DEFLATED = 8, DEFLATED64 = 9, BZIP2 = 12, LZMA = 14, ZSTD = 93, XZ = 95 };
enum { LINK_MAX = 4096, UNIX_TYPE = 0170000, UNIX_LINK = 0120000 };

/* ---- recognising ------------------------------------------------------------------------------ */

static bool mark_at(const struct bz_source *src, uint64_t off, const char *mark) {
    uint8_t m[4];
    return bz_source_exact(src, off, m, sizeof m) == BZ_OK && memcmp(m, mark, 4) == 0;
}

/* A tar archive that ends with a ZIP archive as a member: that one is looked at by itself. */
static bool is_member(const struct bz_source *src, const struct zip_end *e) {
    uint64_t dir = e->dir_end - e->size_64;
    return e->size_64 <= e->dir_end && e->offset_64 < dir &&
           bz_tar_holds(src, dir - e->offset_64, e->end);
}

/* At the front, or an end record whose directory is there for one of the two readers. */
static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    struct zip_end e;
    if (bz_view_starts(o->head, BZ_V("PK\3\4")) || bz_view_starts(o->head, BZ_V("PK\5\6")) ||
        bz_view_starts(o->head, BZ_V("PK\7\10PK\3\4")) ||
        bz_view_starts(o->head, BZ_V("PK00PK\3\4")))
        return BZ_PROBE_YES;
    if (zip_find_end(s, &o->src, &e) != BZ_OK || !e.found || e.entries_64 == 0)
        return BZ_PROBE_NO;
    if (is_member(&o->src, &e))
        return BZ_PROBE_NO;
    bool py = e.size_64 <= e.dir_end && mark_at(&o->src, e.dir_end - e.size_64, "PK\1\2");
    return py || mark_at(&o->src, e.offset_64, "PK\1\2") ? BZ_PROBE_YES : BZ_PROBE_NO;
}

/* ---- what kind of archive ------------------------------------------------------------------------- */

static bool ends(struct bz_view v, struct bz_view tail) {
    return v.n >= tail.n && bz_view_eq(bz_view_sub(v, v.n - tail.n, tail.n), tail);
}

static bool has(const struct zip_dir *d, struct bz_view folder, struct bz_view name) {
    for (size_t i = 0; i < d->n; i++) {
        struct bz_view v = d->e[i].name;
        if (v.n == folder.n + name.n && bz_view_starts(v, folder) && ends(v, name))
            return true;
    }
    return false;
}

/* torch: FOLDER/data.pkl, FOLDER/data/NUMBER (caffe2/serialize/inline_container.cc); TorchScript has
 * FOLDER/code/ and constants.pkl besides. */
static void recognise(struct zip *z, const struct zip_dir *d) {
    bool npz = d->n > 0;
    for (size_t i = 0; i < d->n; i++) {
        struct bz_view v = d->e[i].name;
        npz = npz && ends(v, BZ_V(".npy"));
        if (z->is_torch || !ends(v, BZ_V("data.pkl")))
            continue;
        struct bz_view folder = bz_view_sub(v, 0, v.n - 8);
        bool one = folder.n == 0 || memchr(folder.p, '/', folder.n) == folder.p + folder.n - 1;
        z->torch = folder;
        z->is_torch = one && (has(d, folder, BZ_V("version")) || has(d, folder, BZ_V("byteorder")));
        z->is_script = z->is_torch && has(d, folder, BZ_V("constants.pkl"));
    }
    const char *name = "zip";
    if (z->is_torch)
        name = z->is_script ? "torchscript" : "torch zip";
    else if (npz)
        name = "npz";
    else if (has(d, BZ_V(""), BZ_V("config.json")) && has(d, BZ_V(""), BZ_V("metadata.json")))
        name = "keras zip";
    bz_scan_name(z->s, z->o, name);
}

/* Numbers of a tensor: nothing but torch's storages reads them. */
static bool is_storage(const struct zip *z, struct bz_view name) {
    if (!z->is_torch || !bz_view_starts(name, z->torch))
        return false;
    struct bz_view v = bz_view_sub(name, z->torch.n, name.n);
    bool data = bz_view_starts(v, BZ_V("data/")), constants = bz_view_starts(v, BZ_V("constants/"));
    size_t at = data ? 5 : 10;
    if ((!data && !constants) || v.n == at)
        return false;
    for (; at < v.n; at++) {
        if (v.p[at] < '0' || v.p[at] > '9')
            return false;
    }
    return true;
}

static const struct bz_format *known_format(const struct zip *z, struct bz_view name) {
    if (!z->is_torch || !bz_view_starts(name, z->torch))
        return NULL;
    if (ends(name, BZ_V(".pkl")))
        return bz_format_named("pickle");
    struct bz_view v = bz_view_sub(name, z->torch.n, name.n);
    return bz_view_starts(v, BZ_V("code/")) && ends(v, BZ_V(".py"))
               ? bz_format_named("torchscript code")
               : NULL;
}

/* ---- members ----------------------------------------------------------------------------------------- */

static enum bz_status link_member(struct zip *z, const struct zip_entry *e,
                                  const struct bz_source *data) {
    uint8_t *target = bz_arena_alloc(bz_scan_arena(z->s), LINK_MAX);
    size_t n = 0;
    if (target == NULL)
        return BZ_ENOMEM;
    enum bz_status st = data->pread(data->ctx, 0, target, LINK_MAX, &n);
    return st != BZ_OK ? st : bz_archive_link(z->s, z->o, e->local, e->name, bz_view(target, n));
}

/* LZMA in ZIP (APPNOTE 5.8.8): two bytes of version, two of length, then the raw decoder's. */
static const struct bz_source *lzma_source(struct zip *z, const struct zip_entry *e,
                                           const struct bz_source *packed) {
    uint8_t head[9];
    if (bz_source_exact(packed, 0, head, sizeof head) != BZ_OK || head[2] != 5 || head[3] != 0)
        return NULL;
    const struct bz_source *rest = bz_source_part(z->s, packed, 9, packed->size - 9);
    struct bz_codec_raw raw = {.props = bz_view(head + 4, 5), .size = e->size};
    return rest == NULL ? NULL : bz_codec_source_raw(z->s, z->o, BZ_CODEC_LZMA1, rest, &raw);
}

/* NULL: no way of packing that is known, or no memory. */
static const struct bz_source *open_member(struct zip *z, const struct zip_entry *e,
                                           const struct bz_source *packed) {
    switch (e->method) {
    case STORED:
        return packed;
    case DEFLATED:
        return bz_codec_source(z->s, z->o, BZ_CODEC_DEFLATE, packed);
    case DEFLATED64:
        return bz_codec_source(z->s, z->o, BZ_CODEC_DEFLATE64, packed);
    case BZIP2:
        return bz_codec_source(z->s, z->o, BZ_CODEC_BZIP2, packed);
    case ZSTD:
        return bz_codec_source(z->s, z->o, BZ_CODEC_ZSTD, packed);
    case XZ:
        return bz_codec_source(z->s, z->o, BZ_CODEC_XZ, packed);
    case LZMA:
        return lzma_source(z, e, packed);
    default:
        return NULL;
    }
}

static enum bz_status spooled(struct zip *z, const struct zip_entry *e,
                              const struct bz_source *data, bool opaque) {
    struct bz_spool spool = {.size = 0};
    enum bz_status st = bz_spool_fill(&spool, z->s, data, BZ_SCAN_SPOOL_MAX);
    if (st == BZ_OK && spool.st == BZ_OK && spool.size != e->size)
        st = zip_found(z, ZIP_SIZE, e->local, e->name);
    else if (st == BZ_OK && spool.st == BZ_OK && spool.crc != e->crc)
        st = zip_found(z, ZIP_CRC, e->local, e->name);
    if (st == BZ_OK && opaque)
        bz_scan_opaque(z->s);
    else if (st == BZ_OK)
        st = bz_scan_member_as(z->s, z->o, e->name, &spool.src, known_format(z, e->name));
    bz_spool_done(&spool);
    return st;
}

/* Marked as encrypted: true, or a mark that makes checkers stop? */
static enum bz_status encrypted(struct zip *z, const struct zip_entry *e,
                                const struct bz_source *packed, bool *ret_plain) {
    uint8_t head[1024];
    struct bz_spool spool = {.size = 0};
    size_t n = 0;
    *ret_plain = false;
    if (e->method == DEFLATED) {
        BZ_TRY(packed->pread(packed->ctx, 0, head, sizeof head, &n));
        *ret_plain = bz_codec_probe(BZ_CODEC_DEFLATE, bz_view(head, n)) == BZ_PROBE_YES;
    } else if (e->method == STORED) {
        enum bz_status st = bz_spool_fill(&spool, z->s, packed, BZ_SCAN_SPOOL_MAX);
        *ret_plain = st == BZ_OK && spool.crc == e->crc && spool.size == e->size;
        bz_spool_done(&spool);
        BZ_TRY(st);
    }
    if (*ret_plain)
        return e->lies ? BZ_OK : zip_found(z, ZIP_FLAGS, e->local, e->name);
    return bz_archive_found(z->s, z->o, BZ_ARC_ENCRYPTED, e->local, e->name);
}

static enum bz_status member(struct zip *z, const struct zip_entry *e) {
    bool plain = true;
    const struct bz_source *packed = bz_source_part(z->s, &z->o->src, e->data, e->packed);
    if (packed == NULL)
        return BZ_ENOMEM;
    if ((e->flags & (ZIP_ENCRYPTED | ZIP_STRONG)) != 0)
        BZ_TRY(encrypted(z, e, packed, &plain));
    if (!plain)
        return BZ_OK;
    if (e->method == STORED && e->packed != e->size)
        BZ_TRY(zip_found(z, ZIP_SIZE, e->local, e->name));
    bool storage = is_storage(z, e->name);
    if (storage && e->method == STORED) {
        bz_scan_opaque(z->s);
        return BZ_OK;
    }
    const struct bz_source *data = open_member(z, e, packed);
    if (data == NULL)
        return bz_archive_found(z->s, z->o, BZ_ARC_METHOD, e->local, e->name);
    enum bz_status st = BZ_EINTERNAL;
    if (((e->attributes >> 16) & UNIX_TYPE) == UNIX_LINK)
        st = link_member(z, e, data);
    else if (e->method == STORED && e->packed > BZ_SCAN_SPOOL_MAX)
        st = bz_scan_member_as(z->s, z->o, e->name, data, known_format(z, e->name));
    else
        st = spooled(z, e, data, storage);
    if (data != packed)
        bz_codec_done(data);
    return st;
}

static enum bz_status members(struct zip *z, const struct zip_dir *d) {
    for (size_t i = 0; i < d->n; i++) {
        const struct zip_entry *e = &d->e[i];
        bool folder = e->packed == 0 && e->size == 0 && ends(e->name, BZ_V("/"));
        if (e->sound && !e->skip && !folder)
            BZ_TRY(member(z, e));
    }
    return BZ_OK;
}

/* ---- both readings -------------------------------------------------------------------------------------- */

/* What stands behind the directory: ZIP64 against plain numbers, the comment, what follows. */
static enum bz_status check_end(struct zip *z) {
    const struct zip_end *e = &z->end;
    uint64_t size = z->o->src.size, comment = e->at + ZIP_END;
    bool differ = (e->entries != UINT16_MAX && e->entries != e->entries_64) ||
                  (e->size != UINT32_MAX && e->size != e->size_64) ||
                  (e->offset != UINT32_MAX && e->offset != e->offset_64);
    if (e->apart || differ)
        BZ_TRY(zip_found(z, ZIP_TWO_VIEWS, e->at, BZ_V("the ZIP64 record says something else")));
    if (e->end > size)
        return zip_found(z, ZIP_BROKEN, e->at, BZ_V("the comment reaches beyond the file"));
    if (e->end < size)
        BZ_TRY(zip_hidden(z, ZIP_TRAILING, e->end, size, BZ_V("bytes after")));
    if (e->end == comment)
        return BZ_OK;
    const struct bz_source *text = bz_source_part(z->s, &z->o->src, comment, e->end - comment);
    return text == NULL ? BZ_ENOMEM : bz_scan_member(z->s, z->o, BZ_V("archive comment"), text);
}

static void place_dirs(struct zip *z) {
    const struct zip_end *e = &z->end;
    z->mz = (struct zip_dir){.start = e->offset_64, .size = e->size_64, .count = e->entries_64};
    z->py = z->mz;
    if (e->size_64 > e->dir_end) {
        z->py.bad = "the directory begins before the file";
        return;
    }
    z->py.start = e->dir_end - e->size_64;
    z->same = z->py.start == z->mz.start;
    if (z->py.start > INT64_MAX || e->offset_64 > INT64_MAX)
        z->py.bad = "an offset is too large";
    else
        z->py.base = (int64_t)z->py.start - (int64_t)e->offset_64;
}

static enum bz_status read_one(struct zip *z, struct zip_dir *d) {
    if (d->bad == NULL)
        BZ_TRY(zip_read_dir(z, d));
    if (d->bad != NULL)
        BZ_TRY(zip_found(z, ZIP_BROKEN, d->start, bz_view_str(d->bad)));
    return BZ_OK;
}

static void skip_known(const struct zip_dir *known, struct zip_dir *d) {
    for (size_t i = 0; i < d->n && i < known->n; i++) {
        d->e[i].skip = known->e[i].local == d->e[i].local && known->e[i].packed == d->e[i].packed &&
                       known->e[i].method == d->e[i].method;
    }
}

static enum bz_status from_the_front(struct zip *z) {
    BZ_TRY(zip_read_forward(z, &z->py));
    recognise(z, &z->py);
    return members(z, &z->py);
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct zip z = {.s = s, .o = o};
    BZ_TRY(zip_find_end(s, &o->src, &z.end));
    if (!z.end.found) {
        BZ_TRY(zip_found(&z, ZIP_BROKEN, 0, BZ_V("no end record")));
        return from_the_front(&z);
    }
    place_dirs(&z);
    BZ_TRY(check_end(&z));
    BZ_TRY(read_one(&z, &z.py));
    if (z.py.n > 0 || z.py.bad == NULL)
        BZ_TRY(zip_check(&z, &z.py));
    recognise(&z, &z.py);
    BZ_TRY(members(&z, &z.py));
    if (!z.same) {
        BZ_TRY(zip_found(&z, ZIP_TWO_VIEWS, z.mz.start,
                         BZ_V("its directory is not where the end record says")));
        BZ_TRY(zip_read_dir(&z, &z.mz));
        skip_known(&z.py, &z.mz);
        if (z.mz.n > 0) {
            BZ_TRY(zip_check(&z, &z.mz));
            BZ_TRY(members(&z, &z.mz));
        }
    }
    return z.py.n == 0 && z.mz.n == 0 && z.py.bad != NULL ? from_the_front(&z) : BZ_OK;
}

const struct bz_format bz_format_zip = {
    .name = "zip", .what = "ZIP archive", .probe = probe, .scan = scan, .rules = bz_zip_rules};
