/* Model servers, GPU drivers and the libraries between them. */
#include "inventory_int.h"

static bool digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

/* The first word that begins with a digit and has a dot and nothing but what versions have. */
static struct bz_view dotted(struct bz_view text) {
    for (size_t i = 0; i < text.n; i++) {
        bool starts = digit(text.p[i]) && (i == 0 || text.p[i - 1] == ' ' ||
                                           text.p[i - 1] == '\t' || text.p[i - 1] == 'v');
        size_t n = 0, dots = 0;
        while (starts && i + n < text.n && text.p[i + n] > ' ' && text.p[i + n] != ',') {
            dots += text.p[i + n] == '.';
            n++;
        }
        if (n > 0 && dots > 0)
            return bz_view_sub(text, i, n);
    }
    return (struct bz_view){0};
}

/* "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 ...", or the number alone
 * as /sys/module/nvidia/version has it. */
void bz_inventory_nvidia(struct bz_inventory *inv, struct bz_view text, struct bz_view path) {
    struct bz_view line = {0};
    (void)bz_inv_line(&text, &line);
    struct bz_view version = dotted(line);
    for (size_t i = 0; i < version.n; i++) {
        if (!digit(version.p[i]) && version.p[i] != '.')
            version.n = 0;
    }
    if (version.n == 0)
        bz_inventory_note(inv, path, "the driver does not say its version");
    struct bz_component *c =
        bz_inv_named(inv, BZ_COMPONENT_DRIVER, BZ_V("nvidia-driver"), version, path);
    if (c != NULL)
        c->supplier = bz_inventory_text(inv, BZ_V("NVIDIA Corporation"));
}

void bz_inventory_cuda(struct bz_inventory *inv, struct bz_view json, struct bz_view path) {
    struct bz_arena ar;
    const struct bz_json *root = bz_inv_json(inv, json, path, &ar);
    for (const struct bz_json *e = root == NULL ? NULL : root->first; e != NULL; e = e->next) {
        struct bz_view version = bz_inv_member(e, BZ_V("version"));
        uint8_t mem[80] = "cuda-";
        struct bz_view name = e->key;
        if (version.n == 0)
            continue;
        if (!bz_view_starts(name, BZ_V("cuda")) && name.n < sizeof mem - 5) {
            memcpy(mem + 5, name.p, name.n);
            name = bz_view(mem, name.n + 5);
        }
        struct bz_component *c = bz_inv_named(inv, BZ_COMPONENT_LIBRARY, name, version, path);
        if (c != NULL)
            c->supplier = bz_inventory_text(inv, BZ_V("NVIDIA Corporation"));
    }
    bz_arena_free(&ar);
}

bool bz_inventory_library(struct bz_inventory *inv, struct bz_view file_name, struct bz_view path) {
    static const struct {
        struct bz_view prefix, supplier;
    } known[] = {
        {BZ_V("libcudart.so."), BZ_V("NVIDIA Corporation")},
        {BZ_V("libcublas.so."), BZ_V("NVIDIA Corporation")},
        {BZ_V("libcudnn.so."), BZ_V("NVIDIA Corporation")},
        {BZ_V("libnccl.so."), BZ_V("NVIDIA Corporation")},
        {BZ_V("libnvinfer.so."), BZ_V("NVIDIA Corporation")},
        {BZ_V("libamdhip64.so."), BZ_V("Advanced Micro Devices, Inc.")},
        {BZ_V("librocblas.so."), BZ_V("Advanced Micro Devices, Inc.")},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!bz_view_starts(file_name, known[i].prefix))
            continue;
        struct bz_view version = bz_view_sub(file_name, known[i].prefix.n, file_name.n);
        size_t dots = 0;
        for (size_t k = 0; k < version.n; k++) {
            if (!digit(version.p[k]) && version.p[k] != '.')
                return false;
            dots += version.p[k] == '.';
        }
        if (dots == 0) /* a link by its interface's number */
            return false;
        struct bz_view name = bz_view_sub(known[i].prefix, 0, known[i].prefix.n - 4);
        struct bz_component *c = bz_inv_named(inv, BZ_COMPONENT_LIBRARY, name, version, path);
        if (c != NULL)
            c->supplier = bz_inventory_text(inv, known[i].supplier);
        return c != NULL;
    }
    return false;
}

/* llama.cpp says "version: 8146 (1a2b3c4)", the others have a dotted number somewhere. */
static struct bz_view said_version(struct bz_view name, struct bz_view text) {
    struct bz_view line;
    while (bz_inv_line(&text, &line)) {
        struct bz_view key, value, v = {0};
        if (!bz_view_eq(name, BZ_V("llama.cpp")))
            v = dotted(line);
        else if (bz_inv_header(line, &key, &value) && bz_view_eq(key, BZ_V("version")))
            v = value;
        if (v.n > 0)
            return bz_inv_trim(v);
    }
    return (struct bz_view){0};
}

void bz_inventory_server(struct bz_inventory *inv, struct bz_view name, struct bz_view text,
                         struct bz_view path) {
    (void)bz_inv_named(inv, BZ_COMPONENT_SERVER, name, said_version(name, text), path);
}
