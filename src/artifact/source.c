/* Sources over memory, parts of sources, and the window that reads one forward. */
#include "scan_int.h"

/* ---- memory -------------------------------------------------------------------------------- */

static enum bz_status mem_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    const struct bz_view *v = ctx;
    *ret_n = 0;
    if (off >= v->n || n == 0)
        return BZ_OK;
    size_t have = v->n - (size_t)off;
    *ret_n = n < have ? n : have;
    memcpy(buf, v->p + off, *ret_n);
    return BZ_OK;
}

void bz_source_mem(struct bz_source *s, struct bz_view *mem) {
    *s = (struct bz_source){.pread = mem_pread, .ctx = mem, .size = mem->n};
}

enum bz_status bz_source_exact(const struct bz_source *s, uint64_t off, void *buf, size_t n) {
    size_t have = 0;
    if (s->size != BZ_SOURCE_UNKNOWN && (off > s->size || n > s->size - off))
        return BZ_ETRAILING;
    while (n > 0) {
        BZ_TRY(s->pread(s->ctx, off, buf, n, &have));
        if (have == 0 || have > n)
            return BZ_ETRAILING;
        off += have;
        n -= have;
        buf = (uint8_t *)buf + have;
    }
    return BZ_OK;
}

/* ---- a part --------------------------------------------------------------------------------- */

struct part {
    struct bz_source self;
    const struct bz_source *of;
    uint64_t off;
};

static enum bz_status part_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    const struct part *p = ctx;
    *ret_n = 0;
    if (p->self.size != BZ_SOURCE_UNKNOWN) {
        if (off >= p->self.size)
            return BZ_OK;
        if (n > p->self.size - off)
            n = (size_t)(p->self.size - off);
    }
    if (off > UINT64_MAX - p->off)
        return BZ_OK;
    return p->of->pread(p->of->ctx, p->off + off, buf, n, ret_n);
}

const struct bz_source *bz_source_part(struct bz_scan *s, const struct bz_source *src, uint64_t off,
                                       uint64_t n) {
    struct part *p = bz_arena_alloc(bz_scan_arena(s), sizeof *p);
    if (p == NULL)
        return NULL;
    if (src->size != BZ_SOURCE_UNKNOWN) {
        uint64_t have = off < src->size ? src->size - off : 0;
        n = n < have ? n : have;
    }
    *p = (struct part){.of = src, .off = off};
    p->self = (struct bz_source){.pread = part_pread, .ctx = p, .size = n};
    return &p->self;
}

/* ---- a window ------------------------------------------------------------------------------- */

enum bz_status bz_window_init(struct bz_window *w, struct bz_scan *s, const struct bz_source *src,
                              uint64_t off) {
    size_t cap = BZ_WINDOW;
    if (src->size != BZ_SOURCE_UNKNOWN) {
        uint64_t left = off < src->size ? src->size - off : 0;
        cap = left < cap ? (size_t)left : cap; /* most members are small */
    }
    *w = (struct bz_window){.src = src, .base = off, .cap = cap};
    w->buf = bz_arena_alloc(bz_scan_arena(s), cap); /* never NULL, so that it can be counted from */
    return w->buf == NULL ? BZ_ENOMEM : BZ_OK;
}

/* Moves what is in sight to the front and reads until it is full or the source ends. */
static void fill(struct bz_window *w) {
    size_t left = w->n - w->at;
    if (w->at > 0 && left > 0)
        memmove(w->buf, w->buf + w->at, left);
    w->base += w->at;
    w->at = 0;
    w->n = left;
    while (w->n < w->cap && w->st == BZ_OK) {
        size_t have = 0;
        w->st = w->src->pread(w->src->ctx, w->base + w->n, w->buf + w->n, w->cap - w->n, &have);
        if (w->st == BZ_OK && have == 0)
            w->st = BZ_ETRAILING;
        w->n += have <= w->cap - w->n ? have : 0;
    }
    if (w->cap < BZ_WINDOW && w->st == BZ_OK)
        w->st = BZ_ETRAILING; /* made to hold all that there is */
}

struct bz_view bz_window_peek(struct bz_window *w, size_t n) {
    if (w->cap == 0 && w->st == BZ_OK)
        w->st = BZ_ETRAILING;
    if (w->n - w->at < n && w->st == BZ_OK)
        fill(w);
    return bz_view(w->buf + w->at, w->n - w->at);
}

void bz_window_skip(struct bz_window *w, uint64_t n) {
    size_t left = w->n - w->at;
    if (n <= left) {
        w->at += (size_t)n;
        return;
    }
    n -= left;
    w->at = w->n;
    if (w->st != BZ_OK)
        return; /* nothing beyond */
    if (n > UINT64_MAX - bz_window_off(w)) {
        w->st = BZ_ETRAILING;
        return;
    }
    w->base += w->n + n;
    w->at = w->n = 0;
}
