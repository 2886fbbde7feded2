/* What watching for leaks costs, and how often it is wrong: FILES as one text that holds nothing of it,
 * for a canary alone and with ten secrets besides. Prints ns a byte of CPU for pieces of some sizes, and the
 * leaks told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bartizan/crypto.h>
#include <bartizan/leak.h>
#include <bartizan/limits.h>
#include <bartizan/text.h>

enum { TEXT_MAX = 64 << 20, SECRETS = 10, SECRET_LEN = 40 };

static double cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static bool secrets(struct bz_buf *blob, struct bz_leaks *ret) {
    static const uint8_t key[32] = {7};
    static char values[SECRETS][SECRET_LEN + 1];
    struct bz_leak_item items[SECRETS];
    const struct bz_leak_options o = {0};
    uint32_t seed = 99;
    size_t bad;
    for (size_t i = 0; i < SECRETS; i++) {
        for (size_t k = 0; k < SECRET_LEN; k++) {
            seed = seed * 1664525u + 1013904223u;
            values[i][k] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[(seed >> 16) % 62];
        }
        items[i] = (struct bz_leak_item){BZ_LEAK_SECRET, BZ_V("secret"), bz_view_str(values[i])};
    }
    double from = cpu_ns();
    bz_buf_init(blob, BZ_BLOB_MAX);
    if (bz_leak_compile(items, SECRETS, &o, key, blob, &bad) != BZ_OK)
        return false;
    printf("%d secrets: compiled in %.1f ms, %zu bytes\n", SECRETS, (cpu_ns() - from) / 1e6,
           blob->n);
    return bz_leaks_open(bz_buf_view(blob), ret) == BZ_OK;
}

static void measure(const char *what, const struct bz_leaks *l, struct bz_view text, size_t piece) {
    static const uint8_t key[32] = {1};
    char canary[BZ_CANARY_TEXT + 1];
    struct bz_leak_reply *r = NULL;
    struct bz_leak_watch *w = NULL;
    struct bz_leak_hit hit;
    uint64_t settled;
    unsigned long told = 0;
    bz_canary_make(key, BZ_V("bench"), BZ_V("leaks"), canary);
    if (bz_leak_reply_new(l, bz_view(canary, BZ_CANARY_TEXT), bz_alloc_heap, &r) != BZ_OK ||
        bz_leak_watch_new(r, false, &w) != BZ_OK)
        abort();
    double from = cpu_ns();
    for (size_t i = 0; i < text.n;) {
        size_t n = piece < text.n - i ? piece : text.n - i;
        while (i + n < text.n && (text.p[i + n] & 0xc0) == 0x80)
            n++;
        told += bz_leak_watch_feed(w, bz_view_sub(text, i, n), BZ_LEAK_MORE, &settled, &hit) ==
                BZ_EDENIED;
        i += n;
    }
    printf("%-24s pieces of %5zu: %5.1f ns a byte, %lu leaks told\n", what, piece,
           (cpu_ns() - from) / (double)text.n, told);
    bz_leak_watch_free(w);
    bz_leak_reply_free(r);
}

int main(int argc, char **argv) {
    static uint8_t text[TEXT_MAX];
    const struct bz_leaks none = {{NULL, 0}};
    struct bz_leaks ten;
    struct bz_buf blob;
    size_t n = 0;
    if (argc < 2 || bz_crypto_init() != BZ_OK) {
        fprintf(stderr, "usage: bench_leaks FILE...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (f == NULL)
            continue;
        size_t got = fread(text + n, 1, TEXT_MAX - n, f);
        if (bz_utf8_valid(bz_view(text + n, got)) == got)
            n += got;
        fclose(f);
    }
    printf("%zu bytes of text\n", n);
    if (n == 0 || !secrets(&blob, &ten))
        return 2;
    for (size_t piece = 4; piece <= 4096; piece *= 32) {
        measure("a canary", &none, bz_view(text, n), piece);
        measure("a canary, ten secrets", &ten, bz_view(text, n), piece);
    }
    bz_buf_free(&blob);
    return 0;
}
