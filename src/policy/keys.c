/* API keys: their text, their checksum, their hash. */
#include "image_format.h"

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum {
    base = 62,
    id_at = 3,
    secret_at = id_at + BZ_KEY_ID_TEXT + 1,
    secret_digits = 43,
    sum_at = secret_at + secret_digits,
    sum_digits = 6,
};
_Static_assert(sum_at + sum_digits == BZ_KEY_TEXT, "layout of a key");

/* CRC-32 of zlib and PNG (reflected 0xEDB88320), four bits at a time: short texts, small table. */
static uint32_t crc32_of(struct bz_view v) {
    static const uint32_t t[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < v.n; i++) {
        c ^= v.p[i];
        c = t[c & 15] ^ c >> 4;
        c = t[c & 15] ^ c >> 4;
    }
    return ~c;
}

/* Writes the big number in `limb` (most significant first) as `n` digits and leaves zeros behind.
 * What does not fit in n digits is dropped. */
static void put_digits(uint32_t *limb, size_t limbs, char *out, size_t n) {
    while (n > 0) {
        uint64_t rest = 0;
        for (size_t i = 0; i < limbs; i++) {
            rest = rest << 32 | limb[i];
            limb[i] = (uint32_t)(rest / base);
            rest %= base;
        }
        out[--n] = digits[rest];
    }
}

static void put_checksum(const char *text, char out[sum_digits]) {
    uint32_t sum = crc32_of(bz_view(text, sum_at));
    put_digits(&sum, 1, out, sum_digits);
}

void bz_key_make(const uint8_t rnd[48], char out[BZ_KEY_TEXT + 1]) {
    uint32_t id[4], secret[8];
    memcpy(id, rnd, sizeof id);
    memcpy(secret, rnd + sizeof id, sizeof secret);
    memcpy(out, "bz_", id_at);
    put_digits(id, 4, out + id_at, BZ_KEY_ID_TEXT);
    out[secret_at - 1] = '_';
    put_digits(secret, 8, out + secret_at, secret_digits);
    put_checksum(out, out + sum_at);
    out[BZ_KEY_TEXT] = '\0';
    bz_wipe(secret, sizeof secret);
}

static bool is_digit62(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool img_key_form(struct bz_view text, struct bz_view *ret_id) {
    if (text.n != BZ_KEY_TEXT || !bz_view_starts(text, BZ_V("bz_")))
        return false;
    *ret_id = bz_view_sub(text, id_at, BZ_KEY_ID_TEXT);
    return text.p[secret_at - 1] == '_';
}

enum bz_status bz_key_split(struct bz_view text, struct bz_view *ret_id) {
    struct bz_view id;
    if (!img_key_form(text, &id))
        return BZ_ESYNTAX;
    bool good = true;
    for (size_t i = id_at; i < BZ_KEY_TEXT; i++)
        good &= i == secret_at - 1 || is_digit62(text.p[i]);
    char sum[sum_digits];
    put_checksum((const char *)text.p, sum);
    if (!bz_ct_equal(bz_view(sum, sum_digits), bz_view_sub(text, sum_at, sum_digits)) || !good)
        return BZ_ESYNTAX;
    *ret_id = id;
    return BZ_OK;
}

void bz_key_hash(const uint8_t pepper[BZ_KEY_LEN], struct bz_view text, uint8_t out[BZ_HASH_LEN]) {
    uint8_t both[BZ_KEY_LEN + BZ_KEY_TEXT];
    struct bz_sha256 s;
    if (text.n == BZ_KEY_TEXT) { /* in one go: this is on every request's way */
        memcpy(both, pepper, BZ_KEY_LEN);
        memcpy(both + BZ_KEY_LEN, text.p, BZ_KEY_TEXT);
        bz_sha256(bz_view(both, sizeof both), out);
        bz_wipe(both, sizeof both);
        return;
    }
    bz_sha256_init(&s);
    bz_sha256_add(&s, bz_view(pepper, BZ_KEY_LEN));
    bz_sha256_add(&s, text);
    bz_sha256_end(&s, out);
}
