/* A convolution over the words of one window: where the table adds up what words are there, this sees
 * in which order. Asked only about windows that the table finds heavy.
 *
 *   word -> four rows of a hashed table (word twice, stem, signs before it), added: 16 numbers
 *        -> 32 filters over three words in a row -> the largest of each -> one sum
 *
 * Bytes and integers throughout: every processor gives the same. */
#ifndef BZ_INJECTION_CLASSIFIER_NET_H
#define BZ_INJECTION_CLASSIFIER_NET_H

#include <bartizan/rd.h>

#include "classifier_words.h"

#define BZ_NET_LOG2 13
#define BZ_NET_ROWS ((size_t)1 << BZ_NET_LOG2)
#define BZ_NET_SIZE 16 /* numbers of a word */
#define BZ_NET_WIDTH 3 /* words under a filter */
#define BZ_NET_FILTERS 32
#define BZ_NET_INPUTS (BZ_NET_WIDTH * BZ_NET_SIZE)
#define BZ_NET_PARTS 4 /* rows of a word */
#define BZ_NET_WORDS (2 * BZ_WORDS_BLOCK)
#define BZ_NET_SHIFT 6  /* of a filter's largest value, before it is weighed */
#define BZ_NET_UNIT 256 /* of the sum: a logit */

struct bz_net {
    const uint8_t *rows; /* BZ_NET_ROWS * BZ_NET_SIZE signed bytes, lent */
    int16_t filter[BZ_NET_INPUTS / 2][BZ_NET_FILTERS][2]; /* pairs of inputs side by side */
    int32_t bias[BZ_NET_FILTERS], out[BZ_NET_FILTERS];    /* out: 65,536 is one unit of the sum */
    int32_t out_bias;
};

/* Rows of the table for word `i` of the reader's last block. */
void bz_net_place(const struct bz_words *r, size_t i, uint16_t ret[BZ_NET_PARTS]);
/* Reads what bz_net_write wrote; the cursor latches what is wrong. */
void bz_net_read(struct bz_rd *r, struct bz_net *ret);
/* The sum for words 0 to n-1, n <= BZ_NET_WORDS; BZ_NET_UNIT a logit. plain: without vector
 * instructions (the tests compare). */
int32_t bz_net_sum(const struct bz_net *net, const uint16_t (*place)[BZ_NET_PARTS], size_t n,
                   bool plain);

#endif
