/* Detection over clean English prose: bytes per second of the candidate stage and of the whole scan,
 * and the time that one small piece of a stream takes; also as a multiple of SHA-256 on the same
 * machine, which makes numbers of different machines comparable. Best of several rounds.
 * Then texts made of numbers: of each piece of a stream the best of several rounds, of these the
 * median and the worst. `bench_detection numbers [NAME]` leaves out the prose. */
#include <bartizan/crypto.h>
#include <bartizan/detect.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct job {
    struct bz_detect *d;
    struct bz_view text;
    struct bz_arena ar;
    const struct bz_type_set *want, *hold;
    size_t pieces;
    uint64_t found;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void must(enum bz_status st) {
    if (st != BZ_OK) {
        fprintf(stderr, "bench: %s\n", bz_status_text(st));
        exit(2);
    }
}

static void do_sha256(struct job *j) {
    uint8_t hash[BZ_HASH_LEN];
    bz_sha256(j->text, hash);
}

static void do_normalise(struct job *j) {
    struct bz_view out = {0};
    const uint32_t *map = NULL;
    must(bz_normalise(j->text, BZ_TEXT_PLAIN, &j->ar, &out, &map));
    bz_arena_free(&j->ar);
}

static void do_scan(struct job *j) {
    struct bz_findings f = {.ar = &j->ar};
    must(bz_detect_scan(j->d, j->text, BZ_TEXT_PLAIN, j->want, j->hold, &j->ar, &f));
    j->found = f.n;
    bz_arena_free(&j->ar);
}

/* Pieces of 3 to 20 bytes, as models write them. */
static void do_watch(struct job *j) {
    struct bz_findings f = {.ar = &j->ar};
    struct bz_watch w;
    uint64_t settled = 0;
    size_t at = 0;
    uint32_t x = 1;
    j->pieces = 0;
    bz_watch_init(&w, BZ_TEXT_PLAIN, j->want);
    while (at < j->text.n) {
        x = x * 1664525u + 1013904223u;
        size_t n = 3 + (x >> 16) % 18;
        struct bz_view piece = bz_view_sub(j->text, at, n);
        at += piece.n;
        must(bz_watch_feed(j->d, &w, piece, at == j->text.n, j->hold, &j->ar, &f, &settled));
        j->pieces++;
    }
    bz_watch_done(&w);
    j->found = f.n;
    bz_arena_free(&j->ar);
}

static double best(struct job *j, void (*f)(struct job *)) {
    double least = 1e9;
    for (int round = 0; round < 9; round++) {
        double t = now();
        f(j);
        t = now() - t;
        least = t < least ? t : least;
    }
    return least;
}

static struct bz_view prose(size_t n, bool small) {
    static const char *const words[] = {
        "the",     "a",        "of",      "and",     "model",    "answers", "question", "with",
        "care",    "it",       "that",    "people",  "write",    "about",   "gardens",  "rivers",
        "history", "computer", "because", "nothing", "is",       "quite",   "simple",   "every",
        "morning", "teacher",  "reads",   "several", "chapters", "before",  "lunch",    "then",
        "station", "between",  "summer",  "winter",  "general",  "support", "company",  "internet",
        "keyword", "passages", "protect", "section", "possible", "current", "however",  "through",
    };
    uint8_t *p = malloc(n + 64);
    uint64_t x = 88172645463325252ull;
    size_t used = 0;
    size_t sentence = 0;
    if (p == NULL)
        must(BZ_ENOMEM);
    while (used < n) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        const char *w = words[x % (sizeof words / sizeof words[0])];
        size_t len = strlen(w);
        memcpy(p + used, w, len);
        if (sentence == 0 && !small)
            p[used] = (uint8_t)(p[used] - 32);
        used += len;
        sentence = sentence == 14 ? 0 : sentence + 1;
        if (sentence == 0)
            p[used++] = '.';
        p[used++] = ' ';
    }
    return bz_view(p, n);
}

static void report(const char *what, struct job *j, double t, double sha) {
    printf("%-34s %7.2f GB/s  %5.2f x SHA-256  (%llu findings)\n", what,
           (double)j->text.n / t * 1e-9, sha / t, (unsigned long long)j->found);
}

/* ---- texts made of numbers ---- */

static uint64_t seed;

static unsigned dice(unsigned n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % n);
}

static uint64_t digits(unsigned n) { /* a number of so many */
    uint64_t v = 1 + dice(9);
    while (--n != 0)
        v = v * 10 + dice(10);
    return v;
}

static void say_stamp(struct bz_buf *b) {
    bz_buf_printf(b, "t=%llu ", (unsigned long long)digits(16));
}

static void say_year(struct bz_buf *b) {
    bz_buf_printf(b, " %u", 1900 + dice(150));
}

static void say_price(struct bz_buf *b) {
    bz_buf_printf(b, "%u.%02u EUR ", dice(100), dice(100));
}

static void say_phone(struct bz_buf *b) {
    bz_buf_printf(b, "call +49 30 %llu %llu or ", (unsigned long long)digits(4),
                  (unsigned long long)digits(4));
}

static void say_iban(struct bz_buf *b) {
    bz_buf_printf(b, "to DE%u %llu %llu %llu %llu %u now, ", 10 + dice(88),
                  (unsigned long long)digits(4), (unsigned long long)digits(4),
                  (unsigned long long)digits(4), (unsigned long long)digits(4), 10 + dice(90));
}

static void say_code(struct bz_buf *b) {
    bz_buf_printf(b, "node_%02x->next = 0x%08x; /* id %04x%04x */\n", dice(256), dice(1u << 31),
                  dice(65536), dice(65536));
}

static void say_sum(struct bz_buf *b) {
    bz_buf_printf(b, "%u + %u = %u, so ", dice(1000), dice(1000), dice(2000));
}

static void say_order(struct bz_buf *b) {
    bz_buf_printf(b, "%llu,%llu,%u.%02u,2024-%02u-%02u,%llu\n", (unsigned long long)digits(10),
                  (unsigned long long)digits(9), dice(1000), dice(100), 1 + dice(12), 1 + dice(28),
                  (unsigned long long)digits(13));
}

static void say_log(struct bz_buf *b) {
    bz_buf_printf(b,
                  "2024-%02u-%02uT%02u:%02u:%02u.%06uZ 10.%u.%u.%u request %08x-%04x-4%03x-a%03x-"
                  "%06x%06x took %u ms, %llu bytes\n",
                  1 + dice(12), 1 + dice(28), dice(24), dice(60), dice(60), dice(1000000),
                  dice(256), dice(256), dice(256), dice(1u << 31), dice(65536), dice(4096),
                  dice(4096), dice(1u << 24), dice(1u << 24), dice(1000),
                  (unsigned long long)digits(6));
}

static const struct {
    const char *name;
    void (*say)(struct bz_buf *b);
    unsigned piece; /* bytes; 0: what one call says */
    bool whole;     /* a text of 4 KiB is read at once */
} numbers[] = {
    {"stamps of 16 digits", say_stamp, 0, false},
    {"years", say_year, 0, false},
    {"prices", say_price, 0, false},
    {"sums, 3 bytes", say_sum, 3, false},
    {"telephone, 3 bytes", say_phone, 3, false},
    {"IBAN, 4 characters", say_iban, 4, false},
    {"code, 5 bytes", say_code, 5, false},
    {"orders, 4 bytes", say_order, 4, true},
    {"log, 4 bytes", say_log, 4, true},
    {"log, a line each", say_log, 0, false},
};

enum { PIECES = 2000, ROUNDS = 15 };

static int rising(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Time of each piece; ends[i]: where piece i ends. */
static void watch_pieces(struct job *j, const size_t *ends, double *least) {
    struct bz_findings f = {.ar = &j->ar};
    struct bz_watch w;
    uint64_t settled = 0;
    size_t from = 0;
    bz_watch_init(&w, BZ_TEXT_PLAIN, j->want);
    for (size_t i = 0; i < PIECES; i++) {
        struct bz_view piece = bz_view_sub(j->text, from, ends[i] - from);
        double t = now();
        must(bz_watch_feed(j->d, &w, piece, false, j->hold, &j->ar, &f, &settled));
        t = now() - t;
        least[i] = t < least[i] ? t : least[i];
        from = ends[i];
    }
    bz_watch_done(&w);
    j->found = f.n;
    bz_arena_free(&j->ar);
}

static void bench_pieces(struct job *j, size_t k) {
    static size_t ends[PIECES];
    static double least[PIECES];
    struct bz_buf text;
    bz_buf_init(&text, 4u << 20);
    seed = 88172645463325252ull;
    for (size_t i = 0; i < PIECES; i++) {
        size_t end = (i + 1) * numbers[k].piece;
        do {
            numbers[k].say(&text);
        } while (text.n < end);
        ends[i] = end == 0 ? text.n : end;
        least[i] = 1;
    }
    must(bz_buf_status(&text));
    j->text = bz_buf_view(&text);
    for (int round = 0; round < ROUNDS; round++)
        watch_pieces(j, ends, least);
    qsort(least, PIECES, sizeof least[0], rising);
    printf("%-24s %8.0f ns per piece, worst %8.0f  (%llu findings)\n", numbers[k].name,
           least[PIECES / 2] * 1e9, least[PIECES - 1] * 1e9, (unsigned long long)j->found);
    if (numbers[k].whole) {
        j->text.n = 4096;
        double t = best(j, do_scan);
        printf("%-24s %8.1f MB/s in a text of 4 KiB  (%llu findings)\n", "",
               (double)j->text.n / t * 1e-6, (unsigned long long)j->found);
    }
    bz_buf_free(&text);
}

static void bench_prose(struct job *j) {
    j->text = prose(4u << 20, false);
    double sha = best(j, do_sha256);
    report("sha256", j, sha, sha);
    report("normal form", j, best(j, do_normalise), sha);
    static const struct bz_type_set none;
    const struct bz_type_set *hold = j->hold;
    j->want = &none;
    report("candidates", j, best(j, do_scan), sha);
    j->want = NULL;
    j->hold = hold;
    report("scan, all types", j, best(j, do_scan), sha);
    j->want = &none;
    j->text.n = 4096;
    sha = best(j, do_sha256);
    report("candidates, 4 KiB", j, best(j, do_scan), sha);
    j->want = NULL;
    report("scan, 4 KiB", j, best(j, do_scan), sha);
    j->text = bz_view(j->text.p, 1u << 20);
    double t = best(j, do_watch);
    printf("%-34s %7.1f ns per piece of %.1f bytes (%llu findings)\n", "watch, sentences",
           t / (double)j->pieces * 1e9, (double)j->text.n / (double)j->pieces,
           (unsigned long long)j->found);
    j->text = prose(1u << 20, true);
    t = best(j, do_watch);
    printf("%-34s %7.1f ns per piece\n", "watch, small letters", t / (double)j->pieces * 1e9);
    j->hold = NULL;
    t = best(j, do_watch);
    printf("%-34s %7.1f ns per piece\n", "watch, held for all types", t / (double)j->pieces * 1e9);
}

int main(int argc, char **argv) {
    must(bz_crypto_init());
    struct bz_buf pack;
    bz_buf_init(&pack, 64u << 20);
    double t = now();
    must(bz_detect_compile(NULL, 0, &pack, NULL));
    printf("compile %.0f ms, pack %zu KiB", (now() - t) * 1e3, pack.n >> 10);
    struct job j = {0};
    t = now();
    must(bz_detect_open(bz_buf_view(&pack), &j.d));
    printf(", open %.1f ms\n", (now() - t) * 1e3);
    bz_arena_init(&j.ar, bz_alloc_heap, 512u << 20, NULL, 0);
    struct bz_type_set hold = {0};
    if (!bz_type_set_add_name(&hold, BZ_V("secrets")) ||
        !bz_type_set_add_name(&hold, BZ_V("checksum")))
        must(BZ_EINTERNAL);
    j.hold = &hold;
    if (argc < 2 || strcmp(argv[1], "numbers") != 0)
        bench_prose(&j);
    j.want = NULL;
    j.hold = &hold;
    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
        if (argc < 3 || strncmp(argv[2], numbers[k].name, strlen(argv[2])) == 0)
            bench_pieces(&j, k);
    }
    bz_detect_close(j.d);
    bz_buf_free(&pack);
    return 0;
}
