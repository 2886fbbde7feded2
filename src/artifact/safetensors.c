/* safetensors: the header is JSON of a fixed shape, so it is read as it comes, without a tree: a
 * header may have 100 MB and a million tensors.
 *
 *     u64 N | N bytes of JSON | data, whose ranges lie side by side from 0 to the end of the file
 *
 * Source: safetensors/src/tensor.rs and the format's README (May 2026). */
#include "scan_int.h"

#include <bartizan/limits.h>
#include <bartizan/text.h>
#include "tensors.h"

enum rule {
    R_BOUNDS,
    R_CODE,
    R_DTYPE,
    R_DUPKEY,
    R_HEADER,
    R_HOLE,
    R_JSON,
    R_KEY,
    R_LENGTH,
    R_METADATA,
    R_SHAPE,
    R_SIZE,
    R_TRAILING,
    R_UTF8,
    R_COUNT
};

static const struct bz_rule rules[R_COUNT + 1] = {
    [R_BOUNDS] = {"ST-BOUNDS", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                  "a tensor's range is backwards or ends beyond the file",
                  "a loader that trusts it reads memory that is not the model's",
                  "the download is cut short, or the file was made for this: take it again",
                  "CWE-125"},
    [R_CODE] = {"ST-CODE", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS,
                "metadata that looks like a program or a command",
                "nothing by itself: a loader that evaluates metadata would run it",
                "look at it; compare with the publisher's file", "CWE-94"},
    [R_DTYPE] = {"ST-DTYPE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "a tensor of an unknown type",
                 "cannot be loaded, or is read as another type",
                 "take the file from its origin again", ""},
    [R_DUPKEY] = {"ST-DUPKEY", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "a name is there twice",
                  "one loader takes the first, another the last",
                  "take the file from its origin again", "CWE-436"},
    [R_HEADER] = {"ST-HEADER", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                  "the header does not begin with '{' or does not end with blanks alone",
                  "other programs see another file in it", "take the file from its origin again",
                  "CWE-436"},
    [R_HOLE] = {"ST-LAYOUT", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                "tensors overlap, or there are bytes between them that belong to none",
                "hides bytes, or lets one tensor change another",
                "take the file from its origin again", "CWE-436"},
    [R_JSON] = {"ST-JSON", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "the header is not JSON",
                "loaders stop, or read something else", "take the file from its origin again", ""},
    [R_KEY] = {"ST-KEY", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
               "a tensor lacks a member, or has one that the format does not know",
               "loaders stop, or ignore what others use", "take the file from its origin again",
               ""},
    [R_LENGTH] = {"ST-LENGTH", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                  "the header's length is above 100 MB or beyond the end of the file",
                  "loaders allocate by it", "take the file from its origin again", "CWE-789"},
    [R_METADATA] = {"ST-METADATA", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                    "__metadata__ is not a map of strings to strings", "loaders stop",
                    "take the file from its origin again", ""},
    [R_SHAPE] = {"ST-SHAPE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                 "a shape that is no list of numbers, or whose product overflows",
                 "the loader's size is too small for what is read",
                 "take the file from its origin again", "CWE-190"},
    [R_SIZE] = {"ST-SIZE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                "a tensor's range is not as long as its shape and type say",
                "a loader reads beyond the tensor", "take the file from its origin again",
                "CWE-131"},
    [R_TRAILING] = {"ST-TRAILING", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                    "bytes behind the last tensor",
                    "another program may see another file in them (a pickle, an archive)",
                    "take the file from its origin again", "CWE-436"},
    [R_UTF8] = {"ST-UTF8", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "the header is not UTF-8",
                "loaders stop", "take the file from its origin again", ""},
    [R_COUNT] = {.id = NULL},
};

#define HEADER_MAX 100000000u
enum { NAME_KEEP = 4096 };

struct st {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_window w;
    uint64_t end;      /* of the header */
    enum bz_status st; /* why it ended; OK also for a finding */
    bool stop;
    struct bz_pairs names, ranges, metadata;
    uint8_t keep[2][NAME_KEEP]; /* a key, and a value of the metadata */
    struct bz_view dtype;
    uint8_t dtype_mem[16];
};

/* Records a finding and ends the walk. */
static bool stop(struct st *x, enum rule r, uint64_t off, struct bz_view evidence) {
    if (x->st == BZ_OK && !x->stop)
        x->st = bz_scan_found(x->s, x->o, &rules[r], off, evidence);
    x->stop = true;
    return false;
}

static uint64_t here(const struct st *x) {
    return bz_window_off(&x->w);
}

/* ---- JSON, forward --------------------------------------------------------------------------- */

/* The next byte of the header, -1 at its end. */
static int peek(struct st *x) {
    struct bz_window *w = &x->w;
    if (here(x) >= x->end || x->stop)
        return -1;
    if (w->at < w->n)
        return w->buf[w->at];
    struct bz_view v = bz_window_peek(w, 1);
    if (v.n == 0) {
        x->st = w->st == BZ_ETRAILING ? BZ_OK : w->st;
        return -1;
    }
    return v.p[0];
}

static inline void next(struct st *x) {
    x->w.at++;
}

static int blanks(struct st *x) {
    int c = peek(x);
    while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        next(x);
        c = peek(x);
    }
    return c;
}

static bool want(struct st *x, int c) {
    if (blanks(x) != c)
        return stop(x, R_JSON, here(x), BZ_V(""));
    next(x);
    return true;
}

struct text { /* a string as it is read: what does not fit is only checked */
    uint8_t *p;
    size_t n, cap;
    uint64_t all;
    struct bz_view view;
};

static void put(struct text *t, const uint8_t *p, size_t n) {
    size_t room = t->cap - t->n;
    t->all += n;
    if (n > room)
        n = room;
    if (n > 0)
        memcpy(t->p + t->n, p, n);
    t->n += n;
}

static bool hex4(struct st *x, uint32_t *ret) {
    *ret = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(x), low = c | 0x20;
        int d = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
        if (d < 0)
            return stop(x, R_JSON, here(x), BZ_V("escape"));
        *ret = *ret << 4 | (uint32_t)d;
        next(x);
    }
    return true;
}

static bool escape(struct st *x, struct text *t) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint8_t out[4];
    uint32_t cp = 0, low = 0;
    next(x);
    int c = peek(x);
    const char *simple = c <= 0 ? NULL : strchr(from, c);
    if (simple != NULL) {
        out[0] = (uint8_t)to[simple - from];
        put(t, out, 1);
        next(x);
        return true;
    }
    if (c != 'u')
        return stop(x, R_JSON, here(x), BZ_V("escape"));
    next(x);
    if (!hex4(x, &cp))
        return false;
    if (cp >= 0xd800 && cp < 0xdc00 && peek(x) == '\\') {
        next(x);
        if (peek(x) != 'u')
            return stop(x, R_JSON, here(x), BZ_V("surrogate"));
        next(x);
        if (!hex4(x, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return stop(x, R_JSON, here(x), BZ_V("surrogate"));
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
    }
    if (cp >= 0xd800 && cp < 0xe000)
        return stop(x, R_JSON, here(x), BZ_V("surrogate"));
    put(t, out, bz_utf8_encode(cp, out));
    return true;
}

/* Plain bytes up to a quote, a backslash or a control byte; UTF-8 is checked on the way. */
static bool plain(struct st *x, struct text *t) {
    struct bz_view v = bz_window_peek(&x->w, 4);
    if (v.n > x->end - here(x))
        v.n = (size_t)(x->end - here(x));
    size_t n = 0;
    while (n < v.n && v.p[n] != '"' && v.p[n] != '\\' && v.p[n] >= 0x20)
        n++;
    size_t good = bz_utf8_valid(bz_view_sub(v, 0, n));
    bool cut = n == v.n && n - good < 4 && here(x) + n < x->end && good > 0;
    if (good < n && !cut)
        return stop(x, R_UTF8, here(x) + good, bz_view_sub(v, good, 4));
    put(t, v.p, good);
    bz_window_skip(&x->w, good);
    return true;
}

static bool string(struct st *x, struct text *t) {
    if (!want(x, '"'))
        return false;
    for (;;) {
        int c = peek(x);
        if (c == '"')
            break;
        if (c < 0x20)
            return stop(x, R_JSON, here(x), BZ_V("string"));
        if (!(c == '\\' ? escape(x, t) : plain(x, t)))
            return false;
    }
    next(x);
    t->view = bz_view(t->p, t->n);
    return true;
}

/* A number that is a size: digits alone. */
static bool size(struct st *x, uint64_t *ret, enum rule r) {
    int c = blanks(x);
    uint64_t at = here(x);
    *ret = 0;
    for (; c >= '0' && c <= '9'; c = peek(x)) {
        bool zero = here(x) > at && *ret == 0;
        if (zero || __builtin_mul_overflow(*ret, 10u, ret) ||
            __builtin_add_overflow(*ret, (uint64_t)(c - '0'), ret))
            return stop(x, r, at, BZ_V("number"));
        next(x);
    }
    bool more = c == '.' || c == 'e' || c == 'E' || c == '-' || c == '+';
    return (here(x) > at && !more) || stop(x, r, at, BZ_V("number"));
}

/* After an element: true when another follows. */
static bool more(struct st *x, int end, bool *ret_done) {
    int c = blanks(x);
    *ret_done = c == end;
    if (c != ',' && c != end)
        return stop(x, R_JSON, here(x), BZ_V("list"));
    next(x);
    return c == ',';
}

static bool closed(struct st *x, int open, int end, bool *ret_empty) {
    if (!want(x, open))
        return false;
    *ret_empty = blanks(x) == end;
    if (*ret_empty)
        next(x);
    return true;
}

/* ---- a tensor -------------------------------------------------------------------------------- */

static unsigned dtype_bits(struct bz_view v) {
    static const struct {
        const char *name;
        uint8_t bits;
    } table[] = {
        {"F32", 32},    {"F16", 16},    {"BF16", 16},       {"U8", 8},          {"I8", 8},
        {"I32", 32},    {"I64", 64},    {"F64", 64},        {"BOOL", 8},        {"I16", 16},
        {"U16", 16},    {"U32", 32},    {"U64", 64},        {"C64", 64},        {"F8_E5M2", 8},
        {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6},
        {"F6_E3M2", 6}, {"F4", 4},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (bz_view_eq(v, bz_view_str(table[i].name)))
            return table[i].bits;
    }
    return 0;
}

struct tensor {
    uint64_t at, begin, end, elements;
    unsigned bits, seen; /* seen: 1 dtype, 2 shape, 4 data_offsets */
};

static bool shape(struct st *x, struct tensor *t) {
    bool empty = false, done = false;
    uint64_t n = 0;
    t->elements = 1;
    if (blanks(x) != '[')
        return stop(x, R_SHAPE, here(x), BZ_V("shape"));
    if (!closed(x, '[', ']', &empty))
        return false;
    while (!empty) {
        if (!size(x, &n, R_SHAPE))
            return false;
        if (__builtin_mul_overflow(t->elements, n, &t->elements))
            return stop(x, R_SHAPE, t->at, BZ_V("shape"));
        if (!more(x, ']', &done))
            return done;
    }
    return true;
}

static bool offsets(struct st *x, struct tensor *t) {
    bool done = false;
    if (blanks(x) != '[')
        return stop(x, R_BOUNDS, here(x), BZ_V("data_offsets"));
    next(x);
    if (!size(x, &t->begin, R_BOUNDS) || !more(x, ']', &done) || !size(x, &t->end, R_BOUNDS))
        return stop(x, R_BOUNDS, t->at, BZ_V("data_offsets"));
    return want(x, ']');
}

static bool dtype(struct st *x, struct tensor *t) {
    struct text v = {.p = x->dtype_mem, .cap = sizeof x->dtype_mem};
    uint64_t at = here(x);
    if (blanks(x) != '"')
        return stop(x, R_DTYPE, at, BZ_V("dtype"));
    if (!string(x, &v))
        return false;
    x->dtype = v.view;
    t->bits = v.all > sizeof x->dtype_mem ? 0 : dtype_bits(v.view);
    return t->bits != 0 || stop(x, R_DTYPE, at, v.view);
}

static bool member(struct st *x, struct tensor *t) {
    uint8_t mem[16];
    struct text key = {.p = mem, .cap = sizeof mem};
    uint64_t at = here(x);
    if (!string(x, &key))
        return false;
    unsigned bit = bz_view_eq(key.view, BZ_V("dtype"))          ? 1
                   : bz_view_eq(key.view, BZ_V("shape"))        ? 2
                   : bz_view_eq(key.view, BZ_V("data_offsets")) ? 4
                                                                : 0;
    if (bit == 0 || key.all > sizeof mem)
        return stop(x, R_KEY, at, key.view);
    if ((t->seen & bit) != 0)
        return stop(x, R_DUPKEY, at, key.view);
    t->seen |= bit;
    if (!want(x, ':'))
        return false;
    return bit == 1 ? dtype(x, t) : bit == 2 ? shape(x, t) : offsets(x, t);
}

static bool fits(struct st *x, struct tensor *t, struct bz_view name) {
    uint64_t bits = 0, data = x->o->src.size - x->end;
    if (t->seen != 7)
        return stop(x, R_KEY, t->at, name);
    if (t->end < t->begin || t->end > data)
        return stop(x, R_BOUNDS, t->at, name);
    if (__builtin_mul_overflow(t->elements, (uint64_t)t->bits, &bits))
        return stop(x, R_SHAPE, t->at, name);
    if (bits % 8 != 0 || bits / 8 != t->end - t->begin)
        return stop(x, R_SIZE, t->at, name);
    return true;
}

static void latch(struct st *x, enum bz_status st) {
    if (st != BZ_OK && x->st == BZ_OK)
        x->st = st;
    x->stop = x->stop || st != BZ_OK;
}

static bool tensor(struct st *x, struct bz_view name, uint64_t at) {
    struct tensor t = {.at = at};
    const struct bz_facts *facts = bz_scan_options(x->s)->facts;
    bool empty = false, done = false;
    if (blanks(x) != '{')
        return stop(x, R_KEY, here(x), name);
    if (!closed(x, '{', '}', &empty))
        return false;
    while (!empty && member(x, &t) && more(x, '}', &done))
        ;
    if (x->stop || !fits(x, &t, name))
        return false;
    latch(x, bz_pairs_add(&x->ranges, t.begin, t.end));
    if (facts != NULL && facts->tensor != NULL && !x->stop)
        facts->tensor(facts->ctx, &(struct bz_tensor_fact){.name = name,
                                                           .type = x->dtype,
                                                           .offset = x->end + t.begin,
                                                           .size = t.end - t.begin});
    return !x->stop;
}

/* ---- metadata -------------------------------------------------------------------------------- */

/* What no training note has in it. */
static bool is_code(struct bz_view v) {
    static const char *const marks[] = {
        "__import__", "os.system(", "subprocess.", "import os",    "import socket",
        "eval(",      "exec(",      "<script",     "javascript:",  "rm -rf ",
        "| sh",       "|sh",        "| bash",      "|bash",        "/bin/sh",
        "/bin/bash",  "base64 -d",  "powershell",  "pickle.loads", "marshal.loads"};
    for (size_t i = 0; v.n > 0 && i < sizeof marks / sizeof marks[0]; i++) {
        if (memmem(v.p, v.n, marks[i], strlen(marks[i])) != NULL)
            return true;
    }
    return false;
}

static bool metadata(struct st *x) {
    const struct bz_facts *facts = bz_scan_options(x->s)->facts;
    bool empty = false, done = false;
    if (blanks(x) != '{')
        return stop(x, R_METADATA, here(x), BZ_V("__metadata__"));
    if (!closed(x, '{', '}', &empty))
        return false;
    while (!empty) {
        struct text key = {.p = x->keep[0], .cap = NAME_KEEP};
        struct text val = {.p = x->keep[1], .cap = NAME_KEEP};
        uint64_t at = here(x);
        if (!string(x, &key) || !want(x, ':'))
            return false;
        latch(x, bz_pairs_add(&x->metadata, bz_pairs_name(key.view), at));
        if (blanks(x) != '"')
            return stop(x, R_METADATA, here(x), key.view);
        if (!string(x, &val))
            return false;
        if (is_code(val.view))
            latch(x, bz_scan_found(x->s, x->o, &rules[R_CODE], at, val.view));
        if (facts != NULL && facts->metadata != NULL)
            facts->metadata(facts->ctx, key.view, val.view);
        if (!more(x, '}', &done))
            return done;
    }
    return true;
}

/* ---- the header ------------------------------------------------------------------------------ */

static bool entry(struct st *x, bool *seen_metadata) {
    struct text key = {.p = x->keep[0], .cap = NAME_KEEP};
    uint64_t at = here(x);
    if (!bz_scan_steps(x->s, x->o, 1)) {
        x->stop = true;
        return false;
    }
    if (!string(x, &key) || !want(x, ':'))
        return false;
    if (bz_view_eq(key.view, BZ_V("__metadata__"))) {
        if (*seen_metadata)
            return stop(x, R_DUPKEY, at, key.view);
        *seen_metadata = true;
        return metadata(x);
    }
    if (key.all > NAME_KEEP) {
        latch(x, bz_scan_left_out(x->s, x->o, at, "cap: bytes of a tensor's name"));
        x->stop = true;
        return false;
    }
    latch(x, bz_pairs_add(&x->names, bz_pairs_name(key.view), at));
    return !x->stop && tensor(x, key.view, at);
}

static void once(struct st *x, struct bz_pairs *p) {
    uint64_t at = 0;
    bz_pairs_sort(p);
    if (bz_pairs_twice(p, &at))
        (void)stop(x, R_DUPKEY, at, BZ_V("name"));
}

static void layout(struct st *x) {
    uint64_t sum = 0, data = x->o->src.size - x->end;
    uint8_t head[16];
    bz_pairs_sort(&x->ranges);
    for (size_t i = 0; i < bz_pairs_n(&x->ranges); i++) {
        const struct bz_pair *r = bz_pairs_at(&x->ranges, i);
        if (r->key != sum) {
            (void)stop(x, R_HOLE, x->end + r->key, BZ_V("data_offsets"));
            return;
        }
        sum = r->val;
    }
    if (sum < data) {
        size_t n = data - sum < sizeof head ? (size_t)(data - sum) : sizeof head;
        latch(x, bz_source_exact(&x->o->src, x->end + sum, head, n));
        if (!x->stop)
            (void)stop(x, R_TRAILING, x->end + sum, bz_view(head, n));
    }
}

static void header(struct st *x) {
    bool empty = false, done = false, seen = false;
    if (peek(x) != '{') {
        (void)stop(x, R_HEADER, here(x), BZ_V(""));
        return;
    }
    if (!closed(x, '{', '}', &empty))
        return;
    while (!empty && entry(x, &seen) && more(x, '}', &done))
        ;
    while (!x->stop && peek(x) == ' ')
        next(x);
    if (!x->stop && here(x) != x->end)
        (void)stop(x, R_HEADER, here(x), BZ_V(""));
    if (!x->stop)
        once(x, &x->names);
    if (!x->stop)
        once(x, &x->metadata);
    if (!x->stop)
        layout(x);
}

/* ---- the format ------------------------------------------------------------------------------ */

static uint64_t le64(const uint8_t *p) {
    uint64_t v = 0;
    for (size_t i = 8; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

/* A length that may be one, and the beginning of JSON of this shape. */
static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    struct bz_view json = bz_view_sub(o->head, 8, 64);
    size_t i = 0;
    (void)s;
    if (o->head.n < 9)
        return BZ_PROBE_NO;
    uint64_t n = le64(o->head.p);
    while (i < json.n && (json.p[i] == ' ' || json.p[i] == '\n' || json.p[i] == '\t'))
        i++;
    if (i < json.n && json.p[i] == '{') {
        size_t k = i + 1;
        while (k < json.n && (json.p[k] == ' ' || json.p[k] == '\n' || json.p[k] == '\t'))
            k++;
        if (n < 1ull << 40 && k < json.n && (json.p[k] == '"' || json.p[k] == '}'))
            return BZ_PROBE_YES;
        return n <= HEADER_MAX && n <= o->src.size ? BZ_PROBE_YES : BZ_PROBE_NO;
    }
    return BZ_PROBE_NO;
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct st *x = bz_arena_zalloc(bz_scan_arena(s), sizeof *x);
    uint8_t head[8];
    if (x == NULL)
        return BZ_ENOMEM;
    x->s = s;
    x->o = o;
    BZ_TRY(bz_source_exact(&o->src, 0, head, sizeof head));
    uint64_t n = le64(head);
    if (n > HEADER_MAX || n > o->src.size - 8)
        return bz_scan_found(s, o, &rules[R_LENGTH], 0, bz_view(head, sizeof head));
    x->end = 8 + n;
    BZ_TRY(bz_window_init(&x->w, s, &o->src, 8));
    bz_pairs_init(&x->names, BZ_TENSORS_MAX);
    bz_pairs_init(&x->ranges, BZ_TENSORS_MAX);
    bz_pairs_init(&x->metadata, BZ_TENSORS_MAX);
    header(x);
    bz_pairs_done(&x->names);
    bz_pairs_done(&x->ranges);
    bz_pairs_done(&x->metadata);
    if (x->st == BZ_ETOOBIG)
        return bz_scan_left_out(s, o, 0, "cap: tensors");
    return x->st;
}

const struct bz_format bz_format_safetensors = {
    .name = "safetensors",
    .what = "safetensors model",
    .probe = probe,
    .scan = scan,
    .rules = rules,
};
