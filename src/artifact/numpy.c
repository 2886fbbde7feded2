/* .npy: a magic number, a Python literal that tells type and shape, the data. An array of objects is a
 * pickle. The literal is read strictly: what numpy's own writer makes, and nothing that a looser
 * reader might take for something else.
 *
 *   93 "NUMPY" | major minor | length (2 or 4 bytes) | {'descr': '<f4', 'fortran_order': False,
 *   'shape': (3, 4), } blanks \n | data
 *
 * Facts: numpy/lib/format.py, NEP 1. Members of .npz come here through ZIP. */
#include "pickle_int.h"

enum { HEADER_MAX = 256 * 1024, DEPTH_MAX = 16 };

static const struct bz_rule rules[] = {
    {"NPY-HEADER", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "a header that numpy does not write",
     "readers differ in what they make of it", "take the file from its origin again", "CWE-20"},
    {"NPY-SIZE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "the shape does not fit the file",
     "loading it fails, or takes memory of the file's choice",
     "take the file from its origin again", "CWE-1284"},
    {"NPY-OBJECT", BZ_SEVERITY_INFO, BZ_RULE_NOTE, "an array of objects: a pickle",
     "loads only with allow_pickle=True, and then as a pickle does",
     "store numbers and texts in arrays of their own types", "CVE-2019-6446"},
    {"NPY-TRAILING", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "bytes after the array",
     "nothing: numpy does not read them", "find out what they are", ""},
    {.id = NULL},
};
enum { R_HEADER, R_SIZE, R_OBJECT, R_TRAILING };

struct literal {
    const uint8_t *p, *end;
    const char *why; /* NULL: good so far */
};

struct header {
    uint64_t itemsize, count;
    bool object, has_descr, has_order, has_shape;
};

/* ---- the literal ---------------------------------------------------------------------------- */

static bool bad(struct literal *l, const char *why) {
    if (l->why == NULL)
        l->why = why;
    return false;
}

static void blanks(struct literal *l) {
    while (l->p < l->end && (*l->p == ' ' || *l->p == '\n' || *l->p == '\t' || *l->p == '\r'))
        l->p++;
}

static bool eat(struct literal *l, char c) {
    blanks(l);
    if (l->p == l->end || *l->p != (uint8_t)c)
        return false;
    l->p++;
    return true;
}

static bool word(struct literal *l, const char *w) {
    struct bz_view rest = bz_view(l->p, (size_t)(l->end - l->p)), v = bz_view_str(w);
    if (!bz_view_starts(rest, v))
        return false;
    l->p += v.n;
    return true;
}

static bool quoted(struct literal *l, struct bz_view *ret) {
    blanks(l);
    if (l->p < l->end && (*l->p == 'u' || *l->p == 'b')) /* Python 2 */
        l->p++;
    if (l->p == l->end || (*l->p != '\'' && *l->p != '"'))
        return bad(l, "a text was expected");
    const uint8_t q = *l->p++, *from = l->p;
    while (l->p < l->end && *l->p != q) {
        if (*l->p == '\\' || *l->p == '\n')
            return bad(l, "an escape in a text");
        l->p++;
    }
    if (l->p == l->end)
        return bad(l, "a text that does not end");
    *ret = bz_view(from, (size_t)(l->p++ - from));
    return true;
}

static bool number(struct literal *l, uint64_t *ret) {
    blanks(l);
    const uint8_t *from = l->p;
    while (l->p < l->end && *l->p >= '0' && *l->p <= '9')
        l->p++;
    if (bz_view_u64(bz_view(from, (size_t)(l->p - from)), ret) != BZ_OK)
        return bad(l, "a number was expected");
    if (l->p < l->end && *l->p == 'L') /* Python 2 */
        l->p++;
    return true;
}

/* "(3, 4)", "(5,)", "()" or a bare "5": the product. */
static bool shape(struct literal *l, uint64_t *ret) {
    uint64_t k;
    *ret = 1;
    if (!eat(l, '('))
        return number(l, ret);
    for (unsigned n = 0; !eat(l, ')'); n++) {
        if (n > 64 || !number(l, &k))
            return bad(l, "a shape that is none");
        if (__builtin_mul_overflow(*ret, k, ret))
            return bad(l, "a shape beyond all files");
        if (!eat(l, ',') && (l->p == l->end || *l->p != ')'))
            return bad(l, "a shape that is none");
    }
    return true;
}

static bool type_text(struct literal *l, struct bz_view t, uint64_t *ret_size, bool *ret_object) {
    static const struct {
        char kind;
        const char *sizes; /* "": any */
    } kinds[] = {
        {'b', "1"},          {'?', "1"}, {'i', "1 2 4 8"}, {'u', "1 2 4 8"}, {'f', "2 4 8 12 16"},
        {'c', "8 16 24 32"}, {'S', ""},  {'a', ""},        {'U', ""},        {'V', ""},
        {'M', "8"},          {'m', "8"}, {'O', "4 8"}};
    if (t.n > 0 && memchr("<>|=", t.p[0], 4) != NULL)
        t = bz_view_sub(t, 1, t.n);
    if (t.n == 0)
        return bad(l, "a type that is none");
    const uint8_t *unit = memchr(t.p, '[', t.n);
    struct bz_view digits = bz_view_sub(t, 1, t.n);
    if (unit != NULL && (t.p[0] == 'M' || t.p[0] == 'm') && t.p[t.n - 1] == ']')
        digits = bz_view_sub(t, 1, (size_t)(unit - t.p) - 1);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].kind != (char)t.p[0])
            continue;
        *ret_object = t.p[0] == 'O';
        *ret_size = t.p[0] == '?' ? 1 : 8;
        if (digits.n == 0)
            return *ret_object || t.p[0] == '?' || bad(l, "a type without a size");
        if (bz_view_u64(digits, ret_size) != BZ_OK || *ret_size > UINT32_MAX ||
            (kinds[i].sizes[0] != 0 && !bz_pk_word(kinds[i].sizes, digits)))
            return bad(l, "a type of no such size");
        *ret_size *= t.p[0] == 'U' ? 4 : 1;
        return true;
    }
    return bad(l, "a type that is none");
}

static bool descr(struct literal *l, unsigned depth, uint64_t *ret_size, bool *ret_object);

/* ('name', type) or ('name', type, shape); a name may be ('title', 'name'). */
static bool field(struct literal *l, unsigned depth, uint64_t *ret_size, bool *ret_object) {
    struct bz_view v;
    uint64_t count = 1;
    if (!eat(l, '('))
        return bad(l, "a field was expected");
    if (eat(l, '(')) {
        if (!quoted(l, &v) || !eat(l, ',') || !quoted(l, &v) || !eat(l, ')'))
            return bad(l, "a title was expected");
    } else if (!quoted(l, &v)) {
        return false;
    }
    if (!eat(l, ',') || !descr(l, depth + 1, ret_size, ret_object))
        return bad(l, "a field without a type");
    if (eat(l, ',') && !eat(l, ')')) {
        if (!shape(l, &count))
            return false;
        (void)eat(l, ',');
        if (!eat(l, ')'))
            return bad(l, "a field that does not end");
    } else if (l->p[-1] != ')' && !eat(l, ')')) {
        return bad(l, "a field that does not end");
    }
    return !__builtin_mul_overflow(*ret_size, count, ret_size) || bad(l, "a type beyond all files");
}

static bool descr(struct literal *l, unsigned depth, uint64_t *ret_size, bool *ret_object) {
    struct bz_view t;
    *ret_size = 0;
    *ret_object = false;
    if (depth > DEPTH_MAX)
        return bad(l, "types nested too deeply");
    if (!eat(l, '['))
        return quoted(l, &t) && type_text(l, t, ret_size, ret_object);
    while (!eat(l, ']')) {
        uint64_t size = 0;
        bool object = false;
        if (!field(l, depth, &size, &object))
            return false;
        *ret_object = *ret_object || object;
        if (__builtin_add_overflow(*ret_size, size, ret_size))
            return bad(l, "a type beyond all files");
        if (!eat(l, ',') && (l->p == l->end || *l->p != ']'))
            return bad(l, "a list of fields that does not end");
    }
    return true;
}

static bool entry(struct literal *l, struct header *h) {
    struct bz_view key;
    if (!quoted(l, &key) || !eat(l, ':'))
        return bad(l, "a key was expected");
    blanks(l);
    if (bz_view_eq(key, BZ_V("descr")) && !h->has_descr)
        return h->has_descr = true, descr(l, 0, &h->itemsize, &h->object);
    if (bz_view_eq(key, BZ_V("shape")) && !h->has_shape) {
        h->has_shape = true;
        if (l->p == l->end || *l->p != '(')
            return bad(l, "a shape that is no tuple");
        return shape(l, &h->count);
    }
    if (bz_view_eq(key, BZ_V("fortran_order")) && !h->has_order)
        return h->has_order = true,
               word(l, "False") || word(l, "True") || bad(l, "neither True nor False");
    return bad(l, "a key that there is not, or twice");
}

static bool parse(struct literal *l, struct header *h) {
    if (!eat(l, '{'))
        return bad(l, "no dict");
    while (!eat(l, '}')) {
        if (!entry(l, h))
            return false;
        if (!eat(l, ',') && (l->p == l->end || *l->p != '}'))
            return bad(l, "a dict that does not end");
    }
    blanks(l);
    if (!h->has_descr || !h->has_order || !h->has_shape)
        return bad(l, "a key is missing");
    return l->p == l->end || bad(l, "something after the dict");
}

/* ---- the file ------------------------------------------------------------------------------- */

static bool begins(struct bz_view v) {
    return bz_view_starts(v, BZ_V("\x93NUMPY"));
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return begins(o->head) ? BZ_PROBE_YES : BZ_PROBE_NO;
}

static enum bz_status malformed(struct bz_scan *s, const struct bz_object *o, uint64_t off,
                                const char *why) {
    return bz_scan_found(s, o, &rules[R_HEADER], off, bz_view_str(why));
}

/* The header at *off; *off becomes the place of the data. *ret_good: it can be used. */
static enum bz_status header(struct bz_scan *s, const struct bz_object *o, uint64_t *off,
                             struct header *h, bool *ret_good) {
    uint8_t pre[12] = {0};
    struct literal l = {.why = NULL};
    *ret_good = false;
    const uint64_t left = o->src.size - *off;
    if (left < sizeof pre)
        return malformed(s, o, *off, "ends inside of the header");
    BZ_TRY(bz_source_exact(&o->src, *off, pre, sizeof pre));
    if (pre[6] < 1 || pre[6] > 3 || pre[7] != 0)
        return malformed(s, o, *off + 6, "a version that there is not");
    const unsigned wide = pre[6] == 1 ? 2 : 4;
    uint64_t n = 0;
    for (unsigned i = 0; i < wide; i++)
        n |= (uint64_t)pre[8 + i] << (8 * i);
    if (n > left - 8 - wide)
        return malformed(s, o, *off + 8, "ends inside of the header");
    if (n > HEADER_MAX)
        return malformed(s, o, *off + 8, "a header longer than any");
    uint8_t *text = bz_arena_alloc(bz_scan_arena(s), (size_t)n + 1);
    if (text == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_source_exact(&o->src, *off + 8 + wide, text, (size_t)n));
    l.p = text;
    l.end = text + n;
    if (!parse(&l, h))
        return malformed(s, o, *off + 8 + wide + (uint64_t)(l.p - text), l.why);
    *off += 8 + wide + n;
    *ret_good = true;
    return BZ_OK;
}

static enum bz_status objects(struct bz_scan *s, const struct bz_object *o, uint64_t off) {
    BZ_TRY(bz_scan_found(s, o, &rules[R_OBJECT], off, BZ_V("")));
    const struct bz_source *rest = bz_source_part(s, &o->src, off, UINT64_MAX - off);
    return rest == NULL ? BZ_ENOMEM
                        : bz_scan_member_as(s, o, BZ_V("objects"), rest, &bz_format_pickle);
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    uint64_t off = 0, bytes;
    for (;;) { /* numpy.save may be called again and again on one file */
        struct header h = {.itemsize = 0};
        uint8_t next[6] = {0};
        bool good;
        if (!bz_scan_steps(s, o, 16))
            return BZ_OK;
        BZ_TRY(header(s, o, &off, &h, &good));
        if (!good)
            return BZ_OK;
        if (h.object)
            return objects(s, o, off);
        if (__builtin_mul_overflow(h.count, h.itemsize, &bytes) || bytes > o->src.size - off)
            return bz_scan_found(s, o, &rules[R_SIZE], off, BZ_V("more data than the file has"));
        off += bytes;
        if (off == o->src.size)
            return BZ_OK;
        const uint64_t left = o->src.size - off;
        BZ_TRY(
            bz_source_exact(&o->src, off, next, left < sizeof next ? (size_t)left : sizeof next));
        if (!begins(bz_view(next, sizeof next)))
            return bz_scan_found(s, o, &rules[R_TRAILING], off, bz_view(next, sizeof next));
    }
}

const struct bz_format bz_format_numpy = {
    .name = "numpy", .what = "one array, or several", .probe = probe, .scan = scan, .rules = rules};
