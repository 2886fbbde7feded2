/* GGUF: what known keys must hold. Source: ggml docs/gguf.md; loaders refuse other types, so a file
 * that has them was not made for any. Integers of any width pass where the value fits in 32 bits:
 * writers differ. */
#include "gguf_int.h"

enum want {
    W_STR,
    W_U32,      /* an integer in 0 .. 2^32-1 */
    W_U32S,     /* the same, or an array of integers (one per layer) */
    W_FLOAT,    /* finite */
    W_BOOL,     /* a bool */
    W_STRINGS,  /* an array of strings */
    W_F32_LIST, /* an array of floats */
    W_INT_LIST, /* an array of integers */
    W_ALIGN,
};

struct known {
    const char *key; /* ".x": x of any architecture */
    uint8_t want;    /* enum want */
};

static const struct known table[] = {
    {"general.architecture", W_STR},
    {"general.type", W_STR},
    {"general.alignment", W_ALIGN},
    {"general.quantization_version", W_U32},
    {"general.file_type", W_U32},
    {"general.name", W_STR},
    {"general.author", W_STR},
    {"general.version", W_STR},
    {"general.organization", W_STR},
    {"general.basename", W_STR},
    {"general.finetune", W_STR},
    {"general.description", W_STR},
    {"general.quantized_by", W_STR},
    {"general.size_label", W_STR},
    {"general.license", W_STR},
    {"general.license.name", W_STR},
    {"general.license.link", W_STR},
    {"general.url", W_STR},
    {"general.doi", W_STR},
    {"general.uuid", W_STR},
    {"general.repo_url", W_STR},
    {"general.tags", W_STRINGS},
    {"general.languages", W_STRINGS},
    {"general.base_model.count", W_U32},
    {"general.dataset.count", W_U32},
    {"tokenizer.ggml.model", W_STR},
    {"tokenizer.ggml.pre", W_STR},
    {"tokenizer.ggml.tokens", W_STRINGS},
    {"tokenizer.ggml.merges", W_STRINGS},
    {"tokenizer.ggml.added_tokens", W_STRINGS},
    {"tokenizer.ggml.scores", W_F32_LIST},
    {"tokenizer.ggml.token_type", W_INT_LIST},
    {"tokenizer.ggml.token_type_count", W_U32},
    {"tokenizer.ggml.precompiled_charsmap", W_INT_LIST},
    {"tokenizer.ggml.add_bos_token", W_BOOL},
    {"tokenizer.ggml.add_eos_token", W_BOOL},
    {"tokenizer.ggml.add_sep_token", W_BOOL},
    {"tokenizer.ggml.add_space_prefix", W_BOOL},
    {"tokenizer.ggml.remove_extra_whitespaces", W_BOOL},
    {"tokenizer.huggingface.json", W_STR},
    {"tokenizer.chat_template", W_STR},
    {"tokenizer.chat_templates", W_STRINGS},
    {"split.no", W_U32},
    {"split.count", W_U32},
    {"split.tensors.count", W_U32},
    {".context_length", W_U32},
    {".embedding_length", W_U32},
    {".block_count", W_U32},
    {".leading_dense_block_count", W_U32},
    {".vocab_size", W_U32},
    {".feed_forward_length", W_U32S},
    {".expert_feed_forward_length", W_U32S},
    {".use_parallel_residual", W_BOOL},
    {".tensor_data_layout", W_STR},
    {".expert_count", W_U32},
    {".expert_used_count", W_U32S},
    {".attention.head_count", W_U32S},
    {".attention.head_count_kv", W_U32S},
    {".attention.key_length", W_U32S},
    {".attention.value_length", W_U32S},
    {".attention.max_alibi_bias", W_FLOAT},
    {".attention.clamp_kqv", W_FLOAT},
    {".attention.layer_norm_epsilon", W_FLOAT},
    {".attention.layer_norm_rms_epsilon", W_FLOAT},
    {".attention.causal", W_BOOL},
    {".attention.sliding_window", W_U32S},
    {".rope.dimension_count", W_U32S},
    {".rope.freq_base", W_FLOAT},
    {".rope.scale_linear", W_FLOAT},
    {".rope.scaling.type", W_STR},
    {".rope.scaling.factor", W_FLOAT},
    {".rope.scaling.original_context_length", W_U32},
    {".rope.scaling.finetuned", W_BOOL},
    {".ssm.conv_kernel", W_U32},
    {".ssm.inner_size", W_U32},
    {".ssm.state_size", W_U32},
    {".ssm.time_step_rank", W_U32},
    {".pooling_type", W_U32},
    {".logit_scale", W_FLOAT},
};

/* ---- types and ranges ------------------------------------------------------------------------ */

static bool is_signed(uint8_t t) {
    return t == GGUF_I8 || t == GGUF_I16 || t == GGUF_I32 || t == GGUF_I64;
}

static bool is_int(uint8_t t) {
    return is_signed(t) || t == GGUF_U8 || t == GGUF_U16 || t == GGUF_U32 || t == GGUF_U64;
}

static bool is_float(uint8_t t) {
    return t == GGUF_F32 || t == GGUF_F64;
}

static bool fits_u32(const struct gguf_value *v) {
    return is_int(v->type) &&
           (is_signed(v->type) ? v->i >= 0 && v->i <= UINT32_MAX : v->u <= UINT32_MAX);
}

static bool finite_float(const struct gguf_value *v) {
    return is_float(v->type) && v->f - v->f == 0.0; /* neither NaN nor infinite */
}

static bool list_of(const struct gguf_value *v, bool (*of)(uint8_t)) {
    return v->type == GGUF_ARRAY && of(v->elem);
}

static bool is_string(uint8_t t) {
    return t == GGUF_STRING;
}

static bool fits(enum want w, const struct gguf_value *v) {
    switch (w) {
    case W_STR:
        return v->type == GGUF_STRING;
    case W_U32:
        return fits_u32(v);
    case W_U32S:
        return fits_u32(v) || list_of(v, is_int);
    case W_FLOAT:
        return finite_float(v);
    case W_BOOL:
        return v->type == GGUF_BOOL;
    case W_STRINGS:
        return list_of(v, is_string);
    case W_F32_LIST:
        return list_of(v, is_float);
    case W_INT_LIST:
        return list_of(v, is_int);
    case W_ALIGN:
        return v->type == GGUF_U32 && v->u != 0 && (v->u & (v->u - 1)) == 0;
    default:
        return false;
    }
}

static const struct known *find(struct bz_view key) {
    const uint8_t *dot = memchr(key.p, '.', key.n);
    size_t head = dot == NULL ? key.n : (size_t)(dot - key.p);
    struct bz_view tail = bz_view_sub(key, head, key.n);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bz_view name = bz_view_str(table[i].key);
        if (bz_view_eq(name.p[0] == '.' ? tail : key, name))
            return &table[i];
    }
    return NULL;
}

/* ---- what is remembered ---------------------------------------------------------------------- */

static bool ends(struct bz_view v, struct bz_view with) {
    return v.n >= with.n && bz_view_eq(bz_view_sub(v, v.n - with.n, with.n), with);
}

static void token_id(struct gguf *g, struct bz_view key, const struct gguf_value *v) {
    if (!bz_view_starts(key, BZ_V("tokenizer.ggml.")) || !ends(key, BZ_V("_token_id")))
        return;
    bool none = v->type == GGUF_I32 ? v->i == -1 : v->u == UINT32_MAX;
    if (!is_int(v->type) || (!fits_u32(v) && !none))
        (void)gguf_found(g, GGUF_R_VALUE, v->off, key);
    else if (none)
        (void)gguf_found(g, GGUF_R_TOKENODD, v->off, key);
    else if (g->ids_n < GGUF_IDS_MAX)
        g->ids[g->ids_n++] = (struct gguf_id){v->u, v->off};
}

static void lengths(struct gguf *g, struct bz_view key, const struct gguf_value *v) {
    if (bz_view_eq(key, BZ_V("tokenizer.ggml.tokens"))) {
        g->has_tokens = true;
        g->tokens = v->count;
        g->tokens_off = v->off;
    } else if (bz_view_eq(key, BZ_V("tokenizer.ggml.scores"))) {
        g->has_scores = true;
        g->scores = v->count;
    } else if (bz_view_eq(key, BZ_V("tokenizer.ggml.token_type"))) {
        g->has_types = true;
        g->types = v->count;
        g->types_off = v->off;
        g->types_elem = v->elem;
    } else if (bz_view_eq(key, BZ_V("split.no"))) {
        g->has_split_no = true;
        g->split_no = v->u;
    } else if (bz_view_eq(key, BZ_V("split.count"))) {
        g->has_split_count = true;
        g->split_count = v->u;
    } else if (bz_view_eq(key, BZ_V("split.tensors.count"))) {
        g->has_split_tensors = true;
        g->split_tensors = v->u;
    }
}

void gguf_known(struct gguf *g, struct bz_view key, const struct gguf_value *v) {
    token_id(g, key, v);
    const struct known *k = find(key);
    if (k == NULL)
        return;
    if (!fits((enum want)k->want, v)) {
        (void)(k->want == W_ALIGN ? gguf_stop(g, GGUF_R_ALIGN, v->off, key)
                                  : gguf_found(g, GGUF_R_VALUE, v->off, key));
        return;
    }
    if (k->want == W_ALIGN)
        g->align = (uint32_t)v->u;
    lengths(g, key, v);
}

/* ---- what the records say together ----------------------------------------------------------- */

static void split(struct gguf *g) {
    if (!g->has_split_count && !g->has_split_no && !g->has_split_tensors)
        return;
    bool all = g->has_split_count && g->has_split_no && g->has_split_tensors;
    bool none = all && g->split_count == 0 && g->split_no == 0; /* a merged model keeps the keys */
    if (!all || (!none && (g->split_no >= g->split_count || g->split_count > UINT16_MAX ||
                           g->n_tensors > g->split_tensors)))
        (void)gguf_found(g, GGUF_R_SPLIT, 0, BZ_V("split."));
}

void gguf_known_end(struct gguf *g) {
    split(g);
    if (g->has_scores && (!g->has_tokens || g->scores != g->tokens))
        (void)gguf_found(g, GGUF_R_VOCAB, 0, BZ_V("tokenizer.ggml.scores"));
    if (g->has_types && (!g->has_tokens || g->types != g->tokens))
        (void)gguf_found(g, GGUF_R_VOCAB, 0, BZ_V("tokenizer.ggml.token_type"));
    for (size_t i = 0; i < g->ids_n && g->has_tokens; i++) {
        if (g->ids[i].id >= g->tokens)
            (void)gguf_found(g, GGUF_R_TOKENID, g->ids[i].off, BZ_V("tokenizer.ggml"));
    }
}
