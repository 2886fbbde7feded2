/* UTF-8 validation, hex and base64 decoding. */
#include <bartizan/text.h>

static bool cont(uint8_t c) {
    return (c & 0xc0) == 0x80;
}

/* Length of the sequence at p (n bytes left, n > 0), or 0. RFC 3629, section 4: the first byte limits the second. */
static size_t sequence(const uint8_t *p, size_t n) {
    uint8_t c = p[0];
    if (c < 0x80)
        return 1;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    if (c < 0xe0)
        return n >= 2 && cont(p[1]) ? 2 : 0;
    if (c < 0xf0) {
        uint8_t low = c == 0xe0 ? 0xa0 : 0x80;
        uint8_t high = c == 0xed ? 0x9f : 0xbf;
        return n >= 3 && p[1] >= low && p[1] <= high && cont(p[2]) ? 3 : 0;
    }
    uint8_t low = c == 0xf0 ? 0x90 : 0x80;
    uint8_t high = c == 0xf4 ? 0x8f : 0xbf;
    return n >= 4 && p[1] >= low && p[1] <= high && cont(p[2]) && cont(p[3]) ? 4 : 0;
}

/* How many bytes of ASCII p starts with, counted in steps that are cheap. */
static size_t ascii_run(const uint8_t *p, size_t n) {
    size_t i = 0;
    while (n - i >= 64) {
        /* Eight loads or-ed together: the compiler makes vector instructions of them on every target. */
        uint64_t w[8];
        memcpy(w, p + i, sizeof w);
        if (((w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7]) & 0x8080808080808080u) != 0)
            break;
        i += 64;
    }
    while (n - i >= 8) {
        uint64_t w;
        memcpy(&w, p + i, sizeof w);
        if ((w & 0x8080808080808080u) != 0)
            break;
        i += 8;
    }
    return i;
}

size_t bz_utf8_valid(struct bz_view v) {
    size_t i = 0;
    for (;;) {
        i += ascii_run(v.p + i, v.n - i);
        /* Text that is not ASCII comes in runs: go back to the wide steps only after eight plain bytes. */
        for (size_t plain = 0; plain < 8;) {
            if (i == v.n)
                return i;
            size_t n = sequence(v.p + i, v.n - i);
            if (n == 0)
                return i;
            plain = n == 1 ? plain + 1 : 0;
            i += n;
        }
    }
}

size_t bz_utf8_next(struct bz_view v, uint32_t *ret_cp) {
    if (v.n == 0)
        return 0;
    size_t n = sequence(v.p, v.n);
    if (n == 0)
        return 0;
    static const uint8_t mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t cp = v.p[0] & mask[n];
    for (size_t i = 1; i < n; i++)
        cp = cp << 6 | (v.p[i] & 0x3f);
    *ret_cp = cp;
    return n;
}

size_t bz_utf8_encode(uint32_t cp, uint8_t out[4]) {
    if (cp < 0x80) {
        out[0] = (uint8_t)cp;
        return 1;
    }
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; cp >>= 6)
        out[i] = (uint8_t)(0x80 | (cp & 0x3f));
    out[0] = (uint8_t)(lead[n] | cp);
    return n;
}

static int hex_value(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum bz_status bz_hex_decode(struct bz_view in, uint8_t *out, size_t cap, size_t *ret_n) {
    if (in.n % 2 != 0)
        return BZ_ESYNTAX;
    if (in.n / 2 > cap)
        return BZ_ETOOBIG;
    for (size_t i = 0; i < in.n; i += 2) {
        int high = hex_value(in.p[i]);
        int low = hex_value(in.p[i + 1]);
        if (high < 0 || low < 0)
            return BZ_ESYNTAX;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    *ret_n = in.n / 2;
    return BZ_OK;
}

static int b64_value(uint8_t c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

enum bz_status bz_b64_decode(struct bz_view in, uint8_t *out, size_t cap, size_t *ret_n) {
    size_t n = in.n;
    if (n % 4 == 0 && n != 0 && in.p[n - 1] == '=')
        n -= in.p[n - 2] == '=' ? 2 : 1;
    if (n % 4 == 1)
        return BZ_ESYNTAX;
    size_t want = n / 4 * 3 + (n % 4 * 3) / 4;
    if (want > cap)
        return BZ_ETOOBIG;
    uint32_t acc = 0;
    unsigned bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        int value = b64_value(in.p[i]);
        if (value < 0)
            return BZ_ESYNTAX;
        acc = acc << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[at++] = (uint8_t)(acc >> bits);
        }
    }
    /* One value, one spelling: bits that no byte holds must be zero (RFC 4648, 3.5). */
    if ((acc & ((1u << bits) - 1)) != 0)
        return BZ_ESYNTAX;
    *ret_n = at;
    return BZ_OK;
}
