/* UTF-8 and the small text codecs. */
#ifndef BARTIZAN_TEXT_H
#define BARTIZAN_TEXT_H

#include <bartizan/buf.h>

/* Length of the longest valid UTF-8 prefix (RFC 3629: no overlongs, no surrogates, <= U+10FFFF).
 * Vectorised for ASCII. */
size_t bz_utf8_valid(struct bz_view v);
/* The first code point of v; its length in bytes, or 0 when v is empty or does not begin with valid
 * UTF-8. */
size_t bz_utf8_next(struct bz_view v, uint32_t *ret_cp);
/* Writes a code point (a scalar value, not checked) as UTF-8; 1 to 4 bytes. */
size_t bz_utf8_encode(uint32_t cp, uint8_t out[4]);
/* Hex and base64 (standard or URL alphabet, padding optional, no blanks, no stray bits at the end);
 * out must hold n/2 or n*3/4 bytes (ETOOBIG otherwise). OK with *ret_n set; ESYNTAX; ETOOBIG. Not
 * for secrets: table driven. */
enum bz_status bz_hex_decode(struct bz_view in, uint8_t *out, size_t cap,
                             size_t *ret_n) BZ_MUST_USE;
enum bz_status bz_b64_decode(struct bz_view in, uint8_t *out, size_t cap,
                             size_t *ret_n) BZ_MUST_USE;

#endif
