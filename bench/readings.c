/* What reading a text costs: processor time of bz_readings (canonical form and what is encoded) and of
 * bz_token_find, best of several rounds, by kind of text. `bench_readings` */
#include <bartizan/injection.h>
#include <bartizan/prompts.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void run(const char *name, struct bz_view text) {
    static uint8_t mem[8 << 20];
    double read = 1e18;
    double find = 1e18;
    size_t n = 0;
    size_t turns = (1u << 20) / text.n + 1;
    for (int round = 0; round < 15; round++) {
        double start = now();
        for (size_t i = 0; i < turns; i++) {
            struct bz_arena ar;
            struct bz_reading *r = NULL;
            bz_arena_init(&ar, bz_alloc_heap, 64u << 20, mem, sizeof mem);
            if (bz_readings(text, &ar, &r, &n) != BZ_OK)
                exit(2);
            bz_arena_free(&ar);
        }
        double middle = now();
        for (size_t i = 0; i < turns; i++) {
            struct bz_token_hit hit;
            if (bz_token_find(text, 0, NULL, 0, &hit))
                exit(2);
        }
        double end = now();
        read = middle - start < read ? middle - start : read;
        find = end - middle < find ? end - middle : find;
    }
    double bytes = (double)text.n * (double)turns;
    printf("%-10s %6zu bytes  readings %7.2f ns/byte %8.2f us (%zu)  tokens %6.2f ns/byte\n", name,
           text.n, read / bytes, read / (double)turns / 1e3, n, find / bytes);
}

int main(void) {
    static const struct {
        const char *name, *text;
        size_t n;
    } table[] = {
#define PROSE                                                                                      \
    "The quarterly report shows that revenue grew by 12% in the third quarter, driven mostly by "  \
    "subscriptions. Please summarise it in three short points; see chapter 4.2 for the risks.\n"
        {"prose", PROSE, 512},
        {"prose", PROSE, 4096},
        {"prose", PROSE, 65536},
        {"German", "Über größere Änderungen müssen wir natürlich später reden. ", 65536},
        {"Russian", "Пожалуйста, подготовьте краткое изложение документа. ", 65536},
        {"Japanese", "今日はとても良い天気ですから、散歩に行きましょう。", 65536},
        {"code",
         "    if (a->b[i] == 0x1f && strcmp(name, \"foo\") != 0)\n        return get(&x);\n",
         65536},
        {"HTML", "<p>Tom &amp; Jerry are <a href=\"https://example.org/a%20b\">here</a></p>\n",
         65536},
    };
    static uint8_t text[65536];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t len = strlen(table[i].text);
        size_t n = 0;
        for (; n + len <= table[i].n; n += len)
            memcpy(text + n, table[i].text, len);
        run(table[i].name, bz_view(text, n));
    }
    return 0;
}
