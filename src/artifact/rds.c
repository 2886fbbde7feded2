/* R: .rds (one object) and .rdata (a list of them), in XDR, as saveRDS() and save() write them; the
 * codecs around them are other formats. A promise in such a file is code that runs as soon as its value
 * is looked at (CVE-2024-27322); what a function or formula holds runs only when somebody calls it.
 * Source: R Internals, section 1.8 "Serialization Formats"; src/main/serialize.c of R 4.3. */
#include "pages.h"

static const struct bz_rule rules[] = {
    {"R-PROMISE", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS, "a promise in serialized data",
     "R evaluates its expression when the object is touched", "do not load it", "CVE-2024-27322"},
    {"R-CODE", BZ_SEVERITY_LOW, BZ_RULE_SUSPICIOUS, "functions in serialized data",
     "run when somebody calls them; models of R often hold some", "know where it comes from", ""},
    {"R-POINTER", BZ_SEVERITY_LOW, BZ_RULE_SUSPICIOUS, "a native pointer in serialized data",
     "is empty after loading", "nothing", ""},
    {"R-MALFORMED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "not well-formed R data",
     "readers stop in the middle", "take the file from its origin again", ""},
    {.id = NULL},
};
enum { PROMISE, FUNCTION, POINTER, MALFORMED };

enum { /* types of R, and the marks of its serialization */
       SYM = 1,
       LIST = 2,
       CLO = 3,
       ENV = 4,
       PROM = 5,
       LANG = 6,
       SPECIAL = 7,
       BUILTIN = 8,
       CHAR = 9,
       LGL = 10,
       INT = 13,
       REAL = 14,
       CPLX = 15,
       STR = 16,
       DOT = 17,
       VEC = 19,
       EXPR = 20,
       BCODE = 21,
       EXTPTR = 22,
       WEAKREF = 23,
       RAW = 24,
       S4 = 25,
       ALTREP = 238,
       ATTRLIST = 239,
       ATTRLANG = 240,
       BASEENV = 241,
       EMPTYENV = 242,
       BCREPREF = 243,
       BCREPDEF = 244,
       PERSIST = 247,
       PACKAGE = 248,
       NAMESPACE = 249,
       BASENAMESPACE = 250,
       MISSINGARG = 251,
       UNBOUND = 252,
       GLOBALENV = 253,
       NILVALUE = 254,
       REF = 255,
       HAS_ATTR = 0x200,
       HAS_TAG = 0x400
};
enum { DEPTH_MAX = 2000, ITEMS = 3 };

struct rds {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_window w;
    const char *why; /* latched */
    bool said[MALFORMED];
    bool stop;
    unsigned depth;
};

static const uint8_t *bytes(struct rds *r, size_t n) {
    struct bz_view v = bz_window_peek(&r->w, n);
    if (v.n < n) {
        if (r->why == NULL)
            r->why = "cut off";
        return NULL;
    }
    bz_window_skip(&r->w, n);
    return v.p;
}

static uint32_t u32(struct rds *r) {
    const uint8_t *p = bytes(r, 4);
    return p == NULL ? 0 : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A length; -1 is the mark of one above 2^31. */
static uint64_t length(struct rds *r) {
    uint32_t n = u32(r);
    if (n == UINT32_MAX) {
        uint64_t high = u32(r);
        return high << 32 | u32(r);
    }
    if (n > INT32_MAX && r->why == NULL)
        r->why = "a negative length";
    return n;
}

static void skip(struct rds *r, uint64_t n, uint64_t item) {
    uint64_t all = 0, at = bz_window_off(&r->w);
    if (__builtin_mul_overflow(n, item, &all) || at > r->o->src.size || all > r->o->src.size - at) {
        if (r->why == NULL)
            r->why = "data beyond the end of the file";
        return;
    }
    bz_window_skip(&r->w, all);
}

static enum bz_status told(struct rds *r, int rule) {
    if (r->said[rule])
        return BZ_OK;
    r->said[rule] = true;
    return bz_scan_found(r->s, r->o, &rules[rule], bz_window_off(&r->w), BZ_V(""));
}

static enum bz_status item(struct rds *r);

static enum bz_status items(struct rds *r, uint64_t n) {
    for (uint64_t i = 0; i < n && r->why == NULL && !r->stop; i++)
        BZ_TRY(item(r));
    return BZ_OK;
}

/* Numbers, strings, lists. */
static enum bz_status vector(struct rds *r, uint32_t type, bool attr) {
    uint64_t n = length(r);
    if (type == LGL || type == INT)
        skip(r, n, 4);
    else if (type == REAL)
        skip(r, n, 8);
    else if (type == CPLX)
        skip(r, n, 16);
    else if (type == RAW)
        skip(r, n, 1);
    else
        BZ_TRY(items(r, n));
    return attr ? item(r) : BZ_OK;
}

/* A pair list is walked along its tail: [attributes] [tag] head, then the next one's flags. */
static enum bz_status pairs(struct rds *r, uint32_t flags) {
    for (;;) {
        uint32_t type = flags & 0xff;
        if (type == PROM)
            BZ_TRY(told(r, PROMISE));
        if (type == CLO)
            BZ_TRY(told(r, FUNCTION));
        BZ_TRY(items(r, 1u + ((flags & HAS_ATTR) != 0) + ((flags & HAS_TAG) != 0)));
        if (r->why != NULL || r->stop || !bz_scan_steps(r->s, r->o, 1))
            return BZ_OK;
        struct bz_view next = bz_window_peek(&r->w, 4);
        type = next.n < 4 ? 0 : next.p[3];
        if (type != LIST && type != LANG && type != CLO && type != PROM && type != DOT)
            return item(r); /* the end, or another kind of tail */
        flags = u32(r);
    }
}

/* Bytecode holds constants, among them calls; its own encoding is not followed. */
static enum bz_status bytecode(struct rds *r) {
    r->stop = true;
    BZ_TRY(told(r, FUNCTION));
    return bz_scan_left_out(r->s, r->o, bz_window_off(&r->w), "bytecode of R, and what follows it");
}

static enum bz_status names(struct rds *r) { /* of a package or a namespace */
    (void)u32(r);
    return items(r, length(r));
}

static enum bz_status other(struct rds *r, uint32_t type, uint32_t flags) {
    bool attr = (flags & HAS_ATTR) != 0;
    switch (type) {
    case SYM:
        return item(r);
    case REF:
        if (flags >> 8 == 0)
            (void)u32(r);
        return BZ_OK;
    case CHAR: {
        uint32_t n = u32(r);
        if (n != UINT32_MAX)
            skip(r, n, 1);
        return BZ_OK;
    }
    case ENV:
        (void)u32(r); /* locked */
        return items(r, 4);
    case EXTPTR:
        BZ_TRY(told(r, POINTER));
        BZ_TRY(items(r, 2));
        return attr ? item(r) : BZ_OK;
    case WEAKREF:
    case S4:
        return attr ? item(r) : BZ_OK;
    case SPECIAL:
    case BUILTIN:
        skip(r, u32(r), 1);
        return BZ_OK;
    case ALTREP:
        return items(r, ITEMS);
    case BCODE:
    case BCREPREF:
    case BCREPDEF:
        return bytecode(r);
    case PERSIST:
    case PACKAGE:
    case NAMESPACE:
        return names(r);
    default:
        if (r->why == NULL)
            r->why = "a type that R does not have";
        return BZ_OK;
    }
}

static bool constant(uint32_t type) {
    return type == NILVALUE || type == GLOBALENV || type == UNBOUND || type == MISSINGARG ||
           type == BASEENV || type == EMPTYENV || type == BASENAMESPACE || type == 0;
}

static bool is_vector(uint32_t type) {
    return type == LGL || type == INT || type == REAL || type == CPLX || type == RAW ||
           type == STR || type == VEC || type == EXPR;
}

static enum bz_status item(struct rds *r) {
    enum bz_status st = BZ_OK;
    uint32_t flags = u32(r), type = flags & 0xff;
    if (r->why != NULL || r->stop || constant(type))
        return BZ_OK;
    if (!bz_scan_steps(r->s, r->o, 1)) {
        r->stop = true;
        return BZ_OK;
    }
    if (r->depth == DEPTH_MAX) {
        r->stop = true;
        return bz_scan_left_out(r->s, r->o, bz_window_off(&r->w), "cap: depth of R data");
    }
    r->depth++;
    if (type == LIST || type == LANG || type == CLO || type == PROM || type == DOT)
        st = pairs(r, flags);
    else if (type == ATTRLIST || type == ATTRLANG)
        st = pairs(r, (flags & ~0xffu) | (type == ATTRLIST ? LIST : LANG) | HAS_ATTR);
    else if (is_vector(type))
        st = vector(r, type, (flags & HAS_ATTR) != 0);
    else
        st = other(r, type, flags);
    r->depth--;
    return st;
}

/* "X\n" and three version numbers: 2 or 3, the writer's, the reader's it needs. */
static size_t header(struct bz_view v, uint32_t *ret_version) {
    size_t at = bz_view_starts(v, BZ_V("RDX2\n")) || bz_view_starts(v, BZ_V("RDX3\n")) ? 5 : 0;
    v = bz_view_sub(v, at, v.n);
    if (v.n < 14 || !bz_view_starts(v, BZ_V("X\n\0\0\0")) || (v.p[5] != 2 && v.p[5] != 3) ||
        v.p[6] != 0 || v.p[10] != 0)
        return 0;
    *ret_version = v.p[5];
    return at + 14;
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    uint32_t version = 0;
    (void)s;
    return header(o->head, &version) != 0 ? BZ_PROBE_YES : BZ_PROBE_NO;
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct rds r = {.s = s, .o = o};
    uint32_t version = 0;
    BZ_TRY(bz_window_init(&r.w, s, &o->src, header(o->head, &version)));
    if (version == 3)
        skip(&r, u32(&r), 1); /* the native encoding's name */
    BZ_TRY(item(&r));
    if (r.w.st != BZ_OK && r.w.st != BZ_ETRAILING)
        return r.w.st;
    if (r.why == NULL)
        return BZ_OK;
    return bz_scan_found(s, o, &rules[MALFORMED], bz_window_off(&r.w), bz_view_str(r.why));
}

const struct bz_format bz_format_rds = {
    .name = "r data",
    .what = "serialized data of R",
    .probe = probe,
    .scan = scan,
    .rules = rules,
};
