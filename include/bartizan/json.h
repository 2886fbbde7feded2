/* Strict JSON for hostile bodies: one parse into a tree, canonical writing from the tree.
 *
 * Accepted: RFC 8259 text in UTF-8 without BOM, one value, nothing but blanks around it.
 * Refused with offset and reason: invalid/overlong UTF-8, raw control characters, lone surrogates
 * (raw or escaped), \u0000, duplicate keys (after unescaping; also after case folding if asked),
 * NaN/Infinity, leading zeros, trailing bytes, depth, node, key-count and number-length caps.
 * Canonical form: members in their order, no blanks, shortest escapes (\" \\ \b \f \n \r \t, \u00xx
 * lower case for other controls), everything else raw UTF-8, numbers byte for byte as written.
 * Parse(Write(t)) == t. */
#ifndef BARTIZAN_JSON_H
#define BARTIZAN_JSON_H

#include <bartizan/arena.h>
#include <bartizan/buf.h>

enum bz_json_type {
    BZ_JSON_NULL,
    BZ_JSON_FALSE,
    BZ_JSON_TRUE,
    BZ_JSON_NUMBER,
    BZ_JSON_STRING,
    BZ_JSON_ARRAY,
    BZ_JSON_OBJECT,
    BZ_JSON_TYPE_COUNT
};

/* Flags of a node. */
enum {
    BZ_JSON_VAL_CLEAN = 1, /* val can be written without escaping */
    BZ_JSON_KEY_CLEAN = 2, /* key can be written without escaping */
    /* Of the root alone: the input was this tree's canonical text already, byte for byte. Says
     * nothing about a tree that was edited since. */
    BZ_JSON_CANONICAL = 4,
};

struct bz_json {
    uint8_t type; /* enum bz_json_type */
    uint8_t flags;
    uint16_t depth;
    uint32_t count;        /* children of an array or object */
    struct bz_view key;    /* decoded key when the parent is an object */
    struct bz_view val;    /* STRING: decoded text; NUMBER: lexeme; else empty */
    struct bz_json *first; /* first child */
    struct bz_json *next;  /* next sibling */
    uint64_t off;          /* where the value starts in the input */
};

struct bz_json_opts {
    uint32_t max_depth; /* 0: BZ_JSON_DEPTH_MAX; likewise below (limits.h) */
    uint32_t max_nodes;
    uint32_t max_keys;   /* per object */
    uint32_t max_number; /* bytes of one number */
    bool fold_keys;      /* keys equal after case folding are duplicates too (Go servers: Ollama) */
};

/* Views in the tree point into `in` or into the arena: both must outlive it.
 * OK; ESYNTAX, EUTF8, EDUPKEY, EDEPTH, ETOOBIG, ETRAILING (diag says where and why); ENOMEM.
 * Cost O(in.n); no allocation but from the arena. */
enum bz_status bz_json_parse(struct bz_view in, const struct bz_json_opts *opts,
                             struct bz_arena *ar, struct bz_json **ret_root,
                             struct bz_diag *diag) BZ_MUST_USE;
/* Same checks, no tree: for stream events that pass through. Scratch takes only escaped or folded
 * keys and the key list when more than 32 members are open; most events never touch it. */
enum bz_status bz_json_check(struct bz_view in, const struct bz_json_opts *opts,
                             struct bz_arena *scratch, struct bz_diag *diag) BZ_MUST_USE;

/* Member by exact key; NULL when absent or obj is NULL or no object. O(count). */
const struct bz_json *bz_json_get(const struct bz_json *obj, struct bz_view key);
struct bz_json *bz_json_get_mut(struct bz_json *obj, struct bz_view key);
/* Text of a string node, or an empty view with p == NULL. */
struct bz_view bz_json_str(const struct bz_json *n);
/* Integer of a number node written without fraction or exponent. ESYNTAX (not an integer), ERANGE,
 * EINVAL (no number). */
enum bz_status bz_json_i64(const struct bz_json *n, int64_t *ret) BZ_MUST_USE;
/* Any number node as double, for range checks only. */
enum bz_status bz_json_f64(const struct bz_json *n, double *ret) BZ_MUST_USE;
static inline bool bz_json_is(const struct bz_json *n, enum bz_json_type t) {
    return n != NULL && n->type == (uint8_t)t;
}

/* Edits of a tree. Memory from `ar`; views are borrowed. */
struct bz_json *bz_json_new_str(struct bz_arena *ar, struct bz_view text);
struct bz_json *bz_json_new_num(struct bz_arena *ar, int64_t v);
struct bz_json *bz_json_new_bool(struct bz_arena *ar, bool v);
struct bz_json *bz_json_new_obj(struct bz_arena *ar);
/* Replaces the value of n by a string. */
void bz_json_set_str(struct bz_json *n, struct bz_view text);
/* Appends a member; the key must be new. O(count). */
void bz_json_add(struct bz_json *obj, struct bz_view key, struct bz_json *val);
bool bz_json_remove(struct bz_json *obj, struct bz_view key); /* true if it was there */

/* Canonical form of a tree. Failures are latched in `out`. O(size), no recursion beyond the depth
 * cap. */
void bz_json_write(struct bz_buf *out, const struct bz_json *n);
/* A JSON string literal of `text` (which must be UTF-8; invalid bytes become U+FFFD). */
void bz_json_write_str(struct bz_buf *out, struct bz_view text);

/* JSON writer that tracks nesting and commas; misuse latches EINVAL in the buffer. */
struct bz_jw {
    struct bz_buf *b;
    uint32_t depth;
    uint64_t need_comma; /* bit per depth */
    uint64_t is_obj;
    bool after_key;
};
void bz_jw_init(struct bz_jw *w, struct bz_buf *b);
void bz_jw_obj(struct bz_jw *w);
void bz_jw_end(struct bz_jw *w); /* closes the innermost object or array */
void bz_jw_arr(struct bz_jw *w);
void bz_jw_key(struct bz_jw *w, const char *key);
void bz_jw_str(struct bz_jw *w, struct bz_view v);
void bz_jw_u64(struct bz_jw *w, uint64_t v);
void bz_jw_i64(struct bz_jw *w, int64_t v);
void bz_jw_bool(struct bz_jw *w, bool v);
void bz_jw_null(struct bz_jw *w);
void bz_jw_raw(struct bz_jw *w, struct bz_view json); /* already valid JSON */
void bz_jw_time(struct bz_jw *w, uint64_t unix_ns);
static inline void bz_jw_kstr(struct bz_jw *w, const char *k, struct bz_view v) {
    bz_jw_key(w, k);
    bz_jw_str(w, v);
}
static inline void bz_jw_ku64(struct bz_jw *w, const char *k, uint64_t v) {
    bz_jw_key(w, k);
    bz_jw_u64(w, v);
}
static inline void bz_jw_kbool(struct bz_jw *w, const char *k, bool v) {
    bz_jw_key(w, k);
    bz_jw_bool(w, v);
}

#endif
