/* hashing [MIB]: how fast models are hashed, beside what the machine's SHA-256 does over memory that stays in the cache.
 * One file on one thread, and two files on two threads against two threads of plain SHA-256. Files of the page cache in a
 * folder of its own below $TMPDIR; five rounds, medians. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <bartizan/registry.h>

enum { ROUNDS = 5, BLOCK = 128 << 10 };

static double now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v) {
    qsort(v, ROUNDS, sizeof *v, by_size);
    return v[ROUNDS / 2];
}

static void *plain(void *ctx) {
    const size_t *n = ctx;
    uint8_t *block = calloc(1, BLOCK), out[BZ_HASH_LEN];
    struct bz_sha256 s;
    bz_sha256_init(&s);
    for (size_t i = 0; block != NULL && i < *n / BLOCK; i++)
        bz_sha256_add(&s, bz_view(block, BLOCK));
    bz_sha256_end(&s, out);
    free(block);
    return NULL;
}

/* Bytes a second of plain SHA-256 on `threads` threads, n bytes each. */
static double machine(size_t threads, size_t n) {
    double v[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        pthread_t t[2];
        double begin = now();
        for (size_t i = 0; i < threads; i++)
            if (pthread_create(&t[i], NULL, plain, &n) != 0)
                exit(2);
        for (size_t i = 0; i < threads; i++)
            (void)pthread_join(t[i], NULL);
        v[r] = (double)(threads * n) / (now() - begin);
    }
    return median(v);
}

static double model(const char *dir, unsigned threads) {
    const struct bz_tree_options o = {.threads = threads};
    double v[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        struct bz_tree t;
        const struct bz_model_item *items = NULL;
        size_t n = 0;
        if (bz_tree_open(dir, &o, &t) != BZ_OK)
            exit(2);
        double begin = now();
        if (bz_tree_hash(&t, &o, BZ_MODEL_SHA256, 0, &items, &n) != BZ_OK)
            exit(2);
        v[r] = (double)t.bytes / (now() - begin);
        bz_tree_close(&t);
    }
    return median(v);
}

static void make(const char *path, size_t n) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    uint8_t *block = malloc(1 << 20);
    for (size_t i = 0; block != NULL && i < (1 << 20); i++)
        block[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t i = 0; i < n >> 20; i++)
        if (fd < 0 || block == NULL || write(fd, block, 1 << 20) != 1 << 20)
            exit(2);
    free(block);
    (void)close(fd);
}

static void row(const char *what, double got, double of) {
    (void)printf("%-34s %7.3f GB/s  %5.1f %% of %.3f\n", what, got / 1e9, 100 * got / of, of / 1e9);
}

int main(int argc, char **argv) {
    uint64_t mib = 512;
    char one[512], two[600], a[700], b[700];
    const char *tmp = getenv("TMPDIR");
    if (bz_crypto_init() != BZ_OK || (argc > 1 && bz_view_u64(bz_view_str(argv[1]), &mib) != BZ_OK))
        return 2;
    (void)snprintf(one, sizeof one, "%s/bartizan-hashing-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(one) == NULL)
        return 2;
    (void)snprintf(two, sizeof two, "%s/two", one);
    (void)snprintf(a, sizeof a, "%s/a", one);
    make(a, (size_t)mib << 20);
    row("one file, one thread", model(a, 1), machine(1, (size_t)mib << 20));
    (void)mkdir(two, 0700);
    (void)snprintf(b, sizeof b, "%s/a", two);
    make(b, (size_t)mib << 20);
    (void)rename(a, b);
    make(a, (size_t)mib << 20);
    (void)snprintf(two, sizeof two, "%s/two/b", one);
    (void)rename(a, two);
    (void)snprintf(two, sizeof two, "%s/two", one);
    row("two files, two threads", model(two, 2), machine(2, (size_t)mib << 20));
    (void)snprintf(a, sizeof a, "%s/b", two);
    (void)unlink(a);
    (void)unlink(b);
    (void)rmdir(two);
    (void)rmdir(one);
    return 0;
}
