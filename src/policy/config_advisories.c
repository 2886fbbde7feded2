/* Section `advisories`: whose packs are taken, rules at the gateway, and how soon things are due. */
#include <stdio.h>
#include <bartizan/text.h>
#include "config_int.h"

/* A bank's usual terms; what is known to be exploited has three days. */
static const uint32_t default_hours[BZ_DUE_COUNT] = {
    [BZ_DUE_KEV] = 72,         [BZ_DUE_CRITICAL] = 7 * 24, [BZ_DUE_HIGH] = 30 * 24,
    [BZ_DUE_MEDIUM] = 90 * 24, [BZ_DUE_LOW] = 180 * 24,
};
static const char *const due_names[BZ_DUE_COUNT] = {"kev", "critical", "high", "medium", "low"};

static bool is_key(const char *s) {
    struct bz_view v = bz_view_str(s), prefix = BZ_V("ed25519:");
    uint8_t pub[BZ_SIGN_PUBLIC_LEN];
    size_t n = 0;
    return bz_view_starts(v, prefix) &&
           bz_hex_decode(bz_view_sub(v, prefix.n, v.n), pub, sizeof pub, &n) == BZ_OK &&
           n == sizeof pub;
}

void cfg_check_advisories(struct cfg *c, const struct y_config *y) {
    const struct y_advisories *a = y->advisories;
    char at[64];
    for (uint32_t i = 0; a != NULL && i < a->keys_count; i++) {
        (void)snprintf(at, sizeof at, "advisories.keys[%u]", i);
        if (!is_key(a->keys[i]))
            cfg_fail(c, at,
                     "\"%s\" is no key: ed25519: and 64 hex digits, as its owner publishes it",
                     a->keys[i]);
    }
    for (int d = 0; a != NULL && a->due_hours != NULL && d < BZ_DUE_COUNT; d++) {
        (void)snprintf(at, sizeof at, "advisories.due_hours.%s", due_names[d]);
        cfg_check_range(c, at, a->due_hours->hours[d], 1, 87600);
    }
}

bool cfg_convert_advisories(struct bz_config *out, struct bz_arena *ar, const struct y_config *y) {
    const struct y_advisories *a = y->advisories;
    out->advisories.patches = a == NULL || a->patches == NULL || *a->patches;
    for (int d = 0; d < BZ_DUE_COUNT; d++) {
        const uint64_t *own = a == NULL || a->due_hours == NULL ? NULL : a->due_hours->hours[d];
        out->advisories.due_hours[d] = own == NULL ? default_hours[d] : (uint32_t)*own;
    }
    if (a == NULL || a->keys_count == 0)
        return true;
    out->advisories.keys_n = a->keys_count;
    out->advisories.keys = cfg_dup_list(ar, a->keys, a->keys_count);
    return out->advisories.keys != NULL;
}
