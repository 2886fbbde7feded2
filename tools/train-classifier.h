#ifndef TRAIN_CLASSIFIER_H
#define TRAIN_CLASSIFIER_H

#include <stdio.h>

#include <bartizan/buf.h>
#include <bartizan/json.h>

#include "../src/injection/classifier.h"
#include "../src/injection/classifier_words.h"

#define TABLE_LOG2 18
#define TABLE ((size_t)1 << TABLE_LOG2)
#define WORDS_MAX 3072 /* of a training text; the corpus tools cut documents shorter */
#define SOURCES_MAX 512

enum row_kind { /* "document" of a row */
                ROW_TEXT,
                ROW_DOCUMENT, /* prose, tables, mails */
                ROW_OUTPUT,   /* code, settings, what programs print */
                ROW_KINDS
};
struct row {
    struct bz_view text; /* canonical */
    uint32_t (*place)[BZ_WORDS_PLACES];
    uint16_t (*net)[BZ_NET_PARTS];
    size_t words;
    uint32_t source, signs;
    float weight;
    enum row_kind kind;
    bool attack, valid;
};
struct rows {
    struct row *row;
    size_t n, cap;
    uint32_t sources_n;
    char source[SOURCES_MAX][64];
};

/* Calls `each` for every line; complains on stderr and clears *ok for lines that are no JSON. */
void rows_read(FILE *f, const char *name, bool *ok,
               void (*each)(void *, const struct bz_json *, struct bz_arena *), void *arg);
/* The table's fit is over: windows of a row by what they weigh there, heaviest first. */
#define NET_WINDOWS 3
struct net_window {
    size_t from, n;
    int32_t sum;
};
size_t net_windows(const struct bz_classifier *c, const struct row *row,
                   struct net_window ret[NET_WINDOWS]);
/* Fits the net to the rows of a fold and writes it as the weights file has it. c: table and gate. */
bool fit_net(const struct rows *rs, const struct bz_classifier *c, unsigned fold,
             struct bz_buf *out);

struct random {
    uint64_t s;
};
uint64_t random_next(struct random *r); /* splitmix64 */
void shuffle(struct random *r, uint32_t *v, size_t n);
/* fold: 0 and 1 are the halves that the second stage learns from, 2 is all. */
bool in_fold(size_t i, unsigned fold);

/* Trains on the rows of split "train", sets thresholds on those of "valid", writes the file. */
bool train(struct rows *rs, const char *out);

#endif
