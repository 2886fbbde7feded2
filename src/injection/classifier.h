/* The classifier: hashed word and stem n-grams in an int8 table that lies in L2, summed over windows
 * of 32 words, a small net over those of them that are heavy, and a second stage over the heaviest
 * windows, the net's sum and the look of the text.
 *
 *   canonical text -> words and 8 places of the table each (classifier_words.h) -> sums of blocks
 *        of 16 words -> windows of two blocks, half overlapping -> features of classifier_format.h
 *        -> second stage -> the channel's scale: 0.5 is its threshold of `flag`, 0.75 of `block`
 *
 * Integers up to the last step, so that every processor and compiler gives the same score. */
#ifndef BZ_INJECTION_CLASSIFIER_H
#define BZ_INJECTION_CLASSIFIER_H

#include "classifier_format.h"
#include "classifier_net.h"

#define BZ_CLASSIFIER_SPANS 3

/* An opened weights file. `table` points into it: it must live as long. */
struct bz_classifier {
    const uint8_t *table; /* 1 << table_log2 signed bytes */
    unsigned table_log2;
    int32_t bias, stage[BZ_STAGE_COUNT];
    int32_t gate; /* of the heaviest window, above which the net is asked */
    struct bz_net net;
    struct {
        int32_t flag, block;
    } scale[BZ_CHANNEL_COUNT];
};

struct bz_classifier_span {
    uint32_t start, end; /* bytes of the reading's text */
    int32_t weight;
};
struct bz_classified {
    float score;      /* 0..1: 0.5 where `flag` begins in this channel, 0.75 where `block` does */
    int32_t evidence; /* the second stage's sum before the channel's scale; 65,536 is one logit */
    size_t spans_n;   /* what weighed most, heaviest first; 0 when the score is below 0.25 */
    struct bz_classifier_span spans[BZ_CLASSIFIER_SPANS];
};

/* Checks every byte count, range and the checksum. OK; ECORRUPT; EVERSION. Cost O(weights.n). */
enum bz_status bz_classifier_open(struct bz_view weights, struct bz_classifier *ret) BZ_MUST_USE;
/* Scores one canonical reading. Pure: no memory but the stack (6 KiB). Cost O(r->text.n), some 2 ns
 * a byte. Of a reading of more than 4 GiB the rest is not read. */
void bz_classifier_score(const struct bz_classifier *c, const struct bz_reading *r,
                         enum bz_channel channel, struct bz_classified *ret);

#endif
