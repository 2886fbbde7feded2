/* What a terminal, or its absence, asks of a writer. */
#ifndef BZ_TERM_H
#define BZ_TERM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Columns of the terminal behind `f`; where there is none, COLUMNS of the environment; 0: neither is known.
 * Never less than 40. */
size_t bz_term_columns(FILE *f);
/* The same for text that people read in one go: at most 100, and 80 where nothing is known. */
size_t bz_term_text_columns(FILE *f);
/* A line on standard error that says how far long work is, at most ten times a second. */
struct bz_progress {
    bool on; /* somebody looks: standard error is a terminal */
    bool shown;
    uint64_t last; /* ms */
};
/* Nothing is ever shown unless `wanted`, nor in the first tenth of a second. */
void bz_progress_begin(struct bz_progress *p, bool wanted);
/* It is time for another line. */
bool bz_progress_due(struct bz_progress *p);
/* Writes it over the one before, as much as fits. The format is ours. */
void bz_progress_show(struct bz_progress *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Takes it away: before anything else is written, and at the end. */
void bz_progress_clear(struct bz_progress *p);

#endif
