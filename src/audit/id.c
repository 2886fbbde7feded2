#include <bartizan/audit.h>

/* Crockford base32: no i, l, o, u; lower case as in all our names. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void put_be(uint8_t *p, size_t n, uint64_t v) {
    for (size_t i = n; i > 0; i--) {
        p[i - 1] = (uint8_t)v;
        v >>= 8;
    }
}

void bz_request_id_make(uint64_t unix_ms, uint32_t lane, uint64_t epoch, uint64_t counter,
                        uint8_t id[BZ_REQUEST_ID_LEN]) {
    put_be(id, 6, unix_ms);
    id[6] = (uint8_t)lane;
    put_be(id + 7, 4, epoch);
    put_be(id + 11, 5, counter);
}

/* 128 bits in 26 digits of 5: the first digit carries only 3 bits (as in ULID). */
void bz_request_id_text(const uint8_t id[BZ_REQUEST_ID_LEN], char out[BZ_REQUEST_ID_TEXT + 1]) {
    memcpy(out, "req_", 4);
    unsigned acc = 0;
    unsigned bits = 2;
    size_t at = 4;
    for (size_t i = 0; i < BZ_REQUEST_ID_LEN; i++) {
        acc = (acc << 8 | id[i]) & 0xffff;
        for (bits += 8; bits >= 5; bits -= 5)
            out[at++] = alphabet[acc >> (bits - 5) & 31];
    }
    out[at] = '\0';
}

static int digit(uint8_t c) {
    if (c >= 'A' && c <= 'Z')
        c = (uint8_t)(c + ('a' - 'A'));
    const char *p = c == '\0' ? NULL : strchr(alphabet, c);
    return p == NULL ? -1 : (int)(p - alphabet);
}

bool bz_request_id_parse(struct bz_view text, uint8_t id[BZ_REQUEST_ID_LEN]) {
    if (bz_view_starts(text, BZ_V("req_")))
        text = bz_view_sub(text, 4, text.n);
    if (text.n != BZ_REQUEST_ID_TEXT - 4 || digit(text.p[0]) > 7)
        return false;
    uint8_t bytes[BZ_REQUEST_ID_LEN];
    unsigned acc = 0;
    unsigned bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < text.n; i++) {
        int d = digit(text.p[i]);
        if (d < 0)
            return false;
        acc = (acc << 5 | (unsigned)d) & 0xffff;
        bits += i == 0 ? 3 : 5;
        if (bits >= 8) {
            bits -= 8;
            bytes[at++] = (uint8_t)(acc >> bits);
        }
    }
    memcpy(id, bytes, sizeof bytes);
    return true;
}
