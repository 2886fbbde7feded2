/* What may not leave: canaries of a conversation, configured secrets, text of the system prompt. A
 * matcher over everything that a model says, in any cut, in any channel.
 *
 * How: of every text to be kept its *forms* are written out beforehand (as it is, base64 at three
 * alignments, hex, decimal codes, pieces with numbers ...; forms.c), and of every form the windows of
 * some characters. What the model says becomes several rows of characters, without case, blanks and
 * signs: all of it, every n-th, first letters of words and lines, odd words, Morse ... (watch.c). Each
 * window of each row is looked up; windows hold differences of letters, so that every rotation of the
 * alphabet is the same window, and those of reversed forms are there too. So rows, forms, rotation
 * and direction combine. docs/LEAKS.md lists them with what is not found. */
#ifndef BARTIZAN_LEAK_H
#define BARTIZAN_LEAK_H

#include <bartizan/arena.h>
#include <bartizan/buf.h>

enum bz_leak_kind { BZ_LEAK_CANARY, BZ_LEAK_SECRET, BZ_LEAK_PROMPT, BZ_LEAK_COUNT };
const char *bz_leak_kind_name(enum bz_leak_kind k); /* "canary", "secret", "prompt" */

/* A canary: 16 of 22 letters (no a, e, i, o: it is never a word) and 10 digits, at least one letter
 * in each four: 79.9 bits. Made from a key and what it is for, so that nothing has to be kept. */
#define BZ_CANARY_TEXT 16
void bz_canary_make(const uint8_t key[32], struct bz_view owner, struct bz_view conversation,
                    char out[BZ_CANARY_TEXT + 1]);
/* The line of the system prompt that holds it. */
void bz_canary_line(const char canary[BZ_CANARY_TEXT + 1], struct bz_buf *out);

struct bz_leak_item {
    enum bz_leak_kind kind; /* SECRET or PROMPT */
    struct bz_view name;    /* for records and alerts, at most BZ_LEAK_NAME_MAX; never the value */
    struct bz_view value;   /* a secret: 8 to 512 bytes, 8 letters and digits; a prompt: any text */
};
struct bz_leak_options {
    uint8_t prompt_overlap; /* percent of a prompt's runs of words among 40 in a row; 0: 40 */
    bool record;            /* a leak is recorded, not stopped */
};
/* For the image. The blob holds keyed hashes of windows, not the secrets. key: 32 bytes, any.
 * OK; EINVAL (*ret_bad: the item: a secret too short or too long, or its name); ETOOBIG; ENOMEM.
 * Cost: about 2 ms per secret of 40 bytes. */
enum bz_status bz_leak_compile(const struct bz_leak_item *items, size_t n,
                               const struct bz_leak_options *o, const uint8_t key[32],
                               struct bz_buf *out, size_t *ret_bad) BZ_MUST_USE;
struct bz_leaks { /* a checked view of a blob; an empty one protects nothing but canaries */
    struct bz_view bytes;
};
/* OK; ECORRUPT; EVERSION. */
enum bz_status bz_leaks_open(struct bz_view blob, struct bz_leaks *ret) BZ_MUST_USE;
bool bz_leaks_record(const struct bz_leaks *l);
bool bz_leaks_prompts(const struct bz_leaks *l); /* is there text of prompts? */

/* One reply: what its channels share. */
struct bz_leak_reply;
/* l: lent, must outlive it. canary: BZ_CANARY_TEXT bytes, or empty: none. ENOMEM. */
enum bz_status bz_leak_reply_new(const struct bz_leaks *l, struct bz_view canary, struct bz_alloc a,
                                 struct bz_leak_reply **ret) BZ_MUST_USE;
/* The same for one that has none yet. ENOMEM. kept: may be NULL; must outlive it. */
struct bz_canary_tables;
enum bz_status bz_leak_reply_canary(struct bz_leak_reply *r, struct bz_view canary,
                                    struct bz_canary_tables *kept) BZ_MUST_USE;
/* Tables of all forms of a canary, of the last conversations: each of their replies needs one, and it
 * costs as much to make as a few KiB of reply to watch. What is found is the same without. mem: zeroed,
 * aligned as malloc does. */
size_t bz_canary_tables_size(void);
struct bz_canary_tables *bz_canary_tables_open(void *mem, size_t n); /* NULL: too small */
void bz_leak_reply_free(struct bz_leak_reply *r); /* NULL is fine; after its watches */
/* A text that the user sent: its runs of words are no secret of the prompt's any more. ENOMEM. */
enum bz_status bz_leak_known(struct bz_leak_reply *r, struct bz_view text) BZ_MUST_USE;

struct bz_leak_hit {
    enum bz_leak_kind kind;
    struct bz_view name; /* of the item; "canary"; lives as long as the blob */
    const char *form;    /* static: "as it is", "base64", ... */
    const char *row;     /* static: "text", "first letters of words", ... */
};

enum bz_leak_when { BZ_LEAK_MORE, BZ_LEAK_PAUSE, BZ_LEAK_LAST };
/* One channel of a reply, or one whole text. json: the text is JSON itself (arguments of tools): its
 * escapes are read. Memory: about 1.5 KiB, asked for with the first text. */
struct bz_leak_watch;
enum bz_status bz_leak_watch_new(struct bz_leak_reply *r, bool json,
                                 struct bz_leak_watch **ret) BZ_MUST_USE;
void bz_leak_watch_free(struct bz_leak_watch *w); /* NULL is fine */
/* The next text, any cut. *ret_settled: text before this place may leave: what follows may be the
 * beginning of something that is kept, as it is (at PAUSE and LAST all is settled). Forms that are
 * not the text itself are told when enough of them is there: see docs/LEAKS.md for how much.
 * The verdict is the same for every cut. OK; EDENIED (*ret_hit; the watch stays good and goes on);
 * ENOMEM. */
enum bz_status bz_leak_watch_feed(struct bz_leak_watch *w, struct bz_view text,
                                  enum bz_leak_when when, uint64_t *ret_settled,
                                  struct bz_leak_hit *ret_hit) BZ_MUST_USE;
/* A whole text: new, feed, free. */
enum bz_status bz_leak_scan(struct bz_leak_reply *r, struct bz_view text, bool json,
                            struct bz_leak_hit *ret_hit) BZ_MUST_USE;

#endif
