/* Checkpoints of TensorFlow: NAME.index, a table of which tensor lies where, and the shards
 * NAME.data-00000-of-00001, which are nothing but numbers. The table says whether a shard is what it
 * should be; so does an ONNX or OpenVINO model for the raw weights beside it.
 * Sources: leveldb doc/table_format.md; tensor_bundle.proto (BundleHeader, BundleEntry). */
#include <stdio.h>

#include "protobuf.h"

static const struct bz_rule rules[] = {
    {"CKPT-MALFORMED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "not a well-formed checkpoint",
     "readers stop in the middle or read beyond the data", "take the files from their origin again",
     "CWE-20"},
    {"CKPT-RANGE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "a tensor beyond the end of its shard",
     "reads memory that is not part of the model", "take the files from their origin again",
     "CWE-125"},
    {.id = NULL},
};
enum { MALFORMED, RANGE };
enum { FOOTER = 48, TRAILER = 5, BLOCK_MAX = 16 << 20, SHARDS_MAX = 1024, NAME_BYTES = 512 };

struct table {
    struct bz_scan *s;
    const struct bz_object *o;
    const struct bz_source *src;
    uint64_t shards;   /* of the header; 0: not seen yet */
    uint64_t shard;    /* whose size is known */
    uint64_t size;     /* of it; UINT64_MAX: not at hand */
    uint64_t furthest; /* end of the last tensor in shard `want` */
    uint64_t want;
    bool quiet; /* only asked how far shard `want` goes */
    bool compressed;
    const char *why;
};

static bool wrong(struct table *t, const char *why) {
    if (t->why == NULL)
        t->why = why;
    return false;
}

static bool varint(struct bz_view *v, uint64_t *ret) {
    *ret = 0;
    for (unsigned i = 0; i < 10 && i < v->n; i++) {
        *ret |= (uint64_t)(v->p[i] & 0x7f) << (7 * i % 64);
        if (v->p[i] < 0x80) {
            *v = bz_view_sub(*v, i + 1, v->n);
            return true;
        }
    }
    return false;
}

static bool footer(const struct bz_source *src, uint8_t mem[FOOTER]) {
    static const uint8_t magic[8] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};
    return src->size >= FOOTER + 8 &&
           bz_source_exact(src, src->size - FOOTER, mem, FOOTER) == BZ_OK &&
           memcmp(mem + FOOTER - 8, magic, 8) == 0;
}

/* A block without its restarts and trailer. */
static bool block(struct table *t, struct bz_arena *ar, uint64_t off, uint64_t n,
                  struct bz_view *ret) {
    uint64_t end = t->src->size - FOOTER;
    if (off > end || n > end - off || n + TRAILER > end - off || n < 4 || n > BLOCK_MAX)
        return wrong(t, "a block beyond the end of the file");
    uint8_t *p = bz_arena_alloc(ar, (size_t)n + TRAILER);
    if (p == NULL || bz_source_exact(t->src, off, p, (size_t)n + TRAILER) != BZ_OK)
        return wrong(t, "a block that cannot be read");
    if (p[n] != 0) {
        t->compressed = true;
        *ret = BZ_V("");
        return true;
    }
    uint64_t restarts = (uint64_t)p[n - 4] | (uint64_t)p[n - 3] << 8 | (uint64_t)p[n - 2] << 16 |
                        (uint64_t)p[n - 1] << 24;
    if (restarts > n / 4 - 1)
        return wrong(t, "a block with too many restarts");
    *ret = bz_view(p, (size_t)(n - 4 - 4 * restarts));
    return true;
}

/* The next key's length and its value. */
static bool entry(struct table *t, struct bz_view *v, uint64_t *ret_key, struct bz_view *ret) {
    uint64_t shared = 0, own = 0, n = 0;
    if (!varint(v, &shared) || !varint(v, &own) || !varint(v, &n) || own > v->n || n > v->n - own ||
        shared > BLOCK_MAX)
        return wrong(t, "an entry beyond the end of its block");
    *ret_key = shared + own;
    *ret = bz_view_sub(*v, (size_t)own, (size_t)n);
    *v = bz_view_sub(*v, (size_t)(own + n), v->n);
    return true;
}

static struct bz_view base_name(struct bz_view name) {
    for (size_t i = name.n; i-- > 0;) {
        if (name.p[i] == '/')
            return bz_view_sub(name, i + 1, name.n);
    }
    return name;
}

static bool sibling(struct bz_scan *s, const struct bz_object *o, struct bz_view name,
                    struct bz_source *ret) {
    const struct bz_scan_options *opt = bz_scan_options(s);
    return opt->sibling != NULL && o->depth == 0 && name.n != 0 &&
           opt->sibling(opt->sibling_ctx, name, ret) == BZ_OK;
}

static uint64_t shard_size(struct table *t, uint64_t shard) {
    struct bz_view name = base_name(t->o->name), tail = BZ_V(".index");
    char text[NAME_BYTES];
    struct bz_source src;
    if (shard == t->shard)
        return t->size;
    t->shard = shard;
    t->size = UINT64_MAX;
    if (name.n <= tail.n || name.n > NAME_BYTES - 64 ||
        !bz_view_eq(bz_view_sub(name, name.n - tail.n, tail.n), tail))
        return t->size;
    int n = snprintf(text, sizeof text, "%.*s.data-%05u-of-%05u", (int)(name.n - tail.n),
                     (const char *)name.p, (unsigned)shard, (unsigned)t->shards);
    if (n > 0 && sibling(t->s, t->o, bz_view(text, (size_t)n), &src))
        t->size = src.size;
    return t->size;
}

/* BundleEntry {3 shard, 4 offset, 5 size}; the entry without a key is BundleHeader {1 shards}. */
static enum bz_status value(struct table *t, uint64_t key, struct bz_view v) {
    struct bz_pb_in in;
    struct bz_source src;
    struct bz_pb_field f;
    uint64_t shard = 0, off = 0, n = 0, end = 0, shards = 0;
    bz_source_mem(&src, &v);
    BZ_TRY(bz_pb_open(&in, bz_scan_arena(t->s), &src, 1000));
    struct bz_pb m = bz_pb_message(&in, 0, v.n);
    while (bz_pb_next(&m, &f)) {
        shards = f.no == 1 && f.wire == BZ_PB_VARINT ? f.v : shards;
        shard = f.no == 3 ? f.v : shard;
        off = f.no == 4 ? f.v : off;
        n = f.no == 5 ? f.v : n;
    }
    if (in.st != BZ_OK) {
        (void)wrong(t, in.why);
        return BZ_OK;
    }
    if (key == 0) {
        t->shards = shards;
        if (shards == 0 || shards > SHARDS_MAX)
            (void)wrong(t, "an impossible number of shards");
        return BZ_OK;
    }
    if (shard >= t->shards || __builtin_add_overflow(off, n, &end)) {
        (void)wrong(t, "a tensor in a shard that does not exist");
        return BZ_OK;
    }
    if (shard == t->want && end > t->furthest)
        t->furthest = end;
    if (t->quiet || end <= shard_size(t, shard))
        return BZ_OK;
    return bz_scan_found(t->s, t->o, &rules[RANGE], 0, BZ_V(""));
}

static enum bz_status data_block(struct table *t, uint64_t off, uint64_t n) {
    struct bz_arena ar;
    struct bz_view v, one;
    uint64_t key = 0;
    enum bz_status st = BZ_OK;
    bz_arena_init(&ar, bz_scan_arena(t->s)->a, 2 * (size_t)BLOCK_MAX, NULL, 0);
    if (block(t, &ar, off, n, &v)) {
        while (st == BZ_OK && v.n != 0 && t->why == NULL && entry(t, &v, &key, &one))
            st = bz_scan_steps(t->s, t->o, 1) ? value(t, key, one) : BZ_ELIMIT;
    }
    bz_arena_free(&ar);
    return st;
}

static enum bz_status walk(struct table *t) {
    uint8_t mem[FOOTER];
    struct bz_view v = {mem, FOOTER - 8}, index, handle;
    uint64_t off = 0, n = 0, key = 0;
    t->shard = UINT64_MAX;
    if (!footer(t->src, mem))
        return BZ_EIO;
    if (!varint(&v, &off) || !varint(&v, &n) || !varint(&v, &off) || !varint(&v, &n)) {
        (void)wrong(t, "a footer without its blocks");
        return BZ_OK;
    }
    if (!block(t, bz_scan_arena(t->s), off, n, &index))
        return BZ_OK;
    while (index.n != 0 && t->why == NULL && entry(t, &index, &key, &handle)) {
        if (!varint(&handle, &off) || !varint(&handle, &n))
            (void)wrong(t, "an index without its blocks");
        else
            BZ_TRY(data_block(t, off, n));
    }
    return BZ_OK;
}

static enum bz_probe index_probe(struct bz_scan *s, const struct bz_object *o) {
    uint8_t mem[FOOTER];
    (void)s;
    return footer(&o->src, mem) ? BZ_PROBE_YES : BZ_PROBE_NO;
}

static enum bz_status index_scan(struct bz_scan *s, const struct bz_object *o) {
    struct table t = {.s = s, .o = o, .src = &o->src, .want = UINT64_MAX};
    BZ_TRY(walk(&t));
    if (t.why != NULL)
        return bz_scan_found(s, o, &rules[MALFORMED], 0, bz_view_str(t.why));
    return t.compressed ? bz_scan_left_out(s, o, 0, "compressed blocks of a checkpoint's index")
                        : BZ_OK;
}

/* ---- raw numbers that a model beside them accounts for ----------------------------------------------- */

static bool ends(struct bz_view v, struct bz_view tail) {
    return v.n > tail.n && bz_view_eq(bz_view_sub(v, v.n - tail.n, tail.n), tail);
}

/* "NAME.data-00001-of-00003": the place of ".data-", and the shard. */
static bool shard_name(struct bz_view name, size_t *ret_stem, uint64_t *ret_shard) {
    struct bz_view mark = BZ_V(".data-");
    size_t tail = mark.n + 5 + 4 + 5;
    if (name.n <= tail)
        return false;
    *ret_stem = name.n - tail;
    struct bz_view rest = bz_view_sub(name, *ret_stem, tail);
    return bz_view_starts(rest, mark) && bz_view_eq(bz_view_sub(rest, 11, 4), BZ_V("-of-")) &&
           bz_view_u64(bz_view_sub(rest, 6, 5), ret_shard) == BZ_OK;
}

static bool in_index(struct bz_scan *s, const struct bz_object *o, struct bz_view name) {
    uint8_t text[NAME_BYTES], mem[FOOTER];
    size_t stem = 0;
    uint64_t shard = 0;
    struct bz_source src;
    if (name.n > NAME_BYTES || !shard_name(name, &stem, &shard))
        return false;
    memcpy(text, name.p, stem);
    memcpy(text + stem, ".index", 6);
    if (!sibling(s, o, bz_view(text, stem + 6), &src) || !footer(&src, mem))
        return false;
    struct table t = {.s = s, .o = o, .src = &src, .quiet = true, .want = shard};
    return walk(&t) == BZ_OK && t.why == NULL && !t.compressed && t.furthest == o->src.size;
}

/* Of the format `f`, by its first bytes and structure. */
static bool is_a(struct bz_scan *s, struct bz_source *src, const struct bz_format *f) {
    uint8_t head[512];
    struct bz_object o = {.src = *src, .name = BZ_V(""), .place = BZ_V("")};
    size_t n = src->size < sizeof head ? (size_t)src->size : sizeof head;
    if (bz_source_exact(src, 0, head, n) != BZ_OK)
        return false;
    o.head = bz_view(head, n);
    return f->probe(s, &o) == BZ_PROBE_YES;
}

static bool beside_model(struct bz_scan *s, const struct bz_object *o, struct bz_view name) {
    static const char *const tails[] = {"_data", ".data", NULL};
    uint8_t text[NAME_BYTES];
    struct bz_source src;
    if (name.n >= NAME_BYTES)
        return false;
    for (const char *const *t = tails; *t != NULL; t++) {
        if (ends(name, bz_view_str(*t)) && sibling(s, o, bz_view_sub(name, 0, name.n - 5), &src) &&
            is_a(s, &src, bz_format_named("onnx")))
            return true;
    }
    if (!ends(name, BZ_V(".bin")))
        return false;
    memcpy(text, name.p, name.n - 3);
    memcpy(text + name.n - 3, "xml", 3);
    if (!sibling(s, o, bz_view(text, name.n), &src) || !is_a(s, &src, bz_format_named("xml")))
        return false;
    size_t n = src.size < sizeof text ? (size_t)src.size : sizeof text;
    return bz_source_exact(&src, 0, text, n) == BZ_OK &&
           bz_view_has(bz_view(text, n), BZ_V("<net "));
}

static enum bz_probe raw_probe(struct bz_scan *s, const struct bz_object *o) {
    struct bz_view name = base_name(o->name);
    return o->depth == 0 && (in_index(s, o, name) || beside_model(s, o, name)) ? BZ_PROBE_YES
                                                                               : BZ_PROBE_NO;
}

static enum bz_status raw_scan(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    (void)o;
    return BZ_OK; /* numbers */
}

const struct bz_format bz_format_tf_index = {
    .name = "tensorflow checkpoint index",
    .what = "index of a TensorFlow checkpoint",
    .probe = index_probe,
    .scan = index_scan,
    .rules = rules,
};
const struct bz_format bz_format_raw_weights = {
    .name = "raw weights",
    .what = "numbers that a model beside them accounts for",
    .probe = raw_probe,
    .scan = raw_scan,
    .inert = true,
};
