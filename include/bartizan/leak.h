/* What may not leave: canaries of a conversation, configured secrets, text of the system prompt. A
 * matcher over everything that a model says, in any cut, in any channel.
 *
 * Forms that are found: as it is (any case, blanks and signs between its characters), base64 at the
 * three alignments, base32, hex, URL escapes, \u and \x escapes, HTML entities, reversed, ROT1..25,
 * Atbash, Morse, leet, each letter named, first letters of words or lines, every n-th character,
 * pieces spread over one text with an index. docs/LEAKS.md lists them with what is not found. */
#ifndef BARTIZAN_LEAK_H
#define BARTIZAN_LEAK_H

#include <bartizan/arena.h>
#include <bartizan/buf.h>

enum bz_leak_kind { BZ_LEAK_CANARY, BZ_LEAK_SECRET, BZ_LEAK_PROMPT, BZ_LEAK_COUNT };
const char *bz_leak_kind_name(enum bz_leak_kind k);

/* A canary: letters and digits, 80 bits, made from a key and what it is for (conversation, user), so
 * that nothing has to be kept. Never a word, never the beginning of another. */
#define BZ_CANARY_TEXT 16
void bz_canary_make(const uint8_t key[32], struct bz_view owner, struct bz_view conversation,
                    char out[BZ_CANARY_TEXT + 1]);
/* The line of the system prompt that holds it. */
void bz_canary_line(const char canary[BZ_CANARY_TEXT + 1], struct bz_buf *out);

struct bz_leak_item {
    enum bz_leak_kind kind;
    struct bz_view name;  /* for records and alerts; never the value */
    struct bz_view value; /* a secret: 8 to 512 bytes; a prompt: any text, by its word n-grams */
};
/* For the image: secrets are kept so that the blob does not hold them in clear (keyed hashes of
 * windows), as workers hold no secret. key: 32 bytes. */
enum bz_status bz_leak_compile(const struct bz_leak_item *items, size_t n, const uint8_t key[32],
                               struct bz_buf *out) BZ_MUST_USE;
struct bz_leaks { /* a checked view of a blob */
    struct bz_view bytes;
};
enum bz_status bz_leaks_open(struct bz_view blob, struct bz_leaks *ret) BZ_MUST_USE;

/* One channel of a reply (or a whole text): text in pieces of whole code points. */
struct bz_leak_watch;
struct bz_leak_hit {
    enum bz_leak_kind kind;
    struct bz_view name;
    const char *form;    /* static: "as it is", "base64", ... */
    uint64_t start, end; /* of the channel's text */
};
/* canary: 0 length: none. Memory of `a`, a few hundred bytes until there is text. ENOMEM. */
enum bz_status bz_leak_watch_new(const struct bz_leaks *l, struct bz_view canary, struct bz_alloc a,
                                 struct bz_leak_watch **ret) BZ_MUST_USE;
void bz_leak_watch_free(struct bz_leak_watch *w); /* NULL is fine */
/* *ret_hit: n == 0 name means none. *ret_settled: text before it may leave: no later piece can make
 * it part of a leak of the direct forms; forms that spread over a whole text (first letters, pieces)
 * are told as soon as enough of them is there. Same answer for every cut, but for when it is told.
 * OK; EDENIED (a leak: *ret_hit); ENOMEM. Cost O(piece). */
enum bz_status bz_leak_watch_feed(struct bz_leak_watch *w, struct bz_view text, bool last,
                                  uint64_t *ret_settled, struct bz_leak_hit *ret_hit) BZ_MUST_USE;

#endif
