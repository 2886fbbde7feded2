/* The directory against the local headers, and what lies between members. */
#include "zip.h"

#include <bartizan/rd.h>
#include <stdlib.h>

enum { LOCAL_HEAD = ZIP_LOCAL + 512 };

const struct bz_rule bz_zip_rules[] = {
    {"ZIP-TWO-VIEWS", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS,
     "torch and Python read different archives here",
     "what one program checked is not what another one loads",
     "take the file from its origin again", "CVE-2025-1944"},
    {"ZIP-PREFIX", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "bytes before the archive",
     "some programs see the archive, others what stands before it",
     "take the file from its origin again", "CWE-436"},
    {"ZIP-GAP", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "bytes between members that no entry names",
     "programs that read from the front find members there that others do not see",
     "pack the archive again", "CWE-436"},
    {"ZIP-TRAILING", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "bytes after the archive",
     "programs ignore them or refuse the archive; another format may hide there",
     "pack the archive again", "CWE-436"},
    {"ZIP-OVERLAP", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "members that share their bytes",
     "grows beyond measure when it is unpacked, or shows one program another file",
     "do not unpack it", "CVE-2019-13232"},
    {"ZIP-NAME", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS,
     "a member has one name in the directory and another one before its data",
     "programs that go by one name load what others checked under the other",
     "take the file from its origin again", "CVE-2025-1944"},
    {"ZIP-HEADERS", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS,
     "a member's two headers disagree on method, size or CRC",
     "programs unpack other bytes, depending on which header they believe",
     "take the file from its origin again", "CWE-436"},
    {"ZIP-FLAGS", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "flags that are not true or not the same",
     "a checker stops at them (encrypted, patched) while a loader reads the member",
     "take the file from its origin again", "CVE-2025-1945"},
    {"ZIP-CRC", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "a member's checksum is wrong",
     "Python stops at it, torch loads it: a checker that stops has not looked",
     "take the file from its origin again", "CVE-2025-10156"},
    {"ZIP-SIZE", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "a member is not as long as it says",
     "programs read other bytes, depending on which length they believe",
     "take the file from its origin again", "CWE-130"},
    {"ZIP-BROKEN", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "no sound ZIP archive",
     "programs refuse it, or read what they can make of it", "take the file from its origin again",
     ""},
    {.id = NULL},
};

enum bz_status zip_found(struct zip *z, enum zip_rule rule, uint64_t offset,
                         struct bz_view evidence) {
    return bz_scan_found(z->s, z->o, &bz_zip_rules[rule], offset, evidence);
}

/* ---- local headers -------------------------------------------------------------------------------- */

struct local {
    struct bz_view name;
    uint64_t packed, size, data;
    uint32_t crc;
    uint16_t method, flags;
};

static void local_extra(struct bz_view extra, struct local *l) {
    struct bz_rd r;
    bz_rd_init(&r, extra);
    while (r.n >= 4 && bz_rd_ok(&r)) {
        uint16_t id = bz_rd_le16(&r);
        struct bz_rd f = bz_rd_sub(&r, bz_rd_le16(&r));
        if (id != 1 || !bz_rd_ok(&r))
            continue;
        if (l->size == UINT32_MAX)
            l->size = bz_rd_le64(&f);
        if (l->packed == UINT32_MAX)
            l->packed = bz_rd_le64(&f);
        return;
    }
}

/* *ret_ok: false where there is no local header. `mem` is used for short ones. */
static enum bz_status read_local(struct zip *z, const struct zip_entry *e, uint8_t *mem,
                                 struct local *l, bool *ret_ok) {
    const struct bz_source *src = &z->o->src;
    struct bz_rd r;
    uint64_t have = src->size - e->local;
    size_t n = have < LOCAL_HEAD ? (size_t)have : LOCAL_HEAD;
    *ret_ok = false;
    if (n < ZIP_LOCAL)
        return BZ_OK;
    BZ_TRY(bz_source_exact(src, e->local, mem, n));
    bz_rd_init(&r, bz_view(mem, n));
    if (bz_rd_le32(&r) != 0x04034b50)
        return BZ_OK;
    (void)bz_rd_le16(&r);
    l->flags = bz_rd_le16(&r);
    l->method = bz_rd_le16(&r);
    (void)bz_rd_le32(&r);
    l->crc = bz_rd_le32(&r);
    l->packed = bz_rd_le32(&r);
    l->size = bz_rd_le32(&r);
    size_t name_n = bz_rd_le16(&r), extra_n = bz_rd_le16(&r);
    l->data = e->local + ZIP_LOCAL + name_n + extra_n;
    if (name_n + extra_n > n - ZIP_LOCAL) { /* torch pads with long extra fields */
        if (name_n + extra_n > have - ZIP_LOCAL)
            return BZ_OK;
        uint8_t *more = bz_arena_alloc(bz_scan_arena(z->s), name_n + extra_n);
        if (more == NULL)
            return BZ_ENOMEM;
        BZ_TRY(bz_source_exact(src, e->local + ZIP_LOCAL, more, name_n + extra_n));
        bz_rd_init(&r, bz_view(more, name_n + extra_n));
    }
    l->name = bz_rd_take(&r, name_n);
    local_extra(bz_rd_take(&r, extra_n), l);
    *ret_ok = bz_rd_ok(&r);
    return BZ_OK;
}

static enum bz_status compare(struct zip *z, struct zip_entry *e, const struct local *l) {
    bool later = (l->flags & ZIP_DESCRIPTOR) != 0; /* CRC and sizes stand behind the data */
    if (!bz_view_eq(e->name, l->name)) {
        e->lies = true;
        BZ_TRY(zip_found(z, ZIP_NAME, e->local, l->name));
    }
    if (e->method != l->method || (!(later && l->crc == 0) && e->crc != l->crc) ||
        (!(later && l->packed == 0) && e->packed != l->packed) ||
        (!(later && l->size == 0) && e->size != l->size)) {
        e->lies = true;
        BZ_TRY(zip_found(z, ZIP_HEADERS, e->local, e->name));
    }
    /* ZIP_UTF8 may differ: writers set it in one place only, and it changes no byte of an ASCII name. */
    uint16_t differ = (uint16_t)((e->flags ^ l->flags) & ~ZIP_UTF8);
    uint16_t odd = (uint16_t)((e->flags | l->flags) & (ZIP_PATCHED | ZIP_STRONG | ZIP_MASKED));
    if (differ != 0 || odd != 0) {
        e->lies = true;
        BZ_TRY(zip_found(z, ZIP_FLAGS, e->local, e->name));
    }
    return BZ_OK;
}

/* Behind the data: CRC and sizes, with a signature or without, of 32 or 64 bits. */
static uint64_t descriptor_end(struct zip *z, const struct zip_entry *e, uint64_t end) {
    uint8_t mem[24];
    size_t n = 0;
    struct bz_rd r;
    if (z->o->src.pread(z->o->src.ctx, end, mem, sizeof mem, &n) != BZ_OK)
        return end;
    bz_rd_init(&r, bz_view(mem, n));
    if (bz_view_starts(bz_view(mem, n), BZ_V("PK\7\10")))
        (void)bz_rd_le32(&r);
    if (bz_rd_le32(&r) != e->crc || !bz_rd_ok(&r))
        return end;
    struct bz_rd narrow = r;
    uint64_t packed = bz_rd_le64(&r), size = bz_rd_le64(&r);
    if (bz_rd_ok(&r) && packed == e->packed && size == e->size)
        return end + r.off;
    packed = bz_rd_le32(&narrow);
    size = bz_rd_le32(&narrow);
    return bz_rd_ok(&narrow) && packed == e->packed && size == e->size ? end + narrow.off : end;
}

static enum bz_status check_local(struct zip *z, struct zip_entry *e, uint8_t *mem) {
    struct local l = {.crc = 0};
    bool ok = false;
    BZ_TRY(read_local(z, e, mem, &l, &ok));
    if (!ok) {
        e->lies = true;
        return zip_found(z, ZIP_BROKEN, e->local, BZ_V("no local header where the directory says"));
    }
    BZ_TRY(compare(z, e, &l));
    if (l.data > z->o->src.size || e->packed > z->o->src.size - l.data)
        return zip_found(z, ZIP_BROKEN, e->local, BZ_V("a member reaches beyond the file"));
    e->data = l.data;
    e->data_end = l.data + e->packed;
    if ((l.flags & ZIP_DESCRIPTOR) != 0)
        e->data_end = descriptor_end(z, e, e->data_end);
    e->sound = true;
    return BZ_OK;
}

/* ---- extents --------------------------------------------------------------------------------------- */

static int by_offset(const void *va, const void *vb) {
    const struct zip_entry *a = *(struct zip_entry *const *)va;
    const struct zip_entry *b = *(struct zip_entry *const *)vb;
    if (a->local != b->local)
        return a->local < b->local ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

enum bz_status zip_hidden(struct zip *z, enum zip_rule rule, uint64_t from, uint64_t to,
                          struct bz_view name) {
    uint8_t head[2048];
    size_t n = 0, zeros = 0;
    const struct bz_source *part = bz_source_part(z->s, &z->o->src, from, to - from);
    if (part == NULL)
        return BZ_ENOMEM;
    BZ_TRY(part->pread(part->ctx, 0, head, sizeof head, &n));
    while (zeros < n && head[zeros] == 0)
        zeros++;
    if (rule == ZIP_GAP && zeros == to - from)
        return BZ_OK; /* alignment */
    BZ_TRY(zip_found(z, rule, from, bz_view(head, n < 16 ? n : 16)));
    return bz_scan_member(z->s, z->o, name, part);
}

static enum bz_status check_extents(struct zip *z, const struct zip_dir *d,
                                    struct zip_entry **order) {
    uint64_t end = d->n > 0 ? order[0]->local : d->start;
    bool told = false;
    /* TensorFlow Lite appends its metadata as an archive; the model before it is scanned as one */
    bool model = bz_view_eq(bz_view_sub(z->o->head, 4, 4), BZ_V("TFL3"));
    if (end > 0 && !model)
        BZ_TRY(zip_hidden(z, ZIP_PREFIX, 0, end, BZ_V("bytes before")));
    for (size_t i = 0; i < d->n; i++) {
        const struct zip_entry *e = order[i];
        if (e->local < end && !told) {
            told = true;
            BZ_TRY(zip_found(z, ZIP_OVERLAP, e->local, e->name));
        }
        if (e->local > end)
            BZ_TRY(zip_hidden(z, ZIP_GAP, end, e->local, BZ_V("bytes between")));
        if (e->sound && e->data_end > end)
            end = e->data_end;
        else if (!e->sound && e->local >= end)
            end = i + 1 < d->n ? order[i + 1]->local : d->start;
    }
    if (end < d->start)
        return zip_hidden(z, ZIP_GAP, end, d->start, BZ_V("bytes between"));
    if (end > d->start && !told)
        return zip_found(z, ZIP_OVERLAP, d->start, BZ_V("the directory"));
    return BZ_OK;
}

enum bz_status zip_check(struct zip *z, struct zip_dir *d) {
    struct bz_arena *ar = bz_scan_arena(z->s);
    struct zip_entry **order = bz_arena_alloc(ar, (d->n + 1) * sizeof *order);
    struct bz_archive_name *names = bz_arena_alloc(ar, (d->n + 1) * sizeof *names);
    uint8_t *mem = bz_arena_alloc(ar, LOCAL_HEAD);
    if (order == NULL || names == NULL || mem == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < d->n; i++) {
        order[i] = &d->e[i];
        names[i] = (struct bz_archive_name){d->e[i].name, d->e[i].at};
        BZ_TRY(bz_archive_name(z->s, z->o, d->e[i].at, d->e[i].name));
    }
    qsort(order, d->n, sizeof(struct zip_entry *), by_offset);
    for (size_t i = 0; i < d->n; i++)
        BZ_TRY(check_local(z, order[i], mem));
    BZ_TRY(bz_archive_twins(z->s, z->o, names, d->n, true));
    return check_extents(z, d, order);
}
