/* Section `posture`: what the last audit of the host must say before models get requests. */
#include "config_int.h"

void cfg_check_posture(struct cfg *c, const struct y_config *y) {
    const struct y_posture *p = y->posture;
    if (p == NULL)
        return;
    if (p->mode != NULL && strcmp(p->mode, "off") != 0 && strcmp(p->mode, "watch") != 0 &&
        strcmp(p->mode, "enforce") != 0)
        cfg_fail(c, "posture.mode", "\"%s\" is no mode; write off, watch or enforce", p->mode);
    cfg_check_range(c, "posture.max_age_hours", p->max_age_hours, 1, 8760);
    cfg_check_range(c, "posture.max_critical", p->max_critical, 0, 10000);
    cfg_check_range(c, "posture.max_high", p->max_high, 0, 10000);
    cfg_check_range(c, "posture.min_score", p->min_score, 0, 100);
}

static uint32_t or_default(const uint64_t *v, uint32_t otherwise) {
    return v == NULL ? otherwise : (uint32_t)*v;
}

void cfg_convert_posture(struct bz_config *out, const struct y_config *y) {
    static const struct y_posture none;
    const struct y_posture *p = y->posture == NULL ? &none : y->posture;
    const char *mode = p->mode == NULL ? "off" : p->mode;
    out->posture = (struct bz_posture_config){
        .mode = strcmp(mode, "enforce") == 0 ? BZ_POSTURE_ENFORCE
                : strcmp(mode, "watch") == 0 ? BZ_POSTURE_WATCH
                                             : BZ_POSTURE_OFF,
        .max_age_hours = or_default(p->max_age_hours, 168),
        .max_critical = or_default(p->max_critical, 0),
        .max_high = or_default(p->max_high, 10000),
        .min_score = or_default(p->min_score, 0),
    };
}
