/* One text in pieces: findings with line and column, and what stands between them. Memory is bounded
 * by a piece and by what cannot be decided yet, however long the text is. */
#include "dlp.h"

enum {
    RAW_MAX = 4 << 20,   /* a piece and undecided text; a run of invisible characters counts */
    ARENA_MAX = 64 << 20 /* findings of one piece */
};

void bz_dlp_text_init(struct bz_dlp_text *t, const struct bz_dlp_rules *r) {
    *t = (struct bz_dlp_text){.rules = r, .at = {1, 1}};
    bz_watch_init(&t->watch, r->mode, &r->want);
    bz_arena_init(&t->ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    bz_buf_init(&t->raw, RAW_MAX);
}

void bz_dlp_text_done(struct bz_dlp_text *t) {
    bz_watch_done(&t->watch);
    bz_arena_free(&t->ar);
    bz_buf_wipe_free(&t->raw);
}

/* ---- places ---- */

/* A NUL is half a character of UTF-16, or nothing that anybody sees. */
static uint64_t characters(struct bz_view v) {
    uint64_t n = 0;
    for (size_t i = 0; i < v.n; i++)
        n += (v.p[i] & 0xc0) != 0x80 && v.p[i] != 0;
    return n;
}

static void walk(struct bz_dlp_place *at, struct bz_view v) {
    const uint8_t *nl;
    while (v.n > 0 && (nl = memchr(v.p, '\n', v.n)) != NULL) {
        at->line++;
        at->column = 1;
        v = bz_view_sub(v, (size_t)(nl - v.p) + 1, v.n);
    }
    at->column += characters(v);
}

static struct bz_view part(const struct bz_dlp_text *t, uint64_t from, uint64_t to) {
    return bz_view_sub(bz_buf_view(&t->raw), (size_t)(from - t->base), (size_t)(to - from));
}

/* ---- findings ---- */

static void pass(struct bz_dlp_text *t, uint64_t *cursor, uint64_t to) {
    struct bz_view v = part(t, *cursor, to);
    walk(&t->at, v);
    if (t->between != NULL && v.n > 0)
        t->between(t->ctx, v);
    *cursor = to;
}

static void tell(struct bz_dlp_text *t, uint64_t *cursor, const struct bz_finding *f) {
    struct bz_dlp_found out = {.type = bz_detect_type(t->rules->d, f->type),
                               .number = f->type,
                               .proof = (enum bz_proof)f->proof,
                               .level = (enum bz_level)f->level,
                               .quoted = f->quoted != 0,
                               .offset = f->start};
    if (f->proof < (uint8_t)t->rules->min)
        return;
    out.more = f->start == t->last_end && f->type == t->last_type && f->start > 0;
    pass(t, cursor, f->start);
    out.value = part(t, f->start, f->end);
    out.from = t->at;
    walk(&t->at, out.value);
    out.to = t->at;
    *cursor = f->end;
    bool is_long = out.more || out.value.n >= BZ_DETECT_MATCH_MAX / 2;
    t->last_end = f->cls == BZ_CLASS_SECRET && is_long ? f->end : 0;
    t->last_type = f->type;
    t->found(t->ctx, &out);
}

/* Bytes at the beginning of v that end with a whole code point; bytes that are none count as one. */
static size_t whole(struct bz_view v) {
    for (size_t back = 1; back <= 3 && back <= v.n; back++) {
        uint8_t c = v.p[v.n - back];
        if ((c & 0xc0) == 0x80)
            continue;
        size_t needs = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        return needs > back ? v.n - back : v.n;
    }
    return v.n;
}

static enum bz_status tell_all(struct bz_dlp_text *t, const struct bz_findings *f,
                               uint64_t settled) {
    uint64_t cursor = t->base;
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].start < cursor || f->v[i].end < f->v[i].start || f->v[i].end > settled)
            return BZ_EINTERNAL;
        tell(t, &cursor, &f->v[i]);
    }
    pass(t, &cursor, settled);
    return f->more == 0 ? BZ_OK : BZ_ETOOBIG;
}

enum bz_status bz_dlp_text_feed(struct bz_dlp_text *t, struct bz_view piece, bool last) {
    struct bz_findings f = {.ar = &t->ar};
    uint64_t settled = t->base;
    bz_buf_put(&t->raw, piece);
    BZ_TRY(bz_buf_status(&t->raw));
    struct bz_view fresh = part(t, t->fed, t->base + t->raw.n);
    if (!last)
        fresh.n = whole(fresh);
    enum bz_status st =
        bz_watch_feed(t->rules->d, &t->watch, fresh, last, NULL, &t->ar, &f, &settled);
    t->fed += fresh.n;
    if (st == BZ_OK)
        st = tell_all(t, &f, settled);
    bz_arena_free(&t->ar);
    BZ_TRY(st);
    size_t done = (size_t)(settled - t->base);
    t->raw.n -= done;
    if (t->raw.n > 0)
        memmove(t->raw.p, t->raw.p + done, t->raw.n);
    t->base = settled;
    return BZ_OK;
}

/* ---- what is text ---- */

bool bz_dlp_is_wide(struct bz_view head) {
    return head.n >= 2 &&
           ((head.p[0] == 0xff && head.p[1] == 0xfe) || (head.p[0] == 0xfe && head.p[1] == 0xff));
}

bool bz_dlp_is_text(struct bz_view head) {
    if (head.n > BZ_DLP_HEAD)
        head.n = BZ_DLP_HEAD;
    return head.n == 0 || bz_dlp_is_wide(head) || memchr(head.p, 0, head.n) == NULL;
}
