/* ZIP archives byte by byte, and wrong in any one place. */
#ifndef BZ_ZIP_BUILD_H
#define BZ_ZIP_BUILD_H

#include <bartizan/buf.h>
#include <zlib.h>

struct zip_add { /* 0: what is right */
    const char *name, *local_name;
    const void *data;
    size_t n;
    bool deflate;
    uint16_t flags, local_flags; /* local: exclusive or with flags */
    uint16_t method, local_method;
    uint32_t crc_xor, local_crc_xor, attributes;
    int64_t size_add, local_offset_add;
    bool only_local; /* in no directory */
    bool descriptor; /* CRC and sizes behind the data */
};

struct zip_build {
    struct bz_buf file, dir;
    uint16_t entries;
    uint64_t base; /* taken off the offsets: bytes put before the archive */
};

static inline void zip_build_init(struct zip_build *z) {
    bz_buf_init(&z->file, 64u << 20);
    bz_buf_init(&z->dir, 16u << 20);
    z->entries = 0;
    z->base = 0;
}

static inline void zip_build_done(struct zip_build *z) {
    bz_buf_free(&z->file);
    bz_buf_free(&z->dir);
}

/* Raw deflate. */
static inline size_t zip_deflate(const void *data, size_t n, uint8_t *out, size_t cap) {
    z_stream s = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)n};
    s.next_out = out;
    s.avail_out = (uInt)cap;
    if (deflateInit2(&s, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    (void)deflate(&s, Z_FINISH);
    size_t made = cap - s.avail_out;
    (void)deflateEnd(&s);
    return made;
}

static inline void zip_put(struct zip_build *z, const struct zip_add *a) {
    static uint8_t packed[1 << 20];
    struct bz_buf *f = &z->file, *d = &z->dir;
    const void *data = a->data == NULL ? "" : a->data;
    size_t n = a->n, packed_n = n;
    if (a->deflate) {
        packed_n = zip_deflate(data, n, packed, sizeof packed);
        data = packed;
    }
    uint32_t crc = (uint32_t)crc32(0, a->data == NULL ? (const Bytef *)"" : a->data, (uInt)n);
    uint16_t method = a->method != 0 ? a->method : a->deflate ? 8 : 0;
    uint16_t flags = (uint16_t)(a->flags | (a->descriptor ? 8 : 0));
    const char *local = a->local_name != NULL ? a->local_name : a->name;
    uint64_t at = (uint64_t)((int64_t)(f->n - z->base) + a->local_offset_add);
    uint32_t size = (uint32_t)((int64_t)n + a->size_add);
    bz_buf_puts(f, "PK\3\4");
    bz_buf_put_le16(f, 20);
    bz_buf_put_le16(f, (uint16_t)(flags ^ a->local_flags));
    bz_buf_put_le16(f, a->local_method != 0 ? a->local_method : method);
    bz_buf_put_le32(f, 0x21 << 16);
    bz_buf_put_le32(f, a->descriptor ? 0 : crc ^ a->local_crc_xor);
    bz_buf_put_le32(f, a->descriptor ? 0 : (uint32_t)packed_n);
    bz_buf_put_le32(f, a->descriptor ? 0 : size);
    bz_buf_put_le16(f, (uint16_t)strlen(local));
    bz_buf_put_le16(f, 0);
    bz_buf_puts(f, local);
    bz_buf_put(f, bz_view(data, packed_n));
    if (a->descriptor) {
        bz_buf_puts(f, "PK\7\10");
        bz_buf_put_le32(f, crc);
        bz_buf_put_le32(f, (uint32_t)packed_n);
        bz_buf_put_le32(f, size);
    }
    if (a->only_local)
        return;
    z->entries++;
    bz_buf_puts(d, "PK\1\2");
    bz_buf_put_le16(d, 3 << 8 | 20);
    bz_buf_put_le16(d, 20);
    bz_buf_put_le16(d, flags);
    bz_buf_put_le16(d, method);
    bz_buf_put_le32(d, 0x21 << 16);
    bz_buf_put_le32(d, crc ^ a->crc_xor);
    bz_buf_put_le32(d, (uint32_t)packed_n);
    bz_buf_put_le32(d, size);
    bz_buf_put_le16(d, (uint16_t)strlen(a->name));
    bz_buf_put_le32(d, 0); /* extra, comment */
    bz_buf_put_le32(d, 0); /* disk, internal attributes */
    bz_buf_put_le32(d, a->attributes);
    bz_buf_put_le32(d, (uint32_t)at);
    bz_buf_puts(d, a->name);
}

static inline void zip_text(struct zip_build *z, const char *name, const char *text) {
    zip_put(z, &(struct zip_add){.name = name, .data = text, .n = strlen(text)});
}

struct zip_end { /* added to what is right */
    int entries, size, offset;
    const char *comment;
    int comment_n; /* added to its length */
};

/* Directory and end record; the whole file. */
static inline struct bz_view zip_finish(struct zip_build *z, const struct zip_end *e) {
    static const struct zip_end plain = {.comment = ""};
    struct bz_buf *f = &z->file;
    e = e == NULL ? &plain : e;
    const char *comment = e->comment == NULL ? "" : e->comment;
    size_t at = f->n - z->base;
    uint16_t n = (uint16_t)(z->entries + e->entries);
    bz_buf_put(f, bz_buf_view(&z->dir));
    bz_buf_puts(f, "PK\5\6");
    bz_buf_put_le32(f, 0);
    bz_buf_put_le16(f, n);
    bz_buf_put_le16(f, n);
    bz_buf_put_le32(f, (uint32_t)((int64_t)z->dir.n + e->size));
    bz_buf_put_le32(f, (uint32_t)((int64_t)at + e->offset));
    bz_buf_put_le16(f, (uint16_t)((int)strlen(comment) + e->comment_n));
    bz_buf_puts(f, comment);
    return bz_buf_view(f);
}

#endif
