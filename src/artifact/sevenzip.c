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
    {"7Z-TWO-VIEWS", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS,
     "two readers see different archives here",
     "what one program checked is not what another unpacks", "take the file from its origin again",
     "CWE-436"},
    {"7Z-CRASH", BZ_SEVERITY_CRITICAL, BZ_RULE_MALFORMED, "kills the library that reads it",
     "libarchive runs into a fault, or asks for what it must not have: as in an attack on it",
     "do not unpack it", "CWE-119"},
    {"7Z-TRAILING", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "bytes after the archive",
     "another format may hide there", "pack the archive again", "CWE-436"},
    {.id = NULL},
};
enum { R_BROKEN, R_CRC, R_TWO_VIEWS, R_CRASH, R_TRAILING };

struct sz {
    struct bz_scan *s;
    const struct bz_object *o;
    struct sz_head h;
    struct sz_other other; /* its cleanup runs when scan() has returned: this lies in the arena */
    uint64_t end;          /* of the last header */
};

static enum bz_status found(struct sz *z, size_t rule, uint64_t off, struct bz_view evidence) {
    return bz_scan_found(z->s, z->o, &rules[rule], off, evidence);
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return bz_view_starts(o->head, BZ_V("7z\xbc\xaf\x27\x1c")) ? BZ_PROBE_YES : BZ_PROBE_NO;
}

/* What a folder unpacks to. NULL in *ret: it is encrypted, which was recorded, or packed in a way that is
 * not read here. */
static enum bz_status open_folder(struct sz *z, const struct sz_folder *f, struct bz_view first,
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
        return bz_archive_found(z->s, z->o, BZ_ARC_ENCRYPTED, f->pack_off, first);
    case SZ_UNKNOWN:
    default:
        return BZ_OK;
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
        const struct sz_folder *f = &z->h.folders[0];
        BZ_TRY(open_folder(z, f, BZ_V("the list of members"), &src));
        if (src == NULL && f->way == SZ_UNKNOWN)
            return bz_archive_found(z->s, z->o, BZ_ARC_METHOD, f->pack_off,
                                    BZ_V("the list of members"));
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

/* The next file that has a stream; files_n: there is none. */
static size_t next_file(const struct sz_head *h, size_t at) {
    while (at < h->files_n && !h->files[at].has_stream)
        at++;
    return at;
}

static const struct sz_file *file_at(const struct sz_head *h, size_t i) {
    static const struct sz_file nameless = {.name = {(const uint8_t *)"(no name)", 9}};
    return i < h->files_n ? &h->files[i] : &nameless;
}

/* ---- what libarchive unpacks ---------------------------------------------------------------------------- */

/* It sees other members: all of them are looked at, whatever our header says of them. */
static enum bz_status all_of_the_other(struct sz *z) {
    for (size_t i = 0; i < z->other.n; i++) {
        const struct sz_taken *m = &z->other.members[i];
        const struct bz_source *part = bz_source_part(z->s, &z->other.bytes, m->at, m->size);
        if (part == NULL)
            return BZ_ENOMEM;
        BZ_TRY(m->link.n > 0 ? bz_archive_link(z->s, z->o, 0, m->name, m->link)
                             : bz_scan_member(z->s, z->o, m->name, part));
    }
    return BZ_OK;
}

static enum bz_status bomb(struct sz *z) {
    uint64_t size = z->other.bytes.size;
    if (size < BZ_SCAN_RATIO_FROM || size / (z->o->src.size + 1) < bz_scan_ratio(z->s))
        return BZ_OK;
    return bz_scan_found(z->s, z->o, &bz_codec_rules[BZ_CODEC_BOMB], 0, BZ_V("7z"));
}

/* Once, before the first folder that needs it. */
static enum bz_status ask_other(struct sz *z) {
    struct bz_view name = BZ_V("");
    if (z->other.asked)
        return BZ_OK;
    BZ_TRY(sz_other_ask(&z->other, z->s, z->o));
    if (z->other.st == BZ_ECORRUPT)
        return found(z, R_CRASH, 0, BZ_V(""));
    if (z->other.st == BZ_ELIMIT)
        return bz_scan_left_out(z->s, z->o, 0, "cap: time, memory or bytes of the reader of 7z");
    if (z->other.st != BZ_OK)
        return BZ_OK;
    BZ_TRY(bomb(z));
    if (sz_other_agrees(&z->other, &z->h, &name))
        return BZ_OK;
    BZ_TRY(found(z, R_TWO_VIEWS, 0, name));
    return all_of_the_other(z);
}

/* One file of a folder that is not read here. */
static enum bz_status other_member(struct sz *z, const struct sz_folder *f, size_t file,
                                   const struct sz_stream *st) {
    const struct sz_file *name = file_at(&z->h, file);
    const struct sz_taken *m = file < z->other.n ? &z->other.members[file] : NULL;
    struct bz_source src;
    if (m == NULL || !m->whole)
        return bz_archive_found(z->s, z->o, BZ_ARC_METHOD, f->pack_off, name->name);
    if (m->link.n > 0) {
        bz_source_mem(&src, &(struct bz_view){m->link.p, m->link.n});
        return member(z, name, st, &src);
    }
    const struct bz_source *part = bz_source_part(z->s, &z->other.bytes, m->at, m->size);
    if (part == NULL)
        return BZ_ENOMEM;
    return bz_scan_bytes(z->s, z->o, m->size) ? member(z, name, st, part) : BZ_OK;
}

/* ---- all ------------------------------------------------------------------------------------------------ */

static enum bz_status folder_members(struct sz *z, const struct sz_folder *f, size_t stream,
                                     size_t *file) {
    const struct bz_source *src = NULL;
    uint64_t off = 0;
    BZ_TRY(open_folder(z, f, file_at(&z->h, next_file(&z->h, *file))->name, &src));
    if (f->way == SZ_UNKNOWN && f->files > 0)
        BZ_TRY(ask_other(z));
    for (uint64_t k = 0; k < f->files; k++, stream++) {
        const struct sz_stream *st = &z->h.streams[stream];
        size_t i = next_file(&z->h, *file);
        *file = i < z->h.files_n ? i + 1 : i;
        if (f->way == SZ_UNKNOWN)
            BZ_TRY(other_member(z, f, i, st));
        if (src == NULL)
            continue;
        const struct bz_source *part = bz_source_part(z->s, src, off, st->size);
        if (part == NULL)
            return BZ_ENOMEM;
        BZ_TRY(member(z, file_at(&z->h, i), st, part));
        off += st->size;
    }
    if (f->way == SZ_CODEC)
        bz_codec_done(src);
    return BZ_OK;
}

static enum bz_status members(struct sz *z) {
    size_t stream = 0, file = 0;
    for (size_t i = 0; i < z->h.folders_n; i++) {
        BZ_TRY(folder_members(z, &z->h.folders[i], stream, &file));
        stream += (size_t)z->h.folders[i].files;
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
    struct sz *z = bz_arena_zalloc(bz_scan_arena(s), sizeof *z);
    struct bz_rd r;
    struct bz_view bytes;
    bool done = false;
    if (z == NULL)
        return BZ_ENOMEM;
    z->s = s;
    z->o = o;
    if (o->head.n < SZ_HEAD)
        return found(z, R_BROKEN, 0, BZ_V("it ends in its first header"));
    bz_rd_init(&r, bz_view_sub(o->head, 8, 24));
    uint32_t start_crc = bz_rd_le32(&r);
    uint64_t off = bz_rd_le64(&r), size = bz_rd_le64(&r);
    uint32_t crc = bz_rd_le32(&r);
    if (start_crc != (uint32_t)crc32(0, o->head.p + 12, 20))
        BZ_TRY(found(z, R_BROKEN, 8, BZ_V("the first header's checksum is wrong")));
    if (off > o->src.size - SZ_HEAD || size > o->src.size - SZ_HEAD - off)
        return found(z, R_BROKEN, 12, BZ_V("the header lies outside the file"));
    z->end = SZ_HEAD + off + size;
    if (size == 0)
        return after(z); /* an archive without members */
    if (size > HEADER_MAX)
        return bz_scan_left_out(s, o, SZ_HEAD + off, "a 7z header of more than 16 MiB");
    BZ_TRY(read_bytes(z, &o->src, SZ_HEAD + off, size, &bytes));
    if (crc != (uint32_t)crc32(0, bytes.p, (uInt)bytes.n))
        BZ_TRY(found(z, R_BROKEN, SZ_HEAD + off, BZ_V("the header's checksum is wrong")));
    BZ_TRY(headers(z, bytes, &done));
    if (done) {
        BZ_TRY(check_names(z));
        BZ_TRY(members(z));
    }
    return after(z);
}

const struct bz_format bz_format_sevenzip = {
    .name = "7z", .what = "7z archive", .probe = probe, .scan = scan, .rules = rules};
