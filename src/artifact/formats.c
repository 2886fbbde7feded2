/* The table of formats. */
#include "formats.h"

#define X(name) extern const struct bz_format bz_format_##name;
BZ_FORMAT_TABLE(X);
#undef X

const struct bz_format *const bz_formats[] = {
#define X(name) &bz_format_##name,
    BZ_FORMAT_TABLE(X)
#undef X
};
const size_t bz_formats_n = sizeof bz_formats / sizeof bz_formats[0];

const struct bz_format *bz_format_named(const char *name) {
    for (size_t i = 0; i < bz_formats_n; i++) {
        if (strcmp(bz_formats[i]->name, name) == 0)
            return bz_formats[i];
    }
    return NULL;
}
