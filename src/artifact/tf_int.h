/* Inside of the TensorFlow formats: tf.c (SavedModel, GraphDef, Keras metadata), tf_text.c (the same
 * as protocol buffer text), tf_ops.c (operators that reach out of the graph). TFLite asks for
 * operators too: those of TensorFlow that it carries ("FlexReadFile"). */
#ifndef BZ_ARTIFACT_TF_INT_H
#define BZ_ARTIFACT_TF_INT_H

#include "protobuf.h"

enum {
    BZ_TF_NONE = -1,
    BZ_TF_MALFORMED,
    BZ_TF_PYTHON,
    BZ_TF_LIBRARY,
    BZ_TF_FILE,
    BZ_TF_READER,
    BZ_TF_NETWORK,
    BZ_TF_STREAM,
    BZ_TF_CUSTOM,
    BZ_TF_ABORT,
    BZ_TF_ASSET,
    BZ_TF_DEEP,
    BZ_TF_PYTHON_LAYER,
    BZ_TF_RULES
};
extern const struct bz_rule bz_tf_rules[];

/* The rule that an operator of this name breaks, or BZ_TF_NONE. */
int bz_tf_op(struct bz_view op);
/* Could be an operator's name. */
bool bz_tf_op_name(struct bz_view op);
/* An attribute of a node that names a place outside: BZ_TF_STREAM, or BZ_TF_NONE. */
int bz_tf_attr(struct bz_view op, struct bz_view key, struct bz_view value);

/* Metadata of a Keras object: JSON, looked at as a member. */
enum bz_status bz_tf_metadata(struct bz_scan *s, const struct bz_object *o, uint64_t off,
                              uint64_t n) BZ_MUST_USE;

#endif
