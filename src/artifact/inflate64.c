#include "inflate64.h"

#include <string.h>

enum { LONGEST = 15, LITERALS_MAX = 286, DISTANCES_MAX = 32, LENGTH_CODES = 19 };
enum { END_OF_BLOCK = 256, FIRST_LENGTH = 257, LAST_LENGTH = 285 };
enum { NONE, STORED, CODED };

void bz_inflate64_init(struct bz_inflate64 *z, int (*byte)(void *ctx), void *ctx) {
    memset(z, 0, sizeof *z);
    z->byte = byte;
    z->ctx = ctx;
}

/* ---- bits: after the end they are zeros, and `bad` is set --------------------------------------- */

static uint32_t take_bits(struct bz_inflate64 *z, unsigned n) {
    while (z->bits_n < n) {
        int c = z->bad ? -1 : z->byte(z->ctx);
        if (c < 0) {
            z->bad = true;
            return 0;
        }
        z->bits |= (uint32_t)c << z->bits_n;
        z->bits_n += 8;
    }
    uint32_t v = z->bits & ((1u << n) - 1);
    z->bits >>= n;
    z->bits_n -= n;
    return v;
}

/* ---- codes --------------------------------------------------------------------------------------- */

/* false: more codes than there can be. Fewer are fine until one that is missing is met. */
static bool make_code(struct bz_huffman *h, const uint8_t *lengths, size_t n) {
    uint16_t first[LONGEST + 1] = {0};
    int32_t left = 1;
    memset(h->count, 0, sizeof h->count);
    for (size_t i = 0; i < n; i++)
        h->count[lengths[i]]++;
    h->count[0] = 0;
    for (size_t i = 1; i <= LONGEST; i++) {
        left = 2 * left - h->count[i];
        if (left < 0)
            return false;
        if (i < LONGEST)
            first[i + 1] = (uint16_t)(first[i] + h->count[i]);
    }
    for (size_t i = 0; i < n; i++) {
        if (lengths[i] != 0)
            h->symbol[first[lengths[i]]++] = (uint16_t)i;
    }
    return true;
}

/* The codes of one length are numbers in a row, and those of the next go on at twice the next one. */
static unsigned take_symbol(struct bz_inflate64 *z, const struct bz_huffman *h) {
    uint32_t code = 0, first = 0, before = 0;
    for (size_t i = 1; i <= LONGEST && !z->bad; i++) {
        code |= take_bits(z, 1);
        if (!z->bad && code - first < h->count[i])
            return h->symbol[before + code - first];
        before += h->count[i];
        first = (first + h->count[i]) << 1;
        code <<= 1;
    }
    z->bad = true;
    return END_OF_BLOCK;
}

static void fixed_codes(struct bz_inflate64 *z) {
    uint8_t lengths[288];
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    z->bad = z->bad || !make_code(&z->literals, lengths, sizeof lengths);
    memset(lengths, 5, DISTANCES_MAX);
    z->bad = z->bad || !make_code(&z->distances, lengths, DISTANCES_MAX);
}

/* Lengths of both codes in one run, themselves coded: 16 repeats the one before, 17 and 18 are zeros. */
static bool take_lengths(struct bz_inflate64 *z, uint8_t *lengths, size_t n) {
    for (size_t i = 0; i < n && !z->bad;) {
        unsigned symbol = take_symbol(z, &z->literals), repeat = 1;
        uint8_t value = symbol < 16 ? (uint8_t)symbol : 0;
        if (symbol == 16) {
            if (i == 0)
                return false;
            value = lengths[i - 1];
            repeat = 3 + take_bits(z, 2);
        } else if (symbol == 17) {
            repeat = 3 + take_bits(z, 3);
        } else if (symbol == 18) {
            repeat = 11 + take_bits(z, 7);
        }
        if (repeat > n - i)
            return false;
        memset(lengths + i, value, repeat);
        i += repeat;
    }
    return !z->bad;
}

static bool own_codes(struct bz_inflate64 *z) {
    static const uint8_t order[LENGTH_CODES] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[LITERALS_MAX + DISTANCES_MAX] = {0};
    size_t literals = take_bits(z, 5) + 257, distances = take_bits(z, 5) + 1;
    size_t codes = take_bits(z, 4) + 4;
    if (literals > LITERALS_MAX)
        return false;
    for (size_t i = 0; i < codes; i++)
        lengths[order[i]] = (uint8_t)take_bits(z, 3);
    if (z->bad || !make_code(&z->literals, lengths, LENGTH_CODES))
        return false;
    memset(lengths, 0, LENGTH_CODES);
    return take_lengths(z, lengths, literals + distances) && lengths[END_OF_BLOCK] != 0 &&
           make_code(&z->literals, lengths, literals) &&
           make_code(&z->distances, lengths + literals, distances);
}

/* ---- blocks -------------------------------------------------------------------------------------- */

static void begin_stored(struct bz_inflate64 *z) {
    (void)take_bits(z, z->bits_n); /* to the next whole byte */
    uint32_t n = take_bits(z, 16), complement = take_bits(z, 16);
    z->bad = z->bad || (n ^ complement) != 0xffff;
    z->stored = n;
    z->block = STORED;
}

static void begin_block(struct bz_inflate64 *z) {
    z->last = take_bits(z, 1) != 0;
    switch (take_bits(z, 2)) {
    case 0:
        begin_stored(z);
        return;
    case 1:
        fixed_codes(z);
        break;
    case 2:
        z->bad = z->bad || !own_codes(z);
        break;
    default:
        z->bad = true;
        break;
    }
    z->block = CODED;
}

static void begin_match(struct bz_inflate64 *z, unsigned symbol) {
    static const struct {
        uint8_t base, bits;
    } lengths[] = {{3, 0},   {4, 0},   {5, 0},   {6, 0},   {7, 0},  {8, 0},  {9, 0},  {10, 0},
                   {11, 1},  {13, 1},  {15, 1},  {17, 1},  {19, 2}, {23, 2}, {27, 2}, {31, 2},
                   {35, 3},  {43, 3},  {51, 3},  {59, 3},  {67, 4}, {83, 4}, {99, 4}, {115, 4},
                   {131, 5}, {163, 5}, {195, 5}, {227, 5}, {3, 16}};
    if (symbol > LAST_LENGTH) {
        z->bad = true;
        return;
    }
    size_t i = symbol - FIRST_LENGTH;
    z->length = lengths[i].base + take_bits(z, lengths[i].bits);
    unsigned far = take_symbol(z, &z->distances);
    if (z->bad || far >= DISTANCES_MAX) {
        z->bad = true;
        return;
    }
    unsigned bits = far < 4 ? 0 : far / 2 - 1; /* 1, 2, 3, 4, then two codes for each doubling */
    uint32_t base = far < 4 ? far + 1 : ((2 + (far & 1)) << bits) + 1;
    z->distance = base + take_bits(z, bits);
    z->bad = z->bad || z->distance > z->filled;
}

static uint8_t put(struct bz_inflate64 *z, uint8_t byte) {
    z->window[z->at] = byte;
    z->at = (z->at + 1) % BZ_INFLATE64_WINDOW;
    z->filled += z->filled < BZ_INFLATE64_WINDOW;
    return byte;
}

/* One byte of what was begun; false: none came, look again. */
static bool step(struct bz_inflate64 *z, uint8_t *out) {
    if (z->length > 0) {
        z->length--;
        *out = put(z, z->window[(z->at - z->distance) % BZ_INFLATE64_WINDOW]);
        return true;
    }
    if (z->block == STORED && z->stored > 0) {
        uint8_t byte = (uint8_t)take_bits(z, 8);
        z->stored--;
        *out = z->bad ? 0 : put(z, byte);
        return !z->bad;
    }
    unsigned symbol = z->block == CODED ? take_symbol(z, &z->literals) : END_OF_BLOCK;
    if (symbol < END_OF_BLOCK) {
        *out = put(z, (uint8_t)symbol);
        return true;
    }
    if (symbol > END_OF_BLOCK)
        begin_match(z, symbol);
    else if (z->block != NONE && z->last)
        z->ended = true;
    else if (!z->bad)
        begin_block(z);
    return false;
}

enum bz_status bz_inflate64_read(struct bz_inflate64 *z, uint8_t *out, size_t n, size_t *ret_n,
                                 bool *ret_end) {
    size_t done = 0;
    while (done < n && !z->ended && !z->bad)
        done += step(z, out + done) ? 1 : 0;
    *ret_n = done;
    *ret_end = z->ended && !z->bad;
    return z->bad ? BZ_ECORRUPT : BZ_OK;
}
