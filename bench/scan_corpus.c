/* How much the scanner finds and how much is wrong, over a labelled corpus.
 *
 *   bench_scan_corpus DIR/MANIFEST.jsonl [-v] [WORD]
 *                        recall and false positives per label and technique; -v: the files that went
 *                        wrong, with what was found; WORD: only files whose path, technique or format
 *                        has it
 *   bench_scan_corpus FILE...            what is found in these files, as text
 *
 * bench/scan_corpus.py asks the whole program; this one has no reader of HDF5, and starts at once.
 *
 * The manifest has one JSON object a line: path, label (malicious, suspicious, malformed, benign, edge),
 * technique, format. Labels are only compared with: nothing of them reaches the scanner. */
#include <bartizan/json.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/cli/opts.h"
#include "../src/cli/scan_file.h"

enum { ROWS_MAX = 512, NAME_MAX_ = 96 };

struct row {
    char label[24], technique[NAME_MAX_];
    size_t n, by[BZ_SCAN_VERDICT_COUNT], failed;
};

struct score {
    struct row rows[ROWS_MAX], totals[16];
    size_t rows_n, totals_n;
    bool verbose;
    const char *word;
};

static struct row *row_of(struct row *rows, size_t *n, size_t max, const char *label,
                          const char *technique) {
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(rows[i].label, label) == 0 && strcmp(rows[i].technique, technique) == 0)
            return &rows[i];
    }
    if (*n == max)
        return &rows[max - 1];
    struct row *r = &rows[(*n)++];
    (void)snprintf(r->label, sizeof r->label, "%s", label);
    (void)snprintf(r->technique, sizeof r->technique, "%s", technique);
    return r;
}

static void print_findings(const struct bz_scan_result *r) {
    for (size_t i = 0; i < r->findings_n; i++) {
        const struct bz_scan_finding *f = &r->findings[i];
        printf("    %-8s %-18s ", bz_severity_name(f->rule->severity), f->rule->id);
        bz_print_safe(stdout, f->place);
        printf(" @%llu  ", (unsigned long long)f->offset);
        bz_print_safe(stdout, f->evidence);
        printf("\n");
    }
}

/* -1: could not be scanned. */
static int scan(struct bz_arena *ar, const char *path, struct bz_scan_result *r) {
    struct stat sb;
    struct bz_scan_file f;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &sb) != 0) {
        perror(path);
        return -1;
    }
    static char dir[2048];
    (void)snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    const char *name = path;
    if (slash != NULL) {
        *slash = '\0';
        name = path + (slash - dir) + 1;
    }
    int root = open(slash == NULL ? "." : dir[0] == '\0' ? "/" : dir, O_PATH | O_CLOEXEC);
    bz_scan_file_init(&f, fd, root, name, (uint64_t)sb.st_size);
    struct bz_source src = bz_scan_file_source(&f);
    struct bz_scan_options opt = {
        .fail_on = BZ_SEVERITY_MEDIUM, .sibling = bz_scan_file_sibling, .sibling_ctx = &f};
    enum bz_status st = bz_scan(ar, &src, bz_view_str(path), &opt, r);
    bz_scan_file_done(&f);
    (void)close(root);
    if (st != BZ_OK)
        fprintf(stderr, "%s: %s\n", path, bz_status_text(st));
    return st == BZ_OK ? (int)r->verdict : -1;
}

static bool wrong(const char *label, int verdict) {
    if (strcmp(label, "malicious") == 0)
        return verdict != BZ_SCAN_FINDINGS;
    if (strcmp(label, "malformed") == 0)
        return verdict == BZ_SCAN_CLEAN;
    if (strcmp(label, "suspicious") == 0)
        return verdict == BZ_SCAN_CLEAN;
    return strcmp(label, "benign") == 0 && verdict != BZ_SCAN_CLEAN;
}

static void text_of(const struct bz_json *o, const char *key, char *out, size_t n) {
    struct bz_view v = bz_json_str(bz_json_get(o, bz_view_str(key)));
    (void)snprintf(out, n, "%.*s", (int)v.n, (const char *)v.p);
}

static void one(struct score *s, struct bz_arena *ar, const char *dir, const struct bz_json *o) {
    static char path[4096], rel[2048];
    char label[24], technique[NAME_MAX_], format[64];
    struct bz_scan_result r = {.format = "?"};
    text_of(o, "path", rel, sizeof rel);
    text_of(o, "label", label, sizeof label);
    text_of(o, "technique", technique, sizeof technique);
    text_of(o, "format", format, sizeof format);
    if (s->word != NULL && strstr(rel, s->word) == NULL && strstr(technique, s->word) == NULL &&
        strstr(format, s->word) == NULL)
        return;
    (void)snprintf(path, sizeof path, "%s/%s", dir, rel);
    int v = scan(ar, path, &r);
    char *colon = strchr(technique, ':');
    if (colon != NULL)
        *colon = '\0';
    struct row *both[] = {row_of(s->rows, &s->rows_n, ROWS_MAX, label, technique),
                          row_of(s->totals, &s->totals_n, 16, label, "")};
    for (size_t i = 0; i < 2; i++) {
        both[i]->n++;
        if (v < 0)
            both[i]->failed++;
        else
            both[i]->by[v]++;
    }
    if (s->verbose && wrong(label, v)) {
        static const char *const names[] = {"clean", "unchecked", "findings"};
        printf("%s %s: %s as %s (%s)\n", label, rel, v < 0 ? "failed" : names[v], r.format, format);
        print_findings(&r);
    }
}

static void print_rows(const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        printf("%-10s %-44s %5zu %8zu %9zu %5zu %6zu\n", r->label, r->technique, r->n,
               r->by[BZ_SCAN_FINDINGS], r->by[BZ_SCAN_UNCHECKED], r->by[BZ_SCAN_CLEAN], r->failed);
    }
}

static int by_label(const void *a, const void *b) {
    const struct row *x = a, *y = b;
    int c = strcmp(x->label, y->label);
    return c != 0 ? c : strcmp(x->technique, y->technique);
}

static int corpus(struct score *s, const char *manifest) {
    static char dir[2048];
    (void)snprintf(dir, sizeof dir, "%s", manifest);
    char *slash = strrchr(dir, '/');
    if (slash == NULL)
        (void)snprintf(dir, sizeof dir, ".");
    else
        *slash = '\0';
    FILE *f = fopen(manifest, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = 0;
    if (f == NULL) {
        perror(manifest);
        return 2;
    }
    while ((n = getline(&line, &cap, f)) > 0) {
        struct bz_arena ar;
        struct bz_json *o = NULL;
        bz_arena_init(&ar, bz_alloc_heap, (size_t)512 << 20, NULL, 0);
        if (bz_json_parse(bz_view(line, (size_t)n), NULL, &ar, &o, NULL) == BZ_OK)
            one(s, &ar, dir, o);
        bz_arena_free(&ar);
    }
    free(line);
    (void)fclose(f);
    qsort(s->rows, s->rows_n, sizeof s->rows[0], by_label);
    qsort(s->totals, s->totals_n, sizeof s->totals[0], by_label);
    printf("%-10s %-44s %5s %8s %9s %5s %6s\n", "label", "technique", "files", "findings",
           "unchecked", "clean", "failed");
    print_rows(s->rows, s->rows_n);
    printf("\n");
    print_rows(s->totals, s->totals_n);
    return 0;
}

int main(int argc, char **argv) {
    static struct score s;
    if (argc < 2) {
        fprintf(stderr, "usage: bench_scan_corpus MANIFEST.jsonl [-v] [WORD] | FILE...\n");
        return 2;
    }
    size_t n = strlen(argv[1]);
    if (n > 6 && strcmp(argv[1] + n - 6, ".jsonl") == 0) {
        for (int i = 2; i < argc; i++) {
            if (strcmp(argv[i], "-v") == 0)
                s.verbose = true;
            else
                s.word = argv[i];
        }
        return corpus(&s, argv[1]);
    }
    for (int i = 1; i < argc; i++) {
        struct bz_arena ar;
        struct bz_scan_result r = {.format = "?"};
        bz_arena_init(&ar, bz_alloc_heap, (size_t)512 << 20, NULL, 0);
        int v = scan(&ar, argv[i], &r);
        printf("%s: %s, verdict %d, severity %s\n", argv[i], r.format, v,
               bz_severity_name(r.severity));
        print_findings(&r);
        bz_arena_free(&ar);
    }
    return 0;
}
