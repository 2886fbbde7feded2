/* Container configurations, as JSON and as words: hostile input to a linter. */
#include <stdlib.h>
#include <bartizan/containers.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    static struct bz_lint l;
    memset(&l, 0, sizeof l);
    bz_arena_init(&ar, bz_alloc_heap, 1 << 22, NULL, 0);
    if (bz_json_parse(bz_view(data, size), NULL, &ar, &root, NULL) == BZ_OK)
        bz_lint_json(&l, root);
    bz_arena_free(&ar);
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    copy[size] = '\0';
    const char *words[] = {"-v", copy, "--mount", copy, "--device", copy, "--env", copy, copy};
    bz_lint_command(&l, words, sizeof words / sizeof words[0]);
    for (size_t i = 0; i < l.n && i < BZ_LINT_FINDINGS_MAX; i++) {
        if (l.list[i].id == NULL || memchr(l.list[i].what, 0, sizeof l.list[i].what) == NULL)
            abort();
    }
    free(copy);
    return 0;
}
