/* The formats of this build, in the order of trial: X(NAME) stands for `bz_format_NAME`. */
#ifndef BZ_ARTIFACT_FORMATS_H
#define BZ_ARTIFACT_FORMATS_H

#include "scan_int.h"

#define BZ_FORMAT_TABLE(X)                                                                         \
    X(zip)                                                                                         \
    X(gzip)                                                                                        \
    X(zlib)                                                                                        \
    X(bzip2)                                                                                       \
    X(xz)                                                                                          \
    X(lzma)                                                                                        \
    X(zstd)                                                                                        \
    X(lz4)                                                                                         \
    X(json)                                                                                        \
    X(onnx)                                                                                        \
    X(text)

#endif
