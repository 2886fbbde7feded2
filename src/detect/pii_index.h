/* What the detectors of personal data share of a handle: pii_index.c. */
#ifndef DETECT_PII_INDEX_H
#define DETECT_PII_INDEX_H

#include "pii_int.h"

struct pii_words;
struct pii_own {
    const struct pii_words *words;
    const void *numbers, *ids;  /* those detectors' own */
    struct pii_context context; /* the last one */
    uint64_t round;             /* of the text that it is of */
};
/* Does a word of any type begin in [from, to)? */
bool pii_words_begin(const struct scan *s, size_t from, size_t to);
/* *own: NULL, or what another detector of the group made. */
enum bz_status pii_prepare(struct bz_arena *ar, void **own) BZ_MUST_USE;

#endif
