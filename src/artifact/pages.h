/* Random reading of a source through one page of memory, and whole small objects. */
#ifndef BZ_ARTIFACT_PAGES_H
#define BZ_ARTIFACT_PAGES_H

#include "scan_int.h"

#define BZ_PAGE ((size_t)16 * 1024)

struct bz_pages {
    const struct bz_source *src;
    uint8_t *buf;  /* BZ_PAGE bytes, arena */
    uint64_t base; /* offset of buf[0] */
    size_t n;
    enum bz_status st; /* latched: EIO, ELIMIT, ECORRUPT of the source */
};
/* OK, ENOMEM. */
enum bz_status bz_pages_init(struct bz_pages *p, struct bz_arena *ar,
                             const struct bz_source *src) BZ_MUST_USE;
/* Exactly n bytes at `off` (n <= BZ_PAGE), which live until the next call; a view with p == NULL
 * where the source ends before, or failed. */
struct bz_view bz_pages_at(struct bz_pages *p, uint64_t off, size_t n);

/* All of the object, in the object's arena (or its head). ETOOBIG: more than max, recorded as left
 * out; else what the source says, ENOMEM. */
enum bz_status bz_object_whole(struct bz_scan *s, const struct bz_object *o, size_t max,
                               struct bz_view *ret) BZ_MUST_USE;

/* A name of a file beside this one that a loader would open: "" when it is harmless, otherwise why it
 * is not. Relative, "/" only between parts, no "..", no NUL, no drive, no scheme. */
const char *bz_path_wrong(struct bz_view name);

/* One of the strings of a list that ends with NULL. */
bool bz_view_in(struct bz_view v, const char *const *list);
/* v holds needle. */
bool bz_view_has(struct bz_view v, struct bz_view needle);
/* "a.b.c": its part before the first dot. */
struct bz_view bz_dotted_root(struct bz_view v);
/* A Python name of a module or object whose import or call gives code execution, files or network. */
bool bz_python_danger(struct bz_view dotted);

#endif
