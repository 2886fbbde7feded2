/* Where bytes of a reading came from: stretches, looked up by bisection through all stages. */
#include "readings.h"

void maker_init(struct maker *m, struct work *w, size_t expected) {
    *m = (struct maker){.w = w};
    maker_reserve(m, expected);
}

bool maker_reserve(struct maker *m, size_t n) {
    if (m->failed)
        return false;
    if (n <= m->cap - m->n)
        return true;
    size_t cap = m->n + n + m->n / 2;
    uint8_t *p = n > INT32_MAX || m->n > INT32_MAX ? NULL : bz_arena_alloc(m->w->ar, cap);
    if (p == NULL) {
        m->failed = true;
        return false;
    }
    if (m->n != 0)
        memcpy(p, m->p, m->n);
    m->p = p;
    m->cap = cap;
    return true;
}

/* n bytes more, from from_n at `from`. */
static void stretch(struct maker *m, size_t n, size_t from, size_t from_n, enum stretch_kind kind) {
    struct stretch *last = m->s_n == 0 ? NULL : &m->s[m->s_n - 1];
    /* It goes on where the last one ends, at the same rate. */
    if (last != NULL && kind == STRETCH_EVEN && last->kind == STRETCH_EVEN &&
        (size_t)last->from + last->n == from &&
        (uint64_t)last->n * n == (uint64_t)from_n * (m->n - last->at)) {
        last->n += (uint32_t)from_n;
        return;
    }
    if (last != NULL && m->w->stretches == 0) {
        size_t lo = from < last->from ? from : last->from;
        size_t end = (size_t)last->from + last->n;
        end = from + from_n > end ? from + from_n : end;
        last->from = (uint32_t)lo;
        last->n = (uint32_t)(end - lo);
        last->kind = STRETCH_WHOLE;
        return;
    }
    if (m->s_n == m->s_cap) {
        size_t cap = m->s_cap == 0 ? 8 : m->s_cap * 2;
        struct stretch *s = bz_arena_alloc(m->w->ar, cap * sizeof *s);
        if (s == NULL) {
            m->failed = true;
            return;
        }
        if (m->s_n != 0)
            memcpy(s, m->s, m->s_n * sizeof *s);
        m->s = s;
        m->s_cap = cap;
    }
    m->w->stretches -= m->w->stretches != 0;
    m->s[m->s_n++] = (struct stretch){(uint32_t)m->n, (uint32_t)from, (uint32_t)from_n, kind};
}

void maker_took(struct maker *m, size_t n, size_t from) {
    if (m->failed || n == 0)
        return;
    stretch(m, n, from, n, STRETCH_EVEN);
    m->n += n;
}

void maker_same(struct maker *m, const uint8_t *p, size_t n, size_t from) {
    if (n == 0 || !maker_reserve(m, n))
        return;
    memcpy(m->p + m->n, p, n);
    maker_took(m, n, from);
}

void maker_put(struct maker *m, const uint8_t *p, size_t n, size_t from, size_t from_n,
               enum stretch_kind kind) {
    if (n == 0 || !maker_reserve(m, n))
        return;
    /* One byte on either side is evenly spread by itself. */
    if (kind == STRETCH_WHOLE && (n == 1 || from_n == 1))
        kind = STRETCH_EVEN;
    stretch(m, n, from, from_n, kind);
    m->changed = true;
    memcpy(m->p + m->n, p, n);
    m->n += n;
}

bool maker_is_same(const struct maker *m, size_t below_n) {
    if (m->n != below_n)
        return false;
    return m->n == 0 || (m->s_n == 1 && m->s[0].kind == STRETCH_EVEN && m->s[0].from == 0 &&
                         m->s[0].n == below_n);
}

const struct bz_reading_map *maker_map(struct maker *m, const struct bz_reading_map *under) {
    struct bz_reading_map *map = m->failed ? NULL : bz_arena_alloc(m->w->ar, sizeof *map);
    if (map != NULL)
        *map = (struct bz_reading_map){m->s, (uint32_t)m->s_n, (uint32_t)m->n, under};
    return map;
}

/* The stretch that byte `at` of the text above lies in. */
static size_t stretch_of(const struct bz_reading_map *m, size_t at) {
    size_t low = 0;
    size_t high = m->s_n;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (m->s[mid].at <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* Bytes [a, b) of the text above, a < b, within stretch i: where they come from. */
static void span_of(const struct bz_reading_map *m, size_t i, size_t a, size_t b, size_t *lo,
                    size_t *hi) {
    const struct stretch *s = &m->s[i];
    size_t end = i + 1 < m->s_n ? m->s[i + 1].at : m->n;
    uint64_t len = end - s->at;
    uint64_t x = a > s->at ? a - s->at : 0;
    uint64_t y = b < end ? b - s->at : len;
    *lo = s->from;
    *hi = (size_t)s->from + s->n;
    if (s->kind == STRETCH_WHOLE || len == 0)
        return;
    if (s->kind == STRETCH_BACK) {
        uint64_t was = x;
        x = len - y;
        y = len - was;
    }
    *lo = s->from + (size_t)(x * s->n / len);
    *hi = s->from + (size_t)((y * s->n + len - 1) / len);
}

/* One map down. Stretches need not stand in the order of the text below (what was reversed). */
static void down(const struct bz_reading_map *m, size_t *a, size_t *b) {
    if (m->s_n == 0) {
        *a = *b = 0;
        return;
    }
    if (*a == *b) {
        size_t lo = 0;
        size_t hi = 0;
        bool end = *a >= m->n && m->n != 0;
        size_t at = end ? m->n - 1 : *a;
        span_of(m, stretch_of(m, at), at, at + 1, &lo, &hi);
        *a = *b = end ? hi : lo;
        return;
    }
    size_t first = stretch_of(m, *a);
    size_t last = stretch_of(m, *b - 1);
    size_t from = SIZE_MAX;
    size_t to = 0;
    for (size_t i = first; i <= last; i++) {
        size_t lo = 0;
        size_t hi = 0;
        span_of(m, i, *a, *b, &lo, &hi);
        from = lo < from ? lo : from;
        to = hi > to ? hi : to;
    }
    *a = from;
    *b = to;
}

void bz_reading_place(const struct bz_reading *r, size_t a, size_t b, uint32_t *from,
                      uint32_t *to) {
    if (b > r->text.n)
        b = r->text.n;
    if (a > b)
        a = b;
    for (const struct bz_reading_map *m = r->map; m != NULL; m = m->under)
        down(m, &a, &b);
    *from = (uint32_t)a;
    *to = (uint32_t)b;
}
