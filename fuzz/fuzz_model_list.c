/* Model lists of backends: first byte is the kind of server. Whatever comes out is bounded, sorted,
 * made of usable names, and merges. */
#include <stdlib.h>

#include "models.h"

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    struct bz_names l = {NULL, 0, 0}, again = {NULL, 0, 0};
    struct bz_served s = {NULL, 0, 0};
    struct bz_config none = {.models = NULL};
    if (n < 1)
        return 0;
    const enum bz_server kind = (enum bz_server)(p[0] % BZ_SERVER_COUNT);
    char version[BZ_VERSION_MAX + 1] = "";
    if (bz_server_version_parse(kind, bz_view(p + 1, n - 1), version) == BZ_OK)
        MUST(version[0] != '\0' && strlen(version) <= BZ_VERSION_MAX);
    if (bz_model_list_parse(kind, bz_view(p + 1, n - 1), &l) != BZ_OK) {
        MUST(l.v == NULL && l.n == 0);
        return 0;
    }
    MUST(l.n <= BZ_MODEL_LIST_NAMES_MAX);
    for (uint32_t i = 0; i < l.n; i++) {
        MUST(bz_model_name_ok(bz_view_str(l.v[i])));
        MUST(i == 0 || strcmp(l.v[i - 1], l.v[i]) < 0);
    }
    MUST(bz_models_merge(&none, &l, 1, &s) == BZ_OK && s.n == l.n && s.dropped == 0);
    bz_served_free(&s);
    MUST(bz_names_copy(l.v, l.n, &again) == BZ_OK && bz_names_equal(&l, &again));
    bz_names_free(&again);
    bz_names_free(&l);
    return 0;
}
