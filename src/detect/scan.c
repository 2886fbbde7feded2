/* Candidates, findings, and which of two that overlap is told. */
#include "engine.h"

#include <stdlib.h>

#include "groups.h"

enum {
    RAWS_MAX = 4 * BZ_FINDINGS_MAX,
    WORD_EDGE = 4, /* bytes of the character before a match */
};

struct scan_sink {
    struct bz_detect *d;
    const struct scan_job *job;
    struct scan each[DETECTORS_MAX]; /* a view of the text for each detector */
    bool wanted[DETECTORS_MAX];
    size_t base; /* place of what Vectorscan sees in the text */
};

/* ---- what was found ---------------------------------------------------------------------------- */

/* Order of findings: those held for first, then as the header says. */
static int compare(const void *va, const void *vb) {
    const struct raw *a = va;
    const struct raw *b = vb;
    if (a->other != b->other)
        return a->other ? 1 : -1;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->proof != b->proof)
        return a->proof > b->proof ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    return (a->type > b->type) - (a->type < b->type);
}

static int by_start(const void *va, const void *vb) {
    const struct raw *a = va;
    const struct raw *b = vb;
    return (a->start > b->start) - (a->start < b->start);
}

/* Drops what overlaps; what is not held for also keeps clear of what is. Sorted by start after. */
static void resolve(struct raws *r) {
    if (r->n < 2)
        return;
    qsort(r->v, r->n, sizeof r->v[0], compare);
    size_t kept = 0;
    size_t end = 0;
    size_t i = 0;
    for (; i < r->n && !r->v[i].other; i++) {
        if (r->v[i].start >= end) {
            end = r->v[i].end;
            r->v[kept++] = r->v[i];
        }
    }
    size_t first = kept; /* of the others */
    size_t near = 0;
    for (end = 0; i < r->n; i++) {
        struct raw one = r->v[i];
        while (near < first && r->v[near].end <= one.start)
            near++;
        if (one.start < end || (near < first && r->v[near].start < one.end))
            continue;
        end = one.end;
        r->v[kept++] = one;
    }
    r->n = kept;
    if (first != 0 && first != kept)
        qsort(r->v, r->n, sizeof r->v[0], by_start);
}

static bool same(const struct raw *a, const struct raw *b) {
    return a->start == b->start && a->end == b->end && a->type == b->type && a->proof == b->proof;
}

static void add_raw(struct raws *r, const struct raw *one) {
    if (r->n != 0 && same(&r->v[r->n - 1], one))
        return;
    if (r->n == RAWS_MAX)
        resolve(r);
    if (r->n == RAWS_MAX) {
        r->more++;
        return;
    }
    if (r->n == r->cap) {
        uint8_t *room = bz_buf_room(&r->mem, (r->cap == 0 ? 64 : r->cap) * sizeof *one);
        if (room == NULL) {
            r->failed = true;
            return;
        }
        r->v = (struct raw *)(void *)r->mem.p;
        r->cap = r->mem.n / sizeof *one;
    }
    r->v[r->n++] = *one;
}

static void emit(struct scan_sink *k, size_t type, enum bz_proof proof, enum bz_level level,
                 size_t start, size_t end) {
    const struct scan_job *job = k->job;
    bool other = job->hold != NULL && !bz_type_set_has(job->hold, type);
    if (job->want != NULL && !bz_type_set_has(job->want, type))
        return;
    if (start < (other ? job->other_from : job->from) || start >= end || end > job->text.n ||
        end - start > BZ_DETECT_MATCH_MAX || (end == job->text.n && !job->final))
        return;
    struct raw one = {start, end, (uint16_t)type, (uint8_t)proof, (uint8_t)level, other};
    add_raw(&k->d->raws, &one);
}

void scan_emit_level(struct scan *s, size_t type, enum bz_proof proof, enum bz_level level,
                     size_t start, size_t end) {
    emit(s->sink, s->first + type, proof, level, start, end);
}

void scan_emit(struct scan *s, size_t type, enum bz_proof proof, size_t start, size_t end) {
    const struct bz_type *types = NULL;
    size_t n = bz_type_list(&types);
    size_t t = s->first + type;
    if (t < n)
        emit(s->sink, t, proof, (enum bz_level)types[t].level, start, end);
}

/* ---- candidates -------------------------------------------------------------------------------- */

static void custom_hit(struct scan_sink *k, const struct custom_expr *x, size_t from, size_t end) {
    struct bz_detect *d = k->d;
    struct bz_view text = k->job->text;
    size_t start = x->som ? from : end - x->width;
    if (end > text.n || start > end || (!x->som && x->width > end))
        return;
    if (x->whole_word && !custom_whole(text, start, end))
        return;
    const struct bz_type *t = bz_detect_type(d, x->type);
    if (t != NULL)
        emit(k, x->type, (enum bz_proof)t->proof, (enum bz_level)t->level, start, end);
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *ctx) {
    (void)flags;
    struct scan_sink *k = ctx;
    struct bz_detect *d = k->d;
    if (id < d->hooks_n) {
        const struct hook *h = &d->hooks[id];
        if (k->wanted[h->det])
            h->d->hit(&k->each[h->det], h->t, k->base + (size_t)to);
    } else if (id - d->hooks_n < d->custom.exprs_n) {
        custom_hit(k, &d->custom.exprs[id - d->hooks_n], k->base + (size_t)from,
                   k->base + (size_t)to);
    }
    return d->raws.failed ? 1 : 0;
}

/* Is a type of the group in the set (NULL: all), and not in the other (NULL: none)? */
static bool any_of(const struct bz_type_set *s, const struct bz_type_set *but,
                   enum detect_group g) {
    size_t from = group_first(g);
    size_t to = group_first((enum detect_group)(g + 1));
    while (from < to) {
        size_t end = (from / 64 + 1) * 64;
        uint64_t w = s == NULL ? UINT64_MAX : s->w[from / 64];
        w &= but == NULL ? UINT64_MAX : ~but->w[from / 64];
        w >>= from % 64;
        if (to < end)
            w <<= 64 - (to - from);
        if (w != 0)
            return true;
        from = end;
    }
    return false;
}

static struct scan view_of(const struct bz_detect *d, const struct scan_job *job,
                           const struct detector *det) {
    bool others = job->hold != NULL && any_of(job->want, job->hold, det->group);
    size_t from = others && job->other_from < job->from ? job->other_from : job->from;
    return (struct scan){.p = job->text.p,
                         .n = job->text.n,
                         .final = job->final,
                         .from = from,
                         .want = job->want,
                         .tell = job->other_from >= job->text.n ? job->hold : NULL,
                         .hold = job->hold,
                         .hold_from = job->from,
                         .first = group_first(det->group),
                         .own = d->own[det->group],
                         .round = d->round,
                         .wordless = job->wordless};
}

/* Bytes in front in which no expression needs to be found: they stand within their matches. Where a
 * customer's pattern begins depends on what is before it. */
static size_t decided(const struct bz_detect *d, const struct scan_job *job) {
    size_t from = job->hold == NULL || job->from < job->other_from ? job->from : job->other_from;
    return from < WORD_EDGE || d->custom.width != 0 ? 0 : from - WORD_EDGE;
}

static void sweep(struct scan_sink *k, size_t from, size_t to) {
    const struct detector *const *all = NULL;
    size_t n = detectors(&all);
    for (size_t i = 0; i < n; i++) {
        if (k->wanted[i] && all[i]->sweep != NULL)
            all[i]->sweep(&k->each[i], from, to);
    }
}

static enum bz_status candidates(struct bz_detect *d, struct scan_sink *k) {
    for (unsigned g = 0; g < GATE_COUNT; g++) {
        size_t skip = g == GATE_NONE ? 0 : decided(d, k->job);
        struct bz_view text = bz_view_sub(k->job->text, skip, k->job->text.n);
        size_t at = 0;
        size_t lo = 0;
        size_t hi = 0;
        while (d->db[g] != NULL && gate_next((enum gate)g, text, d->width[g], &at, &lo, &hi)) {
            k->base = skip + lo;
            if (g == GATE_DIGIT)
                sweep(k, skip + lo, skip + hi);
            hs_error_t e = hs_scan(d->db[g], (const char *)text.p + lo, (unsigned)(hi - lo), 0,
                                   d->scratch, on_match, k);
            if (d->raws.failed)
                return BZ_ENOMEM;
            if (e != HS_SUCCESS)
                return BZ_EINTERNAL;
        }
    }
    return BZ_OK;
}

/* The detector whose matches of this type may go on. */
static const struct detector *chained(size_t type) {
    const struct detector *const *all = NULL;
    size_t n = detectors(&all);
    for (size_t i = 0; i < n; i++) {
        if (all[i]->more != NULL && type >= group_first(all[i]->group) &&
            type < group_first((enum detect_group)(all[i]->group + 1)))
            return all[i];
    }
    return NULL;
}

/* Adds what goes on at r->end. */
static void follow_one(struct bz_detect *d, const struct scan_job *job, struct raw r) {
    const struct detector *det = chained(r.type);
    if (det == NULL)
        return;
    struct scan s = view_of(d, job, det);
    for (;;) {
        size_t end = det->more(&s, r.type - s.first, r.end);
        if (end == SCAN_UNKNOWN && r.end < d->chain_live && !r.other)
            d->chain_live = r.end;
        if (end == SCAN_UNKNOWN || end <= r.end)
            return;
        r.start = r.end;
        r.end = end;
        add_raw(&d->raws, &r);
    }
}

static void follow(struct bz_detect *d, const struct scan_job *job) {
    size_t n = d->raws.n;
    if (job->chain != 0) {
        const struct bz_type *types = NULL;
        (void)bz_type_list(&types);
        struct raw r = {.start = job->from,
                        .end = job->from,
                        .type = (uint16_t)(job->chain - 1),
                        .proof = BZ_PROOF_CHECKSUM};
        r.level = types[r.type].level;
        follow_one(d, job, r);
    }
    for (size_t i = 0; i < n; i++)
        follow_one(d, job, d->raws.v[i]);
    if (d->raws.n != n)
        resolve(&d->raws);
}

enum bz_status engine_scan(struct bz_detect *d, const struct scan_job *job) {
    d->round++;
    d->raws.n = 0;
    d->raws.more = 0;
    d->raws.failed = false;
    d->chain_live = SIZE_MAX;
    if (job->text.n == 0)
        return BZ_OK;
    if (job->text.n > INT32_MAX)
        return BZ_ETOOBIG;
    struct scan_sink k = {.d = d, .job = job};
    const struct detector *const *all = NULL;
    size_t n = detectors(&all);
    for (size_t i = 0; i < n; i++) {
        k.each[i] = view_of(d, job, all[i]);
        k.wanted[i] =
            any_of(job->want, NULL, all[i]->group) && any_of(k.each[i].tell, NULL, all[i]->group);
        k.each[i].sink = &k;
    }
    BZ_TRY(candidates(d, &k));
    resolve(&d->raws);
    follow(d, job);
    return d->raws.failed ? BZ_ENOMEM : BZ_OK;
}

bool engine_chained(size_t type) {
    return chained(type) != NULL;
}

size_t engine_live(const struct bz_detect *d, const struct scan_job *job) {
    const struct detector *const *all = NULL;
    size_t n = detectors(&all);
    const struct bz_type_set *hold = job->hold == NULL ? job->want : job->hold;
    size_t least = job->text.n;
    if (job->from >= least)
        return least;
    for (size_t i = 0; i < n; i++) {
        if (all[i]->live == NULL || !any_of(hold, NULL, all[i]->group))
            continue;
        struct scan s = view_of(d, job, all[i]);
        s.want = hold;
        s.from = job->from;
        size_t a = all[i]->live(&s, job->from);
        least = a < least ? a : least;
    }
    struct scan s = {.p = job->text.p, .n = job->text.n, .from = job->from, .want = hold};
    size_t a = starts_live(&d->starts, &s, job->from);
    least = a < least ? a : least;
    a = custom_live(d, &s, job->from);
    least = a < least ? a : least;
    if (job->text.n > BZ_DETECT_MATCH_MAX && least < job->text.n - BZ_DETECT_MATCH_MAX)
        least = job->text.n - BZ_DETECT_MATCH_MAX; /* what began earlier is too long by now */
    return least < job->from ? job->from : least;
}

/* ---- whole texts ------------------------------------------------------------------------------- */

enum bz_status findings_add(struct bz_findings *f, const struct bz_finding *one) {
    if (f->n >= BZ_FINDINGS_MAX) {
        f->more++;
        return BZ_OK;
    }
    if (f->n == f->cap) {
        size_t cap = f->cap == 0 ? 16 : f->cap * 2;
        struct bz_finding *v = bz_arena_alloc(f->ar, cap * sizeof *v);
        if (v == NULL)
            return BZ_ENOMEM;
        if (f->n != 0)
            memcpy(v, f->v, f->n * sizeof *v);
        f->v = v;
        f->cap = cap;
    }
    f->v[f->n++] = *one;
    return BZ_OK;
}

struct quotes { /* a walk over JSON: is a place inside a string? */
    struct bz_view text;
    size_t at;
    bool in;
};

static bool quoted(struct quotes *q, size_t place) {
    while (q->at < place) {
        uint8_t c = q->text.p[q->at++];
        if (c == '"')
            q->in = !q->in;
        else if (c == '\\' && q->in)
            q->at++;
    }
    return q->in;
}

/* An end inside of what one character became ends behind the character. */
static size_t place_of_end(const uint32_t *map, size_t n, size_t end) {
    while (end < n && map[end] == map[end - 1])
        end++;
    return map[end];
}

enum bz_status bz_detect_scan(struct bz_detect *d, struct bz_view text, enum bz_text_mode mode,
                              const struct bz_type_set *want, const struct bz_type_set *hold,
                              struct bz_arena *scratch, struct bz_findings *out) {
    const uint32_t *map = NULL;
    struct scan_job job = {.final = true, .want = want, .hold = hold};
    BZ_TRY(bz_normalise(text, mode, scratch, &job.text, &map));
    BZ_TRY(engine_scan(d, &job));
    struct quotes q = {.text = text};
    for (size_t i = 0; i < d->raws.n; i++) {
        const struct raw *r = &d->raws.v[i];
        struct bz_finding f = {.start = map == NULL ? r->start : map[r->start],
                               .end = map == NULL ? r->end : place_of_end(map, job.text.n, r->end),
                               .type = r->type,
                               .cls = bz_detect_type(d, r->type)->cls,
                               .proof = r->proof,
                               .level = r->level};
        f.quoted = mode == BZ_TEXT_JSON && quoted(&q, f.start);
        BZ_TRY(findings_add(out, &f));
    }
    out->more += d->raws.more;
    return BZ_OK;
}
