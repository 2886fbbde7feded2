/* Inside of data protection: what the configuration, the image and the explanation share. */
#ifndef BARTIZAN_POLICY_DATA_INT_H
#define BARTIZAN_POLICY_DATA_INT_H

#include <bartizan/policy.h>

enum {
    data_restore_s = 3600,
    data_hold_ms = 2000,
};

/* What happens where no rule fits; in this order, the first that fits decides. */
struct data_default {
    enum bz_class cls;
    enum bz_proof proof; /* at least */
    enum bz_action action[BZ_DIRECTION_COUNT];
    const char *why;
};
const struct data_default *data_defaults(size_t *ret_n);

/* An action as it comes out in a direction: in replies there is nothing to give back. */
enum bz_action data_action(enum bz_action a, enum bz_direction d);
bool data_rule_has(const struct bz_data_rule *r, enum bz_direction d);

#endif
