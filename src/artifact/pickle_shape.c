/* What a known function may be called with. */
#include "pickle_int.h"

#include <bartizan/text.h>

enum { NESTED_MAX = BZ_PICKLE_NESTED_MAX };

/* The elements of an argument tuple; NULL: plain values whose number is not known, or lost. */
static const uint32_t *elements(const struct bz_pk *m, uint32_t args, size_t *ret_n) {
    static const uint32_t none[1];
    *ret_n = 0;
    if (BZ_PK_TAG(args) == BZ_PK_EMPTY)
        return none;
    return BZ_PK_TAG(args) == BZ_PK_ROW ? bz_pk_row(m, args, ret_n) : NULL;
}

static bool is_cold(uint32_t args) {
    enum bz_pk_tag t = BZ_PK_TAG(args);
    return t == BZ_PK_EMPTY || t == BZ_PK_TUPLE || t == BZ_PK_LIST || t == BZ_PK_UNDEF;
}

static bool is_text(uint32_t v) {
    return BZ_PK_TAG(v) >= BZ_PK_STR && BZ_PK_TAG(v) <= BZ_PK_TEXT;
}

/* No function, nothing computed: numbers, texts, containers, instances. */
static bool plain_values(const struct bz_pk *m, uint32_t args, unsigned depth) {
    size_t n;
    const uint32_t *e = elements(m, args, &n);
    if (e == NULL || depth > 4)
        return is_cold(args);
    for (size_t i = 0; i < n; i++) {
        enum bz_pk_tag t = BZ_PK_TAG(e[i]);
        if (t == BZ_PK_ROW && !plain_values(m, e[i], depth + 1))
            return false;
        if (t == BZ_PK_ROW_LOST || t == BZ_PK_GLOBAL || t == BZ_PK_COMPUTED || t == BZ_PK_EXT)
            return false;
    }
    return true;
}

/* Classes may be among the values, functions that are only known by reference may not. */
static bool any_values(const struct bz_pk *m, uint32_t args, unsigned depth) {
    size_t n;
    const uint32_t *e = elements(m, args, &n);
    if (e == NULL || depth > 4)
        return is_cold(args);
    for (size_t i = 0; i < n; i++) {
        enum bz_pk_tag t = BZ_PK_TAG(e[i]);
        if (t == BZ_PK_ROW && !any_values(m, e[i], depth + 1))
            return false;
        if (t == BZ_PK_ROW_LOST || t == BZ_PK_COMPUTED || t == BZ_PK_EXT)
            return false;
        if (t != BZ_PK_GLOBAL)
            continue;
        const struct bz_pk_verdict *v = &bz_pk_global_at(m, BZ_PK_LOAD(e[i]))->v;
        if (v->status == BZ_PK_ALLOWED && (v->roles & (BZ_PK_NEW | BZ_PK_ARG | BZ_PK_FACTORY)) == 0)
            return false;
    }
    return true;
}

static bool first_text(struct bz_pk *m, uint32_t v, uint8_t mem[PK_NAME_LEN + 1],
                       struct bz_view *ret) {
    bool is;
    struct bz_view t = bz_pk_text_of(m, v, &is);
    if (t.p == NULL || t.n > PK_NAME_LEN)
        return false;
    memcpy(mem, t.p, t.n);
    *ret = bz_view(mem, t.n);
    return true;
}

static bool codec(struct bz_pk *m, uint32_t args, uint32_t *ret) {
    size_t n;
    uint8_t mem[PK_NAME_LEN + 1];
    struct bz_view name;
    const uint32_t *e = elements(m, args, &n);
    *ret = BZ_PK_DATA;
    if (e == NULL)
        return is_cold(args);
    if (n != 2 || !is_text(e[0]) || !first_text(m, e[1], mem, &name))
        return n == 1 && is_text(e[0]);
    const uint32_t text = elements(m, args, &n)[0];
    if (BZ_PK_TAG(text) == BZ_PK_TEXT && BZ_PK_LOAD(text) > 1 &&
        bz_pk_word("latin1 latin-1 latin_1 iso-8859-1", name))
        *ret = BZ_PK_V(BZ_PK_DATA, BZ_PK_LOAD(text) - 1);
    return bz_pk_word("latin1 latin-1 latin_1 iso-8859-1 utf8 utf-8 utf_8 ascii utf-16 utf-32 "
                      "cp1252 raw_unicode_escape raw-unicode-escape",
                      name);
}

/* partial and defaultdict keep their callable; map and its like call it. */
static bool keeps(struct bz_pk *m, uint32_t g, uint32_t args) {
    size_t n;
    const bool kept = (bz_pk_global_at(m, g)->v.roles & BZ_PK_NEW) != 0;
    const uint32_t *e = elements(m, args, &n);
    if (e == NULL)
        return is_cold(args);
    if (n == 0)
        return true;
    if (BZ_PK_TAG(e[0]) == BZ_PK_GLOBAL) {
        const struct bz_pk_verdict *v = &bz_pk_global_at(m, BZ_PK_LOAD(e[0]))->v;
        return kept || (v->status == BZ_PK_ALLOWED && (v->roles & BZ_PK_FACTORY) != 0);
    }
    return BZ_PK_TAG(e[0]) == BZ_PK_PLAIN ||
           (kept && (BZ_PK_TAG(e[0]) == BZ_PK_OBJECT || BZ_PK_TAG(e[0]) == BZ_PK_COMPUTED));
}

/* A class that is handed over to be made an instance of. */
static bool as_class(struct bz_pk *m, uint32_t v) {
    uint32_t made;
    if (BZ_PK_TAG(v) != BZ_PK_GLOBAL)
        return BZ_PK_TAG(v) != BZ_PK_COMPUTED && BZ_PK_TAG(v) != BZ_PK_EXT &&
               BZ_PK_TAG(v) != BZ_PK_ROW_LOST;
    const struct bz_pk_verdict x = bz_pk_global_at(m, BZ_PK_LOAD(v))->v;
    if (x.status == BZ_PK_ALLOWED)
        return (x.roles & (BZ_PK_NEW | BZ_PK_ARG)) != 0;
    return bz_pk_judge_call(m, v, BZ_PK_UNDEF, PK_SITE_NEW, &made);
}

static bool rebuilds(struct bz_pk *m, uint32_t args) {
    size_t n;
    const uint32_t *e = elements(m, args, &n);
    if (e == NULL)
        return is_cold(args);
    return n == 0 || as_class(m, e[0]);
}

/* (callable, class, arguments, state) */
static bool calls(struct bz_pk *m, uint32_t args) {
    size_t n;
    uint32_t made;
    const uint32_t *e = elements(m, args, &n);
    if (e == NULL || n < 3)
        return false;
    const uint32_t callee = e[0], cls = e[1], inner = e[2];
    if (BZ_PK_TAG(callee) != BZ_PK_GLOBAL || m->nest >= 4)
        return false;
    const struct bz_pk_verdict v = bz_pk_global_at(m, BZ_PK_LOAD(callee))->v;
    if (v.status == BZ_PK_ALLOWED && (v.roles & BZ_PK_CALL) == 0)
        return false;
    m->nest++;
    bool ok = bz_pk_judge_call(m, callee, inner, PK_SITE_CALL, &made) && as_class(m, cls);
    m->nest--;
    return ok;
}

static bool bytes(struct bz_pk *m, uint32_t args) {
    size_t n;
    struct bz_pk_note note;
    const uint32_t *e = elements(m, args, &n);
    if (e == NULL || n != 1 || BZ_PK_TAG(e[0]) != BZ_PK_DATA || BZ_PK_LOAD(e[0]) == 0)
        return false;
    memcpy(&note, m->notes.p + (BZ_PK_LOAD(e[0]) - 1) * sizeof note, sizeof note);
    if (m->strict)
        return true;
    return note.latin1 ? bz_pk_nested_latin1(m, note.off, note.n)
                       : bz_pk_nested(m, note.off, note.n);
}

/* getattr(class, name): the same as the dotted name, and judged as that. */
static bool member(struct bz_pk *m, uint32_t args, uint32_t *ret) {
    size_t n;
    uint8_t mem[PK_NAME_LEN + 1], path[2 * PK_NAME_LEN + 1], module[PK_NAME_LEN + 1];
    struct bz_view attr;
    const uint32_t *e = elements(m, args, &n);
    if (e == NULL || n != 2)
        return false;
    const uint32_t of = e[0];
    if (!first_text(m, e[1], mem, &attr))
        return false;
    *ret = BZ_PK_COMPUTED;
    if (BZ_PK_TAG(of) == BZ_PK_OBJECT) /* a bound method: a value, and called it is a finding */
        return bz_pk_attr_plain(attr.n > 1 && attr.p[0] == '_' ? bz_view_sub(attr, 1, attr.n)
                                                               : attr);
    if (BZ_PK_TAG(of) != BZ_PK_GLOBAL)
        return false;
    const struct bz_pk_global *g = bz_pk_global_at(m, BZ_PK_LOAD(of));
    struct bz_view a = bz_view_sub(bz_pk_text(m, g->name), 0, PK_NAME_LEN);
    struct bz_view mod = bz_view_sub(bz_pk_text(m, g->module), 0, PK_NAME_LEN);
    memcpy(path, a.p, a.n);
    path[a.n] = '.';
    memcpy(path + a.n + 1, attr.p, attr.n);
    memcpy(module, mod.p, mod.n);
    uint32_t made = bz_pk_global(m, bz_view(module, mod.n), bz_view(path, a.n + 1 + attr.n));
    if (made == BZ_PK_NONE)
        return false;
    *ret = BZ_PK_V(BZ_PK_GLOBAL, made);
    return bz_pk_judge_import(m, made) && bz_pk_global_at(m, made)->v.status < BZ_PK_PRIVATE;
}

static bool generic(const struct bz_pk *m, uint32_t args) {
    size_t n;
    const uint32_t *e = elements(m, args, &n);
    if (e == NULL || n != 2)
        return false;
    if (BZ_PK_TAG(e[0]) == BZ_PK_OBJECT)
        return true;
    if (BZ_PK_TAG(e[0]) != BZ_PK_GLOBAL)
        return false;
    const struct bz_pk_global *g = bz_pk_global_at(m, BZ_PK_LOAD(e[0]));
    return g->v.status == BZ_PK_ALLOWED &&
           bz_pk_word("typing typing_extensions builtins collections collections.abc numpy.typing",
                      bz_pk_text(m, g->module));
}

static bool attributes(struct bz_pk *m, uint32_t g, uint32_t args) {
    size_t n;
    uint8_t mem[PK_NAME_LEN + 1];
    struct bz_view name;
    bool caller = bz_view_eq(bz_pk_text(m, bz_pk_global_at(m, g)->name), BZ_V("methodcaller"));
    const uint32_t *e = elements(m, args, &n);
    if (e == NULL || n == 0)
        return false;
    for (size_t i = 0; i < (caller ? 1 : n); i++) {
        if (!first_text(m, e[i], mem, &name) || !bz_pk_attr_plain(name))
            return false;
        e = elements(m, args, &n);
    }
    return !caller || plain_values(m, args, 0);
}

static bool ufunc(struct bz_pk *m, uint32_t args) {
    size_t n;
    uint8_t mem[PK_NAME_LEN + 1], mem2[PK_NAME_LEN + 1];
    struct bz_view module, name;
    const uint32_t *e = elements(m, args, &n);
    if (e == NULL || n != 2)
        return false;
    const uint32_t second = e[1];
    if (!first_text(m, e[0], mem, &module) || !first_text(m, second, mem2, &name))
        return false;
    return bz_pk_attr_plain(name) &&
           bz_pk_word("numpy numpy.core numpy.core._multiarray_umath numpy.core.umath numpy._core "
                      "numpy._core.umath numpy._core._multiarray_umath scipy.special "
                      "scipy.special._ufuncs",
                      module);
}

bool bz_pk_shape_ok(struct bz_pk *m, uint32_t g, uint32_t args, uint32_t *ret) {
    size_t n;
    *ret = BZ_PK_OBJECT;
    switch ((enum bz_pk_shape)bz_pk_global_at(m, g)->v.shape) {
    case BZ_PK_ANY:
        if (bz_view_eq(bz_pk_text(m, bz_pk_global_at(m, g)->name), BZ_V("dtype")))
            *ret = bz_pk_dtype_call(m, args);
        return any_values(m, args, 0);
    case BZ_PK_SCALARS:
        return plain_values(m, args, 0);
    case BZ_PK_CODEC:
        return codec(m, args, ret);
    case BZ_PK_KEEPS:
        return keeps(m, g, args);
    case BZ_PK_REBUILDS:
        return rebuilds(m, args);
    case BZ_PK_CALLS:
        return calls(m, args);
    case BZ_PK_BYTES:
        return bytes(m, args);
    case BZ_PK_GETATTR:
        return member(m, args, ret);
    case BZ_PK_GETITEM:
        return generic(m, args);
    case BZ_PK_TYPE:
        return elements(m, args, &n) != NULL && n == 1 && any_values(m, args, 0);
    case BZ_PK_ATTRS:
        *ret = BZ_PK_COMPUTED;
        return attributes(m, g, args);
    case BZ_PK_UFUNC:
        return ufunc(m, args);
    case BZ_PK_SHAPE_COUNT:
        break;
    }
    return false;
}

static bool scan_inner(struct bz_pk *m, const char *what, uint64_t off,
                       const struct bz_source *src) {
    uint8_t mem[40];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, what);
    bz_buf_put_u64(&b, off);
    m->st = bz_scan_member(m->s, m->o, bz_buf_view(&b), src);
    if (m->st != BZ_OK)
        m->how = BZ_PK_FAILED;
    return m->st == BZ_OK;
}

bool bz_pk_nested(struct bz_pk *m, uint64_t off, uint64_t n) {
    if (m->quiet)
        return true;
    const struct bz_source *part = bz_source_part(m->s, &m->o->src, off, n);
    return part == NULL ? bz_pk_stop(m, BZ_PK_FAILED) : scan_inner(m, "bytes@", off, part);
}

bool bz_pk_nested_latin1(struct bz_pk *m, uint64_t off, uint64_t n) {
    struct bz_buf b;
    size_t to = 0;
    bool ok = true;
    if (m->quiet)
        return true;
    if (n > NESTED_MAX)
        return bz_pk_found(m, PKL_LIMIT, off, BZ_V("bytes written as text"));
    bz_buf_init(&b, NESTED_MAX);
    uint8_t *p = bz_buf_room(&b, (size_t)n);
    if (p == NULL)
        return bz_pk_stop(m, BZ_PK_FAILED);
    m->st = bz_source_exact(&m->o->src, off, p, (size_t)n);
    for (size_t i = 0; i < n; i++, to++) {
        bool two = (p[i] == 0xc2 || p[i] == 0xc3) && i + 1 < n;
        p[to] = two ? (uint8_t)((p[i] & 3u) << 6 | (p[i + 1] & 0x3fu)) : p[i];
        i += two;
    }
    if (m->st == BZ_OK) {
        struct bz_view v = bz_view(p, to);
        struct bz_source src;
        bz_source_mem(&src, &v);
        ok = scan_inner(m, "text@", off, &src);
    }
    bz_buf_free(&b);
    return ok && (m->st == BZ_OK || bz_pk_stop(m, BZ_PK_FAILED));
}

bool bz_pk_nested_text(struct bz_pk *m, struct bz_view text) {
    struct bz_buf b;
    size_t n = 0;
    bool ok = true;
    bz_buf_init(&b, text.n);
    uint8_t *out = bz_buf_room(&b, text.n);
    if (out == NULL)
        return bz_pk_stop(m, BZ_PK_FAILED);
    enum bz_status st = text.p[0] == 'g' ? bz_b64_decode(text, out, text.n, &n)
                                         : bz_hex_decode(text, out, text.n, &n);
    if (st == BZ_OK && n > 4 && out[0] == 0x80 && out[n - 1] == '.' && !m->quiet) {
        struct bz_view v = bz_view(out, n);
        struct bz_source src;
        bz_source_mem(&src, &v);
        ok = scan_inner(m, "text@", bz_pk_at(m), &src);
    }
    bz_buf_free(&b);
    return ok;
}
