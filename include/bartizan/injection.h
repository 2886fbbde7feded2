/* Does a text try to steer the model? Canonical form, bounded decoding, rules and a small classifier
 * make one judgement, with reasons that point into the text as it came.
 *
 *   text -> readings: the canonical form, and what it says once decoded (base64, hex, URL, ROT13 ...)
 *        -> rules (Vectorscan over readings) and classifier (hashed features, int8)
 *        -> score 0..1, verdict by the channel's thresholds, reasons
 *
 * Deterministic controls outside the model come first (prompts.h, leak.h, agent.h); this one is the
 * part that can be talked around, and says so: docs/INJECTION.md, docs/CLASSIFIER.md. */
#ifndef BARTIZAN_INJECTION_H
#define BARTIZAN_INJECTION_H

#include <bartizan/arena.h>
#include <bartizan/buf.h>
#include <bartizan/limits.h>

enum bz_channel { /* how a text came: thresholds differ */
                  BZ_CHANNEL_USER,
                  BZ_CHANNEL_TOOL, /* results of tools */
                  BZ_CHANNEL_DOCUMENT,
                  BZ_CHANNEL_COUNT
};
const char *bz_channel_name(enum bz_channel c); /* "user", "tool", "document" */
bool bz_channel_from_name(struct bz_view name, enum bz_channel *ret);

/* ---- readings (canon.c, decode.c) ---------------------------------------------------------------- */

enum bz_decoding {
    BZ_DECODING_NONE,
    BZ_DECODING_BASE64, /* URL-safe too, with and without padding */
    BZ_DECODING_HEX,
    BZ_DECODING_URL,
    BZ_DECODING_ROT13,
    BZ_DECODING_GZIP,   /* gzip and zlib, within base64 or hex */
    BZ_DECODING_ESCAPE, /* \uXXXX, \xXX */
    BZ_DECODING_HTML,   /* entities */
    BZ_DECODING_TAGS,   /* characters of the tag block that spell ASCII */
    BZ_DECODING_LEET,   /* digits and signs for letters */
    BZ_DECODING_SPACED, /* l e t t e r s, l.e.t.t.e.r.s */
    BZ_DECODING_REVERSED,
    BZ_DECODING_ACCENTS, /* Latin letters without their marks */
    BZ_DECODING_COUNT
};
const char *bz_decoding_name(enum bz_decoding d); /* "base64", "hex", "url" ... */

/* What the canonical form had to take away or fold: bits of bz_reading.signs. */
#define BZ_SIGN_INVISIBLE 1u  /* zero width and other unseen characters within words */
#define BZ_SIGN_TAGS 2u       /* tag block */
#define BZ_SIGN_BIDI 4u       /* direction overrides */
#define BZ_SIGN_CONFUSABLE 8u /* letters of another script within a word of this one */
#define BZ_SIGN_STYLED 16u    /* mathematical, circled, full width letters */
#define BZ_SIGN_CAPPED 32u    /* more to decode than the caps allow */

struct bz_reading_map; /* where bytes of a reading came from; opaque */
struct bz_reading {
    struct bz_view text; /* canonical: NFKC, folded to lower case, look-alike letters of mixed words
                            as Latin, nothing invisible, runs of blanks as one blank, none beside
                            line ends, at most two line ends in a row */
    const struct bz_reading_map *map;
    uint32_t from, to;             /* the part of the original that it reads */
    uint8_t how[BZ_READING_DEPTH]; /* enum bz_decoding, outermost first */
    uint8_t how_n;                 /* 0: the canonical form itself, always the first reading */
    uint32_t signs;
};
/* All readings of a text, in `ar`: the first is the canonical form of all of it, the others of parts
 * that decode to text. Caps: BZ_READINGS_MAX, BZ_READINGS_BYTES of decoded text together (limits.h);
 * what lies beyond sets BZ_SIGN_CAPPED in the first. ROT13, leet, reversed, accents: only where a word
 * says so that reads as one of a few dozen ("vtaber", "1gn0re", "erongi").
 * `text` must live as long as the readings.
 * OK; ENOMEM; ETOOBIG (2 GiB). Cost O(text.n), some 2.5 ns a byte of ASCII prose. Memory: text.n
 * for prose, 4 * text.n + 24 MiB at most for hostile text; ENOMEM means that the text is not judged. */
enum bz_status bz_readings(struct bz_view text, struct bz_arena *ar, struct bz_reading **ret,
                           size_t *ret_n) BZ_MUST_USE;
/* The original bytes [*from, *to) that bytes [a, b) of the reading came from, rounded outwards. */
void bz_reading_place(const struct bz_reading *r, size_t a, size_t b, uint32_t *from, uint32_t *to);

/* ---- rules (rules.c, rules_compile.c) ------------------------------------------------------------- */

struct bz_injection_rule {         /* lent from the pack */
    struct bz_view id, family;     /* "override-en-1", "override" */
    struct bz_view what;           /* a sentence for people: what was matched and why it matters */
    struct bz_view refs;           /* "AML.T0051.000 LLM01:2025" */
    uint8_t channels;              /* bit per enum bz_channel */
    float score[BZ_CHANNEL_COUNT]; /* 0..1 */
};
struct bz_rule_error {
    struct bz_view file;   /* as given */
    uint32_t line, column; /* from 1 */
    char text[256];        /* what is wrong and what to do */
};
struct bz_rule_file {
    struct bz_view name, yaml;
};
/* Compiles rule files (docs/INJECTION-RULES.md has the format) to a pack and runs the tests that
 * stand in them: a positive that does not match, or a negative that does, is an error, and so is a
 * pattern or a language that no example shows. On errors `out` stays as it was. The pack is good for
 * processors and builds like this one (bz_injection_open says so). One of no file is good: no rules.
 * OK; ESYNTAX, EEXISTS (an id twice), ETOOBIG (a file; too many of them): *err tells; ENOMEM. The
 * built-in ones take some 0.1 s. */
enum bz_status bz_rules_compile(const struct bz_rule_file *files, size_t n, struct bz_buf *out,
                                struct bz_rule_error *err) BZ_MUST_USE;
/* The rules that come with Bartizan, as YAML: their number; the texts are static. */
size_t bz_rules_builtin(struct bz_rule_file out[BZ_RULE_FILES_MAX]);
/* Rules of a pack, for lists of them. Lives as long as the handle. */
struct bz_injection;
size_t bz_injection_rules(const struct bz_injection *j, const struct bz_injection_rule **ret);

/* ---- classifier (classifier.c) -------------------------------------------------------------------- */

/* The weights that come with Bartizan; static. Format: src/injection/classifier_format.h. */
struct bz_view bz_classifier_builtin(void);

/* ---- judgement (judge.c) ------------------------------------------------------------------------- */

enum bz_judgement { BZ_JUDGE_ALLOW, BZ_JUDGE_FLAG, BZ_JUDGE_BLOCK, BZ_JUDGE_COUNT };
const char *bz_judgement_name(enum bz_judgement j); /* "allow", "flag", "block" */

#define BZ_DETECT_RULES 1u
#define BZ_DETECT_CLASSIFIER 2u
#define BZ_DETECT_ALL 3u

struct bz_reason {
    struct bz_view source;             /* "rule", "classifier", "sign" */
    struct bz_view id;                 /* of the rule; "classifier"; name of the sign */
    struct bz_view family, what, refs; /* may be empty */
    uint32_t start, end;               /* bytes of the text as it came */
    uint8_t how[BZ_READING_DEPTH], how_n;
    float score;
};
#define BZ_REASONS_MAX 8
#define BZ_SCORE_FLAG 0.5f
#define BZ_SCORE_BLOCK 0.75f
struct bz_judged {
    float score; /* 0..1; comparable between channels: 0.5 is where `flag` begins, 0.75 `block` */
    enum bz_judgement verdict;
    size_t reasons_n; /* the heaviest, heaviest first; views live as long as the handle */
    struct bz_reason reasons[BZ_REASONS_MAX];
};

/* Pack of rules and weights for the image. rules: of bz_rules_compile, empty: none; weights: empty:
 * built in. ECORRUPT, EVERSION: not of bz_rules_compile, or damaged weights; ENOMEM. */
enum bz_status bz_injection_pack(struct bz_view rules, struct bz_view weights,
                                 struct bz_buf *out) BZ_MUST_USE;
/* One per thread. `pack` must live as long as the handle (weights are used in place). OK; ECORRUPT,
 * EVERSION (made by another build or for another processor: compile again), ENOMEM. */
enum bz_status bz_injection_open(struct bz_view pack, struct bz_injection **ret) BZ_MUST_USE;
void bz_injection_close(struct bz_injection *j); /* NULL is fine */
/* detectors: BZ_DETECT_*. Deterministic. scratch is emptied by the caller; nothing in *ret lies in it.
 * OK; ENOMEM; ETOOBIG; EINVAL (no detector, no channel); EUNAVAIL (the classifier is asked for, and
 * this build and the pack have no weights). Cost O(text.n): bench/guard.sh. */
enum bz_status bz_injection_judge(struct bz_injection *j, struct bz_view text, enum bz_channel c,
                                  unsigned detectors, struct bz_arena *scratch,
                                  struct bz_judged *ret) BZ_MUST_USE;

#endif
