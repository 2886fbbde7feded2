/* Escapes within text: \x, \u, octal, %, character references. */
#include "leak_int.h"

#include <bartizan/text.h>

static uint32_t digit_of(uint8_t c, uint32_t base) {
    uint32_t d = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                        : 99;
    return d < base ? d : 99;
}

/* Digits from `at`, at most `most`; how many. */
static size_t number(struct bz_view v, size_t at, uint32_t base, size_t most, uint32_t *ret) {
    size_t n = 0;
    uint32_t value = 0;
    while (n < most && at + n < v.n && digit_of(v.p[at + n], base) != 99) {
        value = value * base + digit_of(v.p[at + n], base);
        n++;
    }
    *ret = value;
    return n;
}

/* prefix bytes, then exactly n digits. */
static size_t fixed(struct bz_view v, size_t prefix, uint32_t base, size_t n, bool last,
                    uint32_t *ret) {
    uint32_t value = 0;
    size_t got = number(v, prefix, base, n, &value);
    if (got < n)
        return !last && prefix + got == v.n ? 0 : 1;
    *ret = value;
    return prefix + n;
}

/* prefix bytes, one to seven digits, then `end`. */
static size_t ended(struct bz_view v, size_t prefix, uint32_t base, uint8_t end, bool last,
                    uint32_t *ret) {
    uint32_t value = 0;
    size_t got = number(v, prefix, base, 7, &value);
    if (prefix + got == v.n)
        return last ? 1 : 0;
    if (got == 0 || v.p[prefix + got] != end)
        return 1;
    *ret = value;
    return prefix + got + 1;
}

static bool surrogate(uint32_t cp, uint32_t base) {
    return cp >= base && cp < base + 0x400;
}

static size_t unicode(struct bz_view v, bool last, uint32_t *ret) {
    uint32_t low = 0;
    if (v.n > 2 && v.p[2] == '{')
        return ended(v, 3, 16, '}', last, ret);
    size_t n = fixed(v, 2, 16, 4, last, ret);
    if (n != 6 || !surrogate(*ret, 0xd800))
        return n;
    struct bz_view rest = bz_view_sub(v, 6, v.n);
    if (rest.n < 6 && !last && (rest.n < 1 || rest.p[0] == '\\') &&
        (rest.n < 2 || rest.p[1] == 'u'))
        return 0;
    if (rest.n >= 6 && rest.p[0] == '\\' && rest.p[1] == 'u' &&
        fixed(rest, 2, 16, 4, true, &low) == 6 && surrogate(low, 0xdc00)) {
        *ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
        return 12;
    }
    return n;
}

static size_t backslash(struct bz_view v, bool json, bool last, uint32_t *ret) {
    if (v.n < 2)
        return last ? 1 : 0;
    switch (v.p[1]) {
    case 'u':
        return unicode(v, last, ret);
    case 'n':
    case 'r':
        *ret = '\n';
        return 2;
    case 't':
        *ret = '\t';
        return 2;
    default:
        break;
    }
    if (json) {
        *ret = v.p[1] == 'b' || v.p[1] == 'f' ? ' ' : v.p[1];
        return v.p[1] < 0x80 ? 2 : 1;
    }
    if (v.p[1] == 'x')
        return v.n > 2 && v.p[2] == '{' ? ended(v, 3, 16, '}', last, ret)
                                        : fixed(v, 2, 16, 2, last, ret);
    if (v.p[1] == 'U')
        return fixed(v, 2, 16, 8, last, ret);
    if (digit_of(v.p[1], 8) == 99)
        return 1;
    size_t n = number(v, 1, 8, 3, ret);
    return n < 3 && 1 + n == v.n && !last ? 0 : 1 + n;
}

size_t leak_escape(struct bz_view v, bool json, bool last, uint32_t *ret_cp) {
    uint32_t cp = UINT32_MAX;
    size_t n = 1;
    if (v.p[0] == '\\') {
        n = backslash(v, json, last, &cp);
    } else if (v.p[0] == '%' && !json) {
        n = fixed(v, 1, 16, 2, last, &cp);
    } else if (v.p[0] == '&' && !json) {
        bool hash = v.n > 1 && v.p[1] == '#';
        bool hex = hash && v.n > 2 && (v.p[2] | 32) == 'x';
        if (v.n < 3 && !last && (v.n < 2 || hash))
            n = 0;
        else if (hash)
            n = ended(v, hex ? 3 : 2, hex ? 16 : 10, ';', last, &cp);
    }
    if (n == 1)
        cp = UINT32_MAX;
    *ret_cp = cp;
    return n;
}

static size_t put_symbols(uint32_t cp, uint8_t *out, size_t cap) {
    uint8_t wide[4], what;
    bool alone;
    if (cp < 0x80) {
        if (leak_fold[cp] >= SYM_END || cap == 0)
            return 0;
        out[0] = leak_fold[cp];
        return 1;
    }
    if (cp > 0x10ffff || surrogate(cp, 0xd800) || surrogate(cp, 0xdc00))
        return 0;
    size_t n = leak_fold_wide(cp, wide, &what, &alone);
    n = n < cap ? n : cap;
    memcpy(out, wide, n);
    return n;
}

size_t leak_unescape(struct bz_leak_watch *w, struct bz_view text, bool last, uint8_t *out,
                     size_t cap) {
    LEAK_SCRATCH uint8_t both[ESC_MAX + CHUNK];
    size_t n = 0, i = 0, all = w->esc_n + text.n;
    memcpy(both, w->esc, w->esc_n);
    if (text.n != 0)
        memcpy(both + w->esc_n, text.p, text.n);
    w->esc_n = 0;
    while (i < all) {
        struct bz_view rest = bz_view(both + i, all - i);
        uint32_t cp = 0;
        uint8_t c = leak_fold[rest.p[0]];
        size_t used = 1;
        if (c < SYM_END) {
            if (n < cap)
                out[n++] = c;
        } else if (c == FOLD_WIDE) {
            used = bz_utf8_next(rest, &cp);
            if (used != 0)
                n += put_symbols(cp, out + n, cap - n);
            used += used == 0;
        } else {
            used = leak_escape(rest, false, last, &cp);
            if (used == 0) {
                w->esc_n = (uint8_t)rest.n; /* below ESC_MAX: escapes are no longer */
                memcpy(w->esc, rest.p, rest.n);
                break;
            }
            if (cp != UINT32_MAX)
                n += put_symbols(cp, out + n, cap - n);
        }
        i += used;
    }
    return n;
}

size_t leak_unjson(struct bz_leak_watch *w, struct bz_view v, bool last, uint8_t *out) {
    LEAK_SCRATCH uint8_t both[ESC_MAX + CHUNK];
    size_t n = 0, i = 0, all = w->jesc_n + v.n;
    memcpy(both, w->jesc, w->jesc_n);
    if (v.n != 0)
        memcpy(both + w->jesc_n, v.p, v.n);
    w->jesc_n = 0;
    while (i < all) {
        uint32_t cp = 0;
        if (both[i] != '\\') {
            out[n++] = both[i++];
            continue;
        }
        size_t used = leak_escape(bz_view(both + i, all - i), true, last, &cp);
        if (used == 0) {
            w->jesc_n = (uint8_t)(all - i);
            memcpy(w->jesc, both + i, all - i);
            break;
        }
        if (cp > 0x10ffff || surrogate(cp, 0xd800) || surrogate(cp, 0xdc00))
            out[n++] = '\\';
        else
            n += bz_utf8_encode(cp, out + n);
        i += used;
    }
    return n;
}
