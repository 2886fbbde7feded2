/* Secrets: what the files secrets*.c share.
 *
 * A class of secrets is one row or a few. A row of the first table (secrets_prefix.h) is a literal that
 * only its provider uses and the form of what follows. A row of the second (secrets_keyed.h) belongs
 * to a group of words that stand before a value (a provider's name, "password"), and gives the
 * value's form. The rest (secrets_special.c) is code: JWTs, private keys, URLs, headers.
 *
 * Every try has three answers: no, yes, and "the text ends before that is known". hit() emits what
 * is yes, live() holds what is not known. */
#ifndef DETECT_SECRETS_H
#define DETECT_SECRETS_H

#include "detector.h"
#include "secrets_types.h"

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_MORE };

struct match {
    size_t start, end;
    size_t type; /* SECRET_... */
    enum bz_proof proof;
};

/* ---- secrets_form.c: forms, entropy, encodings ----
 * A form is a sequence of elements: 'literal' in quotes, or the letter of a class with how many of it
 * ("w36", "d10-13"; one if no number stands there). Classes are greedy and never give back.
 *   d 0-9    x 0-9a-f    w letters and digits    k base64url    b base64    U a UUID    and others */
bool form_class(char cls, uint8_t c);
struct form_end {
    size_t end;
    char last; /* class of the last element, 0 for a literal */
    bool cut;  /* a class stopped at its maximum and its run goes on */
};
enum answer form_match(const struct scan *s, size_t at, const char *form, struct form_end *ret);
/* Shannon's entropy of the bytes in tenths of a bit per byte. */
unsigned form_entropy(struct bz_view v);
/* Base64 of both alphabets, as far as it goes, into out; how many bytes. */
size_t form_base64(struct bz_view v, uint8_t *out, size_t cap);
/* CRC-32 of `v` as six digits of base 62. */
void form_crc62(struct bz_view v, char out[6]);

/* ---- secrets_judge.c: is a value a secret or something that only stands in its place ---- */
bool judge_placeholder(struct bz_view v); /* "your_api_key", "xxxx", "<...>", "AKIA...EXAMPLE" */
bool judge_random(struct bz_view v);      /* letters and digits mixed as words never are */
bool judge_password(struct bz_view v, bool quoted);
bool judge_symbols(struct bz_view v); /* the same with marks: "6h&2k$9x@q!z..." */
bool judge_uuid(struct bz_view v);
/* Any of the words (lower case, ends with NULL) is in v, any case. */
bool judge_has(struct bz_view v, const char *const *words);

/* ---- the tables ---- */
enum secret_check {
    CHECK_NONE,
    CHECK_GITHUB,   /* a wrong checksum: only the form */
    CHECK_BARTIZAN, /* a wrong checksum: none of ours */
    CHECK_BECH32,
    CHECK_MIXED, /* lower case, upper case and digits */
};
enum {
    ROW_LONG = 1,      /* may be longer than one match: the rest follows, see secrets_more */
    ROW_FORM = 2,      /* proves no more than a form */
    ROW_SECRET = 4,    /* keyed: "secret" stands between the word and the value */
    ROW_DIGITS = 8,    /* keyed: the value is a number */
    ROW_PASSWORD = 16, /* keyed: no form, judge_password decides */
    ROW_GENERIC = 32,  /* keyed: no form, entropy decides */
    ROW_HEADER = 64,   /* keyed: the value of an Authorization header */
};
struct secret_row {
    uint16_t type, group;
    const char *lead; /* literal before the form; "" in keyed rows */
    const char *form;
    uint8_t entropy; /* at least, tenths */
    uint8_t check, flags;
};
extern const struct secret_row secrets_prefix[]; /* sorted by lead, bytewise */
extern const size_t secrets_prefix_n;
extern const struct secret_row secrets_keyed[]; /* sorted by group */
extern const size_t secrets_keyed_n;

enum {
    WORD_ANY = 1,    /* also within a longer word: "dbpassword" */
    WORD_DIRECT = 2, /* the value follows at once, no operator */
    WORD_WHOLE = 4,  /* no letter follows: "pwd", not "pwdx" */
};
struct secret_word {
    const char *text; /* lower case */
    uint16_t group;
    uint8_t flags;
};
extern const struct secret_word secrets_words[];
extern const size_t secrets_words_n;

/* ---- tries ---- */
/* secrets_prefix.c: row's lead stands at `at`. */
enum answer secrets_try_prefix(const struct scan *s, const struct secret_row *row, size_t at,
                               struct match *ret);
/* secrets_keyed.c: the word stands at `at`. */
bool secrets_word_at(const struct scan *s, const struct secret_word *w, size_t at);
/* secrets_keyed.c: where the value begins after the word [at, end); false: no value here (yet). */
bool secrets_value(const struct scan *s, const struct secret_word *w, size_t at, size_t end,
                   size_t *ret_value);
enum answer secrets_try_keyed(const struct scan *s, const struct secret_row *row, size_t word,
                              size_t value, struct match *ret);
/* Rows of the group. */
size_t secrets_group(unsigned group, size_t *ret_first);

/* secrets_special.c: each wakes at the end of its trigger. */
enum special {
    SPECIAL_JWT,
    SPECIAL_JWT64,
    SPECIAL_PEM,
    SPECIAL_URL,
    SPECIAL_CURL,
    SPECIAL_AZURE,
    SPECIAL_FACEBOOK,
    SPECIAL_TELEGRAM,
    SPECIAL_KUBERNETES_0, /* the first value */
    SPECIAL_KUBERNETES_1,
    SPECIAL_KUBERNETES_2,
    SPECIAL_COUNT
};
/* May the number of a bot of Telegram begin here? */
bool secrets_bot_edge(const struct scan *s, size_t at);
enum answer secrets_try_special(const struct scan *s, enum special kind, size_t end,
                                struct match *ret);
/* secrets_pem.c. end: behind "-----BEGIN ". */
enum answer secrets_pem(const struct scan *s, size_t end, struct match *ret);
/* The rest of what was longer than one match: a finding of `type` ended at `at`. Where the match that
 * begins at `at` ends; `at` if there is none; SECRETS_UNKNOWN if the text ends before that is known. */
#define SECRETS_UNKNOWN SIZE_MAX
size_t secrets_more(const struct scan *s, size_t type, size_t at);

/* A keyed match in plain words would wake nobody in a stream (the rule of quiet). */
bool secrets_loud(const struct scan *s, size_t start);

#endif
