/* ONNX: what is recognised, external data, operators, subgraphs; and the walk of protocol buffers. */
#include "scan_mem.h"
#include "pb_write.h"

#include "../../src/artifact/protobuf.h"

/* ---- the walk ------------------------------------------------------------------------------------- */

static bool walks(struct bz_view v, uint64_t fields_max, struct bz_pb_in *in) {
    struct bz_arena ar;
    struct bz_source src;
    struct bz_pb_field f;
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    bz_source_mem(&src, &v);
    assert_int_equal(bz_pb_open(in, &ar, &src, fields_max), BZ_OK);
    struct bz_pb m = bz_pb_message(in, 0, v.n);
    while (bz_pb_next(&m, &f))
        ;
    bz_arena_free(&ar);
    return in->st == BZ_OK;
}

static void wire(void **state) {
    (void)state;
    static const struct {
        struct bz_view v;
        bool good;
    } samples[] = {
        {{(const uint8_t *)"", 0}, true},
        {{(const uint8_t *)"\x08\x01", 2}, true},
        {{(const uint8_t *)"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, true},
        {{(const uint8_t *)"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11},
         false}, /* 65 bits */
        {{(const uint8_t *)"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, false},
        {{(const uint8_t *)"\x08\x80", 2}, false},
        {{(const uint8_t *)"\x08\x80\x00", 3}, true},
        {{(const uint8_t *)"\x00\x01", 2}, false},                 /* field 0 */
        {{(const uint8_t *)"\xf8\xff\xff\xff\x0f\x01", 6}, true},  /* the highest number */
        {{(const uint8_t *)"\x80\x80\x80\x80\x10\x01", 6}, false}, /* beyond it */
        {{(const uint8_t *)"\x0a\x02xy", 4}, true},
        {{(const uint8_t *)"\x0a\x03xy", 4}, false},
        {{(const uint8_t *)"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, false},
        {{(const uint8_t *)"\x0d"
                           "1234",
          5},
         true},
        {{(const uint8_t *)"\x0d"
                           "123",
          4},
         false},
        {{(const uint8_t *)"\x09"
                           "12345678",
          9},
         true},
        {{(const uint8_t *)"\x09"
                           "1234567",
          8},
         false},
        {{(const uint8_t *)"\x0b\x0c", 2}, false}, /* a group */
        {{(const uint8_t *)"\x0e\x01", 2}, false}, /* a type that does not exist */
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct bz_pb_in in;
        if (walks(samples[i].v, 100, &in) != samples[i].good)
            fail_msg("sample %zu: %s", i, in.why == NULL ? "taken" : in.why);
    }
}

static void budget(void **state) {
    (void)state;
    struct bz_pb_in in;
    struct bz_view three = bz_view("\x08\x01\x08\x01\x08\x01", 6);
    assert_true(walks(three, 3, &in));
    assert_false(walks(three, 2, &in));
    assert_int_equal(in.st, BZ_ELIMIT);
    assert_int_equal(in.bad, 4);
}

/* A page ends anywhere: the same fields whatever lies before them. */
static void pages(void **state) {
    (void)state;
    static uint8_t big[BZ_PAGE + 64];
    for (size_t pad = BZ_PAGE - 24; pad < BZ_PAGE + 8; pad++) {
        struct bz_pb_in in;
        struct pbw w = {.n = 0};
        pb_var(&w, 1 << 3 | 2);
        pb_var(&w, pad);
        memset(big, 'x', sizeof big);
        memcpy(big, w.mem, w.n);
        struct pbw tail = {.n = 0};
        pb_int(&tail, 3, UINT64_MAX);
        pb_text(&tail, 4, "text");
        memcpy(big + w.n + pad, tail.mem, tail.n);
        assert_true(walks(bz_view(big, w.n + pad + tail.n), 3, &in));
        assert_int_equal(in.fields, 3);
    }
}

/* ---- models ------------------------------------------------------------------------------------------ */

static struct pbw external(const char *location, const char *offset, const char *length) {
    struct pbw t = {.n = 0};
    static const char *const keys[] = {"location", "offset", "length"};
    const char *values[] = {location, offset, length};
    pb_int(&t, 1, 4);
    pb_int(&t, 2, 1);
    pb_text(&t, 8, "W");
    for (int i = 0; i < 3; i++) {
        struct pbw e = {.n = 0};
        if (values[i] == NULL)
            continue;
        pb_text(&e, 1, keys[i]);
        pb_text(&e, 2, values[i]);
        pb_msg(&t, 13, &e);
    }
    pb_int(&t, 14, 1);
    return t;
}

static struct pbw node(const char *op, const char *domain) {
    struct pbw n = {.n = 0};
    pb_text(&n, 1, "X");
    pb_text(&n, 2, "Y");
    pb_text(&n, 4, op);
    if (domain != NULL)
        pb_text(&n, 7, domain);
    return n;
}

static struct pbw graph(const struct pbw *n, const struct pbw *tensor) {
    struct pbw g = {.n = 0};
    if (n != NULL)
        pb_msg(&g, 1, n);
    pb_text(&g, 2, "g");
    if (tensor != NULL)
        pb_msg(&g, 5, tensor);
    return g;
}

static struct pbw model(const struct pbw *g) {
    struct pbw m = {.n = 0}, set = {.n = 0};
    pb_int(&m, 1, 8);
    pb_text(&m, 2, "test");
    pb_msg(&m, 7, g);
    pb_int(&set, 2, 17);
    pb_msg(&m, 8, &set);
    return m;
}

/* The folder: "weights.bin" of 16 bytes, "link.bin" a link. */
static enum bz_status sibling(void *ctx, struct bz_view name, struct bz_source *ret) {
    static struct bz_view data = {(const uint8_t *)"0123456789abcdef", 16};
    (void)ctx;
    if (bz_view_eq(name, BZ_V("link.bin")))
        return BZ_EDENIED;
    if (!bz_view_eq(name, BZ_V("weights.bin")))
        return BZ_ENOTFOUND;
    bz_source_mem(ret, &data);
    return BZ_OK;
}

static void expect(const struct pbw *m, const char *rule, bool with_folder) {
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM,
                                  .sibling = with_folder ? sibling : NULL};
    struct scanned s = scan_mem_with(pb_view(m), &opt);
    assert_int_equal(s.st, BZ_OK);
    assert_string_equal(s.r.format, "onnx");
    bool good = rule == NULL ? s.r.verdict == BZ_SCAN_CLEAN : scan_mem_has(&s, rule) != NULL;
    if (!good) {
        scan_mem_print(&s);
        fail_msg("%s expected", rule == NULL ? "nothing" : rule);
    }
    scan_mem_done(&s);
}

static void external_data(void **state) {
    (void)state;
    static const struct {
        const char *location, *offset, *length, *rule;
    } samples[] = {
        {"weights.bin", "0", "16", NULL},
        {"weights.bin", NULL, NULL, NULL},
        {"weights.bin", "12", "4", NULL},
        {"weights.bin", "13", "4", "ONNX-EXTERNAL-RANGE"},
        {"weights.bin", "17", NULL, "ONNX-EXTERNAL-RANGE"},
        {"weights.bin", "0", "18446744073709551615", "ONNX-EXTERNAL-RANGE"},
        {"weights.bin", "8", "18446744073709551615", "ONNX-EXTERNAL-RANGE"},
        {"weights.bin", "-1", "4", "ONNX-EXTERNAL-RANGE"},
        {"weights.bin", "0x0", "4", "ONNX-EXTERNAL-RANGE"},
        {"link.bin", "0", "4", "ONNX-EXTERNAL-LINK"},
        {"other.bin", "0", "4", "ONNX-EXTERNAL-MISSING"},
        {"../x", "0", "4", "ONNX-EXTERNAL-PATH"},
        {"a/../../x", "0", "4", "ONNX-EXTERNAL-PATH"},
        {"/etc/passwd", "0", "4", "ONNX-EXTERNAL-PATH"},
        {"..\\x", "0", "4", "ONNX-EXTERNAL-PATH"},
        {"C:/x", "0", "4", "ONNX-EXTERNAL-PATH"},
        {"", "0", "4", "ONNX-EXTERNAL-PATH"},
        {"~/x", "0", "4", "ONNX-EXTERNAL-PATH"},
        {"file://x", "0", "4", "ONNX-EXTERNAL-PATH"},
        {NULL, "0", "4", "ONNX-MALFORMED"},
    };
    struct pbw relu = node("Relu", NULL);
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct pbw t = external(samples[i].location, samples[i].offset, samples[i].length);
        struct pbw g = graph(&relu, &t), m = model(&g);
        expect(&m, samples[i].rule, true);
    }
    struct pbw t = external("weights.bin", "0", "16"), g = graph(&relu, &t), m = model(&g);
    expect(&m, "ONNX-EXTERNAL-UNCHECKED", false);
}

/* A bad tensor wherever a tensor may be. */
static void tensors_everywhere(void **state) {
    (void)state;
    struct pbw t = external("../x", "0", "4");
    for (int place = 0; place < 8; place++) {
        struct pbw n = node("If", NULL), a = {.n = 0}, inner = graph(NULL, &t), sp = {.n = 0};
        pb_text(&a, 1, "value");
        pb_msg(&sp, place == 4 ? 2 : 1, &t);
        switch (place) {
        case 0:
            pb_msg(&a, 5, &t);
            break;
        case 1:
            pb_msg(&a, 10, &t);
            break;
        case 2:
            pb_msg(&a, 6, &inner);
            break;
        case 3:
            pb_msg(&a, 11, &inner);
            break;
        case 4:
            pb_msg(&a, 22, &sp);
            break;
        default:
            break;
        }
        pb_msg(&n, 5, &a);
        struct pbw g = graph(&n, NULL);
        if (place == 5)
            pb_msg(&g, 15, &sp);
        struct pbw m = model(&g);
        if (place == 6) { /* a function of the file */
            struct pbw fn = {.n = 0}, fnode = node("Constant", NULL), fa = {.n = 0};
            pb_text(&fa, 1, "value");
            pb_msg(&fa, 5, &t);
            pb_msg(&fnode, 5, &fa);
            pb_text(&fn, 1, "f");
            pb_msg(&fn, 7, &fnode);
            pb_text(&fn, 10, "local");
            pb_msg(&m, 25, &fn);
        }
        if (place == 7) { /* a training step */
            struct pbw step = {.n = 0};
            pb_msg(&step, 2, &inner);
            pb_msg(&m, 20, &step);
        }
        expect(&m, "ONNX-EXTERNAL-PATH", true);
    }
}

static void operators(void **state) {
    (void)state;
    static const struct {
        const char *op, *domain, *rule;
    } samples[] = {
        {"Relu", NULL, NULL},
        {"Relu", "ai.onnx", NULL},
        {"ZipMap", "ai.onnx.ml", NULL},
        {"FusedMatMul", "com.microsoft", NULL},
        {"Thing", "evil.domain", "ONNX-CUSTOM-OP"},
        {"PyOp", "ai.onnx.contrib", "ONNX-PYTHON"},
        {"PythonOp", "com.microsoft", "ONNX-PYTHON"},
        {"BertTokenizer", "ai.onnx.contrib", "ONNX-CUSTOM-OP"},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct pbw n = node(samples[i].op, samples[i].domain), g = graph(&n, NULL), m = model(&g);
        expect(&m, samples[i].rule, true);
    }
    /* the same domain, when the file defines the function itself */
    struct pbw n = node("Thing", "my.domain"), g = graph(&n, NULL), m = model(&g), fn = {.n = 0};
    pb_text(&fn, 1, "Thing");
    pb_text(&fn, 10, "my.domain");
    pb_msg(&m, 25, &fn);
    expect(&m, NULL, true);
}

static void context_of_a_provider(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct pbw n = node("EPContext", "com.microsoft"), mode = {.n = 0}, cache = {.n = 0};
        pb_text(&mode, 1, "embed_mode");
        pb_int(&mode, 3, i == 2);
        pb_text(&cache, 1, "ep_cache_context");
        pb_text(&cache, 4, i == 1 ? "ctx.bin" : "../ctx.bin");
        pb_msg(&n, 5, &cache);
        if (i != 3)
            pb_msg(&n, 5, &mode);
        struct pbw g = graph(&n, NULL), m = model(&g);
        expect(&m, i == 0 ? "ONNX-EXTERNAL-PATH" : NULL, true);
    }
}

static void nested(void **state) {
    (void)state;
    for (int levels = 30; levels <= 35; levels++) {
        struct pbw relu = node("Relu", NULL), g = graph(&relu, NULL);
        for (int i = 0; i < levels; i++) {
            struct pbw a = {.n = 0}, n = {.n = 0};
            pb_msg(&a, 6, &g);
            pb_text(&n, 4, "If");
            pb_msg(&n, 5, &a);
            g = (struct pbw){.n = 0};
            pb_msg(&g, 1, &n);
        }
        struct pbw m = model(&g);
        expect(&m, levels > 32 ? "ONNX-DEEP" : NULL, true);
    }
}

static void malformed(void **state) {
    (void)state;
    struct pbw relu = node("Relu", NULL), g = graph(&relu, NULL), m = model(&g);
    pb_msg(&m, 7, &g);
    expect(&m, "ONNX-TWICE", true);
    m = model(&g);
    for (size_t n = 14; n < m.n; n++) { /* cut anywhere behind the graph's first bytes */
        struct scanned s = scan_mem(bz_view(m.mem, n));
        assert_int_equal(s.st, BZ_OK);
        if (s.r.verdict == BZ_SCAN_CLEAN && n < m.n - 4)
            fail_msg("cut at %zu of %zu is clean", n, m.n);
        scan_mem_done(&s);
    }
    struct scanned s = scan_mem(bz_view("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12));
    assert_non_null(scan_mem_has(&s, "ONNX-MALFORMED"));
    scan_mem_done(&s);
}

struct facts {
    int tensors, metadata;
};

static void tensor(void *ctx, const struct bz_tensor_fact *t) {
    struct facts *f = ctx;
    f->tensors++;
    assert_true(bz_view_eq(t->name, BZ_V("W")));
    assert_true(bz_view_eq(t->type, BZ_V("float32")));
    assert_int_equal(t->size, 16);
}

static void metadata(void *ctx, struct bz_view key, struct bz_view value) {
    struct facts *f = ctx;
    f->metadata++;
    assert_true(bz_view_eq(key, BZ_V("license")) && bz_view_eq(value, BZ_V("mit")));
}

static void facts_are_told(void **state) {
    (void)state;
    struct facts f = {0};
    struct bz_facts facts = {.ctx = &f, .tensor = tensor, .metadata = metadata};
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM, .facts = &facts};
    struct pbw t = {.n = 0}, e = {.n = 0}, relu = node("Relu", NULL);
    pb_int(&t, 1, 4);
    pb_int(&t, 2, 1);
    pb_text(&t, 8, "W");
    pb_bytes(&t, 9, "0123456789abcdef", 16);
    struct pbw g = graph(&relu, &t), m = model(&g);
    pb_text(&e, 1, "license");
    pb_text(&e, 2, "mit");
    pb_msg(&m, 14, &e);
    struct scanned s = scan_mem_with(pb_view(&m), &opt);
    assert_int_equal(s.r.verdict, BZ_SCAN_CLEAN);
    assert_int_equal(f.tensors, 1);
    assert_int_equal(f.metadata, 1);
    scan_mem_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire),
        cmocka_unit_test(budget),
        cmocka_unit_test(pages),
        cmocka_unit_test(external_data),
        cmocka_unit_test(tensors_everywhere),
        cmocka_unit_test(operators),
        cmocka_unit_test(context_of_a_provider),
        cmocka_unit_test(nested),
        cmocka_unit_test(malformed),
        cmocka_unit_test(facts_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
