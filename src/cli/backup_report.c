/* What the backup commands tell. */
#include "cmd_backup.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <bartizan/json.h>

#include "memlock.h"
#include "term.h"

void bz_found_add(struct bz_found *f, const char *fmt, ...) {
    if (f->n < BZ_FOUND_MAX) {
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(f->text[f->n], BZ_FOUND_TEXT, fmt, ap);
        va_end(ap);
    }
    f->n++;
}

void bz_found_json(struct bz_jw *w, const char *key, const struct bz_found *f) {
    bz_jw_key(w, key);
    bz_jw_arr(w);
    for (size_t i = 0; i < f->n && i < BZ_FOUND_MAX; i++)
        bz_jw_str(w, bz_view_str(f->text[i]));
    bz_jw_end(w);
}

void bz_found_print(const char *prefix, const struct bz_found *f) {
    for (size_t i = 0; i < f->n && i < BZ_FOUND_MAX; i++)
        (void)printf("%s: %s\n", prefix, f->text[i]);
    if (f->n > BZ_FOUND_MAX)
        (void)printf("and %zu more\n", f->n - BZ_FOUND_MAX);
}

int bz_report_end(struct bz_jw *w, struct bz_buf *b, int rc) {
    bz_jw_end(w);
    bz_buf_putc(b, '\n');
    bool ok = bz_buf_status(b) == BZ_OK && fwrite(b->p, 1, b->n, stdout) == b->n;
    bz_buf_free(b);
    return ok && fflush(stdout) == 0 ? rc : BZ_EXIT_FAILURE;
}

void bz_jw_hex(struct bz_jw *w, const char *key, const void *p, size_t n) {
    uint8_t mem[2 * BZ_HASH_LEN];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_hex(&b, bz_view(p, n));
    bz_jw_kstr(w, key, bz_buf_view(&b));
}

/* With three decimals. */
void bz_jw_seconds(struct bz_jw *w, const char *key, uint64_t ns) {
    uint8_t mem[40];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_printf(&b, "%llu.%03llu", (unsigned long long)(ns / 1000000000u),
                  (unsigned long long)(ns / 1000000u % 1000u));
    bz_jw_key(w, key);
    bz_jw_raw(w, bz_buf_view(&b));
}

void bz_backup_progress(const char *what, uint64_t done, uint64_t total) {
    static struct bz_progress p;
    if (p.last == 0)
        bz_progress_begin(&p, true);
    if (done == total) {
        bz_progress_clear(&p);
        return;
    }
    if (!bz_progress_due(&p))
        return;
    if (total == 0)
        bz_progress_show(&p, "%s: %llu MiB", what, (unsigned long long)(done >> 20));
    else
        bz_progress_show(&p, "%s: %llu of %llu MiB (%u %%)", what, (unsigned long long)(done >> 20),
                         (unsigned long long)(total >> 20),
                         (unsigned)((double)done * 100 / (double)total));
}

static volatile sig_atomic_t stopped;

static void stop(int sig) {
    (void)sig;
    stopped = 1;
}

void bz_backup_catch(void) {
    static const int list[] = {SIGINT, SIGTERM, SIGHUP};
    static const struct rlimit none = {0, 0};
    struct sigaction sa = {.sa_handler = stop};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)bz_memory_lock();
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        (void)sigaction(list[i], &sa, NULL);
}

bool bz_backup_stopped(void) {
    return stopped != 0;
}
