/* TensorFlow Lite: a FlatBuffer with the mark "TFL3".
 * Source: tensorflow/lite/schema/schema.fbs (schema version 3). */
#include "flat.h"
#include "tf_int.h"

enum { /* fields by number */
       MODEL_CODES = 1,
       MODEL_GRAPHS = 2,
       MODEL_BUFFERS = 4,
       MODEL_METADATA = 6,
       CODE_OLD = 0,
       CODE_CUSTOM = 1,
       CODE_NEW = 3,
       GRAPH_TENSORS = 0,
       GRAPH_INPUTS = 1,
       GRAPH_OUTPUTS = 2,
       GRAPH_OPERATORS = 3,
       OP_CODE = 0,
       OP_INPUTS = 1,
       OP_OUTPUTS = 2,
       OP_FAR_OPTIONS = 9,
       TENSOR_BUFFER = 2,
       BUFFER_DATA = 0,
       BUFFER_OFFSET = 1,
       BUFFER_SIZE = 2,
       METADATA_BUFFER = 1,
       BUILTIN_CUSTOM = 32
};

static const struct bz_rule rules[] = {
    {"TFLITE-MALFORMED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "not a well-formed TFLite model",
     "interpreters follow offsets out of the file", "take the file from its origin again",
     "CWE-125"},
    {"TFLITE-CUSTOM-OP", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "an operator of somebody's own",
     "needs native code that is not part of the model", "use it only with code that you know", ""},
    {"TFLITE-FLEX", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS,
     "an operator of TensorFlow that reaches out of the graph",
     "reads or writes files, opens connections or runs Python", "do not load it", "CWE-73"},
    {.id = NULL},
};
enum { MALFORMED, CUSTOM, FLEX };

struct lite {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_flat f;
    struct bz_flat_vector codes, buffers;
};

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return bz_view_eq(bz_view_sub(o->head, 4, 4), BZ_V("TFL3")) ? BZ_PROBE_YES : BZ_PROBE_NO;
}

/* Operators that the libraries around TFLite bring along. */
static bool known(struct bz_view name) {
    static const char *const names[] = {"TFLite_Detection_PostProcess",
                                        "AudioSpectrogram",
                                        "Mfcc",
                                        "MaxPoolingWithArgmax2D",
                                        "MaxUnpooling2D",
                                        "Convolution2DTransposeBias",
                                        "TransformLandmarks",
                                        "Landmarks2TransformMatrix",
                                        "TransformTensor",
                                        "TransformTensorBilinear",
                                        "RoIToTransformMatrix",
                                        "TransformLandmarksV2",
                                        "KmeansEmbeddingLookup",
                                        "edgetpu-custom-op",
                                        "NumericVerify",
                                        "Convolution2DTransposeBiasV2",
                                        "SignalFFT",
                                        "AudioMicrofrontend",
                                        "SENTENCEPIECE_TOKENIZER",
                                        "TFSentencepieceTokenizeOp",
                                        "Custom_Normalize",
                                        "tftext:WhitespaceTokenizeWithOffsetsV2",
                                        NULL};
    return bz_view_in(name, names) || bz_view_starts(name, BZ_V("tftext:")) ||
           bz_view_starts(name, BZ_V("TFText>")) || bz_view_starts(name, BZ_V("Signal")) ||
           bz_view_starts(name, BZ_V("odml.")) || bz_view_starts(name, BZ_V("stablehlo."));
}

static enum bz_status code(struct lite *l, const struct bz_flat_table *t) {
    uint64_t old = bz_flat_num(&l->f, t, CODE_OLD, 1, 0),
             now = bz_flat_num(&l->f, t, CODE_NEW, 4, 0);
    struct bz_view name = bz_flat_str(&l->f, t, CODE_CUSTOM, 200);
    bool custom = old == BUILTIN_CUSTOM || now == BUILTIN_CUSTOM;
    if (!bz_flat_ok(&l->f) || (!custom && name.n == 0))
        return BZ_OK;
    if (bz_view_starts(name, BZ_V("Flex"))) {
        int rule = bz_tf_op(name);
        bool out = rule == BZ_TF_PYTHON || rule == BZ_TF_FILE || rule == BZ_TF_NETWORK ||
                   rule == BZ_TF_LIBRARY || rule == BZ_TF_READER;
        return out ? bz_scan_found(l->s, l->o, &rules[FLEX], t->at, name) : BZ_OK;
    }
    return known(name) ? BZ_OK : bz_scan_found(l->s, l->o, &rules[CUSTOM], t->at, name);
}

static void in_file(struct lite *l, uint64_t at, uint64_t off, uint64_t n) {
    if (n != 0 && (off > l->f.size || n > l->f.size - off))
        bz_flat_fail(&l->f, at, "data beyond the end of the file");
}

/* Values of tensors: in the FlatBuffer, or behind it (offset 1 means "written later"). */
static void buffers(struct lite *l) {
    for (uint32_t i = 0; i < l->buffers.n && bz_flat_ok(&l->f); i++) {
        struct bz_flat_table t = bz_flat_at(&l->f, &l->buffers, i);
        (void)bz_flat_vec(&l->f, &t, BUFFER_DATA, 1);
        uint64_t off = bz_flat_num(&l->f, &t, BUFFER_OFFSET, 8, 0);
        if (off > 1)
            in_file(l, t.at, off, bz_flat_num(&l->f, &t, BUFFER_SIZE, 8, 0));
    }
}

static void indexes(struct lite *l, const struct bz_flat_table *t, unsigned field, uint32_t most) {
    struct bz_flat_vector v = bz_flat_vec(&l->f, t, field, 4);
    for (uint32_t i = 0; i < v.n && bz_flat_ok(&l->f); i++) {
        uint32_t x = bz_flat_u32_at(&l->f, &v, i);
        if (x >= most && x != UINT32_MAX) /* -1: an input that is left out */
            bz_flat_fail(&l->f, t->at, "a tensor that does not exist");
    }
}

static void operators(struct lite *l, const struct bz_flat_table *g, uint32_t tensors) {
    struct bz_flat_vector ops = bz_flat_vec(&l->f, g, GRAPH_OPERATORS, 4);
    for (uint32_t i = 0; i < ops.n && bz_flat_ok(&l->f); i++) {
        struct bz_flat_table t = bz_flat_at(&l->f, &ops, i);
        if (bz_flat_num(&l->f, &t, OP_CODE, 4, 0) >= l->codes.n)
            bz_flat_fail(&l->f, t.at, "an operator that does not exist");
        indexes(l, &t, OP_INPUTS, tensors);
        indexes(l, &t, OP_OUTPUTS, tensors);
        uint64_t far = bz_flat_num(&l->f, &t, OP_FAR_OPTIONS, 8, 0);
        if (far > 1)
            in_file(l, t.at, far, bz_flat_num(&l->f, &t, OP_FAR_OPTIONS + 1, 8, 0));
        if (!bz_scan_steps(l->s, l->o, 8))
            return;
    }
}

static void graph(struct lite *l, const struct bz_flat_table *g) {
    struct bz_flat_vector tensors = bz_flat_vec(&l->f, g, GRAPH_TENSORS, 4);
    for (uint32_t i = 0; i < tensors.n && bz_flat_ok(&l->f); i++) {
        struct bz_flat_table t = bz_flat_at(&l->f, &tensors, i);
        if (bz_flat_num(&l->f, &t, TENSOR_BUFFER, 4, 0) >= l->buffers.n)
            bz_flat_fail(&l->f, t.at, "a buffer that does not exist");
    }
    indexes(l, g, GRAPH_INPUTS, tensors.n);
    indexes(l, g, GRAPH_OUTPUTS, tensors.n);
    operators(l, g, tensors.n);
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct lite l = {.s = s, .o = o};
    BZ_TRY(bz_flat_open(&l.f, bz_scan_arena(s), &o->src));
    struct bz_flat_table m = bz_flat_root(&l.f, 0);
    l.codes = bz_flat_vec(&l.f, &m, MODEL_CODES, 4);
    l.buffers = bz_flat_vec(&l.f, &m, MODEL_BUFFERS, 4);
    for (uint32_t i = 0; i < l.codes.n && bz_flat_ok(&l.f); i++) {
        struct bz_flat_table t = bz_flat_at(&l.f, &l.codes, i);
        BZ_TRY(code(&l, &t));
    }
    buffers(&l);
    struct bz_flat_vector graphs = bz_flat_vec(&l.f, &m, MODEL_GRAPHS, 4);
    for (uint32_t i = 0; i < graphs.n && bz_flat_ok(&l.f); i++) {
        struct bz_flat_table g = bz_flat_at(&l.f, &graphs, i);
        graph(&l, &g);
    }
    struct bz_flat_vector meta = bz_flat_vec(&l.f, &m, MODEL_METADATA, 4);
    for (uint32_t i = 0; i < meta.n && bz_flat_ok(&l.f); i++) {
        struct bz_flat_table t = bz_flat_at(&l.f, &meta, i);
        if (bz_flat_num(&l.f, &t, METADATA_BUFFER, 4, 0) >= l.buffers.n)
            bz_flat_fail(&l.f, t.at, "a buffer that does not exist");
    }
    BZ_TRY(l.f.pages.st);
    return bz_flat_ok(&l.f) ? BZ_OK
                            : bz_scan_found(s, o, &rules[MALFORMED], l.f.bad, bz_view_str(l.f.why));
}

const struct bz_format bz_format_tflite = {
    .name = "tflite",
    .what = "TensorFlow Lite model",
    .probe = probe,
    .scan = scan,
    .rules = rules,
    .before_zip = true, /* "TFLite Metadata": files that go with the model */
};
