/* What data protection does under a configuration, explained. */
#ifndef BZ_POLICY_DATA_H
#define BZ_POLICY_DATA_H

#include <bartizan/json.h>
#include <bartizan/policy.h>

/* Number of the type of that name (also in another case); false: there is none. */
bool bz_data_type_find(const struct bz_config *c, const char *name, size_t *ret);
/* The value of the member "data". type: only this one; SIZE_MAX: all. false: out of memory. */
bool bz_data_json(struct bz_jw *w, const struct bz_config *c, size_t type);
/* For people, in lines as wide as the terminal. */
bool bz_data_print(const struct bz_config *c, size_t type);

#endif
