/* Compressed streams as formats: what is inside is an object of its own, and so is what follows. */
#include "scan_int.h"

#include <bartizan/text.h>

static const struct bz_rule rules[] = {
    {"CODEC-TRAILING", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS,
     "bytes after the end of a compressed stream",
     "programs ignore them or stop; another format may hide there",
     "take the file from its origin again", "CWE-436"},
    {.id = NULL},
};

static enum bz_status unpack(struct bz_scan *s, const struct bz_object *o, enum bz_codec codec) {
    const struct bz_source *src = bz_codec_source(s, o, codec, &o->src);
    if (src == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_scan_member(s, o, bz_view_str(bz_codec_name(codec)), src));
    uint64_t used = bz_codec_used(src);
    if (used == UINT64_MAX || o->src.size == BZ_SOURCE_UNKNOWN || used >= o->src.size)
        return BZ_OK;
    const struct bz_source *rest = bz_source_part(s, &o->src, used, o->src.size - used);
    if (rest == NULL)
        return BZ_ENOMEM;
    uint8_t head[16];
    size_t n = 0;
    BZ_TRY(rest->pread(rest->ctx, 0, head, sizeof head, &n));
    BZ_TRY(bz_scan_found(s, o, &rules[0], used, bz_view(head, n)));
    return bz_scan_member(s, o, BZ_V("trailing bytes"), rest);
}

/* ---- probes ----------------------------------------------------------------------------------- */

static enum bz_probe when(bool yes) {
    return yes ? BZ_PROBE_YES : BZ_PROBE_NO;
}

static enum bz_probe gzip_probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return when(bz_view_starts(o->head, BZ_V("\x1f\x8b\x08")));
}

/* RFC 1950, 2.2: method 8, window up to 32 KiB, check bits; no preset dictionary. */
static enum bz_probe zlib_probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    struct bz_view h = o->head;
    if (h.n < 6 || (h.p[0] & 15) != 8 || h.p[0] >> 4 > 7 || (h.p[0] * 256 + h.p[1]) % 31 != 0 ||
        (h.p[1] & 0x20) != 0)
        return BZ_PROBE_NO;
    enum bz_probe p = bz_codec_probe(BZ_CODEC_ZLIB, h);
    if (p != BZ_PROBE_MAYBE)
        return p;
    /* Short, and cut: the header that everybody writes, and no text that begins with x. */
    return when(h.p[0] == 0x78 && bz_utf8_valid(h) + 3 < h.n);
}

static enum bz_probe bzip2_probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    struct bz_view h = o->head;
    return when(h.n >= 10 && bz_view_starts(h, BZ_V("BZh")) && h.p[3] >= '1' && h.p[3] <= '9' &&
                (memcmp(h.p + 4, "1AY&SY", 6) == 0 || memcmp(h.p + 4, "\x17rE8P\x90", 6) == 0));
}

static enum bz_probe xz_probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return when(bz_view_starts(o->head, BZ_V("\xfd"
                                             "7zXZ\0")));
}

/* No magic number: properties below 225, a dictionary of 2^n or 2^n + 2^(n-1), a size that is
 * unknown or below 256 GiB, and it decodes. (As liblzma's and file's own tests.) */
static enum bz_probe lzma_probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    struct bz_view h = o->head;
    if (h.n < 18 || h.p[0] >= 225 || h.p[13] != 0)
        return BZ_PROBE_NO;
    uint64_t dict =
        (uint64_t)h.p[1] | (uint64_t)h.p[2] << 8 | (uint64_t)h.p[3] << 16 | (uint64_t)h.p[4] << 24;
    uint64_t low = dict & (~dict + 1), rest = dict - low; /* at most two bits, side by side */
    bool plain = dict >= 4096 && (rest == 0 || rest == low << 1);
    bool unknown = memcmp(h.p + 5, "\xff\xff\xff\xff\xff\xff\xff\xff", 8) == 0;
    bool small = h.p[10] == 0 && h.p[11] == 0 && h.p[12] == 0 && h.p[9] < 64;
    if ((dict != UINT32_MAX && !plain) || (!unknown && !small))
        return BZ_PROBE_NO;
    return when(bz_codec_probe(BZ_CODEC_LZMA, h) == BZ_PROBE_YES || h.p[0] == 0x5d);
}

static bool skippable(struct bz_view h) {
    return h.n >= 8 && h.p[0] >> 4 == 5 && memcmp(h.p + 1, "\x2a\x4d\x18", 3) == 0;
}

static enum bz_probe zstd_probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return when(bz_view_starts(o->head, BZ_V("\x28\xb5\x2f\xfd")) || skippable(o->head));
}

static enum bz_probe lz4_probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return when(bz_view_starts(o->head, BZ_V("\x04\x22\x4d\x18")));
}

/* ---- formats ----------------------------------------------------------------------------------- */

#define STREAM(name_, codec_, text_, rules_)                                                       \
    static enum bz_status name_##_scan(struct bz_scan *s, const struct bz_object *o) {             \
        return unpack(s, o, codec_);                                                               \
    }                                                                                              \
    const struct bz_format bz_format_##name_ = {.name = #name_,                                    \
                                                .what = text_,                                     \
                                                .probe = name_##_probe,                            \
                                                .scan = name_##_scan,                              \
                                                .rules = rules_};

STREAM(gzip, BZ_CODEC_GZIP, "gzip stream", rules)
STREAM(zlib, BZ_CODEC_ZLIB, "zlib stream", NULL)
STREAM(bzip2, BZ_CODEC_BZIP2, "bzip2 stream", NULL)
STREAM(xz, BZ_CODEC_XZ, "xz stream", NULL)
STREAM(lzma, BZ_CODEC_LZMA, "lzma stream", NULL)
STREAM(zstd, BZ_CODEC_ZSTD, "zstd stream", NULL)
STREAM(lz4, BZ_CODEC_LZ4, "lz4 frames", NULL)
