/* Cursor over hostile bytes with a latched error: after the first bad read every read gives 0 and
 * does not move, so a parser reads like its format and asks bz_rd_ok once. */
#ifndef BARTIZAN_RD_H
#define BARTIZAN_RD_H

#include <bartizan/view.h>

struct bz_rd {
    const uint8_t *p;
    size_t n;   /* bytes left */
    size_t off; /* consumed since init; for diagnostics */
    enum bz_status st;
};

void bz_rd_init(struct bz_rd *r, struct bz_view v);
uint8_t bz_rd_u8(struct bz_rd *r);
uint16_t bz_rd_le16(struct bz_rd *r);
uint32_t bz_rd_le32(struct bz_rd *r);
uint64_t bz_rd_le64(struct bz_rd *r);
uint16_t bz_rd_be16(struct bz_rd *r);
uint64_t bz_rd_be64(struct bz_rd *r);
/* The next n bytes as a view into the input (empty and latched when they are not there). */
struct bz_view bz_rd_take(struct bz_rd *r, size_t n);
/* A child reader confined to the next n bytes. */
struct bz_rd bz_rd_sub(struct bz_rd *r, size_t n);
/* A 32-bit little-endian count that must fit in what remains at min_item bytes each; 0 and ERANGE
 * otherwise. */
uint32_t bz_rd_count(struct bz_rd *r, size_t min_item);
void bz_rd_fail(struct bz_rd *r, enum bz_status st); /* latches; the first one stays */
bool bz_rd_ok(const struct bz_rd *r);
/* OK only if nothing failed and nothing is left (ETRAILING). */
enum bz_status bz_rd_end(const struct bz_rd *r);

#endif
