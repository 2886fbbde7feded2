/* Archives and compressed streams: the scan of any bytes ends, says something that holds together, and
 * says no less when the same bytes are put into an archive. */
#include "../tests/unit/zip_build.h"

#include <bartizan/artifact.h>

#include <stdlib.h>

static void must(bool ok) {
    if (!ok)
        abort();
}

static void findings_hold(const struct bz_scan_result *r) {
    bool bad = false, unchecked = false;
    for (size_t i = 0; i < r->findings_n; i++) {
        const struct bz_scan_finding *f = &r->findings[i];
        must(f->rule->severity <= r->severity && f->evidence.n <= 200);
        must(i == 0 || r->findings[i - 1].rule->severity >= f->rule->severity);
        bad = bad || f->rule->kind == BZ_RULE_MALFORMED;
        unchecked = unchecked || f->rule->kind == BZ_RULE_UNCHECKED;
    }
    must(!bad || r->verdict == BZ_SCAN_FINDINGS);
    must(!unchecked || r->verdict != BZ_SCAN_CLEAN);
}

static enum bz_scan_verdict scan(struct bz_view v, uint8_t *ret_severity) {
    /* Small caps, so that they are met. */
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM,
                                  .caps = {.bytes_out = 8u << 20, .members = 300, .depth = 5}};
    struct bz_scan_result r;
    struct bz_source src;
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    bz_source_mem(&src, &v);
    must(bz_scan(&ar, &src, BZ_V("f"), &opt, &r) == BZ_OK);
    findings_hold(&r);
    *ret_severity = r.severity;
    bz_arena_free(&ar);
    return r.verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t plain = 0, wrapped = 0;
    struct zip_build z;
    if (size > 1u << 20)
        return 0;
    enum bz_scan_verdict a = scan(bz_view(data, size), &plain);
    zip_build_init(&z);
    zip_put(&z, &(struct zip_add){.name = "member", .data = data, .n = size});
    enum bz_scan_verdict b = scan(zip_finish(&z, NULL), &wrapped);
    zip_build_done(&z);
    must(b >= a && wrapped >= plain);
    return 0;
}
