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

enum { STRETCHES_MAX = 1 << 17 }; /* 2 MiB */

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

struct work;
/* A text in the making. Failure (no memory) is latched. */
struct maker {
    struct work *w;
    uint8_t *p;
    size_t n, cap;
    struct stretch *s;
    size_t s_n, s_cap;
    bool changed; /* by maker_put */
    bool failed;
};
void maker_init(struct maker *m, struct work *w, size_t expected);
/* Room for n more bytes. */
bool maker_reserve(struct maker *m, size_t n);
/* n bytes that stand in the text below at `from`, unchanged. */
void maker_same(struct maker *m, const uint8_t *p, size_t n, size_t from);
/* The same when the caller has written them at m->p + m->n already. */
void maker_took(struct maker *m, size_t n, size_t from);
/* n bytes for from_n bytes at `from`. When a text has changed in more places than STRETCHES_MAX, the last
 * stretch takes what follows: places are coarser then, never wrong. */
void maker_put(struct maker *m, const uint8_t *p, size_t n, size_t from, size_t from_n,
               enum stretch_kind kind);
/* True when every byte stands where it stands in the text below, changed or not: no map is needed. */
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
    size_t left;  /* bytes that may still be decoded */
    size_t alone; /* lines of base64 before this are not joined; of the text that is decoded now */
    size_t stretches; /* that may still be kept, all maps together */
    bool capped, failed;
};
/* Reads what m holds, decoded from `from` by `how`, as a text of its own. */
void work_read(struct work *w, const struct layer *from, enum bz_decoding how, struct maker *m);
/* Bytes that one decoding may give; 0: none left, and that is noted. */
size_t work_room(struct work *w, const struct layer *from);

/* ---- stages ---- */

/* canon_fold.c: *ret lives as long as the arena; the same as `in` when nothing changes. */
bool canon_fold(struct work *w, const struct layer *in, struct layer *ret, uint32_t *ret_signs);
/* canon_lower.c */
bool canon_lower(struct work *w, const struct layer *in, struct layer *ret);
/* decode.c: raw: the bytes; folded: after canon_fold. */
void decode_all(struct work *w, const struct layer *raw, const struct layer *folded,
                uint32_t signs);

/* Found by canon_fold, for the decoders alone; bz_reading.signs has the low sixteen bits. */
#define SIGN_SELECTORS (1u << 16) /* variation selectors in a row: bytes */
#define SIGN_BITS (1u << 17)      /* unseen characters of two kinds in a row: bits */
#define SIGN_RIGHT_TO_LEFT (1u << 18)

/* ---- parts of a text that one decoder takes together ---- */

enum { PARTS_MAX = 12, PART_NEAR = 256, PART_AROUND = 1024 };
struct parts {
    struct part {
        size_t from, to;
    } v[PARTS_MAX];
    size_t n;
};
/* Bytes [from, to), at or behind all that came before; close ones become one, and so do the last ones
 * when there are too many. */
void parts_add(struct parts *p, size_t from, size_t to);
/* Each part grown to whole lines, PART_AROUND bytes at most; to words beyond that. */
void parts_widen(struct parts *p, struct bz_view text);

/* ---- decoders: bytes [from, to) of `text` into m ---- */

typedef void decoder(struct maker *m, struct bz_view text, size_t from, size_t to);
decoder decode_rot13, decode_reversed, decode_words_reversed; /* decode_words.c */
decoder decode_leet, decode_accents, decode_spaced;           /* decode_words.c */
void decode_parts(struct work *w, const struct layer *from, enum bz_decoding how, struct parts *p,
                  decoder *d);
/* Looks for &...;, %XX, \u; reads what surrounds them, all kinds decoded at once. decode_inline.c */
void decode_inline(struct work *w, const struct layer *folded);
/* The run of base64 or hex that byte `at` lies in; returns where to go on. decode_base64.c */
size_t decode_run(struct work *w, const struct layer *folded, size_t at);
/* Bytes of two digits from `at` on, with signs or blanks between. */
size_t decode_pairs(struct work *w, const struct layer *folded, size_t at);
/* Characters that nobody sees and that spell something. decode_hidden.c */
void decode_hidden(struct work *w, const struct layer *raw, uint32_t signs);

/* ---- words that show that a text is disguised (decode_keys.c) ---- */

struct keys { /* what words of the list are in disguise: a filter before the list */
    uint64_t bits[512];
};
void keys_init(struct keys *k);
/* Whether a word begins as one of the list does: its first six bytes (all of five), lower case, the
 * first one lowest. */
bool keys_list(uint64_t six);
uint64_t keys_of(const uint8_t *p, size_t n); /* n >= 5 */
uint64_t keys_rot13(uint64_t six);

/* First six letters in ROT13; last six backwards, in ROT13 or not. */
enum keys_as { KEYS_ROT13, KEYS_BACK };
static inline uint64_t keys_hash(uint64_t six, enum keys_as as) {
    return six * (as == KEYS_BACK ? UINT64_C(0xd6e8feb86659fd93) : UINT64_C(0x9e3779b97f4a7c15));
}
/* Two bits of one place of the filter. */
static inline uint64_t keys_mask(uint64_t h) {
    return UINT64_C(1) << (h >> 49 & 63) | UINT64_C(1) << (h >> 43 & 63);
}
/* six: as they stand, in lower case; of KEYS_BACK the last one highest. */
static inline bool keys_maybe(const struct keys *k, uint64_t six, enum keys_as as) {
    uint64_t h = keys_hash(six, as);
    return (~k->bits[h >> 55] & keys_mask(h)) == 0;
}

#endif
