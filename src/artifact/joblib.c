/* Arrays between the opcodes: joblib writes a NumpyArrayWrapper, and behind the BUILD that sets its
 * state come the array's bytes, which its unpickler reads before the next opcode.
 *
 *   ... NEWOBJ  }( shape, dtype, ... u  b | n | n x ff | data            | next opcode
 *                                         ^ only with numpy_array_alignment_bytes
 *                                     b | a whole pickle (dtype of objects) | next opcode
 *
 * A plain unpickler reads the same bytes as opcodes, so they are read in both ways. Old versions keep
 * arrays in files beside (NDArrayWrapper), or the whole pickle in a stream of their own ("ZF").
 * Facts: joblib/numpy_pickle.py, numpy_pickle_compat.py. */
#include "pickle_int.h"

enum {
    SIDE_STACK = 4096,  /* values of the stack that a reading beside sees */
    SIDE_OPS = 4 << 20, /* opcodes of all readings beside, and as many as were read once */
    ZF_HEAD = 21,       /* "ZF" and the length in hexadecimal, padded with blanks */
};

/* ---- element types -------------------------------------------------------------------------- */

static bool parse_type(struct bz_view t, struct bz_pk_dtype *d) {
    uint64_t n = 0;
    if (t.n > 0 && memchr("<>|=", t.p[0], 4) != NULL)
        t = bz_view_sub(t, 1, t.n);
    if (t.n == 0 || memchr("?biufcOSaUVMm", t.p[0], 13) == NULL)
        return false;
    const uint8_t kind = t.p[0];
    if (t.n > 1 && bz_view_u64(bz_view_sub(t, 1, t.n), &n) != BZ_OK)
        return false;
    if (t.n == 1)
        n = kind == 'O' ? 8 : kind == '?' ? 1 : 0;
    d->object = kind == 'O';
    d->flexible = kind == 'S' || kind == 'a' || kind == 'U' || kind == 'V';
    d->itemsize = kind == 'U' ? n * 4 : n;
    return n <= UINT32_MAX && (d->flexible || n > 0);
}

uint32_t bz_pk_dtype_call(struct bz_pk *m, uint32_t args) {
    struct bz_pk_dtype d = {.unknown = true};
    size_t n = 0;
    bool is;
    if (BZ_PK_TAG(args) == BZ_PK_ROW) {
        const uint32_t *e = bz_pk_row(m, args, &n);
        struct bz_view t = n > 0 ? bz_pk_text_of(m, e[0], &is) : bz_view(NULL, 0);
        d.unknown = t.p == NULL || !parse_type(t, &d);
    }
    return bz_pk_new_dtype(m, d);
}

/* (version, byte order, subarray, names, fields, size, alignment, flags, ...) */
void bz_pk_dtype_build(struct bz_pk *m, uint32_t dtype, uint32_t state) {
    struct bz_pk_dtype *d = bz_pk_dtype_at(m, dtype);
    size_t n = 0;
    uint64_t size, flags;
    const uint32_t *e = BZ_PK_TAG(state) == BZ_PK_ROW ? bz_pk_row(m, state, &n) : NULL;
    if (n < 8) {
        d->unknown = d->unknown || d->flexible;
        return;
    }
    if (d->flexible && bz_pk_number(m, e[5], &size))
        d->itemsize = size;
    if (bz_pk_number(m, e[7], &flags))
        d->object = (flags & 1) != 0;
}

/* ---- the wrapper's state -------------------------------------------------------------------- */

bool bz_pk_wrapper_item(struct bz_pk *m, size_t target, uint32_t key, uint32_t value) {
    struct bz_pk_wrapper *w = &m->wrapper;
    if (target == SIZE_MAX)
        return true;
    if (target != w->dict_at) { /* the same dict, reached by another way */
        uint32_t t = m->stk[target];
        w->bad = w->bad || (BZ_PK_TAG(t) == BZ_PK_DICT && w->memo != 0 && BZ_PK_LOAD(t) == w->memo);
        return true;
    }
    if (BZ_PK_TAG(key) != BZ_PK_STR) {
        w->bad = w->bad || BZ_PK_TAG(key) == BZ_PK_LATE || BZ_PK_TAG(key) >= BZ_PK_GLOBAL;
    } else if (BZ_PK_LOAD(key) == m->shape_key) {
        w->has_shape = true;
        w->shape = value;
    } else if (BZ_PK_LOAD(key) == m->dtype_key) {
        w->has_dtype = true;
        w->dtype = value;
    } else if (BZ_PK_LOAD(key) == m->align_key) {
        w->has_align = BZ_PK_TAG(value) != BZ_PK_PLAIN; /* None: no padding */
    }
    return true;
}

static bool elements(const struct bz_pk *m, uint32_t shape, uint64_t *ret) {
    size_t n = 0;
    *ret = 1;
    if (BZ_PK_TAG(shape) == BZ_PK_EMPTY)
        return true;
    if (BZ_PK_TAG(shape) != BZ_PK_ROW)
        return false;
    const uint32_t *e = bz_pk_row(m, shape, &n);
    for (size_t i = 0; i < n; i++) {
        uint64_t k;
        if (!bz_pk_number(m, e[i], &k) || __builtin_mul_overflow(*ret, k, ret))
            return false;
    }
    return n < PK_ROW;
}

static bool array_found(struct bz_pk *m, const char *why) {
    return bz_pk_found(m, PKL_ARRAY, bz_pk_off(m), bz_view_str(why)) && bz_pk_stop(m, BZ_PK_LOST);
}

/* A whole pickle, read by a plain unpickler. */
static bool objects(struct bz_pk *m) {
    if (m->inner == NULL) {
        m->inner = bz_arena_alloc(bz_scan_arena(m->s), sizeof *m->inner);
        if (m->inner == NULL)
            return bz_pk_stop(m, BZ_PK_FAILED);
        m->st = bz_pk_init(m->inner, m->s, m->o);
        m->inner->plain = true;
        if (m->st != BZ_OK)
            return bz_pk_stop(m, BZ_PK_FAILED);
    }
    m->inner->quiet = m->quiet;
    bz_pk_run(m->inner, bz_pk_at(m));
    if (m->inner->how == BZ_PK_STOPPED) {
        bz_pk_seek(m, bz_pk_at(m->inner));
        return true;
    }
    m->st = m->inner->st;
    return bz_pk_stop(m, m->inner->how == BZ_PK_FAILED ? BZ_PK_FAILED : m->inner->how);
}

static bool raw(struct bz_pk *m, uint64_t bytes, bool padded) {
    uint64_t at = bz_pk_at(m), pad = 0, size = m->o->src.size;
    if (padded) {
        if (!bz_pk_see(m, 1))
            return bz_pk_cut(m);
        pad = 1 + (uint64_t)*m->p;
    }
    if (size - at < pad || size - at - pad < bytes)
        return array_found(m, "longer than the file");
    bz_pk_seek(m, at + pad + bytes);
    return true;
}

bool bz_pk_wrapper_build(struct bz_pk *m) {
    const struct bz_pk_wrapper w = m->wrapper;
    uint64_t count, bytes;
    const bool whole = w.dict_at == m->n && w.has_shape && w.has_dtype && !w.bad;
    m->wrapper = (struct bz_pk_wrapper){.dict_at = 0};
    m->frame_end = 0;
    if (m->depth > 0 || m->strict)
        return true;
    if (!bz_pk_beside(m))
        return false;
    m->stk[m->n - 1] = BZ_PK_OBJECT;
    if (!whole || BZ_PK_TAG(w.dtype) != BZ_PK_DTYPE)
        return array_found(m, "its state is not what joblib writes");
    const struct bz_pk_dtype d = *bz_pk_dtype_at(m, w.dtype);
    if (d.unknown)
        return array_found(m, "its element type is not known");
    if (d.object)
        return objects(m);
    if (!elements(m, w.shape, &count) || __builtin_mul_overflow(count, d.itemsize, &bytes))
        return array_found(m, "its shape is not known");
    return raw(m, bytes, w.has_align);
}

/* ---- the other reading ---------------------------------------------------------------------- */

/* A copy of the stack's upper part, and of the marks in it. */
static bool copy_stack(struct bz_pk *m, const struct bz_pk_run *of) {
    size_t from = of->n > SIDE_STACK ? of->n - SIDE_STACK : 0;
    m->stk_mem = m->side_stk;
    m->mark_mem = m->side_marks;
    m->stk_mem.n = m->mark_mem.n = 0;
    m->n = m->cap = m->fence = m->marks = 0;
    m->folds_n = 0;
    bz_buf_put(&m->stk_mem, bz_view(of->stk + from, (of->n - from) * sizeof *of->stk));
    if (bz_buf_status(&m->stk_mem) != BZ_OK)
        return false;
    m->stk = (uint32_t *)(void *)m->stk_mem.p;
    m->n = m->cap = of->n - from;
    const uint32_t *marks = (const uint32_t *)(const void *)of->mark_mem.p;
    for (size_t i = 0; i < of->marks; i++) {
        if (marks[i] < from)
            continue;
        uint32_t *p = bz_pk_vec(&m->mark_mem, sizeof *p);
        if (p == NULL)
            return false;
        *p = (uint32_t)(marks[i] - from);
        m->fence = *p;
        m->marks++;
    }
    return true;
}

static bool worth(struct bz_pk *m) {
    if (!bz_pk_see(m, 1) || !bz_pk_opcode(*m->p))
        return false;
    if (m->side < SIDE_OPS + m->ops)
        return true;
    return m->side_told ||
           ((m->side_told = true) &&
            bz_pk_found(m, PKL_LIMIT, bz_pk_off(m), BZ_V("readings beside joblib's")) && false);
}

bool bz_pk_beside(struct bz_pk *m) {
    if (m->side_told || !worth(m))
        return m->how != BZ_PK_FAILED;
    const struct bz_pk_run kept = m->run;
    const uint64_t at = bz_pk_at(m), before = m->ops;
    if (m->side_w.src == NULL) {
        m->st = bz_window_init(&m->side_w, m->s, &m->o->src, at);
        if (m->st != BZ_OK)
            return bz_pk_stop(m, BZ_PK_FAILED);
    }
    m->w = m->side_w;
    m->p = m->end = m->turn = m->op = m->w.buf;
    m->w.base = at;
    m->w.at = m->w.n = 0;
    m->strict = true;
    m->depth++;
    if (copy_stack(m, &kept))
        bz_pk_loop(m);
    m->side_stk = m->stk_mem;
    m->side_marks = m->mark_mem;
    const enum bz_pk_end how = m->how;
    m->run = kept;
    m->side += m->ops - before;
    bz_pk_overlay_reset(m);
    return how != BZ_PK_FAILED || m->st == BZ_OK || bz_pk_stop(m, BZ_PK_FAILED);
}

/* ---- "ZF": the pickle in a zlib stream of joblib's own -------------------------------------- */

static const struct bz_rule zf_rules[] = {
    {"JOB-LENGTH", BZ_SEVERITY_MEDIUM, BZ_RULE_MALFORMED, "an old joblib file of another length",
     "loading it fails", "take the file from its origin again", ""},
    {.id = NULL},
};

static enum bz_probe zf_probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return o->head.n > ZF_HEAD && bz_view_starts(o->head, BZ_V("ZF0x")) ? BZ_PROBE_YES
                                                                        : BZ_PROBE_NO;
}

static bool zf_length(struct bz_view v, uint64_t *ret) {
    size_t i = 4;
    *ret = 0;
    for (; i < ZF_HEAD; i++) {
        uint8_t c = v.p[i] | 0x20;
        unsigned d = c >= '0' && c <= '9' ? c - 48u : c >= 'a' && c <= 'f' ? c - 87u : 99;
        if (d > 15)
            break;
        *ret = *ret * 16 + d;
    }
    for (; i < ZF_HEAD; i++) {
        if (v.p[i] != ' ' && v.p[i] != 'L' && v.p[i] != 'l')
            return false;
    }
    return true;
}

static enum bz_status zf_scan(struct bz_scan *s, const struct bz_object *o) {
    uint64_t n;
    bz_scan_name(s, o, "joblib (old, compressed)");
    if (!zf_length(o->head, &n))
        BZ_TRY(bz_scan_found(s, o, &zf_rules[0], 2, bz_view_sub(o->head, 0, ZF_HEAD)));
    const uint64_t at = ZF_HEAD + (o->head.p[ZF_HEAD] == ' '); /* Python 2 wrote one more */
    const struct bz_source *packed = bz_source_part(s, &o->src, at, UINT64_MAX - at);
    const struct bz_source *stream =
        packed == NULL ? NULL : bz_codec_source(s, o, BZ_CODEC_ZLIB, packed);
    return stream == NULL ? BZ_ENOMEM : bz_scan_member(s, o, BZ_V("stream"), stream);
}

const struct bz_format bz_format_joblib_zf = {.name = "joblib",
                                              .what = "pickle in a stream of old joblib",
                                              .probe = zf_probe,
                                              .scan = zf_scan,
                                              .rules = zf_rules};
