/* What takes the place of a value: made from it by keyed hashes, so that the same value has the same
 * placeholder wherever it stands in a conversation, and nobody without the key can tell one value's
 * from another's. */
#include <bartizan/vault.h>

enum { TYPE_TEXT_MAX = 40, TAG_TEXT = 8, VALUE_HASHED_MAX = 512 };

static const char base32[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* no l, o, 0, 1 */

/* Texts of any length come down to one key per use: length first, so that no two lists of parts
 * read the same. */
static void derive(const uint8_t key[BZ_KEY_LEN], const char *use, struct bz_view a,
                   struct bz_view b, uint8_t out[BZ_KEY_LEN]) {
    uint8_t mem[3 * BZ_HASH_LEN], one[BZ_HASH_LEN];
    struct bz_buf parts;
    bz_buf_init_fixed(&parts, mem, sizeof mem);
    bz_keyed_hash(key, bz_view_str(use), one);
    bz_buf_put(&parts, bz_view(one, sizeof one));
    bz_keyed_hash(key, a, one);
    bz_buf_put(&parts, bz_view(one, sizeof one));
    bz_keyed_hash(key, b, one);
    bz_buf_put(&parts, bz_view(one, sizeof one));
    bz_keyed_hash(key, bz_buf_view(&parts), out);
    bz_wipe(mem, sizeof mem);
    bz_wipe(one, sizeof one);
}

void bz_vault_scope(const uint8_t vault_key[BZ_KEY_LEN], struct bz_view owner,
                    struct bz_view key_id, struct bz_view conversation,
                    struct bz_vault_scope *ret) {
    uint8_t scope[BZ_KEY_LEN];
    struct bz_view none = {NULL, 0};
    bool named = conversation.n != 0;
    derive(vault_key, named ? "conversation" : "key", owner, named ? conversation : key_id, scope);
    derive(scope, "name", none, none, ret->name_key);
    derive(scope, "seal", none, none, ret->seal_key);
    derive(scope, "text", none, none, ret->text_key);
    bz_wipe(scope, sizeof scope);
}

static void put_type(struct bz_buf *out, struct bz_view type) {
    for (size_t i = 0; i < type.n && i < TYPE_TEXT_MAX; i++) {
        uint8_t c = type.p[i];
        if (c >= 'a' && c <= 'z')
            c = (uint8_t)(c - 'a' + 'A');
        bool plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bz_buf_putc(out, plain ? c : '_');
    }
}

void bz_placeholder(const struct bz_vault_scope *s, struct bz_view type, struct bz_view value,
                    struct bz_buf *out) {
    uint8_t tag[BZ_HASH_LEN];
    derive(s->text_key, "tag", type, value, tag);
    bz_buf_putc(out, '<');
    put_type(out, type);
    bz_buf_putc(out, '_');
    for (size_t i = 0; i < TAG_TEXT; i++)
        bz_buf_putc(out, (uint8_t)base32[tag[i] & 31]);
    bz_buf_putc(out, '>');
}

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* ISO/IEC 7812-1: sum of the digits, every second from the right doubled, modulo 10. */
static unsigned luhn(struct bz_view v) {
    unsigned sum = 0, place = 0;
    for (size_t i = v.n; i-- > 0;) {
        if (!is_digit(v.p[i]))
            continue;
        unsigned d = (unsigned)(v.p[i] - '0') << (place++ & 1);
        sum += d > 9 ? d - 9 : d;
    }
    return sum % 10;
}

static void keep_luhn(struct bz_view value, uint8_t *made) {
    size_t last = value.n;
    for (size_t i = 0; i < value.n; i++)
        if (is_digit(value.p[i]))
            last = i;
    if (last == value.n || luhn(value) != 0)
        return;
    unsigned off = luhn(bz_view(made, value.n));
    made[last] = (uint8_t)('0' + (unsigned)(made[last] - '0' + 10 - (int)off) % 10);
}

static uint8_t like(uint8_t c, uint8_t random, bool letters) {
    if (is_digit(c))
        return (uint8_t)('0' + random % 10);
    if (!letters || !is_letter(c))
        return c;
    return (uint8_t)((c >= 'a' ? 'a' : 'A') + random % 26);
}

bool bz_surrogate(const struct bz_vault_scope *s, struct bz_view value, unsigned attempt,
                  struct bz_buf *out) {
    uint8_t number[2] = {(uint8_t)attempt, (uint8_t)(attempt >> 8)};
    size_t places = 0;
    for (size_t i = 0; i < value.n; i++)
        places += is_digit(value.p[i]) || is_letter(value.p[i]);
    if (places < BZ_SURROGATE_MIN || value.n > VALUE_HASHED_MAX)
        return false;
    uint8_t *p = bz_buf_room(out, value.n);
    uint8_t seed[BZ_KEY_LEN], block[BZ_KEY_LEN];
    if (p == NULL)
        return true; /* latched in out */
    derive(s->text_key, "form", bz_view(number, sizeof number), value, seed);
    for (size_t i = 0; i < value.n; i++) {
        if (i % sizeof block == 0)
            bz_subkey(seed, "surrogat", i / sizeof block, block);
        p[i] = like(value.p[i], block[i % sizeof block], attempt < BZ_SURROGATE_LETTERS);
    }
    keep_luhn(value, p);
    bz_wipe(seed, sizeof seed);
    bz_wipe(block, sizeof block);
    return true;
}
