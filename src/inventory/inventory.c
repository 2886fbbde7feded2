/* The list of components. */
#include <bartizan/text.h>
#include "inventory_int.h"

const char *bz_component_kind_name(enum bz_component_kind k) {
    static const char *const names[BZ_COMPONENT_KIND_COUNT] = {
        [BZ_COMPONENT_DEB] = "deb",         [BZ_COMPONENT_PYPI] = "pypi",
        [BZ_COMPONENT_NPM] = "npm",         [BZ_COMPONENT_CONDA] = "conda",
        [BZ_COMPONENT_SERVER] = "server",   [BZ_COMPONENT_DRIVER] = "driver",
        [BZ_COMPONENT_LIBRARY] = "library", [BZ_COMPONENT_MODEL] = "model",
    };
    return (unsigned)k < BZ_COMPONENT_KIND_COUNT ? names[k] : "unknown";
}

void bz_inventory_init(struct bz_inventory *inv) {
    memset(inv, 0, sizeof *inv);
    bz_arena_init(&inv->ar, bz_alloc_heap, BZ_INVENTORY_MEMORY, NULL, 0);
}

void bz_inventory_free(struct bz_inventory *inv) {
    bz_arena_free(&inv->ar);
    memset(inv, 0, sizeof *inv);
}

struct bz_component *bz_inventory_add(struct bz_inventory *inv, enum bz_component_kind kind) {
    struct bz_component *c =
        inv->n >= BZ_COMPONENTS_MAX ? NULL : bz_arena_zalloc(&inv->ar, sizeof *c);
    if (c == NULL) {
        inv->full = true;
        return NULL;
    }
    c->kind = kind;
    if (inv->last == NULL)
        inv->first = c;
    else
        inv->last->next = c;
    inv->last = c;
    inv->n++;
    return c;
}

struct bz_view bz_inventory_text(struct bz_inventory *inv, struct bz_view v) {
    uint8_t mem[BZ_INVENTORY_TEXT_MAX];
    size_t n = 0;
    v = bz_inv_trim(v);
    while (v.n > 0 && n + 4 <= sizeof mem) {
        uint32_t cp = 0;
        size_t len = bz_utf8_next(v, &cp);
        if (len == 0) {
            cp = 0xfffd;
            len = 1;
        }
        if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
            break;
        n += bz_utf8_encode(cp, mem + n);
        v = bz_view_sub(v, len, v.n);
    }
    if (n == 0)
        return (struct bz_view){0};
    struct bz_view copy = bz_arena_dup(&inv->ar, bz_view(mem, n));
    if (copy.p == NULL) {
        inv->full = true;
        return (struct bz_view){0};
    }
    return copy;
}

void bz_inventory_note(struct bz_inventory *inv, struct bz_view path, const char *why) {
    enum { NOTES_MAX = 10000 };
    struct bz_inventory_note *n =
        inv->notes_n >= NOTES_MAX ? NULL : bz_arena_zalloc(&inv->ar, sizeof *n);
    inv->notes_n++;
    if (n == NULL)
        return;
    n->path = bz_inventory_text(inv, path);
    n->why = why;
    if (inv->last_note == NULL)
        inv->notes = n;
    else
        inv->last_note->next = n;
    inv->last_note = n;
}

const struct bz_json *bz_inv_json(struct bz_inventory *inv, struct bz_view text,
                                  struct bz_view path, struct bz_arena *scratch) {
    const struct bz_json_opts opts = {
        .max_depth = 256, .max_nodes = 8u << 20, .max_keys = 1u << 20};
    struct bz_json *root = NULL;
    bz_arena_init(scratch, bz_alloc_heap, BZ_INVENTORY_MEMORY, NULL, 0);
    if (bz_view_starts(text, BZ_V("\xef\xbb\xbf")))
        text = bz_view_sub(text, 3, text.n);
    if (bz_json_parse(text, &opts, scratch, &root, NULL) != BZ_OK ||
        !bz_json_is(root, BZ_JSON_OBJECT)) {
        bz_inventory_note(inv, path, "it is not JSON, or no object");
        return NULL;
    }
    return root;
}

struct bz_component *bz_inv_named(struct bz_inventory *inv, enum bz_component_kind kind,
                                  struct bz_view name, struct bz_view version,
                                  struct bz_view path) {
    if (name.n == 0 || name.n > BZ_PACKAGE_NAME_MAX || version.n > BZ_VERSION_MAX) {
        bz_inventory_note(inv, path, "a package without a name, or with one that is too long");
        return NULL;
    }
    struct bz_component *c = bz_inventory_add(inv, kind);
    if (c == NULL)
        return NULL;
    c->name = bz_inventory_text(inv, name);
    c->version = bz_inventory_text(inv, version);
    c->path = bz_inventory_text(inv, path);
    return c;
}

/* ---- order ---- */

static int by_text(struct bz_view a, struct bz_view b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);
    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int order(const struct bz_component *a, const struct bz_component *b) {
    int c = (int)a->kind - (int)b->kind;
    if (c == 0)
        c = by_text(a->name, b->name);
    if (c == 0)
        c = by_text(a->version, b->version);
    return c != 0 ? c : by_text(a->path, b->path);
}

static struct bz_component *merge(struct bz_component *a, struct bz_component *b) {
    struct bz_component head = {0}, *end = &head;
    while (a != NULL && b != NULL) {
        struct bz_component **less = order(a, b) <= 0 ? &a : &b;
        end->next = *less;
        end = *less;
        *less = (*less)->next;
    }
    end->next = a != NULL ? a : b;
    return head.next;
}

/* Merge sort from below: list i holds 2^i components or none. */
void bz_inventory_sort(struct bz_inventory *inv) {
    struct bz_component *part[24] = {0}, *all = NULL;
    for (struct bz_component *c = inv->first, *next; c != NULL; c = next) {
        next = c->next;
        c->next = NULL;
        size_t i = 0;
        for (; i < 23 && part[i] != NULL; i++) {
            c = merge(part[i], c);
            part[i] = NULL;
        }
        part[i] = merge(part[i], c);
    }
    for (size_t i = 0; i < 24; i++)
        all = merge(part[i], all);
    inv->first = all;
    inv->last = NULL;
    inv->n = 0;
    for (struct bz_component *c = all; c != NULL; c = c->next) {
        while (c->next != NULL && order(c, c->next) == 0)
            c->next = c->next->next;
        inv->last = c;
        c->index = inv->n++;
    }
}
