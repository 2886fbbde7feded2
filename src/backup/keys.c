/* Keys as text, and the keys of an instance. */
#include <bartizan/backup.h>

enum { SUM = 4, RAW = BZ_KEY_LEN + SUM, PREFIX = 4 };

static const char *const prefixes[BZ_BACKUP_KEY_KIND_COUNT] = {"bzr1", "bzk1", "bzs1"};
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648, lower case */

static void checksum(const char *prefix, const uint8_t key[BZ_KEY_LEN], uint8_t out[SUM]) {
    uint8_t in[PREFIX + BZ_KEY_LEN], full[BZ_HASH_LEN];
    memcpy(in, prefix, PREFIX);
    memcpy(in + PREFIX, key, BZ_KEY_LEN);
    bz_sha256(bz_view(in, sizeof in), full);
    memcpy(out, full, SUM);
    bz_wipe(in, sizeof in);
    bz_wipe(full, sizeof full);
}

void bz_backup_key_text(enum bz_backup_key_kind kind, const uint8_t key[BZ_KEY_LEN],
                        char out[BZ_BACKUP_KEY_TEXT + 1]) {
    uint8_t raw[RAW];
    uint32_t bits = 0, have = 0;
    size_t n = PREFIX;
    memcpy(raw, key, BZ_KEY_LEN);
    checksum(prefixes[kind], key, raw + BZ_KEY_LEN);
    memcpy(out, prefixes[kind], PREFIX);
    for (size_t i = 0; i < RAW; i++) {
        bits = (bits << 8 | raw[i]) & 0xffff;
        for (have += 8; have >= 5; have -= 5)
            out[n++] = alphabet[bits >> (have - 5) & 31];
    }
    out[n++] = alphabet[bits << (5 - have) & 31];
    out[n] = '\0';
    bz_wipe(raw, sizeof raw);
    bz_wipe(&bits, sizeof bits);
}

static bool letter(uint8_t c, uint32_t *ret) {
    if (c >= 'a' && c <= 'z')
        *ret = c - (uint32_t)'a';
    else if (c >= '2' && c <= '7')
        *ret = 26 + c - (uint32_t)'2';
    else
        return false;
    return true;
}

enum bz_status bz_backup_key_parse(struct bz_view text, enum bz_backup_key_kind kind,
                                   uint8_t ret[BZ_KEY_LEN]) {
    uint8_t raw[RAW], sum[SUM];
    uint32_t bits = 0, have = 0;
    size_t n = 0;
    if (text.n != BZ_BACKUP_KEY_TEXT || !bz_view_starts(text, bz_view(prefixes[kind], PREFIX)))
        return BZ_ESYNTAX;
    for (size_t i = PREFIX; i < text.n; i++) {
        uint32_t v = 0;
        if (!letter(text.p[i], &v))
            return BZ_ESYNTAX;
        bits = (bits << 5 | v) & 0xffff;
        have += 5;
        if (have >= 8) {
            have -= 8;
            raw[n++] = (uint8_t)(bits >> have);
        }
    }
    /* 58 letters hold two bits more than the key: one text per key */
    enum bz_status st = (bits & ((1u << have) - 1)) != 0 ? BZ_ESYNTAX : BZ_OK;
    checksum(prefixes[kind], raw, sum);
    if (st == BZ_OK && !bz_ct_equal(bz_view(sum, SUM), bz_view(raw + BZ_KEY_LEN, SUM)))
        st = BZ_ECORRUPT;
    if (st == BZ_OK)
        memcpy(ret, raw, BZ_KEY_LEN);
    bz_wipe(raw, sizeof raw);
    return st;
}

void bz_backup_keys(const uint8_t master[BZ_KEY_LEN], struct bz_backup_keys *ret) {
    uint8_t seed[BZ_KEY_LEN];
    bz_subkey(master, "bkpnames", 1, ret->name_key);
    bz_subkey(master, "bkpindex", 1, ret->index_key);
    bz_subkey(master, "bkpsign_", 1, seed);
    bz_sign_keypair_of(seed, ret->sign_pub, ret->sign_sec);
    bz_wipe(seed, sizeof seed);
}
