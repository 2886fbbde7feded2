/* TensorFlow: SavedModel, GraphDef ("frozen") and Keras metadata, in binary.
 * Sources: saved_model.proto, meta_graph.proto, graph.proto, function.proto, node_def.proto,
 * saved_object_graph.proto (TensorFlow 2.16), saved_metadata.proto (Keras 2.13). */
#include "tf_int.h"

enum { FIELDS_MAX = 100000000 };

struct tf {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_pb_in in;
};

static const struct bz_pb_shape saved_model_shape[] = {
    {1, BZ_PB_VARINT, false}, {2, BZ_PB_LEN, false}, {.no = 0}};
static const struct bz_pb_shape meta_shape[] = {
    {1, BZ_PB_LEN, false}, {2, BZ_PB_LEN, false}, {3, BZ_PB_LEN, false}, {4, BZ_PB_LEN, false},
    {5, BZ_PB_LEN, false}, {6, BZ_PB_LEN, false}, {7, BZ_PB_LEN, false}, {.no = 0}};
static const struct bz_pb_shape graph_shape[] = {{1, BZ_PB_LEN, false},    {2, BZ_PB_LEN, false},
                                                 {3, BZ_PB_VARINT, false}, {4, BZ_PB_LEN, false},
                                                 {5, BZ_PB_LEN, false},    {.no = 0}};
static const struct bz_pb_shape node_shape[] = {
    {1, BZ_PB_LEN, false}, {2, BZ_PB_LEN, false}, {3, BZ_PB_LEN, false}, {4, BZ_PB_LEN, false},
    {5, BZ_PB_LEN, false}, {6, BZ_PB_LEN, false}, {7, BZ_PB_LEN, false}, {.no = 0}};
static const struct bz_pb_shape metadata_shape[] = {{1, BZ_PB_LEN, false},
                                                    {2, BZ_PB_VARINT, false},
                                                    {3, BZ_PB_LEN, false},
                                                    {4, BZ_PB_LEN, false},
                                                    {5, BZ_PB_LEN, false},
                                                    {6, BZ_PB_LEN, false},
                                                    {.no = 0}};

/* ---- recognising ------------------------------------------------------------------------------------ */

static bool node_like(struct bz_pb m) {
    struct bz_pb_field f;
    bool op = false;
    struct bz_pb again = m;
    if (!bz_pb_shaped(m, node_shape, 64))
        return false;
    for (int i = 0; i < 64 && bz_pb_next(&again, &f); i++)
        op = op || (f.no == 2 && bz_tf_op_name(bz_pb_peek(&again, &f, 256)));
    return op;
}

/* Of the right shape, with a node or a library whose first entry is one. */
static bool graph_like(struct bz_pb m) {
    struct bz_pb_field f;
    struct bz_pb again = m;
    if (!bz_pb_shaped(m, graph_shape, 256))
        return false;
    for (int i = 0; i < 256 && bz_pb_next(&again, &f); i++) {
        if (f.no == 1)
            return node_like(bz_pb_sub(&again, &f));
    }
    return false;
}

static bool meta_like(struct bz_pb m) {
    struct bz_pb_field f;
    struct bz_pb again = m;
    if (!bz_pb_shaped(m, meta_shape, 100000))
        return false;
    while (bz_pb_next(&again, &f)) {
        if (f.no == 2)
            return graph_like(bz_pb_sub(&again, &f));
    }
    return false;
}

static bool open_head(struct bz_scan *s, const struct bz_object *o, struct bz_pb_in *in,
                      uint8_t first) {
    return o->head.n >= 4 &&
           (o->head.p[0] == first || o->head.p[0] == 0x0a || o->head.p[0] == 0x12 ||
            o->head.p[0] == 0x22) &&
           bz_pb_open(in, bz_scan_arena(s), &o->src, FIELDS_MAX) == BZ_OK;
}

static enum bz_probe probe_saved_model(struct bz_scan *s, const struct bz_object *o) {
    struct bz_pb_in in;
    struct bz_pb_field f;
    if (!open_head(s, o, &in, 0x08))
        return BZ_PROBE_NO;
    struct bz_pb m = bz_pb_message(&in, 0, o->src.size);
    struct bz_pb again = m;
    bool whole = bz_pb_shaped(m, saved_model_shape, 1000);
    for (int i = 0; i < 8 && bz_pb_next(&again, &f); i++) {
        if (f.no == 2)
            return whole && meta_like(bz_pb_sub(&again, &f)) ? BZ_PROBE_YES : BZ_PROBE_NO;
    }
    return BZ_PROBE_NO;
}

static enum bz_probe probe_graph(struct bz_scan *s, const struct bz_object *o) {
    struct bz_pb_in in;
    struct bz_pb_field f;
    if (!open_head(s, o, &in, 0x0a))
        return BZ_PROBE_NO;
    struct bz_pb m = bz_pb_message(&in, 0, o->src.size);
    while (bz_pb_next(&m, &f)) {
        if (f.no <= 5 && f.wire != graph_shape[f.no - 1].wire)
            return BZ_PROBE_NO;
        if (f.no == 1)
            return node_like(bz_pb_sub(&m, &f)) ? BZ_PROBE_YES : BZ_PROBE_NO;
    }
    return BZ_PROBE_NO;
}

static enum bz_probe probe_metadata(struct bz_scan *s, const struct bz_object *o) {
    struct bz_pb_in in;
    struct bz_pb_field f, e;
    if (!open_head(s, o, &in, 0x0a))
        return BZ_PROBE_NO;
    struct bz_pb m = bz_pb_message(&in, 0, o->src.size);
    if (!bz_pb_next(&m, &f) || f.no != 1 || f.wire != BZ_PB_LEN ||
        !bz_pb_shaped(bz_pb_sub(&m, &f), metadata_shape, 16))
        return BZ_PROBE_NO;
    struct bz_pb node = bz_pb_sub(&m, &f);
    while (bz_pb_next(&node, &e)) {
        if (e.no == 4)
            return bz_view_starts(bz_pb_peek(&node, &e, 16), BZ_V("_tf_keras")) ? BZ_PROBE_YES
                                                                                : BZ_PROBE_NO;
    }
    return BZ_PROBE_NO;
}

/* ---- nodes ------------------------------------------------------------------------------------------- */

static struct bz_view kept(const struct bz_pb *m, const struct bz_pb_field *f, uint8_t *mem,
                           size_t n) {
    struct bz_view v = bz_pb_peek(m, f, n);
    if (v.n != 0)
        memcpy(mem, v.p, v.n);
    return bz_view(mem, v.n);
}

static enum bz_status found(struct tf *t, int rule, uint64_t off, struct bz_view v) {
    return rule == BZ_TF_NONE ? BZ_OK : bz_scan_found(t->s, t->o, &bz_tf_rules[rule], off, v);
}

/* The text of an attribute: AttrValue {1 list {2 s...}, 2 s}. The first that is wrong counts. */
static enum bz_status attr_value(struct tf *t, struct bz_pb m, struct bz_view op,
                                 struct bz_view key, int depth) {
    struct bz_pb_field f;
    while (bz_pb_next(&m, &f)) {
        if (f.no == 2 && f.wire == BZ_PB_LEN) {
            struct bz_view v = bz_pb_peek(&m, &f, 512);
            int rule = bz_tf_attr(op, key, v);
            if (rule != BZ_TF_NONE)
                return found(t, rule, f.off, v);
        }
        if (f.no == 1 && f.wire == BZ_PB_LEN && depth == 0)
            BZ_TRY(attr_value(t, bz_pb_sub(&m, &f), op, key, 1));
    }
    return BZ_OK;
}

static enum bz_status attr(struct tf *t, struct bz_pb m, struct bz_view op) {
    struct bz_pb_field f;
    uint8_t mem[32];
    struct bz_view key = BZ_V("");
    while (bz_pb_next(&m, &f)) {
        if (f.no == 1)
            key = kept(&m, &f, mem, sizeof mem);
        if (f.no == 2 &&
            (bz_view_eq(key, BZ_V("output_stream")) || bz_view_eq(key, BZ_V("debug_urls")) ||
             bz_view_eq(key, BZ_V("descriptor_source"))))
            BZ_TRY(attr_value(t, bz_pb_sub(&m, &f), op, key, 0));
    }
    return BZ_OK;
}

static enum bz_status node(struct tf *t, struct bz_pb m) {
    struct bz_pb_field f;
    uint8_t mem[256];
    struct bz_view op = BZ_V("");
    while (bz_pb_next(&m, &f)) {
        if (f.no == 2) {
            op = kept(&m, &f, mem, sizeof mem);
            BZ_TRY(found(t, bz_tf_op(op), f.off, op));
        }
        if (f.no == 5)
            BZ_TRY(attr(t, bz_pb_sub(&m, &f), op));
    }
    return BZ_OK;
}

static enum bz_status library(struct tf *t, struct bz_pb m) {
    struct bz_pb_field f, e;
    while (bz_pb_next(&m, &f)) {
        struct bz_pb fn = bz_pb_sub(&m, &f);
        while (f.no == 1 && bz_pb_next(&fn, &e)) {
            if (e.no == 3)
                BZ_TRY(node(t, bz_pb_sub(&fn, &e)));
        }
    }
    return BZ_OK;
}

static enum bz_status graph(struct tf *t, struct bz_pb m) {
    struct bz_pb_field f;
    while (bz_pb_next(&m, &f)) {
        if (f.no == 1)
            BZ_TRY(node(t, bz_pb_sub(&m, &f)));
        if (f.no == 2)
            BZ_TRY(library(t, bz_pb_sub(&m, &f)));
    }
    return BZ_OK;
}

/* ---- objects of Keras ---------------------------------------------------------------------------------- */

enum bz_status bz_tf_metadata(struct bz_scan *s, const struct bz_object *o, uint64_t off,
                              uint64_t n) {
    const struct bz_source *part = bz_source_part(s, &o->src, off, n);
    if (part == NULL)
        return BZ_ENOMEM;
    return bz_scan_member_as(s, o, BZ_V("metadata"), part, bz_format_named("json"));
}

static enum bz_status metadata(struct tf *t, const struct bz_pb *m, const struct bz_pb_field *f) {
    if (f->n < 2 || !bz_view_starts(bz_pb_peek(m, f, 2), BZ_V("{\"")))
        return BZ_OK;
    return bz_tf_metadata(t->s, t->o, f->off, f->n);
}

static enum bz_status saved_object(struct tf *t, struct bz_pb m) {
    struct bz_pb_field f, e;
    while (bz_pb_next(&m, &f)) {
        struct bz_pb user = bz_pb_sub(&m, &f);
        while (f.no == 4 && bz_pb_next(&user, &e)) {
            if (e.no == 3)
                BZ_TRY(metadata(t, &user, &e));
        }
    }
    return BZ_OK;
}

static enum bz_status objects(struct tf *t, struct bz_pb m) {
    struct bz_pb_field f;
    while (bz_pb_next(&m, &f)) {
        if (f.no == 1)
            BZ_TRY(saved_object(t, bz_pb_sub(&m, &f)));
    }
    return BZ_OK;
}

static enum bz_status asset(struct tf *t, struct bz_pb m) {
    struct bz_pb_field f;
    while (bz_pb_next(&m, &f)) {
        struct bz_view name = f.no == 2 ? bz_pb_peek(&m, &f, 4096) : BZ_V("-");
        if (bz_path_wrong(name)[0] != '\0')
            BZ_TRY(found(t, BZ_TF_ASSET, f.off, name));
    }
    return BZ_OK;
}

static enum bz_status meta_graph(struct tf *t, struct bz_pb m) {
    struct bz_pb_field f;
    while (bz_pb_next(&m, &f)) {
        struct bz_pb sub = bz_pb_sub(&m, &f);
        if (f.no == 2)
            BZ_TRY(graph(t, sub));
        if (f.no == 6)
            BZ_TRY(asset(t, sub));
        if (f.no == 7)
            BZ_TRY(objects(t, sub));
    }
    return BZ_OK;
}

/* ---- the three formats ----------------------------------------------------------------------------------- */

static enum bz_status finish(struct tf *t) {
    struct bz_pb_in *in = &t->in;
    (void)bz_scan_steps(t->s, t->o, in->fields);
    if (in->st == BZ_ESYNTAX)
        return found(t, BZ_TF_MALFORMED, in->bad, bz_view_str(in->why));
    if (in->st == BZ_ELIMIT && in->pages.st == BZ_OK)
        return bz_scan_left_out(t->s, t->o, in->bad, "cap: fields of a protocol buffer");
    return in->st;
}

static enum bz_status begin(struct tf *t, struct bz_scan *s, const struct bz_object *o,
                            struct bz_pb *m) {
    t->s = s;
    t->o = o;
    BZ_TRY(bz_pb_open(&t->in, bz_scan_arena(s), &o->src, FIELDS_MAX));
    *m = bz_pb_message(&t->in, 0, o->src.size);
    return BZ_OK;
}

static enum bz_status scan_saved_model(struct bz_scan *s, const struct bz_object *o) {
    struct tf t;
    struct bz_pb m;
    struct bz_pb_field f;
    BZ_TRY(begin(&t, s, o, &m));
    while (bz_pb_next(&m, &f)) {
        if (f.no == 2)
            BZ_TRY(meta_graph(&t, bz_pb_sub(&m, &f)));
    }
    return finish(&t);
}

static enum bz_status scan_graph(struct bz_scan *s, const struct bz_object *o) {
    struct tf t;
    struct bz_pb m;
    BZ_TRY(begin(&t, s, o, &m));
    BZ_TRY(graph(&t, m));
    return finish(&t);
}

static enum bz_status scan_metadata(struct bz_scan *s, const struct bz_object *o) {
    struct tf t;
    struct bz_pb m;
    struct bz_pb_field f, e;
    BZ_TRY(begin(&t, s, o, &m));
    while (bz_pb_next(&m, &f)) {
        struct bz_pb node = bz_pb_sub(&m, &f);
        while (f.no == 1 && bz_pb_next(&node, &e)) {
            if (e.no == 5)
                BZ_TRY(metadata(&t, &node, &e));
        }
    }
    return finish(&t);
}

const struct bz_format bz_format_tf_saved_model = {
    .name = "tensorflow savedmodel",
    .what = "TensorFlow SavedModel",
    .probe = probe_saved_model,
    .scan = scan_saved_model,
    .rules = bz_tf_rules,
};
const struct bz_format bz_format_tf_graph = {
    .name = "tensorflow graph",
    .what = "TensorFlow GraphDef",
    .probe = probe_graph,
    .scan = scan_graph,
};
const struct bz_format bz_format_tf_metadata = {
    .name = "keras metadata",
    .what = "Keras metadata of a SavedModel",
    .probe = probe_metadata,
    .scan = scan_metadata,
};
