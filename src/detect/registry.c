/* Which detectors there are, and the stamp of what is built in. */
#include "engine.h"

#include <bartizan/crypto.h>
#include "groups.h"

static const struct detector *const all[] = {
#ifdef DETECT_HAS_PLACEHOLDER
    &detect_placeholder,
#endif
#ifdef DETECT_HAS_PII
    &detect_pii,
#endif
#ifdef DETECT_HAS_NUMBERS
    &detect_numbers,
#endif
#ifdef DETECT_HAS_IDS
    &detect_ids,
#endif
#ifdef DETECT_HAS_SECRETS
    &detect_secrets,
#endif
#ifdef DETECT_HAS_LABELS
    &detect_labels,
#endif
};
_Static_assert(sizeof all / sizeof all[0] <= DETECTORS_MAX, "struct scan_sink has one each");

size_t detectors(const struct detector *const **ret) {
    *ret = all;
    return sizeof all / sizeof all[0];
}

static void add_text(struct bz_sha256 *h, const char *s) {
    bz_sha256_add(h, bz_view(s, strlen(s) + 1));
}

static void add_u32(struct bz_sha256 *h, uint32_t v) {
    uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    bz_sha256_add(h, bz_view(b, sizeof b));
}

void engine_stamp(uint8_t out[32]) {
    struct bz_sha256 h;
    bz_sha256_init(&h);
    add_text(&h, BZ_VERSION);
    add_text(&h, hs_version());
    const struct bz_type *types = NULL;
    size_t n = bz_type_list(&types);
    for (size_t i = 0; i < n; i++)
        add_text(&h, types[i].name);
    const struct detector *const *each = NULL;
    for (size_t d = detectors(&each); d-- > 0;) {
        add_text(&h, each[d]->name);
        for (size_t i = 0; i < each[d]->triggers_n; i++) {
            add_text(&h, each[d]->triggers[i].expr);
            add_u32(&h, each[d]->triggers[i].flags);
        }
    }
    bz_sha256_end(&h, out);
}
