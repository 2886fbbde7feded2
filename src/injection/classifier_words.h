/* Words of a canonical text and the places of the classifier's table that they stand for. The trainer
 * uses this very code, so training and scoring cannot differ.
 *
 * A word is a run of ASCII letters and digits and of other letters; letters of scripts that put no
 * blanks between words (Han, kana, Thai, Lao, Khmer, Burmese) and pictures are a word each.
 * What stands between two words is a gap: a single blank, or signs that are part of a feature. */
#ifndef BZ_INJECTION_CLASSIFIER_WORDS_H
#define BZ_INJECTION_CLASSIFIER_WORDS_H

#include <bartizan/view.h>

#define BZ_WORDS_BLOCK 16 /* words of a block; a window is two of them */
#define BZ_WORDS_PLACES 8 /* features of a word */
#define BZ_WORDS_KEEP 3   /* words before the block that its features reach back to */

/* What a reader has counted so far; the second stage looks at shares of these. */
struct bz_words_look {
    uint32_t words, numbers, longs, foreign; /* foreign: words with a byte above 0x7f */
    uint32_t lines;                          /* gaps with a line end */
    uint32_t signs; /* gaps with signs other than blank , . ' - and line end */
    uint32_t word_bytes;
};

struct bz_words {
    const uint8_t *p;
    size_t n, base;      /* base: of the 64 bytes that `mask` is about */
    uint64_t mask;       /* word bytes there that are not read yet */
    size_t run, run_end; /* rest of a run that is read letter by letter */
    size_t end;          /* of the last word */
    bool plain;          /* portable code only */
    struct bz_words_look look;
    uint32_t w[BZ_WORDS_KEEP + BZ_WORDS_BLOCK]; /* hash of word, stem and the gap before it */
    uint32_t s[BZ_WORDS_KEEP + BZ_WORDS_BLOCK];
    uint32_t g[BZ_WORDS_KEEP + BZ_WORDS_BLOCK];
    uint32_t start[BZ_WORDS_BLOCK], stop[BZ_WORDS_BLOCK];
    uint32_t last; /* words of the last block */
};

/* text: at most 4 GiB. plain: do without vector instructions (the tests compare). */
void bz_words_init(struct bz_words *r, struct bz_view text, bool plain);
/* The next block: its words' bytes in r->start/stop and 8 places each, below 1 << log2; place 0 is
 * "no feature". Words of it, 0 at the end; every block but the last is full. */
size_t bz_words_block(struct bz_words *r, unsigned log2,
                      uint32_t place[BZ_WORDS_BLOCK][BZ_WORDS_PLACES]);

#endif
