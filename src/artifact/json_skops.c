/* skops: schema.json of a .skops archive, a tree of nodes {"__class__", "__module__", "__loader__",
 * "content"}. What skops itself trusts is fine; the rest is imported once somebody trusts it.
 * Sources: skops/io/_audit.py, _general.py, _sklearn.py of 0.10 to 0.13. */
#include "json_int.h"

static const char *const trusted[] = {"sklearn", "numpy",    "scipy",           "lightgbm",
                                      "xgboost", "catboost", "quantile_forest", "imblearn",
                                      "pandas",  NULL};

static bool builtin_type(struct bz_view class) {
    static const char *const plain[] = {
        "bool",  "bytearray", "bytes", "complex",  "dict",     "float",      "frozenset",
        "int",   "list",      "None",  "NoneType", "set",      "slice",      "str",
        "tuple", "type",      "range", "object",   "Ellipsis", "memoryview", NULL};
    return bz_view_in(class, plain);
}

static bool harmless(struct bz_view module, struct bz_view class) {
    static const char *const types[] = {"collections.OrderedDict",
                                        "collections.defaultdict",
                                        "collections.Counter",
                                        "datetime.datetime",
                                        "datetime.date",
                                        "datetime.timedelta",
                                        "numpy.random.mtrand.RandomState",
                                        NULL};
    struct bz_buf b;
    uint8_t text[256];
    bz_buf_init_fixed(&b, text, sizeof text);
    bz_buf_put(&b, module);
    bz_buf_putc(&b, '.');
    bz_buf_put(&b, class);
    return b.st == BZ_OK && bz_view_in(bz_buf_view(&b), types);
}

/* The operator functions that skops trusts by itself read no attribute and call nothing. */
static bool operator_function(struct bz_view class) {
    static const char *const fine[] = {"itemgetter", "add", "sub", "mul", "truediv", "neg", "pos",
                                       "lt",         "le",  "eq",  "ne",  "ge",      "gt",  NULL};
    return bz_view_in(class, fine);
}

static bool dangerous(struct bz_view module, struct bz_view class) {
    if (bz_view_eq(bz_dotted_root(module), BZ_V("builtins")))
        return !builtin_type(class);
    if (bz_view_eq(module, BZ_V("operator")) || bz_view_eq(module, BZ_V("_operator")))
        return !operator_function(class);
    if (bz_view_eq(module, BZ_V("functools")))
        return !bz_view_eq(class, BZ_V("partial"));
    return bz_python_danger(module) ||
           (bz_view_in(bz_dotted_root(module), trusted) && bz_python_danger(class));
}

static bool loader_is(struct bz_view loader, const char *name) {
    return bz_view_eq(loader, bz_view_str(name));
}

/* Nodes whose loader takes its name from somewhere else than from "__class__". */
static enum bz_status mismatch(struct bz_json_scan *x, const struct bz_json *obj,
                               struct bz_view module, struct bz_view class, struct bz_view loader) {
    const struct bz_json *content = bz_json_get(obj, BZ_V("content"));
    if (loader_is(loader, "OperatorFuncNode") && !bz_view_eq(module, BZ_V("operator")) &&
        !bz_view_eq(module, BZ_V("_operator")))
        return BZ_J_FOUND(x, BZ_J_SKOPS_MISMATCH, obj, module);
    if (loader_is(loader, "MethodNode")) {
        const struct bz_json *of = bz_json_get(content, BZ_V("obj"));
        if (of != NULL && (!bz_view_eq(bz_json_text(of, BZ_V("__class__")), class) ||
                           !bz_view_eq(bz_json_text(of, BZ_V("__module__")), module)))
            return BZ_J_FOUND(x, BZ_J_SKOPS_MISMATCH, obj, class);
    }
    if ((loader_is(loader, "JsonNode") || loader_is(loader, "DictNode") ||
         loader_is(loader, "ListNode") || loader_is(loader, "TupleNode")) &&
        bz_python_danger(module) && !bz_view_eq(module, BZ_V("builtins")))
        return BZ_J_FOUND(x, BZ_J_SKOPS_MISMATCH, obj, module);
    return BZ_OK;
}

enum bz_status bz_json_skops(struct bz_json_scan *x, const struct bz_json *obj) {
    struct bz_view loader = bz_json_text(obj, BZ_V("__loader__"));
    struct bz_view module = bz_json_text(obj, BZ_V("__module__"));
    struct bz_view class = bz_json_text(obj, BZ_V("__class__"));
    if (loader.p == NULL || module.p == NULL || class.p == NULL)
        return BZ_OK;
    x->named = "skops schema";
    BZ_TRY(mismatch(x, obj, module, class, loader));
    if (dangerous(module, class))
        return BZ_J_FOUND(x, BZ_J_SKOPS_CALL, obj, class);
    if (bz_view_eq(module, BZ_V("builtins")) || bz_view_eq(module, BZ_V("operator")) ||
        bz_view_eq(module, BZ_V("_operator")) || bz_view_eq(module, BZ_V("functools")) ||
        bz_view_in(bz_dotted_root(module), trusted) || harmless(module, class))
        return BZ_OK;
    return BZ_J_FOUND(x, BZ_J_SKOPS_UNKNOWN, obj, class);
}
