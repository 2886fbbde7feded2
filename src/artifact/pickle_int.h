/* The abstract machine that reads a pickle the way a loader does, and never builds anything.
 *
 *   pickle.c         the format: probe, several pickles in a row, what follows
 *   pickle_run.c     the loop, opcodes of plain values and containers
 *   pickle_stack.c   values and marks
 *   pickle_text.c    texts and bytes
 *   pickle_line.c    opcodes whose argument is a line of text (protocol 0)
 *   pickle_global.c  opcodes that import, call, build
 *   pickle_judge.c   what an import or a call means, and the findings
 *   pickle_value.c   strings, tuples, names, memo
 *   pickle_names.c   what a name stands for
 *   joblib.c         arrays between the opcodes
 *   torch_legacy.c   five pickles and the storages behind them
 *
 * A value is 32 bits: a tag and a payload.
 *
 *    31                              5 4      0
 *   +---------------------------------+--------+
 *   | payload: id, number, log2 size  |  tag   |
 *   +---------------------------------+--------+
 *
 * Most values of a model file are numbers, texts and containers of them: they have no payload in the
 * memo, where a page of 4,096 such values takes one byte each; a page gets four bytes each when the
 * first value with a bigger payload comes. Strings that could be names are interned. A tuple keeps
 * its elements (a "row", equal rows shared) where they can matter: it holds a global, or lies upon
 * one. Containers forget what is in them; what matters is looked at on the way in.
 *
 * Where two readers of pickles disagree (the C and the Python unpickler, pickletools), the machine
 * goes on if any of them does. `strict` is for bytes that are perhaps no pickle: there an error that
 * every reader makes ends the run, and only what is plainly harmful is recorded. */
#ifndef BZ_ARTIFACT_PICKLE_INT_H
#define BZ_ARTIFACT_PICKLE_INT_H

#include "pickle_names.h"
#include "scan_int.h"

#include <bartizan/limits.h>

enum bz_pk_tag {
    BZ_PK_ABSENT,   /* of the memo: nothing stored */
    BZ_PK_UNDEF,    /* what a broken pickle would have there */
    BZ_PK_PLAIN,    /* None, a truth value, a float, a big number */
    BZ_PK_INT,      /* payload: the number, or BZ_PK_INT_MAX: some number */
    BZ_PK_BIG,      /* a number above; payload: index of `bigs` */
    BZ_PK_STR,      /* could be a name; payload: id */
    BZ_PK_LATE,     /* the same, when no more are interned; payload: number among them */
    BZ_PK_TEXT,     /* another text; payload: 0, 1 (a name that was lost), or a note + 2 */
    BZ_PK_DATA,     /* bytes; payload 0 or number of a note + 1 */
    BZ_PK_EMPTY,    /* the empty tuple */
    BZ_PK_TUPLE,    /* payload: log2 of its size with all that is in it */
    BZ_PK_ROW,      /* a tuple whose elements are known; payload: row */
    BZ_PK_ROW_LOST, /* ... were worth knowing, but there were too many */
    BZ_PK_LIST,     /* from here containers; payload, on the stack only: place in the memo + 1 */
    BZ_PK_DICT,
    BZ_PK_SET,
    BZ_PK_FROZEN,
    BZ_PK_BUFFER,   /* bytearray, out-of-band buffer */
    BZ_PK_GLOBAL,   /* payload: number of the name */
    BZ_PK_OBJECT,   /* an instance, or what a call gave */
    BZ_PK_COMPUTED, /* what a call gave that can be anything: an attribute, a function */
    BZ_PK_DTYPE,    /* payload: number */
    BZ_PK_WRAPPER,  /* joblib's NumpyArrayWrapper */
    BZ_PK_PERSID,
    BZ_PK_EXT, /* by a code that nobody registered; payload: code */
    BZ_PK_TAG_COUNT
};
_Static_assert(BZ_PK_TAG_COUNT <= 32, "five bits");

#define BZ_PK_TAG(v) ((enum bz_pk_tag)((v)&31u))
#define BZ_PK_LOAD(v) ((v) >> 5)
#define BZ_PK_V(tag, load) ((uint32_t)(tag) | ((uint32_t)(load) << 5))
#define BZ_PK_INT_MAX ((1u << 27) - 1)
#define BZ_PK_NONE UINT32_MAX

/* Sizes of the machine. Its caps stand in limits.h; each has a finding that says so. */
enum {
    PK_STACK_MAX = BZ_PICKLE_STACK_MAX,
    PK_MARKS_MAX = BZ_PICKLE_MARKS_MAX,
    PK_PAGE = 4096,        /* values of the memo */
    PK_NAME_LEN = 255,     /* of a name that is kept */
    PK_LATE = 64,          /* late strings that are still known */
    PK_WEIGHTS = 4096,     /* containers whose size is known */
    PK_FOLDS = 32,         /* long batches inside of each other */
    PK_EXTS = 64,          /* codes registered by the pickle itself */
    PK_STORAGES = 1 << 16, /* of a legacy torch file */
};

struct bz_pk_string {
    uint32_t off; /* in `pool` */
    uint16_t n;
};

struct bz_pk_rowref {
    uint32_t off; /* in `cells`: values */
    uint32_t n;   /* elements of the tuple; at most PK_ROW of them are kept */
};
#define PK_ROW 32u

struct bz_pk_global {
    uint32_t module, name; /* strings */
    uint64_t at;           /* where it is first imported */
    struct bz_pk_verdict v;
    uint8_t told; /* bits of PK_TOLD_x: findings that were recorded */
    bool good;    /* called as it may be */
    bool used;    /* by a run that records */
};
enum {
    PK_TOLD_IMPORT = 1,
    PK_TOLD_CALL = 2,
    PK_TOLD_CLASS = 4,
    PK_TOLD_ARGS = 8,
    PK_TOLD_SET = 16
};

struct bz_pk_dtype {
    uint64_t itemsize;
    bool object;   /* pickles stand in place of the data */
    bool flexible; /* its state tells the size */
    bool unknown;  /* not to be told */
};

struct bz_pk_note { /* bytes that may be an artifact by themselves */
    uint64_t off, n;
    bool latin1; /* written as text */
};

struct bz_pk_page {
    uint8_t *slim;
    uint32_t *full;
    uint64_t epoch; /* the pickle whose values these are */
    uint32_t used;  /* places of it, from the first */
};

struct bz_pk_sparse { /* hash of places in the memo */
    struct {
        uint64_t key; /* + 1 */
        uint32_t value;
    } * slots;
    uint32_t cap, n;
};

struct bz_pk_fold { /* values of a very long batch that are only counted any more */
    size_t level;   /* marks below them */
    uint64_t n, weight;
    bool hot; /* some were worth knowing */
};

struct bz_pk_wrapper { /* the last NumpyArrayWrapper, while its state is read */
    size_t dict_at;    /* stack position of its dict; 0: none */
    uint32_t memo;     /* the dict's place in the memo + 1 */
    uint32_t shape, dtype;
    bool has_shape, has_dtype, has_align, bad;
};

struct bz_pk_storage { /* of a legacy torch file */
    uint32_t key;      /* string */
    uint32_t width;    /* bytes of an element */
    uint64_t numel;
};

enum bz_pk_end { /* of a run */
                 BZ_PK_RUNNING,
                 BZ_PK_STOPPED, /* STOP */
                 BZ_PK_ENDED,   /* the bytes end without STOP */
                 BZ_PK_BROKEN,  /* an opcode that there is not, or an error in strict mode */
                 BZ_PK_LIMITED, /* a cap; recorded */
                 BZ_PK_LOST,    /* an array whose end is not known; recorded */
                 BZ_PK_PAUSED,  /* ops_max */
                 BZ_PK_FAILED   /* ->st */
};

/* What one run has of its own; the tables are shared by all runs of a machine. */
#define BZ_PK_RUN                                                                                  \
    struct bz_window w;                                                                            \
    const uint8_t *p, *end, *turn, *op; /* p in [w.buf, end]; at `turn` the loop looks around */   \
    uint64_t op_off, from; /* where the opcode (if op is NULL) and the pickle begin */             \
    uint64_t frame_end;    /* 0: no frame */                                                       \
    uint32_t *stk;                                                                                 \
    size_t n, cap, fence, marks;                                                                   \
    struct bz_buf stk_mem, mark_mem;                                                               \
    uint64_t memo_n; /* values stored */                                                           \
    struct bz_pk_wrapper wrapper;                                                                  \
    struct bz_pk_fold folds[PK_FOLDS], batch; /* batch: of the last mark that was popped */        \
    unsigned folds_n;                                                                              \
    uint64_t fresh_size; /* of the container at stack place fresh_at - 1, not in the memo yet */   \
    size_t fresh_at;                                                                               \
    uint64_t ops_max; /* of m->ops: the run pauses there */                                        \
    uint32_t proto;                                                                                \
    enum bz_pk_end how;                                                                            \
    bool strict, quiet; /* quiet: count, do not record */                                          \
    bool broken, joblib, frame_told;                                                               \
    uint8_t depth /* runs beside the real one */

struct bz_pk_run {
    BZ_PK_RUN;
};

struct bz_pk {
    struct bz_scan *s;
    const struct bz_object *o;
    union {
        struct {
            BZ_PK_RUN;
        };
        struct bz_pk_run run;
    };
    uint64_t ops, ops_told;
    uint64_t side; /* opcodes that were read twice */
    /* memo */
    struct bz_pk_page *pages;
    size_t pages_n, pages_live;
    uint64_t epoch;
    struct bz_pk_sparse sparse, overlay;
    uint8_t *spare_slim;
    /* tables; they live as long as the machine, over several pickles */
    struct bz_buf pool, strings, string_slots, cells, rows, row_slots, globals, global_slots, notes,
        dtypes, bigs, storages, keys;
    uint32_t string_mask, row_mask, global_mask;
    uint32_t late_n;
    struct {
        uint8_t n;
        uint8_t text[PK_NAME_LEN];
    } * late;
    struct bz_pk_sparse promoted; /* late strings that were names: number -> id */
    struct {
        uint32_t key;
        uint8_t log2;
    } * weights;
    struct {
        uint32_t code, global;
    } exts[PK_EXTS];
    uint32_t exts_n;
    uint32_t shape_key, dtype_key, align_key; /* ids of joblib's names */
    uint32_t exact;                           /* of those, imports of exactly harmful names */
    uint32_t called;                          /* of those, calls of harmful functions */
    uint32_t recorded;                        /* findings of kind BZ_RULE_MALICIOUS */
    enum bz_status st;
    struct bz_window side_w;
    struct bz_buf side_stk, side_marks;
    struct bz_pk *inner; /* reads the pickles that stand for arrays of objects */
    bool digits;         /* texts of digits are names: keys of storages */
    bool torch, collect; /* a legacy torch file; the list of its keys is read */
    bool plain;          /* not read by joblib */
    bool expanded, limit_told, side_told;
    uint8_t nest; /* calls in calls */
};

/* ---- pickle_run.c ---- */
enum bz_status bz_pk_init(struct bz_pk *m, struct bz_scan *s, const struct bz_object *o);
void bz_pk_done(struct bz_pk *m);
/* Reads one pickle at `off`: stack and memo begin empty. The answer is m->how. */
void bz_pk_run(struct bz_pk *m, uint64_t off);
/* Goes on where the machine stands. */
void bz_pk_loop(struct bz_pk *m);
void bz_pk_seek(struct bz_pk *m, uint64_t off);
uint64_t bz_pk_off(const struct bz_pk *m);               /* of the opcode at work */
static inline uint64_t bz_pk_at(const struct bz_pk *m) { /* of the next byte */
    return m->w.base + (uint64_t)(m->p - m->w.buf);
}
/* At least n bytes in sight (n <= BZ_WINDOW), else false. */
bool bz_pk_see(struct bz_pk *m, size_t n);
bool bz_pk_skip(struct bz_pk *m, uint64_t n); /* false: the file ends before */
bool bz_pk_stop(struct bz_pk *m, enum bz_pk_end how);
/* An error that every reader makes: true where the machine goes on all the same. */
bool bz_pk_fail(struct bz_pk *m, const char *why);
bool bz_pk_cut(struct bz_pk *m); /* the bytes end inside of an opcode */
#define BZ_PK_NEED(m, k)                                                                           \
    do {                                                                                           \
        if (!bz_pk_see(m, k))                                                                      \
            return bz_pk_cut(m);                                                                   \
    } while (0)
static inline uint32_t bz_pk_le(const uint8_t *p, unsigned n) {
    uint32_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v |= (uint32_t)p[i] << (8 * i);
    return v;
}
static inline uint64_t bz_pk_le64(const uint8_t *p) {
    return bz_pk_le(p, 4) | (uint64_t)bz_pk_le(p + 4, 4) << 32;
}
bool bz_pk_failed(struct bz_pk *m, enum bz_status st); /* false */

/* ---- pickle_stack.c ---- */
bool bz_pk_hot(uint32_t v); /* worth knowing when somebody is called with it */
bool bz_pk_op_mark(struct bz_pk *m);
bool bz_pk_op_pop(struct bz_pk *m);
bool bz_pk_op_pop_mark(struct bz_pk *m);
bool bz_pk_op_dup(struct bz_pk *m);
bool bz_pk_push_slow(struct bz_pk *m, uint32_t v);
static inline bool bz_pk_push(struct bz_pk *m, uint32_t v) {
    if (m->n == m->cap)
        return bz_pk_push_slow(m, v);
    m->stk[m->n++] = v;
    return true;
}
bool bz_pk_pop(struct bz_pk *m, uint32_t *ret);
bool bz_pk_pop_mark(struct bz_pk *m, size_t *ret_start);
uint32_t *bz_pk_top(struct bz_pk *m); /* NULL: nothing there (bz_pk_fail was called) */
bool bz_pk_push_text(struct bz_pk *m, struct bz_view v);
bool bz_pk_push_data(struct bz_pk *m, uint64_t n);
bool bz_pk_push_int(struct bz_pk *m, uint64_t value);
bool bz_pk_put(struct bz_pk *m, uint64_t i);
bool bz_pk_get(struct bz_pk *m, uint64_t i);
uint64_t bz_pk_weight(const struct bz_pk *m, uint32_t v);

/* ---- pickle_text.c ---- */
bool bz_pk_op_short_text(struct bz_pk *m);
bool bz_pk_op_text4(struct bz_pk *m);
bool bz_pk_op_text8(struct bz_pk *m);
bool bz_pk_op_short_bytes(struct bz_pk *m);
bool bz_pk_op_bytes4(struct bz_pk *m);
bool bz_pk_op_bytes8(struct bz_pk *m);
bool bz_pk_op_bytearray8(struct bz_pk *m);

/* ---- pickle_line.c ---- */
/* The next line without its newline, cut at `max` bytes; all of it is eaten. false: no newline. */
bool bz_pk_line(struct bz_pk *m, uint8_t *mem, size_t max, struct bz_view *ret, bool *ret_cut);
bool bz_pk_op_int(struct bz_pk *m);
bool bz_pk_op_long(struct bz_pk *m);
bool bz_pk_op_float(struct bz_pk *m);
bool bz_pk_op_string(struct bz_pk *m);
bool bz_pk_op_unicode(struct bz_pk *m);
bool bz_pk_op_get(struct bz_pk *m);
bool bz_pk_op_put(struct bz_pk *m);
bool bz_pk_op_persid(struct bz_pk *m);

/* ---- pickle_global.c ---- */
bool bz_pk_op_global(struct bz_pk *m);
bool bz_pk_op_stack_global(struct bz_pk *m);
bool bz_pk_op_inst(struct bz_pk *m);
bool bz_pk_op_obj(struct bz_pk *m);
bool bz_pk_op_reduce(struct bz_pk *m);
bool bz_pk_op_newobj(struct bz_pk *m);
bool bz_pk_op_newobj_ex(struct bz_pk *m);
bool bz_pk_op_build(struct bz_pk *m);
bool bz_pk_op_ext1(struct bz_pk *m);
bool bz_pk_op_ext2(struct bz_pk *m);
bool bz_pk_op_ext4(struct bz_pk *m);
bool bz_pk_op_binpersid(struct bz_pk *m);

/* ---- pickle_judge.c ---- */
enum bz_pk_rule {
    PKL_CALL_CODE,
    PKL_CALL_NATIVE,
    PKL_CALL_FILE,
    PKL_CALL_NET,
    PKL_CALL_LOAD,
    PKL_CALL_REACH,
    PKL_CALL_COMPUTED,
    PKL_CALL_UNKNOWN,
    PKL_CALL_ARGS,
    PKL_CALL_STDLIB,
    PKL_CLASS_UNKNOWN,
    PKL_EXPAND,
    PKL_EXT,
    PKL_EXT_ADD,
    PKL_EXTERNAL,
    PKL_FRAME,
    PKL_HOOK,
    PKL_IMPORT,
    PKL_IMPORT_STDLIB,
    PKL_IMPORT_UNKNOWN,
    PKL_LIMIT,
    PKL_MALFORMED,
    PKL_NAME_COMPUTED,
    PKL_NAME_LOST,
    PKL_NAME_ODD,
    PKL_NAME_PATH,
    PKL_NAME_TYPE,
    PKL_PATCH,
    PKL_PRIVATE,
    PKL_TRAILING,
    PKL_TRAILING_CODE,
    PKL_ARRAY,
    PKL_TORCH,
    PKL_RULE_COUNT
};
extern const struct bz_rule bz_pk_rules[];
/* Records (or counts, see `quiet`); false: the run is over (no memory). */
bool bz_pk_found(struct bz_pk *m, enum bz_pk_rule r, uint64_t off, struct bz_view evidence);
bool bz_pk_found_global(struct bz_pk *m, enum bz_pk_rule r, uint32_t g, const char *how);
bool bz_pk_judge_import(struct bz_pk *m, uint32_t g);
enum bz_pk_site { PK_SITE_CALL, PK_SITE_NEW };
/* A callable and its arguments (BZ_PK_UNDEF: unknown ones). ret: what comes of it. */
bool bz_pk_judge_call(struct bz_pk *m, uint32_t callee, uint32_t args, enum bz_pk_site site,
                      uint32_t *ret);
/* Names that are good only when called as they may be (getattr), at the end of a pickle. */
bool bz_pk_judge_end(struct bz_pk *m);
/* `value` is put under `key`. */
bool bz_pk_judge_item(struct bz_pk *m, uint32_t key, uint32_t value);
/* `target` is appended to, set, built. */
bool bz_pk_judge_target(struct bz_pk *m, uint32_t target, const char *how);

/* ---- pickle_shape.c ---- */
/* Whether `args` are what `g` may be called with. ret_result: what comes of the call. false with
 * m->how set: the run is over. */
bool bz_pk_shape_ok(struct bz_pk *m, uint32_t g, uint32_t args, uint32_t *ret_result);
/* Scans bytes of the pickle as an artifact by themselves. */
bool bz_pk_nested(struct bz_pk *m, uint64_t off, uint64_t n);
bool bz_pk_nested_latin1(struct bz_pk *m, uint64_t off, uint64_t n);
/* The same with a text that is perhaps base64 or hexadecimal. */
bool bz_pk_nested_text(struct bz_pk *m, struct bz_view text);

/* ---- pickle_value.c ---- */
struct bz_view bz_pk_text(const struct bz_pk *m, uint32_t id);
/* forced: whatever the bytes are. BZ_PK_NONE: too many. */
uint32_t bz_pk_intern(struct bz_pk *m, struct bz_view v, bool forced);
uint32_t bz_pk_string(struct bz_pk *m, struct bz_view v); /* a value: STR, LATE or TEXT */
/* The text of a value that is one. .p == NULL: not known any more; *ret_is: whether it is a text. */
struct bz_view bz_pk_text_of(struct bz_pk *m, uint32_t v, bool *ret_is);
uint32_t bz_pk_make_row(struct bz_pk *m, const uint32_t *v, size_t n); /* ROW, ROW_LOST */
const uint32_t *bz_pk_row(const struct bz_pk *m, uint32_t v, size_t *ret_n);
struct bz_pk_global *bz_pk_global_at(const struct bz_pk *m, uint32_t g);
/* BZ_PK_NONE: too many. */
uint32_t bz_pk_global(struct bz_pk *m, struct bz_view module, struct bz_view name);
uint32_t bz_pk_memo_get(const struct bz_pk *m, uint64_t i); /* BZ_PK_ABSENT */
bool bz_pk_memo_put(struct bz_pk *m, uint64_t i, uint32_t v);
void bz_pk_memo_reset(struct bz_pk *m);
void bz_pk_overlay_reset(struct bz_pk *m);
void bz_pk_tables(struct bz_pk *m);
void bz_pk_tables_done(struct bz_pk *m);
/* A cap, said once. false: the run is over (strict runs, no memory). */
bool bz_pk_limit(struct bz_pk *m, const char *what);
void *bz_pk_vec(struct bz_buf *b, size_t size); /* room for one more, or NULL */
uint32_t bz_pk_new_dtype(struct bz_pk *m, struct bz_pk_dtype d);
struct bz_pk_dtype *bz_pk_dtype_at(const struct bz_pk *m, uint32_t v);
bool bz_pk_number(const struct bz_pk *m, uint32_t v, uint64_t *ret);

/* ---- joblib.c ---- */
bool bz_pk_wrapper_item(struct bz_pk *m, size_t target, uint32_t key, uint32_t value);
bool bz_pk_wrapper_build(struct bz_pk *m); /* its array follows here */
uint32_t bz_pk_dtype_call(struct bz_pk *m, uint32_t args);
void bz_pk_dtype_build(struct bz_pk *m, uint32_t dtype, uint32_t state);

/* Reads on at the machine's place as a reader would that knows nothing of joblib. */
bool bz_pk_beside(struct bz_pk *m);

/* ---- torch_legacy.c ---- */
bool bz_pk_torch_begins(struct bz_view head);
uint32_t bz_pk_torch_persid(struct bz_pk *m, uint32_t id); /* what it stands for */
bool bz_pk_torch_key(struct bz_pk *m, uint32_t text);
/* The storages from `off` on, as the list of keys says. ret_end: what follows them. */
enum bz_status bz_pk_torch_storages(struct bz_pk *m, uint64_t off, uint64_t *ret_end);

bool bz_pk_opcode(uint8_t c); /* whether there is one: pickle_run.c */
extern const struct bz_format bz_format_pickle;

#endif
