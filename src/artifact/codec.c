/* Decoders as sources. */
#include "scan_int.h"

const struct bz_source *bz_codec_source(struct bz_scan *s, const struct bz_object *o,
                                        enum bz_codec codec, const struct bz_source *packed) {
    (void)s;
    (void)o;
    (void)codec;
    (void)packed;
    return NULL;
}
