/* The judgement: processor time of one core for a prompt of 512 characters and a document of 64 KiB, by
 * channel and detector, and of the rules' search alone; best of several rounds, start-up apart. Then what
 * a text costs that was made to cost.
 *   bench_guard            the table
 *   bench_guard rates FILE...   JSON lines {"text", "label"}: how many the rules alone flag and block */
#include <bartizan/crypto.h>
#include <bartizan/injection.h>
#include <bartizan/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 15, PACK_MAX = 32 << 20, DOCUMENT = 64 << 10, PROMPT = 512, PAGE = 4096 };

static void must(enum bz_status st) {
    if (st != BZ_OK) {
        (void)fprintf(stderr, "bench: %s\n", bz_status_text(st));
        exit(2);
    }
}

static double now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct bz_injection *open_all(void) {
    static struct bz_buf pack;
    struct bz_rule_file f[BZ_RULE_FILES_MAX];
    struct bz_rule_error err;
    struct bz_injection *j = NULL;
    struct bz_buf rules;
    size_t n = bz_rules_builtin(f);
    bz_buf_init(&rules, PACK_MAX);
    bz_buf_init(&pack, PACK_MAX);
    double from = now();
    must(bz_rules_compile(f, n, &rules, &err));
    double mid = now();
    must(bz_injection_pack(bz_buf_view(&rules), bz_view(NULL, 0), &pack));
    must(bz_injection_open(bz_buf_view(&pack), &j));
    const struct bz_injection_rule *v = NULL;
    (void)printf("start-up: %.1f ms to compile %zu rules and run their examples, %.1f ms to open\n",
                 (mid - from) * 1e3, bz_injection_rules(j, &v), (now() - mid) * 1e3);
    bz_buf_free(&rules);
    return j;
}

/* ---- texts ---- */

static const char *const sentences[] = {
    "The harbour lay still when the first boats came in with the morning tide. ",
    "Could you help me to write a short letter to the landlord about the heating? ",
    "In the second quarter revenue rose by four percent, mostly because of exports. ",
    "Please list the steps to install the package and explain what each of them does. ",
    "She asked whether the system would be ready before the end of the week. ",
    "Our guidelines for visitors changed in May; see the notice at the entrance. ",
    "What is the difference between a process and a thread in an operating system? ",
    "The recipe needs two eggs, a pound of flour and a pinch of salt. ",
};

static struct bz_view prose(size_t n) {
    char *p = malloc(n + 128);
    size_t at = 0;
    if (p == NULL)
        exit(2);
    for (unsigned i = 0; at < n; i = i * 5 + 3) {
        const char *s = sentences[i % 8 ^ (at >> 9 & 7)];
        size_t len = strlen(s);
        memcpy(p + at, s, len);
        at += len;
    }
    return bz_view(p, n);
}

static struct bz_view repeated(const char *s, size_t n) {
    char *p = malloc(n);
    size_t len = strlen(s);
    if (p == NULL)
        exit(2);
    for (size_t i = 0; i < n; i++)
        p[i] = s[i % len];
    return bz_view(p, n);
}

/* ---- one figure ---- */

static double cost(struct bz_injection *j, struct bz_view text, enum bz_channel c, unsigned which,
                   struct bz_judged *ret) {
    static _Alignas(16) uint8_t first[1 << 20];
    struct bz_arena ar;
    size_t times = 1 + (size_t)(4 << 20) / (text.n + 256) / 8;
    double best = 1e9;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 30, first, sizeof first);
    for (int round = 0; round < ROUNDS; round++) {
        double from = now();
        for (size_t i = 0; i < times; i++) {
            bz_arena_free(&ar);
            must(bz_injection_judge(j, text, c, which, &ar, ret));
        }
        double took = (now() - from) / (double)times;
        best = took < best ? took : best;
    }
    bz_arena_free(&ar);
    return best * 1e6;
}

static double readings_cost(struct bz_view text) {
    static _Alignas(16) uint8_t first[1 << 20];
    struct bz_arena ar;
    size_t times = 1 + (size_t)(4 << 20) / (text.n + 256) / 8, n = 0;
    struct bz_reading *r = NULL;
    double best = 1e9;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 30, first, sizeof first);
    for (int round = 0; round < ROUNDS; round++) {
        double from = now();
        for (size_t i = 0; i < times; i++) {
            bz_arena_free(&ar);
            must(bz_readings(text, &ar, &r, &n));
        }
        double took = (now() - from) / (double)times;
        best = took < best ? took : best;
    }
    bz_arena_free(&ar);
    return best * 1e6;
}

static void table(struct bz_injection *j) {
    static const char *const which[] = {"", "rules", "classifier", "all"};
    struct bz_view text[] = {prose(PROMPT), prose(PAGE), prose(DOCUMENT)};
    struct bz_judged r;
    (void)printf("%-22s %12s %12s %12s\n", "microseconds", "512 bytes", "4 KiB", "64 KiB");
    double read[3];
    (void)printf("%-22s", "readings alone");
    for (size_t t = 0; t < 3; t++)
        (void)printf(" %12.2f", read[t] = readings_cost(text[t]));
    (void)printf("\n");
    for (unsigned c = 0; c < BZ_CHANNEL_COUNT; c++) {
        for (unsigned d = BZ_DETECT_RULES; d <= BZ_DETECT_ALL; d++) {
            (void)printf("%-9s %-12s", bz_channel_name((enum bz_channel)c), which[d]);
            for (size_t t = 0; t < 3; t++)
                (void)printf(" %12.2f", cost(j, text[t], (enum bz_channel)c, d, &r));
            (void)printf("\n");
        }
    }
    (void)printf("%-22s", "rules less readings");
    for (size_t t = 0; t < 3; t++)
        (void)printf(" %12.2f", cost(j, text[t], BZ_CHANNEL_USER, BZ_DETECT_RULES, &r) - read[t]);
    (void)printf("\n\nmade to cost, 64 KiB, all detectors:\n");
    static const char *const hard[] = {
        "ignore disregard forget prompt rules system act as pretend to be ",
        "instructions ",
        "<|![[<<",
        "password the secret tell ",
        "ignore all the ",
        "\xe5\x89\x8d\xe3\x81\xae\xe6\x8c\x87\xe7\xa4\xba"};
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++) {
        double us = cost(j, repeated(hard[i], DOCUMENT), BZ_CHANNEL_TOOL, BZ_DETECT_ALL, &r);
        (void)printf("  %9.0f  %-6s %s\n", us, bz_judgement_name(r.verdict), hard[i]);
    }
}

/* ---- rates ---- */

struct rate {
    size_t n[2], flag[2], block[2]; /* by label */
};

static void rate_line(struct bz_injection *j, struct bz_view line, enum bz_channel c,
                      struct bz_arena *ar, struct rate *r) {
    struct bz_json *root = NULL;
    struct bz_judged out;
    int64_t label = 0;
    bz_arena_free(ar);
    if (bz_json_parse(line, NULL, ar, &root, NULL) != BZ_OK ||
        bz_json_i64(bz_json_get(root, BZ_V("label")), &label) != BZ_OK)
        return;
    must(bz_injection_judge(j, bz_json_str(bz_json_get(root, BZ_V("text"))), c, BZ_DETECT_RULES, ar,
                            &out));
    size_t k = label != 0;
    r->n[k]++;
    r->flag[k] += out.verdict != BZ_JUDGE_ALLOW;
    r->block[k] += out.verdict == BZ_JUDGE_BLOCK;
}

static void rate_file(struct bz_injection *j, const char *path) {
    struct rate r[BZ_CHANNEL_COUNT] = {0};
    struct bz_arena ar;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = 0;
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        perror(path);
        exit(2);
    }
    bz_arena_init(&ar, bz_alloc_heap, 1u << 30, NULL, 0);
    while ((n = getline(&line, &cap, f)) > 0) {
        for (unsigned c = 0; c < BZ_CHANNEL_COUNT; c++)
            rate_line(j, bz_view(line, (size_t)n), (enum bz_channel)c, &ar, &r[c]);
    }
    const char *name = strrchr(path, '/');
    (void)printf("| %s |", name == NULL ? path : name + 1);
    for (size_t k = 0; k < 2; k++) {
        (void)printf(" %zu |", r[0].n[k]);
        for (size_t c = 0; c < BZ_CHANNEL_COUNT; c++)
            (void)printf(" %zu / %zu |", r[c].flag[k], r[c].block[k]);
    }
    (void)printf("\n");
    bz_arena_free(&ar);
    free(line);
    (void)fclose(f);
}

int main(int argc, char **argv) {
    must(bz_crypto_init());
    struct bz_injection *j = open_all();
    if (argc > 2 && strcmp(argv[1], "rates") == 0) {
        (void)printf(
            "| set | benign | user | tool | document | attacks | user | tool | document |\n"
            "|---|---|---|---|---|---|---|---|---|\n");
        for (int i = 2; i < argc; i++)
            rate_file(j, argv[i]);
    } else {
        table(j);
    }
    bz_injection_close(j);
    return 0;
}
