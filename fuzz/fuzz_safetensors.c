/* safetensors: a header that is found clean is JSON that jansson reads, too, with the same names, and
 * its tensors fill the data from end to end. */
#include <bartizan/artifact.h>

#include <jansson.h>
#include <stdlib.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

struct ctx {
    uint64_t size, bytes, n;
    json_t *root;
};

static void tensor(void *vctx, const struct bz_tensor_fact *t) {
    struct ctx *c = vctx;
    MUST(t->offset <= c->size && t->size <= c->size - t->offset);
    c->bytes += t->size;
    c->n++;
    if (c->root != NULL)
        MUST(json_is_object(json_object_getn(c->root, (const char *)t->name.p, t->name.n)));
}

static void metadata(void *vctx, struct bz_view key, struct bz_view value) {
    struct ctx *c = vctx;
    if (c->root == NULL || key.n > 4000 || value.n > 4000)
        return;
    json_t *j =
        json_object_getn(json_object_get(c->root, "__metadata__"), (const char *)key.p, key.n);
    MUST(json_is_string(j) &&
         bz_view_eq(value, bz_view(json_string_value(j), json_string_length(j))));
}

static enum bz_status scan(struct bz_view v, struct ctx *ctx, struct bz_scan_result *r) {
    struct bz_facts facts = {.ctx = ctx, .tensor = tensor, .metadata = metadata};
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM, .facts = &facts};
    struct bz_source src;
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    bz_source_mem(&src, &v);
    enum bz_status st = bz_scan(&ar, &src, BZ_V("f"), &opt, r);
    r->findings = NULL;
    bz_arena_free(&ar);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ctx ctx = {.size = size};
    struct bz_scan_result r;
    MUST(scan(bz_view(data, size), &ctx, &r) == BZ_OK);
    if (r.verdict != BZ_SCAN_CLEAN || strcmp(r.format, "safetensors") != 0)
        return 0;
    uint64_t n = 0;
    for (size_t i = 8; i-- > 0;)
        n = n << 8 | data[i];
    MUST(n <= size - 8 && ctx.bytes == size - 8 - n);
    json_error_t err;
    json_t *root = json_loadb((const char *)data + 8, (size_t)n,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &err);
    MUST(json_is_object(root));
    struct ctx again = {.size = size, .root = root};
    MUST(scan(bz_view(data, size), &again, &r) == BZ_OK);
    MUST(again.n + (json_object_get(root, "__metadata__") != NULL) == json_object_size(root));
    json_decref(root);
    return 0;
}
