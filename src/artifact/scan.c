/* Life of a scan: objects and their formats, findings, budgets. */
#include "formats.h"

#include <bartizan/limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { READ_STEP = 64 * 1024, PROGRESS_STEP = 16 << 20, WHY_MAX = 160 };

struct kept { /* a finding, with room for its evidence so that a worse one can take its place */
    struct bz_scan_finding f;
    struct kept *next;
    uint64_t number;
    uint8_t evidence[BZ_EVIDENCE_MAX];
};

struct frame { /* one object that is being scanned, and its scratch memory */
    struct bz_arena ar;
    struct bz_cleanup *cleanup;
    struct frame *up;
};

struct bz_scan {
    struct bz_arena *out; /* the result's */
    const struct bz_scan_options *opt;
    struct bz_scan_caps caps;
    const struct bz_source *src;
    struct frame *frame;
    struct kept *kept[BZ_SEVERITY_COUNT];
    size_t kept_n;
    uint64_t found_n;
    uint64_t read, told; /* bytes of the file, and when progress was called */
    uint64_t members, bytes_out, steps;
    const char *format;
    struct bz_view place; /* the last copied one */
    enum bz_status failed;
    uint8_t severity;
    bool bad, unchecked;
    bool told_members, told_bytes, told_steps;
};

const struct bz_rule bz_scan_rules[] = {
    {"SCAN-UNKNOWN", BZ_SEVERITY_LOW, BZ_RULE_UNCHECKED, "no format that is known",
     "unknown: nothing was looked at", "check where it comes from; keep only what is needed", ""},
    {"SCAN-LEFT-OUT", BZ_SEVERITY_LOW, BZ_RULE_UNCHECKED, "a part could not be looked at",
     "unknown: something may be hidden there", "raise the cap named here, or do not use the file",
     ""},
    {"SCAN-POLYGLOT", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "reads as more than one format",
     "each program sees another file: what was checked is not what is loaded",
     "take the file from its origin again, in one format", "CWE-436"},
    {"SCAN-DAMAGED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "ends early or is damaged",
     "programs that load it stop in the middle, after running what comes before",
     "take the file from its origin again", ""},
    {.id = NULL},
};
enum { R_UNKNOWN, R_LEFT_OUT, R_POLYGLOT, R_DAMAGED };

struct bz_arena *bz_scan_arena(struct bz_scan *s) {
    return &s->frame->ar;
}

struct bz_alloc bz_scan_heap(struct bz_scan *s) {
    return s->out->a;
}

void bz_scan_defer(struct bz_scan *s, struct bz_cleanup *c) {
    c->next = s->frame->cleanup;
    c->link = &s->frame->cleanup;
    if (c->next != NULL)
        c->next->link = &c->next;
    s->frame->cleanup = c;
}

void bz_scan_undefer(struct bz_cleanup *c) {
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
}

const struct bz_scan_options *bz_scan_options(const struct bz_scan *s) {
    return s->opt;
}

void bz_scan_name(struct bz_scan *s, const struct bz_object *o, const char *format) {
    if (o->depth == 0)
        s->format = format;
}

/* ---- findings ------------------------------------------------------------------------------- */

/* Room for one more: new, or that of the least severe one if it is less severe than `severity`. */
static enum bz_status room(struct bz_scan *s, uint8_t severity, struct kept **ret) {
    *ret = NULL;
    if (s->kept_n < s->caps.findings) {
        *ret = bz_arena_alloc(s->out, sizeof **ret);
        s->kept_n += *ret != NULL;
        return *ret == NULL ? BZ_ENOMEM : BZ_OK;
    }
    for (uint8_t i = 0; i < severity; i++) {
        if (s->kept[i] != NULL) {
            *ret = s->kept[i];
            s->kept[i] = (*ret)->next;
            return BZ_OK;
        }
    }
    return BZ_OK;
}

static enum bz_status place_of(struct bz_scan *s, const struct bz_object *o, struct bz_view *ret) {
    if (!bz_view_eq(o->place, s->place)) {
        struct bz_view copy = bz_arena_dup(s->out, o->place);
        if (copy.p == NULL)
            return BZ_ENOMEM;
        s->place = copy;
    }
    *ret = o->place.n == 0 ? BZ_V("") : s->place;
    return BZ_OK;
}

enum bz_status bz_scan_found(struct bz_scan *s, const struct bz_object *o,
                             const struct bz_rule *rule, uint64_t offset, struct bz_view evidence) {
    struct kept *k = NULL;
    s->found_n++;
    s->bad = s->bad || rule->kind == BZ_RULE_MALFORMED ||
             (rule->kind != BZ_RULE_UNCHECKED && rule->kind != BZ_RULE_NOTE &&
              rule->severity >= (uint8_t)s->opt->fail_on);
    s->unchecked = s->unchecked || rule->kind == BZ_RULE_UNCHECKED;
    if (rule->severity > s->severity)
        s->severity = rule->severity;
    BZ_TRY(room(s, rule->severity, &k));
    if (k == NULL)
        return BZ_OK;
    struct bz_view place;
    BZ_TRY(place_of(s, o, &place));
    evidence = bz_view_sub(evidence, 0, BZ_EVIDENCE_MAX);
    if (evidence.n > 0)
        memcpy(k->evidence, evidence.p, evidence.n);
    k->f = (struct bz_scan_finding){rule, place, offset, bz_view(k->evidence, evidence.n)};
    k->number = s->found_n;
    k->next = s->kept[rule->severity];
    s->kept[rule->severity] = k;
    return BZ_OK;
}

enum bz_status bz_scan_left_out(struct bz_scan *s, const struct bz_object *o, uint64_t offset,
                                const char *why) {
    return bz_scan_found(s, o, &bz_scan_rules[R_LEFT_OUT], offset, bz_view_str(why));
}

static int view_cmp(struct bz_view a, struct bz_view b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);
    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_place(const void *va, const void *vb) {
    const struct kept *a = *(struct kept *const *)va, *b = *(struct kept *const *)vb;
    int c = view_cmp(a->f.place, b->f.place);
    if (c != 0)
        return c;
    if (a->f.offset != b->f.offset)
        return a->f.offset < b->f.offset ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

/* Worst first, then by place and offset. */
static enum bz_status list_findings(struct bz_scan *s, struct bz_scan_result *ret) {
    struct bz_scan_finding *list = bz_arena_alloc(s->out, (s->kept_n + 1) * sizeof *list);
    struct kept **order = bz_arena_alloc(s->out, (s->kept_n + 1) * sizeof *order);
    size_t n = 0;
    if (list == NULL || order == NULL)
        return BZ_ENOMEM;
    for (size_t i = BZ_SEVERITY_COUNT; i-- > 0;) {
        size_t from = n;
        for (struct kept *k = s->kept[i]; k != NULL; k = k->next)
            order[n++] = k;
        qsort(order + from, n - from, sizeof *order, by_place);
    }
    for (size_t i = 0; i < n; i++)
        list[i] = order[i]->f;
    ret->findings = list;
    ret->findings_n = n;
    ret->findings_more = s->found_n - n;
    return BZ_OK;
}

/* ---- budgets --------------------------------------------------------------------------------- */

static bool over(struct bz_scan *s, const struct bz_object *o, bool *told, const char *why) {
    if (!*told && bz_scan_left_out(s, o, 0, why) != BZ_OK)
        s->failed = BZ_ENOMEM;
    *told = true;
    return false;
}

bool bz_scan_steps(struct bz_scan *s, const struct bz_object *o, uint64_t n) {
    if (n > s->caps.steps - s->steps)
        return over(s, o, &s->told_steps, "cap: steps (opcodes, tokens, nodes)");
    s->steps += n;
    return true;
}

bool bz_scan_bytes(struct bz_scan *s, const struct bz_object *o, uint64_t decoded) {
    if (decoded > s->caps.bytes_out - s->bytes_out)
        return over(s, o, &s->told_bytes, "cap: decoded bytes in all");
    s->bytes_out += decoded;
    return true;
}

void bz_scan_opaque(struct bz_scan *s) {
    s->members++;
}

uint32_t bz_scan_ratio(const struct bz_scan *s) {
    return s->caps.ratio;
}

/* ---- the file: every read goes through here ----------------------------------------------------- */

static enum bz_status file_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    struct bz_scan *s = ctx;
    *ret_n = 0;
    if (s->failed != BZ_OK)
        return s->failed;
    enum bz_status st = s->src->pread(s->src->ctx, off, buf, n, ret_n);
    if (st != BZ_OK) {
        s->failed = st;
        return st;
    }
    s->read += *ret_n;
    if (s->opt->progress != NULL && s->read - s->told >= PROGRESS_STEP) {
        s->told = s->read;
        if (!s->opt->progress(s->opt->progress_ctx, s->read))
            s->failed = BZ_ELIMIT;
    }
    return s->failed;
}

/* ---- streams become sources of known size --------------------------------------------------------- */

enum bz_status bz_spool_fill(struct bz_spool *p, struct bz_scan *s, const struct bz_source *src,
                             size_t max) {
    uint64_t off = 0;
    uint8_t step[2048];
    p->crc = (uint32_t)crc32(0, NULL, 0);
    bz_buf_init(&p->buf, max);
    for (;;) {
        uint8_t *to = step;
        size_t cap = sizeof step, have = 0;
        if (p->buf.n == off && max - p->buf.n > 0) { /* all of it so far is held */
            cap = max - p->buf.n < READ_STEP ? max - p->buf.n : READ_STEP;
            if (src->size != BZ_SOURCE_UNKNOWN && src->size - off < cap)
                cap = (size_t)(src->size - off) + 1; /* small members, and one to see the end */
            if (cap > max - p->buf.n)
                cap = max - p->buf.n;
            if (!bz_buf_reserve(&p->buf, cap))
                return BZ_ENOMEM;
            to = p->buf.p + p->buf.n;
        }
        p->st = src->pread(src->ctx, off, to, cap, &have);
        p->crc = (uint32_t)crc32(p->crc, to, (uInt)have);
        off += have;
        if (to != step)
            p->buf.n += have;
        if (p->st != BZ_OK || have == 0)
            break;
    }
    p->size = off;
    p->mem = bz_buf_view(&p->buf);
    if (p->buf.n == off) {
        bz_source_mem(&p->src, &p->mem);
        return s->failed;
    }
    bz_buf_free(&p->buf);
    bz_buf_init(&p->buf, max);
    const struct bz_source *part = bz_source_part(s, src, 0, off);
    if (part == NULL)
        return BZ_ENOMEM;
    p->src = *part;
    return s->failed;
}

void bz_spool_done(struct bz_spool *p) {
    bz_buf_free(&p->buf);
}

/* ---- one object ------------------------------------------------------------------------------------ */

/* What a format's scan() came back with: an answer about the object, or the end of everything. */
static enum bz_status settle(struct bz_scan *s, const struct bz_object *o, enum bz_status st) {
    if (s->failed != BZ_OK)
        return s->failed;
    switch ((int)st) {
    case BZ_OK:
        return BZ_OK;
    case BZ_ENOMEM:
        return bz_scan_left_out(s, o, 0, "cap: memory");
    case BZ_ELIMIT:
        return bz_scan_left_out(s, o, 0, "a cap was reached");
    case BZ_ETRAILING:
    case BZ_ECORRUPT:
        return bz_scan_found(s, o, &bz_scan_rules[R_DAMAGED], 0, BZ_V(""));
    default:
        return st;
    }
}

#define X(name) +1
enum { FORMATS = 0 BZ_FORMAT_TABLE(X) };
#undef X

struct taken { /* formats that took an object */
    const struct bz_format *by[4];
    size_t n;
};

static enum bz_status try_format(struct bz_scan *s, struct bz_object *o, const struct bz_format *f,
                                 bool sure, struct taken *t) {
    const char *before = s->format;
    o->sure = sure;
    if (t->n == 0)
        bz_scan_name(s, o, f->name);
    enum bz_status st = f->scan(s, o);
    if (st == BZ_ENOTFOUND && s->failed == BZ_OK) {
        s->format = before;
        return BZ_OK;
    }
    if (t->n > 0)
        s->format = before; /* the first one's name stays */
    if (t->n < sizeof t->by / sizeof t->by[0])
        t->by[t->n] = f;
    t->n++;
    return settle(s, o, st);
}

static bool meant_together(const struct taken *t) {
    return t->n == 2 && ((t->by[0]->before_zip && strcmp(t->by[1]->name, "zip") == 0) ||
                         (t->by[1]->before_zip && strcmp(t->by[0]->name, "zip") == 0));
}

static enum bz_status polyglot(struct bz_scan *s, const struct bz_object *o,
                               const struct taken *t) {
    uint8_t text[WHY_MAX];
    struct bz_buf b;
    if (meant_together(t))
        return BZ_OK;
    bz_buf_init_fixed(&b, text, sizeof text);
    for (size_t i = 0; i < t->n && i < sizeof t->by / sizeof t->by[0]; i++) {
        bz_buf_puts(&b, i > 0 ? " + " : "");
        bz_buf_puts(&b, t->by[i]->name);
    }
    return bz_scan_found(s, o, &bz_scan_rules[R_POLYGLOT], 0, bz_buf_view(&b));
}

static enum bz_status try_inert(struct bz_scan *s, struct bz_object *o, struct taken *t) {
    for (size_t i = 0; i < bz_formats_n && t->n == 0; i++) {
        const struct bz_format *f = bz_formats[i];
        enum bz_probe p = f->inert ? f->probe(s, o) : BZ_PROBE_NO;
        if (p != BZ_PROBE_NO)
            BZ_TRY(try_format(s, o, f, p == BZ_PROBE_YES, t));
    }
    return BZ_OK;
}

/* Every format that says YES, then those that say MAYBE, then the inert ones. */
static enum bz_status dispatch(struct bz_scan *s, struct bz_object *o,
                               const struct bz_format *given) {
    struct taken t = {.n = 0};
    enum bz_probe said[FORMATS] = {BZ_PROBE_NO};
    if (given != NULL)
        BZ_TRY(try_format(s, o, given, true, &t));
    for (size_t i = 0; i < FORMATS; i++) {
        const struct bz_format *f = bz_formats[i];
        said[i] = f->inert || f == given ? BZ_PROBE_NO : f->probe(s, o);
        if (said[i] == BZ_PROBE_YES)
            BZ_TRY(try_format(s, o, f, true, &t));
    }
    for (size_t i = 0; i < FORMATS; i++) {
        if (said[i] == BZ_PROBE_MAYBE)
            BZ_TRY(try_format(s, o, bz_formats[i], false, &t));
    }
    if (t.n > 1)
        return polyglot(s, o, &t);
    if (t.n == 0)
        BZ_TRY(try_inert(s, o, &t));
    if (t.n == 0)
        return bz_scan_found(s, o, &bz_scan_rules[R_UNKNOWN], 0, bz_view_sub(o->head, 0, 16));
    return s->failed;
}

static enum bz_status read_head(struct bz_scan *s, struct bz_object *o) {
    uint64_t n = o->src.size < BZ_PROBE_HEAD ? o->src.size : BZ_PROBE_HEAD;
    uint8_t *mem = bz_arena_alloc(bz_scan_arena(s), BZ_PROBE_HEAD);
    if (mem == NULL)
        return BZ_ENOMEM;
    size_t at = 0, have = 1;
    while (at < n && have > 0) {
        enum bz_status st = o->src.pread(o->src.ctx, at, mem + at, (size_t)n - at, &have);
        if (s->failed != BZ_OK)
            return s->failed;
        if (st != BZ_OK)
            break; /* of a decoder, which has recorded it */
        at += have;
    }
    o->head = bz_view(mem, at);
    return BZ_OK;
}

static void frame_begin(struct bz_scan *s, struct frame *f) {
    size_t used = 0;
    for (const struct frame *u = s->frame; u != NULL; u = u->up)
        used += u->ar.used;
    bz_arena_init(&f->ar, s->out->a, used < s->caps.memory ? s->caps.memory - used : 0, NULL, 0);
    f->cleanup = NULL;
    f->up = s->frame;
    s->frame = f;
}

static void frame_end(struct bz_scan *s, struct frame *f) {
    while (f->cleanup != NULL) {
        struct bz_cleanup *c = f->cleanup;
        bz_scan_undefer(c);
        c->call(c->ctx);
    }
    s->frame = f->up;
    bz_arena_free(&f->ar);
}

static enum bz_status scan_object(struct bz_scan *s, struct bz_object *o,
                                  const struct bz_format *given) {
    enum bz_status st = read_head(s, o);
    if (st == BZ_OK)
        st = dispatch(s, o, given);
    return st;
}

static struct bz_view member_place(struct bz_scan *s, const struct bz_object *parent,
                                   struct bz_view name) {
    size_t n = 0;
    if (parent->place.n == 0)
        return bz_arena_dup(bz_scan_arena(s), name);
    if (__builtin_add_overflow(parent->place.n, name.n + 1, &n))
        return bz_view(NULL, 0);
    uint8_t *p = bz_arena_alloc(bz_scan_arena(s), n);
    if (p == NULL)
        return bz_view(NULL, 0);
    memcpy(p, parent->place.p, parent->place.n);
    p[parent->place.n] = '!';
    if (name.n > 0)
        memcpy(p + parent->place.n + 1, name.p, name.n);
    return bz_view(p, n);
}

static enum bz_status member(struct bz_scan *s, struct bz_object *o, const struct bz_source *src,
                             const struct bz_object *parent, const struct bz_format *given) {
    struct bz_spool spool = {.size = 0};
    o->place = member_place(s, parent, o->name);
    if (o->place.p == NULL && o->name.n > 0)
        return BZ_ENOMEM;
    o->src = *src;
    if (src->size != BZ_SOURCE_UNKNOWN)
        return scan_object(s, o, given);
    enum bz_status st = bz_spool_fill(&spool, s, src, BZ_SCAN_SPOOL_MAX);
    o->src = spool.src;
    if (st == BZ_OK)
        st = scan_object(s, o, given);
    bz_spool_done(&spool);
    return st;
}

enum bz_status bz_scan_member_as(struct bz_scan *s, const struct bz_object *parent,
                                 struct bz_view name, const struct bz_source *src,
                                 const struct bz_format *format) {
    struct bz_object o = {.name = name, .depth = (uint8_t)(parent->depth + 1)};
    struct frame f;
    if (s->failed != BZ_OK)
        return s->failed;
    if (s->members >= s->caps.members) {
        (void)over(s, parent, &s->told_members, "cap: members of archives");
        return s->failed;
    }
    s->members++;
    if (o.depth > s->caps.depth)
        return bz_scan_left_out(s, parent, 0, "cap: archives in archives");
    frame_begin(s, &f);
    enum bz_status st = member(s, &o, src, parent, format);
    if (st == BZ_ENOMEM)
        st = bz_scan_left_out(s, parent, 0, "cap: memory");
    frame_end(s, &f);
    return st == BZ_OK ? s->failed : st;
}

enum bz_status bz_scan_member(struct bz_scan *s, const struct bz_object *parent,
                              struct bz_view name, const struct bz_source *src) {
    return bz_scan_member_as(s, parent, name, src, NULL);
}

/* ---- a scan ---------------------------------------------------------------------------------------- */

#define OR(value, standard) ((value) != 0 ? (value) : (standard))

static struct bz_scan_caps caps_of(const struct bz_scan_caps *c) {
    return (struct bz_scan_caps){
        .bytes_out = OR(c->bytes_out, BZ_SCAN_BYTES_MAX),
        .ratio = OR(c->ratio, BZ_SCAN_RATIO_MAX),
        .members = OR(c->members, BZ_SCAN_MEMBERS_MAX),
        .depth = OR(c->depth, BZ_SCAN_DEPTH_MAX),
        .findings = OR(c->findings, BZ_SCAN_FINDINGS_MAX),
        .steps = OR(c->steps, BZ_SCAN_STEPS_MAX),
        .memory = OR(c->memory, BZ_SCAN_MEMORY_MAX),
    };
}

enum bz_status bz_scan(struct bz_arena *ar, const struct bz_source *src, struct bz_view name,
                       const struct bz_scan_options *opt, struct bz_scan_result *ret) {
    struct bz_scan s = {.out = ar, .opt = opt, .src = src, .caps = caps_of(&opt->caps)};
    struct bz_object o = {.name = name, .place = BZ_V("")};
    struct frame f;
    s.format = "unknown";
    o.src = (struct bz_source){.pread = file_pread, .ctx = &s, .size = src->size};
    if (src->size == BZ_SOURCE_UNKNOWN)
        return BZ_EINVAL;
    frame_begin(&s, &f);
    enum bz_status st = scan_object(&s, &o, NULL);
    frame_end(&s, &f);
    BZ_TRY(s.failed);
    BZ_TRY(st);
    *ret = (struct bz_scan_result){
        .format = s.format,
        .severity = s.severity,
        .members = s.members,
        .bytes_out = s.bytes_out,
        .steps = s.steps,
    };
    ret->verdict = s.bad ? BZ_SCAN_FINDINGS : s.unchecked ? BZ_SCAN_UNCHECKED : BZ_SCAN_CLEAN;
    return list_findings(&s, ret);
}
