#ifndef TRAIN_CLASSIFIER_H
#define TRAIN_CLASSIFIER_H

#include <stdio.h>

#include <bartizan/json.h>

#include "../src/injection/classifier.h"
#include "../src/injection/classifier_words.h"

#define TABLE_LOG2 18
#define TABLE ((size_t)1 << TABLE_LOG2)
#define WORDS_MAX 3072 /* of a training text; the corpus tools cut documents shorter */
#define SOURCES_MAX 512

struct row {
    struct bz_view text; /* canonical */
    uint32_t (*place)[BZ_WORDS_PLACES];
    size_t words;
    uint32_t source, signs;
    float weight;
    bool attack, valid, document;
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
/* Trains on the rows of split "train", sets thresholds on those of "valid", writes the file. */
bool train(struct rows *rs, const char *out);

#endif
