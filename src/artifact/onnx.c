/* ONNX: a ModelProto is recognised by its structure, for it has no magic number.
 *
 * Looked at: every graph (also those in attributes, functions and training steps), every tensor that
 * lies outside the file, every operator that is not of the standard or of the file itself.
 * Source: onnx/onnx.proto of ONNX 1.17 (field numbers), docs/ExternalData.md. */
#include "onnx_int.h"

enum { FIELDS_MAX = 100000000 };

const struct bz_rule bz_onnx_rules[] = {
    {"ONNX-MALFORMED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "not a well-formed ONNX model",
     "parsers stop in the middle or read beyond the data", "take the file from its origin again",
     "CWE-20"},
    {"ONNX-EXTERNAL-PATH", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS,
     "external data that leads out of the model's folder",
     "reads any file of the machine into the model, or overwrites it when the model is saved",
     "do not load it", "CVE-2022-25882"},
    {"ONNX-EXTERNAL-LINK", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "external data behind a link",
     "reads another file than the one beside the model", "replace the link by the file itself",
     "CVE-2026-27489"},
    {"ONNX-EXTERNAL-RANGE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
     "external data beyond the end of its file", "reads memory that is not part of the model",
     "take both files from their origin again", "CWE-125"},
    {"ONNX-EXTERNAL-MISSING", BZ_SEVERITY_LOW, BZ_RULE_NOTE,
     "external data that is not beside the model", "loading fails",
     "scan the folder with all its files", ""},
    {"ONNX-EXTERNAL-UNCHECKED", BZ_SEVERITY_LOW, BZ_RULE_UNCHECKED,
     "external data was not looked at", "unknown", "scan the model where its data lies beside it",
     ""},
    {"ONNX-PYTHON", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS, "an operator that runs Python code",
     "runs a function by its name when the model is used", "do not load it", ""},
    {"ONNX-CUSTOM-OP", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "an operator of a domain of its own",
     "needs a native library that is loaded into the process and is not part of the file",
     "use it only with a library that you know", ""},
    {"ONNX-TWICE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "the graph stands in it more than once",
     "each reader sees another model", "take the file from its origin again", "CWE-436"},
    {"ONNX-DEEP", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "graphs nested too deeply",
     "exhausts the stack of what reads it", "do not load it", "CWE-674"},
    {.id = NULL},
};

static const struct bz_pb_shape model_shape[] = {{1, BZ_PB_VARINT, false},
                                                 {2, BZ_PB_LEN, false},
                                                 {3, BZ_PB_LEN, false},
                                                 {4, BZ_PB_LEN, false},
                                                 {5, BZ_PB_VARINT, false},
                                                 {6, BZ_PB_LEN, false},
                                                 {7, BZ_PB_LEN, false},
                                                 {8, BZ_PB_LEN, false},
                                                 {14, BZ_PB_LEN, false},
                                                 {20, BZ_PB_LEN, false},
                                                 {25, BZ_PB_LEN, false},
                                                 {26, BZ_PB_LEN, false},
                                                 {.no = 0}};
static const struct bz_pb_shape graph_shape[] = {{1, BZ_PB_LEN, false},
                                                 {2, BZ_PB_LEN, false},
                                                 {5, BZ_PB_LEN, false},
                                                 {10, BZ_PB_LEN, false},
                                                 {11, BZ_PB_LEN, false},
                                                 {12, BZ_PB_LEN, false},
                                                 {13, BZ_PB_LEN, false},
                                                 {14, BZ_PB_LEN, false},
                                                 {15, BZ_PB_LEN, false},
                                                 {16, BZ_PB_LEN, false},
                                                 {.no = 0}};
static const struct bz_pb_shape node_shape[] = {{1, BZ_PB_LEN, false},
                                                {2, BZ_PB_LEN, false},
                                                {3, BZ_PB_LEN, false},
                                                {4, BZ_PB_LEN, false},
                                                {5, BZ_PB_LEN, false},
                                                {6, BZ_PB_LEN, false},
                                                {7, BZ_PB_LEN, false},
                                                {8, BZ_PB_LEN, false},
                                                {9, BZ_PB_LEN, false},
                                                {10, BZ_PB_LEN, false},
                                                {.no = 0}};

static bool graph_like(struct bz_pb g) {
    struct bz_pb_field f;
    struct bz_pb again = g;
    if (!bz_pb_shaped(g, graph_shape, 64))
        return false;
    for (int i = 0; i < 64 && bz_pb_next(&again, &f); i++) {
        if (f.no == 1)
            return bz_pb_shaped(bz_pb_sub(&again, &f), node_shape, 16);
    }
    return true;
}

/* A version that does not end: ten bytes of which each says that there is another. */
static bool endless(struct bz_view head) {
    size_t n = 1;
    while (n < head.n && n < 11 && (head.p[n] & 0x80) != 0)
        n++;
    return head.p[0] == 0x08 && n == 11;
}

/* Whole or cut off: the version stands first, the rest is of the model's shape as far as it goes, and
 * there is a graph or a length that points beyond the end where a graph begins. */
static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    struct bz_pb_in in;
    struct bz_pb_field f;
    bool version = false, graph = false;
    if (o->head.n < 4 || o->head.p[0] > 0x3a || (o->head.p[0] & 7) > BZ_PB_LEN)
        return BZ_PROBE_NO;
    if (bz_pb_open(&in, bz_scan_arena(s), &o->src, 100000) != BZ_OK)
        return BZ_PROBE_NO;
    struct bz_pb m = bz_pb_message(&in, 0, o->src.size);
    while (bz_pb_next(&m, &f)) {
        const struct bz_pb_shape *at = model_shape;
        while (at->no != 0 && at->no != f.no)
            at++;
        if (at->no != 0 && at->wire != f.wire)
            return BZ_PROBE_NO;
        if (f.no == 1) {
            if (f.v == 0 || f.v > 1000)
                return BZ_PROBE_NO;
            version = true;
        }
        if (f.no == 7) {
            if (!graph_like(bz_pb_sub(&m, &f)))
                return BZ_PROBE_NO;
            graph = true;
        }
    }
    if (in.st == BZ_OK)
        return version && graph ? BZ_PROBE_YES : BZ_PROBE_NO;
    if (graph || (in.fields == 1 && in.st == BZ_ESYNTAX && endless(o->head)))
        return BZ_PROBE_YES;
    return version && in.st == BZ_ESYNTAX && bz_onnx_cut_off(&in, o->src.size) ? BZ_PROBE_YES
                                                                               : BZ_PROBE_NO;
}

/* ---- functions of the file itself ---------------------------------------------------------------- */

static enum bz_status local_function(struct bz_onnx *x, struct bz_pb fn) {
    struct bz_onnx_name *n = bz_arena_zalloc(x->ar, sizeof *n);
    struct bz_pb_field f;
    if (n == NULL)
        return BZ_ENOMEM;
    while (bz_pb_next(&fn, &f)) {
        if (f.no == 1)
            n->name = bz_pb_copy(&fn, &f, 256, x->ar);
        if (f.no == 10)
            n->domain = bz_pb_copy(&fn, &f, 256, x->ar);
    }
    n->next = x->local;
    x->local = n;
    return BZ_OK;
}

static enum bz_status local_functions(struct bz_onnx *x, struct bz_pb m) {
    struct bz_pb_field f;
    while (bz_pb_next(&m, &f)) {
        if (f.no == 25)
            BZ_TRY(local_function(x, bz_pb_sub(&m, &f)));
    }
    return BZ_OK;
}

/* ---- the walk -------------------------------------------------------------------------------------- */

static enum bz_status training(struct bz_onnx *x, struct bz_pb m) {
    struct bz_pb_field f;
    while (bz_pb_next(&m, &f)) {
        if (f.no == 1 || f.no == 2)
            BZ_TRY(bz_onnx_graph(x, bz_pb_sub(&m, &f), 0));
    }
    return BZ_OK;
}

static enum bz_status metadata(struct bz_onnx *x, struct bz_pb m) {
    struct bz_pb_field f;
    const struct bz_facts *facts = bz_scan_options(x->s)->facts;
    struct bz_view key = BZ_V(""), value = BZ_V("");
    while (bz_pb_next(&m, &f)) {
        if (f.no == 1)
            key = bz_pb_copy(&m, &f, 256, x->ar);
        if (f.no == 2)
            value = bz_pb_copy(&m, &f, 1024, x->ar);
    }
    if (facts != NULL && facts->metadata != NULL && key.n != 0)
        facts->metadata(facts->ctx, key, value);
    return BZ_OK;
}

static enum bz_status model(struct bz_onnx *x, struct bz_pb m) {
    struct bz_pb_field f;
    int graphs = 0;
    while (bz_pb_next(&m, &f)) {
        struct bz_pb sub = bz_pb_sub(&m, &f);
        if (f.no == 7) {
            if (++graphs == 2)
                BZ_TRY(bz_scan_found(x->s, x->o, &bz_onnx_rules[BZ_ONNX_TWICE], f.off, BZ_V("")));
            BZ_TRY(bz_onnx_graph(x, sub, 0));
        }
        if (f.no == 14)
            BZ_TRY(metadata(x, sub));
        if (f.no == 20)
            BZ_TRY(training(x, sub));
        if (f.no == 25)
            BZ_TRY(bz_onnx_function(x, sub));
    }
    return BZ_OK;
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct bz_pb_in in;
    struct bz_onnx x = {.s = s, .o = o, .ar = bz_scan_arena(s)};
    BZ_TRY(bz_pb_open(&in, x.ar, &o->src, FIELDS_MAX));
    struct bz_pb m = bz_pb_message(&in, 0, o->src.size);
    BZ_TRY(local_functions(&x, m));
    if (in.st == BZ_ESYNTAX)
        in.st = BZ_OK; /* found again below, after what comes before it */
    BZ_TRY(model(&x, m));
    (void)bz_scan_steps(s, o, in.fields);
    if (in.st == BZ_ESYNTAX)
        return bz_scan_found(s, o, &bz_onnx_rules[BZ_ONNX_MALFORMED], in.bad, bz_view_str(in.why));
    if (in.st == BZ_ELIMIT && in.pages.st == BZ_OK)
        return bz_scan_left_out(s, o, in.bad, "cap: fields of a protocol buffer");
    return in.st;
}

const struct bz_format bz_format_onnx = {
    .name = "onnx",
    .what = "ONNX model",
    .probe = probe,
    .scan = scan,
    .rules = bz_onnx_rules,
};
