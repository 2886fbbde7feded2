/* Deflate64, method 9 of ZIP and a coder of 7z: deflate with a window of 64 KiB, two more distances, and
 * a last length that is followed by 16 bits. zlib does not read it. */
#ifndef BZ_ARTIFACT_INFLATE64_H
#define BZ_ARTIFACT_INFLATE64_H

#include <bartizan/status.h>

#include <stdbool.h>

#define BZ_INFLATE64_WINDOW 65536u

struct bz_huffman { /* a canonical code: how many codes of each length, symbols in their order */
    uint16_t count[16];
    uint16_t symbol[288];
};

struct bz_inflate64 {
    int (*byte)(void *ctx); /* the next byte of the stream, -1 behind its end */
    void *ctx;
    uint32_t bits, bits_n; /* taken from the stream, not used yet: fewer than 8 between symbols */
    bool bad, last, ended;
    uint8_t block;             /* of which kind the current one is; 0: between blocks */
    uint32_t stored;           /* bytes left of a stored block */
    uint32_t length, distance; /* what is left of a match */
    uint32_t at, filled;       /* in the window; how much of it holds something */
    struct bz_huffman literals, distances;
    uint8_t window[BZ_INFLATE64_WINDOW];
};

/* `byte` and its context outlive `z`. Reads nothing yet. */
void bz_inflate64_init(struct bz_inflate64 *z, int (*byte)(void *ctx), void *ctx);
/* Up to n bytes; fewer only where the stream ends, which is when *ret_end is set. It takes no byte
 * behind the stream's end. ECORRUPT: damaged or cut short there; what came before was written.
 * Source: RFC 1951 and, for what differs, APPNOTE 4.4.5. Cost: O(bytes in + n), no allocation. */
enum bz_status bz_inflate64_read(struct bz_inflate64 *z, uint8_t *out, size_t n, size_t *ret_n,
                                 bool *ret_end) BZ_MUST_USE;

#endif
