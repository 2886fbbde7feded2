/* Virtual patches: rules of the image that keep a request from backends whose server has no fix
 * yet. A backend that has it still gets the request; where none is left it is refused. */
#include "tx_int.h"

static bool is_hit(const struct bz_image_patch *p, const struct bz_json *v) {
    int64_t n = 0;
    if (v->type == BZ_JSON_NULL)
        return false;
    if (p->deny || !bz_json_is(v, BZ_JSON_NUMBER) || bz_json_i64(v, &n) != BZ_OK)
        return true;
    return (p->has_min && n < p->min) || (p->has_max && n > p->max);
}

/* Is there a value under these members that the rule refuses? Lists on the way are gone through;
 * case does not count, because some servers do not look at it. The tree's depth bounds this. */
static bool found(const struct bz_image_patch *p, const struct bz_json *v, struct bz_view path) {
    if (bz_json_is(v, BZ_JSON_ARRAY)) {
        bool any = path.n == 0 && is_hit(p, v);
        for (const struct bz_json *k = v->first; k != NULL && !any && path.n > 0; k = k->next)
            any = found(p, k, path);
        return any;
    }
    if (path.n == 0)
        return is_hit(p, v);
    const uint8_t *dot = memchr(path.p, '.', path.n);
    struct bz_view name = bz_view_sub(path, 0, dot == NULL ? path.n : (size_t)(dot - path.p));
    struct bz_view rest = bz_view_sub(path, name.n + 1, path.n);
    for (const struct bz_json *k = bz_json_is(v, BZ_JSON_OBJECT) ? v->first : NULL; k != NULL;
         k = k->next) {
        if (bz_view_eq_nocase(k->key, name) && found(p, k, rest))
            return true;
    }
    return false;
}

/* Which of these backends have the rule's route as the one that this request takes. */
static uint64_t on_route(const struct bz_tx *tx, const struct bz_image_patch *p, uint64_t mask) {
    uint8_t types = 0;
    for (unsigned t = 0; t < BZ_SERVER_COUNT; t++) {
        const struct bz_route *r = tx->routes[t];
        if (r != NULL && bz_view_eq(bz_view_str(r->path), p->path) &&
            (p->method.n == 0 || bz_view_eq(bz_view_str(r->method), p->method)))
            types |= (uint8_t)(1u << t);
    }
    return types == 0 ? 0 : bz_tx_backends_of(tx, mask, types);
}

static bool refuse(struct bz_tx *tx, struct bz_view id) {
    char mem[256];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, "Refused until the model server is updated: ");
    bz_put_safe(&b, id);
    bz_buf_puts(&b, ".");
    struct bz_view why = bz_buf_status(&b) == BZ_OK ? bz_buf_view(&b) : (struct bz_view){NULL, 0};
    return bz_tx_no_because(tx, BZ_REFUSE_PATCHED, why, (struct bz_view){NULL, 0},
                            "virtual patch for a vulnerability of the model server");
}

bool bz_tx_patches(struct bz_tx *tx, const struct bz_json *root, uint64_t *mask) {
    struct bz_image_patch p;
    for (uint32_t i = 0; *mask != 0 && bz_image_patch(tx->image, i, &p); i++) {
        uint64_t hit = *mask & p.backends;
        if (hit != 0 && p.path.n > 0)
            hit = on_route(tx, &p, hit);
        else if (hit != 0 && (root == NULL || !found(&p, root, p.param)))
            hit = 0;
        *mask &= ~hit;
        if (*mask == 0)
            return refuse(tx, p.id);
    }
    return true;
}
