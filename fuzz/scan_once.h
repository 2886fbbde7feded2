/* One scan of bytes in memory, and what holds of every scan: it comes to an end, within its caps, with
 * a verdict that its findings bear out. */
#ifndef BZ_SCAN_ONCE_H
#define BZ_SCAN_ONCE_H

#include <stdlib.h>

#include <bartizan/artifact.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A folder that holds one file of 16 bytes, by any harmless name. */
static inline enum bz_status scan_once_sibling(void *ctx, struct bz_view name,
                                               struct bz_source *ret) {
    static struct bz_view data = {(const uint8_t *)"0123456789abcdef", 16};
    (void)ctx;
    if (name.n == 0 || name.p[0] == '/' || memchr(name.p, 0, name.n) != NULL)
        abort(); /* such a name must not be asked for */
    bz_source_mem(ret, &data);
    return BZ_OK;
}

static inline void scan_once_reading(const uint8_t *data, size_t size, const char *name,
                                     const struct bz_hdf5 *hdf5,
                                     const struct bz_unpacker *unpacker) {
    struct bz_view mem = bz_view(data, size);
    struct bz_source src;
    struct bz_arena ar;
    struct bz_scan_result r;
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM,
                                  .caps = {.steps = 1000000, .bytes_out = 16 << 20},
                                  .sibling = scan_once_sibling,
                                  .hdf5 = hdf5,
                                  .unpacker = unpacker};
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    bz_source_mem(&src, &mem);
    enum bz_status st = bz_scan(&ar, &src, bz_view_str(name), &opt, &r);
    if (st == BZ_OK) {
        bool bad = false;
        for (size_t i = 0; i < r.findings_n; i++) {
            const struct bz_rule *rule = r.findings[i].rule;
            bad = bad || rule->kind == BZ_RULE_MALFORMED ||
                  (rule->severity >= BZ_SEVERITY_MEDIUM && rule->kind < BZ_RULE_MALFORMED);
        }
        if (bad != (r.verdict == BZ_SCAN_FINDINGS) && r.findings_more == 0)
            abort();
    } else if (st != BZ_ENOMEM)
        abort(); /* memory has no read errors */
    bz_arena_free(&ar);
}

static inline void scan_once_with(const uint8_t *data, size_t size, const char *name,
                                  const struct bz_hdf5 *hdf5) {
    scan_once_reading(data, size, name, hdf5, NULL);
}

static inline void scan_once(const uint8_t *data, size_t size) {
    scan_once_with(data, size, "file", NULL);
}

#endif
