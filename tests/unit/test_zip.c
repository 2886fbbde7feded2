/* ZIP: sound archives are clean; one wrong place each is one finding each. */
#include "scan_mem.h"
#include "zip_build.h"

static const char text[] = "plain text, and nothing else\n";

static void clean(struct bz_view v, const char *format) {
    struct scanned s = scan_mem(v);
    assert_int_equal(s.st, BZ_OK);
    if (s.r.verdict != BZ_SCAN_CLEAN) {
        scan_mem_print(&s);
        fail_msg("not clean");
    }
    assert_string_equal(s.r.format, format);
    scan_mem_done(&s);
}

static void has(struct bz_view v, const char *id) {
    struct scanned s = scan_mem(v);
    assert_int_equal(s.st, BZ_OK);
    if (scan_mem_has(&s, id) == NULL || s.r.verdict != BZ_SCAN_FINDINGS) {
        scan_mem_print(&s);
        fail_msg("%s was not found, or does not count", id);
    }
    scan_mem_done(&s);
}

static void one_wrong(const struct zip_add *a, const struct zip_end *e, const char *id) {
    struct zip_build z;
    zip_build_init(&z);
    zip_text(&z, "first.txt", text);
    zip_put(&z, a);
    has(zip_finish(&z, e), id);
    zip_build_done(&z);
}

static void sound_archives_are_clean(void **state) {
    (void)state;
    struct zip_build z;
    zip_build_init(&z);
    zip_text(&z, "a/b.txt", text);
    zip_put(&z, &(struct zip_add){
                    .name = "c.txt", .data = text, .n = sizeof text - 1, .deflate = true});
    zip_put(&z, &(struct zip_add){
                    .name = "d.txt", .data = text, .n = sizeof text - 1, .descriptor = true});
    zip_put(&z, &(struct zip_add){.name = "e.txt",
                                  .data = text,
                                  .n = sizeof text - 1,
                                  .deflate = true,
                                  .descriptor = true});
    zip_text(&z, "folder/", "");
    clean(zip_finish(&z, &(struct zip_end){.comment = "made by hand"}), "zip");
    zip_build_done(&z);
    zip_build_init(&z);
    clean(zip_finish(&z, NULL), "zip"); /* no members */
    zip_build_done(&z);
}

static void headers_that_differ(void **state) {
    (void)state;
    struct zip_add a = {.name = "b.txt", .data = text, .n = sizeof text - 1};
    one_wrong(&(struct zip_add){.name = "b.txt", .local_name = "c.txt", .data = text, .n = 4}, NULL,
              "ZIP-NAME");
    a.local_flags = 1;
    one_wrong(&a, NULL, "ZIP-FLAGS");
    a.local_flags = 0;
    a.flags = 0x20;
    one_wrong(&a, NULL, "ZIP-FLAGS");
    a.flags = 1; /* said to be encrypted, and it is not */
    one_wrong(&a, NULL, "ZIP-FLAGS");
    a.deflate = true;
    one_wrong(&a, NULL, "ZIP-FLAGS");
    a.flags = 0;
    a.local_method = 12;
    one_wrong(&a, NULL, "ZIP-HEADERS");
    a.local_method = 0;
    a.local_crc_xor = 1;
    one_wrong(&a, NULL, "ZIP-HEADERS");
    a.crc_xor = 1;
    one_wrong(&a, NULL, "ZIP-CRC");
    a.crc_xor = a.local_crc_xor = 0;
    a.size_add = 1;
    one_wrong(&a, NULL, "ZIP-SIZE");
}

static void names_that_lead_out(void **state) {
    (void)state;
    static const struct {
        const char *name, *id;
    } rows[] = {
        {"../x", "ARC-SLIP"},
        {"a/../../x", "ARC-SLIP"},
        {"..\\x", "ARC-SLIP"},
        {"a/..", "ARC-SLIP"},
        {"/etc/x", "ARC-ABSOLUTE"},
        {"C:\\x", "ARC-ABSOLUTE"},
        {"\\\\host\\x", "ARC-ABSOLUTE"},
        {"a\x01"
         "b",
         "ARC-CONTROL"},
        {"FIRST.TXT", "ARC-CASE"},
        {"first.txt", "ARC-TWICE"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        one_wrong(&(struct zip_add){.name = rows[i].name, .data = text, .n = 5}, NULL, rows[i].id);
    struct zip_build z;
    zip_build_init(&z);
    zip_text(&z, "..a/b..c/...", text); /* dots that are no way up */
    clean(zip_finish(&z, NULL), "zip");
    zip_build_done(&z);
}

static void links(void **state) {
    (void)state;
    const uint32_t link = 0120777u << 16;
    one_wrong(&(struct zip_add){.name = "a/l", .data = "/etc/passwd", .n = 11, .attributes = link},
              NULL, "ARC-LINK-OUT");
    one_wrong(&(struct zip_add){.name = "a/l", .data = "../../x", .n = 7, .attributes = link}, NULL,
              "ARC-LINK-OUT");
    struct zip_build z;
    zip_build_init(&z);
    zip_put(&z, &(struct zip_add){.name = "a/l", .data = "../x", .n = 4, .attributes = link});
    struct scanned s = scan_mem(zip_finish(&z, NULL));
    assert_non_null(scan_mem_has(&s, "ARC-LINK"));
    assert_null(scan_mem_has(&s, "ARC-LINK-OUT"));
    scan_mem_done(&s);
    zip_build_done(&z);
}

static void bytes_that_nobody_names(void **state) {
    (void)state;
    struct zip_add a = {.name = "b.txt", .data = text, .n = sizeof text - 1};
    struct zip_build z;
    a.only_local = true;
    zip_build_init(&z);
    zip_put(&z, &a);
    zip_text(&z, "c.txt", text);
    has(zip_finish(&z, NULL), "ZIP-PREFIX");
    zip_build_done(&z);
    zip_build_init(&z);
    zip_text(&z, "first.txt", text);
    zip_put(&z, &a); /* between a member and the directory */
    has(zip_finish(&z, NULL), "ZIP-GAP");
    zip_build_done(&z);
    zip_build_init(&z);
    zip_text(&z, "a.txt", text);
    bz_buf_put(&z.file, bz_view("\0\0\0\0\0\0\0\0", 8)); /* alignment is none */
    zip_text(&z, "b.txt", text);
    clean(zip_finish(&z, NULL), "zip");
    bz_buf_puts(&z.file, "tail");
    has(bz_buf_view(&z.file), "ZIP-TRAILING");
    zip_build_done(&z);
    zip_build_init(&z);
    bz_buf_puts(&z.file, "before ");
    z.base = 7; /* offsets as zipfile moves them */
    zip_text(&z, "a.txt", text);
    has(zip_finish(&z, NULL), "ZIP-TWO-VIEWS");
    zip_build_done(&z);
}

static void ends_that_lie(void **state) {
    (void)state;
    struct zip_add a = {.name = "b.txt", .data = text, .n = sizeof text - 1};
    one_wrong(&a, &(struct zip_end){.entries = 1}, "ZIP-BROKEN");
    one_wrong(&a, &(struct zip_end){.entries = -1}, "ZIP-BROKEN");
    one_wrong(&a, &(struct zip_end){.offset = 1}, "ZIP-TWO-VIEWS");
    one_wrong(&a, &(struct zip_end){.offset = 100000}, "ZIP-TWO-VIEWS");
    one_wrong(&a, &(struct zip_end){.size = -10}, "ZIP-BROKEN");
    one_wrong(&a, &(struct zip_end){.comment_n = 1}, "ZIP-BROKEN");
    a.local_offset_add = 100000;
    one_wrong(&a, NULL, "ZIP-BROKEN");
    a.local_offset_add = 1;
    one_wrong(&a, NULL, "ZIP-BROKEN");
    struct zip_build z; /* none at all: what stands at the front is looked at */
    zip_build_init(&z);
    zip_put(&z, &(struct zip_add){
                    .name = "x",
                    .data = "\x7f"
                            "ELF\2\1\1\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                    .n = 60});
    has(bz_buf_view(&z.file), "ZIP-BROKEN");
    has(bz_buf_view(&z.file), "EXE-NATIVE");
    zip_build_done(&z);
}

static void members_that_overlap(void **state) {
    (void)state;
    struct zip_build z;
    zip_build_init(&z);
    zip_text(&z, "a.txt", text);
    size_t dir = z.dir.n;
    zip_text(&z, "b.txt", text);
    for (size_t i = 0; i < 4; i++) /* the second one begins where the first does */
        z.dir.p[dir + 42 + i] = 0;
    has(zip_finish(&z, NULL), "ZIP-OVERLAP");
    zip_build_done(&z);
}

/* Both archives of two that stand behind each other are looked at, and one in a comment. */
static void every_archive_in_the_file(void **state) {
    (void)state;
    static const char elf[] = "\x7f"
                              "ELF\2\1\1\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct zip_build bad, good, both;
    zip_build_init(&bad);
    zip_build_init(&good);
    zip_put(&bad, &(struct zip_add){.name = "x", .data = elf, .n = sizeof elf - 1});
    zip_text(&good, "x", text);
    struct bz_view b = zip_finish(&bad, NULL), g = zip_finish(&good, NULL);
    zip_build_init(&both);
    bz_buf_put(&both.file, b);
    bz_buf_put(&both.file, g);
    has(bz_buf_view(&both.file), "EXE-NATIVE");
    bz_buf_reset(&both.file);
    bz_buf_put(&both.file, g);
    bz_buf_put(&both.file, b);
    has(bz_buf_view(&both.file), "EXE-NATIVE");
    bz_buf_reset(&both.file); /* in the comment: the archive's own end record comes first */
    bz_buf_put(&both.file, bz_view(b.p, b.n - 2));
    bz_buf_put_le16(&both.file, (uint16_t)g.n);
    bz_buf_put(&both.file, g);
    has(bz_buf_view(&both.file), "EXE-NATIVE");
    has(bz_buf_view(&both.file), "ZIP-PREFIX");
    zip_build_done(&both);
    zip_build_done(&bad);
    zip_build_done(&good);
}

static void zip64(void **state) {
    (void)state;
    struct zip_build z;
    zip_build_init(&z);
    zip_text(&z, "a.txt", text);
    size_t at = z.file.n;
    bz_buf_put(&z.file, bz_buf_view(&z.dir));
    for (int lie = 0; lie < 2; lie++) {
        struct bz_buf *f = &z.file;
        f->n = at + z.dir.n;
        size_t record = f->n;
        bz_buf_puts(f, "PK\6\6");
        bz_buf_put_le64(f, 44);
        bz_buf_put_le32(f, 45 << 16 | 45);
        bz_buf_put_le64(f, 0);
        bz_buf_put_le64(f, 1);
        bz_buf_put_le64(f, 1);
        bz_buf_put_le64(f, z.dir.n);
        bz_buf_put_le64(f, at);
        bz_buf_puts(f, "PK\6\7");
        bz_buf_put_le32(f, 0);
        bz_buf_put_le64(f, record);
        bz_buf_put_le32(f, 1);
        bz_buf_puts(f, "PK\5\6");
        bz_buf_put_le32(f, 0);
        bz_buf_put_le32(f, lie ? 2u << 16 | 2u : 0xffffffff); /* another number of entries */
        bz_buf_put_le32(f, 0xffffffff);
        bz_buf_put_le32(f, 0xffffffff);
        bz_buf_put_le16(f, 0);
        if (lie)
            has(bz_buf_view(f), "ZIP-TWO-VIEWS");
        else
            clean(bz_buf_view(f), "zip");
    }
    zip_build_done(&z);
}

static void what_is_not_checked_is_not_clean(void **state) {
    (void)state;
    static const struct zip_add rows[] = {
        {.name = "b",
         .data = "truly encrypted",
         .n = 15,
         .flags = 1,
         .crc_xor = 1,
         .local_crc_xor = 1},
        {.name = "b", .data = "packed somehow", .n = 14, .method = 99},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zip_build z;
        zip_build_init(&z);
        zip_put(&z, &rows[i]);
        struct scanned s = scan_mem(zip_finish(&z, NULL));
        assert_int_equal(s.r.verdict, BZ_SCAN_UNCHECKED);
        scan_mem_done(&s);
        zip_build_done(&z);
    }
}

static void torch_archives(void **state) {
    (void)state;
    static const char pickle[] = "\x80\x02}q\x00.";
    struct zip_build z;
    zip_build_init(&z);
    zip_put(&z, &(struct zip_add){.name = "m/data.pkl", .data = pickle, .n = sizeof pickle - 1});
    zip_text(&z, "m/version", "3\n");
    zip_text(&z, "m/byteorder", "little");
    zip_put(&z, &(struct zip_add){.name = "m/data/0", .data = "\1\2\3\4\5\6\7\10", .n = 8});
    zip_put(&z, &(struct zip_add){
                    .name = "m/data/12", .data = "\1\2\3\4\5\6\7\10", .n = 8, .deflate = true});
    clean(zip_finish(&z, NULL), "torch zip");
    zip_build_done(&z);
    zip_build_init(&z); /* only numbered storages are numbers */
    zip_put(&z, &(struct zip_add){.name = "m/data.pkl", .data = pickle, .n = sizeof pickle - 1});
    zip_text(&z, "m/version", "3\n");
    zip_put(&z, &(struct zip_add){.name = "m/data/x", .data = "\1\2\3\4\5\6\7\10", .n = 8});
    struct scanned s = scan_mem(zip_finish(&z, NULL));
    assert_non_null(scan_mem_has(&s, "SCAN-UNKNOWN"));
    scan_mem_done(&s);
    zip_build_done(&z);
}

static void torchscript_code(void **state) {
    (void)state;
    static const struct {
        const char *code, *id;
    } rows[] = {
        {"def forward(self, x):\n  import os; os.system(x)\n", "TS-IMPORT"},
        {"from subprocess import run\n", "TS-IMPORT"},
        {"  return torch.from_file(\"/etc/passwd\", False, 10)\n", "TS-FILE"},
        {"  return ops.aten.save(x, \"f\")\n", "TS-FILE"},
    };
    for (size_t i = 0; i <= sizeof rows / sizeof rows[0]; i++) {
        bool good = i == sizeof rows / sizeof rows[0];
        struct zip_build z;
        zip_build_init(&z);
        zip_put(&z, &(struct zip_add){.name = "m/data.pkl", .data = "\x80\x02}.", .n = 4});
        zip_put(&z, &(struct zip_add){.name = "m/constants.pkl", .data = "\x80\x02).", .n = 4});
        zip_text(&z, "m/version", "3\n");
        zip_text(&z, "m/code/__torch__.py",
                 good ? "import __torch__.a\nop_version_set = 1\ndef f(saved, loaded):\n  return "
                        "torch.add(ops.prim.NumToTensor(saved.x), loaded)\n"
                      : rows[i].code);
        if (good)
            clean(zip_finish(&z, NULL), "torchscript");
        else
            has(zip_finish(&z, NULL), rows[i].id);
        zip_build_done(&z);
    }
}

/* Cut anywhere: no crash, and never clean but where the archive is whole. */
static void every_cut(void **state) {
    (void)state;
    struct zip_build z;
    zip_build_init(&z);
    zip_text(&z, "a.txt", text);
    zip_put(&z, &(struct zip_add){
                    .name = "b.txt", .data = text, .n = sizeof text - 1, .deflate = true});
    struct bz_view v = zip_finish(&z, NULL);
    for (size_t n = 4; n < v.n; n++) {
        struct scanned s = scan_mem(bz_view(v.p, n));
        assert_int_equal(s.st, BZ_OK);
        assert_int_equal(s.r.verdict, BZ_SCAN_FINDINGS);
        scan_mem_done(&s);
    }
    zip_build_done(&z);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_archives_are_clean),
        cmocka_unit_test(headers_that_differ),
        cmocka_unit_test(names_that_lead_out),
        cmocka_unit_test(links),
        cmocka_unit_test(bytes_that_nobody_names),
        cmocka_unit_test(ends_that_lie),
        cmocka_unit_test(members_that_overlap),
        cmocka_unit_test(every_archive_in_the_file),
        cmocka_unit_test(zip64),
        cmocka_unit_test(what_is_not_checked_is_not_clean),
        cmocka_unit_test(torch_archives),
        cmocka_unit_test(torchscript_code),
        cmocka_unit_test(every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
