/* GGUF: whatever the bytes are, the scan ends, and what it says about the file holds: every tensor it
 * tells of lies inside the file, and one that is clean has no cut-off tail. */
#include <bartizan/artifact.h>
#include <bartizan/crypto.h>

#include <stdlib.h>

struct ctx {
    uint64_t size;
};

static void tensor(void *vctx, const struct bz_tensor_fact *t) {
    const struct ctx *c = vctx;
    if (t->name.n == 0 || t->name.n > 63 || t->offset > c->size || t->size > c->size - t->offset)
        abort();
}

static void chat_template(void *vctx, struct bz_view name, struct bz_view text,
                          const uint8_t d[32]) {
    (void)vctx;
    (void)d;
    if (name.n == 0 || (text.n > 0 && text.p == NULL))
        abort();
}

static void metadata(void *vctx, struct bz_view key, struct bz_view value) {
    (void)vctx;
    if (key.n == 0 || (value.n > 0 && value.p == NULL))
        abort();
}

static enum bz_status scan(struct bz_view v, struct bz_arena *ar, struct bz_scan_result *r) {
    struct ctx ctx = {v.n};
    struct bz_facts facts = {
        .ctx = &ctx, .tensor = tensor, .chat_template = chat_template, .metadata = metadata};
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM, .facts = &facts};
    struct bz_source src;
    bz_arena_init(ar, bz_alloc_heap, 64u << 20, NULL, 0);
    bz_source_mem(&src, &v);
    return bz_scan(ar, &src, BZ_V("f"), &opt, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_scan_result r;
    struct bz_arena ar;
    struct bz_view v = bz_view(data, size);
    if (!bz_view_starts(v, BZ_V("GGUF")))
        return 0; /* other formats have their own harness */
    enum bz_status st = scan(v, &ar, &r);
    if (st != BZ_OK)
        abort();
    bool clean = r.verdict == BZ_SCAN_CLEAN && strcmp(r.format, "gguf") == 0;
    bz_arena_free(&ar);
    if (clean && size > 64) { /* less than the padding behind the last tensor */
        v.n = size / 2;
        st = scan(v, &ar, &r);
        if (st != BZ_OK || r.verdict == BZ_SCAN_CLEAN)
            abort();
        bz_arena_free(&ar);
    }
    return 0;
}
