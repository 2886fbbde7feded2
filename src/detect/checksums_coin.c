/* Addresses of Bitcoin and Ethereum. Nothing here keeps a secret: the hashes are check digits. */
#include "checksums.h"

#include <bartizan/crypto.h>

/* ---- base58check -------------------------------------------------------------------------- */

/* 25 bytes, big endian; leading '1' are zero bytes. */
static bool base58_decode(const uint8_t *s, size_t n, uint8_t out[25]) {
    static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    memset(out, 0, 25);
    for (size_t i = 0; i < n; i++) {
        const char *at = s[i] == '\0' ? NULL : strchr(alphabet, s[i]);
        if (at == NULL)
            return false;
        unsigned carry = (unsigned)(at - alphabet);
        for (size_t k = 25; k-- > 0;) {
            carry += 58u * out[k];
            out[k] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry != 0)
            return false;
    }
    size_t ones = 0, zeros = 0;
    while (ones < n && s[ones] == '1')
        ones++;
    while (zeros < 25 && out[zeros] == 0)
        zeros++;
    return ones == zeros;
}

bool bz_checksum_base58(const uint8_t *s, size_t n) {
    uint8_t raw[25], once[BZ_HASH_LEN], twice[BZ_HASH_LEN];
    if (n < 25 || n > 35 || !base58_decode(s, n, raw) || (raw[0] != 0 && raw[0] != 5))
        return false;
    bz_sha256(bz_view(raw, 21), once);
    bz_sha256(bz_view(once, sizeof once), twice);
    return bz_view_eq(bz_view(raw + 21, 4), bz_view(twice, 4));
}

/* ---- bech32 (BIP 173) and bech32m (BIP 350) ----------------------------------------------- */

static uint32_t bech32_step(uint32_t chk, uint32_t v) {
    static const uint32_t gen[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = chk >> 25;
    chk = (chk & 0x1ffffff) << 5 ^ v;
    for (size_t i = 0; i < 5; i++)
        chk ^= top >> i & 1 ? gen[i] : 0;
    return chk;
}

/* Addresses of the main network, "bc1", in one case. */
bool bz_checksum_bech32(const uint8_t *s, size_t n) {
    static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    if (n < 14 || n > 74)
        return false;
    bool upper = s[0] == 'B';
    if (memcmp(s, upper ? "BC1" : "bc1", 3) != 0)
        return false;
    uint32_t chk = 1;
    chk = bech32_step(chk, 'b' >> 5);
    chk = bech32_step(chk, 'c' >> 5);
    chk = bech32_step(chk, 0);
    chk = bech32_step(chk, 'b' & 31);
    chk = bech32_step(chk, 'c' & 31);
    for (size_t i = 3; i < n; i++) {
        uint8_t c = s[i];
        if (upper && c >= 'a' && c <= 'z')
            return false;
        c = upper && c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
        const char *at = c == '\0' ? NULL : strchr(alphabet, c);
        if (at == NULL)
            return false;
        chk = bech32_step(chk, (uint32_t)(at - alphabet));
    }
    return chk == 1 || chk == 0x2bc830a3;
}

/* ---- EIP-55: capitals by Keccak-256 of the small letters ---------------------------------- */

static uint64_t rotl(uint64_t v, unsigned by) {
    return by == 0 ? v : v << by | v >> (64 - by);
}

/* Keccak-f[1600], FIPS 202 section 3.2; lane (x, y) is a[x + 5 * y]. */
static void keccak_f(uint64_t a[25]) {
    static const uint64_t round[24] = {
        0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
        0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
        0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
        0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
        0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
        0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};
    for (size_t r = 0; r < 24; r++) {
        uint64_t c[5], b[25];
        for (size_t x = 0; x < 5; x++)
            c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
        for (size_t i = 0; i < 25; i++)
            a[i] ^= c[(i % 5 + 4) % 5] ^ rotl(c[(i % 5 + 1) % 5], 1);
        /* rho and pi: (1, 0) moves along (x, y) -> (y, 2x + 3y), turned by the triangle numbers */
        b[0] = a[0];
        size_t x = 1, y = 0;
        for (unsigned t = 0; t < 24; t++) {
            size_t nx = y, ny = (2 * x + 3 * y) % 5;
            b[nx + 5 * ny] = rotl(a[x + 5 * y], (t + 1) * (t + 2) / 2 % 64);
            x = nx;
            y = ny;
        }
        for (size_t i = 0; i < 25; i++)
            a[i] = b[i] ^ (~b[i / 5 * 5 + (i + 1) % 5] & b[i / 5 * 5 + (i + 2) % 5]);
        a[0] ^= round[r];
    }
}

/* The first 20 bytes of Keccak-256 of 40 bytes: one block of 136 with the original padding. */
static void keccak_40(const uint8_t in[40], uint8_t out[20]) {
    uint64_t a[25] = {0};
    for (size_t i = 0; i < 40; i++)
        a[i / 8] |= (uint64_t)in[i] << (8 * (i % 8));
    a[5] ^= 1;
    a[16] ^= UINT64_C(1) << 63;
    keccak_f(a);
    for (size_t i = 0; i < 20; i++)
        out[i] = (uint8_t)(a[i / 8] >> (8 * (i % 8)));
}

bool bz_checksum_eip55(const uint8_t *s, size_t n) {
    uint8_t low[40], hash[20];
    size_t lower = 0, upper = 0;
    if (n != 42 || s[0] != '0' || s[1] != 'x')
        return false;
    for (size_t i = 0; i < 40; i++) {
        uint8_t c = s[i + 2];
        bool big = c >= 'A' && c <= 'F', small = c >= 'a' && c <= 'f';
        if (!big && !small && (c < '0' || c > '9'))
            return false;
        upper += big;
        lower += small;
        low[i] = big ? (uint8_t)(c + 32) : c;
    }
    if (upper == 0 || lower == 0)
        return false;
    keccak_40(low, hash);
    for (size_t i = 0; i < 40; i++) {
        unsigned nibble = hash[i / 2] >> (i & 1 ? 0 : 4) & 15;
        bool letter = low[i] >= 'a';
        if (letter && (nibble > 7) != (s[i + 2] < 'a'))
            return false;
    }
    return true;
}
