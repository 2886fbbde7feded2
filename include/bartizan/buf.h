/* Growable byte writer that is born with its maximum. A failure is latched: after the first one
 * every put is a no-op and bz_buf_status tells what happened, so a writer reads like the format it
 * writes. Heap memory, freed by bz_buf_free. A zeroed struct is not valid: call bz_buf_init or
 * bz_buf_init_fixed. */
#ifndef BARTIZAN_BUF_H
#define BARTIZAN_BUF_H

#include <stdarg.h>
#include <bartizan/view.h>

struct bz_buf {
    uint8_t *p;
    size_t n;   /* bytes written */
    size_t cap; /* bytes allocated */
    size_t max; /* never grows beyond */
    enum bz_status st;
    bool fixed; /* memory belongs to the caller, never grows, never freed */
};

void bz_buf_init(struct bz_buf *b, size_t max);
/* Writes into caller memory; ETOOBIG is latched when it is full. */
void bz_buf_init_fixed(struct bz_buf *b, void *mem, size_t n);
void bz_buf_free(struct bz_buf *b);      /* b may be NULL; b is reusable after init */
void bz_buf_wipe_free(struct bz_buf *b); /* overwrites the memory first */
void bz_buf_reset(struct bz_buf *b);     /* n = 0, status OK, memory kept */

static inline void bz_buf_put(struct bz_buf *b, struct bz_view v);
static inline void bz_buf_putc(struct bz_buf *b, uint8_t c);
static inline void bz_buf_puts(struct bz_buf *b, const char *s);
void bz_buf_put_u64(struct bz_buf *b, uint64_t v); /* decimal */
void bz_buf_put_i64(struct bz_buf *b, int64_t v);  /* decimal */
void bz_buf_put_hex(struct bz_buf *b, struct bz_view v);
void bz_buf_put_b64(struct bz_buf *b, struct bz_view v); /* standard alphabet, padded */
static inline void bz_buf_put_le16(struct bz_buf *b, uint16_t v);
static inline void bz_buf_put_le32(struct bz_buf *b, uint32_t v);
static inline void bz_buf_put_le64(struct bz_buf *b, uint64_t v);
void bz_buf_put_be16(struct bz_buf *b, uint16_t v);
void bz_buf_put_be64(struct bz_buf *b, uint64_t v);
/* Formatted text of our own making only (never a format from outside). Text of 512 bytes or more
 * needs one byte more than it has. */
void bz_buf_printf(struct bz_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* RFC 3339 UTC with milliseconds, "2026-11-22T10:11:12.345Z", from ns since the epoch. */
void bz_buf_put_time(struct bz_buf *b, uint64_t unix_ns);
/* Room for n bytes to be filled in by the caller, or NULL (failure latched). n == 0 gives NULL and
 * latches nothing. */
uint8_t *bz_buf_room(struct bz_buf *b, size_t n);
bool bz_buf_grow(struct bz_buf *b, size_t n); /* slow path of bz_buf_reserve */
/* Makes sure that n more bytes fit without counting them as written: the caller fills b->p + b->n
 * and adds to b->n itself. False when they do not (failure latched). */
static inline bool bz_buf_reserve(struct bz_buf *b, size_t n) {
    return (b->st == BZ_OK && n <= b->cap - b->n) || bz_buf_grow(b, n);
}
/* Appends text from outside for a terminal or log line: control, DEL, C1, bidi controls, invisible
 * code points and invalid UTF-8 come out as \xNN or \u{NNNN}; a backslash is doubled. */
void bz_put_safe(struct bz_buf *b, struct bz_view v);
/* Words of a text in UTF-8 that needs no escaping any more, parted by single blanks. The first word goes to
 * column `col`, where the caller stands; a word that would end behind column `width` begins a new line of
 * `indent` blanks, unless it is the first of its line. No line end after the last. O(text.n). */
void bz_buf_put_wrapped(struct bz_buf *b, size_t col, size_t indent, size_t width,
                        struct bz_view text);

static inline void bz_buf_put(struct bz_buf *b, struct bz_view v) {
    if (v.n != 0 && bz_buf_reserve(b, v.n)) {
        memcpy(b->p + b->n, v.p, v.n);
        b->n += v.n;
    }
}
static inline void bz_buf_putc(struct bz_buf *b, uint8_t c) {
    if (bz_buf_reserve(b, 1))
        b->p[b->n++] = c;
}
static inline void bz_buf_puts(struct bz_buf *b, const char *s) {
    bz_buf_put(b, bz_view_str(s));
}
/* Byte shifts; the compiler makes one store of them. */
static inline void bz_buf_put_le16(struct bz_buf *b, uint16_t v) {
    if (!bz_buf_reserve(b, 2))
        return;
    uint8_t *p = b->p + b->n;
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    b->n += 2;
}
static inline void bz_buf_put_le32(struct bz_buf *b, uint32_t v) {
    if (!bz_buf_reserve(b, 4))
        return;
    uint8_t *p = b->p + b->n;
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
    b->n += 4;
}
static inline void bz_buf_put_le64(struct bz_buf *b, uint64_t v) {
    if (!bz_buf_reserve(b, 8)) /* all or nothing */
        return;
    bz_buf_put_le32(b, (uint32_t)v);
    bz_buf_put_le32(b, (uint32_t)(v >> 32));
}

static inline struct bz_view bz_buf_view(const struct bz_buf *b) {
    return (struct bz_view){b->p, b->n};
}
static inline enum bz_status bz_buf_status(const struct bz_buf *b) {
    return b->st;
}

#endif
