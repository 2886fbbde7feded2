/* How versions compare, for the auditor: advisory's orders under their names. */
#include <bartizan/advisory.h>

#include "cmd_posture.h"

enum bz_status bz_posture_version_cmp(const char *scheme, struct bz_view a, struct bz_view b,
                                      int *ret) {
    enum bz_version_scheme s;
    BZ_TRY(bz_version_scheme_find(bz_view_str(scheme), &s));
    return bz_version_cmp(s, a, b, ret);
}
