/* How bad it is, in words. */
#include "advisory_int.h"

static const char *const names[BZ_RATING_COUNT] = {
    [BZ_RATING_UNKNOWN] = "unknown",   [BZ_RATING_LOW] = "low",
    [BZ_RATING_MEDIUM] = "medium",     [BZ_RATING_HIGH] = "high",
    [BZ_RATING_CRITICAL] = "critical",
};

const char *bz_rating_name(enum bz_rating s) {
    return names[(unsigned)s < BZ_RATING_COUNT ? s : BZ_RATING_UNKNOWN];
}

bool bz_rating_from_name(struct bz_view name, enum bz_rating *ret) {
    if (bz_view_eq_nocase(name, BZ_V("moderate"))) { /* GitHub's word */
        *ret = BZ_RATING_MEDIUM;
        return true;
    }
    for (unsigned s = BZ_RATING_LOW; s < BZ_RATING_COUNT; s++) {
        if (bz_view_eq_nocase(name, bz_view_str(names[s]))) {
            *ret = (enum bz_rating)s;
            return true;
        }
    }
    return false;
}

enum bz_rating bz_rating_of_score(uint8_t tenths) {
    if (tenths >= 90)
        return BZ_RATING_CRITICAL;
    if (tenths >= 70)
        return BZ_RATING_HIGH;
    return tenths >= 40 ? BZ_RATING_MEDIUM : BZ_RATING_LOW;
}
