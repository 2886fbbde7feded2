/* The formats of this build, in the order of trial: X(NAME) stands for `bz_format_NAME`. */
#ifndef BZ_ARTIFACT_FORMATS_H
#define BZ_ARTIFACT_FORMATS_H

#include "scan_int.h"

#define BZ_FORMAT_TABLE(X)                                                                         \
    X(sevenzip)                                                                                    \
    X(tar)                                                                                         \
    X(executable)                                                                                  \
    X(torchscript)                                                                                 \
    X(zip)                                                                                         \
    X(gzip)                                                                                        \
    X(zlib)                                                                                        \
    X(bzip2)                                                                                       \
    X(xz)                                                                                          \
    X(lzma)                                                                                        \
    X(zstd)                                                                                        \
    X(lz4)                                                                                         \
    X(numpy)                                                                                       \
    X(joblib_zf)                                                                                   \
    X(pickle)                                                                                      \
    X(gguf)                                                                                        \
    X(safetensors)                                                                                 \
    X(hdf5)                                                                                        \
    X(json)                                                                                        \
    X(onnx)                                                                                        \
    X(tf_saved_model)                                                                              \
    X(tf_graph)                                                                                    \
    X(tf_metadata)                                                                                 \
    X(tf_text)                                                                                     \
    X(xml)                                                                                         \
    X(media)                                                                                       \
    X(tflite)                                                                                      \
    X(jinja)                                                                                       \
    X(lfs)                                                                                         \
    X(requirements)                                                                                \
    X(python)                                                                                      \
    X(yaml)                                                                                        \
    X(rds)                                                                                         \
    X(coreml)                                                                                      \
    X(paddle)                                                                                      \
    X(caffe)                                                                                       \
    X(sentencepiece)                                                                               \
    X(empty)                                                                                       \
    X(catboost)                                                                                    \
    X(ubjson)                                                                                      \
    X(msgpack)                                                                                     \
    X(tf_index)                                                                                    \
    X(raw_weights)                                                                                 \
    X(text)

#endif
