/* Inside of the ONNX format: onnx.c (recognising, the model), onnx_graph.c (nodes, tensors). */
#ifndef BZ_ARTIFACT_ONNX_INT_H
#define BZ_ARTIFACT_ONNX_INT_H

#include "protobuf.h"

enum {
    BZ_ONNX_MALFORMED,
    BZ_ONNX_EXTERNAL_PATH,
    BZ_ONNX_EXTERNAL_LINK,
    BZ_ONNX_EXTERNAL_RANGE,
    BZ_ONNX_EXTERNAL_MISSING,
    BZ_ONNX_EXTERNAL_UNCHECKED,
    BZ_ONNX_PYTHON,
    BZ_ONNX_CUSTOM_OP,
    BZ_ONNX_TWICE,
    BZ_ONNX_DEEP,
    BZ_ONNX_RULES
};
extern const struct bz_rule bz_onnx_rules[];

struct bz_onnx_name { /* a function that the file defines */
    struct bz_view domain, name;
    struct bz_onnx_name *next;
};

struct bz_onnx {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_arena *ar;
    struct bz_onnx_name *local;
    struct bz_view last_custom; /* the domain last reported: one finding per domain in a row */
    struct bz_view sibling;     /* the name last asked for */
    struct bz_source beside;
    enum bz_status beside_st;
    bool unchecked, missing; /* said once */
};

enum bz_status bz_onnx_graph(struct bz_onnx *x, struct bz_pb g, unsigned depth) BZ_MUST_USE;
enum bz_status bz_onnx_function(struct bz_onnx *x, struct bz_pb fn) BZ_MUST_USE;

/* What stopped a walk of the top level is the end of the file inside a graph. */
bool bz_onnx_cut_off(struct bz_pb_in *in, uint64_t size);

#endif
