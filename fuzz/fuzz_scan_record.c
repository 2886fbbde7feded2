/* What a worker sends to its parent: any bytes are refused, or a record whose every view lies in them. */
#include "../src/cli/scan_worker.h"

#include <stdlib.h>

static void must(bool ok) {
    if (!ok)
        abort();
}

static void inside(struct bz_view part, struct bz_view all) {
    must(part.n == 0 || (part.p >= all.p && part.n <= (size_t)(all.p + all.n - part.p)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct bz_rule rule = {
        .id = "A-B", .title = "", .would = "", .todo = "", .ref = ""};
    const struct bz_rule *rules[] = {&rule, &rule, &rule};
    struct bz_scan_list list = {.n = 100};
    struct bz_scan_run run = {.list = &list, .rules = rules, .rules_n = 3};
    struct bz_scan_outcome o;
    struct bz_arena ar;
    struct bz_view v = bz_view(data, size);
    bz_arena_init(&ar, bz_alloc_heap, 16u << 20, NULL, 0);
    if (bz_scan_record_get(v, &run, &ar, &o) == BZ_OK) {
        must(o.item < list.n && o.verdict < BZ_SCAN_VERDICT_COUNT &&
             o.severity < BZ_SEVERITY_COUNT);
        inside(o.format, v);
        for (size_t i = 0; i < o.found_n; i++) {
            must(o.found[i].rule == &rule);
            inside(o.found[i].place, v);
            inside(o.found[i].evidence, v);
        }
    }
    bz_arena_free(&ar);
    return 0;
}
