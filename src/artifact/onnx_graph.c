/* ONNX: graphs, nodes, and tensors that lie outside of the file. */
#include "onnx_int.h"

enum { GRAPH_DEPTH_MAX = 32 };

#define FOUND(x, rule, off, v) bz_scan_found((x)->s, (x)->o, &bz_onnx_rules[rule], off, v)

/* The field that runs over the end is the graph, and it begins as graphs do: a node, a name or a
 * tensor with a length. */
bool bz_onnx_cut_off(struct bz_pb_in *in, uint64_t size) {
    static const uint8_t starts[] = {0x0a, 0x12, 0x2a, 0x52, 0x5a, 0x62, 0x6a};
    uint64_t at = in->bad;
    struct bz_view tag = bz_pages_at(&in->pages, at, 1);
    if (tag.p == NULL || tag.p[0] != 0x3a)
        return false;
    do { /* over the length */
        tag = bz_pages_at(&in->pages, ++at, 1);
    } while (tag.p != NULL && (tag.p[0] & 0x80) != 0 && at - in->bad < 10);
    tag = at + 1 < size ? bz_pages_at(&in->pages, at + 1, 1) : tag;
    return tag.p != NULL && memchr(starts, tag.p[0], sizeof starts) != NULL;
}

/* ---- external data ----------------------------------------------------------------------------- */

struct external {
    struct bz_view location;
    uint64_t offset, length, off;
    bool bad, has_length, has_location;
};

static void entry(struct bz_onnx *x, struct bz_pb m, struct external *e) {
    struct bz_pb_field f;
    struct bz_view key = BZ_V(""), value = BZ_V("");
    uint64_t off = m.at;
    while (bz_pb_next(&m, &f)) {
        if (f.no == 1)
            key = bz_pb_copy(&m, &f, 64, x->ar);
        if (f.no == 2)
            value = bz_pb_copy(&m, &f, 4096, x->ar);
    }
    if (bz_view_eq(key, BZ_V("location"))) {
        e->location = value;
        e->off = off;
        e->has_location = true;
    }
    if (bz_view_eq(key, BZ_V("offset")))
        e->bad = bz_view_u64(value, &e->offset) != BZ_OK || e->bad;
    if (bz_view_eq(key, BZ_V("length"))) {
        e->has_length = true;
        e->bad = bz_view_u64(value, &e->length) != BZ_OK || e->bad;
    }
}

static enum bz_status beside(struct bz_onnx *x, struct bz_view name) {
    const struct bz_scan_options *opt = bz_scan_options(x->s);
    if (!bz_view_eq(name, x->sibling)) {
        x->sibling = name;
        x->beside_st = opt->sibling == NULL || x->o->depth != 0
                           ? BZ_EUNAVAIL
                           : opt->sibling(opt->sibling_ctx, name, &x->beside);
    }
    return x->beside_st;
}

static enum bz_status in_range(struct bz_onnx *x, const struct external *e) {
    uint64_t size = x->beside.size;
    if (e->offset > size || (e->has_length && e->length > size - e->offset))
        return FOUND(x, BZ_ONNX_EXTERNAL_RANGE, e->off, e->location);
    return BZ_OK;
}

static enum bz_status location(struct bz_onnx *x, const struct external *e) {
    if (bz_path_wrong(e->location)[0] != '\0')
        return FOUND(x, BZ_ONNX_EXTERNAL_PATH, e->off, e->location);
    if (e->bad)
        return FOUND(x, BZ_ONNX_EXTERNAL_RANGE, e->off, e->location);
    switch ((int)beside(x, e->location)) {
    case BZ_OK:
        return in_range(x, e);
    case BZ_EDENIED:
        return FOUND(x, BZ_ONNX_EXTERNAL_LINK, e->off, e->location);
    case BZ_ENOTFOUND: {
        bool told = x->missing;
        x->missing = true;
        return told ? BZ_OK : FOUND(x, BZ_ONNX_EXTERNAL_MISSING, e->off, e->location);
    }
    case BZ_EUNAVAIL: {
        bool told = x->unchecked;
        x->unchecked = true;
        return told ? BZ_OK : FOUND(x, BZ_ONNX_EXTERNAL_UNCHECKED, e->off, e->location);
    }
    default:
        return x->beside_st;
    }
}

static enum bz_status tensor_data(struct bz_onnx *x, struct bz_pb m) {
    struct bz_pb_field f;
    struct external e = {.off = m.at};
    bool outside = false, raw = false;
    while (bz_pb_next(&m, &f)) {
        if (f.no == 13) {
            entry(x, bz_pb_sub(&m, &f), &e);
            outside = true;
        }
        outside = outside || (f.no == 14 && f.v == 1);
        raw = raw || (f.no == 9 && f.n != 0);
    }
    if (!outside)
        return BZ_OK;
    if (!e.has_location) {
        e.location = BZ_V("no location");
        return FOUND(x, BZ_ONNX_MALFORMED, e.off, e.location);
    }
    return location(x, &e);
}

static void tensor_fact(struct bz_onnx *x, struct bz_pb m) {
    static const char *const types[] = {"undefined",  "float32", "uint8",  "int8",   "uint16",
                                        "int16",      "int32",   "int64",  "string", "bool",
                                        "float16",    "float64", "uint32", "uint64", "complex64",
                                        "complex128", "bfloat16"};
    const struct bz_facts *facts = bz_scan_options(x->s)->facts;
    struct bz_pb_field f;
    struct bz_tensor_fact t = {.type = BZ_V("other")};
    if (facts == NULL || facts->tensor == NULL)
        return;
    while (bz_pb_next(&m, &f)) {
        if (f.no == 2 && f.v < sizeof types / sizeof types[0])
            t.type = bz_view_str(types[f.v]);
        if (f.no == 8)
            t.name = bz_pb_copy(&m, &f, 1024, x->ar);
        if (f.no == 9 && f.wire == BZ_PB_LEN) {
            t.offset = f.off;
            t.size = f.n;
        }
    }
    facts->tensor(facts->ctx, &t);
}

static enum bz_status sparse(struct bz_onnx *x, struct bz_pb m) {
    struct bz_pb_field f;
    while (bz_pb_next(&m, &f)) {
        if (f.no == 1 || f.no == 2)
            BZ_TRY(tensor_data(x, bz_pb_sub(&m, &f)));
    }
    return BZ_OK;
}

/* ---- nodes --------------------------------------------------------------------------------------- */

/* Domains whose operators the runtimes themselves bring along. */
static bool known_domain(struct bz_view d) {
    static const char *const known[] = {"ai.onnx",
                                        "ai.onnx.ml",
                                        "ai.onnx.training",
                                        "ai.onnx.preview",
                                        "ai.onnx.preview.training",
                                        "com.microsoft",
                                        "com.microsoft.nchwc",
                                        "com.microsoft.experimental",
                                        "com.microsoft.dml",
                                        "com.ms.internal.nhwc",
                                        NULL};
    return d.n == 0 || bz_view_in(d, known);
}

static bool local(const struct bz_onnx *x, struct bz_view domain, struct bz_view op) {
    for (const struct bz_onnx_name *n = x->local; n != NULL; n = n->next) {
        if (bz_view_eq(n->name, op) && bz_view_eq(n->domain, domain))
            return true;
    }
    return false;
}

static enum bz_status operator(struct bz_onnx *x, struct bz_view domain, struct bz_view op,
                               uint64_t off) {
    static const char *const python[] = {"PyOp", "PythonOp", "PythonOpGrad", "PyCustomOp", "PyFunc",
                                         "EagerPyFunc", "PyFuncStateless", "NumpyFunction", NULL};
    if (bz_view_in(op, python) && domain.n != 0) return FOUND(x, BZ_ONNX_PYTHON, off, op);
    if (known_domain(domain) || local(x, domain, op) ||
        bz_view_eq(domain, x->last_custom)) return BZ_OK;
    x->last_custom = bz_arena_dup(x->ar, domain);
    struct bz_buf b;
    uint8_t text[200];
    bz_buf_init_fixed(&b, text, sizeof text);
    bz_buf_put(&b, bz_view_sub(domain, 0, 90));
    bz_buf_puts(&b, "::");
    bz_buf_put(&b, bz_view_sub(op, 0, 90));
    return FOUND(x, BZ_ONNX_CUSTOM_OP, off, bz_buf_view(&b));
}

struct attribute {
    enum { OTHER, EMBED_MODE, CACHE } kind;
    uint64_t i;
    struct bz_pb_field s;
};

static enum bz_status attribute(struct bz_onnx *x, struct bz_pb m, unsigned depth,
                                struct attribute *ret) {
    struct bz_pb_field f;
    *ret = (struct attribute){.kind = OTHER};
    while (bz_pb_next(&m, &f)) {
        struct bz_pb sub = bz_pb_sub(&m, &f);
        if (f.no == 1 && bz_pb_is(&m, &f, BZ_V("embed_mode")))
            ret->kind = EMBED_MODE;
        if (f.no == 1 && bz_pb_is(&m, &f, BZ_V("ep_cache_context")))
            ret->kind = CACHE;
        if (f.no == 3)
            ret->i = f.v;
        if (f.no == 4)
            ret->s = f;
        if (f.no == 5 || f.no == 10)
            BZ_TRY(tensor_data(x, sub));
        if (f.no == 22 || f.no == 23)
            BZ_TRY(sparse(x, sub));
        if (f.no == 6 || f.no == 11)
            BZ_TRY(bz_onnx_graph(x, sub, depth + 1));
    }
    return BZ_OK;
}

/* A context that an execution provider compiled before lies in a file beside the model. */
static enum bz_status context(struct bz_onnx *x, const struct bz_pb *m, const struct bz_pb_field *s,
                              bool embedded) {
    if (embedded || s->n == 0)
        return BZ_OK;
    struct bz_view path = bz_pb_peek(m, s, 4096);
    return bz_path_wrong(path)[0] == '\0' ? BZ_OK : FOUND(x, BZ_ONNX_EXTERNAL_PATH, s->off, path);
}

static struct bz_view kept(const struct bz_pb *m, const struct bz_pb_field *f, uint8_t *mem,
                           size_t n) {
    struct bz_view v = bz_pb_peek(m, f, n);
    if (v.n != 0)
        memcpy(mem, v.p, v.n);
    return bz_view(mem, v.n);
}

static enum bz_status node(struct bz_onnx *x, struct bz_pb m, unsigned depth) {
    struct bz_pb_field f, cache = {.n = 0};
    uint8_t op_mem[128], domain_mem[128];
    struct bz_view op = BZ_V(""), domain = BZ_V("");
    struct attribute a;
    bool embedded = true; /* the standard value of embed_mode is 1 */
    uint64_t off = m.at;
    while (bz_pb_next(&m, &f)) {
        if (f.no == 4)
            op = kept(&m, &f, op_mem, sizeof op_mem);
        if (f.no == 7)
            domain = kept(&m, &f, domain_mem, sizeof domain_mem);
        if (f.no != 5)
            continue;
        BZ_TRY(attribute(x, bz_pb_sub(&m, &f), depth, &a));
        if (a.kind == EMBED_MODE)
            embedded = a.i != 0;
        if (a.kind == CACHE)
            cache = a.s;
    }
    BZ_TRY(context(x, &m, &cache, embedded));
    return operator(x, domain, op, off);
}

enum bz_status bz_onnx_graph(struct bz_onnx *x, struct bz_pb g, unsigned depth) {
    struct bz_pb_field f;
    if (depth > GRAPH_DEPTH_MAX)
        return FOUND(x, BZ_ONNX_DEEP, g.at, BZ_V(""));
    while (bz_pb_next(&g, &f)) {
        struct bz_pb sub = bz_pb_sub(&g, &f);
        if (f.no == 1)
            BZ_TRY(node(x, sub, depth));
        if (f.no == 5) {
            BZ_TRY(tensor_data(x, sub));
            tensor_fact(x, sub);
        }
        if (f.no == 15)
            BZ_TRY(sparse(x, sub));
    }
    return BZ_OK;
}

enum bz_status bz_onnx_function(struct bz_onnx *x, struct bz_pb fn) {
    struct bz_pb_field f;
    struct attribute a;
    while (bz_pb_next(&fn, &f)) {
        if (f.no == 7)
            BZ_TRY(node(x, bz_pb_sub(&fn, &f), 1));
        if (f.no == 11)
            BZ_TRY(attribute(x, bz_pb_sub(&fn, &f), 1, &a));
    }
    return BZ_OK;
}
