/* Keras: what deserialize_keras_object() would import, build and call, in .keras archives, .h5
 * attributes, SavedModel metadata and TensorFlow.js models alike.
 *
 * An object is {"module", "class_name", "config", "registered_name"} (Keras 3) or {"class_name",
 * "config"} (before). Allowed are classes below the parts of Keras that compute, and functions of the
 * parts that hold nothing but mathematics; whatever else Keras can reach is a gadget.
 * Sources: keras/src/saving/serialization_lib.py of 3.3 to 3.11, legacy/saving/serialization.py. */
#include "json_int.h"
#include "tf_int.h"

struct module {
    bool keras;          /* Keras, under one of its names */
    bool extension;      /* a library of the Keras project */
    struct bz_view part; /* "layers" of "keras.src.layers.core.dense"; "" for Keras itself */
};

static struct bz_view after(struct bz_view v, struct bz_view head) {
    return bz_view_sub(v, head.n, v.n);
}

static struct module module_of(struct bz_view v) {
    static const char *const heads[] = {"tensorflow.python.keras",
                                        "tensorflow.keras",
                                        "tensorflow.compat.v2.keras",
                                        "tensorflow.compat.v1.keras",
                                        "tensorflow_core.keras",
                                        "tf_keras",
                                        "keras",
                                        "tf.keras",
                                        NULL};
    static const char *const kin[] = {"keras_hub",  "keras_nlp", "keras_cv",
                                      "keras_core", "keras_rs",  NULL};
    static const char *const inner[] = {"src", "api",   "_v1",  "_v2",   "_tf_keras",
                                        "v2",  "keras", "core", "_impl", NULL};
    struct module m = {.part = BZ_V("")};
    m.extension = bz_view_in(bz_dotted_root(v), kin);
    for (const char *const *h = heads; *h != NULL && !m.keras; h++) {
        struct bz_view head = bz_view_str(*h);
        m.keras = bz_view_starts(v, head) && (v.n == head.n || v.p[head.n] == '.');
        if (m.keras)
            v = after(v, head);
    }
    while (m.keras && v.n != 0) {
        v = bz_view_sub(v, 1, v.n); /* the dot */
        m.part = bz_dotted_root(v);
        if (!bz_view_in(m.part, inner))
            break;
        v = after(v, m.part);
        m.part = BZ_V("");
    }
    return m;
}

static bool class_part(struct bz_view part) {
    static const char *const parts[] = {"layers",
                                        "models",
                                        "activations",
                                        "initializers",
                                        "losses",
                                        "metrics",
                                        "regularizers",
                                        "constraints",
                                        "optimizers",
                                        "ops",
                                        "dtype_policies",
                                        "random",
                                        "quantizers",
                                        "engine",
                                        "premade_models",
                                        "mixed_precision",
                                        "feature_column",
                                        "legacy",
                                        "backend",
                                        "legacy_tf_layers",
                                        "training",
                                        "premade",
                                        "trainers",
                                        "applications",
                                        "dtensor",
                                        "distillers",
                                        NULL};
    return part.n == 0 || bz_view_in(part, parts);
}

static bool function_part(struct bz_view part) {
    static const char *const parts[] = {"activations", "initializers", "losses",
                                        "metrics",     "regularizers", "constraints",
                                        "ops",         "backend",      NULL};
    return bz_view_in(part, parts);
}

/* Classes below utils that configurations do hold. */
static bool utility(struct bz_view part, struct bz_view class) {
    static const char *const fine[] = {"FeatureSpace",      "Cross", "Feature", "SidecarEvaluator",
                                       "CustomObjectScope", NULL};
    return bz_view_eq(part, BZ_V("utils")) && bz_view_in(class, fine);
}

static bool gadget_name(struct bz_view name) {
    static const char *const names[] = {"get_file",
                                        "load_model",
                                        "save_model",
                                        "load_weights",
                                        "save_weights",
                                        "model_from_json",
                                        "model_from_yaml",
                                        "model_from_config",
                                        "deserialize",
                                        "deserialize_keras_object",
                                        "serialize_keras_object",
                                        "from_config",
                                        "enable_unsafe_deserialization",
                                        "disable_safe_mode",
                                        "func_load",
                                        "func_dump",
                                        "get",
                                        "get_custom_objects",
                                        "register_keras_serializable",
                                        "extract_archive",
                                        "_extract_archive",
                                        "get_source_inputs",
                                        "image_dataset_from_directory",
                                        "load_img",
                                        "save_img",
                                        "plot_model",
                                        "model_to_dot",
                                        "audio_dataset_from_directory",
                                        "text_dataset_from_directory",
                                        "set_backend",
                                        "run",
                                        "clone_model",
                                        "load_data",
                                        "eval",
                                        "exec",
                                        "function",
                                        "py_function",
                                        "numpy_function",
                                        "custom_gradient",
                                        NULL};
    return bz_view_in(name, names);
}

static bool camel(struct bz_view name) {
    return name.n != 0 && ((name.p[0] >= 'A' && name.p[0] <= 'Z') || name.p[0] == '_');
}

/* ---- classes that do more than compute ------------------------------------------------------------- */

static enum bz_status lambda(struct bz_json_scan *x, const struct bz_json *obj,
                             const struct bz_json *config) {
    const struct bz_json *fn = bz_json_get(config, BZ_V("function"));
    const struct bz_json *shape = bz_json_get(config, BZ_V("output_shape"));
    bool code = bz_json_is(fn, BZ_JSON_ARRAY) || bz_json_is(shape, BZ_JSON_ARRAY) ||
                bz_view_eq(bz_json_text(config, BZ_V("function_type")), BZ_V("lambda"));
    if (bz_json_is(shape, BZ_JSON_ARRAY) && bz_json_is(shape->first, BZ_JSON_NUMBER) &&
        !bz_json_is(fn, BZ_JSON_ARRAY))
        code = bz_view_eq(bz_json_text(config, BZ_V("function_type")), BZ_V("lambda"));
    if (code || bz_view_eq(bz_json_text(fn, BZ_V("class_name")), BZ_V("__lambda__")))
        return BZ_J_FOUND(x, BZ_J_KERAS_LAMBDA, obj, BZ_V("Lambda"));
    return BZ_J_FOUND(x, BZ_J_KERAS_LAMBDA_NAMED, obj, BZ_V("Lambda"));
}

static enum bz_status vocabulary(struct bz_json_scan *x, const struct bz_json *config) {
    static const char *const keys[] = {"vocabulary", "idf_weights", "mask_vocabulary", NULL};
    for (const char *const *k = keys; *k != NULL; k++) {
        const struct bz_json *v = bz_json_get(config, bz_view_str(*k));
        if (bz_json_is(v, BZ_JSON_STRING) && v->val.n != 0)
            return BZ_J_FOUND(x, BZ_J_KERAS_FILE, v, v->val);
    }
    return BZ_OK;
}

/* A function of TensorFlow by its name: {"function": "math.add"}. */
static bool tensorflow_gadget(struct bz_view fn) {
    static const char *const heads[] = {"io.",    "summary.",    "data.",      "saved_model.",
                                        "load_",  "distribute.", "debugging.", "profiler.",
                                        "train.", "py_func",     "numpy_func", "autograph.",
                                        "keras.", NULL};
    for (const char *const *h = heads; *h != NULL; h++) {
        struct bz_view head = bz_view_str(*h);
        if (bz_view_starts(fn, head) || (bz_view_starts(fn, BZ_V("compat.v1.")) &&
                                         bz_view_starts(bz_view_sub(fn, 10, fn.n), head)))
            return !bz_view_starts(fn, BZ_V("io.decode_")) &&
                   !bz_view_starts(fn, BZ_V("keras.activations."));
    }
    return bz_view_starts(fn, BZ_V("raw_ops.")) && bz_tf_op(bz_view_sub(fn, 8, fn.n)) != BZ_TF_NONE;
}

/* Nodes of TensorFlow inside of a Keras model. */
static enum bz_status tensorflow(struct bz_json_scan *x, const struct bz_json *obj,
                                 struct bz_view class, const struct bz_json *config,
                                 bool *ret_said) {
    static const char *const marks[] = {"PyFunc",        "EagerPyFunc",   "ReadFile", "WriteFile",
                                        "MatchingFiles", "NumpyFunction", NULL};
    struct bz_view fn = bz_json_text(config, BZ_V("function"));
    struct bz_view node = bz_json_text(config, BZ_V("node_def"));
    *ret_said = true;
    if ((bz_view_eq(class, BZ_V("TFOpLambda")) || bz_view_eq(class, BZ_V("ClassMethod")) ||
         bz_view_eq(class, BZ_V("InstanceMethod"))) &&
        tensorflow_gadget(fn))
        return BZ_J_FOUND(x, BZ_J_KERAS_GADGET, obj, fn);
    for (const char *const *m = marks; *m != NULL && node.n != 0; m++) {
        if (bz_view_has(node, bz_view_str(*m)))
            return BZ_J_FOUND(x, BZ_J_KERAS_GADGET, obj, bz_view_str(*m));
    }
    *ret_said = false;
    return BZ_OK;
}

/* *ret_said: a finding was made, and the object's module adds nothing. */
static enum bz_status special(struct bz_json_scan *x, const struct bz_json *obj,
                              struct bz_view class, const struct bz_json *config, bool *ret_said) {
    static const char *const pickles[] = {"TorchModuleWrapper", "PickleWrapper", NULL};
    static const char *const paths[] = {"TFSMLayer", "GenericSavedModel", NULL};
    static const char *const foreign[] = {"JaxLayer", "FlaxLayer", NULL};
    *ret_said = true;
    if (bz_view_eq(class, BZ_V("__lambda__")))
        return BZ_J_FOUND(x, BZ_J_KERAS_LAMBDA, obj, class);
    if (bz_view_eq(class, BZ_V("Lambda")))
        return lambda(x, obj, config);
    if (bz_view_in(class, pickles))
        return BZ_J_FOUND(x, BZ_J_KERAS_PICKLE, obj, class);
    if (bz_view_in(class, paths)) {
        struct bz_view path = bz_json_text(config, BZ_V("filepath"));
        return BZ_J_FOUND(x, BZ_J_KERAS_FILE, obj, path.n == 0 ? class : path);
    }
    if (bz_view_in(class, foreign))
        return BZ_J_FOUND(x, BZ_J_KERAS_CUSTOM, obj, class);
    BZ_TRY(vocabulary(x, config));
    return tensorflow(x, obj, class, config, ret_said);
}

/* ---- modules ----------------------------------------------------------------------------------------- */

static enum bz_status function(struct bz_json_scan *x, const struct bz_json *obj,
                               struct bz_view module, struct bz_view name) {
    struct module m = module_of(module);
    if (bz_view_eq(module, BZ_V("builtins")) || module.n == 0) {
        if (gadget_name(name) || bz_python_danger(name))
            return BZ_J_FOUND(x, BZ_J_KERAS_MODULE, obj, name);
        return BZ_OK; /* looked up among the functions of Keras and those that the caller gives */
    }
    if (m.keras || m.extension) {
        bool fine = (m.extension || function_part(m.part)) && !gadget_name(name);
        return fine ? BZ_OK : BZ_J_FOUND(x, BZ_J_KERAS_GADGET, obj, name);
    }
    if (bz_python_danger(module) || bz_python_danger(name))
        return BZ_J_FOUND(x, BZ_J_KERAS_MODULE, obj, module);
    return BZ_J_FOUND(x, BZ_J_KERAS_IMPORT, obj, module);
}

static enum bz_status class_of_builtins(struct bz_json_scan *x, const struct bz_json *obj,
                                        struct bz_view class) {
    static const char *const plain[] = {
        "int",   "float", "str",   "bool",     "list",    "dict",      "tuple", "set",
        "bytes", "type",  "slice", "NoneType", "complex", "frozenset", "range", NULL};
    if (bz_view_in(class, plain) || camel(class))
        return BZ_OK;
    return BZ_J_FOUND(x, BZ_J_KERAS_MODULE, obj, class);
}

static enum bz_status imports(struct bz_json_scan *x, const struct bz_json *obj,
                              struct bz_view module, struct bz_view class) {
    static const char *const numbers[] = {"numpy",
                                          "tensorflow.python.framework.dtypes",
                                          "tensorflow.python.framework.tensor_shape",
                                          "tensorflow.dtypes",
                                          "tensorflow",
                                          NULL};
    struct module m = module_of(module);
    if (bz_view_eq(module, BZ_V("builtins")))
        return class_of_builtins(x, obj, class);
    if (m.keras) {
        bool fine = (class_part(m.part) || utility(m.part, class)) && camel(class);
        return fine ? BZ_OK : BZ_J_FOUND(x, BZ_J_KERAS_GADGET, obj, class);
    }
    if (m.extension)
        return BZ_OK;
    if (bz_python_danger(module) || bz_python_danger(class))
        return BZ_J_FOUND(x, BZ_J_KERAS_MODULE, obj, module);
    if (bz_view_in(module, numbers) && !gadget_name(class))
        return BZ_OK;
    return BZ_J_FOUND(x, BZ_J_KERAS_IMPORT, obj, module);
}

static bool own_marker(struct bz_view class) { /* values, not classes */
    return class.n > 4 && class.p[0] == '_' && class.p[1] == '_' && class.p[class.n - 1] == '_';
}

static enum bz_status registered(struct bz_json_scan *x, const struct bz_json *obj,
                                 struct bz_view name, struct bz_view class) {
    static const char *const ours[] = {"keras",     "Keras",    "keras_hub",
                                       "keras_nlp", "keras_cv", NULL};
    const uint8_t *gt = name.n == 0 ? NULL : memchr(name.p, '>', name.n);
    if (gt == NULL || bz_view_in(bz_view(name.p, (size_t)(gt - name.p)), ours))
        return BZ_OK;
    (void)class;
    return BZ_J_FOUND(x, BZ_J_KERAS_CUSTOM, obj, name);
}

enum bz_status bz_json_keras(struct bz_json_scan *x, const struct bz_json *obj) {
    const struct bz_json *class_node = bz_json_get(obj, BZ_V("class_name"));
    if (!bz_json_is(class_node, BZ_JSON_STRING))
        return BZ_OK;
    const struct bz_json *config = bz_json_get(obj, BZ_V("config"));
    struct bz_view class = class_node->val;
    struct bz_view module = bz_json_text(obj, BZ_V("module"));
    struct bz_view name = bz_json_text(obj, BZ_V("registered_name"));
    bool said = false;
    if (config == NULL && module.n == 0 && !own_marker(class))
        return BZ_OK;
    if (x->named == NULL)
        x->named = "keras config";
    BZ_TRY(special(x, obj, class, config, &said));
    if (said || (own_marker(class) && module.n == 0))
        return BZ_OK;
    if (bz_view_eq(class, BZ_V("function")) || bz_json_is(config, BZ_JSON_STRING)) {
        struct bz_view called = bz_json_str(config);
        if (called.n == 0)
            called = bz_json_text(config, BZ_V("name"));
        return function(x, obj, module, called.n == 0 ? name : called);
    }
    const uint8_t *gt = class.n == 0 ? NULL : memchr(class.p, '>', class.n);
    if (gt != NULL && name.n == 0)
        name = class; /* before Keras 3 the registered name is the class name */
    if (module.n != 0)
        BZ_TRY(imports(x, obj, module, class));
    return registered(x, obj, name, class);
}
