/* UTF-8 and the small text codecs. */
#ifndef BARTIZAN_TEXT_H
#define BARTIZAN_TEXT_H

#include <bartizan/buf.h>

/* Length of the longest valid UTF-8 prefix (RFC 3629: no overlongs, no surrogates, <= U+10FFFF). Vectorised for ASCII. */
size_t bz_utf8_valid(struct bz_view v);
/* Hex and base64 (standard or URL alphabet, padding optional); out must hold n/2 or n*3/4 bytes.
 * OK with *ret_n set; ESYNTAX; ETOOBIG. Not for secrets: table driven. */
enum bz_status bz_hex_decode(struct bz_view in, uint8_t *out, size_t cap, size_t *ret_n) BZ_MUST_USE;
enum bz_status bz_b64_decode(struct bz_view in, uint8_t *out, size_t cap, size_t *ret_n) BZ_MUST_USE;

#endif
