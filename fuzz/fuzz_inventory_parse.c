/* Package managers' records, model heads, licences. The first byte says what the rest is taken for.
 * Whatever comes out is one line of UTF-8, and every writer makes JSON of it. */
#include <stdlib.h>
#include <bartizan/inventory.h>
#include <bartizan/text.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static enum bz_status read_memory(void *ctx, uint64_t off, void *p, size_t n) {
    const struct bz_view *v = ctx;
    MUST(off <= v->n && n <= v->n - off); /* it must not ask beyond the size it was told */
    memcpy(p, v->p + off, n);
    return BZ_OK;
}

static void check_text(struct bz_view v) {
    MUST(v.n <= BZ_INVENTORY_TEXT_MAX && bz_utf8_valid(v) == v.n);
    for (size_t i = 0; i < v.n; i++)
        MUST(v.p[i] >= 0x20 && v.p[i] != 0x7f);
}

static void check(struct bz_inventory *inv) {
    for (const struct bz_component *c = inv->first; c != NULL; c = c->next) {
        check_text(c->name);
        check_text(c->version);
        check_text(c->licence);
        check_text(c->supplier);
        check_text(c->origin);
        (void)bz_sbom_missing(c);
    }
    for (unsigned f = 0; f < BZ_SBOM_FORMAT_COUNT; f++) {
        struct bz_sbom_head head = {.subject = BZ_V("fuzz"), .now = 1800000000};
        struct bz_buf b;
        struct bz_arena ar;
        const struct bz_json_opts opts = {.max_nodes = 8u << 20, .max_keys = 1u << 20};
        bz_buf_init(&b, 256 << 20);
        bz_arena_init(&ar, bz_alloc_heap, 1u << 30, NULL, 0);
        bz_sbom_write(inv, (enum bz_sbom_format)f, &head, &b);
        MUST(bz_buf_status(&b) == BZ_OK &&
             bz_json_check(bz_buf_view(&b), &opts, &ar, NULL) == BZ_OK);
        bz_arena_free(&ar);
        bz_buf_free(&b);
    }
}

static void parse(struct bz_inventory *inv, uint8_t kind, struct bz_view in) {
    struct bz_view path = BZ_V("a/b"), model, licence;
    struct bz_component *c = NULL;
    struct bz_record_line line;
    size_t at = 0;
    switch (kind) {
    case 'd':
        bz_inventory_dpkg(inv, in, path, BZ_V("debian-12"));
        break;
    case 'p':
        c = bz_inventory_python(inv, in, path);
        if (c != NULL)
            bz_inventory_direct_url(inv, c, in);
        break;
    case 'r':
        for (size_t before = 0; bz_inventory_record(in, &at, &line) == BZ_OK; before = at)
            MUST(at > before && line.path.n > 0);
        break;
    case 'c':
        bz_inventory_conda(inv, in, path);
        bz_inventory_cuda(inv, in, path);
        break;
    case 'n':
        bz_inventory_npm_lock(inv, in, path);
        bz_inventory_npm_package(inv, in, path);
        break;
    case 'v':
        bz_inventory_nvidia(inv, in, path);
        bz_inventory_server(inv, BZ_V("llama.cpp"), in, path);
        bz_inventory_server(inv, BZ_V("ollama"), in, path);
        (void)bz_inventory_library(inv, in, path);
        break;
    case 'o':
        (void)bz_inventory_ollama(inv, in, path, BZ_V("m:t"), &model, &licence);
        break;
    case 'm':
        c = bz_inventory_add(inv, BZ_COMPONENT_MODEL);
        bz_inventory_model_card(inv, c, in);
        bz_inventory_model_config(inv, c, in);
        break;
    case 'l':
        MUST(bz_licence_is_expression(in) == (bz_licence_allowed(in, NULL, 0) != BZ_ESYNTAX));
        (void)bz_licence_spdx(in);
        (void)bz_sbom_is_url(in);
        (void)bz_sbom_is_time(in);
        break;
    default: {
        const struct bz_gguf_source src = {read_memory, &in, in.n};
        c = bz_inventory_add(inv, BZ_COMPONENT_MODEL);
        (void)!bz_inventory_gguf(inv, &src, c);
    }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_inventory inv;
    if (size == 0)
        return 0;
    bz_inventory_init(&inv);
    parse(&inv, data[0], bz_view(data + 1, size - 1));
    bz_inventory_sort(&inv);
    check(&inv);
    bz_inventory_free(&inv);
    return 0;
}
