/* The table. A set of four entries per name; an entry is one line of words that any worker may
 * overwrite at any time. Readers copy it and let the seal decide: name, expiry and length are the
 * seal's associated data, so a torn or exchanged entry does not open.
 *
 *   head:  magic, version, entries          entry: name 16 | expires 8 | length 8 | sealed 480
 */
#include <bartizan/vault.h>

#include <stdatomic.h>

#define VAULT_MAGIC UINT64_C(0x31746c7661767a62) /* "bzvavlt1" */
enum {
    VERSION = 1,
    WAYS = 4,
    ENTRY = 512,
    NAME = 16,
    WORDS = ENTRY / 8,
    NAME_WORDS = NAME / 8,
    EXPIRES_WORD = NAME_WORDS,
    LENGTH_WORD = EXPIRES_WORD + 1,
    SEALED = NAME + 16,
    ENTRIES_MAX = 1 << 24,
    ATTEMPTS = 4,
};
_Static_assert(SEALED + BZ_VAULT_VALUE_MAX + BZ_SEAL_EXTRA <= ENTRY, "a value fits its entry");

struct entry {
    _Atomic uint64_t w[WORDS];
};
struct bz_vault {
    uint64_t magic, version, entries;
    uint64_t unused[ENTRY / 8 - 3];
    struct entry v[];
};
union image { /* a private copy of an entry */
    uint64_t w[WORDS];
    uint8_t b[ENTRY];
};

static bool is_power_of_two(uint64_t n) {
    return n != 0 && (n & (n - 1)) == 0;
}

size_t bz_vault_size(uint32_t entries) {
    return sizeof(struct bz_vault) + (size_t)entries * sizeof(struct entry);
}

enum bz_status bz_vault_format(void *map, size_t n, uint32_t entries) {
    struct bz_vault *v = map;
    if (!is_power_of_two(entries) || entries < WAYS || entries > ENTRIES_MAX ||
        n < bz_vault_size(entries) || (uintptr_t)map % _Alignof(struct bz_vault) != 0)
        return BZ_EINVAL;
    memset(map, 0, bz_vault_size(entries));
    v->version = VERSION;
    v->entries = entries;
    v->magic = VAULT_MAGIC;
    return BZ_OK;
}

enum bz_status bz_vault_open(void *map, size_t n, struct bz_vault **ret) {
    struct bz_vault *v = map;
    *ret = NULL;
    if (n < sizeof *v || (uintptr_t)map % _Alignof(struct bz_vault) != 0 || v->magic != VAULT_MAGIC)
        return BZ_ECORRUPT;
    if (v->version != VERSION)
        return BZ_EVERSION;
    if (!is_power_of_two(v->entries) || v->entries < WAYS || v->entries > ENTRIES_MAX ||
        n < bz_vault_size((uint32_t)v->entries))
        return BZ_ECORRUPT;
    *ret = v;
    return BZ_OK;
}

static void load(const struct entry *e, union image *ret) {
    for (size_t i = 0; i < WORDS; i++)
        ret->w[i] = atomic_load_explicit(&e->w[i], memory_order_relaxed);
}

static void save(struct entry *e, const union image *from) {
    for (size_t i = 0; i < WORDS; i++)
        atomic_store_explicit(&e->w[i], from->w[i], memory_order_relaxed);
}

static struct entry *set_of(const struct bz_vault *v, const union image *name) {
    uint64_t sets = v->entries / WAYS;
    return (struct entry *)(uintptr_t)&v->v[(name->w[1] & (sets - 1)) * WAYS];
}

static void name_of(const struct bz_vault_scope *s, struct bz_view placeholder, union image *ret) {
    uint8_t h[BZ_HASH_LEN];
    memset(ret, 0, sizeof *ret);
    bz_keyed_hash(s->name_key, placeholder, h);
    memcpy(ret->b, h, NAME);
    ret->b[0] |= 1; /* never the name of an empty entry */
}

static bool same_name(const struct entry *e, const union image *name) {
    for (size_t i = 0; i < NAME_WORDS; i++)
        if (atomic_load_explicit(&e->w[i], memory_order_relaxed) != name->w[i])
            return false;
    return true;
}

static struct bz_view ad_of(const union image *e) { /* name, expiry, length */
    return bz_view(e->b, SEALED);
}

static enum bz_status open_entry(const union image *e, const struct bz_vault_scope *s,
                                 uint8_t plain[BZ_VAULT_VALUE_MAX], size_t *ret_n) {
    uint64_t n = e->w[LENGTH_WORD];
    if (n > BZ_VAULT_VALUE_MAX)
        return BZ_ECORRUPT;
    *ret_n = (size_t)n;
    return bz_unseal(s->seal_key, ad_of(e), bz_view(e->b + SEALED, *ret_n + BZ_SEAL_EXTRA), plain);
}

/* An own entry that may be written: the same name, else an empty or expired one, else the one that
 * expires first. */
static struct entry *place_for(struct entry *set, const union image *name, uint64_t now) {
    struct entry *best = &set[0];
    uint64_t best_expires = UINT64_MAX;
    for (size_t i = 0; i < WAYS; i++) {
        if (same_name(&set[i], name))
            return &set[i];
        uint64_t x = atomic_load_explicit(&set[i].w[EXPIRES_WORD], memory_order_relaxed);
        if (x <= now)
            x = 0;
        if (x < best_expires) {
            best_expires = x;
            best = &set[i];
        }
    }
    return best;
}

/* What an entry holds for a name: another value, which must not be resolved to this one; or this
 * one, with an eighth of its time gone at most. */
enum standing { NOTHING, ANOTHER, THIS };

static enum standing standing(const struct entry *e, const union image *name,
                              const struct bz_vault_scope *s, struct bz_view value,
                              uint64_t expires, uint64_t now) {
    union image there;
    uint8_t plain[BZ_VAULT_VALUE_MAX];
    size_t n;
    if (!same_name(e, name))
        return NOTHING;
    load(e, &there);
    uint64_t x = there.w[EXPIRES_WORD];
    if (x <= now || open_entry(&there, s, plain, &n) != BZ_OK)
        return NOTHING;
    bool same = bz_ct_equal(bz_view(plain, n), value);
    bz_wipe(plain, sizeof plain);
    uint64_t off = x > expires ? x - expires : expires - x;
    return !same ? ANOTHER : expires > now && off <= (expires - now) / 8 ? THIS : NOTHING;
}

/* Parallel requests say the same values again and again. An entry that is good is left alone: while
 * it is written nobody can read it, and what two write at once may never open. */
enum bz_status bz_vault_put(struct bz_vault *v, const struct bz_vault_scope *s,
                            struct bz_view placeholder, struct bz_view value, uint64_t expires,
                            uint64_t now) {
    union image e, there;
    if (value.n > BZ_VAULT_VALUE_MAX)
        return BZ_ETOOBIG;
    name_of(s, placeholder, &e);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct entry *place = place_for(set_of(v, &e), &e, now);
        enum standing found = standing(place, &e, s, value, expires, now);
        if (found != NOTHING)
            return found == THIS ? BZ_OK : BZ_EEXISTS;
        e.w[EXPIRES_WORD] = expires;
        e.w[LENGTH_WORD] = value.n;
        BZ_TRY(bz_seal(s->seal_key, ad_of(&e), value, e.b + SEALED));
        save(place, &e);
        load(place, &there);
        if (memcmp(&there, &e, sizeof e) == 0)
            break; /* nobody wrote at the same time */
    }
    return BZ_OK;
}

/* A copy of the entry of a name. */
static bool find(const struct entry *set, const union image *name, union image *ret) {
    for (size_t i = 0; i < WAYS; i++) {
        if (!same_name(&set[i], name))
            continue;
        load(&set[i], ret);
        return memcmp(ret->b, name->b, NAME) == 0;
    }
    return false;
}

enum bz_status bz_vault_get(const struct bz_vault *v, const struct bz_vault_scope *s,
                            struct bz_view placeholder, uint64_t now, struct bz_buf *out) {
    union image name, e;
    uint8_t plain[BZ_VAULT_VALUE_MAX];
    size_t n;
    name_of(s, placeholder, &name);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (!find(set_of(v, &name), &name, &e) || e.w[EXPIRES_WORD] <= now)
            return BZ_ENOTFOUND;
        if (open_entry(&e, s, plain, &n) != BZ_OK)
            continue; /* perhaps it is just being written */
        bz_buf_put(out, bz_view(plain, n));
        bz_wipe(plain, sizeof plain);
        return bz_buf_status(out);
    }
    return BZ_ENOTFOUND;
}

size_t bz_vault_sweep(struct bz_vault *v, uint64_t now) {
    static const union image empty;
    size_t wiped = 0;
    for (uint64_t i = 0; i < v->entries; i++) {
        uint64_t x = atomic_load_explicit(&v->v[i].w[EXPIRES_WORD], memory_order_relaxed);
        if (x == 0 || x > now)
            continue;
        save(&v->v[i], &empty);
        wiped++;
    }
    return wiped;
}
