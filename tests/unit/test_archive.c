/* tar, 7z, compressed streams, programs and pictures. */
#include "scan_mem.h"
#include "zip_build.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

static const char text[] = "plain text, and nothing else, but some of it again and again\n";
static const char elf[60] = "\x7f"
                            "ELF\2\1\1";

static void verdict(struct bz_view v, enum bz_scan_verdict want, const char *format,
                    const char *id) {
    struct scanned s = scan_mem(v);
    assert_int_equal(s.st, BZ_OK);
    bool good = s.r.verdict == want && (format == NULL || strcmp(format, s.r.format) == 0) &&
                (id == NULL || scan_mem_has(&s, id) != NULL);
    if (!good) {
        scan_mem_print(&s);
        fail_msg("%s: verdict %d instead of %d, %s wanted", s.r.format, (int)s.r.verdict, (int)want,
                 id == NULL ? "nothing" : id);
    }
    scan_mem_done(&s);
}

/* ---- tar ------------------------------------------------------------------------------------------- */

static void tar_sum(uint8_t *h) {
    unsigned sum = 0;
    memset(h + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += h[i];
    (void)snprintf((char *)h + 148, 8, "%06o", sum);
}

static uint8_t *tar_put(struct bz_buf *b, const char *name, char type, const char *link,
                        const void *data, size_t n) {
    uint8_t *h = bz_buf_room(b, 512 + (n + 511) / 512 * 512);
    assert_non_null(h);
    memset(h, 0, 512 + (n + 511) / 512 * 512);
    (void)snprintf((char *)h, 100, "%s", name);
    (void)snprintf((char *)h + 100, 8, "%07o", 0644u);
    (void)snprintf((char *)h + 124, 12, "%011o", (unsigned)n);
    h[156] = (uint8_t)type;
    (void)snprintf((char *)h + 157, 100, "%s", link);
    memcpy(h + 257,
           "ustar\0"
           "00",
           8);
    if (n > 0)
        memcpy(h + 512, data, n);
    tar_sum(h);
    return h;
}

static void tar_end(struct bz_buf *b) {
    uint8_t *h = bz_buf_room(b, 1024);
    assert_non_null(h);
    memset(h, 0, 1024);
}

static void tar_one(const char *name, char type, const char *link, const void *data, size_t n,
                    enum bz_scan_verdict want, const char *id) {
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    (void)tar_put(&b, "first.txt", '0', "", text, sizeof text - 1);
    (void)tar_put(&b, name, type, link, data, n);
    tar_end(&b);
    verdict(bz_buf_view(&b), want, "tar", id);
    bz_buf_free(&b);
}

static void tar_members(void **state) {
    (void)state;
    tar_one("d/b.txt", '0', "", text, 20, BZ_SCAN_CLEAN, NULL);
    tar_one("d/b.txt", '\0', "", text, 0, BZ_SCAN_CLEAN, NULL);
    tar_one("d", '5', "", "", 0, BZ_SCAN_CLEAN, NULL);
    tar_one("../b.txt", '0', "", text, 20, BZ_SCAN_FINDINGS, "ARC-SLIP");
    tar_one("/b.txt", '0', "", text, 20, BZ_SCAN_FINDINGS, "ARC-ABSOLUTE");
    tar_one("d/l", '2', "../first.txt", "", 0, BZ_SCAN_CLEAN, "ARC-LINK");
    tar_one("d/l", '2', "../../x", "", 0, BZ_SCAN_FINDINGS, "ARC-LINK-OUT");
    tar_one("d/l", '2', "/etc/passwd", "", 0, BZ_SCAN_FINDINGS, "ARC-LINK-OUT");
    tar_one("d/l", '1', "first.txt", "", 0, BZ_SCAN_CLEAN, "ARC-LINK");
    tar_one("d/l", '1', "../first.txt", "", 0, BZ_SCAN_FINDINGS, "ARC-LINK-OUT");
    tar_one("d/null", '3', "", "", 0, BZ_SCAN_FINDINGS, "ARC-DEVICE");
    tar_one("pipe", '6', "", "", 0, BZ_SCAN_FINDINGS, "ARC-DEVICE");
    tar_one("x", '0', "", elf, sizeof elf, BZ_SCAN_FINDINGS, "EXE-NATIVE");
    tar_one("x", 'Z', "", elf, sizeof elf, BZ_SCAN_FINDINGS, "EXE-NATIVE"); /* others unpack it */
    tar_one("x", 'S', "", text, 20, BZ_SCAN_FINDINGS, "TAR-BROKEN");        /* no map */
    tar_one("first.txt", '0', "", text, 20, BZ_SCAN_CLEAN, NULL);           /* as tar appends */
    tar_one("FIRST.txt", '0', "", text, 20, BZ_SCAN_FINDINGS, "ARC-CASE");
}

static void tar_long_names(void **state) {
    (void)state;
    static const char slip[] = "../../../etc/cron.d/x", pax[] = "30 path=../../../etc/cron.d/x\n";
    static const struct {
        char type;
        const void *data;
        size_t n;
        const char *id;
    } rows[] = {
        {'L', slip, sizeof slip, "ARC-SLIP"},
        {'x', pax, sizeof pax - 1, "ARC-SLIP"},
        {'x', "99 path=x\n", 10, "TAR-BROKEN"},
        {'x', "path=x\n", 7, "TAR-BROKEN"},
        {'x', "9 pathxx\n", 9, "TAR-BROKEN"},
        {'x', "10 size=5\n", 10, "TAR-TWO-SIZES"}, /* the header says 20 */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_buf b;
        bz_buf_init(&b, 1u << 20);
        (void)tar_put(&b, "././@LongLink", rows[i].type, "", rows[i].data, rows[i].n);
        (void)tar_put(&b, "b.txt", '0', "", text, 20);
        tar_end(&b);
        verdict(bz_buf_view(&b), BZ_SCAN_FINDINGS, "tar", rows[i].id);
        bz_buf_free(&b);
    }
}

/* A ZIP archive at the end of a tar archive is its member and looked at there; whoever reads from the end
 * sees the same one. Anywhere else than exactly in a member, the file reads as two formats. */
static void tar_that_ends_with_a_zip(void **state) {
    (void)state;
    static const struct {
        char type;
        size_t before, after; /* bytes of the member around the archive */
        const char *id;
    } rows[] = {{'0', 0, 0, NULL},
                {'\0', 0, 0, NULL},
                {'0', 512, 0, "SCAN-POLYGLOT"},
                {'0', 0, 7, "SCAN-POLYGLOT"},
                {'5', 0, 0, "SCAN-POLYGLOT"},
                {'x', 0, 0, "SCAN-POLYGLOT"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zip_build z;
        struct bz_buf b, data;
        zip_build_init(&z);
        zip_put(&z, &(struct zip_add){.name = "a.txt", .data = text, .n = sizeof text - 1});
        struct bz_view zip = zip_finish(&z, NULL);
        bz_buf_init(&b, 1u << 20);
        bz_buf_init(&data, 1u << 20);
        for (size_t k = 0; k < rows[i].before; k++)
            bz_buf_putc(&data, 'x');
        bz_buf_put(&data, zip);
        for (size_t k = 0; k < rows[i].after; k++)
            bz_buf_putc(&data, 'x');
        (void)tar_put(&b, "first.txt", '0', "", text, sizeof text - 1);
        (void)tar_put(&b, "model.zip", rows[i].type, "", data.p, data.n);
        tar_end(&b);
        verdict(bz_buf_view(&b), rows[i].id == NULL ? BZ_SCAN_CLEAN : BZ_SCAN_FINDINGS, "tar",
                rows[i].id);
        bz_buf_free(&b);
        bz_buf_free(&data);
        zip_build_done(&z);
    }
}

static void tar_ends(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    (void)tar_put(&b, "a.txt", '0', "", text, sizeof text - 1);
    verdict(bz_buf_view(&b), BZ_SCAN_CLEAN, "tar", NULL); /* no end: as good as one */
    tar_end(&b);
    size_t n = b.n;
    tar_end(&b);
    verdict(bz_buf_view(&b), BZ_SCAN_CLEAN, "tar", NULL);
    bz_buf_put(&b, bz_view(elf, sizeof elf));
    verdict(bz_buf_view(&b), BZ_SCAN_FINDINGS, "tar", "TAR-TRAILING");
    verdict(bz_buf_view(&b), BZ_SCAN_FINDINGS, "tar", "EXE-NATIVE");
    verdict(bz_view(b.p, 700), BZ_SCAN_CLEAN, "tar", NULL); /* padding is no data */
    verdict(bz_view(b.p, 540), BZ_SCAN_FINDINGS, "tar", "TAR-BROKEN");
    b.n = n - 1024;
    uint8_t *h = tar_put(&b, "b.txt", '0', "", text, 20);
    h[0] ^= 1;
    verdict(bz_buf_view(&b), BZ_SCAN_FINDINGS, "tar", "TAR-BROKEN");
    bz_buf_free(&b);
}

/* ---- 7z ---------------------------------------------------------------------------------------------- */

/* One stored member, the header not packed. */
static void sz_put(struct bz_buf *b, const char *name, const void *data, size_t n) {
    struct bz_buf h;
    bz_buf_init(&h, 4096);
    static const uint8_t folder[] = {0x07, 0x0b, 1, 0, 1, 1, 0, 0x0c};
    bz_buf_put(&h, bz_view("\1\4\6\0\1\x09", 6));
    bz_buf_putc(&h, (uint8_t)n); /* below 128 */
    bz_buf_putc(&h, 0);
    bz_buf_put(&h, bz_view(folder, sizeof folder));
    bz_buf_putc(&h, (uint8_t)n);
    bz_buf_put(&h, bz_view("\x0a\1", 2));
    bz_buf_put_le32(&h, (uint32_t)crc32(0, data, (uInt)n));
    bz_buf_put(&h, bz_view("\0\0\5\1\x11", 5)); /* end of folders, of streams; files */
    bz_buf_putc(&h, (uint8_t)(strlen(name) * 2 + 3));
    bz_buf_putc(&h, 0);
    for (const char *p = name; *p != '\0'; p++)
        bz_buf_put_le16(&h, (uint8_t)*p);
    bz_buf_put_le16(&h, 0);
    bz_buf_put(&h, bz_view("\0\0", 2));
    struct bz_buf start;
    bz_buf_init(&start, 64);
    bz_buf_put_le64(&start, n);
    bz_buf_put_le64(&start, h.n);
    bz_buf_put_le32(&start, (uint32_t)crc32(0, h.p, (uInt)h.n));
    bz_buf_put(b, bz_view("7z\xbc\xaf\x27\x1c\0\4", 8));
    bz_buf_put_le32(b, (uint32_t)crc32(0, start.p, (uInt)start.n));
    bz_buf_put(b, bz_buf_view(&start));
    bz_buf_put(b, bz_view(data, n));
    bz_buf_put(b, bz_buf_view(&h));
    bz_buf_free(&h);
    bz_buf_free(&start);
}

static void sevenzip(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 1u << 20);
    sz_put(&b, "a.txt", text, 50);
    verdict(bz_buf_view(&b), BZ_SCAN_CLEAN, "7z", NULL);
    for (size_t n = 6; n < b.n; n++)
        verdict(bz_view(b.p, n), BZ_SCAN_FINDINGS, "7z", "7Z-BROKEN");
    b.p[40] ^= 1; /* in the member */
    verdict(bz_buf_view(&b), BZ_SCAN_FINDINGS, "7z", "7Z-CRC");
    b.p[40] ^= 1;
    bz_buf_puts(&b, "more");
    verdict(bz_buf_view(&b), BZ_SCAN_FINDINGS, "7z", "7Z-TRAILING");
    bz_buf_reset(&b);
    sz_put(&b, "../a", text, 50);
    verdict(bz_buf_view(&b), BZ_SCAN_FINDINGS, "7z", "ARC-SLIP");
    bz_buf_reset(&b);
    sz_put(&b, "a", elf, sizeof elf);
    verdict(bz_buf_view(&b), BZ_SCAN_FINDINGS, "7z", "EXE-NATIVE");
    bz_buf_free(&b);
}

/* ---- streams -------------------------------------------------------------------------------------------- */

enum { PACKED_MAX = 1 << 20 };

static size_t deflated(const void *in, size_t n, uint8_t *out, int bits) {
    z_stream s = {.next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)n, .next_out = out};
    s.avail_out = PACKED_MAX;
    assert_int_equal(deflateInit2(&s, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
    (void)deflateEnd(&s);
    return PACKED_MAX - s.avail_out;
}

static size_t pack(const char *how, const void *in, size_t n, uint8_t *out) {
    if (strcmp(how, "gzip") == 0)
        return deflated(in, n, out, 31);
    if (strcmp(how, "zlib") == 0)
        return deflated(in, n, out, 15);
    if (strcmp(how, "bzip2") == 0) {
        unsigned made = PACKED_MAX;
        assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out, &made, (char *)(uintptr_t)in,
                                                  (unsigned)n, 9, 0, 0),
                         0);
        return made;
    }
    if (strcmp(how, "xz") == 0) {
        size_t made = 0;
        assert_int_equal(
            lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, in, n, out, &made, PACKED_MAX),
            LZMA_OK);
        return made;
    }
    if (strcmp(how, "lzma") == 0) {
        lzma_stream s = LZMA_STREAM_INIT;
        lzma_options_lzma o;
        assert_false(lzma_lzma_preset(&o, 6));
        assert_int_equal(lzma_alone_encoder(&s, &o), LZMA_OK);
        s.next_in = in;
        s.avail_in = n;
        s.next_out = out;
        s.avail_out = PACKED_MAX;
        assert_int_equal(lzma_code(&s, LZMA_FINISH), LZMA_STREAM_END);
        lzma_end(&s);
        return PACKED_MAX - s.avail_out;
    }
    if (strcmp(how, "zstd") == 0)
        return ZSTD_compress(out, PACKED_MAX, in, n, 3);
    LZ4F_preferences_t p = {.frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled}};
    return LZ4F_compressFrame(out, PACKED_MAX, in, n, &p);
}

static const char *const codecs[] = {"gzip", "zlib", "bzip2", "xz", "lzma", "zstd", "lz4"};

static void streams(void **state) {
    (void)state;
    uint8_t *out = malloc(2 * PACKED_MAX);
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        size_t n = pack(codecs[i], text, sizeof text - 1, out);
        verdict(bz_view(out, n), BZ_SCAN_CLEAN, codecs[i], NULL);
        size_t m = pack(codecs[i], elf, sizeof elf, out);
        verdict(bz_view(out, m), BZ_SCAN_FINDINGS, codecs[i], "EXE-NATIVE");
        n = pack(codecs[i], text, sizeof text - 1, out);
        memcpy(out + n, "tail", 4);
        verdict(bz_view(out, n + 4), BZ_SCAN_FINDINGS, codecs[i], "CODEC-TRAILING");
        /* Cut short: damaged, and what came out before is looked at. */
        verdict(bz_view(out, n - 3), BZ_SCAN_FINDINGS, codecs[i], "CODEC-DAMAGED");
    }
    free(out);
}

/* A second stream behind the first is part of the same whole, where the programs read it so. */
static void streams_in_a_row(void **state) {
    (void)state;
    static const char *const rows[] = {"gzip", "bzip2", "xz", "zstd", "lz4"};
    uint8_t *out = malloc(3 * PACKED_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = pack(rows[i], elf, 30, out);
        n += pack(rows[i], elf + 30, sizeof elf - 30, out + n);
        verdict(bz_view(out, n), BZ_SCAN_FINDINGS, rows[i], "EXE-NATIVE");
    }
    size_t n = pack("gzip", text, 20, out);
    memset(out + n, 0, 100);
    verdict(bz_view(out, n + 100), BZ_SCAN_CLEAN, "gzip", NULL); /* padding */
    free(out);
}

static void bombs(void **state) {
    (void)state;
    const size_t n = 40u << 20;
    uint8_t *zeros = calloc(1, n), *out = malloc(PACKED_MAX);
    assert_non_null(zeros);
    static const char *const rows[] = {"gzip", "zlib", "bzip2", "xz", "lzma", "zstd"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t m = pack(rows[i], zeros, n, out);
        verdict(bz_view(out, m), BZ_SCAN_FINDINGS, rows[i], "CODEC-BOMB");
    }
    memset(zeros, ' ', n); /* below the size from which the ratio counts */
    size_t m = pack("gzip", zeros, 15u << 20, out);
    verdict(bz_view(out, m), BZ_SCAN_CLEAN, "gzip", NULL);
    free(zeros);
    free(out);
}

/* ---- programs and pictures -------------------------------------------------------------------------------- */

static void programs(void **state) {
    (void)state;
    static const struct {
        const char *head;
        size_t n;
        const char *id;
    } rows[] = {
        {"\x7f"
         "ELF\2\1\1",
         7, "EXE-NATIVE"},
        {"\xcf\xfa\xed\xfe", 4, "EXE-NATIVE"},
        {"\xca\xfe\xba\xbe\0\0\0\2", 8, "EXE-NATIVE"},
        {"\xca\xfe\xba\xbe\0\0\0\x34", 8, "EXE-BYTECODE"},
        {"\0asm\1\0\0\0", 8, "EXE-BYTECODE"},
        {"dex\n035\0", 8, "EXE-BYTECODE"},
        {"BC\xc0\xde", 4, "EXE-BYTECODE"},
        {"\x1bLua", 4, "EXE-BYTECODE"},
        {"\xcb\x0d\x0d\x0a\0\0\0\0\0\0\0\0\0\0\0\0\xe3", 17, "EXE-BYTECODE"},
    };
    uint8_t mem[256];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(mem, 0, sizeof mem);
        memcpy(mem, rows[i].head, rows[i].n);
        verdict(bz_view(mem, sizeof mem), BZ_SCAN_FINDINGS, "executable", rows[i].id);
    }
    memset(mem, 0, sizeof mem);
    memcpy(mem, "MZ", 2);
    mem[60] = 128;
    verdict(bz_view(mem, sizeof mem), BZ_SCAN_UNCHECKED, "unknown", NULL); /* no PE mark there */
    memcpy(mem + 128, "PE\0\0", 4);
    verdict(bz_view(mem, sizeof mem), BZ_SCAN_FINDINGS, "executable", "EXE-NATIVE");
}

static void pictures(void **state) {
    (void)state;
    static const uint8_t png[] = "\x89PNG\r\n\x1a\n\0\0\0\4IHDRabcdCRC!\0\0\0\0IENDCRC!";
    uint8_t mem[256];
    memcpy(mem, png, sizeof png - 1);
    verdict(bz_view(mem, sizeof png - 1), BZ_SCAN_CLEAN, "media", NULL);
    memcpy(mem + sizeof png - 1, elf, sizeof elf);
    verdict(bz_view(mem, sizeof png - 1 + sizeof elf), BZ_SCAN_FINDINGS, "media", "MEDIA-TRAILING");
    verdict(bz_view(mem, sizeof png - 1 + sizeof elf), BZ_SCAN_FINDINGS, "media", "EXE-NATIVE");
    verdict(bz_view("\xff\xd8\xff\xe0\0\0\0", 7), BZ_SCAN_CLEAN, "media", NULL);
}

static void plain_text(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        enum bz_scan_verdict want;
    } rows[] = {
        {"", 0, BZ_SCAN_CLEAN},
#define TEXT(lit) lit, sizeof(lit) - 1
        {TEXT("# Model\n\nGr\xc3\xbc\xc3\x9f"
              "e \xe2\x9c\x93\n"),
         BZ_SCAN_CLEAN},
        {TEXT("#!/bin/sh\necho hello\n"), BZ_SCAN_CLEAN},
        {TEXT("half a code point \xc3"), BZ_SCAN_UNCHECKED},
        {TEXT("a\0b"), BZ_SCAN_UNCHECKED},
        {TEXT("not utf-8 \xff\xfe\xfd\xfc here"), BZ_SCAN_UNCHECKED},
#undef TEXT
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        verdict(bz_view(rows[i].text, rows[i].n), rows[i].want, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tar_members),
        cmocka_unit_test(tar_long_names),
        cmocka_unit_test(tar_that_ends_with_a_zip),
        cmocka_unit_test(tar_ends),
        cmocka_unit_test(sevenzip),
        cmocka_unit_test(streams),
        cmocka_unit_test(streams_in_a_row),
        cmocka_unit_test(bombs),
        cmocka_unit_test(programs),
        cmocka_unit_test(pictures),
        cmocka_unit_test(plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
