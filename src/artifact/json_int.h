/* Inside of the JSON format: configurations, manifests and graphs that programs act on.
 *
 *   json.c        recognising, reading, walking
 *   json_hf.c     Hugging Face: config.json, tokenizer_config.json, adapters, pipelines, indexes
 *   json_keras.c  Keras: what deserialize_keras_object would import, build and call
 *   json_skops.c  skops: what its loader would import and call */
#ifndef BZ_ARTIFACT_JSON_INT_H
#define BZ_ARTIFACT_JSON_INT_H

#include <bartizan/json.h>

#include "pages.h"
#include "text_int.h"

enum bz_json_rule {
    BZ_J_MALFORMED,
    BZ_J_DUPLICATE,
    BZ_J_DEEP,
    BZ_J_LENIENT,
    BZ_J_PICKLE,
    BZ_J_TARGET,
    BZ_J_TARGET_UNKNOWN,
    BZ_J_COMMAND,
    BZ_J_HANDLER,
    BZ_J_CODE_LOCAL,
    BZ_J_CODE_REMOTE,
    BZ_J_CODE_PATH,
    BZ_J_TRUST,
    BZ_J_KERNEL,
    BZ_J_IMPORT,
    BZ_J_TYPE,
    BZ_J_TOKENS,
    BZ_J_REWRITE,
    BZ_J_FILE,
    BZ_J_KERAS_LAMBDA,
    BZ_J_KERAS_LAMBDA_NAMED,
    BZ_J_KERAS_MODULE,
    BZ_J_KERAS_IMPORT,
    BZ_J_KERAS_GADGET,
    BZ_J_KERAS_CUSTOM,
    BZ_J_KERAS_PICKLE,
    BZ_J_KERAS_FILE,
    BZ_J_SKOPS_CALL,
    BZ_J_SKOPS_UNKNOWN,
    BZ_J_SKOPS_MISMATCH,
    BZ_J_RULES
};
extern const struct bz_rule bz_json_rules[];

struct bz_json_scan {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_arena *ar;
    unsigned texts;    /* JSON in strings of JSON, that deep */
    const char *named; /* what the result is called */
    bool data;         /* a vocabulary or a data set: its strings are nobody's configuration */
};

#define BZ_J_FOUND(x, rule, node, v)                                                               \
    bz_scan_found((x)->s, (x)->o, &bz_json_rules[rule], (node)->off, v)

/* Each looks at one object and its own members; the walk comes by all of them. */
enum bz_status bz_json_hf(struct bz_json_scan *x, const struct bz_json *obj) BZ_MUST_USE;
enum bz_status bz_json_hf_root(struct bz_json_scan *x, const struct bz_json *root) BZ_MUST_USE;
/* tokenizer.json: steps that change words. */
enum bz_status bz_json_tokenizer(struct bz_json_scan *x, const struct bz_json *root) BZ_MUST_USE;
enum bz_status bz_json_keras(struct bz_json_scan *x, const struct bz_json *obj) BZ_MUST_USE;
enum bz_status bz_json_skops(struct bz_json_scan *x, const struct bz_json *obj) BZ_MUST_USE;

/* All of them on a whole tree, also one that was not JSON. */
enum bz_status bz_json_document(struct bz_json_scan *x, const struct bz_json *root) BZ_MUST_USE;

/* Text of member `key`, or p == NULL. */
struct bz_view bz_json_text(const struct bz_json *obj, struct bz_view key);
/* A template in a configuration, under the name of its key. */
enum bz_status bz_json_template(struct bz_scan *s, const struct bz_object *o, struct bz_view name,
                                struct bz_view text) BZ_MUST_USE;
/* The string names something to import: nothing to say, BZ_J_TARGET, or BZ_J_TARGET_UNKNOWN. */
int bz_json_target(struct bz_view dotted);

#endif
