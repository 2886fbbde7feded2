/* Opcodes whose argument is a line: protocol 0, and what has stayed of it. */
#include "pickle_int.h"

#include <bartizan/text.h>

enum { LINE = 512, NUMBER = 64 };

bool bz_pk_line(struct bz_pk *m, uint8_t *mem, size_t max, struct bz_view *ret, bool *ret_cut) {
    size_t n = 0;
    *ret_cut = false;
    for (;;) {
        if (!bz_pk_see(m, 1))
            return bz_pk_cut(m);
        size_t have = (size_t)(m->end - m->p);
        const uint8_t *nl = memchr(m->p, '\n', have);
        size_t part = nl == NULL ? have : (size_t)(nl - m->p);
        size_t keep = part < max - n ? part : max - n;
        memcpy(mem + n, m->p, keep);
        n += keep;
        *ret_cut = *ret_cut || keep < part;
        m->p += part + (nl != NULL);
        if (nl != NULL) {
            *ret = bz_view(mem, n);
            return true;
        }
        if (m->w.st != BZ_OK)
            return bz_pk_cut(m);
    }
}

/* As int() and strtol take it: blanks around, a sign, underscores between digits, a base. Loaders
 * differ in the details; what none takes is no number. */
static bool number(struct bz_view v, bool *ret_negative, uint64_t *ret) {
    size_t i = 0;
    unsigned base = 10;
    *ret = 0;
    while (v.n > 0 && (v.p[v.n - 1] <= ' '))
        v.n--;
    while (i < v.n && v.p[i] <= ' ')
        i++;
    *ret_negative = i < v.n && v.p[i] == '-';
    i += i < v.n && (v.p[i] == '-' || v.p[i] == '+');
    if (i + 2 < v.n && v.p[i] == '0' && (v.p[i + 1] | 0x20) == 'x') {
        base = 16;
        i += 2;
    }
    if (i >= v.n)
        return false;
    for (; i < v.n; i++) {
        uint8_t c = v.p[i];
        unsigned d = c >= '0' && c <= '9' ? c - 48u : (c | 0x20u) - 'a' + 10u;
        if (c == '_')
            continue;
        if (d >= base)
            return false;
        *ret = *ret > (UINT64_MAX - d) / base ? UINT64_MAX : *ret * base + d;
    }
    return true;
}

static bool number_line(struct bz_pk *m, struct bz_view *v, bool *ret_cut, uint8_t *mem) {
    return bz_pk_line(m, mem, NUMBER, v, ret_cut);
}

static bool push_number(struct bz_pk *m, bool is_long) {
    uint8_t mem[NUMBER];
    struct bz_view v;
    bool cut, negative;
    uint64_t n;
    if (!number_line(m, &v, &cut, mem))
        return false;
    if (is_long && v.n > 0 && v.p[v.n - 1] == 'L')
        v.n--;
    if (!cut && !number(v, &negative, &n) && !bz_pk_fail(m, "a number that is none"))
        return false;
    if (cut || negative)
        return bz_pk_push(m, BZ_PK_PLAIN);
    return bz_pk_push_int(m, n);
}

bool bz_pk_op_int(struct bz_pk *m) {
    return push_number(m, false);
}

bool bz_pk_op_long(struct bz_pk *m) {
    return push_number(m, true);
}

bool bz_pk_op_float(struct bz_pk *m) {
    uint8_t mem[NUMBER];
    struct bz_view v;
    bool cut;
    if (!number_line(m, &v, &cut, mem))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (strchr("0123456789+-.eE_ \tinfatyINFATY\r\v\f", v.p[i]) == NULL || v.p[i] == 0)
            return bz_pk_fail(m, "a number that is none") && bz_pk_push(m, BZ_PK_PLAIN);
    }
    if (v.n == 0 && !bz_pk_fail(m, "a number that is none"))
        return false;
    return bz_pk_push(m, BZ_PK_PLAIN);
}

/* ---- texts ---------------------------------------------------------------------------------- */

static int hex(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* n hex digits at v.p[i]; false where they are not. */
static bool hex_at(struct bz_view v, size_t i, size_t n, uint32_t *ret) {
    if (n > v.n || i > v.n - n)
        return false;
    *ret = 0;
    for (size_t k = i; k < i + n; k++) {
        int d = hex(v.p[k]);
        if (d < 0)
            return false;
        *ret = *ret * 16 + (uint32_t)d;
    }
    return true;
}

/* The escapes of a Python bytes literal: a name can be written with them. */
static size_t escape(struct bz_view v, size_t i, uint8_t *out) {
    static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
    uint32_t x;
    if (i + 1 >= v.n)
        return 0;
    uint8_t c = v.p[i + 1];
    const char *at = c == 0 ? NULL : strchr(from, c);
    if (at != NULL) {
        *out = (uint8_t)to[at - from];
        return 2;
    }
    if (c == 'x' && hex_at(v, i + 2, 2, &x)) {
        *out = (uint8_t)x;
        return 4;
    }
    size_t k = i + 1;
    for (x = 0; k < v.n && k < i + 4 && v.p[k] >= '0' && v.p[k] <= '7'; k++)
        x = x * 8 + (uint32_t)(v.p[k] - '0');
    *out = (uint8_t)x;
    return k - i > 1 ? k - i : 0;
}

bool bz_pk_op_string(struct bz_pk *m) {
    uint8_t mem[LINE], out[LINE];
    struct bz_view v;
    bool cut;
    size_t n = 0;
    if (!bz_pk_line(m, mem, LINE, &v, &cut))
        return false;
    if (cut) /* longer than any name */
        return bz_pk_push(m, BZ_PK_V(BZ_PK_TEXT, 0));
    while (v.n > 0 && (v.p[v.n - 1] == '\r' || v.p[v.n - 1] == ' '))
        v.n--; /* older readers strip blanks */
    if (v.n < 2 || v.p[0] != v.p[v.n - 1] || (v.p[0] != '\'' && v.p[0] != '"'))
        return bz_pk_fail(m, "a text without quotes") && bz_pk_push(m, BZ_PK_V(BZ_PK_TEXT, 0));
    v = bz_view_sub(v, 1, v.n - 2);
    for (size_t i = 0; i < v.n;) {
        uint8_t c = v.p[i];
        size_t used = c == '\\' ? escape(v, i, &c) : 1;
        out[n++] = c;
        i += used == 0 ? 1 : used;
    }
    return bz_pk_push_text(m, bz_view(out, n));
}

/* raw-unicode-escape: \uXXXX and \UXXXXXXXX only, other bytes are Latin-1. */
bool bz_pk_op_unicode(struct bz_pk *m) {
    uint8_t mem[LINE], out[2 * LINE];
    struct bz_view v;
    bool cut;
    size_t n = 0;
    if (!bz_pk_line(m, mem, LINE, &v, &cut))
        return false;
    if (cut)
        return bz_pk_push(m, BZ_PK_V(BZ_PK_TEXT, 0));
    for (size_t i = 0; i < v.n;) {
        uint32_t c = v.p[i];
        size_t used = 1;
        if (c == '\\' && i + 1 < v.n && v.p[i + 1] == 'u' && hex_at(v, i + 2, 4, &c))
            used = 6;
        else if (c == '\\' && i + 1 < v.n && v.p[i + 1] == 'U' && hex_at(v, i + 2, 8, &c))
            used = 10;
        if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
            c = 0xfffd;
        n += bz_utf8_encode(c, out + n);
        i += used;
    }
    return bz_pk_push_text(m, bz_view(out, n));
}

/* ---- memo, persistent ids ------------------------------------------------------------------- */

static bool place(struct bz_pk *m, bool (*go)(struct bz_pk *m, uint64_t i)) {
    uint8_t mem[NUMBER];
    struct bz_view v;
    bool cut, negative = false;
    uint64_t n = 0;
    if (!number_line(m, &v, &cut, mem))
        return false;
    if (cut || !number(v, &negative, &n) || negative || n == UINT64_MAX)
        return bz_pk_fail(m, "a place in the memo that is no number") &&
               (go == bz_pk_put || bz_pk_push(m, BZ_PK_UNDEF));
    return go(m, n);
}

bool bz_pk_op_get(struct bz_pk *m) {
    return place(m, bz_pk_get);
}

bool bz_pk_op_put(struct bz_pk *m) {
    return place(m, bz_pk_put);
}

bool bz_pk_op_persid(struct bz_pk *m) {
    uint8_t mem[LINE];
    struct bz_view v;
    bool cut;
    if (!bz_pk_line(m, mem, LINE, &v, &cut))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] >= 0x80)
            return bz_pk_fail(m, "a persistent id that is not ASCII") &&
                   bz_pk_push(m, BZ_PK_PERSID);
    }
    return bz_pk_push(m, BZ_PK_PERSID);
}
