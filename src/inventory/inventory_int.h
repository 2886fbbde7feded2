/* What the files of this room share. */
#ifndef BZ_INVENTORY_INT_H
#define BZ_INVENTORY_INT_H

#include <bartizan/inventory.h>

static inline struct bz_view bz_inv_trim(struct bz_view v) {
    while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t' || v.p[0] == '\r'))
        v = bz_view_sub(v, 1, v.n);
    while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t' || v.p[v.n - 1] == '\r'))
        v.n--;
    return v;
}
/* The next line, without its end; false: no more. */
static inline bool bz_inv_line(struct bz_view *text, struct bz_view *ret) {
    if (text->n == 0)
        return false;
    const uint8_t *nl = memchr(text->p, '\n', text->n);
    *ret = bz_view_sub(*text, 0, nl == NULL ? text->n : (size_t)(nl - text->p));
    *text = bz_view_sub(*text, ret->n + 1, text->n);
    return true;
}
/* "Name: value" of headers; false: no such line. */
static inline bool bz_inv_header(struct bz_view line, struct bz_view *ret_name,
                                 struct bz_view *ret_value) {
    const uint8_t *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);
    if (colon == NULL || colon == line.p)
        return false;
    *ret_name = bz_view(line.p, (size_t)(colon - line.p));
    *ret_value = bz_inv_trim(bz_view_sub(line, ret_name->n + 1, line.n));
    return true;
}
static inline struct bz_view bz_inv_member(const struct bz_json *obj, struct bz_view key) {
    return bz_json_str(bz_json_get(obj, key));
}
/* Parses strictly but for duplicate and many keys, which real files have; notes what is wrong. */
const struct bz_json *bz_inv_json(struct bz_inventory *inv, struct bz_view text,
                                  struct bz_view path, struct bz_arena *scratch);
/* A component of a name that can be one; NULL: noted. */
struct bz_component *bz_inv_named(struct bz_inventory *inv, enum bz_component_kind kind,
                                  struct bz_view name, struct bz_view version, struct bz_view path);

#endif
