/* GGUF: tensor records and the layout of the data they describe.
 *
 * Every offset must be the padded sum of all sizes before it, so ranges neither overlap nor leave
 * holes, and the sum must lie inside the file: loaders that trust a shape read beyond their memory
 * (CVE-2026-7482). */
#include "gguf_int.h"

#include <bartizan/limits.h>
#include <bartizan/text.h>
#include "tensors.h"

struct tensor {
    uint64_t at; /* of its record */
    uint32_t dims, type;
    uint64_t offset, size;
};

struct layout {
    struct bz_pairs names;
    uint64_t sum;  /* where the next tensor must start */
    uint64_t last; /* end of the last one, not padded */
};

/* Shape, type and bytes. */
static bool tensor_size(struct gguf *g, struct tensor *t) {
    uint64_t ne[GGUF_DIMS_MAX] = {1, 1, 1, 1}, rows = 1, all = 1;
    for (uint32_t i = 0; i < t->dims; i++) {
        if (!gguf_u64(g, &ne[i]))
            return false;
    }
    for (uint32_t i = 0; i < GGUF_DIMS_MAX; i++) {
        if (ne[i] > INT64_MAX || __builtin_mul_overflow(all, ne[i], &all) || all > INT64_MAX)
            return gguf_stop(g, GGUF_R_SHAPE, t->at, BZ_V("dimensions"));
        if (i > 0 && __builtin_mul_overflow(rows, ne[i], &rows)) /* ne[0] may be 0 */
            return gguf_stop(g, GGUF_R_SHAPE, t->at, BZ_V("dimensions"));
    }
    if (!gguf_u32(g, &t->type) || !gguf_u64(g, &t->offset))
        return false;
    const struct gguf_tensor_type *tt = gguf_tensor_type(t->type);
    if (tt == NULL)
        return gguf_stop(g, GGUF_R_TENSORTYPE, t->at, BZ_V("type"));
    if (ne[0] % tt->block != 0)
        return gguf_stop(g, GGUF_R_SHAPE, t->at, BZ_V("row and block size"));
    uint64_t row = ne[0] / tt->block;
    if (__builtin_mul_overflow(row, (uint64_t)tt->bytes, &row) ||
        __builtin_mul_overflow(row, rows, &t->size) || t->size > INT64_MAX)
        return gguf_stop(g, GGUF_R_SHAPE, t->at, BZ_V("size in bytes"));
    return true;
}

/* One record; *ret_name lives until the next read. */
static bool record(struct gguf *g, struct tensor *t, uint8_t name[static GGUF_NAME_MAX],
                   struct bz_view *ret_name) {
    struct bz_view v;
    t->at = bz_window_off(&g->w);
    if (!gguf_name(g, GGUF_NAME_MAX, GGUF_R_NAME, &v))
        return false;
    if (v.n == 0 || gguf_has_control(v, false))
        return gguf_stop(g, GGUF_R_NAME, t->at, v);
    memcpy(name, v.p, v.n);
    *ret_name = bz_view(name, v.n);
    if (!gguf_u32(g, &t->dims))
        return false;
    if (t->dims > GGUF_DIMS_MAX)
        return gguf_stop(g, GGUF_R_DIMS, t->at, *ret_name);
    return tensor_size(g, t);
}

static bool padded(const struct gguf *g, uint64_t n, uint64_t *ret) {
    uint64_t more = g->align - 1;
    if (__builtin_add_overflow(n, more, ret))
        return false;
    *ret &= ~more;
    return true;
}

static bool place(struct gguf *g, struct layout *l, const struct tensor *t, struct bz_view name) {
    if (t->offset != l->sum)
        return gguf_stop(g, GGUF_R_OFFSET, t->at, name);
    if (__builtin_add_overflow(l->sum, t->size, &l->last) || !padded(g, l->last, &l->sum) ||
        l->sum > INT64_MAX)
        return gguf_stop(g, GGUF_R_SHAPE, t->at, name);
    return true;
}

static bool records(struct gguf *g, struct layout *l) {
    uint8_t buf[GGUF_NAME_MAX];
    struct bz_view name;
    uint64_t twice = 0;
    for (uint64_t i = 0; i < g->n_tensors; i++) {
        struct tensor t = {.size = 0};
        if (!record(g, &t, buf, &name) || !place(g, l, &t, name))
            return false;
        g->st = bz_pairs_add(&l->names, bz_pairs_name(name), t.at);
        if (g->st != BZ_OK) {
            g->stop = true;
            return false;
        }
    }
    bz_pairs_sort(&l->names);
    if (bz_pairs_twice(&l->names, &twice))
        (void)gguf_found(g, GGUF_R_DUPTENSOR, twice, BZ_V("name"));
    return !g->stop;
}

/* Bytes that belong to nothing must be zero. */
static bool zeros(struct gguf *g, uint64_t from, uint64_t to) {
    uint8_t buf[256];
    for (; from < to && g->st == BZ_OK; from += sizeof buf) {
        size_t n = to - from < sizeof buf ? (size_t)(to - from) : sizeof buf;
        g->st = bz_source_exact(&g->o->src, from, buf, n);
        for (size_t i = 0; i < n && g->st == BZ_OK; i++) {
            if (buf[i] != 0)
                return gguf_found(g, GGUF_R_PADDING, from + i, bz_view(buf + i, n - i));
        }
    }
    return g->st == BZ_OK;
}

/* A second reading, now that it is known where the data starts: gaps and facts. */
static void report(struct gguf *g, uint64_t infos, uint64_t data) {
    const struct bz_facts *facts = bz_scan_options(g->s)->facts;
    uint8_t buf[GGUF_NAME_MAX];
    struct bz_view name;
    bool clean = true;
    g->st = bz_window_init(&g->w, g->s, &g->o->src, infos);
    for (uint64_t i = 0; i < g->n_tensors && g->st == BZ_OK; i++) {
        struct tensor t = {.size = 0};
        uint64_t next = 0;
        if (!record(g, &t, buf, &name) || !padded(g, t.offset + t.size, &next))
            return;
        struct bz_tensor_fact f = {.name = name,
                                   .type = bz_view_str(gguf_tensor_type(t.type)->name),
                                   .offset = data + t.offset,
                                   .size = t.size};
        if (facts != NULL && facts->tensor != NULL)
            facts->tensor(facts->ctx, &f);
        if (clean && i + 1 < g->n_tensors && next - t.offset - t.size <= GGUF_ALIGN_USUAL)
            clean = zeros(g, f.offset + t.size, data + next);
    }
}

/* Behind the last tensor there may be its padding, and nothing else. */
static void tail(struct gguf *g, uint64_t end, uint64_t padded_end) {
    uint64_t size = g->o->src.size;
    uint8_t head[16];
    size_t n = 0;
    if (size > padded_end) {
        n = size - padded_end < sizeof head ? (size_t)(size - padded_end) : sizeof head;
        g->st = bz_source_exact(&g->o->src, padded_end, head, n);
        if (g->st == BZ_OK)
            (void)gguf_found(g, GGUF_R_TRAILING, padded_end, bz_view(head, n));
    }
    if (g->st == BZ_OK && padded_end - end <= GGUF_ALIGN_USUAL)
        (void)zeros(g, end, size < padded_end ? size : padded_end);
}

void gguf_tensors(struct gguf *g) {
    struct layout l = {.sum = 0};
    uint64_t infos = bz_window_off(&g->w), size = g->o->src.size, data = 0, end = 0, all = 0;
    bz_pairs_init(&l.names, BZ_TENSORS_MAX);
    bool ok = records(g, &l);
    bz_pairs_done(&l.names);
    uint64_t infos_end = bz_window_off(&g->w);
    if (!ok)
        return;
    if (!padded(g, infos_end, &data) || __builtin_add_overflow(data, l.last, &end) ||
        __builtin_add_overflow(data, l.sum, &all)) {
        (void)gguf_stop(g, GGUF_R_BOUNDS, infos_end, BZ_V("data"));
        return;
    }
    if (g->n_tensors == 0) {
        tail(g, infos_end, data);
        return;
    }
    if (end > size) {
        (void)gguf_stop(g, GGUF_R_BOUNDS, data, BZ_V("data"));
        return;
    }
    if (data - infos_end <= GGUF_ALIGN_USUAL && !zeros(g, infos_end, data) && g->st != BZ_OK)
        return;
    tail(g, end, all);
    if (g->st == BZ_OK)
        report(g, infos, data);
}
