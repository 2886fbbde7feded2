/* GGUF files, made here field by field: good ones, and every way of being malformed. */
#include "scan_mem.h"

#include <bartizan/limits.h>

enum { U8, I8, U16, I16, U32, I32, F32, BOOL, STR, ARR, U64, I64, F64 };

/* A file that is built: `bad` names the one thing that is wrong with it. */
struct build {
    const char *bad;
    struct bz_buf b;
    uint32_t align;
};

static bool bad(const struct build *g, const char *what) {
    return g->bad != NULL && strcmp(g->bad, what) == 0;
}

static void str(struct build *g, const char *s) {
    bz_buf_put_le64(&g->b, strlen(s));
    bz_buf_puts(&g->b, s);
}

static void key(struct build *g, const char *name, uint32_t type) {
    str(g, name);
    bz_buf_put_le32(&g->b, type);
}

static void kv_str(struct build *g, const char *name, const char *val) {
    key(g, name, STR);
    str(g, val);
}

static void kv_u32(struct build *g, const char *name, uint32_t val) {
    key(g, name, U32);
    bz_buf_put_le32(&g->b, val);
}

static void kv_array(struct build *g, const char *name, uint32_t elem, uint64_t n) {
    key(g, name, ARR);
    bz_buf_put_le32(&g->b, elem);
    bz_buf_put_le64(&g->b, n);
}

static void tensor(struct build *g, const char *name, uint32_t dims, const uint64_t *ne,
                   uint32_t type, uint64_t off) {
    str(g, name);
    bz_buf_put_le32(&g->b, dims);
    for (uint32_t i = 0; i < dims && i < 8; i++)
        bz_buf_put_le64(&g->b, ne[i]);
    bz_buf_put_le32(&g->b, type);
    bz_buf_put_le64(&g->b, off);
}

/* What a named fault puts in the place of the usual value; no name ends a list. */
struct other_number {
    const char *fault;
    uint64_t value;
};
struct other_text {
    const char *fault, *value;
};

static uint64_t number_or(const struct build *g, uint64_t usual, const struct other_number *o) {
    while (o->fault != NULL && !bad(g, o->fault))
        o++;
    return o->fault == NULL ? usual : o->value;
}

static const char *text_or(const struct build *g, const char *usual, const struct other_text *o) {
    while (o->fault != NULL && !bad(g, o->fault))
        o++;
    return o->fault == NULL ? usual : o->value;
}

#define NUMBER(g, usual, ...)                                                                      \
    number_or(g, usual, (const struct other_number[]){__VA_ARGS__, {NULL, 0}})
#define TEXT(g, usual, ...)                                                                        \
    text_or(g, usual, (const struct other_text[]){__VA_ARGS__, {NULL, NULL}})

enum { KVS = 14, TENSORS = 3 };

static void header(struct build *g) {
    uint64_t more = bad(g, "key twice") || bad(g, "align twice");
    bz_buf_puts(&g->b, bad(g, "magic swapped") ? "FUGG" : "GGUF");
    bz_buf_put_le32(&g->b,
                    (uint32_t)NUMBER(g, 3, {"version 0", 0}, {"version 1", 1}, {"version 4", 4},
                                     {"version swapped", 3u << 24}, {"good version 2", 2}));
    bz_buf_put_le64(&g->b, NUMBER(g, TENSORS, {"tensors huge", UINT64_C(1) << 60},
                                  {"tensors negative", UINT64_MAX}, {"good no tensors", 0}));
    bz_buf_put_le64(&g->b, NUMBER(g, KVS + more, {"records huge", UINT64_C(1) << 60},
                                  {"records negative", UINT64_MAX}));
}

static void alignment(struct build *g) {
    static const struct {
        const char *name;
        uint32_t val;
    } rows[] = {{"align 0", 0},
                {"align 12", 12},
                {"good align 64", 64},
                {"good align 1", 1},
                {"good align huge", 1u << 20}};
    g->align = 32;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        g->align = bad(g, rows[i].name) ? rows[i].val : g->align;
    if (bad(g, "align u64")) {
        key(g, "general.alignment", U64);
        bz_buf_put_le64(&g->b, 32);
    } else if (bad(g, "align string")) {
        kv_str(g, "general.alignment", "32");
    } else {
        kv_u32(g, "general.alignment", g->align);
    }
    if (bad(g, "align twice"))
        kv_u32(g, "general.alignment", 32);
}

/* A string whose length may be a lie; what follows it is then missing. */
static void length_or_str(struct build *g, uint64_t lie, const char *text) {
    if (lie != 0)
        bz_buf_put_le64(&g->b, lie);
    else
        str(g, text);
}

static void name_record(struct build *g) {
    length_or_str(g, NUMBER(g, 0, {"key length", UINT64_MAX}),
                  TEXT(g, "general.name", {"key empty", ""}, {"key control", "general.\x01name"},
                       {"key UTF-8", "general.\xc0name"}));
    bz_buf_put_le32(&g->b, (uint32_t)NUMBER(g, STR, {"type 13", 13}, {"type -1", UINT32_MAX}));
    length_or_str(
        g, NUMBER(g, 0, {"string length", (UINT64_C(1) << 30) + 1}, {"string wraps", UINT64_MAX}),
        bad(g, "UTF-8") ? "a\xff" : "Tiny");
}

static void context_record(struct build *g) {
    if (bad(g, "value type")) {
        kv_str(g, "llama.context_length", "2048");
    } else if (bad(g, "value negative")) {
        key(g, "llama.context_length", I32);
        bz_buf_put_le32(&g->b, UINT32_MAX);
    } else {
        kv_u32(g, "llama.context_length", 2048);
    }
}

static void tokenizer_records(struct build *g) {
    uint64_t scores = NUMBER(g, 4, {"scores short", 3});
    uint64_t types = NUMBER(g, 4, {"types long", 5});
    key(g, "tokenizer.ggml.add_bos_token", BOOL);
    bz_buf_putc(&g->b, bad(g, "bool 2") ? 2 : 1);
    kv_array(g, "tokenizer.ggml.tokens", STR, NUMBER(g, 4, {"array count", UINT64_C(1) << 40}));
    for (int i = 0; i < 4; i++)
        str(g, bad(g, "token UTF-8") && i == 3 ? "\xe2\x96" : "\xe2\x96\x81tok");
    kv_array(g, "tokenizer.ggml.scores",
             (uint32_t)NUMBER(g, F32, {"nested array", ARR}, {"array type", 99}),
             NUMBER(g, scores, {"array beyond", 1u << 20}));
    for (uint64_t i = 0; i < scores; i++)
        bz_buf_put_le32(&g->b, 0);
    kv_array(g, "tokenizer.ggml.token_type", I32, types);
    for (uint64_t i = 0; i < types; i++)
        bz_buf_put_le32(&g->b, 1);
    kv_u32(g, "tokenizer.ggml.eos_token_id",
           (uint32_t)NUMBER(g, 3, {"token id", 4}, {"good token -1", UINT32_MAX}));
}

static void records(struct build *g) {
    kv_str(g, "general.architecture", bad(g, "control") ? "lla\x1b[2Jma" : "llama");
    name_record(g);
    alignment(g);
    context_record(g);
    key(g, "llama.rope.freq_base", F32);
    bz_buf_put_le32(&g->b,
                    (uint32_t)NUMBER(g, 0x461c4000, {"NaN", 0x7fc00000}, {"infinite", 0x7f800000}));
    tokenizer_records(g);
    kv_u32(g, "split.no", bad(g, "split no") ? 2 : 0);
    kv_u32(g, "split.count", 2);
    kv_u32(g, "split.tensors.count", bad(g, "split tensors") ? 2 : 5);
    kv_str(g, "tokenizer.chat_template",
           bad(g, "template") ? "{{ x.__class__ }}" : "{{ messages }}");
    if (bad(g, "key twice"))
        kv_str(g, "general.name", "Tiny");
}

static uint64_t padded(const struct build *g, uint64_t n) {
    return (n + g->align - 1) / g->align * g->align;
}

static void first_tensor(struct build *g) {
    uint64_t ne[8] = {4, 2, 1, 1, 1};
    if (bad(g, "ne negative"))
        ne[1] = (uint64_t)-2;
    if (bad(g, "ne overflow"))
        ne[0] = ne[1] = ne[2] = UINT64_C(1) << 31;
    if (bad(g, "bytes overflow")) {
        ne[0] = UINT64_C(1) << 61;
        ne[1] = 1;
    }
    if (bad(g, "good zero dim"))
        ne[0] = 0;
    tensor(g,
           TEXT(g, "token_embd.weight", {"name empty", ""}, {"name control", "tok\n"},
                {"name UTF-8", "tok\xff"}),
           (uint32_t)NUMBER(g, 2, {"dims 5", 5}, {"dims huge", UINT32_MAX}), ne,
           (uint32_t)NUMBER(g, 0, {"tensor type 4", 4}, {"tensor type 43", 43},
                            {"tensor type -1", UINT32_MAX}),
           bad(g, "offset") ? 32 : 0);
}

/* F32 4x2, Q4_0 64x3, F16 1: 32, 108, 2 bytes. */
static void infos(struct build *g) {
    static const uint64_t ne[3][8] = {{4, 2, 1, 1, 1}, {64, 3}, {1}};
    uint64_t off = bad(g, "good zero dim") ? 0 : padded(g, 32);
    char longest[65] = {0};
    memset(longest, 'n', bad(g, "name 64") ? 64 : 63);
    first_tensor(g);
    tensor(g, bad(g, "tensor twice") ? "token_embd.weight" : longest, 2,
           bad(g, "block") ? ne[0] : ne[1], 2,
           NUMBER(g, off, {"overlap", 0}, {"unaligned", off + 1}, {"hole", off + g->align},
                  {"offset wrap", (uint64_t)-32}));
    tensor(g, "output_norm.weight", 1, ne[2], 1, off + padded(g, 108));
}

static void fill(struct build *g, size_t n, uint8_t c) {
    while (n-- > 0)
        bz_buf_putc(&g->b, c);
}

static void data(struct build *g) {
    fill(g, padded(g, g->b.n) - g->b.n, bad(g, "padding") ? 1 : 0);
    if (bad(g, "good no tensors"))
        return;
    size_t from = g->b.n;
    if (!bad(g, "good zero dim"))
        fill(g, 32, 7);
    fill(g, padded(g, g->b.n - from) - (g->b.n - from), 0);
    fill(g, 108, 7);
    fill(g, padded(g, g->b.n - from) - (g->b.n - from), bad(g, "padding inside") ? 1 : 0);
    fill(g, bad(g, "cut") ? 1 : 2, 7);
    if (!bad(g, "cut") && !bad(g, "good not padded"))
        fill(g, padded(g, g->b.n - from) - (g->b.n - from), 0);
    if (bad(g, "trailing"))
        bz_buf_puts(&g->b, "\x7f"
                           "ELF");
    if (bad(g, "trailing zeros"))
        fill(g, 4096, 0);
}

static struct bz_buf build(const char *what) {
    struct build g = {.bad = what, .align = 32};
    bz_buf_init(&g.b, 8u << 20);
    header(&g);
    records(&g);
    if (g.align == 0 || (g.align & (g.align - 1)) != 0)
        g.align = 32;
    if (!bad(&g, "good no tensors"))
        infos(&g);
    data(&g);
    assert_int_equal(g.b.st, BZ_OK);
    return g.b;
}

static const struct {
    const char *bad, *rule;
} rows[] = {
    {"magic swapped", "GGUF-MAGIC"},
    {"version swapped", "GGUF-MAGIC"},
    {"version 0", "GGUF-VERSION"},
    {"version 1", "GGUF-VERSION"},
    {"version 4", "GGUF-VERSION"},
    {"tensors huge", "GGUF-COUNT"},
    {"tensors negative", "GGUF-COUNT"},
    {"records huge", "GGUF-COUNT"},
    {"records negative", "GGUF-COUNT"},
    {"key length", "GGUF-STRING"},
    {"key empty", "GGUF-KEY"},
    {"key control", "GGUF-KEY"},
    {"key UTF-8", "GGUF-UTF8"},
    {"key twice", "GGUF-DUPKEY"},
    {"type 13", "GGUF-TYPE"},
    {"type -1", "GGUF-TYPE"},
    {"string length", "GGUF-STRING"},
    {"string wraps", "GGUF-STRING"},
    {"UTF-8", "GGUF-UTF8"},
    {"token UTF-8", "GGUF-UTF8"},
    {"control", "GGUF-CONTROL"},
    {"array count", "GGUF-ARRAY"},
    {"array beyond", "GGUF-ARRAY"},
    {"array type", "GGUF-ARRAY"},
    {"nested array", "GGUF-ARRAY"},
    {"align 0", "GGUF-ALIGN"},
    {"align 12", "GGUF-ALIGN"},
    {"align u64", "GGUF-ALIGN"},
    {"align string", "GGUF-ALIGN"},
    {"align twice", "GGUF-DUPKEY"},
    {"value type", "GGUF-VALUE"},
    {"value negative", "GGUF-VALUE"},
    {"NaN", "GGUF-VALUE"},
    {"infinite", "GGUF-VALUE"},
    {"bool 2", "GGUF-VALUE"},
    {"scores short", "GGUF-VOCAB"},
    {"types long", "GGUF-VOCAB"},
    {"token id", "GGUF-TOKENID"},
    {"split no", "GGUF-SPLIT"},
    {"split tensors", "GGUF-SPLIT"},
    {"name empty", "GGUF-NAME"},
    {"name control", "GGUF-NAME"},
    {"name UTF-8", "GGUF-UTF8"},
    {"name 64", "GGUF-NAME"},
    {"tensor twice", "GGUF-DUPTENSOR"},
    {"dims 5", "GGUF-DIMS"},
    {"dims huge", "GGUF-DIMS"},
    {"ne negative", "GGUF-SHAPE"},
    {"ne overflow", "GGUF-SHAPE"},
    {"bytes overflow", "GGUF-SHAPE"},
    {"block", "GGUF-SHAPE"},
    {"tensor type 4", "GGUF-TENSORTYPE"},
    {"tensor type 43", "GGUF-TENSORTYPE"},
    {"tensor type -1", "GGUF-TENSORTYPE"},
    {"offset", "GGUF-OFFSET"},
    {"overlap", "GGUF-OFFSET"},
    {"unaligned", "GGUF-OFFSET"},
    {"hole", "GGUF-OFFSET"},
    {"offset wrap", "GGUF-OFFSET"},
    {"cut", "GGUF-BOUNDS"},
    {"trailing", "GGUF-TRAILING"},
    {"trailing zeros", "GGUF-TRAILING"},
    {"template", "TPL-CODE"},
};

static const char *const good[] = {
    NULL,
    "good version 2",
    "good no tensors",
    "good align 64",
    "good align 1",
    "good align huge",
    "good zero dim",
    "good token -1",
    "good not padded",
    "padding",
    "padding inside",
};

static void malformed_is_named(void **state) {
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_buf b = build(rows[i].bad);
        struct scanned s = scan_mem(bz_buf_view(&b));
        assert_int_equal(s.st, BZ_OK);
        if (scan_mem_has(&s, rows[i].rule) == NULL || s.r.verdict != BZ_SCAN_FINDINGS) {
            print_message("# %s is not %s\n", rows[i].bad, rows[i].rule);
            scan_mem_print(&s);
            wrong++;
        }
        assert_string_equal(s.r.format, "gguf");
        scan_mem_done(&s);
        bz_buf_free(&b);
    }
    assert_int_equal(wrong, 0);
}

static void good_is_clean(void **state) {
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct bz_buf b = build(good[i]);
        struct scanned s = scan_mem(bz_buf_view(&b));
        assert_int_equal(s.st, BZ_OK);
        if (s.r.verdict != BZ_SCAN_CLEAN)
            print_message("# %s\n", good[i] == NULL ? "plain" : good[i]);
        scan_mem_print(&s);
        assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
        scan_mem_done(&s);
        bz_buf_free(&b);
    }
}

/* Whatever is cut off, and wherever: never clean. Only the padding behind the last tensor may go. */
static void every_cut_is_refused(void **state) {
    struct bz_buf b = build(NULL);
    struct bz_buf whole = build("good not padded");
    for (size_t n = 0; n < whole.n; n++) {
        struct scanned s = scan_mem(bz_view(b.p, n));
        assert_int_equal(s.st, BZ_OK);
        if (n >= 4)
            assert_int_equal(s.r.verdict, BZ_SCAN_FINDINGS);
        scan_mem_done(&s);
    }
    bz_buf_free(&whole);
    bz_buf_free(&b);
}

/* ---- facts ---------------------------------------------------------------------------------------------- */

struct told {
    size_t tensors, templates, metadata;
    uint64_t off[8], size[8];
    char text[512];
};

static void tell_tensor(void *ctx, const struct bz_tensor_fact *f) {
    struct told *t = ctx;
    assert_true(t->tensors < 8);
    t->off[t->tensors] = f->offset;
    t->size[t->tensors++] = f->size;
    assert_true(f->name.n > 0 && f->type.n > 0);
}

static void tell_template(void *ctx, struct bz_view name, struct bz_view text,
                          const uint8_t d[32]) {
    struct told *t = ctx;
    assert_true(bz_view_eq(name, BZ_V("tokenizer.chat_template")));
    assert_true(bz_view_eq(text, BZ_V("{{ messages }}")) && d != NULL);
    t->templates++;
}

static void tell_metadata(void *ctx, struct bz_view k, struct bz_view v) {
    struct told *t = ctx;
    size_t n = strlen(t->text);
    t->metadata++;
    (void)snprintf(t->text + n, sizeof t->text - n, "%.*s=%.*s;", (int)k.n, (const char *)k.p,
                   (int)v.n, (const char *)v.p);
}

static void facts_are_told(void **state) {
    struct told t = {.tensors = 0};
    struct bz_facts f = {.ctx = &t,
                         .tensor = tell_tensor,
                         .chat_template = tell_template,
                         .metadata = tell_metadata};
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM, .facts = &f};
    struct bz_buf b = build(NULL);
    struct scanned s = scan_mem_with(bz_buf_view(&b), &opt);
    assert_int_equal(s.st, BZ_OK);
    assert_int_equal(t.tensors, 3);
    assert_int_equal(t.templates, 1);
    assert_int_equal(t.size[0], 32);
    assert_int_equal(t.size[1], 108);
    assert_int_equal(t.size[2], 2);
    assert_int_equal(t.off[1], t.off[0] + 32);
    assert_int_equal(t.off[2], t.off[1] + 128);
    assert_int_equal(b.p[t.off[0]], 7);
    assert_int_equal(t.off[2] + 32, b.n);
    assert_non_null(strstr(t.text, "general.architecture=llama;"));
    assert_non_null(strstr(t.text, "llama.rope.freq_base=10000;"));
    assert_non_null(strstr(t.text, "tokenizer.ggml.add_bos_token=true;"));
    assert_non_null(strstr(t.text, "split.count=2;"));
    scan_mem_done(&s);
    bz_buf_free(&b);
}

/* ---- size ------------------------------------------------------------------------------------------------- */

/* n tensors without elements, one name after the other. */
static struct bz_buf crowd(uint64_t n, bool twice) {
    struct build g = {.bad = NULL};
    static const uint64_t none[1] = {0};
    char name[32];
    bz_buf_init(&g.b, 256u << 20);
    bz_buf_puts(&g.b, "GGUF");
    bz_buf_put_le32(&g.b, 3);
    bz_buf_put_le64(&g.b, n);
    bz_buf_put_le64(&g.b, 0);
    for (uint64_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "t%llu",
                       (unsigned long long)(twice && i + 1 == n ? 0 : i));
        tensor(&g, name, 1, none, 0, 0);
    }
    while (g.b.n % 32 != 0)
        bz_buf_putc(&g.b, 0);
    assert_int_equal(g.b.st, BZ_OK);
    return g.b;
}

static void a_million_tensors_fit(void **state) {
    static const struct {
        uint64_t n;
        bool twice;
        const char *rule;
        enum bz_scan_verdict verdict;
    } cases[] = {
        {1000000, false, NULL, BZ_SCAN_CLEAN},
        {1000000, true, "GGUF-DUPTENSOR", BZ_SCAN_FINDINGS},
        {BZ_TENSORS_MAX, false, NULL, BZ_SCAN_CLEAN},
        {BZ_TENSORS_MAX + 1, false, "SCAN-LEFT-OUT", BZ_SCAN_UNCHECKED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bz_buf b = crowd(cases[i].n, cases[i].twice);
        struct scanned s = scan_mem(bz_buf_view(&b));
        assert_int_equal(s.st, BZ_OK);
        assert_int_equal(s.r.verdict, cases[i].verdict);
        assert_true(cases[i].rule == NULL || scan_mem_has(&s, cases[i].rule) != NULL);
        scan_mem_done(&s);
        bz_buf_free(&b);
    }
}

static void little_memory_is_no_answer(void **state) {
    struct bz_buf b = build("template");
    for (size_t kib = 8; kib <= 600; kib += 8) {
        struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM, .caps = {.memory = kib << 10}};
        struct scanned s = scan_mem_with(bz_buf_view(&b), &opt);
        assert_true(s.st == BZ_OK || s.st == BZ_ENOMEM);
        assert_true(s.st != BZ_OK || s.r.verdict != BZ_SCAN_CLEAN);
        scan_mem_done(&s);
    }
    bz_buf_free(&b);
}

static enum bz_status broken(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    const struct bz_view *v = ctx;
    *ret_n = 0;
    if (off > 0)
        return BZ_EIO;
    *ret_n = n < 64 ? n : 64;
    memcpy(buf, v->p, *ret_n);
    return BZ_OK;
}

static void a_failed_read_is_no_finding(void **state) {
    struct bz_buf b = build(NULL);
    struct bz_view v = bz_buf_view(&b);
    struct bz_source src = {.pread = broken, .ctx = &v, .size = v.n};
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM};
    struct bz_scan_result r;
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    assert_int_equal(bz_scan(&ar, &src, BZ_V("f"), &opt, &r), BZ_EIO);
    bz_arena_free(&ar);
    bz_buf_free(&b);
}

static void predecessors_are_not_checked(void **state) {
    static const char *const magics[] = {"lmgg", "fmgg", "tjgg", "algg"};
    for (size_t i = 0; i < 4; i++) {
        uint8_t mem[64] = {0};
        memcpy(mem, magics[i], 4);
        mem[4] = 1;
        struct scanned s = scan_mem(bz_view(mem, sizeof mem));
        assert_int_equal(s.st, BZ_OK);
        assert_non_null(scan_mem_has(&s, "GGUF-LEGACY"));
        assert_int_equal(s.r.verdict, BZ_SCAN_UNCHECKED);
        scan_mem_done(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_is_named),
        cmocka_unit_test(good_is_clean),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(facts_are_told),
        cmocka_unit_test(a_million_tensors_fit),
        cmocka_unit_test(little_memory_is_no_answer),
        cmocka_unit_test(a_failed_read_is_no_finding),
        cmocka_unit_test(predecessors_are_not_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
