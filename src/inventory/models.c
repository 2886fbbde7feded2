/* What models say about themselves: heads of GGUF files, Ollama's manifests, model cards. */
#include <bartizan/text.h>
#include "inventory_int.h"

/* ---- GGUF. Source: github.com/ggml-org/ggml, docs/gguf.md ----
 *
 *   "GGUF" u32 version, u64 tensors, u64 pairs, then pairs of
 *   u64 length, key, u32 type, value
 *
 * little-endian. Only the pairs are read, through a window; arrays are skipped. */

enum { WINDOW = 64 << 10, KEY_MAX = 256, PAIRS_MAX = 65536, ARRAY_LEVELS = 4 };
enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPE_COUNT
};

struct cursor {
    const struct bz_gguf_source *src;
    uint64_t at, limit; /* next byte; none is read at or behind limit */
    uint64_t from;      /* what the window begins with */
    size_t have;
    enum bz_status st;
    uint8_t window[WINDOW];
};

static void fail(struct cursor *c, enum bz_status st) {
    if (c->st == BZ_OK)
        c->st = st;
}

static bool fill(struct cursor *c) {
    uint64_t left = c->limit - c->at;
    size_t n = left < WINDOW ? (size_t)left : WINDOW;
    if (c->st != BZ_OK || n == 0) {
        fail(c, c->limit < c->src->size ? BZ_ETOOBIG : BZ_ESYNTAX);
        return false;
    }
    if (c->src->read(c->src->ctx, c->at, c->window, n) != BZ_OK) {
        fail(c, BZ_EIO);
        return false;
    }
    c->from = c->at;
    c->have = n;
    return true;
}

/* Some of the next n bytes, lent until the next call; empty after an error. */
static struct bz_view some(struct cursor *c, uint64_t n) {
    if (c->st != BZ_OK)
        return (struct bz_view){0};
    if ((c->at < c->from || c->at >= c->from + c->have) && !fill(c))
        return (struct bz_view){0};
    size_t off = (size_t)(c->at - c->from), left = c->have - off;
    size_t take = n < left ? (size_t)n : left;
    c->at += take;
    return bz_view(c->window + off, take);
}

static uint64_t number(struct cursor *c, size_t bytes) {
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++) {
        struct bz_view b = some(c, 1);
        v |= b.n == 1 ? (uint64_t)b.p[0] << (8 * i) : 0;
    }
    return c->st == BZ_OK ? v : 0;
}

static void skip(struct cursor *c, uint64_t n) {
    if (c->st != BZ_OK)
        return;
    if (n > c->limit - c->at)
        fail(c, n > c->src->size - c->at ? BZ_ESYNTAX : BZ_ETOOBIG);
    else
        c->at += n;
}

/* A string: what fits is copied to mem, the rest skipped; hashed if asked. */
static size_t string(struct cursor *c, uint8_t *mem, size_t cap, struct bz_sha256 *hash) {
    uint64_t n = number(c, 8);
    size_t got = 0;
    if (n > c->limit - c->at) {
        fail(c, BZ_ESYNTAX);
        return 0;
    }
    while (n > 0 && c->st == BZ_OK && (hash != NULL || got < cap)) {
        struct bz_view v = some(c, n);
        size_t take = v.n < cap - got ? v.n : cap - got;
        if (hash != NULL)
            bz_sha256_add(hash, v);
        if (take > 0)
            memcpy(mem + got, v.p, take);
        got += take;
        n -= v.n;
    }
    skip(c, n);
    return c->st == BZ_OK ? got : 0;
}

static size_t size_of(uint64_t type) {
    static const uint8_t sizes[GGUF_TYPE_COUNT] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return type < GGUF_TYPE_COUNT ? sizes[type] : 0;
}

static void skip_array(struct cursor *c, int level) {
    uint64_t type = number(c, 4), n = number(c, 8), bytes = 0;
    if (size_of(type) > 0) {
        if (__builtin_mul_overflow(n, size_of(type), &bytes))
            fail(c, BZ_ESYNTAX);
        skip(c, bytes);
        return;
    }
    if ((type != GGUF_STRING && type != GGUF_ARRAY) || n > c->limit - c->at ||
        level == ARRAY_LEVELS) {
        fail(c, BZ_ESYNTAX);
        return;
    }
    for (uint64_t i = 0; i < n && c->st == BZ_OK; i++) {
        if (type == GGUF_ARRAY)
            skip_array(c, level + 1);
        else
            skip(c, number(c, 8));
    }
}

static const char *file_type_name(uint64_t v) {
    static const char *const names[] = {
        [0] = "F32",      [1] = "F16",      [2] = "Q4_0",    [3] = "Q4_1",    [7] = "Q8_0",
        [8] = "Q5_0",     [9] = "Q5_1",     [10] = "Q2_K",   [11] = "Q3_K_S", [12] = "Q3_K_M",
        [13] = "Q3_K_L",  [14] = "Q4_K_S",  [15] = "Q4_K_M", [16] = "Q5_K_S", [17] = "Q5_K_M",
        [18] = "Q6_K",    [19] = "IQ2_XXS", [20] = "IQ2_XS", [21] = "Q2_K_S", [22] = "IQ3_XS",
        [23] = "IQ3_XXS", [24] = "IQ1_S",   [25] = "IQ4_NL", [26] = "IQ3_S",  [27] = "IQ3_M",
        [28] = "IQ2_S",   [29] = "IQ2_M",   [30] = "IQ4_XS", [31] = "IQ1_M",  [32] = "BF16"};
    return v < sizeof names / sizeof names[0] ? names[v] : NULL;
}

struct said { /* one place per text that we keep */
    struct bz_view key;
    struct bz_view *to;
};

static void take_text(struct bz_inventory *inv, struct cursor *c, struct bz_component *m,
                      struct bz_view key) {
    const struct said places[] = {
        {BZ_V("general.name"), &m->name},
        {BZ_V("general.version"), &m->version},
        {BZ_V("general.architecture"), &m->architecture},
        {BZ_V("general.organization"), &m->supplier},
        {BZ_V("general.author"), &m->supplier},
        {BZ_V("general.license"), &m->licence},
        {BZ_V("general.size_label"), &m->parameters},
        {BZ_V("general.source.url"), &m->origin},
        {BZ_V("general.repo_url"), &m->origin},
        {BZ_V("general.url"), &m->homepage},
        {BZ_V("general.base_model.0.name"), &m->base_model},
    };
    uint8_t mem[BZ_INVENTORY_TEXT_MAX];
    if (bz_view_eq(key, BZ_V("tokenizer.chat_template"))) {
        struct bz_sha256 s;
        bz_sha256_init(&s);
        (void)string(c, mem, 0, &s);
        bz_sha256_end(&s, m->template_sha256);
        m->has_template = c->st == BZ_OK;
        return;
    }
    size_t n = string(c, mem, sizeof mem, NULL);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (bz_view_eq(key, places[i].key) && places[i].to->n == 0)
            *places[i].to = bz_inventory_text(inv, bz_view(mem, n));
    }
}

static void take_pair(struct bz_inventory *inv, struct cursor *c, struct bz_component *m) {
    uint8_t key[KEY_MAX];
    struct bz_view name = bz_view(key, string(c, key, sizeof key, NULL));
    uint64_t type = number(c, 4);
    if (type == GGUF_STRING) {
        take_text(inv, c, m, name);
    } else if (type == GGUF_ARRAY) {
        skip_array(c, 0);
    } else if (size_of(type) == 0) {
        fail(c, BZ_ESYNTAX);
    } else {
        uint64_t v = number(c, size_of(type));
        const char *quant = file_type_name(v);
        if (type == GGUF_U32 && quant != NULL && bz_view_eq(name, BZ_V("general.file_type")))
            m->quantisation = bz_inventory_text(inv, bz_view_str(quant));
    }
}

static enum bz_status read_head(struct bz_inventory *inv, struct cursor *c,
                                struct bz_component *m) {
    const uint64_t magic = 0x46554747; /* "GGUF" */
    if (number(c, 4) != magic)
        return BZ_ESYNTAX;
    uint64_t version = number(c, 4);
    (void)number(c, 8);
    uint64_t pairs = number(c, 8);
    if (c->st != BZ_OK || version < 2 || version > 3 || pairs > PAIRS_MAX)
        return c->st != BZ_OK ? c->st : BZ_ESYNTAX;
    m->format = BZ_V("gguf");
    for (uint64_t i = 0; i < pairs && c->st == BZ_OK; i++)
        take_pair(inv, c, m);
    return c->st;
}

enum bz_status bz_inventory_gguf(struct bz_inventory *inv, const struct bz_gguf_source *src,
                                 struct bz_component *m) {
    struct cursor *c = bz_arena_zalloc(&inv->ar, sizeof *c);
    if (c == NULL)
        return BZ_ENOMEM;
    c->src = src;
    c->limit = src->size < BZ_GGUF_HEAD_MAX ? src->size : BZ_GGUF_HEAD_MAX;
    enum bz_status st = read_head(inv, c, m);
    struct bz_view known = bz_licence_spdx(m->licence);
    if (known.n > 0)
        m->licence = known;
    return st;
}

/* ---- Ollama ---- */

static bool digest_of(const struct bz_json *layer, struct bz_view *ret) {
    struct bz_view v = bz_inv_member(layer, BZ_V("digest")), prefix = BZ_V("sha256:");
    if (!bz_view_starts(v, prefix) || v.n != prefix.n + 2 * BZ_HASH_LEN)
        return false;
    *ret = bz_view_sub(v, prefix.n, v.n);
    for (size_t i = 0; i < ret->n; i++) {
        bool hex = (ret->p[i] >= '0' && ret->p[i] <= '9') || (ret->p[i] >= 'a' && ret->p[i] <= 'f');
        if (!hex)
            return false;
    }
    return true;
}

static void add_layer(struct bz_inventory *inv, struct bz_component *c, const struct bz_json *layer,
                      struct bz_view hex) {
    struct bz_component_file *f = bz_arena_zalloc(&inv->ar, sizeof *f);
    uint8_t name[80] = "sha256-";
    int64_t size = 0;
    size_t n = 0;
    if (f == NULL) {
        inv->full = true;
        return;
    }
    memcpy(name + 7, hex.p, 2 * BZ_HASH_LEN);
    f->path = bz_inventory_text(inv, bz_view(name, 7 + 2 * BZ_HASH_LEN));
    f->has_sha256 = bz_hex_decode(hex, f->sha256, sizeof f->sha256, &n) == BZ_OK;
    if (bz_json_i64(bz_json_get(layer, BZ_V("size")), &size) == BZ_OK && size > 0)
        f->size = (uint64_t)size;
    f->next = c->files;
    c->files = f;
}

struct bz_component *bz_inventory_ollama(struct bz_inventory *inv, struct bz_view json,
                                         struct bz_view path, struct bz_view name,
                                         struct bz_view *ret_model, struct bz_view *ret_licence) {
    struct bz_view model = BZ_V("application/vnd.ollama.image.model");
    struct bz_view licence = BZ_V("application/vnd.ollama.image.license");
    struct bz_arena ar;
    const struct bz_json *root = bz_inv_json(inv, json, path, &ar);
    const struct bz_json *layers = bz_json_get(root, BZ_V("layers"));
    struct bz_component *c = NULL;
    *ret_model = *ret_licence = (struct bz_view){0};
    if (bz_json_is(layers, BZ_JSON_ARRAY))
        c = bz_inv_named(inv, BZ_COMPONENT_MODEL, name, (struct bz_view){0}, path);
    else if (root != NULL)
        bz_inventory_note(inv, path, "it is no manifest of a model");
    for (const struct bz_json *l = c == NULL ? NULL : layers->first; l != NULL; l = l->next) {
        struct bz_view type = bz_inv_member(l, BZ_V("mediaType")), hex;
        size_t n = 0;
        if (!digest_of(l, &hex)) {
            bz_inventory_note(inv, path, "a layer has no digest");
            continue;
        }
        add_layer(inv, c, l, hex);
        if (bz_view_eq(type, licence) && ret_licence->n == 0)
            *ret_licence = bz_inventory_text(inv, hex);
        if (!bz_view_eq(type, model) || ret_model->n > 0)
            continue;
        *ret_model = bz_inventory_text(inv, hex);
        c->has_sha256 = bz_hex_decode(hex, c->sha256, sizeof c->sha256, &n) == BZ_OK;
    }
    bz_arena_free(&ar);
    return c;
}

/* ---- Hugging Face ---- */

static struct bz_view unquoted(struct bz_view v) {
    if (v.n >= 2 && (v.p[0] == '"' || v.p[0] == '\'') && v.p[v.n - 1] == v.p[0])
        return bz_view_sub(v, 1, v.n - 2);
    return v;
}

void bz_inventory_model_card(struct bz_inventory *inv, struct bz_component *c,
                             struct bz_view text) {
    struct bz_view line, name, value, fence = BZ_V("---");
    bool wants_list = false;
    if (!bz_inv_line(&text, &line) || !bz_view_eq(bz_inv_trim(line), fence))
        return;
    while (bz_inv_line(&text, &line) && !bz_view_eq(bz_inv_trim(line), fence)) {
        struct bz_view t = bz_inv_trim(line);
        if (wants_list && bz_view_starts(t, BZ_V("- ")) && c->base_model.n == 0)
            c->base_model = bz_inventory_text(inv, unquoted(bz_inv_trim(bz_view_sub(t, 2, t.n))));
        wants_list = false;
        if (line.n == 0 || line.p[0] == ' ' || !bz_inv_header(line, &name, &value))
            continue;
        value = unquoted(value);
        if (bz_view_eq(name, BZ_V("license")) && c->licence.n == 0) {
            struct bz_view known = bz_licence_spdx(value);
            c->licence = bz_inventory_text(inv, known.n > 0 ? known : value);
        } else if (bz_view_eq(name, BZ_V("base_model")) && c->base_model.n == 0) {
            c->base_model = bz_inventory_text(inv, value);
            wants_list = value.n == 0;
        }
    }
}

void bz_inventory_model_config(struct bz_inventory *inv, struct bz_component *c,
                               struct bz_view json) {
    struct bz_arena ar;
    const struct bz_json *root = bz_inv_json(inv, json, c->path, &ar);
    if (root != NULL && c->architecture.n == 0)
        c->architecture = bz_inventory_text(inv, bz_inv_member(root, BZ_V("model_type")));
    bz_arena_free(&ar);
}
