/* Reads the image's rules that stand in for fixes. */
#include "image_format.h"

bool img_patches_ok(const struct bz_image *img) {
    struct img_patch p;
    for (uint64_t i = 0; img_item(img, IMG_PATCHES, i, sizeof p, &p); i++) {
        if (!img_ref_ok(img, IMG_POOL, p.id) || !img_ref_ok(img, IMG_POOL, p.method) ||
            !img_ref_ok(img, IMG_POOL, p.path) || !img_ref_ok(img, IMG_POOL, p.param))
            return false;
        if (p.id.n == 0 || (p.path.n == 0) == (p.param.n == 0) || p.reserved != 0)
            return false;
    }
    return true;
}

bool bz_image_patch(const struct bz_image *img, uint32_t i, struct bz_image_patch *ret) {
    struct img_patch p;
    if (!img_item(img, IMG_PATCHES, i, sizeof p, &p))
        return false;
    *ret = (struct bz_image_patch){
        .id = img_text(img, IMG_POOL, p.id),
        .method = img_text(img, IMG_POOL, p.method),
        .path = img_text(img, IMG_POOL, p.path),
        .param = img_text(img, IMG_POOL, p.param),
        .deny = (p.flags & IMG_PATCH_DENY) != 0,
        .has_min = (p.flags & IMG_PATCH_MIN) != 0,
        .has_max = (p.flags & IMG_PATCH_MAX) != 0,
        .min = p.min,
        .max = p.max,
        .backends = p.backends,
    };
    return true;
}
