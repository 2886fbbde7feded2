/* Inside of the room.
 *
 *   fold.c     a character -> symbols: letters and digits without case, style and look-alikes
 *   forms.c    a text to be kept -> the forms that it may leave in
 *   compile.c  secrets and prompts -> blob        open.c    blob -> checked tables
 *   canary.c   making one; the table of its windows, per reply
 *   row.c      a row of symbols -> windows -> looked up
 *   watch.c    a channel's text -> its rows       tokens.c  words: odd ones, first letters, spelt ones
 *   words.c    words, runs of words of prompts    known.c   runs that the user has shown to know
 *   names.c    Morse, words that name letters
 *
 * A symbol: 0 to 25 letters, 26 to 35 digits, 36 to 62 letters of other scripts. The difference of a
 * symbol: of a letter to the letter before it (mod 26), otherwise the symbol itself; so a text and
 * all its rotations have the same differences. */
#ifndef BZ_LEAK_INT_H
#define BZ_LEAK_INT_H

#include <bartizan/leak.h>
#include <bartizan/limits.h>

enum {
    SYM_DIGIT = 26,   /* the first */
    SYM_FOREIGN = 36, /* the first */
    SYM_END = 63,
    WIN_SHORT = 7,   /* differences of a window: canaries, secrets of up to ten symbols */
    WIN_LONG = 10,   /* of other secrets */
    WIN_DIGITS = 20, /* of their forms that are mostly digits */
    HIST = 64        /* symbols that a row remembers */
};

/* Memory that nobody reads before writing: hardening would clear it for every piece of text. */
#define LEAK_SCRATCH __attribute__((uninitialized))

/* Without a branch: which of two letters comes first nobody can guess. */
static inline uint8_t leak_diff(uint8_t prev, uint8_t c) {
    int32_t d = (int32_t)c - prev;
    d += 26 & (d >> 31);
    int32_t letter = ((int32_t)c - SYM_DIGIT) >> 31; /* all ones, or none */
    return (uint8_t)((d & letter) | (c & ~letter));
}

/* ---- fold.c ---- */
enum { /* what is no symbol */
       FOLD_SPACE = 64,
       FOLD_LINE,
       FOLD_SIGN,   /* other signs */
       FOLD_HIDDEN, /* takes no place: not even the end of a word */
       FOLD_WIDE    /* not ASCII: leak_fold_wide */
};
enum {               /* of a byte, or'ed over a word */
       CH_VOWEL = 1, /* a, e, i, o */
       CH_UPPER = 2,
       CH_LOWER = 4,
       CH_BIT = 8,    /* 0, 1 */
       CH_DIGIT = 16, /* 2 to 9 */
       CH_WIDE = 32,
       CH_INNER = 64 /* a capital behind the first character */
};
extern const uint8_t leak_fold[256]; /* a symbol or FOLD_* */
extern const uint8_t leak_flags[256];
/* Symbols of a code point above ASCII: how many, or 0 and *ret_what is a FOLD_*. *ret_alone: it is a
 * word by itself. */
size_t leak_fold_wide(uint32_t cp, uint8_t out[4], uint8_t *ret_what, bool *ret_alone);
/* Symbols of UTF-8, at most cap. */
size_t leak_fold_text(struct bz_view v, uint8_t *out, size_t cap);
extern const uint8_t leak_leet[SYM_END]; /* digits that stand for letters; i and l are one */

/* ---- forms.c ---- */
enum leak_form {
    FORM_PLAIN,
    FORM_DIGITS, /* digits shifted or mirrored */
    FORM_LEET,
    FORM_KEYBOARD,
    FORM_BASE64,
    FORM_BASE32,
    FORM_HEX,
    FORM_ESCAPES,
    FORM_DECIMAL,
    FORM_OCTAL,
    FORM_PLACES, /* in the alphabet */
    FORM_PIECES,
    FORM_SUFFIXES,
    FORM_TWICE, /* one encoding within another */
    FORM_COUNT
};
const char *leak_form_name(enum leak_form f);
bool leak_form_digits(enum leak_form f); /* its alphabet is mostly digits */

struct leak_string { /* one way to write a value */
    enum leak_form form;
    const uint8_t *sym;
    size_t n;
    uint8_t step;    /* windows that end at every step-th symbol are enough */
    bool mirrored;   /* also with a for z */
    bool forth_only; /* not reversed */
};
struct leak_forms {
    struct bz_view value;
    uint8_t *mem; /* LEAK_FORMS_MEM(value.n) bytes */
    uint8_t step; /* of encodings */
    /* false: enough */
    bool (*take)(void *ctx, const struct leak_string *s);
    void *ctx;
};
#define LEAK_FORMS_PART(n) (10 * (n) + 64)
#define LEAK_FORMS_MEM(n) (4 * LEAK_FORMS_PART(n))
void leak_forms(struct leak_forms *f);

/* Windows of `len` differences of a string, in every direction that it asks for, ending at every
 * step-th symbol and the last. mem: 2 * s->n bytes. take() gets the symbols of that direction, the
 * place behind the window's last, and its differences. */
struct leak_windows {
    uint8_t *mem;
    unsigned len;
    /* false: enough */
    bool (*take)(void *ctx, const struct leak_string *s, const uint8_t *sym, size_t end,
                 const uint8_t *diffs);
    void *ctx;
};
bool leak_windows(const struct leak_windows *w, const struct leak_string *s); /* false: enough */

/* ---- blob: compile.c, open.c ---- */
#define LEAK_MAGIC UINT64_C(0x324b41454c5a42) /* "BZLEAK2" */
struct leak_head {
    uint64_t magic;
    uint64_t mul_short, mul_long; /* odd: windows to places in the filter */
    uint64_t mul_word;
    uint8_t key[16]; /* of tags */
    uint32_t items, tags, grams;
    uint8_t filter_log2, gram_log2;            /* bits of the filters */
    uint8_t has_short, has_long, record, need; /* runs of words out of GRAM_WINDOW */
    uint8_t word_log2, zero_byte;              /* of the filter of words */
    uint32_t starts[SYM_END + 1];              /* the same of the first four symbols of secrets */
    uint32_t anchors[SYM_END + 1]; /* see struct leak_look: the last four of their first windows */
    uint32_t names_bytes;
    uint32_t zero;
};
/* Behind it: tags (8 bytes each, sorted), grams (8 each, sorted), items, filter, filter of grams, filter
 * of words, names. A tag: the upper 44 bits of a keyed hash, then 6 bits of form, 14 of item. */
struct leak_item {
    uint32_t name_at, name_n;
    uint8_t kind, need;
    uint16_t zero;
};
enum { TAG_SHIFT = 20, TAG_ITEM = 14 };
struct leak_tables {
    const struct leak_head *head;
    const uint64_t *tags, *grams;
    const struct leak_item *items;
    const uint8_t *filter, *gram_filter, *word_filter;
    const uint8_t *names;
};
bool leak_tables(const struct bz_leaks *l, struct leak_tables *ret); /* false: empty */
/* Each window sets two bits of the filter: of its hash, and of this. */
static inline uint64_t leak_second(uint64_t hash) {
    return (hash ^ hash >> 31) * UINT64_C(0xd6e8feb86659fd93);
}
uint64_t leak_tag(const uint8_t key[16], const uint8_t *diffs, size_t n);

/* ---- words.c ---- */
enum { GRAM = 6, GRAM_WINDOW = 40 };
struct leak_words {
    uint64_t last[GRAM]; /* hashes of words */
    uint64_t hits;       /* of the last 64 runs, the newest lowest */
    uint32_t n;          /* words so far */
};
uint64_t leak_word(uint64_t mul, const uint8_t *sym, size_t n);
/* Hash of the run that ends with this word; false: there are not enough words yet. */
bool leak_words_add(struct leak_words *w, uint64_t word, uint64_t *ret);
/* The run's item, or -1. */
int leak_gram_find(const struct leak_tables *t, uint64_t gram);
/* May it be a word of a prompt's? */
bool leak_word_maybe(const struct leak_tables *t, uint64_t word);
/* Words of a text as tokens.c makes them of a reply. false: it is not UTF-8 (there a word ends). */
typedef void leak_take_word(void *ctx, const uint8_t *sym, size_t n);
bool leak_each_word(struct bz_view text, leak_take_word *take, void *ctx);

/* ---- known.c ---- */
struct bz_leak_reply;
bool leak_known_has(const struct bz_leak_reply *r, uint64_t gram);

/* ---- canary.c ---- */
enum { BLOOM_BYTES = 4096 };
struct leak_canary { /* of a reply */
    uint8_t text[BZ_CANARY_TEXT];
    uint8_t sym[BZ_CANARY_TEXT];
    bool all;                          /* all forms are in the table; otherwise itself alone */
    uint64_t perhaps[BLOOM_BYTES / 8]; /* a bit of each window */
    uint64_t surely[BLOOM_BYTES / 8];  /* six */
};
struct bz_canary_tables { /* all of them `all`, or zero */
    struct leak_canary of[BZ_CANARY_TABLES];
};
void leak_canary_anchors(const struct leak_canary *c, uint32_t anchors[SYM_END + 1]);
void leak_canary_init(struct leak_canary *c, struct bz_view text);
void leak_canary_all(struct leak_canary *c, struct bz_canary_tables *kept); /* kept: may be NULL */
static inline uint64_t leak_bloom_hash(uint64_t window) {
    return window * UINT64_C(0x9e3779b97f4a7c15);
}
static inline bool leak_bloom_has(const uint64_t *bits, uint64_t h) {
    return (bits[h >> 55] >> (h >> 49 & 63) & 1) != 0;
}
bool leak_canary_surely(const struct leak_canary *c, uint64_t window);
/* Does the row that ends before `end` (n symbols of it at hand) end with a form of the canary? */
bool leak_canary_check(const struct leak_canary *c, const uint8_t *end, size_t n,
                       enum leak_form *ret);

/* ---- row.c ---- */
enum { CHUNK = 384, ROW_CAP = 2 * CHUNK + 8 };
struct leak_row {  /* one selection of a text's characters */
    uint64_t win;  /* the last ten differences, six bits each */
    uint32_t n;    /* symbols so far, at most HIST */
    uint32_t prev; /* the last letter */
    uint8_t hist[HIST];
};
struct leak_look {              /* what windows are looked up in */
    struct leak_canary *canary; /* NULL: none */
    struct leak_tables tables;
    bool has_tables, has_anchors;
    /* Per symbol four bytes, a bit each for some four symbols in a row of a canary or of a secret's
     * first window: is it the first, second, third, last of them? */
    uint32_t anchors[SYM_END + 1];
};
struct leak_found {
    int item; /* -1: the canary */
    enum leak_form form;
};
/* mem: HIST bytes of room, then n new symbols. true: found. Cost O(n). */
bool leak_row_scan(struct leak_row *r, const struct leak_look *l, uint8_t *mem, size_t n,
                   struct leak_found *ret);
/* The same for one symbol. */
bool leak_row_push(struct leak_row *r, const struct leak_look *l, uint8_t c,
                   struct leak_found *ret);
/* Every 2nd to 9th symbol: mem as leak_row_scan left it, before: symbols of the row before these, at
 * most HIST. */
bool leak_strides(const struct leak_look *l, const uint8_t *mem, size_t before, size_t n,
                  struct leak_found *ret);
/* Symbols at the end of the row that may be the beginning of something kept. */
size_t leak_row_tail(const struct leak_row *r, const struct leak_look *l);

/* ---- names.c ---- */
uint8_t leak_morse(uint32_t code,
                   unsigned n); /* dashes are ones, first sign highest; SYM_END: none */
uint8_t leak_spelt(const uint8_t *sym, size_t n); /* "alpha", "seven"; SYM_END: none */

/* ---- watch.c, tokens.c, escapes.c ---- */
enum { WORD_MAX = 48, FEEDS = 16, BATCH = 64, ESC_MAX = 12 };
enum row_name {
    ROW_TEXT,
    ROW_UNESCAPED,
    ROW_FIRST,
    ROW_LAST,
    ROW_LINES,
    ROW_SENTENCES,
    ROW_CAPITALS,
    ROW_SPELT,
    ROW_MORSE,
    ROW_BITS,
    ROW_BASE64,
    ROW_HEX,
    ROW_OWN,           /* so many a channel has */
    ROW_ODD = ROW_OWN, /* of the whole reply: odd words, in the order in which they came */
    ROW_LEET,
    ROW_PIECES, /* what stands behind numbers of pieces, words or not */
    ROW_COUNT
};
const char *leak_row_name(enum row_name r);

struct bz_leak_reply {
    struct bz_alloc a;
    struct leak_look look;
    struct bz_canary_tables *canaries; /* NULL: none are kept */
    struct leak_row shared[ROW_COUNT - ROW_OWN];
    uint32_t codes;  /* symbols of words with digits or capitals within, so far */
    uint64_t *known; /* runs of words that the user knows, sorted */
    size_t known_n, known_cap;
};
struct leak_word_state { /* the word that is being read, or that ended and waits for what follows */
    uint32_t n;          /* symbols */
    uint8_t flags;       /* CH_* of its bytes */
    uint8_t first;
    bool rest;           /* of one longer than WORD_MAX */
    bool apart;          /* a blank stands before it */
    bool line, sentence; /* it begins one */
    bool waits;
    bool colon;     /* ':' or '=' is among the signs behind it */
    bool stop;      /* ')', ']' or '.' is the first of them */
    uint8_t behind; /* signs behind it, at most 255 */
    uint8_t raw[WORD_MAX];
};
struct feed_mark {
    uint64_t byte, sym; /* where a call began */
};
struct bz_leak_watch {
    struct bz_leak_reply *r;
    bool json, found;
    bool unescapes;                /* ROW_UNESCAPED is another one than ROW_TEXT */
    bool blank;                    /* the last character was one, or '/' */
    bool line, sentence;           /* the next word begins one */
    uint8_t piece;                 /* 1: the next word is one; 2: the last one was */
    uint8_t esc[ESC_MAX], esc_n;   /* an escape that is not whole */
    uint8_t jesc[ESC_MAX], jesc_n; /* the same of JSON */
    struct bz_leak_hit hit;
    uint64_t fed, syms, settled;
    struct feed_mark marks[FEEDS];
    uint32_t marks_n;
    struct leak_word_state word;
    struct leak_words words;
    uint32_t morse, morse_n, bits, bits_n;
    struct leak_row rows[ROW_OWN];
};

struct leak_batch {
    uint8_t mem[HIST + BATCH];
    uint32_t n;
};
struct leak_pass { /* over one chunk of text */
    struct bz_leak_watch *w;
    size_t n; /* symbols of the text row */
    uint8_t text[HIST + ROW_CAP];
    uint32_t used; /* batches with symbols, a bit each; the others are not to be read */
    struct leak_batch batch[ROW_COUNT];
};
_Static_assert(ROW_COUNT <= 32, "a bit each");
void leak_found(struct bz_leak_watch *w, enum row_name row, const struct leak_found *f);
/* n symbols behind mem's first HIST: the text row and its distances. */
void leak_text_scan(struct bz_leak_watch *w, uint8_t *mem, size_t n);
struct leak_row *leak_row_of(struct bz_leak_watch *w, enum row_name row);
/* tokens.c: at most CHUNK bytes, whole code points. */
void leak_tokens(struct leak_pass *p, struct bz_view text);
void leak_tokens_end(struct leak_pass *p); /* the text ends */
void leak_batches_flush(struct leak_pass *p);

/* escapes.c: one escape at the beginning of v. Bytes used; 0: it may go on behind v's end. *ret_cp:
 * what it stands for; UINT32_MAX: it is none, its first byte was used. */
size_t leak_escape(struct bz_view v, bool json, bool last, uint32_t *ret_cp);
/* Symbols of a text whose escapes are read; what may go on stays in w->esc. */
size_t leak_unescape(struct bz_leak_watch *w, struct bz_view text, bool last, uint8_t *out,
                     size_t cap);
/* JSON text to text, at most 3 bytes more than v; what may go on stays in w->jesc. */
size_t leak_unjson(struct bz_leak_watch *w, struct bz_view v, bool last, uint8_t *out);

#endif
