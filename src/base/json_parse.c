/* Strict JSON reader. One pass over a stack of open containers; no recursion.
 *
 * UTF-8 of the whole input is checked first (at vector speed), so the scanner below only looks for
 * quotes, backslashes and controls, and every string is a run of bytes that is known to be text.
 *
 * bz_json_check runs the same code: there every node is the one `sink`, and only keys are kept.
 *
 * Duplicate keys. The keys of all open objects lie on one stack, each with its first eight bytes as
 * a number:
 *
 *     keys:  [ model | messages | ... | role | content ]
 *              ^ frames[0].keys         ^ frames[2].keys
 *
 * Up to LINEAR keys a new one is compared with all before it. Bigger objects are sorted when they
 * close: n log n for every input, where a hash table would need a secret seed to be safe from
 * chosen collisions. */
#include "json_text.h"

#include <bartizan/limits.h>
#include <bartizan/text.h>

enum { LINEAR = 16, KEYS_INLINE = 32 };

struct key {
    uint64_t head; /* first 8 bytes, big-endian, zero-padded: orders like the bytes do */
    const uint8_t *p;
    uint32_t n;
    uint32_t off; /* in the input, for the diagnosis */
};

struct frame {
    struct bz_json *node;
    struct bz_json **tail; /* where the next child is hooked in */
    uint32_t keys;         /* its first key on the stack */
    uint32_t count;        /* children so far */
    bool is_obj;
};

struct parser {
    const uint8_t *p, *end, *start;
    struct bz_arena *ar;
    struct bz_diag *diag;
    uint32_t max_depth, max_nodes, max_keys, max_number;
    uint32_t depth, nodes, nkeys, keys_cap;
    bool fold, tree;
    bool other; /* blanks or escapes: the canonical text may be another one than the input */
    struct key *keys;
    struct bz_json *root;
    struct bz_json sink;
    struct key keys_inline[KEYS_INLINE];
    struct frame frames[BZ_JSON_DEPTH_MAX];
};

static enum bz_status __attribute__((cold, noinline))
fail(struct parser *s, enum bz_status st, const uint8_t *at, const char *why) {
    bz_diag_set(s->diag, (uint64_t)(at - s->start), why);
    return st;
}

static enum bz_status __attribute__((cold, noinline)) no_memory(struct parser *s) {
    return fail(s, BZ_ENOMEM, s->p, "out of memory");
}

static enum bz_status __attribute__((cold, noinline))
unexpected(struct parser *s, const char *why) {
    return fail(s, BZ_ESYNTAX, s->p, s->p == s->end ? "input ends too early" : why);
}

static inline void blanks(struct parser *s) {
    const uint8_t *p = s->p;
    while (p < s->end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        s->other = true;
        p++;
    }
    s->p = p;
}

/* A string with escapes, from its opening quote. With `keep` false it is only checked. */
static enum bz_status __attribute__((noinline))
string_escaped(struct parser *s, bool keep, struct bz_view *ret) {
    const uint8_t *open = s->p;
    const uint8_t *q = bz_json_plain(open + 1, s->end);
    s->other = true;
    while (q < s->end && *q != '"') {
        if (*q != '\\')
            return fail(s, BZ_ESYNTAX, q, "control character in a string");
        if (s->end - q < 2)
            break;
        q = bz_json_plain(q + 2, s->end);
    }
    if (q >= s->end || *q != '"')
        return fail(s, BZ_ESYNTAX, open, "string without an end");
    uint8_t *out = NULL;
    if (keep) {
        /* Enough: an escape is longer than what it stands for. */
        out = bz_arena_alloc(s->ar, (size_t)(q - open));
        if (out == NULL)
            return no_memory(s);
    }
    size_t n = 0;
    for (const uint8_t *r = open + 1; r < q;) {
        const uint8_t *stop = bz_json_plain(r, s->end);
        if (out != NULL)
            bz_json_copy(out + n, r, (size_t)(stop - r));
        n += (size_t)(stop - r);
        r = stop;
        if (r == q)
            break;
        uint8_t one[4];
        size_t one_n = 0;
        const char *why = NULL;
        enum bz_status st = bz_json_escape(&r, q, one, &one_n, &why);
        if (st != BZ_OK)
            return fail(s, st, r, why);
        for (size_t i = 0; out != NULL && i < one_n; i++)
            out[n + i] = one[i];
        n += one_n;
    }
    s->p = q + 1;
    *ret = bz_view(out, out == NULL ? 0 : n);
    return BZ_OK;
}

/* s->p is at the opening quote. *ret_clean: the text is a view into the input. */
static inline enum bz_status string(struct parser *s, bool keep, struct bz_view *ret,
                                    bool *ret_clean) {
    const uint8_t *open = s->p + 1;
    const uint8_t *q = bz_json_plain(open, s->end);
    *ret_clean = q < s->end && *q == '"';
    if (!*ret_clean)
        return string_escaped(s, keep, ret);
    *ret = bz_view(open, (size_t)(q - open));
    s->p = q + 1;
    return BZ_OK;
}

static inline const uint8_t *digits(const uint8_t *p, const uint8_t *end) {
    while (p < end && (uint8_t)(*p - '0') <= 9)
        p++;
    return p;
}

/* RFC 8259, section 6. The lexeme is kept as it is. */
static enum bz_status number(struct parser *s, struct bz_view *ret) {
    const uint8_t *p = s->p;
    const uint8_t *end = s->end;
    p += *p == '-';
    const uint8_t *whole = p;
    p = digits(p, end);
    bool bad = p == whole || (*whole == '0' && p - whole > 1);
    if (!bad && p < end && *p == '.') {
        const uint8_t *part = p + 1;
        p = digits(part, end);
        bad = p == part;
    }
    if (!bad && p < end && (*p | 0x20) == 'e') {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        const uint8_t *part = p;
        p = digits(part, end);
        bad = p == part;
    }
    if (bad)
        return fail(s, BZ_ESYNTAX, s->p, "malformed number");
    if ((size_t)(p - s->p) > s->max_number)
        return fail(s, BZ_ETOOBIG, s->p, "number with too many digits");
    *ret = bz_view(s->p, (size_t)(p - s->p));
    s->p = p;
    return BZ_OK;
}

static enum bz_status literal(struct parser *s, struct bz_view word) {
    if (!bz_view_starts(bz_view(s->p, (size_t)(s->end - s->p)), word))
        return fail(s, BZ_ESYNTAX, s->p, "unknown word");
    s->p += word.n;
    return BZ_OK;
}

static enum bz_status open_container(struct parser *s, struct bz_json *n, bool is_obj) {
    if (s->depth >= s->max_depth)
        return fail(s, BZ_EDEPTH, s->p, "nested too deeply");
    s->frames[s->depth++] =
        (struct frame){.node = n, .tail = &n->first, .keys = s->nkeys, .is_obj = is_obj};
    s->p++;
    return BZ_OK;
}

static enum bz_status scalar(struct parser *s, struct bz_json *n) {
    switch (*s->p) {
    case 't':
        n->type = BZ_JSON_TRUE;
        return literal(s, BZ_V("true"));
    case 'f':
        n->type = BZ_JSON_FALSE;
        return literal(s, BZ_V("false"));
    case 'n':
        n->type = BZ_JSON_NULL;
        return literal(s, BZ_V("null"));
    default:
        if (*s->p != '-' && (uint8_t)(*s->p - '0') > 9)
            return unexpected(s, "a value was expected");
        n->type = BZ_JSON_NUMBER;
        n->flags |= BZ_JSON_VAL_CLEAN;
        return number(s, &n->val);
    }
}

/* Reads a scalar, or opens a container whose children follow. */
static inline enum bz_status value(struct parser *s, struct bz_view key, uint8_t flags) {
    blanks(s);
    if (s->p == s->end)
        return unexpected(s, "");
    if (s->nodes++ >= s->max_nodes)
        return fail(s, BZ_ETOOBIG, s->p, "too many values");
    struct bz_json *n = s->tree ? bz_arena_alloc(s->ar, sizeof *n) : &s->sink;
    if (n == NULL)
        return no_memory(s);
    *n = (struct bz_json){.flags = flags,
                          .depth = (uint16_t)s->depth,
                          .key = key,
                          .off = (uint64_t)(s->p - s->start)};
    if (s->depth != 0) {
        struct frame *f = &s->frames[s->depth - 1];
        *f->tail = n;
        f->tail = &n->next;
        f->count++;
    } else {
        s->root = n;
    }
    switch (*s->p) {
    case '"': {
        bool clean = false;
        n->type = BZ_JSON_STRING;
        BZ_TRY(string(s, s->tree, &n->val, &clean));
        n->flags |= clean ? BZ_JSON_VAL_CLEAN : 0;
        return BZ_OK;
    }
    case '{':
        n->type = BZ_JSON_OBJECT;
        return open_container(s, n, true);
    case '[':
        n->type = BZ_JSON_ARRAY;
        return open_container(s, n, false);
    default:
        return scalar(s, n);
    }
}

static inline uint64_t be64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* True when eight bytes can be read at p because it points into the input. */
static inline bool in_input(const struct parser *s, const uint8_t *p) {
    uintptr_t off = (uintptr_t)p - (uintptr_t)s->start;
    uintptr_t n = (uintptr_t)s->end - (uintptr_t)s->start;
    return off < n && n - off >= 8;
}

static inline uint64_t key_head(const struct parser *s, const uint8_t *p, size_t n) {
    if (n >= 8)
        return be64(p);
    /* Most keys lie in the input with eight readable bytes. */
    if (n != 0 && in_input(s, p))
        return be64(p) & ~(uint64_t)0 << (64 - 8 * n);
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (56 - 8 * i);
    return v;
}

/* Orders by head, then length, then bytes: any total order will do. */
static inline int key_cmp(const struct key *a, const struct key *b) {
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return a->n <= 8 ? 0 : memcmp(a->p, b->p, a->n);
}

static enum bz_status __attribute__((noinline)) more_keys(struct parser *s) {
    uint32_t cap = s->keys_cap * 2;
    struct key *keys = bz_arena_alloc(s->ar, cap * sizeof *keys);
    if (keys == NULL)
        return no_memory(s);
    memcpy(keys, s->keys, s->nkeys * sizeof *keys);
    s->keys = keys;
    s->keys_cap = cap;
    return BZ_OK;
}

static inline enum bz_status remember(struct parser *s, struct frame *f, struct bz_view key,
                                      const uint8_t *at) {
    if (f->count >= s->max_keys)
        return fail(s, BZ_ETOOBIG, at, "too many members in an object");
    if (s->fold && bz_json_folds(key.p, key.n)) {
        uint8_t *folded = bz_arena_alloc(s->ar, key.n);
        if (folded == NULL)
            return no_memory(s);
        key = bz_view(folded, bz_json_fold(key.p, key.n, folded));
    }
    if (s->nkeys == s->keys_cap)
        BZ_TRY(more_keys(s));
    struct key k = {key_head(s, key.p, key.n), key.p, (uint32_t)key.n, (uint32_t)(at - s->start)};
    if (f->count < LINEAR) {
        for (const struct key *o = s->keys + f->keys; o < s->keys + s->nkeys; o++) {
            if (o->head == k.head && key_cmp(o, &k) == 0)
                return fail(s, BZ_EDUPKEY, at, "duplicate key");
        }
    }
    s->keys[s->nkeys++] = k;
    return BZ_OK;
}

static void sift(struct key *a, size_t from, size_t n) {
    struct key moving = a[from];
    size_t at = from;
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && key_cmp(&a[child], &a[child + 1]) < 0)
            child++;
        if (key_cmp(&moving, &a[child]) >= 0)
            break;
        a[at] = a[child];
    }
    a[at] = moving;
}

/* Heapsort: in place, n log n for every input. Then duplicates are neighbours. */
static enum bz_status __attribute__((noinline))
sort_and_compare(struct parser *s, struct key *a, size_t n) {
    for (size_t i = n / 2; i-- > 0;)
        sift(a, i, n);
    for (size_t i = n - 1; i > 0; i--) {
        struct key top = a[0];
        a[0] = a[i];
        a[i] = top;
        sift(a, 0, i);
    }
    for (size_t i = 1; i < n; i++) {
        if (key_cmp(&a[i - 1], &a[i]) == 0) {
            uint32_t off = a[i].off > a[i - 1].off ? a[i].off : a[i - 1].off;
            return fail(s, BZ_EDUPKEY, s->start + off, "duplicate key");
        }
    }
    return BZ_OK;
}

static inline enum bz_status close_container(struct parser *s, struct frame *f) {
    if (f->is_obj && f->count > LINEAR)
        BZ_TRY(sort_and_compare(s, s->keys + f->keys, f->count));
    s->nkeys = f->keys;
    f->node->count = f->count;
    s->depth--;
    s->p++;
    return BZ_OK;
}

/* In an open object: its end, or one member. */
static inline enum bz_status member(struct parser *s, struct frame *f) {
    blanks(s);
    if (s->p < s->end && *s->p == '}')
        return close_container(s, f);
    if (f->count != 0) {
        if (s->p == s->end || *s->p != ',')
            return unexpected(s, "a comma or closing brace was expected");
        s->p++;
        blanks(s);
    }
    if (s->p == s->end || *s->p != '"')
        return unexpected(s, "a key was expected");
    const uint8_t *at = s->p;
    struct bz_view key;
    bool clean = false;
    BZ_TRY(string(s, true, &key, &clean));
    BZ_TRY(remember(s, f, key, at));
    blanks(s);
    if (s->p == s->end || *s->p != ':')
        return unexpected(s, "a colon was expected");
    s->p++;
    return value(s, key, clean ? BZ_JSON_KEY_CLEAN : 0);
}

/* In an open array: its end, or one element. */
static inline enum bz_status element(struct parser *s, struct frame *f) {
    blanks(s);
    if (s->p < s->end && *s->p == ']')
        return close_container(s, f);
    if (f->count != 0) {
        if (s->p == s->end || *s->p != ',')
            return unexpected(s, "a comma or closing bracket was expected");
        s->p++;
    }
    return value(s, bz_view(NULL, 0), 0);
}

static enum bz_status document(struct parser *s) {
    struct bz_view in = bz_view(s->start, (size_t)(s->end - s->start));
    if (in.n > UINT32_MAX)
        return fail(s, BZ_ETOOBIG, s->start, "above 4 GiB");
    if (bz_view_starts(in, BZ_V("\xef\xbb\xbf")))
        return fail(s, BZ_ESYNTAX, s->start, "byte order mark");
    size_t valid = bz_utf8_valid(in);
    if (valid != in.n)
        return fail(s, BZ_EUTF8, s->start + valid, "invalid UTF-8");
    BZ_TRY(value(s, bz_view(NULL, 0), 0));
    while (s->depth != 0) {
        struct frame *f = &s->frames[s->depth - 1];
        BZ_TRY(f->is_obj ? member(s, f) : element(s, f));
    }
    blanks(s);
    if (s->p != s->end)
        return fail(s, BZ_ETRAILING, s->p, "bytes after the value");
    return BZ_OK;
}

static uint32_t or_default(uint32_t v, uint32_t dflt) {
    return v == 0 ? dflt : v;
}

static enum bz_status parse(struct bz_view in, const struct bz_json_opts *opts, struct bz_arena *ar,
                            bool tree, struct bz_json **ret_root, struct bz_diag *diag) {
    static const struct bz_json_opts defaults = {0};
    if (opts == NULL)
        opts = &defaults;
    /* The two big arrays are written before they are read; zeroing 3 KiB would cost as much as a
     * small body. */
    struct parser s __attribute__((uninitialized));
    if (in.n == 0)
        in = BZ_V(""); /* its pointer may be NULL */
    s.p = s.start = in.p;
    s.end = in.p + in.n;
    s.ar = ar;
    s.diag = diag;
    s.max_depth = or_default(opts->max_depth, BZ_JSON_DEPTH_MAX);
    if (s.max_depth > BZ_JSON_DEPTH_MAX)
        s.max_depth = BZ_JSON_DEPTH_MAX;
    s.max_nodes = or_default(opts->max_nodes, BZ_JSON_NODES_MAX);
    s.max_keys = or_default(opts->max_keys, BZ_JSON_KEYS_MAX);
    s.max_number = or_default(opts->max_number, BZ_JSON_NUMBER_MAX);
    s.depth = s.nodes = s.nkeys = 0;
    s.keys_cap = KEYS_INLINE;
    s.keys = s.keys_inline;
    s.fold = opts->fold_keys;
    s.tree = tree;
    s.other = false;
    s.root = NULL;
    bz_diag_set(diag, 0, NULL);
    BZ_TRY(document(&s));
    if (ret_root != NULL) {
        s.root->flags |= s.other ? 0 : BZ_JSON_CANONICAL;
        *ret_root = s.root;
    }
    return BZ_OK;
}

enum bz_status bz_json_parse(struct bz_view in, const struct bz_json_opts *opts,
                             struct bz_arena *ar, struct bz_json **ret_root, struct bz_diag *diag) {
    return parse(in, opts, ar, true, ret_root, diag);
}

enum bz_status bz_json_check(struct bz_view in, const struct bz_json_opts *opts,
                             struct bz_arena *scratch, struct bz_diag *diag) {
    return parse(in, opts, scratch, false, NULL, diag);
}
