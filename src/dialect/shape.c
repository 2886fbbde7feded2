/* The form of a stream's usual event.
 *
 *   {"id":"c1","created":17,"choices":[{"index":0,"delta":{"content":" the"}}]}
 *   '------'  '-----------'  '---------------------------------------'    '----'   fixed
 *          c1              17                                        the           holes
 *
 * An event with the same fixed bytes has the same members as the one that was parsed: what its tree
 * was found to mean holds for it, too. A string's hole ends at its quote and holds neither escapes
 * nor control characters, a number's holds digits; so nothing in a hole can be read as structure. */
#include <bartizan/text.h>

#include "stream.h"

static bool in_place(struct bz_view data, const struct bz_json *v) {
    return v->off < data.n && data.p[v->off] == '"' && v->val.p == data.p + v->off + 1;
}

static size_t digits(struct bz_view v) {
    size_t n = 0;
    while (n < v.n && n < 19 && (uint8_t)(v.p[n] - '0') < 10)
        n++;
    return n > 1 && v.p[0] == '0' ? 0 : n;
}

#define LANES(byte) (0x0101010101010101u * (byte))

/* The high bit of each byte below `least` (at most 0x80) where the byte itself has none. A borrow can
 * only set bits above the lowest one that is right. */
static uint64_t below(uint64_t w, uint8_t least) {
    return (w - LANES((uint64_t)least)) & ~w & LANES(0x80u);
}

/* Eight bytes that end no string and are ASCII: no blank control, no quote, no backslash. */
static bool ordinary(const uint8_t *p) {
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return (below(w, 0x20) | below(w ^ LANES((uint64_t)'"'), 1) |
            below(w ^ LANES((uint64_t)'\\'), 1) | (w & LANES(0x80u))) == 0;
}

/* Bytes up to the end of a string without escapes. */
static size_t plain(struct bz_view v) {
    size_t n = 0;
    uint8_t any = 0;
    while (v.n - n >= sizeof(uint64_t) && ordinary(v.p + n))
        n += sizeof(uint64_t);
    while (n < v.n && v.p[n] >= 0x20 && v.p[n] != '"' && v.p[n] != '\\')
        any |= v.p[n++];
    return any < 0x80 || bz_utf8_valid(bz_view_sub(v, 0, n)) == n ? n : 0;
}

struct hole {
    size_t start, end; /* of the data */
    bool number, text;
};
struct holes {
    struct hole v[BZ_SHAPE_HOLES];
    size_t n;
};

/* In the order of the data. */
static bool add(struct holes *h, struct hole one) {
    size_t i = h->n;
    if (h->n == BZ_SHAPE_HOLES)
        return false;
    for (; i > 0 && h->v[i - 1].start > one.start; i--)
        h->v[i] = h->v[i - 1];
    h->v[i] = one;
    h->n++;
    return true;
}

/* Values that differ from event to event and steer nothing. Empty ones stay as they are: what was
 * said of them need not hold for others. */
static bool varies(struct bz_view data, const struct bz_json *m, struct hole *ret) {
    bool text = bz_view_eq(m->key, BZ_V("id")) || bz_view_eq(m->key, BZ_V("created_at"));
    bool number =
        bz_view_eq(m->key, BZ_V("created")) || bz_view_eq(m->key, BZ_V("sequence_number"));
    if (text && m->type == BZ_JSON_STRING && m->val.n > 0 && in_place(data, m)) {
        *ret = (struct hole){.start = m->off + 1, .end = m->off + 1 + m->val.n};
        return true;
    }
    if (number && m->type == BZ_JSON_NUMBER && digits(m->val) == m->val.n) {
        *ret = (struct hole){.start = m->off, .end = m->off + m->val.n, .number = true};
        return true;
    }
    return false;
}

static bool fill(struct bz_shape *s, struct bz_view name, struct bz_view data,
                 const struct holes *h) {
    size_t from = 0, n = name.n;
    if (n != 0)
        memcpy(s->fixed, name.p, n);
    for (size_t i = 0; i <= h->n; i++) {
        size_t to = i < h->n ? h->v[i].start : data.n;
        if (to - from > BZ_SHAPE_MAX - n)
            return false;
        memcpy(s->fixed + n, data.p + from, to - from);
        n += to - from;
        if (i == h->n)
            break;
        s->at[i] = (uint16_t)n;
        s->numbers |= (uint8_t)(h->v[i].number << i);
        if (h->v[i].text)
            s->text = (uint8_t)i;
        from = h->v[i].end;
    }
    s->name_n = (uint8_t)name.n;
    s->holes = (uint8_t)h->n;
    s->n = (uint16_t)n;
    return true;
}

/* What the walker meets. */
struct meeting {
    struct bz_json *text;
    uint64_t channel;
    bool special; /* more than one text, or another kind */
};

static enum bz_status meet(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    struct meeting *m = ctx;
    (void)w;
    if (bz_stream_no_text(span))
        return BZ_OK;
    m->special |= m->text != NULL || span->channel == 0 || span->is_key;
    m->text = span->node;
    m->channel = span->channel;
    return BZ_OK;
}

static void meet_end(void *ctx, uint64_t channel, uint64_t mask) {
    struct meeting *m = ctx;
    (void)channel;
    (void)mask;
    m->special = true;
}

static bool learn(struct bz_shape *s, struct bz_view name, struct bz_view data,
                  const struct bz_json *root, const struct bz_json *text) {
    struct holes h = {.n = 0};
    struct hole one;
    s->numbers = 0;
    if (memchr(data.p, '\n', data.n) != NULL || memchr(data.p, '\r', data.n) != NULL)
        return false; /* of several lines, or with a blank that would end one */
    if (text->type != BZ_JSON_STRING || !in_place(data, text) || name.n > UINT8_MAX ||
        !add(&h, (struct hole){text->off + 1, text->off + 1 + text->val.n, false, true}))
        return false;
    for (const struct bz_json *m = root->first; m != NULL; m = m->next)
        if (m != text && varies(data, m, &one) && !add(&h, one))
            break; /* the rest stays fixed */
    return fill(s, name, data, &h);
}

void bz_shapes_learn(struct bz_shapes *c, const struct bz_route *route, struct bz_view name,
                     struct bz_view data, struct bz_json *root) {
    struct meeting m = {NULL, 0, false};
    struct bz_walk w = {
        .unknown = BZ_UNKNOWN_REFUSE, .span = meet, .channel_end = meet_end, .ctx = &m};
    struct bz_shape *s = &c->v[c->next % BZ_SHAPES];
    if (bz_fields_walk(route, (enum bz_server)0, BZ_WHERE_EVENT, root, &w) != BZ_OK || m.special ||
        m.text == NULL)
        return;
    s->route = NULL;
    if (!learn(s, name, data, root, m.text))
        return;
    s->route = route;
    s->channel = m.channel;
    c->last = (uint8_t)(s - c->v);
    c->next = (uint8_t)((c->last + 1) % BZ_SHAPES);
}

static bool match(const struct bz_shape *s, struct bz_view name, struct bz_view data,
                  struct bz_view *ret_text) {
    size_t at = s->name_n;
    if (!bz_view_eq(name, bz_view(s->fixed, s->name_n)))
        return false;
    for (unsigned i = 0; i <= s->holes; i++) {
        size_t n = (i < s->holes ? s->at[i] : s->n) - at;
        if (n > data.n || memcmp(data.p, s->fixed + at, n) != 0)
            return false;
        at += n;
        data = bz_view_sub(data, n, data.n);
        if (i == s->holes)
            break;
        bool number = (s->numbers >> i & 1) != 0;
        n = number ? digits(data) : plain(data);
        if (number && n == 0)
            return false;
        if (i == s->text)
            *ret_text = bz_view_sub(data, 0, n);
        data = bz_view_sub(data, n, data.n);
    }
    return data.n == 0;
}

const struct bz_shape *bz_shapes_match(struct bz_shapes *c, const struct bz_route *route,
                                       struct bz_view name, struct bz_view data,
                                       struct bz_view *ret_text) {
    for (unsigned i = 0; i < BZ_SHAPES; i++) {
        unsigned at = (c->last + i) % BZ_SHAPES;
        if (c->v[at].route != route || !match(&c->v[at], name, data, ret_text))
            continue;
        c->last = (uint8_t)at;
        return &c->v[at];
    }
    return NULL;
}
