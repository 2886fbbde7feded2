/* Models in protocol buffers beyond ONNX and TensorFlow: Core ML, PaddlePaddle, Caffe, and the
 * vocabularies of SentencePiece. Each is recognised by its structure.
 * Sources: apple/coremltools mlmodel/format/{Model,NeuralNetwork,MIL,LinkedModel}.proto;
 * PaddlePaddle framework.proto; BVLC caffe.proto; google/sentencepiece sentencepiece_model.proto. */
#include "protobuf.h"

static const struct bz_rule rules[] = {
    {"PB-MALFORMED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "not a well-formed model",
     "parsers stop in the middle or read beyond the data", "take the file from its origin again",
     "CWE-20"},
    {"COREML-CUSTOM", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "a custom layer or model",
     "needs a class of the app that is not part of the model",
     "use it only with code that you know", ""},
    {"COREML-LINK", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "a model that links to another file",
     "loads a model from a search path in its place", "ask for a model that is whole", "CWE-73"},
    {"COREML-PATH", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "weights that lie outside of the package",
     "reads another file of the machine as weights", "do not load it", "CWE-22"},
    {"PADDLE-PYTHON", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS, "an operator that calls Python",
     "runs Python code of the process when the program runs", "do not load it", "CWE-94"},
    {"PADDLE-FILE", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS,
     "an operator that reads or writes files or opens connections",
     "reads or writes files that the program names, or talks to other machines", "do not load it",
     "CWE-73"},
    {"CAFFE-PYTHON-LAYER", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS, "a layer written in Python",
     "imports a module by its name and runs it", "do not load it", "CWE-94"},
    {.id = NULL},
};
enum { MALFORMED, CUSTOM, LINK, PATH, PYTHON, FILES, PYTHON_LAYER };
enum { FIELDS_MAX = 100000000, DEPTH_MAX = 8 };

struct models {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_pb_in in;
};

static enum bz_status found(struct models *p, int rule, uint64_t off, struct bz_view v) {
    return bz_scan_found(p->s, p->o, &rules[rule], off, v);
}

static enum bz_status begin(struct models *p, struct bz_scan *s, const struct bz_object *o,
                            struct bz_pb *m) {
    p->s = s;
    p->o = o;
    BZ_TRY(bz_pb_open(&p->in, bz_scan_arena(s), &o->src, FIELDS_MAX));
    *m = bz_pb_message(&p->in, 0, o->src.size);
    return BZ_OK;
}

static enum bz_status finish(struct models *p) {
    struct bz_pb_in *in = &p->in;
    (void)bz_scan_steps(p->s, p->o, in->fields);
    if (in->st == BZ_ESYNTAX)
        return found(p, MALFORMED, in->bad, bz_view_str(in->why));
    if (in->st == BZ_ELIMIT && in->pages.st == BZ_OK)
        return bz_scan_left_out(p->s, p->o, in->bad, "cap: fields of a protocol buffer");
    return in->st;
}

static bool open_head(struct bz_scan *s, const struct bz_object *o, uint8_t first,
                      struct bz_pb_in *in, struct bz_pb *m) {
    if (o->head.n < 4 || o->head.p[0] != first ||
        bz_pb_open(in, bz_scan_arena(s), &o->src, 1000000) != BZ_OK)
        return false;
    *m = bz_pb_message(in, 0, o->src.size);
    return true;
}

/* Calls `at_end` for every LEN field that the numbers of `path` (which ends with 0) lead to. */
typedef enum bz_status end_fn(struct models *p, const struct bz_pb *m, const struct bz_pb_field *f);
static enum bz_status descend(struct models *p, struct bz_pb m, const uint32_t *path,
                              end_fn *at_end) {
    struct bz_pb_field f;
    while (bz_pb_next(&m, &f)) {
        if (f.no != path[0] || f.wire != BZ_PB_LEN)
            continue;
        if (path[1] == 0)
            BZ_TRY(at_end(p, &m, &f));
        else
            BZ_TRY(descend(p, bz_pb_sub(&m, &f), path + 1, at_end));
    }
    return BZ_OK;
}

/* ---- Core ML ------------------------------------------------------------------------------------------- */

static enum bz_probe coreml_probe(struct bz_scan *s, const struct bz_object *o) {
    struct bz_pb_in in;
    struct bz_pb m;
    struct bz_pb_field f;
    bool described = false, typed = false;
    if (!open_head(s, o, 0x08, &in, &m))
        return BZ_PROBE_NO;
    for (int i = 0; i < 16 && bz_pb_next(&m, &f); i++) {
        if ((f.no == 1 && (f.wire != BZ_PB_VARINT || f.v > 100)) ||
            (f.no != 1 && f.no != 10 && f.wire != BZ_PB_LEN))
            return BZ_PROBE_NO;
        described = described || f.no == 2;
        typed = typed || (f.no >= 200 && f.no <= 3000 && f.wire == BZ_PB_LEN);
    }
    return described && typed && in.st == BZ_OK ? BZ_PROBE_YES : BZ_PROBE_NO;
}

static enum bz_status custom(struct models *p, const struct bz_pb *m, const struct bz_pb_field *f) {
    struct bz_pb sub = bz_pb_sub(m, f);
    struct bz_pb_field e;
    struct bz_view name = BZ_V("");
    while (bz_pb_next(&sub, &e)) {
        if (e.no == 10)
            name = bz_pb_peek(&sub, &e, 200);
    }
    return found(p, CUSTOM, f->off, name);
}

static enum bz_status blob(struct models *p, const struct bz_pb *m, const struct bz_pb_field *f) {
    struct bz_view name = bz_pb_peek(m, f, 1024), mark = BZ_V("@model_path/");
    struct bz_view path = bz_view_starts(name, mark) ? bz_view_sub(name, mark.n, name.n) : name;
    return bz_path_wrong(path)[0] == '\0' ? BZ_OK : found(p, PATH, f->off, name);
}

static enum bz_status coreml(struct models *p, struct bz_pb m, unsigned depth);

static enum bz_status pipeline(struct models *p, struct bz_pb m, bool wrapped, unsigned depth) {
    struct bz_pb_field f;
    while (bz_pb_next(&m, &f)) {
        struct bz_pb sub = bz_pb_sub(&m, &f);
        if (f.no == 1 && wrapped)
            BZ_TRY(pipeline(p, sub, false, depth));
        else if (f.no == 1)
            BZ_TRY(coreml(p, sub, depth + 1));
    }
    return BZ_OK;
}

static enum bz_status coreml(struct models *p, struct bz_pb m, unsigned depth) {
    static const uint32_t layer[] = {1, 500, 0};
    static const uint32_t attribute[] = {2, 2, 3, 2, 3, 5, 2, 5, 1, 0};
    static const uint32_t nested[] = {2, 2, 3, 2, 3, 4, 3, 5, 2, 5, 1, 0};
    struct bz_pb_field f;
    if (depth > DEPTH_MAX)
        return found(p, MALFORMED, m.at, BZ_V("pipelines nested too deeply"));
    while (bz_pb_next(&m, &f)) {
        struct bz_pb sub = bz_pb_sub(&m, &f);
        if (f.no == 555)
            BZ_TRY(custom(p, &m, &f));
        if (f.no == 556)
            BZ_TRY(found(p, LINK, f.off, BZ_V("")));
        if (f.no == 500 || f.no == 303 || f.no == 403)
            BZ_TRY(descend(p, sub, layer, custom));
        if (f.no == 502) {
            BZ_TRY(descend(p, sub, attribute, blob));
            BZ_TRY(descend(p, sub, nested, blob));
        }
        if (f.no == 200 || f.no == 201 || f.no == 202)
            BZ_TRY(pipeline(p, sub, f.no != 202, depth));
    }
    return BZ_OK;
}

static enum bz_status coreml_scan(struct bz_scan *s, const struct bz_object *o) {
    struct models p;
    struct bz_pb m;
    BZ_TRY(begin(&p, s, o, &m));
    BZ_TRY(coreml(&p, m, 0));
    return finish(&p);
}

/* ---- PaddlePaddle ----------------------------------------------------------------------------------------- */

static const struct bz_pb_shape block_shape[] = {{1, BZ_PB_VARINT, false}, {2, BZ_PB_VARINT, false},
                                                 {3, BZ_PB_LEN, false},    {4, BZ_PB_LEN, false},
                                                 {5, BZ_PB_VARINT, false}, {.no = 0}};

static enum bz_probe paddle_probe(struct bz_scan *s, const struct bz_object *o) {
    struct bz_pb_in in;
    struct bz_pb m, block;
    struct bz_pb_field f, e;
    if (!open_head(s, o, 0x0a, &in, &m) || !bz_pb_next(&m, &f) ||
        !bz_pb_shaped(bz_pb_sub(&m, &f), block_shape, 64))
        return BZ_PROBE_NO;
    block = bz_pb_sub(&m, &f);
    bool idx = bz_pb_next(&block, &e) && e.no == 1 && e.wire == BZ_PB_VARINT && e.v == 0;
    bool parent = bz_pb_next(&block, &e) && e.no == 2 && e.wire == BZ_PB_VARINT;
    return idx && parent && in.st == BZ_OK ? BZ_PROBE_YES : BZ_PROBE_NO;
}

static enum bz_status paddle_op(struct models *p, const struct bz_pb *m,
                                const struct bz_pb_field *f) {
    static const char *const python[] = {"py_func", "py_layer", "pylayer", NULL};
    static const char *const files[] = {"save",
                                        "save_combine",
                                        "load",
                                        "load_combine",
                                        "send",
                                        "recv",
                                        "listen_and_serv",
                                        "fetch_barrier",
                                        "send_barrier",
                                        "checkpoint_notify",
                                        "distributed_lookup_table",
                                        "heter_listen_and_serv",
                                        "create_custom_reader",
                                        "open_files",
                                        NULL};
    struct bz_view type = bz_pb_peek(m, f, 64);
    if (bz_view_in(type, python))
        return found(p, PYTHON, f->off, type);
    return bz_view_in(type, files) ? found(p, FILES, f->off, type) : BZ_OK;
}

static enum bz_status paddle_scan(struct bz_scan *s, const struct bz_object *o) {
    static const uint32_t type[] = {1, 4, 3, 0};
    struct models p;
    struct bz_pb m;
    BZ_TRY(begin(&p, s, o, &m));
    BZ_TRY(descend(&p, m, type, paddle_op));
    return finish(&p);
}

/* ---- Caffe ---------------------------------------------------------------------------------------------------- */

static const struct bz_pb_shape layer_shape[] = {{1, BZ_PB_LEN, false},
                                                 {2, BZ_PB_LEN, false},
                                                 {3, BZ_PB_LEN, false},
                                                 {4, BZ_PB_LEN, false},
                                                 {.no = 0}};

static enum bz_probe caffe_probe(struct bz_scan *s, const struct bz_object *o) {
    struct bz_pb_in in;
    struct bz_pb m;
    struct bz_pb_field f;
    if (!open_head(s, o, 0x0a, &in, &m))
        return BZ_PROBE_NO;
    for (int i = 0; i < 16 && bz_pb_next(&m, &f); i++) {
        if (f.no == 100 && f.wire == BZ_PB_LEN)
            return bz_pb_shaped(bz_pb_sub(&m, &f), layer_shape, 8) ? BZ_PROBE_YES : BZ_PROBE_NO;
        if (f.no > 8)
            return BZ_PROBE_NO;
    }
    return BZ_PROBE_NO;
}

static enum bz_status caffe_layer(struct models *p, const struct bz_pb *m,
                                  const struct bz_pb_field *f) {
    return bz_pb_is(m, f, BZ_V("Python")) ? found(p, PYTHON_LAYER, f->off, BZ_V("Python")) : BZ_OK;
}

static enum bz_status caffe_scan(struct bz_scan *s, const struct bz_object *o) {
    static const uint32_t type[] = {100, 2, 0};
    struct models p;
    struct bz_pb m;
    BZ_TRY(begin(&p, s, o, &m));
    BZ_TRY(descend(&p, m, type, caffe_layer));
    return finish(&p);
}

/* ---- SentencePiece --------------------------------------------------------------------------------------------- */

static const struct bz_pb_shape piece_shape[] = {
    {1, BZ_PB_LEN, false}, {2, BZ_PB_I32, false}, {3, BZ_PB_VARINT, false}, {.no = 0}};

static enum bz_probe piece_probe(struct bz_scan *s, const struct bz_object *o) {
    struct bz_pb_in in;
    struct bz_pb m, piece;
    struct bz_pb_field f;
    if (!open_head(s, o, 0x0a, &in, &m) || !bz_pb_next(&m, &f) ||
        !bz_pb_shaped(bz_pb_sub(&m, &f), piece_shape, 8))
        return BZ_PROBE_NO;
    piece = bz_pb_sub(&m, &f);
    bool text = bz_pb_next(&piece, &f) && f.no == 1;
    bool score = bz_pb_next(&piece, &f) && f.no == 2 && f.wire == BZ_PB_I32;
    return text && score && in.st == BZ_OK ? BZ_PROBE_YES : BZ_PROBE_NO;
}

/* Nothing in it runs; it is walked to its end. */
static enum bz_status piece_scan(struct bz_scan *s, const struct bz_object *o) {
    struct models p;
    struct bz_pb m;
    struct bz_pb_field f, e;
    BZ_TRY(begin(&p, s, o, &m));
    while (bz_pb_next(&m, &f)) {
        struct bz_pb piece = bz_pb_sub(&m, &f);
        while (f.no == 1 && bz_pb_next(&piece, &e))
            ;
    }
    return finish(&p);
}

const struct bz_format bz_format_coreml = {
    .name = "core ml",
    .what = "Core ML model",
    .probe = coreml_probe,
    .scan = coreml_scan,
    .rules = rules,
};
const struct bz_format bz_format_paddle = {
    .name = "paddle",
    .what = "PaddlePaddle program",
    .probe = paddle_probe,
    .scan = paddle_scan,
};
const struct bz_format bz_format_caffe = {
    .name = "caffe",
    .what = "Caffe network with weights",
    .probe = caffe_probe,
    .scan = caffe_scan,
};
const struct bz_format bz_format_sentencepiece = {
    .name = "sentencepiece",
    .what = "vocabulary of SentencePiece",
    .probe = piece_probe,
    .scan = piece_scan,
};
