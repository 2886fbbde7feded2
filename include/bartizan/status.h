/* Status codes of every fallible function, and where/why a parse failed.
 * Engine rooms never print, log, exit or abort: they return one of these, the caller decides. */
#ifndef BARTIZAN_STATUS_H
#define BARTIZAN_STATUS_H

#include <stddef.h>
#include <stdint.h>

#define BZ_MUST_USE __attribute__((warn_unused_result))
#define BZ_EXPORT __attribute__((visibility("default")))

/* name, text for people */
#define BZ_STATUS_TABLE(X)                                                                         \
    X(OK, "ok")                                                                                    \
    X(MORE, "more input is needed")                                                                \
    X(EINTERNAL, "internal error")                                                                 \
    X(EINVAL, "invalid argument")                                                                  \
    X(ENOMEM, "out of memory")                                                                     \
    X(ETOOBIG, "above a size limit")                                                               \
    X(ESYNTAX, "malformed input")                                                                  \
    X(EUTF8, "invalid UTF-8")                                                                      \
    X(EDUPKEY, "duplicate key")                                                                    \
    X(EDEPTH, "nested too deeply")                                                                 \
    X(ETRAILING, "bytes after the end")                                                            \
    X(ERANGE, "value out of range")                                                                \
    X(EDENIED, "not permitted")                                                                    \
    X(ENOTFOUND, "not found")                                                                      \
    X(EEXISTS, "exists already")                                                                   \
    X(EEXPIRED, "expired")                                                                         \
    X(ELIMIT, "limit reached")                                                                     \
    X(EUNAVAIL, "not available")                                                                   \
    X(ECORRUPT, "damaged data")                                                                    \
    X(EVERSION, "unknown version")                                                                 \
    X(ETIMEOUT, "timed out")                                                                       \
    X(EIO, "input/output error")

enum bz_status {
#define X(name, text) BZ_##name,
    BZ_STATUS_TABLE(X)
#undef X
        BZ_STATUS_COUNT
};

/* Text of a status, static, never NULL (also for values outside the enum). */
const char *bz_status_text(enum bz_status st);

/* Where and why an input was refused. `why` is a short static sentence without any byte of the
 * input. */
struct bz_diag {
    uint64_t offset; /* bytes from the start of the input */
    const char *why; /* static; NULL when nothing was recorded */
};

static inline void bz_diag_set(struct bz_diag *d, uint64_t offset, const char *why) {
    if (d != NULL) {
        d->offset = offset;
        d->why = why;
    }
}

/* The one macro with a hidden return. */
#define BZ_TRY(call)                                                                               \
    do {                                                                                           \
        enum bz_status bz_try_st_ = (call);                                                        \
        if (bz_try_st_ != BZ_OK)                                                                   \
            return bz_try_st_;                                                                     \
    } while (0)

#endif
