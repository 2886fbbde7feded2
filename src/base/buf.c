/* Growable writer with a maximum and a latched failure. */
#include <bartizan/buf.h>

#include <stdio.h>
#include <stdlib.h>

enum { GROW_MIN = 256 };

void bz_buf_init(struct bz_buf *b, size_t max) {
    *b = (struct bz_buf){.max = max, .st = BZ_OK};
}

void bz_buf_init_fixed(struct bz_buf *b, void *mem, size_t n) {
    *b = (struct bz_buf){.p = mem, .cap = n, .max = n, .st = BZ_OK, .fixed = true};
}

void bz_buf_free(struct bz_buf *b) {
    if (b == NULL)
        return;
    if (!b->fixed)
        free(b->p);
    *b = (struct bz_buf){.max = b->max, .st = BZ_OK};
}

void bz_buf_wipe_free(struct bz_buf *b) {
    if (b == NULL)
        return;
    if (b->p != NULL)
        explicit_bzero(b->p, b->cap);
    bz_buf_free(b);
}

void bz_buf_reset(struct bz_buf *b) {
    b->n = 0;
    b->st = BZ_OK;
}

static void latch(struct bz_buf *b, enum bz_status st) {
    if (b->st == BZ_OK)
        b->st = st;
}

bool bz_buf_grow(struct bz_buf *b, size_t n) {
    if (b->st != BZ_OK)
        return false;
    if (n <= b->cap - b->n)
        return true;
    if (b->fixed || n > b->max - b->n) {
        latch(b, BZ_ETOOBIG);
        return false;
    }
    size_t cap = b->cap < GROW_MIN / 2 ? GROW_MIN : b->cap;
    cap = cap > b->max / 2 ? b->max : cap * 2;
    if (cap < b->n + n)
        cap = b->n + n;
    /* Not realloc: bz_buf_wipe_free promises that no copy of a secret stays behind in freed
     * memory. */
    uint8_t *p = malloc(cap);
    if (p == NULL) {
        latch(b, BZ_ENOMEM);
        return false;
    }
    if (b->n != 0)
        memcpy(p, b->p, b->n);
    if (b->p != NULL)
        explicit_bzero(b->p, b->n);
    free(b->p);
    b->p = p;
    b->cap = cap;
    return true;
}

uint8_t *bz_buf_room(struct bz_buf *b, size_t n) {
    if (n == 0 || !bz_buf_reserve(b, n))
        return NULL;
    uint8_t *p = b->p + b->n;
    b->n += n;
    return p;
}

void bz_buf_put_u64(struct bz_buf *b, uint64_t v) {
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    bz_buf_put(b, bz_view(digits + at, sizeof digits - at));
}

void bz_buf_put_i64(struct bz_buf *b, int64_t v) {
    if (v < 0)
        bz_buf_putc(b, '-');
    bz_buf_put_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void bz_buf_put_hex(struct bz_buf *b, struct bz_view v) {
    static const char digit[] = "0123456789abcdef";
    size_t n = 0;
    if (__builtin_mul_overflow(v.n, (size_t)2, &n)) {
        latch(b, BZ_ETOOBIG);
        return;
    }
    uint8_t *p = bz_buf_room(b, n);
    for (size_t i = 0; p != NULL && i < v.n; i++) {
        *p++ = (uint8_t)digit[v.p[i] >> 4];
        *p++ = (uint8_t)digit[v.p[i] & 15];
    }
}

void bz_buf_put_b64(struct bz_buf *b, struct bz_view v) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    if (__builtin_mul_overflow(v.n / 3 + (v.n % 3 != 0), (size_t)4, &n)) {
        latch(b, BZ_ETOOBIG);
        return;
    }
    uint8_t *p = bz_buf_room(b, n);
    for (size_t i = 0; p != NULL && i < v.n; i += 3) {
        size_t left = v.n - i;
        uint32_t w = (uint32_t)v.p[i] << 16;
        w |= left > 1 ? (uint32_t)v.p[i + 1] << 8 : 0;
        w |= left > 2 ? (uint32_t)v.p[i + 2] : 0;
        *p++ = (uint8_t)digit[w >> 18];
        *p++ = (uint8_t)digit[w >> 12 & 63];
        *p++ = left > 1 ? (uint8_t)digit[w >> 6 & 63] : '=';
        *p++ = left > 2 ? (uint8_t)digit[w & 63] : '=';
    }
}

static void put_be(struct bz_buf *b, uint64_t v, size_t bytes) {
    uint8_t *p = bz_buf_room(b, bytes);
    for (size_t i = 0; p != NULL && i < bytes; i++)
        p[bytes - 1 - i] = (uint8_t)(v >> (8 * i));
}

void bz_buf_put_be16(struct bz_buf *b, uint16_t v) {
    put_be(b, v, 2);
}

void bz_buf_put_be64(struct bz_buf *b, uint64_t v) {
    put_be(b, v, 8);
}

void bz_buf_printf(struct bz_buf *b, const char *fmt, ...) {
    char shorts[512]; /* vsnprintf wants room for a NUL, which a full buffer does not have */
    va_list ap;
    va_list again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(shorts, sizeof shorts, fmt, ap);
    va_end(ap);
    if (n < 0) {
        latch(b, BZ_EINTERNAL);
    } else if ((size_t)n < sizeof shorts) {
        bz_buf_put(b, bz_view(shorts, (size_t)n));
    } else if (bz_buf_reserve(b, (size_t)n + 1)) {
        vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

static uint8_t *put_digits(uint8_t *p, uint64_t v, int digits) {
    for (int i = digits; i-- > 0; v /= 10)
        p[i] = (uint8_t)('0' + v % 10);
    return p + digits;
}

void bz_buf_put_time(struct bz_buf *b, uint64_t unix_ns) {
    uint64_t ms = unix_ns / 1000000;
    uint64_t sec = ms / 1000;
    /* Days to a civil date, H. Hinnant's algorithm: eras of 400 years that begin on 1 March. 2^64
     * ns end in 2554, so the year always has four digits. */
    uint64_t z = sec / 86400 + 719468;
    uint64_t era = z / 146097;
    uint64_t doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint64_t mp = (5 * doy + 2) / 153;
    uint64_t month = mp < 10 ? mp + 3 : mp - 9;
    uint64_t year = yoe + era * 400 + (month <= 2);
    uint64_t day = doy - (153 * mp + 2) / 5 + 1;
    uint8_t text[24];
    uint8_t *p = put_digits(text, year, 4);
    *p++ = '-';
    p = put_digits(p, month, 2);
    *p++ = '-';
    p = put_digits(p, day, 2);
    *p++ = 'T';
    p = put_digits(p, sec / 3600 % 24, 2);
    *p++ = ':';
    p = put_digits(p, sec / 60 % 60, 2);
    *p++ = ':';
    p = put_digits(p, sec % 60, 2);
    *p++ = '.';
    p = put_digits(p, ms % 1000, 3);
    *p++ = 'Z';
    bz_buf_put(b, bz_view(text, (size_t)(p - text)));
}
