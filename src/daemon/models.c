#include "models.h"

#include <stdlib.h>

/* ---- lists of names ---- */

void bz_names_free(struct bz_names *l) {
    for (uint32_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
    *l = (struct bz_names){NULL, 0, 0};
}

bool bz_names_equal(const struct bz_names *a, const struct bz_names *b) {
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        if (strcmp(a->v[i], b->v[i]) != 0)
            return false;
    }
    return true;
}

static enum bz_status add_name(struct bz_names *l, struct bz_view name) {
    char *copy = malloc(name.n + 1);
    if (copy == NULL)
        return BZ_ENOMEM;
    memcpy(copy, name.p, name.n);
    copy[name.n] = '\0';
    l->v[l->n++] = copy;
    return BZ_OK;
}

enum bz_status bz_names_copy(char *const *v, uint32_t n, struct bz_names *ret) {
    struct bz_names l = {calloc(n == 0 ? 1 : n, sizeof *l.v), 0, 0};
    if (l.v == NULL)
        return BZ_ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        if (add_name(&l, bz_view_str(v[i])) != BZ_OK) {
            bz_names_free(&l);
            return BZ_ENOMEM;
        }
    }
    *ret = l;
    return BZ_OK;
}

bool bz_model_name_ok(struct bz_view name) {
    if (name.n == 0 || name.n > BZ_MODEL_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '*')
            return false;
    }
    return true;
}

const char *bz_model_list_path(enum bz_server s) {
    return s == BZ_SERVER_OLLAMA ? "/api/tags" : "/v1/models";
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted and without duplicates, so that the same list in another order is no change. */
static void tidy(struct bz_names *l) {
    uint32_t out = 0;
    if (l->n == 0)
        return;
    qsort(l->v, l->n, sizeof *l->v, by_text);
    for (uint32_t i = 1; i < l->n; i++) {
        if (strcmp(l->v[out], l->v[i]) == 0)
            free(l->v[i]);
        else
            l->v[++out] = l->v[i];
    }
    l->n = out + 1;
}

static bool says_something(const struct bz_json *m, const char *member) {
    return bz_json_str(bz_json_get(m, bz_view_str(member))).n > 0;
}

static bool ends_with(struct bz_view v, struct bz_view end) {
    return v.n >= end.n && bz_view_eq(bz_view_sub(v, v.n - end.n, v.n), end);
}

/* Ollama lists its cloud's models beside its own and sends their prompts there: out of the building
 * under a name that looks local. Only a configuration that names such a model lets it in. */
static bool is_elsewhere(const struct bz_json *m, struct bz_view name) {
    return says_something(m, "remote_host") || says_something(m, "remote_model") ||
           ends_with(name, BZ_V("-cloud")) || ends_with(name, BZ_V(":cloud"));
}

struct vet {
    bool (*ok)(void *ctx, struct bz_view digest);
    void *ctx;
};

static enum bz_status take_names(const struct bz_json *list, bool ollama, const struct vet *v,
                                 struct bz_names *l) {
    for (const struct bz_json *m = list->first; m != NULL; m = m->next) {
        struct bz_view name = bz_json_str(bz_json_get(m, ollama ? BZ_V("model") : BZ_V("id")));
        if (ollama && name.p == NULL)
            name = bz_json_str(bz_json_get(m, BZ_V("name")));
        if (l->n >= BZ_MODEL_LIST_NAMES_MAX || !bz_model_name_ok(name) ||
            (ollama && is_elsewhere(m, name)) ||
            (ollama && v->ok != NULL &&
             !v->ok(v->ctx, bz_json_str(bz_json_get(m, BZ_V("digest"))))))
            l->dropped++;
        else
            BZ_TRY(add_name(l, name));
    }
    return BZ_OK;
}

static enum bz_status parse(enum bz_server s, struct bz_view body, struct bz_arena *ar,
                            const struct vet *v, struct bz_names *l) {
    struct bz_json *root = NULL;
    BZ_TRY(bz_json_parse(body, NULL, ar, &root, NULL));
    bool ollama = s == BZ_SERVER_OLLAMA;
    const struct bz_json *list = bz_json_get(root, ollama ? BZ_V("models") : BZ_V("data"));
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return BZ_ESYNTAX;
    l->v = calloc(list->count < BZ_MODEL_LIST_NAMES_MAX ? list->count + 1 : BZ_MODEL_LIST_NAMES_MAX,
                  sizeof *l->v);
    return l->v == NULL ? BZ_ENOMEM : take_names(list, ollama, v, l);
}

enum bz_status bz_model_list_parse(enum bz_server s, struct bz_view body, struct bz_names *ret) {
    return bz_model_list_vetted(s, body, NULL, NULL, ret);
}

enum bz_status bz_model_list_vetted(enum bz_server s, struct bz_view body,
                                    bool (*vet)(void *ctx, struct bz_view digest), void *ctx,
                                    struct bz_names *ret) {
    const struct vet v = {vet, ctx};
    struct bz_names l = {NULL, 0, 0};
    struct bz_arena ar;
    if (body.n > BZ_MODEL_LIST_MAX)
        return BZ_ETOOBIG;
    bz_arena_init(&ar, bz_alloc_heap, (size_t)64 << 20, NULL, 0);
    enum bz_status st = parse(s, body, &ar, &v, &l);
    bz_arena_free(&ar);
    if (st != BZ_OK) {
        bz_names_free(&l);
        return st;
    }
    tidy(&l);
    *ret = l;
    return BZ_OK;
}

/* ---- versions ---- */

const char *bz_server_version_path(enum bz_server s) {
    switch (s) {
    case BZ_SERVER_OLLAMA:
        return "/api/version";
    case BZ_SERVER_VLLM:
        return "/version";
    case BZ_SERVER_LLAMACPP:
        return "/props";
    case BZ_SERVER_OPENAI:
    case BZ_SERVER_ANTHROPIC:
    case BZ_SERVER_COUNT:
        return NULL;
    }
    return NULL;
}

static enum bz_status take_version(struct bz_view v, char out[BZ_VERSION_MAX + 1]) {
    if (v.n == 0)
        return BZ_ESYNTAX;
    if (v.n > BZ_VERSION_MAX)
        return BZ_ETOOBIG;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < 0x20 || v.p[i] >= 0x7f)
            return BZ_ESYNTAX;
    }
    memcpy(out, v.p, v.n);
    out[v.n] = '\0';
    return BZ_OK;
}

enum bz_status bz_server_version_parse(enum bz_server s, struct bz_view body,
                                       char out[BZ_VERSION_MAX + 1]) {
    struct bz_view member = s == BZ_SERVER_LLAMACPP ? BZ_V("build_info") : BZ_V("version");
    struct bz_json *root = NULL;
    struct bz_arena ar;
    if (body.n > BZ_MODEL_LIST_MAX)
        return BZ_ETOOBIG;
    bz_arena_init(&ar, bz_alloc_heap, (size_t)64 << 20, NULL, 0);
    enum bz_status st = bz_json_parse(body, NULL, &ar, &root, NULL);
    if (st == BZ_OK)
        st = take_version(bz_json_str(bz_json_get(root, member)), out);
    bz_arena_free(&ar);
    return st;
}

/* ---- merge ---- */

static int by_name(const void *a, const void *b) {
    const struct bz_image_model_input *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static struct bz_image_model_input *find(struct bz_served *s, uint32_t sorted_n, const char *name) {
    struct bz_image_model_input key = {.name = name};
    return sorted_n == 0 ? NULL : bsearch(&key, s->v, sorted_n, sizeof key, by_name);
}

static void join(struct bz_served *s) {
    uint32_t out = 0;
    if (s->n == 0)
        return;
    qsort(s->v, s->n, sizeof *s->v, by_name);
    for (uint32_t i = 1; i < s->n; i++) {
        if (strcmp(s->v[out].name, s->v[i].name) == 0)
            s->v[out].backends |= s->v[i].backends;
        else
            s->v[++out] = s->v[i];
    }
    s->n = out + 1;
}

/* Aliases see the backends' own names only (sorted_n of them), never each other: no chains, no
 * loops. */
static void add_aliases(const struct bz_config *c, struct bz_served *s, uint64_t *masks) {
    const uint32_t sorted_n = s->n;
    for (uint32_t i = 0; i < c->models_n; i++) {
        const struct bz_model_config *m = &c->models[i];
        const char *target = m->target == NULL ? m->name : m->target;
        const struct bz_image_model_input *t = find(s, sorted_n, target);
        masks[i] = t == NULL ? 0 : t->backends;
    }
    for (uint32_t i = 0; i < c->models_n; i++) {
        const struct bz_model_config *m = &c->models[i];
        const char *target = m->target == NULL ? m->name : m->target;
        struct bz_image_model_input *own = find(s, sorted_n, m->name);
        if (own == NULL)
            own = &s->v[s->n++];
        *own = (struct bz_image_model_input){m->name, target, masks[i]};
    }
}

enum bz_status bz_models_merge(const struct bz_config *c, const struct bz_names *lists,
                               uint32_t lists_n, struct bz_served *ret) {
    size_t total = c->models_n;
    for (uint32_t i = 0; i < lists_n; i++)
        total += lists[i].n;
    struct bz_served s = {calloc(total + 1, sizeof *s.v), 0, 0};
    uint64_t *masks = calloc(c->models_n + 1u, sizeof *masks);
    if (s.v == NULL || masks == NULL) {
        free(s.v);
        free(masks);
        return BZ_ENOMEM;
    }
    for (uint32_t i = 0; i < lists_n; i++) {
        for (uint32_t k = 0; k < lists[i].n; k++)
            s.v[s.n++] =
                (struct bz_image_model_input){lists[i].v[k], lists[i].v[k], UINT64_C(1) << i};
    }
    join(&s);
    add_aliases(c, &s, masks);
    free(masks);
    if (s.n > BZ_MODELS_MAX) {
        s.dropped = s.n - BZ_MODELS_MAX;
        s.n = BZ_MODELS_MAX;
    }
    *ret = s;
    return BZ_OK;
}

void bz_served_free(struct bz_served *s) {
    free(s->v);
    *s = (struct bz_served){NULL, 0, 0};
}
