/* The formats of this build, in the order of trial: X(NAME) stands for `bz_format_NAME`. */
#ifndef BZ_ARTIFACT_FORMATS_H
#define BZ_ARTIFACT_FORMATS_H

#include "scan_int.h"

#define BZ_FORMAT_TABLE(X)                                                                         \
    X(onnx)                                                                                        \
    X(text)

#endif
