/* ZIP, read twice. PKWARE APPNOTE 6.3.10; Python's zipfile and miniz as torch builds it.
 *
 *   zip_dir.c    where each of the two finds its directory, and what stands there
 *   zip_check.c  directory against local headers, extents, names
 *   zip.c        the format: both readings, members
 *
 *      0                                                                       size
 *      |  [prefix] local header | data | ... | central directory | EOCD | [comment, junk]
 *                  ^ zipfile: offset + base                ^ zipfile: EOCD - its size
 *                  ^ miniz: offset                         ^ miniz: its offset
 */
#ifndef BZ_ARTIFACT_ZIP_H
#define BZ_ARTIFACT_ZIP_H

#include "archive.h"

enum { ZIP_LOCAL = 30, ZIP_CENTRAL = 46, ZIP_END = 22, ZIP64_END = 56, ZIP64_LOCATOR = 20 };
enum {
    ZIP_ENCRYPTED = 1,
    ZIP_DESCRIPTOR = 8,
    ZIP_PATCHED = 0x20,
    ZIP_STRONG = 0x40,
    ZIP_UTF8 = 0x800,
    ZIP_MASKED = 0x2000
};

struct zip_entry {
    struct bz_view name;      /* of the directory */
    uint64_t at;              /* of its directory entry, in the file */
    uint64_t local;           /* of its local header, in the file */
    uint64_t packed, size;    /* bytes */
    uint64_t data, data_end;  /* where they lie; from the local header */
    uint32_t crc, attributes; /* external */
    uint16_t method, flags, system;
    bool sound; /* data and data_end hold */
    bool lies;  /* the two headers disagree */
    bool skip;  /* scanned already through the other reading */
};

struct zip_dir {
    uint64_t start, size; /* of the central directory, in the file */
    int64_t base;         /* added to the offsets in it (zipfile) */
    uint64_t count;       /* entries as declared */
    struct zip_entry *e;
    size_t n;
    const char *bad; /* NULL: whole; else why reading stopped */
};

struct zip_end {      /* an end record */
    uint64_t at, end; /* and behind its comment */
    uint64_t entries, size, offset;
    uint64_t entries_64, size_64, offset_64; /* of the ZIP64 record, or the same */
    uint64_t dir_end;                        /* zipfile's: where the directory must end */
    bool found, zip64;
    bool apart; /* the ZIP64 record is not where zipfile looks */
};

struct zip {
    struct bz_scan *s;
    const struct bz_object *o;
    struct zip_end end;
    struct zip_dir py, mz;
    bool same;            /* one directory for both */
    struct bz_view torch; /* "archive/": the folder of a torch archive, with its slash */
    bool is_torch, is_script;
};

extern const struct bz_rule bz_zip_rules[];
enum zip_rule {
    ZIP_TWO_VIEWS,
    ZIP_PREFIX,
    ZIP_GAP,
    ZIP_TRAILING,
    ZIP_OVERLAP,
    ZIP_NAME,
    ZIP_HEADERS,
    ZIP_FLAGS,
    ZIP_CRC,
    ZIP_SIZE,
    ZIP_BROKEN
};
enum bz_status zip_found(struct zip *z, enum zip_rule rule, uint64_t offset,
                         struct bz_view evidence) BZ_MUST_USE;

/* The last end record in the file, or none (->found). OK, EIO, ELIMIT, ENOMEM. */
enum bz_status zip_find_end(struct bz_scan *s, const struct bz_source *src,
                            struct zip_end *ret) BZ_MUST_USE;
/* Fills d->e from d->start, d->size, d->base, d->count. */
enum bz_status zip_read_dir(struct zip *z, struct zip_dir *d) BZ_MUST_USE;
/* Bytes that no entry names: a finding, and an object of their own. */
enum bz_status zip_hidden(struct zip *z, enum zip_rule rule, uint64_t from, uint64_t to,
                          struct bz_view name) BZ_MUST_USE;
/* Entries from local headers alone, from the front, where there is no directory. */
enum bz_status zip_read_forward(struct zip *z, struct zip_dir *d) BZ_MUST_USE;
/* Local headers, extents, gaps, names. */
enum bz_status zip_check(struct zip *z, struct zip_dir *d) BZ_MUST_USE;

#endif
