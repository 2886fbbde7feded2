/* Pictures and sound, as they lie beside models. Their insides are not looked at: nothing that loads a
 * model reads them. */
#include "scan_int.h"

#include <bartizan/rd.h>

static const struct bz_rule rules[] = {
    {"MEDIA-TRAILING", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "bytes after the end of a picture",
     "another format may hide there", "save the picture again", "CWE-436"},
    {.id = NULL},
};

static const struct {
    uint8_t off, n;
    const char *mark;
} marks[] = {
    {0, 8, "\x89PNG\r\n\x1a\n"},
    {0, 3, "\xff\xd8\xff"},
    {0, 6, "GIF87a"},
    {0, 6, "GIF89a"},
    {8, 4, "WEBP"},
    {8, 8, "WAVEfmt "},
    {0, 4, "OggS"},
    {0, 4, "fLaC"},
    {0, 3, "ID3"},
    {4, 8, "ftypisom"},
    {4, 8, "ftypmp42"},
    {4, 8, "ftypavif"},
    {0, 8, "\0\0\0\x0cjP  "},
};

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (bz_view_eq(bz_view_sub(o->head, marks[i].off, marks[i].n),
                       bz_view(marks[i].mark, marks[i].n)))
            return BZ_PROBE_YES;
    }
    return BZ_PROBE_NO;
}

/* PNG (ISO/IEC 15948, 5.3): length, type, data, CRC, until IEND. 0: not to be found. */
static uint64_t png_end(struct bz_scan *s, const struct bz_object *o) {
    uint64_t at = 8;
    uint8_t mem[8];
    while (bz_source_exact(&o->src, at, mem, sizeof mem) == BZ_OK && bz_scan_steps(s, o, 1)) {
        struct bz_rd r;
        bz_rd_init(&r, bz_view(mem, sizeof mem));
        uint64_t n = (uint64_t)bz_rd_be16(&r) << 16;
        n |= bz_rd_be16(&r);
        if (n > o->src.size - at || o->src.size - at - n < 12)
            return 0;
        at += n + 12;
        if (memcmp(mem + 4, "IEND", 4) == 0)
            return at;
    }
    return 0;
}

/* RIFF: a size at 4. */
static uint64_t riff_end(const struct bz_object *o) {
    struct bz_rd r;
    bz_rd_init(&r, bz_view_sub(o->head, 4, 4));
    uint64_t n = bz_rd_le32(&r);
    return 8 + n + (n & 1);
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    uint64_t end = 0;
    if (bz_view_starts(o->head, BZ_V("\x89PNG")))
        end = png_end(s, o);
    else if (bz_view_starts(o->head, BZ_V("RIFF")))
        end = riff_end(o);
    if (end == 0 || end >= o->src.size)
        return BZ_OK;
    const struct bz_source *rest = bz_source_part(s, &o->src, end, o->src.size - end);
    uint8_t head[16];
    size_t n = 0;
    if (rest == NULL)
        return BZ_ENOMEM;
    BZ_TRY(rest->pread(rest->ctx, 0, head, sizeof head, &n));
    BZ_TRY(bz_scan_found(s, o, &rules[0], end, bz_view(head, n)));
    return bz_scan_member(s, o, BZ_V("bytes after"), rest);
}

const struct bz_format bz_format_media = {.name = "media",
                                          .what = "picture or sound",
                                          .probe = probe,
                                          .scan = scan,
                                          .rules = rules,
                                          .inert = true};
