/* Decoders as sources: one object over five libraries and inflate64.c, which decodes forward and starts anew for a
 * step back. It counts what comes out, and records damage and bombs itself. */
#include "inflate64.h"
#include "scan_int.h"

#include <bartizan/limits.h>
#include <bzlib.h> /* its BZ_OK is ours, too: 0 */
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

enum { IN_MAX = 64 * 1024, MAGIC_MAX = 6, ZSTD_WINDOW_LOG = 27, PROBE_OUT = 64 };

const struct bz_rule bz_codec_rules[] = {
    {"CODEC-DAMAGED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "a compressed stream is damaged",
     "programs stop in the middle of it, after using what comes before",
     "take the file from its origin again", ""},
    {"CODEC-BOMB", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS,
     "a compressed stream that grows beyond measure", "fills memory or disk when it is opened",
     "do not open it", "CWE-409"},
    {.id = NULL},
};
struct decoder {
    struct bz_source self;
    struct bz_alloc heap;
    struct bz_scan *s; /* NULL: a probe, nothing is counted or recorded */
    const struct bz_object *o;
    struct bz_cleanup cleanup;
    struct bz_source packed;
    enum bz_codec codec;
    uint8_t props[16];
    size_t props_n;
    uint64_t size;   /* of raw streams; BZ_SOURCE_UNKNOWN */
    uint64_t filter; /* struct bz_codec_raw */
    uint32_t distance;
    uint64_t in_off;        /* of the byte after `in` in packed */
    uint64_t in_used, made; /* since the start */
    uint64_t ended_at;
    size_t at, n;
    enum bz_status st;
    bool open, ended, told;
    union {
        z_stream z;
        bz_stream b;
        lzma_stream l;
        ZSTD_DStream *zstd;
        LZ4F_dctx *lz4;
        struct bz_inflate64 *i64;
    } u;
    uint8_t in[IN_MAX];
};

const char *bz_codec_name(enum bz_codec c) {
    static const char *const names[] = {"deflate", "zlib", "gzip", "bzip2", "xz",       "lzma",
                                        "zstd",    "lz4",  "lzma", "lzma2", "deflate64"};
    _Static_assert(sizeof names / sizeof names[0] == BZ_CODEC_COUNT, "a name each");
    return (unsigned)c < BZ_CODEC_COUNT ? names[c] : "unknown";
}

/* ---- input --------------------------------------------------------------------------------- */

/* At least `want` bytes of input in sight, if there are as many. */
static enum bz_status refill(struct decoder *d, size_t want) {
    if (d->n - d->at >= want)
        return BZ_OK;
    memmove(d->in, d->in + d->at, d->n - d->at);
    d->n -= d->at;
    d->at = 0;
    while (d->n < want) {
        size_t have = 0;
        if (d->packed.size != BZ_SOURCE_UNKNOWN && d->in_off >= d->packed.size)
            break;
        BZ_TRY(d->packed.pread(d->packed.ctx, d->in_off, d->in + d->n, IN_MAX - d->n, &have));
        if (have == 0)
            break;
        d->n += have;
        d->in_off += have;
    }
    return BZ_OK;
}

static void eat(struct decoder *d, size_t n) {
    d->at += n;
    d->in_used += n;
}

/* ---- the libraries: open, step, close --------------------------------------------------------- */

/* 7z's LZMA has no mark at its end, so a filter above it must be told the size to give its last bytes. */
static lzma_ret raw_open(struct decoder *d, uint64_t memory) {
    lzma_options_bcj bcj = {.start_offset = 0};
    lzma_options_delta delta = {.type = LZMA_DELTA_TYPE_BYTE, .dist = d->distance};
    lzma_filter codec = {.id = d->codec == BZ_CODEC_LZMA1 ? LZMA_FILTER_LZMA1 : LZMA_FILTER_LZMA2};
    lzma_ret r = lzma_properties_decode(&codec, NULL, d->props, d->props_n);
    if (r != LZMA_OK)
        return r;
    lzma_options_lzma *own = codec.options;
    if (d->codec == BZ_CODEC_LZMA1 && d->size != BZ_SOURCE_UNKNOWN) {
        codec.id = LZMA_FILTER_LZMA1EXT;
        own->ext_flags = LZMA_LZMA1EXT_ALLOW_EOPM;
        lzma_set_ext_size(*own, d->size);
    }
    lzma_filter chain[3] = {codec, {.id = LZMA_VLI_UNKNOWN}};
    if (d->filter != 0) {
        chain[0] = (lzma_filter){.id = d->filter};
        chain[0].options = d->filter == LZMA_FILTER_DELTA ? (void *)&delta : (void *)&bcj;
        chain[1] = codec;
        chain[2] = (lzma_filter){.id = LZMA_VLI_UNKNOWN};
    }
    uint64_t needs = lzma_raw_decoder_memusage(chain);
    r = needs == UINT64_MAX ? LZMA_OPTIONS_ERROR : needs > memory ? LZMA_MEMLIMIT_ERROR : LZMA_OK;
    if (r == LZMA_OK)
        r = lzma_raw_decoder(&d->u.l, chain);
    lzma_filter own_only[2] = {codec, {.id = LZMA_VLI_UNKNOWN}};
    lzma_filters_free(own_only, NULL);
    return r;
}

static enum bz_status lzma_open(struct decoder *d) {
    static const uint64_t memory = BZ_SCAN_DICTIONARY_MAX;
    lzma_ret r = LZMA_PROG_ERROR;
    d->u.l = (lzma_stream)LZMA_STREAM_INIT;
    if (d->codec == BZ_CODEC_XZ) {
        r = lzma_stream_decoder(&d->u.l, memory, 0);
    } else if (d->codec == BZ_CODEC_LZMA) {
        r = lzma_alone_decoder(&d->u.l, memory);
    } else {
        r = raw_open(d, memory);
    }
    if (r == LZMA_MEM_ERROR)
        return BZ_ENOMEM;
    return r == LZMA_OK ? BZ_OK : r == LZMA_MEMLIMIT_ERROR ? BZ_ELIMIT : BZ_ECORRUPT;
}

static int next_byte(void *ctx) {
    struct decoder *d = ctx;
    if (refill(d, 1) != BZ_OK || d->n == d->at)
        return -1;
    int c = d->in[d->at];
    eat(d, 1);
    return c;
}

static enum bz_status inflate64_open(struct decoder *d) {
    d->u.i64 = d->heap.alloc(d->heap.ctx, sizeof *d->u.i64);
    if (d->u.i64 == NULL)
        return BZ_ENOMEM;
    bz_inflate64_init(d->u.i64, next_byte, d);
    return BZ_OK;
}

static enum bz_status lib_open(struct decoder *d) {
    memset(&d->u, 0, sizeof d->u);
    int r = 0;
    switch (d->codec) {
    case BZ_CODEC_DEFLATE:
        r = inflateInit2(&d->u.z, -MAX_WBITS);
        break;
    case BZ_CODEC_ZLIB:
        r = inflateInit2(&d->u.z, MAX_WBITS);
        break;
    case BZ_CODEC_GZIP:
        r = inflateInit2(&d->u.z, MAX_WBITS + 16);
        break;
    case BZ_CODEC_BZIP2:
        r = BZ2_bzDecompressInit(&d->u.b, 0, 0);
        break;
    case BZ_CODEC_ZSTD:
        d->u.zstd = ZSTD_createDStream();
        r = d->u.zstd == NULL ||
            ZSTD_isError(ZSTD_DCtx_setParameter(d->u.zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
        break;
    case BZ_CODEC_LZ4:
        r = LZ4F_isError(LZ4F_createDecompressionContext(&d->u.lz4, LZ4F_VERSION)) != 0;
        break;
    case BZ_CODEC_XZ:
    case BZ_CODEC_LZMA:
    case BZ_CODEC_LZMA1:
    case BZ_CODEC_LZMA2:
        return lzma_open(d);
    case BZ_CODEC_DEFLATE64:
        return inflate64_open(d);
    case BZ_CODEC_COUNT:
    default:
        return BZ_EINVAL;
    }
    return r == 0 ? BZ_OK : BZ_ENOMEM;
}

static void lib_close(struct decoder *d) {
    switch (d->codec) {
    case BZ_CODEC_DEFLATE:
    case BZ_CODEC_ZLIB:
    case BZ_CODEC_GZIP:
        (void)inflateEnd(&d->u.z);
        break;
    case BZ_CODEC_BZIP2:
        (void)BZ2_bzDecompressEnd(&d->u.b);
        break;
    case BZ_CODEC_ZSTD:
        (void)ZSTD_freeDStream(d->u.zstd);
        break;
    case BZ_CODEC_LZ4:
        (void)LZ4F_freeDecompressionContext(d->u.lz4);
        break;
    case BZ_CODEC_XZ:
    case BZ_CODEC_LZMA:
    case BZ_CODEC_LZMA1:
    case BZ_CODEC_LZMA2:
        lzma_end(&d->u.l);
        break;
    case BZ_CODEC_DEFLATE64:
        d->heap.free(d->heap.ctx, d->u.i64);
        break;
    case BZ_CODEC_COUNT:
    default:
        break;
    }
}

/* One step: eats input, makes output. OK with *ret_end at the end of a stream. */
static enum bz_status step_zlib(struct decoder *d, uint8_t *out, size_t n, size_t *ret_n,
                                bool *ret_end) {
    d->u.z.next_in = d->in + d->at;
    d->u.z.avail_in = (uInt)(d->n - d->at);
    d->u.z.next_out = out;
    d->u.z.avail_out = (uInt)n;
    int r = inflate(&d->u.z, Z_NO_FLUSH);
    eat(d, d->n - d->at - d->u.z.avail_in);
    *ret_n = n - d->u.z.avail_out;
    *ret_end = r == Z_STREAM_END;
    return r == Z_MEM_ERROR                                     ? BZ_ENOMEM
           : r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR ? BZ_OK
                                                                : BZ_ECORRUPT;
}

static enum bz_status step_bzip2(struct decoder *d, uint8_t *out, size_t n, size_t *ret_n,
                                 bool *ret_end) {
    d->u.b.next_in = (char *)(d->in + d->at);
    d->u.b.avail_in = (unsigned)(d->n - d->at);
    d->u.b.next_out = (char *)out;
    d->u.b.avail_out = (unsigned)n;
    int r = BZ2_bzDecompress(&d->u.b);
    eat(d, d->n - d->at - d->u.b.avail_in);
    *ret_n = n - d->u.b.avail_out;
    *ret_end = r == BZ_STREAM_END;
    return r == BZ_MEM_ERROR ? BZ_ENOMEM : r == 0 || r == BZ_STREAM_END ? BZ_OK : BZ_ECORRUPT;
}

static enum bz_status step_lzma(struct decoder *d, uint8_t *out, size_t n, size_t *ret_n,
                                bool *ret_end) {
    d->u.l.next_in = d->in + d->at;
    d->u.l.avail_in = d->n - d->at;
    d->u.l.next_out = out;
    d->u.l.avail_out = n;
    lzma_ret r = lzma_code(&d->u.l, LZMA_RUN);
    eat(d, d->n - d->at - d->u.l.avail_in);
    *ret_n = n - d->u.l.avail_out;
    *ret_end =
        r == LZMA_STREAM_END || (d->size != BZ_SOURCE_UNKNOWN && d->made + *ret_n >= d->size);
    if (r == LZMA_MEM_ERROR)
        return BZ_ENOMEM;
    if (r == LZMA_MEMLIMIT_ERROR)
        return BZ_ELIMIT;
    return r == LZMA_OK || r == LZMA_STREAM_END || r == LZMA_BUF_ERROR ? BZ_OK : BZ_ECORRUPT;
}

static enum bz_status step_zstd(struct decoder *d, uint8_t *out, size_t n, size_t *ret_n,
                                bool *ret_end) {
    ZSTD_inBuffer in = {d->in + d->at, d->n - d->at, 0};
    ZSTD_outBuffer o = {out, n, 0};
    size_t r = ZSTD_decompressStream(d->u.zstd, &o, &in);
    eat(d, in.pos);
    *ret_n = o.pos;
    *ret_end = r == 0;
    return ZSTD_isError(r) ? BZ_ECORRUPT : BZ_OK;
}

static enum bz_status step_lz4(struct decoder *d, uint8_t *out, size_t n, size_t *ret_n,
                               bool *ret_end) {
    size_t made = n, used = d->n - d->at;
    size_t r = LZ4F_decompress(d->u.lz4, out, &made, d->in + d->at, &used, NULL);
    eat(d, used);
    *ret_n = made;
    *ret_end = r == 0;
    return LZ4F_isError(r) ? BZ_ECORRUPT : BZ_OK;
}

static enum bz_status lib_step(struct decoder *d, uint8_t *out, size_t n, size_t *ret_n,
                               bool *ret_end) {
    *ret_n = 0;
    *ret_end = false;
    n = n > (1u << 30) ? 1u << 30 : n; /* fits their integers */
    if (d->size != BZ_SOURCE_UNKNOWN && n > d->size - d->made)
        n = (size_t)(d->size - d->made);
    switch (d->codec) {
    case BZ_CODEC_BZIP2:
        return step_bzip2(d, out, n, ret_n, ret_end);
    case BZ_CODEC_ZSTD:
        return step_zstd(d, out, n, ret_n, ret_end);
    case BZ_CODEC_LZ4:
        return step_lz4(d, out, n, ret_n, ret_end);
    case BZ_CODEC_XZ:
    case BZ_CODEC_LZMA:
    case BZ_CODEC_LZMA1:
    case BZ_CODEC_LZMA2:
        return step_lzma(d, out, n, ret_n, ret_end);
    case BZ_CODEC_DEFLATE64:
        return bz_inflate64_read(d->u.i64, out, n, ret_n, ret_end);
    case BZ_CODEC_DEFLATE:
    case BZ_CODEC_ZLIB:
    case BZ_CODEC_GZIP:
    case BZ_CODEC_COUNT:
    default:
        return step_zlib(d, out, n, ret_n, ret_end);
    }
}

/* ---- streams in a row ------------------------------------------------------------------------- */

static bool has_magic(enum bz_codec c, struct bz_view v) {
    switch ((int)c) {
    case BZ_CODEC_GZIP:
        return bz_view_starts(v, BZ_V("\x1f\x8b"));
    case BZ_CODEC_BZIP2:
        return bz_view_starts(v, BZ_V("BZh"));
    case BZ_CODEC_XZ:
        return bz_view_starts(v, BZ_V("\xfd"
                                      "7zXZ\0"));
    case BZ_CODEC_ZSTD:
        return bz_view_starts(v, BZ_V("\x28\xb5\x2f\xfd")) ||
               (v.n >= 4 && v.p[0] >> 4 == 5 &&
                bz_view_starts(bz_view_sub(v, 1, 3), BZ_V("\x2a\x4d\x18")));
    case BZ_CODEC_LZ4:
        return bz_view_starts(v, BZ_V("\x04\x22\x4d\x18")) ||
               (v.n >= 4 && v.p[0] >> 4 == 5 &&
                bz_view_starts(bz_view_sub(v, 1, 3), BZ_V("\x2a\x4d\x18")));
    default:
        return false;
    }
}

/* After the end of a stream: the next one follows, or this is the end of all. gzip and xz may be
 * padded with zeros. */
static enum bz_status next_stream(struct decoder *d) {
    bool padded = d->codec == BZ_CODEC_GZIP || d->codec == BZ_CODEC_XZ;
    uint64_t end = d->in_used;
    for (;;) {
        BZ_TRY(refill(d, MAGIC_MAX));
        if (!padded || d->n == d->at || d->in[d->at] != 0)
            break;
        eat(d, 1);
    }
    if (d->n == d->at)
        end = d->in_used; /* nothing but padding */
    if (!has_magic(d->codec, bz_view(d->in + d->at, d->n - d->at))) {
        d->ended = true;
        d->ended_at = end;
        return BZ_OK;
    }
    if (d->codec == BZ_CODEC_ZSTD || d->codec == BZ_CODEC_LZ4)
        return BZ_OK; /* they go on by themselves */
    lib_close(d);
    d->open = false;
    BZ_TRY(lib_open(d));
    d->open = true;
    return BZ_OK;
}

/* ---- decoding --------------------------------------------------------------------------------- */

static enum bz_status watch(struct decoder *d, size_t made) {
    if (d->s == NULL)
        return BZ_OK;
    if (!bz_scan_bytes(d->s, d->o, made))
        return BZ_ELIMIT;
    if (d->made < BZ_SCAN_RATIO_FROM || d->made / (d->in_used + 1) < bz_scan_ratio(d->s))
        return BZ_OK;
    if (!d->told)
        BZ_TRY(bz_scan_found(d->s, d->o, &bz_codec_rules[BZ_CODEC_BOMB], 0,
                             bz_view_str(bz_codec_name(d->codec))));
    d->told = true;
    return BZ_ELIMIT;
}

/* Some bytes at the current place; none with OK is the end. */
static enum bz_status more(struct decoder *d, uint8_t *out, size_t n, size_t *ret_n) {
    *ret_n = 0;
    while (!d->ended && *ret_n == 0) {
        bool end = false;
        BZ_TRY(refill(d, 1));
        uint64_t before = d->in_used;
        BZ_TRY(lib_step(d, out, n, ret_n, &end));
        d->made += *ret_n;
        if (*ret_n > 0)
            BZ_TRY(watch(d, *ret_n));
        if (end) {
            BZ_TRY(next_stream(d));
        } else if (*ret_n == 0 && d->in_used == before && d->n - d->at < IN_MAX) {
            size_t had = d->n - d->at;
            BZ_TRY(refill(d, had + 1));
            if (d->n - d->at == had)
                return BZ_ECORRUPT; /* it ends in the middle */
        } else if (*ret_n == 0 && d->in_used == before) {
            return BZ_ECORRUPT;
        }
    }
    return BZ_OK;
}

static enum bz_status restart(struct decoder *d) {
    if (d->open)
        lib_close(d);
    d->open = false;
    d->in_off = d->in_used = d->made = 0;
    d->at = d->n = 0;
    d->ended = false;
    d->st = lib_open(d);
    d->open = d->st == BZ_OK;
    return d->st;
}

static enum bz_status ended_badly(struct decoder *d, enum bz_status st) {
    d->st = st;
    if (st != BZ_ECORRUPT && st != BZ_ETRAILING)
        return st;
    d->st = BZ_ECORRUPT;
    if (d->s != NULL && !d->told)
        BZ_TRY(bz_scan_found(d->s, d->o, &bz_codec_rules[BZ_CODEC_DAMAGED], d->in_used,
                             bz_view_str(bz_codec_name(d->codec))));
    d->told = true;
    return BZ_ECORRUPT;
}

static enum bz_status decoder_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    struct decoder *d = ctx;
    uint8_t skipped[2048];
    size_t done = 0, made = 0;
    *ret_n = 0;
    if (off < d->made || !d->open) {
        enum bz_status st = restart(d);
        if (st != BZ_OK)
            return ended_badly(d, st);
    }
    while (d->st == BZ_OK && !d->ended && d->made < off) {
        size_t want = off - d->made < sizeof skipped ? (size_t)(off - d->made) : sizeof skipped;
        enum bz_status st = more(d, skipped, want, &made);
        if (st != BZ_OK)
            return ended_badly(d, st);
    }
    while (d->st == BZ_OK && !d->ended && done < n) {
        enum bz_status st = more(d, (uint8_t *)buf + done, n - done, &made);
        done += made;
        if (st != BZ_OK) {
            *ret_n = done;
            st = ended_badly(d, st);
            return done > 0 && st == BZ_ECORRUPT ? BZ_OK : st; /* told by the next read */
        }
    }
    *ret_n = done;
    return done > 0 ? BZ_OK : d->st;
}

/* ---- life ---------------------------------------------------------------------------------------- */

static void decoder_free(void *ctx) {
    struct decoder *d = ctx;
    if (d->open)
        lib_close(d);
    d->heap.free(d->heap.ctx, d);
}

static struct decoder *decoder_new(struct bz_alloc heap, enum bz_codec codec,
                                   const struct bz_source *packed) {
    struct decoder *d = heap.alloc(heap.ctx, sizeof *d);
    if (d == NULL)
        return NULL;
    memset(d, 0, offsetof(struct decoder, in));
    d->heap = heap;
    d->codec = codec;
    d->packed = *packed;
    d->size = BZ_SOURCE_UNKNOWN;
    d->self = (struct bz_source){decoder_pread, d, BZ_SOURCE_UNKNOWN};
    return d;
}

const struct bz_source *bz_codec_source_raw(struct bz_scan *s, const struct bz_object *o,
                                            enum bz_codec codec, const struct bz_source *packed,
                                            const struct bz_codec_raw *raw) {
    struct decoder *d = decoder_new(bz_scan_heap(s), codec, packed);
    if (d == NULL)
        return NULL;
    d->s = s;
    d->o = o;
    d->size = raw->size;
    d->filter = raw->filter;
    d->distance = raw->distance;
    d->props_n = raw->props.n < sizeof d->props ? raw->props.n : sizeof d->props;
    if (d->props_n > 0)
        memcpy(d->props, raw->props.p, d->props_n);
    d->cleanup = (struct bz_cleanup){.call = decoder_free, .ctx = d};
    bz_scan_defer(s, &d->cleanup);
    return &d->self;
}

const struct bz_source *bz_codec_source(struct bz_scan *s, const struct bz_object *o,
                                        enum bz_codec codec, const struct bz_source *packed) {
    static const struct bz_codec_raw none = {.size = BZ_SOURCE_UNKNOWN};
    return bz_codec_source_raw(s, o, codec, packed, &none);
}

void bz_codec_done(const struct bz_source *src) {
    if (src == NULL)
        return;
    struct decoder *d = src->ctx;
    bz_scan_undefer(&d->cleanup);
    decoder_free(d);
}

uint64_t bz_codec_used(const struct bz_source *src) {
    const struct decoder *d = src->ctx;
    return d->ended && d->st == BZ_OK ? d->ended_at : UINT64_MAX;
}

enum bz_probe bz_codec_probe(enum bz_codec codec, struct bz_view head) {
    struct bz_source packed;
    uint8_t out[PROBE_OUT];
    size_t n = 0;
    bz_source_mem(&packed, &head);
    struct decoder *d = decoder_new(bz_alloc_heap, codec, &packed);
    if (d == NULL)
        return BZ_PROBE_MAYBE;
    enum bz_status st = decoder_pread(d, 0, out, sizeof out, &n);
    bool good = n == sizeof out || (st == BZ_OK && d->ended);
    decoder_free(d);
    return good ? BZ_PROBE_YES : n > 0 ? BZ_PROBE_MAYBE : BZ_PROBE_NO;
}
