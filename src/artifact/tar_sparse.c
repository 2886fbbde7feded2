#include "tar_sparse.h"

#include <bartizan/limits.h>
#include <bartizan/text.h>

enum { OLD_MAP = 386, OLD_ENTRIES = 4, OLD_MORE = 482, OLD_SIZE = 483 };
enum { NEXT_ENTRIES = 21, NEXT_MORE = 504, ENTRY = 24, FIELD = 12, DIGITS_MAX = 20 };

/* ---- extents ------------------------------------------------------------------------------------- */

static enum bz_status grow(struct tar_sparse *t, struct bz_scan *s) {
    size_t cap = t->cap == 0 ? 16 : 2 * t->cap;
    struct tar_extent *p = bz_arena_alloc(bz_scan_arena(s), cap * sizeof *p);
    if (p == NULL)
        return BZ_ENOMEM;
    if (t->n > 0)
        memcpy(p, t->list, t->n * sizeof *p);
    t->list = p;
    t->cap = cap;
    return BZ_OK;
}

static enum bz_status add(struct tar_sparse *t, struct bz_scan *s, uint64_t at, uint64_t n) {
    if (t->n >= BZ_TAR_EXTENTS_MAX)
        t->bad = "a map of too many parts";
    if (t->bad != NULL)
        return BZ_OK;
    if (t->n == t->cap)
        BZ_TRY(grow(t, s));
    t->list[t->n++] = (struct tar_extent){.at = at, .n = n};
    return BZ_OK;
}

/* ---- pax 0.0 and 0.1 ------------------------------------------------------------------------------ */

static uint64_t decimal(struct tar_sparse *t, struct bz_view v) {
    uint64_t n = 0;
    if (bz_view_u64(v, &n) != BZ_OK)
        t->bad = "a map with something that is no number";
    return n;
}

/* "offset,length,offset,length" */
static enum bz_status map_text(struct tar_sparse *t, struct bz_scan *s, struct bz_view v) {
    uint64_t at = 0;
    for (bool half = false; v.n > 0 && t->bad == NULL; half = !half) {
        const uint8_t *comma = memchr(v.p, ',', v.n);
        size_t n = comma == NULL ? v.n : (size_t)(comma - v.p);
        uint64_t number = decimal(t, bz_view_sub(v, 0, n));
        if (half)
            BZ_TRY(add(t, s, at, number));
        at = number;
        v = bz_view_sub(v, n + 1, v.n);
        if (v.n == 0 && !half)
            t->bad = "a map that ends in the middle";
    }
    return BZ_OK;
}

static enum bz_status part(struct tar_sparse *t, struct bz_scan *s, bool length, uint64_t v) {
    if (length != t->half)
        t->bad = "a map whose parts are not in pairs";
    t->half = !length;
    if (!length)
        return add(t, s, v, 0);
    if (t->bad == NULL)
        t->list[t->n - 1].n = v;
    return BZ_OK;
}

enum bz_status tar_sparse_pax(struct tar_sparse *t, struct bz_scan *s, struct bz_view key,
                              struct bz_view value) {
    struct bz_view k = bz_view_sub(key, sizeof "GNU.sparse." - 1, key.n);
    t->is = true;
    if (bz_view_eq(k, BZ_V("name")))
        t->name = value;
    else if (bz_view_eq(k, BZ_V("major")))
        t->in_data = !bz_view_eq(value, BZ_V("0"));
    else if (bz_view_eq(k, BZ_V("size")) || bz_view_eq(k, BZ_V("realsize")))
        t->size = decimal(t, value);
    else if (bz_view_eq(k, BZ_V("map")))
        return map_text(t, s, value);
    else if (bz_view_eq(k, BZ_V("offset")) || bz_view_eq(k, BZ_V("numbytes")))
        return part(t, s, k.p[0] == 'n', decimal(t, value));
    return BZ_OK;
}

/* ---- GNU's old header ------------------------------------------------------------------------------ */

static enum bz_status entries(struct tar_sparse *t, struct bz_scan *s, const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n && p[FIELD] != 0; i++, p += ENTRY) {
        uint64_t at = 0, length = 0;
        if (!tar_number(p, FIELD, &at) || !tar_number(p + FIELD, FIELD, &length))
            t->bad = "a map with something that is no number";
        BZ_TRY(add(t, s, at, length));
    }
    return BZ_OK;
}

enum bz_status tar_sparse_old(struct tar_sparse *t, struct bz_scan *s, const struct bz_source *src,
                              const uint8_t header[TAR_BLOCK], uint64_t *data) {
    uint8_t next[TAR_BLOCK];
    t->is = true;
    if (!tar_number(header + OLD_SIZE, FIELD, &t->size))
        t->bad = "a size that is no number";
    BZ_TRY(entries(t, s, header + OLD_MAP, OLD_ENTRIES));
    bool more = header[OLD_MORE] != 0;
    while (more && t->bad == NULL) {
        if (src->size - *data < TAR_BLOCK) {
            t->bad = "a map that ends with the file";
            break;
        }
        BZ_TRY(bz_source_exact(src, *data, next, sizeof next));
        BZ_TRY(entries(t, s, next, NEXT_ENTRIES));
        more = next[NEXT_MORE] != 0;
        *data += TAR_BLOCK;
    }
    return BZ_OK;
}

/* ---- pax 1.0: decimal numbers, a line each, before the data ----------------------------------------- */

static uint64_t line(struct tar_sparse *t, struct bz_window *w) {
    struct bz_view v = bz_view_sub(bz_window_peek(w, DIGITS_MAX + 1), 0, DIGITS_MAX + 1);
    const uint8_t *end = v.n == 0 ? NULL : memchr(v.p, '\n', v.n);
    if (end == NULL) {
        t->bad = "a map with something that is no number";
        return 0;
    }
    size_t n = (size_t)(end - v.p);
    uint64_t value = decimal(t, bz_view(v.p, n));
    bz_window_skip(w, n + 1);
    return value;
}

static enum bz_status map_in_data(struct tar_sparse *t, struct bz_scan *s,
                                  const struct bz_source *packed, uint64_t *ret_used) {
    struct bz_window w;
    BZ_TRY(bz_window_init(&w, s, packed, 0));
    uint64_t count = line(t, &w);
    for (uint64_t i = 0; i < count && t->bad == NULL; i++) {
        uint64_t at = line(t, &w), n = line(t, &w);
        BZ_TRY(add(t, s, at, n));
    }
    *ret_used = (bz_window_off(&w) + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    return BZ_OK;
}

/* ---- the file as it was ------------------------------------------------------------------------------ */

struct sparse_file {
    struct bz_source self;
    const struct bz_source *packed;
    const struct tar_extent *list;
    size_t n;
};

/* The first extent that ends behind `off`; n: none. */
static size_t extent_at(const struct sparse_file *f, uint64_t off) {
    size_t low = 0, high = f->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (f->list[mid].at + f->list[mid].n > off)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* Of one extent, or of the zeros before one. */
static enum bz_status run(const struct sparse_file *f, uint64_t off, uint8_t *buf, size_t n,
                          size_t *ret_n) {
    size_t i = extent_at(f, off);
    uint64_t next = i < f->n ? f->list[i].at : f->self.size;
    if (off < next) {
        *ret_n = next - off < n ? (size_t)(next - off) : n;
        memset(buf, 0, *ret_n);
        return BZ_OK;
    }
    uint64_t into = off - f->list[i].at, left = f->list[i].n - into;
    return f->packed->pread(f->packed->ctx, f->list[i].from + into, buf,
                            left < n ? (size_t)left : n, ret_n);
}

static enum bz_status sparse_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    const struct sparse_file *f = ctx;
    uint8_t *to = buf;
    size_t done = 0, have = 1;
    *ret_n = 0;
    n = off >= f->self.size ? 0 : f->self.size - off < n ? (size_t)(f->self.size - off) : n;
    while (done < n && have > 0) {
        BZ_TRY(run(f, off + done, to + done, n - done, &have));
        done += have;
    }
    *ret_n = done;
    return BZ_OK;
}

/* In order, apart, inside of the file, and all that is packed. */
static void check(struct tar_sparse *t, uint64_t from, uint64_t packed) {
    uint64_t end = 0;
    for (size_t i = 0; i < t->n && t->bad == NULL; i++) {
        struct tar_extent *e = &t->list[i];
        if (e->at < end || e->at > t->size || e->n > t->size - e->at)
            t->bad = "a map whose parts overlap or lie outside of the file";
        else if (from > packed || e->n > packed - from)
            t->bad = "a map of more than is packed";
        e->from = from;
        from += e->n;
        end = e->at + e->n;
    }
    if (t->bad == NULL && from != packed)
        t->bad = "a map of less than is packed";
}

enum bz_status tar_sparse_source(struct tar_sparse *t, struct bz_scan *s,
                                 const struct bz_source *packed, const struct bz_source **ret) {
    uint64_t used = 0;
    *ret = NULL;
    if (t->in_data && t->bad == NULL)
        BZ_TRY(map_in_data(t, s, packed, &used));
    if (t->half)
        t->bad = "a map that ends in the middle";
    if (t->bad == NULL)
        check(t, used, packed->size);
    if (t->bad != NULL)
        return BZ_OK;
    struct sparse_file *f = bz_arena_alloc(bz_scan_arena(s), sizeof *f);
    if (f == NULL)
        return BZ_ENOMEM;
    *f = (struct sparse_file){.packed = packed, .list = t->list, .n = t->n};
    f->self = (struct bz_source){.pread = sparse_pread, .ctx = f, .size = t->size};
    *ret = &f->self;
    return BZ_OK;
}

bool tar_sparse_moved(const struct tar_sparse *t) {
    return !t->in_data && (t->n == 0 || t->list[0].at != 0);
}
