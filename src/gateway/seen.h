/* What one worker found out about texts before: chat clients send the whole conversation with every
 * turn. A table of keyed digests, used last first; what has no room any more is found out again. */
#ifndef BZ_GATEWAY_SEEN_H
#define BZ_GATEWAY_SEEN_H

#include <bartizan/gateway.h>
#include <bartizan/policy.h>

struct seen_set;
struct seen_name { /* of one text for one purpose; set NULL: nothing is remembered */
    struct seen_set *set;
    uint32_t tag[3];
};
/* scope: all that the answer depends on beside the text and what the table lives as long as, the user
 * above all, made with bz_name_hash under the instance's limit_seed: nobody can make two texts that
 * look alike here, and nobody learns from how long it takes what others have sent. seen: may be
 * NULL. */
void bz_seen_name(struct bz_seen *seen, const struct bz_settings *keys, uint64_t scope,
                  struct bz_view text, struct seen_name *ret);
/* What was kept under this name; false: nothing. */
bool bz_seen_get(const struct seen_name *n, uint8_t *ret);
void bz_seen_keep(const struct seen_name *n, uint8_t what);

#endif
