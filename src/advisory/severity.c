/* How bad it is, in words. */
#include "advisory_int.h"

static const char *const names[BZ_SEVERITY_COUNT] = {
    [BZ_SEVERITY_UNKNOWN] = "unknown",   [BZ_SEVERITY_LOW] = "low",
    [BZ_SEVERITY_MEDIUM] = "medium",     [BZ_SEVERITY_HIGH] = "high",
    [BZ_SEVERITY_CRITICAL] = "critical",
};

const char *bz_severity_name(enum bz_severity s) {
    return names[(unsigned)s < BZ_SEVERITY_COUNT ? s : BZ_SEVERITY_UNKNOWN];
}

bool bz_severity_from_name(struct bz_view name, enum bz_severity *ret) {
    if (bz_view_eq_nocase(name, BZ_V("moderate"))) { /* GitHub's word */
        *ret = BZ_SEVERITY_MEDIUM;
        return true;
    }
    for (unsigned s = BZ_SEVERITY_LOW; s < BZ_SEVERITY_COUNT; s++) {
        if (bz_view_eq_nocase(name, bz_view_str(names[s]))) {
            *ret = (enum bz_severity)s;
            return true;
        }
    }
    return false;
}

enum bz_severity bz_severity_of_score(uint8_t tenths) {
    if (tenths >= 90)
        return BZ_SEVERITY_CRITICAL;
    if (tenths >= 70)
        return BZ_SEVERITY_HIGH;
    return tenths >= 40 ? BZ_SEVERITY_MEDIUM : BZ_SEVERITY_LOW;
}
