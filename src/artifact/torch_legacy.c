/* torch.save before 1.6: five pickles (magic number, protocol, system, the object, the keys of its
 * storages), and behind them for each key, in that order, the number of elements and their bytes.
 * Facts: torch/serialization.py, _legacy_save and _legacy_load. */
#include "pickle_int.h"

#include <stdlib.h>

bool bz_pk_torch_begins(struct bz_view head) {
    static const uint8_t magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                    0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
    head = bz_view_sub(head, 0, 32);
    return head.n > sizeof magic && memmem(head.p, head.n, magic, sizeof magic) != NULL;
}

static const struct {
    const char *name;
    uint8_t width;
} types[] = {
    {"FloatStorage", 4},    {"DoubleStorage", 8},       {"HalfStorage", 2},
    {"BFloat16Storage", 2}, {"LongStorage", 8},         {"IntStorage", 4},
    {"ShortStorage", 2},    {"CharStorage", 1},         {"ByteStorage", 1},
    {"BoolStorage", 1},     {"ComplexFloatStorage", 8}, {"ComplexDoubleStorage", 16},
    {"UntypedStorage", 1},  {"_UntypedStorage", 1},     {"QInt8Storage", 1},
    {"QUInt8Storage", 1},   {"QInt32Storage", 4},
};

static uint32_t width_of(const struct bz_pk *m, uint32_t type) {
    if (BZ_PK_TAG(type) != BZ_PK_GLOBAL)
        return 0;
    struct bz_view name = bz_pk_text(m, bz_pk_global_at(m, BZ_PK_LOAD(type))->name);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (bz_view_eq(name, bz_view_str(types[i].name)))
            return types[i].width;
    }
    return 0;
}

/* ("module", class, source file, source): the class itself. */
static uint32_t module_of(struct bz_pk *m, const uint32_t *e, size_t n) {
    bool is;
    if (n < 2 || BZ_PK_TAG(e[1]) != BZ_PK_GLOBAL ||
        !bz_view_eq(bz_pk_text_of(m, e[0], &is), BZ_V("module")))
        return BZ_PK_PERSID;
    return e[1];
}

/* ("storage", type, key, location, number of elements, view) */
uint32_t bz_pk_torch_persid(struct bz_pk *m, uint32_t id) {
    size_t n;
    uint64_t numel;
    if (!m->torch || BZ_PK_TAG(id) != BZ_PK_ROW)
        return BZ_PK_PERSID;
    const uint32_t *e = bz_pk_row(m, id, &n);
    if (n < 5 || BZ_PK_TAG(e[2]) != BZ_PK_STR)
        return module_of(m, e, n);
    if (!bz_pk_number(m, e[4], &numel))
        numel = UINT64_MAX;
    const struct bz_pk_storage *all = (const struct bz_pk_storage *)(const void *)m->storages.p;
    const size_t have = m->storages.n / sizeof *all;
    if (have > 0 && all[have - 1].key == BZ_PK_LOAD(e[2]))
        return BZ_PK_PERSID;
    struct bz_pk_storage *s = bz_pk_vec(&m->storages, sizeof *s);
    if (s != NULL)
        *s = (struct bz_pk_storage){BZ_PK_LOAD(e[2]), width_of(m, e[1]), numel};
    return BZ_PK_PERSID;
}

bool bz_pk_torch_key(struct bz_pk *m, uint32_t text) {
    uint32_t *p = bz_pk_vec(&m->keys, sizeof *p);
    if (p != NULL)
        *p = BZ_PK_TAG(text) == BZ_PK_STR ? BZ_PK_LOAD(text) : BZ_PK_NONE;
    return true;
}

static int by_key(const void *va, const void *vb) {
    const struct bz_pk_storage *a = va, *b = vb;
    return a->key < b->key ? -1 : a->key > b->key;
}

enum bz_status bz_pk_torch_storages(struct bz_pk *m, uint64_t off, uint64_t *ret_end) {
    size_t n = m->storages.n / sizeof(struct bz_pk_storage), keys = m->keys.n / sizeof(uint32_t);
    struct bz_pk_storage *all = (struct bz_pk_storage *)(void *)m->storages.p;
    *ret_end = m->o->src.size;
    if (n == PK_STORAGES || keys == PK_STORAGES)
        return BZ_OK; /* too many to follow; the pickles were read */
    if (n > 0)
        qsort(all, n, sizeof *all, by_key);
    for (size_t i = 0; i < keys; i++) {
        uint8_t le[8];
        uint64_t numel = 0, bytes;
        struct bz_pk_storage want = {.key = ((const uint32_t *)(const void *)m->keys.p)[i]};
        const struct bz_pk_storage *s = n == 0 ? NULL : bsearch(&want, all, n, sizeof *all, by_key);
        if (s == NULL || s->width == 0)
            return BZ_OK; /* a type of storage that is not known here */
        enum bz_status st = bz_source_exact(&m->o->src, off, le, sizeof le);
        for (unsigned k = 0; k < 8; k++)
            numel |= (uint64_t)le[k] << (8 * k);
        if (st != BZ_OK && st != BZ_ETRAILING)
            return st;
        if (st != BZ_OK || __builtin_mul_overflow(numel, (uint64_t)s->width, &bytes) ||
            (s->numel != UINT64_MAX && s->numel > numel) || m->o->src.size - off - 8 < bytes) {
            return bz_pk_found(m, PKL_TORCH, off, bz_pk_text(m, want.key)) ? BZ_OK : m->st;
        }
        off += 8 + bytes;
    }
    *ret_end = off;
    return BZ_OK;
}
