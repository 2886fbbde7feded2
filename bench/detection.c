/* Detection over clean English prose: bytes per second of the candidate stage and of the whole scan,
 * and the time that one small piece of a stream takes; also as a multiple of SHA-256 on the same
 * machine, which makes numbers of different machines comparable. Best of several rounds. */
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
        "keyword", "password", "protect", "section", "possible", "current", "however",  "through",
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

int main(void) {
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
    struct bz_type_set none = {0};
    struct bz_type_set hold = {0};
    if (!bz_type_set_add_name(&hold, BZ_V("secrets")) ||
        !bz_type_set_add_name(&hold, BZ_V("checksum")))
        must(BZ_EINTERNAL);
    j.text = prose(4u << 20, false);
    double sha = best(&j, do_sha256);
    report("sha256", &j, sha, sha);
    report("normal form", &j, best(&j, do_normalise), sha);
    j.want = &none;
    report("candidates", &j, best(&j, do_scan), sha);
    j.want = NULL;
    j.hold = &hold;
    report("scan, all types", &j, best(&j, do_scan), sha);
    j.want = &none;
    j.text.n = 4096;
    sha = best(&j, do_sha256);
    report("candidates, 4 KiB", &j, best(&j, do_scan), sha);
    j.want = NULL;
    report("scan, 4 KiB", &j, best(&j, do_scan), sha);
    j.text = bz_view(j.text.p, 1u << 20);
    t = best(&j, do_watch);
    printf("%-34s %7.1f ns per piece of %.1f bytes (%llu findings)\n", "watch, sentences",
           t / (double)j.pieces * 1e9, (double)j.text.n / (double)j.pieces,
           (unsigned long long)j.found);
    j.text = prose(1u << 20, true);
    t = best(&j, do_watch);
    printf("%-34s %7.1f ns per piece\n", "watch, small letters", t / (double)j.pieces * 1e9);
    j.hold = NULL;
    t = best(&j, do_watch);
    printf("%-34s %7.1f ns per piece\n", "watch, held for all types", t / (double)j.pieces * 1e9);
    bz_detect_close(j.d);
    bz_buf_free(&pack);
    return 0;
}
