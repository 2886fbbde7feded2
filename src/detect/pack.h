/* What writer and reader of a pack share. */
#ifndef DETECT_PACK_H
#define DETECT_PACK_H

#include "groups.h"

#define PACK_MAGIC "BZDETECT"

static inline size_t builtin_types(void) {
    return BUILTIN_TYPES_N;
}

#endif
