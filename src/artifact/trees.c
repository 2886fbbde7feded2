/* Gradient-boosted trees and other model files that hold nothing but numbers: CatBoost (.cbm), XGBoost
 * (UBJSON), Flax (MessagePack). They are recognised, and walked so far that a damaged one is told.
 * Sources: catboost model.cpp ("CBM1"), ubjson.org draft 12, xgboost io/json; msgpack/spec. */
#include "flat.h"

static const struct bz_rule rules[] = {
    {"MODEL-EMPTY", BZ_SEVERITY_MEDIUM, BZ_RULE_MALFORMED, "an empty file with a model's name",
     "nothing; loading fails", "take the file from its origin again", ""},
    {"MODEL-MALFORMED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "not a well-formed model file",
     "readers stop in the middle or read beyond the data", "take the file from its origin again",
     "CWE-20"},
    {.id = NULL},
};
enum { EMPTY, MALFORMED };
enum { DEPTH_MAX = 64 };

static enum bz_status malformed(struct bz_scan *s, const struct bz_object *o, uint64_t off,
                                const char *why) {
    return bz_scan_found(s, o, &rules[MALFORMED], off, bz_view_str(why));
}

/* ---- empty ------------------------------------------------------------------------------------------------ */

static enum bz_probe empty_probe(struct bz_scan *s, const struct bz_object *o) {
    static const char *const names[] = {
        ".onnx", ".pb",          ".tflite",  ".h5",         ".hdf5",  ".keras",
        ".gguf", ".safetensors", ".pt",      ".pth",        ".ckpt",  ".bin",
        ".pkl",  ".pickle",      ".joblib",  ".npy",        ".npz",   ".pmml",
        ".cbm",  ".mlmodel",     ".pdmodel", ".caffemodel", ".skops", ".rds",
        ".mar",  ".nemo",        ".msgpack", ".ubj",        NULL};
    (void)s;
    for (const char *const *n = names; *n != NULL && o->src.size == 0; n++) {
        size_t k = strlen(*n);
        if (o->name.n >= k && bz_view_eq(bz_view_sub(o->name, o->name.n - k, k), bz_view_str(*n)))
            return BZ_PROBE_YES;
    }
    return BZ_PROBE_NO;
}

static enum bz_status empty_scan(struct bz_scan *s, const struct bz_object *o) {
    return bz_scan_found(s, o, &rules[EMPTY], 0, BZ_V(""));
}

/* ---- CatBoost ---------------------------------------------------------------------------------------------- */

static enum bz_probe cbm_probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return bz_view_starts(o->head, BZ_V("CBM1")) ? BZ_PROBE_YES : BZ_PROBE_NO;
}

/* "CBM1", the size of the core, the core: a FlatBuffer whose root is looked at. */
static enum bz_status cbm_scan(struct bz_scan *s, const struct bz_object *o) {
    struct bz_flat f;
    uint64_t n = 0;
    if (o->head.n >= 8)
        n = (uint64_t)o->head.p[4] | (uint64_t)o->head.p[5] << 8 | (uint64_t)o->head.p[6] << 16 |
            (uint64_t)o->head.p[7] << 24;
    if (n == 0 || n > o->src.size - 8)
        return malformed(s, o, 4, "a core of an impossible size");
    const struct bz_source *core = bz_source_part(s, &o->src, 8, n);
    if (core == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_flat_open(&f, bz_scan_arena(s), core));
    struct bz_flat_table root = bz_flat_root(&f, 0);
    (void)bz_flat_str(&f, &root, 0, 64);
    BZ_TRY(f.pages.st);
    return bz_flat_ok(&f) ? BZ_OK : malformed(s, o, 8 + f.bad, f.why);
}

/* ---- UBJSON -------------------------------------------------------------------------------------------------- */

struct ubj {
    struct bz_pages pages;
    uint64_t at, size, steps;
    const char *why;
};

static uint8_t byte(struct ubj *u) {
    struct bz_view v = bz_pages_at(&u->pages, u->at, 1);
    if (v.p == NULL) {
        u->why = u->why == NULL ? "cut off" : u->why;
        return 0;
    }
    u->at++;
    return v.p[0];
}

static void over(struct ubj *u, uint64_t n) {
    if (n > u->size - u->at)
        u->why = u->why == NULL ? "longer than the file" : u->why;
    else
        u->at += n;
}

static uint64_t width(uint8_t type) {
    switch (type) {
    case 'i':
    case 'U':
    case 'C':
        return 1;
    case 'I':
        return 2;
    case 'l':
    case 'd':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

static uint64_t count(struct ubj *u, uint8_t type) {
    uint64_t n = width(type), v = 0;
    if (n == 0 || type == 'd' || type == 'D' || type == 'C') {
        u->why = u->why == NULL ? "a length that is no number" : u->why;
        return 0;
    }
    for (uint64_t i = 0; i < n; i++)
        v = v << 8 | byte(u);
    return v;
}

static void ubj_value(struct ubj *u, uint8_t type, unsigned depth);

static void ubj_key(struct ubj *u, uint8_t first) {
    over(u, count(u, first));
}

/* [$ type] [# count], or up to the closing mark. */
static void ubj_many(struct ubj *u, bool object, unsigned depth) {
    uint8_t type = 0, c = byte(u), end = object ? '}' : ']';
    uint64_t n = UINT64_MAX;
    if (c == '$') {
        type = byte(u);
        c = byte(u);
    }
    if (c == '#') {
        n = count(u, byte(u));
        c = 0;
        if (!object && width(type) != 0) {
            if (n > u->size / width(type))
                n = u->size;
            over(u, n * width(type));
            return;
        }
    }
    for (uint64_t i = 0; i < n && u->why == NULL; i++) {
        if (c == 0)
            c = byte(u);
        if (n == UINT64_MAX && c == end)
            return;
        if (object) {
            ubj_key(u, c);
            c = 0;
        }
        uint8_t t = type != 0 ? type : c != 0 ? c : byte(u);
        ubj_value(u, t, depth + 1);
        c = 0;
        u->steps++;
    }
}

static void ubj_value(struct ubj *u, uint8_t type, unsigned depth) {
    if (depth > DEPTH_MAX) {
        u->why = u->why == NULL ? "nested too deeply" : u->why;
        return;
    }
    if (width(type) != 0)
        over(u, width(type));
    else if (type == 'S' || type == 'H')
        over(u, count(u, byte(u)));
    else if (type == '{' || type == '[')
        ubj_many(u, type == '{', depth);
    else if (type != 'Z' && type != 'T' && type != 'F' && type != 'N' && u->why == NULL)
        u->why = "a type that does not exist";
}

static enum bz_probe ubj_probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    struct bz_view v = o->head;
    bool key = v.n > 12 && v.p[0] == '{' &&
               (width(v.p[1]) != 0 || v.p[1] == '$' || (v.p[1] == '#' && width(v.p[2]) != 0)) &&
               v.p[1] != ' ';
    return key && (bz_view_has(bz_view_sub(v, 0, 64), BZ_V("learner")) ||
                   bz_view_has(bz_view_sub(v, 0, 64), BZ_V("version")))
               ? BZ_PROBE_MAYBE
               : BZ_PROBE_NO;
}

static enum bz_status ubj_scan(struct bz_scan *s, const struct bz_object *o) {
    struct ubj u = {.size = o->src.size};
    BZ_TRY(bz_pages_init(&u.pages, bz_scan_arena(s), &o->src));
    ubj_value(&u, byte(&u), 0);
    (void)bz_scan_steps(s, o, u.steps);
    BZ_TRY(u.pages.st);
    if (u.why == NULL && u.at != u.size)
        u.why = "bytes behind the end";
    return u.why == NULL ? BZ_OK : malformed(s, o, u.at, u.why);
}

/* ---- MessagePack ----------------------------------------------------------------------------------------------- */

static uint64_t big(struct ubj *u, unsigned n) {
    uint64_t v = 0;
    while (n-- > 0)
        v = v << 8 | byte(u);
    return v;
}

/* Bytes of a value behind its first byte; items: values that follow it (a map has two a pair). */
static void msgpack_one(struct ubj *u, uint64_t *items) {
    static const uint8_t fixed[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17}; /* ca .. d8 */
    uint8_t c = byte(u);
    if (c < 0x80 || c >= 0xe0 || c == 0xc0 || c == 0xc2 || c == 0xc3)
        return;
    if (c < 0x90)
        *items += 2u * (c & 15u);
    else if (c < 0xa0)
        *items += c & 15u;
    else if (c < 0xc0)
        over(u, c & 31u);
    else if (c >= 0xc4 && c <= 0xc6)
        over(u, big(u, 1u << (c - 0xc4)));
    else if (c >= 0xc7 && c <= 0xc9)
        over(u, big(u, 1u << (c - 0xc7)) + 1);
    else if (c >= 0xca && c <= 0xd8)
        over(u, fixed[c - 0xca]);
    else if (c >= 0xd9 && c <= 0xdb)
        over(u, big(u, 1u << (c - 0xd9)));
    else if (c == 0xdc || c == 0xdd)
        *items += big(u, c == 0xdc ? 2 : 4);
    else if (c == 0xde || c == 0xdf)
        *items += 2 * big(u, c == 0xde ? 2 : 4);
    else if (u->why == NULL)
        u->why = "a type that does not exist";
}

/* A map whose first key is a text. */
static enum bz_probe msgpack_probe(struct bz_scan *s, const struct bz_object *o) {
    struct bz_view v = o->head;
    (void)s;
    size_t key = v.n < 8                          ? 0
                 : v.p[0] > 0x80 && v.p[0] < 0x90 ? 1
                 : v.p[0] == 0xde                 ? 3
                 : v.p[0] == 0xdf                 ? 5
                                                  : 0;
    return key != 0 && ((v.p[key] > 0xa0 && v.p[key] < 0xc0) || v.p[key] == 0xd9) ? BZ_PROBE_MAYBE
                                                                                  : BZ_PROBE_NO;
}

static enum bz_status msgpack_scan(struct bz_scan *s, const struct bz_object *o) {
    struct ubj u = {.size = o->src.size};
    uint64_t items = 1;
    BZ_TRY(bz_pages_init(&u.pages, bz_scan_arena(s), &o->src));
    for (; items > 0 && u.why == NULL; items--) {
        if (items - 1 > u.size - u.at)
            return BZ_ENOTFOUND;
        msgpack_one(&u, &items);
        u.steps++;
    }
    BZ_TRY(u.pages.st);
    (void)bz_scan_steps(s, o, u.steps);
    return u.why == NULL && u.at == u.size ? BZ_OK : BZ_ENOTFOUND;
}

const struct bz_format bz_format_empty = {
    .name = "empty",
    .what = "empty file named like a model",
    .probe = empty_probe,
    .scan = empty_scan,
    .rules = rules,
};
const struct bz_format bz_format_catboost = {
    .name = "catboost",
    .what = "CatBoost model",
    .probe = cbm_probe,
    .scan = cbm_scan,
};
const struct bz_format bz_format_ubjson = {
    .name = "xgboost ubjson",
    .what = "XGBoost model in UBJSON",
    .probe = ubj_probe,
    .scan = ubj_scan,
};
const struct bz_format bz_format_msgpack = {
    .name = "msgpack",
    .what = "MessagePack, as Flax writes weights",
    .probe = msgpack_probe,
    .scan = msgpack_scan,
};
