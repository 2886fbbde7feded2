/* The last stage of a reading: lower case, runs of blanks as one, no blanks beside line ends, at most
 * two line ends in a row. Prose passes sixteen bytes at a time. */
#include "readings.h"

#include <bartizan/text.h>
#include <utf8proc.h>

#if defined(__SSE2__) && !defined(BZ_NO_SIMD)
#include <emmintrin.h>
#endif

enum { STEP = 16 };

struct lowering {
    struct maker m;
    struct bz_view in;
    size_t at;
};

/* Lower case of sixteen bytes at p, in out. Returns a bit for each byte that needs a closer look: not
 * printable ASCII, or a blank behind a blank. *blank: was the byte before one; then, is the last. */
#if defined(__SSE2__) && !defined(BZ_NO_SIMD)
static inline unsigned step(const uint8_t *p, uint8_t *out, unsigned *blank) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i odd =
        _mm_or_si128(_mm_cmplt_epi8(x, _mm_set1_epi8(0x20)), _mm_cmpeq_epi8(x, _mm_set1_epi8(127)));
    unsigned blanks = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8(' ')));
    unsigned twice = blanks & (blanks << 1 | *blank);
    __m128i upper = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('A' - 1)),
                                  _mm_cmplt_epi8(x, _mm_set1_epi8('Z' + 1)));
    x = _mm_or_si128(x, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
    _mm_storeu_si128((__m128i *)(void *)out, x);
    *blank = blanks >> 15;
    return (unsigned)_mm_movemask_epi8(odd) | twice;
}
#else
static inline unsigned step(const uint8_t *p, uint8_t *out, unsigned *blank) {
    unsigned closer = 0;
    unsigned before = *blank;
    for (unsigned i = 0; i < STEP; i++) {
        uint8_t c = p[i];
        unsigned is = c == ' ';
        closer |= (unsigned)(c < 0x20 || c > 0x7e || (is & before) != 0) << i;
        before = is;
        out[i] = (uint8_t)(c | (unsigned)((uint8_t)(c - 'A') < 26) << 5);
    }
    *blank = before;
    return closer;
}
#endif

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_gap(uint8_t c) {
    return is_blank(c) || c == '\n';
}

/* Takes a whole run of blanks and line ends at l->at; what was put of it already is taken back. */
static void gap(struct lowering *l) {
    struct maker *m = &l->m;
    size_t from = l->at;
    if (m->n != 0 && m->p[m->n - 1] == ' ' && from != 0 && l->in.p[from - 1] == ' ') {
        from--;
        m->n--;
        struct stretch *last = &m->s[m->s_n - 1];
        if (last->at == m->n)
            m->s_n--;
        else
            last->n--;
    }
    size_t at = from;
    unsigned lines = 0;
    for (; at < l->in.n && is_gap(l->in.p[at]); at++) {
        bool mac = l->in.p[at] == '\r' && (at + 1 == l->in.n || l->in.p[at + 1] != '\n');
        lines += l->in.p[at] == '\n' || mac;
    }
    const char *is = lines == 0 ? " " : lines == 1 ? "\n" : "\n\n";
    size_t n = lines > 1 ? 2 : 1;
    if (at - from == n && memcmp(l->in.p + from, is, n) == 0)
        maker_same(m, l->in.p + from, n, from);
    else
        maker_put(m, (const uint8_t *)is, n, from, at - from, STRETCH_WHOLE);
    l->at = at;
}

/* Scripts without case: most of the rest of the world. */
static bool caseless(uint32_t cp) {
    return (cp >= 0x590 && cp < 0x10a0) || (cp >= 0x1100 && cp < 0x13a0) ||
           (cp >= 0x2e80 && cp < 0xa640) || (cp >= 0xac00 && cp < 0xfb00);
}

static uint32_t lower_of(uint32_t cp) {
    /* The usual letters of Europe by their ranges. */
    if (cp >= 0xc0 && cp <= 0xff)
        return cp < 0xdf && cp != 0xd7 ? cp + 0x20 : cp;
    if (cp >= 0x410 && cp <= 0x44f)
        return cp < 0x430 ? cp + 0x20 : cp;
    if (cp >= 0x3ac && cp <= 0x3ce)
        return cp;
    if (caseless(cp) || cp >= 0x20000)
        return cp;
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp);
}

/* A run of characters beyond ASCII. */
static void wide(struct lowering *l) {
    size_t start = l->at;
    while (l->at < l->in.n && l->in.p[l->at] >= 0x80) {
        uint32_t cp = 0;
        size_t used = bz_utf8_next(bz_view_sub(l->in, l->at, 4), &cp);
        uint32_t low = used == 0 ? 0 : lower_of(cp);
        if (used == 0)
            used = 1;
        else if (low != cp) {
            uint8_t out[4];
            size_t n = bz_utf8_encode(low, out);
            maker_same(&l->m, l->in.p + start, l->at - start, start);
            maker_put(&l->m, out, n, l->at, used, n == used ? STRETCH_EVEN : STRETCH_WHOLE);
            start = l->at + used;
        }
        l->at += used;
    }
    maker_same(&l->m, l->in.p + start, l->at - start, start);
}

/* Plain bytes from l->at on; stops before what needs a closer look. */
static void plain(struct lowering *l) {
    struct maker *m = &l->m;
    size_t start = l->at;
    unsigned blank = start != 0 && l->in.p[start - 1] == ' ';
    if (!maker_reserve(m, l->in.n - start + STEP))
        return;
    uint8_t *out = m->p + m->n;
    while (l->in.n - l->at >= STEP) {
        unsigned closer = step(l->in.p + l->at, out + (l->at - start), &blank);
        if (closer != 0) {
            l->at += (size_t)__builtin_ctz(closer);
            maker_took(m, l->at - start, start);
            return;
        }
        l->at += STEP;
    }
    for (; l->at < l->in.n; l->at++) {
        uint8_t c = l->in.p[l->at];
        if (c < 0x20 || c > 0x7e || (c == ' ' && blank != 0))
            break;
        blank = c == ' ';
        out[l->at - start] = (uint8_t)(c | (unsigned)((uint8_t)(c - 'A') < 26) << 5);
    }
    maker_took(m, l->at - start, start);
}

bool canon_lower(struct work *w, const struct layer *in, struct layer *ret) {
    struct lowering l = {.in = in->text};
    maker_init(&l.m, w, in->text.n + STEP);
    while (l.at < l.in.n && !l.m.failed) {
        plain(&l);
        if (l.at == l.in.n)
            break;
        uint8_t c = l.in.p[l.at];
        if (is_gap(c)) {
            gap(&l);
        } else if (c >= 0x80) {
            wide(&l);
        } else { /* a control character that is not folded away: none comes here from canon_fold */
            maker_same(&l.m, &c, 1, l.at);
            l.at++;
        }
    }
    *ret = *in;
    if (!maker_is_same(&l.m, in->text.n))
        ret->map = maker_map(&l.m, in->map);
    ret->text = bz_view(l.m.p, l.m.n);
    return !l.m.failed && (ret->map != NULL || maker_is_same(&l.m, in->text.n));
}
