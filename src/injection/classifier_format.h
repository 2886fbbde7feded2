/* The weights file, little-endian:
 *
 *   0   8  "BZCLASS2"
 *   8   4  table_log2, 10 to 18
 *  12   4  features of the second stage: BZ_STAGE_COUNT
 *  16   4  bias of the second stage, 65,536 a logit
 *  20   4n its weights, 65,536 a logit and unit of the feature
 *   .   8c per channel: evidence at which `flag` begins, and `block`, which is higher
 *   .   4  a text is shown to the net when its heaviest window is heavier than this
 *   .   .  the net (classifier_net.h): its table, filters, biases, weights of the filters, bias
 *   .   .  1 << table_log2 weights of one signed byte; the first is 0
 *   .   8  checksum of all before: bz_classifier_sum
 *
 * Features of the second stage, integers: */
#ifndef BZ_INJECTION_CLASSIFIER_FORMAT_H
#define BZ_INJECTION_CLASSIFIER_FORMAT_H

#include <bartizan/injection.h>

#define BZ_CLASSIFIER_MAGIC "BZCLASS2"
#define BZ_CLASSIFIER_LOG2_MIN 10
#define BZ_CLASSIFIER_LOG2_MAX 18

enum bz_classifier_column {
    BZ_STAGE_TOP,    /* heaviest window of 32 words */
    BZ_STAGE_SECOND, /* second heaviest, or the heaviest again */
    BZ_STAGE_RUN_5,  /* heaviest 5 words in a row, 10, 20 */
    BZ_STAGE_RUN_10,
    BZ_STAGE_RUN_20,
    BZ_STAGE_SHORT,   /* heaviest window in texts below 10 words, else 0 */
    BZ_STAGE_MEAN,    /* a word's share of all blocks, times 32 */
    BZ_STAGE_LENGTH,  /* 16 times log2 of the words, at most 160 */
    BZ_STAGE_FEW,     /* words that are missing to 10 */
    BZ_STAGE_NUMBERS, /* in thousands of the words: numbers */
    BZ_STAGE_LONGS,   /* words above 32 bytes */
    BZ_STAGE_FOREIGN, /* words with letters beyond ASCII */
    BZ_STAGE_LINES,   /* words that begin a line */
    BZ_STAGE_SIGNS,   /* words behind signs that prose has few of */
    BZ_STAGE_SIZE,    /* bytes of a word, times 16 */
    BZ_STAGE_NET,     /* the net's sum over the heaviest windows, 256 a logit; 0 if not asked */
    BZ_STAGE_ASKED,   /* 1 if it was */
    BZ_STAGE_DECODED, /* 1 in what was decoded */
    BZ_STAGE_HIDDEN,  /* 1 if the canonical form had to take away or fold hiding characters */
    BZ_STAGE_COUNT
};

/* Window sums are at most this far from 0 in the second stage. */
#define BZ_STAGE_CLIP 8191

/* FNV-1a, 64 bits. */
uint64_t bz_classifier_sum(struct bz_view v);

struct bz_classifier;
struct bz_reading;
/* The second stage's features of a reading, for the trainer. */
void bz_classifier_look(const struct bz_classifier *c, const struct bz_reading *r, bool plain,
                        int32_t ret[BZ_STAGE_COUNT]);

#endif
