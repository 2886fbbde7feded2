/* Protocol buffers as text: SavedModel (.pbtxt), GraphDef, and Caffe's networks (.prototxt).
 * A lexer and the path of message names is all it takes: what counts are the names of operators,
 * types of layers, assets, attributes, and metadata.
 * Source: protobuf.dev, "Text Format Language Specification". */
#include "tf_int.h"

#include <bartizan/limits.h>

enum { DEPTH_MAX = 64, TEXT_MAX = 4096 };

struct text {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_view in;
    size_t at;
    struct bz_view path[DEPTH_MAX]; /* names of the messages that are open */
    unsigned depth;
    struct bz_view key; /* of the node's attribute */
    struct bz_view op;
    uint8_t mem[TEXT_MAX], op_mem[256], key_mem[64];
    uint32_t messages; /* of a kind that these formats begin with */
    const char *why;
};

enum token { END, NAME, STRING, SIGN, OPEN, CLOSE, BAD };

static bool word(uint8_t c) {
    return c == '_' || c == '.' || c == '-' || c == '+' || (c >= '0' && c <= '9') ||
           ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static void blanks(struct text *t) {
    while (t->at < t->in.n) {
        uint8_t c = t->in.p[t->at];
        if (c == '#') {
            const uint8_t *nl = memchr(t->in.p + t->at, '\n', t->in.n - t->at);
            t->at = nl == NULL ? t->in.n : (size_t)(nl - t->in.p);
        } else if (c == ' ' || (c >= '\t' && c <= '\r'))
            t->at++;
        else
            return;
    }
}

static int digit(uint8_t c) {
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : 99;
}

/* One escape behind the backslash; its byte. */
static uint8_t escape(struct text *t) {
    static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
    uint8_t c = t->in.p[t->at++];
    const char *known = c == 0 ? NULL : strchr(from, c);
    unsigned v = 0;
    if (known != NULL)
        return (uint8_t)to[known - from];
    int base = c == 'x' || c == 'X' ? 16 : c >= '0' && c <= '7' ? 8 : 0;
    if (base == 0)
        return c;
    if (base == 8)
        t->at--;
    for (int i = 0; i < (base == 8 ? 3 : 2) && t->at < t->in.n; i++) {
        int d = digit(t->in.p[t->at]);
        if (d >= base)
            break;
        v = v * (unsigned)base + (unsigned)d;
        t->at++;
    }
    return (uint8_t)v;
}

/* Strings side by side are one string. Of long ones the first TEXT_MAX bytes count. */
static bool string(struct text *t, struct bz_view *ret) {
    size_t n = 0;
    do {
        uint8_t quote = t->in.p[t->at++];
        for (;;) {
            if (t->at >= t->in.n || t->in.p[t->at] == '\n')
                return false;
            uint8_t c = t->in.p[t->at++];
            if (c == quote)
                break;
            if (c == '\\') {
                if (t->at >= t->in.n)
                    return false;
                c = escape(t);
            }
            if (n < TEXT_MAX)
                t->mem[n++] = c;
        }
        blanks(t);
    } while (t->at < t->in.n && (t->in.p[t->at] == '"' || t->in.p[t->at] == '\''));
    *ret = bz_view(t->mem, n);
    return true;
}

static enum token next(struct text *t, struct bz_view *ret) {
    blanks(t);
    if (t->at >= t->in.n)
        return END;
    uint8_t c = t->in.p[t->at];
    if (c == '"' || c == '\'')
        return string(t, ret) ? STRING : BAD;
    if (c == '{' || c == '<') {
        t->at++;
        return OPEN;
    }
    if (c == '}' || c == '>') {
        t->at++;
        return CLOSE;
    }
    if (memchr(":[],;/", c, 6) != NULL) {
        *ret = bz_view(t->in.p + t->at++, 1);
        return SIGN;
    }
    size_t from = t->at;
    while (t->at < t->in.n && word(t->in.p[t->at]))
        t->at++;
    *ret = bz_view_sub(t->in, from, t->at - from);
    return t->at > from ? NAME : BAD;
}

/* ---- what counts ------------------------------------------------------------------------------------ */

static struct bz_view inside(const struct text *t, unsigned up) {
    return t->depth >= up ? t->path[t->depth - up] : BZ_V("");
}

static enum bz_status found(struct text *t, int rule, struct bz_view v) {
    return rule == BZ_TF_NONE ? BZ_OK : bz_scan_found(t->s, t->o, &bz_tf_rules[rule], t->at, v);
}

static struct bz_view keep(uint8_t *mem, size_t max, struct bz_view v) {
    v = bz_view_sub(v, 0, max);
    if (v.n != 0)
        memcpy(mem, v.p, v.n);
    return bz_view(mem, v.n);
}

static enum bz_status json(struct text *t, struct bz_view v) {
    struct bz_view copy = bz_arena_dup(bz_scan_arena(t->s), v);
    struct bz_source src;
    if (copy.p == NULL)
        return BZ_ENOMEM;
    bz_source_mem(&src, &copy);
    return bz_scan_member_as(t->s, t->o, BZ_V("metadata"), &src, bz_format_named("json"));
}

static enum bz_status value(struct text *t, struct bz_view name, struct bz_view v) {
    struct bz_view message = inside(t, 1);
    if (bz_view_eq(name, BZ_V("op"))) {
        t->op = keep(t->op_mem, sizeof t->op_mem, v);
        return found(t, bz_tf_op(t->op), t->op);
    }
    if (bz_view_eq(name, BZ_V("key"))) {
        t->key = keep(t->key_mem, sizeof t->key_mem, v);
        return BZ_OK;
    }
    if (bz_view_eq(name, BZ_V("s")))
        return found(t, bz_tf_attr(t->op, t->key, v), v);
    if (bz_view_eq(name, BZ_V("filename")) && bz_view_eq(message, BZ_V("asset_file_def")))
        return found(t, bz_path_wrong(v)[0] != '\0' ? BZ_TF_ASSET : BZ_TF_NONE, v);
    if (bz_view_eq(name, BZ_V("type")) && bz_view_eq(v, BZ_V("Python")) &&
        (bz_view_eq(message, BZ_V("layer")) || bz_view_eq(message, BZ_V("layers"))))
        return found(t, BZ_TF_PYTHON_LAYER, v);
    if (bz_view_eq(name, BZ_V("metadata")) && bz_view_starts(v, BZ_V("{\"")) && v.n < TEXT_MAX)
        return json(t, v);
    if (bz_view_eq(name, BZ_V("metadata")) && v.n == TEXT_MAX)
        return bz_scan_left_out(t->s, t->o, t->at, "metadata of Keras as text, above 4,096 bytes");
    return BZ_OK;
}

static bool top(struct bz_view name) {
    static const char *const names[] = {"node",   "library",   "meta_graphs",   "layer",
                                        "layers", "graph_def", "meta_info_def", NULL};
    return bz_view_in(name, names);
}

static bool open(struct text *t, struct bz_view name) {
    if (t->depth == DEPTH_MAX) {
        t->why = "nested too deeply";
        return false;
    }
    if (t->depth == 0 && top(name))
        t->messages++;
    t->path[t->depth++] = name;
    return true;
}

/* One token; false: it ends here, `why` tells what is wrong (NULL: nothing). */
static bool step(struct text *t, struct bz_view *name, enum bz_status *st) {
    struct bz_view v = BZ_V("");
    switch (next(t, &v)) {
    case NAME:
        *name = v;
        return true;
    case STRING:
        *st = value(t, *name, v);
        return *st == BZ_OK;
    case SIGN:
        return true;
    case OPEN:
        return open(t, *name);
    case CLOSE:
        if (t->depth == 0) {
            t->why = "closes what was not opened";
            return false;
        }
        t->depth--;
        return true;
    case END:
        t->why = t->depth != 0 ? "cut off" : NULL;
        return false;
    case BAD:
        t->why = "a string that does not end, or a byte that has no meaning";
        return false;
    }
    return false;
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    static const char *const starts[] = {"saved_model_schema_version",
                                         "meta_graphs",
                                         "node",
                                         "library",
                                         "versions",
                                         "layer",
                                         "layers",
                                         "name",
                                         "input",
                                         "input_dim",
                                         "force_backward",
                                         "state",
                                         NULL};
    struct text *t = bz_arena_alloc(bz_scan_arena(s), sizeof *t);
    if (t == NULL)
        return BZ_PROBE_NO;
    t->in = o->head;
    t->at = 0;
    struct bz_view v = BZ_V(""), w = BZ_V("");
    if (next(t, &v) != NAME || !bz_view_in(v, starts))
        return BZ_PROBE_NO;
    enum token after = next(t, &w);
    return after == OPEN || (after == SIGN && w.p[0] == ':') ? BZ_PROBE_MAYBE : BZ_PROBE_NO;
}

/* The name that a bracket opens: "node {", "node: {". */
static struct bz_view word_before(struct bz_view v) {
    size_t end = v.n;
    while (end > 0 && (v.p[end - 1] == ':' || v.p[end - 1] == ' ' ||
                       (v.p[end - 1] >= '\t' && v.p[end - 1] <= '\r')))
        end--;
    size_t start = end;
    while (start > 0 && word(v.p[start - 1]))
        start--;
    return bz_view_sub(v, start, end - start);
}

/* A first pass without findings: is it a network at all? */
static bool network(struct bz_view in) {
    unsigned depth = 0;
    uint8_t quote = 0;
    for (size_t i = 0, from = 0; i < in.n; i++) {
        uint8_t c = in.p[i];
        if (quote != 0) {
            i += c == '\\';
            quote = c == quote || c == '\n' ? 0 : quote;
        } else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '#') {
            const uint8_t *nl = memchr(in.p + i, '\n', in.n - i);
            i = nl == NULL ? in.n : (size_t)(nl - in.p);
        } else if ((c == '{' || c == '<') && depth++ == 0) {
            if (top(word_before(bz_view_sub(in, from, i - from))))
                return true;
        } else if ((c == '}' || c == '>') && depth != 0 && --depth == 0)
            from = i + 1;
    }
    return false;
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct text *t = bz_arena_zalloc(bz_scan_arena(s), sizeof *t);
    struct bz_view name = BZ_V(""), in;
    enum bz_status st = bz_object_whole(s, o, BZ_SCAN_TEXT_MAX, &in);
    if (st != BZ_OK)
        return st == BZ_ETOOBIG ? BZ_OK : st;
    if (t == NULL)
        return BZ_ENOMEM;
    if (!o->sure && !network(in))
        return BZ_ENOTFOUND;
    t->s = s;
    t->o = o;
    t->in = in;
    t->key = t->op = BZ_V("");
    if (!bz_scan_steps(s, o, in.n / 4))
        return BZ_OK;
    while (step(t, &name, &st))
        ;
    BZ_TRY(st);
    return t->why == NULL
               ? BZ_OK
               : bz_scan_found(s, o, &bz_tf_rules[BZ_TF_MALFORMED], t->at, bz_view_str(t->why));
}

const struct bz_format bz_format_tf_text = {
    .name = "protocol buffer text",
    .what = "TensorFlow or Caffe graph as text",
    .probe = probe,
    .scan = scan,
};
