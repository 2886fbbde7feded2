/* Pickles by hand: opcodes are put one after the other, nothing is ever loaded. */
#ifndef BZ_PICKLE_BUILD_H
#define BZ_PICKLE_BUILD_H

#include "scan_mem.h"

#include <bartizan/buf.h>

#define PK_PAYLOAD "\x8c\x04mark\x85R" /* calls what lies on the stack with ("mark",) */

static inline void pk_short(struct bz_buf *b, const char *text) { /* SHORT_BINUNICODE */
    bz_buf_putc(b, 0x8c);
    bz_buf_putc(b, (uint8_t)strlen(text));
    bz_buf_puts(b, text);
}

static inline void pk_global(struct bz_buf *b, const char *module, const char *name) {
    bz_buf_putc(b, 'c');
    bz_buf_puts(b, module);
    bz_buf_putc(b, '\n');
    bz_buf_puts(b, name);
    bz_buf_putc(b, '\n');
}

static inline void pk_int4(struct bz_buf *b, char op, uint32_t n) {
    bz_buf_putc(b, (uint8_t)op);
    bz_buf_put_le32(b, n);
}

static inline void pk_is_clean(struct bz_view v, const char *what) {
    struct scanned s = scan_mem(v);
    assert_int_equal(s.st, BZ_OK);
    if (s.r.verdict != BZ_SCAN_CLEAN) {
        scan_mem_print(&s);
        fail_msg("not clean: %s", what);
    }
    scan_mem_done(&s);
}

static inline void pk_has_verdict(struct bz_view v, const char *id, enum bz_scan_verdict verdict,
                                  const char *what) {
    struct scanned s = scan_mem(v);
    assert_int_equal(s.st, BZ_OK);
    if ((id != NULL && scan_mem_has(&s, id) == NULL) || s.r.verdict != verdict) {
        scan_mem_print(&s);
        fail_msg("%s: %s was not found, or verdict %d is not %d", what, id == NULL ? "" : id,
                 s.r.verdict, verdict);
    }
    scan_mem_done(&s);
}

static inline void pk_has(struct bz_view v, const char *id, const char *what) {
    pk_has_verdict(v, id, BZ_SCAN_FINDINGS, what);
}

static inline void pk_has_not(struct bz_view v, const char *id, const char *what) {
    struct scanned s = scan_mem(v);
    assert_int_equal(s.st, BZ_OK);
    if (scan_mem_has(&s, id) != NULL) {
        scan_mem_print(&s);
        fail_msg("%s: %s was found", what, id);
    }
    scan_mem_done(&s);
}

#endif
