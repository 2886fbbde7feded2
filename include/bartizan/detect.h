/* Detectors: which spans of a text are personal data, secrets, words of the customer or marks of a
 * classification. Vectorscan finds candidates, code decides (checksums, context words, entropy,
 * allow-lists).
 *
 *   text -> normalise (fold width, look-alike punctuation, invisible characters; JSON escapes)
 *        -> candidates (one Vectorscan database of literals and number shapes)
 *        -> validators (per type) -> findings in places of the original text
 *
 * What is found depends on the text alone, never on how it was cut: a match, its left context of at
 * most BZ_DETECT_CONTEXT bytes and one character behind it are all that any validator may look at. */
#ifndef BARTIZAN_DETECT_H
#define BARTIZAN_DETECT_H

#include <bartizan/arena.h>
#include <bartizan/buf.h>

#define BZ_TYPES_MAX 512     /* built in and custom; a bit each in struct bz_type_set */
#define BZ_CUSTOM_MAX 128    /* custom types of one instance */
#define BZ_DETECT_CONTEXT 96 /* bytes of normalised text before a match that validators see */
#define BZ_DETECT_MATCH_MAX                                                                        \
    512 /* bytes of normalised text of one match; keys in PEM are one each
                                   line by line, see detect/secrets.c */

enum bz_class {
    BZ_CLASS_PII,
    BZ_CLASS_SECRET,
    BZ_CLASS_CUSTOM,
    BZ_CLASS_LABEL,       /* a classification mark: "TLP:RED", "Classification: Confidential" */
    BZ_CLASS_PLACEHOLDER, /* text that has the form of our own placeholder, see vault.h */
    BZ_CLASS_COUNT
};
enum bz_proof {                   /* how sure; rises */
                BZ_PROOF_FORM,    /* the form alone: many false ones */
                BZ_PROOF_CONTEXT, /* form and a word before it that says what it is */
                BZ_PROOF_CHECKSUM, /* a checksum that random text fails, or a prefix that only this has */
                BZ_PROOF_COUNT
};
enum bz_level { /* classification, lowest first: PUBLIC < INTERNAL < CONFIDENTIAL < RESTRICTED */
                BZ_LEVEL_PUBLIC,       /* TLP:CLEAR */
                BZ_LEVEL_INTERNAL,     /* TLP:GREEN */
                BZ_LEVEL_CONFIDENTIAL, /* TLP:AMBER */
                BZ_LEVEL_RESTRICTED,   /* TLP:AMBER+STRICT, TLP:RED */
                BZ_LEVEL_COUNT
};
const char *bz_level_name(enum bz_level l);                       /* "PUBLIC" ... */
bool bz_level_from_name(struct bz_view name, enum bz_level *ret); /* TLP names too; any case */
const char *bz_class_name(enum bz_class c); /* "pii", "secret", "custom", "label", "placeholder" */
const char *bz_proof_name(enum bz_proof p); /* "form", "context", "checksum" */

struct bz_type {
    const char *name;   /* Presidio's names for personal data, gitleaks' ids for secrets */
    const char *region; /* ISO 3166 code, or "" */
    const char *what;   /* a few words for people */
    uint8_t cls;        /* enum bz_class */
    uint8_t proof;      /* the best this type can give */
    uint8_t level;      /* what text with one of these is at least */
};
/* Types built in, in a fixed order; the index is the type's number in this build. Static. */
size_t bz_type_list(const struct bz_type **ret);

struct bz_type_set {
    uint64_t w[BZ_TYPES_MAX / 64];
};
static inline void bz_type_set_add(struct bz_type_set *s, size_t type) {
    s->w[type / 64] |= UINT64_C(1) << (type % 64);
}
static inline bool bz_type_set_has(const struct bz_type_set *s, size_t type) {
    return type < BZ_TYPES_MAX && (s->w[type / 64] >> (type % 64) & 1) != 0;
}
static inline bool bz_type_set_empty(const struct bz_type_set *s) {
    uint64_t any = 0;
    for (size_t i = 0; i < BZ_TYPES_MAX / 64; i++)
        any |= s->w[i];
    return any == 0;
}
/* Adds what a word of the configuration names: a type ("CREDIT_CARD", "github-pat"), a class
 * ("pii", "secrets", "custom", "labels", "placeholder"), "checksum" (personal data that has one),
 * "*". Names of custom types are the caller's to look up. false: unknown word. */
bool bz_type_set_add_name(struct bz_type_set *s, struct bz_view name);

/* ---- compiling --------------------------------------------------------------------------------- */

struct bz_custom {               /* words or a pattern of the customer; views are lent */
    struct bz_view name;         /* [A-Z][A-Z0-9_]{1,39}; becomes the type's name */
    const struct bz_view *words; /* literal words or phrases; any case if `nocase` */
    size_t words_n;
    struct bz_view pattern; /* instead of words: an expression of Vectorscan with a bounded width */
    bool nocase, whole_word;
    uint8_t level; /* enum bz_level */
    uint8_t cls;   /* BZ_CLASS_CUSTOM or BZ_CLASS_LABEL */
};
struct bz_custom_error {
    size_t index;   /* of the custom */
    char text[200]; /* what is wrong and what to do */
};
/* Serialised database with the custom types: position independent, sealed by the image that it lies
 * in, good for processors like this one only (bz_detect_open says so). About 0.1 to 0.5 s.
 * OK; ESYNTAX (err filled), EEXISTS (a name twice or one of ours), ETOOBIG, ENOMEM. */
enum bz_status bz_detect_compile(const struct bz_custom *custom, size_t n, struct bz_buf *out,
                                 struct bz_custom_error *err) BZ_MUST_USE;

/* One per thread: the database and its scratch memory. */
struct bz_detect;
/* OK; ECORRUPT, EVERSION (made for another build or processor), ENOMEM. `pack` may go afterwards. */
enum bz_status bz_detect_open(struct bz_view pack, struct bz_detect **ret) BZ_MUST_USE;
void bz_detect_close(struct bz_detect *d); /* NULL is fine */
/* Built in and custom; NULL beyond the last. Lives as long as d. */
const struct bz_type *bz_detect_type(const struct bz_detect *d, size_t type);
size_t bz_detect_types_n(const struct bz_detect *d);
bool bz_detect_type_find(const struct bz_detect *d, struct bz_view name, size_t *ret);

/* ---- finding ----------------------------------------------------------------------------------- */

struct bz_finding {
    uint64_t start, end; /* bytes of the original text; of a channel: from its beginning */
    uint16_t type;
    uint8_t cls, proof;
    uint8_t quoted; /* BZ_TEXT_JSON: 1 inside a string literal, 0 a bare number (a replacement needs
                       quotes of its own) */
    uint8_t level;  /* labels: what the mark says; others: the type's */
};
struct bz_findings { /* grows in the arena it was made for */
    struct bz_finding *v;
    size_t n, cap;
    struct bz_arena *ar;
    uint64_t
        more; /* found beyond BZ_FINDINGS_MAX and dropped: treat as "too many", never as clean */
};
#define BZ_FINDINGS_MAX 16384

enum bz_text_mode {
    BZ_TEXT_PLAIN,
    BZ_TEXT_JSON, /* the text is JSON itself (tool arguments): escapes are decoded for matching */
};

/* All findings of a whole text, sorted, not overlapping: a finding of a `hold` type wins over one
 * that is not (what is only counted must not hide what is masked); then the earlier start wins, then
 * the surer proof, then the longer, then the lower type. `want`: types to look for; NULL: all.
 * `hold`: types that something is done about, as in bz_watch_feed; NULL: all.
 * OK; ENOMEM; ETOOBIG (2 GiB). Findings are appended. Cost O(n); clean ASCII prose runs at the
 * candidate stage's speed. */
enum bz_status bz_detect_scan(struct bz_detect *d, struct bz_view text, enum bz_text_mode mode,
                              const struct bz_type_set *want, const struct bz_type_set *hold,
                              struct bz_arena *scratch, struct bz_findings *out) BZ_MUST_USE;

/* One channel of a stream: text that comes in pieces (UTF-8, each piece whole code points). The
 * members are the engine's own. */
struct bz_watch {
    const struct bz_type_set *want;
    uint8_t mode;        /* enum bz_text_mode */
    uint8_t calm;        /* quiet bytes at the end of the window, up to a limit */
    uint8_t digits;      /* at its end, not looked at yet */
    bool cut;            /* the window does not begin with the channel */
    bool late;           /* there is loud text that they were not looked for in */
    bool folded;         /* the window is not the text itself: places stand in `at` */
    uint8_t pending_n;   /* JSON: bytes of an escape that has not ended */
    uint8_t pending[12]; /* "\\ud83d\\ude00" at most */
    uint8_t reader[8];   /* of the normal form: in a string, run of invisible characters */
    uint16_t chain;      /* 1 + type of what ended at `settled` and may go on; 0: nothing */
    uint16_t plain;      /* bytes at the window's end without words and rare marks, about */
    uint64_t total;      /* bytes taken so far */
    uint64_t settled;    /* everything before this place is decided */
    uint64_t noted;      /* findings of types not held for are told up to here */
    uint64_t looked;     /* and were looked for */
    uint64_t base;       /* place of win[0], if not folded */
    size_t from;         /* place in the window of the first byte that is not settled */
    struct bz_buf win;   /* normal form of the context and of the undecided text; heap, 1 KiB for
                            small pieces, at most BZ_WATCH_MAX bytes */
    struct bz_buf at;    /* the original place of each of its bytes, 8 bytes each */
};
#define BZ_WATCH_MAX 8192
/* want: NULL or must live as long as the watch. */
void bz_watch_init(struct bz_watch *w, enum bz_text_mode mode, const struct bz_type_set *want);
/* Takes the next piece. New findings are appended (places in the channel); *ret_settled: all text
 * before this place is decided: no later piece can add, lengthen or drop a finding that begins
 * before it. last: nothing follows, so everything is settled. `hold` (the same at every call; NULL:
 * all that are wanted): a finding of any of these types may begin in the undecided text; types
 * outside of it are found, but never held for (they may be missed where they are cut, are told up to
 * some pieces late, with `last` at the latest, and lie before the settled place). Same findings of `hold` types for every cut of the text as bz_detect_scan of
 * the whole with the same `want` and `hold`. OK; ENOMEM. After an error the watch is good for
 * bz_watch_done alone. */
enum bz_status bz_watch_feed(struct bz_detect *d, struct bz_watch *w, struct bz_view text,
                             bool last, const struct bz_type_set *hold, struct bz_arena *scratch,
                             struct bz_findings *out, uint64_t *ret_settled) BZ_MUST_USE;
/* The original text of a finding that the last feed reported (it may have begun pieces ago): in the
 * arena. ENOMEM; EINTERNAL (not of the last feed). */
enum bz_status bz_watch_text(const struct bz_watch *w, uint64_t start, uint64_t end,
                             struct bz_arena *ar, struct bz_view *ret) BZ_MUST_USE;
/* After `last` a watch may go on: the next piece begins a new text at the next place. */
void bz_watch_done(struct bz_watch *w);

/* The normal form alone, for callers that compare texts: appended to `out`; *map (n+1 entries,
 * from the arena) holds the original place of each of its bytes, or is NULL when the two are the
 * same byte for byte. */
enum bz_status bz_normalise(struct bz_view text, enum bz_text_mode mode, struct bz_arena *ar,
                            struct bz_view *ret, const uint32_t **ret_map) BZ_MUST_USE;

#endif
