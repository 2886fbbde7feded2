/* Texts and bytes: what could be a name is kept, what could be a pickle by itself is looked at. */
#include "pickle_int.h"

bool bz_pk_push_text(struct bz_pk *m, struct bz_view v) {
    uint32_t t = bz_pk_string(m, v);
    return (!m->collect || bz_pk_torch_key(m, t)) && bz_pk_push(m, t);
}

/* A pickle written as base64 or as hexadecimal digits: "gAS...", "8004...". */
static bool encoded(struct bz_view v) {
    return (v.p[0] == 'g' && v.p[1] == 'A' && v.p[2] >= 'I' && v.p[2] <= 'X') ||
           (v.p[0] == '8' && v.p[1] == '0' && v.p[2] == '0' && v.p[3] >= '2' && v.p[3] <= '5');
}

/* Bytes written as text, to be encoded as Latin-1: what protocols 0 to 2 do with a pickle. */
static bool as_latin1(struct bz_view v) {
    return (v.p[0] == 0xc2 && v.p[1] == 0x80) || (v.p[0] == 'P' && v.p[1] == 'K');
}

static bool long_text(struct bz_pk *m, uint64_t n) {
    uint32_t load = 0;
    const uint64_t at = bz_pk_at(m);
    BZ_PK_NEED(m, 4);
    if (encoded(bz_view(m->p, 4)) && n <= BZ_WINDOW && !m->strict) {
        BZ_PK_NEED(m, n);
        if (!bz_pk_nested_text(m, bz_view(m->p, n)))
            return false;
    } else if (as_latin1(bz_view(m->p, 2))) {
        struct bz_pk_note *note = bz_pk_vec(&m->notes, sizeof *note);
        if (note != NULL) {
            *note = (struct bz_pk_note){at, n, true};
            load = (uint32_t)(m->notes.n / sizeof *note) + 1;
        }
    }
    if (n <= PK_NAME_LEN && load == 0) {
        BZ_PK_NEED(m, n);
        m->p += n;
        return bz_pk_push_text(m, bz_view(m->p - n, n));
    }
    return bz_pk_skip(m, n) ? bz_pk_push(m, BZ_PK_V(BZ_PK_TEXT, load)) : bz_pk_cut(m);
}

static bool text(struct bz_pk *m, uint64_t n) {
    if (n >= 12)
        return long_text(m, n);
    BZ_PK_NEED(m, n);
    m->p += n;
    return bz_pk_push_text(m, bz_view(m->p - n, n));
}

bool bz_pk_op_short_text(struct bz_pk *m) {
    BZ_PK_NEED(m, 1);
    return text(m, *m->p++);
}

bool bz_pk_op_text4(struct bz_pk *m) {
    BZ_PK_NEED(m, 4);
    m->p += 4;
    return text(m, bz_pk_le(m->p - 4, 4));
}

bool bz_pk_op_text8(struct bz_pk *m) {
    BZ_PK_NEED(m, 8);
    m->p += 8;
    return text(m, bz_pk_le64(m->p - 8));
}

/* Bytes that begin like something that a loader would take: a pickle, an archive, a stream. */
static bool notable(const uint8_t *p, size_t n) {
    static const uint8_t first[256] = {
        [0x80] = 1, ['('] = 1, ['c'] = 1, [']'] = 1,  ['}'] = 1,  [')'] = 1, ['I'] = 1,
        ['N'] = 1,  ['V'] = 1, ['X'] = 1, ['S'] = 1,  ['i'] = 1,  ['P'] = 1, [0x1f] = 1,
        [0x8c] = 1, ['x'] = 1, ['B'] = 1, [0xfd] = 1, [0x93] = 1,
    };
    return n >= 3 && first[p[0]] != 0;
}

static bool ends_with_stop(struct bz_pk *m, uint64_t end) {
    uint8_t last = 0;
    if (m->p > m->w.buf)
        return m->p[-1] == '.';
    return bz_source_exact(&m->o->src, end - 1, &last, 1) == BZ_OK && last == '.';
}

bool bz_pk_push_data(struct bz_pk *m, uint64_t n) {
    uint64_t at = bz_pk_at(m);
    struct bz_pk_note *note = NULL;
    bool pickle = false;
    if (n >= 3) {
        BZ_PK_NEED(m, 3);
        pickle = n >= 4 && m->p[0] == 0x80 && m->p[1] >= 2 && m->p[1] <= 5;
        if (notable(m->p, (size_t)(m->end - m->p)))
            note = bz_pk_vec(&m->notes, sizeof *note);
    }
    if (!bz_pk_skip(m, n))
        return bz_pk_cut(m);
    if (note != NULL)
        *note = (struct bz_pk_note){at, n, false};
    /* A pickle inside of a pickle runs when somebody loads it in turn. */
    if (pickle && !m->strict && ends_with_stop(m, at + n) && !bz_pk_nested(m, at, n))
        return false;
    return bz_pk_push(m, BZ_PK_V(BZ_PK_DATA, note == NULL ? 0 : m->notes.n / sizeof *note));
}

bool bz_pk_op_short_bytes(struct bz_pk *m) {
    BZ_PK_NEED(m, 1);
    return bz_pk_push_data(m, *m->p++);
}

bool bz_pk_op_bytes4(struct bz_pk *m) {
    BZ_PK_NEED(m, 4);
    m->p += 4;
    return bz_pk_push_data(m, bz_pk_le(m->p - 4, 4));
}

bool bz_pk_op_bytes8(struct bz_pk *m) {
    BZ_PK_NEED(m, 8);
    m->p += 8;
    return bz_pk_push_data(m, bz_pk_le64(m->p - 8));
}

bool bz_pk_op_bytearray8(struct bz_pk *m) {
    if (!bz_pk_op_bytes8(m))
        return false;
    m->stk[m->n - 1] = BZ_PK_BUFFER;
    return true;
}
