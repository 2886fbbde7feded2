/* Binary model formats other than ONNX: TensorFlow, TFLite, Core ML, Paddle, Caffe, R and the rest. */
#include "scan_mem.h"
#include "pb_write.h"

static void expect_named(struct bz_view v, const char *format, const char *rule, const char *name) {
    static const struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM};
    struct scanned s = {.st = BZ_EINTERNAL};
    struct bz_source src;
    bz_arena_init(&s.ar, bz_alloc_heap, 64u << 20, NULL, 0);
    bz_source_mem(&src, &v);
    s.st = bz_scan(&s.ar, &src, bz_view_str(name), &opt, &s.r);
    assert_int_equal(s.st, BZ_OK);
    bool good = strcmp(s.r.format, format) == 0 &&
                (rule == NULL ? s.r.verdict == BZ_SCAN_CLEAN : scan_mem_has(&s, rule) != NULL);
    if (!good) {
        scan_mem_print(&s);
        fail_msg("%s with %s expected, %s, verdict %d", format, rule == NULL ? "nothing" : rule,
                 s.r.format, (int)s.r.verdict);
    }
    scan_mem_done(&s);
}

static void expect(struct bz_view v, const char *format, const char *rule) {
    expect_named(v, format, rule, "file");
}

/* ---- TensorFlow --------------------------------------------------------------------------------------- */

static struct pbw tf_node(const char *op, const char *key, const char *text) {
    struct pbw n = {.n = 0};
    pb_text(&n, 1, "n");
    pb_text(&n, 2, op);
    if (key != NULL) {
        struct pbw entry = {.n = 0}, value = {.n = 0};
        pb_text(&value, 2, text);
        pb_text(&entry, 1, key);
        pb_msg(&entry, 2, &value);
        pb_msg(&n, 5, &entry);
    }
    return n;
}

static struct pbw tf_graph(const struct pbw *node, bool in_function) {
    struct pbw g = {.n = 0}, c = tf_node("Const", NULL, NULL);
    pb_msg(&g, 1, in_function ? &c : node);
    if (in_function) {
        struct pbw fn = {.n = 0}, lib = {.n = 0};
        pb_text(&fn, 1, "");
        pb_msg(&fn, 3, node);
        pb_msg(&lib, 1, &fn);
        pb_msg(&g, 2, &lib);
    }
    return g;
}

static struct pbw saved_model(const struct pbw *g) {
    struct pbw m = {.n = 0}, meta = {.n = 0}, info = {.n = 0};
    pb_text(&info, 4, "serve");
    pb_msg(&meta, 1, &info);
    pb_msg(&meta, 2, g);
    pb_int(&m, 1, 1);
    pb_msg(&m, 2, &meta);
    return m;
}

static void tensorflow_operators(void **state) {
    (void)state;
    static const struct {
        const char *op, *key, *text, *rule;
    } samples[] = {
        {"MatMul", NULL, NULL, NULL},
        {"SaveV2", NULL, NULL, NULL},
        {"RestoreV2", NULL, NULL, NULL},
        {"ReadVariableOp", NULL, NULL, NULL},
        {"PyFunc", NULL, NULL, "TF-PYTHON"},
        {"PyFuncStateless", NULL, NULL, "TF-PYTHON"},
        {"EagerPyFunc", NULL, NULL, "TF-PYTHON"},
        {"ReadFile", NULL, NULL, "TF-FILE"},
        {"WriteFile", NULL, NULL, "TF-FILE"},
        {"MatchingFiles", NULL, NULL, "TF-FILE"},
        {"MergeV2Checkpoints", NULL, NULL, "TF-FILE"},
        {"ExperimentalSqlDataset", NULL, NULL, "TF-FILE"},
        {"SaveDatasetV2", NULL, NULL, "TF-FILE"},
        {"TextLineDataset", NULL, NULL, "TF-READER"},
        {"DataServiceDatasetV4", NULL, NULL, "TF-NETWORK"},
        {"LoadLibrary", NULL, NULL, "TF-LIBRARY"},
        {"Abort", NULL, NULL, "TF-ABORT"},
        {"PrintV2", "output_stream", "stderr", NULL},
        {"PrintV2", "output_stream", "file:///tmp/x", "TF-STREAM"},
        {"Identity", "debug_urls", "grpc://x", "TF-STREAM"},
        {"DecodeProtoV2", "descriptor_source", "local://", NULL},
        {"DecodeProtoV2", "descriptor_source", "/etc/x", "TF-FILE"},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct pbw n = tf_node(samples[i].op, samples[i].key, samples[i].text);
        for (int inside = 0; inside < 2; inside++) {
            struct pbw g = tf_graph(&n, inside), m = saved_model(&g);
            expect(pb_view(&m), "tensorflow savedmodel", samples[i].rule);
            expect(pb_view(&g), "tensorflow graph", samples[i].rule);
        }
    }
}

static void tensorflow_objects(void **state) {
    (void)state;
    static const char lambda[] =
        "{\"class_name\":\"Lambda\",\"config\":{\"function\":[\"a\",null]}}";
    static const char dense[] = "{\"class_name\":\"Dense\",\"config\":{\"units\":1}}";
    struct pbw n = tf_node("Const", NULL, NULL), g = tf_graph(&n, false);
    for (int bad = 0; bad < 2; bad++) {
        struct pbw user = {.n = 0}, object = {.n = 0}, all = {.n = 0}, meta = {.n = 0},
                   m = {.n = 0};
        pb_text(&user, 1, "_tf_keras_layer");
        pb_text(&user, 3, bad ? lambda : dense);
        pb_msg(&object, 4, &user);
        pb_msg(&all, 1, &object);
        pb_msg(&meta, 2, &g);
        pb_msg(&meta, 7, &all);
        pb_msg(&m, 2, &meta);
        expect(pb_view(&m), "tensorflow savedmodel", bad ? "KERAS-LAMBDA" : NULL);

        struct pbw asset = {.n = 0}, meta2 = {.n = 0}, m2 = {.n = 0};
        pb_text(&asset, 2, bad ? "../../etc/passwd" : "vocab.txt");
        pb_msg(&meta2, 2, &g);
        pb_msg(&meta2, 6, &asset);
        pb_msg(&m2, 2, &meta2);
        expect(pb_view(&m2), "tensorflow savedmodel", bad ? "TF-ASSET" : NULL);

        struct pbw entry = {.n = 0}, k = {.n = 0};
        pb_text(&entry, 3, "root");
        pb_text(&entry, 4, "_tf_keras_network");
        pb_text(&entry, 5, bad ? lambda : dense);
        pb_msg(&k, 1, &entry);
        expect(pb_view(&k), "keras metadata", bad ? "KERAS-LAMBDA" : NULL);
    }
}

static void tensorflow_damage(void **state) {
    (void)state;
    struct pbw n = tf_node("Const", NULL, NULL), g = tf_graph(&n, true), m = saved_model(&g);
    for (size_t cut = 1; cut < m.n; cut++) {
        struct scanned s = scan_mem(bz_view(m.mem, cut));
        assert_int_equal(s.st, BZ_OK);
        if (strcmp(s.r.format, "tensorflow savedmodel") == 0)
            assert_int_not_equal(s.r.verdict, BZ_SCAN_CLEAN);
        scan_mem_done(&s);
    }
    struct pbw bad = g;
    bad.mem[bad.n++] = 0x0b; /* a group */
    expect(pb_view(&bad), "tensorflow graph", "TF-MALFORMED");
}

/* ---- others in protocol buffers ----------------------------------------------------------------------- */

static void core_ml(void **state) {
    (void)state;
    for (int kind = 0; kind < 6; kind++) {
        struct pbw m = {.n = 0}, description = {.n = 0}, body = {.n = 0}, x = {.n = 0};
        pb_text(&description, 1, "");
        pb_int(&m, 1, 4);
        pb_msg(&m, 2, &description);
        switch (kind) {
        case 1: /* a custom layer of a neural network */
            pb_text(&x, 10, "Evil");
            body = (struct pbw){.n = 0};
            pb_text(&body, 1, "layer");
            pb_msg(&body, 500, &x);
            x = (struct pbw){.n = 0};
            pb_msg(&x, 1, &body);
            pb_msg(&m, 500, &x);
            expect(pb_view(&m), "core ml", "COREML-CUSTOM");
            break;
        case 2:
            pb_text(&body, 10, "Evil");
            pb_msg(&m, 555, &body);
            expect(pb_view(&m), "core ml", "COREML-CUSTOM");
            break;
        case 3:
            pb_text(&body, 1, "x");
            pb_msg(&m, 556, &body);
            expect(pb_view(&m), "core ml", "COREML-LINK");
            break;
        case 4:
        case 5: { /* a weight of an ML program */
            static const uint32_t path[] = {5, 2, 5, 3, 2, 3, 2, 2};
            pb_text(&body, 1, kind == 4 ? "@model_path/weights/weight.bin" : "@model_path/../x");
            for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
                x = (struct pbw){.n = 0};
                pb_msg(&x, path[i], &body);
                body = x;
            }
            pb_msg(&m, 502, &body);
            expect(pb_view(&m), "core ml", kind == 4 ? NULL : "COREML-PATH");
            break;
        }
        default:
            pb_text(&body, 1, "");
            pb_msg(&m, 300, &body);
            expect(pb_view(&m), "core ml", NULL);
            break;
        }
    }
}

static void paddle_and_caffe(void **state) {
    (void)state;
    static const struct {
        const char *op, *rule;
    } ops[] = {{"matmul_v2", NULL},
               {"py_func", "PADDLE-PYTHON"},
               {"save_combine", "PADDLE-FILE"},
               {"listen_and_serv", "PADDLE-FILE"}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        struct pbw m = {.n = 0}, block = {.n = 0}, op = {.n = 0};
        pb_text(&op, 3, ops[i].op);
        pb_int(&block, 1, 0);
        pb_int(&block, 2, UINT64_MAX);
        pb_msg(&block, 4, &op);
        pb_msg(&m, 1, &block);
        expect(pb_view(&m), "paddle", ops[i].rule);
    }
    for (int bad = 0; bad < 2; bad++) {
        struct pbw m = {.n = 0}, layer = {.n = 0};
        pb_text(&layer, 1, "Python");
        pb_text(&layer, 2, bad ? "Python" : "Convolution");
        pb_text(&m, 1, "net");
        pb_msg(&m, 100, &layer);
        expect(pb_view(&m), "caffe", bad ? "CAFFE-PYTHON-LAYER" : NULL);
    }
    struct pbw m = {.n = 0}, piece = {.n = 0};
    pb_text(&piece, 1, "<unk>");
    pb_f32(&piece, 2);
    pb_int(&piece, 3, 2);
    pb_msg(&m, 1, &piece);
    expect(pb_view(&m), "sentencepiece", NULL);
    m.mem[m.n++] = 0x0a;
    m.mem[m.n++] = 0x7f;
    expect(pb_view(&m), "sentencepiece", "PB-MALFORMED");
}

/* ---- TFLite: a FlatBuffer written by hand, back to front ------------------------------------------------- */

struct flat {
    uint8_t mem[1024];
    size_t n; /* bytes used, from the end */
};

static void flat_put(struct flat *f, const void *p, size_t n) {
    f->n += n;
    memcpy(f->mem + sizeof f->mem - f->n, p, n);
}

static void flat_u32(struct flat *f, uint32_t v) {
    uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    flat_put(f, b, 4);
}

/* Places are counted from the end of the buffer. */
static size_t flat_string(struct flat *f, const char *s) {
    flat_put(f, s, strlen(s));
    flat_u32(f, (uint32_t)strlen(s));
    return f->n;
}

static void flat_ref(struct flat *f, size_t to) {
    flat_u32(f, (uint32_t)(f->n + 4 - to));
}

static size_t flat_list(struct flat *f, const size_t *to, size_t n) {
    for (size_t i = n; i-- > 0;)
        flat_ref(f, to[i]);
    flat_u32(f, (uint32_t)n);
    return f->n;
}

struct slot { /* of a table: 0 absent; a place; or a number */
    bool is_ref, present;
    uint64_t v;
};
#define REF(place) ((struct slot){true, true, place})
#define NUM(value) ((struct slot){false, true, value})

/* Every field takes four bytes. */
static size_t flat_table(struct flat *f, const struct slot *slots, size_t n) {
    uint8_t vt[64];
    size_t fields = 0, size = 4;
    uint16_t offs[16] = {0};
    for (size_t i = 0; i < n; i++)
        fields += slots[i].present;
    size += 4 * fields;
    for (size_t i = n, at = size; i-- > 0;) {
        if (!slots[i].present)
            continue;
        at -= 4;
        offs[i] = (uint16_t)at;
        if (slots[i].is_ref)
            flat_ref(f, slots[i].v);
        else
            flat_u32(f, (uint32_t)slots[i].v);
    }
    flat_u32(f, (uint32_t)(4 + 2 * n)); /* the layout stands right before it */
    size_t table = f->n;
    uint16_t head[2] = {(uint16_t)(4 + 2 * n), (uint16_t)size};
    memcpy(vt, head, 4);
    memcpy(vt + 4, offs, 2 * n);
    flat_put(f, vt, 4 + 2 * n);
    return table;
}

static struct bz_view flat_done(struct flat *f, size_t root) {
    flat_put(f, "TFL3", 4);
    flat_ref(f, root);
    return bz_view(f->mem + sizeof f->mem - f->n, f->n);
}

struct lite {
    const char *custom;
    uint32_t opcode, input, buffer;
};

static struct bz_view tflite(struct flat *f, const struct lite *l) {
    *f = (struct flat){.n = 0};
    struct slot none = {0};
    size_t name = l->custom == NULL ? 0 : flat_string(f, l->custom);
    size_t code = flat_table(f,
                             (struct slot[]){none, l->custom == NULL ? none : REF(name), none,
                                             NUM(l->custom == NULL ? 0 : 32)},
                             4);
    size_t codes = flat_list(f, &code, 1);
    size_t buffer = flat_table(f, (struct slot[]){none}, 1);
    size_t buffers = flat_list(f, &buffer, 1);
    size_t tensor = flat_table(f, (struct slot[]){none, none, NUM(l->buffer)}, 3);
    size_t tensors = flat_list(f, &tensor, 1);
    flat_u32(f, l->input);
    flat_u32(f, 1);
    size_t inputs = f->n;
    size_t op = flat_table(f, (struct slot[]){NUM(l->opcode), REF(inputs)}, 2);
    size_t ops = flat_list(f, &op, 1);
    size_t graph = flat_table(f, (struct slot[]){REF(tensors), none, none, REF(ops)}, 4);
    size_t graphs = flat_list(f, &graph, 1);
    return flat_done(
        f, flat_table(f, (struct slot[]){NUM(3), REF(codes), REF(graphs), none, REF(buffers)}, 5));
}

static void tensorflow_lite(void **state) {
    (void)state;
    static const struct {
        struct lite l;
        const char *rule;
    } samples[] = {
        {{NULL, 0, 0, 0}, NULL},
        {{NULL, 0, UINT32_MAX, 0}, NULL},
        {{"TFLite_Detection_PostProcess", 0, 0, 0}, NULL},
        {{"FlexMatMul", 0, 0, 0}, NULL},
        {{"FlexReadFile", 0, 0, 0}, "TFLITE-FLEX"},
        {{"FlexEagerPyFunc", 0, 0, 0}, "TFLITE-FLEX"},
        {{"MyOp", 0, 0, 0}, "TFLITE-CUSTOM-OP"},
        {{NULL, 1, 0, 0}, "TFLITE-MALFORMED"},
        {{NULL, 0, 1, 0}, "TFLITE-MALFORMED"},
        {{NULL, 0, 0, 1}, "TFLITE-MALFORMED"},
    };
    struct flat f;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        expect(tflite(&f, &samples[i].l), "tflite", samples[i].rule);
}

/* Whatever one byte becomes, nothing is read outside (the sanitizers say so), and cut files are told. */
static void tensorflow_lite_damage(void **state) {
    (void)state;
    struct flat f;
    struct lite l = {"MyOp", 0, 0, 0};
    struct bz_view v = tflite(&f, &l);
    uint8_t mem[1024];
    for (size_t i = 8; i < v.n; i++) {
        for (int b = 0; b < 8; b++) {
            memcpy(mem, v.p, v.n);
            mem[i] ^= (uint8_t)(1 << b);
            struct scanned s = scan_mem(bz_view(mem, v.n));
            assert_int_equal(s.st, BZ_OK);
            scan_mem_done(&s);
        }
    }
    for (size_t n = 8; n + 40 < v.n; n++)
        expect(bz_view(v.p, n), "tflite", "TFLITE-MALFORMED");
}

/* ---- R ------------------------------------------------------------------------------------------------------ */

#define RDS(body, n)                                                                               \
    { (const uint8_t *)("X\n\0\0\0\x02\0\x04\x03\0\0\x02\x03\0" body), 14 + (n) }

static void r_data(void **state) {
    (void)state;
    static const struct {
        struct bz_view v;
        const char *rule;
    } samples[] = {
        {RDS("\0\0\0\x0d\0\0\0\x02\0\0\0\x01\0\0\0\x02", 16), NULL},
        {RDS("\0\0\0\x10\0\0\0\x01\0\x04\0\x09\0\0\0\x02hi", 18), NULL},
        {RDS("\0\0\0\xfe", 4), NULL},
        /* a promise: environment, value, expression */
        {RDS("\0\0\x04\x05\0\0\0\xfd\0\0\0\xfb\0\0\0\xfe", 16), "R-PROMISE"},
        /* in a list */
        {RDS("\0\0\0\x13\0\0\0\x01\0\0\x04\x05\0\0\0\xfd\0\0\0\xfb\0\0\0\xfe", 24), "R-PROMISE"},
        {RDS("\0\0\x04\x03\0\0\0\xfd\0\0\0\xfe\0\0\0\xfe", 16), "R-CODE"},
        {RDS("\0\0\0\x0d\0\0\0\x05\0\0\0\x01", 12), "R-MALFORMED"},
        {RDS("\0\0\0\x0d\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16), "R-MALFORMED"},
        {RDS("\0\0\0\x63", 4), "R-MALFORMED"},
        {RDS("\0\0", 2), "R-MALFORMED"},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        expect(samples[i].v, "r data", samples[i].rule);
}

/* ---- checkpoints --------------------------------------------------------------------------------------------- */

static void table_entry(struct pbw *b, const char *key, const struct pbw *value) {
    pb_var(b, 0);
    pb_var(b, strlen(key));
    pb_var(b, value->n);
    memcpy(b->mem + b->n, key, strlen(key));
    b->n += strlen(key);
    memcpy(b->mem + b->n, value->mem, value->n);
    b->n += value->n;
}

static size_t table_block(struct pbw *file, const struct pbw *entries) {
    static const uint8_t restarts[] = {0, 0, 0, 0, 1, 0, 0, 0}, trailer[5];
    size_t at = file->n;
    memcpy(file->mem + file->n, entries->mem, entries->n);
    memcpy(file->mem + file->n + entries->n, restarts, 8);
    memcpy(file->mem + file->n + entries->n + 8, trailer, 5);
    file->n += entries->n + 13;
    return at;
}

/* An index of `shards` shards with one tensor. */
static struct pbw checkpoint(uint64_t shards, uint64_t shard, uint64_t off, uint64_t n) {
    static const uint8_t magic[8] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};
    struct pbw file = {.n = 0}, data = {.n = 0}, index = {.n = 0}, v = {.n = 0}, foot = {.n = 0};
    pb_int(&v, 1, shards);
    table_entry(&data, "", &v);
    v = (struct pbw){.n = 0};
    pb_int(&v, 3, shard);
    pb_int(&v, 4, off);
    pb_int(&v, 5, n);
    table_entry(&data, "w", &v);
    size_t at = table_block(&file, &data);
    v = (struct pbw){.n = 0};
    pb_var(&v, at);
    pb_var(&v, data.n + 8);
    table_entry(&index, "z", &v);
    size_t index_at = table_block(&file, &index);
    pb_var(&foot, at);
    pb_var(&foot, data.n + 8);
    pb_var(&foot, index_at);
    pb_var(&foot, index.n + 8);
    memcpy(file.mem + file.n, foot.mem, 40);
    memcpy(file.mem + file.n + 40, magic, 8);
    file.n += 48;
    return file;
}

struct folder { /* what stands beside */
    const char *name;
    struct bz_view data;
};

static enum bz_status beside(void *ctx, struct bz_view name, struct bz_source *ret) {
    struct folder *f = ctx;
    if (!bz_view_eq(name, bz_view_str(f->name)))
        return BZ_ENOTFOUND;
    bz_source_mem(ret, &f->data);
    return BZ_OK;
}

static void expect_beside(struct bz_view v, const char *name, struct folder *f, const char *format,
                          const char *rule) {
    struct bz_scan_options opt = {
        .fail_on = BZ_SEVERITY_MEDIUM, .sibling = beside, .sibling_ctx = f};
    struct scanned s = {.st = BZ_EINTERNAL};
    struct bz_source src;
    bz_arena_init(&s.ar, bz_alloc_heap, 64u << 20, NULL, 0);
    bz_source_mem(&src, &v);
    s.st = bz_scan(&s.ar, &src, bz_view_str(name), &opt, &s.r);
    assert_int_equal(s.st, BZ_OK);
    assert_string_equal(s.r.format, format);
    bool good = rule == NULL ? s.r.verdict == BZ_SCAN_CLEAN : scan_mem_has(&s, rule) != NULL;
    if (!good) {
        scan_mem_print(&s);
        fail_msg("%s: %s expected", name, rule == NULL ? "nothing" : rule);
    }
    scan_mem_done(&s);
}

static void checkpoints(void **state) {
    (void)state;
    static const char format[] = "tensorflow checkpoint index";
    static uint8_t numbers[100] = {1, 2, 3};
    struct folder shard = {"v.data-00000-of-00001", {numbers, 100}};
    struct pbw good = checkpoint(1, 0, 40, 60), bad = checkpoint(1, 0, 40, 61);
    expect_beside(pb_view(&good), "d/v.index", &shard, format, NULL);
    expect_beside(pb_view(&bad), "d/v.index", &shard, format, "CKPT-RANGE");
    expect(pb_view(&bad), format, NULL); /* nothing beside it */
    bad = checkpoint(1, 1, 0, 1);
    expect(pb_view(&bad), format, "CKPT-MALFORMED");
    bad = checkpoint(1, 0, UINT64_MAX, 2);
    expect(pb_view(&bad), format, "CKPT-MALFORMED");
    bad = checkpoint(0, 0, 0, 1);
    expect(pb_view(&bad), format, "CKPT-MALFORMED");
    bad = checkpoint(1025, 0, 0, 1);
    expect(pb_view(&bad), format, "CKPT-MALFORMED");
    for (size_t i = 0; i < good.n * 8;
         i++) { /* whatever a bit becomes, it is told or it is harmless */
        bad = good;
        bad.mem[i / 8] ^= (uint8_t)(1 << i % 8);
        struct scanned s = scan_mem(pb_view(&bad));
        assert_int_equal(s.st, BZ_OK);
        scan_mem_done(&s);
    }
    /* the shard, accounted for by the index */
    struct folder index = {"v.index", pb_view(&good)};
    const char *name = "d/v.data-00000-of-00001";
    expect_beside(bz_view(numbers, 100), name, &index, "raw weights", NULL);
    expect_beside(bz_view(numbers, 99), name, &index, "unknown", "SCAN-UNKNOWN");
    expect_beside(bz_view(numbers, 100), "d/v.data-00001-of-00001", &index, "unknown",
                  "SCAN-UNKNOWN");
    expect_beside(bz_view(numbers, 100), "d/w.data-00000-of-00001", &index, "unknown",
                  "SCAN-UNKNOWN");
    static const char xml[] = "<?xml version=\"1.0\"?><net name=\"n\"><layers/></net>";
    struct folder model = {"m.xml", {(const uint8_t *)xml, sizeof xml - 1}};
    expect_beside(bz_view(numbers, 100), "m.bin", &model, "raw weights", NULL);
    expect_beside(bz_view(numbers, 100), "n.bin", &model, "unknown", "SCAN-UNKNOWN");
}

/* ---- the rest ------------------------------------------------------------------------------------------------ */

static void numbers_only(void **state) {
    (void)state;
    static const char ubj[] = "{i\x07learner{i\x01"
                              "a[$d#i\x02"
                              "12345678}i\x07version[i\x01i\x02]}";
    expect(bz_view(ubj, sizeof ubj - 1), "xgboost ubjson", NULL);
    expect(bz_view(ubj, sizeof ubj - 2), "xgboost ubjson", "MODEL-MALFORMED");
    static const char msgpack[] = "\x82\xa1"
                                  "a\x93\x01\x02\x03\xa6params\xc4\x04"
                                  "1234";
    expect(bz_view(msgpack, sizeof msgpack - 1), "msgpack", NULL);
    struct scanned s = scan_mem(bz_view(msgpack, sizeof msgpack - 2));
    assert_int_not_equal(s.r.verdict, BZ_SCAN_CLEAN);
    scan_mem_done(&s);
    expect_named(BZ_V(""), "empty", "MODEL-EMPTY", "model.onnx");
    expect(bz_view("CBM1\xff\0\0\0abcdefgh", 16), "catboost", "MODEL-MALFORMED");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensorflow_operators),   cmocka_unit_test(tensorflow_objects),
        cmocka_unit_test(tensorflow_damage),      cmocka_unit_test(core_ml),
        cmocka_unit_test(paddle_and_caffe),       cmocka_unit_test(tensorflow_lite),
        cmocka_unit_test(tensorflow_lite_damage), cmocka_unit_test(r_data),
        cmocka_unit_test(numbers_only),           cmocka_unit_test(checkpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
