/* JSON that Hugging Face libraries act on: transformers, diffusers, peft, sentence-transformers,
 * tokenizers, kernels; TorchServe's manifest and TensorFlow.js models beside them.
 * Sources: transformers dynamic_module_utils.py and tokenization_utils_base.py, diffusers
 * pipeline_loading_utils.py, peft auto.py, sentence_transformers/util (import_from_string). */
#include <stdlib.h>

#include "json_int.h"

static bool is_module(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (!(c == '_' || c == '.' || c == '-' || (c >= '0' && c <= '9') ||
              ((c | 32) >= 'a' && (c | 32) <= 'z')))
            return false;
    }
    return v.n != 0 && !bz_view_has(v, BZ_V(".."));
}

/* "module.Class" or "owner/repo--module.Class". */
static enum bz_status code_reference(struct bz_json_scan *x, const struct bz_json *n) {
    struct bz_view v = n->val, rest = v;
    for (size_t i = 0; i + 1 < v.n; i++) {
        if (v.p[i] == '-' && v.p[i + 1] == '-') {
            rest = bz_view_sub(v, i + 2, v.n);
            break;
        }
    }
    if (!is_module(rest))
        return BZ_J_FOUND(x, BZ_J_CODE_PATH, n, v);
    return BZ_J_FOUND(x, rest.n == v.n ? BZ_J_CODE_LOCAL : BZ_J_CODE_REMOTE, n, v);
}

static enum bz_status auto_map(struct bz_json_scan *x, const struct bz_json *map) {
    for (const struct bz_json *m = map->first; m != NULL; m = m->next) {
        if (m->type == BZ_JSON_STRING)
            BZ_TRY(code_reference(x, m));
        for (const struct bz_json *e = m->first; e != NULL; e = e->next) {
            if (e->type == BZ_JSON_STRING)
                BZ_TRY(code_reference(x, e));
        }
    }
    return BZ_OK;
}

/* {"name": {"impl": "module.Class", "pt": [...], ...}} */
static enum bz_status custom_pipelines(struct bz_json_scan *x, const struct bz_json *map) {
    for (const struct bz_json *m = map->first; m != NULL; m = m->next) {
        const struct bz_json *impl = bz_json_get(m, BZ_V("impl"));
        if (bz_json_is(impl, BZ_JSON_STRING))
            BZ_TRY(code_reference(x, impl));
    }
    return BZ_OK;
}

/* A dotted name that a library imports: fine below the roots it is meant for. */
static enum bz_status imported(struct bz_json_scan *x, const struct bz_json *n,
                               const char *const *roots) {
    if (!bz_json_is(n, BZ_JSON_STRING) || n->val.n == 0)
        return BZ_OK;
    if (bz_python_danger(n->val))
        return BZ_J_FOUND(x, BZ_J_TARGET, n, n->val);
    return bz_view_in(bz_dotted_root(n->val), roots) ? BZ_OK
                                                     : BZ_J_FOUND(x, BZ_J_IMPORT, n, n->val);
}

static enum bz_status kernels(struct bz_json_scan *x, const struct bz_json *n) {
    if (bz_json_is(n, BZ_JSON_STRING) && n->val.n != 0 && memchr(n->val.p, '/', n->val.n) != NULL)
        return BZ_J_FOUND(x, BZ_J_KERNEL, n, n->val);
    for (const struct bz_json *c = n == NULL ? NULL : n->first; c != NULL; c = c->next)
        if (c->type == BZ_JSON_STRING)
            BZ_TRY(kernels(x, c));
    return BZ_OK;
}

static const char *const torch_roots[] = {"torch", "transformers", "sentence_transformers", NULL};
static const char *const mlflow_roots[] = {"mlflow", NULL};
static const char *const peft_roots[] = {
    "transformers",          "diffusers", "timm", "torch", "peft", "trl", "optimum", "torchvision",
    "sentence_transformers", "megatron",  NULL};

static bool dotted(const struct bz_json *n) {
    return bz_json_is(n, BZ_JSON_STRING) && n->val.n != 0 &&
           memchr(n->val.p, '.', n->val.n) != NULL;
}

static enum bz_status import_keys(struct bz_json_scan *x, const struct bz_json *m) {
    if (bz_view_eq(m->key, BZ_V("parent_library")) || bz_view_eq(m->key, BZ_V("megatron_core")))
        return imported(x, m, peft_roots);
    if (bz_view_eq(m->key, BZ_V("loader_module"))) /* MLflow's MLmodel */
        return imported(x, m, mlflow_roots);
    if ((bz_view_eq(m->key, BZ_V("activation_function")) ||
         bz_view_eq(m->key, BZ_V("activation_fn")) ||
         bz_view_eq(m->key, BZ_V("sbert_ce_default_activation_function"))) &&
        dotted(m))
        return imported(x, m, torch_roots);
    return BZ_OK;
}

static enum bz_status member(struct bz_json_scan *x, const struct bz_json *m) {
    struct bz_view k = m->key;
    if (bz_view_eq(k, BZ_V("auto_map")))
        return auto_map(x, m);
    if (bz_view_eq(k, BZ_V("custom_pipelines")))
        return custom_pipelines(x, m);
    if (bz_view_eq(k, BZ_V("trust_remote_code")) &&
        (m->type == BZ_JSON_TRUE || bz_view_eq_nocase(m->val, BZ_V("true"))))
        return BZ_J_FOUND(x, BZ_J_TRUST, m, k);
    if (bz_view_eq(k, BZ_V("attn_implementation")) || bz_view_eq(k, BZ_V("_attn_implementation")) ||
        bz_view_eq(k, BZ_V("experts_implementation")) ||
        bz_view_eq(k, BZ_V("_experts_implementation")))
        return kernels(x, m);
    if (bz_view_eq(k, BZ_V("__type")) && m->type == BZ_JSON_STRING &&
        !bz_view_eq(m->val, BZ_V("AddedToken")))
        return BZ_J_FOUND(x, BZ_J_TYPE, m, m->val);
    return import_keys(x, m);
}

enum bz_status bz_json_hf(struct bz_json_scan *x, const struct bz_json *obj) {
    for (const struct bz_json *m = obj->first; m != NULL; m = m->next) {
        if (m->key.n >= 6 && !x->data)
            BZ_TRY(member(x, m));
    }
    return BZ_OK;
}

/* ---- roots ------------------------------------------------------------------------------------------ */

static enum bz_status file_name(struct bz_json_scan *x, const struct bz_json *n) {
    if (!bz_json_is(n, BZ_JSON_STRING) || bz_path_wrong(n->val)[0] == '\0')
        return BZ_OK;
    return BZ_J_FOUND(x, BZ_J_FILE, n, n->val);
}

/* Shards: {"weight_map": {tensor: file}}; TensorFlow.js: [{"paths": [...]}]. */
static enum bz_status files(struct bz_json_scan *x, const struct bz_json *root) {
    const struct bz_json *map = bz_json_get(root, BZ_V("weight_map"));
    const struct bz_json *manifest = bz_json_get(root, BZ_V("weightsManifest"));
    for (const struct bz_json *m = map == NULL ? NULL : map->first; m != NULL; m = m->next)
        BZ_TRY(file_name(x, m));
    for (const struct bz_json *g = manifest == NULL ? NULL : manifest->first; g != NULL;
         g = g->next) {
        const struct bz_json *paths = bz_json_get(g, BZ_V("paths"));
        for (const struct bz_json *p = paths == NULL ? NULL : paths->first; p != NULL; p = p->next)
            BZ_TRY(file_name(x, p));
    }
    if (map != NULL)
        x->named = "safetensors index";
    return BZ_OK;
}

/* A library and a class of it, not a list of two blocks ("DownBlock2D", "AttnDownBlock2D"). */
static bool component(struct bz_view lib, struct bz_view class) {
    return lib.n != 0 && class.n != 0 && !(lib.p[0] >= 'A' && lib.p[0] <= 'Z') &&
           class.p[0] >= 'A' && class.p[0] <= 'Z';
}

/* A pipeline of diffusers: {"_class_name": ..., component: [library, class]}. A library of another
 * name than these is a Python file beside it. */
static enum bz_status pipeline(struct bz_json_scan *x, const struct bz_json *root) {
    static const char *const libraries[] = {"diffusers",
                                            "transformers",
                                            "onnxruntime.training",
                                            "flax",
                                            "optimum",
                                            "peft",
                                            "stable_diffusion",
                                            "paint_by_example",
                                            "deprecated",
                                            "controlnet_aux",
                                            "k_diffusion",
                                            "kandinsky",
                                            "kandinsky2_2",
                                            "kolors",
                                            "latent_diffusion",
                                            "semantic_stable_diffusion",
                                            "alt_diffusion",
                                            "audioldm",
                                            "audioldm2",
                                            "unidiffuser",
                                            "versatile_diffusion",
                                            "wuerstchen",
                                            "blip_diffusion",
                                            "shap_e",
                                            "deepfloyd_if",
                                            "stable_audio",
                                            "stable_cascade",
                                            "pixart_alpha",
                                            "stable_diffusion_safe",
                                            "spectrogram_diffusion",
                                            "gligen",
                                            "musicldm",
                                            "onnxruntime",
                                            NULL};
    const struct bz_json *name = bz_json_get(root, BZ_V("_class_name"));
    if (name == NULL || bz_json_get(root, BZ_V("_diffusers_version")) == NULL)
        return BZ_OK;
    x->named = "diffusers config";
    if (bz_json_is(name, BZ_JSON_ARRAY) && bz_json_is(name->first, BZ_JSON_STRING))
        BZ_TRY(code_reference(x, name->first));
    for (const struct bz_json *m = root->first; m != NULL; m = m->next) {
        const struct bz_json *lib = m->first;
        if (m->key.n == 0 || m->key.p[0] == '_' || m->type != BZ_JSON_ARRAY || m->count != 2 ||
            !bz_json_is(lib, BZ_JSON_STRING) || !bz_json_is(lib->next, BZ_JSON_STRING) ||
            !component(lib->val, lib->next->val) || bz_view_in(lib->val, libraries))
            continue;
        if (bz_python_danger(lib->val))
            BZ_TRY(BZ_J_FOUND(x, BZ_J_TARGET, lib, lib->val));
        else
            BZ_TRY(code_reference(x, lib));
    }
    return BZ_OK;
}

/* modules.json of sentence-transformers: [{"idx": 0, "name": "0", "path": "", "type": "a.b.C"}] */
static enum bz_status modules(struct bz_json_scan *x, const struct bz_json *root) {
    if (!bz_json_is(root, BZ_JSON_ARRAY) || bz_json_get(root->first, BZ_V("idx")) == NULL ||
        bz_json_get(root->first, BZ_V("type")) == NULL)
        return BZ_OK;
    x->named = "sentence-transformers modules";
    for (const struct bz_json *m = root->first; m != NULL; m = m->next) {
        const struct bz_json *path = bz_json_get(m, BZ_V("path"));
        BZ_TRY(imported(x, bz_json_get(m, BZ_V("type")), torch_roots));
        if (bz_json_is(path, BZ_JSON_STRING) && path->val.n != 0)
            BZ_TRY(file_name(x, path));
    }
    return BZ_OK;
}

struct token {
    int64_t id;
    const struct bz_json *at;
};

static int by_id(const void *va, const void *vb) {
    const struct token *a = va, *b = vb;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->at->off > b->at->off) - (a->at->off < b->at->off);
}

/* tokenizer.json: an id has one content. */
static enum bz_status added_tokens(struct bz_json_scan *x, const struct bz_json *root) {
    const struct bz_json *list = bz_json_get(root, BZ_V("added_tokens"));
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return BZ_OK;
    struct token *tokens = bz_arena_alloc(bz_scan_arena(x->s), (list->count + 1) * sizeof *tokens);
    size_t n = 0;
    if (tokens == NULL)
        return BZ_ENOMEM;
    for (const struct bz_json *t = list->first; t != NULL; t = t->next) {
        if (bz_json_i64(bz_json_get(t, BZ_V("id")), &tokens[n].id) == BZ_OK)
            tokens[n++].at = t;
    }
    qsort(tokens, n, sizeof *tokens, by_id);
    for (size_t i = 1; i < n; i++) {
        if (tokens[i].id == tokens[i - 1].id)
            return BZ_J_FOUND(x, BZ_J_TOKENS, bz_json_get(tokens[i].at, BZ_V("id")),
                              bz_json_text(tokens[i].at, BZ_V("content")));
    }
    return BZ_OK;
}

/* MAR-INF/MANIFEST.json of TorchServe. */
static enum bz_status archive(struct bz_json_scan *x, const struct bz_json *root) {
    const struct bz_json *model = bz_json_get(root, BZ_V("model"));
    const struct bz_json *handler = bz_json_get(model, BZ_V("handler"));
    if (bz_json_get(root, BZ_V("archiverVersion")) == NULL || handler == NULL)
        return BZ_OK;
    x->named = "model archive manifest";
    BZ_TRY(file_name(x, handler));
    BZ_TRY(file_name(x, bz_json_get(model, BZ_V("serializedFile"))));
    BZ_TRY(file_name(x, bz_json_get(model, BZ_V("requirementsFile"))));
    if (bz_json_is(handler, BZ_JSON_STRING) && bz_view_has(handler->val, BZ_V(".py")))
        return BZ_J_FOUND(x, BZ_J_HANDLER, handler, handler->val);
    return BZ_OK;
}

static const char *title(const struct bz_json *root) {
    static const struct {
        const char *key, *name;
    } names[] = {{"tokenizer_class", "tokenizer config"},
                 {"chat_template", "tokenizer config"},
                 {"added_tokens", "tokenizer"},
                 {"peft_type", "adapter config"},
                 {"model_type", "model config"},
                 {"architectures", "model config"},
                 {"modelTopology", "tensorflow.js model"},
                 {"learner", "xgboost json"},
                 {"oblivious_trees", "catboost json"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (bz_json_get(root, bz_view_str(names[i].key)) != NULL)
            return names[i].name;
    }
    return NULL;
}

enum bz_status bz_json_hf_root(struct bz_json_scan *x, const struct bz_json *root) {
    if (bz_json_is(root, BZ_JSON_ARRAY))
        return modules(x, root);
    x->named = title(root);
    BZ_TRY(files(x, root));
    BZ_TRY(pipeline(x, root));
    BZ_TRY(added_tokens(x, root));
    BZ_TRY(bz_json_tokenizer(x, root));
    return archive(x, root);
}
