/* What the detectors of personal data (pii.c, numbers.c, ids.c) share. */
#ifndef DETECT_PII_INT_H
#define DETECT_PII_INT_H

#include "checksums.h"
#include "detector.h"
#include "pii_types.h"

/* What stands before a match, taken apart once for all the types it could be. */
struct pii_context {
    const uint8_t *p;
    size_t from, to; /* the text that speaks of the match; to: where the match begins */
    size_t words_n;
    size_t words[BZ_DETECT_CONTEXT]; /* where words begin, first to last */
    uint32_t letters;                /* what they begin with, see initial() */
    enum { PII_OTHER_UNKNOWN, PII_OTHER_NO, PII_OTHER_YES } other; /* see pii_other */
};
/* The context of a match that begins at start. It ends at an earlier number that has words of its
 * own behind it: "SSN 536-90-4399, order 912345678". */
void pii_context(const struct scan *s, size_t start, struct pii_context *ret);
/* One of the type's words (pii_types.h) is there. */
bool pii_told(const struct pii_context *c, size_t type);
/* The same, at most `reach` bytes before the match that begins at start. */
bool pii_told_near(const struct scan *s, size_t type, struct pii_context *c, size_t start,
                   size_t reach);
/* One of the words, written as there, at most `reach` bytes before the match. */
bool pii_word(const struct pii_context *c, const char *words, size_t reach);
/* The last word before the match says that it is something else: an order, a version, a hash. */
bool pii_other(struct pii_context *c);

/* Proofs in tables: 0 is nothing found. */
enum { PII_NO, PII_FORM, PII_CONTEXT, PII_CHECKSUM };
/* What a match is worth: `alone` without words, `told` with words of its type; words of something
 * else leave the form only. */
struct pii_worth {
    size_t type;
    uint8_t alone, told;
};
/* Emits unless it is nothing. c is filled at need (another place or none yet). */
void pii_emit(struct scan *s, const struct pii_worth *w, struct pii_context *c, size_t start,
              size_t end);
/* The same for all that one number could be: where words tell which it is, the others are not. */
enum { PII_PICKS_MAX = 24 };
struct pii_picks {
    struct pii_context c;
    size_t n;
    struct pii_pick {
        size_t type, end;
        uint8_t worth;
        bool told;
    } v[PII_PICKS_MAX];
};
void pii_pick(const struct scan *s, const struct pii_worth *w, size_t start, size_t end,
              struct pii_picks *p);
void pii_tell(struct scan *s, size_t start, const struct pii_picks *p);
/* Could a match of the type begin at start, by its words alone? */
bool pii_may(const struct scan *s, const struct pii_worth *w, struct pii_context *c, size_t start);

/* No letter, digit or mark of a longer token before start, or behind end. */
bool pii_left(const struct scan *s, size_t start);
bool pii_right(const struct scan *s, size_t end);

/* The finders of pii.c: rule & 15 of a trigger is the part's own. */
struct pii_part {
    void (*hit)(struct scan *s, unsigned rule, size_t end);
    size_t (*live)(const struct scan *s, size_t from);
};
extern const struct pii_part pii_mail, pii_coin, pii_net, pii_phone, pii_date, pii_place;

enum pii_fit { PII_NONE, PII_PART /* the text ends within it */, PII_WHOLE };

#endif
