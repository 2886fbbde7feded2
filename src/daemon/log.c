/* Lines on stderr: in the foreground of `bartizan up`, or in run/up.log. */
#include <stdarg.h>
#include <stdio.h>

#include "daemon.h"

void bz_log(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)fputs("bartizand: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
}

const char *bz_log_safe(struct bz_view v) {
    static char mem[2048];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem - 1);
    bz_put_safe(&b, v);
    mem[b.n] = '\0';
    return mem;
}
