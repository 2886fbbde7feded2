/* The engine's own: what a pack holds, and how candidates become findings. */
#ifndef DETECT_ENGINE_H
#define DETECT_ENGINE_H

#include "detector.h"

#include <hs/hs.h>

#include "shape.h"

enum {
    ENGINE_VERSION = 3,
    DETECTORS_MAX = 8,
    PATTERN_WIDTH_MAX = 256, /* bytes of a match of a custom pattern */
    WORD_MAX = 128,          /* bytes of a custom word */
    WORDS_MAX = 65536,       /* custom words of one pack */
    WORDS_BYTES_MAX = 1 << 20,
    PACK_MAX = 64 << 20,
};

/* Those built in, in the order of their triggers. */
size_t detectors(const struct detector *const **ret);
/* Hash of everything built in that a pack depends on. */
void engine_stamp(uint8_t out[32]);

/* ---- databases: gate.c ---- */

/* Vectorscan is fastest with like and like, and what nearly all text lacks is found faster by hand:
 * expressions that need a digit, or two capitals side by side, have a database each, which sees only
 * the neighbourhood of these. */
enum gate { GATE_NONE, GATE_DIGIT, GATE_CAPITALS, GATE_COUNT };
enum gate gate_of(const char *expr, unsigned flags);
/* The next part [*lo, *hi) of the text that holds all matches of at most `width` bytes; *at: how far
 * the text was looked at, 0 at first. false: no more. */
bool gate_next(enum gate g, struct bz_view text, size_t width, size_t *at, size_t *lo, size_t *hi);

/* ---- beginnings of matches: starts.c ---- */

/* Hashes of all the prefixes of literals that matches begin with. A hash may meet by accident: then
 * text waits a little longer. */
enum start_kind {
    START_WORD = 1, /* the byte before is no ASCII letter or digit */
    START_ANYWHERE, /* custom words that need not be whole */
    START_SHORT,    /* whole literals of up to STARTS_KNOWN bytes */
};
struct starts {
    uint32_t *slot; /* open addressing; 0 is empty */
    size_t slots, used;
    size_t longest, longest_anywhere; /* bytes of the longest literal; 0: none */
    uint8_t first[4096];              /* bits: the first STARTS_KNOWN bytes of longer literals */
    uint8_t shorts[128];              /* bits: the first two bytes of others */
    bool single;                      /* there are literals of one byte */
};
/* Room for literals of `bytes` bytes together. */
enum bz_status starts_init(struct starts *st, struct bz_arena *ar, size_t bytes) BZ_MUST_USE;
/* whole: the literal itself is added too, not only what is shorter than it. */
void starts_add(struct starts *st, struct bz_view lit, enum start_kind kind, bool nocase,
                bool whole);
/* The least place from which the text to its end is a prefix of a literal; n if there is none. */
size_t starts_live(const struct starts *st, const struct scan *s, size_t from);
/* Is the word v, which a text ends with, the beginning of a literal? */
bool starts_prefix(const struct starts *st, struct bz_view v);
/* May a literal begin with the word at p, of which n bytes are known? Looks at STARTS_KNOWN. */
#define STARTS_KNOWN 4
bool starts_maybe(const struct starts *st, const uint8_t *p, size_t n);

/* ---- custom types: custom.c ---- */

struct custom_expr { /* one expression of the database */
    uint16_t type;   /* number of the type */
    bool som;        /* Vectorscan tells where it begins */
    bool pattern;    /* else a word */
    bool whole_word;
    uint32_t width; /* bytes of the word; of a pattern: at most */
};
struct custom_type {
    struct bz_type t;
    bool nocase, whole_word;
    struct shape shape;    /* of the pattern */
    struct bz_view *words; /* normal form */
    size_t words_n;
};
struct custom_set { /* of an opened pack */
    struct bz_arena ar;
    struct custom_type *types;
    size_t types_n;
    struct custom_expr *exprs; /* their ids follow those of the triggers */
    size_t exprs_n;
    size_t words_bytes;
    size_t width; /* the widest pattern; 0: none */
};
struct pack_exprs { /* what hs_compile takes; room for all */
    const char **expr;
    unsigned *flags;
    enum gate *gates;
    size_t n;                   /* ids are places here */
    struct custom_expr *custom; /* of those behind the triggers */
    size_t custom_n;
};
/* An expression that matches just v; NULL: no memory. */
const char *escape_literal(struct bz_view v, struct bz_arena *ar);
enum bz_status custom_check(const struct bz_custom *c, size_t n,
                            struct bz_custom_error *err) BZ_MUST_USE;
enum bz_status custom_exprs(const struct bz_custom *c, size_t n, struct bz_arena *ar,
                            struct pack_exprs *px, struct bz_custom_error *err) BZ_MUST_USE;
enum bz_status custom_write(const struct bz_custom *c, size_t n, const struct pack_exprs *px,
                            struct bz_arena *ar, struct bz_buf *out) BZ_MUST_USE;
enum bz_status custom_read(struct bz_view body, struct custom_set *set) BZ_MUST_USE;
/* No letter or digit adjoins [start, end). */
bool custom_whole(struct bz_view text, size_t start, size_t end);
void custom_starts(const struct custom_set *set, struct starts *st);
/* Adds the types that the short cut of watch.c cannot serve. */
void custom_slow(const struct custom_set *set, struct bz_type_set *slow);

/* ---- the opened pack ---- */

struct hook {
    const struct detector *d;
    const struct trigger *t;
    size_t det; /* place of d in detectors() */
};
struct raw { /* a finding in places of the normal form */
    size_t start, end;
    uint16_t type;
    uint8_t proof, level;
    bool other; /* of a type that is not held for */
};
struct raws {
    struct raw *v; /* in mem */
    size_t n, cap;
    struct bz_buf mem;
    uint64_t more; /* dropped */
    bool failed;   /* out of memory */
};
struct bz_detect {
    hs_database_t *db[GATE_COUNT]; /* NULL: there are no such expressions */
    uint32_t width[GATE_COUNT];    /* of the widest match; 0 without a gate */
    hs_scratch_t *scratch;         /* of all of them */
    struct hook *hooks;            /* by id */
    size_t hooks_n;
    struct custom_set custom; /* its arena holds all memory of the pack */
    struct starts starts;
    struct bz_type_set slow;       /* types that the short cut of watch.c cannot serve */
    struct bz_type_set uncounted;  /* and those that the one of counting.c cannot */
    struct raws raws;              /* of the scan that runs */
    size_t chain_live;             /* where what goes on is not known yet; SIZE_MAX: nowhere */
    void *own[DETECT_GROUP_COUNT]; /* what detectors prepared */
    uint64_t round;                /* of scans, the last one */
};
size_t custom_live(const struct bz_detect *d, const struct scan *s, size_t from);

/* Findings of text p[0..n) in d->raws, resolved, sorted by start: of types in hold from the place
 * `from` on, of others from `other_from` on. */
struct scan_job {
    struct bz_view text;
    bool final;
    size_t from, other_from;
    const struct bz_type_set *want, *hold;
    uint16_t chain; /* 1 + type of the match that ended at `from` and may go on; 0: none */
    bool wordless;  /* none of the detectors' words is in the text (detector.h) */
};
enum bz_status engine_scan(struct bz_detect *d, const struct scan_job *job) BZ_MUST_USE;
/* May a match of this type go on behind its end? */
bool engine_chained(size_t type);
/* Where the undecided rest begins. */
size_t engine_live(const struct bz_detect *d, const struct scan_job *job);
/* counting.c: settles what waits in the window, of which win[before..] is new, if it is text that
 * counts: plain, with numbers that are no match. due: not this time, only keep what is known of it. */
bool watch_counting(const struct bz_detect *d, struct bz_watch *w, size_t before, bool due,
                    const struct bz_type_set *hold);
/* One more finding; counts what does not fit. */
enum bz_status findings_add(struct bz_findings *f, const struct bz_finding *one) BZ_MUST_USE;

#endif
