/* Runs a harness without libFuzzer: every file of the given folders as it stands, cut short at many
 * places, and with deterministic bit flips. A missing folder is no error, but at least one file
 * must have been run. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 96, FLIPS = 96, FILE_MAX = 1 << 22 };

static unsigned long runs;

/* A copy of exactly n bytes, so that the address sanitizer sees the first byte read beyond. */
static void once(const uint8_t *data, size_t n) {
    uint8_t *copy = malloc(n == 0 ? 1 : n);
    if (copy == NULL)
        abort();
    if (n != 0)
        memcpy(copy, data, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
    runs++;
}

static void variants(uint8_t *data, size_t n, uint64_t seed) {
    once(data, n);
    size_t step = n / CUTS + 1;
    for (size_t i = 0; i < n; i += step)
        once(data, i);
    for (int i = 0; i < FLIPS && n != 0; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t at = (size_t)(seed >> 33) % n;
        uint8_t bit = (uint8_t)(1u << ((seed >> 30) & 7));
        data[at] ^= bit;
        once(data, n);
        data[at] ^= bit;
    }
}

static int one_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *data = malloc(FILE_MAX);
    if (data == NULL)
        abort();
    size_t n = fread(data, 1, FILE_MAX, f);
    fclose(f);
    variants(data, n, n * 2654435761u + 1);
    free(data);
    return 0;
}

static int one_folder(const char *path, unsigned long *files) {
    DIR *dir = opendir(path);
    if (dir == NULL)
        return 0;
    int bad = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        char full[2048];
        snprintf(full, sizeof full, "%s/%s", path, e->d_name);
        bad |= one_file(full);
        (*files)++;
    }
    closedir(dir);
    return bad;
}

int main(int argc, char **argv) {
    unsigned long files = 0;
    int bad = 0;
    for (int i = 1; i < argc; i++)
        bad |= one_folder(argv[i], &files);
    printf("%lu files, %lu runs\n", files, runs);
    return bad != 0 || files == 0;
}
