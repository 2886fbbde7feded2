/* Scans bytes in memory and asks what was found. */
#ifndef BZ_SCAN_MEM_H
#define BZ_SCAN_MEM_H

#include <bartizan/artifact.h>
#include <bartizan/crypto.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

struct scanned {
    struct bz_arena ar;
    struct bz_scan_result r;
    enum bz_status st;
};

static inline struct scanned scan_mem_with(struct bz_view v, const struct bz_scan_options *opt) {
    struct scanned s = {.st = BZ_EINTERNAL};
    struct bz_source src;
    bz_arena_init(&s.ar, bz_alloc_heap, 64u << 20, NULL, 0);
    bz_source_mem(&src, &v);
    s.st = bz_scan(&s.ar, &src, BZ_V("file"), opt, &s.r);
    return s;
}

static inline struct scanned scan_mem(struct bz_view v) {
    static const struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM};
    return scan_mem_with(v, &opt);
}

static inline void scan_mem_done(struct scanned *s) {
    bz_arena_free(&s->ar);
}

static inline const struct bz_scan_finding *scan_mem_has(const struct scanned *s, const char *id) {
    for (size_t i = 0; i < s->r.findings_n; i++) {
        if (strcmp(s->r.findings[i].rule->id, id) == 0)
            return &s->r.findings[i];
    }
    return NULL;
}

static inline void scan_mem_print(const struct scanned *s) {
    for (size_t i = 0; i < s->r.findings_n; i++) {
        const struct bz_scan_finding *f = &s->r.findings[i];
        print_message("# %s at %llu: %.*s\n", f->rule->id, (unsigned long long)f->offset,
                      (int)(f->evidence.n < 80 ? f->evidence.n : 80), (const char *)f->evidence.p);
    }
}

#endif
