/* What the files of this room share. */
#ifndef BZ_ADVISORY_INT_H
#define BZ_ADVISORY_INT_H

#include <bartizan/advisory.h>
#include "version.h"

/* Text of a string member; empty when it is not there or no string. */
static inline struct bz_view bz_adv_text(const struct bz_json *obj, struct bz_view key) {
    return bz_json_str(bz_json_get(obj, key));
}

#endif
