/* The rows of the types, and where each group's numbers begin. Types keep their order: placeholder,
 * personal data, secrets, labels. */
#ifndef DETECT_GROUPS_H
#define DETECT_GROUPS_H

#include "detector.h"

#if __has_include("pii_types.h")
#include "pii_types.h"
#else
#define PII_TYPES(X)
#endif
#if __has_include("secrets_types.h")
#include "secrets_types.h"
#else
#define SECRETS_TYPES(X)
#endif
#include "labels_types.h"

#define GROUP_COUNT_ROW(...) +1
enum {
    PLACEHOLDER_TYPES_N = 1,
    PII_TYPES_N = 0 PII_TYPES(GROUP_COUNT_ROW),
    SECRETS_TYPES_N = 0 SECRETS_TYPES(GROUP_COUNT_ROW),
    LABELS_TYPES_N = 0 LABELS_TYPES(GROUP_COUNT_ROW),
    BUILTIN_TYPES_N = PLACEHOLDER_TYPES_N + PII_TYPES_N + SECRETS_TYPES_N + LABELS_TYPES_N,
};
_Static_assert(BUILTIN_TYPES_N + BZ_CUSTOM_MAX <= BZ_TYPES_MAX, "types have a bit each");

/* Number of the group's first type, and of its last one plus one. */
static inline size_t group_first(enum detect_group g) {
    static const uint16_t first[DETECT_GROUP_COUNT + 1] = {
        [DETECT_GROUP_PLACEHOLDER] = 0,
        [DETECT_GROUP_PII] = PLACEHOLDER_TYPES_N,
        [DETECT_GROUP_SECRETS] = PLACEHOLDER_TYPES_N + PII_TYPES_N,
        [DETECT_GROUP_LABELS] = PLACEHOLDER_TYPES_N + PII_TYPES_N + SECRETS_TYPES_N,
        [DETECT_GROUP_CUSTOM] = BUILTIN_TYPES_N,
        [DETECT_GROUP_COUNT] = BZ_TYPES_MAX,
    };
    return first[g];
}

#endif
