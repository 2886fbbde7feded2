/* An opened pack: the databases, their scratch memory, and the tables made from what is built in. */
#include "engine.h"

#include <bartizan/crypto.h>
#include <bartizan/rd.h>

#include "pack.h"

static enum bz_status status_of(hs_error_t e) {
    switch (e) {
    case HS_SUCCESS:
        return BZ_OK;
    case HS_NOMEM:
        return BZ_ENOMEM;
    case HS_DB_VERSION_ERROR:
    case HS_DB_PLATFORM_ERROR:
    case HS_DB_MODE_ERROR:
    case HS_ARCH_ERROR:
        return BZ_EVERSION;
    default:
        return BZ_ECORRUPT;
    }
}

/* What lies between the head and the seal of a pack that is whole and of this build. */
static enum bz_status body(struct bz_view pack, struct bz_rd *ret) {
    uint8_t hash[BZ_HASH_LEN];
    size_t head = sizeof PACK_MAGIC - 1;
    if (pack.n < head + BZ_HASH_LEN || !bz_view_starts(pack, BZ_V(PACK_MAGIC)))
        return BZ_ECORRUPT;
    struct bz_view sealed = bz_view_sub(pack, 0, pack.n - BZ_HASH_LEN);
    bz_sha256(sealed, hash);
    if (!bz_ct_equal(bz_view(hash, sizeof hash), bz_view_sub(pack, sealed.n, BZ_HASH_LEN)))
        return BZ_ECORRUPT;
    bz_rd_init(ret, bz_view_sub(sealed, head, sealed.n));
    if (bz_rd_le32(ret) != ENGINE_VERSION)
        return BZ_EVERSION;
    engine_stamp(hash);
    return bz_view_eq(bz_rd_take(ret, sizeof hash), bz_view(hash, sizeof hash)) ? BZ_OK
                                                                                : BZ_EVERSION;
}

static enum bz_status read_databases(struct bz_rd *r, struct bz_detect *d) {
    for (size_t g = 0; g < GATE_COUNT; g++) {
        d->width[g] = bz_rd_le32(r);
        struct bz_view db = bz_rd_take(r, bz_rd_count(r, 1));
        if (!bz_rd_ok(r) || d->width[g] > PATTERN_WIDTH_MAX)
            return BZ_ECORRUPT;
        if (db.n == 0)
            continue;
        BZ_TRY(status_of(hs_deserialize_database((const char *)db.p, db.n, &d->db[g])));
        BZ_TRY(status_of(hs_alloc_scratch(d->db[g], &d->scratch)));
    }
    return bz_rd_end(r) == BZ_OK ? BZ_OK : BZ_ECORRUPT;
}

static enum bz_status make_hooks(struct bz_detect *d) {
    const struct detector *const *all = NULL;
    size_t n = detectors(&all);
    for (size_t i = 0; i < n; i++)
        d->hooks_n += all[i]->triggers_n;
    d->hooks = bz_arena_zalloc(&d->custom.ar, (d->hooks_n + 1) * sizeof *d->hooks);
    if (d->hooks == NULL)
        return BZ_ENOMEM;
    size_t id = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t t = 0; t < all[i]->triggers_n; t++)
            d->hooks[id++] = (struct hook){all[i], &all[i]->triggers[t], i};
    }
    return BZ_OK;
}

static enum bz_status prepare(struct bz_detect *d) {
    const struct detector *const *all = NULL;
    size_t n = detectors(&all);
    for (size_t i = 0; i < n; i++) {
        if (all[i]->prepare != NULL)
            BZ_TRY(all[i]->prepare(&d->custom.ar, &d->own[all[i]->group]));
    }
    return BZ_OK;
}

static size_t literal_bytes(const struct detector *det) {
    size_t bytes = 0;
    for (size_t i = 0; i < det->triggers_n; i++) {
        if ((det->triggers[i].flags & TRIGGER_START) != 0)
            bytes += strlen(det->triggers[i].expr);
    }
    for (size_t i = 0; i < det->starts_n; i++)
        bytes += strlen(det->starts[i]);
    return bytes;
}

static void add_starts(struct starts *st, const struct detector *det) {
    for (size_t i = 0; i < det->triggers_n; i++) {
        const struct trigger *t = &det->triggers[i];
        if ((t->flags & TRIGGER_START) != 0)
            starts_add(st, bz_view_str(t->expr), START_WORD, (t->flags & HS_FLAG_CASELESS) != 0,
                       false);
    }
    for (size_t i = 0; i < det->starts_n; i++)
        starts_add(st, bz_view_str(det->starts[i]), START_WORD, det->starts_nocase, false);
}

/* See the rule of numbers (detector.h). */
static void make_uncounted(struct bz_detect *d) {
    for (size_t i = 0; i < bz_detect_types_n(d); i++) {
        const struct bz_type *t = bz_detect_type(d, i);
        bool counted = t->cls == BZ_CLASS_SECRET || t->cls == BZ_CLASS_PLACEHOLDER ||
                       (t->cls == BZ_CLASS_PII && t->proof == BZ_PROOF_CHECKSUM);
        if (!counted || i >= builtin_types() || bz_type_set_has(&d->slow, i))
            bz_type_set_add(&d->uncounted, i);
    }
}

static enum bz_status make_starts(struct bz_detect *d) {
    const struct detector *const *all = NULL;
    size_t n = detectors(&all);
    size_t bytes = d->custom.words_bytes;
    for (size_t i = 0; i < n; i++)
        bytes += literal_bytes(all[i]);
    BZ_TRY(starts_init(&d->starts, &d->custom.ar, bytes));
    for (size_t i = 0; i < n; i++) {
        add_starts(&d->starts, all[i]);
        for (size_t w = 0; w < all[i]->wordy_n; w++)
            bz_type_set_add(&d->slow, group_first(all[i]->group) + all[i]->wordy[w]);
    }
    custom_starts(&d->custom, &d->starts);
    custom_slow(&d->custom, &d->slow);
    make_uncounted(d);
    return BZ_OK;
}

static enum bz_status open_pack(struct bz_view pack, struct bz_detect *d) {
    struct bz_rd r;
    BZ_TRY(body(pack, &r));
    BZ_TRY(custom_read(bz_rd_take(&r, bz_rd_count(&r, 1)), &d->custom));
    BZ_TRY(make_hooks(d));
    BZ_TRY(make_starts(d));
    BZ_TRY(prepare(d));
    return read_databases(&r, d);
}

enum bz_status bz_detect_open(struct bz_view pack, struct bz_detect **ret) {
    struct bz_detect *d = bz_alloc_heap.alloc(NULL, sizeof *d);
    if (d == NULL)
        return BZ_ENOMEM;
    *d = (struct bz_detect){0};
    bz_arena_init(&d->custom.ar, bz_alloc_heap, PACK_MAX, NULL, 0);
    bz_buf_init(&d->raws.mem, PACK_MAX);
    enum bz_status st = open_pack(pack, d);
    if (st != BZ_OK) {
        bz_detect_close(d);
        return st;
    }
    *ret = d;
    return BZ_OK;
}

void bz_detect_close(struct bz_detect *d) {
    if (d == NULL)
        return;
    if (d->scratch != NULL)
        hs_free_scratch(d->scratch);
    for (size_t g = 0; g < GATE_COUNT; g++) {
        if (d->db[g] != NULL)
            hs_free_database(d->db[g]);
    }
    bz_buf_wipe_free(&d->raws.mem);
    bz_arena_free(&d->custom.ar);
    bz_alloc_heap.free(NULL, d);
}

const struct bz_type *bz_detect_type(const struct bz_detect *d, size_t type) {
    const struct bz_type *types = NULL;
    size_t n = bz_type_list(&types);
    if (type < n)
        return &types[type];
    return type - n < d->custom.types_n ? &d->custom.types[type - n].t : NULL;
}

size_t bz_detect_types_n(const struct bz_detect *d) {
    return builtin_types() + d->custom.types_n;
}

bool bz_detect_type_find(const struct bz_detect *d, struct bz_view name, size_t *ret) {
    for (size_t i = 0; i < bz_detect_types_n(d); i++) {
        if (bz_view_eq(name, bz_view_str(bz_detect_type(d, i)->name))) {
            *ret = i;
            return true;
        }
    }
    return false;
}
