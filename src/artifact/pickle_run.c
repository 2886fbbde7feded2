/* The loop, and the opcodes that only move values: numbers, texts, containers, memo, marks. */
#include "pickle_int.h"

enum {
    SLACK = 16,           /* bytes in sight before an opcode without text */
    STEP = 1 << 16,       /* bytes between two looks at the budget */
    EXPAND_LOG = 24,      /* containers of containers: 16 million elements */
    EXPAND_FACTOR = 1024, /* and this many for each opcode read */
};

/* ---- reading -------------------------------------------------------------------------------- */

uint64_t bz_pk_off(const struct bz_pk *m) {
    return m->op != NULL ? m->w.base + (uint64_t)(m->op - m->w.buf) : m->op_off;
}

bool bz_pk_stop(struct bz_pk *m, enum bz_pk_end how) {
    if (m->how == BZ_PK_RUNNING)
        m->how = how;
    return false;
}

bool bz_pk_failed(struct bz_pk *m, enum bz_status st) {
    if (m->st == BZ_OK)
        m->st = st;
    m->how = BZ_PK_FAILED;
    return false;
}

static void set_turn(struct bz_pk *m) {
    size_t left = (size_t)(m->end - m->p), ahead = left > SLACK ? left - SLACK : 0;
    if (m->w.st != BZ_OK)
        ahead = left; /* the end is in sight: opcodes look for themselves */
    m->turn = m->p + (ahead < STEP ? ahead : STEP);
    uint64_t here = bz_pk_at(m);
    if (m->frame_end > here && m->frame_end - here < (uint64_t)(m->turn - m->p))
        m->turn = m->p + (m->frame_end - here);
}

static void refill(struct bz_pk *m, size_t n) {
    m->op_off = bz_pk_off(m);
    m->op = NULL;
    m->w.at = (size_t)(m->p - m->w.buf);
    struct bz_view v = bz_window_peek(&m->w, n);
    m->p = v.p;
    m->end = v.n == 0 ? v.p : v.p + v.n;
    set_turn(m);
}

bool bz_pk_see(struct bz_pk *m, size_t n) {
    if ((size_t)(m->end - m->p) < n && m->w.st == BZ_OK)
        refill(m, n);
    return (size_t)(m->end - m->p) >= n;
}

void bz_pk_seek(struct bz_pk *m, uint64_t off) {
    m->op_off = bz_pk_off(m);
    m->op = NULL;
    if (off >= m->w.base && off - m->w.base <= (uint64_t)(m->end - m->w.buf)) {
        m->p = m->w.buf;
        if (off > m->w.base) /* nothing is added to NULL */
            m->p += off - m->w.base;
    } else {
        m->w.base = off;
        m->w.at = m->w.n = 0;
        m->w.st = m->w.cap == 0 ? BZ_ETRAILING : BZ_OK;
        m->p = m->end = m->w.buf;
    }
    set_turn(m);
}

bool bz_pk_skip(struct bz_pk *m, uint64_t n) {
    uint64_t left = (uint64_t)(m->end - m->p);
    if (n <= left) {
        m->p += n;
        return true;
    }
    uint64_t at = bz_pk_at(m), size = m->o->src.size;
    if (n > UINT64_MAX - at || (size != BZ_SOURCE_UNKNOWN && at + n > size))
        return false;
    bz_pk_seek(m, at + n);
    return true;
}

bool bz_pk_cut(struct bz_pk *m) {
    if (m->w.st != BZ_OK && m->w.st != BZ_ETRAILING)
        return bz_pk_failed(m, m->w.st);
    return bz_pk_stop(m, BZ_PK_ENDED);
}

bool bz_pk_fail(struct bz_pk *m, const char *why) {
    if (m->strict)
        return bz_pk_stop(m, BZ_PK_BROKEN);
    if (!m->broken && !bz_pk_found(m, PKL_MALFORMED, bz_pk_off(m), bz_view_str(why)))
        return false;
    m->broken = true;
    return true;
}

/* ---- plain values --------------------------------------------------------------------------- */

static bool op_plain(struct bz_pk *m) {
    return bz_pk_push(m, BZ_PK_PLAIN);
}

static bool op_binint1(struct bz_pk *m) {
    BZ_PK_NEED(m, 1);
    return bz_pk_push(m, BZ_PK_V(BZ_PK_INT, *m->p++));
}

static bool op_binint2(struct bz_pk *m) {
    BZ_PK_NEED(m, 2);
    m->p += 2;
    return bz_pk_push(m, BZ_PK_V(BZ_PK_INT, bz_pk_le(m->p - 2, 2)));
}

static bool op_binint(struct bz_pk *m) {
    BZ_PK_NEED(m, 4);
    uint32_t v = bz_pk_le(m->p, 4);
    m->p += 4;
    return v > INT32_MAX ? op_plain(m) : bz_pk_push_int(m, v);
}

static bool long_bytes(struct bz_pk *m, uint64_t n) {
    uint64_t v = 0;
    if (n > 0 && n <= 8) {
        BZ_PK_NEED(m, n);
        for (unsigned i = 0; i < n; i++)
            v |= (uint64_t)m->p[i] << (8 * i);
        if ((m->p[n - 1] & 0x80) != 0)
            v = UINT64_MAX; /* negative */
    }
    if (!bz_pk_skip(m, n))
        return bz_pk_cut(m);
    return v == UINT64_MAX || n > 8 ? op_plain(m) : bz_pk_push_int(m, v);
}

static bool op_long1(struct bz_pk *m) {
    BZ_PK_NEED(m, 1);
    return long_bytes(m, *m->p++);
}

static bool op_long4(struct bz_pk *m) {
    BZ_PK_NEED(m, 4);
    uint32_t n = bz_pk_le(m->p, 4);
    m->p += 4;
    if (n > INT32_MAX)
        return bz_pk_fail(m, "a number of negative length") && op_plain(m);
    return long_bytes(m, n);
}

static bool op_binfloat(struct bz_pk *m) {
    BZ_PK_NEED(m, 8);
    m->p += 8;
    return bz_pk_push(m, BZ_PK_PLAIN);
}

/* ---- containers, buffers -------------------------------------------------------------------- */

static bool op_next_buffer(struct bz_pk *m) {
    return bz_pk_push(m, BZ_PK_BUFFER);
}

static bool op_readonly(struct bz_pk *m) {
    return bz_pk_top(m) != NULL;
}

static bool op_list0(struct bz_pk *m) {
    return bz_pk_push(m, BZ_PK_LIST);
}
static bool op_dict0(struct bz_pk *m) {
    if (m->joblib && m->n > 0 && BZ_PK_TAG(m->stk[m->n - 1]) == BZ_PK_WRAPPER)
        m->wrapper = (struct bz_pk_wrapper){.dict_at = m->n};
    return bz_pk_push(m, BZ_PK_DICT);
}
static bool op_set0(struct bz_pk *m) {
    return bz_pk_push(m, BZ_PK_SET);
}
static bool op_tuple0(struct bz_pk *m) {
    return bz_pk_push(m, BZ_PK_EMPTY);
}

static bool is_container(uint32_t v) {
    return BZ_PK_TAG(v) >= BZ_PK_LIST && BZ_PK_TAG(v) <= BZ_PK_BUFFER;
}

/* Elements that a value has with all that is in it, as a power of two. Containers remember theirs by
 * their place in the memo: only what can be fetched again can be multiplied. */
uint64_t bz_pk_weight(const struct bz_pk *m, uint32_t v) {
    if (BZ_PK_TAG(v) == BZ_PK_TUPLE)
        return (uint64_t)1 << (BZ_PK_LOAD(v) & 63);
    if (!is_container(v) || BZ_PK_LOAD(v) == 0 || m->weights == NULL)
        return 1;
    uint32_t i = BZ_PK_LOAD(v) % PK_WEIGHTS;
    return m->weights[i].key == BZ_PK_LOAD(v) ? (uint64_t)1 << m->weights[i].log2 : 1;
}

static uint64_t sum(const struct bz_pk *m, size_t start) {
    uint64_t all = m->batch.weight;
    for (size_t i = start; i < m->n && all < (uint64_t)1 << 60; i++)
        all += BZ_PK_TAG(m->stk[i]) < BZ_PK_TUPLE ? 1 : bz_pk_weight(m, m->stk[i]);
    return all;
}

static unsigned log2_of(uint64_t n) {
    unsigned k = n == 0 ? 0 : 63 - (unsigned)__builtin_clzll(n);
    return k > 59 ? 59 : k;
}

static bool expands(struct bz_pk *m, uint64_t weight) {
    if (m->expanded || weight >> EXPAND_LOG == 0 || weight / EXPAND_FACTOR < m->ops)
        return true;
    m->expanded = !m->quiet && !m->strict;
    return bz_pk_found(m, PKL_EXPAND, bz_pk_off(m), BZ_V(""));
}

static bool gains(struct bz_pk *m, uint32_t target, uint64_t more) {
    uint32_t key = BZ_PK_LOAD(target);
    if (!is_container(target))
        return true;
    if (key == 0) { /* not in the memo yet: see put() */
        m->fresh_size = more + (m->fresh_at == m->n ? m->fresh_size : 1);
        m->fresh_at = m->n;
        return expands(m, m->fresh_size);
    }
    if (m->weights == NULL) {
        m->weights = bz_arena_zalloc(bz_scan_arena(m->s), PK_WEIGHTS * sizeof *m->weights);
        if (m->weights == NULL)
            return bz_pk_failed(m, BZ_ENOMEM);
    }
    uint64_t all = bz_pk_weight(m, target) + more;
    m->weights[key % PK_WEIGHTS].key = key;
    m->weights[key % PK_WEIGHTS].log2 = (uint8_t)log2_of(all);
    return expands(m, all);
}

static bool keep_row(const struct bz_pk *m, size_t start) {
    if (start > 0) {
        uint32_t below = m->stk[start - 1];
        enum bz_pk_tag t = BZ_PK_TAG(below);
        if (t == BZ_PK_GLOBAL || t == BZ_PK_DTYPE || t == BZ_PK_COMPUTED || t == BZ_PK_EXT)
            return true;
        if (m->joblib && below == BZ_PK_V(BZ_PK_STR, m->shape_key))
            return true;
    }
    for (size_t i = start; i < m->n; i++) {
        if (bz_pk_hot(m->stk[i]))
            return true;
    }
    return false;
}

/* The values from `start` on become one tuple. */
static bool tuple_of(struct bz_pk *m, size_t start) {
    uint32_t v;
    if (m->batch.hot) {
        v = BZ_PK_ROW_LOST;
    } else if (m->n == start && m->batch.n == 0) {
        v = BZ_PK_EMPTY;
    } else if (keep_row(m, start)) {
        v = bz_pk_make_row(m, m->stk + start, m->n - start);
    } else {
        uint64_t all = sum(m, start);
        if (!expands(m, all))
            return false;
        v = BZ_PK_V(BZ_PK_TUPLE, log2_of(all));
    }
    m->n = start;
    return bz_pk_push(m, v);
}

static bool op_tuple(struct bz_pk *m) {
    size_t start;
    return bz_pk_pop_mark(m, &start) && tuple_of(m, start);
}

static bool tuple_n(struct bz_pk *m, size_t n) {
    m->batch = (struct bz_pk_fold){.n = 0};
    if (m->n - m->fence < n) {
        if (!bz_pk_fail(m, "takes a value from an empty stack"))
            return false;
        n = m->n - m->fence;
    }
    return tuple_of(m, m->n - n);
}
static bool op_tuple1(struct bz_pk *m) {
    return tuple_n(m, 1);
}
static bool op_tuple2(struct bz_pk *m) {
    return tuple_n(m, 2);
}
static bool op_tuple3(struct bz_pk *m) {
    return tuple_n(m, 3);
}

static bool marked(struct bz_pk *m, enum bz_pk_tag tag) {
    size_t start;
    if (!bz_pk_pop_mark(m, &start))
        return false;
    m->n = start;
    return bz_pk_push(m, tag);
}
static bool op_list(struct bz_pk *m) {
    return marked(m, BZ_PK_LIST);
}
static bool op_frozenset(struct bz_pk *m) {
    return marked(m, BZ_PK_FROZEN);
}

/* A target that is no container of the pickle itself: its methods are called. */
static bool onto(struct bz_pk *m, uint32_t target, const char *how) {
    return is_container(target) || bz_pk_judge_target(m, target, how);
}

static bool op_append(struct bz_pk *m) {
    uint32_t v;
    if (!bz_pk_pop(m, &v))
        return false;
    uint32_t *top = bz_pk_top(m);
    return top != NULL && onto(m, *top, "append") && gains(m, *top, bz_pk_weight(m, v));
}

static bool batch(struct bz_pk *m, const char *how) {
    size_t start;
    if (!bz_pk_pop_mark(m, &start))
        return false;
    uint64_t all = sum(m, start);
    m->n = start;
    uint32_t *top = bz_pk_top(m);
    return top != NULL && onto(m, *top, how) && gains(m, *top, all);
}
static bool op_appends(struct bz_pk *m) {
    return batch(m, "extend");
}
static bool op_additems(struct bz_pk *m) {
    return batch(m, "add");
}

/* What is put under a key: texts as keys matter where they become attributes. */
static bool pairs(struct bz_pk *m, size_t start, size_t target) {
    for (size_t i = start; i + 1 < m->n; i += 2) {
        uint32_t key = m->stk[i], value = m->stk[i + 1];
        if (bz_pk_hot(value) && !bz_pk_judge_item(m, key, value))
            return false;
        if (m->wrapper.dict_at != 0 && !bz_pk_wrapper_item(m, target, key, value))
            return false;
    }
    return true;
}

static bool op_setitems(struct bz_pk *m) {
    size_t start;
    if (!bz_pk_pop_mark(m, &start))
        return false;
    if ((m->n - start) % 2 != 0 && !bz_pk_fail(m, "a key without a value"))
        return false;
    if (start == 0)
        return bz_pk_top(m) != NULL;
    if (!pairs(m, start, start - 1))
        return false;
    uint64_t all = sum(m, start);
    m->n = start;
    uint32_t *top = bz_pk_top(m);
    return top != NULL && onto(m, *top, "set an item of") && gains(m, *top, all);
}

static bool op_setitem(struct bz_pk *m) {
    m->batch = (struct bz_pk_fold){.n = 0};
    if (m->n - m->fence < 3) {
        if (!bz_pk_fail(m, "takes a value from an empty stack"))
            return false;
        m->n = m->fence;
        return bz_pk_push(m, BZ_PK_UNDEF);
    }
    if (!pairs(m, m->n - 2, m->n - 3))
        return false;
    uint64_t all = sum(m, m->n - 2);
    m->n -= 2;
    uint32_t target = m->stk[m->n - 1];
    return onto(m, target, "set an item of") && gains(m, target, all);
}

static bool op_dict(struct bz_pk *m) {
    size_t start;
    if (!bz_pk_pop_mark(m, &start))
        return false;
    if ((m->n - start) % 2 != 0 && !bz_pk_fail(m, "a key without a value"))
        return false;
    if (!pairs(m, start, SIZE_MAX))
        return false;
    m->n = start;
    return bz_pk_push(m, BZ_PK_DICT);
}

/* ---- memo ----------------------------------------------------------------------------------- */

static bool put(struct bz_pk *m, uint64_t i) {
    uint32_t *top = bz_pk_top(m);
    if (top == NULL)
        return false;
    uint32_t v = *top;
    if (is_container(v)) {
        bool fresh = BZ_PK_LOAD(v) == 0;
        v = BZ_PK_TAG(v);
        *top = BZ_PK_V(v, i < BZ_PK_INT_MAX ? i + 1 : 0);
        if (fresh && m->weights != NULL) /* a new one takes the place */
            m->weights[(uint32_t)(i + 1) % PK_WEIGHTS].key = 0;
        if (fresh && m->fresh_at == m->n && !gains(m, *top, m->fresh_size))
            return false;
        m->fresh_at = 0;
        if (m->wrapper.dict_at + 1 == m->n && m->wrapper.dict_at != 0)
            m->wrapper.memo = BZ_PK_LOAD(*top);
    }
    return bz_pk_memo_put(m, i, v);
}

static bool get(struct bz_pk *m, uint64_t i) {
    uint32_t v = bz_pk_memo_get(m, i);
    if (v == BZ_PK_ABSENT) {
        if (!bz_pk_fail(m, "fetches what was never stored"))
            return false;
        v = BZ_PK_UNDEF;
    }
    if (is_container(v))
        v = BZ_PK_V(BZ_PK_TAG(v), i < BZ_PK_INT_MAX ? i + 1 : 0);
    return bz_pk_push(m, v);
}

static bool op_memoize(struct bz_pk *m) {
    return put(m, m->memo_n);
}
static bool op_binput(struct bz_pk *m) {
    BZ_PK_NEED(m, 1);
    return put(m, *m->p++);
}
static bool op_long_binput(struct bz_pk *m) {
    BZ_PK_NEED(m, 4);
    m->p += 4;
    return put(m, bz_pk_le(m->p - 4, 4));
}
static bool op_binget(struct bz_pk *m) {
    BZ_PK_NEED(m, 1);
    return get(m, *m->p++);
}
static bool op_long_binget(struct bz_pk *m) {
    BZ_PK_NEED(m, 4);
    m->p += 4;
    return get(m, bz_pk_le(m->p - 4, 4));
}
bool bz_pk_put(struct bz_pk *m, uint64_t i) {
    return put(m, i);
}
bool bz_pk_get(struct bz_pk *m, uint64_t i) {
    return get(m, i);
}

/* ---- frame, protocol, end ------------------------------------------------------------------- */

static bool op_proto(struct bz_pk *m) {
    BZ_PK_NEED(m, 1);
    m->proto = *m->p++;
    return m->proto <= 5 || bz_pk_fail(m, "a protocol that there is not");
}

static bool frame_found(struct bz_pk *m, const char *why) {
    if (m->frame_told || m->strict)
        return true;
    m->frame_told = true;
    return bz_pk_found(m, PKL_FRAME, bz_pk_off(m), bz_view_str(why));
}

/* The C reader takes a frame as a hint and refuses one that is longer than the file; the Python reader
 * reads it into memory, goes on when the file is shorter, and wants opcodes to end where it ends. */
static bool op_frame(struct bz_pk *m) {
    BZ_PK_NEED(m, 8);
    uint64_t n = bz_pk_le64(m->p);
    m->p += 8;
    uint64_t here = bz_pk_at(m);
    if (m->frame_end > here && !frame_found(m, "begins inside of another frame"))
        return false;
    m->frame_end = n > UINT64_MAX - here ? UINT64_MAX : here + n;
    if (m->o->src.size != BZ_SOURCE_UNKNOWN && m->frame_end > m->o->src.size) {
        m->frame_end = 0;
        return frame_found(m, "longer than the file");
    }
    set_turn(m);
    return true;
}

static bool op_stop(struct bz_pk *m) {
    uint32_t v;
    return bz_pk_pop(m, &v) && bz_pk_stop(m, BZ_PK_STOPPED);
}

/* ---- the loop ------------------------------------------------------------------------------- */

typedef bool (*op_fn)(struct bz_pk *m);

static const op_fn ops[256] = {
    ['('] = bz_pk_op_mark,
    ['.'] = op_stop,
    ['0'] = bz_pk_op_pop,
    ['1'] = bz_pk_op_pop_mark,
    ['2'] = bz_pk_op_dup,
    ['F'] = bz_pk_op_float,
    ['I'] = bz_pk_op_int,
    ['J'] = op_binint,
    ['K'] = op_binint1,
    ['L'] = bz_pk_op_long,
    ['M'] = op_binint2,
    ['N'] = op_plain,
    ['P'] = bz_pk_op_persid,
    ['Q'] = bz_pk_op_binpersid,
    ['R'] = bz_pk_op_reduce,
    ['S'] = bz_pk_op_string,
    ['T'] = bz_pk_op_text4,
    ['U'] = bz_pk_op_short_text,
    ['V'] = bz_pk_op_unicode,
    ['X'] = bz_pk_op_text4,
    ['a'] = op_append,
    ['b'] = bz_pk_op_build,
    ['c'] = bz_pk_op_global,
    ['d'] = op_dict,
    ['}'] = op_dict0,
    ['e'] = op_appends,
    ['g'] = bz_pk_op_get,
    ['h'] = op_binget,
    ['i'] = bz_pk_op_inst,
    ['j'] = op_long_binget,
    ['l'] = op_list,
    [']'] = op_list0,
    ['o'] = bz_pk_op_obj,
    ['p'] = bz_pk_op_put,
    ['q'] = op_binput,
    ['r'] = op_long_binput,
    ['s'] = op_setitem,
    ['t'] = op_tuple,
    [')'] = op_tuple0,
    ['u'] = op_setitems,
    ['G'] = op_binfloat,
    ['B'] = bz_pk_op_bytes4,
    ['C'] = bz_pk_op_short_bytes,
    [0x80] = op_proto,
    [0x81] = bz_pk_op_newobj,
    [0x82] = bz_pk_op_ext1,
    [0x83] = bz_pk_op_ext2,
    [0x84] = bz_pk_op_ext4,
    [0x85] = op_tuple1,
    [0x86] = op_tuple2,
    [0x87] = op_tuple3,
    [0x88] = op_plain,
    [0x89] = op_plain,
    [0x8a] = op_long1,
    [0x8b] = op_long4,
    [0x8c] = bz_pk_op_short_text,
    [0x8d] = bz_pk_op_text8,
    [0x8e] = bz_pk_op_bytes8,
    [0x8f] = op_set0,
    [0x90] = op_additems,
    [0x91] = op_frozenset,
    [0x92] = bz_pk_op_newobj_ex,
    [0x93] = bz_pk_op_stack_global,
    [0x94] = op_memoize,
    [0x95] = op_frame,
    [0x96] = bz_pk_op_bytearray8,
    [0x97] = op_next_buffer,
    [0x98] = op_readonly,
};

bool bz_pk_opcode(uint8_t c) {
    return ops[c] != NULL;
}

/* Between opcodes: budget, frames, more bytes. */
static bool turn(struct bz_pk *m) {
    uint64_t steps = m->ops - m->ops_told, here = bz_pk_at(m);
    m->ops_told = m->ops;
    if (!bz_scan_steps(m->s, m->o, steps))
        return bz_pk_stop(m, BZ_PK_LIMITED);
    if (m->frame_end != 0 && here >= m->frame_end) {
        if (here > m->frame_end && !frame_found(m, "an opcode goes beyond the end of its frame"))
            return false;
        m->frame_end = 0;
    }
    if (!bz_pk_see(m, 1 + SLACK) && m->p == m->end)
        return bz_pk_cut(m);
    set_turn(m);
    return true;
}

void bz_pk_loop(struct bz_pk *m) {
    m->how = BZ_PK_RUNNING;
    for (;;) {
        if (m->p >= m->turn && !turn(m))
            break;
        m->op = m->p++;
        op_fn op = ops[*m->op];
        if (m->ops++ == m->ops_max) {
            bz_pk_stop(m, BZ_PK_PAUSED);
            break;
        }
        if (op == NULL) {
            bz_pk_stop(m, BZ_PK_BROKEN);
            break;
        }
        if (!op(m))
            break;
    }
    if (m->how == BZ_PK_RUNNING)
        m->how = BZ_PK_FAILED; /* an opcode that gave up without a word */
    if (m->how == BZ_PK_FAILED && m->st == BZ_OK)
        m->st = BZ_ENOMEM; /* the only failure without a status of its own */
}

void bz_pk_run(struct bz_pk *m, uint64_t off) {
    m->n = m->fence = m->marks = 0;
    m->mark_mem.n = 0;
    m->frame_end = 0;
    m->proto = 0;
    m->broken = m->frame_told = m->joblib = false;
    m->fresh_at = 0;
    m->folds_n = 0;
    m->batch = (struct bz_pk_fold){.n = 0};
    m->wrapper = (struct bz_pk_wrapper){.dict_at = 0};
    m->from = off;
    bz_pk_memo_reset(m);
    bz_pk_seek(m, off);
    bz_pk_loop(m);
}

enum bz_status bz_pk_init(struct bz_pk *m, struct bz_scan *s, const struct bz_object *o) {
    *m = (struct bz_pk){.s = s, .o = o, .shape_key = BZ_PK_NONE};
    m->ops_max = UINT64_MAX;
    m->epoch = 1;
    bz_buf_init(&m->stk_mem, (size_t)PK_STACK_MAX * 4);
    bz_buf_init(&m->mark_mem, (size_t)PK_MARKS_MAX * 4);
    bz_buf_init(&m->side_stk, (size_t)PK_STACK_MAX * 4);
    bz_buf_init(&m->side_marks, (size_t)PK_MARKS_MAX * 4);
    bz_pk_tables(m);
    BZ_TRY(bz_window_init(&m->w, s, &o->src, 0));
    m->p = m->end = m->turn = m->w.buf;
    return BZ_OK;
}

void bz_pk_done(struct bz_pk *m) {
    bz_buf_free(&m->stk_mem);
    bz_buf_free(&m->mark_mem);
    bz_buf_free(&m->side_stk);
    bz_buf_free(&m->side_marks);
    bz_pk_tables_done(m);
    if (m->inner != NULL)
        bz_pk_done(m->inner);
}
