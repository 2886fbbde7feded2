/* The contract between the engine (scan.c, watch.c) and the detectors, one const vtable each.
 *
 * The engine runs every detector's triggers as one Vectorscan database over the normal form of the
 * text. Where a trigger ends, it calls hit(), which looks around that place, decides, and emits what
 * it found. Triggers only wake a detector: keep them rare in prose (shapes with digits, rare
 * literals); a trigger may fire many times for one match, in any order (see scan_seen).
 *
 * A match [start, end) may depend on nothing but
 *   - its own bytes (at most BZ_DETECT_MATCH_MAX),
 *   - the BZ_DETECT_CONTEXT bytes before start (never look further left, not by a byte),
 *   - one byte behind it, p[end]; there is none where end == n.
 * The engine drops what is emitted with end == n while more text may come (final is false): it calls
 * again when there is more. So a detector never needs to know whether a text is whole; it only has
 * to say in live() where the undecided rest begins:
 *
 *   THE RULE OF LIVE: for every text T that begins with p[0..n) and every match [a, e) of a wanted
 *   type that hit() would emit in T with a >= from and e >= n: live() <= a.
 *
 * Too small an answer delays text, too large a one leaks: when in doubt, smaller. But ordinary
 * prose must not be delayed: where the text ends in lower-case words, live() must be n, unless a
 * match may really begin there. What the engine holds by itself: an end of the text that is a proper
 * prefix of one of the detector's starts (at a left edge, see struct detector); live() need not
 * repeat it, it must answer once the literal stands there whole.
 *
 * THE RULE OF QUIET (watch.c takes a short cut on prose). Quiet bytes: letters, space, tab and
 * . , ; ! ? ' " ( ) * -   All others are loud, line ends too. A match of a type that is not `wordy`
 * begins
 *   - with one of the starts, or
 *   - at most DETECT_QUIET_REACH bytes behind a loud byte ("password = hunter2x": the '=') or
 *     behind the beginning of the text, or
 *   - with a loud byte, or with a run of quiet bytes other than lower-case letters that leads to a
 *     loud one ("AB123456C", "(555) 123", "GB 123").
 *
 * THE RULE OF NUMBERS (its short cut on text that counts). Plain bytes: quiet ones, digits, '=' and
 * line ends. Secrets and personal data with a checksum (and placeholders) are the types that it is
 * for. Where a place and the context before it are plain, and none of the detectors' words begins in
 * them (words), a match of one of these types that begins there begins
 *   - with one of the starts or a capital letter,
 *   - with digits that have a letter, '_' or another byte that is not plain beside them, or
 *   - with a run of digits of which a detector says so (number). */
#ifndef DETECT_DETECTOR_H
#define DETECT_DETECTOR_H

#include <bartizan/detect.h>

#define DETECT_QUIET_REACH 16

/* Types stand in one list in the order of these groups. A detector names its types by their place in
 * the group. The rows of a group are an X macro in GROUP_types.h (pii_types.h: PII_TYPES(X),
 * secrets_types.h: SECRETS_TYPES(X)):
 *   X(name, region, what, proof, level, ...)    further columns are the detector's own
 * name: an identifier for PII (CREDIT_CARD), a string for secrets ("github-pat"); proof: the best it
 * can give, BZ_PROOF_...; level: BZ_LEVEL_... */
enum detect_group {
    DETECT_GROUP_PLACEHOLDER,
    DETECT_GROUP_PII,
    DETECT_GROUP_SECRETS,
    DETECT_GROUP_LABELS,
    DETECT_GROUP_CUSTOM, /* of one pack, numbered behind those built in */
    DETECT_GROUP_COUNT
};

/* Flags of a trigger above those of Vectorscan (HS_FLAG_CASELESS and others; HS_FLAG_SOM_LEFTMOST is
 * not allowed). */
#define TRIGGER_LITERAL (UINT32_C(1) << 31) /* expr is plain text, not an expression */
#define TRIGGER_START (UINT32_C(1) << 30)   /* with LITERAL: matches begin with it; also a start */

struct trigger {
    /* Expression of Vectorscan on bytes; no \x00. One that is no literal must lie within all the
     * matches that it is to find, not in their context: it is looked for only where matches may begin
     * and behind. */
    const char *expr;
    uint32_t flags;
    uint32_t rule; /* the detector's own number for it */
};

struct scan;
enum detect_number {
    NUMBER_NOTHING, /* no match, whatever follows */
    NUMBER_OPEN,    /* may become one with what follows */
    NUMBER_FOUND,   /* likely a match */
};
struct detector {
    const char *name;
    enum detect_group group;
    const struct trigger *triggers;
    size_t triggers_n;
    /* Literals that matches begin with, beside the triggers with TRIGGER_START; the byte before such
     * a match is no ASCII letter or digit. Any case if starts_nocase (all of them). */
    const char *const *starts;
    size_t starts_n;
    bool starts_nocase;
    /* Types of the group whose matches may begin with any word ("alice" of an e-mail address). While
     * one of them is held for, the last word of a text always waits. */
    const uint16_t *wordy;
    size_t wordy_n;
    /* Trigger t matched up to p[end - 1]. Emits any number of findings. */
    void (*hit)(struct scan *s, const struct trigger *t, size_t end);
    /* See the rule of numbers; both NULL: none. May one of the words that tell what stands behind them
     * begin in [from, to)? A word that the text ends in may count or not (detect_word_good). */
    bool (*words)(const struct scan *s, size_t from, size_t to);
    /* The run of digits [i, end), end < n: what may begin with it, without words? */
    enum detect_number (*number)(const struct scan *s, size_t i, size_t end);
    /* What needs no trigger but a digit: emits all matches that hold one of the digits in [from, to),
     * for parts of the text in rising order that together have all its digits. May be NULL. */
    void (*sweep)(struct scan *s, size_t from, size_t to);
    /* See above. s->want: the types that text is held for. from <= result <= n. Called only if one
     * of the group's types is wanted, and never with final. */
    size_t (*live)(const struct scan *s, size_t from);
    /* Makes what the detectors of the group share, once for a handle: scan.own. It lies in `ar`, and
     * may also keep what was found out about the text of a round. *own: what another detector of the
     * group made before, or NULL. NULL: nothing to make. */
    enum bz_status (*prepare)(struct bz_arena *ar, void **own);
    /* What is longer than one match goes on as matches of the same type (a private key): the end of
     * the one that begins at `at`, where a match of `type` (place in the group) has ended; `at`: none
     * does; SCAN_UNKNOWN: the text ends before that is known (never if final). Depends on the
     * BZ_DETECT_MATCH_MAX bytes from `at` on, one behind them and the context before. NULL: no type
     * goes on. */
    size_t (*more)(const struct scan *s, size_t type, size_t at);
};
#define SCAN_UNKNOWN SIZE_MAX
#define DETECT_WORD_MAX 64
/* Can it be one of the words of words()? Short enough, and no three digits in a row. */
bool detect_word_good(struct bz_view word);

struct scan_sink; /* the engine's own */
struct scan {
    const uint8_t *p; /* normal form: valid UTF-8 in, folded; may hold any byte above 0 */
    size_t n;
    bool final;  /* n is the end of the text, not only of what is known */
    size_t from; /* what begins before it is decided already: a detector may skip it */
    const struct bz_type_set *want;
    const struct bz_type_set *tell; /* of these, which are told this time; NULL: all */
    const struct bz_type_set *hold; /* these, not if they begin before the place hold_from */
    size_t hold_from;
    size_t first;              /* number of the group's first type */
    void *own;                 /* see prepare() */
    uint64_t round;            /* another one for each text */
    bool wordless;             /* none of the detectors' words is in it */
    size_t seen_from, seen_to; /* of the detector that runs, see scan_saw */
    struct scan_sink *sink;
};

static inline bool scan_wants(const struct scan *s, size_t type) {
    return s->want == NULL || bz_type_set_has(s->want, s->first + type);
}
/* Is it worth while to look for the type by itself? */
static inline bool scan_tells(const struct scan *s, size_t type) {
    return scan_wants(s, type) && (s->tell == NULL || bz_type_set_has(s->tell, s->first + type));
}
/* What begins at start is decided: this type is told no more. */
static inline bool scan_told(const struct scan *s, size_t type, size_t start) {
    return start < s->hold_from && s->hold != NULL && bz_type_set_has(s->hold, s->first + type);
}
/* type: place in the detector's group. Ignored if the type is not wanted, or start is before from,
 * or [start, end) is empty or longer than BZ_DETECT_MATCH_MAX. */
void scan_emit(struct scan *s, size_t type, enum bz_proof proof, size_t start, size_t end);
/* The same with a level of its own (labels). */
void scan_emit_level(struct scan *s, size_t type, enum bz_proof proof, enum bz_level level,
                     size_t start, size_t end);

/* For triggers that fire many times within one token: hit() returns at once if scan_seen(s, end),
 * else takes the token [from, to) apart and notes scan_saw(s, from, to). The order of calls is not
 * defined, so only the last token is remembered. */
static inline bool scan_seen(const struct scan *s, size_t end) {
    return end > s->seen_from && end <= s->seen_to;
}
static inline void scan_saw(struct scan *s, size_t from, size_t to) {
    s->seen_from = from;
    s->seen_to = to;
}

/* ---- classes of bytes ---- */

enum {
    SC_DIGIT = 1,
    SC_UPPER = 2,
    SC_LOWER = 4,
    SC_HEX = 8,    /* both cases */
    SC_BLANK = 16, /* space, tab */
    SC_EOL = 32,   /* \n \r */
    SC_TOKEN = 64, /* _ - . + / = ~ : the marks within tokens */
    SC_HIGH = 128, /* 0x80 and above */
};
#define SC_ALPHA (SC_UPPER | SC_LOWER)
#define SC_ALNUM (SC_ALPHA | SC_DIGIT)
#define SC_SPACE (SC_BLANK | SC_EOL)
extern const uint8_t scan_class[256];

static inline bool scan_is(uint8_t c, unsigned classes) {
    return (scan_class[c] & classes) != 0;
}
/* Byte at i; 0 outside of the text. */
static inline uint8_t scan_at(const struct scan *s, size_t i) {
    return i < s->n ? s->p[i] : 0;
}
static inline uint8_t scan_before(const struct scan *s, size_t i) {
    return i > 0 && i <= s->n ? s->p[i - 1] : 0;
}
/* No ASCII letter or digit on both sides of i: a match may begin or end here. */
static inline bool scan_edge(const struct scan *s, size_t i) {
    return !(scan_is(scan_before(s, i), SC_ALNUM) && scan_is(scan_at(s, i), SC_ALNUM));
}
/* End of the run of classes that begins at i, at most max bytes long. */
size_t scan_run(const struct scan *s, size_t i, unsigned classes, size_t max);
/* Start of the run of classes that ends before i, at most max bytes long. */
size_t scan_back(const struct scan *s, size_t i, unsigned classes, size_t max);
/* Where the context of a match that starts at start begins. */
static inline size_t scan_context(size_t start) {
    return start > BZ_DETECT_CONTEXT ? start - BZ_DETECT_CONTEXT : 0;
}
/* Is one of the words (lower case ASCII; phrases may hold one blank between words) in the context
 * before start? Any case; a word stands for itself: no letter before or behind it ("ssn" is not in
 * "lessn"); ends at start at the latest; digits and '_' may adjoin. Where the context is cut a word
 * counts only if it is whole within it together with the byte before it. */
bool scan_word_before(const struct scan *s, size_t start, const char *const *words, size_t words_n);
/* The text at i is lit; nocase: lit is lower case ASCII and the text may be of any case. */
bool scan_lit(const struct scan *s, size_t i, const char *lit, bool nocase);

/* ---- the detectors; those whose file is there are built in ---- */
extern const struct detector detect_placeholder; /* placeholder.c */
extern const struct detector detect_pii;         /* pii.c */
extern const struct detector detect_numbers;     /* numbers.c: group PII */
extern const struct detector detect_ids;         /* ids.c: group PII */
extern const struct detector detect_secrets;     /* secrets.c */
extern const struct detector detect_labels;      /* labels.c */

/* Samples for tests: tests/unit/samples_pii.h and samples_secrets.h each define
 *   static bool GROUP_sample(size_t type, unsigned seed, struct bz_buf *out)   (pii_, secrets_)
 * which appends a short text with exactly one finding of that type of the group (with its context
 * words, nothing else to be found), different for each seed; false: no sample for this type. */

#endif
