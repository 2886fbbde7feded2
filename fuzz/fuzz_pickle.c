/* Pickles, joblib, .npy, old torch files: the scan ends with a verdict that its findings bear out. And
 * what is harmful stays harmful whatever is put behind it: loaders run it before they get there. */
#include "scan_once.h"

static bool harmful(struct bz_view v, size_t limit, bool *ret_pickle) {
    static const struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM,
                                               .caps = {.steps = 1000000, .bytes_out = 16 << 20}};
    struct bz_source src;
    struct bz_arena ar;
    struct bz_scan_result r;
    bool yes = false;
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    bz_source_mem(&src, &v);
    *ret_pickle = false;
    if (bz_scan(&ar, &src, BZ_V("file"), &opt, &r) == BZ_OK) {
        *ret_pickle = strcmp(r.format, "pickle") == 0;
        for (size_t i = 0; i < r.findings_n; i++)
            yes = yes || (strncmp(r.findings[i].rule->id, "PKL-CALL-CODE", 13) == 0 &&
                          r.findings[i].place.n == 0 && r.findings[i].offset < limit);
        yes = yes || r.findings_more > 0;
    }
    bz_arena_free(&ar);
    return yes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bool pickle, still;
    scan_once(data, size);
    if (size < 3 || size > 1 << 16 || data[0] != 0x80 || data[1] > 5)
        return 0;
    if (!harmful(bz_view(data, size), size, &pickle) || !pickle)
        return 0;
    uint8_t *more = malloc(size + 64);
    if (more == NULL)
        return 0;
    memcpy(more, data, size);
    memset(more + size, 0xff, 64);
    if (!harmful(bz_view(more, size + 64), size, &still) && still)
        abort();
    free(more);
    return 0;
}
