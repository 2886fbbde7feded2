/* Escapes and key folding. */
#include "json_text.h"

#include <bartizan/text.h>

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits after \u, or -1. */
static int32_t hex4(const uint8_t *p, const uint8_t *end) {
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    int32_t v = 0;
    for (int i = 2; i < 6; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

static enum bz_status unicode(const uint8_t **p, const uint8_t *end, uint8_t out[4], size_t *ret_n,
                              const char **ret_why) {
    int32_t cp = hex4(*p, end);
    size_t used = 6;
    if (cp <= 0) {
        *ret_why = cp < 0 ? "\\u without four hex digits" : "\\u0000 is not allowed";
        return BZ_ESYNTAX;
    }
    if (cp >= 0xd800 && cp <= 0xdfff) {
        int32_t low = cp < 0xdc00 ? hex4(*p + 6, end) : -1;
        if (low < 0xdc00 || low > 0xdfff) {
            *ret_why = "lone surrogate";
            return BZ_EUTF8;
        }
        cp = 0x10000 + ((cp - 0xd800) << 10 | (low - 0xdc00));
        used = 12;
    }
    *ret_n = bz_utf8_encode((uint32_t)cp, out);
    *p += used;
    return BZ_OK;
}

enum bz_status bz_json_escape(const uint8_t **p, const uint8_t *end, uint8_t out[4], size_t *ret_n,
                              const char **ret_why) {
    static const uint8_t simple[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    uint8_t c = (*p)[1];
    if (c == 'u')
        return unicode(p, end, out, ret_n, ret_why);
    if (c >= sizeof simple || simple[c] == 0) {
        *ret_why = "unknown escape";
        return BZ_ESYNTAX;
    }
    out[0] = simple[c];
    *ret_n = 1;
    *p += 2;
    return BZ_OK;
}

bool bz_json_folds(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if ((p[i] >= 'A' && p[i] <= 'Z') || p[i] >= 0x80)
            return true;
    }
    return false;
}

/* Go's encoding/json matches a key to a field by simple case folding. Field names are ASCII, and only two code points
 * beyond ASCII fold into it: U+017F (long s) and U+212A (Kelvin sign). */
size_t bz_json_fold(const uint8_t *p, size_t n, uint8_t *out) {
    size_t at = 0;
    for (size_t i = 0; i < n;) {
        if (n - i >= 2 && p[i] == 0xc5 && p[i + 1] == 0xbf) {
            out[at++] = 's';
            i += 2;
        } else if (n - i >= 3 && p[i] == 0xe2 && p[i + 1] == 0x84 && p[i + 2] == 0xaa) {
            out[at++] = 'k';
            i += 3;
        } else {
            out[at++] = p[i] >= 'A' && p[i] <= 'Z' ? (uint8_t)(p[i] | 0x20) : p[i];
            i++;
        }
    }
    return at;
}
