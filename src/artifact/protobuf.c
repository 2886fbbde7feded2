/* Walking protocol buffers without their schema. */
#include "protobuf.h"

enum bz_status bz_pb_open(struct bz_pb_in *in, struct bz_arena *ar, const struct bz_source *src,
                          uint64_t fields_max) {
    *in = (struct bz_pb_in){.fields_max = fields_max};
    return bz_pages_init(&in->pages, ar, src);
}

struct bz_pb bz_pb_message(struct bz_pb_in *in, uint64_t off, uint64_t n) {
    return (struct bz_pb){.in = in, .at = off, .end = off + n};
}

static bool fail(struct bz_pb *m, enum bz_status st, uint64_t at, const char *why) {
    struct bz_pb_in *in = m->in;
    if (in->st == BZ_OK) {
        in->st = in->pages.st != BZ_OK ? in->pages.st : st;
        in->bad = at;
        in->why = why;
    }
    return false;
}

static bool varint(struct bz_pb *m, uint64_t *ret) {
    size_t room = m->end - m->at < 10 ? (size_t)(m->end - m->at) : 10;
    struct bz_view v = bz_pages_at(&m->in->pages, m->at, room);
    uint64_t x = 0;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t b = v.p[i];
        if (i == 9 && b > 1)
            return fail(m, BZ_ESYNTAX, m->at, "a number of more than 64 bits");
        x |= (uint64_t)(b & 0x7f) << (7 * i);
        if ((b & 0x80) == 0) {
            m->at += i + 1;
            *ret = x;
            return true;
        }
    }
    return fail(m, BZ_ESYNTAX, m->at, room == 10 ? "a number that does not end" : "cut off");
}

static bool fixed(struct bz_pb *m, size_t n, uint64_t *ret) {
    struct bz_view v = {NULL, 0};
    if (n <= m->end - m->at)
        v = bz_pages_at(&m->in->pages, m->at, n);
    if (v.p == NULL)
        return fail(m, BZ_ESYNTAX, m->at, "cut off");
    *ret = 0;
    for (size_t i = n; i-- > 0;)
        *ret = *ret << 8 | v.p[i];
    m->at += n;
    return true;
}

bool bz_pb_next(struct bz_pb *m, struct bz_pb_field *ret) {
    if (m->in->st != BZ_OK || m->at >= m->end)
        return false;
    uint64_t start = m->at;
    if (++m->in->fields > m->in->fields_max)
        return fail(m, BZ_ELIMIT, start, "too many fields");
    uint64_t tag;
    if (!varint(m, &tag))
        return false;
    if (tag > UINT32_MAX || tag >> 3 == 0)
        return fail(m, BZ_ESYNTAX, start, "a field number that does not exist");
    *ret = (struct bz_pb_field){.no = (uint32_t)(tag >> 3), .wire = tag & 7, .off = start};
    switch (ret->wire) {
    case BZ_PB_VARINT:
        return varint(m, &ret->v);
    case BZ_PB_I64:
        return fixed(m, 8, &ret->v);
    case BZ_PB_I32:
        return fixed(m, 4, &ret->v);
    case BZ_PB_LEN:
        if (!varint(m, &ret->n))
            return false;
        if (ret->n > m->end - m->at)
            return fail(m, BZ_ESYNTAX, start, "a length beyond the end of its message");
        ret->off = m->at;
        m->at += ret->n;
        return true;
    default:
        return fail(m, BZ_ESYNTAX, start, "a group or an unknown wire type");
    }
}

struct bz_pb bz_pb_sub(const struct bz_pb *m, const struct bz_pb_field *f) {
    return bz_pb_message(m->in, f->off, f->wire == BZ_PB_LEN ? f->n : 0);
}

struct bz_view bz_pb_peek(const struct bz_pb *m, const struct bz_pb_field *f, size_t max) {
    if (f->wire != BZ_PB_LEN)
        return BZ_V("");
    if (max > BZ_PAGE)
        max = BZ_PAGE;
    struct bz_view v = bz_pages_at(&m->in->pages, f->off, f->n < max ? (size_t)f->n : max);
    if (v.p == NULL) {
        struct bz_pb at = *m;
        fail(&at, BZ_ESYNTAX, f->off, "cut off");
        return BZ_V("");
    }
    return v;
}

struct bz_view bz_pb_copy(const struct bz_pb *m, const struct bz_pb_field *f, size_t max,
                          struct bz_arena *ar) {
    return bz_arena_dup(ar, bz_pb_peek(m, f, max));
}

bool bz_pb_is(const struct bz_pb *m, const struct bz_pb_field *f, struct bz_view text) {
    return f->wire == BZ_PB_LEN && f->n == text.n && bz_view_eq(bz_pb_peek(m, f, text.n), text);
}

bool bz_pb_shaped(struct bz_pb m, const struct bz_pb_shape *shape, uint32_t most) {
    struct bz_pb_in was = *m.in;
    struct bz_pb_field f;
    bool good = true, known = false;
    while (good && most-- != 0 && bz_pb_next(&m, &f)) {
        const struct bz_pb_shape *at = shape;
        while (at->no != 0 && at->no != f.no)
            at++;
        good = at->no == 0 || at->wire == f.wire || (at->packed && f.wire == BZ_PB_LEN);
        known = known || at->no != 0;
    }
    good = good && known && m.in->st == BZ_OK;
    /* the page that was read stays: it is as good as any other */
    m.in->fields = was.fields;
    m.in->bad = was.bad;
    m.in->why = was.why;
    m.in->st = was.st;
    return good;
}
