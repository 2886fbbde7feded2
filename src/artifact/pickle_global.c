/* Opcodes that import, call and build. */
#include "pickle_int.h"

enum { LINE = 2 * PK_NAME_LEN + 1 };

/* ---- imports -------------------------------------------------------------------------------- */

/* The module imports joblib's wrapper of arrays: from here on arrays may stand between opcodes. */
static void watch_joblib(struct bz_pk *m, struct bz_view name) {
    if (m->joblib || m->plain || !bz_view_eq(name, BZ_V("NumpyArrayWrapper")))
        return;
    m->joblib = true;
    m->shape_key = bz_pk_intern(m, BZ_V("shape"), true);
    m->dtype_key = bz_pk_intern(m, BZ_V("dtype"), true);
    m->align_key = bz_pk_intern(m, BZ_V("numpy_array_alignment_bytes"), true);
}

/* Too many different names: this one is judged, and forgotten. */
static bool unlisted(struct bz_pk *m, struct bz_view module, struct bz_view name) {
    const struct bz_pk_verdict v = bz_pk_judge(module, name);
    m->ops += 2000; /* what that costs */
    if (!bz_pk_limit(m, "different names"))
        return false;
    if (v.status == BZ_PK_DENIED && !bz_pk_found(m, PKL_IMPORT, bz_pk_off(m), name))
        return false;
    if ((v.status == BZ_PK_PATH || v.dunder) && !bz_pk_found(m, PKL_NAME_PATH, bz_pk_off(m), name))
        return false;
    return bz_pk_push(m, BZ_PK_COMPUTED);
}

static bool import(struct bz_pk *m, struct bz_view module, struct bz_view name) {
    uint32_t g = bz_pk_global(m, module, name);
    if (g == BZ_PK_NONE)
        return unlisted(m, module, name);
    const struct bz_pk_verdict v = bz_pk_global_at(m, g)->v;
    if (m->strict && v.odd && (v.status != BZ_PK_DENIED || v.weak || !v.padded))
        return bz_pk_stop(m, BZ_PK_BROKEN);
    watch_joblib(m, name);
    return bz_pk_judge_import(m, g) && bz_pk_push(m, BZ_PK_V(BZ_PK_GLOBAL, g));
}

static bool two_lines(struct bz_pk *m) {
    uint8_t mem[LINE], mem2[LINE];
    struct bz_view module, name;
    bool cut;
    if (!bz_pk_line(m, mem, LINE, &module, &cut) || !bz_pk_line(m, mem2, LINE, &name, &cut))
        return false;
    return import(m, module, name);
}

bool bz_pk_op_global(struct bz_pk *m) {
    return two_lines(m);
}

/* A value that every reader refuses as a name. */
static bool never_text(uint32_t v) {
    enum bz_pk_tag t = BZ_PK_TAG(v);
    return (t >= BZ_PK_PLAIN && t <= BZ_PK_BIG) || (t >= BZ_PK_DATA && t <= BZ_PK_GLOBAL) ||
           t == BZ_PK_DTYPE || t == BZ_PK_WRAPPER;
}

static bool odd_name(struct bz_pk *m, uint32_t v, bool is_text) {
    if (BZ_PK_TAG(v) == BZ_PK_UNDEF)
        return !m->limit_told || bz_pk_found(m, PKL_NAME_LOST, bz_pk_off(m), BZ_V("STACK_GLOBAL"));
    if (m->strict)
        return bz_pk_stop(m, BZ_PK_BROKEN);
    if (never_text(v))
        return bz_pk_found(m, PKL_NAME_TYPE, bz_pk_off(m), BZ_V("STACK_GLOBAL"));
    if (!is_text)
        return bz_pk_found(m, PKL_NAME_COMPUTED, bz_pk_off(m), BZ_V("STACK_GLOBAL"));
    bool lost = BZ_PK_TAG(v) == BZ_PK_LATE || BZ_PK_LOAD(v) == 1;
    return bz_pk_found(m, lost ? PKL_NAME_LOST : PKL_NAME_ODD, bz_pk_off(m), BZ_V("STACK_GLOBAL"));
}

bool bz_pk_op_stack_global(struct bz_pk *m) {
    uint32_t mod, name;
    uint8_t mem[PK_NAME_LEN + 1];
    bool is_mod, is_name;
    if (!bz_pk_pop(m, &name) || !bz_pk_pop(m, &mod))
        return false;
    struct bz_view a = bz_pk_text_of(m, mod, &is_mod);
    size_t n = a.p == NULL ? 0 : a.n;
    memcpy(mem, a.p == NULL ? (const uint8_t *)"" : a.p, n); /* the pool may move */
    struct bz_view b = bz_pk_text_of(m, name, &is_name);
    if (a.p != NULL && b.p != NULL) {
        uint8_t mem2[PK_NAME_LEN + 1];
        memcpy(mem2, b.p, b.n);
        return import(m, bz_view(mem, n), bz_view(mem2, b.n));
    }
    if (!odd_name(m, a.p == NULL ? mod : name, a.p == NULL ? is_mod : is_name))
        return false;
    return bz_pk_push(m, BZ_PK_COMPUTED);
}

/* ---- the extension registry ----------------------------------------------------------------- */

static bool ext(struct bz_pk *m, uint32_t code) {
    for (uint32_t i = m->exts_n; i-- > 0;) {
        if (m->exts[i].code == code)
            return bz_pk_judge_import(m, m->exts[i].global) &&
                   bz_pk_push(m, BZ_PK_V(BZ_PK_GLOBAL, m->exts[i].global));
    }
    if (!bz_pk_found(m, PKL_EXT, bz_pk_off(m), BZ_V("EXT")))
        return false;
    return bz_pk_push(m, BZ_PK_V(BZ_PK_EXT, code & BZ_PK_INT_MAX));
}

static bool ext_n(struct bz_pk *m, unsigned n) {
    uint32_t code = 0;
    if (!bz_pk_see(m, n))
        return bz_pk_cut(m);
    for (unsigned i = 0; i < n; i++)
        code |= (uint32_t)m->p[i] << (8 * i);
    m->p += n;
    return ext(m, code);
}
bool bz_pk_op_ext1(struct bz_pk *m) {
    return ext_n(m, 1);
}
bool bz_pk_op_ext2(struct bz_pk *m) {
    return ext_n(m, 2);
}
bool bz_pk_op_ext4(struct bz_pk *m) {
    return ext_n(m, 4);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static bool call(struct bz_pk *m, uint32_t callee, uint32_t args, enum bz_pk_site site) {
    uint32_t ret = BZ_PK_OBJECT;
    return bz_pk_judge_call(m, callee, args, site, &ret) && bz_pk_push(m, ret);
}

/* INST and OBJ: a class without arguments is made without its constructor, all else is called. */
static bool instantiate(struct bz_pk *m, uint32_t callee, size_t start) {
    size_t n = m->n - start;
    uint32_t args = n == 0 ? BZ_PK_EMPTY : bz_pk_make_row(m, m->stk + start, n);
    bool plain_class = n == 0 && BZ_PK_TAG(callee) == BZ_PK_GLOBAL &&
                       bz_pk_global_at(m, BZ_PK_LOAD(callee))->v.camel;
    m->n = start;
    return call(m, callee, args, plain_class ? PK_SITE_NEW : PK_SITE_CALL);
}

bool bz_pk_op_inst(struct bz_pk *m) {
    size_t start;
    uint32_t callee;
    if (!two_lines(m) || !bz_pk_pop(m, &callee) || !bz_pk_pop_mark(m, &start))
        return false;
    return instantiate(m, callee, start);
}

bool bz_pk_op_obj(struct bz_pk *m) {
    size_t start;
    if (!bz_pk_pop_mark(m, &start))
        return false;
    if (m->n == start)
        return bz_pk_fail(m, "OBJ without a class") && bz_pk_push(m, BZ_PK_UNDEF);
    uint32_t callee = m->stk[start];
    if (!instantiate(m, callee, start + 1))
        return false;
    m->stk[start] = m->stk[m->n - 1]; /* the instance takes the place of its class */
    m->n = start + 1;
    return true;
}

bool bz_pk_op_reduce(struct bz_pk *m) {
    uint32_t args, callee;
    return bz_pk_pop(m, &args) && bz_pk_pop(m, &callee) && call(m, callee, args, PK_SITE_CALL);
}

bool bz_pk_op_newobj(struct bz_pk *m) {
    uint32_t args, cls;
    return bz_pk_pop(m, &args) && bz_pk_pop(m, &cls) && call(m, cls, args, PK_SITE_NEW);
}

bool bz_pk_op_newobj_ex(struct bz_pk *m) {
    uint32_t kwargs, args, cls;
    return bz_pk_pop(m, &kwargs) && bz_pk_pop(m, &args) && bz_pk_pop(m, &cls) &&
           call(m, cls, args, PK_SITE_NEW);
}

bool bz_pk_op_build(struct bz_pk *m) {
    uint32_t state;
    if (!bz_pk_pop(m, &state))
        return false;
    uint32_t *top = bz_pk_top(m);
    if (top == NULL)
        return false;
    if (BZ_PK_TAG(*top) == BZ_PK_DTYPE) {
        bz_pk_dtype_build(m, *top, state);
        return true;
    }
    if (BZ_PK_TAG(*top) == BZ_PK_WRAPPER && m->joblib)
        return bz_pk_wrapper_build(m);
    return bz_pk_judge_target(m, *top, "BUILD");
}

/* The loader's own hook: torch finds storages by it. Without a hook readers refuse. */
bool bz_pk_op_binpersid(struct bz_pk *m) {
    uint32_t id;
    if (!bz_pk_pop(m, &id))
        return false;
    return bz_pk_push(m, bz_pk_torch_persid(m, id));
}
