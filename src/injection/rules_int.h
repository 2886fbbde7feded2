/* Rules of this room: what a pack of rules holds, how rule files become one, and how it is matched.
 *
 * Vectorscan looks for words alone: of each pattern the one word list that is rarest, its anchor. Where
 * a word of it stands, the pattern is held against the text around it by our own matcher, which counts
 * words, knows what a word is in 30 scripts and tells where a match begins. So a grammar of 35 languages
 * compiles in some ten milliseconds, nothing in it can explode, and prose costs what Vectorscan costs. */
#ifndef INJECTION_RULES_INT_H
#define INJECTION_RULES_INT_H

#include <bartizan/injection.h>
#include <bartizan/limits.h>
#include <bartizan/rd.h>

#include <hs/hs.h>

enum {
    PACK_VERSION = 1,
    ELEMS_MAX = 16,   /* of one pattern */
    GAP_MAX = 24,     /* words that may stand between */
    BYTES_MAX = 240,  /* bytes that may stand between */
    ALT_WORDS = 8,    /* words of one phrase */
    WORD_MAX = 64,    /* bytes of one word, or of one literal in quotes */
    TOKEN_MAX = 40,   /* bytes of a word that a gap steps over */
    SEPARATORS = 8,   /* blanks and signs between two words */
    STEM_TAIL = 16,   /* letters behind a stem */
    STEM_HEAD = 4,    /* letters before one */
    ANCHOR_MIN = 3,   /* bytes: shorter words stand everywhere */
    AROUND = 240,     /* bytes to both sides in which `unless` is looked for */
    BACK_TOKENS = 40, /* words from the beginning of a match to its anchor */
    LANG_MAX = 12,    /* bytes of a language's name */
    UNLESS = 255,     /* anchor of a pattern that has none */
};

/* ---- what a pack holds; places are indexes, texts are places in the heap of texts ---- */

enum { WORD_HEAD = 1, WORD_TAIL = 2, WORD_RAW = 4 };
struct pk_word {
    uint32_t text;
    uint16_t n, flags; /* HEAD: "*word", TAIL: "word*", RAW: bytes as they are */
};
enum { ALT_TWO, ALT_ONE, ALT_ANY }; /* how many of its first bytes are certain; ANY: none */
struct pk_alt {                     /* a phrase */
    uint32_t word;
    uint8_t n, any;
    uint8_t first[2]; /* bytes */
};
enum { PAIR_BITS = 416 };
struct pk_list {
    uint32_t alt, n;
    uint32_t back;                  /* words that its phrases may have before their longest one */
    uint32_t first[PAIR_BITS / 32]; /* bits: pk_pair of the two bytes that its phrases begin with */
};
static inline unsigned pk_pair(unsigned a, unsigned b) {
    return (a * 37 + b * 11) % PAIR_BITS;
}
enum elem_kind { ELEM_LIST, ELEM_GAP, ELEM_BYTES, ELEM_BEGIN, ELEM_END, ELEM_NOT, ELEM_COUNT };
enum { ELEM_OPTIONAL = 1, ELEM_ANCHOR = 2 };
struct pk_elem {
    uint8_t kind, flags;
    uint16_t n; /* GAP: words, BYTES: bytes */
    uint32_t list;
};
enum { PATTERN_RAW = 1, PATTERN_LINE = 2 }; /* begins with bytes as they are; with a line */
struct pk_pattern {
    uint32_t rule, elem;
    uint16_t elems, anchor, back_tokens, back_bytes;
    uint32_t flags;
};
struct pk_rule {
    uint32_t text[4], n[4]; /* id, family, what, refs */
    float score[BZ_CHANNEL_COUNT];
    uint32_t channels;
    uint32_t unless, unless_n; /* patterns */
};
struct pk_literal {
    uint32_t ref, refs;
    uint16_t n, flags;
};
enum pk_part {
    PK_TEXT,
    PK_WORDS,
    PK_ALTS,
    PK_LISTS,
    PK_ELEMS,
    PK_PATTERNS,
    PK_RULES,
    PK_LITERALS,
    PK_REFS,
    PK_COUNT
};
extern const uint32_t pk_size[PK_COUNT]; /* bytes of one */
/* Hash of what a pack depends on: version, Vectorscan, sizes. */
void pk_stamp(uint8_t out[32]);

/* ---- matching: rules.c, rules_match.c ---- */

struct rule_hit {
    uint32_t round;    /* of the scan that found it */
    uint32_t from, to; /* bytes of the reading */
    bool soft;         /* text of `unless` stands around it */
};
struct rules { /* an opened pack */
    struct bz_arena ar;
    const uint8_t *text;
    const struct pk_word *words;
    const struct pk_alt *alts;
    const struct pk_list *lists;
    const struct pk_elem *elems;
    const struct pk_pattern *patterns;
    const struct pk_rule *pk_rules;
    const struct pk_literal *literals;
    const uint32_t *refs;
    uint32_t n[PK_COUNT];
    struct bz_injection_rule *rules; /* the same for people */
    hs_database_t *db;               /* NULL: no rule */
    hs_scratch_t *scratch;
    struct rule_hit *hits; /* by rule */
    uint32_t *order;       /* rules found, in the order of their first match */
    uint32_t order_n, round;
    uint32_t *pattern_hits; /* by pattern: rounds; NULL unless tests are run */
};
enum bz_status rules_open(struct bz_view pack, struct rules *ret) BZ_MUST_USE;
void rules_close(struct rules *r);
/* Fills hits and order. channels: bits of enum bz_channel. *ret_costly: the text is made so that
 * matching takes long, and was not looked at to its end. OK; ENOMEM; EINTERNAL; ETOOBIG. */
enum bz_status rules_scan(struct rules *r, struct bz_view text, unsigned channels,
                          bool *ret_costly) BZ_MUST_USE;

/* Does the pattern match from p on (or behind separators there)? */
struct match_job {
    const struct rules *r;
    struct bz_view text;
    uint64_t steps; /* left; 0: gave up */
};
bool match_pattern(struct match_job *j, const struct pk_pattern *p, size_t from, size_t *ret_end);
/* Behind the longest phrase of the list that stands at p; 0: none does. */
size_t match_phrases(struct match_job *j, const struct pk_list *l, size_t p);
/* Classes of what stands at p < n: a sign or blank, a letter or digit, one that is a word of its own. */
enum char_class { CHAR_SIGN, CHAR_LETTER, CHAR_ALONE };
enum char_class match_class(struct bz_view text, size_t p, size_t *ret_n);
/* The place where the word that holds p begins. */
size_t match_word_start(struct bz_view text, size_t p);
/* The place where the word before the one at p begins; p if there is none near. */
size_t match_word_before(struct bz_view text, size_t p);
bool match_edge(struct bz_view text, size_t p); /* no word goes over p */

/* ---- reading rule files: rules_yaml.c, rules_read.c, rules_pattern.c, rules_compile.c ---- */

struct mark {
    uint32_t line, column; /* from 1 */
    uint32_t file;
};
struct rule_test {
    uint32_t rule, rules; /* the first, and how many: of a file's `pass` all of the file */
    bool match;
    struct bz_view text;
    struct mark at;
};
struct pattern_note { /* of each pattern, for the tests */
    uint32_t rule;
    struct bz_view lang;
    struct mark at;
    bool unless, optional;
};
struct packer { /* one compilation */
    const struct bz_rule_file *files;
    uint32_t file;
    struct bz_arena ar, scratch;  /* scratch: of one call */
    struct bz_buf part[PK_COUNT]; /* arrays of the above */
    struct bz_buf tests;          /* struct rule_test */
    struct bz_buf notes;          /* struct pattern_note */
    struct bz_rule_error *err;
};
static inline uint32_t pk_n(const struct packer *m, enum pk_part p) {
    return (uint32_t)(m->part[p].n / pk_size[p]);
}
/* Tells what is wrong: `text` may hold one %s, replaced by arg, escaped. Gives ESYNTAX. */
enum bz_status packer_fail(struct packer *m, struct mark at, const char *text, struct bz_view arg);
/* A text in the heap of texts; the place is given back. */
uint32_t packer_text(struct packer *m, struct bz_view v);
/* Canonical form of v in the arena. */
enum bz_status packer_canon(struct packer *m, struct bz_view v, struct bz_view *ret) BZ_MUST_USE;

struct word_list { /* of one file */
    struct bz_view name, lang;
    uint32_t list;
    struct word_list *next;
};
/* Adds a list of phrases. */
struct phrase {
    struct bz_view text;
    struct mark at;
};
enum bz_status pattern_list(struct packer *m, const struct phrase *v, size_t n,
                            uint32_t *ret) BZ_MUST_USE;
/* Which word of a phrase is the longest: what it is found by, when its list is an anchor. */
uint32_t pattern_longest(const struct packer *m, const struct pk_alt *a);
/* Adds one pattern for one language. */
struct pattern_source {
    struct bz_view text, lang;
    struct mark at;
    uint32_t rule;
    bool unless;
};
enum bz_status pattern_add(struct packer *m, const struct word_list *lists,
                           const struct pattern_source *src) BZ_MUST_USE;
/* One file into the maker. */
enum bz_status rules_read(struct packer *m, struct bz_view yaml) BZ_MUST_USE;

#endif
