/* Tables of the machine: strings, rows, names, memo. All are bounded; what does not fit is lost and
 * said to be. */
#include "pickle_int.h"

#include <stdlib.h>

enum {
    STRINGS_MAX = BZ_PICKLE_TEXTS_MAX,
    FORCED_MAX = 128 * 1024, /* with those that are names */
    POOL_MAX = 16 << 20,
    ROWS_MAX = BZ_PICKLE_ROWS_MAX,
    GLOBALS_MAX = BZ_PICKLE_NAMES_MAX,
    NOTES_MAX = 64 * 1024,
    DTYPES_MAX = 64 * 1024,
    BIGS_MAX = 64 * 1024,
    SPARSE_FIRST = 64,
    SPARSE_MAX = 2 * BZ_PICKLE_FAR_MAX,
    PAGES_MAX = 1 << 20, /* 2^32 places */
    LIVE_MAX = BZ_PICKLE_MEMO_MAX,
};

/* Each with room for its cap, so that an error of theirs is never one of size. */
void bz_pk_tables(struct bz_pk *m) {
    bz_buf_init(&m->pool, POOL_MAX);
    bz_buf_init(&m->strings, FORCED_MAX * sizeof(struct bz_pk_string));
    bz_buf_init(&m->string_slots, 0);
    bz_buf_init(&m->cells, (size_t)ROWS_MAX * PK_ROW * 4);
    bz_buf_init(&m->rows, ROWS_MAX * sizeof(struct bz_pk_rowref));
    bz_buf_init(&m->row_slots, 0);
    bz_buf_init(&m->globals, GLOBALS_MAX * sizeof(struct bz_pk_global));
    bz_buf_init(&m->global_slots, 0);
    bz_buf_init(&m->notes, NOTES_MAX * sizeof(struct bz_pk_note));
    bz_buf_init(&m->dtypes, DTYPES_MAX * sizeof(struct bz_pk_dtype));
    bz_buf_init(&m->bigs, BIGS_MAX * sizeof(uint64_t));
    bz_buf_init(&m->storages, PK_STORAGES * sizeof(struct bz_pk_storage));
    bz_buf_init(&m->keys, PK_STORAGES * sizeof(uint32_t));
}

void bz_pk_tables_done(struct bz_pk *m) {
    struct bz_buf *const all[] = {&m->pool,   &m->strings,      &m->string_slots, &m->cells,
                                  &m->rows,   &m->row_slots,    &m->globals,      &m->notes,
                                  &m->dtypes, &m->global_slots, &m->bigs,         &m->storages,
                                  &m->keys};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        bz_buf_free(all[i]);
}

bool bz_pk_limit(struct bz_pk *m, const char *what) {
    if (!m->limit_told && !bz_pk_found(m, PKL_LIMIT, bz_pk_off(m), bz_view_str(what)))
        return false;
    m->limit_told = m->limit_told || !m->quiet;
    return !m->strict || bz_pk_stop(m, BZ_PK_LIMITED);
}

void *bz_pk_vec(struct bz_buf *b, size_t size) {
    if (size > b->max - b->n || !bz_buf_reserve(b, size))
        return NULL;
    void *p = b->p + b->n;
    b->n += size;
    return p;
}

static uint32_t hash_bytes(const uint8_t *p, size_t n) {
    uint64_t h = 0x9e3779b97f4a7c15u ^ n;
    while (n >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        h = (h ^ w) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
        p += 8;
        n -= 8;
    }
    uint64_t w = 0;
    memcpy(&w, p, n);
    h = (h ^ w) * 0xff51afd7ed558ccdu;
    return (uint32_t)(h >> 32);
}

/* Open addressing; a slot holds the hash and id + 1. Made twice as big when it is half full. */
static bool grow(struct bz_buf *slots, uint32_t *mask, uint32_t n) {
    const uint32_t cap = *mask == 0 ? 64 : (*mask + 1) * 2;
    struct bz_buf b;
    bz_buf_init(&b, (size_t)cap * sizeof(uint64_t));
    uint64_t *t = (uint64_t *)(void *)bz_buf_room(&b, (size_t)cap * sizeof *t);
    if (t == NULL)
        return false;
    memset(t, 0, (size_t)cap * sizeof *t);
    const uint64_t *old = (const uint64_t *)(const void *)slots->p;
    for (uint32_t k = 0; n > 0 && k <= *mask; k++) {
        if (old[k] == 0)
            continue;
        uint32_t i = (uint32_t)(old[k] >> 32) & (cap - 1);
        while (t[i] != 0)
            i = (i + 1) & (cap - 1);
        t[i] = old[k];
    }
    bz_buf_free(slots);
    *slots = b;
    *mask = cap - 1;
    return true;
}

static bool room(struct bz_buf *slots, uint32_t *mask, uint32_t n) {
    return (*mask != 0 && n < (*mask + 1) / 2) || grow(slots, mask, n);
}

static uint64_t slot_of(uint32_t hash, uint32_t id) {
    return (uint64_t)hash << 32 | (id + 1);
}

/* ---- strings -------------------------------------------------------------------------------- */

static const struct bz_pk_string *string_at(const struct bz_pk *m, uint32_t id) {
    return (const struct bz_pk_string *)(const void *)m->strings.p + id;
}

struct bz_view bz_pk_text(const struct bz_pk *m, uint32_t id) {
    const struct bz_pk_string *s = string_at(m, id);
    return bz_view(m->pool.p + s->off, s->n);
}

static bool same_text(const struct bz_pk *m, uint32_t id, struct bz_view v) {
    const struct bz_pk_string *s = string_at(m, id);
    return s->n == v.n && memcmp(m->pool.p + s->off, v.p, v.n) == 0;
}

uint32_t bz_pk_intern(struct bz_pk *m, struct bz_view v, bool forced) {
    const uint32_t n = (uint32_t)(m->strings.n / sizeof(struct bz_pk_string));
    const uint32_t hash = hash_bytes(v.p, v.n);
    if (!room(&m->string_slots, &m->string_mask, n))
        return BZ_PK_NONE;
    uint64_t *t = (uint64_t *)(void *)m->string_slots.p;
    uint32_t i = hash & m->string_mask;
    for (; t[i] != 0; i = (i + 1) & m->string_mask) {
        if ((uint32_t)(t[i] >> 32) == hash && same_text(m, (uint32_t)t[i] - 1, v))
            return (uint32_t)t[i] - 1;
    }
    if (n >= (forced ? FORCED_MAX : STRINGS_MAX) || v.n > UINT16_MAX)
        return BZ_PK_NONE;
    struct bz_pk_string *s = m->pool.max - m->pool.n > v.n && bz_buf_reserve(&m->pool, v.n + 1)
                                 ? bz_pk_vec(&m->strings, sizeof *s)
                                 : NULL;
    if (s == NULL)
        return BZ_PK_NONE;
    *s = (struct bz_pk_string){(uint32_t)m->pool.n, (uint16_t)v.n};
    bz_buf_put(&m->pool, v);
    t[i] = slot_of(hash, n);
    return n;
}

/* A byte that names have: 1, and first in a name: 2. */
static const uint8_t name_byte[256] = {
    ['.'] = 1,         ['-'] = 1,         ['_'] = 3,         ['<'] = 3,           ['>'] = 1,
    ['0' ... '9'] = 1, ['a' ... 'z'] = 3, ['A' ... 'Z'] = 3, [0x80 ... 0xff] = 3,
};

static bool name_like(const struct bz_pk *m, struct bz_view v) {
    if (v.n == 0 || v.n > PK_NAME_LEN)
        return false;
    uint8_t all = name_byte[v.p[0]];
    if ((all & 2) == 0 && !(m->digits && all == 1))
        return false;
    for (size_t i = 1; i < v.n; i++)
        all &= name_byte[v.p[i]] | 2;
    return (all & 1) != 0;
}

/* The table is full: the string is known until PK_LATE more have come, or for ever if it is used as a
 * name before (a pickle names a module once and fetches it from the memo afterwards). */
static uint32_t late(struct bz_pk *m, struct bz_view v) {
    if (m->late == NULL)
        m->late = bz_arena_alloc(bz_scan_arena(m->s), sizeof *m->late * PK_LATE);
    if (m->late == NULL || m->late_n >= BZ_PK_INT_MAX)
        return BZ_PK_V(BZ_PK_TEXT, 1);
    m->late[m->late_n % PK_LATE].n = (uint8_t)v.n;
    memcpy(m->late[m->late_n % PK_LATE].text, v.p, v.n);
    return BZ_PK_V(BZ_PK_LATE, m->late_n++);
}

uint32_t bz_pk_string(struct bz_pk *m, struct bz_view v) {
    if (!name_like(m, v))
        return BZ_PK_V(BZ_PK_TEXT, 0);
    uint32_t id = bz_pk_intern(m, v, false);
    return id == BZ_PK_NONE ? late(m, v) : BZ_PK_V(BZ_PK_STR, id);
}

/* ---- a small hash of numbers ---------------------------------------------------------------- */

static uint32_t sparse_slot(const struct bz_pk_sparse *h, uint64_t key) {
    uint32_t i = (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32) & (h->cap - 1);
    while (h->slots[i].key != 0 && h->slots[i].key != key + 1)
        i = (i + 1) & (h->cap - 1);
    return i;
}

static uint32_t sparse_get(const struct bz_pk_sparse *h, uint64_t key) {
    if (h->n == 0)
        return BZ_PK_ABSENT;
    uint32_t i = sparse_slot(h, key);
    return h->slots[i].key == 0 ? BZ_PK_ABSENT : h->slots[i].value;
}

static bool sparse_put(struct bz_pk *m, struct bz_pk_sparse *h, uint64_t key, uint32_t value) {
    if (h->n * 2 >= h->cap) {
        struct bz_pk_sparse old = *h;
        uint32_t cap = old.cap == 0 ? SPARSE_FIRST : old.cap * 2;
        if (cap > SPARSE_MAX || key == UINT64_MAX)
            return false;
        h->slots = bz_arena_zalloc(bz_scan_arena(m->s), cap * sizeof *h->slots);
        if (h->slots == NULL) {
            *h = old;
            return false;
        }
        h->cap = cap;
        for (uint32_t i = 0; i < old.cap; i++) {
            if (old.slots[i].key != 0)
                h->slots[sparse_slot(h, old.slots[i].key - 1)] = old.slots[i];
        }
    }
    uint32_t i = sparse_slot(h, key);
    h->n += h->slots[i].key == 0;
    h->slots[i].key = key + 1;
    h->slots[i].value = value;
    return true;
}

static void sparse_clear(struct bz_pk_sparse *h) {
    if (h->n > 0)
        memset(h->slots, 0, h->cap * sizeof *h->slots);
    h->n = 0;
}

struct bz_view bz_pk_text_of(struct bz_pk *m, uint32_t v, bool *ret_is) {
    *ret_is = true;
    if (BZ_PK_TAG(v) == BZ_PK_STR)
        return bz_pk_text(m, BZ_PK_LOAD(v));
    if (BZ_PK_TAG(v) == BZ_PK_LATE) {
        uint32_t number = BZ_PK_LOAD(v);
        if (m->late_n - number <= PK_LATE) {
            struct bz_view t = bz_view(m->late[number % PK_LATE].text, m->late[number % PK_LATE].n);
            uint32_t id = bz_pk_intern(m, t, true);
            if (id != BZ_PK_NONE && sparse_put(m, &m->promoted, number, id))
                return bz_pk_text(m, id);
            return t;
        }
        uint32_t id = sparse_get(&m->promoted, number);
        return id == BZ_PK_ABSENT ? bz_view(NULL, 0) : bz_pk_text(m, id);
    }
    *ret_is = BZ_PK_TAG(v) == BZ_PK_TEXT;
    return bz_view(NULL, 0);
}

/* ---- rows ----------------------------------------------------------------------------------- */

static const struct bz_pk_rowref *row_at(const struct bz_pk *m, uint32_t id) {
    return (const struct bz_pk_rowref *)(const void *)m->rows.p + id;
}

static size_t row_kept(const struct bz_pk_rowref *r) {
    return r->n < PK_ROW ? r->n : PK_ROW;
}

uint32_t bz_pk_make_row(struct bz_pk *m, const uint32_t *v, size_t n) {
    uint32_t count = (uint32_t)(m->rows.n / sizeof(struct bz_pk_rowref));
    uint32_t all = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
    size_t bytes = (all < PK_ROW ? all : PK_ROW) * 4;
    if (!room(&m->row_slots, &m->row_mask, count))
        return BZ_PK_V(BZ_PK_ROW_LOST, 0);
    uint64_t *t = (uint64_t *)(void *)m->row_slots.p;
    const uint8_t *cells = (const uint8_t *)(const void *)v;
    const uint32_t hash = hash_bytes(cells, bytes) ^ (all * 0x9e3779b9u);
    uint32_t i = hash & m->row_mask;
    for (; t[i] != 0; i = (i + 1) & m->row_mask) {
        const struct bz_pk_rowref *r = row_at(m, (uint32_t)t[i] - 1);
        if ((uint32_t)(t[i] >> 32) == hash && r->n == all &&
            memcmp(m->cells.p + r->off, cells, bytes) == 0)
            return BZ_PK_V(BZ_PK_ROW, (uint32_t)t[i] - 1);
    }
    struct bz_pk_rowref *r = count < ROWS_MAX ? bz_pk_vec(&m->rows, sizeof *r) : NULL;
    if (r == NULL)
        return BZ_PK_V(BZ_PK_ROW_LOST, 0);
    *r = (struct bz_pk_rowref){(uint32_t)m->cells.n, all};
    bz_buf_put(&m->cells, bz_view(cells, bytes)); /* there is room: see bz_pk_tables */
    if (bz_buf_status(&m->cells) != BZ_OK) {
        m->rows.n -= sizeof *r;
        return BZ_PK_V(BZ_PK_ROW_LOST, 0);
    }
    t[i] = slot_of(hash, count);
    return BZ_PK_V(BZ_PK_ROW, count);
}

const uint32_t *bz_pk_row(const struct bz_pk *m, uint32_t v, size_t *ret_n) {
    const struct bz_pk_rowref *r = row_at(m, BZ_PK_LOAD(v));
    *ret_n = row_kept(r);
    return (const uint32_t *)(const void *)(m->cells.p + r->off);
}

/* ---- names ---------------------------------------------------------------------------------- */

struct bz_pk_global *bz_pk_global_at(const struct bz_pk *m, uint32_t g) {
    return (struct bz_pk_global *)(void *)m->globals.p + g;
}

static uint32_t pair_hash(uint32_t a, uint32_t b) {
    uint64_t h = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 32);
}

uint32_t bz_pk_global(struct bz_pk *m, struct bz_view module, struct bz_view name) {
    uint32_t mod = bz_pk_intern(m, bz_view_sub(module, 0, 2 * PK_NAME_LEN), true);
    uint32_t id = bz_pk_intern(m, bz_view_sub(name, 0, 2 * PK_NAME_LEN), true);
    uint32_t n = (uint32_t)(m->globals.n / sizeof(struct bz_pk_global));
    if (mod == BZ_PK_NONE || id == BZ_PK_NONE || !room(&m->global_slots, &m->global_mask, n))
        return BZ_PK_NONE;
    uint64_t *t = (uint64_t *)(void *)m->global_slots.p;
    const uint32_t hash = pair_hash(mod, id);
    uint32_t i = hash & m->global_mask;
    for (; t[i] != 0; i = (i + 1) & m->global_mask) {
        const struct bz_pk_global *g = bz_pk_global_at(m, (uint32_t)t[i] - 1);
        if (g->module == mod && g->name == id)
            return (uint32_t)t[i] - 1;
    }
    struct bz_pk_global *g = n < GLOBALS_MAX ? bz_pk_vec(&m->globals, sizeof *g) : NULL;
    if (g == NULL)
        return BZ_PK_NONE;
    *g = (struct bz_pk_global){.module = mod, .name = id, .at = bz_pk_off(m)};
    g->v = bz_pk_judge(bz_pk_text(m, mod), bz_pk_text(m, id));
    if (module.n > 2 * PK_NAME_LEN || name.n > 2 * PK_NAME_LEN)
        g->v.odd = true;
    t[i] = slot_of(hash, n);
    return n;
}

/* ---- memo ----------------------------------------------------------------------------------- */

static uint32_t page_get(const struct bz_pk *m, const struct bz_pk_page *p, uint64_t i) {
    if (p->epoch != m->epoch)
        return BZ_PK_ABSENT;
    return p->full != NULL ? p->full[i % PK_PAGE] : p->slim[i % PK_PAGE];
}

uint32_t bz_pk_memo_get(const struct bz_pk *m, uint64_t i) {
    if (m->overlay.n > 0) {
        uint32_t v = sparse_get(&m->overlay, i);
        if (v != BZ_PK_ABSENT)
            return v;
    }
    if (i / PK_PAGE < m->pages_n) {
        uint32_t v = page_get(m, &m->pages[i / PK_PAGE], i);
        if (v != BZ_PK_ABSENT)
            return v;
    }
    return sparse_get(&m->sparse, i);
}

/* Directory entries up to page k, where the memo is as dense as picklers make it. */
static bool reach_page(struct bz_pk *m, uint64_t k) {
    if (k < m->pages_n)
        return true;
    if (k >= PAGES_MAX || k > 8 + m->pages_live * 4)
        return false;
    size_t cap = 16;
    while (cap <= k)
        cap *= 2;
    struct bz_pk_page *p = bz_arena_zalloc(bz_scan_arena(m->s), cap * sizeof *p);
    if (p == NULL)
        return false;
    if (m->pages_n > 0)
        memcpy(p, m->pages, m->pages_n * sizeof *p);
    m->pages = p;
    m->pages_n = cap;
    return true;
}

static bool widen(struct bz_pk *m, struct bz_pk_page *p) {
    p->full = bz_arena_alloc(bz_scan_arena(m->s), PK_PAGE * 4);
    if (p->full == NULL)
        return false;
    for (size_t i = 0; i < PK_PAGE; i++)
        p->full[i] = p->slim[i];
    m->spare_slim = p->slim; /* at most one waits: the next page takes it */
    p->slim = NULL;
    m->pages_live += 3;
    return true;
}

/* A page of this pickle: made, or of an earlier one and cleared. */
static bool fresh_page(struct bz_pk *m, struct bz_pk_page *p) {
    const size_t used = p->used;
    if (p->full != NULL) {
        memset(p->full, 0, used * 4);
    } else if (p->slim == NULL) {
        if (m->pages_live * PK_PAGE >= LIVE_MAX)
            return false;
        p->slim = m->spare_slim;
        m->spare_slim = NULL;
        if (p->slim == NULL)
            p->slim = bz_arena_alloc(bz_scan_arena(m->s), PK_PAGE);
        if (p->slim == NULL)
            return false;
        m->pages_live++;
        memset(p->slim, 0, PK_PAGE);
    } else {
        memset(p->slim, 0, used);
    }
    p->used = 0;
    p->epoch = m->epoch;
    m->ops += used / 64; /* many small pickles, one far place each: paid for */
    return true;
}

static bool page_put(struct bz_pk *m, struct bz_pk_page *p, uint64_t i, uint32_t v) {
    if (p->epoch != m->epoch && !fresh_page(m, p))
        return false;
    if (p->full == NULL && v > UINT8_MAX && (m->pages_live * PK_PAGE >= LIVE_MAX || !widen(m, p)))
        return false;
    if (i % PK_PAGE >= p->used)
        p->used = (uint32_t)(i % PK_PAGE) + 1;
    if (p->full != NULL) {
        m->memo_n += p->full[i % PK_PAGE] == BZ_PK_ABSENT;
        p->full[i % PK_PAGE] = v;
    } else {
        m->memo_n += p->slim[i % PK_PAGE] == BZ_PK_ABSENT;
        p->slim[i % PK_PAGE] = (uint8_t)v;
    }
    return true;
}

/* Said once; what is stored from here on is lost, and fetching it is no error. */
static bool memo_full(struct bz_pk *m) {
    m->broken = true;
    return bz_pk_limit(m, "memo");
}

bool bz_pk_memo_put(struct bz_pk *m, uint64_t i, uint32_t v) {
    if (m->depth > 0) { /* a run beside the real one */
        m->memo_n += bz_pk_memo_get(m, i) == BZ_PK_ABSENT;
        return sparse_put(m, &m->overlay, i, v) || bz_pk_stop(m, BZ_PK_LIMITED);
    }
    if (i / PK_PAGE < m->pages_n || reach_page(m, i / PK_PAGE)) {
        /* a place may be in both: stored far away first, and later its page was made */
        if (m->sparse.n > 0 && sparse_get(&m->sparse, i) != BZ_PK_ABSENT)
            m->memo_n -= page_get(m, &m->pages[i / PK_PAGE], i) == BZ_PK_ABSENT;
        return page_put(m, &m->pages[i / PK_PAGE], i, v) || memo_full(m);
    }
    m->memo_n += sparse_get(&m->sparse, i) == BZ_PK_ABSENT;
    return sparse_put(m, &m->sparse, i, v) || memo_full(m);
}

/* Every pickle begins with an empty memo. Pages are kept for the next one. */
void bz_pk_memo_reset(struct bz_pk *m) {
    m->epoch++;
    sparse_clear(&m->sparse);
    m->memo_n = 0;
}

void bz_pk_overlay_reset(struct bz_pk *m) {
    sparse_clear(&m->overlay);
}

/* ---- dtypes, numbers ------------------------------------------------------------------------ */

uint32_t bz_pk_new_dtype(struct bz_pk *m, struct bz_pk_dtype d) {
    size_t n = m->dtypes.n / sizeof d;
    struct bz_pk_dtype *p = n < DTYPES_MAX ? bz_pk_vec(&m->dtypes, sizeof *p) : NULL;
    if (p == NULL)
        return BZ_PK_V(BZ_PK_OBJECT, 0);
    *p = d;
    return BZ_PK_V(BZ_PK_DTYPE, n);
}

struct bz_pk_dtype *bz_pk_dtype_at(const struct bz_pk *m, uint32_t v) {
    return (struct bz_pk_dtype *)(void *)m->dtypes.p + BZ_PK_LOAD(v);
}

bool bz_pk_number(const struct bz_pk *m, uint32_t v, uint64_t *ret) {
    if (BZ_PK_TAG(v) == BZ_PK_INT && BZ_PK_LOAD(v) < BZ_PK_INT_MAX) {
        *ret = BZ_PK_LOAD(v);
        return true;
    }
    if (BZ_PK_TAG(v) != BZ_PK_BIG)
        return false;
    memcpy(ret, m->bigs.p + (size_t)BZ_PK_LOAD(v) * sizeof *ret, sizeof *ret);
    return true;
}

bool bz_pk_push_int(struct bz_pk *m, uint64_t value) {
    if (value < BZ_PK_INT_MAX)
        return bz_pk_push(m, BZ_PK_V(BZ_PK_INT, value));
    size_t n = m->bigs.n / sizeof value;
    uint8_t *p = m->joblib && n < BIGS_MAX ? bz_pk_vec(&m->bigs, sizeof value) : NULL;
    if (p == NULL)
        return bz_pk_push(m, BZ_PK_V(BZ_PK_INT, BZ_PK_INT_MAX));
    memcpy(p, &value, sizeof value);
    return bz_pk_push(m, BZ_PK_V(BZ_PK_BIG, n));
}
