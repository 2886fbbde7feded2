/* What the detectors of personal data (pii.c, numbers.c, ids.c) share. */
#ifndef DETECT_PII_INT_H
#define DETECT_PII_INT_H

#include "checksums.h"
#include "detector.h"
#include "groups.h"

/* Types of personal data, a bit each. */
enum { PII_SET_WORDS = (PII_TYPES_N + 63) / 64 };
struct pii_set {
    uint64_t w[PII_SET_WORDS];
};
static inline bool pii_set_has(const struct pii_set *s, size_t type) {
    return (s->w[type / 64] >> (type % 64) & 1) != 0;
}
static inline void pii_set_add(struct pii_set *s, size_t type) {
    s->w[type / 64] |= UINT64_C(1) << (type % 64);
}
struct pii_set pii_wants(const struct scan *s);

/* What stands before a match, taken apart once for all the types it could be. */
struct pii_context {
    struct pii_set told; /* the types whose words (pii_types.h) are there */
    const uint8_t *p;
    size_t from, to; /* the text that speaks of the match; to: where the match begins */
    size_t words_n;
    size_t words[BZ_DETECT_CONTEXT]; /* where words begin, first to last */
    uint32_t letters;                /* what they begin with, see initial() */
    enum { PII_OTHER_UNKNOWN, PII_OTHER_NO, PII_OTHER_YES } other; /* see pii_other */
};
/* The context of a match that begins at start. It ends at an earlier number that has words of its
 * own behind it: "SSN 536-90-4399, order 912345678". It is kept until another place is asked for. */
struct pii_context *pii_at(const struct scan *s, size_t start);
/* Letters of words: of ASCII and of scripts with two bytes a letter. Those with three have no
 * blanks between words: each is a word's beginning. */
static inline bool pii_letter(uint8_t c) {
    return scan_is(c, SC_ALPHA) || (c >= 0x80 && c < 0xe0);
}
static inline bool pii_word_begins(const uint8_t *p, size_t i) {
    uint8_t c = p[i];
    if (!scan_is(c, SC_ALPHA) && c < 0xc0)
        return false;
    uint8_t before = i == 0 ? 0 : p[i - 1];
    if (c >= 0xe0 || !pii_letter(before))
        return true;
    return scan_is(before, SC_LOWER) && scan_is(c, SC_UPPER); /* taxId */
}
/* The same taken apart anew, without `told`. */
void pii_context(const struct scan *s, size_t start, struct pii_context *ret);
/* One of the type's words (pii_types.h) stands at most `reach` bytes before the match. */
bool pii_told_near(const struct scan *s, size_t type, size_t start, size_t reach);
/* One of the words, written as there, at most `reach` bytes before the match. */
bool pii_word(const struct pii_context *c, const char *words, size_t reach);
/* Does the text of the context hold the word w[0..n) at i, up to a word's end? */
bool pii_word_at(const struct pii_context *c, size_t i, const char *w, size_t n);
uint8_t pii_lower(uint8_t c);
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
/* Emits unless it is nothing. */
void pii_emit(struct scan *s, const struct pii_worth *w, size_t start, size_t end);
/* The same for all that one number could be: where words tell which it is, the others are not. */
enum { PII_PICKS_MAX = 24 };
struct pii_picks {
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
/* Is it told this time, or may its words hide what is? */
static inline bool pii_matters(const struct scan *s, const struct pii_worth *w, size_t start) {
    if (s->wordless && (w->alone == PII_NO || scan_told(s, w->type, start)))
        return false;
    return w->told == PII_CHECKSUM ? scan_wants(s, w->type) : scan_tells(s, w->type);
}
/* Could a match of the type begin at start, by its words alone? */
bool pii_may(const struct scan *s, const struct pii_worth *w, size_t start);

/* No letter, digit or mark of a longer token before start, or behind end. */
bool pii_left(const struct scan *s, size_t start);
bool pii_right(const struct scan *s, size_t end);

/* The finders of pii.c: rule & 15 of a trigger is the part's own. */
struct pii_part {
    void (*hit)(struct scan *s, unsigned rule, size_t end);
    size_t (*live)(const struct scan *s, size_t from);
    /* There is a run of digits [i, end): emits all that begins with it, or a little before if it is
     * the match's first run. May be NULL. */
    void (*digits)(struct scan *s, size_t i, size_t end);
};
extern const struct pii_part pii_mail, pii_coin, pii_net, pii_phone, pii_date, pii_place;

enum pii_fit { PII_NONE, PII_PART /* the text ends within it */, PII_WHOLE };

#endif
