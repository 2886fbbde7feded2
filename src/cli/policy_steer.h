/* What happens to texts that steer under a configuration, explained. */
#ifndef BZ_POLICY_STEER_H
#define BZ_POLICY_STEER_H

#include <bartizan/json.h>
#include <bartizan/policy.h>

/* The members "injection" and "prompts". */
void bz_steer_json(struct bz_jw *w, const struct bz_config *c);
void bz_steer_print(const struct bz_config *c); /* for people */

#endif
