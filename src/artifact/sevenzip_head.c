/* Headers of 7z: a tree of small numbers. Every count is bounded by the bytes that are left. */
#include "sevenzip.h"

#include <bartizan/limits.h>
#include <bartizan/text.h>
#include <lzma.h>

enum {
    END = 0,
    ARCHIVE_PROPERTIES = 2,
    ADDITIONAL_STREAMS = 3,
    MAIN_STREAMS = 4,
    FILES = 5,
    PACK_INFO = 6,
    UNPACK_INFO = 7,
    SUBSTREAMS = 8,
    SIZE = 9,
    DIGESTS = 10,
    FOLDER = 11,
    UNPACK_SIZE = 12,
    SUBSTREAM_COUNT = 13,
    EMPTY_STREAM = 14,
    NAMES = 17,
    ATTRIBUTES = 21
};
enum { CODERS_MAX = 4, UNIX_EXTENSION = 0x8000, UNIX_TYPE = 0170000, UNIX_LINK = 0120000 };

/* The count of leading ones in the first byte says how many bytes follow. */
static uint64_t number(struct bz_rd *r) {
    uint8_t first = bz_rd_u8(r);
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t mask = (uint8_t)(0x80 >> i);
        if ((first & mask) == 0)
            return v | (uint64_t)(first & (mask - 1)) << (8 * i);
        v |= (uint64_t)bz_rd_u8(r) << (8 * i);
    }
    return v;
}

/* A count of things that take at least a byte each (or, of bits, an eighth of one). */
static size_t count(struct bz_rd *r, size_t per_byte) {
    uint64_t n = number(r);
    if (n > BZ_SCAN_MEMBERS_MAX || n > (uint64_t)r->n * per_byte) {
        bz_rd_fail(r, BZ_ERANGE);
        return 0;
    }
    return (size_t)n;
}

static enum bz_status bad(struct sz_head *h, const char *why) {
    if (h->bad == NULL)
        h->bad = why;
    return BZ_OK;
}

static enum bz_status zeroed(struct sz_head *h, size_t n, size_t size, void *ret) {
    void *p = bz_arena_zalloc(bz_scan_arena(h->s), (n + 1) * size);
    memcpy(ret, &p, sizeof p);
    return p == NULL ? BZ_ENOMEM : BZ_OK;
}

/* Bits, first one highest; all set where the byte before them is not 0. NULL: no memory. */
static enum bz_status bits(struct sz_head *h, struct bz_rd *r, size_t n, bool may_be_all,
                           bool **ret) {
    BZ_TRY(zeroed(h, n, sizeof **ret, ret));
    bool all = may_be_all && bz_rd_u8(r) != 0;
    uint8_t byte = 0;
    for (size_t i = 0; i < n; i++) {
        if (!all && i % 8 == 0)
            byte = bz_rd_u8(r);
        (*ret)[i] = all || (byte & (0x80 >> (i % 8))) != 0;
    }
    return BZ_OK;
}

/* ---- packed streams and folders -------------------------------------------------------------------- */

static enum bz_status pack_info(struct sz_head *h, struct bz_rd *r, uint64_t **ret, size_t *ret_n,
                                uint64_t *ret_pos) {
    *ret_pos = number(r);
    *ret_n = count(r, 1);
    BZ_TRY(zeroed(h, *ret_n, sizeof **ret, ret));
    for (uint8_t id = bz_rd_u8(r); id != END && bz_rd_ok(r); id = bz_rd_u8(r)) {
        bool *set = NULL;
        if (id == SIZE) {
            for (size_t i = 0; i < *ret_n; i++)
                (*ret)[i] = number(r);
        } else if (id == DIGESTS) {
            BZ_TRY(bits(h, r, *ret_n, true, &set));
            for (size_t i = 0; i < *ret_n; i++)
                (void)(set[i] ? bz_rd_le32(r) : 0);
        } else {
            return bad(h, "unknown packed streams");
        }
    }
    return BZ_OK;
}

static void set_way(struct sz_folder *f, struct bz_view id, struct bz_view props) {
    static const struct {
        uint8_t n, id[4];
        enum sz_way way;
        enum bz_codec codec;
    } ways[] = {
        {1, {0x00}, SZ_COPY, BZ_CODEC_COUNT},
        {1, {0x21}, SZ_CODEC, BZ_CODEC_LZMA2},
        {3, {3, 1, 1}, SZ_CODEC, BZ_CODEC_LZMA1},
        {3, {4, 1, 8}, SZ_CODEC, BZ_CODEC_DEFLATE},
        {3, {4, 1, 9}, SZ_CODEC, BZ_CODEC_DEFLATE64},
        {3, {4, 2, 2}, SZ_CODEC, BZ_CODEC_BZIP2},
        {4, {4, 0xf7, 0x11, 1}, SZ_CODEC, BZ_CODEC_ZSTD},
        {4, {6, 0xf1, 7, 1}, SZ_ENCRYPTED, BZ_CODEC_COUNT},
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (!bz_view_eq(id, bz_view(ways[i].id, ways[i].n)))
            continue;
        f->way = ways[i].way;
        f->codec = ways[i].codec;
        f->props = props;
    }
}

/* Filters for machine code, which py7zr and 7-Zip put above LZMA by default. */
static bool set_filter(struct sz_folder *f, struct bz_view id, struct bz_view props) {
    static const struct {
        uint8_t n, id[4];
        uint64_t filter;
    } filters[] = {
        {4, {3, 3, 1, 3}, LZMA_FILTER_X86},
        {1, {4}, LZMA_FILTER_X86},
        {4, {3, 3, 2, 5}, LZMA_FILTER_POWERPC},
        {1, {5}, LZMA_FILTER_POWERPC},
        {4, {3, 3, 4, 1}, LZMA_FILTER_IA64},
        {1, {6}, LZMA_FILTER_IA64},
        {4, {3, 3, 5, 1}, LZMA_FILTER_ARM},
        {1, {7}, LZMA_FILTER_ARM},
        {4, {3, 3, 7, 1}, LZMA_FILTER_ARMTHUMB},
        {1, {8}, LZMA_FILTER_ARMTHUMB},
        {4, {3, 3, 8, 5}, LZMA_FILTER_SPARC},
        {1, {9}, LZMA_FILTER_SPARC},
        {1, {10}, LZMA_FILTER_ARM64},
        {1, {3}, LZMA_FILTER_DELTA},
    };
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        if (!bz_view_eq(id, bz_view(filters[i].id, filters[i].n)))
            continue;
        bool delta = filters[i].filter == LZMA_FILTER_DELTA;
        bool sound = delta ? props.n == 1 : props.n == 0;
        f->distance = delta && sound ? props.p[0] + 1u : 1;
        f->filter = filters[i].filter;
        return sound;
    }
    return false;
}

/* One coder, or LZMA with one filter above it, in and out of one stream each. */
static void decide(struct sz_folder *f, uint64_t coders, bool sealed, unsigned filters) {
    bool lzma = f->way == SZ_CODEC && (f->codec == BZ_CODEC_LZMA1 || f->codec == BZ_CODEC_LZMA2);
    bool chain = coders == 1 ? filters == 0 : coders == 2 && filters == 1 && lzma;
    if (!chain || f->packs != 1)
        f->way = SZ_UNKNOWN;
    if (sealed)
        f->way = SZ_ENCRYPTED;
}

/* A chain of coders; those of one coder are read here. */
static enum bz_status folder(struct sz_head *h, struct bz_rd *r, struct sz_folder *f,
                             uint64_t *ret_outs) {
    uint64_t coders = number(r), ins = 0, outs = 0;
    bool sealed = false;
    unsigned filters = 0;
    if (coders == 0 || coders > CODERS_MAX)
        return bad(h, "a folder without coders, or with too many");
    for (uint64_t i = 0; i < coders; i++) {
        uint8_t flags = bz_rd_u8(r);
        struct bz_view id = bz_rd_take(r, flags & 15), props = BZ_V("");
        uint64_t in = 1, out = 1;
        if ((flags & 0x10) != 0) {
            in = number(r);
            out = number(r);
        }
        if ((flags & 0x20) != 0)
            props = bz_rd_take(r, (size_t)number(r));
        if (in > CODERS_MAX || out > CODERS_MAX || in == 0 || out == 0 || (flags & 0x80) != 0)
            return bad(h, "a coder with too many streams");
        ins += in;
        outs += out;
        set_way(f, id, props);
        filters += set_filter(f, id, props);
        sealed = sealed || f->way == SZ_ENCRYPTED;
    }
    for (uint64_t i = 0; i + 1 < outs; i++) {
        (void)number(r);
        (void)number(r);
    }
    if (ins < outs - 1)
        return bad(h, "a folder whose streams do not fit together");
    f->packs = ins - (outs - 1);
    for (uint64_t i = 0; f->packs > 1 && i < f->packs; i++)
        (void)number(r);
    decide(f, coders, sealed, filters);
    f->files = 1;
    *ret_outs = outs;
    return BZ_OK;
}

static enum bz_status unpack_info(struct sz_head *h, struct bz_rd *r) {
    uint64_t *outs = NULL;
    bool *set = NULL;
    if (bz_rd_u8(r) != FOLDER)
        return bad(h, "no folders");
    h->folders_n = count(r, 1);
    if (bz_rd_u8(r) != 0)
        return bad(h, "folders that stand elsewhere");
    BZ_TRY(zeroed(h, h->folders_n, sizeof *h->folders, &h->folders));
    BZ_TRY(zeroed(h, h->folders_n, sizeof *outs, &outs));
    for (size_t i = 0; i < h->folders_n && h->bad == NULL && bz_rd_ok(r); i++)
        BZ_TRY(folder(h, r, &h->folders[i], &outs[i]));
    if (h->bad != NULL || bz_rd_u8(r) != UNPACK_SIZE)
        return bad(h, "no sizes of folders");
    for (size_t i = 0; i < h->folders_n; i++) {
        for (uint64_t k = 0; k < outs[i]; k++)
            h->folders[i].size = number(r);
    }
    uint8_t id = bz_rd_u8(r);
    if (id == DIGESTS) {
        BZ_TRY(bits(h, r, h->folders_n, true, &set));
        for (size_t i = 0; i < h->folders_n; i++) {
            h->folders[i].has_crc = set[i];
            h->folders[i].crc = set[i] ? bz_rd_le32(r) : 0;
        }
        id = bz_rd_u8(r);
    }
    return id == END ? BZ_OK : bad(h, "unknown folders");
}

/* ---- files in folders ------------------------------------------------------------------------------- */

/* Sizes of all streams of a folder but the last, which is what is left. */
static void sizes(struct sz_head *h, struct bz_rd *r, bool given) {
    size_t at = 0;
    for (size_t i = 0; i < h->folders_n; i++) {
        uint64_t left = h->folders[i].size;
        for (uint64_t k = 0; k < h->folders[i].files; k++, at++) {
            bool last = k + 1 == h->folders[i].files;
            uint64_t n = last || !given ? left : number(r);
            if (n > left) {
                bz_rd_fail(r, BZ_ERANGE);
                return;
            }
            h->streams[at].size = n;
            left -= n;
        }
    }
}

static enum bz_status digests(struct sz_head *h, struct bz_rd *r) {
    size_t unknown = 0, at = 0, k = 0;
    bool *set = NULL;
    for (size_t i = 0; i < h->folders_n; i++) {
        const struct sz_folder *f = &h->folders[i];
        unknown += f->files == 1 && f->has_crc ? 0 : (size_t)f->files;
    }
    BZ_TRY(bits(h, r, unknown, true, &set));
    for (size_t i = 0; i < h->folders_n; i++) {
        const struct sz_folder *f = &h->folders[i];
        for (uint64_t n = 0; n < f->files; n++, at++) {
            if (f->files == 1 && f->has_crc)
                continue;
            h->streams[at].has_crc = set[k++];
            h->streams[at].crc = h->streams[at].has_crc ? bz_rd_le32(r) : 0;
        }
    }
    return BZ_OK;
}

static enum bz_status make_streams(struct sz_head *h, struct bz_rd *r) {
    uint64_t n = 0;
    for (size_t i = 0; i < h->folders_n; i++) {
        n += h->folders[i].files;
        if (n > BZ_SCAN_MEMBERS_MAX || n > r->n + h->folders_n) {
            bz_rd_fail(r, BZ_ERANGE);
            return bad(h, "more files than the header has room for");
        }
    }
    h->streams_n = (size_t)n;
    BZ_TRY(zeroed(h, h->streams_n, sizeof *h->streams, &h->streams));
    for (size_t i = 0, at = 0; i < h->folders_n; at += (size_t)h->folders[i].files, i++) {
        const struct sz_folder *f = &h->folders[i];
        if (f->files == 1)
            h->streams[at] = (struct sz_stream){f->size, f->crc, f->has_crc};
    }
    return BZ_OK;
}

static enum bz_status substreams(struct sz_head *h, struct bz_rd *r) {
    uint8_t id = bz_rd_u8(r);
    if (id == SUBSTREAM_COUNT) {
        for (size_t i = 0; i < h->folders_n; i++)
            h->folders[i].files = number(r);
        id = bz_rd_u8(r);
    }
    BZ_TRY(make_streams(h, r));
    if (h->bad != NULL)
        return BZ_OK;
    sizes(h, r, id == SIZE);
    if (id == SIZE)
        id = bz_rd_u8(r);
    if (id == DIGESTS) {
        BZ_TRY(digests(h, r));
        id = bz_rd_u8(r);
    }
    return id == END ? BZ_OK : bad(h, "unknown streams");
}

/* Where the packed bytes of each folder lie. */
static void place(struct sz_head *h, const uint64_t *packed, size_t n, uint64_t pos) {
    uint64_t off = 0;
    size_t at = 0;
    if (__builtin_add_overflow(h->base, pos, &off))
        h->bad = "packed streams outside the file";
    for (size_t i = 0; i < h->folders_n && h->bad == NULL; i++) {
        struct sz_folder *f = &h->folders[i];
        f->pack_off = off;
        f->pack_size = at < n ? packed[at] : 0;
        for (uint64_t k = 0; k < f->packs; k++, at++) {
            if (at >= n || __builtin_add_overflow(off, packed[at], &off))
                h->bad = "a folder without its packed stream";
            if (h->bad != NULL)
                return;
        }
    }
}

enum bz_status sz_read_streams(struct sz_head *h, struct bz_rd *r) {
    uint64_t *packed = NULL, pos = 0;
    size_t packed_n = 0;
    uint8_t id = bz_rd_u8(r);
    if (id == PACK_INFO) {
        BZ_TRY(pack_info(h, r, &packed, &packed_n, &pos));
        id = bz_rd_u8(r);
    }
    if (id == UNPACK_INFO && h->bad == NULL) {
        BZ_TRY(unpack_info(h, r));
        id = bz_rd_u8(r);
    }
    if (h->bad == NULL && bz_rd_ok(r))
        place(h, packed, packed_n, pos);
    if (h->bad == NULL && id == SUBSTREAMS) {
        BZ_TRY(substreams(h, r));
        id = bz_rd_u8(r);
    } else if (h->bad == NULL) {
        BZ_TRY(make_streams(h, r));
    }
    if (!bz_rd_ok(r) || id != END)
        return bad(h, "the list of streams is damaged");
    return BZ_OK;
}

/* ---- names ------------------------------------------------------------------------------------------- */

static uint32_t unit(struct bz_rd *r) {
    return bz_rd_le16(r);
}

/* UTF-16 up to a NUL, as UTF-8; halves of a pair that stand alone become U+FFFD. */
static enum bz_status one_name(struct sz_head *h, struct bz_rd *r, struct bz_view *ret) {
    struct bz_rd probe = *r;
    size_t units = 0;
    while (bz_rd_ok(&probe) && unit(&probe) != 0)
        units++;
    uint8_t *p = bz_arena_alloc(bz_scan_arena(h->s), units * 3 + 1);
    if (p == NULL)
        return BZ_ENOMEM;
    size_t n = 0;
    for (uint32_t c = unit(r); c != 0 && bz_rd_ok(r); c = unit(r)) {
        if (c >= 0xd800 && c < 0xdc00 && r->n >= 2) {
            struct bz_rd look = *r;
            uint32_t low = unit(&look);
            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                *r = look;
            }
        }
        n += bz_utf8_encode(c >= 0xd800 && c < 0xe000 ? 0xfffd : c, p + n);
    }
    *ret = bz_view(p, n);
    return BZ_OK;
}

static enum bz_status names(struct sz_head *h, struct bz_rd *r) {
    if (bz_rd_u8(r) != 0)
        return bad(h, "names that stand elsewhere");
    for (size_t i = 0; i < h->files_n && bz_rd_ok(r); i++)
        BZ_TRY(one_name(h, r, &h->files[i].name));
    return BZ_OK;
}

static enum bz_status attributes(struct sz_head *h, struct bz_rd *r) {
    bool *set = NULL;
    BZ_TRY(bits(h, r, h->files_n, true, &set));
    if (bz_rd_u8(r) != 0)
        return BZ_OK;
    for (size_t i = 0; i < h->files_n; i++) {
        uint32_t a = set[i] ? bz_rd_le32(r) : 0;
        h->files[i].link = (a & UNIX_EXTENSION) != 0 && ((a >> 16) & UNIX_TYPE) == UNIX_LINK;
    }
    return BZ_OK;
}

static enum bz_status files(struct sz_head *h, struct bz_rd *r) {
    bool *empty = NULL;
    h->files_n = count(r, 8);
    BZ_TRY(zeroed(h, h->files_n, sizeof *h->files, &h->files));
    for (uint8_t id = bz_rd_u8(r); id != END && bz_rd_ok(r); id = bz_rd_u8(r)) {
        uint64_t n = number(r);
        if (n > r->n)
            return bad(h, "a property of files is longer than the header");
        struct bz_rd field = bz_rd_sub(r, (size_t)n);
        if (id == EMPTY_STREAM)
            BZ_TRY(bits(h, &field, h->files_n, false, &empty));
        else if (id == NAMES)
            BZ_TRY(names(h, &field));
        else if (id == ATTRIBUTES)
            BZ_TRY(attributes(h, &field));
    }
    for (size_t i = 0; i < h->files_n; i++)
        h->files[i].has_stream = empty == NULL || !empty[i];
    return bz_rd_ok(r) ? BZ_OK : bad(h, "the list of files is damaged");
}

enum bz_status sz_read_head(struct sz_head *h, struct bz_rd *r) {
    uint8_t id = bz_rd_u8(r);
    if (id == ARCHIVE_PROPERTIES) {
        while (bz_rd_ok(r) && bz_rd_u8(r) != END)
            (void)bz_rd_take(r, (size_t)number(r));
        id = bz_rd_u8(r);
    }
    if (id == ADDITIONAL_STREAMS)
        return bad(h, "additional streams");
    if (id == MAIN_STREAMS) {
        BZ_TRY(sz_read_streams(h, r));
        id = bz_rd_u8(r);
    }
    if (h->bad == NULL && id == FILES) {
        BZ_TRY(files(h, r));
        id = bz_rd_u8(r);
    }
    return id == END && bz_rd_end(r) == BZ_OK ? BZ_OK : bad(h, "the header is damaged");
}
