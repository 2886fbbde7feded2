/* Trains the injection classifier's weights, and scores texts with them. Works on the canonical
 * readings and with the feature code that the gateway uses: training and scoring cannot differ.
 *
 *   train-classifier train WEIGHTS FILE...       JSONL rows, see read_row; writes WEIGHTS
 *   train-classifier score WEIGHTS|- [CHANNEL]   rows on stdin; "EVIDENCE SCORE" a line; -: built in
 *   train-classifier words WEIGHTS|- TEXT        what each word of a text weighs
 *
 * docs/CLASSIFIER.md says how the rows come about and which command made the weights. */
#include "train-classifier.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- rows ---------------------------------------------------------------------------------------- */

static void *need(void *p) {
    if (p == NULL) {
        fputs("train-classifier: out of memory\n", stderr);
        exit(2);
    }
    return p;
}

/* The words of a reading as places of the table. */
static void read_words(struct row *row, struct bz_view text, size_t max) {
    struct bz_words *r = need(malloc(sizeof(*r)));
    uint32_t block[BZ_WORDS_BLOCK][BZ_WORDS_PLACES];
    size_t cap = 0;
    bz_words_init(r, text, false);
    for (size_t n; row->words < max && (n = bz_words_block(r, TABLE_LOG2, block)) > 0;) {
        if (row->words + n > cap) {
            cap = cap == 0 ? 64 : cap * 2;
            row->place = need(realloc(row->place, cap * sizeof(block[0])));
            row->net = need(realloc(row->net, cap * sizeof(row->net[0])));
        }
        for (size_t i = 0; i < n; i++)
            bz_net_place(r, i, row->net[row->words + i]);
        memcpy(row->place + row->words, block, n * sizeof(block[0]));
        row->words += n;
    }
    free(r);
}

static float member_f(const struct bz_json *o, struct bz_view key, float or_else) {
    double v;
    const struct bz_json *m = bz_json_get(o, key);
    return m != NULL && bz_json_f64(m, &v) == BZ_OK ? (float)v : or_else;
}

static uint32_t source_of(struct rows *rs, struct bz_view name) {
    for (uint32_t i = 0; i < rs->sources_n; i++)
        if (bz_view_eq(bz_view_str(rs->source[i]), name))
            return i;
    if (rs->sources_n == SOURCES_MAX || name.n >= sizeof(rs->source[0])) {
        fputs("train-classifier: too many sources, or a name too long\n", stderr);
        exit(2);
    }
    memcpy(rs->source[rs->sources_n], name.p, name.n);
    return rs->sources_n++;
}

/* {"text": ..., "label": 0|1, "source": ..., "split": "train"|"valid", "weight": 1, "document": 0|1|2} */
static void read_row(struct rows *rs, const struct bz_json *o, struct bz_arena *ar) {
    struct bz_view text = bz_json_str(bz_json_get(o, BZ_V("text")));
    struct bz_view source = bz_json_str(bz_json_get(o, BZ_V("source")));
    struct bz_view split = bz_json_str(bz_json_get(o, BZ_V("split")));
    float kind = member_f(o, BZ_V("document"), 0);
    if (text.n == 0)
        return;
    if (!(kind >= 0 && kind < ROW_KINDS)) {
        fputs("train-classifier: document is 0, 1 or 2; row left out\n", stderr);
        return;
    }
    if (rs->n == rs->cap) {
        rs->cap = rs->cap == 0 ? 65536 : rs->cap * 2;
        rs->row = need(realloc(rs->row, rs->cap * sizeof(*rs->row)));
    }
    struct row *row = &rs->row[rs->n];
    memset(row, 0, sizeof(*row));
    struct bz_reading *readings;
    size_t n;
    if (bz_readings(text, ar, &readings, &n) != BZ_OK || n == 0) {
        fputs("train-classifier: a text has no canonical form; row left out\n", stderr);
        return;
    }
    row->attack = member_f(o, BZ_V("label"), 0) > 0.5f;
    row->valid = bz_view_eq(split, BZ_V("valid"));
    row->kind = (enum row_kind)kind;
    row->weight = member_f(o, BZ_V("weight"), 1);
    row->source = source_of(rs, source);
    row->signs = readings[0].signs;
    row->text = bz_view(need(malloc(readings[0].text.n + 1)), readings[0].text.n);
    memcpy((void *)(uintptr_t)row->text.p, readings[0].text.p, row->text.n);
    read_words(row, row->text, WORDS_MAX);
    if (row->words > 0)
        rs->n++;
}

void rows_read(FILE *f, const char *name, bool *ok,
               void (*each)(void *, const struct bz_json *, struct bz_arena *), void *arg) {
    char *line = NULL;
    size_t cap = 0, no = 0;
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, (size_t)1 << 30, NULL, 0);
    for (ssize_t n; (n = getline(&line, &cap, f)) > 0;) {
        struct bz_json *root;
        struct bz_diag diag = {0};
        no++;
        if (bz_json_parse(bz_view(line, (size_t)n), NULL, &ar, &root, &diag) != BZ_OK) {
            fprintf(stderr, "%s:%zu: no JSON object: %s\n", name, no,
                    diag.why == NULL ? "" : diag.why);
            *ok = false;
        } else {
            each(arg, root, &ar);
        }
        bz_arena_free(&ar);
    }
    free(line);
}

static void each_train(void *arg, const struct bz_json *o, struct bz_arena *ar) {
    read_row(arg, o, ar);
}

/* ---- score --------------------------------------------------------------------------------------- */

struct scoring {
    struct bz_classifier c;
    enum bz_channel channel;
};

static void each_score(void *arg, const struct bz_json *o, struct bz_arena *ar) {
    struct scoring *s = arg;
    struct bz_view text = bz_json_str(bz_json_get(o, BZ_V("text")));
    struct bz_reading *readings;
    size_t n;
    struct bz_classified best = {.evidence = INT32_MIN}, one;
    if (bz_readings(text, ar, &readings, &n) == BZ_OK)
        for (size_t i = 0; i < n; i++) {
            bz_classifier_score(&s->c, &readings[i], s->channel, &one);
            if (i == 0 || one.evidence > best.evidence)
                best = one;
        }
    printf("%d %.4f\n", best.evidence, (double)best.score);
}

/* The file's bytes live as long as the program: the classifier looks into them. */
static bool open_weights(const char *name, struct bz_classifier *ret) {
    struct bz_view v = bz_classifier_builtin();
    if (strcmp(name, "-") != 0) {
        FILE *f = fopen(name, "rb");
        uint8_t *p = need(malloc((size_t)1 << 20));
        v = bz_view(p, f == NULL ? 0 : fread(p, 1, (size_t)1 << 20, f));
        if (f != NULL)
            fclose(f);
    }
    enum bz_status st = bz_classifier_open(v, ret);
    if (st != BZ_OK)
        fprintf(stderr, "%s: %s\n", name, bz_status_text(st));
    return st == BZ_OK;
}

static int words_main(const char *weights, struct bz_view text) {
    static struct bz_classifier c; /* large, as the reader is */
    static struct bz_words r;
    struct bz_arena ar;
    struct bz_reading *readings;
    size_t n;
    uint32_t block[BZ_WORDS_BLOCK][BZ_WORDS_PLACES];
    bz_arena_init(&ar, bz_alloc_heap, (size_t)1 << 26, NULL, 0);
    if (!open_weights(weights, &c) || bz_readings(text, &ar, &readings, &n) != BZ_OK || n == 0)
        return 2;
    bz_words_init(&r, readings[0].text, false);
    while ((n = bz_words_block(&r, c.table_log2, block)) > 0)
        for (size_t i = 0; i < n; i++) {
            printf("%-20.*s", (int)(r.stop[i] - r.start[i]), readings[0].text.p + r.start[i]);
            for (size_t k = 0; k < BZ_WORDS_PLACES; k++)
                printf(" %4d", (int8_t)c.table[block[i][k]]);
            printf("\n");
        }
    struct bz_classified got;
    bz_classifier_score(&c, &readings[0], BZ_CHANNEL_USER, &got);
    printf("evidence %d score %.3f\n", got.evidence, (double)got.score);
    bz_arena_free(&ar);
    return 0;
}

int main(int argc, char **argv) {
    bool ok = true;
    if (argc >= 4 && strcmp(argv[1], "train") == 0) {
        struct rows *rs = need(calloc(1, sizeof(*rs)));
        for (int i = 3; i < argc; i++) {
            FILE *f = fopen(argv[i], "r");
            if (f == NULL) {
                perror(argv[i]);
                return 2;
            }
            rows_read(f, argv[i], &ok, each_train, rs);
            fclose(f);
        }
        return ok && train(rs, argv[2]) ? 0 : 2;
    }
    if (argc >= 3 && strcmp(argv[1], "score") == 0) {
        struct scoring s = {.channel = BZ_CHANNEL_USER};
        if (argc > 3 && !bz_channel_from_name(bz_view_str(argv[3]), &s.channel)) {
            fputs("train-classifier: the channel is user, tool or document\n", stderr);
            return 2;
        }
        if (!open_weights(argv[2], &s.c))
            return 2;
        rows_read(stdin, "stdin", &ok, each_score, &s);
        return ok ? 0 : 2;
    }
    if (argc == 4 && strcmp(argv[1], "words") == 0)
        return words_main(argv[2], bz_view_str(argv[3]));
    fputs("usage: train-classifier train WEIGHTS FILE... | score WEIGHTS [CHANNEL] | words WEIGHTS "
          "TEXT\n",
          stderr);
    return 2;
}
