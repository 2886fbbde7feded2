/* Manifests, licences, rules of approval, texts of /proc, and the store of rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bartizan/modelstore.h>
#include <bartizan/registry.h>
#include "models.h"

static int setup(void **state) {
    return bz_crypto_init() == BZ_OK ? 0 : -1;
}

/* ---- rules ---- */

static const char *approve(enum bz_model_state s, enum bz_manifest_verdict v, bool malicious,
                           bool accepted, bool two, const char *added, const char *by) {
    const struct bz_manifest m = {.verdict = v, .malicious = malicious};
    const struct bz_approval_wish w = {s,        &m, bz_view_str(added), bz_view_str(by), two,
                                       accepted, 0};
    const char *why = NULL;
    return bz_model_may_approve(&w, &why) == BZ_OK ? NULL : why;
}

static void rules(void **state) {
    const enum bz_model_state p = BZ_MODEL_PENDING;
    assert_null(approve(p, BZ_MANIFEST_CLEAN, false, false, false, "uid 0", "uid 0"));
    assert_non_null(approve(p, BZ_MANIFEST_CLEAN, false, false, true, "uid 0", "uid 0"));
    assert_null(approve(p, BZ_MANIFEST_CLEAN, false, false, true, "uid 0", "uid 1000"));
    assert_null(approve(p, BZ_MANIFEST_CLEAN, false, false, true, "user ann", "user ben"));
    assert_non_null(approve(p, BZ_MANIFEST_CLEAN, false, false, true, "user ann", "user ANN"));
    assert_non_null(approve(p, BZ_MANIFEST_CLEAN, false, false, true, "uid 0", "user ben"));
    assert_non_null(approve(p, BZ_MANIFEST_CLEAN, false, false, true, "user ann", "uid 0"));
    const enum bz_model_state q = BZ_MODEL_QUARANTINED;
    assert_non_null(approve(q, BZ_MANIFEST_FINDINGS, false, false, false, "uid 0", "uid 0"));
    assert_null(approve(q, BZ_MANIFEST_FINDINGS, false, true, false, "uid 0", "uid 0"));
    assert_non_null(approve(q, BZ_MANIFEST_UNCHECKED, false, false, false, "uid 0", "uid 0"));
    assert_non_null(approve(q, BZ_MANIFEST_FINDINGS, true, true, false, "uid 0", "uid 0"));
    for (int s = BZ_MODEL_APPROVED; s < BZ_MODEL_STATE_COUNT; s++)
        assert_non_null(approve((enum bz_model_state)s, BZ_MANIFEST_CLEAN, false, true, false,
                                "uid 0", "uid 1"));
    const struct bz_manifest clean = {.verdict = BZ_MANIFEST_CLEAN},
                             bad = {.verdict = BZ_MANIFEST_UNCHECKED};
    assert_int_equal(bz_model_state_first(&clean), BZ_MODEL_PENDING);
    assert_int_equal(bz_model_state_first(&bad), BZ_MODEL_QUARANTINED);
}

static void required_fields(void **state) {
    static const struct bz_manifest_file file = {BZ_V("a"), BZ_V("gguf"), 1, {1}};
    struct bz_manifest m = {.name = BZ_V("m"),
                            .licence = BZ_V("MIT"),
                            .source = BZ_V("a friend"),
                            .files = &file,
                            .files_n = 1};
    const uint32_t all = (1u << BZ_SBOM_FIELD_COUNT) - 1;
    const struct bz_approval_wish any = {.state = BZ_MODEL_PENDING, .manifest = &m};
    struct bz_approval_wish w = any;
    const char *why = NULL;
    assert_int_equal(bz_manifest_missing(&m), 1u << BZ_SBOM_VERSION | 1u << BZ_SBOM_SUPPLIER |
                                                  1u << BZ_SBOM_SOURCE | 1u << BZ_SBOM_RELEASED);
    assert_int_equal(bz_model_may_approve(&any, &why), BZ_OK);
    for (unsigned f = 0; f < BZ_SBOM_FIELD_COUNT; f++) {
        w.required = 1u << f;
        assert_int_equal(bz_model_may_approve(&w, &why),
                         (bz_manifest_missing(&m) & 1u << f) != 0 ? BZ_EDENIED : BZ_OK);
    }
    m.source = BZ_V("https://models.example/m");
    m.model_version = BZ_V("1");
    m.supplier = BZ_V("Acme");
    m.released = BZ_V("2026-01-31T00:00:00Z");
    w.required = all;
    assert_int_equal(bz_manifest_missing(&m), 0);
    assert_int_equal(bz_model_may_approve(&w, &why), BZ_OK);
    w.required = UINT32_MAX; /* what nobody knows cannot be said */
    assert_int_equal(bz_model_may_approve(&w, &why), BZ_EDENIED);
}

static void registry_names(void **state) {
    assert_true(bz_registry_name_ok(BZ_V("a")));
    assert_true(bz_registry_name_ok(BZ_V("qwen3-4b_q4.0")));
    static const char *const bad[] = {"", "A", ".a", "-a", "a/b", "..", "a b", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(bz_registry_name_ok(bz_view_str(bad[i])));
    char edge[65];
    memset(edge, 'a', sizeof edge);
    assert_true(bz_registry_name_ok(bz_view(edge, 64)));
    assert_false(bz_registry_name_ok(bz_view(edge, 65)));
}

/* ---- manifests ---- */

static void write_manifest(struct bz_buf *out) {
    static const struct bz_manifest_file files[] = {{BZ_V("a"), BZ_V("gguf"), 100, {1}},
                                                    {BZ_V("b/c"), BZ_V("json"), 7, {2}}};
    static const struct bz_manifest_tensor tensors[] = {{0, BZ_V("w"), BZ_V("f16"), 40, 60, {3}},
                                                        {0, BZ_V("e"), BZ_V("f32"), 100, 0, {4}}};
    static const struct bz_manifest_template templates[] = {{0, BZ_V("t"), {5}}};
    static const struct bz_manifest_finding findings[] = {
        {BZ_V("X-1"), BZ_V("low"), BZ_V("a"), BZ_V(""), 3}};
    struct bz_manifest m = {.name = BZ_V("m"),
                            .source = BZ_V("s"),
                            .licence = BZ_V("MIT"),
                            .file_licence = BZ_V(""),
                            .publisher = BZ_V(""),
                            .model_version = BZ_V("1.0"),
                            .released = BZ_V("2026-01-31T00:00:00Z"),
                            .files = files,
                            .files_n = 2,
                            .tensors = tensors,
                            .tensors_n = 2,
                            .templates = templates,
                            .templates_n = 1,
                            .findings = findings,
                            .findings_n = 1,
                            .verdict = BZ_MANIFEST_FINDINGS};
    bz_buf_init(out, 1 << 20);
    assert_int_equal(bz_manifest_write(&m, out), BZ_OK);
}

static enum bz_status read_back(struct bz_view v, struct bz_manifest *ret, struct bz_arena *ar) {
    struct bz_diag d = {0, NULL};
    bz_arena_init(ar, bz_alloc_heap, 64u << 20, NULL, 0);
    enum bz_status st = bz_manifest_parse(v, ar, ret, &d);
    if (st != BZ_OK)
        assert_non_null(d.why);
    return st;
}

static void manifests(void **state) {
    struct bz_buf b, again;
    struct bz_arena ar;
    struct bz_manifest m;
    write_manifest(&b);
    assert_int_equal(read_back(bz_buf_view(&b), &m, &ar), BZ_OK);
    assert_int_equal(m.files_n, 2);
    assert_int_equal(m.tensors_n, 2);
    assert_int_equal(m.bytes, 107);
    assert_int_equal(m.verdict, BZ_MANIFEST_FINDINGS);
    assert_true(bz_view_eq(m.model_version, BZ_V("1.0")));
    assert_int_equal(m.supplier.n + m.base_model.n, 0);
    bz_buf_init(&again, 1 << 20);
    assert_int_equal(bz_manifest_write(&m, &again), BZ_OK); /* parse and print is print */
    assert_true(bz_view_eq(bz_buf_view(&b), bz_buf_view(&again)));
    bz_arena_free(&ar);
    bz_buf_free(&again);
    bz_buf_free(&b);
}

static void manifests_refused(void **state) {
    static const char *const edits[][2] = {
        {"\"version\":1", "\"version\":2"},
        {"\"name\":\"m\"", "\"name\":\"../m\""},
        {"\"name\":\"b/c\"", "\"name\":\"../c\""},
        {"\"name\":\"b/c\"", "\"name\":\"a\""},
        {"\"name\":\"b/c\"", "\"name\":\"Z\""},
        {"\"size\":7", "\"size\":8"},
        {"\"size\":7", "\"size\":-7"},
        {"\"offset\":40", "\"offset\":41"},
        {"\"file\":0", "\"file\":2"},
        {"\"licence\":\"MIT\"", "\"licence\":\"M I T\""},
        {"\"verdict\":\"findings\"", "\"verdict\":\"fine\""},
        {"\"malicious\":false", "\"malicious\":0"},
        {"\"sha256\":\"01", "\"sha256\":\"02"},
        {"\"root\":\"", "\"r00t\":\""},
        {"\"source\":\"s\"", "\"source\":\"\""},
        {"\"model_version\":\"1.0\"", "\"model_version\":\"\""},
        {"\"model_version\":\"1.0\"", "\"supplier\":7"},
        {"\"released\":\"2026", "\"released\":\"x026"},
    };
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        struct bz_buf b, e;
        struct bz_arena ar;
        struct bz_manifest m;
        write_manifest(&b);
        bz_buf_putc(&b, 0);
        const char *at = strstr((const char *)b.p, edits[i][0]);
        assert_non_null(at);
        size_t from = (size_t)((const uint8_t *)at - b.p);
        bz_buf_init(&e, 1 << 20);
        bz_buf_put(&e, bz_view(b.p, from));
        bz_buf_puts(&e, edits[i][1]);
        bz_buf_put(&e,
                   bz_view(b.p + from + strlen(edits[i][0]), b.n - 1 - from - strlen(edits[i][0])));
        if (read_back(bz_buf_view(&e), &m, &ar) == BZ_OK)
            fail_msg("taken: %s", edits[i][1]);
        bz_arena_free(&ar);
        bz_buf_free(&b);
        bz_buf_free(&e);
    }
}

/* ---- /proc ---- */

static void maps(void **state) {
    static const char text[] =
        "556fe2c3c000-556fe2c3e000 r--p 00000000 fe:00 247134                     /usr/bin/cat\n"
        "556fe2c3e000-556fe2c43000 r-xp 00002000 fe:00 247134                     /usr/bin/cat\n"
        "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n"
        "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n"
        "7f1000000000-7f1000001000 rw-s 00000000 00:05 99                         /dev/zero "
        "(deleted)\n"
        "7f2000000000-7f2000100000 r--s 00001000 fe:00 42                         /m/a b.gguf "
        "(deleted)\n";
    struct bz_view rest = bz_view_str(text);
    struct bz_proc_map m;
    assert_int_equal(bz_proc_map_next(&rest, &m), BZ_OK);
    assert_true(bz_view_eq(m.path, BZ_V("/usr/bin/cat")));
    assert_int_equal(m.inode, 247134);
    assert_int_equal(m.major, 0xfe);
    assert_false(m.exec);
    assert_int_equal(bz_proc_map_next(&rest, &m), BZ_OK);
    assert_true(m.exec);
    assert_int_equal(bz_proc_map_next(&rest, &m), BZ_OK);
    assert_true(m.deleted && m.write && m.shared);
    assert_int_equal(bz_proc_map_next(&rest, &m), BZ_OK);
    assert_true(bz_view_eq(m.path, BZ_V("/m/a b.gguf")));
    assert_true(m.deleted);
    assert_int_equal(m.offset, 0x1000);
    assert_int_equal(bz_proc_map_next(&rest, &m), BZ_MORE);
    static const char *const bad[] = {"x\n",
                                      "1-0 r--p 0 fe:00 1 /a\n",
                                      "0-1 r--p 0 fe 1 /a\n",
                                      "0-1 r-- 0 fe:00 1 /a\n",
                                      "0-1 r--p 0 fe:00 x /a\n",
                                      "0-11111111111111111 r--p 0 fe:00 1 /a\n",
                                      "\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rest = bz_view_str(bad[i]);
        assert_int_equal(bz_proc_map_next(&rest, &m), BZ_ESYNTAX);
    }
}

static void listeners(void **state) {
    static const char tcp[] = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
                              "retrnsmt   uid  timeout inode\n"
                              "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 "
                              "00000000  1000        0 12345 1 0 100 0 0 10 0\n"
                              "   1: 0100007F:1F90 0100007F:A001 01 00000000:00000000 00:00000000 "
                              "00000000  1000        0 777 1 0 20 0 0 10 -1\n"
                              "   2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 "
                              "00000000     0        0 9 1 0 100 0 0 10 0\n";
    struct bz_view rest = bz_view_str(tcp);
    struct bz_proc_listener l;
    const uint8_t local[16] = {127, 0, 0, 1}, other[16] = {10, 0, 0, 1};
    assert_int_equal(bz_proc_listener_next(&rest, false, &l), BZ_OK);
    assert_int_equal(l.port, 8080);
    assert_int_equal(l.uid, 1000);
    assert_int_equal(l.inode, 12345);
    assert_memory_equal(l.address, local, 4);
    assert_true(bz_proc_listens(&l, local, false, 8080));
    assert_false(bz_proc_listens(&l, other, false, 8080));
    assert_false(bz_proc_listens(&l, local, false, 8081));
    assert_int_equal(bz_proc_listener_next(&rest, false, &l), BZ_OK);
    assert_true(bz_proc_listens(&l, other, false, 8081)); /* every address */
    assert_int_equal(bz_proc_listener_next(&rest, false, &l), BZ_MORE);
    rest = BZ_V("   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 "
                "0A 0:0 0:0 0 0 0 5\n");
    const uint8_t six[16] = {[15] = 1};
    assert_int_equal(bz_proc_listener_next(&rest, true, &l), BZ_OK);
    assert_true(bz_proc_listens(&l, six, true, 80));
    assert_false(bz_proc_listens(&l, local, false, 80));
    rest = BZ_V("   0: 0000000000000000FFFF00000100007F:0050 0:0 0A 0:0 0:0 0 0 0 5\n");
    assert_int_equal(bz_proc_listener_next(&rest, true, &l), BZ_OK);
    assert_true(bz_proc_listens(&l, local, false, 80)); /* ::ffff:127.0.0.1 */
    rest = BZ_V("   0: 0100007:1F90 0:0 0A 0:0 0:0 0 0 0 5\n");
    assert_int_equal(bz_proc_listener_next(&rest, false, &l), BZ_ESYNTAX);
}

static void process_stat(void **state) {
    uint32_t parent = 0;
    uint64_t begun = 0;
    assert_int_equal(
        bz_proc_stat(BZ_V("7 (a) b) S 3 7 7 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1\n"), &parent,
                     &begun),
        BZ_OK);
    assert_int_equal(parent, 3);
    assert_int_equal(begun, 4242);
    assert_int_equal(bz_proc_stat(BZ_V("7 (a) S 3"), &parent, &begun), BZ_ESYNTAX);
    assert_int_equal(bz_proc_stat(BZ_V("7 a S 3"), &parent, &begun), BZ_ESYNTAX);
}

static void weights_or_not(void **state) {
    assert_true(bz_model_file_like(BZ_V("GGUF\3\0\0\0"), BZ_V("/m/x"), 100));
    assert_true(bz_model_file_like(BZ_V("\x02\0\0\0\0\0\0\0{}"), BZ_V("/m/x"), 10));
    assert_false(bz_model_file_like(BZ_V("\x03\0\0\0\0\0\0\0{}"), BZ_V("/m/x"), 10));
    assert_true(bz_model_file_like(BZ_V("\x80\4."), BZ_V("/m/x"), 3));
    assert_true(bz_model_file_like(BZ_V("????????"), BZ_V("/m/x.gguf"), 9));
    assert_true(bz_model_file_like(BZ_V("????????"), BZ_V("/m/x"), 16u << 20));
    assert_false(bz_model_file_like(BZ_V("????????"), BZ_V("/m/x"), (16u << 20) - 1));
    assert_false(
        bz_model_file_like(BZ_V("????????"), BZ_V("/usr/lib/locale/locale-archive"), 200u << 20));
    assert_false(bz_model_file_like(BZ_V("\177ELF\2\1\1\0"), BZ_V("/m/x.gguf"), 1u << 30));
    assert_true(bz_model_file_like(BZ_V("GGUF"), BZ_V("/usr/lib/x"), 4));
}

/* ---- Ollama ---- */

#define H1 "1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "2222222222222222222222222222222222222222222222222222222222222222"

static enum bz_status gather(void *ctx, struct bz_view hex) {
    struct bz_buf *b = ctx;
    bz_buf_put(b, bz_view_sub(hex, 0, 2));
    return bz_buf_status(b);
}

static enum bz_status blobs(const char *text, struct bz_buf *out) {
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    bz_buf_init(out, 100);
    enum bz_status st = bz_ollama_blobs(bz_view_str(text), &ar, gather, out);
    bz_arena_free(&ar);
    return st;
}

static void ollama_manifests(void **state) {
    struct bz_buf b;
    assert_int_equal(blobs("{\"config\":{\"digest\":\"sha256:" H1
                           "\"},\"layers\":[{\"digest\":\"sha256:" H2 "\"},{\"digest\":\"sha256:" H1
                           "\"}]}",
                           &b),
                     BZ_OK);
    assert_true(bz_view_eq(bz_buf_view(&b), BZ_V("1122")));
    bz_buf_free(&b);
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"config\":{\"digest\":\"sha256:" H1 "\"},\"layers\":[]}",
        "{\"config\":{\"digest\":\"sha256:" H1 "\"},\"layers\":[{\"digest\":\"sha256:../x\"}]}",
        "{\"config\":{\"digest\":\"md5:" H1 "\"},\"layers\":[{\"digest\":\"sha256:" H1 "\"}]}",
        "{\"config\":{\"digest\":\"sha256:" H1 "0\"},\"layers\":[{\"digest\":\"sha256:" H1 "\"}]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (blobs(bad[i], &b) != BZ_ESYNTAX)
            fail_msg("taken: %zu", i);
        bz_buf_free(&b);
    }
}

static bool only_ones(void *ctx, struct bz_view digest) {
    return bz_view_eq(digest, BZ_V(H1));
}

/* Of an Ollama server only models whose manifest is approved are named; others list no digests. */
static void vetted_lists(void **state) {
    struct bz_names l;
    const struct bz_view tags =
        BZ_V("{\"models\":[{\"model\":\"a:1\",\"digest\":\"" H1
             "\"},{\"model\":\"b:1\",\"digest\":\"" H2 "\"},{\"model\":\"c:1\"}]}");
    assert_int_equal(bz_model_list_vetted(BZ_SERVER_OLLAMA, tags, only_ones, NULL, &l), BZ_OK);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.v[0], "a:1");
    assert_int_equal(l.dropped, 2);
    bz_names_free(&l);
    assert_int_equal(bz_model_list_parse(BZ_SERVER_OLLAMA, tags, &l), BZ_OK);
    assert_int_equal(l.n, 3);
    bz_names_free(&l);
    assert_int_equal(bz_model_list_vetted(BZ_SERVER_LLAMACPP, BZ_V("{\"data\":[{\"id\":\"x\"}]}"),
                                          only_ones, NULL, &l),
                     BZ_OK);
    assert_int_equal(l.n, 1);
    bz_names_free(&l);
}

/* ---- trees ---- */

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

static void trees(void **state) {
    char dir[] = "/tmp/bz-tree-XXXXXX", path[256];
    assert_non_null(mkdtemp(dir));
    static const char *const names[] = {"b", "a", "a-b", ".hidden"};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        write_file(path, i == 0 ? "abc" : "0123456789");
    }
    const struct bz_tree_options o = {.threads = 3};
    struct bz_tree t;
    const struct bz_model_item *items = NULL;
    size_t n = 0;
    assert_int_equal(bz_tree_open(dir, &o, &t), BZ_OK);
    assert_int_equal(bz_tree_hash(&t, &o, BZ_MODEL_SHA256, 0, &items, &n), BZ_OK);
    assert_int_equal(n, 4);
    assert_true(bz_view_eq(items[0].name, BZ_V(".hidden")));
    assert_true(bz_view_eq(items[3].name, BZ_V("b")));
    assert_memory_equal(items[3].digest, "\xba\x78\x16\xbf\x8f\x01\xcf\xea",
                        8); /* FIPS 180-2: "abc" */
    assert_int_equal(bz_tree_hash(&t, &o, BZ_MODEL_SHA256, 4, &items, &n), BZ_OK);
    assert_int_equal(n, 3 * 3 + 1);
    assert_int_equal(items[2].start, 8);
    assert_int_equal(items[2].end, 10);
    struct bz_tree_part parts[] = {{3, 0, 3, {0}}, {3, 1, 1, {0}}, {3, 0, 4, {0}}};
    assert_int_equal(bz_tree_hash_parts(&t, &o, parts, 2), BZ_OK);
    assert_memory_equal(parts[0].sha256, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);
    assert_memory_equal(parts[1].sha256, "\xe3\xb0\xc4\x42", 4);
    assert_int_equal(bz_tree_hash_parts(&t, &o, parts, 3), BZ_EIO); /* beyond the end */
    bz_tree_close(&t);
    (void)snprintf(path, sizeof path, "%s/link", dir);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(bz_tree_open(dir, &o, &t), BZ_EINVAL);
    assert_non_null(strstr(t.why, "symbolic link"));
    bz_tree_close(&t);
    (void)unlink(path);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(dir), 0);
}

/* ---- rows ---- */

static enum bz_status count(void *ctx, const struct bz_modelstore_model *m) {
    size_t *n = ctx;
    (*n)++;
    return BZ_OK;
}
static enum bz_status count_event(void *ctx, const struct bz_modelstore_event *e) {
    size_t *n = ctx;
    (*n)++;
    return BZ_OK;
}

static void rows(void **state) {
    char dir[] = "/tmp/bz-rows-XXXXXX", path[64], a[65], b[65];
    struct bz_modelstore *s = NULL;
    size_t n = 0;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/m.db", dir);
    memset(a, 'a', 64);
    memset(b, 'b', 64);
    a[64] = b[64] = '\0';
    b[0] = 'a';
    assert_int_equal(bz_modelstore_open(path, &s), BZ_OK);
    struct bz_modelstore_model m = {a, "m", "pending", "uid 0", 5, BZ_V("{}"), BZ_V("sig")};
    assert_int_equal(bz_modelstore_add(s, &m, "note"), BZ_OK);
    assert_int_equal(bz_modelstore_add(s, &m, "note"), BZ_EEXISTS);
    m.id = b;
    m.state = "fine";
    assert_int_equal(bz_modelstore_add(s, &m, "note"), BZ_EINVAL);
    m.state = "pending";
    assert_int_equal(bz_modelstore_add(s, &m, "note"), BZ_OK);
    assert_int_equal(bz_modelstore_list(s, count, &n), BZ_OK);
    assert_int_equal(n, 2);
    assert_int_equal(bz_modelstore_get(s, "a", count, &n), BZ_EINVAL);
    assert_int_equal(bz_modelstore_get(s, "ab", count, &n), BZ_OK);
    assert_int_equal(bz_modelstore_get(s, "c", count, &n), BZ_ENOTFOUND);
    const struct bz_modelstore_event e = {
        .at = 6, .id = a, .by = "uid 1", .what = "approve", .note = ""};
    assert_int_equal(bz_modelstore_move(s, "approved", "retired", &e), BZ_ENOTFOUND);
    assert_int_equal(bz_modelstore_move(s, "pending", "approved", &e), BZ_OK);
    assert_int_equal(bz_modelstore_move(s, "pending", "approved", &e), BZ_ENOTFOUND);
    n = 0;
    assert_int_equal(bz_modelstore_history(s, a, count_event, &n), BZ_OK);
    assert_int_equal(n, 2); /* what failed left no event */
    bz_modelstore_close(s);
    assert_int_equal(bz_modelstore_open(path, &s), BZ_OK);
    bz_modelstore_close(s);
    (void)unlink(path);
    (void)rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),
        cmocka_unit_test(required_fields),
        cmocka_unit_test(registry_names),
        cmocka_unit_test(manifests),
        cmocka_unit_test(manifests_refused),
        cmocka_unit_test(maps),
        cmocka_unit_test(listeners),
        cmocka_unit_test(process_stat),
        cmocka_unit_test(weights_or_not),
        cmocka_unit_test(ollama_manifests),
        cmocka_unit_test(vetted_lists),
        cmocka_unit_test(trees),
        cmocka_unit_test(rows),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
