/* 7z: the header, which may be packed itself, and the members. */
#include "sevenzip.h"

#include <bartizan/limits.h>
#include <zlib.h>

enum { HEADER_MAX = 16 << 20, LAYERS_MAX = 4, LINK_MAX = 4096 };

static const struct bz_rule rules[] = {
    {"7Z-BROKEN", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "no sound 7z archive",
     "programs refuse it, or stop in the middle", "take the file from its origin again", ""},
    {"7Z-CRC", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "a member's checksum is wrong",
     "programs stop after unpacking it", "take the file from its origin again", ""},
    {"7Z-TRAILING", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "bytes after the archive",
     "another format may hide there", "pack the archive again", "CWE-436"},
    {.id = NULL},
};
enum { R_BROKEN, R_CRC, R_TRAILING };

struct sz {
    struct bz_scan *s;
    const struct bz_object *o;
    struct sz_head h;
    uint64_t end; /* of the last header */
};

static enum bz_status found(struct sz *z, size_t rule, uint64_t off, struct bz_view evidence) {
    return bz_scan_found(z->s, z->o, &rules[rule], off, evidence);
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return bz_view_starts(o->head, BZ_V("7z\xbc\xaf\x27\x1c")) ? BZ_PROBE_YES : BZ_PROBE_NO;
}

/* What a folder unpacks to. NULL in *ret: a way that is not known here, which was recorded. */
static enum bz_status open_folder(struct sz *z, const struct sz_folder *f,
                                  const struct bz_source **ret) {
    const struct bz_source *packed = bz_source_part(z->s, &z->o->src, f->pack_off, f->pack_size);
    struct bz_codec_raw raw = {f->props, f->size, f->filter, f->distance};
    *ret = NULL;
    if (packed == NULL)
        return BZ_ENOMEM;
    switch (f->way) {
    case SZ_COPY:
        *ret = packed;
        return BZ_OK;
    case SZ_CODEC:
        *ret = bz_codec_source_raw(z->s, z->o, f->codec, packed, &raw);
        return *ret == NULL ? BZ_ENOMEM : BZ_OK;
    case SZ_ENCRYPTED:
        return bz_archive_found(z->s, z->o, BZ_ARC_ENCRYPTED, f->pack_off, BZ_V(""));
    case SZ_UNKNOWN:
    default:
        return bz_archive_found(z->s, z->o, BZ_ARC_METHOD, f->pack_off, BZ_V(""));
    }
}

/* ---- headers ---------------------------------------------------------------------------------------- */

static enum bz_status read_bytes(struct sz *z, const struct bz_source *src, uint64_t off,
                                 uint64_t n, struct bz_view *ret) {
    if (n > HEADER_MAX)
        return BZ_ETOOBIG;
    uint8_t *p = bz_arena_alloc(bz_scan_arena(z->s), (size_t)n + 1);
    if (p == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_source_exact(src, off, p, (size_t)n));
    *ret = bz_view(p, (size_t)n);
    return BZ_OK;
}

/* Until it is no longer packed. *ret_done: the header was read; else a finding says why not. */
static enum bz_status headers(struct sz *z, struct bz_view bytes, bool *ret_done) {
    *ret_done = false;
    for (unsigned layer = 0; layer < LAYERS_MAX; layer++) {
        struct bz_rd r;
        const struct bz_source *src = NULL;
        z->h = (struct sz_head){.s = z->s, .base = SZ_HEAD};
        bz_rd_init(&r, bytes);
        uint8_t id = bz_rd_u8(&r);
        if (id != 1 && id != 0x17)
            return found(z, R_BROKEN, 0, BZ_V("no header where one should be"));
        BZ_TRY(id == 1 ? sz_read_head(&z->h, &r) : sz_read_streams(&z->h, &r));
        if (z->h.bad != NULL)
            return found(z, R_BROKEN, 0, bz_view_str(z->h.bad));
        *ret_done = id == 1;
        if (id == 1)
            return BZ_OK;
        if (z->h.folders_n != 1)
            return found(z, R_BROKEN, 0, BZ_V("a packed header of several folders"));
        BZ_TRY(open_folder(z, &z->h.folders[0], &src));
        if (src == NULL)
            return BZ_OK;
        enum bz_status st = read_bytes(z, src, 0, z->h.folders[0].size, &bytes);
        if (st == BZ_ETOOBIG || st == BZ_ETRAILING || st == BZ_ECORRUPT)
            return found(z, R_BROKEN, 0, BZ_V("its header cannot be unpacked"));
        BZ_TRY(st);
    }
    return found(z, R_BROKEN, 0, BZ_V("a header packed many times over"));
}

/* ---- members ------------------------------------------------------------------------------------------ */

static enum bz_status member(struct sz *z, const struct sz_file *f, const struct sz_stream *st,
                             const struct bz_source *part) {
    struct bz_spool spool = {.size = 0};
    enum bz_status res = bz_spool_fill(&spool, z->s, part, BZ_SCAN_SPOOL_MAX);
    if (res == BZ_OK && spool.st == BZ_OK &&
        (spool.size != st->size || (st->has_crc && spool.crc != st->crc)))
        res = found(z, R_CRC, 0, f->name);
    if (res == BZ_OK && f->link)
        res = bz_archive_link(z->s, z->o, 0, f->name, bz_view_sub(spool.mem, 0, LINK_MAX));
    else if (res == BZ_OK)
        res = bz_scan_member(z->s, z->o, f->name, &spool.src);
    bz_spool_done(&spool);
    return res;
}

/* The next file that has a stream. */
static const struct sz_file *next_file(const struct sz_head *h, size_t *at) {
    static const struct sz_file nameless = {.name = {(const uint8_t *)"(no name)", 9}};
    while (*at < h->files_n && !h->files[*at].has_stream)
        (*at)++;
    return *at < h->files_n ? &h->files[(*at)++] : &nameless;
}

static enum bz_status members(struct sz *z) {
    size_t stream = 0, file = 0;
    for (size_t i = 0; i < z->h.folders_n; i++) {
        const struct sz_folder *f = &z->h.folders[i];
        const struct bz_source *src = NULL;
        uint64_t off = 0;
        BZ_TRY(open_folder(z, f, &src));
        for (uint64_t k = 0; k < f->files; k++, stream++) {
            const struct sz_file *name = next_file(&z->h, &file);
            const struct sz_stream *st = &z->h.streams[stream];
            if (src == NULL)
                continue;
            const struct bz_source *part = bz_source_part(z->s, src, off, st->size);
            if (part == NULL)
                return BZ_ENOMEM;
            BZ_TRY(member(z, name, st, part));
            off += st->size;
        }
        if (f->way == SZ_CODEC)
            bz_codec_done(src);
    }
    return BZ_OK;
}

static enum bz_status check_names(struct sz *z) {
    struct bz_archive_name *names =
        bz_arena_alloc(bz_scan_arena(z->s), (z->h.files_n + 1) * sizeof *names);
    if (names == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < z->h.files_n; i++) {
        names[i] = (struct bz_archive_name){z->h.files[i].name, i};
        BZ_TRY(bz_archive_name(z->s, z->o, 0, z->h.files[i].name));
    }
    return bz_archive_twins(z->s, z->o, names, z->h.files_n, true);
}

static enum bz_status after(struct sz *z) {
    uint64_t size = z->o->src.size;
    uint8_t head[16];
    size_t n = 0;
    if (z->end >= size)
        return BZ_OK;
    const struct bz_source *rest = bz_source_part(z->s, &z->o->src, z->end, size - z->end);
    if (rest == NULL)
        return BZ_ENOMEM;
    BZ_TRY(rest->pread(rest->ctx, 0, head, sizeof head, &n));
    BZ_TRY(found(z, R_TRAILING, z->end, bz_view(head, n)));
    return bz_scan_member(z->s, z->o, BZ_V("bytes after"), rest);
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct sz z = {.s = s, .o = o};
    struct bz_rd r;
    struct bz_view bytes;
    bool done = false;
    if (o->head.n < SZ_HEAD)
        return found(&z, R_BROKEN, 0, BZ_V("it ends in its first header"));
    bz_rd_init(&r, bz_view_sub(o->head, 8, 24));
    uint32_t start_crc = bz_rd_le32(&r);
    uint64_t off = bz_rd_le64(&r), size = bz_rd_le64(&r);
    uint32_t crc = bz_rd_le32(&r);
    if (start_crc != (uint32_t)crc32(0, o->head.p + 12, 20))
        BZ_TRY(found(&z, R_BROKEN, 8, BZ_V("the first header's checksum is wrong")));
    if (off > o->src.size - SZ_HEAD || size > o->src.size - SZ_HEAD - off)
        return found(&z, R_BROKEN, 12, BZ_V("the header lies outside the file"));
    z.end = SZ_HEAD + off + size;
    if (size == 0)
        return after(&z); /* an archive without members */
    if (size > HEADER_MAX)
        return bz_scan_left_out(s, o, SZ_HEAD + off, "a 7z header of more than 16 MiB");
    BZ_TRY(read_bytes(&z, &o->src, SZ_HEAD + off, size, &bytes));
    if (crc != (uint32_t)crc32(0, bytes.p, (uInt)bytes.n))
        BZ_TRY(found(&z, R_BROKEN, SZ_HEAD + off, BZ_V("the header's checksum is wrong")));
    BZ_TRY(headers(&z, bytes, &done));
    if (done) {
        BZ_TRY(check_names(&z));
        BZ_TRY(members(&z));
    }
    return after(&z);
}

const struct bz_format bz_format_sevenzip = {
    .name = "7z", .what = "7z archive", .probe = probe, .scan = scan, .rules = rules};
