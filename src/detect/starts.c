/* The set of literals that matches begin with: is the end of a text the beginning of one? */
#include "engine.h"

enum { FIRST = STARTS_KNOWN };

static uint8_t fold(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static uint32_t seed_of(enum start_kind kind, bool nocase) {
    return UINT32_C(2166136261) ^ ((uint32_t)kind << 8 | (nocase ? 1u : 0u));
}

/* A letter of another alphabet may change its length with its case: all count the same. */
static uint32_t add_byte(uint32_t h, uint8_t c, bool nocase) {
    if (nocase) {
        if ((c & 0xc0) == 0x80)
            return h;
        c = c >= 0xc0 ? 0x80 : fold(c);
    }
    return (h ^ c) * UINT32_C(16777619);
}

static uint32_t mark(uint32_t h) {
    return h == 0 ? 1 : h;
}

static bool known(const struct starts *st, uint32_t h) {
    h = mark(h);
    for (size_t i = h & (st->slots - 1);; i = (i + 1) & (st->slots - 1)) {
        if (st->slot[i] == h)
            return true;
        if (st->slot[i] == 0)
            return false;
    }
}

static void put(struct starts *st, uint32_t h) {
    h = mark(h);
    size_t i = h & (st->slots - 1);
    while (st->slot[i] != 0 && st->slot[i] != h)
        i = (i + 1) & (st->slots - 1);
    st->slot[i] = h;
}

/* Bit of the first FIRST bytes, in any case. */
static uint32_t first_bit(const uint8_t *p) {
    uint32_t w = 0;
    for (size_t i = 0; i < FIRST; i++)
        w = w << 8 | (p[i] | 0x20u);
    return w * UINT32_C(0x9e3779b1) >> 17;
}

/* Bit of the first two bytes of a literal, in any case. */
static uint32_t short_bit(uint8_t a, uint8_t b) {
    return ((a | 0x20u) * 61u + (b | 0x20u)) & 1023;
}

static bool bit(const uint8_t *bits, uint32_t i) {
    return (bits[i >> 3] >> (i & 7) & 1) != 0;
}

static void set_bit(uint8_t *bits, uint32_t i) {
    bits[i >> 3] |= (uint8_t)(1u << (i & 7));
}

enum bz_status starts_init(struct starts *st, struct bz_arena *ar, size_t bytes) {
    size_t slots = 1024;
    while (slots < bytes * 2 + 2)
        slots *= 2;
    *st = (struct starts){.slots = slots};
    st->slot = bz_arena_zalloc(ar, slots * sizeof *st->slot);
    return st->slot == NULL ? BZ_ENOMEM : BZ_OK;
}

void starts_add(struct starts *st, struct bz_view lit, enum start_kind kind, bool nocase,
                bool whole) {
    uint32_t h = seed_of(kind, nocase);
    for (size_t i = 0; i < lit.n && (whole || i + 1 < lit.n); i++) {
        h = add_byte(h, lit.p[i], nocase);
        put(st, h);
    }
    size_t *longest = kind == START_WORD ? &st->longest : &st->longest_anywhere;
    size_t most = nocase ? lit.n * 2 : lit.n; /* see add_byte */
    if (most > *longest)
        *longest = most;
    if (lit.n > FIRST) {
        set_bit(st->first, first_bit(lit.p));
        return;
    }
    h = seed_of(START_SHORT, nocase);
    for (size_t i = 0; i < lit.n; i++)
        h = add_byte(h, lit.p[i], nocase);
    put(st, h);
    set_bit(st->shorts, short_bit(lit.p[0], lit.n > 1 ? lit.p[1] : 0));
    st->single = st->single || lit.n == 1;
}

static bool prefix(const struct starts *st, struct bz_view v, enum start_kind kind) {
    for (int nocase = 0; nocase < 2; nocase++) {
        uint32_t h = seed_of(kind, nocase != 0);
        for (size_t i = 0; i < v.n; i++)
            h = add_byte(h, v.p[i], nocase != 0);
        if (known(st, h))
            return true;
    }
    return false;
}

bool starts_prefix(const struct starts *st, struct bz_view v) {
    return prefix(st, v, START_WORD);
}

/* Does one of the whole literals of up to FIRST bytes stand at p? */
static bool short_at(const struct starts *st, const uint8_t *p, size_t n) {
    for (size_t i = 1; i <= n && i <= FIRST; i++) {
        if (prefix(st, bz_view(p, i), START_SHORT))
            return true;
    }
    return false;
}

bool starts_maybe(const struct starts *st, const uint8_t *p, size_t n) {
    if ((st->single || (n > 1 && bit(st->shorts, short_bit(p[0], p[1])))) && short_at(st, p, n))
        return true;
    if (n < FIRST)
        return prefix(st, bz_view(p, n), START_WORD);
    return bit(st->first, first_bit(p)) && prefix(st, bz_view(p, FIRST), START_WORD);
}

/* Letters of other alphabets, whose case the bits of starts_maybe do not know. */
static bool odd_letters(const struct scan *s, size_t a) {
    for (size_t i = a; i < s->n && i < a + FIRST; i++) {
        if (scan_is(s->p[i], SC_HIGH))
            return true;
    }
    return false;
}

static size_t live_of(const struct starts *st, const struct scan *s, size_t from,
                      enum start_kind kind, size_t longest) {
    size_t a = s->n > longest ? s->n - longest : 0;
    for (a = a < from ? from : a; a < s->n; a++) {
        if (kind == START_WORD && scan_is(scan_before(s, a), SC_ALNUM))
            continue;
        bool maybe =
            kind == START_ANYWHERE || odd_letters(s, a) || starts_maybe(st, s->p + a, s->n - a);
        if (maybe && prefix(st, bz_view(s->p + a, s->n - a), kind))
            return a;
    }
    return s->n;
}

size_t starts_live(const struct starts *st, const struct scan *s, size_t from) {
    size_t a = live_of(st, s, from, START_WORD, st->longest);
    size_t b = live_of(st, s, from, START_ANYWHERE, st->longest_anywhere);
    return a < b ? a : b;
}
