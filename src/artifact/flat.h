/* Walking FlatBuffers the way their verifier does: every offset, vtable and vector is checked before
 * it is followed. Source: flatbuffers.dev, "Internals". */
#ifndef BZ_ARTIFACT_FLAT_H
#define BZ_ARTIFACT_FLAT_H

#include "pages.h"

struct bz_flat {
    struct bz_pages pages;
    uint64_t size;
    const char *why; /* latched: NULL, or what is wrong (static) */
    uint64_t bad;
};

struct bz_flat_table {
    uint64_t at; /* 0: absent */
    uint64_t vtable;
    uint16_t vsize, size;
};

struct bz_flat_vector {
    uint64_t at; /* of the first element */
    uint32_t n;  /* 0 also where it is absent */
};

enum bz_status bz_flat_open(struct bz_flat *f, struct bz_arena *ar,
                            const struct bz_source *src) BZ_MUST_USE;
bool bz_flat_ok(const struct bz_flat *f);
void bz_flat_fail(struct bz_flat *f, uint64_t at, const char *why);
struct bz_flat_table bz_flat_root(struct bz_flat *f, uint64_t at);
/* Scalars of a table: `dflt` where the field is absent. n: bytes of it. */
uint64_t bz_flat_num(struct bz_flat *f, const struct bz_flat_table *t, unsigned field, size_t n,
                     uint64_t dflt);
struct bz_flat_table bz_flat_sub(struct bz_flat *f, const struct bz_flat_table *t, unsigned field);
/* Elements of `item` bytes each. */
struct bz_flat_vector bz_flat_vec(struct bz_flat *f, const struct bz_flat_table *t, unsigned field,
                                  size_t item);
struct bz_flat_table bz_flat_at(struct bz_flat *f, const struct bz_flat_vector *v, uint32_t i);
uint32_t bz_flat_u32_at(struct bz_flat *f, const struct bz_flat_vector *v, uint32_t i);
/* A string; lives until the next call, cut at `max`. */
struct bz_view bz_flat_str(struct bz_flat *f, const struct bz_flat_table *t, unsigned field,
                           size_t max);

#endif
