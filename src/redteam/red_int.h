/* What the files of this room share. */
#ifndef BZ_RED_INT_H
#define BZ_RED_INT_H

#include <stdio.h>
#include <bartizan/crypto.h>
#include <bartizan/json.h>
#include <bartizan/limits.h>
#include <bartizan/redteam.h>
#include <bartizan/text.h>

/* Room for one more at the end of an array in an arena; NULL: no memory, or `most` are there. */
void *red_grow(struct bz_arena *ar, void *v, size_t n, size_t *cap, size_t size, size_t most);
/* Lines of a text that are JSON objects; empty ones and those that begin with '#' are left out. */
typedef enum bz_status red_line_fn(void *ctx, const struct bz_json *line, struct bz_red_error *err);
enum bz_status red_lines(struct bz_view text, struct bz_arena *ar, red_line_fn *fn, void *ctx,
                         struct bz_red_error *err) BZ_MUST_USE;
void red_fail(struct bz_red_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Only members that `known` names (NULL-terminated). */
bool red_members(const struct bz_json *o, const char *const *known, struct bz_red_error *err);

/* A memory of ours for texts that are made on the way. */
void red_text_init(struct bz_buf *b);

/* ops.c: by name; SIZE_MAX: there is none. */
size_t red_op_find(const char *name);
/* What is said before a text that a model has to decode; "" for others. */
const char *red_op_carrier(size_t op);

/* model_write.c: one reply in pieces that a dialect can carry. */
struct red_say {
    struct bz_view text, reasoning;
    struct bz_view call, arguments; /* an allowed call; name empty: none */
    struct bz_view second, second_arguments;
    struct bz_view legacy, legacy_arguments;
    uint8_t cut;
    uint32_t salt;
};
void red_write_reply(enum bz_red_dialect d, bool stream, const struct red_say *s,
                     struct bz_buf *out);

/* decode.c: every reading of a text, `depth` decodings within each other. fn: false ends it. */
typedef bool red_reading_fn(void *ctx, struct bz_view reading, const char *how);
enum bz_status red_readings(struct bz_view text, unsigned depth, red_reading_fn *fn,
                            void *ctx) BZ_MUST_USE;

#endif
