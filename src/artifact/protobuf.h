/* Walking protocol buffers without their schema: fields in order, nothing allocated.
 * Varints of at most ten bytes, no groups, every length inside its message, a budget of fields.
 * Source: protobuf.dev, "Encoding". */
#ifndef BZ_ARTIFACT_PROTOBUF_H
#define BZ_ARTIFACT_PROTOBUF_H

#include "pages.h"

enum bz_pb_wire {
    BZ_PB_VARINT = 0,
    BZ_PB_I64 = 1,
    BZ_PB_LEN = 2,
    BZ_PB_I32 = 5,
};

struct bz_pb_in { /* one file */
    struct bz_pages pages;
    uint64_t fields; /* seen */
    uint64_t fields_max;
    enum bz_status st; /* the first failure of any message: ESYNTAX, ELIMIT, or the source's */
    uint64_t bad;      /* where */
    const char *why;   /* static */
};

struct bz_pb { /* one message */
    struct bz_pb_in *in;
    uint64_t at, end;
};

struct bz_pb_field {
    uint32_t no;
    uint8_t wire; /* enum bz_pb_wire */
    uint64_t v;   /* of a number */
    uint64_t off; /* LEN: where its bytes begin; else where the field begins */
    uint64_t n;   /* LEN: how many */
};

enum bz_status bz_pb_open(struct bz_pb_in *in, struct bz_arena *ar, const struct bz_source *src,
                          uint64_t fields_max) BZ_MUST_USE;
struct bz_pb bz_pb_message(struct bz_pb_in *in, uint64_t off, uint64_t n);
/* The next field. false: the end, or `in->st` says what is wrong; then every walk has ended. */
bool bz_pb_next(struct bz_pb *m, struct bz_pb_field *ret);
/* The message in a LEN field; an empty one for other wire types. */
struct bz_pb bz_pb_sub(const struct bz_pb *m, const struct bz_pb_field *f);
/* Up to max bytes of a LEN field; they live until the next call on this file. */
struct bz_view bz_pb_peek(const struct bz_pb *m, const struct bz_pb_field *f, size_t max);
/* The same, copied to the arena. p == NULL: no memory. */
struct bz_view bz_pb_copy(const struct bz_pb *m, const struct bz_pb_field *f, size_t max,
                          struct bz_arena *ar);
bool bz_pb_is(const struct bz_pb *m, const struct bz_pb_field *f, struct bz_view text);

/* What a message of some type may hold: per field number its wire type. Ends with no == 0. */
struct bz_pb_shape {
    uint32_t no;
    uint8_t wire;
    bool packed; /* a LEN field of packed numbers is fine too */
};
/* The first `most` fields are of the shape, and one of them is in it: numbers that it does not have are
 * skipped, as parsers do. `in` is as before, also where they are not. */
bool bz_pb_shaped(struct bz_pb m, const struct bz_pb_shape *shape, uint32_t most);

#endif
