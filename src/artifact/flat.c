/* Walking FlatBuffers. After the first bad offset everything is absent. */
#include "flat.h"

enum bz_status bz_flat_open(struct bz_flat *f, struct bz_arena *ar, const struct bz_source *src) {
    *f = (struct bz_flat){.size = src->size};
    return bz_pages_init(&f->pages, ar, src);
}

bool bz_flat_ok(const struct bz_flat *f) {
    return f->why == NULL;
}

void bz_flat_fail(struct bz_flat *f, uint64_t at, const char *why) {
    if (f->why == NULL) {
        f->why = why;
        f->bad = at;
    }
}

static uint64_t number(struct bz_flat *f, uint64_t at, size_t n) {
    struct bz_view v = bz_pages_at(&f->pages, at, n);
    uint64_t x = 0;
    if (v.p == NULL) {
        bz_flat_fail(f, at, "cut off");
        return 0;
    }
    for (size_t i = n; i-- > 0;)
        x = x << 8 | v.p[i];
    return bz_flat_ok(f) ? x : 0;
}

static struct bz_flat_table table(struct bz_flat *f, uint64_t at) {
    struct bz_flat_table t = {.at = at};
    static const struct bz_flat_table none = {.at = 0};
    int64_t back = (int32_t)(uint32_t)number(f, at, 4);
    if (!bz_flat_ok(f))
        return none;
    if (back > (int64_t)at || (int64_t)at - back + 4 > (int64_t)f->size) {
        bz_flat_fail(f, at, "a table whose layout lies outside of the file");
        return none;
    }
    t.vtable = (uint64_t)((int64_t)at - back);
    t.vsize = (uint16_t)number(f, t.vtable, 2);
    t.size = (uint16_t)number(f, t.vtable + 2, 2);
    if (bz_flat_ok(f) && (t.vsize < 4 || t.vsize % 2 != 0 || t.vsize > f->size - t.vtable ||
                          t.size < 4 || t.size > f->size - at))
        bz_flat_fail(f, at, "a table of an impossible size");
    return bz_flat_ok(f) ? t : none;
}

/* Where a field of n bytes lies; 0: absent. */
static uint64_t field_at(struct bz_flat *f, const struct bz_flat_table *t, unsigned field,
                         size_t n) {
    unsigned slot = 4 + 2 * field;
    if (t->at == 0 || slot + 2 > t->vsize)
        return 0;
    uint64_t off = number(f, t->vtable + slot, 2);
    if (off == 0)
        return 0;
    if (off < 4 || off + n > t->size) {
        bz_flat_fail(f, t->at, "a field outside of its table");
        return 0;
    }
    return t->at + off;
}

static uint64_t jump(struct bz_flat *f, uint64_t at) {
    uint64_t off = number(f, at, 4);
    if (off == 0)
        return 0;
    if (off >= f->size - at) {
        bz_flat_fail(f, at, "an offset beyond the end of the file");
        return 0;
    }
    return at + off;
}

static uint64_t follow(struct bz_flat *f, uint64_t at) {
    return at == 0 ? 0 : jump(f, at);
}

struct bz_flat_table bz_flat_root(struct bz_flat *f, uint64_t at) {
    uint64_t to = jump(f, at);
    if (to == 0)
        bz_flat_fail(f, at, "no root table");
    return bz_flat_ok(f) ? table(f, to) : (struct bz_flat_table){.at = 0};
}

uint64_t bz_flat_num(struct bz_flat *f, const struct bz_flat_table *t, unsigned field, size_t n,
                     uint64_t dflt) {
    uint64_t at = field_at(f, t, field, n);
    return at == 0 ? dflt : number(f, at, n);
}

struct bz_flat_table bz_flat_sub(struct bz_flat *f, const struct bz_flat_table *t, unsigned field) {
    uint64_t to = follow(f, field_at(f, t, field, 4));
    return to == 0 ? (struct bz_flat_table){.at = 0} : table(f, to);
}

struct bz_flat_vector bz_flat_vec(struct bz_flat *f, const struct bz_flat_table *t, unsigned field,
                                  size_t item) {
    struct bz_flat_vector v = {.at = 0};
    uint64_t to = follow(f, field_at(f, t, field, 4));
    if (to == 0)
        return v;
    v.n = (uint32_t)number(f, to, 4);
    v.at = to + 4;
    if (bz_flat_ok(f) && v.n > (f->size - v.at) / item) {
        bz_flat_fail(f, to, "a list longer than the file");
        v.n = 0;
    }
    return v;
}

struct bz_flat_table bz_flat_at(struct bz_flat *f, const struct bz_flat_vector *v, uint32_t i) {
    uint64_t to = i < v->n ? follow(f, v->at + 4 * (uint64_t)i) : 0;
    if (to == 0)
        bz_flat_fail(f, v->at, "a table that is not there");
    return bz_flat_ok(f) ? table(f, to) : (struct bz_flat_table){.at = 0};
}

uint32_t bz_flat_u32_at(struct bz_flat *f, const struct bz_flat_vector *v, uint32_t i) {
    return i < v->n ? (uint32_t)number(f, v->at + 4 * (uint64_t)i, 4) : 0;
}

struct bz_view bz_flat_str(struct bz_flat *f, const struct bz_flat_table *t, unsigned field,
                           size_t max) {
    struct bz_flat_vector v = bz_flat_vec(f, t, field, 1);
    size_t n = v.n < max ? v.n : max;
    struct bz_view s = bz_pages_at(&f->pages, v.at, n);
    if (n != 0 && s.p == NULL)
        bz_flat_fail(f, v.at, "cut off");
    return n == 0 || s.p == NULL ? BZ_V("") : s;
}
