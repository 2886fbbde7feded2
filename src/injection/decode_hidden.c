/* Text in characters that nobody sees: the tag block spells ASCII, variation selectors spell bytes, two
 * kinds of zero width characters spell bits. Read from the text as it came, before they are dropped. */
#include "readings.h"

#include <bartizan/text.h>

enum { NEAR = 8, BITS_MIN = 32, SELECTORS_MIN = 4 };

/* Characters of the tag block, together where little stands between. */
static void tags(struct work *w, const struct layer *raw) {
    struct maker m;
    maker_init(&m, w, 64);
    size_t last = 0;
    size_t room = work_room(w, raw);
    for (size_t at = 0; at < raw->text.n && m.n < room && !m.failed;) {
        uint32_t cp = 0;
        const uint8_t *lead = memchr(raw->text.p + at, 0xf3, raw->text.n - at);
        if (lead == NULL)
            break;
        at = (size_t)(lead - raw->text.p);
        size_t used = bz_utf8_next(bz_view_sub(raw->text, at, 4), &cp);
        if (used == 4 && cp >= 0xe0020 && cp <= 0xe007e) {
            uint8_t c = (uint8_t)(cp - 0xe0000);
            if (m.n != 0 && at - last > NEAR)
                maker_put(&m, (const uint8_t *)" ", 1, last, at - last, STRETCH_WHOLE);
            maker_put(&m, &c, 1, at, used, STRETCH_WHOLE);
            last = at + used;
        }
        at += used == 0 ? 1 : used;
    }
    work_read(w, raw, BZ_DECODING_TAGS, &m);
}

static int selector_byte(uint32_t cp) {
    if (cp >= 0xfe00 && cp <= 0xfe0f)
        return (int)(cp - 0xfe00);
    return cp >= 0xe0100 && cp <= 0xe01ef ? (int)(cp - 0xe0100) + 16 : -1;
}

static void selectors(struct work *w, const struct layer *raw) {
    struct maker m;
    maker_init(&m, w, 64);
    size_t room = work_room(w, raw);
    size_t kept = 0;      /* of m that runs long enough have made */
    size_t stretches = 0; /* and of its map */
    for (size_t at = 0; at < raw->text.n && m.n < room && !m.failed;) {
        uint32_t cp = 0;
        size_t used = bz_utf8_next(bz_view_sub(raw->text, at, 4), &cp);
        int byte = used < 3 ? -1 : selector_byte(cp);
        if (byte >= 0) {
            uint8_t c = (uint8_t)byte;
            maker_put(&m, &c, 1, at, used, STRETCH_WHOLE);
        } else if (m.n - kept < SELECTORS_MIN) {
            m.n = kept;
            m.s_n = stretches;
        } else {
            kept = m.n;
            stretches = m.s_n;
        }
        at += used == 0 ? 1 : used;
    }
    if (m.n - kept < SELECTORS_MIN) {
        m.n = kept;
        m.s_n = stretches;
    }
    work_read(w, raw, BZ_DECODING_TAGS, &m);
}

/* 0, 1 or -1: no bit. Two pairs of characters are in use. */
static int bit_of(uint32_t cp) {
    if (cp == 0x200b || cp == 0x2062)
        return 0;
    return cp == 0x200c || cp == 0x200d || cp == 0x2063 || cp == 0x2064 ? 1 : -1;
}

/* Eight bits a byte, first the highest; runs of 32 or more. */
static void bits(struct work *w, const struct layer *raw) {
    struct maker m;
    maker_init(&m, w, 64);
    size_t room = work_room(w, raw);
    size_t run = 0;
    size_t start = 0;
    unsigned byte = 0;
    for (size_t at = 0; at < raw->text.n && m.n < room && !m.failed;) {
        uint32_t cp = 0;
        size_t used = bz_utf8_next(bz_view_sub(raw->text, at, 4), &cp);
        int bit = used == 3 ? bit_of(cp) : -1;
        at += used == 0 ? 1 : used;
        if (bit < 0) {
            run = 0;
            continue;
        }
        if (run % 8 == 0)
            start = at - 3;
        byte = (byte << 1 | (unsigned)bit) & 0xff;
        run++;
        if (run % 8 == 0) {
            uint8_t c = (uint8_t)byte;
            maker_put(&m, &c, 1, start, at - start, STRETCH_WHOLE);
        }
    }
    if (m.n >= BITS_MIN / 8)
        work_read(w, raw, BZ_DECODING_TAGS, &m);
}

void decode_hidden(struct work *w, const struct layer *raw, uint32_t signs) {
    if ((signs & BZ_SIGN_TAGS) != 0)
        tags(w, raw);
    if ((signs & SIGN_SELECTORS) != 0)
        selectors(w, raw);
    if ((signs & SIGN_BITS) != 0)
        bits(w, raw);
}
