/* Writes protocol buffers for tests: messages inside out, each in a buffer of its own. */
#ifndef BZ_PB_WRITE_H
#define BZ_PB_WRITE_H

#include <bartizan/buf.h>

struct pbw {
    uint8_t mem[4096];
    size_t n;
};

static inline struct pbw pb_raw(const void *p, size_t n) {
    struct pbw w = {.n = n};
    memcpy(w.mem, p, n);
    return w;
}

static inline void pb_var(struct pbw *w, uint64_t v) {
    do {
        w->mem[w->n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        v >>= 7;
    } while (v != 0);
}

static inline void pb_int(struct pbw *w, uint32_t no, uint64_t v) {
    pb_var(w, (uint64_t)no << 3);
    pb_var(w, v);
}

static inline void pb_f32(struct pbw *w, uint32_t no) {
    static const uint8_t zero[4];
    pb_var(w, (uint64_t)no << 3 | 5);
    memcpy(w->mem + w->n, zero, 4);
    w->n += 4;
}

static inline void pb_bytes(struct pbw *w, uint32_t no, const void *p, size_t n) {
    pb_var(w, (uint64_t)no << 3 | 2);
    pb_var(w, n);
    memcpy(w->mem + w->n, p, n);
    w->n += n;
}

static inline void pb_text(struct pbw *w, uint32_t no, const char *s) {
    pb_bytes(w, no, s, strlen(s));
}

static inline void pb_msg(struct pbw *w, uint32_t no, const struct pbw *sub) {
    pb_bytes(w, no, sub->mem, sub->n);
}

static inline struct bz_view pb_view(const struct pbw *w) {
    return bz_view(w->mem, w->n);
}

#endif
