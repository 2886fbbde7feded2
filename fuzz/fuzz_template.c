/* Chat templates: any text is followed to an end within its steps, twice to the same answer, and a name
 * with two underscores before it is never called clean where the grammar reads it. */
#include <bartizan/artifact.h>
#include <bartizan/text.h>

#include <stdlib.h>

#include "../src/artifact/template.h"

static enum bz_status scan(struct bz_view v, struct bz_scan_result *r, uint64_t *sum) {
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM};
    struct bz_source src;
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 128u << 20, NULL, 0);
    bz_source_mem(&src, &v);
    enum bz_status st = bz_scan(&ar, &src, BZ_V("f"), &opt, r);
    *sum = r->findings_n;
    for (size_t i = 0; st == BZ_OK && i < r->findings_n; i++)
        *sum = *sum * 31 + r->findings[i].offset + r->findings[i].evidence.n;
    bz_arena_free(&ar);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char head[] = "{{ messages }}", tail[] = "{{ x.__class__ }}";
    struct bz_scan_result a, b;
    uint64_t sum_a = 0, sum_b = 0;
    if (size > 65536 || bz_utf8_valid(bz_view(data, size)) != size)
        return 0;
    uint8_t *mem = malloc(sizeof head + sizeof tail + size);
    if (mem == NULL)
        abort();
    size_t n = sizeof head - 1;
    memcpy(mem, head, n); /* so that it is a template */
    if (size > 0)
        memcpy(mem + n, data, size);
    n += size;
    if (scan(bz_view(mem, n), &a, &sum_a) != BZ_OK || scan(bz_view(mem, n), &b, &sum_b) != BZ_OK)
        abort();
    if (a.verdict != b.verdict || sum_a != sum_b || a.severity != b.severity)
        abort();
    if (a.verdict == BZ_SCAN_CLEAN && strcmp(a.format, "jinja") == 0 &&
        memchr(data, '#', size) == NULL && memchr(data, 'w', size) == NULL) { /* comments, raw */
        memcpy(mem + n, tail, sizeof tail - 1);
        if (scan(bz_view(mem, n + sizeof tail - 1), &b, &sum_b) != BZ_OK ||
            b.verdict == BZ_SCAN_CLEAN)
            abort();
    }
    free(mem);
    return 0;
}
