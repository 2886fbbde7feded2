/* What the files that make readings share. A text passes three stages:
 *
 *   bytes --fold--> folded text (NFKC, look-alikes, nothing invisible; case and blanks kept)
 *                     |--lower--> the reading: lower case, blanks collapsed
 *                     `--decoders--> bytes of what is encoded in it, each again from the start
 *
 * Each stage keeps a map to the one below, a list of stretches; a stage that changes nothing has none.
 * A place is looked up through the whole chain, at most 2 * (BZ_READING_DEPTH + 1) maps. */
#ifndef INJECTION_READINGS_H
#define INJECTION_READINGS_H

#include <bartizan/injection.h>
#include <bartizan/limits.h>

/* ---- maps and texts with maps (canon_map.c) ---- */

enum stretch_kind {
    STRETCH_EVEN,  /* bytes of one side lie evenly over those of the other */
    STRETCH_WHOLE, /* any part comes from all of it */
    STRETCH_BACK,  /* evenly, last first */
};
struct stretch { /* bytes from `at` to the next one's come from n bytes at `from` */
    uint32_t at, from, n;
    enum stretch_kind kind;
};
struct bz_reading_map {
    const struct stretch *s;
    uint32_t s_n;
    uint32_t n;                         /* bytes of the text above */
    const struct bz_reading_map *under; /* NULL: the original text */
};

/* A text in the making. Failure (no memory) is latched. */
struct maker {
    struct bz_arena *ar;
    uint8_t *p;
    size_t n, cap;
    struct stretch *s;
    size_t s_n, s_cap;
    bool failed;
};
void maker_init(struct maker *m, struct bz_arena *ar, size_t expected);
/* Room for n more bytes. */
bool maker_reserve(struct maker *m, size_t n);
/* n bytes that stand in the text below at `from`, unchanged. */
void maker_same(struct maker *m, const uint8_t *p, size_t n, size_t from);
/* The same when the caller has written them at m->p + m->n already. */
void maker_took(struct maker *m, size_t n, size_t from);
/* n bytes for from_n bytes at `from`. */
void maker_put(struct maker *m, const uint8_t *p, size_t n, size_t from, size_t from_n,
               enum stretch_kind kind);
/* True when the text is that below, byte for byte. */
bool maker_is_same(const struct maker *m, size_t below_n);
/* NULL: no memory. */
const struct bz_reading_map *maker_map(struct maker *m, const struct bz_reading_map *under);

/* ---- a text on its way ---- */

struct layer {
    struct bz_view text;
    const struct bz_reading_map *map; /* NULL: it is the original */
    uint8_t how[BZ_READING_DEPTH];
    uint8_t how_n;
};
struct work {
    struct bz_arena *ar;
    struct bz_reading *r;
    size_t r_n;
    size_t left; /* bytes that may still be decoded */
    bool capped, failed;
};
/* Reads what m holds, decoded from `from` by `how`, as a text of its own. */
void work_read(struct work *w, const struct layer *from, enum bz_decoding how, struct maker *m);
/* Bytes that one decoding may give; 0: none left, and that is noted. */
size_t work_room(struct work *w, const struct layer *from);

/* ---- stages ---- */

/* canon_fold.c: *ret lives as long as the arena; the same as `in` when nothing changes. */
bool canon_fold(struct bz_arena *ar, const struct layer *in, struct layer *ret,
                uint32_t *ret_signs);
/* canon_lower.c */
bool canon_lower(struct bz_arena *ar, const struct layer *in, struct layer *ret);
/* decode.c: raw: the bytes; folded: after canon_fold. */
void decode_all(struct work *w, const struct layer *raw, const struct layer *folded,
                uint32_t signs);

#endif
