/* Versions: the first byte names the scheme, lines follow. Each pair must compare the same from both
 * ends, three must not go in a circle, and a range must not change its mind. */
#include <stdlib.h>
#include <bartizan/advisory.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bz_view line(struct bz_view *in) {
    const uint8_t *nl = in->n == 0 ? NULL : memchr(in->p, '\n', in->n);
    struct bz_view v = bz_view_sub(*in, 0, nl == NULL ? in->n : (size_t)(nl - in->p));
    *in = bz_view_sub(*in, v.n + 1, in->n);
    return v;
}

static bool order(enum bz_version_scheme s, struct bz_view a, struct bz_view b, int *ret) {
    int back = 0;
    if (bz_version_cmp(s, a, b, ret) != BZ_OK)
        return false;
    *ret = (*ret > 0) - (*ret < 0);
    if (bz_version_cmp(s, b, a, &back) != BZ_OK || (back > 0) - (back < 0) != -*ret)
        abort();
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int ab = 0, bc = 0, ac = 0;
    bool has = false, again = false;
    if (size == 0)
        return 0;
    struct bz_view in = bz_view(data + 1, size - 1);
    enum bz_version_scheme s = (enum bz_version_scheme)(data[0] % (BZ_VERSION_SCHEME_COUNT + 1));
    struct bz_view a = line(&in), b = line(&in), c = line(&in);
    if (s == BZ_VERSION_SCHEME_COUNT) {
        if (bz_npm_range_has(a, b, &has) != bz_npm_range_has(a, b, &again) || has != again)
            abort();
        return 0;
    }
    if (order(s, a, b, &ab) && order(s, b, c, &bc) && order(s, a, c, &ac)) {
        if (ab <= 0 && bc <= 0 && (ac > 0 || (ac == 0 && ab + bc < 0)))
            abort();
    }
    return 0;
}
