#include "term.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <bartizan/view.h>

enum { OFTEN_MS = 100, NARROW = 40, USUAL = 80, READABLE = 100 };

/* 0: no terminal, or one that does not say. */
static size_t columns_of(FILE *f) {
    struct winsize ws = {0};
    return isatty(fileno(f)) && ioctl(fileno(f), TIOCGWINSZ, &ws) == 0 ? ws.ws_col : 0;
}

size_t bz_term_columns(FILE *f) {
    uint64_t n = columns_of(f);
    const char *env = getenv("COLUMNS");
    if (n == 0 && (env == NULL || bz_view_u64(bz_view_str(env), &n) != BZ_OK || n > 10000))
        return 0;
    return n == 0 ? 0 : n < NARROW ? NARROW : (size_t)n;
}

size_t bz_term_text_columns(FILE *f) {
    size_t n = bz_term_columns(f);
    return n == 0 ? USUAL : n > READABLE ? READABLE : n;
}

static uint64_t now_ms(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void bz_progress_begin(struct bz_progress *p, bool wanted) {
    *p = (struct bz_progress){.on = wanted && isatty(STDERR_FILENO) == 1, .last = now_ms()};
}

bool bz_progress_due(struct bz_progress *p) {
    uint64_t now = p->on ? now_ms() : 0;
    if (!p->on || now - p->last < OFTEN_MS)
        return false;
    p->last = now;
    return true;
}

void bz_progress_show(struct bz_progress *p, const char *fmt, ...) {
    char line[256];
    size_t columns = columns_of(stderr);
    va_list ap;
    if (!p->on)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    /* The last column stays free: some terminals begin a new line there. */
    (void)fprintf(stderr, "\r\033[K%.*s", (int)(columns == 0 ? USUAL : columns) - 1, line);
    (void)fflush(stderr);
    p->shown = true;
}

void bz_progress_clear(struct bz_progress *p) {
    if (p->shown)
        (void)fputs("\r\033[K", stderr);
    p->shown = false;
}
